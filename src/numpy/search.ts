/** Searching in sorted arrays, counting, histograms. */
import type { ArrayLike } from "../core/arrayMethods.ts";
import { isBool, isInteger } from "../core/dtype.ts";
import { evaluator } from "../core/evaluator.ts";
import type { NDArray } from "../core/ndarray.ts";
import { asArray, asIndex, promoteOperands, scalarLiteral } from "../core/operands.ts";
import { DTypeError, ShapeError } from "../core/problem.ts";
import { range, shapeText, shapesEqual } from "../core/shape.ts";
import { broadcastInDim, broadcastTo, convert, full, reshape } from "../core/structural.ts";
import { addArrays, maxArrays, subArrays } from "../lax/arithmetic.ts";
import { andArrays, bitwiseNot, orArrays, shiftRightArithmetic } from "../lax/bitwise.ts";
import { convertElementType } from "../lax/cast.ts";
import { eqArrays, geArrays, neArrays, selectArrays } from "../lax/compare.ts";
import { gather } from "../lax/gather.ts";
import { rev, sliceInDim } from "../lax/movement.ts";
import { literalLike } from "../lax/rules.ts";
import { type Rest, checkChoice, given, inexactOf, integer } from "./arguments.ts";
import { divide } from "./arithmetic.ts";
import { placeIn, readIndex } from "./at.ts";
import { linspace } from "./creation.ts";
import { less, lessEqual } from "./logic.ts";
import { dataDependent } from "./nonzero.ts";
import { diff } from "./differences.ts";
import { max, min, sum } from "./reduce.ts";
import { where } from "./select.ts";
import { take } from "./take.ts";
import { unit } from "../core/unit.ts";

export interface SearchsortedOptions {
  /** Where to put a value among equal ones: before (`"left"`) or after them. */
  readonly side?: "left" | "right" | undefined;
  /** The positions that sort `a`, if it is not sorted. */
  readonly sorter?: ArrayLike | null | undefined;
  /** Accepted for JAX's signature: the search is by bisection. */
  readonly method?: "scan" | "scan_unrolled" | "sort" | "compare_all" | undefined;
}

const needsVector = (name: string, x: NDArray): ShapeError =>
  new ShapeError("VectorExpected", {
    what: `${name}: expected a one-dimensional array, found shape ${shapeText(x.shape)}`,
    why: `${name} works on one list of values`,
    fix: "flatten it with x.ravel(), or map over the other axes with vmap",
  });

/** Elements of a vector at positions that are in range. */
const pick = (x: NDArray, index: NDArray): NDArray =>
  gather(x, reshape(index, [...index.shape, 1]), { offsetDims: [], collapsedSliceDims: [0], startIndexMap: [0] }, [1], {
    mode: "clip",
  });

/** Bisection, for all queries at once: as many steps as the length has bits. NaN comes after everything. */
function bisect(sorted: NDArray, v: NDArray, side: "left" | "right"): NDArray {
  const n = sorted.shape[0]!;
  let low = full(v.shape, 0, "int32");
  if (n === 0) return low;
  let high = full(v.shape, n, "int32");
  const one = scalarLiteral(1, "int32");
  for (let step = Math.ceil(Math.log2(n + 1)); step > 0; step--) {
    const middle = addArrays(low, shiftRightArithmetic(subArrays(high, low), one));
    const x = pick(sorted, middle);
    const unordered = neArrays(x, x);
    const goLeft =
      side === "left"
        ? orArrays(lessEqual(v, x), unordered)
        : orArrays(less(v, x), andArrays(unordered, bitwiseNot(neArrays(v, v))));
    [low, high] = [selectArrays(goLeft, low, middle), selectArrays(goLeft, middle, high)];
  }
  return high;
}

/**
 * The positions where values would have to be inserted to keep a sorted array sorted.
 *
 * @example
 * np.searchsorted(np.array([1, 2, 3]), 2) // 1
 */
