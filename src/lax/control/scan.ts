/**
 * The `scan` primitive: a loop of fixed length over the leading axis of arrays, with a carry.
 *
 * Operands are consts, carry, xs; the body takes (consts, carry, slices of xs) and gives (carry, ys). Its jaxpr is the
 * same whatever the length, and every rule transforms the body once. Which carry components have tangents, batch axes or
 * uses depends on the body itself, so each rule finds the smallest set that the body maps into itself.
 */
import { type Aval } from "../../core/aval.ts";
import { type HostArray, allocateLike, lanesOf } from "../../core/hostArray.ts";
import type { Interpreters, LinearizedJaxpr } from "../../core/interpreters.ts";
import { type Jaxpr, Var, evalJaxpr, inAvals, outAvals } from "../../core/jaxpr.ts";
import type { NDArray } from "../../core/ndarray.ts";
import {
  type Many,
  type Primitive,
  type Tangent,
  type TransposeOperand,
  Zero,
  definePrimitive,
  isLinear,
} from "../../core/primitive.ts";
import { DifferentiationError } from "../../core/problem.ts";
import { sizeOf } from "../../core/shape.ts";
import { traceClosed } from "../../core/staging.ts";
import { addAny, batchToFront, instantiate, moveAxis, tangentAval, zerosLike } from "../../core/structural.ts";
import { bind } from "../../core/trace.ts";
import { concatenate, expandDims, indexInDim } from "../movement.ts";
import { orFlags, pick, sameFlags } from "./carry.ts";

export interface ScanParams {
  readonly jaxpr: Jaxpr;
  readonly length: number;
  readonly reverse: boolean;
  readonly numConsts: number;
  readonly numCarry: number;
  /** How many steps a compiler may put into one turn of its loop. */
  readonly unroll: number;
  /** Whether this is the linear half of a linearized loop: every carried value is then a tangent, known zeros included. */
  readonly linear: boolean;
}

/** Operands or body inputs in their three groups. */
interface Groups<T> {
  readonly consts: readonly T[];
  readonly carry: readonly T[];
  readonly xs: readonly T[];
}
const group = <T>(all: readonly T[], { numConsts, numCarry }: ScanParams): Groups<T> => ({
  consts: all.slice(0, numConsts),
  carry: all.slice(numConsts, numConsts + numCarry),
  xs: all.slice(numConsts + numCarry),
});

/** The jaxpr with inputs and outputs in another order. */
export const reorder = (j: Jaxpr, inVars: readonly Var[], outs: Jaxpr["outs"]): Jaxpr => ({ ...j, inVars, outs });

