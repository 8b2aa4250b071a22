/** Arithmetic on trees of arrays: sums, products, norms and moments, leaf by leaf. Published as `optim.tree`. */
import type { ArrayLike } from "../core/arrayMethods.ts";
import { type DType, isComplex } from "../core/dtype.ts";
import type { NDArray } from "../core/ndarray.ts";
import { ArgumentError, DTypeError } from "../core/problem.ts";
import { range } from "../core/shape.ts";
import { readOptions } from "../lax/arguments.ts";
import * as np from "../numpy/index.ts";
import * as random from "../random/index.ts";
import * as functions from "../tree/functions.ts";
import { mapLeaves, oneMinus } from "./base.ts";

type DTypeRest = readonly [] | readonly [DType | null | undefined | { readonly dtype?: DType | null | undefined }];
const dtypeOf = (name: string, rest: DTypeRest): DType | null =>
  readOptions<{ dtype: DType | null }>(`optim.tree.${name}`, ["dtype"], 1, rest).dtype ?? null;

// ---------------------------------------------------------------- arithmetic

/** Sums of corresponding leaves. @example optim.tree.add([1, 2], [10, 20]) // [11, 22] */
export const add = <P>(treeX: P, treeY: P, ...otherTrees: readonly P[]): P =>
  mapLeaves((x, ...ys) => ys.reduce((a, b) => np.add(a, b), x), treeX, treeY, ...otherTrees);

/** Differences of corresponding leaves. @example optim.tree.sub([3], [1]) // [2] */
export const sub = <P>(treeX: P, treeY: P): P => mapLeaves((x, y) => np.subtract(x, y), treeX, treeY);

/** Products of corresponding leaves. @example optim.tree.mul([3], [2]) // [6] */
export const mul = <P>(treeX: P, treeY: P): P => mapLeaves((x, y) => np.multiply(x, y), treeX, treeY);

/** Quotients of corresponding leaves. @example optim.tree.div([3], [2]) // [1.5] */
export const div = <P>(treeX: P, treeY: P): P => mapLeaves((x, y) => np.divide(x, y), treeX, treeY);

/** A number times every leaf. @example optim.tree.scale(2, { w: 3 }) // { w: 6 } */
export const scale = <P>(scalar: ArrayLike, tree: P): P => mapLeaves((x) => np.multiply(scalar, x), tree);

/** x + scalar·y. @example optim.tree.addScale([1], 10, [2]) // [21] */
export const addScale = <P>(treeX: P, scalar: ArrayLike, treeY: P): P =>
  mapLeaves((x, y) => np.add(x, np.multiply(scalar, y)), treeX, treeY);

/** Leaves clipped to an interval. @example optim.tree.clip([-3, 5], 0, 1) // [0, 1] */
export const clip = <P>(tree: P, minValue: ArrayLike | null = null, maxValue: ArrayLike | null = null): P =>
  mapLeaves((x) => np.clip(x, minValue, maxValue), tree);

/** Complex conjugates. @example optim.tree.conj([1]) // [1] */
export const conj = <P>(tree: P): P => mapLeaves((x) => np.conj(x), tree);
/** Real parts. @example optim.tree.real([1]) // [1] */
export const real = <P>(tree: P): P => mapLeaves((x) => np.real(x), tree);

/** `treeX` where a condition holds, else `treeY`. @example optim.tree.where(true, [1], [2]) // [1] */
export const where = <P>(condition: ArrayLike, treeX: P, treeY: P): P =>
  mapLeaves((x, y) => np.where(condition, x, y), treeX, treeY);

// ---------------------------------------------------------------- filling and converting

/** Zeros of the same structure. @example optim.tree.zerosLike({ w: np.array([1, 2]) }) // { w: [0, 0] } */
export const zerosLike = <P>(tree: P, ...rest: DTypeRest): P => filled("zerosLike", tree, 0, rest);
/** Ones of the same structure. @example optim.tree.onesLike({ w: np.array([1, 2]) }) // { w: [1, 1] } */
export const onesLike = <P>(tree: P, ...rest: DTypeRest): P => filled("onesLike", tree, 1, rest);
/** One value everywhere. @example optim.tree.fullLike([np.array([1, 2])], 7) // [[7, 7]] */
export const fullLike = <P>(tree: P, fillValue: ArrayLike, ...rest: DTypeRest): P =>
  filled("fullLike", tree, fillValue, rest);

function filled<P>(name: string, tree: P, value: ArrayLike, rest: DTypeRest): P {
  const wanted = dtypeOf(name, rest);
  return mapLeaves((x) => np.fullLike(x, value, { dtype: wanted }), tree);
}

