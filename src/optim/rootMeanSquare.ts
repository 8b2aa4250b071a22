/** Transformations that divide updates by the root of a running sum or mean of squares; and Rprop. */
import type { ArrayLike } from "../core/arrayMethods.ts";
import type { NDArray } from "../core/ndarray.ts";
import { readOptions } from "../lax/arguments.ts";
import * as lax from "../lax/index.ts";
import * as np from "../numpy/index.ts";
import { type GradientTransformation, type Rest, mapLeaves, safeIncrement, zeroCount } from "./base.ts";
import {
  absoluteSquare,
  biasCorrection,
  fullLike,
  mul,
  updateMoment,
  updateMomentPerElemNorm,
  zerosLike,
} from "./treeMath.ts";

export interface RmsOptions {
  /** Decay of the mean of squares. Default 0.9. */
  readonly decay?: ArrayLike;
  /** Keeps the denominator from zero. Default 1e-8. */
  readonly eps?: ArrayLike;
  /** What the mean of squares starts with. Default 0. */
  readonly initialScale?: ArrayLike;
  /** Add eps inside the root (default) or after it. */
  readonly epsInSqrt?: boolean;
  /** Correct for having started at zero. Default false. */
  readonly biasCorrection?: boolean;
}
export const rmsNames = ["decay", "eps", "initialScale", "epsInSqrt", "biasCorrection"] as const;
export type RmsRest = Rest<[ArrayLike, ArrayLike, ArrayLike, boolean, boolean], RmsOptions>;

export interface RmsState<P> {
  /** Only with `biasCorrection`. */
  readonly count?: NDArray;
  readonly nu: P;
}

/** 1 / √(v + eps), or 1 / (√v + eps). */
const inverseRoot = (v: NDArray, eps: ArrayLike, epsInSqrt: boolean): NDArray =>
  epsInSqrt ? lax.rsqrt(np.add(v, eps)) : np.divide(1, np.add(np.sqrt(v), eps));

/**
 * Divides updates by the root of a running mean of their squares (Hinton, 2012).
 *
 * @param rest `decay`, `eps`, `initialScale`, `epsInSqrt`, `biasCorrection`.
 * @example
 * optim.scaleByRms({ decay: 0, eps: 0 }).update([4], { nu: [0] })[0] // [1]
 */
export function scaleByRms<P>(...rest: RmsRest): GradientTransformation<P, RmsState<P>> {
  const given = readOptions<RmsOptions>("optim.scaleByRms", rmsNames, 5, rest);
  const { decay = 0.9, eps = 1e-8, initialScale = 0, epsInSqrt = true, biasCorrection: corrected = false } = given;
  return {
    init: (params) => ({ ...(corrected && { count: zeroCount() }), nu: fullLike(params, initialScale) }),
    update: (updates, state) => {
      const nu = updateMomentPerElemNorm(updates, state.nu, decay, 2);
      const count = state.count && safeIncrement(state.count);
      const size = count ? biasCorrection(nu, decay, count) : nu;
      const scaled = mapLeaves((v, g) => np.multiply(inverseRoot(v, eps, epsInSqrt), g), size, updates);
      return [scaled, { ...(count && { count }), nu }];
    },
  };
}

export interface StddevState<P> extends RmsState<P> {
  readonly mu: P;
}
/** Divides updates by a running standard deviation (Graves, 2013). @example optim.scaleByStddev().init([0]).nu // [0] */
export function scaleByStddev<P>(...rest: RmsRest): GradientTransformation<P, StddevState<P>> {
  const given = readOptions<RmsOptions>("optim.scaleByStddev", rmsNames, 5, rest);
  const { decay = 0.9, eps = 1e-8, initialScale = 0, epsInSqrt = true, biasCorrection: corrected = false } = given;
  return {
    init: (params) => ({
      ...(corrected && { count: zeroCount() }),
      mu: zerosLike(params),
      nu: fullLike(params, initialScale),
    }),
    update: (updates, state) => {
      const mu = updateMoment(updates, state.mu, decay, 1);
      const nu = updateMomentPerElemNorm(updates, state.nu, decay, 2);
      const count = state.count && safeIncrement(state.count);
      const unbiased = (moment: P): P => (count ? biasCorrection(moment, decay, count) : moment);
      const scaled = mapLeaves(
        (m, v, g) => np.multiply(inverseRoot(np.subtract(v, absoluteSquare(m)), eps, epsInSqrt), g),
        unbiased(mu),
        unbiased(nu),
        updates,
      );
      return [scaled, { ...(count && { count }), mu, nu }];
    },
  };
}

