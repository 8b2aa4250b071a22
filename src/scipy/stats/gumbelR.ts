/** `scipy.stats.gumbelR`: Gumbel's distribution of maxima, with mode `loc`. */
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

/** The density. @example scipy.stats.gumbelR.pdf(0.5, 1, 2) // 0.17778637 */
export const pdf = /* @__PURE__ */ unit(
  "pdf",
  3,
  (x: ArrayLike, ...rest: LocScaleRest): NDArray => np.exp(logpdfOf("gumbelR.pdf", x, ...rest)),
  { numbers: "inputs" },
);

const logpdfOf = (name: string, x: ArrayLike, ...rest: LocScaleRest): NDArray =>
  ofScale(name, x, rest, (z, scale) => np.negative(np.add(np.log(scale), np.add(z, np.exp(np.negative(z))))));

/** The logarithm of the density. @example scipy.stats.gumbelR.logpdf(0.5, 1, 2) // -1.7271726 */
export const logpdf = /* @__PURE__ */ unit(
  "logpdf",
  3,
  (x: ArrayLike, ...rest: LocScaleRest): NDArray => logpdfOf("gumbelR.logpdf", x, ...rest),
  { numbers: "inputs" },
);

/** The distribution function. @example scipy.stats.gumbelR.cdf(0.5, 1, 2) // 0.27692033 */
export const cdf = /* @__PURE__ */ unit(
  "cdf",
  3,
  (x: ArrayLike, ...rest: LocScaleRest): NDArray => np.exp(logcdfOf("gumbelR.cdf", x, ...rest)),
  { numbers: "inputs" },
);

const logcdfOf = (name: string, x: ArrayLike, ...rest: LocScaleRest): NDArray =>
  ofScale(name, x, rest, (z) => np.negative(np.exp(np.negative(z))));

/** The logarithm of the distribution function. @example scipy.stats.gumbelR.logcdf(0.5, 1, 2) // -1.2840254 */
export const logcdf = /* @__PURE__ */ unit(
  "logcdf",
  3,
  (x: ArrayLike, ...rest: LocScaleRest): NDArray => logcdfOf("gumbelR.logcdf", x, ...rest),
  { numbers: "inputs" },
);

/** The survival function 1 − cdf. @example scipy.stats.gumbelR.sf(0.5, 1, 2) // 0.72307967 */
export const sf = /* @__PURE__ */ unit(
  "sf",
  3,
  (x: ArrayLike, ...rest: LocScaleRest): NDArray =>
    ofScale("gumbelR.sf", x, rest, (z) => np.negative(np.expm1(np.negative(np.exp(np.negative(z)))))),
  { numbers: "inputs" },
);

/** The logarithm of the survival function. @example scipy.stats.gumbelR.logsf(0.5, 1, 2) // -0.32423587 */
export const logsf = /* @__PURE__ */ unit(
  "logsf",
  3,
  (x: ArrayLike, ...rest: LocScaleRest): NDArray =>
    ofScale("gumbelR.logsf", x, rest, (z) => log1mexp(np.exp(np.negative(z)))),
  { numbers: "inputs" },
);

/** The inverse of cdf, NaN unless 0 < p < 1. @example scipy.stats.gumbelR.ppf(0.25, 1, 2) // 0.34673148 */
export const ppf = /* @__PURE__ */ unit(
  "ppf",
  3,
  function ppf(p: ArrayLike, ...rest: LocScaleRest): NDArray {
    const [q, loc, scale] = scaled("gumbelR.ppf", [p], rest);
    const inside = np.logicalAnd(np.greater(q, 0), np.less(q, 1));
    const safe = np.where(inside, q, 0.5);
    const z = np.negative(np.log(np.negative(np.log(safe))));
    return np.where(inside, placed(z, loc, scale), NaN);
  },
  { numbers: "inputs" },
);
