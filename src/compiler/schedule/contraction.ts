/**
 * Sums of products on a CPU, after Goto and van de Geijn ("Anatomy of High-Performance Matrix Multiplication", 2008): the
 * right operand is packed into panels of a few columns, blocks of the left one into panels of a few rows, and a small
 * tile of the result stays in registers while the sum runs over both panels.
 *
 * Row variables that only the left factor has are rows of the product, those that only the right one has are columns, the
 * rest are a loop around it. Several variables count as one flat number, so convolutions are products too, whose packing
 * does the index arithmetic. Operands are packed after everything that is fused into them, and what is fused into the
 * result is computed on a block that is still in cache. Panels that stick out at the edge hold garbage in lanes nobody reads.
 */
import {
  type Index,
  type IndexVar,
  add,
  addConstant,
  constantIndex,
  factorOf,
  indexVar,
  scale,
  varIndex,
  zeroIndex,
} from "../../core/indexing.ts";
import {
  type Buffer,
  type Expr,
  type Local,
  type Reduction,
  type ScalarType,
  binary,
  constant,
  load,
  newBuffer,
  not,
  times,
} from "../../core/scalar.ts";
import { type FusedKernel, rewriteStores } from "../fusedKernel.ts";
import { type LoopNest, type Stmt, loop, store } from "../loopNest/loopNest.ts";
import { placesOf, placing, visitExprs } from "../loopNest/rewrite.ts";
import type { Target } from "../target.ts";
import { type Inside, insideOf } from "./inside.ts";
import { evenPartOf } from "./parts.ts";
import { groupsOf } from "./reductions.ts";
import { Dependencies, Scopes } from "./scopes.ts";

/** What products are made of here. */
export type NumberType = Exclude<ScalarType, "bool">;

/**
 * Rows and columns of the tile in registers: vectors of four, or scalars where four do not fit in a vector. Of 16 vector
 * registers, 6 × 8 takes 12 for sums, 2 for columns and 1 for a row; without a fused instruction the product needs one
 * more, and 4 × 8 is faster than a tile that spills. Where an engine joins neighbouring vectors into wide ones, there are
 * twice as many columns. A tile is computed in a call, as are a panel and a row of results:
 * products of every size share the code of their tiles.
 */
const tileRowsOf = (type: NumberType, fused: boolean): number => (type === "f32" && fused ? 6 : 4);
const narrowColumns = (type: NumberType): number => (type === "f64" ? 2 : 8);
const tileColumnsOf = (type: NumberType, wide: boolean): number =>
  narrowColumns(type) * (type === "f32" && wide ? 2 : 1);
/** Fewer rows are not worth packing for. */
const fewRows = 4;
/** Tiles of fewer summands are not worth a call. */
const fewSummands = 32;
/** Rows, columns and summands of a block: panels of both operands stay in the caches next to the registers. */
const blockRows = 64;
const blockColumns = 256;
const blockDepth = 256;
/** Rows of a task whose results are kept while the sum goes on in the next block. */
const deepRows = 256;
/** Tasks of a product that are enough. */
const enoughTasks = 16;

/** The product that a kernel computes, if it is one. */
export interface Contraction<T extends NumberType = NumberType> {
  readonly kernel: FusedKernel;
  readonly reduction: Reduction;
  readonly type: T;
  readonly left: Expr;
  readonly right: Expr;
  readonly around: readonly IndexVar[];
  readonly rows: readonly IndexVar[];
  readonly columns: readonly IndexVar[];
}

export const extentOf = (vars: readonly IndexVar[]): number => vars.reduce((n, v) => n * v.extent, 1);

