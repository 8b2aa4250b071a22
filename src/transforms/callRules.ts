/**
 * Rules that call-like primitives share: those that call one jaxpr (`jit`, `checkpoint`), and those that hold a user's
 * function until an application is recorded (custom rules). Each transforms the jaxpr and calls the result.
 */
import type { Checker } from "../core/checks.ts";
import type { Interpreters, LinearizedJaxpr } from "../core/interpreters.ts";
import { type Jaxpr, Var, evalJaxpr, outAvals } from "../core/jaxpr.ts";
import type { NDArray } from "../core/ndarray.ts";
import {
  type AnyPrimitive,
  type Linearized,
  type Many,
  type OptionalSlots,
  type PrimitiveSlots,
  type Tangent,
  type TransposeOperand,
  Zero,
  isLinear,
} from "../core/primitive.ts";
import { unreachable } from "../core/problem.ts";
import { stopGradientArray, tangentAval } from "../core/structural.ts";
import { bind } from "../core/trace.ts";
import { dropInputs } from "./dce.ts";

type Slots<P> = PrimitiveSlots<Many, P> & OptionalSlots<Many, P>;

/** The slots of a primitive that calls one jaxpr. `self` is asked late, as the primitive is being defined. */
export function callSlots<P extends { readonly jaxpr: Jaxpr }>(self: () => AnyPrimitive): Omit<Slots<P>, "name"> {
  const rebind =
    (params: P): Rebind =>
    (jaxpr, ins) =>
      bind(self(), ins, { ...params, jaxpr });
  return {
    kind: "control",
    infer: (_, { jaxpr }) => outAvals(jaxpr),
    reference: (ins, { jaxpr }, _, context) => context.program(jaxpr)(ins),
    jvp: (primals, tangents, params, { jvpJaxpr }) =>
      jvpOfCall(primals, tangents, (nz) => jvpJaxpr(params.jaxpr, nz, false), rebind(params)),
    linearize: (primals, nonzero, params, { linearizeJaxpr }) =>
      linearizeOfCall(primals, nonzero, linearizeJaxpr(params.jaxpr, nonzero, false), rebind(params)),
    transpose: (cts, operands, params, interpreters) =>
      transposeOfCall(cts, operands, params.jaxpr, interpreters, rebind(params)),
    batch: (operands, dims, params, axis, { batchJaxpr }) => {
      const batched = batchJaxpr(params.jaxpr, axis, dims, false);
      return { outs: rebind(params)(batched.jaxpr, operands), dims: batched.dims };
    },
    dce: (used, params, { dceJaxpr }) => {
      const { jaxpr, usedInputs } = dceJaxpr(params.jaxpr, used);
      return { usedInputs, keptOutputs: used, params: { ...params, jaxpr: dropInputs(jaxpr, usedInputs) } };
    },
    lower: (_, { jaxpr }) => ({ form: "call", jaxpr }),
    subJaxprs: ({ jaxpr }) => [jaxpr],
    stepwise: (ins, { jaxpr }) => evalJaxpr(jaxpr, [], ins),
    check: (ins, params, checker) => checker.call([params.jaxpr], ([jaxpr]) => rebind(params)(jaxpr!, ins)),
  };
}

/** A user's function on flat arrays. */
export type FlatCall = (args: readonly NDArray[]) => readonly NDArray[];

/** Parameters of a primitive with a custom rule. */
export interface CustomCallParams {
  readonly name: string;
  readonly call: FlatCall;
  /** The traced function, once recorded; its first `numConsts` inputs are captured values. */
  readonly jaxpr: Jaxpr | null;
  readonly numConsts: number;
}

/** What primitives with custom rules have in common: calling the function, and tracing it when recorded. */
export const customCallSlots = <P extends CustomCallParams>(): Omit<
  Slots<P>,
  "name" | "jvp" | "batch" | "linearize"
> => ({
  kind: "control",
  infer: (_, { jaxpr }) => (jaxpr ? outAvals(jaxpr) : unreachable("a custom call was not staged")),
  reference: (ins, { jaxpr }, _, context) => context.program(jaxpr!)(ins),
  transpose: (cts, operands, params, interpreters) =>
    transposeOfCall(cts, operands, params.jaxpr!, interpreters, (jaxpr, ins) => evalJaxpr(jaxpr, [], ins)),
  stage: (ins, params, trace) => {
    if (params.jaxpr) return { args: ins, params };
    const { jaxpr, consts } = trace(
      (...xs) => params.call(xs),
      ins.map((x) => x.aval),
      params.name,
    );
    return { args: [...consts, ...ins], params: { ...params, jaxpr, numConsts: consts.length } };
  },
  lower: (_, { jaxpr }) => ({ form: "call", jaxpr: jaxpr ?? unreachable("a custom call was not staged") }),
  subJaxprs: ({ jaxpr }) => (jaxpr ? [jaxpr] : []),
  inline: ({ jaxpr }) => jaxpr,
  stepwise: (ins, { jaxpr, call }) => (jaxpr ? evalJaxpr(jaxpr, [], ins) : call(ins)),
  printParams: ({ name, jaxpr }) => ({ name, call_jaxpr: jaxpr ?? undefined }),
});

