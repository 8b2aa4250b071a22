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

const positive = [0.3, 0.9, 1.7, 3.2, 6.4];
const real = [-2.3, -0.7, 0.4, 1.6, 3.1];
const shares = [0.02, 0.3, 0.5, 0.8, 0.99];

/** Functions of one variable, with points where they are smooth. */
const unary: Readonly<Record<string, readonly [(x: NDArray) => NDArray, readonly number[]]>> = {
  gamma: [special.gamma, positive],
  gammaln: [special.gammaln, positive],
  loggamma: [special.loggamma, positive],
  digamma: [special.digamma, positive],
  polygamma: [(x) => special.polygamma(2, x), positive],
  multigammaln: [(x) => special.multigammaln(np.add(x, 2), 3), positive],
  factorial: [(x) => special.factorial(x), positive],
  poch: [(x) => special.poch(x, np.multiply(x, 0.7)), positive],
  zeta: [(x) => special.zeta(np.add(x, 1), np.add(np.multiply(x, 0.5), 0.2)), positive],
  betaln: [(x) => special.betaln(x, np.multiply(x, 5)), positive],
  beta: [(x) => special.beta(x, 2.5), positive],
  i0: [special.i0, real],
  i1: [special.i1, real],
  i0e: [special.i0e, real],
  i1e: [special.i1e, [...real, 12]],
  entr: [special.entr, positive],
  relEntr: [(x) => special.relEntr(x, np.add(np.square(x), 1)), positive],
  klDiv: [(x) => special.klDiv(x, np.add(np.square(x), 1)), positive],
  xlogy: [(x) => special.xlogy(x, np.add(x, 1)), positive],
  xlog1py: [(x) => special.xlog1py(x, x), positive],
  boxcox: [(x) => special.boxcox(x, np.subtract(x, 1)), positive],
  boxcox1p: [(x) => special.boxcox1p(x, 0), positive],
  expit: [special.expit, real],
  logit: [special.logit, shares],
  erf: [special.erf, real],
  erfc: [special.erfc, real],
  erfinv: [special.erfinv, shares],
  ndtr: [special.ndtr, real],
  ndtri: [special.ndtri, shares],
  logNdtr: [(x) => special.logNdtr(x), [...real, -30, 12]],
  logsumexp: [(x) => special.logsumexp(x), real],
  softmax: [(x) => special.softmax(x), real],
  exp1: [special.exp1, positive],
  expn: [(x) => special.expn(3, x), positive],
  expi: [special.expi, real],
  spence: [special.spence, [...positive, 0.1]],
};

describe.each(Object.entries(unary))("%s", (_, [f, points]) => {
  test("has the derivative of its differences", () => checkGrads(f, [f64(points)], 1));

  test("is the same jitted and mapped", () => {
    const x = f32([points, points]);
    const rows = np.stack([f(f32(points)), f(f32(points))]);
    expectClose(vmap(f)(x), rows);
    expectClose(jit(f)(f32(points)), f(f32(points)), 3e-6);
  });

  test("agrees in float32 and float64, and takes integers", () => {
    expectClose(f(f32(points)), np.astype(f(f64(f32(points).js() as number[])), "float32"), 2e-5);
    expect(f(i32([2, 3])).dtype).toBe("float32");
  });
});

test("the inverses invert", () => {
  holds(50, [fc.double({ min: 1e-9, max: 1 - 1e-9, noNaN: true })], (p) => {
    expect(Math.abs(item(special.ndtr(special.ndtri(f64(p)))) / p - 1)).toBeLessThan(1e-12);
    expect(Math.abs(item(special.expit(special.logit(f64(p)))) / p - 1)).toBeLessThan(1e-12);
  });
  // The lower tail of ndtri in float32.
  expectClose(special.logNdtr(special.ndtri(f32(1e-30))), np.log(f32(1e-30)), 1e-6);
});

test("logNdtr follows its continued fraction into the tail", () => {
  // Φ(−x) = φ(x) / (x + 1/(x + 2/(x + 3/…))), DLMF 7.9.3.
  const logTail = (x: number): number => {
    let f = x;
    for (let k = 200; k >= 1; k--) f = x + k / f;
    return -0.5 * x * x - 0.5 * Math.log(2 * Math.PI) - Math.log(f);
  };
  for (const x of [3, 9.9, 10.1, 60, 1e4]) expectClose(special.logNdtr(f32(-x)), f32(logTail(x)), 1e-6);
  expect(list(special.logNdtr(f32([-Infinity, Infinity, NaN])))).toEqual([-Infinity, -0, NaN]);
  // The derivative is x + 1/x there, and not the difference of two large logarithms.
  expectClose(grad((x: NDArray) => special.logNdtr(x))(f32(-1e4)), f32(1e4 + 1e-4));
});

