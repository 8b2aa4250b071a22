/**
 * Functionalised checks: the vocabulary that `checkify` shares with the rules of primitives.
 *
 * A check that may fail is a *site*, known when the program is traced. The *state* of a checked program says whether one
 * has failed, the number of the first, and the values its message shows: arrays `[failed, code, …payload]`. Sites whose
 * messages show values of the same types share a place for them (a group), since only the first failure counts. A checked
 * jaxpr starts from a state without failure and numbers its own sites from 0, so it depends on nothing outside and can be
 * cached; who calls it joins its state to their own.
 */
import type { Aval } from "./aval.ts";
import type { Jaxpr } from "./jaxpr.ts";
import type { NDArray } from "./ndarray.ts";
import type { TreeDef } from "./tree.ts";

/** What kind of mistake a check finds. */
export type CheckCategory = "user_check" | "nan" | "div" | "oob";

/** A check in a program. */
export interface CheckSite {
  readonly category: CheckCategory;
  /** The message, with `{}` and `{name}` for values. */
  readonly format: string;
  /** The values of the message: the structure of `[positional, named]`. */
  readonly values: TreeDef;
  /** The user's line. */
  readonly where: string;
  /** Which group of the payload holds the values. */
  readonly group: number;
}

/** What is static of a state. */
export interface CheckTypes {
  readonly sites: readonly CheckSite[];
  /** The types of the values that each group holds. */
  readonly groups: readonly (readonly Aval[])[];
}

/** A jaxpr with its checks turned into results: (…ins) → (…state, …outs). Without sites there is no state. */
export interface CheckedJaxpr {
  readonly jaxpr: Jaxpr;
  readonly types: CheckTypes;
  /** Number of arrays in the state. */
  readonly count: number;
}

/** What a primitive's `check` slot may ask of the interpreter that runs it. Operations are bound in the current trace. */
export interface Checker {
  enabled(category: CheckCategory): boolean;
  /**
   * Adds a check that fails if any element of `bad()` is true; it is not called if such checks are off.
   *
   * @param values scalars for the message, from the position of the first such element in row-major order.
   */
  fail(
    category: CheckCategory,
    bad: () => NDArray,
    format: string,
    values?: (first: NDArray) => readonly NDArray[],
  ): void;
  /** Adds the checks of a program that has run: takes its results (…state, …outs) and gives the outs. */
  join(types: CheckTypes, results: readonly NDArray[]): readonly NDArray[];
  /** The checked form of a jaxpr. */
  jaxpr(jaxpr: Jaxpr): CheckedJaxpr;
  /** Runs a jaxpr here. */
  run(jaxpr: Jaxpr, ins: readonly NDArray[]): readonly NDArray[];
  /** Calls one of some jaxprs, which `apply` binds in their checked forms, with equal results. */
  call(jaxprs: readonly Jaxpr[], apply: (checked: readonly Jaxpr[]) => readonly NDArray[]): readonly NDArray[];
  /**
   * Repeats a jaxpr. `apply` gets it as (…state, …ins) → (…state, …outs), which keeps the first failure, and the state to
   * begin with.
   */
  repeat(jaxpr: Jaxpr, apply: (checked: Jaxpr, state: readonly NDArray[]) => readonly NDArray[]): readonly NDArray[];
  /** Looks for NaN in results, if these checks are on. */
  lookForNaN(name: string, results: readonly NDArray[]): void;
}
