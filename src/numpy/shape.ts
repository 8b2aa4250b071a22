/** Changes of shape: axes added, removed, moved, merged and repeated. Elements stay as they are. */
import type { ArrayLike, Axis } from "../core/arrayMethods.ts";
import type { NDArray } from "../core/ndarray.ts";
import { asArray } from "../core/operands.ts";
import { ArgumentError, ShapeError } from "../core/problem.ts";
import {
  type Shape,
  broadcastShapes as shapesBroadcast,
  canonicalAxes,
  canonicalAxis,
  parseShape,
  range,
  shapeText,
  sizeOf,
} from "../core/shape.ts";
import {
  broadcastTo as broadcastArrayTo,
  convert,
  full,
  moveAxis,
  reshape as reshapeArray,
  transpose as transposeArray,
} from "../core/structural.ts";
import { dynamicSliceInDim } from "../lax/dynamicSlice.ts";
import {
  concatenateArrays,
  expandDims as expandArray,
  rev,
  sliceInDim,
  squeeze as squeezeArray,
  tile as tileArray,
} from "../lax/movement.ts";
import { remainder, subtract } from "./arithmetic.ts";
import { type Rest, broadcastAll, checkChoice, given, integer, shapeOf } from "./arguments.ts";
import { unit } from "../core/unit.ts";

// ---------------------------------------------------------------- size

/**
 * Number of axes.
 *
 * @example
 * np.ndim(np.zeros([2, 3])) // 2
 */
export const ndim = (a: ArrayLike): number => shapeOf("ndim", a).length;

/**
 * Lengths of the axes.
 *
 * @example
 * np.shape(np.zeros([2, 3])) // [2, 3]
 */
export const shape = (a: ArrayLike): number[] => [...shapeOf("shape", a)];

/**
 * Number of elements, in all or along axes.
 *
 * @example
 * np.size(np.zeros([2, 3])) // 6
 */
export function size(a: ArrayLike, ...rest: Rest<[Axis], { readonly axis?: Axis | undefined }>): number {
  const { axis } = given<{ axis: Axis }>("size", ["axis"], 1, rest);
  const lengths = shapeOf("size", a);
  return sizeOf(canonicalAxes("size", axis, lengths.length).map((i) => lengths[i]!));
}

// ---------------------------------------------------------------- reshape

/** A user's shape for `size` elements, where one axis may be -1. */
export function resolveShape(name: string, x: NDArray, wanted: number | readonly number[]): Shape {
  const list = typeof wanted === "number" ? [wanted] : wanted;
  const open = Array.isArray(list) ? list.filter((n) => n === -1).length : 0;
  if (open === 0) return parseShape(name, list);
  const others = parseShape(
    name,
    list.filter((n) => n !== -1),
  );
  const rest = sizeOf(others);
  if (open > 1 || (rest === 0 ? x.size !== 0 : x.size % rest !== 0))
    throw new ShapeError("ReshapeSize", {
      what: `${name}: an array of shape ${shapeText(x.shape)} (${x.size} elements) cannot take the shape ${shapeText(list)}`,
      why: open > 1 ? "only one length can follow from the others" : `${x.size} is not a multiple of ${rest}`,
      fix: open > 1 ? "give all lengths but one" : "choose lengths whose product divides the number of elements",
    });
  const length = rest === 0 ? 0 : x.size / rest;
  return list.map((n) => (n === -1 ? length : n));
}

export interface OrderOption {
  /** `"C"`: the last axis runs fastest; `"F"`: the first one. */
  readonly order?: "C" | "F" | undefined;
}
export interface ReshapeOptions extends OrderOption {
  /** Accepted for numpy's signature: whether data is copied cannot be observed. */
  readonly copy?: boolean | null | undefined;
}
type OrderRest = Rest<["C" | "F"], ReshapeOptions>;

/** Reshapes in row-major or column-major order. */
function reshapeOrdered(name: string, x: NDArray, target: Shape, order: "C" | "F"): NDArray {
  checkChoice(name, "order", order, ["C", "F"]);
  if (order === "C") return reshapeArray(x, target);
  const turned = transposeArray(x, range(x.ndim).reverse());
  return transposeArray(reshapeArray(turned, [...target].reverse()), range(target.length).reverse());
}

