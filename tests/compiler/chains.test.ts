import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type NDArray, defaultDevice, grad, jit, lax, nn, numpy as np, random } from "../../src/index.ts";
import type { CostAnalysis } from "../../src/core/evaluator.ts";
import { holds } from "../properties.ts";
import { distance } from "../support/arrays.ts";
import { byReference, compiled } from "../support/compiling.ts";
import { gpuTarget, gpuTargets } from "../support/gpuTarget.ts";

const attention = (q: NDArray, k: NDArray, v: NDArray): NDArray => {
  const scores = np.einsum("bhqd,bhkd->bhqk", q, k).mul(0.5);
  const [rows, columns] = scores.shape.slice(-2);
  const seen = np.tril(np.ones([rows!, columns!]));
  return np.einsum("bhqk,bhkd->bhqd", nn.softmax(np.where(seen, scores, -1e9)), v);
};

/** What jit gives on the compiled device, and the largest difference from the reference, which runs it eagerly. */
function differenceFromReference(f: (...xs: NDArray[]) => NDArray, xs: readonly NDArray[]): number {
  defaultDevice("wasm");
  const compiled = jit(f)(...xs);
  defaultDevice("cpu");
  try {
    return Math.max(
      0,
      ...(np
        .abs(f(...xs).sub(compiled))
        .ravel()
        .js() as number[]),
    );
  } finally {
    defaultDevice("wasm");
  }
}
const normal = (seed: number, shape: readonly number[]): NDArray => random.normal(random.key(seed), [...shape]);

describe("attention", () => {
  const [b, h, q, k, d] = [2, 3, 40, 50, 8];
  const operands = [normal(0, [b, h, q, d]), normal(1, [b, h, k, d]), normal(2, [b, h, k, d])] as const;

  test("is one kernel that moves operands and result, and no scores", () => {
    const { kernels, bytes } = jit(attention)
      .lower(...operands)
      .costAnalysis();
    expect(kernels).toBe(1);
    expect(bytes).toBe(4 * b * h * d * (2 * q + 2 * k));
    expect(
      jit(attention)
        .lower(...operands)
        .memoryAnalysis().temporaryBytes,
    ).toBe(0);
  });

  test("so is dotProductAttention, whose heads come after positions", () => {
    const xs = [0, 1, 2].map((i) => normal(i, [2, 33, 4, 16])) as [NDArray, NDArray, NDArray];
    const f = (...[x, y, z]: NDArray[]): NDArray => nn.dotProductAttention(x!, y!, z!);
    expect(
      jit(f)
        .lower(...xs)
        .costAnalysis().kernels,
    ).toBeLessThanOrEqual(4);
    expect(differenceFromReference(f, xs)).toBeLessThan(1e-5);
  });

  test("agrees with the reference for all lengths, blocks that are left over included", () =>
    holds(
      12,
      [
        fc.constantFrom([1, 1], [1, 2], [3, 1], [2, 2]),
        fc.constantFrom(1, 2, 7, 64, 65, 130),
        fc.constantFrom(1, 3, 17, 64, 130),
        fc.constantFrom(1, 5, 16),
      ],
      ([b, h], q, k, d) => {
        const xs = [normal(0, [b, h, q, d]), normal(1, [b, h, k, d]), normal(2, [b, h, k, d])];
        expect(differenceFromReference((...[x, y, z]) => attention(x!, y!, z!), xs)).toBeLessThan(2e-5);
      },
    ));

  test("rows too long for a block of several are taken a few at a time", () => {
    const xs = [normal(0, [1, 1, 9, 4]), normal(1, [1, 1, 20_000, 4]), normal(2, [1, 1, 20_000, 4])];
    expect(differenceFromReference((...[x, y, z]) => attention(x!, y!, z!), xs)).toBeLessThan(2e-5);
  });
});

