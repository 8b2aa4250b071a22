/**
 * Expressions of the special functions, without branches: both sides of a choice are computed and one selected. The
 * formulas are chosen for the scalar type, so that results are within a few units in the last place of it, relative to
 * the function's condition. Each takes f32 or f64; float16 and bfloat16 come as f32.
 */
import {
  type Expr,
  type MathFunction,
  binary,
  bitcast,
  both,
  compare,
  convert,
  either,
  equal,
  i32,
  least,
  less,
  like,
  minus,
  negate,
  not,
  ofIndex,
  over,
  plus,
  select,
  times,
  u32,
  unary,
} from "../core/scalar.ts";
import { type Index } from "../core/indexing.ts";
import { indexAs, reduceOver } from "../core/lowerRules.ts";
import { keepNaN } from "./arithmeticLowering.ts";
import { erfcSeries, digammaSeries, zetaSeries } from "./specialMath.ts";

const call = (f: MathFunction, x: Expr): Expr => unary(f, x);
const abs = (x: Expr): Expr => unary("abs", x);
const isWide = (x: Expr): boolean => x.type === "f64";
const square = (x: Expr): Expr => times(x, x);
const above = (x: Expr, y: number): Expr => compare("gt", x, like(x, y));
const isWhole = (x: Expr): Expr => equal(x, unary("floor", x));

/** Σ c[i] x^i, by Horner's rule. */
export const lowerPolynomial = (coefficients: readonly number[], x: Expr): Expr =>
  coefficients
    .slice(0, -1)
    .reduceRight<Expr>((sum, c) => plus(times(sum, x), like(x, c)), like(x, coefficients.at(-1)!));

// ---------------------------------------------------------------- error functions

/** e^(−x²) for 0 ≤ x ≤ 30, with x split into a part whose square is exact and the rest: the exponent is large. */
function gaussian(x: Expr): Expr {
  const high = convert(convert(x, "f32"), "f64");
  const rest = times(minus(x, high), plus(x, high));
  return times(call("exp", negate(square(high))), call("exp", negate(rest)));
}

/** erfc for x ≥ 0 in f64: the Chebyshev series of `specialMath.ts`, by Clenshaw's recurrence. */
function erfcDouble(size: Expr): Expr {
  const x = least(size, like(size, 30));
  const t = over(like(x, 2), plus(x, like(x, 2)));
  const u = minus(times(t, like(x, 4)), like(x, 2));
  let d: Expr = like(x, 0);
  let previous: Expr = like(x, 0);
  for (let j = erfcSeries.length - 1; j > 0; j--)
    [d, previous] = [plus(minus(times(u, d), previous), like(x, erfcSeries[j]!)), d];
  const exponent = minus(times(like(x, 0.5), plus(times(u, d), like(x, erfcSeries[0]!))), previous);
  return times(times(t, call("exp", exponent)), gaussian(x));
}

/** (e^r − 1 − r) / r² for |r| ≤ log(2) / 2 about, to 2^−26 of e^r − 1. */
const exponential = [0.49999997, 0.16666542, 0.04166743, 0.008366876, 0.0013871877] as const;
/** log 2 in two parts; whole numbers below 2^14 times the first are exact. */
const ln2Parts = [0.693359375, -0.00021219444170128554] as const;

/** v e^−(a + b) in f32 for 0 ≤ a ≤ 150 and a small b: 2^n (v + v (e^r − 1)), so that one rounding is left of e^r. */
function timesExponential(v: Expr, a: Expr, b: Expr): Expr {
  // Adding 1.5 · 2^23 leaves no place for less than whole numbers.
  const shifted = plus(times(plus(a, b), like(a, -Math.LOG2E)), like(a, 12582912));
  const n = binary("sub", shifted, like(a, 12582912));
  const leading = minus(negate(a), times(n, like(a, ln2Parts[0])));
  const lost = plus(times(n, like(a, ln2Parts[1])), b);
  const r = minus(leading, lost);
  const rest = plus(leading, minus(times(square(r), lowerPolynomial(exponential, r)), lost));
  // In two steps, because 2^n may be too small for a normal number.
  const whole = binary("sub", bitcast(shifted, "i32"), i32(0x4b400000));
  const half = binary("shr", whole, i32(1));
  const power = (k: Expr): Expr => bitcast(binary("shl", plus(k, i32(127)), i32(23)), "f32");
  return times(times(plus(v, times(v, rest)), power(half)), power(binary("sub", whole, half)));
}