/** Finds the product of numbers of some types, with the columns along the axis that results are contiguous in. */
export function contractionOf<T extends NumberType>(kernel: FusedKernel, types: readonly T[]): Contraction<T> | null {
  const [group, ...others] = groupsOf(kernel);
  const [reduction, ...more] = group?.reductions ?? [];
  const body = reduction?.body[0];
  if (!reduction || others.length > 0 || more.length > 0 || reduction.combine !== "add") return null;
  if (body?.kind !== "binary" || body.op !== "mul") return null;
  const type = types.find((t) => t === body.type);
  if (!type) return null;
  if (kernel.stores.some((s) => s.inner.length > 0)) return null;
  const dependencies = new Dependencies();
  let [left, right] = [body.x, body.y];
  const walked = kernel.rows.find((v) => factorOf(kernel.stores[0]!.index, v) === 1);
  const has = (e: Expr, v: IndexVar): boolean => dependencies.of(e).has(v);
  if (walked && has(left, walked) && !has(right, walked)) [left, right] = [right, left];
  const only = (e: Expr, other: Expr): IndexVar[] => kernel.rows.filter((v) => has(e, v) && !has(other, v));
  const [rows, columns] = [only(left, right), only(right, left)];
  const around = kernel.rows.filter((v) => !rows.includes(v) && !columns.includes(v));
  return { kernel, reduction, type, left, right, around, rows, columns };
}

/** Whether packing pays. */
export const isWorthTiling = ({ rows, columns, reduction, type }: Contraction): boolean =>
  extentOf(rows) >= fewRows && extentOf(columns) >= narrowColumns(type) / 2 && extentOf(reduction.vars) >= 4;

export const scheduleContraction = (c: Contraction, target: Target): LoopNest => new Tiles(c, target).run();

/** Where a factor is packed: in panels of some width, from a flat position of its own variables on. */
interface Panels {
  readonly buffer: Buffer;
  readonly width: number;
  readonly from: Index;
  /** Elements of a line; null: all are one. */
  readonly line: number | null;
}
/** A run of summands. */
interface SummandBlock {
  readonly first: Index;
  readonly depth: number;
}
/** A loop over the summands of a block. */
interface Summands {
  readonly k: IndexVar;
  readonly count?: Local;
}

/** Equal blocks of an extent and what is left: their number, their size and where block `i` starts. */
interface Blocks {
  readonly count: number;
  readonly size: number;
  readonly first: number;
}
/** Blocks of about the same size, in whole tiles; if possible with nothing left over, which would be code of its own. */
function evenBlocks(extent: number, atMost: number, tile: number): Blocks[] {
  const whole = Math.ceil(extent / Math.ceil(extent / atMost) / tile) * tile;
  return blocksOf(extent, evenPartOf(extent, atMost) ?? whole);
}
function blocksOf(extent: number, atMost: number): Blocks[] {
  const size = Math.min(extent, atMost);
  const count = Math.floor(extent / size);
  const left = extent - count * size;
  const whole = { count, size, first: 0 };
  return left > 0 ? [whole, { count: 1, size: left, first: count * size }] : [whole];
}

const startOf = ({ size, first }: Blocks, block: IndexVar): Index =>
  add(scale(varIndex(block), size), constantIndex(first));

/** Of panels that hold lines by themselves, so much more is computed at most. */
const mostPadding = 1.25;
/** The length of lines of columns in which memory is walked, if panels would begin and end somewhere in them otherwise. */
function lineOf(columns: readonly IndexVar[], tile: number): number | null {
  const length = columns.at(-1)?.extent ?? 0;
  const isApart = columns.length > 1 && length % tile !== 0 && length <= blockColumns;
  return isApart && padded(length, tile) <= mostPadding * length ? length : null;
}

/** The variables of a sum, in the order in which memory is walked most evenly: the one of the shortest steps last. */
function inMemoryOrder({ left, right, reduction }: Contraction): readonly IndexVar[] {
  const { vars } = reduction;
  if (vars.length < 2) return vars;
  const steps = new Map(vars.map((v) => [v, 0]));
  visitExprs([left, right], (e) => {
    if (e.kind !== "load") return;
    for (const v of vars) steps.set(v, Math.max(steps.get(v)!, Math.abs(factorOf(e.index, v) ?? 0)));
  });
  return [...vars].sort((a, b) => steps.get(b)! - steps.get(a)!);
}

/** Blocks of a sum: of several variables, whole rounds of the inner ones, so that indices are simple inside of a block. */
function depthBlocksOf(vars: readonly IndexVar[]): readonly Blocks[] {
  const depth = extentOf(vars);
  let round = 1;
  for (const v of [...vars].reverse()) {
    if (round * v.extent > blockDepth) break;
    round *= v.extent;
  }
  if (round === 1 || depth <= blockDepth || vars.length === 1)
    return blocksOf(depth, Math.ceil(depth / Math.ceil(depth / blockDepth)));
  const atMost = Math.max(1, Math.floor(blockDepth / round));
  return blocksOf(depth, (evenPartOf(depth / round, atMost) ?? atMost) * round);
}

