/**
 * Peers, measured in the same run where they are installed. They are not dependencies of the project:
 *
 *     npm install --no-save @tensorflow/tfjs-core@4.22.0 @tensorflow/tfjs-backend-cpu@4.22.0 @jax-js/jax@0.1.25
 */
import { type Measurement, measure } from "./measure.ts";

/* eslint-disable @typescript-eslint/no-explicit-any -- the peers' types are not installed */
const load = async (name: string): Promise<any> => {
  try {
    return await import(name);
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
