/**
 * Structural primitives: what transforms need from below — adding cotangents, making and reshaping zeros, moving and
 * broadcasting batch axes, conversion between dtypes.
 */
import { Aval, avalsEqual } from "./aval.ts";
import { type DType, isBool, isComplex, isInexact, isInteger, isKey } from "./dtype.ts";
import { type HostArray, allocateLike, lanesOf, roundInPlace } from "./hostArray.ts";
import { flatIndex, unflatten } from "./indexing.ts";
import { movedFrom, numberIn, pulled } from "./lowerRules.ts";
import { Literal, type NDArray } from "./ndarray.ts";
import { type One, type Primitive, type Tangent, type Two, Zero, definePrimitive, isLinear } from "./primitive.ts";
import { DTypeError, ShapeError, unreachable } from "./problem.ts";
import { type Shape, dropAxes, range, shapeText, shapesEqual, sizeOf, stridesOf } from "./shape.ts";
import { convertLanes, lowerAdd, lowerBroadcast, lowerEye, lowerSum, lowerTranspose } from "./structuralLowering.ts";
import { bind1 } from "./trace.ts";

// ---------------------------------------------------------------- gathering elements by strides

/**
 * Copies elements into a new array of shape `shape`: output index i reads `offset + Σ i[k]·strides[k]`. Every view
 * operation (transpose, broadcast, slice, reverse) is one call.
 */
export function strided(x: HostArray, shape: Shape, strides: readonly number[], offset = 0): HostArray {
  const out = allocateLike({ shape, dtype: x.dtype });
  const lanes = lanesOf(x.dtype);
  const size = sizeOf(shape);
  if (size === 0) return out;
  const { data } = x;
  const to = out.data;
  const last = shape.length - 1;
  const inner = last < 0 ? 1 : shape[last]!;
  const step = last < 0 ? 0 : strides[last]!;
  const index = new Array<number>(shape.length).fill(0);
  let base = offset;
  let o = 0;
  for (;;) {
    if (lanes === 1) for (let j = 0, p = base; j < inner; j++, p += step) to[o++] = data[p]!;
    else
      for (let j = 0, p = base; j < inner; j++, p += step)
        for (let l = 0; l < lanes; l++) to[o++] = data[p * lanes + l]!;
    let k = last - 1;
    for (; k >= 0; k--) {
      base += strides[k]!;
      if (++index[k]! < shape[k]!) break;
      base -= strides[k]! * shape[k]!;
      index[k] = 0;
    }
    if (k < 0) return out;
  }
}

// ---------------------------------------------------------------- addAny

/** Addition of cotangents of any dtype; not broadcasting. */
const addAnyP: Primitive<Two, null> = /* @__PURE__ */ definePrimitive<Two, null>({
  name: "add_any",
  kind: "elementwise",
  infer: ([a, b]) => {
    if (!avalsEqual(a, b, true)) unreachable(`add_any of ${String(a)} and ${String(b)}`);
    return [a];
  },
  reference: ([a, b], _, [out]) => {
    const r = allocateLike(out!);
    for (let i = 0; i < r.data.length; i++) r.data[i] = a.data[i]! + b.data[i]!;
    // Booleans stand for the zeros of dtypes without tangents.
    if (isBool(r.dtype)) for (let i = 0; i < r.data.length; i++) r.data[i] = Math.min(r.data[i]!, 1);
    return [roundInPlace(r)];
  },
  jvp: ([a, b], [da, db]) => ({ primals: [addAny(a, b)], tangents: [addTangents(da, db)] }),
  transpose: ([ct], [a, b]) => [isLinear(a) ? ct! : null, isLinear(b) ? ct! : null],
  batch: ([a, b], [da, db], _p, axis) => {
    const [x, y] = [batchToFront(a, da, axis.size), batchToFront(b, db, axis.size)];
    return { outs: [addAny(x, y)], dims: [0] };
  },
  lower: ([a, b]) => lowerAdd(a, b),
});

export const addAny = (a: NDArray, b: NDArray): NDArray => bind1(addAnyP, [a, b], null);

/** Sum of tangents, either of which may be a symbolic zero. */
export const addTangents = (a: Tangent, b: Tangent): Tangent =>
  a instanceof Zero ? b : b instanceof Zero ? a : addAny(a, b);

// ---------------------------------------------------------------- broadcastInDim

export interface BroadcastInDimParams {
  readonly shape: Shape;
  /** For each operand axis, the output axis it becomes; the others are new. Axes of length 1 stretch. */
  readonly broadcastDimensions: readonly number[];
}

