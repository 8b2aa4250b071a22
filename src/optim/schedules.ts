/**
 * Schedules: values that depend on the number of steps done. A schedule is a function of the count, a number or an
 * int32 array; optimizers take one wherever they take a learning rate.
 */
import type { ArrayLike } from "../core/arrayMethods.ts";
import type { NDArray } from "../core/ndarray.ts";
import { ArgumentError } from "../core/problem.ts";
import { readOptions } from "../lax/arguments.ts";
import * as np from "../numpy/index.ts";
import { type Rest, type Schedule, oneMinus } from "./base.ts";

/** Always the same. @example optim.constantSchedule(0.1)(5) // 0.1 */
export const constantSchedule =
  (value: ArrayLike): Schedule =>
  () =>
    value;

const difference = (a: ArrayLike, b: ArrayLike): ArrayLike =>
  typeof a === "number" && typeof b === "number" ? a - b : np.subtract(a, b);
const product = (a: ArrayLike, b: ArrayLike): ArrayLike =>
  typeof a === "number" && typeof b === "number" ? a * b : np.multiply(a, b);
const quotient = (a: ArrayLike, b: ArrayLike): ArrayLike =>
  typeof a === "number" && typeof b === "number" ? a / b : np.divide(a, b);

export interface TransitionBegin {
  /** The step at which the change begins. Default 0. */
  readonly transitionBegin?: number;
}

/**
 * From `initValue` to `endValue` in `transitionSteps` steps, as (1 − t)^power.
 *
 * @param rest `transitionBegin`.
 * @example
 * optim.polynomialSchedule(1, 0, 2, 10)(5) // 0.25
 */
export function polynomialSchedule(
  initValue: ArrayLike,
  endValue: ArrayLike,
  power: ArrayLike,
  transitionSteps: number,
  ...rest: Rest<[number], TransitionBegin>
): Schedule {
  const given = readOptions<TransitionBegin>("optim.polynomialSchedule", ["transitionBegin"], 1, rest);
  if (transitionSteps <= 0) return constantSchedule(initValue);
  const begin = Math.max(0, given.transitionBegin ?? 0);
  return (count) => {
    const done = np.clip(np.subtract(count, begin), 0, transitionSteps);
    const left = np.subtract(1, np.divide(done, transitionSteps));
    return np.add(np.multiply(difference(initValue, endValue), np.power(left, power)), endValue);
  };
}

/** From `initValue` to `endValue` on a straight line. @example optim.linearSchedule(1, 0, 10)(5) // 0.5 */
export const linearSchedule = (
  initValue: ArrayLike,
  endValue: ArrayLike,
  transitionSteps: number,
  ...rest: Rest<[number], TransitionBegin>
): Schedule => polynomialSchedule(initValue, endValue, 1, transitionSteps, ...rest);

export interface ExponentialDecayOptions extends TransitionBegin {
  /** Decay in jumps, every `transitionSteps` steps. Default false. */
  readonly staircase?: boolean;
  /** Where the decay stops. */
  readonly endValue?: ArrayLike | null;
}
/**
 * `initValue`·decayRate^(t / transitionSteps).
 *
 * @param rest `transitionBegin`, `staircase`, `endValue`.
 * @example
 * optim.exponentialDecay(8, 10, 0.5)(20) // 2
 */
export function exponentialDecay(
  initValue: ArrayLike,
  transitionSteps: number,
  decayRate: number,
  ...rest: Rest<[number, boolean, ArrayLike | null], ExponentialDecayOptions>
): Schedule {
  const names = ["transitionBegin", "staircase", "endValue"] as const;
  const given = readOptions<ExponentialDecayOptions>("optim.exponentialDecay", names, 3, rest);
  if (transitionSteps <= 0 || decayRate === 0) return constantSchedule(initValue);
  const begin = Math.max(0, given.transitionBegin ?? 0);
  const { staircase = false, endValue } = given;
  return (count) => {
    const done = np.subtract(count, begin);
    const exponent = np.divide(done, transitionSteps);
    const factor = np.power(decayRate, staircase ? np.floor(exponent) : exponent);
    const value = np.where(np.lessEqual(done, 0), initValue, np.multiply(initValue, factor));
    if (endValue == null) return value;
    return decayRate < 1 ? np.maximum(value, endValue) : np.minimum(value, endValue);
  };
}

