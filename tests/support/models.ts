/** Models that tests of the compiler count and measure. */
import type { NDArray } from "../../src/core/ndarray.ts";
import * as nn from "../../src/nn/index.ts";
import * as np from "../../src/numpy/index.ts";
import * as optim from "../../src/optim/index.ts";
import * as random from "../../src/random/index.ts";
import { valueAndGrad } from "../../src/transforms/gradient.ts";

export interface Layer {
  readonly w: NDArray;
  readonly b: NDArray;
}

/** Layers with relu between them. */
export const mlp = (layers: readonly Layer[], x: NDArray): NDArray =>
  layers.reduce((h, { w, b }, i) => {
    const y = np.matmul(h, w).add(b);
    return i < layers.length - 1 ? nn.relu(y) : y;
  }, x);

export function layersOf(sizes: readonly number[]): Layer[] {
  const key = random.key(0);
  return sizes.slice(1).map((n, i) => ({
    w: random.normal(random.foldIn(key, i), [sizes[i]!, n]).mul(1 / Math.sqrt(sizes[i]!)),
    b: np.zeros([n]),
  }));
}

/** A whole training step of a multilayer perceptron with cross-entropy and Adam, and arguments for it. */
export function adamStep(sizes: readonly number[], batch: number) {
  const optimizer = optim.adam<Layer[]>(1e-3);
  const params = layersOf(sizes);
  const state = optimizer.init(params);
  const loss = (p: Layer[], x: NDArray, y: NDArray): NDArray =>
    np.mean(optim.softmaxCrossEntropyWithIntegerLabels(mlp(p, x), y));
  const step = (p: Layer[], s: typeof state, x: NDArray, y: NDArray) => {
    const [value, gradients] = valueAndGrad(loss)(p, x, y);
    const [updates, next] = optimizer.update(gradients, s, p);
    return [optim.applyUpdates(p, updates), next, value] as const;
  };
  const images = random.normal(random.key(1), [batch, sizes[0]!]);
  const digits = np.arange(batch).mod(sizes.at(-1)!).astype("int32");
  return { step, params, state, images, digits };
}
