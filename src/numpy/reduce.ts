/**
 * Reductions: sums, products, extrema, logic, means and variances. Axes are plain numbers; null means all. `where`
 * chooses the elements that take part. Small integers are summed in 32 bits and 16-bit floats in float32, as JAX does.
 */
import type { ArrayLike, Axis } from "../core/arrayMethods.ts";
import {
  type DType,
  isBool,
  isComplex,
  isInexact,
  isInteger,
  isSigned,
  isUnsigned,
  parseDType,
  realDType,
} from "../core/dtype.ts";
import type { NDArray } from "../core/ndarray.ts";
import { asArray, promoteOperands, scalarLiteral } from "../core/operands.ts";
import { ArgumentError, DTypeError, ShapeError } from "../core/problem.ts";
import { broadcastShapes, canonicalAxes, canonicalAxis, shapeText, shapesEqual, sizeOf } from "../core/shape.ts";
import { broadcastInDim, broadcastTo, convert, full, reshape, sumAxes, transpose } from "../core/structural.ts";
import { addArrays, divArrays, maxArrays, minArrays, mulArrays, sqrt, square, subArrays } from "../lax/arithmetic.ts";
import { andArrays, orArrays } from "../lax/bitwise.ts";
import { convertElementType } from "../lax/cast.ts";
import { gtArrays, neArrays, selectArrays } from "../lax/compare.ts";
import { conj, real } from "../lax/complex.ts";
import { expandDims } from "../lax/movement.ts";
import {
  argmax as argmaxArray,
  argmin as argminArray,
  reduceAnd,
  reduceMax,
  reduceMin,
  reduceOr,
  reduceProd,
} from "../lax/reduce.ts";
import { highest, lowest } from "../lax/reduceLowering.ts";
import { literalLike } from "../lax/rules.ts";
import { type Rest, given, inexactOf, numericOf, optionalDType } from "./arguments.ts";
import { unit } from "../core/unit.ts";

export interface AxisOptions {
  /** Axis or axes to reduce; all by default. */
  readonly axis?: Axis | undefined;
  /** Whether reduced axes stay, with length 1. */
  readonly keepdims?: boolean | undefined;
}
export interface WhereOption {
  /** The elements that take part. */
  readonly where?: ArrayLike | null | undefined;
}
export interface InitialOption {
  /** The value that the reduction starts with. */
  readonly initial?: ArrayLike | null | undefined;
}
export interface DTypeOption {
  /** The dtype to compute in and of the result. */
  readonly dtype?: DType | null | undefined;
}
export interface SumOptions extends AxisOptions, WhereOption, InitialOption, DTypeOption {
  /** Whether small integers are summed as 32-bit ones. */
  readonly promoteIntegers?: boolean | undefined;
}
export interface ExtremumOptions extends AxisOptions, WhereOption, InitialOption {}
export interface LogicOptions extends AxisOptions, WhereOption {}
export interface MeanOptions extends AxisOptions, WhereOption, DTypeOption {}

const sumNames = ["axis", "dtype", "keepdims", "initial", "where", "promoteIntegers"] as const;
const extremumNames = ["axis", "keepdims", "initial", "where"] as const;
const logicNames = ["axis", "keepdims", "where"] as const;
const meanNames = ["axis", "dtype", "keepdims", "where"] as const;

// ---------------------------------------------------------------- the common part

interface Reduction {
  readonly name: string;
  readonly reduce: (x: NDArray, axes: readonly number[]) => NDArray;
  readonly combine: (x: NDArray, y: NDArray) => NDArray;
  /** What elements that do not take part count as. */
  readonly neutral: (d: DType) => number;
  readonly hasIdentity: boolean;
}

/** A mask of the elements that take part. */
export function maskOf(name: string, where: ArrayLike | null | undefined): NDArray | null {
  if (where === null || where === undefined) return null;
  const mask = asArray(where, name);
  if (isBool(mask.dtype)) return mask;
  throw new DTypeError("MaskDType", {
    what: `${name}: where is ${mask.describe()}`,
    why: "where says of every element whether it takes part",
    fix: "pass booleans, for example a comparison",
  });
}

/** Elements outside of the mask replaced; both broadcast. */
export function masked(name: string, x: NDArray, mask: NDArray, value: NDArray): NDArray {
  const shape = broadcastShapes(name, [x.shape, mask.shape]);
  return selectArrays(broadcastTo(mask, shape), broadcastTo(x, shape), value);
}

const needsInitial = (name: string, what: string): ArgumentError =>
  new ArgumentError("NoIdentity", {
    what: `${name}: ${what}`,
    why: `${name} of no elements at all has no value`,
    fix: `give the value to start with, { initial: … }`,
  });

