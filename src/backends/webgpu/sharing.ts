/** What the expressions of a nest have in common: which are used more than once, and what each reads that the nest writes. */
import { type Buffer, type Expr, type Local, operandsOf } from "../../core/scalar.ts";
import { type Stmt, visitExprsOf, visitStmts } from "../../compiler/loopNest/loopNest.ts";

export type Place = Buffer | Local;
const nothing: ReadonlySet<Place> = new Set();

/** The buffers and mutable locals that statements write. A barrier lets other threads' stores be seen. */
export function writtenBy(body: readonly Stmt[]): Set<Place> {
  const places = new Set<Place>();
  visitStmts(body, (s) => {
    if (s.kind === "store") places.add(s.buffer);
    else if (s.kind === "assign" || s.kind === "declare") places.add(s.local);
  });
  return places;
}
export const hasBarrier = (body: readonly Stmt[]): boolean => {
  let found = false;
  visitStmts(body, (s) => void (found ||= s.kind === "barrier"));
  return found;
};

export class Reads {
  readonly #uses = new Map<Expr, number>();
  readonly #reads = new Map<Expr, ReadonlySet<Place>>();
  readonly #written: ReadonlySet<Place>;

  constructor(body: readonly Stmt[]) {
    this.#written = writtenBy(body);
    const open: Expr[] = [];
    const use = (e: Expr): void => {
      const n = this.#uses.get(e) ?? 0;
      this.#uses.set(e, n + 1);
      if (n === 0) open.push(e);
    };
    visitStmts(body, (s) =>
      visitExprsOf(s, (e) => {
        use(e);
        return false;
      }),
    );
    for (let e = open.pop(); e; e = open.pop()) operandsOf(e).forEach(use);
  }

  isShared(e: Expr): boolean {
    return (this.#uses.get(e) ?? 0) > 1;
  }

  /**
   * The expressions to compute before `e`, in order, so that no recursion over it goes deeper than `step`. Chains of
   * thousands of fused operations would exhaust the stack.
   */
  landings(e: Expr, step: number): readonly Expr[] {
    if (this.#uses.size <= step) return [];
    const heights = new Map<Expr, number>();
    const landings: Expr[] = [];
    const open: Expr[] = [e];
    for (let x = open.at(-1); x; x = open.at(-1)) {
      const below = heights.has(x) ? [] : operandsOf(x);
      const unknown = below.filter((y) => !heights.has(y));
      if (unknown.length > 0) {
        open.push(...unknown);
        continue;
      }
      open.pop();
      if (heights.has(x)) continue;
      const height = below.reduce((n, y) => Math.max(n, heights.get(y)! + 1), 0);
      heights.set(x, height % step);
      if (height === step) landings.push(x);
    }
    return landings;
  }

  /** The places an expression reads, of those the nest writes. */
  of(e: Expr): ReadonlySet<Place> {
    const known = this.#reads.get(e);
    if (known) return known;
    let places: ReadonlySet<Place> = nothing;
    const own = e.kind === "load" ? e.buffer : e.kind === "local" ? e.local : null;
    if (own && this.#written.has(own)) places = new Set([own]);
    for (const x of operandsOf(e)) {
      const more = this.of(x);
      if (more.size > 0) places = places.size === 0 ? more : new Set([...places, ...more]);
    }
    this.#reads.set(e, places);
    return places;
  }
}
