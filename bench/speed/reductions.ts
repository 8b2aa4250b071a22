/**
 * Reductions and what is made of them. Sums: reading memory once. Softmax: an exp for each number, then traffic. Layer
 * norm: passes over a row that stays in cache.
 */
import { nn, numpy as np } from "cotangent";
import type { NDArray } from "cotangent";
import { type Workload, full, spread } from "./workload.ts";

const sum = (over: string, target: number, axis?: number): Workload => ({
  name: `sum of 4096², ${over}`,
  target,
  // Not 1e-5: a plain sum of 2²⁴ terms, as some peers take it, loses more than that. The mean is away from zero.
  tolerance: 1e-3,
  inputs: () => {
    const { data, shape } = spread([4096, 4096]);
    return [{ data: data.map((v) => v + 0.25), shape }];
  },
  ours: (x: NDArray) => np.sum(x, axis === undefined ? {} : { axis }),
  jax: ({ numpy }, x) => numpy.sum(x, axis ?? null),
  tf: { run: (tf, x) => tf.sum(x, axis) },
  onnx: {
    build: (g, x) => g.op("ReduceSum", axis === undefined ? [x] : [x, g.integers([axis])], { keepdims: 0 }),
  },
});

const [rows, width] = [4096, 1024];

export const reductions: readonly Workload[] = [
  sum("all", 0.5),
  sum("axis 0", 0.9, 0),
  sum("axis 1", 0.8, 1),
  {
    name: `softmax ${rows}×${width}`,
    target: 0.6,
    tolerance: 1e-5,
    inputs: () => [spread([rows, width], 1, 3)],
    ours: (x: NDArray) => nn.softmax(x),
    jax: ({ nn }, x) => nn.softmax(x),
    tf: { run: (tf, x) => tf.softmax(x) },
    onnx: { build: (g, x) => g.op("Softmax", [x], { axis: -1 }) },
  },
  {
    name: `layer norm ${rows}×${width}`,
    target: 0.4,
    tolerance: 1e-5,
    inputs: () => [spread([rows, width]), full([width], 1.5), spread([width], 3)],
    ours: (x: NDArray, scale: NDArray, shift: NDArray) => nn.standardize(x).mul(scale).add(shift),
    jax: ({ nn }, x, scale, shift) => nn.standardize(x).mul(scale).add(shift),
    tf: {
      run: (tf, x, scale, shift) => {
        const { mean, variance } = tf.moments(x, -1, true);
        const by = tf.mul(tf.rsqrt(tf.add(variance, 1e-5)), scale);
        return tf.add(tf.mul(tf.sub(x, mean), by), shift);
      },
    },
    onnx: {
      weightsFrom: 1,
      build: (g, x, scale, shift) =>
        g.op("LayerNormalization", [x, scale, shift], { axis: -1, epsilon: { float: 1e-5 } }),
    },
  },
];
