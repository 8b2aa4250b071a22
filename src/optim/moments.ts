/**
 * Adam and its kin: updates divided by a running estimate of their size. `mu` is the running mean of gradients, `nu`
 * that of their squares.
 */
import type { ArrayLike } from "../core/arrayMethods.ts";
import type { NDArray } from "../core/ndarray.ts";
import { ArgumentError } from "../core/problem.ts";
import { readOptions } from "../lax/arguments.ts";
import * as np from "../numpy/index.ts";
import {
  type AccumulatorDType,
  type GradientTransformation,
  type Rest,
  mapLeaves,
  oneMinus,
  requireParams,
  safeIncrement,
  zeroCount,
} from "./base.ts";
import {
  absoluteSquare,
  addScale,
  biasCorrection,
  cast,
  castLike,
  div,
  fullLike,
  sub,
  updateInfinityMoment,
  updateMoment,
  updateMomentPerElemNorm,
  where,
  zerosLike,
} from "./treeMath.ts";

export interface MomentState<P> {
  readonly count: NDArray;
  readonly mu: P;
  readonly nu: P;
}
export interface AdamOptions {
  /** Decay of the mean. Default 0.9. */
  readonly b1?: ArrayLike;
  /** Decay of the mean of squares. Default 0.999. */
  readonly b2?: ArrayLike;
  /** Added to the denominator. Default 1e-8. */
  readonly eps?: ArrayLike;
  /** Added inside the root. Default 0. */
  readonly epsRoot?: ArrayLike;
  /** The dtype of the mean; default that of the parameters. */
  readonly muDtype?: AccumulatorDType;
  /** Look one step ahead (Dozat, 2016). Default false. */
  readonly nesterov?: boolean;
}
export const adamNames = ["b1", "b2", "eps", "epsRoot", "muDtype", "nesterov"] as const;
export type AdamRest = Rest<[ArrayLike, ArrayLike, ArrayLike, ArrayLike, AccumulatorDType], AdamOptions>;

const freshMoments = <P>(params: P, muDtype?: AccumulatorDType): MomentState<P> => ({
  count: zeroCount(),
  mu: zerosLike(params, muDtype),
  nu: zerosLike(params),
});

/** m / (√(v + epsRoot) + eps). */
const divideByRoot = <P>(mu: P, nu: P, eps: ArrayLike, epsRoot: ArrayLike): P =>
  mapLeaves((m, v) => np.divide(m, np.add(np.sqrt(epsRoot === 0 ? v : np.add(v, epsRoot)), eps)), mu, nu);

/** The corrected mean; with `nesterov`, that of the next step. */
function correctedMean<P>(mu: P, updates: P, b1: ArrayLike, count: NDArray, nesterov: boolean): P {
  if (!nesterov) return biasCorrection(mu, b1, count);
  return mapLeaves(
    (m, g) => np.add(np.multiply(b1, m), np.multiply(oneMinus(b1), g)),
    biasCorrection(mu, b1, safeIncrement(count)),
    biasCorrection(updates, b1, count),
  );
}

/**
 * Adam's scaling (Kingma and Ba, 2014): m̂ / (√(v̂ + epsRoot) + eps), with m and v the running means of g and g².
 *
 * @param rest `b1`, `b2`, `eps`, `epsRoot`, `muDtype`, `nesterov`.
 * @example
 * optim.scaleByAdam({ eps: 0 }).update([4], optim.scaleByAdam().init([0]))[0] // [1]
 */
export function scaleByAdam<P>(...rest: AdamRest): GradientTransformation<P, MomentState<P>> {
  const given = readOptions<AdamOptions>("optim.scaleByAdam", adamNames, 5, rest);
  const { b1 = 0.9, b2 = 0.999, eps = 1e-8, epsRoot = 0, muDtype, nesterov = false } = given;
  return {
    init: (params) => freshMoments(params, muDtype),
    update: (updates, state) => {
      const mu = updateMoment(updates, state.mu, b1, 1);
      const nu = updateMomentPerElemNorm(updates, state.nu, b2, 2);
      const count = safeIncrement(state.count);
      const mean = correctedMean(mu, updates, b1, count, nesterov);
      const scaled = divideByRoot(mean, biasCorrection(nu, b2, count), eps, epsRoot);
      return [scaled, { count, mu: cast(mu, muDtype), nu: castLike(nu, state.nu) }];
    },
  };
}

