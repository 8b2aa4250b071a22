/** Losses, one value per example or element: take the mean to train. */
import type { ArrayLike, Axis } from "../core/arrayMethods.ts";
import { isFloat, isInteger } from "../core/dtype.ts";
import type { NDArray } from "../core/ndarray.ts";
import { DTypeError, ShapeError } from "../core/problem.ts";
import { canonicalAxes, range, shapeText, shapesEqual } from "../core/shape.ts";
import { readOptions } from "../lax/arguments.ts";
import * as lax from "../lax/index.ts";
import { logSigmoid, logSoftmax, logsumexp, oneHot, softmax, softplus, sparsePlus } from "../nn/index.ts";
import * as np from "../numpy/index.ts";
import { customJvp } from "../transforms/customJvp.ts";
import type { Rest } from "./base.ts";
import { unit } from "../core/unit.ts";

/** A floating point operand. */
function floats(name: string, x: ArrayLike): NDArray {
  const a = np.asarray(x);
  if (isFloat(a.dtype)) return a;
  throw new DTypeError("LossDType", {
    what: `optim.${name}: expected floats, found ${a.describe()}`,
    why: "losses are differentiated with respect to their first argument",
    fix: "convert it with x.astype(numpy.float32)",
  });
}

export interface LossAxis {
  /** The axis of the classes or components. Default the last. */
  readonly axis?: Axis | undefined;
  /** The elements that take part. */
  readonly where?: ArrayLike | null | undefined;
}
type AxisRest = Rest<[Axis, ArrayLike | null], LossAxis>;
const readAxis = (
  name: string,
  rest: readonly unknown[],
  positional = 2,
): { axis: Axis; where: NDArray | undefined } => {
  const { axis, where } = readOptions<LossAxis>(`optim.${name}`, ["axis", "where"], positional, rest);
  return { axis: axis === undefined ? -1 : axis, where: where == null ? undefined : np.asarray(where) };
};

// ---------------------------------------------------------------- regression

interface Targets {
  readonly targets?: ArrayLike | null | undefined;
}
type TargetsRest<O extends object = Targets> = Rest<[ArrayLike | null], O>;

/** predictions − targets. */
function errors(name: string, predictions: ArrayLike, targets: ArrayLike | null | undefined): NDArray {
  const p = floats(name, predictions);
  return targets == null ? p : np.subtract(p, targets);
}

/** (prediction − target)². @example optim.squaredError(np.array([3]), np.array([1])) // [4] */
export const squaredError = /* @__PURE__ */ unit(
  "squaredError",
  2,
  function squaredError(predictions: ArrayLike, ...rest: TargetsRest): NDArray {
    const { targets } = readOptions<Targets>("optim.squaredError", ["targets"], 1, rest);
    if (targets != null && !shapesEqual(np.shape(predictions), np.shape(targets)))
      throw new ShapeError("TargetShape", {
        what: `optim.squaredError: predictions ${shapeText(np.shape(predictions))} and targets ${shapeText(np.shape(targets))} differ in shape`,
        why: "broadcasting here would compare every prediction with every target",
        fix: "reshape one of them",
      });
    return np.square(errors("squaredError", predictions, targets));
  },
);

/** ½ (prediction − target)². @example optim.l2Loss(np.array([3]), np.array([1])) // [2] */
export const l2Loss = /* @__PURE__ */ unit("l2Loss", 2, (predictions: ArrayLike, ...rest: TargetsRest): NDArray =>
  np.multiply(0.5, squaredError(predictions, ...rest)),
);

/**
 * Quadratic up to `delta`, linear beyond (Huber, 1964).
 *
 * @param rest `targets`, `delta` (by name; default 1).
 * @example
 * optim.huberLoss(np.array([0.5, 3]), np.array([0, 0])) // [0.125, 2.5]
 */
