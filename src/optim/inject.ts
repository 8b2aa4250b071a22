/**
 * Hyperparameters as state: what was a constant of an optimizer becomes an array in its state, which a training loop may
 * change between steps without the step being traced again, and which schedules change by themselves.
 */
import type { ArrayLike } from "../core/arrayMethods.ts";
import { type DType, isFloat } from "../core/dtype.ts";
import { NDArray } from "../core/ndarray.ts";
import { ArgumentError } from "../core/problem.ts";
import { isOptions, readOptions } from "../lax/arguments.ts";
import * as np from "../numpy/index.ts";
import {
  type ExtraArgs,
  type GradientTransformation,
  type GradientTransformationExtraArgs,
  type Schedule,
  safeIncrement,
  zeroCount,
} from "./base.ts";
import { dtype as dtypeOfTree } from "./treeMath.ts";

/** A schedule with a state of its own, which may look at `extra`: the loss, say. */
export interface StatefulSchedule<S = unknown> {
  readonly init: () => S;
  readonly update: (state: S, extra: ExtraArgs) => S;
  /** The value for a step. */
  readonly value: (state: S, extra: ExtraArgs) => ArrayLike;
}
const isStateful = (x: unknown): x is StatefulSchedule =>
  isOptions(x) && ["init", "update", "value"].every((key) => typeof x[key] === "function");

/** A schedule of the count as one that counts by itself. */
const counting = (schedule: Schedule): StatefulSchedule<{ readonly count: NDArray }> => ({
  init: () => ({ count: zeroCount() }),
  update: ({ count }) => ({ count: safeIncrement(count) }),
  value: ({ count }) => schedule(count),
});

export interface InjectHyperparamsState<S> {
  readonly count: NDArray;
  /** The values by name, those of schedules too. */
  readonly hyperparams: Readonly<Record<string, NDArray>>;
  /** The states of schedules. */
  readonly hyperparamsStates: Readonly<Record<string, unknown>>;
  readonly innerState: S;
}
export interface InjectOptions {
  /** Names of parameters that stay what they are: functions that are no schedules, numbers that decide structure. */
  readonly staticArgs?: string | readonly string[];
  /** The dtype of numbers. Default the highest of the parameters'. */
  readonly hyperparamDtype?: DType | null;
  /** The names of parameters given by position, in order. Default `["learningRate"]`. */
  readonly argNames?: readonly string[];
}

/** A parameter that may be a schedule where it may be a number, alone or by name. */
type Schedulable<T> = number extends T
  ? T | Schedule | StatefulSchedule<never>
  : T extends NDArray | ((...args: never[]) => unknown) | string | boolean | null | undefined
    ? T
    : T extends readonly unknown[]
      ? T
      : T extends object
        ? { readonly [K in keyof T]: Schedulable<T[K]> }
        : T;
type SchedulableAll<A extends readonly unknown[]> = { [K in keyof A]: Schedulable<A[K]> };

/** Where a hyperparameter goes: a position, or a name in the object at a position. */
interface Place {
  readonly at: number;
  readonly key: string | null;
}
interface Sorted {
  readonly places: Readonly<Record<string, Place>>;
  readonly numbers: Readonly<Record<string, ArrayLike>>;
  readonly schedules: Readonly<Record<string, StatefulSchedule>>;
}

/** Numbers and schedules among arguments, by name. */
function sort(args: readonly unknown[], staticArgs: readonly string[], argNames: readonly string[]): Sorted {
  const places: Record<string, Place> = {};
  const numbers: Record<string, ArrayLike> = {};
  const schedules: Record<string, StatefulSchedule> = {};
  const add = (name: string | undefined, value: unknown, place: Place): void => {
    const isNumber = typeof value === "number" || value instanceof NDArray;
    const schedule = isStateful(value) ? value : typeof value === "function" ? counting(value as Schedule) : null;
    if ((name !== undefined && staticArgs.includes(name)) || (!isNumber && schedule === null)) return;
    if (name === undefined) throw unnamed(place.at);
    places[name] = place;
    if (schedule) schedules[name] = schedule as StatefulSchedule;
    else numbers[name] = value as ArrayLike;
  };
  args.forEach((arg, at) => {
    if (isOptions(arg) && !isStateful(arg))
      for (const [key, value] of Object.entries(arg)) add(key, value, { at, key });
    else add(argNames[at], arg, { at, key: null });
  });
  return { places, numbers, schedules };
}
const unnamed = (at: number): ArgumentError =>
  new ArgumentError("HyperparamName", {
    what: `optim.injectHyperparams: argument ${at + 1} has no name`,
    why: "hyperparameters are kept by name, and JavaScript does not know those of parameters given by position",
    fix: 'give it by name, optim.injectHyperparams(optim.adam)(0.1, { b1: 0.8 }), or name positions with { argNames: ["learningRate", "b1"] }',
  });

function withValues(
  args: readonly unknown[],
  places: Readonly<Record<string, Place>>,
  values: Readonly<Record<string, NDArray>>,
): unknown[] {
  const result = args.map((arg) => (isOptions(arg) && !isStateful(arg) ? { ...arg } : arg));
  for (const [name, { at, key }] of Object.entries(places)) {
    if (key === null) result[at] = values[name];
    else (result[at] as Record<string, unknown>)[key] = values[name];
  }
  return result;
}

