/**
 * Chains: a sum of products whose rows are normalised and go into another sum of products, as in attention. One kernel
 * computes all three, and what is passed on is never written to memory. On a CPU whole rows fit beside the operands
 * (`blockChain.ts`); workgroups have too little memory for that (`onlineChain.ts`).
 */
import type { Eqn, Var } from "../core/jaxpr.ts";
import type { Expr } from "../core/scalar.ts";
import type { Lowered } from "./lower.ts";
import type { LoopNest } from "./loopNest/loopNest.ts";
import type { FusionPlan, Group, PlanStep } from "./partition.ts";
import type { Target } from "./target.ts";

/** Elements of what is passed on that a block may hold: it stays in the second cache, beside the operands' panels. */
export const blockElements = 65536;

export interface Chain {
  /** Sum of products, rows, sum of products. */
  readonly groups: readonly [Group, Group, Group];
}

/** A plan in which chains are steps of their own. */
export function chained(plan: FusionPlan, { style }: Target): FusionPlan {
  const readers = new Map<Var, PlanStep[]>();
  for (const step of plan.steps) for (const v of readsOf(step)) readers.set(v, [...(readers.get(v) ?? []), step]);
  const onlyReader = (g: Group): Group | null => {
    const [v, ...others] = g.outputs;
    if (!v || others.length > 0 || plan.outs.includes(v)) return null;
    const [step, ...more] = readers.get(v) ?? [];
    return step?.kind === "group" && more.length === 0 ? step.group : null;
  };
  const inChain = new Map<Group, Chain | null>();
  for (const step of plan.steps) {
    if (step.kind !== "group" || step.group.kind !== "contract") continue;
    const rows = onlyReader(step.group);
    const last = rows?.kind === "reduce" ? onlyReader(rows) : null;
    if (!rows || last?.kind !== "contract" || inChain.has(step.group) || inChain.has(last)) continue;
    if (style === "vector" && !sharesRows(step.group, rows, last)) continue;
    inChain.set(step.group, null);
    inChain.set(rows, null);
    inChain.set(last, { groups: [step.group, rows, last] });
  }
  if (inChain.size === 0) return plan;
  const steps = plan.steps.flatMap((s): PlanStep[] => {
    const chain = s.kind === "group" ? inChain.get(s.group) : undefined;
    return chain === undefined ? [s] : chain === null ? [] : [{ kind: "chain", chain }];
  });
  return { ...plan, steps };
}

/** Variables in memory that a step reads. */
const readsOf = (step: PlanStep): ReadonlySet<Var> =>
  step.kind === "group" ? step.group.inputs : step.kind === "eqn" ? step.inputs : new Set();

export const longAxes = (shape: readonly number[]): number[] => shape.filter((n) => n !== 1);

/** The middle group's rows lead the shapes of both products, and what is passed on has one more axis; axes of length 1 apart. */
function sharesRows(first: Group, rows: Group, last: Group): boolean {
  const shared = longAxes(rows.frame);
  const made = longAxes(first.frame);
  const leads = (frame: readonly number[]): boolean => shared.every((n, i) => frame[i] === n);
  const passed = [first.outputs[0]!, rows.outputs[0]!].map((v) => longAxes(v.aval.shape));
  return (
    shared.length > 0 &&
    made.length === shared.length + 1 &&
    made.at(-1)! <= blockElements &&
    leads(made) &&
    leads(longAxes(last.frame)) &&
    passed.every((shape) => shape.length === made.length && shape.every((n, i) => n === made[i]))
  );
}

/** The kernels of a chain, or null if its groups must be kernels of their own. */
export const lowerChain = (
  chain: Chain,
  producers: ReadonlyMap<Var, Eqn>,
  target: Target,
  finish: (e: Expr) => Expr,
): readonly Lowered<LoopNest>[] | null => target.schedules.chain(chain, producers, target, finish);
