/** What fuses: kernels and bytes moved, counted on the programs of the default device and of devices with few buffers. */
import { describe, expect, test } from "vitest";
import type { NDArray } from "../../src/core/ndarray.ts";
import { sizeOf } from "../../src/core/shape.ts";
import * as lax from "../../src/lax/index.ts";
import * as nn from "../../src/nn/index.ts";
import * as np from "../../src/numpy/index.ts";
import * as optim from "../../src/optim/index.ts";
import * as random from "../../src/random/index.ts";
import { jvp } from "../../src/transforms/forward.ts";
import { grad } from "../../src/transforms/gradient.ts";
import { jit } from "../../src/transforms/jit.ts";
import { distance, fromHost } from "../support/arrays.ts";
import { type Compiled, byReference, compiled, withBuffers } from "../support/compiling.ts";
import { adamStep, mlp } from "../support/models.ts";

/** Numbers that differ and repeat exactly. */
function values(...shape: number[]): NDArray {
  const data = Float32Array.from({ length: sizeOf(shape) }, (_, i) => Math.sin(1 + 0.37 * i));
  return fromHost({ shape, dtype: "float32", data });
}
const labels = (n: number, classes: number): NDArray =>
  fromHost({ shape: [n], dtype: "int32", data: Int32Array.from({ length: n }, (_, i) => (i * 7) % classes) });

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- any function of arrays
type F = (...args: any[]) => unknown;

/** Compiles, and checks what the program computes. */
function program(f: F, args: readonly unknown[], maxBuffers = 1000): Compiled {
  const c = compiled(f, args, { target: withBuffers(maxBuffers) });
  const wanted = byReference(f, args);
  c.run().forEach((y, i) => expect(distance(y, wanted[i]!, 1e-5), `result ${i}`).toBeNull());
  return c;
}
/** Bytes of float32 and int32 arrays. */
const bytesOf = (...arrays: readonly NDArray[]): number => arrays.reduce((n, a) => n + 4 * a.size, 0);

const x = values(20, 32);

describe("elementwise chains", () => {
  const chain = (y: NDArray): NDArray => {
    for (let i = 0; i < 10; i++) y = lax.add(lax.sin(y), 0.1);
    return y;
  };
  test("20 operations are one kernel that reads its input and writes its output", () => {
    expect(program(chain, [x]).cost).toMatchObject({ kernels: 1, bytes: bytesOf(x, x) });
    expect(jit(chain).lower(x).costAnalysis()).toMatchObject({ kernels: 1, bytes: bytesOf(x, x) });
  });
  test("200 are few: expressions have a limit", () => {
    const long = (y: NDArray): NDArray => Array.from({ length: 10 }).reduce<NDArray>((v) => chain(v), y);
    expect(program(long, [values(6)]).cost.kernels).toBeLessThanOrEqual(8);
  });
  test("several results, of several types, share a kernel", () => {
    const f = (y: NDArray): unknown => {
      const e = lax.exp(y);
      return [e, lax.sin(e), lax.gt(e, 1), lax.mul(e, y)];
    };
    const c = program(f, [x]);
    expect(c.cost).toMatchObject({ kernels: 1, bytes: 4 * bytesOf(x) + x.size });
    expect(c.program.kernels[0]!.params).toHaveLength(5);
  });
  test("two chains over one array share a kernel", () => {
    expect(program((y: NDArray) => [lax.sin(lax.exp(y)), lax.cos(lax.neg(y))], [x]).cost.kernels).toBe(1);
  });
  test("what two kernels need and costs little is computed in both", () => {
    const f = (y: NDArray, w: NDArray): unknown => {
      const z = lax.add(y, 1);
      return [lax.dot(z, w), lax.dot(z, lax.neg(w))];
    };
    expect(program(f, [x, values(32, 8)]).cost.kernels).toBe(2);
  });
});

