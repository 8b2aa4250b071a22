/**
 * Contraction: dotGeneral, the product that sums over chosen axes of both operands and runs over shared batch axes.
 * Result axes: batch axes, then what is left of lhs, then what is left of rhs. Bilinear; all derivatives and the batch
 * rule are again dotGeneral with other dimension numbers.
 */
import type { ArrayLike } from "../core/arrayMethods.ts";
import type { Aval } from "../core/aval.ts";
import {
  type DType,
  bytesPerElement,
  isComplex,
  isFloat,
  isInexact,
  isKey,
  isUnsigned,
  parseDType,
} from "../core/dtype.ts";
import { type HostArray, allocateLike, lanesOf, roundInPlace } from "../core/hostArray.ts";
import type { NDArray } from "../core/ndarray.ts";
import { asArray } from "../core/operands.ts";
import {
  type AnyPrimitive,
  type Batched,
  type Primitive,
  type Tangent,
  type Two,
  Zero,
  definePrimitive,
  isLinear,
} from "../core/primitive.ts";
import { DTypeError, ShapeError } from "../core/problem.ts";
import { type Shape, canonicalAxis, range, shapeText, shapesEqual, sizeOf, stridesOf } from "../core/shape.ts";
import { addTangents, convert, strided, transpose } from "../core/structural.ts";
import { bind1 } from "../core/trace.ts";
import { readOptions } from "./arguments.ts";
import { lowerDot } from "./contractLowering.ts";
import { integerMatmul, matmul, packRows, paddedLength } from "./matmul.ts";
import { unit } from "../core/unit.ts";

/** Which axes are contracted, `[lhs, rhs]`, and which are batch axes, `[lhs, rhs]`, paired in order. */
export type DotDimensionNumbers = readonly [
  contracting: readonly [lhs: readonly number[], rhs: readonly number[]],
  batch: readonly [lhs: readonly number[], rhs: readonly number[]],
];

/** How exactly to multiply, as in JAX; devices that have one way only ignore it. */
export type Precision = string | null | readonly [string | null, string | null];

export interface DotGeneralParams {
  readonly dimensionNumbers: DotDimensionNumbers;
  readonly precision: Precision;
  /** The dtype of the result and of the sums; null: that of the operands. */
  readonly preferredElementType: DType | null;
}

const rest = (ndim: number, ...taken: readonly (readonly number[])[]): number[] =>
  range(ndim).filter((i) => taken.every((t) => !t.includes(i)));
const pick = (shape: Shape, axes: readonly number[]): number[] => axes.map((a) => shape[a]!);

export const dotGeneralP: Primitive<Two, DotGeneralParams> = /* @__PURE__ */ definePrimitive<Two, DotGeneralParams>({
  name: "dot_general",
  kind: "contraction",
  infer: ([x, y], p) => {
    checkDimensions(x.shape, y.shape, p.dimensionNumbers);
    const [[xc, yc], [xb, yb]] = p.dimensionNumbers;
    const shape = [
      ...pick(x.shape, xb),
      ...pick(x.shape, rest(x.ndim, xc, xb)),
      ...pick(y.shape, rest(y.ndim, yc, yb)),
    ];
    return [
      x.withShape(shape).withDType(resultDType("dotGeneral", x, y, p.preferredElementType), x.weakType && y.weakType),
    ];
  },
  reference: ([x, y], p, [out]) => [dotHost(x, y, p.dimensionNumbers, out!)],
  jvp: ([x, y], [dx, dy], p) => {
    const out = bind1(dotGeneralP, [x, y], p);
    const left: Tangent = dx instanceof Zero ? new Zero(out.aval) : bind1(dotGeneralP, [dx, y], p);
    const right: Tangent = dy instanceof Zero ? new Zero(out.aval) : bind1(dotGeneralP, [x, dy], p);
    return { primals: [out], tangents: [addTangents(left, right)] };
  },
  transpose: ([ct], [x, y], p) => {
    const [[xc, yc], [xb, yb]] = p.dimensionNumbers;
    if (isLinear(x)) return [transposeLeft(ct as NDArray, x.aval, y as NDArray, p, false), null];
    const swapped: DotDimensionNumbers = [
      [yc, xc],
      [yb, xb],
    ];
    return [
      null,
      isLinear(y) ? transposeLeft(ct as NDArray, y.aval, x, { ...p, dimensionNumbers: swapped }, true) : null,
    ];
  },
  batch: ([x, y], [dx, dy], p) => batchDot(x, y, dx, dy, p),
  lower: ([x, y], p, [out]) => lowerDot(x, y, p, out!.dtype),
  printParams: ({ dimensionNumbers, precision, preferredElementType }) => ({
    dimension_numbers: dimensionNumbers,
    precision: precision ?? undefined,
    preferred_element_type: preferredElementType ?? undefined,
  }),
});

