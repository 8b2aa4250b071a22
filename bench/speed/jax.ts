/** jax-js on its wasm device: jitted where that is faster, awaited with `blockUntilReady`, results disposed. */
import { type Library, type Runner, listOf } from "./contender.ts";
import type { Numbers, Workload } from "./workload.ts";

/* eslint-disable @typescript-eslint/no-explicit-any -- the peers' types are not installed */
export async function jaxJs(jax: any, version: string): Promise<Library> {
  await jax.init("wasm");
  jax.defaultDevice("wasm");
  // Its threads are web workers, which Node does not have as a global.
  const threads = typeof Worker === "undefined" ? "one thread: its workers need the global Worker" : "workers";
  return {
    name: "jax-js",
    version,
    features: `device wasm, ${threads}`,
    prepare: (w) => (w.jax ? prepare(jax, w, w.jax) : null),
  };
}

async function prepare(jax: any, w: Workload, program: NonNullable<Workload["jax"]>): Promise<Runner> {
  const { numpy } = jax;
  const inputs = await w.inputs();
  let xs: any[] = inputs.map(({ data, shape }) => {
    const dtype = data instanceof Int32Array ? numpy.int32 : numpy.float32;
    return numpy.array(data, { shape: [...shape], dtype });
  });
  const carried = w.carried ?? 0;
  const plain = (...args: any[]): any => program(jax, ...args);
  const f = w.jaxEager ? plain : jax.jit(plain);
  // A call consumes its arguments, so a step takes over the arrays that it replaces.
  const call = async (): Promise<readonly any[]> => {
    const ys = listOf<any>(f(...xs.map((x, i) => (i < carried ? x : x.ref))));
    if (carried > 0) xs = [...ys.slice(0, carried), ...xs.slice(carried)];
    await jax.blockUntilReady(ys);
    return ys;
  };
  return {
    run: async () => {
      const ys = await call();
      for (const y of ys.slice(carried)) y.dispose();
    },
    outputs: async () => {
      const ys = await call();
      return Promise.all(ys.map((y, i): Promise<Numbers> => (i < carried ? y.ref : y).data()));
    },
    dispose: () => {
      for (const x of xs) x.dispose();
      f.dispose?.();
    },
  };
}
