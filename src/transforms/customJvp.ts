/**
 * `customJvp`: a function with a forward-mode rule of its own. The application is a primitive that holds the user's
 * functions; where it is recorded, the function is traced into the equation, while the rule stays a function until
 * somebody differentiates (rules may call the function itself).
 */
import type { Aval } from "../core/aval.ts";
import { isInexact } from "../core/dtype.ts";
import type { Interpreters } from "../core/interpreters.ts";
import { evalJaxpr } from "../core/jaxpr.ts";
import type { NDArray } from "../core/ndarray.ts";
import { type BatchAxis, type Many, type Primitive, Zero, definePrimitive } from "../core/primitive.ts";
import { ArgumentError, DifferentiationError, TransformError, TreeError } from "../core/problem.ts";
import { addAny, batchToFront, instantiate, tangentAval, zerosLike } from "../core/structural.ts";
import { bind } from "../core/trace.ts";
import { type TreeDef, treeDifferences, unflatten } from "../core/tree.ts";
import {
  type AnyFunction,
  FlatFunction,
  checkCallable,
  checkOptions,
  flattenArgs,
  flattenResult,
  flattenTree,
  nameOf,
} from "../core/call.ts";
import { type CustomCallParams, type FlatCall, checkCustomCall, customCallSlots } from "./callRules.ts";
import { argumentNumber, matchTangent, named } from "./gradient.ts";

type FlatRule = (
  primals: readonly NDArray[],
  tangents: readonly NDArray[],
) => { readonly primals: readonly NDArray[]; readonly tangents: readonly NDArray[] };

interface CustomJvpParams extends CustomCallParams {
  readonly rule: FlatRule;
}

/** Batches a function of arrays: every result gets the batch axis in front. */
export function batchedCall(
  f: FlatCall,
  dims: readonly (number | null)[],
  axis: BatchAxis,
  { batchCall }: Interpreters,
): FlatCall {
  return (args) => {
    const out = batchCall(f, args, dims, axis);
    return out.outs.map((y, i) => batchToFront(y, out.dims[i]!, axis.size));
  };
}

export const customJvpP: Primitive<Many, CustomJvpParams> = /* @__PURE__ */ definePrimitive<Many, CustomJvpParams>({
  .../* @__PURE__ */ customCallSlots<CustomJvpParams>(),
  name: "custom_jvp_call",
  jvp: (primals, tangents, { rule, numConsts, name }) => {
    if (tangents.slice(0, numConsts).some((t) => !(t instanceof Zero))) throw capturedDerivative("customJvp", name);
    const ts = tangents.slice(numConsts).map((t) => instantiate(t instanceof Zero ? new Zero(tangentAval(t.aval)) : t));
    const out = rule(primals.slice(numConsts), ts);
    // Rules give an explicit zero for an integer result, too; operations on integers expect none.
    return {
      primals: out.primals,
      tangents: out.tangents.map((t, i) => (isInexact(out.primals[i]!.dtype) ? t : new Zero(out.primals[i]!.aval))),
    };
  },
  batch: (operands, dims, params, axis, interpreters) => {
    const { numConsts, rule } = params;
    const argDims = dims.slice(numConsts);
    const n = argDims.length;
    let outCount = 0;
    const ruleOfBoth: FlatCall = (xs) => {
      const out = rule(xs.slice(0, n), xs.slice(n));
      outCount = out.primals.length;
      return [...out.primals, ...out.tangents];
    };
    const batchedRule = batchedCall(ruleOfBoth, [...argDims, ...argDims], axis, interpreters);
    const next: CustomJvpParams = {
      ...params,
      call: batchedCall(params.call, argDims, axis, interpreters),
      rule: (primals, tangents) => {
        const all = batchedRule([...primals, ...tangents]);
        return { primals: all.slice(0, outCount), tangents: all.slice(outCount) };
      },
      jaxpr: params.jaxpr && interpreters.batchJaxpr(params.jaxpr, axis, dims, true).jaxpr,
    };
    const outs = bind(customJvpP, operands, next);
    return { outs, dims: outs.map(() => 0) };
  },
  check: (ins, params, checker) =>
    checkCustomCall(customJvpP, ins, params, checker, (checked) => ({
      ...params,
      // The rule gives values and tangents as before; whether a check fails is decided by the function itself.
      rule: (primals, tangents) => {
        const state = evalJaxpr(checked.function, [], primals).slice(0, checked.count);
        const out = params.rule(primals.slice(params.numConsts), tangents.slice(params.numConsts));
        const zeros = state.map((x) => zerosLike(tangentAval(x.aval)));
        return { primals: [...state, ...out.primals], tangents: [...zeros, ...out.tangents] };
      },
    })),
});

