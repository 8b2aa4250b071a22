/**
 * The makers of scalar expressions: what they fold and simplify has the value of the plain operation, to the bit, for
 * every operand. First every operation next to every special constant, then random trees, then rewriting and sharing.
 */
import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { expandMath } from "../../src/compiler/expandMath.ts";
import { type Environment, evaluateExpr } from "../../src/compiler/loopNest/evaluateExpr.ts";
import { Rewriter } from "../../src/compiler/loopNest/rewrite.ts";
import { Sharer } from "../../src/compiler/loopNest/share.ts";
import { type DType, allDTypes, isComplex, isKey } from "../../src/core/dtype.ts";
import { convertElement, decode, encode, normalize, packedLayout, scalarTypeOf } from "../../src/core/elementTypes.ts";
import { add, addConstant, constantIndex, indexVar, subtract, valueIndex, varIndex } from "../../src/core/indexing.ts";
import {
  type Expr,
  type MathFunction,
  type ScalarType,
  type StorageType,
  bitcastValue,
  clampIndex,
  constant,
  convert,
  convertValue,
  i32,
  indexOf,
  load,
  loadedType,
  newBuffer,
  ofIndex,
  quotient,
  reduced,
  reduction,
  select,
  unary,
  within,
} from "../../src/core/scalar.ts";
import { holds } from "../properties.ts";
import {
  type Maker,
  binaryOps,
  compareOps,
  data,
  environment,
  folding,
  isDefined,
  outer,
  partialOps,
  plain,
  sameBits,
  scalarTypes,
  specialValues,
  specialsOf,
  storageOf,
  storages,
  trees,
  unaryOps,
} from "../support/scalarTrees.ts";

const zero = constantIndex(0);
/** Two operands that are not known, in every storage. */
const given = (["a", "b"] as const).map(
  (name) =>
    Object.fromEntries(storages.map((s) => [s, newBuffer(name, s, 1)])) as Record<
      StorageType,
      ReturnType<typeof newBuffer>
    >,
);
function operand(n: number, type: ScalarType, storage: StorageType): Expr {
  const x = load(given[n]![storage], zero);
  return type === "bool" ? plain.compare("ne", x, constant(loadedType(storage), 0)) : x;
}
const at = (...values: readonly number[]): Environment => ({
  variables: new Map(),
  locals: new Map(),
  load: (b) => values[given.findIndex((g) => g[b.storage] === b)]!,
});
const show = (v: number): string => (Object.is(v, -0) ? "-0" : String(v));

/** Types with the storages they are loaded from. */
const cases = scalarTypes.flatMap((type): [ScalarType, StorageType][] =>
  type === "bool"
    ? [["bool", "u8"]]
    : storages.filter((s) => loadedType(s) === type).map((s): [ScalarType, StorageType] => [type, s]),
);
const valuesOf = (type: ScalarType, storage: StorageType): readonly number[] =>
  type === "bool" ? [0, 1] : specialsOf(storage);

/** Compares an expression made by folding with the plain one where operands have these values. */
function expectSame(make: (m: Maker) => Expr, env: Environment, what: () => string): void {
  const [found, wanted] = [evaluateExpr(make(folding), env), evaluateExpr(make(plain), env)];
  if (!sameBits(found, wanted)) expect.fail(`${what()} is ${show(wanted)}, simplified ${show(found)}`);
}

