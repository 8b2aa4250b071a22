/** Collectives against plain formulas on the whole batch. */
import { describe, expect, test } from "vitest";
import type { NDArray } from "../../src/core/ndarray.ts";
import * as lax from "../../src/lax/index.ts";
import { jvp } from "../../src/transforms/forward.ts";
import { grad, vjp } from "../../src/transforms/gradient.ts";
import { jit } from "../../src/transforms/jit.ts";
import { makeJaxpr } from "../../src/transforms/makeJaxpr.ts";
import { vmap } from "../../src/transforms/vmap.ts";
import { expectClose, f32, f64, list, lists, problemOf } from "../support/arrays.ts";

const over = <T>(f: (x: NDArray) => T, options = {}) => vmap(f, { axisName: "i", ...options });
const total = (x: NDArray): NDArray => lax.reduceSum(x, [...x.shape.keys()]);

describe("values", () => {
  test("psum, pmean, pmax, pmin", () => {
    const x = f32([1, 2, 6]);
    expect(list(over((v) => lax.psum(v, "i"))(x))).toEqual([9, 9, 9]);
    expect(list(over((v) => lax.pmean(v, "i"))(x))).toEqual([3, 3, 3]);
    expect(list(over((v) => lax.pmax(v, "i"))(x))).toEqual([6, 6, 6]);
    expect(list(over((v) => lax.pmin(v, "i"))(x))).toEqual([1, 1, 1]);
  });
  test("of values that all examples share", () => {
    expect(list(over(() => lax.psum(f32(2), "i"))(f32([1, 2, 6])))).toEqual([6, 6, 6]);
    expect(list(over(() => lax.psum(1, "i"))(f32([1, 2, 6])))).toEqual([3, 3, 3]);
    expect(list(over(() => lax.pmax(f32(2), "i"))(f32([1, 2, 6])))).toEqual([2, 2, 2]);
  });
  test("results need no batch axis", () => {
    expect(list(over((v) => lax.psum(v, "i"), { outAxes: null })(f32([1, 2, 6])))).toBe(9);
  });
  test("trees", () => {
    const out = over((v) => lax.psum({ a: v, b: [lax.mul(v, 2)] }, "i"))(f32([1, 2]));
    expect(lists(out)).toEqual([[3, 3], [6, 6]]); // prettier-ignore
  });
  test("axisIndex and axisSize", () => {
    expect(list(over(() => lax.axisIndex("i"))(f32([5, 5, 5])))).toEqual([0, 1, 2]);
    expect(over(() => lax.mul(f32(1), lax.axisSize("i")))(f32([5, 5])).shape).toEqual([2]);
  });
  test("allGather", () => {
    const x = f32([[1, 2], [3, 4]]); // prettier-ignore
    const gathered = (options: { axis?: number; tiled?: boolean }) =>
      list(over((v) => lax.allGather(v, "i", options), { outAxes: null })(x));
    expect(gathered({})).toEqual([[1, 2], [3, 4]]); // prettier-ignore
    expect(gathered({ axis: 1 })).toEqual([[1, 3], [2, 4]]); // prettier-ignore
    expect(gathered({ tiled: true })).toEqual([1, 2, 3, 4]);
  });
  test("psumScatter", () => {
    const x = f32([[1, 2], [3, 5]]); // prettier-ignore
    expect(list(over((v) => lax.psumScatter(v, "i"))(x))).toEqual([4, 7]);
    const y = f32([[1, 2, 3, 4], [10, 20, 30, 40]]); // prettier-ignore
    expect(list(over((v) => lax.psumScatter(v, "i", { tiled: true }))(y))).toEqual([[11, 22], [33, 44]]); // prettier-ignore
  });
  test("ppermute", () => {
    const x = f32([1, 2, 3]);
    expect(list(over((v) => lax.ppermute(v, "i", [[0, 1], [1, 2], [2, 0]]))(x))).toEqual([3, 1, 2]); // prettier-ignore
    expect(list(over((v) => lax.ppermute(v, "i", [[0, 2]]))(x))).toEqual([0, 0, 1]); // prettier-ignore
  });
  test("allToAll is a transposition of shares", () => {
    const x = f32([[1, 2], [3, 4]]); // prettier-ignore
    expect(list(over((v) => lax.allToAll(v, "i", 0, 0))(x))).toEqual([[1, 3], [2, 4]]); // prettier-ignore
    const y = f32([[[1, 2, 3, 4]], [[5, 6, 7, 8]]]); // prettier-ignore
    expect(list(over((v) => lax.allToAll(v, "i", 1, 0, { tiled: true }))(y))).toEqual([[[1, 2], [5, 6]], [[3, 4], [7, 8]]]); // prettier-ignore
  });
  test("several axes", () => {
    const both = (f: (x: NDArray) => NDArray) => vmap(vmap(f, { axisName: "j" }), { axisName: "i" });
    const x = f32([[1, 2, 3], [4, 5, 6]]); // prettier-ignore
    expect(list(both((v) => lax.psum(v, "i"))(x))).toEqual([[5, 7, 9], [5, 7, 9]]); // prettier-ignore
    expect(list(both((v) => lax.psum(v, "j"))(x))).toEqual([[6, 6, 6], [15, 15, 15]]); // prettier-ignore
    expect(list(both((v) => lax.psum(v, ["i", "j"]))(x))).toEqual([[21, 21, 21], [21, 21, 21]]); // prettier-ignore
    expect(list(both((v) => lax.add(lax.mul(v, 0), lax.convertElementType(lax.axisIndex(["i", "j"]), "float32")))(x))).toEqual([[0, 1, 2], [3, 4, 5]]); // prettier-ignore
  });
  test("an unnamed map in between", () => {
    const f = vmap(
      vmap((v: NDArray) => lax.psum(lax.sin(v), "i")),
      { axisName: "i" },
    );
    const x = f64([[1, 2], [3, 4]]); // prettier-ignore
    expectClose(f(x), lax.broadcast(lax.reduceSum(lax.sin(x), [0]), [2]), 1e-12);
  });
  test("inside jit, scan and cond", () => {
    const x = f64([1, 2]);
    expect(list(over(jit((v: NDArray) => lax.psum(v, "i")))(x))).toEqual([3, 3]);
    expect(list(over((v) => lax.foriLoop(0, 2, (_, c: NDArray) => lax.psum(c, "i"), v))(x))).toEqual([6, 6]);
    expect(list(over((v) => lax.cond(true, (u: NDArray) => lax.psum(u, "i"), (u: NDArray) => u, v))(x))).toEqual([3, 3]); // prettier-ignore
    expect(list(jit(over((v) => lax.psum(v, "i")))(x))).toEqual([3, 3]);
  });
  test("a normalisation over the batch", () => {
    const x = f64([1, 2, 6]);
    const f = over((v) => lax.sub(v, lax.pmean(v, "i")));
    expect(list(f(x))).toEqual([-2, -1, 3]);
  });
});