export const capturedDerivative = (kind: string, name: string): DifferentiationError =>
  new DifferentiationError("CapturedDerivative", {
    what: `${kind}: ${name} was differentiated with respect to a value it captured from outside`,
    why: "the rule only speaks of the function's arguments, so a derivative through a captured value would be lost",
    fix: "pass the value as an argument, or wrap it in stopGradient where it is captured",
  });

/** Checks that the structure of what a rule gave is the function's. */
export function checkRuleTree(what: string, expected: TreeDef, found: TreeDef): void {
  if (expected.equals(found)) return;
  throw new TreeError("RuleTree", {
    what: `${what} differs in structure:\n    ${treeDifferences(expected, found).join("\n    ")}`,
    why: "a rule computes the same results as its function, and a tangent or cotangent for each",
    fix: "return trees with the structure named above",
  });
}

/** Arguments split into those a rule differentiates and the others, which it receives as they are. */
export class SplitArguments {
  readonly leaves: readonly NDArray[];
  readonly def: TreeDef;
  readonly fixed: readonly unknown[];
  readonly #args: readonly unknown[];
  readonly #positions: readonly number[];

  constructor(args: readonly unknown[], nondiffArgnums: readonly number[], transform: string, f: AnyFunction) {
    const fixedAt = nondiffArgnums.map((n) => argumentNumber(n, args.length, transform, f));
    this.#args = args;
    this.#positions = args.map((_, i) => i).filter((i) => !fixedAt.includes(i));
    this.fixed = fixedAt.map((i) => args[i]);
    const flat = flattenArgs(
      this.#positions.map((i) => args[i]),
      transform,
    );
    this.leaves = flat.leaves;
    this.def = flat.def;
  }

