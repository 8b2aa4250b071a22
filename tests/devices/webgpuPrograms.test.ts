/** Random programs with control flow, under random transforms, on WebGPU against the reference. */
import { beforeAll, describe, expect, test } from "vitest";
import { type NDArray, init, jit } from "../../src/index.ts";
import { evaluator } from "../../src/core/evaluator.ts";
import type { HostArray } from "../../src/core/hostArray.ts";
import { holdsAsync, runs } from "../properties.ts";
import { onDevice } from "../support/devices.ts";
import { type TransformedProgram, suites, transformedPrograms } from "../support/transformedPrograms.ts";
import { distance, fromHost, host } from "../support/values.ts";

beforeAll(async () => {
  await init("webgpu");
});

const onWebgpu = (f: (x: NDArray) => NDArray, x: HostArray): Promise<HostArray> =>
  onDevice("webgpu", () => evaluator().read(jit(f)(fromHost(x)).concrete()!));
const reference = (f: (x: NDArray) => NDArray, x: HostArray): HostArray => onDevice("cpu", () => host(f(fromHost(x))));

/** The reference's result, if float32 settles it: a choice may fall the other way by a rounding, and numbers may grow. */
function settled({ f, x }: TransformedProgram): HostArray | null {
  const wanted = reference(f, x);
  const wide = reference(f, { ...x, dtype: "float64", data: Float64Array.from(x.data) });
  const isSettled = distance({ ...wide, dtype: "float32" }, wanted, 1e-4) === null;
  return isSettled && wanted.data.every((v) => Math.abs(v) < 1e6) ? wanted : null;
}

const counts = { "every transform": 240, "forward mode, while loops": 150, "reverse mode, customVjp": 150 } as const;

describe("programs with control flow", () => {
  test.each(Object.entries(counts))("float32 on webgpu: %s", { timeout: 300_000 }, async (name, count) => {
    let compared = 0;
    await holdsAsync(count, [transformedPrograms(suites[name as keyof typeof suites], "float32")], async (program) => {
      const wanted = settled(program);
      if (!wanted) return;
      compared++;
      const found = await onWebgpu(program.f, program.x);
      const d = distance(found, wanted, 1e-3);
      if (d)
        expect.fail(
          `${program.title}: ${d}\n  of     ${program.x.data.join()}\n  found  ${found.data.join()}\n  wanted ${wanted.data.join()}`,
        );
    });
    expect(compared).toBeGreaterThan(runs(count) / 2);
  });
});
