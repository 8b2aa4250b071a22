import { describe, expect, test } from "vitest";
import fc from "fast-check";
import type { DType } from "../../src/core/dtype.ts";
import type { NDArray } from "../../src/core/ndarray.ts";
import * as lax from "../../src/lax/index.ts";
import * as random from "../../src/random/index.ts";
import { grad } from "../../src/transforms/gradient.ts";
import { jit } from "../../src/transforms/jit.ts";
import { makeJaxpr } from "../../src/transforms/makeJaxpr.ts";
import { vmap } from "../../src/transforms/vmap.ts";
import { holds } from "../properties.ts";
import { expectClose, f32, host, i32, item, list, problemOf } from "../support/arrays.ts";

const key = random.key(20260801);
const seeds = fc.nat({ max: 2 ** 31 - 1 });

interface Sampler {
  readonly draw: (key: NDArray, shape: number[]) => NDArray;
  readonly mean: number;
  readonly variance: number;
}
/** Moments of the distributions: Johnson, Kotz and Balakrishnan. NaN: there is none. */
const samplers: Readonly<Record<string, Sampler>> = {
  uniform: { draw: (k, s) => random.uniform(k, s, { minval: -1, maxval: 3 }), mean: 1, variance: 16 / 12 },
  normal: { draw: (k, s) => random.normal(k, s), mean: 0, variance: 1 },
  truncatedNormal: { draw: (k, s) => random.truncatedNormal(k, -2, 2, s), mean: 0, variance: 0.7737 },
  lognormal: { draw: (k, s) => random.lognormal(k, 0.5, s), mean: Math.exp(0.125), variance: 0.3647 },
  exponential: { draw: (k, s) => random.exponential(k, s), mean: 1, variance: 1 },
  laplace: { draw: (k, s) => random.laplace(k, s), mean: 0, variance: 2 },
  logistic: { draw: (k, s) => random.logistic(k, s), mean: 0, variance: Math.PI ** 2 / 3 },
  gumbel: { draw: (k, s) => random.gumbel(k, s), mean: 0.5772, variance: Math.PI ** 2 / 6 },
  gumbelHigh: { draw: (k, s) => random.gumbel(k, s, { mode: "high" }), mean: 0.5772, variance: Math.PI ** 2 / 6 },
  gumbelHighest: { draw: (k, s) => random.gumbel(k, s, { mode: "highest" }), mean: 0.5772, variance: Math.PI ** 2 / 6 },
  cauchy: { draw: (k, s) => random.cauchy(k, s), mean: NaN, variance: NaN },
  pareto: { draw: (k, s) => random.pareto(k, 6, s), mean: 6 / 5, variance: 6 / (25 * 4) },
  rayleigh: { draw: (k, s) => random.rayleigh(k, 2, s), mean: 2 * Math.sqrt(Math.PI / 2), variance: 8 - 2 * Math.PI },
  weibullMin: { draw: (k, s) => random.weibullMin(k, 1, 2, s), mean: 0.8862, variance: 1 - Math.PI / 4 },
  maxwell: { draw: (k, s) => random.maxwell(k, s), mean: 1.5958, variance: 3 - 8 / Math.PI },
  triangular: { draw: (k, s) => random.triangular(k, 0, 1, 2, s), mean: 1, variance: 1 / 6 },
  gamma: { draw: (k, s) => random.gamma(k, 2.5, s), mean: 2.5, variance: 2.5 },
  smallGamma: { draw: (k, s) => random.gamma(k, 0.5, s), mean: 0.5, variance: 0.5 },
  approximateGamma: {
    draw: (k, s) => random.gamma(k, 2.5, s, { method: "approximate" }),
    mean: 2.5,
    variance: 2.5,
  },
  approximateSmallGamma: {
    draw: (k, s) => random.gamma(k, 0.5, { shape: s, method: "approximate" }),
    mean: 0.5,
    variance: 0.5,
  },
  approximateBeta: {
    draw: (k, s) => random.beta(k, 2, 3, { shape: s, method: "approximate" }),
    mean: 0.4,
    variance: 0.04,
  },
  approximateChisquare: {
    draw: (k, s) => random.chisquare(k, 3, { shape: s, method: "approximate" }),
    mean: 3,
    variance: 6,
  },
  beta: { draw: (k, s) => random.beta(k, 2, 3, s), mean: 0.4, variance: 0.04 },
  chisquare: { draw: (k, s) => random.chisquare(k, 3, s), mean: 3, variance: 6 },
  t: { draw: (k, s) => random.t(k, 9, s), mean: 0, variance: 9 / 7 },
  f: { draw: (k, s) => random.f(k, 5, 12, s), mean: 1.2, variance: (2 * 144 * 15) / (5 * 100 * 8) },
  wald: { draw: (k, s) => random.wald(k, 1, s), mean: 1, variance: 1 },
  generalizedNormal: { draw: (k, s) => random.generalizedNormal(k, 2, s), mean: 0, variance: 0.5 },
  bernoulli: {
    draw: (k, s) => lax.convertElementType(random.bernoulli(k, 0.3, s), "float32"),
    mean: 0.3,
    variance: 0.21,
  },
  rademacher: { draw: (k, s) => random.rademacher(k, s, "float32"), mean: 0, variance: 1 },
  geometric: { draw: (k, s) => random.geometric(k, 0.4, s), mean: 2.5, variance: 3.75 },
  poisson: { draw: (k, s) => random.poisson(k, 3.5, s), mean: 3.5, variance: 3.5 },
  bigPoisson: { draw: (k, s) => random.poisson(k, 40, s), mean: 40, variance: 40 },
  approximatePoisson: {
    draw: (k, s) => random.poisson(k, 3.5, { shape: s, method: "approximate" }),
    mean: 3.5,
    variance: 3.5,
  },
  approximateBigPoisson: {
    draw: (k, s) => random.poisson(k, 40, { shape: s, method: "approximate" }),
    mean: 40,
    variance: 40,
  },
  randint: { draw: (k, s) => random.randint(k, s, -2, 3), mean: 0, variance: 2 },
  categorical: {
    draw: (k, s) => random.categorical(k, f32([0, Math.log(2), 0]), { shape: s }),
    mean: 1,
    variance: 0.5,
  },
  choice: { draw: (k, s) => random.choice(k, f32([1, 5]), s, true, f32([0.75, 0.25])), mean: 2, variance: 3 },
};

