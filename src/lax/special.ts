/**
 * Special functions of floats: error functions, the gamma family and zeta. The numbers come from `specialMath.ts`.
 */
import type { ArrayLike } from "../core/arrayMethods.ts";
import type { NDArray } from "../core/ndarray.ts";
import { type AnyPrimitive, type One, type Primitive, type Two } from "../core/primitive.ts";
import { DifferentiationError } from "../core/problem.ts";
import type { Expr } from "../core/scalar.ts";
import { bind1 } from "../core/trace.ts";
import { add, mul, mulArrays, neg, square } from "./arithmetic.ts";
import { exp } from "./elementary.ts";
import { bindUnary, binary, eachPair, floating, literalLike, pairOf, unary } from "./rules.ts";
import * as lowered from "./specialLowering.ts";
import * as special from "./specialMath.ts";

/** A function of one float with derivative `factor(y, x)`. */
const smooth = (
  name: string,
  f: (x: number) => number,
  lower: (x: Expr) => Expr,
  factor: (y: NDArray, x: NDArray) => NDArray,
): Primitive<One, null> =>
  unary({ name, accepts: floating, real: f, lower, cost: 40, derivative: (g, y, x) => mulArrays(g, factor(y, x)) });

/** scale · e^(−x²) */
const bell = (scale: number, x: NDArray): NDArray => mul(exp(neg(square(x))), scale);

export const erfP: Primitive<One, null> = /* @__PURE__ */ smooth("erf", special.erf, lowered.erf, (_, x) =>
  bell(2 / Math.sqrt(Math.PI), x),
);
/** The error function, 2/√π ∫ e^(−t²) dt from 0 to x. */
export const erf = (x: ArrayLike): NDArray => bindUnary(erfP, x, []);

export const erfcP: Primitive<One, null> = /* @__PURE__ */ smooth("erfc", special.erfc, lowered.erfc, (_, x) =>
  bell(-2 / Math.sqrt(Math.PI), x),
);
/** 1 − erf(x), accurate for large x. */
export const erfc = (x: ArrayLike): NDArray => bindUnary(erfcP, x, []);

export const erfInvP: Primitive<One, null> = /* @__PURE__ */ smooth("erf_inv", special.erfInv, lowered.erfInv, (y) =>
  mul(exp(square(y)), Math.sqrt(Math.PI) / 2),
);
/** The inverse of erf. */
export const erfInv = (x: ArrayLike): NDArray => bindUnary(erfInvP, x, []);

export const lgammaP: Primitive<One, null> = /* @__PURE__ */ smooth("lgamma", special.lgamma, lowered.lgamma, (_, x) =>
  digamma(x),
);
/** log |Γ(x)| */
export const lgamma = (x: ArrayLike): NDArray => bindUnary(lgammaP, x, []);

export const digammaP: Primitive<One, null> = /* @__PURE__ */ smooth(
  "digamma",
  special.digamma,
  lowered.digamma,
  (_, x) => bind1(polygammaP, [literalLike(x, 1), x], null),
);
/** The derivative of lgamma; NaN at the poles 0, −1, −2, …. */
export const digamma = (x: ArrayLike): NDArray => bindUnary(digammaP, x, []);

const inOrder = (): never => {
  throw new DifferentiationError("PolygammaOrder", {
    what: "polygamma cannot be differentiated with respect to its order",
    why: "the order counts derivatives, so it is an integer",
    fix: "differentiate with respect to x only, or apply stopGradient to the order",
  });
};

export const polygammaP: Primitive<Two, null> = /* @__PURE__ */ binary({
  name: "polygamma",
  accepts: floating,
  loop: /* @__PURE__ */ eachPair(special.polygamma),
  lower: lowered.polygamma,
  cost: 400,
  derivatives: [inOrder, (g, _, m, x) => mulArrays(g, bind1(polygammaP, [add(m, 1), x], null))],
});
/** The m-th derivative of digamma at x. */
export const polygamma = (m: ArrayLike, x: ArrayLike): NDArray => bind1(polygammaP, pairOf("polygamma", m, x), null);

const inExponent = (): never => {
  throw new DifferentiationError("ZetaExponent", {
    what: "zeta cannot be differentiated with respect to its exponent",
    why: "that derivative, Σ −ln(q + n) (q + n)^−x, is no function of the library",
    fix: "differentiate with respect to q only, or apply stopGradient to the exponent",
  });
};

export const zetaP: Primitive<Two, null> = /* @__PURE__ */ binary({
  name: "zeta",
  accepts: floating,
  loop: /* @__PURE__ */ eachPair(special.zeta),
  lower: lowered.zeta,
  cost: 400,
  // d/dq Σ (q + n)^−x = −x Σ (q + n)^−(x + 1).
  derivatives: [inExponent, (g, _, x, q) => mulArrays(g, mulArrays(neg(x), bind1(zetaP, [add(x, 1), q], null)))],
});
/** Hurwitz's zeta function Σ (q + n)^−x. Differentiable with respect to q. */
export const zeta = (x: ArrayLike, q: ArrayLike): NDArray => bind1(zetaP, pairOf("zeta", x, q), null);

export const primitives: readonly AnyPrimitive[] = [erfP, erfcP, erfInvP, lgammaP, digammaP, polygammaP, zetaP];
