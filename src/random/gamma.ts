/**
 * The gamma distribution and those made from it. A draw is proposed until it is accepted (Marsaglia and Tsang, 2000),
 * every element with a key of its own, as in JAX. The derivative of a draw in its parameter is that at a fixed quantile.
 */
import type { ArrayLike } from "../core/arrayMethods.ts";
import type { DType } from "../core/dtype.ts";
import type { NDArray } from "../core/ndarray.ts";
import { asArray, scalarLiteral } from "../core/operands.ts";
import { ShapeError } from "../core/problem.ts";
import { type Shape, range, sizeOf } from "../core/shape.ts";
import { broadcastInDim, broadcastTo, convert, reshape, sumAxes } from "../core/structural.ts";
import { abs, add, div, integerPow, max, mul, neg, pow, sqrt, sub } from "../lax/arithmetic.ts";
import { bitwiseAnd, bitwiseOr } from "../lax/bitwise.ts";
import { eq, ge, le, select } from "../lax/compare.ts";
import { whileLoop } from "../lax/control/loops.ts";
import { exp, log } from "../lax/elementary.ts";
import { randomGammaGrad } from "../lax/incomplete.ts";
import { indexInDim } from "../lax/movement.ts";
import { randomSplit } from "../lax/randomBits.ts";
import { reduceMax } from "../lax/reduce.ts";
import { type CustomJvpFunction, customJvp } from "../transforms/customJvp.ts";
import { vmap } from "../transforms/vmap.ts";
import { type SampleMethod, approximateLogGammas, isApproximate } from "./approximate.ts";
import {
  type SampleOptions,
  type SampleRest,
  asKey,
  floatFacts,
  parameter,
  readSample,
  sampleDType,
  sampleShape,
} from "./arguments.ts";
import { exponentials, normals } from "./continuous.ts";
import { rademacher } from "./discrete.ts";
import { twoKeys, uniformFloats } from "./uniform.ts";
import { unit } from "../core/unit.ts";

// ---------------------------------------------------------------- one draw

type Proposal = readonly [key: NDArray, x2: NDArray, v: NDArray, u: NDArray];

/** The logarithm of a gamma draw of shape parameter `a`, a scalar. */
function logGammaDraw(key: NDArray, a: NDArray): NDArray {
  const { dtype } = a;
  const constant = (x: number): NDArray => scalarLiteral(x, dtype);
  // Parameters below 1 are raised by 1, and the draw multiplied by u^(1 / a).
  const large = ge(a, 1);
  const d = sub(select(large, a, add(a, 1)), 1 / 3);
  const c = div(constant(1 / 3), sqrt(d));
  const rejected = ([, x2, v, u]: Proposal): NDArray =>
    bitwiseAnd(ge(u, sub(1, mul(mul(x2, x2), 0.0331))), ge(log(u), add(mul(x2, 0.5), mul(d, add(sub(1, v), log(v))))));
  const propose = ([key]: Proposal): Proposal => {
    const [next, xKey, uKey] = keysOf(key, 3) as [NDArray, NDArray, NDArray];
    const [, x, v] = positiveCube(xKey, c);
    return [next, mul(x, x), mul(mul(v, v), v), uniformFloats(uKey, [], dtype)];
  };
  const [proposals, boostKey] = twoKeys(key);
  const start: Proposal = [proposals, constant(0), constant(1), constant(2)];
  const [, , v] = whileLoop(rejected, propose, start);
  const logU = neg(exponentials(boostKey, [], dtype));
  const boost = select(bitwiseOr(large, eq(logU, 0)), constant(0), mul(logU, div(constant(1), a)));
  return add(add(log(d), log(v)), boost);
}

