/**
 * The float32 functions that are not exact: what they are compared with, how far off they may be, and where they are hard.
 * Errors are those of the true value, in units in the last place of it.
 */
import * as arithmetic from "../../src/lax/arithmetic.ts";
import * as bessel from "../../src/lax/bessel.ts";
import * as elementary from "../../src/lax/elementary.ts";
import * as special from "../../src/lax/special.ts";
import type { AnyPrimitive } from "../../src/core/primitive.ts";
import * as precise from "./precise.ts";

export interface Inexact {
  readonly primitive: AnyPrimitive;
  readonly exact: (...xs: readonly number[]) => number;
  /** The largest error, in units in the last place. */
  readonly bound: number;
  /** Values below this count as this large: a function that crosses zero is exact to a small part of its terms there. */
  readonly floor?: (x: number) => number;
  /** Arguments whose neighbours are all tried, of both signs. */
  readonly hard?: readonly number[];
}

const multiples = (unit: number, n: number): number[] => Array.from({ length: n }, (_, k) => (k + 1) * unit);
const quarters = multiples(Math.PI / 4, 40);
const halfLogs = multiples(Math.LN2 / 2, 260);
const overflow = [87.33654475, 88.02969, 88.72283905, 89.4159862922, 103.278929903, 103.972077084];
const gammaZeros = [-2.4570247382, -2.7476826467, -3.1435808883, -3.9552942848, -4.0392618, -4.9915447];
/** On [2, 5/2) its two terms cancel in part. */
const digammaZeros = [2.009687900543213, 1.4616321449, -0.5040830083, -1.5734984731, -2.6107208684, -3.6352933664];
const whole = multiples(1, 40);

/** Left of 0 the gamma family crosses zero between its poles; there its terms are what errors are compared with. */
const lgammaTerms = (x: number): number => (x < 0 ? Math.max(1, precise.lgamma(-x)) : 0);
const digammaTerms = (x: number): number =>
  x < 0 ? Math.max(1, precise.digamma(1 - x), 1 / Math.abs(x - Math.round(x))) : 0;

export const unaries: readonly Inexact[] = [
  { primitive: arithmetic.sqrtP, exact: Math.sqrt, bound: 0.5 },
  { primitive: arithmetic.rsqrtP, exact: (x) => 1 / Math.sqrt(x), bound: 2 },
  { primitive: arithmetic.cbrtP, exact: Math.cbrt, bound: 2, hard: [2 ** -100, 2 ** 100] },
  { primitive: elementary.expP, exact: Math.exp, bound: 2, hard: [...overflow, ...halfLogs] },
  { primitive: elementary.exp2P, exact: (x) => 2 ** x, bound: 2, hard: [...multiples(0.5, 310)] },
  { primitive: elementary.expm1P, exact: Math.expm1, bound: 2, hard: [...overflow, ...halfLogs, 2 ** -25, 26] },
  { primitive: elementary.logP, exact: Math.log, bound: 2, hard: [Math.SQRT1_2, Math.SQRT2] },
  { primitive: elementary.log1pP, exact: Math.log1p, bound: 2, hard: [1 - Math.SQRT1_2, Math.SQRT2 - 1, 2 ** -24] },
  { primitive: elementary.logisticP, exact: (x) => 1 / (1 + Math.exp(-x)), bound: 2, hard: [...overflow, ...halfLogs] },
  { primitive: elementary.sinP, exact: Math.sin, bound: 2, hard: [...quarters, 3200] },
  { primitive: elementary.cosP, exact: Math.cos, bound: 2, hard: [...quarters, 3200] },
  { primitive: elementary.tanP, exact: Math.tan, bound: 3, hard: [...quarters, 3200] },
  { primitive: elementary.asinP, exact: Math.asin, bound: 2, hard: [0.5, 0.8384163] },
  { primitive: elementary.acosP, exact: Math.acos, bound: 2 },
  { primitive: elementary.atanP, exact: Math.atan, bound: 2 },
  { primitive: elementary.sinhP, exact: Math.sinh, bound: 2, hard: [...overflow, ...halfLogs] },
  { primitive: elementary.coshP, exact: Math.cosh, bound: 2, hard: [...overflow, ...halfLogs] },
  { primitive: elementary.tanhP, exact: Math.tanh, bound: 2, hard: [0.625, 2 ** -13, ...halfLogs.slice(0, 40)] },
  { primitive: elementary.asinhP, exact: Math.asinh, bound: 2, hard: [0.5, 0.51813507, 2 ** -13, 2 ** 28] },
  { primitive: elementary.acoshP, exact: Math.acosh, bound: 2, hard: [1.03028953, 1.25, 2 ** 28] },
  { primitive: elementary.atanhP, exact: Math.atanh, bound: 2 },
  { primitive: special.erfP, exact: precise.erf, bound: 3 },
  {
    primitive: special.erfcP,
    exact: precise.erfc,
    bound: 3,
    hard: [...multiples(0.125, 84), 0.99379367, 6.7352056, 8.30852222],
  },
  { primitive: special.erfInvP, exact: precise.erfInv, bound: 3, hard: [0.00776869, 0.99531382, 0.9966] },
  {
    primitive: special.lgammaP,
    exact: precise.lgamma,
    bound: 3,
    floor: lgammaTerms,
    hard: [...gammaZeros, ...whole],
  },
  {
    primitive: special.digammaP,
    exact: precise.digamma,
    bound: 4,
    floor: digammaTerms,
    hard: [...digammaZeros, ...whole],
  },
  { primitive: bessel.besselI0eP, exact: precise.besselI0e, bound: 5, hard: [8] },
  { primitive: bessel.besselI1eP, exact: precise.besselI1e, bound: 5, hard: [8] },
];
/** As in IEEE 754: powers of 1 are 1 even where the exponent is no number, which JavaScript has otherwise. */
const power = (x: number, y: number): number => (x === 1 || (x === -1 && Math.abs(y) === Infinity) ? 1 : x ** y);
export const binaries: readonly Inexact[] = [
  { primitive: arithmetic.powP, exact: (x, y) => power(x, y), bound: 3 },
  { primitive: elementary.atan2P, exact: (y, x) => Math.atan2(y, x), bound: 2 },
];

