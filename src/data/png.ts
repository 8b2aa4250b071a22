/**
 * PNG images: chunks of a length, a type, bytes and a checksum. The pixels are deflated rows, each of which says how it
 * was predicted from its neighbours; interlaced images have seven smaller ones, whose pixels lie between each other's.
 *
 * Every kind of the specification (https://www.w3.org/TR/png-3/) is read, as 8 bits a channel: grey, colour, palettes,
 * transparency, 1 to 16 bits, interlaced or not. What the header says is checked against the bytes there are before
 * anything is allocated.
 */
import { type Either, isLeft, left, right } from "fp-ts/lib/Either.js";
import { Unzlib, zlibSync } from "fflate";
import type { ArrayLike } from "../core/arrayMethods.ts";
import { ArgumentError, type DataError } from "../core/problem.ts";
import { type Bytes, byteCount, bytesOf, malformed, truncated } from "./bytes.ts";
import { type FileArray, fileArrayNow, fileArrayText } from "./elements.ts";
import { crc32, inflate, joinBytes, largestRatio } from "./inflate.ts";

export interface ImageLimits {
  /** The most pixels of an image. Default 2²⁶, 67 million. */
  readonly maxPixels?: number;
}
export const usualMaxPixels = 2 ** 26;

const signature = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
export const isPng = (file: Uint8Array): boolean => signature.every((byte, i) => file[i] === byte);

/** Kinds of colour, by their number in the header: channels in the file, and the depths they come in. */
const kinds: Readonly<Record<number, { readonly channels: number; readonly depths: readonly number[] }>> = {
  0: { channels: 1, depths: [1, 2, 4, 8, 16] },
  2: { channels: 3, depths: [8, 16] },
  3: { channels: 1, depths: [1, 2, 4, 8] },
  4: { channels: 2, depths: [8, 16] },
  6: { channels: 4, depths: [8, 16] },
};
const palette = 3;

/** Where the pixels of each smaller image of an interlaced one lie. */
const passes: readonly Pass[] = [
  { x: 0, y: 0, dx: 8, dy: 8 },
  { x: 4, y: 0, dx: 8, dy: 8 },
  { x: 0, y: 4, dx: 4, dy: 8 },
  { x: 2, y: 0, dx: 4, dy: 4 },
  { x: 0, y: 2, dx: 2, dy: 4 },
  { x: 1, y: 0, dx: 2, dy: 2 },
  { x: 0, y: 1, dx: 1, dy: 2 },
];
const whole: readonly Pass[] = [{ x: 0, y: 0, dx: 1, dy: 1 }];
interface Pass {
  readonly x: number;
  readonly y: number;
  readonly dx: number;
  readonly dy: number;
}

interface Header {
  readonly width: number;
  readonly height: number;
  readonly depth: number;
  readonly kind: number;
  readonly channels: number;
  readonly passes: readonly Pass[];
}
interface Chunks {
  readonly header: Header;
  readonly colours: Uint8Array | null;
  readonly transparency: Uint8Array | null;
  readonly pixels: Uint8Array;
}

const bad = (code: string, what: string, why: string, fix?: string): DataError =>
  malformed("parsePng", code, what, why, fix);
const notPng = (what: string): DataError =>
  bad("NotPng", what, "a PNG image is a signature, a header, pixels and an end, in chunks with checksums");

// ---------------------------------------------------------------- reading

/**
 * Reads a PNG image as uint8 of shape [height, width, channels], or says what is wrong with it. There are 1 (grey),
 * 2 (grey and alpha), 3 (red, green, blue) or 4 channels (and alpha); colours from a palette have 3 or 4.
 *
 * @param bytes the whole file.
 * @example
 * data.parsePng(data.encodePng(np.zeros([2, 3, 3], "uint8"))).right.shape // [2, 3, 3]
 */
