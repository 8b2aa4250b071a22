/**
 * Fused kernels: what one kernel computes, before it has loops. Lowering makes them from a group of equations, scheduling
 * turns them into loop nests.
 *
 * `rows` are parallel: no two of their iterations store to the same place. A store runs over the rows and its own `inner`
 * variables; reductions in its value are computed at the innermost level that their free variables name. A kernel whose
 * reductions depend on fewer variables than its stores is row-wise: softmax is rows × { max, sum, store over the row }.
 */
import type { Index, IndexVar } from "../core/indexing.ts";
import type { Buffer, Expr } from "../core/scalar.ts";
import type { KernelParam } from "./loopNest/loopNest.ts";
import type { Rewriter } from "./loopNest/rewrite.ts";

export interface FusedStore {
  readonly buffer: Buffer;
  /** In scalars of the buffer. */
  readonly index: Index;
  readonly value: Expr;
  /** Variables beside the rows, outermost first. */
  readonly inner: readonly IndexVar[];
}

export interface FusedKernel {
  readonly name: string;
  readonly params: readonly KernelParam[];
  readonly rows: readonly IndexVar[];
  readonly stores: readonly FusedStore[];
}

/** The stores with their indices and values rewritten. */
export const rewriteStores = (stores: readonly FusedStore[], rewriter: Rewriter): FusedStore[] =>
  stores.map(({ buffer, index, value, inner }) => ({
    buffer,
    index: rewriter.index(index),
    value: rewriter.expr(value),
    inner,
  }));