/** Leaves in another dtype; null keeps theirs. @example optim.tree.cast([1], "int32") // [1] */
export const cast = <P>(tree: P, dtype: DType | null | undefined): P =>
  dtype == null ? tree : mapLeaves((x) => np.astype(x, dtype), tree);
/** Leaves in the dtypes of another tree's. @example optim.tree.castLike([1], [np.array([2])]) // [1] */
export const castLike = <P>(tree: P, otherTree: unknown): P =>
  mapLeaves((x, y) => np.astype(x, np.asarray(y).dtype), tree, otherTree);

/**
 * The dtype of all leaves; float32 of none.
 *
 * @param mixedDtypeHandler what to do where leaves differ: null (default) is an error, `"promote"` gives the dtype that
 *   promotion gives, `"highest"` the one that the others promote to, `"lowest"` the one that promotes to the others.
 * @example
 * optim.tree.dtype([np.zeros([2], "float16"), np.ones([1])], "highest") // "float32"
 */
export function dtype(tree: unknown, mixedDtypeHandler: "promote" | "highest" | "lowest" | null = null): DType {
  const [first = "float32", ...others] = functions.leaves(tree).map((x: ArrayLike) => np.asarray(x).dtype);
  if (mixedDtypeHandler === "promote") return others.reduce<DType>((a, b) => np.promoteTypes(a, b), first);
  return others.reduce<DType>((a, b) => {
    if (a === b) return a;
    const common = np.promoteTypes(a, b);
    if (mixedDtypeHandler === null || (common !== a && common !== b))
      throw new DTypeError("MixedDTypes", {
        what: `optim.tree.dtype: the tree holds both ${a} and ${b}`,
        why:
          mixedDtypeHandler === null ? "one dtype was expected of all leaves" : "neither of them promotes to the other",
        fix: 'convert the leaves with optim.tree.cast, or pass "promote" for the dtype that holds both',
      });
    return (common === a) === (mixedDtypeHandler === "highest") ? a : b;
  }, first);
}

/** An array of leading axes in front of every leaf. @example optim.tree.batchShape([1], [2]) // [[1, 1]] */
export const batchShape = <P>(tree: P, shape: readonly number[] = []): P =>
  mapLeaves((x) => np.broadcastTo(x, [...shape, ...np.shape(x)]), tree);

// ---------------------------------------------------------------- reductions

/** The number of elements. @example optim.tree.size({ w: np.zeros([2, 3]), b: 1 }) // 7 */
export const size = (tree: unknown): number =>
  functions.leaves(tree).reduce<number>((n, x: ArrayLike) => n + np.size(x), 0);

/** The sum of all elements. @example optim.tree.sum({ a: np.array([1, 2]), b: 3 }) // 6 */
export const sum = (tree: unknown): NDArray => fold(tree, (x) => np.sum(x), np.add, 0);
/** The greatest element; −∞ of none. @example optim.tree.max([1, np.array([5, 2])]) // 5 */
export const max = (tree: unknown): NDArray =>
  fold(tree, (x) => np.max(x, { initial: -Infinity }), np.maximum, -Infinity);
/** The least element; ∞ of none. @example optim.tree.min([1, np.array([5, 2])]) // 1 */
export const min = (tree: unknown): NDArray =>
  fold(tree, (x) => np.min(x, { initial: Infinity }), np.minimum, Infinity);

function fold(
  tree: unknown,
  reduce: (x: NDArray) => NDArray,
  combine: (a: ArrayLike, b: ArrayLike) => NDArray,
  empty: number,
): NDArray {
  const parts = functions.leaves(tree).map((x: NDArray) => reduce(x));
  return parts.length === 0 ? np.asarray(empty) : parts.reduce((a, b) => combine(a, b));
}

/** Σ conj(x)·y over all elements. @example optim.tree.vdot([np.array([1, 2])], [np.array([3, 4])]) // 11 */
export const vdot = (treeX: unknown, treeY: unknown): NDArray => sum(mapLeaves((x, y) => np.vdot(x, y), treeX, treeY));

export interface NormOptions {
  /** 2 (default), 1 or Infinity. */
  readonly ord?: number | null | undefined;
  /** Give the square. */
  readonly squared?: boolean | undefined;
}
/**
 * The norm of all elements together.
 *
 * @example
 * optim.tree.norm({ a: 3, b: np.array([4]) }) // 5
 */
