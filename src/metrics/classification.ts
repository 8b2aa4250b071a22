/**
 * Metrics of classes: accuracy, the confusion matrix and what is counted in it. Predictions come first, then targets, as in
 * losses; with several classes precision, recall and their harmonic mean are averaged as scikit-learn defines it.
 */
import type { ArrayLike } from "../core/arrayMethods.ts";
import type { NDArray } from "../core/ndarray.ts";
import { ArgumentError, ShapeError } from "../core/problem.ts";
import { shapeText, shapesEqual } from "../core/shape.ts";
import { unit } from "../core/unit.ts";
import { readOptions } from "../lax/arguments.ts";
import * as np from "../numpy/index.ts";
import { classes, pair } from "./pairs.ts";

/** The part of predictions that are right. @example metrics.accuracy([0, 1, 1, 2], [0, 1, 2, 2]) // 0.75 */
export const accuracy = /* @__PURE__ */ unit(
  "accuracy",
  2,
  function accuracy(predictions: ArrayLike, targets: ArrayLike): NDArray {
    const [p, t] = pair("accuracy", predictions, targets);
    return np.mean(np.equal(p, t), { dtype: "float32" });
  },
);

export interface TopKOptions {
  /** How many classes count as named. Default 5. */
  readonly k?: number;
}
/**
 * The part of examples whose label is among the `k` classes of the highest scores; of equal scores the first class counts
 * as higher, as in `lax.topK`.
 *
 * @param scores shape [..., classes].
 * @param labels integers of shape [...].
 * @param rest `k` (default 5).
 * @example
 * metrics.topKAccuracy([[0.1, 0.2, 0.7], [0.5, 0.3, 0.2]], [1, 2], { k: 2 }) // 0.5
 */
export const topKAccuracy = /* @__PURE__ */ unit(
  "topKAccuracy",
  2,
  function topKAccuracy(
    scores: ArrayLike,
    labels: ArrayLike,
    ...rest: readonly [] | readonly [number | TopKOptions]
  ): NDArray {
    const { k = 5 } = readOptions<TopKOptions>("metrics.topKAccuracy", ["k"], 1, rest);
    const s = np.asarray(scores);
    const y = classes("topKAccuracy", "labels", np.asarray(labels));
    if (s.ndim === 0 || !shapesEqual(s.shape.slice(0, -1), y.shape))
      throw new ShapeError("MetricShape", {
        what: `metrics.topKAccuracy: scores ${shapeText(s.shape)} do not go with labels ${shapeText(y.shape)}`,
        why: "there is one label for each row of scores",
        fix: "pass scores of shape [..., classes] and labels of shape [...]",
      });
    const label = np.expandDims(y, -1);
    const index = np.arange(s.shape.at(-1)!);
    const own = np.sum(np.where(np.equal(index, label), s, 0), { axis: -1, keepdims: true });
    const before = np.logicalOr(np.greater(s, own), np.logicalAnd(np.equal(s, own), np.less(index, label)));
    // A label that is no class is never among them.
    const exists = np.logicalAnd(np.greaterEqual(y, 0), np.less(y, s.shape.at(-1)!));
    const named = np.logicalAnd(exists, np.less(np.sum(before, -1), k));
    return np.mean(named, { dtype: "float32" });
  },
);

export interface ClassesOptions {
  /** The number of classes. It decides a shape, so it cannot come from the values. */
  readonly numClasses?: number;
}

/** Whether each element is of each class: shape [elements, classes]; nothing for what is no class. */
const oneOf = (x: NDArray, numClasses: number): NDArray => np.equal(np.reshape(x, [-1, 1]), np.arange(numClasses));

function requireClasses(name: string, numClasses: number | undefined): number {
  if (numClasses !== undefined && Number.isInteger(numClasses) && numClasses > 0) return numClasses;
  throw new ArgumentError("NumClasses", {
    what: `metrics.${name}: numClasses is ${String(numClasses)}`,
    why: "the number of classes is the shape of what is counted, and shapes do not depend on values",
    fix: "pass { numClasses }, a positive integer",
  });
}

/**
 * How many examples of class i were predicted to be of class j, at [i, j].
 *
 * @param rest `numClasses`, required. Pairs with a number that is no class are left out.
 * @returns int32 of shape [numClasses, numClasses].
 * @example
 * metrics.confusionMatrix([0, 1, 1], [0, 0, 1], { numClasses: 2 }) // [[1, 1], [0, 1]]
 */
export const confusionMatrix = /* @__PURE__ */ unit(
  "confusionMatrix",
  2,
  function confusionMatrix(
    predictions: ArrayLike,
    targets: ArrayLike,
    ...rest: readonly [number | ClassesOptions]
  ): NDArray {
    const given = readOptions<ClassesOptions>("metrics.confusionMatrix", ["numClasses"], 1, rest);
    const n = requireClasses("confusionMatrix", given.numClasses);
    const [p, t] = pair("confusionMatrix", predictions, targets);
    const [predicted, right] = [
      oneOf(classes("confusionMatrix", "predictions", p), n),
      oneOf(classes("confusionMatrix", "targets", t), n),
    ];
    // Counted in integers: floats would lose ones from 2²⁴ on.
    return np.matmul(np.transpose(np.astype(right, "int32")), np.astype(predicted, "int32"));
  },
);

// ---------------------------------------------------------------- precision, recall, F1

/** `"binary"` looks at one class; `"none"` or null gives a number for each. */
export type Average = "binary" | "micro" | "macro" | "weighted" | "none" | null;

