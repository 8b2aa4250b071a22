/**
 * NPY files, NumPy's format for one array: a magic string, a version, the length of a header, the header (a Python
 * dictionary with `descr`, `fortran_order` and `shape`), then the elements.
 *
 * The format is described in NumPy's documentation, numpy.lib.format. bfloat16, which NumPy lacks, is written as JAX
 * writes it: as elements of two opaque bytes, `<V2`, which are read as bfloat16.
 */
import { type Either, isLeft, left, right } from "fp-ts/lib/Either.js";
import type { ArrayLike } from "../core/arrayMethods.ts";
import type { NDArray } from "../core/ndarray.ts";
import type { DataError } from "../core/problem.ts";
import { shapeText } from "../core/shape.ts";
import { type Bytes, byteCount, bytesOf, malformed, orThrow, truncated, utf8 } from "./bytes.ts";
import {
  type FileArray,
  type FileData,
  type FileDType,
  areBooleans,
  arrayOf,
  decodeElements,
  elementTypes,
  elementsOf,
  encodeElements,
  fileArrayNow,
} from "./elements.ts";

const magic = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];
/** NumPy's own limit on headers that it does not trust; the header of an array of numbers has about a hundred. */
const longestHeader = 10_000;
/** NumPy's limit. */
const mostAxes = 64;

/** NumPy's codes of the dtypes, without byte order. */
const codes: Readonly<Record<FileDType, string>> = {
  bool: "b1",
  int8: "i1",
  int16: "i2",
  int32: "i4",
  int64: "i8",
  uint8: "u1",
  uint16: "u2",
  uint32: "u4",
  uint64: "u8",
  float16: "f2",
  bfloat16: "V2",
  float32: "f4",
  float64: "f8",
  complex64: "c8",
  complex128: "c16",
};
const dtypeOfCode: ReadonlyMap<string, FileDType> = /* @__PURE__ */ new Map(
  Object.entries(codes).map(([dtype, code]) => [code, dtype as FileDType]),
);

// ---------------------------------------------------------------- reading

/**
 * Reads an NPY file of version 1, 2 or 3, or says what is wrong with it. Elements in Fortran order are brought into
 * row-major order.
 *
 * @param bytes the whole file.
 * @example
 * data.parseNpy(data.formatNpy(np.ones([2, 3]))).right.shape // [2, 3]
 */
export function parseNpy(bytes: Bytes): Either<DataError, FileArray> {
  const given = bytesOf("parseNpy", bytes);
  if (isLeft(given)) return given;
  const file = given.right;
  const header = parseHeader(file);
  if (isLeft(header)) return header;
  const { dtype, shape, littleEndian, fortranOrder, start } = header.right;
  // In floating point: a product too large for an integer is too large for a file.
  const needed = start + elementsOf(shape) * elementTypes[dtype].bytes;
  if (needed !== file.length)
    return left(
      needed > file.length
        ? truncated("parseNpy", `${dtype} of shape ${shapeText(shape)}`, needed, file.length)
        : malformed(
            "parseNpy",
            "WrongLength",
            `${dtype} of shape ${shapeText(shape)} makes a file of ${byteCount(needed)}, but there are ${file.length}`,
            "there is something behind the last element",
            "pass the file's bytes alone",
          ),
    );
  const stored = decodeElements(file.subarray(start), dtype, { littleEndian });
  if (dtype === "bool" && !areBooleans(stored))
    return left(
      malformed("parseNpy", "NotBoolean", "a boolean is neither 0 nor 1", "booleans are stored as bytes 0 and 1"),
    );
  const data = fortranOrder ? rowMajor(stored, shape, elementTypes[dtype].lanes) : stored;
  return right({ dtype, shape, data });
}

/**
 * The array in an NPY file.
 *
 * @param bytes the whole file.
 * @throws DataError if the bytes are not a complete NPY file of numbers (`parseNpy` gives it instead); DTypeError if a
 * 64-bit integer does not fit into 32 bits.
 * @example
 * data.readNpy(data.formatNpy(np.array([[1, 2], [3, 4]]))) // [[1, 2], [3, 4]]
 */
export const readNpy = (bytes: Bytes): NDArray => arrayOf(orThrow(parseNpy(bytes)));

interface Header {
  readonly dtype: FileDType;
  readonly shape: readonly number[];
  readonly littleEndian: boolean;
  readonly fortranOrder: boolean;
  /** Where the elements begin. */
  readonly start: number;
}

const notNpy = (what: string): DataError =>
  malformed(
    "parseNpy",
    "NotNpy",
    what,
    "an NPY file begins with the byte 0x93, NUMPY, and a version from 1 to 3",
    "check that the file is the one you mean and was read as bytes; for .npz use readNpz",
  );