/** Cotangent of lhs (of rhs when swapped): contract the result's cotangent with the other operand's kept axes. */
function transposeLeft(ct: NDArray, x: Aval, y: NDArray, p: DotGeneralParams, swapped: boolean): NDArray {
  const [[xc, yc], [xb, yb]] = p.dimensionNumbers;
  const [xKept, yKept] = [rest(x.ndim, xc, xb), rest(y.ndim, yc, yb)];
  const first = xb.length + (swapped ? 0 : xKept.length);
  const ctY = range(yKept.length).map((i) => i + first);
  const product = bind1(dotGeneralP, [ct, y], {
    ...p,
    dimensionNumbers: [
      [ctY, yKept],
      [range(xb.length), yb],
    ],
  });
  // The contracted axes come out in the order of y's axes.
  const byY = range(yc.length).sort((i, j) => yc[i]! - yc[j]!);
  const order = [...xb, ...xKept, ...byY.map((i) => xc[i]!)];
  const inverse = range(order.length);
  order.forEach((axis, i) => (inverse[axis] = i));
  return convert(transpose(product, inverse), x.dtype, x.weakType);
}

/** One mapped operand: its axis becomes a kept axis. Both: one more batch axis, in front. */
function batchDot(x: NDArray, y: NDArray, dx: number | null, dy: number | null, p: DotGeneralParams): Batched {
  const [[xc, yc], [xb, yb]] = p.dimensionNumbers;
  const shift = (axes: readonly number[], d: number | null): number[] =>
    axes.map((a) => (d !== null && a >= d ? a + 1 : a));
  const contracting = [shift(xc, dx), shift(yc, dy)] as const;
  const both = dx !== null && dy !== null;
  const batch = [
    [...(both ? [dx] : []), ...shift(xb, dx)],
    [...(both ? [dy] : []), ...shift(yb, dy)],
  ] as const;
  const out = bind1(dotGeneralP, [x, y], { ...p, dimensionNumbers: [contracting, batch] });
  if (both) return { outs: [out], dims: [0] };
  const dim =
    dx !== null
      ? xb.length + rest(x.ndim, contracting[0], batch[0]).indexOf(dx)
      : x.ndim - xc.length + rest(y.ndim, contracting[1], batch[1]).indexOf(dy!);
  return { outs: [out], dims: [dim] };
}

// ---------------------------------------------------------------- checks

