/**
 * compile: jaxpr → program. Reads as the list of its stages; each is a function between data types of its own.
 */
import type { Aval } from "../core/aval.ts";
import type { HostArray } from "../core/hostArray.ts";
import type { Eqn, Jaxpr } from "../core/jaxpr.ts";
import { withoutSources } from "../core/source.ts";
import { hoistConsts } from "../core/jaxpr.ts";
import type { Lowering } from "../core/lowering.ts";
import type { NDArray } from "../core/ndarray.ts";
import { unreachable } from "../core/problem.ts";
import { type Draft, assignBuffers, bytesOf } from "./assignBuffers.ts";
import { lowerChain } from "./chains.ts";
import { KernelList } from "./kernelList.ts";
import type { FusedKernel } from "./fusedKernel.ts";
import { type Lowered, lowerGroup } from "./lower.ts";
import { lowerPrefix, lowerScatterStart, lowerScatterUpdates } from "./lowerSequential.ts";
import type { LoopNest } from "./loopNest/loopNest.ts";
import type { FusionPlan, PlanStep } from "./partition.ts";
import { planOf } from "./plan.ts";
import type { Call, Program, Slot, Step } from "./program.ts";
import { schedule } from "./schedule/schedule.ts";
import type { Target } from "./target.ts";
import { mathExpander } from "./expandMath.ts";

export interface CompileSettings {
  readonly name: string;
  readonly target: Target;
  /** Inputs whose buffers results may take over. */
  readonly donated: readonly boolean[];
  /** The values of arrays that the jaxpr captured. */
  readonly valueOf: (x: NDArray) => HostArray;
  /** Gives every array memory of its own: what a plan that shares memory is compared with. */
  readonly separate?: boolean;
}

/** Everything that compilation made on the way. */
export interface Stages {
  readonly simplified: Jaxpr;
  readonly plan: FusionPlan;
  readonly program: Program;
}

export const compile = (jaxpr: Jaxpr, settings: CompileSettings): Program => stagesOf(jaxpr, settings).program;

export const stagesOf = (jaxpr: Jaxpr, settings: CompileSettings): Stages =>
  compileInto(new KernelList(), hoistConsts(jaxpr), settings);

const compileInto = (kernels: KernelList, source: Jaxpr, settings: CompileSettings): Stages =>
  // What equations become has their places, and what has none gets none.
  withoutSources(() => stagesInto(kernels, source, settings));

function stagesInto(kernels: KernelList, source: Jaxpr, settings: CompileSettings): Stages {
  const { target, name, donated, separate = false } = settings;
  const { jaxpr, captured, plan } = planOf(source, target);
  const drafts = plan.steps.flatMap((s) => draftsOf(s, plan, kernels, settings));
  const constants = new Map(captured.map((x, i) => [jaxpr.inVars[i]!, settings.valueOf(x)]));
  const program = assignBuffers(
    { name, inputs: jaxpr.inVars, constants, outs: plan.outs, drafts, donated, separate },
    target,
    kernels,
  );
  return { simplified: jaxpr, plan, program };
}

/** The kernels of a step, or what it is instead. */
export function draftsOf(step: PlanStep, plan: FusionPlan, kernels: KernelList, settings: CompileSettings): Draft[] {
  const { target } = settings;
  const { producers } = plan;
  if (step.kind === "group") {
    const { group } = step;
    // What math functions are expanded to is remembered within one kernel.
    const make = (): Lowered<LoopNest>[] => [fused(lowerGroup(group, producers, target, mathExpander(target)), target)];
    return kernels.groups.kernelsOf([group], producers, make)!.map((k) => kernelDraft(k, group.members));
  }
  if (step.kind === "chain") {
    const { groups } = step.chain;
    const members = groups.flatMap((g) => g.members);
    const make = (): readonly Lowered<LoopNest>[] | null =>
      lowerChain(step.chain, producers, target, mathExpander(target));
    const chain = kernels.groups.kernelsOf(groups, producers, make);
    if (chain) return chain.map((k) => kernelDraft(k, members));
    return groups.flatMap((group) => draftsOf({ kind: "group", group }, plan, kernels, settings));
  }
  const { eqn } = step;
  const context = { producers, inputs: step.inputs, target, finish: mathExpander(target) };
  const { lowering } = step.access;
  switch (lowering.form) {
    case "prefix":
      return [kernelDraft(lowerPrefix(eqn, context), [eqn])];
    case "scatter":
      return [
        kernelDraft(fused(lowerScatterStart(eqn, context), target), [eqn]),
        kernelDraft(lowerScatterUpdates(eqn, context), [eqn]),
      ];
    default:
      return [{ ...plainDraft(eqn), ...controlDraft(eqn, lowering, kernels, settings) }];
  }
}

const fused = ({ kernel, args }: Lowered<FusedKernel>, target: Target): Lowered<LoopNest> => ({
  kernel: schedule(kernel, target),
  args,
});

