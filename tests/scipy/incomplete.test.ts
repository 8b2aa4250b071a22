import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { NDArray } from "../../src/core/ndarray.ts";
import * as lax from "../../src/lax/index.ts";
import * as np from "../../src/numpy/index.ts";
import { checkGrads } from "../../src/testing/index.ts";
import { grad } from "../../src/transforms/gradient.ts";
import { jit } from "../../src/transforms/jit.ts";
import { vmap } from "../../src/transforms/vmap.ts";
import { holds } from "../properties.ts";
import { expectClose, f32, f64, item, list, problemOf } from "../support/arrays.ts";
import { integral } from "./quadrature.ts";

const expectNear = (found: number, wanted: number, relative: number): void =>
  expect(Math.abs(found - wanted), `${found} for ${wanted}`).toBeLessThanOrEqual(relative * Math.abs(wanted) + 1e-30);

/** P(n, x) for a whole n, as a finite sum: Q = e^−x Σ x^k / k!. */
function upperOfWhole(n: number, x: number): number {
  let [term, sum] = [Math.exp(-x), 0];
  for (let k = 0; k < n; k++) {
    sum += term;
    term *= x / (k + 1);
  }
  return sum;
}

describe("incomplete gamma functions", () => {
  const whole = fc.integer({ min: 1, max: 120 });

  test("of whole parameters are finite sums, far into the tail", () => {
    holds(60, [whole, fc.float({ min: 0.125, max: 80, noNaN: true })], (n, x) => {
      expectNear(item(lax.igammac(f32(n), f32(x))), upperOfWhole(n, x), 4e-5);
      expectNear(item(lax.igammac(f64(n), f64(x))), upperOfWhole(n, x), 1e-11);
    });
  });

  test("add to 1, at large parameters too", () => {
    const a = f32([0.01, 0.5, 3, 19, 21, 400, 1e5, 1e5, 1e7]);
    const x = f32([0.3, 2, 2.5, 25, 24, 390, 1e5, 1.01e5, 1e7]);
    expectClose(np.add(lax.igamma(a, x), lax.igammac(a, x)), np.ones([9]), 1e-6);
    // Symmetric about the median in the limit.
    expectNear(item(lax.igamma(f32(1e7), f32(1e7))), 0.5 + 1 / (3 * Math.sqrt(2 * Math.PI * 1e7)), 2e-6);
  });

  test("edges", () => {
    const f = (a: number, x: number): number[] => [item(lax.igamma(f32(a), f32(x))), item(lax.igammac(f32(a), f32(x)))];
    expect(f(2, 0)).toEqual([0, 1]);
    expect(f(2, Infinity)).toEqual([1, 0]);
    expect(f(0, 1)).toEqual([1, 0]);
    expect(f(Infinity, 1)).toEqual([0, 1]);
    for (const [a, x] of [
      [-1, 1],
      [1, -1],
      [0, 0],
      [NaN, 1],
      [1, NaN],
    ] as const)
      expect(f(a, x)).toEqual([NaN, NaN]);
  });

  test("have derivatives in both parameters", () => {
    const a = [0.4, 1.5, 6, 12, 30];
    const x = [0.7, 3, 5, 14, 25];
    for (const f of [lax.igamma, lax.igammac]) {
      checkGrads((y: NDArray) => f(f64(a), y), [f64(x)], 2);
      checkGrads((b: NDArray) => f(b, f64(x)), [f64(a)], 1);
    }
    // Along a quantile P does not change.
    const p = lax.igammaGradA(f64(a), f64(x));
    const density = grad((y: NDArray) => np.sum(lax.igamma(f64(a), y)))(f64(x));
    expectClose(lax.randomGammaGrad(f64(a), f64(x), { dtype: "float64" }), np.negative(np.divide(p, density)), 1e-10);
  });

  test("are the same mapped, jitted, of scalars, and in half precision", () => {
    const [a, x] = [f32([0.5, 4, 30]), f32([1, 3, 33])];
    const whole = lax.igamma(a, x);
    expectClose(vmap(lax.igamma)(a, x), whole);
    expectClose(jit(vmap(lax.igamma, { inAxes: [null, 0] }))(a.slice(1), x), lax.igamma(a.slice(1), x));
    expectClose(lax.igamma(np.astype(a, "float16"), np.astype(x, "float16")), np.astype(whole, "float16"), 2e-3);
    expect(lax.igamma(f32([]), f32([])).shape).toEqual([0]);
  });
});

describe("incomplete beta function", () => {
  const parameter = fc.float({ min: 0.5, max: 40, noNaN: true });
  const share = fc.float({ min: Math.fround(0.01), max: Math.fround(0.99), noNaN: true });

  test("is the integral of its derivative, and mirrors", () => {
    holds(30, [parameter, parameter, share], (a, b, x) => {
      const density = grad((t: NDArray) => np.sum(lax.betainc(np.fullLike(t, a), np.fullLike(t, b), t)));
      const [from, to] = [Math.min(0.3, x), x];
      const value = (t: number): number => item(lax.betainc(f64(a), f64(b), f64(t)));
      const area = integral((t) => list(density(f64(t))) as number[], from, to, 120);
      expect(Math.abs(area - (value(to) - value(from)))).toBeLessThan(1e-9);
      expect(Math.abs(value(x) + item(lax.betainc(f64(b), f64(a), f64(1 - x))) - 1)).toBeLessThan(1e-12);
    });
  });

  test("of large parameters keeps its digits in float32", () => {
    const [a, b] = [f32([1e3, 1e4, 1e5, 3, 2e3, 9e6, 20, 93000]), f32([1e3, 3e4, 1e5, 5e4, 0.25, 1.5e5, 7.7e7, 0.44])];
    const x = f32([0.49, 0.2475, 0.5, 5e-5, 0.999, 0.9836, 2.8e-7, 0.999984]);
    const wide = (y: NDArray): NDArray => np.astype(y, "float64");
    expectClose(lax.betainc(a, b, x), np.astype(lax.betainc(wide(a), wide(b), wide(x)), "float32"), 2e-6);
    // As many things of one kind as of the other: symmetric.
    for (const n of [1e2, 1e4, 1e6]) expectNear(item(lax.betainc(f32(n), f32(n), f32(0.5))), 0.5, 1e-6);
  });

  test("edges", () => {
    const f = (a: number, b: number, x: number): number => item(lax.betainc(f32(a), f32(b), f32(x)));
    expect([f(2, 3, 0), f(2, 3, 1), f(0, 3, 0.5), f(2, 0, 0.5)]).toEqual([0, 1, 1, 0]);
    expect([f(-1, 2, 0.5), f(1, 2, 1.5), f(0, 0, 0.5), f(1, NaN, 0.5)]).toEqual([NaN, NaN, NaN, NaN]);
  });

  test("has no derivative in its parameters", () => {
    const problem = problemOf(() => grad((a: NDArray) => lax.betainc(a, f32(2), f32(0.5)))(f32(1)));
    expect(problem).toMatchObject({ kind: "DifferentiationError", code: "IncompleteParameter" });
    expect(problem.what).toContain("betainc cannot be differentiated with respect to a");
  });
});
