/** `cotangent.optim.transforms`: the parts of optimizers, under the names of `optax.transforms`. */
export { addNoise, ema, trace } from "./accumulate.ts";
export { chain, freeze, masked, namedChain, partition, selectiveTransform } from "./combine.ts";
export { applyIfFinite, conditionallyMask, conditionallyTransform } from "./conditional.ts";
export { flatten } from "./layout.ts";
export { MultiSteps, skipLargeUpdates, skipNotFinite } from "./multiSteps.ts";
export {
  addDecayedWeights,
  clip,
  clipByBlockRms,
  clipByGlobalNorm,
  keepParamsNonnegative,
  zeroNans,
} from "./scaling.ts";
