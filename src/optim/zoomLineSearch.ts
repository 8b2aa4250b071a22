/**
 * A line search for steps that satisfy the strong Wolfe conditions: the loss goes down in proportion to its slope, and
 * the slope becomes flatter (Nocedal and Wright, 1999, algorithms 3.5 and 3.6; the approximate first condition is that of
 * Hager and Zhang, 2006).
 *
 * First steps grow until an interval is found that must hold such a step; then the interval shrinks. Both phases evaluate
 * the loss at one trial step a round, so they share a loop and its one evaluation.
 */
import type { ArrayLike } from "../core/arrayMethods.ts";
import type { DType } from "../core/dtype.ts";
import type { NDArray } from "../core/ndarray.ts";
import { ArgumentError } from "../core/problem.ts";
import { readOptions } from "../lax/arguments.ts";
import * as lax from "../lax/index.ts";
import * as np from "../numpy/index.ts";
import { valueAndGrad } from "../transforms/gradient.ts";
import { type GradientTransformationExtraArgs, type Rest, requireExtra, requireParams } from "./base.ts";
import { type LineSearchArgs, finiteOr, lineSearchNames, slopeAlong, valueDType } from "./lineSearch.ts";
import { addScale, castLike, scale, where, zerosLike } from "./treeMath.ts";

export interface ZoomOptions {
  /** The longest step; null (default) for none. */
  readonly maxLearningRate?: ArrayLike | null;
  /** How far the conditions may be missed. Default 0. */
  readonly tol?: ArrayLike;
  /** How fast steps grow until an interval is found. Default 2. */
  readonly increaseFactor?: ArrayLike;
  /** The part of the slope that the decrease must reach. Default 1e-4. */
  readonly slopeRtol?: ArrayLike;
  /** The part of the slope that may be left. Default 0.9. */
  readonly curvRtol?: ArrayLike;
  /** How far the loss may rise, relative to itself, where slopes tell of a decrease; null never. Default 1e-6. */
  readonly approxDecRtol?: ArrayLike | null;
  /** The length of an interval that is not cut further. Default 1e-5. */
  readonly stepsizePrecision?: ArrayLike;
  /** The first trial: the last step (`"keep"`, default) or 1 (`"one"`). */
  readonly initialGuessStrategy?: "keep" | "one";
}
export interface ZoomState<P> {
  readonly learningRate: NDArray;
  /** The loss at the new parameters, and its gradient. */
  readonly value: NDArray;
  readonly grad: P;
  readonly info: {
    readonly numLinesearchSteps: NDArray;
    readonly decreaseError: NDArray;
    readonly curvatureError: NDArray;
  };
}

/** The loss at a step along the line, and its derivative there. */
interface Point {
  readonly step: NDArray;
  readonly value: NDArray;
  readonly slope: NDArray;
}
interface Search<P> {
  readonly count: NDArray;
  readonly intervalFound: NDArray;
  readonly done: NDArray;
  readonly failed: NDArray;
  /** The last trial. */
  readonly at: Point;
  readonly grad: P;
  readonly decreaseError: NDArray;
  readonly curvatureError: NDArray;
  /** The ends of the interval: `low` is the better one. */
  readonly low: Point;
  readonly high: Point;
  /** A third point, for cubics. */
  readonly third: Point;
  /** The best step that satisfies the first condition. */
  readonly safe: Point;
  readonly safeGrad: P;
}
/** The conditions at the start of the line, and how exactly they are to be met. */
interface Terms {
  readonly start: Point;
  readonly slopeRtol: ArrayLike;
  readonly curvRtol: ArrayLike;
  readonly approxDecRtol: ArrayLike | null;
}

const either = (a: ArrayLike, b: ArrayLike): NDArray => np.logicalOr(a, b);
const both = (a: ArrayLike, b: ArrayLike): NDArray => np.logicalAnd(a, b);
const not = (a: ArrayLike): NDArray => np.logicalNot(a);

