/** Products of vectors and matrices, all through dotGeneral. */
import type { ArrayLike } from "../core/arrayMethods.ts";
import { type DType, isComplex } from "../core/dtype.ts";
import type { NDArray } from "../core/ndarray.ts";
import { asArray, promoteOperands } from "../core/operands.ts";
import { ArgumentError, ShapeError } from "../core/problem.ts";
import { broadcastShapes, canonicalAxis, range, shapeText } from "../core/shape.ts";
import { broadcastInDim, broadcastTo, convert, moveAxis, reshape, transpose } from "../core/structural.ts";
import { mulArrays } from "../lax/arithmetic.ts";
import { andArrays } from "../lax/bitwise.ts";
import { conj } from "../lax/complex.ts";
import { type DotDimensionNumbers, type Precision, dotGeneral } from "../lax/contract.ts";
import { convertElementType } from "../lax/cast.ts";
import { expandDims } from "../lax/movement.ts";
import { type Rest, given, optionalDType } from "./arguments.ts";
import { multiply, subtract } from "./arithmetic.ts";
import { stack } from "./join.ts";
import { moveaxis } from "./shape.ts";
import { unit } from "../core/unit.ts";

export interface ProductOptions {
  /** How exactly to multiply; devices that have one way only ignore it. */
  readonly precision?: Precision | undefined;
  /** The dtype of sums and of the result. */
  readonly preferredElementType?: DType | null | undefined;
}
export const productNames = ["precision", "preferredElementType"] as const;
type ProductRest = Rest<[], ProductOptions>;

/** Operands of one dtype and the product with dimension numbers, in the dtype asked for. */
export function product(x: NDArray, y: NDArray, numbers: DotDimensionNumbers, options: ProductOptions): NDArray {
  const { precision = null, preferredElementType } = options;
  const preferred = optionalDType(preferredElementType);
  const weak = preferred === null && x.weakType && y.weakType;
  const out = dotGeneral(x, y, numbers, { precision, preferredElementType: preferred ?? x.dtype });
  return convert(out, preferred ?? x.dtype, weak);
}

const operands = (name: string, a: ArrayLike, b: ArrayLike): [NDArray, NDArray] =>
  promoteOperands(name, [a, b]) as [NDArray, NDArray];

const innerMismatch = (name: string, x: NDArray, y: NDArray, n: number, m: number): ShapeError =>
  new ShapeError("ContractionMismatch", {
    what: `${name}: inner axes differ, ${shapeText(x.shape)} · ${shapeText(y.shape)}: ${n} ≠ ${m}`,
    why: "the last axis of the first operand is summed against the second-to-last axis of the second (its only one if it is a vector)",
    fix:
      y.ndim >= 2 && y.shape.at(-1) === n
        ? `did you mean ${name}(x, w.mT)?`
        : x.ndim >= 2 && x.shape.at(-2) === m
          ? `did you mean ${name}(x.mT, w)?`
          : "reshape or transpose one operand so that the two lengths are equal",
  });

/**
 * Dot product: sums over the last axis of `a` and the second-to-last of `b` (its only one if `b` is a vector).
 *
 * @example
 * np.dot(np.array([1, 2, 3]), np.array([4, 5, 6])) // 32
 */
export const dot = /* @__PURE__ */ unit(
  "dot",
  2,
  function dot(a: ArrayLike, b: ArrayLike, ...rest: ProductRest): NDArray {
    const options = given<ProductOptions>("dot", productNames, 0, rest);
    const [x, y] = operands("dot", a, b);
    if (x.ndim === 0 || y.ndim === 0)
      return product(
        x,
        y,
        [
          [[], []],
          [[], []],
        ],
        options,
      );
    const [i, j] = [x.ndim - 1, Math.max(0, y.ndim - 2)];
    if (x.shape[i] !== y.shape[j]) throw innerMismatch("dot", x, y, x.shape[i]!, y.shape[j]!);
    return product(
      x,
      y,
      [
        [[i], [j]],
        [[], []],
      ],
      options,
    );
  },
);

/**
 * Matrix product; leading axes are broadcast, vectors are rows on the left and columns on the right.
 *
 * @example
 * np.matmul(np.array([[1, 2], [3, 4]]), np.array([1, 1])) // [3, 7]
 */
