/** `scipy.stats.nbinom`: the number of failures before the n-th success, each of probability `p`. */
import type { ArrayLike } from "../../core/arrayMethods.ts";
import type { NDArray } from "../../core/ndarray.ts";
import * as np from "../../numpy/index.ts";
import { betaln, xlog1py, xlogy } from "../special/index.ts";
import { type LocRest, located } from "./arguments.ts";
import { unit } from "../../core/unit.ts";

/** The probability. @example scipy.stats.nbinom.pmf(3, 2, 0.3) // 0.12348 */
export const pmf = /* @__PURE__ */ unit(
  "pmf",
  4,
  (k: ArrayLike, n: ArrayLike, p: ArrayLike, ...rest: LocRest): NDArray =>
    np.exp(logpmfOf("nbinom.pmf", k, n, p, ...rest)),
  { numbers: "inputs" },
);

function logpmfOf(name: string, k: ArrayLike, n: ArrayLike, p: ArrayLike, ...rest: LocRest): NDArray {
  const [v, m, q, loc] = located(name, [k, n, p], rest);
  const y = np.subtract(v, loc);
  const outside = np.less(y, 0);
  const x = np.where(outside, 0, y);
  // Γ(x + n) / (Γ(n) x!) = 1 / ((x + n) B(n, x + 1)).
  const ways = np.negative(np.add(np.log(np.add(x, m)), betaln(m, np.add(x, 1))));
  const kernel = np.add(xlogy(m, q), xlog1py(x, np.negative(q)));
  return np.where(outside, -Infinity, np.add(ways, kernel));
}

/** The logarithm of the probability. @example scipy.stats.nbinom.logpmf(3, 2, 0.3) // -2.0916761 */
export const logpmf = /* @__PURE__ */ unit(
  "logpmf",
  4,
  (k: ArrayLike, n: ArrayLike, p: ArrayLike, ...rest: LocRest): NDArray => logpmfOf("nbinom.logpmf", k, n, p, ...rest),
  { numbers: "inputs" },
);
