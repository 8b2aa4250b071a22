/** Programs over many primitives at once, with arguments: what tests compare on every device and in every runtime. */
import {
  type NDArray,
  checkpoint,
  grad,
  hessian,
  jvp,
  lax,
  nn,
  numpy as np,
  random,
  valueAndGrad,
  vmap,
} from "../../src/index.ts";
import { adamStep } from "./models.ts";

export interface SampleProgram {
  readonly name: string;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- any function of trees of arrays
  readonly f: (...args: any[]) => unknown;
  readonly args: () => readonly unknown[];
  /** Relative to the largest value. Default 1e-5. */
  readonly tolerance?: number;
}

const ramp = (...shape: number[]): NDArray =>
  np.linspace(-1, 1, { num: shape.reduce((a, b) => a * b, 1) }).reshape(shape);
/** Neither sorted nor different: values from −5 to 5, with NaN, infinities and both zeros among them. */
function jumble(n: number): NDArray {
  const values = Float32Array.from({ length: n }, (_, i) => Math.round(5 * Math.sin(7.1 * i)));
  values.set([NaN, Infinity, -0, -Infinity, NaN, 0], Math.floor(n / 3));
  return np.array(values);
}
const conv = (x: NDArray, w: NDArray): NDArray => lax.conv(x, w, [1, 1], "SAME");
const trainingStep = (): ReturnType<typeof adamStep> => adamStep([20, 40, 30, 10], 64);

