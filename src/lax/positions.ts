/** Positions along an axis as users give them: of any integer dtype, negative ones counted from the end. */
import { bytesPerElement, isInteger, isUnsigned } from "../core/dtype.ts";
import type { NDArray } from "../core/ndarray.ts";
import { convert } from "../core/structural.ts";
import { addArrays } from "./arithmetic.ts";
import { ltArrays, selectArrays } from "./compare.ts";
import { literalLike } from "./rules.ts";

/** Positions in a dtype that holds every length: narrower ones would wrap around when a length is added. */
export const widePositions = (index: NDArray): NDArray =>
  isInteger(index.dtype) && bytesPerElement(index.dtype) < 4 ? convert(index, "int32") : index;

/** Negative positions count from the end of an axis of length `n`. */
export function fromEnd(index: NDArray, n: number): NDArray {
  if (!isInteger(index.dtype) || isUnsigned(index.dtype)) return index;
  const wide = widePositions(index);
  return selectArrays(ltArrays(wide, literalLike(wide, 0)), addArrays(wide, literalLike(wide, n)), wide);
}