/** A normal x such that v = 1 + c x is positive. */
function positiveCube(key: NDArray, c: NDArray): readonly [NDArray, NDArray, NDArray] {
  type Try = readonly [key: NDArray, x: NDArray, v: NDArray];
  const notPositive = ([, , v]: Try): NDArray => le(v, 0);
  const again = ([k]: Try): Try => {
    const [next, sub] = twoKeys(k);
    const x = normals(sub, [], c.dtype);
    return [next, x, add(mul(x, c), 1)];
  };
  const start: Try = [key, scalarLiteral(0, c.dtype), scalarLiteral(-1, c.dtype)];
  return whileLoop(notPositive, again, start);
}

const keysOf = (key: NDArray, n: number): NDArray[] => {
  const keys = randomSplit(key, [n]);
  return range(n).map((i) => indexInDim(keys, i, 0, false));
};

// ---------------------------------------------------------------- arrays of draws

const drawAll = (keys: NDArray, a: NDArray): NDArray => vmap(logGammaDraw)(keys, a);

/**
 * Draws move with their parameter as quantiles do: Figurnov, Mohamed, Mnih, "Implicit reparameterization gradients",
 * 2018. The derivative of the logarithm divides by the draw, which may underflow.
 */
function withDerivative(f: typeof drawAll): CustomJvpFunction<[NDArray, NDArray], NDArray> {
  const g = customJvp(f);
  g.defjvp(([keys, a], [, da]) => {
    const logs = g(keys, a);
    const x = max(exp(logs), floatFacts(a.dtype).tiny);
    return [logs, mul(da, div(randomGammaGrad(a, x, { dtype: a.dtype }), x))];
  });
  return g;
}
const draws = /* @__PURE__ */ withDerivative(drawAll);

/** Logarithms of gamma draws with parameters `a`, in the shape of `a`. */
function logGammas(key: NDArray, a: NDArray, approximate = false): NDArray {
  const n = sizeOf(a.shape);
  if (n === 0) return a;
  if (approximate) return approximateLogGammas(key, a);
  return reshape(draws(randomSplit(key, [n]), reshape(a, [n])), a.shape);
}

export interface GammaOptions extends SampleOptions {
  /** `"approximate"` draws by a formula instead of by rejection: faster, and close to the distribution. */
  readonly method?: SampleMethod | undefined;
}

interface Sample {
  readonly key: NDArray;
  readonly approximate: boolean;
  readonly shape: Shape;
  readonly dtype: DType;
  /** Parameters in the result's shape and dtype. */
  readonly parameters: readonly NDArray[];
}

/** Reads a key, parameters that broadcast, shape and dtype. */
function readParameters(
  name: string,
  key: NDArray,
  parameters: readonly ArrayLike[],
  rest: readonly unknown[],
  more: readonly "method"[] = [],
): Sample {
  const given = readSample<GammaOptions>(name, rest, more);
  const dtype = sampleDType(name, given.dtype, "float32", "float");
  const shapes = parameters.map((p) => asArray(p, `random.${name}`).shape);
  const shape = sampleShape(name, given.shape, ...shapes);
  return {
    key: asKey(name, key),
    approximate: isApproximate(name, given.method),
    shape,
    dtype,
    parameters: parameters.map((p) => parameter(name, p, shape, dtype)),
  };
}

/**
 * Logarithms of gamma draws: they do not underflow for small parameters.
 *
 * @param a the shape parameter, positive; broadcasts to the shape.
 * @param rest `shape` (default that of `a`), `dtype`, `method`.
 * @example
 * random.loggamma(random.key(0), 0.5, [3]).shape // [3]
 */
export const loggamma = /* @__PURE__ */ unit(
  "loggamma",
  2,
  function loggamma(key: NDArray, a: ArrayLike, ...rest: SampleRest<GammaOptions>): NDArray {
    const sample = readParameters("loggamma", key, [a], rest, ["method"]);
    return logGammas(sample.key, sample.parameters[0]!, sample.approximate);
  },
  { numbers: "inputs" },
);

/**
 * Gamma draws of shape parameter `a` and scale 1.
 *
 * @param a positive; broadcasts to the shape.
 * @param rest `shape` (default that of `a`), `dtype`, `method`.
 * @example
 * random.gamma(random.key(0), 2.5, [3]).shape // [3]
 */
