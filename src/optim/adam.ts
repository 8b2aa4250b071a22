/**
 * Adam and the optimizers made in its image: running moments of the gradients, then a learning rate, a number or a
 * schedule. Options are optax's, by position in its order or by name.
 */
import type { ArrayLike } from "../core/arrayMethods.ts";
import { readOptions } from "../lax/arguments.ts";
import {
  type AccumulatorDType,
  type AnyTransformation,
  type GradientTransformation,
  type Mask,
  type Rest,
  type ScalarOrSchedule,
  readOptionsOrMask,
} from "./base.ts";
import { chain } from "./combine.ts";
import { type Chain, type WeightDecay, descend, pick } from "./descend.ts";
import {
  type AdamOptions,
  type AdanOptions,
  type AdamRest,
  type AmsgradOptions,
  type BeliefOptions,
  type DecayRest,
  type LionOptions,
  type MomentState,
  type NovogradOptions,
  type RadamOptions,
  type YogiOptions,
  adamNames,
  amsgradNames,
  beliefNames,
  decayNames,
  radamNames,
  scaleByAdam,
  scaleByAdamax,
  scaleByAdan,
  scaleByAmsgrad,
  scaleByBelief,
  scaleByLion,
  scaleByNovograd,
  scaleByRadam,
  scaleByYogi,
} from "./moments.ts";
import { addDecayedWeights, scaleByLearningRate } from "./scaling.ts";

/** The state of `adam`: moments, then that of the learning rate. */
export type AdamState<P> = readonly [MomentState<P>, unknown];
/**
 * Adam (Kingma and Ba, 2014): steps of about the learning rate, whatever the size of the gradients.
 *
 * @param rest `b1` (default 0.9), `b2` (0.999), `eps` (1e-8), `epsRoot` (0), `muDtype`; by name `nesterov`.
 * @example
 * optim.adam(0.5, { eps: 0 }).update([4], optim.adam(0.5).init([0]))[0] // [-0.5]
 */
export const adam = <P>(learningRate: ScalarOrSchedule, ...rest: AdamRest): GradientTransformation<P, AdamState<P>> =>
  chain<P, AdamState<P>>(
    scaleByAdam<P>(readOptions<AdamOptions>("optim.adam", adamNames, 5, rest)),
    scaleByLearningRate<P>(learningRate),
  );

/** Adam with Nesterov's momentum (Dozat, 2016). @example optim.nadam(0.1).init([1])[0].count // 0 */
export const nadam = <P>(learningRate: ScalarOrSchedule, ...rest: AdamRest): GradientTransformation<P, AdamState<P>> =>
  adam<P>(learningRate, { nesterov: true, ...readOptions<AdamOptions>("optim.nadam", adamNames, 5, rest) });

export type AdamwOptions<P> = AdamOptions & WeightDecay<P>;
export type AdamwRest<P> = Rest<
  [ArrayLike, ArrayLike, ArrayLike, ArrayLike, AccumulatorDType, ScalarOrSchedule, Mask<P> | null],
  AdamwOptions<P>
>;
const adamwNames = ["b1", "b2", "eps", "epsRoot", "muDtype", "weightDecay", "mask", "nesterov"] as const;
/**
 * Adam whose weights also decay toward zero (Loshchilov and Hutter, 2019).
 *
 * @param rest as of `adam`, then `weightDecay` (default 1e-4), `mask`.
 * @example
 * optim.adamw(0.1).init([1])[0].count // 0
 */
export function adamw<P>(
  learningRate: ScalarOrSchedule,
  ...rest: AdamwRest<P>
): GradientTransformation<P, readonly [MomentState<P>, unknown, unknown]> {
  const { weightDecay, mask, ...given } = readOptionsOrMask<AdamwOptions<P>>("optim.adamw", adamwNames, 7, rest);
  return chain<P, readonly [MomentState<P>, unknown, unknown]>(
    scaleByAdam<P>(given),
    addDecayedWeights<P>({ weightDecay: weightDecay ?? 1e-4, mask: mask ?? null }),
    scaleByLearningRate<P>(learningRate),
  );
}

/** `adamw` with Nesterov's momentum. @example optim.nadamw(0.1).init([1])[0].count // 0 */
export const nadamw = <P>(
  learningRate: ScalarOrSchedule,
  ...rest: AdamwRest<P>
): GradientTransformation<P, readonly [MomentState<P>, unknown, unknown]> =>
  adamw<P>(learningRate, {
    nesterov: true,
    ...readOptionsOrMask<AdamwOptions<P>>("optim.nadamw", adamwNames, 7, rest),
  });

/** Adam by the greatest second moment so far (Reddi et al., 2018). @example optim.amsgrad(0.1).init([1]).length // 2 */
export const amsgrad = <P>(
  learningRate: ScalarOrSchedule,
  ...rest: Rest<[ArrayLike, ArrayLike, ArrayLike, ArrayLike, AccumulatorDType], AmsgradOptions>
): Chain<P> =>
  descend<P>(learningRate, scaleByAmsgrad<P>(readOptions<AmsgradOptions>("optim.amsgrad", amsgradNames, 7, rest)));

/** Adam by the infinity norm (Kingma and Ba, 2014). @example optim.adamax(0.1).init([1]).length // 2 */
export const adamax = <P>(learningRate: ScalarOrSchedule, ...rest: DecayRest): Chain<P> =>
  descend<P>(learningRate, scaleByAdamax<P>(readOptions<AdamOptions>("optim.adamax", decayNames, 3, rest)));