export const searchsorted = /* @__PURE__ */ unit(
  "searchsorted",
  2,
  function searchsorted(a: ArrayLike, v: ArrayLike, ...rest: Rest<["left" | "right"], SearchsortedOptions>): NDArray {
    const {
      side = "left",
      sorter = null,
      method = "scan",
    } = given<SearchsortedOptions>("searchsorted", ["side", "sorter", "method"], 1, rest);
    checkChoice("searchsorted", "side", side, ["left", "right"]);
    checkChoice("searchsorted", "method", method, ["scan", "scan_unrolled", "sort", "compare_all"]);
    const [x, query] = promoteOperands("searchsorted", [a, v]) as [NDArray, NDArray];
    if (x.ndim !== 1) throw needsVector("searchsorted", x);
    return bisect(sorter === null ? x : take(x, sorter), query, side);
  },
  { numbers: "inputs" },
);

export interface DigitizeOptions {
  /** Whether bins include their right ends rather than their left ones. */
  readonly right?: boolean | undefined;
  readonly method?: SearchsortedOptions["method"];
}

/**
 * The number of the bin that each element lies in; bins increase or decrease.
 *
 * @example
 * np.digitize(np.array([0.5, 1.5]), np.array([0, 1, 2])) // [1, 2]
 */
export const digitize = /* @__PURE__ */ unit(
  "digitize",
  2,
  function digitize(x: ArrayLike, bins: ArrayLike, ...rest: Rest<[boolean], DigitizeOptions>): NDArray {
    const { right = false } = given<DigitizeOptions>("digitize", ["right", "method"], 1, rest);
    const [b, v] = promoteOperands("digitize", [bins, x]) as [NDArray, NDArray];
    if (b.ndim !== 1) throw needsVector("digitize", b);
    const n = b.shape[0]!;
    if (n === 0) return full(v.shape, 0, "int32");
    const side = right ? "left" : "right";
    const up = bisect(b, v, side);
    const down = subArrays(scalarLiteral(n, "int32"), bisect(rev(b, [0]), v, side));
    const ends = [n - 1, 0].map((i) => reshape(sliceInDim(b, i, i + 1), [])) as [NDArray, NDArray];
    return selectArrays(geArrays(...ends), up, down);
  },
  { numbers: "inputs" },
);

export interface BincountOptions {
  /** What each element counts. */
  readonly weights?: ArrayLike | null | undefined;
  /** The least number of bins. */
  readonly minlength?: number | undefined;
  /** The number of bins: makes the function work inside jit. */
  readonly length?: number | null | undefined;
}

/**
 * How often each number from 0 occurs.
 *
 * @example
 * np.bincount(np.array([0, 2, 2], { dtype: "int32" })) // [1, 0, 2]
 */
export const bincount = /* @__PURE__ */ unit(
  "bincount",
  1,
  function bincount(x: ArrayLike, ...rest: Rest<[ArrayLike | null], BincountOptions>): NDArray {
    const {
      weights = null,
      minlength = 0,
      length = null,
    } = given<BincountOptions>("bincount", ["weights", "minlength", "length"], 1, rest);
    const raw = asIndex(x, "bincount");
    const values = isBool(raw.dtype) ? convert(raw, "int32") : raw;
    if (!isInteger(values.dtype))
      throw new DTypeError("IndexDType", {
        what: `bincount: the numbers are ${values.describe()}`,
        why: "bins are numbered by integers",
        fix: "convert them with x.astype(numpy.int32)",
      });
    if (values.ndim !== 1) throw needsVector("bincount", values);
    const bins =
      length === null
        ? binsFor(values, integer("bincount", "minlength", minlength))
        : integer("bincount", "length", length);
    const w = weights === null ? scalarLiteral(1, "int32") : asArray(weights, "bincount");
    if (weights !== null && !shapesEqual(w.shape, values.shape))
      throw new ShapeError("WeightsShape", {
        what: `bincount: weights of shape ${shapeText(w.shape)} for numbers of shape ${shapeText(values.shape)}`,
        why: "every number has a weight",
        fix: "pass weights of the same shape",
      });
    const counts = full([bins], 0, w.dtype);
    return placeIn(counts, [maxArrays(values, literalLike(values, 0))]).add(w, { mode: "drop" });
  },
);

function binsFor(values: NDArray, minlength: number): number {
  const concrete = values.concrete();
  if (!concrete) throw dataDependent("bincount", values, "pass the number of bins, numpy.bincount(x, { length: n })");
  const { data } = evaluator().toHost(concrete);
  let largest = -1;
  for (const v of data) largest = Math.max(largest, v, 0);
  return Math.max(minlength, largest + 1);
}

