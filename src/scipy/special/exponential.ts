/** Exponential integrals. */
import type { ArrayLike } from "../../core/arrayMethods.ts";
import type { NDArray } from "../../core/ndarray.ts";
import { convert } from "../../core/structural.ts";
import { eulerGamma } from "../../lax/incompleteMath.ts";
import * as lax from "../../lax/index.ts";
import * as np from "../../numpy/index.ts";
import { type CustomJvpFunction, customJvp } from "../../transforms/customJvp.ts";
import { aligned, elementwise, inComputeType, steps } from "../operands.ts";
import { unit } from "../../core/unit.ts";
import { polynomial } from "../../lax/polynomial.ts";

/** The continued fraction for x > 1 (DLMF 8.19.17), by Lentz's method. */
function byFraction(n: NDArray, x: NDArray): NDArray {
  const b = np.add(x, n);
  const d = np.divide(1, b);
  type State = readonly [c: NDArray, d: NDArray, h: NDArray];
  const start: State = [np.fullLike(x, 1e30), d, d];
  const [, , h] = lax.foriLoop(
    1,
    steps(x, 45, 110),
    (i: NDArray, [c, d, h]: State): State => {
      const m = convert(i, x.dtype);
      const p = np.negative(np.multiply(m, np.add(n, np.subtract(m, 1))));
      const q = np.add(b, np.multiply(2, m));
      const d2 = np.divide(1, np.add(np.multiply(p, d), q));
      const c2 = np.add(q, np.divide(p, c));
      return [c2, d2, np.multiply(h, np.multiply(c2, d2))];
    },
    start,
  );
  return np.multiply(h, np.exp(np.negative(x)));
}

/** The series for 0 < x ≤ 1 and n ≥ 1 (DLMF 8.19.8). */
function bySeries(n: NDArray, x: NDArray): NDArray {
  const before = np.subtract(n, 1);
  const one = np.equal(before, 0);
  const logarithm = np.subtract(lax.digamma(n), np.log(x));
  const first = np.where(one, logarithm, np.divide(1, np.where(one, 1, before)));
  type State = readonly [factor: NDArray, sum: NDArray];
  const start: State = [np.onesLike(x), first];
  const [, sum] = lax.foriLoop(
    1,
    steps(x, 13, 22),
    (i: NDArray, [factor, sum]: State): State => {
      const m = convert(i, x.dtype);
      const next = np.negative(np.multiply(factor, np.divide(x, m)));
      const here = np.equal(m, before);
      const weight = np.where(here, logarithm, np.divide(-1, np.where(here, 1, np.subtract(m, before))));
      return [next, np.add(sum, np.multiply(next, weight))];
    },
    start,
  );
  return sum;
}

const integral = /* @__PURE__ */ inComputeType((n, x) => {
  const large = np.greater(x, 1);
  const positive = np.greater(x, 0);
  const order = np.maximum(n, 1);
  const fraction = byFraction(n, np.where(large, x, 2));
  const series = bySeries(order, np.where(np.logicalAnd(positive, np.logicalNot(large)), x, 0.5));
  const general = np.where(large, fraction, series);
  const lowest = np.divide(np.exp(np.negative(x)), x);
  const ordered = np.where(np.equal(n, 0), lowest, general);
  const above = np.greater(n, 1);
  const atZero = np.where(above, np.divide(1, np.where(above, np.subtract(n, 1), 1)), Infinity);
  const inside = np.where(np.equal(x, 0), atZero, np.where(np.equal(x, Infinity), 0, ordered));
  const valid = np.logicalAnd(np.greaterEqual(x, 0), np.greaterEqual(n, 0));
  return np.where(valid, inside, NaN);
});

