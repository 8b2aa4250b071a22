/** Orders and selections of the elements of an array. */
import type { ArrayLike } from "../core/arrayMethods.ts";
import { isInexact, isInteger } from "../core/dtype.ts";
import { NDArray } from "../core/ndarray.ts";
import { asArray, asIndex, scalarValue } from "../core/operands.ts";
import { ArgumentError, ShapeError } from "../core/problem.ts";
import { type Shape, canonicalAxis, parseShape, range, shapeText, sizeOf } from "../core/shape.ts";
import { convert, full, reshape } from "../core/structural.ts";
import { readOptions } from "../lax/arguments.ts";
import { add, mul, sub } from "../lax/arithmetic.ts";
import { leArrays, selectArrays } from "../lax/compare.ts";
import { iota } from "../lax/creation.ts";
import { cumsum } from "../lax/cumulative.ts";
import { log } from "../lax/elementary.ts";
import { gather } from "../lax/gather.ts";
import { sliceInDim, indexInDim } from "../lax/movement.ts";
import { randomBits } from "../lax/randomBits.ts";
import { sortKeyVal, topK } from "../lax/sort.ts";
import { shiftRightLogical } from "../lax/bitwise.ts";
import { asKey } from "./arguments.ts";
import { type GumbelMode, gumbels } from "./continuous.ts";
import { randint, twoKeys, uniformFloats } from "./uniform.ts";
import { unit } from "../core/unit.ts";

/** The slices of `x` along an axis at positions that are known to exist; their shape takes the axis's place. */
function takeAlong(x: NDArray, positions: NDArray, axis: number): NDArray {
  const drawn = positions.ndim;
  const offsetDims = range(x.ndim - 1).map((i) => (i < axis ? i : i + drawn));
  const sizes = x.shape.map((n, i) => (i === axis ? 1 : n));
  const numbers = { offsetDims, collapsedSliceDims: [axis], startIndexMap: [axis] };
  return gather(x, reshape(positions, [...positions.shape, 1]), numbers, sizes);
}

/** A count given as an integer; null if `x` is an array to take elements from. */
function asCount(name: string, x: ArrayLike): number | null {
  if (x instanceof NDArray ? x.ndim > 0 : typeof x === "object") return null;
  const a = asIndex(x, `random.${name}`);
  const n = isInteger(a.dtype) ? scalarValue(a) : NaN;
  if (Number.isInteger(n)) return n;
  throw new ArgumentError("NotACount", {
    what: `random.${name}: expected an array or an integer, found ${typeof x === "object" ? a.describe() : String(x)}`,
    why: "an integer n stands for the numbers 0, 1, …, n − 1",
    fix: "pass an integer, or an array with at least one axis",
  });
}

// ---------------------------------------------------------------- permutation

/** Sorts by random words, often enough that equal words leave no trace. */
function shuffled(key: NDArray, x: NDArray, axis: number): NDArray {
  const rounds = Math.ceil((3 * Math.log(Math.max(1, x.size))) / Math.log(2 ** 32 - 1));
  let next = key;
  for (let i = 0; i < rounds; i++) {
    const [k, sub] = twoKeys(next);
    x = sortKeyVal(randomBits(sub, 32, x.shape), x, axis)[1];
    next = k;
  }
  return x;
}

export interface PermutationOptions {
  readonly axis?: number | undefined;
  /** Orders every vector along the axis anew, instead of all alike. */
  readonly independent?: boolean | undefined;
}

/**
 * The elements of an array in random order along an axis, or 0, …, n − 1 in random order.
 *
 * @param x an array, or an integer n.
 * @param rest `axis` (default 0), `independent` (default false).
 * @example
 * random.permutation(random.key(104), 11) // [3, 2, 1, 9, 5, 8, 0, 7, 6, 4, 10]
 */
export const permutation = /* @__PURE__ */ unit(
  "permutation",
  1,
  function permutation(
    key: NDArray,
    x: ArrayLike,
    ...rest: readonly [] | readonly [number | PermutationOptions] | readonly [number, boolean | PermutationOptions]
  ): NDArray {
    const given = readOptions<PermutationOptions>("random.permutation", ["axis", "independent"], 2, rest);
    const k = asKey("permutation", key);
    const n = asCount("permutation", x);
    if (n !== null) return shuffled(k, iota("int32", n), canonicalAxis("random.permutation", given.axis ?? 0, 1));
    const a = asArray(x, "random.permutation");
    const axis = canonicalAxis("random.permutation", given.axis ?? 0, a.ndim);
    if (given.independent || a.ndim === 1) return shuffled(k, a, axis);
    return takeAlong(a, shuffled(k, iota("int32", a.shape[axis]!), 0), axis);
  },
);

// ---------------------------------------------------------------- choice

