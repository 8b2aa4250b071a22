/** Kernels of equal groups are made once, and launches know the lines that they come from. */
import { describe, expect, test } from "vitest";
import { type NDArray, lax, nn, numpy as np, random } from "../../src/index.ts";
import { byReference, compiled, withBuffers } from "../support/compiling.ts";
import { distance } from "../support/arrays.ts";
import { gpuTarget } from "../support/gpuTarget.ts";

type F = (x: NDArray) => NDArray;
const x = random.normal(random.key(0), [12, 16]);
const weights: readonly NDArray[] = [...random.split(random.key(1), 6)].map((k) => random.normal(k, [16, 16]).mul(0.3));

/** Kernels, launches, and whether the values are those of the reference. */
function look(f: F, target = withBuffers(1000)): readonly [kernels: number, launches: number] {
  const { program, run } = compiled(f, [x], { target });
  expect(distance(run()[0]!, byReference(f, [x])[0]!, 1e-4)).toBeNull();
  return [program.kernels.length, program.steps.filter((s) => s.kind === "launch").length];
}

/** Steps that run on the host keep what is before and after them in kernels of their own. */
const apart: F = (y) => np.sort(y);

describe("equal layers", () => {
  const layer = (h: NDArray, w: NDArray): NDArray => np.tanh(np.matmul(h, w));
  test("share kernels", () => {
    expect(look((h) => weights.reduce(layer, h))).toEqual([1, 6]);
    expect(look((h) => weights.reduce(layer, h), gpuTarget)).toEqual([1, 6]);
    // Every two are a chain.
    expect(look((h) => weights.reduce((y, w) => nn.softmax(layer(y, w)), h))).toEqual([2, 6]);
  });
  test("of which all but the first write over their operand need two", () => {
    expect(look((h) => weights.reduce((y) => apart(np.sin(y)), h))).toEqual([2, 6]);
  });
  test("that differ in a parameter, a number, a type or the order of operands share none", () => {
    expect(look((h) => apart(np.flip(apart(np.flip(h, 0).add(1)), 1).add(1)))).toEqual([2, 2]);
    expect(look((h) => apart(h.mul(0)).add(apart(h).mul(-0)))).toEqual([2, 2]);
    expect(look((h) => apart(apart(h.sub(1).astype("int32")).sub(1)).astype("float32"))[0]).toBe(3);
    const [v, w] = weights.map((y) => y.slice([0, 12]));
    expect(look((h) => apart(h.sub(v!)).sub(w!))).toEqual([1, 2]);
    expect(look((h) => w!.sub(apart(h.sub(v!))))).toEqual([1, 2]);
    const [ahead, behind]: F[] = [(y) => np.sin(y).sub(y), (y) => y.sub(np.sin(y))];
    expect(look((h) => apart(behind!(apart(ahead!(h)))))).toEqual([2, 2]);
    expect(look((h) => np.max(apart(np.max(h, 0)), 0).reshape(1))).toEqual([2, 2]);
  });
  test("do so in the bodies of loops", () => {
    const twice: F = (h) => weights.slice(0, 2).reduce((y, w) => np.tanh(np.matmul(y, w)), h);
    const [kernels] = look((h) => lax.foriLoop(0, 3, (_: NDArray, c: NDArray) => twice(c), twice(h)));
    expect(kernels).toBeLessThanOrEqual(3);
  });
});

test("launches know the lines of the equations in their kernels", () => {
  const { program } = compiled((h: NDArray) => np.matmul(np.sin(h), weights[0]!).add(1), [x]);
  const lines = program.steps.flatMap((s) => (s.kind === "launch" ? s.sources.map((source) => source.frame()) : []));
  expect(lines.length).toBeGreaterThanOrEqual(2);
  for (const line of lines) expect(line).toMatch(/kernelList\.test\.ts:\d+:\d+$/);
});