describe.each(Object.entries(samplers))("%s", (_, { draw, mean, variance }) => {
  test("has its mean and variance", () => {
    const n = 4000;
    const xs = Array.from(host(draw(key, [n])).data, Number);
    const average = xs.reduce((a, b) => a + b, 0) / n;
    const spread = xs.reduce((a, b) => a + (b - average) ** 2, 0) / n;
    if (Number.isNaN(mean)) return;
    // Four standard deviations of the mean; the variance is known less well, by the tails.
    expect(Math.abs(average - mean)).toBeLessThan(4 * Math.sqrt(variance / n));
    expect(Math.abs(spread / variance - 1)).toBeLessThan(0.2);
  });

  test("is the same under jit, and maps over keys", () => {
    const keys = random.split(key, 3);
    const one = (i: number): unknown => list(draw(lax.indexInDim(keys, i, { keepdims: false }), [2]));
    expect(list(jit(draw, { staticArgnums: 1 })(lax.indexInDim(keys, 1, { keepdims: false }), [2]))).toEqual(one(1));
    expect(list(vmap((k: NDArray) => draw(k, [2]))(keys))).toEqual([0, 1, 2].map(one));
  });

  test("draws empty arrays and scalars", () => {
    expect(draw(key, [0]).shape).toEqual([0]);
    expect(draw(key, []).shape).toEqual([]);
  });
});

describe("uniform", () => {
  const floats: readonly DType[] = ["float32", "float16", "bfloat16", "float64"];
  const ends = fc.tuple(fc.float({ min: -1e3, max: 1e3, noNaN: true }), fc.float({ min: -1e3, max: 1e3, noNaN: true }));

  test("lies in the interval, whatever the dtype", () => {
    holds(60, [seeds, fc.constantFrom(...floats), ends], (seed, dtype, [a, b]) => {
      const [minval, maxval] = [Math.min(a, b), Math.max(a, b)];
      const x = random.uniform(random.key(seed), [50], { dtype, minval, maxval });
      expect(x.dtype).toBe(dtype);
      const low = Number(host(lax.convertElementType(f32(minval), dtype)).data[0]);
      for (const v of host(x).data) expect(v >= low && v <= Math.max(maxval, low) + Math.abs(maxval) * 0.01).toBe(true);
    });
  });

  test("of float64 uses 52 bits", () => {
    const xs = Array.from(host(random.uniform(key, [100], "float64")).data);
    expect(xs.some((x) => x !== Math.fround(x))).toBe(true);
    expect(xs.every((x) => Number.isInteger(x * 2 ** 52))).toBe(true);
  });

  test("is differentiable in its ends", () => {
    const f = (a: NDArray): NDArray => lax.reduceSum(random.uniform(key, [5], { minval: a, maxval: 2 }), [0]);
    const u = list(random.uniform(key, [5])) as number[];
    expect(item(grad(f)(f32(0)))).toBeCloseTo(
      u.reduce((s, v) => s + 1 - v, 0),
      5,
    );
  });

  test("takes bounds of the shape asked for", () => {
    const x = random.uniform(key, [2, 2], { minval: f32([0, 10]), maxval: f32([1, 11]) });
    expect((list(x) as number[][]).every(([a, b]) => a! < 1 && b! >= 10)).toBe(true);
  });
});

