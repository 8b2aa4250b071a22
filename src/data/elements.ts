/**
 * Arrays as they lie in files: a dtype, a shape and the elements in row-major order.
 *
 * `data` is in storage form: float16 and bfloat16 are 16-bit words, bool is bytes 0 and 1, complex numbers are two
 * neighbouring floats. Files also hold 64-bit integers and complex128, which arrays do not; `arrayOf` narrows them.
 */
import type { ArrayLike } from "../core/arrayMethods.ts";
import { type DType, isKey } from "../core/dtype.ts";
import { evaluator } from "../core/evaluator.ts";
import { type HostArray, type TypedArray, fromStorage, toStorage } from "../core/hostArray.ts";
import { Literal, NDArray } from "../core/ndarray.ts";
import { asArray } from "../core/operands.ts";
import { ArgumentError, DTypeError } from "../core/problem.ts";
import { shapeText } from "../core/shape.ts";
import * as np from "../numpy/index.ts";

/** Elements that files hold: those of arrays, and wider ones. */
export type FileDType = Exclude<DType, "key<fry>"> | "int64" | "uint64" | "complex128";
/** The elements of a file's array, in storage form. */
export type FileData = TypedArray | BigInt64Array | BigUint64Array;

/** An array that a file holds, or is to hold. */
export interface FileArray {
  readonly dtype: FileDType;
  readonly shape: readonly number[];
  /** The elements in row-major order; float16 and bfloat16 as 16-bit words, complex numbers as two floats. */
  readonly data: FileData;
}

interface ElementType {
  /** Bytes of one element. */
  readonly bytes: number;
  /** Numbers in `data` for one element. */
  readonly lanes: number;
  readonly make: new (buffer: ArrayBuffer, offset?: number, length?: number) => FileData;
}
const element = (bytes: number, make: ElementType["make"], lanes = 1): ElementType => ({ bytes, lanes, make });

export const elementTypes: Readonly<Record<FileDType, ElementType>> = {
  bool: element(1, Uint8Array),
  int8: element(1, Int8Array),
  int16: element(2, Int16Array),
  int32: element(4, Int32Array),
  int64: element(8, BigInt64Array),
  uint8: element(1, Uint8Array),
  uint16: element(2, Uint16Array),
  uint32: element(4, Uint32Array),
  uint64: element(8, BigUint64Array),
  float16: element(2, Uint16Array),
  bfloat16: element(2, Uint16Array),
  float32: element(4, Float32Array),
  float64: element(8, Float64Array),
  complex64: element(8, Float32Array, 2),
  complex128: element(16, Float64Array, 2),
};

/** The number of elements of a shape; of a shape from outside, infinite if it is beyond all arrays. */
export const elementsOf = (shape: readonly number[]): number =>
  shape.includes(0) ? 0 : shape.reduce((n, length) => n * length, 1);

// ---------------------------------------------------------------- bytes

const hostIsLittleEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/** Turns the bytes of each word around, in place. */
function swapWords(bytes: Uint8Array, width: number): void {
  for (let at = 0; at + width <= bytes.length; at += width) bytes.subarray(at, at + width).reverse();
}

export interface DecodeOptions {
  /** Default true. */
  readonly littleEndian?: boolean;
  /** Whether the elements may share the memory of the bytes, where alignment permits. Default false. */
  readonly share?: boolean;
}

/** The elements that bytes stand for. There must be a whole number of them. */
export function decodeElements(bytes: Uint8Array, dtype: FileDType, options: DecodeOptions = {}): FileData {
  const { littleEndian = true, share = false } = options;
  const { make } = elementTypes[dtype];
  const width = (make as unknown as { BYTES_PER_ELEMENT: number }).BYTES_PER_ELEMENT;
  const asStored = width === 1 || littleEndian === hostIsLittleEndian;
  const inPlace = share && asStored && bytes.byteOffset % width === 0;
  const own = inPlace ? bytes : bytes.slice();
  if (!asStored) swapWords(own, width);
  return new make(own.buffer as ArrayBuffer, own.byteOffset, own.byteLength / width);
}