export const scanP: Primitive<Many, ScanParams> = /* @__PURE__ */ definePrimitive<Many, ScanParams>({
  name: "scan",
  kind: "control",
  infer: (_, { jaxpr, length, numCarry }) =>
    outAvals(jaxpr).map((a, i) => (i < numCarry ? a : a.withShape([length, ...a.shape]))),
  reference: (ins, params, outs, context) => runScan(ins, params, outs, context.program(params.jaxpr)),
  jvp: (primals, tangents, params, { jvpJaxpr }) => {
    const nz = group(nonzeroOf(tangents), params);
    const { numCarry } = params;
    const { carry, result } = carryFixpoint(nz.carry, (c) => {
      const r = jvpJaxpr(params.jaxpr, [...nz.consts, ...c, ...nz.xs], [...c, ...noFlags(params)]);
      return { flags: r.nonzeroOut.slice(0, numCarry), result: r };
    });
    const flags: Groups<boolean> = { ...nz, carry };
    const ts = group(tangents, params);
    const dots: Groups<NDArray> = {
      consts: pick(ts.consts, nz.consts) as NDArray[],
      carry: pick(ts.carry, carry).map(explicit),
      xs: pick(ts.xs, nz.xs) as NDArray[],
    };
    const p = group(primals, params);
    const jaxpr = interleave(result.jaxpr, params, flags, result.nonzeroOut);
    const next = {
      ...params,
      jaxpr,
      linear: false,
      numConsts: params.numConsts + dots.consts.length,
      numCarry: numCarry + dots.carry.length,
    };
    const all = bind(scanP, [...p.consts, ...dots.consts, ...p.carry, ...dots.carry, ...p.xs, ...dots.xs], next);
    const nCarryDots = dots.carry.length;
    const nYs = params.jaxpr.outs.length - numCarry;
    const carryOut = all.slice(0, numCarry);
    const ys = all.slice(numCarry + nCarryDots, numCarry + nCarryDots + nYs);
    const given = [...all.slice(numCarry, numCarry + nCarryDots), ...all.slice(numCarry + nCarryDots + nYs)];
    const outs = [...carryOut, ...ys];
    return { primals: outs, tangents: spreadTangents(given, result.nonzeroOut, outs) };
  },
  linearize: (primals, nonzero, params, i) => linearizeScan(primals, nonzero, params, i),
  transpose: (cts, operands, params, i) => transposeScan(cts, operands, params, i),
  batch: (operands, dims, params, axis, { batchJaxpr }) => {
    const ins = group(operands, params);
    const d = group(dims, params);
    // Slices lose the scanned axis in front, so a batch axis of xs goes to position 1 and is 0 in the body.
    const xsDims = d.xs.map((k) => (k === null ? null : 0));
    const constDims = d.consts;
    const { carry, result } = carryFixpoint(
      d.carry.map((k) => k !== null),
      (c) => {
        const r = batchJaxpr(
          params.jaxpr,
          axis,
          [...constDims, ...c.map((b) => (b ? 0 : null)), ...xsDims],
          [...c, ...noFlags(params)],
        );
        return { flags: r.dims.slice(0, params.numCarry).map((k) => k !== null), result: r };
      },
    );
    const xs = ins.xs.map((x, i) => (d.xs[i] === null ? x : moveAxis(x, d.xs[i]!, 1)));
    const init = ins.carry.map((x, i) => (carry[i] ? batchToFront(x, d.carry[i]!, axis.size) : x));
    const outs = bind(scanP, [...ins.consts, ...init, ...xs], { ...params, jaxpr: result.jaxpr });
    return { outs, dims: result.dims.map((k, i) => (k === null ? null : i < params.numCarry ? 0 : 1)) };
  },
  dce: (used, params, { dceJaxpr }) => {
    const { numConsts, numCarry } = params;
    const ys = used.slice(numCarry);
    const { carry, result } = carryFixpoint(used.slice(0, numCarry), (c) => {
      const r = dceJaxpr(params.jaxpr, [...c, ...ys]);
      return { flags: orFlags(c, r.usedInputs.slice(numConsts, numConsts + numCarry)), result: r };
    });
    const usedInputs = [
      ...result.usedInputs.slice(0, numConsts),
      ...carry,
      ...result.usedInputs.slice(numConsts + numCarry),
    ];
    const jaxpr = reorder(result.jaxpr, pick(result.jaxpr.inVars, usedInputs), result.jaxpr.outs);
    const count = (flags: readonly boolean[]): number => flags.filter(Boolean).length;
    return {
      usedInputs,
      keptOutputs: [...carry, ...ys],
      params: { ...params, jaxpr, numConsts: count(usedInputs.slice(0, numConsts)), numCarry: count(carry) },
    };
  },
  partialEval: (params, save) => {
    const { jaxpr, length } = params;
    const saved = save(jaxpr);
    if (saved.length === 0) return null;
    const dropped = new Set<Var>(saved);
    // What is saved leaves the forward loop as further ys and enters the recomputing one as further xs.
    const eqns = jaxpr.eqns.filter((e) => !e.outputs.some((v) => dropped.has(v)));
    return {
      forward: { ...params, jaxpr: { ...jaxpr, outs: [...jaxpr.outs, ...saved] } },
      recompute: { ...params, jaxpr: { ...jaxpr, eqns, inVars: [...jaxpr.inVars, ...saved] } },
      saved: saved.map((v) => v.aval.withShape([length, ...v.aval.shape])),
    };
  },
  lower: (_, { jaxpr, length, reverse, numConsts, numCarry }) => ({
    form: "scan",
    body: jaxpr,
    consts: numConsts,
    carries: numCarry,
    length,
    reverse,
  }),
  subJaxprs: ({ jaxpr }) => [jaxpr],
  check: (ins, params, checker) => {
    const { consts, carry, xs } = group(ins, params);
    return checker.repeat(params.jaxpr, (checked, state) => {
      const n = state.length;
      if (n === 0) return bind(scanP, ins, params);
      const inputs = group(checked.inVars.slice(n), params);
      const inVars = [...inputs.consts, ...checked.inVars.slice(0, n), ...inputs.carry, ...inputs.xs];
      const next = { ...params, jaxpr: { ...checked, inVars }, numCarry: params.numCarry + n, linear: false };
      return bind(scanP, [...consts, ...state, ...carry, ...xs], next);
    });
  },
  stepwise: (ins, params) => stepScan(ins, params),
  printParams: ({ jaxpr, length, reverse, numConsts, numCarry, unroll }) => ({
    jaxpr,
    length,
    num_carry: numCarry,
    num_consts: numConsts,
    reverse,
    unroll,
  }),
});

