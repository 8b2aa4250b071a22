/** Elements picked along an axis by positions, and put back. Positions out of range read NaN (or the smallest integer). */
import type { ArrayLike, IndexMode } from "../core/arrayMethods.ts";
import { isInteger } from "../core/dtype.ts";
import type { NDArray } from "../core/ndarray.ts";
import { asArray, asIndex, promoteOperands } from "../core/operands.ts";
import { DTypeError, IndexError, ShapeError } from "../core/problem.ts";
import { broadcastShapes, canonicalAxis, range, shapeText } from "../core/shape.ts";
import { broadcastInDim, broadcastTo, full, reshape } from "../core/structural.ts";
import { iota } from "../lax/creation.ts";
import { gather } from "../lax/gather.ts";
import { fromEnd, widePositions } from "../lax/positions.ts";
import { type Rest, checkChoice, given } from "./arguments.ts";
import { clip, mod } from "./arithmetic.ts";
import { placeIn } from "./at.ts";
import { tileTo } from "./triangles.ts";
import { flatnonzero } from "./nonzero.ts";
import { unit } from "../core/unit.ts";

/** Positions as integers. */
export function indexArray(name: string, indices: ArrayLike): NDArray {
  const index = asIndex(indices, name);
  if (isInteger(index.dtype)) return index;
  throw new DTypeError("IndexDType", {
    what: `${name}: the positions are ${index.describe()}`,
    why: "positions are integers",
    fix: "convert them with x.astype(numpy.int32); numpy.array([0, 2]) alone is float32, plain [0, 2] works as it is",
  });
}

export interface TakeOptions {
  /** The axis to pick along; the flattened array by default. */
  readonly axis?: number | null | undefined;
  /** What happens out of range: `"fill"` (the default), `"clip"`, `"wrap"`. */
  readonly mode?: "fill" | "clip" | "wrap" | null | undefined;
  readonly uniqueIndices?: boolean | undefined;
  readonly indicesAreSorted?: boolean | undefined;
  /** What is read out of range; NaN or the smallest integer by default. */
  readonly fillValue?: number | boolean | null | undefined;
}
const takeNames = ["axis", "mode", "uniqueIndices", "indicesAreSorted", "fillValue"] as const;

/**
 * Elements at positions along an axis.
 *
 * @example
 * np.take(np.array([10, 20, 30]), [2, 0]) // [30, 10]
 */
export function take(a: ArrayLike, indices: ArrayLike, ...rest: Rest<[number | null], TakeOptions>): NDArray {
  return takeUnit(a, asIndex(indices, "take"), ...rest);
}

const takeUnit = /* @__PURE__ */ unit(
  "take",
  2,
  function take(a: ArrayLike, indices: ArrayLike, ...rest: Rest<[number | null], TakeOptions>): NDArray {
    const { axis = null, mode: wanted, ...options } = given<TakeOptions>("take", takeNames, 1, rest);
    const mode = wanted ?? "fill";
    checkChoice("take", "mode", mode, ["fill", "clip", "wrap"]);
    const whole = asArray(a, "take");
    const x = axis === null ? reshape(whole, [whole.size]) : whole;
    const at = axis === null ? 0 : canonicalAxis("take", axis, x.ndim);
    const given_ = indexArray("take", indices);
    const n = x.shape[at]!;
    const shape = [...x.shape.slice(0, at), ...given_.shape, ...x.shape.slice(at + 1)];
    if (n === 0 && given_.size > 0)
      throw new IndexError("EmptyAxis", {
        what: `take: axis ${at} of shape ${shapeText(x.shape)} has no elements`,
        why: "there is nothing to pick from",
        fix: "handle the empty case before the call",
      });
    if (given_.size === 0) return full(shape, 0, x.dtype, x.weakType);
    const index = mode === "wrap" ? mod(widePositions(given_), n) : mode === "fill" ? fromEnd(given_, n) : given_;
    return gather(
      x,
      reshape(index, [...index.shape, 1]),
      {
        offsetDims: range(shape.length).filter((i) => i < at || i >= at + index.ndim),
        collapsedSliceDims: [at],
        startIndexMap: [at],
      },
      x.shape.map((length, i) => (i === at ? 1 : length)),
      { ...options, mode: mode === "wrap" ? "promise_in_bounds" : mode },
    );
  },
);

