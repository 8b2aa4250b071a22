/**
 * The device interface: what a backend provides. A buffer's form is the device's own business; arrays hold one and hand
 * it back. Names: `cpu` (the reference), `wasm` and `webgpu`.
 */
import type { Aval } from "../core/aval.ts";
import type { DType } from "../core/dtype.ts";
import type { CompileOptions } from "../core/evaluator.ts";
import type { HostArray } from "../core/hostArray.ts";
import type { Jaxpr } from "../core/jaxpr.ts";
import type { Program } from "../compiler/program.ts";
import type { Target } from "../compiler/target.ts";
import type { AnyPrimitive, Params } from "../core/primitive.ts";

export type Buffer = unknown;

/** A compiled program on one device. */
export interface DeviceExecutable {
  run(inputs: readonly Buffer[]): readonly Buffer[];
  readonly outAvals: readonly Aval[];
}

/** Bytes that a device holds for arrays. */
export interface DeviceMemoryInfo {
  /** Held by arrays now, and at most so far. Small arrays of embedded devices are plain JavaScript memory, not counted. */
  readonly live: number;
  readonly peak: number;
  /** Taken from the machine, free runs included. */
  readonly capacity: number;
  /** Allocations that are live. */
  readonly count: number;
}

/** Threads that a device computes on. */
export interface ThreadInfo {
  /** Threads that were asked for, or that the machine has, the calling one included. */
  readonly wanted: number;
  /** Threads that compute now, the calling one included. */
  readonly running: number;
  /** Why fewer run than are wanted; null if they do. */
  readonly why: string | null;
}
export const oneThread: ThreadInfo = { wanted: 1, running: 1, why: null };
/** What a device has to compute with. */
export interface DeviceDetails {
  readonly threads: ThreadInfo;
  /** What the engine or the GPU can do, by name. */
  readonly features: Readonly<Record<string, boolean>>;
}

export interface Device {
  /** `cpu`, `wasm`, `webgpu`. */
  readonly kind: string;
  readonly id: number;
  readonly dtypes: ReadonlySet<DType>;
  /** Whether `readSync` works. */
  readonly readsSynchronously: boolean;
  put(x: HostArray): Buffer;
  readSync(buffer: Buffer): HostArray;
  read(buffer: Buffer): Promise<HostArray>;
  /** Waits until the buffer is computed, and lets the collector work if there is much to reclaim. */
  ready(buffer: Buffer): Promise<void>;
  release(buffer: Buffer): void;
  memory(): DeviceMemoryInfo;
  details(): DeviceDetails;
  /** Applies one primitive; `avals` are the operands', `outs` those that `infer` gave. */
  evaluate(
    primitive: AnyPrimitive,
    inputs: readonly Buffer[],
    params: Params,
    outs: readonly Aval[],
    avals: readonly Aval[],
  ): readonly Buffer[];
  compile(jaxpr: Jaxpr, options: CompileOptions): DeviceExecutable;
  /** How programs become code; null: nothing is compiled. */
  readonly code: DeviceCode | null;
}
/** How a device makes code of programs. */
export interface DeviceCode {
  readonly target: Target;
  /** The name of the language that kernels are compiled to. */
  readonly language: string;
  /** A program's kernels in it. */
  print(program: Program): string;
  /** Makes a program that was compiled for the target ready to run: `explain` runs kernels one at a time. */
  load(program: Program): DeviceExecutable;
}
