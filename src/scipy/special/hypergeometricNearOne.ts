/**
 * Gauss's function for arguments near 1: its series in w = 1 − z. There are two, with gamma functions of D = C − A − B and
 * −D in front, whose poles at whole D cancel (DLMF 15.8.4 and 15.8.10). Here they are added term by term, for D = m + ε with
 * whole m and |ε| ≤ 1/2, as differences of exponentials divided by ε; for ε = 0 logarithms and digamma functions remain. (The
 * idea is that of Forrey, "Computing the hypergeometric function", 1997.)
 */
import type { NDArray } from "../../core/ndarray.ts";
import { range } from "../../core/shape.ts";
import { convert } from "../../core/structural.ts";
import * as lax from "../../lax/index.ts";
import * as np from "../../numpy/index.ts";
import { steps } from "../operands.ts";
import { gammasgn } from "./gamma.ts";
import { gammaQuotient, isPole, scaledBy } from "./hypergeometricSeries.ts";

/** Gauss and Legendre's rule of 4 points on [0, 1]: nodes and weights. */
const rule = [
  [0.06943184420297371, 0.17392742256872692],
  [0.33000947820757187, 0.32607257743127307],
  [0.66999052179242813, 0.32607257743127307],
  [0.93056815579702629, 0.17392742256872692],
] as const;

/** ε, and ε where dividing by it is safe. */
interface Step {
  readonly epsilon: NDArray;
  readonly safe: NDArray;
  readonly tiny: NDArray;
}
const stepOf = (epsilon: NDArray, limit: number): Step => {
  const tiny = np.less(np.abs(epsilon), limit);
  return { epsilon, safe: np.where(tiny, 1, epsilon), tiny };
};

const limitOf = (x: NDArray): number => steps(x, 1e-7, 1e-15);

/** log |1 + ε/x| / ε, and 1/x for ε = 0. */
function logarithmRate(x: NDArray, { epsilon, safe, tiny }: Step): NDArray {
  const ratio = np.divide(epsilon, x);
  const crosses = np.less(ratio, -0.75);
  const log = np.where(crosses, np.log(np.abs(np.add(1, ratio))), np.log1p(np.where(crosses, 0, ratio)));
  return np.where(tiny, np.divide(1, x), np.divide(log, safe));
}

/**
 * (log |Γ(x + ε)| − log |Γ(x)|) / ε of several x and ε at once: the mean of digamma between, if no pole is near; it is taken
 * some steps further.
 */
function gammaRates(pairs: readonly (readonly [NDArray, Step])[]): NDArray[] {
  const x = np.stack(pairs.map(([y]) => y));
  const step = stepOf(np.stack(pairs.map(([, { epsilon }]) => epsilon)), limitOf(x));
  const { epsilon, safe, tiny } = step;
  const regular = np.greater(x, 0.25);
  const lift = steps(x, 2, 8);
  const y = np.add(np.where(regular, x, 1), lift);
  const between = lax.map(lax.digamma, np.stack(rule.map(([t]) => np.add(y, np.multiply(t, epsilon)))));
  let lifted: NDArray = rule
    .map(([, weight], i) => np.multiply(weight, between.slice(i)))
    .reduce((a, b) => np.add(a, b));
  for (let k = 1; k <= lift; k++) lifted = np.subtract(lifted, logarithmRate(np.subtract(y, k), step));
  const elsewhere = np.where(isPole(x), 1, x);
  const logs = lax.map(lax.lgamma, np.stack([np.add(elsewhere, epsilon), elsewhere]));
  const difference = np.subtract(logs.slice(0), logs.slice(1));
  const direct = np.where(tiny, lax.digamma(elsewhere), np.divide(difference, safe));
  const rates = np.where(regular, lifted, direct);
  return pairs.map((_, i) => rates.slice(i));
}

/** The sign of 1 + ε/x. */
const signOf = (x: NDArray, { epsilon }: Step): NDArray =>
  np.where(np.less(np.multiply(np.add(x, epsilon), x), 0), np.fullLike(x, -1), 1);

