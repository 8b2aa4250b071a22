/** Diagonals and triangles of matrices, and the indices of them. */
import type { ArrayLike } from "../core/arrayMethods.ts";
import type { DType } from "../core/dtype.ts";
import type { NDArray } from "../core/ndarray.ts";
import { asArray } from "../core/operands.ts";
import { ArgumentError, ShapeError } from "../core/problem.ts";
import { canonicalAxis, range, shapeText } from "../core/shape.ts";
import { broadcastInDim, eye as eyeArray, full, reshape } from "../core/structural.ts";
import { addArrays } from "../lax/arithmetic.ts";
import { selectArrays } from "../lax/compare.ts";
import { iota, tri as triMask } from "../lax/creation.ts";
import { padArray } from "../lax/movement.ts";
import { literalLike } from "../lax/rules.ts";
import { type Rest, given, integer, shapeOf, unsupported } from "./arguments.ts";
import { placeIn, readIndex } from "./at.ts";
import { type EyeOptions, diagonalGrid } from "./grids.ts";
import { nonzero } from "./nonzero.ts";
import { type SumOptions, sum } from "./reduce.ts";
import { moveaxis } from "./shape.ts";
import { unit } from "../core/unit.ts";

interface DiagonalOption {
  /** The diagonal; above the main one if positive. */
  readonly k?: number | undefined;
}
type DiagonalRest = Rest<[number], DiagonalOption>;

const diagonalOf = (name: string, rest: readonly unknown[]): number =>
  integer(name, "k", given<DiagonalOption>(name, ["k"], 1, rest).k ?? 0);

const needsMatrix = (name: string, shape: readonly number[]): ShapeError =>
  new ShapeError("MatrixRank", {
    what: `${name}: an array of shape ${shapeText(shape)} is no matrix`,
    why: "diagonals and triangles are those of at least two axes",
    fix: "reshape it, or add an axis with numpy.expandDims(x, 0)",
  });

// ---------------------------------------------------------------- triangles

/**
 * Ones on and below a diagonal, zeros above.
 *
 * @example
 * np.tri(2) // [[1, 0], [1, 1]]
 */
export function tri(N: number, ...rest: Rest<[number | null, number, DType | null], EyeOptions>): NDArray {
  const { rows, columns, k, dtype } = diagonalGrid("tri", N, rest);
  return triMask(dtype, [rows, columns], k);
}

/** The last two axes below a diagonal kept, or those above it. */
function triangle(name: string, m: ArrayLike, k: number, below: boolean): NDArray {
  const x = asArray(m, name);
  if (x.ndim < 2) throw needsMatrix(name, x.shape);
  const [rows, columns] = x.shape.slice(-2) as [number, number];
  const mask = triMask("bool", [rows, columns], below ? k : k - 1);
  const which = x.ndim === 2 ? mask : broadcastInDim(mask, x.shape, [x.ndim - 2, x.ndim - 1]);
  const zero = literalLike(x, 0);
  return below ? selectArrays(which, x, zero) : selectArrays(which, zero, x);
}

/**
 * Lower triangle: zeros above a diagonal.
 *
 * @example
 * np.tril(np.array([[1, 2], [3, 4]])) // [[1, 0], [3, 4]]
 */
export const tril = /* @__PURE__ */ unit("tril", 1, (m: ArrayLike, ...rest: DiagonalRest): NDArray =>
  triangle("tril", m, diagonalOf("tril", rest), true),
);

/**
 * Upper triangle: zeros below a diagonal.
 *
 * @example
 * np.triu(np.array([[1, 2], [3, 4]])) // [[1, 2], [0, 4]]
 */
export const triu = /* @__PURE__ */ unit("triu", 1, (m: ArrayLike, ...rest: DiagonalRest): NDArray =>
  triangle("triu", m, diagonalOf("triu", rest), false),
);

export interface TriangleOptions extends DiagonalOption {
  /** Number of columns; as many as rows by default. */
  readonly m?: number | null | undefined;
}
type TriangleRest = Rest<[number, number | null], TriangleOptions>;

function triangleIndices(name: string, n: number, rest: readonly unknown[], below: boolean): [NDArray, NDArray] {
  const { k = 0, m = null } = given<TriangleOptions>(name, ["k", "m"], 2, rest);
  const shape = [integer(name, "n", n), integer(name, "m", m ?? n)];
  let size = 0;
  for (let i = 0; i < shape[0]!; i++) {
    // Columns 0 … i + k are on or below the diagonal.
    const upTo = Math.min(Math.max(i + k + Number(below), 0), shape[1]!);
    size += below ? upTo : shape[1]! - upTo;
  }
  return nonzero(triangle(name, full(shape, 1, "bool"), k, below), { size }) as [NDArray, NDArray];
}

/**
 * Rows and columns of the lower triangle.
 *
 * @example
 * np.trilIndices(2) // [[0, 1, 1], [0, 0, 1]]
 */