export const matmul = /* @__PURE__ */ unit(
  "matmul",
  2,
  function matmul(a: ArrayLike, b: ArrayLike, ...rest: ProductRest): NDArray {
    const options = given<ProductOptions>("matmul", productNames, 0, rest);
    const [x, y] = operands("matmul", a, b);
    if (x.ndim === 0 || y.ndim === 0)
      throw new ShapeError("MatmulScalar", {
        what: `matmul: ${shapeText(x.shape)} · ${shapeText(y.shape)} has a scalar operand`,
        why: "a matrix product needs at least one axis on both sides",
        fix: "multiply by scalars with numpy.multiply",
      });
    const [n, m] = [x.shape.at(-1)!, y.ndim === 1 ? y.shape[0]! : y.shape.at(-2)!];
    if (n !== m) throw innerMismatch("matmul", x, y, n, m);
    if (x.ndim <= 2 && y.ndim <= 2)
      return product(
        x,
        y,
        [
          [[x.ndim - 1], [0]],
          [[], []],
        ],
        options,
      );
    return batchedMatmul(x, y, options);
  },
);

/**
 * Leading axes that both operands have are batch axes; one that only one has (or has at length over 1) stays with it and
 * is put in its place afterwards, so that nothing is copied for the sake of broadcasting.
 */
function batchedMatmul(a: NDArray, b: NDArray, options: ProductOptions): NDArray {
  const [aMatrix, bMatrix] = [a.ndim > 1, b.ndim > 1];
  const [aLead, bLead] = [aMatrix ? a.shape.slice(0, -2) : [], bMatrix ? b.shape.slice(0, -2) : []];
  const lead = broadcastShapes("matmul", [aLead, bLead]);
  const at = (shape: readonly number[], i: number): number => i - (lead.length - shape.length);
  const [xShape, yShape]: [number[], number[]] = [[], []];
  const [xBatch, yBatch]: [number[], number[]] = [[], []];
  // Where the product's axes belong in the result: batch axes, then x's, then y's.
  const [batchPlace, xPlace, yPlace]: [number[], number[], number[]] = [[], [], []];
  for (const i of range(lead.length)) {
    const n = aLead[at(aLead, i)] ?? 1;
    const m = bLead[at(bLead, i)] ?? 1;
    if (n !== 1 && m !== 1) {
      xBatch.push(xShape.length);
      yBatch.push(yShape.length);
      batchPlace.push(i);
    } else if (n !== 1) xPlace.push(i);
    else if (m !== 1) yPlace.push(i);
    if (n !== 1) xShape.push(n);
    if (m !== 1) yShape.push(m);
  }
  if (aMatrix) xPlace.push(lead.length);
  if (bMatrix) yPlace.push(lead.length + 1);
  const x = reshape(a, [...xShape, ...a.shape.slice(aMatrix ? -2 : -1)]);
  const y = reshape(b, [...yShape, ...b.shape.slice(bMatrix ? -2 : -1)]);
  const out = product(
    x,
    y,
    [
      [[x.ndim - 1], [bMatrix ? y.ndim - 2 : y.ndim - 1]],
      [xBatch, yBatch],
    ],
    options,
  );
  const places = [...batchPlace, ...xPlace, ...yPlace];
  const order = range(places.length).sort((i, j) => places[i]! - places[j]!);
  const result = transpose(out, order);
  return reshape(result, [...lead, ...(aMatrix ? [a.shape.at(-2)!] : []), ...(bMatrix ? [b.shape.at(-1)!] : [])]);
}

/**
 * Matrices times vectors, with broadcast leading axes.
 *
 * @example
 * np.matvec(np.array([[1, 2], [3, 4]]), np.array([1, 1])) // [3, 7]
 */
export const matvec = /* @__PURE__ */ unit("matvec", 2, (x1: ArrayLike, x2: ArrayLike): NDArray => {
  const y = matmul(x1, expandDims(asArray(x2, "matvec"), [-1]));
  return reshape(y, y.shape.slice(0, -1));
});

const conjugated = (x: NDArray): NDArray => (isComplex(x.dtype) ? conj(x) : x);

/**
 * Conjugated row vectors times matrices, with broadcast leading axes.
 *
 * @example
 * np.vecmat(np.array([1, 1]), np.array([[1, 2], [3, 4]])) // [4, 6]
 */
export const vecmat = /* @__PURE__ */ unit("vecmat", 2, (x1: ArrayLike, x2: ArrayLike): NDArray => {
  const y = matmul(expandDims(conjugated(asArray(x1, "vecmat")), [-2]), x2);
  return reshape(y, [...y.shape.slice(0, -2), y.shape.at(-1)!]);
});

/**
 * Dot product of the flattened arrays, the first conjugated.
 *
 * @example
 * np.vdot(np.array([[1, 2], [3, 4]]), np.ones([2, 2])) // 10
 */
