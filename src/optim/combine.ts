/** Transformations of transformations: chains, the monoid they form, masks, partitions. */
import type { Monoid } from "fp-ts/lib/Monoid.js";
import { ArgumentError } from "../core/problem.ts";
import * as tree from "../tree/functions.ts";
import {
  type AnyTransformation,
  type AnyTransformationExtraArgs,
  type ExtraArgs,
  type GradientTransformation,
  type GradientTransformationExtraArgs,
  type Mask,
  identity,
  setToZero,
} from "./base.ts";
import { ParamsPlaceholder } from "./placeholder.ts";

// eslint-disable-next-line @typescript-eslint/no-explicit-any
type Anything = any;
type ParamsOf<T> = T extends GradientTransformationExtraArgs<infer P, Anything, Anything> ? P : never;
type StateOf<T> = T extends GradientTransformationExtraArgs<Anything, infer S, Anything> ? S : never;
/** What a transformation needs by name; unknown if nothing. */
type ExtraOf<T> =
  T extends GradientTransformation<Anything, Anything>
    ? unknown
    : T extends GradientTransformationExtraArgs<Anything, Anything, infer E>
      ? E
      : never;
/** What the members of a list need together. */
type AllExtra<T extends readonly unknown[]> = T extends readonly [infer F, ...infer R]
  ? ExtraOf<F> & AllExtra<R>
  : unknown;
/** The parameters that all members of a list are about: those that are not about any tree decide. */
type CommonParams<T extends readonly unknown[]> = Specific<{ [K in keyof T]: OnlySpecific<ParamsOf<T[K]>> }[number]>;
type OnlySpecific<P> = unknown extends P ? never : P;
type Specific<P> = [P] extends [never] ? unknown : P;

/**
 * Applies transformations one after the other, the first one to the gradients. The state is the list of their states.
 *
 * If one of them needs more than gradients and parameters (a line search, say), so does the chain:
 * `update(updates, state, params, extra)`; all are handed `extra`.
 *
 * @example
 * optim.chain(optim.clip(1), optim.scale(-2)).update([np.array([3, 0.5])], [{}, {}])[0] // [[-2, -1]]
 */
export function chain<T extends readonly AnyTransformation<Anything>[]>(
  ...transformations: T
): GradientTransformation<CommonParams<T>, { readonly [K in keyof T]: StateOf<T[K]> }>;
export function chain<P, S extends readonly unknown[]>(
  ...transformations: { readonly [K in keyof S]: GradientTransformation<P, S[K]> }
): GradientTransformation<P, S>;
export function chain<T extends readonly AnyTransformationExtraArgs<Anything>[]>(
  ...transformations: T
): GradientTransformationExtraArgs<CommonParams<T>, { readonly [K in keyof T]: StateOf<T[K]> }, AllExtra<T> & object>;
export function chain(
  ...transformations: readonly AnyTransformationExtraArgs<Anything>[]
): AnyTransformationExtraArgs<Anything> {
  return {
    init: (params) => transformations.map((t): unknown => t.init(params)),
    update: (updates, state: readonly unknown[], params, extra) => {
      const next: unknown[] = [];
      const result: unknown = transformations.reduce((u: unknown, t, i) => {
        const [v, s] = t.update(u, state[i], params, extra);
        next.push(s);
        return v as unknown;
      }, updates);
      return [result, next];
    },
  };
}

/**
 * Transformations form a monoid: `chain` is associative in its updates, `identity` does nothing.
 *
 * @example
 * optim.monoid.concat(optim.scale(2), optim.scale(5)).update([1], [{}, {}])[0] // [10]
 */
// A monoid is of one type; the trees of its members are known where they are used.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export const monoid: Monoid<AnyTransformation<any>> = {
  empty: /* @__PURE__ */ identity(),
  concat: (first, second) => chain(first, second),
};