/** An array, flat without an axis, positions with as many axes, and the axis they are along. */
function alongAxis(name: string, arr: ArrayLike, indices: ArrayLike, axis: number | null) {
  const whole = asArray(arr, name);
  const x = axis === null ? reshape(whole, [whole.size]) : whole;
  const index = indexArray(name, indices);
  if (index.ndim !== x.ndim)
    throw new ShapeError("AlongAxisRank", {
      what: `${name}: positions of shape ${shapeText(index.shape)} for an array of shape ${shapeText(x.shape)}`,
      why: "both have the same number of axes",
      fix: "insert axes with numpy.expandDims(indices, axis)",
    });
  return { whole, x, index, at: canonicalAxis(name, axis ?? 0, x.ndim) };
}

export interface TakeAlongAxisOptions {
  /** The axis to pick along, the last by default; null flattens. */
  readonly axis?: number | null | undefined;
  readonly mode?: "fill" | "clip" | "promise_in_bounds" | null | undefined;
  readonly fillValue?: number | boolean | null | undefined;
  /** Whether negative positions count from the end. */
  readonly wrapNegativeIndices?: boolean | null | undefined;
}

/**
 * Elements at positions along an axis, with positions of their own for every line; other axes broadcast.
 *
 * @example
 * np.takeAlongAxis(np.array([[1, 2], [3, 4]]), [[1], [0]], 1) // [[2], [3]]
 */
export const takeAlongAxis = /* @__PURE__ */ unit(
  "takeAlongAxis",
  2,
  function takeAlongAxis(
    arr: ArrayLike,
    indices: ArrayLike,
    ...rest: Rest<[number | null], TakeAlongAxisOptions>
  ): NDArray {
    const names = ["axis", "mode", "fillValue", "wrapNegativeIndices"] as const;
    const {
      axis = -1,
      mode,
      fillValue = null,
      wrapNegativeIndices,
    } = given<TakeAlongAxisOptions>("takeAlongAxis", names, 1, rest);
    const { x, index, at } = alongAxis("takeAlongAxis", arr, indices, axis);
    const n = x.shape[at]!;
    const single = x.shape.map((length, i) => (i === at ? 1 : length));
    const shape = broadcastShapes("takeAlongAxis", [index.shape, single]);
    if (n === 0) return full(shape, 0, x.dtype, x.weakType);
    const wraps = wrapNegativeIndices ?? mode !== "promise_in_bounds";
    const places = wraps ? fromEnd(index, n) : index;
    // Axes that both have run together; one that only one of them has at length over 1 belongs to it alone.
    const sizes: number[] = [];
    const offsetDims: number[] = [];
    const [operandAxes, indexAxes]: [number[], number[]] = [[], []];
    const kept: number[] = [];
    const indexShape: number[] = [];
    let along = 0;
    for (const i of range(x.ndim)) {
      const operandAxis = kept.length;
      if (i === at) along = operandAxis;
      else if (index.shape[i] === 1) offsetDims.push(i);
      else if (single[i] !== 1) {
        operandAxes.push(operandAxis);
        indexAxes.push(indexShape.length);
      }
      const dropped = i !== at && index.shape[i] !== 1 && single[i] === 1;
      if (!dropped) {
        kept.push(x.shape[i]!);
        sizes.push(i === at ? 1 : index.shape[i] === 1 ? x.shape[i]! : Math.min(1, x.shape[i]!));
      }
      if (i === at || index.shape[i] !== 1) indexShape.push(shape[i]!);
    }
    return gather(
      reshape(x, kept),
      reshape(places, [...indexShape, 1]),
      {
        offsetDims,
        collapsedSliceDims: [along],
        startIndexMap: [along],
        operandBatchingDims: operandAxes,
        startIndicesBatchingDims: indexAxes,
      },
      sizes,
      { mode: mode ?? "fill", fillValue },
    );
  },
);

