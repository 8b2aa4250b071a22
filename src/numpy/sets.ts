/**
 * Sets as sorted arrays without repetitions. How many elements a result has depends on values: the functions need
 * concrete arrays, or the option `size`, with which results are cut or filled up.
 */
import type { ArrayLike } from "../core/arrayMethods.ts";
import { isInexact } from "../core/dtype.ts";
import type { NDArray } from "../core/ndarray.ts";
import { asArray, promoteOperands } from "../core/operands.ts";
import { ShapeError } from "../core/problem.ts";
import { canonicalAxis, range, sizeOf } from "../core/shape.ts";
import { broadcastInDim, convert, full, moveAxis, reshape, sumAxes } from "../core/structural.ts";
import { subArrays } from "../lax/arithmetic.ts";
import { andArrays, bitwiseNot, orArrays } from "../lax/bitwise.ts";
import { eqArrays, geArrays, ltArrays, neArrays, selectArrays } from "../lax/compare.ts";
import { iota } from "../lax/creation.ts";
import { cumsum } from "../lax/cumulative.ts";
import { concatenateArrays, sliceInDim } from "../lax/movement.ts";
import { reduceOr } from "../lax/reduce.ts";
import { literalLike } from "../lax/rules.ts";
import { sort as sortArrays } from "../lax/sort.ts";
import { type Rest, checkChoice, given, integer } from "./arguments.ts";
import { placeIn, readIndex } from "./at.ts";
import { dataDependent, flatnonzero } from "./nonzero.ts";
import { take } from "./take.ts";
import { unit } from "../core/unit.ts";

export interface SizeOptions {
  /** How many elements to give: makes the function work inside jit. */
  readonly size?: number | null | undefined;
  /** What fills the places beyond the last one; the smallest element by default. */
  readonly fillValue?: ArrayLike | null | undefined;
}
const sizeNames = ["size", "fillValue"] as const;

export interface UniqueOptions extends SizeOptions {
  /** Also gives the position of the first occurrence of each. */
  readonly returnIndex?: boolean | undefined;
  /** Also gives for each element of the array the position of its value. */
  readonly returnInverse?: boolean | undefined;
  /** Also gives how often each occurs. */
  readonly returnCounts?: boolean | undefined;
  /** The axis whose slices are compared; single elements of the flattened array by default. */
  readonly axis?: number | null | undefined;
  /** Whether NaN equals NaN. */
  readonly equalNan?: boolean | undefined;
  /** Accepted for JAX's signature: results are always sorted. */
  readonly sorted?: boolean | undefined;
}

/** The slices of the first axis in order, whether each differs from the one before, and where it came from. */
function sortedMask(x: NDArray, equalNan: boolean) {
  const [n, ...inner] = x.shape as [number, ...number[]];
  const flat = reshape(x, [n, sizeOf(inner)]);
  const m = flat.shape[1]!;
  if (m === 0)
    return {
      sorted: readIndex(x, [[0, Math.min(n, 1)]]),
      mask: full([Math.min(n, 1)], 1, "bool"),
      order: full([Math.min(n, 1)], 0, "int32"),
    };
  const columns = range(m).map((k) => reshape(sliceInDim(flat, k, k + 1, 1, 1), [n]));
  const order = sortArrays([...columns, iota("int32", n)], { dimension: 0, numKeys: m }).at(-1)!;
  const sorted = readIndex(x, [order]);
  if (n === 0) return { sorted, mask: full([0], 0, "bool"), order };
  const rows = reshape(sorted, [n, m]);
  const [later, earlier] = [sliceInDim(rows, 1, n), sliceInDim(rows, 0, n - 1)];
  const differ = neArrays(later, earlier);
  const bothNaN = andArrays(neArrays(later, later), neArrays(earlier, earlier));
  const distinct = equalNan && isInexact(x.dtype) ? andArrays(differ, bitwiseNot(bothNaN)) : differ;
  const mask = concatenateArrays([full([1], 1, "bool"), reduceOr(distinct, [1])], 0);
  return { sorted, mask, order };
}

const countOf = (mask: NDArray): NDArray => sumAxes(convert(mask, "int32"), range(mask.ndim));