describe("sequences of reductions over rows are one kernel", () => {
  const weights = [values(32), values(32)];
  const layerNorm = (y: NDArray, scale: NDArray, shift: NDArray): NDArray => {
    const mean = np.mean(y, -1, { keepdims: true });
    const variance = np.mean(np.square(y.sub(mean)), -1, { keepdims: true });
    return y
      .sub(mean)
      .mul(lax.rsqrt(variance.add(1e-5)))
      .mul(scale)
      .add(shift);
  };
  const rmsNorm = (y: NDArray, scale: NDArray): NDArray =>
    y.mul(lax.rsqrt(np.mean(np.square(y), -1, { keepdims: true }).add(1e-6))).mul(scale);
  const rows: Record<string, readonly [F, readonly NDArray[], number]> = {
    softmax: [nn.softmax, [x], x.size],
    "softmax of the library under jit": [(y: NDArray) => jit(nn.softmax as F)(y), [x], x.size],
    "log-softmax": [nn.logSoftmax, [x], x.size],
    "layer norm": [layerNorm, [x, ...weights], x.size],
    "RMS norm": [rmsNorm, [x, weights[0]!], x.size],
    standardize: [(y: NDArray) => nn.standardize(y), [x], x.size],
    variance: [(y: NDArray) => np.var_(y, 1), [x], 20],
    "standard deviation": [(y: NDArray) => np.std(y, 1), [x], 20],
    "log-sum-exp": [(y: NDArray) => nn.logsumexp(y, 1), [x], 20],
    "cross-entropy with integer labels": [optim.softmaxCrossEntropyWithIntegerLabels as F, [x, labels(20, 32)], 20],
    "cross-entropy with probabilities": [optim.softmaxCrossEntropy as F, [x, x], 20],
    "largest element and its place": [(y: NDArray) => np.max(y, 1).add(np.argmax(y, 1)), [x], 20],
    "softmax over the first axis": [(y: NDArray) => nn.softmax(y, 0), [x], x.size],
    "softmax over the middle axis": [(y: NDArray) => nn.softmax(y, 1), [values(3, 9, 5)], 3 * 9 * 5],
    "softmax over two axes": [(y: NDArray) => nn.softmax(y, [1, 2]), [values(3, 9, 5)], 3 * 9 * 5],
    "softmax of a matrix transposed": [(y: NDArray) => nn.softmax(lax.transpose(y, [1, 0])), [x], x.size],
  };
  test.each(Object.entries(rows))("%s", (_, [f, args, results]) => {
    expect(program(f, args).cost).toMatchObject({ kernels: 1, bytes: bytesOf(...args) + 4 * results });
  });
  test("the gradient of layer norm takes 3 kernels", () => {
    const loss = (y: NDArray, scale: NDArray, shift: NDArray, ct: NDArray): NDArray =>
      np.sum(layerNorm(y, scale, shift).mul(ct));
    const gradient = grad(loss, { argnums: [0, 1, 2] });
    expect(program(gradient, [x, ...weights, values(20, 32)]).cost.kernels).toBeLessThanOrEqual(3);
    expect(program(gradient, [x, ...weights, values(20, 32)], 8).cost.kernels).toBeLessThanOrEqual(3);
  });
  test("the gradient of softmax takes 1 kernel", () => {
    const gradient = grad((y: NDArray, ct: NDArray) => np.sum(nn.softmax(y).mul(ct)));
    expect(program(gradient, [x, values(20, 32)]).cost.kernels).toBe(1);
  });
});

