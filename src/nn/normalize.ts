/**
 * Functions along axes: softmax and its logarithm, log-sum-exp, standardization, one-hot codes. Each shifts by the
 * maximum first, so that nothing overflows.
 */
import type { ArrayLike, Axis } from "../core/arrayMethods.ts";
import { type DType, isComplex } from "../core/dtype.ts";
import type { NDArray } from "../core/ndarray.ts";
import { asArray, asIndex, promoteOperands } from "../core/operands.ts";
import { ArgumentError } from "../core/problem.ts";
import { canonicalAxes, canonicalAxis, insertAxis } from "../core/shape.ts";
import { readOptions } from "../lax/arguments.ts";
import * as lax from "../lax/index.ts";
import * as np from "../numpy/index.ts";
import { customJvp } from "../transforms/customJvp.ts";
import { stopGradient } from "../transforms/scopes.ts";
import { unit } from "../core/unit.ts";

const inexact = (name: string, x: ArrayLike): NDArray => promoteOperands(`nn.${name}`, [x], true)[0]!;

export interface SoftmaxOptions {
  /** The axis or axes that sum to 1. Default the last. */
  readonly axis?: Axis | undefined;
  /** The elements that take part; the others are 0 (or −∞). */
  readonly where?: ArrayLike | null | undefined;
}
export type SoftmaxRest =
  | readonly []
  | readonly [Axis | undefined | SoftmaxOptions]
  | readonly [Axis | undefined, ArrayLike | null | undefined | SoftmaxOptions];

function readSoftmax(name: string, rest: readonly unknown[]): { axis: Axis; where: NDArray | null } {
  const { axis, where } = readOptions<SoftmaxOptions>(`nn.${name}`, ["axis", "where"], 2, rest);
  return { axis: axis === undefined ? -1 : axis, where: where == null ? null : asArray(where, `nn.${name}`) };
}

/** The reduction options for elements that take part. */
const taking = (axis: Axis, where: NDArray | null, keepdims: boolean) => ({
  axis,
  keepdims,
  where: where ?? undefined,
});

/** The greatest element that takes part, −∞ if none does; a constant to derivatives. */
function greatest(x: NDArray, axis: Axis, where: NDArray | null): NDArray {
  const options = taking(axis, where, true);
  const always = where === null && x.size > 0;
  return np.max(stopGradient(x), always ? options : { ...options, initial: -Infinity });
}

// ---------------------------------------------------------------- softmax

type Softmax = (x: NDArray, axis: Axis, where: NDArray | null) => NDArray;

function plainSoftmax(x: NDArray, axis: Axis, where: NDArray | null): NDArray {
  const taken = where ? np.where(where, x, -Infinity) : x;
  const unnormalized = np.exp(np.subtract(taken, greatest(x, axis, where)));
  const y = np.divide(unnormalized, np.sum(unnormalized, taking(axis, where, true)));
  return where ? np.where(where, y, 0) : y;
}

function makeSoftmax(): Softmax {
  const f = customJvp(plainSoftmax, { nondiffArgnums: [1] });
  // dy = y (dx − Σ y dx)
  f.defjvp((axis: Axis, [x, where]: [NDArray, NDArray | null], [dx]: [NDArray]) => {
    const y = f(x, axis, where);
    const weighted = np.sum(np.multiply(y, dx), taking(axis, where, true));
    return [y, np.multiply(y, np.subtract(dx, weighted))];
  });
  return f;
}
const softmaxWithRule: Softmax = /* @__PURE__ */ makeSoftmax();

/**
 * Exponentials divided by their sum along an axis.
 *
 * @param rest `axis` (default −1), `where`.
 * @example
 * nn.softmax(np.array([0, 0])) // [0.5, 0.5]
 */
export const softmax = /* @__PURE__ */ unit(
  "softmax",
  1,
  function softmax(x: ArrayLike, ...rest: SoftmaxRest): NDArray {
    const { axis, where } = readSoftmax("softmax", rest);
    return softmaxWithRule(inexact("softmax", x), axis, where);
  },
);

/**
 * The logarithm of `softmax`, without its underflow.
 *
 * @param rest `axis` (default −1), `where`.
 * @example
 * nn.logSoftmax(np.array([0, -Infinity])) // [0, -Infinity]
 */
export const logSoftmax = /* @__PURE__ */ unit(
  "logSoftmax",
  1,
  function logSoftmax(x: ArrayLike, ...rest: SoftmaxRest): NDArray {
    const { axis, where } = readSoftmax("logSoftmax", rest);
    const a = inexact("logSoftmax", x);
    const taken = where ? np.where(where, a, -Infinity) : a;
    const shifted = np.subtract(taken, greatest(a, axis, where));
    const y = np.subtract(shifted, np.log(np.sum(np.exp(shifted), taking(axis, where, true))));
    return where ? np.where(where, y, -Infinity) : y;
  },
);