export interface AmsgradState<P> extends MomentState<P> {
  readonly nuMax: P;
}
export interface AmsgradOptions extends Omit<AdamOptions, "nesterov"> {
  readonly biasCorrectionMu?: boolean;
  readonly biasCorrectionNu?: boolean;
}
export const amsgradNames = ["b1", "b2", "eps", "epsRoot", "muDtype", "biasCorrectionMu", "biasCorrectionNu"] as const;
/** Adam's scaling by the greatest v̂ so far (Reddi et al., 2018). @example optim.scaleByAmsgrad({ eps: 0 }).update([4], optim.scaleByAmsgrad().init([0]))[0] // [1] */
export function scaleByAmsgrad<P>(
  ...rest: Rest<[ArrayLike, ArrayLike, ArrayLike, ArrayLike, AccumulatorDType], AmsgradOptions>
): GradientTransformation<P, AmsgradState<P>> {
  const given = readOptions<AmsgradOptions>("optim.scaleByAmsgrad", amsgradNames, 7, rest);
  const { b1 = 0.9, b2 = 0.999, eps = 1e-8, epsRoot = 0, muDtype } = given;
  return {
    init: (params) => ({ ...freshMoments(params, muDtype), nuMax: zerosLike(params) }),
    update: (updates, state) => {
      const mu = updateMoment(updates, state.mu, b1, 1);
      const nu = updateMomentPerElemNorm(updates, state.nu, b2, 2);
      const count = safeIncrement(state.count);
      const mean = given.biasCorrectionMu === false ? mu : biasCorrection(mu, b1, count);
      const size = given.biasCorrectionNu === false ? nu : biasCorrection(nu, b2, count);
      const nuMax = mapLeaves((a, b) => np.maximum(a, b), state.nuMax, size);
      return [divideByRoot(mean, nuMax, eps, epsRoot), { count, mu: cast(mu, muDtype), nu, nuMax }];
    },
  };
}

export type DecayRest = Rest<[ArrayLike, ArrayLike, ArrayLike], Pick<AdamOptions, "b1" | "b2" | "eps">>;
export const decayNames = ["b1", "b2", "eps"] as const;
/** Adam with the greatest decayed |g| in place of the root (Kingma and Ba, 2014). @example optim.scaleByAdamax({ eps: 0 }).update([4], optim.scaleByAdamax().init([0]))[0] // [1] */
export function scaleByAdamax<P>(...rest: DecayRest): GradientTransformation<P, MomentState<P>> {
  const { b1 = 0.9, b2 = 0.999, eps = 1e-8 } = readOptions<AdamOptions>("optim.scaleByAdamax", decayNames, 3, rest);
  return {
    init: (params) => freshMoments(params),
    update: (updates, state) => {
      const count = safeIncrement(state.count);
      const mu = updateMoment(updates, state.mu, b1, 1);
      const nu = updateInfinityMoment(updates, state.nu, b2, eps);
      return [div(biasCorrection(mu, b1, count), nu), { count, mu, nu }];
    },
  };
}

