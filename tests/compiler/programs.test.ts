/**
 * Random programs, compiled, against the reference: on the wasm device, and as programs evaluated on loop nests, which
 * tells faults of fusion, scheduling and memory planning from faults of the code. Devices with few buffers are evaluated.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { HostArray } from "../../src/core/hostArray.ts";
import type { NDArray } from "../../src/core/ndarray.ts";
import { flatten } from "../../src/core/tree.ts";
import * as lax from "../../src/lax/index.ts";
import { checkpoint } from "../../src/transforms/checkpoint.ts";
import { jvp } from "../../src/transforms/forward.ts";
import { grad } from "../../src/transforms/gradient.ts";
import { jit } from "../../src/transforms/jit.ts";
import { vmap } from "../../src/transforms/vmap.ts";
import { holds } from "../properties.ts";
import { distance, fromHost, host } from "../support/arrays.ts";
import { byReference, compiled, explained, withBuffers } from "../support/compiling.ts";
import { onDevice } from "../support/devices.ts";
import { type Kernel, kernels } from "../support/kernels.ts";
import { type Program, bothModes, programs, run, show } from "../support/programs.ts";
import { arrays } from "../sweep/generator.ts";

type F = (...xs: NDArray[]) => unknown;
type G = (x: NDArray) => NDArray;

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

/** Some number for each element, whatever the shape. */
const weigh = (y: NDArray): NDArray => {
  const flat = lax.reshape(y, [y.size]);
  const weights = lax.cos(lax.mul(lax.convertElementType(lax.iota("int32", y.size), y.dtype), 2.3));
  return lax.reduceSum(lax.mul(flat, weights), [0]);
};
const transforms: Readonly<Record<string, (f: G) => G>> = {
  jit: (f) => jit(f),
  checkpoint: (f) => checkpoint(f),
  vmap: (f) => (x) => vmap(f)(lax.stack([x, lax.mul(x, -0.5), lax.add(x, 0.25)], 0)),
  vmapShared: (f) => (x) =>
    vmap((s: NDArray) => f(lax.mul(x, s)), { outAxes: -1 })(lax.stack([weigh(x), lax.tanh(weigh(x))], 0)),
  jvp: (f) => (x) => jvp(f, [x], [lax.cos(x)])[1],
  grad: (f) => (x) => grad((v: NDArray) => weigh(f(v)))(x),
};
const compositions = (among: readonly string[]): fc.Arbitrary<string[]> =>
  fc
    .array(fc.constantFrom(...among), { maxLength: 3 })
    .filter((names) => names.filter((t) => t === "jvp" || t === "grad").length <= 2);

const inputs = (dtype: "float32" | "float64"): fc.Arbitrary<HostArray> =>
  fc
    .constantFrom<number[]>([], [2], [3], [2, 2], [5], [3, 1], [2, 3, 2])
    .chain((shape) => arrays(shape, dtype, { min: -1.5, max: 1.5 }));

const everyTransform = Object.keys(transforms);
const forwardOnly = everyTransform.filter((t) => t !== "grad");
const reverseOnly = everyTransform.filter((t) => t !== "jvp");

interface Suite {
  readonly count: number;
  readonly structured: readonly string[];
  readonly among: readonly string[];
}
const suites: Readonly<Record<string, Suite>> = {
  "every transform": { count: 50, structured: bothModes, among: everyTransform },
  "forward mode, while loops": { count: 25, structured: [...bothModes, "while"], among: forwardOnly },
  "reverse mode, customVjp": { count: 25, structured: [...bothModes, "customVjp"], among: reverseOnly },
};
const cases = Object.entries(suites);

describe("programs with control flow", () => {
  const sample = ({ structured, among }: Suite, dtype: "float32" | "float64") =>
    [programs({ structured, maxSteps: 5, depth: 2 }), compositions(among), inputs(dtype)] as const;
  const built = (p: Program, names: readonly string[]): G =>
    names.reduce<G>(
      (f, t) => transforms[t]!(f),
      (v) => run(p, [v]),
    );
  const titled = (p: Program, names: readonly string[]): string =>
    `${names.join(" of ")} (innermost first) of ${show(p)}`;
  const reasonable = (y: HostArray): boolean => y.data.every((v) => Math.abs(v) < 1e6);

  test.each(cases)("float64 on wasm: %s", (_, suite) =>
    holds(suite.count, [...sample(suite, "float64")], (p, names, x) => {
      const [f, args] = [built(p, names), [fromHost(x)]];
      const wanted = byReference(f, args);
      if (wanted.every(reasonable)) sameOnWasm(titled(p, names), f, args, wanted, 1e-10);
    }),
  );
  test.each(cases)("float64 on loop nests: %s", (_, suite) =>
    holds(suite.count, [...sample(suite, "float64"), fc.constantFrom(1000, 10, 8)], (p, names, x, maxBuffers) => {
      const [f, args] = [built(p, names), [fromHost(x)]];
      const wanted = byReference(f, args);
      if (!wanted.every(reasonable)) return;
      same(titled(p, names), compiled(f, args, { target: withBuffers(maxBuffers) }).run(), wanted, 1e-10);
    }),
  );
  test("float32 on wasm", () =>
    holds(60, [...sample(suites["every transform"]!, "float32")], (p, names, x) => {
      const [f, args] = [built(p, names), [fromHost(x)]];
      const wanted = byReference(f, args);
      // A choice may fall the other way by a rounding: what float32 does not settle is not compared.
      const wide = byReference(f, [fromHost({ ...x, dtype: "float64", data: Float64Array.from(x.data) })]);
      const settled = wide.every((y, i) => distance({ ...y, dtype: "float32" }, wanted[i]!, 1e-4) === null);
      if (settled && wanted.every(reasonable)) sameOnWasm(titled(p, names), f, args, wanted, 1e-3);
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
