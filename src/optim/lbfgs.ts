/**
 * L-BFGS: Newton's method with an inverse Hessian that is known from the last few differences of parameters and
 * gradients (Nocedal and Wright, 1999, algorithms 7.4 and 7.5).
 */
import type { ArrayLike } from "../core/arrayMethods.ts";
import type { NDArray } from "../core/ndarray.ts";
import { ArgumentError } from "../core/problem.ts";
import { isOptions, readOptions } from "../lax/arguments.ts";
import * as lax from "../lax/index.ts";
import * as np from "../numpy/index.ts";
import {
  type AnyTransformationExtraArgs,
  type GradientTransformation,
  type GradientTransformationExtraArgs,
  type Rest,
  type ScalarOrSchedule,
  identity,
  mapLeaves,
  requireParams,
  safeIncrement,
  zeroCount,
} from "./base.ts";
import { chain } from "./combine.ts";
import type { Chain } from "./descend.ts";
import { type LineSearchArgs, valueDType } from "./lineSearch.ts";
import { scale, scaleByLearningRate } from "./scaling.ts";
import { addScale, castLike, norm, real, scale as scaleTree, sub, vdot, where, zerosLike } from "./treeMath.ts";
import { scaleByZoomLinesearch } from "./zoomLineSearch.ts";

export interface LbfgsState<P> {
  readonly count: NDArray;
  /** The last parameters and gradients. */
  readonly params: P;
  readonly updates: P;
  /** Their differences, along a new first axis: the latest is at (count − 1) mod memorySize. */
  readonly diffParamsMemory: P;
  readonly diffUpdatesMemory: P;
  /** 1 / ⟨difference of gradients, difference of parameters⟩; 0 where there is none. */
  readonly weightsMemory: NDArray;
}
export interface LbfgsScalingOptions {
  /** How many differences are remembered. Default 10. */
  readonly memorySize?: number;
  /** Scale the identity that the estimate starts from (default). */
  readonly scaleInitPrecond?: boolean;
}
const realDot = (x: unknown, y: unknown): NDArray => real(vdot(x, y));

/** The inverse Hessian times a vector: two passes over the memory, from the newest difference back and forth again. */
function precondition<P>(vector: P, scaling: ArrayLike, state: Omit<LbfgsState<P>, "params" | "updates">): P {
  const { diffParamsMemory, diffUpdatesMemory, weightsMemory } = state;
  const size = np.shape(weightsMemory)[0]!;
  const pick = (memory: P, i: NDArray): P => mapLeaves((x) => np.take(x, i, { axis: 0 }), memory);
  // From the oldest to the newest, which this step stored at count − 1.
  const order = np.remainder(np.add(state.count, np.arange(size)), size);
  const back = (q: P, i: NDArray): readonly [P, NDArray] => {
    const alpha = np.multiply(np.take(weightsMemory, i), realDot(pick(diffParamsMemory, i), q));
    return [castLike(addScale(q, np.negative(alpha), pick(diffUpdatesMemory, i)), vector), alpha];
  };
  const [inner, alphas] = lax.scan(back, vector as never, order, { reverse: true }) as unknown as [P, NDArray];
  const forth = (r: P, [i, alpha]: readonly [NDArray, NDArray]): readonly [P, null] => {
    const beta = np.multiply(np.take(weightsMemory, i), realDot(pick(diffUpdatesMemory, i), r));
    return [castLike(addScale(r, np.subtract(alpha, beta), pick(diffParamsMemory, i)), vector), null];
  };
  const start = castLike(scaleTree(scaling, inner), vector);
  return lax.scan(forth as never, start as never, [order, alphas])[0];
}

/**
 * Multiplies gradients by an estimate of the inverse Hessian.
 *
 * The first update is the gradient, shortened to norm 1 if it is longer. The parameters must be handed to `update`.
 *
 * @param rest `memorySize` (default 10), `scaleInitPrecond` (default true).
 * @example
 * const t = optim.scaleByLbfgs();
 * t.update(np.array([0, 8]), t.init(np.array([0, 4])), np.array([0, 4]))[0] // [0, 1]
 */