export function norm(tree: unknown, ...rest: Rest): NDArray {
  const { ord = 2, squared = false } = readOptions<NormOptions>("optim.tree.norm", ["ord", "squared"], 2, rest);
  if (ord === 2 || ord === null) {
    const square = sum(mapLeaves(absoluteSquare, tree));
    return squared ? square : np.sqrt(square);
  }
  const magnitudes = mapLeaves((x) => np.abs(x), tree);
  if (ord !== 1 && ord !== Infinity)
    throw new ArgumentError("NormOrder", {
      what: `optim.tree.norm: there is no norm of order ${ord}`,
      why: "the norm is over all leaves together",
      fix: "use 1, 2 or Infinity",
    });
  const value = ord === 1 ? sum(magnitudes) : max(magnitudes);
  return squared ? np.square(value) : value;
}
type Rest = readonly [] | readonly [number | null | NormOptions] | readonly [number | null, boolean | NormOptions];

/** |x|², real. */
export function absoluteSquare(x: ArrayLike): NDArray {
  const a = np.asarray(x);
  return isComplex(a.dtype) ? np.add(np.square(np.real(a)), np.square(np.imag(a))) : np.square(a);
}

/** Whether all leaves agree within tolerances. @example optim.tree.allclose([1], [1 + 1e-9]) // true */
export const allclose = (
  a: unknown,
  b: unknown,
  options: { readonly rtol?: number; readonly atol?: number; readonly equalNan?: boolean } = {},
): NDArray =>
  fold(
    mapLeaves((x, y) => np.allclose(x, y, options), a, b),
    (x) => x,
    np.logicalAnd,
    1,
  );

// ---------------------------------------------------------------- random trees

/** A tree of keys of the same structure. @example tree.leaves(optim.tree.splitKeyLike(random.key(0), [1, 2])).length // 2 */
export function splitKeyLike<P>(rngKey: NDArray, targetTree: P): P {
  const [leaves, structure] = functions.flatten(targetTree);
  const keys = random.split(rngKey, leaves.length);
  return functions.unflatten(
    structure,
    range(leaves.length).map((i) => np.take(keys, i, { axis: 0 })),
  ) as P;
}

type Sampler = (key: NDArray, shape: readonly number[], dtype: DType) => NDArray;
/** A random tree of the same structure, shapes and dtypes. @example optim.tree.randomLike(random.key(0), [np.zeros([2])])[0].shape // [2] */
export const randomLike = <P>(rngKey: NDArray, targetTree: P, sampler: Sampler = random.normal): P =>
  mapLeaves((x, k) => sampler(k, np.shape(x), np.asarray(x).dtype), targetTree, splitKeyLike(rngKey, targetTree));

// ---------------------------------------------------------------- moments

/** (1 − decay)·g^order + decay·m. @example optim.tree.updateMoment([2], [0], 0.5, 1) // [1] */
export const updateMoment = <P>(updates: P, moments: P, decay: ArrayLike, order: number): P =>
  mapLeaves((g, m) => blend(order === 1 ? g : np.power(g, order), m, decay), updates, moments);

/** (1 − decay)·|g|^order + decay·m, for even orders. @example optim.tree.updateMomentPerElemNorm([2], [0], 0.5, 2) // [2] */
export const updateMomentPerElemNorm = <P>(updates: P, moments: P, decay: ArrayLike, order: number): P =>
  mapLeaves((g, m) => blend(powerOfNorm(np.asarray(g), order), m, decay), updates, moments);

function powerOfNorm(g: NDArray, order: number): NDArray {
  if (!isComplex(g.dtype)) return order === 2 ? np.square(g) : np.power(g, order);
  return np.power(absoluteSquare(g), order / 2);
}
const blend = (g: NDArray, m: NDArray, decay: ArrayLike): NDArray =>
  np.add(np.multiply(oneMinus(decay), g), np.multiply(decay, m));

/** max(|g| + eps, decay·m). @example optim.tree.updateInfinityMoment([2], [8], 0.5, 0) // [4] */
export const updateInfinityMoment = <P>(updates: P, moments: P, decay: ArrayLike, eps: ArrayLike): P =>
  mapLeaves((g, m) => np.maximum(np.add(np.abs(g), eps), np.multiply(decay, m)), updates, moments);

/** m / (1 − decay^count): a moment that started at 0, corrected. @example optim.tree.biasCorrection([1], 0.5, 1) // [2] */
export function biasCorrection<P>(moment: P, decay: ArrayLike, count: ArrayLike): P {
  const correction = np.subtract(1, np.power(decay, count));
  return mapLeaves((m) => np.divide(m, np.astype(correction, np.asarray(m).dtype)), moment);
}
