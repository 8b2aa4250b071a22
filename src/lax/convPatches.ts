/**
 * Patches: convGeneralDilatedPatches puts everything under the window into the feature axis, and
 * convGeneralDilatedLocal multiplies patches by a kernel of their own at every place.
 */
import type { ArrayLike } from "../core/arrayMethods.ts";
import type { DType } from "../core/dtype.ts";
import type { NDArray } from "../core/ndarray.ts";
import { asArray } from "../core/operands.ts";
import { range, sizeOf } from "../core/shape.ts";
import { broadcastInDim, reshape, transpose } from "../core/structural.ts";
import { readOptions } from "./arguments.ts";
import { type Precision, dotGeneral } from "./contract.ts";
import { convGeneralDilated } from "./conv.ts";
import { type ConvDimensions, convDimensionNumbers } from "./convDimensions.ts";
import { eye } from "./creation.ts";
import type { Padding } from "./windowGeometry.ts";
import { unit } from "../core/unit.ts";

export interface PatchOptions {
  readonly lhsDilation?: readonly number[] | null | undefined;
  readonly rhsDilation?: readonly number[] | null | undefined;
  readonly dimensionNumbers?: ConvDimensions | undefined;
  readonly precision?: Precision | undefined;
  readonly preferredElementType?: DType | null | undefined;
}
const localNames = ["lhsDilation", "rhsDilation", "dimensionNumbers", "precision"] as const;
const patchNames = [...localNames, "preferredElementType"] as const;

/** The axes of a transposition that puts axis i at `positions[i]`. */
const placed = (positions: readonly number[]): number[] => range(positions.length).map((a) => positions.indexOf(a));

/**
 * All patches of an array: a convolution with kernels that each pick one position of the window. The feature axis of
 * the result runs over (feature, window position).
 */
export const convGeneralDilatedPatches = /* @__PURE__ */ unit(
  "convGeneralDilatedPatches",
  1,
  function convGeneralDilatedPatches(
    lhs: ArrayLike,
    filterShape: readonly number[],
    windowStrides: readonly number[],
    padding: Padding,
    options: PatchOptions = {},
  ): NDArray {
    const given = readOptions<PatchOptions>("convGeneralDilatedPatches", patchNames, 0, [options]);
    const x = asArray(lhs, "convGeneralDilatedPatches");
    const numbers = convDimensionNumbers(x.shape, [1, 1, ...filterShape], given.dimensionNumbers ?? null);
    const size = sizeOf(filterShape);
    const features = x.shape[numbers.lhsSpec[1]!]!;
    const pick = broadcastInDim(eye(x.dtype, [size, size]), [features, size, size], [1, 2]);
    const kernel = transpose(reshape(pick, [features * size, 1, ...filterShape]), placed(numbers.rhsSpec));
    return convGeneralDilated(x, kernel, windowStrides, padding, {
      ...given,
      dimensionNumbers: numbers,
      featureGroupCount: features,
    });
  },
);

/** A convolution with a separate kernel at every place; the kernel's spatial axes are those of the result. */
export const convGeneralDilatedLocal = /* @__PURE__ */ unit(
  "convGeneralDilatedLocal",
  2,
  function convGeneralDilatedLocal(
    lhs: ArrayLike,
    rhs: ArrayLike,
    windowStrides: readonly number[],
    padding: Padding,
    filterShape: readonly number[],
    options: Omit<PatchOptions, "preferredElementType"> = {},
  ): NDArray {
    const given = readOptions<PatchOptions>("convGeneralDilatedLocal", localNames, 0, [options]);
    const [x, w] = [asArray(lhs, "convGeneralDilatedLocal"), asArray(rhs, "convGeneralDilatedLocal")];
    const patches = convGeneralDilatedPatches(x, filterShape, windowStrides, padding, given);
    const { rhsSpec, outSpec } = convDimensionNumbers(x.shape, [1, 1, ...filterShape], given.dimensionNumbers ?? null);
    const places = outSpec.slice(2).map((axis, i) => [axis, rhsSpec[i + 2]!] as const);
    places.sort(([a], [b]) => a - b);
    const batch = [places.map(([a]) => a), places.map(([, b]) => b)] as const;
    // Result axes: places in the order of the result, then batch and feature.
    const product = dotGeneral(patches, w, [[[outSpec[1]!], [rhsSpec[1]!]], batch], given.precision ?? null);
    return transpose(product, placed([...batch[0], outSpec[0]!, outSpec[1]!]));
  },
);
