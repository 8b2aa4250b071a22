/** e^x and its kin: x = n log 2 + r, then 2^n e^r with a polynomial for e^r. */
import { type Expr, f32, i32, less, minus, over, plus, select, times } from "../../core/scalar.ts";
import {
  type Arithmetic,
  abs,
  atMost,
  clamped,
  ln2High,
  ln2Low,
  oddSeries,
  one,
  orNaN,
  polynomial,
  powerOfTwo,
  rounded,
  scaled,
  signBit,
  signed,
  tinyAsIs,
} from "./pieces.ts";

/** (e^r − 1 − r) / r² for |r| ≤ log(2) / 2, to 2^−26 of e^r − 1. */
const exponential = [0.49999997, 0.16666542, 0.04166743, 0.008366876, 0.0013871877] as const;
/** (2^r − 1) / r for |r| ≤ 1/2, to 2^−28 of 2^r. */
const binaryExponential = [0.6931472, 0.24022648, 0.0555036, 0.009618506, 0.0013390806, 0.00015326461] as const;
/** (sinh x − x) / x³ by x² for |x| ≤ 1, to 2^−31. */
const sine = [0.16666667, 0.0083333105, 0.00019842896, 2.7822132e-6] as const;
/** (tanh x − x) / x³ by x² for |x| ≤ 5/8, to 2^−27. */
const tangent = [-0.3333328, 0.13331406, -0.053736515, 0.020628167, -0.0056922967] as const;

/** n, r and e^r − 1 − r. */
function reduced(x: Expr): { readonly n: Expr; readonly r: Expr; readonly rest: Expr } {
  const { n, whole } = rounded(times(x, f32(Math.LOG2E)));
  const r = minus(minus(x, times(n, ln2High)), times(n, ln2Low));
  return { n: whole, r, rest: times(times(r, r), polynomial(r, exponential)) };
}

export function exp(x: Expr, arithmetic: Arithmetic): Expr {
  const { n, r, rest } = reduced(clamped(x, -104, 89));
  return orNaN(x, scaled(plus(one, plus(r, rest)), n), arithmetic);
}

/** 2^(n + r) for |r| ≤ 1/2 and an i32 n. */
export const exp2Of = (n: Expr, r: Expr): Expr => scaled(plus(one, times(r, polynomial(r, binaryExponential))), n);

export function exp2(x: Expr, arithmetic: Arithmetic): Expr {
  const y = clamped(x, -151, 129);
  const { n, whole } = rounded(y);
  return orNaN(x, exp2Of(whole, minus(y, n)), arithmetic);
}

/** e^x − 1 for −26 ≤ x ≤ 89. */
function expm1Of(x: Expr): Expr {
  const { n, r, rest } = reduced(x);
  // In halves, because 2^128 is none of the numbers.
  const half = powerOfTwo(minus(n, i32(1)));
  const most = plus(minus(half, f32(0.5)), times(half, r));
  return times(plus(most, times(half, rest)), f32(2));
}
export const expm1 = (x: Expr, arithmetic: Arithmetic): Expr =>
  tinyAsIs(x, 2 ** -25, orNaN(x, expm1Of(clamped(x, -26, 89)), arithmetic));

/** tanh a = 1 − 2 / (e^2a + 1). */
export function tanh(x: Expr, arithmetic: Arithmetic): Expr {
  const a = abs(x);
  const { n, r, rest } = reduced(atMost(plus(a, a), f32(20)));
  const power = times(plus(one, plus(r, rest)), powerOfTwo(n));
  const large = signed(minus(one, over(f32(2), plus(power, one))), signBit(x));
  return tinyAsIs(x, 2 ** -13, orNaN(x, select(less(a, f32(0.625)), oddSeries(x, tangent), large), arithmetic));
}

/** e^a / 2 and the half of its reciprocal. */
function halves(a: Expr): readonly [Expr, Expr] {
  const { n, r, rest } = reduced(atMost(a, f32(90)));
  const half = scaled(plus(one, plus(r, rest)), minus(n, i32(1)));
  return [half, over(f32(0.25), half)];
}
export function sinh(x: Expr, arithmetic: Arithmetic): Expr {
  const a = abs(x);
  const [up, down] = halves(a);
  const large = signed(minus(up, down), signBit(x));
  return orNaN(x, select(less(a, one), oddSeries(x, sine), large), arithmetic);
}
export function cosh(x: Expr, arithmetic: Arithmetic): Expr {
  const [up, down] = halves(abs(x));
  return orNaN(x, plus(up, down), arithmetic);
}
