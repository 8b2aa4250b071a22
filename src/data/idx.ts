/**
 * IDX files, the format of MNIST and its kin: four bytes (0, 0, element type, number of axes), the lengths of the axes
 * as big-endian 32-bit integers, then the elements, big-endian, in row-major order.
 *
 * The bytes may come from anywhere. Everything the header says is checked against the number of bytes there are before
 * anything is allocated.
 */
import { type Either, isLeft, left, right } from "fp-ts/lib/Either.js";
import type { DType } from "../core/dtype.ts";
import type { TypedArray } from "../core/hostArray.ts";
import type { NDArray } from "../core/ndarray.ts";
import { DataError } from "../core/problem.ts";
import { shapeText } from "../core/shape.ts";
import * as np from "../numpy/index.ts";

/** What an IDX file holds. */
export interface IdxArray {
  readonly dtype: IdxDType;
  readonly shape: readonly number[];
  /** The elements in row-major order, in an array of their own. */
  readonly data: TypedArray;
}
export type IdxDType = Extract<DType, "uint8" | "int8" | "int16" | "int32" | "float32" | "float64">;

interface ElementType {
  readonly code: number;
  readonly dtype: IdxDType;
  readonly bytes: number;
  readonly make: (length: number) => TypedArray;
  readonly read: (from: DataView, offset: number) => number;
  readonly write: (to: DataView, offset: number, value: number) => void;
}
const elementTypes: readonly ElementType[] = [
  {
    code: 0x08,
    dtype: "uint8",
    bytes: 1,
    make: (n) => new Uint8Array(n),
    read: (v, o) => v.getUint8(o),
    write: (v, o, x) => v.setUint8(o, x),
  },
  {
    code: 0x09,
    dtype: "int8",
    bytes: 1,
    make: (n) => new Int8Array(n),
    read: (v, o) => v.getInt8(o),
    write: (v, o, x) => v.setInt8(o, x),
  },
  {
    code: 0x0b,
    dtype: "int16",
    bytes: 2,
    make: (n) => new Int16Array(n),
    read: (v, o) => v.getInt16(o),
    write: (v, o, x) => v.setInt16(o, x),
  },
  {
    code: 0x0c,
    dtype: "int32",
    bytes: 4,
    make: (n) => new Int32Array(n),
    read: (v, o) => v.getInt32(o),
    write: (v, o, x) => v.setInt32(o, x),
  },
  {
    code: 0x0d,
    dtype: "float32",
    bytes: 4,
    make: (n) => new Float32Array(n),
    read: (v, o) => v.getFloat32(o),
    write: (v, o, x) => v.setFloat32(o, x),
  },
  {
    code: 0x0e,
    dtype: "float64",
    bytes: 8,
    make: (n) => new Float64Array(n),
    read: (v, o) => v.getFloat64(o),
    write: (v, o, x) => v.setFloat64(o, x),
  },
];

/** NumPy's limit; no data set needs more, and a corrupted header may ask for 255. */
const mostAxes = 32;

// ---------------------------------------------------------------- reading

/**
 * Reads an IDX file, or says what is wrong with it.
 *
 * @param bytes the whole file, not compressed.
 * @example
 * data.parseIdx(new Uint8Array([0, 0, 8, 1, 0, 0, 0, 2, 5, 7])).right.shape // [2]
 */
export function parseIdx(bytes: Uint8Array | ArrayBuffer): Either<DataError, IdxArray> {
  if (!(bytes instanceof Uint8Array) && !(bytes instanceof ArrayBuffer)) return left(notBytes(bytes));
  const view =
    bytes instanceof ArrayBuffer ? new DataView(bytes) : new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const header = parseHeader(view);
  return isLeft(header) ? header : right(readElements(view, header.right));
}

interface Header {
  readonly type: ElementType;
  readonly shape: readonly number[];
  readonly size: number;
  /** Where the elements begin. */
  readonly start: number;
}

function parseHeader(view: DataView): Either<DataError, Header> {
  const there = view.byteLength;
  if (there < 4) return left(truncated(`the four bytes that an IDX file begins with`, 4, there));
  const magic = view.getUint32(0);
  const type = elementTypes.find((t) => t.code === view.getUint8(2));
  if (magic >>> 16 !== 0 || !type) return left(badMagic(magic));
  const ndim = view.getUint8(3);
  if (ndim > mostAxes) return left(tooManyAxes(ndim));
  const start = 4 + 4 * ndim;
  if (there < start) return left(truncated(`a header of ${ndim} axes`, start, there));
  const shape = Array.from({ length: ndim }, (_, i) => view.getUint32(4 + 4 * i));
  // In floating point: a product too large for an integer is too large for a file.
  const size = shape.includes(0) ? 0 : shape.reduce((n, length) => n * length, 1);
  const expected = start + size * type.bytes;
  if (expected !== there) return left(wrongLength(type, shape, expected, there));
  return right({ type, shape, size, start });
}