/** The little-endian bytes of elements, which may share their memory. */
export function encodeElements(data: FileData): Uint8Array {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  if (hostIsLittleEndian || data.BYTES_PER_ELEMENT === 1) return bytes;
  const swapped = bytes.slice();
  swapWords(swapped, data.BYTES_PER_ELEMENT);
  return swapped;
}

/** Whether the bytes of booleans are all 0 or 1. Anything else would be a third truth value to whoever computes with it. */
export const areBooleans = (data: FileData): boolean => {
  for (let i = 0; i < data.length; i++) if (data[i] !== 0 && data[i] !== 1) return false;
  return true;
};

// ---------------------------------------------------------------- arrays

/**
 * The array of a file as one to compute with. 64-bit integers become int32, or uint32, if every value fits; complex128
 * is rounded to complex64.
 *
 * @throws DTypeError if a 64-bit integer does not fit into 32 bits.
 * @example
 * data.arrayOf({ dtype: "int64", shape: [2], data: new BigInt64Array([5n, 7n]) }) // [5, 7]
 */
export function arrayOf({ dtype, shape, data }: FileArray): NDArray {
  if (dtype === "int64" || dtype === "uint64" || dtype === "float64") return np.reshape(np.array(data), shape);
  const [type, stored] =
    dtype === "complex128" ? ["complex64" as const, Float32Array.from(data as TypedArray)] : [dtype, data.slice()];
  return evaluator().fromHost(fromStorage(shape, type, stored as TypedArray), false);
}

const isFileArray = (x: unknown): x is FileArray =>
  typeof x === "object" && x !== null && !(x instanceof NDArray) && "dtype" in x && "shape" in x && "data" in x;

const fromHost = (x: HostArray): FileArray => ({
  dtype: x.dtype as FileDType,
  shape: x.shape,
  data: toStorage(x),
});

/** An array with values, on a device. */
function concrete(x: ArrayLike, name: string): NDArray {
  const a = asArray(x, name);
  if (isKey(a.dtype))
    throw new DTypeError("KeyInFile", {
      what: `${name}: an array of PRNG keys`,
      why: "the file's format has no such elements",
      fix: "write the words, random.keyData(key), and read them back with random.wrapKeyData; or use cotangent/checkpoint",
    });
  const values = a.concrete();
  if (!values)
    throw new ArgumentError("TracedWrite", {
      what: `${name} of ${a.describe()}`,
      why: "inside a transformation there are no values yet",
      fix: "return the array from the transformed function and write it outside",
    });
  return values instanceof Literal ? evaluator().materialize(values) : values;
}

function checked(x: FileArray, name: string): FileArray {
  const type = Object.hasOwn(elementTypes, x.dtype) ? elementTypes[x.dtype] : undefined;
  const fits = type && x.data instanceof type.make && x.data.length === elementsOf(x.shape) * type.lanes;
  if (fits && x.shape.every((n) => Number.isInteger(n) && n >= 0)) return x;
  throw new ArgumentError("NotAFileArray", {
    what: `${name}: ${x.data.length} numbers in a ${x.data.constructor.name} for ${x.dtype} of shape ${shapeText(x.shape)}`,
    why: "the elements of an array for a file are a typed array of the dtype's storage form, as many as the shape says",
    fix: "correct the shape or convert the elements; an NDArray can be passed as it is",
  });
}

/** What to write of an array. @throws DeviceError where the device's values cannot be read at once: see `fileArray`. */
export const fileArrayNow = (x: FileArray | ArrayLike, name: string): FileArray =>
  isFileArray(x) ? checked(x, name) : fromHost(evaluator().toHost(concrete(x, name)));

/**
 * An array in the form in which files hold it, waiting for the device if need be. The functions that write files take
 * it in place of an array; on devices whose values cannot be read at once, such as a GPU, it is the only way.
 *
 * @example
 * const x = await data.fileArray(np.array([1, 2]));
 * data.readNpy(data.formatNpy(x)) // [1, 2]
 */
export async function fileArray(x: ArrayLike): Promise<FileArray> {
  return fromHost(await evaluator().read(concrete(x, "fileArray")));
}

/** The aval of a file's array as text, for messages: `float32[2, 3]`. */
export const fileArrayText = ({ dtype, shape }: Omit<FileArray, "data">): string => `${dtype}[${shape.join(", ")}]`;
