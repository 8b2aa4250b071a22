import { describe, expect, test } from "vitest";
import type { ArrayLike } from "../../src/core/arrayMethods.ts";
import type { NDArray } from "../../src/core/ndarray.ts";
import * as np from "../../src/numpy/index.ts";
import * as optim from "../../src/optim/index.ts";
import { jit } from "../../src/transforms/jit.ts";
import { i32, item, problemOf } from "../support/arrays.ts";

const value = (x: ArrayLike): number => (typeof x === "number" ? x : item(x));

const schedules: Readonly<Record<string, optim.Schedule>> = {
  constant: optim.constantSchedule(0.3),
  linear: optim.linearSchedule(1, 0.1, 10, 2),
  polynomial: optim.polynomialSchedule(1, 0, 3, 10, { transitionBegin: 4 }),
  exponential: optim.exponentialDecay(1, 5, 0.5, { staircase: true, endValue: 0.2 }),
  growing: optim.exponentialDecay(1, 5, 2, 3, false, 4),
  cosine: optim.cosineDecaySchedule(2, 10, { alpha: 0.1, exponent: 2 }),
  piecewise: optim.piecewiseConstantSchedule(1, { 3: 0.5, 8: 0.1 }),
  interpolated: optim.piecewiseInterpolateSchedule("cosine", 1, { 3: 2, 8: 0.1 }),
  onecycle: optim.linearOnecycleSchedule(20, 1),
  cosineOnecycle: optim.cosineOnecycleSchedule(20, 1),
  warmup: optim.warmupCosineDecaySchedule(0, 1, 4, 14, 0.1),
  warmupConstant: optim.warmupConstantSchedule(0, 1, 4),
  warmupExponential: optim.warmupExponentialDecaySchedule(0, 1, 4, 5, 0.5),
  restarts: optim.sgdrSchedule([
    { initValue: 0, peakValue: 1, warmupSteps: 2, decaySteps: 6 },
    { initValue: 0, peakValue: 0.5, warmupSteps: 1, decaySteps: 8, endValue: 0.1 },
  ]),
};

describe.each(Object.entries(schedules))("%s", (_, schedule) => {
  test("gives the same for a number, an array and under jit", () => {
    const jitted = jit((n: NDArray) => np.asarray(schedule(n)));
    for (const n of [0, 1, 2, 3, 5, 8, 13, 21, 100]) {
      expect(value(schedule(i32(n)))).toBeCloseTo(value(schedule(n)), 6);
      expect(item(jitted(i32(n)))).toBeCloseTo(value(schedule(n)), 6);
    }
  });
});

describe("values", () => {
  const at = (name: string, ...steps: number[]): number[] => steps.map((n) => value(schedules[name]!(n)));

  test("of the simple ones", () => {
    expect(at("linear", 0, 2, 7, 12, 99)).toEqual([1, 1, 0.55, 0.1, 0.1].map((x) => expect.closeTo(x, 6)));
    expect(at("exponential", 0, 4, 5, 10, 99)).toEqual([1, 1, 0.5, 0.25, 0.2].map((x) => expect.closeTo(x, 6)));
    expect(at("growing", 0, 3, 8, 99)).toEqual([1, 1, 2, 4].map((x) => expect.closeTo(x, 5)));
    expect(at("piecewise", 2, 3, 7, 8)).toEqual([1, 0.5, 0.5, 0.05].map((x) => expect.closeTo(x, 6)));
    expect(at("cosine", 0, 10, 99)).toEqual([2, 0.2, 0.2].map((x) => expect.closeTo(x, 6)));
  });

  test("of joined ones count from their boundaries", () => {
    expect(at("warmup", 0, 2, 4, 14, 50)).toEqual([0, 0.5, 1, 0.1, 0.1].map((x) => expect.closeTo(x, 6)));
    expect(at("restarts", 2, 6, 7, 14)).toEqual([1, 0, 0.5, 0.1].map((x) => expect.closeTo(x, 6)));
  });

  test("of degenerate ones are constant", () => {
    expect(value(optim.linearSchedule(3, 1, 0)(5))).toBe(3);
    expect(value(optim.exponentialDecay(3, 10, 0)(5))).toBe(3);
    expect(value(optim.piecewiseConstantSchedule(3)(5))).toBe(3);
    expect(value(optim.piecewiseInterpolateSchedule("linear", 3)(5))).toBe(3);
    expect(value(optim.warmupCosineDecaySchedule(0, 0, 2, 5)(3))).toBe(0);
  });
});

test("mistakes name the parameter", () => {
  expect(problemOf(() => optim.cosineDecaySchedule(1, 0)).what).toContain("decaySteps is 0");
  expect(problemOf(() => optim.linearOnecycleSchedule(0, 1)).code).toBe("ScheduleSteps");
  expect(problemOf(() => optim.piecewiseConstantSchedule(1, { 5: -1 })).code).toBe("ScheduleScales");
  expect(problemOf(() => optim.piecewiseInterpolateSchedule("cubic" as never, 1)).code).toBe("Interpolation");
  expect(problemOf(() => optim.exponentialDecay(1, 10, 0.5, { stair: true } as never)).code).toBe("UnknownOption");
});