/** A custom call in two checked forms, with the length of the state in front of their results. */
interface CheckedCustomCall {
  /** (…captured values, …their copies, …args) → (…state, …outs). */
  readonly jaxpr: Jaxpr;
  /** (…captured values, …args) → (…state, …outs). */
  readonly function: Jaxpr;
  readonly count: number;
}

/**
 * Checks a staged call with a custom rule. Rules receive the arguments only, but the checks of the function may depend on
 * captured values; so these are passed a second time, as arguments without derivative.
 *
 * @param change gives the parameters of the checked call.
 */
export function checkCustomCall<P extends CustomCallParams>(
  primitive: AnyPrimitive,
  ins: readonly NDArray[],
  params: P,
  checker: Checker,
  change: (checked: CheckedCustomCall) => Omit<P, "call" | "jaxpr">,
): readonly NDArray[] {
  const { numConsts } = params;
  const { jaxpr, types, count } = checker.jaxpr(params.jaxpr ?? unreachable("a custom call was not staged"));
  if (count === 0) return bind(primitive, ins, params);
  const captured = ins.slice(0, numConsts);
  const unused = captured.map((x) => new Var(x.aval));
  const checked = { jaxpr: { ...jaxpr, inVars: [...unused, ...jaxpr.inVars] }, function: jaxpr, count };
  const operands = [...captured, ...captured.map(stopGradientArray), ...ins.slice(numConsts)];
  const call: FlatCall = () => unreachable("a checked call was not staged");
  return checker.join(types, bind(primitive, operands, { ...change(checked), call, jaxpr: checked.jaxpr }));
}

type Rebind = (jaxpr: Jaxpr, ins: readonly NDArray[]) => readonly NDArray[];

/** Positions at which `flags` is true. */
const given = <T>(xs: readonly T[], flags: readonly boolean[]): T[] => xs.filter((_, i) => flags[i]);

/** Distributes values over the positions marked; the others are symbolic zeros. */
export function scatterTangents(
  values: readonly NDArray[],
  nonzero: readonly boolean[],
  outs: readonly { readonly aval: NDArray["aval"] }[],
): Tangent[] {
  let next = 0;
  return nonzero.map((nz, i) => (nz ? values[next++]! : new Zero(tangentAval(outs[i]!.aval))));
}

/** Forward mode of a call: one call of the jvp jaxpr. */
export function jvpOfCall(
  primals: readonly NDArray[],
  tangents: readonly Tangent[],
  transform: (nonzero: readonly boolean[]) => { readonly jaxpr: Jaxpr; readonly nonzeroOut: readonly boolean[] },
  rebind: Rebind,
): { primals: readonly NDArray[]; tangents: readonly Tangent[] } {
  const nonzero = tangents.map((t) => !(t instanceof Zero));
  const { jaxpr, nonzeroOut } = transform(nonzero);
  const outs = rebind(jaxpr, [...primals, ...given(tangents, nonzero)] as NDArray[]);
  const n = nonzeroOut.length;
  return { primals: outs.slice(0, n), tangents: scatterTangents(outs.slice(n), nonzeroOut, outs) };
}

/** The residuals of a linearized call: inputs passed on, or extra outputs of the primal call. */
export function residualsOf(lin: LinearizedJaxpr, primals: readonly NDArray[], extra: readonly NDArray[]): NDArray[] {
  let next = 0;
  return lin.residualInputs.map((i) => (i >= 0 ? primals[i]! : extra[next++]!));
}

/** Linearization of a call: one call for the primal part, one recorded call for the tangent part. */
export function linearizeOfCall(
  primals: readonly NDArray[],
  nonzero: readonly boolean[],
  lin: LinearizedJaxpr,
  rebind: Rebind,
): Linearized {
  const n = lin.nonzeroOut.length;
  const all = rebind(lin.primal, primals);
  const outs = all.slice(0, n);
  const residuals = residualsOf(lin, primals, all.slice(n));
  return {
    primals: outs,
    tangents: (tangents) => {
      const results = rebind(lin.tangent, [...residuals, ...(given(tangents, nonzero) as NDArray[])]);
      return scatterTangents(results, lin.nonzeroOut, outs);
    },
  };
}

/** Transposition of a call: one call of the transposed jaxpr. */
export function transposeOfCall(
  cts: readonly Tangent[],
  operands: readonly TransposeOperand[],
  jaxpr: Jaxpr,
  { transposeJaxpr }: Interpreters,
  rebind: Rebind,
): (Tangent | null)[] {
  const linear = operands.map(isLinear);
  const nonzeroOut = cts.map((t) => !(t instanceof Zero));
  const transposed = transposeJaxpr(jaxpr, linear, nonzeroOut);
  const outs = rebind(transposed, [
    ...operands.filter((x): x is NDArray => !isLinear(x)),
    ...(given(cts, nonzeroOut) as NDArray[]),
  ]);
  let next = 0;
  return linear.map((l) => (l ? outs[next++]! : null));
}
