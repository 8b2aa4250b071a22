/** Rebuilding expressions and statements: shared nodes stay shared, unchanged ones are kept. */
import { type Index, type IndexValue, type IndexVar, substitute, unflatten, valueIndex } from "../../core/indexing.ts";
import {
  type Buffer,
  type Expr,
  type Reduction,
  binary,
  bitcast,
  compare,
  convert,
  eachOperand,
  load,
  ofIndex,
  reduced,
  reduction,
  select,
  unary,
} from "../../core/scalar.ts";
import { type Stmt, loop, store } from "./loopNest.ts";

/** What to replace; null keeps the node and looks inside. */
export interface Replacements {
  readonly variable?: (v: IndexVar) => Index | null;
  readonly buffer?: (b: Buffer) => Buffer;
  readonly expr?: (e: Expr) => Expr | null;
  /** What stands for an expression, or a reduction, that is left over once its parts are rewritten. */
  readonly rebuilt?: (e: Expr) => Expr;
  readonly rebuiltReduction?: (r: Reduction) => Reduction;
  /** New variables of a reduction. */
  readonly loops?: (vars: readonly IndexVar[]) => readonly IndexVar[];
}

/** A function that rewrites expressions, remembering what it has rewritten. */
export class Rewriter {
  readonly #by: Replacements;
  readonly #exprs = new Map<Expr, Expr>();
  readonly #reductions = new Map<Reduction, Reduction>();
  constructor(by: Replacements) {
    this.#by = by;
  }

  expr(e: Expr): Expr {
    let known = this.#exprs.get(e);
    if (!known) {
      const { expr, rebuilt } = this.#by;
      known = expr?.(e) ?? undefined;
      if (!known) {
        known = this.#rebuild(e);
        if (rebuilt) known = rebuilt(known);
      }
      this.#exprs.set(e, known);
    }
    return known;
  }

  index(x: Index): Index {
    return substitute(x, (a) => (a.kind === "var" ? (this.#by.variable?.(a) ?? null) : this.#value(a)));
  }
  #value(a: IndexValue): Index | null {
    const e = this.expr(a.expr);
    return e === a.expr ? null : valueIndex(e, a.min, a.max);
  }

  #rebuild(e: Expr): Expr {
    switch (e.kind) {
      case "const":
      case "local":
        return e;
      case "index": {
        const index = this.index(e.index);
        return index === e.index ? e : ofIndex(index);
      }
      case "load": {
        const buffer = this.#by.buffer?.(e.buffer) ?? e.buffer;
        const index = this.index(e.index);
        return buffer === e.buffer && index === e.index ? e : load(buffer, index);
      }
      case "unary": {
        const x = this.expr(e.x);
        return x === e.x ? e : unary(e.op, x);
      }
      case "convert": {
        const x = this.expr(e.x);
        return x === e.x ? e : convert(x, e.type);
      }
      case "bitcast": {
        const x = this.expr(e.x);
        return x === e.x ? e : bitcast(x, e.type);
      }
      case "binary": {
        const x = this.expr(e.x);
        const y = this.expr(e.y);
        return x === e.x && y === e.y ? e : binary(e.op, x, y, e.contracts);
      }
      case "compare": {
        const x = this.expr(e.x);
        const y = this.expr(e.y);
        return x === e.x && y === e.y ? e : compare(e.op, x, y);
      }
      case "select": {
        const c = this.expr(e.condition);
        const x = this.expr(e.x);
        const y = this.expr(e.y);
        return c === e.condition && x === e.x && y === e.y ? e : select(c, x, y);
      }
      case "reduced": {
        const r = this.reduction(e.reduction);
        return r === e.reduction ? e : reduced(r, e.lane);
      }
    }
  }

  reduction(r: Reduction): Reduction {
    let known = this.#reductions.get(r);
    if (!known) {
      const vars = this.#by.loops?.(r.vars) ?? r.vars;
      const body = r.body.map((b) => this.expr(b));
      const same = vars === r.vars && body.every((b, i) => b === r.body[i]);
      known = same ? r : reduction(vars, r.types, r.init, r.combine, body);
      if (this.#by.rebuiltReduction) known = this.#by.rebuiltReduction(known);
      this.#reductions.set(r, known);
    }
    return known;
  }
}

/** A rewriter that puts indices in the place of variables, and what `expr` gives in the place of expressions. */
export const placing = (places: ReadonlyMap<IndexVar, Index>, expr: Replacements["expr"] = () => null): Rewriter =>
  new Rewriter({ variable: (v) => places.get(v) ?? null, expr });

/** The positions of variables whose flat number is known. */
export function placesOf(vars: readonly IndexVar[], flat: Index): Map<IndexVar, Index> {
  const indices = unflatten(
    flat,
    vars.map((v) => v.extent),
  );
  return new Map(vars.map((v, i) => [v, indices[i]!]));
}

/** Calls `f` for every node of a DAG once, operands first; reductions' bodies included. */
export function visitExprs(roots: readonly Expr[], f: (e: Expr) => void): void {
  const seen = new Set<Expr | Reduction>();
  const visit = (e: Expr): void => {
    if (seen.has(e)) return;
    seen.add(e);
    eachOperand(e, visit);
    if (e.kind === "reduced" && !seen.has(e.reduction)) {
      seen.add(e.reduction);
      e.reduction.body.forEach(visit);
    }
    f(e);
  };
  roots.forEach(visit);
}

/**
 * Statements with their expressions and indices rewritten.
 * @param instead what stands for a statement; null: itself, rewritten.
 */
export function rewriteStmts(
  body: readonly Stmt[],
  rewriter: Rewriter,
  instead: (s: Stmt) => readonly Stmt[] | null = () => null,
): Stmt[] {
  return body.flatMap((s): readonly Stmt[] => {
    const other = instead(s);
    if (other) return other;
    switch (s.kind) {
      case "for":
        return [loop(s.loop, s.variable, rewriteStmts(s.body, rewriter, instead), s.count)];
      case "if": {
        const { kind } = s;
        return [{ kind, condition: rewriter.expr(s.condition), body: rewriteStmts(s.body, rewriter, instead) }];
      }
      case "barrier":
        return [s];
      case "store":
        return [store(s.buffer, rewriter.index(s.index), rewriter.expr(s.value))];
      default: {
        const { kind, local } = s;
        return [{ kind, local, value: rewriter.expr(s.value) }];
      }
    }
  });
}