/** Values, first positions, inverse and counts. */
function distinct(name: string, ar: NDArray, axis: number | null, options: UniqueOptions) {
  const { equalNan = true, size = null, fillValue = null } = options;
  if (size !== null) integer(name, "size", size);
  const at = axis === null ? 0 : canonicalAxis(name, axis, ar.ndim);
  const x = axis === null ? reshape(ar, [ar.size]) : moveAxis(ar, at, 0);
  const { sorted, mask, order } = sortedMask(x, equalNan);
  if (size === null && !mask.concrete()) throw dataDependent(name, ar);
  if (x.shape[0] === 0 && size !== null && size > 0 && fillValue === null)
    throw new ShapeError("EmptyUnique", {
      what: `${name}: ${size} elements of an empty array`,
      why: "there is nothing to fill up with",
      fix: "give a fillValue",
    });
  const first = flatnonzero(mask, { size });
  const count = first.shape[0]!;
  let values = x.shape[0] === 0 ? full([count, ...x.shape.slice(1)], 0, x.dtype) : take(sorted, first, 0);
  if (size !== null && fillValue !== null) {
    const beyond = geArrays(iota("int32", count), countOf(mask));
    values = selectArrays(
      broadcastInDim(beyond, values.shape, [0]),
      convert(asArray(fillValue, name), values.dtype),
      values,
    );
  }
  const inverse = (): NDArray => {
    const rank = subArrays(cumsum(convert(mask, "int32")), full([], 1, "int32"));
    const places = placeIn(full([x.shape[0]!], 0, "int32"), [order]).set(rank);
    return axis === null ? reshape(places, ar.shape) : places;
  };
  const counts = (): NDArray => {
    const rank = subArrays(cumsum(convert(mask, "int32")), full([], 1, "int32"));
    return placeIn(full([count], 0, "int32"), [rank]).add(1, { mode: "drop" });
  };
  return { values: moveAxis(values, 0, at), indices: () => take(order, first), inverse, counts };
}

/**
 * The distinct elements in increasing order; with options a list that also has positions, inverse or counts.
 *
 * @example
 * np.unique(np.array([3, 1, 3])) // [1, 3]
 */
export function unique(
  ar: ArrayLike,
  options: UniqueOptions &
    ({ readonly returnIndex: true } | { readonly returnInverse: true } | { readonly returnCounts: true }),
): NDArray[];
export function unique(
  ar: ArrayLike,
  options?: UniqueOptions & {
    readonly returnIndex?: false;
    readonly returnInverse?: false;
    readonly returnCounts?: false;
  },
): NDArray;
export function unique(ar: ArrayLike, ...rest: readonly unknown[]): NDArray | NDArray[] {
  return uniqueUnit(ar, ...rest);
}
const uniqueUnit = /* @__PURE__ */ unit("unique", 1, function unique(ar: ArrayLike, ...rest: readonly unknown[]):
  NDArray | NDArray[] {
  const names = ["returnIndex", "returnInverse", "returnCounts", "axis", "equalNan", "sorted", ...sizeNames] as const;
  const options = given<UniqueOptions>("unique", names, 0, rest);
  const { returnIndex = false, returnInverse = false, returnCounts = false, axis = null } = options;
  const found = distinct("unique", asArray(ar, "unique"), axis, options);
  if (!returnIndex && !returnInverse && !returnCounts) return found.values;
  return [
    found.values,
    ...(returnIndex ? [found.indices()] : []),
    ...(returnInverse ? [found.inverse()] : []),
    ...(returnCounts ? [found.counts()] : []),
  ];
});

const separateNaN = (name: string, x: ArrayLike, rest: readonly unknown[]) =>
  distinct(name, asArray(x, name), null, { ...given<SizeOptions>(name, sizeNames, 0, rest), equalNan: false });

/**
 * The distinct elements, as in the array API standard: every NaN is distinct.
 *
 * @example
 * np.uniqueValues(np.array([3, 1, 3])) // [1, 3]
 */
export const uniqueValues = /* @__PURE__ */ unit(
  "uniqueValues",
  1,
  (x: ArrayLike, ...rest: Rest<[], SizeOptions>): NDArray => separateNaN("uniqueValues", x, rest).values,
);

