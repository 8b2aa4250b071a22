import { describe, expect, test } from "vitest";
import type { NDArray } from "../../src/core/ndarray.ts";
import * as lax from "../../src/lax/index.ts";
import { grad } from "../../src/transforms/gradient.ts";
import { jit } from "../../src/transforms/jit.ts";
import { makeJaxpr } from "../../src/transforms/makeJaxpr.ts";
import { vmap } from "../../src/transforms/vmap.ts";
import { expectClose, f32, f64, i32, list, problemOf } from "../support/arrays.ts";

const total = (x: NDArray): NDArray => lax.reduceSum(x, [...x.shape.keys()]);
const dot = (x: NDArray, y: NDArray): NDArray => lax.dot(x, y);

describe("vmap", () => {
  test("maps the leading axis of every argument", () => {
    expect(list(vmap(dot)(f32([[1, 2], [3, 4]]), f32([[1, 1], [2, 2]])))).toEqual([3, 14]); // prettier-ignore
  });
  test("null leaves an argument as it is", () => {
    const f = vmap(dot, { inAxes: [0, null] });
    expect(list(f(f32([[1, 2], [3, 4]]), f32([1, 10])))).toEqual([21, 43]); // prettier-ignore
  });
  test("any axis, negative ones too", () => {
    const x = f32([[1, 2, 3], [4, 5, 6]]); // prettier-ignore
    expect(list(vmap(total, { inAxes: 1 })(x))).toEqual([5, 7, 9]);
    expect(list(vmap(total, { inAxes: -1 })(x))).toEqual([5, 7, 9]);
    expect(list(vmap(total, { inAxes: -2 })(x))).toEqual([6, 15]);
  });
  test("outAxes put the axis anywhere", () => {
    const x = f32([[1, 2, 3], [4, 5, 6]]); // prettier-ignore
    const twice = (v: NDArray): NDArray => lax.mul(v, 2);
    expect(list(vmap(twice, { outAxes: 1 })(x))).toEqual([[2, 8], [4, 10], [6, 12]]); // prettier-ignore
    expect(list(vmap(twice, { outAxes: -1 })(x))).toEqual([[2, 8], [4, 10], [6, 12]]); // prettier-ignore
  });
  test("results that do not depend on the example are repeated, or given once for null", () => {
    expect(list(vmap((_: NDArray) => f32(7))(f32([1, 2])))).toEqual([7, 7]);
    const f = vmap((x: NDArray) => [x, f32(7)] as const, { outAxes: [0, null] });
    expect(f(f32([1, 2])).map(list)).toEqual([[1, 2], 7]); // prettier-ignore
  });
  test("trees of axes are prefixes", () => {
    const f = (p: { w: NDArray; b: { c: NDArray; d: NDArray } }, x: NDArray): NDArray =>
      lax.add(lax.mul(p.w, x), lax.add(p.b.c, p.b.d));
    const p = { w: f32([1, 2]), b: { c: f32(10), d: f32(100) } };
    expect(list(vmap(f, { inAxes: [{ w: 0, b: null }, null] })(p, f32(3)))).toEqual([113, 116]);
    const q = { w: f32(1), b: { c: f32([10, 20]), d: f32(100) } };
    expect(list(vmap(f, { inAxes: [{ w: null, b: { c: 0, d: null } }, 0] })(q, f32([3, 4])))).toEqual([113, 124]);
  });
  test("trees of results", () => {
    const out = vmap((x: NDArray) => ({ a: x, b: [lax.neg(x)] }), { outAxes: { a: 0, b: 0 } as never })(f32([1, 2]));
    expect([list(out.a), list(out.b[0])]).toEqual([[1, 2], [-1, -2]]); // prettier-ignore
  });
  test("axisSize alone", () => {
    expect(list(vmap(() => f32(1), { axisSize: 3 })())).toEqual([1, 1, 1]);
    expect(vmap((x: NDArray) => x, { axisSize: 0 })(f32([])).shape).toEqual([0]);
  });
  test("nested maps are maps over two axes", () => {
    const outer = vmap(vmap(dot, { inAxes: [null, 0] }), { inAxes: [0, null] });
    expect(list(outer(f32([[1, 2], [3, 4]]), f32([[1, 0], [0, 1], [1, 1]])))).toEqual([[1, 2, 3], [3, 4, 7]]); // prettier-ignore
  });
  test("per-example gradients", () => {
    const loss = (w: NDArray, x: NDArray): NDArray => lax.square(lax.dot(w, x));
    const g = vmap(grad(loss), { inAxes: [null, 0] })(f64([1, 2]), f64([[1, 0], [1, 1]])); // prettier-ignore
    expect(list(g)).toEqual([[2, 0], [6, 6]]); // prettier-ignore
  });
  test("nothing is unrolled: the program does not grow with the number of examples", () => {
    const f = vmap((x: NDArray) => lax.dot(lax.sin(x), x));
    const count = (n: number): number => makeJaxpr(f)(f32(Array.from({ length: n }, () => [1, 2]))).eqns.length;
    expect(count(100)).toBe(count(2));
  });
  test("of a jitted function, and jitted", () => {
    const f = jit((x: NDArray) => lax.sin(x));
    expectClose(vmap(f)(f32([1, 2])), jit(vmap(f))(f32([1, 2])));
    expectClose(vmap(f)(f32([1, 2])), lax.sin(f32([1, 2])));
  });
  test("integers", () => {
    expect(list(vmap((n: NDArray) => lax.add(n, 1))(i32([1, 2])))).toEqual([2, 3]);
  });
});

