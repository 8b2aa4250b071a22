import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { simplify } from "../../src/compiler/simplify.ts";
import { checkJaxpr, evalJaxpr } from "../../src/core/jaxpr.ts";
import type { NDArray } from "../../src/core/ndarray.ts";
import { printJaxpr } from "../../src/core/printJaxpr.ts";
import { traceToJaxpr } from "../../src/core/staging.ts";
import { debugCallback } from "../../src/lax/callback.ts";
import * as lax from "../../src/lax/index.ts";
import { grad } from "../../src/transforms/gradient.ts";
import { jit } from "../../src/transforms/jit.ts";
import { makeJaxpr } from "../../src/transforms/makeJaxpr.ts";
import { stopGradient } from "../../src/transforms/scopes.ts";
import { holds } from "../properties.ts";
import { array, distanceOf, f32, f64, fromHost, i32, item, list } from "../support/arrays.ts";
import { bothModes, programs, run, show } from "../support/programs.ts";
import { arrays } from "../sweep/generator.ts";

/** The names of a simplified function's operations. */
const names = (f: (...xs: NDArray[]) => unknown, ...args: NDArray[]): string[] =>
  simplify(makeJaxpr(f)(...args).jaxpr).jaxpr.eqns.map((e) => e.primitive.name);

const x = f32([1, 2]);

describe("random programs", () => {
  const program = programs({ structured: [...bothModes, "customVjp", "while"], maxSteps: 5, depth: 1 });
  test("mean the same, and are well formed", () =>
    holds(
      60,
      [
        program.map((p) => Object.assign(p, { toString: () => show(p) })),
        arrays([2, 3], "float64"),
        arrays([], "float64"),
      ],
      (p, a, b) => {
        const args = [fromHost(a), fromHost(b)];
        const { jaxpr, consts } = traceToJaxpr(
          (...xs) => [run(p, xs)],
          args.map((v) => v.aval),
          "test",
        );
        const { jaxpr: simple, captured } = simplify(jaxpr);
        checkJaxpr(simple);
        const [wanted] = evalJaxpr(jaxpr, consts, args);
        const [found] = evalJaxpr(simple, [], [...captured, ...consts, ...args]);
        expect(distanceOf(found!, wanted!, 1e-14)).toBe(null);
        // Once is enough.
        const again = simplify(simple);
        expect(again.jaxpr.eqns.length).toBe(simple.eqns.length);
        expect(again.captured).toEqual([]);
      },
    ));
  test("so do their gradients", () =>
    holds(25, [programs({ structured: bothModes, maxSteps: 4, depth: 1 }), arrays([3], "float64")], (p, a) => {
      const f = (v: NDArray): NDArray => {
        const y = run(p, [v]);
        return y.ndim ? lax.reduceSum(y, [...y.shape.keys()]) : y;
      };
      const arg = fromHost(a);
      const { jaxpr, consts } = traceToJaxpr((v) => [grad(f)(v)], [arg.aval], "test");
      const { jaxpr: simple, captured } = simplify(jaxpr);
      checkJaxpr(simple);
      const [wanted] = evalJaxpr(jaxpr, consts, [arg]);
      const [found] = evalJaxpr(simple, [], [...captured, ...consts, arg]);
      expect(distanceOf(found!, wanted!, 1e-12)).toBe(null);
    }));
});

