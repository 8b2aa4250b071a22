/** Quantiles by sorting, with and without NaN. */
import type { ArrayLike, Axis } from "../core/arrayMethods.ts";
import { isComplex } from "../core/dtype.ts";
import type { NDArray } from "../core/ndarray.ts";
import { promoteOperands, scalarLiteral } from "../core/operands.ts";
import { ArgumentError, DTypeError, ShapeError } from "../core/problem.ts";
import { canonicalAxes, dropAxes, range, shapeText, sizeOf } from "../core/shape.ts";
import {
  broadcastInDim,
  broadcastTo,
  convert,
  full,
  moveAxis,
  reshape,
  sumAxes,
  transpose,
} from "../core/structural.ts";
import { addArrays, ceil, divArrays, floor, maxArrays, minArrays, mulArrays, subArrays } from "../lax/arithmetic.ts";
import { bitwiseNot, orArrays } from "../lax/bitwise.ts";
import { eqArrays, leArrays, ltArrays, neArrays, selectArrays } from "../lax/compare.ts";
import { cumsum } from "../lax/cumulative.ts";
import { expandDims, sliceInDim } from "../lax/movement.ts";
import { reduceOr } from "../lax/reduce.ts";
import { literalLike } from "../lax/rules.ts";
import { sort, sortKeyVal } from "../lax/sort.ts";
import { type Rest, checkChoice, given, inexactOf, onlyAs } from "./arguments.ts";
import { takeAlongAxis } from "./take.ts";
import { unit } from "../core/unit.ts";

export type QuantileMethod = "linear" | "lower" | "higher" | "midpoint" | "nearest" | "inverted_cdf";
const quantileMethods: readonly QuantileMethod[] = ["linear", "lower", "higher", "midpoint", "nearest", "inverted_cdf"];

export interface MedianOptions {
  readonly axis?: Axis | undefined;
  readonly keepdims?: boolean | undefined;
  /** Accepted for numpy's signature: arrays are immutable. */
  readonly overwriteInput?: false | undefined;
}
export interface QuantileOptions extends MedianOptions {
  /** What lies between two elements. */
  readonly method?: QuantileMethod | undefined;
  /** Weights of the elements, with method `inverted_cdf`. */
  readonly weights?: ArrayLike | null | undefined;
}
const quantileNames = ["axis", "method", "keepdims", "weights", "overwriteInput"] as const;
const medianNames = ["axis", "keepdims", "overwriteInput"] as const;
type QuantileRest = Rest<[Axis], QuantileOptions>;

const isNaNs = (x: NDArray): NDArray => neArrays(x, x);

/** The reduced axes merged into one last axis. */
function mergeLast(x: NDArray, axes: readonly number[]): NDArray {
  const kept = range(x.ndim).filter((i) => !axes.includes(i));
  return reshape(transpose(x, [...kept, ...axes]), [
    ...kept.map((i) => x.shape[i]!),
    sizeOf(axes.map((i) => x.shape[i]!)),
  ]);
}

/** Weights in the array's shape: given so, or along the reduced axes. */
function weightsLike(x: NDArray, w: NDArray, axes: readonly number[], all: boolean): NDArray {
  if (w.ndim === x.ndim && w.shape.every((n, i) => n === x.shape[i])) return w;
  const expected = axes.map((i) => x.shape[i]!);
  if (!all && w.ndim === axes.length && w.shape.every((n, i) => n === expected[i]))
    return broadcastInDim(w, x.shape, axes);
  throw new ShapeError("WeightsShape", {
    what: `quantile: weights of shape ${shapeText(w.shape)} for an array of shape ${shapeText(x.shape)}`,
    why: "every element, or every position along the axis, has a weight",
    fix: `pass weights of shape ${shapeText(all ? x.shape : expected)}`,
  });
}