const broadcastInDimP: Primitive<One, BroadcastInDimParams> = /* @__PURE__ */ definePrimitive<
  One,
  BroadcastInDimParams
>({
  name: "broadcast_in_dim",
  kind: "movement",
  infer: ([x], { shape, broadcastDimensions: dims }) => {
    const fits =
      dims.length === x.ndim &&
      dims.every(
        (d, i) =>
          d >= 0 && d < shape.length && (i === 0 || dims[i - 1]! < d) && (x.shape[i] === 1 || x.shape[i] === shape[d]),
      );
    if (!fits)
      throw new ShapeError("BroadcastInDim", {
        what: `broadcastInDim: shape ${shapeText(x.shape)} does not broadcast to ${shapeText(shape)} along axes [${dims.join(", ")}]`,
        why: "every operand axis goes to a different output axis, in increasing order, of the same length or stretched from 1",
        fix: "give one increasing output axis per operand axis",
      });
    return [x.withShape(shape)];
  },
  reference: ([x], { shape, broadcastDimensions }) => {
    const own = stridesOf(x.shape);
    const strides = new Array<number>(shape.length).fill(0);
    broadcastDimensions.forEach((d, i) => (strides[d] = x.shape[i] === 1 ? 0 : own[i]!));
    return [strided(x, shape, strides)];
  },
  jvp: ([x], [dx], p) => ({
    primals: [broadcastInDim(x, p.shape, p.broadcastDimensions)],
    tangents: [broadcastInDim(dx as NDArray, p.shape, p.broadcastDimensions)],
  }),
  transpose: ([ct], [x], p) => {
    if (!isLinear(x)) return [null];
    const stretched = p.broadcastDimensions.filter((d, i) => x.aval.shape[i] === 1 && p.shape[d] !== 1);
    const added = range(p.shape.length).filter((d) => !p.broadcastDimensions.includes(d));
    return [
      reshape(
        sumAxes(
          ct as NDArray,
          [...added, ...stretched].sort((a, b) => a - b),
        ),
        x.aval.shape,
      ),
    ];
  },
  batch: ([x], [d], { shape, broadcastDimensions }, { size }) => ({
    outs: [broadcastInDim(moveAxis(x, d!, 0), [size, ...shape], [0, ...broadcastDimensions.map((k) => k + 1)])],
    dims: [0],
  }),
  simplify: ([x], { shape }) => (shapesEqual(x!.aval.shape, shape) ? x! : null),
  lower: ([x], { broadcastDimensions }) => lowerBroadcast(x, broadcastDimensions),
  printParams: ({ shape, broadcastDimensions }) => ({ broadcast_dimensions: broadcastDimensions, shape }),
});

export const broadcastInDim = (x: NDArray, shape: Shape, broadcastDimensions: readonly number[]): NDArray =>
  bind1(broadcastInDimP, [x], { shape, broadcastDimensions });

/** Broadcasts to `shape`, aligning trailing axes. */
export function broadcastTo(x: NDArray, shape: Shape): NDArray {
  if (shapesEqual(x.shape, shape)) return x;
  const first = shape.length - x.ndim;
  return broadcastInDim(
    x,
    shape,
    range(x.ndim).map((i) => i + first),
  );
}

/** An array filled with one number. */
export function full(shape: Shape, value: number, dtype: DType, weakType = false): NDArray {
  const scalar = new Literal(new Aval([], dtype, weakType), value);
  return shape.length === 0 ? scalar : broadcastInDim(scalar, shape, []);
}

export const zerosLike = (aval: Aval): NDArray =>
  isKey(aval.dtype) ? full(aval.shape, 0, "bool") : full(aval.shape, 0, aval.dtype, aval.weakType);

/** Makes a symbolic zero explicit. */
export const instantiate = (t: Tangent): NDArray => (t instanceof Zero ? zerosLike(t.aval) : t);

// ---------------------------------------------------------------- reshape, transpose

const reshapeP: Primitive<One, { readonly shape: Shape }> = /* @__PURE__ */ definePrimitive<
  One,
  { readonly shape: Shape }
