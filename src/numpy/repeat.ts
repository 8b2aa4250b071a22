/** Elements repeated, inserted, deleted; arrays trimmed. */
import type { ArrayLike } from "../core/arrayMethods.ts";
import { isBool, isInteger } from "../core/dtype.ts";
import { evaluator } from "../core/evaluator.ts";
import type { NDArray } from "../core/ndarray.ts";
import { asArray, asIndex } from "../core/operands.ts";
import { ConcretizationError, IndexError } from "../core/problem.ts";
import { canonicalAxis, insertAxis, parseShape, range } from "../core/shape.ts";
import { broadcastInDim, broadcastTo, convert, full, moveAxis, reshape } from "../core/structural.ts";
import { addArrays, maxArrays, minArrays, subArrays } from "../lax/arithmetic.ts";
import { convertElementType } from "../lax/cast.ts";
import { ltArrays, selectArrays } from "../lax/compare.ts";
import { iota } from "../lax/creation.ts";
import { cumsum } from "../lax/cumulative.ts";
import { concatenateArrays, expandDims, sliceInDim } from "../lax/movement.ts";
import { literalLike } from "../lax/rules.ts";
import { type Rest, given } from "./arguments.ts";
import { placeIn, readIndex } from "./at.ts";
import { flatnonzero } from "./nonzero.ts";
import { argsort } from "./sorting.ts";
import { take } from "./take.ts";
import { unit } from "../core/unit.ts";

// ---------------------------------------------------------------- repeat

export interface RepeatOptions {
  /** The axis to repeat along; the flattened array by default. */
  readonly axis?: number | null | undefined;
  /** The length of the result: makes `repeat` with counts that are array values work inside jit. */
  readonly totalRepeatLength?: number | null | undefined;
}

/**
 * Elements repeated along an axis, each as often as `repeats` says.
 *
 * @example
 * np.repeat(np.array([1, 2]), 2) // [1, 1, 2, 2]
 */
export const repeat = /* @__PURE__ */ unit(
  "repeat",
  1,
  function repeat(a: ArrayLike, repeats: number | ArrayLike, ...rest: Rest<[number | null], RepeatOptions>): NDArray {
    const { axis = null, totalRepeatLength: total = null } = given<RepeatOptions>(
      "repeat",
      ["axis", "totalRepeatLength"],
      1,
      rest,
    );
    const whole = asArray(a, "repeat");
    const x = axis === null || whole.ndim === 0 ? reshape(whole, [whole.size]) : whole;
    const at = axis === null ? 0 : canonicalAxis("repeat", axis, x.ndim);
    const n = x.shape[at]!;
    if (typeof repeats === "number" && total === null) {
      const times = parseShape("repeat", repeats)[0]!;
      const spread = broadcastInDim(
        x,
        insertAxis(x.shape, at + 1, times),
        range(x.ndim).map((i) => (i <= at ? i : i + 1)),
      );
      return reshape(
        spread,
        x.shape.map((length, i) => (i === at ? length * times : length)),
      );
    }
    const index = asIndex(repeats, "repeat");
    const counts = broadcastTo(reshape(index, [index.size]), [n]);
    const length = total ?? totalOf(counts);
    if (length === 0 || n === 0)
      return full(
        x.shape.map((k, i) => (i === at ? length : k)),
        0,
        x.dtype,
        x.weakType,
      );
    // The result's position k comes from the last element whose run has begun.
    const starts = subArrays(cumsum(convert(counts, "int32")), convert(counts, "int32"));
    const marks = placeIn(full([length], 0, "int32"), [starts]).add(1, { mode: "drop" });
    const origin = subArrays(cumsum(marks), literalLike(marks, 1));
    return take(x, origin, at);
  },
);

function totalOf(counts: NDArray): number {
  const concrete = counts.concrete();
  if (concrete) return [...evaluator().toHost(concrete).data].reduce((s, n) => s + n, 0);
  throw new ConcretizationError("DataDependentShape", {
    what: `repeat: the counts are ${counts.describe()}`,
    why: "the length of the result is their sum, and shapes are known when the program is traced",
    fix: "pass the length, { totalRepeatLength: n }, or plain numbers",
  });
}

// ---------------------------------------------------------------- delete, insert

