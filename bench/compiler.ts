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
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildSync } from "esbuild";
import { median, print } from "./measure.ts";

const target = 100;
const rounds = 15;
/** The node to measure in: users of the library have others than those who develop it. */
const node = process.env["COTANGENT_NODE"] ?? process.execPath;

/** Runs `f` with the measuring program as users have the library: JavaScript, in a bundle. */
function withBundle(f: (inNewProcess: (mode: string) => Record<string, number>) => void): void {
  const folder = mkdtempSync(join(tmpdir(), "cotangent-bench-"));
  try {
    buildSync({
      entryPoints: [join(import.meta.dirname, "firstCall.ts")],
      bundle: true,
      splitting: true,
      format: "esm",
      platform: "node",
      external: ["webgpu"],
      outdir: folder,
      outExtension: { ".js": ".mjs" },
    });
    const file = join(folder, "firstCall.mjs");
    f((mode) => JSON.parse(execFileSync(node, [file, mode], { encoding: "utf8" })) as Record<string, number>);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export const benchCompiler = (): void => withBundle(measureIn);

function measureIn(inNewProcess: (mode: string) => Record<string, number>): void {
  const version = execFileSync(node, ["--version"], { encoding: "utf8" }).trim();
  const found = ["whole", "stages"].map(() => [] as Record<string, number>[]);
  for (let i = 0; i < rounds; i++) ["whole", "stages"].forEach((mode, k) => found[k]!.push(inNewProcess(mode)));
  const line = (name: string, runs: readonly Record<string, number>[], note = ""): void => {
    const values = runs.map((r) => r[name]!);
    const [low, middle, high] = [Math.min(...values), median(values), Math.max(...values)].map((v) => v.toFixed(1));
    print(`${name.padEnd(24)}${low!.padStart(8)} ms   median ${middle!}, at most ${high!}${note}`);
  };
  const [whole, stages] = found;
  // Least times, as our design's table of peers has them: what neighbours on the machine add is not ours.
  const first = Math.min(...whole!.map((r) => r["first call"]!));
  print(`a training step of a 784-512-512-10 perceptron, ${rounds} new processes of node ${version}`);
  line("first call", whole!, `   target ${target} ms: ${first <= target ? "met" : "MISSED"}`);
  line("second call", whole!);
  line("a later call", whole!);
  print("of the first call, stage by stage");
  for (const name of Object.keys(stages![0]!)) line(`  ${name}`.trimStart(), stages!);
}