// ---------------------------------------------------------------- log-sum-exp

export interface LogSumExpOptions {
  /** The axis or axes to sum over; null (default) means all. */
  readonly axis?: Axis | undefined;
  /** Factors of the exponentials. */
  readonly b?: ArrayLike | null | undefined;
  readonly keepdims?: boolean | undefined;
  /** Give the sign of the sum too. */
  readonly returnSign?: boolean | undefined;
  /** The elements that take part. */
  readonly where?: ArrayLike | null | undefined;
}

/**
 * log Σ b·eˣ along axes; −∞ for an empty sum, NaN for a negative one.
 *
 * @param rest `axis` (default all), `b`, `keepdims`, `returnSign` (gives `[log |Σ|, sign]`), `where`.
 * @example
 * nn.logsumexp(np.array([1000, -Infinity])) // 1000
 */
export function logsumexp(
  a: ArrayLike,
  ...rest: readonly [...(readonly [] | readonly [Axis]), LogSumExpOptions & { readonly returnSign: true }]
): [NDArray, NDArray];
export function logsumexp(
  a: ArrayLike,
  ...rest:
    | readonly []
    | readonly [Axis | undefined | LogSumExpOptions]
    | readonly [Axis | undefined, ArrayLike | null | LogSumExpOptions]
): NDArray;
export function logsumexp(a: ArrayLike, ...rest: readonly unknown[]): NDArray | [NDArray, NDArray] {
  return logsumexpUnit(a, ...rest);
}
const logsumexpUnit = /* @__PURE__ */ unit(
  "logsumexp",
  1,
  function logsumexp(a: ArrayLike, ...rest: readonly unknown[]): NDArray | [NDArray, NDArray] {
    const names = ["axis", "b", "keepdims", "returnSign", "where"] as const;
    const {
      axis = null,
      b = null,
      keepdims = false,
      returnSign = false,
      where: mask,
    } = readOptions<LogSumExpOptions>("nn.logsumexp", names, 2, rest);
    const where = mask == null ? null : asArray(mask, "nn.logsumexp");
    const masked = where ? np.where(where, a, 0) : a;
    const [x, factors] = (b === null ? [inexact("logsumexp", masked), null] : factored(masked, b)) as [
      NDArray,
      NDArray | null,
    ];
    const axes = canonicalAxes("nn.logsumexp", axis, x.ndim);
    const top = greatest(isComplex(x.dtype) ? lax.real(x) : x, axes, where);
    const shift = np.where(np.isfinite(top), top, 0);
    const terms = np.exp(np.subtract(x, shift));
    const sum = np.sum(factors ? np.multiply(terms, factors) : terms, taking(axes, where, true));
    const shaped = (y: NDArray): NDArray => (keepdims ? y : lax.squeeze(y, axes));
    // Without factors a real sum is not negative.
    if (!returnSign && (factors === null || isComplex(x.dtype))) return shaped(np.add(np.log(sum), shift));
    const sign = np.sign(sum);
    const whole = np.add(np.log(np.abs(sum)), shift);
    return returnSign ? [shaped(whole), shaped(sign)] : shaped(np.where(np.less(sign, 0), NaN, whole));
  },
);

/** Terms whose factor is 0 do not take part, whatever they are. */
function factored(a: ArrayLike, b: ArrayLike): [NDArray, NDArray] {
  const [x, factors] = promoteOperands("nn.logsumexp", [a, b], true) as [NDArray, NDArray];
  return [np.where(np.notEqual(factors, 0), x, -Infinity), factors];
}

export interface LogMeanExpOptions {
  readonly axis?: Axis | undefined;
  readonly where?: ArrayLike | null | undefined;
  readonly keepdims?: boolean | undefined;
}

/**
 * log of the mean of eˣ along axes.
 *
 * @param rest `axis` (default all), `where`, `keepdims`.
 * @example
 * nn.logmeanexp(np.array([3, 3])) // 3
 */
export function logmeanexp(
  x: ArrayLike,
  ...rest: readonly [] | readonly [Axis | undefined | LogMeanExpOptions]
): NDArray {
  const names = ["axis", "where", "keepdims"] as const;
  const { axis = null, where, keepdims = false } = readOptions<LogMeanExpOptions>("nn.logmeanexp", names, 3, rest);
  const a = asArray(x, "nn.logmeanexp");
  const sum = logsumexp(a, { axis, where, keepdims });
  if (where == null) {
    const count = canonicalAxes("nn.logmeanexp", axis, a.ndim).reduce((n, i) => n * a.shape[i]!, 1);
    return np.subtract(sum, Math.log(count));
  }
  const count = np.sum(np.broadcastTo(where, a.shape), { axis, keepdims, dtype: sum.dtype });
  return np.subtract(sum, np.log(count));
}

