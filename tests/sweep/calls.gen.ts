/** Samples for the primitives that call functions: jit, checkpoint and the custom rules, around random programs. */
import fc from "fast-check";
import { type Jaxpr, evalJaxpr } from "../../src/core/jaxpr.ts";
import type { NDArray } from "../../src/core/ndarray.ts";
import { LinearOperand, type Tangent, Zero } from "../../src/core/primitive.ts";
import { instantiate, moveAxis } from "../../src/core/structural.ts";
import { checkpointP, checkpointPolicies } from "../../src/transforms/checkpoint.ts";
import { customJvpP } from "../../src/transforms/customJvp.ts";
import { customVjpP } from "../../src/transforms/customVjp.ts";
import { customVmapP } from "../../src/transforms/customVmap.ts";
import { interpreters } from "../../src/transforms/interpreters.ts";
import { jitP } from "../../src/transforms/jitPrimitive.ts";
import { linearizeCall } from "../../src/transforms/linearize.ts";
import { backwardPass } from "../../src/transforms/transpose.ts";
import { type Float, bodies, float, inBoth, jaxprOf, operands, results, shapeLists } from "./bodies.ts";
import type { Generator } from "./generator.ts";

/** A program as a jaxpr, with operands. */
const call = (params: (jaxpr: Jaxpr) => unknown) =>
  inBoth((dtype: Float) =>
    fc.record({ ins: shapeLists(3, 1), outs: shapeLists(2, 1) }).chain(({ ins, outs }) =>
      fc.tuple(operands(ins, dtype), bodies(outs.length)).map(([xs, list]) => ({
        ins: xs,
        params: params(jaxprOf((...args) => results(list, args, outs), ins.map(float(dtype)))),
      })),
    ),
  );

const evaluate = (jaxpr: Jaxpr) => (xs: readonly NDArray[]) => evalJaxpr(jaxpr, [], xs);

const jvpRule =
  (jaxpr: Jaxpr) =>
  (primals: readonly NDArray[], tangents: readonly NDArray[]): { primals: readonly NDArray[]; tangents: NDArray[] } => {
    const out = interpreters.jvpCall(evaluate(jaxpr), primals, tangents);
    return { primals: out.primals, tangents: out.tangents.map(instantiate) };
  };

/** The backward half: linearizes again from the arguments, which are the residuals. */
const vjpRule =
  (jaxpr: Jaxpr) =>
  (residuals: readonly NDArray[], cts: readonly NDArray[]): NDArray[] => {
    const all = residuals.map(() => true);
    const { linear, nonzeroOut } = linearizeCall(evaluate(jaxpr), residuals, all, "bwd", interpreters);
    const out = backwardPass(
      linear.jaxpr,
      linear.consts,
      linear.jaxpr.inVars.map((v) => new LinearOperand(v.aval)),
      cts.filter((_, i) => nonzeroOut[i]),
      interpreters,
    );
    return out.map((t: Tangent, i) => instantiate(t instanceof Zero ? new Zero(residuals[i]!.aval) : t));
  };

/** The batching rule: another vmap. */
const vmapRule =
  (jaxpr: Jaxpr) =>
  (size: number, batched: readonly boolean[], args: readonly NDArray[]): { outs: NDArray[]; batched: boolean[] } => {
    const dims = batched.map((b) => (b ? 0 : null));
    const out = interpreters.batchCall(evaluate(jaxpr), args, dims, { size, name: null });
    return {
      outs: out.outs.map((y, i) => (out.dims[i] === null ? y : moveAxis(y, out.dims[i]!, 0))),
      batched: out.dims.map((d) => d !== null),
    };
  };

const policies = [
  null,
  checkpointPolicies.everythingSaveable,
  checkpointPolicies.dotsSaveable,
  ({ primitive }: { primitive: string }): boolean => primitive === "sin" || primitive === "mul",
];

export const generators: readonly Generator[] = [
  { primitive: jitP, ...call((jaxpr) => ({ jaxpr, name: "f", inline: false })) },
  ...policies.map((policy, i) => ({
    primitive: checkpointP,
    label: `policy ${i}`,
    ...call((jaxpr) => ({ jaxpr, policy, preventCse: i % 2 === 0, differentiated: false })),
  })),
  {
    primitive: customJvpP,
    ...call((jaxpr) => ({ name: "f", call: evaluate(jaxpr), rule: jvpRule(jaxpr), jaxpr: null, numConsts: 0 })),
  },
  {
    primitive: customVjpP,
    modes: "reverse",
    ...call((jaxpr) => ({
      name: "f",
      call: evaluate(jaxpr),
      fwd: (xs: readonly NDArray[]) => ({ outs: evaluate(jaxpr)(xs), residuals: xs }),
      bwd: vjpRule(jaxpr),
      jaxpr: null,
      numConsts: 0,
    })),
  },
  {
    primitive: customVmapP,
    ...call((jaxpr) => ({ name: "f", call: evaluate(jaxpr), rule: vmapRule(jaxpr), jaxpr: null, numConsts: 0 })),
  },
];
