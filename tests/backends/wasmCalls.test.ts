/** Call loops as functions of their own that loop nests share. */
import { describe, expect, it } from "vitest";
import { jit, numpy as np } from "../../src/index.ts";
import type { NDArray } from "../../src/index.ts";
import { emitModule } from "../../src/backends/wasm/codegen.ts";
import { disassemble } from "../../src/backends/wasm/disassemble.ts";
import type { LoopNest } from "../../src/compiler/loopNest/loopNest.ts";
import { type IndexVar, add, floorDiv, indexVar, modulo, varIndex } from "../../src/core/indexing.ts";
import {
  convert,
  f32,
  load,
  newBuffer,
  newLocal,
  ofIndex,
  plus,
  readLocal,
  times,
  unary,
} from "../../src/core/scalar.ts";
import { at, emptyOf, loop, store } from "../support/randomNests.ts";
import { agrees, assign, declare, nestOf, ramp } from "../support/wasmNests.ts";

describe("call loops", () => {
  const once = (): IndexVar => indexVar("once", 1);
  const functionsOf = (...nests: LoopNest[]): number =>
    disassemble(emitModule(nests, { relaxedSimd: false }).bytes).split("(func $k").length - 1;

  /** Rows of a matrix times a factor of the row, plus what is there already. */
  const rowsOf = (rows: number, columns: number, stride: number): LoopNest => {
    const [x, f] = [newBuffer("x", "f32", rows * stride), newBuffer("f", "f32", rows)];
    const y = newBuffer("y", "f32", rows * stride);
    const [i, j] = [indexVar("i", rows), indexVar("j", columns)];
    const factor = newLocal("factor", "f32");
    const place = at([stride, i], j);
    const nest = nestOf(
      [x, f],
      [y],
      [],
      loop(
        "serial",
        i,
        { kind: "let", local: factor, value: load(f, varIndex(i)) },
        loop(
          "call",
          once(),
          loop("vector", j, store(y, place, plus(load(y, place), times(load(x, place), readLocal(factor))))),
        ),
      ),
    );
    return { ...nest, params: nest.params.map((p) => (p.buffer === y ? { ...p, access: "readwrite" } : p)) };
  };

  it("in other loops, of values from outside, that accumulate", () => {
    for (const columns of [1, 7, 16, 45, 100])
      agrees(rowsOf(5, columns, 100), [ramp(500), Float32Array.of(1, 2, 3, 4, 5), ramp(500).reverse()]);
  });

  it("are one function wherever they do the same", () => {
    expect(functionsOf(rowsOf(5, 16, 100))).toBe(2);
    // Places, numbers of rounds and lengths of buffers are the caller's.
    expect(functionsOf(rowsOf(5, 16, 100), rowsOf(9, 16, 30))).toBe(3);
    expect(functionsOf(rowsOf(5, 16, 100), rowsOf(5, 17, 100))).toBe(4);
  });

  it("of indices that are not known outside, nor the sum of parts that are", () => {
    const x = newBuffer("x", "f32", 40);
    const y = newBuffer("y", "f32", 200);
    const [i, j] = [indexVar("i", 10), indexVar("j", 20)];
    for (const from of [modulo(at([3, i], j), 7), at([-1, i], j, 9), at([-1, i], [-1, j], 30), floorDiv(at(i, j), 3)]) {
      const body = store(y, at([20, i], j), plus(load(x, from), convert(ofIndex(at([2, i], j)), "f32")));
      const out = agrees(nestOf([x], [y], [], loop("serial", i, loop("call", once(), loop("vector", j, body)))), [
        ramp(40),
        emptyOf(y),
      ]);
      expect(out[1]).not.toEqual(emptyOf(y));
    }
  });

  it("that read what they store, at other places", () => {
    const y = newBuffer("y", "f32", 64);
    const [i, j] = [indexVar("i", 7), indexVar("j", 8)];
    const copied = newLocal("copied", "f32");
    const sum = newLocal("sum", "f32", true);
    const body = [
      declare(sum, f32(0)),
      loop(
        "serial",
        j,
        { kind: "let", local: copied, value: load(y, at([8, i])) },
        store(y, at([8, i], j), plus(readLocal(copied), f32(1))),
        assign(sum, plus(readLocal(sum), load(y, at([8, i])))),
      ),
      store(y, at([8, i], 8), readLocal(sum)),
    ];
    const nest = nestOf([], [y], [], loop("serial", i, loop("call", once(), ...body)));
    agrees({ ...nest, params: [{ buffer: y, access: "readwrite" }] }, [ramp(64)]);
  });

  it("with scratch of their own, in registers or memory, and scratch that they share", () => {
    const x = newBuffer("x", "f32", 64);
    const y = newBuffer("y", "f32", 64);
    const shared = newBuffer("shared", "f32", 9, "shared");
    const mine = newBuffer("mine", "f32", 8, "private");
    const [p, q, i, j, k] = [indexVar("p", 8), indexVar("q", 8), indexVar("i", 8), indexVar("j", 8), indexVar("k", 8)];
    const fill = loop("vector", p, store(mine, varIndex(p), load(x, at([8, i], p))));
    for (const inRegisters of [true, false]) {
      const from = inRegisters ? varIndex(q) : modulo(add(varIndex(q), varIndex(k)), 8);
      const use = loop("vector", q, store(shared, varIndex(q), plus(load(mine, from), load(x, varIndex(q)))));
      const write = loop("vector", j, store(y, at([8, i], j), load(shared, varIndex(j))));
      agrees(
        nestOf(
          [x],
          [y],
          [shared, mine],
          loop("serial", i, loop("call", once(), fill, loop("serial", k, use)), loop("call", once(), write)),
        ),
        [ramp(64), emptyOf(y)],
      );
    }
  });

  it("in call loops, with functions of other modules", () => {
    const x = newBuffer("x", "f64", 12);
    const y = newBuffer("y", "f64", 12);
    const [i, j] = [indexVar("i", 3), indexVar("j", 4)];
    const inner = loop("call", once(), store(y, at([4, i], j), unary("exp", load(x, at([4, i], j)))));
    const nest = nestOf([x], [y], [], loop("serial", i, loop("call", once(), loop("serial", j, inner))));
    agrees(nest, [Float64Array.from(ramp(12)), emptyOf(y)]);
    expect(functionsOf(nest)).toBe(3);
  });

  it("let products share the code of their tiles", () => {
    const product = (rows: number, columns: number) =>
      jit((x: NDArray, y: NDArray) => np.matmul(x, y)).lower(np.ones([rows, 64]), np.ones([64, columns]));
    const kernels = [product(20, 30), product(300, 48)].map((l) => l.asText("wasm"));
    const tileOf = (text: string): string[] => text.split("(func $k").filter((f) => f.includes("f32x4.mul"));
    expect(kernels.map((k) => tileOf(k).length)).toEqual([1, 1]);
    const [a, b] = kernels.map((k) => tileOf(k)[0]!.replace(/^\d+/, ""));
    expect(a).toBe(b);
  });
});
