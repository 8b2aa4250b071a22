/**
 * ONNX Runtime web on wasm, with a thread for every core. A run copies inputs in and outputs out: its interface has no other
 * way, so that belongs to its time. Weights belong to the model, which arranges them once.
 */
import type { Library, Runner } from "./contender.ts";
import { Graph } from "./onnxModel.ts";
import type { OnnxProgram, Workload } from "./workload.ts";

/* eslint-disable @typescript-eslint/no-explicit-any -- the peers' types are not installed */
export async function onnxRuntime(ort: any, version: string, threads: number): Promise<Library> {
  ort.env.wasm.numThreads = threads;
  // Its notes on the graph are not ours to print.
  ort.env.logLevel = "error";
  // Starting its threads under Node leaves a global Worker behind, and others take that for a browser's.
  const before = Object.getOwnPropertyDescriptor(globalThis, "Worker");
  const graph = new Graph();
  await ort.InferenceSession.create(graph.model(graph.op("Exp", [graph.input("x", [1])])), inWasm);
  if (before) Object.defineProperty(globalThis, "Worker", before);
  else Reflect.deleteProperty(globalThis, "Worker");
  return {
    name: "ONNX Runtime web",
    version,
    features: `wasm with SIMD, ${threads} threads, all graph optimisations`,
    prepare: (w) => (w.onnx ? prepare(ort, w, w.onnx) : null),
  };
}

const inWasm = { executionProviders: ["wasm"], graphOptimizationLevel: "all" };

async function prepare(ort: any, w: Workload, { build, weightsFrom = Infinity }: OnnxProgram): Promise<Runner> {
  const inputs = await w.inputs();
  const graph = new Graph();
  const names = inputs.map((x, i) => (i < weightsFrom ? graph.input(`x${i}`, x.shape) : graph.weight(x)));
  const output = build(graph, ...names);
  const session = await ort.InferenceSession.create(graph.model(output), inWasm);
  const feeds = Object.fromEntries(
    inputs
      .slice(0, Math.min(weightsFrom, inputs.length))
      .map(({ data, shape }, i) => [names[i], new ort.Tensor("float32", data, shape)]),
  );
  return {
    run: () => session.run(feeds) as Promise<unknown>,
    outputs: async () => [(await session.run(feeds))[output].data],
    dispose: () => void session.release(),
  };
}
