/**
 * Elementary functions: exponentials, logarithms, roots, trigonometric and hyperbolic functions. Integers become float32;
 * complex numbers are accepted where the function has a complex form.
 */
import { isComplex } from "../core/dtype.ts";
import type { NDArray } from "../core/ndarray.ts";
import * as lax from "../lax/arithmetic.ts";
import { complex, imag, real } from "../lax/complex.ts";
import { eqArrays, ltArrays, neArrays, selectArrays } from "../lax/compare.ts";
import { orArrays } from "../lax/bitwise.ts";
import * as elementary from "../lax/elementary.ts";
import { literalLike } from "../lax/rules.ts";
import { customJvp } from "../transforms/customJvp.ts";
import { type Binary, type Unary, inexactBinary, inexactUnary } from "./builders.ts";

const { addArrays, divArrays, mulArrays, subArrays } = lax;

/** x times a constant. */
const scaled = (x: NDArray, factor: number): NDArray => mulArrays(x, literalLike(x, factor));

// ---------------------------------------------------------------- exponentials, logarithms, roots

/**
 * e^x.
 *
 * @example
 * np.exp(np.array([0, 1])) // [1, 2.7182817]
 */
export const exp: Unary = /* @__PURE__ */ inexactUnary("exp", elementary.exp);

/**
 * 2^x.
 *
 * @example
 * np.exp2(np.array([0, 3])) // [1, 8]
 */
export const exp2: Unary = /* @__PURE__ */ inexactUnary("exp2", elementary.exp2);

/**
 * e^x − 1, accurate near 0.
 *
 * @example
 * np.expm1(np.array([0])) // [0]
 */
export const expm1: Unary = /* @__PURE__ */ inexactUnary("expm1", elementary.expm1);

/**
 * Natural logarithm.
 *
 * @example
 * np.log(np.array([1, Math.E])) // [0, 1]
 */
export const log: Unary = /* @__PURE__ */ inexactUnary("log", elementary.log);

/**
 * log(1 + x), accurate near 0.
 *
 * @example
 * np.log1p(np.array([0])) // [0]
 */
export const log1p: Unary = /* @__PURE__ */ inexactUnary("log1p", elementary.log1p);

/** A logarithm to another base: real numbers by `f`, complex ones part by part. */
const logarithm =
  (f: (naturalLog: NDArray) => NDArray) =>
  (x: NDArray): NDArray => {
    const y = elementary.log(x);
    return isComplex(x.dtype) ? complex(f(real(y)), f(imag(y))) : f(y);
  };

/**
 * Logarithm to base 2.
 *
 * @example
 * np.log2(np.array([1, 8])) // [0, 3]
 */
export const log2: Unary = /* @__PURE__ */ inexactUnary(
  "log2",
  /* @__PURE__ */ logarithm((y) => divArrays(y, literalLike(y, Math.LN2))),
  { composite: true },
);

/**
 * Logarithm to base 10.
 *
 * @example
 * np.log10(np.array([1, 1000])) // [0, 3]
 */
export const log10: Unary = /* @__PURE__ */ inexactUnary(
  "log10",
  /* @__PURE__ */ logarithm((y) => scaled(y, Math.LOG10E)),
  { composite: true },
);

/**
 * Square root; NaN for negative real numbers.
 *
 * @example
 * np.sqrt(np.array([4, 9])) // [2, 3]
 */
export const sqrt: Unary = /* @__PURE__ */ inexactUnary("sqrt", lax.sqrt);

/**
 * Cube root.
 *
 * @example
 * np.cbrt(np.array([8, -27])) // [2, -3]
 */
export const cbrt: Unary = /* @__PURE__ */ inexactUnary("cbrt", lax.cbrt);

// ---------------------------------------------------------------- sums of exponentials

const infinityToZero = (x: NDArray): NDArray =>
  selectArrays(eqArrays(x, literalLike(x, Infinity)), literalLike(x, 0), x);

/** The imaginary part brought to (−a, a]. */
function wrapImaginary(z: NDArray, a: number): NDArray {
  const y = imag(z);
  const shifted = addArrays(y, literalLike(y, a));
  const period = literalLike(y, 2 * a);
  const rem = lax.remArrays(shifted, period);
  const wrapped = selectArrays(ltArrays(rem, literalLike(rem, 0)), addArrays(rem, period), rem);
  return complex(real(z), subArrays(wrapped, literalLike(y, a)));
}

