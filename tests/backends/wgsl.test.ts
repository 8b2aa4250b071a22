/**
 * WGSL from loop nests: every operation, on values chosen to go wrong, gives the bits of the interpreter. The text passes
 * Tint (Dawn's null backend) and runs on a software adapter.
 */
import { describe, expect, test } from "vitest";
import { evaluateNest } from "../../src/compiler/loopNest/evaluateNest.ts";
import type { LoopNest } from "../../src/compiler/loopNest/loopNest.ts";
import type { TypedArray } from "../../src/core/hostArray.ts";
import { add, addConstant, floorDiv, indexVar, modulo, scale, varIndex } from "../../src/core/indexing.ts";
import * as S from "../../src/core/scalar.ts";
import type { BinaryOp, Expr, ScalarType, StorageType, UnaryOp } from "../../src/core/scalar.ts";
import { pointwise } from "../support/nests.ts";
import { runNest } from "../support/webgpu.ts";

const floats = [
  NaN,
  Infinity,
  -Infinity,
  0,
  -0,
  1,
  -1,
  0.5,
  -0.5,
  1.5,
  -1.5,
  2.5,
  0.49999997,
  -0.49999997,
  3,
  0.1,
  -7.3,
  1e-30,
  -1e30,
  8388607.5,
  8388609,
  16777217,
  2147483520,
  2147483648,
  -2147483648,
  4294967040,
  4294967296,
  3.4028234663852886e38,
];
const ints = [0, 1, -1, 2, 5, -7, 31, 32, 255, 65536, -65537, 0x7fffffff, -0x80000000, 123456789, -987654321];
const numbers: Record<"f32" | "i32" | "u32", TypedArray> = {
  f32: new Float32Array(floats),
  i32: new Int32Array(ints),
  u32: new Uint32Array(ints),
};
type Word = keyof typeof numbers;
const words: readonly Word[] = ["f32", "i32", "u32"];

/** Every value beside every value. */
function pairs(a: TypedArray, b: TypedArray): [TypedArray, TypedArray] {
  const n = a.length * b.length;
  const [x, y] = [a.slice(0, 0), b.slice(0, 0)].map((t) => new (t.constructor as new (n: number) => TypedArray)(n));
  for (let i = 0; i < n; i++) {
    x![i] = a[i % a.length]!;
    y![i] = b[Math.floor(i / a.length)]!;
  }
  return [x!, y!];
}

const show = (x: number): string => (Object.is(x, -0) ? "-0" : String(x));
const bitsOf = (x: TypedArray): Uint32Array => new Uint32Array(x.buffer, x.byteOffset, x.length);

/** Runs a pointwise nest here and there, and compares bits; NaNs are all alike. */
async function agree(inputs: readonly TypedArray[], output: Word, f: (xs: readonly Expr[]) => Expr, ulps = 0) {
  const storage = (x: TypedArray): StorageType =>
    x instanceof Float32Array ? "f32" : x instanceof Int32Array ? "i32" : "u32";
  const nest = pointwise(
    inputs.map((data) => ({ data, storage: storage(data) })),
    output,
    f,
  );
  await compareNest(nest, inputs, ulps);
}

async function compareNest(nest: LoopNest, inputs: readonly TypedArray[], ulps = 0): Promise<void> {
  const outs = nest.params.slice(inputs.length).map(({ buffer }) => {
    const of = { f32: Float32Array, i32: Int32Array, u32: Uint32Array }[buffer.storage as Word];
    return [new of(buffer.length), new of(buffer.length)] as const;
  });
  evaluateNest(nest, [...inputs, ...outs.map(([want]) => want)]);
  await runNest(nest, [...inputs, ...outs.map(([, got]) => got)]);
  const wrong: string[] = [];
  for (const [want, got] of outs) {
    const [a, b] = [bitsOf(want), bitsOf(got)];
    for (let i = 0; i < want.length; i++) {
      if (a[i] === b[i] || (Number.isNaN(want[i]) && Number.isNaN(got[i]))) continue;
      if (Math.abs(a[i]! - b[i]!) <= ulps) continue;
      // Numbers below 2^-126 may be taken for 0.
      if (want instanceof Float32Array && Math.abs(want[i]!) < 2 ** -126 && got[i] === 0) continue;
      const at = inputs.filter((x) => x.length === want.length).map((x) => show(x[i]!));
      wrong.push(`f(${at.join(", ")}) is ${show(got[i]!)}, expected ${show(want[i]!)}`);
    }
  }
  expect(wrong.slice(0, 10)).toEqual([]);
}