export function parsePng(bytes: Bytes, limits: ImageLimits = {}): Either<DataError, FileArray> {
  const given = bytesOf("parsePng", bytes);
  if (isLeft(given)) return given;
  if (!isPng(given.right)) return left(notPng("the file does not begin like one"));
  const chunks = readChunks(given.right);
  if (isLeft(chunks)) return chunks;
  const { header, pixels } = chunks.right;
  const { maxPixels = usualMaxPixels } = limits;
  if (header.width * header.height > maxPixels)
    return left(
      bad(
        "TooLarge",
        `an image of ${header.width} × ${header.height} pixels is announced`,
        `the limit is ${maxPixels} pixels`,
        "if you trust the file, raise the limit: { maxPixels: … }",
      ),
    );
  const size = header.passes.reduce((n, p) => n + passSize(header, p), 0);
  if (size > pixels.length * largestRatio)
    return left(
      truncated(
        "parsePng",
        `an image of ${header.width} × ${header.height} pixels`,
        Math.ceil(size / largestRatio),
        pixels.length,
      ),
    );
  const rows = inflate(new Unzlib(), pixels, size);
  if (rows === null || rows.length !== size) return left(notPng(`the pixels do not unpack to ${byteCount(size)}`));
  if (!unfilter(rows, header)) return left(notPng("a row is predicted in a way that does not exist"));
  return paint(rows, chunks.right);
}

function readChunks(file: Uint8Array): Either<DataError, Chunks> {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  let header: Header | null = null;
  let colours: Uint8Array | null = null;
  let transparency: Uint8Array | null = null;
  const pixels: Uint8Array[] = [];
  for (let at = 8; ;) {
    if (at + 12 > file.length) return left(truncated("parsePng", "the next chunk", at + 12, file.length));
    const length = view.getUint32(at);
    const end = at + 12 + length;
    if (end > file.length) return left(truncated("parsePng", "a chunk", end, file.length));
    const type = String.fromCharCode(...file.subarray(at + 4, at + 8));
    const body = file.subarray(at + 8, at + 8 + length);
    if (crc32(file.subarray(at + 4, end - 4)) !== view.getUint32(end - 4))
      return left(notPng(`the checksum of a chunk ${JSON.stringify(type)} is wrong`));
    if ((type === "IHDR") !== (header === null))
      return left(notPng("the header is not the first chunk and the only one of its kind"));
    if (type === "IHDR") {
      const read = readHeader(body);
      if (isLeft(read)) return read;
      header = read.right;
    } else if (type === "PLTE") colours = body;
    else if (type === "tRNS") transparency = body;
    else if (type === "IDAT") pixels.push(body);
    else if (type === "IEND") break;
    // An upper-case first letter means that the image cannot be understood without the chunk.
    else if ((file[at + 4]! & 0x20) === 0) return left(notPng(`there is a chunk ${JSON.stringify(type)}`));
    at = end;
  }
  return right({ header: header!, colours, transparency, pixels: joinBytes(pixels) });
}

function readHeader(body: Uint8Array): Either<DataError, Header> {
  if (body.length !== 13) return left(notPng(`the header has ${byteCount(body.length)}`));
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const [width, height] = [view.getUint32(0), view.getUint32(4)];
  const [depth, kind, compression, filter, interlace] = [...body.subarray(8)] as [
    number,
    number,
    number,
    number,
    number,
  ];
  const channels = kinds[kind]?.depths.includes(depth) ? kinds[kind].channels : 0;
  if (
    channels === 0 ||
    compression !== 0 ||
    filter !== 0 ||
    interlace > 1 ||
    width === 0 ||
    height === 0 ||
    width > 0x7fffffff ||
    height > 0x7fffffff
  )
    return left(
      notPng(
        `the header says ${width} × ${height} pixels, ${depth} bits, colours of kind ${kind}, packing ${compression}, ${filter}, ${interlace}`,
      ),
    );
  return right({ width, height, depth, kind, channels, passes: interlace === 1 ? passes : whole });
}

// ---------------------------------------------------------------- rows

