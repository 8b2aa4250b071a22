/** Ranks, the most frequent element, and the standard error of the mean. */
import type { ArrayLike } from "../../core/arrayMethods.ts";
import type { NDArray } from "../../core/ndarray.ts";
import { asArray } from "../../core/operands.ts";
import { ArgumentError } from "../../core/problem.ts";
import { canonicalAxis, dropAxes } from "../../core/shape.ts";
import { convert, moveAxis, reshape } from "../../core/structural.ts";
import * as lax from "../../lax/index.ts";
import { type Rest, checkChoice, given, integer } from "../../numpy/arguments.ts";
import * as np from "../../numpy/index.ts";
import { floats } from "../operands.ts";
import { unit } from "../../core/unit.ts";

export type NanPolicy = "propagate" | "omit" | "raise";

/** Refuses what cannot be decided without looking at values. */
function checkPolicy(name: string, policy: NanPolicy, omits: boolean): void {
  checkChoice(name, "nanPolicy", policy, omits ? ["propagate", "omit"] : ["propagate", "omit", "raise"]);
  if (policy === "propagate" || (omits && policy === "omit")) return;
  throw new ArgumentError("NanPolicy", {
    what: `${name}: nanPolicy ${JSON.stringify(policy)} is not supported`,
    why: "whether there are NaNs is not known when a program is traced",
    fix: 'check with numpy.isnan first, and use "propagate"',
  });
}

/** Where runs of equal elements begin along the last axis of a sorted array. NaNs are one run. */
function runStarts(sorted: NDArray): NDArray {
  const last = sorted.ndim - 1;
  const n = sorted.shape[last]!;
  const [before, after] = [
    lax.sliceInDim(sorted, 0, n - 1, { axis: last }),
    lax.sliceInDim(sorted, 1, n, { axis: last }),
  ];
  const bothNaN = np.logicalAnd(np.notEqual(before, before), np.notEqual(after, after));
  const changes = np.logicalAnd(np.notEqual(before, after), np.logicalNot(bothNaN));
  const first = np.ones([...sorted.shape.slice(0, last), 1], { dtype: "bool" });
  return np.concatenate([first, changes], last);
}

/** The position along the last axis. */
const positions = (x: NDArray): NDArray => lax.broadcastedIota("int32", x.shape, x.ndim - 1);

/** The position where each element's run begins. */
const beginnings = (starts: NDArray): NDArray =>
  lax.cummax(np.where(starts, positions(starts), 0), { axis: starts.ndim - 1 });

// ---------------------------------------------------------------- mode

export interface ModeOptions {
  /** The axis to look along (default 0); null: the flattened array. */
  readonly axis?: number | null | undefined;
  /** Only "propagate", the default: NaNs are equal elements. */
  readonly nanPolicy?: NanPolicy | undefined;
  readonly keepdims?: boolean | undefined;
}

/**
 * The most frequent element along an axis, the least of them if there are several, and how often it occurs.
 *
 * @param rest `axis` (default 0), `nanPolicy`, `keepdims`.
 * @example
 * scipy.stats.mode(np.array([3, 1, 3, 2])) // { mode: 3, count: 2 }
 */
export const mode = /* @__PURE__ */ unit(
  "mode",
  1,
  function mode(
    a: ArrayLike,
    ...rest: Rest<[number | null, NanPolicy, boolean], ModeOptions>
  ): { mode: NDArray; count: NDArray } {
    const name = "scipy.stats.mode";
    const options = given<ModeOptions>(name, ["axis", "nanPolicy", "keepdims"], 3, rest);
    const { axis = 0, nanPolicy = "propagate", keepdims = false } = options;
    checkPolicy(name, nanPolicy, false);
    const array = np.atleast1d(asArray(a, name));
    const flat = axis === null ? reshape(array, [array.size]) : array;
    const along = canonicalAxis(name, axis ?? 0, flat.ndim);
    const outer = axis === null ? [] : dropAxes(flat.shape, [along]);
    const shape = keepdims ? array.shape.map((n, i) => (axis === null || i === along ? 1 : n)) : outer;
    if (flat.shape[along] === 0)
      return { mode: np.full(shape, NaN, { dtype: "float32" }), count: np.zeros(shape, { dtype: "float32" }) };
    const sorted = np.sort(moveAxis(flat, along, flat.ndim - 1), -1);
    const starts = runStarts(sorted);
    // How far each element is into its run: the longest run reaches farthest.
    const lengths = np.add(np.subtract(positions(sorted), beginnings(starts)), 1);
    const best = np.argmax(lengths, -1, { keepdims: true });
    const pick = (x: NDArray): NDArray => reshape(np.takeAlongAxis(x, best, -1), shape);
    return { mode: pick(sorted), count: pick(lengths) };
  },
  { numbers: "inputs" },
);

// ---------------------------------------------------------------- ranks

export type RankMethod = "average" | "min" | "max" | "dense" | "ordinal";
const rankMethods: readonly RankMethod[] = ["average", "min", "max", "dense", "ordinal"];

