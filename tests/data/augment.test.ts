import { describe, expect, test } from "vitest";
import { jit, vmap } from "../../src/index.ts";
import { augment } from "../../src/data/index.ts";
import type { NDArray } from "../../src/core/ndarray.ts";
import * as np from "../../src/numpy/index.ts";
import * as random from "../../src/random/index.ts";
import { expectClose, f32, host, list, problemOf } from "../support/arrays.ts";

const keys = random.split(random.key(0), 6);
const images = random.uniform(random.key(1), [6, 7, 5, 3]);
const series = random.normal(random.key(2), [6, 12, 2]);

type Change = (key: NDArray, x: NDArray) => NDArray;
const ofImages: Record<string, Change> = {
  randomFlip: (k, x) => augment.randomFlip(k, x),
  "randomFlip, upside down": (k, x) => augment.randomFlip(k, x, { axis: 0, probability: 0.3 }),
  randomCrop: (k, x) => augment.randomCrop(k, x, [4, 3]),
  "randomCrop, padded": (k, x) => augment.randomCrop(k, x, 6, { padding: 2, mode: "reflect" }),
  randomShift: (k, x) => augment.randomShift(k, x, [2, 1], { value: 0.5 }),
  randomRotation: (k, x) => augment.randomRotation(k, x, 0.7),
  randomScale: (k, x) => augment.randomScale(k, x, [0.5, 2], { mode: "nearest" }),
  colorJitter: (k, x) => augment.colorJitter(k, x, { brightness: 0.3, contrast: 0.4, saturation: 0.5 }),
  gaussianNoise: (k, x) => augment.gaussianNoise(k, x, 0.1),
  cutout: (k, x) => augment.cutout(k, x, [3, 2], { value: 9 }),
};
const ofSeries: Record<string, Change> = {
  jitter: (k, x) => augment.jitter(k, x, 0.1),
  scaling: (k, x) => augment.scaling(k, x, 0.1),
  timeShift: (k, x) => augment.timeShift(k, x, 3, { mode: "wrap" }),
  windowSlice: (k, x) => augment.windowSlice(k, x, 5),
  timeWarp: (k, x) => augment.timeWarp(k, x, 0.5),
};
const all = [
  ...Object.entries(ofImages).map(([n, f]) => [n, f, images] as const),
  ...Object.entries(ofSeries).map(([n, f]) => [n, f, series] as const),
];

/** All values that some function of the key gives, as text. */
const outcomes = (n: number, f: (key: NDArray) => NDArray): Map<string, number> => {
  const counts = new Map<string, number>();
  for (let i = 0; i < n; i++) {
    const text = JSON.stringify(list(f(random.key(i))));
    counts.set(text, (counts.get(text) ?? 0) + 1);
  }
  return counts;
};

