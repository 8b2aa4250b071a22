/**
 * Dtypes in kernels, legalised here and nowhere else: how an element lies in memory, in which machine types it is
 * computed, and how it gets from one to the other.
 *
 * Narrow integers are computed in 32 bits and wrapped, float16 and bfloat16 in float32 and rounded after every operation,
 * so that a fused kernel gives the numbers of the reference. Kernel values of a dtype are always representable in it.
 */
import type { DType } from "./dtype.ts";
import {
  type Expr,
  type ScalarType,
  type StorageType,
  binary,
  bitcast,
  both,
  compare,
  convert,
  either,
  f32,
  greatest,
  isNaNExpr,
  least,
  less,
  plus,
  select,
  times,
  u32,
  unary,
  i32,
} from "./scalar.ts";

/** The type that an element, or a lane of it, is computed in. */
export const scalarTypeOf = (d: DType): ScalarType => computeTypes[d];
const computeTypes: Readonly<Record<DType, ScalarType>> = {
  bool: "bool",
  int8: "i32",
  int16: "i32",
  int32: "i32",
  uint8: "u32",
  uint16: "u32",
  uint32: "u32",
  float16: "f32",
  bfloat16: "f32",
  float32: "f32",
  float64: "f64",
  complex64: "f32",
  "key<fry>": "u32",
};

/** How a device stores elements. `float16` and `bfloat16` lie in 16 bits, or as float32 of representable values. */
export type Layout = Readonly<Record<DType, StorageType>>;
/** As NumPy stores them. */
export const packedLayout: Layout = {
  bool: "u8",
  int8: "i8",
  int16: "i16",
  int32: "i32",
  uint8: "u8",
  uint16: "u16",
  uint32: "u32",
  float16: "u16",
  bfloat16: "u16",
  float32: "f32",
  float64: "f64",
  complex64: "f32",
  "key<fry>": "u32",
};
/** For devices that address nothing smaller than 32 bits: one word for each lane. float64 does not exist there. */
export const wordLayout: Layout = {
  ...packedLayout,
  bool: "u32",
  int8: "i32",
  int16: "i32",
  uint8: "u32",
  uint16: "u32",
  float16: "f32",
  bfloat16: "f32",
};

/** A stored scalar in its compute type. */
export function decode(d: DType, layout: Layout, stored: Expr): Expr {
  if (d === "bool") return compare("ne", stored, u32(0));
  if (layout[d] === "u16" && d === "float16") return decodeFloat16(stored);
  if (layout[d] === "u16" && d === "bfloat16") return bitcast(binary("shl", stored, u32(16)), "f32");
  return stored;
}
/** A value of the dtype as it is stored. */
export function encode(d: DType, layout: Layout, value: Expr): Expr {
  if (d === "bool") return convert(value, "u32");
  if (layout[d] === "u16" && d === "float16") return encodeFloat16(value);
  if (layout[d] === "u16" && d === "bfloat16") return binary("shr", bitcast(value, "u32"), u32(16));
  return value;
}

/** Brings a result computed in the wider type into the dtype: integers wrap, floats round to the nearest even. */
export function normalize(d: DType, x: Expr): Expr {
  switch (d) {
    case "int8":
    case "int16": {
      const by = i32(d === "int8" ? 24 : 16);
      return x.kind === "const" ? i32((x.value << by.value) >> by.value) : binary("shr", binary("shl", x, by), by);
    }
    case "uint8":
      return binary("and", x, u32(0xff));
    case "uint16":
      return binary("and", x, u32(0xffff));
    case "float16":
      return roundFloat16(x);
    case "bfloat16":
      return roundBfloat16(x);
    default:
      return x;
  }
}

const bitsOf = (x: Expr): Expr => bitcast(x, "u32");
const masked = (x: Expr, mask: number): Expr => binary("and", x, u32(mask));
const shiftRight = (x: Expr, by: number): Expr => binary("shr", x, u32(by));
const shiftLeft = (x: Expr, by: number): Expr => binary("shl", x, u32(by));
const signOf = (x: Expr): Expr => masked(bitsOf(x), 0x80000000);
const withSign = (magnitude: Expr, sign: Expr): Expr => bitcast(either(bitsOf(magnitude), sign), "f32");

