/** Matrix products: multiplications and additions limit them, if operands are packed so that loads do not. */
import { numpy as np } from "cotangent";
import type { NDArray } from "cotangent";
import { type Workload, spread } from "./workload.ts";

const product = (name: string, target: number, a: readonly number[], b: readonly number[]): Workload => ({
  name,
  target,
  tolerance: 1e-5,
  inputs: () => [spread(a), spread(b, 2)],
  ours: (x: NDArray, y: NDArray) => np.matmul(x, y),
  jax: (jax, x, y) => jax.numpy.matmul(x, y),
  tf: {
    // It has no products with a vector.
    prepare: (tf, x, y) => [x, b.length === 1 ? tf.reshape(y, [b[0], 1]) : y],
    run: (tf, x, y) => tf.matMul(x, y),
  },
  onnx: { build: (g, x, y) => g.op("MatMul", [x, y]) },
});
const square = (n: number, target: number): Workload => product(`matmul ${n}`, target, [n, n], [n, n]);

export const products: readonly Workload[] = [
  square(128, 1),
  square(256, 0.8),
  square(512, 0.7),
  square(1024, 0.7),
  square(2048, 0.7),
  product("batched matmul 32×128×64×128", 0.7, [32, 128, 64], [32, 64, 128]),
  product("matrix-vector 2048", 0.8, [2048, 2048], [2048]),
];
