/**
 * Integrals of oscillating functions: Fresnel's, and those of sine and cosine. Near zero they are series; far from it,
 * smooth functions f and g times sine and cosine.
 */
import type { ArrayLike } from "../../core/arrayMethods.ts";
import type { NDArray } from "../../core/ndarray.ts";
import { eulerGamma } from "../../lax/incompleteMath.ts";
import * as lax from "../../lax/index.ts";
import * as np from "../../numpy/index.ts";
import { type CustomJvpFunction, customJvp } from "../../transforms/customJvp.ts";
import { unit } from "../../core/unit.ts";
import { floats, inComputeType, steps } from "../operands.ts";
import { chebyshev, from } from "./chebyshev.ts";
import * as series from "./integralSeries.ts";

type Pair = [NDArray, NDArray];

/** One of two results: each is computed with the other, and what nobody reads is never run. */
const each = (f: (x: NDArray) => Pair, x: NDArray): Pair =>
  [0, 1].map((i) => inComputeType((y) => f(y)[i as 0 | 1])(x)) as Pair;

/** A function with two results and their derivatives, which may need the function's own operand only. */
function pairOf(name: string, f: (x: NDArray) => Pair, slopes: (x: NDArray) => Pair) {
  const named = Object.defineProperty((x: NDArray) => each(f, x), "name", { value: name });
  const g = customJvp(named) as unknown as CustomJvpFunction<[NDArray], Pair>;
  g.defjvp(([x]: [NDArray], [dx]: [NDArray]) => {
    const [a, b] = slopes(x);
    return [g(x), [np.multiply(a, dx), np.multiply(b, dx)]];
  });
  return g;
}

// ---------------------------------------------------------------- sine and cosine

function sineAndCosine(x: NDArray): Pair {
  const size = np.abs(x);
  const near = np.less(size, series.sineEdge);
  const inside = np.where(near, size, 0);
  const square = np.square(inside);
  const u = from(square, series.sineEdge ** 2);
  const logarithm = np.log(np.where(near, size, 1));
  const nearSine = np.multiply(inside, chebyshev(series.sineNear, u));
  const nearCosine = np.add(np.add(logarithm, eulerGamma), np.multiply(square, chebyshev(series.cosineNear, u)));

  const infinite = np.equal(size, Infinity);
  const outside = np.where(np.logicalOr(near, infinite), series.sineEdge, size);
  const inverse = np.divide(1, np.square(outside));
  const v = from(inverse, series.sineEdge ** -2);
  const f = np.divide(chebyshev(series.integralF, v), outside);
  const g = np.multiply(chebyshev(series.integralG, v), inverse);
  const [sin, cos] = [np.sin(outside), np.cos(outside)];
  // DLMF 6.2.19 and 6.2.20.
  const farSine = np.subtract(Math.PI / 2, np.add(np.multiply(f, cos), np.multiply(g, sin)));
  const farCosine = np.subtract(np.multiply(f, sin), np.multiply(g, cos));

  const sine = np.where(near, nearSine, np.where(infinite, Math.PI / 2, farSine));
  const cosine = np.where(near, nearCosine, np.where(infinite, 0, farCosine));
  const undefinedAt = np.equal(x, -Infinity);
  return [np.where(np.isnan(x), x, np.copysign(sine, x)), np.where(undefinedAt, NaN, np.where(np.isnan(x), x, cosine))];
}

const sineAndCosineIntegral = /* @__PURE__ */ pairOf("sici", sineAndCosine, (x) => {
  const small = np.less(np.abs(x), 1);
  const large = np.where(small, 1, x);
  const sine = np.where(small, np.sinc(np.divide(np.where(small, x, 0), Math.PI)), np.divide(np.sin(large), large));
  return [sine, np.divide(np.cos(x), x)];
});

/**
 * The sine integral Si(x) = ∫ sin t / t dt from 0 to x, and the cosine integral Ci(x) = γ + log |x| + ∫ (cos t − 1) / t dt.
 *
 * @returns both, in this order. Ci(−∞) is NaN.
 * @example
 * scipy.special.sici(np.array([1, Infinity])) // [[0.9460831, 1.5707963], [0.3374039, 0]]
 */
