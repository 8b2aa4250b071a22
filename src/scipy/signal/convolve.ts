/**
 * Convolution and correlation of arrays with the same number of axes. All of them are one convolution with a flipped
 * kernel, of which the padding cuts out the wanted part.
 */
import type { ArrayLike } from "../../core/arrayMethods.ts";
import { isComplex } from "../../core/dtype.ts";
import type { NDArray } from "../../core/ndarray.ts";
import { asArray, promoteOperands } from "../../core/operands.ts";
import { ArgumentError, ShapeError } from "../../core/problem.ts";
import { canonicalAxes, dropAxes, range, shapeText, sizeOf } from "../../core/shape.ts";
import type { Precision } from "../../lax/contract.ts";
import { convGeneralDilated } from "../../lax/conv.ts";
import { type Rest, checkChoice, given } from "../../numpy/arguments.ts";
import * as np from "../../numpy/index.ts";
import type { ConvolveMode } from "../../numpy/statistics.ts";
import { unit } from "../../core/unit.ts";

/** Accepted for JAX's sake; see `convolve`. */
export type ConvolveMethod = "auto" | "direct" | "fft";

export interface ConvolveOptions {
  /**
   * Which part of the result: all of it (`"full"`, the default), the middle, as large as the first operand (`"same"`), or
   * where the smaller operand lies wholly inside of the larger one (`"valid"`).
   */
  readonly mode?: ConvolveMode | undefined;
  readonly method?: ConvolveMethod | undefined;
  /** How exactly to multiply. */
  readonly precision?: Precision | undefined;
}
export interface Convolve2dOptions extends Omit<ConvolveOptions, "method"> {
  /** What is beyond the edges: only `"fill"`, as in JAX. */
  readonly boundary?: "fill" | undefined;
  /** The number found there: only 0, as in JAX. */
  readonly fillvalue?: 0 | undefined;
}
export interface FftconvolveOptions extends Pick<ConvolveOptions, "mode"> {
  /** The axes to convolve along; along others corresponding parts meet. Default all. */
  readonly axes?: number | readonly number[] | null | undefined;
}
type ConvolveRest = Rest<[ConvolveMode, ConvolveMethod], ConvolveOptions>;
type Convolve2dRest = Rest<[ConvolveMode, "fill", 0], Convolve2dOptions>;

const modes: readonly ConvolveMode[] = ["full", "same", "valid"];

// ---------------------------------------------------------------- the convolution

/** Whether `a` is at least as large as `b` along every axis. */
const covers = (a: readonly number[], b: readonly number[]): boolean => a.every((n, i) => n >= b[i]!);

/** What is wanted of the whole convolution along an axis, whose length is a + b − 1. */
function part(mode: ConvolveMode, a: number, b: number): { start: number; length: number } {
  if (mode === "full") return { start: 0, length: a + b - 1 };
  if (mode === "same") return { start: Math.floor((b - 1) / 2), length: a };
  return { start: Math.min(a, b) - 1, length: Math.max(a, b) - Math.min(a, b) + 1 };
}

/** The convolution along all axes but the first, where corresponding parts of `a` and `b` meet; both in one dtype. */
function convolved(a: NDArray, b: NDArray, mode: ConvolveMode, precision: Precision): NDArray {
  const groups = a.shape[0]!;
  const spatial = range(a.ndim - 1).map((i) => i + 1);
  const parts = spatial.map((i) => part(mode, a.shape[i]!, b.shape[i]!));
  if (groups === 0) return np.zeros([0, ...parts.map((p) => p.length)], a.dtype);
  // The larger one is the operand: fewer products fall on padding.
  const [x, kernel] = covers(a.shape, b.shape) ? [a, b] : [b, a];
  const padding = spatial.map((i, k): [number, number] => {
    const { start, length } = parts[k]!;
    return [kernel.shape[i]! - 1 - start, start + length - x.shape[i]!];
  });
  const y = convGeneralDilated(
    np.expandDims(x, 0),
    np.expandDims(np.flip(kernel, spatial), 1),
    spatial.map(() => 1),
    padding,
    { precision, featureGroupCount: groups },
  );
  return np.squeeze(y, 0);
}

/** Both operands in their common inexact dtype, of equal rank and not empty. */
function operands(name: string, in1: ArrayLike, in2: ArrayLike): [NDArray, NDArray] {
  const [a, b] = promoteOperands(name, [in1, in2], true) as [NDArray, NDArray];
  if (a.ndim === b.ndim) return [a, b];
  throw new ShapeError("ConvolveRank", {
    what: `${name}: operands of shapes ${shapeText(a.shape)} and ${shapeText(b.shape)}`,
    why: "one operand is slid over the other along every axis",
    fix: "give both the same number of axes, for example with numpy.expandDims",
  });
}

