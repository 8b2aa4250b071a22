/** Comparisons, logical and bitwise functions, tests of floats, and closeness. */
import type { ArrayLike } from "../core/arrayMethods.ts";
import { isBool, isComplex, isFloat, isInexact, isInteger, isUnsigned, realDType } from "../core/dtype.ts";
import type { NDArray } from "../core/ndarray.ts";
import { asArray, asIndex, promoteOperands } from "../core/operands.ts";
import { DTypeError, ShapeError } from "../core/problem.ts";
import { range, shapesEqual } from "../core/shape.ts";
import { convert, full } from "../core/structural.ts";
import { abs, addArrays, isFinite as isFiniteArray, mulArrays, subArrays } from "../lax/arithmetic.ts";
import {
  andArrays,
  bitwiseNot as notArray,
  orArrays,
  populationCount,
  shiftLeft,
  shiftRightArithmetic,
  shiftRightLogical,
  xorArrays,
} from "../lax/bitwise.ts";
import { eqArrays, geArrays, gtArrays, leArrays, ltArrays, neArrays, selectArrays } from "../lax/compare.ts";
import { imag, real } from "../lax/complex.ts";
import { reduceAnd } from "../lax/reduce.ts";
import { literalLike } from "../lax/rules.ts";
import { type Rest, broadcastAll, given, pair } from "./arguments.ts";
import { type Binary, type Unary, binary, numericBinary, unary } from "./builders.ts";
import { unit } from "../core/unit.ts";

// ---------------------------------------------------------------- comparisons

/** Complex numbers compare by real, then imaginary part. */
const ordered =
  (compare: (x: NDArray, y: NDArray) => NDArray) =>
  (x: NDArray, y: NDArray): NDArray => {
    if (!isComplex(x.dtype)) return compare(x, y);
    const [a, b] = [real(x), real(y)];
    return selectArrays(eqArrays(a, b), compare(imag(x), imag(y)), compare(a, b));
  };

/**
 * Whether elements are equal.
 *
 * @example
 * np.equal(np.array([1, 2]), 2) // [false, true]
 */
export const equal: Binary = /* @__PURE__ */ binary("equal", eqArrays);

/**
 * Whether elements differ.
 *
 * @example
 * np.notEqual(np.array([1, 2]), 2) // [true, false]
 */
export const notEqual: Binary = /* @__PURE__ */ binary("notEqual", neArrays);

/**
 * Whether x < y, element by element.
 *
 * @example
 * np.less(np.array([1, 2, 3]), 2) // [true, false, false]
 */
export const less: Binary = /* @__PURE__ */ binary("less", /* @__PURE__ */ ordered(ltArrays));

/**
 * Whether x ≤ y, element by element.
 *
 * @example
 * np.lessEqual(np.array([1, 2, 3]), 2) // [true, true, false]
 */
export const lessEqual: Binary = /* @__PURE__ */ binary("lessEqual", /* @__PURE__ */ ordered(leArrays));

/**
 * Whether x > y, element by element.
 *
 * @example
 * np.greater(np.array([1, 2, 3]), 2) // [false, false, true]
 */
export const greater: Binary = /* @__PURE__ */ binary("greater", /* @__PURE__ */ ordered(gtArrays));

/**
 * Whether x ≥ y, element by element.
 *
 * @example
 * np.greaterEqual(np.array([1, 2, 3]), 2) // [false, true, true]
 */
export const greaterEqual: Binary = /* @__PURE__ */ binary("greaterEqual", /* @__PURE__ */ ordered(geArrays));

// ---------------------------------------------------------------- logic

/** Whether elements are not zero. */
export const truth = (x: NDArray): NDArray => (isBool(x.dtype) ? x : neArrays(x, literalLike(x, 0)));

/**
 * Whether both elements are true (not zero).
 *
 * @example
 * np.logicalAnd(np.array([true, true]), np.array([true, false])) // [true, false]
 */
