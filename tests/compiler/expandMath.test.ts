/** Expanded math functions, as compiled code, against float64: errors over all of f32, special values by bits. */
import { describe, expect, it } from "vitest";
import { expandCall, expandMath } from "../../src/compiler/expandMath.ts";
import { applyBinary, applyUnary } from "../../src/compiler/loopNest/evaluateExpr.ts";
import { evaluateNest } from "../../src/compiler/loopNest/evaluateNest.ts";
import type { LoopNest } from "../../src/compiler/loopNest/loopNest.ts";
import { constantIndex, indexVar, varIndex } from "../../src/core/indexing.ts";
import {
  type Expr,
  type MathFunction,
  type UnaryOp,
  constant,
  f32,
  load,
  newBuffer,
  plus,
  reduced,
  reduction,
  unary,
} from "../../src/core/scalar.ts";
import { loop, runWasm, store } from "../support/randomNests.ts";

/** The largest error in units in the last place, somewhat above what a survey of 8 million points per function found. */
const bounds: Readonly<Record<MathFunction, number>> = {
  exp: 1,
  exp2: 1.5,
  expm1: 1.4,
  log: 0.9,
  log1p: 0.9,
  sin: 1.1,
  cos: 1.1,
  tan: 3,
  asin: 1.4,
  acos: 1.2,
  atan: 1.6,
  sinh: 1.6,
  cosh: 1.5,
  tanh: 1.4,
  asinh: 1.7,
  acosh: 1.6,
  atanh: 1.1,
  cbrt: 1,
};
const functions = Object.keys(bounds) as MathFunction[];

/** A kernel that applies a function to every element. */
function kernel(op: string, n: number, binary: boolean): LoopNest {
  const a = newBuffer("a", "f32", n);
  const b = newBuffer("b", "f32", n);
  const o = newBuffer("o", "f32", n);
  const i = indexVar("i", n);
  const at = varIndex(i);
  const value = expandCall(op, load(a, at), binary ? load(b, at) : undefined)!;
  return {
    name: op,
    params: [
      { buffer: a, access: "read" },
      { buffer: b, access: "read" },
      { buffer: o, access: "write" },
    ],
    scratch: [],
    body: [loop("vector", i, store(o, at, value))],
  };
}
function run(op: string, x: Float32Array, y?: Float32Array): Float32Array {
  const out = new Float32Array(x.length);
  runWasm(kernel(op, x.length, y !== undefined), [x, y ?? new Float32Array(x.length), out]);
  return out;
}

const view = new DataView(new ArrayBuffer(4));
const fromBits = (bits: number): number => {
  view.setUint32(0, bits);
  return view.getFloat32(0);
};
/** Distance between neighbours at a number; beyond the largest one as if exponents went on. */
function unit(x: number): number {
  const size = Math.abs(x);
  const exponent = Math.floor(Math.log2(size));
  return 2 ** (Math.max(-126, 2 ** exponent > size ? exponent - 1 : exponent) - 23);
}
/** The error in units in the last place; infinite for a wrong special value or sign. */
function error(actual: number, exact: number): number {
  const rounded = Math.fround(exact);
  if (Object.is(actual, rounded)) return 0;
  if (Number.isNaN(actual) || Number.isNaN(exact) || actual === rounded) return Infinity;
  // Infinity stands for 2^128 where the exact value is almost that.
  const finite = Number.isFinite(actual) ? actual : Math.sign(actual) * 2 ** 128;
  return Math.abs(finite - exact) / (Number.isFinite(rounded) ? unit(exact) : 2 ** 104);
}
/** The input with the largest error, and that. */
function worst(out: Float32Array, exact: (i: number) => number): readonly [number, number] {
  let found: [number, number] = [0, 0];
  out.forEach((v, i) => {
    const e = error(v, exact(i));
    if (e > found[1]) found = [i, e];
  });
  return found;
}
const exactly = (op: UnaryOp, x: number): number => applyUnary(op, "f64", x);

/** Floats of both signs from all binades, some 100,000. */
const everywhere = (() => {
  const step = 42767;
  const half = Float32Array.from({ length: Math.floor(0x7f800000 / step) }, (_, i) =>
    fromBits(i * step + ((i * 7919) % step)),
  );
  return Float32Array.from([...half, ...half.map((x) => -x)]);
})();