/** How far a point misses the decrease; ∞ outside of the domain. */
function decreaseErrorOf({ start, slopeRtol, approxDecRtol }: Terms, p: Point): NDArray {
  const rise = np.subtract(p.value, start.value);
  const exact = np.subtract(rise, np.multiply(np.multiply(slopeRtol, p.step), start.slope));
  if (approxDecRtol === null) return finiteOr(np.maximum(exact, 0));
  // Where the loss is flat, its differences are rounding and slopes tell more.
  const bound = np.multiply(np.subtract(np.multiply(2, slopeRtol), 1), start.slope);
  const tolerated = np.subtract(rise, np.multiply(approxDecRtol, np.abs(start.value)));
  const approximate = np.maximum(np.subtract(p.slope, bound), tolerated);
  return finiteOr(np.maximum(np.minimum(approximate, exact), 0));
}
/** How far a point misses the flatter slope. */
const curvatureErrorOf = ({ start, curvRtol }: Terms, p: Point): NDArray =>
  finiteOr(np.maximum(np.subtract(np.abs(p.slope), np.multiply(curvRtol, np.abs(start.slope))), 0));

/** The minimum of the cubic through three points with the slope of the first. */
function cubicMinimum(a: Point, b: Point, c: Point): NDArray {
  const [db, dc] = [np.subtract(b.step, a.step), np.subtract(c.step, a.step)];
  const over = (p: Point, d: NDArray): NDArray => np.subtract(np.subtract(p.value, a.value), np.multiply(a.slope, d));
  const [eb, ec] = [over(b, db), over(c, dc)];
  const denominator = np.multiply(np.square(np.multiply(db, dc)), np.subtract(db, dc));
  const cubed = (d: NDArray): NDArray => np.multiply(d, np.square(d));
  const A = np.divide(np.subtract(np.multiply(np.square(dc), eb), np.multiply(np.square(db), ec)), denominator);
  const B = np.divide(np.subtract(np.multiply(cubed(db), ec), np.multiply(cubed(dc), eb)), denominator);
  const radical = np.subtract(np.square(B), np.multiply(3, np.multiply(A, a.slope)));
  return np.add(a.step, np.divide(np.subtract(np.sqrt(radical), B), np.multiply(3, A)));
}
/** The minimum of the parabola through two points with the slope of the first. */
function quadraticMinimum(a: Point, b: Point): NDArray {
  const d = np.subtract(b.step, a.step);
  const bend = np.divide(np.subtract(np.subtract(b.value, a.value), np.multiply(a.slope, d)), np.square(d));
  return np.subtract(a.step, np.divide(a.slope, np.multiply(2, bend)));
}

/** A step inside of the interval: of a cubic, else of a parabola, unless too near an end; else the middle. */
function insideOf<P>({ low, high, third }: Search<P>): NDArray {
  const [left, right] = [np.minimum(low.step, high.step), np.maximum(low.step, high.step)];
  const length = np.subtract(right, left);
  // NaN compares as false, so a minimum that does not exist is not taken.
  const isWithin = (x: NDArray, part: number): NDArray =>
    both(
      np.greater(x, np.add(left, np.multiply(part, length))),
      np.less(x, np.subtract(right, np.multiply(part, length))),
    );
  const [cubic, quadratic] = [cubicMinimum(low, high, third), quadraticMinimum(low, high)];
  const middle = np.divide(np.add(low.step, high.step), 2);
  return np.where(isWithin(cubic, 0.2), cubic, np.where(isWithin(quadratic, 0.1), quadratic, middle));
}

