/** `scipy.stats.chi2`: the chi-squared distribution with `df` degrees of freedom. */
import type { ArrayLike } from "../../core/arrayMethods.ts";
import type { NDArray } from "../../core/ndarray.ts";
import * as np from "../../numpy/index.ts";
import { type LocScaleRest, scaled } from "./arguments.ts";
import * as gamma from "./gamma.ts";
import { unit } from "../../core/unit.ts";

/** The gamma distribution of shape df / 2 and twice the scale. */
const asGamma = (name: string, f: typeof gamma.pdf, x: ArrayLike, df: ArrayLike, rest: LocScaleRest): NDArray => {
  const [v, freedom, loc, scale] = scaled(name, [x, df], rest);
  return f(v, np.divide(freedom, 2), loc, np.multiply(scale, 2));
};

/** The density. @example scipy.stats.chi2.pdf(3, 2.5, 1, 2) // 0.14067411 */
export const pdf = /* @__PURE__ */ unit(
  "pdf",
  4,
  (x: ArrayLike, df: ArrayLike, ...rest: LocScaleRest): NDArray => asGamma("chi2.pdf", gamma.pdf, x, df, rest),
  { numbers: "inputs" },
);

/** The logarithm of the density. @example scipy.stats.chi2.logpdf(3, 2.5, 1, 2) // -1.9613093 */
export const logpdf = /* @__PURE__ */ unit(
  "logpdf",
  4,
  (x: ArrayLike, df: ArrayLike, ...rest: LocScaleRest): NDArray => asGamma("chi2.logpdf", gamma.logpdf, x, df, rest),
  { numbers: "inputs" },
);

/** The distribution function. @example scipy.stats.chi2.cdf(3, 2.5, 1, 2) // 0.28378995 */
export const cdf = /* @__PURE__ */ unit(
  "cdf",
  4,
  (x: ArrayLike, df: ArrayLike, ...rest: LocScaleRest): NDArray => asGamma("chi2.cdf", gamma.cdf, x, df, rest),
  { numbers: "inputs" },
);

/** The logarithm of the distribution function. @example scipy.stats.chi2.logcdf(3, 2.5, 1, 2) // -1.2595209 */
export const logcdf = /* @__PURE__ */ unit(
  "logcdf",
  4,
  (x: ArrayLike, df: ArrayLike, ...rest: LocScaleRest): NDArray => asGamma("chi2.logcdf", gamma.logcdf, x, df, rest),
  { numbers: "inputs" },
);

/** The survival function 1 − cdf. @example scipy.stats.chi2.sf(3, 2.5, 1, 2) // 0.71621005 */
export const sf = /* @__PURE__ */ unit(
  "sf",
  4,
  (x: ArrayLike, df: ArrayLike, ...rest: LocScaleRest): NDArray => asGamma("chi2.sf", gamma.sf, x, df, rest),
  { numbers: "inputs" },
);

/** The logarithm of the survival function. @example scipy.stats.chi2.logsf(3, 2.5, 1, 2) // -0.33378179 */
export const logsf = /* @__PURE__ */ unit(
  "logsf",
  4,
  (x: ArrayLike, df: ArrayLike, ...rest: LocScaleRest): NDArray => asGamma("chi2.logsf", gamma.logsf, x, df, rest),
  { numbers: "inputs" },
);
