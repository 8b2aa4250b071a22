/** Pooling over windows of one, two or three axes (or more), channels last; and the end of it: one axis of features. */
import type { NDArray } from "../../core/ndarray.ts";
import * as lax from "../../lax/index.ts";
import * as np from "../../numpy/index.ts";
import { type LayerPadding, type PerAxis, perAxis, requireSpatial, windowOf } from "./convolution.ts";
import { type Layer, type None, requireAxes, stateless } from "./layer.ts";

export interface PoolOptions {
  /** Default: the window, so that windows lie side by side. */
  readonly strides?: PerAxis | undefined;
  /** Default `VALID`. */
  readonly padding?: Exclude<LayerPadding, "CAUSAL"> | undefined;
}

type Reduce = (x: NDArray, window: readonly number[], strides: readonly number[], padding: string | (readonly [number, number])[]) => NDArray; // prettier-ignore

function pool(name: string, window: readonly number[], options: PoolOptions, reduce: Reduce): Layer<None, None> {
  const sizes = windowOf(name, window);
  const strides = perAxis(name, "strides", options.strides ?? sizes, sizes);
  const { padding = "VALID" } = options;
  const pads = typeof padding === "string" ? padding : [[0, 0] as const, ...padding, [0, 0] as const];
  return stateless(
    name,
    (_, input) => {
      requireSpatial(name, input, sizes);
      return {};
    },
    (_, x) => {
      requireSpatial(name, x, sizes);
      return reduce(x, [1, ...sizes, 1], [1, ...strides, 1], pads);
    },
  );
}

/**
 * The greatest number of each window.
 *
 * @returns a layer from [batch, …spatial, channels] to fewer places.
 * @example
 * nn.maxPool([2, 2]).init(random.key(0), [1, 28, 28, 8]).output.shape // [1, 14, 14, 8]
 */
export const maxPool = (window: readonly number[], options: PoolOptions = {}): Layer<None, None> =>
  pool("maxPool", window, options, (x, sizes, strides, pads) =>
    lax.reduceWindow(x, -Infinity, lax.max, sizes, strides, pads),
  );

export interface AvgPoolOptions extends PoolOptions {
  /** Whether padding counts as zeros of the mean. Default true, as in Flax. */
  readonly countIncludePad?: boolean | undefined;
}

/**
 * The mean of each window.
 *
 * @example
 * const halves = nn.avgPool([2]);
 * halves.apply({}, {}, np.array([[[1], [3], [5], [7]]]))[0] // [[[2], [6]]]
 */
export const avgPool = (window: readonly number[], options: AvgPoolOptions = {}): Layer<None, None> =>
  pool("avgPool", window, options, (x, sizes, strides, pads) => {
    const sum = (y: NDArray): NDArray => lax.reduceWindow(y, 0, lax.add, sizes, strides, pads);
    const counts = options.countIncludePad === false ? sum(np.onesLike(x)) : sizes.reduce((n, k) => n * k, 1);
    return np.divide(sum(x), counts);
  });

/**
 * The mean of all places: [batch, …spatial, channels] to [batch, channels].
 *
 * @example
 * nn.globalAvgPool().init(random.key(0), [1, 7, 7, 64]).output.shape // [1, 64]
 */
export const globalAvgPool = (): Layer<None, None> => {
  const check = (x: { readonly shape: readonly number[] }): void =>
    requireAxes("globalAvgPool", x, 3, "[batch, …spatial, channels]");
  return stateless(
    "globalAvgPool",
    (_, input) => {
      check(input);
      return {};
    },
    (_, x) => {
      check(x);
      return np.mean(
        x,
        x.shape.slice(1, -1).map((_n, i) => i + 1),
      );
    },
  );
};

/**
 * All axes but the first as one: [batch, …] to [batch, features].
 *
 * @example
 * nn.flatten().init(random.key(0), [1, 7, 7, 64]).output.shape // [1, 3136]
 */
export const flatten = (): Layer<None, None> =>
  stateless(
    "flatten",
    (_, input) => {
      requireAxes("flatten", input, 1, "[batch, …]");
      return {};
    },
    (_, x) => np.reshape(x, [x.shape[0]!, x.shape.slice(1).reduce((n, k) => n * k, 1)]),
  );
