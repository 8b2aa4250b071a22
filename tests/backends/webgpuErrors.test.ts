/** What goes wrong on a WebGPU device: refused kernels, lost devices, callbacks that throw, drivers that are not there. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { LoopNest } from "../../src/compiler/loopNest/loopNest.ts";
import type { Program } from "../../src/compiler/program.ts";
import { DeviceError } from "../../src/core/problem.ts";
import { type Binary, f32, i32, less, plus, select } from "../../src/core/scalar.ts";
import { type AcquiredGpu, noWebgpu, requestWebgpu } from "../../src/backends/webgpu/acquire.ts";
import { type GpuBuffer, WebgpuExecutor } from "../../src/backends/webgpu/executor.ts";
import { Fate } from "../../src/backends/webgpu/fate.ts";
import { sizeClass } from "../../src/backends/webgpu/storage.ts";
import { Builder, elementwise, host, noCallbacks, oneKernel, vector } from "../support/gpuPrograms.ts";
import { nodeGpu, nullGpu } from "../support/webgpu.ts";

async function acquire(): Promise<AcquiredGpu> {
  const acquired = await requestWebgpu(nodeGpu())();
  if (acquired._tag === "Left") throw new Error(JSON.stringify(acquired.left));
  return acquired.right;
}

let gpu: WebgpuExecutor;
let failures: DeviceError[] = [];
beforeAll(async () => {
  gpu = new WebgpuExecutor(await acquire(), { host: noCallbacks, onFailure: (f) => failures.push(f) });
});
afterAll(() => gpu.destroy());
beforeEach(() => (failures = []));

const values = async (x: GpuBuffer): Promise<number[]> => Array.from((await gpu.read(x)).data);
const first = ([x]: readonly GpuBuffer[]): GpuBuffer => x!;

/** A kernel that is no valid WGSL: it adds numbers of two types. */
function brokenProgram(n: number): Program {
  const nest = elementwise(n, 1, ([x]) => {
    const sum = plus(x!, f32(1)) as Binary;
    return select(less(x!, f32(n)), { ...sum, y: i32(1) }, x!);
  });
  const b = new Builder([vector(n)]);
  const where = { frame: () => "model.ts:41:7" };
  b.launch(nest, [0, b.output(vector(n))], where);
  return b.program();
}

describe("a refused kernel", () => {
  test("fails its arrays and what is computed from them, with the cause; other arrays are well", async () => {
    const [broken, fine] = [gpu.load(brokenProgram(4)), gpu.load(oneKernel(4, 1, ([x]) => plus(x!, f32(2))))];
    const x = gpu.put(host([1, 2, 3, 4]));
    // Known to be accepted, it is gathered into batches; what follows must not get into one.
    await values(first(gpu.run(fine, [x])));
    const before = first(gpu.run(fine, [x]));
    const bad = first(gpu.run(broken, [x]));
    const after = first(gpu.run(fine, [x]));
    const dependent = first(gpu.run(fine, [first(gpu.run(fine, [bad]))]));
    const error: unknown = await values(bad).catch((e: unknown) => e);
    if (!(error instanceof DeviceError)) throw new Error(`no error but ${String(error)}`);
    expect(error.code).toBe("KernelRefused");
    expect(error.problem.where).toBe("model.ts:41:7");
    expect(error.problem.what).toMatch(/line \d+ of its WGSL: .*\+ 1i/);
    await expect(values(dependent)).rejects.toBe(error);
    expect(await values(before)).toEqual([3, 4, 5, 6]);
    expect(await values(after)).toEqual([3, 4, 5, 6]);
    // Told once, whoever reads.
    expect(failures).toEqual([error]);
    // Later runs fail without being tried, and take nothing with them.
    const [again, alongside] = [first(gpu.run(broken, [x])), first(gpu.run(fine, [x]))];
    await expect(values(again)).rejects.toMatchObject({ code: "KernelRefused" });
    expect(await values(alongside)).toEqual([3, 4, 5, 6]);
  });

  test("ends a loop that would wait for it", async () => {
    const kernels: LoopNest[] = [];
    const broken = brokenProgram(1);
    kernels.push(...broken.kernels);
    const b = new Builder([vector(1)], kernels);
    const [flag, c0, c1, out] = [
      b.temporary(vector(1)),
      b.temporary(vector(1)),
      b.temporary(vector(1)),
      b.output(vector(1)),
    ];
    const call = (): ReturnType<Builder["call"]> => b.call({ ...broken, kernels }, [], [flag]);
    b.step({ kind: "copy", from: 0, to: c0 });
    b.step({
      kind: "while",
      predicate: call(),
      flag,
      body: call(),
      predicateConsts: 0,
      bodyConsts: 0,
      carries: [[c0], [c1]],
      results: [out],
    });
    const y = first(gpu.run(gpu.load(b.program()), [gpu.put(host([1]))]));
    await expect(values(y)).rejects.toMatchObject({ code: "KernelRefused" });
    const fine = gpu.load(oneKernel(1, 1, ([x]) => plus(x!, f32(2))));
    expect(await values(first(gpu.run(fine, [gpu.put(host([1]))])))).toEqual([3]);
  });
});