export const vdot = /* @__PURE__ */ unit(
  "vdot",
  2,
  function vdot(a: ArrayLike, b: ArrayLike, ...rest: ProductRest): NDArray {
    const [x, y] = [conjugated(asArray(a, "vdot")), asArray(b, "vdot")];
    return dot(reshape(x, [x.size]), reshape(y, [y.size]), ...rest);
  },
);

/**
 * Dot products along an axis, with the other axes broadcast; the first operand is conjugated.
 *
 * @example
 * np.vecdot(np.array([[1, 2], [3, 4]]), np.array([1, 1])) // [3, 7]
 */
export const vecdot = /* @__PURE__ */ unit(
  "vecdot",
  2,
  function vecdot(
    x1: ArrayLike,
    x2: ArrayLike,
    ...rest: Rest<[], ProductOptions & { readonly axis?: number | undefined }>
  ): NDArray {
    const { axis = -1, ...options } = given<ProductOptions & { axis: number }>(
      "vecdot",
      ["axis", ...productNames],
      0,
      rest,
    );
    const [a, b] = operands("vecdot", x1, x2);
    const last = (x: NDArray): NDArray => moveAxis(x, canonicalAxis("vecdot", axis, x.ndim), x.ndim - 1);
    const [x, y] = [last(conjugated(a)), last(b)];
    const n = x.shape.at(-1)!;
    if (n !== y.shape.at(-1)) throw innerMismatch("vecdot", a, b, n, y.shape.at(-1)!);
    const lead = broadcastShapes("vecdot", [x.shape.slice(0, -1), y.shape.slice(0, -1)]);
    const [p, q] = [x, y].map((z) => broadcastTo(z, [...lead, n])) as [NDArray, NDArray];
    const batch = range(lead.length);
    return product(
      p,
      q,
      [
        [[lead.length], [lead.length]],
        [batch, batch],
      ],
      options,
    );
  },
);

/** Axes to sum over: how many at the end of `a` and the start of `b`, or their numbers. */
export type TensordotAxes =
  number | readonly [number | readonly number[], number | readonly number[]] | readonly (number | readonly number[])[];

/**
 * Sums over pairs of axes of two arrays.
 *
 * @example
 * np.tensordot(np.ones([2, 3, 4]), np.ones([3, 4, 5])).shape // [2, 5]
 */
export const tensordot = /* @__PURE__ */ unit(
  "tensordot",
  2,
  function tensordot(
    a: ArrayLike,
    b: ArrayLike,
    ...rest: Rest<[TensordotAxes], ProductOptions & { readonly axes?: TensordotAxes | undefined }>
  ): NDArray {
    const { axes = 2, ...options } = given<ProductOptions & { axes: TensordotAxes }>(
      "tensordot",
      ["axes", ...productNames],
      1,
      rest,
    );
    const [x, y] = operands("tensordot", a, b);
    const [left, right] = tensordotAxes(x, y, axes);
    const bad = left.findIndex((i, k) => x.shape[i] !== y.shape[right[k]!]);
    if (bad >= 0) throw innerMismatch("tensordot", x, y, x.shape[left[bad]!]!, y.shape[right[bad]!]!);
    return product(
      x,
      y,
      [
        [left, right],
        [[], []],
      ],
      options,
    );
  },
);

function tensordotAxes(x: NDArray, y: NDArray, axes: TensordotAxes): readonly [number[], number[]] {
  const list = (k: number | readonly number[] | undefined, ndim: number): number[] =>
    (typeof k === "number" ? [k] : [...(k ?? [])]).map((i) => canonicalAxis("tensordot", i, ndim));
  if (typeof axes === "number") {
    if (Number.isInteger(axes) && axes >= 0 && axes <= Math.min(x.ndim, y.ndim))
      return [range(axes).map((i) => x.ndim - axes + i), range(axes)];
  } else if (axes.length === 2) {
    const pairs = [list(axes[0], x.ndim), list(axes[1], y.ndim)] as const;
    if (pairs[0].length === pairs[1].length) return pairs;
  }
  throw new ArgumentError("TensordotAxes", {
    what: `tensordot: axes ${JSON.stringify(axes)} for shapes ${shapeText(x.shape)} and ${shapeText(y.shape)}`,
    why: "axes are summed over in pairs",
    fix: "give a number of axes, or two lists of the same length, [[1], [0]]",
  });
}

/**
 * Sums over the last axes of both arrays; of scalars, the product.
 *
 * @example
 * np.inner(np.array([1, 2]), np.array([3, 4])) // 11
 */
