/** Looking at a program's stages: what `jit(f).lower(…)` shows. */
import { memoryAnalysis, costAnalysis } from "../compiler/analysis.ts";
import { bytesOf } from "../compiler/assignBuffers.ts";
import { type Stages, stagesOf } from "../compiler/compile.ts";
import { printLoops, printPlan, printProgram } from "../compiler/printProgram.ts";
import { simplify } from "../compiler/simplify.ts";
import type { CompileOptions, Inspection } from "../core/evaluator.ts";
import type { HostArray } from "../core/hostArray.ts";
import type { Jaxpr } from "../core/jaxpr.ts";
import type { NDArray } from "../core/ndarray.ts";
import { printJaxpr } from "../core/printJaxpr.ts";
import { DeviceError, unreachable } from "../core/problem.ts";
import type { Device } from "./device.ts";

export function inspectProgram(
  jaxpr: Jaxpr,
  { name, donated }: CompileOptions,
  device: Device,
  valueOf: (x: NDArray) => HostArray,
): Inspection {
  const { code } = device;
  if (!code)
    return {
      stages: ["simplified"],
      text: () => printJaxpr(simplify(jaxpr).jaxpr),
      costAnalysis: () => notCompiled(device, "cost analysis"),
      memoryAnalysis: () => notCompiled(device, "memory analysis"),
    };
  const { target, language, print } = code;
  let made: Stages | null = null;
  const stages = (): Stages => (made ??= stagesOf(jaxpr, { name, target, donated, valueOf }));
  const texts: Readonly<Record<string, () => string>> = {
    simplified: () => printJaxpr(stages().simplified),
    fusion: () => printPlan(stages().plan),
    loops: () => printLoops(stages().program),
    buffers: () => printProgram(stages().program),
    [language]: () => print(stages().program),
  };
  return {
    stages: Object.keys(texts),
    text: (stage) => (texts[stage] ?? unreachable(`no stage ${stage}`))(),
    costAnalysis: () => costAnalysis(stages().program),
    memoryAnalysis: () => {
      const { program } = stages();
      const bytes = (a: (typeof program.inputs)[number]): number => bytesOf(a, target);
      return memoryAnalysis(
        program,
        program.inputs.map(bytes).reduce((a, b) => a + b, 0),
        program.outputs.map(bytes),
      );
    },
  };
}

export const notCompiled = (device: Device, analysis: string): never => {
  throw new DeviceError("NotCompiled", {
    what: `programs of the device ${device.kind} have no ${analysis}`,
    why: "the reference device interprets equations one by one; nothing is fused or planned",
    fix: 'choose a compiling device, defaultDevice("wasm") or jit(f, { device: "wasm" })',
  });
};
