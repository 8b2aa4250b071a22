/**
 * Random changes of one image, [height, width, channels]: pure functions of a key, which work under `jit` and, with a key
 * for each image, under `vmap`: `vmap(randomFlip)(random.split(key, n), images)`.
 *
 * What moves pixels keeps the dtype; what changes colours needs floats, since it would have to round.
 */
import type { ArrayLike } from "../core/arrayMethods.ts";
import { isFloat } from "../core/dtype.ts";
import type { NDArray } from "../core/ndarray.ts";
import { asArray } from "../core/operands.ts";
import { ArgumentError, DTypeError, ShapeError } from "../core/problem.ts";
import * as lax from "../lax/index.ts";
import * as np from "../numpy/index.ts";
import * as random from "../random/index.ts";
import { type MapCoordinatesMode, mapCoordinates } from "../scipy/ndimage.ts";
import * as tree from "../tree/index.ts";
import { vmap } from "../transforms/vmap.ts";

/** Height and width, or one number for both. */
type Extent = number | readonly [height: number, width: number];
const both = (x: Extent): readonly [number, number] => (typeof x === "number" ? [x, x] : x);

function imageOf(name: string, image: ArrayLike): NDArray {
  const x = asArray(image, name);
  if (x.ndim === 3) return x;
  throw new ShapeError("NotAnImage", {
    what: `${name}: ${x.describe()}`,
    why: "an image is an array of shape [height, width, channels]",
    fix: `map over the images of a batch, each with a key: vmap((k, x) => ${name}(k, x))(random.split(key, n), images)`,
  });
}

/** An array of floats: a weak or integer one would have to round what is random about the result. */
export function floatsOf(name: string, x: NDArray): NDArray {
  if (isFloat(x.dtype)) return x;
  throw new DTypeError("NotFloat", {
    what: `${name}: ${x.describe()}`,
    why: "the result lies between whole numbers",
    fix: 'convert first: np.astype(x, "float32").div(255)',
  });
}

export function checkCounts(name: string, counts: Readonly<Record<string, readonly number[]>>): void {
  for (const [what, values] of Object.entries(counts))
    if (!values.every((n) => Number.isInteger(n) && n >= 0))
      throw new ArgumentError("BadExtent", {
        what: `${name}: ${what} is ${values.join(", ")}`,
        why: "pixels and steps are counted",
        fix: "pass whole numbers that are not negative",
      });
}

// ---------------------------------------------------------------- moved pixels

export interface FlipOptions {
  /** The axis that is turned around: 1 (default) swaps left and right, 0 top and bottom. */
  readonly axis?: 0 | 1;
  /** Default 0.5. */
  readonly probability?: ArrayLike;
}

/**
 * Turns an image around, with some probability.
 *
 * @param image an array of shape [height, width, channels].
 * @example
 * data.augment.randomFlip(random.key(0), [[[1], [2]]], { probability: 1 }) // [[[2], [1]]]
 */
export function randomFlip(key: NDArray, image: ArrayLike, options: FlipOptions = {}): NDArray {
  const x = imageOf("randomFlip", image);
  const { axis = 1, probability = 0.5 } = options;
  return np.where(random.bernoulli(key, probability), np.flip(x, axis), x);
}

/** What is found beyond the edges: one value, the pixel at the edge, or the image mirrored at it. */
export type EdgeMode = "constant" | "edge" | "reflect" | "symmetric" | "wrap";

export interface EdgeOptions {
  /** Default "constant". */
  readonly mode?: EdgeMode;
  /** Of mode "constant". Default 0. */
  readonly value?: number;
}
export interface CropOptions extends EdgeOptions {
  /** How much is added at each edge before. Default 0. */
  readonly padding?: Extent;
}

/** Adds to both ends of the leading axes. */
export function padded(x: NDArray, widths: readonly number[], { mode = "constant", value = 0 }: EdgeOptions): NDArray {
  const pairs = x.shape.map((_, axis) => [widths[axis] ?? 0, widths[axis] ?? 0] as const);
  return mode === "constant" ? np.pad(x, pairs, { constantValues: value }) : np.pad(x, pairs, { mode });
}

/** A window of the leading axes at a random place. */
export function randomWindow(key: NDArray, x: NDArray, sizes: readonly number[]): NDArray {
  const keys = random.split(key, sizes.length);
  const starts = x.shape.map((n, axis) =>
    axis < sizes.length ? random.randint(keys.slice(axis), [], 0, n - sizes[axis]! + 1) : 0,
  );
  return lax.dynamicSlice(x, starts, [...sizes, ...x.shape.slice(sizes.length)]);
}

/**
 * A part of an image at a random place, after padding it.
 *
 * @param image an array of shape [height, width, channels].
 * @param size of the part, which fits into the padded image.
 * @throws ShapeError if it does not.
 * @example
 * data.augment.randomCrop(random.key(0), np.ones([8, 8, 3]), [6, 4]).shape // [6, 4, 3]
 */