const unaryOps: Readonly<Record<Word, readonly UnaryOp[]>> = {
  f32: ["neg", "abs", "sqrt", "floor", "ceil", "trunc", "round", "isNaN"],
  i32: ["neg", "abs", "not", "clz", "popcount"],
  u32: ["neg", "not", "clz", "popcount"],
};
const binaryOps: Readonly<Record<Word, readonly BinaryOp[]>> = {
  f32: ["add", "sub", "mul", "div", "rem", "min", "max"],
  i32: ["add", "sub", "mul", "min", "max", "and", "or", "xor", "shl", "shr"],
  u32: ["add", "sub", "mul", "min", "max", "and", "or", "xor", "shl", "shr"],
};
const compareOps = ["eq", "ne", "lt", "le", "gt", "ge"] as const;
/** Bools are stored as words. */
const storedAs = (t: ScalarType): Word => (t === "bool" ? "u32" : (t as Word));

describe("operations give the bits of the interpreter", () => {
  for (const type of words) {
    const one = numbers[type];
    const [x, y] = pairs(one, one);

    test(`unary operations of ${type}`, async () => {
      for (const op of unaryOps[type])
        await agree([one], op === "isNaN" ? "u32" : type, ([a]) => S.unary(op, a!), op === "sqrt" ? 1 : 0);
    });
    test(`binary operations of ${type}`, async () => {
      for (const op of binaryOps[type]) {
        const shift = op === "shl" || op === "shr";
        const count = (b: Expr): Expr => (shift ? S.binary("and", b, S.constant(type, 31)) : b);
        await agree([x, y], type, ([a, b]) => S.binary(op, a!, count(b!)), op === "div" ? 2 : 0);
      }
    });
    test(`comparisons of ${type}`, async () => {
      for (const op of compareOps) {
        await agree([x, y], "u32", ([a, b]) => S.compare(op, a!, b!));
        await agree([x, y], type, ([a, b]) => S.select(S.compare(op, a!, b!), a!, b!));
        await agree([x, y], "u32", ([a, b]) => S.not(S.compare(op, a!, b!)));
        await agree([one], "u32", ([a]) => S.compare(op, a!, a!));
      }
    });
    test(`conversions of ${type}`, async () => {
      for (const to of [...words, "bool"] as const)
        if (to !== type) await agree([one], storedAs(to), ([a]) => S.convert(a!, to));
      for (const to of words) if (to !== type) await agree([one], to, ([a]) => S.bitcast(a!, to));
    });
    test(`${type} beside constants`, async () => {
      for (const c of one) {
        const k = S.constant(type, c);
        const values: ((a: Expr) => Expr)[] =
          type === "f32"
            ? [
                (a) => S.greatest(a, k),
                (a) => S.least(k, a),
                (a) => S.plus(a, k),
                (a) => S.minus(k, a),
                (a) => S.times(k, a),
                (a) => S.select(S.compare("ge", a, k), S.bitcast(k, "f32"), a),
              ]
            : [(a) => S.greatest(a, k), (a) => S.plus(k, a), (a) => S.binary("xor", a, k)];
        // One kernel for all: a sum of what differs would hide it, so each takes a place of its own.
        const wide = new (one.constructor as new (n: number) => TypedArray)(one.length * values.length);
        wide.forEach((_, i) => (wide[i] = one[i % one.length]!));
        const nest = pointwise([{ data: wide, storage: type }], type, ([a], i) =>
          values.reduceRight<Expr>(
            (rest, f, j) => S.select(S.equal(S.ofIndex(floorDiv(i, one.length)), S.i32(j)), f(a!), rest),
            a!,
          ),
        );
        await compareNest(nest, [wide]);
      }
    });
  }

  test("quotients and remainders of whole numbers, for every divisor", async () => {
    for (const type of ["i32", "u32"] as const) {
      const [x, y] = pairs(numbers[type], numbers[type]);
      for (const op of ["div", "rem"] as const) await agree([x, y], type, ([a, b]) => S.quotient(op, a!, b!));
    }
  });

  test("remainders of floats are exact however far apart they are", async () => {
    const many = new Float32Array(64);
    for (let i = 0; i < many.length; i++) many[i] = (i % 2 ? -1 : 1) * (1 + i / 37) * 2 ** (((i * 29) % 250) - 125);
    await agree(pairs(many, many), "f32", ([a, b]) => S.binary("rem", a!, b!));
  });

  test("predicates", async () => {
    const [x, y] = pairs(new Uint32Array([0, 1]), new Uint32Array([0, 1]));
    const p = (a: Expr): Expr => S.compare("ne", a, S.u32(0));
    for (const op of ["and", "or", "xor", "min", "max"] as const)
      await agree([x, y], "u32", ([a, b]) => S.binary(op, p(a!), p(b!)));
    for (const op of compareOps) await agree([x, y], "u32", ([a, b]) => S.compare(op, p(a!), p(b!)));
    await agree([x, y], "f32", ([a, b]) => S.select(S.not(p(a!)), S.convert(p(b!), "f32"), S.f32(-0)));
    await agree([x, y], "i32", ([a, b]) => S.select(p(a!), S.convert(p(b!), "i32"), S.i32(-0x80000000)));
  });
});

