/**
 * Continuous distributions made from a uniform number by a formula. Each follows JAX's construction, so that the same
 * key gives the same numbers; what they differ in is the last bits of the elementary functions.
 */
import type { ArrayLike } from "../core/arrayMethods.ts";
import { type DType, isComplex } from "../core/dtype.ts";
import { type NDArray } from "../core/ndarray.ts";
import { asArray, scalarLiteral } from "../core/operands.ts";
import { ArgumentError } from "../core/problem.ts";
import { type Shape, parseShape } from "../core/shape.ts";
import { broadcastTo, convert, sumAxes } from "../core/structural.ts";
import { readOptions } from "../lax/arguments.ts";
import { abs, add, clamp, div, mul, neg, nextafter, pow, sign, sqrt, square, sub } from "../lax/arithmetic.ts";
import { ge, lt, select } from "../lax/compare.ts";
import { complex } from "../lax/complex.ts";
import { exp, log, log1p, tan } from "../lax/elementary.ts";
import { indexInDim } from "../lax/movement.ts";
import { erf, erfInv } from "../lax/special.ts";
import { stopGradient } from "../transforms/scopes.ts";
import {
  type SampleOptions,
  type SampleRest,
  asKey,
  epsilon,
  floatFacts,
  parameter,
  readSample,
  sampleDType,
  sampleShape,
} from "./arguments.ts";
import { fineHalves, twoKeys, uniformFloats } from "./uniform.ts";
import { unit } from "../core/unit.ts";

/** A sampler of a shape and a float dtype. */
type Draw = (key: NDArray, shape: Shape, dtype: DType) => NDArray;

/** The public form of a sampler without parameters. */
const standard = (name: string, draw: Draw) =>
  unit(name, 1, (key: NDArray, ...rest: SampleRest): NDArray => {
    const { shape, dtype } = readSample(name, rest);
    return draw(asKey(name, key), shape ?? [], sampleDType(name, dtype, "float32", "float"));
  });

/** The public form of a sampler with one parameter, whose shape is the default. */
const scaled = (name: string, draw: (key: NDArray, shape: Shape, dtype: DType, parameter: NDArray) => NDArray) =>
  unit(
    name,
    2,
    (key: NDArray, p: ArrayLike, ...rest: SampleRest): NDArray => {
      const given = readSample(name, rest);
      const dtype = sampleDType(name, given.dtype, "float32", "float");
      const shape = sampleShape(name, given.shape, asArray(p, `random.${name}`).shape);
      return draw(asKey(name, key), shape, dtype, parameter(name, p, shape, dtype));
    },
    { numbers: "inputs" },
  );

// ---------------------------------------------------------------- normal and its kin

/** Standard normal numbers, by the inverse of the error function. */
export function normals(key: NDArray, shape: Shape, dtype: DType): NDArray {
  if (isComplex(dtype)) {
    const [re, im] = twoKeys(key).map((k) => mul(normals(k, shape, "float32"), Math.SQRT1_2));
    return complex(re!, im!);
  }
  // The largest number of the dtype that is above -1.
  const low = -1 + epsilon(dtype) / 2;
  return mul(erfInv(uniformFloats(key, shape, dtype, low, 1)), Math.SQRT2);
}

/**
 * Standard normal numbers; complex ones have independent parts, each of variance ½.
 *
 * @param rest `shape` (default `[]`), `dtype` (default float32).
 * @example
 * random.normal(random.key(0), [2, 3]).shape // [2, 3]
 */
export const normal = /* @__PURE__ */ unit("normal", 1, function normal(key: NDArray, ...rest: SampleRest): NDArray {
  const { shape, dtype } = readSample("normal", rest);
  return normals(asKey("normal", key), shape ?? [], sampleDType("normal", dtype, "float32", "inexact"));
});

/**
 * Standard normal numbers given that they lie between `lower` and `upper`.
 *
 * @example
 * random.truncatedNormal(random.key(0), -2, 2, [3]).shape // [3]
 */
export const truncatedNormal = /* @__PURE__ */ unit(
  "truncatedNormal",
  3,
  function truncatedNormal(key: NDArray, lower: ArrayLike, upper: ArrayLike, ...rest: SampleRest): NDArray {
    const given = readSample("truncatedNormal", rest);
    const dtype = sampleDType("truncatedNormal", given.dtype, "float32", "float");
    const bounds = [lower, upper].map((x) => convert(asArray(x, "random.truncatedNormal"), dtype));
    const shape = sampleShape("truncatedNormal", given.shape, bounds[0]!.shape, bounds[1]!.shape);
    const [low, high] = bounds.map((x) => broadcastTo(x, shape)) as [NDArray, NDArray];
    const [a, b] = [low, high].map((x) => erf(div(x, Math.SQRT2)));
    const x = mul(erfInv(uniformFloats(asKey("truncatedNormal", key), shape, dtype, a, b)), Math.SQRT2);
    // Rounding must not put a number outside the open interval.
    return clamp(nextafter(stopGradient(low), Infinity), x, nextafter(stopGradient(high), -Infinity));
  },
  { numbers: "inputs" },
);