describe("errors of math functions", () => {
  it.each(functions)("%s", (op) => {
    const [i, e] = worst(run(op, everywhere), (k) => exactly(op, everywhere[k]!));
    expect(e, `at ${everywhere[i]}`).toBeLessThanOrEqual(bounds[op]);
  });

  it("near the zeros and poles of trigonometric functions, however far", () => {
    const x = Float32Array.from({ length: 20000 }, (_, i) => (i < 4000 ? i : 1.03 ** (i % 2900) * i) * (Math.PI / 4));
    // These are the floats next to multiples of π/4; float64 resolves how far from them they are.
    for (const op of ["sin", "cos", "tan"] as const) {
      const [i, e] = worst(run(op, x), (k) => exactly(op, x[k]!));
      expect(e, `${op} at ${x[i]}`).toBeLessThanOrEqual(bounds[op]);
    }
  });

  /** Pseudo-random floats in pairs. */
  const pairs = (f: (u: number, v: number) => readonly [number, number]): [Float32Array, Float32Array] => {
    const [x, y] = [new Float32Array(60000), new Float32Array(60000)];
    let state = 1;
    const next = (): number => (state = Math.imul(state, 1664525) + 1013904223) >>> 0;
    for (let i = 0; i < x.length; i++) [x[i], y[i]] = f(next(), next());
    return [x, y];
  };
  const anywhere = pairs((u, v) => [fromBits(u), fromBits(v)]);
  /** Exponents that lead to all sizes of results. */
  const powers = pairs((u, v) => {
    const x = Math.abs(Math.fround(fromBits(u)));
    const log = Math.log2(x);
    return [x, Number.isFinite(log) && log !== 0 ? ((v / 2 ** 32 - 0.5) * 310) / log : 1];
  });
  const wholePowers = pairs((u, v) => [(u / 2 ** 32 - 0.5) * 60, (v % 41) - 20]);
  const nearOne = pairs((u, v) => [1 + (u / 2 ** 32 - 0.5) / 64, (v / 2 ** 32 - 0.5) * 8000]);
  const slopes = pairs((u, v) => [fromBits(u), fromBits(u) * (v / 2 ** 31 - 1) * 3]);

  it.each([
    ["pow", 1.6, [anywhere, powers, wholePowers, nearOne]],
    ["atan2", 1.8, [anywhere, slopes]],
  ] as const)("%s", (op, bound, samples) => {
    for (const [x, y] of samples) {
      const [i, e] = worst(run(op, x, y), (k) => applyBinary(op, "f64", x[k]!, y[k]!));
      expect(e, `at ${x[i]}, ${y[i]}`).toBeLessThanOrEqual(bound);
    }
  });
});

describe("special values", () => {
  const special = [
    0,
    Infinity,
    NaN,
    1,
    2,
    0.5,
    1.5,
    3,
    88.72284,
    89,
    104,
    127.5,
    128,
    fromBits(1),
    fromBits(0x007fffff),
    fromBits(0x00800000),
    fromBits(0x7f7fffff),
    fromBits(0x3f800001),
    fromBits(0x3f7fffff),
    16777215,
    16777216,
    16777217,
    4294967296,
  ].flatMap((x) => [x, -x]);

  it.each(functions)("%s", (op) => {
    const x = Float32Array.from(special);
    const [i, e] = worst(run(op, x), (k) => exactly(op, x[k]!));
    expect(e, `at ${x[i]}`).toBeLessThanOrEqual(bounds[op]);
  });

  it.each(["pow", "atan2"] as const)("%s", (op) => {
    const x = Float32Array.from(special.flatMap((v) => special.map(() => v)));
    const y = Float32Array.from(special.flatMap(() => special));
    const [i, e] = worst(run(op, x, y), (k) => applyBinary(op, "f64", x[k]!, y[k]!));
    expect(e, `at ${x[i]}, ${y[i]}`).toBeLessThanOrEqual(2);
  });
});

describe("expandMath", () => {
  const a = newBuffer("a", "f32", 4);
  const x = load(a, constantIndex(0));

  it("gives code and evaluator the same bits", () => {
    const sample = everywhere.filter((_, i) => i % 997 === 0);
    for (const op of functions) {
      const out = new Float32Array(sample.length);
      evaluateNest(kernel(op, sample.length, false), [sample, sample, out]);
      expect(run(op, sample), op).toEqual(out);
    }
  });

  it("leaves f64 and everything else as it is", () => {
    const wide = unary("exp", constant("f64", 2));
    const sum = plus(x, f32(1));
    expect(expandMath(wide)).toBe(wide);
    expect(expandMath(sum)).toBe(sum);
    expect(expandCall("exp", constant("f64", 2))).toBeNull();
    expect(expandCall("sqrt", x)).toBeNull();
  });

  it("expands what is shared once, inside reductions and what combines them", () => {
    const e = unary("exp", x);
    const both = expandMath(plus(e, e));
    expect(both.kind === "binary" && both.x === both.y).toBe(true);
    const kinds = (root: Expr): Set<string> => {
      const found = new Set<string>();
      const visit = (n: Expr): void => {
        if (n.kind === "unary") found.add(n.op);
        for (const o of Object.values(n)) if (o !== null && typeof o === "object" && "kind" in o) visit(o as Expr);
      };
      visit(root);
      return found;
    };
    const r = reduction([indexVar("k", 2)], ["f32"], [0], ([p], [q]) => [unary("log", plus(p!, q!))], [e]);
    const out = expandMath(reduced(r));
    if (out.kind !== "reduced" || typeof out.reduction.combine !== "function") throw new Error("not a reduction");
    expect(kinds(out.reduction.body[0]!).has("exp")).toBe(false);
    expect(kinds(out.reduction.combine([x], [x])[0]!).has("log")).toBe(false);
  });
});
