/**
 * Us beside the libraries that people would use otherwise, on kernels and on whole programs: same inputs, outputs compared,
 * in one run. Ours is the built package. What limits each workload stands at the head of its file in speed/ and in
 * docs/performance.md.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { env, execPath } from "node:process";
import { buildSync } from "esbuild";
import { findNode24 } from "../scripts/installNode24.mjs";
import { median, print } from "./measure.ts";
import type { Task } from "./speed/inRuntime.ts";
import { withRaces } from "./speed/page.ts";
import { type Machine, type Outcome, type Race, type Row, line } from "./speed/report.ts";

export interface SpeedOptions {
  /** Only workloads whose name has this in it. */
  readonly only: string;
  /** Time for each workload, all contenders together, warming up aside. */
  readonly seconds: number;
  /** In Node as it runs this, in Node 24 without and with wide vectors, and in Deno, not only in the first. */
  readonly all: boolean;
  /** Our library with wide vectors, in Node as it runs this. */
  readonly wide: boolean;
  /** Write the tables into docs/performance.md. */
  readonly write: boolean;
}

const root = resolve(import.meta.dirname, "..");
const page = join(root, "docs/performance.md");

/** A process that races are run in. */
interface Runtime {
  /** The command in front of the file to run. */
  readonly command: readonly string[];
  /** Whether our library has wide vectors. V8's flag for them is one for the whole process, peers included. */
  readonly wide: boolean;
}
function runtimes(all: boolean, wide: boolean): Runtime[] {
  if (!all) return [{ command: [execPath], wide }];
  const first = (...candidates: (string | undefined)[]): string[] =>
    candidates.filter((file) => file !== undefined && existsSync(file)).slice(0, 1) as string[];
  const node24 = first(findNode24());
  if (node24.length === 0) print("no Node 24: run `npm test` once, or set COTANGENT_NODE24 to its path");
  const deno = first(env["COTANGENT_DENO"], join(root, "node_modules/.bin/deno"));
  if (deno.length === 0) print("no Deno: run `npm ci`, or set COTANGENT_DENO to its path");
  const distinct = node24.filter((node) => versionOf(node) !== versionOf(execPath));
  return [
    ...[execPath, ...distinct].map((node) => ({ command: [node], wide: false })),
    ...node24.map((node) => ({ command: [node], wide: true })),
    ...deno.map((file) => ({ command: [file, "run", "--allow-all"], wide: false })),
  ];
}
const versionOf = (node: string): string => execFileSync(node, ["--version"], { encoding: "utf8" });

export function benchSpeed({ only, seconds, all, wide, write }: SpeedOptions): void {
  if (write && only !== "") throw new Error("--write with --only would leave the other workloads out of the page");
  const built = join(root, "dist/index.js");
  if (!existsSync(built)) throw new Error("there is no build to measure: run `npm run build` first");
  const folder = mkdtempSync(join(tmpdir(), "cotangent-bench-"));
  const program = (name: string): string => {
    const outfile = join(folder, `${name}.mjs`);
    const entry = join(import.meta.dirname, `speed/${name}.ts`);
    const ours = { alias: { cotangent: built }, external: [built] };
    buildSync({ entryPoints: [entry], bundle: true, format: "esm", platform: "node", outfile, ...ours });
    return outfile;
  };
  try {
    const [inRuntime, firstResult] = [program("inRuntime"), program("firstResult")];
    const races = runtimes(all, wide).map(({ command, wide }) => {
      const task: Task = {
        only,
        seconds,
        wide,
        packageFile: join(root, "package.json"),
        resultFile: join(folder, "result"),
      };
      const { status } = spawnSync(command[0]!, [...command.slice(1), inRuntime, JSON.stringify(task)], { stdio: "inherit" }); // prettier-ignore
      if (status !== 0) throw new Error(`the race in ${command.join(" ")} ended with status ${status}`);
      const { machine, rows } = JSON.parse(readFileSync(task.resultFile, "utf8")) as Race;
      const first = firstResultName.includes(only) && !wide ? [firstResults(command, firstResult, machine)] : [];
      for (const row of first) print(line(row, machine));
      print("");
      return { machine, rows: [...rows, ...first] };
    });
    if (write) writeFileSync(page, withRaces(readFileSync(page, "utf8"), races, new Date()));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const firstResultName = "import to first result";

/** In new processes that take turns. */
function firstResults([file, ...args]: readonly string[], program: string, machine: Machine): Row {
  const names = machine.libraries.map(({ name }) => name);
  const times = names.map((): number[] => []);
  for (let round = 0; round < 5; round++)
    for (const [i, name] of names.entries())
      times[i]!.push(Number(execFileSync(file!, [...args, program, name], { encoding: "utf8" })));
  const outcomes = times.map((t): Outcome => ({ kind: "time", milliseconds: median(t), cores: 0, difference: 0 }));
  return { workload: firstResultName, target: null, entries: names.map((library, i) => ({ library, outcome: outcomes[i]! })) }; // prettier-ignore
}
