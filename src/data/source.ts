/**
 * Where examples come from. A tree of arrays has its examples along the first axis of each leaf, and any of them can be
 * asked for; a stream gives one after the other, each a tree of arrays and numbers, which are stacked to batches.
 */
import type { ArrayLike } from "../core/arrayMethods.ts";
import { NDArray } from "../core/ndarray.ts";
import { asArray } from "../core/operands.ts";
import { ArgumentError, ShapeError, TreeError } from "../core/problem.ts";
import { describeValue, flatten, keyString, unflatten } from "../core/tree.ts";
import * as np from "../numpy/index.ts";

/** Makes the examples of an epoch anew. */
export type ExampleFunction<T> = (epoch: number) => Iterable<T> | AsyncIterable<T>;
export type Stream<T> = Iterable<T> | AsyncIterable<T> | ExampleFunction<T>;

/** Examples along the first axis of the leaves of a tree. */
export interface Table {
  readonly kind: "table";
  /** The number of examples. */
  readonly count: number;
  /** The examples at some positions, stacked. */
  take(rows: NDArray): unknown;
}
export interface StreamSource {
  readonly kind: "stream";
  /** Whether there is more than one epoch. */
  readonly repeatable: boolean;
  open(epoch: number): AsyncIterable<unknown>;
}

const isIterable = (x: object): x is Iterable<unknown> => Symbol.iterator in x;
const isAsyncIterable = (x: object): x is AsyncIterable<unknown> => Symbol.asyncIterator in x;
/** Iterable containers whose values are leaves of trees, or hold them. */
const isTreeNode = (x: object): boolean =>
  x instanceof NDArray || Array.isArray(x) || ArrayBuffer.isView(x) || x instanceof Map;

/** What is behind the first argument of `loader`. */
export function sourceOf(x: unknown): Table | StreamSource {
  if (typeof x === "function")
    return { kind: "stream", repeatable: true, open: (epoch) => opened((x as ExampleFunction<unknown>)(epoch)) };
  if (typeof x !== "object" || x === null || isTreeNode(x) || (!isIterable(x) && !isAsyncIterable(x)))
    return tableOf("loader", x);
  // An iterator gives itself, and what has been taken from it is gone; a container gives a new one each time.
  const once = isIterable(x) ? (x as { next?: unknown }).next !== undefined : "next" in x || "getReader" in x;
  return { kind: "stream", repeatable: !once, open: () => opened(x) };
}

async function* opened(x: unknown): AsyncGenerator<unknown, void, void> {
  const many = await (x as Promise<unknown>);
  if (typeof many === "object" && many !== null && (isIterable(many) || isAsyncIterable(many)))
    yield* many as AsyncIterable<unknown>;
  else
    throw new ArgumentError("NotIterable", {
      what: `loader: the function of examples gave ${describeValue(many)}`,
      why: "it is called once for each epoch, and gives what can be iterated over",
      fix: "make it a generator, function* () { … yield example … }, or return an array of examples",
    });
}

/** A tree of arrays as a table. @throws ShapeError if the leaves differ in their numbers of examples. */
export function tableOf(name: string, x: unknown): Table {
  const [leaves, def] = flatten(x);
  const paths = def.paths().map((p) => keyString(p) || "the array");
  const arrays = leaves.map((leaf, i) => {
    if (leaf instanceof NDArray || ArrayBuffer.isView(leaf)) return asArray(leaf as ArrayLike, name);
    throw new TreeError("NotExamples", {
      what: `${name}: ${paths[i]} is ${describeValue(leaf)}`,
      why: "examples lie along the first axis of arrays, in objects, lists and other containers",
      fix: "make arrays of lists of numbers with np.array; pass single examples as a generator function, () => examples",
    });
  });
  const counts = arrays.map((a) => a.shape[0]);
  const count = counts[0];
  const odd = counts.findIndex((n) => n === undefined || n !== count);
  if (count === undefined || odd >= 0)
    throw new ShapeError("ExampleCounts", {
      what: `${name}: ${arrays.length === 0 ? "there are no arrays" : `${paths[Math.max(odd, 0)]} is ${arrays[Math.max(odd, 0)]!.describe()}${count === undefined ? "" : `, where ${count} examples were expected`}`}`,
      why: "the first axis of every array counts the examples",
      fix: "give all arrays as many rows, or pass single examples as a generator function",
    });
  return {
    kind: "table",
    count,
    take: (rows) =>
      unflatten(
        def,
        arrays.map((a) => np.take(a, rows, 0)),
      ),
  };
}

// ---------------------------------------------------------------- stacking

/** Examples of one structure as one tree with a new first axis. */
export function stackExamples(examples: readonly unknown[]): unknown {
  const [first, def] = flatten(examples[0]);
  const columns: unknown[][] = first.map((leaf) => [leaf]);
  for (const example of examples.slice(1)) {
    const [leaves, other] = flatten(example);
    if (!other.equals(def))
      throw new TreeError("ExampleStructures", {
        what: `loader: an example is ${String(other)}, where others are ${String(def)}`,
        why: "examples of one batch are stacked, leaf by leaf",
        fix: "yield examples of one structure",
      });
    leaves.forEach((leaf, i) => columns[i]!.push(leaf));
  }
  return unflatten(def, columns.map(stackLeaves));
}

/** Numbers and typed arrays are put together here: a program that stacks them would be compiled for each number of them. */
function stackLeaves(leaves: readonly unknown[]): NDArray {
  const [first] = leaves;
  if (leaves.every((x) => typeof x === "number") || leaves.every((x) => typeof x === "boolean"))
    return np.array(leaves);
  if (ArrayBuffer.isView(first) && !(first instanceof DataView)) {
    const { length, constructor } = first as Float32Array;
    if (leaves.every((x) => (x as Float32Array).constructor === constructor && (x as Float32Array).length === length)) {
      const all = new (constructor as Float32ArrayConstructor)(length * leaves.length);
      leaves.forEach((x, i) => all.set(x as Float32Array, i * length));
      return np.reshape(np.array(all), [leaves.length, length]);
    }
  }
  return np.stack(leaves.map((x) => asArray(x as ArrayLike, "loader")));
}