export const huberLoss = /* @__PURE__ */ unit(
  "huberLoss",
  2,
  function huberLoss(predictions: ArrayLike, ...rest: TargetsRest<Targets & { readonly delta?: ArrayLike }>): NDArray {
    type Options = Targets & { readonly delta?: ArrayLike };
    const { targets, delta = 1 } = readOptions<Options>("optim.huberLoss", ["targets", "delta"], 1, rest);
    const size = np.abs(errors("huberLoss", predictions, targets));
    const quadratic = np.minimum(size, delta);
    return np.add(np.multiply(0.5, np.square(quadratic)), np.multiply(delta, np.subtract(size, quadratic)));
  },
);

/** log cosh (prediction − target). @example optim.logCosh(np.array([2]), np.array([2])) // [0] */
export const logCosh = /* @__PURE__ */ unit(
  "logCosh",
  2,
  function logCosh(predictions: ArrayLike, ...rest: TargetsRest): NDArray {
    const { targets } = readOptions<Targets>("optim.logCosh", ["targets"], 1, rest);
    const e = errors("logCosh", predictions, targets);
    return np.subtract(np.logaddexp(e, np.negative(e)), Math.LN2);
  },
);

export interface CosineOptions extends LossAxis {
  /** The least squared norm to divide by. Default 0. */
  readonly epsilon?: ArrayLike;
}
/**
 * The cosine of the angle between vectors.
 *
 * @param rest by name: `epsilon`, `axis`, `where`.
 * @example
 * optim.cosineSimilarity(np.array([0, 2]), np.array([0, 3])) // 1
 */
export const cosineSimilarity = /* @__PURE__ */ unit(
  "cosineSimilarity",
  2,
  function cosineSimilarity(
    predictions: ArrayLike,
    targets: ArrayLike,
    ...rest: readonly [] | readonly [CosineOptions]
  ): NDArray {
    const names = ["epsilon", "axis", "where"] as const;
    const { epsilon = 0, ...given } = readOptions<CosineOptions>("optim.cosineSimilarity", names, 0, rest);
    const { axis, where } = readAxis("cosineSimilarity", [given]);
    const unit = (x: NDArray): NDArray => {
      const square = np.sum(np.square(x), { axis, where, keepdims: true });
      return np.divide(x, np.sqrt(np.maximum(square, epsilon)));
    };
    const [a, b] = [floats("cosineSimilarity", predictions), floats("cosineSimilarity", targets)];
    return np.sum(np.multiply(unit(a), unit(b)), { axis, where });
  },
);

/** 1 − `cosineSimilarity`. @example optim.cosineDistance(np.array([0, 2]), np.array([0, 3])) // 0 */
export const cosineDistance = /* @__PURE__ */ unit(
  "cosineDistance",
  2,
  (predictions: ArrayLike, targets: ArrayLike, ...rest: readonly [] | readonly [CosineOptions]): NDArray =>
    np.subtract(1, cosineSimilarity(predictions, targets, ...rest)),
);

// ---------------------------------------------------------------- binary classification

/**
 * −y log σ(x) − (1 − y) log(1 − σ(x)).
 *
 * @param labels 0, 1, or probabilities in between.
 * @example
 * optim.sigmoidBinaryCrossEntropy(np.array([100]), np.array([1])) // [0]
 */
export const sigmoidBinaryCrossEntropy = /* @__PURE__ */ unit(
  "sigmoidBinaryCrossEntropy",
  2,
  function sigmoidBinaryCrossEntropy(logits: ArrayLike, labels: ArrayLike): NDArray {
    const x = floats("sigmoidBinaryCrossEntropy", logits);
    const y = np.astype(np.asarray(labels), x.dtype);
    const negative = np.multiply(np.subtract(1, y), logSigmoid(np.negative(x)));
    return np.subtract(np.negative(np.multiply(y, logSigmoid(x))), negative);
  },
);

