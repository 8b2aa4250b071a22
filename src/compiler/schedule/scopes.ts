/**
 * Placing expressions into statements. Scopes are the loops open at the moment, outermost first; an expression is
 * computed in the outermost scope that knows its variables, and bound to a local there if it is used again or if the use
 * is deeper. So nothing is computed more often than its variables change.
 */
import { type Index, type IndexVar, substitute, valueIndex } from "../../core/indexing.ts";
import type { Expr, Local, Reduction } from "../../core/scalar.ts";
import {
  binary,
  bitcast,
  compare,
  convert,
  eachOperand,
  load,
  newLocal,
  ofIndex,
  readLocal,
  select,
  unary,
} from "../../core/scalar.ts";
import { unreachable } from "../../core/problem.ts";
import { type LoopKind, type Stmt, loop } from "../loopNest/loopNest.ts";
import { visitExprs } from "../loopNest/rewrite.ts";

interface Scope {
  readonly loop: LoopKind | null;
  readonly variable: IndexVar | null;
  readonly stmts: Stmt[];
  /** Expressions whose value here is known, and what stands for them. */
  readonly known: Map<Expr, Expr>;
}

/** The variables an expression depends on, those of its own reductions excepted. */
export class Dependencies {
  readonly #of = new Map<Expr, ReadonlySet<IndexVar>>();
  readonly #locals = new Map<Local, ReadonlySet<IndexVar>>();
  readonly #none: ReadonlySet<IndexVar> = new Set();
  /** Variables that every reduction counts as depending on: it is not computed outside of their loops. */
  reductionsIn: readonly IndexVar[] = [];

  /** Makes what reads a local belong where some variables are known. */
  bind(local: Local, vars: readonly IndexVar[]): void {
    this.#locals.set(local, new Set(vars));
  }
  of(e: Expr): ReadonlySet<IndexVar> {
    let known = this.#of.get(e);
    if (!known) this.#of.set(e, (known = this.#compute(e)));
    return known;
  }
  ofIndex(x: Index): ReadonlySet<IndexVar> {
    const out = new Set<IndexVar>();
    const visit = (i: Index): void => {
      for (const { atom } of i.terms)
        if (atom.kind === "var") out.add(atom);
        else if (atom.kind === "value") for (const v of this.of(atom.expr)) out.add(v);
        else visit(atom.of);
    };
    visit(x);
    return out;
  }
  ofReduction(r: Reduction): ReadonlySet<IndexVar> {
    const out = new Set<IndexVar>(this.reductionsIn);
    for (const b of r.body) for (const v of this.of(b)) out.add(v);
    for (const v of r.vars) out.delete(v);
    return out;
  }

  #compute(e: Expr): ReadonlySet<IndexVar> {
    if (e.kind === "const") return this.#none;
    if (e.kind === "local") return this.#locals.get(e.local) ?? this.#none;
    if (e.kind === "reduced") return this.ofReduction(e.reduction);
    if (e.kind === "load" || e.kind === "index") return this.ofIndex(e.index);
    let all: ReadonlySet<IndexVar> = this.#none;
    eachOperand(e, (x) => (all = union(all, this.of(x))));
    return all;
  }
}

/** Whether a loop is not worth one: some loops mean something even so. */
const isOnce = (loop: LoopKind, { extent }: IndexVar): boolean =>
  extent === 1 && loop !== "block" && loop !== "thread" && loop !== "call";

/** One of the two sets where it holds the other. */
function union(a: ReadonlySet<IndexVar>, b: ReadonlySet<IndexVar>): ReadonlySet<IndexVar> {
  if (a === b || b.size === 0) return a;
  if (a.size === 0) return b;
  const missing = [...b].filter((v) => !a.has(v));
  return missing.length === 0 ? a : new Set([...a, ...missing]);
}

export abstract class Scopes {
  protected scopes: Scope[] = [];
  protected readonly dependencies = new Dependencies();
  readonly #uses = new Map<Expr, number>();
  #names = 0;

  /** Counts uses, so that what is used twice is bound. */
  protected countUses(roots: readonly Expr[]): void {
    const use = (x: Expr): void => void this.#uses.set(x, (this.#uses.get(x) ?? 0) + 1);
    visitExprs(roots, (e) => {
      eachOperand(e, use);
      if (e.kind === "reduced") e.reduction.body.forEach(use);
    });
    roots.forEach(use);
  }

  /** Runs `f` in a new outermost scope and gives its statements. */
  protected top(f: () => void): Stmt[] {
    this.scopes = [{ loop: null, variable: null, stmts: [], known: new Map() }];
    f();
    return this.scopes[0]!.stmts;
  }

