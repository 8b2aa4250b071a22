/** `scipy.stats.binom`: the number of successes in `n` trials, each of probability `p`. */
import type { ArrayLike } from "../../core/arrayMethods.ts";
import type { NDArray } from "../../core/ndarray.ts";
import * as np from "../../numpy/index.ts";
import { betaln, xlog1py, xlogy } from "../special/index.ts";
import { type LocRest, located } from "./arguments.ts";
import { unit } from "../../core/unit.ts";

/** The probability. @example scipy.stats.binom.pmf(3, 8, 0.3) // 0.25412184 */
export const pmf = /* @__PURE__ */ unit(
  "pmf",
  4,
  (k: ArrayLike, n: ArrayLike, p: ArrayLike, ...rest: LocRest): NDArray =>
    np.exp(logpmfOf("binom.pmf", k, n, p, ...rest)),
  { numbers: "inputs" },
);

function logpmfOf(name: string, k: ArrayLike, n: ArrayLike, p: ArrayLike, ...rest: LocRest): NDArray {
  const [v, m, q, loc] = located(name, [k, n, p], rest);
  const y = np.subtract(v, loc);
  const inside = np.logicalAnd(np.greaterEqual(y, 0), np.less(y, np.add(m, 1)));
  const x = np.where(inside, y, 0);
  const failures = np.where(inside, np.subtract(m, x), 0);
  // The binomial coefficient is 1 / ((n + 1) B(x + 1, n − x + 1)).
  const ways = np.negative(np.add(np.log1p(np.add(x, failures)), betaln(np.add(x, 1), np.add(failures, 1))));
  const kernel = np.add(xlogy(x, q), xlog1py(failures, np.negative(q)));
  return np.where(inside, np.add(ways, kernel), -Infinity);
}

/** The logarithm of the probability. @example scipy.stats.binom.logpmf(3, 8, 0.3) // -1.3699414 */
export const logpmf = /* @__PURE__ */ unit(
  "logpmf",
  4,
  (k: ArrayLike, n: ArrayLike, p: ArrayLike, ...rest: LocRest): NDArray => logpmfOf("binom.logpmf", k, n, p, ...rest),
  { numbers: "inputs" },
);
