/**
 * Initial values of weights: functions of a key and a shape. The scaled ones keep the variance of signals from layer to
 * layer (Glorot and Bengio, 2010; He et al., 2015; LeCun et al., 1998).
 */
import type { ArrayLike } from "../core/arrayMethods.ts";
import { type DType, isComplex, realDType } from "../core/dtype.ts";
import type { NDArray } from "../core/ndarray.ts";
import { ArgumentError } from "../core/problem.ts";
import { type Shape, canonicalAxes, canonicalAxis, parseShape, shapeText, sizeOf } from "../core/shape.ts";
import { readOptions } from "../lax/arguments.ts";
import * as lax from "../lax/index.ts";
import * as np from "../numpy/index.ts";
import * as random from "../random/index.ts";

/** Makes weights of a shape; `dtype` overrides the initializer's own. */
export type Initializer = (key: NDArray, shape: Shape, dtype?: DType | null) => NDArray;

type Optional<O extends object, T> = readonly [] | readonly [T | O] | readonly [T, DType | null | O];

// ---------------------------------------------------------------- constants

/** Zeros. @example nn.initializers.zeros(random.key(0), [2]) // [0, 0] */
export const zeros: Initializer = (_, shape, dtype) => np.zeros(shape, dtype ?? "float32");
/** Ones. @example nn.initializers.ones(random.key(0), [2]) // [1, 1] */
export const ones: Initializer = (_, shape, dtype) => np.ones(shape, dtype ?? "float32");

/**
 * The same value everywhere; an array of values broadcasts.
 *
 * @example
 * nn.initializers.constant(7)(random.key(0), [2]) // [7, 7]
 */
export function constant(
  value: ArrayLike,
  ...rest: readonly [] | readonly [DType | null | { readonly dtype?: DType | null }]
): Initializer {
  const own = readOptions<{ dtype: DType | null }>("nn.initializers.constant", ["dtype"], 1, rest).dtype;
  return (_, shape, dtype) => np.full(shape, value, { dtype: dtype ?? own ?? "float32" });
}

// ---------------------------------------------------------------- plain distributions

export interface UniformInitializer {
  readonly scale?: number;
  readonly dtype?: DType | null;
}
/** Uniform in [0, scale), default 0.01. @example nn.initializers.uniform(1)(random.key(0), [2, 3]).shape // [2, 3] */
export function uniform(...rest: Optional<UniformInitializer, number>): Initializer {
  const names = ["scale", "dtype"] as const;
  const { scale = 0.01, dtype: own } = readOptions<UniformInitializer>("nn.initializers.uniform", names, 2, rest);
  return (key, shape, dtype) => np.multiply(random.uniform(key, shape, dtype ?? own), scale);
}

export interface NormalInitializer {
  readonly stddev?: number;
  readonly dtype?: DType | null;
}
/** Normal with deviation `stddev`, default 0.01. @example nn.initializers.normal(1)(random.key(0), [2]).shape // [2] */
export function normal(...rest: Optional<NormalInitializer, number>): Initializer {
  const names = ["stddev", "dtype"] as const;
  const { stddev = 0.01, dtype: own } = readOptions<NormalInitializer>("nn.initializers.normal", names, 2, rest);
  return (key, shape, dtype) => np.multiply(random.normal(key, shape, dtype ?? own), stddev);
}

export interface TruncatedNormalInitializer extends NormalInitializer {
  /** The bounds, in deviations. Default −2 and 2. */
  readonly lower?: number;
  readonly upper?: number;
}
/**
 * Normal within bounds, times `stddev` (default 0.01).
 *
 * @example
 * nn.initializers.truncatedNormal({ stddev: 1 })(random.key(0), [2]).shape // [2]
 */
export function truncatedNormal(...rest: Optional<TruncatedNormalInitializer, number>): Initializer {
  const names = ["stddev", "dtype", "lower", "upper"] as const;
  const given = readOptions<TruncatedNormalInitializer>("nn.initializers.truncatedNormal", names, 4, rest);
  const { stddev = 0.01, lower = -2, upper = 2 } = given;
  return (key, shape, dtype) =>
    np.multiply(random.truncatedNormal(key, lower, upper, shape, dtype ?? given.dtype), stddev);
}