describe.each(cases)("%s loaded from %s", (type, storage) => {
  const values = valuesOf(type, storage);
  const constants = specialValues(type);
  const x = operand(0, type, storage);
  const y = operand(1, type, storage);
  const whole = type === "i32" || type === "u32";
  const ops = [...binaryOps(type), ...(whole ? partialOps : [])];

  test.each(ops)("%s with a constant on either side, of constants, and of an operand and itself", (op) => {
    for (const v of values) {
      for (const c of constants) {
        const k = constant(type, c);
        const check = (a: number, b: number, make: (m: Maker) => Expr): void => {
          if (isDefined(op, type, a, b)) expectSame(make, at(v), () => `${op}(${show(a)}, ${show(b)})`);
        };
        check(v, c, (m) => m.binary(op, x, k));
        check(c, v, (m) => m.binary(op, k, x));
        check(v, c, (m) => m.binary(op, constant(type, v), k));
        // Next to an operation of its own kind and of others, as rules that reassociate would find it.
        if (type !== "bool" && !partialOps.includes(op))
          for (const other of ["add", "sub", "mul"] as const) {
            check(v, c, (m) => m.binary(op, m.binary(other, x, k), k));
            check(v, c, (m) => m.binary(op, m.binary(other, k, x), x));
          }
      }
      if (isDefined(op, type, v, v))
        expectSame(
          (m) => m.binary(op, x, x),
          at(v),
          () => `${op} of ${show(v)} twice`,
        );
      for (const w of values)
        if (isDefined(op, type, v, w))
          expectSame(
            (m) => m.binary(op, x, y),
            at(v, w),
            () => `${op}(${show(v)}, ${show(w)})`,
          );
    }
  });
  test("comparisons with constants, of constants, and of an operand and itself", () => {
    for (const op of compareOps)
      for (const v of values) {
        expectSame(
          (m) => m.compare(op, x, x),
          at(v),
          () => `${op} of ${show(v)} twice`,
        );
        for (const c of constants) {
          const k = constant(type, c);
          const what = (): string => `${op}(${show(v)}, ${show(c)})`;
          expectSame((m) => m.compare(op, x, k), at(v), what);
          expectSame(
            (m) => m.compare(op, k, x),
            at(v),
            () => `${op}(${show(c)}, ${show(v)})`,
          );
          expectSame((m) => m.compare(op, constant(type, v), k), at(v), what);
          expectSame(
            (m) => m.unary("not", m.compare(op, x, k)),
            at(v),
            () => `not ${what()}`,
          );
        }
      }
  });
  test("unary operations and pairs of them", () => {
    const float = type === "f32" || type === "f64";
    for (const v of values)
      for (const op of unaryOps(type)) {
        expectSame(
          (m) => m.unary(op, constant(type, v)),
          at(v),
          () => `${op}(${show(v)})`,
        );
        for (const second of unaryOps(type))
          expectSame(
            (m) => m.unary(second, m.unary(op, x)),
            at(v),
            () => `${second}(${op}(${show(v)}))`,
          );
        if (float)
          expectSame(
            (m) => m.unary("isNaN", m.unary(op, x)),
            at(v),
            () => `isNaN(${op}(${show(v)}))`,
          );
      }
    if (float)
      for (const v of values)
        expectSame(
          (m) => m.unary("isNaN", constant(type, v)),
          at(v),
          () => show(v),
        );
  });
  test("choices: known, between equal cases, between constants, within each other", () => {
    const condition = operand(1, "bool", "u8");
    for (const v of values)
      for (const c of [0, 1]) {
        const env = at(v, c);
        for (const d of constants) {
          const k = constant(type, d);
          const what = (): string => `${c} ? ${show(v)} : ${show(d)}`;
          expectSame((m) => m.select(condition, x, k), env, what);
          expectSame((m) => m.select(condition, k, x), env, what);
          expectSame((m) => m.select(constant("bool", c), x, k), env, what);
          expectSame((m) => m.select(m.unary("not", condition), x, k), env, what);
          expectSame((m) => m.select(condition, k, constant(type, d)), env, what);
          expectSame((m) => m.select(condition, m.select(condition, k, x), x), env, what);
          expectSame((m) => m.select(condition, x, m.select(condition, x, k)), env, what);
          expectSame((m) => m.select(m.compare("eq", x, k), k, x), env, what);
          expectSame((m) => m.select(m.compare("lt", x, k), x, k), env, what);
          for (const e of constants) expectSame((m) => m.select(condition, k, constant(type, e)), env, what);
        }
        expectSame(
          (m) => m.select(condition, x, x),
          env,
          () => show(v),
        );
      }
  });
  test("conversions, there and back", () => {
    for (const v of values)
      for (const to of scalarTypes) {
        expectSame(
          (m) => m.convert(constant(type, v), to),
          at(v),
          () => `${to}(${show(v)})`,
        );
        for (const back of scalarTypes)
          expectSame(
            (m) => m.convert(m.convert(x, to), back),
            at(v),
            () => `${back}(${to}(${show(v)}))`,
          );
      }
  });
  // Nothing has as many bits as bool or f64.
  if (type !== "bool" && type !== "f64")
    test("reinterpretations of bits, there and back", () => {
      for (const v of values)
        for (const to of ["i32", "u32", "f32"] as const) {
          expectSame(
            (m) => m.bitcast(constant(type, v), to),
            at(v),
            () => `bits of ${show(v)} as ${to}`,
          );
          // Whole numbers that are the bits of a NaN do not survive being a float.
          const through = evaluateExpr(plain.bitcast(x, to), at(v));
          if (Number.isNaN(through) && type !== "f32") continue;
          for (const back of ["i32", "u32", "f32"] as const)
            expectSame(
              (m) => m.bitcast(m.bitcast(x, to), back),
              at(v),
              () => `bits of ${show(v)} as ${to}, ${back}`,
            );
        }
    });
});

