/**
 * The plain schedule for one thread with vector lanes: rows one after the other, reductions and element loops inside.
 *
 * What is vectorised: without reductions, the row variable that stores walk through; so, too, with reductions over a few
 * elements, which are written out (`windows.ts`). With reductions whose operands are contiguous along the reduction, its
 * innermost loop, 16 partial results at a time. With operands contiguous along a row variable instead (the sum over the
 * first axis), a panel of rows at a time (`panels.ts`), each phase a vector loop of its own. Otherwise nothing.
 *
 * Long float32 sums are added up in blocks, whose sums go into a float64 total: errors do not grow with the length.
 */
import {
  type Index,
  type IndexVar,
  add,
  addConstant,
  constantIndex,
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
  bitcast,
  compare,
  constant,
  convert,
  f32,
  i32,
  indexOf,
  load,
  newBuffer,
  ofIndex,
  readLocal,
  select,
  u32,
  unary,
} from "../../core/scalar.ts";
import { type FusedKernel, type FusedStore, rewriteStores } from "../fusedKernel.ts";
import { type LoopNest, type Stmt, loop, store } from "../loopNest/loopNest.ts";
import { placing } from "../loopNest/rewrite.ts";
import { contractionOf, isWorthTiling, scheduleContraction } from "./contraction.ts";
import { cuttingSums } from "./cutSums.ts";
import { type KeptRow, keepingRows } from "./keptRows.ts";
import { lanes, countNodes, oneByOne, panelOf } from "./panels.ts";
import { evenPartOf } from "./parts.ts";
import { type ReductionGroup, groupsOf, normalized } from "./reductions.ts";
import type { Target } from "../target.ts";
import { Scopes } from "./scopes.ts";
import { alongReduction, alongRow, vectorTypes, walkedLast } from "./walks.ts";
import { scheduleWindows } from "./windows.ts";

/**
 * How often float32 is added to one accumulator before its sum goes into a float64 total. Errors of a sum grow with the
 * number of additions in a row; of blocks they do not, and a total of float64 has none to speak of.
 */
const blockAdds = 128;
/** Nodes of bodies that are repeated, and of all copies: what is loaded and stored once for them costs as much as they do. */
const cheapNodes = 12;
const repeatedNodes = 96;
/** Steps along a reduction that are taken together, at most. */
const mostSteps = 8;
/** Steps of a reduction from which on extrema are found the longer way, which is faster. */
const manySteps = 16;
/** Totals of a long sum: one, or one for each row of the block. */
type Total = Local | Buffer;
/** What a group adds up in along its innermost loop, which is cut in chunks of 16 and a rest. */
interface LaneSums {
  readonly totals: ReadonlyMap<Reduction, Total>;
  /** Reductions with totals. */
  readonly blocked: readonly Reduction[];
  readonly partial: ReadonlyMap<Reduction, Buffer>;
  readonly kept: readonly KeptRow[];
  readonly lane: IndexVar;
  readonly inner: IndexVar;
  readonly chunk: IndexVar;
  readonly rest: IndexVar;
}
const f64Of = (v: number): Expr => constant("f64", v);
const isSum = (r: Reduction): boolean => r.combine === "add" && r.types[0] === "f32";
/** @param isCut whether ranges of reductions were cut already. */
export function scheduleVector(fused: FusedKernel, target: Target, isCut = false): LoopNest {
  const kernel = normalized(fused);
  const scratch: Buffer[] = [];
  const nest = (body: Stmt[]): LoopNest => ({ name: kernel.name, params: kernel.params, scratch, body });
  const groups = groupsOf(kernel);
  const contraction = contractionOf(kernel, ["f32", "f64", "i32", "u32"]);
  if (contraction && isWorthTiling(contraction)) return scheduleContraction(contraction, target);
  const windows = scheduleWindows({ ...kernel, rows: walkedLast(kernel) });
  if (windows) return windows;
  const plain = (k: FusedKernel, along: "reductions" | "nothing"): Structure => new Structure(k, scratch, along, null);
  if (groups.length === 0) {
    const rows = walkedLast(kernel);
    return nest(plain({ ...kernel, rows }, "nothing").run("vector"));
  }
  if (!vectorTypes(kernel)) return nest(plain(kernel, "nothing").run("serial"));
  const cut = isCut ? null : cuttingSums(kernel);
  if (cut) return scheduleVector(cut, target, true);
  if (groups.some((g) => alongReduction(g))) {
    const { kernel: keeping, kept } = keepingRows(kernel, alongReduction);
    for (const rows of kept.values()) scratch.push(...rows.map((r) => r.row));
    return nest(new Structure(keeping, scratch, "reductions", null, kept).run("serial"));
  }
  const block = kernel.rows.find((w) => w.extent >= lanes && groups.every((g) => alongRow(g, w)));
  if (!block) return nest(plain(kernel, "nothing").run("serial"));
  const { body, repeats } = blocked(kernel, block, scratch);
  return { ...nest(body), repeats };
}