// ---------------------------------------------------------------- scaled by the layer's size

export interface FanOptions {
  /** The axis or axes of the inputs. Default −2. */
  readonly inAxis?: number | readonly number[];
  /** The axis or axes of the outputs. Default −1. */
  readonly outAxis?: number | readonly number[];
  /** Axes that count neither as inputs nor as outputs. Default none. */
  readonly batchAxis?: number | readonly number[];
  readonly dtype?: DType | null;
}
const fanNames = ["inAxis", "outAxis", "batchAxis", "dtype"] as const;
type FanRest = readonly [] | readonly [number | readonly number[] | FanOptions];

export type FanMode = "fan_in" | "fan_out" | "fan_avg" | "fan_geo_avg";
export type FanDistribution = "truncated_normal" | "normal" | "uniform";

/**
 * Weights of variance `scale` / fan, where the fan is the number of inputs or outputs of a unit, or their mean.
 *
 * @param rest `inAxis`, `outAxis`, `batchAxis`, `dtype`.
 * @example
 * nn.initializers.varianceScaling(1, "fan_in", "normal")(random.key(0), [4, 3]).shape // [4, 3]
 */
export function varianceScaling(
  scale: number,
  mode: FanMode,
  distribution: FanDistribution,
  ...rest: FanRest
): Initializer {
  const options = readOptions<FanOptions>("nn.initializers.varianceScaling", fanNames, 4, rest);
  return (key, shape, dtype) => {
    const sizes = parseShape("nn.initializers", shape);
    const variance = scale / fanOf(mode, sizes, options);
    return drawWith(distribution, key, sizes, dtype ?? options.dtype ?? "float32", variance);
  };
}

function fanOf(mode: FanMode, shape: Shape, { inAxis = -2, outAxis = -1, batchAxis = [] }: FanOptions): number {
  if (inAxis === -2 && shape.length <= 1) throw tooFewAxes(shape);
  const along = (axes: number | readonly number[]): number =>
    typeof axes === "number"
      ? shape[canonicalAxis("nn.initializers", axes, shape.length)]!
      : canonicalAxes("nn.initializers", axes, shape.length).reduce((n, i) => n * shape[i]!, 1);
  const [inputs, outputs] = [along(inAxis), along(outAxis)];
  const field = sizeOf(shape) / inputs / outputs / along(batchAxis);
  const [fanIn, fanOut] = [inputs * field, outputs * field];
  switch (mode) {
    case "fan_in":
      return fanIn;
    case "fan_out":
      return fanOut;
    case "fan_avg":
      return (fanIn + fanOut) / 2;
    case "fan_geo_avg":
      return Math.sqrt(fanIn * fanOut);
    default:
      throw unknownName("mode", mode, ["fan_in", "fan_out", "fan_avg", "fan_geo_avg"]);
  }
}

function drawWith(distribution: FanDistribution, key: NDArray, shape: Shape, dtype: DType, variance: number): NDArray {
  const complex = isComplex(dtype);
  // In the dtype of the weights, step by step, so that they are JAX's to the last bit.
  const wanted = np.full([], variance, { dtype: realDType(dtype) });
  const deviation = np.sqrt(wanted);
  switch (distribution) {
    case "truncated_normal":
      // The deviation of a standard normal that is cut off at ±2 (of radius 2, in the complex plane).
      return complex
        ? np.multiply(complexTruncatedNormal(key, shape), np.divide(deviation, 0.9531116438049121))
        : np.multiply(random.truncatedNormal(key, -2, 2, shape, dtype), np.divide(deviation, 0.8796256610342398));
    case "normal":
      return np.multiply(random.normal(key, shape, dtype), deviation);
    case "uniform":
      return complex
        ? np.multiply(complexUniform(key, shape), deviation)
        : np.multiply(random.uniform(key, { shape, dtype, minval: -1 }), np.sqrt(np.multiply(3, wanted)));
    default:
      throw unknownName("distribution", distribution, ["truncated_normal", "normal", "uniform"]);
  }
}

