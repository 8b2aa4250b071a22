/** Transformations that scale updates: by a number, a learning rate, norms of the parameters; and clipping. */
import type { ArrayLike } from "../core/arrayMethods.ts";
import type { NDArray } from "../core/ndarray.ts";
import { range } from "../core/shape.ts";
import { readOptions } from "../lax/arguments.ts";
import * as np from "../numpy/index.ts";
import {
  type AnyTransformation,
  type CountState,
  type EmptyState,
  type GradientTransformation,
  type Mask,
  type Rest,
  type ScalarOrSchedule,
  type Schedule,
  identity,
  isSchedule,
  readOptionsOrMask,
  mapLeaves,
  requireParams,
  safeIncrement,
  stateless,
  zeroCount,
} from "./base.ts";
import { maskedIf } from "./combine.ts";
import { absoluteSquare, norm, scale as scaleTree } from "./treeMath.ts";

// ---------------------------------------------------------------- by a number

/** Multiplies updates by a number. @example optim.scale(-2).update([3], {})[0] // [-6] */
export const scale = <P>(stepSize: ArrayLike): GradientTransformation<P, EmptyState> =>
  stateless<P>((updates) => scaleTree(stepSize, updates));

/** Multiplies updates by a schedule's value. @example optim.scaleBySchedule((n) => n).update([3], { count: 2 })[0] // [6] */
export const scaleBySchedule = <P>(stepSizeFn: Schedule): GradientTransformation<P, CountState> => ({
  init: () => ({ count: zeroCount() }),
  update: (updates, { count }) => {
    const stepSize = np.asarray(stepSizeFn(count));
    const scaled = mapLeaves((u) => np.multiply(np.astype(stepSize, np.asarray(u).dtype), u), updates);
    return [scaled, { count: safeIncrement(count) }];
  },
});

/**
 * Multiplies updates by minus the learning rate: the last part of every descent.
 *
 * @param learningRate a number or a schedule; null passes updates through.
 * @param rest `flipSign` (default true).
 * @example
 * optim.scaleByLearningRate(0.5).update([2], {})[0] // [-1]
 */
export function scaleByLearningRate<P>(
  learningRate?: ScalarOrSchedule | null,
  ...rest: readonly [] | readonly [{ readonly flipSign?: boolean }]
): AnyTransformation<P> {
  const { flipSign = true } = readOptions<{ flipSign: boolean }>("optim.scaleByLearningRate", ["flipSign"], 0, rest);
  if (learningRate == null) return identity<P>();
  const signed = (rate: ArrayLike): ArrayLike =>
    !flipSign ? rate : typeof rate === "number" ? -rate : np.negative(rate);
  return isSchedule(learningRate)
    ? scaleBySchedule<P>((count) => signed(learningRate(count)))
    : scale<P>(signed(learningRate));
}

/** The signs of updates. @example optim.scaleBySign().update([-3], {})[0] // [-1] */
export const scaleBySign = <P>(): GradientTransformation<P, EmptyState> =>
  stateless<P>((u) => mapLeaves((x) => np.sign(x), u));

// ---------------------------------------------------------------- by norms of the parameters

const euclidean = (x: NDArray): NDArray => np.sqrt(np.sum(absoluteSquare(x)));
const rootMeanSquare = (x: NDArray): NDArray => np.sqrt(np.mean(absoluteSquare(x)));

/** A norm that is at least `least`, with derivative zero where it is. */
function bounded(size: (x: NDArray) => NDArray, x: NDArray, least: ArrayLike): NDArray {
  const small = np.lessEqual(size(x), least);
  return np.where(small, least, size(np.where(small, 1, x)));
}

/** The Euclidean norm, at least `minNorm`. @example optim.safeNorm(np.array([3, 4]), 1) // 5 */
export const safeNorm = (x: ArrayLike, minNorm: ArrayLike): NDArray => bounded(euclidean, np.asarray(x), minNorm);

/** The root of the mean square, at least `minRms`. @example optim.safeRootMeanSquares(np.array([2, 2]), 1) // 2 */
export const safeRootMeanSquares = (x: ArrayLike, minRms: ArrayLike): NDArray =>
  bounded(rootMeanSquare, np.asarray(x), minRms);

interface MinScale {
  readonly minScale?: ArrayLike;
}
const readMinScale = (name: string, rest: readonly unknown[]): ArrayLike =>
  readOptions<MinScale>(`optim.${name}`, ["minScale"], 1, rest).minScale ?? 1e-3;

