/** Recurrent layers, attention and transformers: against steps written out, and whole sequences against continued ones. */
import { describe, expect, test } from "vitest";
import type { NDArray } from "../../src/core/ndarray.ts";
import * as nn from "../../src/nn/index.ts";
import * as np from "../../src/numpy/index.ts";
import * as optim from "../../src/optim/index.ts";
import * as random from "../../src/random/index.ts";
import { checkGrads } from "../../src/testing/index.ts";
import { valueAndGrad } from "../../src/transforms/gradient.ts";
import { jit } from "../../src/transforms/jit.ts";
import { expectClose, problemOf } from "../support/arrays.ts";

const key = random.key(3);
const normal = (...shape: number[]): NDArray => random.normal(random.foldIn(key, shape.length), shape);
const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

/** One sequence through a cell, in plain numbers: `step` gets what comes of the input and of the last output, gate by gate. */
function byHand(
  params: nn.CellParams,
  x: readonly (readonly number[])[],
  features: number,
  step: (input: (gate: number) => number, before: (gate: number) => number, feature: number, memory: number) => readonly [output: number, memory: number], // prettier-ignore
): number[][] {
  const [w, u, b] = [params.kernel.js(), params.recurrent.js(), params.bias.js()] as [number[][], number[][], number[]];
  let h = new Array<number>(features).fill(0);
  let c = new Array<number>(features).fill(0);
  return x.map((now) => {
    const next = h.map((_, f) => {
      const at = (gate: number): number => gate * features + f;
      const input = (gate: number): number => now.reduce((sum, v, i) => sum + v * w[i]![at(gate)]!, b[at(gate)]!);
      const before = (gate: number): number => h.reduce((sum, v, i) => sum + v * u[i]![at(gate)]!, 0);
      return step(input, before, f, c[f]!);
    });
    h = next.map(([output]) => output);
    c = next.map(([, memory]) => memory);
    return h;
  });
}

const cells: Readonly<
  Record<
    string,
    readonly [
      (options?: nn.CellOptions & nn.RecurrentOptions) => nn.Layer<nn.CellParams, nn.None>,
      Parameters<typeof byHand>[3],
    ]
  >
> = {
  // prettier-ignore
  rnn: [(o) => nn.rnn(3, o), (x, h) => [Math.tanh(x(0) + h(0)), 0]],
  lstm: [
    (o) => nn.lstm(3, o),
    (x, h, _, c) => {
      const [i, f, g, o] = [0, 1, 2, 3].map((gate) => x(gate) + h(gate)) as [number, number, number, number];
      const memory = sigmoid(f + 1) * c + sigmoid(i) * Math.tanh(g);
      return [sigmoid(o) * Math.tanh(memory), memory];
    },
  ],
};

describe.each(Object.entries(cells))("%s", (_, [make, step]) => {
  const x = normal(2, 5, 4);
  const biased = { biasInit: nn.initializers.normal(1) };
  test("is what its formula says", () => {
    const layer = make(biased);
    const { params, state } = layer.init(key, x);
    const wanted = (x.js() as number[][][]).map((sequence) => byHand(params, sequence, 3, step));
    expectClose(layer.apply(params, state, x)[0], np.array(wanted), 1e-5);
  });
});

test("gru is what its formula says", () => {
  const layer = nn.gru(3, { biasInit: nn.initializers.normal(1) });
  const x = normal(2, 5, 4);
  const { params, state } = layer.init(key, x);
  const [w, u, b] = [params.kernel.js(), params.recurrent.js(), params.bias.js()] as [number[][], number[][], number[]];
  const wanted = (x.js() as number[][][]).map((sequence) => {
    let h = [0, 0, 0];
    return sequence.map((now) => {
      const input = (gate: number, f: number): number => now.reduce((s, v, i) => s + v * w[i]![gate * 3 + f]!, b[gate * 3 + f]!); // prettier-ignore
      const before = (gate: number, f: number): number => h.reduce((s, v, i) => s + v * u[i]![gate * 3 + f]!, 0);
      h = h.map((old, f) => {
        const [r, z] = [sigmoid(input(0, f) + before(0, f)), sigmoid(input(1, f) + before(1, f))];
        return (1 - z) * Math.tanh(input(2, f) + r * before(2, f)) + z * old;
      });
      return h;
    });
  });
  expectClose(layer.apply(params, state, x)[0], np.array(wanted), 1e-5);
});

