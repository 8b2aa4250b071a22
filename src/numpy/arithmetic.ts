/**
 * Arithmetic with promotion and broadcasting: sums, products, quotients with their integer and float forms, powers,
 * extrema.
 */
import type { ArrayLike } from "../core/arrayMethods.ts";
import { isBool, isComplex, isFloat, isInexact, isInteger, isUnsigned } from "../core/dtype.ts";
import { Literal, NDArray } from "../core/ndarray.ts";
import { asArray, scalarLiteral } from "../core/operands.ts";
import { DTypeError } from "../core/problem.ts";
import { broadcastShapes } from "../core/shape.ts";
import { broadcastTo } from "../core/structural.ts";
import {
  abs as absArray,
  addArrays,
  divArrays,
  integerPow,
  maxArrays,
  minArrays,
  mulArrays,
  neg,
  powArrays,
  remArrays,
  round as roundArray,
  sign as signArray,
  sqrt as sqrtArray,
  square as squareArray,
  subArrays,
} from "../lax/arithmetic.ts";
import { andArrays, orArrays, shiftRightLogical } from "../lax/bitwise.ts";
import { eqArrays, gtArrays, ltArrays, neArrays, selectArrays } from "../lax/compare.ts";
import { literalLike } from "../lax/rules.ts";
import { type Surplus, given, inexactOf, noMore, numericOf, numericPair, type Rest } from "./arguments.ts";
import { type Binary, type Unary, binary, inexactBinary, numericBinary, unary } from "./builders.ts";
import { greater, less } from "./logic.ts";
import { unit } from "../core/unit.ts";

/**
 * Sum of two arrays; booleans are or-ed.
 *
 * @example
 * np.add(np.array([1, 2]), 10) // [11, 12]
 */
export const add: Binary = /* @__PURE__ */ binary("add", (x, y) =>
  isBool(x.dtype) ? orArrays(x, y) : addArrays(x, y),
);

/**
 * Difference of two arrays.
 *
 * @example
 * np.subtract(np.array([5, 7]), np.array([1, 2])) // [4, 5]
 */
export const subtract: Binary = /* @__PURE__ */ binary("subtract", subArrays);

/**
 * Product of two arrays; booleans are and-ed.
 *
 * @example
 * np.multiply(np.array([1, 2]), np.array([[1], [10]])) // [[1, 2], [10, 20]]
 */
export const multiply: Binary = /* @__PURE__ */ binary("multiply", (x, y) =>
  isBool(x.dtype) ? andArrays(x, y) : mulArrays(x, y),
);

/**
 * Quotient of two arrays; integers become float32.
 *
 * @example
 * np.divide(np.array([1, 2]), 4) // [0.25, 0.5]
 */
export const divide: Binary = /* @__PURE__ */ inexactBinary("divide", divArrays);

/**
 * The same as `divide`.
 *
 * @example
 * np.trueDivide(np.arange(3), 2) // [0, 0.5, 1]
 */
export const trueDivide: Binary = /* @__PURE__ */ inexactBinary("trueDivide", divArrays);

const noComplex = (name: string, x: NDArray): DTypeError =>
  new DTypeError("ComplexOrder", {
    what: `${name}: ${x.describe()} is complex`,
    why: `${name} needs numbers that can be ordered`,
    fix: "take numpy.real(x), numpy.imag(x) or numpy.abs(x) first",
  });

/** Quotient rounded down and the remainder that belongs to it, for floats. */
function floatDivmod(x: NDArray, y: NDArray): readonly [NDArray, NDArray] {
  const zero = literalLike(y, 0);
  const rem = remArrays(x, y);
  const quotient = divArrays(selectArrays(eqArrays(y, zero), x, subArrays(x, rem)), y);
  const wrong = andArrays(neArrays(rem, zero), neArrays(signArray(y), signArray(rem)));
  const mod = selectArrays(wrong, addArrays(rem, y), rem);
  const div = selectArrays(wrong, subArrays(quotient, literalLike(quotient, 1)), quotient);
  return [roundArray(div), mod];
}

