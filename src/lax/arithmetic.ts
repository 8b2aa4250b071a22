/**
 * Arithmetic: sums, products, quotients, extrema and powers, on real and complex numbers.
 *
 * Integers wrap, their division truncates and gives −1 (all bits set) for a zero divisor, as XLA does. Extrema propagate
 * NaN. Floats are computed in float64 and rounded once.
 */
import type { ArrayLike } from "../core/arrayMethods.ts";
import { type DType, isComplex, isInexact, isInteger, isUnsigned, realDType } from "../core/dtype.ts";
import { type TypedArray, allocate, allocateLike, fromStorage, roundInPlace, toStorage } from "../core/hostArray.ts";
import { type NDArray } from "../core/ndarray.ts";
import { asArray, scalarLiteral } from "../core/operands.ts";
import {
  type AnyPrimitive,
  type One,
  type Primitive,
  type Three,
  type Two,
  definePrimitive,
  notDifferentiable,
} from "../core/primitive.ts";
import { pointwise } from "../core/lowerRules.ts";
import { ArgumentError, DTypeError } from "../core/problem.ts";
import * as scalar from "../core/scalar.ts";
import { convert, convertHost, zerosLike } from "../core/structural.ts";
import { bind1 } from "../core/trace.ts";
import { readOptions } from "./arguments.ts";
import * as lowered from "./arithmeticLowering.ts";
import { bitwiseAnd } from "./bitwise.ts";
import { eq, ge, gt, lt, select } from "./compare.ts";
import * as complex from "./complexMath.ts";
import * as complexLowering from "./complexLowering.ts";
import { conj, real as realPart } from "./complex.ts";
import { log } from "./elementary.ts";
import {
  type AccuracyOptions,
  type Derivative,
  type PairLoop,
  anyNumber,
  batchElementwise,
  bindUnary,
  binary,
  eachComplexPair,
  eachPair,
  floating,
  inexact,
  literalLike,
  notAccepted,
  numeric,
  operandsOf,
  ordered,
  pairOf,
  piecewiseConstant,
  real,
  resultAval,
  sameDTypes,
  sumOfDerivatives,
  unary,
  unchangedBy,
} from "./rules.ts";

// ---------------------------------------------------------------- sums

export const negP: Primitive<One, null> = /* @__PURE__ */ unary({
  name: "neg",
  accepts: numeric,
  real: (x) => -x,
  complex: complex.neg,
  lower: scalar.negate,
  complexLower: complexLowering.neg,
  derivative: (g) => neg(g),
  transpose: (ct) => neg(ct),
});
export const neg = (x: ArrayLike): NDArray => bind1(negP, [asArray(x, "neg")], null);

const addLoop: PairLoop = (out, a, b, sa, sb) => {
  for (let i = 0, p = 0, q = 0; i < out.length; i++, p += sa, q += sb) out[i] = a[p]! + b[q]!;
};
export const addP: Primitive<Two, null> = /* @__PURE__ */ binary({
  name: "add",
  accepts: numeric,
  loop: addLoop,
  complexLoop: /* @__PURE__ */ eachComplexPair(complex.add),
  lower: scalar.plus,
  complexLower: complexLowering.add,
  derivatives: [(g) => g, (g) => g],
  transpose: [(ct) => ct, (ct) => ct],
});
export const addArrays = (x: NDArray, y: NDArray): NDArray => bind1(addP, [x, y], null);
export const add = (x: ArrayLike, y: ArrayLike): NDArray => bind1(addP, pairOf("add", x, y), null);

const subLoop: PairLoop = (out, a, b, sa, sb) => {
  for (let i = 0, p = 0, q = 0; i < out.length; i++, p += sa, q += sb) out[i] = a[p]! - b[q]!;
};
export const subP: Primitive<Two, null> = /* @__PURE__ */ binary(
  {
    name: "sub",
    accepts: numeric,
    loop: subLoop,
    complexLoop: /* @__PURE__ */ eachComplexPair(complex.sub),
    lower: scalar.minus,
    complexLower: complexLowering.sub,
    derivatives: [(g) => g, (g) => neg(g)],
    transpose: [(ct) => ct, (ct) => neg(ct)],
  },
  { simplify: ([x, y], _, outs) => unchangedBy(0, x!, y!, outs) },
);
export const subArrays = (x: NDArray, y: NDArray): NDArray => bind1(subP, [x, y], null);
export const sub = (x: ArrayLike, y: ArrayLike): NDArray => bind1(subP, pairOf("sub", x, y), null);

