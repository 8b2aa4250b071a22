/**
 * Functions on pytrees, with JAX's names: leaves, structures, maps, reductions, paths.
 */
import { asArray } from "../core/operands.ts";
import type { ArrayLike } from "../core/arrayMethods.ts";
import { ArgumentError, TreeError } from "../core/problem.ts";
import {
  type IsLeaf,
  type KeyEntry,
  type KeyPath,
  type TreeDef,
  flattenByPath,
  flatten as flattenTree,
  flattenUpTo,
  keyString,
  treeDifferences,
  unflatten as unflattenTree,
} from "../core/tree.ts";

/** Options of functions that take a tree apart. */
export interface TreeOptions {
  /** Containers for which this holds count as leaves. */
  readonly isLeaf?: IsLeaf;
}

// Leaves of user trees have types that only the caller knows.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
type Leaf = any;

/** Leaves and structure. @example tree.flatten({ b: 2, a: 1 })[0] // [1, 2] */
export const flatten = (tree: unknown, options: TreeOptions = {}): [leaves: Leaf[], treedef: TreeDef] =>
  flattenTree(tree, options.isLeaf);

/** The tree with this structure and these leaves. */
export const unflatten = (treedef: TreeDef, leaves: Iterable<unknown>): Leaf => unflattenTree(treedef, [...leaves]);

/** The leaves. @example tree.leaves([1, [2, null], { a: 3 }]) // [1, 2, 3] */
export const leaves = (tree: unknown, options: TreeOptions = {}): Leaf[] => flattenTree(tree, options.isLeaf)[0];

/** The structure; compare with `equals`. */
export const structure = (tree: unknown, options: TreeOptions = {}): TreeDef => flattenTree(tree, options.isLeaf)[1];

/**
 * Applies `f` to each leaf; with more trees, to the corresponding parts of all (the first one's structure counts).
 *
 * @example
 * tree.map((x, y) => x + y, { a: 1, b: [2] }, { a: 10, b: [20] }) // { a: 11, b: [22] }
 */
export function map<T>(
  f: (...leaves: Leaf[]) => unknown,
  tree: T,
  ...rest: readonly unknown[]
): T extends object ? { [K in keyof T]: Leaf } : Leaf {
  const [others, { isLeaf }] = splitOptions<TreeOptions>(rest, isTreeOptions);
  const [first, def] = flattenTree(tree, isLeaf);
  return mapLeaves("tree.map", f, first, def, others) as never;
}

const isTreeOptions = (key: string, value: unknown): boolean => key === "isLeaf" && typeof value === "function";
const isPathOptions = (key: string, value: unknown): boolean =>
  isTreeOptions(key, value) || (key === "isLeafTakesPath" && typeof value === "boolean");

/** Further trees, and options behind them: a last object all of whose fields are options. */
function splitOptions<O extends object>(
  rest: readonly unknown[],
  isOption: (key: string, value: unknown) => boolean,
): [trees: readonly unknown[], options: O] {
  const last = rest.at(-1);
  const fields = typeof last === "object" && last !== null && !Array.isArray(last) ? Object.entries(last) : [];
  if (fields.length === 0 || !fields.every(([k, v]) => isOption(k, v))) return [rest, {} as O];
  return [rest.slice(0, -1), last as O];
}

function mapLeaves(
  name: string,
  f: (...leaves: Leaf[]) => unknown,
  first: readonly Leaf[],
  def: TreeDef,
  others: readonly unknown[],
): Leaf {
  const parts = others.map((r) => flattenUpTo(def, r, name));
  return unflattenTree(
    def,
    first.map((x, i) => f(x, ...parts.map((p) => p[i]))),
  );
}

/** Combines all leaves from the left. @example tree.reduce((a, b) => a + b, { a: 1, b: [2, 3] }, 0) // 6 */
export function reduce(
  f: (accumulated: Leaf, leaf: Leaf) => unknown,
  tree: unknown,
  ...rest: readonly [initial?: unknown, options?: TreeOptions]
): Leaf {
  const [given, options] = splitOptions<TreeOptions & { initializer?: unknown }>(
    rest,
    (key, value) => key === "initializer" || isTreeOptions(key, value),
  );
  const initial = given.length > 0 && given[0] !== undefined ? given[0] : options.initializer;
  const all = leaves(tree, options);
  if (initial !== undefined) return all.reduce((a, b) => f(a, b), initial);
  if (all.length === 0)
    throw new ArgumentError("EmptyReduce", {
      what: "tree.reduce: the tree has no leaves and no initial value is given",
      why: "there is nothing to start from",
      fix: "pass an initial value",
    });
  return all.reduce((a, b) => f(a, b));
}

/** Combines all leaves by an associative function, in a balanced order. */
export function reduceAssociative(
  f: (a: Leaf, b: Leaf) => unknown,
  tree: unknown,
  options: TreeOptions & { readonly identity?: unknown } = {},
): Leaf {
  let level = leaves(tree, options);
  if (level.length === 0) return reduce(f, tree, options.identity);
  while (level.length > 1)
    level = Array.from({ length: Math.ceil(level.length / 2) }, (_, i) =>
      2 * i + 1 < level.length ? f(level[2 * i], level[2 * i + 1]) : level[2 * i],
    );
  return level[0];
}

