/**
 * The incomplete gamma and beta functions as compositions: loops over whole arrays that end when every element has
 * converged. The formulas are those of `incompleteMath.ts`; in float32, large parameters near the maximum of the
 * integrand, where the series are long, have an asymptotic expansion instead.
 */
import type { NDArray } from "../core/ndarray.ts";
import { broadcastShapes, range } from "../core/shape.ts";
import { broadcastTo, convert } from "../core/structural.ts";
import { abs, add, div, max, min, mul, neg, reciprocal, sqrt, square, sub } from "./arithmetic.ts";
import { bitwiseAnd, bitwiseNot, bitwiseOr } from "./bitwise.ts";
import { eq, ge, gt, le, lt, ne, select } from "./compare.ts";
import { whileLoop } from "./control/loops.ts";
import { full } from "./creation.ts";
import { reducePrecision } from "./cast.ts";
import { exp, expm1, log } from "./elementary.ts";
import { eulerGamma, logGammaSeries, stirlingSeries } from "./incompleteMath.ts";
import { reduceOr } from "./reduce.ts";
import { digamma, erfc, lgamma } from "./special.ts";
import { polynomial } from "./polynomial.ts";

type Operands = readonly NDArray[];

/** Runs `f` in float32 or float64, on operands of one shape. */
export function inComputeType(args: Operands, f: (...xs: NDArray[]) => NDArray): readonly NDArray[] {
  const { dtype } = args[0]!;
  const shape = broadcastShapes(
    "incomplete",
    args.map((x) => x.shape),
  );
  const wide = dtype === "float64" ? dtype : "float32";
  return [convert(f(...args.map((x) => broadcastTo(convert(x, wide, false), shape))), dtype)];
}

const isWide = (x: NDArray): boolean => x.dtype === "float64";
const epsilonOf = (x: NDArray): number => (isWide(x) ? 2 ** -53 : 2 ** -24);
const maxSteps = (x: NDArray): number => (isWide(x) ? 100_000 : 4_000);
const isNaN = (x: NDArray): NDArray => ne(x, x);
const anywhere = (p: NDArray): NDArray => reduceOr(p, range(p.ndim));
const any = (...ps: NDArray[]): NDArray => ps.reduce((p, q) => bitwiseOr(p, q));
const all = (...ps: NDArray[]): NDArray => ps.reduce((p, q) => bitwiseAnd(p, q));
const not = bitwiseNot;
/** Not zero: what a denominator must be. */
const nonzero = (x: NDArray): NDArray => select(eq(x, 0), isWide(x) ? 1e-300 : 1e-30, x);
/** The operands where they matter, and harmless numbers elsewhere. */
const only = (where: NDArray, x: NDArray, other: number): NDArray => select(where, x, other);

// ---------------------------------------------------------------- factors

/**
 * See `incompleteMath.ts`. Small a are lifted to a + n by the recurrence of Γ: two logarithms instead of lgamma, which is long.
 */
function stirlingRemainder(a: NDArray): NDArray {
  const lift = isWide(a) ? 10 : 3;
  const small = lt(a, lift);
  const b = min(a, lift);
  const lifted = add(b, lift);
  const inverse = reciprocal(select(small, lifted, a));
  const series = mul(polynomial(stirlingSeries, square(inverse)), inverse);
  const quotients = range(lift - 1).map((i) => div(lifted, add(b, i + 1)));
  const logs = add(mul(add(b, 0.5), log(div(lifted, b))), log(quotients.reduce((x, y) => mul(x, y))));
  return add(series, select(small, sub(logs, lift), 0));
}

function logMinus(u: NDArray, onePlus: NDArray): NDArray {
  const r = div(u, add(u, 2));
  const q = square(r);
  const odd = range(isWide(u) ? 12 : 6).map((k) => 1 / (2 * k + 3));
  const near = mul(r, sub(mul(2, mul(q, polynomial(odd, q))), u));
  return select(lt(abs(u), 0.3), near, sub(log(onePlus), u));
}

/** x^a e^−x / Γ(a + 1) */
function gammaFactor(a: NDArray, x: NDArray): NDArray {
  const exponent = mul(a, logMinus(div(sub(x, a), a), div(x, a)));
  return div(exp(sub(exponent, stirlingRemainder(a))), sqrt(mul(a, 2 * Math.PI)));
}

