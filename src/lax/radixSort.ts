/**
 * Sorting and selection of lines of host arrays by keys of 32-bit words, whose order as whole numbers is that of the
 * elements: radix sort from the lowest digit on, which is stable, and the engine's sort of numbers for short lines.
 */
import { type DType, isComplex } from "../core/dtype.ts";
import type { HostArray } from "../core/hostArray.ts";

/** Whether −0 equals 0, or comes before it. */
export type Zeros = "equal" | "signed";

/** Lines of up to this many elements are sorted by insertion. */
export const insertionLength = 48;
/** From this length on digits have 11 bits, below 8. */
export const wideDigitsLength = 3000;

/** The elements of a line: `n` from `start` on, in steps. */
export interface LinePlace {
  readonly start: number;
  readonly step: number;
  readonly n: number;
}

// ---------------------------------------------------------------- keys

/** Writes a word of the keys of a line. */
export type Encoder = (line: LinePlace, to: Uint32Array) => void;

/** The key of a float32 0, where −0 has the same. */
export const zeroKey = 0x80000000;
const signBit = zeroKey | 0;
/** What is added to signed integers to make them positive. */
const biases: Readonly<Partial<Record<DType, number>>> = { int8: 0x80, int16: 0x8000, int32: 0x80000000 };

const wordsOf = ({ data }: HostArray): Uint32Array =>
  new Uint32Array(data.buffer, data.byteOffset, data.byteLength / 4);

/** The words of an array's keys, the highest first. NaN is above everything and equal to itself. */
export function encoders(x: HostArray, zeros: Zeros): readonly Encoder[] {
  const { data, dtype } = x;
  if (isComplex(dtype)) return [0, 1].map((lane) => singleEncoder(wordsOf(x), 2, lane, zeros));
  if (data instanceof Float64Array) return doubleEncoders(wordsOf(x), zeros);
  if (data instanceof Float32Array) return [singleEncoder(wordsOf(x), 1, 0, zeros)];
  const bias = biases[dtype] ?? 0;
  return [
    ({ start, step, n }, to) => {
      for (let i = 0, p = start; i < n; i++, p += step) to[i] = data[p]! + bias;
    },
  ];
}

/** Signs of numbers in no order cost more than arithmetic if they are asked for: it is the same for both, in whole numbers. */
function singleEncoder(bits: Uint32Array, lanes: number, lane: number, zeros: Zeros): Encoder {
  // The negative of a size is its complement and 1; without that, −0 comes before 0.
  const carry = zeros === "equal" ? 1 : 0;
  return ({ start, step, n }, to) => {
    for (let i = 0, p = start * lanes + lane; i < n; i++, p += step * lanes) {
      const b = bits[p]! | 0;
      const size = b & 0x7fffffff;
      const negative = b >> 31;
      to[i] = size > 0x7f800000 ? -1 : (((size ^ negative) + (negative & carry)) | 0) ^ signBit;
    }
  };
}

function doubleEncoders(words: Uint32Array, zeros: Zeros): readonly [Encoder, Encoder] {
  const carry = zeros === "equal" ? 1 : 0;
  const each =
    (isHigh: boolean): Encoder =>
    ({ start, step, n }, to) => {
      for (let i = 0, p = 2 * start; i < n; i++, p += 2 * step) {
        const [low, high] = [words[p]! | 0, words[p + 1]! | 0];
        const size = high & 0x7fffffff;
        const negative = high >> 31;
        const isNaN = size > 0x7ff00000 || (size === 0x7ff00000 && low !== 0);
        if (isNaN) to[i] = -1;
        else if (isHigh) to[i] = (((size ^ negative) + (low === 0 ? negative & carry : 0)) | 0) ^ signBit;
        else to[i] = ((low ^ negative) + (negative & carry)) | 0;
      }
    };
  return [each(true), each(false)];
}

/** Writes the elements that sorted keys of one word stand for: zeros as 0. */
export function decoder(out: HostArray): (keys: Uint32Array, to: LinePlace) => void {
  const { data, dtype } = out;
  if (data instanceof Float32Array) return singleDecoder(wordsOf(out));
  const bias = biases[dtype] ?? 0;
  return (keys, { start, step, n }) => {
    for (let i = 0, p = start; i < n; i++, p += step) data[p] = keys[i]! - bias;
  };
}
const singleDecoder =
  (words: Uint32Array) =>
  (keys: Uint32Array, { start, step, n }: LinePlace): void => {
    for (let i = 0, p = start; i < n; i++, p += step) {
      const key = keys[i]! | 0;
      words[p] = key < 0 ? (key === -1 ? 0x7fc00000 : key ^ signBit) : (0 - key) | 0;
    }
  };

// ---------------------------------------------------------------- one line

const digitBits = 11;
const digitSize = 2 ** digitBits;
const digits = 3;
/** Below this length counting digits takes longer than the engine's sort of numbers. */
const radixLength = 512;

/** The keys of `n` elements and, if other things move with them, their positions in the line; with room for as much. */
class Line {
  readonly length: number;
  keys: Uint32Array;
  /** Empty if nothing moves with the keys. */
  order: Uint32Array;
  #otherKeys: Uint32Array;
  #otherOrder: Uint32Array;
  readonly #counts: Uint32Array;
  readonly #packed: Float64Array;