describe("rules", () => {
  test("identities go", () => {
    expect(names((v) => lax.reshape(lax.reshape(v, [2, 1]), [2, 1]), x)).toEqual(["reshape"]);
    expect(names((v) => lax.transpose(v, [0]), x)).toEqual([]);
    expect(names((v) => stopGradient(lax.sin(v)), x)).toEqual(["sin"]);
    expect(names((v) => lax.broadcastInDim(v, [2], [0]), x)).toEqual([]);
    expect(names((v) => lax.convertElementType(v, "float32"), x)).toEqual([]);
  });
  test("calls are inlined, also when called twice", () => {
    const f = jit((v: NDArray) => lax.sin(lax.mul(v, 2)));
    expect(names((v) => f(v), x)).toEqual(["mul", "sin"]);
    expect(names((v) => f(f(v)), x)).toEqual(["mul", "sin", "mul", "sin"]);
    const g = jit((v: NDArray) => lax.add(f(v), f(lax.neg(v))));
    expect(item(g(f64(0.3)))).toBe(0);
    const args = f64([0.1, 0.2]);
    const { jaxpr } = makeJaxpr((v: NDArray) => [f(f(v)), f(v)])(args);
    const out = evalJaxpr(simplify(jaxpr).jaxpr, [], [args]);
    expect(out.map(list)).toEqual([f(f(args)), f(args)].map(list));
  });
  test("equal operations are computed once, whatever their order of mention", () => {
    expect(names((v) => lax.add(lax.sin(v), lax.sin(v)), x)).toEqual(["sin", "add"]);
    expect(names((v) => lax.add(lax.reduceSum(v, [0]), lax.reduceSum(v, [0])), x)).toEqual(["reduce_sum", "add"]);
    expect(names((v) => lax.sub(lax.cumsum(v, { reverse: true }), lax.cumsum(v)), x)).toEqual([
      "cumsum",
      "cumsum",
      "sub",
    ]);
  });
  test("operations that differ in parameters, literals or the sign of zero are kept apart", () => {
    expect(names((v) => lax.add(lax.mul(v, 0), lax.mul(v, -0)), x)).toEqual(["mul", "mul", "add"]);
    expect(names((v) => lax.add(lax.integerPow(v, 2), lax.integerPow(v, 3)), x)).toEqual([
      "integer_pow",
      "integer_pow",
      "add",
    ]);
    const f = jit((v: NDArray) => [lax.div(v, lax.mul(f64(1), 0)), lax.div(v, -0)]);
    expect(f(f64(1)).map(item)).toEqual([Infinity, -Infinity]);
  });
  test("operations nobody needs go", () => {
    expect(names((v) => (lax.sin(v), lax.cos(v)), x)).toEqual(["cos"]);
    expect(names((v) => (lax.scan((c: NDArray, _: null) => [c, null], v, null, 3), v), x)).toEqual([]);
  });
  test("effects stay, in order, equal ones too", () => {
    const f = (v: NDArray): NDArray => {
      debugCallback(() => undefined, v);
      debugCallback(() => undefined, v);
      lax.ioCallback(() => undefined, null, lax.neg(v));
      return v;
    };
    expect(names(f as never, x)).toEqual(["callback", "callback", "neg", "callback"]);
    expect(names((v) => jit(f)(v), x)).toEqual(["callback", "callback", "neg", "callback"]);
    expect(names((v) => (lax.scan((c: NDArray, _: null) => (f(c), [c, null]), v, null, 3), v), x)).toEqual(["scan"]);
  });
  test("barriers and recomputation are not merged away", () => {
    expect(names((v) => lax.add(lax.optimizationBarrier(v), lax.sin(v)), x)).toEqual([
      "optimization_barrier",
      "sin",
      "add",
    ]);
  });
  test("the results may be inputs, literals or the same value twice", () => {
    const { jaxpr } = simplify(
      makeJaxpr((v: NDArray) => [v, v, lax.convertElementType(1, "float32"), lax.reshape(v, [2])])(x).jaxpr,
    );
    expect(printJaxpr(jaxpr)).toBe("{ lambda ; a:f32[2]. let in (a, a, 1.0:f32[], a) }");
    const f = jit((v: NDArray) => [v, 2, lax.mul(v, 0)] as const);
    expect(f(x).map(list)).toEqual([[1, 2], 2, [0, 0]]); // prettier-ignore
  });
});

describe("programs at the edges", () => {
  test("empty arrays, scalars, every dtype", () => {
    for (const dtype of [
      "bool",
      "int8",
      "uint8",
      "int16",
      "uint16",
      "int32",
      "uint32",
      "float16",
      "bfloat16",
      "float32",
      "float64",
      "complex64",
    ] as const) {
      const v = array(dtype === "complex64" ? [[1, 0], [0, 1]] : [1, 0], dtype); // prettier-ignore
      expect(list(jit((u: NDArray) => lax.rev(u, [0]))(v))).toEqual([...(list(v) as unknown[])].reverse());
    }
    expect(jit((u: NDArray) => lax.sin(u))(f32([])).shape).toEqual([0]);
  });
  test("a program run again gives the same", () =>
    holds(20, [fc.integer({ min: -5, max: 5 })], (n) => {
      const f = jit((u: NDArray) => lax.foriLoop(0, 3, (i, c: NDArray) => lax.add(c, i), u));
      expect([item(f(i32(n))), item(f(i32(n)))]).toEqual([n + 3, n + 3]);
    }));
});