export interface PutAlongAxisOptions {
  /** Accepted for JAX's signature; a new array is returned in any case. */
  readonly inplace?: boolean | undefined;
  readonly mode?: IndexMode | null | undefined;
}

/**
 * The array with values put at positions along an axis: a new array.
 *
 * @example
 * np.putAlongAxis(np.zeros([2, 2]), [[1], [0]], 5, 1) // [[0, 5], [5, 0]]
 */
export const putAlongAxis = /* @__PURE__ */ unit(
  "putAlongAxis",
  3,
  function putAlongAxis(
    arr: ArrayLike,
    indices: ArrayLike,
    values: ArrayLike,
    axis: number | null,
    ...rest: Rest<[], PutAlongAxisOptions>
  ): NDArray {
    const { mode } = given<PutAlongAxisOptions>("putAlongAxis", ["inplace", "mode"], 0, rest);
    const { whole, x, index, at } = alongAxis("putAlongAxis", arr, indices, axis);
    const places = range(x.ndim).map((i) =>
      i === at
        ? index
        : broadcastInDim(
            iota("int32", x.shape[i]!),
            x.shape.map((n, k) => (k === i ? n : 1)),
            [i],
          ),
    );
    const [, value] = promoteOperands("putAlongAxis", [x, values]);
    const shaped = broadcastTo(value!, broadcastShapes("putAlongAxis", [value!.shape, index.shape]));
    return reshape(placeIn(x, places).set(shaped, { mode: mode ?? undefined }), whole.shape);
  },
);

export interface PutOptions {
  /** Accepted for JAX's signature; a new array is returned in any case. */
  readonly inplace?: boolean | undefined;
  /** What happens out of range: left out by default. */
  readonly mode?: "clip" | "wrap" | null | undefined;
}

/**
 * The array with values at positions of the flattened array: a new array. Values are repeated as needed.
 *
 * @example
 * np.put(np.zeros([2, 2]), [0, 3], [1, 2]) // [[1, 0], [0, 2]]
 */
export function put(
  a: ArrayLike,
  ind: ArrayLike,
  v: ArrayLike,
  ...rest: Rest<["clip" | "wrap" | null], PutOptions>
): NDArray {
  const { mode } = given<PutOptions>("put", ["mode", "inplace"], 1, rest);
  if (mode != null) checkChoice("put", "mode", mode, ["clip", "wrap"]);
  const x = asArray(a, "put");
  const index = widePositions(indexArray("put", ind));
  const places = reshape(index, [index.size]);
  const values = asArray(v, "put");
  if (x.size === 0 || places.size === 0 || values.size === 0) return x;
  const bounded = mode === "clip" ? clip(places, 0, x.size - 1) : mode === "wrap" ? mod(places, x.size) : places;
  const all = tileTo(reshape(values, [values.size]), places.size);
  return reshape(placeIn(reshape(x, [x.size]), [bounded]).set(all, { mode: "drop" }), x.shape);
}

/**
 * The array with values where a mask holds, taken in order and repeated as needed: a new array.
 *
 * @example
 * np.place(np.array([1, 2, 3]), np.array([true, false, true]), [9]) // [9, 2, 9]
 */
export function place(
  arr: ArrayLike,
  mask: ArrayLike,
  vals: ArrayLike,
  ...rest: Rest<[], { readonly inplace?: boolean | undefined }>
): NDArray {
  given<{ inplace: boolean }>("place", ["inplace"], 0, rest);
  const [x, flags, values] = [asArray(arr, "place"), asArray(mask, "place"), asArray(vals, "place")];
  if (x.size !== flags.size || values.size === 0)
    throw new ShapeError("PlaceSize", {
      what: `place: a mask of shape ${shapeText(flags.shape)} and ${values.size} values for an array of shape ${shapeText(x.shape)}`,
      why: "the mask says of every element whether it is replaced, and there must be something to replace it by",
      fix: "pass a mask of the array's size and at least one value",
    });
  if (x.size === 0) return x;
  const places = flatnonzero(flags, { size: x.size, fillValue: x.size });
  const all = tileTo(reshape(values, [values.size]), x.size);
  return reshape(placeIn(reshape(x, [x.size]), [places]).set(all, { mode: "drop" }), x.shape);
}
