/**
 * Safetensors files: the length of a header (eight bytes), the header (JSON: for each name a dtype, a shape and where
 * its bytes are; `__metadata__` holds strings by name), then the elements, little-endian, without gaps.
 *
 * As in the reference implementation, https://github.com/huggingface/safetensors, a header has at most 100 MB, and the
 * tensors cover the bytes behind it exactly: no holes, no overlaps, names only once.
 */
import { type Either, isLeft, left, right } from "fp-ts/lib/Either.js";
import type { ArrayLike } from "../core/arrayMethods.ts";
import type { NDArray } from "../core/ndarray.ts";
import { ArgumentError, type DataError } from "../core/problem.ts";
import { type Bytes, byteCount, bytesOf, malformed, orThrow, truncated, utf8 } from "./bytes.ts";
import {
  type FileArray,
  type FileDType,
  areBooleans,
  arrayOf,
  decodeElements,
  elementTypes,
  elementsOf,
  encodeElements,
  fileArrayNow,
} from "./elements.ts";

/** What a safetensors file holds. */
export interface Safetensors {
  readonly tensors: Readonly<Record<string, FileArray>>;
  /** Texts by name, of whoever wrote the file. */
  readonly metadata: Readonly<Record<string, string>>;
}

const longestHeader = 100_000_000;

/** In the order of their alignment, the largest first; a file has its tensors in this order, so that all are aligned. */
const names = {
  float64: "F64",
  int64: "I64",
  uint64: "U64",
  complex64: "C64",
  float32: "F32",
  int32: "I32",
  uint32: "U32",
  float16: "F16",
  bfloat16: "BF16",
  int16: "I16",
  uint16: "U16",
  int8: "I8",
  uint8: "U8",
  bool: "BOOL",
} as const satisfies Partial<Record<FileDType, string>>;
type Named = keyof typeof names;
const order = Object.keys(names) as Named[];
const dtypeOfName: ReadonlyMap<string, Named> = /* @__PURE__ */ new Map(order.map((d) => [names[d], d]));

// ---------------------------------------------------------------- reading

/**
 * Reads a safetensors file, or says what is wrong with it. Where alignment permits, the elements share the memory of
 * `bytes`; `arrayOf` copies them.
 *
 * @param bytes the whole file.
 * @example
 * data.parseSafetensors(data.formatSafetensors({ w: np.ones([2, 3]) })).right.tensors.w.shape // [2, 3]
 */
export function parseSafetensors(bytes: Bytes): Either<DataError, Safetensors> {
  const given = bytesOf("parseSafetensors", bytes);
  if (isLeft(given)) return given;
  const file = given.right;
  const header = parseHeader(file);
  if (isLeft(header)) return header;
  const { entries, metadata, start } = header.right;
  const tensors = new Map<string, FileArray>();
  for (const { name, dtype, shape, begin, end } of entries) {
    const data = decodeElements(file.subarray(start + begin, start + end), dtype, { share: true });
    if (dtype === "bool" && !areBooleans(data))
      return left(
        bad("NotBoolean", `an element of ${quote(name)} is neither 0 nor 1`, "booleans are stored as bytes 0 and 1"),
      );
    tensors.set(name, { dtype, shape, data });
  }
  return right({ tensors: Object.fromEntries(tensors), metadata });
}

/**
 * The tensors of a safetensors file as arrays, by name.
 *
 * @param bytes the whole file.
 * @throws DataError if the bytes are not a complete safetensors file (`parseSafetensors` gives it instead); DTypeError
 * if a 64-bit integer does not fit into 32 bits.
 * @example
 * data.readSafetensors(data.formatSafetensors({ b: [1, 2], w: [[3]] })) // { b: [1, 2], w: [[3]] }
 */
export const readSafetensors = (bytes: Bytes): Record<string, NDArray> =>
  Object.fromEntries(Object.entries(orThrow(parseSafetensors(bytes)).tensors).map(([name, x]) => [name, arrayOf(x)]));

