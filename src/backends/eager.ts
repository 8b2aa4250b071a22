/**
 * Eager evaluation on compiling devices: one program per primitive, operand types and parameters, compiled when it is
 * first met. Scalars are operands like others, so their values compile nothing.
 */
import type { Aval } from "../core/aval.ts";
import { type Jaxpr, Var, makeJaxprOf, newEqn } from "../core/jaxpr.ts";
import type { AnyPrimitive, Params } from "../core/primitive.ts";
import { keepSources } from "../core/keptSources.ts";
import { noSource } from "../core/source.ts";
import { structurallyEqual } from "../core/tree.ts";

/** Programs kept; when there are more, all are forgotten. */
const capacity = 4096;

interface Entry<E> {
  readonly params: Params;
  readonly executable: E;
}

export class EagerPrograms<E> {
  readonly #compile: (jaxpr: Jaxpr, name: string) => E;
  #programs = new Map<AnyPrimitive, Map<string, Entry<E>[]>>();
  #size = 0;

  constructor(compile: (jaxpr: Jaxpr, name: string) => E) {
    this.#compile = compile;
  }

  /** The program that applies a primitive. */
  find(primitive: AnyPrimitive, avals: readonly Aval[], params: Params, outs: readonly Aval[]): E {
    let byAvals = this.#programs.get(primitive);
    if (!byAvals) this.#programs.set(primitive, (byAvals = new Map()));
    let key = "";
    for (const a of avals) key += `${a.dtype}${a.shape.join()};`;
    let entries = byAvals.get(key);
    if (!entries) byAvals.set(key, (entries = []));
    for (const e of entries) if (e.params === params || structurallyEqual(e.params, params)) return e.executable;
    if (this.#size++ > capacity) this.clear();
    const executable = this.#compile(oneEquation(primitive, avals, params, outs), primitive.name);
    entries.push({ params, executable });
    primitive.subJaxprs?.(params).forEach(keepSources);
    return executable;
  }

  clear(): void {
    this.#programs = new Map();
    this.#size = 0;
  }
}

/** Other lines will run it too, and a captured stack would keep this call's arrays alive. */
function oneEquation(primitive: AnyPrimitive, avals: readonly Aval[], params: Params, outs: readonly Aval[]): Jaxpr {
  const ins = avals.map((a) => new Var(a.strong()));
  const results = outs.map((a) => new Var(a));
  return makeJaxprOf([], ins, [newEqn(primitive, ins, params, results, noSource)], results);
}