/** Pixels of a pass in each direction, and the bytes of one of its rows without the one that says how it is predicted. */
function passExtent(
  { width, height, depth, channels }: Header,
  { x, y, dx, dy }: Pass,
): { columns: number; rows: number; rowBytes: number } {
  const columns = Math.max(0, Math.ceil((width - x) / dx));
  const rows = columns === 0 ? 0 : Math.max(0, Math.ceil((height - y) / dy));
  return { columns, rows, rowBytes: Math.ceil((columns * channels * depth) / 8) };
}
const passSize = (header: Header, pass: Pass): number => {
  const { rows, rowBytes } = passExtent(header, pass);
  return rows * (1 + rowBytes);
};

/** The neighbour (left, above, above left) that is nearest to left + above − above left. */
function paeth(a: number, b: number, c: number): number {
  const [pa, pb, pc] = [Math.abs(b - c), Math.abs(a - c), Math.abs(a + b - 2 * c)];
  return pa <= pb && pa <= pc ? a : pb <= pc ? b : c;
}

/** What a filter predicts of a byte from its neighbours. */
const predict = (filter: number, a: number, b: number, c: number): number =>
  filter === 0 ? 0 : filter === 1 ? a : filter === 2 ? b : filter === 3 ? (a + b) >> 1 : paeth(a, b, c);

/** Adds the predictions back, in place; false if there is an unknown one. */
function unfilter(bytes: Uint8Array, header: Header): boolean {
  const step = Math.max(1, (header.channels * header.depth) >> 3);
  let at = 0;
  for (const pass of header.passes) {
    const { rows, rowBytes } = passExtent(header, pass);
    for (let row = 0; row < rows; row++) {
      const filter = bytes[at++]!;
      if (filter > 4) return false;
      const above = at - rowBytes - 1;
      if (filter !== 0)
        for (let i = 0; i < rowBytes; i++) {
          const a = i >= step ? bytes[at + i - step]! : 0;
          const b = row > 0 ? bytes[above + i]! : 0;
          const c = row > 0 && i >= step ? bytes[above + i - step]! : 0;
          bytes[at + i] = bytes[at + i]! + predict(filter, a, b, c);
        }
      at += rowBytes;
    }
  }
  return true;
}

// ---------------------------------------------------------------- pixels

/** The image of rows of samples. */
function paint(bytes: Uint8Array, { header, colours, transparency }: Chunks): Either<DataError, FileArray> {
  const { width, height, depth, kind, channels } = header;
  if (kind === palette && (colours === null || colours.length % 3 !== 0 || colours.length > 768))
    return left(notPng("there is no palette"));
  // Of grey and of colours, transparency is one value that means nothing is there; of a palette, an alpha for each colour.
  const clear = kind === 0 || kind === 2 ? transparency : null;
  if (clear !== null && clear.length !== 2 * channels)
    return left(notPng("the transparent colour has another number of channels than the image"));
  const clearValue = Array.from({ length: channels }, (_, i) =>
    clear ? (clear[2 * i]! << 8) | clear[2 * i + 1]! : -1,
  );
  const hasAlpha = transparency !== null && kind !== 4 && kind !== 6;
  const out = (kind === palette ? 3 : channels) + Number(hasAlpha);
  const data = new Uint8Array(width * height * out);
  const largest = 2 ** depth - 1;
  const sample = new Array<number>(channels).fill(0);
  let start = 0;
  for (const pass of header.passes) {
    const { columns, rows, rowBytes } = passExtent(header, pass);
    for (let row = 0; row < rows; row++, start += rowBytes + 1)
      for (let column = 0; column < columns; column++) {
        for (let k = 0; k < channels; k++) sample[k] = sampleAt(bytes, start + 1, column * channels + k, depth);
        const at = ((pass.y + row * pass.dy) * width + pass.x + column * pass.dx) * out;
        if (kind === palette) {
          const index = sample[0]!;
          if (3 * index >= colours!.length)
            return left(notPng(`a pixel has colour ${index} of ${colours!.length / 3}`));
          for (let k = 0; k < 3; k++) data[at + k] = colours![3 * index + k]!;
          if (hasAlpha) data[at + 3] = transparency[index] ?? 255;
        } else {
          for (let k = 0; k < channels; k++)
            data[at + k] = depth === 16 ? sample[k]! >> 8 : (sample[k]! * 255) / largest;
          if (hasAlpha) data[at + channels] = sample.every((s, k) => s === clearValue[k]) ? 0 : 255;
        }
      }
  }
  return right({ dtype: "uint8", shape: [height, width, out], data });
}

