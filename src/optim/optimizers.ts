/**
 * Optimizers: chains of transformations that end with a learning rate, a number or a schedule. Options are optax's, by
 * position in its order or by name.
 */
import type { ArrayLike } from "../core/arrayMethods.ts";
import type { NDArray } from "../core/ndarray.ts";
import { readOptions } from "../lax/arguments.ts";
import * as np from "../numpy/index.ts";
import {
  type AccumulatorDType,
  type AnyTransformation,
  type GradientTransformation,
  type Mask,
  type Rest,
  type ScalarOrSchedule,
  identity,
  isSchedule,
  readOptionsOrMask,
} from "./base.ts";
import { addNoise, ema, scaleByOptimisticGradient, type OptimisticOptions, trace } from "./accumulate.ts";
import { chain, masked } from "./combine.ts";
import { type Chain, type WeightDecay, descend, pick } from "./descend.ts";
import { type AdamOptions, scaleByAdam } from "./moments.ts";
import {
  type RmsOptions,
  type RpropRest,
  type RssOptions,
  rmsNames,
  scaleByAdadelta,
  scaleByRms,
  scaleByRprop,
  scaleByRss,
  scaleByStddev,
} from "./rootMeanSquare.ts";
import { addDecayedWeights, scale, scaleByLearningRate, scaleBySign, scaleByTrustRatio } from "./scaling.ts";

// ---------------------------------------------------------------- gradient descent

export interface SgdOptions {
  /** Decay of the running sum of gradients; null (default) for none. */
  readonly momentum?: ArrayLike | null;
  readonly nesterov?: boolean;
  readonly accumulatorDtype?: AccumulatorDType;
}
/**
 * Gradient descent, with or without momentum.
 *
 * @param rest `momentum`, `nesterov`, `accumulatorDtype`.
 * @example
 * optim.sgd(0.5).update([4], [{}, {}])[0] // [-2]
 */
export function sgd<P>(
  learningRate: ScalarOrSchedule,
  ...rest: Rest<[ArrayLike | null, boolean, AccumulatorDType], SgdOptions>
): Chain<P> {
  const names = ["momentum", "nesterov", "accumulatorDtype"] as const;
  const { momentum, ...options } = readOptions<SgdOptions>("optim.sgd", names, 3, rest);
  return descend<P>(learningRate, momentum == null ? identity<P>() : trace<P>(momentum, options));
}

/** Descent with gradients that are extrapolated by the last change. @example optim.optimisticGradientDescent(0.1).init([1]).length // 2 */
export function optimisticGradientDescent<P>(
  learningRate: ScalarOrSchedule,
  ...rest: Rest<[ArrayLike, ArrayLike], OptimisticOptions>
): Chain<P> {
  const given = readOptions<OptimisticOptions>("optim.optimisticGradientDescent", ["alpha", "beta"], 2, rest);
  return descend<P>(learningRate, scaleByOptimisticGradient<P>(given));
}

/** Descent with added noise (Neelakantan et al., 2015). @example optim.noisySgd(0.1, { key: random.key(0) }).init([1]).length // 2 */
export function noisySgd<P>(
  learningRate: ScalarOrSchedule,
  options: { readonly eta?: ArrayLike; readonly gamma?: ArrayLike; readonly key: NDArray },
): Chain<P> {
  return descend<P>(learningRate, addNoise<P>(options.eta ?? 0.01, options.gamma ?? 0.55, options.key));
}

/** Steps along the signs of gradients (Bernstein et al., 2018). @example optim.signSgd(0.5).update([4], [{}, {}])[0] // [-0.5] */
export const signSgd = <P>(learningRate: ScalarOrSchedule): Chain<P> => descend<P>(learningRate, scaleBySign<P>());

export interface SignumOptions {
  readonly beta?: ArrayLike;
  readonly accumulatorDtype?: AccumulatorDType;
}
/** Steps along the signs of a running mean of gradients. @example optim.signum(0.5).update([4], optim.signum(0.5).init([0]))[0] // [-0.5] */
export function signum<P>(
  learningRate: ScalarOrSchedule,
  ...rest: Rest<[ArrayLike, AccumulatorDType], SignumOptions>
): Chain<P> {
  const given = readOptions<SignumOptions>("optim.signum", ["beta", "accumulatorDtype"], 2, rest);
  const { beta = 0.9, accumulatorDtype } = given;
  return descend<P>(learningRate, ema<P>(beta, { debias: false, accumulatorDtype }), scaleBySign<P>());
}

