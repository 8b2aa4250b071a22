/** Perplexity, the metric of language models. */
import type { ArrayLike } from "../core/arrayMethods.ts";
import type { NDArray } from "../core/ndarray.ts";
import { ShapeError } from "../core/problem.ts";
import { shapeText, shapesEqual } from "../core/shape.ts";
import { unit } from "../core/unit.ts";
import { readOptions } from "../lax/arguments.ts";
import * as np from "../numpy/index.ts";
import { classes } from "./pairs.ts";

export interface PerplexityOptions {
  /** Which labels count, of their shape: false for padding. */
  readonly where?: ArrayLike | null;
}
/**
 * exp of the mean of −log softmax(logits) at the labels: among how many equally likely tokens the model hesitates.
 *
 * @param logits shape [..., tokens].
 * @param labels integers of shape [...].
 * @param rest by name: `where`.
 * @example
 * metrics.perplexity([[0, 0, 0, 0]], [2]) // 4
 */
export const perplexity = /* @__PURE__ */ unit(
  "perplexity",
  2,
  function perplexity(
    logits: ArrayLike,
    labels: ArrayLike,
    ...rest: readonly [] | readonly [PerplexityOptions]
  ): NDArray {
    const { where } = readOptions<PerplexityOptions>("metrics.perplexity", ["where"], 0, rest);
    const x = np.asarray(logits);
    const y = classes("perplexity", "labels", np.asarray(labels));
    if (x.ndim === 0 || !shapesEqual(x.shape.slice(0, -1), y.shape))
      throw new ShapeError("MetricShape", {
        what: `metrics.perplexity: logits ${shapeText(x.shape)} do not go with labels ${shapeText(y.shape)}`,
        why: "there is one label for each row of logits",
        fix: "pass logits of shape [..., tokens] and labels of shape [...]",
      });
    const greatest = np.max(x, { axis: -1, keepdims: true });
    const shifted = np.subtract(x, greatest);
    const logSum = np.log(np.sum(np.exp(shifted), -1));
    const own = np.squeeze(np.takeAlongAxis(shifted, np.expandDims(y, -1), -1), -1);
    return np.exp(np.mean(np.subtract(logSum, own), { where: where == null ? undefined : where }));
  },
);