>({
  name: "reshape",
  kind: "movement",
  infer: ([x], { shape }) => {
    if (sizeOf(shape) !== x.size)
      throw new ShapeError("ReshapeSize", {
        what: `reshape: an array of shape ${shapeText(x.shape)} (${x.size} elements) cannot take the shape ${shapeText(shape)} (${sizeOf(shape)} elements)`,
        why: "reshape keeps the number of elements",
        fix: "choose a shape with the same product; one axis may be given as -1 in numpy.reshape",
      });
    return [x.withShape(shape)];
  },
  reference: ([x], { shape }) => [{ ...x, shape }],
  jvp: ([x], [dx], { shape }) => ({ primals: [reshape(x, shape)], tangents: [reshape(dx as NDArray, shape)] }),
  transpose: ([ct], [x]) => [isLinear(x) ? reshape(ct as NDArray, x.aval.shape) : null],
  batch: ([x], [d], { shape }, { size }) => ({ outs: [reshape(moveAxis(x, d!, 0), [size, ...shape])], dims: [0] }),
  simplify: ([x], { shape }) => (shapesEqual(x!.aval.shape, shape) ? x! : null),
  lower: ([x], { shape }) => movedFrom(x, (index) => unflatten(flatIndex(index, shape), x.aval.shape)),
  printParams: ({ shape }) => ({ new_sizes: shape }),
});

export const reshape = (x: NDArray, shape: Shape): NDArray =>
  shapesEqual(x.shape, shape) ? x : bind1(reshapeP, [x], { shape });

const transposeP: Primitive<One, { readonly permutation: readonly number[] }> = /* @__PURE__ */ definePrimitive<
  One,
  { readonly permutation: readonly number[] }
>({
  name: "transpose",
  kind: "movement",
  infer: ([x], { permutation }) => {
    if (permutation.length !== x.ndim || [...permutation].sort((a, b) => a - b).some((p, i) => p !== i))
      throw new ShapeError("InvalidPermutation", {
        what: `transpose: [${permutation.join(", ")}] is not a permutation of the ${x.ndim} axes of shape ${shapeText(x.shape)}`,
        why: "a transposition names every axis exactly once",
        fix: `give each of 0…${x.ndim - 1} once`,
      });
    return [x.withShape(permutation.map((p) => x.shape[p]!))];
  },
  reference: ([x], { permutation }, [out]) => {
    const own = stridesOf(x.shape);
    return [
      strided(
        x,
        out!.shape,
        permutation.map((p) => own[p]!),
      ),
    ];
  },
  jvp: ([x], [dx], { permutation }) => ({
    primals: [transpose(x, permutation)],
    tangents: [transpose(dx as NDArray, permutation)],
  }),
  transpose: ([ct], [x], { permutation }) => {
    if (!isLinear(x)) return [null];
    const inverse = range(permutation.length);
    permutation.forEach((p, i) => (inverse[p] = i));
    return [transpose(ct as NDArray, inverse)];
  },
  batch: ([x], [d], { permutation }) => ({
    outs: [transpose(x, [d!, ...permutation.map((p) => (p < d! ? p : p + 1))])],
    dims: [0],
  }),
  simplify: ([x], { permutation }) => (permutation.every((p, i) => p === i) ? x! : null),
  lower: ([x], { permutation }) => lowerTranspose(x, permutation),
});

export const transpose = (x: NDArray, permutation: readonly number[]): NDArray =>
  permutation.every((p, i) => p === i) ? x : bind1(transposeP, [x], { permutation });

/** Moves one axis to another position, keeping the order of the others. */
export function moveAxis(x: NDArray, from: number, to: number): NDArray {
  if (from === to) return x;
  const rest = range(x.ndim).filter((i) => i !== from);
  rest.splice(to, 0, from);
  return transpose(x, rest);
}

/** A batch axis at the front: moved there, or made by broadcasting. */
export function batchToFront(x: NDArray, dim: number | null, size: number): NDArray {
  if (dim !== null) return moveAxis(x, dim, 0);
  return broadcastInDim(
    x,
    [size, ...x.shape],
    range(x.ndim).map((i) => i + 1),
  );
}

// ---------------------------------------------------------------- sum over axes (the transpose of broadcasting)

const reduceSumP: Primitive<One, { readonly axes: readonly number[] }> = /* @__PURE__ */ definePrimitive<
  One,
  { readonly axes: readonly number[] }
