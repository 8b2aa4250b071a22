/**
 * Arrays made from nothing or from one number: counting along an axis, constants, broadcasts, diagonals.
 */
import type { ArrayLike } from "../core/arrayMethods.ts";
import { Aval } from "../core/aval.ts";
import { type DType, isComplex, isInteger, isFloat, parseDType } from "../core/dtype.ts";
import { allocateLike, lanesOf, roundInPlace } from "../core/hostArray.ts";
import { pulled } from "../core/lowerRules.ts";
import { Literal, type NDArray } from "../core/ndarray.ts";
import { asArray, scalarLiteral } from "../core/operands.ts";
import { type AnyPrimitive, type Primitive, definePrimitive } from "../core/primitive.ts";
import { DTypeError, ShapeError, unreachable } from "../core/problem.ts";
import {
  type Shape,
  broadcastShapes as shapesBroadcast,
  canonicalAxis,
  parseShape,
  range,
  shapeText,
  sizeOf,
} from "../core/shape.ts";
import { ofIndex } from "../core/scalar.ts";
import { broadcastInDim as broadcastArrayInDim, broadcastTo, convert, full as filled } from "../core/structural.ts";
import { convertLanes } from "../core/structuralLowering.ts";
import { bind1 } from "../core/trace.ts";
import { integers, readOptions } from "./arguments.ts";
import { addArrays } from "./arithmetic.ts";
import { eqArrays, geArrays } from "./compare.ts";

// ---------------------------------------------------------------- iota

export interface IotaParams {
  readonly dtype: DType;
  readonly shape: Shape;
  readonly dimension: number;
}

/** Positions along one axis. Has no operands, so no transformation ever asks for its rules. */
export const iotaP: Primitive<readonly [], IotaParams> = /* @__PURE__ */ definePrimitive<readonly [], IotaParams>({
  name: "iota",
  kind: "movement",
  infer: (_, { dtype, shape }) => {
    if (!isInteger(dtype) && !isFloat(dtype) && !isComplex(dtype))
      throw new DTypeError("IotaDType", {
        what: `iota: ${dtype} cannot count`,
        why: "iota counts 0, 1, 2, …",
        fix: "use a number dtype such as int32",
      });
    return [new Aval(shape, dtype)];
  },
  reference: (_, { shape, dimension }, [out]) => {
    const r = allocateLike(out!);
    const lanes = lanesOf(out!.dtype);
    const [n, inner] = [shape[dimension]!, sizeOf(shape.slice(dimension + 1))];
    for (let i = 0; i * lanes < r.data.length; i++) r.data[i * lanes] = Math.floor(i / inner) % n;
    return [roundInPlace(r)];
  },
  jvp: () => unreachable("iota has no operands to differentiate"),
  transpose: "nonlinear",
  batch: () => unreachable("iota has no operands to map"),
  lower: (_, { dtype, dimension }) => pulled((index) => convertLanes([ofIndex(index[dimension]!)], "int32", dtype)),
  printParams: ({ dtype, shape, dimension }) => ({ dimension, dtype, shape }),
});

/** Positions along axis `dimension` of an array of shape `shape`. */
export function broadcastedIota(dtype: DType, shape: number | readonly number[], dimension: number): NDArray {
  const sizes = parseShape("broadcastedIota", shape);
  return bind1(iotaP, [], {
    dtype: parseDType(dtype),
    shape: sizes,
    dimension: canonicalAxis("broadcastedIota", dimension, sizes.length),
  });
}
/** 0, 1, …, size − 1. */
export const iota = (dtype: DType, size: number): NDArray => broadcastedIota(dtype, [size], 0);

// ---------------------------------------------------------------- constants

interface FullLikeOptions {
  readonly dtype: DType | null;
  readonly shape: readonly number[] | null;
}

/** What fills an array: a whole number alone counts as int32, as in JAX. */
export const fillValueOf = (name: string, x: ArrayLike): NDArray =>
  typeof x === "number" && Number.isInteger(x) && Math.abs(x) < 2 ** 31
    ? scalarLiteral(x, "int32", true)
    : asArray(x, name);

/** An array filled with one value, by default in the value's own dtype; whole numbers give int32. */
export function full(
  shape: number | readonly number[],
  fillValue: ArrayLike,
  ...rest: readonly (DType | { readonly dtype?: DType | null } | null)[]
): NDArray {
  const { dtype } = readOptions<{ dtype: DType | null }>("full", ["dtype"], 1, rest);
  const value = scalarOf("full", fillValue);
  return filledWith(parseShape("full", shape), value, dtype ?? value.dtype, !dtype && value.weakType);
}

