/**
 * Kernels that do little for each element, under conditions: windows over padded operands, pooling and its gradient,
 * convolutions of one feature, shifted, joined and repeated arrays. They run along the axis that results are contiguous in,
 * four lanes at a time, sums over a few elements written out.
 *
 * Three things get in the way of lanes, and are cut away before. Conditions on a row variable (padding, ends of parts): its
 * range is cut where their truth changes, so that the largest part, the interior, has none. Quotients and remainders of a
 * row variable by 2, 3 or 4 (dilated operands, winners of windows that lie apart): that many neighbours are computed in one
 * round, which shares what they have in common. What four does not divide: the last four lanes overlap with those before,
 * which computes some results twice.
 */
import {
  type Index,
  type IndexVar,
  addConstant,
  constantIndex,
  factorOf,
  indexVar,
  mentions,
  scale,
  varIndex,
} from "../../core/indexing.ts";
import {
  type Expr,
  type Local,
  type Reduction,
  binary,
  constant,
  eachOperand,
  readLocal,
  reduction,
} from "../../core/scalar.ts";
import { type FusedKernel, type FusedStore, rewriteStores } from "../fusedKernel.ts";
import { type LoopNest, store } from "../loopNest/loopNest.ts";
import { Rewriter, visitExprs } from "../loopNest/rewrite.ts";
import { Sharer } from "../loopNest/share.ts";
import { cutsOf, settled, settling } from "./ranges.ts";
import { Scopes } from "./scopes.ts";

/** Elements of a reduction that is written out, and nodes of all that is. */
const fewElements = 64;
const mostNodes = 3000;
/** Nodes of all copies of the body. */
const mostCopied = 6000;
/** Nodes that a function which combines two elements adds, about. */
const nodesOfCombination = 8;
/** Results that are worth code of several parts. */
const leastWork = 256;
/** The greatest divisor whose neighbours are computed together. */
const mostPhases = 4;
/** Parts that a range is cut in, besides the largest one and what lies on both sides of it. */
const mostParts = 4;
/** Steps between lanes that loads have cheap forms for. */
const mostStride = 4;

/** The schedule of a kernel whose rows are in order, the one that stores walk along last; null if it is none of these. */
export function scheduleWindows(kernel: FusedKernel): LoopNest | null {
  const { rows, stores } = kernel;
  const along = rows.at(-1);
  if (!along || along.extent < 4 || stores.some((s) => s.inner.length > 0 || factorOf(s.index, along) !== 1))
    return null;
  if (rows.reduce((n, v) => n * v.extent, 1) < leastWork || !isShort(kernel, along)) return null;
  const written = { ...kernel, stores: rewriteStores(kernel.stores, writingOut()) };
  const values = written.stores.map((s) => s.value);
  const nodes = sizeOf(values);
  if (nodes > mostNodes) return null;
  const sums = values.some(hasReduction);
  if (!sums && !rows.some((v) => phasesOf(written.stores, v) > 1 || cutsOf(values, v).length > 0)) return null;
  return new Windows(written, nodes).run();
}

/** Whether reductions are short, of types that have lanes, and loads under them walk along the row. */
function isShort({ stores }: FusedKernel, along: IndexVar): boolean {
  let is = true;
  /** How many elements of reductions each expression is computed for, at most. */
  const known = new Map<Expr, number>();
  const visit = (e: Expr, elements: number): void => {
    if (!is || (known.get(e) ?? 0) >= elements) return;
    known.set(e, elements);
    if (e.type === "f64") is = false;
    if (e.kind === "load" && elements > 1) {
      const step = factorOf(e.index, along);
      if (step !== null && Math.abs(step) > mostStride) is = false;
    }
    if (e.kind !== "reduced") return eachOperand(e, (x) => visit(x, elements));
    const all = elements * e.reduction.vars.reduce((n, v) => n * v.extent, 1);
    if (all > fewElements) is = false;
    e.reduction.body.forEach((b) => visit(b, all));
  };
  stores.forEach((s) => visit(s.value, 1));
  return is;
}

/** Nodes of values, those that combine the elements of reductions included. */
function sizeOf(values: readonly Expr[]): number {
  let n = 0;
  visitExprs(values, (e) => {
    n++;
    if (e.kind === "reduced" && typeof e.reduction.combine !== "string" && e.lane > 0)
      n += nodesOfCombination * e.reduction.body.length;
  });
  return n;
}
function hasReduction(value: Expr): boolean {
  let has = false;
  visitExprs([value], (e) => (has ||= e.kind === "reduced"));
  return has;
}

