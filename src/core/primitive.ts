/**
 * Primitives: the language's operations, each one object that holds its whole meaning.
 *
 * All slots of `PrimitiveSlots` are required: a missing rule is a type error where the primitive is defined, and an
 * honest absence is a value with its reason (`"nonlinear"`, `notBatchable(why)`, `notDifferentiable(why)`). Slots are
 * typed by arity: `In` is a tuple type, one entry per operand (`Many` for any number).
 */
import type { Aval } from "./aval.ts";
import type { Checker } from "./checks.ts";
import type { Effect } from "./effects.ts";
import type { HostArray } from "./hostArray.ts";
import type { Interpreters } from "./interpreters.ts";
import type { Jaxpr, Var } from "./jaxpr.ts";
import type { LowerSlot } from "./lowering.ts";
import type { NDArray } from "./ndarray.ts";

/** Parameters of an application: plain data, jaxprs and functions. Compared structurally, functions by identity. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type Params = any;

/** Operand tuples. */
export type Many = readonly unknown[];
export type One = readonly [unknown];
export type Two = readonly [unknown, unknown];
export type Three = readonly [unknown, unknown, unknown];
/** `V` once per operand; for `any` primitive, any. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type Each<In extends Many, V> = 0 extends 1 & In ? any : { readonly [K in keyof In]: V };

/** What a pass may assume of a primitive without knowing its name. */
export type Kind =
  | "elementwise"
  | "reduction"
  | "cumulative"
  | "movement"
  | "contraction"
  | "indexing"
  | "random"
  | "control"
  | "collective"
  | "opaque";

/** A tangent or cotangent that is zero without anybody having computed it. */
export class Zero {
  readonly aval: Aval;
  constructor(aval: Aval) {
    this.aval = aval;
  }
}
export type Tangent = NDArray | Zero;

/** In a transpose rule, an operand that the primitive is linear in and whose value is therefore not known. */
export class LinearOperand {
  readonly aval: Aval;
  constructor(aval: Aval) {
    this.aval = aval;
  }
}
export type TransposeOperand = NDArray | LinearOperand;
export const isLinear = (x: TransposeOperand): x is LinearOperand => x instanceof LinearOperand;

/** Results and their tangents. */
export interface JvpResult {
  readonly primals: readonly NDArray[];
  readonly tangents: readonly Tangent[];
}

/** Results and the position of the batch axis in each (null: not batched). */
export interface Batched {
  readonly outs: readonly NDArray[];
  readonly dims: readonly (number | null)[];
}

/** The axis being mapped. */
export interface BatchAxis {
  readonly size: number;
  readonly name: string | null;
}

/** A slot that is absent for a reason, and what to do instead. */
export interface Absent {
  readonly absent: "jvp" | "batch";
  readonly why: string;
  readonly fix: string;
}
/** The reason why a primitive has no derivative. */
export const notDifferentiable = (why: string, fix: string): Absent => ({ absent: "jvp", why, fix });
/** The reason why a primitive cannot be mapped. */
export const notBatchable = (why: string, fix: string): Absent => ({ absent: "batch", why, fix });

/** What a reference slot may ask of its device: running the jaxprs it carries. */
export interface ReferenceContext {
  /** A function that runs a jaxpr on host arrays; made once per jaxpr, so a loop pays for it once. */
  program(jaxpr: Jaxpr): (args: readonly HostArray[]) => readonly HostArray[];
  /** Wraps host values as arrays for user callbacks, and back. */
  toArray(x: HostArray): NDArray;
  fromArray(x: NDArray): HostArray;
}

/** The result of a direct linearization: the primal outputs and a function of the tangents, recorded by the caller. */
export interface Linearized {
  readonly primals: readonly NDArray[];
  /** Runs under the linear trace; receives the tangents in order, zeros symbolic. */
  readonly tangents: (tangents: readonly Tangent[]) => readonly Tangent[];
}

/** An atom seen by a `simplify` slot: a variable, or a `Literal` with its value. */
export interface HasAval {
  readonly aval: Aval;
}

/** An application in two forms around values saved inside it. */
export interface PartialEval<P> {
  /** Takes the same operands; gives the results, then the saved values. */
  readonly forward: P;
  /** Takes the operands, then the saved values; gives the results. */
  readonly recompute: P;
  /** Types of the saved values. */
  readonly saved: readonly Aval[];
}

/** A jaxpr equation's pruned form: which inputs are still needed, and the new parameters. */
export interface Pruned<P> {
  readonly usedInputs: readonly boolean[];
  /** The equation's parameters for the remaining inputs and outputs, or null to keep the equation as it is. */
  readonly params: P;
  /** Outputs that remain, at least those asked for. */
  readonly keptOutputs: readonly boolean[];
}

