/** Error functions and the normal distribution function: its logarithm and its inverse. */
import type { ArrayLike } from "../../core/arrayMethods.ts";
import type { NDArray } from "../../core/ndarray.ts";
import { ArgumentError } from "../../core/problem.ts";
import * as lax from "../../lax/index.ts";
import { type Rest, given, integer } from "../../numpy/arguments.ts";
import * as np from "../../numpy/index.ts";
import { customJvp } from "../../transforms/customJvp.ts";
import { elementwise, floats } from "../operands.ts";
import { unit } from "../../core/unit.ts";
import { polynomial } from "../../lax/polynomial.ts";

/** The error function. @example scipy.special.erf(np.array([0, Infinity])) // [0, 1] */
export const erf = (x: ArrayLike): NDArray => lax.erf(floats("scipy.special.erf", [x])[0]!);
/** 1 − erf(x), accurate for large x. @example scipy.special.erfc(np.array([0, Infinity])) // [1, 0] */
export const erfc = (x: ArrayLike): NDArray => lax.erfc(floats("scipy.special.erfc", [x])[0]!);
/** The inverse of erf. @example scipy.special.erfinv(np.array([0, 1])) // [0, Infinity] */
export const erfinv = (x: ArrayLike): NDArray => lax.erfInv(floats("scipy.special.erfinv", [x])[0]!);

const ndtrOf = (x: NDArray): NDArray => np.multiply(0.5, lax.erfc(np.multiply(x, -Math.SQRT1_2)));

/** The normal distribution function. @example scipy.special.ndtr(np.array([0, 10])) // [0.5, 1] */
export const ndtr = /* @__PURE__ */ unit(
  "ndtr",
  1,
  (x: ArrayLike): NDArray => ndtrOf(floats("scipy.special.ndtr", [x])[0]!),
  { numbers: "inputs" },
);

// ---------------------------------------------------------------- inverse

/** Wichura's AS 241, PPND16 ("The percentage points of the normal distribution", 1988): numerators and denominators. */
const centre = [
  [
    3.387132872796366608, 133.14166789178437745, 1971.5909503065514427, 13731.693765509461125, 45921.953931549871457,
    67265.770927008700853, 33430.575583588128105, 2509.0809287301226727,
  ],
  [
    1, 42.313330701600911252, 687.1870074920579083, 5394.1960214247511077, 21213.794301586595867, 39307.89580009271061,
    28729.085735721942674, 5226.495278852854561,
  ],
] as const;
const tail = [
  [
    1.42343711074968357734, 4.6303378461565452959, 5.7694972214606914055, 3.64784832476320460504,
    1.27045825245236838258, 0.24178072517745061177, 0.0227238449892691845833, 7.7454501427834140764e-4,
  ],
  [
    1, 2.05319162663775882187, 1.6763848301838038494, 0.68976733498510000455, 0.14810397642748007459,
    0.0151986665636164571966, 5.475938084995344946e-4, 1.05075007164441684324e-9,
  ],
] as const;
const farTail = [
  [
    6.6579046435011037772, 5.4637849111641143699, 1.7848265399172913358, 0.29656057182850489123,
    0.026532189526576123093, 0.0012426609473880784386, 2.71155556874348757815e-5, 2.01033439929228813265e-7,
  ],
  [
    1, 0.59983220655588793769, 0.13692988092273580531, 0.0148753612908506148525, 7.868691311456132591e-4,
    1.8463183175100546818e-5, 1.4215117583164458887e-7, 2.04426310338993978564e-15,
  ],
] as const;

const rational = ([top, bottom]: readonly [readonly number[], readonly number[]], x: NDArray): NDArray =>
  np.divide(polynomial(top, x), polynomial(bottom, x));

function inverseNormal(p: NDArray): NDArray {
  const q = np.subtract(p, 0.5);
  const near = np.lessEqual(np.abs(q), 0.425);
  const middle = np.multiply(q, rational(centre, np.subtract(0.180625, np.square(np.where(near, q, 0)))));
  const smaller = np.minimum(p, np.subtract(1, p));
  const inside = np.greater(smaller, 0);
  const r = np.sqrt(np.negative(np.log(np.where(inside, smaller, 0.5))));
  const moderate = np.lessEqual(r, 5);
  const size = np.where(
    moderate,
    rational(tail, np.subtract(np.where(moderate, r, 2), 1.6)),
    rational(farTail, np.subtract(np.where(moderate, 5, r), 5)),
  );
  const signed = np.where(np.less(q, 0), np.negative(size), size);
  const edge = np.where(np.equal(p, 0), -Infinity, np.where(np.equal(p, 1), np.divide(p, 0), NaN));
  return np.where(inside, np.where(near, middle, signed), edge);
}