  /** The whole argument list, with these leaves. */
  rebuild(leaves: readonly NDArray[]): unknown[] {
    const all = [...this.#args];
    this.differentiated(leaves).forEach((x, i) => (all[this.#positions[i]!] = x));
    return all;
  }

  differentiated(leaves: readonly NDArray[]): unknown[] {
    return unflatten(this.def, leaves) as unknown[];
  }
}

/** What a tangent rule may get wrong: shape or dtype of a tangent. */
export const asTangents = (ts: readonly NDArray[], primals: readonly Aval[], transform: string): NDArray[] =>
  ts.map((t, i) => {
    const primal = primals[i]!;
    return isInexact(primal.dtype) ? matchTangent(t, primal, transform, "tangent") : zerosLike(tangentAval(primal));
  });

export interface CustomJvpFunction<A extends readonly unknown[], R> {
  (...args: A): R;
  /**
   * Sets the rule: `(…nondiff arguments, primals, tangents) => [value, tangent]`, with lists of primals and tangents.
   */
  defjvp(rule: AnyFunction): AnyFunction;
  /** Sets one rule per argument: `(tangent, value, …args) => contribution`; null for arguments without a derivative. */
  defjvps(...rules: (AnyFunction | null)[]): void;
}

/**
 * A function whose derivative is given by a rule instead of being derived.
 *
 * @example
 * const f = customJvp((x) => np.sin(x));
 * f.defjvp(([x], [dx]) => [f(x), np.cos(x).mul(dx)]);
 * grad(f)(np.array(0)) // 1
 */
export function customJvp<A extends readonly unknown[], R>(
  f: (...args: A) => R,
  options: { readonly nondiffArgnums?: readonly number[] } = {},
): CustomJvpFunction<A, R> {
  checkCallable("customJvp", f);
  checkOptions("customJvp", options, ["nondiffArgnums", "nondiffArgnames"]);
  const fn = f as unknown as AnyFunction;
  let rule: AnyFunction | null = null;
  const wrapped = (...args: unknown[]): unknown => {
    if (!rule)
      throw new TransformError("NoCustomRule", {
        what: `customJvp: no rule has been set for ${nameOf(f)}`,
        why: "customJvp replaces the derivative by the one you give",
        fix: "call f.defjvp((primals, tangents) => [value, tangent]) right after making f",
      });
    const split = new SplitArguments(args, options.nondiffArgnums ?? [], "customJvp", fn);
    const flat = new FlatFunction(
      (...xs: unknown[]) => fn(...split.rebuild(xs as NDArray[])),
      leavesDef(split.leaves.length),
      "customJvp",
    );
    const params: CustomJvpParams = {
      name: nameOf(f),
      call: flat.call,
      rule: flatRule(rule, split, fn, (def) => (flat.out = def)),
      jaxpr: null,
      numConsts: 0,
    };
    const outs = bind(customJvpP, split.leaves, params);
    return unflatten(flat.out!, outs);
  };
  const setRule = (r: AnyFunction): AnyFunction => (checkCallable("defjvp", r), (rule = r));
  return Object.assign(named(wrapped, fn, "customJvp"), {
    defjvp: setRule,
    defjvps: (...rules: (AnyFunction | null)[]) =>
      void setRule(ruleFromParts(fn, wrapped, rules, options.nondiffArgnums)),
  }) as unknown as CustomJvpFunction<A, R>;
}

/** The structure of a flat argument list. */
const leavesDef = (n: number): TreeDef =>
  flattenArgs(
    Array.from({ length: n }, () => 0),
    "customJvp",
  ).def;

function flatRule(rule: AnyFunction, split: SplitArguments, f: AnyFunction, setOut: (def: TreeDef) => void): FlatRule {
  return (primals, tangents) => {
    const result: unknown = rule(...split.fixed, split.differentiated(primals), split.differentiated(tangents));
    if (!Array.isArray(result) || result.length !== 2)
      throw new ArgumentError("JvpRuleResult", {
        what: `customJvp: the rule of ${nameOf(f)} must return [value, tangent]`,
        why: "a forward rule computes the value and its derivative in the given direction",
        fix: "return a list of two: the function's value and its tangent",
      });
    const value = flattenResult(result[0], "customJvp", rule);
    const tangent = flattenTree(result[1], "customJvp", `the tangent from the rule of ${nameOf(f)}`);
    checkRuleTree(`customJvp: the tangent from the rule of ${nameOf(f)}`, value.def, tangent.def);
    setOut(value.def);
    return {
      primals: value.leaves,
      tangents: asTangents(
        tangent.leaves,
        value.leaves.map((y) => y.aval),
        `customJvp: the rule of ${nameOf(f)}`,
      ),
    };
  };
}

function ruleFromParts(
  f: AnyFunction,
  wrapped: AnyFunction,
  rules: readonly (AnyFunction | null)[],
  nondiff: readonly number[] | undefined,
): AnyFunction {
  if (nondiff && nondiff.length > 0)
    throw new TransformError("DefjvpsNondiff", {
      what: `customJvp: defjvps cannot be used with nondiffArgnums (${nameOf(f)})`,
      why: "defjvps gives one rule per argument",
      fix: "use defjvp",
    });
  return (primals: unknown[], tangents: unknown[]) => {
    const value: unknown = wrapped(...primals);
    const parts = rules.flatMap((r, i) => (r ? [r(tangents[i], value, ...primals) as NDArray] : []));
    const [first] = parts;
    return [
      value,
      first === undefined
        ? zerosLike(tangentAval((value as NDArray).aval))
        : parts.slice(1).reduce((a, b) => addAny(a, b), first),
    ];
  };
}
