/**
 * Rows in blocks of threads. A block has `across` rows and, for each, `along` threads, which share the row's reductions
 * and stores. One thread for each row needs no cooperation: its reductions are loops. Several keep partial results, which
 * are combined pairwise in shared memory, where everybody then finds the result.
 *
 * Neighbouring threads take neighbouring elements: of the reduction if its operands are contiguous there, otherwise of
 * the rows. Barriers stand outside of every condition.
 */
import {
  type Index,
  type IndexVar,
  add,
  addConstant,
  floorDiv,
  indexVar,
  modulo,
  scale,
  valueIndex,
  varIndex,
} from "../../core/indexing.ts";
import {
  type Buffer,
  type Expr,
  type Local,
  type Reduction,
  type ScalarType,
  binary,
  compare,
  constant,
  convert,
  i32,
  like,
  load,
  newBuffer,
  ofIndex,
  readLocal,
  within as isWithin,
} from "../../core/scalar.ts";
import { type FusedKernel, type FusedStore, rewriteStores } from "../fusedKernel.ts";
import type { LoopNest, Stmt } from "../loopNest/loopNest.ts";
import { type Rewriter, placesOf, placing } from "../loopNest/rewrite.ts";
import type { Target } from "../target.ts";
import { extentOf } from "./contraction.ts";
import type { ReductionGroup } from "./reductions.ts";
import { Scopes } from "./scopes.ts";
import { contiguous } from "./walks.ts";

/** Threads of a block, where the target allows it. */
const usualThreads = 256;
/** Rows that keep a device busy with one thread each. */
const manyRows = 16384;

/** How a block's threads are arranged. */
export interface BlockShape {
  readonly across: number;
  readonly along: number;
  /** Whether neighbouring threads are those of one row. */
  readonly alongFirst: boolean;
}

const powerBelow = (n: number): number => 2 ** Math.floor(Math.log2(Math.max(1, n)));
const powerAbove = (n: number): number => 2 ** Math.ceil(Math.log2(Math.max(1, n)));

/** Rows in the order threads take them, and the shape of the blocks; null for one thread for each row. */
export function shapeOf(
  kernel: FusedKernel,
  groups: readonly ReductionGroup[],
  target: Target,
): { rows: readonly IndexVar[]; shape: BlockShape | null } {
  const { rows } = kernel;
  const count = extentOf(rows);
  const shared = groups.filter((g) => isOfRows(g, rows));
  const length = Math.max(1, ...shared.map((g) => extentOf(g.vars)));
  const alongFirst = shared.some((g) => contiguous(g, g.vars.at(-1)!));
  const walked = [...rows].reverse().find((w) => shared.some((g) => contiguous(g, w)));
  const ordered = walked && !alongFirst ? [...rows.filter((v) => v !== walked), walked] : rows;
  // A thread needs a few elements of its own to be worth a step of the combination.
  const most = Math.min(powerBelow(target.maxThreads), usualThreads);
  let along = Math.min(most, powerAbove(length / 4));
  if (!alongFirst) {
    const rowThreads = Math.min(32, powerAbove(count));
    along = count >= manyRows ? 1 : Math.min(along, most / rowThreads, powerAbove(manyRows / count));
  }
  const across = Math.min(most / along, powerAbove(count));
  const lanes = shared.reduce((n, g) => n + g.reductions.reduce((m, r) => m + r.types.length, 0), 0);
  const fits = lanes * across * along * 4 <= target.maxSharedBytes;
  const none = length < 16 || along < 2 || !fits;
  return { rows: ordered, shape: none ? null : { across, along, alongFirst } };
}

/** Whether a reduction is one of a whole row. */
const isOfRows = (g: ReductionGroup, rows: readonly IndexVar[]): boolean => [...g.free].every((v) => rows.includes(v));

/** Booleans lie in shared memory as words. */
const storable = (e: Expr): Expr => (e.type === "bool" ? convert(e, "u32") : e);
const storageOf = (type: ScalarType): Buffer["storage"] => (type === "bool" ? "u32" : type);
const loaded = (buffer: Buffer, index: Index, type: ScalarType): Expr => {
  const x = load(buffer, index);
  return type === "bool" ? compare("ne", x, like(x, 0)) : x;
};

export class RowBlocks extends Scopes {
  readonly #kernel: FusedKernel;
  readonly #shape: BlockShape;
  readonly #scratch: Buffer[] = [];
  readonly #count: number;
  readonly #block: IndexVar;
  readonly #thread: IndexVar;
  /** The number of a thread's row, perhaps beyond the last; and as an index that is used only where there is a row. */
  readonly #rowNumber: Index;
  readonly #row: Index;
  readonly #rowLocal: Local | null;
  /** The thread's number among those of the row. */
  readonly #member: Index;
  readonly #stores: readonly FusedStore[];
  /** Reductions of whole rows, in an order in which they can be computed. */
  readonly #shared: readonly ReductionGroup[];
  readonly #groupOf = new Map<Reduction, ReductionGroup>();
  /** Results in shared memory. */
  readonly #published = new Map<Reduction, readonly Expr[]>();
  /** Results in locals, by the body that binds them. */
  readonly #local = new WeakMap<readonly Stmt[], Map<Reduction, readonly Expr[]>>();

