/**
 * Groups that would bind more buffers than a kernel may: what is read later by others decides how many results a group
 * stores, and is known only when all groups are made. Its results are shared out among kernels; each computes what it needs
 * of the members, or loads it if an earlier one stored it.
 */
import { type Eqn, Var } from "../core/jaxpr.ts";
import type { Group } from "./partition.ts";

export function splitGroup(group: Group, producers: ReadonlyMap<Var, Eqn>, maxBuffers: number): readonly Group[] {
  if (group.inputs.size + group.outputs.length <= maxBuffers) return [group];
  const stored = new Set<Var>();
  const inputsOf = (outputs: readonly Var[], loaded: ReadonlySet<Var>): Set<Var> => {
    const found = new Set<Var>();
    const seen = new Set<Var>(outputs);
    const stack = [...outputs];
    while (stack.length > 0)
      for (const a of producers.get(stack.pop()!)!.inputs) {
        if (!(a instanceof Var) || seen.has(a)) continue;
        seen.add(a);
        if (group.inputs.has(a) || loaded.has(a)) found.add(a);
        else stack.push(a);
      }
    return found;
  };
  const parts: Group[] = [];
  let rest = group.outputs;
  while (rest.length > 0) {
    const choices = [stored, new Set<Var>()].flatMap((loaded) => {
      let n = 0;
      while (n < rest.length && inputsOf(rest.slice(0, n + 1), loaded).size + n + 1 <= maxBuffers) n++;
      return n > 0 ? [{ outputs: rest.slice(0, n), inputs: inputsOf(rest.slice(0, n), loaded) }] : [];
    });
    // One result fits: groups never read more than leaves room for it.
    const part = choices[0] ?? { outputs: rest.slice(0, 1), inputs: inputsOf(rest.slice(0, 1), new Set()) };
    parts.push({ ...group, ...part });
    for (const v of part.outputs) stored.add(v);
    rest = rest.slice(part.outputs.length);
  }
  return parts;
}
