/**
 * Lanes that meet no bounds. Where operands are padded, most lanes read what is there, side by side; only at the edges do
 * conditions decide, and loads stay within bounds by being clamped. Whether all lanes of a vector are inside is found out
 * from the first or the last one: bounds of an index that grows evenly.
 */
import { type Index, type IndexVar, constantIndex, factorOf, substitute } from "../../core/indexing.ts";
import { type Expr, bool, both, compare, i32, ofIndex } from "../../core/scalar.ts";
import { Rewriter } from "../loopNest/rewrite.ts";
import { type Condition, conditionOf } from "./ranges.ts";

export interface Inside {
  /** Whether all comparisons of indices hold, and no bound is met, in all lanes. */
  readonly condition: Expr;
  /** The value where that is so. */
  readonly value: Expr;
}

/** An index that must not be less, or greater, than a number. */
interface Limit {
  readonly index: Index;
  readonly op: "ge" | "le";
  readonly at: number;
}
/** What must hold for a comparison to do, or for a bound to change nothing; null if it is not a matter of less or more. */
function limitOf({ index, op, at }: Condition): Limit | null {
  switch (op) {
    case "ge":
    case "max":
      return { index, op: "ge", at };
    case "gt":
      return { index, op: "ge", at: at + 1 };
    case "le":
    case "min":
      return { index, op: "le", at };
    case "lt":
      return { index, op: "le", at: at - 1 };
    default:
      return null;
  }
}

/** What a value is inside; null if it has no conditions on indices, or such that are not even along the lanes. */
export function insideOf(value: Expr, lane: IndexVar): Inside | null {
  /** The strongest limit of each index and direction. */
  const limits = new Map<string, Limit>();
  let isEven = true;
  const need = ({ index, op, at }: Limit, step: number): void => {
    const worst = constantIndex((op === "ge") === step >= 0 ? 0 : lane.extent - 1);
    const there = substitute(index, (a) => (a === lane ? worst : null));
    const key = op + there.key;
    const known = limits.get(key)?.at ?? at;
    limits.set(key, { index: there, op, at: op === "ge" ? Math.max(known, at) : Math.min(known, at) });
  };
  // From the inside out: an index that was bounded on one side is an index again when the other side is looked at.
  const inside = new Rewriter({
    rebuilt: (e) => {
      const condition = conditionOf(e);
      if (!condition) return e;
      const step = factorOf(condition.index, lane);
      const limit = limitOf(condition);
      if (step === null || !limit) {
        isEven = false;
        return e;
      }
      need(limit, step);
      return e.kind === "compare" ? bool(true) : ofIndex(condition.index);
    },
  }).expr(value);
  if (!isEven || limits.size === 0) return null;
  const conditions = [...limits.values()].map(({ index, op, at }) => compare(op, ofIndex(index), i32(at)));
  return { condition: conditions.reduce(both), value: inside };
}
