/** Smaller steps once the loss has stopped to fall. */
import type { ArrayLike } from "../core/arrayMethods.ts";
import { type DType, isFloat } from "../core/dtype.ts";
import type { NDArray } from "../core/ndarray.ts";
import { ArgumentError } from "../core/problem.ts";
import { readOptions } from "../lax/arguments.ts";
import * as np from "../numpy/index.ts";
import {
  type GradientTransformationExtraArgs,
  type Rest,
  mapLeaves,
  requireExtra,
  safeIncrement,
  zeroCount,
} from "./base.ts";
import { castLike, dtype as dtypeOfTree, where } from "./treeMath.ts";

export interface ReduceOnPlateauOptions {
  /** What the scale is multiplied by. Default 0.1. */
  readonly factor?: number;
  /** How many means without improvement are waited for. Default 10. */
  readonly patience?: ArrayLike;
  /** How much better than the best a loss must be, relatively (default 1e-4) and absolutely (default 0). */
  readonly rtol?: number;
  readonly atol?: number;
  /** How many means are left out after a reduction. Default 0. */
  readonly cooldown?: ArrayLike;
  /** How many losses are averaged. Default 1. */
  readonly accumulationSize?: ArrayLike;
  /** The least scale. Default 0. */
  readonly minScale?: ArrayLike;
}
export interface ReduceOnPlateauState {
  readonly scale: NDArray;
  readonly bestValue: NDArray;
  /** The number of means since the best one. */
  readonly plateauCount: NDArray;
  /** The number of means that are still left out. */
  readonly cooldownCount: NDArray;
  /** The number of losses in the mean so far, and that mean. */
  readonly count: NDArray;
  readonly avgValue: NDArray;
}

function check(factor: number, rtol: number, atol: number): void {
  const problem =
    factor <= 0 || factor >= 1
      ? `factor is ${factor}`
      : rtol < 0 || atol < 0 || rtol > 1 || (rtol === 0 && atol === 0)
        ? `rtol is ${rtol}, atol is ${atol}`
        : null;
  if (problem === null) return;
  throw new ArgumentError("Plateau", {
    what: `optim.contrib.reduceOnPlateau: ${problem}`,
    why: "a loss has improved if it is below (1 − rtol)·best − atol, and a scale that shrinks is multiplied by less than 1",
    fix: "choose factor between 0 and 1, rtol from 0 to 1 and atol from 0, not both of them 0",
  });
}

/**
 * Multiplies updates by a scale that shrinks whenever the loss has not improved for a while.
 *
 * `update(updates, state, params, { value })`, with the loss of the step.
 *
 * @param rest `factor` (default 0.1), `patience` (10), `rtol` (1e-4), `atol` (0), `cooldown` (0), `accumulationSize` (1),
 *   `minScale` (0).
 * @example
 * const t = optim.contrib.reduceOnPlateau({ factor: 0.5, patience: 1 });
 * const [, state] = t.update([8], t.init([1]), [1], { value: 3 });
 * t.update([8], state, [1], { value: 3 })[0] // [4]
 */
export function reduceOnPlateau<P>(
  ...rest: Rest<[number, ArrayLike, number, number, ArrayLike, ArrayLike, ArrayLike], ReduceOnPlateauOptions>
): GradientTransformationExtraArgs<P, ReduceOnPlateauState, { readonly value: ArrayLike }> {
  const names = ["factor", "patience", "rtol", "atol", "cooldown", "accumulationSize", "minScale"] as const;
  const given = readOptions<ReduceOnPlateauOptions>("optim.contrib.reduceOnPlateau", names, 7, rest);
  const {
    factor = 0.1,
    patience = 10,
    rtol = 1e-4,
    atol = 0,
    cooldown = 0,
    accumulationSize = 1,
    minScale = 0,
  } = given;
  check(factor, rtol, atol);

  /** The state after a mean is complete. */
  const judge = (state: ReduceOnPlateauState): ReduceOnPlateauState => {
    const { avgValue, bestValue, scale, cooldownCount } = state;
    const improved = np.less(avgValue, np.subtract(np.multiply(1 - rtol, bestValue), atol));
    const waited = np.where(improved, 0, safeIncrement(state.plateauCount));
    const cooling = np.greater(cooldownCount, 0);
    const reduce = np.logicalAnd(np.logicalNot(cooling), np.equal(waited, patience));
    const shrunk = np.maximum(np.where(reduce, np.multiply(scale, factor), scale), minScale);
    return {
      scale: np.where(cooling, scale, shrunk),
      bestValue: np.where(improved, avgValue, bestValue),
      plateauCount: np.where(np.logicalOr(cooling, reduce), 0, waited),
      cooldownCount: np.where(cooling, np.subtract(cooldownCount, 1), np.where(reduce, cooldown, 0)),
      count: np.zerosLike(state.count),
      avgValue: np.zerosLike(avgValue),
    };
  };
  return {
    init: (params) => {
      const float = (which: "highest" | "lowest"): DType => {
        const dtype = dtypeOfTree(params, which);
        return isFloat(dtype) ? dtype : "float32";
      };
      return {
        scale: np.ones([], float("lowest")),
        bestValue: np.full([], Infinity, float("highest")),
        plateauCount: zeroCount(),
        cooldownCount: zeroCount(),
        count: zeroCount(),
        avgValue: np.zeros([], float("highest")),
      };
    },
    update: (updates, state, _params, extra) => {
      const { value } = requireExtra("contrib.reduceOnPlateau", extra, ["value"]);
      const count = safeIncrement(state.count);
      const avgValue = np.divide(np.add(np.multiply(state.count, state.avgValue), value), count);
      const gathered = castLike({ ...state, count, avgValue }, state);
      const complete = np.equal(count, accumulationSize);
      const next = where(complete, castLike(judge(gathered), state), gathered);
      return [mapLeaves((g) => np.multiply(next.scale, g), updates), next];
    },
  };
}
