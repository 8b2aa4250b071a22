/** Sorting and its permutations. NaN comes last; sorts are stable. */
import type { ArrayLike } from "../core/arrayMethods.ts";
import { type DType, isBool, isComplex, isUnsigned } from "../core/dtype.ts";
import type { NDArray } from "../core/ndarray.ts";
import { asArray } from "../core/operands.ts";
import { ArgumentError, DTypeError } from "../core/problem.ts";
import { canonicalAxis, shapeText } from "../core/shape.ts";
import { convert, moveAxis, reshape } from "../core/structural.ts";
import { neg } from "../lax/arithmetic.ts";
import { bitwiseNot } from "../lax/bitwise.ts";
import { broadcastedIota } from "../lax/creation.ts";
import { complex } from "../lax/complex.ts";
import { concatenateArrays, rev, sliceInDim } from "../lax/movement.ts";
import { sort as sortArrays, sortKeyVal, topK as topKArray } from "../lax/sort.ts";
import { type Rest, checkChoice, given, integer, onlyAs, operandList, optionalDType } from "./arguments.ts";
import { unit } from "../core/unit.ts";

export interface SortOptions {
  /** The axis to sort along, the last by default; null flattens. */
  readonly axis?: number | null | undefined;
  /** Whether the largest comes first. */
  readonly descending?: boolean | undefined;
  /** Accepted for JAX's signature: sorts are always stable. */
  readonly stable?: boolean | undefined;
  /** Accepted for numpy's signature: there is one algorithm. */
  readonly kind?: string | null | undefined;
  /** Accepted for numpy's signature: there are no fields to sort by. */
  readonly order?: null | undefined;
}
const sortNames = ["axis", "descending", "stable", "kind", "order"] as const;
type SortRest = Rest<[number | null], SortOptions>;

/** The array and the axis to sort along. */
function alongAxis(name: string, a: ArrayLike, axis: number | null): readonly [NDArray, number] {
  const x = asArray(a, name);
  return axis === null ? [reshape(x, [x.size]), 0] : [x, canonicalAxis(name, axis, x.ndim)];
}

/**
 * Elements in increasing order along an axis.
 *
 * @example
 * np.sort(np.array([3, 1, 2])) // [1, 2, 3]
 */
export const sort = /* @__PURE__ */ unit("sort", 1, function sort(a: ArrayLike, ...rest: SortRest): NDArray {
  const { axis = -1, descending = false, order } = given<SortOptions>("sort", sortNames, 1, rest);
  onlyAs("sort", "order", order, [], "sort by several keys with numpy.lexsort");
  const [x, dimension] = alongAxis("sort", a, axis);
  const y = sortArrays(x, { dimension });
  return descending ? rev(y, [dimension]) : y;
});

/**
 * The positions that sort an array along an axis.
 *
 * @example
 * np.argsort(np.array([3, 1, 2])) // [1, 2, 0]
 */
export const argsort = /* @__PURE__ */ unit(
  "argsort",
  1,
  function argsort(
    a: ArrayLike,
    ...rest: Rest<[number | null], SortOptions & { readonly dtype?: DType | null | undefined }>
  ): NDArray {
    const names = [...sortNames, "dtype"] as const;
    const {
      axis = -1,
      descending = false,
      dtype,
      order,
    } = given<SortOptions & { dtype: DType | null }>("argsort", names, 1, rest);
    onlyAs("argsort", "order", order, [], "sort by several keys with numpy.lexsort");
    const [x, dimension] = alongAxis("argsort", a, axis);
    const places = broadcastedIota(optionalDType(dtype) ?? "int32", x.shape, dimension);
    // Reversed before and after, so that equal elements keep their order.
    const turn = (y: NDArray): NDArray => (descending ? rev(y, [dimension]) : y);
    return turn(sortKeyVal(turn(x), turn(places), { dimension })[1]);
  },
);

/**
 * The positions that sort by several keys, the last one first.
 *
 * @example
 * np.lexsort([np.array([1, 0, 2]), np.array([0, 0, -1])]) // [2, 1, 0]
 */
export function lexsort(
  keys: NDArray | readonly ArrayLike[],
  ...rest: Rest<[number], { readonly axis?: number | undefined }>
): NDArray {
  const { axis = -1 } = given<{ axis: number }>("lexsort", ["axis"], 1, rest);
  const xs = operandList("lexsort", keys).map((k) => asArray(k, "lexsort"));
  const first = xs[0]!;
  if (first.ndim === 0) return broadcastedIota("int32", [1], 0).reshape();
  const dimension = canonicalAxis("lexsort", axis, first.ndim);
  const places = broadcastedIota("int32", first.shape, dimension);
  return sortArrays([...xs.reverse(), places], { dimension, numKeys: xs.length }).at(-1)!;
}

