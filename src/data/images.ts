/**
 * Images from files: PNG by `png.ts`, JPEG by the package jpeg-js, an optional peer that is loaded when the first such
 * image is met.
 */
import { isLeft, left, right } from "fp-ts/lib/Either.js";
import type { TaskEither } from "fp-ts/lib/TaskEither.js";
import type { NDArray } from "../core/ndarray.ts";
import { DataError } from "../core/problem.ts";
import { type Bytes, bytesOf, malformed, orThrow } from "./bytes.ts";
import { type FileArray, arrayOf } from "./elements.ts";
import { type ImageLimits, isPng, parsePng, usualMaxPixels } from "./png.ts";

/** What is used of the package jpeg-js. */
export interface JpegDecoder {
  decode(
    bytes: Uint8Array,
    options: {
      readonly useTArray: true;
      readonly formatAsRGBA: boolean;
      readonly tolerantDecoding: boolean;
      readonly maxResolutionInMP: number;
      readonly maxMemoryUsageInMB: number;
    },
  ): { readonly width: number; readonly height: number; readonly data: Uint8Array };
}

export interface ImageOptions extends ImageLimits {
  /** The module jpeg-js, where it cannot be loaded by its name: in pages, `import * as jpeg from "jpeg-js"`. */
  readonly jpeg?: JpegDecoder | { readonly default: JpegDecoder };
}

/**
 * Reads a PNG or JPEG image as uint8 of shape [height, width, channels], or says what is wrong with it.
 *
 * @param bytes the whole file.
 * @example
 * const result = await data.parseImage(data.encodePng(np.zeros([2, 3, 3], "uint8")))();
 * result.right.shape // [2, 3, 3]
 */
export const parseImage =
  (bytes: Bytes, options: ImageOptions = {}): TaskEither<DataError, FileArray> =>
  async () => {
    const file = bytesOf("parseImage", bytes);
    if (isLeft(file)) return file;
    if (isPng(file.right)) return parsePng(file.right, options);
    if (file.right[0] === 0xff && file.right[1] === 0xd8) return parseJpeg(file.right, options);
    return left(
      malformed(
        "parseImage",
        "UnknownImage",
        "the file is neither PNG nor JPEG",
        "these two begin with bytes of their own, which the file does not",
        "convert the image to one of them",
      ),
    );
  };

/**
 * The image in a PNG or JPEG file: uint8 of shape [height, width, channels]. JPEG images have 3 channels, PNG images
 * those of the file: 1 (grey), 2 (grey and alpha), 3 (red, green, blue) or 4 (and alpha).
 *
 * @param bytes the whole file.
 * @throws (as a rejection) DataError if the bytes are no complete image, or one of more than `maxPixels`; `parseImage`
 * gives it instead.
 * @example
 * const pixels = await data.decodeImage(data.encodePng(np.full([1, 2, 1], 7, "uint8")));
 * pixels // [[[7], [7]]]
 */
export async function decodeImage(bytes: Bytes, options: ImageOptions = {}): Promise<NDArray> {
  return arrayOf(orThrow(await parseImage(bytes, options)()));
}

/** At least one bit stands for each block of 8 × 8 pixels. */
const mostPixelsPerByte = 512;
/** Beside three bytes for the result, the decoder keeps coefficients and lines of each component. */
const decoderBytesPerPixel = 32;

async function parseJpeg(file: Uint8Array, { jpeg, maxPixels = usualMaxPixels }: ImageOptions) {
  const decoder = await jpegDecoder(jpeg);
  if (decoder === null) return left(noDecoder());
  const pixels = Math.min(maxPixels, mostPixelsPerByte * file.length);
  try {
    const { width, height, data } = decoder.decode(file, {
      useTArray: true,
      formatAsRGBA: false,
      tolerantDecoding: false,
      maxResolutionInMP: pixels / 1e6,
      maxMemoryUsageInMB: 1 + (decoderBytesPerPixel * pixels + 64 * file.length) / 2 ** 20,
    });
    const fits = Number.isSafeInteger(width * height) && width * height > 0 && data.length === width * height * 3;
    return fits
      ? right<DataError, FileArray>({ dtype: "uint8", shape: [height, width, 3], data })
      : left(notJpeg("there are no pixels"));
  } catch (error) {
    return left(notJpeg(error instanceof Error ? error.message : String(error)));
  }
}

const notJpeg = (what: string): DataError =>
  malformed(
    "parseImage",
    "NotJpeg",
    `the JPEG image cannot be decoded: ${what}`,
    "it is damaged, has more than maxPixels pixels, or is of a rare kind",
    "write it anew, or as PNG",
  );

const noDecoder = (): DataError =>
  new DataError("NoDecoder", {
    what: "parseImage: the package jpeg-js, which decodes JPEG images, is not here",
    why: "it is an optional peer, loaded when the first JPEG image is met",
    fix: "npm install jpeg-js; in a page import it and pass it: { jpeg }",
  });

async function jpegDecoder(given: ImageOptions["jpeg"]): Promise<JpegDecoder | null> {
  try {
    // A variable, so that bundlers do not look for the package.
    const name = "jpeg-js";
    const found =
      given ??
      ((await import(/* @vite-ignore */ /* webpackIgnore: true */ name)) as JpegDecoder | { default: JpegDecoder });
    return "decode" in found ? found : found.default;
  } catch {
    return null;
  }
}
