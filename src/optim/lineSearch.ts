/**
 * What line searches share, and the simplest one: steps along the updates of another transformation that become shorter
 * until the loss goes down enough. Line searches come last in a chain, after the updates have become a direction of descent.
 */
import type { ArrayLike } from "../core/arrayMethods.ts";
import { type DType, isFloat, realDType } from "../core/dtype.ts";
import type { NDArray } from "../core/ndarray.ts";
import { ArgumentError } from "../core/problem.ts";
import { readOptions } from "../lax/arguments.ts";
import * as lax from "../lax/index.ts";
import * as np from "../numpy/index.ts";
import * as tree from "../tree/functions.ts";
import { grad as gradientOf, valueAndGrad } from "../transforms/gradient.ts";
import { type GradientTransformationExtraArgs, type Rest, requireExtra, requireParams } from "./base.ts";
import { addScale, castLike, conj, real, scale, vdot, zerosLike } from "./treeMath.ts";

/**
 * What line searches are handed by name. Data of the loss, such as a batch, are captured:
 * `{ value, grad, valueFn: (params) => loss(params, batch) }`.
 */
export interface LineSearchArgs<P> {
  /** The loss at the parameters. */
  readonly value: ArrayLike;
  /** Its gradient there: of the loss itself, not what other transformations made of it. */
  readonly grad: P;
  /** The loss. */
  readonly valueFn: (params: P) => ArrayLike;
}
export const lineSearchNames = ["value", "grad", "valueFn"] as const;

/** The real dtype that values and steps have: that of the first parameter. */
export function valueDType(params: unknown): DType {
  const [first] = tree.leaves(params) as ArrayLike[];
  const dtype = realDType(first === undefined ? "float32" : np.asarray(first).dtype);
  return isFloat(dtype) ? dtype : "float32";
}
/** The derivative of the loss along a direction. */
export const slopeAlong = (gradient: unknown, direction: unknown): NDArray => real(vdot(conj(gradient), direction));
/** x, or ∞ where it is NaN. */
export const finiteOr = (x: NDArray): NDArray => np.where(np.isnan(x), Infinity, x);

export interface BacktrackingOptions {
  /** The part of the slope that a decrease must reach (Armijo, 1966). Default 1e-4. */
  readonly slopeRtol?: ArrayLike;
  /** What a step that failed is multiplied by. Default 0.8. */
  readonly decreaseFactor?: ArrayLike;
  /** What the last step is multiplied by for the first trial. Default 1.5; Infinity always starts at the longest. */
  readonly increaseFactor?: ArrayLike;
  /** The longest step. Default 1. */
  readonly maxLearningRate?: ArrayLike;
  /** How far a decrease may be missed, absolutely and relative to the loss. Default 0. */
  readonly atol?: ArrayLike;
  readonly rtol?: ArrayLike;
  /** Keep the gradient at the new parameters, for `valueAndGradFromState`. Default false. */
  readonly storeGrad?: boolean;
}
export interface BacktrackingState<P> {
  readonly learningRate: NDArray;
  /** The loss at the new parameters. */
  readonly value: NDArray;
  /** Its gradient there, with `storeGrad`. */
  readonly grad: P | null;
  readonly info: { readonly numLinesearchSteps: NDArray; readonly decreaseError: NDArray };
}

interface Trial {
  readonly learningRate: NDArray;
  readonly value: NDArray;
  readonly decreaseError: NDArray;
  readonly count: NDArray;
}

/**
 * Multiplies updates by a step along which the loss goes down in proportion to its slope: f(p + s·u) ≤ (1 + rtol) f(p) +
 * slopeRtol·s·⟨∇f, u⟩ + atol (Nocedal and Wright, 1999, algorithm 3.1). If none is found the last, shortest step is taken.
 *
 * `update(updates, state, params, { value, grad, valueFn })`.
 *
 * @param rest `slopeRtol`, `decreaseFactor`, `increaseFactor`, `maxLearningRate`, `atol`, `rtol`, `storeGrad`.
 * @example
 * const f = (x) => np.sum(np.square(x));
 * const optimizer = optim.chain(optim.sgd(1), optim.scaleByBacktrackingLinesearch(15, { decreaseFactor: 0.5 }));
 * const x = np.array([1, 2]);
 * const [value, gradient] = valueAndGrad(f)(x);
 * optimizer.update(gradient, optimizer.init(x), x, { value, grad: gradient, valueFn: f })[0] // [-1, -2]
 */