export interface FocalOptions {
  /** Weight of the positive examples; 1 − alpha is that of the negative ones. */
  readonly alpha?: ArrayLike | null;
  /** How much easy examples are discounted. Default 2. */
  readonly gamma?: ArrayLike;
}
/** Cross-entropy that discounts easy examples (Lin et al., 2018). @example optim.sigmoidFocalLoss(np.array([100]), np.array([1])) // [0] */
export const sigmoidFocalLoss = /* @__PURE__ */ unit(
  "sigmoidFocalLoss",
  2,
  function sigmoidFocalLoss(
    logits: ArrayLike,
    labels: ArrayLike,
    ...rest: readonly [] | readonly [FocalOptions]
  ): NDArray {
    const { alpha, gamma = 2 } = readOptions<FocalOptions>("optim.sigmoidFocalLoss", ["alpha", "gamma"], 0, rest);
    const x = floats("sigmoidFocalLoss", logits);
    const y = np.astype(np.asarray(labels), x.dtype);
    const positive = np.greaterEqual(y, 0.5);
    const [likely, toward] = [np.where(positive, y, np.subtract(1, y)), np.where(positive, np.negative(x), x)];
    // The logarithm of 1 − p_t, also for labels between 0 and 1.
    const logLikely = np.log(likely);
    const rest1 = softplus(np.subtract(np.add(np.negative(toward), np.log1p(np.negative(likely))), logLikely));
    const logMiss = np.add(np.add(logSigmoid(toward), logLikely), rest1);
    const loss = np.multiply(sigmoidBinaryCrossEntropy(x, y), np.exp(np.multiply(gamma, logMiss)));
    if (alpha == null) return loss;
    const weight = np.add(np.multiply(alpha, y), np.multiply(np.subtract(1, alpha), np.subtract(1, y)));
    return np.multiply(weight, loss);
  },
);

/** max(0, 1 − output·target), with targets −1 and 1. @example optim.hingeLoss(np.array([0.5]), np.array([-1])) // [1.5] */
export const hingeLoss = /* @__PURE__ */ unit(
  "hingeLoss",
  2,
  (predictorOutputs: ArrayLike, targets: ArrayLike): NDArray =>
    np.maximum(0, np.subtract(1, np.multiply(predictorOutputs, targets))),
);

/** max(0, −output·target), with targets −1 and 1. @example optim.perceptronLoss(np.array([2]), np.array([-1])) // [2] */
export const perceptronLoss = /* @__PURE__ */ unit(
  "perceptronLoss",
  2,
  (predictorOutputs: ArrayLike, targets: ArrayLike): NDArray =>
    np.maximum(0, np.multiply(np.negative(predictorOutputs), targets)),
);

/** The sparsemax loss, with labels 0 and 1 (Martins and Astudillo, 2016). @example optim.losses.sparsemaxLoss(np.array([2]), np.array([1])) // [0] */
export const sparsemaxLoss = /* @__PURE__ */ unit("sparsemaxLoss", 2, (logits: ArrayLike, labels: ArrayLike): NDArray =>
  sparsePlus(np.where(np.notEqual(labels, 0), np.negative(logits), logits)),
);

// ---------------------------------------------------------------- several classes

/** A mask with the axis of the classes, if it has been left out. */
const maskFor = (where: NDArray | undefined, logits: NDArray, axis: Axis): NDArray | undefined =>
  where && where.ndim !== logits.ndim ? np.expandDims(where, axis as number) : where;

/**
 * −Σ p log softmax(x) along an axis.
 *
 * @param labels probabilities of the classes, such as `nn.oneHot` gives.
 * @param rest `axis` (default −1), `where`.
 * @example
 * optim.softmaxCrossEntropy(np.array([0, -Infinity]), np.array([1, 0]), { where: [true, false] }) // 0
 */