export type BeliefOptions = Omit<AdamOptions, "muDtype">;
export const beliefNames = ["b1", "b2", "eps", "epsRoot", "nesterov"] as const;
/** Adam with the running mean of (g − m)² (Zhuang et al., 2020). @example optim.scaleByBelief().init([0]).count // 0 */
export function scaleByBelief<P>(
  ...rest: Rest<[ArrayLike, ArrayLike, ArrayLike, ArrayLike], BeliefOptions>
): GradientTransformation<P, MomentState<P>> {
  const given = readOptions<BeliefOptions>("optim.scaleByBelief", beliefNames, 4, rest);
  const { b1 = 0.9, b2 = 0.999, eps = 1e-16, epsRoot = 1e-16, nesterov = false } = given;
  return {
    init: (params) => freshMoments(params),
    update: (updates, state) => {
      const mu = updateMoment(updates, state.mu, b1, 1);
      const surprise = updateMomentPerElemNorm(sub(updates, mu), state.nu, b2, 2);
      const nu = mapLeaves((v) => np.add(v, epsRoot), surprise);
      const count = safeIncrement(state.count);
      const mean = correctedMean(mu, updates, b1, count, nesterov);
      return [divideByRoot(mean, biasCorrection(nu, b2, count), eps, 0), { count, mu, nu }];
    },
  };
}

export interface YogiOptions extends Pick<AdamOptions, "b1" | "b2" | "eps" | "epsRoot"> {
  readonly initialAccumulatorValue?: ArrayLike;
}
/** Adam whose v moves toward g² by steps that do not depend on the distance (Zaheer et al., 2018). @example optim.scaleByYogi().init([0]).count // 0 */
export function scaleByYogi<P>(
  ...rest: Rest<[ArrayLike, ArrayLike, ArrayLike, ArrayLike, ArrayLike], YogiOptions>
): GradientTransformation<P, MomentState<P>> {
  const names = ["b1", "b2", "eps", "epsRoot", "initialAccumulatorValue"] as const;
  const given = readOptions<YogiOptions>("optim.scaleByYogi", names, 5, rest);
  const { b1 = 0.9, b2 = 0.999, eps = 1e-3, epsRoot = 0, initialAccumulatorValue = 1e-6 } = given;
  return {
    init: (params) => ({
      count: zeroCount(),
      mu: fullLike(params, initialAccumulatorValue),
      nu: fullLike(params, initialAccumulatorValue),
    }),
    update: (updates, state) => {
      const mu = updateMoment(updates, state.mu, b1, 1);
      const nu = mapLeaves(
        (g, v) => {
          const square = absoluteSquare(g);
          const step = np.multiply(np.multiply(oneMinus(b2), np.sign(np.subtract(v, square))), square);
          return np.subtract(v, step);
        },
        updates,
        state.nu,
      );
      const count = safeIncrement(state.count);
      const mean = biasCorrection(mu, b1, count);
      return [divideByRoot(mean, biasCorrection(nu, b2, count), eps, epsRoot), { count, mu, nu }];
    },
  };
}

export interface RadamOptions extends Omit<AdamOptions, "muDtype"> {
  /** From which length of the average on the variance is trusted. Default 5. */
  readonly threshold?: number;
}
export const radamNames = ["b1", "b2", "eps", "epsRoot", "threshold", "nesterov"] as const;
/** Adam that scales only once the variance can be trusted (Liu et al., 2020). @example optim.scaleByRadam().init([0]).count // 0 */
export function scaleByRadam<P>(
  ...rest: Rest<[ArrayLike, ArrayLike, ArrayLike, ArrayLike, number], RadamOptions>
): GradientTransformation<P, MomentState<P>> {
  const given = readOptions<RadamOptions>("optim.scaleByRadam", radamNames, 5, rest);
  const { b1 = 0.9, b2 = 0.999, eps = 1e-8, epsRoot = 0, threshold = 5, nesterov = false } = given;
  const longest = longestAverage(b2);
  return {
    init: (params) => freshMoments(params),
    update: (updates, state) => {
      const mu = updateMoment(updates, state.mu, b1, 1);
      const nu = updateMomentPerElemNorm(updates, state.nu, b2, 2);
      const count = safeIncrement(state.count);
      const length = averageLength(b2, count, longest);
      const mean = correctedMean(mu, updates, b1, count, nesterov);
      const rectified = rectifier(length, longest);
      const scaled = divideByRoot(mean, biasCorrection(nu, b2, count), eps, epsRoot);
      const trusted = np.greaterEqual(length, threshold);
      const result = mapLeaves(
        (s, m) => np.where(trusted, np.multiply(np.astype(rectified, np.asarray(s).dtype), s), m),
        scaled,
        mean,
      );
      return [result, { count, mu, nu }];
    },
  };
}
/** The length of the average in the limit, 2/(1 − b2) − 1. */
const longestAverage = (b2: ArrayLike): ArrayLike =>
  typeof b2 === "number" ? 2 / (1 - b2) - 1 : np.subtract(np.divide(2, np.subtract(1, b2)), 1);

