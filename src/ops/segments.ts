/**
 * Reductions over segments: rows that carry the same number are combined. Each is a scatter into an array of neutral
 * elements, so segments without rows keep those.
 */
import type { ArrayLike, IndexUpdate } from "../core/arrayMethods.ts";
import { type DType, isInteger } from "../core/dtype.ts";
import type { NDArray } from "../core/ndarray.ts";
import { asArray, asIndex } from "../core/operands.ts";
import { ArgumentError, DTypeError, ShapeError } from "../core/problem.ts";
import { shapeText } from "../core/shape.ts";
import { highest, lowest } from "../lax/reduceLowering.ts";
import { type Rest, checkChoice, given, integer } from "../numpy/arguments.ts";
import { type UpdateOptions, placeIn } from "../numpy/at.ts";
import * as np from "../numpy/index.ts";
import { dataDependent } from "../numpy/nonzero.ts";
import { valuesOf } from "../numpy/reading.ts";
import { unit } from "../core/unit.ts";

/** What happens to rows whose number is no segment: dropped (`fill` and `drop`), or moved to the nearest segment. */
export type SegmentMode = "fill" | "drop" | "clip" | "promise_in_bounds";
const modes: readonly SegmentMode[] = ["fill", "drop", "clip", "promise_in_bounds"];

export interface SegmentOptions {
  /** Length of the result. Default the largest segment number plus one, which must then be known: not so under `jit`. */
  readonly numSegments?: number | null | undefined;
  /** A promise that the segment numbers increase. */
  readonly indicesAreSorted?: boolean | undefined;
  /** A promise that no segment number occurs twice. */
  readonly uniqueIndices?: boolean | undefined;
  /** Combine this many rows at a time first, then the results: sums and products of many numbers lose fewer digits. */
  readonly bucketSize?: number | null | undefined;
  /** Default `"fill"`: rows whose number is negative or too large do not take part. */
  readonly mode?: SegmentMode | null | undefined;
  /** Accepted for JAX's signature; arrays live on one device here. */
  readonly outSharding?: unknown;
}
type SegmentRest = Rest<[number | null], SegmentOptions>;
const names = ["numSegments", "indicesAreSorted", "uniqueIndices", "bucketSize", "mode", "outSharding"] as const;

/** How rows are combined. */
interface Reduction {
  readonly name: string;
  readonly neutral: (dtype: DType) => number;
  readonly combine: (place: IndexUpdate, rows: NDArray, options: UpdateOptions) => NDArray;
  /** Over the axis of buckets. */
  readonly reduce: (x: NDArray, options: { readonly axis: number }) => NDArray;
}

function segments(r: Reduction, data: ArrayLike, segmentIds: ArrayLike, rest: readonly unknown[]): NDArray {
  const { numSegments, indicesAreSorted, uniqueIndices, bucketSize, mode } = given<SegmentOptions>(
    r.name,
    names,
    1,
    rest,
  );
  checkChoice(r.name, "mode", mode ?? "fill", modes);
  const [x, ids] = [asArray(data, r.name), segmentNumbers(r.name, segmentIds)];
  const rows = rowsFor(r.name, x, ids);
  const count = numSegments == null ? countFor(r.name, ids) : natural(r.name, "numSegments", numSegments, 0);
  const size = bucketSize == null ? ids.size : natural(r.name, "bucketSize", bucketSize, 1);
  const shape = [count, ...x.shape.slice(1)];
  const neutral = r.neutral(x.dtype);
  if (count === 0 || ids.size === 0) return np.full(shape, neutral, x.dtype);
  const update = { mode: mode ?? "fill", indicesAreSorted, uniqueIndices, wrapNegativeIndices: false };
  if (size >= ids.size) return r.combine(placeIn(np.full(shape, neutral, x.dtype), [ids]), rows, update);
  if (ids.ndim !== 1) throw needsVector(r.name, ids);
  const buckets = np.full([Math.ceil(ids.size / size), ...shape], neutral, x.dtype);
  const bucket = np.floorDivide(np.arange(ids.size), size);
  return np.astype(r.reduce(r.combine(placeIn(buckets, [bucket, ids]), rows, update), { axis: 0 }), x.dtype);
}

function segmentNumbers(name: string, segmentIds: ArrayLike): NDArray {
  const ids = asIndex(segmentIds, name);
  if (isInteger(ids.dtype)) return ids;
  // An empty list has no numbers to tell its dtype by.
  if (ids.size === 0 && Array.isArray(segmentIds)) return np.astype(ids, "int32");
  throw new DTypeError("IndexDType", {
    what: `${name}: the segment numbers are ${ids.describe()}`,
    why: "segments are numbered by integers",
    fix: "convert them with segmentIds.astype(numpy.int32)",
  });
}

