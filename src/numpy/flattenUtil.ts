/** `flattenUtil`: a tree of arrays as one vector. */
import { promote } from "../core/dtype.ts";
import { flattenTree } from "../core/call.ts";
import { NDArray } from "../core/ndarray.ts";
import { DTypeError, ShapeError } from "../core/problem.ts";
import { shapeText } from "../core/shape.ts";
import { convert, reshape } from "../core/structural.ts";
import { describeValue, unflatten } from "../core/tree.ts";
import type { Arrays } from "../core/types.ts";
import { full } from "../lax/creation.ts";
import { concatenate, sliceInDim } from "../lax/movement.ts";
import { ArgumentError } from "../core/problem.ts";

/**
 * All leaves of a tree as one vector of their common dtype, and the way back, which gives each leaf its own dtype again.
 *
 * @returns `[vector, unravel]`; `unravel(v)` takes a vector of the same length and dtype.
 * @throws ShapeError and DTypeError from `unravel`
 * @example
 * const [v, unravel] = flattenUtil.ravelPytree({ a: np.array([1, 2]), b: np.array(3) });
 * unravel(v.mul(2)) // { a: [2, 4], b: 6 }
 */
export function ravelPytree<T>(pytree: T): [vector: NDArray, unravel: (vector: NDArray) => Arrays<T>] {
  const { leaves, def } = flattenTree(pytree, "ravelPytree", "the tree");
  // Promotion looks at dtypes alone: a plain number counts as an array of its dtype.
  const { dtype } = promote(leaves.map((x) => ({ dtype: x.dtype, weakType: false })));
  const parts = leaves.map((x) => reshape(convert(x, dtype), [x.size]));
  const vector = parts.length === 0 ? full([0], 0, "float32") : concatenate(parts, 0);
  const avals = leaves.map((x) => x.aval);
  const length = vector.size;
  const unravel = (v: NDArray): Arrays<T> => {
    checkVector(v, length, dtype);
    let start = 0;
    const pieces = avals.map((a) => {
      const piece = sliceInDim(v, start, (start += a.size), 1, 0);
      return convert(reshape(piece, a.shape), a.dtype);
    });
    return unflatten(def, pieces) as Arrays<T>;
  };
  return [vector, unravel];
}

function checkVector(v: NDArray, length: number, dtype: string): void {
  if (!(v instanceof NDArray))
    throw new ArgumentError("NotAnArray", {
      what: `unravel: expected an array, found ${describeValue(v)}`,
      why: "the leaves are cut out of a vector",
      fix: "convert it first with numpy.asarray(v)",
    });
  if (v.ndim !== 1 || v.size !== length)
    throw new ShapeError("UnravelShape", {
      what: `unravel: the vector has shape ${shapeText(v.shape)}, but ${shapeText([length])} is expected`,
      why: "the vector holds every element of the tree once",
      fix: "pass a vector of the length that ravelPytree gave",
    });
  if (v.dtype !== dtype)
    throw new DTypeError("UnravelDType", {
      what: `unravel: the vector is ${v.dtype}, but ${dtype} is expected`,
      why: "ravelPytree gave the vector that dtype, the common one of the leaves",
      fix: `convert it first: v.astype("${dtype}")`,
    });
}
