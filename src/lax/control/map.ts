/** `map`: a function applied to each slice, one after the other or in batches. */
import { type AnyFunction, FlatFunction, checkCallable, checkOptions, flattenTree } from "../../core/call.ts";
import type { Interpreters } from "../../core/interpreters.ts";
import type { NDArray } from "../../core/ndarray.ts";
import { ArgumentError } from "../../core/problem.ts";
import { batchToFront } from "../../core/structural.ts";
import { unflatten } from "../../core/tree.ts";
import type { Arrays } from "../../core/types.ts";
import { concatenate, reshape, sliceInDim } from "../movement.ts";
import { scan } from "./loops.ts";

export interface MapOptions {
  /** Map over this many slices at once; the memory of a batch, the speed of `vmap`. Default: one at a time. */
  readonly batchSize?: number | null | undefined;
}

/**
 * Applies `f` to each slice along the leading axis, one after the other (`vmap` does them all at once).
 *
 * @example
 * lax.map((x) => np.sum(x), np.ones([3, 4])) // [4, 4, 4]
 */
export type MapFunction = <X, Y>(f: (x: Arrays<X>) => Y, xs: X, options?: MapOptions) => Arrays<Y>;

/** `map`, given an interpreter that can map a function over a batch. */
export const makeMap =
  ({ batchCall }: Pick<Interpreters, "batchCall">): MapFunction =>
  (f, xs, options = {}) => {
    checkCallable("map", f);
    checkOptions("map", options, ["batchSize"]);
    const { batchSize } = options;
    const one = (_: unknown, x: unknown): readonly [unknown, unknown] => [null, (f as AnyFunction)(x) as unknown];
    if (batchSize === undefined || batchSize === null) return scan(one as AnyFunction, null, xs)[1] as never;
    if (!Number.isInteger(batchSize) || batchSize < 1)
      throw new ArgumentError("BatchSize", {
        what: `map: batchSize is ${String(batchSize)}`,
        why: "it is the number of slices mapped at once",
        fix: "pass a positive integer",
      });
    const { leaves, def } = flattenTree(xs, "map", "xs");
    const flat = new FlatFunction(
      (...args: unknown[]) => (f as AnyFunction)(unflatten(def, args)) as unknown,
      flatList(leaves),
      "map",
    );
    const batch = (rows: readonly NDArray[], size: number): NDArray[] => {
      const out = batchCall(
        flat.call,
        rows,
        rows.map(() => 0),
        { size, name: null },
      );
      return out.outs.map((y, i) => batchToFront(y, out.dims[i]!, size));
    };
    const length = leaves[0]?.shape[0] ?? 0;
    const chunks = Math.floor(length / batchSize);
    const whole = leaves.map((x) =>
      reshape(sliceInDim(x, 0, chunks * batchSize, 1, 0), [chunks, batchSize, ...x.shape.slice(1)]),
    );
    const step = (_: unknown, rows: NDArray[]): readonly [unknown, unknown] => [null, batch(rows, batchSize)];
    const [, ys] = scan(step as AnyFunction, null, whole) as unknown as [null, NDArray[]];
    const joined = ys.map((y) => reshape(y, [chunks * batchSize, ...y.shape.slice(2)]));
    const rest = length - chunks * batchSize;
    if (rest === 0) return unflatten(flat.out!, joined) as never;
    const last = batch(
      leaves.map((x) => sliceInDim(x, chunks * batchSize, length, 1, 0)),
      rest,
    );
    return unflatten(
      flat.out!,
      joined.map((y, i) => concatenate([y, last[i]!], 0)),
    ) as never;
  };

/** The structure of a flat list of leaves. */
const flatList = (leaves: readonly NDArray[]) => flattenTree(leaves, "map", "xs").def;