/**
 * Numbers whose logarithm is normal with standard deviation `sigma` (default 1).
 *
 * @example
 * random.lognormal(random.key(0), 0.5, [4]).shape // [4]
 */
export const lognormal = /* @__PURE__ */ unit(
  "lognormal",
  1,
  function lognormal(
    key: NDArray,
    ...rest: readonly (ArrayLike | Shape | DType | null | (SampleOptions & { readonly sigma?: ArrayLike }))[]
  ): NDArray {
    type Options = SampleOptions & { readonly sigma?: ArrayLike };
    const given = readOptions<Options>("random.lognormal", ["sigma", "shape", "dtype"], 3, rest);
    const dtype = sampleDType("lognormal", given.dtype, "float32", "inexact");
    const sigma = convert(asArray(given.sigma ?? 1, "random.lognormal"), dtype);
    const asked = given.shape == null ? null : parseShape("random.lognormal", given.shape);
    const shape = sampleShape("lognormal", asked, sigma.shape);
    return exp(mul(normals(asKey("lognormal", key), shape, dtype), broadcastTo(sigma, shape)));
  },
);

const maxwells: Draw = (key, shape, dtype) => sqrt(sumAxes(square(normals(key, [...shape, 3], dtype)), [shape.length]));
/** Lengths of three-dimensional normal vectors. @example random.maxwell(random.key(0), [2]).shape // [2] */
export const maxwell = /* @__PURE__ */ standard("maxwell", maxwells);

/**
 * `loc + scale·m` with m Maxwell-distributed and of random sign. The result's shape is `shape` followed by that of the
 * parameters, or theirs alone.
 *
 * @example
 * random.doubleSidedMaxwell(random.key(0), 1, 2, [3]).shape // [3]
 */
export const doubleSidedMaxwell = /* @__PURE__ */ unit(
  "doubleSidedMaxwell",
  3,
  function doubleSidedMaxwell(key: NDArray, loc: ArrayLike, scale: ArrayLike, ...rest: SampleRest): NDArray {
    const given = readSample("doubleSidedMaxwell", rest);
    const dtype = sampleDType("doubleSidedMaxwell", given.dtype, "float32", "float");
    const [center, width] = [loc, scale].map((x) => convert(asArray(x, "random.doubleSidedMaxwell"), dtype));
    const inner = sampleShape("doubleSidedMaxwell", null, center!.shape, width!.shape);
    const shape = [...(given.shape?.length ? given.shape : inner), ...inner];
    const [k1, k2] = twoKeys(asKey("doubleSidedMaxwell", key));
    const signs = sub(mul(convert(lt(uniformFloats(k2, shape, "float32"), 0.5), dtype), 2), 1);
    const x = mul(mul(signs, maxwells(k1, shape, dtype)), broadcastTo(width!, shape));
    return add(x, broadcastTo(center!, shape));
  },
  { numbers: "inputs" },
);

// ---------------------------------------------------------------- by the inverse of the distribution function

export const exponentials: Draw = (key, shape, dtype) => neg(log1p(neg(uniformFloats(key, shape, dtype))));
/** Exponential numbers of mean 1. @example random.exponential(random.key(0), [3]).shape // [3] */
export const exponential = /* @__PURE__ */ standard("exponential", exponentials);

/** Laplace-distributed numbers of scale 1. @example random.laplace(random.key(0), [3]).shape // [3] */
export const laplace = /* @__PURE__ */ standard("laplace", (key, shape, dtype) => {
  const u = uniformFloats(key, shape, dtype, -1 + epsilon(dtype) / 2, 1);
  return mul(sign(u), log1p(neg(abs(u))));
});

/** Logistic numbers: log(u / (1 − u)). @example random.logistic(random.key(0), [3]).shape // [3] */
export const logistic = /* @__PURE__ */ standard("logistic", (key, shape, dtype) => {
  const u = uniformFloats(key, shape, dtype, floatFacts(dtype).tiny, 1);
  return sub(log(u), log1p(neg(u)));
});

/** Cauchy numbers: tan(π(u − ½)). @example random.cauchy(random.key(0), [3]).shape // [3] */
export const cauchy = /* @__PURE__ */ standard("cauchy", (key, shape, dtype) =>
  tan(mul(sub(uniformFloats(key, shape, dtype, epsilon(dtype), 1), 0.5), Math.PI)),
);

/** Pareto numbers of shape parameter `b`. @example random.pareto(random.key(0), 2, [3]).shape // [3] */
export const pareto = /* @__PURE__ */ scaled("pareto", (key, shape, dtype, b) =>
  exp(div(exponentials(key, shape, dtype), b)),
);

