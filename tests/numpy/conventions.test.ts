/** How functions are called: by position, by name; what is refused; dtypes of results; methods. */
import "../../src/numpy/install.ts";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ArrayLike } from "../../src/core/arrayMethods.ts";
import { type NDArray } from "../../src/core/ndarray.ts";
import { ArgumentError, ConcretizationError, DTypeError } from "../../src/core/problem.ts";
import * as np from "../../src/numpy/index.ts";
import { arrays, broadcastableShapes } from "../../src/testing/arbitraries.ts";
import { grad } from "../../src/transforms/gradient.ts";
import { jit } from "../../src/transforms/jit.ts";
import { holds } from "../properties.ts";
import { broadcast, broadcastAt, places, plainOf } from "./plain.ts";

const x = np.array([
  [1, 2, 3],
  [4, 5, 6],
]);

describe("arguments", () => {
  test("leading options go by position, all by name", () => {
    expect(np.sum(x, 0).js()).toEqual([5, 7, 9]);
    expect(np.sum(x, { axis: 0 }).js()).toEqual([5, 7, 9]);
    expect(np.sum(x, 0, { keepdims: true }).js()).toEqual([[5, 7, 9]]);
    expect(np.sum(x, null, { keepdims: true }).shape).toEqual([1, 1]);
    expect(np.sum(x, undefined, { dtype: "int32" }).dtype).toBe("int32");
    expect(np.sum(x, [0, -1]).js()).toBe(21);
    expect(np.linspace(0, 1, 3).js()).toEqual([0, 0.5, 1]);
    expect(np.linspace(0, 1, { num: 3, endpoint: false }).size).toBe(3);
    expect(np.zeros([2], "int32").dtype).toBe("int32");
    expect(np.zeros(3).shape).toEqual([3]);
    expect(np.arange(2, { dtype: "uint8" }).dtype).toBe("uint8");
    expect(np.clip(x, { max: 3 }).js()).toEqual([
      [1, 2, 3],
      [3, 3, 3],
    ]);
    expect(np.clip(x, null, 2).js()).toEqual([
      [1, 2, 2],
      [2, 2, 2],
    ]);
    expect(x.sum(0).js()).toEqual([5, 7, 9]);
    expect(x.sum({ axis: 1, keepdims: true }).shape).toEqual([2, 1]);
  });

  test("surplus arguments and unknown options are refused", () => {
    const loose = np as unknown as Record<string, (...args: unknown[]) => unknown>;
    expect(() => [x, x].map(np.sum as unknown as (a: NDArray) => NDArray)).toThrow(/sum: 2 optional arguments/);
    for (const name of ["add", "maximum", "arctan2", "logicalAnd", "power", "divmod"])
      expect(() => loose[name]!(x, x, x), name).toThrow(ArgumentError);
    expect(() => loose["where"]!(x, x, x, x)).toThrow(ArgumentError);
    expect(() => loose["sum"]!(x, { axes: 0 })).toThrow(/unknown option "axes"/);
    expect(() => loose["zeros"]!([2], { type: "int32" })).toThrow(ArgumentError);
    expect(() => loose["matmul"]!(x, x.T, 3)).toThrow(ArgumentError);
    expect(() => loose["cumsum"]!(x, 0, 1)).toThrow(ArgumentError);
    expect(() => np.add(x, "1" as unknown as ArrayLike)).toThrow(/NotArrayLike|expected an array/);
    // The same are type errors.
    // @ts-expect-error a surplus operand
    expect(() => np.add(x, x, x)).toThrow();
    // @ts-expect-error an unknown option
    expect(() => np.sum(x, { axes: 0 })).toThrow();
    // @ts-expect-error an array for an axis
    expect(() => np.sum(x, x)).toThrow();
    // @ts-expect-error the index that map passes
    expect(() => [x].map(np.sum)).toThrow();
  });

  test("a function of one array can be mapped over a list", () => {
    expect([np.array([4]), np.array([9])].map(np.sqrt).map((y) => y.js())).toEqual([[2], [3]]);
  });
});

