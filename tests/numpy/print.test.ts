import "../../src/numpy/install.ts";
import { inspect } from "node:util";
import { expect, test } from "vitest";
import { type NDArray } from "../../src/core/ndarray.ts";
import { complex } from "../../src/lax/complex.ts";
import * as np from "../../src/numpy/index.ts";
import { grad } from "../../src/transforms/gradient.ts";
import { jit } from "../../src/transforms/jit.ts";

test("toString has NumPy's layout", () => {
  expect(String(np.array([1, 2.5, -3.25]))).toBe("[ 1.    2.5  -3.25]");
  expect(String(np.eye(2))).toBe("[[1. 0.]\n [0. 1.]]");
  expect(String(np.arange(3))).toBe("[0 1 2]");
  expect(String(np.array([true, false]))).toBe("[ true false]");
  expect(String(np.array(3))).toBe("3.");
  expect(String(np.array([1e-10, 1]))).toBe("[1.e-10 1.e+00]");
  expect(String(np.array([0.1, 1 / 3]))).toBe("[0.1        0.33333334]");
  expect(String(np.array([NaN, 1.25, -Infinity]))).toBe("[ nan 1.25 -inf]");
  expect(String(np.zeros([0]))).toBe("[]");
  expect(String(np.reshape(np.arange(4), [2, 1, 2]))).toBe("[[[0 1]]\n\n [[2 3]]]");
  expect(String(complex(np.array([1]), np.array([-0.5])))).toBe("[1.-0.5j]");
  expect(`${np.array([1])}`).toBe("[1.]");
});

test("large arrays are elided and long lines broken", () => {
  expect(String(np.arange(2000))).toBe("[   0    1    2 ... 1997 1998 1999]");
  expect(String(np.ones([50, 50])).split("\n")).toHaveLength(7);
  for (const line of String(np.arange(100)).split("\n")) expect(line.length).toBeLessThanOrEqual(76);
  expect(np.printoptions({ threshold: 5, edgeitems: 1 }, () => String(np.arange(10)))).toBe("[0 ... 9]");
  expect(np.printoptions({ precision: 2 }, () => String(np.array([1.23456])))).toBe("[1.23]");
  expect(np.getPrintoptions().precision).toBe(8);
});

test("consoles and notebooks show values with their dtype", () => {
  expect(inspect(np.array([1, 2]))).toBe("Array([1., 2.], dtype=float32)");
  expect(np.arrayRepr(np.arange(2))).toBe("Array([0, 1], dtype=int32)");
  const display = (np.eye(2) as unknown as Record<symbol, () => Record<string, string>>)[
    Symbol.for("Jupyter.display")
  ]!();
  expect(display["text/plain"]).toContain("dtype=float32");
  expect(display["text/html"]).toContain("<table>");
});

test("traced arrays show what is known of them", () => {
  let text = "";
  jit(function f(x: NDArray) {
    text = `${x} ${inspect(x)}`;
    return x;
  })(np.array([1, 2, 3]));
  expect(text).toContain("Traced<float32[3]> (inside jit(f))");
  grad((x: NDArray) => {
    text = inspect(x);
    return np.sum(x);
  })(np.array([1, 2]));
  expect(text).toContain("with value [1. 2.]");
});
