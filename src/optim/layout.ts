/** Transformations of other layouts of the same numbers. */
import type { ArrayLike } from "../core/arrayMethods.ts";
import type { NDArray } from "../core/ndarray.ts";
import { sizeOf } from "../core/shape.ts";
import * as np from "../numpy/index.ts";
import * as tree from "../tree/functions.ts";
import type { GradientTransformation, GradientTransformationExtraArgs } from "./base.ts";

const join = (t: unknown): NDArray => np.concatenate(tree.leaves(t).map((x: ArrayLike) => np.ravel(x)));

/** A vector as a tree of the shapes of another. */
function split<P>(vector: NDArray, like: P): P {
  const [leaves, structure] = tree.flatten(like);
  const shapes = leaves.map((x: ArrayLike) => np.shape(x));
  let end = 0;
  const ends = shapes.map((s) => (end += sizeOf(s)));
  const parts = np.split(vector, ends.slice(0, -1)).map((x, i) => np.reshape(x, shapes[i]!));
  return tree.unflatten(structure, parts) as P;
}

/**
 * Applies a transformation to all parameters joined into one vector: fewer, longer operations for many small arrays. Leaves
 * of several dtypes are joined in the one they promote to.
 *
 * What looks at single arrays (`clipByBlockRms`, `adafactor`, `lamb`) looks at the whole then.
 *
 * @example
 * const optimizer = optim.flatten(optim.adam(0.1));
 * optimizer.init({ w: np.zeros([2, 3]), b: 0 })[0].mu.shape // [7]
 */
export function flatten<S>(inner: GradientTransformation<NDArray, S>): GradientTransformation<unknown, S>;
export function flatten<S, E extends object>(
  inner: GradientTransformationExtraArgs<NDArray, S, E>,
): GradientTransformationExtraArgs<unknown, S, E>;
export function flatten<S>(
  inner: GradientTransformationExtraArgs<NDArray, S>,
): GradientTransformationExtraArgs<unknown, S> {
  return {
    init: (params) => inner.init(join(params)),
    update: (updates, state, params, extra) => {
      const [flat, next] = inner.update(join(updates), state, params === undefined ? undefined : join(params), extra);
      return [split(flat, updates), next];
    },
  };
}