describe("augmentation", () => {
  test.each(all)("%s: jit of vmap is a loop, the key decides, and examples differ", (_, change, batch) => {
    const mapped = jit(vmap(change))(keys, batch);
    const loop = np.stack(Array.from({ length: 6 }, (_, i) => change(keys.slice(i), batch.slice(i))));
    expectClose(mapped, loop, 1e-5);
    expect(mapped.dtype).toBe("float32");
    expect(list(change(keys.slice(0), batch.slice(0)))).toEqual(list(change(keys.slice(0), batch.slice(0))));
    const same = np.stack(Array.from({ length: 6 }, (_, i) => change(keys.slice(i), batch.slice(0))));
    expect(new Set((list(same) as unknown[]).map((x) => JSON.stringify(x))).size).toBeGreaterThan(1);
  });

  test("flips come as often as they should", () => {
    const counts = outcomes(400, (k) => augment.randomFlip(k, np.array([[[1], [2]]]), { probability: 0.25 }));
    // 100 ± 9.
    expect([counts.size, Math.abs(counts.get("[[[2],[1]]]")! - 100) < 35]).toEqual([2, true]);
  });

  test("crops and shifts come from every place equally often", () => {
    const x = np.arange(9).reshape(3, 3, 1);
    const crops = outcomes(400, (k) => augment.randomCrop(k, x, 2));
    expect([...crops.keys()].sort()).toEqual([
      "[[[0],[1]],[[3],[4]]]",
      "[[[1],[2]],[[4],[5]]]",
      "[[[3],[4]],[[6],[7]]]",
      "[[[4],[5]],[[7],[8]]]",
    ]);
    for (const n of crops.values()) expect(Math.abs(n - 100)).toBeLessThan(40);
    const shifts = outcomes(200, (k) => augment.randomShift(k, np.array([[[1], [2]]]), [0, 1]));
    expect([...shifts.keys()].sort()).toEqual(["[[[0],[1]]]", "[[[1],[2]]]", "[[[2],[0]]]"]);
    const times = outcomes(200, (k) => augment.timeShift(k, [1, 2, 3], 1, { mode: "edge" }));
    expect([...times.keys()].sort()).toEqual(["[1,1,2]", "[1,2,3]", "[2,3,3]"]);
    expect([...outcomes(200, (k) => augment.windowSlice(k, [1, 2, 3], 2)).keys()].sort()).toEqual(["[1,2]", "[2,3]"]);
  });

  test("nothing moves by an angle of 0 or a factor of 1; dtypes stay", () => {
    const x = images.slice(0);
    expectClose(augment.randomRotation(keys.slice(0), x, 0), x, 1e-6);
    expectClose(augment.randomScale(keys.slice(0), x, [1, 1]), x, 1e-6);
    const bytes = np.astype(x.mul(255), "uint8");
    for (const f of [
      ofImages["randomFlip"]!,
      ofImages["randomCrop"]!,
      ofImages["randomRotation"]!,
      ofImages["randomScale"]!,
      ofImages["cutout"]!,
    ])
      expect(f(keys.slice(0), bytes).dtype).toBe("uint8");
  });

  test("a rotation turns about the centre: one angle, both ways, and a known point", () => {
    // A point one to the right of the centre comes to lie at the angle, up or down.
    const point = np.zeros([9, 9, 1]).at(4, 7, 0).set(1);
    for (let i = 0; i < 5; i++) {
      const key = random.key(i);
      const angle = random.uniform(key, [], { minval: -1, maxval: 1 }).mul(1.5).item() as number;
      const y = host(augment.randomRotation(key, point, 1.5)).data;
      let [sum, row, column] = [0, 0, 0];
      y.forEach((v, at) => {
        sum += v;
        row += v * (Math.floor(at / 9) - 4);
        column += v * ((at % 9) - 4);
      });
      // The centre of mass of an interpolated point is off by a fraction of a pixel.
      expect(Math.hypot(row / sum + 3 * Math.sin(angle), column / sum - 3 * Math.cos(angle))).toBeLessThan(0.35);
    }
  });

  test("a larger scale shows the middle larger", () => {
    const x = np.zeros([9, 9, 1]).at([3, 6], [3, 6]).set(1);
    expect(np.sum(augment.randomScale(random.key(0), x, [2, 2])).item()).toBeGreaterThan(25);
    expect(np.sum(augment.randomScale(random.key(0), x, [0.5, 0.5])).item()).toBeLessThan(5);
  });

  test("colours: brightness scales, contrast keeps the mean grey, saturation keeps grey", () => {
    const x = images.slice(0);
    const bright = augment.colorJitter(keys.slice(0), x, { brightness: 0.5, range: null });
    const ratio = host(bright.div(x)).data;
    expect(Math.max(...ratio) - Math.min(...ratio)).toBeLessThan(1e-5);
    const luma = (y: NDArray): NDArray => np.sum(y.mul(f32([0.299, 0.587, 0.114])), -1);
    const contrast = augment.colorJitter(keys.slice(1), x, { contrast: 0.5, range: null });
    expectClose(np.mean(luma(contrast)), np.mean(luma(x)), 1e-5);
    expectClose(luma(augment.colorJitter(keys.slice(2), x, { saturation: 0.9, range: null })), luma(x), 1e-5);
    const clipped = augment.colorJitter(keys.slice(0), np.ones([4, 4, 3]), { brightness: 5 });
    expect(np.max(clipped).item()).toBeLessThanOrEqual(1);
    expectClose(augment.colorJitter(keys.slice(0), x), x);
  });

  test("noise has the deviation it was asked for", () => {
    const noise = augment.gaussianNoise(random.key(3), np.zeros([100, 100]), 0.2);
    expect(Math.abs((np.std(noise).item() as number) - 0.2)).toBeLessThan(0.005);
    const factors = augment.scaling(random.key(3), np.ones([2, 5000]), 0.1);
    expectClose(factors.slice(0), factors.slice(1), 0);
    expect(Math.abs((np.std(factors).item() as number) - 0.1)).toBeLessThan(0.004);
    expect(augment.jitter(random.key(0), np.zeros([4], "bfloat16"), 1).dtype).toBe("bfloat16");
  });

  test("cutout covers at most its size, everywhere", () => {
    const covered = Array.from({ length: 60 }, (_, i) =>
      np.equal(augment.cutout(random.key(i), np.ones([6, 6, 2]), 3), 0),
    );
    for (const c of covered) expect([8, 12, 18]).toContain(np.sum(c).item());
    expect(np.all(np.any(np.stack(covered), 0)).item()).toBe(true);
  });

  test("mixup mixes inputs and labels alike", () => {
    const batch = { x: np.arange(5, { dtype: "float32" }).reshape(5, 1), y: np.eye(5) };
    const mixed = jit((k: NDArray) => augment.mixup(k, batch, 1))(random.key(4));
    // The label says what the input is made of.
    expectClose(np.matmul(mixed.y, batch.x), mixed.x, 1e-5);
    expectClose(np.sum(mixed.y, 1), np.ones([5]), 1e-6);
    expectClose(np.sum(mixed.x), f32(10), 1e-5);
    expect(
      new Set(
        (list(mixed.y) as number[][]).flatMap((r) =>
          r.filter((v) => v > 1e-6 && v < 1).map((v) => Math.min(v, 1 - v).toFixed(4)),
        ),
      ).size,
    ).toBeLessThanOrEqual(1);
    expect(problemOf(() => augment.mixup(random.key(0), { y: np.arange(3) })).code).toBe("NotFloat");
  });

  test("time runs forwards, and both ends stay", () => {
    const x = np.linspace(0, 1, 50);
    for (let i = 0; i < 5; i++) {
      const y = list(augment.timeWarp(random.key(i), x, 1)) as number[];
      expect(y.every((v, t) => t === 0 || v > y[t - 1]!)).toBe(true);
      expect([Math.abs(y[0]!) < 1e-6, Math.abs(y[49]! - 1) < 1e-5]).toEqual([true, true]);
      expect(Math.max(...y.map((v, t) => Math.abs(v - t / 49)))).toBeGreaterThan(0.01);
    }
    expectClose(augment.timeWarp(random.key(0), series.slice(0), 0), series.slice(0), 1e-5);
  });

  test("says what is wrong", () => {
    const key = random.key(0);
    expect(problemOf(() => augment.randomFlip(key, images)).fix).toContain("vmap");
    expect(problemOf(() => augment.randomCrop(key, images.slice(0), 8)).code).toBe("CropTooLarge");
    expect(problemOf(() => augment.randomCrop(key, images.slice(0), 1.5)).code).toBe("BadExtent");
    expect(problemOf(() => augment.randomScale(key, images.slice(0), [0, 1])).code).toBe("BadFactors");
    expect(problemOf(() => augment.colorJitter(key, np.ones([2, 2, 3], "uint8"))).code).toBe("NotFloat");
    expect(problemOf(() => augment.colorJitter(key, np.ones([2, 2, 1]), { saturation: 1 })).code).toBe("NoColours");
    expect(problemOf(() => augment.windowSlice(key, [1, 2], 3)).code).toBe("WindowTooLong");
    expect(problemOf(() => augment.jitter(key, np.ones([]), 1)).code).toBe("NotASeries");
    expect(problemOf(() => augment.timeWarp(key, [1, 2], 1, { knots: 1 })).code).toBe("Knots");
    expect(problemOf(() => augment.mixup(key, np.ones([]))).code).toBe("NotABatch");
  });
});