describe("rules that are there", () => {
  const x = operand(0, "i32", "i32");
  const p = operand(0, "bool", "u8");
  const f = operand(0, "f32", "f32");
  const all = -1;
  test("identities of whole numbers", () => {
    const by = (op: Parameters<Maker["binary"]>[0], n: number): Expr[] => [
      folding.binary(op, x, i32(n)),
      folding.binary(op, i32(n), x),
    ];
    for (const [op, n] of [
      ["add", 0],
      ["or", 0],
      ["xor", 0],
      ["mul", 1],
      ["and", all],
    ] as const)
      // prettier-ignore
      expect(by(op, n)).toEqual([x, x]);
    for (const op of ["sub", "shl", "shr"] as const) expect(by(op, 0)[0]).toBe(x);
    for (const [op, n, result] of [["mul", 0, 0], ["and", 0, 0], ["or", all, all]] as const) // prettier-ignore
      expect(by(op, n)).toMatchObject([{ kind: "const", value: result }, { kind: "const", value: result }]); // prettier-ignore
  });
  test("none of floats, which have NaN and two zeros", () => {
    for (const n of [0, -0, 1])
      for (const op of ["add", "sub", "mul", "div"] as const)
        expect(folding.binary(op, f, constant("f32", n))).toMatchObject({ kind: "binary" });
  });
  test("double negation, choices that do not choose, predicates chosen by themselves", () => {
    expect(unary("not", unary("not", x))).toBe(x);
    expect(unary("neg", unary("neg", f))).toBe(f);
    expect(select(p, f, f)).toBe(f);
    expect(select(constant("bool", 1), x, i32(0))).toBe(x);
    expect(select(p, constant("bool", 1), constant("bool", 0))).toBe(p);
    expect(convert(x, "i32")).toBe(x);
  });
});

describe("quotients of whole numbers", () => {
  /** What XLA computes. */
  const wanted = (op: "div" | "rem", a: number, b: number): bigint => {
    if (b === 0) return op === "div" ? -1n : BigInt(a);
    return op === "div" ? BigInt(a) / BigInt(b) : BigInt(a) % BigInt(b);
  };
  test.each(["i32", "u32"] as const)("of %s", (type) => {
    const wrap = type === "i32" ? (v: bigint) => BigInt.asIntN(32, v) : (v: bigint) => BigInt.asUintN(32, v);
    const [x, y] = [operand(0, type, type), operand(1, type, type)];
    for (const op of ["div", "rem"] as const)
      for (const a of specialsOf(type))
        for (const b of specialsOf(type)) {
          const made = [
            quotient(op, x, y),
            quotient(op, constant(type, a), y),
            quotient(op, x, constant(type, b)),
            quotient(op, constant(type, a), constant(type, b)),
          ].map((e) => evaluateExpr(e, at(a, b)));
          expect(made, `${a} ${op} ${b}`).toEqual(Array(4).fill(Number(wrap(wanted(op, a, b)))));
        }
  });
});

