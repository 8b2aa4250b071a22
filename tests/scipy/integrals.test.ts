/** Dawson's, Fresnel's and Owen's integrals, those of sine and cosine, erfcx, and Bessel functions. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { NDArray } from "../../src/core/ndarray.ts";
import * as np from "../../src/numpy/index.ts";
import { special } from "../../src/scipy/index.ts";
import { checkGrads } from "../../src/testing/index.ts";
import { grad } from "../../src/transforms/gradient.ts";
import { jit } from "../../src/transforms/jit.ts";
import { vmap } from "../../src/transforms/vmap.ts";
import { holds } from "../properties.ts";
import { expectClose, f32, f64, i32, item, list, problemOf } from "../support/arrays.ts";
import { integral } from "./quadrature.ts";

const numbers = (x: NDArray): number[] => list(x) as number[];
const near = (found: number, wanted: number, relative: number, absolute = 0): void =>
  expect(Math.abs(found - wanted), `${found} for ${wanted}`).toBeLessThanOrEqual(
    relative * Math.abs(wanted) + absolute,
  );
const sum = (f: (t: number) => number, from: number, to: number, pieces = 200): number =>
  integral((ts) => ts.map(f), from, to, pieces);

const sine = (x: NDArray): NDArray => special.sici(x)[0];
const cosine = (x: NDArray): NDArray => special.sici(x)[1];
const fresnelS = (x: NDArray): NDArray => special.fresnel(x)[0];
const fresnelC = (x: NDArray): NDArray => special.fresnel(x)[1];

/** Functions with an integral each, from 0. */
const integrals: Readonly<Record<string, readonly [(x: NDArray) => NDArray, (x: number) => number]>> = {
  dawsn: [special.dawsn, (x) => sum((t) => Math.exp(t * t - x * x), 0, x)],
  erfcx: [special.erfcx, (x) => Math.exp(x * x) - (2 / Math.sqrt(Math.PI)) * sum((t) => Math.exp(x * x - t * t), 0, x)],
  "the sine integral": [sine, (x) => sum((t) => Math.sin(t) / t, 0, x)],
  "the cosine integral": [
    cosine,
    (x) => 0.5772156649015329 + Math.log(Math.abs(x)) + sum((t) => (-2 * Math.sin(t / 2) ** 2) / t, 0, x),
  ],
  "Fresnel's S": [fresnelS, (x) => sum((t) => Math.sin((Math.PI * t * t) / 2), 0, x)],
  "Fresnel's C": [fresnelC, (x) => sum((t) => Math.cos((Math.PI * t * t) / 2), 0, x)],
  owensT: [
    (x) => special.owensT(0.8, x),
    (x) => sum((t) => Math.exp(-0.32 * (1 + t * t)) / (1 + t * t), 0, x) / (2 * Math.PI),
  ],
};

describe.each(Object.entries(integrals))("%s", (name, [f, wanted]) => {
  const limit = name === "erfcx" ? 3 : 9;
  test("is its integral", () => {
    holds(40, [fc.double({ min: -limit, max: limit, noNaN: true })], (x) => {
      if (Math.abs(x) < 1e-3) return;
      near(item(f(f64(x))), wanted(x), 1e-11, name === "erfcx" ? 1e-9 : 1e-12);
      const single = Math.fround(x);
      near(item(f(f32(single))), wanted(single), 2e-6, name === "erfcx" ? 1e-9 : 3e-7);
    });
  });

  test("has the derivative of its differences, twice", () => checkGrads(f, [f64([-2.2, -0.4, 0.6, 1.3, 2.9, 5.5])], 2));

  test("is the same jitted, mapped, of integers and in half precision", () => {
    const x = [0.25, 1.5, 4, 7];
    expectClose(vmap(f)(f32([x, x])), np.stack([f(f32(x)), f(f32(x))]));
    expectClose(jit(f)(f32(x)), f(f32(x)), 1e-6);
    expect(f(i32([2, 3])).dtype).toBe("float32");
    expectClose(f(np.astype(f32(x), "float16")), np.astype(f(f32(x)), "float16"), 2e-3);
    expect(f(f32([])).shape).toEqual([0]);
  });
});

