/** `scipy.stats.cauchy`: the Cauchy distribution around `loc`. */
import type { ArrayLike } from "../../core/arrayMethods.ts";
import type { NDArray } from "../../core/ndarray.ts";
import * as np from "../../numpy/index.ts";
import { type LocScaleRest, placed, scaled, standardized } from "./arguments.ts";
import { unit } from "../../core/unit.ts";

/** The density. @example scipy.stats.cauchy.pdf(0.5, 1, 2) // 0.14979289 */
export const pdf = /* @__PURE__ */ unit(
  "pdf",
  3,
  (x: ArrayLike, ...rest: LocScaleRest): NDArray => np.exp(logpdfOf("cauchy.pdf", x, ...rest)),
  { numbers: "inputs" },
);

function logpdfOf(name: string, x: ArrayLike, ...rest: LocScaleRest): NDArray {
  const [a, loc, scale] = scaled(name, [x], rest);
  const z = standardized(a, loc, scale);
  return np.negative(np.add(np.log(np.multiply(Math.PI, scale)), np.log1p(np.square(z))));
}

/** The logarithm of the density. @example scipy.stats.cauchy.logpdf(0.5, 1, 2) // -1.8985017 */
export const logpdf = /* @__PURE__ */ unit(
  "logpdf",
  3,
  (x: ArrayLike, ...rest: LocScaleRest): NDArray => logpdfOf("cauchy.logpdf", x, ...rest),
  { numbers: "inputs" },
);

/** The angle under which all below z is seen, as a share of π: no cancellation in the tail. */
const below = (z: NDArray): NDArray => np.multiply(1 / Math.PI, np.arctan2(1, np.negative(z)));

function cdfOf(name: string, x: ArrayLike, ...rest: LocScaleRest): NDArray {
  const [a, loc, scale] = scaled(name, [x], rest);
  return below(standardized(a, loc, scale));
}

/** The distribution function. @example scipy.stats.cauchy.cdf(0.5, 1, 2) // 0.42202087 */
export const cdf = /* @__PURE__ */ unit(
  "cdf",
  3,
  (x: ArrayLike, ...rest: LocScaleRest): NDArray => cdfOf("cauchy.cdf", x, ...rest),
  { numbers: "inputs" },
);

/** The logarithm of the distribution function. @example scipy.stats.cauchy.logcdf(0.5, 1, 2) // -0.86270051 */
export const logcdf = /* @__PURE__ */ unit(
  "logcdf",
  3,
  (x: ArrayLike, ...rest: LocScaleRest): NDArray => np.log(cdfOf("cauchy.logcdf", x, ...rest)),
  { numbers: "inputs" },
);

function sfOf(name: string, x: ArrayLike, ...rest: LocScaleRest): NDArray {
  const [a, loc, scale] = scaled(name, [x], rest);
  return below(np.negative(standardized(a, loc, scale)));
}

/** The survival function 1 − cdf. @example scipy.stats.cauchy.sf(0.5, 1, 2) // 0.57797913 */
export const sf = /* @__PURE__ */ unit(
  "sf",
  3,
  (x: ArrayLike, ...rest: LocScaleRest): NDArray => sfOf("cauchy.sf", x, ...rest),
  { numbers: "inputs" },
);

/** The logarithm of the survival function. @example scipy.stats.cauchy.logsf(0.5, 1, 2) // -0.54821752 */
export const logsf = /* @__PURE__ */ unit(
  "logsf",
  3,
  (x: ArrayLike, ...rest: LocScaleRest): NDArray => np.log(sfOf("cauchy.logsf", x, ...rest)),
  { numbers: "inputs" },
);

/** tan π(q − 1/2), towards the ends by the cotangent of the distance from them. */
function quantile(q: NDArray): NDArray {
  const middle = np.less(np.abs(np.subtract(q, 0.5)), 0.25);
  const low = np.less(q, 0.5);
  const distance = np.where(middle, 0.25, np.where(low, q, np.subtract(1, q)));
  const tail = np.divide(1, np.tan(np.multiply(Math.PI, distance)));
  const near = np.tan(np.multiply(Math.PI, np.where(middle, np.subtract(q, 0.5), 0)));
  return np.where(middle, near, np.where(low, np.negative(tail), tail));
}

/** The inverse of cdf. @example scipy.stats.cauchy.ppf(0.25, 1, 2) // -1.0 */
export const ppf = /* @__PURE__ */ unit(
  "ppf",
  3,
  function ppf(q: ArrayLike, ...rest: LocScaleRest): NDArray {
    const [p, loc, scale] = scaled("cauchy.ppf", [q], rest);
    return placed(quantile(p), loc, scale);
  },
  { numbers: "inputs" },
);

/** The inverse of sf. @example scipy.stats.cauchy.isf(0.25, 1, 2) // 3.0 */
export const isf = /* @__PURE__ */ unit(
  "isf",
  3,
  function isf(q: ArrayLike, ...rest: LocScaleRest): NDArray {
    const [p, loc, scale] = scaled("cauchy.isf", [q], rest);
    return placed(np.negative(quantile(p)), loc, scale);
  },
  { numbers: "inputs" },
);
