/**
 * Reductions by any function: reduceWindow and reduce. The usual functions with their identities become the primitives
 * made for them. Any other is applied to whole arrays, in a number of steps that grows with the logarithm of the number
 * of elements reduced: it must be associative, as XLA demands, and work elementwise on arrays of any shape.
 */
import type { ArrayLike } from "../core/arrayMethods.ts";
import { evaluator } from "../core/evaluator.ts";
import { Literal, NDArray } from "../core/ndarray.ts";
import { asArray, promoteOperands } from "../core/operands.ts";
import { ArgumentError } from "../core/problem.ts";
import { type Shape, canonicalAxes, dropAxes, range, sizeOf } from "../core/shape.ts";
import { broadcastTo, convert, reshape, transpose } from "../core/structural.ts";
import { bind1 } from "../core/trace.ts";
import { type TreeDef, describeValue, flatten, unflatten } from "../core/tree.ts";
import { add, max, min, mul } from "./arithmetic.ts";
import { readOptions } from "./arguments.ts";
import { bitwiseAnd, bitwiseOr, bitwiseXor } from "./bitwise.ts";
import { type PadAxis, padArray, sliceArray } from "./movement.ts";
import { reduceAnd, reduceMax, reduceMin, reduceOr, reduceProd, reduceSum, reduceXor } from "./reduce.ts";
import { highest, lowest } from "./reduceLowering.ts";
import { type Padding, dilated, padtypeToPads } from "./windowGeometry.ts";
import {
  type WindowParams,
  type WindowPrimitive,
  reduceWindowMaxP,
  reduceWindowMinP,
  reduceWindowSumP,
  windowPlaces,
} from "./windows.ts";

/** Combines two values, or two trees of values, into one of the same structure. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type Computation = (x: any, y: any) => any;

// ---------------------------------------------------------------- operands

interface Reduction {
  readonly operands: readonly NDArray[];
  readonly inits: readonly NDArray[];
  /** The computation on flat lists. */
  readonly combine: (xs: readonly NDArray[], ys: readonly NDArray[]) => readonly NDArray[];
  /** Puts results into the structure of the operands. */
  readonly wrap: (ys: readonly NDArray[]) => unknown;
}

/** Whether an initial value is one scalar rather than a tree of them. */
const isScalarValue = (x: unknown): boolean => x instanceof NDArray || typeof x !== "object" || x === null;

/** Flattens operands and initial values, which have one structure; an initial value takes its operand's dtype. */
function readReduction(name: string, operand: unknown, init: unknown, computation: Computation): Reduction {
  const single = isScalarValue(init);
  const [values, def] = single ? [[init], null] : flatten(init);
  const [arrays, operandDef] = single ? [[operand], null] : flatten(operand);
  if (arrays.length === 0 || (def && operandDef && !def.equals(operandDef))) throw differentTrees(name, operand, init);
  const pairs = arrays.map((x, i) => {
    const array = asArray(x as ArrayLike, name);
    const [, start] = promoteOperands(name, [array, values[i] as ArrayLike]);
    return [array, start!.dtype === array.dtype ? convert(start!, array.dtype, array.weakType) : start!] as const;
  });
  return {
    operands: pairs.map(([x]) => x),
    inits: pairs.map(([, i]) => i),
    combine: (xs, ys) => leavesOf(name, def, computation(structured(def, xs), structured(def, ys))),
    wrap: (ys) => structured(def, ys),
  };
}

const structured = (def: TreeDef | null, xs: readonly unknown[]): unknown => (def ? unflatten(def, xs) : xs[0]);

function leavesOf(name: string, def: TreeDef | null, y: unknown): readonly NDArray[] {
  const [leaves, outDef] = def ? flatten(y) : [[y], null];
  if (def && outDef && !def.equals(outDef)) throw differentTrees(name, y, null);
  return leaves.map((x) => asArray(x as ArrayLike, name));
}

const differentTrees = (name: string, operand: unknown, init: unknown): ArgumentError =>
  new ArgumentError("ReductionStructure", {
    what: `${name}: operands (${describeValue(operand)}), initial values (${describeValue(init)}) and results of the computation differ in structure`,
    why: "each operand has one initial value, and the computation gives what it is given",
    fix: "use the same list or object structure for all three, with at least one operand",
  });

