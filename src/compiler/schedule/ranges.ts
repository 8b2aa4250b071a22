/**
 * What the ranges of indices decide: comparisons that hold everywhere, bounds that are never met. Where a loop is cut in
 * parts, most conditions of padding, windows and joined arrays are settled in the largest part.
 */
import { type Index, type IndexVar, factorOf, visitAtoms } from "../../core/indexing.ts";
import { type CompareOp, type Expr, bool } from "../../core/scalar.ts";
import { Rewriter, visitExprs } from "../loopNest/rewrite.ts";

/** An index against a number: `e op at`. */
export interface Condition {
  readonly index: Index;
  readonly op: CompareOp | "min" | "max";
  readonly at: number;
}
const flipped: Readonly<Record<CompareOp, CompareOp>> = { eq: "eq", ne: "ne", lt: "gt", gt: "lt", le: "ge", ge: "le" };

/** A comparison of an index with a number, or a bound that it is given; null for everything else. */
export function conditionOf(e: Expr): Condition | null {
  const isBound = e.kind === "binary" && (e.op === "min" || e.op === "max");
  if (e.kind !== "compare" && !isBound) return null;
  const { x, y } = e;
  const op = e.op as Condition["op"];
  if (x.kind === "index" && y.kind === "const") return { index: x.index, op, at: y.value };
  if (y.kind !== "index" || x.kind !== "const") return null;
  return { index: y.index, op: op === "min" || op === "max" ? op : flipped[op], at: x.value };
}

/** Bounds of a whole number, if they are known: of indices, and choices among known numbers. */
function boundsOf(e: Expr): readonly [number, number] | null {
  if (e.type !== "i32") return null;
  if (e.kind === "const") return [e.value, e.value];
  if (e.kind === "index") return [e.index.min, e.index.max];
  if (e.kind !== "select") return null;
  const [x, y] = [boundsOf(e.x), boundsOf(e.y)];
  return x && y && [Math.min(x[0], y[0]), Math.max(x[1], y[1])];
}

/** An expression, or what ranges make of it. */
export function settled(e: Expr): Expr {
  const isBound = e.kind === "binary" && (e.op === "min" || e.op === "max");
  if (e.kind !== "compare" && !isBound) return e;
  const [x, y] = [boundsOf(e.x), boundsOf(e.y)];
  if (!x || !y) return e;
  const [less, more] = [x[1] < y[0], x[0] > y[1]];
  const [lessOrEqual, moreOrEqual] = [x[1] <= y[0], x[0] >= y[1]];
  const known = (yes: boolean, no: boolean): Expr => (yes ? bool(true) : no ? bool(false) : e);
  switch (e.op) {
    case "max":
      return moreOrEqual ? e.x : lessOrEqual ? e.y : e;
    case "min":
      return lessOrEqual ? e.x : moreOrEqual ? e.y : e;
    case "ge":
      return known(moreOrEqual, less);
    case "lt":
      return known(less, moreOrEqual);
    case "gt":
      return known(more, lessOrEqual);
    case "le":
      return known(lessOrEqual, more);
    case "eq":
      return known(false, less || more);
    case "ne":
      return known(less || more, false);
    default:
      return e;
  }
}

/** A rewriter that puts indices in the place of variables, and settles what their ranges decide. */
export const settling = (places: ReadonlyMap<IndexVar, Index>): Rewriter =>
  new Rewriter({ variable: (v) => places.get(v) ?? null, rebuilt: settled });

/** The variables that conditions in expressions depend on together with another one. */
export function metIn(roots: readonly Expr[], v: IndexVar): ReadonlySet<IndexVar> {
  const met = new Set<IndexVar>();
  visitExprs(roots, (e) => {
    const c = conditionOf(e);
    if (c && factorOf(c.index, v)) visitAtoms(c.index, (a) => a.kind === "var" && a !== v && met.add(a));
  });
  return met;
}

/** Where the range of a variable must be cut for conditions on it to be settled between the cuts. */
export function cutsOf(roots: readonly Expr[], v: IndexVar): number[] {
  const cuts = new Set<number>();
  visitExprs(roots, (e) => {
    const c = conditionOf(e);
    const factor = c && factorOf(c.index, v);
    if (!c || !factor) return;
    const most = factor * (v.extent - 1);
    const [low, high] = [c.index.min - Math.min(0, most), c.index.max - Math.max(0, most)];
    // What else the index depends on blurs the place; too far and there is nothing to be won.
    if (2 * (high - low) > Math.abs(most)) return;
    for (const at of thresholds(c))
      for (const rest of [low, high]) {
        // factor · v + rest ≥ at begins or ends to hold here.
        const cut = factor > 0 ? Math.ceil((at - rest) / factor) : Math.floor((at - rest) / factor) + 1;
        if (cut > 0 && cut < v.extent) cuts.add(cut);
      }
  });
  return [...cuts].sort((a, b) => a - b);
}
/** The numbers from which on the truth of a condition changes. */
function thresholds({ op, at }: Condition): readonly number[] {
  if (op === "ge" || op === "lt" || op === "max") return [at];
  return op === "eq" || op === "ne" ? [at, at + 1] : [at + 1];
}