/**
 * Multiplies updates by a step that satisfies the strong Wolfe conditions. If none is found, the best one along which the
 * loss goes down is taken.
 *
 * `update(updates, state, params, { value, grad, valueFn })`; the updates must be a direction of descent.
 *
 * @param maxLinesearchSteps how often loss and gradient are computed at most.
 * @param rest `maxLearningRate`, `tol`, `increaseFactor`, `slopeRtol`, `curvRtol`, `approxDecRtol`, `stepsizePrecision`,
 *   `initialGuessStrategy`.
 * @example
 * const f = (x) => np.sum(np.square(x));
 * const optimizer = optim.chain(optim.sgd(1), optim.scaleByZoomLinesearch(15));
 * const x = np.array([1, 2]);
 * const [value, gradient] = valueAndGrad(f)(x);
 * optimizer.update(gradient, optimizer.init(x), x, { value, grad: gradient, valueFn: f })[0] // [-1, -2]
 */
export function scaleByZoomLinesearch<P>(
  maxLinesearchSteps: ArrayLike,
  ...rest: Rest<
    [ArrayLike | null, ArrayLike, ArrayLike, ArrayLike, ArrayLike, ArrayLike | null, ArrayLike, "keep" | "one"],
    ZoomOptions
  >
): GradientTransformationExtraArgs<P, ZoomState<P>, LineSearchArgs<P>> {
  const name = "scaleByZoomLinesearch";
  const names = [
    "maxLearningRate",
    "tol",
    "increaseFactor",
    "slopeRtol",
    "curvRtol",
    "approxDecRtol",
    "stepsizePrecision",
    "initialGuessStrategy",
  ] as const;
  const options = readOptions<ZoomOptions>(`optim.${name}`, names, 8, rest);
  const { initialGuessStrategy: strategy = "keep", approxDecRtol = 1e-6, slopeRtol = 1e-4, curvRtol = 0.9 } = options;
  checkStrategy(strategy);
  return {
    init: (params) => {
      const dtype = valueDType(params);
      const infinite = np.full([], Infinity, dtype);
      return {
        learningRate: np.ones([], dtype),
        value: infinite,
        grad: zerosLike(params),
        info: { numLinesearchSteps: np.zeros([], "int32"), decreaseError: infinite, curvatureError: infinite },
      };
    },
    update: (updates, state, params, extra) => {
      const at = requireParams(name, params);
      const { value, grad, valueFn } = requireExtra(name, extra, lineSearchNames);
      const { dtype } = np.asarray(state.value);
      const number = (x: ArrayLike): NDArray => np.astype(np.asarray(x), dtype);
      const start: Point = { step: number(0), value: number(value), slope: number(slopeAlong(grad, updates)) };
      const evaluate = (step: NDArray): readonly [Point, P] => {
        const [v, g] = valueAndGrad(valueFn as never)(addScale(at, step, updates)) as unknown as [NDArray, P];
        return [{ step, value: number(v), slope: number(slopeAlong(g, updates)) }, castLike(g, grad)];
      };
      const guess = strategy === "one" ? number(1) : number(state.learningRate);
      const terms: Terms = { start, slopeRtol, curvRtol, approxDecRtol };
      const round = (s: Search<P>): Search<P> => advance(s, guess, terms, evaluate, maxLinesearchSteps, options, dtype);
      const goesOn = ({ done, failed }: Search<P>): NDArray => not(either(done, failed));
      const last = lax.whileLoop(goesOn, round, initial(start, grad, dtype) as never) as Search<P>;
      const retreat = both(last.failed, either(np.greater(last.safe.step, 0), np.isinf(last.decreaseError)));
      const [found, gradient] = where(retreat, [last.safe, last.safeGrad] as const, [last.at, last.grad] as const);
      const { count: numLinesearchSteps, decreaseError, curvatureError } = last;
      const next: ZoomState<P> = {
        learningRate: found.step,
        value: found.value,
        grad: gradient,
        info: { numLinesearchSteps, decreaseError, curvatureError },
      };
      return [scale(found.step, updates), castLike(next, state)];
    },
  };
}

