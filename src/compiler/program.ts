/**
 * Programs: what a device runs. A list of steps over numbered slots; a slot is a run of bytes in an input, an output, the
 * program's arena, or a constant. Results are written to buffers that the caller provides, so that a program needs no
 * memory but its arena, whose size is known. Sub-programs of control flow are programs with their own arenas, laid out
 * inside the arena of the program that runs them.
 */
import type { Aval } from "../core/aval.ts";
import type { Eqn } from "../core/jaxpr.ts";
import type { HostArray } from "../core/hostArray.ts";
import type { ReferenceContext } from "../core/primitive.ts";
import type { Source } from "../core/source.ts";
import type { LoopNest } from "./loopNest/loopNest.ts";

export type Place =
  | { readonly kind: "input" | "output"; readonly index: number }
  | { readonly kind: "arena"; readonly offset: number }
  /** Values known when the program was compiled, in compute form. */
  | { readonly kind: "constant"; readonly value: HostArray };

/** A run of bytes that holds one array. */
export interface Slot {
  readonly aval: Aval;
  readonly bytes: number;
  readonly place: Place;
}

/** Runs a kernel on the slots of its parameters, in order. */
export interface Launch {
  readonly kind: "launch";
  readonly kernel: number;
  readonly slots: readonly number[];
  /** Equations that went into the kernel: for messages and profiles. */
  readonly sources: readonly Source[];
}
/** Copies a whole slot. */
export interface Copy {
  readonly kind: "copy";
  readonly from: number;
  readonly to: number;
}
/** Runs a sub-program. */
export interface Call {
  readonly program: Program;
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  /** Where the arena of the sub-program lies in that of the program. */
  readonly arenaOffset: number;
}
export interface Cond {
  readonly kind: "cond";
  /** An i32 slot; clamped to the branches. */
  readonly index: number;
  readonly branches: readonly Call[];
}
/**
 * While the predicate holds, runs the body. The carry lives in `carries[0]` and `carries[1]` in turn: each round reads one
 * and writes the other. It starts in `carries[0]`; at the end it is copied to `results` unless it is there already.
 */
export interface While {
  readonly kind: "while";
  /** Inputs: constants, then a carry. Output: a bool in `flag`. */
  readonly predicate: Call;
  readonly flag: number;
  /** Inputs: constants, then a carry. Outputs: a carry. */
  readonly body: Call;
  /** Number of leading inputs of predicate and body that are constants; carries are filled in for the rest. */
  readonly predicateConsts: number;
  readonly bodyConsts: number;
  readonly carries: readonly [readonly number[], readonly number[]];
  readonly results: readonly number[];
}
/** Runs the body `length` times over slices of the leading axis, as `While` with a known count. */
export interface Scan {
  readonly kind: "scan";
  /** Inputs: constants, carry, slices. Outputs: carry, slices. */
  readonly body: Call;
  readonly consts: number;
  readonly carries: readonly [readonly number[], readonly number[]];
  readonly results: readonly number[];
  /** Whole arrays, whose rows are the body's last inputs and outputs. */
  readonly slicesIn: readonly number[];
  readonly slicesOut: readonly number[];
  readonly length: number;
  readonly reverse: boolean;
}
/** Runs the equation's `reference` slot on the host. Only on targets that share memory. */
export interface Routine {
  readonly kind: "routine";
  readonly eqn: Eqn;
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
}
/** Calls the host, in program order. */
export interface HostCall {
  readonly kind: "host";
  readonly call: (ins: readonly HostArray[], context: ReferenceContext) => readonly HostArray[];
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  readonly source: Source;
}
export type Step = Launch | Copy | Cond | While | Scan | Routine | HostCall;

export interface Program {
  readonly name: string;
  readonly inputs: readonly Aval[];
  readonly outputs: readonly Aval[];
  /** Kernels of this program and, in the same list, of its sub-programs. */
  readonly kernels: readonly LoopNest[];
  readonly slots: readonly Slot[];
  readonly steps: readonly Step[];
  readonly arenaBytes: number;
  /**
   * The most bytes of arrays that live in the arena at a step: operands, results and what lives on, scratch of the step
   * (for a sub-program, its own ideal). Less no plan for this order of steps can need.
   */
  readonly idealArenaBytes: number;
  /** Outputs that take over the buffer of a donated input: output → input. */
  readonly reuses: ReadonlyMap<number, number>;
}

/** The sub-programs that a step runs. */
export function callsOf(step: Step): readonly Call[] {
  switch (step.kind) {
    case "cond":
      return step.branches;
    case "while":
      return [step.predicate, step.body];
    case "scan":
      return [step.body];
    default:
      return [];
  }
}
