/** Code for WebAssembly against the meaning of loop nests. */
import { describe, expect, it } from "vitest";
import { emitModule } from "../../src/backends/wasm/codegen.ts";
import { expandCall } from "../../src/compiler/expandMath.ts";
import { evaluateNest } from "../../src/compiler/loopNest/evaluateNest.ts";
import type { LoopKind, LoopNest, Stmt } from "../../src/compiler/loopNest/loopNest.ts";
import { addConstant, constantIndex, indexVar, modulo, scale, varIndex } from "../../src/core/indexing.ts";
import {
  type Expr,
  binary,
  compare,
  convert,
  f32,
  greatest,
  i32,
  load,
  newBuffer,
  negate,
  newLocal,
  ofIndex,
  plus,
  readLocal,
  select,
  times,
  unary,
} from "../../src/core/scalar.ts";
import { holds } from "../properties.ts";
import { at, emptyOf, loop, randomNest, runWasm, store, when } from "../support/randomNests.ts";
import { agrees, assign, declare, nestOf, ramp } from "../support/wasmNests.ts";

describe("random loop nests", () => {
  it("give the same bits as the evaluator", () => {
    holds(400, [randomNest()], ({ nest, data }) => void agrees(nest, data));
  });
});

describe("vector loops", () => {
  it("of every length, whatever the stride", () => {
    for (const n of [0, 1, 3, 4, 5, 7, 8, 31, 32, 33, 35, 64, 66, 127, 131])
      for (const [factor, constant] of [
        [1, 0],
        [1, 3],
        [2, 1],
        [-1, n],
        [3, 0],
        [0, 2],
      ] as const) {
        const x = newBuffer("x", "f32", 4 * n + 8);
        const y = newBuffer("y", "f32", n + 1);
        const i = indexVar("i", n);
        const from = addConstant(scale(varIndex(i), factor), constant);
        agrees(nestOf([x], [y], [], loop("vector", i, store(y, varIndex(i), plus(load(x, from), f32(1))))), [
          ramp(4 * n + 8),
          emptyOf(y),
        ]);
      }
  });

  it("with a loop inside, or a condition on the lane", () => {
    const [rows, columns] = [5, 11];
    const x = newBuffer("x", "f32", rows * columns);
    const y = newBuffer("y", "f32", columns);
    const [i, k] = [indexVar("i", columns), indexVar("k", rows)];
    const sum = newLocal("sum", "f32", true);
    const column = nestOf(
      [x],
      [y],
      [],
      loop(
        "vector",
        i,
        declare(sum, f32(0)),
        loop("serial", k, assign(sum, plus(readLocal(sum), load(x, at([columns, k], i))))),
        when(compare("lt", ofIndex(varIndex(i)), i32(9)), store(y, varIndex(i), readLocal(sum))),
      ),
    );
    agrees(column, [ramp(rows * columns), emptyOf(y)]);
  });

  it("with the special values of min, max and their like", () => {
    const special = [0, -0, 1, -1, NaN, Infinity, -Infinity, 5e-324];
    const data = Float32Array.from(special);
    const [x, y] = [newBuffer("x", "f32", 8), newBuffer("y", "f32", 8)];
    for (const c of [0, -0, 1, -1, NaN, Infinity])
      for (const make of [
        (a: Expr) => binary("max", a, f32(c)),
        (a: Expr) => binary("max", f32(c), a),
        (a: Expr) => binary("min", a, f32(c)),
        (a: Expr) => binary("min", f32(c), a),
        (a: Expr) => select(compare("lt", a, f32(c)), a, f32(c)),
        (a: Expr) => select(compare("lt", f32(c), a), a, f32(c)),
        (a: Expr) => select(compare("gt", a, f32(c)), a, f32(c)),
        (a: Expr) => select(compare("gt", f32(c), a), a, f32(c)),
      ]) {
        const i = indexVar("i", 8);
        agrees(nestOf([x], [y], [], loop("vector", i, store(y, varIndex(i), make(load(x, varIndex(i)))))), [
          data,
          emptyOf(y),
        ]);
      }
  });

  it("with broadcasts by remainder", () => {
    const n = 96;
    const x = newBuffer("x", "f32", n);
    const b = newBuffer("b", "f32", 8);
    const y = newBuffer("y", "f32", n);
    const i = indexVar("i", n);
    const value = greatest(plus(load(x, varIndex(i)), load(b, modulo(varIndex(i), 8))), f32(0));
    agrees(nestOf([x, b], [y], [], loop("vector", i, store(y, varIndex(i), value))), [ramp(n), ramp(8), emptyOf(y)]);
  });
});