export function scaleByBacktrackingLinesearch<P>(
  maxBacktrackingSteps: ArrayLike,
  ...rest: Rest<[ArrayLike, ArrayLike, ArrayLike, ArrayLike, ArrayLike, ArrayLike, boolean], BacktrackingOptions>
): GradientTransformationExtraArgs<P, BacktrackingState<P>, LineSearchArgs<P>> {
  const name = "scaleByBacktrackingLinesearch";
  const names = [
    "slopeRtol",
    "decreaseFactor",
    "increaseFactor",
    "maxLearningRate",
    "atol",
    "rtol",
    "storeGrad",
  ] as const;
  const given = readOptions<BacktrackingOptions>(`optim.${name}`, names, 7, rest);
  const { slopeRtol = 1e-4, decreaseFactor = 0.8, increaseFactor = 1.5, maxLearningRate = 1 } = given;
  const { atol = 0, rtol = 0, storeGrad = false } = given;
  return {
    init: (params) => {
      const dtype = valueDType(params);
      return {
        learningRate: np.ones([], dtype),
        value: np.full([], Infinity, dtype),
        grad: storeGrad ? zerosLike(params) : null,
        info: { numLinesearchSteps: np.zeros([], "int32"), decreaseError: np.full([], Infinity, dtype) },
      };
    },
    update: (updates, state, params, extra) => {
      const at = requireParams(name, params);
      const { value: before, grad, valueFn } = requireExtra(name, extra, lineSearchNames);
      const { dtype } = np.asarray(state.value);
      const slope = slopeAlong(grad, updates);
      const errorOf = (step: NDArray, value: NDArray): NDArray => {
        const allowed = np.add(np.multiply(np.add(1, rtol), before), np.multiply(step, np.multiply(slopeRtol, slope)));
        return np.maximum(finiteOr(np.subtract(value, allowed)), 0);
      };
      const goesOn = ({ decreaseError, count }: Trial): NDArray =>
        np.logicalAnd(np.greater(decreaseError, atol), np.lessEqual(count, maxBacktrackingSteps));
      const next = ({ learningRate, count }: Trial): Trial => {
        const step = np.astype(
          np.where(np.greater(count, 0), np.multiply(decreaseFactor, learningRate), learningRate),
          dtype,
        );
        const value = np.astype(np.asarray(valueFn(addScale(at, step, updates))), dtype);
        return {
          learningRate: step,
          value,
          decreaseError: np.astype(errorOf(step, value), dtype),
          count: np.add(count, 1),
        };
      };
      const longest = np.minimum(np.multiply(increaseFactor, state.learningRate), maxLearningRate);
      const last = lax.whileLoop(goesOn, next, {
        learningRate: np.astype(longest, dtype),
        value: np.astype(np.asarray(before), dtype),
        decreaseError: np.full([], Infinity, dtype),
        count: np.zeros([], "int32"),
      });
      // No step at all where even the shortest one leaves the loss infinite.
      const learningRate = np.where(np.isinf(last.decreaseError), 0, last.learningRate);
      const gradient = storeGrad ? gradientOf(valueFn as never)(addScale(at, last.learningRate, updates)) : null;
      const result: BacktrackingState<P> = {
        learningRate,
        value: last.value,
        grad: gradient as P | null,
        info: { numLinesearchSteps: last.count, decreaseError: last.decreaseError },
      };
      return [scale(learningRate, updates), castLike(result, state)];
    },
  };
}

type SearchState = Omit<BacktrackingState<unknown>, "grad"> & { readonly grad: unknown };
// Known by all its fields: parameters, which states hold too, may well have one of these names.
const isSearchState = (x: unknown): x is SearchState =>
  typeof x === "object" &&
  x !== null &&
  ["learningRate", "value", "grad", "info"].every((key) => Object.hasOwn(x, key));

/**
 * The loss and its gradient, taken from the state of a line search where it has them: the search has computed both at
 * the new parameters already. At the first step, and where the loss was not finite, they are computed.
 *
 * @example
 * const f = (x) => np.sum(np.square(x));
 * const optimizer = optim.chain(optim.sgd(1), optim.scaleByBacktrackingLinesearch(15, { storeGrad: true }));
 * const x = np.array([1, 2]);
 * optim.valueAndGradFromState(f)(x, { state: optimizer.init(x) }) // [5, [2, 4]]
 */
export function valueAndGradFromState<P, A extends readonly unknown[]>(
  valueFn: (params: P, ...args: A) => ArrayLike,
): (params: P, ...rest: readonly [...A, { readonly state: unknown }]) => readonly [value: NDArray, gradient: P] {
  return (params, ...rest) => {
    const args = rest.slice(0, -1) as unknown as A;
    const { state } = rest.at(-1) as { readonly state: unknown };
    const [search] = tree.leaves(state, { isLeaf: isSearchState }).filter(isSearchState);
    if (search === undefined || search.grad === null)
      throw new ArgumentError("NoStoredGradient", {
        what: `optim.valueAndGradFromState: the state holds no ${search ? "gradient" : "value and gradient"}`,
        why: "value and gradient are those that a line search stored",
        fix: "use optim.lbfgs, optim.scaleByZoomLinesearch, or optim.scaleByBacktrackingLinesearch with { storeGrad: true }",
      });
    const value = np.asarray(search.value);
    const gradient = search.grad as P;
    const compute = (): readonly [NDArray, P] => {
      const [v, g] = valueAndGrad((p: never) => valueFn(p, ...args) as NDArray)(params as never);
      return castLike([v, g] as readonly [NDArray, P], [value, gradient]);
    };
    const stored = (): readonly [NDArray, P] => [value, gradient];
    return lax.cond(np.isfinite(value), stored, compute) as unknown as readonly [NDArray, P];
  };
}
