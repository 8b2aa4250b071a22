/**
 * `checkpoint` (rematerialisation): what a function computes on the way is not kept for the backward pass but computed
 * again there. A policy may keep some of it.
 *
 * Linearization splits the function into its primal part and its linear part. Saved are the values the policy picks
 * from the primal part; the recorded linear equation is again a `checkpoint`, whose jaxpr recomputes the rest.
 */
import { type Eqn, type Jaxpr, Var, evalJaxpr, inAvals, makeJaxprOf, newEqn } from "../core/jaxpr.ts";
import type { Interpreters } from "../core/interpreters.ts";
import type { NDArray } from "../core/ndarray.ts";
import { type Many, type One, type Primitive, type Zero, definePrimitive } from "../core/primitive.ts";
import { traceClosed } from "../core/staging.ts";
import { bind, bind1 } from "../core/trace.ts";
import { type TreeDef, mapTree, unflatten } from "../core/tree.ts";
import { type AnyFunction, checkCallable, checkOptions, flattenArgs, flattenResult, nameOf } from "../core/call.ts";
import { dropInputs } from "./dce.ts";
import { argumentNumber, named } from "./gradient.ts";
import { callSlots, residualsOf, scatterTangents, transposeOfCall } from "./callRules.ts";

/** What a policy sees of an operation of the function. */
export interface SaveCandidate {
  readonly primitive: string;
  readonly kind: string;
  readonly inputs: readonly { readonly shape: readonly number[]; readonly dtype: string }[];
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  readonly params: any;
}
/** Whether an operation's results are kept for the backward pass. */
export type Policy = (candidate: SaveCandidate) => boolean;

interface CheckpointParams {
  readonly jaxpr: Jaxpr;
  readonly policy: Policy | null;
  readonly preventCse: boolean;
  /** Whether this is the recomputing half; only there must it not be merged with the original. */
  readonly differentiated: boolean;
}

export const checkpointP: Primitive<Many, CheckpointParams> = /* @__PURE__ */ definePrimitive<Many, CheckpointParams>({
  .../* @__PURE__ */ callSlots<CheckpointParams>(() => checkpointP),
  name: "checkpoint",
  linearize: (primals, nonzero, params, i) => linearizeCheckpoint(primals, nonzero, params, i),
  transpose: (cts, operands, params, i) =>
    transposeOfCall(cts, operands, params.jaxpr, i, (jaxpr, ins) =>
      call(ins, { ...params, jaxpr, differentiated: true }),
    ),
  inline: ({ jaxpr, differentiated, preventCse }) => (differentiated && preventCse ? null : jaxpr),
  printParams: ({ jaxpr, policy, preventCse, differentiated }) => ({
    jaxpr,
    policy,
    prevent_cse: preventCse,
    differentiated,
  }),
});

const call = (ins: readonly NDArray[], params: CheckpointParams): readonly NDArray[] => bind(checkpointP, ins, params);

function linearizeCheckpoint(
  primals: readonly NDArray[],
  nonzero: readonly boolean[],
  params: CheckpointParams,
  { linearizeJaxpr, dceJaxpr }: Interpreters,
) {
  const lin = linearizeJaxpr(params.jaxpr, nonzero, false);
  const numOuts = lin.nonzeroOut.length;
  const primal = inlineCalls(lin.primal);
  const { forwardEqns, recomputeEqns, saved } = splitByPolicy(primal, params.policy);
  // Forward: the function's results and the saved values, nothing else.
  const withSaved = makeJaxprOf([], primal.inVars, forwardEqns, [...primal.outs.slice(0, numOuts), ...saved]);
  const forward = dceJaxpr(withSaved, new Array<boolean>(numOuts + saved.length).fill(true)).jaxpr;
  const all = call(primals, { ...params, jaxpr: forward });
  const outs = all.slice(0, numOuts);
  // Backward: recompute the residuals from the operands and the saved values, then the linear part.
  const recompute = makeJaxprOf([], [...primal.inVars, ...saved], recomputeEqns, primal.outs.slice(numOuts));
  const nIn = primal.inVars.length;
  const nKnown = nIn + saved.length;
  const { jaxpr } = traceClosed(
    (...xs) => {
      const extra = evalJaxpr(recompute, [], xs.slice(0, nKnown));
      return evalJaxpr(lin.tangent, [], [...residualsOf(lin, xs.slice(0, nIn), extra), ...xs.slice(nKnown)]);
    },
    [...inAvals(recompute), ...inAvals(lin.tangent).slice(lin.numResiduals)],
    "checkpoint",
  );
  const { jaxpr: needed, usedInputs } = dceJaxpr(jaxpr, new Array<boolean>(jaxpr.outs.length).fill(true));
  const remat = dropInputs(needed, usedInputs);
  return {
    primals: outs,
    tangents: (tangents: readonly (NDArray | Zero)[]) => {
      const ins = [...primals, ...all.slice(numOuts), ...(tangents.filter((_, i) => nonzero[i]) as NDArray[])].filter(
        (_, i) => usedInputs[i],
      );
      return scatterTangents(call(ins, { ...params, jaxpr: remat, differentiated: true }), lin.nonzeroOut, outs);
    },
  };
}