/** Multiplies each update by the norm of its parameter. @example optim.scaleByParamBlockNorm().update([1], {}, [np.array([3, 4])])[0] // [5] */
export function scaleByParamBlockNorm<P>(...rest: Rest<[ArrayLike], MinScale>): GradientTransformation<P, EmptyState> {
  const least = readMinScale("scaleByParamBlockNorm", rest);
  return stateless<P>((updates, params) =>
    mapLeaves((u, p) => np.multiply(u, safeNorm(p, least)), updates, requireParams("scaleByParamBlockNorm", params)),
  );
}

/** Multiplies each update by the root mean square of its parameter. @example optim.scaleByParamBlockRms().update([1], {}, [np.array([3, 3])])[0] // [3] */
export function scaleByParamBlockRms<P>(...rest: Rest<[ArrayLike], MinScale>): GradientTransformation<P, EmptyState> {
  const least = readMinScale("scaleByParamBlockRms", rest);
  return stateless<P>((updates, params) =>
    mapLeaves(
      (u, p) => np.multiply(u, safeRootMeanSquares(p, least)),
      updates,
      requireParams("scaleByParamBlockRms", params),
    ),
  );
}

export interface TrustRatioOptions {
  readonly minNorm?: ArrayLike;
  readonly trustCoefficient?: ArrayLike;
  readonly eps?: ArrayLike;
}
/**
 * Multiplies each update by trustCoefficient·‖parameter‖ / (‖update‖ + eps), or by 1 if a norm is zero (You et al., 2017).
 *
 * @param rest `minNorm` (default 0), `trustCoefficient` (default 1), `eps` (default 0).
 * @example
 * optim.scaleByTrustRatio().update([2], {}, [6])[0] // [6]
 */
export function scaleByTrustRatio<P>(
  ...rest: Rest<[ArrayLike, ArrayLike, ArrayLike], TrustRatioOptions>
): GradientTransformation<P, EmptyState> {
  const names = ["minNorm", "trustCoefficient", "eps"] as const;
  const given = readOptions<TrustRatioOptions>("optim.scaleByTrustRatio", names, 3, rest);
  const { minNorm = 0, trustCoefficient = 1, eps = 0 } = given;
  const scaled = (u: NDArray, p: NDArray): NDArray => {
    const [size, step] = [safeNorm(p, minNorm), safeNorm(u, minNorm)];
    const ratio = np.divide(np.multiply(trustCoefficient, size), np.add(step, eps));
    const useless = np.logicalOr(np.equal(size, 0), np.equal(step, 0));
    return np.multiply(u, np.where(useless, 1, ratio));
  };
  return stateless<P>((updates, params) =>
    mapLeaves((u, p) => scaled(u, p), updates, requireParams("scaleByTrustRatio", params)),
  );
}

export interface NormalizeOptions {
  readonly scaleFactor?: ArrayLike;
  readonly eps?: ArrayLike;
}
/** Divides updates by their global norm. @example optim.normalizeByUpdateNorm({ eps: 0 }).update([np.array([3, 4])], {})[0] // [[0.6, 0.8]] */
export function normalizeByUpdateNorm<P>(
  ...rest: Rest<[ArrayLike, ArrayLike], NormalizeOptions>
): GradientTransformation<P, EmptyState> {
  const names = ["scaleFactor", "eps"] as const;
  const given = readOptions<NormalizeOptions>("optim.normalizeByUpdateNorm", names, 2, rest);
  const { scaleFactor = 1, eps = 1e-6 } = given;
  return stateless<P>((updates) => {
    const size = np.divide(np.add(norm(updates), eps), scaleFactor);
    return mapLeaves((u) => np.divide(u, size), updates);
  });
}

/** Subtracts the mean over all axes but the first, from updates with more than one. @example optim.centralize().update([np.array([[1, 3]])], {})[0] // [[[-1, 1]]] */
export const centralize = <P>(): GradientTransformation<P, EmptyState> =>
  stateless<P>((updates) =>
    mapLeaves((u) => {
      const axis = range(np.ndim(u)).slice(1);
      return axis.length === 0 ? u : np.subtract(u, np.mean(u, { axis, keepdims: true }));
    }, updates),
  );

// ---------------------------------------------------------------- clipping

