/** Owen's T function (Owen, "Tables for computing bivariate normal probabilities", 1956). */
import type { ArrayLike } from "../../core/arrayMethods.ts";
import type { NDArray } from "../../core/ndarray.ts";
import { range } from "../../core/shape.ts";
import * as lax from "../../lax/index.ts";
import * as np from "../../numpy/index.ts";
import { elementwise, inComputeType, steps } from "../operands.ts";
import { gaussian, positiveErfcx } from "./dawson.ts";

/** The positive nodes of Gauss and Legendre's rule of 2n points, by Newton's method, and their weights. */
function halfRule(n: number): readonly { readonly node: number; readonly weight: number }[] {
  const degree = 2 * n;
  /** Legendre's polynomial and its derivative. */
  const legendre = (x: number): readonly [number, number] => {
    let [p, before] = [x, 1];
    for (let k = 2; k <= degree; k++) [p, before] = [((2 * k - 1) * x * p - (k - 1) * before) / k, p];
    return [p, (degree * (before - x * p)) / (1 - x * x)];
  };
  return range(n).map((i) => {
    let x = Math.cos((Math.PI * (i + 0.75)) / (degree + 0.5));
    for (let step = 0; step < 6; step++) {
      const [p, slope] = legendre(x);
      x -= p / slope;
    }
    return { node: x, weight: 2 / ((1 - x * x) * legendre(x)[1] ** 2) };
  });
}

/**
 * T(h, a) for h ≥ 0 and 0 ≤ a ≤ 1: ∫ e^(−h² (1 + t²) / 2) / (1 + t²) dt / 2π from 0 to a, where the integrand has not
 * vanished. It is even, so half of a symmetric rule serves.
 */
function byQuadrature(h: NDArray, a: NDArray): NDArray {
  const last = np.minimum(a, np.divide(steps(h, 6.5, 8.8), np.maximum(h, 1)));
  let sum: NDArray = np.zerosLike(h);
  for (const { node, weight } of halfRule(steps(h, 10, 22))) {
    const t = np.square(np.multiply(last, node));
    const integrand = np.divide(np.exp(np.multiply(np.multiply(-0.5, np.square(h)), t)), np.add(1, t));
    sum = np.add(sum, np.multiply(weight / (2 * Math.PI), integrand));
  }
  return np.multiply(np.multiply(last, gaussian(-0.5, h)), sum);
}

const owens = /* @__PURE__ */ elementwise(
  "owensT",
  /* @__PURE__ */ inComputeType((h, a) => {
    const size = np.abs(a);
    // Where T has underflowed it stays so.
    const height = np.minimum(np.abs(h), steps(h, 20, 60));
    const steep = np.greater(size, 1);
    const product = np.where(np.equal(height, 0), 0, np.multiply(height, size));
    const slope = np.where(steep, np.divide(1, np.where(steep, size, 1)), size);
    const value = byQuadrature(np.minimum(np.where(steep, product, height), steps(h, 20, 60)), slope);
    // T(h, a) + T(ah, 1/a) in normal distribution functions, in the form that does not cancel (Owen 1956, 2.3).
    const [p, q] = [np.multiply(height, Math.SQRT1_2), np.multiply(product, Math.SQRT1_2)];
    const tailP = np.multiply(positiveErfcx(p), gaussian(-0.5, height));
    const tailQ = lax.erfc(q);
    const tails = np.multiply(0.25, np.add(tailP, np.multiply(tailQ, np.subtract(1, tailP))));
    const centre = np.subtract(0.25, np.multiply(0.25, np.multiply(lax.erf(p), lax.erf(q))));
    const mirrored = np.subtract(np.where(np.less(product, 0.67), centre, tails), value);
    return np.copysign(np.where(steep, mirrored, value), a);
  }),
  // −e^(−h²/2) erf(ah/√2) / (2 √(2π)) and e^(−h² (1 + a²) / 2) / (2π (1 + a²)).
  (g, _, h, a) => {
    const bell = np.exp(np.multiply(-0.5, np.square(h)));
    const share = lax.erf(np.multiply(np.multiply(a, h), Math.SQRT1_2));
    return np.multiply(g, np.multiply(np.multiply(bell, share), -0.5 / Math.sqrt(2 * Math.PI)));
  },
  (g, _, h, a) => {
    const s = np.add(1, np.square(a));
    return np.multiply(
      g,
      np.divide(np.exp(np.multiply(np.multiply(-0.5, np.square(h)), s)), np.multiply(2 * Math.PI, s)),
    );
  },
);

/**
 * Owen's T function: ∫ e^(−h² (1 + t²) / 2) / (1 + t²) dt / 2π from 0 to a, the probability that a normal variable is above
 * h and another one between 0 and a times the first.
 *
 * @example
 * scipy.special.owensT(np.array([0, 1]), 1) // [0.125, 0.066741876]
 */
export const owensT = (h: ArrayLike, a: ArrayLike): NDArray => owens(h, a);
