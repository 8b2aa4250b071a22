/**
 * Words, floats and integers that are uniform in an interval: what all other samplers start from. Bit-equal to JAX's.
 */
import type { ArrayLike } from "../core/arrayMethods.ts";
import { type DType, bytesPerElement, isInteger, isUnsigned } from "../core/dtype.ts";
import type { NDArray } from "../core/ndarray.ts";
import { asArray, asIndex, scalarLiteral } from "../core/operands.ts";
import { ArgumentError } from "../core/problem.ts";
import { type Shape, parseShape } from "../core/shape.ts";
import { broadcastTo, convert } from "../core/structural.ts";
import { readOptions } from "../lax/arguments.ts";
import { addArrays, clamp, max, mulArrays, remArrays, subArrays } from "../lax/arithmetic.ts";
import { bitwiseAnd, bitwiseNot, bitwiseOr, clz, shiftLeft, shiftRightLogical } from "../lax/bitwise.ts";
import { bitcastConvertType } from "../lax/cast.ts";
import { eq, gt, gtArrays, leArrays, lt, select } from "../lax/compare.ts";
import { indexInDim } from "../lax/movement.ts";
import { randomBits, randomSplit, randomUnwrap } from "../lax/randomBits.ts";
import {
  type SampleOptions,
  type SampleRest,
  asKey,
  floatFacts,
  readSample,
  sampleDType,
  sampleShape,
} from "./arguments.ts";
import { unit } from "../core/unit.ts";

/** Two keys from one. */
export const twoKeys = (key: NDArray): readonly [NDArray, NDArray] => {
  const keys = randomSplit(key, [2]);
  return [indexInDim(keys, 0, 0, false), indexInDim(keys, 1, 0, false)];
};

/**
 * Uniform random words.
 *
 * @param rest `shape` (default `[]`) and `dtype`: uint8, uint16 or uint32 (default).
 * @example
 * random.bits(random.key(0), [2], "uint8").dtype // "uint8"
 */
export const bits = /* @__PURE__ */ unit("bits", 1, function bits(key: NDArray, ...rest: SampleRest): NDArray {
  const { shape, dtype } = readSample("bits", rest);
  const d = sampleDType("bits", dtype, "uint32", "unsigned");
  return randomBits(asKey("bits", key), 8 * bytesPerElement(d), shape ?? []);
});

// ---------------------------------------------------------------- floats

/**
 * Numbers u that are uniform in (0, 1), of 64 bits, as the smaller of u and 1 − u, which float32 holds to its last bit
 * however small it is, and whether that is u itself. Zero counts as half of the smallest number.
 */
export function fineHalves(key: NDArray, shape: Shape): { readonly fraction: NDArray; readonly lower: NDArray } {
  const words = randomBits(key, 32, [2, ...shape]);
  const [high, low] = [0, 1].map((i) => indexInDim(words, i, 0, false)) as [NDArray, NDArray];
  const lower = lt(high, 2 ** 31);
  // 1 − u is the negative of a number of 64 bits.
  const carry = convert(eq(low, 0), "uint32");
  const hi = select(lower, high, addArrays(bitwiseNot(high), carry));
  const lo = select(lower, low, addArrays(bitwiseNot(low), scalarLiteral(1, "uint32")));
  const [zeros, lowZeros] = [clz(hi), clz(lo)];
  const noHigh = eq(zeros, 32);
  const rest = select(
    noHigh,
    shiftLeft(lo, lowZeros),
    shiftRightLogical(lo, subArrays(scalarLiteral(32, "uint32"), zeros)),
  );
  const fraction = bitwiseAnd(shiftRightLogical(bitwiseOr(shiftLeft(hi, zeros), rest), 8), 2 ** 23 - 1);
  const leading = select(noHigh, addArrays(lowZeros, scalarLiteral(32, "uint32")), zeros);
  const exponent = shiftLeft(subArrays(scalarLiteral(126, "uint32"), leading), 23);
  return { fraction: bitcastConvertType(bitwiseOr(exponent, fraction), "float32"), lower };
}

