/** The make-up of numbers: rounding, signs, exponents, the parts of complex numbers, replacing NaN; divisors of integers. */
import type { ArrayLike } from "../core/arrayMethods.ts";
import { type DType, isBool, isComplex, isFloat, isInexact, isInteger } from "../core/dtype.ts";
import type { NDArray } from "../core/ndarray.ts";
import { asArray, asIndex, promoteOperands } from "../core/operands.ts";
import { ArgumentError, DTypeError } from "../core/problem.ts";
import { broadcastTo, convert, full } from "../core/structural.ts";
import * as lax from "../lax/arithmetic.ts";
import { andArrays, bitwiseNot, orArrays, shiftRightArithmetic } from "../lax/bitwise.ts";
import { bitcastConvertType } from "../lax/cast.ts";
import { eqArrays, geArrays, gtArrays, ltArrays, neArrays, selectArrays } from "../lax/compare.ts";
import { complex, conj as conjArray, imag as imagPart, real as realPart } from "../lax/complex.ts";
import { whileLoop } from "../lax/control/loops.ts";
import { atan2Arrays, exp2 } from "../lax/elementary.ts";
import { reduceOr } from "../lax/reduce.ts";
import { literalLike } from "../lax/rules.ts";
import { range } from "../core/shape.ts";
import { customJvp } from "../transforms/customJvp.ts";
import { type Rest, broadcastAll, given, inexactOf, integer, pair } from "./arguments.ts";
import { type Binary, type Unary, inexactBinary, inexactUnary, unary } from "./builders.ts";
import { facts } from "./dtypes.ts";

const { addArrays, subArrays, mulArrays, divArrays } = lax;
const TO_EVEN = { roundingMethod: lax.RoundingMethod.TO_NEAREST_EVEN } as const;

const isDiscrete = (d: DType): boolean => isInteger(d) || isBool(d);

const onlyReal = (name: string, x: NDArray): DTypeError =>
  new DTypeError("ComplexOrder", {
    what: `${name}: ${x.describe()} is complex`,
    why: `${name} is defined for real numbers`,
    fix: "take numpy.real(x) and numpy.imag(x) first",
  });

/** Checks that an operand is real. */
export function requireReal(name: string, x: NDArray): NDArray {
  if (isComplex(x.dtype)) throw onlyReal(name, x);
  return x;
}

// ---------------------------------------------------------------- rounding

/** Integers are their own rounded values. */
const rounding = (name: string, f: (x: NDArray) => NDArray): Unary =>
  unary(name, (x) => (isDiscrete(x.dtype) ? x : f(requireReal(name, x))));

/**
 * The greatest integer not above x.
 *
 * @example
 * np.floor(np.array([1.5, -1.5])) // [1, -2]
 */
export const floor: Unary = /* @__PURE__ */ rounding("floor", lax.floor);

/**
 * The least integer not below x.
 *
 * @example
 * np.ceil(np.array([1.5, -1.5])) // [2, -1]
 */
export const ceil: Unary = /* @__PURE__ */ rounding("ceil", lax.ceil);

/**
 * The integer part.
 *
 * @example
 * np.trunc(np.array([1.5, -1.5])) // [1, -1]
 */
export const trunc: Unary = /* @__PURE__ */ rounding("trunc", (x) =>
  selectArrays(ltArrays(x, literalLike(x, 0)), lax.ceil(x), lax.floor(x)),
);

/** Real and imaginary parts on their own. */
const byParts =
  (f: (x: NDArray) => NDArray) =>
  (x: NDArray): NDArray =>
    isComplex(x.dtype) ? complex(f(realPart(x)), f(imagPart(x))) : f(x);

/**
 * The nearest integer, halves to even; integers become float32.
 *
 * @example
 * np.rint(np.array([0.5, 1.5, -1.7])) // [0, 2, -2]
 */
export const rint: Unary = /* @__PURE__ */ inexactUnary(
  "rint",
  /* @__PURE__ */ byParts((x) => lax.round(x, TO_EVEN)),
);

interface DecimalsOption {
  readonly decimals?: number | undefined;
}

/**
 * Rounds to a number of decimals, halves to even.
 *
 * @example
 * np.round(np.array([1.25, 2.675]), 1) // [1.2, 2.7]
 */
export function round(a: ArrayLike, ...rest: Rest<[number], DecimalsOption>): NDArray {
  const { decimals = 0 } = given<DecimalsOption>("round", ["decimals"], 1, rest);
  integer("round", "decimals", decimals);
  const x = asArray(a, "round");
  if (isBool(x.dtype)) return rint(x);
  if (isInteger(x.dtype)) {
    if (decimals >= 0) return x;
    throw new ArgumentError("NegativeDecimals", {
      what: `round: ${decimals} decimals of ${x.describe()}`,
      why: "integers are rounded to whole numbers only",
      fix: "convert to a float first, x.astype(numpy.float32)",
    });
  }
  if (decimals > Math.log10(facts(x.dtype).max)) return x;
  return byParts((y) => roundDecimals(y, decimals))(x);
}
/** The same as `round`. */
export const around: typeof round = round;

