import { describe, expect, test } from "vitest";
import fc from "fast-check";
import type { NDArray } from "../../src/core/ndarray.ts";
import * as random from "../../src/random/index.ts";
import { jit } from "../../src/transforms/jit.ts";
import { vmap } from "../../src/transforms/vmap.ts";
import { holds } from "../properties.ts";
import { f32, list, problemOf } from "../support/arrays.ts";

const seeds = fc.integer({ min: -(2 ** 31), max: 2 ** 32 - 1 });
const words = (key: NDArray): unknown => list(random.keyData(key));

describe("keys", () => {
  test("of a seed are its low word", () => {
    expect(words(random.key(42))).toEqual([0, 42]);
    expect(words(random.key(-1))).toEqual([0, 2 ** 32 - 1]);
    expect(words(random.key(2n ** 40n + 7n))).toEqual([0, 7]);
    expect(random.key(0).dtype).toBe("key<fry>");
    expect(random.key(0).shape).toEqual([]);
  });

  test("split, fold and wrap as in JAX", () => {
    // Literals of JAX 0.11 with partitionable counters.
    expect(words(random.split(random.key(1)))).toEqual([
      [507451445, 1853169794],
      [1948878966, 4237131848],
    ]);
    expect(words(random.foldIn(random.key(42), 0))).toEqual([1832780943, 270669613]);
    expect(words(random.wrapKeyData(random.keyData(random.key(9))))).toEqual([0, 9]);
    expect(random.split(random.key(0), [2, 3]).shape).toEqual([2, 3]);
    expect(random.keyImpl(random.key(0))).toBe("fry");
    expect(words(random.clone(random.key(3)))).toEqual([0, 3]);
  });

  test("a prefix of a longer split is not special, but positions are: element i depends on i alone", () => {
    const [few, many] = [2, 5].map((n) => words(random.split(random.key(7), n)) as unknown[]);
    expect(many!.slice(0, 2)).toEqual(few);
  });

  test("from a split are all different", () => {
    holds(30, [seeds, fc.integer({ min: 1, max: 200 })], (seed, n) => {
      const keys = words(random.split(random.key(seed), n)) as number[][];
      expect(new Set(keys.map(String)).size).toBe(n);
    });
  });

  test("folded with different integers are different", () => {
    holds(50, [seeds, seeds, seeds], (seed, a, b) => {
      const [x, y] = [a, b].map((data) => String(words(random.foldIn(random.key(seed), data))));
      expect(x === y).toBe(a >>> 0 === b >>> 0);
    });
  });

  test("legacy keys give legacy keys, and the same numbers", () => {
    const [legacy, key] = [random.PRNGKey(5), random.key(5)];
    expect(legacy.dtype).toBe("uint32");
    expect(list(random.split(legacy, 3))).toEqual(words(random.split(key, 3)));
    expect(list(random.foldIn(legacy, 3))).toEqual(words(random.foldIn(key, 3)));
    expect(list(random.normal(legacy, [3]))).toEqual(list(random.normal(key, [3])));
  });

  test("work under jit and vmap", () => {
    const key = random.key(3);
    const f = (k: NDArray, n: NDArray): NDArray => random.keyData(random.split(random.foldIn(k, n), 2));
    const ns = random.bits(key, [4]);
    const one = (i: number): unknown => list(f(key, random.bits(key, [4]).slice(i)));
    expect(list(jit(f)(key, ns.slice(1)))).toEqual(one(1));
    expect(list(vmap(f, { inAxes: [null, 0] })(key, ns))).toEqual([0, 1, 2, 3].map(one));
    expect(list(vmap((seed: NDArray) => random.keyData(random.key(seed)))(ns))).toEqual(
      (list(ns) as number[]).map((n) => [0, n]),
    );
  });
});

describe("mistakes", () => {
  test("name what was passed instead of a key", () => {
    expect(problemOf(() => random.normal(f32([1, 2]), [3]))).toMatchObject({ kind: "ArgumentError", code: "NotAKey" });
    expect(problemOf(() => random.normal(0 as never, [3])).what).toBe(
      "random.normal: expected a PRNG key, found the number 0",
    );
    expect(problemOf(() => random.normal([3] as never)).fix).toContain("random.key(0)");
  });

  test("several keys where one is meant", () => {
    const keys = random.split(random.key(0), 3);
    expect(problemOf(() => random.uniform(keys, [2]))).toMatchObject({ kind: "ArgumentError", code: "SeveralKeys" });
    expect(problemOf(() => random.split(keys)).fix).toContain("vmap");
  });

  test("seeds, generators, shapes, dtypes and options", () => {
    expect(problemOf(() => random.key(f32([1, 2]))).code).toBe("SeveralSeeds");
    expect(problemOf(() => random.key(0, { impl: "rbg" })).code).toBe("KeyImplementation");
    expect(problemOf(() => random.normal(random.key(0), [-1])).code).toBe("InvalidShape");
    expect(problemOf(() => random.normal(random.key(0), [2], "int32")).code).toBe("SampleDType");
    expect(problemOf(() => random.randint(random.key(0), [2], 0, 4, "float32")).code).toBe("SampleDType");
    expect(problemOf(() => random.bits(random.key(0), [2], "int32")).code).toBe("SampleDType");
    expect(problemOf(() => random.normal(random.key(0), { size: [2] } as never)).code).toBe("UnknownOption");
    expect(
      problemOf(() => (random.normal as (...args: unknown[]) => unknown)(random.key(0), [2], "float32", 1)).code,
    ).toBe("SurplusArgument");
    expect(problemOf(() => random.uniform(random.key(0), [2], { minval: f32([1, 2, 3]) })).code).toMatch(
      /SampleShape|BroadcastMismatch/,
    );
    expect(problemOf(() => random.gamma(random.key(0), f32([1, 2, 3]), [1])).code).toBe("SampleShape");
    expect(problemOf(() => random.gumbel(random.key(0), [1], { mode: "x" as never })).code).toBe("GumbelMode");
    expect(problemOf(() => random.bernoulli(random.key(0), random.bits(random.key(0), [2]))).code).toBe("Probability");
  });

  test("choices that cannot be made", () => {
    const key = random.key(0);
    expect(problemOf(() => random.choice(key, 3, [4], false)).code).toBe("TooManyDraws");
    expect(problemOf(() => random.choice(key, 0, [1])).code).toBe("NothingToChoose");
    expect(problemOf(() => random.choice(key, 3, { shape: [2], p: [0.5, 0.5] })).code).toBe("ChoiceProbabilities");
    expect(problemOf(() => random.permutation(key, 2.5)).code).toBe("NotACount");
    expect(problemOf(() => random.categorical(key, f32([1, 2]), { shape: [3], replace: false })).code).toBe(
      "TooManyDraws",
    );
    expect(problemOf(() => random.randint(key, [1], 0, 2 ** 40)).code).toBe("BoundTooLarge");
  });
});
