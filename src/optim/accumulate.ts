/** Transformations that remember a running sum or mean of updates. */
import type { ArrayLike } from "../core/arrayMethods.ts";
import type { NDArray } from "../core/ndarray.ts";
import { readOptions } from "../lax/arguments.ts";
import * as np from "../numpy/index.ts";
import * as random from "../random/index.ts";
import {
  type AccumulatorDType,
  type GradientTransformation,
  type Rest,
  mapLeaves,
  safeIncrement,
  zeroCount,
} from "./base.ts";
import { addScale, biasCorrection, cast, randomLike, updateMoment, zerosLike } from "./treeMath.ts";

export interface TraceOptions {
  /** Look one step ahead (Nesterov, 1983). Default false. */
  readonly nesterov?: boolean;
  readonly accumulatorDtype?: AccumulatorDType;
}
export interface TraceState<P> {
  readonly trace: P;
}
/**
 * Momentum: t ← g + decay·t.
 *
 * @param rest `nesterov`, `accumulatorDtype`.
 * @example
 * optim.trace(0.5).update([1], { trace: [4] })[0] // [3]
 */
export function trace<P>(
  decay: ArrayLike,
  ...rest: Rest<[boolean, AccumulatorDType], TraceOptions>
): GradientTransformation<P, TraceState<P>> {
  const names = ["nesterov", "accumulatorDtype"] as const;
  const { nesterov = false, accumulatorDtype } = readOptions<TraceOptions>("optim.trace", names, 2, rest);
  const push = (updates: P, t: P): P => mapLeaves((g, s) => np.add(g, np.multiply(decay, s)), updates, t);
  return {
    init: (params) => ({ trace: zerosLike(params, accumulatorDtype) }),
    update: (updates, state) => {
      const next = push(updates, state.trace);
      return [nesterov ? push(updates, next) : next, { trace: cast(next, accumulatorDtype) }];
    },
  };
}

export interface EmaOptions {
  /** Correct for having started at zero. Default true. */
  readonly debias?: boolean;
  readonly accumulatorDtype?: AccumulatorDType;
}
export interface EmaState<P> {
  readonly count: NDArray;
  readonly ema: P;
}
/**
 * A running mean: m ← (1 − decay)·g + decay·m.
 *
 * @param rest `debias`, `accumulatorDtype`.
 * @example
 * optim.ema(0.5, { debias: false }).update([2], { count: 0, ema: [4] })[0] // [3]
 */
export function ema<P>(
  decay: ArrayLike,
  ...rest: Rest<[boolean, AccumulatorDType], EmaOptions>
): GradientTransformation<P, EmaState<P>> {
  const names = ["debias", "accumulatorDtype"] as const;
  const { debias = true, accumulatorDtype } = readOptions<EmaOptions>("optim.ema", names, 2, rest);
  return {
    init: (params) => ({ count: zeroCount(), ema: zerosLike(params, accumulatorDtype) }),
    update: (updates, state) => {
      const mean = updateMoment(updates, state.ema, decay, 1);
      const count = safeIncrement(state.count);
      return [debias ? biasCorrection(mean, decay, count) : mean, { count, ema: cast(mean, accumulatorDtype) }];
    },
  };
}

export interface ApplyEveryState<P> {
  readonly count: NDArray;
  readonly gradAcc: P;
}
/**
 * Gives the sum of the last `k` updates every k steps, and zeros in between.
 *
 * @param rest `k` (default 1).
 * @example
 * optim.applyEvery(2).update([3], { count: 1, gradAcc: [4] })[0] // [7]
 */
export function applyEvery<P>(
  ...rest: Rest<[number], { readonly k?: number }>
): GradientTransformation<P, ApplyEveryState<P>> {
  const { k = 1 } = readOptions<{ k: number }>("optim.applyEvery", ["k"], 1, rest);
  return {
    init: (params) => ({ count: zeroCount(), gradAcc: zerosLike(params) }),
    update: (updates, state) => {
      const place = np.remainder(state.count, k);
      const going = np.notEqual(place, 0);
      const sum = mapLeaves((g, s) => np.add(np.where(going, s, 0), g), updates, state.gradAcc);
      const due = np.equal(place, k - 1);
      const emitted = mapLeaves((s) => np.where(due, s, 0), sum);
      return [emitted, { count: np.remainder(safeIncrement(state.count), k), gradAcc: sum }];
    },
  };
}

export interface AddNoiseState {
  readonly count: NDArray;
  readonly rngKey: NDArray;
}
/**
 * Adds normal noise of variance eta / (1 + steps)^gamma (Neelakantan et al., 2015).
 *
 * @example
 * optim.addNoise(0.01, 0.55, random.key(0)).init([1]).count // 0
 */
export const addNoise = <P>(
  eta: ArrayLike,
  gamma: ArrayLike,
  key: NDArray,
): GradientTransformation<P, AddNoiseState> => ({
  init: () => ({ count: zeroCount(), rngKey: key }),
  update: (updates, state) => {
    const count = safeIncrement(state.count);
    const deviation = np.sqrt(np.divide(eta, np.power(np.astype(count, "float32"), gamma)));
    const keys = random.split(state.rngKey);
    const noise = randomLike(np.take(keys, 1, { axis: 0 }), updates);
    return [addScale(updates, deviation, noise), { count, rngKey: np.take(keys, 0, { axis: 0 }) }];
  },
});

export interface OptimisticState<P> {
  readonly isInitialStep: NDArray;
  readonly previousGradient: P;
}
export interface OptimisticOptions {
  readonly alpha?: ArrayLike;
  readonly beta?: ArrayLike;
}
/** (alpha + beta)·g − beta·(the g before) (Mokhtari et al., 2019). @example optim.scaleByOptimisticGradient().update([3], { isInitialStep: false, previousGradient: [2] })[0] // [4] */
export function scaleByOptimisticGradient<P>(
  ...rest: Rest<[ArrayLike, ArrayLike], OptimisticOptions>
): GradientTransformation<P, OptimisticState<P>> {
  const names = ["alpha", "beta"] as const;
  const { alpha = 1, beta = 1 } = readOptions<OptimisticOptions>("optim.scaleByOptimisticGradient", names, 2, rest);
  const both = typeof alpha === "number" && typeof beta === "number" ? alpha + beta : np.add(alpha, beta);
  return {
    init: (params) => ({ isInitialStep: np.ones([], "bool"), previousGradient: zerosLike(params) }),
    update: (updates, state) => {
      const next = mapLeaves(
        (g, h) => np.subtract(np.multiply(both, g), np.multiply(beta, np.where(state.isInitialStep, g, h))),
        updates,
        state.previousGradient,
      );
      return [next, { isInitialStep: np.zeros([], "bool"), previousGradient: updates }];
    },
  };
}