/** The value of a scalar that is known now, or null. */
function knownScalar(x: NDArray): number | null {
  if (x.ndim !== 0) return null;
  if (x instanceof Literal) return x.value;
  const value = x.concrete();
  if (value === null || value.dtype === "complex64" || value.dtype === "key<fry>") return null;
  try {
    return evaluator().toHost(value).data[0]!;
  } catch {
    // A device that cannot be read now: the general way works for every initial value.
    return null;
  }
}

// ---------------------------------------------------------------- reduceWindow

export interface ReduceWindowOptions {
  readonly windowStrides?: readonly number[] | null | undefined;
  readonly padding?: Padding | undefined;
  readonly baseDilation?: readonly number[] | null | undefined;
  readonly windowDilation?: readonly number[] | null | undefined;
}

/**
 * Reduces every window of an array, or of several arrays together, with an associative function.
 *
 * @example
 * lax.reduceWindow(np.array([1, 3, 2, 5]), -Infinity, lax.max, [2], { windowStrides: [2] }) // [3, 5]
 */
export function reduceWindow(
  operand: ArrayLike,
  initValue: ArrayLike,
  computation: Computation,
  windowDimensions: readonly number[],
  ...rest: readonly (readonly number[] | ReduceWindowOptions | Padding | null | undefined)[]
): NDArray;
export function reduceWindow<T>(
  operand: T,
  initValue: unknown,
  computation: Computation,
  windowDimensions: readonly number[],
  ...rest: readonly (readonly number[] | ReduceWindowOptions | Padding | null | undefined)[]
): T;
export function reduceWindow(
  operand: unknown,
  initValue: unknown,
  computation: Computation,
  windowDimensions: readonly number[],
  ...rest: readonly unknown[]
): unknown {
  const given = readOptions<ReduceWindowOptions>(
    "reduceWindow",
    ["windowStrides", "padding", "baseDilation", "windowDilation"],
    2,
    rest,
  );
  const r = readReduction("reduceWindow", operand, initValue, computation);
  const ones = windowDimensions.map(() => 1);
  const windowStrides = given.windowStrides ?? ones;
  const baseDilation = given.baseDilation ?? ones;
  const windowDilation = given.windowDilation ?? ones;
  const { shape } = r.operands[0]!;
  const windows = windowDimensions.map((w, i) => dilated(w, windowDilation[i]!));
  const padding = padtypeToPads(shape, windows, windowStrides, given.padding ?? "VALID");
  const p: WindowParams = { windowDimensions, windowStrides, padding, baseDilation, windowDilation };
  const known = r.operands.length === 1 ? windowPrimitiveOf(computation, r.inits[0]!) : null;
  return known ? bind1(known, r.operands, p) : r.wrap(foldWindows(r, shape, p));
}

/** The primitive for a computation that starts with its identity. */
function windowPrimitiveOf(computation: Computation, init: NDArray): WindowPrimitive | null {
  if (computation !== add && computation !== max && computation !== min) return null;
  const value = knownScalar(init);
  if (computation === add) return value === 0 && init.dtype !== "bool" ? reduceWindowSumP : null;
  if (computation === max) return value === lowest(init.dtype) ? reduceWindowMaxP : null;
  return value === highest(init.dtype) ? reduceWindowMinP : null;
}

/** Pads with the initial values, then folds one axis after the other. */
function foldWindows({ operands, inits, combine }: Reduction, shape: Shape, p: WindowParams): readonly NDArray[] {
  const places = windowPlaces("reduceWindow", shape, p);
  if (sizeOf(places) === 0) return inits.map((v) => broadcastTo(v, places));
  const config = p.padding.map(([low, high], i): PadAxis => [low, high, p.baseDilation[i]! - 1]);
  let xs: readonly NDArray[] = operands.map((x, i) => padArray(x, inits[i]!, config));
  for (let axis = 0; axis < shape.length; axis++) xs = foldAxis(xs, combine, axis, places[axis]!, p);
  return combine(
    inits.map((v) => broadcastTo(v, places)),
    xs,
  );
}

/**
 * Folds windows of one axis. The folds of 2, 4, 8, … neighbours come from one another; those that add up to the window's
 * length are joined, in order.
 */
