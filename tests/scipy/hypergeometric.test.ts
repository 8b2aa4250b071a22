import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { NDArray } from "../../src/core/ndarray.ts";
import * as np from "../../src/numpy/index.ts";
import { special } from "../../src/scipy/index.ts";
import { checkGrads } from "../../src/testing/index.ts";
import { jit } from "../../src/transforms/jit.ts";
import { vmap } from "../../src/transforms/vmap.ts";
import { holds } from "../properties.ts";
import { expectClose, f32, f64, i32, item, list, problemOf } from "../support/arrays.ts";
import { onDevice } from "../support/devices.ts";
import { integral } from "./quadrature.ts";

const near = (found: number, wanted: number, relative: number): void =>
  expect(Math.abs(found - wanted), `${found} for ${wanted}`).toBeLessThanOrEqual(relative * Math.abs(wanted));
const beta = (a: number, b: number): number => item(special.beta(f64(a), f64(b)));
const M = (a: number, b: number, x: number): number => item(special.hyp1f1(f64(a), f64(b), f64(x)));
const F = (a: number, b: number, c: number, x: number): number => item(special.hyp2f1(f64(a), f64(b), f64(c), f64(x)));
const positive = fc.double({ min: 1, max: 6, noNaN: true });
const single = (x: number): number => Math.fround(x);

describe("hyp1f1", () => {
  test("is Euler's integral", () => {
    holds(30, [positive, positive, fc.double({ min: -60, max: 60, noNaN: true })], (a, gap, x) => {
      // t = sin², which leaves no singularities at the ends.
      const density = (s: number): number => {
        const [t, u] = [Math.sin(s) ** 2, Math.cos(s) ** 2];
        return 2 * Math.exp(x * t) * t ** (a - 0.5) * u ** (gap - 0.5);
      };
      const area = integral((ss) => ss.map(density), 0, Math.PI / 2, 400);
      // The rule converges slowly where a root of the density ends.
      near(M(a, a + gap, x), area / beta(a, gap), 1e-7);
      const found = item(special.hyp1f1(f32(a), f32(a + gap), f32(x)));
      near(found, M(single(a), single(a + gap), single(x)), 1e-5);
    });
  });

  test("has elementary cases", () => {
    const x = [-500, -30, -2, -1e-3, 0.5, 8, 99, 101, 400];
    for (const z of x) {
      near(M(1, 2, z), Math.expm1(z) / z, 1e-12);
      near(M(2.5, 2.5, z), Math.exp(z), 1e-12);
      near(M(-2, 3, z), 1 - (2 * z) / 3 + (z * z) / 12, 1e-12);
      // Kummer's transformation.
      near(M(1.3, 0.7, z), Math.exp(z) * M(-0.6, 0.7, -z), 1e-11);
    }
    expect([M(0, 0, 3), M(0, 2, 3), M(2, 0, 3)]).toEqual([1, 1, Infinity]);
    expect([M(NaN, 1, 1), M(1, NaN, 1), M(1, 1, NaN), M(0, 1, NaN)]).toEqual([NaN, NaN, NaN, NaN]);
  });

  // Many small programs, which a compiling device would compile first.
  test("has all derivatives", () =>
    onDevice("cpu", () => {
      checkGrads(special.hyp1f1, [f64([1.2, 2.5]), f64([2.1, 3.3]), f64([-4, 120])], 1);
      checkGrads(special.hyp1f1, [f64(1.2), f64(2.1), f64(0.7)], 2);
      // Of the last factor of a polynomial, too.
      checkGrads((a: NDArray) => special.hyp1f1(a, 1.5, f64(0.8)), [f64(-2)], 1);
    }));
});

