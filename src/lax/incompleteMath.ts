/**
 * Incomplete gamma and beta functions of real numbers in float64. Series and continued fractions give the smaller tail;
 * the factor in front of them is written with the distance from the maximum, so that large parameters do not cancel.
 */
import { digamma, lgamma } from "./specialMath.ts";

const tiny = 1e-300;
const epsilon = 2 ** -53;
const maxSteps = 100_000;

/** B(2k) / (2k (2k − 1)), the coefficients of Stirling's series. */
export const stirlingSeries: readonly number[] = [
  1 / 12,
  -1 / 360,
  1 / 1260,
  -1 / 1680,
  1 / 1188,
  -691 / 360360,
  1 / 156,
  -3617 / 122400,
];

/** log Γ(a) − ((a − 1/2) log a − a + log(2π) / 2), for a > 0 (DLMF 5.11.1). */
export function stirlingRemainder(a: number): number {
  if (a < 10) return lgamma(a) - (a - 0.5) * Math.log(a) + a - 0.5 * Math.log(2 * Math.PI);
  const r = 1 / (a * a);
  return stirlingSeries.reduceRight((sum, c) => sum * r + c, 0) / a;
}

/** log(1 + u) − u, with 1 + u given too. With r = u / (2 + u): log(1 + u) = 2 artanh r, and 2r − u = −ru. */
function logMinus(u: number, onePlus: number): number {
  if (Math.abs(u) > 0.3) return Math.log(onePlus) - u;
  const r = u / (2 + u);
  const q = r * r;
  let sum = 0;
  for (let k = 12; k >= 1; k--) sum = q * (1 / (2 * k + 1) + sum);
  return r * (2 * sum - u);
}

/** x^a e^−x / Γ(a + 1). */
const gammaFactor = (a: number, x: number): number =>
  Math.exp(a * logMinus((x - a) / a, x / a) - stirlingRemainder(a)) / Math.sqrt(2 * Math.PI * a);

/** A value and its derivative with respect to `a`. */
type Dual = readonly [value: number, slope: number];

/** Σ x^n / ((a + 1) … (a + n)): P = factor · sum (DLMF 8.7.1). */
function lowerSeries(a: number, x: number): Dual {
  let [c, dc, sum, slope] = [1, 0, 1, 0];
  for (let n = 1; n < maxSteps; n++) {
    const t = x / (a + n);
    c *= t;
    dc = dc * t - c / (a + n);
    sum += c;
    slope += dc;
    if (c <= epsilon * sum && Math.abs(dc) <= epsilon * Math.abs(slope)) break;
  }
  return [sum, slope];
}

/** The continued fraction h with Q = factor · a · h (DLMF 8.9.2), by Lentz's method. */
function upperFraction(a: number, x: number): Dual {
  let b = x + 1 - a;
  let [c, dc] = [1 / tiny, 0];
  let d = 1 / b;
  let dd = d * d;
  let [h, dh] = [d, dd];
  for (let i = 1; i < maxSteps; i++) {
    const p = -i * (i - a);
    b += 2;
    const next = 1 / (p * d + b || tiny);
    dd = -next * next * (i * d + p * dd - 1);
    d = next;
    dc = -1 + i / c - (p * dc) / (c * c);
    c = b + p / c || tiny;
    const ratio = c * d;
    const dh2 = dh * ratio + h * (dc * d + c * dd);
    const change = Math.abs(dh2 - dh);
    [h, dh] = [h * ratio, dh2];
    if (Math.abs(ratio - 1) <= 2 * epsilon && change <= 4 * epsilon * Math.abs(dh)) break;
  }
  return [h, dh];
}

/** Q for x ≤ 1.1 without the cancellation of 1 − P: 1 − x^a / Γ(a + 1) Σ a (−x)^n / (n! (a + n)). */
function upperNearZero(a: number, x: number): number {
  let [factor, sum] = [1, 0];
  for (let n = 1; n < 60; n++) {
    factor *= -x / n;
    sum += factor / (a + n);
  }
  const exponent = a * Math.log(x) - logGamma1p(a);
  return -Math.expm1(exponent) - Math.exp(exponent) * a * sum;
}

/** ζ(k) (−1)^k / k for k = 2 … : log Γ(1 + a) = −γ a + Σ c[k] a^k (DLMF 5.7.3). */
export const logGammaSeries: readonly number[] = [
  0.8224670334241132, -0.40068563438653143, 0.27058080842778454, -0.20738555102867398, 0.1695571769974082,
  -0.1440498968688461, 0.12550966952474304, -0.11133426586956469, 0.1000994575127818, -0.09095401714582904,
];
export const eulerGamma = 0.5772156649015329;
const logGamma1p = (a: number): number =>
  a < 0.02 ? a * (logGammaSeries.reduceRight((sum, c) => (sum + c) * a, 0) - eulerGamma) : lgamma(1 + a);