function reduceWith(
  { name, reduce, combine, neutral, hasIdentity }: Reduction,
  a: NDArray,
  { axis, keepdims = false, initial = null, where }: AxisOptions & WhereOption & InitialOption,
): NDArray {
  const mask = maskOf(name, where);
  let x = a;
  if (!hasIdentity && initial === null && mask) throw needsInitial(name, "where is given without initial");
  if (mask) x = masked(name, x, mask, scalarLiteral(neutral(x.dtype), x.dtype));
  const axes = canonicalAxes(name, axis, x.ndim);
  if (!hasIdentity && initial === null && axes.some((i) => x.shape[i] === 0))
    throw needsInitial(name, `an axis of shape ${shapeText(x.shape)} has no elements`);
  let y = reduce(x, axes);
  if (initial !== null) {
    const start = convert(asArray(initial, name), x.dtype);
    if (start.ndim > 0)
      throw new ShapeError("InitialShape", {
        what: `${name}: initial has shape ${shapeText(start.shape)}`,
        why: "every result starts with the same value",
        fix: "pass a scalar",
      });
    y = combine(start, y);
  }
  return keepdims ? keepAxes(y, axes) : y;
}

/** Puts reduced axes back with length 1. */
export const keepAxes = (x: NDArray, axes: readonly number[]): NDArray =>
  axes.length === 0
    ? x
    : expandDims(
        x,
        [...axes].sort((i, j) => i - j),
      );

/** Integers of fewer than 32 bits, and booleans, are added up in 32 bits. */
export const widened = (d: DType): DType =>
  isBool(d) || (isInteger(d) && isSigned(d)) ? "int32" : isUnsigned(d) ? "uint32" : d;
/** 16-bit floats are added up in float32. */
const wideFloat = (d: DType): DType => (d === "float16" || d === "bfloat16" ? "float32" : d);

const sumReduction: Reduction = {
  name: "sum",
  reduce: (x, axes) => (isBool(x.dtype) ? reduceOr(x, axes) : sumAxes(x, axes)),
  combine: (x, y) => (isBool(x.dtype) ? orArrays(x, y) : addArrays(x, y)),
  neutral: () => 0,
  hasIdentity: true,
};
const prodReduction: Reduction = {
  name: "prod",
  reduce: (x, axes) => (isBool(x.dtype) ? reduceAnd(x, axes) : reduceProd(x, axes)),
  combine: (x, y) => (isBool(x.dtype) ? andArrays(x, y) : mulArrays(x, y)),
  neutral: () => 1,
  hasIdentity: true,
};
const maxReduction: Reduction = {
  name: "max",
  reduce: reduceMax,
  combine: maxArrays,
  neutral: lowest,
  hasIdentity: false,
};
const minReduction: Reduction = {
  name: "min",
  reduce: reduceMin,
  combine: minArrays,
  neutral: highest,
  hasIdentity: false,
};

/** A sum or product: in 32 bits at least, 16-bit floats in float32, unless a dtype is asked for. */
function accumulate(reduction: Reduction, a: ArrayLike, options: SumOptions): NDArray {
  const { promoteIntegers = true } = options;
  const x = numericOf(reduction.name, a);
  const dtype = optionalDType(options.dtype);
  const result = dtype ?? (promoteIntegers ? widened(x.dtype) : x.dtype);
  const y = reduceWith(reduction, convertElementType(x, dtype ?? wideFloat(result)), options);
  return convert(y, result);
}

// ---------------------------------------------------------------- sums and products

/**
 * Sum of elements over axes.
 *
 * @param a the array
 * @example
 * np.sum(np.array([[1, 2], [3, 4]]), 0) // [4, 6]
 */
export const sum = /* @__PURE__ */ unit("sum", 1, (a: ArrayLike, ...rest: Rest<[Axis], SumOptions>): NDArray =>
  accumulate(sumReduction, a, given<SumOptions>("sum", sumNames, 1, rest)),
);

/**
 * Product of elements over axes.
 *
 * @example
 * np.prod(np.array([[1, 2], [3, 4]])) // 24
 */
export const prod = /* @__PURE__ */ unit("prod", 1, (a: ArrayLike, ...rest: Rest<[Axis], SumOptions>): NDArray =>
  accumulate(prodReduction, a, given<SumOptions>("prod", sumNames, 1, rest)),
);

// ---------------------------------------------------------------- extrema

/**
 * Largest element over axes; NaN if there is one.
 *
 * @example
 * np.max(np.array([[1, 5], [3, 4]]), 1) // [5, 4]
 */