/** A program in two versions around the values that a policy keeps. */
interface PolicySplit {
  /** Computes everything, saved values included. */
  readonly forwardEqns: readonly Eqn[];
  /** Takes the saved values as given. */
  readonly recomputeEqns: readonly Eqn[];
  readonly saved: readonly Var[];
}

function splitByPolicy(jaxpr: Jaxpr, policy: Policy | null): PolicySplit {
  if (!policy) return { forwardEqns: jaxpr.eqns, recomputeEqns: jaxpr.eqns, saved: [] };
  const save = (j: Jaxpr): Var[] =>
    j.eqns.filter((e) => e.effects.length === 0 && policy(candidateOf(e))).flatMap((e) => [...e.outputs]);
  const whole = new Set<Var>(save(jaxpr));
  const forwardEqns: Eqn[] = [];
  const recomputeEqns: Eqn[] = [];
  const saved: Var[] = [];
  for (const e of jaxpr.eqns) {
    if (e.outputs.some((v) => whole.has(v))) {
      forwardEqns.push(e);
      saved.push(...e.outputs);
      continue;
    }
    const inside = e.primitive.partialEval?.(e.params, save);
    if (!inside) {
      forwardEqns.push(e);
      recomputeEqns.push(e);
      continue;
    }
    const kept = inside.saved.map((a) => new Var(a));
    saved.push(...kept);
    forwardEqns.push(newEqn(e.primitive, e.inputs, inside.forward, [...e.outputs, ...kept], e.source, e.scope));
    // The same variables are bound in both versions, which never meet in one program.
    recomputeEqns.push(newEqn(e.primitive, [...e.inputs, ...kept], inside.recompute, e.outputs, e.source, e.scope));
  }
  return { forwardEqns, recomputeEqns, saved };
}

const candidateOf = (e: Eqn): SaveCandidate => ({
  primitive: e.primitive.name,
  kind: e.primitive.kind,
  inputs: e.inputs.map((a) => a.aval),
  params: e.params as unknown,
});

/** The jaxpr with calls replaced by their bodies, so that policies see the operations inside. */
function inlineCalls(jaxpr: Jaxpr): Jaxpr {
  if (!jaxpr.eqns.some((e) => e.primitive.inline?.(e.params))) return jaxpr;
  const inlined = traceClosed(
    (...xs) => {
      const env = new Map<Var, NDArray>();
      jaxpr.inVars.forEach((v, i) => env.set(v, xs[i]!));
      const read = (a: Eqn["inputs"][number]): NDArray => (a instanceof Var ? env.get(a)! : a);
      for (const e of jaxpr.eqns) {
        const body = e.primitive.inline?.(e.params);
        const ins = e.inputs.map(read);
        const outs = body ? evalJaxpr(inlineCalls(body), [], ins) : bind(e.primitive, ins, e.params);
        e.outputs.forEach((v, i) => env.set(v, outs[i]!));
      }
      return jaxpr.outs.map(read);
    },
    inAvals(jaxpr),
    "checkpoint",
  );
  return inlined.jaxpr;
}

export interface CheckpointOptions {
  /** Which intermediate results to keep; default none. See `checkpointPolicies`. */
  readonly policy?: Policy;
  /** Keep the compiler from merging the recomputation with the original. Default true. */
  readonly preventCse?: boolean;
  /** Arguments that are passed as they are, not traced. */
  readonly staticArgnums?: number | readonly number[];
}

/**
 * The same function, whose intermediate results are computed again in the backward pass instead of kept.
 *
 * @example
 * const block = checkpoint((x) => np.sin(np.sin(np.sin(x))));
 * grad((x) => np.sum(block(x)))(np.ones(3));
 */
