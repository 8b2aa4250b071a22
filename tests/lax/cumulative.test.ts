/** Prefix scans along every axis, as the compiling device runs them, against plain loops. */
import fc from "fast-check";
import { describe, test } from "vitest";
import type { DType } from "../../src/core/dtype.ts";
import { allocate, roundInPlace } from "../../src/core/hostArray.ts";
import type { NDArray } from "../../src/core/ndarray.ts";
import { sizeOf } from "../../src/core/shape.ts";
import * as lax from "../../src/lax/index.ts";
import * as np from "../../src/numpy/index.ts";
import { jit } from "../../src/transforms/jit.ts";
import { holds } from "../properties.ts";
import { expectClose, fromHost, host } from "../support/arrays.ts";
import { onDevice } from "../support/devices.ts";

const logAddExp = (a: number, b: number): number => Math.max(a, b) + Math.log1p(Math.exp(-Math.abs(a - b)));
const steps = {
  cumsum: (a: number, b: number) => a + b,
  cumprod: (a: number, b: number) => a * b,
  cummax: Math.max,
  cummin: Math.min,
  cumlogsumexp: logAddExp,
} as const;
type Name = keyof typeof steps;
const names = Object.keys(steps) as Name[];
const dtypes: readonly DType[] = ["float32", "float64", "float16", "int32", "int8", "uint8"];

/** Lengths of vectors, what is left of them, and none. */
const shapes: fc.Arbitrary<number[]> = fc.array(fc.constantFrom(1, 2, 3, 4, 5, 9, 17), { minLength: 1, maxLength: 3 });

function plain(name: Name, x: NDArray, axis: number, reverse: boolean): NDArray {
  const { shape, data } = host(x);
  const n = shape[axis]!;
  const step = sizeOf(shape.slice(axis + 1));
  const out = roundInPlace({ shape, dtype: x.dtype, data: data.slice() });
  for (let start = 0; start < data.length; start++) {
    if (Math.floor(start / step) % n !== 0) continue;
    for (let k = 1; k < n; k++) {
      const [to, from] = [k, k - 1].map((i) => start + (reverse ? n - 1 - i : i) * step);
      out.data[to!] = steps[name](out.data[from!]!, data[to!]!);
    }
  }
  return fromHost(roundInPlace(out));
}

const arrays = fc.tuple(shapes, fc.constantFrom(...dtypes), fc.nat(100)).map(([shape, dtype, seed]) => {
  const size = sizeOf(shape);
  const data = allocate(dtype, size);
  for (let i = 0; i < size; i++) data[i] = ((i * 37 + seed) % 7) / (dtype.startsWith("float") ? 4 : 1) + 0.5;
  return fromHost(roundInPlace({ shape, dtype, data }));
});

describe("scans", () => {
  test("along any axis", () =>
    holds(120, [fc.constantFrom(...names), arrays, fc.nat(2), fc.boolean()], (name, x, pick, reverse) => {
      const axis = pick % x.ndim;
      if (name === "cumlogsumexp" && !x.dtype.startsWith("float")) return;
      // Products of many small integers wrap around, which the plain loop leaves to the array.
      if (name === "cumprod" && x.dtype === "int32") return;
      const found = onDevice("wasm", () => lax[name](x, { axis, reverse }));
      expectClose(found, plain(name, x, axis, reverse), x.dtype === "float16" ? 2e-2 : 1e-5);
    }));

  test("take in what comes before, and may be written over it", () =>
    onDevice("wasm", () => {
      const x = np.reshape(np.arange(5 * 7 * 6, { dtype: "float32" }), [5, 7, 6]);
      for (const axis of [0, 1, 2]) {
        const f = (y: NDArray): NDArray => np.multiply(lax.cumsum(np.add(y, 1), { axis }), 2);
        const wanted = np.multiply(plain("cumsum", np.add(x, 1), axis, false), 2);
        expectClose(jit(f)(x), wanted);
        const over = jit((y: NDArray) => lax.cumsum(y, { axis, reverse: true }), { donateArgnums: 0 });
        expectClose(over(np.multiply(x, 1)), plain("cumsum", x, axis, true));
      }
    }));
});
