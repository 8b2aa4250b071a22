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
const polynomial = (coefficients: readonly number[], x: Expr): Expr =>
  coefficients
    .slice(0, -1)
    .reduceRight<Expr>((sum, c) => plus(times(sum, x), like(x, c)), like(x, coefficients.at(-1)!));

// ---------------------------------------------------------------- error functions

/** e^(−x²) for 0 ≤ x ≤ 30, with x split into a part whose square is exact and the rest: the exponent is large. */
function gaussian(x: Expr): Expr {
  const high = isWide(x) ? convert(convert(x, "f32"), "f64") : bitcast(both(bitcast(x, "u32"), u32(0xfffff000)), "f32");
  const rest = times(minus(x, high), plus(x, high));
  return times(call("exp", negate(square(high))), call("exp", negate(rest)));
}

/** erfc for x ≥ 0: the Chebyshev series of `specialMath.ts`, by Clenshaw's recurrence. */
function erfcPositive(size: Expr): Expr {
  const x = least(size, like(size, 30));
  const t = over(like(x, 2), plus(x, like(x, 2)));
  const u = minus(times(t, like(x, 4)), like(x, 2));
  const series = isWide(x) ? erfcSeries : erfcSeries.slice(0, 14);
  let d: Expr = like(x, 0);
  let previous: Expr = like(x, 0);
  for (let j = series.length - 1; j > 0; j--)
    [d, previous] = [plus(minus(times(u, d), previous), like(x, series[j]!)), d];
  const exponent = minus(times(like(x, 0.5), plus(times(u, d), like(x, series[0]!))), previous);
  return times(times(t, call("exp", exponent)), gaussian(x));
}

/** The Taylor series for |x| < 1/2: 2/√π Σ (−1)^n x^(2n+1) / (n! (2n + 1)). */
function erfSmall(x: Expr): Expr {
  const coefficients: number[] = [];
  for (let n = 0, c = 2 / Math.sqrt(Math.PI); n < (isWide(x) ? 13 : 8); n++, c /= -n)
    coefficients.push(c / (2 * n + 1));
  return times(x, polynomial(coefficients, square(x)));
}

const isSmall = (x: Expr): Expr => less(abs(x), like(x, 0.5));

export function erf(x: Expr): Expr {
  const rest = minus(like(x, 1), erfcPositive(abs(x)));
  const signed = select(less(x, like(x, 0)), negate(rest), rest);
  return keepNaN(x, select(isSmall(x), erfSmall(x), signed));
}
export function erfc(x: Expr): Expr {
  const rest = erfcPositive(abs(x));
  const signed = select(less(x, like(x, 0)), minus(like(x, 2), rest), rest);
  return keepNaN(x, select(isSmall(x), minus(like(x, 1), erfSmall(x)), signed));
}

/** Giles, "Approximating the erfinv function" (2010), single precision: in w − 5/2 and in √w − 3. */
const inverseCentre = [
  1.50140941, 0.246640727, -0.00417768164, -0.00125372503, 0.00021858087, -4.39150654e-6, -3.5233877e-6, 3.43273939e-7,
  2.81022636e-8,
];
const inverseTail = [
  2.83297682, 1.00167406, 0.00943887047, -0.0076224613, 0.00573950773, -0.00367342844, 0.00134934322, 0.000100950558,
  -0.000200214257,
];
function erfInvSingle(y: Expr): Expr {
  const w = negate(call("log", times(minus(like(y, 1), y), plus(y, like(y, 1)))));
  const centre = polynomial(inverseCentre, minus(w, like(y, 2.5)));
  const tail = polynomial(inverseTail, minus(unary("sqrt", w), like(y, 3)));
  return times(select(less(w, like(y, 5)), centre, tail), y);
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
    const [small, complement] = [erfSmall(x), erfcPositive(x)];
    const below = minus(select(isSmall(x), small, minus(one, complement)), a);
    const error = select(above(a, 0.5), minus(minus(one, a), complement), below);
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

/** log Γ(x) for x ≥ 0. */
function lgammaPositive(x: Expr): Expr {
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
  const core = times(times(first, second), polynomial(isWide(x) ? gammaDouble : gammaSingle, place));
  const logarithm = call("log", select(lifted, x, product));
  const near = select(lifted, minus(core, logarithm), plus(core, logarithm));
  // (x − 1/2)(log x − 1) + (log 2π − 1)/2 + 1/12x − …
  const inverse = over(one, x);
  const series = times(inverse, polynomial(stirling.slice(0, isWide(x) ? 8 : 4), square(inverse)));
  const leading = times(minus(x, like(x, 0.5)), minus(call("log", x), one));
  const far = plus(leading, plus(series, like(x, (Math.log(2 * Math.PI) - 1) / 2)));
  return select(less(x, like(x, 8.5)), near, far);
}

/** log |Γ(x)|; infinite at 0, −1, −2, … */
export function lgamma(x: Expr): Expr {
  const size = abs(x);
  const direct = lgammaPositive(size);
  // Γ(x) Γ(−x) = −π / (x sin πx), with the sine of the distance to the nearest pole.
  const s = abs(call("sin", times(like(x, Math.PI), minus(x, unary("round", x)))));
  const reflected = minus(minus(negate(call("log", times(s, like(x, 1 / Math.PI)))), call("log", size)), direct);
  const left = less(x, like(x, 0));
  const infinite = either(equal(size, like(x, Infinity)), both(left, equal(s, like(x, 0))));
  return keepNaN(x, select(infinite, like(x, Infinity), select(left, reflected, direct)));
}

/** The logarithmic derivative of Γ; NaN at its poles. */
export function digamma(x: Expr): Expr {
  const zero = like(x, 0);
  const one = like(x, 1);
  const left = compare("le", x, zero);
  // From `start` on the asymptotic series holds; smaller arguments are lifted by ψ(x) = ψ(x + 1) − 1/x.
  const [start, terms] = isWide(x) ? [10, 8] : [6, 4];
  let z: Expr = select(left, minus(one, x), x);
  let shift: Expr = zero;
  for (let k = 0; k < start; k++) {
    const low = less(z, like(x, start));
    shift = select(low, minus(shift, over(one, z)), shift);
    z = select(low, plus(z, one), z);
  }
  const inverse = over(one, z);
  const r = square(inverse);
  const tail = times(r, polynomial(digammaSeries.slice(0, terms), r));
  const right = plus(shift, minus(minus(call("log", z), times(inverse, like(x, 0.5))), tail));
  const fraction = minus(x, unary("round", x));
  const reflected = minus(right, over(like(x, Math.PI), call("tan", times(fraction, like(x, Math.PI)))));
  const pole = both(left, equal(fraction, zero));
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
  const factorial = call("exp", lgammaPositive(abs(order)));
  const value = times(times(select(even, like(n, -1), like(n, 1)), factorial), zeta(order, x));
  const none = either(less(n, like(n, 0)), not(isWhole(n)));
  return keepNaN(n, keepNaN(x, select(none, like(n, NaN), select(equal(n, like(n, 0)), digamma(x), value))));
}