/** log_b(b^x + b^y) as max + log1p(b^−|x − y|) / ln b, with the derivative that is smooth where x = y. */
const logSum = (name: string, power: (x: NDArray) => NDArray, scale: number): ((x: NDArray, y: NDArray) => NDArray) => {
  const sum = (x: NDArray, y: NDArray): NDArray => {
    const larger = lax.maxArrays(x, y);
    const logOf = (e: NDArray): NDArray => (scale === 1 ? elementary.log1p(e) : scaled(elementary.log1p(e), scale));
    if (isComplex(x.dtype)) {
      const delta = subArrays(addArrays(x, y), scaled(larger, 2));
      return wrapImaginary(addArrays(larger, logOf(power(delta))), Math.PI * scale);
    }
    const delta = subArrays(x, y);
    const finite = addArrays(larger, logOf(power(lax.neg(lax.abs(delta)))));
    // Infinities of one sign, or NaN.
    return selectArrays(neArrays(delta, delta), addArrays(x, y), finite);
  };
  let withRule: ((x: NDArray, y: NDArray) => NDArray) | null = null;
  return (x, y) => {
    if (!withRule) {
      const f = customJvp(Object.defineProperty(sum, "name", { value: name }));
      f.defjvp(([a, b], [da, db]) => {
        const z = f(a, b);
        const weight = (v: NDArray): NDArray => power(subArrays(infinityToZero(v), infinityToZero(z)));
        return [z, addArrays(mulArrays(da, weight(a)), mulArrays(db, weight(b)))];
      });
      withRule = f;
    }
    return withRule(x, y);
  };
};

/**
 * log(e^x1 + e^x2) without overflow.
 *
 * @example
 * np.logaddexp(np.array([0]), np.array([0])) // [0.6931472]
 */
export const logaddexp: Binary = /* @__PURE__ */ inexactBinary(
  "logaddexp",
  /* @__PURE__ */ logSum("logaddexp", (x) => elementary.exp(x), 1),
  { composite: true },
);

/**
 * log2(2^x1 + 2^x2) without overflow.
 *
 * @example
 * np.logaddexp2(np.array([3]), np.array([3])) // [4]
 */
export const logaddexp2: Binary = /* @__PURE__ */ inexactBinary(
  "logaddexp2",
  /* @__PURE__ */ logSum("logaddexp2", (x) => elementary.exp2(x), 1 / Math.LN2),
  { composite: true },
);

// ---------------------------------------------------------------- trigonometric functions

/**
 * Sine of an angle in radians.
 *
 * @example
 * np.sin(np.array([0, Math.PI / 2])) // [0, 1]
 */
export const sin: Unary = /* @__PURE__ */ inexactUnary("sin", elementary.sin);

/**
 * Cosine of an angle in radians.
 *
 * @example
 * np.cos(np.array([0, Math.PI])) // [1, -1]
 */
export const cos: Unary = /* @__PURE__ */ inexactUnary("cos", elementary.cos);

/**
 * Tangent of an angle in radians.
 *
 * @example
 * np.tan(np.array([0])) // [0]
 */
export const tan: Unary = /* @__PURE__ */ inexactUnary("tan", elementary.tan);

/**
 * Inverse sine, in radians.
 *
 * @example
 * np.arcsin(np.array([0, 1])) // [0, 1.5707964]
 */
export const arcsin: Unary = /* @__PURE__ */ inexactUnary("arcsin", elementary.asin);

/**
 * Inverse cosine, in radians.
 *
 * @example
 * np.arccos(np.array([1, 0])) // [0, 1.5707964]
 */
export const arccos: Unary = /* @__PURE__ */ inexactUnary("arccos", elementary.acos);

/**
 * Inverse tangent, in radians.
 *
 * @example
 * np.arctan(np.array([0, 1])) // [0, 0.7853982]
 */
export const arctan: Unary = /* @__PURE__ */ inexactUnary("arctan", elementary.atan);

/**
 * The angle of the point (x2, x1): the inverse tangent of x1/x2 in the right quadrant.
 *
 * @example
 * np.arctan2(np.array([1]), np.array([0])) // [1.5707964]
 */