/** A slice of positions, as in an index. */
type SliceItem = readonly (number | null)[];
/** Which positions: a number, an array of integers or booleans, or a nest of integers. */
export type Positions = ArrayLike;

/** Positions as plain numbers, each from 0 to n − 1 (or n), where they can be read. */
function placesOf(
  name: string,
  obj: Positions,
  n: number,
): { readonly index: NDArray; readonly values: number[] | null } {
  const index = asIndex(obj, name);
  const concrete = index.concrete();
  return { index, values: concrete ? [...evaluator().toHost(concrete).data].map((i) => (i < 0 ? i + n : i)) : null };
}

export interface DeleteOptions {
  /** The axis to delete along; the flattened array by default. */
  readonly axis?: number | null | undefined;
  /** Promises that no position is named twice: makes `delete_` work inside jit. */
  readonly assumeUniqueIndices?: boolean | undefined;
}

/**
 * The array without the elements at some positions along an axis.
 *
 * @example
 * np.delete_(np.array([1, 2, 3]), 1) // [1, 3]
 */
export const delete_ = /* @__PURE__ */ unit(
  "delete_",
  1,
  function delete_(arr: ArrayLike, obj: Positions, ...rest: Rest<[number | null], DeleteOptions>): NDArray {
    const { axis = null, assumeUniqueIndices = false } = given<DeleteOptions>(
      "delete",
      ["axis", "assumeUniqueIndices"],
      1,
      rest,
    );
    const whole = asArray(arr, "delete");
    const x = axis === null ? reshape(whole, [whole.size]) : whole;
    const at = axis === null ? 0 : canonicalAxis("delete", axis, x.ndim);
    const n = x.shape[at]!;
    if (typeof obj === "number") {
      const i = canonicalPlace("delete", obj, n);
      return concatenateArrays([sliceInDim(x, 0, i, 1, at), sliceInDim(x, i + 1, n, 1, at)], at);
    }
    const { index, values } = placesOf("delete", obj, n);
    if (isBool(index.dtype)) return keepWhere(x, at, index, n);
    if (!isInteger(index.dtype)) throw badPositions("delete", index);
    if (values) {
      const gone = new Set(values.map((i) => canonicalPlace("delete", i, n)));
      const kept = range(n).filter((i) => !gone.has(i));
      return take(
        x,
        evaluator().fromHost({ shape: [kept.length], dtype: "int32", data: Int32Array.from(kept) }, false),
        at,
      );
    }
    if (!assumeUniqueIndices)
      throw new ConcretizationError("DataDependentShape", {
        what: `delete: the positions are ${index.describe()}`,
        why: "how many different positions there are depends on their values",
        fix: "pass plain numbers, or { assumeUniqueIndices: true } if none occurs twice",
      });
    const mask = placeIn(full([n], 1, "bool"), [reshape(index, [index.size])]).set(false, { mode: "drop" });
    return take(x, flatnonzero(mask, { size: n - index.size }), at);
  },
);

function keepWhere(x: NDArray, at: number, gone: NDArray, n: number): NDArray {
  const concrete = gone.concrete();
  if (!concrete || gone.ndim !== 1 || gone.size !== n)
    throw new IndexError("BooleanShape", {
      what: `delete: the mask is ${gone.describe()}`,
      why: `it says of each of the ${n} positions whether it goes, and decides the result's shape`,
      fix: "pass a concrete one-dimensional array of that length",
    });
  const { data } = evaluator().toHost(concrete);
  const kept = range(n).filter((i) => data[i] === 0);
  return take(
    x,
    evaluator().fromHost({ shape: [kept.length], dtype: "int32", data: Int32Array.from(kept) }, false),
    at,
  );
}

function canonicalPlace(name: string, i: number, n: number): number {
  if (Number.isInteger(i) && i >= -n && i < n) return i < 0 ? i + n : i;
  throw new IndexError("PositionOutOfRange", {
    what: `${name}: position ${i} on an axis of length ${n}`,
    why: "positions count from 0, or from -1 at the end",
    fix: `use an integer from ${-n} to ${n - 1}`,
  });
}

const badPositions = (name: string, index: NDArray): IndexError =>
  new IndexError("IndexDType", {
    what: `${name}: the positions are ${index.describe()}`,
    why: "positions are integers",
    fix: "convert them with x.astype(numpy.int32); plain numbers work as they are",
  });