const notEmpty = (name: string, a: readonly number[], b: readonly number[]): void => {
  if (sizeOf(a) > 0 && sizeOf(b) > 0) return;
  throw new ShapeError("EmptyConvolution", {
    what: `${name}: operands of shapes ${shapeText(a)} and ${shapeText(b)}`,
    why: "an empty operand has no convolution",
    fix: "pass operands with at least one element",
  });
};

const oneCovers = (name: string, a: readonly number[], b: readonly number[]): void => {
  if (covers(a, b) || covers(b, a)) return;
  throw new ShapeError("ConvolveSizes", {
    what: `${name}: operands of shapes ${shapeText(a)} and ${shapeText(b)}`,
    why: "one of them must be at least as large as the other along every axis",
    fix: 'pad one of them, or use fftconvolve with the mode "full" or "same", which has no such rule',
  });
};

/** The convolution along all axes, as JAX's direct method has it. */
function direct(name: string, a: NDArray, b: NDArray, mode: ConvolveMode, precision: Precision): NDArray {
  notEmpty(name, a.shape, b.shape);
  oneCovers(name, a.shape, b.shape);
  return np.squeeze(convolved(np.expandDims(a, 0), np.expandDims(b, 0), mode, precision), 0);
}

// ---------------------------------------------------------------- functions

/** All elements in reverse, conjugated: what turns convolution into correlation. */
const adjoint = (x: NDArray): NDArray => np.flip(conjugated(x));
const conjugated = (x: NDArray): NDArray => (isComplex(x.dtype) ? np.conj(x) : x);

function nd(name: string, in1: ArrayLike, in2: ArrayLike, rest: readonly unknown[], correlates: boolean): NDArray {
  const {
    mode = "full",
    method = "auto",
    precision = null,
  } = given<ConvolveOptions>(name, ["mode", "method", "precision"], 2, rest);
  checkChoice(name, "mode", mode, modes);
  checkChoice(name, "method", method, ["auto", "direct", "fft"]);
  const [a, b] = operands(name, in1, in2);
  const kernel = correlates ? adjoint(b) : b;
  return method === "fft" ? alongAxes(name, a, kernel, mode, null) : direct(name, a, kernel, mode, precision);
}

/**
 * The convolution of arrays with the same number of axes: at every shift of the second, turned around, the sum of products
 * with the first. Integers become float32.
 *
 * Every `method` gives the same numbers, up to rounding: all of them add up products. `"fft"` only allows, as in JAX,
 * operands neither of which is the larger one.
 *
 * @throws ShapeError if an operand is empty, or neither is at least as large as the other along all axes.
 * @example
 * scipy.signal.convolve(np.array([1, 2, 3]), np.array([1, 1]), "same") // [1, 3, 5]
 */
export const convolve = /* @__PURE__ */ unit(
  "convolve",
  2,
  (in1: ArrayLike, in2: ArrayLike, ...rest: ConvolveRest): NDArray =>
    nd("scipy.signal.convolve", in1, in2, rest, false),
);

/**
 * The cross-correlation of arrays with the same number of axes: at every shift of the second the sum of products of the
 * first with its conjugate. Options and errors as `convolve`.
 *
 * @example
 * scipy.signal.correlate(np.array([1, 2, 3]), np.array([0, 1]), "valid") // [2, 3]
 */
export const correlate = /* @__PURE__ */ unit(
  "correlate",
  2,
  (in1: ArrayLike, in2: ArrayLike, ...rest: ConvolveRest): NDArray =>
    nd("scipy.signal.correlate", in1, in2, rest, true),
);

/** Reads the options of the functions of two-dimensional arrays. */
function plane(name: string, in1: ArrayLike, in2: ArrayLike, rest: readonly unknown[]) {
  const {
    mode = "full",
    boundary = "fill",
    fillvalue = 0,
    precision = null,
  } = given<Convolve2dOptions>(name, ["mode", "boundary", "fillvalue", "precision"], 3, rest);
  checkChoice(name, "mode", mode, modes);
  if (boundary !== "fill" || fillvalue !== 0)
    throw new ArgumentError("UnsupportedBoundary", {
      what: `${name}: boundary ${JSON.stringify(boundary)}, fillvalue ${String(fillvalue)}`,
      why: "as in JAX there are zeros beyond the edges",
      fix: 'pad with numpy.pad(x, n, { mode: "wrap" }) or another mode, and use the mode "valid"',
    });
  const [a, b] = [asArray(in1, name), asArray(in2, name)];
  if (a.ndim !== 2 || b.ndim !== 2)
    throw new ShapeError("MatrixExpected", {
      what: `${name}: operands of shapes ${shapeText(a.shape)} and ${shapeText(b.shape)}`,
      why: "both have two axes",
      fix: `use ${name.slice(0, -2)} for other numbers of axes`,
    });
  const [x, y] = operands(name, a, b);
  return { a: x, b: y, mode, precision };
}

