/**
 * The `jit` primitive: a call of a jaxpr. Its rules transform the jaxpr and call the result; the compiler inlines it.
 */
import { type Jaxpr, evalJaxpr, outAvals } from "../core/jaxpr.ts";
import type { Interpreters, LinearizedJaxpr } from "../core/interpreters.ts";
import type { NDArray } from "../core/ndarray.ts";
import {
  type Linearized,
  type Many,
  type Primitive,
  type Tangent,
  type TransposeOperand,
  Zero,
  definePrimitive,
  isLinear,
} from "../core/primitive.ts";
import { tangentAval } from "../core/structural.ts";
import { bind } from "../core/trace.ts";
import { dropInputs } from "./dce.ts";

export interface JitParams {
  readonly jaxpr: Jaxpr;
  readonly name: string;
  readonly inline: boolean;
}

export const jitP: Primitive<Many, JitParams> = /* @__PURE__ */ definePrimitive<Many, JitParams>({
  name: "jit",
  kind: "control",
  infer: (_, { jaxpr }) => outAvals(jaxpr),
  reference: (ins, { jaxpr }, _, context) => context.program(jaxpr)(ins),
  jvp: (primals, tangents, params, { jvpJaxpr }) =>
    jvpOfCall(
      primals,
      tangents,
      (nz) => jvpJaxpr(params.jaxpr, nz, false),
      (jaxpr, ins) => call(ins, { ...params, jaxpr }),
    ),
  linearize: (primals, nonzero, params, { linearizeJaxpr }) =>
    linearizeOfCall(primals, nonzero, linearizeJaxpr(params.jaxpr, nonzero, false), (jaxpr, ins) =>
      call(ins, { ...params, jaxpr }),
    ),
  transpose: (cts, operands, params, interpreters) =>
    transposeOfCall(cts, operands, params.jaxpr, interpreters, (jaxpr, ins) => call(ins, { ...params, jaxpr })),
  batch: (operands, dims, params, axis, { batchJaxpr }) => {
    const batched = batchJaxpr(params.jaxpr, axis, dims, false);
    return { outs: call(operands, { ...params, jaxpr: batched.jaxpr }), dims: batched.dims };
  },
  dce: (used, params, { dceJaxpr }) => {
    const { jaxpr, usedInputs } = dceJaxpr(params.jaxpr, used);
    return { usedInputs, keptOutputs: used, params: { ...params, jaxpr: dropInputs(jaxpr, usedInputs) } };
  },
  subJaxprs: ({ jaxpr }) => [jaxpr],
  inline: ({ jaxpr }) => jaxpr,
  stepwise: (ins, { jaxpr }) => evalJaxpr(jaxpr, [], ins),
  printParams: ({ jaxpr, name }) => ({ name, jaxpr }),
});

const call = (ins: readonly NDArray[], params: JitParams): readonly NDArray[] => bind(jitP, ins, params);

// ---------------------------------------------------------------- rules shared by call-like primitives

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
