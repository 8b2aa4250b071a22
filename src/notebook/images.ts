/** Images: arrays of brightness or colour as pictures, many of them in a grid. */
import type { ArrayLike } from "../core/arrayMethods.ts";
import { checkOptions } from "../core/call.ts";
import { isBool, isComplex, isInteger, isKey } from "../core/dtype.ts";
import type { TypedArray } from "../core/hostArray.ts";
import type { NDArray } from "../core/ndarray.ts";
import { ArgumentError, ShapeError } from "../core/problem.ts";
import { encodePng } from "../data/index.ts";
import * as np from "../numpy/index.ts";
import { Figure, base64 } from "./figure.ts";
import { escape } from "./html.ts";

export interface ImageOptions {
  /** A line below each image. */
  readonly labels?: readonly (string | number)[] | ArrayLike;
  /** Images in a row. Default 8. */
  readonly columns?: number;
  /** Screen pixels for a pixel of the image. Default: as many as make an image about 64 wide, one at least. */
  readonly scale?: number;
  /** The values of black and white. Default: 0 and 255 for 8-bit integers, 0 and 1 for floats within them, else their range. */
  readonly range?: readonly [number, number];
  /** Images that are drawn at most. Default 64. */
  readonly limit?: number;
}

const GAP = 4;
const LABEL_HEIGHT = 14;
const USUAL_WIDTH = 64;

/** A batch of images in the order [image, row, column, channel]. */
function asBatch(x: NDArray): NDArray {
  const isChannels = (n: number | undefined): boolean => n === 1 || n === 3 || n === 4;
  const { shape, ndim } = x;
  if (!isComplex(x.dtype) && !isKey(x.dtype) && x.size > 0) {
    if (ndim === 2) return np.reshape(x, [1, ...shape, 1]);
    if (ndim === 3) return np.reshape(x, isChannels(shape[2]) ? [1, ...shape] : [...shape, 1]);
    if (ndim === 4 && isChannels(shape[3])) return x;
  }
  throw new ShapeError("ImageShape", {
    what: `plot.images: ${x.describe()} is no image`,
    why: "an image is [height, width] or [height, width, channels] with 1, 3 or 4 channels, and a batch has an axis before",
    fix: "reshape it: batches of images with 3 or 4 columns need all four axes, x.reshape(n, h, w, 1)",
  });
}

/**
 * Images as a picture: one, or a batch in a grid. Shapes are [h, w] or [h, w, channels] with 1 (grey), 3 (red, green, blue)
 * or 4 (and opacity) channels, with one more axis in front for a batch. Three axes with 1, 3 or 4 at the end are one image.
 *
 * @throws ShapeError if the array has another shape.
 * @example
 * const figure = await plot.images(np.linspace(0, 1, 64).reshape(1, 8, 8), { labels: ["a ramp"] });
 * figure.toString() // "Figure: 1 image of 8 × 8"
 */
export async function images(batch: ArrayLike, options: ImageOptions = {}): Promise<Figure> {
  checkOptions("plot.images", options, ["labels", "columns", "scale", "range", "limit"]);
  const all = asBatch(np.asarray(batch));
  const [total, height, width, channels] = all.shape as readonly [number, number, number, number];
  const count = Math.min(total, positive("limit", options.limit ?? 64));
  const shown = count < total ? all.slice([0, count]) : all;
  const labels = options.labels === undefined ? null : await labelTexts(options.labels, total);
  const columns = Math.min(count, positive("columns", options.columns ?? 8));
  const scale = positive("scale", options.scale ?? Math.max(1, Math.round(USUAL_WIDTH / Math.max(width, height))));
  const grid: Grid = { count, columns, height: height * scale, width: width * scale, label: labels ? LABEL_HEIGHT : 0 };
  const bytes = toBytes(shown, await shown.data(), options.range);
  const raster = rasterOf(bytes, grid, { height, width, channels, scale });
  const png = encodePng({ dtype: "uint8", shape: [raster.height, raster.width, 4], data: raster.data });
  const rest = count < total ? `, the first ${count}` : "";
  const text = `Figure: ${total} ${total === 1 ? "image" : "images"} of ${height} × ${width}${rest}`;
  return new Figure(svgWithLabels(png, grid, labels), text, png);
}

