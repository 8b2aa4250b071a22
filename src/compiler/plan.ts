/** plan: jaxpr → jaxpr in normal form, and what of it shares a kernel. */
import type { Jaxpr, Var } from "../core/jaxpr.ts";
import type { NDArray } from "../core/ndarray.ts";
import { chained, lowerChain } from "./chains.ts";
import { checkDTypes, expandFor, splitFor } from "./expand.ts";
import { mathExpander } from "./expandMath.ts";
import { isLongReduction } from "./expandReduction.ts";
import { type FusionPlan, partition } from "./partition.ts";
import { simplify } from "./simplify.ts";
import type { Target } from "./target.ts";

export interface Plan {
  readonly jaxpr: Jaxpr;
  /** The arrays that the jaxpr captured, which are its first inputs. */
  readonly captured: readonly NDArray[];
  readonly plan: FusionPlan;
}

export function planOf(source: Jaxpr, target: Target): Plan {
  const { jaxpr, captured } = simplify(source, expandFor(target));
  checkDTypes(jaxpr, target);
  const planned = (j: Jaxpr, sharesLongRows: boolean): FusionPlan =>
    chained(partition(target, sharesLongRows)(j), target);
  if (!jaxpr.eqns.some((e) => isLongReduction(e, target))) return { jaxpr, captured, plan: planned(jaxpr, false) };
  // Few long rows are reduced in parts. But chains walk over them in a way of their own, so these are looked for first.
  const sharesLongRows = target.style === "workgroups";
  const inChains = resultsInChains(planned(jaxpr, sharesLongRows), target);
  const split = splitFor(target);
  const cut = simplify(jaxpr, (e, inputs) => (e.outputs.some((v) => inChains.has(v)) ? null : split(e, inputs)));
  return { jaxpr: cut.jaxpr, captured, plan: planned(cut.jaxpr, sharesLongRows && inChains.size > 0) };
}

/** What chains compute that are kernels of their own. */
const resultsInChains = ({ steps, producers }: FusionPlan, target: Target): ReadonlySet<Var> =>
  new Set(
    steps.flatMap((s) =>
      s.kind === "chain" && lowerChain(s.chain, producers, target, mathExpander(target))
        ? s.chain.groups.flatMap((g) => g.members.flatMap((e) => e.outputs))
        : [],
    ),
  );
