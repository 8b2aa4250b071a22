/**
 * The `while` primitive: repeats a body as long as a condition on the carry holds. Operands are the values captured by
 * the condition, those captured by the body, and the carry.
 *
 * Forward mode carries tangents along. Reverse mode would need every step's values, and their number is not known, so
 * the transpose does not exist; loops with a known length are `scan`s. With a condition per example, the loop runs until
 * all are done and finished examples keep their carry.
 */
import type { Aval } from "../../core/aval.ts";
import type { Checker } from "../../core/checks.ts";
import type { HostArray } from "../../core/hostArray.ts";
import type { Interpreters } from "../../core/interpreters.ts";
import { type Jaxpr, Var, evalJaxpr, inAvals, outAvals } from "../../core/jaxpr.ts";
import type { NDArray } from "../../core/ndarray.ts";
import { scalarValue } from "../../core/operands.ts";
import {
  type BatchAxis,
  type Batched,
  type Many,
  type Primitive,
  type Tangent,
  Zero,
  definePrimitive,
} from "../../core/primitive.ts";
import { DifferentiationError } from "../../core/problem.ts";
import { currentPlace } from "../../core/source.ts";
import { range } from "../../core/shape.ts";
import { traceClosed } from "../../core/staging.ts";
import { batchToFront, broadcastInDim, instantiate, tangentAval } from "../../core/structural.ts";
import { bind } from "../../core/trace.ts";
import { select } from "../compare.ts";
import { reduceOr } from "../reduce.ts";
import { orFlags, pick, sameFlags } from "./carry.ts";

export interface WhileParams {
  readonly condJaxpr: Jaxpr;
  readonly bodyJaxpr: Jaxpr;
  readonly condConsts: number;
  readonly bodyConsts: number;
}

const split = <T>(
  all: readonly T[],
  { condConsts, bodyConsts }: WhileParams,
): [readonly T[], readonly T[], readonly T[]] => [
  all.slice(0, condConsts),
  all.slice(condConsts, condConsts + bodyConsts),
  all.slice(condConsts + bodyConsts),
];

export const whileP: Primitive<Many, WhileParams> = /* @__PURE__ */ definePrimitive<Many, WhileParams>({
  name: "while",
  kind: "control",
  infer: (_, { bodyJaxpr }) => outAvals(bodyJaxpr),
  reference: (ins, params, _, context) => {
    const [condConsts, bodyConsts, init] = split(ins, params);
    const holds = context.program(params.condJaxpr);
    const body = context.program(params.bodyJaxpr);
    let carry: readonly HostArray[] = init;
    while (holds([...condConsts, ...carry])[0]!.data[0]) carry = body([...bodyConsts, ...carry]);
    return carry;
  },
  jvp: (primals, tangents, params, i) => {
    const { operands, next, carryFlags } = jvpWhile(primals, tangents, params, i);
    const all = bind(whileP, operands, next);
    const outs = all.slice(0, carryFlags.length);
    return { primals: outs, tangents: spread(all.slice(carryFlags.length), carryFlags, outs) };
  },
  linearize: (primals, _nonzero, params, i) => {
    // The linear half repeats the whole loop, as there is no bound on the residuals it would have to keep.
    const outs = bind(whileP, primals, params);
    return {
      primals: outs,
      tangents: (tangents) => {
        const { operands, next, carryFlags } = jvpWhile(primals, tangents, params, i);
        return spread(bind(whileP, operands, next).slice(carryFlags.length), carryFlags, outs);
      },
    };
  },
  transpose: () => {
    throw new DifferentiationError("ReverseWhile", {
      what: "reverse mode (grad, vjp, jacrev) was applied to a whileLoop, or to a foriLoop whose bounds are traced",
      where: currentPlace(),
      why: "the backward pass needs the values of every step, and the number of steps is not known when the program is built",
      fix: "use lax.scan, or lax.foriLoop with plain numbers as bounds; or forward mode (jvp, jacfwd); or stopGradient on what enters the loop",
    });
  },
  batch: (operands, dims, params, axis, i) => batchWhile(operands, dims, params, axis, i),
  dce: (used, params, { dceJaxpr }) => {
    const { condJaxpr, bodyJaxpr, condConsts, bodyConsts } = params;
    const condUses = dceJaxpr(condJaxpr, [true]).usedInputs;
    let carry = orFlags(used, condUses.slice(condConsts));
    for (;;) {
      const body = dceJaxpr(bodyJaxpr, carry);
      const next = orFlags(carry, body.usedInputs.slice(bodyConsts));
      if (sameFlags(next, carry)) {
        const bodyInputs = [...body.usedInputs.slice(0, bodyConsts), ...carry];
        const nextParams: WhileParams = {
          condJaxpr: {
            ...condJaxpr,
            inVars: [...condJaxpr.inVars.slice(0, condConsts), ...pick(condJaxpr.inVars.slice(condConsts), carry)],
          },
          bodyJaxpr: { ...body.jaxpr, inVars: pick(body.jaxpr.inVars, bodyInputs) },
          condConsts,
          bodyConsts: bodyInputs.slice(0, bodyConsts).filter(Boolean).length,
        };
        return {
          usedInputs: [...new Array<boolean>(condConsts).fill(true), ...bodyInputs],
          keptOutputs: carry,
          params: nextParams,
        };
      }
      carry = next;
    }
  },
  lower: (_, { condJaxpr, bodyJaxpr, condConsts, bodyConsts }) => ({
    form: "while",
    predicate: condJaxpr,
    body: bodyJaxpr,
    predicateConsts: condConsts,
    bodyConsts,
  }),
  subJaxprs: ({ condJaxpr, bodyJaxpr }) => [condJaxpr, bodyJaxpr],
  check: (ins, params, checker) => checkWhile(ins, params, checker),
  stepwise: (ins, params) => {
    const [condConsts, bodyConsts, init] = split(ins, params);
    let carry: readonly NDArray[] = init;
    while (scalarValue(evalJaxpr(params.condJaxpr, [], [...condConsts, ...carry])[0]!))
      carry = evalJaxpr(params.bodyJaxpr, [], [...bodyConsts, ...carry]);
    return carry;
  },
  printParams: ({ bodyJaxpr, bodyConsts, condJaxpr, condConsts }) => ({
    body_jaxpr: bodyJaxpr,
    body_nconsts: bodyConsts,
    cond_jaxpr: condJaxpr,
    cond_nconsts: condConsts,
  }),
});

