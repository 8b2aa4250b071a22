/** `scipy.stats.geom`: the number of trials up to the first success, each of probability `p`. */
import type { ArrayLike } from "../../core/arrayMethods.ts";
import type { NDArray } from "../../core/ndarray.ts";
import * as np from "../../numpy/index.ts";
import { xlog1py } from "../special/index.ts";
import { type LocRest, located } from "./arguments.ts";
import { unit } from "../../core/unit.ts";

/** The probability. @example scipy.stats.geom.pmf(3, 0.3) // 0.147 */
export const pmf = /* @__PURE__ */ unit(
  "pmf",
  3,
  (k: ArrayLike, p: ArrayLike, ...rest: LocRest): NDArray => np.exp(logpmfOf("geom.pmf", k, p, ...rest)),
  { numbers: "inputs" },
);

function logpmfOf(name: string, k: ArrayLike, p: ArrayLike, ...rest: LocRest): NDArray {
  const [n, q, loc] = located(name, [k, p], rest);
  const x = np.subtract(n, loc);
  const value = np.add(xlog1py(np.subtract(x, 1), np.negative(q)), np.log(q));
  return np.where(np.lessEqual(x, 0), -Infinity, value);
}

/** The logarithm of the probability. @example scipy.stats.geom.logpmf(3, 0.3) // -1.9173227 */
export const logpmf = /* @__PURE__ */ unit(
  "logpmf",
  3,
  (k: ArrayLike, p: ArrayLike, ...rest: LocRest): NDArray => logpmfOf("geom.logpmf", k, p, ...rest),
  { numbers: "inputs" },
);
