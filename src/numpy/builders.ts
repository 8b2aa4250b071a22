/** Builders of elementwise functions: promotion and broadcasting around a function of arrays. */
import type { ArrayLike } from "../core/arrayMethods.ts";
import type { NDArray } from "../core/ndarray.ts";
import { asArray } from "../core/operands.ts";
import { type Surplus, inexactOf, noMore, numericPair, pair } from "./arguments.ts";

/** An elementwise function of one array. */
export type Unary = (x: ArrayLike) => NDArray;
/** An elementwise function of two arrays, which are promoted and broadcast. */
export type Binary = (x: ArrayLike, y: ArrayLike, ...surplus: Surplus) => NDArray;

/** A function on any dtype. */
export const unary =
  (name: string, f: (x: NDArray) => NDArray): Unary =>
  (x) =>
    f(asArray(x, name));

/** A function on floats and complex numbers; integers become float32. */
export const inexactUnary =
  (name: string, f: (x: NDArray) => NDArray): Unary =>
  (x) =>
    f(inexactOf(name, x));

type PairFunction = (x: NDArray, y: NDArray) => NDArray;

/** A function of two operands of their common dtype. */
export const binary =
  (name: string, f: PairFunction): Binary =>
  (x, y, ...surplus) => {
    if (surplus.length > 0) noMore(name, surplus);
    const p = pair(name, x, y);
    return f(p[0], p[1]);
  };

/** A function of two floats or complex numbers. */
export const inexactBinary =
  (name: string, f: PairFunction): Binary =>
  (x, y, ...surplus) => {
    if (surplus.length > 0) noMore(name, surplus);
    const p = pair(name, x, y, true);
    return f(p[0], p[1]);
  };

/** A function of two numbers; booleans become int32. */
export const numericBinary =
  (name: string, f: PairFunction): Binary =>
  (x, y, ...surplus) => {
    if (surplus.length > 0) noMore(name, surplus);
    const p = numericPair(name, x, y);
    return f(p[0], p[1]);
  };