/**
 * The same elements in another shape; one length may be -1.
 *
 * @example
 * np.reshape(np.arange(6), [2, -1]) // [[0, 1, 2], [3, 4, 5]]
 */
export function reshape(a: ArrayLike, shape: number | readonly number[], ...rest: OrderRest): NDArray {
  const { order = "C" } = given<OrderOption & { copy: boolean | null }>("reshape", ["order", "copy"], 1, rest);
  const x = asArray(a, "reshape");
  return reshapeOrdered("reshape", x, resolveShape("reshape", x, shape), order);
}

/**
 * All elements along one axis.
 *
 * @example
 * np.ravel(np.array([[1, 2], [3, 4]])) // [1, 2, 3, 4]
 */
export function ravel(a: ArrayLike, ...rest: Rest<["C" | "F"], OrderOption>): NDArray {
  const { order = "C" } = given<OrderOption>("ravel", ["order"], 1, rest);
  const x = asArray(a, "ravel");
  return reshapeOrdered("ravel", x, [x.size], order);
}

/**
 * An array of another size: elements are repeated, or left out at the end.
 *
 * @example
 * np.resize(np.array([1, 2, 3]), [2, 2]) // [[1, 2], [3, 1]]
 */
export const resize = /* @__PURE__ */ unit(
  "resize",
  1,
  function resize(a: ArrayLike, newShape: number | readonly number[]): NDArray {
    const target = parseShape("resize", newShape);
    const flat = ravel(a);
    const count = sizeOf(target);
    if (flat.size === 0 || count === 0) return full(target, 0, flat.dtype);
    const repeated = tileArray(flat, [Math.ceil(count / flat.size)]);
    return reshapeArray(sliceInDim(repeated, 0, count), target);
  },
);

// ---------------------------------------------------------------- order of axes

/**
 * Axes in another order; reversed by default.
 *
 * @example
 * np.transpose(np.array([[1, 2], [3, 4]])) // [[1, 3], [2, 4]]
 */
export function transpose(
  a: ArrayLike,
  ...rest: Rest<[readonly number[] | null], { readonly axes?: readonly number[] | null | undefined }>
): NDArray {
  const { axes = null } = given<{ axes: readonly number[] | null }>("transpose", ["axes"], 1, rest);
  const x = asArray(a, "transpose");
  return transposeArray(
    x,
    axes === null ? range(x.ndim).reverse() : axes.map((i) => canonicalAxis("transpose", i, x.ndim)),
  );
}

/**
 * Axes in another order.
 *
 * @example
 * np.permuteDims(np.zeros([2, 3, 4]), [2, 0, 1]).shape // [4, 2, 3]
 */
export const permuteDims = (a: ArrayLike, axes: readonly number[]): NDArray => transpose(a, axes);

/**
 * The last two axes swapped.
 *
 * @example
 * np.matrixTranspose(np.zeros([5, 2, 3])).shape // [5, 3, 2]
 */
export function matrixTranspose(x: ArrayLike): NDArray {
  const a = asArray(x, "matrixTranspose");
  if (a.ndim >= 2) return swapaxes(a, -1, -2);
  throw new ShapeError("MatrixRank", {
    what: `matrixTranspose: an array of shape ${shapeText(a.shape)} is no matrix`,
    why: "the last two axes are the rows and columns of matrices",
    fix: "add an axis with numpy.expandDims(x, 0)",
  });
}

/**
 * Two axes swapped.
 *
 * @example
 * np.swapaxes(np.zeros([2, 3, 4]), 0, 2).shape // [4, 3, 2]
 */
export function swapaxes(a: ArrayLike, axis1: number, axis2: number): NDArray {
  const x = asArray(a, "swapaxes");
  const [i, j] = [canonicalAxis("swapaxes", axis1, x.ndim), canonicalAxis("swapaxes", axis2, x.ndim)];
  const order = range(x.ndim);
  [order[i], order[j]] = [j, i];
  return transposeArray(x, order);
}

/**
 * Axes moved to other positions; the others keep their order.
 *
 * @example
 * np.moveaxis(np.zeros([2, 3, 4]), 0, -1).shape // [3, 4, 2]
 */
