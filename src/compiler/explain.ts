/**
 * explain: which stage changes a program's value. The program is evaluated after every stage, from the traced jaxpr to
 * loop nests in shared memory, and each stage is compared with the one before.
 *
 * Kernels are judged one at a time, on the values that the reference gives their operands, so that a wrong one does not
 * make those after it look wrong, and roundings do not add up. Bodies of loops and branches are looked into with the
 * operands they get, loops for the first rounds.
 */
import { sizeOf } from "../core/shape.ts";
import type { DType } from "../core/dtype.ts";
import { type HostArray, type TypedArray, lanesOf } from "../core/hostArray.ts";
import { type Atom, type Eqn, type Jaxpr, Var } from "../core/jaxpr.ts";
import type { NDArray } from "../core/ndarray.ts";
import type { ReferenceContext } from "../core/primitive.ts";
import { storageBytes } from "../core/scalar.ts";
import { literalHost } from "./assignBuffers.ts";
import { draftsOf, stagesOf } from "./compile.ts";
import { mathExpander } from "./expandMath.ts";
import { lowerGroup } from "./lower.ts";
import { lowerEqn } from "./lowerEqn.ts";
import { evaluateKernel } from "./loopNest/evaluateKernel.ts";
import { evaluateLowering, hostOperands } from "./loopNest/evaluateLowering.ts";
import { evaluateNest } from "./loopNest/evaluateNest.ts";
import type { LoopNest } from "./loopNest/loopNest.ts";
import type { Group, PlanStep } from "./partition.ts";
import { KernelList } from "./kernelList.ts";
import { planOf } from "./plan.ts";
import type { Program } from "./program.ts";
import { readHost, runProgram, storedView, writeHost } from "./runProgram.ts";
import { type Difference, differenceOf, tolerances } from "./difference.ts";
import type { Target } from "./target.ts";

export type StageName = "simplified" | "fusion" | "loops" | "buffers" | "code";

/** One stage against the one before. */
export interface StageReport {
  readonly stage: StageName;
  /** Kernels that were judged, or launches that make up the program. */
  readonly kernels: number;
  /** Where the values differ most; null if they agree. */
  readonly difference: Difference | null;
}
export interface ExplainSettings {
  readonly name: string;
  readonly target: Target;
  readonly donated: readonly boolean[];
  readonly valueOf: (x: NDArray) => HostArray;
  readonly context: ReferenceContext;
  /** Relative to the largest value; what one kernel may add by rounding. */
  readonly tolerance?: (dtype: DType) => number;
}
/** A kernel, what its parameters hold before it runs, and what they hold afterwards: for whoever runs code. */
export interface KernelCase extends Where {
  readonly nest: LoopNest;
  readonly before: readonly HostArray[];
  readonly after: readonly HostArray[];
}
interface Where {
  readonly path: string;
  readonly sources: readonly string[];
}
export interface StagesExplained {
  readonly reports: readonly StageReport[];
  readonly program: Program;
  /** What the program gives when its loop nests are evaluated. */
  readonly results: readonly HostArray[];
  readonly kernels: readonly KernelCase[];
}

interface Results {
  readonly traced: readonly HostArray[];
  readonly simplified: readonly HostArray[];
}

/** Rounds of a loop whose bodies are looked into. */
const rounds = 2;

/** Evaluates the stages before code. @param jaxpr without constants. */
export function explainStages(jaxpr: Jaxpr, inputs: readonly HostArray[], settings: ExplainSettings): StagesExplained {
  const walk = new Walk(settings);
  const { simplified } = walk.visit(jaxpr, inputs, settings.name);
  const { target, context } = settings;
  const run = (separate: boolean): { program: Program; results: HostArray[] } => {
    const { program } = stagesOf(jaxpr, { ...settings, separate });
    return { program, results: runProgram(program, inputs, target.layout, context) };
  };
  const apart = run(true);
  // Kernels that are right each, but not together: the steps between them are wrong. Roundings add up here.
  const between = { path: `${settings.name}, the steps between kernels`, sources: [] };
  walk.compare("loops", simplified, apart.results, between, 100);
  const { program, results } = run(false);
  walk.compare("buffers", apart.results, results, { path: settings.name, sources: [] }, 0);
  const reports = (["simplified", "fusion", "loops", "buffers"] as const).map((stage) => walk.report(stage));
  return { reports, program, results, kernels: walk.kernels };
}