describe("runs of statements", () => {
  const n = 37;
  const x = newBuffer("x", "f32", n);
  const [y, z] = [newBuffer("y", "f32", n), newBuffer("z", "f32", n)];
  /** Mostly numbers near 0, some that need the long way. */
  const mixed = ramp(n).map((v, i) => (i % 11 === 10 ? v * 1e20 : i === 36 ? Infinity : v));

  it.each(["vector", "serial"] as const)("skip what no element of a %s loop needs", (kind) => {
    const i = indexVar("i", n);
    const at = varIndex(i);
    const value = load(x, at);
    const sum = newLocal("sum", "f32");
    const [sin, cos] = [expandCall("sin", value)!, expandCall("cos", value)!];
    for (const data of [mixed, ramp(n), ramp(n).map((v) => v * 1e20)])
      agrees(
        nestOf(
          [x],
          [y, z],
          [],
          loop(
            kind,
            i,
            { kind: "let", local: sum, value: plus(sin, cos) },
            store(y, at, sin),
            store(z, at, times(readLocal(sum), cos)),
          ),
        ),
        [data, emptyOf(y), emptyOf(z)],
      );
  });

  it.each(["vector", "serial"] as const)(
    "know conditions inside operands of the same condition in a %s loop",
    (kind) => {
      const i = indexVar("i", n);
      const at = varIndex(i);
      const value = load(x, at);
      const condition = compare("lt", value, f32(0));
      const inner = select(condition, expandCall("exp", value)!, expandCall("tan", value)!);
      const outer = select(condition, expandCall("log1p", value)!, plus(inner, f32(1)));
      for (const data of [mixed, ramp(n)])
        agrees(nestOf([x], [y, z], [], loop(kind, i, store(y, at, outer), store(z, at, negate(outer)))), [
          data,
          emptyOf(y),
          emptyOf(z),
        ]);
    },
  );

  it("keep the order of loads and stores", () => {
    const zero = constantIndex(0);
    const both = newBuffer("both", "f32", 4);
    const [old, next] = [newLocal("old", "f32"), newLocal("next", "f32")];
    const i = indexVar("i", 4);
    const at = varIndex(i);
    const body = (place: typeof zero): Stmt[] => [
      { kind: "let", local: old, value: plus(load(both, place), f32(1)) },
      store(both, place, f32(7)),
      { kind: "let", local: next, value: times(load(both, place), readLocal(old)) },
      store(both, place, plus(readLocal(next), readLocal(old))),
    ];
    for (const stmts of [body(zero), [loop("vector", i, ...body(at))]]) {
      const nest = { ...nestOf([], [], [], ...stmts), params: [{ buffer: both, access: "readwrite" as const }] };
      const [out] = agrees(nest, [Float32Array.of(1, 2, 3, 4)]);
      expect(out![0]).toBe(16);
    }
  });
});

describe("private buffers as registers", () => {
  /** C += A B on packed panels, as schedules write it. */
  function product(rows: number, columns: number, depth: number, kind: LoopKind): LoopNest {
    const a = newBuffer("a", "f32", depth * rows);
    const b = newBuffer("b", "f32", depth * columns);
    const c = newBuffer("c", "f32", rows * columns);
    const [ra, rb, acc] = [
      newBuffer("ra", "f32", rows, "private"),
      newBuffer("rb", "f32", columns, "private"),
      newBuffer("acc", "f32", rows * columns, "private"),
    ];
    const k = indexVar("k", depth);
    const each = (body: (at: ReturnType<typeof varIndex>) => Stmt): Stmt => {
      const [i, j] = [indexVar("i", rows), indexVar("j", columns)];
      return loop("unroll", i, loop("vector", j, body(at([columns, i], j))));
    };
    const [i, j, i2, j2] = [indexVar("i", rows), indexVar("j", columns), indexVar("i", rows), indexVar("j", columns)];
    const tile = at([columns, i2], j2);
    const updated = plus(load(acc, tile), times(load(ra, varIndex(i2)), load(rb, varIndex(j2))));
    return nestOf(
      [a, b],
      [c],
      [ra, rb, acc],
      each((p) => store(acc, p, f32(0))),
      loop(
        kind,
        k,
        loop("unroll", i, store(ra, varIndex(i), load(a, at([rows, k], i)))),
        loop("vector", j, store(rb, varIndex(j), load(b, at([columns, k], j)))),
        loop("unroll", i2, loop("vector", j2, store(acc, tile, updated))),
      ),
      each((p) => store(c, p, load(acc, p))),
    );
  }

  it.each([
    [4, 8],
    [6, 8],
    [1, 4],
    [3, 12],
  ])("a product of panels of %i × %i", (rows, columns) => {
    const nest = product(rows, columns, 17, "serial");
    agrees(nest, [ramp(17 * rows), ramp(17 * columns), new Float32Array(rows * columns)]);
    expect(emitModule([nest], { relaxedSimd: false }).scratchBytes).toEqual([0]);
  });

  it("one fused instruction for a product and a sum, if the machine has it", () => {
    const nest = product(4, 8, 17, "serial");
    const { bytes } = emitModule([nest], { relaxedSimd: true });
    const plain = emitModule([nest], { relaxedSimd: false }).bytes;
    // One instruction of three bytes in place of two that take five.
    expect(plain.length - bytes.length).toBeGreaterThan(0);
    if (!WebAssembly.validate(bytes as Uint8Array<ArrayBuffer>)) return;
    const data = [ramp(17 * 4), ramp(17 * 8), new Float32Array(32)];
    const expected = data.map((d) => d.slice());
    evaluateNest(nest, expected);
    runWasm(nest, data, true);
    data[2]!.forEach((v, i) => expect(v).toBeCloseTo(expected[2]![i]!, 2));
  });

  it.each(["serial", "unroll"] as const)("a sum in 16 accumulators, combined in a %s loop", (kind) => {
    const n = 128;
    const x = newBuffer("x", "f32", n);
    const y = newBuffer("y", "f32", 1);
    const acc = newBuffer("acc", "f32", 16, "private");
    const [l, m, c, e] = [indexVar("l", 16), indexVar("m", 16), indexVar("c", n / 16), indexVar("e", 16)];
    const sum = newLocal("sum", "f32", true);
    const nest = nestOf(
      [x],
      [y],
      [acc],
      loop("vector", l, store(acc, varIndex(l), f32(0))),
      loop(
        "serial",
        c,
        loop("vector", m, store(acc, varIndex(m), plus(load(acc, varIndex(m)), load(x, at([16, c], m))))),
      ),
      declare(sum, f32(0)),
      loop(kind, e, assign(sum, plus(readLocal(sum), load(acc, varIndex(e))))),
      store(y, constantIndex(0), readLocal(sum)),
    );
    agrees(nest, [ramp(n), emptyOf(y)]);
    expect(emitModule([nest], { relaxedSimd: false }).scratchBytes).toEqual([0]);
  });

  it("memory where indices are not known", () => {
    const x = newBuffer("x", "f32", 8);
    const y = newBuffer("y", "f32", 8);
    const own = newBuffer("own", "f32", 70, "private");
    const [i, j] = [indexVar("i", 70), indexVar("j", 8)];
    const nest = nestOf(
      [x],
      [y],
      [own],
      loop("serial", i, store(own, varIndex(i), convert(ofIndex(varIndex(i)), "f32"))),
      loop("vector", j, store(y, varIndex(j), plus(load(own, at([9, j])), load(x, varIndex(j))))),
    );
    agrees(nest, [ramp(8), emptyOf(y)]);
    expect(emitModule([nest], { relaxedSimd: false }).scratchBytes).toEqual([288]);
  });
});