/**
 * The distinct elements and how often each occurs.
 *
 * @example
 * np.uniqueCounts(np.array([3, 1, 3])).counts // [1, 2]
 */
export const uniqueCounts = /* @__PURE__ */ unit(
  "uniqueCounts",
  1,
  function uniqueCounts(x: ArrayLike, ...rest: Rest<[], SizeOptions>): { values: NDArray; counts: NDArray } {
    const { values, counts } = separateNaN("uniqueCounts", x, rest);
    return { values, counts: counts() };
  },
);

/**
 * The distinct elements, and for each element of the array the position of its value.
 *
 * @example
 * np.uniqueInverse(np.array([3, 1, 3])).inverseIndices // [1, 0, 1]
 */
export const uniqueInverse = /* @__PURE__ */ unit(
  "uniqueInverse",
  1,
  function uniqueInverse(x: ArrayLike, ...rest: Rest<[], SizeOptions>): { values: NDArray; inverseIndices: NDArray } {
    const { values, inverse } = separateNaN("uniqueInverse", x, rest);
    return { values, inverseIndices: inverse() };
  },
);

/**
 * The distinct elements, where each occurs first, the position of each element's value, and how often each occurs.
 *
 * @example
 * np.uniqueAll(np.array([3, 1, 3])).indices // [1, 0]
 */
export const uniqueAll = /* @__PURE__ */ unit(
  "uniqueAll",
  1,
  function uniqueAll(
    x: ArrayLike,
    ...rest: Rest<[], SizeOptions>
  ): { values: NDArray; indices: NDArray; inverseIndices: NDArray; counts: NDArray } {
    const { values, indices, inverse, counts } = separateNaN("uniqueAll", x, rest);
    return { values, indices: indices(), inverseIndices: inverse(), counts: counts() };
  },
);

// ---------------------------------------------------------------- sets

/** Two flattened arrays of one dtype. */
function flatPair(name: string, ar1: ArrayLike, ar2: ArrayLike): readonly [NDArray, NDArray] {
  const [a, b] = promoteOperands(name, [ar1, ar2]) as [NDArray, NDArray];
  return [reshape(a, [a.size]), reshape(b, [b.size])];
}

/** Whether each element of `a` equals some element of `b`. */
function memberOf(a: NDArray, b: NDArray): NDArray {
  const shape = [a.size, b.size];
  return reduceOr(eqArrays(broadcastInDim(a, shape, [0]), broadcastInDim(b, shape, [1])), [1]);
}

export interface IsinOptions {
  readonly assumeUnique?: boolean | undefined;
  /** Whether to tell what is not in it. */
  readonly invert?: boolean | undefined;
  /** Accepted for JAX's signature: all pairs are compared. */
  readonly method?: "auto" | "compare_all" | "binary_search" | "sort" | undefined;
}

/**
 * Whether each element occurs among others.
 *
 * @example
 * np.isin(np.array([1, 2, 3]), np.array([1, 3])) // [true, false, true]
 */
export const isin = /* @__PURE__ */ unit(
  "isin",
  2,
  function isin(element: ArrayLike, testElements: ArrayLike, ...rest: Rest<[boolean, boolean], IsinOptions>): NDArray {
    const { invert = false, method = "auto" } = given<IsinOptions>(
      "isin",
      ["assumeUnique", "invert", "method"],
      2,
      rest,
    );
    checkChoice("isin", "method", method, ["auto", "compare_all", "binary_search", "sort"]);
    const [a, b] = flatPair("isin", element, testElements);
    const shape = asArray(element, "isin").shape;
    const found = memberOf(a, b);
    return reshape(invert ? bitwiseNot(found) : found, shape);
  },
  { numbers: "inputs" },
);

/** The elements that a mask picks, cut or filled up to a size. */
function picked(
  name: string,
  x: NDArray,
  mask: NDArray,
  size: number | null,
  fillValue: ArrayLike | null,
  fill: () => ArrayLike,
): NDArray {
  if (size === null) {
    if (!mask.concrete()) throw dataDependent(name, mask);
    return take(x, flatnonzero(mask));
  }
  const count = countOf(mask);
  const places = flatnonzero(mask, { size: integer(name, "size", size) });
  const values = x.size === 0 ? full([size], 0, x.dtype) : take(x, places, { mode: "clip" });
  const beyond = geArrays(iota("int32", size), count);
  const filler = convert(asArray(fillValue ?? fill(), name), x.dtype);
  return selectArrays(beyond, filler, values);
}

