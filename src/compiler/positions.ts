/**
 * Where the arrays in memory are read that an element is computed from. Each position is a computation of its own: an
 * unrolled stencil, or a sum with its own mirror image, that is repeated again and again would be computed at twice as many
 * positions each time.
 */
import { type Index, visitValues } from "../core/indexing.ts";
import type { Shape } from "../core/shape.ts";
import type { Access } from "./access.ts";
import type { Info } from "./planDraft.ts";
import { axisVars, indicesOf } from "./pull.ts";
import { through } from "./rows.ts";
import type { Var } from "../core/jaxpr.ts";

/** Positions, in terms of the axes of the variable that is computed, by their text. */
export type Positions = ReadonlyMap<string, readonly Index[]>;

const textOf = (index: readonly Index[]): string => index.map((i) => i.key).join();
const here = (shape: Shape): readonly Index[] => indicesOf(axisVars(shape));

/** The positions that an equation needs of what lies in memory. */
export function positionsOf({ reads }: Access, infoOf: (v: Var) => Info): Positions {
  let found: Map<string, readonly Index[]> | null = null;
  let only: Positions | null = null;
  for (const read of reads) {
    const { operand, index } = read;
    const { positions } = infoOf(operand);
    const { shape } = operand.aval;
    const own = positions ?? new Map([[textOf(here(shape)), here(shape)]]);
    // An elementwise operation of one operand changes nothing.
    const isHere = textOf(index) === textOf(here(shape));
    if (isHere && (only === null || only === own) && found === null) {
      only = own;
      continue;
    }
    found ??= new Map(only ?? []);
    const place = through(read);
    for (const [text, at] of own) {
      const placed = isHere ? at : at.map(place);
      // What an index computes from the variables, such as a limit, is not looked into.
      const isComputed = !isHere && at.some(hasValue);
      found.set(isHere ? text : isComputed ? `${text} at ${textOf(index)}` : textOf(placed), placed);
    }
  }
  return found ?? only ?? none;
}

function hasValue(x: Index): boolean {
  let has = false;
  visitValues(x, () => (has = true));
  return has;
}

const none: Positions = new Map();

/** So many positions are worth computing again, for each array: what is fused moves less memory. */
export const areTooMany = (positions: Positions, arrays: number): boolean => positions.size > 32 + 4 * arrays;
