/**
 * Inflating bytes from outside, which may unfold into more than there is memory for: it stops as soon as there is more
 * than was expected. And the checksum that ZIP and PNG share.
 */
import type { AsyncFlateStreamHandler, FlateStreamHandler } from "fflate";

/** A back-reference of 258 bytes may take two bits: deflate gives at most 1032 bytes for one. */
export const largestRatio = 1032;
/** Bytes given to the inflater at once; bounds how far it may run ahead of the check of its output. */
const step = 4096;

/** The streams of fflate: `Inflate` for bare deflated bytes, `Unzlib` for those with a header and a checksum. */
interface InflateStream {
  ondata: FlateStreamHandler | AsyncFlateStreamHandler;
  push(bytes: Uint8Array, final?: boolean): void;
}

/** Thrown out of the inflater to stop it. */
const stop = /* @__PURE__ */ new Error("longer than expected");

/** What deflated bytes unfold to, as long as it is not more than `size` bytes; null if they are damaged. */
export function inflate(stream: InflateStream, packed: Uint8Array, size: number): Uint8Array | null {
  const parts: Uint8Array[] = [];
  let length = 0;
  stream.ondata = (part: Uint8Array) => {
    length += part.length;
    if (length > size) throw stop;
    parts.push(part.slice());
  };
  try {
    for (let at = 0; at < packed.length; at += step)
      stream.push(packed.subarray(at, at + step), at + step >= packed.length);
  } catch {
    // fflate throws errors of its own for damaged bytes; what exactly is wrong with them helps nobody.
    return null;
  }
  return joinBytes(parts);
}

/** Pieces one behind the other. */
export function joinBytes(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** The checksum's polynomial, bits reversed, by bytes. */
const crcTable = /* @__PURE__ */ Uint32Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let bit = 0; bit < 8; bit++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  return c;
});

/** The cyclic redundancy check of ISO 3309 with 32 bits. */
export function crc32(bytes: Uint8Array): number {
  let c = 0xffffffff;
  for (let i = 0; i < bytes.length; i++) c = crcTable[(c ^ bytes[i]!) & 255]! ^ (c >>> 8);
  return (c ^ 0xffffffff) >>> 0;
}
