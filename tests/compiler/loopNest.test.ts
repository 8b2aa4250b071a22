/** Loop nests: the verifier finds every kind of mistake, the text is stable, the evaluator runs threads and scratch. */
import { describe, expect, it } from "vitest";
import { evaluateNest } from "../../src/compiler/loopNest/evaluateNest.ts";
import type { LoopNest, Stmt } from "../../src/compiler/loopNest/loopNest.ts";
import { printNest } from "../../src/compiler/loopNest/printNest.ts";
import { verifyNest } from "../../src/compiler/loopNest/verifyNest.ts";
import { addConstant, constantIndex, floorDiv, indexVar, modulo, scale, varIndex } from "../../src/core/indexing.ts";
import {
  type Buffer,
  type Expr,
  bitcast,
  bool,
  convert,
  f32,
  i32,
  indexOf,
  load,
  newBuffer,
  newLocal,
  plus,
  readLocal,
  reduced,
  reduction,
  times,
  u32,
  unary,
} from "../../src/core/scalar.ts";
import { at, loop, store, when } from "../support/randomNests.ts";

const x = newBuffer("x", "f32", 8);
const y = newBuffer("y", "f32", 8);
const own = newBuffer("own", "f32", 4, "private");
const shared = newBuffer("shared", "f32", 8, "shared");
const nestOf = (...body: Stmt[]): LoopNest => ({
  name: "test",
  params: [
    { buffer: x, access: "read" },
    { buffer: y, access: "write" },
  ],
  scratch: [own, shared],
  body,
});
const zero = constantIndex(0);
const barrier: Stmt = { kind: "barrier" };