// ---------------------------------------------------------------- series and fraction

interface Dual {
  readonly value: NDArray;
  /** The derivative with respect to `a`; the value where it was not asked for. */
  readonly slope: NDArray;
}

function lowerSeries(a: NDArray, x: NDArray, where: NDArray, slopes: boolean): Dual {
  const epsilon = epsilonOf(x);
  const one = add(mul(x, 0), 1);
  const zero = mul(x, 0);
  type State = readonly [n: number, live: NDArray, c: NDArray, sum: NDArray, dc: NDArray, slope: NDArray];
  const start: State = [0, where, one, one, zero, zero];
  const [, , , value, , slope] = whileLoop(
    ([n, live]) => bitwiseAnd(lt(n, maxSteps(x)), anywhere(live)),
    ([n, live, c, sum, dc, slope]) => {
      const m = add(n, 1);
      const below = add(a, convert(m, x.dtype));
      const t = div(x, below);
      const next = mul(c, t);
      const total = add(sum, next);
      const far = gt(next, mul(total, epsilon));
      if (!slopes) return [m, bitwiseAnd(live, far), next, total, dc, slope];
      const dNext = sub(mul(dc, t), div(next, below));
      const dTotal = add(slope, dNext);
      const still = any(far, gt(abs(dNext), mul(abs(dTotal), epsilon)));
      return [m, bitwiseAnd(live, still), next, total, dNext, dTotal];
    },
    start,
  );
  return { value, slope };
}

function upperFraction(a: NDArray, x: NDArray, where: NDArray, slopes: boolean): Dual {
  const epsilon = epsilonOf(x);
  const b0 = add(sub(x, a), 1);
  const d0 = reciprocal(nonzero(b0));
  const zero = mul(x, 0);
  type State = readonly [number, NDArray, ...NDArray[]];
  const start: State = [0, where, add(zero, isWide(x) ? 1e300 : 1e30), zero, d0, square(d0), d0, square(d0)];
  const out = whileLoop(
    ([n, live]) => bitwiseAnd(lt(n, maxSteps(x)), anywhere(live)),
    ([n, live, c, dc, d, dd, h, dh]) => {
      const m = add(n, 1);
      const i = convert(m, x.dtype);
      const p = mul(i, sub(a, i));
      const b = add(b0, mul(i, 2));
      const d2 = reciprocal(nonzero(add(mul(p, d!), b)));
      const c2 = nonzero(add(b, div(p, c!)));
      const ratio = mul(c2, d2);
      const h2 = mul(h!, ratio);
      // Finished elements keep their value: later steps only add rounding errors.
      const keep = (next: NDArray, old: NDArray): NDArray => select(live, next, old);
      const far = gt(abs(sub(ratio, 1)), 2 * epsilon);
      if (!slopes) return [m, bitwiseAnd(live, far), keep(c2, c!), dc!, keep(d2, d!), dd!, keep(h2, h!), dh!];
      const dd2 = neg(mul(square(d2), sub(add(mul(i, d!), mul(p, dd!)), 1)));
      const dc2 = sub(sub(div(i, c!), 1), div(mul(p, dc!), square(c!)));
      const dh2 = add(mul(dh!, ratio), mul(h!, add(mul(dc2, d2), mul(c2, dd2))));
      const still = any(far, gt(abs(sub(dh2, dh!)), mul(abs(dh2), 4 * epsilon)));
      return [
        m,
        bitwiseAnd(live, still),
        keep(c2, c!),
        keep(dc2, dc!),
        keep(d2, d!),
        keep(dd2, dd!),
        keep(h2, h!),
        keep(dh2, dh!),
      ];
    },
    start,
  ) as unknown as readonly NDArray[];
  return { value: out[6]!, slope: out[7]! };
}

