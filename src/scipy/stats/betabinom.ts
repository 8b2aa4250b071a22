/** `scipy.stats.betabinom`: a binomial number whose probability is drawn from a beta distribution. */
import type { ArrayLike } from "../../core/arrayMethods.ts";
import type { NDArray } from "../../core/ndarray.ts";
import * as np from "../../numpy/index.ts";
import { betaln } from "../special/index.ts";
import { type LocRest, located } from "./arguments.ts";
import { unit } from "../../core/unit.ts";

/** The probability. @example scipy.stats.betabinom.pmf(3, 8, 2, 1.5) // 0.12193379 */
export const pmf = /* @__PURE__ */ unit(
  "pmf",
  5,
  (k: ArrayLike, n: ArrayLike, a: ArrayLike, b: ArrayLike, ...rest: LocRest): NDArray =>
    np.exp(logpmfOf("betabinom.pmf", k, n, a, b, ...rest)),
  { numbers: "inputs" },
);

function logpmfOf(name: string, k: ArrayLike, n: ArrayLike, a: ArrayLike, b: ArrayLike, ...rest: LocRest): NDArray {
  const [v, m, p, q, loc] = located(name, [k, n, a, b], rest);
  const y = np.subtract(np.floor(v), loc);
  const valid = np.logicalAnd(np.greaterEqual(m, 0), np.logicalAnd(np.greater(p, 0), np.greater(q, 0)));
  const inside = np.logicalAnd(valid, np.logicalAnd(np.greaterEqual(y, 0), np.lessEqual(y, m)));
  const x = np.where(inside, y, 0);
  const others = np.where(inside, np.subtract(m, x), 0);
  const ways = np.negative(np.add(np.log1p(np.add(x, others)), betaln(np.add(x, 1), np.add(others, 1))));
  const [s, r] = [np.where(valid, p, 1), np.where(valid, q, 1)];
  const mixed = np.subtract(betaln(np.add(x, s), np.add(others, r)), betaln(s, r));
  return np.where(valid, np.where(inside, np.add(ways, mixed), -Infinity), NaN);
}

/** The logarithm of the probability; NaN unless n ≥ 0 and a, b > 0. @example scipy.stats.betabinom.logpmf(3, 8, 2, 1.5) // -2.1042771 */
export const logpmf = /* @__PURE__ */ unit(
  "logpmf",
  5,
  (k: ArrayLike, n: ArrayLike, a: ArrayLike, b: ArrayLike, ...rest: LocRest): NDArray =>
    logpmfOf("betabinom.logpmf", k, n, a, b, ...rest),
  { numbers: "inputs" },
);
