/**
 * Reading what users pass to numpy functions. Optional parameters come by position in JAX's order, then by name in one
 * trailing object. Operands are promoted to a common dtype and broadcast; a scalar goes with any shape as it is, since
 * elementwise primitives take one.
 */
import type { ArrayLike } from "../core/arrayMethods.ts";
import { type DType, isBool, isInexact, isInteger, parseDType } from "../core/dtype.ts";
import { NDArray } from "../core/ndarray.ts";
import { asArray, promoteOperands, scalarLiteral } from "../core/operands.ts";
import { ArgumentError } from "../core/problem.ts";
import { type Shape, broadcastShapes, shapesEqual } from "../core/shape.ts";
import { broadcastTo, convert } from "../core/structural.ts";
import { describeValue } from "../core/tree.ts";
import { readOptions } from "../lax/arguments.ts";

/** An array has properties such as `dtype` that are options too; it is none all the same. */
interface NotAnArray {
  readonly aval?: never;
}

/** Optional parameters: any number of `P` by position, then possibly the options `O`. */
export type Rest<P extends readonly unknown[], O> = P extends readonly [infer A, ...infer B]
  ? readonly [] | readonly [O & NotAnArray] | readonly [A | undefined, ...Rest<B, O>]
  : readonly [] | readonly [O & NotAnArray];

/** The place after the last parameter, where nothing may stand. */
export type Surplus = readonly [];

/** Refuses arguments beyond the last parameter. */
export function noMore(name: string, surplus: readonly unknown[]): void {
  if (surplus.length > 0)
    throw new ArgumentError("SurplusArgument", {
      what: `${name}: ${surplus.length} surplus ${surplus.length === 1 ? "argument" : "arguments"}, the first ${describeValue(surplus[0])}`,
      why: "an argument without a parameter would be ignored silently",
      fix: `leave it out; to combine several arrays, fold: xs.reduce((a, b) => ${name}(a, b))`,
    });
}

const none = {};

/** Collects optional parameters; see `readOptions`. */
export const given = <T extends object>(
  name: string,
  names: readonly (keyof T & string)[],
  positional: number,
  rest: readonly unknown[],
): Partial<T> => (rest.length === 0 ? none : readOptions<T>(name, names, positional, rest));

/** A dtype option: null and undefined mean none. */
export const optionalDType = (dtype: DType | null | undefined): DType | null =>
  dtype == null ? null : parseDType(dtype);

/** An option that numpy has and this library cannot honour. */
export const unsupported = (name: string, option: string, fix: string): ArgumentError =>
  new ArgumentError("UnsupportedOption", {
    what: `${name}: ${option} is not supported`,
    why: "arrays are immutable values without memory order",
    fix,
  });

/** Refuses an option of numpy's unless it has a value that changes nothing. */
export function onlyAs(name: string, option: string, value: unknown, allowed: readonly unknown[], fix: string): void {
  if (value != null && !allowed.includes(value)) throw unsupported(name, `${option} ${JSON.stringify(value)}`, fix);
}

/** A choice among words. */
export function checkChoice(name: string, option: string, value: unknown, choices: readonly string[]): void {
  if (!choices.includes(value as string))
    throw new ArgumentError("UnknownChoice", {
      what: `${name}: ${option} ${JSON.stringify(value)} is not known`,
      why: `${option} selects one of a few behaviours`,
      fix: `use one of ${choices.map((c) => JSON.stringify(c)).join(", ")}`,
    });
}

/** A size or count known when the program is traced. */
export function integer(name: string, what: string, value: unknown): number {
  if (typeof value === "number" && Number.isInteger(value)) return value;
  throw new ArgumentError("NotAnInteger", {
    what: `${name}: ${what} must be an integer, found ${describeValue(value)}`,
    why: "numbers that decide shapes are plain integers, known when the program is traced",
    fix: "pass a plain integer, or declare the argument static",
  });
}

// ---------------------------------------------------------------- operands