const noFlags = ({ jaxpr, numCarry }: ScanParams): boolean[] =>
  new Array<boolean>(jaxpr.outs.length - numCarry).fill(false);
const nonzeroOf = (ts: readonly Tangent[]): boolean[] => ts.map((t) => !(t instanceof Zero));
const explicit = (t: Tangent): NDArray => instantiate(t instanceof Zero ? new Zero(tangentAval(t.aval)) : t);

/** The smallest set of carry components, at least `start`, that the body maps into itself. */
function carryFixpoint<R>(
  start: readonly boolean[],
  step: (carry: readonly boolean[]) => { flags: readonly boolean[]; result: R },
): { carry: readonly boolean[]; result: R } {
  let carry = start;
  for (;;) {
    const { flags, result } = step(carry);
    const next = orFlags(carry, flags);
    if (sameFlags(next, carry)) return { carry, result };
    carry = next;
  }
}

function spreadTangents(given: readonly NDArray[], nonzero: readonly boolean[], outs: readonly NDArray[]): Tangent[] {
  let next = 0;
  return nonzero.map((nz, i) => (nz ? given[next++]! : new Zero(tangentAval(outs[i]!.aval))));
}

/** From (ins, dots) → (outs, dots) to groups with the dots of each group behind it. */
function interleave(j: Jaxpr, params: ScanParams, nz: Groups<boolean>, nonzeroOut: readonly boolean[]): Jaxpr {
  const n = params.jaxpr.inVars.length;
  const p = group(j.inVars.slice(0, n), params);
  const dots = j.inVars.slice(n);
  const count = (flags: readonly boolean[]): number => flags.filter(Boolean).length;
  const [a, b] = [count(nz.consts), count(nz.consts) + count(nz.carry)];
  const m = params.jaxpr.outs.length;
  const carryDots = count(nonzeroOut.slice(0, params.numCarry));
  const outDots = j.outs.slice(m);
  return reorder(
    j,
    [...p.consts, ...dots.slice(0, a), ...p.carry, ...dots.slice(a, b), ...p.xs, ...dots.slice(b)],
    [
      ...j.outs.slice(0, params.numCarry),
      ...outDots.slice(0, carryDots),
      ...j.outs.slice(params.numCarry, m),
      ...outDots.slice(carryDots),
    ],
  );
}

// ---------------------------------------------------------------- evaluation

