/**
 * Convolution of any number of spatial axes, with strides, padding, dilations and groups. Bilinear: both cotangents
 * and the batch rule are convolutions again, with axes, groups and paddings exchanged.
 */
import type { ArrayLike } from "../core/arrayMethods.ts";
import type { Aval } from "../core/aval.ts";
import { type DType, isBool, parseDType } from "../core/dtype.ts";
import type { NDArray } from "../core/ndarray.ts";
import { asArray } from "../core/operands.ts";
import {
  type AnyPrimitive,
  type Primitive,
  type Tangent,
  type Two,
  Zero,
  definePrimitive,
  isLinear,
} from "../core/primitive.ts";
import { ArgumentError, DTypeError, ShapeError } from "../core/problem.ts";
import { shapeText } from "../core/shape.ts";
import { addTangents, transpose } from "../core/structural.ts";
import { bind1 } from "../core/trace.ts";
import { integers, readOptions } from "./arguments.ts";
import { type Precision, resultDType } from "./contract.ts";
import {
  type ConvDimensionNumbers,
  type ConvDimensions,
  convDimensionNumbers,
  convShapeTuple,
  convTransposePadding,
  inOrder,
  outOfOrder,
} from "./convDimensions.ts";
import { lowerConv } from "./convLowering.ts";
import { convHost } from "./convReference.ts";
import { batchConv, transposeLhs, transposeRhs } from "./convRules.ts";
import { rev } from "./movement.ts";
import { type Padding, type Pads, dilated, padtypeToPads } from "./windowGeometry.ts";
import { unit } from "../core/unit.ts";

export interface ConvParams {
  readonly windowStrides: readonly number[];
  readonly padding: readonly Pads[];
  readonly lhsDilation: readonly number[];
  readonly rhsDilation: readonly number[];
  readonly dimensionNumbers: ConvDimensionNumbers;
  readonly featureGroupCount: number;
  readonly batchGroupCount: number;
  readonly precision: Precision;
  readonly preferredElementType: DType | null;
}

export const convGeneralDilatedP: Primitive<Two, ConvParams> = /* @__PURE__ */ definePrimitive<Two, ConvParams>({
  name: "conv_general_dilated",
  kind: "contraction",
  infer: ([x, w], p) => [x.withShape(convShape(x, w, p)).withDType(convDType(x, w, p), x.weakType && w.weakType)],
  reference: ([x, w], p, [out]) => [convHost(x, w, p, out!)],
  jvp: ([x, w], [dx, dw], p) => {
    const out = bind1(convGeneralDilatedP, [x, w], p);
    const left: Tangent = dx instanceof Zero ? new Zero(out.aval) : bind1(convGeneralDilatedP, [dx, w], p);
    const right: Tangent = dw instanceof Zero ? new Zero(out.aval) : bind1(convGeneralDilatedP, [x, dw], p);
    return { primals: [out], tangents: [addTangents(left, right)] };
  },
  transpose: ([ct], [x, w], p) =>
    isLinear(x)
      ? [transposeLhs(ct as NDArray, x.aval, w as NDArray, p), null]
      : [null, isLinear(w) ? transposeRhs(ct as NDArray, x, w.aval, p) : null],
  batch: ([x, w], [dx, dw], p, axis) => batchConv(x, w, dx, dw, p, axis),
  lower: ([x, w], p, [out]) => lowerConv(x, w, p, out!),
  printParams: (p) => ({
    batch_group_count: p.batchGroupCount,
    dimension_numbers: p.dimensionNumbers,
    feature_group_count: p.featureGroupCount,
    lhs_dilation: p.lhsDilation,
    padding: p.padding,
    precision: p.precision ?? undefined,
    preferred_element_type: p.preferredElementType ?? undefined,
    rhs_dilation: p.rhsDilation,
    window_strides: p.windowStrides,
  }),
});

/** The result's shape, after checking that operand, kernel and groups fit. */
export function convShape(x: Aval, w: Aval, p: ConvParams): number[] {
  const { lhsSpec, rhsSpec, outSpec } = p.dimensionNumbers;
  if (x.ndim !== w.ndim || lhsSpec.length !== x.ndim)
    throw misfit(x, w, "operand and kernel have different numbers of axes");
  const [lhs, rhs] = [inOrder(x.shape, lhsSpec), inOrder(w.shape, rhsSpec)];
  const { featureGroupCount: groups, batchGroupCount: batchGroups } = p;
  if (!(groups >= 1) || !(batchGroups >= 1) || (groups > 1 && batchGroups > 1))
    throw misfit(
      x,
      w,
      `featureGroupCount ${groups} and batchGroupCount ${batchGroups}: both at least 1, at most one of them larger`,
    );
  if (lhs[1] !== rhs[1]! * groups)
    throw misfit(
      x,
      w,
      `${lhs[1]!} input features in ${groups} ${groups === 1 ? "group" : "groups"} ≠ ${rhs[1]!} input features of the kernel`,
    );
  if (rhs[0]! % (groups * batchGroups) !== 0 || lhs[0]! % batchGroups !== 0)
    throw misfit(
      x,
      w,
      `${groups * batchGroups} groups do not divide ${rhs[0]!} output features (or the batch of ${lhs[0]!})`,
    );
  const spatial = x.ndim - 2;
  const lists = [p.windowStrides, p.lhsDilation, p.rhsDilation, p.padding];
  if (
    lists.some((l) => l.length !== spatial) ||
    [p.windowStrides, p.lhsDilation, p.rhsDilation].some((l) => l.some((n) => n < 1))
  )
    throw misfit(
      x,
      w,
      `strides [${p.windowStrides.join(", ")}], dilations [${p.lhsDilation.join(", ")}] and [${p.rhsDilation.join(", ")}] need one entry of at least 1 for each of the ${spatial} spatial axes`,
    );
  const grown = (lengths: readonly number[], by: readonly number[]): number[] =>
    lengths.map((n, i) => (i < 2 ? n : dilated(n, by[i - 2]!)));
  return outOfOrder(
    convShapeTuple(grown(lhs, p.lhsDilation), grown(rhs, p.rhsDilation), p.windowStrides, p.padding, batchGroups),
    outSpec,
  );
}

