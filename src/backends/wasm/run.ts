/**
 * Runs: statements in a row without loops or conditions. Their expressions are one graph, in which each node is computed
 * once. Selects with the same condition are looked at together: if their operands on one side take long to compute and are
 * used for nothing else, a branch can skip them.
 */
import { type Buffer, type Expr, type Local, type Select, eachOperand, operandsOf } from "../../core/scalar.ts";
import { type Stmt, visitExprsOf } from "../../compiler/loopNest/loopNest.ts";

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

/** Whether a statement is part of a run; others are alone. */
export const isPlain = (s: Stmt): boolean => s.kind !== "for" && s.kind !== "if" && s.kind !== "barrier";

/** The runs of a body. */
export function runsOf(body: readonly Stmt[], stored: ReadonlySet<Buffer>): Run[] {
  const runs: Run[] = [];
  for (let i = 0; i < body.length;) {
    let end = i;
    while (end < body.length && isPlain(body[end]!)) end++;
    end = Math.max(end, i + 1);
    runs.push(new Run(body.slice(i, end), stored));
    i = end;
  }
  return runs;
}

export class Run {
  readonly stmts: readonly Stmt[];
  readonly #uses = new Map<Expr, number>();
  readonly #stored: ReadonlySet<Buffer>;
  readonly #skips = new Map<Expr, Skip | null>();
  #selects: Selects | null = null;

  /** @param stored the buffers whose contents change while the kernel runs. */
  constructor(stmts: readonly Stmt[], stored: ReadonlySet<Buffer>) {
    this.stmts = stmts;
    this.#stored = stored;
    for (const s of stmts)
      visitExprsOf(s, (e) => {
        const n = this.#uses.get(e) ?? 0;
        this.#uses.set(e, n + 1);
        return n === 0;
      });
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
    const { byCondition, fixed } = (this.#selects ??= selectsOf(this.stmts, this.#stored));
    if (!fixed(condition)) return null;
    for (const ifTrue of [false, true]) {
      let selects = byCondition.get(condition)!.filter(fixed);
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
    for (const x of inside) eachOperand(x, visit);
    return { inside, met: new Set(met.keys()) };
  }
}

/** The selects of a run. */
interface Selects {
  readonly byCondition: ReadonlyMap<Expr, readonly Select[]>;
  /** Whether a value is the same wherever in the run it is computed. */
  readonly fixed: (e: Expr) => boolean;
}
function selectsOf(stmts: readonly Stmt[], stored: ReadonlySet<Buffer>): Selects {
  const byCondition = new Map<Expr, Select[]>();
  const bound = new Set<Local>();
  const seen = new Set<Expr>();
  for (const s of stmts) {
    if (s.kind === "let" || s.kind === "declare") bound.add(s.local);
    visitExprsOf(s, (e) => {
      if (seen.has(e)) return false;
      seen.add(e);
      if (e.kind === "select") byCondition.set(e.condition, [...(byCondition.get(e.condition) ?? []), e]);
      return true;
    });
  }
  const known = new Map<Expr, boolean>();
  const fixed = (e: Expr): boolean => {
    let is = known.get(e);
    if (is === undefined) {
      is =
        e.kind === "local"
          ? !e.local.mutable && !bound.has(e.local)
          : !(e.kind === "load" && stored.has(e.buffer)) && operandsOf(e).every(fixed);
      known.set(e, is);
    }
    return is;
  };
  return { byCondition, fixed };
}
