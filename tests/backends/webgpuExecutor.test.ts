/** Programs on a WebGPU device: order, batches, memory, reading, control flow. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Program } from "../../src/compiler/program.ts";
import { Aval } from "../../src/core/aval.ts";
import { DeviceError } from "../../src/core/problem.ts";
import { f32, minus, plus, times } from "../../src/core/scalar.ts";
import { noSource } from "../../src/core/source.ts";
import { requestWebgpu } from "../../src/backends/webgpu/acquire.ts";
import { type GpuBuffer, WebgpuExecutor } from "../../src/backends/webgpu/executor.ts";
import {
  Builder,
  below,
  doubling,
  elementwise,
  host,
  noCallbacks,
  oneKernel,
  toIndex,
  vector,
} from "../support/gpuPrograms.ts";
import { nodeGpu } from "../support/webgpu.ts";

let gpu: WebgpuExecutor;
const failures: DeviceError[] = [];
beforeAll(async () => {
  const acquired = await requestWebgpu(nodeGpu())();
  if (acquired._tag === "Left") throw new Error(JSON.stringify(acquired.left));
  gpu = new WebgpuExecutor(acquired.right, { host: noCallbacks, onFailure: (f) => failures.push(f) });
});
afterAll(() => gpu.destroy());

let before = { ...({} as WebgpuExecutor["counts"]) };
beforeEach(() => (before = gpu.counts));
const since = (what: keyof WebgpuExecutor["counts"]): number => gpu.counts[what] - before[what];

const values = async (x: GpuBuffer): Promise<number[]> => Array.from((await gpu.read(x)).data);
const first = ([x]: readonly GpuBuffer[]): GpuBuffer => x!;
const macrotask = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));
const addOne = (n: number): Program => oneKernel(n, 1, ([x]) => plus(x!, f32(1)));

describe("values", () => {
  test("of every dtype go to the device and come back", async () => {
    const arrays = [
      host([1, 0, 1], [3], "bool"),
      host([-128, 127, 5], [3], "int8"),
      host([-32768, 7], [2], "int16"),
      host([-2147483648, 7], [2], "int32"),
      host([255, 7], [2], "uint8"),
      host([65535, 7], [2], "uint16"),
      host([4294967295, 7], [2], "uint32"),
      host([0.5, -0, Infinity, 65504], [4], "float16"),
      host([0.5, NaN], [2], "bfloat16"),
      host([0.1, NaN, -0, Infinity], [2, 2], "float32"),
      host([1, 2, 3, 4], [2], "complex64"),
      host([4294967295, 1], [1], "key<fry>"),
      host([], [0, 3]),
      host([42], []),
    ];
    const buffers = arrays.map((x) => gpu.put(x));
    expect(await Promise.all(buffers.map((b) => gpu.read(b)))).toEqual(arrays);
    buffers.forEach((b) => gpu.release(b));
    expect(() => gpu.put(host([1], [1], "float64"))).toThrow(/WebGPU has no float64/);
  });

  test("reading synchronously is an error that says what to write", () => {
    expect(() => gpu.readSync()).toThrow(DeviceError);
    expect(() => gpu.readSync()).toThrow(/await x\.data\(\)/);
  });

  test("are read in one go when they are asked for in one go", async () => {
    const program = gpu.load(addOne(10));
    const x = gpu.put(host(Array(10).fill(1)));
    const ys = Array.from({ length: 20 }, () => first(gpu.run(program, [x])));
    await Promise.all(ys.map((y) => gpu.read(y)));
    before = gpu.counts;
    const again = Array.from({ length: 20 }, () => first(gpu.run(program, [x])));
    for (const y of await Promise.all(again.map(values))) expect(y[9]).toBe(2);
    expect([since("submits"), since("waits"), since("dispatches")]).toEqual([1, 1, 20]);
    [x, ...ys, ...again].forEach((b) => gpu.release(b));
  });
});

describe("the queue", () => {
  test("runs programs in order without waiting, in batches", async () => {
    const program = gpu.load(addOne(100));
    const start = gpu.put(host(Array(100).fill(0)));
    // The driver's verdict on a new kernel takes a moment, and its first use stands alone.
    await values(first(gpu.run(program, [start])));
    before = gpu.counts;
    let x = start;
    for (let i = 0; i < 1000; i++) {
      const y = first(gpu.run(program, [x]));
      if (x !== start) gpu.release(x);
      x = y;
    }
    expect(since("waits")).toBe(0);
    expect((await values(x))[99]).toBe(1000);
    expect(since("submits")).toBeLessThanOrEqual(9);
    expect(since("waits")).toBe(1);
    gpu.release(x);
    gpu.release(start);
  });

  test("submits at the end of the macrotask what nobody reads", async () => {
    const program = gpu.load(addOne(4));
    const x = gpu.put(host([1, 2, 3, 4]));
    await values(first(gpu.run(program, [x])));
    before = gpu.counts;
    const y = first(gpu.run(program, [x]));
    expect(since("submits")).toBe(0);
    await macrotask();
    expect(since("submits")).toBe(1);
    expect(await values(y)).toEqual([2, 3, 4, 5]);
  });

  test("keeps values apart when storage is reused at once", async () => {
    const program = gpu.load(addOne(64));
    const results: Promise<number[]>[] = [];
    for (let i = 0; i < 50; i++) {
      const x = gpu.put(host(Array(64).fill(i)));
      const y = first(gpu.run(program, [x]));
      gpu.release(x);
      results.push(values(y));
      gpu.release(y);
    }
    (await Promise.all(results)).forEach((v, i) => expect(v).toEqual(Array(64).fill(i + 1)));
  });

  test("makes one pipeline of equal kernels", async () => {
    const [p, q] = [
      gpu.load(oneKernel(8, 1, ([x]) => times(x!, f32(3)))),
      gpu.load(oneKernel(8, 1, ([x]) => times(x!, f32(3)))),
    ];
    const x = gpu.put(host(Array(8).fill(2)));
    expect(await values(first(gpu.run(p, [x])))).toEqual(await values(first(gpu.run(q, [x]))));
    expect(since("pipelines")).toBe(1);
  });
});

describe("bindings", () => {
  test("an operand given twice", async () => {
    const program = gpu.load(oneKernel(5, 2, ([x, y]) => times(x!, y!)));
    const x = gpu.put(host([1, 2, 3, 4, 5]));
    expect(await values(first(gpu.run(program, [x, x])))).toEqual([1, 4, 9, 16, 25]);
    const y = gpu.put(host([2, 2, 2, 2, 2]));
    expect(await values(first(gpu.run(program, [x, y])))).toEqual([2, 4, 6, 8, 10]);
  });

  test("operands and results in one arena, and results in the place of operands", async () => {
    const b = new Builder([vector(70)]);
    const [t, u, out] = [b.temporary(vector(70)), b.temporary(vector(70)), b.output(vector(70))];
    const three = b.constant(host(Array(70).fill(3)));
    b.launch(
      elementwise(70, 2, ([x, y]) => plus(x!, y!)),
      [0, three, t],
    );
    b.launch(
      elementwise(70, 2, ([x, y]) => times(x!, y!)),
      [t, t, u],
    );
    b.launch(
      elementwise(70, 2, ([x, y]) => minus(x!, y!)),
      [u, t, u],
    );
    b.step({ kind: "copy", from: u, to: t });
    b.launch(
      elementwise(70, 2, ([x, y]) => plus(x!, y!)),
      [t, 0, out],
    );
    const x = gpu.put(host(Array.from({ length: 70 }, (_, i) => i)));
    const program = gpu.load(b.program());
    const want = Array.from({ length: 70 }, (_, i) => (i + 3) ** 2 - (i + 3) + i);
    for (let i = 0; i < 3; i++) expect(await values(first(gpu.run(program, [x])))).toEqual(want);
  });

  test("a donated input's storage becomes the result's", async () => {
    const b = new Builder([vector(6), vector(6)]);
    b.launch(
      elementwise(6, 2, ([x, y]) => plus(x!, times(y!, f32(10)))),
      [0, 1, b.output(vector(6))],
    );
    const program = gpu.load(b.program(new Map([[0, 0]])));
    const [x, y] = [gpu.put(host([1, 2, 3, 4, 5, 6])), gpu.put(host([6, 5, 4, 3, 2, 1]))];
    const { storage } = x;
    const z = first(gpu.run(program, [x, y], new Set([0])));
    expect(z.storage).toBe(storage);
    expect(x.storage).toBeNull();
    expect(await values(z)).toEqual([61, 52, 43, 34, 25, 16]);
    await expect(values(x)).rejects.toThrow(/released/);
    // Given twice, it cannot be overwritten.
    const w = first(gpu.run(program, [z, z], new Set([0])));
    expect(await values(w)).toEqual([671, 572, 473, 374, 275, 176]);
    expect(z.storage).toBeNull();
  });

  test("arrays without elements", async () => {
    const b = new Builder([vector(0), vector(3)]);
    const [none, out] = [b.output(vector(0)), b.output(vector(3))];
    b.launch(
      elementwise(0, 1, ([x]) => x!),
      [0, none],
    );
    b.launch(
      elementwise(3, 1, ([x]) => plus(x!, f32(1))),
      [1, out],
    );
    b.step({ kind: "copy", from: 0, to: none });
    const outs = gpu.run(gpu.load(b.program()), [gpu.put(host([])), gpu.put(host([1, 2, 3]))]);
    expect(await Promise.all(outs.map(values))).toEqual([[], [2, 3, 4]]);
  });
});

describe("memory", () => {
  test("goes back to where it was", async () => {
    const { liveBytes } = gpu.memory;
    const program = gpu.load(oneKernel(1000, 2, ([x, y]) => plus(x!, y!)));
    for (let i = 0; i < 100; i++) {
      const x = gpu.put(host(Array(1000).fill(i)));
      const y = first(gpu.run(program, [x, x]));
      if (i % 10 === 0) expect((await values(y))[0]).toBe(2 * i);
      gpu.release(x);
      gpu.release(y);
      gpu.release(y);
    }
    gpu.unload(program);
    expect(gpu.memory.liveBytes).toBe(liveBytes);
    gpu.trim();
    expect(gpu.memory.pooledBytes).toBe(0);
  });

  test("that the device cannot have is an error at once", () => {
    const program = gpu.load(addOne(1));
    expect(() =>
      gpu.run({ ...program, program: { ...program.program, outputs: [new Aval([2 ** 40], "float32")] } }, [
        gpu.put(host([1])),
      ]),
    ).toThrow(/cannot be allocated/);
  });
});

/** carry, rows → carry + row, 10 · row + carry; rows of n elements. */
function sums(n: number, length: number, reverse = false): Program {
  const kernels: Builder["kernels"] = [];
  const body = new Builder([vector(n), vector(n)], kernels);
  body.launch(
    elementwise(n, 2, ([c, x]) => plus(c!, x!)),
    [0, 1, body.output(vector(n))],
  );
  body.launch(
    elementwise(n, 2, ([c, x]) => plus(times(x!, f32(10)), c!)),
    [0, 1, body.output(vector(n))],
  );
  const b = new Builder([vector(n), new Aval([length, n], "float32")], kernels);
  const [c0, c1] = [b.temporary(vector(n)), b.temporary(vector(n))];
  const [out, rows] = [b.output(vector(n)), b.output(new Aval([length, n], "float32"))];
  b.step({ kind: "copy", from: 0, to: c0 });
  b.step({
    kind: "scan",
    body: b.call(body.program(), [], []),
    consts: 0,
    carries: [[c0], [c1]],
    results: [out],
    slicesIn: [1],
    slicesOut: [rows],
    length,
    reverse,
  });
  return b.program();
}
function sumsOnHost(n: number, length: number, reverse: boolean, start: number[], xs: number[]): number[][] {
  let carry = start;
  const rows = new Array<number>(n * length);
  for (let i = 0; i < length; i++) {
    const row = reverse ? length - 1 - i : i;
    for (let k = 0; k < n; k++) rows[row * n + k] = 10 * xs[row * n + k]! + carry[k]!;
    carry = carry.map((c, k) => c + xs[row * n + k]!);
  }
  return [carry, rows];
}