>({
  name: "reduce_sum",
  kind: "reduction",
  infer: ([x], { axes }) => {
    if (isKey(x.dtype)) throw noArithmetic("reduceSum", x);
    return [x.withShape(dropAxes(x.shape, axes))];
  },
  reference: ([x], { axes }, [out]) => {
    // Reduced axes last, then one run of additions in float64 per output element, rounded once.
    const kept = range(x.shape.length).filter((i) => !axes.includes(i));
    const own = stridesOf(x.shape);
    const order = [...kept, ...axes];
    const moved = order.every((p, i) => p === i)
      ? x
      : strided(
          x,
          order.map((a) => x.shape[a]!),
          order.map((a) => own[a]!),
        );
    const r = allocateLike(out!);
    const lanes = lanesOf(x.dtype);
    const n = sizeOf(axes.map((a) => x.shape[a]!)) * lanes;
    const { data } = moved;
    for (let o = 0; o < r.data.length; o++) {
      const lane = o % lanes;
      const start = ((o - lane) / lanes) * n + lane;
      let sum = 0;
      for (let j = 0; j < n; j += lanes) sum += data[start + j]!;
      // Sums of 32-bit integers stay exact in float64 up to 2^21 elements of full range; storing wraps them.
      r.data[o] = x.dtype === "bool" ? Number(sum > 0) : sum;
    }
    return [roundInPlace(r)];
  },
  jvp: ([x], [dx], { axes }) => ({ primals: [sumAxes(x, axes)], tangents: [sumAxes(dx as NDArray, axes)] }),
  transpose: ([ct], [x], { axes }) => {
    if (!isLinear(x)) return [null];
    const kept = range(x.aval.ndim).filter((i) => !axes.includes(i));
    return [broadcastInDim(ct as NDArray, x.aval.shape, kept)];
  },
  batch: ([x], [d], { axes }) => ({
    outs: [
      sumAxes(
        x,
        axes.map((a) => (a < d! ? a : a + 1)),
      ),
    ],
    dims: [d! - axes.filter((a) => a < d!).length],
  }),
  lower: ([x], { axes }) => lowerSum(x, axes),
});

/** Sum over canonical axes; no promotion. */
export const sumAxes = (x: NDArray, axes: readonly number[]): NDArray =>
  axes.length === 0 ? x : bind1(reduceSumP, [x], { axes });

const noArithmetic = (name: string, x: Aval): DTypeError =>
  new DTypeError("KeyArithmetic", {
    what: `${name}: ${String(x)} holds PRNG keys, which have no arithmetic`,
    why: "keys are opaque",
    fix: "draw numbers with random.uniform(key, …), or get the words with random.keyData(key)",
  });

// ---------------------------------------------------------------- convertElementType

interface ConvertParams {
  readonly dtype: DType;
  readonly weakType: boolean;
}

const convertP: Primitive<One, ConvertParams> = /* @__PURE__ */ definePrimitive<One, ConvertParams>({
  name: "convert_element_type",
  kind: "elementwise",
  infer: ([x], { dtype, weakType }) => {
    if (isKey(x.dtype) !== isKey(dtype))
      throw noArithmetic("convertElementType", isKey(x.dtype) ? x : x.withDType(dtype));
    return [x.withDType(dtype, weakType)];
  },
  reference: ([x], _, [out]) => [convertHost(x, out!.dtype)],
  jvp: ([x], [dx], { dtype, weakType }) => ({
    primals: [convert(x, dtype, weakType)],
    tangents: [
      isInexact(dtype) ? convert(dx as NDArray, dtype, weakType) : new Zero(new Aval(x.shape, dtype, weakType)),
    ],
  }),
  transpose: ([ct], [x]) => [isLinear(x) ? convert(ct as NDArray, x.aval.dtype, x.aval.weakType) : null],
  batch: ([x], [d], { dtype, weakType }) => ({ outs: [convert(x, dtype, weakType)], dims: [d] }),
  simplify: ([x], { dtype, weakType }) => (x!.aval.dtype === dtype && x!.aval.weakType === weakType ? x! : null),
  lower: ([x], { dtype }) => pulled((index) => convertLanes(x.at(index), x.aval.dtype, dtype)),
  printParams: ({ dtype, weakType }) => ({ new_dtype: dtype, weak_type: weakType }),
});

const integerRange: Partial<Record<DType, readonly [number, number]>> = {
  int8: [-128, 127],
  int16: [-32768, 32767],
  int32: [-2147483648, 2147483647],
  uint8: [0, 255],
  uint16: [0, 65535],
  uint32: [0, 4294967295],
};

