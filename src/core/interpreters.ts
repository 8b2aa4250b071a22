/**
 * The transformations of jaxprs that rules of higher-order primitives (loops, branches, calls) need. The transforms
 * room implements them and passes them to every rule, so that lax never imports transforms.
 */
import type { Aval } from "./aval.ts";
import type { Jaxpr } from "./jaxpr.ts";
import type { NDArray } from "./ndarray.ts";
import type { BatchAxis, Tangent } from "./primitive.ts";

/** A jaxpr on primals and the nonzero tangents: (…ins, …nonzero tangents) → (…outs, …nonzero out tangents). */
export interface JvpJaxpr {
  readonly jaxpr: Jaxpr;
  readonly nonzeroOut: readonly boolean[];
}

/**
 * A jaxpr split into what can be computed from the primals alone and what is linear in the tangents.
 * primal: ins → (…outs, …residuals); tangent: (…residuals, …nonzero tangents in) → nonzero tangents out.
 */
export interface LinearizedJaxpr {
  readonly primal: Jaxpr;
  readonly tangent: Jaxpr;
  readonly nonzeroOut: readonly boolean[];
  readonly numResiduals: number;
  /** For each residual, the position of the input that it simply is, or -1. */
  readonly residualInputs: readonly number[];
}

export interface BatchedJaxpr {
  readonly jaxpr: Jaxpr;
  /** Position of the batch axis in each output, null where it has none. */
  readonly dims: readonly (number | null)[];
}

export interface PrunedJaxpr {
  readonly jaxpr: Jaxpr;
  readonly usedInputs: readonly boolean[];
}

/** A traced function: its jaxpr takes (…consts, …args). */
export interface Traced {
  readonly jaxpr: Jaxpr;
  readonly consts: readonly NDArray[];
}

export interface Interpreters {
  /** Forward mode. Outputs listed in `instantiate` (or all, if true) get a tangent even where it is zero. */
  jvpJaxpr(jaxpr: Jaxpr, nonzeroIn: readonly boolean[], instantiate: boolean | readonly boolean[]): JvpJaxpr;
  /** Forward mode split in two. */
  linearizeJaxpr(
    jaxpr: Jaxpr,
    nonzeroIn: readonly boolean[],
    instantiate: boolean | readonly boolean[],
  ): LinearizedJaxpr;
  /**
   * The transpose of a jaxpr that is linear in the inputs marked: (…nonlinear ins, …cotangents of the outs marked in
   * `nonzeroOut`) → cotangents of the linear ins, zeros made explicit.
   */
  transposeJaxpr(jaxpr: Jaxpr, linear: readonly boolean[], nonzeroOut: readonly boolean[]): Jaxpr;
  /** Maps over an axis. Outputs in `force` get a batch axis (at 0) even where nothing depends on it; others get it at 0 if at all. */
  batchJaxpr(
    jaxpr: Jaxpr,
    axis: BatchAxis,
    dims: readonly (number | null)[],
    force: boolean | readonly boolean[],
  ): BatchedJaxpr;
  /** Removes what the outputs marked do not need. Outputs not marked disappear; inputs stay and are reported. */
  dceJaxpr(jaxpr: Jaxpr, usedOutputs: readonly boolean[]): PrunedJaxpr;
  evalJaxpr(jaxpr: Jaxpr, args: readonly NDArray[]): NDArray[];
  /** Traces a function of arrays to a closed jaxpr whose captured values become leading inputs. */
  trace(f: (...args: NDArray[]) => readonly NDArray[], avals: readonly Aval[], name: string): Traced;
  /** Runs a function of arrays under a batch trace: `dims` of the arguments in, those of the results out. */
  batchCall(
    f: (args: readonly NDArray[]) => readonly NDArray[],
    args: readonly NDArray[],
    dims: readonly (number | null)[],
    axis: BatchAxis,
  ): { outs: readonly NDArray[]; dims: readonly (number | null)[] };
  /** Runs a function of arrays in forward mode. */
  jvpCall(
    f: (args: readonly NDArray[]) => readonly NDArray[],
    primals: readonly NDArray[],
    tangents: readonly Tangent[],
  ): { primals: readonly NDArray[]; tangents: readonly Tangent[] };
}
