import { describe, expect, test } from "vitest";
import fc from "fast-check";
import type { NDArray } from "../../src/core/ndarray.ts";
import * as nn from "../../src/nn/index.ts";
import * as np from "../../src/numpy/index.ts";
import * as random from "../../src/random/index.ts";
import { checkGrads } from "../../src/testing/index.ts";
import { grad } from "../../src/transforms/gradient.ts";
import { vmap } from "../../src/transforms/vmap.ts";
import { holds } from "../properties.ts";
import { bool, c64, expectClose, f32, f64, i32, item, list, problemOf } from "../support/arrays.ts";

const key = random.key(5);
const x = random.normal(key, [3, 4], "float64");
const mask = bool([
  [1, 0, 1, 1],
  [0, 0, 0, 1],
  [1, 1, 1, 1],
]);

describe("softmax", () => {
  const rows = fc.array(fc.float({ min: -80, max: 80, noNaN: true }), { minLength: 1, maxLength: 6 });

  test("sums to 1, keeps the order and does not see shifts", () => {
    holds(60, [rows, fc.float({ min: -50, max: 50, noNaN: true })], (row, shift) => {
      const y = list(nn.softmax(f64(row))) as number[];
      expect(y.reduce((a, b) => a + b)).toBeCloseTo(1, 10);
      row.forEach((a, i) => row.forEach((b, j) => expect(a <= b ? y[i]! <= y[j]! : true).toBe(true)));
      expectClose(nn.softmax(f64(row.map((v) => v + shift))), nn.softmax(f64(row)), 1e-9);
    });
  });

  test("does not overflow, and its logarithm does not underflow", () => {
    expect(list(nn.softmax(f32([1000, 0])))).toEqual([1, 0]);
    expect(list(nn.logSoftmax(f32([1000, 0])))).toEqual([0, -1000]);
    expect(list(nn.softmax(f32([3, -Infinity])))).toEqual([1, 0]);
  });

  test("over masked elements", () => {
    const y = nn.softmax(x, { where: mask });
    expect(list(np.sum(y, -1))).toEqual([expect.closeTo(1, 9), 1, expect.closeTo(1, 9)]);
    expect((list(y) as number[][])[1]).toEqual([0, 0, 0, 1]);
    expect((list(nn.logSoftmax(x, -1, mask)) as number[][])[1]).toEqual([-Infinity, -Infinity, -Infinity, 0]);
    expect(list(nn.softmax(f32([1, 2]), { where: [false, false] }))).toEqual([0, 0]);
  });

  test("over other and several axes", () => {
    expectClose(nn.softmax(x, 0), np.transpose(nn.softmax(np.transpose(x))), 1e-12);
    expect(item(np.sum(nn.softmax(x, { axis: [0, 1] })))).toBeCloseTo(1, 10);
    expectClose(nn.softmax(x, null), nn.softmax(x, [0, 1]), 1e-12);
  });

  test("has the right derivatives, also where masked and where saturated", () => {
    checkGrads((y: NDArray) => nn.softmax(y), [x], 2);
    checkGrads((y: NDArray) => nn.softmax(y, { where: mask, axis: 0 }), [x], 2);
    checkGrads((y: NDArray) => nn.logSoftmax(y), [x], 2);
    const g = grad((y: NDArray) => np.sum(np.multiply(nn.softmax(y), f32([1, 2, 3]))))(f32([500, 0, -Infinity]));
    expect(list(g)).toEqual([0, 0, 0]);
  });

  test("promotes integers, and maps", () => {
    expect(nn.softmax(i32([1, 2])).dtype).toBe("float32");
    expectClose(vmap((y: NDArray) => nn.softmax(y))(x), nn.softmax(x), 1e-12);
  });
});

