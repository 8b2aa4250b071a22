/**
 * The `cond` primitive: one of several jaxprs, chosen by an int32 index. All branches take the same operands. Rules
 * transform every branch and choose among the results; with an index per example, all branches run and `selectN` picks.
 */
import type { Aval } from "../../core/aval.ts";
import type { Interpreters } from "../../core/interpreters.ts";
import { type Atom, type Jaxpr, Var, evalJaxpr, inAvals, makeJaxprOf, outAvals } from "../../core/jaxpr.ts";
import type { NDArray } from "../../core/ndarray.ts";
import { scalarValue } from "../../core/operands.ts";
import { type Many, type Primitive, type Tangent, Zero, definePrimitive, isLinear } from "../../core/primitive.ts";
import { traceClosed } from "../../core/staging.ts";
import { batchToFront, broadcastInDim, tangentAval, unspecified, unspecifiedP } from "../../core/structural.ts";
import { bind } from "../../core/trace.ts";
import { selectN } from "../compare.ts";
import { orFlags, pick } from "./carry.ts";

export interface CondParams {
  readonly branches: readonly Jaxpr[];
}

export const condP: Primitive<Many, CondParams> = /* @__PURE__ */ definePrimitive<Many, CondParams>({
  name: "cond",
  kind: "control",
  infer: (_, { branches }) => outAvals(branches[0]!),
  reference: ([index, ...ins], { branches }, _, context) => context.program(branches[index!.data[0]!]!)(ins),
  jvp: ([index, ...primals], [, ...tangents], { branches }, { jvpJaxpr }) => {
    const nonzero = tangents.map((t) => !(t instanceof Zero));
    const union = unionOf(branches.map((b) => jvpJaxpr(b, nonzero, false).nonzeroOut));
    const jvps = branches.map((b) => jvpJaxpr(b, nonzero, union).jaxpr);
    const all = bind(condP, [index!, ...primals, ...(pick(tangents, nonzero) as NDArray[])], { branches: jvps });
    const outs = all.slice(0, union.length);
    return { primals: outs, tangents: spread(all.slice(union.length), union, outs) };
  },
  linearize: (primals, nonzero, params, i) => linearizeCond(primals, nonzero, params, i),
  transpose: (cts, [index, ...operands], { branches }, { transposeJaxpr }) => {
    const linear = operands.map((x) => isLinear(x));
    const nonzeroOut = cts.map((t) => !(t instanceof Zero));
    const transposed = branches.map((b) => transposeJaxpr(b, linear, nonzeroOut));
    const known = operands.filter((_, i) => !linear[i]) as NDArray[];
    const outs = bind(condP, [index as NDArray, ...known, ...(pick(cts, nonzeroOut) as NDArray[])], {
      branches: transposed,
    });
    let next = 0;
    return [null, ...linear.map((l) => (l ? outs[next++]! : null))];
  },
  batch: ([index, ...operands], [indexDim, ...dims], { branches }, axis, { batchJaxpr, evalJaxpr: run }) => {
    if (indexDim === null) {
      const union = unionOf(branches.map((b) => batchJaxpr(b, axis, dims, false).dims.map((d) => d !== null)));
      const batched = branches.map((b) => batchJaxpr(b, axis, dims, union).jaxpr);
      return {
        outs: bind(condP, [index!, ...operands], { branches: batched }),
        dims: union.map((u) => (u ? 0 : null)),
      };
    }
    const which = batchToFront(index!, indexDim!, axis.size);
    const results = branches.map((b) => run(batchJaxpr(b, axis, dims, true).jaxpr, operands));
    const outs = results[0]!.map((y, k) => {
      const computing = results.filter((_, i) => !isUnspecified(branches[i]!, branches[i]!.outs[k]!));
      if (computing.length === 1) return computing[0]![k]!;
      return selectN(broadcastInDim(which, y.shape, [0]), ...results.map((r) => r[k]!));
    });
    return { outs, dims: outs.map(() => 0) };
  },
  dce: (used, { branches }, { dceJaxpr }) => {
    const pruned = branches.map((b) => dceJaxpr(b, used));
    const usedInputs = pruned.map((p) => p.usedInputs).reduce(orFlags);
    const next = pruned.map((p) => ({ ...p.jaxpr, inVars: pick(p.jaxpr.inVars, usedInputs) }));
    return { usedInputs: [true, ...usedInputs], keptOutputs: used, params: { branches: next } };
  },
  lower: (_, { branches }) => ({ form: "cond", branches }),
  subJaxprs: ({ branches }) => branches,
  check: (ins, { branches }, checker) => checker.call(branches, (checked) => bind(condP, ins, { branches: checked })),
  stepwise: ([index, ...ins], { branches }) => evalJaxpr(branches[indexValue(index!)]!, [], ins),
});

