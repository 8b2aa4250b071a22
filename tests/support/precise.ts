/**
 * Special functions in float64 for comparison, each by another formula than the library's own. Of arguments that are
 * float32 they are right to 2^−40 of the value, and to 2^−48 of the largest term where the value is near a zero.
 */

const sum = (from: number, to: number, term: (k: number) => number): number => {
  let s = 0;
  for (let k = to; k >= from; k--) s += term(k);
  return s;
};

// ---------------------------------------------------------------- error functions

const rootPi = Math.sqrt(Math.PI);

/** 2/√π e^(−x²) Σ 2^n x^(2n+1) / (2n+1)!! (DLMF 7.6.2): all terms have one sign. The square of a float32 is exact. */
function erfSeries(x: number): number {
  const twice = 2 * x * x;
  let term = x;
  let total = x;
  for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(total); n++) total += term *= twice / (2 * n + 1);
  return (2 / rootPi) * Math.exp(-x * x) * total;
}
/** e^(−x²) / (x √π) by a continued fraction (DLMF 7.9.1), for x ≥ 2. */
function erfcFraction(x: number): number {
  let tail = x;
  for (let k = x < 4 ? 60 : 20; k > 0; k--) tail = x + k / 2 / tail;
  return Math.exp(-x * x) / rootPi / tail;
}
export function erfc(x: number): number {
  if (x < 0) return x < -6 ? 2 : 1 + erfSeries(-x);
  return x < 2 ? 1 - erfSeries(x) : x === Infinity ? 0 : erfcFraction(x);
}
export function erf(x: number): number {
  const a = Math.abs(x);
  if (!(a > 0)) return x;
  return a < 2 ? erfSeries(x) : Math.sign(x) * (1 - erfc(a));
}
/** Newton's method for −log erfc, which is convex and almost a parabola; near 0 by the series (DLMF 7.17.2). */
export function erfInv(y: number): number {
  const a = Math.abs(y);
  if (!(a < 1)) return a === 1 ? y * Infinity : NaN;
  if (a < 1e-4) {
    const v = (rootPi / 2) * y;
    return v * (1 + (v * v) / 3 + (7 * v ** 4) / 30);
  }
  let x = a < 0.5 ? a : Math.sqrt(-Math.log(1 - a));
  for (let step = 1, k = 0; Math.abs(step) > 1e-15 * x && k < 50; k++) {
    const slope = (2 / rootPi) * Math.exp(-x * x);
    if (a < 0.5) step = (erfSeries(x) - a) / slope;
    else {
      const c = x < 2 ? 1 - erfSeries(x) : erfcFraction(x);
      step = (Math.log((1 - a) / c) * c) / slope;
    }
    x -= step;
  }
  return Math.sign(y) * x;
}

// ---------------------------------------------------------------- the gamma family

const gamma = 0.57721566490153286061;
/** B(2k), k = 1 … 8 */
const bernoulli = [1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510] as const;
/** Σ n^−s over n ≥ first, by Euler and Maclaurin. */
const zetaFrom = (s: number, first: number): number => {
  const n = first + 20;
  let power = n ** -s * (s / n);
  const corrections = bernoulli.map((b, i) => {
    const k = i + 1;
    const term = (b * power) / factorials[2 * k]!;
    power *= ((s + 2 * k - 1) * (s + 2 * k)) / (n * n);
    return term;
  });
  return sum(first, n - 1, (k) => k ** -s) + n ** (1 - s) / (s - 1) + n ** -s / 2 + corrections.reduce((a, b) => a + b);
};
const factorials = Array.from({ length: 18 }, (_, n) => sum(1, n, (k) => Math.log(k))).map((v) =>
  Math.round(Math.exp(v)),
);
/** (ζ(k) − 1) / k */
const zetas = Array.from({ length: 50 }, (_, k) => (k < 2 ? 0 : zetaFrom(k, 2) / k));

/** log Γ(2 + z) for |z| ≤ 1/2, from DLMF 5.7.3. */
function logGammaAroundTwo(z: number): number {
  let s = 0;
  for (let k = 45; k >= 2; k--) s = s * -z + zetas[k]!;
  return z * (1 - gamma) + z * z * s;
}
/** By Stirling's series (DLMF 5.11.1) from 15 on. */
function logGammaFar(x: number): number {
  let product = 1;
  let z = x;
  for (; z < 15; z++) product *= z;
  const series = sum(1, 8, (k) => bernoulli[k - 1]! / (2 * k * (2 * k - 1)) / z ** (2 * k - 1));
  return (z - 0.5) * Math.log(z) - z + Math.log(2 * Math.PI) / 2 + series - Math.log(product);
}
/** sin πx, by the distance to the nearest whole number, which is exact. */
const sinPi = (x: number): number => Math.sin(Math.PI * (x - Math.round(x)));
/** log |Γ(x)| */
export function lgamma(x: number): number {
  if (Math.abs(x) === Infinity) return Infinity;
  if (x <= 0) {
    if (Number.isInteger(x)) return Infinity;
    return Math.log(Math.abs(Math.PI / (x * sinPi(x)))) - lgamma(-x);
  }
  if (x < 0.5) return logGammaAroundTwo(x) - Math.log1p(x) - Math.log(x);
  if (x < 1.5) return logGammaAroundTwo(x - 1) - Math.log1p(x - 1);
  return x <= 2.5 ? logGammaAroundTwo(x - 2) : logGammaFar(x);
}
/** From 15 on by DLMF 5.11.2. */
export function digamma(x: number): number {
  if (x === Infinity) return x;
  if (x <= 0) return Number.isInteger(x) ? NaN : digamma(1 - x) - Math.PI / Math.tan(Math.PI * (x - Math.round(x)));
  let shift = 0;
  let z = x;
  for (; z < 15; z++) shift += 1 / z;
  return Math.log(z) - 0.5 / z - sum(1, 8, (k) => bernoulli[k - 1]! / (2 * k) / z ** (2 * k)) - shift;
}

// ---------------------------------------------------------------- Bessel functions

/** e^−|x| I_n(x): the power series (DLMF 10.25.2), or Hankel's expansion (10.40.1). */
function scaledBessel(n: 0 | 1, x: number): number {
  const a = Math.abs(x);
  const sign = n === 1 && x < 0 ? -1 : 1;
  if (a === Infinity) return 0 * sign;
  let term = 1;
  let total = 1;
  if (a <= 20) {
    for (let k = 1; term > 1e-18 * total; k++) total += term *= ((a / 2) * (a / 2)) / (k * (k + n));
    return total * Math.exp(-a) * (n === 1 ? x / 2 : 1);
  }
  for (let k = 1; k < 30; k++) total += term *= -(4 * n * n - (2 * k - 1) ** 2) / (k * 8 * a);
  return (sign * total) / Math.sqrt(2 * Math.PI * a);
}
export const besselI0e = (x: number): number => scaledBessel(0, x);
export const besselI1e = (x: number): number => scaledBessel(1, x);
