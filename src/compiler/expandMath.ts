import type { Expr } from "../core/scalar.ts";
export const expandMath = (e: Expr): Expr => e;