export const trilIndices = (n: number, ...rest: TriangleRest): [NDArray, NDArray] =>
  triangleIndices("trilIndices", n, rest, true);

/**
 * Rows and columns of the upper triangle.
 *
 * @example
 * np.triuIndices(2) // [[0, 0, 1], [0, 1, 1]]
 */
export const triuIndices = (n: number, ...rest: TriangleRest): [NDArray, NDArray] =>
  triangleIndices("triuIndices", n, rest, false);

function matrixShape(name: string, arr: ArrayLike): readonly [number, number] {
  const shape = shapeOf(name, arr);
  if (shape.length !== 2) throw needsMatrix(name, shape);
  return shape as unknown as readonly [number, number];
}

/**
 * Rows and columns of the lower triangle of a matrix.
 *
 * @example
 * np.trilIndicesFrom(np.eye(2)) // [[0, 1, 1], [0, 0, 1]]
 */
export const trilIndicesFrom = /* @__PURE__ */ unit(
  "trilIndicesFrom",
  1,
  function trilIndicesFrom(arr: ArrayLike, ...rest: DiagonalRest): [NDArray, NDArray] {
    const [n, m] = matrixShape("trilIndicesFrom", arr);
    return trilIndices(n, diagonalOf("trilIndicesFrom", rest), m);
  },
);

/**
 * Rows and columns of the upper triangle of a matrix.
 *
 * @example
 * np.triuIndicesFrom(np.eye(2)) // [[0, 0, 1], [0, 1, 1]]
 */
export function triuIndicesFrom(arr: ArrayLike, ...rest: DiagonalRest): [NDArray, NDArray] {
  const [n, m] = matrixShape("triuIndicesFrom", arr);
  return triuIndices(n, diagonalOf("triuIndicesFrom", rest), m);
}

/**
 * The indices that a mask function picks from a square of ones.
 *
 * @example
 * np.maskIndices(2, np.triu) // [[0, 0, 1], [0, 1, 1]]
 */
export function maskIndices(
  n: number,
  maskFunc: (m: NDArray, k: number) => ArrayLike,
  ...rest: Rest<[number], DiagonalOption & { readonly size?: number | null | undefined }>
): NDArray[] {
  const { k = 0, size = null } = given<{ k: number; size: number | null }>("maskIndices", ["k", "size"], 1, rest);
  return nonzero(maskFunc(full([n, n], 1, "float32"), k), { size });
}

// ---------------------------------------------------------------- diagonals

export interface DiagonalOptions {
  readonly offset?: number | undefined;
  readonly axis1?: number | undefined;
  readonly axis2?: number | undefined;
}
const diagonalNames = ["offset", "axis1", "axis2"] as const;

/** The array with two axes last, and where its diagonal lies. */
function diagonalPlan(name: string, a: ArrayLike, { offset = 0, axis1 = 0, axis2 = 1 }: DiagonalOptions) {
  const x = asArray(a, name);
  if (x.ndim < 2) throw needsMatrix(name, x.shape);
  const [i, j] = [canonicalAxis(name, axis1, x.ndim), canonicalAxis(name, axis2, x.ndim)];
  if (i === j)
    throw new ArgumentError("DuplicateAxis", {
      what: `${name}: axis1 and axis2 are both ${i}`,
      why: "a diagonal runs through two axes",
      fix: "name two different axes",
    });
  const k = integer(name, "offset", offset);
  const [rows, columns] = [x.shape[i]!, x.shape[j]!];
  const size = Math.max(0, Math.min(rows + Math.min(k, 0), columns - Math.max(k, 0)));
  return { x: moveaxis(x, [i, j], [-2, -1]), rows, columns, k, size };
}

/**
 * A diagonal of two axes, as the last axis of the result.
 *
 * @example
 * np.diagonal(np.array([[1, 2], [3, 4]])) // [1, 4]
 */
export const diagonal = /* @__PURE__ */ unit(
  "diagonal",
  1,
  function diagonal(a: ArrayLike, ...rest: Rest<[number, number, number], DiagonalOptions>): NDArray {
    const { x, k, size } = diagonalPlan("diagonal", a, given<DiagonalOptions>("diagonal", diagonalNames, 3, rest));
    const near = iota("int32", size);
    const far = addArrays(near, literalLike(near, Math.abs(k)));
    const [i, j] = k >= 0 ? [near, far] : [far, near];
    return readIndex(x, ["...", i, j]);
  },
);

/**
 * Sum of a diagonal.
 *
 * @example
 * np.trace(np.array([[1, 2], [3, 4]])) // 5
 */
