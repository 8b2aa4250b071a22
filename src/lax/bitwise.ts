/**
 * Operations on the bits of integers; and, or, xor and not also on booleans. Shifts by the width or more give 0 (or all
 * sign bits), a negative shift amount counts as such.
 */
import type { ArrayLike } from "../core/arrayMethods.ts";
import { type DType, bytesPerElement, isBool } from "../core/dtype.ts";
import type { NDArray } from "../core/ndarray.ts";
import { asIndex } from "../core/operands.ts";
import type { AnyPrimitive, One, Primitive, Two } from "../core/primitive.ts";
import * as scalar from "../core/scalar.ts";
import type { Expr } from "../core/scalar.ts";
import { bind1 } from "../core/trace.ts";
import {
  type Accepts,
  type BinarySpec,
  binary,
  eachPair,
  integral,
  logical,
  pairOf,
  piecewiseConstant,
  unary,
} from "./rules.ts";

/** The typed array that receives the 32-bit result keeps the low bits, whatever the dtype. */
const onBits = (
  name: string,
  accepts: Accepts,
  f: (x: number, y: number, dtype: DType) => number,
  lower: BinarySpec["lower"],
): Primitive<Two, null> => binary({ name, accepts, loop: eachPair(f), lower, derivatives: piecewiseConstant });

export const andP: Primitive<Two, null> = /* @__PURE__ */ onBits("and", logical, (x, y) => x & y, scalar.both);
export const orP: Primitive<Two, null> = /* @__PURE__ */ onBits("or", logical, (x, y) => x | y, scalar.either);
export const xorP: Primitive<Two, null> = /* @__PURE__ */ onBits(
  "xor",
  logical,
  (x, y) => x ^ y,
  (x, y) => scalar.binary("xor", x, y),
);

export const andArrays = (x: NDArray, y: NDArray): NDArray => bind1(andP, [x, y], null);
export const orArrays = (x: NDArray, y: NDArray): NDArray => bind1(orP, [x, y], null);
export const xorArrays = (x: NDArray, y: NDArray): NDArray => bind1(xorP, [x, y], null);

export const bitwiseAnd = (x: ArrayLike, y: ArrayLike): NDArray => bind1(andP, pairOf("bitwiseAnd", x, y), null);
export const bitwiseOr = (x: ArrayLike, y: ArrayLike): NDArray => bind1(orP, pairOf("bitwiseOr", x, y), null);
export const bitwiseXor = (x: ArrayLike, y: ArrayLike): NDArray => bind1(xorP, pairOf("bitwiseXor", x, y), null);

export const notP: Primitive<One, null> = /* @__PURE__ */ unary({
  name: "not",
  accepts: logical,
  real: (x, _, dtype) => (isBool(dtype) ? 1 - x : ~x),
  lower: scalar.not,
  derivative: piecewiseConstant,
});
export const bitwiseNot = (x: ArrayLike): NDArray => bind1(notP, [asIndex(x, "bitwiseNot")], null);

// ---------------------------------------------------------------- shifts

const widthOf = (dtype: DType): number => 8 * bytesPerElement(dtype);

/** A shift count as the hardware sees it: unsigned. */
const beyond = (y: number, dtype: DType): boolean => y < 0 || y >= widthOf(dtype);

/** The operand's own bits, without sign extension. */
const bitsOf = (x: number, dtype: DType): number => (widthOf(dtype) === 32 ? x >>> 0 : x & (2 ** widthOf(dtype) - 1));

/** A count of 0 … 31 and whether the given one is larger than what the dtype has. */
function countOf(y: Expr, dtype: DType): { count: Expr; beyond: Expr } {
  const count = scalar.both(y, scalar.like(y, 31));
  return { count, beyond: scalar.compare("ge", scalar.convert(y, "u32"), scalar.u32(widthOf(dtype))) };
}
/** The element's own bits in 32, without sign extension. */
const lowBits = (x: Expr, dtype: DType): Expr => {
  const bits = scalar.convert(x, "u32");
  return widthOf(dtype) === 32 ? bits : scalar.both(bits, scalar.u32(2 ** widthOf(dtype) - 1));
};

