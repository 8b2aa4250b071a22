/**
 * Resampling of images with any number of axes. Every axis is resampled on its own: the input is multiplied by a matrix
 * of weights per axis.
 */
import type { ArrayLike } from "../core/arrayMethods.ts";
import type { DType } from "../core/dtype.ts";
import type { NDArray } from "../core/ndarray.ts";
import { asArray, promoteOperands } from "../core/operands.ts";
import { ArgumentError, ShapeError } from "../core/problem.ts";
import { canonicalAxes, parseShape, range, shapeText } from "../core/shape.ts";
import type { Precision } from "../lax/contract.ts";
import { type Rest, given, inexactOf } from "../numpy/arguments.ts";
import * as np from "../numpy/index.ts";
import { ResizeMethod, type ResizeMethodName, parseMethod, weightMatrix } from "./weights.ts";
import { unit } from "../core/unit.ts";

export { ResizeMethod, type ResizeMethodName };

export interface ImageOptions {
  /** Whether kernels widen when the image shrinks, so that all its pixels count. Default true. */
  readonly antialias?: boolean | undefined;
  /** How exactly to multiply. Default `"highest"`. */
  readonly precision?: Precision | undefined;
}
type ImageRest = Rest<[boolean], ImageOptions>;

function readImageOptions(name: string, rest: readonly unknown[]): { antialias: boolean; precision: Precision } {
  const { antialias = true, precision = "highest" } = given<ImageOptions>(name, ["antialias", "precision"], 1, rest);
  return { antialias, precision };
}

function shapeFor(name: string, shape: readonly number[], image: NDArray): number[] {
  const wanted = parseShape(name, shape);
  if (wanted.length === image.ndim) return wanted;
  throw new ShapeError("ImageRank", {
    what: `${name}: shape ${shapeText(wanted)} for an image of shape ${shapeText(image.shape)}`,
    why: "the shape has a length for every axis of the image, batch and channels among them",
    fix: "repeat the lengths of the axes that stay as they are",
  });
}

/** The image times a matrix of weights for each of some axes. */
function multiplied(x: NDArray, axes: readonly number[], matrices: readonly NDArray[], precision: Precision): NDArray {
  if (axes.length === 0) return x;
  const fresh = (axis: number): number => (axes.includes(axis) ? x.ndim + axis : axis);
  const factors = matrices.flatMap((w, i) => [np.astype(w, x.dtype), [axes[i]!, fresh(axes[i]!)]]);
  return np.einsum(x, range(x.ndim), ...factors, range(x.ndim).map(fresh), { precision });
}

/** The pixel that lies nearest to the centre of each new one. Positions in float32, as JAX computes them. */
function nearest(x: NDArray, axis: number, outputs: number): NDArray {
  const inputs = x.shape[axis]!;
  const from = Int32Array.from({ length: outputs }, (_, i) =>
    Math.min(inputs - 1, Math.floor(Math.fround(Math.fround((i + 0.5) * inputs) / outputs))),
  );
  return np.take(x, np.array(from), axis, { mode: "clip" });
}

/**
 * An image in another size. All axes are resampled whose length changes, whatever they stand for: leave the lengths of
 * batch and channels as they are.
 *
 * @param shape the new length of every axis.
 * @param method `"nearest"`, `"linear"`, `"cubic"`, `"lanczos3"`, `"lanczos5"`, `"cubic-pytorch"`, `"area"`, another name
 * of these such as `"bilinear"`, or a constant of `ResizeMethod`.
 * @param rest `antialias`, by name also `precision`; `"nearest"` ignores both.
 * @returns an image of that shape; integers become float32, unless the method is `"nearest"`.
 * @throws ShapeError if there is not a length for every axis, or an axis without pixels would get some.
 * @example
 * image.resize(np.array([[0, 4]]), [2, 4], "linear") // [[0, 1, 3, 4], [0, 1, 3, 4]]
 */
