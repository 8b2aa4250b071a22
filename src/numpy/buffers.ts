/** Arrays from bytes, iterables and text. */
import { type DType, bytesPerElement, isComplex, isKey, parseDType } from "../core/dtype.ts";
import { evaluator } from "../core/evaluator.ts";
import { type TypedArray, allocate, fromStorage, lanesOf } from "../core/hostArray.ts";
import type { NDArray } from "../core/ndarray.ts";
import { ArgumentError } from "../core/problem.ts";
import { type Rest, given, integer } from "./arguments.ts";
import { array } from "./creation.ts";

export interface BufferOptions {
  readonly dtype?: DType | undefined;
  /** Number of elements; -1 for all. */
  readonly count?: number | undefined;
  /** Bytes to skip. */
  readonly offset?: number | undefined;
}

/**
 * The elements that lie in a buffer of bytes, copied.
 *
 * @example
 * np.frombuffer(new Uint8Array([1, 2, 3]), "uint8") // [1, 2, 3]
 */
export function frombuffer(
  buffer: ArrayBufferLike | ArrayBufferView,
  ...rest: Rest<[DType, number, number], BufferOptions>
): NDArray {
  const {
    dtype = "float32",
    count = -1,
    offset = 0,
  } = given<BufferOptions>("frombuffer", ["dtype", "count", "offset"], 3, rest);
  const type = parseDType(dtype);
  const view = ArrayBuffer.isView(buffer)
    ? new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength)
    : new Uint8Array(buffer);
  const size = bytesPerElement(type);
  const available = (view.byteLength - offset) / size;
  const n = integer("frombuffer", "count", count) < 0 ? available : count;
  if (isKey(type) || !Number.isInteger(n) || n > available || offset < 0)
    throw new ArgumentError("BufferSize", {
      what: `frombuffer: ${view.byteLength - offset} bytes as ${n < 0 || !Number.isInteger(n) ? "elements" : `${n} elements`} of ${type}`,
      why: `an element has ${size} bytes`,
      fix: "give the dtype that the buffer was written in, and a count that fits",
    });
  // A copy is aligned, whatever the offset was.
  const bytes = view.slice(offset, offset + n * size).buffer;
  const stored =
    type === "float16" || type === "bfloat16"
      ? new Uint16Array(bytes)
      : new (allocate(type, 0).constructor as new (b: ArrayBufferLike) => TypedArray)(bytes);
  return evaluator().fromHost(fromStorage([stored.length / lanesOf(type)], type, stored), false);
}

export interface ListOptions {
  readonly dtype?: DType | undefined;
  /** Number of elements; -1 for all. */
  readonly count?: number | undefined;
}

/**
 * The numbers that an iterable gives.
 *
 * @example
 * np.fromiter(new Set([1, 2]).values()) // [1, 2]
 */
export function fromiter(values: Iterable<number | boolean>, ...rest: Rest<[DType, number], ListOptions>): NDArray {
  const { dtype = "float32", count = -1 } = given<ListOptions>("fromiter", ["dtype", "count"], 2, rest);
  const list: (number | boolean)[] = [];
  for (const v of values) {
    if (count >= 0 && list.length === count) break;
    list.push(v);
  }
  return array(list, { dtype });
}

/**
 * The numbers in a text.
 *
 * @example
 * np.fromstring("1, 2, 3", { sep: "," }) // [1, 2, 3]
 */
export function fromstring(
  string: string,
  ...rest: Rest<[DType, number], ListOptions & { readonly sep?: string | undefined }>
): NDArray {
  const { sep = " ", ...options } = given<ListOptions & { sep: string }>(
    "fromstring",
    ["dtype", "count", "sep"],
    2,
    rest,
  );
  const parts = (sep.trim() === "" ? string.trim().split(/\s+/) : string.split(sep))
    .map((p) => p.trim())
    .filter((p) => p !== "");
  const numbers = parts.map(Number);
  const bad = numbers.findIndex((n, i) => Number.isNaN(n) && !/^[+-]?nan$/i.test(parts[i]!));
  if (bad >= 0 || isComplex(options.dtype ?? "float32"))
    throw new ArgumentError("NotANumber", {
      what: `fromstring: ${JSON.stringify(parts[bad] ?? "")} is no number`,
      why: "the text is a list of real numbers between separators",
      fix: 'check the text, and the separator, { sep: "," }',
    });
  return fromiter(numbers, options);
}
