/**
 * Gamma and Poisson draws without rejection, for `method: "approximate"`: formulas in a fixed number of normal and
 * uniform numbers. They follow JAX's construction, so the same key gives the same numbers. Unlike rejection, the gamma
 * draws are differentiable in their parameter by the formula itself.
 */
import { type DType, bytesPerElement } from "../core/dtype.ts";
import type { NDArray } from "../core/ndarray.ts";
import { scalarLiteral } from "../core/operands.ts";
import { ArgumentError } from "../core/problem.ts";
import { range } from "../core/shape.ts";
import { broadcastInDim, convert, sumAxes } from "../core/structural.ts";
import { abs, add, ceil, div, max, mul, neg, rsqrt, sqrt, square, sub } from "../lax/arithmetic.ts";
import { ge, lt, select } from "../lax/compare.ts";
import { iota } from "../lax/creation.ts";
import { exp, log } from "../lax/elementary.ts";
import { erfc } from "../lax/special.ts";
import { floatFacts } from "./arguments.ts";
import { exponentials, normals } from "./continuous.ts";
import { twoKeys } from "./uniform.ts";
import { polynomial } from "../lax/polynomial.ts";

/** How draws that are made by rejection are made: `"approximate"` is faster, its distribution a little off. */
export type SampleMethod = "exact" | "approximate";

/** Whether the method is the approximate one. */
export function isApproximate(name: string, method: SampleMethod | null | undefined): boolean {
  if (method == null || method === "exact") return false;
  if (method === "approximate") return true;
  throw new ArgumentError("UnknownMethod", {
    what: `random.${name}: there is no method ${JSON.stringify(method)}`,
    why: "draws are made by rejection, or by a formula that is close to the distribution",
    fix: 'use "exact" (the default) or "approximate"',
  });
}

// ---------------------------------------------------------------- gamma

/**
 * The cube root of a chi-square quantile over ν as a series in x ν^(-1/2), x a normal number, with coefficients that
 * are quadratics in 1/ν: Goldstein, "Algorithm 451: Chi-square quantiles", 1973. The first is 1, for the limit.
 */
const quantileSeries = [
  [1, -0.2237368, -0.01513904],
  [0.4713941, 0.02607083, -0.008986007],
  [0.0001348028, 0.01128186, 0.02277679],
  [-0.008553069, -0.01153761, -0.01323293],
  [0.00312558, 0.005169654, -0.006950356],
  [-0.0008426812, 0.00253001, 0.001060438],
  [0.00009780499, -0.001450117, 0.001565326],
] as const;

/** The series is good from this parameter on. */
const boosts = 4;

/**
 * Logarithms of gamma draws of parameter `a`. A draw of parameter a + 4 is multiplied by u^(1 / (a + k)), k = 0 … 3,
 * which gives one of parameter a: Stuart, "Gamma-distributed products of independent random variables", 1962.
 */
export function approximateLogGammas(key: NDArray, parameter: NDArray): NDArray {
  const { shape } = parameter;
  const dtype: DType = bytesPerElement(parameter.dtype) < 4 ? "float32" : parameter.dtype;
  const a = convert(parameter, dtype);
  const [baseKey, boostKey] = twoKeys(key);
  const raised = add(a, boosts);
  const nu = mul(raised, 2);
  const inverse = div(scalarLiteral(1, dtype), nu);
  const x = mul(normals(baseKey, shape, dtype), rsqrt(nu));
  const root = polynomial(
    quantileSeries.map((c) => polynomial(c, inverse)),
    x,
  );
  const base = add(log(raised), mul(log(max(root, floatFacts(dtype).tiny)), 3));
  const spread = (y: NDArray, axes: readonly number[]): NDArray => broadcastInDim(y, [boosts, ...shape], axes);
  const raises = spread(iota(dtype, boosts), [0]);
  const places = range(shape.length).map((i) => i + 1);
  const logU = neg(exponentials(boostKey, [boosts, ...shape], dtype));
  return convert(add(base, sumAxes(div(logU, add(spread(a, places), raises)), [0])), parameter.dtype);
}

// ---------------------------------------------------------------- Poisson

/** Below this mean the distribution function is inverted, above it a normal approximation of it. */
const split = 7;
/** So many counts have a probability that matters below that mean. */
const counts = 20;

/** Poisson counts of mean `rate`, in its dtype. */
export function approximatePoissons(key: NDArray, rate: NDArray): NDArray {
  const z = normals(key, rate.shape, rate.dtype);
  return select(lt(rate, split), inverseOfSums(z, rate), inverseOfNormal(z, rate));
}

/** How many values of the distribution function lie below the normal number's quantile. */
function inverseOfSums(z: NDArray, rate: NDArray): NDArray {
  const u = mul(erfc(mul(z, -Math.SQRT1_2)), 0.5);
  let probability = exp(neg(rate));
  let sum = probability;
  const below = (): NDArray => convert(lt(sum, u), rate.dtype);
  let count = below();
  for (let k = 1; k < counts - 1; k++) {
    probability = mul(probability, div(rate, k));
    sum = add(sum, probability);
    count = add(count, below());
  }
  return count;
}

/**
 * The least count whose normal number is not below `z`; a Cornish-Fisher expansion finds its neighbourhood. The normal
 * numbers are those of Peizer and Pratt, "A normal approximation for binomial, F, beta, and other common, related tail
 * probabilities", 1968.
 */
function inverseOfNormal(z: NDArray, rate: NDArray): NDArray {
  const s = sqrt(rate);
  const z2 = square(z);
  const skewed = div(mul(z, sub(1, z2)), mul(s, 72));
  const root = add(add(sub(add(rate, mul(s, z)), 2 / 3), div(z2, 6)), skewed);
  const start = ceil(add(root, 0.6));
  const reaches = (count: NDArray): NDArray => {
    const normal = peizerPratt(max(count, 0), rate);
    return convert(ge(select(lt(count, 0), scalarLiteral(-Infinity, z.dtype), normal), z), z.dtype);
  };
  return max(sub(sub(add(start, 1), reaches(start)), reaches(sub(start, 1))), 0);
}

/** The normal number whose distribution function is that of a Poisson count. */
function peizerPratt(count: NDArray, rate: NDArray): NDArray {
  const y = div(add(count, 0.5), rate);
  const correction = div(scalarLiteral(0.02, rate.dtype), add(count, 1));
  const distance = add(add(sub(count, rate), 2 / 3), correction);
  return mul(distance, sqrt(div(add(peizerPrattT(y), 1), rate)));
}

/** (1 − y² + 2 y log y) / (1 − y)², by its series where it is 0/0. */
function peizerPrattT(y: NDArray): NDArray {
  const d = sub(y, 1);
  const near = lt(abs(d), 0.25);
  const terms = range(10).map((k) => (k === 0 ? 0 : (2 * (-1) ** k) / ((k + 1) * (k + 2))));
  const safe = select(near, scalarLiteral(2, y.dtype), y);
  const direct = div(add(sub(1, square(safe)), mul(mul(safe, 2), log(safe))), square(sub(safe, 1)));
  return select(near, polynomial(terms, d), direct);
}