/** x e^(x²) erfc x − 15/32 for x ≥ 7/8, in 1 / (x + 1) − 3/8, to 2^−28. */
const complement = [
  0.0250624605, -0.43873477, -0.747866333, 0.0758470967, 0.688796222, -0.554481149, -0.426035047, 1.5033884,
  -1.23884773, -3.55524635,
] as const;

/** erfc for x ≥ 7/8 in f32, with x² as that of x with 12 bits, which is exact, and the rest. */
function erfcSingle(size: Expr): Expr {
  const x = least(size, like(size, 12));
  const high = bitcast(both(bitcast(x, "u32"), u32(0xfffff000)), "f32");
  const low = times(minus(x, high), plus(x, high));
  const place = minus(over(like(x, 1), plus(x, like(x, 1))), like(x, 0.375));
  const series = plus(lowerPolynomial(complement, place), like(x, 0.46875));
  return timesExponential(over(series, x), square(high), low);
}

/** erf(x) / x − 1 by x² for |x| ≤ 1: to 2^−29 of erf(x) / x. */
const nearSingle = [
  0.128379166, -0.37612626, 0.112835787, -0.0268533472, 0.0051871622, -7.9978531e-4, 7.80690389e-5,
] as const;
/** The same as a Taylor series for |x| < 1/2: 2/√π Σ (−1)^n x^(2n) / (n! (2n + 1)). */
const nearDouble = ((): readonly number[] => {
  const coefficients: number[] = [];
  for (let n = 0, c = 2 / Math.sqrt(Math.PI); n < 13; n++, c /= -n) coefficients.push(c / (2 * n + 1));
  return [coefficients[0]! - 1, ...coefficients.slice(1)];
})();
/** erf(x) − x for small x. */
const erfRest = (x: Expr): Expr => times(x, lowerPolynomial(isWide(x) ? nearDouble : nearSingle, square(x)));

const isSmall = (x: Expr): Expr => less(abs(x), like(x, isWide(x) ? 0.5 : 0.875));
/** erfc of a size that is not small. */
const erfcPositive = (x: Expr): Expr => (isWide(x) ? erfcDouble(x) : erfcSingle(x));

export function erf(x: Expr): Expr {
  const rest = minus(like(x, 1), erfcPositive(abs(x)));
  const signed = select(less(x, like(x, 0)), negate(rest), rest);
  return keepNaN(x, select(isSmall(x), plus(x, erfRest(x)), signed));
}
export function erfc(x: Expr): Expr {
  const rest = erfcPositive(abs(x));
  const signed = select(less(x, like(x, 0)), minus(like(x, 2), rest), rest);
  return keepNaN(x, select(isSmall(x), minus(minus(like(x, 1), x), erfRest(x)), signed));
}

/**
 * erfinv(y) / y − 1 by w = −log(1 − y²), as in Giles, "Approximating the erfinv function" (2010): in w − 5/2 for w < 5, in
 * √w − 3 beyond, to 2^−27 of erfinv.
 */
const inverseCentre = [
  0.501409352, 0.24664028, -0.00417736778, -0.00125273212, 2.18332687e-4, -4.96811117e-6, -3.46009597e-6, 4.67087375e-7,
  2.30422881e-8, -8.85179308e-9,
];
const inverseTail = [
  1.83297682, 1.00167525, 0.00944534596, -0.00764114363, 0.00568471802, -0.00358157395, 0.00149282278, -8.26007017e-5,
  -3.16488149e-4, 1.30682209e-4,
];
function erfInvSingle(y: Expr): Expr {
  const w = negate(call("log", times(minus(like(y, 1), y), plus(y, like(y, 1)))));
  const centre = lowerPolynomial(inverseCentre, minus(w, like(y, 2.5)));
  const tail = lowerPolynomial(inverseTail, minus(unary("sqrt", w), like(y, 3)));
  // The sum of −0 and 0 is 0.
  return select(equal(y, like(y, 0)), y, plus(y, times(select(less(w, like(y, 5)), centre, tail), y)));
}