// ---------------------------------------------------------------- errors

const wide = new Float64Array(1);
const words = new Uint32Array(wide.buffer);
/** 2^(e − 23) by the biased exponent of a float64; subnormal float32 have the smallest one. */
const units = Float64Array.from({ length: 2048 }, (_, e) => 2 ** (Math.max(e - 1023, -126) - 23));

/** The error of a float32; infinite for a wrong NaN or sign of zero, and for a finite value in place of an infinite one. */
export function ulps(actual: number, exact: number, floor = 0): number {
  const rounded = Math.fround(exact);
  if (actual === rounded)
    return rounded !== 0 ? errorOf(actual, exact, floor) : Object.is(actual, rounded) ? 0 : Infinity;
  if (actual !== actual || exact !== exact) return actual !== actual && exact !== exact ? 0 : Infinity;
  return errorOf(actual, exact, floor);
}
function errorOf(actual: number, exact: number, floor: number): number {
  if (actual === exact) return 0;
  // The number after the largest one is 2^128, for which infinity stands.
  const [got, want] = [beyond(actual), beyond(exact)];
  wide[0] = Math.max(Math.abs(want), floor);
  return Math.abs(got - want) / Math.min(units[(words[1]! >>> 20) & 0x7ff]!, 2 ** 104);
}
const beyond = (x: number): number => Math.max(-(2 ** 128), Math.min(2 ** 128, x));

export interface Worst {
  readonly error: number;
  readonly at: readonly number[];
  readonly actual: number;
  readonly exact: number;
}
/** The largest error of results, with where it is. */
export function worstOf({ exact, floor }: Inexact, out: ArrayLike<number>, ins: readonly ArrayLike<number>[]): Worst {
  const [x, y] = [ins[0]!, ins[1]];
  let [error, place] = [0, 0];
  for (let i = 0; i < out.length; i++) {
    const e = ulps(out[i]!, y ? exact(x[i]!, y[i]!) : exact(x[i]!), floor ? floor(x[i]!) : 0);
    if (e > error) [error, place] = [e, i];
  }
  const at = ins.map((v) => v[place]!);
  return { error, at, actual: out[place]!, exact: exact(...at) };
}
