/**
 * Keys: made from a seed, split into more, folded with data. A key stands for an infinite stream that is read once:
 * use each key for one purpose, and split it when you need more.
 */
import type { ArrayLike } from "../core/arrayMethods.ts";
import type { DType } from "../core/dtype.ts";
import type { NDArray } from "../core/ndarray.ts";
import { asArray, asIndex } from "../core/operands.ts";
import { ArgumentError } from "../core/problem.ts";
import { parseShape, shapeText } from "../core/shape.ts";
import { readOptions } from "../lax/arguments.ts";
import { randomFoldIn, randomSeed, randomSplit, randomUnwrap, randomWrap } from "../lax/randomBits.ts";
import { asKey, asKeys, isLegacyKey } from "./arguments.ts";
import { unit } from "../core/unit.ts";

export interface KeyOptions {
  /** The generator; `"threefry2x32"` is the only one. */
  readonly impl?: string | null | undefined;
  /** The dtype of the keys, `"key<fry>"`. */
  readonly dtype?: DType | null | undefined;
}
const implementations: readonly unknown[] = ["threefry2x32", "fry", "key<fry>"];

function checkImplementation(name: string, rest: readonly unknown[]): void {
  const { impl, dtype } = readOptions<KeyOptions>(`random.${name}`, ["impl", "dtype"], 0, rest);
  for (const given of [impl, dtype])
    if (given != null && !implementations.includes(given))
      throw new ArgumentError("KeyImplementation", {
        what: `random.${name}: there is no generator ${JSON.stringify(given)}`,
        why: "keys belong to the threefry2x32 generator, whose numbers are the same on every device",
        fix: 'leave the option out, or write { impl: "threefry2x32" }',
      });
}

function scalarData(name: string, data: ArrayLike): ArrayLike {
  if (typeof data !== "object") return data;
  const x = asIndex(data, `random.${name}`);
  if (x.ndim === 0) return x;
  throw new ArgumentError("SeveralSeeds", {
    what: `random.${name}: expected one integer, found an array of shape ${shapeText(x.shape)}`,
    why: "one call makes one key",
    fix: `map over them: vmap((n) => random.${name}(${name === "foldIn" ? "key, n" : "n"}))(numbers)`,
  });
}

/**
 * A key from an integer seed (modulo 2³²).
 *
 * @example
 * random.keyData(random.key(42)) // [0, 42]
 */
export function key(seed: ArrayLike, ...options: readonly [] | readonly [KeyOptions]): NDArray {
  checkImplementation("key", options);
  return randomSeed(scalarData("key", seed));
}

/**
 * A legacy key: the two words of `key(seed)` as a uint32 array. Every function of `random` takes such keys too.
 *
 * @example
 * random.PRNGKey(42) // [0, 42]
 */
export function PRNGKey(seed: ArrayLike, ...options: readonly [] | readonly [KeyOptions]): NDArray {
  checkImplementation("PRNGKey", options);
  return randomUnwrap(randomSeed(scalarData("PRNGKey", seed)));
}

/** The words of keys: uint32, with a last axis of length 2. @example random.keyData(random.key(7)) // [0, 7] */
export const keyData = (keys: NDArray): NDArray => (isLegacyKey(keys) ? keys : randomUnwrap(asKeys("keyData", keys)));

/**
 * Keys from their words.
 *
 * @param keyBitsArray uint32, with a last axis of length 2.
 * @example
 * random.wrapKeyData(random.keyData(random.key(7))).dtype // "key<fry>"
 */
export function wrapKeyData(keyBitsArray: ArrayLike, ...options: readonly [] | readonly [KeyOptions]): NDArray {
  checkImplementation("wrapKeyData", options);
  return randomWrap(asArray(keyBitsArray, "random.wrapKeyData"));
}

/** The name of the generator that keys belong to. @example random.keyImpl(random.key(0)) // "fry" */
export function keyImpl(keys: NDArray): string {
  asKeys("keyImpl", keys);
  return "fry";
}

/** The dtype of keys. @example random.keyDtype() // "key<fry>" */
export function keyDtype(implSpec: string | null = null): DType {
  checkImplementation("keyDtype", [{ impl: implSpec }]);
  return "key<fry>";
}

/** In the form the key came in: legacy keys give legacy keys. */
const likeGiven = (given: NDArray, keys: NDArray): NDArray => (isLegacyKey(given) ? randomUnwrap(keys) : keys);

/**
 * New keys from one, independent of it and of each other. Do not use the old one again.
 *
 * @param rest `num`: how many, or a shape.
 * @example
 * random.split(random.key(0), 3).shape // [3]
 */
export const split = /* @__PURE__ */ unit(
  "split",
  1,
  function split(
    key: NDArray,
    ...rest: readonly [] | readonly [number | readonly number[] | { readonly num?: number | readonly number[] }]
  ): NDArray {
    const { num = 2 } = readOptions<{ num: number | readonly number[] }>("random.split", ["num"], 1, rest);
    return likeGiven(key, randomSplit(asKey("split", key), parseShape("random.split", num)));
  },
);

/**
 * A new key from a key and an integer (modulo 2³²): a key per step, per example, per layer.
 *
 * @example
 * random.keyData(random.foldIn(random.key(42), 0)) // [1832780943, 270669613]
 */
export const foldIn = /* @__PURE__ */ unit(
  "foldIn",
  2,
  (key: NDArray, data: ArrayLike): NDArray =>
    likeGiven(key, randomFoldIn(asKey("foldIn", key), scalarData("foldIn", data))),
  { numbers: "inputs" },
);

/** The same key, for when using it twice is meant. @example random.keyData(random.clone(random.key(7))) // [0, 7] */
export function clone(key: NDArray): NDArray {
  asKeys("clone", key);
  return key;
}
