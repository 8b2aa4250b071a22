/** `scipy.stats.dirichlet`: the Dirichlet distribution on shares that sum to 1, along the first axis. */
import type { ArrayLike } from "../../core/arrayMethods.ts";
import type { NDArray } from "../../core/ndarray.ts";
import { ShapeError } from "../../core/problem.ts";
import { shapeText } from "../../core/shape.ts";
import { reshape } from "../../core/structural.ts";
import * as np from "../../numpy/index.ts";
import { gammaln, xlogy } from "../special/index.ts";
import { floats } from "../operands.ts";
import { unit } from "../../core/unit.ts";

/** The density. @example scipy.stats.dirichlet.pdf(np.array([0.2, 0.3, 0.5]), np.array([1, 2, 3])) // 4.5 */
export const pdf = /* @__PURE__ */ unit(
  "pdf",
  2,
  (x: ArrayLike, alpha: ArrayLike): NDArray => np.exp(logpdfOf("scipy.stats.dirichlet.pdf", x, alpha)),
  { numbers: "inputs" },
);

function logpdfOf(name: string, x: ArrayLike, alpha: ArrayLike): NDArray {
  const [given, concentrations] = floats(name, [x, alpha]) as [NDArray, NDArray];
  const [n, size] = [concentrations.shape[0], given.shape[0]];
  if (concentrations.ndim !== 1 || given.ndim === 0 || (size !== n && size !== n! - 1))
    throw new ShapeError("DirichletShapes", {
      what: `${name}: shares of shape ${shapeText(given.shape)} with concentrations of shape ${shapeText(concentrations.shape)}`,
      why: "there is one concentration per share, and the shares run along the first axis",
      fix: "pass alpha as a vector, and as many shares, or one fewer",
    });
  const total = np.sum(given, 0, { keepdims: true });
  const shares = size === n ? given : np.concatenate([given, np.subtract(1, total)], 0);
  const a = reshape(concentrations, [n!, ...given.shape.slice(1).map(() => 1)]);
  const normalizer = np.subtract(np.sum(gammaln(concentrations)), gammaln(np.sum(concentrations)));
  const positive = np.greater(shares, 0);
  const kernel = np.sum(xlogy(np.subtract(a, 1), np.where(positive, shares, 1)), 0);
  const whole = np.less(np.abs(np.subtract(np.sum(shares, 0), 1)), 1e-6);
  const inside = np.logicalAnd(np.all(positive, 0), whole);
  return np.where(inside, np.subtract(kernel, normalizer), -Infinity);
}

/**
 * The logarithm of the density; −∞ unless the shares are positive and sum to 1.
 *
 * @param x the shares along the first axis; the last of them may be left out.
 * @param alpha a vector of positive concentrations.
 * @example
 * scipy.stats.dirichlet.logpdf(np.array([0.2, 0.3, 0.5]), np.array([1, 2, 3])) // 1.5040774
 */
export const logpdf = /* @__PURE__ */ unit(
  "logpdf",
  2,
  (x: ArrayLike, alpha: ArrayLike): NDArray => logpdfOf("scipy.stats.dirichlet.logpdf", x, alpha),
  { numbers: "inputs" },
);