export interface CosineDecayOptions {
  /** The final value, as a part of the first. Default 0. */
  readonly alpha?: ArrayLike;
  readonly exponent?: ArrayLike;
}
/**
 * Half a wave of a cosine, from `initValue` down to alpha·initValue (Loshchilov and Hutter, 2017).
 *
 * @param rest `alpha` (default 0), `exponent` (default 1).
 * @example
 * optim.cosineDecaySchedule(1, 10)(10) // 0
 */
export function cosineDecaySchedule(
  initValue: ArrayLike,
  decaySteps: number,
  ...rest: Rest<[ArrayLike, ArrayLike], CosineDecayOptions>
): Schedule {
  const given = readOptions<CosineDecayOptions>("optim.cosineDecaySchedule", ["alpha", "exponent"], 2, rest);
  const { alpha = 0, exponent = 1 } = given;
  checkSteps("cosineDecaySchedule", "decaySteps", decaySteps);
  return (count) => {
    const done = np.minimum(np.astype(np.asarray(count), "float32"), decaySteps);
    const wave = np.multiply(0.5, np.add(1, np.cos(np.divide(np.multiply(Math.PI, done), decaySteps))));
    const decayed = np.add(np.multiply(oneMinus(alpha), np.power(wave, exponent)), alpha);
    return np.multiply(initValue, decayed);
  };
}

function checkSteps(name: string, parameter: string, steps: number): void {
  if (steps > 0) return;
  throw new ArgumentError("ScheduleSteps", {
    what: `optim.${name}: ${parameter} is ${steps}`,
    why: "the schedule needs at least one step",
    fix: "pass a positive number; for a fixed value use optim.constantSchedule",
  });
}

// ---------------------------------------------------------------- pieces

/** Factors by the step from which they count: `{ 100: 0.1, 200: 0.1 }`. */
export type BoundariesAndScales = Readonly<Record<number, number>>;
interface ScaleOption {
  readonly boundariesAndScales?: BoundariesAndScales | null;
}
/** The options: either the scales themselves or an object that holds them. */
function readScales(name: string, rest: readonly unknown[]): [number, number][] {
  const [first] = rest;
  const direct =
    first != null && typeof first === "object" && !("boundariesAndScales" in first) && Object.keys(first).length > 0;
  const scales = direct
    ? (first as BoundariesAndScales)
    : readOptions<ScaleOption>(`optim.${name}`, ["boundariesAndScales"], 1, rest).boundariesAndScales;
  const list = Object.entries(scales ?? {}).map(([at, factor]): [number, number] => [Number(at), factor]);
  const wrong = list.find(([at, factor]) => !Number.isInteger(at) || !(factor >= 0));
  if (wrong)
    throw new ArgumentError("ScheduleScales", {
      what: `optim.${name}: a factor of ${wrong[1]} from step ${wrong[0]} on`,
      why: "factors are not negative, and steps are integers",
      fix: `write { boundariesAndScales: { 100: 0.1 } } to divide by ten after 100 steps`,
    });
  return list.sort(([a], [b]) => a - b);
}

/**
 * A value that is multiplied by a factor at each boundary.
 *
 * @param rest `boundariesAndScales`.
 * @example
 * optim.piecewiseConstantSchedule(1, { 10: 0.5, 20: 0.5 })(15) // 0.5
 */
export function piecewiseConstantSchedule(
  initValue: ArrayLike,
  ...rest: readonly [] | readonly [BoundariesAndScales | ScaleOption | null]
): Schedule {
  const scales = readScales("piecewiseConstantSchedule", rest);
  return (count) =>
    scales.reduce<ArrayLike>((value, [boundary, factor]) => {
      const before = np.maximum(0, np.sign(np.subtract(boundary, count)));
      return np.multiply(value, np.add(before, np.multiply(np.subtract(1, before), factor)));
    }, initValue);
}

const interpolations: Readonly<Record<string, (start: NDArray, end: NDArray, t: NDArray) => NDArray>> = {
  linear: (start, end, t) => np.add(np.multiply(np.subtract(end, start), t), start),
  cosine: (start, end, t) =>
    np.add(end, np.multiply(np.divide(np.subtract(start, end), 2), np.add(np.cos(np.multiply(Math.PI, t)), 1))),
};

