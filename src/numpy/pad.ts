/** Padding in all of NumPy's modes. */
import type { ArrayLike } from "../core/arrayMethods.ts";
import { isInteger } from "../core/dtype.ts";
import type { NDArray } from "../core/ndarray.ts";
import { asArray } from "../core/operands.ts";
import { ArgumentError, ShapeError } from "../core/problem.ts";
import { shapeText } from "../core/shape.ts";
import { broadcastTo, convert, full, reshape } from "../core/structural.ts";
import { convertElementType } from "../lax/cast.ts";
import { concatenateArrays, padArray, rev, sliceInDim, squeeze } from "../lax/movement.ts";
import { type Rest, checkChoice, given } from "./arguments.ts";
import { multiply, subtract } from "./arithmetic.ts";
import { linspace } from "./creation.ts";
import { round } from "./floats.ts";
import { applyAlongAxis } from "./apply.ts";
import { median } from "./quantile.ts";
import { max, mean, min } from "./reduce.ts";
import { unit } from "../core/unit.ts";

export type PadMode =
  | "constant"
  | "edge"
  | "reflect"
  | "symmetric"
  | "wrap"
  | "linear_ramp"
  | "maximum"
  | "minimum"
  | "mean"
  | "median"
  | "empty";

/** One value for all axes and sides, a pair for all axes, or a pair per axis. */
export type PerSide<T> =
  T | readonly [T] | readonly [T, T] | readonly (readonly [T, T] | readonly T[])[] | readonly T[];

/** A function that fills the padding of one line: (line, [before, after], axis) → line. */
export type PadFunction = (line: NDArray, width: readonly [number, number], axis: number) => NDArray;

export interface PadOptions {
  readonly mode?: PadMode | PadFunction | undefined;
  /** Mode `constant`: the values, 0. */
  readonly constantValues?: ArrayLike | undefined;
  /** Mode `linear_ramp`: the values at the outer ends, 0. */
  readonly endValues?: PerSide<number> | undefined;
  /** Modes `maximum`, `minimum`, `mean`, `median`: how many elements at each end count; all. */
  readonly statLength?: PerSide<number> | null | undefined;
  /** Modes `reflect` and `symmetric`: `"odd"` continues the slope at the edge. */
  readonly reflectType?: "even" | "odd" | undefined;
}
const padNames = ["mode", "constantValues", "endValues", "statLength", "reflectType"] as const;

type Pair = readonly [number, number];

/** One pair per axis. */
function pairs(what: string, values: PerSide<number>, ndim: number): Pair[] {
  const every = (pair: Pair): Pair[] => Array.from({ length: ndim }, () => pair);
  if (typeof values === "number") return every([values, values]);
  const list = values as readonly (number | readonly number[])[];
  if (list.length === 0 && ndim === 0) return [];
  if (list.every((v) => typeof v === "number")) {
    if (list.length === 1) return every([list[0]!, list[0]!]);
    if (list.length === 2) return every([list[0]!, list[1]!]);
  } else if (list.every((v): v is readonly number[] => Array.isArray(v) && v.length === 2)) {
    const rows = list.map((v): Pair => [v[0]!, v[1]!]);
    if (rows.length === ndim) return rows;
    if (rows.length === 1) return every(rows[0]!);
  }
  throw new ArgumentError("PadWidths", {
    what: `pad: ${what} ${JSON.stringify(values)} for ${ndim} axes`,
    why: "there are two sides per axis",
    fix: "give one number, [before, after], or one such pair per axis",
  });
}

const emptyAxis = (mode: string, x: NDArray, axis: number): ShapeError =>
  new ShapeError("PadEmptyAxis", {
    what: `pad: axis ${axis} of shape ${shapeText(x.shape)} has no elements to pad with`,
    why: `mode ${mode} repeats elements of the array`,
    fix: 'use mode "constant"',
  });

/** `n` copies of a slice of length 1. */
function copies(x: NDArray, n: number, axis: number): NDArray {
  const shape = x.shape.map((k, i) => (i === axis ? n : k));
  return broadcastTo(x, shape);
}

/** Pads one axis after the other, with what `sides` gives; without padding an axis is left alone. */
function axisByAxis(
  mode: string,
  array: NDArray,
  widths: readonly Pair[],
  sides: (x: NDArray, axis: number, width: Pair) => readonly [NDArray, NDArray],
): NDArray {
  return widths.reduce((x, width, axis) => {
    if (width[0] === 0 && width[1] === 0) return x;
    if (x.shape[axis] === 0) throw emptyAxis(mode, x, axis);
    const [before, after] = sides(x, axis, width);
    return concatenateArrays([...(width[0] > 0 ? [before] : []), x, ...(width[1] > 0 ? [after] : [])], axis);
  }, array);
}

