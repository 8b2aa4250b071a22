/** Distributions over integers and truth values. */
import type { ArrayLike } from "../core/arrayMethods.ts";
import { isFloat, parseDType } from "../core/dtype.ts";
import type { NDArray } from "../core/ndarray.ts";
import { asArray, scalarLiteral } from "../core/operands.ts";
import { ArgumentError, DTypeError } from "../core/problem.ts";
import { type Shape, canonicalAxis, dropAxes, insertAxis, parseShape, shapeText, sizeOf } from "../core/shape.ts";
import { broadcastTo, convert, moveAxis, reshape } from "../core/structural.ts";
import { readOptions } from "../lax/arguments.ts";
import { add, div, floor, mul, neg, sub } from "../lax/arithmetic.ts";
import { eq, ltArrays, lt, select } from "../lax/compare.ts";
import { log, log1p } from "../lax/elementary.ts";
import { indexInDim } from "../lax/movement.ts";
import { argmax } from "../lax/reduce.ts";
import { topK } from "../lax/sort.ts";
import { type SampleRest, asKey, floatFacts, readSample, sampleDType, sampleShape } from "./arguments.ts";
import { type GumbelMode, gumbels } from "./continuous.ts";
import { uniformFloats } from "./uniform.ts";
import { unit } from "../core/unit.ts";

export interface BernoulliOptions {
  /** The probability of true; broadcasts to the shape. Default ½. */
  readonly p?: ArrayLike | undefined;
  /** The result's shape; default that of `p`. */
  readonly shape?: Shape | number | null | undefined;
  /** `"high"` spends twice the random bits, for probabilities near 0. Default `"low"`. */
  readonly mode?: "low" | "high" | undefined;
}

/**
 * Truth values that are true with probability `p`.
 *
 * @param rest `p`, `shape`, `mode`.
 * @example
 * random.bernoulli(random.key(0), 1, [3]) // [true, true, true]
 */
export const bernoulli = /* @__PURE__ */ unit(
  "bernoulli",
  1,
  function bernoulli(
    key: NDArray,
    ...rest:
      | readonly []
      | readonly [ArrayLike | BernoulliOptions]
      | readonly [ArrayLike, Shape | number | null | BernoulliOptions]
      | readonly [ArrayLike, Shape | number | null, "low" | "high"]
  ): NDArray {
    const given = readOptions<BernoulliOptions>("random.bernoulli", ["p", "shape", "mode"], 3, rest);
    const { p = 0.5, mode = "low" } = given;
    const probability = asArray(p, "random.bernoulli");
    const { dtype } = probability;
    if (!isFloat(dtype))
      throw new DTypeError("Probability", {
        what: `random.bernoulli: p is ${probability.describe()}`,
        why: "a probability is a float between 0 and 1",
        fix: "convert it with p.astype(numpy.float32)",
      });
    const asked = given.shape == null ? null : parseShape("random.bernoulli", given.shape);
    const shape = sampleShape("bernoulli", asked, probability.shape);
    const [k, limit] = [asKey("bernoulli", key), broadcastTo(convert(probability, dtype), shape)];
    if (mode === "low") return ltArrays(uniformFloats(k, shape, dtype), limit);
    if (mode !== "high") throw unknownMode(mode);
    const pair = uniformFloats(k, [2, ...shape], dtype);
    const [coarse, fine] = [0, 1].map((i) => indexInDim(pair, i, 0, false)) as [NDArray, NDArray];
    return ltArrays(mul(fine, 2 ** -floatFacts(dtype).mantissa), sub(limit, coarse));
  },
);

const unknownMode = (mode: unknown): ArgumentError =>
  new ArgumentError("BernoulliMode", {
    what: `random.bernoulli: there is no mode ${JSON.stringify(mode)}`,
    why: "the mode says how many random bits go into a draw",
    fix: 'use "low" or "high"',
  });

/**
 * −1 or 1 with equal probability.
 *
 * @param rest `shape` (default `[]`), `dtype` (default int32).
 * @example
 * random.rademacher(random.key(0), [4]).dtype // "int32"
 */
export const rademacher = /* @__PURE__ */ unit(
  "rademacher",
  1,
  function rademacher(key: NDArray, ...rest: SampleRest): NDArray {
    const { shape, dtype } = readSample("rademacher", rest);
    const d = parseDType(dtype ?? "int32");
    const heads = lt(uniformFloats(asKey("rademacher", key), shape ?? [], "float32"), 0.5);
    return sub(mul(convert(heads, d), 2), 1);
  },
);

