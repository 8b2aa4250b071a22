/** Layers against plain loops, and the laws of putting them together. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { NDArray } from "../../src/core/ndarray.ts";
import { ShapeDtypeStruct } from "../../src/core/shapeDtypeStruct.ts";
import * as lax from "../../src/lax/index.ts";
import * as nn from "../../src/nn/index.ts";
import * as np from "../../src/numpy/index.ts";
import * as random from "../../src/random/index.ts";
import { grad } from "../../src/transforms/gradient.ts";
import { jit } from "../../src/transforms/jit.ts";
import { vmap } from "../../src/transforms/vmap.ts";
import * as tree from "../../src/tree/index.ts";
import { check } from "../properties.ts";
import { expectClose, problemOf } from "../support/arrays.ts";

const key = random.key(7);
const normal = (...shape: number[]): NDArray => random.normal(random.foldIn(key, shape.reduce((a, n) => 31 * a + n, 1)), shape); // prettier-ignore
const run = <P, S>(layer: nn.Layer<P, S>, x: NDArray, options: nn.ApplyOptions = {}): NDArray => {
  const { params, state } = layer.init(key, x);
  return layer.apply(params, state, x, options)[0];
};
/** Numbers that agree, whatever holds them. */
const near = (found: unknown, wanted: unknown, tolerance = 1e-6): void =>
  expectClose(np.asarray(found as NDArray), np.asarray(wanted as NDArray), tolerance);
type Nested = number | Nested[];
const at = (x: Nested, ...index: number[]): number => index.reduce((y, i) => (y as Nested[])[i]!, x) as number;

describe("what init says is what apply makes", () => {
  const layers: Readonly<Record<string, readonly [nn.AnyLayer, readonly number[]]>> = {
    dense: [nn.dense(3), [2, 5, 4]],
    "dense without bias": [nn.dense(3, { bias: false }), [4]],
    "conv 1-d": [nn.conv(3, [3]), [2, 7, 4]],
    "conv 2-d": [nn.conv(4, [3, 2], { strides: [2, 1], groups: 2, padding: "VALID" }), [2, 7, 6, 4]],
    "conv 3-d": [nn.conv(2, [2, 2, 2], { dilation: 2 }), [1, 5, 4, 6, 3]],
    "causal conv": [nn.conv(3, [3], { padding: "CAUSAL", dilation: 2 }), [2, 7, 4]],
    depthwise: [nn.depthwiseConv([3, 3], { multiplier: 2 }), [2, 5, 5, 3]],
    convTranspose: [nn.convTranspose(3, [3, 3], { strides: 2 }), [2, 4, 5, 2]],
    maxPool: [nn.maxPool([2, 2]), [2, 6, 5, 3]],
    avgPool: [nn.avgPool([3], { strides: 2, padding: "SAME" }), [2, 6, 3]],
    globalAvgPool: [nn.globalAvgPool(), [2, 6, 5, 3]],
    flatten: [nn.flatten(), [2, 6, 5, 3]],
    batchNorm: [nn.batchNorm(), [2, 6, 3]],
    layerNorm: [nn.layerNorm(), [2, 3]],
    groupNorm: [nn.groupNorm(3), [2, 4, 6]],
    rmsNorm: [nn.rmsNorm(), [2, 3]],
    dropout: [nn.dropout(0.4), [2, 3]],
    rnn: [nn.rnn(4), [2, 5, 3]],
    lstm: [nn.lstm(4, { returnSequences: false }), [2, 5, 3]],
    gru: [nn.gru(4, { reverse: true }), [2, 5, 3]],
    multiHeadAttention: [nn.multiHeadAttention(2, { causal: true, rotary: true, keyValueHeads: 1 }), [2, 5, 8]],
    positionEmbedding: [nn.positionEmbedding(9), [2, 5, 8]],
    transformerBlock: [nn.transformerBlock(2, { norm: "rms", dropout: 0.1 }), [2, 5, 8]],
    serial: [nn.serial(nn.dense(3), nn.relu, nn.dense(2)), [2, 4]],
    parallel: [nn.parallel({ a: nn.dense(3), b: nn.relu }), [2, 4]],
    residual: [nn.residual(nn.dense(3), { shortcut: nn.dense(3) }), [2, 4]],
  };
  test.each(Object.entries(layers))("%s", (_, [layer, shape]) => {
    const x = normal(...shape);
    const { params, state, output } = layer.init(key, shape);
    expect(output).toBeInstanceOf(ShapeDtypeStruct);
    for (const train of [false, true]) {
      const [y, next] = layer.apply(params, state, x, { train, key });
      expect([y.shape, y.dtype]).toEqual([output.shape, output.dtype]);
      expect(tree.structure(next).toString()).toBe(tree.structure(state).toString());
      expect(np.all(np.isfinite(y)).js()).toBe(true);
    }
    // Pure: the same again, and compiled.
    const compiled = jit((p: unknown, s: unknown, z: NDArray) => layer.apply(p, s, z, { train: true, key })[0]);
    near(compiled(params, state, x), layer.apply(params, state, x, { train: true, key })[0], 1e-5);
    near(tree.leaves(layer.init(key, shape).params)[0] ?? 0, (tree.leaves(params)[0] as NDArray | undefined) ?? 0, 0); // prettier-ignore
  });
});

