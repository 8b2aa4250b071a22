/** The WebGPU device against the reference: every primitive, a training step, control flow, callbacks, memory, errors. */
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
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
  numpy as np,
} from "../../src/index.ts";
import { evaluator } from "../../src/core/evaluator.ts";
import type { HostArray } from "../../src/core/hostArray.ts";
import { hoistConsts } from "../../src/core/jaxpr.ts";
import { traceToJaxpr } from "../../src/core/staging.ts";
import { bind } from "../../src/core/trace.ts";
import { flatten } from "../../src/core/tree.ts";
import { distance, fromHost, host } from "../support/arrays.ts";
import { onDevice } from "../support/devices.ts";
import { adamStep } from "../support/models.ts";
import type { Generator, Sample } from "../sweep/generator.ts";
import { generators, titleOf } from "../sweep/registry.ts";

beforeAll(async () => {
  await init("webgpu");
});

type F = (xs: readonly NDArray[]) => readonly NDArray[];
const read = async (xs: readonly NDArray[]): Promise<HostArray[]> =>
  Promise.all(xs.map((x) => evaluator().read(x.concrete()!)));
function same(what: string, found: readonly HostArray[], wanted: readonly HostArray[], tolerance: number): void {
  expect(found.length).toBe(wanted.length);
  found.forEach((y, i) => {
    const d = distance(y, wanted[i]!, tolerance);
    if (d) expect.fail(`${what}, result ${i}: ${d}\n  found  ${y.data.join()}\n  wanted ${wanted[i]!.data.join()}`);
  });
}

describe("every primitive", () => {
  const callOf = (g: Generator, { params }: Sample): F =>
    g.apply ? (xs) => g.apply!(xs, params) : (xs) => bind(g.primitive, xs, params);
  const cases = generators.map((g) => [titleOf(g), g] as const);
  const isWide = (x: { readonly dtype: string }): boolean => x.dtype === "float64";

  test.each(cases)("%s", async (_, g) => {
    const samples = onDevice("cpu", () => fc.sample(g.sample, { numRuns: 24, seed: 7 }));
    let isRefused = false;
    let isCompared = false;
    for (const s of samples) {
      if (isRefused && isCompared) break;
      const f = callOf(g, s);
      const wanted = onDevice("cpu", () => f(s.ins.map(fromHost)).map(host));
      const wide = [...s.ins, ...wanted].some(isWide);
      if (wide ? isRefused : isCompared) continue;
      if (wide) {
        isRefused = true;
        expect(() => f(s.ins.map(fromHost))).toThrow(DTypeError);
        continue;
      }
      isCompared = true;
      const half = [...s.ins, ...wanted].some((x) => x.dtype.endsWith("float16"));
      const tolerance = half ? 1e-2 : 1e-5;
      const args = s.ins.map(fromHost);
      same("eager", await read(f(args)), wanted, tolerance);
      const { jaxpr, consts } = traceToJaxpr(
        (...xs) => f(xs),
        args.map((x) => x.aval),
        "sweep",
      );
      const program = evaluator().compile(hoistConsts(jaxpr), { name: "sweep", donated: [], device: null });
      same("jit", await read(program.run([...consts, ...args])), wanted, tolerance);
    }
  });
});

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- any function of trees of arrays
type G = (...args: any[]) => unknown;
const leaves = (x: unknown): NDArray[] => flatten(x)[0] as NDArray[];
/** The results of a function under jit on the GPU, and by the reference. */
async function compare(f: G, args: readonly unknown[], tolerance = 1e-5): Promise<void> {
  const wanted = onDevice("cpu", () => leaves(f(...args)).map(host));
  same("jit", await read(leaves(jit(f)(...args))), wanted, tolerance);
}
/** Values made on the embedded device, which every device can read. */
const embedded = <T>(make: () => T): T => onDevice("wasm", make);

describe("programs", () => {
  test("training steps of a multilayer perceptron with Adam", async () => {
    const { step, params, state, images, digits } = embedded(() => adamStep([20, 40, 30, 10], 64));
    const train = (n: number, f: typeof step): unknown => {
      let [p, s, loss] = [params, state, np.zeros([])];
      for (let i = 0; i < n; i++) [p, s, loss] = f(p, s, images, digits);
      return [p, loss];
    };
    const wanted = onDevice("cpu", () => leaves(train(3, step)).map(host));
    same("three steps", await read(leaves(train(3, jit(step)))), wanted, 1e-4);
  });
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
  test("scan, while with a predicate on the GPU, cond", async () => {
    const x = embedded(() => np.linspace(-1, 1, { num: 12 }).reshape(4, 3));
    await compare((xs: NDArray) => lax.scan((c: NDArray, r: NDArray) => [c.add(r), c.mul(r)], np.zeros([3]), xs), [x]);
    await compare((v: NDArray) => lax.whileLoop((c: NDArray) => lax.lt(np.sum(c.mul(c)), 1000), (c: NDArray) => c.mul(1.5).add(0.1), v), [x]); // prettier-ignore
    const branch = (i: number, v: NDArray): unknown =>
      lax.switch_(embedded(() => np.array(i, { dtype: "int32" })), [(y: NDArray) => y.add(1), (y: NDArray) => y.mul(3)], v); // prettier-ignore
    await compare((v: NDArray) => branch(0, v), [x]);
    await compare((v: NDArray) => branch(1, v), [x]);
    await compare(
      grad((v: NDArray) => np.sum(lax.foriLoop(0, 5, (_: NDArray, c: NDArray) => np.sin(c), v))),
      [x],
    );
  });
  test("products and convolutions with edges, and their gradients", async () => {
    const [x, w] = embedded(() => [np.linspace(-1, 1, { num: 2 * 3 * 19 * 17 }).reshape(2, 3, 19, 17), np.linspace(1, -1, { num: 12 * 27 }).reshape(12, 3, 3, 3)]); // prettier-ignore
    const conv = (a: NDArray, b: NDArray): NDArray => lax.conv(a, b, [1, 1], "SAME");
    await compare((a: NDArray, b: NDArray) => lax.tanh(conv(a, b)), [x, w]);
    await compare(
      grad((a: NDArray, b: NDArray) => np.sum(lax.sin(conv(a, b))), { argnums: [0, 1] }),
      [x, w],
    );
    const [a, b] = embedded(() => [np.linspace(-1, 1, { num: 70 * 33 }).reshape(70, 33), np.linspace(1, -1, { num: 33 * 130 }).reshape(33, 130)]); // prettier-ignore
    await compare((p: NDArray, q: NDArray) => np.matmul(p.add(1), q).mul(0.5), [a, b]);
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