describe("attention", () => {
  const [q, k, v] = [values(2, 3, 12, 8), values(2, 3, 12, 8).add(0.1), values(2, 3, 12, 8).mul(0.7)];
  const masked = (scores: NDArray): NDArray => {
    const [i, j] = [lax.broadcastedIota("int32", [12, 12], 0), lax.broadcastedIota("int32", [12, 12], 1)];
    return np.where(np.greaterEqual(i, j), scores.mul(0.35), -1e9);
  };
  const einsum = (a: NDArray, b: NDArray, c: NDArray): NDArray =>
    np.einsum("bhqk,bhkd->bhqd", nn.softmax(masked(np.einsum("bhqd,bhkd->bhqk", a, b))), c);
  const matmul = (a: NDArray, b: NDArray, c: NDArray): NDArray =>
    np.matmul(nn.softmax(masked(np.matmul(a, np.matrixTranspose(b)))), c);
  test.each([
    ["einsum", einsum],
    ["matmul", matmul],
  ])("forward with %s, scale and causal mask: at most 4 kernels", (_, f) => {
    expect(program(f, [q, k, v]).cost.kernels).toBeLessThanOrEqual(4);
    expect(program(f, [q, k, v], 8).cost.kernels).toBeLessThanOrEqual(4);
  });
  test("dotProductAttention, causal: at most 4 kernels", () => {
    const f = (a: NDArray, b: NDArray, c: NDArray): NDArray => nn.dotProductAttention(a, b, c, { isCausal: true });
    const swapped = [q, k, v].map((a) => np.swapaxes(a, 1, 2));
    expect(program(f, swapped).cost.kernels).toBeLessThanOrEqual(4);
  });
});

describe("training steps", () => {
  test("3-layer MLP, cross-entropy and Adam, donated, 10 buffers: at most 14 kernels", () => {
    const { step, params, state, images, digits } = adamStep([24, 16, 16, 10], 12);
    const c = compiled(step, [params, state, images, digits], { target: withBuffers(10), donated: [0, 1] });
    expect(c.cost.kernels).toBeLessThanOrEqual(14);
    const wanted = byReference(step, [params, state, images, digits]);
    c.run().forEach((y, i) => expect(distance(y, wanted[i]!, 1e-4), `result ${i}`).toBeNull());
  });
  test("its forward pass: 3 kernels", () => {
    const { params, images } = adamStep([24, 16, 16, 10], 12);
    expect(program(mlp, [params, images]).cost.kernels).toBe(3);
  });
});

describe("random bits", () => {
  const key = random.key(7);
  test("dropout is one kernel that reads its input and the key", () => {
    const dropout = (y: NDArray): NDArray => np.where(random.bernoulli(key, 0.5, y.shape), y.mul(2), 0);
    expect(program(dropout, [x]).cost).toMatchObject({ kernels: 1, bytes: bytesOf(x, x) + 8 });
  });
  test("noise is added where it is made", () => {
    const noisy = (y: NDArray): NDArray => y.add(random.normal(key, y.shape).mul(0.1));
    expect(program(noisy, [x]).cost).toMatchObject({ kernels: 1, bytes: bytesOf(x, x) + 8 });
  });
});

describe("views are no kernels", () => {
  const views: Record<string, (y: NDArray) => NDArray> = {
    transpose: (y) => lax.transpose(y, [1, 0]),
    reshape: (y) => lax.reshape(y, [32, 5, 4]),
    slice: (y) => lax.slice(y, [1, 2], [19, 30], [2, 3]),
    pad: (y) => lax.pad(y, lax.reshape(lax.slice(y, [0, 0], [1, 1]), []), [[1, 2, 1], [-1, 3, 0]]), // prettier-ignore
    broadcast: (y) => lax.broadcastInDim(y, [3, 20, 32], [1, 2]),
    concatenate: (y) => lax.concatenate([y, lax.rev(y, [0]), y], 1),
    reverse: (y) => lax.rev(y, [0, 1]),
    squeeze: (y) => lax.squeeze(lax.expandDims(y, [1]), [1]),
    dynamicSlice: (y) => lax.dynamicSlice(y, [np.array(3, "int32"), np.array(5, "int32")], [7, 9]),
    gather: (y) => np.take(y, np.array([3, 1, 1, 0], "int32"), { axis: 1 }),
    iota: (y) => lax.add(y, lax.broadcastedIota("float32", y.shape, 0)),
    "all of them": (y) =>
      lax.transpose(lax.concatenate([lax.slice(lax.reshape(y, [32, 20]), [0, 3], [20, 20]), lax.broadcast(lax.reshape(lax.slice(y, [0, 0], [1, 17]), [17]), [20])], 0), [1, 0]), // prettier-ignore
  };
  test.each(Object.entries(views))("%s before arithmetic", (_, view) => {
    expect(program((y: NDArray) => lax.sin(lax.mul(view(y), 2)), [x]).cost.kernels).toBe(1);
  });
  test.each(Object.entries(views))("%s between two operations", (_, view) => {
    expect(program((y: NDArray) => lax.add(view(lax.mul(y, 3)), 1), [x]).cost.kernels).toBe(1);
  });
  test.each(Object.entries(views))("%s before a sum", (_, view) => {
    expect(program((y: NDArray) => lax.reduceSum(view(y), [0]), [x]).cost.kernels).toBe(1);
  });
  test("operands of a product", () => {
    const f = (y: NDArray, w: NDArray): NDArray =>
      lax.dot(
        lax.transpose(y, [1, 0]),
        lax.pad(lax.rev(w, [0]), np.array(0), [
          [1, 1, 0],
          [0, 0, 0],
        ]),
      );
    expect(program(f, [x, values(18, 4)]).cost.kernels).toBe(1);
  });
});