const inverse = /* @__PURE__ */ elementwise("ndtri", inverseNormal, (g, x) =>
  np.multiply(g, np.multiply(Math.sqrt(2 * Math.PI), np.exp(np.multiply(0.5, np.square(x))))),
);
/** The inverse of ndtr, accurate in the lower tail. @example scipy.special.ndtri(np.array([0, 0.5, 1])) // [-Infinity, 0, Infinity] */
export const ndtri = (p: ArrayLike): NDArray => inverse(p);

// ---------------------------------------------------------------- logarithm

/** From which x on log Φ has other forms: below, its asymptotic series; above, −Φ(−x). */
const segments = (x: NDArray): readonly [number, number] => (x.dtype === "float64" ? [-20, 8] : [-10, 5]);

/** 1 − 1/x² + 3/x⁴ − …, to `order` terms after the first: Φ(x) = φ(x) / −x times it, for negative x. */
function millsSeries(x: NDArray, order: number): NDArray {
  const coefficients = [1];
  for (let n = 1; n <= order; n++) coefficients.push(-coefficients[n - 1]! * (2 * n - 1));
  return polynomial(coefficients, np.divide(1, np.square(x)));
}

const halfLog2Pi = 0.5 * Math.log(2 * Math.PI);

function makeLogNormal(): (order: number, x: NDArray) => NDArray {
  const f = customJvp(
    function logNdtr(order: number, x: NDArray): NDArray {
      const [lower, upper] = segments(x);
      const above = np.greater(x, upper);
      const within = np.greater(x, lower);
      const p = ndtrOf(np.where(above, np.negative(x), np.maximum(x, lower)));
      const z = np.minimum(x, lower);
      const density = np.subtract(np.multiply(-0.5, np.square(z)), np.add(np.log(np.negative(z)), halfLog2Pi));
      const below = np.add(density, np.log(millsSeries(z, order)));
      const value = np.where(above, np.negative(p), np.where(within, np.log(np.where(within, p, 1)), below));
      return np.where(np.isnan(x), x, value);
    },
    { nondiffArgnums: [0] },
  );
  f.defjvp((order: number, [x]: [NDArray], [dx]: [NDArray]) => {
    const y = f(order, x);
    const [lower] = segments(x);
    const within = np.greater(x, lower);
    // φ / Φ; below, the difference of two large logarithms would be inexact.
    const ratio = np.exp(np.subtract(np.multiply(-0.5, np.square(x)), np.add(np.where(within, y, 0), halfLog2Pi)));
    const z = np.minimum(x, lower);
    return [y, np.multiply(dx, np.where(within, ratio, np.divide(np.negative(z), millsSeries(z, order))))];
  });
  return f;
}
const logNormal = /* @__PURE__ */ makeLogNormal();

export interface LogNdtrOptions {
  /** How many terms the series for the lower tail has after its first, 0 to 30. Default 3. */
  readonly seriesOrder?: number | undefined;
}
/** log Φ(x), without underflow. @example scipy.special.logNdtr(np.array([-100, 100])) // [-5005.5242, 0] */
export const logNdtr = /* @__PURE__ */ unit(
  "logNdtr",
  1,
  function logNdtr(x: ArrayLike, ...rest: Rest<[number], LogNdtrOptions>): NDArray {
    const name = "scipy.special.logNdtr";
    const { seriesOrder = 3 } = given<LogNdtrOptions>(name, ["seriesOrder"], 1, rest);
    const order = integer(name, "seriesOrder", seriesOrder);
    if (order < 0 || order > 30)
      throw new ArgumentError("SeriesOrder", {
        what: `${name}: seriesOrder is ${order}`,
        why: "the series has 0 to 30 terms after its first",
        fix: "leave it out: 3 terms are enough for float32",
      });
    return logNormal(order, floats(name, [x])[0]!);
  },
  { numbers: "inputs" },
);