export interface ChoiceOptions {
  /** How many to draw, as a shape that takes the place of the axis. Default `[]`. */
  readonly shape?: Shape | number | undefined;
  /** Whether an element can be drawn again. Default true. */
  readonly replace?: boolean | undefined;
  /** Probabilities of the elements; default all equal. */
  readonly p?: ArrayLike | null | undefined;
  readonly axis?: number | undefined;
  /** As of `gumbel`; used without replacement. */
  readonly mode?: GumbelMode | null | undefined;
}

/**
 * Random elements of an array along an axis, or of 0, …, n − 1.
 *
 * @param a an array, or an integer n.
 * @param rest `shape` (default `[]`), `replace` (default true), `p`, `axis` (default 0), `mode`.
 * @example
 * random.choice(random.key(0), np.array([7, 7]), [3]) // [7, 7, 7]
 */
export const choice = /* @__PURE__ */ unit(
  "choice",
  1,
  function choice(
    key: NDArray,
    a: ArrayLike,
    ...rest:
      | readonly []
      | readonly [Shape | number | ChoiceOptions]
      | readonly [Shape | number, boolean | ChoiceOptions]
      | readonly [Shape | number, boolean, ArrayLike | null | ChoiceOptions]
      | readonly [Shape | number, boolean, ArrayLike | null, number | ChoiceOptions]
  ): NDArray {
    const names = ["shape", "replace", "p", "axis", "mode"] as const;
    const given = readOptions<ChoiceOptions>("random.choice", names, 4, rest);
    const shape = parseShape("random.choice", given.shape ?? []);
    const count = asCount("choice", a);
    const x = count === null ? asArray(a, "random.choice") : null;
    const axis = canonicalAxis("random.choice", given.axis ?? 0, x?.ndim ?? 1);
    const population = x ? x.shape[axis]! : count!;
    const whole = x ? [...x.shape.slice(0, axis), ...shape, ...x.shape.slice(axis + 1)] : shape;
    const draws = sizeOf(shape);
    if (draws === 0) return full(shape, 0, x?.dtype ?? "int32");
    const replace = given.replace ?? true;
    checkPopulation(population, draws, replace);
    const k = asKey("choice", key);
    if (given.p == null && !replace) {
      const order = x ? permutation(k, x, axis) : permutation(k, population);
      return reshape(sliceInDim(order, 0, draws, { axis }), whole);
    }
    const positions =
      given.p == null ? randint(k, shape, 0, population) : weighted(k, given.p, population, shape, replace, given.mode);
    return x ? reshape(takeAlong(x, positions, axis), whole) : reshape(positions, shape);
  },
);

/** Positions drawn with given probabilities. */
function weighted(
  key: NDArray,
  p: ArrayLike,
  population: number,
  shape: Shape,
  replace: boolean,
  mode: ChoiceOptions["mode"],
): NDArray {
  const given = asArray(p, "random.choice");
  const probabilities = convert(given, isInexact(given.dtype) ? given.dtype : "float32");
  if (probabilities.ndim !== 1 || probabilities.shape[0] !== population)
    throw new ShapeError("ChoiceProbabilities", {
      what: `random.choice: p has shape ${shapeText(probabilities.shape)}, for ${population} elements to choose from`,
      why: "every element needs its own probability",
      fix: `pass a p of shape (${population},)`,
    });
  if (!replace) {
    const scores = add(gumbels(key, [population], probabilities.dtype, mode), log(probabilities));
    return topK(scores, sizeOf(shape))[1];
  }
  const cumulative = cumsum(probabilities);
  const total = indexInDim(cumulative, -1, 0, false);
  return firstNotBelow(cumulative, mul(sub(1, uniformFloats(key, shape, cumulative.dtype)), total));
}

/** For each value the first position in a sorted vector whose element is not below it, by bisection. */
function firstNotBelow(sorted: NDArray, values: NDArray): NDArray {
  const n = sorted.shape[0]!;
  let low = full(values.shape, 0, "int32");
  let high = full(values.shape, n, "int32");
  for (let level = Math.ceil(Math.log2(n + 1)); level > 0; level--) {
    const middle = shiftRightLogical(add(low, high), 1);
    const left = leArrays(values, takeAlong(sorted, middle, 0));
    [low, high] = [selectArrays(left, low, middle), selectArrays(left, middle, high)];
  }
  return high;
}

function checkPopulation(population: number, draws: number, replace: boolean): void {
  if (population <= 0)
    throw new ArgumentError("NothingToChoose", {
      what: `random.choice: ${draws} draws from ${population} elements`,
      why: "there must be something to draw",
      fix: "pass at least one element",
    });
  if (!replace && draws > population)
    throw new ArgumentError("TooManyDraws", {
      what: `random.choice: ${draws} draws without replacement from ${population} elements`,
      why: "without replacement every element is drawn at most once",
      fix: "draw fewer, or allow replacement",
    });
}