/** Whether a number changes nothing about the dtype of an array it meets. */
export const adopts = (x: unknown, dtype: DType): x is number =>
  typeof x === "number" && (isInexact(dtype) || (isInteger(dtype) && Number.isInteger(x) && Math.abs(x) < 2 ** 32));

/** Two operands, a number as a literal if it adopts the dtype of the other one. */
export const adopted = (x: ArrayLike, y: ArrayLike): readonly [ArrayLike, ArrayLike] =>
  x instanceof NDArray && adopts(y, x.dtype)
    ? [x, scalarLiteral(y, x.dtype, x.weakType)]
    : y instanceof NDArray && adopts(x, y.dtype)
      ? [scalarLiteral(x, y.dtype, y.weakType), y]
      : [x, y];

/** Two operands of their common dtype and, unless one is a scalar, shape. */
export function pair(name: string, x: ArrayLike, y: ArrayLike, toInexact = false): readonly [NDArray, NDArray] {
  if (x instanceof NDArray) {
    const { dtype, weakType, shape } = x.aval;
    if (!toInexact || isInexact(dtype)) {
      if (y instanceof NDArray) {
        if (dtype === y.aval.dtype && weakType === y.aval.weakType && shapesEqual(shape, y.aval.shape)) return [x, y];
      } else if (adopts(y, dtype)) return [x, scalarLiteral(y, dtype, weakType)];
    }
  } else if (y instanceof NDArray && adopts(x, y.dtype) && (!toInexact || isInexact(y.dtype)))
    return [scalarLiteral(x, y.dtype, y.weakType), y];
  const [a, b] = promoteOperands(name, [x, y], toInexact) as [NDArray, NDArray];
  if (a.ndim === 0 || b.ndim === 0 || shapesEqual(a.shape, b.shape)) return [a, b];
  const shape = broadcastShapes(name, [a.shape, b.shape]);
  return [broadcastTo(a, shape), broadcastTo(b, shape)];
}

/** Two operands as in `pair`, booleans as int32. */
export function numericPair(name: string, x: ArrayLike, y: ArrayLike): readonly [NDArray, NDArray] {
  const [a, b] = pair(name, x, y);
  return isBool(a.dtype) ? [convert(a, "int32"), convert(b, "int32")] : [a, b];
}

/** Operands broadcast to one shape. */
export function broadcastAll(name: string, xs: readonly NDArray[]): NDArray[] {
  const shape = broadcastShapes(
    name,
    xs.map((x) => x.shape),
  );
  return xs.map((x) => broadcastTo(x, shape));
}

/** An operand in a float or complex dtype; integers become float32. */
export const inexactOf = (name: string, x: ArrayLike): NDArray =>
  x instanceof NDArray && isInexact(x.dtype) ? x : promoteOperands(name, [x], true)[0]!;

/** An operand with booleans as int32. */
export function numericOf(name: string, x: ArrayLike): NDArray {
  const a = asArray(x, name);
  return isBool(a.dtype) ? convert(a, "int32") : a;
}

/** A list of operands of one dtype, or the subarrays of an array along its first axis. */
export function operandList(name: string, xs: NDArray | readonly ArrayLike[]): readonly ArrayLike[] {
  if (xs instanceof NDArray) return xs.ndim === 0 ? notAList(name, xs) : [...xs];
  if (Array.isArray(xs) && xs.length > 0) return xs as readonly ArrayLike[];
  return notAList(name, xs);
}

function notAList(name: string, found: unknown): never {
  throw new ArgumentError("NotAList", {
    what: `${name}: expected a list of at least one array, found ${describeValue(found)}`,
    why: `${name} joins arrays`,
    fix: `pass them as one list: numpy.${name}([a, b])`,
  });
}

/** The shape of anything array-like. */
export const shapeOf = (name: string, x: ArrayLike): Shape => (x instanceof NDArray ? x.shape : asArray(x, name).shape);
