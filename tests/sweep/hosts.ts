/** Host arrays in the hands of the sweep: random directions, examples for vmap, differences. */
import { type HostArray, allocate, lanesOf } from "./core.ts";

/** Numbers in [0, 1), the same for the same seed. */
export function randomNumbers(seed: number): () => number {
  let s = seed | 0;
  return () => {
    s = (Math.imul(s, 1103515245) + 12345) & 0x7fffffff;
    return s / 0x80000000;
  };
}

const product = (xs: readonly number[]): number => xs.reduce((a, b) => a * b, 1);

/** A direction: multiples of 1/64 in [-1, 1]. */
export function directionLike(x: HostArray, next: () => number): HostArray {
  const data = allocate(x.dtype, product(x.shape));
  for (let i = 0; i < data.length; i++) data[i] = Math.round((next() * 2 - 1) * 64) / 64;
  return { ...x, data };
}

/** x + step · t. */
export const moved = (x: HostArray, t: HostArray, step: number): HostArray => ({
  ...x,
  data: x.data.map((v, i) => v + step * t.data[i]!),
});

/** (a − b) / width. */
export const quotient = (a: HostArray, b: HostArray, width: number): HostArray => ({
  ...a,
  data: a.data.map((v, i) => (v - b.data[i]!) / width),
});

/** The same values in another order: another example that keeps to the same range. */
export function rotated(x: HostArray, by: number): HostArray {
  const lanes = lanesOf(x.dtype);
  const n = x.data.length / lanes;
  const data = x.data.slice();
  for (let e = 0; e < n; e++) for (let l = 0; l < lanes; l++) data[((e + by) % n) * lanes + l] = x.data[e * lanes + l]!;
  return { ...x, data };
}

/** Examples joined along a new axis `dim`; `like` gives shape and dtype if there are none. */
export function stacked(examples: readonly HostArray[], dim: number, like: HostArray): HostArray {
  const { shape, dtype } = like;
  const size = examples.length;
  const outer = product(shape.slice(0, dim));
  const inner = product(shape.slice(dim)) * lanesOf(dtype);
  const full = [...shape.slice(0, dim), size, ...shape.slice(dim)];
  const data = allocate(dtype, product(full));
  examples.forEach((x, b) => {
    for (let o = 0; o < outer; o++)
      for (let j = 0; j < inner; j++) data[(o * size + b) * inner + j] = x.data[o * inner + j]!;
  });
  return { shape: full, dtype, data };
}

/** Example `b` of an array with examples along `dim`. */
export function example(x: HostArray, dim: number, b: number): HostArray {
  const shape = x.shape.filter((_, i) => i !== dim);
  const size = x.shape[dim]!;
  const outer = product(shape.slice(0, dim));
  const inner = product(shape.slice(dim)) * lanesOf(x.dtype);
  const data = allocate(x.dtype, product(shape));
  for (let o = 0; o < outer; o++)
    for (let j = 0; j < inner; j++) data[o * inner + j] = x.data[(o * size + b) * inner + j]!;
  return { shape, dtype: x.dtype, data };
}

/** Σ a·b; of complex numbers the bilinear product's real part, which is what transposes keep. */
export function dot(a: HostArray, b: HostArray): number {
  if (a.shape.join() !== b.shape.join() || a.dtype !== b.dtype)
    throw new Error(`${a.dtype}[${a.shape.join()}] against ${b.dtype}[${b.shape.join()}]`);
  const lanes = lanesOf(a.dtype);
  let sum = 0;
  for (let i = 0; i < a.data.length; i += lanes)
    sum += lanes === 2 ? a.data[i]! * b.data[i]! - a.data[i + 1]! * b.data[i + 1]! : a.data[i]! * b.data[i]!;
  return sum;
}
