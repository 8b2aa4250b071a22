/**
 * Reductions of a kernel in groups that share a loop: those at the same place, over the same extents, none of which needs
 * another's result. Members of a group use the same variables afterwards, so that what they load is loaded once.
 */
import type { IndexVar } from "../../core/indexing.ts";
import { varIndex } from "../../core/indexing.ts";
import { type Expr, type Reduction, eachOperand } from "../../core/scalar.ts";
import type { FusedKernel } from "../fusedKernel.ts";
import { Rewriter, visitExprs } from "../loopNest/rewrite.ts";
import { Sharer } from "../loopNest/share.ts";
import { coalesce } from "./coalesce.ts";
import { Dependencies } from "./scopes.ts";

export interface ReductionGroup {
  readonly vars: readonly IndexVar[];
  readonly reductions: readonly Reduction[];
  /** Variables of loops outside. */
  readonly free: ReadonlySet<IndexVar>;
}

/** Shares equal expressions and unifies the variables of reductions that can run together. */
function shareReductions(kernel: FusedKernel): FusedKernel {
  const sharer = new Sharer();
  const shared = { ...kernel, stores: kernel.stores.map((s) => ({ ...s, value: sharer.expr(s.value) })) };
  const rename = new Map<IndexVar, IndexVar>();
  for (const { vars, reductions } of groupsOf(shared))
    for (const r of reductions) r.vars.forEach((v, i) => v !== vars[i] && rename.set(v, vars[i]!));
  if (rename.size === 0) return shared;
  const rewriter = new Rewriter({
    variable: (v) => (rename.has(v) ? varIndex(rename.get(v)!) : null),
    loops: (vars) => vars.map((v) => rename.get(v) ?? v),
  });
  return {
    ...shared,
    stores: shared.stores.map((s) => ({ ...s, value: sharer.expr(rewriter.expr(s.value)) })),
  };
}

/** The kernel with adjacent loops merged, equal expressions shared, and reductions together. */
export function normalized(kernel: FusedKernel): FusedKernel {
  const shared = shareReductions(kernel);
  const merged = coalesce(shared);
  return merged === shared ? shared : shareReductions(merged);
}

const known = new WeakMap<FusedKernel, readonly ReductionGroup[]>();
/** The groups, each after those whose results it needs. */
export function groupsOf(kernel: FusedKernel): readonly ReductionGroup[] {
  let groups = known.get(kernel);
  if (!groups) known.set(kernel, (groups = findGroups(kernel)));
  return groups;
}
function findGroups(kernel: FusedKernel): ReductionGroup[] {
  const dependencies = new Dependencies();
  const found: Reduction[] = [];
  const seen = new Set<Reduction>();
  visitExprs(
    kernel.stores.map((s) => s.value),
    (e) => {
      if (e.kind !== "reduced" || seen.has(e.reduction)) return;
      seen.add(e.reduction);
      found.push(e.reduction);
    },
  );
  const stages = new Map<Reduction, number>();
  const stageOf = (r: Reduction): number => {
    let known = stages.get(r);
    if (known === undefined) {
      known = 0;
      const inside = new Set<Expr>();
      const visit = (e: Expr): void => {
        if (inside.has(e)) return;
        inside.add(e);
        if (e.kind === "reduced") known = Math.max(known!, 1 + stageOf(e.reduction));
        else eachOperand(e, visit);
      };
      r.body.forEach(visit);
      stages.set(r, known);
    }
    return known;
  };
  const groups = new Map<string, { vars: readonly IndexVar[]; reductions: Reduction[]; free: ReadonlySet<IndexVar> }>();
  for (const r of found) {
    const free = dependencies.ofReduction(r);
    const outside = [...free].map((v) => v.id).sort((a, b) => a - b);
    const key = `${stageOf(r)};${outside.join()};${r.vars.map((v) => v.extent).join()}`;
    const group = groups.get(key);
    if (group) group.reductions.push(r);
    else groups.set(key, { vars: r.vars, reductions: [r], free });
  }
  return [...groups.entries()].sort(([a], [b]) => parseInt(a) - parseInt(b)).map(([, g]) => g);
}
