/**
 * Random functions that become one kernel or a few, over axes long enough for tiles, lanes and what is left at their ends:
 * products, convolutions, reductions and sequences of them, scans, elementwise work with views.
 */
import fc from "fast-check";
import type { DType } from "../../src/core/dtype.ts";
import { type HostArray, allocate } from "../../src/core/hostArray.ts";
import type { NDArray } from "../../src/core/ndarray.ts";
import { type Shape, sizeOf } from "../../src/core/shape.ts";
import * as lax from "../../src/lax/index.ts";
import * as nn from "../../src/nn/index.ts";
import * as np from "../../src/numpy/index.ts";
import { grad } from "../../src/transforms/gradient.ts";
import { randomNumbers } from "../sweep/hosts.ts";

export interface Kernel {
  readonly title: string;
  readonly f: (...xs: NDArray[]) => unknown;
  readonly inputs: readonly HostArray[];
  readonly tolerance: number;
}
export interface KernelFamily {
  /** Few enough elements for evaluators. */
  readonly small: fc.Arbitrary<Kernel>;
  readonly large: fc.Arbitrary<Kernel>;
  readonly count: number;
}

/** Lengths at, below and above those of lanes, tiles and blocks. */
const lengths = [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 64, 65, 130, 256, 257, 300];
const length = fc.constantFrom(...lengths);

/** Shapes of at most so many elements. */
const shape = (minDims: number, maxDims: number, atMost: number): fc.Arbitrary<number[]> =>
  fc.array(length, { minLength: minDims, maxLength: maxDims }).map((s) => fitted(s, atMost));
/** The same shape with its longest axes cut until it has few enough elements. */
function fitted(s: readonly number[], atMost: number): number[] {
  const out = [...s];
  while (out.reduce((a, b) => a * b, 1) > atMost) {
    const i = out.indexOf(Math.max(...out));
    out[i] = lengths.filter((n) => n < out[i]!).at(-1)!;
  }
  return out;
}

/** Multiples of 1/64 in [−1, 1], whole numbers for integers. */
function values(of: Shape, dtype: DType, seed: number): HostArray {
  const next = randomNumbers(seed + 1);
  const data = allocate(dtype, sizeOf(of));
  const whole = dtype === "bool" ? 2 : /int/.test(dtype) ? 9 : 0;
  const low = dtype.startsWith("int") ? 4 : 0;
  for (let i = 0; i < data.length; i++)
    data[i] = whole > 0 ? Math.floor(next() * whole) - low : Math.round((next() * 2 - 1) * 64) / 64;
  return { shape: of, dtype, data };
}

type Unary = (x: NDArray) => NDArray;
const before: Readonly<Record<string, Unary>> = {
  nothing: (x) => x,
  affine: (x) => lax.add(lax.mul(x, 0.5), 1),
  sin: (x) => lax.sin(x),
  reversed: (x) => (x.ndim ? lax.rev(x, [0]) : x),
  masked: (x) => lax.select(lax.gt(x, 0), x, lax.mul(x, 0.25)),
  padded: (x) => lax.slice(lax.pad(x, 2, x.shape.map(() => [1, 1, 0] as const)), x.shape.map(() => 1), x.shape.map((n) => n + 1)), // prettier-ignore
  normalized: (x) => (x.ndim ? np.multiply(x, lax.rsqrt(np.max(lax.square(x), -1, { keepdims: true }).add(1))) : x),
};
const after: Readonly<Record<string, Unary>> = {
  nothing: (x) => x,
  relu: (x) => lax.max(lax.sub(x, 0.5), 0),
  tanh: (x) => lax.tanh(x),
  byPlace: (x) => lax.add(x, np.reshape(np.arange(x.size), x.shape).astype(x.dtype).mul(0.25)),
  transposed: (x) => lax.transpose(x, [...x.shape.keys()].reverse()),
  doubled: (x) => (x.ndim ? lax.concatenate([x, lax.neg(x)], 0) : x),
  summed: (x) => (x.ndim ? lax.reduceSum(x, [x.ndim - 1]) : x),
  normalized: (x) => (x.ndim ? nn.softmax(x) : x),
};
const prologue = fc.constantFrom(...Object.keys(before));
const epilogue = fc.constantFrom(...Object.keys(after));
const seed = fc.nat(1000);

// ---------------------------------------------------------------- products

type Letter = "m" | "n" | "k" | "b";

