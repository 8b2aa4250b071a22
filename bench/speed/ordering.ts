/** Along one axis: sorting, whose writes go everywhere, and running sums, which memory limits if they are vectorised. */
import { numpy as np } from "cotangent";
import type { NDArray } from "cotangent";
import { type Workload, spread } from "./workload.ts";

const [many, more] = [2 ** 20, 2 ** 22];

export const ordering: readonly Workload[] = [
  {
    name: "sort, 1M",
    target: 0.5,
    tolerance: 0,
    inputs: () => [spread([many])],
    ours: (x: NDArray) => np.sort(x),
    jax: ({ numpy }, x) => numpy.sort(x),
    // Neither of the two sorts as such. Turning the descending order round is not timed.
    tf: { run: (tf, x) => tf.topk(x, many).values, finish: (tf, y) => tf.reverse(y) },
    onnx: { build: (g, x) => g.ops("TopK", [x, g.integers([many])], 2, { largest: 0 })[0]! },
  },
  {
    name: "cumsum, 4M",
    target: 0.4,
    tolerance: 1e-4,
    inputs: () => [spread([more])],
    ours: (x: NDArray) => np.cumsum(x),
    jax: ({ numpy }, x) => numpy.cumsum(x),
    tf: { run: (tf, x) => tf.cumsum(x) },
    onnx: { build: (g, x) => g.op("CumSum", [x, g.integers([0])]) },
  },
];
