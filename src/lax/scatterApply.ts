/**
 * scatterApply: a function applied to the elements that index vectors point at, as often as they do. Counting first how
 * often that is makes it a loop over the whole array, with the count as a mask.
 */
import type { ArrayLike } from "../core/arrayMethods.ts";
import type { NDArray } from "../core/ndarray.ts";
import { asArray } from "../core/operands.ts";
import { convert, full, reshape } from "../core/structural.ts";
import { add } from "./arithmetic.ts";
import { readOptions } from "./arguments.ts";
import { gt, lt, select } from "./compare.ts";
import { whileLoop } from "./control/loops.ts";
import { reduceMax } from "./reduce.ts";
import { type ScatterDimensionNumbers, type ScatterOptions, scatterAdd } from "./scatter.ts";

export interface ScatterApplyOptions extends ScatterOptions {
  /** The shape that updates would have: the window lengths at `updateWindowDims`, the indices' shape elsewhere. */
  readonly updateShape?: readonly number[] | undefined;
}
const names = ["updateShape", "indicesAreSorted", "uniqueIndices", "mode"] as const;

/**
 * Applies an elementwise function to windows of `operand`, once for each time an element is pointed at.
 *
 * @example
 * const dimensions = { updateWindowDims: [], insertedWindowDims: [0], scatterDimsToOperandDims: [0] };
 * lax.scatterApply(np.array([1, 2, 3]), [[2], [0]], (v) => v.mul(2), dimensions, { updateShape: [2] }) // [2, 2, 6]
 */
export function scatterApply(
  operand: ArrayLike,
  scatterIndices: ArrayLike,
  func: (x: NDArray) => ArrayLike,
  dimensionNumbers: ScatterDimensionNumbers,
  options: ScatterApplyOptions = {},
): NDArray {
  const { updateShape = [], ...given } = readOptions<ScatterApplyOptions>("scatterApply", names, 0, [options]);
  const x = asArray(operand, "scatterApply");
  const [none, ones] = [full(x.shape, 0, "int32"), full(updateShape, 1, "int32")];
  const counts = scatterAdd(none, scatterIndices, ones, dimensionNumbers, given);
  const step = (y: NDArray, done: NDArray): NDArray =>
    select(gt(counts, done), convert(asArray(func(y), "scatterApply"), x.dtype, x.weakType), y);
  if (given.uniqueIndices || x.size === 0) return x.size === 0 ? x : step(x, full([], 0, "int32"));
  const most = reduceMax(reshape(counts, [x.size]), [0]);
  const [, applied] = whileLoop(
    ([done]: [NDArray, NDArray]) => lt(done, most),
    ([done, y]: [NDArray, NDArray]): [NDArray, NDArray] => [add(done, 1), step(y, done)],
    [full([], 0, "int32"), x] as [NDArray, NDArray],
  );
  return applied;
}
