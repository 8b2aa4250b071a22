/** `cotangent/metrics`: how good predictions are. Pure functions of arrays, for `jit` and `vmap` like any other. */
import "../backends/install.ts";
import "../numpy/install.ts";

export {
  type Average,
  type AverageOptions,
  type ClassesOptions,
  type TopKOptions,
  accuracy,
  confusionMatrix,
  f1,
  f1Score,
  precision,
  recall,
  topKAccuracy,
} from "./classification.ts";
export { rocAuc } from "./ranking.ts";
export { meanAbsoluteError, meanSquaredError, r2Score, rootMeanSquaredError } from "./regression.ts";
export { type PerplexityOptions, perplexity } from "./perplexity.ts";
