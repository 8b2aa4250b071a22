/**
 * Random bits: the threefry2x32 hash as a primitive, the two primitives that wrap words as keys and back, and JAX's
 * derivations over them (seed, split, foldIn, bits) in their partitionable form, the default since JAX 0.5: element i of
 * a result is the hash of the counter i, whatever the shape. Bit-exact.
 *
 * A key is two uint32 words; only this file and the devices know that.
 */
import type { ArrayLike } from "../core/arrayMethods.ts";
import { Aval } from "../core/aval.ts";
import { type DType, isInteger, isKey } from "../core/dtype.ts";
import { type HostArray, allocateLike } from "../core/hostArray.ts";
import { constantIndex } from "../core/indexing.ts";
import type { Operand, Value } from "../core/lowering.ts";
import { elementAt, pulled, together } from "../core/lowerRules.ts";
import { NDArray } from "../core/ndarray.ts";
import { asIndex, scalarLiteral } from "../core/operands.ts";
import { type AnyPrimitive, type Many, type One, type Primitive, definePrimitive } from "../core/primitive.ts";
import { consumeKey } from "../core/keyReuse.ts";
import { ArgumentError, DTypeError, ShapeError } from "../core/problem.ts";
import { type Expr, binary, either, equal, i32, ofIndex, plus, select, u32 } from "../core/scalar.ts";
import { type Shape, insertAxis, range, shapeText, sizeOf } from "../core/shape.ts";
import { broadcastInDim, convert, moveAxis, reshape } from "../core/structural.ts";
import { bind, bind1 } from "../core/trace.ts";
import { xorArrays } from "./bitwise.ts";
import { iota } from "./creation.ts";
import { concatenate, slice } from "./movement.ts";
import { batchElementwise, commonShape, notAccepted, withoutTangents } from "./rules.ts";

// ---------------------------------------------------------------- keys and their words

/** uint32[…, 2] → key[…] */
export const randomWrapP: Primitive<One, null> = /* @__PURE__ */ definePrimitive<One, null>({
  name: "random_wrap",
  kind: "random",
  infer: ([x]) => {
    if (x.dtype !== "uint32" || x.shape.at(-1) !== 2) throw notKeyData(x);
    return [new Aval(x.shape.slice(0, -1), "key<fry>")];
  },
  reference: ([x], _, [out]) => [{ shape: out!.shape, dtype: out!.dtype, data: x.data }],
  jvp: withoutTangents,
  transpose: "nonlinear",
  batch: ([x], [d]) => ({ outs: [randomWrap(moveAxis(x, d!, 0))], dims: [0] }),
  lower: ([x]) => pulled((index) => [0, 1].map((word) => x.at([...index, constantIndex(word)])[0]!)),
});
const notKeyData = (x: Aval): DTypeError =>
  new DTypeError("NotKeyData", {
    what: `wrapKeyData: ${String(x)} is not the data of keys`,
    why: "a threefry key is two uint32 words, in a last axis of length 2",
    fix: "pass an array of dtype uint32 and shape […, 2], such as random.keyData gives",
  });
/** Keys from their words. */
export const randomWrap = (x: NDArray): NDArray => bind1(randomWrapP, [x], null);

/** key[…] → uint32[…, 2] */
export const randomUnwrapP: Primitive<One, null> = /* @__PURE__ */ definePrimitive<One, null>({
  name: "random_unwrap",
  kind: "random",
  infer: ([x]) => {
    if (!isKey(x.dtype)) throw notAKey("keyData", String(x));
    return [new Aval([...x.shape, 2], "uint32")];
  },
  reference: ([x], _, [out]) => [{ shape: out!.shape, dtype: out!.dtype, data: x.data }],
  jvp: withoutTangents,
  transpose: "nonlinear",
  batch: ([x], [d]) => ({ outs: [randomUnwrap(moveAxis(x, d!, 0))], dims: [0] }),
  lower: ([x]) =>
    pulled((index) => {
      const [first, second] = x.at(index.slice(0, -1));
      return [select(equal(ofIndex(index.at(-1)!), i32(0)), first!, second!)];
    }),
});
const notAKey = (name: string, found: string): DTypeError =>
  new DTypeError("NotAKey", {
    what: `${name}: expected a PRNG key, found ${found}`,
    why: "random functions draw from a key, an array of dtype key<fry>",
    fix: "make one with random.key(0); wrap raw words with random.wrapKeyData(words)",
  });