function runScan(
  ins: readonly HostArray[],
  params: ScanParams,
  outs: readonly Aval[],
  body: (args: readonly HostArray[]) => readonly HostArray[],
): HostArray[] {
  const { length, reverse, numCarry } = params;
  const { consts, carry: init, xs } = group(ins, params);
  let carry: readonly HostArray[] = init;
  const ys = outs.slice(numCarry).map(allocateLike);
  const sizes = ys.map((y) => (length === 0 ? 0 : y.data.length / length));
  for (let k = 0; k < length; k++) {
    const i = reverse ? length - 1 - k : k;
    const step = body([...consts, ...carry, ...xs.map((x) => sliceFirst(x, i))]);
    carry = step.slice(0, numCarry);
    for (let y = 0; y < ys.length; y++) ys[y]!.data.set(step[numCarry + y]!.data, i * sizes[y]!);
  }
  return [...carry, ...ys];
}

/** Row i of a host array, sharing its memory. */
export function sliceFirst(x: HostArray, i: number): HostArray {
  const shape = x.shape.slice(1);
  const n = sizeOf(shape) * lanesOf(x.dtype);
  return { shape, dtype: x.dtype, data: x.data.subarray(i * n, (i + 1) * n) };
}

/** The loop as plain JavaScript over single equations, for `debugNans`. */
function stepScan(ins: readonly NDArray[], params: ScanParams): NDArray[] {
  const { jaxpr, length, reverse, numCarry } = params;
  const { consts, carry: init, xs } = group(ins, params);
  let carry: readonly NDArray[] = init;
  const rows: NDArray[][] = [];
  for (let k = 0; k < length; k++) {
    const i = reverse ? length - 1 - k : k;
    const step = evalJaxpr(
      jaxpr,
      [],
      [...consts, ...carry, ...xs.map((x) => indexInDim(x, i, { axis: 0, keepdims: false }))],
    );
    carry = step.slice(0, numCarry);
    rows[i] = step.slice(numCarry);
  }
  const ys = jaxpr.outs.slice(numCarry).map((a, y) =>
    length === 0
      ? zerosLike(a.aval.withShape([0, ...a.aval.shape]))
      : concatenate(
          rows.map((r) => expandDims(r[y]!, [0])),
          0,
        ),
  );
  return [...carry, ...ys];
}

// ---------------------------------------------------------------- linearization

/** Where a residual of the body lives: once outside the loop, or one per step. */
interface ResidualPlan {
  /** Residuals that do not change from step to step, in the tangent body's order. */
  readonly invariant: readonly boolean[];
}

function linearizeScan(
  primals: readonly NDArray[],
  nonzero: readonly boolean[],
  params: ScanParams,
  { linearizeJaxpr, dceJaxpr }: Interpreters,
) {
  const nz = group(nonzero, params);
  const { numConsts, numCarry } = params;
  const { carry, result: lin } = carryFixpoint(nz.carry, (c) => {
    const r = linearizeJaxpr(params.jaxpr, [...nz.consts, ...c, ...nz.xs], [...c, ...noFlags(params)]);
    return { flags: r.nonzeroOut.slice(0, numCarry), result: r };
  });
  const numOuts = params.jaxpr.outs.length;
  const plan = planResiduals(lin, params, numOuts);
  const atoms = residualAtoms(lin, numOuts);
  // The primal loop: residuals that change become further ys; consts and slices of xs are at hand already.
  const stacked = atoms.map((a, i) => !plan.invariant[i] && !isXsInput(lin, i, params));
  const primalBody = reorder(lin.primal, lin.primal.inVars, [
    ...lin.primal.outs.slice(0, numOuts),
    ...pick(atoms, stacked),
  ]);
  const pruned = dceJaxpr(primalBody, new Array<boolean>(primalBody.outs.length).fill(true)).jaxpr;
  const all = bind(scanP, primals, { ...params, jaxpr: pruned, linear: false });
  const outs = all.slice(0, numOuts);
  const invariantValues = hoisted(lin, atoms, plan, primals, params, dceJaxpr);
  const p = group(primals, params);
  let nextStack = numOuts;
  let nextInvariant = 0;
  const residuals = atoms.map((_, i) => {
    if (plan.invariant[i]) return invariantValues[nextInvariant++]!;
    if (isXsInput(lin, i, params)) return p.xs[lin.residualInputs[i]! - numConsts - numCarry]!;
    return all[nextStack++]!;
  });
  const flags: Groups<boolean> = { ...nz, carry };
  return {
    primals: outs,
    tangents: (tangents: readonly Tangent[]) => bindTangentScan(tangents, lin, residuals, plan, flags, params, outs),
  };
}