// ---------------------------------------------------------------- standardize

export interface StandardizeOptions {
  readonly axis?: Axis | undefined;
  /** Mean and variance to use instead of the array's own. */
  readonly mean?: ArrayLike | null | undefined;
  readonly variance?: ArrayLike | null | undefined;
  /** Added to the variance. Default 1e-5. */
  readonly epsilon?: ArrayLike | undefined;
  /** The elements that mean and variance are taken of. */
  readonly where?: ArrayLike | null | undefined;
  /** `"fast"` takes the variance as E[x²] − E[x]², `"stable"` as E[(x − E[x])²]. Default `"fast"`. */
  readonly algorithm?: "fast" | "stable" | undefined;
}

/**
 * (x − mean) / √(variance + ε) along an axis: what layer and batch normalization do.
 *
 * @param rest `axis` (default −1), `mean`, `variance`, `epsilon`, `where`, `algorithm`.
 * @example
 * nn.standardize(np.array([-1, 1]), { epsilon: 0 }) // [-1, 1]
 */
export const standardize = /* @__PURE__ */ unit(
  "standardize",
  1,
  function standardize(
    x: ArrayLike,
    ...rest: readonly [] | readonly [Axis | undefined | StandardizeOptions] | readonly [Axis, StandardizeOptions]
  ): NDArray {
    const names = ["axis", "mean", "variance", "epsilon", "where", "algorithm"] as const;
    const given = readOptions<StandardizeOptions>("nn.standardize", names, 5, rest);
    const { axis = -1, epsilon = 1e-5, algorithm = "fast" } = given;
    const a = asArray(x, "nn.standardize");
    const where = given.where == null ? null : asArray(given.where, "nn.standardize");
    const average = (y: NDArray): NDArray => np.mean(y, taking(axis, where, true));
    const mean = given.mean ?? average(a);
    const centered = np.subtract(a, mean);
    const variance = given.variance ?? varianceBy(algorithm, a, centered, mean, average);
    return np.multiply(centered, lax.rsqrt(inexact("standardize", np.add(variance, epsilon))));
  },
);

function varianceBy(
  algorithm: StandardizeOptions["algorithm"],
  x: NDArray,
  centered: NDArray,
  mean: ArrayLike,
  average: (y: NDArray) => NDArray,
): NDArray {
  if (algorithm === "stable") return average(np.square(centered));
  if (algorithm === "fast") return np.maximum(np.subtract(average(np.square(x)), np.square(mean)), 0);
  throw new ArgumentError("StandardizeAlgorithm", {
    what: `nn.standardize: there is no algorithm ${JSON.stringify(algorithm)}`,
    why: "the variance is taken in one pass or in two",
    fix: 'use "fast" or "stable"',
  });
}

// ---------------------------------------------------------------- one-hot

export interface OneHotOptions {
  /** Default float32. */
  readonly dtype?: DType | null | undefined;
  /** Where the new axis goes (default last), or the name of a mapped axis. */
  readonly axis?: number | string | undefined;
}

/**
 * Ones at the given positions of a new axis; positions outside it give zeros.
 *
 * @param x integers.
 * @param numClasses the length of the new axis.
 * @example
 * nn.oneHot([1, 0], 3) // [[0, 1, 0], [1, 0, 0]]
 */
export const oneHot = /* @__PURE__ */ unit(
  "oneHot",
  1,
  function oneHot(x: ArrayLike, numClasses: number, ...rest: readonly [] | readonly [OneHotOptions]): NDArray {
    const { dtype, axis = -1 } = readOptions<OneHotOptions>("nn.oneHot", ["dtype", "axis"], 0, rest);
    const labels = asIndex(x, "nn.oneHot");
    const d = dtype ?? "float32";
    if (typeof axis === "string") {
      checkAxisSize(axis, numClasses);
      return np.astype(np.equal(labels, lax.axisIndex(axis)), d);
    }
    const at = canonicalAxis("nn.oneHot", axis, labels.ndim + 1);
    const classes = lax.broadcastedIota(
      labels.dtype === "bool" ? "int32" : labels.dtype,
      countShape(labels.ndim, at, numClasses),
      at,
    );
    return np.astype(np.equal(np.expandDims(labels, at), classes), d);
  },
);

const countShape = (ndim: number, at: number, n: number): number[] =>
  insertAxis(new Array<number>(ndim).fill(1), at, n);

function checkAxisSize(axis: string, numClasses: number): void {
  const size = lax.axisSize(axis);
  if (size === numClasses) return;
  throw new ArgumentError("OneHotAxis", {
    what: `nn.oneHot: ${numClasses} classes over the mapped axis ${JSON.stringify(axis)} of size ${String(size)}`,
    why: "each place on the axis stands for one class",
    fix: `use ${String(size)} classes`,
  });
}
