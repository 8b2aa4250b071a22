/**
 * The plain schedule for one thread with vector lanes: rows one after the other, reductions and element loops inside.
 *
 * What is vectorised: without reductions, the row variable that stores walk through. With reductions whose operands are
 * contiguous along the reduction, its innermost loop, 16 partial results at a time. With operands contiguous along a
 * row variable instead (the sum over the first axis), 16 rows at a time, each phase a vector loop of its own. Otherwise
 * nothing.
 */
import {
  type Index,
  type IndexVar,
  add,
  constantIndex,
  factorOf,
  indexVar,
  scale,
  varIndex,
} from "../../core/indexing.ts";
import {
  type Buffer,
  type Expr,
  type Local,
  type ReduceOp,
  type Reduction,
  binary,
  constant,
  load,
  newBuffer,
  readLocal,
} from "../../core/scalar.ts";
import type { FusedKernel, FusedStore } from "../fusedKernel.ts";
import type { LoopNest, Stmt } from "../loopNest/loopNest.ts";
import { Rewriter, visitExprs } from "../loopNest/rewrite.ts";
import { coalesce } from "./coalesce.ts";
import { contractionOf, isWorthTiling, scheduleContraction } from "./contraction.ts";
import { type ReductionGroup, groupsOf, shareReductions } from "./reductions.ts";
import { Scopes } from "./scopes.ts";

/** Partial results of a vectorised reduction, and rows of a block. */
const lanes = 16;

export function scheduleVector(fused: FusedKernel): LoopNest {
  const kernel = shareReductions(coalesce(shareReductions(fused)));
  const scratch: Buffer[] = [];
  const nest = (body: Stmt[]): LoopNest => ({ name: kernel.name, params: kernel.params, scratch, body });
  const groups = groupsOf(kernel);
  const plain = (k: FusedKernel, along: "reductions" | "nothing"): Structure => new Structure(k, scratch, along, null);
  if (groups.length === 0) {
    const rows = walkedLast(kernel);
    return nest(plain({ ...kernel, rows }, "nothing").run("vector"));
  }
  const contraction = contractionOf(kernel, ["f32", "f64", "i32", "u32"]);
  if (contraction && isWorthTiling(contraction)) return scheduleContraction(contraction);
  if (!vectorTypes(kernel)) return nest(plain(kernel, "nothing").run("serial"));
  if (groups.some((g) => alongReduction(g))) return nest(plain(kernel, "reductions").run("serial"));
  const block = kernel.rows.find((w) => w.extent >= lanes && groups.every((g) => alongRow(g, w)));
  if (!block) return nest(plain(kernel, "nothing").run("serial"));
  return nest(blocked(kernel, block, scratch));
}

/** Rows in blocks of 16, and what is left one by one. */
function blocked(kernel: FusedKernel, block: IndexVar, scratch: Buffer[]): Stmt[] {
  const full = Math.floor(block.extent / lanes);
  const left = block.extent - full * lanes;
  const others = kernel.rows.filter((v) => v !== block);
  const lane = indexVar("l", lanes);
  const chunk = indexVar("c", full);
  const main = at(kernel, block, add(scale(varIndex(chunk), lanes), varIndex(lane)), [...others, chunk]);
  const body = new Structure(main, scratch, "rows", lane).run("serial");
  if (left === 0) return body;
  const rest = indexVar("t", left);
  const tail = at(kernel, block, add(varIndex(rest), constantIndex(full * lanes)), [...others, rest]);
  return [...body, ...new Structure(tail, scratch, "nothing", null).run("serial")];
}

/** The kernel with a row variable replaced. */
function at(kernel: FusedKernel, v: IndexVar, by: Index, rows: readonly IndexVar[]): FusedKernel {
  const rewriter = new Rewriter({ variable: (x) => (x === v ? by : null) });
  return {
    ...kernel,
    rows,
    stores: kernel.stores.map((s) => ({ ...s, index: rewriter.index(s.index), value: rewriter.expr(s.value) })),
  };
}

/** Rows with the one last that stores step through one by one: rows are parallel, so any order will do. */
export function walkedLast({ rows, stores }: FusedKernel): readonly IndexVar[] {
  const walked = [...rows].reverse().find((v) => stores.every((s) => factorOf(s.index, v) === 1));
  return walked ? [...rows.filter((v) => v !== walked), walked] : rows;
}

/** Reductions of predicates and of float64 stay scalar. */
function vectorTypes(kernel: FusedKernel): boolean {
  let ok = true;
  visitExprs(
    kernel.stores.map((s) => s.value),
    (e) => {
      if (e.type === "f64" || (e.kind === "reduced" && e.type === "bool")) ok = false;
      if (e.kind === "reduced" && typeof e.reduction.combine !== "string") ok = false;
    },
  );
  return ok;
}

