/**
 * What a program will cost, read off its kernels: arithmetic, memory traffic, launches, and the memory it needs.
 */
import type { CostAnalysis, MemoryAnalysis } from "../core/evaluator.ts";
import { type Expr, type Local, operandsOf } from "../core/scalar.ts";
import type { LoopNest, Stmt } from "./loopNest/loopNest.ts";
import { type Program, type Step, callsOf } from "./program.ts";

export function costAnalysis(program: Program): CostAnalysis {
  const flopsOf = program.kernels.map(kernelFlops);
  const ofProgram = (p: Program): CostAnalysis => p.steps.map((s) => ofStep(p, s)).reduce(sum, nothing);
  const ofStep = (p: Program, step: Step): CostAnalysis => {
    const bytesOf = (slots: readonly number[]): number => slots.reduce((n, s) => n + p.slots[s]!.bytes, 0);
    switch (step.kind) {
      case "launch":
        return { flops: flopsOf[step.kernel]!, bytes: bytesOf(step.slots), kernels: 1 };
      case "copy":
        return { flops: 0, bytes: bytesOf([step.from, step.to]), kernels: 0 };
      case "cond": {
        const branches = step.branches.map((b) => ofProgram(b.program));
        return branches.reduce((a, b) => (b.flops > a.flops ? b : a), nothing);
      }
      case "scan": {
        const { flops, bytes, kernels } = ofProgram(step.body.program);
        return { flops: flops * step.length, bytes: bytes * step.length, kernels: kernels * step.length };
      }
      case "while":
        return callsOf(step)
          .map((c) => ofProgram(c.program))
          .reduce(sum, nothing);
      default:
        return { flops: 0, bytes: bytesOf([...step.inputs, ...step.outputs]), kernels: 0 };
    }
  };
  return ofProgram(program);
}

const nothing: CostAnalysis = { flops: 0, bytes: 0, kernels: 0 };
const sum = (a: CostAnalysis, b: CostAnalysis): CostAnalysis => ({
  flops: a.flops + b.flops,
  bytes: a.bytes + b.bytes,
  kernels: a.kernels + b.kernels,
});

/** Float operations of one launch. */
export function kernelFlops(nest: LoopNest): number {
  const ofExpr = (e: Expr): number => {
    const own = (e.kind === "unary" || e.kind === "binary") && (e.type === "f32" || e.type === "f64") ? 1 : 0;
    return operandsOf(e).reduce((n, x) => n + ofExpr(x), own);
  };
  const counts = new Map<Local, number>();
  const ofBody = (body: readonly Stmt[]): number =>
    body.reduce((n, s) => {
      if (s.kind === "let" && s.value.kind === "const") counts.set(s.local, s.value.value);
      switch (s.kind) {
        case "for":
          return n + ((s.count && counts.get(s.count)) ?? s.variable.extent) * ofBody(s.body);
        case "if":
          return n + ofBody(s.body);
        case "barrier":
          return n;
        default:
          return n + ofExpr(s.value);
      }
    }, 0);
  return ofBody(nest.body);
}

export function memoryAnalysis(program: Program, inputBytes: number, outputBytes: readonly number[]): MemoryAnalysis {
  const total = outputBytes.reduce((a, b) => a + b, 0);
  const aliasBytes = [...program.reuses.keys()].reduce((n, o) => n + outputBytes[o]!, 0);
  const temporaryBytes = program.arenaBytes;
  return {
    argumentBytes: inputBytes,
    outputBytes: total,
    aliasBytes,
    temporaryBytes,
    idealTemporaryBytes: program.idealArenaBytes,
    peakBytes: inputBytes + total - aliasBytes + temporaryBytes,
  };
}
