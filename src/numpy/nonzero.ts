/**
 * Positions of elements that are not zero, and what is picked by conditions. How many there are depends on values: the
 * functions need concrete arrays, or the option `size`.
 */
import type { ArrayLike } from "../core/arrayMethods.ts";
import { evaluator } from "../core/evaluator.ts";
import type { NDArray } from "../core/ndarray.ts";
import { asArray } from "../core/operands.ts";
import { ArgumentError, ConcretizationError, IndexError, ShapeError } from "../core/problem.ts";
import { canonicalAxis, range, shapeText, stridesOf } from "../core/shape.ts";
import { broadcastInDim, convert, full, moveAxis, reshape, sumAxes, transpose } from "../core/structural.ts";
import { divArrays, remArrays } from "../lax/arithmetic.ts";
import { geArrays, selectArrays } from "../lax/compare.ts";
import { iota } from "../lax/creation.ts";
import { cumsum } from "../lax/cumulative.ts";
import { sliceInDim } from "../lax/movement.ts";
import { literalLike } from "../lax/rules.ts";
import { placeIn, readIndex } from "./at.ts";
import { type Rest, given, integer } from "./arguments.ts";
import { stack } from "./join.ts";
import { truth } from "./logic.ts";
import { argsort } from "./sorting.ts";
import { unit } from "../core/unit.ts";

export interface NonzeroOptions {
  /** How many positions to give: makes the function work inside jit. */
  readonly size?: number | null | undefined;
  /** What fills the places beyond the last position; 0. A list has one value per axis. */
  readonly fillValue?: ArrayLike | null | undefined;
}
const nonzeroNames = ["size", "fillValue"] as const;

/** The error for a result whose shape depends on values. */
export const dataDependent = (
  name: string,
  x: NDArray,
  fix = `pass the number of results, numpy.${name}(x, { size: n })`,
): ConcretizationError =>
  new ConcretizationError("DataDependentShape", {
    what: `${name}: the result's shape depends on the values of ${x.describe()}`,
    why: "inside a transformation only shapes and dtypes are known, and every array must have a shape",
    fix,
  });

/** The number of true elements of a concrete mask, or the size asked for. */
function countOf(name: string, mask: NDArray, size: number | null): number {
  if (size !== null) {
    if (integer(name, "size", size) >= 0) return size;
    throw new ShapeError("NegativeSize", {
      what: `${name}: size is ${size}`,
      why: "it is a length",
      fix: "give 0 or more",
    });
  }
  const concrete = mask.concrete();
  if (!concrete) throw dataDependent(name, mask);
  const { data } = evaluator().toHost(concrete);
  let n = 0;
  for (let i = 0; i < data.length; i++) n += Number(data[i] !== 0);
  return n;
}

/** Flat positions of true elements, in order; those beyond the last one are the number of elements. */
function flatPositions(mask: NDArray, count: number): NDArray {
  const ranks = cumsum(convert(reshape(mask, [mask.size]), "int32"));
  // Position k of the result is the number of elements that come before the (k + 1)-th true one.
  const perRank = placeIn(full([count], 0, "int32"), [ranks]).add(1, { mode: "drop" });
  return cumsum(perRank);
}

function positions(name: string, x: NDArray, { size = null, fillValue = null }: NonzeroOptions): NDArray[] {
  if (x.ndim === 0)
    throw new ShapeError("NonzeroScalar", {
      what: `${name}: a scalar has no positions`,
      why: "a position is one number per axis",
      fix: "use numpy.atleast1d(x)",
    });
  const mask = truth(x);
  const count = countOf(name, mask, size);
  if (x.size === 0 || count === 0) return x.shape.map(() => full([count], 0, "int32"));
  const flat = flatPositions(mask, count);
  const along = stridesOf(x.shape).map((s, i) => {
    const steps = s === 1 ? flat : divArrays(flat, literalLike(flat, s));
    return remArrays(steps, literalLike(flat, x.shape[i]!));
  });
  if (fillValue === null || size === null) return along;
  const total = sumAxes(convert(mask, "int32"), range(x.ndim));
  const beyond = geArrays(iota("int32", count), total);
  const fills = Array.isArray(fillValue) ? (fillValue as readonly ArrayLike[]) : x.shape.map(() => fillValue);
  if (fills.length !== x.ndim)
    throw new ArgumentError("FillCount", {
      what: `${name}: ${fills.length} fill values for ${x.ndim} axes`,
      why: "a position has one number per axis",
      fix: "give one value, or one per axis",
    });
  return along.map((p, i) => selectArrays(beyond, convert(asArray(fills[i]!, name), "int32"), p));
}

/**
 * The positions of elements that are not zero, one array per axis.
 *
 * @example
 * np.nonzero(np.array([0, 3, 0, 5])) // [[1, 3]]
 */
export const nonzero = /* @__PURE__ */ unit(
  "nonzero",
  1,
  (a: ArrayLike, ...rest: Rest<[], NonzeroOptions>): NDArray[] =>
    positions("nonzero", asArray(a, "nonzero"), given<NonzeroOptions>("nonzero", nonzeroNames, 0, rest)),
);

/**
 * The positions of elements that are not zero in the flattened array.
 *
 * @example
 * np.flatnonzero(np.array([[0, 3], [0, 5]])) // [1, 3]
 */
