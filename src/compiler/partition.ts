/**
 * partition: equations → fusion groups, one kernel each.
 *
 * Every variable is *homed* in a group, which stores it if others need it, or *floats*: it is computed wherever it is
 * read. Groups grow forward. A reduction or contraction opens a group whose *rows* are the elements of its result;
 * elementwise equations that depend on a group join it if each of their elements needs one row and each row is needed
 * for equally many elements; a reduction joins if its result has the same rows. Softmax is such a group: max, sum and
 * quotient over the rows. Equations that depend on no group float, and so do views; those that must lie in memory
 * (results, operands of loops) open groups of their own, which elementwise equations join in turn.
 *
 * Invariants: a group never depends on itself through another one; rows are counted by the flat position in the result
 * of the group's first reduction (its `frame`), and `rowOf` gives the row that an element of a member belongs to.
 */
import { type Index, flatIndex } from "../core/indexing.ts";
import { type Atom, type Eqn, type Jaxpr, Var } from "../core/jaxpr.ts";
import { unreachable } from "../core/problem.ts";
import { type Shape, sizeOf } from "../core/shape.ts";
import type { Access } from "./access.ts";
import type { Chain } from "./chains.ts";
import { type Equations, equationsOf, needsMemory, operandsOf } from "./equations.ts";
import { type Draft, type GroupKind, type Info, current, homed, inMemory } from "./planDraft.ts";
import { areTooMany, positionsOf } from "./positions.ts";
import { axisVars, indicesOf } from "./pull.ts";
import { Reachability } from "./reachability.ts";
import { coversOnce, through } from "./rows.ts";
import { splitGroup } from "./splitGroup.ts";
import type { Target } from "./target.ts";

/** Equations that become one kernel. */
export interface Group {
  readonly kind: GroupKind;
  /** Shape of the rows. */
  readonly frame: Shape;
  /** Elements that each row reduces over. */
  readonly rowLength: number;
  /** Equations homed here, in order. Floating ones that they read are computed here too. */
  readonly members: readonly Eqn[];
  /** The row of an element of a member's result, in terms of `axisVars` of its shape. */
  readonly rowOf: ReadonlyMap<Var, Index>;
  /** What is read from memory. */
  readonly inputs: ReadonlySet<Var>;
  /** What is stored. */
  readonly outputs: readonly Var[];
}
export type PlanStep =
  | { readonly kind: "group"; readonly group: Group }
  /** Groups that run together, block by block (`chains.ts`). */
  | { readonly kind: "chain"; readonly chain: Chain }
  /** An equation that is not pulled: a loop, a routine, a scatter, …; it may compute floating operands itself. */
  | { readonly kind: "eqn"; readonly eqn: Eqn; readonly access: Access; readonly inputs: ReadonlySet<Var> };

export interface FusionPlan {
  readonly steps: readonly PlanStep[];
  /** Results; what only passed through identities is the operand itself. */
  readonly outs: readonly Atom[];
  /** The equation of every variable that is no input. */
  readonly producers: ReadonlyMap<Var, Eqn>;
}

/** @param sharesLongRows whether equations share a kernel however few and long the rows are that they have in common. */
export const partition =
  (target: Target, sharesLongRows = false) =>
  (jaxpr: Jaxpr): FusionPlan =>
    new Partition(equationsOf(jaxpr), target, sharesLongRows).plan();

/** Above this, an element is not computed in two kernels. */
const expensive = 8;
/** Chains are cut here: what computes them recurses. */
const maxDepth = 256;
/** Sequences of reductions are cut here: each computes what comes before it again. */
const maxPhases = 8;
/** Equations of a group: the time that compiling a kernel takes grows faster than its size. */
const maxMembers = 512;

class Partition {
  readonly #equations: Equations;
  readonly #target: Target;
  readonly #sharesLongRows: boolean;
  readonly #info = new Map<Var, Info>();
  readonly #drafts: Draft[] = [];
  #reach = new Reachability();
  /** Steps that compute a variable although it has a home elsewhere. */
  readonly #owners = new Map<Var, Draft[]>();

  constructor(equations: Equations, target: Target, sharesLongRows: boolean) {
    this.#sharesLongRows = sharesLongRows;
    this.#equations = equations;
    this.#target = target;
  }

