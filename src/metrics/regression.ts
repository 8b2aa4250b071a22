/** Metrics of predicted numbers. Predictions come first, then targets; all elements count alike. */
import type { ArrayLike } from "../core/arrayMethods.ts";
import type { NDArray } from "../core/ndarray.ts";
import { unit } from "../core/unit.ts";
import * as np from "../numpy/index.ts";
import { floatPair } from "./pairs.ts";

/** The mean of (prediction − target)². @example metrics.meanSquaredError([1, 2], [1, 4]) // 2 */
export const meanSquaredError = /* @__PURE__ */ unit(
  "meanSquaredError",
  2,
  function meanSquaredError(predictions: ArrayLike, targets: ArrayLike): NDArray {
    const [p, t] = floatPair("meanSquaredError", predictions, targets);
    return np.mean(np.square(np.subtract(p, t)));
  },
);

/** The root of the mean of (prediction − target)². @example metrics.rootMeanSquaredError([1, 2], [3, 4]) // 2 */
export const rootMeanSquaredError = /* @__PURE__ */ unit(
  "rootMeanSquaredError",
  2,
  function rootMeanSquaredError(predictions: ArrayLike, targets: ArrayLike): NDArray {
    const [p, t] = floatPair("rootMeanSquaredError", predictions, targets);
    return np.sqrt(np.mean(np.square(np.subtract(p, t))));
  },
);

/** The mean of |prediction − target|. @example metrics.meanAbsoluteError([1, 2], [1, 4]) // 1 */
export const meanAbsoluteError = /* @__PURE__ */ unit(
  "meanAbsoluteError",
  2,
  function meanAbsoluteError(predictions: ArrayLike, targets: ArrayLike): NDArray {
    const [p, t] = floatPair("meanAbsoluteError", predictions, targets);
    return np.mean(np.abs(np.subtract(p, t)));
  },
);

/**
 * The part of the targets' variance that predictions explain: 1 − Σ (t − p)² / Σ (t − mean t)².
 *
 * Arrays with more axes hold an output in each column; the result is the mean over outputs. Targets that do not vary give 1
 * where predictions are exact and 0 where they are not, as in scikit-learn.
 *
 * @param predictions shape [examples] or [examples, ...outputs].
 * @param targets the same shape.
 * @example
 * metrics.r2Score([1, 2, 3], [1, 2, 4]) // 0.78571
 */
export const r2Score = /* @__PURE__ */ unit(
  "r2Score",
  2,
  function r2Score(predictions: ArrayLike, targets: ArrayLike): NDArray {
    const [p, t] = floatPair("r2Score", predictions, targets).map((x) => np.atleast1d(x)) as [NDArray, NDArray];
    const missed = np.sum(np.square(np.subtract(t, p)), 0);
    const total = np.sum(np.square(np.subtract(t, np.mean(t, { axis: 0, keepdims: true }))), 0);
    const constant = np.equal(total, 0);
    const explained = np.subtract(1, np.divide(missed, np.where(constant, 1, total)));
    return np.mean(np.where(constant, np.astype(np.equal(missed, 0), t.dtype), explained));
  },
);