/**
 * `convolve` of arrays with two axes.
 *
 * @example
 * scipy.signal.convolve2d(np.array([[1, 2], [3, 4]]), np.array([[1, 1]]), "valid") // [[3], [7]]
 */
export const convolve2d = /* @__PURE__ */ unit(
  "convolve2d",
  2,
  function convolve2d(in1: ArrayLike, in2: ArrayLike, ...rest: Convolve2dRest): NDArray {
    const name = "scipy.signal.convolve2d";
    const { a, b, mode, precision } = plane(name, in1, in2, rest);
    return direct(name, a, b, mode, precision);
  },
);

/**
 * The cross-correlation of arrays with two axes. It differs from `correlate`, as in SciPy and JAX, in two ways: the middle
 * that `"same"` keeps lies one further along axes on which the second operand has an even length, and `"valid"` with a
 * larger second operand gives the conjugate.
 *
 * @example
 * scipy.signal.correlate2d(np.array([[1, 2], [3, 4]]), np.array([[0, 1]]), "valid") // [[2], [4]]
 */
export const correlate2d = /* @__PURE__ */ unit(
  "correlate2d",
  2,
  function correlate2d(in1: ArrayLike, in2: ArrayLike, ...rest: Convolve2dRest): NDArray {
    const name = "scipy.signal.correlate2d";
    const { a, b, mode, precision } = plane(name, in1, in2, rest);
    if (mode === "same") return np.flip(direct(name, np.flip(a), conjugated(b), mode, precision));
    if (mode === "valid" && covers(b.shape, a.shape) && !covers(a.shape, b.shape))
      return direct(name, np.flip(b), conjugated(a), mode, precision);
    return direct(name, a, adjoint(b), mode, precision);
  },
);

/**
 * `convolve` along some axes. Until there is a Fourier transform to compute it with, products are added up directly: the
 * same numbers, in more time if both operands are long.
 *
 * @param rest `mode` and `axes`; along other axes the operands have the same lengths, and corresponding parts meet.
 * @example
 * scipy.signal.fftconvolve(np.array([[1, 2], [3, 4]]), np.array([[1, 1], [1, 0]]), { axes: 1 }) // [[1, 3, 2], [3, 4, 0]]
 */
export const fftconvolve = /* @__PURE__ */ unit(
  "fftconvolve",
  2,
  function fftconvolve(
    in1: ArrayLike,
    in2: ArrayLike,
    ...rest: Rest<[ConvolveMode, number | readonly number[] | null], FftconvolveOptions>
  ): NDArray {
    const name = "scipy.signal.fftconvolve";
    const { mode = "full", axes = null } = given<FftconvolveOptions>(name, ["mode", "axes"], 2, rest);
    checkChoice(name, "mode", mode, modes);
    const [a, b] = operands(name, in1, in2);
    return alongAxes(name, a, b, mode, axes);
  },
);

function alongAxes(
  name: string,
  a: NDArray,
  b: NDArray,
  mode: ConvolveMode,
  axes: FftconvolveOptions["axes"],
): NDArray {
  const along = canonicalAxes(name, axes, a.ndim).sort((i, j) => i - j);
  const mapped = range(a.ndim).filter((i) => !along.includes(i));
  if (mapped.some((i) => a.shape[i] !== b.shape[i]))
    throw new ShapeError("MappedAxes", {
      what: `${name}: operands of shapes ${shapeText(a.shape)} and ${shapeText(b.shape)} along axes [${along.join(", ")}]`,
      why: "along the other axes corresponding parts meet, without broadcasting",
      fix: "name the axes that differ in axes, or broadcast the operands first",
    });
  const [sizeA, sizeB] = [dropAxes(a.shape, mapped), dropAxes(b.shape, mapped)];
  notEmpty(name, sizeA, sizeB);
  if (mode === "valid") oneCovers(name, sizeA, sizeB);
  const groups = mapped.map((i) => a.shape[i]!);
  const grouped = (x: NDArray, size: readonly number[]): NDArray =>
    np.reshape(np.transpose(x, [...mapped, ...along]), [sizeOf(groups), ...size]);
  const y = convolved(grouped(a, sizeA), grouped(b, sizeB), mode, "highest");
  return np.moveaxis(np.reshape(y, [...groups, ...y.shape.slice(1)]), range(mapped.length), mapped);
}
