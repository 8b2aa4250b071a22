/**
 * What schedules have in common that multiply tiles: a square of threads, slices of operands in shared memory, and a small
 * tile of sums in the registers of each thread, whose rows and columns lie a side of the square apart, so that neighbouring
 * threads read and write neighbouring elements.
 *
 * As on a CPU (`contraction.ts`), several variables count as one flat number. Elements beyond the last count as 0.
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
  zeroIndex,
} from "../../core/indexing.ts";
import {
  type Buffer,
  type Expr,
  type Local,
  binary,
  both,
  compare,
  constant,
  i32,
  load,
  newBuffer,
  ofIndex,
  readLocal,
  times,
  within as isWithin,
} from "../../core/scalar.ts";
import { placesOf, placing } from "../loopNest/rewrite.ts";
import { type NumberType, walks } from "./contraction.ts";
import { Scopes } from "./scopes.ts";

/** A run of rows, columns or summands. */
export interface Run {
  readonly vars: readonly IndexVar[];
  /** How many there are in all. */
  readonly extent: number;
  /** The number of the run's first, and the loops that it depends on. */
  readonly first: Index;
  readonly loops: readonly IndexVar[];
  /** How many of them the run has, those beyond the last included. */
  readonly size: number;
}

/** Types that products may have: those that take a word. */
export type WordType = Exclude<NumberType, "f64">;

/** A slice of an operand in shared memory: `shared[k][i]`. */
export interface Slice {
  readonly shared: Buffer;
  /** How many `i` there are. */
  readonly size: number;
  /** The first summand to take. */
  readonly first?: Index;
  /** Where a thread keeps its elements of one summand. */
  readonly registers: Buffer;
}

/** A number that may be beyond the last: a condition, and an index to use where it holds. */
export interface Bounded {
  readonly inside: Expr;
  readonly at: Index;
}

/** Scalars of a slice in shared memory. One word more in each row: threads that fill columns meet in different banks. */
export const sliceLength = (size: number, depth: number): number => depth * (size + 1);

export abstract class SharedTiles extends Scopes {
  protected readonly side: number;
  protected readonly type: WordType;
  protected readonly zero: Expr;
  protected readonly thread: IndexVar;
  protected readonly scratch: Buffer[] = [];

  constructor(side: number, type: WordType) {
    super();
    this.side = side;
    this.type = type;
    this.zero = constant(type, 0);
    this.thread = indexVar("t", side ** 2);
  }

  protected buffer(name: string, length: number, space: Buffer["space"]): Buffer {
    const buffer = newBuffer(name, this.type, length, space);
    this.scratch.push(buffer);
    return buffer;
  }
  protected threads(f: () => void): void {
    this.within("thread", this.thread, f);
  }
  protected barrier(): void {
    this.emit({ kind: "barrier" });
  }
  protected put(buffer: Buffer, index: Index, value: Expr): void {
    this.emit({ kind: "store", buffer, index, value });
  }

  /** The row and column of a thread in the square of threads. */
  protected get row(): Index {
    return floorDiv(varIndex(this.thread), this.side);
  }
  protected get column(): Index {
    return modulo(varIndex(this.thread), this.side);
  }

  /** @param vars what the number depends on. */
  protected bounded(number: Index, extent: number, vars: readonly IndexVar[]): Bounded {
    const inside = isWithin(number, 0, extent);
    if (inside.kind === "const") return { inside, at: number };
    const local: Local = this.local("n", "i32");
    this.dependencies.bind(local, vars);
    this.emit({ kind: "let", local, value: ofIndex(number) });
    return { inside, at: valueIndex(readLocal(local), 0, extent - 1) };
  }

  /** Puts a slice of an operand in shared memory. */
  protected fill(operand: Expr, across: Run, along: Run, shared: Buffer, around: ReadonlyMap<IndexVar, Index>): void {
    const [size, depth, threads] = [across.size, along.size, this.thread.extent];
    const alongSummands = walks(operand, along.vars.at(-1)) && !walks(operand, across.vars.at(-1));
    const round = indexVar("l", Math.ceil((size * depth) / threads));
    this.within("serial", round, () => {
      const element = add(scale(varIndex(round), threads), varIndex(this.thread));
      const [i, k] = alongSummands
        ? [floorDiv(element, depth), modulo(element, depth)]
        : [modulo(element, size), floorDiv(element, size)];
      const here = [this.thread, round].filter((v) => v.extent > 1);
      const put = (): void => {
        const row = this.bounded(add(across.first, i), across.extent, [...here, ...across.loops]);
        const summand = this.bounded(add(along.first, k), along.extent, [...here, ...along.loops]);
        const places = new Map([...around, ...placesOf(across.vars, row.at), ...placesOf(along.vars, summand.at)]);
        const value = placing(places).expr(operand);
        this.countUses([value]);
        const to = add(scale(k, size + 1), i);
        const exists = both(row.inside, summand.inside);
        if (exists.kind === "const") return this.put(shared, to, this.place(value));
        const local = this.local("x", this.type, true);
        this.emit({ kind: "declare", local, value: this.zero });
        this.guarded(exists, here.at(-1)!, () => this.emit({ kind: "assign", local, value: this.place(value) }));
        this.put(shared, to, readLocal(local));
      };
      // A small slice has less elements than there are threads.
      this.guarded(isBelow(element, size * depth), here.at(-1)!, put);
    });
  }

  /** Runs `f` for every sum in a thread's registers. */
  protected eachSum(a: Buffer, b: Buffer, f: (at: Index) => void): void {
    const [i, j] = [indexVar("i", a.length), indexVar("j", b.length)];
    this.nested("unroll", [i, j], () => f(add(scale(varIndex(i), j.extent), varIndex(j))));
  }

  /** Adds the products of two slices to sums. */
  protected multiply(left: Slice, right: Slice, depth: number, sums: Buffer): void {
    const k = indexVar("k", depth);
    const take = ({ shared, registers, size, first = zeroIndex }: Slice, own: Index): void => {
      const i = indexVar("i", registers.length);
      const from = add(scale(add(first, varIndex(k)), size + 1), add(own, scale(varIndex(i), this.side)));
      this.within("unroll", i, () => this.put(registers, varIndex(i), load(shared, from)));
    };
    const [a, b] = [left.registers, right.registers];
    const [i, j] = [indexVar("i", a.length), indexVar("j", b.length)];
    const at = add(scale(varIndex(i), b.length), varIndex(j));
    this.within("serial", k, () => {
      take(left, this.row);
      take(right, this.column);
      this.nested("unroll", [i, j], () => {
        const product = times(load(a, varIndex(i)), load(b, varIndex(j)));
        this.put(sums, at, binary("add", load(sums, at), product));
      });
    });
  }
}

const isBelow = (x: Index, bound: number): Expr =>
  x.max < bound ? isWithin(x, 0, bound) : compare("lt", ofIndex(x), i32(bound));
