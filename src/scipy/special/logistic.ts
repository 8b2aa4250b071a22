/** The logistic function, its inverse, and normalized exponentials along axes. */
import type { ArrayLike, Axis } from "../../core/arrayMethods.ts";
import type { NDArray } from "../../core/ndarray.ts";
import * as lax from "../../lax/index.ts";
import * as nn from "../../nn/normalize.ts";
import { type Rest, given } from "../../numpy/arguments.ts";
import * as np from "../../numpy/index.ts";
import { elementwise, floats } from "../operands.ts";

export { logsumexp } from "../../nn/normalize.ts";

/** 1 / (1 + e^−x). @example scipy.special.expit(np.array([0, Infinity])) // [0.5, 1] */
export const expit = (x: ArrayLike): NDArray => lax.logistic(floats("scipy.special.expit", [x])[0]!);

const logOdds = /* @__PURE__ */ elementwise(
  "logit",
  (x) => np.log(np.divide(x, np.subtract(1, x))),
  (g, _, x) => np.divide(g, np.multiply(x, np.subtract(1, x))),
);
/** log(x / (1 − x)), the inverse of expit. @example scipy.special.logit(np.array([0.5, 1])) // [0, Infinity] */
export const logit = (x: ArrayLike): NDArray => logOdds(x);

export interface AxisOption {
  /** The axes that sum to 1; null (default) means all. */
  readonly axis?: Axis | undefined;
}

/** Exponentials divided by their sum. @example scipy.special.softmax(np.array([[0, 0], [0, 0]])) // [[0.25, 0.25], [0.25, 0.25]] */
export function softmax(x: ArrayLike, ...rest: Rest<[], AxisOption>): NDArray {
  const { axis = null } = given<AxisOption>("scipy.special.softmax", ["axis"], 0, rest);
  return nn.softmax(x, { axis });
}

/** The logarithm of `softmax`. @example scipy.special.logSoftmax(np.array([0, -Infinity])) // [0, -Infinity] */
export function logSoftmax(x: ArrayLike, ...rest: Rest<[], AxisOption>): NDArray {
  const { axis = null } = given<AxisOption>("scipy.special.logSoftmax", ["axis"], 0, rest);
  return nn.logSoftmax(x, { axis });
}
