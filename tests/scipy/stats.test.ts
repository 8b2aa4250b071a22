import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { NDArray } from "../../src/core/ndarray.ts";
import * as np from "../../src/numpy/index.ts";
import { stats } from "../../src/scipy/index.ts";
import { checkGrads } from "../../src/testing/index.ts";
import { grad } from "../../src/transforms/gradient.ts";
import { jit } from "../../src/transforms/jit.ts";
import { vmap } from "../../src/transforms/vmap.ts";
import { holds } from "../properties.ts";
import { expectClose, f32, f64, item, list, problemOf } from "../support/arrays.ts";
import { integral } from "./quadrature.ts";

type Function = (x: NDArray, ...parameters: (NDArray | number)[]) => NDArray;
type Distribution = Readonly<
  Partial<Record<"pdf" | "logpdf" | "cdf" | "logcdf" | "sf" | "logsf" | "ppf" | "isf", Function>>
>;
interface Case {
  readonly name: string;
  readonly parameters: readonly number[];
  /** Where almost all of it is, and where densities are smooth inside. */
  readonly range: readonly [number, number];
}
const cases: readonly Case[] = [
  { name: "norm", parameters: [0.5, 1.3], range: [-12, 13] },
  { name: "expon", parameters: [-1, 2], range: [-1, 80] },
  { name: "gamma", parameters: [2.5, 1, 0.7], range: [1, 40] },
  { name: "chi2", parameters: [5, 0, 1], range: [0, 120] },
  { name: "beta", parameters: [2.5, 3, -1, 2], range: [-1, 1] },
  { name: "laplace", parameters: [0, 1.5], range: [-60, 60] },
  { name: "logistic", parameters: [1, 0.8], range: [-35, 37] },
  { name: "cauchy", parameters: [0.5, 0.2], range: [-4, 5] },
  { name: "uniform", parameters: [-1, 3], range: [-1, 2] },
  { name: "t", parameters: [4, 0.3, 1.2], range: [-6, 6] },
  { name: "pareto", parameters: [3, -1, 2], range: [1, 30] },
  { name: "gumbelR", parameters: [0.5, 1.1], range: [-4, 45] },
  { name: "gumbelL", parameters: [0.5, 1.1], range: [-45, 4] },
  { name: "gennorm", parameters: [2], range: [-7, 7] },
  { name: "truncnorm", parameters: [-1, 2.5, 0.5, 2], range: [-1.5, 5.5] },
  { name: "truncnorm", parameters: [2, 6, 0, 1], range: [2, 6] },
  { name: "vonmises", parameters: [1.7], range: [-Math.PI, Math.PI] },
  { name: "wrapcauchy", parameters: [0.4], range: [0, 2 * Math.PI] },
];

