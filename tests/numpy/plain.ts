/**
 * NumPy in obvious loops: arrays as a shape and a function of positions. Tests compare the library with these.
 */
import { NDArray } from "../../src/core/ndarray.ts";
import * as np from "../../src/numpy/index.ts";

export interface Plain {
  readonly shape: readonly number[];
  readonly at: (place: readonly number[]) => number;
}

export const sizeOf = (shape: readonly number[]): number => shape.reduce((n, k) => n * k, 1);

/** All positions of a shape in row-major order. */
export function places(shape: readonly number[]): number[][] {
  return shape.reduce<number[][]>(
    (list, n) => list.flatMap((p) => Array.from({ length: n }, (_, i) => [...p, i])),
    [[]],
  );
}

const offset = (shape: readonly number[], place: readonly number[]): number =>
  place.reduce((o, p, i) => o * shape[i]! + p, 0);

/** The values of a library array. */
export function plainOf(x: NDArray): Plain {
  const data = x.dataSync();
  return { shape: x.shape, at: (p) => Number(data[offset(x.shape, p)]) };
}

/** The values in row-major order. */
export const listOf = (x: Plain): number[] => places(x.shape).map((p) => x.at(p));

/** 1, 2, 3, … in a shape: every element is different. */
export const counted = (shape: readonly number[]): NDArray =>
  np.reshape(np.arange(1, sizeOf(shape) + 1, 1, "float32"), shape);

/** The element of a broadcast array. */
export const broadcastAt = (x: Plain, place: readonly number[]): number =>
  x.at(x.shape.map((n, i) => (n === 1 ? 0 : place[place.length - x.shape.length + i]!)));

export function broadcast(...shapes: readonly (readonly number[])[]): number[] {
  const ndim = Math.max(0, ...shapes.map((s) => s.length));
  return Array.from({ length: ndim }, (_, i) => {
    const lengths = shapes.map((s) => s[s.length - ndim + i] ?? 1).filter((n) => n !== 1);
    return lengths[0] ?? 1;
  });
}

// ---------------------------------------------------------------- indexing

export type Item = number | null | "..." | (number | null)[] | NDArray;

const sliceOf = (spec: readonly (number | null)[], n: number): number[] => {
  const step = spec[2] ?? 1;
  const clip = (i: number, lo: number, hi: number): number => Math.min(Math.max(i < 0 ? i + n : i, lo), hi);
  const start = spec[0] == null ? (step > 0 ? 0 : n - 1) : step > 0 ? clip(spec[0], 0, n) : clip(spec[0], -1, n - 1);
  const stop = spec[1] == null ? (step > 0 ? n : -1) : step > 0 ? clip(spec[1], 0, n) : clip(spec[1], -1, n - 1);
  const out: number[] = [];
  for (let i = start; step > 0 ? i < stop : i > stop; i += step) out.push(i);
  return out;
};

/** What an index picks: the result's shape, and where each of its elements comes from, by NumPy's rules. */
export function pick(
  shape: readonly number[],
  items: readonly Item[],
): { shape: number[]; source: (place: readonly number[]) => number[] } {
  const used = items.filter((i) => i !== null && i !== "...").length;
  const fill = Array.from({ length: shape.length - used }, (): Item => []);
  const hasDots = items.includes("...");
  const all = hasDots ? items.flatMap((i) => (i === "..." ? fill : [i])) : [...items, ...fill];
  const arrays = items.some((i) => i instanceof NDArray && i.ndim > 0);
  const isAdvanced = (i: Item): boolean => i instanceof NDArray || typeof i === "number";
  // Next to each other in the index as it was written, where an ellipsis separates even if it stands for nothing.
  const written = items.flatMap((i, k) => (isAdvanced(i) ? [k] : []));
  const together = written.every((k, i) => i === 0 || k === written[i - 1]! + 1);
  const group = arrays ? all.flatMap((i, k) => (isAdvanced(i) ? [k] : [])) : [];
  const shapes = group.map((k) => (all[k] instanceof NDArray ? all[k].shape : []));
  const common = broadcast(...shapes);
  const out: number[] = [];
  /** For every item, which result axes it reads. */
  const first: number[] = [];
  let groupAxis = 0;
  if (arrays && !together) out.push(...common);
  all.forEach((item, k) => {
    if (arrays && together && k === group[0]) {
      groupAxis = out.length;
      out.push(...common);
    }
    first[k] = out.length;
    if (group.includes(k)) return;
    if (item === null) out.push(1);
    else if (Array.isArray(item)) out.push(-1);
  });
  let axis = 0;
  const axisOf = all.map((item) => (item === null ? -1 : axis++));
  const slices = all.map((item, k) => (Array.isArray(item) ? sliceOf(item, shape[axisOf[k]!]!) : null));
  slices.forEach((s, k) => s && (out[first[k]!] = s.length));
  const wrap = (i: number, n: number): number => Math.min(Math.max(i < 0 ? i + n : i, 0), n - 1);
  return {
    shape: out,
    source: (place) => {
      const from: number[] = [];
      all.forEach((item, k) => {
        if (item === null) return;
        const n = shape[axisOf[k]!]!;
        if (typeof item === "number") from.push(wrap(item, n));
        else if (item instanceof NDArray) {
          const inGroup = place.slice(groupAxis, groupAxis + common.length);
          from.push(wrap(broadcastAt(plainOf(item), item.ndim === 0 ? [] : inGroup), n));
        } else from.push(slices[k]![place[first[k]!]!]!);
      });
      return from;
    },
  };
}
