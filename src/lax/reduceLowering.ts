/** Lowerings of reductions and of the positions of extrema; also used for sliding windows. */
import { type DType, bytesPerElement, isBool, isInteger, isSigned } from "../core/dtype.ts";
import { convertElement, scalarTypeOf } from "../core/elementTypes.ts";
import { type Index, flatIndex } from "../core/indexing.ts";
import type { Lowering, Operand, Value } from "../core/lowering.ts";
import { comparable, pulled, reduceOver } from "../core/lowerRules.ts";
import {
  type Expr,
  type ReduceOp,
  type ScalarType,
  both,
  compare,
  either,
  equal,
  isNaNExpr,
  less,
  not,
  ofIndex,
  select,
} from "../core/scalar.ts";
import { extentsOf, insideOf } from "../core/structuralLowering.ts";

/** The least and greatest number of a dtype. */
export const lowest = (d: DType): number =>
  isBool(d) ? 0 : isInteger(d) ? (isSigned(d) ? -(2 ** (8 * bytesPerElement(d) - 1)) : 0) : -Infinity;
export const highest = (d: DType): number =>
  isBool(d) ? 1 : isInteger(d) ? 2 ** (8 * bytesPerElement(d) - Number(isSigned(d))) - 1 : Infinity;

/** A reduction over axes; `start` has the neutral element's scalars. */
export function lowerReduction(
  x: Operand,
  axes: readonly number[],
  start: readonly number[],
  combine: ReduceOp | ((sum: Value, z: Value) => Value),
): Lowering {
  const { dtype, shape, ndim } = x.aval;
  const at = insideOf(ndim, axes);
  const types = start.map(() => scalarTypeOf(dtype));
  const init = start.map((v) => (types[0] === "u32" ? v >>> 0 : v));
  return pulled((index) => reduceOver(extentsOf(shape, axes), types, init, combine, (r) => x.at(at(index, r))));
}

// ---------------------------------------------------------------- positions of extrema

export type Extremum = "greatest" | "least";
/** A position greater than all: that of no element. */
export const nowhere = 0x7fffffff;

/**
 * Of two candidates (value, position) the extreme one: the first of equal ones, and a NaN before all others. In any order
 * of combination the result is the same.
 */
const extremeCandidate =
  (extremum: Extremum) =>
  ([x, i]: Value, [y, j]: Value): Value => {
    const floating = x!.type === "f32" || x!.type === "f64";
    const earlier = less(j!, i!);
    const ahead = compare(extremum === "greatest" ? "gt" : "lt", y!, x!);
    const ordered = either(ahead, both(equal(y!, x!), earlier));
    const wins = floating ? winsOrNaN(x!, y!, ordered, earlier) : ordered;
    return [select(wins, y!, x!), select(wins, j!, i!)];
  };
function winsOrNaN(x: Expr, y: Expr, ordered: Expr, earlier: Expr): Expr {
  const [noX, noY] = [isNaNExpr(x), isNaNExpr(y)];
  return select(noY, either(not(noX), earlier), both(not(noX), ordered));
}

/** The position among candidates where the extreme one is; `nowhere` where all candidates have that position. */
export function extremePosition(
  extents: readonly number[],
  dtype: DType,
  extremum: Extremum,
  candidate: (index: readonly Index[]) => readonly [value: Expr, position: Expr],
): Expr {
  const type: ScalarType = isBool(dtype) ? "u32" : scalarTypeOf(dtype);
  const worst = extremum === "greatest" ? lowest(dtype) : highest(dtype);
  const [, position] = reduceOver(extents, [type, "i32"], [worst, nowhere], extremeCandidate(extremum), (r) => {
    const [value, place] = candidate(r);
    return [comparable(value), place];
  });
  return position!;
}

export function lowerPosition(x: Operand, axes: readonly number[], indexDtype: DType, extremum: Extremum): Lowering {
  const { dtype, shape, ndim } = x.aval;
  const at = insideOf(ndim, axes);
  const extents = extentsOf(shape, axes);
  return pulled((index) => {
    const position = extremePosition(extents, dtype, extremum, (r) => [
      x.at(at(index, r))[0]!,
      ofIndex(flatIndex(r, extents)),
    ]);
    return [convertElement(position, "int32", indexDtype)];
  });
}
