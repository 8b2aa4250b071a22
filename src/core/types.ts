/**
 * How types flow through transforms: a tree of array-likes becomes the same tree of arrays, and a function whose
 * argument holds something that cannot be a leaf is rejected with that something in the message.
 */
import type { ArrayLike } from "./arrayMethods.ts";
import type { TypedArray } from "./hostArray.ts";
import type { NDArray } from "./ndarray.ts";

type ScalarLike = number | boolean | bigint;

/** The tree `T` with arrays for leaves: the type of a gradient with respect to a `T`. */
export type Arrays<T> = 0 extends 1 & T
  ? T
  : ArrayLike extends T
    ? NDArray
    : T extends NDArray | ScalarLike | TypedArray
      ? NDArray
      : T extends null | undefined | ((...args: never[]) => unknown)
        ? T
        : T extends ReadonlyMap<infer K, infer V>
          ? Map<K, Arrays<V>>
          : { [K in keyof T]: Arrays<T[K]> };

/** The part of `T` that cannot be a leaf; never if `T` is a tree of arrays. Looks seven levels deep: types may recur. */
export type BadLeaf<T, Depth extends readonly unknown[] = []> = 0 extends 1 & T
  ? never
  : unknown extends T
    ? never
    : Depth["length"] extends 7
      ? never
      : T extends NDArray | ScalarLike | TypedArray | null | undefined
        ? never
        : // A Map has all that a ReadonlySet asks for, so it is recognised first.
          T extends ReadonlyMap<unknown, infer V>
          ? BadLeaf<V, [...Depth, 0]>
          : T extends string | symbol | ((...args: never[]) => unknown) | Promise<unknown> | Date | ReadonlySet<unknown>
            ? T
            : T extends readonly (infer V)[]
              ? BadLeaf<V, [...Depth, 0]>
              : T extends object
                ? HasMethods<T> extends true
                  ? never
                  : { [K in keyof T]-?: BadLeaf<T[K], [...Depth, 0]> }[keyof T]
                : never;
// An object with methods is an instance of some class: what its fields are is decided where the class is registered.
type HasMethods<T> = true extends {
  [K in keyof T]-?: T[K] extends (...args: never[]) => unknown ? true : never;
}[keyof T]
  ? true
  : false;

/** Constrains a function's parameter type to be a tree of arrays; the message names the leaf that is not. */
export type Pytree<T> = [BadLeaf<T>] extends [never]
  ? unknown
  : { readonly "a pytree leaf must be an array or a number, but found": BadLeaf<T> };

/** What a differentiated function may return: a scalar array. */
export type Scalar = NDArray | number;