export function randomCrop(key: NDArray, image: ArrayLike, size: Extent, options: CropOptions = {}): NDArray {
  const x = imageOf("randomCrop", image);
  const [sizes, padding] = [both(size), both(options.padding ?? 0)];
  checkCounts("randomCrop", { size: sizes, padding });
  const large = padded(x, padding, options);
  if (sizes.some((n, axis) => n > large.shape[axis]!))
    throw new ShapeError("CropTooLarge", {
      what: `randomCrop: a part of ${sizes.join(" × ")} pixels of ${large.shape.slice(0, 2).join(" × ")}`,
      why: "the part lies within the padded image",
      fix: "crop less, or pad more: { padding: 4 }",
    });
  return randomWindow(key, large, sizes);
}

/**
 * Moves an image by up to `most` pixels in each direction.
 *
 * @param image an array of shape [height, width, channels].
 * @example
 * data.augment.randomShift(random.key(0), np.ones([2, 2, 1]), 1, { mode: "edge" }) // [[[1], [1]], [[1], [1]]]
 */
export function randomShift(key: NDArray, image: ArrayLike, most: Extent, options: EdgeOptions = {}): NDArray {
  const x = imageOf("randomShift", image);
  checkCounts("randomShift", { most: both(most) });
  return randomWindow(key, padded(x, both(most), options), x.shape.slice(0, 2));
}

// ---------------------------------------------------------------- turned and stretched

export interface WarpOptions {
  /** What is found beyond the edges. Default "constant". */
  readonly mode?: MapCoordinatesMode;
  /** Of mode "constant". Default 0. */
  readonly value?: number;
}

/** The image whose pixel at p, from the centre, is the one that was at (a b; −b a) p, interpolated between its neighbours. */
function warped(x: NDArray, a: NDArray, b: NDArray, { mode = "constant", value = 0 }: WarpOptions): NDArray {
  const [height, width] = x.shape as readonly [number, number, number];
  const [cy, cx] = [(height - 1) / 2, (width - 1) / 2];
  const dy = np.arange(height, { dtype: "float32" }).sub(cy).reshape(height, 1);
  const dx = np.arange(width, { dtype: "float32" }).sub(cx).reshape(1, width);
  const places = [dy.mul(a).add(dx.mul(b)).add(cy), dx.mul(a).sub(dy.mul(b)).add(cx)];
  const channel = (c: NDArray): NDArray => mapCoordinates(c, places, 1, { mode, cval: value });
  return vmap(channel, { inAxes: 2, outAxes: 2 })(x);
}

/**
 * Turns an image about its centre by up to `most` radians either way. The size stays; corners are lost.
 *
 * @param image an array of shape [height, width, channels].
 * @example
 * data.augment.randomRotation(random.key(0), np.ones([5, 5, 1]), 0.5).shape // [5, 5, 1]
 */
export function randomRotation(key: NDArray, image: ArrayLike, most: ArrayLike, options: WarpOptions = {}): NDArray {
  const x = imageOf("randomRotation", image);
  const angle = random.uniform(key, [], { minval: -1, maxval: 1 }).mul(most);
  return warped(x, np.cos(angle), np.sin(angle), options);
}

/**
 * Stretches an image about its centre by a factor between two. The size stays: of a larger image the middle is seen.
 *
 * @param image an array of shape [height, width, channels].
 * @param factors the smallest and the largest; above 1 the image grows.
 * @throws ArgumentError if a factor is not positive.
 * @example
 * data.augment.randomScale(random.key(0), np.ones([5, 5, 1]), [0.8, 1.2]).shape // [5, 5, 1]
 */
export function randomScale(
  key: NDArray,
  image: ArrayLike,
  factors: readonly [number, number],
  options: WarpOptions = {},
): NDArray {
  const x = imageOf("randomScale", image);
  const [minval, maxval] = factors;
  if (!(minval > 0 && maxval >= minval))
    throw new ArgumentError("BadFactors", {
      what: `randomScale: factors from ${minval} to ${maxval}`,
      why: "an image is stretched by a positive factor",
      fix: "give the smallest factor and the largest: [0.8, 1.2]",
    });
  const factor = random.uniform(key, [], { minval, maxval });
  return warped(x, np.reciprocal(factor), np.zerosLike(factor), options);
}

// ---------------------------------------------------------------- colours

export interface ColorJitterOptions {
  /** The most that the brightness changes, as a part of it: 0.2 gives factors from 0.8 to 1.2. Default 0. */
  readonly brightness?: number;
  /** Likewise of the distance of pixels from the mean grey. Default 0. */
  readonly contrast?: number;
  /** Likewise of the distance of colours from their own grey; of 3 channels only. Default 0. */
  readonly saturation?: number;
  /** The values there are; others are clipped. Default [0, 1]; null clips nothing. */
  readonly range?: readonly [number, number] | null;
}

/** The brightness of red, green and blue to the eye: ITU-R BT.601. */
const luma = [0.299, 0.587, 0.114];
const greyOf = (x: NDArray): NDArray =>
  x.shape[2] === 3
    ? np.sum(x.mul(np.astype(luma, x.dtype)), { axis: 2, keepdims: true })
    : np.mean(x, { axis: 2, keepdims: true });

