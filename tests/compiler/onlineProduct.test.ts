/**
 * Attention in its online form on targets with workgroups: what is recognised, what is not, and the numbers, evaluated
 * without a GPU. Rows that are −∞ or hold NaN are what the program says.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { emitWgsl } from "../../src/backends/webgpu/wgsl.ts";
import { type LoopNest, visitStmts } from "../../src/compiler/loopNest/loopNest.ts";
import type { Target } from "../../src/compiler/target.ts";
import type { NDArray } from "../../src/core/ndarray.ts";
import { storageBytes } from "../../src/core/scalar.ts";
import * as lax from "../../src/lax/index.ts";
import * as nn from "../../src/nn/index.ts";
import * as np from "../../src/numpy/index.ts";
import * as random from "../../src/random/index.ts";
import { holds } from "../properties.ts";
import { distance } from "../support/arrays.ts";
import { type Compiled, byReference, compiled } from "../support/compiling.ts";
import { gpuTarget, gpuTargets } from "../support/gpuTarget.ts";
import { complaints } from "../support/webgpu.ts";

type F = (...xs: NDArray[]) => NDArray;

const normal = (seed: number, ...shape: number[]): NDArray => random.normal(random.key(seed), shape);

/** The kernels of a function on a target that give the reference's numbers. */
function check(f: F, args: readonly NDArray[], target: Target = gpuTarget, tolerance = 2e-5): Compiled {
  const c = compiled(f, args, { target });
  for (const k of c.program.kernels) withinLimits(k, target);
  const [found, wanted] = [c.run(), byReference(f, args)];
  const d = distance(found[0]!, wanted[0]!, tolerance);
  if (d) expect.fail(`${args.map((x) => x.shape.join("x")).join(" ")}: ${d}`);
  return c;
}
function withinLimits({ name, body, scratch }: LoopNest, { maxThreads, maxSharedBytes }: Target): void {
  visitStmts(body, (s) => {
    if (s.kind === "for" && s.loop === "thread") expect(s.variable.extent, name).toBeLessThanOrEqual(maxThreads);
  });
  const shared = scratch.filter((b) => b.space === "shared");
  const bytes = shared.reduce((n, b) => n + b.length * storageBytes[b.storage], 0);
  expect(bytes, name).toBeLessThanOrEqual(maxSharedBytes);
}
const kernelsOf = (f: F, args: readonly NDArray[], target?: Target): number => check(f, args, target).cost.kernels;

/** Text that Tint accepts, for a target that a device may be. */
async function checkText(f: F, args: readonly NDArray[], target: Target): Promise<void> {
  const { program } = compiled(f, args, { target: { ...target, importsMath: false } });
  for (const k of program.kernels) {
    const { code } = emitWgsl(k, { maxBlocks: target.maxBlocks });
    expect(await complaints(code), code).toEqual([]);
  }
}

/** Scores to scores, with further operands. */
type Mask = (scores: NDArray, ...more: NDArray[]) => NDArray;
const attention =
  (mask: Mask): F =>
  (q, k, v, ...more) => {
    const scores = np.einsum("bhqd,bhkd->bhqk", q, k).mul(0.5);
    return np.einsum("bhqk,bhkd->bhqd", nn.softmax(mask(scores, ...more)), v);
  };
const causal =
  (value: number): Mask =>
  (s) =>
    np.where(np.tril(np.ones(s.shape.slice(-2))), s, value);
/** By numbers in memory, some of whose rows hide every key. */
const hiding =
  (value: number): Mask =>
  (s, noise) =>
    np.where(np.greater(noise, 0.5), s, value);

const masks: Readonly<Record<string, { readonly mask: Mask; readonly operand?: (q: number, k: number) => NDArray }>> = {
  none: { mask: (s) => s },
  causal: { mask: causal(-1e9) },
  "causal, -inf": { mask: causal(-Infinity) },
  "from memory": { mask: hiding(-1e9), operand: (q, k) => normal(4, q, k) },
  "from memory, -inf": { mask: hiding(-Infinity), operand: (q, k) => normal(5, q, k) },
  bias: { mask: (s, bias) => s.add(bias), operand: (q, k) => normal(6, 1, 1, q, k) },
  "bias of keys": { mask: (s, bias) => s.add(bias), operand: (_, k) => normal(7, k) },
};

