/** What parsers of files have in common: bytes and text from wherever they come, and how Either becomes a throw. */
import { type Either, isLeft, left, right } from "fp-ts/lib/Either.js";
import { DataError } from "../core/problem.ts";

/** The whole of a file. */
export type Bytes = Uint8Array | ArrayBuffer;

/** The bytes that were given, or what was given instead. */
export function bytesOf(name: string, x: unknown): Either<DataError, Uint8Array> {
  if (x instanceof Uint8Array) return right(x);
  if (x instanceof ArrayBuffer) return right(new Uint8Array(x));
  return left(
    new DataError("NotBytes", {
      what: `${name}: expected the bytes of a file, found ${x === null ? "null" : typeof x}`,
      why: "the parser looks at bytes, wherever they come from",
      fix: "pass a Uint8Array, such as readFileSync(path), or an ArrayBuffer, such as await response.arrayBuffer()",
    }),
  );
}

/** UTF-8 as text, without a byte order mark; null if it is none. */
export function utf8(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}

/** The text of a file, given as such or as bytes. */
export function textOf(name: string, x: unknown): Either<DataError, string> {
  if (typeof x === "string") return right(x.startsWith("\ufeff") ? x.slice(1) : x);
  const bytes = bytesOf(name, x);
  if (isLeft(bytes)) return bytes;
  const text = utf8(bytes.right);
  if (text !== null) return right(text);
  return left(
    new DataError("NotUtf8", {
      what: `${name}: the bytes are not UTF-8`,
      why: "text files are read as UTF-8",
      fix: "decode them first, new TextDecoder(encoding).decode(bytes), and pass the text",
    }),
  );
}

/** The value, or its problem thrown. */
export function orThrow<E extends Error, T>(parsed: Either<E, T>): T {
  if (isLeft(parsed)) throw parsed.left;
  return parsed.right;
}

/** A number of bytes as text. */
export const byteCount = (n: number): string => `${n} ${n === 1 ? "byte" : "bytes"}`;

/** The file ends before what it announces. */
export const truncated = (name: string, what: string, needed: number, there: number): DataError =>
  new DataError("Truncated", {
    what: `${name}: ${what} needs ${byteCount(needed)}, but there ${there === 1 ? "is" : "are"} ${there}`,
    why: "the file ends early, or its header is damaged",
    fix: "fetch the file again; a download may have been cut off",
  });

/** A file that contradicts its format. */
export const malformed = (
  name: string,
  code: string,
  what: string,
  why: string,
  fix = "fetch the file again, or write it anew",
): DataError => new DataError(code, { what: `${name}: ${what}`, why, fix });
