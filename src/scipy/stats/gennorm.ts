/** `scipy.stats.gennorm`: the generalized normal distribution, with density proportional to exp(−|x|^β). */
import type { ArrayLike } from "../../core/arrayMethods.ts";
import type { NDArray } from "../../core/ndarray.ts";
import * as np from "../../numpy/index.ts";
import { gammaincc, gammaln } from "../special/index.ts";
import { floats } from "../operands.ts";
import { unit } from "../../core/unit.ts";

/** The density. @example scipy.stats.gennorm.pdf(0.5, 1.5) // 0.3889184 */
export const pdf = /* @__PURE__ */ unit(
  "pdf",
  2,
  (x: ArrayLike, beta: ArrayLike): NDArray => np.exp(logpdfOf("gennorm.pdf", x, beta)),
  { numbers: "inputs" },
);

function logpdfOf(name: string, x: ArrayLike, beta: ArrayLike): NDArray {
  const [a, b] = floats(`scipy.stats.${name}`, [x, beta]) as [NDArray, NDArray];
  const normalizer = np.subtract(np.log(np.multiply(0.5, b)), gammaln(np.divide(1, b)));
  return np.subtract(normalizer, np.power(np.abs(a), b));
}

/** The logarithm of the density. @example scipy.stats.gennorm.logpdf(0.5, 1.5) // -0.94438574 */
export const logpdf = /* @__PURE__ */ unit(
  "logpdf",
  2,
  (x: ArrayLike, beta: ArrayLike): NDArray => logpdfOf("gennorm.logpdf", x, beta),
  { numbers: "inputs" },
);

/** The distribution function. @example scipy.stats.gennorm.cdf(0.5, 1.5) // 0.74174933 */
export const cdf = /* @__PURE__ */ unit(
  "cdf",
  2,
  function cdf(x: ArrayLike, beta: ArrayLike): NDArray {
    const [a, b] = floats("scipy.stats.gennorm.cdf", [x, beta]) as [NDArray, NDArray];
    const tail = np.multiply(0.5, gammaincc(np.divide(1, b), np.power(np.abs(a), b)));
    return np.where(np.less(a, 0), tail, np.subtract(1, tail));
  },
  { numbers: "inputs" },
);