// ---------------------------------------------------------------- products

const mulLoop: PairLoop = (out, a, b, sa, sb, dtype) => {
  if (isInteger(dtype))
    for (let i = 0, p = 0, q = 0; i < out.length; i++, p += sa, q += sb) out[i] = Math.imul(a[p]!, b[q]!);
  else for (let i = 0, p = 0, q = 0; i < out.length; i++, p += sa, q += sb) out[i] = a[p]! * b[q]!;
};
export const mulP: Primitive<Two, null> = /* @__PURE__ */ binary(
  {
    name: "mul",
    accepts: numeric,
    loop: mulLoop,
    complexLoop: /* @__PURE__ */ eachComplexPair(complex.mul),
    lower: scalar.times,
    complexLower: complexLowering.mul,
    derivatives: [(g, _, _x, y) => mulArrays(g, y), (g, _, x) => mulArrays(x, g)],
    transpose: [(ct, y) => mulArrays(ct, y), (ct, x) => mulArrays(x, ct)],
  },
  { simplify: ([x, y], _, outs) => unchangedBy(1, x!, y!, outs) ?? unchangedBy(1, y!, x!, outs) },
);
export const mulArrays = (x: NDArray, y: NDArray): NDArray => bind1(mulP, [x, y], null);
export const mul = (x: ArrayLike, y: ArrayLike): NDArray => bind1(mulP, pairOf("mul", x, y), null);

const divLoop: PairLoop = (out, a, b, sa, sb, dtype) => {
  if (isInteger(dtype))
    for (let i = 0, p = 0, q = 0; i < out.length; i++, p += sa, q += sb)
      out[i] = b[q] === 0 ? -1 : Math.trunc(a[p]! / b[q]!);
  else for (let i = 0, p = 0, q = 0; i < out.length; i++, p += sa, q += sb) out[i] = a[p]! / b[q]!;
};
export const divP: Primitive<Two, null> = /* @__PURE__ */ binary(
  {
    name: "div",
    accepts: numeric,
    loop: divLoop,
    complexLoop: /* @__PURE__ */ eachComplexPair(complex.div),
    lower: lowered.divide,
    complexLower: complexLowering.div,
    cost: 4,
    // d(x/y) = dx/y − dy (x/y)/y
    derivatives: [(g, _, _x, y) => divArrays(g, y), (g, out, _x, y) => mulArrays(g, neg(divArrays(out, y)))],
    transpose: [(ct, y) => divArrays(ct, y), null],
  },
  {
    simplify: ([x, y], _, outs) => unchangedBy(1, x!, y!, outs),
    check: ([x, y], _, checker) => {
      checker.fail("div", () => eq(y, 0), "division by zero");
      return [divArrays(x, y)];
    },
  },
);
export const divArrays = (x: NDArray, y: NDArray): NDArray => bind1(divP, [x, y], null);
export const div = (x: ArrayLike, y: ArrayLike): NDArray => bind1(divP, pairOf("div", x, y), null);

/** Integers by zero give the dividend; floats NaN. */
const remLoop: PairLoop = (out, a, b, sa, sb, dtype) => {
  const whole = isInteger(dtype);
  for (let i = 0, p = 0, q = 0; i < out.length; i++, p += sa, q += sb)
    out[i] = whole && b[q] === 0 ? a[p]! : a[p]! % b[q]!;
};
export const remP: Primitive<Two, null> = /* @__PURE__ */ binary({
  name: "rem",
  accepts: real,
  loop: remLoop,
  lower: lowered.remainder,
  cost: 8,
  // rem(x, y) = x − y trunc(x/y)
  derivatives: [(g) => g, (g, _, x, y) => mulArrays(g, neg(truncated(divArrays(x, y))))],
});
const truncated = (x: NDArray): NDArray => mulArrays(sign(x), floor(abs(x)));
export const remArrays = (x: NDArray, y: NDArray): NDArray => bind1(remP, [x, y], null);
/** Remainder with the sign of the dividend. */
export const rem = (x: ArrayLike, y: ArrayLike): NDArray => bind1(remP, pairOf("rem", x, y), null);