function quantiles(name: string, a: ArrayLike, q: ArrayLike, options: QuantileOptions, skipNaN: boolean): NDArray {
  const { axis, method = "linear", keepdims = false, weights = null } = options;
  checkChoice(name, "method", method, quantileMethods);
  onlyAs(name, "overwriteInput", options.overwriteInput, [false], "leave it out: arrays are immutable");
  if (weights !== null && method !== "inverted_cdf")
    throw new ArgumentError("QuantileWeights", {
      what: `${name}: weights with method ${JSON.stringify(method)}`,
      why: "only the inverted distribution function is defined for weights",
      fix: 'pass { method: "inverted_cdf" }',
    });
  const [array, w] =
    weights === null ? [inexactOf(name, a), null] : (promoteOperands(name, [a, weights], true) as [NDArray, NDArray]);
  const probabilities = inexactOf(name, q);
  if (isComplex(array.dtype))
    throw new DTypeError("ComplexOrder", {
      what: `${name}: the array is complex`,
      why: "quantiles need an order",
      fix: "take real parts or moduli",
    });
  if (probabilities.ndim > 1)
    throw new ShapeError("QuantileRank", {
      what: `${name}: the probabilities have shape ${shapeText(probabilities.shape)}`,
      why: "they make up the first axis of the result",
      fix: "pass a scalar or a vector",
    });
  const axes = canonicalAxes(name, axis, array.ndim);
  const x = mergeLast(array, axes);
  const flat = reshape(probabilities, [probabilities.size]);
  const values =
    x.shape.at(-1) === 0
      ? full([...x.shape.slice(0, -1), flat.size], NaN, array.dtype)
      : method === "inverted_cdf"
        ? byDistribution(x, w && mergeLast(weightsLike(array, w, axes, axis == null), axes), flat, skipNaN)
        : byPosition(x, convert(flat, flat.dtype), method, skipNaN);
  // The probabilities' axis comes first, or goes if there is but one.
  const first = moveAxis(values, values.ndim - 1, 0);
  const shape = keepdims ? array.shape.map((n, i) => (axes.includes(i) ? 1 : n)) : dropAxes(array.shape, axes);
  return convert(reshape(first, [...probabilities.shape, ...shape]), array.dtype);
}

/** Quantiles along the last axis of `x`, one per probability along the last axis of the result. */
function byPosition(x: NDArray, q: NDArray, method: QuantileMethod, skipNaN: boolean): NDArray {
  const last = x.ndim - 1;
  const n = x.shape[last]!;
  const nan = literalLike(x, NaN);
  const k = q.shape[0]!;
  const shape = [...x.shape.slice(0, -1), k];
  const missing = isNaNs(x);
  // One NaN makes a whole line NaN, unless NaN is skipped: then it sorts to the end.
  const spoiled = broadcastTo(expandDims(reduceOr(missing, [last]), [last]), x.shape);
  const sorted = sort(skipNaN ? x : selectArrays(spoiled, nan, x), { dimension: last });
  const counts = skipNaN
    ? broadcastTo(expandDims(sumAxes(convert(bitwiseNot(missing), q.dtype), [last]), [last]), shape)
    : scalarLiteral(n, q.dtype);
  const lastPlace = subArrays(counts, literalLike(counts, 1));
  const place = mulArrays(broadcastTo(q, shape), lastPlace);
  const [below, above] = [floor(place), ceil(place)];
  const weight = subArrays(place, below);
  const limit = (p: NDArray): NDArray => {
    const bounded = maxArrays(literalLike(p, 0), minArrays(p, lastPlace));
    return convert(bounded, "int32");
  };
  const at = (p: NDArray): NDArray => takeAlongAxis(sorted, limit(p), -1, { mode: "clip" });
  const [low, high] = [at(below), at(above)];
  switch (method) {
    case "lower":
      return low;
    case "higher":
      return high;
    case "nearest":
      return selectArrays(leArrays(weight, literalLike(weight, 0.5)), low, high);
    case "midpoint":
      return mulArrays(addArrays(low, high), literalLike(low, 0.5));
    default: {
      const [a, b] = [low, high].map((v) => convert(v, q.dtype)) as [NDArray, NDArray];
      return addArrays(mulArrays(a, subArrays(literalLike(weight, 1), weight)), mulArrays(b, weight));
    }
  }
}