describe("hyp2f1", () => {
  test("is Euler's integral, for x far below 0 and near 1", () => {
    const share = fc.double({ min: 0, max: 1, noNaN: true });
    holds(60, [positive, positive, positive, share, fc.constantFrom(-20, -1, 1)], (a, b, gap, s, scale) => {
      const x = scale * Math.min(s, 0.97);
      const c = b + gap;
      const density = (v: number): number => {
        const [t, u] = [Math.sin(v) ** 2, Math.cos(v) ** 2];
        return 2 * t ** (b - 0.5) * u ** (gap - 0.5) * (1 - x * t) ** -a;
      };
      const area = integral((vs) => vs.map(density), 0, Math.PI / 2, 600);
      near(F(a, b, c, x), area / beta(b, gap), 1e-7);
      near(item(special.hyp2f1(f32(a), f32(b), f32(c), f32(x))), F(single(a), single(b), single(c), single(x)), 1e-3);
    });
  });

  test("near 1 it goes smoothly through whole c − a − b", () => {
    for (const m of [0, 1, 2, 3])
      for (const x of [0.93, 0.999, 1 - 1e-6]) {
        const at = (d: number): number => F(0.7, 1.4, 2.1 + m + d, x);
        // A difference of the fourth order in c.
        const h = 0.02;
        const middle = (4 * (at(h) + at(-h)) - (at(2 * h) + at(-2 * h))) / 6;
        near(at(0), middle, m === 0 ? 2e-2 : 2e-4);
        near(at(1e-12), at(0), 1e-9);
      }
    near(F(1, 1, 2, 0.9999), -Math.log(1 - 0.9999) / 0.9999, 1e-11);
    near(item(special.hyp2f1(1, 1, 2, f32(0.999))), -Math.log(1 - single(0.999)) / single(0.999), 2e-6);
  });

  test("has elementary cases", () => {
    for (const x of [-1e4, -5, -1, -0.3, 0, 0.2, 0.89, 0.95, 0.9999]) {
      near(F(1, 1, 2, x), x === 0 ? 1 : -Math.log1p(-x) / x, 1e-11);
      near(F(0.3, 2, 2, x), (1 - x) ** -0.3, 1e-12);
      const quadratic = 1 - 6 * x + 5 * x * x;
      expect(Math.abs(F(-2, 1.5, 0.5, x) - quadratic)).toBeLessThanOrEqual(1e-15 * (1 + 6 * Math.abs(x) + 5 * x * x));
      near(F(0.5, 1, 1.5, -(x * x)), x === 0 ? 1 : Math.atan(x) / x, 1e-11);
    }
    near(F(-2, 1.5, 0.5, 3), 28, 1e-14);
    near(F(0.5, 0.7, 3, 1), beta(3, 1.8) / beta(2.5, 2.3), 1e-12);
  });

  test("edges", () => {
    expect([F(1, 1, 2, 1), F(1, 2, 3, 1.5), F(1, 2, 0, 0.5), F(1, 2, -3, 0.5)]).toEqual(new Array(4).fill(Infinity));
    expect([F(1, 2, 0, 0), F(0, 2, 3, 0.5), F(2, 0, 3, 5)]).toEqual([1, 1, 1]);
    expect([F(NaN, 1, 1, 0.5), F(1, NaN, 1, 0.5), F(1, 1, NaN, 0.5), F(1, 1, 1, NaN)]).toEqual(new Array(4).fill(NaN));
    expect(problemOf(() => special.hyp2f1(1, 1, 1, np.astype(f32(1), "complex64"))).what).toContain(
      "scipy.special.hyp2f1",
    );
  });

  // Many small programs, which a compiling device would compile first.
  test("has all derivatives", () =>
    onDevice("cpu", () => {
      const [a, b, c] = [f64([0.7, 1.2, 2]), f64([1.4, 0.3, -0.6]), f64([2.6, 1.9, 0.8])];
      checkGrads(special.hyp2f1, [a, b, c, f64([0.4, -3, 0.8])], 1);
      checkGrads((x: NDArray) => special.hyp2f1(a, b, c, x), [f64([0.4, -3, 0.95])], 1);
      checkGrads((x: NDArray) => special.hyp2f1(0.7, 1.2, 2, x), [f64(0.4)], 2);
    }));
});

test("both are the same mapped, jitted, of scalars and integers, and in half precision", () => {
  const [a, b, x] = [f32([0.5, 2, 3]), f32([1.5, 2.5, 1]), f32([0.3, -2, 0.6])];
  const one = special.hyp1f1(a, b, x);
  const two = special.hyp2f1(a, b, 2, x);
  expectClose(vmap(special.hyp1f1)(a, b, x), one);
  expectClose(jit(special.hyp1f1)(a, b, x), one);
  expectClose(vmap(special.hyp2f1, { inAxes: [0, 0, null, 0] })(a, b, f32(2), x), two);
  expectClose(np.stack([0, 1, 2].map((i) => special.hyp2f1(a.slice(i), b.slice(i), 2, x.slice(i)))), two);
  expectClose(special.hyp1f1(np.astype(a, "float16"), 2, 1), np.astype(special.hyp1f1(a, 2, 1), "float16"), 2e-3);
  expect(special.hyp2f1(1, 2, 3, i32([0])).dtype).toBe("float32");
  expect(list(special.hyp1f1(f32([]), 1, 1))).toEqual([]);
});