/** Q for small x and a, see `incompleteMath.ts`. */
function upperNearZero(a: NDArray, x: NDArray): NDArray {
  const steps = isWide(x) ? 22 : 13;
  let factor: NDArray = neg(x);
  let sum: NDArray = div(factor, add(a, 1));
  for (let n = 2; n < steps; n++) {
    factor = mul(factor, mul(x, -1 / n));
    sum = add(sum, div(factor, add(a, n)));
  }
  const small = min(a, isWide(a) ? 0.02 : 0.15);
  const nearOne = mul(small, sub(mul(small, polynomial(logGammaSeries, small)), eulerGamma));
  const logGamma1p = select(eq(small, a), nearOne, lgamma(add(a, 1)));
  const exponent = sub(mul(a, log(x)), logGamma1p);
  return sub(neg(expm1(exponent)), mul(mul(exp(exponent), a), sum));
}

// ---------------------------------------------------------------- large parameters

/**
 * Coefficients of the functions C_k(η) = Σ C[k][n] η^n in Temme's expansion (DLMF 8.12.7 to 8.12.10), computed as
 * rational numbers from C_0 = 1/μ − 1/η and C_k = C_{k−1}' / η + (−1)^k g_k / μ.
 */
const temme: readonly (readonly number[])[] = [
  [
    -1 / 3,
    1 / 12,
    -0.01481481481,
    0.001157407407,
    0.0003527336861,
    -0.000178755144,
    3.919263179e-5,
    -2.185448511e-6,
    -1.854062211e-6,
    8.296711341e-7,
  ],
  [
    -0.001851851852, -0.003472222222, 0.002645502646, -0.0009902263374, 0.0002057613169, -4.01877572e-7,
    -1.809855033e-5, 7.649160916e-6,
  ],
  [0.004133597884, -0.00268132716, 0.0007716049383, 2.00938786e-6, -0.0001073665323, 5.292344883e-5],
  [0.0006494341564, 0.0002294720936, -0.0004691894944, 0.0002677206321],
];

/** Where the expansion serves; in float64 it does not. */
const isUniform = (a: NDArray, x: NDArray): NDArray =>
  isWide(x) ? lt(x, 0) : all(gt(a, 20), lt(abs(sub(x, a)), mul(a, 0.3)));

/** One tail at a large parameter: Q = erfc(η √(a/2)) / 2 + R, P = erfc(−η √(a/2)) / 2 − R, μ − log(1 + μ) = η² / 2. */
function uniformTail(a: NDArray, x: NDArray, upper: boolean): NDArray {
  const mu = div(sub(x, a), a);
  const g = min(logMinus(mu, div(x, a)), 0);
  const size = sqrt(mul(g, -2));
  const eta = select(lt(mu, 0), neg(size), size);
  const inverse = reciprocal(a);
  const sum = temme
    .map((c) => polynomial(c, eta))
    .reduceRight<NDArray>((s, c) => add(mul(s, inverse), c), mul(0, inverse));
  const rest = mul(div(exp(mul(a, g)), sqrt(mul(a, 2 * Math.PI))), sum);
  const argument = mul(eta, sqrt(mul(a, 0.5)));
  return upper ? add(mul(erfc(argument), 0.5), rest) : sub(mul(erfc(neg(argument)), 0.5), rest);
}

// ---------------------------------------------------------------- gamma

/** Which formula an element takes. */
function gammaRegions(a: NDArray, x: NDArray) {
  const inside = all(gt(a, 0), gt(x, 0), lt(a, Infinity), lt(x, Infinity));
  const uniform = all(inside, isUniform(a, x));
  const fraction = all(inside, gt(x, 1.1), gt(x, a), not(uniform));
  const rest = all(inside, not(any(uniform, fraction)));
  return { inside, uniform, fraction, rest };
}

export function lowerGamma(a: NDArray, x: NDArray): NDArray {
  const { inside, uniform, fraction, rest: series } = gammaRegions(a, x);
  const [p, q] = [only(inside, a, 1), only(inside, x, 1)];
  const factor = gammaFactor(p, q);
  const live = all(gt(factor, 0), inside);
  const bySeries = mul(factor, lowerSeries(p, q, bitwiseAnd(live, series), false).value);
  const q1 = mul(mul(factor, p), upperFraction(p, q, bitwiseAnd(live, fraction), false).value);
  const choice = select(uniform, uniformTail(p, q, false), select(fraction, sub(1, q1), bySeries));
  const edge = select(eq(x, 0), 0, select(any(eq(x, Infinity), eq(a, 0)), literal(x, 1), literal(x, 0)));
  const undefinedAt = any(isNaN(a), isNaN(x), lt(a, 0), lt(x, 0), all(eq(a, 0), eq(x, 0)));
  return select(undefinedAt, NaN, select(inside, choice, edge));
}
const literal = (x: NDArray, value: number): NDArray => full(x.shape, value, x.dtype);

