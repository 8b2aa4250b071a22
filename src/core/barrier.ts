/** `optimizationBarrier`: identity that the compiler neither removes nor looks through. */
import type { NDArray } from "./ndarray.ts";
import { type Many, type Primitive, Zero, definePrimitive, isLinear } from "./primitive.ts";
import { asArray } from "./operands.ts";
import type { ArrayLike } from "./arrayMethods.ts";
import { bind } from "./trace.ts";
import { instantiate } from "./structural.ts";
import { flatten, unflatten } from "./tree.ts";
import type { Arrays } from "./types.ts";

export const optimizationBarrierP: Primitive<Many, null> = /* @__PURE__ */ definePrimitive<Many, null>({
  name: "optimization_barrier",
  kind: "opaque",
  infer: (ins) => ins,
  reference: (ins) => ins,
  jvp: (primals, tangents) => {
    const outs = bind(optimizationBarrierP, primals, null);
    const nonzero = tangents.filter((t): t is NDArray => !(t instanceof Zero));
    const dots = bind(optimizationBarrierP, nonzero, null);
    let next = 0;
    return { primals: outs, tangents: tangents.map((t) => (t instanceof Zero ? t : dots[next++]!)) };
  },
  transpose: (cts, operands) => {
    const outs = bind(optimizationBarrierP, cts.map(instantiate), null);
    return operands.map((x, i) => (isLinear(x) ? outs[i]! : null));
  },
  batch: (operands, dims) => ({ outs: bind(optimizationBarrierP, operands, null), dims }),
  lower: () => ({ form: "identity" }),
});

/**
 * The same tree; all of it is computed before any of it is used, and nothing is merged or moved across.
 *
 * @example
 * lax.optimizationBarrier({ a: np.array(1) }).a // 1
 */
export function optimizationBarrier<T>(x: T): Arrays<T> {
  const [leaves, def] = flatten(x);
  return unflatten(
    def,
    bind(
      optimizationBarrierP,
      leaves.map((l) => asArray(l as ArrayLike, "optimizationBarrier")),
      null,
    ),
  ) as Arrays<T>;
}
