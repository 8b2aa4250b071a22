/** Spence's function, and Bernoulli's numbers of which its series is made. */
import type { ArrayLike } from "../../core/arrayMethods.ts";
import type { NDArray } from "../../core/ndarray.ts";
import { ArgumentError } from "../../core/problem.ts";
import { range } from "../../core/shape.ts";
import { integer } from "../../numpy/arguments.ts";
import * as np from "../../numpy/index.ts";
import { elementwise } from "../operands.ts";
import { polynomial } from "../../lax/polynomial.ts";

const firstNumbers = [1, -1 / 2, 1 / 6, 0, -1 / 30, 0, 1 / 42, 0, -1 / 30, 0, 5 / 66, 0, -691 / 2730, 0, 7 / 6];

/** B(0) … B(n): from the table, then |B(m)| = 2 m! ζ(m) / (2π)^m (DLMF 25.6.2), where a few terms of ζ are enough. */
function bernoulliNumbers(n: number): number[] {
  const numbers = firstNumbers.slice(0, n + 1);
  let factor = 2;
  for (let m = 1; m <= n; m++) {
    factor *= m / (2 * Math.PI);
    if (m < firstNumbers.length) continue;
    const zeta = range(10).reduce((sum, k) => sum + (k + 1) ** -m, 0);
    numbers.push(m % 2 === 1 ? 0 : (m % 4 === 0 ? -1 : 1) * factor * zeta);
  }
  return numbers;
}

/** Bernoulli's numbers B(0) … B(n), with B(1) = −1/2. @example scipy.special.bernoulli(4) // [1, -0.5, 0.16666667, 0, -0.033333335] */
export function bernoulli(n: number): NDArray {
  const last = integer("scipy.special.bernoulli", "n", n);
  if (last < 0)
    throw new ArgumentError("NegativeCount", {
      what: `scipy.special.bernoulli: n is ${last}`,
      why: "the numbers are counted from 0",
      fix: "pass a whole number from 0",
    });
  return np.array(bernoulliNumbers(last));
}

/**
 * Of y in [1/2, 2] with u = −log y: u − u²/4 + Σ B(2k) u^(2k + 1) / (2k + 1)!, the dilogarithm of 1 − e^−u (Lewin,
 * "Polylogarithms and associated functions", 1981, 1.9).
 */
function core(y: NDArray): NDArray {
  const u = np.negative(np.log(y));
  const numbers = bernoulliNumbers(18);
  let factorial = 1;
  const coefficients: number[] = [];
  for (let k = 1; k <= (y.dtype === "float64" ? 9 : 5); k++) {
    factorial *= 2 * k * (2 * k + 1);
    coefficients.push(numbers[2 * k]! / factorial);
  }
  const square = np.square(u);
  const odd = np.multiply(u, np.multiply(square, polynomial(coefficients, square)));
  return np.add(np.subtract(u, np.multiply(0.25, square)), odd);
}

const dilogarithm = /* @__PURE__ */ elementwise(
  "spence",
  (x) => {
    const small = np.less(x, 0.5);
    const large = np.greater(x, 2);
    const inside = np.greater(x, 0);
    const safe = np.where(inside, x, 1);
    // Of z and 1 − z, and of z and 1/z, the functions add to elementary ones.
    const z = np.where(large, np.divide(1, safe), safe);
    const mirrored = np.logicalOr(small, large);
    const value = core(np.where(mirrored, np.subtract(1, z), z));
    const logs = np.multiply(np.log(z), np.log1p(np.negative(np.where(mirrored, z, 0.25))));
    const reflected = np.subtract(np.subtract(Math.PI ** 2 / 6, logs), value);
    const folded = np.where(mirrored, reflected, value);
    const result = np.where(large, np.subtract(np.multiply(-0.5, np.square(np.log(safe))), folded), folded);
    return np.where(inside, result, np.where(np.equal(x, 0), Math.PI ** 2 / 6, NaN));
  },
  (g, _, x) => {
    const one = np.equal(x, 1);
    const safe = np.where(one, 2, x);
    return np.multiply(g, np.where(one, -1, np.divide(np.log(safe), np.subtract(1, safe))));
  },
);
/** Spence's function −∫ log t / (t − 1) dt from 1 to x. @example scipy.special.spence(np.array([1, 0])) // [0, 1.6449341] */
export const spence = (x: ArrayLike): NDArray => dilogarithm(x);
