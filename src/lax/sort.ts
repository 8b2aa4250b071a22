/**
 * Sorting: sort of several operands by the first `numKeys` of them, and topK.
 *
 * Keys compare lexicographically. NaN comes after everything and equals itself; -0 and 0 are equal; complex numbers
 * compare by real, then imaginary part. topK takes the largest first in the total order of floats: NaN, then infinity,
 * and 0 before -0; of equal elements the first. Derivatives move tangents along the permutation.
 */
import type { ArrayLike } from "../core/arrayMethods.ts";
import { Aval } from "../core/aval.ts";
import { isComplex, isKey } from "../core/dtype.ts";
import { type HostArray, type TypedArray, allocateLike, lanesOf } from "../core/hostArray.ts";
import { NDArray } from "../core/ndarray.ts";
import { asArray } from "../core/operands.ts";
import {
  type AnyPrimitive,
  type Batched,
  type Many,
  type One,
  type Primitive,
  type Tangent,
  Zero,
  definePrimitive,
} from "../core/primitive.ts";
import { ArgumentError, DTypeError, ShapeError } from "../core/problem.ts";
import { type Shape, canonicalAxis, range, shapeText, shapesEqual, sizeOf } from "../core/shape.ts";
import { batchToFront } from "../core/structural.ts";
import { bind } from "../core/trace.ts";
import { readOptions } from "./arguments.ts";
import { broadcastedIota } from "./creation.ts";
import { composeSort, composeTopK, takeAlong } from "./sortLowering.ts";

// ---------------------------------------------------------------- sort

export interface SortParams {
  readonly dimension: number;
  readonly isStable: boolean;
  readonly numKeys: number;
}

export const sortP: Primitive<Many, SortParams> = /* @__PURE__ */ definePrimitive<Many, SortParams>({
  name: "sort",
  kind: "opaque",
  infer: (ins: readonly Aval[], { dimension, numKeys }) => {
    checkSort(ins, dimension, numKeys);
    return ins;
  },
  reference: (ins: readonly HostArray[], p) => sortHost(ins, p),
  jvp: (primals: readonly NDArray[], tangents: readonly Tangent[], p) => {
    const shape = primals[0]!.shape;
    const sorted = bind(sortP, [...primals, broadcastedIota("int32", shape, p.dimension)], p);
    const order = sorted.at(-1)!;
    return {
      primals: sorted.slice(0, -1),
      tangents: tangents.map((t) => (t instanceof Zero ? t : takeAlong(t, order, p.dimension))),
    };
  },
  transpose: "nonlinear",
  batch: (operands: readonly NDArray[], dims: readonly (number | null)[], p, { size }): Batched => ({
    outs: bind(
      sortP,
      operands.map((x, i) => batchToFront(x, dims[i]!, size)),
      { ...p, dimension: p.dimension + 1 },
    ),
    dims: operands.map(() => 0),
  }),
  lower: (_, { dimension, numKeys }) => ({
    form: "routine",
    compose: (args) => composeSort(args, dimension, numKeys),
  }),
  printParams: ({ dimension, isStable, numKeys }) => ({ dimension, is_stable: isStable, num_keys: numKeys }),
});

function checkSort(ins: readonly Aval[], dimension: number, numKeys: number): void {
  const [first] = ins;
  if (!first || numKeys < 1 || numKeys > ins.length)
    throw new ArgumentError("SortKeys", {
      what: `sort: ${numKeys} keys among ${ins.length} operands`,
      why: "the first numKeys operands are compared; at least one is",
      fix: `choose numKeys from 1 to ${ins.length}`,
    });
  if (dimension >= first.ndim || ins.some((x) => !shapesEqual(x.shape, first.shape)))
    throw new ShapeError("SortShapes", {
      what: `sort: operands of shapes ${ins.map((x) => shapeText(x.shape)).join(", ")} along axis ${dimension}`,
      why: "all operands have one shape, with at least one axis",
      fix: "broadcast the operands to a common shape first",
    });
  const key = ins.slice(0, numKeys).find((x) => isKey(x.dtype));
  if (key)
    throw new DTypeError("KeyArithmetic", {
      what: `sort: ${String(key)} holds PRNG keys, which have no order`,
      why: "keys are opaque",
      fix: "sort by other values and pass the keys as a later operand",
    });
}

