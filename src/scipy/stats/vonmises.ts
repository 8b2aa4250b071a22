/** `scipy.stats.vonmises`: the von Mises distribution on the circle, of concentration `kappa`. */
import type { ArrayLike } from "../../core/arrayMethods.ts";
import type { NDArray } from "../../core/ndarray.ts";
import * as np from "../../numpy/index.ts";
import { i0e } from "../special/index.ts";
import { floats } from "../operands.ts";
import { unit } from "../../core/unit.ts";

/** The density. @example scipy.stats.vonmises.pdf(0.5, 1.5) // 0.36049017 */
export const pdf = /* @__PURE__ */ unit(
  "pdf",
  2,
  (x: ArrayLike, kappa: ArrayLike): NDArray => np.exp(logpdfOf("vonmises.pdf", x, kappa)),
  { numbers: "inputs" },
);

function logpdfOf(name: string, x: ArrayLike, kappa: ArrayLike): NDArray {
  const [a, k] = floats(`scipy.stats.${name}`, [x, kappa]) as [NDArray, NDArray];
  const kernel = np.multiply(k, np.subtract(np.cos(a), 1));
  return np.where(np.greater(k, 0), np.subtract(kernel, np.log(np.multiply(2 * Math.PI, i0e(k)))), NaN);
}

/** The logarithm of the density; NaN unless `kappa` is positive. @example scipy.stats.vonmises.logpdf(0.5, 1.5) // -1.0202906 */
export const logpdf = /* @__PURE__ */ unit(
  "logpdf",
  2,
  (x: ArrayLike, kappa: ArrayLike): NDArray => logpdfOf("vonmises.logpdf", x, kappa),
  { numbers: "inputs" },
);