class Tiles extends Scopes {
  readonly #c: Contraction;
  readonly #target: Target;
  readonly #tileRows: number;
  readonly #tileColumns: number;
  readonly #zero: Expr;
  /** Columns of a line, if they are in lines: panels do not go from one into the next. */
  readonly #line: number | null;
  /** The variables of the sum. */
  readonly #summands: readonly IndexVar[];
  readonly #depth: number;
  /** Whether the sum is computed in several blocks, which are added up in memory. */
  readonly #isDeep: boolean;
  readonly #scratch: Buffer[] = [];
  readonly #leftPanels: Buffer;
  readonly #rightPanels: Buffer;
  readonly #tile: Buffer;
  readonly #sums: Buffer;
  readonly #leftTile: Buffer;
  readonly #rightTile: Buffer;
  readonly #rowBlocks: readonly Blocks[];
  readonly #columnBlocks: readonly Blocks[];
  readonly #depthBlocks: readonly Blocks[];

  constructor(c: Contraction, target: Target) {
    super();
    this.#c = c;
    this.#target = target;
    const tileRows = (this.#tileRows = tileRowsOf(c.type, target.fusedMultiplyAdd));
    const tileColumns = (this.#tileColumns = tileColumnsOf(c.type, target.wideVectors));
    this.#zero = constant(c.type, 0);
    this.#summands = inMemoryOrder(c);
    this.#depth = extentOf(this.#summands);
    this.#depthBlocks = depthBlocksOf(this.#summands);
    this.#isDeep = this.#depthBlocks.length > 1 || this.#depthBlocks[0]!.count > 1;
    this.#line = lineOf(c.columns, tileColumns);
    const line = this.#line;
    this.#columnBlocks = line
      ? evenBlocks(extentOf(c.columns) / line, Math.floor(blockColumns / padded(line, tileColumns)), 1).map(
          ({ count, size, first }) => ({ count, size: size * line, first: first * line }),
        )
      : evenBlocks(extentOf(c.columns), blockColumns, tileColumns);
    this.#rowBlocks = this.#taskRows();
    const [columns, depth] = [this.#columnBlocks, this.#depthBlocks].map((b) => b[0]!.size);
    const rows = padded(Math.max(...this.#rowBlocks.map((b) => this.#blocksOfTask(b.size)[0]!.size)), tileRows);
    const kept = this.#isDeep ? padded(this.#rowBlocks[0]!.size, tileRows) : rows;
    this.#leftPanels = this.#buffer("left", rows * depth!, "shared");
    this.#rightPanels = this.#buffer("right", this.#panelsOf(columns!) * tileColumns * depth!, "shared");
    this.#tile = this.#buffer("block", kept * blockColumns, "shared");
    this.#sums = this.#buffer("sums", tileRows * tileColumns, "private");
    this.#leftTile = this.#buffer("a", tileRows, "private");
    this.#rightTile = this.#buffer("b", tileColumns, "private");
  }

  #buffer(name: string, length: number, space: Buffer["space"]): Buffer {
    const buffer = newBuffer(name, this.#c.type, length, space);
    this.#scratch.push(buffer);
    return buffer;
  }

  /** The number of panels of so many columns. */
  #panelsOf(columns: number): number {
    const line = this.#line ?? columns;
    return (columns / line) * Math.ceil(line / this.#tileColumns);
  }

  /** The rows that tasks have: all of them, unless several threads shall share them. */
  #taskRows(): readonly Blocks[] {
    const { around, rows, columns } = this.#c;
    const extent = extentOf(rows);
    const others = extentOf(around) * this.#columnBlocks.reduce((n, b) => n + b.count, 0);
    const work = extentOf(around) * extent * extentOf(columns) * this.#depth;
    const { cutting } = this.#target;
    const wanted = !cutting || work < cutting.multiplications ? 1 : Math.ceil(enoughTasks / others);
    const most = this.#isDeep ? deepRows : extent;
    if (wanted === 1 && extent <= most) return blocksOf(extent, extent);
    const enough = Math.max(cutting?.rows ?? 1, Math.ceil(extent / wanted));
    return evenBlocks(extent, Math.min(most, enough), this.#tileRows);
  }
  #blocksOfTask(rows: number): readonly Blocks[] {
    return evenBlocks(rows, blockRows, this.#tileRows);
  }

  run(): LoopNest {
    const { kernel, around } = this.#c;
    const body = this.top(() => {
      for (const columns of this.#columnBlocks)
        for (const rows of this.#rowBlocks) {
          const [jc, ic] = [indexVar("jc", columns.count), indexVar("ic", rows.count)];
          const loops = [...around, jc, ic].filter((v) => v.extent > 1);
          this.nested("block", loops, () =>
            this.#task(startOf(rows, ic), rows.size, startOf(columns, jc), columns.size),
          );
        }
    });
    return { name: kernel.name, params: kernel.params, scratch: this.#scratch, body };
  }

  /** A block of the result, which needs nothing of the others. Every packed panel is used while it is in a cache. */
  #task(firstRow: Index, taskSize: number, column: Index, columns: number): void {
    const blocks = this.#blocksOfTask(taskSize);
    if (this.#isDeep) {
      this.#clearTile(taskSize, columns);
      this.#each(this.#depthBlocks, "pc", (first, depth) => {
        this.#packRight(column, columns, { first, depth });
        this.#each(blocks, "ir", (start, rows) => {
          this.#packLeft(add(firstRow, start), rows, { first, depth });
          this.#multiply(start, rows, columns, depth);
        });
      });
      return this.#store(firstRow, taskSize, column, columns);
    }
    const all = { first: zeroIndex, depth: this.#depth };
    this.#packRight(column, columns, all);
    this.#each(blocks, "ir", (start, rows) => {
      const row = add(firstRow, start);
      this.#packLeft(row, rows, all);
      this.#multiply(zeroIndex, rows, columns, this.#depth);
      this.#store(row, rows, column, columns);
    });
  }

  #call(body: () => void): void {
    this.within("call", once(), body);
  }