/**
 * Makes a function that makes optimizers put numbers and schedules among its arguments into the optimizer's state, under
 * `hyperparams`.
 *
 * What it gives takes the same arguments; where these are numbers they may also be schedules. Parameters given by name are
 * known by that name, the first one given by position is `learningRate`; `argNames` names others. To change one between
 * steps, replace it: `optim.tree.set(state, { learningRate: np.array(0.01) })`, or
 * `{ ...state, hyperparams: { ...state.hyperparams, learningRate } }`. Booleans, lists and trees stay as they are; so do
 * the parameters of `staticArgs`, needed for functions that are no schedules, such as masks, and for numbers that the
 * optimizer looks at (`threshold` of `radam` is not one, `b1` of `adan` is).
 *
 * @param innerFactory an optimizer, or a function of an object of named parameters that makes one of several parts.
 * @param options `staticArgs`, `hyperparamDtype`, `argNames`.
 * @example
 * const optimizer = optim.injectHyperparams(optim.sgd)(0.5, { momentum: 0.9 });
 * let state = optimizer.init([8]);
 * state.hyperparams // { learningRate: 0.5, momentum: 0.9 }
 * state = optim.tree.set(state, { learningRate: np.array(0.25) });
 * optimizer.update([4], state, [8])[0] // [-1]
 */
export function injectHyperparams<A extends readonly unknown[], P, S>(
  innerFactory: (...args: A) => GradientTransformation<P, S>,
  options?: InjectOptions,
): (...args: SchedulableAll<A>) => GradientTransformation<P, InjectHyperparamsState<S>>;
export function injectHyperparams<A extends readonly unknown[], P, S, E extends object>(
  innerFactory: (...args: A) => GradientTransformationExtraArgs<P, S, E>,
  options?: InjectOptions,
): (...args: SchedulableAll<A>) => GradientTransformationExtraArgs<P, InjectHyperparamsState<S>, E>;
export function injectHyperparams<A extends readonly unknown[], P, S>(
  innerFactory: (...args: A) => GradientTransformationExtraArgs<P, S>,
  options: InjectOptions = {},
): (...args: SchedulableAll<A>) => GradientTransformationExtraArgs<P, InjectHyperparamsState<S>> {
  const names = ["staticArgs", "hyperparamDtype", "argNames"] as const;
  const given = readOptions<InjectOptions>("optim.injectHyperparams", names, 0, [options]);
  const { staticArgs = [], hyperparamDtype = null, argNames = ["learningRate"] } = given;
  const fixed = typeof staticArgs === "string" ? [staticArgs] : staticArgs;
  return (...args) => {
    const { places, numbers, schedules } = sort(args, fixed, argNames);
    const inner = (values: Readonly<Record<string, NDArray>>): GradientTransformationExtraArgs<P, S> =>
      innerFactory(...(withValues(args, places, values) as unknown as A));
    return {
      init: (params) => {
        const highest = hyperparamDtype ?? dtypeOfTree(params, "highest");
        const dtype = isFloat(highest) ? highest : "float32";
        const states = mapValues(schedules, (schedule) => schedule.init());
        const hyperparams = {
          ...mapValues(numbers, (x) => toDType(x, dtype)),
          ...mapValues(schedules, (schedule, name) => toDType(schedule.value(states[name], {}), dtype)),
        };
        return {
          count: zeroCount(),
          hyperparams,
          hyperparamsStates: states,
          innerState: inner(hyperparams).init(params),
        };
      },
      update: (updates, state, params, extra) => {
        const { hyperparamsStates: states, hyperparams: old } = state;
        // In the dtypes they started with, so that the state keeps its type whatever is put in.
        const kept = mapValues(numbers, (_, name) => np.asarray(old[name]!));
        const scheduled = mapValues(schedules, (schedule, name) =>
          np.astype(np.asarray(schedule.value(states[name], extra ?? {})), np.asarray(old[name]!).dtype),
        );
        const hyperparams = { ...kept, ...scheduled };
        const [result, innerState] = inner(hyperparams).update(updates, state.innerState, params, extra);
        const hyperparamsStates = mapValues(schedules, (schedule, name) => schedule.update(states[name], extra ?? {}));
        return [result, { count: safeIncrement(state.count), hyperparams, hyperparamsStates, innerState }];
      },
    };
  };
}
/** Another name of `injectHyperparams`, which takes schedules with states as well. @example optim.injectStatefulHyperparams(optim.sgd)((n) => n.add(1)).init([0]).hyperparams // { learningRate: 1 } */
export const injectStatefulHyperparams = injectHyperparams;

const mapValues = <T, R>(object: Readonly<Record<string, T>>, f: (x: T, name: string) => R): Record<string, R> =>
  Object.fromEntries(Object.entries(object).map(([name, x]) => [name, f(x, name)]));

/** Numbers, and arrays that are weakly typed, in a dtype; other arrays keep theirs. */
function toDType(x: ArrayLike, dtype: DType): NDArray {
  const a = np.asarray(x);
  return a.weakType || typeof x === "number" ? np.astype(a, dtype) : a;
}
