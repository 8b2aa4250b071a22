/**
 * The interpreter behind `checkify`: evaluates a jaxpr in the current trace, equation by equation, and joins to its state
 * what each of them may find wrong. It knows no primitive: those that have checks of their own, or jaxprs inside, say so
 * in their `check` slot.
 */
import type { Aval } from "../core/aval.ts";
import type { CheckCategory, CheckTypes, CheckedJaxpr, Checker } from "../core/checks.ts";
import { embedConsts } from "../core/constant.ts";
import { isInexact } from "../core/dtype.ts";
import { type Atom, type Jaxpr, Var, evalJaxpr, inAvals, lastUses } from "../core/jaxpr.ts";
import type { NDArray } from "../core/ndarray.ts";
import { scalarLiteral } from "../core/operands.ts";
import type { AnyPrimitive, Params } from "../core/primitive.ts";
import { TransformError, withPlace } from "../core/problem.ts";
import { currentPlace, withSource } from "../core/source.ts";
import { traceToJaxpr } from "../core/staging.ts";
import { convert, reshape, stopGradientArray } from "../core/structural.ts";
import { bind, evalTrace, withTrace } from "../core/trace.ts";
import { flatten } from "../core/tree.ts";
import { neArrays } from "../lax/compare.ts";
import { argmax, reduceOr } from "../lax/reduce.ts";
import {
  type CheckState,
  cleanState,
  joinStates,
  joinTypes,
  keepEarlier,
  noTypes,
  stateLength,
  widen,
} from "./state.ts";

export type Categories = ReadonlySet<CheckCategory>;

const cache = new WeakMap<Jaxpr, Map<string, CheckedJaxpr>>();

/** The checked form of a closed jaxpr; cached, so that a jitted function is checked once, not at every call. */
function checkedJaxpr(jaxpr: Jaxpr, categories: Categories): CheckedJaxpr {
  let known = cache.get(jaxpr);
  if (!known) cache.set(jaxpr, (known = new Map()));
  const key = [...categories].sort().join();
  let checked = known.get(key);
  if (!checked) known.set(key, (checked = withTrace(evalTrace, () => makeChecked(jaxpr, categories))));
  return checked;
}

function makeChecked(jaxpr: Jaxpr, categories: Categories): CheckedJaxpr {
  let types = noTypes;
  const traced = traceToJaxpr(
    (...xs) => {
      const interpreter = new CheckInterpreter(categories);
      const outs = interpreter.run(jaxpr, xs);
      types = interpreter.state.types;
      return [...interpreter.state.arrays, ...outs];
    },
    inAvals(jaxpr),
    "checkify",
  );
  return types.sites.length === 0
    ? { jaxpr, types, count: 0 }
    : { jaxpr: embedConsts(traced), types, count: stateLength(types) };
}

export class CheckInterpreter implements Checker {
  state: CheckState = { types: noTypes, arrays: [] };
  readonly #categories: Categories;
  /** Arrays that were searched for NaN: moving their elements makes no new one. */
  readonly #searched = new Set<NDArray>();
  constructor(categories: Categories) {
    this.#categories = categories;
  }

  enabled(category: CheckCategory): boolean {
    return this.#categories.has(category);
  }

