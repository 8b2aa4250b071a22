/**
 * Kernels that run in order along some axes: prefix scans and scatters. Operands are pulled, so what floats before them is
 * computed on the way.
 */
import { encode, normalize, scalarTypeOf } from "../core/elementTypes.ts";
import { lanesOf } from "../core/hostArray.ts";
import {
  type Index,
  type IndexVar,
  add,
  addConstant,
  constantIndex,
  flatIndex,
  indexVar,
  scale,
  subtract,
  valueIndex,
  varIndex,
} from "../core/indexing.ts";
import type { Eqn, Var } from "../core/jaxpr.ts";
import type { PrefixLowering, ScatterLowering, Value } from "../core/lowering.ts";
import {
  type Buffer,
  type Expr,
  type Local,
  type ScalarType,
  both,
  compare,
  constant,
  convert,
  i32,
  like,
  load,
  newBuffer,
  ofIndex,
  readLocal,
  select,
  within as inRange,
} from "../core/scalar.ts";
import { lowerEqn } from "./lowerEqn.ts";
import type { FusedKernel } from "./fusedKernel.ts";
import { KernelBuffers, type Lowered, storesOf } from "./lower.ts";
import type { LoopNest, Stmt } from "./loopNest/loopNest.ts";
import { Puller, loadedValue } from "./pull.ts";
import { extentOf } from "./schedule/contraction.ts";
import { Scopes } from "./schedule/scopes.ts";
import type { Target } from "./target.ts";
import { placesOf } from "./loopNest/rewrite.ts";

interface Context {
  readonly producers: ReadonlyMap<Var, Eqn>;
  /** What is to be loaded. */
  readonly inputs: ReadonlySet<Var>;
  readonly target: Target;
  readonly finish: (e: Expr) => Expr;
}

const usualThreads = 256;
const threadsOf = ({ style, maxThreads }: Target): number =>
  style === "vector" ? 1 : 2 ** Math.floor(Math.log2(Math.min(usualThreads, maxThreads)));

/** Booleans lie in scratch as words. */
const wordOf = (type: ScalarType): Buffer["storage"] => (type === "bool" ? "u32" : type);
const toWord = (x: Expr): Expr => (x.type === "bool" ? convert(x, "u32") : x);
const fromWord = (x: Expr, type: ScalarType): Expr => (type === "bool" ? compare("ne", x, like(x, 0)) : x);

/** Statements placed into loops by hand, in every row: one after the other, or a thread for each. */
class Sequence extends Scopes {
  readonly #rows: readonly IndexVar[];
  readonly #places: ReadonlyMap<IndexVar, Index>;
  readonly #threads: { readonly block: IndexVar; readonly thread: IndexVar; readonly row: Local | null } | null = null;

  /** @param target null if rows are loops that the caller makes. */
  constructor(rows: readonly IndexVar[], target: Target | null) {
    super();
    this.#rows = rows;
    const count = extentOf(rows);
    if (!target || target.style === "vector" || count <= 1) {
      this.#places = new Map();
      return;
    }
    // Rows are long work, so that small blocks spread better.
    const threads = Math.min(64, threadsOf(target));
    const [block, thread] = [indexVar("b", Math.ceil(count / threads)), indexVar("t", threads)];
    const number = add(scale(varIndex(block), threads), varIndex(thread));
    const row = count % threads === 0 ? null : this.local("row", "i32");
    if (row) this.dependencies.bind(row, [block, thread]);
    this.#places = placesOf(rows, row ? valueIndex(readLocal(row), 0, count - 1) : number);
    this.#threads = { block, thread, row };
  }

