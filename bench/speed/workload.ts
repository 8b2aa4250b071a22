/**
 * What a workload of the race is: inputs, our program, and the same program for each peer. The programs of peers are
 * written as their manuals have it, and in the form that was fastest where there are several.
 */
import type { NDArray } from "cotangent";
import type { Graph } from "./onnxModel.ts";

/* eslint-disable @typescript-eslint/no-explicit-any -- the peers' types are not installed */
export type Numbers = Float32Array | Int32Array;

export interface Input {
  readonly data: Numbers;
  readonly shape: readonly number[];
}

export interface Workload {
  readonly name: string;
  /** Our time over that of the fastest peer, at most; on Node 24 and two cores. */
  readonly target: number;
  /** The greatest difference from our output that is called equal, relative to the greatest magnitude in that output. */
  readonly tolerance: number;
  readonly inputs: () => readonly Input[] | Promise<readonly Input[]>;
  readonly ours: (...xs: NDArray[]) => NDArray | readonly NDArray[];
  /** Traced by its `jit`. Arrays that are used again need `.ref`. */
  readonly jax?: (jax: any, ...xs: any[]) => any;
  /** Faster in jax-js without its `jit`. */
  readonly jaxEager?: boolean;
  readonly tf?: TensorFlowProgram;
  readonly onnx?: OnnxProgram;
  /** A training step, of us and jax-js: so many of the first outputs are the first inputs of the next call. */
  readonly carried?: number;
  /** The first output to compare, where those before it depend on signs of numbers near zero. Default 0. */
  readonly comparedFrom?: number;
}

export interface TensorFlowProgram {
  /** What it needs in place of the inputs, such as another order of axes; not timed. */
  readonly prepare?: (tf: any, ...xs: any[]) => any[];
  /** Runs in a `tidy`. */
  readonly run: (tf: any, ...xs: any[]) => any;
  /** From its output to ours; not timed. */
  readonly finish?: (tf: any, y: any) => any;
}

export interface OnnxProgram {
  /** The first input that belongs to the model, which may then arrange it as it likes. Default: none does. */
  readonly weightsFrom?: number;
  readonly build: (graph: Graph, ...xs: string[]) => string;
}

export const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** Numbers evenly spread over [-scale, scale], the same in every run and runtime. */
export function spread(shape: readonly number[], seed = 1, scale = 0.5): Input {
  let s = seed * 48271;
  const next = (): number => (s = (s * 48271) % 2147483647) / 2147483647 - 0.5;
  return { data: new Float32Array(sizeOf(shape)).map(() => 2 * scale * next()), shape };
}

export const full = (shape: readonly number[], value: number): Input => ({
  data: new Float32Array(sizeOf(shape)).fill(value),
  shape,
});
