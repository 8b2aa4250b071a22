/** Interpolation between points. */
import type { ArrayLike } from "../core/arrayMethods.ts";
import { isComplex } from "../core/dtype.ts";
import type { NDArray } from "../core/ndarray.ts";
import { promoteOperands } from "../core/operands.ts";
import { DTypeError, ShapeError } from "../core/problem.ts";
import { shapeText } from "../core/shape.ts";
import { convert, reshape } from "../core/structural.ts";
import { abs, subArrays } from "../lax/arithmetic.ts";
import { leArrays, selectArrays } from "../lax/compare.ts";
import { concatenateArrays, sliceInDim } from "../lax/movement.ts";
import { literalLike } from "../lax/rules.ts";
import { sortKeyVal } from "../lax/sort.ts";
import { type Rest, given, inexactOf } from "./arguments.ts";
import { add, clip, divide, mod, multiply, subtract } from "./arithmetic.ts";
import { facts } from "./dtypes.ts";
import { greater, less } from "./logic.ts";
import { searchsorted } from "./search.ts";
import { where } from "./select.ts";
import { take } from "./take.ts";
import { unit } from "../core/unit.ts";

export interface InterpOptions {
  /** The value left of the first point: its own by default, or `"extrapolate"`. */
  readonly left?: ArrayLike | "extrapolate" | null | undefined;
  readonly right?: ArrayLike | "extrapolate" | null | undefined;
  /** The period of the function; `left` and `right` then mean nothing. */
  readonly period?: ArrayLike | null | undefined;
}

/**
 * Piecewise linear interpolation through points (xp, fp), xp increasing.
 *
 * @example
 * np.interp(np.array([0.5, 1.5]), np.array([0, 1, 2]), np.array([0, 10, 30])) // [5, 20]
 */
export const interp = /* @__PURE__ */ unit(
  "interp",
  3,
  function interp(
    x: ArrayLike,
    xp: ArrayLike,
    fp: ArrayLike,
    ...rest: Rest<[ArrayLike | "extrapolate" | null, ArrayLike | "extrapolate" | null, ArrayLike | null], InterpOptions>
  ): NDArray {
    const {
      left = null,
      right = null,
      period = null,
    } = given<InterpOptions>("interp", ["left", "right", "period"], 3, rest);
    let [t, points] = promoteOperands("interp", [x, xp], true) as [NDArray, NDArray];
    let values = inexactOf("interp", fp);
    if (points.ndim !== 1 || points.size !== values.size || values.ndim !== 1)
      throw new ShapeError("InterpPoints", {
        what: `interp: points of shapes ${shapeText(points.shape)} and ${shapeText(values.shape)}`,
        why: "every point has a coordinate and a value",
        fix: "pass two vectors of one length",
      });
    if (isComplex(t.dtype))
      throw new DTypeError("ComplexOrder", {
        what: "interp: the coordinates are complex",
        why: "they are ordered",
        fix: "pass real coordinates",
      });
    if (period !== null) {
      const p = convert(abs(inexactOf("interp", period)), t.dtype);
      t = mod(t, p);
      [points, values] = sortKeyVal(mod(points, p), values);
      const m = points.size;
      points = concatenateArrays(
        [subtract(sliceInDim(points, m - 1, m), p), points, add(sliceInDim(points, 0, 1), p)],
        0,
      );
      values = concatenateArrays([sliceInDim(values, m - 1, m), values, sliceInDim(values, 0, 1)], 0);
    }
    const n = points.size;
    const i = clip(searchsorted(points, t, "right"), 1, n - 1);
    const before = subtract(i, 1);
    const at = (v: NDArray, k: NDArray): NDArray => take(v, k, { mode: "clip" });
    const [x0, y0] = [at(points, before), at(values, before)];
    const [dx, dy] = [subArrays(at(points, i), x0), subArrays(at(values, i), y0)];
    const tiny = literalLike(dx, facts(points.dtype).eps * facts(points.dtype).eps);
    const flat = leArrays(abs(dx), tiny);
    const slope = divide(subtract(t, x0), selectArrays(flat, literalLike(dx, 1), dx));
    let y = where(flat, y0, add(y0, multiply(slope, dy)));
    if (period !== null) return y;
    const end = (v: NDArray, k: number): NDArray => reshape(sliceInDim(v, k, k + 1), []);
    if (left !== "extrapolate") y = where(less(t, end(points, 0)), left ?? end(values, 0), y);
    if (right !== "extrapolate") y = where(greater(t, end(points, n - 1)), right ?? end(values, n - 1), y);
    return y;
  },
  { numbers: "inputs" },
);