interface Entry {
  readonly name: string;
  readonly dtype: Named;
  readonly shape: readonly number[];
  /** Where its bytes are, from the end of the header. */
  readonly begin: number;
  readonly end: number;
}
interface Header {
  /** In the order of their bytes. */
  readonly entries: readonly Entry[];
  readonly metadata: Readonly<Record<string, string>>;
  /** Where the elements begin. */
  readonly start: number;
}

const quote = (name: string): string => JSON.stringify(name.length > 80 ? `${name.slice(0, 80)}…` : name);
const bad = (code: string, what: string, why: string, fix?: string): DataError =>
  malformed("parseSafetensors", code, what, why, fix);
const notSafetensors = (what: string): DataError =>
  bad(
    "NotSafetensors",
    what,
    "the file begins with the length of a header in JSON, which describes each tensor",
    "check that the file is the one you mean and was read as bytes",
  );

function parseHeader(file: Uint8Array): Either<DataError, Header> {
  if (file.length < 8) return left(truncated("parseSafetensors", "the length of the header", 8, file.length));
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const length = view.getUint32(0, true) + view.getUint32(4, true) * 2 ** 32;
  if (length > longestHeader)
    return left(
      bad(
        "HeaderTooLarge",
        `a header of ${byteCount(length)} is announced`,
        "headers have at most 100 MB; more means that the file is damaged, or none",
      ),
    );
  const start = 8 + length;
  if (file.length < start) return left(truncated("parseSafetensors", "the header", start, file.length));
  const text = utf8(file.subarray(8, start));
  if (text === null || !text.startsWith("{"))
    return left(notSafetensors("the header is no text that begins with a brace"));
  let parsed: Record<string, unknown>;
  try {
    parsed = JSON.parse(text) as Record<string, unknown>;
  } catch {
    return left(notSafetensors("the header is not JSON"));
  }
  return readHeader(parsed, text, start, file.length);
}

function readHeader(
  parsed: Readonly<Record<string, unknown>>,
  text: string,
  start: number,
  there: number,
): Either<DataError, Header> {
  const entries: Entry[] = [];
  let metadata: Readonly<Record<string, string>> = {};
  let keys = 0;
  for (const [name, value] of Object.entries(parsed)) {
    if (name === "__metadata__") {
      if (!isObject(value) || !Object.values(value).every((v) => typeof v === "string"))
        return left(notSafetensors("the metadata are not texts by name"));
      metadata = value as Record<string, string>;
      keys += 1 + Object.keys(value).length;
    } else {
      const entry = readEntry(name, value);
      if (isLeft(entry)) return entry;
      entries.push(entry.right);
      keys += 4;
    }
  }
  // JSON.parse keeps the last of several values with one name. All are objects of known fields here, so counting will do.
  if (keysIn(text) !== keys)
    return left(bad("RepeatedName", "a name occurs twice in the header", "each tensor has a name of its own"));
  entries.sort((a, b) => a.begin - b.begin || a.end - b.end);
  let covered = 0;
  for (const { name, begin, end } of entries) {
    if (begin !== covered)
      return left(
        bad(
          "NotContiguous",
          `${quote(name)} begins at byte ${begin}, where ${covered} was expected`,
          "tensors lie one behind the other, without holes and without sharing bytes",
        ),
      );
    covered = end;
  }
  if (start + covered > there) return left(truncated("parseSafetensors", "the last tensor", start + covered, there));
  if (start + covered < there)
    return left(
      bad(
        "WrongLength",
        `the tensors end at byte ${start + covered} of ${there}`,
        "there is something behind the last tensor",
      ),
    );
  return right({ entries, metadata, start });
}

const isObject = (x: unknown): x is Record<string, unknown> => typeof x === "object" && x !== null && !Array.isArray(x);
const isCount = (x: unknown): x is number => Number.isSafeInteger(x) && (x as number) >= 0;
const areCounts = (x: unknown): x is number[] => Array.isArray(x) && x.every(isCount);

