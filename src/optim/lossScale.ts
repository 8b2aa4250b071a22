/**
 * Loss scaling for half precision (Micikevicius et al., 2018): the loss is multiplied before it is differentiated, so that
 * small gradients do not vanish in float16, and gradients are divided after. As with optimizers, a scaling is a few pure
 * functions of a state that is a tree of arrays.
 */
import type { ArrayLike } from "../core/arrayMethods.ts";
import type { NDArray } from "../core/ndarray.ts";
import { ArgumentError } from "../core/problem.ts";
import { readOptions } from "../lax/arguments.ts";
import * as np from "../numpy/index.ts";
import { type EmptyState, type Rest, initEmptyState, zeroCount } from "./base.ts";
import { scale as scaleTree } from "./treeMath.ts";

/**
 * A way of scaling losses. `S` is the state.
 *
 * Leaves are multiplied as by any float32 array: half precision becomes float32.
 */
export interface LossScale<S = unknown> {
  readonly init: () => S;
  /** Multiplies a loss, or a tree of losses. */
  readonly scale: <T>(state: S, losses: T) => T;
  /** Divides gradients. */
  readonly unscale: <T>(state: S, gradients: T) => T;
  /** The state for the next step, once it is known whether all gradients were finite. */
  readonly adjust: (state: S, gradsFinite: ArrayLike) => S;
}

/** No scaling, to be put in where another one would be. @example optim.noOpLossScale().scale({}, 3) // 3 */
export const noOpLossScale = (): LossScale<EmptyState> => ({
  init: initEmptyState,
  scale: (_, losses) => losses,
  unscale: (_, gradients) => gradients,
  adjust: (state) => state,
});

export interface StaticLossScaleState {
  readonly lossScale: NDArray;
}
const scaled = <T>({ lossScale }: StaticLossScaleState, t: T): T => scaleTree(lossScale, t);
const unscaled = <T>({ lossScale }: StaticLossScaleState, t: T): T => scaleTree(np.divide(1, lossScale), t);

/** Scales by a number that does not change. @example optim.staticLossScale(8).scale(optim.staticLossScale(8).init(), 3) // 24 */
export const staticLossScale = (lossScale: ArrayLike): LossScale<StaticLossScaleState> => ({
  init: () => ({ lossScale: strong(lossScale) }),
  scale: scaled,
  unscale: unscaled,
  adjust: (state) => state,
});

export interface DynamicLossScaleState extends StaticLossScaleState {
  /** The number of finite steps since the last change. */
  readonly counter: NDArray;
}
export interface DynamicLossScaleOptions {
  /** After how many finite steps in a row the scale grows. Default 2000. */
  readonly period?: number;
  /** What it is multiplied or divided by. Default 2. */
  readonly factor?: number;
  /** Its least value. Default 1. */
  readonly minLossScale?: ArrayLike;
}
/**
 * Scales by a number that grows while gradients are finite and shrinks when they are not.
 *
 * Steps whose gradients are not finite should be left out: `selectTree(finite, [newParams, newState], [params, state])`.
 *
 * @param lossScale the first scale; default 2¹⁵.
 * @param rest `period` (default 2000), `factor` (default 2), `minLossScale` (default 1).
 * @example
 * const scaling = optim.dynamicLossScale(1024);
 * let state = scaling.init();
 * const gradients = scaling.unscale(state, grad((w) => scaling.scale(state, np.square(w)))(np.array(3)));
 * gradients // 6
 * state = scaling.adjust(state, optim.allFinite([gradients, Infinity]));
 * state // { lossScale: 512, counter: 0 }
 */
export function dynamicLossScale(
  lossScale: ArrayLike = 2 ** 15,
  ...rest: Rest<[number, number, ArrayLike], DynamicLossScaleOptions>
): LossScale<DynamicLossScaleState> {
  const names = ["period", "factor", "minLossScale"] as const;
  const given = readOptions<DynamicLossScaleOptions>("optim.dynamicLossScale", names, 3, rest);
  const { period = 2000, factor = 2, minLossScale = 1 } = given;
  if (!(period >= 1 && factor > 1))
    throw new ArgumentError("LossScale", {
      what: `optim.dynamicLossScale: period is ${period}, factor is ${factor}`,
      why: "the scale grows by the factor after that many steps, and shrinks by it",
      fix: "pass a period of at least 1 and a factor above 1",
    });
  return {
    init: () => ({ lossScale: strong(lossScale), counter: zeroCount() }),
    scale: scaled,
    unscale: unscaled,
    adjust: ({ lossScale, counter }, gradsFinite) => {
      const grown = np.multiply(lossScale, factor);
      const larger = np.where(np.isfinite(grown), grown, lossScale);
      const whenFinite = np.where(np.equal(counter, period - 1), larger, lossScale);
      const smaller = np.maximum(minLossScale, np.divide(lossScale, factor));
      const next = np.where(gradsFinite, whenFinite, smaller);
      return {
        lossScale: np.astype(next, np.asarray(lossScale).dtype),
        counter: np.where(gradsFinite, np.remainder(np.add(counter, 1), period), 0),
      };
    },
  };
}

/** An array of a dtype of its own: a number would be weakly typed, and half precision would not become float32. */
const strong = (x: ArrayLike): NDArray => (typeof x === "number" ? np.array(x, { dtype: "float32" }) : np.asarray(x));
