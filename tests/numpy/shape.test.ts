import "../../src/numpy/install.ts";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { NDArray } from "../../src/core/ndarray.ts";
import { ShapeError } from "../../src/core/problem.ts";
import * as np from "../../src/numpy/index.ts";
import { checkGrads } from "../../src/testing/checkGrads.ts";
import { grad } from "../../src/transforms/gradient.ts";
import { jit } from "../../src/transforms/jit.ts";
import { holds } from "../properties.ts";
import { counted, places, plainOf } from "./plain.ts";

const shapes = fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 3 });

/** For a position beyond an axis of length n, the position whose element stands there. */
const sources: Record<string, (i: number, n: number) => number> = {
  edge: (i, n) => Math.min(Math.max(i, 0), n - 1),
  wrap: (i, n) => ((i % n) + n) % n,
  symmetric: (i, n) => {
    const k = ((i % (2 * n)) + 2 * n) % (2 * n);
    return k < n ? k : 2 * n - 1 - k;
  },
  reflect: (i, n) => {
    if (n === 1) return 0;
    const period = 2 * n - 2;
    const k = ((i % period) + period) % period;
    return k < n ? k : period - k;
  },
};

describe("pad", () => {
  test("agrees with loops in the modes that repeat elements", () => {
    const widths = fc.array(fc.tuple(fc.nat(5), fc.nat(5)), { minLength: 3, maxLength: 3 });
    holds(150, [shapes, widths, fc.constantFrom("edge", "wrap", "symmetric", "reflect")], (shape, all, mode) => {
      const x = counted(shape);
      const width = all.slice(0, shape.length);
      const y = np.pad(x, width, mode);
      const out = shape.map((n, i) => n + width[i]![0] + width[i]![1]);
      expect(y.shape).toEqual(out);
      const want = places(out).map((p) => plainOf(x).at(p.map((k, i) => sources[mode]!(k - width[i]![0], shape[i]!))));
      expect([...y.dataSync()]).toEqual(want);
    });
  });

  test("constants, ramps, statistics, functions", () => {
    const x = np.array([1, 2, 3]);
    expect(np.pad(x, [1, 2], { constantValues: 9 }).js()).toEqual([9, 1, 2, 3, 9, 9]);
    expect(np.pad(x, 1, { constantValues: [7, 8] }).js()).toEqual([7, 1, 2, 3, 8]);
    expect(
      np
        .pad(
          np.ones([1, 1]),
          [
            [1, 0],
            [0, 1],
          ],
          {
            constantValues: [
              [2, 3],
              [4, 5],
            ],
          },
        )
        .js(),
    ).toEqual([
      [2, 5],
      [1, 5],
    ]);
    expect(np.pad(x, 2, "linear_ramp", { endValues: 5 }).js()).toEqual([5, 3, 1, 2, 3, 4, 5]);
    expect(np.pad(x, 1, "maximum").js()).toEqual([3, 1, 2, 3, 3]);
    expect(np.pad(x, 1, "minimum", { statLength: 1 }).js()).toEqual([1, 1, 2, 3, 3]);
    expect(np.pad(x, 1, "mean", { statLength: [1, 2] }).js()).toEqual([1, 1, 2, 3, 2.5]);
    expect(np.pad(x, 1, "median").js()).toEqual([2, 1, 2, 3, 2]);
    expect(np.pad(x, 2, "reflect", { reflectType: "odd" }).js()).toEqual([-1, 0, 1, 2, 3, 4, 5]);
    expect(np.pad(x, 1, (line) => line.at(0).set(-1)).js()).toEqual([-1, 1, 2, 3, 0]);
    expect(np.pad(np.array(5), []).js()).toBe(5);
    expect(() => np.pad(x, 1, "edge", { constantValues: 1 })).toThrow(/constantValues means nothing/);
    expect(() => np.pad(x, -1)).toThrow(/no count/);
    expect(() => np.pad(np.zeros([0]), 1, "edge")).toThrow(ShapeError);
  });

  test("is differentiable", () => {
    for (const mode of ["edge", "wrap", "symmetric", "reflect", "linear_ramp", "mean"] as const)
      checkGrads((x: NDArray) => np.pad(x, [2, 3], mode), [np.linspace(0, 1, 4, { dtype: "float64" })], 1);
  });
});

