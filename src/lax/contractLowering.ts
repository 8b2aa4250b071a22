/**
 * Sums of products. The body of every real one is a product of a factor from lhs alone and one from rhs alone: that is
 * how the compiler recognises contractions.
 */
import { type DType, isBool, isComplex, isFloat } from "../core/dtype.ts";
import { scalarTypeOf } from "../core/elementTypes.ts";
import type { Index } from "../core/indexing.ts";
import type { Lowering, Operand, Value } from "../core/lowering.ts";
import { pulled, reduceOver } from "../core/lowerRules.ts";
import { type Expr, type ScalarType, both, compare, convert, f32, like, minus, plus, times } from "../core/scalar.ts";
import { range } from "../core/shape.ts";
import type { DotDimensionNumbers } from "./contract.ts";

/** The type that products are summed in: at least as wide as the operands and the result. */
function sumType(x: DType, y: DType, out: DType): ScalarType {
  const all = [x, y, out];
  if (all.includes("float64")) return "f64";
  return all.some((d) => isFloat(d) || isComplex(d)) ? "f32" : scalarTypeOf(out);
}
const isTrue = (x: Expr): Expr => (x.type === "bool" ? x : compare("ne", x, like(x, 0)));

/** Σ f·g over a box of positions, in the dtype of the result. */
export function sumOfProducts(
  extents: readonly number[],
  [xDtype, yDtype, out]: readonly [x: DType, y: DType, out: DType],
  factors: (index: readonly Index[]) => readonly [f: Value, g: Value],
): Value {
  if (isBool(out))
    return reduceOver(extents, ["bool"], [0], "or", (r) => {
      const [[f], [g]] = factors(r);
      return [both(isTrue(f!), isTrue(g!))];
    });
  const type = sumType(xDtype, yDtype, out);
  const inType = (v: Value): Value => v.map((lane) => convert(lane, type));
  const sum = (body: (f: Value, g: Value) => Expr): Expr =>
    reduceOver(extents, [type], [0], "add", (r) => {
      const [f, g] = factors(r);
      return [body(inType(f), inType(g))];
    })[0]!;
  if (!isComplex(out))
    return [
      convert(
        sum(([f], [g]) => times(f!, g!)),
        scalarTypeOf(out),
      ),
    ];
  const [wideX, wideY] = [isComplex(xDtype), isComplex(yDtype)];
  const re = sum(([a, b], [c, d]) => (wideX && wideY ? minus(times(a!, c!), times(b!, d!)) : times(a!, c!)));
  if (!wideX && !wideY) return [convert(re, "f32"), f32(0)];
  const im = sum(([a, b], [c, d]) =>
    wideX && wideY ? plus(times(a!, d!), times(b!, c!)) : wideX ? times(b!, c!) : times(a!, d!),
  );
  return [convert(re, "f32"), convert(im, "f32")];
}

export function lowerDot(x: Operand, y: Operand, [[xc, yc], [xb, yb]]: DotDimensionNumbers, out: DType): Lowering {
  const kept = (ndim: number, c: readonly number[], b: readonly number[]): number[] =>
    range(ndim).filter((i) => !c.includes(i) && !b.includes(i));
  const [xk, yk] = [kept(x.aval.ndim, xc, xb), kept(y.aval.ndim, yc, yb)];
  const extents = xc.map((a) => x.aval.shape[a]!);
  /** The position in an operand whose batch, kept and contracted axes are given. */
  const place = (axes: readonly (readonly number[])[], parts: readonly (readonly Index[])[]): Index[] => {
    const index: Index[] = [];
    axes.forEach((list, part) => list.forEach((a, i) => (index[a] = parts[part]![i]!)));
    return index;
  };
  return pulled((index) => {
    const batch = index.slice(0, xb.length);
    const left = index.slice(xb.length, xb.length + xk.length);
    const right = index.slice(xb.length + xk.length);
    return sumOfProducts(extents, [x.aval.dtype, y.aval.dtype, out], (r) => [
      x.at(place([xb, xk, xc], [batch, left, r])),
      y.at(place([yb, yk, yc], [batch, right, r])),
    ]);
  });
}