export const gamma = /* @__PURE__ */ unit(
  "gamma",
  2,
  function gamma(key: NDArray, a: ArrayLike, ...rest: SampleRest<GammaOptions>): NDArray {
    const sample = readParameters("gamma", key, [a], rest, ["method"]);
    return exp(logGammas(sample.key, sample.parameters[0]!, sample.approximate));
  },
  { numbers: "inputs" },
);

/**
 * Beta draws: the share of one gamma draw in the sum of two.
 *
 * @example
 * random.beta(random.key(0), 2, 3, [4]).shape // [4]
 */
export const beta = /* @__PURE__ */ unit(
  "beta",
  3,
  function beta(key: NDArray, a: ArrayLike, b: ArrayLike, ...rest: SampleRest<GammaOptions>): NDArray {
    const sample = readParameters("beta", key, [a, b], rest, ["method"]);
    const keys = twoKeys(sample.key);
    const [x, y] = sample.parameters.map((p, i) => logGammas(keys[i]!, p, sample.approximate)) as [NDArray, NDArray];
    const top = max(x, y);
    const [p, q] = [exp(sub(x, top)), exp(sub(y, top))];
    return div(p, add(p, q));
  },
  { numbers: "inputs" },
);

/** Chi-square draws with `df` degrees of freedom. @example random.chisquare(random.key(0), 3, [2]).shape // [2] */
export const chisquare = /* @__PURE__ */ unit(
  "chisquare",
  2,
  function chisquare(key: NDArray, df: ArrayLike, ...rest: SampleRest<GammaOptions>): NDArray {
    const sample = readParameters("chisquare", key, [df], rest, ["method"]);
    return mul(exp(logGammas(sample.key, div(sample.parameters[0]!, 2), sample.approximate)), 2);
  },
  { numbers: "inputs" },
);

/** Draws of Student's t with `df` degrees of freedom. @example random.t(random.key(0), 3, [2]).shape // [2] */
export const t = /* @__PURE__ */ unit(
  "t",
  2,
  function t(key: NDArray, df: ArrayLike, ...rest: SampleRest): NDArray {
    const { key: k, shape, dtype, parameters } = readParameters("t", key, [df], rest);
    const [normalKey, gammaKey] = twoKeys(k);
    const half = div(parameters[0]!, 2);
    return mul(normals(normalKey, shape, dtype), sqrt(div(half, exp(logGammas(gammaKey, half)))));
  },
  { numbers: "inputs" },
);

/** Draws of the F distribution. @example random.f(random.key(0), 3, 5, [2]).shape // [2] */
export const f = /* @__PURE__ */ unit(
  "f",
  3,
  function f(key: NDArray, dfnum: ArrayLike, dfden: ArrayLike, ...rest: SampleRest): NDArray {
    const sample = readParameters("f", key, [dfnum, dfden], rest);
    const [denominatorKey, numeratorKey] = twoKeys(sample.key);
    const ratio = (k: NDArray, df: NDArray): NDArray => div(mul(exp(logGammas(k, div(df, 2))), 2), df);
    const [numerator, denominator] = sample.parameters as [NDArray, NDArray];
    return div(ratio(numeratorKey, numerator), ratio(denominatorKey, denominator));
  },
  { numbers: "inputs" },
);

/**
 * Points of the simplex: their last axis sums to 1.
 *
 * @param alpha concentrations along the last axis, positive.
 * @param rest `shape` (default that of `alpha` without its last axis), `dtype`.
 * @example
 * random.dirichlet(random.key(0), np.ones([3]), [2]).shape // [2, 3]
 */
