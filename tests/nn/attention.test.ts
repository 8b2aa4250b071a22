import { describe, expect, test } from "vitest";
import type { NDArray } from "../../src/core/ndarray.ts";
import * as nn from "../../src/nn/index.ts";
import * as np from "../../src/numpy/index.ts";
import * as random from "../../src/random/index.ts";
import { checkGrads } from "../../src/testing/index.ts";
import { jit } from "../../src/transforms/jit.ts";
import { vmap } from "../../src/transforms/vmap.ts";
import { expectClose, f32, host, i32, list, problemOf } from "../support/arrays.ts";

const [batch, queries, keys, heads, size] = [2, 5, 4, 6, 3] as const;
const draw = (i: number, shape: number[]): NDArray => random.normal(random.foldIn(random.key(0), i), shape, "float64");
const q = draw(0, [batch, queries, heads, size]);
const k = draw(1, [batch, keys, heads, size]);
const v = draw(2, [batch, keys, heads, size]);

/** One query of one head at a time, in plain numbers. */
function plainly(
  allowed: (b: number, h: number, t: number, s: number) => boolean,
  groups = 1,
  bias: (h: number, t: number, s: number) => number = () => 0,
  [kk, vv]: readonly [NDArray, NDArray] = [k, v],
): number[][][][] {
  const [Q, K, V] = [q, kk, vv].map((x) => list(x) as number[][][][]) as [
    number[][][][],
    number[][][][],
    number[][][][],
  ];
  return Q.map((rows, b) =>
    rows.map((hs, t) =>
      hs.map((x, h) => {
        const shared = Math.floor(h / groups);
        const weights = K[b]!.map((row, s) =>
          allowed(b, h, t, s)
            ? Math.exp(row[shared]!.reduce((sum, y, i) => sum + y * x[i]!, 0) / Math.sqrt(size) + bias(h, t, s))
            : 0,
        );
        const total = weights.reduce((a, w) => a + w, 0);
        return x.map((_, i) => weights.reduce((a, w, s) => a + (w / total) * V[b]![s]![shared]![i]!, 0));
      }),
    ),
  );
}
const expectPlain = (found: NDArray, wanted: number[][][][]): void => {
  expect(found.shape).toEqual([...q.shape]);
  const flat = wanted.flat(3);
  host(found).data.forEach((x, i) => expect(x).toBeCloseTo(flat[i]!, 5));
};

describe("dotProductAttention", () => {
  test("is the weighted mean of the values", () => {
    expectPlain(
      nn.dotProductAttention(q, k, v),
      plainly(() => true),
    );
  });

  test("sees only earlier keys if causal, as with a triangular mask", () => {
    const causal = nn.dotProductAttention(q, k, v, { isCausal: true });
    expectPlain(
      causal,
      plainly((_b, _h, t, s) => s <= t),
    );
    const mask = np.lessEqual(np.arange(keys), np.expandDims(np.arange(queries), 1));
    expectClose(nn.dotProductAttention(q, k, v, null, mask), causal, 1e-12);
  });

  test("takes a bias and a mask for each head", () => {
    const bias = draw(3, [heads, queries, keys]);
    const values = list(bias) as number[][][];
    const mask = np.greater(draw(4, [heads, queries, keys]), -1);
    const allowed = list(mask) as number[][][];
    expectPlain(
      nn.dotProductAttention(q, k, v, { bias, mask }),
      plainly(
        (_, h, t, s) => allowed[h]![t]![s] === 1,
        1,
        (h, t, s) => values[h]![t]![s]!,
      ),
    );
  });

  test("sees a window", () => {
    expectPlain(
      nn.dotProductAttention(q, k, v, { localWindowSize: [1, 2] }),
      plainly((_b, _h, t, s) => t <= s + 1 && t >= s - 2),
    );
    expectClose(
      nn.dotProductAttention(q, k, v, { localWindowSize: 1 }),
      nn.dotProductAttention(q, k, v, { localWindowSize: [1, 1] }),
      1e-12,
    );
  });

  test("leaves padding out", () => {
    const lengths = [3, 2];
    const y = nn.dotProductAttention(q, k, v, { keyValueSeqLengths: i32(lengths), querySeqLengths: i32([5, 2]) });
    const wanted = plainly((b, _h, _t, s) => s < lengths[b]!).map((rows, b) =>
      rows.map((row, t) => (t < [5, 2][b]! ? row : row.map((h) => h.map(() => 0)))),
    );
    expectPlain(y, wanted);
  });

  test("shares keys among groups of heads", () => {
    const few = [draw(5, [batch, keys, 2, size]), draw(6, [batch, keys, 2, size])] as const;
    expectPlain(
      nn.dotProductAttention(q, ...few),
      plainly(
        () => true,
        3,
        () => 0,
        few,
      ),
    );
  });

  test("works without the batch axis, under vmap and jit, and in float16", () => {
    const one = (x: NDArray): NDArray => np.take(x, 0, 0);
    expectClose(nn.dotProductAttention(one(q), one(k), one(v)), one(nn.dotProductAttention(q, k, v)), 1e-12);
    const f = (a: NDArray, b: NDArray, c: NDArray): NDArray => nn.dotProductAttention(a, b, c, { isCausal: true });
    expectClose(vmap(f)(q, k, v), f(q, k, v), 1e-9);
    expectClose(jit(f)(q, k, v), f(q, k, v), 1e-9);
    const half = [q, k, v].map((x) => np.astype(x, "float16")) as [NDArray, NDArray, NDArray];
    expect(f(...half).dtype).toBe("float16");
    expectClose(np.astype(f(...half), "float64"), f(q, k, v), 5e-3);
  });

  test("gives the logsumexp of the logits", () => {
    const [y, residual] = nn.dotProductAttention(q, k, v, { returnResidual: true, scale: 1 });
    const logits = np.sum(np.multiply(np.expandDims(q, 2), np.expandDims(k, 1)), -1);
    expectClose(residual, nn.logsumexp(logits, 2), 1e-6);
    expectClose(y, nn.dotProductAttention(q, k, v, { scale: 1 }), 1e-12);
  });

  test("has the right derivatives", () => {
    const part = (x: NDArray): NDArray => np.take(x, np.array(new Int32Array([0, 1])), 2);
    const f = (a: NDArray, b: NDArray, c: NDArray): NDArray => nn.dotProductAttention(a, b, c, { isCausal: true });
    checkGrads(f, [part(q), part(k), part(v)], 1);
  });

  test("names shapes and masks that do not fit", () => {
    expect(problemOf(() => nn.dotProductAttention(q, k, q)).code).toBe("AttentionShapes");
    expect(problemOf(() => nn.dotProductAttention(q, k, v, { mask: f32([[1]]) })).code).toBe("MaskDType");
    expect(problemOf(() => nn.dotProductAttention(q, k, v, { causal: true } as never)).code).toBe("UnknownOption");
  });
});