describe("convolutions are what loops compute", () => {
  const lengths = fc.integer({ min: 1, max: 6 });
  const small = fc.integer({ min: 1, max: 3 });
  const paddings = fc.constantFrom("SAME" as const, "VALID" as const, "CAUSAL" as const);
  test("over two axes, with strides, dilation and groups", () =>
    check(
      40,
      fc.property(
        fc.tuple(lengths, lengths),
        fc.tuple(small, small),
        small,
        small,
        small,
        paddings,
        (size, window, stride, dilation, groups, padding) => {
          // prettier-ignore
          const reach = window.map((k) => (k - 1) * dilation + 1);
          const name = size.some((n, i) => n < reach[i]!) && padding === "VALID" ? "SAME" : padding;
          const [inside, outside] = [2 * groups, 3 * groups];
          const x = normal(2, ...size, inside);
          const layer = nn.conv(outside, window, { strides: stride, dilation, groups, padding: name });
          const { params, state } = layer.init(key, x);
          const y = layer.apply(params, state, x)[0];
          const before = size.map((n, i) => {
            if (name === "VALID") return 0;
            if (name === "CAUSAL") return reach[i]! - 1;
            const total = Math.max((Math.ceil(n / stride) - 1) * stride + reach[i]! - n, 0);
            return Math.floor(total / 2);
          });
          const [xs, ks] = [x.js() as Nested, params.kernel.js() as Nested];
          const [rows, columns] = y.shape.slice(1, 3) as [number, number];
          const wanted = Array.from({ length: 2 }, (_b, b) =>
            Array.from({ length: rows }, (_r, r) =>
              Array.from({ length: columns }, (_c, c) =>
                Array.from({ length: outside }, (_f, f) => {
                  let sum = 0;
                  const group = Math.floor(f / 3);
                  for (let i = 0; i < window[0]; i++)
                    for (let j = 0; j < window[1]; j++) {
                      const [p, q] = [r * stride + i * dilation - before[0]!, c * stride + j * dilation - before[1]!];
                      if (p < 0 || q < 0 || p >= size[0] || q >= size[1]) continue;
                      for (let k = 0; k < 2; k++) sum += at(xs, b, p, q, 2 * group + k) * at(ks, i, j, k, f);
                    }
                  return sum;
                }),
              ),
            ),
          );
          near(y, wanted, 1e-5);
        },
      ),
    ));

  test("one axis and three axes, against two with axes of length 1", () => {
    const x = normal(2, 9, 4);
    const one = nn.conv(5, [3], { strides: 2, padding: "SAME" });
    const { params, state } = one.init(key, x);
    const two = nn.conv(5, [3, 1], { strides: [2, 1], padding: "SAME" });
    const wide = { ...params, kernel: np.expandDims(params.kernel, 1) };
    near(one.apply(params, state, x)[0], two.apply(wide, {}, np.expandDims(x, 2))[0].reshape(2, 5, 5), 1e-6);
    const three = nn.conv(5, [3, 1, 1], { strides: [2, 1, 1], padding: "SAME" });
    const wider = { ...params, kernel: np.expandDims(params.kernel, [1, 2]) };
    near(one.apply(params, state, x)[0], three.apply(wider, {}, np.expandDims(x, [2, 3]))[0].reshape(2, 5, 5), 1e-6); // prettier-ignore
  });

  test("a transposed one is the transpose of a convolution with as many features as it has inputs", () => {
    const x = normal(1, 4, 4, 3);
    const layer = nn.convTranspose(2, [3, 3], { strides: 2, bias: false });
    const { params, state } = layer.init(key, x);
    const forward = (z: NDArray): NDArray =>
      lax.convGeneralDilated(z, np.swapaxes(np.flip(params.kernel, [0, 1]), 2, 3), [2, 2], "SAME", { dimensionNumbers: ["NHWC", "HWIO", "NHWC"] }); // prettier-ignore
    const transposed = grad((z: NDArray) => np.sum(forward(z).mul(x)))(np.zeros([1, 8, 8, 2]));
    near(layer.apply(params, state, x)[0], transposed, 1e-5);
  });
});

