/**
 * Captured arrays inside inner jaxprs. Functions traced by control flow pass what they capture as operands; only custom
 * rules, which are traced late, can bring in an array of their own. It becomes an equation without operands, which the
 * compiler turns into a hidden argument of the program.
 */
import { evaluator } from "./evaluator.ts";
import { type ClosedJaxpr, type Jaxpr, makeJaxprOf, newEqn } from "./jaxpr.ts";
import type { NDArray } from "./ndarray.ts";
import { type Many, type Primitive, definePrimitive } from "./primitive.ts";
import { LeakedTracerError, unreachable } from "./problem.ts";
import { Tracer } from "./trace.ts";

interface ConstantParams {
  readonly value: NDArray;
}

export const constantP: Primitive<Many, ConstantParams> = /* @__PURE__ */ definePrimitive<Many, ConstantParams>({
  name: "constant",
  kind: "movement",
  infer: (_, { value }) => [value.aval],
  reference: (_, { value }) => [evaluator().toHost(value)],
  // No operands: nothing can be traced, linear or batched.
  jvp: () => unreachable("constant has no operands"),
  transpose: "nonlinear",
  batch: () => unreachable("constant has no operands"),
  lower: (_, { value }) => ({ form: "compose", with: () => [value] }),
  printParams: ({ value }) => ({ aval: String(value.aval) }),
});

const capturedTracer = (x: Tracer): LeakedTracerError =>
  new LeakedTracerError("CapturedTracer", {
    what: `a custom rule uses ${x.describe()}, which it captured from the function around it`,
    where: x.source.frame(),
    why: "a rule is traced on its own, later, when the captured value no longer exists",
    fix: "pass the value as an argument of the function with the rule, or as a residual from its forward function; closureConvert finds captured values",
  });

/** The jaxpr with its constants as equations. */
export function embedConsts({ jaxpr, consts }: ClosedJaxpr): Jaxpr {
  if (consts.length === 0) return jaxpr;
  const eqns = jaxpr.constVars.map((v, i) => {
    const value = consts[i]!;
    if (value instanceof Tracer) throw capturedTracer(value);
    return newEqn(constantP, [], { value }, [v]);
  });
  return makeJaxprOf([], jaxpr.inVars, [...eqns, ...jaxpr.eqns], jaxpr.outs);
}
