/**
 * Movement of elements: slice, pad, reverse, concatenate. `rearrange.ts` has the functions built on them.
 * All four primitives are linear and move whole elements, so they work on every dtype, keys included.
 */
import type { ArrayLike } from "../core/arrayMethods.ts";
import type { Aval } from "../core/aval.ts";
import { isKey } from "../core/dtype.ts";
import { type HostArray, allocateLike, lanesOf } from "../core/hostArray.ts";
import { addConstant, constantIndex, scale, subtract } from "../core/indexing.ts";
import type { Operand } from "../core/lowering.ts";
import { movedFrom } from "../core/lowerRules.ts";
import type { NDArray } from "../core/ndarray.ts";
import { asArray, promoteOperands } from "../core/operands.ts";
import {
  type AnyPrimitive,
  type Batched,
  type Many,
  type One,
  type Primitive,
  type Tangent,
  type TransposeOperand,
  type Two,
  definePrimitive,
  isLinear,
} from "../core/primitive.ts";
import { ArgumentError, DTypeError, IndexError, ShapeError } from "../core/problem.ts";
import {
  canonicalAxes,
  canonicalAxis,
  dropAxes,
  insertAxis,
  range,
  shapeText,
  shapesEqual,
  sizeOf,
  stridesOf,
} from "../core/shape.ts";
import {
  batchToFront,
  broadcastInDim as broadcastInDimArray,
  full,
  instantiate,
  reshape as reshapeArray,
  strided,
  sumAxes,
  zerosLike,
} from "../core/structural.ts";
import { bind1 } from "../core/trace.ts";
import { sub } from "./arithmetic.ts";
import { integers, readOptions } from "./arguments.ts";
import { select } from "./compare.ts";
import { lowerConcatenate, lowerPad } from "./movementLowering.ts";
import { dilated } from "./windowGeometry.ts";

/** The list with `value` inserted at `position`. */
export const inserted = <T>(list: readonly T[], position: number, value: T): T[] => [
  ...list.slice(0, position),
  value,
  ...list.slice(position),
];

// ---------------------------------------------------------------- slice

export interface SliceParams {
  readonly startIndices: readonly number[];
  readonly limitIndices: readonly number[];
  /** Null: 1 on every axis. */
  readonly strides: readonly number[] | null;
}

const sliceLengths = ({ startIndices, limitIndices, strides }: SliceParams): number[] =>
  startIndices.map((s, i) => Math.ceil((limitIndices[i]! - s) / (strides?.[i] ?? 1)));

export const sliceP: Primitive<One, SliceParams> = /* @__PURE__ */ definePrimitive<One, SliceParams>({
  name: "slice",
  kind: "movement",
  infer: ([x], p) => {
    const { startIndices: start, limitIndices: limit, strides } = p;
    const fits =
      start.length === x.ndim &&
      limit.length === x.ndim &&
      (strides === null || (strides.length === x.ndim && strides.every((s) => s >= 1))) &&
      start.every((s, i) => s >= 0 && s <= limit[i]! && limit[i]! <= x.shape[i]!);
    if (!fits) throw badSlice(x, p);
    return [x.withShape(sliceLengths(p))];
  },
  reference: ([x], { startIndices, strides }, [out]) => {
    const own = stridesOf(x.shape);
    const steps = own.map((s, i) => s * (strides?.[i] ?? 1));
    return [
      strided(
        x,
        out!.shape,
        steps,
        startIndices.reduce((o, s, i) => o + s * own[i]!, 0),
      ),
    ];
  },
  jvp: ([x], [dx], p) => ({ primals: [bind1(sliceP, [x], p)], tangents: [bind1(sliceP, [dx as NDArray], p)] }),
  transpose: ([ct], [x], { startIndices, strides }) => {
    if (!isLinear(x)) return [null];
    const t = ct as NDArray;
    const config = t.shape.map((n, i): PadAxis => {
      const step = strides?.[i] ?? 1;
      const end = startIndices[i]! + (n === 0 ? 0 : (n - 1) * step + 1);
      return [startIndices[i]!, x.aval.shape[i]! - end, step - 1];
    });
    return [padArray(t, zerosLike(t.aval.withShape([])), config)];
  },
  batch: ([x], [d], { startIndices, limitIndices, strides }, { size }) => ({
    outs: [
      bind1(sliceP, [x], {
        startIndices: inserted(startIndices, d!, 0),
        limitIndices: inserted(limitIndices, d!, size),
        strides: strides && inserted(strides, d!, 1),
      }),
    ],
    dims: [d],
  }),
  simplify: ([x], _, [out]) => (shapesEqual(x!.aval.shape, out!.shape) ? x! : null),
  lower: ([x], { startIndices, strides }) =>
    movedFrom(x, (index) => index.map((i, a) => addConstant(scale(i, strides?.[a] ?? 1), startIndices[a]!))),
  printParams: ({ startIndices, limitIndices, strides }) => ({
    start_indices: startIndices,
    limit_indices: limitIndices,
    strides,
  }),
});

