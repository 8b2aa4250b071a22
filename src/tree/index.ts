/** `cotangent/tree`: pytrees. */
export {
  type PathOptions,
  type TreeOptions,
  all,
  allLeaves,
  assertSameStructure,
  broadcast,
  flatten,
  flattenWithPath,
  keystr,
  leaves,
  leavesWithPath,
  map,
  mapWithPath,
  reduce,
  reduceAssociative,
  structure,
  transpose,
  unflatten,
} from "./functions.ts";
export {
  type KeyEntry,
  type KeyPath,
  TreeDef as PyTreeDef,
  registerDataclass,
  registerPytreeNode,
  treeDifferences as differences,
} from "../core/tree.ts";
