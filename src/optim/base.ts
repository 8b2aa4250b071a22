/**
 * What an optimizer is: a pair of functions. `init` makes the state for a tree of parameters; `update` turns gradients
 * into updates and the state into the next one. States are plain trees, so they go through `jit`, `scan` and files.
 */
import type { ArrayLike } from "../core/arrayMethods.ts";
import type { DType } from "../core/dtype.ts";
import type { NDArray } from "../core/ndarray.ts";
import { ArgumentError } from "../core/problem.ts";
import type { Arrays } from "../core/types.ts";
import { isOptions, readOptions } from "../lax/arguments.ts";
import * as np from "../numpy/index.ts";
import * as tree from "../tree/functions.ts";

/** Optional parameters: leading ones `P` by position, then the options `O`. */
export type Rest<P extends readonly unknown[], O> = P extends readonly [infer A, ...infer B]
  ? readonly [] | readonly [O] | readonly [A | undefined, ...Rest<B, O>]
  : readonly [] | readonly [O];

/**
 * An optimizer, or a part of one.
 *
 * `P` is the tree of parameters, which gradients and updates share; `S` the state.
 */
export interface GradientTransformation<P = unknown, S = unknown> {
  readonly init: (params: P) => S;
  /** Gives `[updates, next state]`. Some transformations need the parameters too. */
  readonly update: (updates: P, state: S, params?: P) => readonly [P, S];
}

/**
 * A transformation that needs more than gradients and parameters: `update(updates, state, params, extra)`. `E` is what it
 * needs, by name: the value of the loss, the loss itself. Every `GradientTransformation` is one that needs nothing.
 *
 * Wrappers such as `chain` hand `extra` on to all that they hold, and their types ask for what any of them needs.
 */
export interface GradientTransformationExtraArgs<P = unknown, S = unknown, E extends object = ExtraArgs> {
  readonly init: (params: P) => S;
  readonly update: (updates: P, state: S, params: P | undefined, extra: E) => readonly [P, S];
}
/** What may be handed to `update` by name. */
export type ExtraArgs = Readonly<Record<string, unknown>>;

/** A pair of functions as a transformation. @example optim.GradientTransformation(() => ({}), (g, s) => [g, s]).update(3, {})[0] // 3 */
export const GradientTransformation = <P, S>(
  init: GradientTransformation<P, S>["init"],
  update: GradientTransformation<P, S>["update"],
): GradientTransformation<P, S> => ({ init, update });
/** A pair of functions as a transformation that needs more. @example optim.GradientTransformationExtraArgs(() => ({}), (g, s, p, { by }) => [g * by, s]).update(3, {}, 0, { by: 2 })[0] // 6 */
export const GradientTransformationExtraArgs = <P, S, E extends object>(
  init: GradientTransformationExtraArgs<P, S, E>["init"],
  update: GradientTransformationExtraArgs<P, S, E>["update"],
): GradientTransformationExtraArgs<P, S, E> => ({ init, update });

/** The transformation with an `update` that takes `extra`, and ignores it. @example optim.withExtraArgsSupport(optim.scale(2)).update(1, {}, 0, { value: 5 })[0] // 2 */
export const withExtraArgsSupport = <P, S, E extends object = ExtraArgs>(
  tx: GradientTransformationExtraArgs<P, S, E>,
): GradientTransformationExtraArgs<P, S, E> => tx;

/** A transformation of any state; what lists of transformations hold. */
// A state is given to `update` and comes from `init`: no type but `any` stands for all of them.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type AnyTransformation<P> = GradientTransformation<P, any>;

/** The same with `extra`. */
// `extra` is what the members of a list need together, so none of them says it alone.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type AnyTransformationExtraArgs<P> = GradientTransformationExtraArgs<P, any, any>;

/** Arrays in containers: what parameters, updates and states are. */
export type ArrayTree =
  | ArrayLike
  | null
  | undefined
  | readonly ArrayTree[]
  | ReadonlyMap<unknown, ArrayTree>
  | { readonly [key: string]: ArrayTree };
export type Params = ArrayTree;
export type Updates = ArrayTree;
export type OptState = ArrayTree;

/** The state of a transformation that remembers nothing. */
export type EmptyState = Readonly<Record<string, never>>;
/** Its `init`. @example optim.initEmptyState([1]) // {} */
export const initEmptyState = (_params?: unknown): EmptyState => ({});
/** The state of one that counts its updates. */
export interface CountState {
  readonly count: NDArray;
}

/** A value for each step: a function of the number of updates before. */
export type Schedule = (count: ArrayLike) => ArrayLike;
export type ScalarOrSchedule = ArrayLike | Schedule;
export const isSchedule = (x: unknown): x is Schedule => typeof x === "function";

/** Which parameters a transformation concerns: booleans in the shape of the parameters or a prefix of it. */
export type Mask<P> = ((params: P) => unknown) | boolean | object;
/** optax's name of `Mask`, or none. */
export type MaskOrFn<P = unknown> = Mask<P> | null;

