/**
 * The expanded math functions on WebGPU: within a few units in the last place of the true value, special values right.
 * WGSL lets drivers rearrange arithmetic, so that what is accurate on other targets need not be so here.
 */
import { expect, test } from "vitest";
import { applyBinary, applyUnary } from "../../src/compiler/loopNest/evaluateExpr.ts";
import { expandMath } from "../../src/compiler/expandMath.ts";
import { type MathFunction, binary, unary } from "../../src/core/scalar.ts";
import { pointwise } from "../support/nests.ts";
import { runNest } from "../support/webgpu.ts";

const special = [NaN, Infinity, -Infinity, 0, -0, 1, -1, 1e30, -1e30, 1e-30, -1e-30, 88.7, -87.3, 100, -104, 200, -200];
const points = 4096;
/** Ranges in which a function is interesting, beside the special values. */
const ranges: Readonly<Record<MathFunction, readonly (readonly [number, number])[]>> = {
  exp: [
    [-87, 88],
    [-1, 1],
  ],
  exp2: [
    [-126, 127],
    [-1, 1],
  ],
  expm1: [
    [-20, 88],
    [-0.1, 0.1],
  ],
  log: [
    [0, 4],
    [0, 1e6],
  ],
  log1p: [
    [-0.99, 3],
    [-0.01, 0.01],
  ],
  sin: [
    [-10, 10],
    [-1000, 1000],
  ],
  cos: [
    [-10, 10],
    [-1000, 1000],
  ],
  tan: [
    [-1.5, 1.5],
    [-100, 100],
  ],
  asin: [
    [-1, 1],
    [-0.01, 0.01],
  ],
  acos: [
    [-1, 1],
    [0.99, 1],
  ],
  atan: [
    [-10, 10],
    [-0.1, 0.1],
  ],
  sinh: [
    [-10, 10],
    [-0.1, 0.1],
  ],
  cosh: [
    [-10, 10],
    [-0.1, 0.1],
  ],
  tanh: [
    [-10, 10],
    [-0.1, 0.1],
  ],
  asinh: [
    [-100, 100],
    [-0.1, 0.1],
  ],
  acosh: [
    [1, 3],
    [1, 1e6],
  ],
  atanh: [
    [-0.999, 0.999],
    [-0.1, 0.1],
  ],
  cbrt: [
    [-100, 100],
    [0, 1e-3],
  ],
};

const inputsOf = (all: readonly (readonly [number, number])[]): Float32Array =>
  Float32Array.from([
    ...special,
    ...all.flatMap(([low, high]) =>
      Array.from({ length: points }, (_, i) => low + ((i + 0.37) / points) * (high - low)),
    ),
  ]);

const word = new DataView(new ArrayBuffer(4));
/** The distance from one float32 to the next at x. */
function ulp(x: number): number {
  word.setFloat32(0, Math.abs(x));
  return 2 ** (Math.max(1, word.getUint32(0) >>> 23) - 150);
}

/** The greatest error in units in the last place, with where it is; special values must be right. */
function worst(want: readonly number[], got: Float32Array, at: (i: number) => string): { ulps: number; text: string } {
  let result = { ulps: 0, text: "" };
  for (let i = 0; i < got.length; i++) {
    const [w, g] = [want[i]!, got[i]!];
    const r = Math.fround(w);
    // Numbers below 2^-126 may be taken for 0.
    if (Object.is(r, g) || (Math.abs(r) < 2 ** -126 && Math.abs(g) <= 2 ** -126)) continue;
    const ulps = Number.isFinite(r) && Number.isFinite(g) && r !== 0 ? Math.abs(w - g) / ulp(w) : Infinity;
    if (ulps > result.ulps) result = { ulps, text: `f(${at(i)}) is ${g}, expected ${r}` };
  }
  return result;
}

for (const [name, all] of Object.entries(ranges) as [MathFunction, (typeof ranges)[MathFunction]][])
  test(name, async () => {
    const x = inputsOf(all);
    const nest = pointwise([{ data: x, storage: "f32" }], "f32", ([a]) => expandMath(unary(name, a!)));
    const got = new Float32Array(x.length);
    await runNest(nest, [x, got]);
    const { ulps, text } = worst(
      Array.from(x, (v) => applyUnary(name, "f32", v)),
      got,
      (i) => String(x[i]),
    );
    expect(ulps, text).toBeLessThan(5);
  });

for (const name of ["pow", "atan2"] as const)
  test(name, async () => {
    const some = [...special, 0.5, 2, 3, -2, -3, 0.1, -0.7, 10, 17.3, 1e5];
    const n = some.length ** 2;
    const more = 2000;
    const x = Float32Array.from({ length: n + more }, (_, i) =>
      i < n ? some[i % some.length]! : ((i * 37) % 1000) / 97,
    );
    const y = Float32Array.from({ length: n + more }, (_, i) =>
      i < n ? some[Math.floor(i / some.length)]! : ((i * 71) % 1000) / 50 - 10,
    );
    const nest = pointwise(
      [x, y].map((data) => ({ data, storage: "f32" })),
      "f32",
      ([a, b]) => expandMath(binary(name, a!, b!)),
    );
    const got = new Float32Array(x.length);
    await runNest(nest, [x, y, got]);
    const { ulps, text } = worst(
      Array.from(x, (v, i) => applyBinary(name, "f32", v, y[i]!)),
      got,
      (i) => `${x[i]}, ${y[i]}`,
    );
    expect(ulps, text).toBeLessThan(10);
  });
