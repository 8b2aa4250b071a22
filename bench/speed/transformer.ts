/**
 * A transformer block: layer norm, attention of eight heads, layer norm, a perceptron four times as wide with GELU, each
 * added to what went in. Products with the weights limit it; then the scores, each of which is an exp, written and read.
 */
import { grad, nn, numpy as np } from "cotangent";
import type { NDArray } from "cotangent";
import type { Graph } from "./onnxModel.ts";
import { type Workload, full, spread } from "./workload.ts";

/* eslint-disable @typescript-eslint/no-explicit-any -- the peers' types are not installed */
const [batch, tokens, width, heads] = [4, 256, 256, 8];
const depth = width / heads;
const perHead = [batch, tokens, heads, depth];
const whole = [batch, tokens, width];

/** The input, then the parameters in the order in which they are used. */
const inputs = () => [
  spread(whole, 1, 1),
  full([width], 1.1),
  spread([width], 2, 0.1),
  spread([width, 3 * width], 3, 0.08),
  spread([3 * width], 4, 0.1),
  spread([width, width], 5, 0.08),
  spread([width], 6, 0.1),
  full([width], 0.9),
  spread([width], 7, 0.1),
  spread([width, 4 * width], 8, 0.08),
  spread([4 * width], 9, 0.1),
  spread([4 * width, width], 10, 0.04),
  spread([width], 11, 0.1),
];

function block(x: NDArray, ...p: NDArray[]): NDArray {
  const [scale1, shift1, wIn, bIn, wOut, bOut, scale2, shift2, wUp, bUp, wDown, bDown] = p as [NDArray, ...NDArray[]];
  const h = nn.standardize(x).mul(scale1).add(shift1!);
  const [q, k, v] = np.split(np.matmul(h, wIn!).add(bIn!), 3, -1).map((y) => y.reshape(perHead));
  const mixed = nn.dotProductAttention(q!, k!, v!).reshape(whole);
  const y = np.matmul(mixed, wOut!).add(bOut!).add(x);
  const g = nn.standardize(y).mul(scale2!).add(shift2!);
  return np
    .matmul(nn.gelu(np.matmul(g, wUp!).add(bUp!)), wDown!)
    .add(bDown!)
    .add(y);
}

function blockJax(jax: any, x: any, ...p: any[]): any {
  const [scale1, shift1, wIn, bIn, wOut, bOut, scale2, shift2, wUp, bUp, wDown, bDown] = p;
  const { nn, numpy } = jax;
  const h = nn.standardize(x.ref).mul(scale1).add(shift1);
  const [q, k, v] = numpy.split(numpy.matmul(h, wIn).add(bIn), 3, -1).map((y: any) => y.reshape(perHead));
  const mixed = nn.dotProductAttention(q, k, v).reshape(whole);
  const y = numpy.matmul(mixed, wOut).add(bOut).add(x);
  const g = nn.standardize(y.ref).mul(scale2).add(shift2);
  return numpy
    .matmul(nn.gelu(numpy.matmul(g, wUp).add(bUp)), wDown)
    .add(bDown)
    .add(y);
}

function blockTensorFlow(tf: any, x: any, ...p: any[]): any {
  const [scale1, shift1, wIn, bIn, wOut, bOut, scale2, shift2, wUp, bUp, wDown, bDown] = p;
  const norm = (y: any, scale: any, shift: any): any => {
    const { mean, variance } = tf.moments(y, -1, true);
    return tf.add(tf.mul(tf.mul(tf.sub(y, mean), tf.rsqrt(tf.add(variance, 1e-5))), scale), shift);
  };
  // Its products know matrices and batches of them, but no matrix that all of a batch share.
  const dense = (y: any, w: any, b: any): any => tf.add(tf.matMul(tf.reshape(y, [batch * tokens, -1]), w), b);
  const rows = [batch * tokens, width];
  const split = tf.split(dense(norm(x, scale1, shift1), wIn, bIn), 3, -1);
  const [q, k, v] = split.map((y: any) => tf.transpose(tf.reshape(y, perHead), [0, 2, 1, 3]));
  const weights = tf.softmax(tf.mul(tf.matMul(q, k, false, true), 1 / Math.sqrt(depth)));
  const mixed = tf.reshape(tf.transpose(tf.matMul(weights, v), [0, 2, 1, 3]), rows);
  const y = tf.add(dense(mixed, wOut, bOut), tf.reshape(x, rows));
  const up = dense(norm(y, scale2, shift2), wUp, bUp);
  const cubic = tf.add(up, tf.mul(0.044715, tf.mul(up, tf.square(up))));
  const gelu = tf.mul(tf.mul(0.5, up), tf.add(1, tf.tanh(tf.mul(Math.sqrt(2 / Math.PI), cubic))));
  return tf.reshape(tf.add(dense(gelu, wDown, bDown), y), whole);
}

function blockOnnx(g: Graph, ...xs: string[]): string {
  const [x, scale1, shift1, wIn, bIn, wOut, bOut, scale2, shift2, wUp, bUp, wDown, bDown] = xs as [string, ...string[]];
  const add = (a: string, b: string): string => g.op("Add", [a, b]);
  const dense = (y: string, w: string, b: string): string => add(g.op("MatMul", [y, w]), b);
  const norm = (y: string, scale: string, shift: string): string =>
    g.op("LayerNormalization", [y, scale, shift], { axis: -1, epsilon: { float: 1e-5 } });
  const split = g.ops("Split", [dense(norm(x, scale1!, shift1!), wIn!, bIn!)], 3, { axis: -1, num_outputs: 3 });
  // Keys are transposed on the way, so that no other transposition is needed.
  const headsOf = (y: string, perm: readonly number[]): string =>
    g.op("Transpose", [g.op("Reshape", [y, g.integers(perHead)])], { perm });
  const [q, k, v] = [[0, 2, 1, 3], [0, 2, 3, 1], [0, 2, 1, 3]].map((perm, i) => headsOf(split[i]!, perm)); // prettier-ignore
  const scores = g.op("Mul", [g.op("MatMul", [q!, k!]), g.number(1 / Math.sqrt(depth))]);
  const mixed = g.op("MatMul", [g.op("Softmax", [scores], { axis: -1 }), v!]);
  const joined = g.op("Reshape", [g.op("Transpose", [mixed], { perm: [0, 2, 1, 3] }), g.integers(whole)]);
  const y = add(dense(joined, wOut!, bOut!), x);
  const up = g.op("Gelu", [dense(norm(y, scale2!, shift2!), wUp!, bUp!)], { approximate: "tanh" });
  return add(dense(up, wDown!, bDown!), y);
}

const setting = `d ${width}, ${heads} heads, ${batch}×${tokens}`;

export const transformer: readonly Workload[] = [
  {
    name: `transformer block, ${setting}`,
    target: 0.8,
    tolerance: 1e-4,
    inputs,
    ours: block,
    jax: blockJax,
    tf: { run: blockTensorFlow },
    onnx: { weightsFrom: 1, build: blockOnnx },
  },
  {
    // TensorFlow.js takes more than two seconds for it, and ONNX Runtime has no gradients.
    name: `its gradient, all parameters`,
    target: 0.4,
    tolerance: 1e-3,
    inputs,
    ours: (x, ...p) => grad((q: NDArray[], y: NDArray) => np.mean(np.square(block(y, ...q))))(p, x),
    jax: (jax, x, ...p) =>
      jax.grad((q: any[], y: any) => jax.numpy.mean(jax.numpy.square(blockJax(jax, y, ...q))))(p, x),
  },
];
