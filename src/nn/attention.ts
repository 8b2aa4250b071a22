/** Scaled dot-product attention (Vaswani et al., 2017), with grouped heads, masks and windows. */
import type { ArrayLike } from "../core/arrayMethods.ts";
import type { NDArray } from "../core/ndarray.ts";
import { asArray } from "../core/operands.ts";
import { ArgumentError, ShapeError } from "../core/problem.ts";
import { shapeText } from "../core/shape.ts";
import { readOptions } from "../lax/arguments.ts";
import * as lax from "../lax/index.ts";
import * as np from "../numpy/index.ts";
import { stopGradient } from "../transforms/scopes.ts";
import { logsumexp, softmax } from "./normalize.ts";
import { unit } from "../core/unit.ts";

export interface AttentionOptions {
  /** Added to the logits; broadcasts to [batch, heads, queries, keys]. */
  readonly bias?: ArrayLike | null | undefined;
  /** Which logits count, boolean; broadcasts likewise. */
  readonly mask?: ArrayLike | null | undefined;
  /** Factor of the logits. Default 1/√(size of a head). */
  readonly scale?: number | null | undefined;
  /** Query t sees keys 0 … t only. */
  readonly isCausal?: boolean | undefined;
  /** Lengths of the sequences, int32 [batch]; what is beyond is padding. */
  readonly querySeqLengths?: ArrayLike | null | undefined;
  readonly keyValueSeqLengths?: ArrayLike | null | undefined;
  /** How far a query sees to the left and right. */
  readonly localWindowSize?: number | readonly [left: number, right: number] | null | undefined;
  /** Accepted for JAX's sake: there is one implementation. */
  readonly implementation?: "xla" | null | undefined;
  /** Give `[result, logsumexp of the logits]`. */
  readonly returnResidual?: boolean | undefined;
}
const names = [
  "bias",
  "mask",
  "scale",
  "isCausal",
  "querySeqLengths",
  "keyValueSeqLengths",
  "localWindowSize",
  "implementation",
  "returnResidual",
] as const;

/** Large enough to vanish in a softmax, small enough to stay finite when a bias is added. */
const largeNegative = -0.7 * 3.4028234663852886e38;

/**
 * softmax(scale·q kᵀ + bias) v, for every head. Optional are `bias`, `mask`, and by name `scale`, `isCausal`, `querySeqLengths`,
 * `keyValueSeqLengths`, `localWindowSize`, `returnResidual`.
 *
 * @param query [batch, queries, heads, size], or without the batch axis.
 * @param key [batch, keys, heads', size]; heads must be a multiple of heads'.
 * @param value of the shape of `key`.
 * @returns an array of the shape of `query`.
 * @example
 * nn.dotProductAttention(np.ones([1, 1, 2]), np.ones([3, 1, 2]), np.ones([3, 1, 2])) // [[[1, 1]]]
 */
export function dotProductAttention(
  query: ArrayLike,
  key: ArrayLike,
  value: ArrayLike,
  options: AttentionOptions & { readonly returnResidual: true },
): [NDArray, NDArray];
export function dotProductAttention(
  query: ArrayLike,
  key: ArrayLike,
  value: ArrayLike,
  ...rest:
    | readonly []
    | readonly [ArrayLike | null | AttentionOptions]
    | readonly [ArrayLike | null, ArrayLike | null | AttentionOptions]
    | readonly [ArrayLike | null, ArrayLike | null, AttentionOptions]
): NDArray;
export function dotProductAttention(
  query: ArrayLike,
  key: ArrayLike,
  value: ArrayLike,
  ...rest: readonly unknown[]
): NDArray | [NDArray, NDArray] {
  return dotProductAttentionUnit(query, key, value, ...rest);
}
const dotProductAttentionUnit = /* @__PURE__ */ unit(
  "dotProductAttention",
  3,
  function dotProductAttention(
    query: ArrayLike,
    key: ArrayLike,
    value: ArrayLike,
    ...rest: readonly unknown[]
  ): NDArray | [NDArray, NDArray] {
    const options = readOptions<AttentionOptions>("nn.dotProductAttention", names, 2, rest);
    const [q, k, v] = [query, key, value].map((x) => withBatch(asArray(x, "nn.dotProductAttention")));
    checkShapes(q!, k!, v!);
    const [encoded, residual] = attend(q!, k!, v!, options);
    const { shape } = asArray(query);
    const result = np.reshape(encoded, shape);
    return options.returnResidual ? [result, np.reshape(stopGradient(residual()), shape.slice(0, -1))] : result;
  },
);

/** Missing leading axes are of length 1. */
const withBatch = (x: NDArray): NDArray =>
  x.ndim >= 4 ? x : np.reshape(x, [...new Array<number>(4 - x.ndim).fill(1), ...x.shape]);

