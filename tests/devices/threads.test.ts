/**
 * Threads of the wasm device: the same bits for every number of threads and every order in which they take tasks, and what
 * happens where they cannot be had.
 */
import { execFileSync } from "node:child_process";
import { execPath } from "node:process";
import { beforeAll, describe, expect, test, vi } from "vitest";
import type { DeviceExecutable } from "../../src/backends/device.ts";
import { deviceInfo, explainContext, init } from "../../src/backends/registry.ts";
import { type WasmDevice, wasmDevice } from "../../src/backends/wasm/device.ts";
import { WasmMemory } from "../../src/backends/wasm/memory.ts";
import { WorkerPool } from "../../src/backends/wasm/pool.ts";
import { hoistConsts } from "../../src/core/jaxpr.ts";
import type { HostArray } from "../../src/core/hostArray.ts";
import type { NDArray } from "../../src/core/ndarray.ts";
import { flatten } from "../../src/core/tree.ts";
import { forgetWarnings } from "../../src/core/warn.ts";
import * as lax from "../../src/lax/index.ts";
import * as np from "../../src/numpy/index.ts";
import * as nn from "../../src/nn/index.ts";
import * as random from "../../src/random/index.ts";
import { grad } from "../../src/transforms/gradient.ts";
import { makeJaxpr } from "../../src/transforms/makeJaxpr.ts";
import { host, problemOf } from "../support/arrays.ts";
import { adamStep } from "../support/models.ts";
import { root } from "../package/consumer.ts";

function deviceWith(threads: number, ...asked: string[]): WasmDevice {
  const device = wasmDevice(0, explainContext(), new Set(asked));
  expect(device.configure({ threads })).toBe(true);
  return device;
}

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- any function of trees of arrays
type F = (...args: any[]) => unknown;
/** A function compiled for a device, and its arguments there. */
class OnDevice {
  readonly #device: WasmDevice;
  readonly #executable: DeviceExecutable;
  readonly #inputs: readonly unknown[];

  constructor(device: WasmDevice, f: F, args: readonly unknown[]) {
    const { jaxpr, consts } = makeJaxpr(f)(...args);
    this.#device = device;
    this.#executable = device.compile(hoistConsts(jaxpr), { name: "f", donated: [], device: null });
    this.#inputs = [...consts, ...(flatten(args)[0] as NDArray[])].map((x) => device.put(host(x)));
  }
  run(): HostArray[] {
    return this.#executable.run(this.#inputs).map((b) => this.#device.readSync(b));
  }
}

const normal = (...shape: number[]): NDArray => random.normal(random.key(shape.length + shape[0]!), shape);
const conv = (x: NDArray, w: NDArray): NDArray => lax.conv(x, w, [1, 1], "SAME");
const step = adamStep([20, 34, 10], 16);
const programs: Readonly<Record<string, readonly [F, readonly unknown[]]>> = {
  "elementwise work": [(x: NDArray) => np.tanh(x).mul(2).add(np.exp(x)), [normal(1013)]],
  "of several extents": [(x: NDArray, y: NDArray) => [x.add(y), y.mul(2)], [normal(7, 33), normal(33)]],
  rows: [(x: NDArray) => nn.softmax(x), [normal(61, 37)]],
  columns: [(x: NDArray) => np.sum(x, 0), [normal(61, 37)]],
  "a sum of everything": [(x: NDArray) => np.sum(x), [normal(61, 37)]],
  products: [(a: NDArray, b: NDArray) => np.matmul(a, b).add(1), [normal(37, 300), normal(300, 290)]],
  "batches of products": [(a: NDArray, b: NDArray) => np.matmul(a, b), [normal(5, 9, 31), normal(5, 31, 13)]],
  "of whole numbers": [(a: NDArray) => np.matmul(a, a), [normal(29, 29).mul(9).astype("int32")]],
  "of float64": [(a: NDArray) => np.exp(np.matmul(a, a)), [normal(29, 29).astype("float64")]],
  "functions that kernels import": [
    (a: NDArray) => [np.power(np.abs(a), a), np.fmod(a, 0.3), np.exp2(a), np.arctan2(a, 2)],
    [np.concatenate([normal(300).astype("float64"), np.array([1, -1, Infinity, NaN], { dtype: "float64" })])],
  ],
  "convolutions and their gradients": [
    grad((w: NDArray, x: NDArray) => np.sum(np.square(conv(x, w)))),
    [normal(5, 3, 3, 3), normal(2, 3, 11, 13)],
  ],
  attention: [
    (q: NDArray, k: NDArray, v: NDArray) => np.matmul(nn.softmax(np.matmul(q, np.swapaxes(k, 1, 2))), v),
    [normal(3, 18, 8), normal(3, 30, 8), normal(3, 30, 8)],
  ],
  loops: [(x: NDArray) => lax.foriLoop(0, 9, (_: NDArray, y: NDArray) => np.sin(y).add(x), x), [normal(600)]],
  "a training step": [step.step, [step.params, step.state, step.images, step.digits]],
};