// ---------------------------------------------------------------- extrema

const maxLoop: PairLoop = (out, a, b, sa, sb) => {
  for (let i = 0, p = 0, q = 0; i < out.length; i++, p += sa, q += sb) out[i] = Math.max(a[p]!, b[q]!);
};
const minLoop: PairLoop = (out, a, b, sa, sb) => {
  for (let i = 0, p = 0, q = 0; i < out.length; i++, p += sa, q += sb) out[i] = Math.min(a[p]!, b[q]!);
};

/** 1 where x is the result `z` alone, 1/2 where y is too, 0 elsewhere: at ties each operand gets half. */
export const shareOf = (x: NDArray, z: NDArray, y: NDArray): NDArray =>
  divArrays(
    select(eq(x, z), literalLike(z, 1), literalLike(z, 0)),
    select(eq(y, z), literalLike(z, 2), literalLike(z, 1)),
  );
const toWinner = [
  (g: NDArray, z: NDArray, x?: NDArray, y?: NDArray): NDArray => mulArrays(g, shareOf(x!, z, y!)),
  (g: NDArray, z: NDArray, x?: NDArray, y?: NDArray): NDArray => mulArrays(g, shareOf(y!, z, x!)),
] as const;

export const maxP: Primitive<Two, null> = /* @__PURE__ */ binary({
  name: "max",
  accepts: anyNumber,
  loop: maxLoop,
  complexLoop: /* @__PURE__ */ eachComplexPair(complex.lexicographicMax),
  lower: lowered.larger,
  complexLower: complexLowering.lexicographicMax,
  derivatives: toWinner,
});
export const maxArrays = (x: NDArray, y: NDArray): NDArray => bind1(maxP, [x, y], null);
export const max = (x: ArrayLike, y: ArrayLike): NDArray => bind1(maxP, pairOf("max", x, y), null);

export const minP: Primitive<Two, null> = /* @__PURE__ */ binary({
  name: "min",
  accepts: anyNumber,
  loop: minLoop,
  complexLoop: /* @__PURE__ */ eachComplexPair(complex.lexicographicMin),
  lower: lowered.smaller,
  complexLower: complexLowering.lexicographicMin,
  derivatives: toWinner,
});
export const minArrays = (x: NDArray, y: NDArray): NDArray => bind1(minP, [x, y], null);
export const min = (x: ArrayLike, y: ArrayLike): NDArray => bind1(minP, pairOf("min", x, y), null);

// ---------------------------------------------------------------- sign and size

export const signP: Primitive<One, null> = /* @__PURE__ */ unary({
  name: "sign",
  accepts: numeric,
  real: Math.sign,
  complex: complex.sign,
  lower: lowered.sign,
  complexLower: complexLowering.sign,
  derivative: piecewiseConstant,
});
/** −1, 0 or 1; z/|z| for complex numbers. */
export const sign = (x: ArrayLike): NDArray => bind1(signP, [asArray(x, "sign")], null);

const signed = {
  text: "signed integers, floats and complex numbers",
  has: (d: DType): boolean => numeric.has(d) && !isUnsigned(d),
};
export const absP: Primitive<One, null> = /* @__PURE__ */ unary({
  name: "abs",
  accepts: signed,
  real: Math.abs,
  complex: (z) => [complex.modulus(z), 0],
  lower: (x) => scalar.unary("abs", x),
  complexLower: (z) => [complexLowering.modulus(z)],
  result: realDType,
  derivative: (g, y, x) => (isComplex(x.dtype) ? modulusTangent(g, y, x) : select(ge(x, literalLike(x, 0)), g, neg(g))),
});
/** d|z| = Re(dz · conj(z)/|z|), 0 at 0. */
const modulusTangent = (g: NDArray, y: NDArray, z: NDArray): NDArray =>
  realPart(mulArrays(g, divArrays(conj(z), convert(replaceZero(y), z.dtype, y.weakType))));