function floorDivideArrays(x: NDArray, y: NDArray): NDArray {
  if (isComplex(x.dtype)) throw noComplex("floorDivide", x);
  if (isUnsigned(x.dtype)) return divArrays(x, y);
  if (!isInteger(x.dtype)) return floatDivmod(x, y)[0];
  const quotient = divArrays(x, y);
  const down = andArrays(neArrays(signArray(x), signArray(y)), neArrays(remArrays(x, y), literalLike(x, 0)));
  return selectArrays(down, subArrays(quotient, literalLike(quotient, 1)), quotient);
}

/**
 * Quotient rounded down.
 *
 * @example
 * np.floorDivide(np.array([7, -7]), 2) // [3, -4]
 */
export const floorDivide: Binary = /* @__PURE__ */ numericBinary("floorDivide", floorDivideArrays, { composite: true });

/** Integers by zero: the divisor counts as 1, so that the remainder is 0. */
const withoutZeros = (y: NDArray): NDArray =>
  isInteger(y.dtype) ? selectArrays(eqArrays(y, literalLike(y, 0)), literalLike(y, 1), y) : y;

function remainderArrays(x: NDArray, divisor: NDArray): NDArray {
  if (isComplex(x.dtype)) throw noComplex("remainder", x);
  const y = withoutZeros(divisor);
  const zero = literalLike(x, 0);
  const rem = remArrays(x, y);
  const otherSign = andArrays(neArrays(ltArrays(rem, zero), ltArrays(y, literalLike(y, 0))), neArrays(rem, zero));
  return selectArrays(otherSign, addArrays(rem, y), rem);
}

/**
 * Remainder with the sign of the divisor.
 *
 * @example
 * np.remainder(np.array([7, -7]), 3) // [1, 2]
 */
export const remainder: Binary = /* @__PURE__ */ numericBinary("remainder", remainderArrays, { composite: true });

/**
 * The same as `remainder`.
 *
 * @example
 * np.mod(np.array([5, -5]), 3) // [2, 1]
 */
export const mod: Binary = /* @__PURE__ */ numericBinary("mod", remainderArrays, { composite: true });

/**
 * Remainder with the sign of the dividend, as C has it.
 *
 * @example
 * np.fmod(np.array([7, -7]), 3) // [1, -1]
 */
export const fmod: Binary = /* @__PURE__ */ numericBinary("fmod", (x, y) => remArrays(x, withoutZeros(y)), {
  composite: true,
});

/**
 * `floorDivide` and `remainder` at once.
 *
 * @example
 * np.divmod(np.array([7, -7]), 2) // [[3, -4], [1, 1]]
 */
export const divmod = /* @__PURE__ */ unit(
  "divmod",
  2,
  function divmod(x1: ArrayLike, x2: ArrayLike, ...surplus: Surplus): [NDArray, NDArray] {
    noMore("divmod", surplus);
    const [x, y] = numericPair("divmod", x1, x2);
    if (isInteger(x.dtype)) return [floorDivideArrays(x, y), remainderArrays(x, y)];
    if (isComplex(x.dtype)) throw noComplex("divmod", x);
    return [...floatDivmod(x, y)];
  },
);

// ---------------------------------------------------------------- powers

/** Integers to integer powers below 64, by squaring. */
function integerPower(x: NDArray, y: NDArray): NDArray {
  const shape = broadcastShapes("power", [x.shape, y.shape]);
  let [base, exponent] = [broadcastTo(x, shape), broadcastTo(y, shape)];
  const [zero, one] = [literalLike(exponent, 0), literalLike(exponent, 1)];
  let result = selectArrays(
    andArrays(eqArrays(base, literalLike(base, 0)), neArrays(exponent, zero)),
    literalLike(base, 0),
    literalLike(base, 1),
  );
  for (let bit = 0; bit < 6; bit++) {
    const odd = neArrays(andArrays(exponent, one), zero);
    result = selectArrays(odd, mulArrays(result, base), result);
    base = mulArrays(base, base);
    exponent = shiftRightLogical(exponent, one);
  }
  return broadcastTo(result, shape);
}

/**
 * `x1` to the power `x2`. A whole number as exponent keeps integers integer and is exact.
 *
 * @example
 * np.power(np.array([1, 2, 3]), 2) // [1, 4, 9]
 */