export interface RankOptions {
  /** The rank of equal elements: the mean, least or greatest of theirs, that of the distinct values, or in order. */
  readonly method?: RankMethod | undefined;
  /** The axis to rank along; null (default): the flattened array. */
  readonly axis?: number | null | undefined;
  /** Only "propagate", the default: with a NaN among them all ranks are NaN. */
  readonly nanPolicy?: NanPolicy | undefined;
}

/** Ranks from 1 along the last axis of the sorted array. */
function sortedRanks(sorted: NDArray, method: RankMethod): NDArray {
  const index = positions(sorted);
  if (method === "ordinal") return np.add(index, 1);
  const last = sorted.ndim - 1;
  const starts = runStarts(sorted);
  if (method === "dense") return np.cumsum(convert(starts, "int32"), last);
  const least = np.add(beginnings(starts), 1);
  if (method === "min") return least;
  const n = sorted.shape[last]!;
  const end = np.ones([...sorted.shape.slice(0, last), 1], { dtype: "bool" });
  const ends = np.concatenate([lax.sliceInDim(starts, 1, n, { axis: last }), end], last);
  const greatest = np.add(lax.cummin(np.where(ends, index, n - 1), { axis: last, reverse: true }), 1);
  return method === "max" ? greatest : np.multiply(0.5, convert(np.add(least, greatest), "float32"));
}

/**
 * The rank of each element, from 1 for the least.
 *
 * @param rest `method` ("average" by default, "min", "max", "dense", "ordinal"); by name `axis` (default: flattened),
 * `nanPolicy`.
 * @example
 * scipy.stats.rankdata(np.array([10, 30, 20, 20])) // [1, 4, 2.5, 2.5]
 */
export const rankdata = /* @__PURE__ */ unit(
  "rankdata",
  1,
  function rankdata(a: ArrayLike, ...rest: Rest<[RankMethod], RankOptions>): NDArray {
    const name = "scipy.stats.rankdata";
    const options = given<RankOptions>(name, ["method", "axis", "nanPolicy"], 1, rest);
    const { method = "average", axis = null, nanPolicy = "propagate" } = options;
    checkChoice(name, "method", method, rankMethods);
    checkPolicy(name, nanPolicy, false);
    const array = asArray(a, name);
    const flat = axis === null ? reshape(array, [array.size]) : array;
    const along = canonicalAxis(name, axis ?? 0, flat.ndim);
    if (flat.size === 0) return convert(flat, "float32", false);
    const last = flat.ndim - 1;
    const rows = moveAxis(flat, along, last);
    const order = np.argsort(rows, last);
    const ranks = convert(sortedRanks(np.takeAlongAxis(rows, order, last), method), "float32");
    // The inverse of a permutation sorts it.
    const inOrder = np.takeAlongAxis(ranks, np.argsort(order, last), last);
    const anyNaN = np.any(np.notEqual(rows, rows), last, { keepdims: true });
    return moveAxis(np.where(anyNaN, NaN, inOrder), last, along);
  },
  { numbers: "inputs" },
);

// ---------------------------------------------------------------- standard error

export interface SemOptions {
  /** The axis to average along (default 0); null: all. */
  readonly axis?: number | null | undefined;
  /** What is subtracted from the number of elements in the variance. Default 1. */
  readonly ddof?: number | undefined;
  /** "propagate" (default), or "omit" to leave NaNs out. */
  readonly nanPolicy?: NanPolicy | undefined;
  readonly keepdims?: boolean | undefined;
}

/**
 * The standard error of the mean: the standard deviation divided by the root of the number of elements.
 *
 * @param rest `axis` (default 0), `ddof` (default 1), `nanPolicy`; by name `keepdims`.
 * @example
 * scipy.stats.sem(np.array([1, 3, 5, 7])) // 1.2909944
 */
export const sem = /* @__PURE__ */ unit(
  "sem",
  1,
  function sem(a: ArrayLike, ...rest: Rest<[number | null, number, NanPolicy], SemOptions>): NDArray {
    const name = "scipy.stats.sem";
    const options = given<SemOptions>(name, ["axis", "ddof", "nanPolicy", "keepdims"], 3, rest);
    const { axis = 0, ddof = 1, nanPolicy = "propagate", keepdims = false } = options;
    checkPolicy(name, nanPolicy, true);
    const x = floats(name, [a])[0]!;
    const along = axis === null ? null : canonicalAxis(name, integer(name, "the axis", axis), x.ndim);
    if (nanPolicy === "omit") {
      const count = np.sum(np.logicalNot(np.isnan(x)), along, { keepdims });
      return np.divide(np.nanstd(x, { axis: along, ddof, keepdims }), np.sqrt(convert(count, x.dtype)));
    }
    const n = along === null ? x.size : x.shape[along]!;
    return np.divide(np.std(x, { axis: along, ddof, keepdims }), Math.sqrt(n));
  },
  { numbers: "inputs" },
);
