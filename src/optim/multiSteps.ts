/** Gradient accumulation: several small batches for each step of an optimizer. */
import type { ArrayLike } from "../core/arrayMethods.ts";
import type { DType } from "../core/dtype.ts";
import type { NDArray } from "../core/ndarray.ts";
import { ArgumentError } from "../core/problem.ts";
import { readOptions } from "../lax/arguments.ts";
import * as np from "../numpy/index.ts";
import { evalShape } from "../transforms/makeJaxpr.ts";
import {
  type ExtraArgs,
  type GradientTransformation,
  type GradientTransformationExtraArgs,
  type Rest,
  type Schedule,
  mapLeaves,
  safeIncrement,
  zeroCount,
} from "./base.ts";
import { either } from "./conditional.ts";
import { castLike, norm, sum, where, zerosLike } from "./treeMath.ts";

export interface MultiStepsState<P, S> {
  /** The number of gradients gathered for the next step. */
  readonly miniStep: NDArray;
  /** The number of steps done. */
  readonly gradientStep: NDArray;
  readonly innerOptState: S;
  readonly accGrads: P;
  /** What the last call of `shouldSkipUpdateFn` told. */
  readonly skipState: unknown;
}
/**
 * Whether a gradient is left out, and anything that should be known about it, a tree that keeps its structure.
 */
export type ShouldSkipUpdateFunction<P = unknown> = (
  updates: P,
  gradientStep: NDArray,
  params: P | undefined,
) => readonly [shouldSkip: NDArray, skipState: unknown];

/** Leaves out gradients that are not finite. @example optim.skipNotFinite([np.array([1, NaN])])[1].numNotFinite // 1 */
export function skipNotFinite(
  updates: unknown,
  _gradientStep?: ArrayLike,
  _params?: unknown,
): readonly [NDArray, { readonly shouldSkip: NDArray; readonly numNotFinite: NDArray }] {
  const notFinite = mapLeaves((x) => np.sum(np.logicalNot(np.isfinite(x)), { dtype: "int32" }), updates);
  const numNotFinite = np.astype(sum(notFinite), "int32");
  const shouldSkip = np.greater(numNotFinite, 0);
  return [shouldSkip, { shouldSkip, numNotFinite }];
}

/**
 * Leaves out gradients whose squared norm is not below a bound, or is NaN.
 *
 * @example
 * const skip = (g, step, params) => optim.skipLargeUpdates(g, step, params, 10);
 * skip([np.array([3, 4])])[0] // true
 */
export function skipLargeUpdates(
  updates: unknown,
  _gradientStep: ArrayLike | undefined,
  _params: unknown,
  maxSquaredNorm: ArrayLike,
): readonly [NDArray, { readonly shouldSkip: NDArray; readonly normSquared: NDArray }] {
  const normSquared = norm(updates, { squared: true });
  const shouldSkip = np.logicalNot(np.less(normSquared, maxSquaredNorm));
  return [shouldSkip, { shouldSkip, normSquared }];
}

export interface MultiStepsOptions<P> {
  /** Step along the mean of gradients (default) or along their sum. */
  readonly useGradMean?: boolean;
  /** Which gradients are left out: `skipNotFinite`, `skipLargeUpdates` with a bound, or a function of the same kind. */
  readonly shouldSkipUpdateFn?: ShouldSkipUpdateFunction<P> | null;
  /** The dtype in which gradients are gathered. Default float32. */
  readonly accumulatorDtype?: DType | null;
}
type MultiStepsRest<P> = Rest<[boolean, ShouldSkipUpdateFunction<P> | null, DType | null], MultiStepsOptions<P>>;

/** A transformation that gathers gradients, and questions about its state. */
interface Gathering<S> {
  /** Whether the last gradient led to a step. */
  readonly hasUpdated: (state: S) => NDArray;
}
export type MultiSteps<P, S> = GradientTransformation<P, MultiStepsState<P, S>> &
  Gathering<MultiStepsState<P, S>> & {
    readonly innerOpt: GradientTransformation<P, S>;
    readonly gradientTransformation: () => GradientTransformation<P, MultiStepsState<P, S>>;
  };
export type MultiStepsExtraArgs<P, S, E extends object> = GradientTransformationExtraArgs<P, MultiStepsState<P, S>, E> &
  Gathering<MultiStepsState<P, S>> & {
    readonly innerOpt: GradientTransformationExtraArgs<P, S, E>;
    readonly gradientTransformation: () => GradientTransformationExtraArgs<P, MultiStepsState<P, S>, E>;
  };

