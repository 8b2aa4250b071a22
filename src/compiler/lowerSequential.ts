/**
 * Kernels that run in order along some axes: prefix scans and scatters. Operands are pulled, so what floats before them is
 * computed on the way.
 */
import { encode, normalize } from "../core/elementTypes.ts";
import { lanesOf } from "../core/hostArray.ts";
import {
  type Index,
  addConstant,
  flatIndex,
  indexVar,
  scale,
  subtract,
  constantIndex,
  varIndex,
} from "../core/indexing.ts";
import type { Eqn, Var } from "../core/jaxpr.ts";
import type { PrefixLowering, ScatterLowering, Value } from "../core/lowering.ts";
import { type Expr, compare, i32, ofIndex, readLocal, select } from "../core/scalar.ts";
import { scalarTypeOf } from "../core/elementTypes.ts";
import { constant } from "../core/scalar.ts";
import { lowerEqn } from "./expand.ts";
import type { FusedKernel } from "./fusedKernel.ts";
import { KernelBuffers, type Lowered, storesOf } from "./lower.ts";
import type { LoopNest, Stmt } from "./loopNest/loopNest.ts";
import { Puller, loadedValue } from "./pull.ts";
import { Scopes } from "./schedule/scopes.ts";
import type { Target } from "./target.ts";

interface Context {
  readonly producers: ReadonlyMap<Var, Eqn>;
  /** Whether a variable is to be loaded. */
  readonly inMemory: (v: Var) => boolean;
  readonly target: Target;
  readonly finish: (e: Expr) => Expr;
}

/** Statements placed into loops by hand. */
class Sequence extends Scopes {
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
    (v) => (c.inMemory(v) ? buffers.read(v) : null),
    (v) => c.producers.get(v)!,
    c.target.layout,
  );

/** One pass along the axis for every row. */
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
  const position = lowering.reverse ? subtract(constantIndex(along.extent - 1), varIndex(along)) : varIndex(along);
  const index = vars.map((v) => (v === along ? position : varIndex(v)));
  const lanes = eqn.outputs.flatMap((v) => Array<Var>(lanesOf(v.aval.dtype)).fill(v));
  const elements = eqn.outputs.flatMap((_, out) => lowering.element(index, out)).map(c.finish);
  const nest = new Sequence();
  nest.countUses(elements);
  const body = nest.build(() =>
    nest.nested(
      "serial",
      vars.filter((v) => v !== along && v.extent !== 1),
      () => {
        const running = lanes.map((v) => nest.local("acc", scalarTypeOf(v.aval.dtype), true));
        running.forEach((local) => nest.emit({ kind: "declare", local, value: constant(local.type, 0) }));
        nest.within("serial", along, () => {
          const values = elements.map((e) => nest.place(e));
          const isFirst = compare("eq", ofIndex(varIndex(along)), i32(0));
          const combined = lowering.combine(running.map(readLocal), values);
          const next = combined.map((x, i) => {
            const value = c.finish(select(isFirst, values[i]!, normalize(lanes[i]!.aval.dtype, x)));
            const local = nest.local("next", value.type);
            nest.emit({ kind: "let", local, value });
            return readLocal(local);
          });
          next.forEach((value, i) => nest.emit({ kind: "assign", local: running[i]!, value }));
          let first = 0;
          for (const v of eqn.outputs) {
            const width = lanesOf(v.aval.dtype);
            for (const s of storesOf(v, next.slice(first, first + width), index, [], buffers.write(v), c.target))
              nest.emit({ kind: "store", buffer: s.buffer, index: nest.placeIndex(s.index), value: c.finish(s.value) });
            first += width;
          }
        });
      },
    ),
  );
  const kernel = { name: eqn.primitive.name, params: buffers.params, scratch: [], body };
  return { kernel, args: buffers.args };
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
  const at = vars.map(varIndex);
  const { index, valid } = lowering.target(at);
  const updates = lowering.update(at).map(c.finish);
  const isValid = c.finish(valid);
  const buffer = buffers.write(out);
  const parallel = vars.filter((v, i) => v.extent !== 1 && !lowering.serialAxes.includes(i));
  const serial = vars.filter((v, i) => v.extent !== 1 && lowering.serialAxes.includes(i));
  const nest = new Sequence();
  nest.countUses([...updates, isValid]);
  const body = nest.build(() =>
    nest.nested("serial", [...serial, ...parallel], () => {
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
    }),
  );
  const params = buffers.params.map((p) => (p.buffer === buffer ? { ...p, access: "readwrite" as const } : p));
  return { kernel: { name: eqn.primitive.name, params, scratch: [], body }, args: buffers.args };
}