export const samplePrograms: readonly SampleProgram[] = [
  {
    name: "three training steps of a multilayer perceptron with Adam",
    f: (params, state, images, digits) => {
      const { step } = trainingStep();
      let [p, s, loss] = [params, state, np.zeros([])];
      for (let i = 0; i < 3; i++) [p, s, loss] = step(p, s, images, digits);
      return [p, loss];
    },
    args: () => {
      const { params, state, images, digits } = trainingStep();
      return [params, state, images, digits];
    },
    tolerance: 1e-4,
  },
  {
    name: "gradients of a loss, example by example",
    f: vmap(
      grad((w: NDArray, x: NDArray) => np.sum(np.tanh(np.matmul(w, x)))),
      { inAxes: [null, 0] },
    ),
    args: () => [ramp(5, 7), ramp(6, 7)],
  },
  {
    name: "second derivatives and a derivative along a direction",
    f: (x: NDArray) => {
      const g = (v: NDArray): NDArray => np.sum(np.sin(v).mul(np.exp(v)).mul(np.sum(v)));
      return [hessian(g)(x), jvp(g, [x], [np.cos(x)])];
    },
    args: () => [ramp(5)],
  },
  {
    name: "scan and its gradient, with a checkpoint inside",
    f: valueAndGrad((xs: NDArray) => {
      const body = checkpoint((c: NDArray, r: NDArray) => [np.sin(c.add(r)), c.mul(r)] as const);
      const [last, rows] = lax.scan((c: NDArray, r: NDArray) => body(c, r), np.zeros([3]), xs);
      return np.sum(last).add(np.sum(rows));
    }),
    args: () => [ramp(6, 3)],
  },
  {
    name: "while, with a predicate for each example",
    f: vmap((v: NDArray) =>
      lax.whileLoop(
        (c: NDArray) => lax.lt(np.sum(c.mul(c)), 1000),
        (c: NDArray) => c.mul(1.5).add(0.1),
        v,
      ),
    ),
    args: () => [ramp(4, 3)],
  },
  {
    name: "while, whose predicate lies on the device",
    f: (v: NDArray) =>
      lax.whileLoop(
        (c: NDArray) => lax.lt(np.sum(c.mul(c)), 1000),
        (c: NDArray) => c.mul(1.5).add(0.1),
        v,
      ),
    args: () => [ramp(4, 3)],
  },
  ...[0, 1].map((i) => ({
    name: `branch ${i} of a switch and the gradient of a loop`,
    f: (index: NDArray, v: NDArray) => [
      lax.switch_(index, [(y: NDArray) => y.add(1), (y: NDArray) => y.mul(3)], v),
      grad((x: NDArray) => np.sum(lax.foriLoop(0, 5, (_: NDArray, c: NDArray) => np.sin(c), x)))(v),
    ],
    args: () => [np.array(i, { dtype: "int32" }), ramp(4, 3)],
  })),
  {
    name: "complex arithmetic and its gradient",
    f: (x: NDArray, y: NDArray) => {
      const z = lax.complex(x, y);
      const norm = grad((v: NDArray) => np.sum(np.abs(np.exp(lax.complex(v, y)))));
      return [z.mul(z).div(z.add(2)), np.exp(z), np.abs(z), lax.imag(np.matmul(z, z.T)), norm(x)];
    },
    args: () => [ramp(3, 4), ramp(3, 4).mul(0.5)],
  },
  ...[20, 33, 300].map((n) => ({
    name: `sorting ${n} values by one key and by two, with their positions`,
    f: (x: NDArray) => {
      const whole = np.where(np.isfinite(x), x, 0).astype("int32");
      return [
        np.sort(x),
        np.argsort(x),
        lax.sort([whole, x, np.arange(n)], { numKeys: 2 }),
        lax.topK(x, 7),
        np.median(np.where(np.isfinite(x), x, 1)),
      ];
    },
    args: () => [jumble(n)],
  })),
  {
    name: "random numbers of every kind",
    f: (seed: NDArray) => {
      const [a, b, c, d] = random.split(random.key(seed), 4) as unknown as NDArray[];
      return [
        random.bits(a!, [50]),
        random.uniform(b!, [5, 7]),
        random.normal(c!, [40]),
        random.permutation(d!, 40),
        random.randint(d!, [30], -5, 100),
      ];
    },
    args: () => [np.array(42, { dtype: "uint32" })],
  },
  {
    name: "convolutions with edges, and their gradients",
    f: (x: NDArray, w: NDArray) => [
      lax.tanh(conv(x, w)),
      grad((a: NDArray, b: NDArray) => np.sum(lax.sin(conv(a, b))), { argnums: [0, 1] })(x, w),
    ],
    args: () => [ramp(2, 3, 19, 17), ramp(12, 3, 3, 3).neg()],
  },
  {
    name: "a matrix product with arithmetic on both sides",
    f: (a: NDArray, b: NDArray) => np.matmul(a.add(1), b).mul(0.5),
    args: () => [ramp(70, 33), ramp(33, 130).neg()],
  },
  {
    name: "attention, and its gradients",
    f: (q: NDArray, k: NDArray, v: NDArray) => {
      const attend = (a: NDArray, b: NDArray, c: NDArray): NDArray =>
        np.matmul(nn.softmax(np.matmul(a, np.swapaxes(b, -1, -2)).div(4)), c);
      return [
        attend(q, k, v),
        grad((...xs: [NDArray, NDArray, NDArray]) => np.sum(np.square(attend(...xs))), { argnums: [0, 1, 2] })(q, k, v),
      ];
    },
    args: () => [ramp(2, 9, 16), ramp(2, 9, 16).neg(), ramp(2, 9, 5)],
  },
  {
    name: "sums over a named axis of vmap",
    f: vmap((x: NDArray) => x.div(lax.psum(np.exp(x), "i")).add(lax.axisIndex("i")), { axisName: "i" }),
    args: () => [ramp(5, 3)],
  },
  {
    name: "scattering, gathering and prefix sums",
    f: (x: NDArray, i: NDArray) => [
      x.at(i).add(2),
      np.take(x, i, 0),
      np.cumsum(x, 0),
      grad((v: NDArray) => np.sum(np.square(np.take(v, i, 0))))(x),
    ],
    args: () => [ramp(9, 4), np.array([3, 0, 3, 8], { dtype: "int32" })],
  },
  {
    name: "half precision, kept and left",
    f: (x: NDArray) => [np.tanh(x.astype("float16")).astype("float32"), np.exp(x.astype("bfloat16")).astype("float32")],
    args: () => [ramp(40)],
    tolerance: 1e-2,
  },
];
