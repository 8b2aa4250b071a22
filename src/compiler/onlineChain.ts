/**
 * Chains on workgroups: the last kernel computes what is passed on itself, and must be of a form in which rows can be taken
 * in parts (`schedule/onlineProduct.ts`). One kernel, or two where many keys are divided among blocks.
 */
import { Aval } from "../core/aval.ts";
import { type Eqn, Var } from "../core/jaxpr.ts";
import type { Buffer, Expr } from "../core/scalar.ts";
import type { Chain } from "./chains.ts";
import type { FusedStore } from "./fusedKernel.ts";
import { type Lowered, lowerGroup } from "./lower.ts";
import type { KernelParam, LoopNest } from "./loopNest/loopNest.ts";
import { visitExprs } from "./loopNest/rewrite.ts";
import type { Group } from "./partition.ts";
import { scheduleOnline } from "./schedule/gpuOnline.ts";
import { type OnlineParts, inParts } from "./schedule/gpuOnlineParts.ts";
import { type OnlineTiling, onlineTilingOf } from "./schedule/gpuOnlineTiling.ts";
import { type OnlineProduct, onlineProductOf } from "./schedule/onlineProduct.ts";
import { schedule } from "./schedule/schedule.ts";
import type { Target } from "./target.ts";

/** The kernels of a chain; null if it is not of the form. */
export function lowerOnline(
  { groups }: Chain,
  producers: ReadonlyMap<Var, Eqn>,
  target: Target,
  finish: (e: Expr) => Expr,
): readonly Lowered<LoopNest>[] | null {
  const last = groups[2];
  const passed = groups.slice(0, 2).flatMap((g) => g.outputs);
  const inputs = new Set(groups.flatMap((g) => [...g.inputs]).filter((v) => !passed.includes(v)));
  if (inputs.size + last.outputs.length > target.maxBuffers) return null;
  const whole: Group = { ...last, members: groups.flatMap((g) => g.members), inputs };
  const { kernel, args } = lowerGroup(whole, producers, target, (e) => e);
  const product = onlineProductOf(kernel);
  const tiling = product && onlineTilingOf(product, target);
  if (!product || !tiling) return null;
  const parts = tiling.parts > 1 ? partsOf(product, tiling, args, target, finish) : null;
  return parts ?? [{ kernel: scheduleOnline(product, tiling, finish), args }];
}

/** The kernel of the parts and the one that puts them together; null if they would bind too many buffers. */
function partsOf(
  whole: OnlineProduct,
  tiling: OnlineTiling,
  args: readonly Var[],
  target: Target,
  finish: (e: Expr) => Expr,
): readonly Lowered<LoopNest>[] | null {
  const { product, part, found, together }: OnlineParts = inParts(whole, tiling.parts);
  const varOf = new Map(product.kernel.params.map((p, i) => [p.buffer, args[i]!]));
  for (const b of found) varOf.set(b, new Var(new Aval([b.length], "float32")));
  /** The parameters that expressions read and stores write, reads first. */
  const bound = (exprs: readonly Expr[], stores: readonly FusedStore[]): KernelParam[] => {
    const reads = new Set<Buffer>();
    visitExprs([...exprs, ...stores.map((s) => s.value)], (e) => void (e.kind === "load" && reads.add(e.buffer)));
    const writes = new Set(stores.map((s) => s.buffer));
    return [
      ...[...reads].map((buffer): KernelParam => ({ buffer, access: "read" })),
      ...[...writes].map((buffer): KernelParam => ({ buffer, access: "write" })),
    ];
  };
  const { left, right, score, sums } = product;
  const factors = sums.flatMap(({ weight, values }) => [weight, values]).filter((e) => e !== null);
  const ofParts = bound([left, right, score, ...factors], product.stores);
  const ofTogether = bound([], together.stores);
  if (Math.max(ofParts.length, ofTogether.length) > target.maxBuffers) return null;
  const lowered = (kernel: LoopNest): Lowered<LoopNest> => ({
    kernel,
    args: kernel.params.map((p) => varOf.get(p.buffer)!),
  });
  const stores = together.stores.map((s) => ({ ...s, value: finish(s.value) }));
  const withParams = { ...product, kernel: { ...product.kernel, params: ofParts } };
  return [
    lowered(scheduleOnline(withParams, tiling, finish, part)),
    lowered(schedule({ ...together, params: ofTogether, stores }, target)),
  ];
}