/** Rows in panels, and what is left in smaller ones. */
function blocked(kernel: FusedKernel, block: IndexVar, scratch: Buffer[]): { body: Stmt[]; repeats: boolean } {
  const others = kernel.rows.filter((v) => v !== block);
  const isCheap = countNodes(groupsOf(kernel).flatMap((g) => g.reductions.flatMap((r) => r.body))) <= cheapNodes;
  const body: Stmt[] = [];
  const panels = (first: number, count: number, width: number): void => {
    const lane = indexVar("l", width);
    const panel = indexVar("c", count);
    const place = add(addConstant(scale(varIndex(panel), width), first), varIndex(lane));
    const placed = at(kernel, block, place, [...others, panel]);
    body.push(...new Structure(placed, scratch, "rows", lane).run("serial"));
  };
  let done = 0;
  while (block.extent - done >= lanes) {
    const left = block.extent - done;
    const width = panelOf(left, isCheap);
    const count = Math.floor(left / width);
    panels(done, count, width);
    done += count * width;
  }
  // What is left are a few: with some that are done already they are a panel.
  if (done < block.extent) panels(block.extent - lanes, 1, lanes);
  return { body, repeats: done < block.extent };
}
/** The kernel with a row variable replaced. */
function at(kernel: FusedKernel, v: IndexVar, by: Index, rows: readonly IndexVar[]): FusedKernel {
  const rewriter = placing(new Map([[v, by]]));
  return {
    ...kernel,
    rows,
    stores: rewriteStores(kernel.stores, rewriter),
  };
}

/** Builds the statements of one kernel. */
class Structure extends Scopes {
  readonly #kernel: FusedKernel;
  readonly #scratch: Buffer[];
  readonly #along: "reductions" | "rows" | "nothing";
  /** The variable of the rows in a block. */
  readonly #lane: IndexVar | null;
  readonly #groupOf = new Map<Reduction, ReductionGroup>();
  /** What tells the truth about the extrema in a buffer, while these are found in a cheaper way. */
  readonly #extrema = new Map<Buffer, { readonly nans: Buffer; readonly signs: Buffer }>();
  /** Results: a local, or a place per row of the block. */
  readonly #results = new Map<Reduction, readonly (Local | Buffer)[]>();

  readonly #kept: ReadonlyMap<Reduction, readonly KeptRow[]>;

