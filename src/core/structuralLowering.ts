/** The longer `lower` slots of `structural.ts`. */
import type { Aval } from "./aval.ts";
import { type DType, isBool } from "./dtype.ts";
import { anyNonzero, convertElement, scalarTypeOf } from "./elementTypes.ts";
import { type Index, addConstant, subtract, zeroIndex } from "./indexing.ts";
import type { Lowering, Operand, Value } from "./lowering.ts";
import { movedFrom, numberIn, pointwise, pulled, reduceOver } from "./lowerRules.ts";
import { constant, either, equal, like, ofIndex, plus, select } from "./scalar.ts";
import type { Shape } from "./shape.ts";

/** Lane by lane; booleans stand for the zeros of dtypes without tangents. */
export const lowerAdd = (x: Operand, y: Operand): Lowering =>
  pointwise([x, y], (a, b) => a.map((v, i) => (v.type === "bool" ? either(v, b[i]!) : plus(v, b[i]!))));

export const lowerBroadcast = (x: Operand, dims: readonly number[]): Lowering =>
  movedFrom(x, (index) => dims.map((d, i) => (x.aval.shape[i] === 1 ? zeroIndex : index[d]!)));

export const lowerTranspose = (x: Operand, permutation: readonly number[]): Lowering =>
  movedFrom(x, (index) => {
    const from = new Array<Index>(index.length);
    permutation.forEach((p, i) => (from[p] = index[i]!));
    return from;
  });

/** The position in the operand from that in the result, whose axes are the operand's without the reduced ones. */
export function insideOf(ndim: number, axes: readonly number[]) {
  return (kept: readonly Index[], reduced: readonly Index[]): Index[] => {
    let next = 0;
    return Array.from({ length: ndim }, (_, axis) => {
      const i = axes.indexOf(axis);
      return i < 0 ? kept[next++]! : reduced[i]!;
    });
  };
}
export const extentsOf = (shape: Shape, axes: readonly number[]): number[] => axes.map((a) => shape[a]!);

/** A sum per lane; of booleans, whether any is true. */
export function lowerSum(x: Operand, axes: readonly number[]): Lowering {
  const { dtype, shape, ndim } = x.aval;
  const at = insideOf(ndim, axes);
  const type = scalarTypeOf(dtype);
  return pulled((index) =>
    numberIn(dtype, 0).map(
      (_, lane) =>
        reduceOver(extentsOf(shape, axes), [type], [0], isBool(dtype) ? "or" : "add", (r) => [
          x.at(at(index, r))[lane]!,
        ])[0]!,
    ),
  );
}

/** Converts an element between dtypes; complex numbers lose their imaginary part, except to bool. */
export function convertLanes(x: Value, from: DType, to: DType): Value {
  if (from === to) return x;
  if (isBool(to)) return [anyNonzero(x)];
  const real = from === "complex64" ? "float32" : from;
  if (to !== "complex64") return [convertElement(x[0]!, real, to)];
  const re = convertElement(x[0]!, real, "float32");
  return [re, like(re, 0)];
}

export const lowerEye = (offset: number, { dtype }: Aval): Lowering =>
  pulled(([row, column]) => {
    const diagonal = equal(ofIndex(subtract(column!, addConstant(row!, offset))), constant("i32", 0));
    const [one, zero] = [numberIn(dtype, 1), numberIn(dtype, 0)];
    return one.map((v, i) => select(diagonal, v, zero[i]!));
  });