/** The first element at which the (weighted) distribution function reaches the probability. */
function byDistribution(x: NDArray, given_: NDArray | null, q: NDArray, skipNaN: boolean): NDArray {
  const last = x.ndim - 1;
  const shape = [...x.shape.slice(0, -1), q.shape[0]!];
  const missing = isNaNs(x);
  const weights = given_ ?? convert(broadcastTo(literalLike(x, 1), x.shape), x.dtype);
  const [sorted, w] = sortKeyVal(x, weights, { dimension: last });
  const bad = orArrays(ltArrays(w, literalLike(w, 0)), isNaNs(w));
  const gone = isNaNs(sorted);
  const clean = selectArrays(orArrays(bad, gone), literalLike(w, 0), w);
  const running = cumsum(clean, last);
  const total = sliceInDim(running, x.shape[last]! - 1, x.shape[last]!, 1, last);
  const target = mulArrays(broadcastTo(convert(q, w.dtype), shape), broadcastTo(total, shape));
  // How many elements lie below the target: compared pair by pair.
  const wide = [...shape, x.shape[last]!];
  const less = ltArrays(
    broadcastTo(expandDims(running, [last]), wide),
    broadcastTo(expandDims(target, [last + 1]), wide),
  );
  const index = sumAxes(convert(less, "int32"), [last + 1]);
  const valid = sumAxes(convert(bitwiseNot(missing), "int32"), [last]);
  const count = skipNaN ? valid : convert(broadcastTo(scalarLiteral(x.shape[last]!, "int32"), valid.shape), "int32");
  const most = broadcastTo(expandDims(subArrays(count, literalLike(count, 1)), [last]), shape);
  const bounded = maxArrays(literalLike(index, 0), minArrays(index, most));
  const value = takeAlongAxis(sorted, bounded, -1, { mode: "clip" });
  const none = skipNaN ? eqArrays(valid, literalLike(valid, 0)) : reduceOr(missing, [last]);
  const invalid = broadcastTo(expandDims(orArrays(reduceOr(bad, [last]), none), [last]), shape);
  return selectArrays(invalid, literalLike(value, NaN), value);
}

/**
 * The value below which a fraction `q` of the elements lies; NaN if there is one among them.
 *
 * @example
 * np.quantile(np.array([1, 2, 3, 4, 5]), 0.5) // 3
 */
export const quantile = /* @__PURE__ */ unit(
  "quantile",
  2,
  (a: ArrayLike, q: ArrayLike, ...rest: QuantileRest): NDArray =>
    quantiles("quantile", a, q, given<QuantileOptions>("quantile", quantileNames, 1, rest), false),
);

/**
 * `quantile` without regard to NaN.
 *
 * @example
 * np.nanquantile(np.array([1, NaN, 3]), 0.5) // 2
 */
export const nanquantile = /* @__PURE__ */ unit(
  "nanquantile",
  2,
  (a: ArrayLike, q: ArrayLike, ...rest: QuantileRest): NDArray =>
    quantiles("nanquantile", a, q, given<QuantileOptions>("nanquantile", quantileNames, 1, rest), true),
);

const fraction = (name: string, q: ArrayLike): NDArray => {
  const p = inexactOf(name, q);
  return divArrays(p, literalLike(p, 100));
};

/**
 * `quantile` with percentages.
 *
 * @example
 * np.percentile(np.array([1, 2, 3, 4, 5]), 25) // 2
 */
export const percentile = /* @__PURE__ */ unit(
  "percentile",
  2,
  (a: ArrayLike, q: ArrayLike, ...rest: QuantileRest): NDArray =>
    quantiles(
      "percentile",
      a,
      fraction("percentile", q),
      given<QuantileOptions>("percentile", quantileNames, 1, rest),
      false,
    ),
);

/**
 * `percentile` without regard to NaN.
 *
 * @example
 * np.nanpercentile(np.array([1, NaN, 3]), 50) // 2
 */
export const nanpercentile = /* @__PURE__ */ unit(
  "nanpercentile",
  2,
  (a: ArrayLike, q: ArrayLike, ...rest: QuantileRest): NDArray =>
    quantiles(
      "nanpercentile",
      a,
      fraction("nanpercentile", q),
      given<QuantileOptions>("nanpercentile", quantileNames, 1, rest),
      true,
    ),
);

/**
 * The middle element, or the mean of the two in the middle; NaN if there is one among the elements.
 *
 * @example
 * np.median(np.array([3, 1, 2])) // 2
 */
export const median = /* @__PURE__ */ unit("median", 1, (a: ArrayLike, ...rest: Rest<[Axis], MedianOptions>): NDArray =>
  quantiles("median", a, 0.5, { ...given<MedianOptions>("median", medianNames, 1, rest), method: "midpoint" }, false),
);

/**
 * `median` without regard to NaN.
 *
 * @example
 * np.nanmedian(np.array([3, NaN, 1])) // 2
 */
export const nanmedian = /* @__PURE__ */ unit(
  "nanmedian",
  1,
  (a: ArrayLike, ...rest: Rest<[Axis], MedianOptions>): NDArray =>
    quantiles(
      "nanmedian",
      a,
      0.5,
      { ...given<MedianOptions>("nanmedian", medianNames, 1, rest), method: "midpoint" },
      true,
    ),
);