function foldAxis(
  xs: readonly NDArray[],
  combine: Reduction["combine"],
  axis: number,
  places: number,
  p: WindowParams,
): readonly NDArray[] {
  const [window, dilation, stride] = [p.windowDimensions[axis]!, p.windowDilation[axis]!, p.windowStrides[axis]!];
  let powers = xs;
  let joined: readonly NDArray[] | null = null;
  let done = 0;
  for (let length = 1; length <= window; length *= 2) {
    if (window & length) {
      const start = done * dilation;
      const part = along(powers, axis, start, start + (places - 1) * stride + 1, stride);
      joined = joined ? combine(joined, part) : part;
      done += length;
    }
    if (2 * length > window) break;
    const n = Math.max(0, powers[0]!.shape[axis]! - length * dilation);
    const shift = powers[0]!.shape[axis]! - n;
    powers = combine(along(powers, axis, 0, n, 1), along(powers, axis, shift, shift + n, 1));
  }
  return joined!;
}

/** A slice of one axis of each array. */
const along = (
  xs: readonly NDArray[],
  axis: number,
  start: number,
  limit: number,
  stride: number,
): readonly NDArray[] =>
  xs.map((x) => {
    const at = (i: number, one: number, other: number): number => (i === axis ? one : other);
    const from = Math.min(start, x.shape[axis]!);
    const to = Math.max(from, limit);
    return sliceArray(
      x,
      x.shape.map((_, i) => at(i, from, 0)),
      x.shape.map((n, i) => at(i, to, n)),
      stride === 1 ? null : x.shape.map((_, i) => at(i, stride, 1)),
    );
  });

// ---------------------------------------------------------------- reduce

/**
 * Reduces axes of an array, or of several arrays together, with an associative function and its identity.
 *
 * @example
 * lax.reduce(np.ones([2, 3]), 0, lax.add, [1]) // [3, 3]
 */
export function reduce(
  operands: ArrayLike,
  initValues: ArrayLike,
  computation: Computation,
  dimensions: readonly number[],
): NDArray;
export function reduce<T>(operands: T, initValues: unknown, computation: Computation, dimensions: readonly number[]): T;
export function reduce(
  operands: unknown,
  initValues: unknown,
  computation: Computation,
  dimensions: readonly number[],
): unknown {
  const r = readReduction("reduce", operands, initValues, computation);
  const x = r.operands[0]!;
  const axes = canonicalAxes("reduce", dimensions, x.ndim);
  const known = r.operands.length === 1 ? reducerOf(computation, r.inits[0]!) : null;
  return known ? known(x, axes) : r.wrap(foldAxes(r, x.shape, axes));
}

type Reducer = (x: NDArray, axes: readonly number[]) => NDArray;

/** The reduction for a computation that starts with its identity. */
function reducerOf(computation: Computation, init: NDArray): Reducer | null {
  const bits = init.dtype === "bool" || /int/.test(init.dtype);
  const all = init.dtype === "bool" ? 1 : init.dtype.startsWith("u") ? highest(init.dtype) : -1;
  const table: readonly (readonly [Computation, number, Reducer, boolean])[] = [
    [add, 0, reduceSum, true],
    [mul, 1, reduceProd, true],
    [max, lowest(init.dtype), reduceMax, true],
    [min, highest(init.dtype), reduceMin, true],
    [bitwiseOr, 0, reduceOr, bits],
    [bitwiseAnd, all, reduceAnd, bits],
    [bitwiseXor, 0, reduceXor, bits],
  ];
  const row = table.find(([f, , , applies]) => f === computation && applies);
  return row && knownScalar(init) === row[1] ? row[2] : null;
}

/** Moves the reduced axes to the front as one, then joins neighbours until one element is left. */
function foldAxes({ operands, inits, combine }: Reduction, shape: Shape, axes: readonly number[]): readonly NDArray[] {
  const kept = range(shape.length).filter((i) => !axes.includes(i));
  const rest = dropAxes(shape, axes);
  const n = sizeOf(axes.map((a) => shape[a]!));
  let xs: readonly NDArray[] = operands.map((x) => reshape(transpose(x, [...axes, ...kept]), [n, ...rest]));
  const starts = inits.map((v) => broadcastTo(v, rest));
  if (n === 0) return starts;
  for (let length = n; length > 1; length = Math.ceil(length / 2)) {
    if (length % 2 === 1)
      xs = xs.map((x, i) =>
        padArray(
          x,
          inits[i]!,
          x.shape.map((_, axis): PadAxis => [0, axis === 0 ? 1 : 0, 0]),
        ),
      );
    const even = xs[0]!.shape[0]!;
    xs = combine(along(xs, 0, 0, even - 1, 2), along(xs, 0, 1, even, 2));
  }
  return combine(
    starts,
    xs.map((x) => reshape(x, rest)),
  );
}
