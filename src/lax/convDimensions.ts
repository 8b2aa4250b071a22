/**
 * Which axis is what in a convolution. Specs list axes in the order (batch, feature, spatial…) for operand and result
 * and (out feature, in feature, spatial…) for the kernel; users write them as strings such as NCHW, OIHW, NHWC, HWIO.
 */
import { ArgumentError, ShapeError } from "../core/problem.ts";
import { type Shape, range, shapeText } from "../core/shape.ts";
import { type Pads, type Padding, dilated, padtypeToPads, strideCount } from "./windowGeometry.ts";

export interface ConvDimensionNumbers {
  readonly lhsSpec: readonly number[];
  readonly rhsSpec: readonly number[];
  readonly outSpec: readonly number[];
}
/** As users give them: three strings, the specs themselves, or null for NCHW, OIHW, NCHW. */
export type ConvDimensions = readonly [lhs: string, rhs: string, out: string] | ConvDimensionNumbers | null;

const badSpec = (what: string): ArgumentError =>
  new ArgumentError("ConvDimensionNumbers", {
    what: `dimensionNumbers: ${what}`,
    why: "each string names every axis once: N and C (O and I for the kernel), and the same spatial letters in all three",
    fix: 'write for example ["NCHW", "OIHW", "NCHW"] or ["NHWC", "HWIO", "NHWC"]',
  });

/** Specs from three strings; spatial axes in the order of the kernel's letters. */
export function convGeneralPermutations(
  dimensionNumbers: readonly [string, string, string],
): [number[], number[], number[]] {
  const pairs = ["NC", "OI", "NC"];
  const letters = dimensionNumbers.map((spec, i) => {
    const list = [...spec];
    if (new Set(list).size !== list.length || [...pairs[i]!].some((c) => !list.includes(c)))
      throw badSpec(`${JSON.stringify(spec)} must contain ${[...pairs[i]!].join(" and ")} and no letter twice`);
    return list.filter((c) => !pairs[i]!.includes(c));
  });
  const spatial = letters[1]!;
  if (letters.some((l) => l.length !== spatial.length || l.some((c) => !spatial.includes(c))))
    throw badSpec(`${JSON.stringify(dimensionNumbers)} have different spatial letters`);
  const spec = (i: number): number[] => [...pairs[i]!, ...spatial].map((c) => dimensionNumbers[i]!.indexOf(c));
  return [spec(0), spec(1), spec(2)];
}

/** Canonical dimension numbers for operands of these shapes. */
export function convDimensionNumbers(
  lhsShape: Shape,
  rhsShape: Shape,
  dimensionNumbers: ConvDimensions,
): ConvDimensionNumbers {
  if (lhsShape.length !== rhsShape.length || lhsShape.length < 2)
    throw new ShapeError("ConvRank", {
      what: `convolution: operand ${shapeText(lhsShape)} and kernel ${shapeText(rhsShape)}`,
      why: "both have the same number of axes: two and the spatial ones",
      fix: "add the missing axes of length 1 with numpy.expandDims",
    });
  const all = range(lhsShape.length);
  if (dimensionNumbers === null) return { lhsSpec: all, rhsSpec: all, outSpec: all };
  if ("lhsSpec" in dimensionNumbers) return dimensionNumbers;
  if (
    !Array.isArray(dimensionNumbers) ||
    dimensionNumbers.length !== 3 ||
    dimensionNumbers.some((s) => typeof s !== "string" || s.length !== all.length)
  )
    throw badSpec(`${JSON.stringify(dimensionNumbers)} must be three strings of ${all.length} letters`);
  const [lhsSpec, rhsSpec, outSpec] = convGeneralPermutations(dimensionNumbers as readonly [string, string, string]);
  return { lhsSpec, rhsSpec, outSpec };
}

/** The lengths that a spec names, in its order. */
export const inOrder = <T>(shape: readonly T[], spec: readonly number[]): T[] => spec.map((a) => shape[a]!);

/** The shape whose axes, read in the order of `spec`, have these lengths. */
export function outOfOrder<T>(lengths: readonly T[], spec: readonly number[]): T[] {
  const shape = new Array<T>(lengths.length);
  spec.forEach((a, i) => (shape[a] = lengths[i]!));
  return shape;
}

