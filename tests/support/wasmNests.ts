/** Loop nests written by hand, run as WebAssembly and by their evaluator. */
import { expect } from "vitest";
import { evaluateNest } from "../../src/compiler/loopNest/evaluateNest.ts";
import type { LoopNest, Stmt } from "../../src/compiler/loopNest/loopNest.ts";
import { printNest } from "../../src/compiler/loopNest/printNest.ts";
import { verifyNest } from "../../src/compiler/loopNest/verifyNest.ts";
import type { TypedArray } from "../../src/core/hostArray.ts";
import type { Buffer, Expr, Local } from "../../src/core/scalar.ts";
import { runWasm } from "./randomNests.ts";

/** Runs a nest both ways on copies of the data and gives what the evaluator left. */
export function agrees(nest: LoopNest, data: readonly TypedArray[]): readonly TypedArray[] {
  verifyNest(nest);
  const expected = data.map((d) => d.slice());
  const actual = data.map((d) => d.slice());
  evaluateNest(nest, expected);
  runWasm(nest, actual);
  expected.forEach((array, i) => {
    const other = actual[i]!;
    for (let j = 0; j < array.length; j++)
      if (!Object.is(array[j], other[j]))
        expect.fail(`a${i}[${j}] is ${other[j]}, not ${array[j]}\n${printNest(nest)}`);
  });
  return expected;
}
export const nestOf = (
  reads: readonly Buffer[],
  writes: readonly Buffer[],
  scratch: readonly Buffer[],
  ...body: Stmt[]
): LoopNest => ({
  name: "test",
  params: [
    ...reads.map((buffer) => ({ buffer, access: "read" as const })),
    ...writes.map((buffer) => ({ buffer, access: "write" as const })),
  ],
  scratch,
  body,
});
export const ramp = (n: number): Float32Array => Float32Array.from({ length: n }, (_, i) => ((i * 7919) % 101) / 8 - 6);
export const declare = (local: Local, value: Expr): Stmt => ({ kind: "declare", local, value });
export const assign = (local: Local, value: Expr): Stmt => ({ kind: "assign", local, value });