function initial<P>(start: Point, gradient: P, dtype: DType): Search<P> {
  const [no, infinite] = [np.zeros([], "bool"), np.full([], Infinity, dtype)];
  return {
    count: np.zeros([], "int32"),
    intervalFound: no,
    done: no,
    failed: no,
    at: start,
    grad: castLike(gradient, gradient),
    decreaseError: infinite,
    curvatureError: infinite,
    low: start,
    high: start,
    third: start,
    safe: start,
    safeGrad: castLike(gradient, gradient),
  };
}

/** One trial: growing while there is no interval, inside of it then. */
function advance<P>(
  s: Search<P>,
  guess: NDArray,
  terms: Terms,
  evaluate: (step: NDArray) => readonly [Point, P],
  most: ArrayLike,
  { maxLearningRate = null, tol = 0, increaseFactor = 2, stepsizePrecision = 1e-5 }: ZoomOptions,
  dtype: DType,
): Search<P> {
  const zooming = s.intervalFound;
  const first = np.equal(s.count, 0);
  const grown = np.where(first, guess, np.multiply(increaseFactor, s.at.step));
  const longest = maxLearningRate === null ? Infinity : maxLearningRate;
  const step = np.astype(np.where(zooming, insideOf(s), np.minimum(grown, longest)), dtype);
  const [trial, gradient] = evaluate(step);
  const [decreaseError, curvatureError] = [decreaseErrorOf(terms, trial), curvatureErrorOf(terms, trial)];
  const met = np.lessEqual(np.maximum(decreaseError, curvatureError), tol);

  // While steps grow, the last trial is one end. It is the worse one if the loss already rises there.
  const worse = either(np.greater(decreaseError, 0), both(np.greaterEqual(trial.value, s.at.value), not(first)));
  const turned = both(np.greaterEqual(trial.slope, 0), not(worse));
  const found = either(either(worse, turned), met);
  const [low, high] = where(turned, [trial, s.at] as const, [s.at, trial] as const);

  // Inside, the trial replaces the end that keeps a minimum between the two.
  const beyond = either(np.greater(decreaseError, 0), np.greaterEqual(trial.value, s.low.value));
  const rising = np.multiply(trial.slope, np.subtract(s.high.step, s.low.step));
  const swapped = both(np.greaterEqual(rising, 0), not(beyond));
  const inner = {
    low: where(beyond, s.low, trial),
    high: where(beyond, trial, where(swapped, s.low, s.high)),
    third: where(either(beyond, swapped), s.high, s.low),
  };
  const ends = where(zooming, inner, { low, high, third: low });

  const decreases = np.lessEqual(decreaseError, tol);
  const better = both(decreases, either(not(zooming), np.less(trial.value, s.safe.value)));
  const [safe, safeGrad] = where(better, [trial, gradient] as const, [s.safe, s.safeGrad] as const);

  const exhausted = both(np.greaterEqual(grown, longest), not(found));
  const done = either(met, both(not(zooming), exhausted));
  const count = np.add(s.count, 1);
  const tooShort = both(np.lessEqual(np.abs(np.subtract(s.high.step, s.low.step)), stepsizePrecision), zooming);
  const hopeless = either(np.greaterEqual(count, most), both(tooShort, np.greater(safe.step, 0)));
  const failed = both(hopeless, not(done));
  const intervalFound = either(zooming, found);
  return {
    count,
    intervalFound,
    done,
    failed,
    at: trial,
    grad: gradient,
    decreaseError,
    curvatureError,
    ...ends,
    safe,
    safeGrad,
  };
}

function checkStrategy(strategy: string): void {
  if (strategy === "keep" || strategy === "one") return;
  throw new ArgumentError("InitialGuess", {
    what: `optim.scaleByZoomLinesearch: there is no initialGuessStrategy ${JSON.stringify(strategy)}`,
    why: "the first trial is the last step or 1",
    fix: 'use "keep" or "one"',
  });
}