/** The monoid for parameters of a known type. */
export const monoidOf = <P>(): Monoid<AnyTransformation<P>> => monoid;

/**
 * A chain whose state is an object with the given names.
 *
 * @example
 * optim.namedChain(["double", optim.scale(2)]).update([1], { double: {} })[0] // [2]
 */
export function namedChain<P>(
  ...named: readonly (readonly [name: string, transformation: AnyTransformation<P>])[]
): GradientTransformation<P, Readonly<Record<string, unknown>>>;
export function namedChain<P>(
  ...named: readonly (readonly [name: string, transformation: AnyTransformationExtraArgs<P>])[]
): GradientTransformationExtraArgs<P, Readonly<Record<string, unknown>>>;
export function namedChain(
  ...named: readonly (readonly [name: string, transformation: AnyTransformationExtraArgs<Anything>])[]
): AnyTransformationExtraArgs<Anything> {
  const names = named.map(([name]) => name);
  const whole = chain(...named.map(([, t]) => t)) as AnyTransformationExtraArgs<Anything>;
  const object = (states: readonly unknown[]) => Object.fromEntries(names.map((n, i) => [n, states[i]]));
  return {
    init: (params) => object(whole.init(params) as readonly unknown[]),
    update: (updates, state: Readonly<Record<string, unknown>>, params, extra) => {
      const states = names.map((n) => state[n]);
      const [u, next] = whole.update(updates, states, params, extra);
      return [u as unknown, object(next as readonly unknown[])];
    },
  };
}

// ---------------------------------------------------------------- masks

const resolve = <P>(mask: Mask<P>, params: P): unknown =>
  typeof mask === "function" ? (mask as (p: P) => unknown)(params) : mask;

/** The tree without the parts whose mask is false. */
const keep = (mask: unknown, t: unknown): unknown =>
  tree.map((m: unknown, part: unknown) => (m ? part : null), mask, t);

/** The state of a transformation inside another. */
export interface InnerState<S> {
  readonly innerState: S;
}

/**
 * Applies a transformation to some parameters; the updates of the others pass through.
 *
 * @param mask booleans in the shape of the parameters or a prefix of it, or a function that makes them of parameters.
 * @example
 * optim.masked(optim.scale(2), { a: true, b: false }).update({ a: 1, b: 1 }, { innerState: {} })[0] // { a: 2, b: 1 }
 */
export function masked<P, S>(
  inner: GradientTransformation<P, S>,
  mask: Mask<P>,
): GradientTransformation<P, InnerState<S>>;
export function masked<P, S, E extends object>(
  inner: GradientTransformationExtraArgs<P, S, E>,
  mask: Mask<P>,
): GradientTransformationExtraArgs<P, InnerState<S>, E>;
export function masked<P, S>(
  inner: GradientTransformationExtraArgs<P, S>,
  mask: Mask<P>,
): GradientTransformationExtraArgs<P, InnerState<S>> {
  return {
    init: (params) => ({
      // What stands for all parameters has no parts.
      innerState: inner.init(params instanceof ParamsPlaceholder ? params : (keep(resolve(mask, params), params) as P)),
    }),
    update: (updates, state, params, extra) => {
      const which = resolve(mask, updates);
      const given = params === undefined ? undefined : (keep(which, params) as P);
      const [changed, innerState] = inner.update(keep(which, updates) as P, state.innerState, given, extra);
      const pick = (m: unknown, u: unknown, old: unknown): unknown => (m ? u : old);
      return [tree.map(pick, which as object, changed, updates) as P, { innerState }];
    },
  };
}

/** Wraps a transformation in a mask, if there is one. */
export const maskedIf = <P, S>(
  inner: GradientTransformation<P, S>,
  mask: Mask<P> | null | undefined,
): AnyTransformation<P> => (mask == null ? inner : masked(inner, mask));

