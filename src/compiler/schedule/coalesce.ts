/**
 * Merging adjacent loops that every index walks through as one: rows of a contiguous array become one long loop, so that
 * vectors and grids see it whole.
 */
import {
  type Index,
  type IndexVar,
  factorOf,
  floorDiv,
  indexVar,
  mentions,
  modulo,
  varIndex,
} from "../../core/indexing.ts";
import type { Expr } from "../../core/scalar.ts";
import { type FusedKernel, rewriteStores } from "../fusedKernel.ts";
import { Rewriter, visitExprs } from "../loopNest/rewrite.ts";

export function coalesce(kernel: FusedKernel): FusedKernel {
  const indices: Index[] = kernel.stores.map((s) => s.index);
  const lists = new Map<string, readonly IndexVar[]>();
  const note = (vars: readonly IndexVar[]): void => {
    if (vars.length > 1) lists.set(vars.map((v) => v.id).join(), vars);
  };
  note(kernel.rows);
  for (const s of kernel.stores) note(s.inner);
  visitExprs(
    kernel.stores.map((s) => s.value),
    (e: Expr) => {
      if (e.kind === "load" || e.kind === "index") indices.push(e.index);
      if (e.kind === "reduced") note(e.reduction.vars);
    },
  );
  const merged = mergedRuns([...lists.values()], indices);
  if (merged.size === 0) return kernel;
  const places = new Map<IndexVar, Index>();
  for (const [run, to] of merged) {
    let below = 1;
    for (const v of [...run].reverse()) {
      places.set(v, modulo(floorDiv(varIndex(to), below), v.extent));
      below *= v.extent;
    }
  }
  const replace = (vars: readonly IndexVar[]): readonly IndexVar[] => {
    const out: IndexVar[] = [];
    for (const v of vars) {
      const run = [...merged].find(([r]) => r.includes(v));
      if (!run) out.push(v);
      else if (run[0][0] === v) out.push(run[1]);
    }
    return out;
  };
  const rewriter = new Rewriter({ variable: (v) => places.get(v) ?? null, loops: replace });
  return {
    ...kernel,
    rows: replace(kernel.rows),
    stores: rewriteStores(kernel.stores, rewriter).map((s) => ({ ...s, inner: replace(s.inner) })),
  };
}

/** Runs of variables that can be one, with that one. Variables of several lists must be neighbours in all of them. */
function mergedRuns(
  lists: readonly (readonly IndexVar[])[],
  indices: readonly Index[],
): Map<readonly IndexVar[], IndexVar> {
  const runs = new Map<readonly IndexVar[], IndexVar>();
  const seen = new Set<IndexVar>();
  for (const vars of lists) {
    if (vars.some((v) => seen.has(v))) continue;
    const sharing = lists.filter((l) => l !== vars && l.some((v) => vars.includes(v)));
    vars.forEach((v) => seen.add(v));
    if (sharing.length > 0) continue;
    let run: IndexVar[] = [vars[0]!];
    const close = (): void => {
      if (run.length > 1)
        runs.set(
          run,
          indexVar(
            run[0]!.name,
            run.reduce((n, v) => n * v.extent, 1),
          ),
        );
    };
    for (const v of vars.slice(1)) {
      if (walksAsOne(run.at(-1)!, v, indices)) run.push(v);
      else {
        close();
        run = [v];
      }
    }
    close();
  }
  return runs;
}

/** Whether every index steps over the inner variable's whole range for one step of the outer. */
const walksAsOne = (outer: IndexVar, inner: IndexVar, indices: readonly Index[]): boolean =>
  indices.every((x) => {
    if (!mentions(x, outer) && !mentions(x, inner)) return true;
    const [a, b] = [factorOf(x, outer), factorOf(x, inner)];
    return a !== null && b !== null && a === b * inner.extent;
  });
