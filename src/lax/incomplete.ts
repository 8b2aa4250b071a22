/** The regularized incomplete gamma and beta functions. The numbers come from `incompleteMath.ts`. */
import type { ArrayLike } from "../core/arrayMethods.ts";
import type { DType } from "../core/dtype.ts";
import { allocateLike, roundInPlace } from "../core/hostArray.ts";
import type { NDArray } from "../core/ndarray.ts";
import { convert } from "../core/structural.ts";
import { type AnyPrimitive, type Primitive, type Three, type Two, definePrimitive } from "../core/primitive.ts";
import { DifferentiationError } from "../core/problem.ts";
import { bind1 } from "../core/trace.ts";
import { add, mul, mulArrays, neg, sub } from "./arithmetic.ts";
import { eq, select } from "./compare.ts";
import { exp, log, log1p } from "./elementary.ts";
import * as lowered from "./incompleteLowering.ts";
import * as math from "./incompleteMath.ts";
import {
  type Derivative,
  batchElementwise,
  floating,
  notAccepted,
  operandsOf,
  pairOf,
  resultAval,
  sameDTypes,
  sumOfDerivatives,
} from "./rules.ts";
import { digamma, lgamma } from "./special.ts";
import { unit } from "../core/unit.ts";

interface Spec {
  readonly name: string;
  readonly f: (...xs: number[]) => number;
  readonly compose: (...xs: NDArray[]) => NDArray;
  readonly derivatives: readonly Derivative[];
}

/** An elementwise primitive that devices run as a composition. */
function composed<In extends Two | Three>({ name, f, compose, derivatives }: Spec): Primitive<In, null> {
  const primitive: Primitive<Two | Three, null> = definePrimitive<Two | Three, null>({
    name,
    kind: "elementwise",
    infer: (ins) => {
      const [first] = ins;
      if (ins.some((x) => x.dtype !== first.dtype)) throw sameDTypes(name, ins);
      if (!floating.has(first.dtype)) throw notAccepted(name, floating, first);
      return [resultAval(name, ins, first.dtype)];
    },
    reference: (ins, _, [out]) => {
      const result = allocateLike(out!);
      const strides = ins.map((a) => Number(a.shape.length > 0));
      for (let i = 0; i < result.data.length; i++) result.data[i] = f(...ins.map((a, j) => a.data[i * strides[j]!]!));
      return [roundInPlace(result)];
    },
    jvp: (xs, gs) => sumOfDerivatives(primitive as AnyPrimitive, derivatives, xs, gs, null),
    transpose: "nonlinear",
    batch: (xs, dims, _, { size }) => batchElementwise(primitive as AnyPrimitive, xs, dims, null, size),
    lower: () => ({ form: "compose", with: (args) => lowered.inComputeType(args, compose) }),
  });
  return primitive;
}

/** x log y, and 0 where x is 0. */
const weighted = (x: NDArray, logarithm: NDArray): NDArray =>
  select(eq(x, 0), 0, mul(select(eq(x, 0), 1, x), logarithm));

// ---------------------------------------------------------------- gamma

/** x^(a − 1) e^−x / Γ(a), the derivative of P with respect to x. */
const gammaDensity = (a: NDArray, x: NDArray): NDArray => exp(sub(sub(weighted(sub(a, 1), log(x)), x), lgamma(a)));

const noDerivative = (name: string, parameter: string, why: string) => (): never => {
  throw new DifferentiationError("IncompleteParameter", {
    what: `${name} cannot be differentiated with respect to ${parameter}`,
    why,
    fix: `differentiate with respect to x only, or apply stopGradient to ${parameter}`,
  });
};
const drawParameter = /* @__PURE__ */ noDerivative("randomGammaGrad", "its operands", "no rule for it is known");

export const igammaGradAP: Primitive<Two, null> = /* @__PURE__ */ composed<Two>({
  name: "igamma_grad_a",
  f: math.lowerGammaGradA,
  compose: lowered.lowerGammaGradA,
  // Its derivative in x is that of the density in a.
  derivatives: [
    /* @__PURE__ */ noDerivative("igammaGradA", "a", "no rule for the second derivative in a is known"),
    (g, _, a, x) => mulArrays(g, mul(gammaDensity(a, x), sub(log(x), digamma(a)))),
  ],
});
/** The derivative of `igamma` with respect to `a`. @example lax.igammaGradA(np.array([1]), np.array([0])) // [0] */
export const igammaGradA = (a: ArrayLike, x: ArrayLike): NDArray =>
  bind1(igammaGradAP, pairOf("igammaGradA", a, x), null);

