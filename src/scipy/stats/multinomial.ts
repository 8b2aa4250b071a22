/** `scipy.stats.multinomial`: how often each of several outcomes comes in `n` trials, along the last axis. */
import type { ArrayLike } from "../../core/arrayMethods.ts";
import type { NDArray } from "../../core/ndarray.ts";
import * as np from "../../numpy/index.ts";
import { gammaln, xlogy } from "../special/index.ts";
import { floats } from "../operands.ts";
import { unit } from "../../core/unit.ts";

/** The probability. @example scipy.stats.multinomial.pmf(np.array([1, 2, 1]), 4, np.array([0.2, 0.3, 0.5])) // 0.108 */
export const pmf = /* @__PURE__ */ unit(
  "pmf",
  3,
  (x: ArrayLike, n: ArrayLike, p: ArrayLike): NDArray => np.exp(logpmfOf("multinomial.pmf", x, n, p)),
  { numbers: "inputs" },
);

function logpmfOf(name: string, x: ArrayLike, n: ArrayLike, p: ArrayLike): NDArray {
  const [counts, total, q] = floats(`scipy.stats.${name}`, [x, n, p]) as [NDArray, NDArray, NDArray];
  const terms = np.subtract(xlogy(counts, q), gammaln(np.add(counts, 1)));
  const value = np.add(gammaln(np.add(total, 1)), np.sum(terms, -1));
  return np.where(np.equal(np.sum(counts, -1), total), value, -Infinity);
}

/**
 * The logarithm of the probability; −∞ unless the counts sum to `n`.
 *
 * @param x the counts along the last axis, and `p` their probabilities.
 * @example
 * scipy.stats.multinomial.logpmf(np.array([1, 2, 1]), 4, np.array([0.2, 0.3, 0.5])) // -2.2256241
 */
export const logpmf = /* @__PURE__ */ unit(
  "logpmf",
  3,
  (x: ArrayLike, n: ArrayLike, p: ArrayLike): NDArray => logpmfOf("multinomial.logpmf", x, n, p),
  { numbers: "inputs" },
);
