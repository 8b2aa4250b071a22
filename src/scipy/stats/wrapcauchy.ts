/** `scipy.stats.wrapcauchy`: the Cauchy distribution wrapped around the circle, on [0, 2π]. */
import type { ArrayLike } from "../../core/arrayMethods.ts";
import type { NDArray } from "../../core/ndarray.ts";
import * as np from "../../numpy/index.ts";
import { floats } from "../operands.ts";
import { unit } from "../../core/unit.ts";

/** The density. @example scipy.stats.wrapcauchy.pdf(0.5, 0.3) // 0.257043 */
export const pdf = /* @__PURE__ */ unit(
  "pdf",
  2,
  (x: ArrayLike, c: ArrayLike): NDArray => np.exp(logpdfOf("wrapcauchy.pdf", x, c)),
  { numbers: "inputs" },
);

function logpdfOf(name: string, x: ArrayLike, c: ArrayLike): NDArray {
  const [a, r] = floats(`scipy.stats.${name}`, [x, c]) as [NDArray, NDArray];
  const valid = np.logicalAnd(np.greater(r, 0), np.less(r, 1));
  const inside = np.logicalAnd(np.greaterEqual(a, 0), np.lessEqual(a, 2 * Math.PI));
  // 1 + c² − 2c cos x
  const s = np.sin(np.multiply(0.5, a));
  const distance = np.add(np.square(np.subtract(1, r)), np.multiply(4, np.multiply(r, np.square(s))));
  const value = np.subtract(np.subtract(np.log1p(np.negative(np.square(r))), Math.log(2 * Math.PI)), np.log(distance));
  return np.where(valid, np.where(inside, value, -Infinity), NaN);
}

/** The logarithm of the density; NaN unless 0 < c < 1. @example scipy.stats.wrapcauchy.logpdf(0.5, 0.3) // -1.3585119 */
export const logpdf = /* @__PURE__ */ unit(
  "logpdf",
  2,
  (x: ArrayLike, c: ArrayLike): NDArray => logpdfOf("wrapcauchy.logpdf", x, c),
  { numbers: "inputs" },
);