/**
 * One step of an optimizer for every k gradients: their mean (or sum) is gathered, and updates in between are zero.
 *
 * k small batches of one size then do what one batch k times as big does. The inner optimizer runs only when it steps.
 *
 * @param everyKSchedule k, or a function of the number of steps done.
 * @param rest `useGradMean` (default true), `shouldSkipUpdateFn`, `accumulatorDtype` (default float32).
 * @example
 * const optimizer = optim.MultiSteps(optim.sgd(1), 2);
 * const [waiting, state] = optimizer.update([1], optimizer.init([0]));
 * waiting // [0]
 * const [stepping, next] = optimizer.update([3], state);
 * stepping // [-2]
 * optimizer.hasUpdated(next) // true
 */
export function MultiSteps<P, S>(
  opt: GradientTransformation<P, S>,
  everyKSchedule: number | Schedule,
  ...rest: MultiStepsRest<P>
): MultiSteps<P, S>;
export function MultiSteps<P, S, E extends object>(
  opt: GradientTransformationExtraArgs<P, S, E>,
  everyKSchedule: number | Schedule,
  ...rest: MultiStepsRest<P>
): MultiStepsExtraArgs<P, S, E>;
export function MultiSteps<P, S>(
  opt: GradientTransformationExtraArgs<P, S>,
  everyKSchedule: number | Schedule,
  ...rest: MultiStepsRest<P>
): MultiStepsExtraArgs<P, S, ExtraArgs> {
  const names = ["useGradMean", "shouldSkipUpdateFn", "accumulatorDtype"] as const;
  const given = readOptions<MultiStepsOptions<P>>("optim.MultiSteps", names, 3, rest);
  const { useGradMean = true, shouldSkipUpdateFn: skip = null, accumulatorDtype = "float32" } = given;
  checkPeriod(everyKSchedule);
  const period = typeof everyKSchedule === "function" ? everyKSchedule : () => everyKSchedule;
  const gather = (g: NDArray, sum: NDArray, n: NDArray): NDArray =>
    useGradMean ? np.add(sum, np.divide(np.subtract(g, sum), np.add(n, 1))) : np.add(g, sum);

  const accumulate = (
    updates: P,
    state: MultiStepsState<P, S>,
    params: P | undefined,
    extra: ExtraArgs,
    skipState: unknown,
  ): readonly [P, MultiStepsState<P, S>] => {
    const { miniStep, gradientStep, innerOptState } = state;
    const k = period(gradientStep);
    const gathered = castLike(
      mapLeaves((g, sum) => gather(g, sum, miniStep), updates, state.accGrads),
      state.accGrads,
    );
    const due = np.equal(miniStep, np.subtract(k, 1));
    const step = (): readonly [P, S] => opt.update(castLike(gathered, updates), innerOptState, params, extra);
    const wait = (): readonly [P, S] => [zeroUpdates(step), innerOptState];
    const [result, inner] = either(due, step, wait, innerOptState);
    const next: MultiStepsState<P, S> = {
      miniStep: np.astype(np.remainder(safeIncrement(miniStep), k), "int32"),
      gradientStep: np.where(due, safeIncrement(gradientStep), gradientStep),
      innerOptState: inner,
      accGrads: where(due, zerosLike(gathered), gathered),
      skipState,
    };
    return [result, next];
  };

  const transformation: GradientTransformationExtraArgs<P, MultiStepsState<P, S>> = {
    init: (params) => ({
      miniStep: zeroCount(),
      gradientStep: zeroCount(),
      innerOptState: opt.init(params),
      accGrads: zerosLike(params, accumulatorDtype),
      skipState: skip === null ? null : skip(zerosLike(params), zeroCount(), params)[1],
    }),
    update: (updates, state, params, extra) => {
      if (skip === null) return accumulate(updates, state, params, extra, null);
      const [shouldSkip, told] = skip(updates, state.gradientStep, params);
      const skipState = castLike(told, state.skipState);
      const go = (): readonly [P, MultiStepsState<P, S>] => accumulate(updates, state, params, extra, skipState);
      return either(shouldSkip, () => [zeroUpdates(go), { ...state, skipState }], go, state);
    },
  };
  return {
    ...transformation,
    innerOpt: opt,
    hasUpdated: ({ miniStep, gradientStep }) => np.logicalAnd(np.equal(miniStep, 0), np.greater(gradientStep, 0)),
    gradientTransformation: () => transformation,
  };
}

/** Zeros like the updates that a function would give, which is not run. */
const zeroUpdates = <P>(f: () => readonly [P, unknown]): P =>
  mapLeaves(
    (s: { shape: readonly number[]; dtype: DType }) => np.zeros(s.shape, s.dtype),
    evalShape(() => f()[0]) as P,
  );

function checkPeriod(k: number | Schedule): void {
  if (typeof k === "function" || (Number.isInteger(k) && k >= 1)) return;
  throw new ArgumentError("Period", {
    what: `optim.MultiSteps: everyKSchedule is ${String(k)}`,
    why: "a step takes a whole number of gradients",
    fix: "pass a positive integer, or a function of the number of steps done",
  });
}
