/** `scipy.stats.uniform`: the uniform distribution between `loc` and `loc` + `scale`. */
import type { ArrayLike } from "../../core/arrayMethods.ts";
import type { NDArray } from "../../core/ndarray.ts";
import * as np from "../../numpy/index.ts";
import { type LocScaleRest, ofShare, placed, scaled, standardized } from "./arguments.ts";
import { unit } from "../../core/unit.ts";

/** The density. @example scipy.stats.uniform.pdf(1.5, 1, 2) // 0.5 */
export const pdf = /* @__PURE__ */ unit(
  "pdf",
  3,
  (x: ArrayLike, ...rest: LocScaleRest): NDArray => np.exp(logpdfOf("uniform.pdf", x, ...rest)),
  { numbers: "inputs" },
);

function logpdfOf(name: string, x: ArrayLike, ...rest: LocScaleRest): NDArray {
  const [a, loc, scale] = scaled(name, [x], rest);
  const outside = np.logicalOr(np.less(a, loc), np.greater(a, np.add(loc, scale)));
  return np.where(outside, -Infinity, np.negative(np.log(scale)));
}

/** The logarithm of the density. @example scipy.stats.uniform.logpdf(1.5, 1, 2) // -0.69314718 */
export const logpdf = /* @__PURE__ */ unit(
  "logpdf",
  3,
  (x: ArrayLike, ...rest: LocScaleRest): NDArray => logpdfOf("uniform.logpdf", x, ...rest),
  { numbers: "inputs" },
);

/** The distribution function. @example scipy.stats.uniform.cdf(1.5, 1, 2) // 0.25 */
export const cdf = /* @__PURE__ */ unit(
  "cdf",
  3,
  function cdf(x: ArrayLike, ...rest: LocScaleRest): NDArray {
    const [a, loc, scale] = scaled("uniform.cdf", [x], rest);
    const above = np.greater(a, np.add(loc, scale));
    return np.where(np.less(a, loc), 0, np.where(above, 1, standardized(a, loc, scale)));
  },
  { numbers: "inputs" },
);

/** The inverse of cdf. @example scipy.stats.uniform.ppf(0.25, 1, 2) // 1.5 */
export const ppf = /* @__PURE__ */ unit(
  "ppf",
  3,
  function ppf(q: ArrayLike, ...rest: LocScaleRest): NDArray {
    const [p, loc, scale] = scaled("uniform.ppf", [q], rest);
    return ofShare(p, (r) => placed(r, loc, scale));
  },
  { numbers: "inputs" },
);
