/**
 * Lanes that meet no bounds. Where operands are padded, most lanes read what is there, side by side; only at the edges do
 * conditions decide, and loads stay within bounds by being clamped. Whether all lanes of a vector are inside is found out
 * from the first or the last one: bounds of an index that grows evenly.
 */
import { type Index, type IndexVar, constantIndex, factorOf, substitute } from "../../core/indexing.ts";
import {
  type Binary,
  type CompareOp,
  type Expr,
  type IndexExpr,
  bool,
  both,
  compare,
  i32,
  ofIndex,
} from "../../core/scalar.ts";
import { Rewriter, visitExprs } from "../loopNest/rewrite.ts";

export interface Inside {
  /** Whether all comparisons of indices hold, and no bound is met, in all lanes. */
  readonly condition: Expr;
  /** The value where that is so. */
  readonly value: Expr;
}

/** Comparisons as those with a least or a greatest whole number. */
const limits: Readonly<Partial<Record<CompareOp | "min" | "max", readonly ["ge" | "le", number]>>> = {
  ge: ["ge", 0],
  gt: ["ge", 1],
  le: ["le", 0],
  lt: ["le", -1],
  max: ["ge", 0],
  min: ["le", 0],
};
const flipped: Readonly<Partial<Record<CompareOp, CompareOp>>> = { ge: "le", le: "ge", gt: "lt", lt: "gt" };

/** What a value is inside; null if it has no conditions on indices, or such that are not even along the lanes. */
export function insideOf(value: Expr, lane: IndexVar): Inside | null {
  const settled = new Map<Expr, Expr>();
  /** The strongest limit of each index and direction. */
  const needed = new Map<string, { readonly index: Index; readonly op: "ge" | "le"; readonly limit: number }>();
  let isEven = true;
  visitExprs([value], (e) => {
    if (e.kind !== "compare" && !isBound(e)) return;
    const [x, y, op] = e.y.kind === "const" ? [e.x, e.y, e.op] : [e.y, e.x, isBound(e) ? e.op : flipped[e.op]];
    const under = indexUnder(x);
    if (!under || y.kind !== "const") return;
    const step = factorOf(under.index, lane);
    const limit = limits[op as CompareOp];
    if (step === null || !limit) return void (isEven = false);
    settled.set(e, isBound(e) ? under : bool(true));
    const [direction, more] = limit;
    const isFirst = (direction === "ge") === step >= 0;
    const end = constantIndex(isFirst ? 0 : lane.extent - 1);
    const index = substitute(under.index, (a) => (a === lane ? end : null));
    const key = `${direction}${index.key}`;
    const at = y.value + more;
    const known = needed.get(key)?.limit ?? at;
    needed.set(key, { index, op: direction, limit: direction === "ge" ? Math.max(known, at) : Math.min(known, at) });
  });
  if (!isEven || needed.size === 0) return null;
  const condition = [...needed.values()].map(({ index, op, limit }) => compare(op, ofIndex(index), i32(limit)));
  return {
    condition: condition.reduce(both),
    value: new Rewriter({ expr: (e) => settled.get(e) ?? null }).expr(value),
  };
}

const isBound = (e: Expr): e is Binary => e.kind === "binary" && (e.op === "min" || e.op === "max");
/** The index that an expression is but for bounds. */
function indexUnder(e: Expr): IndexExpr | null {
  if (e.kind === "index") return e;
  if (!isBound(e)) return null;
  return indexUnder(e.y.kind === "const" ? e.x : e.y);
}
