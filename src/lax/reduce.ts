/**
 * Reductions over axes, which disappear from the shape, and the positions of extrema. Axes are plain numbers.
 *
 * Extrema propagate NaN and share their cotangent equally among ties. An empty reduction gives the neutral element of the
 * operation: the smallest number for max, 1 for a product.
 */
import type { ArrayLike } from "../core/arrayMethods.ts";
import { Aval } from "../core/aval.ts";
import { type DType, isBool, isComplex, isInteger, parseDType } from "../core/dtype.ts";
import { type HostArray, type TypedArray, allocateLike, roundInPlace } from "../core/hostArray.ts";
import type { Value } from "../core/lowering.ts";
import type { NDArray } from "../core/ndarray.ts";
import { asArray } from "../core/operands.ts";
import {
  type AnyPrimitive,
  type JvpResult,
  type One,
  type Primitive,
  type PrimitiveSlots,
  Zero,
  definePrimitive,
} from "../core/primitive.ts";
import { DTypeError, ShapeError } from "../core/problem.ts";
import type { ReduceOp } from "../core/scalar.ts";
import { canonicalAxes, canonicalAxis, dropAxes, range, sizeOf, stridesOf } from "../core/shape.ts";
import { broadcastInDim, convert, reshape, strided, sumAxes, transpose } from "../core/structural.ts";
import { bind1 } from "../core/trace.ts";
import { readOptions } from "./arguments.ts";
import { divArrays, mulArrays } from "./arithmetic.ts";
import { eqArrays } from "./compare.ts";
import * as complexLowering from "./complexLowering.ts";
import * as complex from "./complexMath.ts";
import { productOfOthers } from "./cumulative.ts";
import { type Extremum, highest, lowerPosition, lowerReduction, lowest } from "./reduceLowering.ts";
import { type Accepts, anyNumber, logical, notAccepted, numeric, ordered } from "./rules.ts";

export interface AxesParams {
  readonly axes: readonly number[];
}

// ---------------------------------------------------------------- the common parts

/** The operand with the reduced axes last, so that each result reduces one run of `length` elements. */
export function runsOf(x: HostArray, axes: readonly number[]): { data: TypedArray; length: number } {
  const kept = range(x.shape.length).filter((i) => !axes.includes(i));
  const order = [...kept, ...axes];
  const own = stridesOf(x.shape);
  const pick = (list: readonly number[]): number[] => order.map((a) => list[a]!);
  const moved = order.every((p, i) => p === i) ? x : strided(x, pick(x.shape), pick(own));
  return { data: moved.data, length: sizeOf(axes.map((a) => x.shape[a]!)) };
}

/** Positions of axes when a batch axis is inserted at `d`, and where that axis ends up. */
const shifted = (axes: readonly number[], d: number): { axes: number[]; dim: number } => ({
  axes: axes.map((a) => (a < d ? a : a + 1)),
  dim: d - axes.filter((a) => a < d).length,
});

interface ReductionSpec {
  readonly name: string;
  readonly accepts: Accepts;
  /** The value reductions start with. */
  readonly start: (dtype: DType) => number;
  readonly step: (sum: number, x: number, dtype: DType) => number;
  readonly complexStep?: (sum: complex.Complex, z: complex.Complex) => complex.Complex;
  /** The step as an operation of kernels, and on two scalars. */
  readonly operation: (dtype: DType) => ReduceOp;
  readonly complexLower?: (sum: Value, z: Value) => Value;
  readonly derivative: PrimitiveSlots<One, AxesParams>["jvp"] | null;
}

