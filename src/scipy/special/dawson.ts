/** Dawson's integral and the scaled complementary error function: e^(∓x²) times what they are integrals of. */
import type { ArrayLike } from "../../core/arrayMethods.ts";
import type { NDArray } from "../../core/ndarray.ts";
import { erfcSeries } from "../../lax/specialMath.ts";
import * as np from "../../numpy/index.ts";
import { elementwise, inComputeType, steps } from "../operands.ts";
import { type Series, chebyshev, from } from "./chebyshev.ts";
import { dawsonEdge, dawsonFar, dawsonNear } from "./dawsonSeries.ts";
import { polynomial } from "../../lax/polynomial.ts";

// ---------------------------------------------------------------- Dawson's integral

/** 2x F(x) − 1 for x from the edge on, by its square's reciprocal. */
function farExcess(square: NDArray): NDArray {
  const inverse = np.divide(1, square);
  return np.multiply(inverse, chebyshev(dawsonFar, from(inverse, dawsonEdge ** -2)));
}

/** x and x² where x is near and where it is far; harmless numbers elsewhere. */
function nearAndFar(x: NDArray) {
  const near = np.less(np.abs(x), dawsonEdge);
  return { near, inside: np.where(near, x, 0), outside: np.where(near, dawsonEdge, x) };
}

const dawsonIntegral = /* @__PURE__ */ elementwise(
  "dawsn",
  /* @__PURE__ */ inComputeType((x) => {
    const { near, inside, outside } = nearAndFar(x);
    const square = np.square(inside);
    const central = np.divide(chebyshev(dawsonNear, from(square, dawsonEdge ** 2)), np.add(1, np.multiply(2, square)));
    const tail = np.divide(np.multiply(0.5, np.add(1, farExcess(np.square(outside)))), outside);
    return np.where(near, np.multiply(inside, central), tail);
  }),
  // F' = 1 − 2x F (DLMF 7.2.5), which cancels for large x.
  (g, y, x) => {
    const { near, inside, outside } = nearAndFar(x);
    const central = np.subtract(1, np.multiply(2, np.multiply(inside, y)));
    return np.multiply(g, np.where(near, central, np.negative(farExcess(np.square(outside)))));
  },
);
/**
 * Dawson's integral e^(−x²) ∫ e^(t²) dt from 0 to x.
 *
 * @example
 * scipy.special.dawsn(np.array([0, 1, Infinity])) // [0, 0.53807950, 0]
 */
export const dawsn = (x: ArrayLike): NDArray => dawsonIntegral(x);

// ---------------------------------------------------------------- erfcx

/** e^(scale · x²) for |x| below 200, with x split into a part whose square is exact and the rest: the exponent is large. */
export function gaussian(scale: number, x: NDArray): NDArray {
  const high = np.divide(np.round(np.multiply(x, 16)), 16);
  const rest = np.multiply(np.subtract(x, high), np.add(x, high));
  return np.multiply(np.exp(np.multiply(scale, np.square(high))), np.exp(np.multiply(scale, rest)));
}

/** The series of `lax/specialMath.ts` has its first coefficient halved. */
const scaledSeries = (): Series => ({ single: 14, coefficients: [0.5 * erfcSeries[0]!, ...erfcSeries.slice(1)] });

/** Where the derivative has an asymptotic series, and how many terms that needs. */
const asymptoticFrom = (x: NDArray): number => steps(x, 5, 10);
const asymptoticTerms = (x: NDArray): number => steps(x, 10, 24);

/** erfcx for x ≥ 0, of float32 or float64. */
export function positiveErfcx(x: NDArray): NDArray {
  const t = np.divide(2, np.add(x, 2));
  return np.multiply(t, np.exp(chebyshev(scaledSeries(), np.subtract(np.multiply(t, 2), 1))));
}

const scaledErfc = /* @__PURE__ */ elementwise(
  "erfcx",
  /* @__PURE__ */ inComputeType((x) => {
    const right = positiveErfcx(np.abs(x));
    const negative = np.less(x, 0);
    const below = np.maximum(np.where(negative, x, 0), -30);
    return np.where(negative, np.subtract(np.multiply(2, gaussian(1, below)), right), right);
  }),
  // 2x erfcx(x) − 2/√π, of which for large x is left 2/√π Σ (−1)^k (2k − 1)!! / (2x²)^k, k ≥ 1 (DLMF 7.12.1).
  (g, y, x) => {
    const large = np.greater(x, asymptoticFrom(x));
    const inside = np.where(large, 0, x);
    const coefficients = [0];
    let term = 1;
    for (let k = 1; k <= asymptoticTerms(x); k++) coefficients.push((term *= -(k - 0.5)));
    const inverse = np.divide(1, np.square(np.where(large, x, asymptoticFrom(x))));
    const twoOverRootPi = 2 / Math.sqrt(Math.PI);
    const near = np.subtract(np.multiply(2, np.multiply(inside, y)), twoOverRootPi);
    return np.multiply(g, np.where(large, np.multiply(twoOverRootPi, polynomial(coefficients, inverse)), near));
  },
);
/**
 * e^(x²) erfc(x), which neither overflows nor underflows for positive x.
 *
 * @example
 * scipy.special.erfcx(np.array([-1, 0, 100])) // [5.00898, 1, 0.0056416139]
 */
export const erfcx = (x: ArrayLike): NDArray => scaledErfc(x);
