/** The Poisson distribution: by counting arrivals (Knuth) below rate 10, by rejection (Hörmann, 1993) from there on. */
import type { ArrayLike } from "../core/arrayMethods.ts";
import type { DType } from "../core/dtype.ts";
import type { NDArray } from "../core/ndarray.ts";
import { asArray, scalarLiteral } from "../core/operands.ts";
import { type Shape, range } from "../core/shape.ts";
import { broadcastTo, convert, full } from "../core/structural.ts";
import { abs, add, div, floor, mul, neg, sqrt, sub } from "../lax/arithmetic.ts";
import { bitwiseAnd, bitwiseNot, bitwiseOr } from "../lax/bitwise.ts";
import { eq, ge, gt, le, lt, ne, select } from "../lax/compare.ts";
import { whileLoop } from "../lax/control/loops.ts";
import { log } from "../lax/elementary.ts";
import { indexInDim } from "../lax/movement.ts";
import { randomSplit } from "../lax/randomBits.ts";
import { reduceOr } from "../lax/reduce.ts";
import { lgamma } from "../lax/special.ts";
import { stopGradient } from "../transforms/scopes.ts";
import { type SampleMethod, approximatePoissons, isApproximate } from "./approximate.ts";
import { type SampleOptions, type SampleRest, asKey, readSample, sampleDType, sampleShape } from "./arguments.ts";
import { twoKeys, uniformFloats } from "./uniform.ts";
import { unit } from "../core/unit.ts";

const any = (x: NDArray): NDArray => reduceOr(x, range(x.ndim));

/** The number of exponential waiting times that fit into an interval of length `rate`. */
function countArrivals(key: NDArray, rate: NDArray, shape: Shape, dtype: DType): NDArray {
  type State = readonly [count: NDArray, key: NDArray, logProduct: NDArray];
  const waiting = ([, , logProduct]: State): NDArray => gt(logProduct, neg(rate));
  const step = (state: State): State => {
    const [count, k, logProduct] = state;
    const [next, sub] = twoKeys(k);
    const more = select(waiting(state), add(count, 1), count);
    return [more, next, add(logProduct, log(uniformFloats(sub, shape, "float32")))];
  };
  const start: State = [full(shape, 0, dtype), key, full(shape, 0, "float32")];
  const [count] = whileLoop((s: State) => any(waiting(s)), step, start);
  return sub(count, 1);
}

/** Transformed rejection with squeeze; constants of the paper's algorithm PTRS. */
function reject(key: NDArray, rate: NDArray, shape: Shape, dtype: DType): NDArray {
  type State = readonly [count: NDArray, accepted: NDArray, key: NDArray];
  const logRate = log(rate);
  const b = add(mul(sqrt(rate), 2.53), 0.931);
  const a = add(mul(b, 0.02483), -0.059);
  const inverseAlpha = add(div(scalarLiteral(1.1328, "float32"), sub(b, 3.4)), 1.1239);
  const vr = sub(0.9277, div(scalarLiteral(3.6224, "float32"), sub(b, 2)));
  const step = ([count, accepted, k]: State): State => {
    const keys = randomSplit(k, [3]);
    const [next, uKey, vKey] = range(3).map((i) => indexInDim(keys, i, 0, false)) as [NDArray, NDArray, NDArray];
    const u = sub(uniformFloats(uKey, shape, "float32"), 0.5);
    const v = uniformFloats(vKey, shape, "float32");
    const shifted = sub(0.5, abs(u));
    const n = floor(add(add(mul(add(div(mul(a, 2), shifted), b), u), rate), 0.43));
    const s = log(div(mul(v, inverseAlpha), add(div(a, mul(shifted, shifted)), b)));
    const density = sub(add(neg(rate), mul(n, logRate)), lgamma(add(n, 1)));
    const inside = bitwiseAnd(ge(shifted, 0.07), le(v, vr));
    const outside = bitwiseOr(lt(n, 0), bitwiseAnd(lt(shifted, 0.013), gt(v, shifted)));
    const taken = bitwiseOr(inside, bitwiseAnd(bitwiseNot(outside), le(s, density)));
    return [select(taken, n, count), bitwiseOr(accepted, taken), next];
  };
  const start: State = [full(shape, -1, "float32"), full(shape, 0, "bool"), key];
  const [count] = whileLoop(([, accepted]: State) => any(bitwiseNot(accepted)), step, start);
  return convert(count, dtype);
}

export interface PoissonOptions extends SampleOptions {
  /** `"approximate"` draws by a formula instead of by rejection: faster, and close to the distribution. */
  readonly method?: SampleMethod | undefined;
}

/**
 * Poisson counts of rate `lam`.
 *
 * @param lam the mean, not negative; broadcasts to the shape.
 * @param rest `shape` (default that of `lam`), `dtype` (default int32), `method`.
 * @example
 * random.poisson(random.key(0), 0, [3]) // [0, 0, 0]
 */
export const poisson = /* @__PURE__ */ unit(
  "poisson",
  2,
  function poisson(key: NDArray, lam: ArrayLike, ...rest: SampleRest<PoissonOptions>): NDArray {
    const given = readSample<PoissonOptions>("poisson", rest, ["method"]);
    const dtype = sampleDType("poisson", given.dtype, "int32", "integer");
    const mean = convert(asArray(lam, "random.poisson"), "float32");
    const shape = sampleShape("poisson", given.shape, mean.shape);
    const rate = stopGradient(broadcastTo(mean, shape));
    const k = asKey("poisson", key);
    if (isApproximate("poisson", given.method)) return convert(approximatePoissons(k, rate), dtype);
    const small = bitwiseOr(ne(rate, rate), lt(rate, 10));
    // Each algorithm gets a harmless rate where the other one's result is taken.
    const counted = countArrivals(k, select(small, rate, scalarLiteral(0, "float32")), shape, dtype);
    const rejected = reject(k, select(small, scalarLiteral(1e5, "float32"), rate), shape, dtype);
    return select(eq(rate, 0), scalarLiteral(0, dtype), select(small, counted, rejected));
  },
  { numbers: "inputs" },
);