export function upperGamma(a: NDArray, x: NDArray): NDArray {
  const { inside, uniform, fraction, rest } = gammaRegions(a, x);
  const [p, q] = [only(inside, a, 1), only(inside, x, 1)];
  const lowX = mul(p, neg(log(min(q, 0.6))));
  const nearZero = all(rest, le(q, 1.1), lt(p, 1), lt(lowX, 0.7));
  const factor = gammaFactor(p, q);
  const live = all(gt(factor, 0), inside);
  const series = all(live, rest, not(nearZero));
  const bySeries = sub(1, mul(factor, lowerSeries(p, q, series, false).value));
  const byFraction = mul(mul(factor, p), upperFraction(p, q, bitwiseAnd(live, fraction), false).value);
  const small = upperNearZero(min(p, 1), min(q, 1.1));
  const choice = select(
    uniform,
    uniformTail(p, q, true),
    select(fraction, byFraction, select(nearZero, small, bySeries)),
  );
  const edge = select(any(eq(x, 0), eq(a, Infinity)), literal(x, 1), literal(x, 0));
  const both = all(eq(a, Infinity), eq(x, Infinity));
  const undefinedAt = any(isNaN(a), isNaN(x), lt(a, 0), lt(x, 0), all(eq(a, 0), eq(x, 0)), both);
  return select(undefinedAt, NaN, select(inside, choice, edge));
}

/** dP/da divided by the factor, on safe operands. */
function lowerGammaSlope(a: NDArray, x: NDArray, fraction: NDArray, live: NDArray): NDArray {
  const series = lowerSeries(a, x, bitwiseAnd(live, not(fraction)), true);
  const rest = upperFraction(a, x, bitwiseAnd(live, fraction), true);
  const slope = (f: Dual, center: NDArray): NDArray => add(mul(f.value, sub(log(x), center)), f.slope);
  return select(fraction, neg(mul(a, slope(rest, digamma(a)))), slope(series, digamma(add(a, 1))));
}

export function lowerGammaGradA(a: NDArray, x: NDArray): NDArray {
  const inside = all(gt(a, 0), gt(x, 0), lt(a, Infinity), lt(x, Infinity));
  const [p, q] = [only(inside, a, 1), only(inside, x, 1)];
  const factor = gammaFactor(p, q);
  const live = all(inside, gt(factor, 0));
  const value = mul(factor, lowerGammaSlope(p, q, all(gt(q, 1.1), gt(q, p)), live));
  const outside = any(isNaN(a), isNaN(x), le(a, 0), lt(x, 0));
  return select(outside, NaN, select(live, value, 0));
}

export function gammaDrawGrad(a: NDArray, x: NDArray): NDArray {
  const inside = all(gt(a, 0), gt(x, 0), lt(a, Infinity), lt(x, Infinity));
  const [p, q] = [only(inside, a, 1), only(inside, x, 1)];
  const slope = lowerGammaSlope(p, q, all(gt(q, 1.1), gt(q, p)), inside);
  return select(inside, neg(div(mul(slope, q), p)), select(all(eq(x, 0), gt(a, 0)), literal(x, 0), NaN));
}

// ---------------------------------------------------------------- beta

/** x and what is missing of it to a number of half the digits, so that products of such parts are exact. */
function split(x: NDArray): readonly [NDArray, NDArray] {
  const high = isWide(x) ? reducePrecision(x, 11, 25) : reducePrecision(x, 8, 11);
  return [high, sub(x, high)];
}

/** (a + b) x − a, the distance from the mean times a + b. Rounded terms would lose all digits of it near the mean. */
function distance(a: NDArray, b: NDArray, x: NDArray): NDArray {
  const [large, small] = [max(a, b), min(a, b)];
  const sum = add(a, b);
  const lost = sub(small, sub(sum, large));
  const [s1, s2] = split(sum);
  const [x1, x2] = split(x);
  const main = sub(mul(s1, x1), a);
  return add(main, add(add(mul(s1, x2), mul(s2, x1)), add(mul(s2, x2), mul(lost, x))));
}

