/** The counter-based generator: Random123's vectors, and the laws that splitting promises. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  randomBits,
  randomFoldIn,
  randomSeed,
  randomSplit,
  randomUnwrap,
  randomWrap,
  threefry2x32,
} from "../../src/lax/randomBits.ts";
import { jit } from "../../src/transforms/jit.ts";
import { vmap } from "../../src/transforms/vmap.ts";
import type { NDArray } from "../../src/core/ndarray.ts";
import { holds } from "../properties.ts";
import { array, host, list } from "../support/arrays.ts";

const u32 = (x: number): NDArray => array(x, "uint32");
const words = (x: NDArray): number[] => Array.from(host(x).data);
const seeds = fc.integer({ min: 0, max: 2 ** 31 - 1 });
const key = (seed: number): NDArray => randomSeed(array(seed, "uint32"));

describe("threefry2x32, 20 rounds", () => {
  // kat_vectors of Random123 1.14.
  test.each([
    [
      [0, 0],
      [0, 0],
      [0x6b200159, 0x99ba4efe],
    ],
    [
      [0xffffffff, 0xffffffff],
      [0xffffffff, 0xffffffff],
      [0x1cb996fc, 0xbb002be7],
    ],
    [
      [0x243f6a88, 0x85a308d3],
      [0x13198a2e, 0x03707344],
      [0xc4923a9c, 0x483df7a0],
    ],
  ] as const)("counter %j, key %j", ([c0, c1], [k0, k1], wanted) => {
    // prettier-ignore
    expect(threefry2x32(u32(k0), u32(k1), u32(c0), u32(c1)).flatMap(words)).toEqual(wanted);
    expect(
      jit((a: NDArray, b: NDArray) => threefry2x32(u32(k0), u32(k1), a, b))(u32(c0), u32(c1)).flatMap(words),
    ).toEqual(wanted);
  });
});

describe("keys", () => {
  test("splitting gives distinct keys, none of them the parent", () =>
    holds(50, [seeds], (s) => {
      const parent = key(s);
      const children = list(randomUnwrap(randomSplit(parent, [16]))) as number[][];
      const all = [...children, list(randomUnwrap(parent)) as number[]].map(String);
      expect(new Set(all).size).toBe(17);
    }));
  test("a longer split begins with a shorter one", () =>
    holds(20, [seeds], (s) => {
      const long = list(randomUnwrap(randomSplit(key(s), [6]))) as unknown[];
      expect(long.slice(0, 2)).toEqual(list(randomUnwrap(randomSplit(key(s), [2]))));
    }));
  test("folding in is deterministic and tells numbers apart", () =>
    holds(30, [seeds, fc.integer({ min: 0, max: 1000 }), fc.integer({ min: 0, max: 1000 })], (s, a, b) => {
      const fold = (n: number): string => String(words(randomUnwrap(randomFoldIn(key(s), u32(n)))));
      expect(fold(a)).toBe(fold(a));
      expect(fold(a) === fold(b)).toBe(a === b);
    }));
  test("words and keys are two views of the same", () =>
    holds(20, [seeds], (s) => {
      const k = randomSplit(key(s), [3]);
      expect(words(randomUnwrap(randomWrap(randomUnwrap(k))))).toEqual(words(randomUnwrap(k)));
      expect(k.dtype).toBe("key<fry>");
    }));
  test("vmap over keys equals a loop, and jit equals eager", () =>
    holds(20, [seeds], (s) => {
      const keys = randomSplit(key(s), [4]);
      const each = list(vmap((k: NDArray) => randomBits(k, 32, [3]))(keys)) as unknown[];
      const raw = list(randomUnwrap(keys)) as number[][];
      raw.forEach((w, i) => expect(each[i]).toEqual(list(randomBits(randomWrap(array(w, "uint32")), 32, [3]))));
      expect(list(jit((k: NDArray) => randomBits(k, 32, [3]))(key(s)))).toEqual(list(randomBits(key(s), 32, [3])));
    }));
  test("bits of a larger array begin with those of a smaller one (partitionable)", () =>
    holds(20, [seeds], (s) => {
      const many = words(randomBits(key(s), 32, [10]));
      expect(many.slice(0, 4)).toEqual(words(randomBits(key(s), 32, [4])));
      expect(new Set(many).size).toBe(10);
    }));
});