describe("derivatives", () => {
  const x = f64([1, 2, 6]);
  const ct = f64([1, 10, 100]);
  test("psum: its transpose is psum", () => {
    const f = over((v) => lax.psum(lax.square(v), "i"));
    // d/dx_k Σ_e ct_e Σ_j x_j² = 2 x_k Σ ct
    const [g] = vjp(f, x)[1](ct);
    expect(list(g)).toEqual([222, 444, 1332]);
    expect(list(jvp(f, [x], [f64([1, 0, 0])])[1])).toEqual([2, 2, 2]);
  });
  test("pmean", () => {
    const [g] = vjp(over((v) => lax.pmean(v, "i")), x)[1](ct); // prettier-ignore
    expect(list(g)).toEqual([37, 37, 37]);
  });
  test("grad inside of vmap sees the collective too, as in JAX", () => {
    // Every example's loss is the whole sum; psum of the cotangents counts each once.
    const g = over(grad((v: NDArray) => lax.psum(lax.square(v), "i")))(x);
    expect(list(g)).toEqual([6, 12, 36]);
  });
  test("ppermute sends cotangents back", () => {
    const [g] = vjp(over((v) => lax.ppermute(v, "i", [[0, 1], [1, 2]])), x)[1](ct); // prettier-ignore
    expect(list(g)).toEqual([10, 100, 0]);
  });
  test("allGather and psumScatter are each other's transposes", () => {
    const cts = f64([[1, 2, 3], [10, 20, 30], [100, 200, 300]]); // prettier-ignore
    const [g] = vjp(over((v) => lax.allGather(v, "i")), x)[1](cts); // prettier-ignore
    expect(list(g)).toEqual([111, 222, 333]);
    const [h] = vjp(over((v) => lax.psumScatter(v, "i")), cts)[1](x); // prettier-ignore
    expect(list(h)).toEqual([[1, 2, 6], [1, 2, 6], [1, 2, 6]]); // prettier-ignore
  });
  test("allToAll", () => {
    const m = f64([[1, 2], [3, 4]]); // prettier-ignore
    const [g] = vjp(over((v) => lax.allToAll(v, "i", 0, 0)), m)[1](f64([[10, 20], [30, 40]])); // prettier-ignore
    expect(list(g)).toEqual([[10, 30], [20, 40]]); // prettier-ignore
  });
  test("the maximum has none inside of the map, as in JAX; outside it is an ordinary reduction", () => {
    expect(problemOf(() => over(grad((v: NDArray) => lax.pmax(lax.square(v), "i")))(x)).code).toBe("NotDifferentiable");
    expect(list(grad((v: NDArray) => total(over((u) => lax.pmax(u, "i"))(v)))(x))).toEqual([0, 0, 3]);
  });
});

describe("messages", () => {
  test("no such axis", () => {
    const p = problemOf(() => lax.psum(f32(1), "i"));
    expect(p.code).toBe("UnboundAxisName");
    expect(p.fix).toContain('vmap(f, { axisName: "i" })');
    expect(problemOf(() => over((v) => lax.psum(v, "j"))(f32([1]))).what).toContain("there is i");
  });
  test("a bad permutation", () => {
    expect(problemOf(() => over((v) => lax.ppermute(v, "i", [[0, 5]]))(f32([1]))).code).toBe("InvalidPermutation");
    expect(problemOf(() => over((v) => lax.ppermute(v, "i", [[0, 0], [0, 1]]))(f32([1, 2]))).what).toContain("twice"); // prettier-ignore
  });
  test("shares that do not divide", () => {
    expect(problemOf(() => over((v) => lax.psumScatter(v, "i"))(f32([[1, 2, 3], [1, 2, 3]]))).code).toBe("ScatterSize"); // prettier-ignore
    expect(problemOf(() => over((v) => lax.allToAll(v, "i", 0, 0))(f32([[1], [2]]))).code).toBe("AllToAllSize"); // prettier-ignore
  });
  test("makeJaxpr assumes axes with axisEnv", () => {
    const p = makeJaxpr((x: NDArray) => lax.psum(x, "i"), { axisEnv: [["i", 4]] })(f32(1));
    expect(String(p)).toBe("{ lambda ; a:f32[]. let\n    b:f32[] = psum[axes=(i,)] a\n  in (b,) }");
  });
});
