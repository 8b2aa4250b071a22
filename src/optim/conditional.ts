/** Transformations that act only sometimes: on some steps, or unless gradients are infinite. */
import type { ArrayLike } from "../core/arrayMethods.ts";
import type { NDArray } from "../core/ndarray.ts";
import { readOptions } from "../lax/arguments.ts";
import * as lax from "../lax/index.ts";
import * as np from "../numpy/index.ts";
import {
  type ExtraArgs,
  type GradientTransformation,
  type GradientTransformationExtraArgs,
  type Rest,
  safeIncrement,
  zeroCount,
} from "./base.ts";
import { castLike, zerosLike } from "./treeMath.ts";
import { allFinite } from "./finite.ts";

/** Whether a step counts: a function of the number of steps before, and of `extra` if that is forwarded. */
export type ConditionFn = (step: NDArray, extra: ExtraArgs) => ArrayLike;
export interface ConditionOptions {
  /** Hand `extra` to the condition. Default false. */
  readonly forwardExtraArgs?: boolean;
}
type ConditionRest = Rest<[boolean], ConditionOptions>;

export interface ConditionalState<S> {
  readonly innerState: S;
  /** The number of steps so far. */
  readonly step: NDArray;
}

/** One of two updates with their states, of the second one's dtypes: one branch runs. */
export const either = <P, S>(
  condition: ArrayLike,
  yes: () => readonly [P, S],
  no: () => readonly [P, S],
  state: S,
): readonly [P, S] => {
  const inner = (): readonly [P, S] => {
    const [updates, next] = yes();
    return [updates, castLike(next, state)];
  };
  return lax.cond(condition, inner, no) as unknown as readonly [P, S];
};

function conditional<P, S>(
  name: string,
  inner: GradientTransformationExtraArgs<P, S>,
  condition: ConditionFn,
  rest: ConditionRest,
  otherwise: (updates: P) => P,
): GradientTransformationExtraArgs<P, ConditionalState<S>> {
  const { forwardExtraArgs = false } = readOptions<ConditionOptions>(`optim.${name}`, ["forwardExtraArgs"], 1, rest);
  return {
    init: (params) => ({ innerState: inner.init(params), step: zeroCount() }),
    update: (updates, { innerState, step }, params, extra) => {
      const [result, next] = either(
        condition(step, forwardExtraArgs ? extra : {}),
        () => inner.update(updates, innerState, params, extra),
        () => [otherwise(updates), innerState],
        innerState,
      );
      return [result, { innerState: next, step: safeIncrement(step) }];
    },
  };
}

/**
 * Applies a transformation on some steps; on the others updates pass through and its state stays.
 *
 * @param shouldTransformFn a boolean for each step: a function of the number of steps before.
 * @param rest `forwardExtraArgs`: whether the condition sees `extra`, as its second argument.
 * @example
 * const everyOther = optim.conditionallyTransform(optim.scale(10), (step) => np.equal(np.remainder(step, 2), 0));
 * const [first, state] = everyOther.update([1], everyOther.init([0]));
 * first // [10]
 * everyOther.update([1], state)[0] // [1]
 */
export function conditionallyTransform<P, S>(
  inner: GradientTransformation<P, S>,
  shouldTransformFn: ConditionFn,
  ...rest: Rest<[false], { readonly forwardExtraArgs?: false }>
): GradientTransformation<P, ConditionalState<S>>;
export function conditionallyTransform<P, S, E extends object>(
  inner: GradientTransformationExtraArgs<P, S, E>,
  shouldTransformFn: ConditionFn,
  ...rest: ConditionRest
): GradientTransformationExtraArgs<P, ConditionalState<S>, E>;
export function conditionallyTransform<P, S>(
  inner: GradientTransformationExtraArgs<P, S>,
  shouldTransformFn: ConditionFn,
  ...rest: ConditionRest
): GradientTransformationExtraArgs<P, ConditionalState<S>> {
  return conditional("conditionallyTransform", inner, shouldTransformFn, rest, (updates) => updates);
}

/**
 * Applies a transformation on some steps; on the others updates are zero and its state stays.
 *
 * @param shouldTransformFn a boolean for each step: a function of the number of steps before.
 * @param rest `forwardExtraArgs`: whether the condition sees `extra`, as its second argument.
 * @example
 * const late = optim.conditionallyMask(optim.scale(10), (step) => np.greater(step, 5));
 * late.update([1], late.init([0]))[0] // [0]
 */
export function conditionallyMask<P, S>(
  inner: GradientTransformation<P, S>,
  shouldTransformFn: ConditionFn,
  ...rest: Rest<[false], { readonly forwardExtraArgs?: false }>
): GradientTransformation<P, ConditionalState<S>>;
export function conditionallyMask<P, S, E extends object>(
  inner: GradientTransformationExtraArgs<P, S, E>,
  shouldTransformFn: ConditionFn,
  ...rest: ConditionRest
): GradientTransformationExtraArgs<P, ConditionalState<S>, E>;
export function conditionallyMask<P, S>(
  inner: GradientTransformationExtraArgs<P, S>,
  shouldTransformFn: ConditionFn,
  ...rest: ConditionRest
): GradientTransformationExtraArgs<P, ConditionalState<S>> {
  return conditional("conditionallyMask", inner, shouldTransformFn, rest, (updates) => zerosLike(updates));
}

export interface ApplyIfFiniteState<S> {
  /** How many updates in a row were not finite. */
  readonly notfiniteCount: NDArray;
  readonly lastFinite: NDArray;
  /** How many were not finite since the start. */
  readonly totalNotfinite: NDArray;
  readonly innerState: S;
}
/**
 * Leaves out steps whose gradients are not finite: updates are zero and the inner state stays. After
 * `maxConsecutiveErrors` of them in a row they are applied all the same, so that a broken model does not go unnoticed.
 *
 * @example
 * const optimizer = optim.applyIfFinite(optim.sgd(0.5), 5);
 * optimizer.update([NaN], optimizer.init([1]))[0] // [0]
 */
export function applyIfFinite<P, S>(
  inner: GradientTransformation<P, S>,
  maxConsecutiveErrors: ArrayLike,
): GradientTransformation<P, ApplyIfFiniteState<S>>;
export function applyIfFinite<P, S, E extends object>(
  inner: GradientTransformationExtraArgs<P, S, E>,
  maxConsecutiveErrors: ArrayLike,
): GradientTransformationExtraArgs<P, ApplyIfFiniteState<S>, E>;
export function applyIfFinite<P, S>(
  inner: GradientTransformationExtraArgs<P, S>,
  maxConsecutiveErrors: ArrayLike,
): GradientTransformationExtraArgs<P, ApplyIfFiniteState<S>> {
  return {
    init: (params) => ({
      notfiniteCount: zeroCount(),
      lastFinite: np.ones([], "bool"),
      totalNotfinite: zeroCount(),
      innerState: inner.init(params),
    }),
    update: (updates, state, params, extra) => {
      const finite = allFinite(updates);
      const notfiniteCount = np.where(finite, 0, safeIncrement(state.notfiniteCount));
      const [result, innerState] = either(
        np.logicalOr(finite, np.greater(notfiniteCount, maxConsecutiveErrors)),
        () => inner.update(updates, state.innerState, params, extra),
        () => [zerosLike(updates), state.innerState],
        state.innerState,
      );
      const totalNotfinite = np.where(finite, state.totalNotfinite, safeIncrement(state.totalNotfinite));
      return [result, { notfiniteCount, lastFinite: finite, totalNotfinite, innerState }];
    },
  };
}