export const softmaxCrossEntropy = /* @__PURE__ */ unit(
  "softmaxCrossEntropy",
  2,
  function softmaxCrossEntropy(logits: ArrayLike, labels: ArrayLike, ...rest: AxisRest): NDArray {
    const { axis, where: given } = readAxis("softmaxCrossEntropy", rest);
    const x = floats("softmaxCrossEntropy", logits);
    const where = maskFor(given, x, axis);
    return np.negative(np.sum(np.multiply(labels, logSoftmax(x, axis, where)), { axis, where }));
  },
);

/**
 * −log softmax(x) at the label.
 *
 * @param labels positions of the right classes: integers, in the shape of `logits` without the axis.
 * @param rest `axis` (default −1; a list joins several), `where`.
 * @example
 * optim.softmaxCrossEntropyWithIntegerLabels(np.array([0, 100]), np.arange(2).slice(1)) // 0
 */
export const softmaxCrossEntropyWithIntegerLabels = /* @__PURE__ */ unit(
  "softmaxCrossEntropyWithIntegerLabels",
  2,
  function softmaxCrossEntropyWithIntegerLabels(logits: ArrayLike, labels: ArrayLike, ...rest: AxisRest): NDArray {
    const name = "softmaxCrossEntropyWithIntegerLabels";
    const { axis, where: given } = readAxis(name, rest);
    const x = floats(name, logits);
    const places = integerLabels(name, labels);
    const axes = canonicalAxes(`optim.${name}`, axis, x.ndim);
    const batch = range(x.ndim).filter((i) => !axes.includes(i));
    const lead = batch.map((i) => x.shape[i]!);
    // Classes along one last axis.
    const joined = (a: NDArray): NDArray =>
      np.reshape(np.transpose(a, [...batch, ...axes]), [...batch.map((i) => a.shape[i]!), -1]);
    const [scores, mask] = [joined(x), maskFor(given, x, axis)];
    const where = mask && joined(np.broadcastTo(mask, x.shape));
    const chosen = np.reshape(np.takeAlongAxis(scores, np.expandDims(places, -1), -1), lead);
    const loss = np.subtract(logsumexp(scores, { axis: -1, where }), chosen);
    return where ? np.where(np.any(where, -1), loss, 0) : loss;
  },
);

function integerLabels(name: string, labels: ArrayLike): NDArray {
  const a = np.asarray(labels);
  if (isInteger(a.dtype)) return a;
  throw new DTypeError("LabelDType", {
    what: `optim.${name}: labels are ${a.describe()}`,
    why: "labels are positions of classes",
    fix: "convert them with labels.astype(numpy.int32), or use optim.softmaxCrossEntropy for probabilities",
  });
}

/** weights·logSoftmax(x), 0 where the weight is 0; its derivative does not see the −∞ there. */
function makeWeighted(): (x: NDArray, weights: NDArray) => NDArray {
  const value = (x: NDArray, weights: NDArray): NDArray =>
    np.where(np.notEqual(weights, 0), np.multiply(weights, logSoftmax(x)), 0);
  const f = customJvp(value);
  f.defjvp(([x, w]: [NDArray, NDArray], [dx, dw]: [NDArray, NDArray]) => {
    const mean = np.sum(np.multiply(dx, softmax(x)), { axis: -1, keepdims: true });
    const along = np.multiply(w, np.subtract(dx, mean));
    return [value(x, w), np.add(along, np.multiply(dw, logSoftmax(x)))];
  });
  return f;
}
const weightedLogSoftmax = /* @__PURE__ */ makeWeighted();

/** `softmaxCrossEntropy` for logits of −∞ where the label is 0. @example optim.safeSoftmaxCrossEntropy(np.array([0, -Infinity]), np.array([1, 0])) // 0 */
export const safeSoftmaxCrossEntropy = /* @__PURE__ */ unit(
  "safeSoftmaxCrossEntropy",
  2,
  function safeSoftmaxCrossEntropy(logits: ArrayLike, labels: ArrayLike): NDArray {
    const x = floats("safeSoftmaxCrossEntropy", logits);
    return np.negative(np.sum(weightedLogSoftmax(x, np.astype(np.asarray(labels), x.dtype)), -1));
  },
);