function readEntry(name: string, value: unknown): Either<DataError, Entry> {
  const fields = isObject(value) ? value : {};
  const { dtype: type, shape, data_offsets: offsets } = fields;
  if (
    Object.keys(fields).length !== 3 ||
    typeof type !== "string" ||
    !areCounts(shape) ||
    !areCounts(offsets) ||
    offsets.length !== 2
  )
    return left(notSafetensors(`${quote(name)} is not described by dtype, shape and data_offsets`));
  const dtype = dtypeOfName.get(type);
  if (dtype === undefined)
    return left(
      bad(
        "UnknownElements",
        `${quote(name)} has elements ${quote(type)}`,
        `these are read: ${[...dtypeOfName.keys()].join(", ")}`,
        "convert the tensor where the file was written",
      ),
    );
  const [begin, end] = offsets as [number, number];
  const needed = elementsOf(shape) * elementTypes[dtype].bytes;
  if (end - begin !== needed)
    return left(
      bad(
        "WrongSize",
        `${quote(name)} has bytes ${begin} to ${end}; ${type} of shape [${shape.slice(0, 9).join(", ")}] needs ${needed}`,
        "the bytes of a tensor are its elements and nothing else",
      ),
    );
  return right({ name, dtype, shape, begin, end });
}

/** The number of keys in valid JSON: strings with a colon behind them. */
function keysIn(text: string): number {
  let count = 0;
  for (let at = text.indexOf('"'); at >= 0; at = text.indexOf('"', at)) {
    for (at++; text[at] !== '"'; at++) if (text[at] === "\\") at++;
    at++;
    while (" \t\n\r".includes(text[at] ?? "x")) at++;
    if (text[at] === ":") count++;
  }
  return count;
}

// ---------------------------------------------------------------- writing

export interface SafetensorsOptions {
  /** Texts to keep in the header. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/**
 * The bytes of a safetensors file with some arrays by name. The tensors with the largest elements come first, then in
 * the order of their names, so that every one is aligned and the same arrays give the same bytes.
 *
 * @example
 * data.parseSafetensors(data.formatSafetensors({ w: [1, 2] }, { metadata: { epoch: "3" } })).right.metadata // { epoch: "3" }
 */
export function formatSafetensors(
  tensors: Readonly<Record<string, FileArray | ArrayLike>>,
  options: SafetensorsOptions = {},
): Uint8Array {
  const parts = Object.entries(tensors)
    .map(([name, x]) => ({ name, x: fileArrayNow(x, "formatSafetensors") }))
    .sort((a, b) => rank(a.x) - rank(b.x) || (a.name < b.name ? -1 : 1));
  const fields: [string, unknown][] = options.metadata === undefined ? [] : [["__metadata__", options.metadata]];
  let offset = 0;
  for (const { name, x } of parts) {
    checkWritable(name, x.dtype);
    const end = offset + x.data.byteLength;
    fields.push([name, { dtype: names[x.dtype as Named], shape: x.shape, data_offsets: [offset, end] }]);
    offset = end;
  }
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries(fields)));
  const length = Math.ceil(json.length / 8) * 8;
  const file = new Uint8Array(8 + length + offset).fill(0x20, 8, 8 + length);
  new DataView(file.buffer).setBigUint64(0, BigInt(length), true);
  file.set(json, 8);
  let at = 8 + length;
  for (const { x } of parts) {
    file.set(encodeElements(x.data), at);
    at += x.data.byteLength;
  }
  return file;
}

const rank = ({ dtype }: FileArray): number => order.indexOf(dtype as Named);

function checkWritable(name: string, dtype: FileDType): void {
  if (name !== "__metadata__" && Object.hasOwn(names, dtype)) return;
  throw new ArgumentError("NotForSafetensors", {
    what: `formatSafetensors: ${quote(name)} of ${dtype}`,
    why: `a file holds ${Object.values(names).join(", ")}, under any name but __metadata__`,
    fix: "convert the array, or give it another name",
  });
}
