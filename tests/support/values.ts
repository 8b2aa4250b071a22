/** Arrays in and out of tests, in any runtime: made from plain numbers, read back, compared. */
import "../../src/backends/install.ts";
import { Aval } from "../../src/core/aval.ts";
import type { DType } from "../../src/core/dtype.ts";
import { evaluator } from "../../src/core/evaluator.ts";
import { type HostArray, allocate, lanesOf, roundInPlace } from "../../src/core/hostArray.ts";
import { Literal, NDArray } from "../../src/core/ndarray.ts";
import { sizeOf } from "../../src/core/shape.ts";
import { flatten } from "../../src/core/tree.ts";

type Nested = number | readonly Nested[];

const shapeOf = (x: Nested): number[] => (typeof x === "number" ? [] : [x.length, ...(x.length ? shapeOf(x[0]!) : [])]);
const flat = (x: Nested): number[] => (typeof x === "number" ? [x] : x.flatMap(flat));

/** An array of a dtype from nested lists; complex numbers and keys take two numbers an element on the last axis. */
export function array(x: Nested, dtype: DType = "float32", weakType = false): NDArray {
  const full = shapeOf(x);
  const shape = lanesOf(dtype) === 2 ? full.slice(0, -1) : full;
  const data = allocate(dtype, sizeOf(shape));
  data.set(flat(x));
  return evaluator().fromHost(roundInPlace({ shape, dtype, data }), weakType);
}
export const f32 = (x: Nested): NDArray => array(x, "float32");
export const f64 = (x: Nested): NDArray => array(x, "float64");
export const i32 = (x: Nested): NDArray => array(x, "int32");
export const bool = (x: Nested): NDArray => array(x, "bool");
export const c64 = (x: Nested): NDArray => array(x, "complex64");

export const fromHost = (x: HostArray): NDArray => evaluator().fromHost(x, false);

/** The values of a concrete array. */
export function host(x: NDArray): HostArray {
  const concrete = x.concrete();
  if (!concrete) throw new Error(`${x.describe()} has no values`);
  return evaluator().toHost(concrete instanceof Literal ? evaluator().materialize(concrete) : concrete);
}

/** An array as nested lists of numbers. */
export function list(x: unknown): unknown {
  const a = x as NDArray;
  const { shape, data } = host(a);
  const lanes = lanesOf(a.dtype);
  const build = (axis: number, at: number): unknown => {
    if (axis === shape.length) return lanes === 1 ? data[at] : Array.from(data.subarray(at * lanes, (at + 1) * lanes));
    const inner = sizeOf(shape.slice(axis + 1));
    return Array.from({ length: shape[axis]! }, (_, i) => build(axis + 1, at + i * inner));
  };
  return build(0, 0);
}

/** All leaves of a tree as nested lists. */
export const lists = (tree: unknown): unknown[] => flatten(tree)[0].map(list);

/** The value of a scalar. */
export const item = (x: unknown): number => host(x as NDArray).data[0]!;

/** How two host arrays differ by more than `tolerance` relative to the largest value of either; null if they do not. */
export function distance(a: HostArray, b: HostArray, tolerance: number): string | null {
  if (a.dtype !== b.dtype || a.shape.join() !== b.shape.join())
    return `${a.dtype}[${a.shape.join()}] and ${b.dtype}[${b.shape.join()}]`;
  if (a.data.length !== b.data.length) return `${a.data.length} and ${b.data.length} numbers`;
  let scale = 1;
  for (const data of [a.data, b.data])
    for (const v of data) if (Number.isFinite(v)) scale = Math.max(scale, Math.abs(v));
  for (let i = 0; i < a.data.length; i++) {
    const [x, y] = [a.data[i]!, b.data[i]!];
    if (Object.is(x, y) || x === y || (Number.isNaN(x) && Number.isNaN(y))) continue;
    if (!(Math.abs(x - y) <= tolerance * scale)) return `at ${i}: ${x} and ${y} (scale ${scale})`;
  }
  return null;
}

export const avalOf = (shape: readonly number[], dtype: DType = "float64", weakType = false): Aval =>
  new Aval(shape, dtype, weakType);
export { NDArray };

/** `distance` of arrays. */
export const distanceOf = (a: NDArray, b: NDArray, tolerance: number): string | null =>
  distance(host(a), host(b), tolerance);