export const logicalAnd: Binary = /* @__PURE__ */ binary("logicalAnd", (x, y) => andArrays(truth(x), truth(y)), {
  composite: true,
});

/**
 * Whether at least one of the elements is true (not zero).
 *
 * @example
 * np.logicalOr(np.array([0, 2]), np.array([0, 0])) // [false, true]
 */
export const logicalOr: Binary = /* @__PURE__ */ binary("logicalOr", (x, y) => orArrays(truth(x), truth(y)), {
  composite: true,
});

/**
 * Whether exactly one of the elements is true (not zero).
 *
 * @example
 * np.logicalXor(np.array([true, true]), np.array([true, false])) // [false, true]
 */
export const logicalXor: Binary = /* @__PURE__ */ binary("logicalXor", (x, y) => xorArrays(truth(x), truth(y)), {
  composite: true,
});

/**
 * Whether elements are false (zero).
 *
 * @example
 * np.logicalNot(np.array([0, 3])) // [true, false]
 */
export const logicalNot: Unary = /* @__PURE__ */ unary("logicalNot", (x) => notArray(truth(x)));

// ---------------------------------------------------------------- bits

/** Integer-valued numbers among themselves count as integers where bits are asked for. */
const onBits =
  (f: Binary): Binary =>
  (x, y, ...surplus) =>
    f(bitsOf(x), bitsOf(y), ...surplus);
const bitsOf = (x: ArrayLike): ArrayLike => (typeof x === "number" || Array.isArray(x) ? weakIndex(x) : x);
const weakIndex = (x: ArrayLike): ArrayLike => {
  const index = asIndex(x, "bitwise");
  return typeof x === "number" ? convert(index, index.dtype, true) : index;
};

/**
 * Bits set in both integers.
 *
 * @example
 * np.bitwiseAnd(np.arange(4), 2) // [0, 0, 2, 2]
 */
export const bitwiseAnd: Binary = /* @__PURE__ */ onBits(/* @__PURE__ */ binary("bitwiseAnd", andArrays));

/**
 * Bits set in either integer.
 *
 * @example
 * np.bitwiseOr(np.arange(4), 2) // [2, 3, 2, 3]
 */
export const bitwiseOr: Binary = /* @__PURE__ */ onBits(/* @__PURE__ */ binary("bitwiseOr", orArrays));

/**
 * Bits set in exactly one of the integers.
 *
 * @example
 * np.bitwiseXor(np.arange(4), 2) // [2, 3, 0, 1]
 */
export const bitwiseXor: Binary = /* @__PURE__ */ onBits(/* @__PURE__ */ binary("bitwiseXor", xorArrays));

/**
 * All bits flipped; booleans negated.
 *
 * @example
 * np.invert(np.arange(3)) // [-1, -2, -3]
 */
export const invert: Unary = (x) => notArray(asIndex(x, "invert"));
/** The same as `invert`. */
export const bitwiseInvert: Unary = invert;
/** The same as `invert`. */
export const bitwiseNot: Unary = invert;

/**
 * Bits moved up by x2 places.
 *
 * @example
 * np.leftShift(np.arange(3), 2) // [0, 4, 8]
 */
export const leftShift: Binary = /* @__PURE__ */ onBits(
  /* @__PURE__ */ numericBinary("leftShift", shiftLeft, { composite: true }),
);
/** The same as `leftShift`. */
export const bitwiseLeftShift: Binary = leftShift;

/**
 * Bits moved down by x2 places; negative numbers keep their sign.
 *
 * @example
 * np.rightShift(np.arange(8), 1) // [0, 0, 1, 1, 2, 2, 3, 3]
 */
export const rightShift: Binary = /* @__PURE__ */ onBits(
  /* @__PURE__ */ numericBinary(
    "rightShift",
    (x, y) => (isUnsigned(x.dtype) ? shiftRightLogical(x, y) : shiftRightArithmetic(x, y)),
    { composite: true },
  ),
);
/** The same as `rightShift`. */
export const bitwiseRightShift: Binary = rightShift;