export interface RssState<P> {
  readonly sumOfSquares: P;
}
export interface RssOptions {
  readonly initialAccumulatorValue?: ArrayLike;
  readonly eps?: ArrayLike;
}
/**
 * Divides updates by the root of the sum of all their squares (Duchi et al., 2011).
 *
 * @param rest `initialAccumulatorValue` (default 0.1), `eps` (default 1e-7, inside the root).
 * @example
 * optim.scaleByRss({ eps: 0 }).update([4], { sumOfSquares: [9] })[0] // [0.8]
 */
export function scaleByRss<P>(
  ...rest: Rest<[ArrayLike, ArrayLike], RssOptions>
): GradientTransformation<P, RssState<P>> {
  const names = ["initialAccumulatorValue", "eps"] as const;
  const given = readOptions<RssOptions>("optim.scaleByRss", names, 2, rest);
  const { initialAccumulatorValue = 0.1, eps = 1e-7 } = given;
  return {
    init: (params) => ({ sumOfSquares: fullLike(params, initialAccumulatorValue) }),
    update: (updates, state) => {
      const sumOfSquares = mapLeaves((g, s) => np.add(absoluteSquare(g), s), updates, state.sumOfSquares);
      const inverse = mapLeaves((s) => np.where(np.greater(s, 0), lax.rsqrt(np.add(s, eps)), 0), sumOfSquares);
      return [mul(inverse, updates), { sumOfSquares }];
    },
  };
}

export interface AdadeltaState<P> {
  readonly eG: P;
  readonly eX: P;
}
export interface AdadeltaScaling {
  readonly rho?: ArrayLike;
  readonly eps?: ArrayLike;
}
/** Scales updates by the ratio of past updates to past gradients (Zeiler, 2012). @example optim.scaleByAdadelta().init([0]).eG // [0] */
export function scaleByAdadelta<P>(
  ...rest: Rest<[ArrayLike, ArrayLike], AdadeltaScaling>
): GradientTransformation<P, AdadeltaState<P>> {
  const given = readOptions<AdadeltaScaling>("optim.scaleByAdadelta", ["rho", "eps"], 2, rest);
  const { rho = 0.9, eps = 1e-6 } = given;
  return {
    init: (params) => ({ eG: zerosLike(params), eX: zerosLike(params) }),
    update: (updates, state) => {
      const eG = updateMoment(updates, state.eG, rho, 2);
      const root = (x: NDArray): NDArray => np.sqrt(np.add(x, eps));
      const scaled = mapLeaves((g, s, x) => np.multiply(np.divide(root(x), root(s)), g), updates, eG, state.eX);
      return [scaled, { eG, eX: updateMoment(scaled, state.eX, rho, 2) }];
    },
  };
}

export interface RpropState<P> {
  readonly stepSizes: P;
  readonly prevUpdates: P;
}
export interface RpropOptions {
  readonly etaMinus?: ArrayLike;
  readonly etaPlus?: ArrayLike;
  readonly minStepSize?: ArrayLike;
  readonly maxStepSize?: ArrayLike;
}
export const rpropNames = ["etaMinus", "etaPlus", "minStepSize", "maxStepSize"] as const;
export type RpropRest = Rest<[ArrayLike, ArrayLike, ArrayLike, ArrayLike], RpropOptions>;
/** Steps that grow while the gradient keeps its sign (Riedmiller and Braun, 1993). @example optim.scaleByRprop(0.1).init([0]).stepSizes // [0.1] */
export function scaleByRprop<P>(learningRate: ArrayLike, ...rest: RpropRest): GradientTransformation<P, RpropState<P>> {
  const given = readOptions<RpropOptions>("optim.scaleByRprop", rpropNames, 4, rest);
  const { etaMinus = 0.5, etaPlus = 1.2, minStepSize = 1e-6, maxStepSize = 50 } = given;
  const resized = (agreement: NDArray, step: NDArray): NDArray => {
    const next = np.multiply(step, np.where(np.greater(agreement, 0), etaPlus, etaMinus));
    return np.where(np.equal(agreement, 0), step, np.clip(next, minStepSize, maxStepSize));
  };
  // Where the sign has changed there is no step, and the gradient is forgotten.
  const unlessTurned = (agreement: NDArray, x: NDArray): NDArray => np.where(np.less(agreement, 0), 0, x);
  return {
    init: (params) => ({ stepSizes: fullLike(params, learningRate), prevUpdates: zerosLike(params) }),
    update: (updates, state) => {
      const agreement = mul(updates, state.prevUpdates);
      const stepSizes = mapLeaves((a, s) => resized(a, s), agreement, state.stepSizes);
      const prevUpdates = mapLeaves(
        (a, g, s) => unlessTurned(a, np.multiply(s, np.sign(g))),
        agreement,
        updates,
        stepSizes,
      );
      return [prevUpdates, { stepSizes, prevUpdates }];
    },
  };
}
