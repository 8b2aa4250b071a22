/**
 * simplify: jaxpr → jaxpr in normal form. Calls are inlined, captured arrays hoisted to constants, identities removed
 * (by each primitive's `simplify` slot), equal equations merged, and dead ones dropped. Equations with effects are kept,
 * once each and in order; sub-jaxprs of control flow are simplified on their own by whoever compiles them.
 */
import { type Atom, type Eqn, type Jaxpr, Var, makeJaxprOf } from "../core/jaxpr.ts";
import { Literal, type NDArray } from "../core/ndarray.ts";
import { constantP } from "../core/constant.ts";
import type { Params } from "../core/primitive.ts";

/** A simplified program and the captured arrays that became its leading inputs. */
export interface Simplified {
  readonly jaxpr: Jaxpr;
  readonly captured: readonly NDArray[];
}

/** What an equation stands for: a jaxpr of its operands. Equations of an `isolated` one are not merged with others. */
export interface Expansion {
  readonly jaxpr: Jaxpr;
  readonly isolated: boolean;
}
export type Expand = (eqn: Eqn, inputs: readonly Atom[]) => Expansion | null;

/** @param expand equations to replace, beside those that their primitive's `inline` slot replaces. */
export function simplify(jaxpr: Jaxpr, expand: Expand = () => null): Simplified {
  const pass = new Simplifier(expand);
  for (const v of [...jaxpr.constVars, ...jaxpr.inVars]) pass.env.set(v, v);
  pass.eqns(jaxpr.eqns);
  const outs = jaxpr.outs.map((a) => pass.read(a));
  const live = liveEqns(pass.out, outs);
  return {
    jaxpr: makeJaxprOf([], [...pass.capturedVars, ...jaxpr.constVars, ...jaxpr.inVars], live, outs),
    captured: pass.captured,
  };
}

class Simplifier {
  readonly env = new Map<Var, Atom>();
  readonly out: Eqn[] = [];
  readonly captured: NDArray[] = [];
  readonly capturedVars: Var[] = [];
  readonly #capturedVarOf = new Map<NDArray, Var>();
  #seen = new Map<string, readonly Atom[]>();
  readonly #ids = new Map<unknown, number>();
  readonly #expand: Expand;
  constructor(expand: Expand) {
    this.#expand = expand;
  }

  read(a: Atom): Atom {
    return a instanceof Var ? this.env.get(a)! : a;
  }

  eqns(eqns: readonly Eqn[]): void {
    for (const eqn of eqns) this.#eqn(eqn);
  }

  #eqn(eqn: Eqn): void {
    const inputs = eqn.inputs.map((a) => this.read(a));
    const { primitive, params } = eqn;
    if (primitive === constantP) return this.#bindOutputs(eqn, [this.#capture((params as { value: NDArray }).value)]);
    const body = primitive.inline?.(params) ?? null;
    if (body) return this.#inline(eqn, body, inputs);
    const same = this.#identity(eqn, inputs);
    if (same) return this.#bindOutputs(eqn, [same]);
    const key = eqn.effects.length === 0 ? this.#key(eqn, inputs) : null;
    const known = key === null ? undefined : this.#seen.get(key);
    if (known) return this.#bindOutputs(eqn, known);
    const expansion = this.#expand(eqn, inputs);
    if (expansion) {
      const { jaxpr, isolated } = expansion;
      const seen = this.#seen;
      if (isolated) this.#seen = new Map();
      this.#inline(eqn, jaxpr, inputs);
      this.#seen = seen;
      if (key !== null)
        seen.set(
          key,
          jaxpr.outs.map((a) => this.read(a)),
        );
      return;
    }
    const outputs = eqn.outputs.map((v) => new Var(v.aval));
    this.out.push({ ...eqn, inputs, outputs });
    if (key !== null) this.#seen.set(key, outputs);
    this.#bindOutputs(eqn, outputs);
  }

  #inline(eqn: Eqn, body: Jaxpr, inputs: readonly Atom[]): void {
    // Variables of a jaxpr called twice are bound anew each time: later readers see the latest binding only.
    body.inVars.forEach((v, i) => this.env.set(v, inputs[i]!));
    this.eqns(body.eqns);
    this.#bindOutputs(
      eqn,
      body.outs.map((a) => this.read(a)),
    );
  }

  #bindOutputs(eqn: Eqn, atoms: readonly Atom[]): void {
    eqn.outputs.forEach((v, i) => this.env.set(v, atoms[i]!));
  }

  #capture(x: NDArray): Atom {
    if (x instanceof Literal) return x;
    let v = this.#capturedVarOf.get(x);
    if (!v) {
      v = new Var(x.aval);
      this.#capturedVarOf.set(x, v);
      this.capturedVars.push(v);
      this.captured.push(x);
    }
    return v;
  }

  /** The atom that an equation's only result equals, if its primitive says so. */
  #identity(eqn: Eqn, inputs: readonly Atom[]): Atom | null {
    if (!eqn.primitive.simplify || eqn.outputs.length !== 1) return null;
    const out = eqn.outputs[0]!.aval;
    const same = eqn.primitive.simplify(inputs, eqn.params, [out]);
    // Weakness matters to no program; shape and dtype do.
    return same && same.aval.dtype === out.dtype ? same : null;
  }

  #id(x: unknown): number {
    let id = this.#ids.get(x);
    if (id === undefined) this.#ids.set(x, (id = this.#ids.size));
    return id;
  }

  /** Equal for equations that compute the same. */
  #key(eqn: Eqn, inputs: readonly Atom[]): string {
    const atoms = inputs.map((a) =>
      a instanceof Literal ? `${a.dtype}:${Object.is(a.value, -0) ? "-0" : a.value}` : this.#id(a),
    );
    return `${this.#id(eqn.primitive)}(${atoms.join()})${this.#paramKey(eqn.params)}`;
  }

  #paramKey(p: Params): string {
    if (p === null || typeof p === "number" || typeof p === "boolean") return Object.is(p, -0) ? "-0" : String(p);
    if (typeof p === "string") return JSON.stringify(p);
    if (Array.isArray(p)) return `[${p.map((x: unknown) => this.#paramKey(x)).join()}]`;
    if (typeof p === "object" && Object.getPrototypeOf(p) === Object.prototype && !("eqns" in p))
      return `{${Object.entries(p as object)
        .map(([k, v]) => `${k}:${this.#paramKey(v)}`)
        .join()}}`;
    return `#${this.#id(p)}`;
  }
}

function liveEqns(eqns: readonly Eqn[], outs: readonly Atom[]): Eqn[] {
  const live = new Set<Atom>(outs);
  const kept: Eqn[] = [];
  for (let i = eqns.length - 1; i >= 0; i--) {
    const eqn = eqns[i]!;
    if (eqn.effects.length === 0 && !eqn.outputs.some((v) => live.has(v))) continue;
    for (const a of eqn.inputs) live.add(a);
    kept.push(eqn);
  }
  return kept.reverse();
}