export const sici = /* @__PURE__ */ unit("sici", 1, (x: ArrayLike): [NDArray, NDArray] =>
  sineAndCosineIntegral(floats("scipy.special.sici", [x])[0]!),
);

// ---------------------------------------------------------------- Fresnel

/** Beyond this, both integrals are 1/2 in all digits. */
const farthest = (x: NDArray): number => steps(x, 1e9, 1e18);

/** y mod 4 in [0, 4), exactly. */
const modulo4 = (y: NDArray): NDArray => np.subtract(y, np.multiply(4, np.floor(np.multiply(0.25, y))));

/** sin and cos of πx²/2. x is the sum of two numbers whose products are exact; of these whole turns are dropped. */
function quadratic(x: NDArray): Pair {
  const size = np.minimum(np.abs(x), farthest(x));
  const high = x.dtype === "float64" ? lax.reducePrecision(size, 11, 25) : lax.reducePrecision(size, 8, 11);
  const low = np.subtract(size, high);
  const parts = [np.square(high), np.multiply(2, np.multiply(high, low)), np.square(low)].map(modulo4);
  // The small part last. What is left is taken about 0, where the float is finest.
  const turns = modulo4(np.add(np.add(parts[0]!, parts[1]!), parts[2]!));
  const angle = np.multiply(Math.PI / 2, np.where(np.greater(turns, 2), np.subtract(turns, 4), turns));
  return [np.sin(angle), np.cos(angle)];
}

const sineAndCosineOfSquare = /* @__PURE__ */ ((): CustomJvpFunction<[NDArray], Pair> =>
  pairOf("sineAndCosineOfSquare", quadratic, (x) => {
    const [sin, cos] = sineAndCosineOfSquare(x);
    const rate = np.multiply(Math.PI, x);
    return [np.multiply(rate, cos), np.multiply(np.negative(rate), sin)];
  }))();

function fresnelIntegrals(x: NDArray): Pair {
  const size = np.abs(x);
  const near = np.less(size, series.fresnelEdge);
  const inside = np.where(near, size, 0);
  const square = np.square(inside);
  const u = from(np.square(square), series.fresnelEdge ** 4);
  const nearSine = np.multiply(np.multiply(inside, square), chebyshev(series.fresnelS, u));
  const nearCosine = np.multiply(inside, chebyshev(series.fresnelC, u));

  const outside = np.minimum(np.where(near, series.fresnelEdge, size), farthest(x));
  const inverse = np.divide(1, outside);
  const inverseSquare = np.square(inverse);
  const v = from(np.square(inverseSquare), series.fresnelEdge ** -4);
  const f = np.multiply(np.multiply(inverse, 1 / Math.PI), chebyshev(series.fresnelF, v));
  const g = np.multiply(np.multiply(np.multiply(inverse, inverseSquare), Math.PI ** -2), chebyshev(series.fresnelG, v));
  const [sin, cos] = sineAndCosineOfSquare(outside);
  // DLMF 7.5.3 and 7.5.4.
  const farSine = np.subtract(0.5, np.add(np.multiply(f, cos), np.multiply(g, sin)));
  const farCosine = np.add(0.5, np.subtract(np.multiply(f, sin), np.multiply(g, cos)));
  const odd = (y: NDArray): NDArray => np.where(np.isnan(x), x, np.copysign(y, x));
  return [odd(np.where(near, nearSine, farSine)), odd(np.where(near, nearCosine, farCosine))];
}

const fresnelPair = /* @__PURE__ */ pairOf("fresnel", fresnelIntegrals, (x) => sineAndCosineOfSquare(x));

/**
 * Fresnel's integrals S(x) = ∫ sin(πt²/2) dt and C(x) = ∫ cos(πt²/2) dt from 0 to x.
 *
 * @returns both, in this order.
 * @example
 * scipy.special.fresnel(np.array([1, Infinity])) // [[0.43825915, 0.5], [0.7798934, 0.5]]
 */
export const fresnel = /* @__PURE__ */ unit("fresnel", 1, (x: ArrayLike): [NDArray, NDArray] =>
  fresnelPair(floats("scipy.special.fresnel", [x])[0]!),
);