function kernelDraft({ kernel, args }: Lowered<LoopNest>, members: readonly Eqn[]): Draft {
  const reads = kernel.params.filter((p) => p.access === "read").length;
  return {
    reads: args.slice(0, reads),
    writes: args.slice(reads),
    scratch: [],
    sources: members.map((e) => e.source),
    nest: kernel,
    build: () => unreachable("kernels are launched"),
  };
}

const plainDraft = (eqn: Eqn): Omit<Draft, "build"> => ({
  reads: eqn.inputs,
  writes: eqn.outputs,
  scratch: [],
  sources: [eqn.source],
  nest: null,
});

/** Steps that are no kernels, with sub-programs for the jaxprs they carry. */
function controlDraft(
  eqn: Eqn,
  lowering: Lowering,
  kernels: KernelList,
  settings: CompileSettings,
): Pick<Draft, "build"> & Partial<Draft> {
  const { target } = settings;
  const sub = (jaxpr: Jaxpr, name: string): Program =>
    compileInto(kernels, jaxpr, { ...settings, name: `${settings.name}/${name}`, donated: [] }).program;
  const bytes = (avals: readonly Aval[]): number[] => avals.map((a) => bytesOf(a, target));
  const arenaSlots = (avals: readonly Aval[], offsets: readonly number[], addSlot: (s: Slot) => number): number[] =>
    avals.map((aval, i) =>
      addSlot({ aval, bytes: bytesOf(aval, target), place: { kind: "arena", offset: offsets[i]! } }),
    );
  const copies = (from: readonly number[], to: readonly number[]): Step[] =>
    from.map((f, i) => ({ kind: "copy", from: f, to: to[i]! }));
  switch (lowering.form) {
    case "cond": {
      const branches = lowering.branches.map((b, i) => sub(b, `branch${i}`));
      return {
        scratch: [Math.max(0, ...branches.map((b) => b.arenaBytes))],
        build: (reads, writes, [arenaOffset]) => [
          {
            kind: "cond",
            index: reads[0]!,
            branches: branches.map((program): Call => ({
              program,
              inputs: reads.slice(1),
              outputs: writes,
              arenaOffset: arenaOffset!,
            })),
          },
        ],
      };
    }
    case "while": {
      const { predicateConsts: np, bodyConsts: nb } = lowering;
      const [predicate, body] = [sub(lowering.predicate, "predicate"), sub(lowering.body, "body")];
      const carry = body.outputs;
      const flagAval = predicate.outputs[0]!;
      return {
        scratch: [predicate.arenaBytes, body.arenaBytes, bytesOf(flagAval, target), ...bytes(carry)],
        build: (reads, writes, [predicateArena, bodyArena, flagOffset, ...carryOffsets], addSlot) => {
          const [flag] = arenaSlots([flagAval], [flagOffset!], addSlot);
          const other = arenaSlots(carry, carryOffsets, addSlot);
          const inputs = (consts: readonly number[]): number[] => [...consts, ...writes];
          return [
            ...copies(reads.slice(np + nb), writes),
            {
              kind: "while",
              predicate: {
                program: predicate,
                inputs: inputs(reads.slice(0, np)),
                outputs: [flag!],
                arenaOffset: predicateArena!,
              },
              flag: flag!,
              body: {
                program: body,
                inputs: inputs(reads.slice(np, np + nb)),
                outputs: other,
                arenaOffset: bodyArena!,
              },
              predicateConsts: np,
              bodyConsts: nb,
              carries: [writes, other],
              results: writes,
            },
          ];
        },
      };
    }
    case "scan": {
      const { consts, carries: n, length, reverse } = lowering;
      const body = sub(lowering.body, "body");
      const carry = body.outputs.slice(0, n);
      return {
        scratch: [body.arenaBytes, ...bytes(carry)],
        build: (reads, writes, [arenaOffset, ...carryOffsets], addSlot) => {
          const results = writes.slice(0, n);
          const other = arenaSlots(carry, carryOffsets, addSlot);
          // The last round writes into the results.
          const pair = length % 2 === 0 ? ([results, other] as const) : ([other, results] as const);
          return [
            ...copies(reads.slice(consts, consts + n), pair[0]),
            {
              kind: "scan",
              body: { program: body, inputs: reads, outputs: writes, arenaOffset: arenaOffset! },
              consts,
              carries: pair,
              results,
              slicesIn: reads.slice(consts + n),
              slicesOut: writes.slice(n),
              length,
              reverse,
            },
          ];
        },
      };
    }
    case "routine":
      return { build: (inputs, outputs) => [{ kind: "routine", eqn, inputs, outputs }] };
    case "host":
      return {
        build: (inputs, outputs) => [{ kind: "host", call: lowering.call, inputs, outputs, source: eqn.source }],
      };
    default:
      return unreachable(`${eqn.primitive.name} has no form of its own`);
  }
}