/** Constants: one for all, or [before, after] pairs that broadcast to one per axis. */
function padConstant(x: NDArray, widths: readonly Pair[], values: ArrayLike): NDArray {
  const constants = convert(convertElementType(values, x.dtype), x.dtype, x.weakType);
  if (constants.size === 1)
    return padArray(
      x,
      reshape(constants, []),
      widths.map(([low, high]) => [low, high, 0]),
    );
  const table = broadcastTo(constants, [x.ndim, 2]);
  const at = (axis: number, side: number): NDArray =>
    reshape(sliceInDim(sliceInDim(table, axis, axis + 1), side, side + 1, 1, 1), []);
  return widths.reduce((y, [low, high], axis) => {
    const config = (a: number, b: number) =>
      y.shape.map((_, i) => (i === axis ? ([a, b, 0] as const) : ([0, 0, 0] as const)));
    const padded = low > 0 ? padArray(y, at(axis, 0), config(low, 0)) : y;
    return high > 0 ? padArray(padded, at(axis, 1), config(0, high)) : padded;
  }, x);
}

/** The array repeated on both sides. */
function padWrap(x: NDArray, widths: readonly Pair[]): NDArray {
  return axisByAxis("wrap", x, widths, (y, axis, [low, high]) => {
    const n = y.shape[axis]!;
    const repeats = (k: number): NDArray[] => Array.from({ length: k }, () => y);
    const part = (start: number, end: number): NDArray[] => (start < end ? [sliceInDim(y, start, end, 1, axis)] : []);
    const before = [...part(n - (low % n), n), ...repeats(Math.floor(low / n))];
    const after = [...repeats(Math.floor(high / n)), ...part(0, high % n)];
    const joined = (list: NDArray[]): NDArray => (list.length === 0 ? y : concatenateArrays(list, axis));
    return [joined(before), joined(after)];
  });
}

/** Mirrored at the edges, once or, where the padding is longer than the array, again and again. */
function padMirror(x: NDArray, widths: readonly Pair[], mode: "reflect" | "symmetric", odd: boolean): NDArray {
  return widths.reduce((start, [low, high], axis) => {
    const n = start.shape[axis]!;
    if (low === 0 && high === 0) return start;
    if (n === 0) throw emptyAxis(mode, start, axis);
    const offset = mode === "reflect" && n > 1 ? 1 : 0;
    const slice = (y: NDArray, a: number, b: number): NDArray => sliceInDim(y, a, b, 1, axis);
    const extend = (y: NDArray, amount: number, before: boolean): NDArray => {
      let edge = before ? slice(y, 0, 1) : slice(y, y.shape[axis]! - 1, y.shape[axis]!);
      let out = y;
      for (let left = amount; left > 0;) {
        const count = Math.min(left, n - offset);
        left -= count;
        const end = out.shape[axis]!;
        const part = before ? slice(out, offset, offset + count) : slice(out, end - count - offset, end - offset);
        let mirrored = rev(part, [axis]);
        if (odd) {
          mirrored = subtract(multiply(edge, 2), mirrored);
          if (n > 1) edge = before ? slice(mirrored, 0, 1) : slice(mirrored, count - 1, count);
        }
        out = concatenateArrays(before ? [mirrored, out] : [out, mirrored], axis);
      }
      return out;
    };
    return extend(extend(start, low, true), high, false);
  }, x);
}

const edges = (x: NDArray, axis: number): readonly [NDArray, NDArray] => [
  sliceInDim(x, 0, 1, 1, axis),
  sliceInDim(x, x.shape[axis]! - 1, x.shape[axis]!, 1, axis),
];

function padRamp(x: NDArray, widths: readonly Pair[], ends: readonly Pair[]): NDArray {
  return axisByAxis("linear_ramp", x, widths, (y, axis, [low, high]) => {
    const [first, last] = edges(y, axis).map((e) => squeeze(e, [axis])) as [NDArray, NDArray];
    const ramp = (end: number, edge: NDArray, num: number): NDArray =>
      convert(linspace(end, edge, num, false, false, y.dtype, axis), y.dtype, y.weakType);
    return [ramp(ends[axis]![0], first, low), rev(ramp(ends[axis]![1], last, high), [axis])];
  });
}

const statistics = { maximum: max, minimum: min, mean, median } as const;