export function checkpoint<A extends readonly unknown[], R>(
  f: (...args: A) => R,
  options: CheckpointOptions = {},
): (...args: A) => R {
  checkCallable("checkpoint", f);
  checkOptions("checkpoint", options, ["policy", "preventCse", "staticArgnums", "concrete"]);
  const fn = f as unknown as AnyFunction;
  const { policy = null, preventCse = true, staticArgnums = [] } = options;
  const wrapped = (...args: unknown[]): unknown => {
    const fixed = (typeof staticArgnums === "number" ? [staticArgnums] : staticArgnums).map((n) =>
      argumentNumber(n, args.length, "checkpoint", fn),
    );
    const dynamic = args.filter((_, i) => !fixed.includes(i));
    const { leaves, def } = flattenArgs(dynamic, "checkpoint");
    let outDef!: TreeDef;
    const { jaxpr, consts } = traceClosed(
      (...xs) => {
        const rebuilt = unflatten(def, xs) as unknown[];
        let next = 0;
        const flat = flattenResult(
          fn(...args.map((a, i) => (fixed.includes(i) ? a : rebuilt[next++]))),
          "checkpoint",
          fn,
        );
        outDef = flat.def;
        return flat.leaves;
      },
      leaves.map((x) => x.aval),
      `checkpoint(${nameOf(f)})`,
    );
    return unflatten(outDef, call([...consts, ...leaves], { jaxpr, policy, preventCse, differentiated: false }));
  };
  return named(wrapped, fn, "checkpoint") as unknown as (...args: A) => R;
}

// ---------------------------------------------------------------- names and policies

interface NameParams {
  readonly name: string;
}

/** Identity that gives a value a name for policies. */
export const nameP: Primitive<One, NameParams> = /* @__PURE__ */ definePrimitive<One, NameParams>({
  name: "name",
  kind: "movement",
  infer: ([x]) => [x],
  reference: ([x]) => [x],
  jvp: ([x], [dx], p) => ({ primals: [bind1(nameP, [x], p)], tangents: [dx] }),
  transpose: ([ct]) => [ct!],
  batch: ([x], [d], p) => ({ outs: [bind1(nameP, [x], p)], dims: [d] }),
  simplify: ([x]) => x!,
  lower: () => ({ form: "identity" }),
});

/**
 * Names a value inside a checkpointed function, for the policies that save by name. Works on trees.
 *
 * @example
 * checkpoint((x) => np.sin(checkpointName(np.exp(x), "e")), { policy: checkpointPolicies.saveOnlyTheseNames("e") });
 */
export const checkpointName = <T>(x: T, name: string): T =>
  mapTree((leaf: NDArray) => bind1(nameP, [leaf], { name }), x) as T;

const nameOfCandidate = ({ primitive, params }: SaveCandidate): string | null =>
  primitive === "name" ? (params as NameParams).name : null;

/** What `checkpoint` may keep. */
export const checkpointPolicies = {
  /** Keep everything: no recomputation. */
  everythingSaveable: (): boolean => true,
  /** Keep nothing: the default. */
  nothingSaveable: (): boolean => false,
  /** Keep the results of contractions (matrix products and convolutions). */
  dotsSaveable: (c: SaveCandidate): boolean => c.kind === "contraction",
  checkpointDots: (c: SaveCandidate): boolean => c.kind === "contraction",
  /** Keep the results of contractions without batch dimensions: the usual choice for transformers. */
  dotsWithNoBatchDimsSaveable: (c: SaveCandidate): boolean =>
    c.kind === "contraction" &&
    ((c.params as { dimensionNumbers?: [unknown, [number[], number[]]] }).dimensionNumbers?.[1]?.[0]?.length ?? 0) ===
      0,
  checkpointDotsWithNoBatchDims: (c: SaveCandidate): boolean => checkpointPolicies.dotsWithNoBatchDimsSaveable(c),
  /** Keep values named by `checkpointName` with one of these names. */
  saveOnlyTheseNames:
    (...names: readonly string[]): Policy =>
    (c) => {
      const name = nameOfCandidate(c);
      return name !== null && names.includes(name);
    },
  /** Keep everything but the values with these names. */
  saveAnythingExceptTheseNames:
    (...names: readonly string[]): Policy =>
    (c) => {
      const name = nameOfCandidate(c);
      return name === null || !names.includes(name);
    },
  /** Keep named values, but none with these names. */
  saveAnyNamesButThese:
    (...names: readonly string[]): Policy =>
    (c) => {
      const name = nameOfCandidate(c);
      return name !== null && !names.includes(name);
    },
  /** Keep what either policy keeps. */
  saveFromBothPolicies:
    (a: Policy, b: Policy): Policy =>
    (c) =>
      a(c) || b(c),
} as const;
