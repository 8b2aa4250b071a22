import { type Expr, convert, unary, binary } from "../core/scalar.ts";
import { Rewriter } from "./loopNest/rewrite.ts";
const math = new Set([
  "exp",
  "exp2",
  "expm1",
  "log",
  "log1p",
  "sin",
  "cos",
  "tan",
  "asin",
  "acos",
  "atan",
  "sinh",
  "cosh",
  "tanh",
  "asinh",
  "acosh",
  "atanh",
  "cbrt",
]);
export const expandMath = (e: Expr): Expr => {
  const r: Rewriter = new Rewriter({
    expr: (x) =>
      x.kind === "unary" && x.type === "f32" && math.has(x.op)
        ? convert(unary(x.op, convert(r.expr(x.x), "f64")), "f32")
        : x.kind === "binary" && x.type === "f32" && (x.op === "pow" || x.op === "atan2")
          ? convert(binary(x.op, convert(r.expr(x.x), "f64"), convert(r.expr(x.y), "f64")), "f32")
          : null,
  });
  return r.expr(e);
};
