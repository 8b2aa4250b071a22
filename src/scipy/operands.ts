/** Reading operands of scipy functions: real numbers of one float dtype, and elementwise functions with rules of their own. */
import type { ArrayLike } from "../core/arrayMethods.ts";
import { isComplex } from "../core/dtype.ts";
import type { NDArray } from "../core/ndarray.ts";
import { promoteOperands } from "../core/operands.ts";
import { DTypeError } from "../core/problem.ts";
import { shapesEqual } from "../core/shape.ts";
import { convert } from "../core/structural.ts";
import { broadcastAll } from "../numpy/arguments.ts";
import { customJvp } from "../transforms/customJvp.ts";
import { unit } from "../core/unit.ts";

const complexOperand = (name: string): DTypeError =>
  new DTypeError("ComplexOperand", {
    what: `${name}: the operands are complex`,
    why: `${name} is a function of real numbers`,
    fix: "pass the real part, numpy.real(x)",
  });

/** Operands in their common float dtype, integers as float32. Shapes stay as they are. */
export function floats(name: string, xs: readonly ArrayLike[]): NDArray[] {
  const operands = promoteOperands(name, xs, true);
  if (isComplex(operands[0]!.dtype)) throw complexOperand(name);
  return operands;
}

/** The same, broadcast to one shape. */
export function aligned(name: string, xs: readonly ArrayLike[]): NDArray[] {
  const operands = floats(name, xs);
  const { shape } = operands[0]!;
  return operands.every((x) => shapesEqual(x.shape, shape)) ? operands : broadcastAll(name, operands);
}

/** How many steps a series or a fraction takes: enough for a dtype's precision. */
export const steps = (x: NDArray, single: number, double: number): number => (x.dtype === "float64" ? double : single);

/** f, in float32 for shorter floats. */
export const inComputeType =
  (f: (...xs: NDArray[]) => NDArray) =>
  (...xs: NDArray[]): NDArray => {
    const { dtype } = xs[0]!;
    if (dtype === "float32" || dtype === "float64") return f(...xs);
    return convert(f(...xs.map((x) => convert(x, "float32"))), dtype);
  };

/** Tangent of the result from one operand's: (tangent, result, …operands). Null: none. */
export type Rule = ((g: NDArray, y: NDArray, ...xs: NDArray[]) => NDArray) | null;

/** An elementwise function of aligned operands, with one rule per operand. Called eagerly it is one program. */
export function elementwise(
  name: string,
  f: (...xs: NDArray[]) => NDArray,
  ...rules: readonly Rule[]
): (...xs: ArrayLike[]) => NDArray {
  const named = Object.defineProperty((...xs: NDArray[]) => f(...xs), "name", { value: name });
  const g = customJvp(named);
  g.defjvps(...rules);
  return unit(name, rules.length, (...xs: ArrayLike[]) => g(...aligned(`scipy.special.${name}`, xs)), {
    numbers: "inputs",
  });
}
