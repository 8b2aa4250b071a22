/** Reading parameters of distributions: `loc` and `scale` come by position after the others, or by name. */
import type { ArrayLike } from "../../core/arrayMethods.ts";
import type { NDArray } from "../../core/ndarray.ts";
import { type Rest, given } from "../../numpy/arguments.ts";
import * as np from "../../numpy/index.ts";
import { floats } from "../operands.ts";

export interface LocOption {
  /** Where the distribution begins or is centred. Default 0. */
  readonly loc?: ArrayLike | undefined;
}
export interface LocScaleOptions extends LocOption {
  /** The unit of the variable, positive. Default 1. */
  readonly scale?: ArrayLike | undefined;
}
export type LocRest = Rest<[ArrayLike], LocOption>;
export type LocScaleRest = Rest<[ArrayLike, ArrayLike], LocScaleOptions>;

type Of<N extends number, R extends NDArray[] = []> = R["length"] extends N ? R : Of<N, [...R, NDArray]>;

/** The operands and their `loc`, of one float dtype. Shapes stay as they are: they broadcast. */
export function located<const X extends readonly ArrayLike[]>(
  name: string,
  xs: X,
  rest: readonly unknown[],
): [...Of<X["length"]>, NDArray] {
  const { loc = 0 } = given<LocOption>(`scipy.stats.${name}`, ["loc"], 1, rest);
  return floats(`scipy.stats.${name}`, [...xs, loc]) as [...Of<X["length"]>, NDArray];
}

/** The operands, their `loc` and their `scale`. */
export function scaled<const X extends readonly ArrayLike[]>(
  name: string,
  xs: X,
  rest: readonly unknown[],
): [...Of<X["length"]>, NDArray, NDArray] {
  const { loc = 0, scale = 1 } = given<LocScaleOptions>(`scipy.stats.${name}`, ["loc", "scale"], 2, rest);
  return floats(`scipy.stats.${name}`, [...xs, loc, scale]) as [...Of<X["length"]>, NDArray, NDArray];
}

/** (x − loc) / scale */
export const standardized = (x: NDArray, loc: NDArray, scale: NDArray): NDArray =>
  np.divide(np.subtract(x, loc), scale);

/** The value at a share of the way: loc + scale · z. */
export const placed = (z: NDArray, loc: NDArray, scale: NDArray): NDArray => np.add(loc, np.multiply(scale, z));

/**
 * A value where `outside` does not hold and a constant where it does. The value is computed of `x`, which is replaced by
 * a harmless number outside, so that derivatives are finite there.
 */
export const within = (
  outside: NDArray,
  x: NDArray,
  harmless: number,
  f: (x: NDArray) => NDArray,
  other: number,
): NDArray => np.where(outside, other, f(np.where(outside, harmless, x)));

/** Shares are in [0, 1]: the value there, NaN elsewhere. */
export const ofShare = (q: NDArray, f: (q: NDArray) => NDArray): NDArray => {
  const inside = np.logicalAnd(np.greaterEqual(q, 0), np.lessEqual(q, 1));
  return np.where(inside, f(np.where(inside, q, 0.5)), NaN);
};