/** The atoms of the primal body that are its residuals. */
function residualAtoms(lin: LinearizedJaxpr, numOuts: number): Jaxpr["outs"] {
  let next = numOuts;
  return lin.residualInputs.map((i) => (i >= 0 ? lin.primal.inVars[i]! : lin.primal.outs[next++]!));
}

const isXsInput = (lin: LinearizedJaxpr, i: number, { numConsts, numCarry }: ScanParams): boolean =>
  lin.residualInputs[i]! >= numConsts + numCarry;

/** Residuals that depend on consts only are the same at every step. */
function planResiduals(lin: LinearizedJaxpr, { numConsts }: ScanParams, numOuts: number): ResidualPlan {
  const varying = new Set<Var>(lin.primal.inVars.slice(numConsts));
  for (const e of lin.primal.eqns)
    if (e.effects.length > 0 || e.inputs.some((a) => a instanceof Var && varying.has(a)))
      for (const v of e.outputs) varying.add(v);
  return { invariant: residualAtoms(lin, numOuts).map((a) => !(a instanceof Var && varying.has(a))) };
}

/** Computes the invariant residuals once, outside the loop. */
function hoisted(
  lin: LinearizedJaxpr,
  atoms: Jaxpr["outs"],
  plan: ResidualPlan,
  primals: readonly NDArray[],
  params: ScanParams,
  dceJaxpr: Interpreters["dceJaxpr"],
): NDArray[] {
  const wanted = pick(atoms, plan.invariant);
  if (wanted.length === 0) return [];
  const pure = { ...lin.primal, eqns: lin.primal.eqns.filter((e) => e.effects.length === 0), outs: wanted };
  const { jaxpr } = dceJaxpr(
    pure,
    wanted.map(() => true),
  );
  const consts = reorder(jaxpr, jaxpr.inVars.slice(0, params.numConsts), jaxpr.outs);
  return evalJaxpr(consts, [], primals.slice(0, params.numConsts));
}

function bindTangentScan(
  tangents: readonly Tangent[],
  lin: LinearizedJaxpr,
  residuals: readonly NDArray[],
  plan: ResidualPlan,
  nz: Groups<boolean>,
  params: ScanParams,
  outs: readonly NDArray[],
): Tangent[] {
  const ts = group(tangents, params);
  const dots: Groups<NDArray> = {
    consts: pick(ts.consts, nz.consts) as NDArray[],
    carry: pick(ts.carry, nz.carry).map(explicit),
    xs: pick(ts.xs, nz.xs) as NDArray[],
  };
  const varies = plan.invariant.map((x) => !x);
  const n = lin.numResiduals;
  const vars = lin.tangent.inVars;
  const [r, d] = [vars.slice(0, n), vars.slice(n)];
  const [a, b] = [dots.consts.length, dots.consts.length + dots.carry.length];
  const jaxpr = reorder(
    lin.tangent,
    [...pick(r, plan.invariant), ...d.slice(0, a), ...d.slice(a, b), ...pick(r, varies), ...d.slice(b)],
    lin.tangent.outs,
  );
  const invariant = pick(residuals, plan.invariant);
  const next = {
    ...params,
    jaxpr,
    linear: true,
    numConsts: invariant.length + dots.consts.length,
    numCarry: dots.carry.length,
  };
  const results = bind(
    scanP,
    [...invariant, ...dots.consts, ...dots.carry, ...pick(residuals, varies), ...dots.xs],
    next,
  );
  return spreadTangents(results, lin.nonzeroOut, outs);
}