describe("randint", () => {
  const dtypes = fc.constantFrom<DType>("int8", "uint8", "int16", "uint16", "int32", "uint32");
  const range = (d: DType): [number, number] => {
    const bits = Number(/\d+/.exec(d)![0]);
    return d.startsWith("u") ? [0, 2 ** bits] : [-(2 ** (bits - 1)), 2 ** (bits - 1)];
  };

  test("lies in the interval, and every value of a small one occurs", () => {
    holds(
      80,
      [seeds, dtypes, fc.double({ min: 0, max: 1, noNaN: true }), fc.integer({ min: 1, max: 5 })],
      (seed, dtype, at, n) => {
        const [least, end] = range(dtype);
        const top = Math.min(end, 2 ** 32 - 1);
        const low = Math.min(least + Math.floor(at * (end - least)), top - n);
        const x = random.randint(random.key(seed), [200], low, low + n, dtype);
        expect(x.dtype).toBe(dtype);
        expect(new Set(host(x).data)).toEqual(new Set(Array.from({ length: n }, (_, i) => low + i)));
      },
    );
  });

  test("covers whole dtypes, with the upper end one past the largest", () => {
    const bytes = new Set(host(random.randint(key, [5000], 0, 256, "uint8")).data);
    expect(bytes.size).toBe(256);
    const ints = host(random.randint(key, [1000], -(2 ** 31), 2 ** 31)).data;
    expect(ints.some((v) => v < -1e9) && ints.some((v) => v > 1e9)).toBe(true);
  });

  test("gives the lower end where there is nothing between", () => {
    expect(list(random.randint(key, [3], 5, 2))).toEqual([5, 5, 5]);
  });
});

describe("orders and choices", () => {
  test("a permutation is one, along any axis", () => {
    holds(40, [seeds, fc.integer({ min: 1, max: 60 })], (seed, n) => {
      const order = list(random.permutation(random.key(seed), n)) as number[];
      expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: n }, (_, i) => i));
    });
    const x = i32([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    const columns = list(lax.transpose(random.permutation(key, x, 1), [1, 0])) as number[][];
    expect(columns.map(String).sort()).toEqual(["1,4", "2,5", "3,6"]);
    const rows = list(random.permutation(key, x, { axis: 1, independent: true })) as number[][];
    expect(rows.map((r) => [...r].sort().join())).toEqual(["1,2,3", "4,5,6"]);
  });

  test("a choice without replacement has no repeats", () => {
    holds(40, [seeds, fc.integer({ min: 1, max: 30 }), fc.boolean()], (seed, n, weighted) => {
      const p = weighted ? f32(Array.from({ length: n }, () => 1 / n)) : null;
      const picked = list(random.choice(random.key(seed), n, { shape: [n], replace: false, p })) as number[];
      expect(new Set(picked).size).toBe(n);
    });
  });

  test("a choice keeps the other axes", () => {
    const x = random.normal(key, [4, 5, 3]);
    expect(random.choice(key, x, { shape: [2, 2], axis: 1 }).shape).toEqual([4, 2, 2, 3]);
    expect(random.choice(key, x, { shape: [2], axis: 1, replace: false }).shape).toEqual([4, 2, 3]);
  });

  test("elements of probability zero are not chosen", () => {
    const picked = list(random.choice(key, 3, [200], true, f32([0.5, 0, 0.5]))) as number[];
    expect(new Set(picked)).toEqual(new Set([0, 2]));
  });

  test("categories of logit −∞ are not drawn; axes stay in place", () => {
    const logits = f32([
      [0, -Infinity, 0],
      [-Infinity, 0, -Infinity],
    ]);
    const drawn = list(random.categorical(key, logits, { axis: 1, shape: [50, 2] })) as number[][];
    expect(drawn.every(([a, b]) => a !== 1 && b === 1)).toBe(true);
    expect(random.categorical(key, logits, { axis: 0 }).shape).toEqual([3]);
  });
});