describe("attention", () => {
  const sizes = fc.record({
    heads: fc.constantFrom([1, 1], [2, 1], [1, 3]),
    q: fc.constantFrom(1, 2, 7, 16, 33, 40),
    k: fc.constantFrom(1, 2, 16, 31, 33, 65, 100),
    d: fc.constantFrom(1, 3, 8, 17, 64),
  });
  test.each(Object.entries(masks))("mask: %s", (_, { mask, operand }) =>
    holds(5, [sizes, fc.constantFrom(...Object.values(gpuTargets))], ({ heads: [b, h], q, k, d }, target) => {
      const more = operand ? [operand(q, k)] : [];
      const args = [normal(1, b, h, q, d), normal(2, b, h, k, d), normal(3, b, h, k, d), ...more];
      const { kernels } = check(attention(mask), args, target).cost;
      // Sums over one position are none.
      if (k > 1 && d > 1) expect(kernels).toBe(1);
    }),
  );

  const layouts: Readonly<Record<string, { readonly f: F; readonly heads?: number }>> = {
    plain: { f: (q, k, v) => nn.dotProductAttention(q, k, v) },
    causal: { f: (q, k, v) => nn.dotProductAttention(q, k, v, { isCausal: true }) },
    "grouped heads": { f: (q, k, v) => nn.dotProductAttention(q, k, v, { isCausal: true }), heads: 1 },
    window: { f: (q, k, v) => nn.dotProductAttention(q, k, v, { localWindowSize: [3, 2] }) },
    "lengths of sequences": {
      f: (q, k, v) =>
        nn.dotProductAttention(q, k, v, { querySeqLengths: np.array([3, 20]), keyValueSeqLengths: np.array([5, 34]) }), // prettier-ignore
    },
  };
  test.each(Object.entries(layouts))("nn.dotProductAttention: %s", (_, { f, heads = 2 }) => {
    const args = [normal(1, 2, 21, 2, 12), normal(2, 2, 35, heads, 12), normal(3, 2, 35, heads, 12)];
    expect(kernelsOf(f, args, gpuTargets["few threads"])).toBe(1);
  });
});

describe("few rows and many keys: parts of the keys, and a kernel that puts them together", () => {
  const forms: Readonly<Record<string, readonly [f: F, q: number, k: number]>> = {
    "one query": [attention((s) => s), 1, 1100],
    "a prime number of keys": [attention((s) => s), 5, 1301],
    "a part that sees nothing": [attention((s) => np.where(np.greater(np.arange(1500), 900), s, -Infinity)), 3, 1500],
    "rows that see nothing": [
      attention((s) => np.where(np.tril(np.ones([3, 1100]), { k: -1 }), s, -Infinity)),
      3,
      1100,
    ],
  };
  test.each(Object.entries(forms))("%s", (_, [f, q, k]) => {
    const args = [normal(1, 1, 2, q, 3), normal(2, 1, 2, k, 3), normal(3, 1, 2, k, 5)];
    const { cost, program } = check(f, args, gpuTargets["few threads"]);
    expect(cost.kernels).toBe(2);
    const least = 4 * args.reduce((n, x) => n + x.size, 2 * q * 5);
    expect(cost.bytes - least).toBeLessThan(least / 10);
    expect(program.steps.length).toBe(2);
  });
  test("reductions elsewhere are cut as before, those of attention are not", () => {
    const f = (x: NDArray, y: NDArray, z: NDArray): NDArray[] => [
      np.matmul(nn.softmax(np.matmul(x, y.T)), z),
      np.sum(np.square(y)),
    ];
    const args = [np.zeros([4, 3]), np.zeros([20000, 3]), np.zeros([20000, 3])];
    expect(compiled(f, args, { target: gpuTarget }).cost.kernels).toBe(4);
  });
});

describe("text", () => {
  // The null backend is asked for no more than the least that WebGPU promises.
  const least = { ...gpuTarget, maxBuffers: 8, maxSharedBytes: 2 ** 14 };
  const targets = { least, "few threads": { ...least, maxThreads: 64 }, "little memory": { ...least, maxSharedBytes: 2 ** 13 } }; // prettier-ignore
  test.each(Object.entries(targets))("of all sizes is valid: %s", async (_, target) => {
    for (const [n, d] of [
      [7, 3],
      [300, 32],
      [1000, 64],
      [500, 128],
      [64, 256],
    ] as const)
      // prettier-ignore
      for (const b of [1, 40]) {
        const args = [0, 1, 2].map(() => np.zeros([b, n, 2, d]));
        await checkText((q, k, v) => nn.dotProductAttention(q, k, v, { isCausal: true }), args, target);
      }
  });
});

describe("rows", () => {
  const f = attention((s) => s);
  const args = (change: (k: NDArray) => NDArray): NDArray[] =>
    [normal(1, 1, 1, 9, 4), change(normal(2, 1, 1, 40, 4)), normal(3, 1, 1, 40, 4)]; // prettier-ignore
  test.each([
    ["-inf in the first tile", attention((s) => np.where(np.greater(np.arange(40), 35), s, -Infinity))],
    ["+inf", attention((s) => np.where(np.equal(np.arange(40), 39), Infinity, s))],
    ["all -inf", attention((s) => np.where(np.greater(s, 1e9), s, -Infinity))],
    ["some NaN", attention((s) => np.where(np.greater(s, 1.5), NaN, s))],
    ["large", attention((s) => s.mul(1e4))],
    ["the least number", attention((s) => np.where(np.greater(s, 1e9), s, -3.4028234663852886e38))],
  ])("%s", (_, g) =>
    expect(
      kernelsOf(
        g,
        args((k) => k),
      ),
    ).toBe(1),
  );
  test("that are guarded by the program", () => {
    // A row without keys is 0.
    const guarded: F = (q, k, v) => {
      const s = np.where(np.tril(np.ones([9, 40]), { k: -1 }), np.einsum("qd,kd->qk", q, k), -Infinity);
      const most = np.max(s, -1, { keepdims: true });
      const p = np.exp(s.sub(np.where(np.isfinite(most), most, 0)));
      const sum = np.sum(p, -1, { keepdims: true });
      return np.matmul(p.div(np.where(np.equal(sum, 0), 1, sum)), v);
    };
    const flat = args((k) => k).map((x) => x.reshape(x.shape.slice(2)));
    expect(kernelsOf(guarded, flat)).toBe(1);
  });
  test("of values that are no numbers", () => {
    const [q, k, v] = args((x) => x) as [NDArray, NDArray, NDArray];
    expect(kernelsOf(f, [q, k, np.where(np.greater(v, 2), Infinity, v)])).toBe(1);
  });
});