/**
 * Elements sorted, as complex numbers.
 *
 * @example
 * np.sortComplex(np.array([2, 1])).dtype // "complex64"
 */
export const sortComplex = /* @__PURE__ */ unit("sortComplex", 1, function sortComplex(a: ArrayLike): NDArray {
  const y = sort(a);
  return isComplex(y.dtype) ? y : complex(convert(y, "float32"), 0);
});

const needsOrder = (name: string, x: NDArray): DTypeError =>
  new DTypeError("UnorderedDType", {
    what: `${name}: ${x.describe()} has no order`,
    why: "only real numbers and booleans can be ranked",
    fix: "rank by magnitude, numpy.abs(x), or by one part",
  });

/** The elements in the order that makes the smallest the largest. */
const inverted = (x: NDArray): NDArray => (isBool(x.dtype) || isUnsigned(x.dtype) ? bitwiseNot(x) : neg(x));

export interface TopKOptions {
  readonly axis?: number | undefined;
  /** Which end of the order to take; `"largest"`. */
  readonly mode?: "largest" | "smallest" | undefined;
  /** Accepted for JAX's signature: results are always sorted. */
  readonly sorted?: boolean | undefined;
}

/**
 * The `k` largest (or smallest) elements along an axis, best first, and their positions.
 *
 * @example
 * np.topK(np.array([1, 3, 2]), 2) // [[3, 2], [1, 2]]
 */
export const topK = /* @__PURE__ */ unit(
  "topK",
  1,
  function topK(a: ArrayLike, k: number, ...rest: Rest<[], TopKOptions>): [values: NDArray, indices: NDArray] {
    const { axis = -1, mode = "largest" } = given<TopKOptions>("topK", ["axis", "mode", "sorted"], 0, rest);
    checkChoice("topK", "mode", mode, ["largest", "smallest"]);
    const x = asArray(a, "topK");
    if (isComplex(x.dtype)) throw needsOrder("topK", x);
    if (mode === "largest") return topKArray(x, k, { axis });
    const [values, indices] = topKArray(inverted(x), k, { axis });
    return [inverted(values), indices];
  },
);

/** Operand with the axis last, that axis, and the checked position. */
function partitionArguments(name: string, a: ArrayLike, kth: number, rest: readonly unknown[]) {
  const { axis = -1 } = given<{ axis: number }>(name, ["axis"], 1, rest);
  const x = asArray(a, name);
  if (isComplex(x.dtype)) throw needsOrder(name, x);
  const at = canonicalAxis(name, axis, x.ndim);
  const n = x.shape[at]!;
  const k = integer(name, "kth", kth);
  if (k < -n || k >= n)
    throw new ArgumentError("PartitionPosition", {
      what: `${name}: position ${k} of an axis of length ${n} (shape ${shapeText(x.shape)})`,
      why: "the position is one along the axis",
      fix: `use an integer from ${-n} to ${n - 1}`,
    });
  return { x: moveAxis(x, at, x.ndim - 1), at, n, k: k < 0 ? k + n : k };
}

/**
 * Elements rearranged so that the one at position `kth` is where sorting would put it, smaller ones before it.
 *
 * @example
 * np.partition(np.array([3, 1, 2]), 1) // [1, 2, 3]
 */
export function partition(
  a: ArrayLike,
  kth: number,
  ...rest: Rest<[number], { readonly axis?: number | undefined }>
): NDArray {
  const { x, at, n, k } = partitionArguments("partition", a, kth, rest);
  const bottom = inverted(topKArray(inverted(x), k + 1)[0]);
  const top = topKArray(x, n - k - 1)[0];
  return moveAxis(concatenateArrays([bottom, top], x.ndim - 1), x.ndim - 1, at);
}

/**
 * The positions that `partition` rearranges by.
 *
 * @example
 * np.argpartition(np.array([3, 1, 2]), 1) // [1, 2, 0]
 */
export function argpartition(
  a: ArrayLike,
  kth: number,
  ...rest: Rest<[number], { readonly axis?: number | undefined }>
): NDArray {
  const { x, at, n, k } = partitionArguments("argpartition", a, kth, rest);
  const order = topKArray(inverted(x), n)[1];
  const last = x.ndim - 1;
  // Those above keep the order of their positions, as in JAX.
  const above = sortArrays(sliceInDim(order, k + 1, n, { axis: last }));
  return moveAxis(concatenateArrays([sliceInDim(order, 0, k + 1, { axis: last }), above], last), last, at);
}