function checkDimensions(x: Shape, y: Shape, numbers: DotDimensionNumbers): void {
  const [[xc, yc], [xb, yb]] = numbers;
  const valid = (axes: readonly number[], ndim: number): boolean =>
    new Set(axes).size === axes.length && axes.every((a) => Number.isInteger(a) && a >= 0 && a < ndim);
  if (
    !valid([...xc, ...xb], x.length) ||
    !valid([...yc, ...yb], y.length) ||
    xc.length !== yc.length ||
    xb.length !== yb.length
  )
    throw badDimensions(x, y, numbers);
  const bad = xc.findIndex((a, i) => x[a] !== y[yc[i]!]);
  if (bad >= 0) throw innerAxes(x, y, x[xc[bad]!]!, y[yc[bad]!]!, numbers);
  if (!shapesEqual(pick(x, xb), pick(y, yb)))
    throw new ShapeError("BatchAxesDiffer", {
      what: `dot: batch axes differ, ${shapeText(x)} · ${shapeText(y)}: ${shapeText(pick(x, xb))} ≠ ${shapeText(pick(y, yb))}`,
      why: "batch axes are paired in order and run together, so their lengths are equal",
      fix: "broadcast one operand first, or check the order of the batch axes",
    });
}

const innerAxes = (x: Shape, y: Shape, n: number, m: number, [[xc, yc], [xb]]: DotDimensionNumbers): ShapeError => {
  // The usual mistake: a weight stored the other way round.
  const swapped = xb.length === 0 && xc.length === 1 && y.length === 2 && y[1 - yc[0]!] === n;
  return new ShapeError("InnerAxesDiffer", {
    what: `dot: inner axes differ, ${shapeText(x)} · ${shapeText(y)}: ${n} ≠ ${m}`,
    why: "the axes that are summed over must have equal lengths",
    fix: swapped
      ? "did you mean the transpose of the second operand, dot(x, transpose(w))?"
      : "check the operands' shapes, or which axes are contracted",
  });
};

const badDimensions = (x: Shape, y: Shape, numbers: DotDimensionNumbers): ShapeError =>
  new ShapeError("DotDimensionNumbers", {
    what: `dotGeneral: dimension numbers ${JSON.stringify(numbers)} do not fit shapes ${shapeText(x)} and ${shapeText(y)}`,
    why: "[[lhs contracting, rhs contracting], [lhs batch, rhs batch]] name existing axes, each at most once, in pairs",
    fix: "for a matrix product write [[[1], [0]], [[], []]]",
  });

/** JAX's order of dtypes in products: complex, exponent range, mantissa, width, signedness. */
function dtypeRank(d: DType): number {
  if (isComplex(d)) return 1000;
  const floats: Partial<Record<DType, number>> = { float16: 500, bfloat16: 600, float32: 601, float64: 700 };
  return floats[d] ?? (d === "bool" ? 0 : bytesPerElement(d) * 2) + (isUnsigned(d) ? 0 : 1);
}

/** The dtype of a product: the operands' own, or the preferred one. */
export function resultDType(name: string, x: Aval, y: Aval, preferred: DType | null): DType {
  if (isKey(x.dtype) || isKey(y.dtype))
    throw new DTypeError("KeyArithmetic", {
      what: `${name}: ${String(x)} and ${String(y)}: PRNG keys have no arithmetic`,
      why: "keys are opaque",
      fix: "draw numbers with random.uniform(key, …) first",
    });
  const own = dtypeRank(x.dtype) >= dtypeRank(y.dtype) ? x.dtype : y.dtype;
  if (preferred === null || preferred === own) return own;
  const narrower = !isFloat(own) && bytesPerElement(preferred) < bytesPerElement(own);
  if (
    narrower ||
    (isInexact(own) && !isInexact(preferred)) ||
    (isComplex(own) && !isComplex(preferred)) ||
    isKey(preferred)
  )
    throw new DTypeError("PreferredElementType", {
      what: `${name}: preferredElementType ${preferred} does not fit operands of ${x.dtype} and ${y.dtype}`,
      why: "sums need at least the range of the operands",
      fix: `leave preferredElementType out, or convert the result with .astype("${preferred}")`,
    });
  return preferred;
}

// ---------------------------------------------------------------- reference

