/** The gamma function, its logarithm and what is made of them. */
import type { ArrayLike } from "../../core/arrayMethods.ts";
import { type NDArray } from "../../core/ndarray.ts";
import { ArgumentError } from "../../core/problem.ts";
import { range } from "../../core/shape.ts";
import * as lax from "../../lax/index.ts";
import { zetaSeries } from "../../lax/specialMath.ts";
import { type Rest, given, integer } from "../../numpy/arguments.ts";
import * as np from "../../numpy/index.ts";
import { jvp } from "../../transforms/forward.ts";
import { aligned, elementwise, floats } from "../operands.ts";
import { unit } from "../../core/unit.ts";

/** log |Γ(x)|. @example scipy.special.gammaln(np.array([1, 4])) // [0, 1.7917595] */
export const gammaln = (x: ArrayLike): NDArray => lax.lgamma(floats("scipy.special.gammaln", [x])[0]!);

/** log Γ(x); NaN where Γ(x) is negative or undefined. @example scipy.special.loggamma(np.array([1, 4])) // [0, 1.7917595] */
export function loggamma(x: ArrayLike): NDArray {
  const a = floats("scipy.special.loggamma", [x])[0]!;
  const positive = np.greater(a, 0);
  return np.where(positive, lax.lgamma(np.where(positive, a, 1)), NaN);
}

/** The sign of Γ(x); NaN at its poles −1, −2, … @example scipy.special.gammasgn(np.array([3, -0.5, -1.5])) // [1, -1, 1] */
export const gammasgn = /* @__PURE__ */ unit("gammasgn", 1, function gammasgn(x: ArrayLike): NDArray {
  const a = lax.stopGradient(floats("scipy.special.gammasgn", [x])[0]!);
  const below = np.floor(a);
  const negative = np.less(a, 0);
  const pole = np.logicalOr(np.isnan(a), np.logicalAnd(negative, np.equal(a, below)));
  const odd = np.notEqual(np.mod(below, 2), 0);
  const minusZero = np.logicalAnd(np.equal(a, 0), np.signbit(a));
  const sign = np.where(np.logicalOr(np.logicalAnd(negative, odd), minusZero), np.fullLike(a, -1), 1);
  return np.where(pole, NaN, sign);
});

/** The gamma function. @example scipy.special.gamma(np.array([1, 5, 0.5])) // [1, 24, 1.7724539] */
export const gamma = /* @__PURE__ */ unit(
  "gamma",
  1,
  function gamma(x: ArrayLike): NDArray {
    const a = floats("scipy.special.gamma", [x])[0]!;
    return np.multiply(gammasgn(a), np.exp(lax.lgamma(a)));
  },
  { numbers: "inputs" },
);

/** The logarithmic derivative of Γ; NaN at its poles 0, −1, −2, …. @example scipy.special.digamma(np.array([1])) // [-0.5772157] */
export const digamma = (x: ArrayLike): NDArray => lax.digamma(floats("scipy.special.digamma", [x])[0]!);

/**
 * The n-th derivative of digamma.
 *
 * @param n whole numbers from 0; without a derivative.
 * @example
 * scipy.special.polygamma(1, np.array([1])) // [1.6449341]
 */
export const polygamma = /* @__PURE__ */ unit("polygamma", 2, function polygamma(n: ArrayLike, x: ArrayLike): NDArray {
  const [order, at] = aligned("scipy.special.polygamma", [n, x]) as [NDArray, NDArray];
  return lax.polygamma(order, at);
});

/**
 * The regularized lower incomplete gamma function P(a, x) = ∫ t^(a − 1) e^−t dt / Γ(a) from 0 to x. It is differentiable
 * with respect to both.
 *
 * @example
 * scipy.special.gammainc(1, np.array([0, 1])) // [0, 0.6321206]
 */
export const gammainc = /* @__PURE__ */ unit(
  "gammainc",
  2,
  function gammainc(a: ArrayLike, x: ArrayLike): NDArray {
    const [p, q] = aligned("scipy.special.gammainc", [a, x]) as [NDArray, NDArray];
    return lax.igamma(p, q);
  },
  { numbers: "inputs" },
);

/** The regularized upper one, 1 − P(a, x). @example scipy.special.gammaincc(1, np.array([0, 1])) // [1, 0.36787945] */
export const gammaincc = /* @__PURE__ */ unit(
  "gammaincc",
  2,
  function gammaincc(a: ArrayLike, x: ArrayLike): NDArray {
    const [p, q] = aligned("scipy.special.gammaincc", [a, x]) as [NDArray, NDArray];
    return lax.igammac(p, q);
  },
  { numbers: "inputs" },
);

export interface FactorialOptions {
  /** Only false: exact results would need integers of any size. */
  readonly exact?: boolean | undefined;
}
/** n! = Γ(n + 1), and 0 for negative n. @example scipy.special.factorial(np.array([-1, 0, 4])) // [0, 1, 24] */
export const factorial = /* @__PURE__ */ unit(
  "factorial",
  1,
  function factorial(n: ArrayLike, ...rest: Rest<[boolean], FactorialOptions>): NDArray {
    const { exact = false } = given<FactorialOptions>("scipy.special.factorial", ["exact"], 1, rest);
    if (exact)
      throw new ArgumentError("ExactFactorial", {
        what: "scipy.special.factorial: exact results are not supported",
        why: "there are no integers of any size",
        fix: "leave `exact` out; results are exact up to 10!, about",
      });
    const a = floats("scipy.special.factorial", [n])[0]!;
    const negative = np.less(a, 0);
    return np.where(negative, 0, np.exp(lax.lgamma(np.add(np.where(negative, 0, a), 1))));
  },
);

