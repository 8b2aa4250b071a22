/** The make-up of numbers: rounding, signs, exponents, the parts of complex numbers, replacing NaN; divisors of integers. */
import type { ArrayLike } from "../core/arrayMethods.ts";
import { type DType, isBool, isComplex, isInexact, isInteger } from "../core/dtype.ts";
import type { NDArray } from "../core/ndarray.ts";
import { asArray, asIndex, promoteOperands } from "../core/operands.ts";
import { ArgumentError, DTypeError } from "../core/problem.ts";
import { broadcastTo, convert, full, reshape } from "../core/structural.ts";
import * as lax from "../lax/arithmetic.ts";
import { andArrays, bitwiseNot, orArrays, shiftRightArithmetic } from "../lax/bitwise.ts";
import { bitcastConvertType } from "../lax/cast.ts";
import { eqArrays, geArrays, gtArrays, ltArrays, neArrays, selectArrays } from "../lax/compare.ts";
import { complex, conj as conjArray, imag as imagPart, real as realPart } from "../lax/complex.ts";
import { whileLoop } from "../lax/control/loops.ts";
import { atan2Arrays, exp2 } from "../lax/elementary.ts";
import { concatenateArrays, sliceInDim } from "../lax/movement.ts";
import { reduceOr } from "../lax/reduce.ts";
import { literalLike } from "../lax/rules.ts";
import { range } from "../core/shape.ts";
import { customJvp } from "../transforms/customJvp.ts";
import { type Rest, broadcastAll, given, inexactOf, integer } from "./arguments.ts";
import { type Binary, type Unary, inexactBinary, inexactUnary, unary } from "./builders.ts";
import { facts } from "./dtypes.ts";
import { unit } from "../core/unit.ts";

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
  { composite: true },
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
export const round = /* @__PURE__ */ unit(
  "round",
  1,
  function round(a: ArrayLike, ...rest: Rest<[number], DecimalsOption>): NDArray {
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
  },
);
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
export const modf = /* @__PURE__ */ unit("modf", 1, function modf(x: ArrayLike): [fraction: NDArray, whole: NDArray] {
  const a = requireReal("modf", inexactOf("modf", x));
  const whole = selectArrays(geArrays(a, literalLike(a, 0)), lax.floor(a), lax.ceil(a));
  return [subArrays(a, whole), whole];
});

// ---------------------------------------------------------------- signs and exponents

const bitsDType = (d: DType): DType => (d === "float32" ? "int32" : "int16");

/**
 * Whether the sign bit is set: true for -0 as well.
 *
 * @example
 * np.signbit(np.array([-1, -0, 0])) // [true, true, false]
 */
export const signbit: Unary = /* @__PURE__ */ unary(
  "signbit",
  (x) => {
    if (isBool(x.dtype)) return full(x.shape, 0, "bool");
    const zero = literalLike(x, 0);
    if (isInteger(x.dtype)) return ltArrays(x, zero);
    requireReal("signbit", x);
    if (x.dtype === "float64") return orArrays(ltArrays(x, zero), ltArrays(divArrays(literalLike(x, 1), x), zero));
    const bits = bitcastConvertType(x, bitsDType(x.dtype));
    return ltArrays(bits, literalLike(bits, 0));
  },
  { composite: true },
);

/**
 * The magnitude of x1 with the sign of x2.
 *
 * @example
 * np.copysign(np.array([1, -2]), np.array([-1, 1])) // [-1, 2]
 */
export const copysign: Binary = /* @__PURE__ */ inexactBinary(
  "copysign",
  (x1, x2) => {
    const size = lax.abs(requireReal("copysign", x1));
    return selectArrays(signbit(x2), lax.neg(size), size);
  },
  { composite: true },
);

/**
 * The next representable number after x1 in the direction of x2.
 *
 * @example
 * np.nextafter(np.array([1]), np.array([2])) // [1.0000001]
 */
export const nextafter: Binary = /* @__PURE__ */ inexactBinary(
  "nextafter",
  (x, y) => {
    const [a, b] = broadcastAll("nextafter", [x, y]);
    return lax.nextafter(a!, b!);
  },
  { composite: true },
);