/**
 * Number of bits set in the absolute value of integers, as uint8.
 *
 * @example
 * np.bitwiseCount(np.arange(5)) // [0, 1, 1, 2, 1]
 */
export function bitwiseCount(x: ArrayLike): NDArray {
  const a = asIndex(x, "bitwiseCount");
  const bits = isBool(a.dtype) ? convert(a, "int32") : a;
  return convert(populationCount(isInteger(bits.dtype) && !isUnsigned(bits.dtype) ? abs(bits) : bits), "uint8");
}

// ---------------------------------------------------------------- tests of floats

const constant = (x: NDArray, value: boolean): NDArray => full(x.shape, Number(value), "bool");
const isInfinite = (x: NDArray): NDArray => eqArrays(abs(x), literalLike(x, Infinity));

/**
 * Whether elements are NaN.
 *
 * @example
 * np.isnan(np.array([1, NaN])) // [false, true]
 */
export const isnan: Unary = /* @__PURE__ */ unary("isnan", (x) => neArrays(x, x));

/**
 * Whether elements are infinite.
 *
 * @example
 * np.isinf(np.array([1, -Infinity])) // [false, true]
 */
export const isinf: Unary = /* @__PURE__ */ unary(
  "isinf",
  (x) => {
    if (isFloat(x.dtype)) return isInfinite(x);
    return isComplex(x.dtype) ? orArrays(isInfinite(real(x)), isInfinite(imag(x))) : constant(x, false);
  },
  { composite: true },
);

/**
 * Whether elements are neither infinite nor NaN.
 *
 * @example
 * np.isfinite(np.array([1, Infinity, NaN])) // [true, false, false]
 */
export const isfinite: Unary = /* @__PURE__ */ unary(
  "isfinite",
  (x) => {
    if (isFloat(x.dtype)) return isFiniteArray(x);
    return isComplex(x.dtype) ? andArrays(isFiniteArray(real(x)), isFiniteArray(imag(x))) : constant(x, true);
  },
  { composite: true },
);

const isSignedInfinity = (name: string, value: number): Unary =>
  unary(name, (x) => {
    if (isFloat(x.dtype)) return eqArrays(x, literalLike(x, value));
    if (!isComplex(x.dtype)) return constant(x, false);
    throw new DTypeError("ComplexOrder", {
      what: `${name}: ${x.describe()} is complex`,
      why: "complex infinities have no sign",
      fix: "test numpy.real(x) and numpy.imag(x)",
    });
  });

/**
 * Whether elements are positive infinity.
 *
 * @example
 * np.isposinf(np.array([Infinity, -Infinity])) // [true, false]
 */
export const isposinf: Unary = /* @__PURE__ */ isSignedInfinity("isposinf", Infinity);

/**
 * Whether elements are negative infinity.
 *
 * @example
 * np.isneginf(np.array([Infinity, -Infinity])) // [false, true]
 */
export const isneginf: Unary = /* @__PURE__ */ isSignedInfinity("isneginf", -Infinity);

// ---------------------------------------------------------------- closeness, equality of arrays

export interface EqualNanOption {
  /** Whether NaN equals NaN. */
  readonly equalNan?: boolean | undefined;
}
export interface ToleranceOptions extends EqualNanOption {
  /** Relative tolerance, 1e-5. */
  readonly rtol?: ArrayLike | undefined;
  /** Absolute tolerance, 1e-8. */
  readonly atol?: ArrayLike | undefined;
}
type ToleranceRest = Rest<[ArrayLike, ArrayLike, boolean], ToleranceOptions>;

/**
 * Whether elements differ by at most atol + rtol · |b|.
 *
 * @example
 * np.isclose(np.array([1, 2]), np.array([1.000001, 2.1])) // [true, false]
 */
