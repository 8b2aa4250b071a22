/**
 * Kernels, each against plain loops in JavaScript and, where they are installed, peers. Below one: we are faster.
 *
 * What limits each, on one core:
 * - the chain: memory traffic, one read and one write however many operations; 20 of them are still cheaper;
 * - sum: reading memory once;
 * - softmax: 40 instructions for each exp, then traffic; layer norm: three passes over a row that stays in cache;
 * - matrix products, convolution: multiplications and additions, four lanes an instruction, if operands are packed so that
 *   loads do not limit them;
 * - attention: the same, and one exp a score;
 * - sort: comparisons that branch; it is a routine on the host.
 */
import { jit, lax, nn, numpy as np } from "cotangent";
import type { NDArray } from "cotangent";
import { type Contender, print, race } from "./measure.ts";
import { type Libraries, loadPeers } from "./peers.ts";
import * as plain from "./plainLoops.ts";

const numbers = (n: number, seed = 1): Float32Array => {
  let s = seed * 48271;
  return Float32Array.from({ length: n }, () => (s = (s * 48271) % 2147483647) / 2147483647 - 0.5);
};

/* eslint-disable @typescript-eslint/no-explicit-any -- the peers' types are not installed */
interface Case {
  readonly name: string;
  readonly inputs: readonly (readonly [data: Float32Array, shape: readonly number[]])[];
  readonly ours: (...xs: any[]) => NDArray;
  readonly plain: (...xs: Float32Array[]) => unknown;
  /** With its arrays: a result to dispose of. */
  readonly tf?: (tf: any, ...xs: any[]) => any;
  /** Traced by its `jit`; arrays that are used again need `.ref`. */
  readonly jax?: (jax: any, ...xs: any[]) => any;
}
const input = (shape: readonly number[], seed = 1): Case["inputs"][number] => [
  numbers(
    shape.reduce((a, b) => a * b, 1),
    seed,
  ),
  shape,
];

const [rows, width] = [2048, 1024];
const [images, from, to, size] = [16, 16, 32, 32];
const [heads, length, depth] = [8, 256, 64];
const product = (m: number, k: number, n: number): Case => ({
  name: `matrix product ${m} × ${k} × ${n}`,
  inputs: [input([m, k]), input([k, n], 2)],
  ours: (a: NDArray, b: NDArray) => np.matmul(a, b),
  plain: (a, b) => plain.matmul(a, b, m, k, n),
  tf: (tf, a, b) => tf.matMul(a, b),
  jax: (jax, a, b) => jax.numpy.matmul(a, b),
});