/**
 * The distance from x to the next number away from zero.
 *
 * @example
 * np.spacing(np.array([1])) // [1.1920929e-7]
 */
export const spacing: Unary = /* @__PURE__ */ inexactUnary(
  "spacing",
  (x) => {
    const inf = literalLike(requireReal("spacing", x), Infinity);
    if (x.dtype === "float16") return subArrays(lax.nextafter(x, broadcastTo(inf, x.shape)), x);
    const gap = subArrays(lax.nextafter(x, copysign(broadcastTo(inf, x.shape), x)), x);
    return selectArrays(eqArrays(gap, literalLike(gap, 0)), copysign(facts(x.dtype).smallestSubnormal, x), gap);
  },
  { composite: true },
);

/** The exponent field and the number with that field replaced, on the word that holds both. */
function exponentOfBits(bits: NDArray, nmant: number, nexp: number): readonly [exponent: NDArray, half: NDArray] {
  const mask = 2 ** nexp - 1;
  const bias = 2 ** (nexp - 1) - 2;
  const field = andArrays(shiftRightArithmetic(bits, literalLike(bits, nmant)), literalLike(bits, mask));
  const exponent = convert(subArrays(field, literalLike(field, bias)), "int32");
  const cleared = andArrays(bits, literalLike(bits, ~(mask << nmant)));
  return [exponent, orArrays(cleared, literalLike(bits, bias << nmant))];
}

/** The mantissa in [0.5, 1) and the exponent of normal numbers. */
function splitNormal(x: NDArray): readonly [mantissa: NDArray, exponent: NDArray] {
  const { nmant, nexp } = facts(x.dtype);
  if (x.dtype !== "float64") {
    const [exponent, half] = exponentOfBits(bitcastConvertType(x, bitsDType(x.dtype)), nmant, nexp);
    return [bitcastConvertType(half, x.dtype), exponent];
  }
  // The second word has the sign, the exponent and the first 20 bits of the fraction.
  const words = bitcastConvertType(x, "int32");
  const [low, high] = [0, 1].map((i) => sliceInDim(words, i, i + 1, 1, -1)) as [NDArray, NDArray];
  const [exponent, half] = exponentOfBits(high, 20, nexp);
  return [bitcastConvertType(concatenateArrays([low, half], x.ndim), "float64"), reshape(exponent, x.shape)];
}

function splitExponent(x: NDArray): readonly [mantissa: NDArray, exponent: NDArray] {
  const { nmant, tiny } = facts(x.dtype);
  const special = orArrays(bitwiseNot(lax.isFinite(x)), eqArrays(x, literalLike(x, 0)));
  const small = ltArrays(lax.abs(x), literalLike(x, tiny));
  const scale = nmant + 1;
  const [mantissa, exponent] = splitNormal(selectArrays(small, mulArrays(x, literalLike(x, 2 ** scale)), x));
  const shifted = selectArrays(small, subArrays(exponent, literalLike(exponent, scale)), exponent);
  return [selectArrays(special, x, mantissa), selectArrays(special, literalLike(shifted, 0), shifted)];
}

let frexpWithRule: ((x: NDArray) => readonly [NDArray, NDArray]) | null = null;
function frexpArray(x: NDArray): readonly [NDArray, NDArray] {
  if (!frexpWithRule) {
    const f = customJvp(function frexp(y: NDArray): [NDArray, NDArray] {
      return [...splitExponent(y)];
    });
    // The exponent is piecewise constant: m = x · 2^−e.
    f.defjvp(([y], [dy]) => {
      const [m, e] = f(y);
      return [
        [m, e],
        [mulArrays(dy, exp2(lax.neg(convert(e, dy.dtype)))), full(e.shape, 0, "bool")],
      ];
    });
    frexpWithRule = f;
  }
  return frexpWithRule(x);
}

/**
 * Mantissa in [0.5, 1) and exponent: x = mantissa · 2^exponent.
 *
 * @example
 * np.frexp(np.array([8, 0.75])) // [[0.5, 0.75], [4, 0]]
 */