/**
 * The number of trials up to the first success, each of probability `p`: 1, 2, ….
 *
 * @param rest `shape` (default that of `p`), `dtype` (default int32).
 * @example
 * random.geometric(random.key(0), 1, [3]) // [1, 1, 1]
 */
export const geometric = /* @__PURE__ */ unit(
  "geometric",
  2,
  function geometric(key: NDArray, p: ArrayLike, ...rest: SampleRest): NDArray {
    const given = readSample("geometric", rest);
    const dtype = sampleDType("geometric", given.dtype, "int32", "integer");
    const a = asArray(p, "random.geometric");
    const probability = convert(a, isFloat(a.dtype) ? a.dtype : "float32");
    const shape = sampleShape("geometric", given.shape, probability.shape);
    const u = uniformFloats(asKey("geometric", key), shape, probability.dtype);
    const positive = select(eq(u, 0), scalarLiteral(1, u.dtype), u);
    const perTrial = broadcastTo(log1p(neg(probability)), shape);
    return convert(add(floor(div(log(positive), perTrial)), 1), dtype);
  },
  { numbers: "inputs" },
);

// ---------------------------------------------------------------- categorical

export interface CategoricalOptions {
  /** The axis of the categories. Default the last. */
  readonly axis?: number | undefined;
  /** The result's shape; it ends with the shape of `logits` without the axis, which is the default. */
  readonly shape?: Shape | number | null | undefined;
  /** Whether a category can be drawn again. Default true. */
  readonly replace?: boolean | undefined;
  /** As of `gumbel`. */
  readonly mode?: GumbelMode | null | undefined;
}

/**
 * Positions along an axis, with probabilities softmax(logits): int32.
 *
 * @param logits unnormalized log probabilities.
 * @param rest `axis`, `shape`, `replace`, `mode`.
 * @example
 * random.categorical(random.key(0), np.array([-Infinity, 0])) // 1
 */
export const categorical = /* @__PURE__ */ unit(
  "categorical",
  1,
  function categorical(
    key: NDArray,
    logits: ArrayLike,
    ...rest:
      | readonly []
      | readonly [number | CategoricalOptions]
      | readonly [number, Shape | null | CategoricalOptions]
      | readonly [number, Shape | null, boolean | CategoricalOptions]
  ): NDArray {
    const names = ["axis", "shape", "replace", "mode"] as const;
    const given = readOptions<CategoricalOptions>("random.categorical", names, 3, rest);
    const x = asArray(logits, "random.categorical");
    const axis = canonicalAxis("random.categorical", given.axis ?? -1, x.ndim);
    const batch = dropAxes(x.shape, [axis]);
    const asked = given.shape == null ? null : parseShape("random.categorical", given.shape);
    const shape = sampleShape("categorical", asked, batch);
    const prefix = shape.slice(0, shape.length - batch.length);
    const k = asKey("categorical", key);
    const scores = convert(x, isFloat(x.dtype) ? x.dtype : "float32");
    return given.replace === false
      ? withoutReplacement(k, scores, axis, shape, sizeOf(prefix), given.mode)
      : withReplacement(k, scores, axis, shape, prefix.length, given.mode);
  },
);

type Mode = CategoricalOptions["mode"];

/** The position of the greatest logit + Gumbel noise. */
function withReplacement(key: NDArray, x: NDArray, axis: number, shape: Shape, prefix: number, mode: Mode): NDArray {
  const whole = insertAxis(shape, prefix + axis, x.shape[axis]!);
  const noise = gumbels(key, whole, x.dtype, mode);
  return argmax(add(noise, broadcastTo(x, whole)), prefix + axis);
}

/** The positions of the `count` greatest logits + noise. */
function withoutReplacement(key: NDArray, x: NDArray, axis: number, shape: Shape, count: number, mode: Mode): NDArray {
  const categories = x.shape[axis]!;
  if (count > categories)
    throw new ArgumentError("TooManyDraws", {
      what: `random.categorical: ${count} draws without replacement from ${categories} categories (shape ${shapeText(shape)})`,
      why: "without replacement every category is drawn at most once",
      fix: "draw fewer, or leave replace: false out",
    });
  const scores = add(x, gumbels(key, x.shape, x.dtype, mode));
  const [, positions] = topK(moveAxis(scores, axis, x.ndim - 1), count);
  return reshape(moveAxis(positions, positions.ndim - 1, 0), shape);
}
