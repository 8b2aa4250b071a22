/** The WebGPU device against the reference: every primitive, a training step, control flow, callbacks, memory, errors. */
import fc from "fast-check";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import {
  DTypeError,
  DeviceError,
  NDArray,
  blockUntilReady,
  checkpoint,
  defaultDevice,
  devicePut,
  devices,
  grad,
  init,
  jit,
  lax,
  memoryInfo,
  nn,
  numpy as np,
} from "../../src/index.ts";
import { evaluator } from "../../src/core/evaluator.ts";
import type { HostArray } from "../../src/core/hostArray.ts";
import { hoistConsts } from "../../src/core/jaxpr.ts";
import { traceToJaxpr } from "../../src/core/staging.ts";
import { bind } from "../../src/core/trace.ts";
import { flatten } from "../../src/core/tree.ts";
import { distance, fromHost, host } from "../support/arrays.ts";
import { onDevice } from "../support/compiling.ts";
import { adamStep } from "../support/models.ts";
import type { Generator, Sample } from "../sweep/generator.ts";
import { generators, titleOf } from "../sweep/registry.ts";

beforeAll(async () => {
  await init("webgpu");
});

type F = (xs: readonly NDArray[]) => readonly NDArray[];
const read = async (xs: readonly NDArray[]): Promise<HostArray[]> =>
  Promise.all(xs.map((x) => evaluator().read(x.concrete()!)));
function same(what: string, found: readonly HostArray[], wanted: readonly HostArray[], tolerance: number): void {
  expect(found.length).toBe(wanted.length);
  found.forEach((y, i) => {
    const d = distance(y, wanted[i]!, tolerance);
    if (d) expect.fail(`${what}, result ${i}: ${d}\n  found  ${y.data.join()}\n  wanted ${wanted[i]!.data.join()}`);
  });
}

describe("every primitive", () => {
  const callOf = (g: Generator, { params }: Sample): F =>
    g.apply ? (xs) => g.apply!(xs, params) : (xs) => bind(g.primitive, xs, params);
  const cases = generators.map((g) => [titleOf(g), g] as const);
  const isWide = (x: { readonly dtype: string }): boolean => x.dtype === "float64";

  test.each(cases)("%s", async (_, g) => {
    const samples = fc.sample(g.sample, { numRuns: 24, seed: 7 });
    let isRefused = false;
    let isCompared = false;
    for (const s of samples) {
      if (isRefused && isCompared) break;
      const f = callOf(g, s);
      const wanted = onDevice("cpu", () => f(s.ins.map(fromHost)).map(host));
      const wide = [...s.ins, ...wanted].some(isWide);
      if (wide ? isRefused : isCompared) continue;
      if (wide) {
        isRefused = true;
        expect(() => f(s.ins.map(fromHost))).toThrow(DTypeError);
        continue;
      }
      isCompared = true;
      const half = [...s.ins, ...wanted].some((x) => x.dtype.endsWith("float16"));
      const tolerance = half ? 1e-2 : 1e-5;
      const args = s.ins.map(fromHost);
      same("eager", await read(f(args)), wanted, tolerance);
      const { jaxpr, consts } = traceToJaxpr(
        (...xs) => f(xs),
        args.map((x) => x.aval),
        "sweep",
      );
      const program = evaluator().compile(hoistConsts(jaxpr), { name: "sweep", donated: [], device: null });
      same("jit", await read(program.run([...consts, ...args])), wanted, tolerance);
    }
  });
});