function roundDecimals(x: NDArray, decimals: number): NDArray {
  if (decimals === 0) return lax.round(x, TO_EVEN);
  const wide = x.dtype === "float16" ? convert(x, "float32") : x;
  const factor = literalLike(wide, 10 ** decimals);
  const rounded = divArrays(lax.round(mulArrays(wide, factor), TO_EVEN), factor);
  return x.dtype === "float16" ? convert(rounded, "float16") : rounded;
}

/**
 * Fractional and integer parts, both with the sign of x.
 *
 * @example
 * np.modf(np.array([1.5, -2.25])) // [[0.5, -0.25], [1, -2]]
 */
export function modf(x: ArrayLike): [fraction: NDArray, whole: NDArray] {
  const a = requireReal("modf", inexactOf("modf", x));
  const whole = selectArrays(geArrays(a, literalLike(a, 0)), lax.floor(a), lax.ceil(a));
  return [subArrays(a, whole), whole];
}

// ---------------------------------------------------------------- signs and exponents

const bitsDType = (d: DType): DType => (d === "float32" ? "int32" : "int16");

/**
 * Whether the sign bit is set: true for -0 as well.
 *
 * @example
 * np.signbit(np.array([-1, -0, 0])) // [true, true, false]
 */
export const signbit: Unary = /* @__PURE__ */ unary("signbit", (x) => {
  if (isBool(x.dtype)) return full(x.shape, 0, "bool");
  const zero = literalLike(x, 0);
  if (isInteger(x.dtype)) return ltArrays(x, zero);
  requireReal("signbit", x);
  if (x.dtype === "float64")
    return orArrays(ltArrays(x, zero), ltArrays(divArrays(literalLike(x, 1), x), zero));
  const bits = bitcastConvertType(x, bitsDType(x.dtype));
  return ltArrays(bits, literalLike(bits, 0));
});

/**
 * The magnitude of x1 with the sign of x2.
 *
 * @example
 * np.copysign(np.array([1, -2]), np.array([-1, 1])) // [-1, 2]
 */
export const copysign: Binary = /* @__PURE__ */ inexactBinary("copysign", (x1, x2) => {
  const size = lax.abs(requireReal("copysign", x1));
  return selectArrays(signbit(x2), lax.neg(size), size);
});

/**
 * The next representable number after x1 in the direction of x2.
 *
 * @example
 * np.nextafter(np.array([1]), np.array([2])) // [1.0000001]
 */
export const nextafter: Binary = /* @__PURE__ */ inexactBinary("nextafter", (x, y) => {
  const [a, b] = broadcastAll("nextafter", [x, y]);
  return lax.nextafter(a!, b!);
});

/**
 * The distance from x to the next number away from zero.
 *
 * @example
 * np.spacing(np.array([1])) // [1.1920929e-7]
 */
export const spacing: Unary = /* @__PURE__ */ inexactUnary("spacing", (x) => {
  const inf = literalLike(requireReal("spacing", x), Infinity);
  if (x.dtype === "float16") return subArrays(lax.nextafter(x, broadcastTo(inf, x.shape)), x);
  const gap = subArrays(lax.nextafter(x, copysign(broadcastTo(inf, x.shape), x)), x);
  return selectArrays(eqArrays(gap, literalLike(gap, 0)), copysign(facts(x.dtype).smallestSubnormal, x), gap);
});

/** The exponent and the mantissa in [0.5, 1), by bits where an integer dtype holds them. */
function splitExponent(x: NDArray): readonly [mantissa: NDArray, exponent: NDArray] {
  const { nmant, nexp, tiny } = facts(x.dtype);
  const special = orArrays(bitwiseNot(lax.isFinite(x)), eqArrays(x, literalLike(x, 0)));
  const small = ltArrays(lax.abs(x), literalLike(x, tiny));
  const scale = nmant + 1;
  const normal = selectArrays(small, mulArrays(x, literalLike(x, 2 ** scale)), x);
  const bias = 2 ** (nexp - 1) - 2;
  let mantissa: NDArray;
  let exponent: NDArray;
  if (x.dtype === "float64") {
    // The high word has the sign, the exponent and the first bits of the fraction.
    const words = bitcastConvertType(normal, "int32");
    const one = convert(words, "float64");
    void one;
    throw onlyReal("frexp", x);
  } else {
    const bits = bitcastConvertType(normal, bitsDType(x.dtype));
    const mask = 2 ** nexp - 1;
    const field = andArrays(shiftRightArithmetic(bits, literalLike(bits, nmant)), literalLike(bits, mask));
    exponent = convert(subArrays(field, literalLike(field, bias)), "int32");
    const cleared = andArrays(bits, literalLike(bits, ~(mask << nmant)));
    mantissa = bitcastConvertType(orArrays(cleared, literalLike(bits, bias << nmant)), x.dtype);
  }
  const shifted = selectArrays(small, subArrays(exponent, literalLike(exponent, scale)), exponent);
  return [selectArrays(special, x, mantissa), selectArrays(special, literalLike(shifted, 0), shifted)];
}
