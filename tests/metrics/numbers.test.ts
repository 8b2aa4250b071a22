/** Metrics of numbers, of rankings and of language models, against plain loops and their laws. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { NDArray } from "../../src/core/ndarray.ts";
import * as metrics from "../../src/metrics/index.ts";
import * as np from "../../src/numpy/index.ts";
import { grad } from "../../src/transforms/gradient.ts";
import { jit } from "../../src/transforms/jit.ts";
import { vmap } from "../../src/transforms/vmap.ts";
import { holds } from "../properties.ts";
import { expectClose, f32, f64, i32, item, list, problemOf } from "../support/arrays.ts";

describe("rocAuc", () => {
  const plain = (s: readonly number[], y: readonly number[]): number => {
    let [wins, all] = [0, 0];
    s.forEach((a, i) =>
      s.forEach((b, j) => {
        if (y[i] === 1 && y[j] === 0) {
          all++;
          wins += a > b ? 1 : a === b ? 0.5 : 0;
        }
      }),
    );
    return wins / all;
  };
  // Few different scores, so that many are equal.
  const examples = fc
    .array(fc.tuple(fc.integer({ min: -3, max: 3 }), fc.constantFrom(0, 1)), { minLength: 2, maxLength: 20 })
    .filter((xs) => new Set(xs.map(([, y]) => y)).size === 2)
    .map((xs) => [xs.map(([s]) => s), xs.map(([, y]) => y)] as const);

  test("is how often a positive beats a negative, ties half", () => {
    holds(120, [examples], ([s, y]) => {
      expect(item(metrics.rocAuc(f32(s), i32(y)))).toBeCloseTo(plain(s, y), 6);
    });
  });

  test("does not change under increasing maps, and turns around under decreasing ones", () => {
    holds(60, [examples], ([s, y]) => {
      const auc = item(metrics.rocAuc(f32(s), i32(y)));
      expect(item(metrics.rocAuc(np.exp(f32(s)), i32(y)))).toBe(auc);
      expect(item(metrics.rocAuc(np.add(np.power(f32(s), 3), 5), i32(y)))).toBe(auc);
      expect(item(metrics.rocAuc(np.negative(f32(s)), i32(y)))).toBeCloseTo(1 - auc, 6);
      expect(item(metrics.rocAuc(f32(s), i32(y.map((v) => 1 - v))))).toBeCloseTo(1 - auc, 6);
    });
  });

  test("is NaN of one class, and the same under jit and vmap", () => {
    expect(item(metrics.rocAuc(f32([1, 2]), i32([1, 1])))).toBeNaN();
    const s = f32([0.1, 0.9, 0.4, 0.4, 3, 1]).reshape(2, 3);
    const y = i32([0, 1, 1, 1, 0, 1]).reshape(2, 3);
    const wanted = np.stack([metrics.rocAuc(s.slice(0), y.slice(0)), metrics.rocAuc(s.slice(1), y.slice(1))]);
    expectClose(vmap((a: NDArray, b: NDArray) => metrics.rocAuc(a, b))(s, y), wanted, 1e-6);
    expectClose(jit(vmap((a: NDArray, b: NDArray) => metrics.rocAuc(a, b)))(s, y), wanted, 1e-6);
  });

  test("is exact where sums of ranks would not be", () => {
    const n = 20_000;
    const s = np.arange(n);
    // Every other one is positive, and the last is: each of the h positives, from the lowest, beats one negative more.
    const h = n / 2;
    expect(item(metrics.rocAuc(s, np.remainder(s, 2)))).toBeCloseTo((h * (h + 1)) / 2 / (h * h), 6);
  });
});

describe("of numbers", () => {
  const value = fc.double({ min: -10, max: 10, noNaN: true });
  const examples = fc.array(fc.tuple(value, value), { minLength: 2, maxLength: 10 });
  const mean = (xs: number[]): number => xs.reduce((a, b) => a + b, 0) / xs.length;

  test("are their definitions", () => {
    holds(60, [examples], (xs) => {
      const [p, t] = [f64(xs.map(([a]) => a)), f64(xs.map(([, b]) => b))];
      const square = mean(xs.map(([a, b]) => (a - b) ** 2));
      expect(item(metrics.meanSquaredError(p, t))).toBeCloseTo(square, 9);
      expect(item(metrics.rootMeanSquaredError(p, t))).toBeCloseTo(Math.sqrt(square), 9);
      expect(item(metrics.meanAbsoluteError(p, t))).toBeCloseTo(mean(xs.map(([a, b]) => Math.abs(a - b))), 9);
      const centre = mean(xs.map(([, b]) => b));
      const variance = mean(xs.map(([, b]) => (b - centre) ** 2));
      fc.pre(variance > 1e-3);
      expect(item(metrics.r2Score(p, t))).toBeCloseTo(1 - square / variance, 6);
    });
  });

  test("r2Score is 1 for exact predictions, 0 for the mean, and a mean over outputs", () => {
    const t = f64([1, 2, 3, 6]);
    expect(item(metrics.r2Score(t, t))).toBe(1);
    expect(item(metrics.r2Score(np.fullLike(t, 3), t))).toBeCloseTo(0, 9);
    const constant = f64([2, 2]);
    expect(item(metrics.r2Score(constant, constant))).toBe(1);
    expect(item(metrics.r2Score(f64([2, 3]), constant))).toBe(0);
    const both = metrics.r2Score(np.stack([t, np.fullLike(t, 3)], 1), np.stack([t, t], 1));
    expect(item(both)).toBeCloseTo(0.5, 9);
  });

  test("work under jit, vmap and grad", () => {
    const [p, t] = [f32([1, 2, 3, 5]).reshape(2, 2), f32([1, 1, 5, 2]).reshape(2, 2)];
    for (const f of [metrics.meanSquaredError, metrics.meanAbsoluteError, metrics.r2Score] as const) {
      const g = (a: NDArray, b: NDArray): NDArray => f(a, b);
      expectClose(jit(vmap(g))(p, t), np.stack([f(p.slice(0), t.slice(0)), f(p.slice(1), t.slice(1))]), 1e-6);
    }
    expect(list(grad((a: NDArray) => metrics.meanSquaredError(a, t))(p))).toEqual([
      [0, 0.5],
      [-1, 1.5],
    ]);
  });

  test("integers are numbers like others", () => {
    const e = metrics.meanSquaredError(i32([1, 2]), i32([1, 5]));
    expect([e.dtype, item(e)]).toEqual(["float32", 4.5]);
    expect(problemOf(() => metrics.r2Score(f32([1]), f32([1, 2]))).code).toBe("MetricShape");
  });
});

describe("perplexity", () => {
  test("is its definition, without overflow, over the labels that count", () => {
    const logits = [
      [1, -2, 0.5],
      [900, 901, 899],
      [0, 0, 0],
    ];
    const labels = [2, 1, 0];
    const losses = logits.map((row, i) => {
      const top = Math.max(...row);
      return Math.log(row.reduce((s, x) => s + Math.exp(x - top), 0)) - (row[labels[i]!]! - top);
    });
    const of = (kept: number[]): number => Math.exp(kept.reduce((a, b) => a + b, 0) / kept.length);
    const x = f64(logits.flat()).reshape(3, 3);
    expect(item(metrics.perplexity(x, i32(labels)))).toBeCloseTo(of(losses), 9);
    const where = [true, false, true];
    expect(item(metrics.perplexity(x, i32([2, 99, 0]), { where }))).toBeCloseTo(of([losses[0]!, losses[2]!]), 9);
  });

  test("of equal logits is the number of tokens; of one sequence each under vmap", () => {
    holds(20, [fc.integer({ min: 1, max: 9 })], (n) => {
      expect(item(metrics.perplexity(np.zeros([4, n]), i32([0, 0, 0, 0])))).toBeCloseTo(n, 4);
    });
    const x = f32([0, 1, 2, 3, 5, 4, 1, 1]).reshape(2, 2, 2);
    const y = i32([0, 1, 1, 0]).reshape(2, 2);
    const wanted = np.stack([metrics.perplexity(x.slice(0), y.slice(0)), metrics.perplexity(x.slice(1), y.slice(1))]);
    expectClose(jit(vmap((a: NDArray, b: NDArray) => metrics.perplexity(a, b)))(x, y), wanted, 1e-6);
    expect(problemOf(() => metrics.perplexity(x, i32([0]))).code).toBe("MetricShape");
  });
});