const cases: readonly Case[] = [
  {
    name: "chain of 20 operations on 10^6 numbers",
    inputs: [input([1e6])],
    ours: (x: NDArray) => Array.from({ length: 10 }).reduce<NDArray>((v) => v.mul(0.9).add(0.1), x),
    plain: (x) => plain.chainOf20(x),
    tf: (tf, x) => tf.tidy(() => Array.from({ length: 10 }).reduce((v: any) => tf.add(tf.mul(v, 0.9), 0.1), x)),
    jax: (_, x) => Array.from({ length: 10 }).reduce((v: any) => v.mul(0.9).add(0.1), x),
  },
  {
    name: "sum of 10^7 numbers",
    inputs: [input([1e7])],
    ours: (x: NDArray) => np.sum(x),
    plain: (x) => plain.sum(x),
    tf: (tf, x) => tf.sum(x),
    jax: (jax, x) => jax.numpy.sum(x),
  },
  {
    name: `softmax of ${rows} rows of ${width}`,
    inputs: [input([rows, width])],
    ours: (x: NDArray) => nn.softmax(x),
    plain: (x) => plain.softmax(x, rows),
    tf: (tf, x) => tf.softmax(x),
    jax: (jax, x) => jax.nn.softmax(x),
  },
  {
    name: `layer norm of ${rows} rows of ${width}`,
    inputs: [input([rows, width]), input([width], 2), input([width], 3)],
    ours: (x: NDArray, scale: NDArray, shift: NDArray) => {
      const centred = x.sub(np.mean(x, -1, { keepdims: true }));
      const variance = np.mean(np.square(centred), -1, { keepdims: true });
      return centred
        .mul(lax.rsqrt(variance.add(1e-5)))
        .mul(scale)
        .add(shift);
    },
    plain: (x, scale, shift) => plain.layerNorm(x, rows, scale, shift),
    tf: (tf, x, scale, shift) =>
      tf.tidy(() => {
        const { mean, variance } = tf.moments(x, -1, true);
        const by = tf.mul(tf.rsqrt(tf.add(variance, 1e-5)), scale);
        return tf.add(tf.mul(tf.sub(x, mean), by), shift);
      }),
    jax: (jax, x, scale, shift) => jax.nn.standardize(x).mul(scale).add(shift),
  },
  product(512, 512, 512),
  product(1024, 784, 512),
  {
    name: `convolution 3 × 3, ${images} images ${size} × ${size}, ${from} to ${to} channels`,
    inputs: [input([images, from, size, size]), input([to, from, 3, 3], 2)],
    ours: (x: NDArray, w: NDArray) => lax.conv(x, w, [1, 1], "SAME"),
    plain: (x, w) => plain.conv3x3(x, w, images, from, to, size),
    // The same numbers with channels last, which is the order it has kernels for.
    tf: (tf, x, w) => tf.tidy(() => tf.conv2d(tf.reshape(x, [images, size, size, from]), tf.reshape(w, [3, 3, from, to]), 1, "same")), // prettier-ignore
    jax: (jax, x, w) => jax.lax.conv(x, w, [1, 1], "SAME"),
  },
  {
    name: `attention, ${heads} heads, ${length} of ${depth}`,
    inputs: [input([heads, length, depth]), input([heads, length, depth], 2), input([heads, length, depth], 3)],
    ours: (q: NDArray, k: NDArray, v: NDArray) =>
      np.matmul(nn.softmax(np.matmul(q, np.swapaxes(k, 1, 2)).mul(1 / Math.sqrt(depth))), v),
    plain: (q, k, v) => plain.attention(q, k, v, heads, length, depth),
    tf: (tf, q, k, v) => tf.tidy(() => tf.matMul(tf.softmax(tf.mul(tf.matMul(q, k, false, true), 1 / Math.sqrt(depth))), v)), // prettier-ignore
    jax: (jax, q, k, v) =>
      jax.numpy.matmul(
        jax.nn.softmax(jax.numpy.matmul(q, jax.numpy.transpose(k, [0, 2, 1])).mul(1 / Math.sqrt(depth))),
        v,
      ),
  },
  {
    name: "sort of 10^6 numbers",
    inputs: [input([1e6])],
    ours: (x: NDArray) => np.sort(x),
    plain: (x) => x.slice().sort(),
    jax: (jax, x) => jax.numpy.sort(x),
  },
];

/** The contenders of a case; those that fail are left out, and said. */
async function contendersOf(c: Case, { tf, jax }: Libraries): Promise<Contender[]> {
  const ours = c.inputs.map(([data, shape]) => np.array(data).reshape([...shape]));
  const f = jit(c.ours);
  const all: Contender[] = [
    { name: "cotangent", run: () => f(...ours) },
    { name: "plain loops", run: () => c.plain(...c.inputs.map(([data]) => data)) },
  ];
  if (tf && c.tf) {
    const theirs = c.inputs.map(([data, shape]) => tf.tensor(data, shape, "float32"));
    all.push({ name: "TensorFlow.js wasm", run: () => c.tf!(tf, ...theirs).dispose() });
  }
  if (jax && c.jax) {
    const theirs = c.inputs.map(([data, shape]) => jax.numpy.array(data).reshape([...shape]));
    const g = jax.jit((...xs: any[]) => c.jax!(jax, ...xs));
    const run = async (): Promise<void> => {
      const y = await jax.blockUntilReady(g(...theirs.map((x) => x.ref)));
      y.dispose();
    };
    all.push({ name: "jax-js", run });
  }
  const able: Contender[] = [];
  for (const contender of all)
    try {
      await contender.run();
      able.push(contender);
    } catch (error) {
      if (contender === all[0]) throw error;
      print(`  ${contender.name} cannot: ${String(error).split("\n")[0]}`);
    }
  return able;
}

export async function benchKernels(): Promise<void> {
  const libraries = await loadPeers();
  for (const c of cases) {
    const contenders = await contendersOf(c, libraries);
    const [ours, ...others] = await race(contenders);
    const ratios = others.map((t, i) => `${(ours! / t).toFixed(2)} × ${contenders[i + 1]!.name} (${t.toFixed(2)} ms)`);
    print(`${c.name.padEnd(56)}${ours!.toFixed(2).padStart(8)} ms   ${ratios.join("   ")}`);
  }
  if (libraries.missing.length > 0) print(`not installed, hence not compared: ${libraries.missing.join(", ")} (see bench/peers.ts)`); // prettier-ignore
}