export const arctan2: Binary = /* @__PURE__ */ inexactBinary("arctan2", elementary.atan2Arrays);

/** The same as `arcsin`. */
export const asin: Unary = arcsin;
/** The same as `arccos`. */
export const acos: Unary = arccos;
/** The same as `arctan`. */
export const atan: Unary = arctan;
/** The same as `arctan2`. */
export const atan2: Binary = arctan2;

/**
 * Degrees to radians.
 *
 * @example
 * np.deg2rad(np.array([180])) // [3.1415927]
 */
export const deg2rad: Unary = /* @__PURE__ */ inexactUnary("deg2rad", (x) => scaled(x, Math.PI / 180));

/**
 * Radians to degrees.
 *
 * @example
 * np.rad2deg(np.array([Math.PI])) // [180]
 */
export const rad2deg: Unary = /* @__PURE__ */ inexactUnary("rad2deg", (x) => scaled(x, 180 / Math.PI));

/** The same as `rad2deg`. */
export const degrees: Unary = rad2deg;
/** The same as `deg2rad`. */
export const radians: Unary = deg2rad;

/**
 * sin(πx)/(πx), and 1 at 0.
 *
 * @example
 * np.sinc(np.array([0, 1, 0.5])) // [1, 0, 0.6366198]
 */
export const sinc: Unary = /* @__PURE__ */ inexactUnary(
  "sinc",
  (x) => {
    const zero = eqArrays(x, literalLike(x, 0));
    const inf = literalLike(x, Infinity);
    const infinite = isComplex(x.dtype)
      ? eqArrays(lax.abs(real(x)), literalLike(real(x), Infinity))
      : eqArrays(lax.abs(x), inf);
    const angle = scaled(x, Math.PI);
    const safe = selectArrays(orArrays(zero, infinite), literalLike(x, 1), angle);
    const value = selectArrays(zero, nearZero(angle), divArrays(elementary.sin(safe), safe));
    return selectArrays(infinite, literalLike(x, 0), value);
  },
  { composite: true },
);

/** The series of sin(x)/x, whose derivatives of all orders up to 8 are exact at 0. */
function nearZero(x: NDArray): NDArray {
  const s = lax.square(x);
  const one = literalLike(x, 1);
  return [72, 42, 20, 6].reduce((sum, divisor) => subArrays(one, mulArrays(scaled(s, 1 / divisor), sum)), one);
}

// ---------------------------------------------------------------- hyperbolic functions

/**
 * Hyperbolic sine.
 *
 * @example
 * np.sinh(np.array([0])) // [0]
 */
export const sinh: Unary = /* @__PURE__ */ inexactUnary("sinh", elementary.sinh);

/**
 * Hyperbolic cosine.
 *
 * @example
 * np.cosh(np.array([0])) // [1]
 */
export const cosh: Unary = /* @__PURE__ */ inexactUnary("cosh", elementary.cosh);

/**
 * Hyperbolic tangent.
 *
 * @example
 * np.tanh(np.array([0, 100])) // [0, 1]
 */
export const tanh: Unary = /* @__PURE__ */ inexactUnary("tanh", elementary.tanh);

/**
 * Inverse hyperbolic sine.
 *
 * @example
 * np.arcsinh(np.array([0])) // [0]
 */
export const arcsinh: Unary = /* @__PURE__ */ inexactUnary("arcsinh", elementary.asinh);

/**
 * Inverse hyperbolic cosine.
 *
 * @example
 * np.arccosh(np.array([1])) // [0]
 */
export const arccosh: Unary = /* @__PURE__ */ inexactUnary(
  "arccosh",
  (x) => {
    const y = elementary.acosh(x);
    if (!isComplex(y.dtype)) return y;
    const re = real(y);
    return selectArrays(ltArrays(re, literalLike(re, 0)), lax.neg(y), y);
  },
  { composite: true },
);

/**
 * Inverse hyperbolic tangent.
 *
 * @example
 * np.arctanh(np.array([0])) // [0]
 */
export const arctanh: Unary = /* @__PURE__ */ inexactUnary("arctanh", elementary.atanh);

/** The same as `arcsinh`. */
export const asinh: Unary = arcsinh;
/** The same as `arccosh`. */
export const acosh: Unary = arccosh;
/** The same as `arctanh`. */
export const atanh: Unary = arctanh;