describe("verifyNest", () => {
  const i = indexVar("i", 8);
  const t = indexVar("t", 4);
  const j = indexVar("j", 4);
  const block = indexVar("b", 2);
  const once = indexVar("once", 1);
  const fixed = newLocal("fixed", "f32");
  const sum = newLocal("sum", "f32", true);
  const bind = (value: Expr): Stmt => ({ kind: "let", local: fixed, value });
  const declare: Stmt = { kind: "declare", local: sum, value: f32(0) };
  const assign: Stmt = { kind: "assign", local: sum, value: f32(1) };
  const stored = store(y, zero, f32(1));
  const other = newBuffer("other", "f32", 8);
  const unscheduled = reduced(reduction([indexVar("r", 2)], ["f32"], [0], "add", [f32(1)]));
  /** A node that no maker gives. */
  const forged = (fields: object): Expr => ({ id: -1, ...fields }) as Expr;

  const n = newLocal("n", "i32");
  const mistakes: readonly (readonly [string, LoopNest, RegExp])[] = [
    ["a variable outside of its loop", nestOf(store(y, varIndex(i), f32(0))), /variable i is used outside/],
    ["a variable of a loop around", nestOf(loop("serial", i, loop("serial", i, stored))), /same variable/],
    ["an extent that is no number of iterations", nestOf(loop("serial", indexVar("n", 2.5), stored)), /extent 2.5/],
    ["a local read before it is bound", nestOf(store(y, zero, readLocal(fixed))), /fixed is read outside/],
    [
      "a local read behind its scope",
      nestOf(when(bool(true), bind(f32(1))), store(y, zero, readLocal(fixed))),
      /fixed is read outside/,
    ],
    ["a local bound twice", nestOf(bind(f32(1)), bind(f32(2))), /fixed is bound twice/],
    [
      "an assignment to an immutable local",
      nestOf(bind(f32(1)), { kind: "assign", local: fixed, value: f32(1) }),
      /not mutable/,
    ],
    ["an assignment before the declaration", nestOf(assign), /sum is assigned outside/],
    ["a let of a mutable local", nestOf({ kind: "let", local: sum, value: f32(0) }), /let of a local/],
    ["a declaration of an immutable one", nestOf({ kind: "declare", local: fixed, value: f32(0) }), /declare of a/],
    ["a value of the wrong type", nestOf(bind(i32(1))), /type i32, expected f32/],
    ["a store of the wrong type", nestOf(store(y, zero, u32(1))), /type u32, expected f32/],
    ["a condition that is none", nestOf(when(i32(1))), /type i32, expected bool/],
    [
      "operands that differ",
      nestOf(bind(forged({ kind: "binary", type: "f32", op: "add", x: f32(1), y: i32(1) }))),
      /type i32, expected f32/,
    ],
    ["an operation that a type lacks", nestOf(bind(unary("not", plus(load(x, zero), f32(1))))), /not of f32/],
    ["a bitcast of a predicate", nestOf(bind(bitcast(convert(load(x, zero), "bool"), "f32"))), /bitcast between/],
    [
      "a load typed otherwise than stored",
      nestOf(bind(convert(forged({ kind: "load", type: "i32", buffer: x, index: zero }), "f32"))),
      /load gives f32/,
    ],
    ["a reduction", nestOf(bind(unscheduled)), /a reduction that scheduling left/],
    ["an unknown buffer", nestOf(bind(load(other, zero))), /other is not of this nest/],
    ["a store to an input", nestOf(store(x, zero, f32(1))), /only read/],
    ["a load from an output", nestOf(bind(load(y, zero))), /only written/],
    ["an index out of bounds", nestOf(store(y, constantIndex(8), f32(1))), /has 8 elements/],
    ["an index before the first", nestOf(store(y, constantIndex(-1), f32(1))), /within -1 … -1/],
    ["a buffer listed twice", { ...nestOf(), scratch: [own, own] }, /own is listed twice/],
    ["scratch that is a device buffer", { ...nestOf(), scratch: [other] }, /other is a device buffer/],
    ["a parameter that is scratch", { ...nestOf(), params: [{ buffer: own, access: "read" }] }, /private scratch/],
    ["a vector loop that accumulates outside", nestOf(declare, loop("vector", i, assign)), /assigned in a vector loop/],
    ["a vector loop in a vector loop", nestOf(loop("vector", i, loop("vector", j, stored))), /vector loop in a vector/],
    [
      "a count of an unrolled loop",
      nestOf({ kind: "let", local: n, value: i32(2) }, { ...loop("unroll", i, stored), count: n }),
      /unroll loop with a count/,
    ],
    ["a count that changes", nestOf(declare, { ...loop("serial", i, stored), count: sum }), /not an immutable i32/],
    ["a count from nowhere", nestOf({ ...loop("serial", i, stored), count: n }), /n is/],
    ["a call loop of several rounds", nestOf(loop("call", i, stored)), /a call loop of 8 iterations/],
    ["a call loop that accumulates outside", nestOf(declare, loop("call", once, assign)), /assigned in a call loop/],
    ["a call loop in a vector loop", nestOf(loop("vector", i, loop("call", once, stored))), /call loop in a vector/],
    ["a block loop in a call loop", nestOf(loop("call", once, loop("block", block, stored))), /inside another kind/],
    ["a call loop of threads", nestOf(loop("call", once, loop("thread", t, stored))), /in a nest with thread loops/],
    ["a barrier in a call loop", nestOf(loop("call", once, barrier)), /a barrier inside/],
    ["a block loop in a serial one", nestOf(loop("serial", i, loop("block", block, stored))), /inside another kind/],
    [
      "four block loops",
      nestOf([0, 1, 2, 3].reduceRight<Stmt>((s) => loop("block", indexVar("b", 2), s), stored)),
      /more than 3/,
    ],
    [
      "a thread loop in a thread loop",
      nestOf(loop("thread", t, loop("thread", indexVar("u", 4), stored))),
      /thread loop in/,
    ],
    [
      "thread loops of different extents",
      nestOf(loop("thread", t, stored), loop("thread", indexVar("u", 5), stored)),
      /4 and 5 iterations/,
    ],
    ["work beside threads", nestOf(stored, loop("thread", t, stored)), /outside of thread loops/],
    ["an accumulator beside threads", nestOf(declare, loop("thread", t, stored)), /sum is declared outside of thread/],
    [
      "work beside blocks of threads",
      nestOf(barrier, loop("block", block, loop("thread", t, stored))),
      /other work beside a block loop/,
    ],
    ["a vector loop around threads", nestOf(loop("vector", i, loop("thread", t, stored))), /around thread loops/],
    ["a barrier that not all threads meet", nestOf(loop("thread", t, barrier)), /a barrier inside/],
    [
      "private scratch of no thread",
      nestOf(when(convert(load(own, zero), "bool"), loop("thread", t, stored))),
      /outside of thread loops/,
    ],
  ];
  it.each(mistakes)("finds %s", (_, nest, message) => {
    expect(() => verifyNest(nest)).toThrow(message);
  });

  it("accepts what targets can run", () => {
    const s = indexVar("s", 3);
    const chunk = indexVar("chunk", 2);
    verifyNest(
      nestOf(
        loop(
          "block",
          block,
          loop(
            "serial",
            chunk,
            loop("thread", t, store(shared, at(t), load(x, at(t)))),
            barrier,
            loop("thread", t, declare, loop("unroll", s, assign), store(y, at(t, [4, block]), load(shared, at(t)))),
            barrier,
          ),
        ),
      ),
    );
    verifyNest(nestOf(loop("vector", i, declare, loop("serial", s, assign), store(y, varIndex(i), readLocal(sum)))));
  });
});