describe("prologues and epilogues", () => {
  const w = values(32, 12);
  const epilogue = (y: NDArray): NDArray => nn.relu(lax.mul(y, 0.5)).add(1);
  const prologue = (y: NDArray): NDArray => lax.sub(lax.mul(y, 2), 1);
  const image = values(2, 3, 9, 9);
  const fused: Record<string, readonly [F, readonly NDArray[]]> = {
    matmul: [(a: NDArray, b: NDArray) => epilogue(lax.dot(prologue(a), prologue(b))), [x, w]],
    "matmul, bias and activation": [
      (a: NDArray, b: NDArray, c: NDArray) => nn.relu(np.matmul(a, b).add(c)),
      [x, w, values(12)],
    ],
    "matmul with a residual": [(a: NDArray, b: NDArray) => np.matmul(a, b).add(a), [x, values(32, 32)]],
    conv: [(a: NDArray, b: NDArray) => epilogue(lax.conv(prologue(a), prologue(b), [1, 1], "SAME")), [image, values(4, 3, 3, 3)]], // prettier-ignore
    sum: [(a: NDArray) => epilogue(lax.reduceSum(prologue(a), [1])), [x]],
    "sum over the first axis": [(a: NDArray) => epilogue(lax.reduceSum(prologue(a), [0])), [x]],
    maximum: [(a: NDArray) => epilogue(np.max(prologue(a), 1)), [x]],
    mean: [(a: NDArray) => epilogue(np.mean(prologue(a))), [x]],
    gather: [(a: NDArray, i: NDArray) => epilogue(np.take(prologue(a), i, { axis: 0 })), [x, labels(6, 20)]],
    window: [(a: NDArray) => epilogue(lax.reduceWindow(prologue(a), 0, lax.add, [1, 1, 3, 3], [1, 1, 2, 2], "VALID")), [image]], // prettier-ignore
  };
  test.each(Object.entries(fused))("%s", (_, [f, args]) => {
    expect(program(f, args).cost.kernels).toBe(1);
  });
  test("scatter: one kernel for the start, one for the updates", () => {
    const f = (a: NDArray, i: NDArray, u: NDArray): NDArray => prologue(a).at(i).add(prologue(u));
    expect(program(f, [x, labels(6, 20), values(6, 32)]).cost.kernels).toBe(2);
  });
  test("prefix sum: its operand is computed on the way", () => {
    expect(program((a: NDArray) => lax.cumsum(prologue(a), { axis: 1 }), [x]).cost.kernels).toBe(1);
  });
});

