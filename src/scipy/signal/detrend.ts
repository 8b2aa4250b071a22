/** Trends: what remains of a series without its mean, or without the lines that fit it best. */
import type { ArrayLike } from "../../core/arrayMethods.ts";
import type { NDArray } from "../../core/ndarray.ts";
import { ArgumentError } from "../../core/problem.ts";
import { canonicalAxis, range } from "../../core/shape.ts";
import { type Rest, checkChoice, given, inexactOf, integer, unsupported } from "../../numpy/arguments.ts";
import * as np from "../../numpy/index.ts";
import { unit } from "../../core/unit.ts";

export interface DetrendOptions {
  /** Default the last axis. */
  readonly axis?: number | undefined;
  /** What to remove: a line fitted by least squares (the default), or the mean. */
  readonly type?: "linear" | "constant" | undefined;
  /** Where a new line begins. */
  readonly bp?: number | readonly number[] | undefined;
  /** Only null: arrays are immutable. */
  readonly overwriteData?: null | undefined;
}

/**
 * A series without its trend.
 *
 * @param rest `axis`, `type` and `bp`, the positions at which a new line begins.
 * @returns an array of the shape of `data`; integers become float32.
 * @throws ArgumentError if a break point lies outside of the axis.
 * @example
 * scipy.signal.detrend(np.array([1, 4, 8, 8, 9])) // [-1, 0, 2, 0, -1]
 */
export const detrend = /* @__PURE__ */ unit(
  "detrend",
  1,
  function detrend(
    data: ArrayLike,
    ...rest: Rest<[number, "linear" | "constant", number | readonly number[]], DetrendOptions>
  ): NDArray {
    const name = "scipy.signal.detrend";
    const {
      axis = -1,
      type = "linear",
      bp = 0,
      overwriteData = null,
    } = given<DetrendOptions>(name, ["axis", "type", "bp", "overwriteData"], 3, rest);
    if (overwriteData !== null) throw unsupported(name, "overwriteData", "leave it out: the result is a new array");
    checkChoice(name, "type", type, ["linear", "constant"]);
    const x = inexactOf(name, data);
    const along = canonicalAxis(name, axis, x.ndim);
    if (type === "constant") return withoutMean(x, along);
    const ends = breakPoints(name, bp, x.shape[along]!);
    if (ends.length < 2) return x;
    const last = np.moveaxis(x, along, -1);
    const parts = ends.slice(1).map((end, i) => withoutLine(last.slice("...", [ends[i]!, end])));
    return np.moveaxis(np.concatenate(parts, -1), -1, along);
  },
);

const withoutMean = (x: NDArray, axis: number): NDArray => np.subtract(x, np.mean(x, axis, { keepdims: true }));

/**
 * Without the line that fits the last axis best. Positions are counted from their middle, so that the line's slope and
 * its mean do not depend on each other: what is left is the part orthogonal to both.
 */
function withoutLine(x: NDArray): NDArray {
  const n = x.shape.at(-1)!;
  const centred = withoutMean(x, -1);
  // A single point has no slope.
  if (n === 1) return centred;
  const length = Math.sqrt((n * (n * n - 1)) / 12);
  const steps = range(n).map((i) => (i - (n - 1) / 2) / length);
  // float64 only where it is used: not all devices have it.
  const direction = x.dtype === "float64" ? Float64Array.from(steps) : Float32Array.from(steps);
  const t = np.astype(np.array(direction), x.dtype);
  const slope = np.sum(np.multiply(centred, t), -1, { keepdims: true });
  return np.subtract(centred, np.multiply(slope, t));
}

/** 0, the break points in between and the length, in order and without repetition. */
function breakPoints(name: string, bp: number | readonly number[], n: number): number[] {
  const points = (typeof bp === "number" ? [bp] : [...bp]).map((p) => integer(name, "bp", p));
  const outside = points.find((p) => p < 0 || p > n);
  if (outside !== undefined)
    throw new ArgumentError("BreakPointOutside", {
      what: `${name}: break point ${outside} on an axis of length ${n}`,
      why: "lines begin at positions of the axis",
      fix: `use positions from 0 to ${n}`,
    });
  return [...new Set([0, ...points, n])].sort((a, b) => a - b);
}
