/**
 * Functions that rearrange arrays with the movement primitives: stack and split, tile, merging and splitting of axes,
 * reshape and transpose.
 */
import type { ArrayLike } from "../core/arrayMethods.ts";
import type { NDArray } from "../core/ndarray.ts";
import { asArray } from "../core/operands.ts";
import { ArgumentError, ShapeError } from "../core/problem.ts";
import { canonicalAxes, canonicalAxis, dropAxes, parseShape, range, shapeText, sizeOf } from "../core/shape.ts";
import {
  broadcastInDim as broadcastInDimArray,
  moveAxis,
  reshape as reshapeArray,
  transpose as transposeArray,
} from "../core/structural.ts";
import { integers, readOptions } from "./arguments.ts";
import { concatenateArrays, expandDims, indexInDim, operandList, sliceInDim } from "./movement.ts";
import { unit } from "../core/unit.ts";

/** Joins arrays of one shape along a new axis. */
export function stack(operands: readonly ArrayLike[], axis: number | { readonly axis?: number } = 0): NDArray {
  const { axis: at = 0 } = readOptions<{ axis: number }>("stack", ["axis"], 1, [axis]);
  const xs = operandList("stack", operands);
  const a = canonicalAxis("stack", at, xs[0]!.ndim + 1);
  return concatenateArrays(
    xs.map((x) => expandDims(x, [a])),
    a,
  );
}

/** The subarrays along an axis, without it. */
export function unstack(x: ArrayLike, axis: number | { readonly axis?: number } = 0): NDArray[] {
  const { axis: at = 0 } = readOptions<{ axis: number }>("unstack", ["axis"], 1, [axis]);
  const array = asArray(x, "unstack");
  const a = canonicalAxis("unstack", at, array.ndim);
  return range(array.shape[a]!).map((i) => indexInDim(array, i, a, false));
}

/** Cuts an axis into consecutive parts of the given lengths. */
export function split(
  operand: ArrayLike,
  sizes: readonly number[],
  axis: number | { readonly axis?: number } = 0,
): NDArray[] {
  const { axis: at = 0 } = readOptions<{ axis: number }>("split", ["axis"], 1, [axis]);
  const x = asArray(operand, "split");
  const a = canonicalAxis("split", at, x.ndim);
  const lengths = parseShape("split", sizes);
  const total = lengths.reduce((n, s) => n + s, 0);
  if (total !== x.shape[a])
    throw new ShapeError("SplitSizes", {
      what: `split: sizes [${lengths.join(", ")}] add up to ${total}, but axis ${a} of shape ${shapeText(x.shape)} has length ${x.shape[a]!}`,
      why: "the parts cover the axis exactly",
      fix: "change the sizes so that they add up to the axis length",
    });
  let start = 0;
  return lengths.map((n) => sliceInDim(x, start, (start += n), 1, a));
}

/** Repeats the whole array along each axis. */
export function tile(operand: ArrayLike, reps: readonly number[]): NDArray {
  const x = asArray(operand, "tile");
  const times = parseShape("tile", reps);
  if (times.length !== x.ndim)
    throw new ShapeError("TileReps", {
      what: `tile: ${times.length} repetitions for shape ${shapeText(x.shape)}`,
      why: "lax.tile takes one number of repetitions per axis",
      fix: `give ${x.ndim} numbers, or use numpy.tile, which adds axes`,
    });
  const pairs = x.shape.flatMap((n, i) => [times[i]!, n]);
  const repeated = broadcastInDimArray(
    x,
    pairs,
    range(x.ndim).map((i) => 2 * i + 1),
  );
  return reshapeArray(
    repeated,
    x.shape.map((n, i) => n * times[i]!),
  );
}

/** Removes axes of length 1. */
export function squeeze(array: ArrayLike, dimensions: readonly number[]): NDArray {
  const x = asArray(array, "squeeze");
  const axes = canonicalAxes("squeeze", dimensions, x.ndim);
  const long = axes.find((a) => x.shape[a] !== 1);
  if (long !== undefined)
    throw new ShapeError("SqueezeLength", {
      what: `squeeze: axis ${long} of shape ${shapeText(x.shape)} has length ${x.shape[long]!}`,
      why: "only axes of length 1 can be removed",
      fix: "choose another axis, or reduce over this one",
    });
  return reshapeArray(x, dropAxes(x.shape, axes));
}

/** Merges the axes from `startDimension` up to, not including, `stopDimension` into one. */
export function collapse(
  operand: ArrayLike,
  startDimension: number,
  stopDimension: number | null | { readonly stopDimension?: number | null } = null,
): NDArray {
  const { stopDimension: stop = null } = readOptions<{ stopDimension: number | null }>(
    "collapse",
    ["stopDimension"],
    1,
    [stopDimension],
  );
  const x = asArray(operand, "collapse");
  const clip = (i: number): number => Math.min(Math.max(i < 0 ? i + x.ndim : i, 0), x.ndim);
  const [lo, hi] = [clip(startDimension), clip(stop ?? x.ndim)];
  if (hi < lo)
    throw new ArgumentError("CollapseRange", {
      what: `collapse: axes from ${startDimension} to ${String(stop)} of shape ${shapeText(x.shape)} are no range`,
      why: "the first axis must not lie behind the last one",
      fix: "swap the two",
    });
  return reshapeArray(x, [...x.shape.slice(0, lo), sizeOf(x.shape.slice(lo, hi)), ...x.shape.slice(hi)]);
}

/** The same elements in another shape; with `dimensions`, after that transposition. */
export function reshape(
  operand: ArrayLike,
  newSizes: readonly number[],
  dimensions: readonly number[] | null | { readonly dimensions?: readonly number[] | null } = null,
): NDArray {
  const { dimensions: order = null } = readOptions<{ dimensions: readonly number[] | null }>(
    "reshape",
    ["dimensions"],
    1,
    [dimensions],
  );
  const x = asArray(operand, "reshape");
  return reshapeArray(order ? transposeArray(x, order) : x, parseShape("reshape", newSizes));
}

/** Permutes the axes: result axis i is operand axis `permutation[i]`. */
export const transpose = /* @__PURE__ */ unit(
  "transpose",
  1,
  (operand: ArrayLike, permutation: readonly number[]): NDArray =>
    transposeArray(asArray(operand, "transpose"), integers("transpose", "permutation", permutation)),
);

/** Moves axis `from` in front of axis `into` (counted without it) and merges the two. */
export function mergeAxis(x: NDArray, from: number, into: number): NDArray {
  const moved = moveAxis(x, from, into);
  return reshapeArray(moved, [
    ...moved.shape.slice(0, into),
    moved.shape[into]! * moved.shape[into + 1]!,
    ...moved.shape.slice(into + 2),
  ]);
}

/** Splits axis `axis` into `[outer, rest]`. */
export function splitAxis(x: NDArray, axis: number, outer: number): NDArray {
  const rest = outer === 0 ? 0 : x.shape[axis]! / outer;
  return reshapeArray(x, [...x.shape.slice(0, axis), outer, rest, ...x.shape.slice(axis + 1)]);
}