describe.each(cases)("$name", ({ name, parameters, range: [low, high] }) => {
  const d = (stats as unknown as Record<string, Distribution>)[name]!;
  const call = (f: Function, points: readonly number[]): number[] => list(f(f64(points), ...parameters)) as number[];
  const inner = [0.03, 0.2, 0.45, 0.6, 0.85].map((u) => low + u * (high - low) * 0.5 + 0.01);

  test("logpdf is the logarithm of pdf", () => {
    expectClose(np.log(d.pdf!(f64(inner), ...parameters)), d.logpdf!(f64(inner), ...parameters), 1e-10);
  });

  test("pdf integrates to cdf, or to 1", () => {
    const area = (from: number, to: number): number => integral((x) => call(d.pdf!, x), from, to, 400);
    if (!d.cdf) {
      if (name !== "t") expect(area(low, high)).toBeCloseTo(1, 8);
      // Student's with 4 degrees has an elementary distribution function.
      const z = (high - 0.3) / 1.2;
      const u = z / Math.sqrt(4 + z * z);
      if (name === "t") expect(area(0.3, high)).toBeCloseTo((3 / 4) * u - u ** 3 / 4, 8);
      return;
    }
    // At the kink of laplace, anywhere for others.
    const mid = name === "laplace" ? parameters[0]! : inner[2]!;
    const [a, b, c] = call(d.cdf, [low, mid, high]) as [number, number, number];
    expect(area(low, mid)).toBeCloseTo(b - a, 6);
    expect(area(mid, high)).toBeCloseTo(c - b, 6);
    // And it is the derivative.
    const slope = grad((x: NDArray) => np.sum(d.cdf!(x, ...parameters)))(f64(inner));
    expectClose(slope, d.pdf!(f64(inner), ...parameters), 1e-9);
  });

  test("sf, logarithms and inverses agree with cdf", () => {
    const x = f64(inner);
    const p = d.cdf?.(x, ...parameters);
    if (d.logcdf) expectClose(d.logcdf(x, ...parameters), np.log(p!), 1e-9);
    if (d.sf) expectClose(d.sf(x, ...parameters), np.subtract(1, p!), 1e-9);
    if (d.logsf) expectClose(np.exp(d.logsf(x, ...parameters)), np.subtract(1, p!), 1e-9);
    const q = f64([0.05, 0.3, 0.5, 0.9]);
    if (d.ppf) expectClose(d.cdf!(d.ppf(q, ...parameters), ...parameters), q, 1e-9);
    if (d.isf) expectClose(d.sf!(d.isf(q, ...parameters), ...parameters), q, 1e-9);
  });

  test("has derivatives in its parameters, broadcasts, and is the same jitted and mapped", () => {
    checkGrads(
      (...ps: NDArray[]) => d.logpdf!(f64(inner), ...ps),
      parameters.map((v) => f64(v)),
      1,
    );
    const x = f32(inner);
    const rows = parameters.map((v) => f32([[v], [v]]));
    const wanted = d.logpdf!(x, ...parameters);
    expectClose(d.logpdf!(x, ...rows), np.stack([wanted, wanted]), 1e-5);
    expectClose(jit(vmap((y: NDArray) => d.logpdf!(y, ...parameters)))(x), wanted, 1e-5);
  });

  test("outside of the support there is nothing, and derivatives are finite", () => {
    if (!["expon", "gamma", "chi2", "beta", "uniform", "pareto", "truncnorm", "wrapcauchy"].includes(name)) return;
    const x = f64([low - 1, low - 50]);
    expect(list(d.pdf!(x, ...parameters))).toEqual([0, 0]);
    expect(list(d.logpdf!(x, ...parameters))).toEqual([-Infinity, -Infinity]);
    if (d.cdf) expect(list(d.cdf(x, ...parameters))).toEqual([0, 0]);
    if (d.sf) expect(list(d.sf(x, ...parameters))).toEqual([1, 1]);
    for (const f of [d.pdf!, d.cdf ?? d.pdf!, d.sf ?? d.pdf!])
      expect(list(grad((y: NDArray) => np.sum(f(y, ...parameters)))(x))).toEqual(
        [0, 0].map((v) => expect.closeTo(v, 12)),
      );
  });
});

