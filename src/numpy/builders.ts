/**
 * Builders of elementwise functions: promotion and broadcasting around a function of arrays. A call that takes several
 * operations, because operands must be made alike or because the function is composite, is a unit.
 */
import type { ArrayLike } from "../core/arrayMethods.ts";
import { type DType, isBool, isInexact } from "../core/dtype.ts";
import { NDArray } from "../core/ndarray.ts";
import { asArray } from "../core/operands.ts";
import { shapesEqual } from "../core/shape.ts";
import { unit } from "../core/unit.ts";
import { type Surplus, adopts, inexactOf, noMore, numericPair, pair } from "./arguments.ts";

/** An elementwise function of one array. */
export type Unary = (x: ArrayLike) => NDArray;
/** An elementwise function of two arrays, which are promoted and broadcast. */
export type Binary = (x: ArrayLike, y: ArrayLike, ...surplus: Surplus) => NDArray;

export interface BuilderOptions {
  /** Whether the function is several operations. */
  readonly composite?: boolean;
}

/** A function on any dtype. */
export function unary(name: string, f: (x: NDArray) => NDArray, { composite = false }: BuilderOptions = {}): Unary {
  const plain: Unary = (x) => f(asArray(x, name));
  return composite ? unit(name, 1, plain, { numbers: "inputs" }) : plain;
}

/** A function on floats and complex numbers; integers become float32. */
export function inexactUnary(name: string, f: (x: NDArray) => NDArray, options: BuilderOptions = {}): Unary {
  const plain: Unary = (x) => f(inexactOf(name, x));
  const whole = unit(name, 1, plain, { numbers: "inputs" });
  if (options.composite === true) return whole;
  return (x) => (x instanceof NDArray && isInexact(x.dtype) ? f(x) : whole(x));
}

type PairFunction = (x: NDArray, y: NDArray) => NDArray;

/** How two operands are made alike, and the dtypes that stay if both have them. */
interface Pairing {
  readonly pair: (name: string, x: ArrayLike, y: ArrayLike) => readonly [NDArray, NDArray];
  readonly keeps: (dtype: DType) => boolean;
}
const common: Pairing = { pair, keeps: () => true };
const inexact: Pairing = { pair: (name, x, y) => pair(name, x, y, true), keeps: isInexact };
const numeric: Pairing = { pair: numericPair, keeps: (dtype) => !isBool(dtype) };

function onPairs(pairing: Pairing, name: string, f: PairFunction, { composite = false }: BuilderOptions): Binary {
  const plain = (x: ArrayLike, y: ArrayLike): NDArray => {
    const [a, b] = pairing.pair(name, x, y);
    return f(a, b);
  };
  const whole = unit(name, 2, plain, { numbers: "inputs" });
  const areAlike = (x: ArrayLike, y: ArrayLike): boolean => {
    if (!(x instanceof NDArray)) return y instanceof NDArray && adopts(x, y.dtype) && pairing.keeps(y.dtype);
    if (!pairing.keeps(x.dtype)) return false;
    return y instanceof NDArray ? x.dtype === y.dtype && shapesEqual(x.shape, y.shape) : adopts(y, x.dtype);
  };
  return (x, y, ...surplus) => {
    if (surplus.length > 0) noMore(name, surplus);
    return composite || !areAlike(x, y) ? whole(x, y) : plain(x, y);
  };
}

/** A function of two operands of their common dtype. */
export const binary = (name: string, f: PairFunction, options: BuilderOptions = {}): Binary =>
  onPairs(common, name, f, options);

/** A function of two floats or complex numbers. */
export const inexactBinary = (name: string, f: PairFunction, options: BuilderOptions = {}): Binary =>
  onPairs(inexact, name, f, options);

/** A function of two numbers; booleans become int32. */
export const numericBinary = (name: string, f: PairFunction, options: BuilderOptions = {}): Binary =>
  onPairs(numeric, name, f, options);