/** Writes reductions out: instead of variables, they have a body for each element. */
const writingOut = (): Rewriter => new Rewriter({ rebuilt: settled, rebuiltReduction: writtenOut });
function writtenOut(r: Reduction): Reduction {
  if (r.vars.length === 0) return r;
  let places: ReadonlyMap<IndexVar, Index>[] = [new Map()];
  for (const v of r.vars)
    places = places.flatMap((p) =>
      Array.from({ length: v.extent }, (_, i) => new Map([...p, [v, constantIndex(i)] as const])),
    );
  const body = places.flatMap((p) => {
    const placing = settling(p);
    return r.body.map((b) => placing.expr(b));
  });
  return reduction([], r.types, r.init, r.combine, body);
}

/** Whether an operand is read where a result of its size is written. */
function readsInPlace({ stores }: FusedKernel): boolean {
  let reads = false;
  visitExprs(
    stores.map((s) => s.value),
    (e) => {
      if (e.kind === "load")
        reads ||= stores.some((s) => s.index.key === e.index.key && s.buffer.length === e.buffer.length);
    },
  );
  return reads;
}

/** How many neighbours along a variable see the same of its quotients: what quotients and remainders are by. */
function phasesOf(stores: readonly FusedStore[], v: IndexVar): number {
  let phases = 1;
  const inIndex = (x: Index): void => {
    for (const { atom } of x.terms) {
      if (atom.kind !== "div" && atom.kind !== "mod") continue;
      if (mentions(atom.of, v) && atom.by <= mostPhases) phases = leastCommonMultiple(phases, atom.by);
      inIndex(atom.of);
    }
  };
  visitExprs(
    stores.map((s) => s.value),
    (e) => (e.kind === "load" || e.kind === "index") && inIndex(e.index),
  );
  return phases <= mostPhases && 2 * phases <= v.extent ? phases : 1;
}
function leastCommonMultiple(a: number, b: number): number {
  for (let n = a; ; n += a) if (n % b === 0) return n;
}

/** A part of a row variable's range: how many rounds, and where a round's elements are. */
interface Part {
  readonly extent: number;
  readonly stores: readonly FusedStore[];
  /** The variable in terms of which the stores are. */
  readonly variable: IndexVar;
}

class Windows extends Scopes {
  readonly #kernel: FusedKernel;
  readonly #sharer = new Sharer();
  /** Results of reductions that are computed where they are wanted. */
  readonly #results = new Map<Reduction, readonly Expr[]>();
  /** Whether lanes may overlap: not if the kernel could write over an operand otherwise. */
  readonly #mayOverlap: boolean;
  #overlaps = false;
  #nodes: number;

  constructor(kernel: FusedKernel, nodes: number) {
    super();
    this.#kernel = kernel;
    this.#nodes = nodes;
    this.#mayOverlap = !readsInPlace(kernel);
  }

