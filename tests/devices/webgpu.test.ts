/**
 * The WebGPU device: every primitive against the reference, and what is its own: donation, callbacks, reading, errors.
 * Programs are compared in tests/runtimes, random ones in webgpuPrograms.test.ts.
 */
import { beforeAll, describe, expect, test, vi } from "vitest";
import {
  DTypeError,
  DeviceError,
  type NDArray,
  blockUntilReady,
  debug,
  defaultDevice,
  deviceGet,
  devicePut,
  devices,
  grad,
  init,
  jit,
  lax,
  memoryInfo,
  nn,
  numpy as np,
} from "../../src/index.ts";
import { evaluator } from "../../src/core/evaluator.ts";
import { runs } from "../properties.ts";
import { onDevice } from "../support/devices.ts";
import { comparePrimitive } from "../support/librarySample.ts";
import { generators, titleOf } from "../sweep/registry.ts";

beforeAll(async () => {
  await init("webgpu");
});

describe("every primitive", () => {
  test.each(generators.map((g) => [titleOf(g), g] as const))("%s", async (_, g) => {
    const { isCompared, isRefused } = await comparePrimitive(g, "webgpu", runs(4));
    // Those of float64 alone are compared on the other devices; tests/runtimes looks for primitives that none compares.
    expect(isCompared || isRefused).toBe(true);
  });
});

/** Values made on the embedded device, which every device can read. */
const embedded = <T>(make: () => T): T => onDevice("wasm", make);

describe("programs", () => {
  test("donated arguments give their memory to the results", async () => {
    const f = jit((x: NDArray, y: NDArray) => [x.add(y), y.mul(2)] as const, { donateArgnums: 0 });
    const [x, y] = [np.ones([1000]), np.ones([1000])];
    await blockUntilReady([x, y]);
    const before = memoryInfo().live;
    const [sum, twice] = f(x, y);
    expect(memoryInfo().live - before).toBe(4096);
    expect(() => x.add(1)).toThrow(/donated/);
    expect([(await sum.data())[7], (await twice.data())[7]]).toEqual([2, 2]);
  });
  test("a function of several primitives is one program from the second call in a form on", async () => {
    const x = np.arange(7).astype("float32");
    const one = vi.spyOn(evaluator(), "evaluate");
    const calls = (y: NDArray): number => {
      one.mockClear();
      nn.softmax(y);
      return one.mock.calls.length;
    };
    try {
      // Forms take turns.
      const other = x.reshape([1, 7]);
      expect([calls(x), calls(other)].every((n) => n > 2)).toBe(true);
      expect([calls(x), calls(other), calls(x)]).toEqual([0, 0, 0]);
    } finally {
      one.mockRestore();
    }
    expect((await nn.softmax(x).data())[6]).toBeCloseTo(1 / Array.from({ length: 7 }, (_, i) => Math.exp(-i)).reduce((a, b) => a + b), 5); // prettier-ignore
  });
  test("arrays that a custom rule captured", async () => {
    const k = np.arange(6).mul(0.5);
    const f = jit((x: NDArray) => grad((y: NDArray) => np.sum(np.sin(y).mul(k)))(x));
    const wanted = [0, 1, 2, 3, 4, 5].map((i) => Math.cos(1) * i * 0.5);
    const found = Array.from(await f(np.ones([6])).data());
    found.forEach((v, i) => expect(v).toBeCloseTo(wanted[i]!, 5));
  });
  test("a chain of 2000 eager operations, read once", async () => {
    let x = np.zeros([4]);
    for (let i = 0; i < 2000; i++) x = x.add(1);
    expect(await x.jsAsync()).toEqual([2000, 2000, 2000, 2000]);
  });
});

describe("host calls", () => {
  test("callbacks and prints come in the program's order, with values", async () => {
    const seen: string[] = [];
    const note = (name: string, x: NDArray): void =>
      debug.callback((v: NDArray) => void seen.push(`${name} ${String(v.js())}`), x);
    const f = jit((x: NDArray) => {
      note("first", x);
      const y = lax.pureCallback((v: NDArray) => v.mul(10), x, x.add(1));
      note("second", y);
      return y.add(1);
    });
    expect(await f(np.array([1, 2])).jsAsync()).toEqual([21, 31]);
    expect(seen).toEqual(["first 1,2", "second 20,30"]);
    expect(String(defaultDevice())).toBe("webgpu:0");
  });
  test("an error in a callback is that of the read, and the device goes on", async () => {
    const f = jit((x: NDArray) => lax.pureCallback(() => { throw new RangeError("no") }, x, x).add(1)); // prettier-ignore
    await expect(f(np.ones([2])).data()).rejects.toThrow(/no/);
    expect(await np.ones([2]).add(1).jsAsync()).toEqual([2, 2]);
  });
});

describe("values", () => {
  test("are read by waiting, and no other way", async () => {
    const x = np.ones([2]).add(1);
    expect(() => x.js()).toThrow(DeviceError);
    expect(() => x.dataSync()).toThrow(/await x\.data\(\)/);
    expect(() => np.sum(x).item()).toThrow(DeviceError);
    expect(await x.jsAsync()).toEqual([2, 2]);
    expect(await deviceGet({ x })).toEqual({ x: [2, 2] });
  });
  test("go to the GPU where they meet it, and do not come back by themselves", async () => {
    const here = embedded(() => np.ones([3]).mul(2));
    const there = here.add(np.ones([3]));
    expect(evaluator().deviceOf(there)).toBe("webgpu:0");
    expect(evaluator().deviceOf(here)).toBe("wasm:0");
    expect(() => embedded(() => there.add(1))).toThrow(/on webgpu meets an operation on wasm/);
    expect(embedded(() => here.add(1)).js()).toEqual([3, 3, 3]);
    const back = devicePut(await there.data(), "wasm");
    expect(evaluator().deviceOf(back)).toBe("wasm:0");
  });
  test("devices lists it first, and it refuses what it has not", () => {
    expect(devices().map(String)).toEqual(["webgpu:0", "wasm:0", "cpu:0"]);
    expect(devices("webgpu").map(String)).toEqual(["webgpu:0"]);
    expect(() => np.ones([2], { dtype: "float64" })).toThrow(DTypeError);
    expect(() => np.ones([2 ** 20, 2 ** 12]).add(1)).toThrow(/bytes|MiB/);
  });
});
