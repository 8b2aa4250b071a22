/**
 * explain: which stage, from the traced program to a device's code, changes a value. The stages before code are
 * evaluated by the compiler; here the code is run, as a whole, and one kernel at a time if the whole is wrong.
 */
import { bytesOf } from "../compiler/assignBuffers.ts";
import { type Difference, differenceOf, tolerances } from "../compiler/difference.ts";
import { type ExplainSettings, type StageName, type StageReport, explainStages } from "../compiler/explain.ts";
import type { LoopNest } from "../compiler/loopNest/loopNest.ts";
import type { Place, Program, Slot, Step } from "../compiler/program.ts";
import type { Target } from "../compiler/target.ts";
import { Aval } from "../core/aval.ts";
import type { HostArray } from "../core/hostArray.ts";
import type { Jaxpr } from "../core/jaxpr.ts";
import type { NDArray } from "../core/ndarray.ts";
import type { Buffer, Device } from "./device.ts";
import { notCompiled } from "./inspect.ts";

/** What `debug.explain` found. */
export class Explanation {
  readonly device: string;
  readonly stages: readonly StageReport[];
  constructor(device: string, stages: readonly StageReport[]) {
    this.device = device;
    this.stages = stages;
  }
  /** The first stage that changes the value; null if all agree. */
  get firstWrong(): StageName | null {
    return this.stages.find((s) => s.difference)?.stage ?? null;
  }
  toString(): string {
    const lines = this.stages.map((s) => {
      const judged = s.kernels > 0 ? `, ${s.kernels} kernel${s.kernels > 1 ? "s" : ""}` : "";
      return `${s.stage.padEnd(10)} ${s.difference ? describe(s.difference) : "agrees"}${judged}`;
    });
    const verdict = this.firstWrong
      ? `the stage "${this.firstWrong}" changes the value`
      : "every stage gives the same value";
    return [`on ${this.device}, ${verdict}`, ...lines].join("\n");
  }
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }
}

const describe = (d: Difference): string =>
  [
    `differs in ${d.path}: result ${d.result} at [${d.position.join()}] is ${d.found}, not ${d.wanted}`,
    `(${d.elements} elements differ, by up to ${d.relative.toExponential(1)} of the largest)`,
    ...d.sources.map((s) => `\n             from ${s}`),
  ].join(" ");

type Settings = Pick<ExplainSettings, "name" | "donated" | "context" | "tolerance">;
/** Hands out buffers to be read and gets their values, at once or later. */
type Explaining = Generator<readonly Buffer[], Explanation, readonly HostArray[]>;

/** @param jaxpr without constants. */
export async function explainProgram(
  jaxpr: Jaxpr,
  inputs: readonly HostArray[],
  device: Device,
  settings: Settings,
): Promise<Explanation> {
  const explaining = explain(jaxpr, inputs, device, settings);
  let next = explaining.next();
  while (!next.done) next = explaining.next(await Promise.all(next.value.map((b) => device.read(b))));
  return next.value;
}
/** The same on devices that can be read at once. */
export function explainProgramSync(
  jaxpr: Jaxpr,
  inputs: readonly HostArray[],
  device: Device,
  settings: Settings,
): Explanation {
  const explaining = explain(jaxpr, inputs, device, settings);
  let next = explaining.next();
  while (!next.done) next = explaining.next(next.value.map((b) => device.readSync(b)));
  return next.value;
}

function* explain(jaxpr: Jaxpr, inputs: readonly HostArray[], device: Device, settings: Settings): Explaining {
  const { code, kind } = device;
  if (!code) return notCompiled(device, "stages to explain");
  const { name, donated, context, tolerance = tolerances } = settings;
  const { target } = code;
  const valueOf = (x: NDArray): HostArray => context.fromArray(x);
  const explained = explainStages(jaxpr, inputs, { name, donated, context, tolerance, target, valueOf });
  const put = (values: readonly HostArray[]): Buffer[] => values.map((x) => device.put(x));
  const whole = device.compile(jaxpr, { name, donated: [], device: null });
  const results = yield whole.run(put(inputs));
  const found = differenceOf(explained.results, results, tolerance);
  let difference: Difference | null = found && { ...found, path: name, sources: [] };
  // Which kernel it was: the first whose code does not do what its loops say.
  if (difference)
    for (const { nest, path, sources, before, after } of explained.kernels) {
      const kernel = oneKernel(nest, before, target);
      const ran = yield code.load(kernel.program).run(put(kernel.reads.map((i) => before[i]!)));
      const wanted = kernel.writes.map((i) => after[i]!);
      const here = differenceOf(wanted, ran, tolerance);
      if (!here) continue;
      difference = { ...here, path, sources };
      break;
    }
  const { program, reports } = explained;
  return new Explanation(kind, [...reports, { stage: "code", kernels: program.kernels.length, difference }]);
}

/** A program of one launch; `reads` and `writes` say which parameter an input or result is. */
function oneKernel(
  nest: LoopNest,
  values: readonly HostArray[],
  target: Target,
): { readonly program: Program; readonly reads: readonly number[]; readonly writes: readonly number[] } {
  const numbers = nest.params.map((_, i) => i);
  const writes = numbers.filter((i) => nest.params[i]!.access !== "read");
  const reads = numbers.filter((i) => nest.params[i]!.access !== "write");
  const avalOf = (i: number): Aval => new Aval(values[i]!.shape, values[i]!.dtype);
  const slot = (i: number, place: Place): Slot => ({ aval: avalOf(i), bytes: bytesOf(avalOf(i), target), place });
  const inputs = reads.map((i, index) => slot(i, { kind: "input", index }));
  const outputs = writes.map((i, index) => slot(i, { kind: "output", index }));
  const outputOf = (i: number): number => reads.length + writes.indexOf(i);
  // What is updated starts as a copy of its input.
  const copies = reads.flatMap((i, from): Step[] =>
    writes.includes(i) ? [{ kind: "copy", from, to: outputOf(i) }] : [],
  );
  const slots = numbers.map((i) => (writes.includes(i) ? outputOf(i) : reads.indexOf(i)));
  const program: Program = {
    name: nest.name,
    inputs: reads.map(avalOf),
    outputs: writes.map(avalOf),
    kernels: [nest],
    slots: [...inputs, ...outputs],
    steps: [...copies, { kind: "launch", kernel: 0, slots, sources: [] }],
    arenaBytes: 0,
    idealArenaBytes: 0,
    reuses: new Map(),
  };
  return { program, reads, writes };
}
