/** Choices as users write them: `cond`, `switch_`. */
import type { ArrayLike } from "../../core/arrayMethods.ts";
import { type AnyFunction, checkCallable, flattenArgs, flattenResult, nameOf } from "../../core/call.ts";
import { isBool, isInteger, isKey } from "../../core/dtype.ts";
import { evalJaxpr, hoistConsts } from "../../core/jaxpr.ts";
import { modes } from "../../core/modes.ts";
import type { NDArray } from "../../core/ndarray.ts";
import { asArray, asIndex, scalarLiteral, scalarValue } from "../../core/operands.ts";
import { ArgumentError, ControlFlowError } from "../../core/problem.ts";
import { traceToJaxpr } from "../../core/staging.ts";
import { convert } from "../../core/structural.ts";
import { bind, currentTrace, evalTrace } from "../../core/trace.ts";
import { type TreeDef, leafDef, unflatten } from "../../core/tree.ts";
import type { Arrays } from "../../core/types.ts";
import { max, min } from "../arithmetic.ts";
import { ne } from "../compare.ts";
import { checkBranchTrees, convertAll, joinBranches } from "./carry.ts";
import { condP, padBranch } from "./cond.ts";

/**
 * Applies one of two functions to the operands. Both are traced; one runs.
 *
 * @param pred a boolean scalar (numbers count as true where not zero).
 * @example
 * lax.cond(true, (x) => np.sin(x), (x) => np.cos(x), np.array(0)) // 0
 */
export function cond<A extends readonly unknown[], R>(
  pred: ArrayLike,
  trueFun: (...operands: A) => R,
  falseFun: (...operands: A) => R,
  ...operands: A
): Arrays<R> {
  checkCallable("cond", trueFun);
  checkCallable("cond", falseFun);
  const p = asArray(pred, "cond");
  if (p.ndim !== 0 || isKey(p.dtype))
    throw new ControlFlowError("Predicate", {
      what: `cond: the predicate must be a scalar, but is ${p.describe()}`,
      why: "one branch is chosen for the whole computation",
      fix: "use numpy.where(p, a, b) to choose element by element, reduce with numpy.any or numpy.all, or vmap the function",
    });
  const holds = isBool(p.dtype) ? p : ne(p, 0);
  const label = (i: number): string => (i === 0 ? `falseFun ${nameOf(falseFun)}` : `trueFun ${nameOf(trueFun)}`);
  return choose("cond", convert(holds, "int32"), [falseFun, trueFun], operands, label) as Arrays<R>;
}

/**
 * Applies one of several functions to the operands, chosen by an integer; out-of-range indices are clamped.
 *
 * @example
 * lax.switch_(1, [(x) => x, (x) => x.mul(2)], np.array(3)) // 6
 */
export function switch_<A extends readonly unknown[], R>(
  index: ArrayLike,
  branches: readonly ((...operands: A) => R)[],
  ...operands: A
): Arrays<R> {
  if (!Array.isArray(branches) || branches.length === 0)
    throw new ArgumentError("NoBranches", {
      what: "switch_: the list of branches is empty",
      why: "one of the branches must be chosen",
      fix: "pass at least one function",
    });
  for (const b of branches) checkCallable("switch_", b);
  const i = asIndex(index, "switch_");
  if (i.ndim !== 0 || !isInteger(i.dtype))
    throw new ControlFlowError("SwitchIndex", {
      what: `switch_: the index must be an integer scalar, but is ${i.describe()}`,
      why: "one branch is chosen for the whole computation",
      fix: "pass an int32 scalar; convert with .astype(numpy.int32)",
    });
  const last = scalarLiteral(branches.length - 1, "int32");
  const clamped =
    branches.length === 1 ? scalarLiteral(0, "int32") : max(min(convert(i, "int32"), last), scalarLiteral(0, "int32"));
  return choose("switch_", clamped, branches, operands, (k) => `branch ${k} (${nameOf(branches[k])})`) as Arrays<R>;
}

function choose(
  name: string,
  index: NDArray,
  branches: readonly AnyFunction[],
  operands: readonly unknown[],
  label: (i: number) => string,
): unknown {
  if (modes.disableJit && currentTrace() === evalTrace) return branches[scalarValue(index)]!(...operands);
  const { leaves, def } = flattenArgs(operands, name);
  const avals = leaves.map((x) => x.aval);
  const traced = branches.map((f) => {
    let outDef: TreeDef = leafDef;
    const closed = traceToJaxpr(
      (...xs) => {
        const flat = flattenResult(f(...(unflatten(def, xs) as unknown[])), name, f);
        outDef = flat.def;
        return flat.leaves;
      },
      avals,
      `${name}(${nameOf(f)})`,
    );
    return { closed, outDef };
  });
  const [first] = traced;
  checkBranchTrees(
    name,
    traced.map((t) => t.outDef),
    label,
  );
  const joined = joinBranches(
    name,
    first!.outDef,
    traced.map((t) => t.closed.jaxpr.outs.map((a) => a.aval)),
    label,
  );
  const jaxprs = traced.map(({ closed }) =>
    closed.jaxpr.outs.every((a, i) => a.aval.dtype === joined[i]!.dtype) ? closed : retype(closed, joined),
  );
  const constAvals = jaxprs.map((j) => j.consts.map((c) => c.aval));
  const padded = jaxprs.map((j, i) =>
    padBranch(
      hoistConsts(j.jaxpr),
      constAvals.slice(0, i).flat(),
      constAvals[i]!.length,
      constAvals.slice(i + 1).flat(),
    ),
  );
  const outs = bind(condP, [index, ...jaxprs.flatMap((j) => j.consts), ...leaves], { branches: padded });
  return unflatten(first!.outDef, outs);
}

/** The same program with its results converted. */
function retype(
  closed: ReturnType<typeof traceToJaxpr>,
  avals: Parameters<typeof convertAll>[1],
): ReturnType<typeof traceToJaxpr> {
  const hoisted = hoistConsts(closed.jaxpr);
  const n = closed.consts.length;
  const { jaxpr } = traceToJaxpr(
    (...xs) => convertAll(evalJaxpr(hoisted, [], xs), avals),
    hoisted.inVars.map((v) => v.aval),
    "cond",
  );
  return {
    jaxpr: { ...jaxpr, constVars: jaxpr.inVars.slice(0, n), inVars: jaxpr.inVars.slice(n) },
    consts: closed.consts,
  };
}
