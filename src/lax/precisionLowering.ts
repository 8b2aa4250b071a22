/**
 * Expressions on the bits of numbers: reading the same bits as another dtype, and rounding to a format with fewer.
 */
import { type DType, bytesPerElement, isFloat } from "../core/dtype.ts";
import { decode, encode, normalize, packedLayout, scalarTypeOf } from "../core/elementTypes.ts";
import {
  type Expr,
  bitcast,
  both,
  compare,
  convert,
  either,
  equal,
  binary,
  f32,
  less,
  like,
  minus,
  negate,
  plus,
  select,
  times,
  u32,
  unary,
} from "../core/scalar.ts";
import { isFinite } from "./arithmeticLowering.ts";

// ---------------------------------------------------------------- bits as another dtype

/** The stored bits of an element of up to 32 bits, as the low bits of a word. */
export function bitsOf(dtype: DType, x: Expr): Expr {
  const stored = encode(dtype, packedLayout, x);
  const bits = stored.type === "f32" ? bitcast(stored, "u32") : convert(stored, "u32");
  return bytesPerElement(dtype) === 4 ? bits : both(bits, u32(2 ** (8 * bytesPerElement(dtype)) - 1));
}
/** The element whose stored bits are the low bits of a word; the others are 0. */
export function ofBits(dtype: DType, bits: Expr): Expr {
  if (dtype === "float32") return bitcast(bits, "f32");
  return isFloat(dtype) ? decode(dtype, packedLayout, bits) : normalize(dtype, convert(bits, scalarTypeOf(dtype)));
}
/** Part `k` of a word's bits, counted from the lowest, where parts have the width of `dtype`. */
export const partOf = (bits: Expr, k: Expr, dtype: DType): Expr => {
  const width = 8 * bytesPerElement(dtype);
  return both(binary("shr", bits, times(k, u32(width))), u32(2 ** width - 1));
};
/** The word whose parts, of the width of `dtype`, are given from the lowest. */
export const joined = (parts: readonly Expr[], dtype: DType): Expr =>
  parts.map((p, k) => binary("shl", p, u32(8 * bytesPerElement(dtype) * k))).reduce((word, p) => either(word, p));

// ---------------------------------------------------------------- fewer bits

export interface Format {
  readonly exponentBits: number;
  readonly mantissaBits: number;
}

/** Rounds |x| of float32 to a multiple of 2^drop units in its last place, ties to even. */
function roundBits(size: Expr, { mantissaBits }: Format): Expr {
  const drop = 23 - mantissaBits;
  if (drop <= 0) return size;
  // Below 2^−126 the bits do not start with the leading one; scaled up they do.
  const tiny = less(size, f32(2 ** -126));
  const bits = bitcast(select(tiny, times(size, f32(2 ** 24)), size), "u32");
  // With no bit after the leading one, that is the odd one, and no bit of the exponent.
  const odd = mantissaBits === 0 ? u32(1) : both(binary("shr", bits, u32(drop)), u32(1));
  const raised = plus(plus(bits, u32(2 ** (drop - 1) - 1)), odd);
  const rounded = bitcast(both(raised, u32(2 ** 32 - 2 ** drop)), "f32");
  return select(tiny, times(rounded, f32(2 ** -24)), rounded);
}

/** Powers of two that together bring every float64 into the range of float32. */
const scales = [512, 256, 128, 64] as const;

/** The same for float64, whose bits are out of reach: adding 2^(52 − m) times the leading power of two rounds to m bits. */
function roundByAdding(size: Expr, { mantissaBits }: Format): Expr {
  if (mantissaBits >= 52) return size;
  let x = size;
  const undone: Expr[] = [];
  for (const n of scales) {
    const [small, large] = [less(x, like(x, 2 ** -n)), compare("ge", x, like(x, 2 ** n))];
    const by = (up: number, down: number): Expr => select(small, like(x, up), select(large, like(x, down), like(x, 1)));
    undone.push(by(2 ** -n, 2 ** n));
    x = times(x, by(2 ** n, 2 ** -n));
  }
  const near = convert(bitcast(both(bitcast(convert(x, "f32"), "u32"), u32(0x7f800000)), "f32"), "f64");
  // Rounding to float32 may have reached the next power.
  const leading = select(compare("gt", near, x), times(near, like(x, 0.5)), near);
  const shift = times(leading, like(x, 2 ** (52 - mantissaBits)));
  return undone.reduceRight((y, factor) => times(y, factor), minus(plus(x, shift), shift));
}

/** Rounds to a format, ties to even; overflows to infinity and underflows to zero. */
export function reducePrecision(x: Expr, format: Format): Expr {
  const size = unary("abs", x);
  const rounded = x.type === "f64" ? roundByAdding(size, format) : roundBits(size, format);
  const bias = 2 ** (format.exponentBits - 1) - 1;
  const high = compare("ge", rounded, like(x, 2 ** (bias + 1)));
  const low = less(rounded, like(x, 2 ** (1 - bias)));
  const fitted = select(high, like(x, Infinity), select(low, like(x, 0), rounded));
  const unchanged = either(equal(x, like(x, 0)), unary("not", isFinite(x)));
  return select(unchanged, x, select(less(x, like(x, 0)), negate(fitted), fitted));
}