/** An einsum of two operands with their axes in any order. */
const products = (atMost: number): fc.Arbitrary<Kernel> =>
  fc
    .record({
      lengths: fc.tuple(length, length, length, fc.constantFrom(1, 2, 3)),
      twice: fc.boolean(),
      batched: fc.boolean(),
      orders: fc.tuple(fc.nat(5), fc.nat(5), fc.nat(5)),
      pre: fc.tuple(prologue, prologue),
      post: epilogue,
      bias: fc.boolean(),
      dtype: fc.constantFrom<DType>("float32", "float32", "float32", "float64", "int32", "uint8", "complex64", "bool"),
      seed,
    })
    .map(({ lengths: given, twice, batched, orders, pre, post, bias, dtype, seed: s }) => {
      const [m, n, k, b] = fitted(given, atMost);
      const sizes: Record<Letter, number> = { m: m!, n: n!, k: k!, b: b! };
      const ordered = (axes: Letter[], order: number): Letter[] => permuted(batched ? ["b", ...axes] : axes, order);
      const [left, right, out] = [
        ordered(["m", "k"], orders[0]),
        ordered(["k", "n"], orders[1]),
        ordered(["m", "n"], orders[2]),
      ];
      const shapeOf = (axes: readonly Letter[]): number[] => axes.map((a) => sizes[a]);
      const spec = `${left.join("")},${right.join("")}->${out.join("")}`;
      const float = dtype.startsWith("float");
      const f = (x: NDArray, y: NDArray, z: NDArray): NDArray => {
        const [p, q] = float ? [before[pre[0]]!(x), before[pre[1]]!(y)] : [x, y];
        let r = np.einsum(spec, p, q);
        if (bias) r = r.add(z);
        if (twice && float) r = r.mul(lax.cos(r));
        return float ? after[post]!(r) : r;
      };
      return {
        title: `${spec} ${JSON.stringify(sizes)} ${dtype}, ${pre.join("/")} before, ${post} after${bias ? ", bias" : ""}`,
        f,
        inputs: [values(shapeOf(left), dtype, s), values(shapeOf(right), dtype, s + 1), values(shapeOf(out.slice(-1)), dtype, s + 2)], // prettier-ignore
        tolerance: dtype === "float64" ? 1e-12 : 2e-5,
      };
    });

function permuted<T>(xs: readonly T[], order: number): T[] {
  const rest = [...xs];
  const out: T[] = [];
  let o = order;
  while (rest.length > 0) {
    out.push(...rest.splice(o % rest.length, 1));
    o = Math.floor(o / (rest.length + 1));
  }
  return out;
}

// ---------------------------------------------------------------- convolutions

const convolutions = (atMost: number): fc.Arbitrary<Kernel> =>
  fc
    .record({
      image: fc.tuple(fc.constantFrom(1, 2, 3), fc.constantFrom(2, 4, 6), fc.constantFrom(5, 8, 9, 17), length),
      filters: fc.constantFrom(2, 4, 6, 10),
      window: fc.tuple(fc.constantFrom(1, 2, 3), fc.constantFrom(1, 3)),
      strides: fc.tuple(fc.constantFrom(1, 2), fc.constantFrom(1, 2)),
      dilation: fc.constantFrom(1, 2),
      spread: fc.constantFrom(1, 1, 2),
      padding: fc.constantFrom("SAME" as const, "VALID" as const),
      groups: fc.constantFrom(1, 1, 2),
      gradient: fc.constantFrom("none", "none", "image", "filters"),
      pre: fc.constantFrom("nothing", "affine", "sin"),
      post: epilogue,
      seed,
    })
    .map((c) => {
      const image = fitted([...c.image.slice(0, 3), Math.max(5, c.image[3])], Math.floor(atMost / 20));
      const [, channels] = image;
      const groups = channels! % c.groups === 0 ? c.groups : 1;
      const window = [c.filters, channels! / groups, ...c.window];
      const conv = (x: NDArray, w: NDArray): NDArray =>
        lax.convGeneralDilated(before[c.pre]!(x), w, c.strides, c.spread > 1 ? [[2, 2], [2, 2]] : c.padding, { rhsDilation: [1, c.dilation], lhsDilation: [c.spread, 1], featureGroupCount: groups }); // prettier-ignore
      const loss = (x: NDArray, w: NDArray): NDArray => np.sum(lax.square(conv(x, w)));
      const f = (x: NDArray, w: NDArray): unknown =>
        c.gradient === "none"
          ? after[c.post]!(conv(x, w))
          : grad(loss, { argnums: c.gradient === "image" ? 0 : 1 })(x, w);
      return {
        title: JSON.stringify({ ...c, image, window }),
        f,
        inputs: [values(image, "float32", c.seed), values(window, "float32", c.seed + 1)],
        tolerance: 2e-5,
      };
    })
    .filter(({ inputs: [x, w] }) => x!.shape[2]! >= w!.shape[2]! && x!.shape[3]! >= 2 * w!.shape[3]! - 1);

// ---------------------------------------------------------------- reductions