/** Rayleigh numbers: scale·√(−2 log u). @example random.rayleigh(random.key(0), 1.5, [3]).shape // [3] */
export const rayleigh = /* @__PURE__ */ scaled("rayleigh", (key, shape, dtype, scale) =>
  mul(scale, sqrt(mul(log(uniformFloats(key, shape, dtype)), -2))),
);

/**
 * Weibull numbers: scale·(−log(1 − u))^(1 / concentration).
 *
 * @example
 * random.weibullMin(random.key(0), 1, 2, [3]).shape // [3]
 */
export const weibullMin = /* @__PURE__ */ unit(
  "weibullMin",
  3,
  function weibullMin(key: NDArray, scale: ArrayLike, concentration: ArrayLike, ...rest: SampleRest): NDArray {
    const given = readSample("weibullMin", rest);
    const dtype = sampleDType("weibullMin", given.dtype, "float32", "float");
    const shape = given.shape ?? [];
    const [s, c] = [scale, concentration].map((x) => convert(asArray(x, "random.weibullMin"), dtype));
    const whole = sampleShape("weibullMin", null, shape, s!.shape, c!.shape);
    const e = broadcastTo(exponentials(asKey("weibullMin", key), shape, dtype), whole);
    return mul(pow(e, div(scalarLiteral(1, dtype), broadcastTo(c!, whole))), broadcastTo(s!, whole));
  },
  { numbers: "inputs" },
);

/**
 * Numbers whose density is a triangle over [left, right] with its top at `mode`.
 *
 * @example
 * random.triangular(random.key(0), 0, 0.5, 1, [3]).shape // [3]
 */
export const triangular = /* @__PURE__ */ unit(
  "triangular",
  1,
  function triangular(key: NDArray, left: ArrayLike, mode: ArrayLike, right: ArrayLike, ...rest: SampleRest): NDArray {
    const given = readSample("triangular", rest);
    const dtype = sampleDType("triangular", given.dtype, "float32", "float");
    const corners = [left, mode, right].map((x) => convert(asArray(x, "random.triangular"), dtype));
    const shape = sampleShape("triangular", given.shape, ...corners.map((x) => x.shape));
    const [a, m, b] = corners.map((x) => broadcastTo(x, shape)) as [NDArray, NDArray, NDArray];
    const u = uniformFloats(asKey("triangular", key), shape, dtype);
    const width = sub(b, a);
    const rising = add(a, sqrt(mul(mul(u, width), sub(m, a))));
    const falling = sub(b, sqrt(mul(mul(sub(1, u), width), sub(b, m))));
    return select(lt(u, div(sub(m, a), width)), rising, falling);
  },
);

// ---------------------------------------------------------------- gumbel

export interface GumbelOptions extends SampleOptions {
  /** `"high"` spends twice the random bits on a finer upper tail, `"highest"` on both (float32). Default `"low"`. */
  readonly mode?: GumbelMode | null | undefined;
}
export type GumbelMode = "low" | "high" | "highest";

/** Gumbel numbers: −log(−log u). */
export function gumbels(key: NDArray, shape: Shape, dtype: DType, mode: GumbelOptions["mode"]): NDArray {
  const { mantissa, tiny } = floatFacts(dtype);
  if (mode == null || mode === "low") return neg(log(neg(log(uniformFloats(key, shape, dtype, tiny, 1)))));
  if (mode === "highest" && dtype === "float32") {
    const { fraction, lower } = fineHalves(key, shape);
    return neg(log(neg(select(lower, log1p(neg(fraction)), log(fraction)))));
  }
  if (mode !== "high" && mode !== "highest")
    throw new ArgumentError("GumbelMode", {
      what: `random.gumbel: there is no mode ${JSON.stringify(mode)}`,
      why: "the mode says how many random bits go into a number",
      fix: 'use "low", "high" or "highest"',
    });
  const pair = uniformFloats(key, [2, ...shape], dtype);
  const [high, low] = [0, 1].map((i) => indexInDim(pair, i, 0, false)) as [NDArray, NDArray];
  const fine = add(add(high, mul(low, 2 ** -mantissa)), Math.max(2 ** -(2 * mantissa + 1), tiny));
  const x = select(ge(high, 0.5), high, fine);
  return neg(log(neg(log1p(neg(x)))));
}

/**
 * Gumbel numbers, −log(−log u): the greatest of `logits + gumbel` is a categorical draw.
 *
 * @param rest `shape` (default `[]`), `dtype`, `mode`.
 * @example
 * random.gumbel(random.key(0), [3]).shape // [3]
 */
export const gumbel = /* @__PURE__ */ unit(
  "gumbel",
  1,
  function gumbel(key: NDArray, ...rest: SampleRest<GumbelOptions>): NDArray {
    const { shape, dtype, mode } = readSample<GumbelOptions>("gumbel", rest, ["mode"]);
    return gumbels(asKey("gumbel", key), shape ?? [], sampleDType("gumbel", dtype, "float32", "float"), mode);
  },
);
