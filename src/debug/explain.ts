/** Finding the stage that changes a value, for those who suspect the compiler. */
import { type Explanation, explainProgram } from "../backends/explain.ts";
import { currentDevice, explainContext } from "../backends/registry.ts";
import { argumentPath, checkCallable, leafArray, nameOf } from "../core/call.ts";
import { evaluator } from "../core/evaluator.ts";
import { hoistConsts } from "../core/jaxpr.ts";
import type { NDArray } from "../core/ndarray.ts";
import { ConcretizationError } from "../core/problem.ts";
import { flatten } from "../core/tree.ts";
import { makeJaxpr } from "../transforms/makeJaxpr.ts";

export type { Explanation } from "../backends/explain.ts";

/**
 * Runs a function stage by stage on the default device: the traced program and the simplified one by the reference, fused
 * kernels and loops by evaluators, then the device's code. Says which stage changes the value first, in which kernel,
 * made of which of your lines. It is slow, and callbacks are called once a stage.
 *
 * @example
 * String(await debug.explain((x) => np.sum(np.exp(x)), np.ones([3]))).split("\n")[0]
 * // on wasm, every stage gives the same value
 */
export async function explain<A extends readonly unknown[]>(
  f: (...args: A) => unknown,
  ...args: { [K in keyof A]: unknown }
): Promise<Explanation> {
  checkCallable("debug.explain", f, "debug.explain(f, x)");
  const device = currentDevice();
  const [leaves, def] = flatten(args);
  const paths = def.paths();
  const arrays = leaves.map((x, i) => leafArray(x, () => argumentPath(paths[i]!), "debug.explain"));
  const { jaxpr, consts } = makeJaxpr(f)(...args);
  const inputs = await Promise.all([...consts, ...arrays].map((x) => evaluator().read(concrete(x))));
  return explainProgram(hoistConsts(jaxpr), inputs, device, {
    name: nameOf(f),
    donated: [],
    context: explainContext(),
  });
}

function concrete(x: NDArray): NDArray {
  const value = x.concrete();
  if (value) return value;
  throw new ConcretizationError("TracedExplain", {
    what: `debug.explain was given ${x.describe()}`,
    why: "it evaluates every stage of the program, and inside a transformation there are no values",
    fix: "call it outside of jit, grad and vmap, with the transformed function: debug.explain(grad(f), x)",
  });
}