export const max = /* @__PURE__ */ unit("max", 1, (a: ArrayLike, ...rest: Rest<[Axis], ExtremumOptions>): NDArray =>
  reduceWith(maxReduction, strongOf("max", a), given<ExtremumOptions>("max", extremumNames, 1, rest)),
);

/**
 * Smallest element over axes; NaN if there is one.
 *
 * @example
 * np.min(np.array([[1, 5], [3, 4]]), 0) // [1, 4]
 */
export const min = /* @__PURE__ */ unit("min", 1, (a: ArrayLike, ...rest: Rest<[Axis], ExtremumOptions>): NDArray =>
  reduceWith(minReduction, strongOf("min", a), given<ExtremumOptions>("min", extremumNames, 1, rest)),
);

/** The same as `max`. */
export const amax: typeof max = max;
/** The same as `min`. */
export const amin: typeof min = min;

const strongOf = (name: string, a: ArrayLike): NDArray => {
  const x = asArray(a, name);
  return convert(x, x.dtype);
};

/**
 * Largest minus smallest element over axes.
 *
 * @example
 * np.ptp(np.array([3, 1, 7])) // 6
 */
export const ptp = /* @__PURE__ */ unit(
  "ptp",
  1,
  function ptp(a: ArrayLike, ...rest: Rest<[Axis], AxisOptions>): NDArray {
    const options = given<AxisOptions>("ptp", ["axis", "keepdims"], 1, rest);
    return subArrays(max(a, options), min(a, options));
  },
);

// ---------------------------------------------------------------- logic

const allReduction: Reduction = {
  name: "all",
  reduce: reduceAnd,
  combine: andArrays,
  neutral: () => 1,
  hasIdentity: true,
};
const anyReduction: Reduction = {
  name: "any",
  reduce: reduceOr,
  combine: orArrays,
  neutral: () => 0,
  hasIdentity: true,
};

/** Whether elements are not zero. A complex number counts if either part does. */
const boolOf = (name: string, a: ArrayLike): NDArray => {
  const x = asArray(a, name);
  return isBool(x.dtype) ? x : neArrays(x, literalLike(x, 0));
};

/**
 * Whether all elements are true (not zero), over axes.
 *
 * @example
 * np.all(np.array([[true, true], [true, false]]), 1) // [true, false]
 */
export const all = /* @__PURE__ */ unit("all", 1, (a: ArrayLike, ...rest: Rest<[Axis], LogicOptions>): NDArray =>
  reduceWith(allReduction, boolOf("all", a), given<LogicOptions>("all", logicNames, 1, rest)),
);

/**
 * Whether any element is true (not zero), over axes.
 *
 * @example
 * np.any(np.array([[false, true], [false, false]]), 1) // [true, false]
 */
export const any = /* @__PURE__ */ unit("any", 1, (a: ArrayLike, ...rest: Rest<[Axis], LogicOptions>): NDArray =>
  reduceWith(anyReduction, boolOf("any", a), given<LogicOptions>("any", logicNames, 1, rest)),
);

/**
 * Number of elements that are not zero, over axes.
 *
 * @example
 * np.countNonzero(np.array([0, 1, 2])) // 2
 */
export const countNonzero = /* @__PURE__ */ unit(
  "countNonzero",
  1,
  function countNonzero(a: ArrayLike, ...rest: Rest<[Axis], AxisOptions>): NDArray {
    const options = given<AxisOptions>("countNonzero", ["axis", "keepdims"], 1, rest);
    return sum(boolOf("countNonzero", a), { ...options, dtype: "int32" });
  },
);

// ---------------------------------------------------------------- positions of extrema

export interface ArgOptions {
  /** The axis to search; the flattened array by default. */
  readonly axis?: number | null | undefined;
  readonly keepdims?: boolean | undefined;
}
export type ArgRest = Rest<[number | null], ArgOptions>;

function position(name: string, find: typeof argmaxArray, a: ArrayLike, rest: ArgRest): NDArray {
  const { axis = null, keepdims = false } = given<ArgOptions>(name, ["axis", "keepdims"], 1, rest);
  const x = asArray(a, name);
  const flat = axis === null ? reshape(x, [x.size]) : x;
  const at = axis === null ? 0 : canonicalAxis(name, axis, x.ndim);
  if (flat.shape[at] === 0)
    throw new ShapeError("EmptyAxis", {
      what: `${name}: an axis of shape ${shapeText(x.shape)} has no elements`,
      why: "no elements have no extremum",
      fix: "handle the empty case before the call",
    });
  const y = find(flat, at);
  return keepdims ? keepAxes(y, axis === null ? x.shape.map((_, i) => i) : [at]) : y;
}