export const shiftLeftP: Primitive<Two, null> = /* @__PURE__ */ onBits(
  "shift_left",
  integral,
  (x, y, d) => (beyond(y, d) ? 0 : x << y),
  (x, y, d) => {
    const { count, beyond } = countOf(y, d);
    return scalar.select(beyond, scalar.like(x, 0), scalar.binary("shl", x, count));
  },
);
export const shiftRightLogicalP: Primitive<Two, null> = /* @__PURE__ */ onBits(
  "shift_right_logical",
  integral,
  (x, y, d) => (beyond(y, d) ? 0 : bitsOf(x, d) >>> y),
  (x, y, d) => {
    const { count, beyond } = countOf(y, d);
    const shifted = scalar.binary("shr", lowBits(x, d), scalar.convert(count, "u32"));
    return scalar.convert(scalar.select(beyond, scalar.u32(0), shifted), x.type);
  },
);
export const shiftRightArithmeticP: Primitive<Two, null> = /* @__PURE__ */ onBits(
  "shift_right_arithmetic",
  integral,
  (x, y, d) => {
    // Unsigned operands shift in their top bit too: the operation reads them as signed.
    const signed = (x << (32 - widthOf(d))) >> (32 - widthOf(d));
    return signed >> (beyond(y, d) ? 31 : y);
  },
  (x, y, d) => {
    const { count, beyond } = countOf(scalar.convert(y, "i32"), d);
    const unused = scalar.i32(32 - widthOf(d));
    const signed = scalar.binary("shr", scalar.binary("shl", scalar.convert(x, "i32"), unused), unused);
    return scalar.convert(scalar.binary("shr", signed, scalar.select(beyond, scalar.i32(31), count)), x.type);
  },
);

export const shiftLeft = (x: ArrayLike, y: ArrayLike): NDArray => bind1(shiftLeftP, pairOf("shiftLeft", x, y), null);
export const shiftRightLogical = (x: ArrayLike, y: ArrayLike): NDArray =>
  bind1(shiftRightLogicalP, pairOf("shiftRightLogical", x, y), null);
/** Shift right that copies the sign bit. */
export const shiftRightArithmetic = (x: ArrayLike, y: ArrayLike): NDArray =>
  bind1(shiftRightArithmeticP, pairOf("shiftRightArithmetic", x, y), null);

// ---------------------------------------------------------------- counting

function countOnes(bits: number): number {
  let n = 0;
  for (let b = bits >>> 0; b !== 0; b = (b & (b - 1)) >>> 0) n++;
  return n;
}
export const populationCountP: Primitive<One, null> = /* @__PURE__ */ unary({
  name: "population_count",
  accepts: integral,
  real: (x, _, dtype) => countOnes(bitsOf(x, dtype)),
  lower: (x, _, dtype) => scalar.convert(scalar.unary("popcount", lowBits(x, dtype)), x.type),
  derivative: piecewiseConstant,
});
/** Number of bits that are 1. */
export const populationCount = (x: ArrayLike): NDArray =>
  bind1(populationCountP, [asIndex(x, "populationCount")], null);

export const clzP: Primitive<One, null> = /* @__PURE__ */ unary({
  name: "clz",
  accepts: integral,
  real: (x, _, dtype) => Math.clz32(bitsOf(x, dtype)) - (32 - widthOf(dtype)),
  lower: (x, _, dtype) =>
    scalar.convert(scalar.minus(scalar.unary("clz", lowBits(x, dtype)), scalar.u32(32 - widthOf(dtype))), x.type),
  derivative: piecewiseConstant,
});
/** Number of leading zero bits. */
export const clz = (x: ArrayLike): NDArray => bind1(clzP, [asIndex(x, "clz")], null);

export const primitives: readonly AnyPrimitive[] = [
  andP,
  orP,
  xorP,
  notP,
  shiftLeftP,
  shiftRightLogicalP,
  shiftRightArithmeticP,
  populationCountP,
  clzP,
];