type Reduce = (x: NDArray, axes: readonly number[]) => NDArray;
const reductions: Readonly<Record<string, Reduce>> = {
  sum: (x, axes) => lax.reduceSum(x, axes),
  max: (x, axes) => lax.reduceMax(x, axes),
  min: (x, axes) => lax.reduceMin(x, axes),
  mean: (x, axes) => np.mean(x, axes),
  argmax: (x, axes) => np.argmax(x, axes[0]).astype(x.dtype),
  variance: (x, axes) => np.var_(x, axes),
  softmax: (x, axes) => nn.softmax(x, [...axes]),
  logsumexp: (x, axes) => nn.logsumexp(x, { axis: [...axes] }),
  "sum and maximum": (x, axes) => lax.add(lax.reduceSum(x, axes), lax.reduceMax(x, axes)),
  difference: (x, axes) => np.subtract(x, lax.expandDims(lax.reduceMax(x, axes), [...axes].sort())),
  "any and all": (x, axes) =>
    lax.convertElementType(
      lax.bitwiseXor(lax.reduceOr(lax.gt(x, 0.9), axes), lax.reduceAnd(lax.lt(x, 0.9), axes)),
      x.dtype,
    ),
  cumsum: (x, axes) => lax.cumsum(x, { axis: axes[0]!, reverse: axes.length > 1 }),
  cummax: (x, axes) => lax.cummax(x, { axis: axes[0]! }),
  "gradient of a norm": (x, axes) =>
    grad((y: NDArray) => np.sum(lax.sqrt(lax.add(lax.reduceSum(lax.square(y), axes), 1))))(x),
  "sum of rows gathered": (x, axes) => lax.reduceSum(np.take(x, [0, -1, 0], { axis: 0 }), axes),
};
const reduced = (atMost: number): fc.Arbitrary<Kernel> =>
  fc
    .record({
      of: shape(1, 3, atMost),
      name: fc.constantFrom(...Object.keys(reductions)),
      axes: fc.uniqueArray(fc.nat(2), { minLength: 1, maxLength: 3 }),
      order: fc.nat(5),
      pre: prologue,
      post: epilogue,
      dtype: fc.constantFrom<DType>("float32", "float32", "float32", "float64"),
      seed,
    })
    .map(({ of, name, axes: given, order, pre, post, dtype, seed: s }) => {
      const axes = [...new Set(given.map((a) => a % of.length))];
      const from = permuted([...of.keys()], order);
      const f = (x: NDArray): NDArray => after[post]!(reductions[name]!(before[pre]!(lax.transpose(x, from)), axes));
      return {
        title: `${name} over ${axes.join()} of ${dtype}[${of.join()}] transposed ${from.join()}, ${pre} before, ${post} after`,
        f,
        inputs: [values(of, dtype, s)],
        tolerance: dtype === "float64" ? 1e-12 : 2e-5,
      };
    });

// ---------------------------------------------------------------- elementwise work and views

const integers: readonly DType[] = ["int8", "uint8", "int16", "uint16", "int32", "uint32", "bool"];
const elementwise = (atMost: number): fc.Arbitrary<Kernel> =>
  fc
    .record({
      of: shape(1, 3, atMost),
      dtype: fc.constantFrom<DType>("float32", "float16", "bfloat16", "float64", "complex64", ...integers),
      to: fc.constantFrom<DType>("float32", "float16", "float64", ...integers),
      steps: fc.array(fc.nat(9), { minLength: 1, maxLength: 4 }),
      seed,
    })
    .map(({ of, dtype, to, steps, seed: s }) => {
      const arithmetic = (x: NDArray): NDArray => (x.dtype === "bool" ? lax.bitwiseNot(x) : lax.add(x, lax.mul(x, x)));
      const step: readonly Unary[] = [
        arithmetic,
        (x) => lax.rev(x, [x.ndim - 1]),
        (x) => lax.transpose(x, [...x.shape.keys()].reverse()),
        (x) => lax.slice(x, x.shape.map((n) => (n > 2 ? 1 : 0)), [...x.shape], x.shape.map((_, i) => (i === 0 ? 2 : 1))), // prettier-ignore
        (x) => lax.pad(x, lax.convertElementType(1, x.dtype), x.shape.map((_, i) => [1, i, i === 0 ? 1 : 0] as const)), // prettier-ignore
        (x) => (x.size < atMost ? lax.concatenate([x, arithmetic(x)], x.ndim - 1) : x),
        (x) => (x.dtype === "complex64" ? lax.conj(x) : lax.convertElementType(lax.convertElementType(x, to), x.dtype)),
        (x) => lax.reshape(x, [x.size]),
        (x) => (x.size < atMost ? lax.broadcast(x, [3]) : x),
        (x) => lax.select(lax.eq(x, arithmetic(x)), x, arithmetic(x)),
      ];
      return {
        title: `${dtype}[${of.join()}] via ${to}, steps ${steps.join()}`,
        f: (x: NDArray) => {
          const all = steps.reduce<NDArray[]>((xs, k) => [...xs, step[k]!(xs.at(-1)!)], [x]);
          return all.slice(-2);
        },
        inputs: [values(of, dtype, s)],
        tolerance: dtype === "float16" ? 1e-3 : dtype === "bfloat16" ? 8e-3 : 1e-6,
      };
    });

const family = (make: (atMost: number) => fc.Arbitrary<Kernel>, small: number, large: number, count: number) => ({
  small: make(small),
  large: make(large),
  count,
});
export const kernels: Readonly<Record<string, KernelFamily>> = {
  products: family(products, 3000, 400_000, 40),
  convolutions: family(convolutions, 1500, 40_000, 25),
  reductions: family(reduced, 1500, 40_000, 60),
  "elementwise work": family(elementwise, 800, 5000, 40),
};