describe("shape", () => {
  test("reshape, orders, unknown lengths", () => {
    expect(np.reshape(np.arange(6), [2, -1]).shape).toEqual([2, 3]);
    expect(np.reshape(np.arange(6), [2, 3], "F").js()).toEqual([
      [0, 2, 4],
      [1, 3, 5],
    ]);
    expect(np.ravel(np.reshape(np.arange(6), [2, 3]), "F").js()).toEqual([0, 3, 1, 4, 2, 5]);
    expect(np.reshape(np.zeros([0, 2]), [-1, 2]).shape).toEqual([0, 2]);
    expect(np.arange(6).reshape(3, 2).shape).toEqual([3, 2]);
    expect(np.arange(6).reshape([3, 2]).shape).toEqual([3, 2]);
    expect(np.arange(1).reshape().shape).toEqual([]);
    expect(() => np.reshape(np.arange(6), [-1, -1])).toThrow(ShapeError);
    expect(() => np.reshape(np.arange(6), [4, -1])).toThrow(/not a multiple of 4/);
  });

  test("transposition and moving axes", () => {
    const x = counted([2, 3, 4]);
    expect(x.transpose().shape).toEqual([4, 3, 2]);
    expect(x.transpose(1, 0, 2).shape).toEqual([3, 2, 4]);
    expect(x.transpose([2, 0, 1]).shape).toEqual([4, 2, 3]);
    expect(x.mT.shape).toEqual([2, 4, 3]);
    expect(np.moveaxis(x, [0, 1], [-1, 0]).shape).toEqual([3, 4, 2]);
    expect(np.rollaxis(x, 0, 3).shape).toEqual([3, 4, 2]);
    expect(() => np.moveaxis(x, [0, 0], [1, 2])).toThrow(/twice/);
  });

  test("roll agrees with loops, also by traced shifts", () => {
    holds(60, [shapes, fc.integer({ min: -7, max: 7 }), fc.nat(2)], (shape, shift, a) => {
      const axis = a % shape.length;
      const x = counted(shape);
      const n = shape[axis]!;
      const want = places(shape).map((p) =>
        plainOf(x).at(p.map((k, i) => (i === axis ? (((k - shift) % n) + n) % n : k))),
      );
      expect([...np.roll(x, shift, axis).dataSync()]).toEqual(want);
      const dynamic = jit((y: NDArray, s: NDArray) => np.roll(y, s, axis));
      expect([...dynamic(x, np.array(shift, "int32")).dataSync()]).toEqual(want);
    });
    expect(np.roll(counted([2, 2]), [1, 1], [0, 1]).js()).toEqual([
      [4, 3],
      [2, 1],
    ]);
  });

  test("tile and repeat", () => {
    holds(40, [shapes, fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 1, maxLength: 4 })], (shape, reps) => {
      const x = counted(shape);
      const ndim = Math.max(shape.length, reps.length);
      const lengths = [...Array<number>(ndim - shape.length).fill(1), ...shape];
      const times = [...Array<number>(ndim - reps.length).fill(1), ...reps];
      const out = lengths.map((n, i) => n * times[i]!);
      const y = np.tile(x, reps);
      expect(y.shape).toEqual(out);
      expect([...y.dataSync()]).toEqual(
        places(out).map((p) => plainOf(x).at(p.map((k, i) => k % lengths[i]!).slice(ndim - shape.length))),
      );
    });
    expect(
      np
        .repeat(
          np.array([
            [1, 2],
            [3, 4],
          ]),
          [1, 2],
          0,
        )
        .js(),
    ).toEqual([
      [1, 2],
      [3, 4],
      [3, 4],
    ]);
    expect(np.repeat(np.array([1, 2]), [0, 3]).js()).toEqual([2, 2, 2]);
    const counts = jit((n: NDArray) => np.repeat(np.array([5, 6]), n, { totalRepeatLength: 4 }));
    expect(counts(np.array([1, 3], "int32")).js()).toEqual([5, 6, 6, 6]);
    expect(() => jit((n: NDArray) => np.repeat(np.array([5, 6]), n))(np.array([1, 3], "int32"))).toThrow(
      /totalRepeatLength/,
    );
    expect(grad((x: NDArray) => np.sum(np.repeat(x, 3).mul(np.arange(6))))(np.array([1, 1])).js()).toEqual([3, 12]);
  });

  test("joining promotes; splitting is its inverse", () => {
    expect(np.concatenate([np.arange(2), np.array([0.5])]).dtype).toBe("float32");
    expect(np.concatenate([np.ones([1, 2]), np.zeros([2, 2])], null).shape).toEqual([6]);
    expect(np.stack([np.arange(2), np.arange(2)], -1).js()).toEqual([
      [0, 0],
      [1, 1],
    ]);
    expect(np.stack(np.ones([3, 2])).shape).toEqual([3, 2]);
    expect(np.hstack([np.ones([2, 1]), np.zeros([2, 2])]).shape).toEqual([2, 3]);
    expect(np.block([[np.eye(2), np.zeros([2, 1])], [np.ones([1, 3])]]).shape).toEqual([3, 3]);
    holds(40, [shapes, fc.nat(2), fc.integer({ min: 1, max: 4 })], (shape, a, k) => {
      const axis = a % shape.length;
      const x = counted(shape);
      const parts = np.arraySplit(x, k, axis);
      expect(parts).toHaveLength(k);
      expect(np.concatenate(parts, axis).js()).toEqual(x.js());
    });
    expect(np.split(np.arange(6), [1, 4]).map((p) => p.js())).toEqual([[0], [1, 2, 3], [4, 5]]);
    expect(() => np.split(np.arange(5), 2)).toThrow(/arraySplit/);
    expect(() => np.concatenate([np.array(1)])).toThrow(/scalars/);
    expect(() => np.concatenate([])).toThrow(/at least one/);
  });

  test("insert and delete", () => {
    expect(np.insert(np.array([1, 2, 3]), [0, 2], [8, 9]).js()).toEqual([8, 1, 2, 9, 3]);
    expect(
      np
        .insert(
          np.array([
            [1, 2],
            [3, 4],
          ]),
          1,
          np.array([8, 9]),
          1,
        )
        .js(),
    ).toEqual([
      [1, 8, 2],
      [3, 9, 4],
    ]);
    expect(np.insert(np.array([1, 2]), -1, 9).js()).toEqual([1, 9, 2]);
    expect(
      np
        .delete_(
          np.array([
            [1, 2],
            [3, 4],
          ]),
          0,
          1,
        )
        .js(),
    ).toEqual([[2], [4]]);
    expect(np.delete_(np.array([1, 2, 3]), [0, -1]).js()).toEqual([2]);
    expect(np.delete_(np.array([1, 2, 3]), np.array([true, false, false])).js()).toEqual([2, 3]);
    const traced = jit((i: NDArray) => np.delete_(np.array([1, 2, 3]), i, { assumeUniqueIndices: true }));
    expect(traced(np.array([1], "int32")).js()).toEqual([1, 3]);
    expect(() => np.delete_(np.array([1, 2]), 5)).toThrow(/position 5/);
  });

  test("diagonals", () => {
    holds(
      40,
      [fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 4 })), fc.integer({ min: -4, max: 4 })],
      (shape, k) => {
        const x = counted(shape);
        const want = places(shape)
          .filter(([i, j]) => j! - i! === k)
          .map((p) => plainOf(x).at(p));
        expect(np.diagonal(x, k).js()).toEqual(want);
        expect(np.trace(x, k).js()).toBe(want.reduce((a, b) => a + b, 0));
        const masked = (keep: (d: number) => boolean): number[] =>
          places(shape).map(([i, j]) => (keep(j! - i!) ? plainOf(x).at([i!, j!]) : 0));
        expect([...np.tril(x, k).dataSync()]).toEqual(masked((d) => d <= k));
        expect([...np.triu(x, k).dataSync()]).toEqual(masked((d) => d >= k));
        const [rows, columns] = np.trilIndices(shape[0], k, shape[1]);
        expect(rows.size).toBe(places(shape).filter(([i, j]) => j! - i! <= k).length);
        expect(columns.size).toBe(rows.size);
      },
    );
    expect(np.diag(np.array([1, 2]), -1).js()).toEqual([
      [0, 0, 0],
      [1, 0, 0],
      [0, 2, 0],
    ]);
  });
});
