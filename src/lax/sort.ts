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
import type { HostArray } from "../core/hostArray.ts";
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
import { canonicalAxis, shapeText, shapesEqual } from "../core/shape.ts";
import { batchToFront } from "../core/structural.ts";
import { bind } from "../core/trace.ts";
import { readOptions } from "./arguments.ts";
import { broadcastedIota } from "./creation.ts";
import { sortHost, topKHost } from "./sortHost.ts";
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
  reference: (ins: readonly HostArray[], { dimension, numKeys }) => sortHost(ins, dimension, numKeys),
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
  reference: ([x], { k, axis }, [values, indices]) => topKHost(x, k, axis, values!, indices!),
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