describe("results do not depend on the number of threads", () => {
  const alone = deviceWith(1, "tasks");
  const together = deviceWith(3, "tasks");
  beforeAll(async () => {
    const work = new OnDevice(together, (x: NDArray) => np.exp(x), [normal(4096)]);
    const started = performance.now();
    while (together.details().threads.running < 3 && performance.now() - started < 60_000) {
      work.run();
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  });

  test("three threads run", () => {
    expect(together.details().threads).toEqual({ wanted: 3, running: 3, why: null });
    expect(alone.details().threads).toEqual({ wanted: 1, running: 1, why: null });
  });
  test.each(Object.entries(programs))("%s", (_, [f, args]) => {
    const wanted = new OnDevice(alone, f, args).run();
    const work = new OnDevice(together, f, args);
    // Who takes what differs from run to run.
    for (let i = 0; i < 20; i++) expect(work.run()).toEqual(wanted);
  });
  test("nor do those of an engine without relaxed instructions or shared memory, within rounding", () => {
    const plain = deviceWith(3, "-relaxed", "-threads");
    const [f, args] = programs["products"]!;
    const [found, wanted] = [plain, alone].map((d) => new OnDevice(d, f, args).run()[0]!);
    found!.data.forEach((x, i) => expect(x).toBeCloseTo(wanted!.data[i]!, 3));
    expect(plain.details().features).toEqual({
      simd: true,
      relaxedSimd: false,
      sharedMemory: false,
      wideVectors: false,
    });
  });
});

describe("threads that cannot be had", () => {
  const busy = (device: WasmDevice): HostArray[] => {
    const work = new OnDevice(device, (x: NDArray) => np.exp(x), [np.zeros([4096])]);
    for (let i = 0; i < 8; i++) work.run();
    return work.run();
  };
  const ones = new Float32Array(4096).fill(1);

  test("without shared memory: the reason, one warning, and the result", () => {
    const warn = vi.spyOn(console, "warn").mockImplementation(() => undefined);
    forgetWarnings();
    const device = deviceWith(2, "tasks", "-threads");
    expect(busy(device)[0]!.data).toEqual(ones);
    expect(busy(device)[0]!.data).toEqual(ones);
    const { wanted, running, why } = device.details().threads;
    expect([wanted, running]).toEqual([2, 1]);
    expect(why).toContain("Cross-Origin-Opener-Policy: same-origin");
    expect(warn).toHaveBeenCalledOnce();
    expect(warn.mock.calls[0]![0]).toContain("computing on one thread of 2: memory cannot be shared");
    warn.mockRestore();
  });
  test("workers that cannot be made", () => {
    const warn = vi.spyOn(console, "warn").mockImplementation(() => undefined);
    forgetWarnings();
    const sources: string[] = [];
    const device = wasmDevice(0, explainContext(), new Set(["tasks"]));
    const worker = (source: string): never => {
      sources.push(source);
      throw new Error("the policy forbids it");
    };
    device.configure({ threads: 2, worker });
    expect(busy(device)[0]!.data).toEqual(ones);
    expect(device.details().threads.why).toContain("a worker could not be started: Error: the policy forbids it");
    expect(sources).toHaveLength(1);
    expect(sources[0]).toContain("onmessage");
    expect(warn).toHaveBeenCalledOnce();
    warn.mockRestore();
  });
  test("their number is chosen before they start", async () => {
    const memory = new WasmMemory(new Set());
    const pool = new WorkerPool(memory, { threads: 2 });
    expect(pool.choose({ threads: 3 })).toBe(true);
    expect(pool.info()).toEqual({ wanted: 3, running: 1, why: "workers are started when there is much to compute" });
    for (let i = 0; i < 4; i++) pool.prepare(3);
    expect(pool.choose({ threads: 2 })).toBe(false);
    expect(pool.wanted).toBe(3);
    await expect(init("wasm", { threads: 0 })).rejects.toThrow(/whole number, 1 at least/);
    expect(problemOf(() => deviceInfo("tpu")).what).toContain('no device "tpu"');
  });
});

test("a program with threads ends by itself", { timeout: 60_000 }, () => {
  const program = `
    import { deviceInfo, jit, numpy as np } from ${JSON.stringify(`${root}/src/index.ts`)};
    const f = jit((x) => np.exp(x));
    const x = np.ones([1 << 20]);
    const started = performance.now();
    while (deviceInfo().threads.running < 2 && performance.now() - started < 30000) f(x);
    console.log(deviceInfo().threads.running, np.mean(f(x)).item());
  `;
  const out = execFileSync(execPath, ["--import", "tsx", "--input-type=module", "-e", program], {
    cwd: root,
    encoding: "utf8",
    env: { ...process.env, COTANGENT_THREADS: "2" },
    timeout: 50_000,
  });
  expect(out.trim()).toMatch(/^2 2\.718/);
});
