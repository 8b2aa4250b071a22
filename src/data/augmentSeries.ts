/**
 * Random changes of one time series, whose first axis is time, such as [time] or [time, channels]: pure functions of a key,
 * which work under `jit` and, with a key for each series, under `vmap`. They are those of Um et al. (2017), "Data
 * augmentation of wearable sensor data for Parkinson's disease monitoring using convolutional neural networks".
 */
import type { ArrayLike } from "../core/arrayMethods.ts";
import type { NDArray } from "../core/ndarray.ts";
import { asArray } from "../core/operands.ts";
import { ArgumentError, ShapeError } from "../core/problem.ts";
import * as np from "../numpy/index.ts";
import * as random from "../random/index.ts";
import { type EdgeOptions, checkCounts, floatsOf, gaussianNoise, padded, randomWindow } from "./augmentImages.ts";

function seriesOf(name: string, series: ArrayLike): NDArray {
  const x = asArray(series, name);
  if (x.ndim > 0 && x.shape[0]! > 0) return x;
  throw new ShapeError("NotASeries", {
    what: `${name}: ${x.describe()}`,
    why: "the first axis of a series is time",
    fix: "pass an array of shape [time] or [time, channels]",
  });
}

/**
 * Adds normally distributed noise to each value of a series.
 *
 * @throws DTypeError for integers.
 * @example
 * data.augment.jitter(random.key(0), np.zeros([100, 3]), 0.05).shape // [100, 3]
 */
export const jitter = (key: NDArray, series: ArrayLike, stddev: ArrayLike): NDArray =>
  gaussianNoise(key, seriesOf("jitter", series), stddev);

/**
 * Multiplies each channel of a series by a factor of its own, normally distributed about 1.
 *
 * @throws DTypeError for integers.
 * @example
 * data.augment.scaling(random.key(0), np.ones([100, 3]), 0.1).shape // [100, 3]
 */
export function scaling(key: NDArray, series: ArrayLike, stddev: ArrayLike): NDArray {
  const x = floatsOf("scaling", seriesOf("scaling", series));
  const factors = random.normal(key, x.shape.slice(1), x.dtype).mul(stddev).add(1);
  return x.mul(np.astype(factors, x.dtype));
}

/**
 * Moves a series by up to `most` steps of time, to either side.
 *
 * @example
 * data.augment.timeShift(random.key(0), [2, 2, 2], 2, { mode: "edge" }) // [2, 2, 2]
 */
export function timeShift(key: NDArray, series: ArrayLike, most: number, options: EdgeOptions = {}): NDArray {
  const x = seriesOf("timeShift", series);
  checkCounts("timeShift", { most: [most] });
  return randomWindow(key, padded(x, [most], options), x.shape.slice(0, 1));
}

/**
 * A part of a series of some length, at a random time.
 *
 * @throws ShapeError if the series is shorter.
 * @example
 * data.augment.windowSlice(random.key(0), np.zeros([100, 3]), 80).shape // [80, 3]
 */
export function windowSlice(key: NDArray, series: ArrayLike, length: number): NDArray {
  const x = seriesOf("windowSlice", series);
  checkCounts("windowSlice", { length: [length] });
  if (length <= x.shape[0]!) return randomWindow(key, x, [length]);
  throw new ShapeError("WindowTooLong", {
    what: `windowSlice: a part of ${length} steps of a series of ${x.shape[0]}`,
    why: "the part lies within the series",
    fix: "take a shorter part, or pad the series first with np.pad",
  });
}

export interface TimeWarpOptions {
  /** Where the speed changes: this many times, evenly. Default 4. */
  readonly knots?: number;
}

/**
 * Lets time run faster and slower. Its speed is log-normal at each knot, linear between them, and such that beginning and
 * end stay where they are; values are interpolated linearly.
 *
 * @param stddev of the logarithm of the speed.
 * @throws DTypeError for integers.
 * @example
 * data.augment.timeWarp(random.key(0), np.ones([5]), 0.2) // [1, 1, 1, 1, 1]
 */
export function timeWarp(key: NDArray, series: ArrayLike, stddev: ArrayLike, options: TimeWarpOptions = {}): NDArray {
  const x = floatsOf("timeWarp", seriesOf("timeWarp", series));
  const { knots = 4 } = options;
  const last = x.shape[0]! - 1;
  if (!Number.isInteger(knots) || knots < 2)
    throw new ArgumentError("Knots", {
      what: `timeWarp: ${knots} knots`,
      why: "between two knots at least, the speed of time is linear",
      fix: "pass a whole number from 2: { knots: 4 }",
    });
  if (last === 0) return x;
  const speeds = np.exp(random.normal(key, [knots]).mul(stddev));
  // The speed of each step, at its middle.
  const middles = np
    .arange(last, { dtype: "float32" })
    .add(0.5)
    .mul((knots - 1) / last);
  const passed = np.cumsum(np.interp(middles, np.arange(knots, { dtype: "float32" }), speeds));
  const times = np.concatenate([np.zeros([1]), passed.mul(last).div(passed.slice(-1))]);
  const lower = np.clip(np.floor(times), 0, last - 1);
  const from = np.astype(lower, "int32");
  const weight = np.astype(times.sub(lower), x.dtype).reshape([-1, ...x.shape.slice(1).map(() => 1)]);
  const before = np.take(x, from, 0);
  return before.add(np.take(x, from.add(1), 0).sub(before).mul(weight));
}