const misfit = (x: Aval, w: Aval, what: string): ShapeError =>
  new ShapeError("ConvShapes", {
    what: `convolution: ${shapeText(x.shape)} * ${shapeText(w.shape)}: ${what}`,
    why: "the kernel's input features are those of the operand divided by the number of groups; strides and dilations are per spatial axis",
    fix: "check dimensionNumbers (the default is NCHW, OIHW, NCHW) and the kernel's shape",
  });

function convDType(x: Aval, w: Aval, p: ConvParams): DType {
  if (x.dtype !== w.dtype || isBool(x.dtype))
    throw new DTypeError("ConvDTypes", {
      what: `convolution: the operand is ${x.dtype} and the kernel ${w.dtype}`,
      why: "lax convolutions do not promote, and booleans have no products",
      fix: `convert one of them, for example kernel.astype("${isBool(x.dtype) ? "float32" : x.dtype}")`,
    });
  return resultDType("convolution", x, w, p.preferredElementType);
}

// ---------------------------------------------------------------- functions

export interface ConvOptions {
  readonly lhsDilation?: readonly number[] | null | undefined;
  readonly rhsDilation?: readonly number[] | null | undefined;
  readonly dimensionNumbers?: ConvDimensions | undefined;
  readonly featureGroupCount?: number | undefined;
  readonly batchGroupCount?: number | undefined;
  readonly precision?: Precision | undefined;
  readonly preferredElementType?: DType | null | undefined;
  /** Accepted for JAX's signature; arrays live on one device here. */
  readonly outSharding?: unknown;
}
const optionNames = [
  "lhsDilation",
  "rhsDilation",
  "dimensionNumbers",
  "featureGroupCount",
  "batchGroupCount",
  "precision",
  "preferredElementType",
  "outSharding",
] as const;

/**
 * The general convolution: `lhs` [batch, features, …] with kernel `rhs` [out features, in features, …], unless
 * `dimensionNumbers` say otherwise. As in machine learning the kernel is not flipped.
 *
 * @example
 * lax.convGeneralDilated(np.ones([1, 1, 4]), np.ones([1, 1, 2]), [1], "VALID") // [[[2, 2, 2]]]
 */
export const convGeneralDilated = /* @__PURE__ */ unit(
  "convGeneralDilated",
  2,
  function convGeneralDilated(
    lhs: ArrayLike,
    rhs: ArrayLike,
    windowStrides: readonly number[],
    padding: Padding,
    ...rest: readonly (ConvOptions | readonly number[] | null | undefined)[]
  ): NDArray {
    const options = readOptions<ConvOptions>("convGeneralDilated", optionNames, 2, rest);
    const [x, w] = [asArray(lhs, "convGeneralDilated"), asArray(rhs, "convGeneralDilated")];
    const numbers = convDimensionNumbers(x.shape, w.shape, options.dimensionNumbers ?? null);
    const ones = new Array<number>(x.ndim - 2).fill(1);
    const lhsDilation = integers("convGeneralDilated", "lhsDilation", options.lhsDilation ?? ones);
    const rhsDilation = integers("convGeneralDilated", "rhsDilation", options.rhsDilation ?? ones);
    const strides = integers("convGeneralDilated", "windowStrides", windowStrides);
    if (typeof padding === "string" && lhsDilation.some((d) => d !== 1)) throw paddingByName(padding);
    const [n, k] = [inOrder(x.shape, numbers.lhsSpec).slice(2), inOrder(w.shape, numbers.rhsSpec).slice(2)];
    return bind1(convGeneralDilatedP, [x, w], {
      windowStrides: strides,
      padding: padtypeToPads(
        n,
        k.map((m, i) => dilated(m, rhsDilation[i] ?? 1)),
        strides,
        padding,
      ),
      lhsDilation,
      rhsDilation,
      dimensionNumbers: numbers,
      featureGroupCount: options.featureGroupCount ?? 1,
      batchGroupCount: options.batchGroupCount ?? 1,
      precision: options.precision ?? null,
      preferredElementType: options.preferredElementType ? parseDType(options.preferredElementType) : null,
    });
  },
);