  run(): LoopNest {
    const { name, params, stores } = this.#kernel;
    const body = this.top(() => this.#row(0, stores));
    return { name, params, scratch: [], body, repeats: this.#overlaps };
  }

  #row(depth: number, stores: readonly FusedStore[]): void {
    const { rows } = this.#kernel;
    const v = rows[depth];
    if (!v) return this.#store(stores);
    const nodes = this.#nodes;
    for (const part of this.#phases(v, stores)) {
      this.#nodes = (nodes * part.stores.length) / stores.length;
      const ranges = this.#ranges(part, depth === rows.length - 1);
      this.#nodes *= ranges.length;
      for (const [first, end] of ranges) {
        const u = indexVar(v.name, end - first);
        const placed = this.#placed(part.stores, part.variable, [addConstant(varIndex(u), first)]);
        const vector = depth === rows.length - 1 && u.extent >= 4;
        const plain = depth < rows.length - 1 && u.extent > 1 ? "block" : "serial";
        this.within(vector ? "vector" : plain, u, () => this.#row(depth + 1, placed));
      }
    }
    this.#nodes = nodes;
  }

  /** Stores with a variable replaced: those for each of the places. */
  #placed(stores: readonly FusedStore[], v: IndexVar, places: readonly Index[]): FusedStore[] {
    const placed = places.map((place) =>
      rewriteStores(stores, settling(new Map([[v, place]]))).map((s) => ({
        ...s,
        value: this.#sharer.expr(s.value),
      })),
    );
    // Neighbours after one another: lanes of two such stores are joined.
    return stores.flatMap((_, i) => placed.map((p) => p[i]!));
  }

  /** Neighbours that are computed together, and what is left over. */
  #phases(v: IndexVar, stores: readonly FusedStore[]): Part[] {
    const phases = phasesOf(stores, v);
    if (phases === 1 || this.#nodes * phases > mostCopied) return [{ extent: v.extent, stores, variable: v }];
    const rounds = indexVar(v.name, Math.floor(v.extent / phases));
    const round = scale(varIndex(rounds), phases);
    const places = Array.from({ length: phases }, (_, p) => addConstant(round, p));
    const parts: Part[] = [{ extent: rounds.extent, stores: this.#placed(stores, v, places), variable: rounds }];
    const done = rounds.extent * phases;
    for (let i = done; i < v.extent; i++) {
      const only = indexVar(v.name, 1);
      parts.push({ extent: 1, stores: this.#placed(stores, v, [constantIndex(i)]), variable: only });
    }
    return parts;
  }

  /** The parts of a range between which the truth of conditions changes. */
  #ranges({ extent, stores, variable }: Part, last: boolean): (readonly [number, number])[] {
    const values = stores.map((s) => s.value);
    let bounds = [0, ...cutsOf(values, variable), extent];
    if (bounds.length - 1 > mostParts) {
      const lengths = bounds.slice(1).map((b, i) => b - bounds[i]!);
      const at = lengths.indexOf(Math.max(...lengths));
      bounds = [...new Set([0, bounds[at]!, bounds[at + 1]!, extent])];
    }
    const copies = bounds.length - 1;
    if (this.#nodes * copies * (last ? 1 : 3) > mostCopied) bounds = [0, extent];
    return bounds.slice(1).flatMap((end, i): (readonly [number, number])[] => {
      const first = bounds[i]!;
      const left = (end - first) % 4;
      if (!last || !this.#mayOverlap || end - first < 4 || left === 0) return [[first, end]];
      this.#overlaps = true;
      return [
        [first, end - left],
        [end - 4, end],
      ];
    });
  }

  #store(stores: readonly FusedStore[]): void {
    this.countUses(stores.map((s) => s.value));
    const values = stores.map((s) => this.place(s.value));
    stores.forEach((s, i) => this.emit(store(s.buffer, this.placeIndex(s.index), values[i]!)));
  }

  protected override placeReduced(r: Reduction, lane: number): Expr {
    let results = this.#results.get(r);
    if (!results) this.#results.set(r, (results = this.#reduce(r)));
    return results[lane]!;
  }

  #reduce({ types, init, combine, body }: Reduction): readonly Expr[] {
    const steps: (readonly Expr[])[] = [];
    for (let i = 0; i < body.length; i += types.length) {
      const step = body.slice(i, i + types.length);
      // Elements that are not there leave the result as it is.
      if (!step.every((b, j) => b.kind === "const" && Object.is(b.value, init[j]))) steps.push(step);
    }
    const start = types.map((type, i) => constant(type, init[i]!));
    const sum = combine === "add" && types[0] === "f32";
    if (sum && steps.every(([b]) => b!.kind === "binary" && b.op === "mul"))
      return [this.#sumOfProducts(start[0]!, steps)];
    // Positions of extrema in order: most comparisons of positions are settled.
    const settlingPositions = new Rewriter({ rebuilt: settled });
    let values: readonly Expr[] | null = sum ? start : null;
    for (const step of steps) {
      const next = step.map((b) => this.place(b));
      if (!values) values = next;
      else if (typeof combine === "string") values = [binary(combine, values[0]!, next[0]!)];
      else values = combine(values, next).map((e) => settlingPositions.expr(e));
    }
    return values ?? start;
  }
  /** Added up in a local, which may take one instruction a product. */
  #sumOfProducts(start: Expr, steps: readonly (readonly Expr[])[]): Expr {
    const local: Local = this.local("sum", "f32", true);
    this.emit({ kind: "declare", local, value: start });
    for (const [product] of steps) {
      const value = binary("add", readLocal(local), this.place(product!));
      this.emit({ kind: "assign", local, value });
    }
    return readLocal(local);
  }
}
