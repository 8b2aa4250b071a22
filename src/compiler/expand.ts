/**
 * Legalising equations: what a target does not run as such is replaced by what it stands for. Compositions and calls
 * become their equations; sorting and its like do where the host cannot reach the device's memory.
 */
import { embedConsts } from "../core/constant.ts";
import type { DType } from "../core/dtype.ts";
import { type Eqn, type Jaxpr, isVar } from "../core/jaxpr.ts";
import type { NDArray } from "../core/ndarray.ts";
import { DTypeError } from "../core/problem.ts";
import { traceToJaxpr } from "../core/staging.ts";
import { formOf } from "./lowerEqn.ts";
import { splitReduction } from "./expandReduction.ts";
import type { Expand } from "./simplify.ts";
import type { Target } from "./target.ts";

/** The replacements for a target. */
export const expandFor =
  (target: Target): Expand =>
  (eqn, inputs) => {
    const lowering = formOf(eqn);
    switch (lowering.form) {
      case "pull": {
        const most = target.maxBuffers - eqn.outputs.length;
        if (!lowering.narrow || new Set(inputs.filter(isVar)).size <= most) return null;
        return { jaxpr: composed(eqn, (args) => lowering.narrow!(args, most)), isolated: false };
      }
      case "compose":
        return { jaxpr: composed(eqn, lowering.with), isolated: false };
      case "routine":
        return target.sharesMemory ? null : { jaxpr: composed(eqn, lowering.compose), isolated: false };
      case "call":
        return { jaxpr: lowering.jaxpr, isolated: true };
      default:
        return null;
    }
  };

/** The parts of reductions that are too long for a target, after everything else is legal. */
export const splitFor =
  (target: Target): Expand =>
  (eqn) => {
    const split = splitReduction(eqn, target);
    return split && { jaxpr: composed(eqn, split), isolated: false };
  };

const composed = (eqn: Eqn, f: (args: readonly NDArray[]) => readonly NDArray[]): Jaxpr =>
  embedConsts(
    traceToJaxpr(
      (...args) => f(args),
      eqn.inputs.map((a) => a.aval),
      eqn.primitive.name,
    ),
  );

/** Refuses dtypes that a target does not have, naming the line that made them. */
export function checkDTypes(jaxpr: Jaxpr, target: Target): void {
  const check = (dtype: DType, where?: Eqn): void => {
    if (!target.dtypes.has(dtype)) throw unsupported(dtype, target, where);
  };
  for (const v of jaxpr.inVars) check(v.aval.dtype);
  for (const e of jaxpr.eqns) for (const v of e.outputs) check(v.aval.dtype, e);
}

const unsupported = (dtype: DType, target: Target, eqn?: Eqn): DTypeError =>
  new DTypeError("UnsupportedOnDevice", {
    what: `${eqn ? `${eqn.primitive.name}: ` : ""}the device ${target.name} has no ${dtype}`,
    ...(eqn ? { where: eqn.source.frame() } : {}),
    why: "its arithmetic is done in 32 bits",
    fix: `convert to float32 with x.astype(numpy.float32), or compute on the embedded device with defaultDevice("wasm")`,
  });
