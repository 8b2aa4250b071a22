/** The `lower` slots of sliding windows. Padding and gaps never count: they are masked. */
import { isComplex } from "../core/dtype.ts";
import { allOf, scalarTypeOf } from "../core/elementTypes.ts";
import {
  type Index,
  add,
  addConstant,
  flatIndex,
  floorDiv,
  modulo,
  scale,
  subtract,
  unflatten,
} from "../core/indexing.ts";
import type { Lowering, Operand } from "../core/lowering.ts";
import { numberIn, pulled, reduceOver, zipLanes } from "../core/lowerRules.ts";
import {
  type Expr,
  type ReduceOp,
  bool,
  clampIndex,
  constant,
  equal,
  i32,
  indexOf,
  least,
  less,
  like,
  ofIndex,
  select,
  within,
} from "../core/scalar.ts";
import { type Shape, sizeOf } from "../core/shape.ts";
import { spreadIndex } from "./movementLowering.ts";
import { extremePosition, highest, lowest, nowhere } from "./reduceLowering.ts";
import type { SelectParams, WindowParams } from "./windows.ts";
import { dilated } from "./windowGeometry.ts";

/** The operand's element under window position `k` at a place; not for empty operands. */
function underWindow(
  shape: Shape,
  p: WindowParams,
  place: readonly Index[],
  k: readonly Index[],
): { readonly index: readonly Index[]; readonly valid: Expr } {
  const spread = place.map((o, a) => {
    const at = add(scale(o, p.windowStrides[a]!), scale(k[a]!, p.windowDilation[a]!));
    return spreadIndex(at, shape[a]!, p.padding[a]![0], p.baseDilation[a]!);
  });
  return { index: spread.map((s) => s.index), valid: allOf([bool(true), ...spread.flatMap((s) => s.valid)]) };
}

export function lowerWindow(x: Operand, p: WindowParams, monoid: "sum" | "max" | "min"): Lowering {
  const { dtype, shape, size } = x.aval;
  const type = scalarTypeOf(dtype);
  const neutral = monoid === "sum" ? 0 : monoid === "max" ? lowest(dtype) : highest(dtype);
  const ofBool = monoid === "min" ? "and" : "or";
  const op: ReduceOp = type === "bool" ? ofBool : monoid === "sum" ? "add" : monoid;
  if (size === 0) return pulled(() => numberIn(dtype, neutral));
  const lanes = isComplex(dtype) ? [0, 1] : [0];
  return pulled((place) =>
    lanes.map(
      (lane) =>
        reduceOver(p.windowDimensions, [type], [neutral], op, (k) => {
          const { index, valid } = underWindow(shape, p, place, k);
          return [select(valid, x.at(index)[lane]!, constant(type, neutral))];
        })[0]!,
    ),
  );
}

/** The row-major window position of the element that wins at a place; `nowhere` where there is only padding. */
function winner(x: Operand, p: SelectParams, place: readonly Index[]): Expr {
  const { dtype, shape } = x.aval;
  const extremum = p.select === "ge" ? "greatest" : "least";
  const worst = extremum === "greatest" ? lowest(dtype) : highest(dtype);
  return extremePosition(p.windowDimensions, dtype, extremum, (k) => {
    const { index, valid } = underWindow(shape, p, place, k);
    const value = x.at(index)[0]!;
    const position = ofIndex(flatIndex(k, p.windowDimensions));
    return [select(valid, value, like(value, worst)), select(valid, position, i32(nowhere))];
  });
}

export function lowerSelectAndGather(t: Operand, x: Operand, p: SelectParams): Lowering {
  const { dtype, size } = t.aval;
  if (size === 0) return pulled(() => numberIn(dtype, 0));
  const last = sizeOf(p.windowDimensions) - 1;
  return pulled((place) => {
    const won = winner(x, p, place);
    const k = unflatten(indexOf(least(won, i32(last)), 0, last), p.windowDimensions);
    const { index } = underWindow(x.aval.shape, p, place, k);
    const exists = less(won, i32(nowhere));
    return zipLanes(t.at(index), numberIn(dtype, 0), (a, b) => select(exists, a, b));
  });
}

/**
 * Each element asks the places whose windows may hold it, whether it wins there. Along an axis these are consecutive
 * places; there are about as many as strides fit into the window.
 */
export function lowerSelectAndScatter(source: Operand, x: Operand, p: SelectParams): Lowering {
  const { dtype } = source.aval;
  const places = source.aval.shape;
  if (source.aval.size === 0) return pulled(() => numberIn(dtype, 0));
  const spans = p.windowDimensions.map((w, a) => dilated(w, p.windowDilation[a]!));
  const counts = spans.map((span, a) => Math.ceil(span / p.windowStrides[a]!));
  return pulled((index) => {
    // Positions among elements spread by the base dilation and shifted by the padding.
    const spread = index.map((i, a) => addConstant(scale(i, p.baseDilation[a]!), p.padding[a]![0]));
    return numberIn(dtype, 0).map(
      (_, lane) =>
        reduceOver(counts, [scalarTypeOf(dtype)], [0], "add", (r) => {
          const candidates = r.map((back, a) => subtract(floorDiv(spread[a]!, p.windowStrides[a]!), back));
          const exists = candidates.map((o, a) => within(o, 0, places[a]!));
          const place = candidates.map((o, a) => clampIndex(o, 0, places[a]! - 1));
          const value = source.at(place)[lane]!;
          const mine = isElement(winner(x, p, place), p, spread, r);
          return [select(allOf([...exists, mine, bool(true)]), value, like(value, 0))];
        })[0]!,
    );
  });
}

/**
 * Whether the window position that won at a place is this element, given by its spread position. The place is `back` places
 * before the last one that begins at or before the element.
 */
function isElement(won: Expr, p: SelectParams, spread: readonly Index[], back: readonly Index[]): Expr {
  const offsets = spread.map((s, a) => {
    const stride = p.windowStrides[a]!;
    return add(modulo(s, stride), scale(back[a]!, stride));
  });
  const k = offsets.map((o, a) => floorDiv(o, p.windowDilation[a]!));
  const inWindow = k.map((i, a) => within(i, 0, p.windowDimensions[a]!));
  const onElement = offsets.map((o, a) => equal(ofIndex(modulo(o, p.windowDilation[a]!)), i32(0)));
  return allOf([...inWindow, ...onElement, equal(won, ofIndex(flatIndex(k, p.windowDimensions)))]);
}