function makeExpn(): CustomJvpFunction<[NDArray, NDArray], NDArray> {
  const f = customJvp(function expn(n: NDArray, x: NDArray) {
    return integral(n, x);
  });
  // E_n' = −E_(n−1), and E_0' = −e^−x (1 + 1/x) / x.
  const slope = (n: NDArray, x: NDArray): NDArray => {
    const zero = np.equal(n, 0);
    const base = np.divide(np.multiply(np.exp(np.negative(x)), np.add(1, np.divide(1, x))), x);
    return np.negative(np.where(zero, base, f(np.maximum(np.subtract(n, 1), 0), x)));
  };
  f.defjvps(null, (g: NDArray, _: NDArray, n: NDArray, x: NDArray) => np.multiply(g, slope(n, x)));
  return f;
}
const exponential = /* @__PURE__ */ makeExpn();

/**
 * The exponential integral E_n(x) = ∫ e^(−xt) t^−n dt from 1 on, for x ≥ 0; NaN for negative x.
 *
 * @param n whole numbers from 0; without a derivative.
 * @example
 * scipy.special.expn(2, np.array([0, 1])) // [1, 0.14849551]
 */
export const expn = /* @__PURE__ */ unit("expn", 2, function expn(n: ArrayLike, x: ArrayLike): NDArray {
  const [order, at] = aligned("scipy.special.expn", [n, x]) as [NDArray, NDArray];
  return exponential(lax.stopGradient(order), at);
});

/** The exponential integral E_1(x) for x ≥ 0. @example scipy.special.exp1(np.array([0, 1])) // [Infinity, 0.21938393] */
export const exp1 = /* @__PURE__ */ unit(
  "exp1",
  1,
  (x: ArrayLike): NDArray => {
    const [at] = aligned("scipy.special.exp1", [x]) as [NDArray];
    return exponential(np.onesLike(at), at);
  },
  { numbers: "inputs" },
);

/** γ + log x + Σ x^k / (k k!) (DLMF 6.6.1), all of one sign for x ≥ 1. */
function risingSeries(x: NDArray): NDArray {
  type State = readonly [factor: NDArray, sum: NDArray];
  const start: State = [np.onesLike(x), np.zerosLike(x)];
  const [, sum] = lax.foriLoop(
    1,
    steps(x, 70, 140),
    (i: NDArray, [factor, sum]: State): State => {
      const m = convert(i, x.dtype);
      const next = np.multiply(factor, np.divide(x, m));
      return [next, np.add(sum, np.divide(next, m))];
    },
    start,
  );
  return np.add(np.add(np.log(x), eulerGamma), sum);
}

/** e^x / x Σ k! / x^k (DLMF 6.12.2). */
function asymptotic(x: NDArray): NDArray {
  const coefficients = [1];
  for (let k = 1; k < steps(x, 14, 36); k++) coefficients.push(coefficients[k - 1]! * k);
  // In two halves, which overflow later than the whole.
  const half = np.exp(np.multiply(0.5, x));
  return np.multiply(half, np.multiply(half, np.divide(polynomial(coefficients, np.divide(1, x)), x)));
}

const principal = /* @__PURE__ */ inComputeType((x) => {
  const limit = steps(x, 25, 45);
  const negative = np.less(x, 0);
  const far = np.greater(x, limit);
  const safe = np.where(np.logicalOr(negative, far), 1, x);
  const near = risingSeries(safe);
  const size = np.where(negative, np.negative(x), 1);
  const beyond = np.where(np.equal(x, Infinity), x, asymptotic(np.where(far, x, limit)));
  return np.where(negative, np.negative(exponential(np.onesLike(x), size)), np.where(far, beyond, near));
});

const expiAligned = /* @__PURE__ */ elementwise("expi", principal, (g, _, x) =>
  np.multiply(g, np.divide(np.exp(x), x)),
);
/** The exponential integral Ei(x), the principal value of ∫ e^t / t dt up to x. @example scipy.special.expi(np.array([-1, 1])) // [-0.21938393, 1.8951178] */
export const expi = (x: ArrayLike): NDArray => expiAligned(x);
