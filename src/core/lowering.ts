/**
 * What a primitive's `lower` slot says: how to compute it on devices that compile.
 *
 * Most primitives are *pulled*: a function from the position of a result element to its scalars, given functions from
 * positions to scalars for the operands. Chains of pulled primitives fuse by composition, and views cost nothing. A
 * reduction is pulled too: its scalars are `Reduced` expressions. What cannot be said this way is a composition of other
 * primitives, a loop, a choice, a routine that devices have in some form of their own, or a call of the host.
 */
import type { Aval } from "./aval.ts";
import type { HostArray } from "./hostArray.ts";
import type { Index } from "./indexing.ts";
import type { Jaxpr } from "./jaxpr.ts";
import type { NDArray } from "./ndarray.ts";
import type { Each, Many, ReferenceContext } from "./primitive.ts";
import type { Expr } from "./scalar.ts";

/** The scalars of one element: two for complex numbers (re, im) and keys, else one. In the types of `elementTypes.ts`. */
export type Value = readonly Expr[];

/** An operand of a primitive, as its lowering sees it. */
export interface Operand {
  readonly aval: Aval;
  /**
   * The element at a position, one index per axis, each within bounds: a lowering that steps outside clamps the index
   * (`clampIndex`) and selects another value. Asked for under a `select`, it is evaluated all the same.
   */
  at(index: readonly Index[]): Value;
}

/** Result `out` at a position. Asked at most once per position; may ask operands for any number of elements. */
export type Pull = (index: readonly Index[], out: number) => Value;

/** A prefix scan along one axis: out[i] = out[i − 1] ∘ element[i], from the end if `reverse`. */
export interface PrefixLowering {
  readonly form: "prefix";
  readonly axis: number;
  readonly reverse: boolean;
  /** Scalars of an element before it is combined. */
  readonly element: Pull;
  /** Associative, on the lanes of all results. */
  readonly combine: (earlier: Value, later: Value) => Value;
}

/**
 * Writes updates into a copy of the operand, in the order of the scatter positions, so that the result is the same in
 * every run. For update number `n` (row-major over `shape`), `target` is where it goes.
 */
export interface ScatterLowering {
  readonly form: "scatter";
  /** The axes of the updates along which targets may collide; the others never do, and may run in parallel. */
  readonly serialAxes: readonly number[];
  /** Shape of the updates. */
  readonly shape: readonly number[];
  /** The element of the result that an update goes to, and whether it is written at all. */
  readonly target: (update: readonly Index[]) => { readonly index: readonly Index[]; readonly valid: Expr };
  readonly update: (update: readonly Index[]) => Value;
  /** The result element before any update. */
  readonly start: (index: readonly Index[]) => Value;
  readonly combine: (old: Value, update: Value) => Value;
}

export type Lowering =
  | {
      readonly form: "pull";
      readonly at: Pull;
      /** What one element costs beside its operands, in units of an addition; above 8 it is not computed twice. */
      readonly cost?: number;
      /** Of primitives with any number of operands: the same by applications to at most `most` each, which is at least 3. */
      readonly narrow?: (args: readonly NDArray[], most: number) => readonly NDArray[];
    }
  | PrefixLowering
  | ScatterLowering
  /** The same in terms of other primitives; traced by the compiler. */
  | { readonly form: "compose"; readonly with: (args: readonly NDArray[]) => readonly NDArray[] }
  /** A call of a jaxpr with the operands. */
  | { readonly form: "call"; readonly jaxpr: Jaxpr }
  /** Operand i as result i. */
  | { readonly form: "identity" }
  /** Operands: index, then the branches' operands. */
  | { readonly form: "cond"; readonly branches: readonly Jaxpr[] }
  /** Operands: constants of the predicate, constants of the body, carry. */
  | {
      readonly form: "while";
      readonly predicate: Jaxpr;
      readonly body: Jaxpr;
      readonly predicateConsts: number;
      readonly bodyConsts: number;
    }
  /** Operands: constants, carry, slices. Results: carry, stacked slices. */
  | {
      readonly form: "scan";
      readonly body: Jaxpr;
      readonly consts: number;
      readonly carries: number;
      readonly length: number;
      readonly reverse: boolean;
    }
  /** Sorting and its like: devices that share memory with the host run `reference`, others the composition. */
  | { readonly form: "routine"; readonly compose: (args: readonly NDArray[]) => readonly NDArray[] }
  /** Runs on the host, in program order: callbacks, debug prints. */
  | {
      readonly form: "host";
      readonly call: (ins: readonly HostArray[], context: ReferenceContext) => readonly HostArray[];
    };

/** The `lower` slot. Operands' `at` may be called only inside the functions of the lowering that is returned. */
export type LowerSlot<In extends Many, P> = (ins: Each<In, Operand>, params: P, outs: readonly Aval[]) => Lowering;