describe("dtypes", () => {
  test("numbers and lists alone are float32, counting is int32", () => {
    expect(np.array([1, 2]).dtype).toBe("float32");
    expect(np.array([true]).dtype).toBe("bool");
    expect(np.array(new Float64Array(2)).dtype).toBe("float64");
    expect(np.array([1n, 2n]).dtype).toBe("int32");
    expect(np.arange(3).dtype).toBe("int32");
    expect(np.arange(0, 1, 0.25).js()).toEqual([0, 0.25, 0.5, 0.75]);
    expect(np.full([2], 7).dtype).toBe("int32");
    expect(np.array([2 ** 24 + 1, -1], "int32").js()).toEqual([2 ** 24 + 1, -1]);
    expect(np.array([1.7, -1.7], "int8").js()).toEqual([1, -1]);
    expect(np.array([np.arange(2), np.array([0.5, 1])]).js()).toEqual([
      [0, 1],
      [0.5, 1],
    ]);
    expect(
      np
        .array([
          [np.array(1), 2],
          [3, 4],
        ])
        .js(),
    ).toEqual([
      [1, 2],
      [3, 4],
    ]);
    expect(np.array([1, 2], { ndmin: 2 }).shape).toEqual([1, 2]);
  });

  test("a whole number keeps an integer array, a fraction does not", () => {
    const i = np.arange(3);
    expect(np.add(i, 1).dtype).toBe("int32");
    expect(np.add(i, 1.5).dtype).toBe("float32");
    expect(np.power(i, 2).dtype).toBe("int32");
    expect(np.divide(i, 2).dtype).toBe("float32");
    expect(np.add(np.zeros([1], "bfloat16"), 1.5).dtype).toBe("bfloat16");
    expect(np.add(np.zeros([1], "int8"), np.zeros([1], "uint8")).dtype).toBe("int16");
    expect(np.where(np.array([true]), i.slice([0, 1]), 2).dtype).toBe("int32");
    expect(np.bitwiseAnd(i, 1).js()).toEqual([0, 1, 0]);
    expect(() => np.power(i, -1)).toThrow(DTypeError);
  });

  test("integer means, roots and sums", () => {
    const i = np.array([1, 2], "int8");
    expect(np.mean(i).dtype).toBe("float32");
    expect(np.sum(i).dtype).toBe("int32");
    expect(np.sum(i, { promoteIntegers: false }).dtype).toBe("int8");
    expect(np.sum(np.array([true, true])).js()).toBe(2);
    expect(np.sum(np.array([200, 100], "uint8")).js()).toBe(300);
    expect(np.sum(np.array([2048, 1], "float16")).dtype).toBe("float16");
    expect(np.cumsum(i).dtype).toBe("int8");
    expect(np.sqrt(i).dtype).toBe("float32");
    expect(np.var_(np.arange(3)).dtype).toBe("float32");
  });
});

describe("elementwise functions", () => {
  test("broadcast as loops do", () => {
    const operations = {
      add: (a: number, b: number) => a + b,
      multiply: (a: number, b: number) => a * b,
      maximum: Math.max,
    } as const;
    const pair = broadcastableShapes().chain(([s, t]) => fc.tuple(arrays({ shape: s }), arrays({ shape: t })));
    holds(
      100,
      [pair, fc.constantFrom(...(Object.keys(operations) as (keyof typeof operations)[])), fc.boolean()],
      ([p, q], name, swap) => {
        const [a, b] = swap ? [q, p] : [p, q];
        const shape = broadcast(a.shape, b.shape);
        const y = np[name](a, b);
        expect(y.shape).toEqual(shape);
        const want = places(shape).map((k) =>
          Math.fround(operations[name](broadcastAt(plainOf(a), k), broadcastAt(plainOf(b), k))),
        );
        expect([...y.dataSync()]).toEqual(want.map((v) => (v === 0 ? (expect.closeTo(0) as unknown as number) : v)));
      },
    );
  });

  test("division follows the sign of the divisor", () => {
    const values = fc.integer({ min: -9, max: 9 });
    holds(100, [values, values.filter((v) => v !== 0)], (a, b) => {
      for (const dtype of ["int32", "float32"] as const) {
        const [u, v] = [np.array([a], dtype), np.array([b], dtype)];
        expect(np.floorDivide(u, v).slice(0).item()).toBeCloseTo(Math.floor(a / b));
        expect(np.mod(u, v).slice(0).item()).toBeCloseTo(a - b * Math.floor(a / b));
        expect(np.fmod(u, v).slice(0).item()).toBeCloseTo(a % b);
      }
    });
  });

  test("gradients at kinks are JAX's", () => {
    const at = (f: (v: NDArray) => NDArray, v: number): unknown =>
      grad((y: NDArray) => np.sum(f(y)))(np.array([v])).js();
    expect(at((v) => np.maximum(v, np.zeros([1])), 0)).toEqual([0.5]);
    expect(at((v) => np.sinc(v), 0)).toEqual([0]);
    expect(at((v) => np.hypot(v, np.zeros([1])), 0)).toEqual([0.5]);
    expect(at((v) => np.logaddexp(v, np.zeros([1])), 0)).toEqual([0.5]);
    expect(at((v) => np.where(np.greater(v, 0), v, 0), -1)).toEqual([0]);
    expect(at((v) => np.i0(v), 0)).toEqual([0]);
    expect(at((v) => np.power(v, 2), 0)).toEqual([0]);
    const second = grad(grad((v: NDArray) => np.sinc(v)))(np.array(0)).item() as number;
    expect(second).toBeCloseTo(-(Math.PI ** 2) / 3, 4);
  });

  test("logaddexp keeps infinities", () => {
    expect(np.logaddexp(np.array([-Infinity, Infinity, 0]), np.array([-Infinity, 1, -Infinity])).js()).toEqual([
      -Infinity,
      Infinity,
      0,
    ]);
  });
});