describe("printNest", () => {
  const build = (): LoopNest => {
    const [i, k] = [indexVar("i", 4), indexVar("k", 2)];
    const a = newBuffer("a", "f32", 8);
    const o = newBuffer("o", "f32", 4);
    const sum = newLocal("sum", "f32", true);
    const value = load(a, at([2, i], k));
    const square = times(value, value);
    return {
      name: "squares",
      params: [
        { buffer: a, access: "read" },
        { buffer: o, access: "write" },
      ],
      scratch: [],
      body: [
        loop(
          "block",
          i,
          { kind: "declare", local: sum, value: f32(0) },
          loop("serial", k, { kind: "assign", local: sum, value: plus(readLocal(sum), square) }),
          when(bool(true), store(o, modulo(addConstant(scale(floorDiv(varIndex(i), 3), 5), 1), 4), readLocal(sum))),
        ),
      ],
    };
  };
  const text = `kernel(a0: f32[8] read, a1: f32[4] write)
for i0 in 0..4 block:
  declare t0: f32 = 0f32
  for i1 in 0..2 serial:
    e0: f32 = a0[2*i0 + i1]
    t0 = (t0 + (e0 * e0))
  if 1b:
    a1[((5*((i0) / 3) + 1) % 4)] = t0`;

  it("names things in the order of their appearance", () => {
    expect(printNest(build())).toBe(text);
  });
  it("is the same for nests that differ in identities alone", () => {
    for (let i = 0; i < 120; i++) indexVar("other", 2);
    expect(printNest(build())).toBe(text);
  });
});

describe("evaluateNest", () => {
  it("gives each thread its own scratch and runs phases one after the other", () => {
    const t = indexVar("t", 4);
    const u = indexVar("u", 4);
    const v = indexVar("v", 4);
    const b = indexVar("b", 2);
    const last = addConstant(scale(varIndex(u), -1), 3);
    const y4 = at([4, b], v);
    const nest = nestOf(
      loop(
        "block",
        b,
        loop(
          "thread",
          t,
          store(own, zero, load(x, at([4, b], t))),
          store(shared, varIndex(t), times(load(own, zero), f32(10))),
        ),
        barrier,
        loop("thread", u, store(own, constantIndex(1), load(shared, last))),
        barrier,
        loop("thread", v, store(y, y4, plus(load(own, zero), load(own, constantIndex(1))))),
      ),
    );
    verifyNest(nest);
    const out = new Float32Array(8);
    evaluateNest(nest, [Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8), out]);
    expect([...out]).toEqual([41, 32, 23, 14, 85, 76, 67, 58]);
  });

  it("names the buffer and the index of an access out of bounds", () => {
    const from = (b: Buffer): Expr => load(b, indexOf(convert(load(x, zero), "i32"), 0, 7));
    const nest = nestOf(store(y, zero, from(x)));
    expect(() => evaluateNest(nest, [Float32Array.of(9, 0, 0, 0, 0, 0, 0, 0), new Float32Array(8)])).toThrow(
      /reaches element 9 of x, which has 8/,
    );
  });
});