/** Sample `i` of a row that begins at `start`. */
function sampleAt(bytes: Uint8Array, start: number, i: number, depth: number): number {
  if (depth === 8) return bytes[start + i]!;
  if (depth === 16) return (bytes[start + 2 * i]! << 8) | bytes[start + 2 * i + 1]!;
  const bit = i * depth;
  return (bytes[start + (bit >> 3)]! >> (8 - depth - (bit & 7))) & (2 ** depth - 1);
}

// ---------------------------------------------------------------- writing

/** The kinds of colour of 1, 2, 3 and 4 channels. */
const kindOfChannels = [0, 4, 2, 6];

/**
 * The bytes of a PNG image.
 *
 * @param image uint8 of shape [height, width] or [height, width, channels], with 1 (grey), 2 (grey and alpha), 3 (red,
 * green, blue) or 4 channels; where the device's values cannot be read at once, `await fileArray(image)`.
 * @throws ArgumentError for another dtype or shape.
 * @example
 * const [png] = [data.encodePng(np.full([2, 2, 1], 7, "uint8"))];
 * data.arrayOf(data.parsePng(png).right) // [[[7], [7]], [[7], [7]]]
 */
export function encodePng(image: FileArray | ArrayLike): Uint8Array {
  const x = fileArrayNow(image, "encodePng");
  const [height = 0, width = 0, channels = 1] = x.shape;
  const kind = kindOfChannels[channels - 1];
  if (
    x.dtype !== "uint8" ||
    (x.shape.length !== 2 && x.shape.length !== 3) ||
    kind === undefined ||
    height === 0 ||
    width === 0
  )
    throw new ArgumentError("NotAnImage", {
      what: `encodePng: ${fileArrayText(x)}`,
      why: "an image is uint8 of shape [height, width] or [height, width, channels] with 1 to 4 channels and at least one pixel",
      fix: 'scale and convert it: np.astype(np.clip(x.mul(255), 0, 255), "uint8")',
    });
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  header.set([8, kind], 8);
  const rows = filterRows(x.data as Uint8Array, height, width * channels, channels);
  return joinBytes([
    Uint8Array.from(signature),
    chunk("IHDR", header),
    chunk("IDAT", zlibSync(rows, { level: 6 })),
    chunk("IEND", new Uint8Array(0)),
  ]);
}

function chunk(type: string, body: Uint8Array): Uint8Array {
  const out = new Uint8Array(12 + body.length);
  const view = new DataView(out.buffer);
  view.setUint32(0, body.length);
  out.set(new TextEncoder().encode(type), 4);
  out.set(body, 8);
  view.setUint32(8 + body.length, crc32(out.subarray(4, 8 + body.length)));
  return out;
}

/** Rows less their predictions; of the five ways the one with the smallest differences, as the specification advises. */
function filterRows(data: Uint8Array, height: number, rowBytes: number, step: number): Uint8Array {
  const out = new Uint8Array(height * (1 + rowBytes));
  const attempt = new Uint8Array(rowBytes);
  for (let row = 0; row < height; row++) {
    const [from, to] = [row * rowBytes, row * (1 + rowBytes)];
    let least = Infinity;
    for (let filter = 0; filter <= 4; filter++) {
      let sum = 0;
      for (let i = 0; i < rowBytes; i++) {
        const a = i >= step ? data[from + i - step]! : 0;
        const b = row > 0 ? data[from + i - rowBytes]! : 0;
        const c = row > 0 && i >= step ? data[from + i - rowBytes - step]! : 0;
        attempt[i] = data[from + i]! - predict(filter, a, b, c);
        sum += attempt[i]! < 128 ? attempt[i]! : 256 - attempt[i]!;
      }
      if (sum >= least) continue;
      least = sum;
      out[to] = filter;
      out.set(attempt, to + 1);
    }
  }
  return out;
}
