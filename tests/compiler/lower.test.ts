/** The `lower` slot of every primitive against its `reference` slot, on the samples of the sweep. */
import { describe, expect, test } from "vitest";
import type { NDArray } from "../../src/core/ndarray.ts";
import { CotangentError } from "../../src/core/problem.ts";
import { bind } from "../../src/core/trace.ts";
import { holds } from "../properties.ts";
import { distance } from "../support/arrays.ts";
import { lastPlaces } from "../sweep/checks.ts";
import type { Generator, Sample } from "../sweep/generator.ts";
import { generators, titleOf } from "../sweep/registry.ts";
import { byReference, runTraced } from "./lowerings.ts";

/** The words of a float64 are out of a kernel's reach: devices without the host's memory refuse. */
const isRefused = ({ primitive }: Generator, { ins, params }: Sample): boolean =>
  primitive.name === "bitcast_convert_type" &&
  [ins[0]!.dtype, (params as { newDtype: string }).newDtype].includes("float64");

function checkLowering(g: Generator, s: Sample): void {
  const f = (xs: readonly NDArray[]): readonly NDArray[] =>
    g.apply ? g.apply(xs, s.params) : bind(g.primitive, xs, s.params);
  if (isRefused(g, s)) {
    expect(() => runTraced(f, s.ins)).toThrow(CotangentError);
    return;
  }
  const wanted = runTraced(f, s.ins, byReference);
  const found = runTraced(f, s.ins);
  expect(found.length).toBe(wanted.length);
  found.forEach((y, i) => {
    const difference = distance(y, wanted[i]!, lastPlaces(g, y));
    if (!difference) return;
    expect.fail(`result ${i}: ${difference}\n  found  ${y.data.join()}\n  wanted ${wanted[i]!.data.join()}`);
  });
}

describe("lowerings compute what the reference computes", () => {
  test.each(generators.map((g) => [titleOf(g), g] as const))("%s", (_, g) =>
    holds(25, [g.sample], (s) => checkLowering(g, s)),
  );
});
