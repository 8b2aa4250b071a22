/** Small random programs as jaxprs, for the parameters of primitives that carry some. */
import fc from "fast-check";
import type { Jaxpr } from "../../src/core/jaxpr.ts";
import type { NDArray } from "../../src/core/ndarray.ts";
import { traceClosed } from "../../src/core/staging.ts";
import { type Program, fit, programs, run } from "../support/programs.ts";
import { type Aval, type HostArray, type Shape, Aval as AvalOf } from "./core.ts";
import { type Sample, arrays, shapes } from "./generator.ts";

/** Samples come in float64, in which derivatives are sharp, and in float32, for devices that have no more. */
export type Float = "float32" | "float64";
export const inBoth = (of: (dtype: Float) => fc.Arbitrary<Sample>) => ({
  sample: of("float64"),
  narrow: of("float32"),
});
export const float =
  (dtype: Float) =>
  (shape: Shape): Aval =>
    new AvalOf(shape, dtype);

/** Shapes of operands: small, sometimes scalars. */
export const smallShapes: fc.Arbitrary<number[]> = shapes({ maxDims: 2, maxLength: 3 });
export const shapeLists = (maxLength: number, minLength = 0): fc.Arbitrary<number[][]> =>
  fc.array(smallShapes, { minLength, maxLength });
export const operands = (list: readonly Shape[], dtype: Float): fc.Arbitrary<HostArray[]> =>
  fc.tuple(...list.map((s) => arrays(s, dtype, { min: -1.5, max: 1.5 })));

/** A program of plain operations, or with one level of structures inside. */
export const plainProgram: fc.Arbitrary<Program> = programs({ structured: [], maxSteps: 3, depth: 0 });

/** One program per result. */
export const bodies = (count: number): fc.Arbitrary<readonly Program[]> =>
  fc.array(plainProgram, { minLength: count, maxLength: count });

/** The results of programs on the same operands, in the shapes asked for. */
export const results = (list: readonly Program[], xs: readonly NDArray[], outs: readonly Shape[]): NDArray[] =>
  list.map((p, i) => fit(xs.length ? run(p, xs) : constant, outs[i]!));
let constant: NDArray;
export const useConstant = (x: NDArray): void => void (constant = x);

/** The jaxpr of a function of arrays. */
export const jaxprOf = (f: (...xs: NDArray[]) => readonly NDArray[], ins: readonly Aval[]): Jaxpr =>
  traceClosed(f, ins, "sample").jaxpr;
