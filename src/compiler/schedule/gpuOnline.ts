/**
 * Online products (`onlineProduct.ts`) on a grid of workgroups, as FlashAttention (Dao et al., 2022): a block has some rows
 * and walks over the keys a tile at a time. For every tile the scores are a product of slices in shared memory and stay in
 * registers; the largest of each row is found together; exponentials go to shared memory, where they are a factor of the
 * product with the values, whose sums stay in registers for the whole walk. So memory holds operands and results only, and
 * rows may have any length.
 *
 * A thread keeps the scores of a few rows and keys. Its part of a row's sums is its own until the walk ends; only the
 * largest score is agreed on in every tile, because all that was summed so far is scaled by it.
 */
import { type Index, type IndexVar, add, indexVar, scale, varIndex, zeroIndex } from "../../core/indexing.ts";
import {
  type Buffer,
  type Expr,
  type Local,
  binary,
  compare,
  f32,
  greatest,
  i32,
  load,
  minus,
  ofIndex,
  plus,
  readLocal,
  times,
  unary,
} from "../../core/scalar.ts";
import { type FusedStore, rewriteStores } from "../fusedKernel.ts";
import type { LoopNest } from "../loopNest/loopNest.ts";
import { Rewriter, placesOf, visitExprs } from "../loopNest/rewrite.ts";
import { extentOf } from "./contraction.ts";
import { type OnlineTiling, sharedLengths } from "./gpuOnlineTiling.ts";
import { type Bounded, type Run, SharedTiles, type Slice } from "./gpuTiles.ts";
import { type OnlineProduct, type WeightedSum, lowest } from "./onlineProduct.ts";

/**
 * @param finish expands math functions, which the product still has as they are.
 * @param part the number of the part of the keys that a block walks over, if they are divided.
 */
export const scheduleOnline = (
  p: OnlineProduct,
  tiling: OnlineTiling,
  finish: (e: Expr) => Expr,
  part = indexVar("part", 1),
): LoopNest => new OnlineTiles(p, tiling, finish, part).run();

const minusInfinity = /* @__PURE__ */ f32(-Infinity);

class OnlineTiles extends SharedTiles {
  readonly #p: OnlineProduct;
  readonly #tiling: OnlineTiling;
  readonly #finish: (e: Expr) => Expr;
  readonly #places: ReadonlyMap<IndexVar, Index>;
  readonly #outer: IndexVar;
  readonly #block: IndexVar;
  readonly #part: IndexVar;
  readonly #tile: IndexVar;
  /** Loops over the keys, and their steps. */
  readonly #walk: readonly Step[];
  readonly #rows: Run;
  readonly #keys: Run;
  readonly #columns: Run;
  /** Factors of the scores, of the result. */
  readonly #left: Slice;
  readonly #right: Slice;
  readonly #weights: Slice;
  readonly #values: Slice;
  /** For each row, what its threads found. */
  readonly #partial: Buffer;
  /** A thread's scores, largest scores of its rows, and sums. */
  readonly #scores: Buffer;
  readonly #largest: Buffer;
  readonly #sums: ReadonlyMap<WeightedSum, Buffer>;

