/**
 * Sums of products on a grid of workgroups: a block computes a tile of the result. Slices of both factors are put in
 * shared memory, after everything that is fused into them; each thread keeps a small tile of sums in registers, whose rows
 * and columns lie a thread grid apart, so that neighbouring threads read and write neighbouring elements.
 *
 * As on a CPU (`contraction.ts`), several variables count as one flat number of a row, column or summand. At the edges
 * elements that do not exist count as 0, and are not stored.
 */
import {
  type Index,
  type IndexVar,
  add,
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
  binary,
  both,
  compare,
  f32,
  i32,
  load,
  newBuffer,
  ofIndex,
  readLocal,
  times,
  within as isWithin,
} from "../../core/scalar.ts";
import type { LoopNest } from "../loopNest/loopNest.ts";
import { Rewriter } from "../loopNest/rewrite.ts";
import type { Target } from "../target.ts";
import { type Contraction, extentOf, walks } from "./contraction.ts";
import { placesOf } from "./gpuRows.ts";
import { Scopes } from "./scopes.ts";

/** Sizes of a block's tile, and of the square of threads that computes it. */
export interface Tiling {
  readonly rows: number;
  readonly columns: number;
  readonly depth: number;
  readonly side: number;
}

/** Summands in shared memory at once. */
const usualDepth = 16;
/** Blocks that keep a device busy; smaller tiles make more of them. */
const enoughBlocks = 64;
/** Products with fewer rows or columns are reductions, one thread or more for each sum. */
const fewest = 8;

/** How to tile a product, or null if that does not pay. */
export function tilingOf(c: Contraction, { maxThreads, maxSharedBytes }: Target): Tiling | null {
  const [rows, columns, length] = [extentOf(c.rows), extentOf(c.columns), extentOf(c.reduction.vars)];
  const side = maxThreads >= 256 ? 16 : 8;
  if (rows < fewest || columns < fewest || length < 4 || maxThreads < side ** 2) return null;
  const depth = Math.min(usualDepth, 2 ** Math.ceil(Math.log2(length)));
  const fit = (n: number): number => (n > 2 * side ? 4 * side : n > side ? 2 * side : side);
  const tile = { rows: fit(rows), columns: fit(columns) };
  const blocks = (): number => extentOf(c.around) * Math.ceil(rows / tile.rows) * Math.ceil(columns / tile.columns);
  const bytes = (): number => (tile.rows + tile.columns + 2) * depth * 4;
  while ((blocks() < enoughBlocks || bytes() > maxSharedBytes) && Math.max(tile.rows, tile.columns) > side) {
    if (tile.rows >= tile.columns) tile.rows /= 2;
    else tile.columns /= 2;
  }
  return bytes() > maxSharedBytes ? null : { ...tile, depth, side };
}

export const scheduleTiles = (c: Contraction, tiling: Tiling): LoopNest => new Tiles(c, tiling).run();

/** One of the two factors, and the way of its variables through blocks. */
interface Side {
  readonly factor: Expr;
  readonly vars: readonly IndexVar[];
  readonly extent: number;
  /** Of the block's tile. */
  readonly size: number;
  readonly block: IndexVar;
  readonly shared: Buffer;
  readonly registers: Buffer;
}

class Tiles extends Scopes {
  readonly #c: Contraction;
  readonly #tiling: Tiling;
  readonly #scratch: Buffer[] = [];
  readonly #thread: IndexVar;
  readonly #length: number;
  readonly #rows: Side;
  readonly #columns: Side;
  readonly #sums: Buffer;

  constructor(c: Contraction, tiling: Tiling) {
    super();
    this.#c = c;
    this.#tiling = tiling;
    this.#thread = indexVar("t", tiling.side ** 2);
    this.#length = extentOf(c.reduction.vars);
    this.#rows = this.#side("a", c.left, c.rows, tiling.rows);
    this.#columns = this.#side("b", c.right, c.columns, tiling.columns);
    this.#sums = this.#buffer("sums", (tiling.rows * tiling.columns) / tiling.side ** 2, "private");
  }