function spread(given: readonly NDArray[], nonzero: readonly boolean[], outs: readonly NDArray[]): Tangent[] {
  let next = 0;
  return nonzero.map((nz, i) => (nz ? given[next++]! : new Zero(tangentAval(outs[i]!.aval))));
}

/** The loop with tangents in its carry: (condConsts, bodyConsts + dots, carry + dots). */
function jvpWhile(
  primals: readonly NDArray[],
  tangents: readonly Tangent[],
  params: WhileParams,
  { jvpJaxpr }: Interpreters,
) {
  const { bodyJaxpr, condJaxpr, condConsts } = params;
  const [cc, bc, carry] = split(primals, params);
  const [, bcT, carryT] = split(tangents, params);
  const bcFlags = bcT.map((t) => !(t instanceof Zero));
  let flags = carryT.map((t) => !(t instanceof Zero));
  let result = jvpJaxpr(bodyJaxpr, [...bcFlags, ...flags], flags);
  for (;;) {
    const next = orFlags(flags, result.nonzeroOut);
    if (sameFlags(next, flags)) break;
    flags = next;
    result = jvpJaxpr(bodyJaxpr, [...bcFlags, ...flags], flags);
  }
  const bcDots = pick(bcT, bcFlags) as NDArray[];
  const carryDots = pick(carryT, flags).map((t) => instantiate(t instanceof Zero ? new Zero(tangentAval(t.aval)) : t));
  const vars = result.jaxpr.inVars;
  const n = bodyJaxpr.inVars.length;
  const dots = vars.slice(n);
  const body: Jaxpr = {
    ...result.jaxpr,
    inVars: [
      ...vars.slice(0, bc.length),
      ...dots.slice(0, bcDots.length),
      ...vars.slice(bc.length, n),
      ...dots.slice(bcDots.length),
    ],
  };
  const cond: Jaxpr = { ...condJaxpr, inVars: [...condJaxpr.inVars, ...carryDots.map((t) => new Var(t.aval))] };
  const next: WhileParams = { condJaxpr: cond, bodyJaxpr: body, condConsts, bodyConsts: bc.length + bcDots.length };
  return { operands: [...cc, ...bc, ...bcDots, ...carry, ...carryDots], next, carryFlags: flags };
}

