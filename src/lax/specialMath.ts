/**
 * Special functions of real numbers in float64, to about 1e-14: error functions, the gamma family and Hurwitz zeta.
 */

/** 2/√π */
const twoOverRootPi = 1.1283791670955126;

// ---------------------------------------------------------------- error functions

/**
 * Chebyshev coefficients of log(erfc(x) e^(x²) / t) in u = 2t − 1, t = 2 / (2 + x), for x ≥ 0: smooth on all of [0, ∞],
 * so one series serves. Computed with 50 digits from the definition.
 */
export const erfcSeries: readonly number[] = [
  -1.3026537197817094342, 0.6419697923564902603, 0.019476473204185836312, -0.0095615147868086316419,
  -0.0009465953444820368663, 0.00036683949785276145187, 0.000042523324806907771645, -0.000020278578112534243154,
  -1.6242900046470255135e-6, 1.3036558355805232018e-6, 1.5626441722066143178e-8, -8.5238095914926542525e-8,
  6.5290544390988514964e-9, 5.0593434955514689418e-9, -9.9136415649303308674e-10, -2.2736512229318358557e-10,
  9.646791102015526802e-11, 2.3940380830391147447e-12, -6.8860275264975533984e-12, 8.9448792730907257167e-13,
  3.1309213993429580783e-13, -1.1270822361367252366e-13, 3.8109052551892320552e-16, 7.1060976136092369878e-15,
  -1.5230282014571043043e-15, -9.4574945712912340005e-17, 1.2102371892242789923e-16, -2.8166630877471769718e-17,
];

/** erfc for x ≥ 0, with Clenshaw's recurrence. */
function erfcPositive(x: number): number {
  const t = 2 / (2 + x);
  const u = 4 * t - 2;
  let [d, dd] = [0, 0];
  for (let j = erfcSeries.length - 1; j > 0; j--) [d, dd] = [u * d - dd + erfcSeries[j]!, d];
  return t * Math.exp(-x * x + 0.5 * (erfcSeries[0]! + u * d) - dd);
}

/** The Taylor series, for small x where 1 − erfc(x) would cancel. */
function erfSmall(x: number): number {
  let [term, sum] = [x, x];
  for (let n = 1; n < 30 && Math.abs(term) > 1e-18 * Math.abs(sum); n++) {
    term *= -(x * x) / n;
    sum += term / (2 * n + 1);
  }
  return twoOverRootPi * sum;
}

export function erf(x: number): number {
  if (Math.abs(x) < 0.5) return erfSmall(x);
  return x > 0 ? 1 - erfcPositive(x) : erfcPositive(-x) - 1;
}
export function erfc(x: number): number {
  if (Math.abs(x) < 0.5) return 1 - erfSmall(x);
  return x > 0 ? erfcPositive(x) : 2 - erfcPositive(-x);
}

/** A closed-form start (Winitzki), then Halley's method, which triples the digits; near ±1 on the complement. */
export function erfInv(y: number): number {
  const a = Math.abs(y);
  if (!(a < 1)) return a === 1 ? y * Infinity : NaN;
  if (a < 1e-5) return (y * (1 + (Math.PI * y * y) / 12)) / twoOverRootPi;
  const l = Math.log1p(-a * a);
  const t = 2 / (Math.PI * 0.147) + l / 2;
  let x = Math.sqrt(Math.sqrt(t * t - l / 0.147) - t);
  for (let k = 0; k < 3; k++) {
    const error = a > 0.5 ? 1 - a - erfc(x) : erf(x) - a;
    const step = error / (twoOverRootPi * Math.exp(-x * x));
    x -= step / (1 + x * step);
  }
  return y < 0 ? -x : x;
}

// ---------------------------------------------------------------- the gamma family

/** Lanczos coefficients for g = 7. */
const lanczos = [
  0.99999999999980993227684700473478, 676.520368121885098567009190444019, -1259.13921672240287047156078755283,
  771.3234287776530788486528258894, -176.61502916214059906584551354, 12.507343278686904814458936853,
  -0.13857109526572011689554707, 9.984369578019570859563e-6, 1.50563273514931155834e-7,
];