const paddingByName = (padding: string): ArgumentError =>
  new ArgumentError("PaddingByName", {
    what: `convGeneralDilated: padding ${JSON.stringify(padding)} together with lhsDilation`,
    why: "padding by name is not defined for fractionally strided convolutions",
    fix: "give the padding as [low, high] pairs, or use convTranspose",
  });

type TypeOptions = Pick<ConvOptions, "precision" | "preferredElementType">;
type TypeRest = readonly (Precision | TypeOptions | undefined)[];
const typeNames = ["precision", "preferredElementType"] as const;

/** A convolution with strides and padding only; layouts NCHW and OIHW. */
export const conv = /* @__PURE__ */ unit(
  "conv",
  2,
  (lhs: ArrayLike, rhs: ArrayLike, windowStrides: readonly number[], padding: Padding, ...rest: TypeRest): NDArray =>
    convGeneralDilated(lhs, rhs, windowStrides, padding, readOptions<TypeOptions>("conv", typeNames, 2, rest)),
);

/** A convolution with dilations; layouts NCHW and OIHW. */
export const convWithGeneralPadding = /* @__PURE__ */ unit(
  "convWithGeneralPadding",
  2,
  (
    lhs: ArrayLike,
    rhs: ArrayLike,
    windowStrides: readonly number[],
    padding: Padding,
    lhsDilation: readonly number[] | null,
    rhsDilation: readonly number[] | null,
    ...rest: TypeRest
  ): NDArray =>
    convGeneralDilated(lhs, rhs, windowStrides, padding, {
      lhsDilation,
      rhsDilation,
      ...readOptions<TypeOptions>("convWithGeneralPadding", typeNames, 2, rest),
    }),
);

export interface ConvTransposeOptions extends TypeOptions {
  readonly rhsDilation?: readonly number[] | null | undefined;
  readonly dimensionNumbers?: ConvDimensions | undefined;
  /** Flips the kernel and swaps its features, as frameworks do that define this as a gradient. */
  readonly transposeKernel?: boolean | undefined;
  /** Reads explicit padding as that of the forward convolution, as names are read. */
  readonly useConsistentPadding?: boolean | undefined;
}
const transposeNames = [
  "rhsDilation",
  "dimensionNumbers",
  "transposeKernel",
  "precision",
  "preferredElementType",
  "useConsistentPadding",
] as const;

/** A fractionally strided convolution, the shape inverse of one with these strides; layouts NHWC and HWIO by default. */
export const convTranspose = /* @__PURE__ */ unit(
  "convTranspose",
  2,
  function convTranspose(
    lhs: ArrayLike,
    rhs: ArrayLike,
    strides: readonly number[],
    padding: Padding,
    options: ConvTransposeOptions = {},
  ): NDArray {
    const given = readOptions<ConvTransposeOptions>("convTranspose", transposeNames, 0, [options]);
    const [x, w] = [asArray(lhs, "convTranspose"), asArray(rhs, "convTranspose")];
    const numbers = convDimensionNumbers(x.shape, w.shape, given.dimensionNumbers ?? channelsLast(x.ndim));
    const ones = new Array<number>(x.ndim - 2).fill(1);
    const rhsDilation = given.rhsDilation ?? ones;
    const windows = inOrder(w.shape, numbers.rhsSpec)
      .slice(2)
      .map((k, i) => dilated(k, rhsDilation[i]!));
    const byName = typeof padding === "string" && padding.toUpperCase() !== "SAME_LOWER";
    const pads =
      byName || given.useConsistentPadding
        ? windows.map((k, i) =>
            convTransposePadding(k, strides[i]!, typeof padding === "string" ? padding : padding[i]!),
          )
        : padding;
    return convGeneralDilated(x, given.transposeKernel ? flippedKernel(w, numbers) : w, ones, pads, {
      lhsDilation: strides,
      rhsDilation,
      dimensionNumbers: numbers,
      precision: given.precision,
      preferredElementType: given.preferredElementType,
    });
  },
);

const channelsLast = (ndim: number): readonly [string, string, string] => {
  const spatial = ["", "H", "HW", "HWD"][ndim - 2];
  if (spatial !== undefined) return [`N${spatial}C`, `${spatial}IO`, `N${spatial}C`];
  throw new ArgumentError("ConvDimensionNumbers", {
    what: `convTranspose: no default layout for ${ndim - 2} spatial axes`,
    why: "defaults exist for up to three",
    fix: "give dimensionNumbers",
  });
};

/** The kernel with its spatial axes reversed and its features exchanged. */
function flippedKernel(w: NDArray, { rhsSpec }: ConvDimensionNumbers): NDArray {
  const order = w.shape.map((_, i) => (i === rhsSpec[0] ? rhsSpec[1]! : i === rhsSpec[1] ? rhsSpec[0]! : i));
  return transpose(rev(w, rhsSpec.slice(2)), order);
}

export const primitives: readonly AnyPrimitive[] = [convGeneralDilatedP];