function dotHost(x: HostArray, y: HostArray, numbers: DotDimensionNumbers, out: Aval): HostArray {
  const [[xc, yc], [xb, yb]] = numbers;
  const [xk, yk] = [rest(x.shape.length, xc, xb), rest(y.shape.length, yc, yb)];
  const a = ordered(x, [...xb, ...xk, ...xc]);
  const b = ordered(y, [...yb, ...yc, ...yk]);
  const size = (h: HostArray, axes: readonly number[]): number => sizeOf(pick(h.shape, axes));
  const dims: ProductSizes = { batch: size(x, xb), m: size(x, xk), k: size(x, xc), n: size(y, yk) };
  const r = allocateLike(out);
  if (r.data.length === 0) return r;
  if (isComplex(out.dtype)) complexProduct(a, b, r, dims);
  else if (isInexact(out.dtype)) realProduct(a.data, b.data, r.data, dims);
  else integerProduct(a, b, r, dims);
  return roundInPlace(r);
}

/** The array with its axes in another order, packed. */
function ordered(x: HostArray, axes: readonly number[]): HostArray {
  if (axes.every((a, i) => a === i)) return x;
  const own = stridesOf(x.shape);
  return strided(x, pick(x.shape, axes), pick(own, axes));
}

interface ProductSizes {
  readonly batch: number;
  readonly m: number;
  readonly k: number;
  readonly n: number;
}
type Numbers = { readonly length: number; readonly [i: number]: number };

function realProduct(
  a: Numbers,
  b: Numbers,
  c: { [i: number]: number },
  { batch, m, k, n }: ProductSizes,
  aLanes: Lane = whole,
  bLanes: Lane = whole,
): void {
  const kp = paddedLength(k);
  const left = packRows(a, batch * m, k, kp, ...aLanes);
  const right = packRows(b, batch, k * n, kp * n, ...bLanes);
  for (let i = 0; i < batch; i++) matmul(left, i * m * kp, right, i * kp * n, c, i * m * n, m, k, n);
}

/** Numbers per element, and which of them. */
type Lane = readonly [lanes: number, lane: number];
const whole: Lane = [1, 0];

/** (a + ib)(c + id) by four real products; a real operand has no second lane. */
function complexProduct(a: HostArray, b: HostArray, r: HostArray, sizes: ProductSizes): void {
  const count = sizes.batch * sizes.m * sizes.n;
  const product = new Float64Array(count);
  const [la, lb] = [lanesOf(a.dtype), lanesOf(b.dtype)];
  const sums = new Float64Array(2 * count);
  for (let i = 0; i < la; i++)
    for (let j = 0; j < lb; j++) {
      realProduct(a.data, b.data, product, sizes, [la, i], [lb, j]);
      const sign = i + j === 2 ? -1 : 1;
      for (let t = 0, o = (i + j) % 2; t < count; t++, o += 2) sums[o] = sums[o]! + sign * product[t]!;
    }
  r.data.set(sums);
}

function integerProduct(a: HostArray, b: HostArray, r: HostArray, { batch, m, k, n }: ProductSizes): void {
  const [left, right] = [Int32Array.from(a.data), Int32Array.from(b.data)];
  const to = r.dtype === "bool" ? new Int32Array(r.data.length) : r.data;
  for (let i = 0; i < batch; i++) integerMatmul(left, i * m * k, right, i * k * n, to, i * m * n, m, k, n);
  if (to !== r.data) for (let i = 0; i < to.length; i++) r.data[i] = Number(to[i] !== 0);
}

// ---------------------------------------------------------------- functions

interface DotOptions {
  readonly precision?: Precision;
  readonly preferredElementType?: DType | null;
  /** Accepted for JAX's signature; arrays live on one device here. */
  readonly outSharding?: unknown;
}
type AllDotOptions = Required<DotOptions & { readonly dimensionNumbers: DotDimensionNumbers | null }>;

/** An axis list, or one axis; negative ones count from the end. */
const axesOf = (axes: number | readonly number[], ndim: number): readonly number[] =>
  (typeof axes === "number" ? [axes] : axes).map((a) => canonicalAxis("dotGeneral", a, ndim));