// ---------------------------------------------------------------- histograms

/** The number of bins, or their edges. */
export type Bins = number | ArrayLike;
/** The least and the greatest edge. */
export type BinRange = readonly [ArrayLike, ArrayLike] | readonly ArrayLike[] | NDArray | null;

export interface HistogramOptions {
  readonly bins?: Bins | undefined;
  readonly range?: BinRange | undefined;
  readonly weights?: ArrayLike | null | undefined;
  /** Whether to give densities, whose integral is 1, rather than counts. */
  readonly density?: boolean | null | undefined;
}

const edgesOf = (name: string, a: ArrayLike, bins: Bins, limits: BinRange | undefined): NDArray => {
  const x = inexactOf(name, a);
  const given_ = asArray(bins, name);
  if (given_.ndim === 1) return convertElementType(given_, x.dtype);
  const count = integer(name, "bins", typeof bins === "number" ? bins : given_.item());
  const [low, high] = (limits ? [...(limits as readonly ArrayLike[])] : [min(x), max(x)]).map((l) =>
    convertElementType(l, x.dtype),
  ) as [NDArray, NDArray];
  const flat = eqArrays(low, high);
  const widen = (edge: NDArray, by: number): NDArray =>
    selectArrays(flat, addArrays(edge, literalLike(edge, by)), edge);
  return linspace(widen(low, -0.5), widen(high, 0.5), count + 1, { dtype: x.dtype });
};

/**
 * The edges of the bins of a histogram.
 *
 * @example
 * np.histogramBinEdges(np.array([0, 4]), 2) // [0, 2, 4]
 */
export const histogramBinEdges = /* @__PURE__ */ unit(
  "histogramBinEdges",
  1,
  function histogramBinEdges(a: ArrayLike, ...rest: Rest<[Bins], Omit<HistogramOptions, "density">>): NDArray {
    const { bins = 10, range: limits } = given<HistogramOptions>(
      "histogramBinEdges",
      ["bins", "range", "weights"],
      1,
      rest,
    );
    return edgesOf("histogramBinEdges", a, bins, limits);
  },
);

/** The bin of each value, from 1; the last edge belongs to the last bin. */
function binOf(x: NDArray, edges: NDArray): NDArray {
  const n = edges.shape[0]!;
  const last = reshape(sliceInDim(edges, n - 1, n), []);
  const index = bisect(edges, x, "right");
  return where(eqArrays(x, last), n - 1, index);
}

/**
 * How many elements lie in each of a number of bins, and the edges of the bins.
 *
 * @example
 * np.histogram(np.array([0, 1, 1, 4]), 2) // [[3, 1], [0, 2, 4]]
 */
export const histogram = /* @__PURE__ */ unit(
  "histogram",
  1,
  function histogram(a: ArrayLike, ...rest: Rest<[Bins], HistogramOptions>): [counts: NDArray, edges: NDArray] {
    const {
      bins = 10,
      range: limits,
      weights = null,
      density = false,
    } = given<HistogramOptions>("histogram", ["bins", "range", "weights", "density"], 1, rest);
    const raw = asArray(a, "histogram");
    if (weights !== null && !shapesEqual(raw.shape, asArray(weights, "histogram").shape))
      throw new ShapeError("WeightsShape", {
        what: `histogram: weights of shape ${shapeText(asArray(weights).shape)} for an array of shape ${shapeText(raw.shape)}`,
        why: "every element has a weight",
        fix: "pass weights of the same shape",
      });
    const [x, w] =
      weights === null
        ? [inexactOf("histogram", raw), null]
        : (promoteOperands("histogram", [raw, weights], true) as [NDArray, NDArray]);
    const edges = edgesOf("histogram", x, bins, limits);
    const n = edges.shape[0]!;
    const dtype = (w ?? x).dtype;
    const all = placeIn(full([n], 0, dtype), [binOf(x, edges)]).add(w ?? 1, { mode: "drop" });
    const counts = sliceInDim(all, 1, n);
    return [density ? divide(divide(counts, diff(edges)), sum(counts)) : counts, edges];
  },
);

