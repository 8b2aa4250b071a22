/** TensorFlow.js on its wasm device, where a result is there when the call returns. Programs run in a `tidy`. */
import type { Library, Runner } from "./contender.ts";
import type { Numbers, TensorFlowProgram, Workload } from "./workload.ts";

/* eslint-disable @typescript-eslint/no-explicit-any -- the peers' types are not installed */
export async function tensorFlow(tf: any, backend: any, version: string): Promise<Library> {
  await tf.setBackend("wasm");
  await tf.ready();
  const simd = (await tf.env().getAsync("WASM_HAS_SIMD_SUPPORT")) ? "SIMD" : "no SIMD";
  // It switches its threads off under Node and what looks like it; forced on, they do not start there.
  const threads: number = backend.getThreadsCount();
  return {
    name: "TensorFlow.js",
    version,
    features: `device wasm, ${simd}, ${threads} thread${threads > 1 ? "s" : ""}`,
    prepare: (w) => (w.tf ? prepare(tf, w, w.tf) : null),
  };
}

async function prepare(tf: any, w: Workload, { prepare, run, finish }: TensorFlowProgram): Promise<Runner> {
  const inputs = await w.inputs();
  const given = inputs.map(({ data, shape }) =>
    tf.tensor(data, shape, data instanceof Int32Array ? "int32" : "float32"),
  );
  const xs: any[] = prepare ? prepare(tf, ...given) : given;
  for (const x of given) if (!xs.includes(x)) x.dispose();
  const call = (): any => tf.tidy(() => run(tf, ...xs));
  return {
    run: () => call().dispose(),
    outputs: async () => {
      const y = tf.tidy(() => (finish ? finish(tf, call()) : call()));
      const data = (await y.data()) as Numbers;
      y.dispose();
      return [data];
    },
    dispose: () => {
      for (const x of xs) x.dispose();
    },
  };
}
