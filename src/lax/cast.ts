/**
 * Changes of dtype: by value, by bits, and the rounding to fewer bits that keeps the dtype.
 */
import type { ArrayLike } from "../core/arrayMethods.ts";
import { Aval } from "../core/aval.ts";
import { type DType, bytesPerElement, isBool, isComplex, isKey, parseDType } from "../core/dtype.ts";
import { type HostArray, type TypedArray, allocate, fromStorage, toStorage } from "../core/hostArray.ts";
import { constantIndex } from "../core/indexing.ts";
import type { Lowering, Operand } from "../core/lowering.ts";
import { indexAs, movedFrom, pulled } from "../core/lowerRules.ts";
import type { NDArray } from "../core/ndarray.ts";
import { asArray } from "../core/operands.ts";
import { type AnyPrimitive, type One, type Primitive, Zero, definePrimitive } from "../core/primitive.ts";
import { ArgumentError, DTypeError, ShapeError } from "../core/problem.ts";
import { type Shape, range, shapeText } from "../core/shape.ts";
import { convert, moveAxis } from "../core/structural.ts";
import { bind1 } from "../core/trace.ts";
import { real } from "./complex.ts";
import * as lowered from "./precisionLowering.ts";
import { floating, unary } from "./rules.ts";

// ---------------------------------------------------------------- by value

/** Converts values to a dtype. Complex numbers lose their imaginary part, except to bool. */
export function convertElementType(operand: ArrayLike, newDtype: DType): NDArray {
  const x = asArray(operand, "convertElementType");
  const dtype = parseDType(newDtype);
  return convert(isComplex(x.dtype) && !isComplex(dtype) && !isBool(dtype) ? real(x) : x, dtype);
}

// ---------------------------------------------------------------- by bits

interface BitcastParams {
  readonly newDtype: DType;
}

/** The shape when elements are split into smaller ones (a new last axis) or the last axis is joined to larger ones. */
function bitcastShape(x: Aval, dtype: DType): Shape {
  const [from, to] = [bytesPerElement(x.dtype), bytesPerElement(dtype)];
  if (from === to) return x.shape;
  if (from > to) return [...x.shape, from / to];
  if ((x.shape.at(-1) ?? 1) * from === to) return x.shape.slice(0, -1);
  throw new ShapeError("BitcastShape", {
    what: `bitcastConvertType: the last axis of ${String(x)} (shape ${shapeText(x.shape)}) does not make one ${dtype}`,
    why: `one ${dtype} has the bits of ${to / from} ${x.dtype}, which must be the last axis`,
    fix: `reshape so that the last axis has length ${to / from}`,
  });
}

function checkBitcast(x: Aval, dtype: DType): void {
  const opaque = (d: DType): boolean => isBool(d) || isComplex(d) || isKey(d);
  if (x.dtype !== dtype && (opaque(x.dtype) || opaque(dtype)))
    throw new DTypeError("BitcastDType", {
      what: `bitcastConvertType: the bits of ${x.dtype} cannot be read as ${dtype}`,
      why: "only integers and floats have bits that programs may rely on",
      fix:
        isKey(x.dtype) || isKey(dtype)
          ? "use random.keyData and random.wrapKeyData"
          : "convert by value with lax.convertElementType",
    });
}

export const bitcastConvertTypeP: Primitive<One, BitcastParams> = /* @__PURE__ */ definePrimitive<One, BitcastParams>({
  name: "bitcast_convert_type",
  kind: "movement",
  infer: ([x], { newDtype }) => {
    checkBitcast(x, newDtype);
    return [new Aval(bitcastShape(x, newDtype), newDtype)];
  },
  reference: ([x], { newDtype }, [out]) => [bitcast(x, newDtype, out!.shape)],
  jvp: ([x], _, params) => {
    const y = bind1(bitcastConvertTypeP, [x], params);
    return { primals: [y], tangents: [new Zero(y.aval)] };
  },
  transpose: "nonlinear",
  // The batch axis goes first, away from the last axis, which may be joined.
  batch: ([x], [d], params) => ({ outs: [bind1(bitcastConvertTypeP, [moveAxis(x, d!, 0)], params)], dims: [0] }),
  lower: ([x], { newDtype }) => lowerBitcast(x, newDtype),
  printParams: ({ newDtype }) => ({ new_dtype: newDtype }),
});

