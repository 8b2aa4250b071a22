/** A training step of a 784-512-512-10 perceptron on 128 images, with cross-entropy and Adam, and its arguments. */
import { nn, numpy as np, optim, valueAndGrad } from "cotangent";
import type { NDArray } from "cotangent";

export interface Layer {
  readonly w: NDArray;
  readonly b: NDArray;
}
const sizes = [784, 512, 512, 10];
const batch = 128;
const numbers = (n: number): Float32Array => new Float32Array(n).map((_, i) => 0.05 * Math.sin(1.37 * i));

const params = sizes.slice(1).map((n, i): Layer => ({
  w: np.array(numbers(sizes[i]! * n)).reshape([sizes[i]!, n]),
  b: np.array(new Float32Array(n)),
}));
const images = np.array(numbers(batch * sizes[0]!)).reshape([batch, sizes[0]!]);
const digits = np.array(new Int32Array(batch).map((_, i) => i % 10));
const optimizer = optim.adam<Layer[]>(1e-3);
const state = optimizer.init(params);
export const step = (p: Layer[], s: typeof state, x: NDArray, y: NDArray) => {
  const loss = (q: Layer[]): NDArray => {
    const logits = q.reduce((h, { w, b }, i) => {
      const z = np.matmul(h, w).add(b);
      return i < q.length - 1 ? nn.relu(z) : z;
    }, x);
    return np.mean(optim.softmaxCrossEntropyWithIntegerLabels(logits, y));
  };
  const [value, gradients] = valueAndGrad(loss)(p);
  const [updates, next] = optimizer.update(gradients, s, p);
  return [optim.applyUpdates(p, updates), next, value] as const;
};
export const args = [params, state, images, digits] as const;