/** F(a, b; c; 1 − w) for 0 < w ≤ 0.1, where the excess c − a − b is not negative and below 5. */
export function nearOne([a, b, c]: readonly [NDArray, NDArray, NDArray], excess: NDArray, w: NDArray): NDArray {
  const m = np.round(excess);
  const forward = stepOf(np.subtract(excess, m), limitOf(w));
  const backward: Step = { ...forward, epsilon: np.negative(forward.epsilon), safe: np.negative(forward.safe) };
  const { epsilon } = forward;

  // Γ(c) / (Γ(a + D) Γ(b + D)) Σ (a)_k (b)_k Γ(D − k) (−w)^k / k! over k < m.
  const [aD, bD] = [np.add(a, excess), np.add(b, excess)];
  const count = range(5);
  const offsets = np.stack(count.map((k) => np.where(np.less(k, m), np.subtract(excess, k), 1)));
  const gammas = np.exp(lax.map(lax.lgamma, offsets));
  let finite: NDArray = np.zerosLike(w);
  let power: NDArray = np.onesLike(w);
  for (const k of count) {
    finite = np.add(finite, np.where(np.less(k, m), np.multiply(power, gammas.slice(k)), 0));
    const ratio = np.multiply(np.multiply(np.add(a, k), np.add(b, k)), -1 / (k + 1));
    power = np.multiply(power, np.multiply(ratio, w));
  }
  const regular = np.multiply(scaledBy(gammaQuotient([c], [aD, bD]), np.zerosLike(w)), finite);

  // (−w)^m Γ(c) Γ(a + m) Γ(b + m) / (Γ(a) Γ(b) Γ(a + D) Γ(b + D)) times the sum over j of
  // w^j (a + m)_j (b + m)_j / ((m + j)! j!) · π / sin πε · (j! / Γ(1 + j − ε) − w^ε R), where R is the quotient of
  // Γ(a + m + j + ε) Γ(b + m + j + ε) / Γ(1 + m + j + ε) at ε and at 0.
  const [p, q, r] = [np.add(a, m), np.add(b, m), np.add(1, m)];
  const one = np.onesLike(w);
  type State = readonly [term: NDArray, sign: NDArray, left: NDArray, right: NDArray, sum: NDArray];
  const [rateP, rateQ, rateR, rateOne] = gammaRates([
    [p, forward],
    [q, forward],
    [r, forward],
    [one, backward],
  ]) as [NDArray, NDArray, NDArray, NDArray];
  const start: State = [
    np.exp(np.negative(lax.lgamma(r))),
    [p, q].map((x) => np.multiply(gammasgn(x), gammasgn(np.add(x, epsilon)))).reduce((x, y) => np.multiply(x, y)),
    rateOne,
    np.add(np.log(w), np.subtract(np.add(rateP, rateQ), rateR)),
    np.zerosLike(w),
  ];
  /** (s e^(εx) − 1) / ε */
  const rateOf = (x: NDArray, sign: NDArray): NDArray => {
    const grown = np.where(
      np.less(sign, 0),
      np.subtract(-1, np.exp(np.multiply(epsilon, x))),
      np.expm1(np.multiply(epsilon, x)),
    );
    return np.where(forward.tiny, x, np.divide(grown, forward.safe));
  };
  const [, , , , sum] = lax.foriLoop(
    0,
    steps(w, 30, 60),
    (i: NDArray, [term, sign, left, right, total]: State): State => {
      const j = convert(i, w.dtype);
      const [u, v, s, t] = [np.add(p, j), np.add(q, j), np.add(r, j), np.add(1, j)];
      const bracket = np.subtract(rateOf(left, one), rateOf(right, sign));
      const next = np.multiply(np.multiply(term, w), np.multiply(np.divide(u, t), np.divide(v, s)));
      const grown = np.add(logarithmRate(u, forward), logarithmRate(v, forward));
      return [
        next,
        np.multiply(sign, np.multiply(signOf(u, forward), signOf(v, forward))),
        np.add(left, logarithmRate(t, backward)),
        np.add(right, np.subtract(grown, logarithmRate(s, forward))),
        np.add(total, np.multiply(term, bracket)),
      ];
    },
    start,
  );
  const turns = np.where(
    forward.tiny,
    1,
    np.divide(np.multiply(Math.PI, forward.safe), np.sin(np.multiply(Math.PI, forward.safe))),
  );
  const odd = np.notEqual(np.mod(m, 2), 0);
  const quotient = gammaQuotient([c, p, q], [a, b, aD, bD]);
  const factor = np.multiply(scaledBy(quotient, np.multiply(m, np.log(w))), np.where(odd, np.negative(turns), turns));
  return np.add(regular, np.multiply(factor, sum));
}