/** The result's shape, all in the order (batch, feature, spatial…); strides count windows of the kernel as it is. */
export function convShapeTuple(
  lhsShape: Shape,
  rhsShape: Shape,
  strides: readonly number[],
  pads: Padding,
  batchGroupCount = 1,
): number[] {
  const amounts = padtypeToPads(lhsShape.slice(2), rhsShape.slice(2), strides, pads);
  const padded = lhsShape.slice(2).map((n, i) => n + amounts[i]![0] + amounts[i]![1]);
  if (amounts.length !== padded.length || padded.some((n) => n < 0))
    throw new ShapeError("ConvPadding", {
      what: `convolution: padding ${JSON.stringify(amounts)} for spatial shape ${shapeText(lhsShape.slice(2))}`,
      why: "there is one [low, high] pair per spatial axis, and padding cannot cut off more than there is",
      fix: "check the padding's length and signs",
    });
  return [
    lhsShape[0]! / batchGroupCount,
    rhsShape[0]!,
    ...padded.map((n, i) => strideCount(n, rhsShape[i + 2]!, strides[i]!)),
  ];
}

/** The shape of a plain convolution with given dimension numbers. */
export function convGeneralShapeTuple(
  lhsShape: Shape,
  rhsShape: Shape,
  windowStrides: readonly number[],
  padding: Padding,
  dimensionNumbers: readonly [string, string, string],
): number[] {
  const [lhs, rhs, out] = convGeneralPermutations(dimensionNumbers);
  return outOfOrder(convShapeTuple(inOrder(lhsShape, lhs), inOrder(rhsShape, rhs), windowStrides, padding), out);
}

/** Padding of the fractionally strided convolution that undoes one with this padding. */
export function convTransposePadding(k: number, s: number, padding: string | Pads): Pads {
  if (typeof padding !== "string") return [k - padding[0] - 1, k - padding[1] - 1];
  const name = padding.toUpperCase();
  if (name !== "SAME" && name !== "VALID") throw badSpec(`convTranspose has no padding ${JSON.stringify(padding)}`);
  const total = name === "SAME" ? k + s - 2 : k + s - 2 + Math.max(k - s, 0);
  const before = name === "SAME" && s <= k - 1 ? Math.ceil(total / 2) : k - 1;
  return [before, total - before];
}

/** The shape of convTranspose's result. */
export function convTransposeShapeTuple(
  lhsShape: Shape,
  rhsShape: Shape,
  windowStrides: readonly number[],
  padding: Padding,
  dimensionNumbers: readonly [string, string, string],
): number[] {
  const [lhs, rhs, out] = convGeneralPermutations(dimensionNumbers);
  const [x, w] = [inOrder(lhsShape, lhs), inOrder(rhsShape, rhs)];
  const spatial = windowStrides.map((s, i) => {
    const [k, n] = [w[i + 2]!, x[i + 2]!];
    const [low, high] = typeof padding === "string" ? convTransposePadding(k, s, padding) : padding[i]!;
    return (n - 1) * s - k + 2 + low + high;
  });
  return outOfOrder([x[0]!, w[0]!, ...spatial], out);
}

/** Padding for the convolution that gives the operand's cotangent. */
export const vjpLhsPadding = (
  n: readonly number[],
  k: readonly number[],
  strides: readonly number[],
  out: readonly number[],
  padding: readonly Pads[],
  lhsDilation: readonly number[],
  rhsDilation: readonly number[],
): Pads[] =>
  n.map((_, i): Pads => {
    const window = dilated(k[i]!, rhsDilation[i]!);
    const before = window - padding[i]![0] - 1;
    return [before, dilated(n[i]!, lhsDilation[i]!) + window - 1 - dilated(out[i]!, strides[i]!) - before];
  });

/** Padding for the convolution that gives the kernel's cotangent. */
export const vjpRhsPadding = (
  n: readonly number[],
  k: readonly number[],
  strides: readonly number[],
  out: readonly number[],
  padding: readonly Pads[],
  lhsDilation: readonly number[],
  rhsDilation: readonly number[],
): Pads[] =>
  n.map((_, i): Pads => {
    const [low] = padding[i]!;
    return [
      low,
      dilated(out[i]!, strides[i]!) - dilated(n[i]!, lhsDilation[i]!) + dilated(k[i]!, rhsDilation[i]!) - low - 1,
    ];
  });