describe("other forms with one pass", () => {
  const [q, k, v] = [normal(1, 20, 6), normal(2, 50, 6), normal(3, 50, 10)] as const;
  const scores = (x: NDArray, y: NDArray): NDArray => np.matmul(x, y.T);
  const forms: Readonly<Record<string, F>> = {
    "exponentials without a largest": (x, y, z) => {
      const p = np.exp(scores(x, y));
      return np.matmul(p.div(np.sum(p, -1, { keepdims: true })), z);
    },
    "exponentials of log softmax": (x, y, z) => np.matmul(np.exp(nn.logSoftmax(scores(x, y))), z),
    "factors of keys and rows": (x, y, z) => {
      const p = nn.softmax(scores(x, y)).mul(np.linspace(1, 2, { num: 50 }));
      return np.matmul(p.mul(np.linspace(1, 3, { num: 20 }).reshape(20, 1)), z);
    },
    "weights from memory, chosen by row": (x, y, z) => {
      const [ofRow, ofKey] = [x, y].map((a) => lax.sliceInDim(a, 0, 1, { axis: 1 })) as [NDArray, NDArray];
      return np.matmul(nn.softmax(scores(x, y)).mul(np.where(np.greater(ofRow, 0), ofKey.T, 2)), z);
    },
    "an epilogue": (x, y, z) => np.tanh(np.matmul(nn.softmax(scores(x, y)), z).add(1)),
    "a prologue of every operand": (x, y, z) => np.matmul(nn.softmax(scores(x.mul(2), np.square(y))), np.negative(z)),
    "columns of several axes": (x, y, z) => np.einsum("qk,kab->qab", nn.softmax(scores(x, y)), z.reshape(50, 5, 2)),
  };
  test.each(Object.entries(forms))("%s", (_, f) => {
    for (const target of Object.values(gpuTargets)) expect(kernelsOf(f, [q, k, v], target)).toBe(1);
  });
});

describe("what is not of the form", () => {
  const [q, k, v] = [normal(1, 20, 6), normal(2, 50, 6), normal(3, 50, 10)] as const;
  const weights = (x: NDArray, y: NDArray): NDArray => nn.softmax(np.matmul(x, y.T));
  const forms: Readonly<Record<string, F>> = {
    "weights that are no exponentials": (x, y, z) => {
      const s = np.matmul(x, y.T);
      return np.matmul(s.div(np.sum(np.abs(s), -1, { keepdims: true })), z);
    },
    "a function of the weights": (x, y, z) => np.matmul(np.sqrt(weights(x, y)), z),
    "weights that have the scores as a factor": (x, y, z) => {
      const s = np.matmul(x, y.T);
      return np.matmul(nn.softmax(s).mul(s), z);
    },
    "two exponentials": (x, y, z) => {
      const s = np.matmul(x, y.T);
      return np.matmul(np.exp(s).mul(np.exp(s.sub(np.max(s, -1, { keepdims: true })))), z);
    },
    "scores over other keys": (x, y, z) => np.matmul(nn.softmax(np.matmul(x, y.T), 0), z),
    "bfloat16 weights": (x, y, z) => np.matmul(weights(x, y).astype("bfloat16").astype("float32"), z),
  };
  test.each(Object.entries(forms))("%s is more kernels", (_, f) => {
    expect(kernelsOf(f, [q, k, v])).toBeGreaterThan(1);
  });
  test("nor are other readers of scores or weights", () => {
    const all = (x: NDArray, y: NDArray, z: NDArray): NDArray[] => {
      const s = np.matmul(x, y.T);
      return [np.matmul(nn.softmax(s), z), np.sum(s, -1)];
    };
    expect(compiled(all, [q, k, v], { target: gpuTarget }).cost.kernels).toBeGreaterThan(1);
  });
  test("values too wide for registers", () => {
    const args = [normal(1, 9, 6), normal(2, 10, 6), normal(3, 10, 600)];
    expect(kernelsOf((x, y, z) => np.matmul(weights(x, y), z), args)).toBeGreaterThan(1);
  });
});