describe("pooling", () => {
  test("of windows that lie side by side", () => {
    const x = normal(2, 4, 6, 3);
    const windows = x.reshape(2, 2, 2, 3, 2, 3);
    near(run(nn.maxPool([2, 2]), x), np.max(windows, [2, 4]));
    near(run(nn.avgPool([2, 2]), x), np.mean(windows, [2, 4]));
    near(run(nn.globalAvgPool(), x), np.mean(x, [1, 2]));
  });
  test("padding counts as zeros of a mean, unless it is told not to", () => {
    const x = np.ones([1, 3, 1]);
    near(run(nn.avgPool([2], { padding: "SAME" }), x), [[[1], [0.5]]]);
    near(run(nn.avgPool([2], { padding: "SAME", countIncludePad: false }), x), [[[1], [1]]]);
  });
});

describe("normalisation", () => {
  const x = normal(6, 5, 8).mul(3).add(2);
  const momentsOf = (y: NDArray, axes: number[]): [unknown, unknown] => [np.mean(y, axes), np.var_(y, axes)];

  test("brings what it normalises over to mean 0 and variance 1", () => {
    const cases: readonly (readonly [nn.AnyLayer, NDArray, number[]])[] = [
      [nn.batchNorm({ epsilon: 0 }), x, [0, 1]],
      [nn.layerNorm({ epsilon: 0 }), x, [2]],
    ];
    for (const [layer, input, axes] of cases) {
      const [mean, variance] = momentsOf(run(layer, input, { train: true }), axes);
      near(np.asarray(mean as number[]), np.zeros(np.asarray(mean as number[]).shape), 1e-5);
      near(np.asarray(variance as number[]), np.ones(np.asarray(variance as number[]).shape), 1e-4);
    }
    const groups = run(nn.groupNorm(2, { epsilon: 0 }), x).reshape(6, 5, 2, 4);
    near(np.mean(groups, [1, 3]), np.zeros([6, 2]), 1e-5);
    near(np.var_(groups, [1, 3]), np.ones([6, 2]), 1e-4);
    near(np.mean(np.square(run(nn.rmsNorm({ epsilon: 0 }), x)), -1), np.ones([6, 5]), 1e-4);
  });

  test("one group is a layer norm over all places, as many groups as features an instance norm", () => {
    const whole = run(nn.groupNorm(1), x);
    const flat = run(nn.layerNorm({ scale: false, bias: false }), x.reshape(6, 40));
    near(whole.reshape(6, 40), flat, 1e-5);
  });

  test("running statistics follow the batches, and are what counts outside training", () => {
    const layer = nn.batchNorm({ momentum: 0.9, epsilon: 1e-3 });
    const { params, state } = layer.init(key, x);
    const [, first] = layer.apply(params, state, x, { train: true });
    const [, second] = layer.apply(params, first, x.mul(2), { train: true });
    const [mean, variance] = [np.mean(x, [0, 1]), np.var_(x, [0, 1])];
    near(
      second.mean,
      mean
        .mul(0.1)
        .mul(0.9)
        .add(mean.mul(2 * 0.1)),
      1e-4,
    );
    near(
      second.variance,
      variance
        .mul(0.1)
        .add(0.9)
        .mul(0.9)
        .add(variance.mul(4 * 0.1)),
      1e-4,
    );
    const [y, same] = layer.apply(params, second, x);
    expect(same).toBe(second);
    near(y, x.sub(second.mean).div(np.sqrt(second.variance.add(1e-3))), 1e-4);
  });

  test("over a mapped axis is over the whole batch", () => {
    const [whole, parts] = [nn.batchNorm(), nn.batchNorm({ axisName: "parts" })];
    const { params, state } = whole.init(key, x);
    const [y, next] = whole.apply(params, state, x, { train: true });
    const [z, mapped] = vmap((part: NDArray) => parts.apply(params, state, part, { train: true }), { axisName: "parts" })(x.reshape(3, 2, 5, 8)) as readonly [NDArray, nn.BatchNormState]; // prettier-ignore
    near(z.reshape(6, 5, 8), y, 1e-5);
    near(mapped.mean.slice(1), next.mean, 1e-5);
  });
});

describe("dropout", () => {
  const x = np.ones([200, 50]);
  test("drops the share it is told to, and keeps the mean", () => {
    const y = run(nn.dropout(0.3), x, { train: true, key });
    const dropped = np.mean(np.equal(y, 0)).item() as number;
    expect(Math.abs(dropped - 0.3)).toBeLessThan(0.02);
    near(np.max(y), 1 / 0.7, 1e-6);
    expect(run(nn.dropout(0.3), x).js()).toEqual(x.js());
    expect(np.sum(run(nn.dropout(1), x, { train: true })).item()).toBe(0);
  });
  test("drops whole channels where it is told to", () => {
    const y = run(nn.dropout(0.5, { broadcastDims: [0] }), x, { train: true, key });
    near(y, np.broadcastTo(y.slice(0), [200, 50]), 0);
  });
  test("every dropout of a model draws numbers of its own", () => {
    const model = nn.parallel([nn.dropout(0.5), nn.dropout(0.5)]);
    const [a, b] = np.split(run(model, x, { train: true, key }), 2, -1) as [NDArray, NDArray];
    expect(np.arrayEqual(a, b).item()).toBe(false);
  });
  test("asks for a key, and says which layer does", () => {
    const model = nn.serial({ body: nn.serial(nn.relu, nn.dropout(0.5)) });
    const { params, state } = model.init(key, x);
    expect(problemOf(() => model.apply(params, state, x, { train: true })).what).toBe(
      "in layer .body[1]: nn.dropout: there is no key to draw random numbers from",
    );
    expect(problemOf(() => nn.dropout(2)).code).toBe("DropoutRate");
  });
});

