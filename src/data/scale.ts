/** Scales of features: found in the training data, applied to any, and undone. */
import type { ArrayLike } from "../core/arrayMethods.ts";
import type { NDArray } from "../core/ndarray.ts";
import { ArgumentError } from "../core/problem.ts";
import * as np from "../numpy/index.ts";

/** A change of scale, x ↦ (x − offset) / scale. */
export interface Scaler {
  readonly offset: NDArray;
  readonly scale: NDArray;
  apply(x: ArrayLike): NDArray;
  /** The inverse of `apply`. */
  invert(x: ArrayLike): NDArray;
}

export interface ScalerOptions {
  /** The axes of the examples, over which the scale is found. Default 0: each feature has a scale of its own. */
  readonly axis?: number | readonly number[] | null;
}

/** A feature that is the same in all examples keeps its scale, rather than being divided by zero. */
const nonzero = (x: NDArray): NDArray => np.where(np.equal(x, 0), 1, x);

const scaler = (offset: NDArray, scale: NDArray): Scaler => ({
  offset,
  scale,
  apply: (x) => np.divide(np.subtract(x, offset), scale),
  invert: (x) => np.add(np.multiply(x, scale), offset),
});

/**
 * Scales features to mean 0 and standard deviation 1 over the examples in `x`. Features without variation become 0.
 *
 * @example
 * const scaler = data.standardizer([[1, 5], [3, 5]]);
 * scaler.apply([[1, 5], [3, 5]]) // [[-1, 0], [1, 0]]
 * scaler.invert([[0, 0]]) // [[2, 5]]
 */
export function standardizer(x: ArrayLike, options: ScalerOptions = {}): Scaler {
  const { axis = 0 } = options;
  return scaler(np.mean(x, { axis, keepdims: true }), nonzero(np.std(x, { axis, keepdims: true })));
}

export interface MinMaxOptions extends ScalerOptions {
  /** What the smallest and the largest value become. Default [0, 1]. */
  readonly range?: readonly [low: number, high: number];
}

/**
 * Scales features so that the examples in `x` fill a range. Features without variation become its low end.
 *
 * @throws ArgumentError if the range is empty.
 * @example
 * const scaler = data.minMaxScaler([[1, 5], [3, 5]]);
 * scaler.apply([[2, 5], [3, 6]]) // [[0.5, 0], [1, 1]]
 * scaler.invert([[0.5, 0]]) // [[2, 5]]
 */
export function minMaxScaler(x: ArrayLike, options: MinMaxOptions = {}): Scaler {
  const { axis = 0, range: [low, high] = [0, 1] } = options;
  if (!(low < high))
    throw new ArgumentError("EmptyRange", {
      what: `minMaxScaler: the range is from ${low} to ${high}`,
      why: "the smallest value becomes its low end, the largest its high one",
      fix: "give the smaller number first: { range: [0, 1] }",
    });
  const smallest = np.min(x, { axis, keepdims: true });
  const scale = nonzero(np.subtract(np.max(x, { axis, keepdims: true }), smallest)).div(high - low);
  return scaler(smallest.sub(scale.mul(low)), scale);
}
