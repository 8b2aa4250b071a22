/** `scipy.stats.norm`: the normal distribution with mean `loc` and standard deviation `scale`. */
import type { ArrayLike } from "../../core/arrayMethods.ts";
import type { NDArray } from "../../core/ndarray.ts";
import * as np from "../../numpy/index.ts";
import { logNdtr, ndtr, ndtri } from "../special/index.ts";
import { type LocScaleRest, placed, scaled, standardized } from "./arguments.ts";
import { unit } from "../../core/unit.ts";

/** The density. @example scipy.stats.norm.pdf(0.5, 1, 2) // 0.19333406 */
export const pdf = /* @__PURE__ */ unit(
  "pdf",
  3,
  (x: ArrayLike, ...rest: LocScaleRest): NDArray => np.exp(logpdfOf("norm.pdf", x, ...rest)),
  { numbers: "inputs" },
);

function logpdfOf(name: string, x: ArrayLike, ...rest: LocScaleRest): NDArray {
  const [a, loc, scale] = scaled(name, [x], rest);
  const z = standardized(a, loc, scale);
  const normalizer = np.log(np.multiply(2 * Math.PI, np.square(scale)));
  return np.multiply(-0.5, np.add(normalizer, np.square(z)));
}

/** The logarithm of the density. @example scipy.stats.norm.logpdf(0.5, 1, 2) // -1.6433357 */
export const logpdf = /* @__PURE__ */ unit(
  "logpdf",
  3,
  (x: ArrayLike, ...rest: LocScaleRest): NDArray => logpdfOf("norm.logpdf", x, ...rest),
  { numbers: "inputs" },
);

/** The distribution function. @example scipy.stats.norm.cdf(0.5, 1, 2) // 0.40129367 */
export const cdf = /* @__PURE__ */ unit(
  "cdf",
  3,
  function cdf(x: ArrayLike, ...rest: LocScaleRest): NDArray {
    const [a, loc, scale] = scaled("norm.cdf", [x], rest);
    return ndtr(standardized(a, loc, scale));
  },
  { numbers: "inputs" },
);

/** The logarithm of the distribution function. @example scipy.stats.norm.logcdf(-20) // -203.91716 */
export const logcdf = /* @__PURE__ */ unit(
  "logcdf",
  3,
  function logcdf(x: ArrayLike, ...rest: LocScaleRest): NDArray {
    const [a, loc, scale] = scaled("norm.logcdf", [x], rest);
    return logNdtr(standardized(a, loc, scale));
  },
  { numbers: "inputs" },
);

/** The survival function 1 − cdf. @example scipy.stats.norm.sf(0.5, 1, 2) // 0.59870633 */
export const sf = /* @__PURE__ */ unit(
  "sf",
  3,
  function sf(x: ArrayLike, ...rest: LocScaleRest): NDArray {
    const [a, loc, scale] = scaled("norm.sf", [x], rest);
    return ndtr(np.negative(standardized(a, loc, scale)));
  },
  { numbers: "inputs" },
);

/** The logarithm of the survival function. @example scipy.stats.norm.logsf(20) // -203.91716 */
export const logsf = /* @__PURE__ */ unit(
  "logsf",
  3,
  function logsf(x: ArrayLike, ...rest: LocScaleRest): NDArray {
    const [a, loc, scale] = scaled("norm.logsf", [x], rest);
    return logNdtr(np.negative(standardized(a, loc, scale)));
  },
  { numbers: "inputs" },
);

/** The inverse of cdf. @example scipy.stats.norm.ppf(0.25, 1, 2) // -0.3489795 */
export const ppf = /* @__PURE__ */ unit(
  "ppf",
  3,
  function ppf(q: ArrayLike, ...rest: LocScaleRest): NDArray {
    const [p, loc, scale] = scaled("norm.ppf", [q], rest);
    return placed(ndtri(p), loc, scale);
  },
  { numbers: "inputs" },
);

/** The inverse of sf. @example scipy.stats.norm.isf(0.25, 1, 2) // 2.3489795 */
export const isf = /* @__PURE__ */ unit(
  "isf",
  3,
  function isf(q: ArrayLike, ...rest: LocScaleRest): NDArray {
    const [p, loc, scale] = scaled("norm.isf", [q], rest);
    return placed(np.negative(ndtri(p)), loc, scale);
  },
  { numbers: "inputs" },
);