/** Cross-entropy plus `epsilon`·(1 − p_t) (Leng et al., 2022). @example optim.losses.polyLossCrossEntropy(np.array([0, -100]), np.array([1, 0])) // 0 */
export const polyLossCrossEntropy = /* @__PURE__ */ unit(
  "polyLossCrossEntropy",
  2,
  function polyLossCrossEntropy(
    logits: ArrayLike,
    labels: ArrayLike,
    ...rest: readonly [] | readonly [LossAxis & { readonly epsilon?: ArrayLike }]
  ): NDArray {
    type Options = LossAxis & { readonly epsilon?: ArrayLike };
    const names = ["epsilon", "axis", "where"] as const;
    const { epsilon = 2, ...given } = readOptions<Options>("optim.polyLossCrossEntropy", names, 0, rest);
    const { axis, where } = readAxis("polyLossCrossEntropy", [given]);
    const miss = np.multiply(labels, np.subtract(1, softmax(logits, axis, where)));
    return np.add(
      softmaxCrossEntropy(logits, labels, { axis, where }),
      np.multiply(epsilon, np.sum(miss, { axis, where })),
    );
  },
);

/** The score of each label. */
const scoreOf = (scores: NDArray, labels: NDArray): NDArray => np.sum(np.multiply(scores, labels), -1);

/** max(s + 1 − [label]) − s at the label. @example optim.losses.multiclassHingeLoss(np.array([0, 3]), np.arange(2).slice(1)) // 0 */
export const multiclassHingeLoss = /* @__PURE__ */ unit(
  "multiclassHingeLoss",
  2,
  function multiclassHingeLoss(scores: ArrayLike, labels: ArrayLike): NDArray {
    const x = np.asarray(scores);
    const hot = oneHot(labels, x.shape.at(-1)!);
    return np.subtract(np.max(np.subtract(np.add(x, 1), hot), -1), scoreOf(x, hot));
  },
);

/** max(s) − s at the label. @example optim.losses.multiclassPerceptronLoss(np.array([5, 3]), np.arange(2).slice(1)) // 2 */
export const multiclassPerceptronLoss = /* @__PURE__ */ unit(
  "multiclassPerceptronLoss",
  2,
  function multiclassPerceptronLoss(scores: ArrayLike, labels: ArrayLike): NDArray {
    const x = np.asarray(scores);
    return np.subtract(np.max(x, -1), scoreOf(x, oneHot(labels, x.shape.at(-1)!)));
  },
);

// ---------------------------------------------------------------- distributions

/** Σ t (log t − log p) along an axis, with 0 log 0 = 0. @example optim.klDivergence(np.log(np.array([0.5, 0.5])), np.array([0.5, 0.5])) // 0 */
export const klDivergence = /* @__PURE__ */ unit(
  "klDivergence",
  2,
  function klDivergence(logPredictions: ArrayLike, targets: ArrayLike, ...rest: AxisRest): NDArray {
    const { axis, where } = readAxis("klDivergence", rest);
    const [logP, t] = [floats("klDivergence", logPredictions), floats("klDivergence", targets)];
    const zero = np.equal(t, 0);
    const logT = np.where(zero, 0, np.log(np.where(zero, 1, t)));
    return np.sum(np.multiply(t, np.subtract(logT, logP)), { axis, where });
  },
);

