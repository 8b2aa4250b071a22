/** Metrics of classes, against their definitions in plain loops and the laws between them. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { NDArray } from "../../src/core/ndarray.ts";
import * as metrics from "../../src/metrics/index.ts";
import * as np from "../../src/numpy/index.ts";
import { jit } from "../../src/transforms/jit.ts";
import { vmap } from "../../src/transforms/vmap.ts";
import { holds } from "../properties.ts";
import { expectClose, f32, i32, item, list, lists, problemOf } from "../support/arrays.ts";

const N = 4;
/** Predictions and targets of one length. */
const pairs = fc
  .array(fc.tuple(fc.integer({ min: 0, max: N - 1 }), fc.integer({ min: 0, max: N - 1 })), {
    minLength: 1,
    maxLength: 12,
  })
  .map((xs) => [xs.map(([p]) => p), xs.map(([, t]) => t)] as const);
const averages = ["micro", "macro", "weighted", "none", "binary"] as const;
const zeroDivisions = fc.constantFrom(0, 1, NaN);

// ---------------------------------------------------------------- definitions in plain loops

const count = (p: readonly number[], t: readonly number[], f: (p: number, t: number) => boolean): number =>
  p.filter((x, i) => f(x, t[i]!)).length;
type Score = "precision" | "recall" | "f1Score";
const ratioOf = {
  precision: (hits: number, predicted: number, _actual: number) => [hits, predicted],
  recall: (hits: number, _predicted: number, actual: number) => [hits, actual],
  f1Score: (hits: number, predicted: number, actual: number) => [2 * hits, predicted + actual],
} as const satisfies Record<Score, (h: number, p: number, a: number) => readonly number[]>;

function plainScore(
  score: Score,
  p: readonly number[],
  t: readonly number[],
  average: (typeof averages)[number],
  zeroDivision: number,
): number | number[] {
  const ratio = (h: number, predicted: number, actual: number): number => {
    const [n, d] = ratioOf[score](h, predicted, actual);
    return d === 0 ? zeroDivision : n! / d!;
  };
  const of = (c: number): [number, number, number] => [
    count(p, t, (x, y) => x === c && y === c),
    count(p, t, (x) => x === c),
    count(p, t, (_, y) => y === c),
  ];
  const all = Array.from({ length: N }, (_, c) => of(c));
  if (average === "binary") return ratio(...of(1));
  if (average === "micro") {
    const sum = (k: 0 | 1 | 2): number => all.reduce((s, x) => s + x[k], 0);
    return ratio(sum(0), sum(1), sum(2));
  }
  const each = all.map((x) => ratio(...x));
  if (average === "none") return each;
  // Classes without a value are left out; weights that are all zero count alike.
  let rows = each.map((x, c) => [x, average === "weighted" ? all[c]![2] : 1] as const).filter(([x]) => !isNaN(x));
  if (rows.length > 0 && rows.every(([, w]) => w === 0)) rows = rows.map(([x]) => [x, 1] as const);
  return rows.reduce((s, [x, w]) => s + x * w, 0) / rows.reduce((s, [, w]) => s + w, 0);
}

const near = (found: unknown, wanted: number | number[]): void => {
  const flat = [found].flat() as number[];
  const want = [wanted].flat();
  expect(flat.length).toBe(want.length);
  flat.forEach((x, i) => (isNaN(want[i]!) ? expect(x).toBeNaN() : expect(x).toBeCloseTo(want[i]!, 5)));
};

describe.each(["precision", "recall", "f1Score"] as const)("%s", (score) => {
  test("is its definition, for every average and every value of empty quotients", () => {
    holds(120, [pairs, fc.constantFrom(...averages), zeroDivisions], ([p, t], average, zeroDivision) => {
      const found = metrics[score](i32(p), i32(t), { average, numClasses: N, zeroDivision });
      near(list(found), plainScore(score, p, t, average, zeroDivision));
    });
  });

  test("is the same under jit, and for each example under vmap", () => {
    const p = i32([0, 1, 2, 3, 1, 1, 0, 2]).reshape(2, 4);
    const t = i32([0, 1, 1, 3, 3, 1, 2, 2]).reshape(2, 4);
    for (const average of averages) {
      const f = (a: NDArray, b: NDArray): NDArray => metrics[score](a, b, { average, numClasses: N });
      const wanted = np.stack([f(p.slice(0), t.slice(0)), f(p.slice(1), t.slice(1))]);
      expectClose(vmap(f)(p, t), wanted, 1e-6);
      expectClose(jit(vmap(f))(p, t), wanted, 1e-6);
    }
  });
});