// ---------------------------------------------------------------- transposition

/**
 * The transpose runs the loop the other way. Cotangents of the carry are its carry; cotangents of linear consts are
 * summed up in further carry components; cotangents of ys come in as xs and those of linear xs leave as ys.
 */
function transposeScan(
  cts: readonly Tangent[],
  operands: readonly TransposeOperand[],
  params: ScanParams,
  { transposeJaxpr }: Interpreters,
): (Tangent | null)[] {
  const { numCarry, jaxpr, length, reverse } = params;
  const ops = group(operands, params);
  if (!params.linear && !ops.carry.every(isLinear)) throw nonlinearCarry();
  const linear: Groups<boolean> = {
    consts: ops.consts.map(isLinear),
    carry: ops.carry.map(() => true),
    xs: ops.xs.map(isLinear),
  };
  const not = (flags: readonly boolean[]): boolean[] => flags.map((x) => !x);
  const ctYs = cts.slice(numCarry);
  const nonzeroYs = nonzeroOf(ctYs);
  const back = transposeJaxpr(
    jaxpr,
    [...linear.consts, ...linear.carry, ...linear.xs],
    [...ops.carry.map(() => true), ...nonzeroYs],
  );
  const body = group(inAvals(jaxpr), params);
  const resConsts = pick(ops.consts, not(linear.consts)) as NDArray[];
  const resXs = pick(ops.xs, not(linear.xs)) as NDArray[];
  const sums = pick(body.consts, linear.consts).map(tangentAval);
  const carryAvals = body.carry.map(tangentAval);
  const yAvals = pick(outAvals(jaxpr).slice(numCarry), nonzeroYs).map(tangentAval);
  const resXsAvals = pick(body.xs, not(linear.xs));
  const [a, b, c, d] = offsets([resConsts.length, sums.length, numCarry, yAvals.length]);
  const { jaxpr: next } = traceClosed(
    (...args) => {
      const [res, acc, carry, ys, xs] = [
        args.slice(0, a),
        args.slice(a, b),
        args.slice(b, c),
        args.slice(c, d),
        args.slice(d),
      ];
      const out = evalJaxpr(back, [], [...res, ...xs, ...carry, ...ys]);
      return [...acc.map((s, i) => addAny(s, out[i]!)), ...out.slice(acc.length)];
    },
    [...resConsts.map((x) => x.aval), ...sums, ...carryAvals, ...yAvals, ...resXsAvals],
    "scan",
  );
  const init = [
    ...sums.map(zerosLike),
    ...cts.slice(0, numCarry).map((t, i) => explicit(t instanceof Zero ? new Zero(carryAvals[i]!) : t)),
  ];
  const outs = bind(scanP, [...resConsts, ...init, ...(pick(ctYs, nonzeroYs) as NDArray[]), ...resXs], {
    ...params,
    jaxpr: next,
    length,
    reverse: !reverse,
    linear: true,
    numConsts: resConsts.length,
    numCarry: sums.length + numCarry,
  });
  let at = 0;
  const flags = [...linear.consts, ...linear.carry, ...linear.xs];
  return flags.map((l, i) => {
    const ct = l ? outs[at++]! : null;
    return isLinear(operands[i]!) ? ct : null;
  });
}

/** Running totals. */
const offsets = (sizes: readonly number[]): number[] => {
  let total = 0;
  return sizes.map((n) => (total += n));
};

const nonlinearCarry = (): DifferentiationError =>
  new DifferentiationError("NonlinearCarry", {
    what: "scan: the carry of a transposed loop has a component that is not linear in the operands",
    why: "linearTranspose reverses the loop, which is only defined where every carried value is linear",
    fix: "use vjp, which separates the linear part first, or compute counters from xs instead of carrying them",
  });
