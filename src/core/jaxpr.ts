/**
 * Jaxprs: typed, first-order programs in A-normal form. An equation applies a primitive to atoms (variables and
 * literals) and binds its results. Jaxprs inside parameters (branches, loop bodies) are closed: their `constVars` are
 * empty, because whatever they capture is an explicit operand of the equation. Only a traced function's own jaxpr has
 * `constVars`, for the arrays it closed over.
 */
import { type Aval, avalsEqual } from "./aval.ts";
import { type Effect, unionEffects } from "./effects.ts";
import { type Literal, type NDArray } from "./ndarray.ts";
import type { AnyPrimitive, Params } from "./primitive.ts";
import { CotangentError, InternalError, withPlace } from "./problem.ts";
import { type Source, noSource, withSource } from "./source.ts";
import { bind } from "./trace.ts";

/** A variable: bound once, by a jaxpr's inputs or an equation. */
export class Var {
  readonly aval: Aval;
  constructor(aval: Aval) {
    this.aval = aval;
  }
}
export type Atom = Var | Literal;

export interface Eqn {
  readonly primitive: AnyPrimitive;
  readonly inputs: readonly Atom[];
  readonly outputs: readonly Var[];
  readonly params: Params;
  readonly effects: readonly Effect[];
  readonly source: Source;
  /** The `namedScope`s it was traced in, outermost first. */
  readonly scope: string;
}

export interface Jaxpr {
  readonly constVars: readonly Var[];
  readonly inVars: readonly Var[];
  readonly eqns: readonly Eqn[];
  readonly outs: readonly Atom[];
  readonly effects: readonly Effect[];
}

/** A jaxpr with the values of its constants. */
export interface ClosedJaxpr {
  readonly jaxpr: Jaxpr;
  readonly consts: readonly NDArray[];
}

export const isVar = (a: Atom): a is Var => a instanceof Var;
export const inAvals = (j: Jaxpr): Aval[] => j.inVars.map((v) => v.aval);
export const outAvals = (j: Jaxpr): Aval[] => j.outs.map((a) => a.aval);

/** Builds a jaxpr; effects are those of its equations. */
export const makeJaxprOf = (
  constVars: readonly Var[],
  inVars: readonly Var[],
  eqns: readonly Eqn[],
  outs: readonly Atom[],
): Jaxpr => ({ constVars, inVars, eqns, outs, effects: unionEffects(eqns.map((e) => e.effects)) });

/** Turns constants into leading inputs: the form jaxprs have inside parameters. */
export const hoistConsts = (j: Jaxpr): Jaxpr =>
  j.constVars.length === 0 ? j : { ...j, constVars: [], inVars: [...j.constVars, ...j.inVars] };

/** The effects of one application. */
export function effectsOf(primitive: AnyPrimitive, params: Params): readonly Effect[] {
  if (primitive.effects) return primitive.effects(params);
  if (primitive.subJaxprs) return unionEffects(primitive.subJaxprs(params).map((j) => j.effects));
  return unionEffects([]);
}

export const newEqn = (
  primitive: AnyPrimitive,
  inputs: readonly Atom[],
  params: Params,
  outputs: readonly Var[],
  source: Source = noSource,
  scope = "",
): Eqn => ({ primitive, inputs, outputs, params, effects: effectsOf(primitive, params), source, scope });

/**
 * Evaluates a jaxpr in the current trace: concrete arrays compute, tracers record. Values are dropped after their last
 * use, so that evaluating a long program does not hold every intermediate.
 *
 * @param apply what an equation does.
 */