  /** The position of a row's variable. */
  indexOf(v: IndexVar): Index {
    return this.#places.get(v) ?? varIndex(v);
  }
  eachRow(f: () => void): void {
    if (!this.#threads) return this.nested("serial", this.#rows, f);
    const { block, thread, row } = this.#threads;
    const number = add(scale(varIndex(block), thread.extent), varIndex(thread));
    this.within("block", block, () =>
      this.within("thread", thread, () => {
        if (!row) return f();
        this.emit({ kind: "let", local: row, value: ofIndex(number) });
        this.guarded(inRange(number, 0, extentOf(this.#rows)), thread, f);
      }),
    );
  }
  /** Runs `f` where a number is below a bound, with the number as an index. */
  bounded(number: Index, bound: number, vars: readonly IndexVar[], f: (at: Index) => void): void {
    if (number.max < bound) return f(number);
    const looping = vars.filter((v) => v.extent > 1);
    const local = this.local("n", "i32");
    this.dependencies.bind(local, looping);
    this.emit({ kind: "let", local, value: ofIndex(number) });
    this.guarded(inRange(number, 0, bound), looping.at(-1)!, () => f(valueIndex(readLocal(local), 0, bound - 1)));
  }
  override guarded = (...args: Parameters<Scopes["guarded"]>): void => super.guarded(...args);
  build(f: (s: Sequence) => void): Stmt[] {
    return this.top(() => f(this));
  }
  override countUses(roots: readonly Expr[]): void {
    super.countUses(roots);
  }
  override within = (...args: Parameters<Scopes["within"]>): void => super.within(...args);
  override nested = (...args: Parameters<Scopes["nested"]>): void => super.nested(...args);
  override emit(s: Stmt): void {
    super.emit(s);
  }
  override place(e: Expr): Expr {
    return super.place(e);
  }
  override placeIndex(x: Index): Index {
    return super.placeIndex(x);
  }
  override local(...args: Parameters<Scopes["local"]>): ReturnType<Scopes["local"]> {
    return super.local(...args);
  }
}

const pullerFor = (c: Context, buffers: KernelBuffers): Puller =>
  new Puller(
    (v) => (c.inputs.has(v) ? buffers.read(v) : null),
    (v) => c.producers.get(v)!,
    c.target.layout,
  );

/** A pass along the axis for every row, or for rows of neighbours together; on a grid of workgroups a thread for each row, or a block if rows are few and long. */
export function lowerPrefix(eqn: Eqn, c: Context): Lowered<LoopNest> {
  const buffers = new KernelBuffers(c.target);
  const puller = pullerFor(c, buffers);
  const lowering = lowerEqn(
    eqn,
    eqn.inputs.map((a) => puller.operand(a)),
  ) as PrefixLowering;
  const { shape } = eqn.outputs[0]!.aval;
  const vars = shape.map((n, i) => indexVar(i === lowering.axis ? "k" : `r${i}`, n));
  const along = vars[lowering.axis]!;
  const rows = vars.filter((v) => v !== along && v.extent !== 1);
  const lanes = eqn.outputs.flatMap((v) => Array<Var>(lanesOf(v.aval.dtype)).fill(v));
  const threads = threadsOf(c.target);
  const together = threads > 1 && along.extent >= 1024 && extentOf(rows) * 8 < along.extent;
  const nest = new Sequence(rows, together ? null : c.target);
  const scratch: Buffer[] = [];

  /** Where elements at a position along the axis are, counted in the scan's direction. */
  const indexAt = (position: Index): readonly Index[] => {
    const at = lowering.reverse ? subtract(constantIndex(along.extent - 1), position) : position;
    return vars.map((v) => (v === along ? at : nest.indexOf(v)));
  };
  const elementsAt = (position: Index): { index: readonly Index[]; values: readonly Expr[] } => {
    const index = indexAt(position);
    const values = eqn.outputs.flatMap((_, out) => lowering.element(index, out)).map(c.finish);
    nest.countUses(values);
    return { index, values };
  };
  const declare = (): Local[] =>
    lanes.map((v) => {
      const local = nest.local("acc", scalarTypeOf(v.aval.dtype), true);
      nest.emit({ kind: "declare", local, value: constant(local.type, 0) });
      return local;
    });
  /** Makes accumulators the values if these are the first, else their combination with the values. */
  const step = (running: readonly Local[], values: readonly Expr[], isFirst: Expr): Expr[] => {
    const combined = lowering.combine(running.map(readLocal), values);
    const next = combined.map((x, i) => {
      const value = c.finish(select(isFirst, values[i]!, normalize(lanes[i]!.aval.dtype, x)));
      const local = nest.local("next", value.type);
      nest.emit({ kind: "let", local, value });
      return readLocal(local);
    });
    next.forEach((value, i) => nest.emit({ kind: "assign", local: running[i]!, value }));
    return next;
  };
  const put = (index: readonly Index[], values: readonly Expr[]): void => {
    let first = 0;
    for (const v of eqn.outputs) {
      const width = lanesOf(v.aval.dtype);
      for (const s of storesOf(v, values.slice(first, first + width), index, [], buffers.write(v), c.target))
        nest.emit({ kind: "store", buffer: s.buffer, index: nest.placeIndex(s.index), value: c.finish(s.value) });
      first += width;
    }
  };
  const isZero = (x: Index): Expr => compare("eq", ofIndex(x), i32(0));

  const oneThread = (): void => {
    const { index, values } = elementsAt(varIndex(along));
    const running = declare();
    nest.within("serial", along, () => {
      const placed = values.map((e) => nest.place(e));
      put(index, step(running, placed, isZero(varIndex(along))));
    });
  };
  /** Every thread has a run of the row: it finds its total, then those before its own, then the results. */
  const allThreads = (): void => {
    const t = indexVar("t", threads);
    const run = Math.ceil(along.extent / threads);
    const totals = lanes.map((v) => newBuffer("total", wordOf(scalarTypeOf(v.aval.dtype)), threads, "shared"));
    scratch.push(...totals);
    const walk = (f: (index: readonly Index[], values: readonly Expr[], isFirst: Expr) => void): void => {
      const i = indexVar("i", run);
      nest.within("serial", i, () => {
        const position = add(scale(varIndex(t), run), varIndex(i));
        nest.bounded(position, along.extent, [t, i], (at) => {
          const { index, values } = elementsAt(at);
          f(
            index,
            values.map((e) => nest.place(e)),
            isZero(varIndex(i)),
          );
        });
      });
    };
    nest.within("thread", t, () => {
      const running = declare();
      walk((_, values, isFirst) => void step(running, values, isFirst));
      running.forEach((local, lane) =>
        nest.emit({ kind: "store", buffer: totals[lane]!, index: varIndex(t), value: toWord(readLocal(local)) }),
      );
    });
    nest.emit({ kind: "barrier" });
    nest.within("thread", t, () => {
      const running = declare();
      const j = indexVar("j", threads);
      nest.within("serial", j, () =>
        nest.guarded(compare("lt", ofIndex(varIndex(j)), ofIndex(varIndex(t))), j, () => {
          const total = lanes.map((v, lane) => fromWord(load(totals[lane]!, varIndex(j)), scalarTypeOf(v.aval.dtype)));
          step(running, total, isZero(varIndex(j)));
        }),
      );
      walk((index, values, isFirst) => put(index, step(running, values, both(isFirst, isZero(varIndex(t))))));
    });
  };

  /** Rows side by side: the elements of all of them at one position, from those at the position before. */
  const abreast = (inner: IndexVar): void => {
    const before = rows.filter((v) => vars.indexOf(v) < lowering.axis);
    const after = rows.filter((v) => vars.indexOf(v) > lowering.axis && v !== inner);
    const walk = (position: Index, previous: Index | null): void => {
      const { index, values } = elementsAt(position);
      const results = previous ? combinedWith(previous, values) : values;
      nest.nested("serial", after, () =>
        nest.within("vector", inner, () =>
          put(
            index,
            results.map((e) => nest.place(e)),
          ),
        ),
      );
    };
    const combinedWith = (previous: Index, values: readonly Expr[]): readonly Expr[] => {
      const index = indexAt(previous);
      const old = eqn.outputs.flatMap((v) => loadedValue(buffers.write(v), v.aval, c.target.layout, index));
      const results = lowering.combine(old, values).map((x, i) => c.finish(normalize(lanes[i]!.aval.dtype, x)));
      nest.countUses(results);
      return results;
    };
    nest.nested("serial", before, () => {
      walk(constantIndex(0), null);
      if (along.extent === 1) return;
      const k = indexVar("k", along.extent - 1);
      nest.within("serial", k, () => walk(addConstant(varIndex(k), 1), varIndex(k)));
    });
  };

  const inner = c.target.style === "vector" ? sideBySide(vars, along, lanes) : null;
  const body = nest.build(() => {
    if (inner) return abreast(inner);
    if (!together) return nest.eachRow(oneThread);
    nest.nested("block", rows, allThreads);
  });
  const params = buffers.params.map((p) =>
    inner && p.access === "write" ? { ...p, access: "readwrite" as const } : p,
  );
  return { kernel: { name: eqn.primitive.name, params, scratch, body }, args: buffers.args };
}

/** The variable of neighbouring elements, if that is not the axis: rows are then computed side by side, as vectors. */
function sideBySide(vars: readonly IndexVar[], along: IndexVar, lanes: readonly Var[]): IndexVar | null {
  const last = [...vars].reverse().find((v) => v.extent > 1);
  const narrow = lanes.every((v) => lanesOf(v.aval.dtype) === 1);
  return last && last !== along && last.extent >= 4 && narrow ? last : null;
}

/** The result before any update: a kernel like any other. */
export function lowerScatterStart(eqn: Eqn, c: Context): Lowered<FusedKernel> {
  const buffers = new KernelBuffers(c.target);
  const puller = pullerFor(c, buffers);
  const lowering = lowerEqn(
    eqn,
    eqn.inputs.map((a) => puller.operand(a)),
  ) as ScatterLowering;
  const out = eqn.outputs[0]!;
  const rows = out.aval.shape.map((n, i) => indexVar(`r${i}`, n));
  const index = rows.map(varIndex);
  const stores = storesOf(out, lowering.start(index), index, [], buffers.write(out), c.target);
  const kernel: FusedKernel = {
    name: `${eqn.primitive.name}_start`,
    params: buffers.params,
    rows: rows.filter((v) => v.extent !== 1),
    stores: stores.map((s) => ({ ...s, value: c.finish(s.value) })),
  };
  return { kernel, args: buffers.args };
}

/** The updates, one after the other along the axes on which targets may collide. */
export function lowerScatterUpdates(eqn: Eqn, c: Context): Lowered<LoopNest> {
  const buffers = new KernelBuffers(c.target);
  const puller = pullerFor(c, buffers);
  const lowering = lowerEqn(
    eqn,
    eqn.inputs.map((a) => puller.operand(a)),
  ) as ScatterLowering;
  const out = eqn.outputs[0]!;
  const { dtype, shape } = out.aval;
  const vars = lowering.shape.map((n, i) => indexVar(`u${i}`, n));
  const parallel = vars.filter((v, i) => v.extent !== 1 && !lowering.serialAxes.includes(i));
  const serial = vars.filter((v, i) => v.extent !== 1 && lowering.serialAxes.includes(i));
  const nest = new Sequence(parallel, c.target);
  const at = vars.map((v) => nest.indexOf(v));
  const { index, valid } = lowering.target(at);
  const updates = lowering.update(at).map(c.finish);
  const isValid = c.finish(valid);
  const buffer = buffers.write(out);
  nest.countUses([...updates, isValid]);
  const update = (): void => {
    const condition = nest.place(isValid);
    const values = updates.map((u) => nest.place(u));
    const place = index.map((i) => nest.placeIndex(i));
    const old = loadedValue(buffer, out.aval, c.target.layout, place);
    const combined: Value = lowering.combine(old, values).map((x) => normalize(dtype, x));
    // Both lanes are computed before either is stored.
    const next = combined.map((x) => {
      const local = nest.local("next", x.type);
      return { local, let: { kind: "let", local, value: c.finish(x) } as const };
    });
    const first = scale(flatIndex(place, shape), next.length);
    const stores = next.map(({ local }, lane): Stmt => ({
      kind: "store",
      buffer,
      index: addConstant(first, lane),
      value: c.finish(encode(dtype, c.target.layout, readLocal(local))),
    }));
    nest.emit({ kind: "if", condition, body: [...next.map((n) => n.let), ...stores] });
  };
  // Collisions go in order; what cannot collide is inside on a CPU, for its caches, and has threads of its own elsewhere.
  const body = nest.build(() => {
    if (c.target.style === "vector") nest.nested("serial", [...serial, ...parallel], update);
    else nest.eachRow(() => nest.nested("serial", serial, update));
  });
  const params = buffers.params.map((p) => (p.buffer === buffer ? { ...p, access: "readwrite" as const } : p));
  return { kernel: { name: eqn.primitive.name, params, scratch: [], body }, args: buffers.args };
}
