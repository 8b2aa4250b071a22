/** `scipy.stats.pareto`: the Pareto distribution of exponent `b`, from `loc` + `scale` on. */
import type { ArrayLike } from "../../core/arrayMethods.ts";
import type { NDArray } from "../../core/ndarray.ts";
import { log1mexp } from "../../nn/activations.ts";
import * as np from "../../numpy/index.ts";
import { type LocScaleRest, ofShare, placed, scaled, standardized, within } from "./arguments.ts";
import { unit } from "../../core/unit.ts";

/** A function of log z where z ≥ 1, a constant below. */
function above(
  name: string,
  x: ArrayLike,
  b: ArrayLike,
  rest: LocScaleRest,
  f: (logarithm: NDArray, exponent: NDArray, scale: NDArray) => NDArray,
  other: number,
): NDArray {
  const [v, exponent, loc, scale] = scaled(name, [x, b], rest);
  const outside = np.less(v, np.add(loc, scale));
  return within(outside, standardized(v, loc, scale), 2, (z) => f(np.log(z), exponent, scale), other);
}

/** The density. @example scipy.stats.pareto.pdf(4, 1.5, 1, 2) // 0.27216553 */
export const pdf = /* @__PURE__ */ unit(
  "pdf",
  4,
  (x: ArrayLike, b: ArrayLike, ...rest: LocScaleRest): NDArray => np.exp(logpdfOf("pareto.pdf", x, b, ...rest)),
  { numbers: "inputs" },
);

const logpdfOf = (name: string, x: ArrayLike, b: ArrayLike, ...rest: LocScaleRest): NDArray => {
  const value = (l: NDArray, e: NDArray, scale: NDArray): NDArray =>
    np.subtract(np.log(np.divide(e, scale)), np.multiply(np.add(e, 1), l));
  return above(name, x, b, rest, value, -Infinity);
};

/** The logarithm of the density. @example scipy.stats.pareto.logpdf(4, 1.5, 1, 2) // -1.3013448 */
export const logpdf = /* @__PURE__ */ unit(
  "logpdf",
  4,
  (x: ArrayLike, b: ArrayLike, ...rest: LocScaleRest): NDArray => logpdfOf("pareto.logpdf", x, b, ...rest),
  { numbers: "inputs" },
);

/** The distribution function. @example scipy.stats.pareto.cdf(4, 1.5, 1, 2) // 0.45566895 */
export const cdf = /* @__PURE__ */ unit(
  "cdf",
  4,
  (x: ArrayLike, b: ArrayLike, ...rest: LocScaleRest): NDArray =>
    above("pareto.cdf", x, b, rest, (l, e) => np.negative(np.expm1(np.negative(np.multiply(e, l)))), 0),
  { numbers: "inputs" },
);

/** The logarithm of the distribution function. @example scipy.stats.pareto.logcdf(4, 1.5, 1, 2) // -0.78598873 */
export const logcdf = /* @__PURE__ */ unit(
  "logcdf",
  4,
  (x: ArrayLike, b: ArrayLike, ...rest: LocScaleRest): NDArray =>
    above("pareto.logcdf", x, b, rest, (l, e) => log1mexp(np.multiply(e, l)), -Infinity),
  { numbers: "inputs" },
);

/** The survival function 1 − cdf. @example scipy.stats.pareto.sf(4, 1.5, 1, 2) // 0.54433105 */
export const sf = /* @__PURE__ */ unit(
  "sf",
  4,
  (x: ArrayLike, b: ArrayLike, ...rest: LocScaleRest): NDArray => np.exp(logsfOf("pareto.sf", x, b, ...rest)),
  { numbers: "inputs" },
);

const logsfOf = (name: string, x: ArrayLike, b: ArrayLike, ...rest: LocScaleRest): NDArray =>
  above(name, x, b, rest, (l, e) => np.negative(np.multiply(e, l)), 0);

/** The logarithm of the survival function. @example scipy.stats.pareto.logsf(4, 1.5, 1, 2) // -0.60819766 */
export const logsf = /* @__PURE__ */ unit(
  "logsf",
  4,
  (x: ArrayLike, b: ArrayLike, ...rest: LocScaleRest): NDArray => logsfOf("pareto.logsf", x, b, ...rest),
  { numbers: "inputs" },
);

/** The inverse of cdf. @example scipy.stats.pareto.ppf(0.25, 1.5, 1, 2) // 3.4228275 */
export const ppf = /* @__PURE__ */ unit(
  "ppf",
  4,
  function ppf(q: ArrayLike, b: ArrayLike, ...rest: LocScaleRest): NDArray {
    const [p, exponent, loc, scale] = scaled("pareto.ppf", [q, b], rest);
    const ratio = (r: NDArray): NDArray => np.exp(np.negative(np.divide(np.log1p(np.negative(r)), exponent)));
    return ofShare(p, (r) => placed(ratio(r), loc, scale));
  },
  { numbers: "inputs" },
);
