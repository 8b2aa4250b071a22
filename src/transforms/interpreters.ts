/**
 * The transformations of jaxprs that rules receive: each traces the evaluation of a jaxpr under one of the traces and
 * is cached by the jaxpr and what varies, so that a jitted function is differentiated once, not at every call.
 */
import type { Aval } from "../core/aval.ts";
import { embedConsts } from "../core/constant.ts";
import type { BatchedJaxpr, Interpreters, JvpJaxpr, LinearizedJaxpr } from "../core/interpreters.ts";
import { type Atom, type Jaxpr, evalJaxpr, hoistConsts, inAvals, outAvals } from "../core/jaxpr.ts";
import type { NDArray } from "../core/ndarray.ts";
import { type BatchAxis, LinearOperand, type Tangent, Zero } from "../core/primitive.ts";
import { insertAxis } from "../core/shape.ts";
import { traceClosed, traceToJaxpr } from "../core/staging.ts";
import { batchToFront, instantiate, tangentAval } from "../core/structural.ts";
import { evalTrace, withTrace } from "../core/trace.ts";
import { batchCall } from "./batch.ts";
import { dce } from "./dce.ts";
import { jvpCall } from "./jvp.ts";
import { linearizeCall } from "./linearize.ts";
import { backwardPass } from "./transpose.ts";

const bits = (flags: readonly boolean[]): string => flags.map(Number).join("");

/** A cache by jaxpr (weakly) and a key of what else the result depends on. */
function cacheOf<T>(): (jaxpr: Jaxpr, key: string, make: () => T) => T {
  const byJaxpr = new WeakMap<Jaxpr, Map<string, T>>();
  return (jaxpr, key, make) => {
    let byKey = byJaxpr.get(jaxpr);
    if (!byKey) byJaxpr.set(jaxpr, (byKey = new Map()));
    let value = byKey.get(key);
    // A closed jaxpr involves no outer tracer: its transforms are traced from the outermost trace, whatever is current.
    if (value === undefined) byKey.set(key, (value = withTrace(evalTrace, make)));
    return value;
  };
}

const jvpCache = cacheOf<JvpJaxpr>();
const linearizeCache = cacheOf<LinearizedJaxpr>();
const transposeCache = cacheOf<Jaxpr>();
const batchCache = cacheOf<BatchedJaxpr>();

const flags = (x: boolean | readonly boolean[], n: number): readonly boolean[] =>
  typeof x === "boolean" ? new Array<boolean>(n).fill(x) : x;

/** The values behind a symbolic tangent list: nonzero ones consumed from `given`, in order. */
function spread(atoms: readonly Atom[], nonzero: readonly boolean[], given: readonly NDArray[]): Tangent[] {
  let next = 0;
  return atoms.map((v, i) => (nonzero[i] ? given[next++]! : new Zero(tangentAval(v.aval))));
}

function jvpJaxpr(jaxpr: Jaxpr, nonzeroIn: readonly boolean[], instantiateOut: boolean | readonly boolean[]): JvpJaxpr {
  const force = flags(instantiateOut, jaxpr.outs.length);
  return jvpCache(jaxpr, `${bits(nonzeroIn)}|${bits(force)}`, () => {
    const n = jaxpr.inVars.length;
    const avals = [...inAvals(jaxpr), ...jaxpr.inVars.filter((_, i) => nonzeroIn[i]).map((v) => tangentAval(v.aval))];
    let nonzeroOut: boolean[] = [];
    const traced = traceToJaxpr(
      (...args) => {
        const out = jvpCall(
          (xs) => evalJaxpr(jaxpr, [], xs),
          args.slice(0, n),
          spread(jaxpr.inVars, nonzeroIn, args.slice(n)),
          "jvp",
          interpreters,
        );
        nonzeroOut = out.tangents.map((t, i) => force[i]! || !(t instanceof Zero));
        return [...out.primals, ...out.tangents.filter((_, i) => nonzeroOut[i]).map(instantiateTangent)];
      },
      avals,
      "jvp",
    );
    return { jaxpr: embedConsts(traced), nonzeroOut };
  });
}

const instantiateTangent = (t: Tangent): NDArray => instantiate(t instanceof Zero ? new Zero(tangentAval(t.aval)) : t);

