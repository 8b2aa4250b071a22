/**
 * Pulling: the scalars of a variable's element, found by composing the lowerings of the equations before it until
 * variables are met that lie in memory.
 */
import { decode, scalarTypeOf } from "../core/elementTypes.ts";
import { lanesOf } from "../core/hostArray.ts";
import { normalize } from "../core/elementTypes.ts";
import { type Index, type IndexVar, addConstant, flatIndex, indexVar, scale, varIndex } from "../core/indexing.ts";
import { type Atom, type Eqn, Var } from "../core/jaxpr.ts";
import type { Operand, Pull, Value } from "../core/lowering.ts";
import type { Literal } from "../core/ndarray.ts";
import { unreachable } from "../core/problem.ts";
import { type Buffer, constant, load } from "../core/scalar.ts";
import type { Shape } from "../core/shape.ts";
import type { Layout } from "../core/elementTypes.ts";
import { lowerEqn } from "./lowerEqn.ts";

/** A literal's scalars; complex literals are real, and a key is never one. */
export function literalValue(x: Literal): Value {
  const first = constant(scalarTypeOf(x.dtype), x.value);
  return lanesOf(x.dtype) === 2 ? [first, constant(first.type, 0)] : [first];
}

/** One variable per axis; the same ones for the same lengths, so that indices of different equations compare. */
export const axisVars = (shape: Shape): IndexVar[] =>
  shape.map((extent, axis) => {
    const key = `${axis}:${extent}`;
    let v = axes.get(key);
    if (!v) axes.set(key, (v = indexVar(`i${axis}`, extent)));
    return v;
  });
const axes = new Map<string, IndexVar>();

/** The elements of an array in memory. */
export function loadedValue(buffer: Buffer, aval: Var["aval"], layout: Layout, index: readonly Index[]): Value {
  const lanes = lanesOf(aval.dtype);
  const first = scale(flatIndex(index, aval.shape), lanes);
  return Array.from({ length: lanes }, (_, lane) =>
    decode(aval.dtype, layout, load(buffer, lane === 0 ? first : addConstant(first, lane))),
  );
}

/** Pulls variables of one kernel; results are shared by variable and position. */
export class Puller {
  readonly #memory: (v: Var) => Buffer | null;
  readonly #producer: (v: Var) => Eqn;
  readonly #layout: Layout;
  readonly #pulls = new Map<Eqn, Pull>();
  readonly #known = new Map<Var, Map<string, Value>>();

  /** @param memory the buffer that holds a variable, or null if it is to be computed here. */
  constructor(memory: (v: Var) => Buffer | null, producer: (v: Var) => Eqn, layout: Layout) {
    this.#memory = memory;
    this.#producer = producer;
    this.#layout = layout;
  }

  operand(a: Atom): Operand {
    if (!(a instanceof Var)) {
      const value = literalValue(a);
      return { aval: a.aval, at: () => value };
    }
    return { aval: a.aval, at: (index) => this.at(a, index) };
  }

  /** An element of a variable, from memory or computed. */
  at(v: Var, index: readonly Index[]): Value {
    let known = this.#known.get(v);
    if (!known) this.#known.set(v, (known = new Map()));
    const key = index.map((i) => i.key).join();
    let value = known.get(key);
    if (!value) {
      const buffer = this.#memory(v);
      value = buffer ? loadedValue(buffer, v.aval, this.#layout, index) : this.compute(v, index);
      known.set(key, value);
    }
    return value;
  }

  /** An element of a variable, computed by its equation even if it lies in memory. */
  compute(v: Var, index: readonly Index[]): Value {
    const eqn = this.#producer(v);
    const value = this.#pullOf(eqn)(index, eqn.outputs.indexOf(v));
    return eqn.primitive.kind === "movement" ? value : value.map((x) => normalize(v.aval.dtype, x));
  }

  #pullOf(eqn: Eqn): Pull {
    let pull = this.#pulls.get(eqn);
    if (!pull) {
      const lowering = lowerEqn(
        eqn,
        eqn.inputs.map((a) => this.operand(a)),
      );
      if (lowering.form !== "pull") return unreachable(`${eqn.primitive.name} is computed inside a kernel`);
      this.#pulls.set(eqn, (pull = lowering.at));
    }
    return pull;
  }
}

export const indicesOf = (vars: readonly IndexVar[]): Index[] => vars.map(varIndex);