export function power(x1: ArrayLike, x2: ArrayLike, ...surplus: Surplus): NDArray {
  if (surplus.length > 0) noMore("power", surplus);
  const known = x2 instanceof Literal && isInteger(x2.dtype) ? x2.value : x2;
  if (typeof known === "number" && Number.isInteger(known) && Math.abs(known) < 2 ** 31)
    return integerPow(numericOf("power", x1), known);
  // Other exponents are inputs, so that the next one compiles nothing.
  if (!(x1 instanceof NDArray) || typeof x2 !== "number" || Number.isInteger(x2)) return generalPower(x1, x2);
  const { dtype, weakType } = x1;
  return generalPower(x1, isInexact(dtype) ? scalarLiteral(x2, dtype, weakType) : scalarLiteral(x2, "float32", true));
}

const generalPower = /* @__PURE__ */ unit("power", 2, (x1: ArrayLike, x2: ArrayLike): NDArray => {
  const base = typeof x1 === "number" ? x1 : asArray(x1, "power");
  const exponent = typeof x2 === "number" ? x2 : asArray(x2, "power");
  const [x, y] = numericPair("power", base, exponent);
  if (isInteger(x.dtype)) return integerPower(x, y);
  // An integer exponent has a derivative at 0 that the logarithm would spoil.
  if (typeof base !== "number" && typeof exponent !== "number" && isInexact(base.dtype) && isInteger(exponent.dtype))
    return powArrays(broadcastPower(base, exponent), broadcastPower(exponent, base));
  return powArrays(x, y);
});

const broadcastPower = (x: NDArray, other: NDArray): NDArray =>
  x.ndim === 0 || other.ndim === 0 ? x : broadcastTo(x, broadcastShapes("power", [x.shape, other.shape]));

/**
 * The same as `power`.
 *
 * @example
 * np.pow(np.array([4, 9]), 0.5) // [2, 3]
 */
export const pow: Binary = power;

/**
 * `x` to the power `y`, always in floats.
 *
 * @example
 * np.floatPower(np.arange(3), 2) // [0, 1, 4], float32
 */
export const floatPower: Binary = /* @__PURE__ */ inexactBinary("floatPower", powArrays);

// ---------------------------------------------------------------- extrema

/**
 * The larger of two elements; NaN if either is. Ties share the gradient.
 *
 * @example
 * np.maximum(np.array([1, 5]), 3) // [3, 5]
 */
export const maximum: Binary = /* @__PURE__ */ binary("maximum", maxArrays);

/**
 * The smaller of two elements; NaN if either is. Ties share the gradient.
 *
 * @example
 * np.minimum(np.array([1, 5]), 3) // [1, 3]
 */
export const minimum: Binary = /* @__PURE__ */ binary("minimum", minArrays);

/** `x` where it wins or the other is NaN. */
const unlessNaN =
  (wins: (x: NDArray, y: NDArray) => NDArray) =>
  (x: NDArray, y: NDArray): NDArray => {
    return selectArrays(orArrays(wins(x, y), neArrays(y, y)), x, y);
  };

/**
 * The larger of two elements; a number wins over NaN.
 *
 * @example
 * np.fmax(np.array([1, NaN]), np.array([NaN, 2])) // [1, 2]
 */
export const fmax: Binary = /* @__PURE__ */ binary("fmax", /* @__PURE__ */ unlessNaN(greater), { composite: true });

/**
 * The smaller of two elements; a number wins over NaN.
 *
 * @example
 * np.fmin(np.array([1, NaN]), np.array([3, 2])) // [1, 2]
 */
export const fmin: Binary = /* @__PURE__ */ binary("fmin", /* @__PURE__ */ unlessNaN(less), { composite: true });

export interface ClipOptions {
  readonly min?: ArrayLike | null | undefined;
  readonly max?: ArrayLike | null | undefined;
}

/**
 * Limits values to the range from `min` to `max`; null leaves a side open.
 *
 * @example
 * np.clip(np.array([-1, 0.5, 2]), 0, 1) // [0, 0.5, 1]
 */
