/**
 * Sharpness-aware minimization (Foret et al., 2021): gradients are taken where a first step has made the loss worse, so that
 * training ends in minima that are flat.
 */
import type { NDArray } from "../core/ndarray.ts";
import { ArgumentError } from "../core/problem.ts";
import { readOptions } from "../lax/arguments.ts";
import * as lax from "../lax/index.ts";
import * as np from "../numpy/index.ts";
import {
  type AnyTransformation,
  type EmptyState,
  type GradientTransformation,
  type GradientTransformationExtraArgs,
  type Rest,
  applyUpdates,
  mapLeaves,
  requireExtra,
  requireParams,
  stateless,
  zeroCount,
} from "./base.ts";
import { castLike, norm, where } from "./treeMath.ts";

/** Divides updates by their norm, for the steps uphill of `sam`. @example optim.contrib.normalize().update([np.array([3, 4])], {})[0] // [[0.6, 0.8]] */
export const normalize = <P>(): GradientTransformation<P, EmptyState> =>
  stateless<P>((updates) => {
    const size = norm(updates);
    return mapLeaves((g) => np.divide(g, size), updates);
  });

export interface SamState<P> {
  readonly stepsSinceSync: NDArray;
  readonly optState: unknown;
  readonly advState: unknown;
  /** The parameters that the steps uphill started from; null in opaque mode. */
  readonly cache: P | null;
}
/** What `update` is handed in opaque mode. */
export interface SamArgs<P> {
  /** The gradient at other parameters; `i` counts the steps uphill. */
  readonly gradFn: (params: P, i: number) => P;
}
export interface SamOptions {
  /** Every how many steps there is one downhill. Default 2. */
  readonly syncPeriod?: number;
  /** Start the state of the steps uphill anew after each of them downhill (default). */
  readonly resetState?: boolean;
  /** Go uphill inside of one call of `update`, by `gradFn`. Default false: each call is a step, uphill or downhill. */
  readonly opaqueMode?: boolean;
  /** In opaque mode, a named axis over which gradients are averaged. */
  readonly batchAxisName?: string | null;
}
type SamRest = Rest<[number, boolean, boolean, string | null], SamOptions>;

const downward = <P>(updates: P): P => mapLeaves((x) => np.negative(x), updates);

/**
 * Steps of one optimizer along gradients taken where another one has gone uphill.
 *
 * By default `update` is called for each of the steps, `syncPeriod` − 1 uphill and one downhill from where they began; in
 * `opaqueMode` it does all of them: `update(gradients, state, params, { gradFn })`.
 *
 * @param advOptimizer goes uphill: it is given gradients, and its updates are turned around.
 * @param rest `syncPeriod` (default 2), `resetState` (true), `opaqueMode` (false), `batchAxisName`.
 * @example
 * const f = (x) => np.sum(np.square(x));
 * const uphill = optim.chain(optim.contrib.normalize(), optim.sgd(0.5));
 * const optimizer = optim.contrib.sam(optim.sgd(0.25), uphill, { opaqueMode: true });
 * const x = np.array([1]);
 * optimizer.update(grad(f)(x), optimizer.init(x), x, { gradFn: (p) => grad(f)(p) })[0] // [-0.75]
 */
export function sam<P>(
  optimizer: AnyTransformation<P>,
  advOptimizer: AnyTransformation<P>,
  ...rest: readonly [Omit<SamOptions, "opaqueMode"> & { readonly opaqueMode: true }]
): GradientTransformationExtraArgs<P, SamState<P>, SamArgs<P>>;
export function sam<P>(
  optimizer: AnyTransformation<P>,
  advOptimizer: AnyTransformation<P>,
  ...rest: Rest<[number, boolean], Omit<SamOptions, "opaqueMode"> & { readonly opaqueMode?: false }>
): GradientTransformation<P, SamState<P>>;
export function sam<P>(
  optimizer: AnyTransformation<P>,
  advOptimizer: AnyTransformation<P>,
  ...rest: SamRest
): GradientTransformationExtraArgs<P, SamState<P>, SamArgs<P>> {
  const names = ["syncPeriod", "resetState", "opaqueMode", "batchAxisName"] as const;
  const given = readOptions<SamOptions>("optim.contrib.sam", names, 4, rest);
  const { syncPeriod = 2, resetState = true, opaqueMode = false, batchAxisName = null } = given;
  if (syncPeriod < 1)
    throw new ArgumentError("Period", {
      what: `optim.contrib.sam: syncPeriod is ${syncPeriod}`,
      why: "every so many steps there is one downhill",
      fix: "pass at least 1; 2 is one step up for each one down",
    });
  const opaque = (gradients: P, state: SamState<P>, params: P, { gradFn }: SamArgs<P>): readonly [P, SamState<P>] => {
    let [advState, at, g]: [unknown, P, P] = [state.advState, params, gradients];
    for (let i = 0; i < syncPeriod - 1; i++) {
      const [updates, next] = advOptimizer.update(g, advState, at);
      [advState, at] = [next, applyUpdates(at, downward(updates)) as P];
      g = gradFn(at, i);
      if (batchAxisName !== null) g = lax.pmean(g as never, batchAxisName);
    }
    const [updates, optState] = optimizer.update(g, state.optState, params);
    const restarted: unknown = resetState ? castLike(advOptimizer.init(params), state.advState) : advState;
    return [updates, { stepsSinceSync: zeroCount(), optState, advState: restarted, cache: null }];
  };
  const transparent = (gradients: P, state: SamState<P>, params: P): readonly [P, SamState<P>] => {
    const first = np.equal(state.stepsSinceSync, 0);
    const last = np.equal(state.stepsSinceSync, syncPeriod - 1);
    const start = where(first, params, state.cache as P);
    const [up, advState] = advOptimizer.update(gradients, state.advState, params) as readonly [P, unknown];
    const [down, optState] = optimizer.update(gradients, state.optState, start) as readonly [P, unknown];
    // From where the parameters are, back to where they were, and down from there.
    const back = mapLeaves((c, p, u) => np.add(np.subtract(c, p), u), start, params, down);
    const restarted: unknown = resetState ? castLike(advOptimizer.init(params), state.advState) : state.advState;
    const next: SamState<P> = {
      stepsSinceSync: np.remainder(np.add(state.stepsSinceSync, 1), syncPeriod),
      optState: where(last, optState, state.optState),
      advState: where(last, restarted, advState),
      cache: castLike(start, params),
    };
    return [where(last, back, downward(up)), next];
  };
  return {
    init: (params) => ({
      stepsSinceSync: zeroCount(),
      optState: optimizer.init(params) as unknown,
      advState: advOptimizer.init(params) as unknown,
      cache: opaqueMode ? null : mapLeaves((p) => np.asarray(p), params),
    }),
    update: (gradients, state, params, extra) => {
      const at = requireParams("contrib.sam", params);
      if (!opaqueMode) return transparent(gradients, state, at);
      return opaque(gradients, state, at, requireExtra<SamArgs<P>>("contrib.sam", extra, ["gradFn"]));
    },
  };
}
