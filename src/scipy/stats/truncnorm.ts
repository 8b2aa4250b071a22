/** `scipy.stats.truncnorm`: the normal distribution between `a` and `b`, which count in units of `scale` from `loc`. */
import type { ArrayLike } from "../../core/arrayMethods.ts";
import type { NDArray } from "../../core/ndarray.ts";
import { log1mexp } from "../../nn/activations.ts";
import * as np from "../../numpy/index.ts";
import { logNdtr, ndtr } from "../special/index.ts";
import { type LocScaleRest, scaled, standardized } from "./arguments.ts";
import * as norm from "./norm.ts";
import { unit } from "../../core/unit.ts";

/** log(eˣ − eʸ) for x ≥ y; −∞ where they are equal. */
function logDifference(x: NDArray, y: NDArray): NDArray {
  const apart = np.greater(x, y);
  const [p, q] = [np.where(apart, x, 0), np.where(apart, y, -1)];
  return np.where(apart, np.add(p, log1mexp(np.subtract(p, q))), -Infinity);
}

/**
 * The logarithm of a normal variable's probability to be between a and b. Of an interval on one side it is a difference of
 * lower tails, mirrored if need be; of one around 0, 1 minus both tails.
 */
function logMass(a: NDArray, b: NDArray): NDArray {
  const right = np.greater(a, 0);
  const oneSided = np.logicalOr(right, np.lessEqual(b, 0));
  const [from, to] = [np.where(right, np.negative(b), a), np.where(right, np.negative(a), b)];
  const tail = logDifference(logNdtr(np.where(oneSided, to, -1)), logNdtr(np.where(oneSided, from, -2)));
  const outside = np.add(ndtr(np.where(oneSided, -1, a)), ndtr(np.where(oneSided, -1, np.negative(b))));
  return np.where(oneSided, tail, np.log1p(np.negative(outside)));
}

/** The density. @example scipy.stats.truncnorm.pdf(0.5, -1, 2, 1, 2) // 0.23617802 */
export const pdf = /* @__PURE__ */ unit(
  "pdf",
  5,
  (x: ArrayLike, a: ArrayLike, b: ArrayLike, ...rest: LocScaleRest): NDArray =>
    np.exp(logpdfOf("truncnorm.pdf", x, a, b, ...rest)),
  { numbers: "inputs" },
);

function logpdfOf(name: string, x: ArrayLike, a: ArrayLike, b: ArrayLike, ...rest: LocScaleRest): NDArray {
  const [v, low, high, loc, scale] = scaled(name, [x, a, b], rest);
  const z = standardized(v, loc, scale);
  const outside = np.logicalOr(np.less(z, low), np.greater(z, high));
  const value = np.subtract(norm.logpdf(v, loc, scale), logMass(low, high));
  return np.where(np.greaterEqual(low, high), NaN, np.where(outside, -Infinity, value));
}

/** The logarithm of the density; NaN unless a < b. @example scipy.stats.truncnorm.logpdf(0.5, -1, 2, 1, 2) // -1.4431694 */
export const logpdf = /* @__PURE__ */ unit(
  "logpdf",
  5,
  (x: ArrayLike, a: ArrayLike, b: ArrayLike, ...rest: LocScaleRest): NDArray =>
    logpdfOf("truncnorm.logpdf", x, a, b, ...rest),
  { numbers: "inputs" },
);

/** The logarithm of the share of the mass of [low, high] that is below z. */
function logShare(z: NDArray, low: NDArray, high: NDArray): NDArray {
  const inside = np.logicalAnd(np.greater(z, low), np.less(z, high));
  // Where there is nothing between, a point of the interval, for derivatives.
  const safe = np.where(inside, z, np.where(np.isfinite(low), low, np.where(np.isfinite(high), high, 0)));
  const whole = logMass(low, high);
  const below = np.subtract(logMass(low, safe), whole);
  const above = np.subtract(logMass(safe, high), whole);
  // Close to 1 the complement is more accurate.
  const near = np.logicalAnd(inside, np.greater(below, -0.1));
  const value = np.where(near, log1mexp(np.where(near, np.negative(above), 1)), below);
  const edge = np.where(np.greaterEqual(z, high), 0, np.where(np.lessEqual(z, low), -Infinity, NaN));
  return np.where(np.greaterEqual(low, high), NaN, np.where(inside, value, edge));
}

/** The distribution function. @example scipy.stats.truncnorm.cdf(0.5, -1, 2, 1, 2) // 0.29640852 */
export const cdf = /* @__PURE__ */ unit(
  "cdf",
  5,
  (x: ArrayLike, a: ArrayLike, b: ArrayLike, ...rest: LocScaleRest): NDArray =>
    np.exp(logcdfOf("truncnorm.cdf", x, a, b, ...rest)),
  { numbers: "inputs" },
);

function logcdfOf(name: string, x: ArrayLike, a: ArrayLike, b: ArrayLike, ...rest: LocScaleRest): NDArray {
  const [v, low, high, loc, scale] = scaled(name, [x, a, b], rest);
  return logShare(standardized(v, loc, scale), low, high);
}

/** The logarithm of the distribution function. @example scipy.stats.truncnorm.logcdf(0.5, -1, 2, 1, 2) // -1.2160166 */
export const logcdf = /* @__PURE__ */ unit(
  "logcdf",
  5,
  (x: ArrayLike, a: ArrayLike, b: ArrayLike, ...rest: LocScaleRest): NDArray =>
    logcdfOf("truncnorm.logcdf", x, a, b, ...rest),
  { numbers: "inputs" },
);

/** The survival function 1 − cdf. @example scipy.stats.truncnorm.sf(0.5, -1, 2, 1, 2) // 0.70359148 */
export const sf = /* @__PURE__ */ unit(
  "sf",
  5,
  (x: ArrayLike, a: ArrayLike, b: ArrayLike, ...rest: LocScaleRest): NDArray =>
    np.exp(logsfOf("truncnorm.sf", x, a, b, ...rest)),
  { numbers: "inputs" },
);

function logsfOf(name: string, x: ArrayLike, a: ArrayLike, b: ArrayLike, ...rest: LocScaleRest): NDArray {
  const [v, low, high, loc, scale] = scaled(name, [x, a, b], rest);
  return logShare(np.negative(standardized(v, loc, scale)), np.negative(high), np.negative(low));
}

/** The logarithm of the survival function. @example scipy.stats.truncnorm.logsf(0.5, -1, 2, 1, 2) // -0.35155738 */
export const logsf = /* @__PURE__ */ unit(
  "logsf",
  5,
  (x: ArrayLike, a: ArrayLike, b: ArrayLike, ...rest: LocScaleRest): NDArray =>
    logsfOf("truncnorm.logsf", x, a, b, ...rest),
  { numbers: "inputs" },
);