export function moveaxis(
  a: ArrayLike,
  source: number | readonly number[],
  destination: number | readonly number[],
): NDArray {
  const x = asArray(a, "moveaxis");
  const from = canonicalAxes("moveaxis", source, x.ndim);
  const to = canonicalAxes("moveaxis", destination, x.ndim);
  if (from.length !== to.length)
    throw new ArgumentError("MoveaxisCount", {
      what: `moveaxis: ${from.length} axes to ${to.length} positions`,
      why: "every axis has one destination",
      fix: "give lists of the same length",
    });
  const order = range(x.ndim).filter((i) => !from.includes(i));
  for (const k of range(to.length).sort((i, j) => to[i]! - to[j]!)) order.splice(to[k]!, 0, from[k]!);
  return transposeArray(x, order);
}

/**
 * An axis moved backward until it stands before another one.
 *
 * @example
 * np.rollaxis(np.zeros([2, 3, 4]), 2).shape // [4, 2, 3]
 */
export const rollaxis = /* @__PURE__ */ unit(
  "rollaxis",
  1,
  function rollaxis(
    a: ArrayLike,
    axis: number,
    ...rest: Rest<[number], { readonly start?: number | undefined }>
  ): NDArray {
    const { start = 0 } = given<{ start: number }>("rollaxis", ["start"], 1, rest);
    const x = asArray(a, "rollaxis");
    const from = canonicalAxis("rollaxis", axis, x.ndim);
    const before = start === x.ndim ? x.ndim : canonicalAxis("rollaxis", start, x.ndim);
    return moveAxis(x, from, before > from ? before - 1 : before);
  },
);

// ---------------------------------------------------------------- axes of length 1

/**
 * Without axes of length 1: all of them, or those named.
 *
 * @example
 * np.squeeze(np.zeros([1, 3, 1])).shape // [3]
 */
export function squeeze(a: ArrayLike, ...rest: Rest<[Axis], { readonly axis?: Axis | undefined }>): NDArray {
  const { axis } = given<{ axis: Axis }>("squeeze", ["axis"], 1, rest);
  const x = asArray(a, "squeeze");
  const axes =
    axis === null || axis === undefined
      ? range(x.ndim).filter((i) => x.shape[i] === 1)
      : canonicalAxes("squeeze", axis, x.ndim);
  return squeezeArray(x, axes);
}

/**
 * With axes of length 1 at the given positions of the result.
 *
 * @example
 * np.expandDims(np.array([1, 2]), 0) // [[1, 2]]
 */
export const expandDims = (a: ArrayLike, axis: number | readonly number[]): NDArray =>
  expandArray(asArray(a, "expandDims"), typeof axis === "number" ? [axis] : axis);

type AtLeast = {
  (x: ArrayLike): NDArray;
  (x: ArrayLike, y: ArrayLike, ...more: readonly ArrayLike[]): NDArray[];
};

const atLeast = (name: string, widen: (x: NDArray) => NDArray): AtLeast =>
  ((...xs: readonly ArrayLike[]) => {
    const all = xs.map((x) => widen(asArray(x, name)));
    return all.length === 1 ? all[0]! : all;
  }) as AtLeast;

const missing = (x: NDArray, n: number): number[] => range(Math.max(0, n - x.ndim));

/**
 * Arrays with at least one axis.
 *
 * @example
 * np.atleast1d(5) // [5]
 */
export const atleast1d: AtLeast = /* @__PURE__ */ atLeast("atleast1d", (x) => expandArray(x, missing(x, 1)));

/**
 * Arrays with at least two axes; new ones come first.
 *
 * @example
 * np.atleast2d(np.array([1, 2])) // [[1, 2]]
 */
export const atleast2d: AtLeast = /* @__PURE__ */ atLeast("atleast2d", (x) => expandArray(x, missing(x, 2)));

/**
 * Arrays with at least three axes: a vector becomes [1, n, 1], a matrix [m, n, 1].
 *
 * @example
 * np.atleast3d(np.array([1, 2])).shape // [1, 2, 1]
 */
