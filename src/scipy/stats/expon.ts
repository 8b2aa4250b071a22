/** `scipy.stats.expon`: the exponential distribution, from `loc` on with mean `scale` beyond. */
import type { ArrayLike } from "../../core/arrayMethods.ts";
import type { NDArray } from "../../core/ndarray.ts";
import { log1mexp } from "../../nn/activations.ts";
import * as np from "../../numpy/index.ts";
import { type LocScaleRest, ofShare, placed, scaled, standardized, within } from "./arguments.ts";
import { unit } from "../../core/unit.ts";

/** The density. @example scipy.stats.expon.pdf(1.5, 1, 2) // 0.38940039 */
export const pdf = /* @__PURE__ */ unit(
  "pdf",
  3,
  (x: ArrayLike, ...rest: LocScaleRest): NDArray => np.exp(logpdfOf("expon.pdf", x, ...rest)),
  { numbers: "inputs" },
);

function logpdfOf(name: string, x: ArrayLike, ...rest: LocScaleRest): NDArray {
  const [a, loc, scale] = scaled(name, [x], rest);
  const value = np.negative(np.add(standardized(a, loc, scale), np.log(scale)));
  return np.where(np.less(a, loc), -Infinity, value);
}

/** The logarithm of the density. @example scipy.stats.expon.logpdf(1.5, 1, 2) // -0.94314718 */
export const logpdf = /* @__PURE__ */ unit(
  "logpdf",
  3,
  (x: ArrayLike, ...rest: LocScaleRest): NDArray => logpdfOf("expon.logpdf", x, ...rest),
  { numbers: "inputs" },
);

/** The distribution function. @example scipy.stats.expon.cdf(1.5, 1, 2) // 0.22119922 */
export const cdf = /* @__PURE__ */ unit(
  "cdf",
  3,
  function cdf(x: ArrayLike, ...rest: LocScaleRest): NDArray {
    const [a, loc, scale] = scaled("expon.cdf", [x], rest);
    const z = standardized(a, loc, scale);
    return within(np.less(a, loc), z, 1, (y) => np.negative(np.expm1(np.negative(y))), 0);
  },
  { numbers: "inputs" },
);

/** The logarithm of the distribution function. @example scipy.stats.expon.logcdf(1.5, 1, 2) // -1.5086915 */
export const logcdf = /* @__PURE__ */ unit(
  "logcdf",
  3,
  function logcdf(x: ArrayLike, ...rest: LocScaleRest): NDArray {
    const [a, loc, scale] = scaled("expon.logcdf", [x], rest);
    return within(np.less(a, loc), standardized(a, loc, scale), 1, log1mexp, -Infinity);
  },
  { numbers: "inputs" },
);

/** The survival function 1 − cdf. @example scipy.stats.expon.sf(1.5, 1, 2) // 0.77880078 */
export const sf = /* @__PURE__ */ unit(
  "sf",
  3,
  (x: ArrayLike, ...rest: LocScaleRest): NDArray => np.exp(logsfOf("expon.sf", x, ...rest)),
  { numbers: "inputs" },
);

function logsfOf(name: string, x: ArrayLike, ...rest: LocScaleRest): NDArray {
  const [a, loc, scale] = scaled(name, [x], rest);
  return np.where(np.less(a, loc), 0, np.negative(standardized(a, loc, scale)));
}

/** The logarithm of the survival function. @example scipy.stats.expon.logsf(1.5, 1, 2) // -0.25 */
export const logsf = /* @__PURE__ */ unit(
  "logsf",
  3,
  (x: ArrayLike, ...rest: LocScaleRest): NDArray => logsfOf("expon.logsf", x, ...rest),
  { numbers: "inputs" },
);

/** The inverse of cdf. @example scipy.stats.expon.ppf(0.25, 1, 2) // 1.5753641 */
export const ppf = /* @__PURE__ */ unit(
  "ppf",
  3,
  function ppf(q: ArrayLike, ...rest: LocScaleRest): NDArray {
    const [p, loc, scale] = scaled("expon.ppf", [q], rest);
    return ofShare(p, (r) => placed(np.negative(np.log1p(np.negative(r))), loc, scale));
  },
  { numbers: "inputs" },
);
