/** NPZ files, NumPy's format for several arrays by name: a ZIP archive of NPY files. */
import { type Either, isLeft, left, right } from "fp-ts/lib/Either.js";
import type { ArrayLike } from "../core/arrayMethods.ts";
import type { NDArray } from "../core/ndarray.ts";
import { DataError } from "../core/problem.ts";
import { type Bytes, bytesOf, malformed, orThrow } from "./bytes.ts";
import { type FileArray, arrayOf } from "./elements.ts";
import { formatNpy, parseNpy } from "./npy.ts";
import { unzip, zip } from "./zip.ts";

export interface NpzReadOptions {
  /** The most bytes that the arrays may have, unpacked and together. Default 1 GiB. */
  readonly maxBytes?: number;
}
export interface NpzWriteOptions {
  /** Whether the arrays are deflated, as by numpy.savez_compressed. Default false. */
  readonly compress?: boolean;
}

/**
 * Reads an NPZ file, or says what is wrong with it. Archives that would unfold into more than they claim, or than
 * `maxBytes`, are refused.
 *
 * @param bytes the whole file.
 * @example
 * data.parseNpz(data.formatNpz({ w: np.ones([2, 3]) })).right.w.shape // [2, 3]
 */
export function parseNpz(
  bytes: Bytes,
  options: NpzReadOptions = {},
): Either<DataError, Readonly<Record<string, FileArray>>> {
  const file = bytesOf("parseNpz", bytes);
  if (isLeft(file)) return file;
  const entries = unzip("parseNpz", file.right, options.maxBytes ?? 2 ** 30);
  if (isLeft(entries)) return entries;
  const arrays = new Map<string, FileArray>();
  for (const entry of entries.right) {
    const array = parseNpy(entry.bytes);
    if (isLeft(array)) return left(within(entry.name, array.left));
    const name = entry.name.replace(/\.npy$/, "");
    if (arrays.has(name)) return left(twice(name));
    arrays.set(name, array.right);
  }
  return right(Object.fromEntries(arrays));
}

/**
 * The arrays in an NPZ file, by name.
 *
 * @param bytes the whole file.
 * @throws DataError if the bytes are not a complete NPZ file of numbers (`parseNpz` gives it instead); DTypeError if a
 * 64-bit integer does not fit into 32 bits.
 * @example
 * data.readNpz(data.formatNpz({ b: [1, 2], w: [[3]] })) // { b: [1, 2], w: [[3]] }
 */
export const readNpz = (bytes: Bytes, options: NpzReadOptions = {}): Record<string, NDArray> =>
  Object.fromEntries(Object.entries(orThrow(parseNpz(bytes, options))).map(([name, x]) => [name, arrayOf(x)]));

/**
 * The bytes of an NPZ file with some arrays by name, as numpy.savez writes them.
 *
 * @example
 * data.readNpz(data.formatNpz({ x: np.arange(1000) }, { compress: true })).x.shape // [1000]
 */
export const formatNpz = (
  arrays: Readonly<Record<string, FileArray | ArrayLike>>,
  options: NpzWriteOptions = {},
): Uint8Array =>
  zip(
    Object.entries(arrays).map(([name, x]) => ({ name: `${name}.npy`, bytes: formatNpy(x) })),
    options.compress ?? false,
  );

const twice = (name: string): DataError =>
  malformed(
    "parseNpz",
    "RepeatedName",
    `there are two arrays ${JSON.stringify(name)}`,
    "the ending .npy does not belong to a name",
  );

const within = (entry: string, { problem }: DataError): DataError =>
  new DataError(problem.code, { ...problem, what: `parseNpz: in ${JSON.stringify(entry)}: ${problem.what}` });
