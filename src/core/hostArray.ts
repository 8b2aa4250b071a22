/**
 * Host arrays: values in plain typed arrays, the reference device's working form.
 *
 * Storage and compute form differ where JavaScript has no such number: float16 and bfloat16 are stored as 16-bit words
 * (`Uint16Array`) but computed as `Float32Array` of exactly representable values. complex64 is interleaved
 * (re, im, re, im, …) and a key is two consecutive words: both take two lanes an element. bool is 0 or 1 in bytes.
 */
import type { Aval } from "./aval.ts";
import type { DType } from "./dtype.ts";
import {
  bfloat16FromBits,
  bfloat16ToBits,
  float16FromBits,
  float16ToBits,
  roundBfloat16,
  roundFloat16,
} from "./halfFloat.ts";
import { DeviceError } from "./problem.ts";
import type { Shape } from "./shape.ts";
import { sizeOf } from "./shape.ts";

export type TypedArray =
  Uint8Array | Int8Array | Uint16Array | Int16Array | Uint32Array | Int32Array | Float32Array | Float64Array;

/** Values in compute form. Never mutated once returned from a reference slot. */
export interface HostArray {
  readonly shape: Shape;
  readonly dtype: DType;
  readonly data: TypedArray;
}

/** Numbers per element in `data`. */
export const lanesOf = (dtype: DType): number => (dtype === "complex64" || dtype === "key<fry>" ? 2 : 1);

const computeArrays: Readonly<Record<DType, new (length: number) => TypedArray>> = {
  bool: Uint8Array,
  int8: Int8Array,
  int16: Int16Array,
  int32: Int32Array,
  uint8: Uint8Array,
  uint16: Uint16Array,
  uint32: Uint32Array,
  float16: Float32Array,
  bfloat16: Float32Array,
  float32: Float32Array,
  float64: Float64Array,
  complex64: Float32Array,
  "key<fry>": Uint32Array,
};

/** A zeroed compute buffer for `size` elements. */
export function allocate(dtype: DType, size: number): TypedArray {
  try {
    return new computeArrays[dtype](size * lanesOf(dtype));
  } catch (error) {
    // A RangeError: longer than the engine allows, or than there is memory for.
    throw outOfMemory(dtype, size, error);
  }
}

const outOfMemory = (dtype: DType, size: number, cause: unknown): DeviceError =>
  new DeviceError(
    "OutOfMemory",
    {
      what: `an array of ${size} elements of ${dtype} cannot be allocated`,
      why: "it is longer than JavaScript's typed arrays may be, or memory is exhausted",
      fix: "check the shape (a missing axis in a broadcast is the usual reason), or work in parts with lax.scan or lax.map",
    },
    { cause },
  );

/** A zeroed host array of an aval's shape and dtype. */
export const allocateLike = (aval: { readonly shape: Shape; readonly dtype: DType }): HostArray => ({
  shape: aval.shape,
  dtype: aval.dtype,
  data: allocate(aval.dtype, sizeOf(aval.shape)),
});

export const hostArray = (aval: Aval, data: TypedArray): HostArray => ({ shape: aval.shape, dtype: aval.dtype, data });

/**
 * Makes compute values representable: rounds float16 and bfloat16 in place (typed arrays do the rest by themselves:
 * integers wrap, float32 rounds once). Call it at the end of a reference slot that computed new numbers.
 */
export function roundInPlace(x: HostArray): HostArray {
  if (x.dtype !== "float16" && x.dtype !== "bfloat16") return x;
  const round = x.dtype === "float16" ? roundFloat16 : roundBfloat16;
  const { data } = x;
  for (let i = 0; i < data.length; i++) data[i] = round(data[i]!);
  return x;
}

/** Storage form, as it lies in device memory and in files. */
export function toStorage(x: HostArray): TypedArray {
  if (x.dtype !== "float16" && x.dtype !== "bfloat16") return x.data;
  const toBits = x.dtype === "float16" ? float16ToBits : bfloat16ToBits;
  return Uint16Array.from(x.data, toBits);
}

/** Compute form of stored values. */
export function fromStorage(shape: Shape, dtype: DType, stored: TypedArray): HostArray {
  if (dtype !== "float16" && dtype !== "bfloat16") return { shape, dtype, data: stored };
  const fromBits = dtype === "float16" ? float16FromBits : bfloat16FromBits;
  return { shape, dtype, data: Float32Array.from(stored, fromBits) };
}