/** The first element that a mask picks from a sorted array, or 0: what results are filled up with. */
function leastOf(sorted: NDArray, mask: NDArray): NDArray {
  const first = reshape(take(sorted, flatnonzero(mask, { size: 1 }), { mode: "clip" }), []);
  return selectArrays(reduceOr(mask, [0]), first, literalLike(first, 0));
}

/** The distinct elements at the front, and how many there are; the rest repeats some of them. */
function distinctPadded(x: NDArray): readonly [values: NDArray, isReal: NDArray] {
  const { sorted, mask } = sortedMask(x, true);
  const values = take(sorted, flatnonzero(mask, { size: x.size }), { mode: "clip" });
  return [values, ltArrays(iota("int32", x.size), countOf(mask))];
}

/** The distinct elements: exactly, or padded beside a mask where only a size is known. */
const reducedSet = (x: NDArray, assumeUnique: boolean, sized: boolean): readonly [NDArray, NDArray] => {
  const all = full([x.size], 1, "bool");
  if (assumeUnique || x.size === 0) return [x, all];
  if (sized) return distinctPadded(x);
  const values = unique(x);
  return [values, full([values.size], 1, "bool")];
};

export interface SetOptions extends SizeOptions {
  /** Promises that no element occurs twice in either array. */
  readonly assumeUnique?: boolean | undefined;
}
const setNames = ["assumeUnique", ...sizeNames] as const;

function needsConcrete(name: string, size: number | null, ...xs: readonly NDArray[]): void {
  const traced = size === null && xs.find((x) => !x.concrete());
  if (traced) throw dataDependent(name, traced, `pass the number of results, numpy.${name}(a, b, { size: n })`);
}

/**
 * The distinct elements of the first array that are not in the second.
 *
 * @example
 * np.setdiff1d(np.array([1, 2, 3]), np.array([2])) // [1, 3]
 */
export const setdiff1d = /* @__PURE__ */ unit(
  "setdiff1d",
  2,
  function setdiff1d(ar1: ArrayLike, ar2: ArrayLike, ...rest: Rest<[boolean], SetOptions>): NDArray {
    const { assumeUnique = false, size = null, fillValue = null } = given<SetOptions>("setdiff1d", setNames, 1, rest);
    const own = asArray(ar1, "setdiff1d");
    const x = reshape(own, [own.size]);
    const other = asArray(ar2, "setdiff1d");
    needsConcrete("setdiff1d", size, x, other);
    const [values, real] = reducedSet(x, assumeUnique, size !== null);
    const [a, b] = flatPair("setdiff1d", values, other);
    return picked("setdiff1d", values, andArrays(real, bitwiseNot(memberOf(a, b))), size, fillValue, () => 0);
  },
);

/**
 * The distinct elements of both arrays.
 *
 * @example
 * np.union1d(np.array([1, 2]), np.array([2, 3])) // [1, 2, 3]
 */
export const union1d = /* @__PURE__ */ unit(
  "union1d",
  2,
  function union1d(ar1: ArrayLike, ar2: ArrayLike, ...rest: Rest<[], SizeOptions>): NDArray {
    const options = given<SizeOptions>("union1d", sizeNames, 0, rest);
    const [a, b] = flatPair("union1d", ar1, ar2);
    needsConcrete("union1d", options.size ?? null, a, b);
    return distinct("union1d", concatenateArrays([a, b], 0), null, options).values;
  },
);

/**
 * The elements that are in exactly one of the arrays.
 *
 * @example
 * np.setxor1d(np.array([1, 2]), np.array([2, 3])) // [1, 3]
 */
