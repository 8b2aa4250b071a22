/** The training loop: what it computes, what it tells, and that a run that stopped goes on as if it had not. */
import { describe, expect, test } from "vitest";
import type { NDArray } from "../../src/core/ndarray.ts";
import * as nn from "../../src/nn/index.ts";
import * as np from "../../src/numpy/index.ts";
import * as optim from "../../src/optim/index.ts";
import * as random from "../../src/random/index.ts";
import * as train from "../../src/train/index.ts";
import * as tree from "../../src/tree/index.ts";
import { expectClose } from "../support/arrays.ts";

const key = random.key(11);
const inputs = random.normal(key, [96, 4]);
const labels = np.argmax(np.matmul(inputs, random.normal(random.foldIn(key, 1), [4, 3])), -1);
const batches = (from = 0, to = 96, size = 16): train.Labelled[] =>
  Array.from({ length: Math.ceil((to - from) / size) }, (_, i) => {
    const rows = [from + i * size, Math.min(to, from + (i + 1) * size)] as const;
    return [inputs.slice([...rows]), labels.slice([...rows])];
  });
const model = nn.serial(nn.dense(16), nn.batchNorm(), nn.relu, nn.dropout(0.2), nn.dense(3));
const accuracy = (scores: NDArray, y: NDArray): NDArray => np.equal(np.argmax(scores, -1), y);
const objective = train.supervised(model, optim.softmaxCrossEntropyWithIntegerLabels, { metrics: { accuracy } });
const trainer = train.trainer(objective, optim.adam(0.01));
const { params, state } = model.init(key, [16, 4]);
// A step by hand uses up what it is given.
const start = (): ReturnType<typeof trainer.init> => trainer.init(...(tree.map(np.copy, [params, state]) as [typeof params, typeof state]), random.key(5)); // prettier-ignore
const numbers = (t: unknown): unknown =>
  tree
    .leaves(t)
    .map((x) => ((x as NDArray).dtype.startsWith("key") ? random.keyData(x as NDArray) : (x as NDArray)).js());

describe("training", () => {
  test("learns, and says so", async () => {
    const first = start();
    const {
      history,
      state: last,
      stopped,
    } = await train.fit(trainer, first, batches(0, 80), {
      epochs: 30,
      validation: batches(80, 96),
    });
    expect(stopped).toBeNull();
    expect(Object.keys(history).sort()).toEqual(["accuracy", "epoch", "loss", "step", "valAccuracy", "valLoss"]);
    expect(history["epoch"]).toEqual(Array.from({ length: 30 }, (_, i) => i + 1));
    expect(history["step"]!.at(-1)).toBe(150);
    expect(history["loss"]!.at(-1)!).toBeLessThan(0.4 * history["loss"]![0]!);
    expect(history["accuracy"]!.at(-1)!).toBeGreaterThan(0.8);
    expect(history["valAccuracy"]!.at(-1)!).toBeGreaterThan(0.7);
    // The state that it was given is still there.
    expect(first.step.item()).toBe(0);
    expect(numbers(first.params)).toEqual(numbers(params));
    const again = await train.evaluate(trainer, last, batches(80, 96));
    expect(again["loss"]).toBe(history["valLoss"]!.at(-1));
  });

  test("logs are means over examples, batches of different sizes included", async () => {
    const plain = nn.dense(3);
    const still = train.trainer(
      train.supervised(plain, optim.softmaxCrossEntropyWithIntegerLabels),
      optim.sgd<nn.WeightParams>(0),
    );
    const made = plain.init(key, [1, 4]);
    const { history } = await train.fit(still, still.init(made.params, made.state, key), batches(0, 50, 20), {
      epochs: 1,
    });
    const scores = plain.apply(made.params, made.state, inputs.slice([0, 50]))[0];
    const whole = np.mean(optim.softmaxCrossEntropyWithIntegerLabels(scores, labels.slice([0, 50])));
    expectClose(np.array(history["loss"]![0]!), whole, 1e-6);
  });

  test("a step by hand is what fit does", async () => {
    let now = start();
    for (const batch of batches()) [now] = trainer.step(now, batch);
    const { state: fitted } = await train.fit(trainer, start(), batches(), { epochs: 1 });
    expect(numbers(fitted)).toEqual(numbers(now));
  });

  test("data may be streams that differ from epoch to epoch", async () => {
    const asked: number[] = [];
    const data = async function* (epoch: number): AsyncGenerator<train.Labelled> {
      asked.push(epoch);
      await Promise.resolve();
      yield* epoch === 0 ? batches() : batches().reverse();
    };
    const { state: last } = await train.fit(trainer, start(), data, { epochs: 2 });
    let now = start();
    for (const batch of [...batches(), ...batches().reverse()]) [now] = trainer.step(now, batch);
    expect(asked).toEqual([0, 1]);
    expect(numbers(last)).toEqual(numbers(now));
  });
});