describe("messages", () => {
  const f = (x: NDArray, y: NDArray): NDArray => lax.add(x, y);
  test("lengths that differ are listed with their paths", () => {
    const p = problemOf(() => vmap((a: { x: NDArray }, b: NDArray) => f(a.x, b))({ x: f32([1, 2]) }, f32([1, 2, 3])));
    expect(p.code).toBe("MappedSizes");
    expect(p.what).toContain("argument 0 at .x: axis 0 of (2,) has length 2");
    expect(p.what).toContain("argument 1: axis 0 of (3,) has length 3");
    expect(p.where).toContain("vmap.test.ts");
  });
  test("axisSize that disagrees", () => {
    expect(problemOf(() => vmap(f, { axisSize: 3 })(f32([1, 2]), f32([1, 2]))).what).toContain("axisSize: 3");
  });
  test("nothing mapped", () => {
    const p = problemOf(() => vmap(f, { inAxes: null })(f32(1), f32(1)));
    expect(p.code).toBe("NothingMapped");
    expect(p.fix).toContain("axisSize");
  });
  test("an axis that is not there", () => {
    const p = problemOf(() => vmap(f)(f32([1]), f32(2)));
    expect(p.code).toBe("MappedAxisRange");
    expect(p.what).toContain("axis 0 of argument 1");
    expect(p.fix).toContain("null");
    expect(problemOf(() => vmap(f, { inAxes: 1.5 })(f32([1]), f32([2]))).code).toBe("MappedAxisRange");
  });
  test("the wrong number of axes", () => {
    expect(problemOf(() => vmap(f, { inAxes: [0] })(f32([1]), f32([1]))).code).toBe("InAxesLength");
  });
  test("a tree of axes that does not fit", () => {
    const p = problemOf(() => vmap((a: { x: NDArray }) => a.x, { inAxes: [{ y: 0 }] })({ x: f32([1]) }));
    expect(p.code).toBe("AxesTree");
    expect(p.what).toContain("inAxes[0]");
    expect(problemOf(() => vmap((a: NDArray) => a, { outAxes: [0, 1] })(f32([1]))).what).toContain("outAxes");
    expect(problemOf(() => vmap((a: NDArray) => a, { inAxes: ["0"] as never })(f32([1]))).code).toBe("AxesTree");
  });
  test("outAxes", () => {
    expect(problemOf(() => vmap((a: NDArray) => a, { outAxes: null })(f32([1]))).code).toBe("OutAxesNull");
    expect(problemOf(() => vmap((a: NDArray) => a, { outAxes: 1 })(f32([1]))).code).toBe("OutAxesRange");
  });
  test("misspelt options and non-functions", () => {
    expect(problemOf(() => vmap(f, { in_axes: 0 } as never)).code).toBe("UnknownOption");
    expect(problemOf(() => vmap(3 as never)).code).toBe("NotAFunction");
  });
});