export interface AverageOptions extends ClassesOptions {
  /**
   * `"binary"` (default): of the class `posLabel`. `"micro"`: of all classes' counts together. `"macro"`: the mean over
   * classes. `"weighted"`: their mean weighted by how many targets are of each. `"none"`: one number for each class.
   */
  readonly average?: Average;
  /** The class that `"binary"` looks at. Default 1. */
  readonly posLabel?: number;
  /** The value where there is nothing to divide by: 0 (default), 1, or NaN, which averages leave out. */
  readonly zeroDivision?: number;
}
type AverageRest = readonly [] | readonly [AverageOptions];

/** What is counted for each class. */
interface Counts {
  /** Predicted, and right. */
  readonly hits: NDArray;
  readonly predicted: NDArray;
  readonly actual: NDArray;
}
type Ratio = (counts: Counts) => readonly [numerator: NDArray, denominator: NDArray];

/** The mean of numbers that are not NaN; with weights, unless those are all zero. */
function meanOfNumbers(x: NDArray, weights: NDArray | null): NDArray {
  const counts = np.logicalNot(np.isnan(x));
  const plain = np.astype(counts, "float32");
  const sumOver = (w: NDArray): NDArray => np.sum(np.multiply(np.where(counts, x, 0), w));
  const weighted = weights === null ? plain : np.multiply(plain, np.astype(weights, "float32"));
  const total = np.sum(weighted);
  const w = np.where(np.greater(total, 0), weighted, plain);
  return np.divide(sumOver(w), np.sum(w));
}

function averaged(name: string, ratio: Ratio, predictions: ArrayLike, targets: ArrayLike, rest: AverageRest): NDArray {
  const names = ["numClasses", "average", "posLabel", "zeroDivision"] as const;
  const given = readOptions<AverageOptions>(`metrics.${name}`, names, 0, rest);
  const { average = "binary", posLabel = 1, zeroDivision = 0 } = given;
  const [p, t] = pair(name, predictions, targets);
  const [found, right] = [classes(name, "predictions", p), classes(name, "targets", t)];
  const divided = (counts: Counts): NDArray => {
    const [numerator, denominator] = ratio(counts).map((x) => np.astype(x, "float32")) as [NDArray, NDArray];
    const empty = np.equal(denominator, 0);
    return np.where(empty, zeroDivision, np.divide(numerator, np.where(empty, 1, denominator)));
  };
  const countsOf = (predicted: NDArray, actual: NDArray, axis: number | null): Counts => ({
    hits: np.sum(np.logicalAnd(predicted, actual), axis),
    predicted: np.sum(predicted, axis),
    actual: np.sum(actual, axis),
  });
  if (average === "binary") return divided(countsOf(np.equal(found, posLabel), np.equal(right, posLabel), null));
  checkAverage(name, average);
  const n = requireClasses(name, given.numClasses);
  const [predicted, actual] = [oneOf(found, n), oneOf(right, n)];
  if (average === "micro") return divided(countsOf(predicted, actual, null));
  const counts = countsOf(predicted, actual, 0);
  const each = divided(counts);
  if (average === null || average === "none") return each;
  return meanOfNumbers(each, average === "weighted" ? counts.actual : null);
}

function checkAverage(name: string, average: unknown): void {
  if (average === null || ["micro", "macro", "weighted", "none"].includes(average as string)) return;
  throw new ArgumentError("Average", {
    what: `metrics.${name}: there is no average ${JSON.stringify(average)}`,
    why: "the average says how the numbers of several classes become one",
    fix: 'use "binary", "micro", "macro", "weighted" or "none"',
  });
}

/**
 * Of the predictions of a class, the part that is right.
 *
 * @param rest by name: `average` (default `"binary"`), `numClasses` (required for several classes), `posLabel`,
 *   `zeroDivision`.
 * @example
 * metrics.precision([1, 1, 0, 1], [1, 0, 0, 1]) // 0.66667
 * metrics.precision([0, 2, 1], [0, 1, 2], { average: "none", numClasses: 3 }) // [1, 0, 0]
 */
export const precision = /* @__PURE__ */ unit(
  "precision",
  2,
  (predictions: ArrayLike, targets: ArrayLike, ...rest: AverageRest): NDArray =>
    averaged("precision", ({ hits, predicted }) => [hits, predicted], predictions, targets, rest),
);

/**
 * Of the examples of a class, the part that was found.
 *
 * @param rest as of `precision`.
 * @example
 * metrics.recall([1, 0, 0, 1], [1, 1, 1, 1]) // 0.5
 */
export const recall = /* @__PURE__ */ unit(
  "recall",
  2,
  (predictions: ArrayLike, targets: ArrayLike, ...rest: AverageRest): NDArray =>
    averaged("recall", ({ hits, actual }) => [hits, actual], predictions, targets, rest),
);

/**
 * The harmonic mean of precision and recall: 2·hits / (predicted + actual).
 *
 * @param rest as of `precision`. Averages are over the classes' values, as in scikit-learn.
 * @example
 * metrics.f1Score([1, 1, 0, 1], [1, 0, 0, 1]) // 0.8
 */
export const f1Score = /* @__PURE__ */ unit(
  "f1Score",
  2,
  (predictions: ArrayLike, targets: ArrayLike, ...rest: AverageRest): NDArray =>
    averaged(
      "f1Score",
      ({ hits, predicted, actual }) => [np.multiply(2, hits), np.add(predicted, actual)],
      predictions,
      targets,
      rest,
    ),
);
/** Another name of `f1Score`. @example metrics.f1([1, 1, 0, 1], [1, 0, 0, 1]) // 0.8 */
export const f1 = f1Score;
