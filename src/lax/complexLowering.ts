/**
 * Complex arithmetic and elementary functions on pairs of float32 expressions: `complexMath.ts` for kernels, with the
 * same branch cuts. That file can compute in float64; here ranges are split, so that nothing overflows on the way.
 */
import type { Value } from "../core/lowering.ts";
import {
  type Expr,
  type MathFunction,
  binary,
  bitcast,
  both,
  compare,
  either,
  equal,
  f32,
  greatest,
  i32,
  isNaNExpr,
  least,
  less,
  minus,
  negate,
  over,
  plus,
  select,
  times,
  unary,
} from "../core/scalar.ts";

/** An element of two scalars. */
type Pair = readonly [re: Expr, im: Expr];
const pair = (z: Value): Pair => z as Pair;
export type ComplexFunction = (z: Value) => Value;

const call = (f: MathFunction, x: Expr): Expr => unary(f, x);
const abs = (x: Expr): Expr => unary("abs", x);
const sqrt = (x: Expr): Expr => unary("sqrt", x);
const half = (x: Expr): Expr => times(x, f32(0.5));
const zero = /* @__PURE__ */ f32(0);
const one: Pair = [/* @__PURE__ */ f32(1), zero];
const chosen = (condition: Expr, x: Pair, y: Pair): Pair => [
  select(condition, x[0], y[0]),
  select(condition, x[1], y[1]),
];
/** The magnitude of x with the sign of y, also of −0. */
const withSignOf = (x: Expr, y: Expr): Expr => select(less(bitcast(y, "i32"), i32(0)), negate(x), x);

// ---------------------------------------------------------------- arithmetic

export const add = (x: Value, y: Value): Pair => [plus(x[0]!, y[0]!), plus(x[1]!, y[1]!)];
export const sub = (x: Value, y: Value): Pair => [minus(x[0]!, y[0]!), minus(x[1]!, y[1]!)];
export const neg = (z: Value): Pair => [negate(z[0]!), negate(z[1]!)];
export function mul(x: Value, y: Value): Pair {
  const [[a, b], [c, d]] = [pair(x), pair(y)];
  return [minus(times(a, c), times(b, d)), plus(times(a, d), times(b, c))];
}
/** i·z and −i·z, exact. */
const timesI = (z: Value): Pair => [negate(z[1]!), z[0]!];
const overI = (z: Value): Pair => [z[1]!, negate(z[0]!)];

/** Scaled by the larger part of the divisor (Smith). */
export function div(x: Value, y: Value): Pair {
  const [[a, b], [c, d]] = [pair(x), pair(y)];
  const large = compare("ge", abs(c), abs(d));
  const [p, q] = [select(large, c, d), select(large, d, c)];
  const r = over(q, p);
  const size = plus(p, times(q, r));
  const re = over(select(large, plus(a, times(b, r)), plus(times(a, r), b)), size);
  const im = over(select(large, minus(b, times(a, r)), minus(times(b, r), a)), size);
  return chosen(equal(d, zero), [over(a, c), over(b, c)], [re, im]);
}

/** √(a² + b²) */
function hypot(a: Expr, b: Expr): Expr {
  const [x, y] = [abs(a), abs(b)];
  const [large, small] = [greatest(x, y), least(x, y)];
  const r = over(small, large);
  const size = times(large, sqrt(plus(f32(1), times(r, r))));
  const infinite = either(equal(x, f32(Infinity)), equal(y, f32(Infinity)));
  return select(infinite, f32(Infinity), select(equal(large, zero), large, size));
}
export const modulus = (z: Value): Expr => hypot(z[0]!, z[1]!);

/** z / |z|, and 0 at 0. */
export function sign(z: Value): Pair {
  const r = modulus(z);
  const none = equal(r, zero);
  const by = select(none, f32(1), r);
  return [over(z[0]!, by), over(z[1]!, by)];
}

/** Lexicographic order; of NaNs the first. */
const lexicographic =
  (wins: "gt" | "lt") =>
  (x: Value, y: Value): Pair => {
    const [[a, b], [c, d]] = [pair(x), pair(y)];
    const isNaN = (z: Pair): Expr => either(isNaNExpr(z[0]), isNaNExpr(z[1]));
    const tied = both(equal(a, c), compare(wins === "gt" ? "ge" : "le", b, d));
    const first = either(compare(wins, a, c), tied);
    return chosen(either(isNaN([a, b]), both(unary("not", isNaN([c, d])), first)), [a, b], [c, d]);
  };
