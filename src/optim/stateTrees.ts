/**
 * Looking into states: values found and replaced by name, wherever transformations have nested them, and functions of those
 * parts of a state that are shaped like the parameters.
 */
import { ArgumentError } from "../core/problem.ts";
import { keyString } from "../core/tree.ts";
import * as tree from "../tree/functions.ts";
import { ParamsPlaceholder, placeholder } from "./placeholder.ts";

/** One step of a path into a state: an object key, a position or a Map key. They are entries of `tree.KeyPath`. */
export type StateEntry =
  | { readonly kind: "key"; readonly key: string }
  | { readonly kind: "index"; readonly index: number }
  | { readonly kind: "mapKey"; readonly key: unknown };
export type StatePath = readonly StateEntry[];
/** Which of several values of one name is meant. */
export type Filtering = (path: StatePath, value: unknown) => boolean;
type Found = readonly [path: StatePath, value: unknown];

const isRecord = (x: unknown): x is Readonly<Record<string, unknown>> =>
  typeof x === "object" && x !== null && [Object.prototype, null].includes(Object.getPrototypeOf(x) as object);

/** A container that is searched, taken apart; null of everything else. */
function open(x: unknown): readonly (readonly [entry: StateEntry, value: unknown])[] | null {
  if (Array.isArray(x)) return x.map((value: unknown, index) => [{ kind: "index", index }, value] as const);
  if (x instanceof Map)
    return [...(x as Map<never, unknown>)].map(([key, value]) => [{ kind: "mapKey", key }, value] as const);
  return isRecord(x)
    ? Object.keys(x)
        .sort()
        .map((key) => [{ kind: "key", key }, x[key]] as const)
    : null;
}
const isNamed = (entry: StateEntry, key: string): boolean =>
  (entry.kind === "key" || entry.kind === "mapKey") && entry.key === key;

/**
 * All values of a name, with their paths.
 *
 * @param filtering keeps some: a function of path and value.
 * @example
 * optim.tree.getAllWithPath([{ count: 1 }, { mu: { count: 2 } }], "count").map(([path, x]) => [tree.keystr(path), x]) // [["[0].count", 1], ["[1].mu.count", 2]]
 */
export function getAllWithPath(state: unknown, key: string, filtering?: Filtering | null): Found[] {
  const found: Found[] = [];
  const walk = (x: unknown, path: StatePath): void => {
    for (const [entry, value] of open(x) ?? []) {
      const at = [...path, entry];
      if (isNamed(entry, key) && (!filtering || filtering(at, value))) found.push([at, value]);
      walk(value, at);
    }
  };
  walk(state, []);
  return found;
}

/**
 * The value of a name somewhere in a state; `defaultValue` if there is none, an error if there are several.
 *
 * @param filtering which of several is meant: a function of path and value.
 * @example
 * const optimizer = optim.chain(optim.clip(1), optim.adam(0.1));
 * optim.tree.get(optimizer.init(np.zeros([2])), "count") // 0
 */
export function get(state: unknown, key: string, defaultValue: unknown = null, filtering?: Filtering | null): unknown {
  const found = getAllWithPath(state, key, filtering);
  if (found.length > 1)
    throw new ArgumentError("AmbiguousKey", {
      what: `optim.tree.get: ${found.length} values are named ${JSON.stringify(key)}: ${listed(found)}`,
      why: "one value was asked for",
      fix: "pass a function of path and value that keeps one, or use optim.tree.getAllWithPath",
    });
  return found.length === 0 ? defaultValue : found[0]![1];
}
const listed = (found: readonly Found[]): string =>
  found
    .slice(0, 10)
    .map(([path]) => keyString(path))
    .join(", ");

/**
 * The state with other values for some names, wherever they are.
 *
 * @param values the new values, by name.
 * @param filtering which of several is meant: a function of path and old value.
 * @example
 * optim.tree.set([{ count: 1 }, { mu: 5 }], { count: 0 }) // [{ count: 0 }, { mu: 5 }]
 */
export function set<S>(state: S, values: Readonly<Record<string, unknown>>, filtering?: Filtering | null): S {
  for (const key of Object.keys(values))
    if (getAllWithPath(state, key, filtering).length === 0)
      throw new ArgumentError("UnknownKey", {
        what: `optim.tree.set: nothing is named ${JSON.stringify(key)}${filtering ? " where the filter holds" : ""}`,
        why: "a value that replaces none would be lost",
        fix: "look at the state: optim.tree.getAllWithPath(state, name), or tree.leavesWithPath(state)",
      });
  const replace = (x: unknown, path: StatePath): unknown => {
    const parts = open(x);
    if (parts === null) return x;
    const next = parts.map(([entry, value]): readonly [StateEntry, unknown] => {
      const at = [...path, entry];
      const key = Object.keys(values).find((k) => isNamed(entry, k));
      return [entry, key !== undefined && (!filtering || filtering(at, value)) ? values[key] : replace(value, at)];
    });
    if (Array.isArray(x)) return next.map(([, value]) => value);
    if (x instanceof Map) return new Map([...x.keys()].map((key: unknown, i) => [key, next[i]![1]]));
    return Object.fromEntries(next.map(([entry, value]) => [(entry as { key: string }).key, value]));
  };
  return replace(state, []) as S;
}

/** What makes a state: a transformation or its `init`. */
type Initable = { readonly init: (params: never) => unknown } | ((params: never) => unknown);

export interface MapParamsOptions {
  /** Applied to what is not shaped like the parameters, such as counters. */
  readonly transformNonParams?: (value: never) => unknown;
  /** Containers for which this holds count as leaves. */
  readonly isLeaf?: (x: unknown) => boolean;
}
const isMapOptions = (x: unknown): x is MapParamsOptions =>
  isRecord(x) &&
  Object.keys(x).length > 0 &&
  Object.entries(x).every(([k, f]) => ["transformNonParams", "isLeaf"].includes(k) && typeof f === "function");

/**
 * Applies a function to the leaves of those parts of a state that are trees like the parameters: the moments of `adam`, not
 * its counter.
 *
 * Which parts these are is found out by `init` with something that stands for the parameters.
 *
 * @param initable the transformation whose state it is, or its `init`.
 * @param f of a leaf, and of the corresponding leaves of `rest`.
 * @param rest trees like the parameters; then by name: `transformNonParams`, `isLeaf`.
 * @example
 * const [state] = optim.adam(0.1).init({ w: np.zeros([2]) });
 * optim.treeMapParams(optim.scaleByAdam(), (m) => m.add(1), state).mu // { w: [1, 1] }
 */
export function mapParams<S>(
  initable: Initable,
  f: (...leaves: never[]) => unknown,
  state: S,
  ...rest: readonly unknown[]
): S {
  const options: MapParamsOptions = isMapOptions(rest.at(-1)) ? (rest.at(-1) as MapParamsOptions) : {};
  const trees = isMapOptions(rest.at(-1)) ? rest.slice(0, -1) : rest;
  const init = typeof initable === "function" ? initable : initable.init;
  const marked = (init as (params: unknown) => unknown)(placeholder());
  const leaf = options.isLeaf ? [{ isLeaf: options.isLeaf }] : [];
  const other = options.transformNonParams as ((value: unknown) => unknown) | undefined;
  const map = (place: unknown, part: unknown): unknown => {
    if (place instanceof ParamsPlaceholder) return tree.map(f as never, part, ...trees, ...leaf) as unknown;
    return other ? other(part) : part;
  };
  return tree.map(map, marked, state, { isLeaf: (x: unknown) => x instanceof ParamsPlaceholder }) as S;
}
