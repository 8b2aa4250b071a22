/**
 * Dead-code elimination: keeps the equations that the wanted results depend on, and those with effects. Equations that
 * carry jaxprs are pruned inside by their own `dce` slot.
 */
import type { Interpreters, PrunedJaxpr } from "../core/interpreters.ts";
import { type Atom, type Eqn, type Jaxpr, Var, isVar, makeJaxprOf, newEqn } from "../core/jaxpr.ts";

/** Removes what the marked outputs do not need; outputs not marked disappear, inputs stay and are reported. */
export function dce(jaxpr: Jaxpr, usedOutputs: readonly boolean[], interpreters: Interpreters): PrunedJaxpr {
  const outs = jaxpr.outs.filter((_, i) => usedOutputs[i]);
  const live = new Set<Var>(outs.filter(isVar));
  const eqns: Eqn[] = [];
  const use = (a: Atom): void => {
    if (a instanceof Var) live.add(a);
  };
  for (let i = jaxpr.eqns.length - 1; i >= 0; i--) {
    const eqn = jaxpr.eqns[i]!;
    const used = eqn.outputs.map((v) => live.has(v));
    if (eqn.effects.length === 0 && !used.includes(true)) continue;
    const kept = used.every(Boolean) ? eqn : prune(eqn, used, interpreters);
    kept.inputs.forEach(use);
    eqns.push(kept);
  }
  return {
    jaxpr: makeJaxprOf(jaxpr.constVars, jaxpr.inVars, eqns.reverse(), outs),
    usedInputs: jaxpr.inVars.map((v) => live.has(v)),
  };
}

function prune(eqn: Eqn, used: readonly boolean[], interpreters: Interpreters): Eqn {
  if (!eqn.primitive.dce) return eqn;
  const { usedInputs, params, keptOutputs } = eqn.primitive.dce(used, eqn.params, interpreters);
  return newEqn(
    eqn.primitive,
    eqn.inputs.filter((_, i) => usedInputs[i]),
    params,
    eqn.outputs.filter((_, i) => keptOutputs[i]),
    eqn.source,
    eqn.scope,
  );
}

/** A jaxpr without the inputs not marked; the caller knows that nothing reads them. */
export const dropInputs = (jaxpr: Jaxpr, kept: readonly boolean[]): Jaxpr => ({
  ...jaxpr,
  inVars: jaxpr.inVars.filter((_, i) => kept[i]),
});
