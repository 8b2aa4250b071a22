/** Dtypes by name, their facts and their relations; numeric constants. */
import type { ArrayLike } from "../core/arrayMethods.ts";
import {
  type DType,
  type WeakDType,
  bytesPerElement,
  isBool,
  isComplex,
  isDType,
  isFloat,
  isInteger,
  isKey,
  isSigned,
  isUnsigned,
  parseDType,
  promote,
  realDType,
} from "../core/dtype.ts";
import { NDArray } from "../core/ndarray.ts";
import { asArray } from "../core/operands.ts";
import { ArgumentError, DTypeError } from "../core/problem.ts";

// ---------------------------------------------------------------- names

export const bool_ = "bool";
export const int8 = "int8";
export const int16 = "int16";
export const int32 = "int32";
/** There are no 64-bit integers: the same as `int32`, as in JAX without x64. */
export const int64 = "int32";
export const int_ = "int32";
export const uint8 = "uint8";
export const uint16 = "uint16";
export const uint32 = "uint32";
/** There are no 64-bit integers: the same as `uint32`, as in JAX without x64. */
export const uint64 = "uint32";
export const uint = "uint32";
export const float16 = "float16";
export const bfloat16 = "bfloat16";
export const float32 = "float32";
export const float64 = "float64";
export const float_ = "float32";
export const single = "float32";
export const double = "float64";
export const complex64 = "complex64";
/** There are no wider complex numbers: the same as `complex64`. */
export const complex128 = "complex64";
export const complex_ = "complex64";
export const csingle = "complex64";
export const cdouble = "complex64";

/** Families of dtypes, for `issubdtype`. */
export const generic = "generic";
export const number = "number";
export const integer = "integer";
export const signedinteger = "signedinteger";
export const unsignedinteger = "unsignedinteger";
export const inexact = "inexact";
export const floating = "floating";
export const complexfloating = "complexfloating";
/** Dtypes that are no numbers: those of PRNG keys. */
export const extended = "extended";
export const prngKey = "prngKey";

// ---------------------------------------------------------------- constants

export const pi: number = Math.PI;
export const e: number = Math.E;
export const inf: number = Infinity;
export const nan: number = NaN;
export const eulerGamma = 0.5772156649015329;
/** In an index: inserts an axis of length 1. */
export const newaxis = null;

// ---------------------------------------------------------------- facts

/** What `finfo` tells of a float dtype. */
export interface FloatInfo {
  readonly dtype: DType;
  readonly bits: number;
  /** The distance from 1 to the next number. */
  readonly eps: number;
  /** Half of `eps`. */
  readonly epsneg: number;
  readonly max: number;
  readonly min: number;
  /** The smallest normal number. */
  readonly tiny: number;
  readonly smallestNormal: number;
  readonly smallestSubnormal: number;
  /** Bits of the exponent and of the fraction. */
  readonly nexp: number;
  readonly nmant: number;
  readonly maxexp: number;
  readonly minexp: number;
  /** Decimals that are exact. */
  readonly precision: number;
  readonly resolution: number;
}

const layouts: Partial<Record<DType, readonly [bits: number, nexp: number, nmant: number]>> = {
  float16: [16, 5, 10],
  bfloat16: [16, 8, 7],
  float32: [32, 8, 23],
  float64: [64, 11, 52],
};

const known: Partial<Record<DType, FloatInfo>> = {};

/** Facts of a float dtype. */
export function facts(dtype: DType): FloatInfo {
  return (known[dtype] ??= computeFacts(dtype));
}

function computeFacts(dtype: DType): FloatInfo {
  const [bits, nexp, nmant] = layouts[dtype]!;
  const maxexp = 2 ** (nexp - 1);
  const tiny = 2 ** (2 - maxexp);
  const eps = 2 ** -nmant;
  const max = (2 - eps) * 2 ** (maxexp - 1);
  const precision = Math.floor(nmant * Math.log10(2));
  return {
    dtype,
    bits,
    eps,
    epsneg: eps / 2,
    max,
    min: -max,
    tiny,
    smallestNormal: tiny,
    smallestSubnormal: tiny * eps,
    nexp,
    nmant,
    maxexp,
    minexp: 2 - maxexp,
    precision,
    resolution: Number(`1e-${precision}`),
  };
}

const dtypeOf = (x: DType | NDArray): DType => (x instanceof NDArray ? x.dtype : parseDType(x));

/**
 * Limits of a float dtype; of a complex one, those of its parts.
 *
 * @example
 * np.finfo("float32").eps // 1.1920928955078125e-7
 */
