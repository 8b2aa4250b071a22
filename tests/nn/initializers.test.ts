import { describe, expect, test } from "vitest";
import * as nn from "../../src/nn/index.ts";
import * as random from "../../src/random/index.ts";
import { jit } from "../../src/transforms/jit.ts";
import type { NDArray } from "../../src/core/ndarray.ts";
import { expectClose, host, list, problemOf } from "../support/arrays.ts";

const key = random.key(11);
const { initializers } = nn;

const variance = (x: NDArray): number => {
  const { data } = host(x);
  return Array.from(data, (v) => v * v).reduce((a, b) => a + b, 0) / x.size;
};

describe("scaled initializers", () => {
  const [rows, columns] = [64, 32];
  test.each([
    ["glorotUniform", 2 / (rows + columns)],
    ["glorotNormal", 2 / (rows + columns)],
    ["lecunUniform", 1 / rows],
    ["lecunNormal", 1 / rows],
    ["heUniform", 2 / rows],
    ["heNormal", 2 / rows],
    ["xavierUniform", 2 / (rows + columns)],
    ["kaimingNormal", 2 / rows],
  ] as const)("%s has the variance of its name", (name, wanted) => {
    const w = initializers[name]()(key, [rows, columns]);
    expect(w.shape).toEqual([rows, columns]);
    expect(variance(w) / wanted).toBeGreaterThan(0.9);
    expect(variance(w) / wanted).toBeLessThan(1.1);
  });

  test("count a receptive field, and take other axes", () => {
    // Four taps: 4 × 16 inputs.
    const w = initializers.varianceScaling(1, "fan_in", "normal")(key, [4, 16, 64]);
    expect(variance(w) * 64).toBeCloseTo(1, 1);
    const turned = initializers.varianceScaling(1, "fan_in", "normal", { inAxis: -1, outAxis: -2 })(key, [16, 256]);
    expect(variance(turned) * 256).toBeCloseTo(1, 1);
    const several = initializers.heNormal({ inAxis: [0, 1], outAxis: 2 })(key, [4, 16, 64]);
    expect((variance(several) * 64) / 2).toBeCloseTo(1, 1);
  });

  test("draw complex weights", () => {
    for (const distribution of ["uniform", "normal", "truncated_normal"] as const) {
      const w = initializers.varianceScaling(1, "fan_in", distribution, { dtype: "complex64" })(key, [64, 64]);
      expect(w.dtype).toBe("complex64");
      const size = Array.from(host(w).data).reduce((s, x) => s + x * x, 0) / w.size;
      expect(size * 64).toBeCloseTo(1, 1);
    }
  });

  test("name what they cannot do", () => {
    expect(problemOf(() => initializers.heNormal()(key, [5])).code).toBe("FanAxes");
    expect(problemOf(() => initializers.varianceScaling(1, "in" as never, "normal")(key, [2, 2])).code).toBe(
      "UnknownName",
    );
    expect(problemOf(() => initializers.varianceScaling(1, "fan_in", "x" as never)(key, [2, 2])).code).toBe(
      "UnknownName",
    );
    expect(problemOf(() => initializers.heNormal({ axis: 1 } as never)).code).toBe("UnknownOption");
  });
});

describe("plain initializers", () => {
  test("take their dtype from the call, then from themselves", () => {
    expect(initializers.zeros(key, [2], "int32").dtype).toBe("int32");
    expect(initializers.normal({ dtype: "float16" })(key, [2]).dtype).toBe("float16");
    expect(initializers.normal({ dtype: "float16" })(key, [2], "float32").dtype).toBe("float32");
    expect(list(initializers.constant(3, "int32")(key, [2]))).toEqual([3, 3]);
    expect(list(initializers.ones(key, [2]))).toEqual([1, 1]);
  });

  test("scale", () => {
    expect(Math.max(...host(initializers.uniform(0.5)(key, [500])).data)).toBeLessThan(0.5);
    expect(variance(initializers.normal(2)(key, [4000]))).toBeCloseTo(4, 0);
    const cut = host(initializers.truncatedNormal({ stddev: 1, lower: -1, upper: 1 })(key, [500])).data;
    expect(cut.every((x) => Math.abs(x) < 1)).toBe(true);
  });

  test("are the same under jit", () => {
    const f = (k: NDArray): NDArray => initializers.heNormal()(k, [4, 4]);
    expectClose(jit(f)(key), f(key), 1e-7);
  });
});
