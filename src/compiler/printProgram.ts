/** Programs and fusion plans as text, for people and for tests. */
import { shortAval } from "../core/aval.ts";
import { type Atom, Var } from "../core/jaxpr.ts";
import { printNest } from "./loopNest/printNest.ts";
import type { FusionPlan, Group } from "./partition.ts";
import { type Call, type Program, type Slot, type Step } from "./program.ts";

/** One line a kernel or step: what it reads, computes and stores. */
export function printPlan(plan: FusionPlan): string {
  const names = new Map<Var, string>();
  const name = (a: Atom): string => {
    if (!(a instanceof Var)) return String(a.value);
    let known = names.get(a);
    if (!known) names.set(a, (known = `v${names.size}`));
    return `${known}:${shortAval(a.aval)}`;
  };
  const line = ({ kind, frame, rowLength, members, inputs, outputs }: Group): string => {
    const rows = kind === "map" ? `over [${frame.join()}]` : `rows [${frame.join()}] of ${rowLength}`;
    const of = members.map((e) => e.primitive.name).join(", ");
    return `${outputs.map(name).join(" ")} = ${kind} ${rows} { ${of} } reads ${[...inputs].map(name).join(" ")}`;
  };
  const lines = plan.steps.map((s) => {
    if (s.kind === "eqn")
      return `${s.eqn.outputs.map(name).join(" ")} = ${s.eqn.primitive.name} ${s.eqn.inputs.map(name).join(" ")}`;
    return s.kind === "group" ? line(s.group) : ["together, block by block:", ...s.chain.groups.map(line)].join("\n  ");
  });
  return [...lines, `returns ${plan.outs.map(name).join(" ")}`].join("\n");
}

/** Every kernel as loops. */
export const printLoops = (program: Program): string =>
  program.kernels.map((k, i) => `// kernel ${i}: ${k.name}\n${printNest(k)}`).join("\n\n");

/** Steps, with the places of what they read and write. */
export function printProgram(program: Program): string {
  const place = ({ place: p, aval }: Slot): string => {
    const at = p.kind === "arena" ? `arena+${p.offset}` : p.kind === "constant" ? "constant" : `${p.kind} ${p.index}`;
    return `${at}:${shortAval(aval)}`;
  };
  const of = (slots: readonly number[]): string => slots.map((s) => place(program.slots[s]!)).join(", ");
  const call = (c: Call, title: string): string =>
    [`  ${title} (${of(c.inputs)}) → (${of(c.outputs)})`, indent(printProgram(c.program))].join("\n");
  const line = (s: Step): string => {
    switch (s.kind) {
      case "launch":
        return `launch ${s.kernel} ${program.kernels[s.kernel]!.name} (${of(s.slots)})`;
      case "copy":
        return `copy ${of([s.from])} → ${of([s.to])}`;
      case "cond":
        return [`cond ${of([s.index])}`, ...s.branches.map((b, i) => call(b, `branch ${i}`))].join("\n");
      case "while":
        return ["while", call(s.predicate, "predicate"), call(s.body, "body")].join("\n");
      case "scan":
        return [`scan ${s.length} rounds${s.reverse ? ", last first" : ""}`, call(s.body, "body")].join("\n");
      case "routine":
        return `${s.eqn.primitive.name} (${of(s.inputs)}) → (${of(s.outputs)})`;
      case "host":
        return `call the host (${of(s.inputs)}) → (${of(s.outputs)})`;
    }
  };
  const reuses = [...program.reuses].map(([o, i]) => `output ${o} takes over input ${i}`);
  return [`program ${program.name}, arena of ${program.arenaBytes} bytes`, ...reuses, ...program.steps.map(line)].join(
    "\n",
  );
}

const indent = (text: string): string =>
  text
    .split("\n")
    .map((l) => `    ${l}`)
    .join("\n");
