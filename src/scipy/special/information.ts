/** Products with logarithms that are 0 where the factor is, entropies and divergences. */
import type { ArrayLike } from "../../core/arrayMethods.ts";
import type { NDArray } from "../../core/ndarray.ts";
import * as np from "../../numpy/index.ts";
import { aligned, elementwise, floats } from "../operands.ts";
import { unit } from "../../core/unit.ts";

/** x · logarithm, and 0 where x is 0 unless the logarithm is of NaN. */
const weighted = (x: NDArray, y: NDArray, logarithm: NDArray): NDArray =>
  np.where(np.logicalOr(np.notEqual(x, 0), np.isnan(y)), np.multiply(x, logarithm), 0);

const xlogyAligned = /* @__PURE__ */ elementwise(
  "xlogy",
  (x, y) => weighted(x, y, np.log(y)),
  (g, _, _x, y) => np.multiply(g, np.log(y)),
  (g, _, x, y) => np.divide(np.multiply(g, x), y),
);
/** x log y, and 0 where x is 0. @example scipy.special.xlogy(np.array([0, 2]), np.array([0, 1])) // [0, 0] */
export const xlogy = (x: ArrayLike, y: ArrayLike): NDArray => xlogyAligned(x, y);

const xlog1pyAligned = /* @__PURE__ */ elementwise(
  "xlog1py",
  (x, y) => weighted(x, y, np.log1p(y)),
  (g, _, _x, y) => np.multiply(g, np.log1p(y)),
  (g, _, x, y) => np.divide(np.multiply(g, x), np.add(y, 1)),
);
/** x log(1 + y), and 0 where x is 0. @example scipy.special.xlog1py(np.array([0, 2]), np.array([-1, 0])) // [0, 0] */
export const xlog1py = (x: ArrayLike, y: ArrayLike): NDArray => xlog1pyAligned(x, y);

/** x log x: differentiated as a function of one variable, it is infinite at 0 and not NaN. */
const xlogx = /* @__PURE__ */ elementwise(
  "xlogx",
  (x) => weighted(x, x, np.log(x)),
  (g, _, x) => np.multiply(g, np.add(np.log(x), 1)),
);

/** −x log x: 0 at 0, −∞ below. @example scipy.special.entr(np.array([-1, 0, 1])) // [-Infinity, 0, 0] */
export const entr = /* @__PURE__ */ unit(
  "entr",
  1,
  function entr(x: ArrayLike): NDArray {
    const a = floats("scipy.special.entr", [x])[0]!;
    return np.where(np.less(a, 0), -Infinity, np.negative(xlogx(a)));
  },
  { numbers: "inputs" },
);

/**
 * p log(p / q): 0 where p is 0 and q ≥ 0, infinite where one is negative or q is 0.
 *
 * @example
 * scipy.special.relEntr(np.array([0, 1, 1]), np.array([1, 1, 0])) // [0, 0, Infinity]
 */
export const relEntr = /* @__PURE__ */ unit(
  "relEntr",
  2,
  function relEntr(p: ArrayLike, q: ArrayLike): NDArray {
    const [a, b] = aligned("scipy.special.relEntr", [p, q]) as [NDArray, NDArray];
    const inside = np.logicalAnd(np.greater(a, 0), np.greater(b, 0));
    const empty = np.logicalAnd(np.equal(a, 0), np.greaterEqual(b, 0));
    const [x, y] = [np.where(inside, a, 1), np.where(inside, b, 1)];
    return np.where(inside, np.subtract(xlogx(x), xlogy(x, y)), np.where(empty, 0, np.where(empty, x, Infinity)));
  },
  { numbers: "inputs" },
);

/** p log(p / q) − p + q, which is not negative. @example scipy.special.klDiv(np.array([0, 1]), np.array([1, 1])) // [1, 0] */
export const klDiv = /* @__PURE__ */ unit(
  "klDiv",
  2,
  function klDiv(p: ArrayLike, q: ArrayLike): NDArray {
    const [a, b] = aligned("scipy.special.klDiv", [p, q]) as [NDArray, NDArray];
    return np.add(np.subtract(relEntr(a, b), a), b);
  },
  { numbers: "inputs" },
);

const boxcoxOf = (logarithm: NDArray, lmbda: NDArray): NDArray => {
  const zero = np.equal(lmbda, 0);
  const safe = np.where(zero, 1, lmbda);
  return np.where(zero, logarithm, np.divide(np.expm1(np.multiply(safe, logarithm)), safe));
};
/** Box and Cox's transformation (x^λ − 1) / λ; log x for λ = 0. @example scipy.special.boxcox(np.array([1, 3]), 2) // [0, 4] */
export const boxcox = /* @__PURE__ */ unit(
  "boxcox",
  2,
  function boxcox(x: ArrayLike, lmbda: ArrayLike): NDArray {
    const [a, l] = aligned("scipy.special.boxcox", [x, lmbda]) as [NDArray, NDArray];
    return boxcoxOf(np.log(a), l);
  },
  { numbers: "inputs" },
);
/** The same of 1 + x, accurate for small x. @example scipy.special.boxcox1p(np.array([0, 2]), 2) // [0, 4] */
export const boxcox1p = /* @__PURE__ */ unit(
  "boxcox1p",
  2,
  function boxcox1p(x: ArrayLike, lmbda: ArrayLike): NDArray {
    const [a, l] = aligned("scipy.special.boxcox1p", [x, lmbda]) as [NDArray, NDArray];
    return boxcoxOf(np.log1p(a), l);
  },
  { numbers: "inputs" },
);