/**
 * The length of the average after t steps, ρ = ρ∞ − 2 t b2^t / (1 − b2^t).
 *
 * Both terms are thousands where ρ is still a few, so with L = −log b2 and x = t L it is written as
 * (ρ∞ − 2/L) + (2/L)(1 − x / (eˣ − 1)), and the last factor as its series where x is small.
 */
function averageLength(b2: ArrayLike, count: NDArray, longest: ArrayLike): NDArray {
  const rate = typeof b2 === "number" ? -Math.log(b2) : np.negative(np.log(b2));
  const span = typeof rate === "number" ? 2 / rate : np.divide(2, rate);
  const offset = typeof longest === "number" && typeof span === "number" ? longest - span : np.subtract(longest, span);
  const x = np.multiply(count, rate);
  const square = np.square(x);
  const series = [1 / 1209600, -1 / 30240, 1 / 720, -1 / 12].reduce<NDArray>(
    (sum, c) => np.multiply(np.add(sum, c), square),
    np.zerosLike(x),
  );
  const small = np.add(np.divide(x, 2), series);
  const large = np.subtract(1, np.divide(x, np.expm1(x)));
  return np.add(offset, np.multiply(span, np.where(np.less(x, 1), small, large)));
}
/** √((ρ − 4)(ρ − 2) ρ∞ / ((ρ∞ − 4)(ρ∞ − 2) ρ)). */
function rectifier(length: NDArray, longest: ArrayLike): NDArray {
  const product = (x: ArrayLike): NDArray => np.multiply(np.subtract(x, 4), np.subtract(x, 2));
  const numerator = np.multiply(product(length), longest);
  return np.sqrt(np.divide(numerator, np.multiply(product(longest), length)));
}

export interface LionState<P> {
  readonly count: NDArray;
  readonly mu: P;
}
export interface LionOptions {
  readonly b1?: ArrayLike;
  readonly b2?: ArrayLike;
  readonly muDtype?: AccumulatorDType;
  /** `"hard"` (default) takes the sign, `"smooth"` a tanh, `"refined"` the value itself between −1 and 1. */
  readonly mode?: "hard" | "smooth" | "refined";
  readonly smoothBeta?: number;
}
/** The sign of a mean of gradients (Chen et al., 2023). @example optim.scaleByLion().update([-4], optim.scaleByLion().init([0]))[0] // [-1] */
export function scaleByLion<P>(
  ...rest: Rest<[ArrayLike, ArrayLike, AccumulatorDType], LionOptions>
): GradientTransformation<P, LionState<P>> {
  const names = ["b1", "b2", "muDtype", "mode", "smoothBeta"] as const;
  const given = readOptions<LionOptions>("optim.scaleByLion", names, 3, rest);
  const { b1 = 0.9, b2 = 0.99, muDtype, mode = "hard", smoothBeta = 1 } = given;
  return {
    init: (params) => ({ count: zeroCount(), mu: zerosLike(params, muDtype) }),
    update: (updates, state) => {
      const mean = updateMoment(updates, state.mu, b1, 1);
      const mu = cast(updateMoment(updates, state.mu, b2, 1), muDtype);
      return [mapLeaves((x) => direction(x, mode, smoothBeta), mean), { count: safeIncrement(state.count), mu }];
    },
  };
}

