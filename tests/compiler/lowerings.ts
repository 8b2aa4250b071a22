/** Runs jaxprs by the `lower` slots alone, or by the `reference` slots alone, whatever the default device does. */
import { evaluateLowering, hostOperands } from "../../src/compiler/loopNest/evaluateLowering.ts";
import { Aval } from "../../src/core/aval.ts";
import { type HostArray, allocateLike } from "../../src/core/hostArray.ts";
import { type Atom, type Jaxpr, Var, hoistConsts } from "../../src/core/jaxpr.ts";
import type { Lowering } from "../../src/core/lowering.ts";
import type { NDArray } from "../../src/core/ndarray.ts";
import type { AnyPrimitive, Params, ReferenceContext } from "../../src/core/primitive.ts";
import { sizeOf } from "../../src/core/shape.ts";
import { traceToJaxpr } from "../../src/core/staging.ts";
import { fromHost, host } from "../support/arrays.ts";

type Hosts = readonly HostArray[];

/** Applies one primitive. */
export type Run = (primitive: AnyPrimitive, ins: Hosts, params: Params, outs: readonly Aval[]) => Hosts;

const contextOf = (run: Run): ReferenceContext => ({
  program: (jaxpr) => (args) => runJaxpr(jaxpr, args, run),
  toArray: fromHost,
  fromArray: host,
});

export const byReference: Run = (primitive, ins, params, outs) =>
  primitive.reference(ins, params, outs, contextOf(byReference));

export const byLowering: Run = (primitive, ins, params, outs) => {
  const source = hostOperands(ins);
  const lowering = primitive.lower(source.operands, params, outs);
  return evaluateLowering(lowering, outs, source, primitive.kind === "movement") ?? runForm(lowering, ins, outs);
};

/** Results of a jaxpr without constants. */
export function runJaxpr(jaxpr: Jaxpr, args: Hosts, run: Run): HostArray[] {
  const env = new Map<Var, HostArray>();
  if (jaxpr.constVars.length > 0) throw new Error("the jaxpr has constants");
  jaxpr.inVars.forEach((v, i) => env.set(v, args[i]!));
  const read = (a: Atom): HostArray => (a instanceof Var ? env.get(a)! : host(a));
  for (const { primitive, inputs, params, outputs } of jaxpr.eqns)
    run(
      primitive,
      inputs.map(read),
      params,
      outputs.map((v) => v.aval),
    ).forEach((y, i) => env.set(outputs[i]!, y));
  return jaxpr.outs.map(read);
}

/** Traces a function of arrays and runs it. */
export function runTraced(
  f: (args: readonly NDArray[]) => readonly NDArray[],
  ins: Hosts,
  run: Run = byLowering,
): HostArray[] {
  const { jaxpr, consts } = traceToJaxpr(
    (...xs) => f(xs),
    ins.map((x) => new Aval(x.shape, x.dtype)),
    "lowering",
  );
  return runJaxpr(hoistConsts(jaxpr), [...consts.map(host), ...ins], run);
}

function runForm(lowering: Lowering, ins: Hosts, outs: readonly Aval[]): Hosts {
  switch (lowering.form) {
    case "compose":
      return runTraced(lowering.with, ins);
    case "routine":
      return runTraced(lowering.compose, ins);
    case "call":
      return runJaxpr(lowering.jaxpr, ins, byLowering);
    case "identity":
      return ins;
    case "cond":
      return runJaxpr(lowering.branches[ins[0]!.data[0]!]!, ins.slice(1), byLowering);
    case "while": {
      const { predicate, body, predicateConsts: p, bodyConsts: b } = lowering;
      let carry = ins.slice(p + b);
      while (runJaxpr(predicate, [...ins.slice(0, p), ...carry], byLowering)[0]!.data[0])
        carry = runJaxpr(body, [...ins.slice(p, p + b), ...carry], byLowering);
      return carry;
    }
    case "scan":
      return runScan(lowering, ins, outs);
    case "host":
      return lowering.call(ins, contextOf(byLowering));
    default:
      throw new Error(`the form ${lowering.form} describes elements`);
  }
}

function runScan(
  { body, consts, carries, length, reverse }: Extract<Lowering, { form: "scan" }>,
  ins: Hosts,
  outs: readonly Aval[],
): Hosts {
  let carry = ins.slice(consts, consts + carries);
  const stacked = outs.slice(carries).map(allocateLike);
  for (let step = 0; step < length; step++) {
    const i = reverse ? length - 1 - step : step;
    const slices = ins.slice(consts + carries).map((x) => sliceOf(x, i));
    const results = runJaxpr(body, [...ins.slice(0, consts), ...carry, ...slices], byLowering);
    carry = results.slice(0, carries);
    results.slice(carries).forEach((y, k) => stacked[k]!.data.set(y.data, i * y.data.length));
  }
  return [...carry, ...stacked];
}

function sliceOf(x: HostArray, i: number): HostArray {
  const shape = x.shape.slice(1);
  const n = sizeOf(shape) * (x.data.length / Math.max(1, sizeOf(x.shape)));
  return { shape, dtype: x.dtype, data: x.data.slice(i * n, (i + 1) * n) };
}