/** Steps that grow while gradients keep their sign, for full batches. @example optim.rprop(0.1).init([1]).length // 2 */
export const rprop = <P>(learningRate: ArrayLike, ...rest: RpropRest): Chain<P> =>
  chain<P, readonly unknown[]>(
    scaleByRprop<P>(learningRate, ...rest) as GradientTransformation<P>,
    scale<P>(-1) as GradientTransformation<P>,
  );

// ---------------------------------------------------------------- by the root of squares

export type RmspropOptions = RmsOptions & {
  /** Subtract the squared mean from the mean of squares. Default false. */
  readonly centered?: boolean;
  /** Momentum after the scaling; null (default) for none. */
  readonly momentum?: ArrayLike | null;
  readonly nesterov?: boolean;
};
type RmspropRest = Rest<
  [ArrayLike, ArrayLike, ArrayLike, boolean, boolean, ArrayLike | null, boolean, boolean],
  RmspropOptions
>;
/**
 * RMSProp (Hinton, 2012): gradients divided by the root of a running mean of their squares.
 *
 * @param rest `decay`, `eps`, `initialScale`, `epsInSqrt`, `centered`, `momentum`, `nesterov`, `biasCorrection`.
 * @example
 * optim.rmsprop(0.1).init([1]).length // 3
 */
export function rmsprop<P>(learningRate: ScalarOrSchedule, ...rest: RmspropRest): Chain<P> {
  const names = [
    "decay",
    "eps",
    "initialScale",
    "epsInSqrt",
    "centered",
    "momentum",
    "nesterov",
    "biasCorrection",
  ] as const;
  const given = readOptions<RmspropOptions>("optim.rmsprop", names, 8, rest);
  const options = pick<RmsOptions>(given, rmsNames);
  const scaling: AnyTransformation<P> = given.centered ? scaleByStddev<P>(options) : scaleByRms<P>(options);
  const { momentum, nesterov = false } = given;
  return chain<P, readonly unknown[]>(
    scaling,
    scaleByLearningRate<P>(learningRate),
    (momentum == null ? identity<P>() : trace<P>(momentum, { nesterov })) as GradientTransformation<P>,
  );
}

/** Gradients divided by the root of the sum of all squares (Duchi et al., 2011). @example optim.adagrad(0.1).init([1]).length // 2 */
export const adagrad = <P>(
  learningRate: ScalarOrSchedule,
  ...rest: Rest<[ArrayLike, ArrayLike], RssOptions>
): Chain<P> =>
  descend<P>(
    learningRate,
    scaleByRss<P>(readOptions<RssOptions>("optim.adagrad", ["initialAccumulatorValue", "eps"], 2, rest)),
  );

export interface AdadeltaOptions<P> {
  readonly learningRate?: ScalarOrSchedule | null;
  readonly rho?: ArrayLike;
  readonly eps?: ArrayLike;
  readonly weightDecay?: ScalarOrSchedule;
  readonly weightDecayMask?: Mask<P> | null;
}
/** Steps in the ratio of past updates to past gradients (Zeiler, 2012). @example optim.adadelta({ learningRate: 1 }).init([1]).length // 3 */
export function adadelta<P>(
  ...rest: Rest<[ScalarOrSchedule | null, ArrayLike, ArrayLike, ScalarOrSchedule, Mask<P> | null], AdadeltaOptions<P>>
): Chain<P> {
  const names = ["learningRate", "rho", "eps", "weightDecay", "weightDecayMask"] as const;
  const given = readOptionsOrMask<AdadeltaOptions<P>>("optim.adadelta", names, 5, rest);
  const { learningRate = null, rho = 0.9, eps = 1e-6, weightDecay = 0, weightDecayMask: mask = null } = given;
  return descend<P>(learningRate, addDecayedWeights<P>({ weightDecay, mask }), scaleByAdadelta<P>({ rho, eps }));
}