/** The data as one row per segment number. */
function rowsFor(name: string, x: NDArray, ids: NDArray): NDArray {
  const shape = [...ids.shape, ...x.shape.slice(1)];
  const fits = x.ndim <= shape.length && x.shape.every((n, i) => n === 1 || n === shape[shape.length - x.ndim + i]);
  if (fits) return np.broadcastTo(x, shape);
  throw new ShapeError("SegmentRows", {
    what: `${name}: data of shape ${shapeText(x.shape)} with segment numbers of shape ${shapeText(ids.shape)}`,
    why: "every row of the data (an element of its first axis) has a segment number",
    fix: "pass as many segment numbers as there are rows",
  });
}

function countFor(name: string, ids: NDArray): number {
  if (!ids.concrete()) throw dataDependent(name, ids, `pass the number of segments, ${name}(x, ids, n)`);
  if (ids.size === 0)
    throw new ArgumentError("NoSegmentNumbers", {
      what: `${name}: no segment numbers and no numSegments`,
      why: "the number of segments is the largest segment number plus one, and there is none",
      fix: `pass the number of segments, ${name}(x, ids, n)`,
    });
  let largest = -1;
  for (const id of valuesOf(ids, name).data) largest = Math.max(largest, id);
  return largest + 1;
}

function natural(name: string, what: string, value: number, least: number): number {
  if (integer(name, what, value) >= least) return value;
  throw new ArgumentError("NumberTooSmall", {
    what: `${name}: ${what} is ${value}`,
    why: `${what} counts ${least === 0 ? "segments" : "the rows that are combined at a time"}`,
    fix: `use an integer of at least ${least}`,
  });
}

const needsVector = (name: string, ids: NDArray): ShapeError =>
  new ShapeError("VectorExpected", {
    what: `${name}: segment numbers of shape ${shapeText(ids.shape)} with bucketSize`,
    why: "buckets are runs of a list of segment numbers",
    fix: "pass one-dimensional segment numbers, or leave bucketSize out",
  });

const addition: Reduction = {
  name: "ops.segmentSum",
  neutral: () => 0,
  combine: (place, rows, options) => place.add(rows, options),
  reduce: np.sum,
};
const multiplication: Reduction = {
  name: "ops.segmentProd",
  neutral: () => 1,
  combine: (place, rows, options) => place.multiply(rows, options),
  reduce: np.prod,
};
const minimum: Reduction = {
  name: "ops.segmentMin",
  neutral: highest,
  combine: (place, rows, options) => place.min(rows, options),
  reduce: np.min,
};
const maximum: Reduction = {
  name: "ops.segmentMax",
  neutral: lowest,
  combine: (place, rows, options) => place.max(rows, options),
  reduce: np.max,
};

/**
 * The sum of the rows of each segment; 0 for segments without rows.
 *
 * @param data rows along the first axis.
 * @param segmentIds the segment of each row: integers in any order. Rows of negative or too large segments are dropped.
 * @param rest `numSegments`, by name also `indicesAreSorted`, `uniqueIndices`, `bucketSize`, `mode`.
 * @returns an array of shape `[numSegments, ...data.shape.slice(1)]` and the dtype of `data`.
 * @throws ConcretizationError without `numSegments` where the segment numbers are not known, as under `jit`.
 * @example
 * ops.segmentSum(np.array([1, 2, 3, 4]), [0, 0, 2, 2]) // [3, 0, 7]
 */
export const segmentSum = /* @__PURE__ */ unit(
  "segmentSum",
  2,
  (data: ArrayLike, segmentIds: ArrayLike, ...rest: SegmentRest): NDArray => segments(addition, data, segmentIds, rest),
);

/**
 * The product of the rows of each segment; 1 for segments without rows. Parameters and errors as `segmentSum`.
 *
 * @example
 * ops.segmentProd(np.array([1, 2, 3, 4]), [0, 0, 2, 2]) // [2, 1, 12]
 */
export const segmentProd = /* @__PURE__ */ unit(
  "segmentProd",
  2,
  (data: ArrayLike, segmentIds: ArrayLike, ...rest: SegmentRest): NDArray =>
    segments(multiplication, data, segmentIds, rest),
);

/**
 * The smallest row of each segment, element by element; ∞, or the largest integer, for segments without rows.
 * Parameters and errors as `segmentSum`.
 *
 * @example
 * ops.segmentMin(np.array([1, 2, 3, 4]), [0, 0, 2, 2]) // [1, Infinity, 3]
 */
export const segmentMin = /* @__PURE__ */ unit(
  "segmentMin",
  2,
  (data: ArrayLike, segmentIds: ArrayLike, ...rest: SegmentRest): NDArray => segments(minimum, data, segmentIds, rest),
);

/**
 * The largest row of each segment, element by element; −∞, or the smallest integer, for segments without rows.
 * Parameters and errors as `segmentSum`.
 *
 * @example
 * ops.segmentMax(np.array([1, 2, 3, 4]), [0, 0, 2, 2]) // [2, -Infinity, 4]
 */
export const segmentMax = /* @__PURE__ */ unit(
  "segmentMax",
  2,
  (data: ArrayLike, segmentIds: ArrayLike, ...rest: SegmentRest): NDArray => segments(maximum, data, segmentIds, rest),
);
