/**
 * Long float32 sums on the wasm device: errors do not grow with the length.
 *
 * The bound is that of blocked summation (Higham, "Accuracy and Stability of Numerical Algorithms", 2nd ed., §4.2): a
 * summand that goes through k additions, each with a relative error of at most u = 2⁻²⁴, contributes at most
 * ((1 + u)^k − 1)|x| to the error. Here k is the additions to one accumulator of a block, the few that combine the
 * accumulators of a block, and none for the total, which is float64; the result is rounded once more.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type LoopNest, visitStmts } from "../../src/compiler/loopNest/loopNest.ts";
import type { NDArray } from "../../src/core/ndarray.ts";
import * as lax from "../../src/lax/index.ts";
import * as nn from "../../src/nn/index.ts";
import * as np from "../../src/numpy/index.ts";
import { jit } from "../../src/transforms/jit.ts";
import { holds } from "../properties.ts";
import { fromHost, host } from "../support/arrays.ts";
import { compiled } from "../support/compiling.ts";
import { gpuTarget } from "../support/gpuTarget.ts";
import { randomNumbers } from "../sweep/hosts.ts";

const u = 2 ** -24;
/** 128 in a block, 5 to combine its 16 accumulators, one for what is left over, one for the result. */
const additions = 128 + 5 + 1 + 1;

const arrayOf = (data: Float32Array, ...shape: number[]): NDArray => fromHost({ shape, dtype: "float32", data });
/** The exact sum, to far more digits than float32 has, and the sum of sizes. */
function exact(values: Iterable<number>): { readonly sum: number; readonly size: number } {
  let [sum, carried, size] = [0, 0, 0];
  for (const v of values) {
    // Neumaier's summation in float64.
    const next = sum + v;
    carried += Math.abs(sum) >= Math.abs(v) ? sum - next + v : v - next + sum;
    sum = next;
    size += Math.abs(v);
  }
  return { sum: sum + carried, size };
}
/** As NumPy sums contiguous float32: pairs of halves, down to 128 numbers in 8 accumulators. */
function pairwise(a: Float32Array): number {
  const { fround } = Math;
  if (a.length > 128) {
    const half = (a.length >> 1) - ((a.length >> 1) % 8);
    return fround(pairwise(a.subarray(0, half)) + pairwise(a.subarray(half)));
  }
  const r = new Float32Array(8);
  a.forEach((v, i) => (r[i % 8] = fround(r[i % 8]! + v)));
  const [p, q] = [fround(fround(r[0]! + r[1]!) + fround(r[2]! + r[3]!)), fround(fround(r[4]! + r[5]!) + fround(r[6]! + r[7]!))]; // prettier-ignore
  return fround(p + q);
}

type Values = (n: number, seed: number) => Float32Array;
const made =
  (f: (next: () => number, i: number, n: number) => number): Values =>
  (n, seed) => {
    const next = randomNumbers(seed + 1);
    return Float32Array.from({ length: n }, (_, i) => f(next, i, n));
  };
const distributions: Readonly<Record<string, Values>> = {
  positive: made((next) => next()),
  "of both signs": made((next) => next() * 2 - 1),
  equal: made(() => 1.1),
  "ones and noise": made((next) => 1 + 0.1 * (next() - 0.5)),
  "of all sizes": made((next) => (next() - 0.3) * 2 ** Math.floor(next() * 40 - 20)),
  growing: made((_, i, n) => i / n),
};

/** Eagerly, as a program of one equation for every shape. */
const sum = (x: NDArray, axes: readonly number[] = [...x.shape.keys()]): NDArray => lax.reduceSum(x, axes);
const total = (x: NDArray): number => host(sum(x)).data[0]!;

describe("sums of random numbers are within the bound", () => {
  const lengths = fc.oneof(
    fc.integer({ min: 1, max: 5000 }),
    fc.integer({ min: 5000, max: 300_000 }),
    fc.constantFrom(2047, 2048, 2049, 4096, 2048 * 64 + 1, 2 ** 17, 2 ** 17 + 8, 2 ** 18 - 1),
  );
  const expectWithin = (found: number, values: Iterable<number>): void => {
    const { sum, size } = exact(values);
    expect(Math.abs(found - sum)).toBeLessThanOrEqual(additions * u * size + 1e-45);
  };
  test.each(Object.entries(distributions))("of vectors, numbers %s", (_, values) =>
    holds(40, [lengths, fc.nat(1000)], (n, seed) => {
      const data = values(n, seed);
      expectWithin(total(arrayOf(data, n)), data);
    }),
  );
  test.each(Object.entries(distributions))("of rows and columns, numbers %s", (_, values) =>
    holds(25, [lengths, fc.constantFrom(1, 2, 7, 16, 23, 40), fc.boolean(), fc.nat(1000)], (n, m, wide, seed) => {
      const [rows, columns] = wide ? [m, Math.ceil(n / m)] : [Math.ceil(n / m), m];
      const data = values(rows * columns, seed);
      const x = arrayOf(data, rows, columns);
      const column = (j: number): number[] => Array.from({ length: rows }, (_, i) => data[i * columns + j]!);
      const picked = (k: number): number[] => [0, k >> 1, k - 1];
      const [down, across] = [host(sum(x, [0])).data, host(sum(x, [1])).data];
      for (const j of picked(columns)) expectWithin(down[j]!, column(j));
      for (const i of picked(rows)) expectWithin(across[i]!, data.subarray(i * columns, (i + 1) * columns));
      expectWithin(total(x), data);
    }),
  );
  test.each([17, 2049, 4099, 100_003])("through views that leave nothing contiguous, of %i numbers", (n) => {
    const data = distributions["ones and noise"]!(n, n);
    const x = arrayOf(data, n);
    expectWithin(host(jit((y: NDArray) => sum(lax.rev(y, [0])))(x)).data[0]!, data);
    const third = data.filter((_, i) => i % 3 === 0);
    expectWithin(host(jit((y: NDArray) => sum(lax.slice(y, [0], [n], [3])))(x)).data[0]!, third);
  });
});

