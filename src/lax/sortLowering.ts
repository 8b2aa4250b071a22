/**
 * Sorting as a composition of other primitives, for devices that have no sort of their own. What is sorted are keys
 * together with positions; the operands are read at the sorted positions at the end. Short lines are sorted by counting
 * what comes before each element, long ones by Batcher's bitonic network in the form where all comparisons go the same
 * way: O(n log² n) comparisons, O(n) memory. The network is a loop whose body pairs elements by a number it is given, so
 * that it is one small kernel. Written out, its stages fuse, and each doubles the reads and the text of the next.
 */
import { Aval } from "../core/aval.ts";
import { isBool, isComplex, isFloat } from "../core/dtype.ts";
import { evaluator } from "../core/evaluator.ts";
import { Literal, type NDArray } from "../core/ndarray.ts";
import { range, sizeOf } from "../core/shape.ts";
import { broadcastInDim, convert, full, moveAxis, reshape } from "../core/structural.ts";
import { bind1 } from "../core/trace.ts";
import { neg, reciprocal } from "./arithmetic.ts";
import { andArrays, bitwiseNot, orArrays, xorArrays } from "./bitwise.ts";
import { bitcastConvertType } from "./cast.ts";
import { eq, eqArrays, gt, lt, ltArrays, ne, select } from "./compare.ts";
import { imag, real } from "./complex.ts";
import { scan } from "./control/loops.ts";
import { broadcastedIota } from "./creation.ts";
import { gatherP } from "./gather.ts";
import { type PadAxis, padArray, sliceInDim } from "./movement.ts";
import { reduceSum } from "./reduce.ts";
import { highest } from "./reduceLowering.ts";

/** The elements of `x` at the positions `index` of one axis; all other axes run together. */
export function takeAlong(x: NDArray, index: NDArray, axis: number): NDArray {
  const others = range(x.ndim).filter((i) => i !== axis);
  return bind1(gatherP, [x, reshape(index, [...index.shape, 1])], {
    dimensionNumbers: {
      offsetDims: [],
      collapsedSliceDims: [axis],
      startIndexMap: [axis],
      operandBatchingDims: others,
      startIndicesBatchingDims: others,
    },
    sliceSizes: x.shape.map((n, i) => (i === axis ? 1 : Math.min(n, 1))),
    mode: "promise_in_bounds",
    fillValue: null,
    // Every position is read once at most.
    uniqueIndices: true,
    indicesAreSorted: false,
  });
}

// ---------------------------------------------------------------- keys

/** How two zeros compare: as equal, or −0 first. */
type Zeros = "equal" | "signed";

/** Arrays without NaN whose lexicographic order is that of one key, with NaN after everything. */
function plainKeys(x: NDArray, zeros: Zeros): readonly NDArray[] {
  if (isComplex(x.dtype)) return [...plainKeys(real(x), zeros), ...plainKeys(imag(x), zeros)];
  if (isBool(x.dtype)) return [convert(x, "int32")];
  if (!isFloat(x.dtype)) return [x];
  return x.dtype === "float64" ? wideKeys(x, zeros) : [bitKey(convert(x, "float32"), zeros)];
}

/** The bits of a float32 as an integer of the same order. */
function bitKey(x: NDArray, zeros: Zeros): NDArray {
  const bits = bitcastConvertType(x, "int32");
  const size = andArrays(bits, literal(0x7fffffff));
  const negative = zeros === "equal" ? neg(size) : bitwiseNot(size);
  return select(gt(size, literal(0x7f800000)), literal(0x7fffffff), select(lt(bits, literal(0)), negative, size));
}
const literal = (n: number): NDArray => new Literal(new Aval([], "int32"), n);

/** A float64 has no integer of its width: whether it is NaN, the number, and where zeros differ, which one it is. */
function wideKeys(x: NDArray, zeros: Zeros): readonly NDArray[] {
  const isNaN = ne(x, x);
  const number = select(isNaN, 0, x);
  const plain = [convert(isNaN, "int32"), number];
  if (zeros === "equal") return plain;
  const isNegativeZero = andArrays(eq(x, 0), lt(reciprocal(x), 0));
  return [...plain, bitwiseNot(convert(isNegativeZero, "int32"))];
}

const reversed = (key: NDArray): NDArray => (isFloat(key.dtype) ? neg(key) : bitwiseNot(key));

// ---------------------------------------------------------------- the network

/** Whether the first of two lists comes before the second: compared from the first key on. */
const precedes = (xs: readonly NDArray[], ys: readonly NDArray[]): NDArray =>
  xs
    .map((x, i) => ({ less: ltArrays(x, ys[i]!), same: eqArrays(x, ys[i]!) }))
    .reduceRight<NDArray | null>(
      (rest, { less, same }) => (rest ? orArrays(less, andArrays(same, rest)) : less),
      null,
    )!;