export interface PrimitiveSlots<In extends Many, P> {
  /** Lower-case name with underscores, as JAX prints it. */
  readonly name: string;
  readonly kind: Kind;
  /** Output avals, or a problem that names the operands' shapes and dtypes. */
  readonly infer: (ins: Each<In, Aval>, params: P) => readonly Aval[];
  /** The meaning: obvious loops over typed arrays. `outs` are the avals that `infer` gave. */
  readonly reference: (
    ins: Each<In, HostArray>,
    params: P,
    outs: readonly Aval[],
    context: ReferenceContext,
  ) => readonly HostArray[];
  /** Outputs and output tangents; called only when at least one tangent is not a Zero. */
  readonly jvp:
    | ((primals: Each<In, NDArray>, tangents: Each<In, Tangent>, params: P, interpreters: Interpreters) => JvpResult)
    | Absent;
  /**
   * Cotangents of the operands from those of the results, one entry per operand; null (or Zero) where there is none.
   * Called only when at least one cotangent is not a Zero and at least one operand is a LinearOperand.
   */
  readonly transpose:
    | ((
        cotangents: readonly Tangent[],
        operands: Each<In, TransposeOperand>,
        params: P,
        interpreters: Interpreters,
      ) => readonly (Tangent | null)[])
    | "nonlinear";
  /** Outputs with a batch axis; `dims[i]` is the position of the mapped axis in operand i, at least one not null. */
  readonly batch:
    | ((
        operands: Each<In, NDArray>,
        dims: Each<In, number | null>,
        params: P,
        axis: BatchAxis,
        interpreters: Interpreters,
      ) => Batched)
    | Absent;
  /** How compiling devices compute it. */
  readonly lower: LowerSlot<In, P>;
}

/** Slots with sound defaults. */
export interface OptionalSlots<In extends Many, P> {
  /** Direct linearization. Default: the jvp rule under the linear trace. */
  readonly linearize?: (
    primals: Each<In, NDArray>,
    nonzero: Each<In, boolean>,
    params: P,
    interpreters: Interpreters,
  ) => Linearized;
  /**
   * Splits an application inside a checkpointed function: `save` tells which values of a sub-jaxpr a policy keeps. Null
   * if it keeps none. Default: the application is saved or recomputed as a whole.
   */
  readonly partialEval?: (params: P, save: (jaxpr: Jaxpr) => readonly Var[]) => PartialEval<P> | null;
  /** Drops unused outputs of a jaxpr-carrying equation. Default: an equation is needed whole or not at all. */
  readonly dce?: (usedOutputs: readonly boolean[], params: P, interpreters: Interpreters) => Pruned<P>;
  /** An operand or literal that equals the equation's only result, or null. Used by `simplify`. */
  readonly simplify?: (ins: readonly HasAval[], params: P, outs: readonly Aval[]) => HasAval | null;
  /** Checks an equation beyond `infer`; throws. */
  readonly typecheck?: (ins: readonly Aval[], params: P) => void;
  /** Effects of an application. Default: those of its sub-jaxprs. */
  readonly effects?: (params: P) => readonly Effect[];
  /** The jaxprs among the parameters. */
  readonly subJaxprs?: (params: P) => readonly Jaxpr[];
  /** Turns parameters that hold callables into ones that hold jaxprs, when an application is recorded. */
  readonly stage?: (
    ins: readonly NDArray[],
    params: P,
    trace: Interpreters["trace"],
  ) => { readonly args: readonly NDArray[]; readonly params: P };
  /** The jaxpr that an application simply calls with its operands, if the compiler may put it in place of the call. */
  readonly inline?: (params: P) => Jaxpr | null;
  /** Evaluates a jaxpr-carrying application equation by equation in the current trace, to find where a NaN is made. */
  readonly stepwise?: (ins: Each<In, NDArray>, params: P) => readonly NDArray[];
  /**
   * Runs an application under `checkify`: adds the checks that belong to it, and puts checks inside its jaxprs among its
   * results. Default: it is applied as it is, and its results are searched for NaN.
   */
  readonly check?: (ins: Each<In, NDArray>, params: P, checker: Checker) => readonly NDArray[];
  /** The named axes a collective works over; the trace that maps one of them calls `batch` whatever the operands. */
  readonly axisNames?: (params: P) => readonly string[];
  /** Parameters as printed in jaxprs; default: all, in the order given. Undefined values are left out. */
  readonly printParams?: (params: P) => Readonly<Record<string, unknown>>;
}

export interface Primitive<In extends Many, P> extends PrimitiveSlots<In, P>, OptionalSlots<In, P> {
  /** Phantom: lets `bind` check parameters against the primitive. */
  readonly __params?: P;
}
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type AnyPrimitive = Primitive<any, any>;

/** Defines a primitive. Pure: registers nothing, so unused primitives shake out of a bundle. */
export const definePrimitive = <In extends Many, P>(
  slots: PrimitiveSlots<In, P> & OptionalSlots<In, P>,
): Primitive<In, P> => slots;

/** For reading: a batch dimension moved to another operand list or dropped. */
export const isAbsent = (x: unknown): x is Absent => typeof x === "object" && x !== null && "absent" in x;