  constructor(
    kernel: FusedKernel,
    scratch: Buffer[],
    along: "reductions" | "rows" | "nothing",
    lane: IndexVar | null,
    kept: ReadonlyMap<Reduction, readonly KeptRow[]> = new Map(),
  ) {
    super();
    this.#kept = kept;
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
      const independent = (vars: readonly IndexVar[], f: () => void): void =>
        this.nested(
          "block",
          vars.filter((v) => v.extent > 1),
          f,
        );
      if (last === "vector" && rows.length > 0 && this.#kernel.stores.every((s) => s.inner.length === 0))
        independent(rows.slice(0, -1), () => this.within("vector", rows.at(-1)!, () => this.#stores()));
      else independent(rows, () => this.#stores());
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
      const storeAll = (): void => {
        for (const s of stores) {
          const value = this.place(s.value);
          this.emit(store(s.buffer, this.placeIndex(s.index), value));
        }
      };
      if (this.#lane) this.nested("serial", inner, () => this.within("vector", this.#lane!, storeAll));
      else if (inner.length > 0)
        this.nested("serial", inner.slice(0, -1), () => this.within("vector", inner.at(-1)!, storeAll));
      else storeAll();
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
    const rows = this.#lane && group.free.has(this.#lane);
    const along = this.#along === "reductions" && alongReduction(group);
    const adds = group.vars.reduce((n, v) => n * v.extent, 1) / (along ? lanes : 1);
    // Sums that are short stay as they are.
    const totals = new Map<Reduction, Total>();
    for (const r of group.reductions)
      if (adds > blockAdds && isSum(r)) totals.set(r, this.#newTotal(r, rows ? this.#lane.extent : 1));
    if (rows) this.#reduceRows(group, this.#lane, totals);
    else if (along) this.#reduceLanes(group, totals);
    else this.#reduceScalars(group, totals);
  }

  // ---------------------------------------------------------------- long sums

  /** Where the sums of blocks are added up, in float64. */
  #newTotal(r: Reduction, length: number): Total {
    if (length > 1) {
      const buffer = newBuffer(`total${this.#scratch.length}`, "f64", length, "private");
      this.#scratch.push(buffer);
      const lane = indexVar("l", length);
      this.emit(loop(oneByOne(length), lane, [store(buffer, varIndex(lane), f64Of(r.init[0]!))]));
      return buffer;
    }
    const local = this.local("total", "f64", true);
    this.emit({ kind: "declare", local, value: f64Of(r.init[0]!) });
    return local;
  }
  #addTo(total: Total, value: Expr): void {
    const local = total as Local;
    this.emit({ kind: "assign", local, value: binary("add", readLocal(local), convert(value, "f64")) });
  }
  /** The result of a reduction that was added up in blocks. */
  #totalOf(total: Total): Local {
    const local = this.local("sum", "f32");
    this.emit({ kind: "let", local, value: convert(readLocal(total as Local), "f32") });
    return local;
  }

  /**
   * Runs `block` on parts of loops in which an accumulator is added to about `blockAdds` times, if anything is added up in
   * blocks; else on all of them.
   * @param inside additions of one round of all loops.
   */
  #inBlocks(
    cut: boolean,
    vars: readonly IndexVar[],
    inside: number,
    bodies: readonly Expr[],
    block: (vars: readonly IndexVar[], bodies: readonly Expr[]) => void,
  ): void {
    let from = vars.length;
    let adds = inside;
    while (from > 0 && adds * vars[from - 1]!.extent <= blockAdds) adds *= vars[--from]!.extent;
    if (!cut || from === 0) return block(vars, bodies);
    const v = vars[from - 1]!;
    const wanted = Math.max(1, Math.floor(blockAdds / adds));
    const size = evenPartOf(v.extent, wanted) ?? wanted;
    const [count, left] = [Math.floor(v.extent / size), v.extent % size];
    const part = (first: Index, extent: number): void => {
      const i = indexVar(v.name, extent);
      const rewriter = placing(new Map([[v, add(first, varIndex(i))]]));
      const placed = bodies.map((b) => rewriter.expr(b));
      this.countUses(placed);
      block([i, ...vars.slice(from)], placed);
    };
    this.nested("serial", vars.slice(0, from - 1), () => {
      const outer = indexVar("o", count);
      this.within("serial", outer, () => part(scale(varIndex(outer), size), size));
      if (left > 0) part(constantIndex(count * size), left);
    });
  }

  // ---------------------------------------------------------------- three ways to run a group

  /** One partial result, in order. */
  #reduceScalars({ vars, reductions }: ReductionGroup, totals: ReadonlyMap<Reduction, Total>): void {
    const whole = reductions.map((r) => (totals.has(r) ? null : this.#declare(r)));
    const bodies = reductions.flatMap((r) => r.body);
    this.#inBlocks(totals.size > 0, vars, 1, bodies, (inner, placed) => {
      const accumulators = reductions.map((r, i) => whole[i] ?? this.#declare(r));
      let at = 0;
      const own = reductions.map((r) => placed.slice(at, (at += r.body.length)));
      this.nested("serial", inner, () => reductions.forEach((r, i) => this.#step(r, accumulators[i]!, own[i]!)));
      reductions.forEach((r, i) => {
        if (totals.has(r)) this.#addTo(totals.get(r)!, readLocal(accumulators[i]![0]!));
      });
    });
    reductions.forEach((r, i) => this.#results.set(r, whole[i] ?? [this.#totalOf(totals.get(r)!)]));
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
  #reduceLanes({ vars, reductions }: ReductionGroup, totals: ReadonlyMap<Reduction, Total>): void {
    const [outer, inner] = [vars.slice(0, -1), vars.at(-1)!];
    const full = Math.floor(inner.extent / lanes);
    const sums: LaneSums = {
      totals,
      blocked: reductions.filter((r) => totals.has(r)),
      partial: new Map(reductions.map((r) => [r, this.#findExtrema(this.#private(r), r, full)])),
      kept: this.#kept.get(reductions[0]!) ?? [],
      lane: indexVar("l", lanes),
      inner,
      chunk: indexVar("c", full),
      rest: indexVar("t", inner.extent - full * lanes),
    };
    const whole = reductions.filter((r) => !totals.has(r));
    this.#startLanes(sums, whole);
    const tails = this.#startTails(sums, whole);
    const bodies = [
      ...reductions.map((r) => r.body[0]!),
      // Values to keep, and where.
      ...sums.kept.flatMap(({ value, variable }) => [value, ofIndex(varIndex(variable))]),
    ];
    if (sums.blocked.length > 0 && full > blockAdds)
      this.nested("serial", outer, () => this.#reduceLongRow(sums, bodies, tails));
    else
      this.#inBlocks(sums.blocked.length > 0, outer, full + sums.rest.extent, bodies, (loops, placed) => {
        this.#startLanes(sums, sums.blocked);
        const own = new Map([...tails, ...this.#startTails(sums, sums.blocked)]);
        this.nested("serial", loops, () => {
          if (full > 0) this.#chunks(sums, [sums.chunk], this.#chunkBodies(sums, placed));
          this.#ends(sums, placed, own);
        });
        this.#addBlocks(sums, own);
      });
    for (const r of reductions) {
      const total = totals.get(r);
      this.#putRight(sums.partial.get(r)!, sums.lane);
      this.#results.set(r, [total ? this.#totalOf(total) : this.#combined(r, sums.partial.get(r)!, tails.get(r))]);
    }
  }
  /** A row that is longer than a block; its end is a block of its own. */
  #reduceLongRow(sums: LaneSums, bodies: readonly Expr[], tails: ReadonlyMap<Reduction, Local>): void {
    this.#inBlocks(true, [sums.chunk], 1, this.#chunkBodies(sums, bodies), (loops, placed) => {
      this.#startLanes(sums, sums.blocked);
      this.#chunks(sums, loops, placed);
      this.#addBlocks(sums, new Map());
    });
    const own = this.#startTails(sums, sums.blocked);
    this.#ends(sums, bodies, new Map([...tails, ...own]));
    for (const [r, tail] of own) this.#addTo(sums.totals.get(r)!, readLocal(tail));
  }

  #startLanes({ partial, lane }: LaneSums, reductions: readonly Reduction[]): void {
    for (const r of reductions) this.#fill(partial.get(r)!, lane, r);
  }
  /** Accumulators of what 16 does not divide, if there is such. */
  #startTails({ rest }: LaneSums, reductions: readonly Reduction[]): Map<Reduction, Local> {
    return new Map(rest.extent > 0 ? reductions.map((r) => [r, this.#declare(r)[0]!]) : []);
  }
  #chunkBodies({ inner, chunk, lane }: LaneSums, bodies: readonly Expr[]): Expr[] {
    return this.#bodiesAt(bodies, inner, add(scale(varIndex(chunk), lanes), varIndex(lane)));
  }
  #chunks(sums: LaneSums, loops: readonly IndexVar[], bodies: readonly Expr[]): void {
    const { partial, lane } = sums;
    const step = (): void => {
      this.#keep(sums, bodies);
      [...partial].forEach(([r, buffer], i) => this.#accumulate(buffer, lane, bodies[i]!, r));
    };
    this.nested("serial", loops, () => this.within("vector", lane, step));
  }
  #ends(sums: LaneSums, bodies: readonly Expr[], tails: ReadonlyMap<Reduction, Local>): void {
    const { partial, inner, rest } = sums;
    if (rest.extent === 0) return;
    const placed = this.#bodiesAt(bodies, inner, add(varIndex(rest), constantIndex(inner.extent - rest.extent)));
    this.within("serial", rest, () => {
      this.#keep(sums, placed);
      [...partial.keys()].forEach((r, i) => this.#step(r, [tails.get(r)!], [placed[i]!]));
    });
  }
  #keep({ kept, partial }: LaneSums, bodies: readonly Expr[]): void {
    kept.forEach(({ row }, i) => {
      const [value, place] = bodies.slice(partial.size + 2 * i);
      this.emit(store(row, indexOf(place!, 0, row.length - 1), this.place(value!)));
    });
  }
  /** Adds the block to the totals. */
  #addBlocks({ blocked, totals, partial }: LaneSums, tails: ReadonlyMap<Reduction, Local>): void {
    for (const r of blocked) this.#addTo(totals.get(r)!, readLocal(this.#combined(r, partial.get(r)!, tails.get(r))));
  }

  #bodiesAt(bodies: readonly Expr[], v: IndexVar, by: Index): Expr[] {
    const rewriter = placing(new Map([[v, by]]));
    const placed = bodies.map((b) => rewriter.expr(b));
    this.countUses(placed);
    return placed;
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
  #reduceRows({ vars, reductions }: ReductionGroup, lane: IndexVar, totals: ReadonlyMap<Reduction, Total>): void {
    const steps = vars.reduce((n, v) => n * v.extent, 1);
    const partial = reductions.map((r) => this.#findExtrema(this.#private(r, lane.extent), r, steps));
    const start = (when: (r: Reduction) => boolean): void =>
      reductions.forEach((r, i) => when(r) && this.#fill(partial[i]!, lane, r));
    start((r) => !totals.has(r));
    const given = reductions.map((r) => r.body[0]!);
    this.#inBlocks(totals.size > 0, vars, 1, given, (loops, bodies) => {
      start((r) => totals.has(r));
      this.#addRows(reductions, partial, lane, loops, bodies);
      reductions.forEach((r, i) => {
        const total = totals.get(r) as Buffer | undefined;
        if (!total) return;
        const l = indexVar("l", lane.extent);
        const value = binary("add", load(total, varIndex(l)), convert(load(partial[i]!, varIndex(l)), "f64"));
        this.emit(loop(oneByOne(l.extent), l, [store(total, varIndex(l), value)]));
      });
    });
    reductions.forEach((r, i) => {
      const total = totals.get(r) as Buffer | undefined;
      if (total) {
        const l = indexVar("l", lane.extent);
        const value = convert(load(total, varIndex(l)), "f32");
        this.emit(loop(oneByOne(l.extent), l, [store(partial[i]!, varIndex(l), value)]));
      }
      this.#putRight(partial[i]!, lane);
      this.#results.set(r, [partial[i]!]);
    });
  }

  /** Adds up rows side by side, several steps at a time: partial results are then loaded and stored less often. */
  #addRows(
    reductions: readonly Reduction[],
    partial: readonly Buffer[],
    lane: IndexVar,
    loops: readonly IndexVar[],
    bodies: readonly Expr[],
  ): void {
    const innermost = loops.at(-1)!;
    const wanted = Math.min(mostSteps, Math.floor(repeatedNodes / countNodes(bodies)), innermost.extent);
    const steps = lane.extent <= lanes ? 1 : Math.max(1, wanted);
    const rounds = indexVar(innermost.name, Math.floor(innermost.extent / steps));
    const rest = indexVar(innermost.name, innermost.extent % steps);
    const take = (v: IndexVar, by: number, first: number, count: number): void => {
      const taken = Array.from({ length: count }, (_, i) =>
        this.#bodiesAt(bodies, innermost, addConstant(scale(varIndex(v), by), first + i)),
      );
      this.nested("serial", [...loops.slice(0, -1), v], () =>
        this.within(
          "vector",
          lane,
          () =>
          reductions.forEach((r, i) => this.#accumulateAll(partial[i]!, lane, taken.map((t) => t[i]!), r)), // prettier-ignore
        ),
      );
    };
    take(rounds, steps, 0, steps);
    if (rest.extent > 0) take(rest, 1, steps * rounds.extent, 1);
  }

  #private(r: Reduction, length = lanes): Buffer {
    const buffer = newBuffer(`acc${this.#scratch.length}`, r.types[0] as "f32" | "i32" | "u32", length, "private");
    this.#scratch.push(buffer);
    return buffer;
  }
  #fill(buffer: Buffer, lane: IndexVar, r: Reduction): void {
    const fill = (b: Buffer, value: Expr): void => this.emit(loop("vector", lane, [store(b, varIndex(lane), value)]));
    fill(buffer, constant(r.types[0]!, r.init[0]!));
    const truth = this.#extrema.get(buffer);
    if (!truth) return;
    fill(truth.nans, i32(0));
    fill(truth.signs, u32(r.combine === "max" ? 0xffffffff : 0));
  }
  /**
   * A greatest or least number is several instructions, for NaN and −0. Of many numbers it is less to compare them, count
   * NaNs, and remember whether all signs were set, or any: with that the result is put right at the end.
   */
  #findExtrema(buffer: Buffer, r: Reduction, steps: number): Buffer {
    if ((r.combine !== "max" && r.combine !== "min") || r.types[0] !== "f32" || steps < manySteps) return buffer;
    const own = (storage: "i32" | "u32"): Buffer => {
      const b = newBuffer(`acc${this.#scratch.length}`, storage, buffer.length, "private");
      this.#scratch.push(b);
      return b;
    };
    this.#extrema.set(buffer, { nans: own("i32"), signs: own("u32") });
    return buffer;
  }
  #putRight(buffer: Buffer, lane: IndexVar): void {
    const truth = this.#extrema.get(buffer);
    if (!truth) return;
    this.#extrema.delete(buffer);
    const at = varIndex(lane);
    const found = load(buffer, at);
    const zero = bitcast(binary("and", load(truth.signs, at), u32(0x80000000)), "f32");
    const value = select(compare("eq", found, f32(0)), zero, found);
    const isNaN = compare("ne", load(truth.nans, at), i32(0));
    this.emit(loop("vector", lane, [store(buffer, at, select(isNaN, f32(NaN), value))]));
  }
  #accumulate(buffer: Buffer, lane: IndexVar, body: Expr, r: Reduction): void {
    this.#accumulateAll(buffer, lane, [body], r);
  }
  #accumulateAll(buffer: Buffer, lane: IndexVar, bodies: readonly Expr[], r: Reduction): void {
    const index = varIndex(lane);
    const truth = this.#extrema.get(buffer);
    const values = bodies.map((b) => (b.kind === "load" && b.buffer.space === "private" ? b : this.place(b)));
    const combined = (to: Buffer, combine: (sum: Expr, value: Expr) => Expr): void =>
      this.emit(store(to, index, values.reduce(combine, load(to, index))));
    if (!truth) return combined(buffer, (sum, value) => binary(r.combine as ReduceOp, sum, value));
    const op = r.combine === "max" ? "lt" : "gt";
    combined(buffer, (best, value) => select(compare(op, best, value), value, best));
    combined(truth.nans, (count, value) => binary("add", count, convert(unary("isNaN", value), "i32")));
    combined(truth.signs, (signs, value) => binary(op === "lt" ? "and" : "or", signs, bitcast(value, "u32")));
  }
}