describe("others", () => {
  test("complex normal numbers have independent parts of variance one half", () => {
    const z = host(random.normal(key, [4000], "complex64")).data;
    const mean = (f: (i: number) => number): number =>
      Array.from({ length: 4000 }, (_, i) => f(i)).reduce((a, b) => a + b) / 4000;
    expect(mean((i) => z[2 * i]! ** 2)).toBeCloseTo(0.5, 1);
    expect(mean((i) => z[2 * i + 1]! ** 2)).toBeCloseTo(0.5, 1);
    expect(Math.abs(mean((i) => z[2 * i]! * z[2 * i + 1]!))).toBeLessThan(0.05);
  });

  test("a truncated normal stays strictly within its bounds", () => {
    const x = host(random.truncatedNormal(key, 3, 3.001, [500])).data;
    expect(x.every((v) => v > 3 && v < 3.001)).toBe(true);
  });

  test("a Dirichlet draw sums to 1, and maps over its concentrations", () => {
    const x = random.dirichlet(key, f32([0.5, 1, 2]), [50]);
    for (const row of list(x) as number[][]) expect(row.reduce((a, b) => a + b)).toBeCloseTo(1, 5);
    expect(random.dirichlet(key, f32([[1, 2]])).shape).toEqual([1, 2]);
  });

  test("points of a ball lie in it, and fill it", () => {
    const radii = (list(random.ball(key, 3, { shape: [2000] })) as number[][]).map((p) => Math.hypot(...p));
    expect(Math.max(...radii)).toBeLessThanOrEqual(1);
    // The cube of the radius is uniform.
    expect(radii.reduce((s, r) => s + r ** 3, 0) / radii.length).toBeCloseTo(0.5, 1);
  });

  test("parameters map", () => {
    const rates = f32([1, 20]);
    const all = vmap((lam: NDArray) => random.poisson(key, lam, [4]))(rates);
    const [a, b] = [1, 20].map((lam) => list(random.poisson(key, f32(lam), [4])));
    expect(list(all)).toEqual([a, b]);
  });

  test("a gamma draw moves with its parameter as the quantile does", () => {
    const a = f32([0.4, 1, 2.5, 30]);
    const x = random.gamma(key, a);
    const step = 0.01;
    // At a fixed quantile dx/da = −(∂P/∂a) / (∂P/∂x), the density by differences too.
    const slope = (along: "a" | "x", by: number): NDArray => {
      const at = (s: number): NDArray =>
        along === "a" ? lax.igamma(lax.add(a, s), x) : lax.igamma(a, lax.mul(x, 1 + s));
      return lax.div(lax.sub(at(by), at(-by)), 2 * by);
    };
    const want = lax.neg(lax.div(slope("a", step), lax.div(slope("x", step), x)));
    const sum = (y: NDArray): NDArray => lax.reduceSum(y, [0]);
    expectClose(grad((b: NDArray) => sum(random.gamma(key, b)))(a), want, 2e-2);
    expectClose(grad((b: NDArray) => sum(random.loggamma(key, b)))(a), lax.div(want, x), 2e-2);
    // The mean of gamma draws is their parameter.
    for (const method of ["exact", "approximate"] as const) {
      const total = (b: NDArray): NDArray => lax.div(sum(random.gamma(key, b, [4000], { method })), 4000);
      expect(item(jit(grad(total))(f32(1.5)))).toBeCloseTo(1, 1);
    }
  });

  test("fine halves keep all bits of 64", () => {
    holds(20, [seeds], (seed) => {
      const k = random.key(seed);
      const shape = [64];
      const words = [...(host(random.bits(k, [2, ...shape])).data as Uint32Array)].map(BigInt);
      const numbers = list(random.gumbel(k, shape, { mode: "highest" })) as number[];
      numbers.forEach((g, i) => {
        const u = Number((words[i]! << 32n) + words[64 + i]!) / 2 ** 64;
        const rest = Number(2n ** 64n - ((words[i]! << 32n) + words[64 + i]!)) / 2 ** 64;
        expect(g).toBeCloseTo(-Math.log(u < 0.5 ? -Math.log1p(-u) : -Math.log(rest)), 4);
      });
    });
  });

  test("an approximate draw is near the exact quantile", () => {
    const logs = random.loggamma(key, 0.3, { shape: [2000], method: "approximate" });
    const shares = [...(host(lax.igamma(f32(new Array<number>(2000).fill(0.3)), lax.exp(logs))).data as Float32Array)];
    // Values of the distribution function are uniform: the largest distance is Kolmogorov's.
    const sorted = shares.sort((p, q) => p - q);
    expect(Math.max(...sorted.map((p, i) => Math.abs(p - (i + 0.5) / sorted.length)))).toBeLessThan(
      1.63 / Math.sqrt(sorted.length),
    );
    expect(problemOf(() => random.gamma(key, 1, { method: "fast" as "exact" }))).toMatchObject({
      kind: "ArgumentError",
      code: "UnknownMethod",
    });
  });

  test("nothing of a draw is computed when it is traced", () => {
    const text = String(makeJaxpr((k: NDArray) => random.uniform(k, [3]))(key));
    expect(text).toContain("threefry2x32");
  });

  test("draws are not shared between calls", () => {
    const [a, b] = [0, 1].map((i) => list(random.normal(random.foldIn(key, i), [4])));
    expect(a).not.toEqual(b);
    expect(item(random.uniform(key))).toBe(item(random.uniform(key)));
  });
});