export const atleast3d: AtLeast = /* @__PURE__ */ atLeast("atleast3d", (x) =>
  expandArray(x, x.ndim === 0 ? [0, 1, 2] : x.ndim === 1 ? [0, 2] : x.ndim === 2 ? [2] : []),
);

// ---------------------------------------------------------------- broadcasting

/**
 * The array broadcast to a shape.
 *
 * @example
 * np.broadcastTo(np.array([1, 2]), [2, 2]) // [[1, 2], [1, 2]]
 */
export function broadcastTo(array: ArrayLike, shape: number | readonly number[]): NDArray {
  const x = asArray(array, "broadcastTo");
  const target = parseShape("broadcastTo", shape);
  const first = target.length - x.ndim;
  if (first < 0 || x.shape.some((n, i) => n !== 1 && n !== target[first + i]))
    throw new ShapeError("BroadcastMismatch", {
      what: `broadcastTo: shape ${shapeText(x.shape)} does not broadcast to ${shapeText(target)}`,
      why: "axes are aligned from the last one; only those of length 1 stretch",
      fix: "reshape the array, or insert axes of length 1 with numpy.expandDims(x, axis)",
    });
  return broadcastArrayTo(x, target);
}

/**
 * Arrays broadcast to their common shape.
 *
 * @example
 * np.broadcastArrays(np.array([1, 2]), np.array([[3], [4]])) // [[[1, 2], [1, 2]], [[3, 3], [4, 4]]]
 */
export const broadcastArrays = (...args: readonly ArrayLike[]): NDArray[] =>
  broadcastAll(
    "broadcastArrays",
    args.map((x) => asArray(x, "broadcastArrays")),
  );

/**
 * The shape that shapes broadcast to.
 *
 * @example
 * np.broadcastShapes([2, 1], [3]) // [2, 3]
 */
export const broadcastShapes = (...shapes: readonly (number | readonly number[])[]): number[] => [
  ...shapesBroadcast(
    "broadcastShapes",
    shapes.map((s) => parseShape("broadcastShapes", s)),
  ),
];

// ---------------------------------------------------------------- repetition

/**
 * The whole array repeated along every axis.
 *
 * @example
 * np.tile(np.array([1, 2]), 2) // [1, 2, 1, 2]
 */
export const tile = /* @__PURE__ */ unit(
  "tile",
  1,
  function tile(A: ArrayLike, reps: number | readonly number[]): NDArray {
    const x = asArray(A, "tile");
    const times = parseShape("tile", reps);
    const padded = [...range(Math.max(0, x.ndim - times.length)).map(() => 1), ...times];
    return tileArray(expandArray(x, missing(x, times.length)), padded);
  },
);

// ---------------------------------------------------------------- reversal and rotation

/**
 * The order of elements reversed along axes, all by default.
 *
 * @example
 * np.flip(np.array([[1, 2], [3, 4]]), 1) // [[2, 1], [4, 3]]
 */
export const flip = /* @__PURE__ */ unit(
  "flip",
  1,
  function flip(m: ArrayLike, ...rest: Rest<[Axis], { readonly axis?: Axis | undefined }>): NDArray {
    const { axis } = given<{ axis: Axis }>("flip", ["axis"], 1, rest);
    const x = asArray(m, "flip");
    return rev(x, canonicalAxes("flip", axis, x.ndim));
  },
);

/**
 * Columns in reverse order.
 *
 * @example
 * np.fliplr(np.array([[1, 2], [3, 4]])) // [[2, 1], [4, 3]]
 */
export const fliplr = (m: ArrayLike): NDArray => flip(m, 1);

/**
 * Rows in reverse order.
 *
 * @example
 * np.flipud(np.array([[1, 2], [3, 4]])) // [[3, 4], [1, 2]]
 */
export const flipud = (m: ArrayLike): NDArray => flip(m, 0);

export interface Rot90Options {
  /** Number of quarter turns. */
  readonly k?: number | undefined;
  readonly axes?: readonly [number, number] | readonly number[] | undefined;
}

/**
 * Rotated by quarter turns in the plane of two axes, from the first toward the second.
 *
 * @example
 * np.rot90(np.array([[1, 2], [3, 4]])) // [[2, 4], [1, 3]]
 */