export const clip = /* @__PURE__ */ unit(
  "clip",
  1,
  function clip(arr: ArrayLike, ...rest: Rest<[ArrayLike | null, ArrayLike | null], ClipOptions>): NDArray {
    const { min = null, max = null } = given<ClipOptions>("clip", ["min", "max"], 2, rest);
    let x: ArrayLike = arr;
    if (min !== null) x = maximum(min, x);
    if (max !== null) x = minimum(max, x);
    const result = asArray(x, "clip");
    if (isComplex(result.dtype)) throw noComplex("clip", result);
    return result;
  },
);

// ---------------------------------------------------------------- sign, absolute value, squares

/**
 * The negative of each element.
 *
 * @example
 * np.negative(np.array([1, -2])) // [-1, 2]
 */
export const negative: Unary = /* @__PURE__ */ unary("negative", neg);

/**
 * The elements themselves.
 *
 * @example
 * np.positive(np.array([1, -2])) // [1, -2]
 */
export const positive: Unary = /* @__PURE__ */ unary("positive", (x) => x);

const absolutes = (x: NDArray): NDArray => (isBool(x.dtype) || isUnsigned(x.dtype) ? x : absArray(x));

/**
 * Absolute value, or modulus of complex numbers.
 *
 * @example
 * np.abs(np.array([-1, 2])) // [1, 2]
 */
export const abs: Unary = /* @__PURE__ */ unary("abs", absolutes);

/**
 * The same as `abs`.
 *
 * @example
 * np.absolute(np.array([-3, 0])) // [3, 0]
 */
export const absolute: Unary = /* @__PURE__ */ unary("absolute", absolutes);

/**
 * Absolute value as a float.
 *
 * @example
 * np.fabs(np.array([-1, 2])) // [1, 2]
 */
export function fabs(x: ArrayLike): NDArray {
  const a = inexactOf("fabs", x);
  if (isComplex(a.dtype)) throw noComplex("fabs", a);
  return absArray(a);
}

/**
 * −1, 0 or 1 by sign; z/|z| for complex numbers.
 *
 * @example
 * np.sign(np.array([-3, 0, 2])) // [-1, 0, 1]
 */
export const sign: Unary = /* @__PURE__ */ unary("sign", signArray);

/**
 * x².
 *
 * @example
 * np.square(np.array([1, -2, 3])) // [1, 4, 9]
 */
export const square: Unary = (x) => squareArray(numericOf("square", x));

/**
 * 1/x; integers become float32.
 *
 * @example
 * np.reciprocal(np.array([1, 2, 4])) // [1, 0.5, 0.25]
 */
export const reciprocal: Unary = (x) => integerPow(inexactOf("reciprocal", x), -1);

// ---------------------------------------------------------------- lengths

/**
 * √(x1² + x2²) without overflow.
 *
 * @example
 * np.hypot(np.array([3, 5]), np.array([4, 12])) // [5, 13]
 */
export const hypot: Binary = /* @__PURE__ */ inexactBinary(
  "hypot",
  (x1, x2) => {
    if (isComplex(x1.dtype)) throw noComplex("hypot", x1);
    const [a, b] = [absArray(x1), absArray(x2)];
    const inf = literalLike(a, Infinity);
    const infinite = orArrays(eqArrays(a, inf), eqArrays(b, inf));
    const [x, y] = [maxArrays(a, b), minArrays(a, b)];
    const zero = eqArrays(x, literalLike(x, 0));
    const one = literalLike(x, 1);
    const ratio = divArrays(y, selectArrays(zero, one, x));
    const length = mulArrays(x, sqrtArray(addArrays(one, squareArray(ratio))));
    return selectArrays(infinite, inf, selectArrays(zero, x, length));
  },
  { composite: true },
);

/**
 * 0 for negative x1, 1 for positive, x2 where x1 is 0.
 *
 * @example
 * np.heaviside(np.array([-1, 0, 2]), 0.5) // [0, 0.5, 1]
 */
export const heaviside: Binary = /* @__PURE__ */ inexactBinary(
  "heaviside",
  (x1, x2) => {
    if (!isFloat(x1.dtype)) throw noComplex("heaviside", x1);
    const zero = literalLike(x1, 0);
    const atZero = selectArrays(neArrays(x1, x1), x1, x2);
    return selectArrays(ltArrays(x1, zero), zero, selectArrays(gtArrays(x1, zero), literalLike(x1, 1), atZero));
  },
  { composite: true },
);
