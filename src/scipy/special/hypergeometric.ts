/** Kummer's confluent hypergeometric function and Gauss's hypergeometric function, of real numbers. */
import type { ArrayLike } from "../../core/arrayMethods.ts";
import type { NDArray } from "../../core/ndarray.ts";
import * as lax from "../../lax/index.ts";
import * as np from "../../numpy/index.ts";
import { customJvp } from "../../transforms/customJvp.ts";
import { jvp } from "../../transforms/forward.ts";
import { elementwise, inComputeType } from "../operands.ts";
import { nearOne } from "./hypergeometricNearOne.ts";
import { gammaQuotient, hypergeometric, isPole, scaledBy } from "./hypergeometricSeries.ts";

const not = (p: NDArray): NDArray => np.logicalNot(p);
const both = (p: NDArray, q: NDArray): NDArray => np.logicalAnd(p, q);
const either = (p: NDArray, q: NDArray): NDArray => np.logicalOr(p, q);

/**
 * A function of loops that can be differentiated in reverse: each partial derivative is found forward, as a value, and so
 * are its derivatives in turn.
 */
function foundForward(h: (...xs: NDArray[]) => NDArray): (...xs: NDArray[]) => NDArray {
  const f = customJvp((...xs: NDArray[]) => h(...xs));
  f.defjvp((xs: NDArray[], gs: NDArray[]) => {
    const partial = (i: number) =>
      foundForward((...ys) => {
        const direction = ys.map((y, j) => (i === j ? np.onesLike(y) : np.zerosLike(y)));
        return jvp(h, ys, direction)[1];
      });
    const changes = gs.map((g, i) => np.multiply(g, partial(i)(...xs)));
    return [f(...xs), changes.reduce((x, y) => np.add(x, y))];
  });
  return f;
}

/** How a parameter moves: −1, 0 or 1 everywhere. */
const rate = (x: NDArray, d: number): NDArray => np.fullLike(x, d);
// ---------------------------------------------------------------- 1F1

/** Beyond this |x| the asymptotic series serves. */
const confluentFar = 100;

/** M(a, b, x), or its derivative in the direction (da, db). */
function confluent(a: NDArray, b: NDArray, x: NDArray, direction?: readonly [number, number]): NDArray {
  const negative = np.less(x, 0);
  // Kummer: M(a, b, x) = e^x M(b − a, b, −x) (DLMF 13.2.39), where terms of positive parameters have one sign.
  const ends = isPole(a);
  const mirrored = both(negative, not(ends));
  const p = np.where(mirrored, np.subtract(b, a), a);
  const y = np.where(mirrored, np.negative(x), x);
  const terminates = isPole(p);
  const near = either(terminates, np.less(y, confluentFar));
  const half = np.where(either(terminates, not(near)), 0, np.multiply(0.5, y));
  const [da, db] = direction ?? [0, 0];
  const dp = np.where(mirrored, rate(x, db - da), rate(x, da));
  const dq = rate(x, db);
  const moves = direction !== undefined;

  const inner = hypergeometric({ upper: [p], lower: [b] }, np.where(near, y, 0), {
    where: near,
    first: np.exp(np.negative(half)),
    ...(moves ? { direction: { upper: [dp], lower: [dq] } } : {}),
  });
  const growth = np.where(mirrored, np.subtract(half, np.where(near, y, 0)), half);
  const nearby = np.multiply(np.exp(growth), moves ? inner.slope : inner.value);

  // Γ(b) / Γ(p) e^y y^(p − b) 2F0(b − p, 1 − p; 1/y) (DLMF 13.7.1).
  const z = np.where(near, confluentFar, y);
  const outer = hypergeometric({ upper: [np.subtract(b, p), np.subtract(1, p)], lower: [] }, np.divide(1, z), {
    where: not(near),
    asymptotic: true,
    ...(moves ? { direction: { upper: [np.subtract(dq, dp), np.negative(dp)], lower: [] } } : {}),
  });
  const log = np.log(z);
  const quotient = gammaQuotient([b], [p]);
  const scale = scaledBy(quotient, np.multiply(np.subtract(p, b), log));
  const root = np.exp(np.where(mirrored, 0, np.multiply(0.5, z)));
  let series = outer.value;
  if (moves) {
    const ofScale = np.add(
      np.multiply(log, np.subtract(dp, dq)),
      np.subtract(np.multiply(lax.digamma(b), dq), np.multiply(lax.digamma(np.where(isPole(p), 1, p)), dp)),
    );
    series = np.add(outer.slope, np.multiply(outer.value, ofScale));
  }
  const distant = np.multiply(root, np.multiply(np.multiply(root, scale), series));
  return np.where(near, nearby, distant);
}