export const rot90 = /* @__PURE__ */ unit(
  "rot90",
  1,
  function rot90(
    m: ArrayLike,
    ...rest: Rest<[number, readonly [number, number] | readonly number[]], Rot90Options>
  ): NDArray {
    const { k = 1, axes = [0, 1] } = given<Rot90Options>("rot90", ["k", "axes"], 2, rest);
    const x = asArray(m, "rot90");
    if (axes.length !== 2 || x.ndim < 2)
      throw new ArgumentError("RotationPlane", {
        what: `rot90: axes [${axes.join(", ")}] of an array of shape ${shapeText(x.shape)}`,
        why: "a rotation turns the plane of two axes",
        fix: "give two axes of an array that has at least two",
      });
    const [i, j] = canonicalAxes("rot90", axes, x.ndim) as [number, number];
    const turns = ((integer("rot90", "k", k) % 4) + 4) % 4;
    if (turns === 0) return x;
    if (turns === 2) return rev(x, [i, j]);
    return turns === 1 ? swapaxes(flip(x, j), i, j) : flip(swapaxes(x, i, j), j);
  },
);

/** One shift per axis: scalars are repeated. */
function pairUp(axes: readonly number[], shifts: readonly number[]): [axis: number, shift: number][] {
  const n = Math.max(axes.length, shifts.length);
  if ([axes.length, shifts.length].some((k) => k !== 1 && k !== n))
    throw new ArgumentError("RollCount", {
      what: `roll: ${shifts.length} shifts for ${axes.length} axes`,
      why: "every axis has one shift",
      fix: "give lists of the same length",
    });
  return range(n).map((k) => [axes[axes.length === 1 ? 0 : k]!, shifts[shifts.length === 1 ? 0 : k]!]);
}

/**
 * Elements moved along axes; what leaves at the end comes in at the front.
 *
 * @example
 * np.roll(np.array([1, 2, 3, 4]), 1) // [4, 1, 2, 3]
 */
export const roll = /* @__PURE__ */ unit(
  "roll",
  1,
  function roll(a: ArrayLike, shift: ArrayLike, ...rest: Rest<[Axis], { readonly axis?: Axis | undefined }>): NDArray {
    const { axis = null } = given<{ axis: Axis }>("roll", ["axis"], 1, rest);
    const x = asArray(a, "roll");
    if (axis === null) return reshapeArray(roll(reshapeArray(x, [x.size]), shift, 0), x.shape);
    const axes = (typeof axis === "number" ? [axis] : axis).map((i) => canonicalAxis("roll", i, x.ndim));
    const shifts = staticShifts(shift);
    if (!shifts) return rollDynamic(x, asArray(shift, "roll"), axes);
    return pairUp(axes, shifts).reduce((y, [i, s]) => rollBy(y, i, s), x);
  },
);

/** Shifts known now, or null where they are traced. */
function staticShifts(shift: ArrayLike): number[] | null {
  if (typeof shift === "number") return [integer("roll", "shift", shift)];
  if (Array.isArray(shift) && shift.every((s) => typeof s === "number"))
    return shift.map((s) => integer("roll", "shift", s));
  return null;
}

function rollBy(x: NDArray, axis: number, shift: number): NDArray {
  const n = x.shape[axis]!;
  if (n === 0) return x;
  const start = ((-shift % n) + n) % n;
  if (start === 0) return x;
  return concatenateArrays([sliceInDim(x, start, n, 1, axis), sliceInDim(x, 0, start, 1, axis)], axis);
}

/** Rolls by shifts that are array values: a window of the array written twice. */
function rollDynamic(x: NDArray, shift: NDArray, axes: readonly number[]): NDArray {
  const count = Math.max(axes.length, shift.size);
  const shifts = broadcastTo(reshapeArray(shift, [shift.size]), [count]);
  return range(count).reduce((y, k) => {
    const axis = axes[axes.length === 1 ? 0 : k]!;
    const n = y.shape[axis]!;
    const s = remainder(convert(reshapeArray(sliceInDim(shifts, k, k + 1), []), "int32"), Math.max(1, n));
    return dynamicSliceInDim(concatenateArrays([y, y], axis), subtract(n, s), n, axis);
  }, x);
}
