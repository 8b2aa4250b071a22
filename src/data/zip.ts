/**
 * ZIP archives as far as NPZ files need them: stored and deflated entries, no encryption, no archives in parts.
 *
 * An archive from outside can be made to unfold into more than there is memory for. Entries may not share bytes, no
 * entry may claim more than deflate can give for its bytes, all of them together no more than a limit, and inflating
 * stops as soon as there is more than was claimed. Format: PKWARE's APPNOTE, sections 4.3 and 4.4.
 */
import { type Either, isLeft, left, right } from "fp-ts/lib/Either.js";
import { Inflate, type Zippable, zipSync } from "fflate";
import type { DataError } from "../core/problem.ts";
import { byteCount, malformed, truncated, utf8 } from "./bytes.ts";
import { crc32, inflate, largestRatio } from "./inflate.ts";

/** One file of an archive. */
export interface ZipEntry {
  readonly name: string;
  readonly bytes: Uint8Array;
}

interface Entry {
  readonly name: string;
  readonly method: number;
  readonly crc: number;
  /** Bytes in the archive, and unpacked. */
  readonly packed: number;
  readonly size: number;
  /** Where its own header begins. */
  readonly header: number;
  /** Where its bytes begin. */
  readonly start: number;
}

/** All entries of an archive, in the order of its directory. `limit` bounds their bytes, unpacked and together. */
export function unzip(name: string, file: Uint8Array, limit: number): Either<DataError, readonly ZipEntry[]> {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const directory = findDirectory(name, file, view);
  if (isLeft(directory)) return directory;
  const listed = readDirectory(name, file, view, directory.right);
  if (isLeft(listed)) return listed;
  const entries = listed.right;
  const total = entries.reduce((n, e) => n + e.size, 0);
  if (total > limit) return left(tooLarge(name, `it unpacks to ${byteCount(total)}`, limit));
  const out: ZipEntry[] = [];
  for (const entry of entries) {
    const bytes = unpack(name, file.subarray(entry.start, entry.start + entry.packed), entry);
    if (isLeft(bytes)) return bytes;
    out.push({ name: entry.name, bytes: bytes.right });
  }
  return right(out);
}

// ---------------------------------------------------------------- the directory

interface Directory {
  readonly count: number;
  readonly start: number;
  readonly end: number;
}

const notZip = (name: string, what: string): DataError =>
  malformed(name, "NotZip", what, "an NPZ file is a ZIP archive, which ends with a directory of its entries");

/** The record at the end says where the directory is. Only a comment may follow, so it is looked for backwards. */
function findDirectory(name: string, file: Uint8Array, view: DataView): Either<DataError, Directory> {
  for (let at = file.length - 22; at >= Math.max(0, file.length - 22 - 0xffff); at--) {
    if (view.getUint32(at, true) !== 0x06054b50 || at + 22 + view.getUint16(at + 20, true) !== file.length) continue;
    const [disk, diskOfDirectory, here, count] = [4, 6, 8, 10].map((o) => view.getUint16(at + o, true)) as [
      number,
      number,
      number,
      number,
    ];
    const [size, start] = [view.getUint32(at + 12, true), view.getUint32(at + 16, true)];
    if (count === 0xffff || size === 0xffffffff || start === 0xffffffff) return left(zip64(name));
    if (disk !== 0 || diskOfDirectory !== 0 || here !== count)
      return left(notZip(name, "the archive is in several parts"));
    if (start + size !== at) return left(notZip(name, "the directory does not end where the archive does"));
    return right({ count, start, end: at });
  }
  return left(notZip(name, "there is no directory at the end"));
}

function readDirectory(
  name: string,
  file: Uint8Array,
  view: DataView,
  directory: Directory,
): Either<DataError, readonly Entry[]> {
  const entries: Entry[] = [];
  const names = new Set<string>();
  let at = directory.start;
  for (let i = 0; i < directory.count; i++) {
    if (at + 46 > directory.end || view.getUint32(at, true) !== 0x02014b50)
      return left(notZip(name, `entry ${i} of the directory is damaged`));
    const end = at + 46 + view.getUint16(at + 28, true) + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
    if (end > directory.end) return left(notZip(name, `entry ${i} of the directory is damaged`));
    const entry = readEntry(name, file, view, at, directory.start);
    if (isLeft(entry)) return entry;
    if (names.has(entry.right.name))
      return left(notZip(name, `there are two entries ${JSON.stringify(entry.right.name)}`));
    names.add(entry.right.name);
    entries.push(entry.right);
    at = end;
  }
  if (at !== directory.end) return left(notZip(name, "the directory is longer than its entries"));
  const inOrder = [...entries].sort((a, b) => a.header - b.header);
  const overlap = inOrder.find((e, i) => i > 0 && e.header < inOrder[i - 1]!.start + inOrder[i - 1]!.packed);
  return overlap
    ? left(notZip(name, `entry ${JSON.stringify(overlap.name)} shares bytes with another`))
    : right(entries);
}