  constructor(n: number, ordered: boolean) {
    const short = n < radixLength;
    this.length = n;
    [this.keys, this.#otherKeys] = [new Uint32Array(n), new Uint32Array(n)];
    this.order = new Uint32Array(ordered ? n : 0);
    this.#otherOrder = new Uint32Array(ordered && !short ? n : 0);
    this.#packed = new Float64Array(ordered && short ? n : 0);
    this.#counts = new Uint32Array(short ? 0 : digits * digitSize);
  }

  /** Sorts the keys, and the positions with them. Equal keys stay in order. */
  sort(): void {
    if (this.length >= radixLength) this.#radix();
    else if (this.order.length > 0) this.#sortPacked();
    else this.keys.sort();
  }

  /** The order of the elements by several words, the lowest last. `load` writes the words in their first order. */
  sortByWords(words: number, load: (word: number, to: Uint32Array) => void): void {
    for (let i = 0; i < this.length; i++) this.order[i] = i;
    for (let word = words - 1; word >= 0; word--) {
      load(word, this.keys);
      if (word < words - 1) this.#follow();
      this.sort();
    }
  }
  /** Brings keys that were loaded into the order so far. */
  #follow(): void {
    const { keys, order } = this;
    const moved = this.#otherKeys;
    for (let i = 0; i < keys.length; i++) moved[i] = keys[order[i]!]!;
    [this.keys, this.#otherKeys] = [moved, keys];
  }

  /** A key and its place are a whole number below 2^53; the engine sorts such numbers without calls. */
  #sortPacked(): void {
    const { keys, order, length } = this;
    const packed = this.#packed;
    const places = this.#otherKeys;
    for (let i = 0; i < length; i++) packed[i] = keys[i]! * radixLength + i;
    packed.sort();
    for (let i = 0; i < length; i++) {
      const key = Math.floor(packed[i]! / radixLength);
      keys[i] = key;
      places[i] = order[packed[i]! - key * radixLength]!;
    }
    [this.order, this.#otherKeys] = [places, order];
  }

  #radix(): void {
    if (this.#count()) return;
    for (let digit = 0; digit < digits; digit++) {
      const shift = digit * digitBits;
      const counts = this.#counts.subarray(digit * digitSize, (digit + 1) * digitSize);
      // All keys have the same digit.
      if (counts[(this.keys[0]! >>> shift) & (digitSize - 1)] === this.length) continue;
      let sum = 0;
      for (let b = 0; b < digitSize; b++) {
        const c = counts[b]!;
        counts[b] = sum;
        sum += c;
      }
      if (this.order.length > 0) this.#movePairs(counts, shift);
      else this.#moveKeys(counts, shift);
    }
  }

  /** How often each digit occurs; true if the keys are in order already. */
  #count(): boolean {
    const { keys } = this;
    const counts = this.#counts;
    const mask = digitSize - 1;
    counts.fill(0);
    let previous = 0;
    let falls = 0;
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i]!;
      falls |= Number(key < previous);
      previous = key;
      counts[key & mask]!++;
      counts[digitSize + ((key >>> digitBits) & mask)]!++;
      counts[2 * digitSize + (key >>> (2 * digitBits))]!++;
    }
    return falls === 0;
  }
  #moveKeys(places: Uint32Array, shift: number): void {
    const { keys } = this;
    const to = this.#otherKeys;
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i]!;
      to[places[(key >>> shift) & (digitSize - 1)]!++] = key;
    }
    [this.keys, this.#otherKeys] = [to, keys];
  }
  #movePairs(places: Uint32Array, shift: number): void {
    const { keys, order } = this;
    const [to, orderTo] = [this.#otherKeys, this.#otherOrder];
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i]!;
      const place = places[(key >>> shift) & (digitSize - 1)]!++;
      to[place] = key;
      orderTo[place] = order[i]!;
    }
    [this.keys, this.#otherKeys] = [to, keys];
    [this.order, this.#otherOrder] = [orderTo, order];
  }
}

/** Longer ones are not kept. */
const keptLength = 2 ** 20;
let kept: Line | null = null;

/** Room for lines of a length; that of the last call, if it fits, because engines take long to clear new memory. */
export function lineOf(n: number, ordered: boolean): Line {
  if (kept?.length === n && kept.order.length > 0 === ordered) return kept;
  const line = new Line(n, ordered);
  if (n <= keptLength) kept = line;
  return line;
}

/** The k-th smallest of some keys, k from 1 on, and how many are below: digit by digit from the highest on. */
export function kthSmallest(keys: Uint32Array, k: number): { readonly key: number; readonly below: number } {
  const counts = new Uint32Array(digitSize);
  let [key, below] = [0, 0];
  for (let shift = (digits - 1) * digitBits; shift >= 0; shift -= digitBits) {
    const above = shift + digitBits;
    const prefix = above >= 32 ? 0 : key >>> above;
    counts.fill(0);
    for (let i = 0; i < keys.length; i++) {
      const v = keys[i]!;
      if (above >= 32 || v >>> above === prefix) counts[(v >>> shift) & (digitSize - 1)]!++;
    }
    let digit = 0;
    for (; below + counts[digit]! < k; digit++) below += counts[digit]!;
    key += digit * 2 ** shift;
  }
  return { key, below };
}
