/** Polynomials with fixed coefficients, inside of other functions. Those of users are in `numpy/polynomial.ts`. */
import type { NDArray } from "../core/ndarray.ts";
import { add, mul } from "./arithmetic.ts";

/** Σ c[n] x^n by Horner's rule, in the dtype of x. */
export const polynomial = (c: readonly (NDArray | number)[], x: NDArray): NDArray =>
  c.slice(0, -1).reduceRight<NDArray>((sum, v) => add(mul(sum, x), v), add(mul(x, 0), c.at(-1)!));