/** Absolute value or modulus. The derivative at 0 is 1, as in JAX. */
export const abs = (x: ArrayLike): NDArray => bind1(absP, [asArray(x, "abs")], null);

/** x with zeros replaced by ones, where a formula must not divide by them. */
const replaceZero = (x: NDArray): NDArray => select(eq(x, literalLike(x, 0)), literalLike(x, 1), x);

// ---------------------------------------------------------------- powers

export const squareP: Primitive<One, null> = /* @__PURE__ */ unary({
  name: "square",
  accepts: numeric,
  real: (x, _, dtype) => (isInteger(dtype) ? Math.imul(x, x) : x * x),
  complex: (z) => complex.mul(z, z),
  lower: (x) => scalar.times(x, x),
  complexLower: (z) => complexLowering.mul(z, z),
  derivative: (g, _, x) => mulArrays(g, mulArrays(literalLike(x, 2), x)),
});
export const square = (x: ArrayLike): NDArray => bind1(squareP, [asArray(x, "square")], null);

/** Repeated squaring; integers wrap. */
function realPower(x: number, n: number, dtype: DType): number {
  if (!isInteger(dtype)) return x ** n;
  let result = 1;
  for (let k = n, base = x; k > 0; k = Math.floor(k / 2), base = Math.imul(base, base))
    if (k % 2 === 1) result = Math.imul(result, base);
  return result;
}
function complexPower(z: complex.Complex, n: number): complex.Complex {
  let result: complex.Complex = [1, 0];
  for (let k = Math.abs(n), base = z; k > 0; k = Math.floor(k / 2), base = complex.mul(base, base))
    if (k % 2 === 1) result = complex.mul(result, base);
  return n < 0 ? complex.div([1, 0], result) : result;
}

/** A power known when the program is traced. */
export const integerPowP: Primitive<One, { readonly y: number }> = /* @__PURE__ */ unary<{ readonly y: number }>({
  name: "integer_pow",
  accepts: numeric,
  real: (x, { y }, dtype) => realPower(x, y, dtype),
  complex: (z, { y }) => complexPower(z, y),
  lower: (x, { y }) => lowered.integerPower(x, y),
  complexLower: (z, { y }) => complexLowering.integerPower(z, y),
  cost: 6,
  derivative: (g, _, x, { y }) =>
    y === 0 ? zerosLike(g.aval) : mulArrays(g, mulArrays(literalLike(x, y), integerPow(x, y - 1))),
  check: (x, { y }) => {
    if (y < 0 && isInteger(x.dtype)) throw negativePower(String(x), y);
  },
});
const negativePower = (x: string, y: number): DTypeError =>
  new DTypeError("NegativeIntegerPower", {
    what: `integerPow: ${x} cannot be raised to the power ${y}`,
    why: "negative powers of integers are fractions",
    fix: "convert to a float first, for example with x.astype(numpy.float32)",
  });
/** x to a whole power; exact for integers. */
export function integerPow(x: ArrayLike, y: number): NDArray {
  if (!Number.isInteger(y))
    throw new ArgumentError("NotAnInteger", {
      what: `integerPow: the power must be an integer, found ${String(y)}`,
      why: "integerPow multiplies a known number of times",
      fix: "use lax.pow(x, y) for other powers",
    });
  return bind1(integerPowP, [asArray(x, "integerPow")], { y });
}
export const reciprocal = (x: ArrayLike): NDArray => integerPow(asArray(x, "reciprocal"), -1);

/** C's pow: 1 to any power is 1, also where JavaScript says NaN. */
const cPow = (x: number, y: number): number => (x === 1 || (x === -1 && Math.abs(y) === Infinity) ? 1 : x ** y);