/**
 * Changes brightness, contrast and saturation, in this order, each by a factor of its own.
 *
 * @param image floats of shape [height, width, channels].
 * @throws DTypeError for integers; ShapeError for a saturation of other than 3 channels.
 * @example
 * data.augment.colorJitter(random.key(0), np.full([2, 2, 3], 0.5), { contrast: 0.5 }) // grey stays grey
 */
export function colorJitter(key: NDArray, image: ArrayLike, options: ColorJitterOptions = {}): NDArray {
  const { brightness = 0, contrast = 0, saturation = 0, range = [0, 1] } = options;
  let x = floatsOf("colorJitter", imageOf("colorJitter", image));
  if (saturation !== 0 && x.shape[2] !== 3)
    throw new ShapeError("NoColours", {
      what: `colorJitter: a saturation of ${x.describe()}`,
      why: "colours are three channels, red, green and blue",
      fix: "leave the saturation out",
    });
  const keys = random.split(key, 3);
  const factor = (i: number, most: number): NDArray =>
    random.uniform(keys.slice(i), [], x.dtype, { minval: 1 - most, maxval: 1 + most });
  /** Moves the image away from another, or towards it. */
  const blend = (from: NDArray, f: NDArray): NDArray => {
    const y = from.add(x.sub(from).mul(f));
    return range === null ? y : np.clip(y, range[0], range[1]);
  };
  if (brightness !== 0) x = blend(np.zerosLike(x), factor(0, brightness));
  if (contrast !== 0) x = blend(np.mean(greyOf(x), { keepdims: true }), factor(1, contrast));
  if (saturation !== 0) x = blend(greyOf(x), factor(2, saturation));
  return x;
}

/**
 * Adds normally distributed noise, to an array of any shape.
 *
 * @throws DTypeError for integers.
 * @example
 * data.augment.gaussianNoise(random.key(0), np.zeros([2, 2, 1]), 0.1).shape // [2, 2, 1]
 */
export function gaussianNoise(key: NDArray, x: ArrayLike, stddev: ArrayLike): NDArray {
  const a = floatsOf("gaussianNoise", asArray(x, "gaussianNoise"));
  return a.add(np.astype(random.normal(key, a.shape, a.dtype).mul(stddev), a.dtype));
}

export interface CutoutOptions {
  /** What is put there. Default 0. */
  readonly value?: number;
}

/**
 * Paints over a rectangle whose centre is any pixel, so that part of it may lie outside (DeVries and Taylor, 2017,
 * "Improved regularization of convolutional neural networks with cutout").
 *
 * @param image an array of shape [height, width, channels].
 * @example
 * np.sum(data.augment.cutout(random.key(0), np.ones([1, 1, 1]), 1)) // 0
 */
export function cutout(key: NDArray, image: ArrayLike, size: Extent, options: CutoutOptions = {}): NDArray {
  const x = imageOf("cutout", image);
  checkCounts("cutout", { size: both(size) });
  const keys = random.split(key);
  const covered = both(size).map((length, axis) => {
    const n = x.shape[axis]!;
    const start = random.randint(keys.slice(axis), [], 0, n).sub(Math.floor(length / 2));
    const i = np.arange(n);
    return np.logicalAnd(i.greaterEqual(start), i.less(start.add(length)));
  });
  const mask = np.logicalAnd(covered[0]!.reshape(-1, 1, 1), covered[1]!.reshape(1, -1, 1));
  return np.where(mask, np.astype(options.value ?? 0, x.dtype), x);
}

// ---------------------------------------------------------------- batches

/**
 * Mixes every example of a batch with another, both inputs and one-hot labels: λ x + (1 − λ) x′, one λ for the batch, from
 * the beta distribution with both parameters `alpha` (Zhang et al., 2018, "mixup: Beyond empirical risk minimization").
 *
 * @param batch a tree of floats with examples along the first axis.
 * @throws DTypeError for integers: labels are mixed too, as probabilities of classes.
 * @example
 * const { y } = data.augment.mixup(random.key(0), { x: np.ones([4, 2]), y: np.eye(4) });
 * np.sum(y, 1) // [1, 1, 1, 1]
 */
export function mixup<T>(key: NDArray, batch: T, alpha: ArrayLike = 0.2): T {
  const [first] = tree.leaves(batch) as ArrayLike[];
  if (first === undefined) return batch;
  const count = asArray(first, "mixup").shape[0];
  if (count === undefined)
    throw new ShapeError("NotABatch", {
      what: "mixup: an array without axes",
      why: "the first axis of every array counts the examples",
      fix: "pass a whole batch, without vmap",
    });
  const [kl, kp] = random.split(key);
  const lambda = random.beta(kl!, alpha, alpha);
  const partners = random.permutation(kp!, count);
  const mix = (leaf: ArrayLike): NDArray => {
    const x = floatsOf("mixup", asArray(leaf, "mixup"));
    const l = np.astype(lambda, x.dtype);
    return x.mul(l).add(np.take(x, partners, 0).mul(np.subtract(1, l)));
  };
  return tree.map(mix, batch);
}