const badSlice = (x: Aval, { startIndices, limitIndices, strides }: SliceParams): ShapeError =>
  new ShapeError("SliceOutOfBounds", {
    what: `slice: start [${startIndices.join(", ")}], limit [${limitIndices.join(", ")}]${strides ? `, strides [${strides.join(", ")}]` : ""} do not fit shape ${shapeText(x.shape)}`,
    why: "per axis 0 ≤ start ≤ limit ≤ length, and strides are at least 1",
    fix: "give one start and limit per axis within the array; for negative or open ends use x.slice(…)",
  });

/**
 * The elements from `startIndices` up to, not including, `limitIndices`.
 *
 * @example
 * lax.slice(np.array([[1, 2, 3], [4, 5, 6]]), [0, 1], [2, 3]) // [[2, 3], [5, 6]]
 */
export function slice(
  operand: ArrayLike,
  startIndices: readonly number[],
  limitIndices: readonly number[],
  strides: readonly number[] | null | { strides?: readonly number[] | null } = null,
): NDArray {
  const given = readOptions<{ strides: readonly number[] | null }>("slice", ["strides"], 1, [strides]).strides ?? null;
  const x = asArray(operand, "slice");
  integers("slice", "startIndices", startIndices);
  integers("slice", "limitIndices", limitIndices);
  if (given) integers("slice", "strides", given);
  return sliceArray(x, startIndices, limitIndices, given);
}

/** `slice` of arrays, for rules. */
export function sliceArray(
  x: NDArray,
  startIndices: readonly number[],
  limitIndices: readonly number[],
  strides: readonly number[] | null = null,
): NDArray {
  const whole =
    startIndices.every((s) => s === 0) &&
    shapesEqual(limitIndices, x.shape) &&
    (!strides || strides.every((s) => s === 1));
  return whole ? x : bind1(sliceP, [x], { startIndices, limitIndices, strides });
}

interface SliceInDimOptions {
  readonly stride?: number;
  readonly axis?: number;
}

/** Slices one axis; negative bounds count from the end, null means the end itself. */
export function sliceInDim(
  operand: ArrayLike,
  startIndex: number | null,
  limitIndex: number | null,
  ...rest: readonly (number | SliceInDimOptions)[]
): NDArray {
  const { stride = 1, axis = 0 } = readOptions<Required<SliceInDimOptions>>("sliceInDim", ["stride", "axis"], 2, rest);
  const x = asArray(operand, "sliceInDim");
  const a = canonicalAxis("sliceInDim", axis, x.ndim);
  const n = x.shape[a]!;
  const wrap = (i: number): number => (i < 0 ? i + n : i);
  const at = (one: number, others: readonly number[]): number[] => others.map((v, i) => (i === a ? one : v));
  const zeros = x.shape.map(() => 0);
  const ones = x.shape.map(() => 1);
  return slice(
    x,
    at(wrap(startIndex ?? 0), zeros),
    at(wrap(limitIndex ?? n), x.shape),
    stride === 1 ? null : at(stride, ones),
  );
}

interface IndexInDimOptions {
  readonly axis?: number;
  readonly keepdims?: boolean;
}

