/**
 * Decisions about a loop nest before its code is written: which loops become copies of their body, which run four lanes at
 * a time, and which private buffers live in wasm locals. Bodies of call loops are functions with plans of their own.
 *
 * A private buffer becomes registers when the index of every access is a number once loops are unrolled, or a multiple of
 * 4 plus the lane of an unrolled vector. `vectors` holds four elements a register, `scalars` one, and `splats` one in all
 * four lanes, for elements that only vectors read.
 */
import { type Index, type IndexVar, mentions, visitAtoms } from "../../core/indexing.ts";
import { type Buffer, type Expr, type Local, storageBytes } from "../../core/scalar.ts";
import {
  type For,
  type LoopNest,
  type Stmt,
  buffersOfCalls,
  visitAccesses,
  visitExprsOf,
  visitStmts,
} from "../../compiler/loopNest/loopNest.ts";
import type { Effects } from "./scopes.ts";

export interface LoopPlan extends Effects {
  readonly lanes: boolean;
  readonly copies: boolean;
  /** Number of expression nodes in the body. */
  readonly size: number;
}
export type RegisterKind = "scalars" | "vectors" | "splats";
export interface NestPlan {
  readonly loops: ReadonlyMap<For, LoopPlan>;
  readonly registers: ReadonlyMap<Buffer, RegisterKind>;
  /** Buffers that some statement stores to. */
  readonly stored: ReadonlySet<Buffer>;
  /** Private buffers of the functions that are called. */
  readonly ownByCalls: ReadonlySet<Buffer>;
}

/** Copies of a loop that is not marked `unroll`, at most. */
const mostCopies = 64;
/** Nodes that unrolling for the sake of registers may lead to; and for the sake of speed. */
const mostNodes = 8192;
const cheapNodes = 320;

export function planNest(nest: LoopNest): NestPlan {
  const effects = new Map<For, Effects & { size: number }>();
  const all = survey(nest.body, effects);
  const vectorisable = new Map<For, boolean>();
  const lanes = (s: For): boolean => {
    let known = vectorisable.get(s);
    if (known === undefined) vectorisable.set(s, (known = s.loop === "vector" && runsInLanes(s)));
    return known;
  };
  const decide = (candidates: ReadonlySet<Buffer>): Map<For, LoopPlan> => {
    const indexing = variablesOf(nest.body, candidates);
    const loops = new Map<For, LoopPlan>();
    for (const [s, e] of effects) {
      const { extent } = s.variable;
      const inLanes = lanes(s);
      const number = inLanes ? (extent >> 2) + (extent & 3) : extent;
      const most = indexing.has(s.variable) ? mostNodes : inLanes && extent <= 32 ? cheapNodes : 0;
      const copies =
        s.loop === "unroll" ||
        extent === 1 ||
        ((s.loop === "serial" || s.loop === "vector") && !s.count && extent <= mostCopies && number * e.size <= most);
      loops.set(s, { assigned: e.assigned, stored: e.stored, size: e.size, lanes: inLanes, copies });
    }
    return loops;
  };
  const ownByCalls = buffersOfCalls(nest);
  const scratch = nest.scratch.filter(
    (b) => b.space === "private" && storageBytes[b.storage] >= 4 && !ownByCalls.has(b),
  );
  if (scratch.length === 0) return { loops: decide(new Set()), registers: new Map(), stored: all.stored, ownByCalls };
  // Loops are unrolled for the sake of the buffers that become registers thanks to it, and not for others.
  const hopeful = decide(new Set(scratch));
  const first = registersOf(nest, scratch, hopeful);
  if (first.size === scratch.length) return { loops: hopeful, registers: first, stored: all.stored, ownByCalls };
  const loops = decide(new Set(first.keys()));
  return { loops, registers: registersOf(nest, [...first.keys()], loops), stored: all.stored, ownByCalls };
}

/** What each loop's body does. */
function survey(
  body: readonly Stmt[],
  effects: Map<For, Effects & { size: number }>,
): { assigned: Set<Local>; stored: Set<Buffer>; size: number } {
  const all = { assigned: new Set<Local>(), stored: new Set<Buffer>(), size: 0 };
  const count = counter();
  for (const s of body) {
    if (s.kind === "store") all.stored.add(s.buffer);
    if (s.kind === "declare" || s.kind === "assign") all.assigned.add(s.local);
    if (s.kind === "for" || s.kind === "if") {
      const inner = survey(s.body, effects);
      if (s.kind === "for") effects.set(s, inner);
      for (const x of inner.assigned) all.assigned.add(x);
      for (const x of inner.stored) all.stored.add(x);
      if (s.kind === "if" || s.loop !== "call")
        all.size += inner.size * (s.kind === "for" && s.loop === "unroll" ? s.variable.extent : 1);
    }
    all.size += 1 + count(s);
  }
  return all;
}

/** Counts the nodes of statements, those that several share once. */
function counter(): (s: Stmt) => number {
  const seen = new Set<Expr>();
  return (s) => {
    const before = seen.size;
    visitExprsOf(s, (e) => !seen.has(e) && seen.add(e) !== null);
    return seen.size - before;
  };
}

