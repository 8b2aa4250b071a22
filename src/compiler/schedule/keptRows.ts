/**
 * What a reduction along a row computes and results of the row need again, for example the exponentials of a softmax. If it
 * costs more than a store and a load it is computed once and kept in scratch memory: a row lies in a cache.
 */
import { type IndexVar, factorOf, varIndex } from "../../core/indexing.ts";
import { type Buffer, type Expr, type Reduction, eachOperand, load, newBuffer } from "../../core/scalar.ts";
import type { FusedKernel, FusedStore } from "../fusedKernel.ts";
import { Rewriter } from "../loopNest/rewrite.ts";
import { Sharer } from "../loopNest/share.ts";
import { type ReductionGroup, groupsOf } from "./reductions.ts";
import { Dependencies } from "./scopes.ts";

/** A value of every element of a row, in terms of the variable of the reductions that compute it first. */
export interface KeptRow {
  readonly value: Expr;
  readonly variable: IndexVar;
  readonly row: Buffer;
}

/** Nodes of a value that is worth keeping. */
const costlyNodes = 16;
/** Shorter rows are in registers at best; longer ones in no near cache. */
const shortest = 80;
const longest = 1 << 16;

/** The kernel with loads of kept rows for what they hold, and who fills them: a reduction of each group. */
export function keepingRows(
  kernel: FusedKernel,
  isFit: (g: ReductionGroup) => boolean,
): { readonly kernel: FusedKernel; readonly kept: ReadonlyMap<Reduction, readonly KeptRow[]> } {
  const kept = new Map<Reduction, KeptRow[]>();
  const dependencies = new Dependencies();
  const stores = kernel.stores.map((s): FusedStore => {
    const [j, ...more] = s.inner;
    if (!j || more.length > 0 || j.extent < shortest || j.extent > longest || factorOf(s.index, j) !== 1) return s;
    const sharer = new Sharer();
    const computed = new Map<Expr, { readonly value: Expr; readonly variable: IndexVar; readonly by: Reduction }>();
    for (const g of groupsOf(kernel)) {
      const [k, ...others] = g.vars;
      if (others.length > 0 || k!.extent !== j.extent || !isFit(g)) continue;
      const renamed = new Rewriter({ variable: (v) => (v === k ? varIndex(j) : null) });
      for (const r of g.reductions)
        for (const value of nodesOf(r.body))
          computed.set(sharer.expr(renamed.expr(value)), { value, variable: k!, by: g.reductions[0]! });
    }
    if (computed.size === 0) return s;
    const rewriter = new Rewriter({
      expr: (e) => {
        const same = e.type === "f32" ? computed.get(sharer.expr(e)) : undefined;
        if (!same || !dependencies.of(e).has(j) || nodesOf([e]).size < costlyNodes) return null;
        const { value, variable, by } = same;
        const rows = kept.get(by) ?? [];
        let known = rows.find((r) => r.value === value);
        if (!known) {
          known = { value, variable, row: newBuffer(`row${kept.size}`, "f32", j.extent, "private") };
          kept.set(by, [...rows, known]);
        }
        return load(known.row, varIndex(j));
      },
    });
    return { ...s, value: rewriter.expr(s.value) };
  });
  return kept.size > 0 ? { kernel: { ...kernel, stores }, kept } : { kernel, kept };
}

/** The nodes of expressions, those of reductions in them excepted. */
function nodesOf(roots: readonly Expr[]): Set<Expr> {
  const seen = new Set(roots);
  for (const e of seen) eachOperand(e, (x) => void seen.add(x));
  return seen;
}
