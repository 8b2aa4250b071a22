/** Layers that bring numbers to mean 0 and variance 1, over the batch, the features, or groups of them. */
import type { NDArray } from "../../core/ndarray.ts";
import { ArgumentError } from "../../core/problem.ts";
import type { ShapeDtypeStruct } from "../../core/shapeDtypeStruct.ts";
import * as lax from "../../lax/index.ts";
import * as np from "../../numpy/index.ts";
import { type Layer, type None, type WeightOptions, layer, requireAxes, stateless } from "./layer.ts";

/** Factor and summand of each feature. */
export interface ScaleParams {
  /** Absent where the layer has none. */
  readonly scale?: NDArray;
  readonly bias?: NDArray;
}

export interface NormOptions extends WeightOptions {
  /** Added to the variance. Default 1e-6, and 1e-5 for `batchNorm`. */
  readonly epsilon?: number | undefined;
  /** Whether the result is multiplied by learned factors. Default true. */
  readonly scale?: boolean | undefined;
  /** Whether learned numbers are added. Default true. */
  readonly bias?: boolean | undefined;
}

const makeScale = (features: number, { scale = true, bias = true, dtype = "float32" }: NormOptions): ScaleParams => ({
  ...(scale ? { scale: np.ones(features, dtype) } : {}),
  ...(bias ? { bias: np.zeros(features, dtype) } : {}),
});
function scaled(x: NDArray, { scale, bias }: ScaleParams): NDArray {
  const y = scale ? np.multiply(x, scale) : x;
  return bias ? np.add(y, bias) : y;
}

/** (x − mean) / √(variance + ε). */
const normalized = (x: NDArray, mean: NDArray, variance: NDArray, epsilon: number): NDArray =>
  np.multiply(np.subtract(x, mean), lax.rsqrt(np.add(variance, epsilon)));

function overAxes(x: NDArray, axis: number | readonly number[], epsilon: number): NDArray {
  const mean = np.mean(x, axis, { keepdims: true });
  const variance = np.mean(np.square(np.subtract(x, mean)), axis, { keepdims: true });
  return normalized(x, mean, variance, epsilon);
}

/** Running statistics of the features. */
export interface BatchNormState {
  readonly mean: NDArray;
  readonly variance: NDArray;
}
export interface BatchNormOptions extends NormOptions {
  /** How much of the old statistics is kept by a batch. Default 0.99. */
  readonly momentum?: number | undefined;
  /** Mapped axes (`vmap`, `pmap`) over which the statistics are taken too. */
  readonly axisName?: string | readonly string[] | undefined;
}

/**
 * Normalises every feature over the batch and all other axes (Ioffe and Szegedy, 2015). In training by the mean and the
 * (biased) variance of the batch, whose running averages are the state; otherwise by that state.
 *
 * @returns a layer of [batch, …, features].
 * @example
 * const norm = nn.batchNorm();
 * const { params, state } = norm.init(random.key(0), [4, 2]);
 * const [, next] = norm.apply(params, state, np.ones([4, 2]), { train: true });
 * next.mean // [0.01, 0.01]
 */
export function batchNorm(options: BatchNormOptions = {}): Layer<ScaleParams, BatchNormState> {
  const { epsilon = 1e-5, momentum = 0.99, axisName } = options;
  return layer({
    name: "batchNorm",
    init: (_, input) => {
      requireAxes("batchNorm", input, 2, "[batch, …, features]");
      const features = input.shape.at(-1)!;
      // Statistics are summed over many numbers: in float32, whatever the parameters are.
      return { params: makeScale(features, options), state: { mean: np.zeros(features), variance: np.ones(features) } };
    },
    apply: (params, state, x, { train = false } = {}) => {
      if (!train) return [scaled(normalized(x, state.mean, state.variance, epsilon), params).astype(x.dtype), state];
      const axes = x.shape.slice(0, -1).map((_, i) => i);
      const everywhere = (y: NDArray): NDArray => (axisName === undefined ? y : lax.pmean(y, axisName));
      const wide = x.dtype === "float64" ? x : np.astype(x, "float32");
      const mean = everywhere(np.mean(wide, axes));
      const variance = everywhere(np.mean(np.square(np.subtract(wide, mean)), axes));
      const running = (old: NDArray, now: NDArray): NDArray =>
        np.add(np.multiply(old, momentum), np.multiply(lax.stopGradient(now), 1 - momentum)).astype(old.dtype);
      const next = { mean: running(state.mean, mean), variance: running(state.variance, variance) };
      return [scaled(normalized(wide, mean, variance, epsilon), params).astype(x.dtype), next];
    },
  });
}

const overFeatures = (name: string, options: NormOptions, f: (x: NDArray) => NDArray): Layer<ScaleParams, None> =>
  stateless(
    name,
    (_, input) => {
      requireAxes(name, input, 1, "[…, features]");
      return makeScale(input.shape.at(-1)!, options);
    },
    (params, x) => scaled(f(x), params),
  );

/**
 * Normalises the features of every example by themselves (Ba et al., 2016).
 *
 * @returns a layer of [..., features].
 * @example
 * nn.layerNorm().init(random.key(0), [8, 4]).params.scale.shape // [4]
 */
export const layerNorm = (options: NormOptions = {}): Layer<ScaleParams, None> =>
  overFeatures("layerNorm", options, (x) => overAxes(x, -1, options.epsilon ?? 1e-6));

/**
 * x / √(mean of x² + ε), over the features (Zhang and Sennrich, 2019); it has factors and adds nothing.
 *
 * @example
 * nn.rmsNorm({ epsilon: 0 }).apply({}, {}, np.array([3, -3]))[0] // [1, -1]
 */
export const rmsNorm = (options: Omit<NormOptions, "bias"> = {}): Layer<ScaleParams, None> =>
  overFeatures("rmsNorm", { ...options, bias: false }, (x) =>
    np.multiply(x, lax.rsqrt(np.add(np.mean(np.square(x), -1, { keepdims: true }), options.epsilon ?? 1e-6))),
  );

/**
 * Normalises groups of neighbouring features, over all places of an example (Wu and He, 2018).
 *
 * @param groups how many; they divide the number of features.
 * @returns a layer of [batch, …, features].
 * @example
 * nn.groupNorm(2).init(random.key(0), [1, 8, 8, 4]).output.shape // [1, 8, 8, 4]
 */
export function groupNorm(groups: number, options: NormOptions = {}): Layer<ScaleParams, None> {
  const check = ({ shape }: Pick<ShapeDtypeStruct, "shape">): void => {
    requireAxes("groupNorm", { shape }, 2, "[batch, …, features]");
    const features = shape.at(-1)!;
    if (Number.isInteger(groups) && groups > 0 && features % groups === 0) return;
    throw new ArgumentError("Groups", {
      what: `nn.groupNorm: ${groups} groups of ${features} features`,
      why: "all groups have equally many features",
      fix: "take a number of groups that divides the number of features",
    });
  };
  return stateless(
    "groupNorm",
    (_, input) => {
      check(input);
      return makeScale(input.shape.at(-1)!, options);
    },
    (params, x) => {
      check(x);
      const { shape } = x;
      const split = np.reshape(x, [...shape.slice(0, -1), groups, shape.at(-1)! / groups]);
      const axes = [...shape.slice(1, -1).map((_, i) => i + 1), shape.length];
      return scaled(np.reshape(overAxes(split, axes, options.epsilon ?? 1e-6), shape), params);
    },
  );
}