export const isclose = /* @__PURE__ */ unit(
  "isclose",
  2,
  function isclose(a: ArrayLike, b: ArrayLike, ...rest: ToleranceRest): NDArray {
    const {
      rtol = 1e-5,
      atol = 1e-8,
      equalNan = false,
    } = given<ToleranceOptions>("isclose", ["rtol", "atol", "equalNan"], 3, rest);
    const [x, y] = pair("isclose", a, b, true);
    const dtype = realDType(x.dtype);
    const [relative, absolute] = [rtol, atol].map((t) => convert(asArray(t, "isclose"), dtype)) as [NDArray, NDArray];
    const size = abs(y);
    const [r, s] = relative.ndim === 0 ? [relative, size] : broadcastAll("isclose", [relative, size]);
    const scaled = mulArrays(r!, s!);
    const [t, u] = absolute.ndim === 0 ? [absolute, scaled] : broadcastAll("isclose", [absolute, scaled]);
    const [difference, tolerance] = pair("isclose", abs(subArrays(x, y)), addArrays(t!, u!));
    const near = leArrays(difference, tolerance);
    const close = orArrays(eqArrays(x, y), andArrays(isfinite(y), near));
    return equalNan ? orArrays(close, andArrays(neArrays(x, x), neArrays(y, y))) : close;
  },
);

const allOf = (x: NDArray): NDArray => reduceAnd(x, range(x.ndim));

/**
 * Whether all elements are close; see `isclose`.
 *
 * @example
 * np.allclose(np.array([1, 2]), np.array([1, 2.0000001])) // true
 */
export const allclose = /* @__PURE__ */ unit(
  "allclose",
  2,
  (a: ArrayLike, b: ArrayLike, ...rest: ToleranceRest): NDArray => allOf(isclose(a, b, ...rest)),
);

/**
 * Whether two arrays have the same shape and equal elements.
 *
 * @example
 * np.arrayEqual(np.array([1, 2]), np.array([1, 2])) // true
 */
export const arrayEqual = /* @__PURE__ */ unit(
  "arrayEqual",
  2,
  function arrayEqual(a1: ArrayLike, a2: ArrayLike, ...rest: Rest<[boolean], EqualNanOption>): NDArray {
    const { equalNan = false } = given<EqualNanOption>("arrayEqual", ["equalNan"], 1, rest);
    const [a, b] = [asArray(a1, "arrayEqual"), asArray(a2, "arrayEqual")];
    if (!shapesEqual(a.shape, b.shape)) return full([], 0, "bool");
    if (a.dtype === b.dtype && a.dtype === "key<fry>") return allOf(eqArrays(a, b));
    const [x, y] = promoteOperands("arrayEqual", [a, b]) as [NDArray, NDArray];
    const same = eqArrays(x, y);
    return allOf(equalNan && isInexact(x.dtype) ? orArrays(same, andArrays(neArrays(x, x), neArrays(y, y))) : same);
  },
);

/**
 * Whether two arrays broadcast together and then are equal.
 *
 * @example
 * np.arrayEquiv(np.array([1, 1]), 1) // true
 */
export const arrayEquiv = /* @__PURE__ */ unit(
  "arrayEquiv",
  2,
  function arrayEquiv(a1: ArrayLike, a2: ArrayLike): NDArray {
    try {
      return allOf(equal(a1, a2));
    } catch (error) {
      if (error instanceof ShapeError) return full([], 0, "bool");
      throw error;
    }
  },
);

/**
 * Whether elements have an imaginary part that is not 0.
 *
 * @example
 * np.iscomplex(np.array([1, 2])) // [false, false]
 */
export const iscomplex: Unary = /* @__PURE__ */ unary("iscomplex", (x) =>
  isComplex(x.dtype) ? neArrays(imag(x), literalLike(imag(x), 0)) : constant(x, false),
);

/**
 * Whether elements have no imaginary part, or one that is 0.
 *
 * @example
 * np.isreal(np.array([1, 2])) // [true, true]
 */
export const isreal: Unary = /* @__PURE__ */ unary("isreal", (x) =>
  isComplex(x.dtype) ? eqArrays(imag(x), literalLike(imag(x), 0)) : constant(x, true),
);
