/**
 * Lets are how schedules say that a value is used twice. Within a run of statements the code generator sees that by itself,
 * and can do better if it sees all of an expression: compute it only on one side of a branch, or choose an instruction for
 * a pattern. So lets that only their own run reads are written out.
 */
import type { Buffer, Expr, Local } from "../../core/scalar.ts";
import { type LoopNest, type Stmt, visitExprsOf, visitStmts } from "../../compiler/loopNest/loopNest.ts";
import { Rewriter, rewriteStmts } from "../../compiler/loopNest/rewrite.ts";
import { isPlain } from "./run.ts";

/** Writes lets out in the run that reads them, unless a statement of the nest may change their value. */
export function inlineLets(nest: LoopNest): LoopNest {
  const stored = new Set<Buffer>();
  let lets = false;
  visitStmts(nest.body, (s) => {
    if (s.kind === "store") stored.add(s.buffer);
    if (s.kind === "let") lets = true;
  });
  if (!lets) return nest;
  const values = new Map<Local, Expr>();
  const runs = new Map<Local, number>();
  const kept = new Set<Local>();
  let run = 0;
  const survey = (body: readonly Stmt[]): void => {
    run++;
    for (const s of body) {
      if (!isPlain(s)) run++;
      if (s.kind === "for" && s.count) kept.add(s.count);
      const seen = new Set<Expr>();
      let changes = false;
      visitExprsOf(s, (e) => {
        if (seen.has(e)) return false;
        seen.add(e);
        if (e.kind === "load" && stored.has(e.buffer)) changes = true;
        if (e.kind === "local" && e.local.mutable) changes = true;
        if (e.kind === "local" && runs.get(e.local) !== run) kept.add(e.local);
        return true;
      });
      if (s.kind === "let") {
        if (changes || runs.has(s.local)) kept.add(s.local);
        values.set(s.local, s.value);
        runs.set(s.local, run);
      }
      if (s.kind === "for" || s.kind === "if") survey(s.body);
      if (!isPlain(s)) run++;
    }
  };
  survey(nest.body);
  if (runs.size === kept.size) return nest;

  const inlined = (local: Local): boolean => values.has(local) && !kept.has(local);
  const rewriter: Rewriter = new Rewriter({
    expr: (e) => (e.kind === "local" && inlined(e.local) ? rewriter.expr(values.get(e.local)!) : null),
  });
  const body = rewriteStmts(nest.body, rewriter, (s) => (s.kind === "let" && inlined(s.local) ? [] : null));
  return { ...nest, body };
}