const reduction = (spec: ReductionSpec): Primitive<One, AxesParams> => {
  const primitive: Primitive<One, AxesParams> = definePrimitive<One, AxesParams>({
    name: spec.name,
    kind: "reduction",
    infer: ([x], { axes }) => {
      if (!spec.accepts.has(x.dtype)) throw notAccepted(spec.name, spec.accepts, x);
      return [x.withShape(dropAxes(x.shape, axes))];
    },
    reference: ([x], { axes }, [out]) => [
      isComplex(x.dtype) ? reduceComplex(spec, x, axes, out!) : reduceReal(spec, x, axes, out!),
    ],
    jvp: spec.derivative ?? (([x], _, params) => constantResult(primitive, x, params)),
    transpose: "nonlinear",
    batch: ([x], [d], { axes }) => {
      const moved = shifted(axes, d!);
      return { outs: [bind1(primitive, [x], { axes: moved.axes })], dims: [moved.dim] };
    },
    lower: ([x], { axes }) => {
      const { dtype } = x.aval;
      const first = spec.start(dtype);
      return isComplex(dtype)
        ? lowerReduction(x, axes, [first, first === 1 ? 0 : first], spec.complexLower!)
        : lowerReduction(x, axes, [first], spec.operation(dtype));
    },
  });
  return primitive;
};

function constantResult<P>(primitive: Primitive<One, P>, x: NDArray, params: P): JvpResult {
  const y = bind1(primitive, [x], params);
  return { primals: [y], tangents: [new Zero(y.aval)] };
}

function reduceReal({ start, step }: ReductionSpec, x: HostArray, axes: readonly number[], aval: Aval): HostArray {
  const out = allocateLike(aval);
  const { data, length } = runsOf(x, axes);
  const first = start(x.dtype);
  for (let o = 0, p = 0; o < out.data.length; o++) {
    let sum = first;
    for (let j = 0; j < length; j++) sum = step(sum, data[p++]!, x.dtype);
    out.data[o] = sum;
  }
  return roundInPlace(out);
}

function reduceComplex(
  { start, complexStep }: ReductionSpec,
  x: HostArray,
  axes: readonly number[],
  aval: Aval,
): HostArray {
  const out = allocateLike(aval);
  const { data, length } = runsOf(x, axes);
  const first = start(x.dtype);
  for (let o = 0, p = 0; o < out.data.length; o += 2) {
    let sum: complex.Complex = [first, first === 1 ? 0 : first];
    for (let j = 0; j < length; j++, p += 2) sum = complexStep!(sum, [data[p]!, data[p + 1]!]);
    [out.data[o], out.data[o + 1]] = sum;
  }
  return out;
}

// ---------------------------------------------------------------- extrema

/** The cotangent of an extremum goes in equal parts to all places that attain it. */
const extremumTangent = (
  primitive: Primitive<One, AxesParams>,
  x: NDArray,
  g: NDArray,
  { axes }: AxesParams,
): JvpResult => {
  const y = bind1(primitive, [x], { axes });
  const kept = range(x.ndim).filter((i) => !axes.includes(i));
  const attained = convert(eqArrays(x, broadcastInDim(y, x.shape, kept)), x.dtype, x.weakType);
  const share = divArrays(attained, broadcastInDim(sumAxes(attained, axes), x.shape, kept));
  return { primals: [y], tangents: [sumAxes(mulArrays(g, share), axes)] };
};

export const reduceMaxP: Primitive<One, AxesParams> = /* @__PURE__ */ reduction({
  name: "reduce_max",
  accepts: anyNumber,
  start: lowest,
  step: (a, b) => Math.max(a, b),
  complexStep: complex.lexicographicMax,
  operation: (d) => (isBool(d) ? "or" : "max"),
  complexLower: complexLowering.lexicographicMax,
  derivative: ([x], [g], params) => extremumTangent(reduceMaxP, x, g as NDArray, params),
});
export const reduceMinP: Primitive<One, AxesParams> = /* @__PURE__ */ reduction({
  name: "reduce_min",
  accepts: anyNumber,
  start: highest,
  step: (a, b) => Math.min(a, b),
  complexStep: complex.lexicographicMin,
  operation: (d) => (isBool(d) ? "and" : "min"),
  complexLower: complexLowering.lexicographicMin,
  derivative: ([x], [g], params) => extremumTangent(reduceMinP, x, g as NDArray, params),
});

// ---------------------------------------------------------------- product