/** An array like `x`, filled with one value. */
export function fullLike(
  x: ArrayLike,
  fillValue: ArrayLike,
  ...rest: readonly (DType | readonly number[] | Partial<FullLikeOptions> | null)[]
): NDArray {
  const { dtype, shape } = readOptions<FullLikeOptions>("fullLike", ["dtype", "shape"], 2, rest);
  const like = asArray(x, "fullLike");
  return filledWith(
    shape ? parseShape("fullLike", shape) : like.shape,
    scalarOf("fullLike", fillValue),
    dtype ?? like.dtype,
    !dtype && like.weakType,
  );
}

function filledWith(shape: Shape, value: NDArray, dtype: DType, weakType: boolean): NDArray {
  const converted = convert(value, parseDType(dtype), weakType);
  return shape.length === 0 ? converted : broadcastArrayInDim(converted, shape, []);
}

function scalarOf(name: string, x: ArrayLike): NDArray {
  const value = fillValueOf(name, x);
  if (value.ndim === 0) return value;
  throw new ShapeError("FillValue", {
    what: `${name}: the fill value has shape ${shapeText(value.shape)}`,
    why: "one value fills the whole array",
    fix: "pass a scalar, or broadcast the array with numpy.broadcastTo(x, shape)",
  });
}

export const zerosLike = (x: ArrayLike): NDArray => fullLike(x, 0);
export const onesLike = (x: ArrayLike): NDArray => fullLike(x, 1);
/** Zeros and ones of a shape and dtype. */
export const zeros = (shape: Shape, dtype: DType = "float32"): NDArray => filled(shape, 0, dtype);
export const ones = (shape: Shape, dtype: DType = "float32"): NDArray => filled(shape, 1, dtype);

// ---------------------------------------------------------------- broadcasting

/** Adds axes of the given sizes at the front. */
export function broadcast(operand: ArrayLike, sizes: readonly number[]): NDArray {
  const x = asArray(operand, "broadcast");
  const front = parseShape("broadcast", sizes);
  if (front.length === 0) return x;
  return broadcastArrayInDim(
    x,
    [...front, ...x.shape],
    range(x.ndim).map((i) => i + front.length),
  );
}

/** Broadcasts to `shape`; operand axis i becomes axis `broadcastDimensions[i]`. */
export function broadcastInDim(
  operand: ArrayLike,
  shape: readonly number[],
  broadcastDimensions: readonly number[],
): NDArray {
  const x = asArray(operand, "broadcastInDim");
  const dims = integers("broadcastInDim", "broadcastDimensions", broadcastDimensions);
  const sizes = parseShape("broadcastInDim", shape);
  if (sizes.length === x.ndim && dims.length === x.ndim && sizes.every((n, i) => n === x.shape[i] && dims[i] === i))
    return x;
  return broadcastArrayInDim(x, sizes, dims);
}

/** The shape that all broadcast to, by NumPy's rule. */
export const broadcastShapes = (...shapes: readonly (readonly number[])[]): number[] => [
  ...shapesBroadcast("broadcastShapes", shapes),
];

/** Adds axes of length 1 at the front until there are `rank` of them. */
export function broadcastToRank(x: ArrayLike, rank: number): NDArray {
  const a = asArray(x, "broadcastToRank");
  const missing = rank - a.ndim;
  if (missing < 0)
    throw new ShapeError("RankTooSmall", {
      what: `broadcastToRank: an array of shape ${shapeText(a.shape)} cannot have ${rank} axes`,
      why: "broadcasting only adds axes",
      fix: `give a rank of at least ${a.ndim}`,
    });
  return broadcast(a, new Array<number>(missing).fill(1));
}
/** Broadcasts to the shape of another array. */
export const broadcastLike = (arr: ArrayLike, likeArr: ArrayLike): NDArray =>
  broadcastTo(asArray(arr, "broadcastLike"), asArray(likeArr, "broadcastLike").shape);

/** The dtype of an array-like value. */
export const dtype = (x: ArrayLike): DType => asArray(x, "dtype").dtype;

// ---------------------------------------------------------------- diagonals

/** Row positions plus `offset`, and column positions: what diagonal and triangular masks compare. */
const rowsAndColumns = (shape: readonly [number, number], offset: number): readonly [NDArray, NDArray] => [
  addArrays(broadcastedIota("int32", shape, 0), new Literal(new Aval([], "int32"), offset)),
  broadcastedIota("int32", shape, 1),
];
/** Ones on a diagonal (`offset` > 0: above the main one), zeros elsewhere. */
export const eye = (dtype: DType, shape: readonly [number, number], offset = 0): NDArray =>
  convert(eqArrays(...rowsAndColumns(shape, offset)), dtype);
/** Ones on and below a diagonal, zeros above. */
export const tri = (dtype: DType, shape: readonly [number, number], offset = 0): NDArray =>
  convert(geArrays(...rowsAndColumns(shape, offset)), dtype);

export const primitives: readonly AnyPrimitive[] = [iotaP];