/** Zeroes the updates of masked parameters. @example optim.freeze({ a: true, b: false }).update({ a: 1, b: 1 }, { innerState: {} })[0] // { a: 0, b: 1 } */
export const freeze = <P>(mask: Mask<P>): AnyTransformation<P> => masked(setToZero<P>(), mask);

/**
 * Trains some parameters and freezes the others: their updates are zero, and no state is kept for them.
 *
 * @param options `freezeMask`: true for what does not change, in the shape of the parameters or a prefix of it.
 * @example
 * const f = optim.selectiveTransform(optim.scale(9), { freezeMask: { a: true, b: false } });
 * f.update({ a: 1, b: 1 }, f.init({ a: 1, b: 1 }))[0] // { a: 0, b: 9 }
 */
export const selectiveTransform = <P>(
  optimizer: AnyTransformation<P>,
  { freezeMask }: { readonly freezeMask: Mask<P> },
): GradientTransformation<P, PartitionState> =>
  partition<P>({ train: optimizer, freeze: setToZero<P>() }, (params: P) =>
    tree.map((frozen: unknown) => (frozen ? "freeze" : "train"), resolve(freezeMask, params)),
  );

/** The states of the groups, by label. */
export interface PartitionState {
  readonly innerStates: Readonly<Record<string, unknown>>;
}

/**
 * Applies a different transformation to each group of parameters.
 *
 * @param transforms by label.
 * @param paramLabels a label for each parameter, as a tree of strings or a prefix of it, or a function that makes it.
 * @example
 * const f = optim.partition({ slow: optim.scale(1), fast: optim.scale(9) }, { a: "slow", b: "fast" });
 * f.update({ a: 1, b: 1 }, f.init({ a: 1, b: 1 }))[0] // { a: 1, b: 9 }
 */
export function partition<P>(
  transforms: Readonly<Record<string, AnyTransformation<P>>>,
  paramLabels: string | object | ((params: P) => unknown),
): GradientTransformation<P, PartitionState>;
export function partition<P>(
  transforms: Readonly<Record<string, AnyTransformationExtraArgs<P>>>,
  paramLabels: string | object | ((params: P) => unknown),
): GradientTransformationExtraArgs<P, PartitionState>;
export function partition<P>(
  transforms: Readonly<Record<string, AnyTransformationExtraArgs<P>>>,
  paramLabels: string | object | ((params: P) => unknown),
): GradientTransformationExtraArgs<P, PartitionState> {
  const labelsOf = (params: P): object => resolve<P>(paramLabels as Mask<P>, params) as object;
  const group = (label: string): GradientTransformationExtraArgs<P, InnerState<unknown>, ExtraArgs> =>
    masked(transforms[label]!, (params) => tree.map((l: unknown) => l === label, labelsOf(params)));
  const labels = Object.keys(transforms).sort();
  return {
    init: (params) => {
      if (!(params instanceof ParamsPlaceholder)) checkLabels(labels, tree.leaves(labelsOf(params)));
      return { innerStates: Object.fromEntries(labels.map((l) => [l, group(l).init(params)])) };
    },
    update: (updates, { innerStates }, params, extra) => {
      const next: Record<string, unknown> = {};
      const result = labels.reduce((u, l) => {
        const [v, s] = group(l).update(u, innerStates[l] as InnerState<unknown>, params, extra);
        next[l] = s;
        return v;
      }, updates);
      return [result, { innerStates: next }];
    },
  };
}
/** Another name of `partition`. */
export const multiTransform = partition;

function checkLabels(known: readonly string[], used: readonly unknown[]): void {
  const wrong = used.find((l) => !known.includes(l as string));
  if (wrong === undefined) return;
  throw new ArgumentError("UnknownLabel", {
    what: `optim.partition: a parameter is labelled ${JSON.stringify(wrong)}, but there is no such transformation`,
    why: "the label of a parameter names the transformation of its updates",
    fix: `use one of ${known.join(", ")}, or add { ${String(wrong)}: optim.setToZero() }`,
  });
}