describe("discrete distributions", () => {
  const counts = f64(Array.from({ length: 300 }, (_, k) => k));
  const choose = (n: number, k: number): number =>
    Array.from({ length: k }, (_, i) => (n - i) / (i + 1)).reduce((a, b) => a * b, 1);
  const share = fc.double({ min: 0.05, max: 0.95, noNaN: true });

  test("sum to 1, and are what their definitions say", () => {
    holds(20, [share, fc.integer({ min: 1, max: 20 }), fc.integer({ min: 0, max: 20 })], (p, n, k) => {
      const sum = (y: NDArray): number => item(np.sum(y));
      const mean = 20 * p;
      for (const y of [
        stats.binom.pmf(counts, n, p),
        stats.poisson.pmf(counts, mean),
        stats.betabinom.pmf(counts, n, p, 3),
        stats.bernoulli.pmf(f64([0, 1]), p),
      ])
        expect(sum(y)).toBeCloseTo(1, 9);
      if (p > 0.3)
        for (const y of [stats.geom.pmf(counts, p), stats.nbinom.pmf(counts, n, p)]) expect(sum(y)).toBeCloseTo(1, 7);
      const q = 1 - p;
      expect(item(stats.binom.pmf(f64(k), n, p))).toBeCloseTo(k > n ? 0 : choose(n, k) * p ** k * q ** (n - k), 10);
      expect(item(stats.nbinom.pmf(f64(k), n, p))).toBeCloseTo(choose(k + n - 1, k) * p ** n * q ** k, 10);
      expect(item(stats.geom.pmf(f64(k), p))).toBeCloseTo(k === 0 ? 0 : p * q ** (k - 1), 10);
      expect(item(stats.poisson.cdf(f64(k + 0.5), mean))).toBeCloseTo(
        sum(stats.poisson.pmf(f64(Array.from({ length: k + 1 }, (_, i) => i)), mean)),
        10,
      );
    });
  });

  test("are 0 outside, and shift with loc", () => {
    const k = f32([-1, 9, 0.5]);
    expect(list(stats.binom.pmf(f32([-1, 9]), 8, 0.5))).toEqual([0, 0]);
    expect(list(stats.poisson.pmf(k, 2))).toEqual([0, expect.closeTo(0.00019095, 6), 0]);
    expectClose(stats.poisson.logpmf(5, 2, { loc: 2 }), stats.poisson.logpmf(3, 2));
    expect(list(stats.betabinom.logpmf(f32([1, 1]), 3, f32([-1, 1]), 1))).toEqual([
      NaN,
      expect.closeTo(Math.log(0.25), 5),
    ]);
    expect(item(grad((p: NDArray) => np.sum(stats.binom.logpmf(f64(3), 8, p)))(f64(0.25)))).toBeCloseTo(
      3 / 0.25 - 5 / 0.75,
      8,
    );
    expect(list(stats.bernoulli.ppf(f32([0.2, 0.8, 1.5, 0.5]), f32([0.3, 0.3, 0.3, 2])))).toEqual([0, 1, NaN, NaN]);
  });

  test("the entropy of Poisson numbers is that of their probabilities", () => {
    for (const mean of [0.3, 5, 40]) {
      const p = list(stats.poisson.pmf(counts, mean)) as number[];
      const wanted = -p.reduce((s, v) => s + (v > 0 ? v * Math.log(v) : 0), 0);
      expect(item(stats.poisson.entropy(f64(mean)))).toBeCloseTo(wanted, 9);
      expect(item(stats.poisson.entropy(f32(mean)))).toBeCloseTo(wanted, 5);
    }
    expect(list(stats.poisson.entropy(f32([0, -1])))).toEqual([0, NaN]);
    // Across the change of formula.
    expect(item(stats.poisson.entropy(f64(99.999)))).toBeCloseTo(item(stats.poisson.entropy(f64(100.001))), 4);
  });
});

describe("shares and counts", () => {
  test("dirichlet of two shares is beta, of uniform concentrations a constant", () => {
    const x = f64([0.1, 0.4, 0.7]);
    const pair = np.stack([x, np.subtract(1, x)]);
    expectClose(stats.dirichlet.logpdf(pair, f64([2, 3.5])), stats.beta.logpdf(x, 2, 3.5), 1e-10);
    expectClose(stats.dirichlet.logpdf(np.stack([x]), f64([2, 3.5])), stats.beta.logpdf(x, 2, 3.5), 1e-10);
    expect(item(stats.dirichlet.pdf(f32([0.2, 0.3, 0.5]), f32([1, 1, 1])))).toBeCloseTo(2, 5);
    expect(item(stats.dirichlet.pdf(f32([0.2, 0.3, 0.6]), f32([1, 1, 1])))).toBe(0);
    expect(problemOf(() => stats.dirichlet.pdf(f32([0.2]), f32([1, 1, 1])))).toMatchObject({ code: "DirichletShapes" });
  });

  test("multinomial of two outcomes is binom", () => {
    const k = f64([0, 1, 2, 3, 4]);
    const both = np.stack([k, np.subtract(4, k)], 1);
    expectClose(stats.multinomial.pmf(both, 4, f64([0.3, 0.7])), stats.binom.pmf(k, 4, 0.3), 1e-10);
    expect(item(stats.multinomial.pmf(f32([1, 1]), 4, f32([0.5, 0.5])))).toBe(0);
  });
});