export const trace = /* @__PURE__ */ unit(
  "trace",
  1,
  function trace(
    a: ArrayLike,
    ...rest: Rest<
      [number, number, number, DType | null],
      DiagonalOptions & { readonly dtype?: DType | null | undefined }
    >
  ): NDArray {
    const options = given<DiagonalOptions & { dtype: DType | null }>("trace", [...diagonalNames, "dtype"], 4, rest);
    const { x, rows, columns, k } = diagonalPlan("trace", a, options);
    const mask = eyeArray(rows, columns, k, "bool");
    const which = x.ndim === 2 ? mask : broadcastInDim(mask, x.shape, [x.ndim - 2, x.ndim - 1]);
    const sumOptions: SumOptions = { axis: [-2, -1], dtype: options.dtype };
    return sum(selectArrays(which, x, literalLike(x, 0)), sumOptions);
  },
);

/**
 * A matrix with a diagonal from a vector, or the diagonal of a matrix.
 *
 * @example
 * np.diag(np.array([1, 2])) // [[1, 0], [0, 2]]
 */
export const diag = /* @__PURE__ */ unit("diag", 1, function diag(v: ArrayLike, ...rest: DiagonalRest): NDArray {
  const k = diagonalOf("diag", rest);
  const x = asArray(v, "diag");
  if (x.ndim === 2) return diagonal(x, k);
  if (x.ndim !== 1) throw needsMatrix("diag", x.shape);
  const n = x.shape[0]! + Math.abs(k);
  const padded = padArray(x, full([], 0, x.dtype, x.weakType), [[Math.max(0, -k), Math.max(0, k), 0]]);
  return selectArrays(eyeArray(n, n, k, "bool"), broadcastInDim(padded, [n, n], [0]), literalLike(x, 0));
});

/**
 * A matrix with a diagonal from all elements.
 *
 * @example
 * np.diagflat(np.array([[1, 2]])) // [[1, 0], [0, 2]]
 */
export const diagflat = /* @__PURE__ */ unit(
  "diagflat",
  1,
  function diagflat(v: ArrayLike, ...rest: DiagonalRest): NDArray {
    const x = asArray(v, "diagflat");
    return diag(reshape(x, [x.size]), diagonalOf("diagflat", rest));
  },
);

/**
 * The indices of the main diagonal, once per axis.
 *
 * @example
 * np.diagIndices(2) // [[0, 1], [0, 1]]
 */
export function diagIndices(n: number, ...rest: Rest<[number], { readonly ndim?: number | undefined }>): NDArray[] {
  const { ndim = 2 } = given<{ ndim: number }>("diagIndices", ["ndim"], 1, rest);
  const places = iota("int32", integer("diagIndices", "n", n));
  return range(integer("diagIndices", "ndim", ndim)).map(() => places);
}

/**
 * The indices of the main diagonal of an array whose axes have one length.
 *
 * @example
 * np.diagIndicesFrom(np.eye(2)) // [[0, 1], [0, 1]]
 */
export function diagIndicesFrom(arr: ArrayLike): NDArray[] {
  const shape = shapeOf("diagIndicesFrom", arr);
  if (shape.length < 2 || shape.some((n) => n !== shape[0])) throw needsMatrix("diagIndicesFrom", shape);
  return diagIndices(shape[0]!, shape.length);
}

export interface FillDiagonalOptions {
  /** Not supported. */
  readonly wrap?: boolean | undefined;
  /** Accepted for JAX's signature; a new array is returned in any case. */
  readonly inplace?: boolean | undefined;
}

/**
 * The array with its main diagonal replaced: a new array.
 *
 * @example
 * np.fillDiagonal(np.zeros([2, 2]), 5, { inplace: false }) // [[5, 0], [0, 5]]
 */
export const fillDiagonal = /* @__PURE__ */ unit(
  "fillDiagonal",
  2,
  function fillDiagonal(a: ArrayLike, val: ArrayLike, ...rest: Rest<[], FillDiagonalOptions>): NDArray {
    const { wrap = false } = given<FillDiagonalOptions>("fillDiagonal", ["wrap", "inplace"], 0, rest);
    if (wrap) throw unsupported("fillDiagonal", "wrap", "fill the blocks of rows one by one");
    const x = asArray(a, "fillDiagonal");
    if (x.ndim < 2 || (x.ndim > 2 && x.shape.some((n) => n !== x.shape[0]))) throw needsMatrix("fillDiagonal", x.shape);
    const n = Math.min(...x.shape);
    const values = asArray(val, "fillDiagonal");
    const filled = values.ndim === 0 ? val : tileTo(reshape(values, [values.size]), n);
    return placeIn(x, diagIndices(n, x.ndim)).set(filled);
  },
  { numbers: "inputs" },
);

/** A vector repeated or cut to a length. */
export function tileTo(x: NDArray, n: number): NDArray {
  if (x.size === n) return x;
  const times = Math.ceil(n / Math.max(1, x.size));
  const repeated = reshape(broadcastInDim(x, [times, x.size], [1]), [times * x.size]);
  return readIndex(repeated, [[0, n]]);
}