export const randomGammaGradP: Primitive<Two, null> = /* @__PURE__ */ composed<Two>({
  name: "random_gamma_grad",
  f: math.gammaDrawGrad,
  compose: lowered.gammaDrawGrad,
  derivatives: [drawParameter, drawParameter],
});
/**
 * How a gamma draw `x` of parameter `a` moves with `a` at a fixed quantile: −(∂P/∂a) / (∂P/∂x).
 *
 * @example
 * lax.randomGammaGrad(np.array([1]), np.array([0]), { dtype: "float32" }) // [0]
 */
export function randomGammaGrad(a: ArrayLike, x: ArrayLike, options: { readonly dtype: DType }): NDArray {
  const operands = pairOf("randomGammaGrad", a, x);
  return convert(bind1(randomGammaGradP, operands, null), options.dtype);
}

export const igammaP: Primitive<Two, null> = /* @__PURE__ */ composed<Two>({
  name: "igamma",
  f: math.lowerGamma,
  compose: lowered.lowerGamma,
  derivatives: [
    (g, _, a, x) => mulArrays(g, bind1(igammaGradAP, [a, x], null)),
    (g, _, a, x) => mulArrays(g, gammaDensity(a, x)),
  ],
});
/**
 * The regularized lower incomplete gamma function P(a, x): the share of ∫ t^(a − 1) e^−t dt below x.
 *
 * @example
 * lax.igamma(np.array([1]), np.array([Math.LN2])) // [0.5]
 */
export const igamma = /* @__PURE__ */ unit("igamma", 2, (a: ArrayLike, x: ArrayLike): NDArray =>
  bind1(igammaP, pairOf("igamma", a, x), null),
);

export const igammacP: Primitive<Two, null> = /* @__PURE__ */ composed<Two>({
  name: "igammac",
  f: math.upperGamma,
  compose: lowered.upperGamma,
  derivatives: [
    (g, _, a, x) => neg(mulArrays(g, bind1(igammaGradAP, [a, x], null))),
    (g, _, a, x) => neg(mulArrays(g, gammaDensity(a, x))),
  ],
});
/**
 * The regularized upper incomplete gamma function Q = 1 − P, accurate where it is small.
 *
 * @example
 * lax.igammac(np.array([1]), np.array([Math.LN2])) // [0.5]
 */
export const igammac = (a: ArrayLike, x: ArrayLike): NDArray => bind1(igammacP, pairOf("igammac", a, x), null);

// ---------------------------------------------------------------- beta

/** x^(a − 1) (1 − x)^(b − 1) / B(a, b) */
function betaDensity(a: NDArray, b: NDArray, x: NDArray): NDArray {
  const logBeta = sub(add(lgamma(a), lgamma(b)), lgamma(add(a, b)));
  const power = add(weighted(sub(b, 1), log1p(neg(x))), weighted(sub(a, 1), log(x)));
  return exp(sub(power, logBeta));
}

const inParameter = (name: string) =>
  noDerivative("betainc", name, "that derivative is no function of the library, nor of JAX");

export const betaincP: Primitive<Three, null> = /* @__PURE__ */ composed<Three>({
  name: "regularized_incomplete_beta",
  f: math.incompleteBeta,
  compose: lowered.incompleteBeta,
  derivatives: [
    /* @__PURE__ */ inParameter("a"),
    /* @__PURE__ */ inParameter("b"),
    (g, _, a, b, x) => mulArrays(g, betaDensity(a, b, x)),
  ],
});
/**
 * The regularized incomplete beta function I(x; a, b): the share of ∫ t^(a − 1) (1 − t)^(b − 1) dt below x. It is
 * differentiable with respect to x.
 *
 * @example
 * lax.betainc(np.array([1]), np.array([2]), np.array([0.5])) // [0.75]
 */
export const betainc = /* @__PURE__ */ unit("betainc", 3, (a: ArrayLike, b: ArrayLike, x: ArrayLike): NDArray =>
  bind1(betaincP, operandsOf("betainc", [a, b, x]) as [NDArray, NDArray, NDArray], null),
);

export const primitives: readonly AnyPrimitive[] = [igammaP, igammacP, igammaGradAP, randomGammaGradP, betaincP];
