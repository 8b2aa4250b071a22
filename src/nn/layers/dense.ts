/** Layers of a product with a matrix: dense ones, and embeddings, which pick rows of one. */
import type { NDArray } from "../../core/ndarray.ts";
import { ArgumentError, DTypeError } from "../../core/problem.ts";
import { ShapeDtypeStruct } from "../../core/shapeDtypeStruct.ts";
import * as np from "../../numpy/index.ts";
import * as random from "../../random/index.ts";
import { type Initializer, lecunNormal, varianceScaling, zeros } from "../initializers.ts";
import { type Layer, type None, type WeightOptions, inputOf, layer, requireAxes, stateless } from "./layer.ts";

/** Weights of a layer, and what is added to each feature. */
export interface WeightParams {
  readonly kernel: NDArray;
  /** Absent where the layer has none. */
  readonly bias?: NDArray;
}

export interface DenseOptions extends WeightOptions {
  /** Whether a bias is added. Default true. */
  readonly bias?: boolean | undefined;
  /** Default `initializers.lecunNormal()`. */
  readonly kernelInit?: Initializer | undefined;
  /** Default `initializers.zeros`. */
  readonly biasInit?: Initializer | undefined;
}

/** A number of features, or what it is for a number of input features. */
export type Features = number | ((inputs: number) => number);

/** The number of features for an input. */
export function featuresFor(name: string, features: Features, inputs: number): number {
  const n = typeof features === "function" ? features(inputs) : features;
  if (Number.isInteger(n) && n > 0) return n;
  throw new ArgumentError("Features", {
    what: `nn.${name}: ${String(n)} features`,
    why: "features are counted in positive integers",
    fix: "pass a positive integer",
  });
}

/** Kernel and bias. */
export function makeWeights(
  key: NDArray,
  shape: readonly number[],
  { bias = true, kernelInit = lecunNormal(), biasInit = zeros, dtype = "float32" }: DenseOptions,
): WeightParams {
  const kernel = kernelInit(random.foldIn(key, 0), shape, dtype);
  return bias ? { kernel, bias: biasInit(random.foldIn(key, 1), [shape.at(-1)!], dtype) } : { kernel };
}

export const withBias = (y: NDArray, { bias }: WeightParams): NDArray => (bias ? np.add(y, bias) : y);

/**
 * x W + b along the last axis.
 *
 * @param features of the output.
 * @returns a layer from [..., inputs] to [..., features].
 * @example
 * nn.dense(3).init(random.key(0), [8, 2]).params.kernel.shape // [2, 3]
 */
export const dense = (features: Features, options: DenseOptions = {}): Layer<WeightParams, None> =>
  stateless(
    "dense",
    (key, input) => {
      requireAxes("dense", input, 1, "[..., features]");
      const inputs = input.shape.at(-1)!;
      return makeWeights(key, [inputs, featuresFor("dense", features, inputs)], options);
    },
    (params, x) => withBias(np.matmul(x, params.kernel), params),
  );

export interface EmbeddingOptions extends WeightOptions {
  /** Default normal, with variance 1 / features. */
  readonly init?: Initializer | undefined;
}
export interface EmbeddingParams {
  readonly embedding: NDArray;
}
/** An embedding, and the way back: scores of all rows for a vector, which ties input and output of a language model. */
export interface Embedding extends Layer<EmbeddingParams, None> {
  /** x Eᵀ: [..., features] to [..., count]. */
  readonly attend: (params: EmbeddingParams, x: NDArray) => NDArray;
}

/**
 * A vector for each of some things that are told apart by whole numbers, such as letters or words.
 *
 * @param count how many there are; ids go from 0 to count − 1.
 * @returns a layer from integers [...] to [..., features].
 * @example
 * const names = nn.embedding(10, 4);
 * const { params, state } = names.init(random.key(0), [8, 6]);
 * names.apply(params, state, np.zeros([8, 6], "int32"))[0].shape // [8, 6, 4]
 */
export function embedding(count: number, features: number, options: EmbeddingOptions = {}): Embedding {
  for (const n of [count, features]) featuresFor("embedding", n, 0);
  const { dtype = "float32", init = varianceScaling(1, "fan_in", "normal", { outAxis: 0 }) } = options;
  const of = layer<EmbeddingParams, None>({
    name: "embedding",
    init: (key) => ({ params: { embedding: init(key, [count, features], dtype) }, state: {} }),
    apply: (params, state, ids) => [np.take(params.embedding, requireIntegers(ids), 0), state],
  });
  return {
    ...of,
    init: (key, input) => {
      const x = inputOf("embedding", input);
      // A shape alone is that of ids.
      return of.init(key, x.weakType ? new ShapeDtypeStruct(x.shape, "int32") : x);
    },
    attend: (params, x) => np.matmul(x, params.embedding.T),
  };
}

function requireIntegers(ids: NDArray): NDArray {
  if (/^u?int/.test(ids.dtype)) return ids;
  throw new DTypeError("EmbeddingIds", {
    what: `nn.embedding: the ids are ${ids.dtype}`,
    why: "an id is the number of a row",
    fix: 'pass integers: ids.astype("int32")',
  });
}