/** Calls `f` with the offset of the first element of every line along an axis, and the step between its elements. */
function eachLine(shape: Shape, axis: number, f: (start: number, step: number, line: number) => void): void {
  const inner = sizeOf(shape.slice(axis + 1));
  const outer = sizeOf(shape.slice(0, axis));
  const n = shape[axis]!;
  for (let o = 0; o < outer; o++) for (let i = 0; i < inner; i++) f(o * n * inner + i, inner, o * inner + i);
}

function sortHost(ins: readonly HostArray[], { dimension, numKeys }: SortParams): readonly HostArray[] {
  const outs = ins.map((x) => allocateLike(x));
  const { shape } = ins[0]!;
  const n = shape[dimension]!;
  const keys = ins
    .slice(0, numKeys)
    .flatMap((x) =>
      range(lanesOf(x.dtype)).map((lane) => ({ x, lane, lanes: lanesOf(x.dtype), line: new Float64Array(n) })),
    );
  const order = new Uint32Array(n);
  const compare = comparator(keys.map((k) => k.line));
  eachLine(shape, dimension, (start, step) => {
    for (const { x, lane, lanes, line } of keys)
      for (let i = 0, p = start; i < n; i++, p += step) line[i] = x.data[p * lanes + lane]!;
    if (ins.length === 1 && keys.length === 1 && sortPlain(keys[0]!.line, outs[0]!.data, start, step)) return;
    for (let i = 0; i < n; i++) order[i] = i;
    order.sort(compare);
    ins.forEach((x, k) => permute(x, outs[k]!.data, order, start, step));
  });
  return outs;
}

/** Sorts one line by the engine's own sort, which differs only in putting -0 before 0: false if there is one. */
function sortPlain(line: Float64Array, to: TypedArray, start: number, step: number): boolean {
  for (let i = 0; i < line.length; i++) if (Object.is(line[i], -0)) return false;
  line.sort();
  for (let i = 0, p = start; i < line.length; i++, p += step) to[p] = line[i]!;
  return true;
}

function permute(x: HostArray, to: TypedArray, order: Uint32Array, start: number, step: number): void {
  const lanes = lanesOf(x.dtype);
  for (let i = 0; i < order.length; i++)
    for (let l = 0; l < lanes; l++)
      to[(start + i * step) * lanes + l] = x.data[(start + order[i]! * step) * lanes + l]!;
}

/** Compares two positions by each key line in turn, then by position: the sort is stable. */
function comparator(lines: readonly Float64Array[]): (i: number, j: number) => number {
  return (i, j) => {
    for (const line of lines) {
      const [a, b] = [line[i]!, line[j]!];
      if (a < b) return -1;
      if (a > b) return 1;
      if (a !== b && Number.isNaN(a) !== Number.isNaN(b)) return Number.isNaN(a) ? 1 : -1;
    }
    return i - j;
  };
}

interface SortOptions {
  readonly dimension?: number | undefined;
  /** Sorting is always stable; accepted for JAX's signature. */
  readonly isStable?: boolean | undefined;
  readonly numKeys?: number | undefined;
}
type SortRest = readonly (number | boolean | SortOptions | undefined)[];

/**
 * Sorts along an axis. A list of arrays is sorted by the first `numKeys` of them; the others follow.
 *
 * @example
 * lax.sort(np.array([3, 1, 2])) // [1, 2, 3]
 * lax.sort([np.array([3, 1, 2]), np.array([10, 11, 12])], { dimension: 0 }) // [[1, 2, 3], [11, 12, 10]]
 */
export function sort(operand: readonly NDArray[], ...rest: SortRest): NDArray[];
export function sort(operand: ArrayLike, ...rest: SortRest): NDArray;
export function sort(operand: ArrayLike | readonly NDArray[], ...rest: SortRest): NDArray | NDArray[] {
  const {
    dimension = -1,
    isStable = true,
    numKeys = 1,
  } = readOptions<SortOptions>("sort", ["dimension", "isStable", "numKeys"], 3, rest);
  const several = Array.isArray(operand) && operand.some((x) => x instanceof NDArray);
  const xs = several ? (operand as readonly ArrayLike[]).map((x) => asArray(x, "sort")) : [asArray(operand, "sort")];
  const out = bind(sortP, xs, { dimension: canonicalAxis("sort", dimension, xs[0]!.ndim), isStable, numKeys });
  return several ? [...out] : out[0]!;
}