export const frexp = /* @__PURE__ */ unit("frexp", 1, (x: ArrayLike): [mantissa: NDArray, exponent: NDArray] => [
  ...frexpArray(requireReal("frexp", inexactOf("frexp", x))),
]);

/**
 * x1 · 2^x2.
 *
 * @example
 * np.ldexp(np.array([0.5, 0.75]), np.array([4, 0], { dtype: "int32" })) // [8, 0.75]
 */
export const ldexp = /* @__PURE__ */ unit("ldexp", 2, function ldexp(x1: ArrayLike, x2: ArrayLike): NDArray {
  const x = requireReal("ldexp", inexactOf("ldexp", x1));
  const power = asIndex(x2, "ldexp");
  if (isInexact(power.dtype))
    throw new DTypeError("ExponentDType", {
      what: `ldexp: the exponent is ${power.describe()}`,
      why: "the exponent is an integer",
      fix: "use numpy.exp2, or convert it with x2.astype(numpy.int32)",
    });
  const [m, e] = frexpArray(x);
  const total = addArrays(
    ...(broadcastAll("ldexp", [convert(e, x.dtype), convert(power, x.dtype)]) as [NDArray, NDArray]),
  );
  const zero = literalLike(total, 0);
  // One factor 2 stays with the mantissa, so that the largest exponents do not overflow.
  const positive = gtArrays(total, zero);
  const [mantissa, original] = [m, x].map((a) => broadcastTo(a, total.shape)) as [NDArray, NDArray];
  const doubled = selectArrays(positive, addArrays(mantissa, mantissa), mantissa);
  const exponent = selectArrays(positive, subArrays(total, literalLike(total, 1)), total);
  const value = mulArrays(doubled, exp2(exponent));
  const unchanged = orArrays(
    eqArrays(lax.abs(original), literalLike(original, Infinity)),
    eqArrays(original, literalLike(original, 0)),
  );
  return selectArrays(unchanged, original, value);
});

// ---------------------------------------------------------------- parts of complex numbers

/**
 * Real part.
 *
 * @example
 * np.real(np.array([1, 2])) // [1, 2]
 */
export const real: Unary = /* @__PURE__ */ unary("real", (x) => (isComplex(x.dtype) ? realPart(x) : x));

/**
 * Imaginary part; zeros for real numbers.
 *
 * @example
 * np.imag(np.array([1, 2])) // [0, 0]
 */
export const imag: Unary = /* @__PURE__ */ unary("imag", (x) =>
  isComplex(x.dtype) ? imagPart(x) : full(x.shape, 0, x.dtype, x.weakType),
);

/**
 * Complex conjugate.
 *
 * @example
 * np.conj(np.array([1, 2])) // [1, 2]
 */
export const conj: Unary = /* @__PURE__ */ unary("conj", (x) => (isComplex(x.dtype) ? conjArray(x) : x));
/** The same as `conj`. */
export const conjugate: Unary = conj;

interface DegreesOption {
  readonly deg?: boolean | undefined;
}

/**
 * The angle of complex numbers, in radians unless `deg`.
 *
 * @example
 * np.angle(np.array([1, -1])) // [0, 3.1415927]
 */
export const angle = /* @__PURE__ */ unit(
  "angle",
  1,
  function angle(z: ArrayLike, ...rest: Rest<[boolean], DegreesOption>): NDArray {
    const { deg = false } = given<DegreesOption>("angle", ["deg"], 1, rest);
    const given_ = inexactOf("angle", z);
    // Scalars of other float dtypes give float32, as in JAX.
    const x = given_.ndim === 0 && !isComplex(given_.dtype) ? convert(given_, "float32") : given_;
    const result = isComplex(x.dtype)
      ? atan2Arrays(imagPart(x), realPart(x))
      : atan2Arrays(full(x.shape, 0, x.dtype, x.weakType), x);
    return deg ? mulArrays(result, literalLike(result, 180 / Math.PI)) : result;
  },
);

// ---------------------------------------------------------------- replacing NaN