/** A closed-form start (Winitzki), then Halley's method, which triples the digits; near ±1 on the complement. */
function erfInvDouble(y: Expr): Expr {
  const one = like(y, 1);
  const a = least(abs(y), like(y, 1 - 2 ** -53));
  const l = call("log1p", negate(square(a)));
  const t = plus(like(y, 2 / (Math.PI * 0.147)), times(l, like(y, 0.5)));
  const start = unary("sqrt", minus(unary("sqrt", minus(square(t), over(l, like(y, 0.147)))), t));
  let x: Expr = start;
  for (let k = 0; k < 2; k++) {
    const rest = erfcDouble(x);
    const below = minus(select(isSmall(x), plus(x, erfRest(x)), minus(one, rest)), a);
    const error = select(above(a, 0.5), minus(minus(one, a), rest), below);
    const step = over(error, times(like(y, 2 / Math.sqrt(Math.PI)), gaussian(x)));
    x = minus(x, over(step, plus(times(x, step), one)));
  }
  const tiny = times(a, times(plus(times(square(a), like(y, Math.PI / 12)), one), like(y, Math.sqrt(Math.PI) / 2)));
  const size = select(less(a, like(y, 1e-5)), tiny, x);
  return select(less(y, like(y, 0)), negate(size), size);
}

export function erfInv(y: Expr): Expr {
  const inside = isWide(y) ? erfInvDouble(y) : erfInvSingle(y);
  const size = abs(y);
  const edge = times(y, like(y, Infinity));
  return keepNaN(y, select(above(size, 1), like(y, NaN), select(equal(size, like(y, 1)), edge, inside)));
}

// ---------------------------------------------------------------- the gamma family

/**
 * log Γ(x) / ((x − 1)(x − 2)) on [1, 5/2], in (x − 7/4) / (3/4): Chebyshev interpolation as a power series, computed with
 * 60 digits; off by 3e−9 and 6e−18.
 */
const gammaSingle = [
  0.450139311, -0.08961118953, 0.0250428294, -0.008038419786, 0.002776000813, -0.001002534498, 0.0003766980452,
  -0.0001430722621, 4.766813256e-5, -1.849522537e-5, 1.390405622e-5, -5.540309755e-6,
];
const gammaDouble = [
  0.450139312109256298, -0.089611189968932004, 0.0250427515491616762, -0.00803838845964128894, 0.00277689845486656824,
  -0.00100289567619241069, 0.000372960009390635371, -0.000141568484322337266, 0.0000545512261371197622,
  -0.0000212632593663349954, 8.36350081984044723e-6, -3.31393984197593381e-6, 1.32107729379198352e-6,
  -5.29031851062922268e-7, 2.12911121830344323e-7, -8.67002614378466703e-8, 3.51512387534442378e-8,
  -1.32872841245248422e-8, 5.41057219468393635e-9, -3.1976862578204688e-9, 1.31375734898011907e-9,
  8.09687681303050014e-11, -3.48938683085224506e-11, -2.11076521092946088e-10, 8.73236794338928264e-11,
];
/** Stirling's series: B(2k) / (2k (2k − 1)) for k = 1 … 8. */
const stirling = [1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156, -3617 / 122400];

/** sin(πf) / πf and (π cot πf − 1/f) / f by f² for |f| ≤ 1/2, to 2^−33 and 2^−28. */
const sinePi = [1, -1.64493406, 0.811742008, -0.190745384, 0.0261047427, -0.00221547997] as const;
const cotangentPi = [
  -3.28986931, -2.16453171, -2.03846121, -1.94980764, -2.47584319, 0.0371828564, -6.11630154,
] as const;

/** sin(πf) / π for |f| ≤ 1/2. */
const sinPiOverPi = (f: Expr): Expr =>
  isWide(f)
    ? times(call("sin", times(like(f, Math.PI), f)), like(f, 1 / Math.PI))
    : times(f, lowerPolynomial(sinePi, square(f)));

/** y − π cot πf for 0 < |f| ≤ 1/2. */
const minusCotangent = (y: Expr, f: Expr): Expr =>
  isWide(f)
    ? minus(y, over(like(f, Math.PI), call("tan", times(f, like(f, Math.PI)))))
    : minus(minus(y, times(f, lowerPolynomial(cotangentPi, square(f)))), over(like(f, 1), f));