/**
 * Like `piecewiseConstantSchedule`, with the values at the boundaries joined by lines or half waves.
 *
 * @param rest `boundariesAndScales`.
 * @example
 * optim.piecewiseInterpolateSchedule("linear", 1, { 10: 3 })(5) // 2
 */
export function piecewiseInterpolateSchedule(
  interpolateType: "linear" | "cosine",
  initValue: ArrayLike,
  ...rest: readonly [] | readonly [BoundariesAndScales | ScaleOption | null]
): Schedule {
  const between = interpolations[interpolateType];
  if (!between)
    throw new ArgumentError("Interpolation", {
      what: `optim.piecewiseInterpolateSchedule: there is no interpolation ${JSON.stringify(interpolateType)}`,
      why: "values are joined by lines or by half waves of a cosine",
      fix: 'use "linear" or "cosine"',
    });
  const scales = readScales("piecewiseInterpolateSchedule", rest);
  const bounds = [0, ...scales.map(([at]) => at)];
  return (count) => {
    const values = scales.reduce<ArrayLike[]>((vs, [, factor]) => [...vs, product(vs.at(-1)!, factor)], [initValue]);
    // Before the first boundary that lies ahead, the segment that leads to it; after the last one, its value.
    return bounds.slice(1).reduceRight<ArrayLike>((later, end, i) => {
      const start = bounds[i]!;
      const t = np.divide(np.subtract(count, start), Math.max(end - start, 1));
      const segment = between(np.asarray(values[i]!), np.asarray(values[i + 1]!), t);
      return np.where(np.less(count, end), segment, later);
    }, values.at(-1)!);
  };
}

export interface OnecycleOptions {
  /** The part of the steps that the rise takes. Default 0.3. */
  readonly pctStart?: number;
  /** The part after which only the final decay is left (linear only). Default 0.85. */
  readonly pctFinal?: number;
  /** peak / first value. Default 25. */
  readonly divFactor?: number;
  /** first / last value. Default 1e4. */
  readonly finalDivFactor?: number;
}
/**
 * Up to a peak, back down, and down to almost nothing, on straight lines (Smith and Topin, 2018).
 *
 * @param rest `pctStart`, `pctFinal`, `divFactor`, `finalDivFactor`.
 * @example
 * optim.linearOnecycleSchedule(100, 1)(30) // 1
 */
export function linearOnecycleSchedule(
  transitionSteps: number,
  peakValue: ArrayLike,
  ...rest: Rest<[number, number, number, number], OnecycleOptions>
): Schedule {
  const names = ["pctStart", "pctFinal", "divFactor", "finalDivFactor"] as const;
  const given = readOptions<OnecycleOptions>("optim.linearOnecycleSchedule", names, 4, rest);
  const { pctStart = 0.3, pctFinal = 0.85, divFactor = 25, finalDivFactor = 1e4 } = given;
  checkSteps("linearOnecycleSchedule", "transitionSteps", transitionSteps);
  return piecewiseInterpolateSchedule("linear", quotient(peakValue, divFactor), {
    boundariesAndScales: {
      [Math.trunc(pctStart * transitionSteps)]: divFactor,
      [Math.trunc(pctFinal * transitionSteps)]: 1 / divFactor,
      [transitionSteps]: 1 / finalDivFactor,
    },
  });
}

/**
 * Up to a peak and down to almost nothing, on half waves.
 *
 * @param rest `pctStart`, `divFactor`, `finalDivFactor`.
 * @example
 * optim.cosineOnecycleSchedule(100, 1)(30) // 1
 */
export function cosineOnecycleSchedule(
  transitionSteps: number,
  peakValue: ArrayLike,
  ...rest: Rest<[number, number, number], Omit<OnecycleOptions, "pctFinal">>
): Schedule {
  const names = ["pctStart", "divFactor", "finalDivFactor"] as const;
  const given = readOptions<Omit<OnecycleOptions, "pctFinal">>("optim.cosineOnecycleSchedule", names, 3, rest);
  const { pctStart = 0.3, divFactor = 25, finalDivFactor = 1e4 } = given;
  checkSteps("cosineOnecycleSchedule", "transitionSteps", transitionSteps);
  return piecewiseInterpolateSchedule("cosine", quotient(peakValue, divFactor), {
    boundariesAndScales: {
      [Math.trunc(pctStart * transitionSteps)]: divFactor,
      [Math.trunc(transitionSteps)]: 1 / (divFactor * finalDivFactor),
    },
  });
}

