/** The bits of an array read as another dtype. */
import { type DType, bytesPerElement, isComplex, parseDType } from "../core/dtype.ts";
import type { NDArray } from "../core/ndarray.ts";
import { ShapeError } from "../core/problem.ts";
import { shapeText } from "../core/shape.ts";
import { convert, reshape } from "../core/structural.ts";
import { bitcastConvertType } from "../lax/cast.ts";
import { complex, imag, real } from "../lax/complex.ts";
import { concatenateArrays, expandDims } from "../lax/movement.ts";
import { readIndex } from "./at.ts";

/** The array's bits as elements of another dtype; the last axis gets longer or shorter with their size. */
export function viewAs(x: NDArray, dtype?: DType | null): NDArray {
  if (dtype === null || dtype === undefined) return x;
  const type = parseDType(dtype);
  if (type === x.dtype) return x;
  if (x.ndim === 0 && bytesPerElement(type) === bytesPerElement(x.dtype))
    return reshape(viewAs(expandDims(x, [0]), type), []);
  if (x.dtype === "bool") return viewAs(convert(x, "uint8"), type);
  if (type === "bool") return convert(viewAs(x, "uint8"), "bool");
  if (isComplex(x.dtype)) {
    const parts = concatenateArrays([expandDims(real(x), [-1]), expandDims(imag(x), [-1])], x.ndim);
    return viewAs(reshape(parts, [...x.shape.slice(0, -1), 2 * (x.shape.at(-1) ?? 1)]), type);
  }
  if (isComplex(type)) {
    const floats = viewAs(x, "float32");
    return complex(readIndex(floats, ["...", [0, null, 2]]), readIndex(floats, ["...", [1, null, 2]]));
  }
  const [from, to] = [bytesPerElement(x.dtype), bytesPerElement(type)];
  const last = x.shape.at(-1);
  if (last === undefined || (last * from) % to !== 0)
    throw new ShapeError("ViewShape", {
      what: `view: ${x.describe()} (shape ${shapeText(x.shape)}) as ${type}`,
      why: `the last axis must hold whole elements of ${to} bytes`,
      fix: "reshape first, so that the last axis does",
    });
  const lead = x.shape.slice(0, -1);
  const joined = from < to ? reshape(x, [...lead, (last * from) / to, to / from]) : x;
  return reshape(bitcastConvertType(joined, type), [...lead, (last * from) / to]);
}
