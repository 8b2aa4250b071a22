import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { NDArray } from "../../src/core/ndarray.ts";
import * as np from "../../src/numpy/index.ts";
import { signal } from "../../src/scipy/index.ts";
import { checkGrads } from "../../src/testing/index.ts";
import { jit } from "../../src/transforms/jit.ts";
import { vmap } from "../../src/transforms/vmap.ts";
import { holds } from "../properties.ts";
import { c64, expectClose, f32, f64, i32, list, problemOf } from "../support/arrays.ts";

/** Without the line c + d t that has the least squares, by the normal equations. */
function straightened(y: readonly number[]): number[] {
  const n = y.length;
  let [st, stt, sy, sty] = [0, 0, 0, 0];
  y.forEach((v, t) => {
    st += t;
    stt += t * t;
    sy += v;
    sty += t * v;
  });
  const slope = n === 1 ? 0 : (n * sty - st * sy) / (n * stt - st * st);
  return y.map((v, t) => v - (sy - slope * st) / n - slope * t);
}

const series = fc.array(fc.integer({ min: -20, max: 20 }), { minLength: 1, maxLength: 12 });

describe("detrend", () => {
  test("agrees with the normal equations, piece by piece", () => {
    holds(80, [series, fc.array(fc.nat(12), { maxLength: 3 })], (y, points) => {
      const bp = points.map((p) => Math.min(p, y.length));
      const ends = [...new Set([0, ...bp, y.length])].sort((a, b) => a - b);
      const want = ends.slice(1).flatMap((end, i) => straightened(y.slice(ends[i], end)));
      expectClose(signal.detrend(f64(y), { bp }), f64(want), 1e-9);
      expectClose(signal.detrend(f32(y), { bp }), f32(want), 1e-5);
    });
  });

  test("the mean", () => {
    expect(list(signal.detrend(i32([1, 4, 8, 8, 9]), -1, "constant"))).toEqual([-5, -2, 2, 2, 3]);
    expect(signal.detrend(i32([1, 2])).dtype).toBe("float32");
  });

  test("axes, complex numbers, nothing at all", () => {
    const x = np.reshape(np.sin(np.arange(24)), [2, 4, 3]);
    for (const axis of [0, 1, 2, -2])
      expectClose(signal.detrend(x, axis), np.moveaxis(signal.detrend(np.moveaxis(x, axis, -1)), -1, axis));
    const z = c64([
      [1, 2],
      [3, -1],
      [0, 4],
    ]);
    expectClose(np.imag(signal.detrend(z)), signal.detrend(np.imag(z)));
    expect(signal.detrend(np.zeros([2, 0])).shape).toEqual([2, 0]);
    expect(list(signal.detrend(f32([7])))).toEqual([0]);
  });

  test("transformations", () => {
    const x = f64([
      [1, 5, 2, 8, 3],
      [0, 1, 0, 4, 4],
    ]);
    checkGrads((y: NDArray) => signal.detrend(y, { bp: 2 }), [x], 2);
    const f = (y: NDArray): NDArray => signal.detrend(y);
    expectClose(vmap(f)(x), f(x));
    expectClose(jit(f)(x), f(x));
  });

  test("mistakes", () => {
    const x = np.ones([5]);
    expect(problemOf(() => signal.detrend(x, { bp: 6 })).code).toBe("BreakPointOutside");
    expect(problemOf(() => signal.detrend(x, { type: "cubic" as never })).code).toBe("UnknownChoice");
    expect(problemOf(() => signal.detrend(x, 1)).code).toBe("AxisOutOfRange");
    expect(problemOf(() => signal.detrend(x, { overwriteData: true as never })).code).toBe("UnsupportedOption");
  });
});
