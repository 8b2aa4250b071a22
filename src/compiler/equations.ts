/** A jaxpr as partition looks at it: its equations without identities, what each reads, and who reads each variable. */
import { type Atom, type Eqn, type Jaxpr, Var, isVar } from "../core/jaxpr.ts";
import { type Access, accessOf } from "./access.ts";

export interface Equations {
  readonly inVars: readonly Var[];
  readonly eqns: readonly Eqn[];
  /** Results; what only passed through identities is the operand itself. */
  readonly outs: readonly Atom[];
  readonly accesses: ReadonlyMap<Eqn, Access>;
  readonly producers: ReadonlyMap<Var, Eqn>;
  readonly consumers: ReadonlyMap<Var, readonly Eqn[]>;
  /** Variables that must lie in memory: results, and operands of steps that take whole arrays. */
  readonly required: ReadonlySet<Var>;
}

export function equationsOf(jaxpr: Jaxpr): Equations {
  const eqns: Eqn[] = [];
  const accesses = new Map<Eqn, Access>();
  const same = new Map<Var, Atom>();
  const resolve = (a: Atom): Atom => (a instanceof Var ? (same.get(a) ?? a) : a);
  for (const e of jaxpr.eqns) {
    const eqn: Eqn = { ...e, inputs: e.inputs.map(resolve) };
    const access = accessOf(eqn);
    if (access.lowering.form === "identity") eqn.outputs.forEach((v, i) => same.set(v, eqn.inputs[i]!));
    else {
      eqns.push(eqn);
      accesses.set(eqn, access);
    }
  }
  const outs = jaxpr.outs.map(resolve);
  const required = new Set(outs.filter(isVar));
  const producers = new Map<Var, Eqn>();
  const consumers = new Map<Var, Eqn[]>();
  for (const e of eqns) {
    for (const v of e.outputs) producers.set(v, e);
    for (const a of new Set(e.inputs)) {
      if (!(a instanceof Var)) continue;
      const list = consumers.get(a);
      if (list) list.push(e);
      else consumers.set(a, [e]);
      if (needsMemory(accesses.get(e)!)) required.add(a);
    }
  }
  return { inVars: jaxpr.inVars, eqns, outs, accesses, producers, consumers, required };
}

/** What an equation's kernel reads; what the lowering did not ask for yet counts as well. */
export const operandsOf = ({ lowering, reads, eqn }: Access): readonly Var[] =>
  lowering.form === "pull" ? reads.map((r) => r.operand) : eqn.inputs.filter(isVar);

/** Operands of steps that take whole arrays. */
export const needsMemory = ({ lowering: { form } }: Access): boolean =>
  form !== "pull" && form !== "prefix" && form !== "scatter";
