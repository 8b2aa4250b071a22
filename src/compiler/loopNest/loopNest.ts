/**
 * Loop nests: kernels as statements, the last form before code. What Halide and TVM call a scheduled stage.
 *
 * A nest owns buffers and a body. Loops say how they run: `block` loops are a grid whose iterations know nothing of each
 * other (workgroups; plain loops on a CPU); `thread` loops divide the work of a block among its threads, all of the same
 * extent, separated by barriers; `serial` loops run in order, `vector` loops 4 lanes at a time, `unroll` loops as copies
 * of their body. `private` scratch is each thread's own, `shared` scratch the block's. A GPU target requires that block
 * loops are outermost (at most 3) and thread loops directly inside them or inside serial loops that contain no other
 * thread-level work; `verifyNest` checks it.
 */
import type { Index, IndexVar } from "../../core/indexing.ts";
import type { Buffer, Expr, Local } from "../../core/scalar.ts";

export type LoopKind = "block" | "thread" | "serial" | "vector" | "unroll";

export interface For {
  readonly kind: "for";
  readonly loop: LoopKind;
  /** Runs over 0 … extent − 1. */
  readonly variable: IndexVar;
  readonly body: readonly Stmt[];
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

export interface LoopNest {
  readonly name: string;
  /** Device buffers, in the order launches pass them. */
  readonly params: readonly KernelParam[];
  /** `shared` and `private` buffers. Their contents are undefined at first. */
  readonly scratch: readonly Buffer[];
  readonly body: readonly Stmt[];
}

/** Calls `f` for every statement, outer ones first. */
export function visitStmts(body: readonly Stmt[], f: (s: Stmt) => void): void {
  for (const s of body) {
    f(s);
    if (s.kind === "for" || s.kind === "if") visitStmts(s.body, f);
  }
}