function parseHeader(file: Uint8Array): Either<DataError, Header> {
  if (magic.some((byte, i) => file[i] !== byte)) return left(notNpy("the file does not begin like one"));
  const version = file[6];
  if (version === undefined) return left(truncated("parseNpy", "a version", 8, file.length));
  if (version < 1 || version > 3 || (file[7] ?? 0) !== 0)
    return left(notNpy(`the version is ${version}.${file[7] ?? 0}`));
  const fixed = version === 1 ? 10 : 12;
  if (file.length < fixed) return left(truncated("parseNpy", "the length of the header", fixed, file.length));
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const length = version === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (length > longestHeader) return left(badHeader(`it is ${byteCount(length)} long`));
  const start = fixed + length;
  if (file.length < start) return left(truncated("parseNpy", "the header", start, file.length));
  const text = utf8(file.subarray(fixed, start));
  if (text === null) return left(badHeader("it is not text"));
  const fields = parseDictionary(text);
  const [descr, order, shape] = ["descr", "fortran_order", "shape"].map((name) => fields?.get(name));
  if (fields?.size !== 3 || descr === undefined || order === undefined || shape === undefined)
    return left(badHeader("it is no dictionary of descr, fortran_order and shape"));
  const lengths = parseShape(shape);
  if (lengths === null || !/^(True|False)$/.test(order)) return left(badHeader(`the shape is ${shape.slice(0, 80)}`));
  const type = parseDescr(descr);
  return type === null
    ? left(unknownType(descr))
    : right({ ...type, shape: lengths, fortranOrder: order === "True", start });
}

/** The fields of a Python dictionary, each as its text. Every step is one look at the text from where the last one ended. */
function parseDictionary(text: string): ReadonlyMap<string, string> | null {
  const fields = new Map<string, string>();
  const field = /\s*(['"])(\w+)\1\s*:\s*('[^']*'|"[^"]*"|True|False|\([^()]*\)|\[[^\]]*\])\s*(,|(?=\}))/y;
  const open = /^\s*\{/.exec(text);
  if (!open) return null;
  field.lastIndex = open[0].length;
  let end = field.lastIndex;
  for (let m = field.exec(text); m; m = field.exec(text)) {
    if (fields.has(m[2]!)) return null;
    fields.set(m[2]!, m[3]!);
    end = field.lastIndex;
  }
  return /^\s*\}\s*$/.test(text.slice(end)) ? fields : null;
}

/** The lengths in a Python tuple; those of Python 2 end with an L. */
function parseShape(text: string): readonly number[] | null {
  if (!text.startsWith("(")) return null;
  const parts = text
    .slice(1, -1)
    .split(",")
    .map((p) => p.trim());
  // Only one element needs a comma behind it, and any may have one.
  if (parts.at(-1) === "") parts.pop();
  else if (parts.length === 1) return null;
  if (parts.length > mostAxes || !parts.every((p) => /^\d{1,16}L?$/.test(p))) return null;
  const shape = parts.map((p) => Number.parseInt(p, 10));
  return shape.every(Number.isSafeInteger) ? shape : null;
}

function parseDescr(descr: string): { dtype: FileDType; littleEndian: boolean } | null {
  const m = /^['"]([<>|=]?)(\?|[biufcV]\d{1,2})['"]$/.exec(descr);
  if (!m) return null;
  const dtype = dtypeOfCode.get(m[2] === "?" ? "b1" : m[2]!);
  return dtype === undefined ? null : { dtype, littleEndian: m[1] !== ">" };
}

/** Elements in Fortran order, where the first axis runs fastest, in row-major order. */
function rowMajor(data: FileData, shape: readonly number[], lanes: number): FileData {
  const out = data.slice();
  const strides = shape.map((_, axis) => lanes * shape.slice(0, axis).reduce((n, length) => n * length, 1));
  const index = new Array<number>(shape.length).fill(0);
  let from = 0;
  for (let to = 0; to < out.length; to += lanes) {
    for (let lane = 0; lane < lanes; lane++) out[to + lane] = data[from + lane]!;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += strides[axis]!;
      if (++index[axis]! < shape[axis]!) break;
      from -= strides[axis]! * shape[axis]!;
      index[axis] = 0;
    }
  }
  return out;
}

const badHeader = (what: string): DataError =>
  malformed(
    "parseNpy",
    "BadHeader",
    `the header cannot be read: ${what}`,
    "it is a Python dictionary of descr, fortran_order and shape",
  );

const unknownType = (descr: string): DataError =>
  malformed(
    "parseNpy",
    "UnknownElements",
    `the elements are ${descr.slice(0, 80)}`,
    `arrays of numbers are read: ${[...dtypeOfCode.keys()].join(", ")}`,
    "convert in Python before saving, such as x.astype('float32'); take records apart into one array for each field",
  );

// ---------------------------------------------------------------- writing

/**
 * The bytes of an NPY file: version 1, little-endian, in row-major order.
 *
 * @param x an array, or what one is made of; where the device's values cannot be read at once, `await fileArray(x)`.
 * @example
 * data.formatNpy(np.zeros([4])).length // 144
 */
export function formatNpy(x: FileArray | ArrayLike): Uint8Array {
  const { dtype, shape, data } = fileArrayNow(x, "formatNpy");
  const order = elementTypes[dtype].bytes === 1 ? "|" : "<";
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(", ")})`;
  const fields = `{'descr': '${order}${codes[dtype]}', 'fortran_order': False, 'shape': ${tuple}, }`;
  // The elements begin at a multiple of 64 bytes, and the header ends with a line break.
  const start = Math.ceil((10 + fields.length + 1) / 64) * 64;
  const header = `${fields.padEnd(start - 11)}\n`;
  const elements = encodeElements(data);
  const file = new Uint8Array(start + elements.length);
  file.set(magic);
  file.set([1, 0, header.length & 255, header.length >> 8], 6);
  file.set(new TextEncoder().encode(header), 10);
  file.set(elements, start);
  return file;
}