type AdamaxwOptions<P> = Pick<AdamOptions, "b1" | "b2" | "eps"> & WeightDecay<P>;
/** `adamax` with decaying weights (default 1e-4). @example optim.adamaxw(0.1).init([1]).length // 3 */
export function adamaxw<P>(
  learningRate: ScalarOrSchedule,
  ...rest: Rest<[ArrayLike, ArrayLike, ArrayLike, ScalarOrSchedule, Mask<P> | null], AdamaxwOptions<P>>
): Chain<P> {
  const names = ["b1", "b2", "eps", "weightDecay", "mask"] as const;
  const {
    weightDecay = 1e-4,
    mask = null,
    ...given
  } = readOptionsOrMask<AdamaxwOptions<P>>("optim.adamaxw", names, 5, rest);
  return descend<P>(learningRate, scaleByAdamax<P>(given), addDecayedWeights<P>({ weightDecay, mask }));
}

/** Adam that warms up by itself (Liu et al., 2020). @example optim.radam(0.1).init([1]).length // 2 */
export const radam = <P>(
  learningRate: ScalarOrSchedule,
  ...rest: Rest<[ArrayLike, ArrayLike, ArrayLike, ArrayLike, number], RadamOptions>
): Chain<P> => descend<P>(learningRate, scaleByRadam<P>(readOptions<RadamOptions>("optim.radam", radamNames, 5, rest)));

type AdabeliefOptions<P> = BeliefOptions & {
  readonly weightDecay?: ScalarOrSchedule | null;
  readonly weightDecayMask?: Mask<P> | null;
};
/** Adam by the surprise of gradients (Zhuang et al., 2020). @example optim.adabelief(0.1).init([1]).length // 2 */
export function adabelief<P>(
  learningRate: ScalarOrSchedule,
  ...rest: Rest<
    [ArrayLike, ArrayLike, ArrayLike, ArrayLike, ScalarOrSchedule | null, Mask<P> | null],
    AdabeliefOptions<P>
  >
): Chain<P> {
  const names = ["b1", "b2", "eps", "epsRoot", "weightDecay", "weightDecayMask", "nesterov"] as const;
  const given = readOptionsOrMask<AdabeliefOptions<P>>("optim.adabelief", names, 6, rest);
  const { weightDecay, weightDecayMask: mask = null, ...belief } = given;
  const parts: AnyTransformation<P>[] = [scaleByBelief<P>(pick(belief, beliefNames))];
  if (weightDecay != null) parts.push(addDecayedWeights<P>({ weightDecay, mask }));
  return descend<P>(learningRate, ...parts);
}
/** Adam with additive second moments (Zaheer et al., 2018). @example optim.yogi(0.1).init([1]).length // 2 */
export const yogi = <P>(
  learningRate: ScalarOrSchedule,
  ...rest: Rest<[ArrayLike, ArrayLike, ArrayLike], Pick<YogiOptions, "b1" | "b2" | "eps">>
): Chain<P> => descend<P>(learningRate, scaleByYogi<P>(readOptions<YogiOptions>("optim.yogi", decayNames, 3, rest)));

type LionRest<P> = Rest<
  [ArrayLike, ArrayLike, AccumulatorDType, ScalarOrSchedule, Mask<P> | null],
  Omit<LionOptions, "mode" | "smoothBeta"> & WeightDecay<P>
>;
/** Signs of a mean of gradients, with decaying weights (Chen et al., 2023). @example optim.lion(0.1).init([1]).length // 3 */
export function lion<P>(learningRate: ScalarOrSchedule, ...rest: LionRest<P>): Chain<P> {
  const names = ["b1", "b2", "muDtype", "weightDecay", "mask"] as const;
  const {
    weightDecay = 1e-3,
    mask = null,
    ...given
  } = readOptionsOrMask<LionOptions & WeightDecay<P>>("optim.lion", names, 5, rest);
  return descend<P>(learningRate, scaleByLion<P>(given), addDecayedWeights<P>({ weightDecay, mask }));
}

type AdanRest<P> = Rest<
  [number, number, number, ArrayLike, ArrayLike, ScalarOrSchedule, Mask<P> | null],
  AdanOptions & WeightDecay<P>
>;
/** Adam with the differences of gradients (Xie et al., 2022). @example optim.adan(0.1).init([1]).length // 3 */
export function adan<P>(learningRate: ScalarOrSchedule, ...rest: AdanRest<P>): Chain<P> {
  const names = ["b1", "b2", "b3", "eps", "epsRoot", "weightDecay", "mask"] as const;
  const given = readOptionsOrMask<AdanOptions & WeightDecay<P>>("optim.adan", names, 7, rest);
  const { weightDecay = 0, mask = null, epsRoot = 1e-8, ...scaling } = given;
  return descend<P>(learningRate, scaleByAdan<P>({ epsRoot, ...scaling }), addDecayedWeights<P>({ weightDecay, mask }));
}

/** Gradients by a running norm for each array (Ginsburg et al., 2019). @example optim.novograd(0.1).init([1]).length // 2 */
export function novograd<P>(
  learningRate: ScalarOrSchedule,
  ...rest: Rest<[ArrayLike, ArrayLike, ArrayLike, ArrayLike, number], Omit<NovogradOptions, "muDtype">>
): Chain<P> {
  const names = ["b1", "b2", "eps", "epsRoot", "weightDecay"] as const;
  const { eps = 1e-6, ...given } = readOptions<NovogradOptions>("optim.novograd", names, 5, rest);
  return descend<P>(learningRate, scaleByNovograd<P>({ eps, ...given }));
}
