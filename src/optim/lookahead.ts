/** Lookahead (Zhang et al., 2019): an optimizer explores with fast parameters, and slow ones follow now and then. */
import type { ArrayLike } from "../core/arrayMethods.ts";
import type { NDArray } from "../core/ndarray.ts";
import { ArgumentError } from "../core/problem.ts";
import { readOptions } from "../lax/arguments.ts";
import * as np from "../numpy/index.ts";
import { type GradientTransformation, type Rest, mapLeaves, oneMinus, requireParams, zeroCount } from "./base.ts";
import { castLike, where } from "./treeMath.ts";

/** The parameters that gradients are taken at, and those that follow. The slow ones are the better model. */
export interface LookaheadParams<P> {
  readonly fast: P;
  readonly slow: P;
}
/** Fast and slow parameters. @example optim.LookaheadParams.initSynced([1]) // { fast: [1], slow: [1] } */
export const LookaheadParams = /* @__PURE__ */ Object.assign(
  <P>(fast: P, slow: P): LookaheadParams<P> => ({ fast, slow }),
  { initSynced: <P>(params: P): LookaheadParams<P> => ({ fast: params, slow: params }) },
);

export interface LookaheadState<S> {
  readonly fastState: S;
  readonly stepsSinceSync: NDArray;
}
/**
 * Takes gradients with respect to the fast parameters; gives updates of both.
 */
export interface Lookahead<P, S> {
  readonly init: (params: LookaheadParams<P>) => LookaheadState<S>;
  readonly update: (
    updates: P,
    state: LookaheadState<S>,
    params: LookaheadParams<P>,
  ) => readonly [LookaheadParams<P>, LookaheadState<S>];
}

/**
 * Every `syncPeriod` steps the slow parameters go a part of the way to the fast ones, and the fast ones start again there.
 *
 * @param slowStepSize the part of the way.
 * @param rest `resetState`: start the fast optimizer's state anew, too (default false).
 * @example
 * const optimizer = optim.lookahead(optim.sgd(1), 2, 0.5);
 * const params = optim.LookaheadParams.initSynced([8]);
 * const [, state] = optimizer.update([1], optimizer.init(params), params);
 * optimizer.update([1], state, optim.LookaheadParams([7], [8]))[0] // { fast: [0], slow: [-1] }
 */
export function lookahead<P, S>(
  fastOptimizer: GradientTransformation<P, S>,
  syncPeriod: number,
  slowStepSize: ArrayLike,
  ...rest: Rest<[boolean], { readonly resetState?: boolean }>
): Lookahead<P, S> {
  const { resetState = false } = readOptions<{ resetState: boolean }>("optim.lookahead", ["resetState"], 1, rest);
  if (syncPeriod < 1)
    throw new ArgumentError("Period", {
      what: `optim.lookahead: syncPeriod is ${syncPeriod}`,
      why: "the slow parameters follow after some steps",
      fix: "pass at least 1",
    });
  return {
    init: ({ fast }) => ({ fastState: fastOptimizer.init(fast), stepsSinceSync: zeroCount() }),
    update: (gradients, { fastState, stepsSinceSync }, params) => {
      const { fast, slow } = requireParams("lookahead", params);
      const [updates, moved] = fastOptimizer.update(gradients, fastState, fast);
      const sync = np.equal(stepsSinceSync, syncPeriod - 1);
      const ahead = mapLeaves((f, u, s) => np.subtract(np.add(f, u), s), fast, updates, slow);
      const back = mapLeaves(
        (u, d) => np.where(sync, np.subtract(u, np.multiply(oneMinus(slowStepSize), d)), u),
        updates,
        ahead,
      );
      const follow = mapLeaves((d) => np.where(sync, np.multiply(slowStepSize, d), 0), ahead);
      const next = resetState ? where(sync, castLike(fastOptimizer.init(fast), moved), moved) : moved;
      const steps = np.remainder(np.add(stepsSinceSync, 1), syncPeriod);
      return [
        { fast: back, slow: follow },
        { fastState: next, stepsSinceSync: steps },
      ];
    },
  };
}