function attend(q: NDArray, k: NDArray, v: NDArray, options: AttentionOptions): [NDArray, () => NDArray] {
  const [batch, queries, heads, size] = q.shape as [number, number, number, number];
  const [, keys, sharedHeads] = k.shape as [number, number, number, number];
  const groups = heads / sharedHeads;
  // Narrow floats are multiplied in float32, as the hardware JAX runs on does.
  const wide = (x: NDArray): NDArray => (x.dtype === "float64" ? x : np.astype(x, "float32"));
  const grouped = np.reshape(wide(q), [batch, queries, sharedHeads, groups, size]);
  // [batch, shared heads, queries, groups, keys]
  const products = lax.dotGeneral(grouped, wide(k), [
    [[4], [3]],
    [
      [0, 2],
      [0, 2],
    ],
  ]);
  const ordered = np.reshape(np.transpose(products, [0, 1, 3, 2, 4]), [batch, heads, queries, keys]);
  const scaled = np.multiply(ordered, options.scale ?? 1 / Math.sqrt(size));
  const biased = options.bias == null ? scaled : np.add(scaled, wide(withBatch(asArray(options.bias))));
  const mask = combinedMask(queries, keys, options);
  const logits = mask ? np.where(mask, biased, largeNegative) : biased;
  const weights = np.reshape(np.astype(softmax(logits), k.dtype), [batch, sharedHeads, groups, queries, keys]);
  // [batch, shared heads, groups, queries, size]
  const sums = lax.dotGeneral(weights, v, [
    [[4], [1]],
    [
      [0, 1],
      [0, 2],
    ],
  ]);
  const mixed = np.reshape(np.transpose(sums, [0, 3, 1, 2, 4]), [batch, queries, heads, size]);
  const encoded =
    options.querySeqLengths == null ? mixed : np.multiply(mixed, inside(options.querySeqLengths, queries, mixed));
  return [encoded, () => np.transpose(np.astype(logsumexp(logits, -1), k.dtype), [0, 2, 1])];
}

/** 1 where a query is not padding, 0 where it is: [batch, queries, 1, 1]. */
const inside = (lengths: ArrayLike, queries: number, like: NDArray): NDArray =>
  np.astype(np.expandDims(before(lengths, queries), [2, 3]), like.dtype);

/** Positions before the end of each sequence: [batch, n]. */
const before = (lengths: ArrayLike, n: number): NDArray => np.less(np.arange(n), np.expandDims(asArray(lengths), 1));

/** All masks together, broadcastable to [batch, heads, queries, keys]; null if there is none. */
function combinedMask(queries: number, keys: number, options: AttentionOptions): NDArray | null {
  const masks: NDArray[] = [];
  if (options.mask != null) masks.push(boolean(withBatch(asArray(options.mask))));
  const [row, column] = [np.expandDims(np.arange(queries), 1), np.arange(keys)];
  if (options.isCausal) masks.push(np.lessEqual(column, row));
  if (options.localWindowSize != null) {
    const size = options.localWindowSize;
    const [left, right] = typeof size === "number" ? [size, size] : size;
    masks.push(
      np.logicalAnd(np.lessEqual(row, np.add(column, left)), np.greaterEqual(row, np.subtract(column, right))),
    );
  }
  if (options.querySeqLengths != null) masks.push(np.expandDims(before(options.querySeqLengths, queries), [1, 3]));
  if (options.keyValueSeqLengths != null) masks.push(np.expandDims(before(options.keyValueSeqLengths, keys), [1, 2]));
  return masks.length === 0 ? null : masks.reduce((a, b) => np.logicalAnd(a, b));
}

function boolean(mask: NDArray): NDArray {
  if (mask.dtype === "bool") return mask;
  throw new ArgumentError("MaskDType", {
    what: `nn.dotProductAttention: the mask is ${mask.describe()}`,
    why: "a mask says which logits count; numbers that are added to the logits are a bias",
    fix: "pass a comparison such as numpy.greater(x, 0), or give the numbers as { bias }",
  });
}

function checkShapes(q: NDArray, k: NDArray, v: NDArray): void {
  const fits =
    [q, k, v].every((x) => x.ndim === 4) &&
    k.shape.every((n, i) => n === v.shape[i]) &&
    q.shape[0] === k.shape[0] &&
    q.shape[3] === k.shape[3] &&
    q.shape[2]! % k.shape[2]! === 0;
  if (fits) return;
  throw new ShapeError("AttentionShapes", {
    what: `nn.dotProductAttention: query ${shapeText(q.shape)}, key ${shapeText(k.shape)} and value ${shapeText(v.shape)} do not go together`,
    why:
      "query is [batch, queries, heads, size], key and value are [batch, keys, heads', size], " +
      "and heads is a multiple of heads'",
    fix: "reshape or transpose them to these shapes",
  });
}