/** Floats in [0, 1): random bits become the fraction of a number in [1, 2). */
function unitFloats(key: NDArray, shape: Shape, dtype: DType): NDArray {
  const { bits: width, mantissa } = floatFacts(dtype);
  if (width === 64) return unitDoubles(key, shape);
  // A short fraction takes its bits from bytes.
  const drawn = mantissa < 8 ? 8 : width;
  const word = `uint${width}` as DType;
  const fraction = shiftRightLogical(convert(randomBits(key, drawn, shape), word), drawn - mantissa);
  const one = bitcastConvertType(scalarLiteral(1, dtype), word);
  return subArrays(bitcastConvertType(bitwiseOr(fraction, one), dtype), scalarLiteral(1, dtype));
}

/** The 52 upper bits of two words, as a fraction. */
function unitDoubles(key: NDArray, shape: Shape): NDArray {
  const words = randomUnwrap(randomSplit(key, shape));
  const [high, low] = [0, 1].map((i) => indexInDim(words, i, -1, false)) as [NDArray, NDArray];
  const scaled = (x: NDArray, unit: number): NDArray =>
    mulArrays(convert(x, "float64"), scalarLiteral(unit, "float64"));
  return addArrays(scaled(high, 2 ** -32), scaled(shiftRightLogical(low, 12), 2 ** -52));
}

/** Floats in [low, high); the bounds are scalars or of the result's shape. */
export function uniformFloats(
  key: NDArray,
  shape: Shape,
  dtype: DType,
  low: number | NDArray = 0,
  high: number | NDArray = 1,
): NDArray {
  const bound = (x: number | NDArray): NDArray =>
    typeof x === "number" ? scalarLiteral(x, dtype) : x.ndim === 0 ? x : broadcastTo(x, shape);
  const [a, b] = [bound(low), bound(high)];
  return max(a, addArrays(mulArrays(unitFloats(key, shape, dtype), subArrays(b, a)), a));
}

export interface UniformOptions extends SampleOptions {
  /** The lower end, included. */
  readonly minval?: ArrayLike | undefined;
  /** The upper end, excluded. */
  readonly maxval?: ArrayLike | undefined;
}

/**
 * Floats that are uniform in [minval, maxval), by default in [0, 1).
 *
 * @param rest `shape` (default `[]`), `dtype`, `minval`, `maxval`; the bounds broadcast to the shape.
 * @example
 * random.uniform(random.key(0), [3], { minval: -1 }).shape // [3]
 */
export const uniform = /* @__PURE__ */ unit(
  "uniform",
  1,
  function uniform(
    key: NDArray,
    ...rest:
      | SampleRest<UniformOptions>
      | readonly [Shape | number, DType | null | undefined, ArrayLike]
      | readonly [Shape | number, DType | null | undefined, ArrayLike, ArrayLike]
  ): NDArray {
    const names = ["shape", "dtype", "minval", "maxval"] as const;
    const given = readOptions<UniformOptions>("random.uniform", names, 4, rest);
    const dtype = sampleDType("uniform", given.dtype, "float32", "float");
    const [low, high] = [given.minval ?? 0, given.maxval ?? 1].map((x) => convert(asArray(x, "random.uniform"), dtype));
    const shape = parseShape("random.uniform", given.shape ?? []);
    sampleShape("uniform", shape, low!.shape, high!.shape);
    return uniformFloats(asKey("uniform", key), shape, dtype, low, high);
  },
);

// ---------------------------------------------------------------- integers

/** Smallest and largest value of an integer dtype. */
const integerRange = (d: DType): readonly [number, number] => {
  const width = 8 * bytesPerElement(d);
  return isUnsigned(d) ? [0, 2 ** width - 1] : [-(2 ** (width - 1)), 2 ** (width - 1) - 1];
};

