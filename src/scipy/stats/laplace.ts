/** `scipy.stats.laplace`: the double exponential distribution around `loc`. */
import type { ArrayLike } from "../../core/arrayMethods.ts";
import type { NDArray } from "../../core/ndarray.ts";
import * as np from "../../numpy/index.ts";
import { type LocScaleRest, scaled, standardized } from "./arguments.ts";
import { unit } from "../../core/unit.ts";

/** The density. @example scipy.stats.laplace.pdf(0.5, 1, 2) // 0.1947002 */
export const pdf = /* @__PURE__ */ unit(
  "pdf",
  3,
  (x: ArrayLike, ...rest: LocScaleRest): NDArray => np.exp(logpdfOf("laplace.pdf", x, ...rest)),
  { numbers: "inputs" },
);

function logpdfOf(name: string, x: ArrayLike, ...rest: LocScaleRest): NDArray {
  const [a, loc, scale] = scaled(name, [x], rest);
  const distance = np.abs(standardized(a, loc, scale));
  return np.negative(np.add(distance, np.log(np.multiply(2, scale))));
}

/** The logarithm of the density. @example scipy.stats.laplace.logpdf(0.5, 1, 2) // -1.6362944 */
export const logpdf = /* @__PURE__ */ unit(
  "logpdf",
  3,
  (x: ArrayLike, ...rest: LocScaleRest): NDArray => logpdfOf("laplace.logpdf", x, ...rest),
  { numbers: "inputs" },
);

/** The distribution function. @example scipy.stats.laplace.cdf(0.5, 1, 2) // 0.38940039 */
export const cdf = /* @__PURE__ */ unit(
  "cdf",
  3,
  function cdf(x: ArrayLike, ...rest: LocScaleRest): NDArray {
    const [a, loc, scale] = scaled("laplace.cdf", [x], rest);
    const z = standardized(a, loc, scale);
    const below = np.lessEqual(z, 0);
    // The exponential of the side not taken must not overflow.
    const tail = np.multiply(0.5, np.exp(np.where(below, z, np.negative(z))));
    return np.where(below, tail, np.subtract(1, tail));
  },
  { numbers: "inputs" },
);