/** Rounds the bits of a float to a multiple of 2^drop units in the last place, ties to even. */
function roundBits(bits: Expr, drop: number): Expr {
  const odd = masked(shiftRight(bits, drop), 1);
  return masked(plus(plus(bits, u32(2 ** (drop - 1) - 1)), odd), 0xffffffff - (2 ** drop - 1));
}

function roundFloat16(x: Expr): Expr {
  const size = unary("abs", x);
  // Below 2^−14 representable numbers are 2^−24 apart; from 65520 on the nearest is infinity.
  const tiny = times(unary("round", times(size, f32(2 ** 24))), f32(2 ** -24));
  const normal = bitcast(roundBits(bitsOf(size), 13), "f32");
  const finite = select(less(size, f32(2 ** -14)), tiny, normal);
  const rounded = select(compare("ge", size, f32(65520)), f32(Infinity), finite);
  return select(isNaNExpr(x), x, withSign(rounded, signOf(x)));
}
const roundBfloat16 = (x: Expr): Expr => select(isNaNExpr(x), x, bitcast(roundBits(bitsOf(x), 16), "f32"));

/** IEEE binary16 bits of a value that is representable. */
function encodeFloat16(x: Expr): Expr {
  const size = unary("abs", x);
  const sign = shiftRight(signOf(x), 16);
  const tiny = convert(times(least(size, f32(1)), f32(2 ** 24)), "u32");
  const normal = binary("sub", shiftRight(bitsOf(size), 13), u32(112 << 10));
  const special = select(isNaNExpr(x), u32(0x7e00), u32(0x7c00));
  const finite = select(less(size, f32(2 ** -14)), tiny, normal);
  return either(select(compare("lt", size, f32(65520)), finite, special), sign);
}
function decodeFloat16(h: Expr): Expr {
  const size = masked(h, 0x7fff);
  const sign = shiftLeft(masked(h, 0x8000), 16);
  const tiny = times(convert(size, "f32"), f32(2 ** -24));
  const normal = bitcast(plus(shiftLeft(size, 13), u32(112 << 23)), "f32");
  const special = bitcast(either(shiftLeft(size, 13), u32(0x7f800000)), "f32");
  const isTiny = less(size, u32(0x400));
  const isSpecial = compare("ge", size, u32(0x7c00));
  return withSign(select(isTiny, tiny, select(isSpecial, special, normal)), sign);
}

/** Converts between dtypes as `convert_element_type` does: one lane in, one lane out. */
export function convertElement(x: Expr, from: DType, to: DType): Expr {
  if (from === to) return x;
  if (to === "bool") return compare("ne", x, zeroOf(x.type));
  const target = scalarTypeOf(to);
  const y = convert(x, target);
  // Floats saturate in the range of the integer dtype, wider integers wrap.
  const range = x.type === "f32" || x.type === "f64" ? narrowRange[to] : undefined;
  if (!range) return normalize(to, y);
  const [low, high] = range;
  return target === "i32" ? least(greatest(y, i32(low)), i32(high)) : least(y, u32(high));
}
const zeroOf = (type: ScalarType): Expr =>
  type === "f32" ? f32(0) : type === "f64" ? convert(f32(0), "f64") : type === "i32" ? i32(0) : convert(u32(0), type);
const narrowRange: Partial<Record<DType, readonly [number, number]>> = {
  int8: [-128, 127],
  int16: [-32768, 32767],
  uint8: [0, 255],
  uint16: [0, 65535],
};

/** Both lanes nonzero or not: a complex number as a bool. */
export const anyNonzero = (lanes: readonly Expr[]): Expr =>
  lanes.map((x) => compare("ne", x, zeroOf(x.type))).reduce((a, b) => either(a, b));

export const allOf = (conditions: readonly Expr[]): Expr => conditions.reduce((a, b) => both(a, b));
