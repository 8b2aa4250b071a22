/**
 * Math functions of f32 in terms of arithmetic, for machines that have none, or none that is good enough. On IEEE
 * arithmetic results are within 2 units in the last place of the true value, tan and pow within 3, for all of f32;
 * NaN, infinities and −0 as in IEEE 754. f64 functions stay as they are: targets import them.
 */
import type { Expr, Reduction } from "../core/scalar.ts";
import { contracted, reduced, reduction } from "../core/scalar.ts";
import { Rewriter } from "./loopNest/rewrite.ts";
import { acos, asin, atan, atan2 } from "./math/arc.ts";
import type { Arithmetic } from "./math/pieces.ts";
import { cosh, exp, exp2, expm1, sinh, tanh } from "./math/exponential.ts";
import { acosh, asinh, atanh, log, log1p } from "./math/logarithm.ts";
import { cbrt, pow } from "./math/power.ts";
import { cos, sin, tan } from "./math/trigonometric.ts";

/** What every machine does. */
const anyMachine: Arithmetic = { keepsNaN: false };

const functions: Readonly<Partial<Record<string, (x: Expr, arithmetic: Arithmetic) => Expr>>> = {
  exp,
  exp2,
  expm1,
  log,
  log1p,
  sin,
  cos,
  tan,
  asin,
  acos,
  atan,
  sinh,
  cosh,
  tanh,
  asinh,
  acosh,
  atanh,
  cbrt,
};

/** A math function of f32 operands, or null for operations that are none. */
export function expandCall(op: string, x: Expr, y?: Expr, arithmetic = anyMachine): Expr | null {
  if (x.type !== "f32") return null;
  return contracted(() => {
    if (y) return op === "pow" ? pow(x, y) : op === "atan2" ? atan2(x, y) : null;
    return functions[op]?.(x, arithmetic) ?? null;
  });
}

/** A function that expands what it is given, expanding each node once. */
export function mathExpander(arithmetic = anyMachine): (e: Expr) => Expr {
  const reductions = new Map<Reduction, Reduction>();
  const rewriter: Rewriter = new Rewriter({
    expr: (e) => {
      if (e.kind === "unary" && e.type === "f32") return expandCall(e.op, rewriter.expr(e.x), undefined, arithmetic);
      if (e.kind === "binary") return expandCall(e.op, rewriter.expr(e.x), rewriter.expr(e.y), arithmetic);
      if (e.kind !== "reduced" || typeof e.reduction.combine !== "function") return null;
      // The combination is made later; what it makes is expanded then.
      let known = reductions.get(e.reduction);
      if (!known) {
        const { vars, types, init, combine, body } = e.reduction;
        known = reduction(
          vars,
          types,
          init,
          (l, r) => combine(l, r).map((x) => rewriter.expr(x)),
          body.map((x) => rewriter.expr(x)),
        );
        reductions.set(e.reduction, known);
      }
      return reduced(known, e.lane);
    },
  });
  return (e) => rewriter.expr(e);
}

/** The expression with all math functions of f32 expanded; shared parts stay shared. */
export const expandMath = (e: Expr): Expr => mathExpander()(e);