describe("ten million numbers", () => {
  const n = 1e7;
  const data = distributions["ones and noise"]!(n, 1);
  const x = arrayOf(data, n);
  const wantedSum = exact(data).sum;
  /** Relative errors, the second one of pairwise summation, which one rounding at least stands for. */
  const compare = (found: number, wanted: number): [number, number] => [
    Math.abs(found - wanted) / wanted,
    Math.max(u, Math.abs(pairwise(data) - wantedSum) / wantedSum),
  ];
  test("sum and mean are as good as pairwise summation, within a factor of 10", () => {
    for (const [found, wanted] of [
      [total(x), wantedSum],
      [host(jit(np.mean as never)(x)).data[0]!, wantedSum / n],
    ] as const) {
      // prettier-ignore
      const [ours, theirs] = compare(found, wanted);
      expect(ours).toBeLessThanOrEqual(10 * theirs);
    }
  });
  test("so is the variance", () => {
    const mean = wantedSum / n;
    const wanted = exact(data.map((v) => (v - mean) ** 2)).sum / n;
    const [ours, theirs] = compare(host(jit((y: NDArray) => np.var_(y))(x)).data[0]!, wanted);
    expect(ours).toBeLessThanOrEqual(20 * theirs);
  });
  test("and the scalar product", () => {
    const wanted = exact(data.map((v) => v * v)).sum;
    const [ours, theirs] = compare(host(jit((y: NDArray) => np.dot(y, y))(x)).data[0]!, wanted);
    expect(ours).toBeLessThanOrEqual(10 * theirs);
  });
  test("and the log-softmax of a row of a million", () => {
    const row = data.subarray(0, 1e6);
    const wanted = row[0]! - Math.log(exact(Array.from(row, Math.exp)).sum);
    const found = host(jit((y: NDArray) => nn.logSoftmax(y))(arrayOf(row, 1, 1e6))).data[0]!;
    // One unit in the last place of the result.
    expect(Math.abs(found - wanted)).toBeLessThanOrEqual(2 * u * Math.abs(wanted));
  });
});

test("on workgroups, few columns that are long are cut in parts, for many blocks and short sums", () => {
  const { program } = compiled((y: NDArray) => sum(y, [0]), [np.zeros([2 ** 16, 100])], { target: gpuTarget });
  const loops = (kernel: LoopNest, kind: string): number[] => {
    const found: number[] = [];
    visitStmts(kernel.body, (s) => s.kind === "for" && s.loop === kind && found.push(s.variable.extent));
    return found;
  };
  expect(program.kernels).toHaveLength(2);
  expect(Math.max(...program.kernels.flatMap((k) => loops(k, "serial")))).toBeLessThanOrEqual(512);
  expect(loops(program.kernels[0]!, "block").reduce((a, b) => a * b, 1)).toBeGreaterThanOrEqual(64);
});

describe("what is special stays so", () => {
  const n = 100_001;
  const withOne = (value: number, at = 77_777): NDArray => {
    const data = distributions["of both signs"]!(n, 3);
    data[at] = value;
    return arrayOf(data, n);
  };
  test("infinities, NaN, overflow, and zeros", () => {
    expect(total(withOne(Infinity))).toBe(Infinity);
    expect(total(withOne(-Infinity, n - 1))).toBe(-Infinity);
    expect(total(withOne(NaN))).toBeNaN();
    expect(total(arrayOf(new Float32Array(n).fill(3e38), n))).toBe(Infinity);
    expect(total(arrayOf(new Float32Array(n), n))).toBe(0);
  });
  test("a maximum that shares the loop with a sum", () => {
    const x = arrayOf(distributions["of all sizes"]!(n, 5), n);
    const both = jit((y: NDArray) => [np.max(y), np.sum(y), np.min(y)]);
    const [max, sum, min] = both(x).map((y: NDArray) => host(y).data[0]!);
    const data = [...host(x).data];
    expect([max, min]).toEqual([data.reduce((a, b) => Math.max(a, b)), data.reduce((a, b) => Math.min(a, b))]);
    expect(sum).toBe(total(x));
  });
  test("whole numbers wrap as before", () => {
    const ints = fromHost({ shape: [n], dtype: "int32", data: Int32Array.from({ length: n }, (_, i) => i * 65537) });
    const wanted = Number(BigInt.asIntN(32, Array.from({ length: n }, (_, i) => BigInt((i * 65537) | 0)).reduce((a, b) => a + b))); // prettier-ignore
    expect(total(ints)).toBe(wanted);
  });
});
