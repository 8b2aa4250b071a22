/** Whether trees are finite, and choosing between trees: what skipping bad steps is made of. */
import type { ArrayLike } from "../core/arrayMethods.ts";
import type { NDArray } from "../core/ndarray.ts";
import { ShapeError } from "../core/problem.ts";
import { shapeText } from "../core/shape.ts";
import * as np from "../numpy/index.ts";
import * as tree from "../tree/functions.ts";
import { where } from "./treeMath.ts";

/** Whether all elements of all leaves are finite; true of none. @example optim.allFinite({ w: np.array([1, Infinity]), b: 0 }) // false */
export const allFinite = (t: unknown): NDArray =>
  tree
    .leaves(t)
    .map((x: ArrayLike) => np.all(np.isfinite(x)))
    .reduce<NDArray>((a, b) => np.logicalAnd(a, b), np.ones([], "bool"));

/** The first tree if a boolean scalar holds, else the second. @example optim.selectTree(np.array(false), { w: 1 }, { w: 2 }) // { w: 2 } */
export function selectTree<P>(pred: ArrayLike, onTrue: P, onFalse: P): P {
  if (np.ndim(pred) === 0) return where(pred, onTrue, onFalse);
  throw new ShapeError("Predicate", {
    what: `optim.selectTree: the predicate has shape ${shapeText(np.shape(pred))}`,
    why: "one tree is chosen as a whole",
    fix: "reduce it with numpy.all or numpy.any, or use optim.tree.where to choose element by element",
  });
}