/** One position of an axis, known when the program is traced. */
export function indexInDim(
  operand: ArrayLike,
  index: number,
  ...rest: readonly (number | boolean | IndexInDimOptions)[]
): NDArray {
  const { axis = 0, keepdims = true } = readOptions<Required<IndexInDimOptions>>(
    "indexInDim",
    ["axis", "keepdims"],
    2,
    rest,
  );
  const x = asArray(operand, "indexInDim");
  const a = canonicalAxis("indexInDim", axis, x.ndim);
  const n = x.shape[a]!;
  if (!Number.isInteger(index) || index < -n || index >= n)
    throw new IndexError("IndexOutOfBounds", {
      what: `indexInDim: index ${String(index)} is out of bounds for axis ${a} with length ${n}`,
      why: "a position known when the program is traced must exist",
      fix: `use an integer from ${-n} to ${n - 1}, or dynamicIndexInDim, which clamps`,
    });
  const i = index < 0 ? index + n : index;
  const result = sliceInDim(x, i, i + 1, 1, a);
  return keepdims ? result : reshapeArray(result, dropAxes(result.shape, [a]));
}

// ---------------------------------------------------------------- pad

/** Padding of one axis: before, after (negative ones cut), and between neighbours. */
export type PadAxis = readonly [low: number, high: number, interior: number];
export interface PadParams {
  readonly paddingConfig: readonly PadAxis[];
}

export const padP: Primitive<Two, PadParams> = /* @__PURE__ */ definePrimitive<Two, PadParams>({
  name: "pad",
  kind: "movement",
  infer: ([x, value], { paddingConfig }) => {
    if (x.dtype !== value.dtype) throw padDType(x, value);
    const lengths = paddingConfig.map(
      ([low, high, interior], i) => low + high + dilated(x.shape[i] ?? 0, interior + 1),
    );
    const fits =
      value.ndim === 0 &&
      paddingConfig.length === x.ndim &&
      paddingConfig.every((p) => p[2] >= 0) &&
      lengths.every((n) => n >= 0);
    if (!fits) throw badPad(x, value, paddingConfig);
    return [x.withShape(lengths).withDType(x.dtype, x.weakType && value.weakType)];
  },
  reference: ([x, value], { paddingConfig }, [out]) => [padHost(x, value, paddingConfig, out!)],
  jvp: ([x, v], [dx, dv], p) => ({
    primals: [bind1(padP, [x, v], p)],
    tangents: [bind1(padP, [instantiate(dx), instantiate(dv)], p)],
  }),
  transpose: ([ct], [x, value], { paddingConfig }) => {
    const t = ct as NDArray;
    const all = range(t.ndim);
    const inner = unpad(t, paddingConfig);
    return [isLinear(x) ? inner : null, isLinear(value) ? sub(sumAxes(t, all), sumAxes(inner, all)) : null];
  },
  batch: ([x, v], [dx, dv], { paddingConfig }, { size }) => {
    const [moved, config] = [batchToFront(x, dx, size), [noPad, ...paddingConfig]];
    return { outs: [dv === null ? padArray(moved, v, config) : padBatched(moved, v, config)], dims: [0] };
  },
  simplify: ([x], { paddingConfig }) => (paddingConfig.every((c) => c.every((n) => n === 0)) ? x! : null),
  lower: ([x, value], { paddingConfig }) => lowerPad(x, value, paddingConfig),
  printParams: ({ paddingConfig }) => ({ padding_config: paddingConfig }),
});

const noPad: PadAxis = [0, 0, 0];

/** What padding took from the operand: the inverse for the elements that are still there, zero for those cut off. */
function unpad(t: NDArray, config: readonly PadAxis[]): NDArray {
  const outer = padArray(
    t,
    zerosLike(t.aval.withShape([])),
    config.map(([low, high]): PadAxis => [-low, -high, 0]),
  );
  return sliceArray(
    outer,
    outer.shape.map(() => 0),
    outer.shape,
    config.map((c) => c[2] + 1),
  );
}

/** Padding with a value per batch element: pads a mask as well and selects. */
function padBatched(x: NDArray, values: NDArray, config: readonly PadAxis[]): NDArray {
  // Keys have no zero; any of the values will do, since the mask hides it.
  const any = isKey(x.dtype) ? reshapeArray(sliceArray(values, [0], [1]), []) : zerosLike(x.aval.withShape([]));
  const padded = padArray(x, any, config);
  const mask = padArray(full(x.shape, 1, "bool"), full([], 0, "bool"), config);
  return select(mask, padded, broadcastInDimArray(values, padded.shape, [0]));
}