export function finfo(dtype: DType | NDArray): FloatInfo {
  const d = realDType(dtypeOf(dtype));
  if (isFloat(d)) return facts(d);
  throw new DTypeError("NotAFloat", {
    what: `finfo: ${d} is not a float dtype`,
    why: "finfo tells of floats",
    fix: "use numpy.iinfo for integers",
  });
}

/** What `iinfo` tells of an integer dtype. */
export interface IntegerInfo {
  readonly dtype: DType;
  readonly bits: number;
  readonly min: number;
  readonly max: number;
}

/**
 * Limits of an integer dtype.
 *
 * @example
 * np.iinfo("int8").max // 127
 */
export function iinfo(dtype: DType | NDArray): IntegerInfo {
  const d = dtypeOf(dtype);
  if (!isInteger(d))
    throw new DTypeError("NotAnInteger", {
      what: `iinfo: ${d} is not an integer dtype`,
      why: "iinfo tells of integers",
      fix: "use numpy.finfo for floats",
    });
  const bits = 8 * bytesPerElement(d);
  return isSigned(d)
    ? { dtype: d, bits, min: -(2 ** (bits - 1)), max: 2 ** (bits - 1) - 1 }
    : { dtype: d, bits, min: 0, max: 2 ** bits - 1 };
}

// ---------------------------------------------------------------- relations

/** A name of a dtype, checked; or the dtype of an array. */
export function dtype(x: DType | ArrayLike): DType {
  return typeof x === "string" ? parseDType(x) : asArray(x, "dtype").dtype;
}

const families: Readonly<Record<string, (d: DType) => boolean>> = {
  generic: () => true,
  number: (d) => !isBool(d) && !isKey(d),
  integer: isInteger,
  signedinteger: isSigned,
  unsignedinteger: isUnsigned,
  inexact: (d) => isFloat(d) || isComplex(d),
  floating: isFloat,
  complexfloating: isComplex,
  extended: isKey,
  prngKey: isKey,
};

/** A family of dtypes, as `issubdtype` takes it. */
export type DTypeFamily =
  | "generic"
  | "number"
  | "integer"
  | "signedinteger"
  | "unsignedinteger"
  | "inexact"
  | "floating"
  | "complexfloating"
  | "extended"
  | "prngKey";

const unknownFamily = (name: string, x: unknown, choices: readonly string[]): ArgumentError =>
  new ArgumentError("UnknownDTypeFamily", {
    what: `${name}: ${JSON.stringify(x)} is not a family of dtypes`,
    why: "families group dtypes that behave alike",
    fix: `use one of ${choices.join(", ")}, or a dtype`,
  });

/** Whether a family lies in another. */
const inside = (a: string, b: string): boolean => {
  const members = [...Object.keys(numberDTypes), "key<fry>"].filter((d) => families[a]!(d as DType));
  return members.every((d) => families[b]!(d as DType));
};
const numberDTypes: Readonly<Record<Exclude<DType, "key<fry>">, true>> = {
  bool: true,
  int8: true,
  int16: true,
  int32: true,
  uint8: true,
  uint16: true,
  uint32: true,
  float16: true,
  bfloat16: true,
  float32: true,
  float64: true,
  complex64: true,
};

/**
 * Whether a dtype or family belongs to another.
 *
 * @example
 * np.issubdtype("float32", np.floating) // true
 */
export function issubdtype(arg1: DType | DTypeFamily, arg2: DType | DTypeFamily): boolean {
  const [isFamily1, isFamily2] = [Object.hasOwn(families, arg1), Object.hasOwn(families, arg2)];
  if (isFamily1) return isFamily2 && inside(arg1, arg2);
  const d = parseDType(arg1);
  if (isFamily2) return families[arg2]!(d);
  return parseDType(arg2) === d;
}

/** A kind of dtype of the array API standard. */
export type DTypeKind =
  "bool" | "signed integer" | "unsigned integer" | "integral" | "real floating" | "complex floating" | "numeric";
const kinds: Readonly<Record<DTypeKind, (d: DType) => boolean>> = {
  bool: isBool,
  "signed integer": isSigned,
  "unsigned integer": isUnsigned,
  integral: isInteger,
  "real floating": isFloat,
  "complex floating": isComplex,
  numeric: (d) => !isBool(d) && !isKey(d),
};

/**
 * Whether a dtype is of a kind, as the array API standard names kinds; of one of them if a list is given.
 *
 * @example
 * np.isdtype("int32", "integral") // true
 */