/** Steps of the loads under a group along a variable: all 0 or 1, some 1? */
export function contiguous({ reductions }: ReductionGroup, v: IndexVar): boolean {
  let some = false;
  let all = true;
  visitExprs(
    reductions.flatMap((r) => r.body),
    (e) => {
      if (e.kind !== "load") return;
      const factor = factorOf(e.index, v);
      if (factor === 1) some = true;
      else if (factor !== 0) all = false;
    },
  );
  return some && all;
}
const alongReduction = (g: ReductionGroup): boolean => g.vars.at(-1)!.extent >= 8 && contiguous(g, g.vars.at(-1)!);
const alongRow = (g: ReductionGroup, w: IndexVar): boolean => !g.free.has(w) || contiguous(g, w);

/** Builds the statements of one kernel. */
class Structure extends Scopes {
  readonly #kernel: FusedKernel;
  readonly #scratch: Buffer[];
  readonly #along: "reductions" | "rows" | "nothing";
  /** The variable of the rows in a block. */
  readonly #lane: IndexVar | null;
  readonly #groupOf = new Map<Reduction, ReductionGroup>();
  /** Results: a local, or a place per row of the block. */
  readonly #results = new Map<Reduction, readonly (Local | Buffer)[]>();

  constructor(kernel: FusedKernel, scratch: Buffer[], along: "reductions" | "rows" | "nothing", lane: IndexVar | null) {
    super();
    this.#kernel = kernel;
    this.#scratch = scratch;
    this.#along = along;
    this.#lane = lane;
    this.countUses(kernel.stores.map((s) => s.value));
    for (const g of groupsOf(kernel)) for (const r of g.reductions) this.#groupOf.set(r, g);
  }

