import { describe, expect, test } from "vitest";
import type { NDArray } from "../../src/core/ndarray.ts";
import * as nn from "../../src/nn/index.ts";
import * as np from "../../src/numpy/index.ts";
import * as optim from "../../src/optim/index.ts";
import * as random from "../../src/random/index.ts";
import { checkGrads } from "../../src/testing/index.ts";
import { grad } from "../../src/transforms/gradient.ts";
import { vmap } from "../../src/transforms/vmap.ts";
import { bool, expectClose, f32, f64, i32, item, list, problemOf } from "../support/arrays.ts";

const { losses } = optim;
const draw = (i: number, shape: number[]): NDArray => random.normal(random.foldIn(random.key(3), i), shape, "float64");
const logits = draw(0, [4, 5]);
const other = draw(1, [4, 5]);
const labels = i32([0, 4, 2, 2]);
const hot = np.astype(nn.oneHot(labels, 5), "float64");
const probabilities = nn.softmax(draw(2, [4, 5]));
const signs = np.sign(draw(3, [4, 5]));

const all: Readonly<Record<string, (x: NDArray) => NDArray>> = {
  squaredError: (x) => losses.squaredError(x, other),
  l2Loss: (x) => losses.l2Loss(x, other),
  huberLoss: (x) => losses.huberLoss(x, other, { delta: 0.7 }),
  logCosh: (x) => losses.logCosh(x, other),
  cosineSimilarity: (x) => losses.cosineSimilarity(x, other),
  cosineDistance: (x) => losses.cosineDistance(x, other, { axis: 0, epsilon: 1e-6 }),
  sigmoidBinaryCrossEntropy: (x) => losses.sigmoidBinaryCrossEntropy(x, probabilities),
  sigmoidFocalLoss: (x) => losses.sigmoidFocalLoss(x, hot, { alpha: 0.3, gamma: 1.5 }),
  hingeLoss: (x) => losses.hingeLoss(x, signs),
  perceptronLoss: (x) => losses.perceptronLoss(x, signs),
  sparsemaxLoss: (x) => losses.sparsemaxLoss(x, hot),
  softmaxCrossEntropy: (x) => losses.softmaxCrossEntropy(x, probabilities),
  integerLabels: (x) => losses.softmaxCrossEntropyWithIntegerLabels(x, labels),
  safeSoftmaxCrossEntropy: (x) => losses.safeSoftmaxCrossEntropy(x, probabilities),
  polyLossCrossEntropy: (x) => losses.polyLossCrossEntropy(x, probabilities, { epsilon: 1.5 }),
  multiclassHingeLoss: (x) => losses.multiclassHingeLoss(x, labels),
  multiclassPerceptronLoss: (x) => losses.multiclassPerceptronLoss(x, labels),
  klDivergence: (x) => losses.klDivergence(nn.logSoftmax(x), probabilities),
  klDivergenceWithLogTargets: (x) => losses.klDivergenceWithLogTargets(nn.logSoftmax(x), np.log(probabilities)),
  generalizedKlDivergence: (x) => losses.generalizedKlDivergence(x, probabilities),
  tripletMarginLoss: (x) => losses.tripletMarginLoss(x, other, np.negative(other)),
};

describe.each(Object.entries(all))("%s", (_, loss) => {
  test("has the derivative of its differences", () => {
    checkGrads(loss, [logits], 1);
  });
  test("is finite at extreme inputs", () => {
    expect(list(np.any(np.isnan(loss(np.multiply(logits, 1e3)))))).toBe(0);
  });
});

describe("cross-entropies", () => {
  test("agree with each other and with their definition", () => {
    const wanted = np.negative(np.sum(np.multiply(hot, np.log(nn.softmax(logits))), -1));
    expectClose(losses.softmaxCrossEntropy(logits, hot), wanted, 1e-9);
    expectClose(losses.softmaxCrossEntropyWithIntegerLabels(logits, labels), wanted, 1e-9);
    expectClose(losses.safeSoftmaxCrossEntropy(logits, hot), wanted, 1e-9);
    const perExample = vmap((x: NDArray, y: NDArray) => losses.softmaxCrossEntropyWithIntegerLabels(x, y));
    expectClose(perExample(logits, labels), wanted, 1e-9);
  });

  test("along other axes, and several", () => {
    const turned = np.transpose(logits);
    expectClose(
      losses.softmaxCrossEntropyWithIntegerLabels(turned, labels, 0),
      losses.softmaxCrossEntropyWithIntegerLabels(logits, labels),
      1e-9,
    );
    const grid = np.reshape(draw(5, [3, 2, 3]), [3, 2, 3]);
    expectClose(
      losses.softmaxCrossEntropyWithIntegerLabels(grid, i32([5, 0, 3]), [1, 2]),
      losses.softmaxCrossEntropyWithIntegerLabels(np.reshape(grid, [3, 6]), i32([5, 0, 3])),
      1e-9,
    );
  });

  test("over the classes that take part", () => {
    const where = bool([
      [1, 1, 0, 0, 0],
      [0, 0, 0, 1, 1],
      [1, 1, 1, 1, 1],
      [0, 0, 0, 0, 0],
    ]);
    const y = list(losses.softmaxCrossEntropyWithIntegerLabels(logits, labels, { where })) as number[];
    const row = (list(logits) as number[][])[0]!;
    expect(y[0]).toBeCloseTo(Math.log(Math.exp(row[0]!) + Math.exp(row[1]!)) - row[0]!, 9);
    expect(y[3]).toBe(0);
  });

  test("with logits of −∞ under a label of 0 are finite, derivative included", () => {
    const f = (x: NDArray): NDArray => losses.safeSoftmaxCrossEntropy(x, f32([1, 0, 0]));
    expect(item(f(f32([1, 1, -Infinity])))).toBeCloseTo(Math.LN2, 6);
    expect(list(grad(f)(f32([1, 1, -Infinity])))).toEqual([-0.5, 0.5, 0].map((x) => expect.closeTo(x, 6)));
  });

  test("with 0 log 0 = 0, derivative included", () => {
    const f = (t: NDArray): NDArray => losses.klDivergence(np.log(f32([0.5, 0.5])), t);
    expect(item(f(f32([0, 1])))).toBeCloseTo(Math.LN2, 6);
    expect(list(np.isnan(grad(f)(f32([0, 1]))))).toEqual([0, 0]);
  });
});

describe("mistakes", () => {
  test("shapes and dtypes", () => {
    expect(problemOf(() => losses.squaredError(f32([1, 2]), f32([[1], [2]])))).toMatchObject({ code: "TargetShape" });
    expect(problemOf(() => losses.softmaxCrossEntropy(i32([1]), f32([1]))).code).toBe("LossDType");
    expect(problemOf(() => losses.softmaxCrossEntropyWithIntegerLabels(f64([1]), f64(0))).code).toBe("LabelDType");
    expect(problemOf(() => (losses.huberLoss as (...args: unknown[]) => unknown)(f32([1]), f32([1]), 2)).code).toBe(
      "SurplusArgument",
    );
  });
});