export const setxor1d = /* @__PURE__ */ unit(
  "setxor1d",
  2,
  function setxor1d(ar1: ArrayLike, ar2: ArrayLike, ...rest: Rest<[boolean], SetOptions>): NDArray {
    const { assumeUnique = false, size = null, fillValue = null } = given<SetOptions>("setxor1d", setNames, 1, rest);
    const [a, b] = flatPair("setxor1d", ar1, ar2);
    needsConcrete("setxor1d", size, a, b);
    const [x, isX] = reducedSet(a, assumeUnique, size !== null);
    const [y, isY] = reducedSet(b, assumeUnique, size !== null);
    const all = concatenateArrays([x, y], 0);
    // Padding sorts to the end, by a first key.
    const padding = bitwiseNot(concatenateArrays([isX, isY], 0));
    const [hidden, sorted] = sortArrays([padding, all], { dimension: 0, numKeys: 2 }) as [NDArray, NDArray];
    const n = all.size;
    if (n === 0) return picked("setxor1d", all, full([0], 0, "bool"), size, fillValue, () => 0);
    const same = andArrays(
      eqArrays(sliceInDim(sorted, 1, n), sliceInDim(sorted, 0, n - 1)),
      bitwiseNot(sliceInDim(hidden, 1, n)),
    );
    const none = full([1], 0, "bool");
    const paired = orArrays(concatenateArrays([none, same], 0), concatenateArrays([same, none], 0));
    const mask = andArrays(bitwiseNot(paired), bitwiseNot(hidden));
    return picked("setxor1d", sorted, mask, size, fillValue, () => leastOf(sorted, mask));
  },
);

export interface IntersectOptions extends SetOptions {
  /** Also gives where the common elements are in both arrays. */
  readonly returnIndices?: boolean | undefined;
}

/**
 * The distinct elements that both arrays have; with `returnIndices` also where they are.
 *
 * @example
 * np.intersect1d(np.array([1, 2, 3]), np.array([3, 1])) // [1, 3]
 */
export function intersect1d(
  ar1: ArrayLike,
  ar2: ArrayLike,
  options: IntersectOptions & { readonly returnIndices: true },
): [common: NDArray, indices1: NDArray, indices2: NDArray];
export function intersect1d(
  ar1: ArrayLike,
  ar2: ArrayLike,
  ...rest: Rest<[boolean], IntersectOptions & { readonly returnIndices?: false | undefined }>
): NDArray;
export function intersect1d(
  ar1: ArrayLike,
  ar2: ArrayLike,
  ...rest: readonly unknown[]
): NDArray | [NDArray, NDArray, NDArray] {
  const names = ["assumeUnique", "returnIndices", ...sizeNames] as const;
  const {
    returnIndices = false,
    size = null,
    fillValue = null,
  } = given<IntersectOptions>("intersect1d", names, 2, rest);
  const [a, b] = flatPair("intersect1d", ar1, ar2);
  needsConcrete("intersect1d", size, a, b);
  // Sorted by value, then by array: a common value's first occurrences stand at the start of its two runs.
  const from = concatenateArrays([full([a.size], 0, "int32"), full([b.size], 1, "int32")], 0);
  const place = concatenateArrays([iota("int32", a.size), iota("int32", b.size)], 0);
  const [values, source, origin] = sortArrays([concatenateArrays([a, b], 0), from, place], {
    dimension: 0,
    numKeys: 3,
  }) as [NDArray, NDArray, NDArray];
  const n = values.size;
  const starts = runStarts(values, source, n);
  const firstOfA = andArrays(starts, eqArrays(source, literalLike(source, 0)));
  const firstOfB = andArrays(starts, eqArrays(source, literalLike(source, 1)));
  const inB = memberOf(values, b);
  const inA = memberOf(values, a);
  const [maskA, maskB] = [andArrays(firstOfA, inB), andArrays(firstOfB, inA)];
  const common = picked("intersect1d", values, maskA, size, fillValue, () => leastOf(values, maskA));
  if (!returnIndices) return common;
  return [
    common,
    picked("intersect1d", origin, maskA, size, null, () => a.size),
    picked("intersect1d", origin, maskB, size, null, () => b.size),
  ];
}

/** Where value or source change. */
function runStarts(values: NDArray, source: NDArray, n: number): NDArray {
  if (n === 0) return full([0], 0, "bool");
  const changes = (x: NDArray): NDArray => neArrays(sliceInDim(x, 1, n), sliceInDim(x, 0, n - 1));
  return concatenateArrays([full([1], 1, "bool"), orArrays(changes(values), changes(source))], 0);
}
