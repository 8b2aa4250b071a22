/** `scipy.stats.bernoulli`: 1 with probability `p`, else 0. */
import type { ArrayLike } from "../../core/arrayMethods.ts";
import type { NDArray } from "../../core/ndarray.ts";
import * as np from "../../numpy/index.ts";
import { xlog1py, xlogy } from "../special/index.ts";
import { floats } from "../operands.ts";
import { type LocRest, located } from "./arguments.ts";
import { unit } from "../../core/unit.ts";

/** The probability. @example scipy.stats.bernoulli.pmf(1, 0.3) // 0.3 */
export const pmf = /* @__PURE__ */ unit(
  "pmf",
  3,
  (k: ArrayLike, p: ArrayLike, ...rest: LocRest): NDArray => np.exp(logpmfOf("bernoulli.pmf", k, p, ...rest)),
  { numbers: "inputs" },
);

function logpmfOf(name: string, k: ArrayLike, p: ArrayLike, ...rest: LocRest): NDArray {
  const [n, q, loc] = located(name, [k, p], rest);
  const x = np.subtract(n, loc);
  const outside = np.logicalOr(np.less(x, 0), np.greater(x, 1));
  return np.where(outside, -Infinity, np.add(xlogy(x, q), xlog1py(np.subtract(1, x), np.negative(q))));
}

/** The logarithm of the probability. @example scipy.stats.bernoulli.logpmf(1, 0.3) // -1.2039728 */
export const logpmf = /* @__PURE__ */ unit(
  "logpmf",
  3,
  (k: ArrayLike, p: ArrayLike, ...rest: LocRest): NDArray => logpmfOf("bernoulli.logpmf", k, p, ...rest),
  { numbers: "inputs" },
);

const isShare = (p: NDArray): NDArray => np.logicalAnd(np.greaterEqual(p, 0), np.lessEqual(p, 1));

/** The distribution function. @example scipy.stats.bernoulli.cdf(0, 0.3) // 0.7 */
export const cdf = /* @__PURE__ */ unit(
  "cdf",
  2,
  function cdf(k: ArrayLike, p: ArrayLike): NDArray {
    const [n, q] = floats("scipy.stats.bernoulli.cdf", [k, p]) as [NDArray, NDArray];
    const value = np.where(np.less(n, 0), 0, np.where(np.less(n, 1), np.subtract(1, q), 1));
    return np.where(np.logicalAnd(isShare(q), np.logicalNot(np.isnan(n))), value, NaN);
  },
  { numbers: "inputs" },
);

/** The least value whose cdf is at least q. @example scipy.stats.bernoulli.ppf(0.8, 0.3) // 1.0 */
export const ppf = /* @__PURE__ */ unit(
  "ppf",
  2,
  function ppf(q: ArrayLike, p: ArrayLike): NDArray {
    const [r, s] = floats("scipy.stats.bernoulli.ppf", [q, p]) as [NDArray, NDArray];
    const value = np.where(np.lessEqual(r, np.subtract(1, s)), 0, np.where(isShare(s), np.onesLike(r), NaN));
    return np.where(np.logicalAnd(isShare(r), isShare(s)), value, NaN);
  },
  { numbers: "inputs" },
);
