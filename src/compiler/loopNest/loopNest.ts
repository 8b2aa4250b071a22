/**
 * Loop nests: kernels as statements, the last form before code. What Halide and TVM call a scheduled stage.
 *
 * A nest owns buffers and a body. Loops say how they run: `block` loops are a grid whose iterations know nothing of each
 * other (workgroups; plain loops on a CPU); `thread` loops divide the work of a block among its threads, all of the same
 * extent, separated by barriers; `serial` loops run in order, `vector` loops 4 lanes at a time, `unroll` loops as copies
 * of their body. `call` loops run once: their body is a function of its own, which all loops that do the same share. It
 * reads locals and variables from outside but assigns none, and private buffers that nothing but `call` loops accesses are
 * its own: undefined at first in every round.
 *
 * `private` scratch is each thread's own, `shared` scratch the block's. A GPU target requires that block loops are outermost
 * (at most 3) and thread loops directly inside them or inside serial loops that contain no other
 * thread-level work; `verifyNest` checks it.
 */
import { type Index, type IndexVar, visitValues } from "../../core/indexing.ts";
import { type Buffer, type Expr, type Local, eachOperand } from "../../core/scalar.ts";

export type LoopKind = "block" | "thread" | "serial" | "vector" | "unroll" | "call";

export interface For {
  readonly kind: "for";
  readonly loop: LoopKind;
  /** Runs over 0 … extent − 1. */
  readonly variable: IndexVar;
  readonly body: readonly Stmt[];
  /** How many of a serial loop's rounds run, one at least: an immutable i32. Loops of different lengths are then the same code. */
  readonly count?: Local;
}
/** Binds an immutable local for the rest of the enclosing body. */
export interface Let {
  readonly kind: "let";
  readonly local: Local;
  readonly value: Expr;
}
/** Declares a mutable local, or assigns to one declared in an enclosing body. */
export interface Assign {
  readonly kind: "declare" | "assign";
  readonly local: Local;
  readonly value: Expr;
}
export interface Store {
  readonly kind: "store";
  readonly buffer: Buffer;
  /** In scalars. */
  readonly index: Index;
  readonly value: Expr;
}
export interface If {
  readonly kind: "if";
  readonly condition: Expr;
  readonly body: readonly Stmt[];
}
/** Every thread of the block gets here before any goes on; shared stores before it are seen after it. */
export interface Barrier {
  readonly kind: "barrier";
}
export type Stmt = For | Let | Assign | Store | If | Barrier;

export interface KernelParam {
  readonly buffer: Buffer;
  readonly access: "read" | "write" | "readwrite";
}

/** How several threads share a kernel. */
export interface Tasks {
  /** The rounds of all block loops, numbered through in order. */
  readonly count: number;
  /** How many a thread takes at a time. */
  readonly grain: number;
}

export interface LoopNest {
  readonly name: string;
  /** Device buffers, in the order launches pass them. */
  readonly params: readonly KernelParam[];
  /** `shared` and `private` buffers. Their contents are undefined at first. */
  readonly scratch: readonly Buffer[];
  readonly body: readonly Stmt[];
  /** Where a CPU may run parts of it on several threads: see `schedule/tasks.ts`. */
  readonly tasks?: Tasks;
  /** Whether some results are computed and stored more than once: operands must still be there the second time. */
  readonly repeats?: boolean;
}

export const loop = (kind: LoopKind, variable: IndexVar, body: readonly Stmt[], count?: Local): For =>
  count ? { kind: "for", loop: kind, variable, body, count } : { kind: "for", loop: kind, variable, body };
export const store = (buffer: Buffer, index: Index, value: Expr): Store => ({ kind: "store", buffer, index, value });

/** Calls `f` for every statement, outer ones first. */
export function visitStmts(body: readonly Stmt[], f: (s: Stmt) => void): void {
  for (const s of body) {
    f(s);
    if (s.kind === "for" || s.kind === "if") visitStmts(s.body, f);
  }
}

/** Calls `f` for the expressions of a statement, not of its body, outer ones first; it goes on into the operands of those that give true. */
export function visitExprsOf(s: Stmt, f: (e: Expr) => boolean): void {
  const visit = (e: Expr): void => {
    if (f(e)) eachOperand(e, visit);
  };
  if (s.kind === "if") visit(s.condition);
  if (s.kind === "store") visitValues(s.index, visit);
  if ("value" in s) visit(s.value);
}

/** Calls `f` for every access of a statement to a buffer, those in its body excepted. */
export function visitAccesses(s: Stmt, f: (buffer: Buffer, index: Index, reads: boolean) => void): void {
  const seen = new Set<Expr>();
  if (s.kind === "store") f(s.buffer, s.index, false);
  visitExprsOf(s, (e) => {
    if (seen.has(e)) return false;
    seen.add(e);
    if (e.kind === "load") f(e.buffer, e.index, true);
    return true;
  });
}

/** The private buffers that only call loops access. */
export function buffersOfCalls(nest: LoopNest): ReadonlySet<Buffer> {
  const own = new Set(nest.scratch.filter((b) => b.space === "private"));
  const walk = (body: readonly Stmt[]): void => {
    for (const s of body) {
      if (own.size === 0) return;
      visitAccesses(s, (b) => own.delete(b));
      if (s.kind === "if" || (s.kind === "for" && s.loop !== "call")) walk(s.body);
    }
  };
  walk(nest.body);
  return own;
}
