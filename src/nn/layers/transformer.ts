/** Transformer blocks: attention, then a small network for every step, each around a shortcut. */
import type { NDArray } from "../../core/ndarray.ts";
import { gelu } from "../activations.ts";
import {
  type AttentionLayerOptions,
  type AttentionParams,
  type AttentionState,
  multiHeadAttention,
} from "./attention.ts";
import { residual, serial } from "./compose.ts";
import { type WeightParams, dense } from "./dense.ts";
import { dropout } from "./dropout.ts";
import type { Layer, None } from "./layer.ts";
import { type ScaleParams, layerNorm, rmsNorm } from "./normalization.ts";

export interface TransformerBlockOptions extends AttentionLayerOptions {
  /** Features of the hidden layer, as a multiple of those of the input. Default 4. */
  readonly expansion?: number | undefined;
  /** Default `nn.gelu`. */
  readonly activation?: ((x: NDArray) => NDArray) | undefined;
  /** Of what is added by the two parts, in training. Default 0. */
  readonly dropout?: number | undefined;
  /** Default `layer`. */
  readonly norm?: "layer" | "rms" | undefined;
}

/** A part of a block around its shortcut. */
interface Around<T> {
  readonly body: T;
  readonly shortcut: null;
}
export interface TransformerBlockParams {
  readonly attention: Around<{
    readonly norm: ScaleParams;
    readonly attention: AttentionParams;
    readonly dropout: None;
  }>;
  readonly mlp: Around<{
    readonly norm: ScaleParams;
    readonly hidden: WeightParams;
    readonly activation: None;
    readonly out: WeightParams;
    readonly dropout: None;
  }>;
}
export interface TransformerBlockState {
  readonly attention: Around<{ readonly norm: None; readonly attention: AttentionState; readonly dropout: None }>;
  readonly mlp: Around<{
    readonly norm: None;
    readonly hidden: None;
    readonly activation: None;
    readonly out: None;
    readonly dropout: None;
  }>;
}

/**
 * x + attention(norm x), then y + mlp(norm y) (the order of Xiong et al., 2020): a block of a GPT if it is `causal`.
 *
 * @param heads of the attention, whose options are taken too.
 * @returns a layer of [batch, time, features].
 * @example
 * const gpt = nn.serial(nn.embedding(65, 16), nn.transformerBlock(2, { causal: true, rotary: true }), nn.layerNorm(), nn.dense(65));
 * gpt.init(random.key(0), [8, 20]).output.shape // [8, 20, 65]
 */
export function transformerBlock(
  heads: number,
  options: TransformerBlockOptions = {},
): Layer<TransformerBlockParams, TransformerBlockState> {
  const { expansion = 4, activation = gelu, dropout: rate = 0, norm = "layer" } = options;
  const normalize = (): Layer<ScaleParams, None> =>
    norm === "rms" ? rmsNorm({ dtype: options.dtype }) : layerNorm({ dtype: options.dtype });
  const block = serial({
    attention: residual(
      serial({ norm: normalize(), attention: multiHeadAttention(heads, options), dropout: dropout(rate) }),
    ),
    mlp: residual(
      serial({
        norm: normalize(),
        hidden: dense((features) => expansion * features, options),
        activation: (x: NDArray) => activation(x),
        out: dense((features) => features / expansion, options),
        dropout: dropout(rate),
      }),
    ),
  });
  return { ...block, name: "transformerBlock" } as Layer<TransformerBlockParams, TransformerBlockState>;
}
