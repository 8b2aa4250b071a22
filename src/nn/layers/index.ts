/** Layers: pairs of `init` and `apply`. */
export {
  type AnyLayer,
  type ApplyOptions,
  type Initialized,
  type Input,
  type Layer,
  type LayerLike,
  type LayerParams,
  type LayerParts,
  type LayerState,
  type None,
  type WeightOptions,
  layer,
} from "./layer.ts";
export {
  type Combination,
  type NamedSerial,
  type ResidualOptions,
  type Serial,
  parallel,
  residual,
  serial,
  serialMonoid,
} from "./compose.ts";
export {
  type DenseOptions,
  type Embedding,
  type EmbeddingOptions,
  type EmbeddingParams,
  type Features,
  type WeightParams,
  dense,
  embedding,
} from "./dense.ts";
export {
  type ConvOptions,
  type ConvTransposeOptions,
  type DepthwiseConvOptions,
  type LayerPadding,
  type PerAxis,
  conv,
  convTranspose,
  depthwiseConv,
} from "./convolution.ts";
export { type AvgPoolOptions, type PoolOptions, avgPool, flatten, globalAvgPool, maxPool } from "./pooling.ts";
export {
  type BatchNormOptions,
  type BatchNormState,
  type NormOptions,
  type ScaleParams,
  batchNorm,
  groupNorm,
  layerNorm,
  rmsNorm,
} from "./normalization.ts";
export { type DropoutOptions, dropout } from "./dropout.ts";
export {
  type Cell,
  type CellOptions,
  type CellParams,
  type LstmCarry,
  type LstmOptions,
  type RecurrentOptions,
  gru,
  gruCell,
  lstm,
  lstmCell,
  recurrent,
  rnn,
  rnnCell,
} from "./recurrent.ts";
export {
  type AttentionLayerOptions,
  type AttentionParams,
  type AttentionState,
  type KeyValueCache,
  type PositionOptions,
  type PositionState,
  multiHeadAttention,
  positionEmbedding,
  rotary,
} from "./attention.ts";
export {
  type TransformerBlockOptions,
  type TransformerBlockParams,
  type TransformerBlockState,
  transformerBlock,
} from "./transformer.ts";