const confluentSlope = (direction: readonly [number, number]) =>
  foundForward((a, b, x) => confluent(a, b, x, direction));

const kummer = /* @__PURE__ */ elementwise(
  "hyp1f1",
  /* @__PURE__ */ inComputeType((a, b, x) => {
    const none = np.equal(a, 0);
    const value = np.where(np.equal(a, b), np.exp(x), np.where(np.equal(b, 0), Infinity, confluent(a, b, x)));
    return np.where(none, np.where(np.logicalOr(np.isnan(b), np.isnan(x)), NaN, 1), value);
  }),
  (g, _, a, b, x) => np.multiply(g, confluentSlope([1, 0])(a, b, x)),
  (g, _, a, b, x) => np.multiply(g, confluentSlope([0, 1])(a, b, x)),
  (g, _, a, b, x) => np.multiply(g, np.multiply(np.divide(a, b), kummer(np.add(a, 1), np.add(b, 1), x))),
);

/**
 * Kummer's confluent hypergeometric function Σ (a)_k / (b)_k x^k / k!. It is 1 where `a` is 0, with `b` too.
 *
 * In float32 it is inaccurate where parameters are negative or large; float64 helps.
 *
 * @example
 * scipy.special.hyp1f1(1, 2, np.array([-1, 0, 1])) // [0.63212055, 1, 1.7182819]
 */
export const hyp1f1 = (a: ArrayLike, b: ArrayLike, x: ArrayLike): NDArray => kummer(a, b, x);

// ---------------------------------------------------------------- 2F1

interface Form {
  /** A, B, C and z of the series, with 0 ≤ z < 1 and C − A − B ≥ 0 except where it ends. */
  readonly parameters: readonly [NDArray, NDArray, NDArray];
  readonly z: NDArray;
  /** 1 − z */
  readonly rest: NDArray;
  /** The function is e^exponent times the series. */
  readonly exponent: NDArray;
  /** How A, B, C and the exponent move with a, b and c. */
  readonly moved: (d: readonly [number, number, number]) => readonly [NDArray, NDArray, NDArray, NDArray];
  readonly ends: NDArray;
}

/**
 * The transformations of Pfaff and Euler (DLMF 15.8.1): of negative x the argument is x / (x − 1), and where
 * c − a − b < 0 the series of c − a and c − b converges faster.
 */
function standardForm(a: NDArray, b: NDArray, c: NDArray, x: NDArray): Form {
  const ends = either(isPole(a), isPole(b));
  const negative = both(np.less(x, 0), not(ends));
  const excess = np.subtract(np.subtract(c, a), b);
  const steep = both(both(not(negative), not(ends)), np.less(excess, 0));
  const first = np.lessEqual(a, b);
  const [low, high] = [np.where(first, a, b), np.where(first, b, a)];
  const pick = (pfaff: NDArray, euler: NDArray, plain: NDArray): NDArray =>
    np.where(negative, pfaff, np.where(steep, euler, plain));
  const rest = np.subtract(1, x);
  const log = np.log(np.where(ends, 1, rest));
  return {
    parameters: [pick(low, np.subtract(c, a), a), pick(np.subtract(c, high), np.subtract(c, b), b), c],
    z: np.where(negative, np.divide(x, np.subtract(x, 1)), x),
    rest: np.where(negative, np.divide(1, rest), rest),
    exponent: pick(np.multiply(np.negative(low), log), np.multiply(excess, log), np.zerosLike(x)),
    moved: ([da, db, dc]) => {
      const [dLow, dHigh] = [np.where(first, rate(x, da), rate(x, db)), np.where(first, rate(x, db), rate(x, da))];
      return [
        pick(dLow, rate(x, dc - da), rate(x, da)),
        pick(np.subtract(dc, dHigh), rate(x, dc - db), rate(x, db)),
        rate(x, dc),
        pick(np.multiply(np.negative(dLow), log), np.multiply(dc - da - db, log), np.zerosLike(x)),
      ];
    },
    ends,
  };
}

/** Where the series is long, and D = C − A − B so small that its terms fall slowly. */
const slowFrom = 0.9;
const slowExcess = 4.5;

