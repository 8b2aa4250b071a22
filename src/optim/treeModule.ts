/** `cotangent.optim.tree`: arithmetic on trees, and looking into states. */
export * from "./treeMath.ts";
export {
  type Filtering,
  type MapParamsOptions,
  type StateEntry,
  type StatePath,
  get,
  getAllWithPath,
  mapParams,
  set,
} from "./stateTrees.ts";