describe("indices at the ends of ranges", () => {
  const x = operand(0, "i32", "i32");
  const [from, to] = [-2, 3];
  const around = [-4, -3, -2, -1, 0, 1, 2, 3, 4, 5];
  const bounds = around.flatMap((low) => around.filter((high) => high >= low).map((high) => [low, high] as const));
  const index = valueIndex(x, from, to);
  const values = around.filter((v) => v >= from && v <= to);
  test("within and clampIndex", () => {
    for (const [low, high] of bounds)
      for (const v of values) {
        const what = `${v} and ${low} … ${high}`;
        expect(evaluateExpr(within(index, low, high), at(v)), what).toBe(Number(v >= low && v < high));
        const clamped = clampIndex(index, low, high);
        expect(evaluateExpr(ofIndex(clamped), at(v)), what).toBe(Math.min(Math.max(v, low), high));
        expect(clamped.min >= low && clamped.max <= high, what).toBe(true);
        if (low >= 0 && v >= low && v <= high)
          expect(evaluateExpr(ofIndex(indexOf(convert(x, "u32"), low, high)), at(v)), what).toBe(v);
      }
  });
});

describe("conversions mean", () => {
  /** In whole numbers of any size. */
  const saturated = (v: number, low: bigint, high: bigint): number => {
    if (Number.isNaN(v)) return 0;
    if (!Number.isFinite(v)) return Number(v > 0 ? high : low);
    const n = BigInt(Math.trunc(v));
    return Number(n < low ? low : n > high ? high : n);
  };
  const meanings: Readonly<Record<ScalarType, (v: number, from: ScalarType) => number>> = {
    bool: (v) => (v === 0 ? 0 : 1),
    f32: (v) => new Float32Array([v])[0]!,
    f64: (v) => v,
    i32: (v, from) =>
      from === "f32" || from === "f64" ? saturated(v, -(2n ** 31n), 2n ** 31n - 1n) : Number(BigInt.asIntN(32, BigInt(v))), // prettier-ignore
    u32: (v, from) =>
      from === "f32" || from === "f64" ? saturated(v, 0n, 2n ** 32n - 1n) : Number(BigInt.asUintN(32, BigInt(v))),
  };
  test.each(scalarTypes)("from %s what the type says", (from) => {
    for (const v of specialValues(from))
      for (const to of scalarTypes)
        if (to !== from) expect(convertValue(v, from, to), `${show(v)} to ${to}`).toBe(meanings[to](v, from));
  });
  test("to other types of the same bits", () => {
    const bytes = { f32: Float32Array, i32: Int32Array, u32: Uint32Array } as const;
    for (const from of ["f32", "i32", "u32"] as const)
      for (const to of ["f32", "i32", "u32"] as const)
        for (const v of specialsOf(from))
          expect(bitcastValue(v, from, to), `${show(v)} as ${to}`).toBe(new bytes[to](bytes[from].of(v).buffer)[0]);
  });
});

describe("random trees", () => {
  it.each(scalarTypes)("of %s have the value of their plain form", (type) => {
    holds(1200, [trees[type], data], (tree, d) => {
      const env = environment(d);
      const [found, wanted] = [evaluateExpr(tree.build(folding), env), evaluateExpr(tree.build(plain), env)];
      if (!sameBits(found, wanted)) expect.fail(`${tree.text} is ${show(wanted)}, simplified ${show(found)}`);
    });
  });

  it.each(scalarTypes)("of %s keep their value when leaves become known", (type) => {
    holds(600, [trees[type], data, fc.nat(0xffff)], (tree, d, which) => {
      const env = environment(d);
      const e = tree.build(plain);
      const wanted = evaluateExpr(e, env);
      let n = 0;
      const rewriter = new Rewriter({
        variable: (v) => (v === outer && which % 2 ? constantIndex(d.outer) : null),
        expr: (x) =>
          x.kind === "load" && x.index.terms.length === 0 && (which >> (n++ % 16)) & 1
            ? constant(x.type, evaluateExpr(x, env))
            : null,
      });
      const found = evaluateExpr(rewriter.expr(e), env);
      if (!sameBits(found, wanted)) expect.fail(`${tree.text} is ${show(wanted)}, partly known ${show(found)}`);
      expect(new Rewriter({}).expr(e)).toBe(e);
    });
  });

  it("are shared without being confused", () => {
    holds(
      1000,
      [fc.constantFrom(...scalarTypes).chain((t) => fc.array(trees[t], { maxLength: 6 })), data],
      (all, d) => {
        const env = environment(d);
        const sharer = new Sharer();
        for (const tree of all)
          for (const maker of [plain, folding, plain]) {
            const e = tree.build(maker);
            const [found, wanted] = [evaluateExpr(sharer.expr(e), env), evaluateExpr(e, env)];
            if (!sameBits(found, wanted)) expect.fail(`${tree.text} is ${show(wanted)}, shared ${show(found)}`);
          }
      },
    );
  });
});

