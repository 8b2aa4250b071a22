/** sort and topK on host arrays: lines along an axis are sorted by keys (`radixSort.ts`), their elements moved afterwards. */
import type { Aval } from "../core/aval.ts";
import { isFloat } from "../core/dtype.ts";
import { type HostArray, type TypedArray, allocateLike, lanesOf } from "../core/hostArray.ts";
import { type Shape, sizeOf } from "../core/shape.ts";
import { type LinePlace, decoder, encoders, kthSmallest, lineOf, zeroKey } from "./radixSort.ts";

/** Calls `f` with every line along an axis, and its number. */
function eachLine(shape: Shape, axis: number, f: (place: LinePlace, line: number) => void): void {
  const step = sizeOf(shape.slice(axis + 1));
  const outer = sizeOf(shape.slice(0, axis));
  const n = shape[axis]!;
  for (let o = 0; o < outer; o++) for (let i = 0; i < step; i++) f({ start: o * n * step + i, step, n }, o * step + i);
}

export function sortHost(ins: readonly HostArray[], dimension: number, numKeys: number): readonly HostArray[] {
  const x = ins[0]!;
  if (ins.length === 1 && lanesOf(x.dtype) === 1) return [sortAlone(x, dimension)];
  const outs = ins.map((v) => allocateLike(v));
  const words = ins.slice(0, numKeys).flatMap((v) => encoders(v, "equal"));
  const line = lineOf(x.shape[dimension]!, true);
  eachLine(x.shape, dimension, (place) => {
    line.sortByWords(words.length, (word, to) => words[word]!(place, to));
    ins.forEach((v, k) => permute(v, outs[k]!.data, line.order, place));
  });
  return outs;
}

function permute({ data, dtype }: HostArray, to: TypedArray, order: Uint32Array, { start, step, n }: LinePlace): void {
  if (lanesOf(dtype) === 1) {
    for (let i = 0, p = start; i < n; i++, p += step) to[p] = data[start + order[i]! * step]!;
    return;
  }
  for (let i = 0, p = start; i < n; i++, p += step) {
    const from = start + order[i]! * step;
    to[2 * p] = data[2 * from]!;
    to[2 * p + 1] = data[2 * from + 1]!;
  }
}

// ---------------------------------------------------------------- one operand

/** Nothing moves with the keys, and they tell the elements. Only −0 and 0 have the same, so zeros are copied in their order. */
function sortAlone(x: HostArray, axis: number): HostArray {
  const out = allocateLike(x);
  if (x.dtype === "float64") {
    sortDoubles(x, axis, out);
    return out;
  }
  const encode = encoders(x, "equal")[0]!;
  const decode = decoder(out);
  const line = lineOf(x.shape[axis]!, false);
  eachLine(x.shape, axis, (place) => {
    encode(place, line.keys);
    line.sort();
    decode(line.keys, place);
    if (!isFloat(x.dtype)) return;
    const first = countBelow(line.keys, zeroKey);
    if (line.keys[first] === zeroKey) copyZeros(x, out, first, place);
  });
  return out;
}

/** The engine's sort, which differs only in putting −0 before 0, is as fast as radix sort of keys of two words. */
function sortDoubles(x: HostArray, axis: number, out: HostArray): void {
  const line = new Float64Array(x.shape[axis]!);
  eachLine(x.shape, axis, (place) => {
    const { start, step, n } = place;
    for (let i = 0, p = start; i < n; i++, p += step) line[i] = x.data[p]!;
    line.sort();
    for (let i = 0, p = start; i < n; i++, p += step) out.data[p] = line[i]!;
    const first = line.indexOf(0);
    if (first >= 0) copyZeros(x, out, first, place);
  });
}

/** Writes the zeros of a line, in the order they have there, from the given place on. */
function copyZeros({ data }: HostArray, out: HostArray, first: number, line: LinePlace): void {
  const { start, step, n } = line;
  for (let i = 0, p = start, to = start + first * step; i < n; i++, p += step)
    if (data[p] === 0) {
      out.data[to] = data[p]!;
      to += step;
    }
}

/** How many of some sorted keys are below a key. */
function countBelow(keys: Uint32Array, key: number): number {
  let [low, high] = [0, keys.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (keys[middle]! < key) low = middle + 1;
    else high = middle;
  }
  return low;
}

// ---------------------------------------------------------------- topK

export function topKHost(x: HostArray, k: number, axis: number, values: Aval, indices: Aval): readonly HostArray[] {
  const [top, at] = [allocateLike(values), allocateLike(indices)];
  if (k === 0) return [top, at];
  const n = x.shape[axis]!;
  const words = encoders(x, "signed");
  const keys = words.map(() => new Uint32Array(n));
  const inner = sizeOf(x.shape.slice(axis + 1));
  let line = lineOf(0, true);
  const chosen = new Uint32Array(n);
  eachLine(x.shape, axis, (place, index) => {
    // Complements, so that the largest are first and equal ones in order.
    words.forEach((encode, word) => {
      encode(place, keys[word]!);
      complement(keys[word]!);
    });
    const count = choose(keys[0]!, k, words.length === 1, chosen);
    if (line.length !== count) line = lineOf(count, true);
    line.sortByWords(words.length, (word, to) => {
      for (let i = 0; i < count; i++) to[i] = keys[word]![chosen[i]!]!;
    });
    const to = Math.floor(index / inner) * k * inner + (index % inner);
    for (let i = 0; i < k; i++) {
      const from = chosen[line.order[i]!]!;
      top.data[to + i * inner] = x.data[place.start + from * place.step]!;
      at.data[to + i * inner] = from;
    }
  });
  return [top, at];
}
function complement(keys: Uint32Array): void {
  for (let i = 0; i < keys.length; i++) keys[i] = ~keys[i]!;
}

/** Shorter lines, and more of a line than a quarter, are sorted whole. */
const selectionLength = 256;

/**
 * Writes places among which the `k` smallest are, in order, and tells how many. Of keys equal to the k-th only as many as
 * are needed if the key is all that counts.
 */
function choose(keys: Uint32Array, k: number, isAll: boolean, places: Uint32Array): number {
  const n = keys.length;
  let count = 0;
  if (n < selectionLength || 4 * k > n) {
    for (; count < n; count++) places[count] = count;
    return n;
  }
  const { key, below } = kthSmallest(keys, k);
  let ties = isAll ? k - below : n;
  for (let i = 0; i < n; i++) {
    if (keys[i]! > key || (keys[i] === key && ties-- <= 0)) continue;
    places[count++] = i;
  }
  return count;
}
