/**
 * lower: fusion group → fused kernel. Outputs are pulled at the rows and their own inner positions; what the group does
 * not compute is loaded.
 */
import { encode } from "../core/elementTypes.ts";
import { lanesOf } from "../core/hostArray.ts";
import {
  type Index,
  type IndexVar,
  addConstant,
  flatIndex,
  floorDiv,
  indexVar,
  modulo,
  scale,
  varIndex,
} from "../core/indexing.ts";
import type { Eqn, Var } from "../core/jaxpr.ts";
import type { Value } from "../core/lowering.ts";
import { type Buffer, type Expr, newBuffer } from "../core/scalar.ts";
import type { FusedKernel, FusedStore } from "./fusedKernel.ts";
import type { KernelParam } from "./loopNest/loopNest.ts";
import type { Group } from "./partition.ts";
import { Puller, axisVars } from "./pull.ts";
import type { Target } from "./target.ts";

/** A kernel and the variables that its parameters stand for. */
export interface Lowered<K> {
  readonly kernel: K;
  readonly args: readonly Var[];
}

/** The device buffers of one kernel, made as they are asked for. */
export class KernelBuffers {
  readonly #target: Target;
  readonly #reads = new Map<Var, Buffer>();
  readonly #writes = new Map<Var, Buffer>();
  constructor(target: Target) {
    this.#target = target;
  }
  read(v: Var): Buffer {
    let b = this.#reads.get(v);
    if (!b) this.#reads.set(v, (b = this.#make(v, `x${this.#reads.size}`)));
    return b;
  }
  write(v: Var): Buffer {
    let b = this.#writes.get(v);
    if (!b) this.#writes.set(v, (b = this.#make(v, `out${this.#writes.size}`)));
    return b;
  }
  #make = ({ aval }: Var, name: string): Buffer =>
    newBuffer(name, this.#target.layout[aval.dtype], aval.size * lanesOf(aval.dtype));
  get params(): KernelParam[] {
    return [
      ...[...this.#reads.values()].map((buffer): KernelParam => ({ buffer, access: "read" })),
      ...[...this.#writes.values()].map((buffer): KernelParam => ({ buffer, access: "write" })),
    ];
  }
  get args(): Var[] {
    return [...this.#reads.keys(), ...this.#writes.keys()];
  }
}

/** The stores of one element, lane by lane. */
export function storesOf(
  v: Var,
  value: Value,
  index: readonly Index[],
  inner: readonly IndexVar[],
  buffer: Buffer,
  target: Target,
): FusedStore[] {
  const lanes = lanesOf(v.aval.dtype);
  const first = scale(flatIndex(index, v.aval.shape), lanes);
  return value.map((x, lane) => ({
    buffer,
    index: lane === 0 ? first : addConstant(first, lane),
    value: encode(v.aval.dtype, target.layout, x),
    inner,
  }));
}

/** @param finish what else an expression must go through before it is scheduled. */
export function lowerGroup(
  group: Group,
  producers: ReadonlyMap<Var, Eqn>,
  target: Target,
  finish: (e: Expr) => Expr,
): Lowered<FusedKernel> {
  const buffers = new KernelBuffers(target);
  const puller = new Puller(
    (v) => (group.inputs.has(v) ? buffers.read(v) : null),
    (v) => producers.get(v)!,
    target.layout,
  );
  const rows = group.frame.map((n, i) => indexVar(`r${i}`, n));
  const row = flatIndex(rows.map(varIndex), group.frame);
  const inners = new Map<string, IndexVar>();
  const stores = group.outputs.flatMap((v) => {
    const digits = new Map(group.rowOf.get(v)!.terms.map((t) => [t.atom, t.factor]));
    const inner: IndexVar[] = [];
    const index = axisVars(v.aval.shape).map((axis) => {
      const digit = digits.get(axis);
      if (digit !== undefined) return modulo(floorDiv(row, digit), axis.extent);
      if (axis.extent === 1) return varIndex(axis);
      const key = `${inner.length}:${axis.extent}`;
      let loop = inners.get(key);
      if (!loop) inners.set(key, (loop = indexVar(`j${inner.length}`, axis.extent)));
      inner.push(loop);
      return varIndex(loop);
    });
    return storesOf(v, puller.at(v, index), index, inner, buffers.write(v), target);
  });
  const kernel: FusedKernel = {
    name: kernelName(group.members),
    params: buffers.params,
    rows: rows.filter((v) => v.extent !== 1),
    stores: stores.map((s) => ({ ...s, value: finish(s.value) })),
  };
  return { kernel, args: buffers.args };
}

/** The members' names, shortened: for messages, profiles and printed code. */
export function kernelName(members: readonly Eqn[]): string {
  const names = [...new Set(members.map((e) => e.primitive.name.replace(/[^a-z0-9_]/g, "_")))];
  return names.length <= 4 ? names.join("_") : [...names.slice(0, 2), "and_more", names.at(-1)!].join("_");
}