export const dirichlet = /* @__PURE__ */ unit(
  "dirichlet",
  2,
  function dirichlet(key: NDArray, alpha: ArrayLike, ...rest: SampleRest): NDArray {
    const given = readSample("dirichlet", rest);
    const dtype = sampleDType("dirichlet", given.dtype, "float32", "float");
    const a = convert(asArray(alpha, "random.dirichlet"), dtype);
    if (a.ndim === 0)
      throw new ShapeError("DirichletAlpha", {
        what: "random.dirichlet: alpha is a scalar",
        why: "alpha holds one concentration per component, along its last axis",
        fix: "pass a vector, for example numpy.ones([3])",
      });
    const components = a.shape.at(-1)!;
    const shape = [...sampleShape("dirichlet", given.shape, a.shape.slice(0, -1)), components];
    const logs = logGammas(asKey("dirichlet", key), broadcastTo(a, shape));
    const last = shape.length - 1;
    const alongLast = (x: NDArray): NDArray => broadcastInDim(x, shape, range(last));
    const shares = exp(sub(logs, alongLast(reduceMax(logs, [last]))));
    return div(shares, alongLast(sumAxes(shares, [last])));
  },
  { numbers: "inputs" },
);

// ---------------------------------------------------------------- generalized normal, ball, wald

/**
 * Numbers with density proportional to exp(−|x|^p).
 *
 * @example
 * random.generalizedNormal(random.key(0), 3, [4]).shape // [4]
 */
export const generalizedNormal = /* @__PURE__ */ unit(
  "generalizedNormal",
  1,
  function generalizedNormal(key: NDArray, p: number, ...rest: SampleRest): NDArray {
    const { key: k, shape, dtype, parameters } = readParameters("generalizedNormal", key, [1 / p], rest);
    const [gammaKey, signKey] = twoKeys(k);
    const power = pow(exp(logGammas(gammaKey, parameters[0]!)), 1 / p);
    return mul(rademacher(signKey, shape, dtype), power);
  },
);

export interface BallOptions {
  /** The exponent of the norm. Default 2. */
  readonly p?: number | undefined;
  readonly shape?: Shape | number | null | undefined;
  readonly dtype?: DType | null | undefined;
}

/**
 * Points that are uniform in the unit ball of the p-norm in `d` dimensions.
 *
 * @example
 * random.ball(random.key(0), 3, { shape: [5] }).shape // [5, 3]
 */
export const ball = /* @__PURE__ */ unit(
  "ball",
  1,
  function ball(key: NDArray, d: number, options: BallOptions = {}): NDArray {
    const { p = 2, ...sample } = readSample<BallOptions>("ball", [options], ["p"]);
    const dtype = sampleDType("ball", sample.dtype, "float32", "float");
    const shape = sample.shape ?? [];
    const [directionKey, radiusKey] = twoKeys(asKey("ball", key));
    const g = generalizedNormal(directionKey, p, [...shape, d], dtype);
    const e = exponentials(radiusKey, shape, dtype);
    const norm = pow(add(sumAxes(pow(abs(g), p), [shape.length]), e), 1 / p);
    return div(g, broadcastInDim(norm, g.shape, range(shape.length)));
  },
);

/** Wald (inverse Gaussian) draws of scale 1. @example random.wald(random.key(0), 2, [3]).shape // [3] */
export const wald = /* @__PURE__ */ unit(
  "wald",
  2,
  function wald(key: NDArray, mean: ArrayLike, ...rest: SampleRest): NDArray {
    const { key: k, shape, dtype, parameters } = readParameters("wald", key, [mean], rest);
    const [normalKey, uniformKey] = twoKeys(k);
    const m = parameters[0]!;
    const y = integerPow(normals(normalKey, shape, dtype), 2);
    const m2 = integerPow(m, 2);
    const root = sqrt(add(mul(mul(m, 4), y), mul(m2, integerPow(y, 2))));
    const x = sub(add(m, div(mul(m2, y), 2)), mul(div(m, 2), root));
    return select(le(uniformFloats(uniformKey, shape, dtype), div(m, add(m, x))), x, div(m2, x));
  },
  { numbers: "inputs" },
);