/** Complex numbers of a random direction and a radius made from a uniform number. */
function polar(key: NDArray, shape: Shape, radius: (u: NDArray) => NDArray): NDArray {
  const keys = random.split(key);
  const [u, turn] = [0, 1].map((i) => random.uniform(lax.indexInDim(keys, i, { keepdims: false }), shape));
  const [r, angle] = [radius(u!), np.multiply(turn!, 2 * Math.PI)];
  return lax.complex(np.multiply(r, np.cos(angle)), np.multiply(r, np.sin(angle)));
}
const complexUniform = (key: NDArray, shape: Shape): NDArray => polar(key, shape, (u) => np.sqrt(np.multiply(2, u)));
const complexTruncatedNormal = (key: NDArray, shape: Shape): NDArray =>
  polar(key, shape, (u) => np.sqrt(np.negative(np.log(np.subtract(1, np.multiply(1 - Math.exp(-4), u))))));

const tooFewAxes = (shape: Shape): ArgumentError =>
  new ArgumentError("FanAxes", {
    what: `nn.initializers: weights of shape ${shapeText(shape)} have no inputs and outputs to count`,
    why: "the variance depends on the number of inputs (axis −2) and outputs (axis −1)",
    fix: "use nn.initializers.zeros for biases, or name the axes with { inAxis, outAxis }",
  });
const unknownName = (what: string, found: unknown, known: readonly string[]): ArgumentError =>
  new ArgumentError("UnknownName", {
    what: `nn.initializers.varianceScaling: there is no ${what} ${JSON.stringify(found)}`,
    why: `the ${what} decides how the variance is made`,
    fix: `use one of ${known.join(", ")}`,
  });

/** An initializer of the variance-scaling family, with its own name in messages. */
const scaled =
  (name: string, scale: number, mode: FanMode, distribution: FanDistribution) =>
  (...rest: FanRest): Initializer =>
    varianceScaling(scale, mode, distribution, readOptions<FanOptions>(`nn.initializers.${name}`, fanNames, 4, rest));

/** Uniform, variance 2 / (in + out). @example nn.initializers.glorotUniform()(random.key(0), [4, 3]).shape // [4, 3] */
export const glorotUniform = /* @__PURE__ */ scaled("glorotUniform", 1, "fan_avg", "uniform");
/** Normal, variance 2 / (in + out). @example nn.initializers.glorotNormal()(random.key(0), [4, 3]).shape // [4, 3] */
export const glorotNormal = /* @__PURE__ */ scaled("glorotNormal", 1, "fan_avg", "truncated_normal");
/** Uniform, variance 1 / in. @example nn.initializers.lecunUniform()(random.key(0), [4, 3]).shape // [4, 3] */
export const lecunUniform = /* @__PURE__ */ scaled("lecunUniform", 1, "fan_in", "uniform");
/** Normal, variance 1 / in. @example nn.initializers.lecunNormal()(random.key(0), [4, 3]).shape // [4, 3] */
export const lecunNormal = /* @__PURE__ */ scaled("lecunNormal", 1, "fan_in", "truncated_normal");
/** Uniform, variance 2 / in: for relu. @example nn.initializers.heUniform()(random.key(0), [4, 3]).shape // [4, 3] */
export const heUniform = /* @__PURE__ */ scaled("heUniform", 2, "fan_in", "uniform");
/** Normal, variance 2 / in: for relu. @example nn.initializers.heNormal()(random.key(0), [4, 3]).shape // [4, 3] */
export const heNormal = /* @__PURE__ */ scaled("heNormal", 2, "fan_in", "truncated_normal");

export {
  glorotUniform as xavierUniform,
  glorotNormal as xavierNormal,
  heUniform as kaimingUniform,
  heNormal as kaimingNormal,
};
