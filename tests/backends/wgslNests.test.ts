/** WGSL from loop nests: loops, scratch, barriers, grids, shared values, names. On a software adapter, and as text. */
import { describe, expect, test } from "vitest";
import { evaluateNest } from "../../src/compiler/loopNest/evaluateNest.ts";
import type { LoopNest, Stmt } from "../../src/compiler/loopNest/loopNest.ts";
import { verifyNest } from "../../src/compiler/loopNest/verifyNest.ts";
import type { TypedArray } from "../../src/core/hostArray.ts";
import { type Index, add, addConstant, constantIndex, floorDiv, modulo, scale } from "../../src/core/indexing.ts";
import * as S from "../../src/core/scalar.ts";
import { type Expr, newBuffer, newLocal, readLocal } from "../../src/core/scalar.ts";
import { bindingsOf, emitWgsl } from "../../src/backends/webgpu/wgsl.ts";
import { loop, pointwise, store } from "../support/nests.ts";
import { complaints, runNest, testLimits } from "../support/webgpu.ts";

const ramp = (n: number, f = (i: number): number => ((i * 7919) % 101) / 8 - 6): Float32Array =>
  Float32Array.from({ length: n }, (_, i) => f(i));
const declare = (local: S.Local, value: Expr): Stmt => ({ kind: "declare", local, value });
const assign = (local: S.Local, value: Expr): Stmt => ({ kind: "assign", local, value });
const bind = (local: S.Local, value: Expr): Stmt => ({ kind: "let", local, value });
const when = (condition: Expr, ...body: Stmt[]): Stmt => ({ kind: "if", condition, body });
const barrier: Stmt = { kind: "barrier" };

/** Runs a nest here and there on the same inputs; the other parameters are its results. */
async function same(nest: LoopNest, inputs: readonly TypedArray[], limits = testLimits): Promise<void> {
  verifyNest(nest);
  const fresh = (): Float32Array[] =>
    nest.params.slice(inputs.length).map(({ buffer }) => new Float32Array(buffer.length));
  const [want, got] = [fresh(), fresh()];
  evaluateNest(nest, [...inputs, ...want]);
  await runNest(nest, [...inputs, ...got], limits);
  expect(got).toEqual(want);
}

const at2 = (i: Index, j: Index, columns: number): Index => add(scale(i, columns), j);

/** A product of square matrices in tiles of 4 × 4, through shared scratch. */
function tiledProduct(n: number): LoopNest {
  const [a, b, c] = ["a", "b", "c"].map((name) => newBuffer(name, "f32", n * n)) as [S.Buffer, S.Buffer, S.Buffer];
  const [ta, tb] = ["ta", "tb"].map((name) => newBuffer(name, "f32", 16, "shared")) as [S.Buffer, S.Buffer];
  const sum = newBuffer("sum", "f32", 1, "private");
  const [by, bx, t, k] = [loop("block", n / 4), loop("block", n / 4), loop("thread", 16), loop("serial", n / 4)];
  const [unrolled, zeroing, writing] = [loop("unroll", 4), loop("thread", 16), loop("thread", 16)];
  const adding = loop("thread", 16);
  const row = (x: Index): Index => floorDiv(x, 4);
  const column = (x: Index): Index => modulo(x, 4);
  const zero = constantIndex(0);
  return {
    name: "product",
    params: [
      { buffer: a, access: "read" },
      { buffer: b, access: "read" },
      { buffer: c, access: "write" },
    ],
    scratch: [ta, tb, sum],
    body: [
      by.around(
        bx.around(
          zeroing.around(store(sum, zero, S.f32(0))),
          k.around(
            t.around(
              store(ta, t.at, S.load(a, at2(add(scale(by.at, 4), row(t.at)), add(scale(k.at, 4), column(t.at)), n))),
              store(tb, t.at, S.load(b, at2(add(scale(k.at, 4), row(t.at)), add(scale(bx.at, 4), column(t.at)), n))),
            ),
            barrier,
            adding.around(
              unrolled.around(
                store(
                  sum,
                  zero,
                  S.plus(
                    S.load(sum, zero),
                    S.times(
                      S.load(ta, at2(row(adding.at), unrolled.at, 4)),
                      S.load(tb, at2(unrolled.at, column(adding.at), 4)),
                    ),
                  ),
                ),
              ),
            ),
            barrier,
          ),
          writing.around(
            store(
              c,
              at2(add(scale(by.at, 4), row(writing.at)), add(scale(bx.at, 4), column(writing.at)), n),
              S.load(sum, zero),
            ),
          ),
        ),
      ),
    ],
  };
}