describe("shapes that depend on values", () => {
  test("are known outside of jit, and by size inside", () => {
    const v = np.array([0, 3, 0, 5]);
    expect(np.nonzero(v)[0]!.js()).toEqual([1, 3]);
    expect(() => jit((y: NDArray) => np.nonzero(y))(v)).toThrow(ConcretizationError);
    expect(() => jit((y: NDArray) => np.unique(y))(v)).toThrow(/size/);
    expect(jit((y: NDArray) => np.nonzero(y, { size: 3, fillValue: -1 })[0]!)(v).js()).toEqual([1, 3, -1]);
    expect(jit((y: NDArray) => np.unique(y, { size: 4 }))(v).js()).toEqual([0, 3, 5, 0]);
    expect(grad((y: NDArray) => np.sum(np.unique(y)))(v).js()).toEqual([1, 1, 0, 1]);
    expect(
      jit((a: NDArray, b: NDArray) => np.intersect1d(a, b, { size: 3, fillValue: 9 }))(
        np.array([1, 2, 2, 3]),
        np.array([3, 2]),
      ).js(),
    ).toEqual([2, 3, 9]);
    expect(
      jit((a: NDArray, b: NDArray) => np.setxor1d(a, b, { size: 3, fillValue: 9 }))(
        np.array([1, 2, 2]),
        np.array([3, 2]),
      ).js(),
    ).toEqual([1, 3, 9]);
    expect(
      jit((a: NDArray, b: NDArray) => np.setdiff1d(a, b, { size: 2, fillValue: 9 }))(
        np.array([1, 2, 1]),
        np.array([2]),
      ).js(),
    ).toEqual([1, 9]);
    expect(jit((y: NDArray) => np.bincount(y, { length: 3 }))(np.array([0, 2, 7], "int32")).js()).toEqual([1, 0, 1]);
  });
});