/** The operand with the reduced axes merged into one last axis. */
function mergedLast(x: NDArray, axes: readonly number[]): NDArray {
  const kept = range(x.ndim).filter((i) => !axes.includes(i));
  const n = sizeOf(axes.map((a) => x.shape[a]!));
  return reshape(transpose(x, [...kept, ...axes]), [...kept.map((i) => x.shape[i]!), n]);
}

export const reduceProdP: Primitive<One, AxesParams> = /* @__PURE__ */ reduction({
  name: "reduce_prod",
  accepts: numeric,
  start: () => 1,
  step: (p, x, dtype) => (isInteger(dtype) ? Math.imul(p, x) : p * x),
  complexStep: complex.mul,
  operation: () => "mul",
  complexLower: complexLowering.mul,
  // dΠx = Σ dx_i Π_{j≠i} x_j, with the products of the others taken from both sides: no division, so zeros are exact
  derivative: ([x], [g], params) => {
    const [xs, gs] = [mergedLast(x, params.axes), mergedLast(g as NDArray, params.axes)];
    const last = xs.ndim - 1;
    return {
      primals: [bind1(reduceProdP, [x], params)],
      tangents: [sumAxes(mulArrays(gs, productOfOthers(xs, last)), [last])],
    };
  },
});

// ---------------------------------------------------------------- logical reductions

export const reduceAndP: Primitive<One, AxesParams> = /* @__PURE__ */ reduction({
  name: "reduce_and",
  accepts: logical,
  start: (d) => (isBool(d) ? 1 : -1),
  step: (a, x) => a & x,
  operation: () => "and",
  derivative: null,
});
export const reduceOrP: Primitive<One, AxesParams> = /* @__PURE__ */ reduction({
  name: "reduce_or",
  accepts: logical,
  start: () => 0,
  step: (a, x) => a | x,
  operation: () => "or",
  derivative: null,
});
export const reduceXorP: Primitive<One, AxesParams> = /* @__PURE__ */ reduction({
  name: "reduce_xor",
  accepts: logical,
  start: () => 0,
  step: (a, x) => a ^ x,
  operation: () => "xor",
  derivative: null,
});

// ---------------------------------------------------------------- public functions

/** Applies a reduction over canonical axes; the array itself where there are none. */
const reduceBy = (
  primitive: Primitive<One, AxesParams>,
  name: string,
  operand: ArrayLike,
  axes: readonly number[],
): NDArray => {
  const x = asArray(operand, name);
  return bind1(primitive, [x], { axes: canonicalAxes(name, axes, x.ndim) });
};

export function reduceSum(operand: ArrayLike, axes: readonly number[]): NDArray {
  const x = asArray(operand, "reduceSum");
  if (!numeric.has(x.dtype)) throw notAccepted("reduceSum", numeric, x.aval);
  return sumAxes(x, canonicalAxes("reduceSum", axes, x.ndim));
}
export const reduceMax = (operand: ArrayLike, axes: readonly number[]): NDArray =>
  reduceBy(reduceMaxP, "reduceMax", operand, axes);
export const reduceMin = (operand: ArrayLike, axes: readonly number[]): NDArray =>
  reduceBy(reduceMinP, "reduceMin", operand, axes);
export const reduceProd = (operand: ArrayLike, axes: readonly number[]): NDArray =>
  reduceBy(reduceProdP, "reduceProd", operand, axes);
export const reduceAnd = (operand: ArrayLike, axes: readonly number[]): NDArray =>
  reduceBy(reduceAndP, "reduceAnd", operand, axes);
export const reduceOr = (operand: ArrayLike, axes: readonly number[]): NDArray =>
  reduceBy(reduceOrP, "reduceOr", operand, axes);
export const reduceXor = (operand: ArrayLike, axes: readonly number[]): NDArray =>
  reduceBy(reduceXorP, "reduceXor", operand, axes);

// ---------------------------------------------------------------- argmax, argmin

export interface ArgParams extends AxesParams {
  readonly indexDtype: DType;
}

