/**
 * Elementary functions: exponentials, logarithms, trigonometric and hyperbolic functions and their inverses, on floats
 * and complex numbers. Derivatives are written as tangent times a function of primals, so that linearization keeps one
 * residual each.
 */
import type { ArrayLike } from "../core/arrayMethods.ts";
import type { NDArray } from "../core/ndarray.ts";
import type { AnyPrimitive, One, Primitive, Two } from "../core/primitive.ts";
import * as scalar from "../core/scalar.ts";
import type { MathFunction } from "../core/scalar.ts";
import { bind1 } from "../core/trace.ts";
import { add, addArrays, div, divArrays, mul, mulArrays, neg, reciprocal, rsqrt, square, sub } from "./arithmetic.ts";
import * as complexLowering from "./complexLowering.ts";
import * as complex from "./complexMath.ts";
import type { Complex } from "./complexMath.ts";
import { type AccuracyOptions, bindUnary, binary, eachComplexPair, eachPair, inexact, pairOf, unary } from "./rules.ts";

/** A function of one float or complex number with derivative `factor(y, x)`. */
const smooth = (
  name: MathFunction,
  f: (x: number) => number,
  c: (z: Complex) => Complex,
  complexLower: complexLowering.ComplexFunction,
  factor: (y: NDArray, x: NDArray) => NDArray,
): Primitive<One, null> =>
  unary({
    name,
    accepts: inexact,
    real: f,
    complex: c,
    lower: (x) => scalar.unary(name, x),
    complexLower,
    cost: 12,
    derivative: (g, y, x) => mulArrays(g, factor(y, x)),
  });

// ---------------------------------------------------------------- exponentials and logarithms

export const expP: Primitive<One, null> = /* @__PURE__ */ smooth(
  "exp",
  Math.exp,
  complex.cexp,
  complexLowering.exp,
  (y) => y,
);
export const exp = (x: ArrayLike, ...options: AccuracyOptions): NDArray => bindUnary(expP, x, options);

export const exp2P: Primitive<One, null> = /* @__PURE__ */ smooth(
  "exp2",
  (x) => 2 ** x,
  (z) => complex.cexp([z[0] * Math.LN2, z[1] * Math.LN2]),
  complexLowering.exp2,
  (y) => mul(y, Math.LN2),
);
/** 2^x */
export const exp2 = (x: ArrayLike, ...options: AccuracyOptions): NDArray => bindUnary(exp2P, x, options);

export const expm1P: Primitive<One, null> = /* @__PURE__ */ smooth(
  "expm1",
  Math.expm1,
  complex.cexpm1,
  complexLowering.expm1,
  (y) => add(y, 1),
);
/** e^x − 1, accurate near 0. */
export const expm1 = (x: ArrayLike, ...options: AccuracyOptions): NDArray => bindUnary(expm1P, x, options);

export const logP: Primitive<One, null> = /* @__PURE__ */ unary({
  name: "log",
  accepts: inexact,
  real: Math.log,
  complex: complex.clog,
  lower: (x) => scalar.unary("log", x),
  complexLower: complexLowering.log,
  cost: 12,
  derivative: (g, _, x) => divArrays(g, x),
});
/** Natural logarithm. */
export const log = (x: ArrayLike, ...options: AccuracyOptions): NDArray => bindUnary(logP, x, options);

export const log1pP: Primitive<One, null> = /* @__PURE__ */ unary({
  name: "log1p",
  accepts: inexact,
  real: Math.log1p,
  complex: complex.clog1p,
  lower: (x) => scalar.unary("log1p", x),
  complexLower: complexLowering.log1p,
  cost: 12,
  derivative: (g, _, x) => divArrays(g, add(x, 1)),
});
/** log(1 + x), accurate near 0. */
export const log1p = (x: ArrayLike, ...options: AccuracyOptions): NDArray => bindUnary(log1pP, x, options);

// y' = y (1 − y)
export const logisticP: Primitive<One, null> = /* @__PURE__ */ unary({
  name: "logistic",
  accepts: inexact,
  real: (x) => (x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x))),
  complex: complex.clogistic,
  lower: (x) => {
    const e = scalar.unary("exp", scalar.negate(scalar.unary("abs", x)));
    const right = scalar.compare("ge", x, scalar.like(x, 0));
    // With q = e/(1 + e), 1 − q or e − e q: what is taken away is the smaller, and so is its error.
    const whole = scalar.select(right, scalar.like(x, 1), e);
    return scalar.minus(whole, scalar.times(whole, scalar.over(e, scalar.plus(e, scalar.like(x, 1)))));
  },
  complexLower: complexLowering.logistic,
  cost: 16,
  derivative: (g, y) => mulArrays(g, mulArrays(y, sub(1, y))),
});
/** 1 / (1 + e^−x) */
export const logistic = (x: ArrayLike, ...options: AccuracyOptions): NDArray => bindUnary(logisticP, x, options);

// ---------------------------------------------------------------- trigonometric functions

export const sinP: Primitive<One, null> = /* @__PURE__ */ smooth(
  "sin",
  Math.sin,
  complex.csin,
  complexLowering.sin,
  (_, x) => cos(x),
);
export const sin = (x: ArrayLike, ...options: AccuracyOptions): NDArray => bindUnary(sinP, x, options);