export const flatnonzero = /* @__PURE__ */ unit(
  "flatnonzero",
  1,
  function flatnonzero(a: ArrayLike, ...rest: Rest<[], NonzeroOptions>): NDArray {
    const x = asArray(a, "flatnonzero");
    const options = given<NonzeroOptions>("flatnonzero", nonzeroNames, 0, rest);
    return positions("flatnonzero", reshape(x, [x.size]), options)[0]!;
  },
);

/**
 * The positions of elements that are not zero, one row each.
 *
 * @example
 * np.argwhere(np.array([[0, 3], [5, 0]])) // [[0, 1], [1, 0]]
 */
export const argwhere = /* @__PURE__ */ unit(
  "argwhere",
  1,
  function argwhere(a: ArrayLike, ...rest: Rest<[], NonzeroOptions>): NDArray {
    const x = asArray(a, "argwhere");
    const options = given<NonzeroOptions>("argwhere", nonzeroNames, 0, rest);
    if (x.ndim > 0) return transpose(stack(positions("argwhere", x, options)), [1, 0]);
    const [only] = positions("argwhere", reshape(x, [1]), options);
    return full([only!.size, 0], 0, "int32");
  },
);

// ---------------------------------------------------------------- picking by conditions

export interface CompressOptions {
  /** The axis to pick along; the flattened array by default. */
  readonly axis?: number | null | undefined;
  /** How many to give: makes the function work inside jit. */
  readonly size?: number | null | undefined;
  /** What fills the places beyond the last one picked; 0. */
  readonly fillValue?: ArrayLike | undefined;
}

/**
 * The slices along an axis where a condition holds.
 *
 * @example
 * np.compress(np.array([true, false, true]), np.array([1, 2, 3])) // [1, 3]
 */
export const compress = /* @__PURE__ */ unit(
  "compress",
  1,
  function compress(condition: ArrayLike, a: ArrayLike, ...rest: Rest<[number | null], CompressOptions>): NDArray {
    const {
      axis = null,
      size = null,
      fillValue = 0,
    } = given<CompressOptions>("compress", ["axis", "size", "fillValue"], 1, rest);
    return compressBy("compress", asArray(condition, "compress"), asArray(a, "compress"), axis, size, fillValue);
  },
);

/**
 * The elements where a condition holds.
 *
 * @example
 * np.extract(np.array([true, false, true]), np.array([1, 2, 3])) // [1, 3]
 */
export const extract = /* @__PURE__ */ unit(
  "extract",
  1,
  function extract(condition: ArrayLike, arr: ArrayLike, ...rest: Rest<[], Omit<CompressOptions, "axis">>): NDArray {
    const { size = null, fillValue = 0 } = given<CompressOptions>("extract", ["size", "fillValue"], 0, rest);
    const flag = asArray(condition, "extract");
    return compressBy("extract", reshape(flag, [flag.size]), asArray(arr, "extract"), null, size, fillValue);
  },
);

function compressBy(
  name: string,
  condition: NDArray,
  a: NDArray,
  axis: number | null,
  size: number | null,
  fillValue: ArrayLike,
): NDArray {
  if (condition.ndim !== 1)
    throw new ShapeError("ConditionRank", {
      what: `${name}: the condition has shape ${shapeText(condition.shape)}`,
      why: "it has one boolean per position along the axis",
      fix: "pass a one-dimensional array",
    });
  const at = axis === null ? 0 : canonicalAxis(name, axis, a.ndim);
  const x = axis === null ? reshape(a, [a.size]) : moveAxis(a, at, 0);
  const flags = truth(condition);
  const n = Math.min(flags.size, x.shape[0]!);
  if (size === null) checkExtra(name, flags, n);
  const mask = sliceInDim(flags, 0, n);
  const part = sliceInDim(x, 0, n);
  if (size === null) {
    if (!mask.concrete()) throw dataDependent(name, mask);
    return moveAxis(readIndex(part, [mask]), 0, at);
  }
  if (integer(name, "size", size) > n || size < 0)
    throw new ShapeError("CompressSize", {
      what: `${name}: size ${size} for an axis of length ${x.shape[0]!}`,
      why: "no more can be picked than there is",
      fix: `give a size from 0 to ${n}`,
    });
  const order = argsort(mask, { descending: true });
  const wide = broadcastInDim(mask, part.shape, [0]);
  const filled = selectArrays(wide, part, convert(asArray(fillValue, name), part.dtype));
  return moveAxis(readIndex(filled, [sliceInDim(order, 0, size)]), 0, at);
}

/** A condition longer than the axis must not hold beyond it. */
function checkExtra(name: string, flags: NDArray, n: number): void {
  if (flags.size <= n) return;
  const concrete = flags.concrete();
  if (!concrete) throw dataDependent(name, flags);
  if (
    !evaluator()
      .toHost(concrete)
      .data.subarray(n)
      .some((v) => v !== 0)
  )
    return;
  throw new IndexError("ConditionOutOfBounds", {
    what: `${name}: the condition holds at positions beyond the ${n} that there are`,
    why: "it has one boolean per position along the axis",
    fix: "shorten the condition",
  });
}
