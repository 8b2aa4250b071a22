/**
 * Chebyshev series of smooth functions whose variable runs over [−1, 1]. The coefficients are interpolations with 34 digits
 * at Chebyshev's points; they fall so fast that float32 needs only the first of them.
 */
import type { NDArray } from "../../core/ndarray.ts";
import { add, mul, sub } from "../../lax/arithmetic.ts";

export interface Series {
  readonly coefficients: readonly number[];
  /** How many of them float32 needs. */
  readonly single: number;
}

/** Σ c[n] T_n(u), by Clenshaw's recurrence. */
export function chebyshev({ coefficients, single }: Series, u: NDArray): NDArray {
  const c = u.dtype === "float64" ? coefficients : coefficients.slice(0, single);
  const twice = mul(u, 2);
  let [b, before]: [NDArray, NDArray] = [add(mul(u, 0), c.at(-1)!), mul(u, 0)];
  for (let n = c.length - 2; n > 0; n--) [b, before] = [add(sub(mul(twice, b), before), c[n]!), b];
  return add(sub(mul(u, b), before), c[0]!);
}

/** The variable of a series for y in [0, end]: 2y / end − 1. */
export const from = (y: NDArray, end: number): NDArray => sub(mul(y, 2 / end), 1);