class Walk {
  readonly #settings: ExplainSettings;
  readonly #worst = new Map<StageName, Difference>();
  readonly #counts = new Map<StageName, number>();
  readonly kernels: KernelCase[] = [];

  constructor(settings: ExplainSettings) {
    this.#settings = settings;
  }

  report(stage: StageName): StageReport {
    return { stage, kernels: this.#counts.get(stage) ?? 0, difference: this.#worst.get(stage) ?? null };
  }

  /** Keeps the first difference of a stage: what comes later may follow from it. */
  compare(stage: StageName, wanted: readonly HostArray[], found: readonly HostArray[], where: Where, slack = 1): void {
    if (this.#worst.has(stage)) return;
    const tolerance = this.#settings.tolerance ?? tolerances;
    const difference = differenceOf(wanted, found, (dtype) => slack * tolerance(dtype));
    if (difference) this.#worst.set(stage, { ...difference, ...where });
  }

  /** Judges every stage of a jaxpr. Gives its results by the reference, as it was traced and simplified. */
  visit(source: Jaxpr, inputs: readonly HostArray[], path: string): Results {
    const { target, valueOf } = this.#settings;
    const traced = this.#evaluate(source, inputs).outs;
    const { jaxpr, captured, plan } = planOf(source, target);
    const { values, outs } = this.#evaluate(jaxpr, [...captured.map(valueOf), ...inputs]);
    this.compare("simplified", traced, outs, { path, sources: [] });
    for (const step of plan.steps) this.#step(step, values, path, plan.producers);
    return { traced, simplified: outs };
  }

  /** Equation by equation, by the `reference` slots. */
  #evaluate(
    jaxpr: Jaxpr,
    inputs: readonly HostArray[],
  ): { readonly values: Map<Var, HostArray>; readonly outs: readonly HostArray[] } {
    const values = new Map<Var, HostArray>(jaxpr.inVars.map((v, i) => [v, inputs[i]!]));
    for (const { primitive, inputs: ins, params, outputs } of jaxpr.eqns)
      primitive
        .reference(
          ins.map((a) => read(a, values)),
          params,
          outputs.map((v) => v.aval),
          this.#settings.context,
        )
        .forEach((y, i) => values.set(outputs[i]!, y));
    return { values, outs: jaxpr.outs.map((a) => read(a, values)) };
  }

  #step(step: PlanStep, values: Map<Var, HostArray>, path: string, producers: ReadonlyMap<Var, Eqn>): void {
    if (step.kind === "eqn") this.#equation(step.eqn, values, path);
    const groups = step.kind === "group" ? [step.group] : step.kind === "chain" ? step.chain.groups : [];
    for (const g of groups) this.#group(g, values, path, producers);
    this.#nests(step, values, path, producers);
  }