/** log Γ(x) for x ≥ 0; with whether x < 1, where it is `core` − log x. */
function gammaParts(x: Expr): { readonly value: Expr; readonly lifted: Expr; readonly core: Expr } {
  const one = like(x, 1);
  // Into [1, 5/2): up by one, or down by up to six steps, whose factors are multiplied.
  const lifted = less(x, one);
  let r: Expr = x;
  let product: Expr = one;
  for (let k = 0; k < 6; k++) {
    const far = compare("ge", r, like(x, 2.5));
    r = select(far, minus(r, one), r);
    product = select(far, times(product, r), product);
  }
  const place = over(minus(select(lifted, plus(x, one), r), like(x, 1.75)), like(x, 0.75));
  const [first, second] = [select(lifted, x, minus(r, one)), minus(select(lifted, x, minus(r, one)), one)];
  const core = times(times(first, second), lowerPolynomial(isWide(x) ? gammaDouble : gammaSingle, place));
  const isNear = less(x, like(x, 8.5));
  const logarithm = call("log", select(isNear, select(lifted, x, product), x));
  const near = select(lifted, minus(core, logarithm), plus(core, logarithm));
  // (x − 1/2)(log x − 1) + (log 2π − 1)/2 + 1/12x − …
  const inverse = over(one, x);
  const series = times(inverse, lowerPolynomial(stirling.slice(0, isWide(x) ? 8 : 4), square(inverse)));
  const leading = times(minus(x, like(x, 0.5)), minus(logarithm, one));
  const far = plus(leading, plus(series, like(x, (Math.log(2 * Math.PI) - 1) / 2)));
  return { value: select(isNear, near, far), lifted, core };
}

/** log |Γ(x)|; infinite at 0, −1, −2, … */
export function lgamma(x: Expr): Expr {
  const size = abs(x);
  const { value, lifted, core } = gammaParts(size);
  // Γ(x) Γ(−x) = −π / (x sin πx), with the sine of the distance to the nearest pole; below 1 the logarithms of x cancel.
  const s = abs(sinPiOverPi(minus(x, unary("round", x))));
  const product = select(lifted, s, times(s, size));
  const reflected = minus(negate(call("log", product)), select(lifted, core, value));
  const left = less(x, like(x, 0));
  const infinite = either(equal(size, like(x, Infinity)), both(left, equal(s, like(x, 0))));
  return keepNaN(x, select(infinite, like(x, Infinity), select(left, reflected, value)));
}

/** The zero of digamma in (1, 2): the f32 next to it, and the rest. */
const digammaZero = [1.46163213, 1.243815e-8] as const;
/** digamma(z) / (z − zero) in z − 3/2 for 1 ≤ z ≤ 2, to 2^−27; (log z − 1/2z − digamma(z)) z² in 1/z² for z ≥ 3, to 2^−28. */
const digammaCore = [
  0.951055884, -0.423627436, 0.240541562, -0.14840126, 0.0950099304, -0.0620254613, 0.0406044461, -0.0259371027,
  0.0181222875, -0.0161229894, 0.0094268024,
] as const;
const digammaTail = [0.0833324119, -0.00828645471, 0.00323273847] as const;

/** digamma for x > 0 in f32: by ψ(x) = ψ(x + 1) − 1/x and ψ(x) = ψ(x − 1) + 1/(x − 1) from [1, 2], or asymptotically. */
function digammaSingle(x: Expr): Expr {
  const one = like(x, 1);
  const [lift, lower, near] = [less(x, one), compare("ge", x, like(x, 2)), less(x, like(x, 3))];
  const z = select(lower, minus(x, one), x);
  const inverse = over(one, select(near, z, x));
  const [zero, middle] = [digammaZero[0], 1.5].map((p) => minus(z, select(lift, like(x, p - 1), like(x, p))));
  const core = times(minus(zero!, like(x, digammaZero[1])), lowerPolynomial(digammaCore, middle!));
  const shifted = select(lift, minus(core, inverse), select(lower, plus(core, inverse), core));
  const r = square(inverse);
  const tail = plus(times(inverse, like(x, 0.5)), times(r, lowerPolynomial(digammaTail, r)));
  return select(near, shifted, minus(call("log", x), tail));
}

/** For x > 0 in f64: from 10 on the asymptotic series holds; smaller arguments are lifted by ψ(x) = ψ(x + 1) − 1/x. */
function digammaDouble(x: Expr): Expr {
  const one = like(x, 1);
  let z: Expr = x;
  let shift: Expr = like(x, 0);
  for (let k = 0; k < 10; k++) {
    const low = less(z, like(x, 10));
    shift = select(low, minus(shift, over(one, z)), shift);
    z = select(low, plus(z, one), z);
  }
  const inverse = over(one, z);
  const r = square(inverse);
  const tail = times(r, lowerPolynomial(digammaSeries.slice(0, 8), r));
  return plus(shift, minus(minus(call("log", z), times(inverse, like(x, 0.5))), tail));
}

