/** `cotangent/nn`: functions of neural networks, with JAX's names. */
import "../backends/install.ts";
import "../numpy/install.ts";

export {
  celu,
  elu,
  gelu,
  glu,
  hardSigmoid,
  hardSilu,
  hardSwish,
  hardTanh,
  identity,
  leakyRelu,
  log1mexp,
  logSigmoid,
  mish,
  relu,
  relu6,
  selu,
  sigmoid,
  silu,
  softSign,
  softplus,
  sparsePlus,
  sparseSigmoid,
  squareplus,
  swish,
  tanh,
} from "./activations.ts";
export {
  type LogMeanExpOptions,
  type LogSumExpOptions,
  type OneHotOptions,
  type SoftmaxOptions,
  type StandardizeOptions,
  logSoftmax,
  logmeanexp,
  logsumexp,
  oneHot,
  softmax,
  standardize,
} from "./normalize.ts";
export { type AttentionOptions, dotProductAttention } from "./attention.ts";
export * as initializers from "./initializers.ts";
export * from "./layers/index.ts";
export { type PrecisionDTypes, type PrecisionPolicy, precisionPolicy } from "./precisionPolicy.ts";
