/**
 * Effects: what an equation does besides computing its outputs. Dead-code removal, common-subexpression elimination
 * and reordering leave effectful equations alone.
 */
export type Effect =
  /** A debug print or callback: kept, order free between different ones. */
  | "debug"
  /** A check that may fail; `checkify` turns it into a result. */
  | "check"
  /** A callback that must run exactly once, in program order. */
  | "ordered"
  /** A callback that must run exactly once. */
  | "io";

/** The effects of both, each once. */
export const unionEffects = (lists: readonly (readonly Effect[])[]): readonly Effect[] => {
  if (lists.every((l) => l.length === 0)) return noEffects;
  return [...new Set(lists.flat())].sort();
};
export const noEffects: readonly Effect[] = [];