export function scaleByLbfgs<P>(
  ...rest: Rest<[number, boolean], LbfgsScalingOptions>
): GradientTransformation<P, LbfgsState<P>> {
  const names = ["memorySize", "scaleInitPrecond"] as const;
  const given = readOptions<LbfgsScalingOptions>("optim.scaleByLbfgs", names, 2, rest);
  const { memorySize = 10, scaleInitPrecond = true } = given;
  if (!Number.isInteger(memorySize) || memorySize < 1)
    throw new ArgumentError("MemorySize", {
      what: `optim.scaleByLbfgs: memorySize is ${memorySize}`,
      why: "the inverse Hessian is made of the last differences",
      fix: "pass a positive integer; about 10 is usual",
    });
  return {
    init: (params) => {
      const memory = mapLeaves((x) => np.zeros([memorySize, ...np.shape(x)], np.asarray(x).dtype), params);
      return {
        count: zeroCount(),
        params: zerosLike(params),
        updates: zerosLike(params),
        diffParamsMemory: memory,
        diffUpdatesMemory: memory,
        weightsMemory: np.zeros([memorySize], valueDType(params)),
      };
    },
    update: (updates, state, params) => {
      const at = requireParams("scaleByLbfgs", params);
      const { count } = state;
      const begun = np.greater(count, 0);
      const onlyIfBegun = <T>(t: T): T => where(begun, t, zerosLike(t));
      const dp = onlyIfBegun(sub(at, state.params));
      const du = onlyIfBegun(sub(updates, state.updates));
      const product = realDot(du, dp);
      const flat = np.equal(product, 0);
      const weight = np.where(flat, 0, np.divide(1, np.where(flat, 1, product)));
      const place = np.remainder(np.subtract(count, 1), memorySize);
      const store = <T>(memory: T, value: T): T =>
        mapLeaves(
          (m, x) =>
            np
              .asarray(m)
              .at(place)
              .set(np.astype(np.asarray(x), np.asarray(m).dtype)),
          memory,
          value,
        );
      const memories = {
        count,
        diffParamsMemory: store(state.diffParamsMemory, dp),
        diffUpdatesMemory: store(state.diffUpdatesMemory, du),
        weightsMemory: store(state.weightsMemory, weight),
      };
      const scaling = scaleInitPrecond ? initialScale(updates, du, product, begun) : 1;
      const result = precondition(updates, scaling, memories);
      return [result, { ...memories, count: safeIncrement(count), params: at, updates }];
    },
  };
}

/** ⟨Δg, Δp⟩ / ‖Δg‖², the size of the inverse Hessian along the last step; at first at most a step of norm 1. */
function initialScale(updates: unknown, du: unknown, product: NDArray, begun: NDArray): NDArray {
  const square = norm(du, { squared: true });
  const moved = np.greater(square, 0);
  const ratio = np.where(moved, np.divide(product, np.where(moved, square, 1)), 1);
  const size = norm(updates);
  const zero = np.equal(size, 0);
  const capped = np.minimum(1, np.divide(1, np.where(zero, 1, size)));
  return np.where(begun, ratio, capped);
}

export interface LbfgsOptions extends LbfgsScalingOptions {
  /** A fixed step or schedule before the line search. Default null: 1. */
  readonly learningRate?: ScalarOrSchedule | null;
}
type Search<P> = AnyTransformationExtraArgs<P>;
type LbfgsRest<L, O> = Rest<[ScalarOrSchedule | null, number, boolean, L], O>;
/**
 * L-BFGS with a line search, for losses that are the same at every step (Liu and Nocedal, 1989).
 *
 * `update(gradients, state, params, { value, grad, valueFn })`. `valueAndGradFromState` saves computing loss and gradient
 * again that the line search has computed.
 *
 * @param rest `learningRate`, `memorySize` (default 10), `scaleInitPrecond` (default true), `linesearch` (default
 *   `scaleByZoomLinesearch(20, { initialGuessStrategy: "one" })`; null for none, which then needs a learning rate).
 * @example
 * const f = (x) => np.sum(np.square(x.sub(3)));
 * const optimizer = optim.lbfgs();
 * let x = np.zeros([2]);
 * let state = optimizer.init(x);
 * for (let i = 0; i < 3; i++) {
 *   const [value, gradient] = optim.valueAndGradFromState(f)(x, { state });
 *   let updates;
 *   [updates, state] = optimizer.update(gradient, state, x, { value, grad: gradient, valueFn: f });
 *   x = optim.applyUpdates(x, updates);
 * }
 * x // [3, 3]
 */
export function lbfgs<P>(
  ...rest:
    | readonly [LbfgsOptions & { readonly linesearch: null }]
    | readonly [ScalarOrSchedule | null | undefined, LbfgsOptions & { readonly linesearch: null }]
): Chain<P>;
export function lbfgs<P>(
  ...rest: LbfgsRest<Search<P>, LbfgsOptions & { readonly linesearch?: Search<P> }>
): GradientTransformationExtraArgs<P, readonly unknown[], LineSearchArgs<P>>;
export function lbfgs<P>(...rest: readonly unknown[]): AnyTransformationExtraArgs<P> {
  type Options = LbfgsOptions & { readonly linesearch?: Search<P> | null };
  const names = ["learningRate", "memorySize", "scaleInitPrecond", "linesearch"] as const;
  // A transformation is a plain object too: as the last argument by position it is no options.
  const isSearch = isOptions(rest.at(-1)) && "update" in (rest.at(-1) as object);
  const given = readOptions<Options>("optim.lbfgs", names, 4, isSearch ? [...rest, {}] : rest);
  const { learningRate = null, memorySize = 10, scaleInitPrecond = true } = given;
  const { linesearch = scaleByZoomLinesearch<P>(20, { initialGuessStrategy: "one" }) } = given;
  return chain(
    scaleByLbfgs<P>({ memorySize, scaleInitPrecond }),
    learningRate === null ? scale<P>(-1) : scaleByLearningRate<P>(learningRate),
    linesearch ?? identity<P>(),
  ) as AnyTransformationExtraArgs<P>;
}