export interface CombOptions {
  /** Whether things may be chosen again. Default false. */
  readonly repetition?: boolean | undefined;
}
/** How many ways there are to choose k of N things. @example scipy.special.comb(5, np.array([0, 2, 6])) // [1, 10, 0] */
export const comb = /* @__PURE__ */ unit(
  "comb",
  2,
  function comb(N: ArrayLike, k: ArrayLike, ...rest: Rest<[], CombOptions>): NDArray {
    const { repetition = false } = given<CombOptions>("scipy.special.comb", ["repetition"], 0, rest);
    const [n, m] = aligned("scipy.special.comb", [N, k]) as [NDArray, NDArray];
    if (repetition) {
      const none = np.logicalAnd(np.equal(m, 0), np.greaterEqual(n, 0));
      return np.where(none, 1, comb(np.subtract(np.add(n, m), 1), m));
    }
    const valid = np.logicalAnd(np.lessEqual(m, n), np.logicalAnd(np.greaterEqual(n, 0), np.greaterEqual(m, 0)));
    const [a, b] = [np.where(valid, n, 0), np.where(valid, m, 0)];
    const logFactorial = (x: NDArray): NDArray => lax.lgamma(np.add(x, 1));
    const logarithm = np.subtract(np.subtract(logFactorial(a), logFactorial(b)), logFactorial(np.subtract(a, b)));
    return np.where(valid, np.exp(logarithm), 0);
  },
);

/**
 * Pochhammer's symbol Γ(z + m) / Γ(z).
 *
 * @example
 * scipy.special.poch(np.array([1, 2.5]), 2) // [2, 8.75]
 */
export function poch(z: ArrayLike, m: ArrayLike): NDArray {
  return pochAligned(z, m);
}
const pochAligned = /* @__PURE__ */ elementwise(
  "poch",
  (z, m) => {
    const quotient = np.exp(np.subtract(lax.lgamma(np.add(z, m)), lax.lgamma(z)));
    return np.where(np.equal(m, 0), 1, np.multiply(np.multiply(gammasgn(np.add(z, m)), gammasgn(z)), quotient));
  },
  (g, y, z, m) => np.multiply(np.multiply(g, y), np.subtract(lax.digamma(np.add(z, m)), lax.digamma(z))),
  (g, y, z, m) => np.multiply(np.multiply(g, y), lax.digamma(np.add(z, m))),
);

/**
 * The logarithm of the multivariate gamma function: log π^(d (d − 1) / 4) Π Γ(a − j / 2) over j < d.
 *
 * @param d the dimension, a plain number.
 * @example
 * scipy.special.multigammaln(np.array([2]), 1) // [0]
 */
export const multigammaln = /* @__PURE__ */ unit(
  "multigammaln",
  1,
  function multigammaln(a: ArrayLike, d: number): NDArray {
    const dimension = integer("scipy.special.multigammaln", "the dimension d", d);
    const x = floats("scipy.special.multigammaln", [a])[0]!;
    const constant = 0.25 * dimension * (dimension - 1) * Math.log(Math.PI);
    return range(dimension).reduce<NDArray>(
      (sum, j) => np.add(sum, lax.lgamma(np.subtract(x, j / 2))),
      np.fullLike(x, constant),
    );
  },
);

// ---------------------------------------------------------------- zeta

export interface ZetaOptions {
  readonly q?: ArrayLike | null | undefined;
}
/**
 * Hurwitz's zeta function Σ (q + n)^−x over n ≥ 0. It is differentiable with respect to both.
 *
 * @param rest `q`, which JAX requires too.
 * @example
 * scipy.special.zeta(2, np.array([1, 2])) // [1.6449341, 0.6449341]
 */
export function zeta(
  x: ArrayLike,
  ...rest: readonly [] | readonly [ArrayLike | ZetaOptions | null | undefined]
): NDArray {
  const { q = null } = given<{ q: ArrayLike | null }>("scipy.special.zeta", ["q"], 1, rest);
  if (q === null)
    throw new ArgumentError("ZetaWithoutQ", {
      what: "scipy.special.zeta: q is missing",
      why: "without it Riemann's function on the whole line is meant, which is not available",
      fix: "for x > 1 pass q = 1",
    });
  return hurwitz(x, q);
}
const hurwitz = /* @__PURE__ */ elementwise(
  "zeta",
  (x, q) => lax.zeta(x, q),
  (g, _, x, q) => jvp((s: NDArray) => eulerMaclaurin(s, q), [x], [g])[1],
  (g, _, x, q) => np.multiply(g, np.multiply(np.negative(x), lax.zeta(np.add(x, 1), q))),
);

/** Euler and Maclaurin's formula with a start of N terms (Johansson, 2015, formula 5): a function to be differentiated. */
function eulerMaclaurin(s: NDArray, q: NDArray): NDArray {
  const terms = s.dtype === "float64" ? 12 : 8;
  const end = np.add(q, terms);
  const power = np.exp(np.multiply(np.negative(s), np.log(end)));
  const start = range(terms)
    .map((k) => np.exp(np.multiply(np.negative(s), np.log(np.add(q, k)))))
    .reduce((a, b) => np.add(a, b));
  let factor = np.divide(s, end);
  let tail = np.add(np.divide(factor, zetaSeries[0]!), 0.5);
  for (let k = 1; k < terms; k++) {
    const step = np.multiply(np.divide(np.add(s, 2 * k - 1), end), np.divide(np.add(s, 2 * k), end));
    factor = np.multiply(factor, step);
    tail = np.add(tail, np.divide(factor, zetaSeries[k]!));
  }
  const integral = np.divide(np.multiply(power, end), np.subtract(s, 1));
  return np.add(np.add(start, integral), np.multiply(power, tail));
}
