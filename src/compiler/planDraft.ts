/** Steps of a plan under construction, and what is known of variables meanwhile: the state of `partition.ts`. */
import type { Index } from "../core/indexing.ts";
import type { Eqn, Var } from "../core/jaxpr.ts";
import type { Shape } from "../core/shape.ts";
import type { Access } from "./access.ts";
import type { Positions } from "./positions.ts";

export type GroupKind = "map" | "reduce" | "contract";

/** A step under construction. */
export interface Draft {
  /** Its number in `Reachability`. */
  id: number;
  kind: GroupKind | "eqn";
  frame: Shape;
  rowLength: number;
  /** Reductions of which each needs the one before, at most. */
  phases: number;
  members: Eqn[];
  rowOf: Map<Var, Index>;
  inputs: Set<Var>;
  /** Steps whose results are read. */
  deps: Set<Draft>;
  /** Variables that are computed here although another step stores them: it comes later, or there is no room to bind them. */
  own: Set<Var>;
  access: Access | null;
  mergedInto: Draft | null;
}

/** What is known of a variable while groups grow. */
export interface Info {
  readonly home: Draft | null;
  /** For each group that it depends on through floating equations: the row an element needs, or null if it needs several. */
  readonly rows: ReadonlyMap<Draft, Index | null>;
  /** Variables in memory that a floating variable is computed from; itself otherwise. */
  readonly leaves: ReadonlySet<Var>;
  /** Of recomputing one element. */
  readonly cost: number;
  /** Of the expression that computes an element, in operations; the dearer ones count more. */
  readonly depth: number;
  /** Where it needs what lies in memory; null if it lies there itself. */
  readonly positions: Positions | null;
}

export const inMemory = (v: Var): Info => ({
  home: null,
  rows: new Map(),
  leaves: new Set([v]),
  cost: 0,
  depth: 0,
  positions: null,
});
export const homed = (v: Var, home: Draft, row: Index | null, depth: number): Info => ({
  home,
  rows: new Map([[home, row]]),
  leaves: new Set([v]),
  cost: 0,
  depth,
  positions: null,
});

/** What a draft has become part of. */
export const current = (d: Draft): Draft => {
  let x = d;
  while (x.mergedInto) x = x.mergedInto;
  return x;
};
