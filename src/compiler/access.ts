/**
 * What one equation reads: its lowering, pulled once at symbolic positions with operands that only take notes. Everything
 * that fusion needs to know of an equation comes from here, so partition needs no list of primitives.
 */
import { scalarTypeOf } from "../core/elementTypes.ts";
import { lanesOf } from "../core/hostArray.ts";
import { type Index, type IndexVar, zeroIndex } from "../core/indexing.ts";
import type { Eqn, Var } from "../core/jaxpr.ts";
import type { Lowering, Value } from "../core/lowering.ts";
import { Literal } from "../core/ndarray.ts";
import { type Expr, type Reduction, eachOperand, load, newBuffer } from "../core/scalar.ts";
import { lowerEqn } from "./lowerEqn.ts";
import { axisVars, indicesOf, literalValue } from "./pull.ts";

/** One request for an operand's element, at a position in terms of the result's axes and the equation's own loops. */
export interface Read {
  readonly operand: Var;
  readonly index: readonly Index[];
}
export interface Access {
  readonly eqn: Eqn;
  readonly lowering: Lowering;
  readonly reads: readonly Read[];
  /** Variables of the equation's reductions; empty for elementwise work and views. */
  readonly loops: readonly IndexVar[];
  /** A sum of products of one operand's by the other's elements. */
  readonly isContraction: boolean;
  /** Of one element, in units of an addition, reductions not counted. */
  readonly cost: number;
  readonly isView: boolean;
}

export function accessOf(eqn: Eqn): Access {
  const reads: Read[] = [];
  const operands = eqn.inputs.map((a) => ({
    aval: a.aval,
    at: (index: readonly Index[]): Value => {
      if (a instanceof Literal) return literalValue(a);
      reads.push({ operand: a, index });
      return dummy(a.aval);
    },
  }));
  const lowering = lowerEqn(eqn, operands);
  const loops = new Set<IndexVar>();
  let isContraction = false;
  if (lowering.form === "pull")
    eqn.outputs.forEach((v, out) => {
      for (const x of lowering.at(indicesOf(axisVars(v.aval.shape)), out))
        visitReductions(x, (r) => {
          r.vars.forEach((l) => loops.add(l));
          isContraction ||= r.combine === "add" && r.body[0]!.kind === "binary" && r.body[0].op === "mul";
        });
    });
  const isView = eqn.primitive.kind === "movement" && loops.size === 0;
  const cost = lowering.form === "pull" ? (lowering.cost ?? (isView ? 0 : 1)) : 0;
  return { eqn, lowering, reads, loops: [...loops], isContraction, cost, isView };
}

const dummy = (aval: Var["aval"]): Value => {
  const type = scalarTypeOf(aval.dtype);
  const buffer = newBuffer("x", type === "bool" ? "u32" : type, 1);
  const x = load(buffer, zeroIndex);
  const lane: Expr = type === "bool" ? { kind: "compare", id: x.id, type: "bool", op: "ne", x, y: x } : x;
  return lanesOf(aval.dtype) === 2 ? [lane, lane] : [lane];
};

/** Calls `f` for every reduction in an expression, once each. */
export function visitReductions(root: Expr, f: (r: Reduction) => void): void {
  const seen = new Set<Expr | Reduction>();
  const visit = (x: Expr): void => {
    if (seen.has(x)) return;
    seen.add(x);
    eachOperand(x, visit);
    if (x.kind !== "reduced" || seen.has(x.reduction)) return;
    seen.add(x.reduction);
    f(x.reduction);
    x.reduction.body.forEach(visit);
  };
  visit(root);
}
