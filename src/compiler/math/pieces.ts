/**
 * What the f32 functions of this folder are made of. Rules for all of them: arithmetic may be contracted to fused
 * operations and subnormal numbers may count as 0 (WGSL allows both), so no result hangs on the rounding of a product,
 * except of products that are exact; special values are chosen by comparison at the end.
 *
 * Coefficients are minimax fits: least squares with Lawson's weights on the error relative to the function, coefficients
 * rounded to f32 one after the other, lowest order first, and the others fitted again.
 */
import {
  type Expr,
  binary,
  bitcast,
  convert,
  f32,
  i32,
  less,
  plus,
  select,
  times,
  u32,
  unary,
} from "../../core/scalar.ts";

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

/** c0 + x (c1 + x (c2 + …)). */
export const polynomial = (x: Expr, c: readonly number[]): Expr =>
  c.reduceRight<Expr | null>((sum, k) => (sum ? plus(f32(k), times(x, sum)) : f32(k)), null)!;
/** x + x³ P(x²). */
export const oddSeries = (x: Expr, c: readonly number[]): Expr => {
  const square = times(x, x);
  return plus(x, times(times(x, square), polynomial(square, c)));
};

/** 2^n for a whole number in −126 … 127. */
export const powerOfTwo = (n: Expr): Expr => floatOf(binary("shl", plus(n, i32(127)), i32(23)));
/** v · 2^n for n in −252 … 254: in two steps, so that the result may be subnormal or overflow. */
export function scaled(v: Expr, n: Expr): Expr {
  const half = binary("shr", n, i32(1));
  return times(times(v, powerOfTwo(half)), powerOfTwo(binary("sub", n, half)));
}
export const whole = (x: Expr): Expr => convert(x, "i32");
/** The number with only the upper 12 bits of its significand: products of two such numbers are exact. */
export const upperHalf = (x: Expr): Expr => floatOf(binary("and", bitsOf(x), u32(0xfffff000)));