function lowerBitcast(x: Operand, dtype: DType): Lowering {
  const from = x.aval.dtype;
  if (from === dtype) return movedFrom(x, (index) => index);
  // The words of a float64 are out of a kernel's reach.
  if (from === "float64" || dtype === "float64") return { form: "routine", compose: () => noWords(from, dtype) };
  const [wide, narrow] = [bytesPerElement(from), bytesPerElement(dtype)];
  if (wide > narrow)
    return pulled((index) => {
      const bits = lowered.bitsOf(from, x.at(index.slice(0, -1))[0]!);
      return [lowered.ofBits(dtype, lowered.partOf(bits, indexAs(index.at(-1)!, "u32"), dtype))];
    });
  return pulled((index) => {
    const parts = wide === narrow ? [index] : range(narrow / wide).map((k) => [...index, constantIndex(k)]);
    const bits = parts.map((at) => lowered.bitsOf(from, x.at(at)[0]!));
    return [lowered.ofBits(dtype, lowered.joined(bits, from))];
  });
}
const noWords = (from: DType, to: DType): never => {
  throw new DTypeError("BitcastDType", {
    what: `bitcastConvertType: the bits of ${from} cannot be read as ${to} on this device`,
    why: "a float64 has 64 bits, and the device has no integers that wide",
    fix: "convert to float32 first, or do this on the cpu device",
  });
};

/** Typed arrays of stored elements: floats of 16 bits lie as words. */
const storedAs = (dtype: DType, bytes: ArrayBuffer): TypedArray =>
  dtype === "float16" || dtype === "bfloat16"
    ? new Uint16Array(bytes)
    : new (allocate(dtype, 0).constructor as new (b: ArrayBuffer) => TypedArray)(bytes);

function bitcast(x: HostArray, dtype: DType, shape: Shape): HostArray {
  const stored = toStorage(x);
  const bytes = stored.buffer.slice(stored.byteOffset, stored.byteOffset + stored.byteLength) as ArrayBuffer;
  return fromStorage(shape, dtype, storedAs(dtype, bytes));
}

/** Reads the same bits as another dtype. Of another width: splits into, or joins, a last axis. */
export const bitcastConvertType = (operand: ArrayLike, newDtype: DType): NDArray =>
  bind1(bitcastConvertTypeP, [asArray(operand, "bitcastConvertType")], { newDtype: parseDType(newDtype) });

// ---------------------------------------------------------------- fewer bits

interface PrecisionParams {
  readonly exponentBits: number;
  readonly mantissaBits: number;
}

/** Rounds to `mantissaBits` after the leading one, ties to even; overflows to infinity and underflows to zero. */
function reduceBits(x: number, { exponentBits, mantissaBits }: PrecisionParams): number {
  if (x === 0 || !Number.isFinite(x)) return x;
  const a = Math.abs(x);
  let e = Math.floor(Math.log2(a));
  // log2 can be off by one next to powers of two.
  if (2 ** e > a) e--;
  else if (2 ** (e + 1) <= a) e++;
  const unit = 2 ** Math.max(e - mantissaBits, -1074);
  const q = a / unit;
  const low = Math.floor(q);
  const rounded = (q - low > 0.5 || (q - low === 0.5 && low % 2 === 1) ? low + 1 : low) * unit;
  const bias = 2 ** (exponentBits - 1) - 1;
  const value = rounded >= 2 ** (bias + 1) ? Infinity : rounded < 2 ** (1 - bias) ? 0 : rounded;
  return x < 0 ? -value : value;
}

export const reducePrecisionP: Primitive<One, PrecisionParams> = /* @__PURE__ */ unary<PrecisionParams>(
  {
    name: "reduce_precision",
    accepts: floating,
    real: reduceBits,
    lower: (x, format) => lowered.reducePrecision(x, format),
    cost: 10,
    derivative: (g, _y, _x, p) => reducePrecision(g, p.exponentBits, p.mantissaBits),
    transpose: (ct, _, p) => reducePrecision(ct, p.exponentBits, p.mantissaBits),
  },
  { printParams: ({ exponentBits, mantissaBits }) => ({ exponent_bits: exponentBits, mantissa_bits: mantissaBits }) },
);

/** Rounds to a float format with the given bits, keeping the dtype. */
export function reducePrecision(operand: ArrayLike, exponentBits: number, mantissaBits: number): NDArray {
  if (!(Number.isInteger(exponentBits) && exponentBits >= 1 && Number.isInteger(mantissaBits) && mantissaBits >= 0))
    throw new ArgumentError("PrecisionBits", {
      what: `reducePrecision: ${String(exponentBits)} exponent and ${String(mantissaBits)} mantissa bits are not a float format`,
      why: "a format has at least one exponent bit and no negative number of mantissa bits",
      fix: "bfloat16, for example, is reducePrecision(x, 8, 7)",
    });
  return bind1(reducePrecisionP, [asArray(operand, "reducePrecision")], { exponentBits, mantissaBits });
}

export const primitives: readonly AnyPrimitive[] = [bitcastConvertTypeP, reducePrecisionP];
