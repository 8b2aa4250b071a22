/** Functions as programs of any target: compiled directly, verified, and run by the evaluator of programs. */
import { costAnalysis, memoryAnalysis } from "../../src/compiler/analysis.ts";
import { bytesOf } from "../../src/compiler/assignBuffers.ts";
import { type Stages, stagesOf } from "../../src/compiler/compile.ts";
import { verifyNest } from "../../src/compiler/loopNest/verifyNest.ts";
import { runProgram } from "../../src/compiler/runProgram.ts";
import type { Target } from "../../src/compiler/target.ts";
import { explainProgramSync } from "../../src/backends/explain.ts";
import { referencePrograms } from "../../src/backends/reference/device.ts";
import { currentDevice } from "../../src/backends/registry.ts";
import { wasmTarget } from "../../src/backends/wasm/device.ts";
import type { CostAnalysis, MemoryAnalysis } from "../../src/core/evaluator.ts";
import type { HostArray } from "../../src/core/hostArray.ts";
import { hoistConsts } from "../../src/core/jaxpr.ts";
import type { NDArray } from "../../src/core/ndarray.ts";
import type { ReferenceContext } from "../../src/core/primitive.ts";
import { flatten } from "../../src/core/tree.ts";
import { makeJaxpr } from "../../src/transforms/makeJaxpr.ts";
import { fromHost, host } from "./arrays.ts";
import { onDevice } from "./devices.ts";

const context: ReferenceContext = {
  program: (jaxpr) => programs(jaxpr),
  toArray: fromHost,
  fromArray: host,
};
const programs = referencePrograms(context);

/** The target of the wasm device with room for fewer buffers in a kernel. */
export const withBuffers = (maxBuffers: number): Target => ({ ...wasmTarget, maxBuffers });

export interface Compiled extends Stages {
  readonly cost: CostAnalysis;
  readonly memory: MemoryAnalysis;
  /** Names of the kernels, in the order of the list. */
  readonly kernelNames: readonly string[];
  /** Evaluates the program. */
  readonly run: () => HostArray[];
}

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- any function of trees of arrays
type F = (...args: any[]) => unknown;

export interface CompiledOptions {
  readonly target?: Target;
  /** Arguments whose leaves are donated. */
  readonly donated?: readonly number[];
}

/** Compiles a function for these arguments; every kernel passes the verifier. */
export function compiled(f: F, args: readonly unknown[], options: CompiledOptions = {}): Compiled {
  const { target = wasmTarget, donated = [] } = options;
  const traced = makeJaxpr(f)(...args);
  const leaves = args.map((a) => flatten(a)[0] as readonly NDArray[]);
  const given = leaves.flatMap((l, i) => l.map(() => donated.includes(i)));
  const stages = stagesOf(hoistConsts(traced.jaxpr), {
    name: "f",
    target,
    donated: [...traced.consts.map(() => false), ...given],
    valueOf: host,
  });
  const { program } = stages;
  for (const k of program.kernels) {
    verifyNest(k);
    if (k.params.length > target.maxBuffers) throw new Error(`${k.name} binds ${k.params.length} buffers`);
  }
  const bytes = (a: (typeof program.inputs)[number]): number => bytesOf(a, target);
  return {
    ...stages,
    cost: costAnalysis(program),
    memory: memoryAnalysis(
      program,
      program.inputs.reduce((n, a) => n + bytes(a), 0),
      program.outputs.map(bytes),
    ),
    kernelNames: program.kernels.map((k) => k.name),
    run: () => runProgram(program, [...traced.consts, ...leaves.flat()].map(host), target.layout, context),
  };
}

/** What `debug.explain` finds about a function on a device that is read at once. */
export function explained(f: F, args: readonly unknown[], device = "wasm"): string {
  const { jaxpr, consts } = makeJaxpr(f)(...args);
  const inputs = [...consts, ...(flatten(args)[0] as readonly NDArray[])].map(host);
  const settings = { name: "f", donated: [], context };
  return String(onDevice(device, () => explainProgramSync(hoistConsts(jaxpr), inputs, currentDevice(), settings)));
}

/** The results of a function as host arrays, evaluated by the `reference` slots. */
export const byReference = (f: F, args: readonly unknown[]): HostArray[] =>
  onDevice("cpu", () => (flatten(f(...args))[0] as NDArray[]).map(host));
