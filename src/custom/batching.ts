/** `customBatching`: rules for vmap, under the names of `jax.custom_batching`. */
import { type AnyFunction, checkCallable } from "../core/call.ts";
import { mapTree, flattenUpTo, flatten } from "../core/tree.ts";
import { map } from "../lax/index.ts";
import { type CustomVmapFunction, customVmap } from "../transforms/customVmap.ts";

export { type CustomVmapFunction, customVmap } from "../transforms/customVmap.ts";

/**
 * A function that vmap applies to one example after the other, by `lax.map`, instead of to all at once: it needs the memory
 * of one example.
 *
 * @example
 * const f = customBatching.sequentialVmap((x) => x.mul(2));
 * vmap(f)(np.array([1, 2])) // [2, 4]
 */
export function sequentialVmap<A extends readonly unknown[], R>(f: (...args: A) => R): CustomVmapFunction<A, R> {
  checkCallable("sequentialVmap", f);
  const sequential = customVmap(f);
  sequential.defVmap((_size: number, inBatched: unknown, ...args: unknown[]) => {
    const [leaves, def] = flatten(args);
    const batched = flattenUpTo(def, inBatched, "sequentialVmap").map(Boolean);
    const step = (rows: readonly unknown[]): unknown => {
      let next = 0;
      const all = leaves.map((x, i) => (batched[i] ? rows[next++] : x));
      let at = 0;
      return (f as AnyFunction)(...(mapTree(() => all[at++], args) as unknown[]));
    };
    const out: unknown = map(
      step as never,
      leaves.filter((_, i) => batched[i]),
    );
    return [out, mapTree(() => true, out)];
  });
  return sequential;
}