  constructor(p: OnlineProduct, tiling: OnlineTiling, finish: (e: Expr) => Expr, part: IndexVar) {
    super(tiling.side, "f32");
    this.#p = p;
    this.#tiling = tiling;
    this.#finish = finish;
    this.#part = part;
    const { side, rows, keys, columns, tiles } = tiling;
    this.#outer = indexVar("g", extentOf(p.around));
    this.#places = placesOf(p.around, varIndex(this.#outer));
    this.#block = indexVar("qb", Math.ceil(extentOf(p.rows) / rows));
    this.#tile = indexVar("kt", tiles);
    this.#rows = runOf(p.rows, rows, [[this.#block, rows]]);
    this.#walk = [
      [part, tiles * keys],
      [this.#tile, keys],
    ];
    this.#keys = runOf(p.keys, keys, this.#walk);
    this.#columns = runOf(p.columns, columns, []);
    const lengths = sharedLengths(tiling, extentOf(p.depth));
    const slice = this.buffer("slice", lengths.slice, "shared");
    const registers = (name: string, size: number): Buffer => this.buffer(name, size / side, "private");
    const [a, b, c] = [registers("a", rows), registers("b", keys), registers("c", columns)];
    this.#left = { shared: this.buffer("left", lengths.left, "shared"), size: rows, registers: a };
    this.#right = { shared: slice, size: keys, registers: b };
    this.#weights = { shared: this.buffer("weights", lengths.weights, "shared"), size: rows, registers: a };
    this.#values = { shared: slice, size: columns, registers: c };
    this.#partial = this.buffer("partial", lengths.partial, "shared");
    this.#scores = this.buffer("scores", a.length * b.length, "private");
    this.#largest = this.buffer("largest", a.length, "private");
    this.#sums = new Map(
      p.sums.map((s) => [s, this.buffer("sums", s.values ? a.length * c.length : a.length, "private")]),
    );
  }

  run(): LoopNest {
    const { name, params } = this.#p.kernel;
    const body = this.top(() =>
      this.nested("block", [this.#outer, this.#block, ...(this.#part.extent > 1 ? [this.#part] : [])], () => {
        this.threads(() => this.#start());
        this.within("serial", this.#tile, () => {
          this.#multiplyScores();
          this.threads(() => this.#findLargest());
          this.barrier();
          this.threads(() => this.#weigh());
          this.#multiplyValues();
        });
        for (const s of this.#p.sums) if (!s.values) this.#addUp(this.#sums.get(s)!);
        this.threads(() => this.#store());
      }),
    );
    return { name, params, scratch: this.scratch, body };
  }

  // ---------------------------------------------------------------- small things

  #eachRow(f: (i: IndexVar) => void): void {
    const i = indexVar("i", this.#left.registers.length);
    this.within("unroll", i, () => f(i));
  }
  /** Variables that something of a thread's own depends on. */
  #own = (...vars: readonly IndexVar[]): IndexVar[] => [this.thread, ...vars.filter((v) => v.extent > 1)];
  /** A value by a name that expressions can be placed with. */
  #let(value: Expr, ...vars: readonly IndexVar[]): Expr {
    const local = this.local("r", "f32");
    this.dependencies.bind(local, this.#own(...vars));
    this.emit({ kind: "let", local, value });
    return readLocal(local);
  }
  #placed(e: Expr): Expr {
    const finished = this.#finish(e);
    this.countUses([finished]);
    return this.place(finished);
  }
  /** The number of a thread's row, key or column within the tile, and within all. */
  #inTile = (first: Index, i: IndexVar): Index => add(first, scale(varIndex(i), this.side));
  #bound = (run: Run, first: Index, i: IndexVar): Bounded =>
    this.bounded(add(run.first, this.#inTile(first, i)), run.extent, [...this.#own(i), ...run.loops]);
  /** Where a thread leaves what it found of a row. */
  #partialAt = (i: IndexVar, column: Index): Index => add(scale(this.#inTile(this.row, i), this.side + 1), column);
  /** An expression of the product at a row and a key. */
  #at(e: Expr, row: Bounded, key: Bounded, locals: ReadonlyMap<Local, Expr>): Expr {
    const { rows, keys } = this.#p;
    const places = new Map([...this.#places, ...placesOf(rows, row.at), ...placesOf(keys, key.at)]);
    return replacing(places, locals).expr(e);
  }

  // ---------------------------------------------------------------- the walk

  #start(): void {
    const clear = (b: Buffer, value: Expr): void => {
      const i = indexVar("i", b.length);
      this.within("unroll", i, () => this.put(b, varIndex(i), value));
    };
    clear(this.#largest, minusInfinity);
    for (const b of this.#sums.values()) clear(b, this.zero);
    if (this.#tiling.keepsLeft)
      this.#fillLeft(runOf(this.#p.depth, this.#left.shared.length / (this.#left.size + 1), []));
  }
  #fillLeft = (depth: Run): void => this.fill(this.#p.left, this.#rows, depth, this.#left.shared, this.#places);

  #multiplyScores(): void {
    const { depth: size, keepsLeft } = this.#tiling;
    const { depth: vars, right } = this.#p;
    const chunk = indexVar("dc", Math.ceil(extentOf(vars) / size));
    const depth = runOf(vars, size, [[chunk, size]]);
    this.threads(() => this.eachSum(this.#left.registers, this.#right.registers, (at) => this.put(this.#scores, at, this.zero))); // prettier-ignore
    this.within("serial", chunk, () => {
      this.threads(() => {
        if (!keepsLeft) this.#fillLeft(depth);
        this.fill(right, this.#keys, depth, this.#right.shared, this.#places);
      });
      this.barrier();
      const left = keepsLeft ? { ...this.#left, first: depth.first } : this.#left;
      this.threads(() => this.multiply(left, this.#right, size, this.#scores));
      this.barrier();
    });
  }

  /** Products become scores, and a thread leaves the largest of each of its rows. Rows beyond the last hold garbage. */
  #findLargest(): void {
    const { score, product } = this.#p;
    const j = indexVar("j", this.#right.registers.length);
    this.#eachRow((i) => {
      const largest = this.local("most", "f32", true);
      this.emit({ kind: "declare", local: largest, value: minusInfinity });
      const row = this.#bound(this.#rows, this.row, i);
      this.guarded(row.inside, this.#own(i).at(-1)!, () =>
        this.within("unroll", j, () => {
          const at = add(scale(varIndex(i), j.extent), varIndex(j));
          const key = this.#bound(this.#keys, this.column, j);
          const sum = this.#let(load(this.#scores, at), i, j);
          const value = (): Expr => this.#placed(this.#at(score, row, key, new Map([[product, sum]])));
          if (key.inside.kind === "const") this.put(this.#scores, at, value());
          else {
            // Keys beyond the last weigh nothing.
            this.put(this.#scores, at, minusInfinity);
            this.guarded(key.inside, this.#own(j).at(-1)!, () => this.put(this.#scores, at, value()));
          }
          this.emit({ kind: "assign", local: largest, value: greatest(readLocal(largest), load(this.#scores, at)) });
        }),
      );
      this.put(this.#partial, this.#partialAt(i, this.column), readLocal(largest));
    });
  }

  /** Scores become exponentials, after everything summed so far is scaled to the row's new largest score. */
  #weigh(): void {
    this.#eachRow((i) => {
      const next = this.#overRow("max", load(this.#largest, varIndex(i)), i);
      const subtrahend = this.#let(greatest(next, lowest), i);
      const before = this.#let(load(this.#largest, varIndex(i)), i);
      const factor = this.#let(this.#placed(unary("exp", minus(before, subtrahend))), i);
      this.put(this.#largest, varIndex(i), next);
      for (const [s, sums] of this.#sums) {
        const n = indexVar("n", s.values ? this.#values.registers.length : 1);
        this.within("unroll", n, () => {
          const at = add(scale(varIndex(i), n.extent), varIndex(n));
          this.put(sums, at, times(load(sums, at), factor));
        });
      }
      const j = indexVar("j", this.#right.registers.length);
      this.within("unroll", j, () => {
        const score = this.#let(load(this.#scores, add(scale(varIndex(i), j.extent), varIndex(j))), i, j);
        const power = this.#let(this.#placed(unary("exp", minus(score, subtrahend))), i, j);
        for (const [s, sums] of this.#sums) {
          const weight = s.weight ? this.#weight(s.weight, power, i, j) : power;
          const at = add(scale(this.#inTile(this.column, j), this.#weights.size + 1), this.#inTile(this.row, i));
          if (s.values) this.put(this.#weights.shared, at, weight);
          else this.put(sums, varIndex(i), plus(load(sums, varIndex(i)), weight));
        }
      });
    });
  }
  /** An exponential with its weight; 0 where there is no such row or key. */
  #weight(weight: Expr, power: Expr, i: IndexVar, j: IndexVar): Expr {
    const local = this.local("w", "f32", true);
    this.emit({ kind: "declare", local, value: this.zero });
    const row = this.#bound(this.#rows, this.row, i);
    const key = this.#bound(this.#keys, this.column, j);
    // One condition inside the other, so that what only one of them allows is computed under it.
    this.guarded(row.inside, this.#own(i).at(-1)!, () =>
      this.guarded(key.inside, this.#own(j).at(-1)!, () => {
        const value = times(power, this.#placed(this.#at(weight, row, key, new Map())));
        this.emit({ kind: "assign", local, value });
      }),
    );
    return readLocal(local);
  }

  /** Combines what the threads of a row left. */
  #overRow(op: "max" | "add", init: Expr, i: IndexVar): Expr {
    const local = this.local("all", "f32", true);
    this.emit({ kind: "declare", local, value: init });
    const from = indexVar("s", this.side);
    this.within("serial", from, () => {
      const value = binary(op, readLocal(local), load(this.#partial, this.#partialAt(i, varIndex(from))));
      this.emit({ kind: "assign", local, value });
    });
    return this.#let(readLocal(local), i);
  }

  #multiplyValues(): void {
    const { keyDepth: size, keys } = this.#tiling;
    const sum = this.#p.sums.find((s) => s.values)!;
    const chunk = indexVar("kc", keys / size);
    const first = scale(varIndex(chunk), size);
    const run = runOf(this.#p.keys, size, [...this.#walk, [chunk, size]]);
    this.within("serial", chunk, () => {
      this.threads(() => this.fill(sum.values!, this.#columns, run, this.#values.shared, this.#places));
      this.barrier();
      this.threads(() => this.multiply({ ...this.#weights, first }, this.#values, size, this.#sums.get(sum)!));
      this.barrier();
    });
  }

  // ---------------------------------------------------------------- the end

  /** A row's sum is that of its threads' sums. */
  #addUp(sums: Buffer): void {
    this.threads(() =>
      this.#eachRow((i) => this.put(this.#partial, this.#partialAt(i, this.column), load(sums, varIndex(i)))),
    );
    this.barrier();
    this.threads(() => this.#eachRow((i) => this.put(sums, varIndex(i), this.#overRow("add", this.zero, i))));
    this.barrier();
  }

  #store(): void {
    const { rows, columns, largest, sums } = this.#p;
    const stores = this.#p.stores.map((s) => ({ ...s, value: this.#finish(s.value) }));
    const ofColumns = stores.filter((s) => this.#hasColumns(s));
    const j = indexVar("j", this.#values.registers.length);
    this.#eachRow((i) => {
      const row = this.#bound(this.#rows, this.row, i);
      this.guarded(row.inside, this.#own(i).at(-1)!, () => {
        const places = new Map([...this.#places, ...placesOf(rows, row.at)]);
        const locals = new Map([[largest, this.#let(load(this.#largest, varIndex(i)), i)]]);
        for (const s of sums) if (!s.values) locals.set(s.local, this.#let(load(this.#sums.get(s)!, varIndex(i)), i));
        // What the whole row has is one thread's.
        const isFirst = compare("eq", ofIndex(this.column), i32(0));
        const ofRows = stores.filter((s) => !ofColumns.includes(s));
        if (ofRows.length > 0)
          this.guarded(isFirst, this.thread, () => this.#storeEach(ofRows, replacing(places, locals)));
        this.within("unroll", j, () => {
          const column = this.#bound(this.#columns, this.column, j);
          this.guarded(column.inside, this.#own(j).at(-1)!, () => {
            const at = add(scale(varIndex(i), j.extent), varIndex(j));
            const here = new Map(locals);
            for (const s of sums) if (s.values) here.set(s.local, this.#let(load(this.#sums.get(s)!, at), i, j));
            this.#storeEach(ofColumns, replacing(new Map([...places, ...placesOf(columns, column.at)]), here));
          });
        });
      });
    });
  }
  #storeEach(stores: readonly FusedStore[], rewriter: Rewriter): void {
    const here = rewriteStores(stores, rewriter);
    this.countUses(here.map((s) => s.value));
    for (const { buffer, index, value } of here) {
      const placed = this.place(value);
      this.put(buffer, this.placeIndex(index), placed);
    }
  }
  /** Whether a store is one for each column. */
  #hasColumns({ value, index }: FusedStore): boolean {
    const locals = new Set(this.#p.sums.filter((s) => s.values).map((s) => s.local));
    let found = this.#p.columns.some((v) => this.dependencies.ofIndex(index).has(v));
    visitExprs([value], (e) => void (found ||= e.kind === "local" && locals.has(e.local)));
    return found;
  }
}

/** A loop, and how far one round of it goes. */
type Step = readonly [loop: IndexVar, by: number];
const runOf = (vars: readonly IndexVar[], size: number, loops: readonly Step[]): Run => ({
  vars,
  extent: extentOf(vars),
  size,
  first: loops.reduce((x, [v, step]) => add(x, scale(varIndex(v), step)), zeroIndex),
  loops: loops.map(([v]) => v),
});

const replacing = (places: ReadonlyMap<IndexVar, Index>, locals: ReadonlyMap<Local, Expr>): Rewriter =>
  new Rewriter({
    variable: (v) => places.get(v) ?? null,
    expr: (e) => (e.kind === "local" ? (locals.get(e.local) ?? null) : null),
  });
