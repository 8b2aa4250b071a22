/** Reading arrays back: typed arrays, nested JavaScript values, single numbers; at once or when the device is ready. */
import type { Nested } from "../core/arrayMethods.ts";
import { isBool, isComplex, isKey } from "../core/dtype.ts";
import { evaluator } from "../core/evaluator.ts";
import type { HostArray, TypedArray } from "../core/hostArray.ts";
import type { NDArray } from "../core/ndarray.ts";
import { ConcretizationError, DTypeError, ShapeError } from "../core/problem.ts";
import { shapeText } from "../core/shape.ts";

/** The array with values behind an array, or an error that names how the values were asked for. */
export function concreteOf(x: NDArray, how: string): NDArray {
  const concrete = x.concrete();
  if (concrete) return concrete;
  throw new ConcretizationError("TracedRead", {
    what: `${how} of ${x.describe()}`,
    why: "inside a transformation only shapes and dtypes are known; the values exist when the program runs",
    fix: "return the array and read it outside; to look at values use debug.print; to decide on them use numpy.where or lax.cond, or declare the argument static",
  });
}

const opaque = (x: NDArray, how: string): DTypeError =>
  new DTypeError("KeyRead", {
    what: `${how} of ${x.describe()}`,
    why: "PRNG keys are opaque",
    fix: "read the words with random.keyData(key)",
  });

function readable(x: NDArray, how: string): NDArray {
  if (isKey(x.dtype)) throw opaque(x, how);
  return concreteOf(x, how);
}

/** Values at once. */
export const valuesOf = (x: NDArray, how: string): HostArray => evaluator().toHost(readable(x, how));
/** Values when the device has them. */
export const valuesLater = async (x: NDArray, how: string): Promise<HostArray> => evaluator().read(readable(x, how));

/** A copy that the user may change. */
export const copyOf = (x: HostArray): TypedArray => x.data.slice();

/** Element `i` as a JavaScript value: booleans for bool, [re, im] for complex numbers. */
function elementOf({ data, dtype }: HostArray, i: number): Nested {
  if (isBool(dtype)) return data[i] !== 0;
  return isComplex(dtype) ? [data[2 * i]!, data[2 * i + 1]!] : data[i]!;
}

/** Nested lists; a scalar is its element. */
export function nestedOf(x: HostArray): Nested {
  let next = 0;
  const build = (axis: number): Nested =>
    axis === x.shape.length ? elementOf(x, next++) : Array.from({ length: x.shape[axis]! }, () => build(axis + 1));
  return build(0);
}

/** The element of an array that has one. */
export function itemOf(x: NDArray): number | boolean {
  const values = valuesOf(x, "item()");
  if (x.size === 1 && !isComplex(x.dtype)) return elementOf(values, 0) as number | boolean;
  throw new ShapeError("NotOneElement", {
    what: `item() of ${x.describe()}`,
    why:
      x.size === 1
        ? "a complex number is no JavaScript number"
        : `the array has ${x.size} elements (shape ${shapeText(x.shape)})`,
    fix:
      x.size === 1
        ? "read x.real.item() and x.imag.item(), or x.js()"
        : "pick one first, x.slice(0).item(), or read all with x.js()",
  });
}