test("a callback that throws fails the results of its program, and no others", async () => {
  const b = new Builder([vector(1)]);
  const out = b.output(vector(1));
  const source = { frame: () => "model.ts:7:1" };
  const call = (): never => {
    throw new RangeError("no such thing");
  };
  b.step({ kind: "host", call, inputs: [0], outputs: [out], source });
  const program = gpu.load(b.program());
  const fine = gpu.load(oneKernel(1, 1, ([x]) => plus(x!, f32(2))));
  const x = gpu.put(host([1]));
  const y = first(gpu.run(program, [x]));
  const z = first(gpu.run(fine, [x]));
  await expect(values(first(gpu.run(fine, [y])))).rejects.toThrow(/no such thing/);
  expect(await values(z)).toEqual([3]);
  const { cause } = (await values(y).catch((e: Error) => e as Error & { cause: unknown })) as { cause: unknown };
  expect(cause).toBeInstanceOf(RangeError);
});

test("a lost device: reads reject, runs throw, nothing hangs", async () => {
  const lost = new WebgpuExecutor(await acquire(), { host: noCallbacks });
  const program = lost.load(oneKernel(4, 1, ([x]) => plus(x!, f32(1))));
  const x = lost.put(host([1, 2, 3, 4]));
  const y = first(lost.run(program, [x]));
  const reading = lost.read(y);
  lost.destroy();
  await expect(reading).rejects.toBeInstanceOf(DeviceError);
  await lost.acquired.device.lost;
  await expect(lost.read(y)).rejects.toMatchObject({ code: "DeviceLost" });
  expect(() => lost.run(program, [x])).toThrow(/lost/);
  expect(() => lost.put(host([1]))).toThrow(/lost/);
});

describe("acquiring", () => {
  test("tells every reason", async () => {
    const none = { requestAdapter: () => Promise.resolve(null) } as unknown as GPU;
    const broken = {
      requestAdapter: () => Promise.reject(new Error("the driver is on fire")),
    } as unknown as GPU;
    for (const [gpu, reason] of [
      [none, "no adapter"],
      [broken, "the driver is on fire"],
    ] as const) {
      const result = await requestWebgpu(gpu)();
      // The package webgpu finds the software driver in the end.
      expect(result._tag).toBe("Right");
      if (result._tag === "Right") {
        expect(result.right.candidate).toBe("package webgpu, high-performance");
        expect(result.right.isSoftware).toBe(true);
        result.right.device.destroy();
      }
      const text = noWebgpu([{ candidate: "given GPU, default", reason }]).message;
      expect(text).toContain(`given GPU, default: ${reason}`);
    }
  });

  test("refuses a device that computes nothing", async () => {
    // Dawn's null backend accepts everything, and runs nothing.
    const result = await requestWebgpu(nullGpu())();
    if (result._tag === "Left") throw new Error("the package webgpu was not tried");
    expect(result.right.candidate).toBe("package webgpu, high-performance");
    result.right.device.destroy();
  });
});

test("a long chain of work settles without recursion", () => {
  const chain = [new Fate()];
  for (let i = 1; i < 200_000; i++) {
    const fate = new Fate();
    fate.dependOn(chain[i - 1]!);
    chain.push(fate);
  }
  const failure = new DeviceError("Test", { what: "", why: "", fix: "" });
  for (const fate of [...chain].reverse()) fate.close();
  expect(chain.every((f) => f.isSettled && f.failure === null)).toBe(true);
  const [a, b] = [new Fate(), new Fate()];
  b.dependOn(a);
  b.close();
  a.fail(failure);
  a.close();
  expect(b.failure).toBe(failure);
});

test("pieces of storage waste at most a quarter", () => {
  for (const bytes of [257, 1000, 4096, 4097, 5000, 65537, 1e6, 123456789, 2 ** 31 - 5, 2 ** 33]) {
    expect(sizeClass(bytes)).toBeGreaterThanOrEqual(bytes);
    if (bytes > 4096) expect(sizeClass(bytes)).toBeLessThanOrEqual(bytes * 1.25);
    expect(sizeClass(sizeClass(bytes))).toBe(sizeClass(bytes));
  }
});
