/**
 * Self-attention with several heads (Vaswani et al., 2017), rotary positions (Su et al., 2021), shared keys and values
 * (Ainslie et al., 2023), and a cache of keys and values, with which a sequence is continued step by step.
 */
import type { ArrayLike } from "../../core/arrayMethods.ts";
import type { DType } from "../../core/dtype.ts";
import type { NDArray } from "../../core/ndarray.ts";
import { ArgumentError, ShapeError } from "../../core/problem.ts";
import { type Shape, shapeText } from "../../core/shape.ts";
import * as lax from "../../lax/index.ts";
import * as np from "../../numpy/index.ts";
import * as random from "../../random/index.ts";
import { dotProductAttention } from "../attention.ts";
import { normal } from "../initializers.ts";
import { type DenseOptions, type WeightParams, makeWeights, withBias } from "./dense.ts";
import { type ApplyOptions, type Layer, type WeightOptions, layer } from "./layer.ts";

/** Keys and values of what a model has seen so far. */
export interface KeyValueCache {
  /** [batch, length, heads, size]; from `index` on nothing was written yet. */
  readonly key: NDArray;
  readonly value: NDArray;
  /** How many steps were seen, int32. */
  readonly index: NDArray;
}
/** The state of an attention layer. */
export interface AttentionState {
  /** Null for layers that see whole sequences at once. */
  readonly cache: KeyValueCache | null;
}
export interface AttentionParams {
  readonly query: WeightParams;
  readonly key: WeightParams;
  readonly value: WeightParams;
  readonly out: WeightParams;
}

export interface AttentionLayerOptions extends DenseOptions {
  /** Features of a head. Default: those of the input, divided by the heads. */
  readonly headSize?: number | undefined;
  /** Heads of keys and values, each of which several query heads share. Default: as many as heads. */
  readonly keyValueHeads?: number | undefined;
  /** A step sees itself and those before. Default false. */
  readonly causal?: boolean | undefined;
  /** Turns queries and keys by their position. Default false. */
  readonly rotary?: boolean | undefined;
  /**
   * Steps that the cache has room for: then inputs are what comes after the steps that were seen, one or several, and what
   * was seen is in the state. The parameters are those of a layer without. A step that has no room gives NaN.
   */
  readonly cache?: number | undefined;
}

/**
 * Turns neighbours in feature space by angles that grow with the position, so that products of queries and keys depend on
 * their distance: (x₁, x₂) of the two halves of the features by position · base^(−2i / size).
 *
 * @param x [..., time, heads, size], the size even.
 * @param positions [time] or [..., time], whole numbers.
 * @param options `base`, default 10000.
 * @example
 * nn.rotary(np.ones([1, 3, 2, 4]), np.arange(3)).shape // [1, 3, 2, 4]
 */
export function rotary(x: NDArray, positions: ArrayLike, { base = 10000 }: { readonly base?: number } = {}): NDArray {
  const size = x.shape.at(-1)!;
  if (x.ndim < 3 || size % 2 !== 0)
    throw new ShapeError("RotaryShape", {
      what: `nn.rotary: the input is ${shapeText(x.shape)}`,
      why: "it is to be [..., time, heads, size], and pairs of features are turned",
      fix: "take heads of an even size",
    });
  const frequencies = np.power(base, np.divide(np.arange(0, size, 2).astype("float32"), -size));
  const angles = np.expandDims(np.multiply(np.expandDims(np.astype(positions, "float32"), -1), frequencies), -2);
  const [cos, sin] = [np.cos(angles), np.sin(angles)];
  const [a, b] = np.split(x, 2, -1) as [NDArray, NDArray];
  const turned = [
    np.subtract(np.multiply(a, cos), np.multiply(b, sin)),
    np.add(np.multiply(b, cos), np.multiply(a, sin)),
  ];
  return np.concatenate(turned, -1).astype(x.dtype);
}

/**
 * Self-attention with several heads.
 *
 * @param heads how many.
 * @returns a layer of [batch, time, features]. Of `apply`'s options it takes `mask`: steps that are not looked at.
 * @example
 * const attention = nn.multiHeadAttention(2, { causal: true });
 * attention.init(random.key(0), [8, 20, 16]).output.shape // [8, 20, 16]
 */
