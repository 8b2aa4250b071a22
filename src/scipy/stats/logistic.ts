/** `scipy.stats.logistic`: the logistic distribution around `loc`. */
import type { ArrayLike } from "../../core/arrayMethods.ts";
import type { NDArray } from "../../core/ndarray.ts";
import * as np from "../../numpy/index.ts";
import { expit, logit } from "../special/index.ts";
import { type LocScaleRest, placed, scaled, standardized } from "./arguments.ts";
import { unit } from "../../core/unit.ts";

/** The density. @example scipy.stats.logistic.pdf(0.5, 1, 2) // 0.12306704 */
export const pdf = /* @__PURE__ */ unit(
  "pdf",
  3,
  (x: ArrayLike, ...rest: LocScaleRest): NDArray => np.exp(logpdfOf("logistic.pdf", x, ...rest)),
  { numbers: "inputs" },
);

function logpdfOf(name: string, x: ArrayLike, ...rest: LocScaleRest): NDArray {
  const [a, loc, scale] = scaled(name, [x], rest);
  const half = np.multiply(0.5, standardized(a, loc, scale));
  return np.subtract(np.multiply(-2, np.logaddexp(half, np.negative(half))), np.log(scale));
}

/** The logarithm of the density. @example scipy.stats.logistic.logpdf(0.5, 1, 2) // -2.095026 */
export const logpdf = /* @__PURE__ */ unit(
  "logpdf",
  3,
  (x: ArrayLike, ...rest: LocScaleRest): NDArray => logpdfOf("logistic.logpdf", x, ...rest),
  { numbers: "inputs" },
);

/** The distribution function. @example scipy.stats.logistic.cdf(0.5, 1, 2) // 0.4378235 */
export const cdf = /* @__PURE__ */ unit(
  "cdf",
  3,
  function cdf(x: ArrayLike, ...rest: LocScaleRest): NDArray {
    const [a, loc, scale] = scaled("logistic.cdf", [x], rest);
    return expit(standardized(a, loc, scale));
  },
  { numbers: "inputs" },
);

/** The survival function 1 − cdf. @example scipy.stats.logistic.sf(0.5, 1, 2) // 0.5621765 */
export const sf = /* @__PURE__ */ unit(
  "sf",
  3,
  function sf(x: ArrayLike, ...rest: LocScaleRest): NDArray {
    const [a, loc, scale] = scaled("logistic.sf", [x], rest);
    return expit(np.negative(standardized(a, loc, scale)));
  },
  { numbers: "inputs" },
);

/** The inverse of cdf. @example scipy.stats.logistic.ppf(0.25, 1, 2) // -1.1972246 */
export const ppf = /* @__PURE__ */ unit(
  "ppf",
  3,
  function ppf(q: ArrayLike, ...rest: LocScaleRest): NDArray {
    const [p, loc, scale] = scaled("logistic.ppf", [q], rest);
    return placed(logit(p), loc, scale);
  },
  { numbers: "inputs" },
);

/** The inverse of sf. @example scipy.stats.logistic.isf(0.25, 1, 2) // 3.1972246 */
export const isf = /* @__PURE__ */ unit(
  "isf",
  3,
  function isf(q: ArrayLike, ...rest: LocScaleRest): NDArray {
    const [p, loc, scale] = scaled("logistic.isf", [q], rest);
    return placed(np.negative(logit(p)), loc, scale);
  },
  { numbers: "inputs" },
);
