/**
 * Training steps: a perceptron and a small convolutional net, with cross-entropy and Adam. Products with the weights limit
 * the first, the gradients of convolutions and pooling the second; the updates read and write every parameter.
 *
 * TensorFlow.js does not take part: the builds of its core that Node and Deno load have no gradients, and with them a step of
 * the perceptron took it ten times as long as jax-js. ONNX Runtime web does not train.
 *
 * Arrays go in and out as one list: parameters, the count of steps, first and second moments, images, labels.
 */
import { lax, nn, numpy as np, tree } from "cotangent";
import type { NDArray } from "cotangent";
import { type Layer, args as perceptron, numbers, step as perceptronStep, trainer } from "../trainingStep.ts";
import { convByProductsJax, maxPool, maxPoolJax } from "./convolutions.ts";
import { type Input, type Numbers, type Workload, sizeOf } from "./workload.ts";

/* eslint-disable @typescript-eslint/no-explicit-any -- the peers' types are not installed */
const classes = 10;

// ---------------------------------------------------------------- the convolutional net

const convNet = trainer(([first, second, dense], x) => {
  const layer = (h: NDArray, { w, b }: Layer): NDArray =>
    maxPool(nn.relu(lax.conv(h, w, [1, 1], "SAME").add(b.reshape([-1, 1, 1]))));
  const features = layer(layer(x, first!), second!);
  return np.matmul(features.reshape([features.shape[0]!, -1]), dense!.w).add(dense!.b);
});

function convNetArguments() {
  const images = 64;
  const layer = (scale: number, ...shape: number[]): Layer => ({
    w: np.array(numbers(sizeOf(shape), scale)).reshape(shape),
    b: np.zeros([shape.length === 4 ? shape[0]! : classes]),
  });
  const params = [layer(0.3, 32, 1, 3, 3), layer(0.05, 64, 32, 3, 3), layer(0.02, 64 * 7 * 7, classes)];
  const x = np.array(numbers(images * 28 * 28, 1)).reshape([images, 1, 28, 28]);
  return [params, convNet.init(params), x, np.array(new Int32Array(images).map((_, i) => i % classes))] as const;
}

// ---------------------------------------------------------------- peers

const [rate, b1, b2, eps] = [1e-3, 0.9, 0.999, 1e-8];

/** What the list of arrays is made of, for `n` parameters. */
const partsOf = (xs: readonly any[], n: number) => ({
  params: xs.slice(0, n),
  count: xs[n],
  m: xs.slice(n + 1, 2 * n + 1),
  v: xs.slice(2 * n + 1, 3 * n + 1),
  images: xs[3 * n + 1],
  labels: xs[3 * n + 2],
});

const stepJax =
  (n: number, logits: (jax: any, params: any[], x: any) => any): Workload["jax"] & {} =>
  (jax, ...xs) => {
    const { numpy } = jax;
    const { params, count, m, v, images, labels } = partsOf(xs, n);
    const loss = (ps: any[], x: any, y: any): any => {
      const right = jax.nn.logSoftmax(logits(jax, ps, x)).mul(jax.nn.oneHot(y, classes));
      return numpy.mean(numpy.sum(right, -1)).neg();
    };
    const [value, gradients] = jax.valueAndGrad(loss)(
      params.map((p) => p.ref),
      images,
      labels,
    );
    const next = count.add(1);
    const t = next.ref.astype(numpy.float32);
    const correction = (b: number): any =>
      numpy
        .exp(t.ref.mul(Math.log(b)))
        .neg()
        .add(1);
    const [c1, c2] = [correction(b1), correction(b2)];
    t.dispose();
    const newM = m.map((x, i) => x.mul(b1).add(gradients[i].ref.mul(1 - b1)));
    const newV = v.map((x, i) => x.mul(b2).add(gradients[i].ref.mul(gradients[i]).mul(1 - b2)));
    const moved = params.map((p, i) => {
      const size = numpy.sqrt(newV[i].ref.div(c2.ref)).add(eps);
      return p.sub(newM[i].ref.div(c1.ref).mul(rate).div(size));
    });
    for (const c of [c1, c2]) c.dispose();
    return [...moved, next, ...newM, ...newV, value];
  };

// ---------------------------------------------------------------- workloads

/** What is ours in a workload of a step on trees of arrays. A layer's leaves are its bias and its weights, in this order. */
function training(step: (...args: any[]) => unknown, args: readonly unknown[]) {
  const [leaves, structure] = tree.flatten(args) as [NDArray[], tree.PyTreeDef];
  const count = 2 * (args[0] as Layer[]).length;
  return {
    tolerance: 1e-3,
    inputs: () => Promise.all(leaves.map(async (x): Promise<Input> => ({ data: (await x.data()) as Numbers, shape: x.shape }))), // prettier-ignore
    ours: (...xs: NDArray[]) => tree.leaves(step(...(tree.unflatten(structure, xs) as unknown[]))) as NDArray[],
    carried: 3 * count + 1,
    // Adam's first step is the sign of a gradient, and rounding decides the signs of numbers near zero.
    comparedFrom: count,
  };
}

export const trainingSteps: readonly Workload[] = [
  {
    name: "MLP 784-512-512-10 step, batch 128",
    target: 0.5,
    ...training(perceptronStep, perceptron),
    jax: stepJax(6, ({ numpy, nn }, [c0, w0, c1, w1, c2, w2], x) => {
      const first = nn.relu(numpy.matmul(x, w0).add(c0));
      const second = nn.relu(numpy.matmul(first, w1).add(c1));
      return numpy.matmul(second, w2).add(c2);
    }),
  },
  {
    name: "conv net step, [64, 1, 28, 28]",
    target: 0.1,
    ...training(convNet.step, convNetArguments()),
    jax: stepJax(6, (jax, [c0, w0, c1, w1, c2, w2], x) => {
      const layer = (h: any, w: any, b: any): any =>
        maxPoolJax(jax, jax.nn.relu(convByProductsJax(jax, h, w).add(b.reshape([-1, 1, 1]))));
      const features = layer(layer(x, w0, c0), w1, c1);
      return jax.numpy.matmul(features.reshape([features.shape[0], -1]), w2).add(c2);
    }),
  },
];