describe("what drivers would simplify away", () => {
  const [x, y] = pairs(numbers.f32, numbers.f32);
  const f = S.f32;
  const let1 = (e: Expr): Expr => e;
  const cases: Readonly<Record<string, (a: Expr, b: Expr) => Expr>> = {
    "x - x": (a) => S.minus(a, a),
    "x + -x": (a) => S.plus(a, S.negate(a)),
    "x / x": (a) => S.over(a, a),
    "0 * x": (a) => S.times(f(0), a),
    "x * -0": (a) => S.times(a, f(-0)),
    "0 / x": (a) => S.over(f(0), a),
    "x / 0": (a) => S.over(a, f(0)),
    "x + 0": (a) => S.plus(a, f(0)),
    "x - 0": (a) => S.minus(a, f(0)),
    "0 - x": (a) => S.minus(f(0), a),
    "x * 1": (a) => S.times(a, f(1)),
    "x + y - y": (a, b) => S.minus(S.plus(a, b), b),
    "x + y - x": (a, b) => S.minus(S.plus(a, b), a),
    "y + (x - y)": (a, b) => S.plus(b, S.minus(a, b)),
    "x + 1 - 1": (a) => S.minus(S.plus(a, f(1)), f(1)),
    "1 - (1 - x)": (a) => S.minus(f(1), S.minus(f(1), let1(a))),
    "x * 2^100 * 2^-100": (a) => S.times(S.times(a, f(2 ** 100)), f(2 ** -100)),
    "√x √x": (a) => S.times(S.unary("sqrt", a), S.unary("sqrt", a)),
    "xy - xy": (a, b) => S.minus(S.times(a, b), S.times(a, b)),
    "x < y ? y : x": (a, b) => S.select(S.less(a, b), b, a),
    "x ≠ x": (a) => S.convert(S.compare("ne", a, a), "f32"),
    NaN: (a) => S.select(S.less(a, f(0)), f(NaN), f(-Infinity)),
    "bits of NaN": (a) => S.plus(a, S.bitcast(S.u32(0x7fc00000), "f32")),
    "error of a sum": (a, b) => {
      const s = S.plus(a, b);
      const t = S.minus(s, a);
      return S.plus(S.minus(a, S.minus(s, t)), S.minus(b, t));
    },
  };
  for (const [name, g] of Object.entries(cases))
    test(name, () => agree([x, y], "f32", ([a, b]) => g(a!, b!), name.includes("√") || name.includes("/") ? 2 : 0));

  test("through locals too", async () => {
    const nest = pointwise(
      [
        { data: x, storage: "f32" },
        { data: y, storage: "f32" },
      ],
      "f32",
      ([a]) => a!,
    );
    const [a, b] = nest.params.map((p) => p.buffer);
    const block = nest.body[0] as unknown as { body: [{ variable: never; body: [{ body: [{ index: never }] }] }] };
    const inner = block.body[0].body[0].body as unknown as { index: never }[];
    const { index } = inner[0]!;
    const sum = S.newLocal("sum", "f32");
    const back = S.newLocal("back", "f32");
    const s = (local: typeof sum): Expr => S.readLocal(local);
    const statements = [
      { kind: "let", local: sum, value: S.plus(S.load(a!, index), S.load(b!, index)) },
      { kind: "let", local: back, value: S.load(b!, index) },
      { kind: "store", buffer: nest.params[2]!.buffer, index, value: S.minus(s(sum), s(back)) },
    ];
    inner.splice(0, 1, ...(statements as unknown as typeof inner));
    await compareNest(nest, [x, y]);
  });
});

describe("index arithmetic", () => {
  test("quotients round down and remainders are not negative", async () => {
    const n = 300;
    const data = Int32Array.from({ length: n }, (_, i) => i - 150);
    for (const by of [1, 2, 3, 7, 8, 10, 64, 1000]) {
      const nest = pointwise([{ data, storage: "i32" }], "i32", ([a], i) => {
        const value = S.indexOf(a!, -150, 150);
        const shifted = addConstant(i, -150);
        const parts = [
          floorDiv(value, by),
          modulo(value, by),
          floorDiv(shifted, by),
          modulo(shifted, by),
          floorDiv(i, by),
          modulo(add(scale(i, 3), modulo(value, 5)), by),
          modulo(floorDiv(addConstant(scale(i, -2), 7), 3), by),
        ];
        return parts.reduce<Expr>((sum, p) => S.plus(S.times(sum, S.i32(31)), S.ofIndex(p)), S.i32(0));
      });
      await compareNest(nest, [data]);
    }
  });

  test("a variable that runs once is nothing", () => {
    expect(varIndex(indexVar("one", 1)).key).toBe("0");
  });
});