  plan(): FusionPlan {
    for (const v of this.#equations.inVars) this.#info.set(v, inMemory(v));
    for (const e of this.#equations.eqns) this.#place(this.#equations.accesses.get(e)!);
    this.#materializeShared();
    this.#mergeSiblings();
    return {
      steps: this.#ordered().flatMap((d) => this.#finish(d)),
      outs: this.#equations.outs,
      producers: this.#equations.producers,
    };
  }

  // ---------------------------------------------------------------- placing one equation

  #place(access: Access): void {
    const { eqn, lowering, loops } = access;
    if (!needsMemory(access)) this.#makeRoom(access);
    if (lowering.form !== "pull") return this.#open(access, "eqn");
    if (loops.length > 0) return this.#placeReduction(access);
    const needs = this.#needs(access);
    const required = eqn.outputs.some((v) => this.#equations.required.has(v));
    if ((required || !access.isView) && eqn.outputs.length === 1) {
      const group = this.#joinable(access, needs);
      if (group) return this.#join(group, access, needs.get(group)!);
    }
    const depth = this.#depthIn(null, access);
    if (required || depth >= maxDepth) return this.#open(access, "map");
    const leaves = this.#leaves(access);
    const positions = positionsOf(access, (v) => this.#info.get(v)!);
    if (areTooMany(positions, leaves.size)) return this.#open(access, "map");
    const cost = access.cost + access.reads.reduce((n, r) => n + this.#costOf(r.operand), 0);
    for (const v of eqn.outputs) this.#info.set(v, { home: null, rows: needs, leaves, cost, depth, positions });
  }

  /** How deep an equation's expression is in the kernel of a group, or where it floats. */
  #depthIn(group: Draft | null, { reads, cost }: Access): number {
    let depth = 0;
    for (const { operand } of reads) {
      const info = this.#info.get(operand)!;
      if (!info.home || current(info.home) === group) depth = Math.max(depth, info.depth);
    }
    return depth + 1 + Math.min(12, Math.floor(cost));
  }

  /** Puts operands in memory until what is left to bind, with the result, fits one kernel. */
  #makeRoom(access: Access): void {
    for (;;) {
      const operands = operandsOf(access);
      const leaves = new Set(operands.flatMap((v) => [...this.#info.get(v)!.leaves]));
      if (leaves.size + access.eqn.outputs.length <= this.#target.maxBuffers) return;
      const floating = operands.filter((v) => !this.#info.get(v)!.home && this.#info.get(v)!.leaves.size > 1);
      if (floating.length === 0) return;
      floating.sort((x, y) => this.#info.get(y)!.leaves.size - this.#info.get(x)!.leaves.size);
      this.#materialize(floating[0]!);
    }
  }

  #placeReduction(access: Access): void {
    const out = access.eqn.outputs[0]!.aval;
    if (access.isContraction) {
      this.#materializeOperands(access, expensive * 2);
      return this.#open(access, "contract");
    }
    const needs = this.#needs(access);
    for (const [group, row] of needs) {
      if (group.kind !== "reduce" || row === null || sizeOf(group.frame) !== out.size) continue;
      if (!this.#isShort(group) || !coversOnce(row, axisVars(out.shape), out.size)) continue;
      if (!this.#mayDepend(group, access) || this.#depthIn(group, access) > maxDepth) continue;
      if (group.phases === maxPhases) continue;
      group.phases++;
      return this.#join(group, access, row);
    }
    this.#materializeOperands(access, expensive);
    this.#open(access, "reduce");
  }

  /** Rows are worth sharing if there are many, or if they are short: one row is one thread's or workgroup's work. */
  #isShort = (g: Draft): boolean => this.#sharesLongRows || sizeOf(g.frame) >= 16 || g.rowLength <= 16384;

  /** For every group reached through operands: the row that an element of the result needs, if it is one. */
  #needs({ reads }: Access): Map<Draft, Index | null> {
    const needs = new Map<Draft, Index | null>();
    for (const read of reads)
      for (const [group, row] of this.#info.get(read.operand)!.rows) {
        const own = current(group);
        const here = row && through(read)(row);
        const known = needs.get(own);
        needs.set(own, known === undefined || (known && here && known.key === here.key) ? here : null);
      }
    return needs;
  }

  #leaves({ reads }: Access): Set<Var> {
    const leaves = new Set<Var>();
    for (const r of reads) for (const v of this.#info.get(r.operand)!.leaves) leaves.add(v);
    return leaves;
  }

  /** Of computing an element where it is read; nothing if it lies in memory. */
  #costOf(v: Var): number {
    const { home, cost } = this.#info.get(v)!;
    return home ? 0 : cost;
  }

  /** The latest group that an elementwise equation may join, after merging with it the others that it links. */
  #joinable(access: Access, needs: Map<Draft, Index | null>): Draft | null {
    const out = access.eqn.outputs[0]!.aval;
    // Joining a map group would leave the others' results to be stored and read again.
    const late = (d: Draft): number => (d.kind === "map" ? 0 : this.#drafts.length) + d.id;
    const candidates = [...needs.keys()].sort((a, b) => late(b) - late(a));
    for (const group of candidates) {
      const row = needs.get(group)!;
      if (row === null || group.kind === "eqn" || group.mergedInto) continue;
      const rows = sizeOf(group.frame);
      if (!coversOnce(row, axisVars(out.shape), rows)) continue;
      if (this.#depthIn(group, access) > maxDepth) {
        // Nor may what follows, which would compute this equation on the way.
        needs.set(group, null);
        continue;
      }
      const perRow = out.size / Math.max(1, rows);
      if (perRow !== 1 && !(group.kind === "reduce" && perRow === group.rowLength && this.#isShort(group))) continue;
      for (const other of candidates)
        if (other !== group && !other.mergedInto && needs.get(other)?.key === row.key && this.#mergeable(group, other))
          this.#merge(group, other);
      if (this.#mayDepend(group, access)) return group;
    }
    return null;
  }

  /** Whether a group may compute an equation: nothing else that the equation needs comes after the group, and it has room. */
  #mayDepend(group: Draft, access: Access): boolean {
    if (group.members.length >= maxMembers) return false;
    const inputs = new Set(group.inputs);
    for (const v of this.#leaves(access)) if (!group.rowOf.has(v)) inputs.add(v);
    if (!this.#hasRoom(group, inputs.size, access.eqn)) return false;
    const others = this.#depsOf(access);
    others.delete(group);
    return ![...others].some((d) => this.#reaches(d, group));
  }

  /** Whether a group may bind so many operands, and the results that it must store with one more equation in it. */
  #hasRoom(group: Draft, inputs: number, ...extra: readonly Eqn[]): boolean {
    const { maxBuffers } = this.#target;
    return (
      inputs + group.members.length + extra.length <= maxBuffers ||
      inputs + this.#storedBy(group, ...extra) <= maxBuffers
    );
  }

  /** How many results a group must store for others that are placed already, with one more equation in it. */
  #storedBy(group: Draft, ...extra: readonly Eqn[]): number {
    let n = 0;
    for (const e of [...group.members, ...extra]) for (const v of e.outputs) if (this.#isStored(v, group)) n++;
    return Math.max(1, n);
  }

  /** Steps that an equation's operands come from, through floating ones. */
  #depsOf(access: Access): Set<Draft> {
    const deps = new Set<Draft>();
    for (const v of this.#leaves(access)) {
      const home = this.#info.get(v)!.home;
      if (home) deps.add(current(home));
    }
    return deps;
  }

  /** Whether `from` is `to` or depends on it. */
  #reaches = (from: Draft, to: Draft): boolean => this.#reach.has(current(from).id, current(to).id);

  #dependOn(d: Draft, on: Draft): void {
    if (d === on) return;
    d.deps.add(on);
    this.#reach.connect(d.id, on.id);
  }

  // ---------------------------------------------------------------- groups

  #open(access: Access, kind: Draft["kind"]): void {
    const { eqn, loops } = access;
    const frame = eqn.outputs[0]?.aval.shape ?? [];
    const draft: Draft = {
      id: -1,
      kind,
      frame,
      rowLength: loops.reduce((n, v) => n * v.extent, 1),
      phases: loops.length > 0 ? 1 : 0,
      members: [eqn],
      rowOf: new Map(),
      inputs: this.#leaves(access),
      deps: this.#depsOf(access),
      own: new Set(),
      access: kind === "eqn" ? access : null,
      mergedInto: null,
    };
    if (kind === "eqn") {
      // Operands that the lowering did not ask for: loops and host calls take whole arrays.
      for (const a of eqn.inputs) {
        if (!(a instanceof Var)) continue;
        for (const v of this.#info.get(a)!.leaves) {
          draft.inputs.add(v);
          const { home } = this.#info.get(v)!;
          if (home) draft.deps.add(current(home));
        }
      }
      // Effects keep their order.
      if (eqn.effects.length > 0)
        for (const d of this.#drafts) if (d.members.some((e) => e.effects.length > 0)) draft.deps.add(current(d));
    }
    draft.id = this.#reach.add([...draft.deps].map((d) => d.id));
    this.#drafts.push(draft);
    for (const v of eqn.outputs) {
      if (kind !== "eqn") draft.rowOf.set(v, flatIndex(indicesOf(axisVars(v.aval.shape)), v.aval.shape));
      this.#info.set(v, homed(v, draft, draft.rowOf.get(v) ?? null, this.#depthIn(draft, access)));
    }
  }

  #join(group: Draft, access: Access, row: Index): void {
    for (const d of this.#depsOf(access)) this.#dependOn(group, d);
    for (const v of this.#leaves(access)) if (!group.rowOf.has(v)) group.inputs.add(v);
    const depth = this.#depthIn(group, access);
    group.members.push(access.eqn);
    for (const v of access.eqn.outputs) {
      group.rowOf.set(v, row);
      this.#info.set(v, homed(v, group, row, depth));
    }
  }

  /** Same kind of rows, and neither needs the other through a third. */
  #mergeable(a: Draft, b: Draft): boolean {
    if (a.kind === "eqn" || b.kind === "eqn" || a.kind === "contract" || b.kind === "contract") return false;
    if (a.kind !== b.kind || sizeOf(a.frame) !== sizeOf(b.frame)) return false;
    if (a.kind === "reduce" && !(this.#isShort(a) && this.#isShort(b))) return false;
    const between = (x: Draft, y: Draft): boolean =>
      [...x.deps].some((d) => current(d) !== y && this.#reaches(current(d), y));
    if (a.members.length + b.members.length > maxMembers || this.#phasesOf(a, b) > maxPhases) return false;
    if (between(a, b) || between(b, a)) return false;
    const inputs = new Set([...a.inputs, ...b.inputs].filter((v) => !a.rowOf.has(v) && !b.rowOf.has(v)));
    const stored = [...a.members, ...b.members].flatMap((e) => e.outputs).filter((v) => this.#isStored(v, a, b)).length;
    return inputs.size + Math.max(1, stored) <= this.#target.maxBuffers;
  }

  #phasesOf = (a: Draft, b: Draft): number =>
    this.#reaches(a, b) || this.#reaches(b, a) ? a.phases + b.phases : Math.max(a.phases, b.phases);

  /** Whether a variable is read outside of some groups, by what is placed so far: directly or through floating ones. */
  #isStored(v: Var, ...homes: readonly Draft[]): boolean {
    const seen = new Set([v]);
    const stack = [v];
    while (stack.length > 0) {
      const x = stack.pop()!;
      if (this.#equations.required.has(x)) return true;
      for (const c of this.#equations.consumers.get(x) ?? [])
        for (const o of c.outputs) {
          const home = this.#info.get(o)?.home;
          if (home === undefined || seen.has(o)) continue;
          if (home && !homes.includes(current(home))) return true;
          if (home) continue;
          seen.add(o);
          stack.push(o);
        }
    }
    return false;
  }

  #merge(into: Draft, other: Draft): void {
    into.phases = this.#phasesOf(into, other);
    into.members = this.#inOrder([...into.members, ...other.members]);
    for (const [v, row] of other.rowOf) into.rowOf.set(v, row);
    for (const v of other.inputs) into.inputs.add(v);
    for (const v of into.rowOf.keys()) into.inputs.delete(v);
    for (const d of other.deps) into.deps.add(d);
    for (const v of other.own) into.own.add(v);
    into.rowLength = Math.max(into.rowLength, other.rowLength);
    other.mergedInto = into;
    this.#reach.merge(into.id, other.id);
    into.deps.delete(into);
    for (const d of [...into.deps]) {
      into.deps.delete(d);
      if (current(d) !== into) into.deps.add(current(d));
    }
  }

  #position: Map<Eqn, number> | null = null;
  #inOrder(eqns: readonly Eqn[]): Eqn[] {
    this.#position ??= new Map(this.#equations.eqns.map((e, i) => [e, i]));
    const position = this.#position;
    return [...eqns].sort((a, b) => position.get(a)! - position.get(b)!);
  }

  // ---------------------------------------------------------------- what floats no longer

  /** Operands that would be computed many times over get groups of their own. */
  #materializeOperands(access: Access, limit: number): void {
    const work = access.eqn.outputs[0]!.aval.size * access.loops.reduce((n, v) => n * v.extent, 1);
    for (const { operand } of access.reads) {
      const info = this.#info.get(operand)!;
      if (!info.home && info.cost > limit && work > operand.aval.size) this.#materialize(operand);
    }
  }

  /** Opens a group for a floating variable. Steps that compute it already read it from now on if they can. */
  #materialize(v: Var): void {
    const eqn = this.#equations.producers.get(v);
    if (!eqn || this.#info.get(v)!.home) return;
    const users = this.#usersOf(v);
    this.#open(this.#equations.accesses.get(eqn)!, "map");
    this.#readBy(users, v, this.#drafts.at(-1)!);
  }

  #readBy(users: Iterable<Draft>, v: Var, home: Draft): void {
    for (const d of users) {
      if (d === home) continue;
      const isKernel = d.access === null || !needsMemory(d.access);
      const full = isKernel && !this.#hasRoom(d, d.inputs.size + 1);
      if (full || this.#reaches(home, d)) {
        d.own.add(v);
        this.#owners.set(v, [...(this.#owners.get(v) ?? []), d]);
      } else {
        d.inputs.add(v);
        this.#dependOn(d, home);
      }
    }
  }

  /** A group that computes a floating variable on its way, once for each row, from which all others may read it. */
  #hostOf(v: Var, users: readonly Draft[]): Draft | null {
    const eqn = this.#equations.producers.get(v)!;
    const row = flatIndex(indicesOf(axisVars(v.aval.shape)), v.aval.shape);
    for (const d of users) {
      if (d.kind === "eqn" || sizeOf(d.frame) !== v.aval.size || d.members.length >= maxMembers) continue;
      if (users.some((u) => u !== d && this.#reaches(d, u))) continue;
      if (this.#hasRoom(d, d.inputs.size, eqn) && this.#isReadByRow(v, row, d)) return d;
    }
    return null;
  }

  /** Whether all that a group computes from a floating variable needs, in each row, the element of that number. */
  #isReadByRow(v: Var, row: Index, group: Draft): boolean {
    const stack: { readonly x: Var; readonly row: Index }[] = [{ x: v, row }];
    const seen = new Map<Var, Set<string>>();
    while (stack.length > 0) {
      const last = stack.pop()!;
      for (const c of this.#equations.consumers.get(last.x) ?? [])
        for (const read of this.#equations.accesses.get(c)!.reads) {
          if (read.operand !== last.x) continue;
          const here = through(read)(last.row);
          for (const o of c.outputs) {
            const home = this.#info.get(o)?.home;
            if (home && current(home) === group && group.rowOf.get(o)?.key !== here.key) return false;
            if (home === undefined || (home && !group.own.has(o)) || seen.get(o)?.has(here.key)) continue;
            seen.set(o, (seen.get(o) ?? new Set()).add(here.key));
            stack.push({ x: o, row: here });
          }
        }
    }
    return true;
  }

  /** Stores a floating variable in a group that computes it anyway. */
  #host(v: Var, group: Draft, users: readonly Draft[]): void {
    const eqn = this.#equations.producers.get(v)!;
    group.members = this.#inOrder([...group.members, eqn]);
    const row = flatIndex(indicesOf(axisVars(v.aval.shape)), v.aval.shape);
    group.rowOf.set(v, row);
    this.#info.set(v, homed(v, group, row, this.#info.get(v)!.depth));
    this.#readBy(users, v, group);
  }

  /** Steps that compute a floating variable, by what is placed so far. */
  #usersOf(v: Var): Set<Draft> {
    const users = new Set<Draft>();
    const seen = new Set([v]);
    const stack = [v];
    while (stack.length > 0)
      for (const c of this.#equations.consumers.get(stack.pop()!) ?? [])
        for (const o of c.outputs) {
          const info = this.#info.get(o);
          if (!info || seen.has(o)) continue;
          seen.add(o);
          if (info.home) for (const d of [info.home, ...(this.#owners.get(o) ?? [])]) users.add(current(d));
          else stack.push(o);
        }
    return users;
  }

  /** Floating variables that are costly and read by several steps are computed once. */
  #materializeShared(): void {
    for (const e of [...this.#equations.eqns].reverse())
      for (const v of e.outputs) {
        const { home, cost, rows } = this.#info.get(v)!;
        if (home || cost <= expensive) continue;
        const users = [...this.#usersOf(v)];
        if (users.length < 2) continue;
        const host = e.outputs.length === 1 ? this.#hostOf(v, users) : null;
        const cyclic = (): boolean => [...rows.keys()].some((d) => users.some((m) => this.#reaches(d, m)));
        if (host) this.#host(v, host, users);
        else if (!cyclic()) this.#materialize(v);
      }
    this.#refresh();
  }

  /** Inputs and dependencies of every step, from the final homes. */
  #refresh(): void {
    for (const d of this.#live()) {
      d.inputs = new Set();
      d.deps = new Set([...d.deps].filter((x) => this.#orders(d, x)).map(current));
      const seen = new Set<Var>();
      const visit = (v: Var): void => {
        if (seen.has(v)) return;
        seen.add(v);
        const { home } = this.#info.get(v)!;
        const eqn = this.#equations.producers.get(v);
        if (eqn && home && current(home) === d) return;
        if (!eqn || (home && !d.own.has(v))) {
          d.inputs.add(v);
          if (home) d.deps.add(current(home));
        } else for (const a of eqn.inputs) if (a instanceof Var) visit(a);
      };
      for (const e of d.members) for (const a of e.inputs) if (a instanceof Var) visit(a);
    }
    this.#reach = new Reachability();
    for (const d of this.#ordered()) d.id = this.#reach.add([...d.deps].map((x) => x.id));
  }
  /** Whether a dependency is one of effects, which no data shows. */
  #orders = (d: Draft, on: Draft): boolean =>
    d.kind === "eqn" && d.members.some((e) => e.effects.length > 0) && on.members.some((e) => e.effects.length > 0);

  #live = (): Draft[] => this.#drafts.filter((d) => d.mergedInto === null);

  /** Merges groups over the same rows that read the same array: the gradients of a scale and a shift, updates of one state. */
  #mergeSiblings(): void {
    const byKey = new Map<string, Draft[]>();
    for (const d of this.#live()) {
      if (d.kind !== "map" && d.kind !== "reduce") continue;
      const key = `${d.kind}:${d.frame.join()}:${d.rowLength}`;
      const list = byKey.get(key);
      if (list) list.push(d);
      else byKey.set(key, [d]);
    }
    for (const list of byKey.values())
      for (let i = 0; i < list.length; i++)
        for (let j = i + 1; j < list.length; j++) {
          const [a, b] = [list[i]!, list[j]!];
          if (a.mergedInto || b.mergedInto) continue;
          const small = sizeOf(a.frame) * a.rowLength <= 4096;
          if (!small && ![...a.inputs].some((v) => v.aval.size > 1 && b.inputs.has(v))) continue;
          if (this.#reaches(a, b) || this.#reaches(b, a) || !this.#mergeable(a, b)) continue;
          this.#merge(a, b);
        }
  }

  // ---------------------------------------------------------------- the result

  /** Steps in an order that respects dependencies, otherwise that of the equations. */
  #ordered(): Draft[] {
    const done = new Set<Draft>();
    const out: Draft[] = [];
    // Depth first over dependencies, without recursion: programs may be long.
    const first = (d: Draft): number => this.#positionOf(d.members[0]!);
    for (const root of this.#live().sort((a, b) => first(a) - first(b))) {
      const stack: { d: Draft; next: Draft[] }[] = [{ d: root, next: [...root.deps].map(current) }];
      while (stack.length > 0) {
        const top = stack[stack.length - 1]!;
        const dep = top.next.pop();
        if (dep) {
          if (done.has(dep)) continue;
          if (stack.some((s) => s.d === dep)) unreachable("a fusion group depends on itself");
          stack.push({ d: dep, next: [...dep.deps].map(current) });
          continue;
        }
        stack.pop();
        if (done.has(top.d)) continue;
        done.add(top.d);
        out.push(top.d);
      }
    }
    return out;
  }
  #positionOf(e: Eqn): number {
    this.#inOrder([]);
    return this.#position!.get(e)!;
  }

  #finish(d: Draft): PlanStep[] {
    if (d.kind === "eqn") return [{ kind: "eqn", eqn: d.members[0]!, access: d.access!, inputs: d.inputs }];
    const outputs = d.members.flatMap((e) => e.outputs).filter((v) => this.#isStored(v, d));
    const { kind, frame, rowLength, members, rowOf, inputs } = d;
    const group: Group = { kind, frame, rowLength, members, rowOf, inputs, outputs };
    return splitGroup(group, this.#equations.producers, this.#target.maxBuffers).map((g) => ({
      kind: "group",
      group: g,
    }));
  }
}