export const lexicographicMax = /* @__PURE__ */ lexicographic("gt");
export const lexicographicMin = /* @__PURE__ */ lexicographic("lt");

/** A known whole power, by squaring. */
export function integerPower(z: Value, n: number): Pair {
  let result: Pair = one;
  for (let k = Math.abs(n), base = pair(z); k > 0; k = Math.floor(k / 2), base = mul(base, base))
    if (k % 2 === 1) result = result === one ? base : mul(result, base);
  return n < 0 ? div(one, result) : result;
}

// ---------------------------------------------------------------- exponentials, logarithms, powers

/** e^a · x in two factors, so that e^a alone may overflow. */
function scaledExp(a: Expr, x: Expr): Expr {
  const root = call("exp", half(a));
  return times(times(root, x), root);
}

export function exp(z: Value): Pair {
  const [a, b] = pair(z);
  // A real argument has a real result, also where e^a is infinite.
  const real = equal(b, zero);
  return [select(real, call("exp", a), scaledExp(a, call("cos", b))), select(real, b, scaledExp(a, call("sin", b)))];
}
export const exp2: ComplexFunction = (z) => exp([times(z[0]!, f32(Math.LN2)), times(z[1]!, f32(Math.LN2))]);

export function expm1(z: Value): Pair {
  const [a, b] = pair(z);
  const s = call("sin", half(b));
  const re = minus(times(call("expm1", a), call("cos", b)), times(f32(2), times(s, s)));
  return [re, select(equal(b, zero), b, scaledExp(a, call("sin", b)))];
}

export function log(z: Value): Pair {
  const [a, b] = pair(z);
  const [x, y] = [abs(a), abs(b)];
  const [large, small] = [greatest(x, y), least(x, y)];
  // Near the unit circle |z|² − 1 = (large − 1)(large + 1) + small², without the rounding of |z|.
  const excess = plus(times(minus(large, f32(1)), plus(large, f32(1))), times(small, small));
  const near = less(abs(excess), f32(0.5));
  const safe = select(near, excess, zero);
  return [select(near, half(call("log1p", safe)), call("log", hypot(a, b))), binary("atan2", b, a)];
}

export function log1p(z: Value): Pair {
  const [a, b] = pair(z);
  const excess = plus(times(a, plus(f32(2), a)), times(b, b));
  const near = less(abs(excess), f32(0.5));
  const shifted = plus(a, f32(1));
  const re = select(near, half(call("log1p", select(near, excess, zero))), call("log", hypot(shifted, b)));
  return [re, binary("atan2", b, shifted)];
}

export function csqrt(z: Value): Pair {
  const [a, b] = pair(z);
  // Halves first: |a| + |z| may overflow.
  const t = sqrt(plus(half(abs(a)), hypot(half(a), half(b))));
  const im = withSignOf(t, b);
  const root = chosen(less(a, zero), [over(b, times(f32(2), im)), im], [t, over(b, times(f32(2), t))]);
  const origin = both(equal(a, zero), equal(b, zero));
  return chosen(origin, [zero, b], chosen(equal(abs(b), f32(Infinity)), [f32(Infinity), b], root));
}
export const rsqrt: ComplexFunction = (z) => div(one, csqrt(z));

/** x^y = exp(y log x); 0^0 = 1 and otherwise 0^y = 0. */
export function pow(x: Value, y: Value): Pair {
  const isZero = (z: Value): Expr => both(equal(z[0]!, zero), equal(z[1]!, zero));
  const ofZero = chosen(less(y[0]!, zero), [f32(Infinity), f32(NaN)], [zero, zero]);
  return chosen(isZero(y), one, chosen(isZero(x), ofZero, exp(mul(y, log(x)))));
}

/** 1 / (1 + e^−z), with the exponential on the side where it does not overflow. */
export function logistic(z: Value): Pair {
  const right = compare("ge", z[0]!, zero);
  const e = exp(chosen(right, neg(z), pair(z)));
  return div(chosen(right, one, e), add(one, e));
}

