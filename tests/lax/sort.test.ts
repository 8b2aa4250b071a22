/** Sorting of lines of every length that is treated differently, against the engine's stable sort by a comparison. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { DType } from "../../src/core/dtype.ts";
import { type HostArray, allocate, roundInPlace } from "../../src/core/hostArray.ts";
import * as lax from "../../src/lax/index.ts";
import * as np from "../../src/numpy/index.ts";
import { holds } from "../properties.ts";
import { f32, fromHost, host, list } from "../support/arrays.ts";

const dtypes: readonly DType[] = [
  ...(["float32", "float64", "float16", "bfloat16", "int32", "uint32"] as const),
  ...(["int8", "uint8", "int16", "uint16", "bool"] as const),
];
const extremes: readonly number[] = [
  0,
  -0,
  NaN,
  Infinity,
  -Infinity,
  1,
  -1,
  2 ** -149,
  -(2 ** -149),
  2 ** 31,
  -(2 ** 31),
];
/** Around the lengths at which another method is taken. */
const lengths: readonly number[] = [1, 2, 3, 16, 255, 256, 257, 511, 512, 513, 2500];

/** A line of a dtype: anything, or few values, so that most are equal; some of it special. */
const lines: fc.Arbitrary<HostArray> = fc
  .record({
    n: fc.constantFrom(...lengths),
    dtype: fc.constantFrom(...dtypes),
    seed: fc.integer(),
    values: fc.constantFrom("any", "few", "sorted"),
    specials: fc.boolean(),
  })
  .map(({ n, dtype, seed, values, specials }) => {
    let state = seed;
    const random = (): number => (state = Math.imul(state, 1664525) + 1013904223) / 2 ** 31;
    const data = allocate(dtype, n);
    for (let i = 0; i < n; i++) {
      const v = values === "few" ? Math.round(random() * 3) : random() * (dtype === "uint32" ? 2 ** 32 : 2 ** 31);
      const scaled = dtype.startsWith("float") || dtype === "bfloat16" ? v / 2 ** 20 : v;
      data[i] = dtype === "bool" ? Number(v > 0) : values === "sorted" ? i : scaled;
      if (specials && random() > 0.5) data[i] = extremes[(state >>> 8) % extremes.length]!;
      if (dtype === "bool") data[i] = Number(data[i] !== 0);
    }
    return roundInPlace({ shape: [n], dtype, data });
  });

/** −1, 0 or 1; NaN is above everything. */
const order = (a: number, b: number): number =>
  a < b ? -1 : a > b ? 1 : a === b ? 0 : Number(Number.isNaN(a)) - Number(Number.isNaN(b));
/** The same where −0 is below 0. */
const totalOrder = (a: number, b: number): number =>
  a === 0 && b === 0 ? Number(Object.is(b, -0)) - Number(Object.is(a, -0)) : order(a, b);
const sortedPlaces = (keys: readonly HostArray[], compare: (a: number, b: number) => number): number[] =>
  Array.from(keys[0]!.data, (_, i) => i).sort(
    (i, j) => keys.map((k) => compare(k.data[i]!, k.data[j]!)).find((c) => c !== 0) ?? i - j,
  );
const taken = ({ data }: HostArray, places: readonly number[]): number[] => places.map((p) => data[p]!);
const values = (x: unknown): number[] => Array.from(host(x as Parameters<typeof host>[0]).data);

describe("sort", () => {
  test("of one operand", () =>
    holds(150, [lines], (x) => {
      expect(values(lax.sort(fromHost(x)))).toEqual(taken(x, sortedPlaces([x], order)));
    }));

  test("moves others along, and is stable", () =>
    holds(150, [lines], (x) => {
      const places = sortedPlaces([x], order);
      expect(values(np.argsort(fromHost(x)))).toEqual(places);
      const [sorted] = lax.sortKeyVal(fromHost(x), np.arange(x.data.length));
      expect(values(sorted)).toEqual(taken(x, places));
    }));

  test("by several keys", () =>
    holds(100, [lines, fc.constantFrom(...dtypes)], (x, dtype) => {
      const first = { ...x, dtype: "int32" as const, data: Int32Array.from(x.data, (_, i) => (i * 7) % 5) };
      const second = roundInPlace({ ...x, dtype, data: allocate(dtype, x.data.length) });
      const keys = [first, second, x];
      const places = sortedPlaces(keys, order);
      const sorted = lax.sort(keys.map(fromHost), { numKeys: 3 });
      keys.forEach((k, i) => expect(values(sorted[i])).toEqual(taken(k, places)));
    }));

  test.each([0, 1, 2])("along axis %i, as one line after the other", (axis) => {
    const shape = [3, 600, 2];
    shape.unshift(...shape.splice((4 - axis) % 3));
    const size = 3600;
    const data = Float32Array.from({ length: size }, (_, i) => ((i * 2654435761) % 4093) - 2000);
    const x = fromHost({ shape, dtype: "float32", data });
    for (const sorted of [lax.sort(x, axis), lax.sort([x, x], { dimension: axis })[1]!]) {
      const rows = host(np.reshape(np.moveaxis(sorted, axis, -1), [-1, shape[axis]!])).data;
      const before = host(np.reshape(np.moveaxis(x, axis, -1), [-1, shape[axis]!])).data;
      for (let at = 0; at < size; at += shape[axis]!)
        expect(Array.from(rows.subarray(at, at + shape[axis]!))).toEqual(
          Array.from(before.subarray(at, at + shape[axis]!)).sort((a, b) => a - b),
        );
    }
  });

  test("leaves equal zeros in their order, and puts NaN last", () => {
    expect(list(np.sort(f32([0, NaN, -0, -1, 0, -Infinity, -0, Infinity])))).toEqual([
      ...[-Infinity, -1, 0, -0, 0, -0, Infinity, NaN],
    ]);
  });

  test("gives results that later sorts leave alone", () => {
    const x = np.arange(1000, 0, -1);
    const first = lax.sort(x);
    lax.sort(np.multiply(x, 3));
    expect(values(first)).toEqual(Array.from({ length: 1000 }, (_, i) => i + 1));
  });
});

describe("topK", () => {
  test("takes what a whole sort puts first", () =>
    holds(200, [lines, fc.nat(), fc.boolean()], (x, pick, few) => {
      const n = x.data.length;
      const k = few ? pick % (Math.min(n, 4) + 1) : pick % (n + 1);
      const [top, at] = lax.topK(fromHost(x), k);
      const places = sortedPlaces([x], (a, b) => -totalOrder(a, b)).slice(0, k);
      expect(values(at)).toEqual(places);
      expect(values(top)).toEqual(taken(x, places));
    }));

  test("along the first axis", () => {
    const data = Float32Array.from({ length: 900 }, (_, i) => (i * 7919) % 900);
    const x = fromHost({ shape: [300, 3], dtype: "float32", data });
    const [top, at] = lax.topK(x, 2, { axis: 0 });
    const columns = [0, 1, 2].map((c) => Array.from({ length: 300 }, (_, r) => data[r * 3 + c]!));
    const best = columns.map((c) => [...c].sort((a, b) => b - a));
    expect(list(top)).toEqual([0, 1].map((r) => best.map((b) => b[r])));
    expect(list(at)).toEqual([0, 1].map((r) => columns.map((c, i) => c.indexOf(best[i]![r]!))));
  });
});