/** A row's values, less their greatest, in one kernel: a reduction, then a loop over its result. */
function lessGreatest(rows: number, columns: number): LoopNest {
  const [x, y] = [newBuffer("x", "f32", rows * columns), newBuffer("y", "f32", rows * columns)];
  const [r, k, v] = [loop("block", rows), loop("serial", columns), loop("vector", columns)];
  const best = newLocal("best", "f32", true);
  const twice = newLocal("twice", "f32");
  return {
    name: "lessGreatest",
    params: [
      { buffer: x, access: "read" },
      { buffer: y, access: "write" },
    ],
    scratch: [],
    body: [
      r.around(
        declare(best, S.f32(-Infinity)),
        k.around(assign(best, S.greatest(readLocal(best), S.load(x, at2(r.at, k.at, columns))))),
        bind(twice, S.times(readLocal(best), S.f32(2))),
        v.around(
          when(
            S.within(v.at, 1, columns),
            store(y, at2(r.at, v.at, columns), S.minus(S.load(x, at2(r.at, v.at, columns)), readLocal(twice))),
          ),
        ),
      ),
    ],
  };
}

describe("loops and scratch", () => {
  test("workgroups share memory, threads have their own", async () => {
    const small = (n: number): Float32Array => ramp(n, (i) => ((i * 31) % 17) - 8);
    await same(tiledProduct(16), [small(256), small(256)]);
  });
  test("accumulators, vector loops, conditions, locals", () => same(lessGreatest(5, 7), [ramp(35)]));

  test("loops that run once, or not at all", async () => {
    const [x, y] = [newBuffer("x", "f32", 3), newBuffer("y", "f32", 3)];
    const [one, none, i] = [loop("serial", 1), loop("serial", 0), loop("thread", 3)];
    const params = [
      { buffer: x, access: "read" as const },
      { buffer: y, access: "write" as const },
    ];
    const value = S.plus(S.load(x, add(i.at, one.at)), S.f32(1));
    const body = [i.around(one.around(store(y, i.at, value)), none.around(store(y, constantIndex(0), S.f32(9))))];
    await same({ name: "once", params, scratch: [], body }, [ramp(3)]);
    const empty = loop("block", 0);
    const kernel = emitWgsl(
      { name: "empty", params, scratch: [], body: [empty.around(store(y, empty.at, S.f32(1)))] },
      testLimits,
    );
    expect(kernel.workgroups).toContain(0);
    expect(await complaints(kernel.code)).toEqual([]);
  });

  test("many loops: no variable has the name of a type", async () => {
    const [x, y] = [newBuffer("x", "f32", 2), newBuffer("y", "f32", 80)];
    const params = [
      { buffer: x, access: "read" as const },
      { buffer: y, access: "write" as const },
    ];
    const body = Array.from({ length: 40 }, (_, n) => {
      const i = loop("serial", 2);
      const whole = S.convert(S.bitcast(S.load(x, i.at), "i32"), "f32");
      return i.around(store(y, addConstant(i.at, 2 * n), whole));
    });
    await same({ name: "many", params, scratch: [], body }, [ramp(2)]);
  });
});

describe("grids", () => {
  /** One thread for each of the blocks of up to three loops. */
  const grid = (extents: readonly number[]): LoopNest => {
    const loops = extents.map((n) => loop("block", n));
    const n = extents.reduce((a, b) => a * b, 1);
    const out = newBuffer("out", "f32", n);
    let flat: Index = constantIndex(0);
    for (const [i, l] of loops.entries()) flat = add(scale(flat, extents[i]!), l.at);
    const stored = store(out, flat, S.plus(S.convert(S.ofIndex(flat), "f32"), S.f32(1)));
    return {
      name: "grid",
      params: [{ buffer: out, access: "write" }],
      scratch: [],
      body: [loops.reduceRight<Stmt>((s, l) => l.around(s), stored)],
    };
  };
  for (const extents of [[13], [3, 5], [2, 3, 4], [1, 9, 1], [7, 2], [100]])
    for (const maxBlocks of [65535, 7, 5])
      test(`${extents.join(" × ")} blocks, at most ${maxBlocks} along a dimension`, async () => {
        await same(grid(extents), [], { maxBlocks });
        const { workgroups } = emitWgsl(grid(extents), { maxBlocks });
        for (const n of workgroups) expect(n).toBeLessThanOrEqual(maxBlocks);
      });

  test("2^24 + 1 blocks", async () => {
    const n = 2 ** 24 + 1;
    const nest = grid([n]);
    const out = new Float32Array(n);
    const { workgroups } = await runNest(nest, [out]);
    for (const count of workgroups) expect(count).toBeLessThanOrEqual(65535);
    let wrong = 0;
    for (let i = 0; i < n; i++) if (out[i] !== Math.fround(Math.fround(i) + 1)) wrong++;
    expect(wrong).toBe(0);
  });
});