/**
 * `readOptions` for functions that also take a mask by position: a trailing plain object is options only if it is not
 * empty and all its keys are options, else it is the mask.
 */
export function readOptionsOrMask<T extends object>(
  name: string,
  names: readonly (keyof T & string)[],
  positional: number,
  rest: readonly unknown[],
): Partial<T> {
  const last = rest.at(-1);
  const isMask =
    isOptions(last) && rest.length > 1 && !Object.keys(last).some((k) => (names as readonly string[]).includes(k));
  return readOptions<T>(name, names, positional, isMask ? [...rest, {}] : rest);
}

/** A dtype for accumulators; by default that of the parameters. */
export type AccumulatorDType = DType | null | undefined;

/** A transformation from its update alone. */
export const stateless = <P>(f: (updates: P, params: P | undefined) => P): GradientTransformation<P, EmptyState> => ({
  init: initEmptyState,
  update: (updates, state, params) => [f(updates, params), state],
});

/** Passes updates through. @example optim.identity().update(1, {})[0] // 1 */
export const identity = <P>(): GradientTransformation<P, EmptyState> => stateless<P>((updates) => updates);

/** Replaces updates by zeros. @example optim.setToZero().update({ w: np.array([1, 2]) }, {})[0] // { w: [0, 0] } */
export const setToZero = <P>(): GradientTransformation<P, EmptyState> => stateless<P>(zeros);
const zeros = <P>(t: P): P => mapLeaves((x) => np.zerosLike(x), t);

/** Maps the leaves of trees of one structure. */
export const mapLeaves = <P, R extends readonly unknown[]>(
  f: (x: NDArray, ...rest: { [K in keyof R]: NDArray }) => unknown,
  first: P,
  ...rest: R
): P => tree.map(f as (...leaves: unknown[]) => unknown, first, ...rest);

/** The parameters, which must be given. */
export function requireParams<P>(name: string, params: P | undefined): P {
  if (params !== undefined && params !== null) return params;
  throw new ArgumentError("NoParams", {
    what: `optim.${name}: update was called without the parameters`,
    why: "the updates of this transformation depend on the parameters",
    fix: "pass them: optimizer.update(gradients, state, params)",
  });
}

/** What an update was handed by name, which must hold all of `names`. */
export function requireExtra<E extends object>(
  name: string,
  extra: E | undefined,
  names: readonly (keyof E & string)[],
): E {
  const missing = names.filter((n) => (extra as Partial<E> | undefined)?.[n] === undefined);
  if (extra !== undefined && missing.length === 0) return extra;
  throw new ArgumentError("NoExtraArgs", {
    what: `optim.${name}: update was called without ${missing.join(", ")}`,
    why: "the updates of this transformation depend on more than gradients and parameters",
    fix: `pass them by name: optimizer.update(gradients, state, params, { ${names.join(", ")} })`,
  });
}

/** The first value of a counter. */
export const zeroCount = (): NDArray => np.zeros([], "int32");

/** One more, up to the greatest value. @example optim.safeIncrement(np.array(3)) // 4 */
export function safeIncrement(count: ArrayLike): NDArray {
  const last = np.asarray(count).dtype === "int32" ? 2 ** 31 - 1 : Infinity;
  return np.where(np.less(count, last), np.add(count, 1), count);
}
/** Another name of `safeIncrement`. @example optim.safeInt32Increment(np.array(3)) // 4 */
export const safeInt32Increment = safeIncrement;

/** 1 − x, in double precision if x is a number. */
export const oneMinus = (x: ArrayLike): ArrayLike => (typeof x === "number" ? 1 - x : np.subtract(1, x));

/** Adds updates to parameters, keeping the parameters' dtypes. @example optim.applyUpdates([1, 2], [10, 20]) // [11, 22] */
export const applyUpdates = <P>(params: P, updates: unknown): Arrays<P> =>
  mapLeaves((p, u) => np.astype(np.add(p, u), np.asarray(p).dtype), params, updates) as Arrays<P>;

/**
 * `stepSize`·new + (1 − stepSize)·old, leaf by leaf: a running average of parameters.
 *
 * @example
 * optim.incrementalUpdate([10], [0], 0.5) // [5]
 */
export const incrementalUpdate = <P>(newTensors: P, oldTensors: P, stepSize: ArrayLike): Arrays<P> =>
  mapLeaves(
    (x, y) => np.add(np.multiply(stepSize, x), np.multiply(oneMinus(stepSize), y)),
    newTensors,
    oldTensors,
  ) as Arrays<P>;

/** The new tree every `updatePeriod` steps, the old one otherwise. @example optim.periodicUpdate([1], [0], 4, 2) // [1] */
export function periodicUpdate<P>(newTensors: P, oldTensors: P, steps: ArrayLike, updatePeriod: ArrayLike): Arrays<P> {
  const due = np.equal(np.remainder(steps, updatePeriod), 0);
  return mapLeaves((x, y) => np.where(due, x, y), newTensors, oldTensors) as Arrays<P>;
}
