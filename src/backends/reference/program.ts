/**
 * Programs of the reference device: a simplified jaxpr as a list of steps over numbered slots. Slots are cleared after
 * their last use, so a program holds only what is live.
 */
import { simplify } from "../../compiler/simplify.ts";
import type { Aval } from "../../core/aval.ts";
import { type HostArray, allocateLike } from "../../core/hostArray.ts";
import { type Atom, type Jaxpr, Var, lastUses } from "../../core/jaxpr.ts";
import type { Literal, NDArray } from "../../core/ndarray.ts";
import type { AnyPrimitive, Params, ReferenceContext } from "../../core/primitive.ts";
import { withPlace } from "../../core/problem.ts";
import type { Source } from "../../core/source.ts";

interface Step {
  readonly primitive: AnyPrimitive;
  readonly params: Params;
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  readonly avals: readonly Aval[];
  readonly frees: readonly number[];
  readonly source: Source;
}

export const literalHost = (x: Literal): HostArray => {
  const host = allocateLike(x.aval);
  host.data[0] = x.value;
  return host;
};

export class ReferenceProgram {
  readonly #steps: readonly Step[];
  readonly #outs: readonly number[];
  readonly #initial: readonly (HostArray | null)[];
  readonly #firstInput: number;
  readonly #context: ReferenceContext;

  constructor(source: Jaxpr, context: ReferenceContext) {
    const { jaxpr, captured } = simplify(source);
    const slots = new Map<Var, number>();
    const initial: (HostArray | null)[] = [];
    const slotOf = (a: Atom): number => {
      if (a instanceof Var) {
        const known = slots.get(a);
        if (known !== undefined) return known;
        slots.set(a, initial.length);
        return initial.push(null) - 1;
      }
      return initial.push(literalHost(a)) - 1;
    };
    jaxpr.inVars.forEach(slotOf);
    captured.forEach((x: NDArray, i) => (initial[i] = context.fromArray(x)));
    const last = lastUses(jaxpr);
    this.#steps = jaxpr.eqns.map((eqn, i) => {
      const used = new Set<Atom>(eqn.inputs);
      return {
        primitive: eqn.primitive,
        params: eqn.params,
        inputs: eqn.inputs.map(slotOf),
        outputs: eqn.outputs.map(slotOf),
        avals: eqn.outputs.map((v) => v.aval),
        frees: last[i]!.filter((v) => used.has(v) && slots.get(v)! >= jaxpr.inVars.length).map((v) => slots.get(v)!),
        source: eqn.source,
      };
    });
    this.#outs = jaxpr.outs.map(slotOf);
    this.#initial = initial;
    this.#firstInput = captured.length;
    this.#context = context;
  }

  run(inputs: readonly HostArray[]): HostArray[] {
    const slots = this.#initial.slice();
    for (let i = 0; i < inputs.length; i++) slots[this.#firstInput + i] = inputs[i]!;
    for (const step of this.#steps) {
      const ins = new Array<HostArray>(step.inputs.length);
      for (let i = 0; i < ins.length; i++) ins[i] = slots[step.inputs[i]!]!;
      const outs = this.#apply(step, ins);
      for (const s of step.frees) slots[s] = null;
      for (let i = 0; i < outs.length; i++) slots[step.outputs[i]!] = outs[i]!;
    }
    return this.#outs.map((s) => slots[s]!);
  }

  #apply(step: Step, ins: readonly HostArray[]): readonly HostArray[] {
    try {
      return step.primitive.reference(ins, step.params, step.avals, this.#context);
    } catch (error) {
      return withPlace(
        () => step.source.frame(),
        () => {
          throw error;
        },
      );
    }
  }
}
