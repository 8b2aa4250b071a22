/** Minibatches: which examples go into each step. */
import type { NDArray } from "../core/ndarray.ts";
import { ArgumentError } from "../core/problem.ts";
import * as np from "../numpy/index.ts";
import * as random from "../random/index.ts";

export interface BatchOptions {
  /** Leave out the examples that do not fill a last batch. Default true: every batch then has the same shape. */
  readonly dropRemainder?: boolean;
}

/**
 * The positions of the examples of each minibatch of one epoch, in random order: int32 arrays of length `batchSize`.
 *
 * @param key decides the order; use another one for each epoch, such as `random.foldIn(key, epoch)`.
 * @param count the number of examples.
 * @example
 * data.batches(random.key(0), 10, 4).map((rows) => rows.shape) // [[4], [4]]
 */
export function batches(key: NDArray, count: number, batchSize: number, options: BatchOptions = {}): NDArray[] {
  for (const [name, n] of [
    ["count", count],
    ["batchSize", batchSize],
  ] as const)
    if (!Number.isInteger(n) || n < 1)
      throw new ArgumentError("BatchSize", {
        what: `batches: ${name} is ${String(n)}`,
        why: "examples are counted in positive integers",
        fix: `pass a positive integer`,
      });
  const order = random.permutation(key, count);
  const whole = Math.floor(count / batchSize);
  const table = order.slice([0, whole * batchSize]).reshape(whole, batchSize);
  // The row is an operand of `take`: one program takes all of them, where `split` would compile one for each.
  const rows = Array.from({ length: whole }, (_, i) => np.take(table, i, 0));
  const hasRest = whole * batchSize < count && options.dropRemainder === false;
  return hasRest ? [...rows, order.slice([whole * batchSize, count])] : rows;
}
