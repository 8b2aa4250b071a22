/** disableJit, ensureCompileTimeEval, namedScope, stopGradient; tracers that leak, functions that are async. */
import { describe, expect, test } from "vitest";
import type { NDArray } from "../../src/core/ndarray.ts";
import * as lax from "../../src/lax/index.ts";
import { checkpoint } from "../../src/transforms/checkpoint.ts";
import { jvp } from "../../src/transforms/forward.ts";
import { grad, linearize, vjp } from "../../src/transforms/gradient.ts";
import { jit } from "../../src/transforms/jit.ts";
import { evalShape, makeJaxpr } from "../../src/transforms/makeJaxpr.ts";
import {
  disableJit,
  ensureCompileTimeEval,
  jitIsDisabled,
  namedScope,
  stopGradient,
} from "../../src/transforms/scopes.ts";
import { vmap } from "../../src/transforms/vmap.ts";
import { expectClose, f32, f64, item, list, problemOf } from "../support/arrays.ts";

const total = (x: NDArray): NDArray => lax.reduceSum(x, [...x.shape.keys()]);

describe("disableJit", () => {
  test("jitted functions and loops run as plain JavaScript", () => {
    const seen: number[] = [];
    const f = jit((x: NDArray) => {
      const [y] = lax.scan((c: NDArray, v: NDArray) => (seen.push(item(c)), [lax.add(c, v), null]), x, f64([1, 2]));
      const z = lax.whileLoop((c: NDArray) => (seen.push(item(c)), lax.lt(c, 10)), (c: NDArray) => lax.mul(c, 2), y);
      return lax.cond(lax.gt(z, 0), (c: NDArray) => (seen.push(item(c)), lax.neg(c)), (c: NDArray) => (seen.push(-999), c), z);
    }); // prettier-ignore
    expect(item(disableJit(() => f(f64(1))))).toBe(-16);
    expect(seen).toEqual([1, 2, 4, 8, 16, 16]);
    expect(jitIsDisabled()).toBe(false);
  });
  test("values are those of the compiled program", () => {
    const f = jit((x: NDArray) =>
      lax.scan((c: NDArray, v: NDArray) => [lax.mul(c, v), lax.sin(c)], total(x), x, { reverse: true }),
    );
    const x = f64([0.5, 2, 3]);
    expectClose(disableJit(() => f(x)), f(x), 1e-14); // prettier-ignore
    expectClose(disableJit(() => grad((v: NDArray) => f(v)[0])(x)), grad((v: NDArray) => f(v)[0])(x), 1e-14); // prettier-ignore
  });
  test("ends when its body throws", () => {
    expect(() => disableJit(() => { throw new Error("x"); })).toThrow("x"); // prettier-ignore
    expect(jitIsDisabled()).toBe(false);
  });
  test("plain numbers from loop bodies are arrays", () => {
    const [c, ys] = disableJit(() => lax.scan((x: NDArray, _: null) => [lax.add(x, 1), 2], 0, null, 3));
    expect([item(c), list(ys)]).toEqual([3, [2, 2, 2]]);
  });
  test("loops of no steps", () => {
    const [c, ys] = disableJit(() => lax.scan((x: NDArray, y: NDArray) => [x, y], f64(1), f64([])));
    expect([item(c), ys === null ? null : list(ys)]).toEqual([1, []]);
  });
});

describe("ensureCompileTimeEval", () => {
  test("computes now", () => {
    const f = jit((x: NDArray) =>
      lax.mul(
        x,
        ensureCompileTimeEval(() => item(total(f64([1, 2, 3])))),
      ),
    );
    expect(item(f(f64(2)))).toBe(12);
    expect(f.lower(f64(2)).asText()).toContain("mul a 6.0");
  });
  test("refuses tracers", () => {
    const p = problemOf(() => jit((x: NDArray) => ensureCompileTimeEval(() => lax.sin(x)))(f64(1)));
    expect(p.code).toBe("TracerInEvaluation");
    expect(p.kind).toBe("LeakedTracerError");
  });
});

describe("namedScope", () => {
  test("is kept by the equations traced in it", () => {
    const f = (x: NDArray): NDArray =>
      namedScope("outer", () =>
        lax.add(
          namedScope("inner", () => lax.sin(x)),
          1,
        ),
      );
    expect(makeJaxpr(f)(f64(1)).eqns.map((e) => e.scope)).toEqual(["outer/inner", "outer"]);
    expect(item(f(f64(0)))).toBe(1);
  });
});

