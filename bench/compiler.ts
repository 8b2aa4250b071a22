/**
 * What the first call of a program costs: a training step of a 784-512-512-10 perceptron on 128 images, with cross-entropy
 * and Adam, in fresh processes.
 *
 * What limits it: the engine runs everything for the first time. About a thousand of our functions are called, and node
 * compiles each when it is: with `--no-lazy`, which does that on import, the call takes two thirds to three quarters. The rest is our
 * JavaScript in the interpreter, where allocations and small calls count, and the first run, which is our wasm as the
 * engine's quick compiler leaves it, several times slower than later runs. So the number and size of kernels count, not
 * the sizes of arrays, until these are large.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { type BuildOptions, buildSync } from "esbuild";
import { median, print } from "./measure.ts";

const target = 60;
const rounds = 15;
/** The node to measure in: users of the library have others than those who develop it. */
const node = process.env["COTANGENT_NODE"] ?? process.execPath;

type Times = Record<string, number>;

/** Runs `f` with two programs, each in new processes: the calls, of the built package as users have it, and their stages. */
function withPrograms(f: (calls: () => Times, stages: () => Times) => void): void {
  const built = resolve(import.meta.dirname, "../dist/index.js");
  if (!existsSync(built)) throw new Error("there is no build to measure: run `npm run build` first");
  const folder = mkdtempSync(join(tmpdir(), "cotangent-bench-"));
  const program = (name: string, options: BuildOptions): (() => Times) => {
    const outfile = join(folder, `${name}.mjs`);
    const entry = join(import.meta.dirname, `${name}.ts`);
    buildSync({ entryPoints: [entry], bundle: true, format: "esm", platform: "node", outfile, ...options });
    return () => JSON.parse(execFileSync(node, [outfile], { encoding: "utf8" })) as Times;
  };
  try {
    f(
      program("firstCall", { alias: { cotangent: built }, external: [built] }),
      program("firstCallStages", { external: ["webgpu"] }),
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export const benchCompiler = (): void => withPrograms(measure);

function measure(calls: () => Times, stages: () => Times): void {
  const version = execFileSync(node, ["--version"], { encoding: "utf8" }).trim();
  const found: [Times[], Times[]] = [[], []];
  for (let i = 0; i < rounds; i++) [calls, stages].forEach((run, k) => found[k]!.push(run()));
  const line = (name: string, runs: readonly Times[], note = ""): void => {
    const values = runs.map((r) => r[name]!);
    const [low, middle, high] = [Math.min(...values), median(values), Math.max(...values)].map((v) => v.toFixed(1));
    print(`${name.padEnd(24)}${low!.padStart(8)} ms   median ${middle!}, at most ${high!}${note}`);
  };
  const [whole, parts] = found;
  // Least times, as our design's table of peers has them: what neighbours on the machine add is not ours.
  const first = Math.min(...whole.map((r) => r["first call"]!));
  print(`a training step of a 784-512-512-10 perceptron, ${rounds} new processes of node ${version}`);
  line("first call", whole, `   target ${target} ms: ${first <= target ? "met" : "MISSED"}`);
  line("second call", whole);
  line("a later call", whole);
  print("of the first call, stage by stage");
  for (const name of Object.keys(parts[0]!)) line(name, parts);
}
