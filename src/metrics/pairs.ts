/** What all metrics check: that predictions and targets go together, element by element. */
import type { ArrayLike } from "../core/arrayMethods.ts";
import { isBool, isFloat, isInteger } from "../core/dtype.ts";
import type { NDArray } from "../core/ndarray.ts";
import { DTypeError, ShapeError } from "../core/problem.ts";
import { shapeText, shapesEqual } from "../core/shape.ts";
import * as np from "../numpy/index.ts";

/** Predictions and targets of one shape. */
export function pair(name: string, predictions: ArrayLike, targets: ArrayLike): readonly [NDArray, NDArray] {
  const [p, t] = [np.asarray(predictions), np.asarray(targets)];
  if (shapesEqual(p.shape, t.shape)) return [p, t];
  throw new ShapeError("MetricShape", {
    what: `metrics.${name}: predictions ${shapeText(p.shape)} and targets ${shapeText(t.shape)} differ in shape`,
    why: "each prediction is compared with the target in its place",
    fix: "reshape one of them; of scores for several classes take numpy.argmax(scores, -1) first",
  });
}

/** Classes as int32. Numbers and nested lists of JavaScript are floats, so whole floats are welcome. */
export function classes(name: string, what: string, x: NDArray): NDArray {
  if (isInteger(x.dtype) || isBool(x.dtype) || isFloat(x.dtype)) return np.astype(x, "int32");
  throw new DTypeError("ClassDType", {
    what: `metrics.${name}: ${what} are ${x.describe()}`,
    why: "classes are numbered from 0",
    fix: "pass integers or booleans",
  });
}

/** Two arrays of one floating dtype; integers become float32. */
export function floatPair(name: string, predictions: ArrayLike, targets: ArrayLike): readonly [NDArray, NDArray] {
  const [p, t] = pair(name, predictions, targets);
  const common = np.promoteTypes(p.dtype, t.dtype);
  const dtype = isFloat(common) ? common : "float32";
  return [np.astype(p, dtype), np.astype(t, dtype)];
}
