/**
 * Random programs, compiled, against the reference: on the wasm device, and as programs evaluated on loop nests, which
 * tells faults of fusion, scheduling and memory planning from faults of the code. Devices with few buffers are evaluated.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { HostArray } from "../../src/core/hostArray.ts";
import type { NDArray } from "../../src/core/ndarray.ts";
import { flatten } from "../../src/core/tree.ts";
import { jit } from "../../src/transforms/jit.ts";
import { holds } from "../properties.ts";
import { distance, fromHost, host } from "../support/arrays.ts";
import { byReference, compiled, explained, withBuffers } from "../support/compiling.ts";
import { onDevice } from "../support/devices.ts";
import { type Kernel, kernels } from "../support/kernels.ts";
import { suites, transformedPrograms } from "../support/transformedPrograms.ts";

type F = (...args: NDArray[]) => unknown;

/** A failure says which stage of the compiler is wrong. */
function same(
  what: string,
  found: readonly HostArray[],
  wanted: readonly HostArray[],
  tolerance: number,
  explanation: () => string = () => "",
): void {
  expect(found.length).toBe(wanted.length);
  found.forEach((y, i) => {
    const d = distance(y, wanted[i]!, tolerance);
    if (!d) return;
    const values = `  found  ${y.data.join()}\n  wanted ${wanted[i]!.data.join()}`;
    expect.fail(`${what}, result ${i}: ${d}\n${values}\n${explanation()}`);
  });
}

/** On the wasm device, in one program. */
function sameOnWasm(
  what: string,
  f: F,
  args: readonly NDArray[],
  wanted: readonly HostArray[],
  tolerance: number,
): void {
  const found = onDevice("wasm", () => (flatten(jit(f)(...args))[0] as NDArray[]).map(host));
  same(what, found, wanted, tolerance, () => explained(f, args));
}

const counts: Readonly<Record<keyof typeof suites, number>> = {
  "every transform": 50,
  "forward mode, while loops": 25,
  "reverse mode, customVjp": 25,
};
const cases = Object.entries(suites).map(
  ([name, suite]) => [name, suite, counts[name as keyof typeof suites]] as const,
);

describe("programs with control flow", () => {
  const reasonable = (y: HostArray): boolean => y.data.every((v) => Math.abs(v) < 1e6);

  test.each(cases)("float64 on wasm: %s", (_, suite, count) =>
    holds(count, [transformedPrograms(suite, "float64")], ({ title, f, x }) => {
      const args = [fromHost(x)];
      const wanted = byReference(f, args);
      if (wanted.every(reasonable)) sameOnWasm(title, f, args, wanted, 1e-10);
    }),
  );
  test.each(cases)("float64 on loop nests: %s", (_, suite, count) =>
    holds(
      count,
      [transformedPrograms(suite, "float64"), fc.constantFrom(1000, 10, 8)],
      ({ title, f, x }, maxBuffers) => {
        const args = [fromHost(x)];
        const wanted = byReference(f, args);
        if (!wanted.every(reasonable)) return;
        same(title, compiled(f, args, { target: withBuffers(maxBuffers) }).run(), wanted, 1e-10);
      },
    ),
  );
  test("float32 on wasm", () =>
    holds(60, [transformedPrograms(suites["every transform"], "float32")], ({ title, f, x }) => {
      const args = [fromHost(x)];
      const wanted = byReference(f, args);
      // A choice may fall the other way by a rounding: what float32 does not settle is not compared.
      const wide = byReference(f, [fromHost({ ...x, dtype: "float64", data: Float64Array.from(x.data) })]);
      const settled = wide.every((y, i) => distance({ ...y, dtype: "float32" }, wanted[i]!, 1e-4) === null);
      if (settled && wanted.every(reasonable)) sameOnWasm(title, f, args, wanted, 1e-3);
    }));
});

describe("kernels over long axes", () => {
  const args = (k: Kernel): NDArray[] => k.inputs.map(fromHost);
  test.each(Object.entries(kernels))("%s, on wasm", (_, { large, count }) =>
    holds(count, [large], (k) => sameOnWasm(k.title, k.f, args(k), byReference(k.f, args(k)), k.tolerance)),
  );
  test.each(Object.entries(kernels))("%s, on loop nests", (_, { small, count }) =>
    holds(count, [small, fc.constantFrom(1000, 8)], (k, maxBuffers) => {
      const c = compiled(k.f, args(k), { target: withBuffers(maxBuffers) });
      same(k.title, c.run(), byReference(k.f, args(k)), k.tolerance);
    }),
  );
});