export function isdtype(dtype: DType, kind: DTypeKind | DType | readonly (DTypeKind | DType)[]): boolean {
  const d = parseDType(dtype);
  const list = typeof kind === "string" ? [kind] : kind;
  return list.some((k) => {
    if (Object.hasOwn(kinds, k)) return kinds[k as DTypeKind](d);
    if (isDType(k)) return k === d;
    throw unknownFamily("isdtype", k, Object.keys(kinds));
  });
}

const strong = (d: DType): WeakDType => ({ dtype: parseDType(d), weakType: false });

/**
 * The dtype that operands of two dtypes are computed in.
 *
 * @example
 * np.promoteTypes("int32", "float16") // "float16"
 */
export const promoteTypes = (a: DType, b: DType): DType => promote([strong(a), strong(b)]).dtype;

/**
 * The dtype that operands are computed in; operands are dtypes, arrays or numbers.
 *
 * @example
 * np.resultType("int8", np.arange(3)) // "int32"
 */
export const resultType = (...args: readonly (DType | ArrayLike)[]): DType => resultTypeOf(args).dtype;

/** What operands are computed in. */
export interface ResultType {
  readonly dtype: DType;
  readonly weakType: boolean;
}

/** `resultType` and whether it is weak. */
export function resultTypeOf(args: readonly (DType | ArrayLike)[]): ResultType {
  if (args.length === 0)
    throw new ArgumentError("NoOperands", {
      what: "resultType: no operands",
      why: "a dtype results from operands",
      fix: "pass at least one dtype or array",
    });
  const known = args.some((x) => typeof x === "string" || x instanceof NDArray);
  return promote(
    args.map((x): WeakDType => {
      if (typeof x === "string") return strong(x);
      if (typeof x === "number" && known && Number.isInteger(x)) return { dtype: "int32", weakType: true };
      return asArray(x, "resultType").aval;
    }),
  );
}

/** Casts that keep every value. */
function isSafe(from: DType, to: DType): boolean {
  if (from === to) return true;
  if (isBool(from)) return !isKey(to);
  if (isBool(to) || isKey(from) || isKey(to)) return false;
  const bits = (d: DType): number => 8 * bytesPerElement(d);
  if (isInteger(from)) {
    if (isInteger(to))
      return isSigned(from)
        ? isSigned(to) && bits(to) >= bits(from)
        : bits(to) > bits(from) || (isUnsigned(to) && bits(to) >= bits(from));
    const { nmant } = facts(realDType(to));
    return nmant + 1 >= bits(from) - Number(isSigned(from));
  }
  if (isInteger(to)) return false;
  if (isComplex(from)) return isComplex(to);
  const [a, b] = [facts(from), facts(realDType(to))];
  return b.nmant >= a.nmant && b.nexp >= a.nexp;
}

const familyRank = (d: DType): number => (isBool(d) ? 0 : isUnsigned(d) ? 1 : isSigned(d) ? 2 : isFloat(d) ? 3 : 4);

/**
 * Whether a cast is allowed: `"safe"` keeps values, `"same_kind"` stays in the family or goes up, `"unsafe"` is anything.
 *
 * @example
 * np.canCast("int32", "float32", { casting: "same_kind" }) // true
 */
export function canCast(
  from: DType | NDArray,
  to: DType,
  casting:
    | "no"
    | "equiv"
    | "safe"
    | "same_kind"
    | "unsafe"
    | { readonly casting?: "no" | "equiv" | "safe" | "same_kind" | "unsafe" } = "safe",
): boolean {
  const rule = typeof casting === "string" ? casting : (casting.casting ?? "safe");
  const [a, b] = [dtypeOf(from), parseDType(to)];
  switch (rule) {
    case "no":
    case "equiv":
      return a === b;
    case "safe":
      return isSafe(a, b);
    case "same_kind":
      return familyRank(a) <= familyRank(b);
    case "unsafe":
      return true;
  }
}

/** Whether a value is a scalar: a number, a boolean or an array without axes. */
export const isscalar = (element: unknown): boolean =>
  element instanceof NDArray ? element.ndim === 0 : ["number", "boolean", "bigint"].includes(typeof element);

/** Whether an array is complex by dtype. */
export const iscomplexobj = (x: ArrayLike): boolean => isComplex(asArray(x, "iscomplexobj").dtype);
/** Whether an array is not complex by dtype. */
export const isrealobj = (x: ArrayLike): boolean => !iscomplexobj(x);