/** An entry of the directory at `at`, and where its bytes are: its own header, which comes before them, has a length of its own. */
function readEntry(
  name: string,
  file: Uint8Array,
  view: DataView,
  at: number,
  limit: number,
): Either<DataError, Entry> {
  const nameBytes = file.subarray(at + 46, at + 46 + view.getUint16(at + 28, true));
  const entryName = utf8(nameBytes);
  if (entryName === null) return left(notZip(name, "the name of an entry is not UTF-8"));
  const title = JSON.stringify(entryName);
  const method = view.getUint16(at + 10, true);
  const [crc, packed, size] = [16, 20, 24].map((o) => view.getUint32(at + o, true)) as [number, number, number];
  const header = view.getUint32(at + 42, true);
  if ([packed, size, header].includes(0xffffffff)) return left(zip64(name));
  if ((view.getUint16(at + 8, true) & 1) !== 0 || (method !== 0 && method !== 8))
    return left(
      malformed(
        name,
        "UnknownPacking",
        `entry ${title} is encrypted, or packed by method ${method}`,
        "entries may be stored or deflated",
        "write the file with numpy.savez or numpy.savez_compressed",
      ),
    );
  if (header + 30 > limit || view.getUint32(header, true) !== 0x04034b50)
    return left(notZip(name, `entry ${title} is not where the directory says`));
  const nameLength = view.getUint16(header + 26, true);
  const start = header + 30 + nameLength + view.getUint16(header + 28, true);
  if (start + packed > limit) return left(truncated(name, `entry ${title}`, start + packed, limit));
  if (nameLength !== nameBytes.length || nameBytes.some((b, i) => file[header + 30 + i] !== b))
    return left(notZip(name, `entry ${title} has another name in its own header`));
  if (method === 0 ? size !== packed : size > packed * largestRatio)
    return left(
      malformed(
        name,
        "ImpossibleSize",
        `entry ${title} claims ${byteCount(size)} in ${packed}`,
        "no packing gives that",
        "do not trust this file",
      ),
    );
  return right({ name: entryName, method, crc, packed, size, header, start });
}

const zip64 = (name: string): DataError =>
  malformed(
    name,
    "Zip64",
    "the archive is of the form for more than 4 GiB",
    "sizes beyond 32 bits are not read",
    "save the arrays in several files, or as safetensors",
  );

const tooLarge = (name: string, what: string, limit: number): DataError =>
  malformed(
    name,
    "TooLarge",
    what,
    `the limit is ${byteCount(limit)}`,
    "if you trust the file, raise the limit: { maxBytes: … }",
  );

// ---------------------------------------------------------------- entries

function unpack(name: string, packed: Uint8Array, entry: Entry): Either<DataError, Uint8Array> {
  const bytes = entry.method === 0 ? packed.slice() : inflate(new Inflate(), packed, entry.size);
  if (bytes !== null && bytes.length === entry.size && crc32(bytes) === entry.crc) return right(bytes);
  return left(
    malformed(
      name,
      "DamagedEntry",
      `entry ${JSON.stringify(entry.name)} does not unpack to what its size and checksum say`,
      "its bytes are damaged, or its header lies",
    ),
  );
}

// ---------------------------------------------------------------- writing

/** An archive of files; the same files give the same bytes. */
export function zip(entries: readonly ZipEntry[], compress: boolean): Uint8Array {
  const files = Object.create(null) as Zippable;
  // The first day that the format knows, so that the time of writing does not show.
  const options = { level: compress ? 6 : 0, mtime: new Date(1980, 0, 1) } as const;
  for (const { name, bytes } of entries) files[name] = [bytes, options];
  return zipSync(files);
}