describe("layers in a row are a monoid", () => {
  const parts = [
    nn.serial(nn.dense(3), nn.tanh),
    nn.serial(nn.dense(4)),
    nn.serial(nn.dropout(0.5), nn.dense(2)),
  ] as const;
  const x = normal(5, 6);
  const outcome = (layer: nn.AnyLayer): unknown => {
    const { params, state } = layer.init(key, x) as { readonly params: unknown; readonly state: unknown };
    const y = layer.apply(params, state, x, { train: true, key })[0];
    return [y.js(), tree.leaves(params).map((p) => (p as NDArray).js()), tree.structure(params).toString()];
  };
  test("associative, parameters included", () => {
    const { concat } = nn.serialMonoid;
    const [a, b, c] = parts;
    expect(outcome(concat(concat(a, b), c))).toEqual(outcome(concat(a, concat(b, c))));
    expect(outcome(concat(concat(a, b), c))).toEqual(outcome(nn.serial(...parts)));
  });
  test("the empty list is neutral", () => {
    const { concat, empty } = nn.serialMonoid;
    const [a] = parts;
    expect(outcome(concat(empty, a))).toEqual(outcome(a));
    expect(outcome(concat(a, empty))).toEqual(outcome(a));
  });
  test("what has a name stays together", () => {
    const model = nn.serial({ body: nn.serial(nn.dense(3), nn.relu), head: nn.dense(2) });
    const { params } = model.init(key, x);
    expect(params.body[0].kernel.shape).toEqual([6, 3]);
    expect(params.head.kernel.shape).toEqual([3, 2]);
  });
});

describe("mistakes say where in the model they are", () => {
  test.each([
    [() => nn.serial({ a: nn.dense(3), b: nn.serial(nn.relu, nn.conv(4, [3, 3])) }).init(key, [2, 5]), /^in layer \.b\[1\]: nn\.conv: the input \(2, 3\) has 2 axes, and the window \[3, 3\] slides over 2/], // prettier-ignore
    [() => nn.serial(nn.dense(3), nn.residual(nn.dense(4))).init(key, [2, 5]), /^in layer \[1\]: nn\.residual: the layer makes \(2, 4\), to which \(2, 3\) is to be added/], // prettier-ignore
    [() => nn.conv(4, [3], { groups: 3 }).init(key, [2, 5, 4]), /3 groups of 4 channels and 4 features/],
    [() => nn.conv(4, 3 as never), /the window is 3/],
    [() => nn.conv(4, [3, 3], { strides: [1] }), /strides \[1\] for a window of 2 axes/],
    [() => nn.dense(0).init(key, [2, 5]), /0 features/],
    [() => nn.dense(3).init(key, "x" as never), /init was given string/],
    [() => nn.groupNorm(3).init(key, [2, 4]), /3 groups of 4 features/],
    [() => nn.lstm(4).init(key, [2, 4]), /nn\.lstm: the input \(2, 4\) has 2 axes/],
    [() => nn.multiHeadAttention(3).init(key, [2, 5, 8]), /3 heads of 2\.666/],
    [() => nn.positionEmbedding(4).init(key, [2, 5, 8]), /5 steps, and positions for 4/],
    [() => run(nn.embedding(4, 2), np.ones([3])), /the ids are float32/],
    [() => nn.convTranspose(3, [3], { padding: "CAUSAL" }), /the padding is CAUSAL/],
  ])("%#", (f, text) => {
    expect(problemOf(f).what).toMatch(text);
  });
});

describe("dtypes", () => {
  test("a model of bfloat16 parameters computes in bfloat16", () => {
    const model = nn.serial(nn.dense(4, { dtype: "bfloat16" }), nn.gelu, nn.layerNorm({ dtype: "bfloat16" }));
    const { params, output } = model.init(key, new ShapeDtypeStruct([2, 3], "bfloat16"));
    expect(tree.leaves(params).map((p) => (p as NDArray).dtype)).toEqual(Array(4).fill("bfloat16"));
    expect(output.dtype).toBe("bfloat16");
  });
});
