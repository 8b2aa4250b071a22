/**
 * Chains on a CPU: a block of rows is computed at a time, whatever is done to the rows, and what is passed on stays in the
 * caches. The three kernels stay as they are but for three substitutions: shared rows become loops around all of them, the
 * last shared row runs over a block, and what is passed on is scratch of the size of a block.
 */
import {
  type Index,
  type IndexVar,
  add,
  constantIndex,
  flatIndex,
  indexVar,
  scale,
  substitute,
  subtract,
  varIndex,
  zeroIndex,
} from "../core/indexing.ts";
import type { Eqn, Var } from "../core/jaxpr.ts";
import { type Buffer, type Expr, load, newBuffer } from "../core/scalar.ts";
import { type Chain, blockElements, longAxes } from "./chains.ts";
import type { FusedKernel } from "./fusedKernel.ts";
import { type Lowered, lowerGroup } from "./lower.ts";
import { type KernelParam, type LoopNest, type Stmt, loop } from "./loopNest/loopNest.ts";
import { Rewriter, visitExprs } from "./loopNest/rewrite.ts";
import { inOrder, inTasks } from "./schedule/tasks.ts";
import { scheduleVector } from "./schedule/vector.ts";
import type { Target } from "./target.ts";

/** The three kernels on blocks of rows; null if what is passed on is read in another order than it is made. */
export function lowerBlocks(
  { groups: [first, rows, last] }: Chain,
  producers: ReadonlyMap<Var, Eqn>,
  target: Target,
  finish: (e: Expr) => Expr,
): readonly Lowered<LoopNest>[] | null {
  const width = longAxes(first.frame).at(-1)!;
  const passed = [first.outputs[0]!, rows.outputs[0]!];
  const shared = longAxes(rows.frame);
  const kernels = [first, rows, last].map((g) => lowerGroup(g, producers, target, finish));
  if (!kernels.every((k) => isAligned(k, passed, shared, width))) return null;

  const scratch = new Map<Var, Buffer>();
  const size = Math.min(shared.at(-1)!, Math.max(4, Math.floor(blockElements / width / 4) * 4));
  for (const v of passed) scratch.set(v, newBuffer("passed", target.layout[v.aval.dtype], size * width, "shared"));
  const device = new Map<Var, KernelParam>();
  const own: Buffer[] = [];
  /** The three kernels on `count` rows from a given one on, with the loops around at given positions. */
  const blockAt = (around: readonly Index[], start: Index, count: number): Stmt[] =>
    kernels.flatMap((k) => {
      const nest = scheduleVector(onBlock(k, scratch, device, around, start, count), target);
      own.push(...nest.scratch);
      return inOrder(nest.body);
    });
  const loops = shared.slice(0, -1).map((n, i) => indexVar(`b${i}`, n));
  const whole = Math.floor(shared.at(-1)! / size);
  const left = shared.at(-1)! - whole * size;
  const chunk = indexVar("c", whole);
  const around = loops.map(varIndex);
  const blocks = (chunks: IndexVar, body: readonly Stmt[]): Stmt =>
    [...loops, chunks].reduceRight<readonly Stmt[]>((inner, v) => [loop("block", v, inner)], body)[0]!;
  const body = [
    blocks(chunk, blockAt(around, scale(varIndex(chunk), size), size)),
    ...(left > 0 ? [blocks(indexVar("left", 1), blockAt(around, constantIndex(whole * size), left))] : []),
  ];
  if (device.size > target.maxBuffers) return null;
  const entries = [...device].sort(([, a], [, b]) => Number(a.access !== "read") - Number(b.access !== "read"));
  const kernel: LoopNest = {
    name: kernels.map((k) => k.kernel.name).join("_"),
    params: entries.map(([, p]) => p),
    scratch: [...scratch.values(), ...own],
    body,
  };
  return [{ kernel: inTasks(kernel, target), args: entries.map(([v]) => v) }];
}

/** Whether every access to what is passed on is at the kernel's own shared rows and one position along the last axis. */
function isAligned(
  { kernel, args }: Lowered<FusedKernel>,
  passed: readonly Var[],
  shared: readonly number[],
  width: number,
): boolean {
  const rows = kernel.rows.slice(0, shared.length);
  if (rows.length < shared.length || rows.some((v, i) => v.extent !== shared[i])) return false;
  const row = scale(flatIndex(rows.map(varIndex), shared), width);
  const fits = (b: Buffer, index: Index): boolean => {
    const v = args[kernel.params.findIndex((p) => p.buffer === b)];
    if (!v || !passed.includes(v)) return true;
    const { terms, constant } = subtract(index, row);
    const [only, ...others] = terms;
    return (
      constant === 0 &&
      others.length === 0 &&
      only?.atom.kind === "var" &&
      only.factor === 1 &&
      !rows.includes(only.atom)
    );
  };
  let aligned = kernel.stores.every((s) => fits(s.buffer, s.index));
  visitExprs(
    kernel.stores.map((s) => s.value),
    (e) => {
      if (e.kind === "load") aligned &&= fits(e.buffer, e.index);
    },
  );
  return aligned;
}

/** A kernel restricted to a block of the last shared row. */
function onBlock(
  { kernel, args }: Lowered<FusedKernel>,
  scratch: ReadonlyMap<Var, Buffer>,
  device: Map<Var, KernelParam>,
  around: readonly Index[],
  start: Index,
  count: number,
): FusedKernel {
  const varOf = new Map(kernel.params.map((p, i) => [p.buffer, args[i]!]));
  const bufferOf = (b: Buffer): Buffer => {
    const v = varOf.get(b)!;
    const inside = scratch.get(v);
    if (inside) return inside;
    // One variable is one parameter, whichever of the kernels reads it.
    let param = device.get(v);
    if (!param) device.set(v, (param = kernel.params.find((p) => p.buffer === b)!));
    return param.buffer;
  };
  const block = kernel.rows[around.length]!;
  const inBlock = indexVar("q", count);
  const places = new Map<IndexVar, Index>(kernel.rows.slice(0, around.length).map((v, i) => [v, around[i]!]));
  places.set(block, add(start, varIndex(inBlock)));
  const local = new Map<IndexVar, Index>(kernel.rows.slice(0, around.length).map((v) => [v, zeroIndex]));
  local.set(block, varIndex(inBlock));
  const localIndex = (x: Index): Index => substitute(x, (a) => (a.kind === "var" ? (local.get(a) ?? null) : null));
  const isPassed = (b: Buffer): boolean => scratch.has(varOf.get(b)!);
  const rewriter = new Rewriter({
    variable: (v) => places.get(v) ?? null,
    buffer: bufferOf,
    expr: (e) => (e.kind === "load" && isPassed(e.buffer) ? load(bufferOf(e.buffer), localIndex(e.index)) : null),
  });
  return {
    name: kernel.name,
    params: kernel.params,
    rows: [...(count > 1 ? [inBlock] : []), ...kernel.rows.slice(around.length + 1)],
    stores: kernel.stores.map((s) => ({
      ...s,
      buffer: bufferOf(s.buffer),
      index: isPassed(s.buffer) ? localIndex(s.index) : rewriter.index(s.index),
      value: rewriter.expr(s.value),
    })),
  };
}
