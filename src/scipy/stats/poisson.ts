/** `scipy.stats.poisson`: the number of rare events, `mu` on average. */
import type { ArrayLike } from "../../core/arrayMethods.ts";
import type { NDArray } from "../../core/ndarray.ts";
import * as lax from "../../lax/index.ts";
import * as np from "../../numpy/index.ts";
import { gammaincc, gammaln, xlogy } from "../special/index.ts";
import { type LocRest, located, within } from "./arguments.ts";
import { unit } from "../../core/unit.ts";

/** The probability. @example scipy.stats.poisson.pmf(3, 2.5) // 0.21376302 */
export const pmf = /* @__PURE__ */ unit(
  "pmf",
  3,
  (k: ArrayLike, mu: ArrayLike, ...rest: LocRest): NDArray => np.exp(logpmfOf("poisson.pmf", k, mu, ...rest)),
  { numbers: "inputs" },
);

const logProbability = (x: NDArray, mean: NDArray): NDArray =>
  np.subtract(np.subtract(xlogy(x, mean), gammaln(np.add(x, 1))), mean);

function logpmfOf(name: string, k: ArrayLike, mu: ArrayLike, ...rest: LocRest): NDArray {
  const [n, mean, loc] = located(name, [k, mu], rest);
  const x = np.subtract(n, loc);
  const outside = np.logicalOr(np.less(x, 0), np.notEqual(np.round(n), n));
  return within(outside, x, 0, (y) => logProbability(y, mean), -Infinity);
}

/** The logarithm of the probability; −∞ except at whole numbers. @example scipy.stats.poisson.logpmf(3, 2.5) // -1.5428873 */
export const logpmf = /* @__PURE__ */ unit(
  "logpmf",
  3,
  (k: ArrayLike, mu: ArrayLike, ...rest: LocRest): NDArray => logpmfOf("poisson.logpmf", k, mu, ...rest),
  { numbers: "inputs" },
);

/** The distribution function. @example scipy.stats.poisson.cdf(3, 2.5) // 0.75757613 */
export const cdf = /* @__PURE__ */ unit(
  "cdf",
  3,
  function cdf(k: ArrayLike, mu: ArrayLike, ...rest: LocRest): NDArray {
    const [n, mean, loc] = located("poisson.cdf", [k, mu], rest);
    const x = np.subtract(n, loc);
    return within(np.less(x, 0), x, 0, (y) => gammaincc(np.floor(np.add(y, 1)), mean), 0);
  },
  { numbers: "inputs" },
);

/** From which mean on the entropy is an expansion in 1 / mu; before, it is a sum. */
const largeMean = (mean: NDArray): number => (mean.dtype === "float64" ? 100 : 20);
/** More terms than a smaller mean has probabilities above the precision of float64. */
const terms = 250;

/**
 * The entropy in nats; `loc` only takes part in the shape (Evans and Boersma, "The entropy of a Poisson distribution",
 * 1988).
 *
 * @example
 * scipy.stats.poisson.entropy(2.5) // 1.8307266
 */
export const entropy = /* @__PURE__ */ unit(
  "entropy",
  2,
  function entropy(mu: ArrayLike, ...rest: LocRest): NDArray {
    const [mean, loc] = located("poisson.entropy", [mu], rest);
    const limit = largeMean(mean);
    const large = np.greaterEqual(mean, limit);
    const positive = np.greater(mean, 0);
    const small = lax.expandDims(np.where(np.logicalAnd(positive, np.less(mean, limit)), mean, 1), [mean.ndim]);
    const logarithms = logProbability(np.arange(terms, { dtype: mean.dtype }), small);
    const sum = np.negative(np.sum(np.multiply(np.exp(logarithms), logarithms), -1));
    const m = np.where(large, mean, limit);
    const inverse = np.divide(1, m);
    const correction = np.multiply(
      inverse,
      np.add(1 / 12, np.multiply(inverse, np.add(1 / 24, np.multiply(inverse, 19 / 360)))),
    );
    const expansion = np.subtract(np.multiply(0.5, np.log(np.multiply(2 * Math.PI * Math.E, m))), correction);
    const value = np.where(large, expansion, np.where(positive, sum, np.where(np.equal(mean, 0), 0, NaN)));
    return np.broadcastTo(value, np.broadcastShapes(mean.shape, loc.shape));
  },
  { numbers: "inputs" },
);