export const cosP: Primitive<One, null> = /* @__PURE__ */ smooth(
  "cos",
  Math.cos,
  complex.ccos,
  complexLowering.cos,
  (_, x) => neg(sin(x)),
);
export const cos = (x: ArrayLike, ...options: AccuracyOptions): NDArray => bindUnary(cosP, x, options);

export const tanP: Primitive<One, null> = /* @__PURE__ */ smooth(
  "tan",
  Math.tan,
  complex.ctan,
  complexLowering.tan,
  (y) => add(square(y), 1),
);
export const tan = (x: ArrayLike, ...options: AccuracyOptions): NDArray => bindUnary(tanP, x, options);

export const asinP: Primitive<One, null> = /* @__PURE__ */ smooth(
  "asin",
  Math.asin,
  complex.casin,
  complexLowering.asin,
  (_, x) => rsqrt(sub(1, square(x))),
);
export const asin = (x: ArrayLike): NDArray => bindUnary(asinP, x, []);

export const acosP: Primitive<One, null> = /* @__PURE__ */ smooth(
  "acos",
  Math.acos,
  complex.cacos,
  complexLowering.acos,
  (_, x) => neg(rsqrt(sub(1, square(x)))),
);
export const acos = (x: ArrayLike): NDArray => bindUnary(acosP, x, []);

export const atanP: Primitive<One, null> = /* @__PURE__ */ smooth(
  "atan",
  Math.atan,
  complex.catan,
  complexLowering.atan,
  (_, x) => reciprocal(add(square(x), 1)),
);
export const atan = (x: ArrayLike): NDArray => bindUnary(atanP, x, []);

/** x² + y² */
const normSquared = (x: NDArray, y: NDArray): NDArray => addArrays(square(x), square(y));
export const atan2P: Primitive<Two, null> = /* @__PURE__ */ binary({
  name: "atan2",
  accepts: inexact,
  loop: /* @__PURE__ */ eachPair(Math.atan2),
  complexLoop: /* @__PURE__ */ eachComplexPair(complex.catan2),
  lower: (x, y) => scalar.binary("atan2", x, y),
  complexLower: complexLowering.atan2,
  cost: 16,
  derivatives: [
    (g, _, x, y) => mulArrays(g, divArrays(y, normSquared(x, y))),
    (g, _, x, y) => mulArrays(g, divArrays(neg(x), normSquared(x, y))),
  ],
});
export const atan2Arrays = (x: NDArray, y: NDArray): NDArray => bind1(atan2P, [x, y], null);
/** The angle of the point with ordinate x and abscissa y, in (−π, π]. */
export const atan2 = (x: ArrayLike, y: ArrayLike): NDArray => bind1(atan2P, pairOf("atan2", x, y), null);

// ---------------------------------------------------------------- hyperbolic functions

export const sinhP: Primitive<One, null> = /* @__PURE__ */ smooth(
  "sinh",
  Math.sinh,
  complex.csinh,
  complexLowering.sinh,
  (_, x) => cosh(x),
);
export const sinh = (x: ArrayLike): NDArray => bindUnary(sinhP, x, []);

export const coshP: Primitive<One, null> = /* @__PURE__ */ smooth(
  "cosh",
  Math.cosh,
  complex.ccosh,
  complexLowering.cosh,
  (_, x) => sinh(x),
);
export const cosh = (x: ArrayLike): NDArray => bindUnary(coshP, x, []);

// (1 + y)(1 − y) keeps more digits than 1 − y² where y is near ±1
export const tanhP: Primitive<One, null> = /* @__PURE__ */ smooth(
  "tanh",
  Math.tanh,
  complex.ctanh,
  complexLowering.tanh,
  (y) => mulArrays(add(y, 1), sub(1, y)),
);
export const tanh = (x: ArrayLike, ...options: AccuracyOptions): NDArray => bindUnary(tanhP, x, options);

export const asinhP: Primitive<One, null> = /* @__PURE__ */ smooth(
  "asinh",
  Math.asinh,
  complex.casinh,
  complexLowering.asinh,
  (_, x) => rsqrt(add(square(x), 1)),
);
export const asinh = (x: ArrayLike): NDArray => bindUnary(asinhP, x, []);

// rsqrt(x − 1) rsqrt(x + 1) is on the right branch for complex x, and the same for x ≥ 1
export const acoshP: Primitive<One, null> = /* @__PURE__ */ smooth(
  "acosh",
  Math.acosh,
  complex.cacosh,
  complexLowering.acosh,
  (_, x) => mulArrays(rsqrt(sub(x, 1)), rsqrt(add(x, 1))),
);
export const acosh = (x: ArrayLike): NDArray => bindUnary(acoshP, x, []);

export const atanhP: Primitive<One, null> = /* @__PURE__ */ smooth(
  "atanh",
  Math.atanh,
  complex.catanh,
  complexLowering.atanh,
  (_, x) => div(reciprocal(add(x, 1)), sub(1, x)),
);
export const atanh = (x: ArrayLike): NDArray => bindUnary(atanhP, x, []);

export const primitives: readonly AnyPrimitive[] = [
  expP,
  exp2P,
  expm1P,
  logP,
  log1pP,
  logisticP,
  sinP,
  cosP,
  tanP,
  asinP,
  acosP,
  atanP,
  atan2P,
  sinhP,
  coshP,
  tanhP,
  asinhP,
  acoshP,
  atanhP,
];