export interface NanToNumOptions {
  /** Accepted for numpy's signature; arrays are immutable. */
  readonly copy?: boolean | undefined;
  readonly nan?: ArrayLike | undefined;
  readonly posinf?: ArrayLike | null | undefined;
  readonly neginf?: ArrayLike | null | undefined;
}

/**
 * Replaces NaN by 0 and infinities by the largest numbers, or by given ones.
 *
 * @example
 * np.nanToNum(np.array([1, NaN, Infinity]), { posinf: 9 }) // [1, 0, 9]
 */
export const nanToNum = /* @__PURE__ */ unit(
  "nanToNum",
  1,
  function nanToNum(x: ArrayLike, ...rest: Rest<[boolean, ArrayLike], NanToNumOptions>): NDArray {
    const options = given<NanToNumOptions>("nanToNum", ["copy", "nan", "posinf", "neginf"], 2, rest);
    const a = asArray(x, "nanToNum");
    if (!isInexact(a.dtype)) return a;
    return byParts((y) => {
      const { max } = facts(y.dtype);
      const replaced = (where: NDArray, value: ArrayLike, z: NDArray): NDArray => {
        const v = convert(asArray(value, "nanToNum"), z.dtype);
        return selectArrays(where, v.ndim === 0 ? v : broadcastTo(v, z.shape), z);
      };
      const b = replaced(neArrays(y, y), options.nan ?? 0, y);
      const c = replaced(eqArrays(b, literalLike(b, Infinity)), options.posinf ?? max, b);
      return replaced(eqArrays(c, literalLike(c, -Infinity)), options.neginf ?? -max, c);
    })(a);
  },
);

// ---------------------------------------------------------------- divisors

/** Two integers of one dtype and shape. */
function integerPair(name: string, x1: ArrayLike, x2: ArrayLike): readonly [NDArray, NDArray] {
  const [x, y] = promoteOperands(name, [asIndex(x1, name), asIndex(x2, name)]) as [NDArray, NDArray];
  if (!isInteger(x.dtype))
    throw new DTypeError("NotIntegers", {
      what: `${name}: the operands are ${x.dtype}`,
      why: "divisors are those of integers",
      fix: "convert the operands with x.astype(numpy.int32)",
    });
  const [a, b] = broadcastAll(name, [x, y]) as [NDArray, NDArray];
  const magnitude = (z: NDArray): NDArray => (z.dtype.startsWith("u") ? z : lax.abs(z));
  return [magnitude(a), magnitude(b)];
}

const divisorOf = (a: NDArray, b: NDArray): NDArray =>
  whileLoop(
    ([, y]: [NDArray, NDArray]) => reduceOr(neArrays(y, literalLike(y, 0)), range(y.ndim)),
    ([x, y]: [NDArray, NDArray]): [NDArray, NDArray] => {
      const going = neArrays(y, literalLike(y, 0));
      return [selectArrays(going, y, x), selectArrays(going, lax.remArrays(x, y), literalLike(y, 0))];
    },
    [a, b] as [NDArray, NDArray],
  )[0];

/**
 * Greatest common divisor.
 *
 * @example
 * np.gcd(np.array([12, 18], { dtype: "int32" }), 8) // [4, 2]
 */
export const gcd = /* @__PURE__ */ unit("gcd", 2, (x1: ArrayLike, x2: ArrayLike): NDArray =>
  divisorOf(...integerPair("gcd", x1, x2)),
);

/**
 * Least common multiple.
 *
 * @example
 * np.lcm(np.array([4, 6], { dtype: "int32" }), 10) // [20, 30]
 */
export const lcm = /* @__PURE__ */ unit("lcm", 2, function lcm(x1: ArrayLike, x2: ArrayLike): NDArray {
  const [a, b] = integerPair("lcm", x1, x2);
  const d = divisorOf(a, b);
  const none = eqArrays(d, literalLike(d, 0));
  const safe = selectArrays(none, literalLike(d, 1), d);
  return selectArrays(none, literalLike(d, 0), mulArrays(a, divArrays(b, safe)));
});