/** An integer operand: numbers keep their whole value, so that 2³¹ can be an excluded upper end. */
function integerBound(name: string, x: ArrayLike): NDArray {
  if (typeof x === "number" && Number.isInteger(x) && x >= 2 ** 31 && x < 2 ** 32) return scalarLiteral(x, "uint32");
  if (typeof x === "number" && !(x >= -(2 ** 31) && x < 2 ** 32)) throw boundTooLarge(name, x);
  const a = asIndex(x, name);
  return isInteger(a.dtype) ? a : convert(a, "int32");
}

const boundTooLarge = (name: string, x: number): ArgumentError =>
  new ArgumentError("BoundTooLarge", {
    what: `${name}: the bound ${x} is not a 32-bit integer`,
    why: "the widest integer dtypes are int32 and uint32",
    fix: "draw from a narrower interval, or use random.bits(key, shape) for all 32-bit words",
  });

/** Brings a bound into the range of a dtype. */
function clipInto(x: NDArray, dtype: DType): NDArray {
  if (x.dtype === dtype) return convert(x, dtype);
  const [low, high] = integerRange(dtype);
  const [xLow, xHigh] = integerRange(x.dtype);
  return convert(clamp(Math.max(low, xLow), x, Math.min(high, xHigh)), dtype);
}

/**
 * Integers that are uniform in [minval, maxval).
 *
 * @param minval the lower end, included; broadcasts to the shape.
 * @param maxval the upper end, excluded; where it is not above `minval` the result is `minval`.
 * @param rest `dtype`, an integer one; default int32.
 * @example
 * random.randint(random.key(0), [4], 3, 4) // [3, 3, 3, 3]
 */
export const randint = /* @__PURE__ */ unit(
  "randint",
  1,
  function randint(
    key: NDArray,
    shape: Shape | number,
    minval: ArrayLike,
    maxval: ArrayLike,
    ...rest: readonly [] | readonly [DType | null | undefined | { readonly dtype?: DType | null | undefined }]
  ): NDArray {
    const given = readOptions<{ dtype: DType | null }>("random.randint", ["dtype"], 1, rest);
    const dtype = sampleDType("randint", given.dtype, "int32", "integer");
    const sizes = parseShape("random.randint", shape);
    let [low, high] = [integerBound("random.randint", minval), integerBound("random.randint", maxval)];
    sampleShape("randint", sizes, low.shape, high.shape);
    const k = asKey("randint", key);
    if (bytesPerElement(dtype) === 4) return integersBetween(k, sizes, low, high, dtype);
    // Narrow integers are drawn as int32, so that the upper end can be one past the largest.
    const [least, greatest] = integerRange(dtype);
    low = clamp(least, clipInto(low, "int32"), greatest);
    high = clamp(least, clipInto(high, "int32"), greatest + 1);
    return convert(integersBetween(k, sizes, low, high, "int32"), dtype);
  },
);

/** As JAX: two words a number make the bias of the remainder negligible. */
function integersBetween(key: NDArray, shape: Shape, minval: NDArray, maxval: NDArray, dtype: DType): NDArray {
  const [, greatest] = integerRange(dtype);
  const beyond = gt(maxval, Math.min(greatest, integerRange(maxval.dtype)[1]));
  const spread = (x: NDArray): NDArray => (x.ndim === 0 ? x : broadcastTo(x, shape));
  const [low, high] = [clipInto(minval, dtype), clipInto(maxval, dtype)].map(spread) as [NDArray, NDArray];
  const one = scalarLiteral(1, "uint32");
  let span = convert(subArrays(high, low), "uint32");
  span = select(leArrays(high, low), one, span);
  span = select(bitwiseAnd(spread(beyond), gtArrays(high, low)), addArrays(span, one), span);
  // 2^32 modulo the span, by squaring 2^16; a span of zero stands for 2^32 itself.
  const half = remArrays(scalarLiteral(2 ** 16, "uint32"), span);
  const multiplier = remArrays(mulArrays(half, half), span);
  const [k1, k2] = twoKeys(key);
  const [upper, lower] = [randomBits(k1, 32, shape), randomBits(k2, 32, shape)];
  const offset = addArrays(mulArrays(remArrays(upper, span), multiplier), remArrays(lower, span));
  return addArrays(low, convert(remArrays(offset, span), dtype));
}