function linearizeJaxpr(
  jaxpr: Jaxpr,
  nonzeroIn: readonly boolean[],
  instantiateOut: boolean | readonly boolean[],
): LinearizedJaxpr {
  const force = flags(instantiateOut, jaxpr.outs.length);
  return linearizeCache(jaxpr, `${bits(nonzeroIn)}|${bits(force)}`, () => {
    let tangent!: Jaxpr;
    let nonzeroOut: boolean[] = [];
    let residualInputs: number[] = [];
    const traced = traceToJaxpr(
      (...args) => {
        const lin = linearizeCall((xs) => evalJaxpr(jaxpr, [], xs), args, nonzeroIn, "linearize", interpreters);
        nonzeroOut = lin.nonzeroOut.map((nz, i) => nz || force[i]!);
        const residuals = lin.linear.consts;
        residualInputs = residuals.map((r) => args.indexOf(r));
        tangent = withForcedZeros(hoistConsts(lin.linear.jaxpr), lin.nonzeroOut, nonzeroOut, outAvals(jaxpr));
        return [...lin.primals, ...residuals.filter((_, i) => residualInputs[i]! < 0)];
      },
      inAvals(jaxpr),
      "linearize",
    );
    return { primal: embedConsts(traced), tangent, nonzeroOut, numResiduals: residualInputs.length, residualInputs };
  });
}

/** Adds explicit zero outputs to a tangent jaxpr where the caller wants a tangent that is symbolically zero. */
function withForcedZeros(
  tangent: Jaxpr,
  have: readonly boolean[],
  want: readonly boolean[],
  outs: readonly Aval[],
): Jaxpr {
  if (want.every((w, i) => w === have[i])) return tangent;
  return traceToJaxpr(
    (...args) => {
      const given = evalJaxpr(tangent, [], args);
      let next = 0;
      return want.flatMap((w, i) => (have[i] ? [given[next++]!] : w ? [instantiateTangent(new Zero(outs[i]!))] : []));
    },
    inAvals(tangent),
    "linearize",
  ).jaxpr;
}

function transposeJaxpr(jaxpr: Jaxpr, linear: readonly boolean[], nonzeroOut: readonly boolean[]): Jaxpr {
  return transposeCache(jaxpr, `${bits(linear)}|${bits(nonzeroOut)}`, () => {
    const known = jaxpr.inVars.filter((_, i) => !linear[i]).map((v) => v.aval);
    const cts = jaxpr.outs.filter((_, i) => nonzeroOut[i]).map((a) => tangentAval(a.aval));
    const traced = traceToJaxpr(
      (...args) => {
        let next = 0;
        const operands = jaxpr.inVars.map((v, i) => (linear[i] ? new LinearOperand(v.aval) : args[next++]!));
        const out = backwardPass(
          jaxpr,
          [],
          operands,
          spread(jaxpr.outs, nonzeroOut, args.slice(known.length)),
          interpreters,
        );
        return out.filter((_, i) => linear[i]).map(instantiateTangent);
      },
      [...known, ...cts],
      "transpose",
    );
    return embedConsts(traced);
  });
}

function batchJaxpr(
  jaxpr: Jaxpr,
  axis: BatchAxis,
  dims: readonly (number | null)[],
  force: boolean | readonly boolean[],
): BatchedJaxpr {
  const forced = flags(force, jaxpr.outs.length);
  return batchCache(jaxpr, `${axis.size}|${axis.name ?? ""}|${dims.join()}|${bits(forced)}`, () => {
    const avals = inAvals(jaxpr).map((a, i) =>
      dims[i] === null ? a : a.withShape(insertAxis(a.shape, dims[i]!, axis.size)),
    );
    let outDims: (number | null)[] = [];
    const traced = traceToJaxpr(
      (...args) => {
        const out = batchCall((xs) => evalJaxpr(jaxpr, [], xs), args, dims, axis, "vmap", interpreters);
        outDims = out.dims.map((d, i) => (d === null && !forced[i] ? null : 0));
        return out.outs.map((y, i) => (outDims[i] === null ? y : batchToFront(y, out.dims[i]!, axis.size)));
      },
      avals,
      "vmap",
    );
    return { jaxpr: embedConsts(traced), dims: outDims };
  });
}

/** What every rule receives. */
export const interpreters: Interpreters = {
  jvpJaxpr,
  linearizeJaxpr,
  transposeJaxpr,
  batchJaxpr,
  dceJaxpr: (jaxpr, used) => dce(jaxpr, used, interpreters),
  evalJaxpr: (jaxpr, args) => evalJaxpr(jaxpr, [], args),
  trace: (f, avals, name) => traceClosed(f, avals, name),
  batchCall: (f, args, dims, axis) => batchCall(f, args, dims, axis, "vmap", interpreters),
  jvpCall: (f, primals, tangents) => jvpCall(f, primals, tangents, "jvp", interpreters),
};
