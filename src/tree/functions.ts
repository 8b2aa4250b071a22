/**
 * Functions on pytrees, with JAX's names: leaves, structures, maps, reductions, paths.
 */
import { asArray } from "../core/operands.ts";
import type { ArrayLike } from "../core/arrayMethods.ts";
import { ArgumentError, TreeError } from "../core/problem.ts";
import {
  type IsLeaf,
  type KeyPath,
  type TreeDef,
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
  const last = rest[rest.length - 1];
  const isOptions =
    typeof last === "object" &&
    last !== null &&
    Object.keys(last).length === 1 &&
    typeof (last as TreeOptions).isLeaf === "function";
  const [isLeaf, others] = isOptions ? [(last as TreeOptions).isLeaf, rest.slice(0, -1)] : [undefined, rest];
  const [first, def] = flattenTree(tree, isLeaf);
  const parts = others.map((r) => flattenUpTo(def, r, "tree.map"));
  return unflattenTree(
    def,
    first.map((x, i) => f(x, ...parts.map((p) => p[i]))),
  ) as never;
}

/** Combines all leaves from the left. @example tree.reduce((a, b) => a + b, { a: 1, b: [2, 3] }, 0) // 6 */
export function reduce(
  f: (accumulated: Leaf, leaf: Leaf) => unknown,
  tree: unknown,
  initial?: unknown,
  options: TreeOptions = {},
): Leaf {
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

/** Leaves with their paths. @example tree.leavesWithPath({ a: [5] }).map(([p, x]) => [tree.keystr(p), x]) // [[".a[0]", 5]] */
export function leavesWithPath(tree: unknown, options: TreeOptions = {}): [KeyPath, Leaf][] {
  const [xs, def] = flattenTree(tree, options.isLeaf);
  return def.paths().map((p, i) => [p, xs[i]]);
}

/** Leaves with their paths, and the structure. */
export const flattenWithPath = (tree: unknown, options: TreeOptions = {}): [[KeyPath, Leaf][], TreeDef] => [
  leavesWithPath(tree, options),
  structure(tree, options),
];

/** Like `map`, with the path as the first argument. */
export function mapWithPath(
  f: (path: KeyPath, ...leaves: Leaf[]) => unknown,
  tree: unknown,
  ...rest: readonly unknown[]
): Leaf {
  const paths = structure(tree).paths();
  let i = 0;
  return map((...xs: Leaf[]) => f(paths[i++]!, ...xs), tree, ...rest);
}

/** A path as text: `.layers[0].w`. */
export const keystr = keyString;

/**
 * Swaps the outer and the inner structure: a tree of trees becomes the inner tree of outer trees.
 *
 * @example
 * tree.transpose(tree.structure([0, 0]), tree.structure({ a: 0 }), [{ a: 1 }, { a: 2 }]) // { a: [1, 2] }
 */
export function transpose(outer: TreeDef, inner: TreeDef, tree: unknown): Leaf {
  const rows = flattenUpTo(outer, tree, "tree.transpose").map((t) => flattenUpTo(inner, t, "tree.transpose"));
  const columns = Array.from({ length: inner.numLeaves }, (_, i) =>
    unflattenTree(
      outer,
      rows.map((r) => r[i]),
    ),
  );
  return unflattenTree(inner, columns);
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
