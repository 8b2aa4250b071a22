/** Attention on the WebGPU device: one kernel, the reference's numbers, and its gradient. */
import { beforeAll, describe, expect, test } from "vitest";
import { type NDArray, debug, grad, init, jit, nn, numpy as np, random } from "../../src/index.ts";
import { evaluator } from "../../src/core/evaluator.ts";
import type { HostArray } from "../../src/core/hostArray.ts";
import { flatten } from "../../src/core/tree.ts";
import { distance, host } from "../support/arrays.ts";
import { onDevice } from "../support/devices.ts";

beforeAll(async () => {
  await init("webgpu");
});

type F = (...xs: NDArray[]) => unknown;
const leaves = (x: unknown): NDArray[] => flatten(x)[0] as NDArray[];
const read = async (xs: readonly NDArray[]): Promise<HostArray[]> =>
  Promise.all(xs.map((x) => evaluator().read(x.concrete()!)));
const normal = (seed: number, ...shape: number[]): NDArray =>
  onDevice("wasm", () => random.normal(random.key(seed), shape));

/** The number of kernels of a function that gives the reference's numbers. */
async function kernelsOf(f: F, args: readonly NDArray[], tolerance = 2e-5): Promise<number> {
  const wanted = onDevice("cpu", () => leaves(f(...args)).map(host));
  const compiled = jit(f);
  const found = await read(leaves(compiled(...args)));
  expect(found.length).toBe(wanted.length);
  found.forEach((y, i) => {
    const d = distance(y, wanted[i]!, tolerance);
    if (d) expect.fail(`result ${i}: ${d}`);
  });
  return compiled.lower(...args).costAnalysis().kernels;
}

const einsum =
  (mask: (scores: NDArray) => NDArray): F =>
  (q, k, v) => {
    const scores = np.einsum("bhqd,bhkd->bhqk", q, k).mul(0.5);
    return np.einsum("bhqk,bhkd->bhqd", nn.softmax(mask(scores)), v);
  };
const causal = (value: number): F => einsum((s) => np.where(np.tril(np.ones(s.shape.slice(-2)), { k: -1 }), s, value));

describe("attention", () => {
  const forms: Readonly<Record<string, readonly [f: F, kv: number, d: number]>> = {
    "without a mask": [einsum((s) => s), 70, 64],
    causal: [causal(-1e9), 45, 16],
    "causal, with a row of -inf": [causal(-Infinity), 45, 16],
    "a prime number of keys": [einsum((s) => s), 131, 5],
  };
  test.each(Object.entries(forms))("%s", async (_, [f, kv, d]) => {
    const args = [normal(1, 2, 3, 45, d), normal(2, 2, 3, kv, d), normal(3, 2, 3, kv, d)];
    expect(await kernelsOf(f, args)).toBe(1);
  });
  test("nn.dotProductAttention, causal with grouped heads", async () => {
    const args = [normal(1, 2, 33, 4, 16), normal(2, 2, 33, 2, 16), normal(3, 2, 33, 2, 16)];
    expect(await kernelsOf((q, k, v) => nn.dotProductAttention(q, k, v, { isCausal: true }), args)).toBe(1);
  });
  test("of few queries and many keys", async () => {
    const args = [normal(1, 1, 1, 3, 8), normal(2, 1, 1, 5000, 8), normal(3, 1, 1, 5000, 8)];
    const scaled = einsum((s) => s.mul(3));
    expect(await kernelsOf(scaled, args)).toBe(2);
  });
  test("explained: no stage changes a value", async () => {
    const args = [normal(1, 1, 2, 20, 4), normal(2, 1, 2, 30, 4), normal(3, 1, 2, 30, 4)];
    const found = await debug.explain(causal(-1e9), ...args);
    expect([found.device, found.firstWrong]).toEqual(["webgpu", null]);
  });
  test("its gradient", async () => {
    const loss = (q: NDArray, k: NDArray, v: NDArray): NDArray =>
      np.sum(np.sin(nn.dotProductAttention(q, k, v, { isCausal: true })));
    const args = [normal(1, 1, 20, 2, 8), normal(2, 1, 20, 2, 8), normal(3, 1, 20, 2, 8)];
    await kernelsOf(grad(loss, { argnums: [0, 1, 2] }), args);
  });
});
