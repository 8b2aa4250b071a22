/**
 * How much each input pixel of an axis counts for each output pixel: interpolation kernels and the matrices made of them.
 * Pixel i covers [i, i + 1]; its value is that of its centre, i + 0.5.
 */
import type { ArrayLike } from "../core/arrayMethods.ts";
import type { DType } from "../core/dtype.ts";
import type { NDArray } from "../core/ndarray.ts";
import { ArgumentError } from "../core/problem.ts";
import * as np from "../numpy/index.ts";
import { polynomial } from "../lax/polynomial.ts";

const methods = { NEAREST: 0, LINEAR: 1, LANCZOS3: 2, LANCZOS5: 3, CUBIC: 4, CUBIC_PYTORCH: 5, AREA: 6 } as const;
const named = {
  nearest: methods.NEAREST,
  linear: methods.LINEAR,
  bilinear: methods.LINEAR,
  trilinear: methods.LINEAR,
  triangle: methods.LINEAR,
  lanczos3: methods.LANCZOS3,
  lanczos5: methods.LANCZOS5,
  cubic: methods.CUBIC,
  bicubic: methods.CUBIC,
  tricubic: methods.CUBIC,
  "cubic-pytorch": methods.CUBIC_PYTORCH,
  "bicubic-pytorch": methods.CUBIC_PYTORCH,
  area: methods.AREA,
} as const;

/** Names of the methods; several are the same in other numbers of dimensions. */
export type ResizeMethodName = keyof typeof named;
/** How pixels between pixels are made: a number for each method. */
export type ResizeMethod = (typeof methods)[keyof typeof methods];

/**
 * The methods of resampling. `LINEAR`, `CUBIC` (Keys, a = −1/2), `LANCZOS3` and `LANCZOS5` weight neighbours by their
 * distance, `NEAREST` takes one pixel, `AREA` averages what a pixel covers. `CUBIC_PYTORCH` is `CUBIC` with antialiasing;
 * without, it has a = −3/4 and repeats the pixels at the edges. `fromString` gives the method of a name.
 */
export const ResizeMethod: typeof methods & { readonly fromString: (name: string) => ResizeMethod } =
  /* @__PURE__ */ Object.assign(
    { fromString: (name: string) => parseMethod("image.ResizeMethod.fromString", name as ResizeMethodName) },
    methods,
  );

/** The method that a name or a number means. */
export function parseMethod(name: string, method: ResizeMethodName | ResizeMethod): ResizeMethod {
  if (typeof method === "string" && Object.hasOwn(named, method)) return named[method];
  if (Object.values(methods).includes(method as ResizeMethod)) return method as ResizeMethod;
  throw new ArgumentError("UnknownResizeMethod", {
    what: `${name}: unknown resize method ${JSON.stringify(method)}`,
    why: "the method says how pixels between pixels are made",
    fix: `use one of ${Object.keys(named)
      .map((n) => JSON.stringify(n))
      .join(", ")}, or a constant of image.ResizeMethod`,
  });
}

// ---------------------------------------------------------------- kernels

/** The weight of a neighbour at a distance, in pixels. */
type Kernel = (distance: NDArray) => NDArray;

const triangle: Kernel = (x) => np.maximum(0, np.subtract(1, x));

/** radius·sin(πx)·sin(πx/radius) / (πx)²: a sinc in the window of another (Duchon, "Lanczos filtering", 1979). */
const lanczos =
  (radius: number): Kernel =>
  (x) => {
    const away = np.greater(x, 1e-3);
    // A harmless distance where the quotient is not used, so that its derivative is no NaN.
    const a = np.multiply(np.where(away, x, 1), Math.PI);
    const sines = np.multiply(np.sin(a), np.sin(np.divide(a, radius)));
    const near = np.where(away, np.divide(np.multiply(sines, radius), np.square(a)), 1);
    return np.where(np.greater(x, radius), 0, near);
  };

/** Cubic convolution (Keys, "Cubic convolution interpolation for digital image processing", 1981). */
const cubic =
  (a: number): Kernel =>
  (x) => {
    const inner = polynomial([1, 0, -(a + 3), a + 2], x);
    const outer = polynomial([-4 * a, 8 * a, -5 * a, a], x);
    return np.where(np.greaterEqual(x, 2), 0, np.where(np.greaterEqual(x, 1), outer, inner));
  };