/** The logarithmic derivative of Γ; NaN at its poles. */
export function digamma(x: Expr): Expr {
  const left = compare("le", x, like(x, 0));
  const size = select(left, minus(like(x, 1), x), x);
  const right = isWide(x) ? digammaDouble(size) : digammaSingle(size);
  const fraction = minus(x, unary("round", x));
  const reflected = minusCotangent(right, fraction);
  const pole = both(left, equal(fraction, like(x, 0)));
  return keepNaN(x, select(pole, like(x, NaN), select(left, reflected, right)));
}

// ---------------------------------------------------------------- zeta

/** Terms that are added one by one before the formula of Euler and Maclaurin takes over. */
const leadingTerms = 10;

/**
 * What the formula gives for Σ (a + n)^−x over n ≥ 0 without the first term: c/(x − 1) − c/2a + x c/12a² − …, where
 * c = a^(1 − x), which underflows later than a^−x.
 */
function zetaTail(x: Expr, a: Expr): Expr {
  const one = like(x, 1);
  const c = binary("pow", a, minus(one, x));
  const inverse = over(one, a);
  let term = times(times(times(c, inverse), times(x, inverse)), like(x, 1 / zetaSeries[0]!));
  let sum = plus(minus(over(c, minus(x, one)), times(times(c, inverse), like(x, 0.5))), term);
  for (let i = 1; i < (isWide(x) ? 12 : 8); i++) {
    // Each term from the one before, because the factors alone overflow.
    const [first, second] = [plus(x, like(x, 2 * i - 1)), plus(x, like(x, 2 * i))];
    const ratio = times(times(first, inverse), like(x, zetaSeries[i - 1]! / zetaSeries[i]!));
    term = times(times(term, ratio), times(second, inverse));
    sum = plus(sum, term);
  }
  return sum;
}

/**
 * Hurwitz's Σ (q + n)^−x over n ≥ 0, x > 1. A negative q is allowed for whole x only; with its fraction f,
 * ζ(x, q) = ζ(x, f) + (−1)^x (ζ(x, 1 − f) − ζ(x, 1 − q)): the part of the sum left of 0 is a difference of two tails.
 */
export function zeta(x: Expr, q: Expr): Expr {
  const one = like(x, 1);
  const left = less(q, like(q, 0));
  // Each by itself: near a pole one of them is small, and exact.
  const [fraction, rest] = [minus(q, unary("floor", q)), minus(unary("ceil", q), q)];
  const odd = equal(minus(x, times(like(x, 2), unary("floor", times(x, like(x, 0.5))))), one);
  const sign = select(odd, negate(one), one);
  const by = (j: Index, first: Expr, second: Expr, third: Expr): Expr =>
    select(equal(ofIndex(j), i32(0)), first, select(equal(ofIndex(j), i32(1)), second, third));
  const start = (j: Index): Expr =>
    by(j, select(left, fraction, q), select(left, rest, one), select(left, minus(one, q), one));
  const weight = (j: Index): Expr => {
    const inner = select(left, sign, like(x, 0));
    return by(j, one, inner, negate(inner));
  };
  const type = x.type;
  const [sum] = reduceOver([3, leadingTerms], [type], [0], "add", ([j, k]) => [
    times(weight(j!), binary("pow", plus(start(j!), indexAs(k!, type)), negate(x))),
  ]);
  // Long before that the tail is 0.
  const bounded = least(x, like(x, 1e6));
  const [tail] = reduceOver([3], [type], [0], "add", ([j]) => [
    times(weight(j!), zetaTail(bounded, plus(start(j!), like(x, leadingTerms - 1)))),
  ]);
  const pole = both(compare("le", q, like(q, 0)), isWhole(q));
  const undefinedAt = both(compare("le", q, like(q, 0)), not(isWhole(x)));
  const inside = select(pole, like(x, Infinity), select(undefinedAt, like(x, NaN), plus(sum!, tail!)));
  const result = select(less(x, one), like(x, NaN), keepNaN(q, inside));
  return keepNaN(x, select(equal(x, one), like(x, Infinity), result));
}

/** The n-th derivative of digamma: (−1)^(n+1) n! ζ(n + 1, x). */
export function polygamma(n: Expr, x: Expr): Expr {
  const order = plus(n, like(n, 1));
  const even = equal(minus(n, times(like(n, 2), unary("floor", times(n, like(n, 0.5))))), like(n, 0));
  const factorial = call("exp", gammaParts(abs(order)).value);
  const value = times(times(select(even, like(n, -1), like(n, 1)), factorial), zeta(order, x));
  const none = either(less(n, like(n, 0)), not(isWhole(n)));
  return keepNaN(n, keepNaN(x, select(none, like(n, NaN), select(equal(n, like(n, 0)), digamma(x), value))));
}
