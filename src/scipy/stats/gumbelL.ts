/** `scipy.stats.gumbelL`: Gumbel's distribution of minima, with mode `loc`. */
import type { ArrayLike } from "../../core/arrayMethods.ts";
import type { NDArray } from "../../core/ndarray.ts";
import { log1mexp } from "../../nn/activations.ts";
import * as np from "../../numpy/index.ts";
import { type LocScaleRest, placed, scaled, standardized } from "./arguments.ts";
import { unit } from "../../core/unit.ts";

/** A function of the standardized variable, NaN unless the scale is positive. */
function ofScale(name: string, x: ArrayLike, rest: LocScaleRest, f: (z: NDArray, scale: NDArray) => NDArray): NDArray {
  const [a, loc, scale] = scaled(name, [x], rest);
  return np.where(np.greater(scale, 0), f(standardized(a, loc, scale), scale), NaN);
}

/** The density. @example scipy.stats.gumbelL.pdf(0.5, 1, 2) // 0.17871767 */
export const pdf = /* @__PURE__ */ unit(
  "pdf",
  3,
  (x: ArrayLike, ...rest: LocScaleRest): NDArray => np.exp(logpdfOf("gumbelL.pdf", x, ...rest)),
  { numbers: "inputs" },
);

const logpdfOf = (name: string, x: ArrayLike, ...rest: LocScaleRest): NDArray =>
  ofScale(name, x, rest, (z, scale) => np.subtract(np.subtract(z, np.exp(z)), np.log(scale)));

/** The logarithm of the density. @example scipy.stats.gumbelL.logpdf(0.5, 1, 2) // -1.721948 */
export const logpdf = /* @__PURE__ */ unit(
  "logpdf",
  3,
  (x: ArrayLike, ...rest: LocScaleRest): NDArray => logpdfOf("gumbelL.logpdf", x, ...rest),
  { numbers: "inputs" },
);

/** The distribution function. @example scipy.stats.gumbelL.cdf(0.5, 1, 2) // 0.54104393 */
export const cdf = /* @__PURE__ */ unit(
  "cdf",
  3,
  (x: ArrayLike, ...rest: LocScaleRest): NDArray =>
    ofScale("gumbelL.cdf", x, rest, (z) => np.negative(np.expm1(np.negative(np.exp(z))))),
  { numbers: "inputs" },
);

/** The logarithm of the distribution function. @example scipy.stats.gumbelL.logcdf(0.5, 1, 2) // -0.6142548 */
export const logcdf = /* @__PURE__ */ unit(
  "logcdf",
  3,
  (x: ArrayLike, ...rest: LocScaleRest): NDArray => ofScale("gumbelL.logcdf", x, rest, (z) => log1mexp(np.exp(z))),
  { numbers: "inputs" },
);

/** The survival function 1 − cdf. @example scipy.stats.gumbelL.sf(0.5, 1, 2) // 0.45895607 */
export const sf = /* @__PURE__ */ unit(
  "sf",
  3,
  (x: ArrayLike, ...rest: LocScaleRest): NDArray => np.exp(logsfOf("gumbelL.sf", x, ...rest)),
  { numbers: "inputs" },
);

const logsfOf = (name: string, x: ArrayLike, ...rest: LocScaleRest): NDArray =>
  ofScale(name, x, rest, (z) => np.negative(np.exp(z)));

/** The logarithm of the survival function. @example scipy.stats.gumbelL.logsf(0.5, 1, 2) // -0.77880078 */
export const logsf = /* @__PURE__ */ unit(
  "logsf",
  3,
  (x: ArrayLike, ...rest: LocScaleRest): NDArray => logsfOf("gumbelL.logsf", x, ...rest),
  { numbers: "inputs" },
);

/** The inverse of cdf, NaN unless 0 < p < 1. @example scipy.stats.gumbelL.ppf(0.25, 1, 2) // -1.4917986 */
export const ppf = /* @__PURE__ */ unit(
  "ppf",
  3,
  function ppf(p: ArrayLike, ...rest: LocScaleRest): NDArray {
    const [q, loc, scale] = scaled("gumbelL.ppf", [p], rest);
    const inside = np.logicalAnd(np.greater(q, 0), np.less(q, 1));
    const safe = np.where(inside, q, 0.5);
    const z = np.log(np.negative(np.log1p(np.negative(safe))));
    return np.where(inside, placed(z, loc, scale), NaN);
  },
  { numbers: "inputs" },
);
