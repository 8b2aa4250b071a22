/** Functions of each number by itself: one read and one write of memory limit them, if the functions are cheap enough. */
import { nn, numpy as np } from "cotangent";
import type { NDArray } from "cotangent";
import { type Workload, spread } from "./workload.ts";

export const elementwise: readonly Workload[] = [
  {
    name: "sigmoid(2x+1)·tanh(x)−x, 4M",
    target: 0.6,
    tolerance: 1e-5,
    inputs: () => [spread([2 ** 22], 1, 3)],
    ours: (x: NDArray) => nn.sigmoid(x.mul(2).add(1)).mul(np.tanh(x)).sub(x),
    jax: ({ nn, numpy }, x) => nn.sigmoid(x.ref.mul(2).add(1)).mul(numpy.tanh(x.ref)).sub(x),
    tf: { run: (tf, x) => tf.sub(tf.mul(tf.sigmoid(tf.add(tf.mul(x, 2), 1)), tf.tanh(x)), x) },
    onnx: {
      build: (g, x) => {
        const inner = g.op("Add", [g.op("Mul", [x, g.number(2)]), g.number(1)]);
        return g.op("Sub", [g.op("Mul", [g.op("Sigmoid", [inner]), g.op("Tanh", [x])]), x]);
      },
    },
  },
  {
    name: "exp, 16M",
    target: 0.6,
    tolerance: 1e-5,
    inputs: () => [spread([2 ** 24], 1, 3)],
    ours: (x: NDArray) => np.exp(x),
    jax: ({ numpy }, x) => numpy.exp(x),
    tf: { run: (tf, x) => tf.exp(x) },
    onnx: { build: (g, x) => g.op("Exp", [x]) },
  },
];
