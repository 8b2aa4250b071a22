/**
 * Whether a kernel may write a result over an operand, and the kernel that does: one buffer in place of two, which targets
 * that forbid two bindings of the same memory need.
 */
import type { Buffer, Expr } from "../core/scalar.ts";
import type { LoopNest, Stmt } from "./loopNest/loopNest.ts";
import { Rewriter, rewriteStmts, visitExprs } from "./loopNest/rewrite.ts";

/**
 * Every element of the operand is read only where the same element of the result is written: in the same body, at the same
 * index, not after the store. Then no iteration sees what another has written.
 */
export function mayOverwrite(nest: LoopNest, operand: Buffer, result: Buffer): boolean {
  if (nest.repeats || operand.storage !== result.storage || operand.length !== result.length) return false;
  let safe = true;
  const check = (body: readonly Stmt[]): void => {
    body.forEach((s, i) => {
      if (s.kind === "for" || s.kind === "if") check(s.body);
      visitExprs(expressionsOf(s), (e) => {
        if (e.kind !== "load" || e.buffer !== operand) return;
        const { key } = e.index;
        safe &&= body.some((t, j) => j >= i && t.kind === "store" && t.buffer === result && t.index.key === key);
        safe &&= !body.some((t, j) => j < i && t.kind === "store" && t.buffer === result && t.index.key === key);
      });
    });
  };
  check(nest.body);
  return safe;
}

/** The expressions that a statement evaluates itself. */
function expressionsOf(s: Stmt): readonly Expr[] {
  switch (s.kind) {
    case "let":
    case "declare":
    case "assign":
    case "store":
      return [s.value];
    case "if":
      return [s.condition];
    default:
      return [];
  }
}

/** The nest with an operand's buffer replaced by a result's, which becomes readable. */
export function overwriting(nest: LoopNest, operand: Buffer, result: Buffer): LoopNest {
  const rewriter = new Rewriter({ buffer: (b) => (b === operand ? result : b) });
  return {
    ...nest,
    params: nest.params
      .filter((p) => p.buffer !== operand)
      .map((p) => (p.buffer === result ? { ...p, access: "readwrite" } : p)),
    body: rewriteStmts(nest.body, rewriter),
  };
}