describe("recurrent layers", () => {
  const x = normal(2, 5, 4);
  const makers = { rnn: nn.rnn, lstm: nn.lstm, gru: nn.gru };
  test.each(Object.entries(makers))("%s: the last output, backwards, derivatives", (_, make) => {
    const whole = make(3);
    const { params, state } = whole.init(key, x);
    const y = whole.apply(params, state, x)[0];
    expectClose(make(3, { returnSequences: false }).apply(params, state, x)[0], y.slice([], -1), 1e-6);
    const backwards = make(3, { reverse: true }).apply(params, state, np.flip(x, 1))[0];
    expectClose(np.flip(backwards, 1), y, 1e-6);
    checkGrads((p: nn.CellParams, z: NDArray) => np.sum(np.sin(whole.apply(p, state, z)[0])), [params, x.slice([0, 1], [0, 3])], 1, { modes: ["rev"], atol: 3e-2, rtol: 3e-2 }); // prettier-ignore
  });
});

describe("rotary positions", () => {
  const [q, k] = [normal(1, 1, 1, 8), normal(1, 1, 1, 8).mul(0.7)];
  const product = (i: number, j: number): number => np.sum(nn.rotary(q, [i]).mul(nn.rotary(k, [j]))).item() as number;
  test("products depend on distances alone, and lengths stay", () => {
    for (const [i, j] of [
      [3, 1],
      [9, 2],
      [100, 40],
    ] as const)
      expect(product(i + 5, j + 5)).toBeCloseTo(product(i, j), 4);
    expect(Math.abs(product(3, 1) - product(4, 1))).toBeGreaterThan(1e-3);
    expectClose(np.sum(np.square(nn.rotary(q, [17]))), np.sum(np.square(q)), 1e-5);
    expectClose(nn.rotary(q, [0]), q, 1e-6);
  });
  test("needs pairs", () => expect(problemOf(() => nn.rotary(normal(1, 1, 3), [0])).code).toBe("RotaryShape"));
});

describe("attention", () => {
  const x = normal(2, 6, 8);
  test("of one head is softmax(q kᵀ / √size) v", () => {
    const layer = nn.multiHeadAttention(1);
    const { params, state } = layer.init(key, x);
    const from = (w: nn.WeightParams): NDArray => np.matmul(x, w.kernel).add(w.bias!);
    const [q, k, v] = [from(params.query), from(params.key), from(params.value)];
    const weights = nn.softmax(np.matmul(q, np.swapaxes(k, 1, 2)).div(Math.sqrt(8)), -1);
    const wanted = np.matmul(np.matmul(weights, v), params.out.kernel).add(params.out.bias!);
    expectClose(layer.apply(params, state, x)[0], wanted, 1e-5);
  });
  test("causal: what comes later changes nothing", () => {
    const layer = nn.multiHeadAttention(2, { causal: true, rotary: true });
    const { params, state } = layer.init(key, x);
    const other = np.concatenate([x.slice([], [0, 4]), normal(2, 2, 8)], 1);
    const [y, z] = [x, other].map((input) => layer.apply(params, state, input)[0].slice([], [0, 4]));
    expectClose(y, z!, 1e-6);
  });
  test("what is masked changes nothing", () => {
    const layer = nn.multiHeadAttention(2);
    const { params, state } = layer.init(key, x);
    const mask = np.array([
      [true, true, true, true, false, false],
      [true, true, true, true, true, true],
    ]);
    const [y] = layer.apply(params, state, x, { mask });
    const [short] = layer.apply(params, state, x.slice([0, 1], [0, 4]));
    expectClose(y.slice([0, 1], [0, 4]), short, 1e-5);
  });
  test("shared keys and values are heads that are repeated", () => {
    const [shared, all] = [nn.multiHeadAttention(4, { keyValueHeads: 2 }), nn.multiHeadAttention(4)];
    const { params, state } = shared.init(key, x);
    const twice = (w: nn.WeightParams): nn.WeightParams => ({
      kernel: np.repeat(w.kernel.reshape(8, 2, 2), 2, { axis: 1 }).reshape(8, 8),
      bias: np.repeat(w.bias!.reshape(2, 2), 2, { axis: 0 }).reshape(8),
    });
    const wide = { ...params, key: twice(params.key), value: twice(params.value) };
    expectClose(all.apply(wide, state, x)[0], shared.apply(params, state, x)[0], 1e-5);
  });
});

