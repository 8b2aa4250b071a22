/** Metrics of the order that scores put examples in. */
import type { ArrayLike } from "../core/arrayMethods.ts";
import type { NDArray } from "../core/ndarray.ts";
import { unit } from "../core/unit.ts";
import * as np from "../numpy/index.ts";
import { pair } from "./pairs.ts";

/**
 * The area under the receiver operating characteristic: how often a positive example scores higher than a negative one,
 * where equal scores count half (Hanley and McNeil, 1982).
 *
 * @param scores any increasing function of them gives the same.
 * @param labels of the same shape: 0 or false is negative, all else positive.
 * @returns a float32 scalar; NaN unless there are both positive and negative examples.
 * @example
 * metrics.rocAuc([0.1, 0.4, 0.4, 0.8], [0, 0, 1, 1]) // 0.875
 */
export const rocAuc = /* @__PURE__ */ unit("rocAuc", 2, function rocAuc(scores: ArrayLike, labels: ArrayLike): NDArray {
  const [s, y] = pair("rocAuc", scores, labels).map((x) => np.ravel(x)) as [NDArray, NDArray];
  const positive = np.notEqual(y, 0);
  const order = np.argsort(s);
  const sorted = np.take(s, order);
  const negatives = np.astype(np.logicalNot(np.take(positive, order)), "int32");
  // How many negatives are among the first i.
  const first = np.concatenate([np.zeros([1], "int32"), np.cumsum(negatives)]);
  const below = np.take(first, np.searchsorted(sorted, s, { side: "left" }));
  const upTo = np.take(first, np.searchsorted(sorted, s, { side: "right" }));
  // Each positive's part of the negatives: the sum of parts stays small, a sum of ranks would not be exact in float32.
  const beaten = np.divide(np.add(below, upTo), np.multiply(2, np.sum(negatives)));
  return np.astype(np.divide(np.sum(np.where(positive, beaten, 0)), np.sum(positive)), "float32");
});