  /** Loops over many summands are one code, whatever their number; those over a few may be repeated instead. */
  #loopOver(depth: number): Summands {
    if (depth < fewSummands) return { k: indexVar("k", depth) };
    const count = this.local("depth", "i32");
    this.emit({ kind: "let", local: count, value: constant("i32", depth) });
    return { k: indexVar("k", blockDepth), count };
  }

  #each(blocks: readonly Blocks[], name: string, f: (first: Index, size: number) => void): void {
    for (const block of blocks) {
      const v = indexVar(name, block.count);
      this.within("serial", v, () => f(startOf(block, v), block.size));
    }
  }

  /** A factor at a flat position of its own variables and a flat summand. */
  #factor(e: Expr, vars: readonly IndexVar[], at: Index, summand: Index): Expr {
    const places = new Map([...placesOf(vars, at), ...placesOf(this.#summands, summand)]);
    const placed = placing(places).expr(e);
    this.countUses([placed]);
    return placed;
  }

  /** Copies a factor into panels: `panels[p][k][i]`, vectors along what memory is contiguous in. */
  #pack(e: Expr, vars: readonly IndexVar[], panels: Panels, size: number, { first, depth }: SummandBlock): void {
    const { buffer, width, from, line } = panels;
    const panel = (p: Index, offset: Index, lanes: number): void => {
      const i = indexVar("i", lanes);
      const at = (k: Index): Expr => this.#factor(e, vars, add(add(from, offset), varIndex(i)), add(first, k));
      const put = (value: Expr, k: Index): void => {
        const index = add(scale(add(scale(p, depth), k), width), varIndex(i));
        this.emit(store(buffer, index, this.place(value)));
      };
      const k = indexVar("k", depth);
      const own = at(varIndex(k));
      this.#call(() => {
        if (!walks(insideOf(own, i)?.value ?? own, i) && this.#packAlong(i, depth, at, put)) return;
        const { k: summand, count } = this.#summands.length > 1 ? { k, count: undefined } : this.#loopOver(depth);
        const value = at(varIndex(summand));
        const copy = (v: Expr) => (): void => this.within("vector", i, () => put(v, varIndex(summand)));
        this.within("serial", summand, () => this.#whereInside(summand, value, insideOf(value, i), copy), count);
      });
    };
    const length = line ?? size;
    const whole = Math.floor(length / width);
    const rest = length - whole * width;
    const l = indexVar("line", size / length);
    const [p, perLine] = [indexVar("p", whole), Math.ceil(length / width)];
    const at = (inLine: Index): Index => add(scale(varIndex(l), perLine), inLine);
    const offset = (inLine: Index): Index => add(scale(varIndex(l), length), scale(inLine, width));
    this.within("serial", l, () => {
      if (whole > 0) this.within("serial", p, () => panel(at(varIndex(p)), offset(varIndex(p)), width));
      if (rest > 0) panel(at(constantIndex(whole)), offset(constantIndex(whole)), rest);
    });
  }
  /** The same along the summands, in groups of four, where memory is contiguous in them; false if it is not. */
  #packAlong(i: IndexVar, depth: number, at: (k: Index) => Expr, put: (value: Expr, k: Index) => void): boolean {
    const last = this.#summands.at(-1)!.extent;
    const length = this.#summands.length > 1 && depth % last === 0 ? last : depth;
    const l = indexVar("line", depth / length);
    const groups = indexVar("g", Math.floor(length / 4));
    const inLine = (x: Index): Index => add(scale(varIndex(l), length), x);
    const four = indexVar("k", 4);
    const fours = inLine(add(scale(varIndex(groups), 4), varIndex(four)));
    const value = at(fours);
    const inside = insideOf(value, four);
    if (groups.extent === 0 || !walks(inside?.value ?? value, four)) return false;
    const copy = (lanes: IndexVar, k: Index) => (v: Expr) => (): void => this.within("vector", lanes, () => put(v, k));
    this.nested("serial", [i, l], () => {
      this.within("serial", groups, () => this.#whereInside(groups, value, inside, copy(four, fours)));
      if (length % 4 === 0) return;
      const rest = indexVar("k", length % 4);
      const left = inLine(addConstant(varIndex(rest), 4 * groups.extent));
      const end = at(left);
      this.#whereInside(l, end, insideOf(end, rest), copy(rest, left));
    });
    return true;
  }
  /** Copies values in a way that is fast where no lane meets a bound. */
  #whereInside(v: IndexVar, value: Expr, inside: Inside | null, copy: (value: Expr) => () => void): void {
    if (!inside) return copy(value)();
    this.countUses([inside.condition, inside.value]);
    const condition = this.place(inside.condition);
    if (condition.kind === "const") return copy(condition.value ? inside.value : value)();
    this.guarded(condition, v, copy(inside.value));
    this.guarded(not(condition), v, copy(value));
  }
  #packRight(column: Index, columns: number, block: SummandBlock): void {
    const { right, columns: vars } = this.#c;
    const panels = { buffer: this.#rightPanels, width: this.#tileColumns, from: column, line: this.#line };
    this.#pack(right, vars, panels, columns, block);
  }
  #packLeft(row: Index, rows: number, block: SummandBlock): void {
    const { left, rows: vars } = this.#c;
    this.#pack(left, vars, { buffer: this.#leftPanels, width: this.#tileRows, from: row, line: null }, rows, block);
  }

  #clearTile(rows: number, columns: number): void {
    const i = indexVar("i", rows);
    const j = indexVar("j", this.#panelsOf(columns) * this.#tileColumns);
    const index = add(scale(varIndex(i), blockColumns), varIndex(j));
    this.emit(loop("serial", i, [loop("vector", j, [store(this.#tile, index, this.#zero)])]));
  }

  /** All tiles of a block, whose first row has a place among those that are kept. */
  #multiply(start: Index, rows: number, columns: number, depth: number): void {
    const tileRows = this.#tileRows;
    const jp = indexVar("jp", this.#panelsOf(columns));
    const whole = Math.floor(rows / tileRows);
    const ip = indexVar("ip", whole);
    const summands = this.#loopOver(depth);
    const tile = (panel: Index, height: number): void => this.#tileAt(start, panel, height, jp, depth, summands);
    this.within("serial", jp, () => {
      if (whole > 0) this.within("serial", ip, () => tile(varIndex(ip), tileRows));
      if (rows > whole * tileRows) tile(constantIndex(whole), rows - whole * tileRows);
    });
  }

  /** The tile of a panel of rows, `height` of which exist, and one of columns. */
  #tileAt(start: Index, panel: Index, height: number, jp: IndexVar, depth: number, { k, count }: Summands): void {
    const [tileRows, tileColumns] = [this.#tileRows, this.#tileColumns];
    const [i, j] = [indexVar("i", height), indexVar("j", tileColumns)];
    const [a, b, sums, block] = [this.#leftTile, this.#rightTile, this.#sums, this.#tile];
    const inTile = add(scale(varIndex(i), tileColumns), varIndex(j));
    const eachLane = (s: Stmt): Stmt => loop("unroll", i, [loop("vector", j, [s])]);

    const summand = add(scale(varIndex(jp), depth), varIndex(k));
    const right = load(this.#rightPanels, add(scale(summand, tileColumns), varIndex(j)));
    const at = add(scale(panel, depth), varIndex(k));
    const left = load(this.#leftPanels, add(scale(at, tileRows), varIndex(i)));
    const product = times(load(a, varIndex(i)), load(b, varIndex(j)));
    const row = add(add(start, scale(panel, tileRows)), varIndex(i));
    const inBlock = add(scale(row, blockColumns), add(scale(varIndex(jp), tileColumns), varIndex(j)));
    const sum = load(sums, inTile);
    const body = [
      eachLane(store(sums, inTile, this.#zero)),
      loop(
        "serial",
        k,
        [
          loop("vector", j, [store(b, varIndex(j), right)]),
          // Engines keep the order of loads: each row's comes right before its use, or registers would not suffice.
          loop("unroll", i, [
            store(a, varIndex(i), left),
            loop("vector", j, [store(sums, inTile, binary("add", sum, product))]),
          ]),
        ],
        count,
      ),
      // All loads before all stores, or an engine that joins neighbouring vectors could not.
      ...(this.#isDeep ? [eachLane(store(sums, inTile, binary("add", load(block, inBlock), sum)))] : []),
      eachLane(store(block, inBlock, sum)),
    ];
    if (depth < fewSummands) body.forEach((s) => this.emit(s));
    else this.emit(loop("call", once(), body));
  }

  /** Everything fused into the result, on one block. */
  #store(row: Index, rows: number, column: Index, columns: number): void {
    const { kernel, reduction, rows: rowVars, columns: columnVars } = this.#c;
    const length = this.#line ?? columns;
    const [i, l, j] = [indexVar("i", rows), indexVar("line", columns / length), indexVar("j", length)];
    const places = new Map([
      ...placesOf(rowVars, add(row, varIndex(i))),
      ...placesOf(columnVars, add(add(column, scale(varIndex(l), length)), varIndex(j))),
    ]);
    const inRow = add(scale(varIndex(l), this.#panelsOf(length) * this.#tileColumns), varIndex(j));
    const index = add(scale(varIndex(i), blockColumns), inRow);
    const sum = load(this.#tile, index);
    const rewriter = placing(places, (e) => (e.kind === "reduced" && e.reduction === reduction ? sum : null));
    const stores = rewriteStores(kernel.stores, rewriter);
    this.countUses(stores.map((s) => s.value));
    const storeRow = (): void =>
      this.within("vector", j, () => {
        for (const s of stores) {
          const value = this.place(s.value);
          this.emit(store(s.buffer, this.placeIndex(s.index), value));
        }
      });
    this.nested("serial", [i, l], () => this.#call(storeRow));
  }
}

const once = (): IndexVar => indexVar("call", 1);
const padded = (n: number, to: number): number => Math.ceil(n / to) * to;

/** Whether some load of an expression steps one by one along a variable. */
export function walks(e: Expr, v: IndexVar | undefined): boolean {
  let found = false;
  visitExprs([e], (x) => {
    if (v && x.kind === "load" && factorOf(x.index, v) === 1) found = true;
  });
  return found;
}
