/** The lowerings of equations, asked of their primitives. */
import type { Eqn } from "../core/jaxpr.ts";
import type { Lowering, Operand } from "../core/lowering.ts";
import { unreachable } from "../core/problem.ts";

/** The lowering of an equation for given operands. */
export const lowerEqn = (eqn: Eqn, operands: readonly Operand[]): Lowering =>
  eqn.primitive.lower(
    operands,
    eqn.params,
    eqn.outputs.map((v) => v.aval),
  );

/** The form of an equation's lowering; operands may not be asked. */
export const formOf = (eqn: Eqn): Lowering =>
  lowerEqn(
    eqn,
    eqn.inputs.map((a) => ({
      aval: a.aval,
      at: () => unreachable("a lowering asked an operand before it was pulled"),
    })),
  );
