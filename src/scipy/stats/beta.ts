/** `scipy.stats.beta`: the beta distribution, between `loc` and `loc` + `scale`. */
import type { ArrayLike } from "../../core/arrayMethods.ts";
import type { NDArray } from "../../core/ndarray.ts";
import * as np from "../../numpy/index.ts";
import { betainc, betaln, xlog1py, xlogy } from "../special/index.ts";
import { type LocScaleRest, scaled, standardized, within } from "./arguments.ts";
import { unit } from "../../core/unit.ts";

/** The density. @example scipy.stats.beta.pdf(1.5, 2, 3, 1, 2) // 0.84375 */
export const pdf = /* @__PURE__ */ unit(
  "pdf",
  5,
  (x: ArrayLike, a: ArrayLike, b: ArrayLike, ...rest: LocScaleRest): NDArray =>
    np.exp(logpdfOf("beta.pdf", x, a, b, ...rest)),
  { numbers: "inputs" },
);

function logpdfOf(name: string, x: ArrayLike, a: ArrayLike, b: ArrayLike, ...rest: LocScaleRest): NDArray {
  const [v, p, q, loc, scale] = scaled(name, [x, a, b], rest);
  const outside = np.logicalOr(np.less(v, loc), np.greater(v, np.add(loc, scale)));
  const kernel = (y: NDArray): NDArray =>
    np.add(xlogy(np.subtract(p, 1), y), xlog1py(np.subtract(q, 1), np.negative(y)));
  const value = (y: NDArray): NDArray => np.subtract(np.subtract(kernel(y), betaln(p, q)), np.log(scale));
  const result = within(outside, standardized(v, loc, scale), 0.5, value, -Infinity);
  const invalid = np.logicalOr(np.logicalOr(np.lessEqual(p, 0), np.lessEqual(q, 0)), np.lessEqual(scale, 0));
  return np.where(invalid, NaN, result);
}

/** The logarithm of the density; NaN unless `a`, `b` and `scale` are positive. @example scipy.stats.beta.logpdf(1.5, 2, 3, 1, 2) // -0.16989904 */
export const logpdf = /* @__PURE__ */ unit(
  "logpdf",
  5,
  (x: ArrayLike, a: ArrayLike, b: ArrayLike, ...rest: LocScaleRest): NDArray =>
    logpdfOf("beta.logpdf", x, a, b, ...rest),
  { numbers: "inputs" },
);

/** A function of the share of the way from `loc` to `loc` + `scale`; constants before and behind. */
function ofWay(z: NDArray, f: (z: NDArray) => NDArray, before: number, behind: number): NDArray {
  const outside = np.logicalOr(np.less(z, 0), np.greater(z, 1));
  return np.where(np.greater(z, 1), behind, within(outside, z, 0.5, f, before));
}

function cdfOf(name: string, x: ArrayLike, a: ArrayLike, b: ArrayLike, ...rest: LocScaleRest): NDArray {
  const [v, p, q, loc, scale] = scaled(name, [x, a, b], rest);
  return ofWay(standardized(v, loc, scale), (z) => betainc(p, q, z), 0, 1);
}

/** The distribution function. @example scipy.stats.beta.cdf(1.5, 2, 3, 1, 2) // 0.26171875 */
export const cdf = /* @__PURE__ */ unit(
  "cdf",
  5,
  (x: ArrayLike, a: ArrayLike, b: ArrayLike, ...rest: LocScaleRest): NDArray => cdfOf("beta.cdf", x, a, b, ...rest),
  { numbers: "inputs" },
);

/** The logarithm of the distribution function. @example scipy.stats.beta.logcdf(1.5, 2, 3, 1, 2) // -1.3404848 */
export const logcdf = /* @__PURE__ */ unit(
  "logcdf",
  5,
  (x: ArrayLike, a: ArrayLike, b: ArrayLike, ...rest: LocScaleRest): NDArray =>
    np.log(cdfOf("beta.logcdf", x, a, b, ...rest)),
  { numbers: "inputs" },
);

function sfOf(name: string, x: ArrayLike, a: ArrayLike, b: ArrayLike, ...rest: LocScaleRest): NDArray {
  const [v, p, q, loc, scale] = scaled(name, [x, a, b], rest);
  return ofWay(standardized(v, loc, scale), (z) => betainc(q, p, np.subtract(1, z)), 1, 0);
}

/** The survival function 1 − cdf. @example scipy.stats.beta.sf(1.5, 2, 3, 1, 2) // 0.73828125 */
export const sf = /* @__PURE__ */ unit(
  "sf",
  5,
  (x: ArrayLike, a: ArrayLike, b: ArrayLike, ...rest: LocScaleRest): NDArray => sfOf("beta.sf", x, a, b, ...rest),
  { numbers: "inputs" },
);

/** The logarithm of the survival function. @example scipy.stats.beta.logsf(1.5, 2, 3, 1, 2) // -0.30343043 */
export const logsf = /* @__PURE__ */ unit(
  "logsf",
  5,
  (x: ArrayLike, a: ArrayLike, b: ArrayLike, ...rest: LocScaleRest): NDArray =>
    np.log(sfOf("beta.logsf", x, a, b, ...rest)),
  { numbers: "inputs" },
);