describe("methods", () => {
  test("are the functions of the same name", () => {
    const names: Record<string, string> = {
      sub: "subtract",
      mul: "multiply",
      div: "divide",
      floordiv: "floorDivide",
      pow: "power",
      neg: "negative",
      and: "bitwiseAnd",
      or: "bitwiseOr",
      xor: "bitwiseXor",
      lshift: "leftShift",
      rshift: "rightShift",
      flatten: "ravel",
    };
    const i = np.arange(1, 7).reshape(2, 3);
    const calls: Record<string, unknown[]> = {
      add: [i],
      sub: [i],
      mul: [2],
      div: [2],
      floordiv: [2],
      mod: [4],
      pow: [2],
      neg: [],
      abs: [],
      equal: [i],
      notEqual: [2],
      less: [3],
      lessEqual: [3],
      greater: [3],
      greaterEqual: [3],
      and: [1],
      or: [1],
      xor: [1],
      invert: [],
      lshift: [1],
      rshift: [1],
      sum: [0],
      prod: [1],
      mean: [],
      var_: [0],
      std: [],
      min: [1],
      max: [0],
      any: [],
      all: [0],
      argmin: [1],
      argmax: [],
      cumsum: [0],
      cumprod: [1],
      sort: [0],
      argsort: [1],
      ravel: [],
      flatten: [],
      squeeze: [],
      swapaxes: [0, 1],
      repeat: [2, 0],
      take: [[0], 1],
      diagonal: [1],
      trace: [],
      astype: ["float32"],
      round: [],
      clip: [2, 4],
      conj: [],
      dot: [i.T],
      matmul: [i.T],
      transpose: [],
    };
    for (const [name, args] of Object.entries(calls)) {
      const f = (np as unknown as Record<string, (...a: unknown[]) => NDArray>)[names[name] ?? name]!;
      const m = (i as unknown as Record<string, (...a: unknown[]) => NDArray>)[name]!;
      expect(m.apply(i, args).js(), name).toEqual(f(i, ...args).js());
    }
  });

  test("read back", async () => {
    expect(await x.data()).toEqual(Float32Array.of(1, 2, 3, 4, 5, 6));
    expect(await x.jsAsync()).toEqual([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    expect(np.array([true, false]).js()).toEqual([true, false]);
    expect(np.array(true).item()).toBe(true);
    expect(np.array([[7]]).item()).toBe(7);
    const copy = x.dataSync();
    copy[0] = 9;
    expect(x.slice(0, 0).item()).toBe(1);
    expect([...x].map((r) => r.js())).toEqual([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    expect(() => x.item()).toThrow(/6 elements/);
    expect(() => jit((y: NDArray) => y.mul(y.item() as number))(np.array(3))).toThrow(/debug.print/);
    expect(grad((y: NDArray) => (y.item() === 3 ? y.mul(2) : y))(np.array(3)).js()).toBe(2);
    expect(() => [...np.array(1)]).toThrow(/scalar has none/);
    expect(x.device).toMatch(/^\w+:0$/);
    const gone = np.ones([2]);
    gone.dispose();
    expect(() => gone.add(1)).toThrow(/disposed/);
  });

  test("assignment to elements throws", () => {
    const y = np.zeros([3]) as NDArray & { [i: number]: number };
    expect(() => {
      y[2] = 1;
    }).toThrow(/x\.at\(2\)\.set/);
    expect(y[0]).toBeUndefined();
  });
});

describe("options of numpy that can only have one value", () => {
  const x = np.array([3, 1, 2]);
  test("are accepted with it", () => {
    expect(np.sort(x, { kind: "stable", order: null }).js()).toEqual([1, 2, 3]);
    expect(np.argsort(x, { kind: "quicksort" }).js()).toEqual([1, 2, 0]);
    expect(np.array([1], { order: "K" }).js()).toEqual([1]);
    expect(np.asarray([1], { order: null }).js()).toEqual([1]);
    expect(np.median(x, { overwriteInput: false }).js()).toBe(2);
    expect((np.gradient(x, { edgeOrder: 1 }) as NDArray).js()).toEqual([-2, -0.5, 1]);
    expect(np.arange(6).reshape(2, 3, { order: "F" }).js()).toEqual(np.reshape(np.arange(6), [2, 3], "F").js());
  });

  test.each([
    ["sort", () => np.sort(x, { order: "f" as unknown as null })],
    ["argsort", () => np.argsort(x, { order: "f" as unknown as null })],
    ["array", () => np.array([1], { order: "F" as "K" })],
    ["asarray", () => np.asarray([1], { order: "C" as "K" })],
    ["quantile", () => np.quantile(x, 0.5, { overwriteInput: true as unknown as false })],
    ["gradient", () => np.gradient(x, { edgeOrder: 2 as 1 })],
  ] as const)("%s refuses others", (name, call) => {
    expect(call).toThrow(new RegExp(`^${name}: .* is not supported`));
  });
});

test("quantiles of nothing are NaN", () => {
  for (const f of [np.median, np.nanmedian])
    for (const axis of [0, null] as const)
      expect(np.all(np.isnan(f(np.zeros([0, 2]), axis))).js(), String(axis)).toBe(true);
  for (const method of ["linear", "nearest", "inverted_cdf"] as const)
    expect(np.nanquantile(np.zeros([2, 0]), [0.1, 0.9], 1, { method }).js()).toEqual([
      [NaN, NaN],
      [NaN, NaN],
    ]);
});

test("argpartition keeps the order of positions above, and finds the smallest below, as JAX", () => {
  const values = fc.array(fc.integer({ min: -3, max: 3 }), { minLength: 1, maxLength: 9 });
  holds(60, [values, fc.nat(8), fc.constantFrom("int32" as const, "float32" as const)], (list, at, dtype) => {
    const k = at % list.length;
    const order = list.map((_, i) => i).sort((i, j) => list[i]! - list[j]! || i - j);
    const above = order.slice(k + 1).sort((i, j) => i - j);
    expect(np.argpartition(np.array(list, dtype), k).js()).toEqual([...order.slice(0, k + 1), ...above]);
  });
});

test("compress of a given size works on traced conditions that are too long", () => {
  const pick = (flags: NDArray): NDArray => np.compress(flags, np.array([1, 2, 3]), { size: 2, fillValue: -1 });
  const flags = np.array([false, true, false, false]);
  expect(jit(pick)(flags).js()).toEqual([2, -1]);
  expect(pick(flags).js()).toEqual([2, -1]);
  expect(() => jit((f: NDArray) => np.compress(f, np.array([1, 2, 3])))(flags)).toThrow(/size/);
  expect(() => np.compress(np.array([false, true, false, true]), np.array([1, 2, 3]))).toThrow(/beyond the 3/);
});