describe("ranks", () => {
  const rows = fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 12 });

  test("count what is smaller and equal", () => {
    holds(30, [rows], (x) => {
      const below = x.map((v) => x.filter((u) => u < v).length);
      const equal = x.map((v) => x.filter((u) => u === v).length);
      const rank = (method: "average" | "min" | "max" | "dense" | "ordinal"): unknown =>
        list(stats.rankdata(f32(x), method));
      expect(rank("min")).toEqual(below.map((b) => b + 1));
      expect(rank("max")).toEqual(below.map((b, i) => b + equal[i]!));
      expect(rank("average")).toEqual(below.map((b, i) => b + (equal[i]! + 1) / 2));
      expect(rank("dense")).toEqual(x.map((v) => new Set(x.filter((u) => u <= v)).size));
      expect(rank("ordinal")).toEqual(x.map((v, i) => below[i]! + x.slice(0, i + 1).filter((u) => u === v).length));
      const best = Math.max(...equal);
      const { mode, count } = stats.mode(f32(x));
      expect([item(mode), item(count)]).toEqual([Math.min(...x.filter((_, i) => equal[i] === best)), best]);
    });
  });

  test("axes, NaNs, empty arrays and wrong options", () => {
    const x = f32([
      [3, 1, 1],
      [2, NaN, 0],
    ]);
    expect(list(stats.rankdata(x, { axis: 1 }))).toEqual([
      [3, 1.5, 1.5],
      [NaN, NaN, NaN],
    ]);
    expect(list(stats.rankdata(x, "min", { axis: 0 }))).toEqual([
      [2, NaN, 2],
      [1, NaN, 1],
    ]);
    expect(stats.rankdata(x).shape).toEqual([6]);
    expect(stats.mode(x, { axis: 1, keepdims: true }).mode.shape).toEqual([2, 1]);
    expect(list(stats.mode(x, null).mode)).toBe(1);
    expect(item(stats.mode(f32([NaN, NaN, 1])).count)).toBe(2);
    expect(item(stats.mode(f32([])).mode)).toBe(NaN);
    expectClose(jit(vmap((r: NDArray) => stats.rankdata(r)))(x), stats.rankdata(x, { axis: 1 }));
    expect(problemOf(() => stats.rankdata(x, "best" as "min")).code).toBe("UnknownChoice");
    expect(problemOf(() => stats.mode(x, { nanPolicy: "omit" })).code).toBe("NanPolicy");
  });

  test("the standard error is the deviation over the root of the count", () => {
    const x = [1, 4, 4, 9, 2];
    const mean = 4;
    const deviation = Math.sqrt(x.reduce((s, v) => s + (v - mean) ** 2, 0) / 4);
    expect(item(stats.sem(f64(x)))).toBeCloseTo(deviation / Math.sqrt(5), 12);
    expect(item(stats.sem(f64([...x, NaN]), { nanPolicy: "omit" }))).toBeCloseTo(deviation / Math.sqrt(5), 12);
    expect(stats.sem(f32([x, x]), { axis: null, ddof: 0, keepdims: true }).shape).toEqual([1, 1]);
  });
});

test("errors name the function that was called", () => {
  let count = 0;
  const complex = np.astype(f32([1]), "complex64");
  for (const [distribution, functions] of Object.entries(stats))
    if (typeof functions === "object")
      for (const [name, f] of Object.entries(functions as Record<string, (...xs: unknown[]) => unknown>)) {
        const parameters = new Array<NDArray>(Math.max(f.length, 1)).fill(complex);
        expect(problemOf(() => f(...parameters)).what).toContain(`scipy.stats.${distribution}.${name}: `);
        count++;
      }
  expect(count).toBeGreaterThan(100);
});
