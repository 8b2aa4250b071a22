/**
 * Kernels of equal groups are made once: the layers of a network, and the rounds of an unrolled loop, differ in nothing but
 * the variables they read and write.
 */
import { type Atom, type Eqn, Var } from "../core/jaxpr.ts";
import type { Params } from "../core/primitive.ts";
import { structurallyEqual } from "../core/tree.ts";
import type { Lowered } from "./lower.ts";
import type { LoopNest } from "./loopNest/loopNest.ts";
import type { Group } from "./partition.ts";

type Kernels = readonly Lowered<LoopNest>[];

/** What the kernels of groups depend on. */
interface Shape {
  /** All but parameters, as text. */
  readonly text: string;
  readonly params: readonly Params[];
  /** The groups' variables in the order in which the text names them. */
  readonly vars: readonly Var[];
}
interface Known {
  readonly params: readonly Params[];
  /** Nests with the numbers of their variables; −1, −2, … are those that one kernel passes on to the next. */
  readonly kernels: readonly { readonly kernel: LoopNest; readonly args: readonly number[] }[] | null;
  readonly passed: readonly Var[];
}

export class KnownGroups {
  readonly #known = new Map<string, Known[]>();

  /** The kernels of groups that run together: those of equal ones, or those that `make` makes; null if it makes none. */
  kernelsOf(groups: readonly Group[], producers: ReadonlyMap<Var, Eqn>, make: () => Kernels | null): Kernels | null {
    const { text, params, vars } = shapeOf(groups, producers);
    const candidates = this.#known.get(text) ?? [];
    const known = candidates.find((k) => k.params.every((p, i) => structurallyEqual(p, params[i])));
    if (known?.kernels === null) return null;
    if (known) {
      const passed = known.passed.map((v) => new Var(v.aval));
      const varOf = (n: number): Var => (n < 0 ? passed[-1 - n]! : vars[n]!);
      return known.kernels.map(({ kernel, args }) => ({ kernel, args: args.map(varOf) }));
    }
    const made = make();
    if (made === null) {
      this.#known.set(text, [...candidates, { params, kernels: null, passed: [] }]);
      return null;
    }
    const numbers = new Map(vars.map((v, i) => [v, i]));
    const passed = [...new Set(made.flatMap((k) => k.args))].filter((v) => !numbers.has(v));
    passed.forEach((v, i) => numbers.set(v, -1 - i));
    const kernels = made.map(({ kernel, args }) => ({ kernel, args: args.map((v) => numbers.get(v)!) }));
    this.#known.set(text, [...candidates, { params, kernels, passed }]);
    return made;
  }
}

function shapeOf(groups: readonly Group[], producers: ReadonlyMap<Var, Eqn>): Shape {
  const vars: Var[] = [];
  const numbers = new Map<Var, number>();
  const params: Params[] = [];
  const lines: string[] = [];
  const numberOf = (v: Var): number => {
    let n = numbers.get(v);
    if (n === undefined) numbers.set(v, (n = vars.push(v) - 1));
    return n;
  };
  const aval = (a: Atom): string => `${a.aval.dtype}[${a.aval.shape.join()}]`;
  const name = (a: Atom): string =>
    a instanceof Var ? String(numberOf(a)) : `${aval(a)}${Object.is(a.value, -0) ? "-0" : a.value}`;
  for (const { kind, frame, rowLength, rowOf, inputs, outputs } of groups) {
    const done = new Set<Eqn>();
    // What an equation reads comes before it; depth is limited by the partition.
    const visit = (v: Var): void => {
      if (inputs.has(v)) return void lines.push(`in ${numberOf(v)}:${aval(v)}`);
      const eqn = producers.get(v)!;
      if (done.has(eqn)) return;
      done.add(eqn);
      for (const a of eqn.inputs) if (a instanceof Var) visit(a);
      params.push(eqn.params);
      const results = eqn.outputs.map((o) => `${numberOf(o)}:${aval(o)}`);
      lines.push(`${results.join()}=${idOf(eqn)}(${eqn.inputs.map(name).join()})`);
    };
    lines.push(`${kind} ${frame.join()} of ${rowLength}`);
    outputs.forEach(visit);
    for (const v of outputs) lines.push(`out ${numberOf(v)} row ${rowOf.get(v)!.key}`);
  }
  return { text: lines.join("\n"), params, vars };
}

const ids = new WeakMap<object, number>();
let nextId = 0;
function idOf({ primitive }: Eqn): number {
  let id = ids.get(primitive);
  if (id === undefined) ids.set(primitive, (id = nextId++));
  return id;
}