/** Checks in the condition run once before the loop, then at the end of each step, for the condition that follows. */
function checkWhile(ins: readonly NDArray[], params: WhileParams, checker: Checker): readonly NDArray[] {
  const { condJaxpr, bodyJaxpr, condConsts } = params;
  const [cc, bc, carry] = split(ins, params);
  const holds = checker.jaxpr(condJaxpr);
  if (holds.count > 0) checker.run(condJaxpr, [...cc, ...carry]);
  const step = holds.count > 0 ? bodyThenCondition(params) : bodyJaxpr;
  const captured = holds.count > 0 ? [...cc, ...bc] : bc;
  return checker.repeat(step, (checked, state) => {
    const n = state.length;
    const body = checked.inVars.slice(n);
    const next: WhileParams = {
      condJaxpr: {
        ...holds.jaxpr,
        inVars: [
          ...holds.jaxpr.inVars.slice(0, condConsts),
          ...state.map((x) => new Var(x.aval)),
          ...holds.jaxpr.inVars.slice(condConsts),
        ],
        outs: holds.jaxpr.outs.slice(holds.count),
      },
      bodyJaxpr: {
        ...checked,
        inVars: [...body.slice(0, captured.length), ...checked.inVars.slice(0, n), ...body.slice(captured.length)],
      },
      condConsts,
      bodyConsts: captured.length,
    };
    return bind(whileP, [...cc, ...captured, ...state, ...carry], next);
  });
}

/** The body, then the condition of the next step for the sake of its checks: (condConsts, bodyConsts, carry) → carry. */
function bodyThenCondition({ condJaxpr, bodyJaxpr, condConsts }: WhileParams): Jaxpr {
  return traceClosed(
    (...xs) => {
      const next = evalJaxpr(bodyJaxpr, [], xs.slice(condConsts));
      evalJaxpr(condJaxpr, [], [...xs.slice(0, condConsts), ...next]);
      return next;
    },
    [...inAvals(condJaxpr).slice(0, condConsts), ...inAvals(bodyJaxpr)],
    "while",
  ).jaxpr;
}

function batchWhile(
  operands: readonly NDArray[],
  dims: readonly (number | null)[],
  params: WhileParams,
  axis: BatchAxis,
  { batchJaxpr }: Interpreters,
): Batched {
  const { condJaxpr, bodyJaxpr } = params;
  const [cc, bc, carry] = split(operands, params);
  const [ccDims, bcDims, carryDims] = split(dims, params);
  const at = (flags: readonly boolean[]): (number | null)[] => flags.map((f) => (f ? 0 : null));
  let flags: readonly boolean[] = carryDims.map((d) => d !== null);
  for (;;) {
    const condBatched = batchJaxpr(condJaxpr, axis, [...ccDims, ...at(flags)], false).dims[0] !== null;
    // With a condition per example every component depends on the example: on whether it is still running.
    const wanted = condBatched ? flags.map(() => true) : flags;
    const body = batchJaxpr(bodyJaxpr, axis, [...bcDims, ...at(wanted)], wanted);
    const next = orFlags(
      wanted,
      body.dims.map((d) => d !== null),
    );
    if (!sameFlags(next, flags)) {
      flags = next;
      continue;
    }
    const init = carry.map((x, i) => (flags[i] ? batchToFront(x, carryDims[i]!, axis.size) : x));
    const cond = batchJaxpr(condJaxpr, axis, [...ccDims, ...at(flags)], condBatched).jaxpr;
    const next_: WhileParams = condBatched
      ? {
          condJaxpr: anyOf(cond),
          bodyJaxpr: frozenBody(cond, body.jaxpr, params),
          condConsts: cc.length,
          bodyConsts: cc.length + bc.length,
        }
      : { ...params, condJaxpr: cond, bodyJaxpr: body.jaxpr };
    const outs = bind(whileP, condBatched ? [...cc, ...cc, ...bc, ...init] : [...cc, ...bc, ...init], next_);
    return { outs, dims: at(flags) };
  }
}

/** Whether any example goes on. */
const anyOf = (cond: Jaxpr): Jaxpr =>
  traceClosed((...xs) => [reduceOr(evalJaxpr(cond, [], xs)[0]!, [0])], inAvals(cond), "while").jaxpr;

/** A body that leaves the carry of finished examples alone. */
function frozenBody(cond: Jaxpr, body: Jaxpr, { condConsts, bodyConsts }: WhileParams): Jaxpr {
  const ccAvals: Aval[] = inAvals(cond).slice(0, condConsts);
  return traceClosed(
    (...xs) => {
      const [cc, bc, carry] = [
        xs.slice(0, condConsts),
        xs.slice(condConsts, condConsts + bodyConsts),
        xs.slice(condConsts + bodyConsts),
      ];
      const running = evalJaxpr(cond, [], [...cc, ...carry])[0]!;
      const next = evalJaxpr(body, [], [...bc, ...carry]);
      return next.map((y, i) => select(broadcastInDim(running, y.shape, range(1)), y, carry[i]!));
    },
    [...ccAvals, ...inAvals(body)],
    "while",
  ).jaxpr;
}