export function evalJaxpr(
  jaxpr: Jaxpr,
  consts: readonly NDArray[],
  args: readonly NDArray[],
  apply: (primitive: AnyPrimitive, ins: readonly NDArray[], params: Params) => readonly NDArray[] = bind,
): NDArray[] {
  const env = new Map<Var, NDArray>();
  jaxpr.constVars.forEach((v, i) => env.set(v, consts[i]!));
  jaxpr.inVars.forEach((v, i) => env.set(v, args[i]!));
  const read = (a: Atom): NDArray => (a instanceof Var ? env.get(a)! : a);
  const last = lastUses(jaxpr);
  jaxpr.eqns.forEach((eqn, i) => {
    const ins = eqn.inputs.map(read);
    const outs = withSource(eqn.source, () =>
      withPlace(
        () => eqn.source.frame(),
        () => apply(eqn.primitive, ins, eqn.params),
      ),
    );
    for (const v of last[i]!) env.delete(v);
    eqn.outputs.forEach((v, k) => env.set(v, outs[k]!));
  });
  return jaxpr.outs.map(read);
}

const lastUsesOf = new WeakMap<Jaxpr, readonly (readonly Var[])[]>();
/** For each equation, the variables that nobody reads after it. */
export function lastUses(jaxpr: Jaxpr): readonly (readonly Var[])[] {
  const known = lastUsesOf.get(jaxpr);
  if (known) return known;
  const live = new Set<Var>(jaxpr.outs.filter(isVar));
  const result = new Array<Var[]>(jaxpr.eqns.length);
  for (let i = jaxpr.eqns.length - 1; i >= 0; i--) {
    const dying: Var[] = [];
    for (const a of jaxpr.eqns[i]!.inputs)
      if (a instanceof Var && !live.has(a)) {
        live.add(a);
        dying.push(a);
      }
    result[i] = dying;
  }
  lastUsesOf.set(jaxpr, result);
  return result;
}

/** Checks a jaxpr: every variable is bound before use and once, and every equation's avals are those `infer` gives. */
export function checkJaxpr(jaxpr: Jaxpr): void {
  const bound = new Set<Var>();
  const bindVar = (v: Var, where: string): void => {
    if (bound.has(v)) throw invalid(`a variable is bound twice (${where})`);
    bound.add(v);
  };
  for (const v of [...jaxpr.constVars, ...jaxpr.inVars]) bindVar(v, "inputs");
  const use = (a: Atom, where: string): void => {
    if (a instanceof Var && !bound.has(a))
      throw invalid(`a variable of type ${String(a.aval)} is used in ${where} before it is bound`);
  };
  for (const eqn of jaxpr.eqns) {
    const { name } = eqn.primitive;
    for (const a of eqn.inputs) use(a, name);
    const ins = eqn.inputs.map((a) => a.aval);
    let outs: readonly Aval[];
    try {
      eqn.primitive.typecheck?.(ins, eqn.params);
      outs = eqn.primitive.infer(ins, eqn.params);
    } catch (error) {
      if (error instanceof CotangentError) throw invalid(`${name}: ${error.problem.what}`, error);
      throw error;
    }
    if (outs.length !== eqn.outputs.length)
      throw invalid(`${name} has ${outs.length} results but binds ${eqn.outputs.length}`);
    outs.forEach((a, i) => {
      const v = eqn.outputs[i]!;
      if (!avalsEqual(a, v.aval, true)) throw invalid(`${name} gives ${String(a)} but binds ${String(v.aval)}`);
      bindVar(v, name);
    });
    for (const sub of eqn.primitive.subJaxprs?.(eqn.params) ?? []) checkJaxpr(sub);
  }
  for (const a of jaxpr.outs) use(a, "the results");
}

const invalid = (what: string, cause?: unknown): InternalError =>
  new InternalError(
    "InvalidJaxpr",
    {
      what: `invalid jaxpr: ${what}`,
      why: "a transformation produced an ill-typed program",
      fix: "please report it with the smallest program that shows it",
    },
    { cause },
  );

/** The number of equations, those of sub-jaxprs included. */
export const countEqns = (jaxpr: Jaxpr): number =>
  jaxpr.eqns.reduce(
    (n, e) => n + 1 + (e.primitive.subJaxprs?.(e.params) ?? []).reduce((m, j) => m + countEqns(j), 0),
    0,
  );
