/** Schedules for workgroups, evaluated without a GPU: the reference's numbers, within the limits of the target. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type LoopNest, visitStmts } from "../../src/compiler/loopNest/loopNest.ts";
import type { Target } from "../../src/compiler/target.ts";
import type { HostArray } from "../../src/core/hostArray.ts";
import type { NDArray } from "../../src/core/ndarray.ts";
import { storageBytes } from "../../src/core/scalar.ts";
import { holds } from "../properties.ts";
import { distance, fromHost } from "../support/arrays.ts";
import { byReference, compiled } from "../support/compiling.ts";
import { gpuTargets } from "../support/gpuTarget.ts";
import { type Kernel, kernels } from "../support/kernelsTmp.ts";

function same(what: string, found: readonly HostArray[], wanted: readonly HostArray[], tolerance: number): void {
  expect(found.length).toBe(wanted.length);
  found.forEach((y, i) => {
    const d = distance(y, wanted[i]!, tolerance);
    if (d) expect.fail(`${what}, result ${i}: ${d}\n  found  ${y.data.join()}\n  wanted ${wanted[i]!.data.join()}`);
  });
}

interface Use {
  readonly threads: number;
  readonly blocks: number;
  readonly sharedBytes: number;
}
function useOf({ body, scratch }: LoopNest): Use {
  let [threads, blocks] = [1, 1];
  visitStmts(body, (s) => {
    if (s.kind !== "for") return;
    if (s.loop === "thread") threads = s.variable.extent;
    if (s.loop === "block") blocks *= s.variable.extent;
  });
  const shared = scratch.filter((b) => b.space === "shared");
  return { threads, blocks, sharedBytes: shared.reduce((n, b) => n + b.length * storageBytes[b.storage], 0) };
}
function withinLimits(nests: readonly LoopNest[], target: Target): void {
  for (const nest of nests) {
    const { threads, sharedBytes } = useOf(nest);
    expect(threads, nest.name).toBeLessThanOrEqual(target.maxThreads);
    expect(sharedBytes, nest.name).toBeLessThanOrEqual(target.maxSharedBytes);
  }
}

describe("kernels over long axes", () => {
  const args = (k: Kernel): NDArray[] => k.inputs.map(fromHost);
  const targets = fc.constantFrom(...Object.values(gpuTargets));
  test.each(Object.entries(kernels))("%s", (_, { small, count }) =>
    holds(count, [small, targets], (k, target) => {
      const c = compiled(k.f, args(k), { target });
      withinLimits(c.program.kernels, target);
      same(k.title, c.run(), byReference(k.f, args(k)), k.tolerance);
    }),
  );
});