/** Real or complex powers; the exponent may be an integer array while the base is not. */
export const powP: Primitive<Two, null> = /* @__PURE__ */ binary(
  {
    name: "pow",
    accepts: numeric,
    loop: /* @__PURE__ */ eachPair(cPow),
    complexLoop: /* @__PURE__ */ eachComplexPair(complex.cpow),
    lower: (x, y) => scalar.binary("pow", x, y),
    derivatives: [
      (g, _, x, y) => mulArrays(g, baseDerivative(x, y)),
      (g, out, x) => mulArrays(g, mulArrays(log(replaceZero(x)), out)),
    ],
  },
  {
    infer: ([x, y]) => {
      if (!isInexact(x.dtype))
        throw notAccepted("pow", { text: "a base of floats or complex numbers", has: isInexact }, x);
      if (x.dtype !== y.dtype && !isInteger(y.dtype)) throw sameDTypes("pow", [x, y]);
      return [resultAval("pow", [x, y], x.dtype)];
    },
    reference: ([x, y], _, [out]) => {
      const r = allocateLike(out!);
      const loop = isComplex(x.dtype) ? eachComplexPair(complex.cpow) : eachPair(cPow);
      loop(
        r.data,
        x.data,
        convertHost(y, x.dtype).data,
        x.shape.length === 0 ? 0 : 1,
        y.shape.length === 0 ? 0 : 1,
        x.dtype,
      );
      return [roundInPlace(r)];
    },
    lower: ([x, y]) => lowered.lowerPower(x, y),
  },
);

// d(x^y)/dx = y x^(y−1); with an integer exponent 0 where y is 0, even at x = 0.
function baseDerivative(x: NDArray, y: NDArray): NDArray {
  const exponent = convert(y, x.dtype, y.weakType);
  const one = literalLike(x, 1);
  if (!isInteger(y.dtype)) return mulArrays(exponent, powArrays(x, subArrays(exponent, one)));
  const zero = literalLike(x, 0);
  const jacobian = mulArrays(replaceZero(exponent), powArrays(x, subArrays(exponent, one)));
  return select(eq(exponent, zero), zero, jacobian);
}
export const powArrays = (x: NDArray, y: NDArray): NDArray => bind1(powP, [x, y], null);
/** x^y. A whole number as exponent is an integer exponent, whose derivative is defined at x = 0. */
export function pow(x: ArrayLike, y: ArrayLike): NDArray {
  const base = asArray(x, "pow");
  if (typeof y === "number" && Number.isInteger(y) && Math.abs(y) < 2 ** 31)
    return powArrays(base, scalarLiteral(y, "int32", true));
  const exponent = asArray(y, "pow");
  if (exponent.dtype === base.dtype || isInteger(exponent.dtype)) return powArrays(base, exponent);
  const [b, e] = pairOf("pow", x, y);
  return powArrays(b, e);
}

// ---------------------------------------------------------------- roots

export const sqrtP: Primitive<One, null> = /* @__PURE__ */ unary({
  name: "sqrt",
  accepts: inexact,
  real: Math.sqrt,
  complex: complex.csqrt,
  lower: (x) => scalar.unary("sqrt", x),
  complexLower: complexLowering.csqrt,
  cost: 4,
  derivative: (g, y, x) => mulArrays(g, divArrays(literalLike(x, 0.5), y)),
});
export const sqrt = (x: ArrayLike, ...options: AccuracyOptions): NDArray => bindUnary(sqrtP, x, options);

export const rsqrtP: Primitive<One, null> = /* @__PURE__ */ unary({
  name: "rsqrt",
  accepts: inexact,
  real: (x) => 1 / Math.sqrt(x),
  complex: (z) => complex.div([1, 0], complex.csqrt(z)),
  lower: (x) => scalar.over(scalar.like(x, 1), scalar.unary("sqrt", x)),
  complexLower: complexLowering.rsqrt,
  cost: 8,
  derivative: (g, y, x) => mulArrays(g, mulArrays(literalLike(x, -0.5), divArrays(y, x))),
});
/** 1 / sqrt(x) */
export const rsqrt = (x: ArrayLike, ...options: AccuracyOptions): NDArray => bindUnary(rsqrtP, x, options);

