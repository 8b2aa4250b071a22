/** `scipy.stats.gamma`: the gamma distribution of shape `a`, from `loc` on. */
import type { ArrayLike } from "../../core/arrayMethods.ts";
import type { NDArray } from "../../core/ndarray.ts";
import * as np from "../../numpy/index.ts";
import { gammainc, gammaincc, gammaln, xlogy } from "../special/index.ts";
import { type LocScaleRest, scaled, standardized, within } from "./arguments.ts";
import { unit } from "../../core/unit.ts";

/** The density. @example scipy.stats.gamma.pdf(3, 2.5, 1, 2) // 0.13836917 */
export const pdf = /* @__PURE__ */ unit(
  "pdf",
  4,
  (x: ArrayLike, a: ArrayLike, ...rest: LocScaleRest): NDArray => np.exp(logpdfOf("gamma.pdf", x, a, ...rest)),
  { numbers: "inputs" },
);

function logpdfOf(name: string, x: ArrayLike, a: ArrayLike, ...rest: LocScaleRest): NDArray {
  const [v, shape, loc, scale] = scaled(name, [x, a], rest);
  const normalizer = np.add(gammaln(shape), np.log(scale));
  const kernel = (y: NDArray): NDArray => np.subtract(xlogy(np.subtract(shape, 1), y), y);
  const value = (y: NDArray): NDArray => np.subtract(kernel(y), normalizer);
  return within(np.less(v, loc), standardized(v, loc, scale), 1, value, -Infinity);
}

/** The logarithm of the density. @example scipy.stats.gamma.logpdf(3, 2.5, 1, 2) // -1.9778301 */
export const logpdf = /* @__PURE__ */ unit(
  "logpdf",
  4,
  (x: ArrayLike, a: ArrayLike, ...rest: LocScaleRest): NDArray => logpdfOf("gamma.logpdf", x, a, ...rest),
  { numbers: "inputs" },
);

function cdfOf(name: string, x: ArrayLike, a: ArrayLike, ...rest: LocScaleRest): NDArray {
  const [v, shape, loc, scale] = scaled(name, [x, a], rest);
  const z = standardized(v, loc, scale);
  return within(np.less(z, 0), z, 1, (y) => gammainc(shape, y), 0);
}

/** The distribution function. @example scipy.stats.gamma.cdf(3, 2.5, 1, 2) // 0.15085496 */
export const cdf = /* @__PURE__ */ unit(
  "cdf",
  4,
  (x: ArrayLike, a: ArrayLike, ...rest: LocScaleRest): NDArray => cdfOf("gamma.cdf", x, a, ...rest),
  { numbers: "inputs" },
);

/** The logarithm of the distribution function. @example scipy.stats.gamma.logcdf(3, 2.5, 1, 2) // -1.8914364 */
export const logcdf = /* @__PURE__ */ unit(
  "logcdf",
  4,
  (x: ArrayLike, a: ArrayLike, ...rest: LocScaleRest): NDArray => np.log(cdfOf("gamma.logcdf", x, a, ...rest)),
  { numbers: "inputs" },
);

function sfOf(name: string, x: ArrayLike, a: ArrayLike, ...rest: LocScaleRest): NDArray {
  const [v, shape, loc, scale] = scaled(name, [x, a], rest);
  const z = standardized(v, loc, scale);
  return within(np.less(z, 0), z, 1, (y) => gammaincc(shape, y), 1);
}

/** The survival function 1 − cdf. @example scipy.stats.gamma.sf(3, 2.5, 1, 2) // 0.84914504 */
export const sf = /* @__PURE__ */ unit(
  "sf",
  4,
  (x: ArrayLike, a: ArrayLike, ...rest: LocScaleRest): NDArray => sfOf("gamma.sf", x, a, ...rest),
  { numbers: "inputs" },
);

/** The logarithm of the survival function. @example scipy.stats.gamma.logsf(3, 2.5, 1, 2) // -0.16352528 */
export const logsf = /* @__PURE__ */ unit(
  "logsf",
  4,
  (x: ArrayLike, a: ArrayLike, ...rest: LocScaleRest): NDArray => np.log(sfOf("gamma.logsf", x, a, ...rest)),
  { numbers: "inputs" },
);
