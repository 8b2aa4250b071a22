/**
 * Transposition: from cotangents of a linear program's results to cotangents of its linear inputs. One loop over the
 * equations in reverse; no recursion, so that the length of a chain costs memory but never stack.
 */
import { type Atom, type Eqn, type Jaxpr, Var } from "../core/jaxpr.ts";
import type { Interpreters } from "../core/interpreters.ts";
import { Literal, type NDArray } from "../core/ndarray.ts";
import { LinearOperand, type Tangent, type TransposeOperand, Zero } from "../core/primitive.ts";
import { DifferentiationError } from "../core/problem.ts";
import { withSource } from "../core/source.ts";
import { addTangents } from "../core/structural.ts";
import { bind } from "../core/trace.ts";

/**
 * Pulls cotangents back through `jaxpr`, in the current trace. `args` gives the values of the nonlinear inputs and a
 * `LinearOperand` for each linear one; equations that touch no linear value are evaluated on the way.
 */
export function backwardPass(
  jaxpr: Jaxpr,
  consts: readonly NDArray[],
  args: readonly TransposeOperand[],
  cotangents: readonly Tangent[],
  interpreters: Interpreters,
): Tangent[] {
  const values = new Map<Var, NDArray>();
  jaxpr.constVars.forEach((v, i) => values.set(v, consts[i]!));
  jaxpr.inVars.forEach((v, i) => {
    const a = args[i]!;
    if (!(a instanceof LinearOperand)) values.set(v, a);
  });
  const known = (a: Atom): boolean => a instanceof Literal || values.has(a);
  const read = (a: Atom): NDArray => (a instanceof Literal ? a : values.get(a)!);

  const linear: Eqn[] = [];
  for (const eqn of jaxpr.eqns) {
    if (eqn.inputs.every(known)) {
      const outs = withSource(eqn.source, () => bind(eqn.primitive, eqn.inputs.map(read), eqn.params));
      eqn.outputs.forEach((v, i) => values.set(v, outs[i]!));
    } else linear.push(eqn);
  }

  const cts = new Map<Var, Tangent>();
  const accumulate = (a: Atom, ct: Tangent | null): void => {
    if (!(a instanceof Var) || values.has(a) || ct === null || ct instanceof Zero) return;
    const before = cts.get(a);
    cts.set(a, before ? addTangents(before, ct) : ct);
  };
  jaxpr.outs.forEach((a, i) => accumulate(a, cotangents[i]!));

  for (let i = linear.length - 1; i >= 0; i--) {
    const eqn = linear[i]!;
    const outs = eqn.outputs.map((v) => cts.get(v) ?? new Zero(v.aval));
    if (outs.every((t) => t instanceof Zero)) continue;
    for (const v of eqn.outputs) cts.delete(v);
    const pull = (): void => {
      const ins = transposeEqn(eqn, outs, known, read, interpreters);
      eqn.inputs.forEach((a, k) => accumulate(a, ins[k]!));
    };
    withSource(eqn.source, pull, true);
  }
  return jaxpr.inVars.map((v) => cts.get(v) ?? new Zero(v.aval));
}

function transposeEqn(
  eqn: Eqn,
  cotangents: readonly Tangent[],
  known: (a: Atom) => boolean,
  read: (a: Atom) => NDArray,
  interpreters: Interpreters,
): readonly (Tangent | null)[] {
  const rule = eqn.primitive.transpose;
  if (rule === "nonlinear") throw notLinear(eqn);
  const operands = eqn.inputs.map((a): TransposeOperand => (known(a) ? read(a) : new LinearOperand(a.aval)));
  return rule(cotangents, operands, eqn.params, interpreters);
}

const notLinear = (eqn: Eqn): DifferentiationError =>
  new DifferentiationError("NotLinear", {
    what: `${eqn.primitive.name} was transposed, but it is not linear in its operands`,
    where: eqn.source.frame(),
    why: "linearTranspose (and the rules given to customJvp) only work on functions that are linear in their arguments",
    fix: "differentiate with vjp or grad instead, or write the function as a linear one",
  });
