/** Convolutions over one, two or three axes (or more), channels last. */
import type { NDArray } from "../../core/ndarray.ts";
import { ArgumentError, ShapeError } from "../../core/problem.ts";
import { shapeText } from "../../core/shape.ts";
import type { ShapeDtypeStruct } from "../../core/shapeDtypeStruct.ts";
import * as lax from "../../lax/index.ts";
import { type DenseOptions, type Features, type WeightParams, featuresFor, makeWeights, withBias } from "./dense.ts";
import { type Layer, type None, stateless } from "./layer.ts";

/** A number for every axis, or one for all of them. */
export type PerAxis = number | readonly number[];
/** `SAME` keeps ⌈n / stride⌉ places, `VALID` pads nothing, `CAUSAL` pads what comes before only; or numbers for each axis. */
export type LayerPadding = "SAME" | "VALID" | "CAUSAL" | readonly (readonly [before: number, after: number])[];

export interface ConvOptions extends DenseOptions {
  /** Default 1. */
  readonly strides?: PerAxis | undefined;
  /** Default `SAME`. */
  readonly padding?: LayerPadding | undefined;
  /** Distance of neighbours in the kernel. Default 1. */
  readonly dilation?: PerAxis | undefined;
  /** Groups of features that do not see each other. Default 1. */
  readonly groups?: number | undefined;
}

/** A list with an entry for each axis of a window. */
export function perAxis(name: string, what: string, given: PerAxis, window: readonly number[]): readonly number[] {
  const list = typeof given === "number" ? window.map(() => given) : given;
  if (list.length === window.length && list.every((n) => Number.isInteger(n) && n > 0)) return list;
  throw new ArgumentError("PerAxis", {
    what: `nn.${name}: ${what} [${list.join(", ")}] for a window of ${window.length} axes`,
    why: "each spatial axis has a positive integer of its own",
    fix: `pass one number for all axes, or ${window.length} of them`,
  });
}

/** The sizes of a window: a list, because a number would not tell how many axes there are. */
export function windowOf(name: string, window: readonly number[]): readonly number[] {
  if (Array.isArray(window) && window.length > 0) return perAxis(name, "the window", window, window);
  throw new ArgumentError("Window", {
    what: `nn.${name}: the window is ${JSON.stringify(window)}`,
    why: "its length says over how many axes the layer slides",
    fix: "pass a list: [3] for sequences, [3, 3] for images, [3, 3, 3] for volumes",
  });
}

type Pads = readonly (readonly [number, number])[];

/** Padding as `lax` takes it. */
function padsOf(
  padding: LayerPadding,
  window: readonly number[],
  dilation: readonly number[],
): "SAME" | "VALID" | Pads {
  if (padding !== "CAUSAL") return padding;
  return window.map((n, i) => [(n - 1) * dilation[i]!, 0] as const);
}

/** [batch, …spatial, channels], with as many spatial axes as the window has. */
export function requireSpatial(
  name: string,
  { shape }: { readonly shape: readonly number[] },
  window: readonly number[],
): void {
  if (shape.length === window.length + 2) return;
  throw new ShapeError("LayerInput", {
    what: `nn.${name}: the input ${shapeText(shape)} has ${shape.length} axes, and the window [${window.join(", ")}] slides over ${window.length}`,
    why: `the input is to be [batch, ${window.map((_, i) => `axis${i + 1}`).join(", ")}, channels]`,
    fix: "reshape the input, or take a window of another number of axes",
  });
}

/** Names of the axes, channels last: batch, spatial axes 0 …, features. */
const layout = (axes: number): readonly [string, string, string] => {
  const spatial = Array.from({ length: axes }, (_, i) => String(i)).join("");
  return [`N${spatial}C`, `${spatial}IO`, `N${spatial}C`];
};

/**
 * A convolution; its window is not flipped.
 *
 * @param features of the output.
 * @param window of the kernel, a number for each spatial axis.
 * @returns a layer from [batch, …spatial, channels] to [batch, …spatial, features]; its kernel is [...window, channels / groups, features].
 * @example
 * nn.conv(8, [3, 3], { strides: 2 }).init(random.key(0), [1, 28, 28, 1]).output.shape // [1, 14, 14, 8]
 */