function padHost(x: HostArray, value: HostArray, config: readonly PadAxis[], out: Aval): HostArray {
  const r = allocateLike(out);
  const lanes = lanesOf(x.dtype);
  for (let l = 0; l < lanes; l++) {
    const v = value.data[l]!;
    if (lanes === 1 && v !== 0) r.data.fill(v);
    else if (v !== 0) for (let i = l; i < r.data.length; i += lanes) r.data[i] = v;
  }
  // Per axis, the operand positions that land inside the result.
  const first = config.map(([low, , gap]) => (low >= 0 ? 0 : Math.ceil(-low / (gap + 1))));
  const counts = config.map(([low, , gap], i) => {
    const last = Math.min(x.shape[i]! - 1, Math.floor((out.shape[i]! - 1 - low) / (gap + 1)));
    return Math.max(0, last - first[i]! + 1);
  });
  const [own, to] = [stridesOf(x.shape), stridesOf(out.shape)];
  const from = first.reduce((o, f, i) => o + f * own[i]!, 0);
  const offset = first.reduce((o, f, i) => o + (config[i]![0] + f * (config[i]![2] + 1)) * to[i]!, 0);
  const inner = strided(x, counts, own, from);
  stridedInto(
    r,
    inner,
    to.map((s, i) => s * (config[i]![2] + 1)),
    offset,
  );
  return r;
}

/** Writes all elements of `x` into `out`: index i goes to `offset + Σ i[k]·strides[k]`. The inverse of `strided`. */
export function stridedInto(out: HostArray, x: HostArray, strides: readonly number[], offset: number): void {
  const lanes = lanesOf(x.dtype);
  const { shape, data } = x;
  if (sizeOf(shape) === 0) return;
  const to = out.data;
  const last = shape.length - 1;
  const inner = last < 0 ? 1 : shape[last]!;
  const step = (last < 0 ? 0 : strides[last]!) * lanes;
  const index = new Array<number>(shape.length).fill(0);
  let base = offset;
  for (let i = 0; ;) {
    for (let j = 0, p = base * lanes; j < inner; j++, p += step) for (let l = 0; l < lanes; l++) to[p + l] = data[i++]!;
    let k = last - 1;
    for (; k >= 0; k--) {
      base += strides[k]!;
      if (++index[k]! < shape[k]!) break;
      base -= strides[k]! * shape[k]!;
      index[k] = 0;
    }
    if (k < 0) return;
  }
}

const padDType = (x: Aval, value: Aval): DTypeError =>
  new DTypeError("PadDType", {
    what: `pad: the padding value is ${value.dtype} but the operand is ${x.dtype}`,
    why: "padding does not change the operand's dtype",
    fix: `convert one of them, for example value.astype("${x.dtype}")`,
  });

const badPad = (x: Aval, value: Aval, config: readonly PadAxis[]): ShapeError =>
  new ShapeError("InvalidPadding", {
    what: `pad: padding ${JSON.stringify(config)} with a value of shape ${shapeText(value.shape)} does not fit shape ${shapeText(x.shape)}`,
    why: "padding takes one [low, high, interior] per axis, interior at least 0, a scalar value, and cannot cut off more than there is",
    fix: `give ${x.ndim} triples, for example ${JSON.stringify(x.shape.map(() => [1, 1, 0]))}`,
  });

/** `pad` of arrays, for rules. */
export const padArray = (x: NDArray, value: NDArray, paddingConfig: readonly PadAxis[]): NDArray =>
  paddingConfig.every((c) => c[0] === 0 && c[1] === 0 && c[2] === 0) ? x : bind1(padP, [x, value], { paddingConfig });

/**
 * Pads every axis before, after and between its elements; negative amounts cut.
 *
 * @example
 * lax.pad(np.array([5, 6]), 0, [[1, 2, 0]]) // [0, 5, 6, 0, 0]
 */