describe("between the metrics", () => {
  test("F1 is the harmonic mean of precision and recall", () => {
    holds(60, [pairs], ([p, t]) => {
      const options = { average: "none", numClasses: N } as const;
      const [a, b, f] = (["precision", "recall", "f1Score"] as const).map(
        (m) => list(metrics[m](i32(p), i32(t), options)) as number[],
      );
      f!.forEach((x, c) => {
        const sum = a![c]! + b![c]!;
        expect(x).toBeCloseTo(sum === 0 ? 0 : (2 * a![c]! * b![c]!) / sum, 5);
      });
    });
  });

  test("precision of predictions is recall of targets", () => {
    holds(40, [pairs, fc.constantFrom("micro", "macro", "none" as const)], ([p, t], average) => {
      const options = { average, numClasses: N } as const;
      expectClose(metrics.precision(i32(p), i32(t), options), metrics.recall(i32(t), i32(p), options), 0);
    });
  });

  test("micro averages are the accuracy, and so is the diagonal of the confusion matrix", () => {
    holds(60, [pairs], ([p, t]) => {
      const wanted = count(p, t, (x, y) => x === y) / p.length;
      expect(item(metrics.accuracy(i32(p), i32(t)))).toBeCloseTo(wanted, 6);
      expect(item(metrics.f1Score(i32(p), i32(t), { average: "micro", numClasses: N }))).toBeCloseTo(wanted, 6);
      const matrix = metrics.confusionMatrix(i32(p), i32(t), { numClasses: N });
      expect(item(np.trace(matrix)) / p.length).toBeCloseTo(wanted, 6);
    });
  });

  test("the confusion matrix counts every pair; its rows are targets, its columns predictions", () => {
    holds(60, [pairs], ([p, t]) => {
      const matrix = metrics.confusionMatrix(i32(p), i32(t), { numClasses: N });
      const all = Array.from({ length: N }, (_, i) =>
        Array.from({ length: N }, (_, j) => count(p, t, (x, y) => x === j && y === i)),
      );
      expect([matrix.dtype, list(matrix)]).toEqual(["int32", all]);
      const transposed = metrics.confusionMatrix(i32(t), i32(p), { numClasses: N });
      expect(list(transposed)).toEqual(list(matrix.transpose()));
    });
  });
});

describe("confusionMatrix", () => {
  test("leaves out what is no class, and works under jit and vmap", () => {
    const p = i32([0, 1, 7, -1, 1, 0]);
    const t = i32([0, 0, 1, 1, 1, 9]);
    const f = (a: NDArray, b: NDArray): NDArray => metrics.confusionMatrix(a, b, { numClasses: 2 });
    expect(list(f(p, t))).toEqual([
      [1, 1],
      [0, 1],
    ]);
    expectClose(jit(f)(p, t), f(p, t), 0);
    const rows = vmap(f)(p.reshape(2, 3), t.reshape(2, 3));
    expectClose(np.sum(rows, 0), f(p, t), 0);
  });
});

describe("topKAccuracy", () => {
  const plain = (scores: number[][], labels: number[], k: number): number =>
    scores.filter((row, i) => {
      const order = row.map((_, c) => c).sort((a, b) => row[b]! - row[a]! || a - b);
      return order.slice(0, k).includes(labels[i]!);
    }).length / scores.length;

  test("is its definition, ties included", () => {
    const row = fc.array(fc.integer({ min: 0, max: 3 }), { minLength: N, maxLength: N });
    const examples = fc.array(fc.tuple(row, fc.integer({ min: 0, max: N - 1 })), { minLength: 1, maxLength: 8 });
    holds(80, [examples, fc.integer({ min: 1, max: N })], (xs, k) => {
      const [scores, labels] = [xs.map(([s]) => s), xs.map(([, y]) => y)];
      const found = item(metrics.topKAccuracy(f32(scores.flat()).reshape(-1, N), i32(labels), { k }));
      expect(found).toBeCloseTo(plain(scores, labels, k), 6);
    });
  });

  test("of one class is the accuracy of the greatest score; of all it is 1; under jit and vmap", () => {
    const scores = f32([0.1, 0.7, 0.2, 0.5, 0.3, 0.2, 0, 0, 1]).reshape(3, 3);
    const labels = i32([1, 2, 0]);
    const top = (k: number) => (s: NDArray, y: NDArray) => metrics.topKAccuracy(s, y, k);
    expect(item(top(1)(scores, labels))).toBeCloseTo(item(metrics.accuracy(np.argmax(scores, -1), labels)), 6);
    expect(item(top(3)(scores, labels))).toBe(1);
    expect(list(jit(vmap(top(2)))(scores, labels))).toEqual([1, 0, 1]);
    // A label that is no class is not found, however many are taken.
    expect(item(top(3)(scores, i32([1, 3, -1])))).toBeCloseTo(1 / 3, 6);
  });
});

test("mistakes are told", () => {
  const [a, b] = [i32([0, 1]), i32([0, 1, 1])];
  expect(problemOf(() => metrics.accuracy(a, b))).toMatchObject({ kind: "ShapeError", code: "MetricShape" });
  expect(problemOf(() => metrics.precision(a, a, { average: "macro" })).code).toBe("NumClasses");
  expect(problemOf(() => metrics.confusionMatrix(a, a, { numClasses: 1.5 })).code).toBe("NumClasses");
  expect(problemOf(() => metrics.recall(a, a, { average: "mean" as never })).code).toBe("Average");
  expect(problemOf(() => metrics.topKAccuracy(f32([0, 1]), a)).code).toBe("MetricShape");
  expect(problemOf(() => metrics.f1(a, a, { classes: 2 } as never)).code).toBe("UnknownOption");
  expect(problemOf(() => metrics.precision(np.array([0, 1], { dtype: "complex64" }), a)).code).toBe("ClassDType");
  expect(lists(metrics.accuracy([true, false], [true, true]))).toEqual([0.5]);
});
