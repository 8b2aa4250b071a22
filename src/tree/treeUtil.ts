/** `treeUtil`: the functions of `tree` under the names of `jax.tree_util`, and what that module has beside them. */
import { TreeError } from "../core/problem.ts";
import { type KeyEntry, TreeDef, childrenOf, describeValue, isNodeType } from "../core/tree.ts";

export {
  all as treeAll,
  allLeaves,
  broadcast as treeBroadcast,
  flatten as treeFlatten,
  flattenWithPath as treeFlattenWithPath,
  keystr,
  leaves as treeLeaves,
  leavesWithPath as treeLeavesWithPath,
  map as treeMap,
  mapWithPath as treeMapWithPath,
  reduce as treeReduce,
  reduceAssociative as treeReduceAssociative,
  structure as treeStructure,
  transpose as treeTranspose,
  unflatten as treeUnflatten,
} from "./functions.ts";
export {
  type DataclassOptions,
  registerDataclass,
  registerPytreeNodeClass,
  registerPytreeWithKeys,
  registerPytreeWithKeysClass,
  registerStatic,
} from "./register.ts";
export { TreeDef as PyTreeDef, registerPytreeNode } from "../core/tree.ts";

/** The path entry of a Map's or an object's key. */
export function DictKey(key: string): KeyEntry {
  return { kind: "key", key };
}
/** The path entry of a position in a list. */
export function SequenceKey(idx: number): KeyEntry {
  return { kind: "index", index: idx };
}
/** The path entry of a field. */
export function GetAttrKey(name: string): KeyEntry {
  return { kind: "attribute", name };
}
/** The path entry of the n-th child of a class without names. */
export function FlattenedIndexKey(key: number): KeyEntry {
  return { kind: "index", index: key };
}

function oneLevel(name: string, x: unknown): { def: TreeDef; values: unknown[] } {
  const children = childrenOf(x);
  if (children) return children;
  throw new TreeError("NotAContainer", {
    what: `${name}: ${describeValue(x)} is a leaf`,
    why: "only containers have children",
    fix: "check with treeUtil.allLeaves([x]), or register the class with treeUtil.registerPytreeNode",
  });
}

/** What a container's structure holds beside its children. */
const auxOf = ({ kind, data }: TreeDef): unknown =>
  kind === "custom" ? data[1] : kind === "object" || kind === "map" ? data : null;

/**
 * The immediate children of a container, and the auxiliary data of its class (of objects and Maps: the keys).
 *
 * @throws TreeError for a leaf
 * @example
 * treeUtil.flattenOneLevel({ b: [1, 2], a: 3 }) // [[3, [1, 2]], ["a", "b"]]
 */
export function flattenOneLevel(tree: unknown): [children: unknown[], aux: unknown] {
  const { def, values } = oneLevel("flattenOneLevel", tree);
  return [values, auxOf(def)];
}

/** `flattenOneLevel` with the path entry of each child: `[[[entry, child], …], aux]`. */
export function flattenOneLevelWithKeys(tree: unknown): [children: [KeyEntry, unknown][], aux: unknown] {
  const { def, values } = oneLevel("flattenOneLevelWithKeys", tree);
  return [values.map((x, i) => [def.entry(i), x]), auxOf(def)];
}

/** Whether values of a class are containers: `Array`, `Object`, `Map`, registered classes; null has no class. */
export const isTreeNode = (type: unknown): boolean => type === null || type === undefined || isNodeType(type);

/** The structure of a list of trees with these structures. */
export const treedefTuple = (treedefs: Iterable<TreeDef>): TreeDef => new TreeDef("list", [...treedefs], []);

/** The structures of a structure's children. */
export const treedefChildren = (treedef: TreeDef): TreeDef[] => [...treedef.children];

/** Whether a structure is a single node: a leaf, or, as in JAX, a container without children. */
export const treedefIsLeaf = (treedef: TreeDef): boolean => treedef.children.length === 0;