const indexValue = (index: NDArray): number => scalarValue(index);
const unionOf = (flags: readonly (readonly boolean[])[]): boolean[] =>
  flags.reduce<boolean[]>((a, b) => orFlags(a, b), new Array<boolean>(flags[0]!.length).fill(false));

function spread(given: readonly NDArray[], nonzero: readonly boolean[], outs: readonly NDArray[]): Tangent[] {
  let next = 0;
  return nonzero.map((nz, i) => (nz ? given[next++]! : new Zero(tangentAval(outs[i]!.aval))));
}

// ---------------------------------------------------------------- linearization

function linearizeCond(
  all: readonly NDArray[],
  allNonzero: readonly boolean[],
  { branches }: CondParams,
  { linearizeJaxpr }: Interpreters,
) {
  const [index, ...primals] = all;
  const nonzero = allNonzero.slice(1);
  const union = unionOf(branches.map((b) => linearizeJaxpr(b, nonzero, false).nonzeroOut));
  const lins = branches.map((b) => linearizeJaxpr(b, nonzero, union));
  const numOuts = union.length;
  // Each computed residual has a place of its own. Branches could share places, but not where an index per example
  // makes them all run: there a branch must meet its own residuals even for the examples that it is not chosen for.
  const computed = lins.map((l) => l.primal.outs.slice(numOuts).map((a) => a.aval));
  const firsts = computed.map((_, b) => computed.slice(0, b).flat().length);
  const primalBranches = lins.map((l, b) =>
    withResiduals(l.primal, numOuts, computed.slice(0, b).flat(), computed.slice(b + 1).flat()),
  );
  const results = bind(condP, all, { branches: primalBranches });
  const outs = results.slice(0, numOuts);
  const shared = results.slice(numOuts);
  const tangentAvals = lins[0]!.tangent.inVars.slice(lins[0]!.numResiduals).map((v) => v.aval);
  const tangentBranches = lins.map((l, b) => {
    return traceClosed(
      (...xs) => {
        const [res, ins, ts] = [
          xs.slice(0, shared.length),
          xs.slice(shared.length, shared.length + primals.length),
          xs.slice(shared.length + primals.length),
        ];
        let next = firsts[b]!;
        const residuals = l.residualInputs.map((i) => (i >= 0 ? ins[i]! : res[next++]!));
        return evalJaxpr(l.tangent, [], [...residuals, ...ts]);
      },
      [...computed.flat(), ...primals.map((x) => x.aval), ...tangentAvals],
      "cond",
    ).jaxpr;
  });
  return {
    primals: outs,
    tangents: (tangents: readonly Tangent[]) => {
      const ts = pick(tangents.slice(1), nonzero) as NDArray[];
      return spread(bind(condP, [index!, ...shared, ...primals, ...ts], { branches: tangentBranches }), union, outs);
    },
  };
}

/** A branch that gives its residuals in their places among those of all branches. */
function withResiduals(primal: Jaxpr, numOuts: number, before: readonly Aval[], after: readonly Aval[]): Jaxpr {
  return traceClosed(
    (...xs) => {
      const results = evalJaxpr(primal, [], xs);
      return [
        ...results.slice(0, numOuts),
        ...before.map(unspecified),
        ...results.slice(numOuts),
        ...after.map(unspecified),
      ];
    },
    inAvals(primal),
    "cond",
  ).jaxpr;
}

/** Whether a result of a branch may be anything, because only another branch computes it. */
function isUnspecified(branch: Jaxpr, result: Atom): boolean {
  const made = branch.eqns.find((e) => (e.outputs as readonly Atom[]).includes(result));
  if (!made || made.primitive === unspecifiedP) return made !== undefined;
  return made.primitive.kind === "movement" && made.inputs.length === 1 && isUnspecified(branch, made.inputs[0]!);
}

/** A branch that takes the captured values of all branches and uses its own. */
export function padBranch(branch: Jaxpr, before: readonly Aval[], mine: number, after: readonly Aval[]): Jaxpr {
  const vars = (avals: readonly Aval[]): Var[] => avals.map((a) => new Var(a));
  return makeJaxprOf(
    [],
    [...vars(before), ...branch.inVars.slice(0, mine), ...vars(after), ...branch.inVars.slice(mine)],
    branch.eqns,
    branch.outs,
  );
}