export function pad(operand: ArrayLike, paddingValue: ArrayLike, paddingConfig: readonly PadAxis[]): NDArray {
  const x = asArray(operand, "pad");
  const [, value] = promoteOperands("pad", [x, paddingValue]);
  for (const axis of paddingConfig) integers("pad", "an entry of paddingConfig", axis);
  return padArray(x, value!, paddingConfig);
}

// ---------------------------------------------------------------- rev

export interface RevParams {
  readonly dimensions: readonly number[];
}

export const revP: Primitive<One, RevParams> = /* @__PURE__ */ definePrimitive<One, RevParams>({
  name: "rev",
  kind: "movement",
  infer: ([x]) => [x],
  reference: ([x], { dimensions }) => {
    const strides = stridesOf(x.shape);
    let offset = 0;
    for (const d of dimensions) {
      offset += (x.shape[d]! - 1) * strides[d]!;
      strides[d] = -strides[d]!;
    }
    return [strided(x, x.shape, strides, offset)];
  },
  jvp: ([x], [dx], p) => ({ primals: [bind1(revP, [x], p)], tangents: [bind1(revP, [dx as NDArray], p)] }),
  transpose: ([ct], [x], p) => [isLinear(x) ? bind1(revP, [ct as NDArray], p) : null],
  batch: ([x], [d], { dimensions }) => ({
    outs: [bind1(revP, [x], { dimensions: dimensions.map((k) => (k < d! ? k : k + 1)) })],
    dims: [d],
  }),
  simplify: ([x], { dimensions }) => (dimensions.every((d) => x!.aval.shape[d]! <= 1) ? x! : null),
  lower: ([x], { dimensions }) =>
    movedFrom(x, (index) =>
      index.map((i, a) => (dimensions.includes(a) ? subtract(constantIndex(x.aval.shape[a]! - 1), i) : i)),
    ),
});

/** Reverses the order of elements along axes. */
export function rev(operand: ArrayLike, dimensions: readonly number[]): NDArray {
  const x = asArray(operand, "rev");
  const axes = canonicalAxes("rev", dimensions, x.ndim);
  return axes.length === 0 ? x : bind1(revP, [x], { dimensions: axes });
}

// ---------------------------------------------------------------- concatenate

export interface ConcatenateParams {
  readonly dimension: number;
}

export const concatenateP: Primitive<Many, ConcatenateParams> = /* @__PURE__ */ definePrimitive<
  Many,
  ConcatenateParams
>({
  name: "concatenate",
  kind: "movement",
  infer: (ins: readonly Aval[], { dimension }) => {
    const first = ins[0]!;
    if (ins.some((x) => x.dtype !== first.dtype)) throw concatenateDTypes(ins);
    const rest = dropAxes(first.shape, [dimension]);
    const fits =
      dimension < first.ndim &&
      ins.every((x) => x.ndim === first.ndim && shapesEqual(dropAxes(x.shape, [dimension]), rest));
    if (!fits) throw concatenateShapes(ins, dimension);
    const length = ins.reduce((n, x) => n + x.shape[dimension]!, 0);
    const shape = insertAxis(rest, dimension, length);
    return [
      first.withShape(shape).withDType(
        first.dtype,
        ins.every((x) => x.weakType),
      ),
    ];
  },
  reference: (ins: readonly HostArray[], { dimension }, [out]) => [concatenateHost(ins, dimension, out!)],
  jvp: (primals, tangents: readonly Tangent[], p) => ({
    primals: [bind1(concatenateP, primals, p)],
    tangents: [bind1(concatenateP, tangents.map(instantiate), p)],
  }),
  transpose: ([ct], operands, { dimension }) => {
    let start = 0;
    return operands.map((x: TransposeOperand) => {
      const n = x.aval.shape[dimension]!;
      start += n;
      return isLinear(x) ? sliceInDim(ct as NDArray, start - n, start, 1, dimension) : null;
    });
  },
  batch: (operands: readonly NDArray[], dims: readonly (number | null)[], { dimension }, { size }): Batched => ({
    outs: [
      bind1(
        concatenateP,
        operands.map((x, i) => batchToFront(x, dims[i]!, size)),
        { dimension: dimension + 1 },
      ),
    ],
    dims: [0],
  }),
  simplify: (ins) => (ins.length === 1 ? ins[0]! : null),
  lower: (ins: readonly Operand[], { dimension }) => ({
    ...lowerConcatenate(ins, dimension),
    narrow: (args, most) => [concatenateInParts(args, dimension, most)],
  }),
});

