/**
 * Peers, measured in the same run where they are installed. They are not dependencies of the project; install them
 * anywhere, and say where:
 *
 *     mkdir peers && cd peers && npm init -y
 *     npm install @tensorflow/tfjs-{core,backend-cpu,backend-wasm}@4.22.0 @jax-js/jax@0.1.25 onnxruntime-web@1.30
 *     COTANGENT_PEERS=$PWD npm run bench   # in the folder of the project
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, sep } from "node:path";
import { cwd, env } from "node:process";
import { type Measurement, measure } from "./measure.ts";

/* eslint-disable @typescript-eslint/no-explicit-any -- the peers' types are not installed */
// All peers have CommonJS builds, and `require` finds them in that folder in Node and in Deno.
const require = createRequire(join(env["COTANGENT_PEERS"] ?? cwd(), "peers.cjs"));

/** The module of that name, or null if it is not installed. */
export function load(name: string): any {
  try {
    require.resolve(name);
  } catch {
    return null;
  }
  return require(name) as unknown;
}

/** The version of an installed package. */
export function versionOf(name: string): string {
  const inside = `${sep}node_modules${sep}${join(name)}${sep}`;
  const found = require.resolve(name);
  const root = found.slice(0, found.lastIndexOf(inside) + inside.length);
  return (JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string }).version;
}

export interface Peers {
  readonly add: readonly Measurement[];
  readonly tinyCall: readonly Measurement[];
  readonly missing: readonly string[];
}

export async function measurePeers(): Promise<Peers> {
  const add: Measurement[] = [];
  const tinyCall: Measurement[] = [];
  const missing: string[] = [];
  const tf = load("@tensorflow/tfjs-core");
  if (tf && load("@tensorflow/tfjs-backend-cpu")) {
    await tf.setBackend("cpu");
    const [a, b] = [tf.tensor1d([1, 2, 3, 4]), tf.tensor1d([5, 6, 7, 8])];
    add.push(measure("TensorFlow.js", () => tf.add(a, b).dispose()));
  } else missing.push("TensorFlow.js");
  const jax = load("@jax-js/jax");
  if (jax) {
    const np = jax.numpy;
    const [a, b] = [np.array([1, 2, 3, 4]), np.array([5, 6, 7, 8])];
    add.push(measure("jax-js", () => np.add(a.ref, b.ref).dispose()));
    const f = jax.jit((x: any, y: any) => x.ref.mul(y).add(x));
    tinyCall.push(measure("jax-js", () => f(a.ref, b.ref).dispose()));
  } else missing.push("jax-js");
  return { add, tinyCall, missing };
}