/** Clips updates to [−maxDelta, maxDelta]. @example optim.clip(1).update([np.array([-3, 0.5])], {})[0] // [[-1, 0.5]] */
export const clip = <P>(maxDelta: number): GradientTransformation<P, EmptyState> =>
  stateless<P>((updates) => mapLeaves((u) => np.clip(u, -maxDelta, maxDelta), updates));

/** The norm of all updates together. @example optim.globalNorm({ a: 3, b: np.array([4]) }) // 5 */
export const globalNorm = (updates: unknown): NDArray => norm(updates);

/** Shrinks updates whose global norm exceeds `maxNorm` to that norm. @example optim.clipByGlobalNorm(1).update([np.array([0, 5])], {})[0] // [[0, 1]] */
export const clipByGlobalNorm = <P>(maxNorm: ArrayLike): GradientTransformation<P, EmptyState> =>
  stateless<P>((updates) => {
    const size = norm(updates);
    const fits = np.less(size, maxNorm);
    const shrink = (u: NDArray): NDArray => np.multiply(np.divide(u, np.astype(size, np.asarray(u).dtype)), maxNorm);
    return mapLeaves((u) => np.where(fits, u, shrink(u)), updates);
  });

/** Shrinks each array of updates whose root mean square exceeds `threshold`. @example optim.clipByBlockRms(1).update([np.array([2, 2])], {})[0] // [[1, 1]] */
export const clipByBlockRms = <P>(threshold: ArrayLike): GradientTransformation<P, EmptyState> =>
  stateless<P>((updates) =>
    mapLeaves((u) => np.divide(u, np.maximum(1, np.divide(rootMeanSquare(u), threshold))), updates),
  );

// ---------------------------------------------------------------- weight decay and constraints

export interface DecayOptions<P> {
  readonly weightDecay?: ScalarOrSchedule;
  readonly mask?: Mask<P> | null;
}
/**
 * Adds `weightDecay`·parameters to updates.
 *
 * @param rest `weightDecay` (a number or schedule, default 0), `mask`: which parameters decay.
 * @example
 * optim.addDecayedWeights(0.1).update([1], {}, [20])[0] // [3]
 */
export function addDecayedWeights<P>(
  ...rest: Rest<[ScalarOrSchedule, Mask<P> | null], DecayOptions<P>>
): AnyTransformation<P> {
  const names = ["weightDecay", "mask"] as const;
  const { weightDecay = 0, mask } = readOptionsOrMask<DecayOptions<P>>("optim.addDecayedWeights", names, 2, rest);
  const decay: AnyTransformation<P> = isSchedule(weightDecay)
    ? scheduledDecay<P>(weightDecay)
    : constantDecay<P>(weightDecay);
  return maskedIf(decay, mask);
}

const decayed = <P>(updates: P, params: P | undefined, rate: ArrayLike): P =>
  mapLeaves((u, p) => np.add(u, np.multiply(rate, p)), updates, requireParams("addDecayedWeights", params));

const constantDecay = <P>(rate: ArrayLike): GradientTransformation<P, EmptyState> =>
  stateless<P>((updates, params) => {
    requireParams("addDecayedWeights", params);
    return rate === 0 ? updates : decayed(updates, params, rate);
  });

const scheduledDecay = <P>(rate: Schedule): GradientTransformation<P, CountState> => ({
  init: () => ({ count: zeroCount() }),
  update: (updates, { count }, params) => [decayed(updates, params, rate(count)), { count: safeIncrement(count) }],
});

/** Shortens updates that would make a parameter negative. @example optim.keepParamsNonnegative().update([-5], {}, [3])[0] // [-3] */
export const keepParamsNonnegative = <P>(): GradientTransformation<P, EmptyState> =>
  stateless<P>((updates, params) =>
    mapLeaves(
      (u, p) => np.where(np.less(np.add(p, u), 0), np.negative(p), u),
      updates,
      requireParams("keepParamsNonnegative", params),
    ),
  );

export interface ZeroNansState {
  /** Which arrays held a NaN in the last update. */
  readonly foundNan: unknown;
}
/** Replaces NaNs by zeros. @example optim.zeroNans().update([NaN], { foundNan: [false] })[0] // [0] */
export const zeroNans = <P>(): GradientTransformation<P, ZeroNansState> => ({
  init: (params) => ({ foundNan: mapLeaves(() => np.zeros([], "bool"), params) }),
  update: (updates) => [
    mapLeaves((u) => np.where(np.isnan(u), 0, u), updates),
    { foundNan: mapLeaves((u) => np.any(np.isnan(u)), updates) },
  ],
});
