import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { customJvp, lax, nn, numpy as np } from "../../src/index.ts";
import type { NDArray } from "../../src/index.ts";
import {
  GradientMismatchError,
  arrays,
  broadcastableShapes,
  checkGrads,
  pytrees,
  shapes,
} from "../../src/testing/index.ts";

const x64 = (...xs: number[]): NDArray => np.array(Float64Array.from(xs));

describe("checkGrads", () => {
  test("passes for right derivatives, to the third order", () => {
    checkGrads((x: NDArray) => np.sin(x).mul(np.exp(x)), [x64(0.3, -0.7)], 3);
    checkGrads(
      (p: { a: NDArray; b: NDArray[] }) => ({ y: nn.softmax(p.a.mul(p.b[0]!)) }),
      [{ a: x64(1, 2), b: [x64(0.5, -0.5)] }],
      2,
    );
    checkGrads(
      (x: NDArray) => lax.scan((c: NDArray, y: NDArray) => [np.tanh(c.mul(y)), c], x64(0.4).reshape(), x)[0],
      [x64(1, 2, 3)],
      2,
    );
  });

  test("finds a wrong rule and names the numbers", () => {
    const f = customJvp((x: NDArray) => np.sin(x));
    f.defjvp(([x]: [NDArray], [dx]: [NDArray]) => [np.sin(x), dx.mul(np.sin(x))]);
    expect(() => checkGrads(f, [x64(0.3)], 1)).toThrow(GradientMismatchError);
    expect(() => checkGrads(f, [x64(0.3)], 1)).toThrow(/finite differences give/);
  });

  test("integer arguments take no part", () => {
    checkGrads((x: NDArray, i: NDArray) => x.mul(i), [x64(1, 2), np.array([3, 4], { dtype: "int32" })], 1);
  });
});

describe("arbitraries", () => {
  test("arrays have the shape and dtype asked for", () => {
    fc.assert(
      fc.property(arrays({ shape: shapes({ maxDims: 2 }), dtype: "int16" }), (x) => {
        expect(x.dtype).toBe("int16");
        expect(x.ndim).toBeLessThanOrEqual(2);
      }),
    );
  });
  test("broadcastable shapes broadcast", () => {
    fc.assert(fc.property(broadcastableShapes(), ([a, b]) => void expect(np.broadcastShapes(a, b)).toEqual(a)));
  });
  test("pytrees have the given leaves", () => {
    fc.assert(fc.property(pytrees(fc.constant(7)), (t) => void expect(JSON.stringify(t) === undefined).toBe(false)));
  });
});