/** The first position of the extremum; a NaN counts as extreme. */
const positionOfExtremum = (
  name: string,
  better: (x: number, best: number) => boolean,
  extremum: Extremum,
): Primitive<One, ArgParams> => {
  const primitive: Primitive<One, ArgParams> = definePrimitive<One, ArgParams>({
    name,
    kind: "reduction",
    infer: ([x], { axes, indexDtype }) => {
      if (!ordered.has(x.dtype)) throw notAccepted(name, ordered, x);
      if (!isInteger(indexDtype)) throw notAnIndexDType(name, indexDtype);
      if (x.shape[axes[0]!] === 0) throw emptyAxis(name, x, axes[0]!);
      return [new Aval(dropAxes(x.shape, axes), indexDtype)];
    },
    reference: ([x], { axes }, [out]) => {
      const r = allocateLike(out!);
      const { data, length } = runsOf(x, axes);
      for (let o = 0, p = 0; o < r.data.length; o++, p += length) {
        let best = 0;
        for (let j = 1; j < length && data[p + best] === data[p + best]; j++)
          if (better(data[p + j]!, data[p + best]!) || data[p + j] !== data[p + j]) best = j;
        r.data[o] = best;
      }
      return [r];
    },
    jvp: ([x], _, params) => constantResult(primitive, x, params),
    transpose: "nonlinear",
    batch: ([x], [d], { axes, indexDtype }) => {
      const moved = shifted(axes, d!);
      return { outs: [bind1(primitive, [x], { axes: moved.axes, indexDtype })], dims: [moved.dim] };
    },
    lower: ([x], { axes, indexDtype }) => lowerPosition(x, axes, indexDtype, extremum),
    printParams: ({ axes, indexDtype }) => ({ axes, index_dtype: indexDtype }),
  });
  return primitive;
};
const notAnIndexDType = (name: string, d: DType): DTypeError =>
  new DTypeError("IndexDType", {
    what: `${name}: ${d} cannot hold positions`,
    why: "positions are integers",
    fix: "pass int32 or uint32",
  });
const emptyAxis = (name: string, x: Aval, axis: number): ShapeError =>
  new ShapeError("EmptyAxis", {
    what: `${name}: axis ${axis} of ${String(x)} has no elements`,
    why: "an empty axis has no extremum, hence no position of one",
    fix: "handle the empty case before the call",
  });

export const argmaxP: Primitive<One, ArgParams> = /* @__PURE__ */ positionOfExtremum(
  "argmax",
  (x, best) => x > best,
  "greatest",
);
export const argminP: Primitive<One, ArgParams> = /* @__PURE__ */ positionOfExtremum(
  "argmin",
  (x, best) => x < best,
  "least",
);

interface ArgOptions {
  readonly axis?: number;
  readonly indexDtype?: DType;
}
function position(
  primitive: Primitive<One, ArgParams>,
  operand: ArrayLike,
  rest: readonly (number | DType | ArgOptions)[],
): NDArray {
  const { name } = primitive;
  const x = asArray(operand, name);
  const { axis = 0, indexDtype = "int32" } = readOptions<Required<ArgOptions>>(name, ["axis", "indexDtype"], 2, rest);
  return bind1(primitive, [x], { axes: [canonicalAxis(name, axis, x.ndim)], indexDtype: parseDType(indexDtype) });
}
/** Position of the greatest element along an axis; the first one of several. */
export const argmax = (operand: ArrayLike, ...rest: readonly (number | DType | ArgOptions)[]): NDArray =>
  position(argmaxP, operand, rest);
/** Position of the least element along an axis; the first one of several. */
export const argmin = (operand: ArrayLike, ...rest: readonly (number | DType | ArgOptions)[]): NDArray =>
  position(argminP, operand, rest);

export const primitives: readonly AnyPrimitive[] = [
  reduceMaxP,
  reduceMinP,
  reduceProdP,
  reduceAndP,
  reduceOrP,
  reduceXorP,
  argmaxP,
  argminP,
];
