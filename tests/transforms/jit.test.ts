import { describe, expect, test } from "vitest";
import type { NDArray } from "../../src/core/ndarray.ts";
import * as lax from "../../src/lax/index.ts";
import { grad } from "../../src/transforms/gradient.ts";
import { jit } from "../../src/transforms/jit.ts";
import { makeJaxpr } from "../../src/transforms/makeJaxpr.ts";
import { vmap } from "../../src/transforms/vmap.ts";
import { array, c64, f32, f64, i32, item, list, problemOf } from "../support/arrays.ts";

/** A function that counts how often it is traced. */
function counted<A extends readonly unknown[], R>(
  f: (...args: A) => R,
): { f: (...args: A) => R; traces: () => number } {
  let n = 0;
  return { f: (...args) => (n++, f(...args)), traces: () => n };
}

describe("jit", () => {
  test("gives what the function gives", () => {
    const f = (x: NDArray, y: NDArray) => ({ sum: lax.add(x, y), parts: [lax.sin(x), null] as const });
    const out = jit(f)(f32([1, 2]), f32([3, 4]));
    expect(list(out.sum)).toEqual([4, 6]);
    expect(list(out.parts[0])).toEqual(list(lax.sin(f32([1, 2]))));
    expect(out.parts[1]).toBe(null);
  });
  test("traces once per signature", () => {
    const { f, traces } = counted((x: NDArray) => lax.mul(x, 2));
    const g = jit(f);
    for (let i = 0; i < 5; i++) g(f32([1, i]));
    expect(traces()).toBe(1);
    g(f32([1, 2, 3]));
    g(i32([1, 2]));
    expect([traces(), g.cacheSize()]).toEqual([3, 3]);
    g(f32([1, 2]));
    expect(traces()).toBe(3);
    g.clearCache();
    g(f32([1, 2]));
    expect(traces()).toBe(4);
  });
  test("the cache belongs to the function, not to the wrapper", () => {
    const { f, traces } = counted((x: NDArray) => lax.mul(x, 2));
    jit(f)(f32(1));
    jit(f)(f32(2));
    expect(traces()).toBe(1);
    expect(jit(f).cacheSize()).toBe(1);
  });
  test("numbers do not retrace by value", () => {
    const { f, traces } = counted((x: NDArray, n: NDArray) => lax.mul(x, n));
    const g = jit(f) as unknown as (x: NDArray, n: number) => NDArray;
    expect([g(f32(2), 3), g(f32(2), 4.5), g(f32(2), -1)].map(item)).toEqual([6, 9, -2]);
    expect(traces()).toBe(1);
  });
  test("weak types select a program of their own", () => {
    const { f, traces } = counted((x: NDArray) => lax.mul(x, 2));
    const g = jit(f) as (x: unknown) => NDArray;
    expect(g(2).dtype).toBe("float32");
    g(f32(2));
    expect(traces()).toBe(2);
    g(array(3, "float32", true));
    expect(traces()).toBe(2);
  });
  test("the structure of arguments selects too", () => {
    const { f, traces } = counted((p: { a: NDArray; b?: NDArray | null }) => (p.b ? lax.add(p.a, p.b) : p.a));
    const g = jit(f);
    expect(item(g({ a: f32(1) }))).toBe(1);
    expect(item(g({ a: f32(1), b: null }))).toBe(1);
    expect(item(g({ b: f32(2), a: f32(1) }))).toBe(3);
    expect(item(g({ a: f32(1), b: f32(2) }))).toBe(3);
    expect(traces()).toBe(3);
  });
  test("named axes in scope select too", () => {
    const { f, traces } = counted((x: NDArray) => lax.psum(x, "i"));
    const g = jit(f);
    expect(list(vmap((x: NDArray) => g(x), { axisName: "i" })(f32([1, 2])))).toEqual([3, 3]);
    expect(list(vmap((x: NDArray) => g(x), { axisName: "i" })(f32([1, 2, 3])))).toEqual([6, 6, 6]);
    expect(traces()).toBe(2);
    expect(problemOf(() => g(f32(1))).code).toBe("UnboundAxisName");
  });
  test("nested calls are one program", () => {
    const { f: inner, traces } = counted((x: NDArray) => lax.sin(x));
    const jitted = jit(inner);
    const outer = jit((x: NDArray) => lax.add(jitted(x), jitted(lax.mul(x, 2))));
    expect(item(outer(f64(1)))).toBeCloseTo(Math.sin(1) + Math.sin(2), 12);
    expect(traces()).toBe(1);
    expect(
      outer
        .lower(f64(1))
        .asText()
        .match(/ jit\[/g),
    ).toHaveLength(2);
  });
  test("jit of jit, and of transformed functions", () => {
    const f = jit(jit((x: NDArray) => lax.square(x)));
    expect(item(f(f64(3)))).toBe(9);
    expect(item(jit(grad(jit(f)))(f64(3)))).toBe(6);
    expect(item(grad(jit(grad(f)))(f64(3)))).toBe(2);
  });
  test("no arguments, no results", () => {
    expect(item(jit(() => f32(3))())).toBe(3);
    expect(jit((_: NDArray) => null)(f32(1))).toBe(null);
    expect(jit((_: NDArray) => [])(f32(1))).toEqual([]);
  });
  test("arguments that come back unchanged, or several times", () => {
    const [a, b, c] = jit((x: NDArray) => [x, x, lax.neg(x)] as const)(f32(2));
    expect([a, b, c].map(item)).toEqual([2, 2, -2]);
  });
  test("options are checked", () => {
    expect(problemOf(() => jit((x: NDArray) => x, { static_argnums: 1 } as never)).code).toBe("UnknownOption");
    expect(problemOf(() => jit(1 as never)).code).toBe("NotAFunction");
    expect(problemOf(() => jit((x: NDArray) => x)("s" as never)).what).toContain('argument 0 is the string "s"');
  });
  test("errors of the function come out with its line, and tracing can be tried again", () => {
    const g = jit((x: NDArray) => lax.add(x, f32([1, 2, 3])));
    const p = problemOf(() => g(f32([1, 2])));
    expect(p.kind).toBe("ShapeError");
    expect(p.where).toContain("jit.test.ts");
    expect(list(g(f32([1, 1, 1])))).toEqual([2, 3, 4]);
    expect(g.cacheSize()).toBe(1);
  });
});

describe("static arguments", () => {
  test("are compared by value", () => {
    const { f, traces } = counted((x: NDArray, n: { axis: number; names: string[] }) =>
      lax.mul(x, n.axis + n.names.length),
    );
    const g = jit(f, { staticArgnums: 1 });
    expect(item(g(f32(2), { axis: 1, names: ["a"] }))).toBe(4);
    expect(item(g(f32(3), { names: ["a"], axis: 1 }))).toBe(6);
    expect(traces()).toBe(1);
    expect(item(g(f32(2), { axis: 2, names: ["a"] }))).toBe(6);
    expect(traces()).toBe(2);
  });
  test("functions by identity", () => {
    const { f, traces } = counted((h: (x: NDArray) => NDArray, x: NDArray) => h(x));
    const g = jit(f, { staticArgnums: [0] });
    expect(item(g(lax.neg, f32(1)))).toBe(-1);
    expect(item(g(lax.neg, f32(2)))).toBe(-2);
    expect(traces()).toBe(1);
    expect(item(g(lax.square, f32(3)))).toBe(9);
    expect(traces()).toBe(2);
  });
  test("negative positions", () => {
    const g = jit((x: NDArray, p: number) => lax.integerPow(x, p), { staticArgnums: -1 });
    expect(item(g(f32(2), 3))).toBe(8);
  });
  test("names are fields of the options object", () => {
    const { f, traces } = counted((x: NDArray, o: { power: number; scale: NDArray }) =>
      lax.mul(lax.integerPow(x, o.power), o.scale),
    );
    const g = jit(f, { staticArgnames: "power" });
    expect(item(g(f32(2), { power: 3, scale: f32(10) }))).toBe(80);
    expect(item(g(f32(2), { power: 3, scale: f32(20) }))).toBe(160);
    expect(traces()).toBe(1);
    expect(item(g(f32(2), { power: 2, scale: f32(10) }))).toBe(40);
    expect(traces()).toBe(2);
  });
  test("NaN, -0 and strings", () => {
    const { f, traces } = counted((x: NDArray, s: unknown) => (s ? lax.neg(x) : x));
    const g = jit(f, { staticArgnums: 1 });
    for (const s of [NaN, NaN, 0, -0, "a", "a"]) g(f32(1), s);
    expect(traces()).toBe(4);
  });
  test("an array cannot be static", () => {
    const p = problemOf(() => jit((_: NDArray) => f32(1), { staticArgnums: 0 })(f32(1)));
    expect(p.code).toBe("StaticArray");
    expect(problemOf(() => jit((x: NDArray) => x, { staticArgnums: 3 })(f32(1))).code).toBe("ArgnumsRange");
  });
});

describe("donation", () => {
  test("donated arrays cannot be used again", () => {
    const step = jit((w: NDArray, g: NDArray) => lax.sub(w, g), { donateArgnums: 0 });
    const w = f32([1, 2]);
    const g = f32([1, 1]);
    const next = step(w, g);
    expect(list(next)).toEqual([0, 1]);
    const p = problemOf(() => lax.add(w, 1));
    expect(p.code).toBe("ArrayGone");
    expect(p.what).toContain("float32[2] was used after it had been donated");
    expect(p.why).toContain("donateArgnums");
    expect(problemOf(() => step(w, g)).code).toBe("ArrayGone");
    expect(list(lax.add(g, 1))).toEqual([2, 2]);
  });
  test("whole trees, and by name", () => {
    const a = { w: f32(1), b: [f32(2)] };
    jit((p: typeof a) => lax.add(p.w, p.b[0]!), { donateArgnums: [0] })(a);
    expect(problemOf(() => lax.neg(a.b[0]!)).code).toBe("ArrayGone");
    const o = { kept: f32(1), given: f32(2) };
    jit((p: typeof o) => lax.add(p.kept, p.given), { donateArgnames: "given" })(o);
    expect(item(lax.neg(o.kept))).toBe(-1);
    expect(problemOf(() => lax.neg(o.given)).code).toBe("ArrayGone");
  });
  test("under another trace nothing is donated", () => {
    const f = jit((x: NDArray) => lax.square(x), { donateArgnums: 0 });
    const x = f64(3);
    expect(item(grad(f)(x))).toBe(6);
    expect(item(x)).toBe(3);
  });
});

describe("captured arrays", () => {
  test("are hidden arguments: the program holds no values", () => {
    const big = f32([1.25, 2.5, 3.75]);
    const f = jit((x: NDArray) => lax.mul(x, big));
    const text = f.lower(f32([1, 1, 1])).asText();
    expect(text).toBe("{ lambda a:f32[3] ; b:f32[3]. let\n    c:f32[3] = mul b a\n  in (c,) }");
    expect(text).not.toContain("1.25");
    expect(list(f(f32([1, 1, 1])))).toEqual([1.25, 2.5, 3.75]);
  });
  test("what was captured when tracing stays", () => {
    let scale = f32(2);
    const f = jit((x: NDArray) => lax.mul(x, scale));
    expect(item(f(f32(3)))).toBe(6);
    scale = f32(10);
    expect(item(f(f32(3)))).toBe(6);
  });
  test("tracers of an outer function are followed", () => {
    const outer = (x: NDArray): NDArray => {
      const f = jit((y: NDArray) => lax.mul(y, x));
      return f(lax.sin(x));
    };
    const wanted = Math.cos(0.5) * 0.5 + Math.sin(0.5);
    expect(item(grad(outer)(f64(0.5)))).toBeCloseTo(wanted, 12);
    expect(item(jit(grad(outer))(f64(0.5)))).toBeCloseTo(wanted, 12);
    expect(item(grad(jit(outer))(f64(0.5)))).toBeCloseTo(wanted, 12);
  });
  test("a jitted function that outlives the trace it captured is traced again", () => {
    let captured: NDArray | null = null;
    const f = jit((y: NDArray) => lax.mul(y, captured!));
    const g = (x: NDArray): NDArray => ((captured = x), f(lax.sin(x)));
    expect(item(grad(g)(f64(0.5)))).toBeCloseTo(item(grad(g)(f64(0.5))), 12);
    expect(item(grad(g)(f64(1)))).toBeCloseTo(Math.cos(1) + Math.sin(1), 12);
  });
});

describe("lower", () => {
  test("prints, compiles and refuses other stages", () => {
    const f = jit((x: NDArray) => lax.sin(x));
    const lowered = f.lower(f64(1));
    expect(lowered.asText("jaxpr")).toBe("{ lambda ; a:f64[]. let\n    b:f64[] = sin a\n  in (b,) }");
    expect(item(lowered.compile().call(f64(1)))).toBeCloseTo(Math.sin(1), 12);
    expect(problemOf(() => lowered.asText("ptx" as never)).code).toBe("UnknownStage");
  });
  test("traces without running", () => {
    const { f, traces } = counted((x: NDArray) => lax.sin(x));
    const g = jit(f);
    g.lower(f64(1));
    g(f64(1));
    expect(traces()).toBe(1);
  });
});

describe("under other transforms", () => {
  test("a jitted function is one equation", () => {
    const f = jit((x: NDArray) => lax.square(x));
    const p = makeJaxpr((x: NDArray) => f(f(x)))(f64(1));
    expect(p.eqns.map((e) => e.primitive.name)).toEqual(["jit", "jit"]);
  });
  test("complex and half dtypes go through", () => {
    expect(list(jit((z: NDArray) => lax.mul(z, z))(c64([1, 2])))).toEqual([-3, 4]);
    expect(jit((x: NDArray) => lax.mul(x, 2))(array(1.5, "bfloat16")).dtype).toBe("bfloat16");
  });
});