describe("logsumexp", () => {
  test("is the logarithm of the sum of exponentials, shifted", () => {
    expect(item(nn.logsumexp(f64([1, 2, 3])))).toBeCloseTo(Math.log(Math.E + Math.E ** 2 + Math.E ** 3), 12);
    expect(item(nn.logsumexp(f32([1e4, 1e4])))).toBeCloseTo(1e4 + Math.LN2, 2);
  });

  test("of nothing, of −∞ and of ∞", () => {
    expect(item(nn.logsumexp(f32([])))).toBe(-Infinity);
    expect(item(nn.logsumexp(f32([-Infinity, -Infinity])))).toBe(-Infinity);
    expect(item(nn.logsumexp(f32([Infinity, 0])))).toBe(Infinity);
    expect(item(nn.logsumexp(f32([1, 2]), { where: [false, false] }))).toBe(-Infinity);
    expect(item(nn.logsumexp(f32([1, NaN])))).toBeNaN();
  });

  test("with factors and signs", () => {
    expect(item(nn.logsumexp(f64([0, 0]), { b: f64([3, -1]) }))).toBeCloseTo(Math.LN2, 12);
    expect(item(nn.logsumexp(f64([0, 0]), { b: f64([1, -3]) }))).toBeNaN();
    const [value, sign] = nn.logsumexp(f64([0, 0]), { b: f64([1, -3]), returnSign: true });
    expect([item(value), item(sign)]).toEqual([expect.closeTo(Math.LN2, 12), -1]);
    // A factor of zero takes its term out, whatever it is.
    expect(item(nn.logsumexp(f64([0, Infinity]), { b: f64([1, 0]) }))).toBe(0);
  });

  test("along axes, with them kept", () => {
    expect(nn.logsumexp(x, 0).shape).toEqual([4]);
    expect(nn.logsumexp(x, { axis: [0, 1], keepdims: true }).shape).toEqual([1, 1]);
    expectClose(nn.logsumexp(x, { axis: 1, keepdims: true }), np.expandDims(nn.logsumexp(x, 1), 1), 1e-12);
    expectClose(nn.logsumexp(x, { axis: 1, where: mask }), np.log(np.sum(np.exp(x), { axis: 1, where: mask })), 1e-12);
  });

  test("is softmax's integral", () => {
    checkGrads((y: NDArray) => nn.logsumexp(y, -1), [x], 2);
    checkGrads((y: NDArray) => nn.logsumexp(y, { axis: -1, b: f64([1, 2, 0, 0.5]) }), [x], 1);
    expectClose(grad((y: NDArray) => nn.logsumexp(y))(f64([1, 2, 5])), nn.softmax(f64([1, 2, 5])), 1e-12);
  });

  test("of complex numbers", () => {
    const z = list(nn.logsumexp(c64([[0, Math.PI / 2]]))) as number[];
    expect(z[0]).toBeCloseTo(0, 6);
    expect(z[1]).toBeCloseTo(Math.PI / 2, 6);
  });

  test("logmeanexp divides by the count of those that take part", () => {
    expect(item(nn.logmeanexp(f64([7, 7, 7])))).toBeCloseTo(7, 12);
    expect(item(nn.logmeanexp(f64([7, 100, 7]), { where: [true, false, true] }))).toBeCloseTo(7, 12);
    expect(nn.logmeanexp(x, { axis: 0, keepdims: true }).shape).toEqual([1, 4]);
  });
});

describe("standardize", () => {
  test("gives mean 0 and variance 1", () => {
    for (const algorithm of ["fast", "stable"] as const) {
      const y = nn.standardize(x, { axis: 0, epsilon: 0, algorithm });
      expectClose(np.mean(y, 0), np.zeros([4], "float64"), 1e-9);
      expectClose(np.var_(y, 0), np.ones([4], "float64"), 1e-9);
    }
  });

  test("takes the mean of some elements, or other moments", () => {
    const y = nn.standardize(f64([1, 3, 100]), { where: [true, true, false], epsilon: 0 });
    expect((list(y) as number[]).slice(0, 2)).toEqual([expect.closeTo(-1, 9), expect.closeTo(1, 9)]);
    expect(list(nn.standardize(f64([5]), { mean: 3, variance: 4, epsilon: 0 }))).toEqual([1]);
  });

  test("has the right derivative", () => {
    checkGrads((y: NDArray) => nn.standardize(y), [x], 1);
    expect(problemOf(() => nn.standardize(x, { algorithm: "x" as never })).code).toBe("StandardizeAlgorithm");
  });
});

describe("oneHot", () => {
  test("puts the new axis where it is asked for, and knows no class out of range", () => {
    expect(list(nn.oneHot(i32([2, 0, -1, 3]), 3))).toEqual([
      [0, 0, 1],
      [1, 0, 0],
      [0, 0, 0],
      [0, 0, 0],
    ]);
    expect(nn.oneHot(i32([[1, 2]]), 5, { axis: 0 }).shape).toEqual([5, 1, 2]);
    expect(nn.oneHot(i32([1]), 2, { dtype: "bool" }).dtype).toBe("bool");
    expect(nn.oneHot(np.array(new Uint8Array([1])), 300).shape).toEqual([1, 300]);
  });

  test("compares with a mapped axis", () => {
    const f = (k: NDArray): NDArray => nn.oneHot(k, 3, { axis: "classes" });
    const y = vmap(f, { inAxes: null, axisName: "classes", axisSize: 3 })(i32([1, 0]));
    expect(list(y)).toEqual([
      [0, 1],
      [1, 0],
      [0, 0],
    ]);
    const wrong = (): unknown => vmap(f, { inAxes: null, axisName: "classes", axisSize: 4 })(i32([1]));
    expect(problemOf(wrong).code).toBe("OneHotAxis");
  });
});
