/**
 * The methods of `NDArray`, as types. The numpy room installs them; they are declared here so that the published
 * declarations need no module augmentation. Semantics are those of the numpy functions of the same name.
 */
import type { DType } from "./dtype.ts";
import type { TypedArray } from "./hostArray.ts";
import type { NDArray } from "./ndarray.ts";

/** Nested JavaScript values: what `js()` gives. */
export type Nested = number | boolean | readonly Nested[];

/** What an operand may be: an array or anything that becomes one. */
export type ArrayLike =
  NDArray | number | boolean | bigint | TypedArray | BigInt64Array | BigUint64Array | readonly ArrayLike[];

/** Axis or axes; null means all. */
export type Axis = number | readonly number[] | null;

export interface ReduceOptions {
  readonly axis?: Axis | undefined;
  readonly keepdims?: boolean | undefined;
  /** Elements that take part. */
  readonly where?: ArrayLike | undefined;
  /** The value the reduction starts with. */
  readonly initial?: ArrayLike | undefined;
}
export interface DTypeOption {
  readonly dtype?: DType | undefined;
}

/** One item of an index: see `slice`. */
export type IndexItem = number | null | "..." | readonly (number | null)[] | NDArray;

/** How out-of-bounds indices behave: `fill` reads NaN (or the smallest integer) and drops writes. */
export type IndexMode = "promise_in_bounds" | "clip" | "drop" | "fill" | "wrap";

export interface AtOptions {
  readonly mode?: IndexMode | undefined;
  readonly indicesAreSorted?: boolean | undefined;
  readonly uniqueIndices?: boolean | undefined;
}

/** A place in an array: what `x.at(...)` gives. Every method returns a new array. */
export interface IndexUpdate {
  set(values: ArrayLike, options?: AtOptions): NDArray;
  add(values: ArrayLike, options?: AtOptions): NDArray;
  subtract(values: ArrayLike, options?: AtOptions): NDArray;
  multiply(values: ArrayLike, options?: AtOptions): NDArray;
  divide(values: ArrayLike, options?: AtOptions): NDArray;
  power(values: ArrayLike, options?: AtOptions): NDArray;
  min(values: ArrayLike, options?: AtOptions): NDArray;
  max(values: ArrayLike, options?: AtOptions): NDArray;
  apply(f: (x: NDArray) => NDArray, options?: AtOptions): NDArray;
  get(options?: AtOptions & { readonly fillValue?: number | undefined }): NDArray;
}

export interface ArrayMethods {
  // arithmetic
  add(y: ArrayLike): NDArray;
  sub(y: ArrayLike): NDArray;
  mul(y: ArrayLike): NDArray;
  div(y: ArrayLike): NDArray;
  floordiv(y: ArrayLike): NDArray;
  mod(y: ArrayLike): NDArray;
  pow(y: ArrayLike): NDArray;
  neg(): NDArray;
  abs(): NDArray;
  matmul(y: ArrayLike): NDArray;
  dot(y: ArrayLike): NDArray;
  // comparison and logic
  equal(y: ArrayLike): NDArray;
  notEqual(y: ArrayLike): NDArray;
  less(y: ArrayLike): NDArray;
  lessEqual(y: ArrayLike): NDArray;
  greater(y: ArrayLike): NDArray;
  greaterEqual(y: ArrayLike): NDArray;
  and(y: ArrayLike): NDArray;
  or(y: ArrayLike): NDArray;
  xor(y: ArrayLike): NDArray;
  invert(): NDArray;
  lshift(y: ArrayLike): NDArray;
  rshift(y: ArrayLike): NDArray;
  // reductions
  sum(axis?: Axis | (ReduceOptions & DTypeOption), options?: ReduceOptions & DTypeOption): NDArray;
  prod(axis?: Axis | (ReduceOptions & DTypeOption), options?: ReduceOptions & DTypeOption): NDArray;
  mean(axis?: Axis | (ReduceOptions & DTypeOption), options?: ReduceOptions & DTypeOption): NDArray;
  var_(axis?: Axis | (ReduceOptions & { ddof?: number }), options?: ReduceOptions & { ddof?: number }): NDArray;
  std(axis?: Axis | (ReduceOptions & { ddof?: number }), options?: ReduceOptions & { ddof?: number }): NDArray;
  min(axis?: Axis | ReduceOptions, options?: ReduceOptions): NDArray;
  max(axis?: Axis | ReduceOptions, options?: ReduceOptions): NDArray;
  any(axis?: Axis | ReduceOptions, options?: ReduceOptions): NDArray;
  all(axis?: Axis | ReduceOptions, options?: ReduceOptions): NDArray;
  argmin(
    axis?: number | null | { axis?: number | null; keepdims?: boolean },
    options?: { keepdims?: boolean },
  ): NDArray;
  argmax(
    axis?: number | null | { axis?: number | null; keepdims?: boolean },
    options?: { keepdims?: boolean },
  ): NDArray;
  cumsum(axis?: number | null | { axis?: number | null; dtype?: DType }): NDArray;
  cumprod(axis?: number | null | { axis?: number | null; dtype?: DType }): NDArray;
  // order
  sort(axis?: number | { axis?: number; descending?: boolean }): NDArray;
  argsort(axis?: number | { axis?: number; descending?: boolean }): NDArray;
  // shape
  reshape(
    ...shape: readonly [
      ...(number | readonly number[])[],
      number | readonly number[] | { readonly order?: "C" | "F"; readonly copy?: boolean | null },
    ]
  ): NDArray;
  reshape(): NDArray;
  ravel(): NDArray;
  flatten(): NDArray;
  squeeze(axis?: Axis): NDArray;
  transpose(...axes: readonly (number | readonly number[])[]): NDArray;
  swapaxes(axis1: number, axis2: number): NDArray;
  readonly T: NDArray;
  /** Transposes the last two axes. */
  readonly mT: NDArray;
  repeat(repeats: number | ArrayLike, axis?: number | null): NDArray;
  take(indices: ArrayLike, axis?: number | null): NDArray;
  diagonal(offset?: number, axis1?: number, axis2?: number): NDArray;
  trace(offset?: number, axis1?: number, axis2?: number): NDArray;
  // values
  astype(dtype: DType): NDArray;
  round(decimals?: number): NDArray;
  clip(min?: ArrayLike | null, max?: ArrayLike | null): NDArray;
  conj(): NDArray;
  readonly real: NDArray;
  readonly imag: NDArray;
  copy(): NDArray;
  // indexing
  /**
   * Reads a part. A number picks, `[start, stop, step]` slices (missing or null: the end), `[]` keeps the axis, `null`
   * inserts one, `"..."` fills, an array indexes.
   */
  slice(...index: readonly IndexItem[]): NDArray;
  /** Addresses a part for a functional update: `x.at(0).set(1)`. */
  at(...index: readonly IndexItem[]): IndexUpdate;
  /** Iterates over the first axis. */
  [Symbol.iterator](): IterableIterator<NDArray>;
  // reading
  /** The values, flat in row-major order; complex values interleaved. A copy. */
  data(): Promise<TypedArray>;
  /** The values at once, on devices that can. */
  dataSync(): TypedArray;
  /** The values as nested JavaScript arrays (a number or boolean for a scalar). */
  js(): Nested;
  jsAsync(): Promise<Nested>;
  /** The value of an array with one element. */
  item(): number | boolean;
  /** Waits until the value is computed. */
  blockUntilReady(): Promise<NDArray>;
  readonly device: string;
  /** Frees the buffer now. Optional: the collector does it otherwise. */
  dispose(): void;
  [Symbol.dispose](): void;
  toString(): string;
}