function readElements(view: DataView, { type, shape, size, start }: Header): IdxArray {
  const data = type.make(size);
  const { buffer, byteOffset } = view;
  if (type.bytes === 1) data.set(new Uint8Array(buffer, byteOffset + start, size));
  else for (let i = 0; i < size; i++) data[i] = type.read(view, start + i * type.bytes);
  return { dtype: type.dtype, shape, data };
}

/**
 * The array in an IDX file.
 *
 * @param bytes the whole file, not compressed.
 * @throws DataError if the bytes are not a complete IDX file; `parseIdx` gives it instead.
 * @example
 * data.readIdx(new Uint8Array([0, 0, 8, 1, 0, 0, 0, 2, 5, 7])) // [5, 7]
 */
export function readIdx(bytes: Uint8Array | ArrayBuffer): NDArray {
  const parsed = parseIdx(bytes);
  if (isLeft(parsed)) throw parsed.left;
  const { shape, data } = parsed.right;
  return np.reshape(np.array(data), shape);
}

// ---------------------------------------------------------------- writing

/**
 * The bytes of an IDX file.
 *
 * @example
 * data.formatIdx({ dtype: "uint8", shape: [2], data: new Uint8Array([5, 7]) }).length // 10
 */
export function formatIdx({ dtype, shape, data }: IdxArray): Uint8Array {
  const type = elementTypes.find((t) => t.dtype === dtype);
  const size = shape.reduce((n, length) => n * length, 1);
  if (!type || size !== data.length || shape.length > mostAxes) throw notAnIdxArray(dtype, shape, data.length);
  const start = 4 + 4 * shape.length;
  const view = new DataView(new ArrayBuffer(start + size * type.bytes));
  view.setUint8(2, type.code);
  view.setUint8(3, shape.length);
  shape.forEach((n, i) => view.setUint32(4 + 4 * i, n));
  for (let i = 0; i < size; i++) type.write(view, start + i * type.bytes, data[i]!);
  return new Uint8Array(view.buffer);
}

// ---------------------------------------------------------------- what can be wrong

const hex = (n: number, digits: number): string => `0x${n.toString(16).padStart(digits, "0")}`;
const count = (n: number): string => `${n} ${n === 1 ? "byte" : "bytes"}`;

const notBytes = (found: unknown): DataError =>
  new DataError("NotBytes", {
    what: `parseIdx: expected the bytes of a file, found ${found === null ? "null" : typeof found}`,
    why: "the parser looks at bytes, wherever they come from",
    fix: "pass a Uint8Array, such as readFileSync(path), or an ArrayBuffer, such as await response.arrayBuffer()",
  });

const badMagic = (magic: number): DataError =>
  new DataError("NotIdx", {
    what: `parseIdx: the first four bytes are ${hex(magic, 8)}`,
    why: "an IDX file begins with two zero bytes, an element type (0x08, 0x09, 0x0b … 0x0e) and a number of axes",
    fix:
      magic >>> 16 === 0x1f8b
        ? "the bytes are gzip-compressed: decompress them first, with gunzipSync of node:zlib or a DecompressionStream"
        : "check that the file is the one you mean and was read as bytes, not as text",
  });

const tooManyAxes = (ndim: number): DataError =>
  new DataError("TooManyAxes", {
    what: `parseIdx: the header announces ${ndim} axes`,
    why: `arrays have at most ${mostAxes} axes; more means that the header is damaged`,
    fix: "fetch the file again",
  });

const truncated = (what: string, needed: number, there: number): DataError =>
  new DataError("Truncated", {
    what: `parseIdx: ${what} need ${count(needed)}, but there ${there === 1 ? "is" : "are"} ${there}`,
    why: "the file ends early",
    fix: "fetch the file again; a download may have been cut off",
  });

const wrongLength = (type: ElementType, shape: readonly number[], expected: number, there: number): DataError =>
  new DataError("WrongLength", {
    what: `parseIdx: ${type.dtype} of shape ${shapeText(shape)} makes a file of ${count(expected)}, but there are ${there}`,
    why:
      there < expected ? "the file ends early, or its header is damaged" : "there is something behind the last element",
    fix: "fetch the file again; pass the file's bytes alone",
  });

const notAnIdxArray = (dtype: string, shape: readonly number[], length: number): DataError =>
  new DataError("NotAnIdxArray", {
    what: `formatIdx: ${length} elements of ${dtype} in shape ${shapeText(shape)}`,
    why: `an IDX file holds ${elementTypes.map((t) => t.dtype).join(", ")}, with as many elements as its shape says`,
    fix: "convert the elements, or correct the shape",
  });