  jaxpr(jaxpr: Jaxpr): CheckedJaxpr {
    return checkedJaxpr(jaxpr, this.#categories);
  }

  run(jaxpr: Jaxpr, ins: readonly NDArray[], consts: readonly NDArray[] = []): readonly NDArray[] {
    const env = new Map<Var, NDArray>();
    jaxpr.constVars.forEach((v, i) => env.set(v, consts[i]!));
    jaxpr.inVars.forEach((v, i) => env.set(v, ins[i]!));
    const read = (a: Atom): NDArray => (a instanceof Var ? env.get(a)! : a);
    const last = lastUses(jaxpr);
    jaxpr.eqns.forEach((eqn, i) => {
      const args = eqn.inputs.map(read);
      const outs = withSource(eqn.source, () =>
        withPlace(
          () => eqn.source.frame(),
          () => this.#apply(eqn.primitive, args, eqn.params),
        ),
      );
      for (const v of last[i]!) env.delete(v);
      eqn.outputs.forEach((v, k) => env.set(v, outs[k]!));
    });
    return jaxpr.outs.map(read);
  }

  #apply(primitive: AnyPrimitive, ins: readonly NDArray[], params: Params): readonly NDArray[] {
    const jaxprs = primitive.subJaxprs?.(params) ?? [];
    if (!primitive.check && jaxprs.some((j) => j.effects.includes("check"))) {
      const body = primitive.inline?.(params);
      if (!body) throw cannotCheck(primitive.name);
      return this.run(body, ins);
    }
    const outs = primitive.check ? primitive.check(ins, params, this) : bind(primitive, ins, params);
    if (jaxprs.length === 0 && this.#canMakeNaN(primitive, ins)) this.lookForNaN(primitive.name, outs);
    return outs;
  }

  /** Windows out of bounds read NaN on purpose; random bits are no floats; constants are the user's. */
  #canMakeNaN({ kind }: AnyPrimitive, ins: readonly NDArray[]): boolean {
    if (kind === "indexing" || kind === "random" || ins.length === 0) return false;
    return kind !== "movement" || ins.some((x) => isInexact(x.dtype) && !this.#searched.has(x));
  }

  lookForNaN(name: string, results: readonly NDArray[]): void {
    if (!this.enabled("nan")) return;
    for (const y of results) {
      if (!isInexact(y.dtype)) continue;
      this.fail("nan", () => neArrays(y, y), `nan generated by primitive: ${name}`);
      this.#searched.add(y);
    }
  }

  fail(
    category: CheckCategory,
    wrong: () => NDArray,
    format: string,
    values?: (first: NDArray) => readonly NDArray[],
  ): void {
    if (!this.enabled(category)) return;
    const bad = wrong();
    const flat = reshape(bad, [bad.size]);
    const failed = bad.ndim === 0 ? bad : bad.size === 0 ? scalarLiteral(false, "bool") : reduceOr(flat, [0]);
    const first = (): NDArray =>
      bad.size < 2 ? scalarLiteral(0, "int32") : argmax(flat, { axis: 0, indexDtype: "int32" });
    const shown = values ? values(first()) : [];
    const payload = shown.map((x) => stopGradientArray(convert(x, x.dtype)));
    const site = { category, format, values: flatten([payload, {}])[1], where: currentPlace(), group: 0 };
    this.join({ sites: [site], groups: [payload.map((x) => x.aval)] }, [failed, scalarLiteral(0, "int32"), ...payload]);
  }

  join(types: CheckTypes, results: readonly NDArray[]): readonly NDArray[] {
    const n = stateLength(types);
    this.state = joinStates(this.state, { types, arrays: results.slice(0, n) });
    return results.slice(n);
  }

  call(jaxprs: readonly Jaxpr[], apply: (checked: readonly Jaxpr[]) => readonly NDArray[]): readonly NDArray[] {
    const checked = jaxprs.map((j) => this.jaxpr(j));
    if (checked.every((c) => c.count === 0)) return apply(jaxprs);
    const joined = joinTypes(checked.map((c) => c.types));
    const alike = checked.map((c, i) => {
      if (checked.length === 1) return c.jaxpr;
      return closed((xs) => {
        const results = evalJaxpr(c.jaxpr, [], xs);
        const arrays = results.slice(0, c.count);
        return [...widen(joined, i, { types: c.types, arrays }), ...results.slice(c.count)];
      }, inAvals(c.jaxpr));
    });
    return this.join(joined.types, apply(alike));
  }

  repeat(jaxpr: Jaxpr, apply: (checked: Jaxpr, state: readonly NDArray[]) => readonly NDArray[]): readonly NDArray[] {
    const { jaxpr: once, types, count } = this.jaxpr(jaxpr);
    if (count === 0) return apply(jaxpr, []);
    const start = cleanState(types);
    const step = closed(
      (xs) => {
        const results = evalJaxpr(once, [], xs.slice(count));
        return [...keepEarlier(xs.slice(0, count), results.slice(0, count)), ...results.slice(count)];
      },
      [...start.map((x) => x.aval), ...inAvals(once)],
    );
    return this.join(types, apply(step, start));
  }
}

/** A closed jaxpr of a function that captures nothing. */
const closed = (f: (xs: readonly NDArray[]) => readonly NDArray[], avals: readonly Aval[]): Jaxpr =>
  withTrace(evalTrace, () => embedConsts(traceToJaxpr((...xs) => f(xs), avals, "checkify")));

const cannotCheck = (name: string): TransformError =>
  new TransformError("CheckInside", {
    what: `checkify: a check stands inside a function given to ${name}`,
    where: currentPlace(),
    why: `${name} cannot pass the result of a check on`,
    fix: "move the check out of that function, to its operands or its results",
  });