/** Sorts the pairs of positions i and i ^ mask of each line; keys are the first of `xs`, positions the last. */
function exchange(xs: readonly NDArray[], mask: NDArray): readonly NDArray[] {
  const { shape } = xs[0]!;
  const own = broadcastedIota("int32", shape, 1);
  const other = xorArrays(own, broadcastInDim(mask, shape, []));
  const partners = xs.map((x) => takeAlong(x, other, 1));
  const keep = eqArrays(ltArrays(own, other), precedes(xs, partners));
  return xs.map((x, i) => select(keep, x, partners[i]!));
}

/**
 * The masks of the stages for lines of `size` elements, a power of two. A block of sorted halves is merged by pairing its
 * first element with its last, the second with the one before that, and so on; then neighbours at half the distance, a
 * quarter, …
 */
function masksFor(size: number): NDArray {
  const masks: number[] = [];
  for (let block = 2; block <= size; block *= 2) {
    masks.push(block - 1);
    for (let half = block / 4; half >= 1; half /= 2) masks.push(half);
  }
  return evaluator().fromHost({ shape: [masks.length], dtype: "int32", data: Int32Array.from(masks) }, false);
}

/** For each line along the last axis of keys of shape [rows, n], the positions of its elements in order. */
function sortedPositions(keys: readonly NDArray[]): NDArray {
  const [rows, n] = keys[0]!.shape as readonly [number, number];
  const size = 2 ** Math.ceil(Math.log2(n));
  // Padding has the greatest keys and later positions than all elements.
  const padding: readonly PadAxis[] = [
    [0, 0, 0],
    [0, size - n, 0],
  ];
  const padded = keys.map((k) =>
    padArray(k, full([], isFloat(k.dtype) ? Infinity : highest(k.dtype), k.dtype), padding),
  );
  const xs = [...padded, broadcastedIota("int32", [rows, size], 1)];
  const [sorted] = scan((pair: NDArray[], mask: NDArray) => [exchange(pair, mask), null], xs, masksFor(size));
  return sliceInDim(sorted.at(-1)!, 0, n, 1, 1);
}

/** Lines of up to this many elements are sorted by n² comparisons, in two kernels. */
const shortLine = 32;

/** The same for short lines: the position of an element is the number of those that come before it. */
function countedPositions(keys: readonly NDArray[]): NDArray {
  const [rows, n] = keys[0]!.shape as readonly [number, number];
  const shape = [rows, n, n];
  const all = [...keys, broadcastedIota("int32", [rows, n], 1)];
  const [these, those] = [0, 1].map((axis) => all.map((x) => broadcastInDim(x, shape, [0, axis + 1])));
  const ranks = reduceSum(convert(precedes(those!, these!), "int32"), [2]);
  const here = eqArrays(broadcastInDim(ranks, shape, [0, 2]), broadcastedIota("int32", shape, 1));
  return reduceSum(select(here, broadcastedIota("int32", shape, 2), literal(0)), [2]);
}

/** The order of the elements along an axis by several keys, as positions of the shape of the keys. */
function orderOf(keys: readonly NDArray[], axis: number): NDArray {
  const last = keys[0]!.ndim - 1;
  const moved = keys.map((k) => moveAxis(k, axis, last));
  const { shape } = moved[0]!;
  const n = shape[last]!;
  const lines = moved.map((k) => reshape(k, [sizeOf(shape) / n, n]));
  const positions = n <= shortLine ? countedPositions(lines) : sortedPositions(lines);
  return moveAxis(reshape(positions, shape), last, axis);
}

export function composeSort(ins: readonly NDArray[], dimension: number, numKeys: number): readonly NDArray[] {
  if (ins[0]!.size === 0 || ins[0]!.shape[dimension] === 1) return ins;
  const keys = ins.slice(0, numKeys).flatMap((x) => plainKeys(x, "equal"));
  const order = orderOf(keys, dimension);
  return ins.map((x) => takeAlong(x, order, dimension));
}

export function composeTopK(x: NDArray, k: number, axis: number): readonly NDArray[] {
  if (x.size === 0) {
    const none = sliceInDim(x, 0, k, 1, axis);
    return [none, full(none.shape, 0, "int32")];
  }
  const order = orderOf(plainKeys(x, "signed").map(reversed), axis);
  const positions = sliceInDim(order, 0, k, 1, axis);
  return [takeAlong(x, positions, axis), positions];
}