function positive(name: string, n: number): number {
  if (Number.isInteger(n) && n > 0) return n;
  throw new ArgumentError("ImageOptions", {
    what: `plot.images: ${name} is ${String(n)}`,
    why: "images are counted, and pixels repeated, in whole numbers",
    fix: `pass a positive integer for ${name}`,
  });
}

async function labelTexts(labels: NonNullable<ImageOptions["labels"]>, total: number): Promise<readonly string[]> {
  const plain = Array.isArray(labels) && labels.every((l) => typeof l === "string" || typeof l === "number");
  const texts = plain ? labels.map(String) : Array.from(await np.ravel(labels as ArrayLike).data(), String);
  if (texts.length === total) return texts;
  throw new ShapeError("ImageLabels", {
    what: `plot.images: ${texts.length} labels for ${total} images`,
    why: "each image has one label",
    fix: "pass as many labels as images, or none",
  });
}

/** Brightness from 0 to 255. */
function toBytes(x: NDArray, data: TypedArray, range: ImageOptions["range"]): Uint8Array {
  const values = Float64Array.from(data, Number);
  const [low, high] = range ?? usualRange(x, values);
  return Uint8Array.from(values, (v) => {
    const share = (v - low) / (high - low || 1);
    return Math.round(255 * Math.min(1, Math.max(0, Number.isNaN(share) ? 0 : share)));
  });
}

function usualRange(x: NDArray, values: Float64Array): readonly [number, number] {
  if (isBool(x.dtype)) return [0, 1];
  if (x.dtype === "uint8") return [0, 255];
  const finite = values.filter(Number.isFinite);
  const low = finite.reduce((a, b) => Math.min(a, b), Infinity);
  const high = finite.reduce((a, b) => Math.max(a, b), -Infinity);
  if (isInteger(x.dtype)) return low >= 0 && high <= 255 ? [0, 255] : [low, high];
  return low >= 0 && high <= 1 ? [0, 1] : [low, high];
}

/** Where images lie; sizes in screen pixels. */
interface Grid {
  readonly count: number;
  readonly columns: number;
  readonly height: number;
  readonly width: number;
  /** Height of the line below an image. */
  readonly label: number;
}
const rowsOf = (g: Grid): number => Math.ceil(g.count / g.columns);
const placeOf = (g: Grid, i: number): readonly [x: number, y: number] => [
  (i % g.columns) * (g.width + GAP),
  Math.floor(i / g.columns) * (g.height + g.label + GAP),
];
const sizeOf = (g: Grid): { readonly width: number; readonly height: number } => ({
  width: g.columns * (g.width + GAP) - GAP,
  height: rowsOf(g) * (g.height + g.label + GAP) - GAP,
});

interface Source {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly scale: number;
}

/** Red, green, blue and opacity of every pixel; what is between images is transparent. */
function rasterOf(
  bytes: Uint8Array,
  grid: Grid,
  { height, width, channels, scale }: Source,
): { readonly width: number; readonly height: number; readonly data: Uint8Array } {
  const size = sizeOf(grid);
  const data = new Uint8Array(4 * size.width * size.height);
  for (let i = 0; i < grid.count; i++) {
    const [left, top] = placeOf(grid, i);
    for (let y = 0; y < grid.height; y++)
      for (let x = 0; x < grid.width; x++) {
        const from = ((i * height + Math.floor(y / scale)) * width + Math.floor(x / scale)) * channels;
        const to = 4 * ((top + y) * size.width + left + x);
        for (let c = 0; c < 3; c++) data[to + c] = bytes[from + (channels === 1 ? 0 : c)]!;
        data[to + 3] = channels === 4 ? bytes[from + 3]! : 255;
      }
  }
  return { ...size, data };
}

/** The picture with its labels as text. */
function svgWithLabels(png: Uint8Array, grid: Grid, labels: readonly string[] | null): string {
  const { width, height } = sizeOf(grid);
  const texts = Array.from({ length: labels ? grid.count : 0 }, (_, i) => {
    const [x, y] = placeOf(grid, i);
    const at = `x="${x + grid.width / 2}" y="${y + grid.height + LABEL_HEIGHT - 3}"`;
    return `<text ${at} text-anchor="middle" font-size="11" font-family="sans-serif">${escape(labels![i]!)}</text>`;
  });
  const link = `data:image/png;base64,${base64(png)}`;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}"><image width="${width}" height="${height}" href="${link}"/>${texts.join("")}</svg>`;
}
