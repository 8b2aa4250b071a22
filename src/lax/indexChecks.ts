/** Checks of positions against bounds, for `checkify`: every window must lie inside the operand, whatever the mode. */
import type { Checker } from "../core/checks.ts";
import { evaluator } from "../core/evaluator.ts";
import type { NDArray } from "../core/ndarray.ts";
import { type Shape, shapeText, sizeOf } from "../core/shape.ts";
import { convert, reshape } from "../core/structural.ts";
import { bitwiseOr } from "./bitwise.ts";
import { gt, lt } from "./compare.ts";
import { rem } from "./arithmetic.ts";
import { dynamicIndexInDim } from "./dynamicSlice.ts";
import { broadcastInDim } from "./creation.ts";

const constant = (list: readonly number[]): NDArray =>
  evaluator().fromHost({ shape: [list.length], dtype: "int32", data: Int32Array.from(list) }, false);

/**
 * Adds a check that index vectors (the last axis of `positions`) name corners of windows inside the operand.
 *
 * @param axes the operand axis that each entry of an index vector positions.
 * @param window window lengths, one per operand axis.
 */
export function checkBounds(
  checker: Checker,
  operand: Shape,
  positions: NDArray,
  axes: readonly number[],
  window: Shape,
): void {
  if (!checker.enabled("oob") || sizeOf(positions.shape) === 0) return;
  const at = convert(positions, "int32");
  const last = broadcastInDim(constant(axes.map((a) => operand[a]! - window[a]!)), at.shape, [at.ndim - 1]);
  const message = `out-of-bounds indexing for array of shape ${shapeText(operand)}: index {} is out of bounds for axis {} with size {}.`;
  checker.fail(
    "oob",
    () => bitwiseOr(lt(at, 0), gt(at, last)),
    message,
    (first) => {
      const entry = rem(first, axes.length);
      const pick = (list: NDArray, i: NDArray): NDArray => dynamicIndexInDim(list, i, { axis: 0, keepdims: false });
      const sizes = constant(axes.map((a) => operand[a]!));
      return [pick(reshape(at, [at.size]), first), pick(constant(axes), entry), pick(sizes, entry)];
    },
  );
}
