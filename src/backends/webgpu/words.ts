/** Host arrays as WebGPU stores them, one 32-bit word a lane (`wordLayout`), and back. */
import type { Aval } from "../../core/aval.ts";
import { DTypeError } from "../../core/problem.ts";
import { type HostArray, type TypedArray, allocate, lanesOf } from "../../core/hostArray.ts";
import { wordLayout } from "../../core/elementTypes.ts";
import type { DType } from "../../core/dtype.ts";

export type Words = Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>;

const arrays = { f32: Float32Array, i32: Int32Array, u32: Uint32Array };
function arrayOf(dtype: DType): (typeof arrays)[keyof typeof arrays] {
  const storage = wordLayout[dtype];
  if (storage === "f32" || storage === "i32" || storage === "u32") return arrays[storage];
  throw new DTypeError("NoSuchDType", {
    what: `WebGPU has no ${dtype}`,
    why: "its kernels compute in 32 bits",
    fix: 'use float32, or another device: defaultDevice("cpu")',
  });
}

/** Bytes of an array on the device. */
export const storedBytes = (a: Aval): number => a.size * lanesOf(a.dtype) * 4;

export function toWords({ dtype, data }: HostArray): Words {
  const of = arrayOf(dtype);
  return data instanceof of && data.buffer instanceof ArrayBuffer ? (data as Words) : new of(data);
}

/** The array in words that lie in a buffer; copies. */
export function fromWords({ shape, dtype, size }: Aval, buffer: ArrayBuffer): HostArray {
  const stored = new (arrayOf(dtype))(buffer, 0, size * lanesOf(dtype));
  const data: TypedArray = allocate(dtype, size);
  data.set(stored);
  return { shape, dtype, data };
}