export const cbrtP: Primitive<One, null> = /* @__PURE__ */ unary({
  name: "cbrt",
  accepts: floating,
  real: Math.cbrt,
  lower: (x) => scalar.unary("cbrt", x),
  cost: 12,
  derivative: (g, y, x) => mulArrays(g, mulArrays(literalLike(x, 1 / 3), integerPow(y, -2))),
});
/** Cube root, negative for negative numbers. */
export const cbrt = (x: ArrayLike, ...options: AccuracyOptions): NDArray => bindUnary(cbrtP, x, options);

// ---------------------------------------------------------------- rounding

export const floorP: Primitive<One, null> = /* @__PURE__ */ unary({
  name: "floor",
  accepts: floating,
  real: Math.floor,
  lower: (x) => scalar.unary("floor", x),
  derivative: piecewiseConstant,
});
export const floor = (x: ArrayLike): NDArray => bind1(floorP, [asArray(x, "floor")], null);

export const ceilP: Primitive<One, null> = /* @__PURE__ */ unary({
  name: "ceil",
  accepts: floating,
  real: Math.ceil,
  lower: (x) => scalar.unary("ceil", x),
  derivative: piecewiseConstant,
});
export const ceil = (x: ArrayLike): NDArray => bind1(ceilP, [asArray(x, "ceil")], null);

/** How halves round. */
export const RoundingMethod = { AWAY_FROM_ZERO: 0, TO_NEAREST_EVEN: 1 } as const;
export type RoundingMethod = (typeof RoundingMethod)[keyof typeof RoundingMethod];

/** Nearest integer; keeps the sign of zero. Adding 0.5 first would misround 0.49999999999999994. */
function roundHalf(x: number, toEven: boolean): number {
  const t = Math.trunc(x);
  const rest = Math.abs(x - t);
  if (rest < 0.5 || (rest === 0.5 && toEven && t % 2 === 0) || rest !== rest) return rest !== rest ? x : t;
  return t + Math.sign(x);
}
export const roundP: Primitive<One, { readonly roundingMethod: RoundingMethod }> = /* @__PURE__ */ unary<{
  readonly roundingMethod: RoundingMethod;
}>(
  {
    name: "round",
    accepts: floating,
    real: (x, { roundingMethod }) => roundHalf(x, roundingMethod === RoundingMethod.TO_NEAREST_EVEN),
    lower: (x, { roundingMethod }) =>
      roundingMethod === RoundingMethod.TO_NEAREST_EVEN ? scalar.unary("round", x) : lowered.roundAway(x),
    derivative: piecewiseConstant,
  },
  {
    printParams: ({ roundingMethod }) => ({
      rounding_method: roundingMethod === 0 ? "AWAY_FROM_ZERO" : "TO_NEAREST_EVEN",
    }),
  },
);
/** Nearest integer; halves go away from zero unless told otherwise. */
export function round(
  x: ArrayLike,
  ...rest: readonly (RoundingMethod | { readonly roundingMethod?: RoundingMethod })[]
): NDArray {
  const { roundingMethod = RoundingMethod.AWAY_FROM_ZERO } = readOptions<{ roundingMethod: RoundingMethod }>(
    "round",
    ["roundingMethod"],
    1,
    rest,
  );
  if (roundingMethod !== 0 && roundingMethod !== 1)
    throw new ArgumentError("UnknownRoundingMethod", {
      what: `round: ${String(roundingMethod)} is not a rounding method`,
      why: "halves go either away from zero or to the even neighbour",
      fix: "use lax.RoundingMethod.AWAY_FROM_ZERO or lax.RoundingMethod.TO_NEAREST_EVEN",
    });
  return bind1(roundP, [asArray(x, "round")], { roundingMethod });
}

export const isFiniteP: Primitive<One, null> = /* @__PURE__ */ unary({
  name: "is_finite",
  accepts: floating,
  real: (x) => Number(Number.isFinite(x)),
  lower: lowered.isFinite,
  result: () => "bool",
  derivative: piecewiseConstant,
});
export const isFinite = (x: ArrayLike): NDArray => bind1(isFiniteP, [asArray(x, "isFinite")], null);