/** The variables that occur in indices of the buffers. */
function variablesOf(body: readonly Stmt[], buffers: ReadonlySet<Buffer>): Set<IndexVar> {
  const out = new Set<IndexVar>();
  if (buffers.size > 0)
    visitStmts(body, (s) =>
      visitAccesses(s, (b, index) => {
        if (buffers.has(b)) visitAtoms(index, (a) => a.kind === "var" && out.add(a));
      }),
    );
  return out;
}

/** Whether the body of a vector loop has a form for four lanes: no f64 that differs among them, and no such condition. */
function runsInLanes({ variable, body }: For): boolean {
  if (variable.extent < 4) return false;
  const varying = new Set<Local>();
  const known = new Map<Expr, boolean>();
  let fits = true;
  const indexVaries = (x: Index): boolean => {
    let varies = mentions(x, variable);
    visitAtoms(x, (a) => {
      if (a.kind === "value" && valueVaries(a.expr)) varies = true;
    });
    return varies;
  };
  const computed = (e: Expr): boolean => {
    switch (e.kind) {
      case "local":
        return varying.has(e.local);
      case "load":
      case "index":
        return indexVaries(e.index);
      case "unary":
      case "convert":
      case "bitcast":
        return valueVaries(e.x);
      case "binary":
      case "compare":
        return [e.x, e.y].map(valueVaries).includes(true);
      case "select":
        return [e.condition, e.x, e.y].map(valueVaries).includes(true);
      default:
        return false;
    }
  };
  const valueVaries = (e: Expr): boolean => {
    let varies = known.get(e);
    if (varies === undefined) {
      known.set(e, (varies = computed(e)));
      if (varies && e.type === "f64") fits = false;
    }
    return varies;
  };
  visitStmts(body, (s) => {
    switch (s.kind) {
      case "let":
        if (valueVaries(s.value)) varying.add(s.local);
        return;
      case "declare":
        varying.add(s.local);
        valueVaries(s.value);
        if (s.local.type === "f64") fits = false;
        return;
      case "assign":
        return valueVaries(s.value);
      case "store":
        if ([indexVaries(s.index), valueVaries(s.value)].includes(true) && s.buffer.storage === "f64") fits = false;
        return;
      case "if":
        if (valueVaries(s.condition)) fits = false;
        return;
      case "for":
        if (s.loop !== "serial" && s.loop !== "unroll") fits = false;
        if (s.count && varying.has(s.count)) fits = false;
        return;
      case "barrier":
        fits = false;
    }
  });
  return fits;
}

/** The buffers that can be registers under these decisions. */
function registersOf(
  nest: LoopNest,
  candidates: readonly Buffer[],
  loops: ReadonlyMap<For, LoopPlan>,
): Map<Buffer, RegisterKind> {
  const uses = new Map(
    candidates.map((b) => [b, { fits: true, vectors: false, scalarReads: false, loops: new Set() }]),
  );
  const numbers = new Set<IndexVar>();
  let lane: IndexVar | null = null;
  /** The thread loop around, and whether a serial loop is around that: values could pass from one round to the next. */
  let thread: For | null = null;
  let repeated = false;
  let called = false;

  const access = (b: Buffer, index: Index, reads: boolean): void => {
    const use = uses.get(b);
    if (!use) return;
    let aligned = index.constant % 4 === 0;
    let factor = 0;
    let fixed = !called && index.min >= 0 && index.max < b.length;
    for (const t of index.terms) {
      if (t.atom === lane) {
        factor = t.factor;
        continue;
      }
      if (t.factor % 4 !== 0) aligned = false;
      if (t.atom.kind === "var") fixed &&= numbers.has(t.atom);
      else
        visitAtoms(t.atom.kind === "value" ? index : t.atom.of, (a) => (fixed &&= a.kind === "var" && numbers.has(a)));
    }
    const asVector = factor === 1 && aligned;
    if (!fixed || (factor !== 0 && !asVector)) use.fits = false;
    if (asVector) use.vectors = true;
    else if (reads && !lane) use.scalarReads = true;
    if (thread) use.loops.add(thread);
    if (thread && repeated) use.fits = false;
  };
  const walk = (body: readonly Stmt[]): void => {
    for (const s of body) {
      visitAccesses(s, access);
      if (s.kind === "if") walk(s.body);
      if (s.kind !== "for") continue;
      const before = { lane, thread, repeated, called };
      const plan = loops.get(s)!;
      if (plan.lanes) lane = plan.copies ? s.variable : neverLane;
      else if (plan.copies) numbers.add(s.variable);
      if (s.loop === "call") called = true;
      if (s.loop === "thread") thread = s;
      else if (s.loop !== "block" && !thread) repeated = true;
      walk(s.body);
      numbers.delete(s.variable);
      ({ lane, thread, repeated, called } = before);
    }
  };
  walk(nest.body);

  const out = new Map<Buffer, RegisterKind>();
  for (const [b, { fits, vectors, scalarReads, loops: threads }] of uses)
    if (fits && threads.size < 2)
      out.set(b, vectors ? "vectors" : scalarReads || b.storage === "f64" ? "scalars" : "splats");
  return out;
}
/** In place of the variable of a vector loop that is not unrolled: the loop's own is none of the numbers, so it fits nowhere. */
const neverLane: IndexVar = { kind: "var", id: -1, name: "", extent: 4 };