  /** The kernel of a group before it is scheduled. */
  #group(group: Group, values: Map<Var, HostArray>, path: string, producers: ReadonlyMap<Var, Eqn>): void {
    const { target } = this.#settings;
    const { kernel, args } = lowerGroup(group, producers, target, mathExpander(target));
    const memory = new Memory(target, values);
    evaluateKernel(
      kernel,
      args.map((v, i) => memory.at(v, kernel.params[i]!.access === "write")),
    );
    this.#judge("fusion", group.outputs, memory, values, whereOf(`${path}/${kernel.name}`, group.members));
  }

  /** Forms that describe elements, and the bodies of those that carry jaxprs. */
  #equation(eqn: Eqn, values: Map<Var, HostArray>, path: string): void {
    const ins = eqn.inputs.map((a) => read(a, values));
    const avals = eqn.outputs.map((v) => v.aval);
    const source = hostOperands(ins);
    const lowering = lowerEqn(eqn, source.operands);
    const where = whereOf(`${path}/${eqn.primitive.name}`, [eqn]);
    const found = evaluateLowering(lowering, avals, source, false);
    if (found) {
      this.#count("fusion");
      const wanted = eqn.outputs.map((v) => values.get(v)!);
      this.compare("fusion", wanted, found, where);
      return;
    }
    switch (lowering.form) {
      case "cond": {
        const { branches } = lowering;
        const chosen = Math.min(Math.max(ins[0]!.data[0]!, 0), branches.length - 1);
        this.visit(branches[chosen]!, ins.slice(1), `${where.path}/branch${chosen}`);
        return;
      }
      case "while": {
        const { predicate, body, predicateConsts: p, bodyConsts: b } = lowering;
        let carry: readonly HostArray[] = ins.slice(p + b);
        for (let round = 0; round < rounds; round++) {
          const { traced } = this.visit(predicate, [...ins.slice(0, p), ...carry], `${where.path}/predicate`);
          if (!traced[0]!.data[0]) return;
          carry = this.visit(body, [...ins.slice(p, p + b), ...carry], `${where.path}/body`).traced;
        }
        return;
      }
      case "scan": {
        const { body, consts, carries, length, reverse } = lowering;
        let carry: readonly HostArray[] = ins.slice(consts, consts + carries);
        for (let round = 0; round < Math.min(length, rounds); round++) {
          const i = reverse ? length - 1 - round : round;
          const slices = ins.slice(consts + carries).map((x) => rowOf(x, i));
          const { traced } = this.visit(body, [...ins.slice(0, consts), ...carry, ...slices], `${where.path}/body`);
          carry = traced.slice(0, carries);
        }
        return;
      }
      default:
    }
  }

  /** The loop nests of a step. */
  #nests(step: PlanStep, values: Map<Var, HostArray>, path: string, producers: ReadonlyMap<Var, Eqn>): void {
    const { target } = this.#settings;
    const members = step.kind === "eqn" ? [step.eqn] : step.kind === "group" ? step.group.members : step.chain.groups.flatMap((g) => g.members); // prettier-ignore
    if (step.kind === "eqn" && !["prefix", "scatter"].includes(step.access.lowering.form)) return;
    const memory = new Memory(target, values);
    const drafts = draftsOf(step, { steps: [], outs: [], producers }, new KernelList(), this.#settings);
    for (const { nest, reads, writes } of drafts) {
      if (!nest) continue;
      const vars = [...reads, ...writes] as Var[];
      const where = whereOf(`${path}/${nest.name}`, members);
      const made = new Set(writes);
      const operands = nest.params.map(({ access }, i) => memory.at(vars[i]!, access === "write"));
      const before = vars.map((v) => memory.host(v));
      evaluateNest(nest, operands);
      const after = vars.map((v) => memory.host(v));
      this.kernels.push({ nest, ...where, before, after });
      // A scatter's first kernel only prepares its result; what kernels of a chain pass on is no value of the program.
      const last = drafts.filter((d) => writes.some((v) => d.writes.includes(v))).at(-1);
      if (last?.nest === nest) this.#judge("loops", vars.filter((v) => made.has(v) && values.has(v)), memory, values, where); // prettier-ignore
    }
  }

  #judge(
    stage: StageName,
    outputs: readonly Var[],
    memory: Memory,
    values: ReadonlyMap<Var, HostArray>,
    where: Where,
  ): void {
    this.#count(stage);
    this.compare(
      stage,
      outputs.map((v) => values.get(v)!),
      outputs.map((v) => memory.host(v)),
      where,
    );
  }
  #count(stage: StageName): void {
    this.#counts.set(stage, (this.#counts.get(stage) ?? 0) + 1);
  }
}

const read = (a: Atom, values: ReadonlyMap<Var, HostArray>): HostArray =>
  a instanceof Var ? values.get(a)! : literalHost(a);

const whereOf = (path: string, members: readonly Eqn[]): Where => ({
  path,
  sources: [...new Set(members.map((e) => e.source.frame()).filter((f) => f !== ""))],
});

function rowOf(x: HostArray, i: number): HostArray {
  const shape = x.shape.slice(1);
  const n = sizeOf(shape) * lanesOf(x.dtype);
  return { shape, dtype: x.dtype, data: x.data.slice(i * n, (i + 1) * n) };
}

/** Arrays as a target stores them; those that are written start as garbage. */
class Memory {
  readonly #target: Target;
  readonly #values: ReadonlyMap<Var, HostArray>;
  readonly #stored = new Map<Var, TypedArray>();
  constructor(target: Target, values: ReadonlyMap<Var, HostArray>) {
    this.#target = target;
    this.#values = values;
  }

  at(v: Var, written: boolean): TypedArray {
    let array = this.#stored.get(v);
    if (!array) {
      const storage = this.#target.layout[v.aval.dtype];
      const length = v.aval.size * lanesOf(v.aval.dtype);
      array = storedView(storage, new ArrayBuffer(length * storageBytes[storage]), 0, length);
      if (written) array.fill(storage.startsWith("f") ? NaN : 85);
      else writeHost(this.#values.get(v)!, this.#target.layout, array);
      this.#stored.set(v, array);
    }
    return array;
  }
  host(v: Var): HostArray {
    return readHost(v.aval, this.#target.layout, this.at(v, true));
  }
}
