/**
 * The seam to the backends: what core and the transforms need of a device, installed by `backends/install.ts`.
 */
import type { HostArray } from "./hostArray.ts";
import type { Jaxpr } from "./jaxpr.ts";
import type { Literal, NDArray } from "./ndarray.ts";
import type { AnyPrimitive, Params } from "./primitive.ts";
import { unreachable } from "./problem.ts";

/** A compiled jaxpr: takes its inputs (constants first), gives its outputs. */
export interface Executable {
  run(args: readonly NDArray[]): readonly NDArray[];
}

export interface CompileOptions {
  /** Shown in messages and profiles. */
  readonly name: string;
  /** Inputs whose buffers the program may reuse for its results. */
  readonly donated: readonly boolean[];
  /** The device to run on, by name; null: the default one. */
  readonly device: string | null;
}

/** What a program will cost. */
export interface CostAnalysis {
  /** Operations on floats. Loops of unknown length count one round, choices their dearest branch. */
  readonly flops: number;
  /** Bytes of operands and results of all launches and copies: what must come from memory and go to it at least. */
  readonly bytes: number;
  /** Kernel launches. */
  readonly kernels: number;
}
/** What memory a program needs, in bytes. */
export interface MemoryAnalysis {
  readonly argumentBytes: number;
  readonly outputBytes: number;
  /** Outputs that take over donated arguments. */
  readonly aliasBytes: number;
  /** Temporary memory while the program runs. */
  readonly temporaryBytes: number;
  /** The largest sum of temporaries alive at one step: what a plan without gaps and padding would take, in this order. */
  readonly idealTemporaryBytes: number;
  /** Arguments, outputs that are no arguments, and temporaries. */
  readonly peakBytes: number;
}

/** The stages that a program goes through on its way to a device. */
export interface Inspection {
  /** Names of the stages, in order; the last one is the device's code. */
  readonly stages: readonly string[];
  text(stage: string): string;
  costAnalysis(): CostAnalysis;
  memoryAnalysis(): MemoryAnalysis;
}

export interface Evaluator {
  /** Applies one primitive to concrete arrays. */
  evaluate(primitive: AnyPrimitive, args: readonly NDArray[], params: Params): readonly NDArray[];
  /** Compiles a jaxpr; constants are inputs like all others. */
  compile(jaxpr: Jaxpr, options: CompileOptions): Executable;
  /** Compiles a jaxpr to look at it. */
  inspect(jaxpr: Jaxpr, options: CompileOptions): Inspection;
  /** A device array with the value of a literal. */
  materialize(literal: Literal): NDArray;
  /** A device array with the values of a host array, which is not copied. */
  fromHost(x: HostArray, weakType: boolean): NDArray;
  /** The values of a concrete array, read at once; not to be mutated. Throws where the device cannot. */
  toHost(x: NDArray): HostArray;
  /** The values of a concrete array, waiting for the device if need be; not to be mutated. */
  read(x: NDArray): Promise<HostArray>;
  /** Waits until a concrete array is computed. */
  ready(x: NDArray): Promise<void>;
  /** The name of the device that a concrete array lives on. */
  deviceOf(x: NDArray): string;
  /** The name of the device that operations run on now. */
  currentDevice(): string;
  /** Frees the buffer of a concrete array. */
  dispose(x: NDArray): void;
  /** Marks donated arrays as given away. */
  donate(x: NDArray): void;
  /** Whether any element is NaN (waits for the value). */
  hasNaN(x: NDArray): boolean;
}

let installed: Evaluator | null = null;

export function installEvaluator(e: Evaluator): void {
  installed = e;
}

export const evaluator = (): Evaluator =>
  installed ?? unreachable("no evaluator is installed: backends/install.ts was dropped from the bundle");