/** The neighbour of x toward y, by stepping the bit pattern of the dtype's magnitude. */
function neighbour(x: number, y: number, dtype: DType): number {
  if (x !== x || y !== y) return NaN;
  if (x === y) return y;
  const { data } = fromStorage([1], dtype, steppedBits(x, y, dtype));
  return data[0]!;
}
function steppedBits(x: number, y: number, dtype: DType): TypedArray {
  const value = allocate(dtype, 1);
  value[0] = x;
  const stored = toStorage({ shape: [1], dtype, data: value });
  // One step in the magnitude's integer is one step between floats; from zero it is the smallest number of y's sign.
  const bits =
    dtype === "float64"
      ? new BigInt64Array(stored.buffer)
      : stored instanceof Uint16Array
        ? stored
        : new Int32Array(stored.buffer);
  if (x === 0) {
    value[0] = y < 0 ? -0 : 0;
    toStorage({ shape: [1], dtype, data: value }).forEach((v, i) => (stored[i] = v));
  }
  const up = x === 0 || x < y === x > 0;
  if (bits instanceof BigInt64Array) bits[0] = bits[0]! + (up ? 1n : -1n);
  else bits[0] = bits[0]! + (up ? 1 : -1);
  return stored;
}
export const nextafterP: Primitive<Two, null> = /* @__PURE__ */ binary({
  name: "nextafter",
  accepts: floating,
  loop: /* @__PURE__ */ eachPair(neighbour),
  lower: lowered.nextAfter,
  derivatives: /* @__PURE__ */ notDifferentiable(
    "nextafter steps between representable numbers",
    "apply stopGradient to its operands",
  ),
});
/** The next representable number after x1 toward x2. */
export const nextafter = (x1: ArrayLike, x2: ArrayLike): NDArray =>
  bind1(nextafterP, pairOf("nextafter", x1, x2), null);

// ---------------------------------------------------------------- clamp

const clampName = "clamp";
export const clampP: Primitive<Three, null> = /* @__PURE__ */ definePrimitive<Three, null>({
  name: clampName,
  kind: "elementwise",
  infer: (ins) => {
    const [low, x, high] = ins;
    if (low.dtype !== x.dtype || high.dtype !== x.dtype) throw sameDTypes(clampName, ins);
    if (!ordered.has(x.dtype)) throw notAccepted(clampName, ordered, x);
    return [resultAval(clampName, ins, x.dtype)];
  },
  reference: ([low, x, high], _, [out]) => {
    const r = allocateLike(out!);
    const [sl, sx, sh] = [low, x, high].map((a) => Number(a.shape.length > 0)) as [number, number, number];
    for (let i = 0; i < r.data.length; i++)
      r.data[i] = Math.min(Math.max(x.data[i * sx]!, low.data[i * sl]!), high.data[i * sh]!);
    return [r];
  },
  jvp: (xs, gs) => sumOfDerivatives(clampP, clampDerivatives, xs, gs, null),
  transpose: "nonlinear",
  batch: (xs, dims, _, { size }) => batchElementwise(clampP, xs, dims, null, size),
  lower: (xs) => pointwise(xs, ([low], [x], [high]) => [lowered.clamped(low!, x!, high!)]),
});
/** The tangent of whichever operand is the result; none where two tie. */
const clampDerivatives: readonly Derivative[] = [
  (g, _, low, x, high) => select(bitwiseAnd(gt(low, x), lt(low, high)), g, literalLike(x, 0)),
  (g, _, low, x, high) => select(bitwiseAnd(gt(x, low), lt(x, high)), g, literalLike(x, 0)),
  (g, _, _low, x, high) => select(lt(high, x), g, literalLike(x, 0)),
];
/** min(max(x, low), high); the bounds are scalars or of the shape of x. */
export const clamp = (min: ArrayLike, x: ArrayLike, max: ArrayLike): NDArray =>
  bind1(clampP, operandsOf(clampName, [min, x, max]), null);

export const primitives: readonly AnyPrimitive[] = [
  negP,
  addP,
  subP,
  mulP,
  divP,
  remP,
  maxP,
  minP,
  signP,
  absP,
  squareP,
  integerPowP,
  powP,
  sqrtP,
  rsqrtP,
  cbrtP,
  floorP,
  ceilP,
  roundP,
  isFiniteP,
  nextafterP,
  clampP,
];