function direction(x: NDArray, mode: string, beta: number): NDArray {
  if (mode === "hard") return np.sign(x);
  if (mode === "smooth") return np.tanh(np.multiply(beta, x));
  if (mode === "refined") return np.where(np.less(np.abs(x), 1), x, np.sign(x));
  throw new ArgumentError("LionMode", {
    what: `optim.scaleByLion: there is no mode ${JSON.stringify(mode)}`,
    why: "the mode says how a mean of gradients becomes a direction",
    fix: 'use "hard", "smooth" or "refined"',
  });
}

export interface AdanState<P> {
  readonly m: P;
  readonly v: P;
  readonly n: P;
  readonly g: P;
  readonly t: NDArray;
}
export interface AdanOptions {
  readonly b1?: number;
  readonly b2?: number;
  readonly b3?: number;
  readonly eps?: ArrayLike;
  readonly epsRoot?: ArrayLike;
}
/** Adam with a running mean of the gradients' differences (Xie et al., 2022). @example optim.scaleByAdan().init([0]).t // 0 */
export function scaleByAdan<P>(
  ...rest: Rest<[number, number, number, ArrayLike, ArrayLike], AdanOptions>
): GradientTransformation<P, AdanState<P>> {
  const names = ["b1", "b2", "b3", "eps", "epsRoot"] as const;
  const given = readOptions<AdanOptions>("optim.scaleByAdan", names, 5, rest);
  const { b1 = 0.98, b2 = 0.92, b3 = 0.99, eps = 1e-8, epsRoot = 0 } = given;
  return {
    init: (params) => {
      const zero = zerosLike(params);
      return { m: zero, v: zero, n: zero, g: zero, t: zeroCount() };
    },
    update: (g, state) => {
      const change = where(np.equal(state.t, 0), zerosLike(g), sub(g, state.g));
      const m = updateMoment(g, state.m, b1, 1);
      const v = updateMoment(change, state.v, b2, 1);
      const n = updateMomentPerElemNorm(addScale(g, 1 - b2, change), state.n, b3, 2);
      const t = safeIncrement(state.t);
      const u = addScale(biasCorrection(m, b1, t), 1 - b2, biasCorrection(v, b2, t));
      return [divideByRoot(u, biasCorrection(n, b3, t), eps, epsRoot), { m, v, n, g, t }];
    },
  };
}

export interface NovogradOptions extends Pick<AdamOptions, "b1" | "b2" | "eps" | "epsRoot" | "muDtype"> {
  readonly weightDecay?: number;
}
/** Gradients divided by a running norm for each array (Ginsburg et al., 2019). @example optim.scaleByNovograd().init([0]).count // 0 */
export function scaleByNovograd<P>(
  ...rest: Rest<[ArrayLike, ArrayLike, ArrayLike, ArrayLike, number], NovogradOptions>
): GradientTransformation<P, MomentState<P>> {
  const names = ["b1", "b2", "eps", "epsRoot", "weightDecay", "muDtype"] as const;
  const given = readOptions<NovogradOptions>("optim.scaleByNovograd", names, 6, rest);
  const { b1 = 0.9, b2 = 0.25, eps = 1e-8, epsRoot = 0, weightDecay = 0, muDtype } = given;
  return {
    init: (params) => ({
      count: zeroCount(),
      mu: zerosLike(params, muDtype),
      nu: mapLeaves((p) => np.zeros([], np.asarray(p).dtype), params),
    }),
    update: (updates, state, params) => {
      const count = safeIncrement(state.count);
      const first = np.equal(count, 1);
      const squares = mapLeaves((g) => np.sum(absoluteSquare(g)), updates);
      const nu = where(first, squares, updateMoment(squares, state.nu, b2, 1));
      const step = mapLeaves(
        (g, p, v) => np.add(np.divide(g, np.add(np.sqrt(np.add(v, epsRoot)), eps)), np.multiply(weightDecay, p)),
        updates,
        requireParams("scaleByNovograd", params),
        nu,
      );
      const mu = where(
        first,
        step,
        mapLeaves((m, s) => np.add(np.multiply(b1, m), s), state.mu, step),
      );
      return [mu, { count, mu: cast(mu, muDtype), nu }];
    },
  };
}
