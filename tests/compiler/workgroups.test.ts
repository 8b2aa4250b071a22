/** Schedules for workgroups, evaluated without a GPU: the reference's numbers, within the limits of the target. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type LoopNest, visitStmts } from "../../src/compiler/loopNest/loopNest.ts";
import type { Target } from "../../src/compiler/target.ts";
import type { DType } from "../../src/core/dtype.ts";
import { type HostArray, allocate, lanesOf } from "../../src/core/hostArray.ts";
import type { NDArray } from "../../src/core/ndarray.ts";
import { storageBytes } from "../../src/core/scalar.ts";
import { holds } from "../properties.ts";
import { distance, fromHost } from "../support/arrays.ts";
import * as lax from "../../src/lax/index.ts";
import * as np from "../../src/numpy/index.ts";
import { byReference, compiled } from "../support/compiling.ts";
import { gpuTargets } from "../support/gpuTarget.ts";
import { type Kernel, kernels } from "../support/kernels.ts";

function same(what: string, found: readonly HostArray[], wanted: readonly HostArray[], tolerance: number): void {
  expect(found.length).toBe(wanted.length);
  found.forEach((y, i) => {
    const d = distance(y, wanted[i]!, tolerance);
    if (d) expect.fail(`${what}, result ${i}: ${d}\n  found  ${y.data.join()}\n  wanted ${wanted[i]!.data.join()}`);
  });
}

interface Use {
  readonly threads: number;
  readonly blocks: number;
  readonly sharedBytes: number;
}
function useOf({ body, scratch }: LoopNest): Use {
  let [threads, blocks] = [1, 1];
  visitStmts(body, (s) => {
    if (s.kind !== "for") return;
    if (s.loop === "thread") threads = s.variable.extent;
    if (s.loop === "block") blocks *= s.variable.extent;
  });
  const shared = scratch.filter((b) => b.space === "shared");
  return { threads, blocks, sharedBytes: shared.reduce((n, b) => n + b.length * storageBytes[b.storage], 0) };
}
function withinLimits(nests: readonly LoopNest[], target: Target): void {
  for (const nest of nests) {
    const { threads, sharedBytes } = useOf(nest);
    expect(threads, nest.name).toBeLessThanOrEqual(target.maxThreads);
    expect(sharedBytes, nest.name).toBeLessThanOrEqual(target.maxSharedBytes);
  }
}

describe("in order", () => {
  const numbers = (shape: number[]): NDArray => {
    const data = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => ((i * 37) % 64) / 32 - 1);
    return fromHost({ shape, dtype: "float32", data });
  };
  const scans: Readonly<Record<string, (x: NDArray) => NDArray>> = {
    sums: (x) => lax.cumsum(x, { axis: x.ndim - 1 }),
    "sums from the end": (x) => lax.cumsum(lax.mul(x, 0.5), { axis: x.ndim - 1, reverse: true }),
    maxima: (x) => lax.cummax(x, { axis: x.ndim - 1 }),
    "sums of exponentials": (x) => lax.cumlogsumexp(x, { axis: x.ndim - 1 }),
    "sums over the first axis": (x) => lax.cumsum(x, { axis: 0 }),
  };
  const shapes = [[3], [1023], [1500], [3, 1100], [300, 5]];
  test.each(Object.entries(scans))("scans: %s", (name, f) => {
    // Logarithms of sums take the evaluator long.
    for (const target of Object.values(gpuTargets).slice(name === "sums of exponentials" ? 2 : 0))
      for (const shape of shapes) {
        const args = [numbers(shape)];
        const c = compiled(f, args, { target });
        withinLimits(c.program.kernels, target);
        same(`${name} of ${shape.join()}`, c.run(), byReference(f, args), 2e-5);
        const [{ threads }] = c.program.kernels.map(useOf) as [Use];
        if (shape.length === 1 && shape[0]! > 1023) expect(threads).toBe(Math.min(256, target.maxThreads));
      }
  });
  test("scatters: a thread for every place that updates cannot share", () => {
    const f = (x: NDArray, rows: NDArray): NDArray => np.zeros([7, 100]).at(rows).add(x);
    const positions = Int32Array.from({ length: 40 }, (_, i) => (i * i) % 7);
    const args = [numbers([40, 100]), fromHost({ shape: [40], dtype: "int32", data: positions })];
    const c = compiled(f, args, { target: gpuTargets["usual"]! });
    same("scatter", c.run(), byReference(f, args), 1e-5);
    for (const k of c.program.kernels) expect(useOf(k).threads * useOf(k).blocks).toBeGreaterThanOrEqual(100);
  });
});

describe("few long rows", () => {
  const reductions: Readonly<Record<string, (x: NDArray) => NDArray>> = {
    sum: (x) => lax.reduceSum(lax.mul(x, x), [0, 1]),
    maximum: (x) => lax.reduceMax(x, [0, 1]),
    "sums of columns": (x) => lax.reduceSum(x, [0]),
    product: (x) => lax.reduceProd(lax.add(lax.mul(x, 1e-3), 1), [1, 0]),
    position: (x) => lax.argmax(lax.reshape(x, [x.size]), 0, "int32"),
  };
  const data = Float32Array.from({ length: 10000 * 3 }, (_, i) => ((i * 37) % 64) / 32 - 1);
  const args = [fromHost({ shape: [10000, 3], dtype: "float32", data })];
  test.each(Object.entries(reductions))("are reduced in parts: %s", (name, f) => {
    const c = compiled(f, args, { target: gpuTargets["usual"]! });
    same(name, c.run(), byReference(f, args), 1e-4);
    const blocks = Math.max(...c.program.kernels.map((k) => useOf(k).blocks));
    if (name === "sum" || name === "maximum" || name === "product") {
      expect(c.program.kernels.length).toBe(2);
      expect(blocks).toBeGreaterThanOrEqual(4);
    }
  });
});

describe("kernels over long axes", () => {
  const args = (k: Kernel): NDArray[] => k.inputs.map(fromHost);
  const targets = fc.constantFrom(...Object.values(gpuTargets));
  test.each(Object.entries(kernels))("%s", (_, { small, count }) =>
    holds(count, [small, targets], (k, target) => {
      const c = compiled(k.f, args(k), { target });
      withinLimits(c.program.kernels, target);
      same(k.title, c.run(), byReference(k.f, args(k)), k.tolerance);
    }),
  );
});

describe("products of every type that WebGPU has", () => {
  const types = ["float32", "float16", "bfloat16", "int32", "uint32", "int8", "uint16", "bool", "complex64"] as const;
  const [m, k, n] = [20, 30, 40];
  const operand = (dtype: DType, seed: number, ...shape: number[]): NDArray => {
    const lanes = lanesOf(dtype);
    const data = allocate(dtype, shape.reduce((a, b) => a * b, 1)); // prettier-ignore
    for (let i = 0; i < data.length; i++) data[i] = dtype === "bool" ? Number((i * i * seed) % 13 === 1) : ((i * 37 * seed) % 8) + (lanes - 1) * (i % 3); // prettier-ignore
    return fromHost({ shape, dtype, data });
  };
  test.each(types)("%s: tiles in shared memory", (dtype) => {
    const args = [operand(dtype, 3, m, k), operand(dtype, 5, k, n)];
    for (const target of Object.values(gpuTargets)) {
      const c = compiled((x: NDArray, y: NDArray) => np.matmul(x, y), args, { target });
      withinLimits(c.program.kernels, target);
      same(
        dtype,
        c.run(),
        byReference((x: NDArray, y: NDArray) => np.matmul(x, y), args),
        1e-5,
      );
      const steps = c.plan.steps.filter((s) => s.kind === "group" && s.group.kind === "contract");
      const tiled = c.program.kernels.filter((nest) => useOf(nest).sharedBytes > 0);
      expect(steps.length).toBeGreaterThan(0);
      expect(tiled.length).toBe(steps.length);
    }
  });
});
