/** From import to the first result, read back, in a process of its own: the sum of two short arrays. Run by `speed.ts`. */
import { argv, exit } from "node:process";
import { load } from "../peers.ts";
import { Graph } from "./onnxModel.ts";

/* eslint-disable @typescript-eslint/no-explicit-any -- the peers' types are not installed */
const [a, b] = [Float32Array.of(1, 2, 3, 4), Float32Array.of(5, 6, 7, 8)];

const sums: Readonly<Record<string, () => Promise<Float32Array>>> = {
  cotangent: async () => {
    const { numpy } = await import("cotangent");
    return numpy.add(numpy.array(a), numpy.array(b)).data() as Promise<Float32Array>;
  },
  "jax-js": async () => {
    const jax = load("@jax-js/jax");
    await jax.init("wasm");
    jax.defaultDevice("wasm");
    return jax.numpy.add(jax.numpy.array(a), jax.numpy.array(b)).data();
  },
  "TensorFlow.js": async () => {
    const tf = load("@tensorflow/tfjs-core");
    load("@tensorflow/tfjs-backend-wasm");
    await tf.setBackend("wasm");
    return tf.add(tf.tensor1d(a), tf.tensor1d(b)).data();
  },
  "ONNX Runtime web": async () => {
    const ort = load("onnxruntime-web");
    ort.env.wasm.numThreads = 1;
    const graph = new Graph();
    const output = graph.op("Add", [graph.input("a", [4]), graph.input("b", [4])]);
    const session = await ort.InferenceSession.create(graph.model(output), { executionProviders: ["wasm"] });
    const of = (x: Float32Array): any => new ort.Tensor("float32", x, [4]);
    return (await session.run({ a: of(a), b: of(b) }))[output].data;
  },
};

const from = performance.now();
const sum = await sums[argv[2]!]!();
const passed = performance.now() - from;
if (sum.join() !== "6,8,10,12") throw new Error(`${argv[2]} says that the sum is ${sum.join()}`);
console.log(passed);
exit(0);