export function conv(
  features: Features,
  window: readonly number[],
  options: ConvOptions = {},
): Layer<WeightParams, None> {
  return convolution("conv", () => options.groups ?? 1, features, window, options);
}

export interface DepthwiseConvOptions extends Omit<ConvOptions, "groups"> {
  /** Features made of each channel. Default 1. */
  readonly multiplier?: number | undefined;
}

/**
 * A convolution of each channel by itself.
 *
 * @returns a layer from [batch, …spatial, channels] to [batch, …spatial, channels · multiplier].
 * @example
 * nn.depthwiseConv([3, 3]).init(random.key(0), [1, 8, 8, 4]).params.kernel.shape // [3, 3, 1, 4]
 */
export function depthwiseConv(
  window: readonly number[],
  options: DepthwiseConvOptions = {},
): Layer<WeightParams, None> {
  const { multiplier = 1, ...rest } = options;
  return convolution(
    "depthwiseConv",
    (channels) => channels,
    (channels) => channels * multiplier,
    window,
    rest,
  );
}

function convolution(
  name: string,
  groupsFor: (channels: number) => number,
  features: Features,
  window: readonly number[],
  options: ConvOptions,
): Layer<WeightParams, None> {
  const sizes = windowOf(name, window);
  const strides = perAxis(name, "strides", options.strides ?? 1, sizes);
  const rhsDilation = perAxis(name, "dilation", options.dilation ?? 1, sizes);
  const padding = padsOf(options.padding ?? "SAME", sizes, rhsDilation);
  const dimensionNumbers = layout(sizes.length);
  return stateless(
    name,
    (key, input) => {
      requireSpatial(name, input, sizes);
      const channels = input.shape.at(-1)!;
      const [groups, outputs] = [groupsFor(channels), featuresFor(name, features, channels)];
      requireGroups(name, groups, channels, outputs);
      return makeWeights(key, [...sizes, channels / groups, outputs], options);
    },
    (params, x) => {
      requireSpatial(name, x, sizes);
      const featureGroupCount = groupsFor(x.shape.at(-1)!);
      const y = lax.convGeneralDilated(x, params.kernel, strides, padding, {
        rhsDilation,
        dimensionNumbers,
        featureGroupCount,
      });
      return withBias(y, params);
    },
  );
}

function requireGroups(name: string, groups: number, channels: number, features: number): void {
  if (Number.isInteger(groups) && groups > 0 && channels % groups === 0 && features % groups === 0) return;
  throw new ArgumentError("Groups", {
    what: `nn.${name}: ${groups} groups of ${channels} channels and ${features} features`,
    why: "every group has equally many channels and equally many features",
    fix: "take a number of groups that divides both",
  });
}

export type ConvTransposeOptions = Omit<ConvOptions, "groups">;

/**
 * A convolution that makes an axis longer by its stride: the shape inverse of one with that stride.
 *
 * @returns a layer from [batch, …spatial, channels] to [batch, …stride · spatial, features] for `SAME`.
 * @example
 * nn.convTranspose(4, [3, 3], { strides: 2 }).init(random.key(0), [1, 7, 7, 8]).output.shape // [1, 14, 14, 4]
 */
export function convTranspose(
  features: Features,
  window: readonly number[],
  options: ConvTransposeOptions = {},
): Layer<WeightParams, None> {
  const name = "convTranspose";
  const sizes = windowOf(name, window);
  const strides = perAxis(name, "strides", options.strides ?? 1, sizes);
  const rhsDilation = perAxis(name, "dilation", options.dilation ?? 1, sizes);
  const { padding = "SAME" } = options;
  if (padding === "CAUSAL")
    throw new ArgumentError("Padding", {
      what: "nn.convTranspose: the padding is CAUSAL",
      why: "that is defined for convolutions only",
      fix: 'pass "SAME", "VALID" or a list of [before, after]',
    });
  const dimensionNumbers = layout(sizes.length);
  return stateless(
    name,
    (key, input: ShapeDtypeStruct) => {
      requireSpatial(name, input, sizes);
      const channels = input.shape.at(-1)!;
      return makeWeights(key, [...sizes, channels, featuresFor(name, features, channels)], options);
    },
    (params, x: NDArray) =>
      withBias(lax.convTranspose(x, params.kernel, strides, padding, { rhsDilation, dimensionNumbers }), params),
  );
}