// ---------------------------------------------------------------- by the norm of each layer

type LambOptions<P> = Omit<AdamOptions, "muDtype" | "nesterov"> & WeightDecay<P>;
/** Adam with steps in proportion to each array's norm (You et al., 2020). @example optim.lamb(0.1).init([1]).length // 4 */
export function lamb<P>(
  learningRate: ScalarOrSchedule,
  ...rest: Rest<[ArrayLike, ArrayLike, ArrayLike, ArrayLike, ScalarOrSchedule, Mask<P> | null], LambOptions<P>>
): Chain<P> {
  const names = ["b1", "b2", "eps", "epsRoot", "weightDecay", "mask"] as const;
  const {
    weightDecay = 0,
    mask = null,
    eps = 1e-6,
    ...given
  } = readOptionsOrMask<LambOptions<P>>("optim.lamb", names, 6, rest);
  return descend<P>(
    learningRate,
    scaleByAdam<P>({ eps, ...given }),
    addDecayedWeights<P>({ weightDecay, mask }),
    scaleByTrustRatio<P>(),
  );
}

export interface LarsOptions<P> {
  readonly weightDecay?: ScalarOrSchedule;
  readonly weightDecayMask?: Mask<P>;
  readonly trustCoefficient?: ArrayLike;
  readonly eps?: ArrayLike;
  readonly trustRatioMask?: Mask<P>;
  readonly momentum?: ArrayLike;
  readonly nesterov?: boolean;
}
type LarsRest<P> = Rest<[ScalarOrSchedule, Mask<P>, ArrayLike, ArrayLike, Mask<P>, ArrayLike, boolean], LarsOptions<P>>;
/** Momentum with steps in proportion to each array's norm (You et al., 2017). @example optim.lars(0.1).init([1]).length // 4 */
export function lars<P>(learningRate: ScalarOrSchedule, ...rest: LarsRest<P>): Chain<P> {
  const names = [
    "weightDecay",
    "weightDecayMask",
    "trustCoefficient",
    "eps",
    "trustRatioMask",
    "momentum",
    "nesterov",
  ] as const;
  const given = readOptionsOrMask<LarsOptions<P>>("optim.lars", names, 7, rest);
  const { weightDecay = 0, weightDecayMask = true, trustRatioMask = true, momentum = 0.9, nesterov = false } = given;
  const { trustCoefficient = 1e-3, eps = 0 } = given;
  return chain<P, readonly unknown[]>(
    addDecayedWeights<P>({ weightDecay, mask: weightDecayMask }),
    masked(scaleByTrustRatio<P>({ trustCoefficient, eps }), trustRatioMask) as GradientTransformation<P>,
    scaleByLearningRate<P>(learningRate),
    trace<P>(momentum, { nesterov }) as GradientTransformation<P>,
  );
}

/** Steps in proportion to each array's norm, on a sphere (Bernstein et al., 2020). @example optim.fromage(0.1).init([1]).length // 3 */
export function fromage<P>(
  learningRate: ScalarOrSchedule,
  ...rest: Rest<[ArrayLike], { readonly minNorm?: ArrayLike }>
): Chain<P> {
  const { minNorm = 1e-6 } = readOptions<{ minNorm: ArrayLike }>("optim.fromage", ["minNorm"], 1, rest);
  const shrink = (rate: ArrayLike): NDArray => np.divide(1, np.sqrt(np.add(1, np.square(rate))));
  const byRate = (f: (rate: ArrayLike) => ArrayLike): ScalarOrSchedule =>
    isSchedule(learningRate) ? (count) => f(learningRate(count)) : f(learningRate);
  return chain<P, readonly unknown[]>(
    scaleByTrustRatio<P>({ minNorm }) as GradientTransformation<P>,
    scaleByLearningRate<P>(byRate((rate) => np.multiply(rate, shrink(rate)))),
    addDecayedWeights<P>({ weightDecay: byRate((rate) => np.subtract(shrink(rate), 1)) }),
  );
}
