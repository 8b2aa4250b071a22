/** Our library, as users have it: the built package, jitted, and nothing freed by hand. Steps donate what they replace. */
import { blockUntilReady, defaultDevice, init, jit, numpy as np } from "cotangent";
import type { NDArray } from "cotangent";
import { type Library, type Runner, listOf } from "./contender.ts";
import type { Numbers, Workload } from "./workload.ts";

export async function cotangent(version: string, wide: boolean): Promise<Library> {
  if (wide) await init("wasm", { wideVectors: true });
  const features = `device ${defaultDevice().kind}${wide ? ", wide vectors" : ""}`;
  return { name: "cotangent", version, features, prepare };
}

async function prepare(w: Workload): Promise<Runner> {
  const inputs = await w.inputs();
  let xs: readonly NDArray[] = inputs.map(({ data, shape }) => np.array(data).reshape([...shape]));
  const carried = w.carried ?? 0;
  const f = jit(w.ours, { donateArgnums: Array.from({ length: carried }, (_, i) => i) });
  const call = (): readonly NDArray[] => {
    const ys = listOf(f(...xs));
    if (carried > 0) xs = [...ys.slice(0, carried), ...xs.slice(carried)];
    return ys;
  };
  return {
    run: () => void call(),
    outputs: async () => {
      const ys = await blockUntilReady(call());
      return Promise.all(ys.map((y) => y.data() as Promise<Numbers>));
    },
    dispose: () => (xs = []),
  };
}
