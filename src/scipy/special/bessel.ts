/** Modified Bessel functions of the first kind. */
import type { ArrayLike } from "../../core/arrayMethods.ts";
import type { NDArray } from "../../core/ndarray.ts";
import * as lax from "../../lax/index.ts";
import * as np from "../../numpy/index.ts";
import { floats } from "../operands.ts";

const read = (name: string, x: ArrayLike): NDArray => floats(`scipy.special.${name}`, [x])[0]!;
/** I(x) from e^−|x| I(x). */
const unscaled = (x: NDArray, scaled: NDArray): NDArray => np.multiply(np.exp(np.abs(x)), scaled);

/** e^−|x| I0(x). @example scipy.special.i0e(np.array([0, 2])) // [1, 0.30850834] */
export const i0e = (x: ArrayLike): NDArray => lax.besselI0e(read("i0e", x));

/** The function of order 0. @example scipy.special.i0(np.array([0, 2])) // [1, 2.2795851] */
export function i0(x: ArrayLike): NDArray {
  const a = read("i0", x);
  return unscaled(a, lax.besselI0e(a));
}

/** e^−|x| I1(x). @example scipy.special.i1e(np.array([0, 2])) // [0, 0.21526929] */
export const i1e = (x: ArrayLike): NDArray => lax.besselI1e(read("i1e", x));

/** The function of order 1. @example scipy.special.i1(np.array([0, 2])) // [0, 1.5906368] */
export function i1(x: ArrayLike): NDArray {
  const a = read("i1", x);
  return unscaled(a, lax.besselI1e(a));
}