/** x^a (1 − x)^b / (a B(a, b)), where y = 1 − x and d = (a + b) x − a. */
function betaFactor(a: NDArray, b: NDArray, x: NDArray, y: NDArray, d: NDArray): NDArray {
  const sum = add(a, b);
  const left = mul(a, logMinus(div(d, a), mul(x, div(sum, a))));
  const right = mul(b, logMinus(neg(div(d, b)), mul(y, div(sum, b))));
  const remainder = sub(sub(stirlingRemainder(sum), stirlingRemainder(a)), stirlingRemainder(b));
  const root = sqrt(div(div(b, sum), mul(a, 2 * Math.PI)));
  return mul(exp(add(add(left, right), remainder)), root);
}

/**
 * The even part of the continued fraction DLMF 8.17.22, times a, with d = (a + b) x − a (Didonato and Morris, "Algorithm 708",
 * 1992): where terms cancel it has d, which is known exactly.
 */
function betaFraction(a: NDArray, b: NDArray, x: NDArray, d: NDArray, where: NDArray): NDArray {
  const epsilon = epsilonOf(x);
  const first = nonzero(mul(div(a, add(a, 1)), sub(1, d)));
  type State = readonly [n: number, live: NDArray, c: NDArray, below: NDArray, h: NDArray];
  const start: State = [0, where, first, mul(x, 0), first];
  const [, , , , h] = whileLoop(
    ([n, live]) => bitwiseAnd(lt(n, maxSteps(x)), anywhere(live)),
    ([n, live, c, below, h]) => {
      const next = add(n, 1);
      const m = convert(next, x.dtype);
      const twice = add(a, mul(m, 2));
      // The ratios first: products of large parameters overflow.
      const share = div(x, sub(twice, 1));
      const rest = mul(mul(m, sub(b, m)), share);
      const before = add(a, sub(m, 1));
      const alpha = mul(mul(before, share), mul(div(add(before, b), sub(twice, 1)), mul(mul(m, sub(b, m)), x)));
      const middle = add(sub(1, d), mul(m, sub(2, x)));
      const beta = add(add(m, rest), mul(div(add(a, m), add(twice, 1)), middle));
      const below2 = reciprocal(nonzero(add(mul(alpha, below), beta)));
      const c2 = nonzero(add(div(alpha, c), beta));
      const ratio = mul(c2, below2);
      const far = gt(abs(sub(ratio, 1)), 2 * epsilon);
      return [
        next,
        bitwiseAnd(live, far),
        select(live, c2, c),
        select(live, below2, below),
        select(live, mul(h, ratio), h),
      ];
    },
    start,
  );
  return div(a, h);
}

export function incompleteBeta(a: NDArray, b: NDArray, x: NDArray): NDArray {
  const inside = all(gt(a, 0), gt(b, 0), lt(a, Infinity), lt(b, Infinity), gt(x, 0), lt(x, 1));
  const [p, q, z] = [only(inside, a, 1), only(inside, b, 1), only(inside, x, 0.25)];
  const w = sub(1, z);
  // The fraction converges fast left of the mean; the other side is the mirror image.
  const left = lt(z, div(add(p, 1), add(add(p, q), 2)));
  const pick = (u: NDArray, v: NDArray): NDArray => select(left, u, v);
  const [a1, b1, x1, y1] = [pick(p, q), pick(q, p), pick(z, w), pick(w, z)];
  const d = distance(p, q, z);
  const d1 = pick(d, neg(d));
  const factor = betaFactor(a1, b1, x1, y1, d1);
  const tail = mul(factor, betaFraction(a1, b1, x1, d1, all(inside, gt(factor, 0))));
  const value = select(left, tail, sub(1, tail));
  const [leftmost, rightmost] = [any(eq(a, 0), eq(b, Infinity)), any(eq(b, 0), eq(a, Infinity))];
  const one = literal(x, 1);
  const edge = select(leftmost, select(eq(x, 0), 0, one), select(bitwiseAnd(rightmost, lt(x, 1)), 0, x));
  const defined = all(ge(a, 0), ge(b, 0), ge(x, 0), le(x, 1), not(bitwiseAnd(leftmost, rightmost)));
  return select(defined, select(inside, value, edge), NaN);
}
