/** `customGradient` and `closureConvert`: rules that close over values of the forward run. */
import { isInexact } from "../core/dtype.ts";
import {
  type AnyFunction,
  FlatFunction,
  checkCallable,
  flattenArgs,
  flattenResult,
  flattenTree,
  nameOf,
} from "../core/call.ts";
import { type Jaxpr, evalJaxpr } from "../core/jaxpr.ts";
import type { NDArray } from "../core/ndarray.ts";
import { ArgumentError } from "../core/problem.ts";
import { traceToJaxpr } from "../core/staging.ts";
import { tangentAval } from "../core/structural.ts";
import { Tracer } from "../core/trace.ts";
import { type TreeDef, registerPytreeNode, unflatten } from "../core/tree.ts";
import { customVjp } from "./customVjp.ts";
import { named } from "./gradient.ts";

/** A traced backward rule: its captured values are residuals, its jaxpr is structure. */
class RuleResiduals {
  readonly consts: readonly NDArray[];
  readonly rule: { readonly jaxpr: Jaxpr; readonly outDef: TreeDef };
  constructor(consts: readonly NDArray[], rule: RuleResiduals["rule"]) {
    this.consts = consts;
    this.rule = rule;
  }
}
let registered = false;
/** Registered on first use: importing has no effect. */
function registerResiduals(): void {
  if (registered) return;
  registered = true;
  registerPytreeNode(
    RuleResiduals,
    (r) => [r.consts, r.rule],
    (rule, consts) => new RuleResiduals(consts as readonly NDArray[], rule),
  );
}

/**
 * A function that returns its value together with its backward rule, `[value, (cotangent) => cotangents]`. The rule may
 * close over whatever the forward run computed.
 *
 * @returns the function of values alone, differentiated by the rule. With several arguments the rule gives a list.
 * @example
 * const f = customGradient((x) => [x.mul(x), (ct) => ct.mul(x)]); // half the true gradient
 * grad(f)(np.array(3)) // 3
 */
export function customGradient<A extends readonly unknown[], R>(
  f: (...args: A) => readonly [R, AnyFunction],
): (...args: A) => R {
  checkCallable("customGradient", f);
  registerResiduals();
  const pair = (args: readonly unknown[]): [unknown, AnyFunction] => {
    const result: unknown = f(...(args as unknown as A));
    if (Array.isArray(result) && result.length === 2 && typeof result[1] === "function")
      return result as [unknown, AnyFunction];
    throw new ArgumentError("CustomGradientResult", {
      what: `customGradient: ${nameOf(f)} must return [value, rule]`,
      why: "the rule maps a cotangent of the value to cotangents of the arguments",
      fix: "return a list of two: the value and a function",
    });
  };
  const valueOnly = (...args: unknown[]): unknown => pair(args)[0];
  const wrapped = customVjp(named(valueOnly, f as unknown as AnyFunction, "customGradient"));
  const fwd = (...args: unknown[]): unknown => {
    const [value, rule] = pair(args);
    const { leaves, def } = flattenResult(value, "customGradient", f);
    let outDef!: TreeDef;
    const { jaxpr, consts } = traceToJaxpr(
      (...cts) => {
        const flat = flattenTree(rule(unflatten(def, cts)), "customGradient", "the rule's result");
        outDef = flat.def;
        return flat.leaves;
      },
      leaves.map((y) => tangentAval(y.aval)),
      "customGradient",
    );
    return [value, new RuleResiduals(consts, { jaxpr, outDef })];
  };
  const bwd = (residuals: RuleResiduals, ct: unknown): unknown => {
    const { jaxpr, outDef } = residuals.rule;
    const result = unflatten(
      outDef,
      evalJaxpr(jaxpr, residuals.consts, flattenTree(ct, "customGradient", "the cotangent").leaves),
    );
    return f.length <= 1 && !(Array.isArray(result) && result.length === 1 && outDef.kind === "list")
      ? [result]
      : result;
  };
  wrapped.defvjp(fwd, bwd);
  return wrapped as unknown as (...args: A) => R;
}

/**
 * Finds the differentiated values that a function captures and makes them arguments, for rules that must not capture.
 *
 * @returns `[converted, captured]`, where `converted(...args, ...captured)` equals `f(...args)`.
 * @example
 * grad((theta) => {
 *   const [g, captured] = closureConvert((x) => x.mul(theta), np.array(1));
 *   return g(np.array(2), ...captured); // captured is [theta]
 * })(np.array(3)); // 2
 */
export function closureConvert(f: AnyFunction, ...exampleArgs: unknown[]): [AnyFunction, NDArray[]] {
  checkCallable("closureConvert", f);
  const { leaves, def } = flattenArgs(exampleArgs, "closureConvert");
  const flat = new FlatFunction(f, def, "closureConvert");
  const { jaxpr, consts } = traceToJaxpr(
    (...xs) => flat.call(xs),
    leaves.map((x) => x.aval),
    `closureConvert(${nameOf(f)})`,
  );
  const hoisted = consts.map((c) => c instanceof Tracer && isInexact(c.dtype));
  const captured = consts.filter((_, i) => hoisted[i]);
  const converted = (...args: unknown[]): unknown => {
    const own = flattenArgs(args.slice(0, exampleArgs.length), "the function from closureConvert").leaves;
    const given = args.slice(exampleArgs.length) as NDArray[];
    let next = 0;
    const all = consts.map((c, i) => (hoisted[i] ? given[next++]! : c));
    return unflatten(flat.out!, evalJaxpr(jaxpr, all, own));
  };
  return [named(converted, f, "closureConvert"), captured];
}