/** Sorts `keys` and applies the same permutation to `values`. */
export function sortKeyVal(keys: ArrayLike, values: ArrayLike, ...rest: SortRest): [NDArray, NDArray] {
  const { dimension = -1, isStable = true } = readOptions<SortOptions>(
    "sortKeyVal",
    ["dimension", "isStable"],
    2,
    rest,
  );
  const [k, v] = sort([asArray(keys, "sortKeyVal"), asArray(values, "sortKeyVal")], { dimension, isStable });
  return [k!, v!];
}

// ---------------------------------------------------------------- topK

export interface TopKParams {
  readonly k: number;
  readonly axis: number;
  readonly isStable: boolean;
}

export const topKP: Primitive<One, TopKParams> = /* @__PURE__ */ definePrimitive<One, TopKParams>({
  name: "top_k",
  kind: "opaque",
  infer: ([x], { k, axis }) => {
    if (isComplex(x.dtype) || isKey(x.dtype))
      throw new DTypeError("UnorderedDType", {
        what: `topK: ${String(x)} has no order`,
        why: "only real numbers and booleans can be ranked",
        fix: "rank by magnitude, numpy.abs(x), or by one part",
      });
    if (axis >= x.ndim || !Number.isInteger(k) || k < 0 || k > x.shape[axis]!)
      throw new ArgumentError("TopKCount", {
        what: `topK: k = ${String(k)} for axis ${axis} of shape ${shapeText(x.shape)}`,
        why: "there are only as many elements as the axis is long",
        fix: `choose k from 0 to ${x.shape[axis] ?? 0}`,
      });
    const shape = x.shape.map((n, i) => (i === axis ? k : n));
    return [x.withShape(shape), new Aval(shape, "int32")];
  },
  reference: ([x], p, [values, indices]) => topKHost(x, p, values!, indices!),
  jvp: ([x], [dx], p) => {
    const [values, indices] = bind(topKP, [x], p) as readonly [NDArray, NDArray];
    return {
      primals: [values, indices],
      tangents: [takeAlong(dx as NDArray, indices, p.axis), new Zero(indices.aval)],
    };
  },
  transpose: "nonlinear",
  batch: ([x], [d], p) => ({
    outs: bind(topKP, [x], { ...p, axis: d! <= p.axis ? p.axis + 1 : p.axis }),
    dims: [d, d],
  }),
  lower: (_, { k, axis }) => ({ form: "routine", compose: ([x]) => composeTopK(x!, k, axis) }),
  printParams: ({ k, axis, isStable }) => ({ axis, is_stable: isStable, k }),
});

function topKHost(x: HostArray, { k, axis }: TopKParams, values: Aval, indices: Aval): readonly HostArray[] {
  const [top, at] = [allocateLike(values), allocateLike(indices)];
  const n = x.shape[axis]!;
  const line = new Float64Array(n);
  const order = new Uint32Array(n);
  const inner = sizeOf(x.shape.slice(axis + 1));
  const descending = (i: number, j: number): number => -totalOrder(line[i]!, line[j]!) || i - j;
  eachLine(x.shape, axis, (start, step, index) => {
    for (let i = 0, p = start; i < n; i++, p += step) line[i] = x.data[p]!;
    for (let i = 0; i < n; i++) order[i] = i;
    order.sort(descending);
    const to = Math.floor(index / inner) * k * inner + (index % inner);
    for (let i = 0; i < k; i++) {
      top.data[to + i * inner] = line[order[i]!]!;
      at.data[to + i * inner] = order[i]!;
    }
  });
  return [top, at];
}

/** -1, 0 or 1 as a is below, equal to or above b, with -0 < 0 and NaN above all. */
function totalOrder(a: number, b: number): number {
  if (a < b) return -1;
  if (a > b) return 1;
  if (a === b) return a === 0 ? Number(Object.is(b, -0)) - Number(Object.is(a, -0)) : 0;
  return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
}

/**
 * The `k` largest elements along an axis, largest first, and their positions.
 *
 * @example
 * lax.topK(np.array([3, 1, 2]), 2) // [[3, 2], [0, 2]]
 */
export function topK(
  operand: ArrayLike,
  k: number,
  options: { readonly axis?: number; readonly isStable?: boolean } = {},
): [NDArray, NDArray] {
  const { axis = -1, isStable = true } = readOptions<{ axis: number; isStable: boolean }>(
    "topK",
    ["axis", "isStable"],
    0,
    [options],
  );
  const x = asArray(operand, "topK");
  const [values, indices] = bind(topKP, [x], { k, axis: canonicalAxis("topK", axis, x.ndim), isStable });
  return [values!, indices!];
}

export const primitives: readonly AnyPrimitive[] = [sortP, topKP];
