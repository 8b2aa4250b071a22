/** `dtypes`: facts about dtypes under the names of `jax.dtypes`. */
import type { ArrayLike } from "../core/arrayMethods.ts";
import {
  type DType,
  bytesPerElement,
  isBool,
  isComplex,
  isFloat,
  isInteger,
  isKey,
  parseDType,
} from "../core/dtype.ts";
import { asArray } from "../core/operands.ts";
import { DTypeError } from "../core/problem.ts";
import { type ResultType, resultTypeOf } from "./dtypes.ts";

export { bfloat16, extended, finfo, iinfo, issubdtype, prngKey } from "./dtypes.ts";
/** Dtypes that do not promote together, code `NoPromotion`; the class of all mistakes about dtypes. */
export { DTypeError as TypePromotionError } from "../core/problem.ts";

/** The dtype of tangents of integers and booleans: they have none, and where one is asked for it is a boolean. */
export const float0: DType = "bool";

/**
 * The dtype that is stored for a name: int64 is int32, uint64 is uint32, complex128 is complex64, as in JAX without x64.
 * float64 exists and stays.
 *
 * @example
 * dtypes.canonicalizeDtype("int64") // "int32"
 */
export function canonicalizeDtype(
  dtype: string,
  allowExtendedDtype: boolean | { readonly allowExtendedDtype?: boolean } = false,
): DType {
  const d = parseDType(dtype);
  const allowed = typeof allowExtendedDtype === "boolean" ? allowExtendedDtype : allowExtendedDtype.allowExtendedDtype;
  if (!isKey(d) || allowed) return d;
  throw new DTypeError("ExtendedDType", {
    what: `canonicalizeDtype: ${d} is an extended dtype`,
    why: "PRNG keys are no numbers and have no other form",
    fix: "pass { allowExtendedDtype: true } where keys are welcome",
  });
}

/** How many bits an element takes in memory; booleans take a byte. @example dtypes.itemsizeBits("bfloat16") // 16 */
export const itemsizeBits = (dtype: string): number => 8 * bytesPerElement(parseDType(dtype));

/**
 * The dtype that operands are computed in; with `returnWeakTypeFlag`, `[dtype, weak]`.
 *
 * @example
 * dtypes.resultType("int8", np.arange(3)) // "int32"
 */
export function resultType(...args: readonly (DType | ArrayLike)[]): DType;
export function resultType(
  ...args: readonly (DType | ArrayLike | { readonly returnWeakTypeFlag: true })[]
): [dtype: DType, weakType: boolean];
export function resultType(...args: readonly unknown[]): DType | [DType, boolean] {
  const last = args.at(-1);
  const options = typeof last === "object" && last !== null && "returnWeakTypeFlag" in last ? last : null;
  const { dtype, weakType }: ResultType = resultTypeOf((options ? args.slice(0, -1) : args) as readonly ArrayLike[]);
  return options?.returnWeakTypeFlag ? [dtype, weakType] : dtype;
}

/** The kind of numbers that a value holds: `"bool"`, `"int"`, `"float"` or `"complex"`. @example dtypes.scalarTypeOf(np.arange(3)) // "int" */
export function scalarTypeOf(x: ArrayLike): "bool" | "int" | "float" | "complex" {
  const { dtype } = asArray(x, "scalarTypeOf");
  if (isBool(dtype)) return "bool";
  if (isInteger(dtype)) return "int";
  if (isFloat(dtype)) return "float";
  if (isComplex(dtype)) return "complex";
  throw new DTypeError("NoScalarType", {
    what: `scalarTypeOf: ${dtype} holds no numbers`,
    why: "PRNG keys are opaque",
    fix: "read the words of a key with random.keyData(key)",
  });
}