describe("sharing", () => {
  const x = newBuffer("x", "i32", 4);
  const twice = (): [Expr, Expr] => [load(x, zero), load(x, zero)];
  test("makes equal expressions one object, also those equal only when shared", () => {
    const [a, b] = twice();
    const sharer = new Sharer();
    expect(sharer.expr(a)).toBe(sharer.expr(b));
    const [p, q] = [valueIndex(a, 0, 9), valueIndex(b, 0, 9)];
    // 325 + a − b, of which nothing but 325 is left, and the number 5: keys that must not meet.
    const left = ofIndex(addConstant(subtract(p, q), 325));
    expect(sharer.expr(left)).toMatchObject({ kind: "const", value: 325 });
    expect(sharer.expr(i32(5))).toMatchObject({ kind: "const", value: 5 });
    // a + b − b is a.
    const same = ofIndex(subtract(add(valueIndex(a, 0, 9), p), q));
    expect(sharer.expr(same)).toBe(sharer.expr(a));
  });
  test("keeps reductions apart that start at zeros of different sign, or are of different types", () => {
    const v = indexVar("v", 2);
    const sum = (init: number): Expr => reduced(reduction([v], ["f32"], [init], "add", [constant("f32", -0)]));
    const sharer = new Sharer();
    const [plus, minus] = [sharer.expr(sum(0)), sharer.expr(sum(-0))];
    const env = environment({ stored: {} as never, outer: 0 });
    expect([evaluateExpr(plus, env), evaluateExpr(minus, env)]).toEqual([0, -0]);
    expect(varIndex(v).key).not.toBe(varIndex(indexVar("v", 2)).key);
  });
});

describe("what is made of makers gives for a constant what it gives for a value", () => {
  /** f of a value that is loaded, and of the same value as a constant, which folds. */
  function expectFolds(type: ScalarType, storage: StorageType, f: (x: Expr) => Expr): void {
    const made = f(operand(0, type, storage));
    for (const v of valuesOf(type, storage)) {
      const [found, wanted] = [evaluateExpr(f(constant(type, v)), at(v)), evaluateExpr(made, at(v))];
      if (!sameBits(found, wanted)) expect.fail(`f(${show(v)}) is ${show(wanted)}, folded ${show(found)}`);
    }
  }
  const plainTypes = allDTypes.filter((d) => !isComplex(d) && !isKey(d));
  const storedAs = (d: DType): [ScalarType, StorageType] => {
    const type = scalarTypeOf(d);
    return [type, type === "bool" ? "u8" : storageOf(type)];
  };
  test.each(plainTypes)("dtype %s: range, storage, conversions", (d) => {
    const [type, storage] = storedAs(d);
    expectFolds(type, storage, (x) => normalize(d, x));
    expectFolds(type, storage, (x) => encode(d, packedLayout, normalize(d, x)));
    expectFolds(loadedType(packedLayout[d]), packedLayout[d], (x) => normalize(d, decode(d, packedLayout, x)));
    for (const to of plainTypes) expectFolds(type, storage, (x) => convertElement(normalize(d, x), d, to));
  });
  const functions: readonly MathFunction[] = ["exp", "exp2", "expm1", "log", "log1p", "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "cbrt"]; // prettier-ignore
  test.each(functions)("%s as arithmetic", (f) => expectFolds("f32", "f32", (x) => expandMath(unary(f, x))));
  test.each(["pow", "atan2"] as const)("%s as arithmetic", (f) => {
    for (const v of specialsOf("f32")) {
      expectFolds("f32", "f32", (x) => expandMath(plain.binary(f, x, constant("f32", v))));
      expectFolds("f32", "f32", (x) => expandMath(plain.binary(f, constant("f32", v), x)));
    }
  });
});