export interface HistogramddOptions extends Omit<HistogramOptions, "bins" | "range"> {
  /** The number of bins, or one number or list of edges per dimension. */
  readonly bins?: number | readonly Bins[] | undefined;
  readonly range?: readonly (BinRange | undefined)[] | null | undefined;
}

/**
 * A histogram of points in several dimensions, one row each, and the edges of the bins.
 *
 * @example
 * np.histogramdd(np.array([[0, 0], [1, 1]]), 2)[0] // [[1, 0], [0, 1]]
 */
export function histogramdd(
  sample: ArrayLike,
  ...rest: Rest<[number | readonly Bins[]], HistogramddOptions>
): [counts: NDArray, edges: NDArray[]] {
  const {
    bins = 10,
    range: limits = null,
    weights = null,
    density = false,
  } = given<HistogramddOptions>("histogramdd", ["bins", "range", "weights", "density"], 1, rest);
  const points = inexactOf("histogramdd", sample);
  const [n, dimensions] = points.shape as unknown as readonly [number, number];
  const perDimension = typeof bins === "number" ? range(dimensions).map(() => bins) : bins;
  if (points.ndim !== 2 || perDimension.length !== dimensions)
    throw new ShapeError("SampleShape", {
      what: `histogramdd: ${perDimension.length} bins for points of shape ${shapeText(points.shape)}`,
      why: "there is one row per point and one column, with bins of its own, per dimension",
      fix: "pass points of shape (n, d) and d bins",
    });
  const columns = range(dimensions).map((k) => reshape(sliceInDim(points, k, k + 1, 1, 1), [n]));
  const edges = columns.map((x, k) => edgesOf("histogramdd", x, perDimension[k]!, limits?.[k]));
  // Bins 0 and the last one hold what lies outside.
  const sizes = edges.map((e) => e.shape[0]! + 1);
  const places = columns.map((x, k) => {
    const e = edges[k]!;
    const last = reshape(sliceInDim(e, e.shape[0]! - 1, e.shape[0]!), []);
    const index = bisect(e, x, "right");
    return where(eqArrays(x, last), subArrays(index, literalLike(index, 1)), index);
  });
  const w = weights === null ? scalarLiteral(1, points.dtype) : asArray(weights, "histogramdd");
  const filled = placeIn(full(sizes, 0, w.dtype), places).add(w);
  const counts = readIndex(
    filled,
    sizes.map((k) => [1, k - 1]),
  );
  if (!density) return [counts, edges];
  const total = convertElementType(counts, points.dtype);
  const normed = divide(total, sum(total));
  return [edges.reduce((h, e, k) => divide(h, broadcastInDim(diff(e), h.shape, [k])), normed), edges];
}

/**
 * A histogram of points in the plane, and the edges of the bins along both axes.
 *
 * @example
 * np.histogram2d(np.array([0, 1]), np.array([0, 1]), 2)[0] // [[1, 0], [0, 1]]
 */
export const histogram2d = /* @__PURE__ */ unit(
  "histogram2d",
  2,
  function histogram2d(
    x: ArrayLike,
    y: ArrayLike,
    ...rest: Rest<
      [number | readonly Bins[] | NDArray],
      Omit<HistogramddOptions, "bins"> & { readonly bins?: number | readonly Bins[] | NDArray | undefined }
    >
  ): [counts: NDArray, xEdges: NDArray, yEdges: NDArray] {
    const { bins = 10, ...options } = given<HistogramddOptions & { bins: number | readonly Bins[] | NDArray }>(
      "histogram2d",
      ["bins", "range", "weights", "density"],
      1,
      rest,
    );
    const [a, b] = promoteOperands("histogram2d", [x, y], true) as [NDArray, NDArray];
    const shape = [a.size, 2];
    const [first, second] = [a, b].map((v) => broadcastInDim(reshape(v, [v.size]), shape, [0])) as [NDArray, NDArray];
    const isFirst = broadcastTo(reshape(asArray([true, false]), [1, 2]), shape);
    const points = selectArrays(isFirst, first, second);
    // Edges that are one list serve both axes.
    const both =
      typeof bins === "number" || (Array.isArray(bins) && bins.length === 2)
        ? (bins as number | readonly Bins[])
        : [bins as Bins, bins as Bins];
    const [counts, edges] = histogramdd(points, both, options);
    return [counts, edges[0]!, edges[1]!];
  },
);