/** log |Γ(x)|; infinite at 0, −1, −2, … */
export function lgamma(x: number): number {
  if (x !== x) return NaN;
  if (Math.abs(x) === Infinity) return Infinity;
  if (x < 0.5) {
    // Γ(x) Γ(1 − x) = π / sin πx, with the sine of the distance to the nearest pole.
    const s = Math.abs(Math.sin(Math.PI * (x - Math.round(x))));
    return s === 0 ? Infinity : Math.log(Math.PI / s) - lgamma(1 - x);
  }
  if (x === 1 || x === 2) return 0;
  const z = x - 1;
  let sum = lanczos[0]!;
  for (let i = 1; i < lanczos.length; i++) sum += lanczos[i]! / (z + i);
  const t = z + 7.5;
  return 0.5 * Math.log(2 * Math.PI) + (z + 0.5) * Math.log(t) - t + Math.log(sum);
}

/** B(2k) / 2k for k = 1 … 8. */
export const digammaSeries: readonly number[] = [
  0.08333333333333333, -0.008333333333333333, 0.003968253968253968, -0.004166666666666667, 0.007575757575757576,
  -0.021092796092796094, 0.08333333333333333, -0.4432598039215686,
];

/** The logarithmic derivative of Γ; NaN at its poles. */
export function digamma(x: number): number {
  if (x === Infinity) return Infinity;
  if (x <= 0) {
    const fraction = x - Math.round(x);
    return fraction === 0 || x !== x ? NaN : digamma(1 - x) - Math.PI / Math.tan(Math.PI * fraction);
  }
  let shift = 0;
  let z = x;
  for (; z < 10; z++) shift -= 1 / z;
  const r = 1 / (z * z);
  let tail = 0;
  for (let k = digammaSeries.length - 1; k >= 0; k--) tail = r * (digammaSeries[k]! + tail);
  return shift + Math.log(z) - 0.5 / z - tail;
}

/** (2k)! / B(2k), for k = 1 … 12. */
export const zetaSeries: readonly number[] = [
  12.0, -720.0, 30240.0, -1209600.0, 47900160.0, -1.8924375803183791606e9, 7.47242496e10, -2.950130727918164224e12,
  1.1646782814350067249e14, -4.5979787224074726105e15, 1.8152105401943546773e17, -7.1661652561756670113e18,
];

/** Hurwitz's Σ (q + n)^−x over n ≥ 0, by Euler and Maclaurin. */
export function zeta(x: number, q: number): number {
  if (x === 1) return Infinity;
  if (!(x > 1)) return NaN;
  if (q <= 0 && q === Math.floor(q)) return Infinity;
  if (q <= 0) {
    if (x !== Math.floor(x)) return NaN;
    // With the fraction f of q, the part of the sum left of 0 is (−1)^x (ζ(x, 1 − f) − ζ(x, 1 − q)).
    const left = zeta(x, Math.ceil(q) - q) - zeta(x, 1 - q);
    return zeta(x, q - Math.floor(q)) + (x % 2 === 0 ? left : -left);
  }
  let sum = q ** -x;
  let a = q;
  for (let i = 0; i < 9; i++) {
    a += 1;
    sum += a ** -x;
  }
  let b = a ** -x;
  if (b === 0) return sum;
  sum += (b * a) / (x - 1) - 0.5 * b;
  let factor = 1;
  for (let i = 0; i < zetaSeries.length; i++) {
    factor *= x + 2 * i;
    b /= a;
    const term = (factor * b) / zetaSeries[i]!;
    sum += term;
    if (Math.abs(term) < 1e-17 * Math.abs(sum)) break;
    factor *= x + 2 * i + 1;
    b /= a;
  }
  return sum;
}

/** The n-th derivative of digamma: (−1)^(n+1) n! ζ(n + 1, x). */
export function polygamma(n: number, x: number): number {
  if (n === 0) return digamma(x);
  if (n < 0 || n !== Math.floor(n)) return NaN;
  return (n % 2 === 0 ? -1 : 1) * Math.exp(lgamma(n + 1)) * zeta(n + 1, x);
}