describe("a cache continues sequences", () => {
  const ids = random.randint(key, [2, 7], 0, 11);
  const model = (cache?: number): nn.AnyLayer =>
    nn.serial(
      nn.embedding(11, 8),
      nn.positionEmbedding(9, { cache: cache !== undefined }),
      nn.transformerBlock(2, { causal: true, rotary: true, keyValueHeads: 1, cache }),
      nn.transformerBlock(2, { causal: true, norm: "rms", cache }),
      nn.dense(11),
    );
  const { params } = model().init(key, ids) as { readonly params: unknown };
  const [whole] = model().apply(params, model().init(key, ids).state, ids);

  test.each([[[1, 1, 1, 1, 1, 1, 1]], [[4, 1, 2]], [[7]]])("in steps of %j", (lengths) => {
    const decoder = model(9);
    let { state } = decoder.init(key, ids) as { state: unknown };
    const step = jit((p: unknown, s: unknown, z: NDArray) => decoder.apply(p, s, z) as readonly [NDArray, unknown]);
    let at = 0;
    const parts = lengths.map((n) => {
      const [y, next] = step(params, state, ids.slice([], [at, (at += n)]));
      state = next;
      return y;
    });
    expectClose(np.concatenate(parts, 1), whole, 2e-5);
  });
  test("a step without room gives NaN", () => {
    const layer = nn.multiHeadAttention(2, { causal: true, cache: 3 });
    const x = normal(1, 2, 8);
    const { params: p, state } = layer.init(key, x);
    const [y, next] = layer.apply(p, state, x);
    expect(np.any(np.isnan(y)).item()).toBe(false);
    expect(np.all(np.isnan(layer.apply(p, next, x)[0])).item()).toBe(true);
    expect(problemOf(() => layer.apply(p, state, x, { mask: np.ones([1, 2], "bool") })).code).toBe("MaskedCache");
  });
});

describe("models learn", () => {
  const remember = random.randint(random.key(5), [32, 6], 0, 8);
  // What was three steps before: attention and recurrent layers can tell, a network of single steps cannot.
  const [inputs, targets] = [remember, np.roll(remember, 3, 1)];
  const models: Readonly<Record<string, nn.AnyLayer>> = {
    transformer: nn.serial(nn.embedding(8, 16), nn.positionEmbedding(6), nn.transformerBlock(2, { causal: false }), nn.dense(8)), // prettier-ignore
    lstm: nn.serial(nn.embedding(8, 16), nn.lstm(32), nn.dense(8)),
    gru: nn.serial(nn.embedding(8, 16), nn.gru(32), nn.dense(8)),
  };
  test.each(Object.entries(models))("%s", (name, model) => {
    const { params: first, state } = model.init(key, inputs) as { readonly params: object; readonly state: unknown };
    const optimizer = optim.adam<object>(0.01);
    const weight = name === "transformer" ? 1 : np.greaterEqual(np.arange(6), 3);
    const loss = (p: object): NDArray => {
      const scores = model.apply(p, state, inputs)[0];
      return np.mean(optim.softmaxCrossEntropyWithIntegerLabels(scores, targets).mul(weight));
    };
    const step = jit((p: object, s: ReturnType<typeof optimizer.init>) => {
      const [value, gradient] = valueAndGrad(loss)(p);
      const [updates, next] = optimizer.update(gradient, s, p);
      return [optim.applyUpdates(p, updates), next, value] as const;
    });
    let [p, s] = [first, optimizer.init(first)];
    const losses: number[] = [];
    for (let i = 0; i < 120; i++) {
      const [nextParams, nextState, value] = step(p, s);
      [p, s] = [nextParams, nextState];
      losses.push(value.item() as number);
    }
    expect(losses.at(-1)!).toBeLessThan(0.1 * losses[0]!);
  });
});