  /** @param shape null for a thread for each row. */
  constructor(kernel: FusedKernel, groups: readonly ReductionGroup[], shape: BlockShape | null, target: Target) {
    super();
    this.#kernel = kernel;
    const count = extentOf(kernel.rows);
    const threads = Math.min(powerBelow(target.maxThreads), usualThreads, powerAbove(count));
    const { across, along, alongFirst } = (this.#shape = shape ?? { across: threads, along: 1, alongFirst: false });
    this.#count = count;
    this.#block = indexVar("b", Math.ceil(count / across));
    this.#thread = indexVar("t", across * along);
    this.dependencies.reductionsIn = [this.#thread];
    const t = varIndex(this.#thread);
    this.#member = alongFirst ? modulo(t, along) : floorDiv(t, across);
    this.#rowNumber = add(scale(varIndex(this.#block), across), alongFirst ? floorDiv(t, along) : modulo(t, across));
    this.#rowLocal = count % across === 0 ? null : this.local("row", "i32");
    this.#row = this.#rowLocal ? valueIndex(readLocal(this.#rowLocal), 0, count - 1) : this.#rowNumber;
    if (this.#rowLocal) this.dependencies.bind(this.#rowLocal, [this.#block, this.#thread]);
    const places = placesOf(kernel.rows, this.#row);
    const rewriter = placing(places);
    this.#stores = rewriteStores(kernel.stores, rewriter);
    const shared: ReductionGroup[] = [];
    for (const g of groups) {
      const group = this.#moved(g, rewriter);
      for (const r of group.reductions) this.#groupOf.set(r, group);
      if (isOfRows(g, kernel.rows)) shared.push(group);
    }
    this.#shared = along > 1 ? shared : [];
    this.countUses(this.#stores.map((s) => s.value));
  }

  /** A group after a rewriting of expressions. */
  #moved({ vars, reductions }: ReductionGroup, rewriter: Rewriter): ReductionGroup {
    const moved = reductions.map((r) => rewriter.reduction(r));
    const free = new Set(moved.flatMap((r) => [...this.dependencies.ofReduction(r)]));
    return { vars, reductions: moved, free };
  }
  /** Puts indices in the place of variables, and keeps track of the reductions that this makes anew. */
  #placing(vars: readonly IndexVar[], at: Index): Rewriter {
    const places = placesOf(vars, at);
    const rewriter = placing(places);
    for (const g of new Set(this.#groupOf.values())) {
      if (g.reductions.every((r) => rewriter.reduction(r) === r)) continue;
      const moved = this.#moved(g, rewriter);
      moved.reductions.forEach((r) => this.#groupOf.set(r, moved));
    }
    return rewriter;
  }

  run(): LoopNest {
    const { name, params } = this.#kernel;
    const body = this.top(() => {
      // One element: without loops, so that it may be written over its operands.
      if (this.#count === 1 && this.#shape.along === 1) return this.#storeAll();
      this.within("block", this.#block, () => {
        if (this.#shape.along === 1) return this.#inThreads(() => this.#storeAll());
        for (const g of this.#shared) this.#cooperate(g);
        this.#inThreads(() => this.#storeTogether());
      });
    });
    return { name, params, scratch: this.#scratch, body };
  }

  /** Runs `f` in every thread that has a row. */
  #inThreads(f: () => void): void {
    this.within("thread", this.#thread, () => {
      if (!this.#rowLocal) return f();
      this.emit({ kind: "let", local: this.#rowLocal, value: ofIndex(this.#rowNumber) });
      this.guarded(isWithin(this.#rowNumber, 0, this.#count), this.#thread, f);
    });
  }

  // ---------------------------------------------------------------- stores

  #store({ buffer, index, value }: FusedStore): void {
    const placed = this.place(value);
    this.emit({ kind: "store", buffer, index: this.placeIndex(index), value: placed });
  }
  #byLoops(): FusedStore[][] {
    const byLoops = new Map<string, FusedStore[]>();
    for (const s of this.#stores) {
      const key = s.inner.map((v) => v.id).join();
      byLoops.set(key, [...(byLoops.get(key) ?? []), s]);
    }
    return [...byLoops.values()];
  }
  #storeAll(): void {
    for (const stores of this.#byLoops())
      this.nested("serial", stores[0]!.inner, () => stores.forEach((s) => this.#store(s)));
  }
  /** The elements of a row by all of its threads. */
  #storeTogether(): void {
    const isFirst = compare("eq", ofIndex(this.#member), i32(0));
    for (const stores of this.#byLoops()) {
      const { inner } = stores[0]!;
      if (inner.length === 0) this.guarded(isFirst, this.#thread, () => stores.forEach((s) => this.#store(s)));
      else
        this.#strided(extentOf(inner), (at) => {
          const rewriter = this.#placing(inner, at);
          const moved = rewriteStores(stores, rewriter);
          this.countUses(moved.map((s) => s.value));
          moved.forEach((s) => this.#store(s));
        });
    }
  }

  /** Runs `f` at every position below `length` that is this thread's. */
  #strided(length: number, f: (at: Index) => void): void {
    const { along } = this.#shape;
    const round = indexVar("i", Math.ceil(length / along));
    this.within("serial", round, () => {
      const at = add(scale(varIndex(round), along), this.#member);
      if (length % along === 0) return f(at);
      const local = this.local("k", "i32");
      this.dependencies.bind(local, round.extent > 1 ? [this.#thread, round] : [this.#thread]);
      this.emit({ kind: "let", local, value: ofIndex(at) });
      const innermost = round.extent > 1 ? round : this.#thread;
      this.guarded(isWithin(at, 0, length), innermost, () => f(valueIndex(readLocal(local), 0, length - 1)));
    });
  }

  // ---------------------------------------------------------------- reductions

  protected override placeReduced(r: Reduction, lane: number): Expr {
    const shared = this.#published.get(r);
    if (shared) return shared[lane]!;
    const { vars, reductions, free } = this.#groupOf.get(r)!;
    const level = this.levelOf(free);
    const body = this.scopes[level]!.stmts;
    let results = this.#local.get(body);
    if (!results) this.#local.set(body, (results = new Map()));
    if (!results.has(r))
      this.at(level, () => {
        const accumulators = reductions.map((x) => this.#declare(x));
        this.nested("serial", vars, () =>
          reductions.forEach((x, i) =>
            this.#step(
              x,
              accumulators[i]!,
              x.body.map((b) => this.place(b)),
            ),
          ),
        );
        reductions.forEach((x, i) => results.set(x, accumulators[i]!.map(readLocal)));
      });
    return results.get(r)![lane]!;
  }

  #declare(r: Reduction): Local[] {
    return r.types.map((type, i) => {
      const local = this.local("acc", type, true);
      this.emit({ kind: "declare", local, value: constant(type, r.init[i]!) });
      return local;
    });
  }
  /** Combines one element into accumulators. */
  #step(r: Reduction, accumulators: readonly Local[], values: readonly Expr[]): void {
    this.#combined(r, accumulators.map(readLocal), values).forEach((value, i) =>
      this.emit({ kind: "assign", local: accumulators[i]!, value }),
    );
  }
  /** The combination of two partial results; of several lanes, all are computed before any is used. */
  #combined(r: Reduction, left: readonly Expr[], right: readonly Expr[]): Expr[] {
    if (typeof r.combine === "string") return [binary(r.combine, left[0]!, right[0]!)];
    return r.combine(left, right).map((value) => {
      const local = this.local("next", value.type);
      this.emit({ kind: "let", local, value });
      return readLocal(local);
    });
  }

  /** Reduces with all threads of the row. */
  #cooperate({ vars, reductions }: ReductionGroup): void {
    const { across, along, alongFirst } = this.#shape;
    const t = varIndex(this.#thread);
    const shared = reductions.map((r) => r.types.map((type) => this.#buffer(storageOf(type))));
    const at = (i: number, index: Index): Expr[] =>
      reductions[i]!.types.map((type, lane) => loaded(shared[i]![lane]!, index, type));
    const publish = (i: number, values: readonly Expr[]): void =>
      values.forEach((value, lane) =>
        this.emit({ kind: "store", buffer: shared[i]![lane]!, index: t, value: storable(value) }),
      );
    this.#inThreads(() => {
      const accumulators = reductions.map((r) => this.#declare(r));
      this.#strided(extentOf(vars), (position) => {
        const rewriter = this.#placing(vars, position);
        const bodies = reductions.map((r) => r.body.map((b) => rewriter.expr(b)));
        this.countUses(bodies.flat());
        reductions.forEach((r, i) =>
          this.#step(
            r,
            accumulators[i]!,
            bodies[i]!.map((b) => this.place(b)),
          ),
        );
      });
      accumulators.forEach((list, i) => publish(i, list.map(readLocal)));
    });
    this.emit({ kind: "barrier" });
    const stride = alongFirst ? 1 : across;
    for (let half = along / 2; half >= 1; half /= 2) {
      const hasPartner = compare("lt", ofIndex(this.#member), i32(half));
      this.within("thread", this.#thread, () =>
        this.guarded(hasPartner, this.#thread, () =>
          reductions.forEach((r, i) => publish(i, this.#combined(r, at(i, t), at(i, addConstant(t, half * stride))))),
        ),
      );
      this.emit({ kind: "barrier" });
    }
    const first = alongFirst ? scale(floorDiv(t, along), along) : modulo(t, across);
    reductions.forEach((r, i) => this.#published.set(r, at(i, first)));
  }

  #buffer(storage: Buffer["storage"]): Buffer {
    const buffer = newBuffer(`partial${this.#scratch.length}`, storage, this.#thread.extent, "shared");
    this.#scratch.push(buffer);
    return buffer;
  }
}