/** Both regularized incomplete gamma functions, or their derivatives with respect to `a`, of numbers in the domain. */
export function lowerGamma(a: number, x: number): number {
  if (a !== a || x !== x || a < 0 || x < 0 || (a === 0 && x === 0)) return NaN;
  if (x === 0) return 0;
  if (x === Infinity || a === 0) return 1;
  if (a === Infinity) return 0;
  if (x > 1.1 && x > a) return 1 - gammaFactor(a, x) * a * upperFraction(a, x)[0];
  return gammaFactor(a, x) * lowerSeries(a, x)[0];
}
export function upperGamma(a: number, x: number): number {
  if (a !== a || x !== x || a < 0 || x < 0 || (a === 0 && x === 0) || (a === Infinity && x === Infinity)) return NaN;
  if (x === 0 || a === Infinity) return 1;
  if (x === Infinity || a === 0) return 0;
  if (x > 1.1 && x > a) return gammaFactor(a, x) * a * upperFraction(a, x)[0];
  if (nearZero(a, x)) return upperNearZero(a, x);
  return 1 - gammaFactor(a, x) * lowerSeries(a, x)[0];
}
/** Where Q is small or P close to 1 although x is small. */
const nearZero = (a: number, x: number): boolean => x <= 1.1 && a < 1 && a * -Math.log(Math.min(x, 0.6)) < 0.7;

/** dP/da divided by the factor x^a e^−x / Γ(a + 1). */
function lowerGammaSlope(a: number, x: number): number {
  if (x > 1.1 && x > a) {
    const [h, dh] = upperFraction(a, x);
    return -a * (h * (Math.log(x) - digamma(a)) + dh);
  }
  const [sum, slope] = lowerSeries(a, x);
  return sum * (Math.log(x) - digamma(a + 1)) + slope;
}
const outside = (a: number, x: number): boolean => !(a > 0) || !(x >= 0);
export function lowerGammaGradA(a: number, x: number): number {
  if (outside(a, x)) return NaN;
  if (x === 0 || x === Infinity || a === Infinity) return 0;
  const factor = gammaFactor(a, x);
  return factor === 0 ? 0 : factor * lowerGammaSlope(a, x);
}
/** dx/da of a gamma draw x at a fixed quantile: −(dP/da) / (dP/dx), where dP/dx = factor · a / x. */
export function gammaDrawGrad(a: number, x: number): number {
  if (outside(a, x)) return NaN;
  if (x === 0) return 0;
  return (-lowerGammaSlope(a, x) * x) / a;
}

// ---------------------------------------------------------------- beta

/** (a + b) x − a, the distance from the mean times a + b, of parts whose products are exact. */
function distance(a: number, b: number, x: number): number {
  const sum = a + b;
  const lost = Math.min(a, b) - (sum - Math.max(a, b));
  const [s, t] = [Math.fround(sum), Math.fround(x)];
  return s * t - a + (s * (x - t) + (sum - s) * t + ((sum - s) * (x - t) + lost * x));
}

/** x^a (1 − x)^b / (a B(a, b)), where y = 1 − x and d = (a + b) x − a. */
function betaFactor(a: number, b: number, x: number, y: number, d: number): number {
  const [p, q] = [a / (a + b), b / (a + b)];
  const exponent = a * logMinus(d / a, x / p) + b * logMinus(-d / b, y / q);
  const remainder = stirlingRemainder(a + b) - stirlingRemainder(a) - stirlingRemainder(b);
  return Math.exp(exponent + remainder) * Math.sqrt(b / (2 * Math.PI * a * (a + b)));
}

/**
 * The even part of the continued fraction DLMF 8.17.22, times a, by Lentz's method (Didonato and Morris, "Algorithm 708", 1992):
 * where terms cancel it has d, which is known exactly.
 */
function betaFraction(a: number, b: number, x: number, d: number): number {
  let h = (a / (a + 1)) * (1 - d) || tiny;
  let [c, below] = [h, 0];
  for (let m = 1; m < maxSteps; m++) {
    const twice = a + 2 * m;
    const rest = m * (b - m) * x;
    const alpha = ((a + m - 1) * x * (a + b + m - 1) * rest) / ((twice - 1) * (twice - 1));
    const beta = m + rest / (twice - 1) + ((a + m) / (twice + 1)) * (1 - d + m * (2 - x));
    below = 1 / (alpha * below + beta || tiny);
    c = beta + alpha / c || tiny;
    h *= c * below;
    if (Math.abs(c * below - 1) <= 2 * epsilon) break;
  }
  return a / h;
}

/** The regularized incomplete beta function I(x; a, b). */
export function incompleteBeta(a: number, b: number, x: number): number {
  const [leftmost, rightmost] = [a === 0 || b === Infinity, b === 0 || a === Infinity];
  if (!(a >= 0 && b >= 0 && x >= 0 && x <= 1) || (leftmost && rightmost)) return NaN;
  if (leftmost) return x === 0 ? 0 : 1;
  if (rightmost) return x === 1 ? 1 : 0;
  if (x === 0 || x === 1) return x;
  const d = distance(a, b, x);
  if (x < (a + 1) / (a + b + 2)) return betaFactor(a, b, x, 1 - x, d) * betaFraction(a, b, x, d);
  return 1 - betaFactor(b, a, 1 - x, x, -d) * betaFraction(b, a, 1 - x, -d);
}