describe("nests for many threads", () => {
  it("run their phases one after the other, each thread with its own scratch", () => {
    const x = newBuffer("x", "f32", 24);
    const y = newBuffer("y", "f32", 24);
    const shared = newBuffer("shared", "f32", 4, "shared");
    const own = newBuffer("own", "f32", 2, "private");
    const [b, c] = [indexVar("b", 2), indexVar("c", 3)];
    const thread = (f: (t: ReturnType<typeof indexVar>) => readonly Stmt[]): Stmt => {
      const t = indexVar("t", 4);
      return loop("thread", t, ...f(t));
    };
    const zero = constantIndex(0);
    const nest = nestOf(
      [x],
      [y],
      [shared, own],
      loop(
        "block",
        b,
        thread(() => [store(own, zero, f32(0))]),
        loop(
          "serial",
          c,
          thread((t) => [store(shared, varIndex(t), load(x, at([12, b], [4, c], t)))]),
          { kind: "barrier" },
          thread((t) => [
            store(own, zero, plus(load(own, zero), load(shared, at([-1, t], 3)))),
            store(y, at([12, b], [4, c], t), load(own, zero)),
          ]),
          { kind: "barrier" },
        ),
      ),
    );
    const [, out] = agrees(nest, [ramp(24), emptyOf(y)]);
    const data = ramp(24);
    expect(out![4 + 1]).toBe(data[2]! + data[6]!);
  });
});

describe("modules", () => {
  it("hold one function for each nest and import what they use", () => {
    const x = newBuffer("x", "f64", 3);
    const y = newBuffer("y", "f64", 3);
    const i = indexVar("i", 3);
    const nest = (op: "exp" | "sin"): LoopNest =>
      nestOf([x], [y], [], loop("vector", i, store(y, varIndex(i), unary(op, load(x, varIndex(i))))));
    const { bytes, mathImports, scratchBytes } = emitModule([nest("exp"), nest("sin"), nest("exp")], {
      relaxedSimd: false,
    });
    expect(mathImports).toEqual(["exp", "sin"]);
    expect(scratchBytes).toEqual([0, 0, 0]);
    const module = new WebAssembly.Module(bytes as Uint8Array<ArrayBuffer>);
    expect(WebAssembly.Module.exports(module).map((e) => e.name)).toEqual(["k0", "k1", "k2"]);
    const out = emptyOf(y);
    runWasm(nest("sin"), [Float64Array.of(1, 2, 3), out]);
    expect([...out]).toEqual([1, 2, 3].map(Math.sin));
  });

  it("hold no function of f32 that nobody expanded", () => {
    const y = newBuffer("y", "f32", 1);
    const x = newBuffer("x", "f32", 1);
    const zero = constantIndex(0);
    const nest = nestOf([x], [y], [], store(y, zero, unary("exp", load(x, zero))));
    expect(() => emitModule([nest], { relaxedSimd: false })).toThrow(/exp of f32 was not expanded/);
  });
});
