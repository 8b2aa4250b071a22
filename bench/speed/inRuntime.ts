/** The race itself, in a process of the runtime that is measured. Run by `speed.ts`, which bundles it. */
import { readFileSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus } from "node:os";
import { argv, exit, versions } from "node:process";
import { print, race } from "../measure.ts";
import { load, versionOf } from "../peers.ts";
import { difference } from "./compareOutputs.ts";
import type { Library, Runner } from "./contender.ts";
import { cotangent } from "./cotangent.ts";
import { jaxJs } from "./jax.ts";
import { onnxRuntime } from "./onnx.ts";
import { type Entry, type Machine, type Outcome, type Row, line, machineLines } from "./report.ts";
import { tensorFlow } from "./tensorflow.ts";
import type { Numbers, Workload } from "./workload.ts";
import { workloads } from "./workloads.ts";

/** What the process is asked to do; its one argument, as JSON. */
export interface Task {
  readonly only: string;
  readonly seconds: number;
  /** Our library with wide vectors. */
  readonly wide: boolean;
  readonly packageFile: string;
  readonly resultFile: string;
}

async function libraries({ packageFile, wide }: Task): Promise<{ found: Library[]; missing: string[] }> {
  const { version } = JSON.parse(readFileSync(packageFile, "utf8")) as { version: string };
  const [jax, tf, backend] = ["@jax-js/jax", "@tensorflow/tfjs-core", "@tensorflow/tfjs-backend-wasm"].map(load);
  const ort: unknown = load("onnxruntime-web");
  return {
    found: [
      await cotangent(version, wide),
      ...(jax ? [await jaxJs(jax, versionOf("@jax-js/jax"))] : []),
      ...(tf && backend ? [await tensorFlow(tf, backend, versionOf("@tensorflow/tfjs-backend-wasm"))] : []),
      ...(ort ? [await onnxRuntime(ort, versionOf("onnxruntime-web"), availableParallelism())] : []),
    ],
    missing: [
      ...(jax ? [] : ["jax-js"]),
      ...(tf && backend ? [] : ["TensorFlow.js"]),
      ...(ort ? [] : ["ONNX Runtime web"]),
    ],
  };
}

/** A library's runner, if it has the program, runs it, and gets what we get; otherwise the reason why not. */
async function ready(
  library: Library,
  w: Workload,
  ours: readonly Numbers[] | null,
): Promise<{ runner: Runner; outputs: Numbers[]; difference: number } | Outcome> {
  const preparing = library.prepare(w);
  if (preparing === null) return { kind: "none" };
  try {
    const runner = await preparing;
    const outputs = (await runner.outputs()).slice(w.comparedFrom ?? 0);
    const { absolute, relative } = ours ? difference(ours, outputs) : { absolute: 0, relative: 0 };
    if (relative <= w.tolerance) return { runner, outputs, difference: relative };
    runner.dispose();
    return { kind: "differs", absolute, relative };
  } catch (error) {
    if (ours === null) throw error;
    return { kind: "cannot", reason: String(error).split("\n")[0]! };
  }
}

async function measured(w: Workload, all: readonly Library[], seconds: number): Promise<Row> {
  const entries: Entry[] = [];
  const runners: Runner[] = [];
  const racing: { name: string; difference: number }[] = [];
  let ours: readonly Numbers[] | null = null;
  for (const library of all) {
    const got = await ready(library, w, ours);
    if ("kind" in got) entries.push({ library: library.name, outcome: got });
    else {
      ours ??= got.outputs;
      runners.push(got.runner);
      racing.push({ name: library.name, difference: got.difference });
    }
  }
  ours = null;
  const finishes = await race(
    racing.map(({ name }, i) => ({ name, run: runners[i]!.run })),
    seconds * 1000,
  );
  for (const runner of runners) runner.dispose();
  racing.forEach(({ name, difference }, i) =>
    entries.push({ library: name, outcome: { kind: "time", difference, ...finishes[i]! } }),
  );
  return { workload: w.name, target: w.target, entries };
}

/** A module of one function that multiplies and adds in one instruction: whether the engine knows it. */
const relaxedSimd = (): boolean =>
  WebAssembly.validate(
    // prettier-ignore
    Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0, 1, 8, 1, 96, 3, 123, 123, 123, 1, 123, 3, 2, 1, 0, 10, 13, 1, 11, 0, 32, 0, 32, 1, 32, 2, 253, 133, 2, 11),
  );

const task = JSON.parse(argv[2]!) as Task;
const { found, missing } = await libraries(task);
const machine: Machine = {
  runtime: versions["deno"] ? `Deno ${versions["deno"]}` : `Node ${versions.node}`,
  engine: `V8 ${versions.v8}`,
  processor: cpus()[0]?.model.trim() ?? "unknown",
  cores: availableParallelism(),
  relaxedSimd: relaxedSimd(),
  libraries: found.map(({ name, version, features }) => ({ name, version, features })),
  missing,
};
for (const text of machineLines(machine)) print(text);
const rows: Row[] = [];
for (const w of workloads.filter(({ name }) => name.includes(task.only))) {
  const row = await measured(w, found, task.seconds);
  print(line(row, machine));
  rows.push(row);
}
writeFileSync(task.resultFile, JSON.stringify({ machine, rows }));
// Peers' worker threads would keep the process.
exit(0);