/**
 * Position of the largest element, the first of several.
 *
 * @example
 * np.argmax(np.array([1, 5, 3])) // 1
 */
export const argmax = /* @__PURE__ */ unit("argmax", 1, (a: ArrayLike, ...rest: ArgRest): NDArray =>
  position("argmax", argmaxArray, a, rest),
);

/**
 * Position of the smallest element, the first of several.
 *
 * @example
 * np.argmin(np.array([[3, 1], [0, 2]]), 1) // [1, 0]
 */
export const argmin = /* @__PURE__ */ unit("argmin", 1, (a: ArrayLike, ...rest: ArgRest): NDArray =>
  position("argmin", argminArray, a, rest),
);

// ---------------------------------------------------------------- means

/** How many elements take part: a number, or an array where a mask decides. */
function countOf(
  name: string,
  x: NDArray,
  axes: readonly number[],
  mask: NDArray | null,
  dtype: DType,
  keepdims: boolean,
): NDArray {
  if (!mask) return scalarLiteral(sizeOf(axes.map((i) => x.shape[i]!)), dtype);
  const shape = broadcastShapes(name, [x.shape, mask.shape]);
  return sum(broadcastTo(mask, shape), { axis: axes, dtype, keepdims });
}

/** The mean of `x` in its own dtype. */
function meanOf(name: string, x: NDArray, axes: readonly number[], mask: NDArray | null, keepdims: boolean): NDArray {
  const total = sum(x, { axis: axes, dtype: x.dtype, keepdims, where: mask });
  return divArrays(total, countOf(name, x, axes, mask, x.dtype, keepdims));
}

/**
 * Mean of elements over axes; integers give float32.
 *
 * @example
 * np.mean(np.array([[1, 2], [3, 4]]), 0) // [2, 3]
 */
export const mean = /* @__PURE__ */ unit(
  "mean",
  1,
  function mean(a: ArrayLike, ...rest: Rest<[Axis], MeanOptions>): NDArray {
    const { axis, dtype = null, keepdims = false, where } = given<MeanOptions>("mean", meanNames, 1, rest);
    const x = asArray(a, "mean");
    const result = optionalDType(dtype) ?? (isInexact(x.dtype) ? x.dtype : "float32");
    const computed = convertElementType(x, dtype ? result : wideFloat(result));
    const axes = canonicalAxes("mean", axis, x.ndim);
    return convert(meanOf("mean", computed, axes, maskOf("mean", where), keepdims), result);
  },
);

export interface AverageOptions extends AxisOptions {
  readonly weights?: ArrayLike | null | undefined;
  /** Whether to give the sum of weights as well. */
  readonly returned?: boolean | undefined;
}

/** Weights in the shape of the array, or aligned with the axes that are averaged. */
function alignWeights(x: NDArray, w: NDArray, axis: Axis | undefined): NDArray {
  if (shapesEqual(x.shape, w.shape)) return w;
  const axes = axis === null || axis === undefined ? null : canonicalAxes("average", axis, x.ndim);
  const expected = axes?.map((i) => x.shape[i]!);
  if (!axes || !expected || !shapesEqual(expected, w.shape))
    throw new ShapeError("WeightsShape", {
      what: `average: weights of shape ${shapeText(w.shape)} for an array of shape ${shapeText(x.shape)}`,
      why: "every element, or every position along the axis that is averaged, has a weight",
      fix: axes ? `pass weights of shape ${shapeText(expected!)}` : "name the axis that the weights belong to",
    });
  const order = axes.map((_, i) => i).sort((i, j) => axes[i]! - axes[j]!);
  const sorted = transpose(w, order);
  return broadcastInDim(
    sorted,
    x.shape,
    order.map((i) => axes[i]!),
  );
}

/**
 * Weighted mean over axes; with `returned` also the sum of weights.
 *
 * @example
 * np.average(np.array([1, 2, 3]), { weights: np.array([1, 0, 1]) }) // 2
 */
