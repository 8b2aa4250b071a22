/** Parts of a data set: for training, validation and test, and folds for cross-validation. */
import type { ArrayLike } from "../core/arrayMethods.ts";
import { type NDArray } from "../core/ndarray.ts";
import { ArgumentError } from "../core/problem.ts";
import type { Arrays } from "../core/types.ts";
import * as np from "../numpy/index.ts";
import * as random from "../random/index.ts";
import { tableOf } from "./source.ts";

export interface SplitOptions {
  /** Decides which example goes where. Default: they stay in order, or, with classes, in order within each class. */
  readonly key?: NDArray;
  /** The class of each example: every part then has about the same share of each. Numbers, strings or an array. */
  readonly stratify?: ArrayLike | readonly string[];
}

/**
 * Parts of a data set with given shares of the examples. Each boundary between parts is rounded to the nearest example;
 * with classes that happens in each of them, so that the sizes may differ by as many as there are classes.
 *
 * @param x a tree of arrays, with examples along the first axis.
 * @param fractions the parts' shares; what is missing to 1 is left out.
 * @throws ArgumentError if the fractions are not positive, or are more than 1 together.
 * @example
 * const [train, test] = data.split(np.arange(5), [0.8, 0.2]);
 * [train, test] // [[0, 1, 2, 3], [4]]
 */
export function split<T>(x: T, fractions: readonly number[], options: SplitOptions = {}): Arrays<T>[] {
  const sum = fractions.reduce((a, b) => a + b, 0);
  // Fractions such as three times 1/3 may be a little more than 1.
  if (!fractions.every((f) => f > 0) || fractions.length === 0 || sum > 1 + 1e-9)
    throw new ArgumentError("Fractions", {
      what: `split: fractions ${fractions.join(", ")}`,
      why: "each part has a positive share of the examples, and all together at most 1",
      fix: "write split(x, [0.8, 0.2])",
    });
  const table = tableOf("split", x);
  const ends = fractions.map((_, i) =>
    Math.min(
      1,
      fractions.slice(0, i + 1).reduce((a, b) => a + b, 0),
    ),
  );
  const groups = groupsOf("split", table.count, options);
  return ends.map((end, i) => {
    const start = i === 0 ? 0 : ends[i - 1]!;
    const rows = groups.flatMap((g) => g.slice(Math.round(start * g.length), Math.round(end * g.length)));
    return table.take(np.array(Int32Array.from(rows))) as Arrays<T>;
  });
}

/** The examples to train on and those to validate with. */
export interface Fold<T> {
  readonly train: Arrays<T>;
  readonly validation: Arrays<T>;
}

/**
 * The folds of a k-fold cross-validation: every example is in the validation part of one of them. The parts differ in
 * size by at most one example, and so do, with classes, the examples of each class.
 *
 * @param x a tree of arrays, with examples along the first axis.
 * @param k the number of folds, at least 2 and at most the number of examples.
 * @throws ArgumentError if there are not as many folds.
 * @example
 * data.kFold(np.arange(4), 2).map((fold) => fold.validation) // [[0, 2], [1, 3]]
 */
export function kFold<T>(x: T, k: number, options: SplitOptions = {}): Fold<T>[] {
  const table = tableOf("kFold", x);
  if (!Number.isInteger(k) || k < 2 || k > table.count)
    throw new ArgumentError("Folds", {
      what: `kFold: ${k} folds of ${table.count} examples`,
      why: "every fold has examples to validate with and others to train on",
      fix: "pass a whole number from 2 to the number of examples",
    });
  // One behind the other, the classes' examples are dealt out like cards: each class goes on where the last one ended.
  const dealt = groupsOf("kFold", table.count, options).flat();
  const take = (rows: readonly number[]): Arrays<T> => table.take(np.array(Int32Array.from(rows))) as Arrays<T>;
  return Array.from({ length: k }, (_, fold) => ({
    train: take(dealt.filter((_, i) => i % k !== fold)),
    validation: take(dealt.filter((_, i) => i % k === fold)),
  }));
}

/** The positions of the examples of each class, in the order in which they are handed out. */
function groupsOf(name: string, count: number, { key, stratify }: SplitOptions): number[][] {
  const order =
    key === undefined ? Array.from({ length: count }, (_, i) => i) : (random.permutation(key, count).js() as number[]);
  if (stratify === undefined) return [order];
  const classes = classesOf(stratify);
  if (classes.length !== count)
    throw new ArgumentError("Classes", {
      what: `${name}: ${classes.length} classes of ${count} examples`,
      why: "each example has a class",
      fix: "pass the labels of the same examples: { stratify: y }",
    });
  const groups = new Map<unknown, number[]>();
  for (const i of order) {
    const group = groups.get(classes[i]);
    if (group) group.push(i);
    else groups.set(classes[i], [i]);
  }
  return [...groups.values()];
}

const isText = (x: unknown): x is readonly string[] =>
  Array.isArray(x) && x.length > 0 && x.every((c) => typeof c === "string");

function classesOf(x: ArrayLike | readonly string[]): readonly unknown[] {
  if (isText(x)) return x;
  const labels = np.asarray(x);
  if (labels.ndim === 1) return labels.js() as readonly unknown[];
  throw new ArgumentError("Classes", {
    what: `classes are given by ${labels.describe()}`,
    why: "each example has one class",
    fix: "of one-hot labels take the class: np.argmax(y, 1)",
  });
}
