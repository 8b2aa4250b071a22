/** `scipy.stats.t`: Student's distribution with `df` degrees of freedom. */
import type { ArrayLike } from "../../core/arrayMethods.ts";
import type { NDArray } from "../../core/ndarray.ts";
import * as np from "../../numpy/index.ts";
import { betaln } from "../special/index.ts";
import { type LocScaleRest, scaled, standardized } from "./arguments.ts";
import { unit } from "../../core/unit.ts";

/** The density. @example scipy.stats.t.pdf(0.5, 3, 1, 2) // 0.17635177 */
export const pdf = /* @__PURE__ */ unit(
  "pdf",
  4,
  (x: ArrayLike, df: ArrayLike, ...rest: LocScaleRest): NDArray => np.exp(logpdfOf("t.pdf", x, df, ...rest)),
  { numbers: "inputs" },
);

function logpdfOf(name: string, x: ArrayLike, df: ArrayLike, ...rest: LocScaleRest): NDArray {
  const [v, freedom, loc, scale] = scaled(name, [x, df], rest);
  const z = standardized(v, loc, scale);
  const half = np.multiply(0.5, freedom);
  // log B(df / 2, 1 / 2) + log(df scale²) / 2: of many degrees two gamma functions would cancel.
  const normalizer = np.add(betaln(half, 0.5), np.multiply(0.5, np.log(np.multiply(freedom, np.square(scale)))));
  const kernel = np.multiply(np.add(half, 0.5), np.log1p(np.divide(np.square(z), freedom)));
  return np.negative(np.add(normalizer, kernel));
}

/** The logarithm of the density. @example scipy.stats.t.logpdf(0.5, 3, 1, 2) // -1.7352746 */
export const logpdf = /* @__PURE__ */ unit(
  "logpdf",
  4,
  (x: ArrayLike, df: ArrayLike, ...rest: LocScaleRest): NDArray => logpdfOf("t.logpdf", x, df, ...rest),
  { numbers: "inputs" },
);
