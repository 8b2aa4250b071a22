/**
 * What the f32 functions of this folder are made of. Rules for all of them: arithmetic may be contracted to fused
 * operations and subnormal numbers may count as 0 (WGSL allows both), so no result hangs on the rounding of a product,
 * except of products that are exact; special values are chosen by comparison at the end.
 *
 * Coefficients are minimax fits: least squares with Lawson's weights on the error relative to the function, coefficients
 * rounded to f32 one after the other, lowest order first, and the others fitted again.
 */
import type { Target } from "../target.ts";
import {
  type Expr,
  binary,
  bitcast,
  f32,
  i32,
  isNaNExpr,
  less,
  plus,
  select,
  times,
  u32,
  unary,
} from "../../core/scalar.ts";

/** What expansions ask of a machine. */
export type Arithmetic = Pick<Target, "keepsNaN">;

export const one = /* @__PURE__ */ f32(1);
export const infinity = /* @__PURE__ */ f32(Infinity);
export const nan = /* @__PURE__ */ f32(NaN);
export const ln2 = /* @__PURE__ */ f32(Math.LN2);
/** log 2 in two parts; whole numbers below 2^14 times the first are exact. */
export const ln2High = /* @__PURE__ */ f32(0.693359375);
export const ln2Low = /* @__PURE__ */ f32(-0.00021219444170128554);

export const abs = (x: Expr): Expr => unary("abs", x);
export const sqrt = (x: Expr): Expr => unary("sqrt", x);
export const bitsOf = (x: Expr): Expr => bitcast(x, "u32");
export const floatOf = (bits: Expr): Expr => bitcast(bits, "f32");
export const signBit = (x: Expr): Expr => binary("and", bitsOf(x), u32(0x80000000));
/** A magnitude with the sign bit of another number; a negative magnitude is negated by it. */
export const signed = (magnitude: Expr, sign: Expr): Expr => floatOf(binary("xor", bitsOf(magnitude), sign));
/** Numbers below the bound are given back as they are: −0 and subnormal ones included. */
export const tinyAsIs = (x: Expr, bound: number, value: Expr): Expr => select(less(abs(x), f32(bound)), x, value);

/** NaN for NaN, of a value that arithmetic was done on `x` for, and that is NaN then where machines keep it. */
export const orNaN = (x: Expr, value: Expr, { keepsNaN }: Arithmetic): Expr =>
  keepsNaN ? value : select(isNaNExpr(x), nan, value);

/** c0 + c1 x + c2 x² + …, by Estrin's scheme: a long chain of operations would be all that a machine waits for. */
export function polynomial(x: Expr, c: readonly number[]): Expr {
  let terms: readonly Expr[] = c.map((k) => f32(k));
  for (let power = x; ; power = times(power, power)) {
    terms = terms.flatMap((t, i) => (i % 2 ? [] : i + 1 < terms.length ? plus(t, times(power, terms[i + 1]!)) : t));
    if (terms.length === 1) return terms[0]!;
  }
}
/** x + x³ P(x²). */
export const oddSeries = (x: Expr, c: readonly number[]): Expr => {
  const square = times(x, x);
  return plus(x, times(times(x, square), polynomial(square, c)));
};

/** 2^n for a whole number in −126 … 127. */
export const powerOfTwo = (n: Expr): Expr => biasedPower(plus(n, i32(127)));
const biasedPower = (exponent: Expr): Expr => floatOf(binary("shl", exponent, i32(23)));
/** v · 2^n for n in −252 … 254: in two steps, so that the result may be subnormal or overflow. */
export function scaled(v: Expr, n: Expr): Expr {
  // Both exponents are biased by 127, in one addition, which is none where n is a difference itself.
  const isDifference = n.kind === "binary" && n.op === "sub" && n.y.kind === "const";
  const both = isDifference ? binary("sub", n.x, i32(n.y.value - 254)) : plus(n, i32(254));
  const half = binary("shr", both, i32(1));
  return times(times(v, biasedPower(half)), biasedPower(binary("sub", both, half)));
}
/** The nearest whole number to an x within ±2^22: as a float, and as an i32. Adding 1.5 · 2^23 leaves no place for less. */
export function rounded(x: Expr): { readonly n: Expr; readonly whole: Expr } {
  const shifted = plus(x, f32(12582912));
  return { n: binary("sub", shifted, f32(12582912)), whole: binary("sub", bitcast(shifted, "i32"), i32(0x4b400000)) };
}
/** The number within bounds; NaN may give anything, which is cheaper than `min` and `max`. */
export const clamped = (x: Expr, low: number, high: number): Expr => atMost(atLeast(x, f32(low)), f32(high));
export const atMost = (x: Expr, high: Expr): Expr => select(less(high, x), high, x);
export const atLeast = (x: Expr, low: Expr): Expr => select(less(x, low), low, x);
/** The number with only the upper 12 bits of its significand: products of two such numbers are exact. */
export const upperHalf = (x: Expr): Expr => floatOf(binary("and", bitsOf(x), u32(0xfffff000)));