/** Whether all leaves are truthy; arrays of one element count by their value. */
export const all = (tree: unknown, options: TreeOptions = {}): boolean =>
  leaves(tree, options).every((x: unknown) =>
    typeof x === "object" && x !== null ? Boolean(asArray(x as ArrayLike, "tree.all").item()) : Boolean(x),
  );

/** Options of functions that give paths. */
export interface PathOptions {
  /** Containers for which this holds count as leaves. */
  readonly isLeaf?: IsLeaf | ((path: KeyPath, x: unknown) => boolean);
  /** Whether `isLeaf` is called with the path, too: `isLeaf(path, x)`. */
  readonly isLeafTakesPath?: boolean;
}

const flattenFor = (tree: unknown, { isLeaf, isLeafTakesPath = false }: PathOptions): [Leaf[], TreeDef] =>
  isLeaf && isLeafTakesPath ? flattenByPath(tree, isLeaf) : flattenTree(tree, isLeaf as IsLeaf | undefined);

/** Leaves with their paths. @example tree.leavesWithPath({ a: [5] }).map(([p, x]) => [tree.keystr(p), x]) // [[".a[0]", 5]] */
export const leavesWithPath = (tree: unknown, options: PathOptions = {}): [KeyPath, Leaf][] =>
  flattenWithPath(tree, options)[0];

/** Leaves with their paths, and the structure. */
export function flattenWithPath(tree: unknown, options: PathOptions = {}): [[KeyPath, Leaf][], TreeDef] {
  const [xs, def] = flattenFor(tree, options);
  return [def.paths().map((p, i) => [p, xs[i]]), def];
}

/** Like `map`, with the path as the first argument. */
export function mapWithPath(
  f: (path: KeyPath, ...leaves: Leaf[]) => unknown,
  tree: unknown,
  ...rest: readonly unknown[]
): Leaf {
  const [others, options] = splitOptions<PathOptions>(rest, isPathOptions);
  const [first, def] = flattenFor(tree, options);
  const paths = def.paths();
  let i = 0;
  return mapLeaves("tree.mapWithPath", (...xs: Leaf[]) => f(paths[i++]!, ...xs), first, def, others);
}

/**
 * A path as text: `.layers[0].w`; if `simple`, the keys alone, joined by `separator`.
 *
 * @example
 * tree.leavesWithPath({ a: [5] }).map(([p]) => tree.keystr(p, { simple: true, separator: "/" })) // ["a/0"]
 */
export function keystr(
  path: KeyPath,
  options: { readonly simple?: boolean; readonly separator?: string } = {},
): string {
  const { simple = false, separator = "" } = options;
  if (simple) return path.map(keyText).join(separator);
  return path.map((k) => keyString([k])).join(separator);
}

const keyText = (k: KeyEntry): string => {
  switch (k.kind) {
    case "index":
      return String(k.index);
    case "attribute":
      return k.name;
    default:
      return String(k.key);
  }
};

/**
 * Swaps the outer and the inner structure: a tree of trees becomes the inner tree of outer trees.
 *
 * @param inner null: the structure of the first inner tree.
 * @example
 * tree.transpose(tree.structure([0, 0]), tree.structure({ a: 0 }), [{ a: 1 }, { a: 2 }]) // { a: [1, 2] }
 */
export function transpose(outer: TreeDef, inner: TreeDef | null, tree: unknown): Leaf {
  const parts = flattenUpTo(outer, tree, "tree.transpose");
  const def = inner ?? structure(parts[0]);
  const rows = parts.map((t) => flattenUpTo(def, t, "tree.transpose"));
  const columns = Array.from({ length: def.numLeaves }, (_, i) =>
    unflattenTree(
      outer,
      rows.map((r) => r[i]),
    ),
  );
  return unflattenTree(def, columns);
}

/** Repeats the leaves of a prefix tree over the subtrees of a full one. @example tree.broadcast(1, { a: 0, b: 0 }) // { a: 1, b: 1 } */
export function broadcast(prefix: unknown, full: unknown, options: TreeOptions = {}): Leaf {
  const [values, def] = flattenTree(prefix, options.isLeaf);
  const parts = flattenUpTo(def, full, "tree.broadcast");
  return unflattenTree(
    def,
    parts.map((p, i) => map(() => values[i], p)),
  );
}

/** Checks that two trees have the same structure; the error lists the paths at which they differ. */
export function assertSameStructure(a: unknown, b: unknown): void {
  const [x, y] = [structure(a), structure(b)];
  if (x.equals(y)) return;
  throw new TreeError("TreeMismatch", {
    what: `the trees differ:\n    ${treeDifferences(x, y).join("\n    ")}`,
    why: "trees that go together must have the same containers with the same keys",
    fix: "build both from the same structure",
  });
}

/** Whether no element is a container. */
export const allLeaves = (xs: Iterable<unknown>, options: TreeOptions = {}): boolean =>
  [...xs].every((x) => structure(x, options).kind === "leaf");