export function average(a: ArrayLike, options: AverageOptions & { readonly returned: true }): [NDArray, NDArray];
export function average(
  a: ArrayLike,
  axis: Axis,
  options: AverageOptions & { readonly returned: true },
): [NDArray, NDArray];
export function average(
  a: ArrayLike,
  ...rest: Rest<[Axis, ArrayLike | null, false], AverageOptions & { readonly returned?: false | undefined }>
): NDArray;
export function average(a: ArrayLike, ...rest: readonly unknown[]): NDArray | [NDArray, NDArray] {
  return averageUnit(a, ...rest);
}
const averageUnit = /* @__PURE__ */ unit("average", 1, function average(a: ArrayLike, ...rest: readonly unknown[]):
  NDArray | [NDArray, NDArray] {
  const names = ["axis", "weights", "returned", "keepdims"] as const;
  const { axis, weights = null, returned = false, keepdims = false } = given<AverageOptions>("average", names, 3, rest);
  if (weights === null) {
    const x = inexactOf("average", a);
    const y = mean(x, { axis, keepdims });
    const count = sizeOf(canonicalAxes("average", axis, x.ndim).map((i) => x.shape[i]!));
    return returned ? [y, full(y.shape, count, y.dtype)] : y;
  }
  const [x, w] = promoteOperands("average", [a, weights], true) as [NDArray, NDArray];
  const aligned = alignWeights(x, w, axis);
  const total = sum(aligned, { axis, keepdims });
  const y = divArrays(sum(mulArrays(x, aligned), { axis, keepdims }), total);
  return returned ? [y, total] : y;
});

// ---------------------------------------------------------------- variances

export interface VarOptions extends MeanOptions {
  /** Subtracted from the number of elements in the divisor: 1 for the unbiased estimate. */
  readonly ddof?: number | undefined;
  /** The same as `ddof`; may be a fraction. */
  readonly correction?: number | null | undefined;
  /** The mean, if known, with the reduced axes kept. */
  readonly mean?: ArrayLike | null | undefined;
}
export type VarRest = Rest<[Axis], VarOptions>;
export const varNames = ["axis", "dtype", "ddof", "keepdims", "where", "mean", "correction"] as const;

/** The dtypes to compute a variance in and to give it in. */
export function varDTypes(
  name: string,
  x: DType,
  dtype: DType | null | undefined,
): readonly [computed: DType, result: DType] {
  const asked = dtype == null ? null : parseDType(dtype);
  if (asked && isComplex(x) && !isComplex(asked))
    throw new DTypeError("VarianceDType", {
      what: `${name}: dtype ${asked} for a complex array`,
      why: "the deviations of complex numbers are complex",
      fix: "leave dtype out: the variance is real all the same",
    });
  if (asked) return [wideFloat(asked), asked];
  return isInexact(x) ? [wideFloat(x), realDType(x)] : ["float32", "float32"];
}

/** |x|², real. */
export const squaredSize = (x: NDArray): NDArray => (isComplex(x.dtype) ? real(mulArrays(x, conj(x))) : square(x));

function variance(name: string, a: ArrayLike, options: VarOptions): NDArray {
  const { axis, dtype, ddof = 0, keepdims = false, where, mean: known = null, correction = null } = options;
  if (correction !== null && ddof !== 0)
    throw new ArgumentError("TwoCorrections", {
      what: `${name}: both ddof and correction are given`,
      why: "they mean the same",
      fix: "give one of them",
    });
  const x = asArray(a, name);
  const [computed, result] = varDTypes(name, x.dtype, dtype);
  const y = convertElementType(x, computed);
  const mask = maskOf(name, where);
  const axes = canonicalAxes(name, axis, y.ndim);
  const center =
    known === null ? meanOf(name, y, axes, mask, true) : convertElementType(asArray(known, name), computed);
  const deviations = squaredSize(subArrays(y, broadcastTo(center, y.shape)));
  const count = countOf(name, y, axes, mask, deviations.dtype, keepdims);
  const divisor = subArrays(count, scalarLiteral(correction ?? ddof, deviations.dtype));
  const total = sum(deviations, { axis: axes, dtype: deviations.dtype, keepdims, where: mask });
  const quotient = convert(divArrays(total, divisor), result);
  const valid = gtArrays(divisor, literalLike(divisor, 0));
  return selectArrays(valid, quotient, literalLike(quotient, NaN));
}

/**
 * Variance over axes.
 *
 * @example
 * np.var_(np.array([1, 2, 3, 4]), { ddof: 1 }) // 1.6666666
 */
export const var_ = /* @__PURE__ */ unit("var_", 1, (a: ArrayLike, ...rest: VarRest): NDArray =>
  variance("var", a, given<VarOptions>("var", varNames, 1, rest)),
);

/**
 * Standard deviation over axes.
 *
 * @example
 * np.std(np.array([1, 3])) // 1
 */
export const std = /* @__PURE__ */ unit("std", 1, (a: ArrayLike, ...rest: VarRest): NDArray =>
  sqrt(variance("std", a, given<VarOptions>("std", varNames, 1, rest))),
);
