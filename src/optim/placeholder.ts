/** What stands for a tree of parameters where only its place in a state counts: a container without children. */
import { registerPytreeNode } from "../core/tree.ts";

export class ParamsPlaceholder {}

let known = false;
/** A placeholder. Its class is registered when the first one is made: importing a module has no effects. */
export function placeholder(): ParamsPlaceholder {
  if (!known)
    registerPytreeNode<ParamsPlaceholder, null>(
      ParamsPlaceholder,
      () => [[], null],
      () => new ParamsPlaceholder(),
    );
  known = true;
  return new ParamsPlaceholder();
}
