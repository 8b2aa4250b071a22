/**
 * Convolutions and pooling of images, channels first. Multiplications and additions limit the full convolution, as in
 * matrix products; traffic limits the others.
 */
import { lax } from "cotangent";
import type { NDArray } from "cotangent";
import { type TensorFlowProgram, type Workload, spread } from "./workload.ts";

/* eslint-disable @typescript-eslint/no-explicit-any -- the peers' types are not installed */
const [images, channels, size] = [8, 64, 56];
const image = [images, channels, size, size];

/** TensorFlow.js has kernels for channels last only, so it gets its images that way. */
const channelsLast = (run: TensorFlowProgram["run"], kernel?: readonly number[]): TensorFlowProgram => ({
  prepare: (tf, x, w) => [tf.transpose(x, [0, 2, 3, 1]), ...(kernel ? [tf.transpose(w, kernel)] : [])],
  run,
  finish: (tf, y) => tf.transpose(y, [0, 3, 1, 2]),
});

/** The greatest of every 2 × 2 numbers. */
export const maxPool = (x: NDArray): NDArray =>
  lax.reduceWindow(x, -Infinity, lax.max, [1, 1, 2, 2], { windowStrides: [1, 1, 2, 2] });

/**
 * A convolution 3 × 3 in jax-js as one product with the nine shifted images: five and more times faster than its `lax.conv`,
 * forwards and backwards.
 */
export function convByProductsJax({ numpy }: any, x: any, w: any): any {
  const [n, c, height, width] = x.shape;
  const padded = numpy.pad(x, [
    [0, 0],
    [0, 0],
    [1, 1],
    [1, 1],
  ]);
  const shifted = Array.from({ length: 9 }, (_, at) => {
    const [i, j] = [Math.floor(at / 3), at % 3];
    return padded.ref.slice([], [], [i, i + height], [j, j + width]);
  });
  padded.dispose();
  const columns = numpy.stack(shifted, 2).reshape([n, 9 * c, height * width]);
  const [out] = w.shape;
  // Its `matmul` of a matrix and a batch of matrices gives other numbers than NumPy's.
  return numpy.einsum("ok,nkp->nop", w.reshape([out, 9 * c]), columns).reshape([n, out, height, width]);
}

/** The same in jax-js, in the way that its gradient likes; `reduceWindow` takes as long. */
export function maxPoolJax(jax: any, x: any): any {
  const [n, c, h, w] = x.shape;
  return jax.numpy.max(x.reshape([n, c, h / 2, 2, w / 2, 2]), [3, 5]);
}

export const convolutions: readonly Workload[] = [
  {
    name: "conv 3×3, 8×64×56²→64",
    target: 0.7,
    tolerance: 1e-5,
    inputs: () => [spread(image), spread([channels, channels, 3, 3], 2)],
    ours: (x: NDArray, w: NDArray) => lax.conv(x, w, [1, 1], "SAME"),
    jax: convByProductsJax,
    tf: channelsLast((tf, x, w) => tf.conv2d(x, w, 1, "same"), [2, 3, 1, 0]),
    onnx: { weightsFrom: 1, build: (g, x, w) => g.op("Conv", [x, w], { pads: [1, 1, 1, 1] }) },
  },
  {
    name: "depthwise conv 3×3, 8×64×56²",
    target: 0.8,
    tolerance: 1e-5,
    inputs: () => [spread(image), spread([channels, 1, 3, 3], 2)],
    ours: (x: NDArray, w: NDArray) => lax.convGeneralDilated(x, w, [1, 1], "SAME", { featureGroupCount: channels }),
    jax: ({ lax }, x, w) => lax.convGeneralDilated(x, w, [1, 1], "SAME", { featureGroupCount: channels }),
    // Jitted, the padding becomes a part of the inner loop.
    jaxEager: true,
    tf: channelsLast((tf, x, w) => tf.depthwiseConv2d(x, w, 1, "same"), [2, 3, 0, 1]),
    onnx: {
      weightsFrom: 1,
      build: (g, x, w) => g.op("Conv", [x, w], { pads: [1, 1, 1, 1], group: channels }),
    },
  },
  {
    name: "max pool 2×2, 8×64×56²",
    target: 1,
    tolerance: 0,
    inputs: () => [spread(image)],
    ours: maxPool,
    jax: maxPoolJax,
    tf: channelsLast((tf, x) => tf.maxPool(x, 2, 2, "valid")),
    onnx: { build: (g, x) => g.op("MaxPool", [x], { kernel_shape: [2, 2], strides: [2, 2] }) },
  },
];