/** The words of keys. */
export const randomUnwrap = (keys: NDArray): NDArray => bind1(randomUnwrapP, [keys], null);

// ---------------------------------------------------------------- the hash

const rotations = [13, 15, 26, 6, 17, 29, 16, 24] as const;

/** Twenty rounds of Threefry-2x32 (Salmon et al., 2011) on (key1, key2, counter1, counter2), elementwise. */
export const threefry2x32P: Primitive<Many, null> = /* @__PURE__ */ definePrimitive<Many, null>({
  name: "threefry2x32",
  kind: "random",
  infer: (ins: readonly Aval[]) => {
    const wrong = ins.find((a) => a.dtype !== "uint32");
    if (wrong) throw notAccepted("threefry2x32", { text: "uint32", has: (d) => d === "uint32" }, wrong);
    const out = new Aval(commonShape("threefry2x32", ins), "uint32");
    return [out, out];
  },
  reference: (ins, _, outs) => hashAll(ins, outs),
  jvp: withoutTangents,
  transpose: "nonlinear",
  batch: (xs, dims, _, { size }) => batchElementwise(threefry2x32P, xs, dims, null, size),
  lower: (ins: readonly Operand[]) =>
    together((index) => hashLowering(...(ins.map((x) => elementAt(x, index)[0]!) as [Expr, Expr, Expr, Expr])), 100),
});

function hashLowering(k0: Expr, k1: Expr, c0: Expr, c1: Expr): readonly [Value, Value] {
  const keys = [k0, k1, xor(xor(k0, k1), u32(0x1bd11bda))];
  let [a, b] = [plus(c0, k0), plus(c1, k1)];
  for (let group = 1; group <= 5; group++) {
    const first = group % 2 === 1 ? 0 : 4;
    for (let r = first; r < first + 4; r++) {
      a = plus(a, b);
      b = xor(either(binary("shl", b, u32(rotations[r]!)), binary("shr", b, u32(32 - rotations[r]!))), a);
    }
    a = plus(a, keys[group % 3]!);
    b = plus(plus(b, keys[(group + 1) % 3]!), u32(group));
  }
  return [[a], [b]];
}
const xor = (x: Expr, y: Expr): Expr => binary("xor", x, y);

function hashAll(ins: readonly HostArray[], outs: readonly Aval[]): HostArray[] {
  const [y0, y1] = [allocateLike(outs[0]!), allocateLike(outs[1]!)];
  const [k0, k1, c0, c1] = ins.map((x) => x.data) as [Uint32Array, Uint32Array, Uint32Array, Uint32Array];
  const [s0, s1, s2, s3] = ins.map((x) => Number(x.shape.length > 0)) as [number, number, number, number];
  const keys = new Int32Array(3);
  for (let i = 0; i < y0.data.length; i++) {
    keys[0] = k0[i * s0]!;
    keys[1] = k1[i * s1]!;
    keys[2] = keys[0] ^ keys[1] ^ 0x1bd11bda;
    let a = (c0[i * s2]! + keys[0]) | 0;
    let b = (c1[i * s3]! + keys[1]) | 0;
    for (let group = 1; group <= 5; group++) {
      const first = group % 2 === 1 ? 0 : 4;
      for (let r = first; r < first + 4; r++) {
        a = (a + b) | 0;
        b = ((b << rotations[r]!) | (b >>> (32 - rotations[r]!))) ^ a;
      }
      a = (a + keys[group % 3]!) | 0;
      b = (b + keys[(group + 1) % 3]! + group) | 0;
    }
    y0.data[i] = a;
    y1.data[i] = b;
  }
  return [y0, y1];
}

/** The hash of counters (x1, x2) under keys (k1, k2): two words for each element. */
export function threefry2x32(k1: NDArray, k2: NDArray, x1: NDArray, x2: NDArray): readonly [NDArray, NDArray] {
  const [high, low] = bind(threefry2x32P, [k1, k2, x1, x2], null);
  return [high!, low!];
}

// ---------------------------------------------------------------- derivations

/** Checks that something is an array of keys. */
export function requireKey(name: string, key: unknown): NDArray {
  if (key instanceof NDArray && isKey(key.dtype)) return key;
  throw notAKey(name, key instanceof NDArray ? key.describe() : typeof key);
}

