/** Arrays joined and split: along an existing axis, along a new one, repeated, appended. */
import type { ArrayLike } from "../core/arrayMethods.ts";
import type { DType } from "../core/dtype.ts";
import { NDArray } from "../core/ndarray.ts";
import { asArray, promoteOperands } from "../core/operands.ts";
import { ArgumentError, ShapeError } from "../core/problem.ts";
import { canonicalAxis, range, shapeText } from "../core/shape.ts";
import { reshape, transpose } from "../core/structural.ts";
import { convertElementType } from "../lax/cast.ts";
import { concatenateArrays, expandDims, split as splitArray, unstack as unstackArray } from "../lax/movement.ts";
import { type Rest, given, operandList, optionalDType } from "./arguments.ts";
import { atleast1d, atleast2d, atleast3d } from "./shape.ts";
import { unit } from "../core/unit.ts";

/** Arrays to join: a list, or one array whose first axis is the list. */
export type ArrayList = NDArray | readonly ArrayLike[];

interface JoinOptions {
  readonly dtype?: DType | null | undefined;
}
interface AxisJoinOptions extends JoinOptions {
  readonly axis?: number | null | undefined;
}

/** Operands of one dtype: the one asked for, or the common one. */
function sameDType(name: string, xs: readonly ArrayLike[], dtype: DType | null | undefined): NDArray[] {
  const type = optionalDType(dtype);
  return type ? xs.map((x) => convertElementType(x, type)) : promoteOperands(name, xs);
}

function join(name: string, list: ArrayList, axis: number | null, dtype?: DType | null): NDArray {
  const xs = sameDType(name, operandList(name, list), dtype);
  if (axis === null)
    return concatenateArrays(
      xs.map((x) => reshape(x, [x.size])),
      0,
    );
  if (xs[0]!.ndim === 0)
    throw new ShapeError("ConcatenateScalars", {
      what: `${name}: scalars cannot be joined along an axis`,
      why: "joining lengthens an axis, and scalars have none",
      fix: "use numpy.stack, or numpy.array([...])",
    });
  return concatenateArrays(xs, canonicalAxis(name, axis, xs[0]!.ndim));
}

/**
 * Arrays joined along an existing axis; null flattens them first.
 *
 * @param arrays the list of arrays
 * @example
 * np.concatenate([np.array([[1, 2]]), np.array([[3, 4]])], 1) // [[1, 2, 3, 4]]
 */
export const concatenate = /* @__PURE__ */ unit(
  "concatenate",
  0,
  function concatenate(arrays: ArrayList, ...rest: Rest<[number | null, DType | null], AxisJoinOptions>): NDArray {
    const { axis = 0, dtype } = given<AxisJoinOptions>("concatenate", ["axis", "dtype"], 2, rest);
    return join("concatenate", arrays, axis, dtype);
  },
);

/**
 * Arrays joined along an existing axis.
 *
 * @example
 * np.concat([np.array([1]), np.array([2, 3])]) // [1, 2, 3]
 */
export function concat(arrays: ArrayList, ...rest: Rest<[], { readonly axis?: number | null | undefined }>): NDArray {
  const { axis = 0 } = given<{ axis: number | null }>("concat", ["axis"], 0, rest);
  return join("concat", arrays, axis);
}

/**
 * Arrays of one shape joined along a new axis.
 *
 * @example
 * np.stack([np.array([1, 2]), np.array([3, 4])], 1) // [[1, 3], [2, 4]]
 */
export const stack = /* @__PURE__ */ unit(
  "stack",
  0,
  function stack(
    arrays: ArrayList,
    ...rest: Rest<[number], { readonly axis?: number | undefined } & JoinOptions>
  ): NDArray {
    const { axis = 0, dtype } = given<{ axis: number; dtype: DType | null }>("stack", ["axis", "dtype"], 1, rest);
    const xs = sameDType("stack", operandList("stack", arrays), dtype);
    const at = canonicalAxis("stack", axis, xs[0]!.ndim + 1);
    return concatenateArrays(
      xs.map((x) => expandDims(x, [at])),
      at,
    );
  },
);

/**
 * The subarrays along an axis.
 *
 * @example
 * np.unstack(np.array([[1, 2], [3, 4]])) // [[1, 2], [3, 4]]
 */
export const unstack = /* @__PURE__ */ unit(
  "unstack",
  1,
  function unstack(x: ArrayLike, ...rest: Rest<[], { readonly axis?: number | undefined }>): NDArray[] {
    const { axis = 0 } = given<{ axis: number }>("unstack", ["axis"], 0, rest);
    return unstackArray(x, axis);
  },
);