// ---------------------------------------------------------------- trigonometric and hyperbolic functions

/** sinh(a) · x and cosh(a) · x; where the other exponential no longer counts, in factors that do not overflow. */
const hyperbolic =
  (f: "sinh" | "cosh") =>
  (a: Expr, x: Expr): Expr => {
    const far = scaledExp(abs(a), half(x));
    const beyond = compare("gt", abs(a), f32(20));
    return select(beyond, f === "sinh" ? signedLike(far, a) : far, times(call(f, a), x));
  };
/** x, negated where y is negative. */
const signedLike = (x: Expr, y: Expr): Expr => select(less(y, zero), negate(x), x);
const sinhTimes = /* @__PURE__ */ hyperbolic("sinh");
const coshTimes = /* @__PURE__ */ hyperbolic("cosh");

export function sinh(z: Value): Pair {
  const [a, b] = pair(z);
  return [sinhTimes(a, call("cos", b)), select(equal(b, zero), b, coshTimes(a, call("sin", b)))];
}
export function cosh(z: Value): Pair {
  const [a, b] = pair(z);
  const real = either(equal(a, zero), equal(b, zero));
  return [coshTimes(a, call("cos", b)), select(real, zero, sinhTimes(a, call("sin", b)))];
}

/**
 * Kahan's formula with t = tan b, s = sinh a, β = 1 + t²: (β s √(1 + s²) + i t) / (1 + β s²). For large |a| it is
 * ±1 + 2i e^(−2|a|) sin 2b.
 */
export function tanh(z: Value): Pair {
  const [a, b] = pair(z);
  const size = abs(a);
  const far = compare("gt", size, f32(10));
  const s = call("sinh", select(far, zero, a));
  const t = call("tan", b);
  const beta = plus(f32(1), times(t, t));
  const d = plus(f32(1), times(beta, times(s, s)));
  const re = over(times(times(beta, s), sqrt(plus(f32(1), times(s, s)))), d);
  const tail = times(times(f32(2), call("exp", times(f32(-2), size))), call("sin", times(f32(2), b)));
  const flat = compare("gt", size, f32(60));
  return chosen(far, [signedLike(f32(1), a), select(flat, zero, tail)], [re, over(t, d)]);
}
export const sin: ComplexFunction = (z) => overI(sinh(timesI(z)));
export const cos: ComplexFunction = (z) => cosh(timesI(z));
export const tan: ComplexFunction = (z) => overI(tanh(timesI(z)));

const conjugate = (z: Value): Pair => [z[0]!, negate(z[1]!)];
/** √(1 − z) and √(1 + z) */
const rootsAroundOne = ([a, b]: Pair): readonly [Pair, Pair] => [
  csqrt([minus(f32(1), a), negate(b)]),
  csqrt([plus(f32(1), a), b]),
];

// Kahan, "Branch cuts for complex elementary functions" (1987): no cancellation near 0 or ±1.
export function asin(z: Value): Pair {
  const [before, after] = rootsAroundOne(pair(z));
  return [binary("atan2", z[0]!, mul(before, after)[0]), call("asinh", mul(conjugate(before), after)[1])];
}
export const asinh: ComplexFunction = (z) => overI(asin(timesI(z)));
export function acos(z: Value): Pair {
  const [before, after] = rootsAroundOne(pair(z));
  return [times(f32(2), binary("atan2", before[0], after[0])), call("asinh", mul(conjugate(after), before)[1])];
}
export function acosh(z: Value): Pair {
  const [a, b] = pair(z);
  const [before, after] = [csqrt([minus(a, f32(1)), b]), csqrt([plus(a, f32(1)), b])];
  return [call("asinh", mul(conjugate(before), after)[0]), times(f32(2), binary("atan2", before[1], after[0]))];
}
/** (log(1 + z) − log(1 − z)) / 2 */
export function atanh(z: Value): Pair {
  const [re, im] = sub(log1p(z), log1p(neg(z)));
  return [half(re), half(im)];
}
export const atan: ComplexFunction = (z) => overI(atanh(timesI(z)));

/** −i log((y + i·x) / √(x² + y²)) */
export const atan2 = (x: Value, y: Value): Pair => overI(log(div(add(y, timesI(x)), csqrt(add(mul(x, x), mul(y, y))))));