describe("attention on workgroups", () => {
  const [b, h, q, k, d] = [2, 3, 40, 300, 8];
  const operands = [normal(0, [b, h, q, d]), normal(1, [b, h, k, d]), normal(2, [b, h, k, d])] as const;
  const operandsAndResult = 4 * b * h * d * (2 * q + 2 * k);

  test.each(Object.entries(gpuTargets))("is one kernel that moves operands and result: %s", (_, target) => {
    const { cost, memory, plan } = compiled(attention, operands, { target });
    expect(cost).toMatchObject({ kernels: 1, bytes: operandsAndResult });
    expect(memory.temporaryBytes).toBe(0);
    expect(plan.steps.map((s) => s.kind)).toEqual(["chain"]);
  });
  test("for any number of keys, within the least shared memory", () => {
    const target = { ...gpuTarget, maxBuffers: 8, maxSharedBytes: 2 ** 14 };
    const f = (x: NDArray, y: NDArray, z: NDArray): NDArray => nn.dotProductAttention(x, y, z);
    const costOf = (queries: number, keys: number, size: number): CostAnalysis =>
      compiled(f, [np.zeros([1, queries, 1, size]), np.zeros([1, keys, 1, size]), np.zeros([1, keys, 1, size])], { target }).cost; // prettier-ignore
    expect(costOf(1024, 4096, 64)).toMatchObject({ kernels: 1, bytes: 4 * 64 * (2 * 1024 + 2 * 4096) });
    // Few queries: parts of the keys, and a kernel that puts together what they found.
    for (const [queries, keys, size] of [
      [16, 4096, 64],
      [1, 100_000, 128],
    ] as const) {
      const { kernels, bytes } = costOf(queries, keys, size);
      expect(kernels).toBe(2);
      expect(bytes).toBeLessThan(1.1 * 4 * size * (2 * queries + 2 * keys));
    }
  });
  test("a mask and a bias are operands like others", () => {
    const f = (x: NDArray, y: NDArray, z: NDArray, mask: NDArray, bias: NDArray): NDArray =>
      nn.dotProductAttention(x, y, z, { mask, bias });
    const xs = [0, 1, 2].map(() => np.zeros([2, 40, 3, 8]));
    const [mask, bias] = [np.ones([1, 1, 40, 40], { dtype: "bool" }), np.zeros([1, 3, 40, 40])];
    const { cost } = compiled(f, [...xs, mask, bias], { target: gpuTarget });
    expect(cost).toMatchObject({ kernels: 1, bytes: 4 * (4 * 2 * 40 * 3 * 8 + 40 * 40 + 3 * 40 * 40) });
  });
  test("in a layer, projections around it are kernels of their own", () => {
    const layer = (x: NDArray, w: NDArray, o: NDArray): NDArray => {
      const heads = np.matmul(x, w).reshape(2, 30, 3, 4, 8);
      const [y, z, v] = [0, 1, 2].map((i) => lax.sliceInDim(heads, i, i + 1, { axis: 2 }).reshape(2, 30, 4, 8));
      return x.add(np.matmul(nn.dotProductAttention(y!, z!, v!, { isCausal: true }).reshape(2, 30, 32), o));
    };
    const xs = [np.zeros([2, 30, 32]), np.zeros([32, 96]), np.zeros([32, 32])];
    expect(compiled(layer, xs, { target: gpuTarget }).cost.kernels).toBe(3);
  });
  test("a gradient keeps the weights that it needs", () => {
    const loss = (...[x, y, z]: NDArray[]): NDArray => np.sum(np.sin(nn.dotProductAttention(x!, y!, z!)));
    const xs = [0, 1, 2].map((i) => normal(i, [1, 12, 2, 4]));
    const f = grad(loss, { argnums: [0, 1, 2] });
    const [found, wanted] = [compiled(f, xs, { target: gpuTarget }).run(), byReference(f, xs)];
    found.forEach((y, i) => expect(distance(y, wanted[i]!, 1e-5)).toBeNull());
  });
});

describe("what looks like attention", () => {
  const x = normal(0, [12, 20]);

  test("weights that are results too are stored", () => {
    const f = (y: NDArray): [NDArray, NDArray] => {
      const weights = nn.softmax(np.matmul(y, y.T));
      return [weights, np.matmul(weights, y)];
    };
    expect(jit(f).lower(x).costAnalysis().kernels).toBe(3);
    expect(differenceFromReference((y) => f(y)[1], [x])).toBeLessThan(1e-5);
  });

  test("weights normalised along the other axis are right", () => {
    const f = (...[y]: NDArray[]): NDArray => np.matmul(nn.softmax(np.matmul(y!, y!.T), 0), y!);
    expect(differenceFromReference(f, [x])).toBeLessThan(1e-5);
  });

  test("weights that are turned around are right", () => {
    const f = (...[y]: NDArray[]): NDArray => np.matmul(nn.softmax(np.matmul(y!, y!.T)).T, y!);
    expect(differenceFromReference(f, [x])).toBeLessThan(1e-5);
  });

  test("any other sequence of row operations is a chain as well", () => {
    const f = (...[y]: NDArray[]): NDArray => {
      const s = np.matmul(y!, y!.T);
      const centered = s.sub(np.mean(s, 1, { keepdims: true }));
      return np.matmul(centered.div(np.sqrt(np.mean(np.square(centered), 1, { keepdims: true }))), y!);
    };
    expect(jit(f).lower(x).costAnalysis().kernels).toBe(1);
    expect(differenceFromReference(f, [x])).toBeLessThan(1e-4);
  });
});
