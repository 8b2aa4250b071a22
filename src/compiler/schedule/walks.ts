/** Along which variables memory is walked step by step, so that lanes may run there. */
import { type IndexVar, factorOf } from "../../core/indexing.ts";
import type { FusedKernel } from "../fusedKernel.ts";
import { visitExprs } from "../loopNest/rewrite.ts";
import type { ReductionGroup } from "./reductions.ts";

/** Rows with the one last that stores step through one by one: rows are parallel, so any order will do. */
export function walkedLast({ rows, stores }: FusedKernel): readonly IndexVar[] {
  const walked = [...rows].reverse().find((v) => stores.every((s) => factorOf(s.index, v) === 1));
  return walked ? [...rows.filter((v) => v !== walked), walked] : rows;
}

/** Reductions of predicates and of float64 stay scalar. */
export function vectorTypes(kernel: FusedKernel): boolean {
  let ok = true;
  visitExprs(
    kernel.stores.map((s) => s.value),
    (e) => {
      if (e.type === "f64" || (e.kind === "reduced" && e.type === "bool")) ok = false;
      if (e.kind === "reduced" && typeof e.reduction.combine !== "string") ok = false;
    },
  );
  return ok;
}

/** Steps of the loads under a group along a variable: all 0 or 1, some 1? */
export function contiguous({ reductions }: ReductionGroup, v: IndexVar): boolean {
  let some = false;
  let all = true;
  visitExprs(
    reductions.flatMap((r) => r.body),
    (e) => {
      if (e.kind !== "load") return;
      const factor = factorOf(e.index, v);
      if (factor === 1) some = true;
      else if (factor !== 0) all = false;
    },
  );
  return some && all;
}
export const alongReduction = (g: ReductionGroup): boolean =>
  g.vars.at(-1)!.extent >= 8 && contiguous(g, g.vars.at(-1)!);
export const alongRow = (g: ReductionGroup, w: IndexVar): boolean => !g.free.has(w) || contiguous(g, w);