describe("stopGradient", () => {
  test("is a constant for derivatives", () => {
    expect(item(grad((x: NDArray) => lax.mul(x, stopGradient(x)))(f64(3)))).toBe(3);
    expect(jvp((x: NDArray) => stopGradient(x), [f64(3)], [f64(1)]).map(item)).toEqual([3, 0]);
    expect(item(jit(grad((x: NDArray) => lax.mul(x, stopGradient(x))))(f64(3)))).toBe(3);
    expect(list(vmap(grad((x: NDArray) => lax.mul(x, stopGradient(x))))(f64([3, 4])))).toEqual([3, 4]);
    expect(item(grad(grad((x: NDArray) => lax.mul(lax.square(x), stopGradient(x))))(f64(3)))).toBe(6);
  });
  test("on trees, integers and strings", () => {
    const out = stopGradient({ a: f32(1), n: 3, s: "kept" });
    expect([item(out.a), out.n, out.s]).toEqual([1, 3, "kept"]);
  });
});

describe("leaked tracers", () => {
  const transforms: Record<string, (f: (x: NDArray) => NDArray) => unknown> = {
    jit: (f) => jit(f)(f64(1)),
    grad: (f) => grad(f)(f64(1)),
    jvp: (f) => jvp(f, [f64(1)], [f64(1)]),
    vjp: (f) => vjp(f, f64(1)),
    linearize: (f) => linearize(f, f64(1)),
    vmap: (f) => vmap(f)(f64([1])),
    checkpoint: (f) => checkpoint(f)(f64(1)),
    makeJaxpr: (f) => makeJaxpr(f)(f64(1)),
    evalShape: (f) => evalShape(f, f64(1)) as unknown,
    scan: (f) => lax.scan((c: NDArray, _: null) => [f(c), null], f64(1), null, 2),
    cond: (f) => lax.cond(true, f, (x: NDArray) => x, f64(1)),
    whileLoop: (f) => lax.whileLoop((x: NDArray) => lax.lt(x, 0), f, f64(1)),
  };
  test.each(Object.entries(transforms))("from %s", (name, transform) => {
    let kept: NDArray | null = null;
    transform((x) => ((kept = lax.sin(x)), lax.mul(x, 1)));
    const p = problemOf(() => lax.add(kept!, 1));
    expect(p.code).toBe("LeakedTracer");
    expect(p.what).toMatch(/a traced float64\[1?\]/);
    expect(p.what).toContain("scopes.test.ts");
    expect(p.what).toContain(name === "evalShape" ? "evalShape" : name);
    expect(p.where).toContain("scopes.test.ts");
    expect(p.fix).toContain("return the value");
  });
  test("used inside of another trace", () => {
    let kept: NDArray | null = null;
    jit((x: NDArray) => ((kept = x), x))(f64(1));
    for (const run of [
      () => jit((y: NDArray) => lax.add(y, kept!))(f64(1)),
      () => grad((y: NDArray) => lax.add(y, kept!))(f64(1)),
      () => vmap((y: NDArray) => lax.add(y, kept!))(f64([1])),
    ])
      expect(problemOf(run).code).toBe("LeakedTracer");
  });
  test("returned from a later call", () => {
    let kept: NDArray | null = null;
    jit((x: NDArray) => ((kept = x), x))(f64(1));
    expect(problemOf(() => jit((_: NDArray) => kept!)(f64(2))).code).toBe("LeakedTracer");
  });
  test("coercion of tracers says what to do", () => {
    const p = problemOf(() => jit((x: NDArray) => ((x as never) > 0 ? x : lax.neg(x)))(f64(1)));
    expect(p.code).toBe("ArrayCoercion");
    expect(p.fix).toContain("lax.cond");
    expect(p.where).toContain("scopes.test.ts");
  });
});

describe("async functions are rejected", () => {
  const wait = (async (x: NDArray) => Promise.resolve(x)) as unknown as (x: NDArray) => NDArray;
  const transforms: Record<string, () => unknown> = {
    jit: () => jit(wait)(f64(1)),
    grad: () => grad(wait)(f64(1)),
    jvp: () => jvp(wait, [f64(1)], [f64(1)]),
    vjp: () => vjp(wait, f64(1)),
    linearize: () => linearize(wait, f64(1)),
    vmap: () => vmap(wait)(f64([1])),
    checkpoint: () => checkpoint(wait)(f64(1)),
    makeJaxpr: () => makeJaxpr(wait)(f64(1)),
    scan: () => lax.scan(wait as never, f64(1), f64([1])),
    cond: () => lax.cond(true, wait, wait, f64(1)),
    whileLoop: () => lax.whileLoop((x: NDArray) => lax.lt(x, 0), wait, f64(1)),
    map: () => lax.map(wait, f64([1])),
  };
  test.each(Object.entries(transforms))("by %s", (_, run) => {
    const p = problemOf(run);
    expect(p.code).toBe("AsyncFunction");
    expect(p.where).toContain("scopes.test.ts");
    expect(p.fix).toContain("synchronous");
  });
  test("their failures do not take the process down", async () => {
    const bad = (async () => Promise.reject(new Error("unheard"))) as never;
    expect(problemOf(() => jit(bad)(f64(1) as never)).code).toBe("AsyncFunction");
    await new Promise((resolve) => setTimeout(resolve, 10));
  });
});