const kernels: Readonly<Partial<Record<ResizeMethod, Kernel>>> = {
  [methods.LINEAR]: triangle,
  [methods.LANCZOS3]: /* @__PURE__ */ lanczos(3),
  [methods.LANCZOS5]: /* @__PURE__ */ lanczos(5),
  [methods.CUBIC]: /* @__PURE__ */ cubic(-0.5),
};

/** Without antialiasing, as PyTorch and OpenCV have it; reaches two pixels beyond the edge, which are repeated there. */
const edgeKernel: Kernel = /* @__PURE__ */ cubic(-0.75);
const edgeReach = 2;

// ---------------------------------------------------------------- matrices

/** An axis of the input, and where the pixels of the output lie on it: at (i + 0.5 − translation) · step. */
export interface Sampling {
  readonly inputs: number;
  readonly outputs: number;
  /** Input pixels per output pixel. */
  readonly step: ArrayLike;
  readonly translation: ArrayLike;
  /** In which the weights are computed. */
  readonly dtype: DType;
}

/**
 * Weights [inputs, outputs]: the input pixel's share in the output pixel. Each column sums to 1, or is 0 where the output
 * pixel lies outside of the input.
 */
export function weightMatrix(s: Sampling, method: ResizeMethod, antialias: boolean): NDArray {
  const positions = np.arange(s.outputs, { dtype: s.dtype });
  const shift = np.multiply(s.translation, s.step);
  // Positions of the output's centres, counted so that 0 is the centre of the first input pixel.
  const centres = np.subtract(np.subtract(np.multiply(np.add(positions, 0.5), s.step), shift), 0.5);
  if (method === methods.CUBIC_PYTORCH && !antialias) return normalized(edgeWeights(centres, s));
  const weights =
    method === methods.AREA
      ? overlaps(np.subtract(np.multiply(positions, s.step), shift), s)
      : kernelOf(method)(distances(centres, s, 0, antialias ? np.maximum(s.step, 1) : 1));
  const inside = np.logicalAnd(np.greaterEqual(centres, -0.5), np.lessEqual(centres, s.inputs - 0.5));
  return np.where(inside, normalized(weights), 0);
}

const kernelOf = (method: ResizeMethod): Kernel => kernels[method === methods.CUBIC_PYTORCH ? methods.CUBIC : method]!;

/** |output − input| / unit for the input pixels and `reach` more at either end: [inputs + 2 reach, outputs]. */
function distances(centres: NDArray, { inputs, dtype }: Sampling, reach: number, unit: ArrayLike): NDArray {
  const places = np.expandDims(np.arange(-reach, inputs + reach, 1, { dtype }), 1);
  return np.divide(np.abs(np.subtract(centres, places)), unit);
}

/** What input pixels beyond the edge would get goes to the pixel at the edge. */
function edgeWeights(centres: NDArray, s: Sampling): NDArray {
  const weights = edgeKernel(distances(centres, s, edgeReach, 1));
  const rows = Int32Array.from({ length: s.inputs + 2 * edgeReach }, (_, i) =>
    Math.min(Math.max(i - edgeReach, 0), s.inputs - 1),
  );
  return np.zeros([s.inputs, s.outputs], s.dtype).at(np.array(rows)).add(weights);
}

/** The length of the part of each input pixel that an output pixel from `left` to `left` + step covers. */
function overlaps(left: NDArray, { inputs, step, dtype }: Sampling): NDArray {
  const pixel = np.expandDims(np.arange(inputs, { dtype }), 1);
  const [end, start] = [np.minimum(np.add(left, step), np.add(pixel, 1)), np.maximum(left, pixel)];
  return np.maximum(0, np.subtract(end, start));
}

/** Columns divided by their sums; those whose sum is next to nothing become 0. */
function normalized(weights: NDArray): NDArray {
  const sums = np.sum(weights, 0, { keepdims: true });
  const positive = np.greater(np.abs(sums), 1000 * np.finfo("float32").eps);
  return np.where(positive, np.divide(weights, np.where(positive, sums, 1)), 0);
}