export const inner = /* @__PURE__ */ unit(
  "inner",
  2,
  function inner(a: ArrayLike, b: ArrayLike, ...rest: ProductRest): NDArray {
    const options = given<ProductOptions>("inner", productNames, 0, rest);
    const [x, y] = operands("inner", a, b);
    if (x.ndim > 0 && y.ndim > 0) return tensordot(x, y, [-1, -1], options);
    const preferred = optionalDType(options.preferredElementType);
    return preferred ? multiply(convertElementType(x, preferred), convertElementType(y, preferred)) : multiply(x, y);
  },
);

/**
 * All products of elements of two flattened arrays.
 *
 * @example
 * np.outer(np.array([1, 2]), np.array([3, 4])) // [[3, 4], [6, 8]]
 */
export const outer = /* @__PURE__ */ unit("outer", 2, function outer(a: ArrayLike, b: ArrayLike): NDArray {
  const [x, y] = operands("outer", a, b);
  const shape = [x.size, y.size];
  const [p, q] = [broadcastInDim(reshape(x, [x.size]), shape, [0]), broadcastInDim(reshape(y, [y.size]), shape, [1])];
  return x.dtype === "bool" ? andArrays(p, q) : mulArrays(p, q);
});

/**
 * Kronecker product: every element of `a` times the whole of `b`.
 *
 * @example
 * np.kron(np.array([1, 10]), np.array([1, 2])) // [1, 2, 10, 20]
 */
export const kron = /* @__PURE__ */ unit("kron", 2, function kron(a: ArrayLike, b: ArrayLike): NDArray {
  const [p, q] = operands("kron", a, b);
  const n = Math.max(p.ndim, q.ndim);
  const [x, y] = [p, q].map((z) => expandDims(z, range(n - z.ndim))) as [NDArray, NDArray];
  const pairs = x.shape.flatMap((k, i) => [k, y.shape[i]!]);
  const spread = (z: NDArray, offset: number): NDArray =>
    broadcastInDim(
      z,
      pairs,
      range(n).map((i) => 2 * i + offset),
    );
  const [l, r] = [spread(x, 0), spread(y, 1)];
  const out = x.dtype === "bool" ? andArrays(l, r) : mulArrays(l, r);
  return reshape(
    out,
    x.shape.map((k, i) => k * y.shape[i]!),
  );
});

export interface CrossOptions {
  readonly axisa?: number | undefined;
  readonly axisb?: number | undefined;
  readonly axisc?: number | undefined;
  /** All three axes at once. */
  readonly axis?: number | null | undefined;
}

/**
 * Cross product of vectors of length 3 (or 2, whose missing component is 0).
 *
 * @example
 * np.cross(np.array([1, 0, 0]), np.array([0, 1, 0])) // [0, 0, 1]
 */
export const cross = /* @__PURE__ */ unit(
  "cross",
  2,
  function cross(
    a: ArrayLike,
    b: ArrayLike,
    ...rest: Rest<[number, number, number, number | null], CrossOptions>
  ): NDArray {
    const given_ = given<CrossOptions>("cross", ["axisa", "axisb", "axisc", "axis"], 4, rest);
    const common = given_.axis ?? null;
    const [axisa, axisb, axisc] = [given_.axisa, given_.axisb, given_.axisc].map((k) => common ?? k ?? -1) as [
      number,
      number,
      number,
    ];
    const [x, y] = [moveaxis(a, axisa, -1), moveaxis(b, axisb, -1)];
    const [n, m] = [x.shape.at(-1)!, y.shape.at(-1)!];
    if (![2, 3].includes(n) || ![2, 3].includes(m))
      throw new ShapeError("CrossLength", {
        what: `cross: vectors of lengths ${n} and ${m}`,
        why: "the cross product is defined in three dimensions (and for the plane in them)",
        fix: "name the axis that has the components, { axis: … }",
      });
    const part = (z: NDArray, i: number): NDArray | null => (i < z.shape.at(-1)! ? z.slice("...", i) : null);
    const minor = (i: number, j: number): NDArray => {
      const [p, q, r, s] = [part(x, i), part(y, j), part(x, j), part(y, i)];
      const left = p && q && multiply(p, q);
      const right = r && s && multiply(r, s);
      if (left && right) return subtract(left, right);
      return left ?? multiply(right!, -1);
    };
    if (n === 2 && m === 2) return minor(0, 1);
    const parts = [minor(1, 2), minor(2, 0), minor(0, 1)];
    return stack(parts, axisc);
  },
);