/** One of the two words of each key. */
function wordOf(keys: NDArray, k: 0 | 1): NDArray {
  const words = randomUnwrap(keys);
  const n = words.ndim - 1;
  const picked = slice(words, [...keys.shape.map(() => 0), k], [...keys.shape, k + 1]);
  return reshape(picked, words.shape.slice(0, n));
}

/** Pairs of words as one array with a last axis of length 2. */
const joinWords = (a: NDArray, b: NDArray): NDArray => {
  const shape = insertAxis(a.shape, a.ndim, 1);
  return concatenate([reshape(a, shape), reshape(b, shape)], a.ndim);
};

/** The hash, under each key, of the 64-bit counters 0, 1, … of `shape`; results have shape keys + shape. */
function hashCounters(name: string, keys: NDArray, shape: Shape): readonly [NDArray, NDArray] {
  const size = sizeOf(shape);
  if (size > 2 ** 32)
    throw new ShapeError("TooManyRandomBits", {
      what: `${name}: ${size} elements of shape ${shapeText(shape)} from one key`,
      why: "counters of one key are 32 bits wide",
      fix: "split the key and draw in parts",
    });
  const counters = reshape(iota("uint32", size), shape);
  const zero = scalarLiteral(0, "uint32");
  const [k1, k2] = [wordOf(keys, 0), wordOf(keys, 1)];
  if (keys.ndim === 0) return threefry2x32(k1, k2, zero, counters);
  const whole = [...keys.shape, ...shape];
  const spread = (k: NDArray): NDArray => broadcastInDim(k, whole, range(keys.ndim));
  const tail = range(shape.length).map((i) => i + keys.ndim);
  return threefry2x32(spread(k1), spread(k2), zero, broadcastInDim(counters, whole, tail));
}

const wordDTypes: Readonly<Record<number, DType>> = { 8: "uint8", 16: "uint16", 32: "uint32" };

/** Uniform random words of 8, 16 or 32 bits, of shape `shape` for each key. */
export function randomBits(key: NDArray, bitWidth: number, shape: Shape): NDArray {
  const dtype = wordDTypes[bitWidth];
  if (!dtype)
    throw new ArgumentError("BitWidth", {
      what: `randomBits: there are no words of ${String(bitWidth)} bits`,
      why: "random words are unsigned integers",
      fix: "ask for 8, 16 or 32 bits",
    });
  const keys = requireKey("randomBits", key);
  consumeKey(keys);
  const [high, low] = hashCounters("randomBits", keys, shape);
  return convert(xorArrays(high, low), dtype);
}

/** New keys of shape `shape` for each key. */
export function randomSplit(key: NDArray, shape: Shape): NDArray {
  const keys = requireKey("randomSplit", key);
  consumeKey(keys);
  return randomWrap(joinWords(...hashCounters("randomSplit", keys, shape)));
}

/** Data as 32-bit words: integers modulo 2^32. */
function asWord(name: string, data: ArrayLike): NDArray {
  if (typeof data === "bigint" || (typeof data === "number" && Number.isInteger(data)))
    return scalarLiteral(Number(BigInt.asUintN(32, BigInt(data))), "uint32");
  const x = asIndex(data, name);
  if (isInteger(x.dtype)) return convert(x, "uint32");
  // A number that crossed a transformation's boundary is a weak float; nothing else distinguishes it from an integer.
  if (x.weakType) return convert(x, "uint32");
  throw new DTypeError("NotAnInteger", {
    what: `${name}: expected an integer, found ${x.describe()}`,
    why: "keys are derived from 32-bit integers",
    fix: "convert it with x.astype(numpy.uint32)",
  });
}

/** A key from each integer: the words (0, seed modulo 2^32), as JAX without 64-bit integers. */
export function randomSeed(seeds: ArrayLike): NDArray {
  const low = asWord("key", seeds);
  const high = broadcastInDim(scalarLiteral(0, "uint32"), low.shape, []);
  return randomWrap(joinWords(high, low));
}

/** A new key from each key and an integer; keys and integers of the same shape, or one of them a scalar. */
export function randomFoldIn(key: NDArray, data: ArrayLike): NDArray {
  const keys = requireKey("foldIn", key);
  return randomWrap(
    joinWords(...threefry2x32(wordOf(keys, 0), wordOf(keys, 1), scalarLiteral(0, "uint32"), asWord("foldIn", data))),
  );
}

export const primitives: readonly AnyPrimitive[] = [randomWrapP, randomUnwrapP, threefry2x32P];