// ---------------------------------------------------------------- joins and warm-ups

/**
 * One schedule after the other; each one counts from its own boundary.
 *
 * @param boundaries the steps at which the second, third, … begin.
 * @example
 * optim.joinSchedules([optim.constantSchedule(1), (n) => n], [10])(13) // 3
 */
export const joinSchedules =
  (schedules: readonly Schedule[], boundaries: readonly number[]): Schedule =>
  (step) =>
    boundaries.reduce<ArrayLike>((value, boundary, i) => {
      const later = schedules[i + 1];
      return later ? np.where(np.less(step, boundary), value, later(np.subtract(step, boundary))) : value;
    }, schedules[0]!(step));

/** A linear rise, then the peak value. @example optim.warmupConstantSchedule(0, 1, 10)(5) // 0.5 */
export const warmupConstantSchedule = (initValue: ArrayLike, peakValue: ArrayLike, warmupSteps: number): Schedule =>
  linearSchedule(initValue, peakValue, warmupSteps);

export interface WarmupCosineOptions {
  /** The last value. Default 0. */
  readonly endValue?: ArrayLike;
  readonly exponent?: ArrayLike;
}
/**
 * A linear rise, then half a wave of a cosine.
 *
 * @param decaySteps the length of the whole, warm-up included.
 * @param rest `endValue`, `exponent`.
 * @example
 * optim.warmupCosineDecaySchedule(0, 1, 10, 110)(110) // 0
 */
export function warmupCosineDecaySchedule(
  initValue: ArrayLike,
  peakValue: ArrayLike,
  warmupSteps: number,
  decaySteps: number,
  ...rest: Rest<[ArrayLike, ArrayLike], WarmupCosineOptions>
): Schedule {
  const names = ["endValue", "exponent"] as const;
  const { endValue = 0, exponent = 1 } = readOptions<WarmupCosineOptions>(
    "optim.warmupCosineDecaySchedule",
    names,
    2,
    rest,
  );
  const alpha = peakValue === 0 ? 0 : quotient(endValue, peakValue);
  const decay = cosineDecaySchedule(peakValue, decaySteps - warmupSteps, { alpha, exponent });
  return joinSchedules([linearSchedule(initValue, peakValue, warmupSteps), decay], [warmupSteps]);
}

/** A linear rise, then exponential decay. @example optim.warmupExponentialDecaySchedule(0, 8, 10, 10, 0.5)(20) // 4 */
export const warmupExponentialDecaySchedule = (
  initValue: ArrayLike,
  peakValue: ArrayLike,
  warmupSteps: number,
  transitionSteps: number,
  decayRate: number,
  ...rest: Rest<[number, boolean, ArrayLike | null], ExponentialDecayOptions>
): Schedule =>
  joinSchedules(
    [
      linearSchedule(initValue, peakValue, warmupSteps),
      exponentialDecay(peakValue, transitionSteps, decayRate, ...(rest as readonly [ExponentialDecayOptions])),
    ],
    [warmupSteps],
  );

/** The parameters of `warmupCosineDecaySchedule`, by name. */
export interface SgdrCycle extends WarmupCosineOptions {
  readonly initValue: ArrayLike;
  readonly peakValue: ArrayLike;
  readonly warmupSteps: number;
  readonly decaySteps: number;
}
/** Warm-ups and cosine decays one after the other (Loshchilov and Hutter, 2017). @example optim.sgdrSchedule([{ initValue: 0, peakValue: 1, warmupSteps: 2, decaySteps: 10 }])(2) // 1 */
export function sgdrSchedule(cosineKwargs: readonly SgdrCycle[]): Schedule {
  const schedules = cosineKwargs.map(({ initValue, peakValue, warmupSteps, decaySteps, ...options }) =>
    warmupCosineDecaySchedule(initValue, peakValue, warmupSteps, decaySteps, options),
  );
  let step = 0;
  const ends = cosineKwargs.map((c) => (step += c.decaySteps));
  return joinSchedules(schedules, ends.slice(0, -1));
}