  #side(name: string, factor: Expr, vars: readonly IndexVar[], size: number): Side {
    const { depth, side } = this.#tiling;
    const extent = extentOf(vars);
    return {
      factor,
      vars,
      extent,
      size,
      block: indexVar(`${name}b`, Math.ceil(extent / size)),
      // One word more in each row, so that threads that fill columns meet in different banks.
      shared: this.#buffer(`${name}Tile`, depth * (size + 1), "shared"),
      registers: this.#buffer(name, size / side, "private"),
    };
  }
  #buffer(name: string, length: number, space: Buffer["space"]): Buffer {
    const buffer = newBuffer(name, "f32", length, space);
    this.#scratch.push(buffer);
    return buffer;
  }

  run(): LoopNest {
    const { kernel, around } = this.#c;
    const outer = indexVar("g", extentOf(around));
    const chunk = indexVar("kb", Math.ceil(this.#length / this.#tiling.depth));
    const places = placesOf(around, varIndex(outer));
    const body = this.top(() =>
      this.nested("block", [outer, this.#rows.block, this.#columns.block], () => {
        this.#threads(() => this.#eachSum((at) => this.#put(this.#sums, at, f32(0))));
        this.within("serial", chunk, () => {
          this.#threads(() => {
            this.#fill(this.#rows, chunk, places);
            this.#fill(this.#columns, chunk, places);
          });
          this.emit({ kind: "barrier" });
          this.#threads(() => this.#multiply());
          this.emit({ kind: "barrier" });
        });
        this.#threads(() => this.#store(places));
      }),
    );
    return { name: kernel.name, params: kernel.params, scratch: this.#scratch, body };
  }

  #threads = (f: () => void): void => this.within("thread", this.#thread, f);
  #put(buffer: Buffer, index: Index, value: Expr): void {
    this.emit({ kind: "store", buffer, index, value });
  }

  /** A number that may be beyond the last: a condition, and an index to use where it holds. */
  #bounded(number: Index, extent: number, vars: readonly IndexVar[]): { inside: Expr; at: Index } {
    const inside = isWithin(number, 0, extent);
    if (inside.kind === "const") return { inside, at: number };
    const local: Local = this.local("n", "i32");
    this.dependencies.bind(local, vars);
    this.emit({ kind: "let", local, value: ofIndex(number) });
    return { inside, at: valueIndex(readLocal(local), 0, extent - 1) };
  }

  /** Puts a slice of a factor in shared memory: `shared[k][i]`. */
  #fill({ factor, vars, extent, size, block, shared }: Side, chunk: IndexVar, around: Map<IndexVar, Index>): void {
    const { depth } = this.#tiling;
    const summands = this.#c.reduction.vars;
    const threads = this.#thread.extent;
    const alongSummands = walks(factor, summands.at(-1)) && !walks(factor, vars.at(-1));
    const round = indexVar("l", Math.ceil((size * depth) / threads));
    this.within("serial", round, () => {
      const element = add(scale(varIndex(round), threads), varIndex(this.#thread));
      const [i, k] = alongSummands
        ? [floorDiv(element, depth), modulo(element, depth)]
        : [modulo(element, size), floorDiv(element, size)];
      const here = [this.#thread, round].filter((v) => v.extent > 1);
      const fill = (): void => {
        const row = this.#bounded(add(scale(varIndex(block), size), i), extent, [...here, block]);
        const summand = this.#bounded(add(scale(varIndex(chunk), depth), k), this.#length, [...here, chunk]);
        const places = new Map([...around, ...placesOf(vars, row.at), ...placesOf(summands, summand.at)]);
        const value = new Rewriter({ variable: (v) => places.get(v) ?? null }).expr(factor);
        this.countUses([value]);
        const to = add(scale(k, size + 1), i);
        const exists = both(row.inside, summand.inside);
        if (exists.kind === "const") return this.#put(shared, to, this.place(value));
        const local = this.local("x", "f32", true);
        this.emit({ kind: "declare", local, value: f32(0) });
        this.guarded(exists, here.at(-1)!, () => this.emit({ kind: "assign", local, value: this.place(value) }));
        this.#put(shared, to, readLocal(local));
      };
      // A small tile has less elements than there are threads.
      this.guarded(compareBelow(element, size * depth), here.at(-1)!, fill);
    });
  }

  /** The row and column of a thread in the square of threads. */
  get #row(): Index {
    return floorDiv(varIndex(this.#thread), this.#tiling.side);
  }
  get #column(): Index {
    return modulo(varIndex(this.#thread), this.#tiling.side);
  }
  #eachSum(f: (at: Index) => void): void {
    const [i, j] = [indexVar("i", this.#rows.registers.length), indexVar("j", this.#columns.registers.length)];
    this.nested("unroll", [i, j], () => f(add(scale(varIndex(i), j.extent), varIndex(j))));
  }

  /** Adds the products of a slice to the sums. */
  #multiply(): void {
    const { depth, side } = this.#tiling;
    const k = indexVar("k", depth);
    const take = ({ shared, registers, size }: Side, first: Index): void => {
      const i = indexVar("i", registers.length);
      const from = add(scale(varIndex(k), size + 1), add(first, scale(varIndex(i), side)));
      this.within("unroll", i, () => this.#put(registers, varIndex(i), load(shared, from)));
    };
    const [a, b] = [this.#rows.registers, this.#columns.registers];
    const [i, j] = [indexVar("i", a.length), indexVar("j", b.length)];
    const at = add(scale(varIndex(i), b.length), varIndex(j));
    this.within("serial", k, () => {
      take(this.#rows, this.#row);
      take(this.#columns, this.#column);
      this.nested("unroll", [i, j], () => {
        const product = times(load(a, varIndex(i)), load(b, varIndex(j)));
        this.#put(this.#sums, at, binary("add", load(this.#sums, at), product));
      });
    });
  }

  /** Everything fused into the result. */
  #store(around: Map<IndexVar, Index>): void {
    const { kernel, reduction } = this.#c;
    const { side } = this.#tiling;
    const [rows, columns] = [this.#rows, this.#columns];
    const [i, j] = [indexVar("i", rows.registers.length), indexVar("j", columns.registers.length)];
    const own = (v: IndexVar): IndexVar[] => [this.#thread, ...(v.extent > 1 ? [v] : [])];
    const place = (s: Side, first: Index, v: IndexVar): { inside: Expr; at: Index } =>
      this.#bounded(add(scale(varIndex(s.block), s.size), add(first, scale(varIndex(v), side))), s.extent, [
        ...own(v),
        s.block,
      ]);
    this.within("unroll", i, () => {
      const row = place(rows, this.#row, i);
      this.guarded(row.inside, own(i).at(-1)!, () =>
        this.within("unroll", j, () => {
          const column = place(columns, this.#column, j);
          this.guarded(column.inside, own(j).at(-1)!, () => {
            const sum = this.local("sum", "f32");
            this.dependencies.bind(sum, [...own(i), ...own(j)]);
            const at = add(scale(varIndex(i), j.extent), varIndex(j));
            this.emit({ kind: "let", local: sum, value: load(this.#sums, at) });
            const places = new Map([...around, ...placesOf(rows.vars, row.at), ...placesOf(columns.vars, column.at)]);
            const rewriter = new Rewriter({
              variable: (v) => places.get(v) ?? null,
              expr: (e) => (e.kind === "reduced" && e.reduction === reduction ? readLocal(sum) : null),
            });
            const stores = kernel.stores.map((s) => ({
              buffer: s.buffer,
              index: rewriter.index(s.index),
              value: rewriter.expr(s.value),
            }));
            this.countUses(stores.map((s) => s.value));
            for (const { buffer, index, value } of stores) {
              const placed = this.place(value);
              this.#put(buffer, this.placeIndex(index), placed);
            }
          });
        }),
      );
    });
  }
}

const compareBelow = (x: Index, bound: number): Expr =>
  x.max < bound ? isWithin(x, 0, bound) : compare("lt", ofIndex(x), i32(bound));