function padStatistic(
  x: NDArray,
  widths: readonly Pair[],
  mode: keyof typeof statistics,
  lengths: readonly Pair[] | null,
): NDArray {
  return axisByAxis(mode, x, widths, (y, axis, [low, high]) => {
    const n = y.shape[axis]!;
    const of = (part: NDArray): NDArray => {
      const value = statistics[mode](part, { axis, keepdims: true });
      return convert(convertElementType(isInteger(y.dtype) ? round(value) : value, y.dtype), y.dtype, y.weakType);
    };
    const [a, b] = (lengths?.[axis] ?? [n, n]).map((k) => Math.min(k, n)) as [number, number];
    if (a < 1 || b < 1)
      throw new ArgumentError("StatLength", {
        what: "pad: statLength is 0",
        why: "no elements have no statistic",
        fix: "give at least 1",
      });
    const before = of(sliceInDim(y, 0, a, 1, axis));
    const after = lengths ? of(sliceInDim(y, n - b, n, 1, axis)) : before;
    return [copies(before, low, axis), copies(after, high, axis)];
  });
}

/** Lines along every axis, filled by the user's function. */
function padByFunction(x: NDArray, widths: readonly Pair[], f: PadFunction): NDArray {
  const padded = padConstant(x, widths, 0);
  return widths.reduce((y, width, axis) => applyAlongAxis((line) => f(line, width, axis), axis, y), padded);
}

/**
 * The array with elements added at the ends of axes.
 *
 * @param padWidth how many: one number, `[before, after]`, or a pair per axis
 * @param rest the mode, `"constant"` by default, and options
 * @example
 * np.pad(np.array([1, 2]), 1) // [0, 1, 2, 0]
 */
export const pad = /* @__PURE__ */ unit(
  "pad",
  1,
  function pad(
    array: ArrayLike,
    padWidth: PerSide<number>,
    ...rest: Rest<[PadMode | PadFunction], PadOptions>
  ): NDArray {
    const options = given<PadOptions>("pad", padNames, 1, rest);
    const { mode = "constant", constantValues = 0, endValues = 0, statLength = null, reflectType = "even" } = options;
    const x = asArray(array, "pad");
    const widths = pairs("padWidth", padWidth, x.ndim);
    if (widths.flat().some((n) => !Number.isInteger(n) || n < 0))
      throw new ArgumentError("PadWidths", {
        what: `pad: padWidth ${JSON.stringify(padWidth)} has an entry that is no count`,
        why: "padding adds a number of elements",
        fix: "give integers from 0; to cut elements off, slice the array",
      });
    if (typeof mode === "function") return padByFunction(x, widths, mode);
    checkMode(mode, options);
    if (x.ndim === 0) return x;
    switch (mode) {
      case "constant":
        return padConstant(x, widths, constantValues);
      case "edge":
        return axisByAxis(mode, x, widths, (y, axis, [low, high]) => {
          const [first, last] = edges(y, axis);
          return [copies(first, low, axis), copies(last, high, axis)];
        });
      case "wrap":
        return padWrap(x, widths);
      case "reflect":
      case "symmetric":
        checkChoice("pad", "reflectType", reflectType, ["even", "odd"]);
        return padMirror(x, widths, mode, reflectType === "odd");
      case "linear_ramp":
        return padRamp(x, widths, pairs("endValues", endValues, x.ndim));
      case "empty":
        return padArray(
          x,
          full([], 0, x.dtype, x.weakType),
          widths.map(([low, high]) => [low, high, 0]),
        );
      default:
        return padStatistic(x, widths, mode, statLength === null ? null : pairs("statLength", statLength, x.ndim));
    }
  },
);

const optionsOf: Readonly<Record<PadMode, readonly (keyof PadOptions)[]>> = {
  constant: ["constantValues"],
  edge: [],
  reflect: ["reflectType"],
  symmetric: ["reflectType"],
  wrap: [],
  linear_ramp: ["endValues"],
  maximum: ["statLength"],
  minimum: ["statLength"],
  mean: ["statLength"],
  median: ["statLength"],
  empty: [],
};

/** An option of another mode would be ignored. */
function checkMode(mode: PadMode, options: PadOptions): void {
  checkChoice("pad", "mode", mode, Object.keys(optionsOf));
  const foreign = Object.keys(options).find((k) => k !== "mode" && !optionsOf[mode].includes(k as keyof PadOptions));
  if (foreign !== undefined)
    throw new ArgumentError("PadOption", {
      what: `pad: ${foreign} means nothing in mode ${JSON.stringify(mode)}`,
      why: "an option of another mode would be ignored silently",
      fix:
        optionsOf[mode].length > 0 ? `this mode's option is ${optionsOf[mode].join(", ")}` : "this mode has no options",
    });
}
