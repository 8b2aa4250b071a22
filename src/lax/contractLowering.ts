/**
 * Sums of products. The body of every real one is a product of a factor from lhs alone and one from rhs alone: that is
 * how the compiler recognises contractions. Products of predicates are products of integers, and large products of complex
 * numbers are those of their parts, so that they are contractions too.
 */
import { type DType, isBool, isComplex, isFloat } from "../core/dtype.ts";
import { scalarTypeOf } from "../core/elementTypes.ts";
import type { Index } from "../core/indexing.ts";
import type { Lowering, Operand, Value } from "../core/lowering.ts";
import { pulled, reduceOver } from "../core/lowerRules.ts";
import { type Expr, type ScalarType, convert, f32, minus, plus, times } from "../core/scalar.ts";
import type { NDArray } from "../core/ndarray.ts";
import { range, sizeOf } from "../core/shape.ts";
import { convert as convertArray, full } from "../core/structural.ts";
import { bind1 } from "../core/trace.ts";
import { add, sub } from "./arithmetic.ts";
import { ne } from "./compare.ts";
import { complex, imag, real } from "./complex.ts";
import { type DotGeneralParams, dotGeneralP } from "./contract.ts";

/** The type that products are summed in: at least as wide as the operands and the result. */
function sumType(x: DType, y: DType, out: DType): ScalarType {
  const all = [x, y, out];
  if (all.includes("float64")) return "f64";
  return all.some((d) => isFloat(d) || isComplex(d)) ? "f32" : scalarTypeOf(out);
}

/** Σ f·g over a box of positions, in the dtype of the result. */
export function sumOfProducts(
  extents: readonly number[],
  [xDtype, yDtype, out]: readonly [x: DType, y: DType, out: DType],
  factors: (index: readonly Index[]) => readonly [f: Value, g: Value],
): Value {
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

/** A product of arrays without predicates and complex numbers, whose sums are of a dtype. */
type RealProduct = (x: NDArray, y: NDArray, sums: DType) => NDArray;

/** A product of predicates or of complex numbers by real ones, of which each is a contraction. */
export function composeProduct(out: DType, product: RealProduct): Lowering {
  return {
    form: "compose",
    with: ([x, y]) => [
      isBool(out)
        ? ne(product(convertArray(x!, "int32"), convertArray(y!, "int32"), "int32"), 0)
        : productOfParts(x!, y!, product),
    ],
  };
}

function productOfParts(x: NDArray, y: NDArray, product: RealProduct): NDArray {
  const [a, b] = partsOf(x);
  const [c, d] = partsOf(y);
  const times = (f: NDArray | null, g: NDArray | null): NDArray | null => f && g && product(f, g, "float32");
  const [ac, bd, ad, bc] = [times(a, c)!, times(b, d), times(a, d), times(b, c)];
  const re = bd ? sub(ac, bd) : ac;
  const im = ad && bc ? add(ad, bc) : (ad ?? bc ?? full(re.shape, 0, re.dtype));
  return complex(re, im);
}
const partsOf = (x: NDArray): readonly [re: NDArray, im: NDArray | null] =>
  isComplex(x.dtype) ? [real(x), imag(x)] : [convertArray(x, "float32"), null];

/** Rows, columns and summands of products of complex numbers from which on their parts are multiplied. */
const fewest = 4;
export const isProductOfParts = (out: DType, ...sizes: readonly number[]): boolean =>
  isBool(out) || (isComplex(out) && sizes.every((n) => n >= fewest));

export function lowerDot(x: Operand, y: Operand, params: DotGeneralParams, out: DType): Lowering {
  const [[xc, yc], [xb, yb]] = params.dimensionNumbers;
  const kept = (ndim: number, c: readonly number[], b: readonly number[]): number[] =>
    range(ndim).filter((i) => !c.includes(i) && !b.includes(i));
  const [xk, yk] = [kept(x.aval.ndim, xc, xb), kept(y.aval.ndim, yc, yb)];
  const extents = xc.map((a) => x.aval.shape[a]!);
  const size = ({ aval }: Operand, axes: readonly number[]): number => sizeOf(axes.map((a) => aval.shape[a]!));
  if (isProductOfParts(out, size(x, xk), size(y, yk), sizeOf(extents)))
    return composeProduct(out, (f, g, sums) => bind1(dotGeneralP, [f, g], { ...params, preferredElementType: sums }));
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