  run(last: "serial" | "vector"): Stmt[] {
    const { rows } = this.#kernel;
    return this.top(() => {
      if (last === "vector" && rows.length > 0 && this.#kernel.stores.every((s) => s.inner.length === 0))
        this.nested("serial", rows.slice(0, -1), () => this.within("vector", rows.at(-1)!, () => this.#stores()));
      else this.nested("serial", rows, () => this.#stores());
    });
  }

  #stores(): void {
    const byLoops = new Map<string, FusedStore[]>();
    for (const s of this.#kernel.stores) {
      const key = s.inner.map((v) => v.id).join();
      byLoops.set(key, [...(byLoops.get(key) ?? []), s]);
    }
    for (const stores of byLoops.values()) {
      const inner = stores[0]!.inner;
      const store = (): void => {
        for (const s of stores) {
          const value = this.place(s.value);
          this.emit({ kind: "store", buffer: s.buffer, index: this.placeIndex(s.index), value });
        }
      };
      if (this.#lane) this.nested("serial", inner, () => this.within("vector", this.#lane!, store));
      else if (inner.length > 0)
        this.nested("serial", inner.slice(0, -1), () => this.within("vector", inner.at(-1)!, store));
      else store();
    }
  }

  protected override placeReduced(r: Reduction, lane: number): Expr {
    let results = this.#results.get(r);
    if (!results) {
      const group = this.#groupOf.get(r)!;
      const outside = new Set(group.free);
      if (this.#lane) outside.delete(this.#lane);
      this.at(this.levelOf(outside), () => this.#reduce(group));
      results = this.#results.get(r)!;
    }
    const result = results[lane]!;
    return "storage" in result ? load(result, varIndex(this.#lane!)) : readLocal(result);
  }

  #reduce(group: ReductionGroup): void {
    if (this.#lane && group.free.has(this.#lane)) return this.#reduceRows(group, this.#lane);
    if (this.#along === "reductions" && alongReduction(group)) return this.#reduceLanes(group);
    this.#reduceScalars(group);
  }

  /** One partial result, in order. */
  #reduceScalars({ vars, reductions }: ReductionGroup): void {
    const accumulators = reductions.map((r) => this.#declare(r));
    this.nested("serial", vars, () => reductions.forEach((r, i) => this.#step(r, accumulators[i]!, r.body)));
    reductions.forEach((r, i) => this.#results.set(r, accumulators[i]!));
  }

  #declare(r: Reduction): Local[] {
    return r.types.map((type, i) => {
      const local = this.local("acc", type, true);
      this.emit({ kind: "declare", local, value: constant(type, r.init[i]!) });
      return local;
    });
  }

  /** Combines one element into accumulators. */
  #step(r: Reduction, accumulators: readonly Local[], body: readonly Expr[]): void {
    const values = body.map((b) => this.place(b));
    if (typeof r.combine === "string") {
      const local = accumulators[0]!;
      this.emit({ kind: "assign", local, value: binary(r.combine, readLocal(local), values[0]!) });
      return;
    }
    // All lanes are combined before any is replaced.
    const next = r.combine(accumulators.map(readLocal), values).map((value) => {
      const local = this.local("next", value.type);
      this.emit({ kind: "let", local, value });
      return local;
    });
    next.forEach((n, i) => this.emit({ kind: "assign", local: accumulators[i]!, value: readLocal(n) }));
  }

  /** 16 partial results along the innermost loop, combined pairwise at the end. */
  #reduceLanes({ vars, reductions }: ReductionGroup): void {
    const inner = vars.at(-1)!;
    const full = Math.floor(inner.extent / lanes);
    const left = inner.extent - full * lanes;
    const partial = reductions.map((r) => this.#private(r));
    const tails = left > 0 ? reductions.map((r) => this.#declare(r)) : [];
    const lane = indexVar("l", lanes);
    reductions.forEach((r, i) => this.#fill(partial[i]!, lane, r));
    this.nested("serial", vars.slice(0, -1), () => {
      const chunk = indexVar("c", full);
      const bodies = this.#bodiesAt(reductions, inner, add(scale(varIndex(chunk), lanes), varIndex(lane)));
      if (full > 0)
        this.within("serial", chunk, () =>
          this.within("vector", lane, () =>
            bodies.forEach((b, i) => this.#accumulate(partial[i]!, lane, b, reductions[i]!)),
          ),
        );
      if (left === 0) return;
      const rest = indexVar("t", left);
      const ends = this.#bodiesAt(reductions, inner, add(varIndex(rest), constantIndex(full * lanes)));
      this.within("serial", rest, () => reductions.forEach((r, i) => this.#step(r, tails[i]!, [ends[i]!])));
    });
    reductions.forEach((r, i) => this.#results.set(r, [this.#combined(r, partial[i]!, tails[i]?.[0])]));
  }

  #bodiesAt(reductions: readonly Reduction[], v: IndexVar, by: Index): Expr[] {
    const rewriter = new Rewriter({ variable: (x) => (x === v ? by : null) });
    const bodies = reductions.map((r) => rewriter.expr(r.body[0]!));
    this.countUses(bodies);
    return bodies;
  }

  #combined(r: Reduction, partial: Buffer, tail: Local | undefined): Local {
    const op = r.combine as ReduceOp;
    for (const n of [lanes / 2, lanes / 4]) {
      const lane = indexVar("l", n);
      const other = load(partial, add(varIndex(lane), constantIndex(n)));
      this.within("vector", lane, () => this.#accumulate(partial, lane, other, r));
    }
    let value: Expr = load(partial, constantIndex(0));
    for (let i = 1; i < lanes / 4; i++) value = binary(op, value, load(partial, constantIndex(i)));
    if (tail) value = binary(op, value, readLocal(tail));
    const local = this.local("sum", value.type);
    this.emit({ kind: "let", local, value });
    return local;
  }

  /** A partial result for each row of the block. */
  #reduceRows({ vars, reductions }: ReductionGroup, lane: IndexVar): void {
    const partial = reductions.map((r) => this.#private(r));
    reductions.forEach((r, i) => this.#fill(partial[i]!, lane, r));
    this.nested("serial", vars, () =>
      this.within("vector", lane, () =>
        reductions.forEach((r, i) => this.#accumulate(partial[i]!, lane, r.body[0]!, r)),
      ),
    );
    reductions.forEach((r, i) => this.#results.set(r, [partial[i]!]));
  }

  #private(r: Reduction): Buffer {
    const buffer = newBuffer(`acc${this.#scratch.length}`, r.types[0] as "f32" | "i32" | "u32", lanes, "private");
    this.#scratch.push(buffer);
    return buffer;
  }
  #fill(buffer: Buffer, lane: IndexVar, r: Reduction): void {
    const value = constant(r.types[0]!, r.init[0]!);
    this.within("vector", lane, () => this.emit({ kind: "store", buffer, index: varIndex(lane), value }));
  }
  #accumulate(buffer: Buffer, lane: IndexVar, body: Expr, r: Reduction): void {
    const index = varIndex(lane);
    const value = body.kind === "load" && body.buffer.space === "private" ? body : this.place(body);
    this.emit({ kind: "store", buffer, index, value: binary(r.combine as ReduceOp, load(buffer, index), value) });
  }
}