/**
 * The general product: sums over pairs of contracted axes, runs along pairs of batch axes.
 *
 * @example
 * lax.dotGeneral(np.ones([2, 3]), np.ones([3, 1]), [[[1], [0]], [[], []]]) // [[3], [3]]
 */
export const dotGeneral = /* @__PURE__ */ unit(
  "dotGeneral",
  2,
  function dotGeneral(
    lhs: ArrayLike,
    rhs: ArrayLike,
    dimensionNumbers: DotDimensionNumbers,
    ...options: readonly (Precision | DotOptions | undefined)[]
  ): NDArray {
    const { precision = null, preferredElementType = null } = readOptions<Required<DotOptions>>(
      "dotGeneral",
      ["precision", "preferredElementType", "outSharding"],
      2,
      options,
    );
    const [x, y] = [asArray(lhs, "dotGeneral"), asArray(rhs, "dotGeneral")];
    const [[xc, yc], [xb, yb]] = dimensionNumbers;
    const numbers: DotDimensionNumbers = [
      [axesOf(xc, x.ndim), axesOf(yc, y.ndim)],
      [axesOf(xb, x.ndim), axesOf(yb, y.ndim)],
    ];
    return bind1(dotGeneralP, [x, y], {
      dimensionNumbers: numbers,
      precision,
      preferredElementType: preferredElementType === null ? null : parseDType(preferredElementType),
    });
  },
);

/** The product of vectors and matrices: sums over the last axis of `lhs` and the first of `rhs`. */
export const dot = /* @__PURE__ */ unit(
  "dot",
  2,
  function dot(
    lhs: ArrayLike,
    rhs: ArrayLike,
    options: DotOptions & { readonly dimensionNumbers?: DotDimensionNumbers | null } = {},
  ): NDArray {
    const { dimensionNumbers = null, ...others } = readOptions<AllDotOptions>(
      "dot",
      ["dimensionNumbers", "precision", "preferredElementType", "outSharding"],
      0,
      [options],
    );
    const [x, y] = [asArray(lhs, "dot"), asArray(rhs, "dot")];
    if (dimensionNumbers) return dotGeneral(x, y, dimensionNumbers, others);
    if (![1, 2].includes(x.ndim) || ![1, 2].includes(y.ndim))
      throw new ShapeError("DotRank", {
        what: `dot: ${shapeText(x.shape)} · ${shapeText(y.shape)} needs dimension numbers`,
        why: "without them dot multiplies vectors and matrices only",
        fix: "use numpy.matmul or numpy.einsum, or give { dimensionNumbers: [[[…], […]], [[…], […]]] }",
      });
    return dotGeneral(
      x,
      y,
      [
        [[x.ndim - 1], [0]],
        [[], []],
      ],
      others,
    );
  },
);

/** Matrix products over equal leading axes. */
export const batchMatmul = /* @__PURE__ */ unit(
  "batchMatmul",
  2,
  function batchMatmul(
    lhs: ArrayLike,
    rhs: ArrayLike,
    precision: Precision | { readonly precision?: Precision } = null,
  ): NDArray {
    const options = readOptions<{ precision: Precision }>("batchMatmul", ["precision"], 1, [precision]);
    const [x, y] = [asArray(lhs, "batchMatmul"), asArray(rhs, "batchMatmul")];
    if (x.ndim < 2 || x.ndim !== y.ndim)
      throw new ShapeError("BatchMatmulRank", {
        what: `batchMatmul: shapes ${shapeText(x.shape)} and ${shapeText(y.shape)}`,
        why: "both operands have the same number of axes, at least two",
        fix: "use numpy.matmul, which broadcasts",
      });
    const batch = range(x.ndim - 2);
    return dotGeneral(
      x,
      y,
      [
        [[x.ndim - 1], [y.ndim - 2]],
        [batch, batch],
      ],
      options,
    );
  },
);

export const primitives: readonly AnyPrimitive[] = [dotGeneralP];