/** At most `most` operands at a time. */
function concatenateInParts(xs: readonly NDArray[], dimension: number, most: number): NDArray {
  if (xs.length <= most) return concatenateArrays(xs, dimension);
  const parts: NDArray[] = [];
  for (let i = 0; i < xs.length; i += most) parts.push(concatenateArrays(xs.slice(i, i + most), dimension));
  return concatenateInParts(parts, dimension, most);
}

function concatenateHost(ins: readonly HostArray[], dimension: number, out: Aval): HostArray {
  const r = allocateLike(out);
  const inner = sizeOf(out.shape.slice(dimension + 1)) * lanesOf(out.dtype);
  const outer = sizeOf(out.shape.slice(0, dimension));
  const row = out.shape[dimension]! * inner;
  let start = 0;
  for (const x of ins) {
    const n = x.shape[dimension]! * inner;
    for (let o = 0; o < outer; o++) r.data.set(x.data.subarray(o * n, (o + 1) * n), o * row + start);
    start += n;
  }
  return r;
}

const concatenateDTypes = (ins: readonly Aval[]): DTypeError =>
  new DTypeError("ConcatenateDTypes", {
    what: `concatenate: the operands have dtypes ${[...new Set(ins.map((x) => x.dtype))].join(", ")}`,
    why: "lax.concatenate does not promote",
    fix: "convert the operands to one dtype, or use numpy.concatenate, which promotes",
  });

const concatenateShapes = (ins: readonly Aval[], dimension: number): ShapeError =>
  new ShapeError("ConcatenateShapes", {
    what: `concatenate: shapes ${ins
      .slice(0, 10)
      .map((x) => shapeText(x.shape))
      .join(", ")} do not fit along axis ${dimension}`,
    why: "all axes but the one being joined must have equal lengths",
    fix: "reshape or pad the operands, or choose another axis; to join along a new axis use stack",
  });

/** `concatenate` of arrays of one dtype, for rules. */
export const concatenateArrays = (xs: readonly NDArray[], dimension: number): NDArray =>
  xs.length === 1 ? xs[0]! : bind1(concatenateP, xs, { dimension });

/** Joins arrays along an existing axis. */
export function concatenate(operands: readonly ArrayLike[], dimension: number): NDArray {
  const xs = operandList("concatenate", operands);
  return concatenateArrays(xs, canonicalAxis("concatenate", dimension, xs[0]!.ndim));
}

/** A list of operands; plain numbers take the dtype of the arrays beside them. */
export function operandList(name: string, operands: readonly ArrayLike[]): NDArray[] {
  if (!Array.isArray(operands) || operands.length === 0)
    throw new ArgumentError("NoOperands", {
      what: `${name}: expected a list of at least one array`,
      why: "the result takes its dtype and shape from the operands",
      fix: `pass the operands as one list: ${name}([a, b], 0)`,
    });
  const list: readonly ArrayLike[] = operands;
  const arrays = list.map((x) => asArray(x, name));
  const weak = arrays.some((x) => x.weakType) && !arrays.every((x) => x.weakType);
  return weak ? promoteOperands(name, arrays) : arrays;
}

/** Inserts axes of length 1 at the given positions of the result. */
export function expandDims(array: ArrayLike, dimensions: readonly number[]): NDArray {
  const x = asArray(array, "expandDims");
  if (dimensions.length === 0) return x;
  const ndim = x.ndim + dimensions.length;
  const added = canonicalAxes("expandDims", dimensions, ndim);
  const kept = range(ndim).filter((i) => !added.includes(i));
  const shape = range(ndim).map((i) => (added.includes(i) ? 1 : x.shape[kept.indexOf(i)]!));
  return broadcastInDimArray(x, shape, kept);
}

// The family's other functions, kept apart for size.
export { collapse, reshape, split, squeeze, stack, tile, transpose, unstack } from "./rearrange.ts";

export const primitives: readonly AnyPrimitive[] = [sliceP, padP, revP, concatenateP];
