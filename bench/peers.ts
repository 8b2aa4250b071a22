/**
 * Peers, measured in the same run where they are installed. They are not dependencies of the project; install them
 * anywhere, and say where:
 *
 *     mkdir /tmp/peers && cd /tmp/peers
 *     npm install @tensorflow/tfjs-{core,backend-cpu,backend-wasm}@4.22.0 @jax-js/jax@0.1.25
 *     COTANGENT_PEERS=/tmp/peers npm run bench
 */
import { createRequire } from "node:module";
import { join } from "node:path";
import { env } from "node:process";
import { pathToFileURL } from "node:url";
import { type Measurement, measure } from "./measure.ts";

/* eslint-disable @typescript-eslint/no-explicit-any -- the peers' types are not installed */
const folder = env["COTANGENT_PEERS"];
const load = async (name: string): Promise<any> => {
  try {
    if (!folder) return await import(name);
    const found = createRequire(join(folder, "peers.cjs")).resolve(name);
    return (await import(pathToFileURL(found).href)) as unknown;
  } catch {
    return null;
  }
};

export interface Peers {
  readonly add: readonly Measurement[];
  readonly tinyCall: readonly Measurement[];
  readonly missing: readonly string[];
}

export async function measurePeers(): Promise<Peers> {
  const add: Measurement[] = [];
  const tinyCall: Measurement[] = [];
  const missing: string[] = [];
  const tf = await load("@tensorflow/tfjs-core");
  if (tf && (await load("@tensorflow/tfjs-backend-cpu"))) {
    await tf.setBackend("cpu");
    const [a, b] = [tf.tensor1d([1, 2, 3, 4]), tf.tensor1d([5, 6, 7, 8])];
    add.push(measure("TensorFlow.js", () => tf.add(a, b).dispose()));
  } else missing.push("TensorFlow.js");
  const jax = await load("@jax-js/jax");
  if (jax) {
    const np = jax.numpy;
    const [a, b] = [np.array([1, 2, 3, 4]), np.array([5, 6, 7, 8])];
    add.push(measure("jax-js", () => np.add(a.ref, b.ref).dispose()));
    const f = jax.jit((x: any, y: any) => x.ref.mul(y).add(x));
    tinyCall.push(measure("jax-js", () => f(a.ref, b.ref).dispose()));
  } else missing.push("jax-js");
  return { add, tinyCall, missing };
}

/** The libraries themselves, on their fastest device that needs no GPU. */
export interface Libraries {
  readonly tf: any;
  readonly jax: any;
  readonly missing: readonly string[];
}
export async function loadPeers(): Promise<Libraries> {
  const tf = await load("@tensorflow/tfjs-core");
  const hasWasm = tf && (await load("@tensorflow/tfjs-backend-wasm"));
  if (hasWasm) {
    await tf.setBackend("wasm");
    await tf.ready();
  }
  const jax = await load("@jax-js/jax");
  if (jax) {
    await jax.init("wasm");
    jax.defaultDevice("wasm");
  }
  const missing = [...(hasWasm ? [] : ["TensorFlow.js wasm"]), ...(jax ? [] : ["jax-js"])];
  return { tf: hasWasm ? tf : null, jax, missing };
}