describe("values used twice", () => {
  const [x, y, z] = ["x", "y", "z"].map((name) => newBuffer(name, "f32", 4)) as [S.Buffer, S.Buffer, S.Buffer];
  const params = [
    { buffer: x, access: "read" as const },
    { buffer: y, access: "readwrite" as const },
    { buffer: z, access: "write" as const },
  ];
  const i0 = constantIndex(0);
  const i1 = constantIndex(1);

  test("are computed once", () => {
    const shared = S.times(S.load(x, i0), S.load(x, i1));
    const body = [store(y, i0, S.plus(shared, shared)), store(z, i0, S.minus(shared, S.f32(1)))];
    const { code } = emitWgsl({ name: "shared", params, scratch: [], body }, testLimits);
    expect(code.match(/p0\[0i\]/g)).toHaveLength(1);
  });

  test("but again after a store to what they read", async () => {
    const k = loop("serial", 3);
    const read = S.load(y, i0);
    const shared = S.plus(read, S.load(x, i1));
    const n = newLocal("n", "f32", true);
    const counted = S.times(readLocal(n), S.f32(3));
    const body: Stmt[] = [
      store(y, i0, S.load(x, i0)),
      store(z, i0, shared),
      declare(n, counted.kind === "binary" ? S.f32(1) : S.f32(0)),
      store(z, i1, counted),
      k.around(
        store(y, i0, S.plus(shared, S.f32(1))),
        assign(n, S.plus(counted, shared)),
        when(S.less(S.load(x, i0), S.f32(1e9)), store(y, i0, S.plus(shared, S.f32(0.5)))),
      ),
      store(z, constantIndex(2), shared),
      store(z, constantIndex(3), counted),
    ];
    const nest: LoopNest = {
      name: "stores",
      params: [params[0]!, { buffer: y, access: "readwrite" }, params[2]!],
      scratch: [],
      body,
    };
    await same(nest, [ramp(4)]);
  });

  test("chains of thousands of operations stay within the parser's depth", async () => {
    const chain = (n: number): LoopNest =>
      pointwise([{ data: ramp(64), storage: "f32" }], "f32", ([a]) => {
        let e = a!;
        for (let i = 0; i < n; i++) e = i % 2 ? S.least(e, S.f32(100 - i)) : S.minus(e, S.f32(1));
        return e;
      });
    await same(chain(500), [ramp(64)]);
    expect(await complaints(emitWgsl(chain(20_000), testLimits).code)).toEqual([]);
  });
});

describe("text", () => {
  test("does not depend on what was made before", () => {
    const texts = [0, 1, 7, 100].map((n) => {
      for (let i = 0; i < n; i++) loop("serial", 3);
      return emitWgsl(tiledProduct(16), testLimits).code;
    });
    expect(new Set(texts).size).toBe(1);
  });

  test("of an aliased launch has one binding", async () => {
    const nest = pointwise([{ data: ramp(64), storage: "f32" }], "i32", ([a]) => S.convert(a!, "i32"));
    expect(bindingsOf(nest)).toEqual({ of: [0, 1], access: ["read", "readwrite"] });
    const { code, bindings } = emitWgsl(nest, testLimits, { of: [0, 0], access: ["readwrite"] });
    expect(bindings).toEqual(["readwrite"]);
    expect(code).toContain("= bitcast<f32>(to_i32(p0[");
    expect(await complaints(code)).toEqual([]);
  });

  test("decides comparisons of NaN on its bits where a device needs it", async () => {
    const values = new Float32Array([NaN, 1, -1, Infinity]);
    for (const op of ["eq", "ne", "lt", "ge"] as const) {
      const nest = pointwise([{ data: values, storage: "f32" }], "f32", ([a]) =>
        S.select(S.compare(op, a!, S.f32(1)), S.negate(a!), S.f32(2)),
      );
      await same(nest, [values], { ...testLimits, guardComparisons: true });
    }
    const nest = pointwise([{ data: values, storage: "f32" }], "f32", ([a]) =>
      S.select(S.less(a!, S.f32(1)), S.f32(1), S.f32(2)),
    );
    expect(emitWgsl(nest, { ...testLimits, guardComparisons: true }).code).toContain("0x7f800000u");
    expect(emitWgsl(nest, testLimits).code).not.toContain("0x7f800000u");
  });

  test("addresses rows of what is stored behind an offset", async () => {
    const [x, y] = [newBuffer("x", "f32", 40), newBuffer("y", "f32", 8)];
    const [i] = [loop("thread", 8)];
    const row = S.indexOf(S.convert(S.load(x, i.at), "i32"), 0, 3);
    const nest: LoopNest = {
      name: "rows",
      params: [
        { buffer: x, access: "read" },
        { buffer: y, access: "write" },
      ],
      scratch: [],
      body: [i.around(store(y, i.at, S.load(x, addConstant(at2(S.clampIndex(row, 0, 3), i.at, 8), 8))))],
    };
    await same(nest, [ramp(40, (k) => (k < 8 ? k % 4 : k))]);
  });
});
