/** The longer `lower` slots of `movement.ts`. */
import { allOf } from "../core/elementTypes.ts";
import { type Index, addConstant, floorDiv, modulo } from "../core/indexing.ts";
import type { Lowering, Operand, Value } from "../core/lowering.ts";
import { below, movedFrom, pulled, zipLanes } from "../core/lowerRules.ts";
import { type Expr, bool, clampIndex, equal, i32, ofIndex, select, within } from "../core/scalar.ts";
import type { PadAxis } from "./movement.ts";

/** An axis whose elements lie `step` apart, the first at `low`: where a position falls, and whether on an element. */
export function spreadIndex(
  index: Index,
  length: number,
  low: number,
  step: number,
): { readonly index: Index; readonly valid: readonly Expr[] } {
  const shifted = addConstant(index, -low);
  const q = floorDiv(shifted, step);
  return {
    index: clampIndex(q, 0, length - 1),
    valid: [within(q, 0, length), equal(ofIndex(modulo(shifted, step)), i32(0))],
  };
}

/** The element at a position of several spread axes; elsewhere `other`. Not for empty operands. */
function elementOr(x: Operand, places: readonly ReturnType<typeof spreadIndex>[], other: Value): Value {
  const valid = allOf([bool(true), ...places.flatMap((p) => p.valid)]);
  return zipLanes(x.at(places.map((p) => p.index)), other, (a, b) => select(valid, a, b));
}

export function lowerPad(x: Operand, value: Operand, config: readonly PadAxis[]): Lowering {
  if (x.aval.size === 0) return pulled(() => value.at([]));
  return pulled((index) => {
    const places = index.map((i, a) => {
      const [low, , gap] = config[a]!;
      return spreadIndex(i, x.aval.shape[a]!, low, gap + 1);
    });
    return elementOr(x, places, value.at([]));
  });
}

export function lowerConcatenate(ins: readonly Operand[], dimension: number): Lowering {
  let start = 0;
  const parts = ins
    .map((x) => {
      const length = x.aval.shape[dimension]!;
      start += length;
      return { x, first: start - length, end: start };
    })
    .filter((p) => p.end > p.first);
  if (parts.length === 0) return movedFrom(ins[0]!, (index) => index);
  return pulled((index) => {
    const i = index[dimension]!;
    const from = ({ x, first, end }: (typeof parts)[number]): Value =>
      x.at(index.map((v, a) => (a === dimension ? clampIndex(addConstant(v, -first), 0, end - first - 1) : v)));
    // Parts that the index cannot reach are left out.
    const reached = parts.filter((p) => i.max >= p.first && i.min < p.end);
    const last = reached.at(-1)!;
    return reached
      .slice(0, -1)
      .reduceRight((later, p) => zipLanes(from(p), later, (a, b) => select(below(i, p.end), a, b)), from(last));
  });
}