type StackRest = Rest<[DType | null], JoinOptions>;
const dtypeOf = (name: string, rest: StackRest): DType | null | undefined =>
  given<JoinOptions>(name, ["dtype"], 1, rest).dtype;

/**
 * Arrays stacked as rows.
 *
 * @example
 * np.vstack([np.array([1, 2]), np.array([3, 4])]) // [[1, 2], [3, 4]]
 */
export const vstack = /* @__PURE__ */ unit("vstack", 0, (tup: ArrayList, ...rest: StackRest): NDArray =>
  join(
    "vstack",
    operandList("vstack", tup).map((x) => atleast2d(x)),
    0,
    dtypeOf("vstack", rest),
  ),
);

/**
 * Arrays joined along columns; vectors along their only axis.
 *
 * @example
 * np.hstack([np.array([1, 2]), np.array([3, 4])]) // [1, 2, 3, 4]
 */
export const hstack = /* @__PURE__ */ unit("hstack", 0, function hstack(tup: ArrayList, ...rest: StackRest): NDArray {
  const xs = operandList("hstack", tup).map((x) => atleast1d(x));
  return join("hstack", xs, xs[0]!.ndim === 1 ? 0 : 1, dtypeOf("hstack", rest));
});

/**
 * Arrays joined along the third axis.
 *
 * @example
 * np.dstack([np.array([1, 2]), np.array([3, 4])]) // [[[1, 3], [2, 4]]]
 */
export const dstack = /* @__PURE__ */ unit("dstack", 0, (tup: ArrayList, ...rest: StackRest): NDArray =>
  join(
    "dstack",
    operandList("dstack", tup).map((x) => atleast3d(x)),
    2,
    dtypeOf("dstack", rest),
  ),
);

/**
 * Vectors as the columns of a matrix; matrices are joined along columns.
 *
 * @example
 * np.columnStack([np.array([1, 2]), np.array([3, 4])]) // [[1, 3], [2, 4]]
 */
export const columnStack = /* @__PURE__ */ unit("columnStack", 0, function columnStack(tup: ArrayList): NDArray {
  const xs = operandList("columnStack", tup).map((x) => {
    const a = asArray(x, "columnStack");
    return a.ndim < 2 ? transpose(atleast2d(a), [1, 0]) : a;
  });
  return join("columnStack", xs, 1);
});

/** A nest of arrays for `block`. */
export type Blocks = ArrayLike | readonly Blocks[];

/**
 * A matrix from a nest of blocks: the innermost lists are joined along the last axis, the next along the one before.
 *
 * @example
 * np.block([[np.eye(1), np.zeros([1, 1])], [np.ones([1, 2])]]) // [[1, 0], [1, 1]]
 */
export const block = /* @__PURE__ */ unit("block", 0, function block(arrays: Blocks): NDArray {
  const build = (x: Blocks): readonly [block: NDArray, depth: number] => {
    if (!Array.isArray(x)) return [asArray(x, "block"), 1];
    if (x.length === 0)
      throw new ArgumentError("EmptyBlock", {
        what: "block: an empty list",
        why: "a block has a shape",
        fix: "leave the list out",
      });
    const parts = (x as readonly Blocks[]).map(build);
    const depth = parts[0]![1];
    if (parts.some(([, d]) => d !== depth))
      throw new ArgumentError("BlockDepth", {
        what: "block: lists of different depth side by side",
        why: "the depth of a list says along which axis its blocks are joined",
        fix: "wrap single blocks in lists, as in [[a, b], [c]]",
      });
    const rank = Math.max(depth, ...parts.map(([b]) => b.ndim));
    const wide = parts.map(([b]) => expandDims(b, range(rank - b.ndim)));
    return [join("block", wide, -depth), depth + 1];
  };
  return build(arrays)[0];
});

/**
 * Values appended at the end of an axis; both are flattened without one.
 *
 * @example
 * np.append(np.array([1, 2]), 3) // [1, 2, 3]
 */
export function append(
  arr: ArrayLike,
  values: ArrayLike,
  ...rest: Rest<[number | null], { readonly axis?: number | null | undefined }>
): NDArray {
  const { axis = null } = given<{ axis: number | null }>("append", ["axis"], 1, rest);
  return join("append", [arr, values], axis);
}

// ---------------------------------------------------------------- splitting

