/** Code for WebAssembly against the meaning of loop nests. */
import { describe, expect, it } from "vitest";
import { evaluateNest } from "../../src/compiler/loopNest/evaluateNest.ts";
import { printNest } from "../../src/compiler/loopNest/printNest.ts";
import { verifyNest } from "../../src/compiler/loopNest/verifyNest.ts";
import type { LoopNest } from "../../src/compiler/loopNest/loopNest.ts";
import type { TypedArray } from "../../src/core/hostArray.ts";
import { holds } from "../properties.ts";
import { randomNest, runWasm } from "../support/randomNests.ts";

/** Runs a nest both ways on copies of the data and gives what the evaluator left. */
function agrees(nest: LoopNest, data: readonly TypedArray[], relaxedSimd = false): readonly TypedArray[] {
  const expected = data.map((d) => d.slice());
  const actual = data.map((d) => d.slice());
  evaluateNest(nest, expected);
  runWasm(nest, actual, relaxedSimd);
  expected.forEach((array, i) => {
    const other = actual[i]!;
    for (let j = 0; j < array.length; j++)
      if (!Object.is(array[j], other[j]))
        expect.fail(
          `${nest.params[i]!.buffer.name} (a${i})[${j}]: ${other[j]}, expected ${array[j]}\n${printNest(nest)}`,
        );
  });
  return expected;
}

describe("random loop nests", () => {
  it("give the same bits as the evaluator", () => {
    holds(400, [randomNest()], ({ nest, data }) => {
      verifyNest(nest);
      agrees(nest, data);
    });
  });
});