/** `klDivergence` of logarithms. @example optim.losses.klDivergenceWithLogTargets(np.array([0]), np.array([0])) // 0 */
export const klDivergenceWithLogTargets = /* @__PURE__ */ unit(
  "klDivergenceWithLogTargets",
  2,
  function klDivergenceWithLogTargets(logPredictions: ArrayLike, logTargets: ArrayLike, ...rest: AxisRest): NDArray {
    const { axis, where } = readAxis("klDivergenceWithLogTargets", rest);
    const [logP, logT] = [logPredictions, logTargets].map((x) => floats("klDivergenceWithLogTargets", x)) as [
      NDArray,
      NDArray,
    ];
    return np.sum(np.multiply(np.exp(logT), np.subtract(logT, logP)), { axis, where });
  },
);

/** `klDivergence` + Σ (p − t): convex, also where the sums are not 1. @example optim.generalizedKlDivergence(np.array([0]), np.array([1])) // 0 */
export const generalizedKlDivergence = /* @__PURE__ */ unit(
  "generalizedKlDivergence",
  2,
  function generalizedKlDivergence(logPredictions: ArrayLike, targets: ArrayLike, ...rest: AxisRest): NDArray {
    const { axis, where } = readAxis("generalizedKlDivergence", rest);
    const surplus = np.sum(np.subtract(np.exp(logPredictions), targets), { axis, where });
    return np.add(klDivergence(logPredictions, targets, { axis, where }), surplus);
  },
);
/** The old name of `generalizedKlDivergence`. @example optim.convexKlDivergence(np.array([0]), np.array([1])) // 0 */
export const convexKlDivergence = generalizedKlDivergence;

/**
 * Labels mixed with the uniform distribution: (1 − alpha)·labels + alpha / classes (Müller et al., 2019).
 *
 * @param rest by name: `axis` (default −1), `where`.
 * @example
 * optim.smoothLabels(np.array([0, 1]), 0.5) // [0.25, 0.75]
 */
export const smoothLabels = /* @__PURE__ */ unit(
  "smoothLabels",
  2,
  function smoothLabels(labels: ArrayLike, alpha: ArrayLike, ...rest: readonly [] | readonly [LossAxis]): NDArray {
    const { axis, where } = readAxis("smoothLabels", rest, 0);
    const y = floats("smoothLabels", labels);
    const classes = where
      ? np.sum(where, { axis, keepdims: true })
      : canonicalAxes("optim.smoothLabels", axis, y.ndim).reduce((n, i) => n * y.shape[i]!, 1);
    return np.add(np.multiply(np.subtract(1, alpha), y), np.divide(alpha, classes));
  },
);

// ---------------------------------------------------------------- triples

export interface TripletOptions {
  readonly axis?: number;
  readonly normDegree?: number;
  readonly margin?: ArrayLike;
  readonly eps?: ArrayLike;
}
/** max(0, d(anchor, positive) − d(anchor, negative) + margin). @example optim.losses.tripletMarginLoss(np.array([0]), np.array([0]), np.array([9])) // 0 */
export const tripletMarginLoss = /* @__PURE__ */ unit(
  "tripletMarginLoss",
  3,
  function tripletMarginLoss(
    anchors: ArrayLike,
    positives: ArrayLike,
    negatives: ArrayLike,
    ...rest: Rest<[number, number, ArrayLike, ArrayLike], TripletOptions>
  ): NDArray {
    const names = ["axis", "normDegree", "margin", "eps"] as const;
    const given = readOptions<TripletOptions>("optim.tripletMarginLoss", names, 4, rest);
    const { axis = -1, normDegree = 2, margin = 1, eps = 1e-6 } = given;
    const [a, p, n] = [anchors, positives, negatives].map((x) => floats("tripletMarginLoss", x)) as [
      NDArray,
      NDArray,
      NDArray,
    ];
    const distance = (x: NDArray): NDArray => {
      const difference = np.subtract(a, x);
      const powers = Number.isInteger(normDegree)
        ? lax.integerPow(difference, normDegree)
        : np.power(difference, normDegree);
      return np.power(np.add(np.sum(powers, axis), eps), 1 / normDegree);
    };
    return np.maximum(np.add(np.subtract(distance(p), distance(n)), margin), 0);
  },
);