describe("a run that was stopped goes on as if it had not been", () => {
  const shuffled = (epoch: number): train.Labelled[] => {
    const all = batches();
    return (random.permutation(random.key(epoch), all.length).js() as number[]).map((i) => all[i]!);
  };
  const options = { epochs: 5, validation: batches(80, 96) };
  test.each([1, 4, 6, 9, 17])("after %i steps", async (steps) => {
    const whole = await train.fit(trainer, start(), shuffled, { ...options, callbacks: [train.earlyStopping()] });
    const abort = new AbortController();
    let taken = 0;
    const stopper: train.Callback = {
      name: "stopper",
      onStep: () => {
        if (++taken === steps) abort.abort();
      },
    };
    const part = await train.fit(trainer, start(), shuffled, {
      ...options,
      callbacks: [train.earlyStopping(), stopper as never],
      signal: abort.signal,
    });
    expect(part.stopped).toBe("aborted");
    expect(part.snapshot.position).toEqual(
      steps % 6 === 0 ? { epoch: steps / 6 - 1, batch: 6 } : { epoch: Math.floor(steps / 6), batch: steps % 6 },
    );
    const rest = await train.fit(trainer, start(), shuffled, {
      ...options,
      callbacks: [train.earlyStopping()],
      from: part.snapshot,
    });
    expect(numbers(rest.state)).toEqual(numbers(whole.state));
    expect(rest.history).toEqual(whole.history);
    expect(numbers(rest.snapshot.train)).toEqual(numbers(whole.snapshot.train));
  });
});

describe("callbacks", () => {
  test("are told in order", async () => {
    const told: string[] = [];
    const note = (hook: string) => (m: train.Moment) =>
      void told.push(`${hook} ${m.position.epoch}.${m.position.batch}`);
    const callback = {
      name: "note",
      onStart: note("start"),
      onStep: note("step"),
      onEpoch: note("epoch"),
      onEnd: note("end"),
    };
    await train.fit(trainer, start(), batches(0, 32), { epochs: 2, callbacks: [callback as never] });
    expect(told).toEqual([
      "start 0.0",
      "step 0.1",
      "step 0.2",
      "epoch 1.0",
      "step 1.1",
      "step 1.2",
      "epoch 2.0",
      "end 2.0",
    ]);
  });

  test("early stopping waits, stops, and gives the best state back", async () => {
    // Numbers that come from a list rather than from the model.
    const losses = [5, 4, 3, 3.5, 3.2, 3.1, 9, 9];
    const seen: unknown[] = [];
    const watching: train.Callback = { name: "watching", onEpoch: (m) => void seen.push(numbers(m.state.params)) };
    const stopping = train.earlyStopping({ monitor: "valLoss", patience: 2 });
    const scripted: train.Callback = {
      ...stopping,
      onEpoch: (m) => stopping.onEpoch!({ ...(m), logs: () => Promise.resolve({ valLoss: losses[m.position.epoch - 1]! }) }), // prettier-ignore
    };
    const {
      stopped,
      state: last,
      history,
    } = await train.fit(trainer, start(), batches(0, 32), {
      epochs: 8,
      callbacks: [watching as never, scripted as never],
    });
    expect(stopped).toBe("valLoss has not improved for 3 epochs");
    expect(history["epoch"]).toEqual([1, 2, 3, 4, 5, 6]);
    expect(numbers(last.params)).toEqual(seen[2]);
  });

  test("checkpoints are snapshots of the steps they are asked for", async () => {
    const saved: { step: number; tree: train.Snapshot; metric: number | undefined }[] = [];
    const folder: train.Folder = {
      save: (step, tree, options) => Promise.resolve(saved.push({ step, tree: tree as train.Snapshot, metric: options?.metric })), // prettier-ignore
    };
    const { history, state: last } = await train.fit(trainer, start(), batches(0, 64), {
      epochs: 3,
      callbacks: [train.checkpoints(folder, { everyEpochs: 2, everySteps: 3, monitor: "loss" })],
    });
    expect(saved.map(({ step }) => step)).toEqual([3, 7, 8, 11, 12]);
    expect(saved.map(({ metric }) => metric)).toEqual([undefined, undefined, history["loss"]![1], undefined, history["loss"]![2]]); // prettier-ignore
    expect(numbers(saved.at(-1)!.tree.train)).toEqual(numbers(last));
  });

  test("progress and learning rates", async () => {
    const shown: [number, unknown][] = [];
    let ended = 0;
    const rates: number[] = [];
    const schedule = optim.linearSchedule(1, 0, 8);
    await train.fit(trainer, start(), batches(0, 64), {
      epochs: 2,
      callbacks: [
        train.progress((total) => ({ update: (n, values) => shown.push([n / total, Object.keys(values!)]), done: () => ended++ }), 4, { everySteps: 2 }), // prettier-ignore
        train.learningRates(schedule, rates),
      ],
    });
    const names = ["epoch", "accuracy", "loss"];
    expect(shown).toEqual([0.25, 0.5, 0.5, 0.75, 1, 1].map((n) => [n, names]));
    expect(ended).toBe(1);
    expect(rates).toEqual([0.5, 0]);
  });
});

