/** A training step of a 784-512-512-10 perceptron on 128 images, with cross-entropy and Adam, and its arguments. */
import { nn, numpy as np, optim, valueAndGrad } from "cotangent";
import type { NDArray } from "cotangent";

export interface Layer {
  readonly w: NDArray;
  readonly b: NDArray;
}
const sizes = [784, 512, 512, 10];
const batch = 128;
export const numbers = (n: number, scale = 0.05): Float32Array =>
  new Float32Array(n).map((_, i) => scale * Math.sin(1.37 * i));

/** A step of Adam down the mean cross-entropy of a classifier, and the optimizer's first state. */
export function trainer(logits: (params: Layer[], x: NDArray) => NDArray) {
  const optimizer = optim.adam<Layer[]>(1e-3);
  const step = (p: Layer[], s: ReturnType<typeof optimizer.init>, x: NDArray, y: NDArray) => {
    const loss = (q: Layer[]): NDArray => np.mean(optim.softmaxCrossEntropyWithIntegerLabels(logits(q, x), y));
    const [value, gradients] = valueAndGrad(loss)(p);
    const [updates, next] = optimizer.update(gradients, s, p);
    return [optim.applyUpdates(p, updates), next, value] as const;
  };
  return { step, init: (p: Layer[]) => optimizer.init(p) };
}

const params = sizes.slice(1).map((n, i): Layer => ({
  w: np.array(numbers(sizes[i]! * n)).reshape([sizes[i]!, n]),
  b: np.array(new Float32Array(n)),
}));
const images = np.array(numbers(batch * sizes[0]!)).reshape([batch, sizes[0]!]);
const digits = np.array(new Int32Array(batch).map((_, i) => i % 10));
const { step: perceptronStep, init } = trainer((layers, x) =>
  layers.reduce((h, { w, b }, i) => {
    const z = np.matmul(h, w).add(b);
    return i < layers.length - 1 ? nn.relu(z) : z;
  }, x),
);
export const step = perceptronStep;
export const args = [params, init(params), images, digits] as const;