function gauss(a: NDArray, b: NDArray, c: NDArray, x: NDArray): NDArray {
  const { parameters, z, rest, exponent, ends } = standardForm(a, b, c, x);
  const [p, q, r] = parameters;
  const excess = np.subtract(np.subtract(r, p), q);
  const slow = both(both(np.greater(z, slowFrom), not(ends)), np.less(excess, slowExcess));
  const direct = hypergeometric({ upper: [p, q], lower: [r] }, np.where(slow, 0, z), { where: not(slow) }).value;
  const mirrored = nearOne([p, q, r], np.where(slow, excess, 0.5), np.where(slow, rest, 0.05));
  return np.multiply(np.exp(exponent), np.where(slow, mirrored, direct));
}

/** The derivative in the direction (da, db, dc), by the series alone. */
function gaussSlope(a: NDArray, b: NDArray, c: NDArray, x: NDArray, d: readonly [number, number, number]): NDArray {
  const { parameters, z, exponent, moved, ends } = standardForm(a, b, c, x);
  const [p, q, r] = parameters;
  const [dp, dq, dr, dExponent] = moved(d);
  const where = either(ends, np.less(z, 1));
  const { value, slope } = hypergeometric({ upper: [p, q], lower: [r] }, np.where(where, z, 0), {
    where,
    direction: { upper: [dp, dq], lower: [dr] },
  });
  const total = np.add(slope, np.multiply(value, dExponent));
  return np.where(where, np.multiply(np.exp(exponent), total), NaN);
}

const partialSlope = (direction: readonly [number, number, number]) =>
  foundForward((a, b, c, x) => gaussSlope(a, b, c, x, direction));

const hypergeometricGauss = /* @__PURE__ */ elementwise(
  "hyp2f1",
  /* @__PURE__ */ inComputeType((a, b, c, x) => {
    const unit = either(np.equal(x, 0), either(np.equal(a, 0), np.equal(b, 0)));
    const ends = either(isPole(a), isPole(b));
    const excess = np.subtract(np.subtract(c, a), b);
    const inside = either(ends, np.less(x, 1));
    const safe = np.where(inside, x, 0);
    const finite = both(np.equal(x, 1), np.greater(excess, 0));
    const atOne = gammaQuotient([c, np.where(finite, excess, 1)], [np.subtract(c, a), np.subtract(c, b)]);
    const edge = np.where(finite, scaledBy(atOne, np.zerosLike(x)), Infinity);
    // (1 − x)^−a where b and c are equal.
    const [sameB, sameA] = [np.equal(b, c), np.equal(a, c)];
    const binomial = np.power(np.subtract(1, np.where(np.less(x, 1), x, 0)), np.negative(np.where(sameB, a, b)));
    const simple = both(np.less(x, 1), both(either(sameA, sameB), not(ends)));
    const value = np.where(inside, np.where(simple, binomial, gauss(a, b, c, safe)), edge);
    const undefinedAt = [a, b, c, x].map((y) => np.isnan(y)).reduce(either);
    const pole = both(isPole(c), not(unit));
    return np.where(undefinedAt, NaN, np.where(unit, 1, np.where(pole, Infinity, value)));
  }),
  (g, _, a, b, c, x) => np.multiply(g, partialSlope([1, 0, 0])(a, b, c, x)),
  (g, _, a, b, c, x) => np.multiply(g, partialSlope([0, 1, 0])(a, b, c, x)),
  (g, _, a, b, c, x) => np.multiply(g, partialSlope([0, 0, 1])(a, b, c, x)),
  (g, _, a, b, c, x) => {
    const next = hypergeometricGauss(np.add(a, 1), np.add(b, 1), np.add(c, 1), x);
    return np.multiply(g, np.multiply(np.divide(np.multiply(a, b), c), next));
  },
);

/**
 * Gauss's hypergeometric function Σ (a)_k (b)_k / (c)_k x^k / k!, continued to x < −1; infinite for x > 1, except where
 * `a` or `b` is 0, −1, −2, … and it is a polynomial.
 *
 * In float32 it is inaccurate where parameters are negative or large; float64 helps.
 *
 * @example
 * scipy.special.hyp2f1(1, 1, 2, np.array([-1, 0, 0.5])) // [0.6931472, 1, 1.3862944]
 */
export const hyp2f1 = (a: ArrayLike, b: ArrayLike, c: ArrayLike, x: ArrayLike): NDArray =>
  hypergeometricGauss(a, b, c, x);