/** Converts values: to bool by ≠ 0; floats to integers toward zero, saturating, NaN to 0; integers wrap. */
export function convertHost(x: HostArray, dtype: DType): HostArray {
  if (x.dtype === dtype) return x;
  const out = allocateLike({ shape: x.shape, dtype });
  const from = lanesOf(x.dtype);
  const to = lanesOf(dtype);
  const size = sizeOf(x.shape);
  const { data } = x;
  const range = isInteger(dtype) && isInexact(x.dtype) ? integerRange[dtype] : undefined;
  for (let i = 0; i < size; i++) {
    const v = data[i * from]!;
    if (isBool(dtype)) out.data[i] = Number(v !== 0 || (from === 2 && data[i * 2 + 1] !== 0));
    else if (range) out.data[i] = Number.isNaN(v) ? 0 : Math.min(Math.max(Math.trunc(v), range[0]), range[1]);
    else out.data[i * to] = v;
  }
  return roundInPlace(out);
}

/** Converts to a dtype; gives `x` itself when nothing changes. */
export function convert(x: NDArray, dtype: DType, weakType = false): NDArray {
  if (x.dtype === dtype && x.weakType === weakType) return x;
  if (x instanceof Literal && !isComplex(x.dtype)) {
    const host = convertHost({ shape: [], dtype: x.dtype, data: Float64Array.of(x.value) }, dtype);
    return new Literal(new Aval([], dtype, weakType), isBool(x.dtype) && isBool(dtype) ? x.value : host.data[0]!);
  }
  return bind1(convertP, [x], { dtype, weakType });
}

/** The dtype in which tangents of an aval live, or null if it has none. */
export const tangentAval = (a: Aval): Aval => (isInexact(a.dtype) ? a : a.withDType("bool"));

// ---------------------------------------------------------------- stopGradient

/** Identity with zero derivative. */
const stopGradientP: Primitive<One, null> = /* @__PURE__ */ definePrimitive<One, null>({
  name: "stop_gradient",
  kind: "elementwise",
  infer: ([x]) => [x],
  reference: ([x]) => [x],
  jvp: ([x]) => ({ primals: [bind1(stopGradientP, [x], null)], tangents: [new Zero(x.aval)] }),
  transpose: "nonlinear",
  batch: ([x], [d]) => ({ outs: [bind1(stopGradientP, [x], null)], dims: [d] }),
  simplify: ([x]) => x!,
  lower: () => ({ form: "identity" }),
});

export const stopGradientArray = (x: NDArray): NDArray => (isInexact(x.dtype) ? bind1(stopGradientP, [x], null) : x);

// ---------------------------------------------------------------- eye

interface EyeParams {
  readonly rows: number;
  readonly columns: number;
  /** Row r, column c holds 1 where c = r + offset. */
  readonly offset: number;
  readonly dtype: DType;
}

const noOperands = (): never => unreachable("the primitive has no operands");

/** Ones on one diagonal: the bases that Jacobians are taken along. */
const eyeP: Primitive<readonly [], EyeParams> = /* @__PURE__ */ definePrimitive<readonly [], EyeParams>({
  name: "eye",
  kind: "movement",
  infer: (_, { rows, columns, dtype }) => [new Aval([rows, columns], dtype)],
  reference: (_, { rows, columns, offset }, [out]) => {
    const r = allocateLike(out!);
    const lanes = lanesOf(r.dtype);
    for (let i = Math.max(0, -offset); i < rows && i + offset < columns; i++)
      r.data[(i * columns + i + offset) * lanes] = 1;
    return [r];
  },
  jvp: noOperands,
  transpose: "nonlinear",
  batch: noOperands,
  lower: (_, { offset }, [out]) => lowerEye(offset, out!),
});

export const eye = (rows: number, columns: number, offset: number, dtype: DType): NDArray =>
  bind1(eyeP, [], { rows, columns, offset, dtype });

// ---------------------------------------------------------------- unspecified

/** An array that nobody will read: what one branch of a choice gives for the values only another branch computes. */
export const unspecifiedP: Primitive<readonly [], { readonly aval: Aval }> = /* @__PURE__ */ definePrimitive<
  readonly [],
  { readonly aval: Aval }
>({
  name: "unspecified",
  kind: "movement",
  infer: (_, { aval }) => [aval],
  reference: (_, { aval }) => [allocateLike(aval)],
  jvp: noOperands,
  transpose: "nonlinear",
  batch: noOperands,
  lower: (_, { aval }) => pulled(() => numberIn(aval.dtype, 0)),
  printParams: ({ aval }) => ({ aval: String(aval) }),
});

export const unspecified = (aval: Aval): NDArray => bind1(unspecifiedP, [], { aval });

/** Every structural primitive, for sweeps. */
export const primitives = [
  addAnyP,
  broadcastInDimP,
  reshapeP,
  transposeP,
  reduceSumP,
  convertP,
  stopGradientP,
  eyeP,
  unspecifiedP,
] as const;
