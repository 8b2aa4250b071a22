/** The `lower` slot of every primitive against its reference slot, on the samples of the sweep. */
import { describe, expect, test } from "vitest";
import { type HostArray, isInexact } from "../sweep/core.ts";
import { bind } from "../../src/core/trace.ts";
import { distance, fromHost, host } from "../support/arrays.ts";
import { holds } from "../properties.ts";
import type { Generator, Sample } from "../sweep/generator.ts";
import { generators, primitives, titleOf } from "../sweep/registry.ts";
import { runTraced } from "./lowerings.ts";

/** Relative to the largest number: some units in the last place. Rearrangements are exact. */
const toleranceOf = (g: Generator, { dtype }: HostArray): number => {
  if (!isInexact(dtype) || g.primitive.kind === "movement") return 0;
  return dtype === "float64" ? 1e-13 : dtype === "float16" ? 2e-3 : dtype === "bfloat16" ? 1.6e-2 : 2e-6;
};

function checkLowering(g: Generator, s: Sample): void {
  const f = (xs: Parameters<NonNullable<Generator["apply"]>>[0]): ReturnType<NonNullable<Generator["apply"]>> =>
    g.apply ? g.apply(xs, s.params) : bind(g.primitive, xs, s.params);
  const wanted = f(s.ins.map(fromHost)).map(host);
  const found = runTraced(f, s.ins);
  expect(found.length).toBe(wanted.length);
  found.forEach((y, i) => {
    const difference = distance(y, wanted[i]!, toleranceOf(g, y));
    if (difference) expect.fail(`result ${i}: ${difference}\n  found  ${y.data.join()}\n  wanted ${wanted[i]!.data.join()}`);
  });
}

test("every primitive has one", () => {
  expect(primitives.filter((p) => !p.lower).map((p) => p.name)).toEqual([]);
});

describe("lowerings compute what the reference computes", () => {
  test.each(generators.map((g) => [titleOf(g), g] as const))("%s", (_, g) =>
    holds(25, [g.sample], (s) => checkLowering(g, s)),
  );
});