describe("far away", () => {
  test("floats agree with doubles", () => {
    const x = [1e-12, 1e-4, 3.49, 3.51, 4.99, 5.01, 1.74, 1.76, 26, 90, 777, 3e4, 1e8];
    for (const f of [special.dawsn, special.erfcx, sine, fresnelS, fresnelC]) {
      const exact = numbers(f(f64(f32(x).js() as number[])));
      numbers(f(f32(x))).forEach((y, i) => near(y, exact[i]!, 1e-6));
    }
  });

  test("edges", () => {
    const of = (f: (x: NDArray) => NDArray): number[] => numbers(f(f32([0, -0, Infinity, -Infinity, NaN])));
    expect(of(special.dawsn)).toEqual([0, -0, 0, -0, NaN]);
    expect(of(special.erfcx)).toEqual([1, 1, 0, Infinity, NaN]);
    const half = Math.fround(Math.PI / 2);
    expect(of(sine)).toEqual([0, -0, half, -half, NaN]);
    expect(of(cosine)).toEqual([-Infinity, -Infinity, 0, NaN, NaN]);
    expect(of(fresnelS)).toEqual([0, -0, 0.5, -0.5, NaN]);
    expect(of(fresnelC)).toEqual([0, -0, 0.5, -0.5, NaN]);
  });

  test("derivatives do not cancel", () => {
    const at = (f: (x: NDArray) => NDArray, x: number): number => item(grad((y: NDArray) => np.sum(f(y)))(f32(x)));
    // −1 / 2x² and −1 / √π x², to their next terms.
    near(at(special.dawsn, 1000), -5.0000075e-7, 1e-6);
    near(at(special.erfcx, 1000), -5.6418873e-7, 1e-6);
    near(at(sine, 0), 1, 0);
    near(at(fresnelC, 0), 1, 0);
    near(at(fresnelS, 300.25), Math.sin((Math.PI / 2) * ((300.25 * 300.25) % 4)), 1e-5);
  });

  test("complex numbers are refused", () => {
    const z = np.astype(f32([1]), "complex64");
    expect(problemOf(() => special.sici(z)).what).toContain("scipy.special.sici: the operands are complex");
    expect(problemOf(() => special.dawsn(z)).what).toContain("scipy.special.dawsn");
  });
});

describe("owensT", () => {
  const h = fc.double({ min: 0.01, max: 5, noNaN: true });
  const a = fc.double({ min: -20, max: 20, noNaN: true });
  const T = (x: number, y: number): number => item(special.owensT(f64(x), f64(y)));

  test("is even and odd, and adds with its mirror image to products of distribution functions", () => {
    holds(60, [h, a], (x, y) => {
      near(T(-x, y), T(x, y), 0);
      near(T(x, -y), -T(x, y), 0);
      near(T(0, y), Math.atan(y) / (2 * Math.PI), 1e-14);
      if (!(y > 0)) return;
      const [p, q] = numbers(special.ndtr(f64([x, x * y]))) as [number, number];
      near(T(x, y) + T(x * y, 1 / y), 0.5 * (p + q) - p * q, 1e-12, 1e-14);
      near(item(special.owensT(f32(x), f32(y))), T(Math.fround(x), Math.fround(y)), 2e-6, 1e-38);
    });
  });

  test("edges", () => {
    near(item(special.owensT(f32(12), f32(0.5))), T(12, 0.5), 2e-6);
    near(T(1, 1), 0.5 * item(special.ndtr(f64(1))) * (1 - item(special.ndtr(f64(1)))), 1e-14);
    near(T(0.7, Infinity), 0.5 * item(special.ndtr(f64(-0.7))), 1e-14);
    expect(T(0, Infinity)).toBeCloseTo(0.25, 15);
    expect([T(NaN, 1), T(1, NaN)]).toEqual([NaN, NaN]);
    expect(T(50, 0.5)).toBe(0);
  });

  test("has both derivatives", () => {
    checkGrads(special.owensT, [f64([0.3, -1.2, 2]), f64([0.5, 2.5, -0.9])], 2);
  });
});

describe("besselJn", () => {
  test("is ∫ cos(nθ − z sin θ) dθ / π, also at and near 0, with alternating signs for negative z", () => {
    const z = [0, 1e-12, 0.3, -0.3, 2.404825557695773, 9, 25];
    for (const [x, relative] of [
      [f64(z), 1e-12],
      [f32(z), 1e-6],
    ] as const) {
      const rows = special.besselJn(x, { v: 5, nIter: 60 }).js() as number[][];
      expect(rows).toHaveLength(6);
      rows.forEach((row, n) =>
        row.forEach((y, i) => {
          const at = numbers(x)[i]!;
          near(y, sum((t) => Math.cos(n * t - at * Math.sin(t)), 0, Math.PI) / Math.PI, relative, 1e-15 + relative / 3);
        }),
      );
    }
    expect(special.besselJn(0, { v: 2 }).js()).toEqual([1, 0, 0]);
  });

  test("keeps shapes and dtypes", () => {
    expect(special.besselJn(np.ones([2, 3]), { v: 4 }).shape).toEqual([5, 2, 3]);
    expect(special.besselJn(np.ones([0]), { v: 1 }).shape).toEqual([2, 0]);
    expect(special.besselJn(f64(1), { v: 0 }).dtype).toBe("float64");
    expect(special.besselJn(i32([1]), { v: 0 }).dtype).toBe("float32");
  });

  test("has derivatives, mapped and jitted", () => {
    checkGrads((z: NDArray) => special.besselJn(z, { v: 3 }), [f64([0, 0.5, -2, 6])], 2);
    const f = (z: NDArray): NDArray => special.besselJn(z, { v: 2 });
    const z = f32([0.5, 3, 7]);
    expectClose(vmap(f, { outAxes: 1 })(z), f(z));
    expectClose(jit(f)(z), f(z));
  });

  test("mistakes", () => {
    expect(problemOf(() => special.besselJn(1, { v: -1 })).code).toBe("BesselOrder");
    expect(problemOf(() => special.besselJn(1, { v: 9, nIter: 5 })).what).toContain("v is 9 and nIter 5");
    expect(problemOf(() => special.besselJn(1)).what).toContain("the order v must be an integer, found undefined");
    expect(problemOf(() => special.besselJn(1, { v: 1.5 })).code).toBe("NotAnInteger");
  });
});