describe("control flow", () => {
  test("a loop whose end only the device knows; the caller does not wait", async () => {
    const [program, one] = [gpu.load(doubling(3, 1000)), gpu.load(addOne(3))];
    const c = gpu.put(host([1, 1, 1]));
    const x = gpu.put(host([1, 5, 7]));
    const y = first(gpu.run(program, [c, x]));
    const z = first(gpu.run(one, [y]));
    // Enqueued behind the loop, and given away before it has run.
    gpu.release(x);
    gpu.release(y);
    const w = gpu.put(host([9, 9, 9]));
    expect(since("waits")).toBe(0);
    const round = (v: number): number => {
      let [a, n] = [1, v];
      while (a < 1000) [a, n] = [2 * a + 1, 2 * n + 1];
      return n + 1;
    };
    expect(await values(z)).toEqual([1, 5, 7].map(round));
    expect(await values(w)).toEqual([9, 9, 9]);
  });

  test("a loop that goes round never, once, twice", async () => {
    for (const limit of [0, 2, 4, 100]) {
      const x = gpu.put(host([1]));
      const y = first(gpu.run(gpu.load(doubling(1, limit)), [gpu.put(host([1])), x]));
      let n = 1;
      while (n < limit) n = 2 * n + 1;
      expect(await values(y)).toEqual([n]);
    }
  });

  test("a branch chosen on the device", async () => {
    const kernels: Builder["kernels"] = [];
    const branch = (by: number): Program => {
      const b = new Builder([vector(2)], kernels);
      b.launch(
        elementwise(2, 1, ([x]) => times(x!, f32(by))),
        [0, b.output(vector(2))],
      );
      return b.program();
    };
    const b = new Builder([vector(1), vector(2)], kernels);
    const [index, out] = [b.temporary(vector(1, "int32")), b.output(vector(2))];
    b.launch(toIndex(), [0, index]);
    b.step({ kind: "cond", index, branches: [10, 100, 1000].map((by) => b.call(branch(by), [1], [out])) });
    const program = gpu.load(b.program());
    const x = gpu.put(host([1, 2]));
    for (const [i, by] of [
      [0, 10],
      [1, 100],
      [2, 1000],
      [7, 1000],
      [-3, 10],
    ] as const)
      expect(await values(first(gpu.run(program, [gpu.put(host([i])), x])))).toEqual([by, 2 * by]);
  });

  for (const [n, length] of [
    [64, 5],
    [3, 7],
    [100, 1],
    [5, 0],
    [64, 300],
  ] as const)
    for (const reverse of [false, true])
      test(`a scan over ${length} rows of ${n}${reverse ? ", from the end" : ""}`, async () => {
        const start = Array.from({ length: n }, (_, i) => i);
        const xs = Array.from({ length: n * length }, (_, i) => (i * 7) % 5);
        const program = gpu.load(sums(n, length, reverse));
        const inputs = [gpu.put(host(start)), gpu.put(host(xs, [length, n]))];
        before = gpu.counts;
        const outs = gpu.run(program, inputs);
        expect(since("waits")).toBe(0);
        expect(since("dispatches")).toBe(2 * length);
        // Rows of 64 words can be bound where they lie; others are copied there and back.
        expect(since("copies")).toBe(2 + (n % 64 === 0 ? 0 : 2 * length));
        expect(await Promise.all(outs.map(values))).toEqual(sumsOnHost(n, length, reverse, start, xs));
      });

  test("a scan in a loop in a program, and the next run of it", async () => {
    const kernels: Builder["kernels"] = [];
    const inner = sums(3, 4);
    kernels.push(...inner.kernels);
    const predicate = new Builder([vector(3)], kernels);
    predicate.launch(below(3, 50), [0, predicate.output(vector(1, "bool"))]);
    const body = new Builder([new Aval([4, 3], "float32"), vector(3)], kernels);
    const scan = inner.steps[1]!;
    if (scan.kind !== "scan") throw new Error("no scan");
    const [c0, c1, rows] = [
      body.temporary(vector(3)),
      body.temporary(vector(3)),
      body.temporary(new Aval([4, 3], "float32")),
    ];
    body.step({ kind: "copy", from: 1, to: c0 });
    const call = body.call(scan.body.program, [], []);
    body.step({
      ...scan,
      body: call,
      carries: [[c0], [c1]],
      slicesIn: [0],
      slicesOut: [rows],
      results: [body.output(vector(3))],
    });
    const b = new Builder([new Aval([4, 3], "float32"), vector(3)], kernels);
    const [flag, x0, x1, out] = [
      b.temporary(vector(1, "bool")),
      b.temporary(vector(3)),
      b.temporary(vector(3)),
      b.output(vector(3)),
    ];
    b.step({ kind: "copy", from: 1, to: x0 });
    b.step({
      kind: "while",
      predicate: b.call(predicate.program(), [], [flag]),
      flag,
      body: b.call(body.program(), [0], []),
      predicateConsts: 0,
      bodyConsts: 1,
      carries: [[x0], [x1]],
      results: [out],
    });
    const program = gpu.load(b.program());
    const xs = gpu.put(
      host(
        Array.from({ length: 12 }, (_, i) => i + 1),
        [4, 3],
      ),
    );
    // Each time round adds the sums of the columns: 22, 26, 30.
    for (const start of [0, 1, 60]) {
      const times = start < 50 ? Math.ceil((50 - start) / 22) : 0;
      const y = first(gpu.run(program, [xs, gpu.put(host([start, start, start]))]));
      expect(await values(y)).toEqual([22, 26, 30].map((s) => start + times * s));
    }
  });

  test("calls of the host see and give values in order", async () => {
    const seen: number[][] = [];
    const b = new Builder([vector(3)]);
    const [t, u, out] = [b.temporary(vector(3)), b.temporary(vector(3)), b.output(vector(3))];
    b.launch(
      elementwise(3, 1, ([x]) => plus(x!, f32(1))),
      [0, t],
    );
    b.step({
      kind: "host",
      call: ([x]) => {
        seen.push(Array.from(x!.data));
        return [host(Array.from(x!.data, (v) => v * v))];
      },
      inputs: [t],
      outputs: [u],
      source: noSource,
    });
    b.launch(
      elementwise(3, 1, ([x]) => plus(x!, f32(0.5))),
      [u, out],
    );
    const program = gpu.load(b.program());
    const ys = [1, 2, 3].map((v) => first(gpu.run(program, [gpu.put(host([v, 0, 0]))])));
    expect(seen).toEqual([]);
    expect(await Promise.all(ys.map(values))).toEqual([
      [4.5, 1.5, 1.5],
      [9.5, 1.5, 1.5],
      [16.5, 1.5, 1.5],
    ]);
    expect(seen).toEqual([
      [2, 1, 1],
      [3, 1, 1],
      [4, 1, 1],
    ]);
  });
});

test("nothing failed", () => expect(failures).toEqual([]));
