/** Penalties on the size of parameters, to be added to a loss. */
import type { ArrayLike } from "../core/arrayMethods.ts";
import type { NDArray } from "../core/ndarray.ts";
import * as np from "../numpy/index.ts";
import * as tree from "../tree/functions.ts";
import { type Mask, type Rest, readOptionsOrMask } from "./base.ts";
import { absoluteSquare, sum } from "./treeMath.ts";

export interface PenaltyOptions<P> {
  /** What the sum is multiplied by. Default 1. */
  readonly scale?: ArrayLike;
  /** Which parameters count: booleans in their shape or a prefix of it, or a function that makes them of parameters. */
  readonly mask?: Mask<P> | null;
}
type PenaltyRest<P> = Rest<[ArrayLike, Mask<P> | null], PenaltyOptions<P>>;

/** scale·Σ f(x) over the elements of the leaves that count. */
function penalty<P>(name: string, f: (x: NDArray) => NDArray, params: P, rest: PenaltyRest<P>): NDArray {
  const { scale = 1, mask = null } = readOptionsOrMask<PenaltyOptions<P>>(`optim.${name}`, ["scale", "mask"], 2, rest);
  const which: unknown = typeof mask === "function" ? (mask as (p: P) => unknown)(params) : (mask ?? true);
  const kept: unknown = tree.map((m: unknown, part: unknown) => (m ? part : null), which as object, params);
  return np.multiply(scale, sum(tree.map((x: NDArray) => f(x), kept)));
}

/**
 * scale·Σ |x|: pulls parameters to zero at the same rate whatever their size, so that many become zero (Tibshirani, 1996).
 *
 * @param rest `scale` (default 1), `mask`: which parameters count.
 * @example
 * optim.l1Penalty({ w: np.array([1, -2]), b: 5 }, 0.5, { w: true, b: false }) // 1.5
 */
export const l1Penalty = <P>(params: P, ...rest: PenaltyRest<P>): NDArray =>
  penalty("l1Penalty", (x) => np.abs(x), params, rest);

/**
 * scale·½ Σ |x|²: its gradient is scale·x, what `addDecayedWeights` adds.
 *
 * @param rest `scale` (default 1), `mask`: which parameters count.
 * @example
 * optim.l2Penalty({ w: np.array([1, -3]), b: 5 }, { mask: { w: true, b: false } }) // 5
 */
export const l2Penalty = <P>(params: P, ...rest: PenaltyRest<P>): NDArray =>
  penalty("l2Penalty", (x) => np.multiply(0.5, absoluteSquare(x)), params, rest);