/** A number of parts, or the positions where to cut. */
export type Sections = number | readonly number[] | NDArray;
interface SplitOptions {
  readonly axis?: number | undefined;
}

/** Positions as plain numbers. */
function cutsOf(name: string, sections: Sections): number | readonly number[] {
  if (!(sections instanceof NDArray)) return sections;
  const values = sections.concrete();
  if (values) return values.js() as number | readonly number[];
  throw new ArgumentError("TracedSections", {
    what: `${name}: the positions are ${sections.describe()}`,
    why: "they decide the shapes of the parts, which are known when the program is traced",
    fix: "pass plain numbers",
  });
}

function cut(name: string, ary: ArrayLike, sections: Sections, axis: number, uneven = false): NDArray[] {
  const x = asArray(ary, name);
  const at = canonicalAxis(name, axis, x.ndim);
  const n = x.shape[at]!;
  const cuts = cutsOf(name, sections);
  if (typeof cuts !== "number") {
    const clipped = cuts.map((i) => Math.min(Math.max(i < 0 ? i + n : i, 0), n));
    const starts = [0, ...clipped];
    // Parts that would end before they start are empty.
    return starts.map((start, i) => {
      const end = Math.max(start, clipped[i] ?? n);
      return splitArray(x, [start, end - start, n - end], at)[1]!;
    });
  }
  const [part, extra] = [Math.floor(n / cuts), n % cuts];
  if (!Number.isInteger(cuts) || cuts < 1 || (extra !== 0 && !uneven))
    throw new ShapeError("UnevenSplit", {
      what: `${name}: axis ${at} of shape ${shapeText(x.shape)} into ${String(cuts)} equal parts`,
      why: `${n} is not a multiple of ${String(cuts)}`,
      fix: "use numpy.arraySplit, which allows parts of different lengths, or give the positions to cut at",
    });
  return splitArray(
    x,
    range(cuts).map((i) => part + Number(i < extra)),
    at,
  );
}

/**
 * Parts of an array along an axis: a number of equal parts, or cut at positions.
 *
 * @example
 * np.split(np.arange(4), 2) // [[0, 1], [2, 3]]
 */
export const split = /* @__PURE__ */ unit(
  "split",
  1,
  function split(ary: ArrayLike, indicesOrSections: Sections, ...rest: Rest<[number], SplitOptions>): NDArray[] {
    const { axis = 0 } = given<SplitOptions>("split", ["axis"], 1, rest);
    return cut("split", ary, indicesOrSections, axis);
  },
);

/**
 * Parts of an array along an axis, the first ones longer where they cannot be equal.
 *
 * @example
 * np.arraySplit(np.arange(5), 2) // [[0, 1, 2], [3, 4]]
 */
export const arraySplit = /* @__PURE__ */ unit(
  "arraySplit",
  1,
  function arraySplit(ary: ArrayLike, indicesOrSections: Sections, ...rest: Rest<[number], SplitOptions>): NDArray[] {
    const { axis = 0 } = given<SplitOptions>("arraySplit", ["axis"], 1, rest);
    return cut("arraySplit", ary, indicesOrSections, axis, true);
  },
);

/**
 * Parts along columns; of vectors, along their only axis.
 *
 * @example
 * np.hsplit(np.array([[1, 2], [3, 4]]), 2) // [[[1], [3]], [[2], [4]]]
 */
export const hsplit = /* @__PURE__ */ unit(
  "hsplit",
  1,
  function hsplit(ary: ArrayLike, indicesOrSections: Sections): NDArray[] {
    const x = asArray(ary, "hsplit");
    return cut("hsplit", x, indicesOrSections, x.ndim === 1 ? 0 : 1);
  },
);

/**
 * Parts along rows.
 *
 * @example
 * np.vsplit(np.array([[1, 2], [3, 4]]), 2) // [[[1, 2]], [[3, 4]]]
 */
export const vsplit = /* @__PURE__ */ unit("vsplit", 1, (ary: ArrayLike, indicesOrSections: Sections): NDArray[] =>
  cut("vsplit", ary, indicesOrSections, 0),
);

/**
 * Parts along the third axis.
 *
 * @example
 * np.dsplit(np.zeros([1, 1, 2]), 2) // [[[[0]]], [[[0]]]]
 */
export const dsplit = /* @__PURE__ */ unit("dsplit", 1, (ary: ArrayLike, indicesOrSections: Sections): NDArray[] =>
  cut("dsplit", ary, indicesOrSections, 2),
);
