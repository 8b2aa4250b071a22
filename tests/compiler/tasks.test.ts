/** Kernels cut into tasks: what is cut, and that it means the same, whatever the shape. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { cutAlways, wasmTarget } from "../../src/backends/wasm/device.ts";
import type { LoopNest } from "../../src/compiler/loopNest/loopNest.ts";
import type { NDArray } from "../../src/core/ndarray.ts";
import * as lax from "../../src/lax/index.ts";
import * as nn from "../../src/nn/index.ts";
import * as np from "../../src/numpy/index.ts";
import { check } from "../properties.ts";
import { distance } from "../support/arrays.ts";
import { byReference, compiled } from "../support/compiling.ts";
import { samplePrograms } from "../support/samplePrograms.ts";

const always = { ...wasmTarget, cutting: cutAlways };
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- any function of trees of arrays
type F = (...args: any[]) => unknown;
const kernelsOf = (f: F, ...args: NDArray[]): readonly LoopNest[] => compiled(f, args).program.kernels;

describe("what is cut", () => {
  const square = (n: number): NDArray => np.ones([n, n]);
  test("nothing that is done soon", () => {
    expect(kernelsOf((x: NDArray) => np.exp(x), np.ones([1000]))[0]!.tasks).toBeUndefined();
    expect(kernelsOf((a: NDArray) => np.matmul(a, a), square(32))[0]!.tasks).toBeUndefined();
  });
  test("elementwise work, rows, columns, products", () => {
    for (const f of [
      (x: NDArray) => np.exp(x),
      (x: NDArray) => nn.softmax(x),
      (x: NDArray) => np.sum(x, 0),
      (x: NDArray) => np.matmul(x, x),
    ]) {
      const [kernel, ...others] = kernelsOf(f, square(2048));
      expect(others).toEqual([]);
      const { count, grain } = kernel!.tasks!;
      expect(Math.ceil(count / grain)).toBeGreaterThanOrEqual(4);
      expect(Math.ceil(count / grain)).toBeLessThanOrEqual(64);
    }
  });
  test("a sum of everything, in parts first", () => {
    const [parts, together, ...others] = kernelsOf((x: NDArray) => np.sum(x), square(1024));
    expect(others).toEqual([]);
    expect(parts!.tasks!.count).toBeGreaterThanOrEqual(8);
    expect(together!.tasks).toBeUndefined();
  });
  test("nothing whose parts need each other", () => {
    expect(kernelsOf((x: NDArray) => np.cumsum(x), np.ones([2 ** 20]))[0]!.tasks).toBeUndefined();
  });
});

describe("kernels of tasks compute what the reference does", () => {
  const same = (f: F, args: readonly unknown[], tolerance: number): void => {
    const wanted = byReference(f, args);
    const { run } = compiled(f, args, { target: always });
    run().forEach((y, i) => expect(distance(y, wanted[i]!, tolerance)).toBeNull());
  };
  test.each(samplePrograms)("$name", ({ f, args, tolerance = 1e-5 }) => same(f, args(), tolerance));

  const extent = fc.integer({ min: 1, max: 40 });
  test("of all shapes", () =>
    check(
      60,
      fc.property(fc.tuple(extent, extent, extent), fc.boolean(), ([m, k, n], wide) => {
        const [a, b] = [np.sin(np.arange(m * k)).reshape([m, k]), np.cos(np.arange(k * n)).reshape([k, n])];
        const target = { ...always, fusedMultiplyAdd: wide, wideVectors: wide };
        const f = (x: NDArray, y: NDArray): unknown => [
          np.matmul(x, y),
          np.sum(x, 0),
          np.sum(y),
          nn.softmax(y),
          x.mul(2),
        ];
        const wanted = byReference(f, [a, b]);
        compiled(f, [a, b], { target })
          .run()
          .forEach((y, i) => expect(distance(y, wanted[i]!, 1e-5)).toBeNull());
      }),
    ));
  const size = fc.integer({ min: 1, max: 15 });
  test("of convolutions, whose lines are no multiples of panels", () =>
    check(
      60,
      fc.property(size, size, fc.integer({ min: 1, max: 3 }), fc.boolean(), (h, w, window, isPadded) => {
        const x = np.sin(np.arange(2 * 3 * h * w)).reshape([2, 3, h, w]);
        const v = np.cos(np.arange(5 * 3 * window)).reshape([5, 3, 1, window]);
        const padding = isPadded || window > w ? "SAME" : "VALID";
        same((p: NDArray, q: NDArray) => lax.conv(p, q, [1, 1], padding), [x, v], 1e-5);
      }),
    ));
});
