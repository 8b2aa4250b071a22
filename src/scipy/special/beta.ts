/** The beta function, its logarithm and its incomplete form. */
import type { ArrayLike } from "../../core/arrayMethods.ts";
import type { NDArray } from "../../core/ndarray.ts";
import { stirlingSeries } from "../../lax/incompleteMath.ts";
import * as lax from "../../lax/index.ts";
import * as np from "../../numpy/index.ts";
import { aligned, elementwise } from "../operands.ts";
import { gammasgn } from "./gamma.ts";
import { unit } from "../../core/unit.ts";
import { polynomial } from "../../lax/polynomial.ts";

/** Where Stirling's series for the larger parameter begins. */
const large = 10;

/**
 * log Γ(b) − log Γ(a + b) for b ≥ 10: of a large b the logarithms are nearly equal, so they are subtracted term by term
 * in Stirling's formula (DLMF 5.11.1).
 */
function logQuotient(a: NDArray, b: NDArray): NDArray {
  const remainder = (x: NDArray): NDArray => {
    const inverse = np.divide(1, x);
    return np.multiply(inverse, polynomial(stirlingSeries, np.square(inverse)));
  };
  const sum = np.add(a, b);
  const main = np.add(
    np.multiply(np.subtract(b, 0.5), np.log1p(np.divide(a, b))),
    np.multiply(a, np.subtract(np.log(sum), 1)),
  );
  return np.subtract(np.subtract(remainder(b), remainder(sum)), main);
}

const logBeta = /* @__PURE__ */ elementwise(
  "betaln",
  (p, q) => {
    const [a, b] = [np.minimum(p, q), np.maximum(p, q)];
    const isLarge = np.logicalAnd(np.greaterEqual(b, large), np.greaterEqual(a, 0));
    const direct = np.subtract(lax.lgamma(b), lax.lgamma(np.add(a, b)));
    const split = logQuotient(np.where(isLarge, a, 1), np.where(isLarge, b, large));
    return np.add(lax.lgamma(a), np.where(isLarge, split, direct));
  },
  (g, _, a, b) => np.multiply(g, np.subtract(lax.digamma(a), lax.digamma(np.add(a, b)))),
  (g, _, a, b) => np.multiply(g, np.subtract(lax.digamma(b), lax.digamma(np.add(a, b)))),
);

/** log |B(a, b)|, accurate for large parameters too. @example scipy.special.betaln(1, np.array([1, 4])) // [0, -1.3862944] */
export const betaln = (a: ArrayLike, b: ArrayLike): NDArray => logBeta(a, b);

/** Γ(a) Γ(b) / Γ(a + b). @example scipy.special.beta(2, np.array([1, 3])) // [0.5, 0.083333336] */
export const beta = /* @__PURE__ */ unit(
  "beta",
  2,
  function beta(a: ArrayLike, b: ArrayLike): NDArray {
    const [p, q] = aligned("scipy.special.beta", [a, b]) as [NDArray, NDArray];
    const sign = np.multiply(np.multiply(gammasgn(p), gammasgn(q)), gammasgn(np.add(p, q)));
    return np.multiply(sign, np.exp(logBeta(p, q)));
  },
  { numbers: "inputs" },
);

/**
 * The regularized incomplete beta function I(x; a, b), on [0, 1]. It is differentiable with respect to x.
 *
 * @example
 * scipy.special.betainc(1, 2, np.array([0, 0.5, 1])) // [0, 0.75, 1]
 */
export const betainc = /* @__PURE__ */ unit(
  "betainc",
  3,
  function betainc(a: ArrayLike, b: ArrayLike, x: ArrayLike): NDArray {
    const [p, q, z] = aligned("scipy.special.betainc", [a, b, x]) as [NDArray, NDArray, NDArray];
    return lax.betainc(p, q, z);
  },
  { numbers: "inputs" },
);