test("integrals of elementary functions", () => {
  const expectNear = (found: NDArray, wanted: number): void =>
    expect(Math.abs(item(found) - wanted)).toBeLessThan(1e-10 * Math.max(1, Math.abs(wanted)));
  for (const x of [0.2, 0.9, 1.1, 4, 20]) {
    const e = (n: number): number => integral((u) => u.map((s) => (Math.exp(-x / s) * s ** n) / (s * s)), 0, 1, 400);
    for (const n of [0, 1, 2, 5]) expectNear(special.expn(n, f64(x)), e(n));
    expectNear(special.exp1(f64(x)), e(1));
    // Ei(x) = γ + log x + ∫ (e^t − 1) / t dt
    const rest = integral((t) => t.map((s) => Math.expm1(s) / s), 0, x, 200);
    expectNear(special.expi(f64(x)), 0.5772156649015329 + Math.log(x) + rest);
    const li = integral((t) => t.map((s) => -Math.log(s) / (s - 1)), 1, x, 400);
    expectNear(special.spence(f64(x)), li);
  }
  // Across the change to the asymptotic series, relative to the whole.
  const step = integral((t) => t.map((s) => Math.exp(s) / s), 40, 60, 400);
  const difference = np.subtract(special.expi(f64(60)), special.expi(f64(40)));
  expect(item(difference) / step).toBeCloseTo(1, 10);
}, 20_000);

test("edges of products with logarithms", () => {
  const at = f32([0, 0, 0, 2]);
  expect(list(special.xlogy(at, f32([0, -1, NaN, 0])))).toEqual([0, 0, NaN, -Infinity]);
  expect(list(special.xlog1py(at, f32([-1, -2, NaN, -1])))).toEqual([0, 0, NaN, -Infinity]);
  expect(list(special.entr(f32([-1, 0, 1])))).toEqual([-Infinity, expect.closeTo(0), expect.closeTo(0)]);
  expect(list(special.relEntr(f32([0, 1, -1, 1]), f32([0, 0, 1, 1])))).toEqual([0, Infinity, Infinity, 0]);
  expect(item(grad((x: NDArray) => special.xlogy(x, 2))(f32(0)))).toBeCloseTo(Math.LN2);
  expect(item(grad((x: NDArray) => special.relEntr(x, 1))(f32(0)))).toBe(0);
});

test("gamma functions at poles and signs", () => {
  const x = f32([-2.5, -1.5, -0.5, -1, 0]);
  expect(list(special.gammasgn(x))).toEqual([-1, 1, -1, NaN, 1]);
  expectClose(special.gamma(f32([-0.5, 5])), f32([-2 * Math.sqrt(Math.PI), 24]), 1e-5);
  expect(list(special.comb(f32([5, 5, -1]), f32([2, 6, 0])))).toEqual([10, 0, 0].map((v) => expect.closeTo(v, 4)));
  expectClose(special.comb(4, 2, { repetition: true }), special.comb(5, 2));
  expect(special.gammaln(f32([])).shape).toEqual([0]);
});

test("bernoulli numbers satisfy their recurrence", () => {
  const b = special.bernoulli(22).js() as number[];
  // Σ C(m + 1, k) B(k) = 0 over k ≤ m.
  for (const m of [4, 9, 15]) {
    let [sum, c] = [0, 1];
    for (let k = 0; k <= m; c = (c * (m + 1 - k)) / (k + 1), k++) sum += c * b[k]!;
    expect(Math.abs(sum)).toBeLessThan(1e-3);
  }
  expect(b[20]! / -529.124242424).toBeCloseTo(1, 5);
});

test("mistakes", () => {
  expect(problemOf(() => special.zeta(2))).toMatchObject({ kind: "ArgumentError", code: "ZetaWithoutQ" });
  expect(problemOf(() => special.factorial(3, true)).code).toBe("ExactFactorial");
  expect(problemOf(() => special.logNdtr(1, 31)).what).toContain("seriesOrder is 31");
  expect(problemOf(() => special.bernoulli(-1)).code).toBe("NegativeCount");
  expect(problemOf(() => special.multigammaln(f32(3), 1.5)).code).toBe("NotAnInteger");
  expect(problemOf(() => special.ndtr(np.array(f32([1])).astype("complex64")))).toMatchObject({
    code: "ComplexOperand",
  });
});

test("digamma has no value at its poles", () => {
  const at = [0, -0, -1, -2, -Infinity, NaN, Infinity];
  for (const x of [f32(at), f64(at)])
    expect(list(special.digamma(x))).toEqual([NaN, NaN, NaN, NaN, NaN, NaN, Infinity]);
});