describe("mistakes", () => {
  const failing = async (run: Promise<unknown>): Promise<string> => {
    try {
      await run;
    } catch (error) {
      return (error as Error).message;
    }
    return "nothing was thrown";
  };
  const options = { epochs: 2 };
  test.each<[() => Promise<unknown>, RegExp]>([
    [() => train.fit(trainer, start(), [], options), /there are no batches in epoch 1/],
    [() => train.fit(trainer, start(), batches(), { epochs: 1.5 }), /1\.5 epochs/],
    [
      () =>
        train.fit(trainer, start(), batches(), {
          ...options,
          callbacks: [train.earlyStopping(), train.earlyStopping()],
        }),
      /two callbacks are called "earlyStopping"/,
    ],
    [
      () => train.fit(trainer, start(), batches(), { ...options, callbacks: [train.earlyStopping()] }),
      /there is no "valLoss" in the logs[\s\S]*give fit batches for validation/,
    ],
    [
      () => train.fit(trainer, start(), batches()[Symbol.iterator]() as never, options),
      /there are no batches in epoch 2/,
    ],
  ])("%#", async (run, text) => {
    expect(await failing(run())).toMatch(text);
  });
  test("an error of the data ends the run, and the stream is closed", async () => {
    let closed = false;
    const data = function* (): Generator<train.Labelled> {
      try {
        yield* batches(0, 32);
        throw new Error("the disk is gone");
      } finally {
        closed = true;
      }
    };
    expect(await failing(train.fit(trainer, start(), data, options))).toBe("the disk is gone");
    expect(closed).toBe(true);
  });
});

describe("mixed precision", () => {
  const half = nn.precisionPolicy("params=float32,compute=float16,output=float32");
  const mixed = (lossScale: optim.LossScale) => train.trainer(objective, optim.adam(0.01), { policy: half, lossScale });
  const begin = (t: ReturnType<typeof mixed>) =>
    t.init(...(tree.map(np.copy, [params, state]) as [typeof params, typeof state]), random.key(5));

  test("computes in half precision, keeps parameters and logs in single, and learns", async () => {
    const halved = mixed(optim.dynamicLossScale(2 ** 10) as optim.LossScale);
    const { history, state: last } = await train.fit(halved, begin(halved), batches(0, 80), { epochs: 20 });
    expect(tree.leaves(last.params).map((p) => (p as NDArray).dtype)).toEqual(tree.leaves(params).map(() => "float32"));
    expect(history["loss"]!.at(-1)!).toBeLessThan(0.5 * history["loss"]![0]!);
  });

  test("a step whose gradients overflow changes nothing but the scale", () => {
    const halved = mixed(optim.dynamicLossScale(2 ** 30) as optim.LossScale);
    const before = begin(halved);
    const wanted = numbers([before.params, before.state, before.optimizer]);
    const [next] = halved.step(before, batches()[0]!);
    expect(numbers([next.params, next.state, next.optimizer])).toEqual(wanted);
    expect((next.lossScale as optim.DynamicLossScaleState).lossScale.item()).toBe(2 ** 29);
    expect(next.step.item()).toBe(1);
  });
});
