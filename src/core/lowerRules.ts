/**
 * Parts of `lower` slots that many primitives share: elementwise functions, rearrangements and reductions.
 */
import type { DType } from "./dtype.ts";
import { scalarTypeOf } from "./elementTypes.ts";
import { lanesOf } from "./hostArray.ts";
import { type Index, indexVar, isConstantIndex, varIndex } from "./indexing.ts";
import type { Lowering, Operand, Pull, Value } from "./lowering.ts";
import {
  type Expr,
  type Reduction,
  type ScalarType,
  constant,
  convert,
  like,
  ofIndex,
  reduced,
  reduction,
  within,
} from "./scalar.ts";

export const pulled = (at: Pull, cost?: number): Lowering =>
  cost === undefined ? { form: "pull", at } : { form: "pull", at, cost };

/** The element of an elementwise operand: a scalar goes with every position. */
export const elementAt = (x: Operand, index: readonly Index[]): Value => x.at(x.aval.ndim === 0 ? [] : index);

/** A function of the operands' elements at the same position. */
export const pointwise = (ins: readonly Operand[], f: (...xs: Value[]) => Value, cost?: number): Lowering =>
  pulled((index) => f(...ins.map((x) => elementAt(x, index))), cost);

/** The operand's elements from elsewhere. */
export const movedFrom = (x: Operand, from: (index: readonly Index[]) => readonly Index[]): Lowering =>
  pulled((index) => x.at(from(index)));

/**
 * A function with several results that are computed together: asked for two results at one position, it computes once,
 * so that they share their subexpressions.
 */
export function together(f: (index: readonly Index[]) => readonly Value[], cost?: number): Lowering {
  const known = new Map<string, readonly Value[]>();
  return pulled((index, out) => {
    const key = index.map((i) => i.key).join();
    let values = known.get(key);
    if (!values) known.set(key, (values = f(index)));
    return values[out]!;
  }, cost);
}

/** A number as an element; the second scalar of complex numbers is 0, of keys the same. */
export const numberIn = (dtype: DType, value: number): Value => {
  const first = constant(scalarTypeOf(dtype), value);
  return lanesOf(dtype) === 1 ? [first] : [first, dtype === "complex64" ? like(first, 0) : first];
};

/** Lane by lane. */
export const zipLanes = (x: Value, y: Value, f: (a: Expr, b: Expr) => Expr): Value => x.map((a, i) => f(a, y[i]!));

/** A value that can be compared by size: booleans become 0 and 1. */
export const comparable = (x: Expr): Expr => (x.type === "bool" ? convert(x, "u32") : x);

/** Whether an index lies below a bound; folded where its range decides. */
export const below = (index: Index, bound: number): Expr => within(index, Math.min(index.min, bound), bound);

/** An index as a number of a scalar type. */
export const indexAs = (index: Index, type: ScalarType): Expr =>
  isConstantIndex(index) ? constant(type, index.constant) : convert(ofIndex(index), type);

/**
 * Reduces over a box of positions. `body` is called once, with a loop variable per axis; a box of one position needs no
 * loop, an empty one gives the neutral elements.
 */
export function reduceOver(
  extents: readonly number[],
  types: readonly ScalarType[],
  init: readonly number[],
  combine: Reduction["combine"],
  body: (index: readonly Index[]) => Value,
): Value {
  if (extents.includes(0)) return init.map((v, i) => constant(types[i]!, v));
  const vars = extents.map((n, i) => indexVar(`r${i}`, n));
  const lanes = body(vars.map(varIndex));
  const looping = vars.filter((v) => v.extent > 1);
  if (looping.length === 0) return lanes;
  const r = reduction(looping, types, init, combine, lanes);
  return types.map((_, lane) => reduced(r, lane));
}