export function multiHeadAttention(
  heads: number,
  options: AttentionLayerOptions = {},
): Layer<AttentionParams, AttentionState> {
  const { keyValueHeads = heads, causal = false, cache: room, dtype = "float32" } = options;
  const sizeFor = (shape: Shape): number => {
    requireSequences(shape);
    const size = options.headSize ?? shape[2]! / heads;
    requireHeads(heads, keyValueHeads, size);
    return size;
  };
  const split = (x: NDArray, count: number): NDArray =>
    np.reshape(x, [x.shape[0]!, x.shape[1]!, count, x.shape[2]! / count]);
  return layer<AttentionParams, AttentionState>({
    name: "multiHeadAttention",
    init: (key, { shape }) => {
      const size = sizeFor(shape);
      const [batch, , features] = shape as [number, number, number];
      const weights = (i: number, inputs: number, outputs: number): WeightParams =>
        makeWeights(random.foldIn(key, i), [inputs, outputs], options);
      const params = {
        query: weights(0, features, heads * size),
        key: weights(1, features, keyValueHeads * size),
        value: weights(2, features, keyValueHeads * size),
        out: weights(3, heads * size, features),
      };
      return {
        params,
        state: { cache: room === undefined ? null : emptyCache([batch, room, keyValueHeads, size], dtype) },
      };
    },
    apply: (params, state, x, { mask }: ApplyOptions = {}) => {
      requireSequences(x.shape);
      const [, steps] = x.shape as [number, number];
      const from = (w: WeightParams, count: number): NDArray => split(withBias(np.matmul(x, w.kernel), w), count);
      const start = state.cache?.index ?? np.zeros([], "int32");
      const positions = np.add(np.arange(steps), start);
      const turned = (y: NDArray): NDArray => (options.rotary ? rotary(y, positions) : y);
      const [query, key, value] = [
        turned(from(params.query, heads)),
        turned(from(params.key, keyValueHeads)),
        from(params.value, keyValueHeads),
      ];
      const join = (y: NDArray): NDArray =>
        withBias(np.matmul(np.reshape(y, [...x.shape.slice(0, 2), -1]), params.out.kernel), params.out);
      if (!state.cache) {
        const seen = mask ? np.expandDims(mask, [1, 2]) : null;
        return [join(dotProductAttention(query, key, value, { isCausal: causal, mask: seen })), state];
      }
      if (mask) throw maskedCache();
      const next = extended(state.cache, key, value);
      const places = np.arange(next.key.shape[1]!);
      const before = causal
        ? np.lessEqual(places, np.expandDims(positions, 1))
        : np.less(places, np.expandDims(next.index, 0));
      const y = join(dotProductAttention(query, next.key, next.value, { mask: np.expandDims(before, [0, 1]) }));
      return [np.where(np.lessEqual(next.index, next.key.shape[1]!), y, NaN).astype(y.dtype), { cache: next }];
    },
  });
}

const emptyCache = (shape: Shape, dtype: DType): KeyValueCache => ({
  key: np.zeros(shape, dtype),
  value: np.zeros(shape, dtype),
  index: np.zeros([], "int32"),
});
const extended = ({ key, value, index }: KeyValueCache, k: NDArray, v: NDArray): KeyValueCache => ({
  key: lax.dynamicUpdateSlice(key, k.astype(key.dtype), [0, index, 0, 0]),
  value: lax.dynamicUpdateSlice(value, v.astype(value.dtype), [0, index, 0, 0]),
  index: np.add(index, k.shape[1]!),
});

function requireSequences(shape: Shape): void {
  if (shape.length === 3) return;
  throw new ShapeError("LayerInput", {
    what: `nn.multiHeadAttention: the input ${shapeText(shape)} has ${shape.length} axes`,
    why: "it is to be [batch, time, features]",
    fix: "reshape the input; a single sequence is a batch of one",
  });
}
function requireHeads(heads: number, keyValueHeads: number, size: number): void {
  const counts = [heads, keyValueHeads, size];
  if (counts.every((n) => Number.isInteger(n) && n > 0) && heads % keyValueHeads === 0) return;
  throw new ArgumentError("Heads", {
    what: `nn.multiHeadAttention: ${heads} heads of ${size} features, ${keyValueHeads} heads of keys and values`,
    why: "heads share the features evenly, and query heads share those of keys and values evenly",
    fix: "take a number of heads that divides the features, or say headSize",
  });
}
const maskedCache = (): ArgumentError =>
  new ArgumentError("MaskedCache", {
    what: "nn.multiHeadAttention: a mask was given to a layer with a cache",
    why: "a mask is for the steps of one call, and the cache holds those of earlier ones",
    fix: "continue sequences of one length, or look at whole sequences with a layer without a cache",
  });

export interface PositionOptions extends WeightOptions {
  /** Inputs are what comes after the steps that were seen; how many those are is the state. Default false. */
  readonly cache?: boolean | undefined;
}
export interface PositionState {
  readonly index: NDArray | null;
}

/**
 * Adds a learned vector to each position.
 *
 * @param length the most positions that there can be.
 * @returns a layer of [batch, time, features].
 * @example
 * nn.positionEmbedding(64).init(random.key(0), [8, 20, 16]).params.embedding.shape // [64, 16]
 */
export function positionEmbedding(
  length: number,
  { cache = false, dtype = "float32" }: PositionOptions = {},
): Layer<{ readonly embedding: NDArray }, PositionState> {
  const check = (shape: Shape): void => {
    requireSequences(shape);
    if (shape[1]! <= length) return;
    throw new ShapeError("PositionEmbedding", {
      what: `nn.positionEmbedding: ${shape[1]!} steps, and positions for ${length}`,
      why: "every position has a vector of its own",
      fix: "make the layer for longer sequences, or cut these",
    });
  };
  return layer<{ readonly embedding: NDArray }, PositionState>({
    name: "positionEmbedding",
    init: (key, { shape }) => {
      check(shape);
      return {
        params: { embedding: normal(0.02)(key, [length, shape[2]!], dtype) },
        state: { index: cache ? np.zeros([], "int32") : null },
      };
    },
    apply: ({ embedding }, { index }, x) => {
      check(x.shape);
      const steps = x.shape[1]!;
      if (!index) return [np.add(x, embedding.slice([0, steps])), { index }];
      const next = np.add(index, steps);
      const added = lax.dynamicSliceInDim(embedding, index, steps, 0);
      return [np.where(np.lessEqual(next, length), np.add(x, added), NaN).astype(x.dtype), { index: next }];
    },
  });
}
