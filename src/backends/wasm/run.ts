/**
 * Runs: statements in a row without loops or conditions. Their expressions are one graph, in which each node is computed
 * once. Selects with the same condition are looked at together: if their operands on one side take long to compute and are
 * used for nothing else, a branch can skip them.
 */
import type { Buffer, Expr, Local, Select } from "../../core/scalar.ts";
import { type Stmt, visitExprsOf } from "../../compiler/loopNest/loopNest.ts";
import { operandsOf } from "../../compiler/loopNest/rewrite.ts";

/** Operands of selects that one branch skips. */
export interface Skip {
  readonly condition: Expr;
  /** Whether the operands are those for a condition that holds. */
  readonly ifTrue: boolean;
  readonly operands: readonly Expr[];
  /** What they share with the rest of the run: it must be computed before the branch. */
  readonly shared: readonly Expr[];
}

/** Nodes that are worth a branch around them, if the other side of the select has as many as the second number. */
const longComputation = 48;
const shortComputation = 8;

export class Run {
  readonly #uses = new Map<Expr, number>();
  readonly #selects = new Map<Expr, Select[]>();
  readonly #skips = new Map<Expr, Skip | null>();
  readonly #fixed = new Map<Expr, boolean>();
  readonly #bound = new Set<Local>();
  readonly #stored: ReadonlySet<Buffer>;

  /** @param stored the buffers whose contents change while the kernel runs. */
  constructor(stmts: readonly Stmt[], stored: ReadonlySet<Buffer>) {
    this.#stored = stored;
    for (const s of stmts) {
      if (s.kind === "let" || s.kind === "declare") this.#bound.add(s.local);
      visitExprsOf(s, (e) => {
        const n = this.#uses.get(e) ?? 0;
        this.#uses.set(e, n + 1);
        if (n === 0 && e.kind === "select") this.#note(e);
        return n === 0;
      });
    }
  }
  #note(e: Select): void {
    const same = this.#selects.get(e.condition);
    if (same) same.push(e);
    else this.#selects.set(e.condition, [e]);
  }

  /** Whether the value is wanted more than once. */
  isShared(e: Expr): boolean {
    return this.#uses.get(e) !== 1;
  }
  /** Makes it so, where the code generator itself comes back to a value. */
  share(e: Expr): void {
    if (this.#uses.get(e) === 1) this.#uses.set(e, 2);
  }

  /** What a branch on the condition of a select is worth skipping. */
  skip({ condition }: Select): Skip | null {
    let known = this.#skips.get(condition);
    if (known === undefined) this.#skips.set(condition, (known = this.#find(condition)));
    return known;
  }
  #find(condition: Expr): Skip | null {
    if (!this.#isFixed(condition)) return null;
    for (const ifTrue of [false, true]) {
      let selects = this.#selects.get(condition)!.filter((s) => this.#isFixed(s));
      let { inside, met } = this.#onlyFor(selects, ifTrue);
      // A select inside an operand of another one is not there where the branch is not taken.
      while (selects.some((s) => inside.has(s))) {
        selects = selects.filter((s) => !inside.has(s));
        ({ inside, met } = this.#onlyFor(selects, ifTrue));
      }
      if (inside.size < longComputation || this.#onlyFor(selects, !ifTrue).inside.size < shortComputation) continue;
      const others = new Set(selects.map((s) => (ifTrue ? s.y : s.x)));
      const operands = new Set(selects.map((s) => (ifTrue ? s.x : s.y)));
      return {
        condition,
        ifTrue,
        operands: [...operands].filter((o) => inside.has(o) && !others.has(o)),
        shared: [...met].filter((x) => !inside.has(x)),
      };
    }
    return null;
  }

  /** The nodes that are used for one side of the selects and nothing else, and all that these use. */
  #onlyFor(
    selects: readonly Select[],
    ifTrue: boolean,
  ): { readonly inside: ReadonlySet<Expr>; readonly met: ReadonlySet<Expr> } {
    const inside = new Set<Expr>();
    const met = new Map<Expr, number>();
    const visit = (x: Expr): void => {
      if (x.kind === "const") return;
      const n = (met.get(x) ?? 0) + 1;
      met.set(x, n);
      if (n === this.#uses.get(x)) inside.add(x);
    };
    for (const s of selects) visit(ifTrue ? s.x : s.y);
    // The set grows while it is walked.
    for (const x of inside) operandsOf(x).forEach(visit);
    return { inside, met: new Set(met.keys()) };
  }

  /** Whether the value is the same wherever in the run it is computed. */
  #isFixed(e: Expr): boolean {
    let known = this.#fixed.get(e);
    if (known === undefined) {
      known =
        e.kind === "local"
          ? !e.local.mutable && !this.#bound.has(e.local)
          : !(e.kind === "load" && this.#stored.has(e.buffer)) && operandsOf(e).every((x) => this.#isFixed(x));
      this.#fixed.set(e, known);
    }
    return known;
  }
}