export const resize = /* @__PURE__ */ unit(
  "resize",
  1,
  function resize(
    image: ArrayLike,
    shape: readonly number[],
    method: ResizeMethodName | ResizeMethod,
    ...rest: ImageRest
  ): NDArray {
    const name = "image.resize";
    const { antialias, precision } = readImageOptions(name, rest);
    const x = asArray(image, name);
    const wanted = shapeFor(name, shape, x);
    const kind = parseMethod(name, method);
    const axes = range(x.ndim).filter((i) => x.shape[i] !== wanted[i]);
    if (axes.some((i) => x.shape[i] === 0))
      throw new ShapeError("NoPixels", {
        what: `${name}: an image of shape ${shapeText(x.shape)} to shape ${shapeText(wanted)}`,
        why: "an axis without pixels has none to interpolate",
        fix: "make the image from at least one pixel along every axis",
      });
    if (kind === ResizeMethod.NEAREST) return axes.reduce((y, axis) => nearest(y, axis, wanted[axis]!), x);
    const y = inexactOf(name, x);
    const dtype: DType = y.dtype === "float64" ? "float64" : "float32";
    const matrices = axes.map((axis) => {
      const [inputs, outputs] = [y.shape[axis]!, wanted[axis]!];
      const step = outputs === 0 ? 1 : inputs / outputs;
      return weightMatrix({ inputs, outputs, step, translation: 0, dtype }, kind, antialias);
    });
    return multiplied(y, axes, matrices, precision);
  },
);

/**
 * An image moved and stretched: what was at y along an axis comes to y · scale + translation, where the centre of pixel i
 * is at i + 0.5. Pixels whose place is outside of the image become 0. Differentiable in the image, the scale and the
 * translation.
 *
 * @param shape the length of every axis of the result; axes that are not resampled keep theirs.
 * @param spatialDims the axes to resample.
 * @param scale the scale of each of these axes.
 * @param translation the translation of each of these axes, in pixels of the result.
 * @param method as for `resize`, without `"nearest"`.
 * @param rest `antialias`, by name also `precision`.
 * @example
 * image.scaleAndTranslate(np.array([1, 2, 3]), [4], [0], [1], [1], "linear") // [0, 1, 2, 3]
 */
export const scaleAndTranslate = /* @__PURE__ */ unit(
  "scaleAndTranslate",
  1,
  function scaleAndTranslate(
    image: ArrayLike,
    shape: readonly number[],
    spatialDims: readonly number[],
    scale: ArrayLike,
    translation: ArrayLike,
    method: ResizeMethodName | ResizeMethod,
    ...rest: ImageRest
  ): NDArray {
    const name = "image.scaleAndTranslate";
    const { antialias, precision } = readImageOptions(name, rest);
    const x = inexactOf(name, image);
    const wanted = shapeFor(name, shape, x);
    const kind = parseMethod(name, method);
    if (kind === ResizeMethod.NEAREST)
      throw new ArgumentError("NearestHasNoWeights", {
        what: `${name}: method "nearest"`,
        why: "picking the nearest pixel has no derivative in scale and translation",
        fix: 'use "linear", or image.resize for an image in another size',
      });
    const axes = canonicalAxes(name, spatialDims, x.ndim);
    const [scales, translations] = promoteOperands(name, [scale, translation], true) as [NDArray, NDArray];
    for (const p of [scales, translations])
      if (p.ndim !== 1 || p.shape[0] !== axes.length)
        throw new ShapeError("SpatialParameters", {
          what: `${name}: scale of shape ${shapeText(scales.shape)} and translation of shape ${shapeText(translations.shape)} for ${axes.length} spatial axes`,
          why: "both have an entry for every axis in spatialDims",
          fix: "pass lists as long as spatialDims",
        });
    const other = range(x.ndim).find((i) => !axes.includes(i) && x.shape[i] !== wanted[i]);
    if (other !== undefined)
      throw new ShapeError("NotResampled", {
        what: `${name}: axis ${other} has length ${x.shape[other]!} and should have ${wanted[other]!}, but spatialDims [${spatialDims.join(", ")}] do not name it`,
        why: "only the axes in spatialDims are resampled",
        fix: "add the axis to spatialDims, or repeat its length in shape",
      });
    const matrices = axes.map((axis, i) => {
      const step = np.divide(1, scales.slice(i));
      const sampling = { inputs: x.shape[axis]!, outputs: wanted[axis]!, step, translation: translations.slice(i) };
      return weightMatrix({ ...sampling, dtype: scales.dtype }, kind, antialias);
    });
    return multiplied(x, axes, matrices, precision);
  },
);
