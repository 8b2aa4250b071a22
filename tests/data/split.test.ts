/** Splits, folds and scales. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { kFold, minMaxScaler, split, standardizer } from "../../src/data/index.ts";
import type { NDArray } from "../../src/core/ndarray.ts";
import * as np from "../../src/numpy/index.ts";
import * as random from "../../src/random/index.ts";
import { holds } from "../properties.ts";
import { expectClose, f32, list, problemOf } from "../support/arrays.ts";

const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
const sorted = (x: readonly number[]): number[] => [...x].sort((a, b) => a - b);
const values = (x: NDArray): number[] => list(x) as number[];
const keys = fc.option(
  fc.nat(99).map((n) => random.key(n)),
  { nil: undefined },
);
const optional = (key: NDArray | undefined): { key?: NDArray } => (key ? { key } : {});

describe("split", () => {
  test("is a partition with the shares it was asked for", () => {
    const weights = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 4 });
    holds(60, [fc.integer({ min: 1, max: 30 }), weights, keys], (n, w, key) => {
      const total = w.reduce((a, b) => a + b, 0);
      const parts = split(
        { x: np.arange(n), y: [np.arange(n).mul(2)] },
        w.map((v) => v / total),
        optional(key),
      );
      expect(sorted(parts.flatMap((p) => values(p.x)))).toEqual(upTo(n));
      parts.forEach((p, i) => {
        expect(Math.abs(p.x.shape[0]! - (n * w[i]!) / total)).toBeLessThanOrEqual(1);
        expect(values(p.y[0]!)).toEqual(values(p.x).map((v) => 2 * v));
      });
    });
  });

  test("by class: each part has its share of each", () => {
    holds(60, [fc.array(fc.nat(3), { minLength: 1, maxLength: 30 }), keys, fc.boolean()], (classes, key, text) => {
      const stratify = text ? classes.map((c) => `class ${c}`) : Int32Array.from(classes);
      const parts = split(np.arange(classes.length), [0.5, 0.25, 0.25], { ...optional(key), stratify }).map(values);
      expect(sorted(parts.flat())).toEqual(upTo(classes.length));
      for (const c of new Set(classes)) {
        const n = classes.filter((d) => d === c).length;
        [0.5, 0.25, 0.25].forEach((f, i) =>
          expect(Math.abs(parts[i]!.filter((j) => classes[j] === c).length - f * n)).toBeLessThanOrEqual(1),
        );
      }
    });
  });

  test("what is missing to 1 is left out; the key decides", () => {
    expect(split(np.arange(10), [0.2, 0.3]).map(values)).toEqual([
      [0, 1],
      [2, 3, 4],
    ]);
    const parts = (seed: number): number[][] => split(np.arange(50), [0.5, 0.5], { key: random.key(seed) }).map(values);
    expect(parts(0)).toEqual(parts(0));
    expect(parts(0)).not.toEqual(parts(1));
  });

  test("says what is wrong", () => {
    for (const fractions of [[], [0], [0.7, 0.7], [NaN]])
      expect(problemOf(() => split(np.arange(3), fractions)).code).toBe("Fractions");
    expect(problemOf(() => split(np.arange(3), [1], { stratify: [1, 2] })).code).toBe("Classes");
    expect(problemOf(() => split(np.arange(3), [1], { stratify: np.ones([3, 2]) })).code).toBe("Classes");
    expect(problemOf(() => kFold(np.arange(3), 4)).code).toBe("Folds");
    expect(problemOf(() => kFold(np.arange(3), 1)).code).toBe("Folds");
  });
});

describe("kFold", () => {
  test("validation parts are a partition into nearly equal parts, of every class; the rest is for training", () => {
    const classes = fc.array(fc.nat(2), { minLength: 2, maxLength: 24 });
    holds(60, [classes, fc.integer({ min: 2, max: 6 }), keys, fc.boolean()], (c, k, key, stratified) => {
      const n = c.length;
      if (k > n) return;
      const folds = kFold(np.arange(n), k, { ...optional(key), ...(stratified && { stratify: Int32Array.from(c) }) });
      expect(folds.length).toBe(k);
      const parts = folds.map((f) => values(f.validation));
      expect(sorted(parts.flat())).toEqual(upTo(n));
      folds.forEach((f, i) => expect(sorted([...values(f.train), ...parts[i]!])).toEqual(upTo(n)));
      const spread = (sizes: number[]): number => Math.max(...sizes) - Math.min(...sizes);
      expect(spread(parts.map((p) => p.length))).toBeLessThanOrEqual(1);
      if (stratified)
        for (const d of new Set(c))
          expect(spread(parts.map((p) => p.filter((i) => c[i] === d).length))).toBeLessThanOrEqual(1);
    });
  });
});

describe("scalers", () => {
  test("standardizer: mean 0, deviation 1, and back", () => {
    const x = random
      .normal(random.key(0), [50, 3])
      .mul(f32([1, 10, 0.1]))
      .add(f32([0, 5, -3]));
    const { apply, invert } = standardizer(x);
    expectClose(np.mean(apply(x), 0), f32([0, 0, 0]), 1e-5);
    expectClose(np.std(apply(x), 0), f32([1, 1, 1]), 1e-5);
    expectClose(invert(apply(x)), x, 1e-6);
    expect(
      list(
        standardizer([
          [2, 1],
          [2, 3],
        ]).apply([
          [2, 2],
          [3, 3],
        ]),
      ),
    ).toEqual([
      [0, 0],
      [1, 1],
    ]);
    expect(standardizer(x, { axis: null }).offset.shape).toEqual([1, 1]);
  });

  test("minMaxScaler: fills the range, and back", () => {
    const x = random.normal(random.key(1), [50, 3]);
    const { apply, invert } = minMaxScaler(x, { range: [-1, 3] });
    expectClose(np.min(apply(x), 0), f32([-1, -1, -1]), 1e-5);
    expectClose(np.max(apply(x), 0), f32([3, 3, 3]), 1e-5);
    expectClose(invert(apply(x)), x, 1e-5);
    expect(list(minMaxScaler([[2], [2]]).apply([[2]]))).toEqual([[0]]);
    expect(problemOf(() => minMaxScaler([[1]], { range: [1, 1] })).code).toBe("EmptyRange");
  });
});
