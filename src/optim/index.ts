/** `cotangent/optim`: optimizers, schedules and losses, with optax's names. */
import "../backends/install.ts";
import "../numpy/install.ts";

export {
  type AccumulatorDType,
  type AnyTransformation,
  type AnyTransformationExtraArgs,
  type ArrayTree,
  type CountState,
  type EmptyState,
  type ExtraArgs,
  GradientTransformation,
  GradientTransformationExtraArgs,
  type Mask,
  type MaskOrFn,
  type OptState,
  type Params,
  type ScalarOrSchedule,
  type Schedule,
  type Updates,
  applyUpdates,
  identity,
  incrementalUpdate,
  initEmptyState,
  periodicUpdate,
  safeIncrement,
  safeInt32Increment,
  setToZero,
  stateless,
  withExtraArgsSupport,
} from "./base.ts";
export {
  type InnerState,
  type PartitionState,
  chain,
  freeze,
  masked,
  monoid,
  monoidOf,
  multiTransform,
  namedChain,
  partition,
  selectiveTransform,
} from "./combine.ts";
export {
  type ApplyIfFiniteState,
  type ConditionFn,
  type ConditionalState,
  applyIfFinite,
  conditionallyMask,
  conditionallyTransform,
} from "./conditional.ts";
export { allFinite, selectTree } from "./finite.ts";
export { flatten } from "./layout.ts";
export { type Lookahead, LookaheadParams, type LookaheadState, lookahead } from "./lookahead.ts";
export {
  MultiSteps,
  type MultiStepsExtraArgs,
  type MultiStepsOptions,
  type MultiStepsState,
  type ShouldSkipUpdateFunction,
  skipLargeUpdates,
  skipNotFinite,
} from "./multiSteps.ts";
export {
  type InjectHyperparamsState,
  type InjectOptions,
  type StatefulSchedule,
  injectHyperparams,
  injectStatefulHyperparams,
} from "./inject.ts";
export {
  type AdafactorOptions,
  type FactoredOptions,
  type FactoredState,
  adafactor,
  scaleByFactoredRms,
} from "./factored.ts";
export {
  type BacktrackingOptions,
  type BacktrackingState,
  type LineSearchArgs,
  scaleByBacktrackingLinesearch,
  valueAndGradFromState,
} from "./lineSearch.ts";
export { type ZoomOptions, type ZoomState, scaleByZoomLinesearch } from "./zoomLineSearch.ts";
export { type LbfgsOptions, type LbfgsState, lbfgs, scaleByLbfgs } from "./lbfgs.ts";
export { type PenaltyOptions, l1Penalty, l2Penalty } from "./penalties.ts";
export {
  type DynamicLossScaleOptions,
  type DynamicLossScaleState,
  type LossScale,
  type StaticLossScaleState,
  dynamicLossScale,
  noOpLossScale,
  staticLossScale,
} from "./lossScale.ts";
export {
  addDecayedWeights,
  centralize,
  clip,
  clipByBlockRms,
  clipByGlobalNorm,
  globalNorm,
  keepParamsNonnegative,
  normalizeByUpdateNorm,
  safeNorm,
  safeRootMeanSquares,
  scale,
  scaleByLearningRate,
  scaleByParamBlockNorm,
  scaleByParamBlockRms,
  scaleBySchedule,
  scaleBySign,
  scaleByTrustRatio,
  zeroNans,
} from "./scaling.ts";
export {
  type EmaState,
  type TraceState,
  addNoise,
  applyEvery,
  ema,
  scaleByOptimisticGradient,
  trace,
} from "./accumulate.ts";
export {
  type AdamOptions,
  type MomentState,
  scaleByAdam,
  scaleByAdamax,
  scaleByAdan,
  scaleByAmsgrad,
  scaleByBelief,
  scaleByLion,
  scaleByNovograd,
  scaleByRadam,
  scaleByYogi,
} from "./moments.ts";
export {
  type RmsOptions,
  scaleByAdadelta,
  scaleByRms,
  scaleByRprop,
  scaleByRss,
  scaleByStddev,
} from "./rootMeanSquare.ts";
export {
  type SgdOptions,
  adadelta,
  adagrad,
  fromage,
  lamb,
  lars,
  noisySgd,
  optimisticGradientDescent,
  rmsprop,
  rprop,
  sgd,
  signSgd,
  signum,
} from "./optimizers.ts";
export { type WeightDecay } from "./descend.ts";
export {
  type AdamState,
  type AdamwOptions,
  adabelief,
  adam,
  adamax,
  adamaxw,
  adamw,
  adan,
  amsgrad,
  lion,
  nadam,
  nadamw,
  novograd,
  radam,
  yogi,
} from "./adam.ts";
export {
  type BoundariesAndScales,
  type SgdrCycle,
  constantSchedule,
  cosineDecaySchedule,
  cosineOnecycleSchedule,
  exponentialDecay,
  joinSchedules,
  linearOnecycleSchedule,
  linearSchedule,
  piecewiseConstantSchedule,
  piecewiseInterpolateSchedule,
  polynomialSchedule,
  sgdrSchedule,
  warmupConstantSchedule,
  warmupCosineDecaySchedule,
  warmupExponentialDecaySchedule,
} from "./schedules.ts";
export {
  convexKlDivergence,
  cosineDistance,
  cosineSimilarity,
  generalizedKlDivergence,
  hingeLoss,
  huberLoss,
  klDivergence,
  l2Loss,
  logCosh,
  perceptronLoss,
  safeSoftmaxCrossEntropy,
  sigmoidBinaryCrossEntropy,
  sigmoidFocalLoss,
  smoothLabels,
  softmaxCrossEntropy,
  softmaxCrossEntropyWithIntegerLabels,
  squaredError,
} from "./losses.ts";
export * as contrib from "./contribModule.ts";
export * as losses from "./losses.ts";
export * as projections from "./projections.ts";
export * as schedules from "./schedulesModule.ts";
export * as transforms from "./transformsModule.ts";
export * as tree from "./treeModule.ts";
export * as treeUtils from "./treeUtilsModule.ts";
export {
  type Filtering,
  type MapParamsOptions,
  type StateEntry,
  type StatePath,
  mapParams as treeMapParams,
} from "./stateTrees.ts";
export { biasCorrection, updateInfinityMoment, updateMoment, updateMomentPerElemNorm } from "./treeMath.ts";