/**
 * The array with values inserted before some positions along an axis.
 *
 * @example
 * np.insert(np.array([1, 2]), 1, 9) // [1, 9, 2]
 */
export const insert = /* @__PURE__ */ unit(
  "insert",
  1,
  function insert(
    arr: ArrayLike,
    obj: Positions,
    values: ArrayLike,
    ...rest: Rest<[number | null], { readonly axis?: number | null | undefined }>
  ): NDArray {
    const { axis = null } = given<{ axis: number | null }>("insert", ["axis"], 1, rest);
    const whole = asArray(arr, "insert");
    const x = axis === null ? reshape(whole, [whole.size]) : whole;
    const at = axis === null ? 0 : canonicalAxis("insert", axis, x.ndim);
    const index = asIndex(obj, "insert");
    if (index.ndim > 1 || (!isInteger(index.dtype) && index.size > 0)) throw badPositions("insert", index);
    const converted = convertElementType(asArray(values, "insert"), x.dtype);
    let added = expandDims(converted, range(Math.max(0, x.ndim - converted.ndim)));
    if (index.ndim === 0) added = moveAxis(added, 0, at);
    const single = index.size === 1;
    const count = single ? added.shape[at]! : Math.max(index.size, added.shape[at]!);
    const n = x.shape[at]!;
    const places = broadcastTo(reshape(convert(index, "int32"), [index.size]), [count]);
    const wrapped = selectArrays(
      ltArrays(places, literalLike(places, 0)),
      addArrays(places, literalLike(places, n)),
      places,
    );
    const bounded = minArrays(maxArrays(wrapped, literalLike(wrapped, 0)), literalLike(wrapped, n));
    // The k-th smallest position moves by the k values inserted before it.
    const order = argsort(bounded);
    const targets = placeIn(bounded, [order]).add(iota("int32", count));
    const mask = placeIn(full([n + count], 1, "bool"), [targets]).set(false);
    const others = flatnonzero(mask, { size: n });
    const out = full(
      x.shape.map((k, i) => (i === at ? n + count : k)),
      0,
      x.dtype,
      x.weakType,
    );
    const before = range(at).map((): SliceItem => []);
    return placeIn(placeIn(out, [...before, targets]).set(added), [...before, others]).set(x);
  },
);

// ---------------------------------------------------------------- trim

export interface TrimOptions {
  /** Where to trim: `"f"` in front, `"b"` at the back, `"fb"` on both sides. */
  readonly trim?: string | undefined;
  /** The axes to trim, all by default. */
  readonly axis?: number | readonly number[] | null | undefined;
}

/**
 * Without the zeros at the ends of axes; needs concrete values.
 *
 * @example
 * np.trimZeros(np.array([0, 1, 2, 0])) // [1, 2]
 */
export function trimZeros(filt: ArrayLike, ...rest: Rest<[string], TrimOptions>): NDArray {
  const { trim = "fb", axis = null } = given<TrimOptions>("trimZeros", ["trim", "axis"], 1, rest);
  const x = asArray(filt, "trimZeros");
  const concrete = x.concrete();
  if (!concrete)
    throw new ConcretizationError("DataDependentShape", {
      what: `trimZeros: ${x.describe()} decides its own length`,
      why: "how many zeros there are depends on values",
      fix: "trim before the transformation, or use numpy.where and fixed lengths",
    });
  const [front, back] = [trim.toLowerCase().includes("f"), trim.toLowerCase().includes("b")];
  const axes =
    axis === null
      ? range(x.ndim)
      : (typeof axis === "number" ? [axis] : axis).map((i) => canonicalAxis("trimZeros", i, x.ndim));
  const { data } = evaluator().toHost(concrete);
  const items = x.shape.map((n, i): SliceItem => {
    if (!axes.includes(i)) return [];
    const inner = x.shape.slice(i + 1).reduce((p, k) => p * k, 1);
    const used = new Set<number>();
    const lanes = data.length / Math.max(1, x.size);
    for (let p = 0; p < data.length; p++) if (data[p] !== 0) used.add(Math.floor(p / lanes / inner) % n);
    if (used.size === 0) return [0, 0];
    return [front ? Math.min(...used) : null, back ? Math.max(...used) + 1 : null];
  });
  return readIndex(x, items);
}