  /** Runs `f` inside a loop, which is added to the scope around it. */
  protected within(loop: LoopKind, variable: IndexVar, f: () => void, count?: Local): void {
    if (isOnce(loop, variable)) return f();
    this.#open(loop, variable);
    f();
    this.#close(loop, variable, count);
  }
  /** Loops inside each other. */
  protected nested(loop: LoopKind, vars: readonly IndexVar[], f: () => void): void {
    const loops = vars.filter((v) => !isOnce(loop, v));
    for (const v of loops) this.#open(loop, v);
    f();
    for (const v of loops.reverse()) this.#close(loop, v);
  }
  #open(loop: LoopKind, variable: IndexVar): void {
    this.scopes.push({ loop, variable, stmts: [], known: new Map() });
  }
  #close(kind: LoopKind, variable: IndexVar, count?: Local): void {
    this.emit(loop(kind, variable, this.scopes.pop()!.stmts, count));
  }

  /** Runs `f` under a condition. What depends on the variable is computed only if the condition holds. */
  protected guarded(condition: Expr, variable: IndexVar, f: () => void): void {
    if (condition.kind === "const" && condition.value) return f();
    this.scopes.push({ loop: null, variable, stmts: [], known: new Map() });
    f();
    const { stmts } = this.scopes.pop()!;
    this.emit({ kind: "if", condition, body: stmts });
  }

  protected emit(s: Stmt): void {
    this.scopes.at(-1)!.stmts.push(s);
  }

  /** Runs `f` as if the scopes deeper than one were not open: what it emits comes before them. */
  protected at(level: number, f: () => void): void {
    const deeper = this.scopes.splice(level + 1);
    f();
    this.scopes.push(...deeper);
  }

  /** The outermost scope that has all variables. */
  protected levelOf(vars: ReadonlySet<IndexVar>): number {
    for (let i = this.scopes.length - 1; i > 0; i--) if (vars.has(this.scopes[i]!.variable!)) return i;
    return 0;
  }

  protected local(prefix: string, type: Local["type"], mutable = false): Local {
    return newLocal(`${prefix}${this.#names++}`, type, mutable);
  }

  /** What to write for an expression in the innermost scope. */
  protected place(e: Expr): Expr {
    if (e.kind === "const" || e.kind === "local") return e;
    const level = this.levelOf(this.dependencies.of(e));
    const scope = this.scopes[level]!;
    const known = scope.known.get(e);
    if (known) return known;
    const deeper = level < this.scopes.length - 1;
    let placed!: Expr;
    // Operands of a hoisted expression must be placed where it is, not where it is used.
    if (deeper) this.at(level, () => (placed = this.#built(e)));
    else placed = this.#built(e);
    if (isWork(placed) && (deeper || (this.#uses.get(e) ?? 0) > 1)) {
      const local = this.local("t", placed.type);
      scope.stmts.push({ kind: "let", local, value: placed });
      placed = readLocal(local);
    }
    scope.known.set(e, placed);
    return placed;
  }

  /** An index whose run-time values are placed. */
  protected placeIndex(x: Index): Index {
    return substitute(x, (a) => {
      if (a.kind === "var") return null;
      const placed = this.place(a.expr);
      return placed === a.expr ? null : valueIndex(placed, a.min, a.max);
    });
  }

  #built(e: Expr): Expr {
    switch (e.kind) {
      case "const":
      case "local":
        return e;
      case "index":
        return ofIndex(this.placeIndex(e.index));
      case "load":
        return load(e.buffer, this.placeIndex(e.index));
      case "unary":
        return unary(e.op, this.place(e.x));
      case "convert":
        return convert(this.place(e.x), e.type);
      case "bitcast":
        return bitcast(this.place(e.x), e.type);
      case "binary":
        return binary(e.op, this.place(e.x), this.place(e.y), e.contracts);
      case "compare":
        return compare(e.op, this.place(e.x), this.place(e.y));
      case "select":
        return select(this.place(e.condition), this.place(e.x), this.place(e.y));
      case "reduced":
        return this.placeReduced(e.reduction, e.lane);
    }
  }

  /** What to write for a reduction's lane; called with the scope of its free variables innermost. */
  protected placeReduced(r: Reduction, lane: number): Expr {
    return unreachable(`reduction ${r.id} has no place, lane ${lane}`);
  }
}

/** Whether an expression costs anything to repeat. */
const isWork = (e: Expr): boolean =>
  e.kind !== "const" &&
  e.kind !== "local" &&
  !(e.kind === "index" && e.index.terms.every(({ atom }) => atom.kind === "var" || atom.kind === "value"));
