/**
 * Sums of products on a grid of workgroups: a block computes a tile of the result. Slices of both factors are put in
 * shared memory, after everything that is fused into them; each thread keeps a small tile of sums in registers
 * (`gpuTiles.ts`). At the edges elements that do not exist count as 0, and are not stored.
 */
import { type Index, type IndexVar, add, indexVar, scale, varIndex } from "../../core/indexing.ts";
import { type Buffer, type Expr, load, readLocal } from "../../core/scalar.ts";
import { rewriteStores } from "../fusedKernel.ts";
import type { LoopNest } from "../loopNest/loopNest.ts";
import { placesOf, placing } from "../loopNest/rewrite.ts";
import type { Target } from "../target.ts";
import { type Contraction, extentOf } from "./contraction.ts";
import { type Bounded, type Run, SharedTiles, type Slice, type WordType, sliceLength } from "./gpuTiles.ts";

/** A product that tiles are made for. */
export type Product = Contraction<WordType>;

/** Sizes of a block's tile, and of the square of threads that computes it. */
export interface Tiling {
  readonly rows: number;
  readonly columns: number;
  readonly depth: number;
  readonly side: number;
}

/** Summands in shared memory at once. */
export const usualDepth = 16;
/** Blocks that keep a device busy; smaller tiles make more of them. */
export const enoughBlocks = 64;
/** Products with fewer rows or columns are reductions, one thread or more for each sum. */
const fewest = 8;

/** The side of the square of threads; null if there are too few for one. */
export const sideOf = ({ maxThreads }: Target): number | null => (maxThreads >= 256 ? 16 : maxThreads >= 64 ? 8 : null);
/** How many of `n` a tile has before it is made smaller. */
export const fitting = (n: number, side: number): number => (n > 2 * side ? 4 * side : n > side ? 2 * side : side);

/** How to tile a product, or null if that does not pay. */
export function tilingOf(c: Product, target: Target): Tiling | null {
  const [rows, columns, length] = [extentOf(c.rows), extentOf(c.columns), extentOf(c.reduction.vars)];
  const side = sideOf(target);
  if (rows < fewest || columns < fewest || length < 4 || side === null) return null;
  const depth = Math.min(usualDepth, 2 ** Math.ceil(Math.log2(length)));
  const tile = { rows: fitting(rows, side), columns: fitting(columns, side) };
  const blocks = (): number => extentOf(c.around) * Math.ceil(rows / tile.rows) * Math.ceil(columns / tile.columns);
  const bytes = (): number => (sliceLength(tile.rows, depth) + sliceLength(tile.columns, depth)) * 4;
  while ((blocks() < enoughBlocks || bytes() > target.maxSharedBytes) && Math.max(tile.rows, tile.columns) > side) {
    if (tile.rows >= tile.columns) tile.rows /= 2;
    else tile.columns /= 2;
  }
  return bytes() > target.maxSharedBytes ? null : { ...tile, depth, side };
}

export const scheduleTiles = (c: Product, tiling: Tiling): LoopNest => new Tiles(c, tiling).run();

/** One of the two factors, and the way of its variables through blocks. */
interface Factor extends Slice {
  readonly factor: Expr;
  readonly block: IndexVar;
  readonly run: Run;
}

class Tiles extends SharedTiles {
  readonly #c: Product;
  readonly #tiling: Tiling;
  readonly #length: number;
  readonly #rows: Factor;
  readonly #columns: Factor;
  readonly #sums: Buffer;

  constructor(c: Product, tiling: Tiling) {
    super(tiling.side, c.type);
    this.#c = c;
    this.#tiling = tiling;
    this.#length = extentOf(c.reduction.vars);
    this.#rows = this.#factor("a", c.left, c.rows, tiling.rows);
    this.#columns = this.#factor("b", c.right, c.columns, tiling.columns);
    this.#sums = this.buffer("sums", (tiling.rows * tiling.columns) / tiling.side ** 2, "private");
  }

  #factor(name: string, factor: Expr, vars: readonly IndexVar[], size: number): Factor {
    const { depth, side } = this.#tiling;
    const extent = extentOf(vars);
    const block = indexVar(`${name}b`, Math.ceil(extent / size));
    return {
      factor,
      size,
      block,
      run: { vars, extent, size, first: scale(varIndex(block), size), loops: [block] },
      shared: this.buffer(`${name}Tile`, sliceLength(size, depth), "shared"),
      registers: this.buffer(name, size / side, "private"),
    };
  }

  run(): LoopNest {
    const { kernel, around, reduction } = this.#c;
    const { depth } = this.#tiling;
    const outer = indexVar("g", extentOf(around));
    const chunk = indexVar("kb", Math.ceil(this.#length / depth));
    const places = placesOf(around, varIndex(outer));
    const [rows, columns, sums] = [this.#rows, this.#columns, this.#sums];
    const summands: Run = {
      vars: reduction.vars,
      extent: this.#length,
      size: depth,
      first: scale(varIndex(chunk), depth),
      loops: [chunk],
    };
    const body = this.top(() =>
      this.nested("block", [outer, rows.block, columns.block], () => {
        this.threads(() => this.eachSum(rows.registers, columns.registers, (at) => this.put(sums, at, this.zero)));
        this.within("serial", chunk, () => {
          this.threads(() => {
            for (const { factor, run, shared } of [rows, columns]) this.fill(factor, run, summands, shared, places);
          });
          this.barrier();
          this.threads(() => this.multiply(rows, columns, depth, sums));
          this.barrier();
        });
        this.threads(() => this.#store(places));
      }),
    );
    return { name: kernel.name, params: kernel.params, scratch: this.scratch, body };
  }

  /** Everything fused into the result. */
  #store(around: ReadonlyMap<IndexVar, Index>): void {
    const { kernel, reduction } = this.#c;
    const [rows, columns] = [this.#rows, this.#columns];
    const [i, j] = [indexVar("i", rows.registers.length), indexVar("j", columns.registers.length)];
    const own = (v: IndexVar): IndexVar[] => [this.thread, ...(v.extent > 1 ? [v] : [])];
    const place = ({ run, block }: Factor, first: Index, v: IndexVar): Bounded =>
      this.bounded(add(run.first, add(first, scale(varIndex(v), this.side))), run.extent, [...own(v), block]);
    this.within("unroll", i, () => {
      const row = place(rows, this.row, i);
      this.guarded(row.inside, own(i).at(-1)!, () =>
        this.within("unroll", j, () => {
          const column = place(columns, this.column, j);
          this.guarded(column.inside, own(j).at(-1)!, () => {
            const sum = this.local("sum", this.type);
            this.dependencies.bind(sum, [...own(i), ...own(j)]);
            const at = add(scale(varIndex(i), j.extent), varIndex(j));
            this.emit({ kind: "let", local: sum, value: load(this.#sums, at) });
            const places = new Map([
              ...around,
              ...placesOf(rows.run.vars, row.at),
              ...placesOf(columns.run.vars, column.at),
            ]);
            const rewriter = placing(places, (e) =>
              e.kind === "reduced" && e.reduction === reduction ? readLocal(sum) : null,
            );
            const stores = rewriteStores(kernel.stores, rewriter);
            this.countUses(stores.map((s) => s.value));
            for (const { buffer, index, value } of stores) {
              const placed = this.place(value);
              this.put(buffer, this.placeIndex(index), placed);
            }
          });
        }),
      );
    });
  }
}