describe("few buffers", () => {
  const many = Array.from({ length: 40 }, (_, i) => values(6).add(i));
  const sum = (...xs: NDArray[]): NDArray => xs.reduce((a, b) => a.add(b));
  test.each([3, 4, 8])("the sum of 40 arrays, %i buffers a kernel", (n) => {
    const { program: p, cost } = program(sum, many, n);
    for (const k of p.kernels) expect(k.params.length).toBeLessThanOrEqual(n);
    // Each kernel after the first takes n − 2 new operands.
    expect(cost.kernels).toBeLessThanOrEqual(Math.ceil(38 / (n - 2)) + 1);
  });
  test("40 results of one array, 8 buffers a kernel", () => {
    const f = (y: NDArray): unknown => Array.from({ length: 40 }, (_, i) => lax.mul(y, i + 1));
    const { program: p } = program(f, [values(6)], 8);
    for (const k of p.kernels) expect(k.params.length).toBeLessThanOrEqual(8);
  });
  test("concatenation of 40 arrays, 8 buffers a kernel", () => {
    const { program: p } = program((...xs: NDArray[]) => lax.concatenate(xs, 0), many, 8);
    for (const k of p.kernels) expect(k.params.length).toBeLessThanOrEqual(8);
  });
  test("reductions of 40 arrays, 8 buffers a kernel", () => {
    const f = (...xs: NDArray[]): unknown => [lax.reduceSum(sum(...xs), [0]), ...xs.map((y) => lax.reduceMax(y, [0]))];
    const { program: p } = program(f, many, 8);
    for (const k of p.kernels) expect(k.params.length).toBeLessThanOrEqual(8);
  });
  test("a choice among 40 arrays, 8 buffers a kernel", () => {
    const f = (which: NDArray, ...xs: NDArray[]): NDArray => lax.selectN(which, ...xs);
    for (const which of [
      [-5, 0, 7, 39, 40, 20],
      [2 ** 31 - 1, -(2 ** 31), 1, 2, 3, 38],
    ]) {
      const index = fromHost({ shape: [6], dtype: "int32", data: Int32Array.from(which) });
      const { program: p } = program(f, [index, ...many], 8);
      for (const k of p.kernels) expect(k.params.length).toBeLessThanOrEqual(8);
    }
  });
  test.each([8, 10])("prefix sums that compute what several kernels need, %i buffers a kernel", (n) => {
    const f = (y: NDArray): NDArray => {
      const c = lax.cumsum(lax.sin(y), { axis: 0, reverse: true });
      return lax.pow(lax.add(lax.square(c), 0.5), lax.tanh(c));
    };
    const twice = (y: NDArray): NDArray =>
      jvp(
        grad((v: NDArray) => lax.reduceSum(f(v), [0])),
        [y],
        [lax.cos(y)],
      )[1];
    const { program: p } = program(twice, [values(6)], n);
    for (const k of p.kernels) expect(k.params.length).toBeLessThanOrEqual(n);
  });
  const sums = (n: number) => [many.slice(0, n), many.slice(20, 20 + n)] as const;
  test.each([3, 4, 6, 7])("the product of two sums of %i arrays, 8 buffers a kernel", (n) => {
    const [a, b] = sums(n);
    const f = (...xs: NDArray[]): NDArray =>
      lax.dot(lax.reshape(sum(...xs.slice(0, n)), [2, 3]), lax.reshape(sum(...xs.slice(n)), [3, 2]));
    expect(program(f, [...a, ...b], 8).cost.kernels).toBeLessThanOrEqual(3);
  });
  test.each([3, 6, 7])("a scatter of a sum of %i arrays into another, 8 buffers a kernel", (n) => {
    const [a, b] = sums(n);
    const f = (i: NDArray, ...xs: NDArray[]): NDArray =>
      sum(...xs.slice(0, n))
        .at(i)
        .add(sum(...xs.slice(n)));
    expect(program(f, [labels(6, 6), ...a, ...b], 8).cost.kernels).toBeLessThanOrEqual(4);
  });
  test.each([3, 6, 7])("an average with %i sums as weights, 4 buffers a kernel", (n) => {
    const f = (...xs: NDArray[]): unknown => [lax.cumsum(sum(...xs)), lax.reduceSum(nn.softmax(sum(...xs)), [0])];
    program(f, many.slice(0, n), 4);
  });
});
