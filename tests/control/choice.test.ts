/** cond, switch_, whileLoop. */
import { describe, expect, test } from "vitest";
import type { NDArray } from "../../src/core/ndarray.ts";
import * as lax from "../../src/lax/index.ts";
import { checkpoint } from "../../src/transforms/checkpoint.ts";
import { jacfwd, jacrev, jvp } from "../../src/transforms/forward.ts";
import { grad, linearize } from "../../src/transforms/gradient.ts";
import { interpreters } from "../../src/transforms/interpreters.ts";
import { jit } from "../../src/transforms/jit.ts";
import { makeJaxpr } from "../../src/transforms/makeJaxpr.ts";
import { vmap } from "../../src/transforms/vmap.ts";
import { array, bool, expectClose, f32, f64, i32, item, list, problemOf } from "../support/arrays.ts";

const total = (x: NDArray): NDArray => lax.reduceSum(x, [...x.shape.keys()]);
const sine = (x: NDArray): NDArray => lax.sin(x);
const triple = (x: NDArray): NDArray => lax.mul(x, 3);

/** The same function through a map over one example. */
const vmapOfOne = (f: (x: NDArray) => NDArray) => (x: NDArray) => lax.reshape(vmap(f)(lax.reshape(x, [1])), []);

describe("cond", () => {
  const f = (x: NDArray): NDArray => lax.cond(lax.gt(x, 0), sine, triple, x);
  test("one branch runs", () => {
    expect([item(f(f64(1))), item(f(f64(-1)))]).toEqual([Math.sin(1), -3]);
    expect([item(jit(f)(f64(1))), item(jit(f)(f64(-1)))]).toEqual([Math.sin(1), -3]);
    const seen: string[] = [];
    const note = (s: string) => (x: NDArray) => (lax.ioCallback(() => void seen.push(s), null), x);
    jit((p: NDArray) => lax.cond(p, note("true"), note("false"), f64(1)))(bool(0));
    expect(seen).toEqual(["false"]);
  });
  test("predicates: booleans, numbers, arrays of any number dtype", () => {
    for (const p of [true, 1, -2, 0.5, bool(1), i32(3), f64(0.1)]) expect(item(lax.cond(p as never, () => f64(1), () => f64(2)))).toBe(1); // prettier-ignore
    for (const p of [false, 0, bool(0), i32(0)]) expect(item(lax.cond(p as never, () => f64(1), () => f64(2)))).toBe(2); // prettier-ignore
  });
  test("derivatives are the chosen branch's", () => {
    for (const wrap of [(g: typeof f) => g, jit, checkpoint] as ((g: typeof f) => typeof f)[]) {
      expect([item(grad(wrap(f))(f64(1))), item(grad(wrap(f))(f64(-1)))]).toEqual([Math.cos(1), 3]);
      expect(item(jvp(wrap(f), [f64(1)], [f64(2)])[1])).toBe(2 * Math.cos(1));
      expect(item(linearize(wrap(f), f64(-1))[1](f64(2)))).toBe(6);
      expect(item(grad(grad(wrap(f)))(f64(1)))).toBe(-Math.sin(1));
    }
  });
  test("branches with different residuals, and one without", () => {
    const g = (p: NDArray, x: NDArray, y: NDArray): NDArray =>
      lax.cond(
        p,
        (a: NDArray, b: NDArray) => lax.mul(lax.mul(lax.sin(a), lax.exp(b)), lax.tanh(a)),
        (_a: NDArray, b: NDArray) => b,
        x,
        y,
      );
    const [x, y] = [f64(0.3), f64(0.4)];
    const plain = (a: NDArray, b: NDArray): NDArray => lax.mul(lax.mul(lax.sin(a), lax.exp(b)), lax.tanh(a));
    const both = (p: boolean) => grad((a: NDArray, b: NDArray) => g(bool(Number(p)), a, b), { argnums: [0, 1] })(x, y);
    expectClose(both(true), grad(plain, { argnums: [0, 1] })(x, y), 1e-14);
    expect(both(false).map(item)).toEqual([0, 1]);
  });
  test("an example never meets the residuals of a branch that it does not take", () => {
    // 1 / residual is in the derivative of log; for the other branch's examples the residual must not be a zero.
    const safe = (x: NDArray): NDArray => lax.log(lax.add(lax.square(x), 1));
    const g = (x: NDArray): NDArray => lax.cond(lax.gt(x, 0), sine, safe, x);
    const penalty = (f: (x: NDArray) => NDArray) => (v: NDArray) => total(lax.square(vmap(grad(f))(v)));
    const found = grad(penalty(g))(f64([1, -1]));
    // d/dx f'(x)² = 2 f' f''; for log(x² + 1): f' = 2x/(x²+1) = -1, f'' = 2(1 − x²)/(x²+1)² = 0.
    expectClose(found, f64([-2 * Math.cos(1) * Math.sin(1), 0]), 1e-12);
    expectClose(jit(grad(penalty(g)))(f64([1, -1])), found, 1e-12);
    expectClose(jacfwd(vmap(grad(g)))(f64([1, -1])), f64([[-Math.sin(1), 0], [0, 0]]), 1e-12); // prettier-ignore
    expectClose(grad(penalty(vmapOfOne(g)))(f64([1, -1])), found, 1e-12);
  });
  test("captured values and trees", () => {
    const g = (w: NDArray, p: NDArray) => lax.cond(p, (x: { v: NDArray }) => ({ y: lax.mul(w, x.v) }), (x: { v: NDArray }) => ({ y: lax.add(w, x.v) }), { v: f64(5) }).y; // prettier-ignore
    expect([item(grad(g)(f64(2), bool(1))), item(grad(g)(f64(2), bool(0)))]).toEqual([5, 1]);
  });
  test("vmap with one predicate keeps the choice; with many it computes both", () => {
    const g = (p: NDArray, x: NDArray): NDArray => lax.cond(p, sine, triple, x);
    const names = (axes: readonly (number | null)[], ...xs: NDArray[]) =>
      makeJaxpr(vmap(g, { inAxes: axes as never }))(...(xs as [NDArray, NDArray])).eqns.map((e) => e.primitive.name);
    expect(names([null, 0], bool(1), f64([1, 2]))).toContain("cond");
    expect(names([0, 0], bool([1, 0]), f64([1, 2]))).not.toContain("cond");
    expect(list(vmap(g, { inAxes: [null, 0] })(bool(0), f64([1, 2])))).toEqual([3, 6]);
    expect(list(vmap(g)(bool([1, 0]), f64([1, 2])))).toEqual([Math.sin(1), 6]);
    expect(list(vmap(g, { inAxes: [0, null] })(bool([1, 0]), f64(2)))).toEqual([Math.sin(2), 6]);
    expect(list(vmap(grad(f))(f64([1, -1])))).toEqual([Math.cos(1), 3]);
    expect(list(grad((v: NDArray) => total(vmap(f)(v)))(f64([1, -1])))).toEqual([Math.cos(1), 3]);
  });
  test("nested, and in loops", () => {
    const g = (x: NDArray): NDArray => lax.cond(lax.gt(x, 1), (y: NDArray) => f(lax.sub(y, 2)), f, x);
    expect([2.5, 1.5, 0.5, -1].map((v) => item(g(f64(v))))).toEqual([Math.sin(0.5), -1.5, Math.sin(0.5), -3]);
    const steps = (x: NDArray): NDArray =>
      lax.foriLoop(0, 4, (_, c: NDArray) => lax.cond(lax.gt(c, 1), (y: NDArray) => lax.sub(y, 1), triple, c), x);
    expect([item(steps(f64(0.5))), item(grad(steps)(f64(0.5)))]).toEqual([0.5, 9]);
    expect(list(vmap(steps)(f64([0.5, 4])))).toEqual([0.5, 3]);
  });
  test("weak results adopt the other branch's dtype", () => {
    expect((lax.cond<[], unknown>(true, () => 1, () => f64(2))).dtype).toBe("float64"); // prettier-ignore
    expect(lax.cond(true, () => i32(1), () => i32(2)).dtype).toBe("int32"); // prettier-ignore
  });
  test("dead results are removed from every branch", () => {
    const { jaxpr } = makeJaxpr((p: NDArray, x: NDArray) => lax.cond(p, (a: NDArray) => [lax.exp(a), lax.sin(a)], (a: NDArray) => [lax.log(a), a], x))(bool(1), f64(1)); // prettier-ignore
    const pruned = interpreters.dceJaxpr(jaxpr, [false, true]).jaxpr;
    const text = pruned.eqns.flatMap((e) =>
      (e.primitive.subJaxprs?.(e.params) ?? []).flatMap((j) => j.eqns.map((k) => k.primitive.name)),
    );
    expect(text).toEqual(["sin"]);
  });
  test("messages", () => {
    const p = problemOf(() => lax.cond(f64([1, 0]), sine, triple, f64(1)));
    expect(p.code).toBe("Predicate");
    expect(p.fix).toContain("numpy.where");
    const q = problemOf(() => lax.cond(true, function yes(x: NDArray) { return { a: x, b: x }; }, function no(x: NDArray) { return { a: x } as never; }, f64(1))); // prettier-ignore
    expect(q.code).toBe("BranchMismatch");
    expect(q.what).toContain("trueFun yes returns another structure than falseFun no");
    expect(q.what).toContain(".b: unexpected");
    const r = problemOf(() => lax.cond(true, (x: NDArray) => [x], (x: NDArray) => [lax.stack([x, x], 0)], f64(1))); // prettier-ignore
    expect(r.what).toMatch(/\[0\]: float64\[2\] from falseFun .*, float64\[\] from trueFun/);
    expect(r.where).toContain("choice.test.ts");
  });
});

describe("switch_", () => {
  const branches = [sine, triple, (x: NDArray) => lax.neg(x)];
  test("picks by index, clamped", () => {
    expect([-5, 0, 1, 2, 9].map((i) => item(lax.switch_(i, branches, f64(1))))).toEqual([
      Math.sin(1),
      Math.sin(1),
      3,
      -1,
      -1,
    ]);
    expect(item(jit((i: NDArray) => lax.switch_(i, branches, f64(1)))(array(2, "uint8")))).toBe(-1);
    expect(item(lax.switch_(7, [sine], f64(1)))).toBe(Math.sin(1));
  });
  test("derivatives and vmap", () => {
    const f = (i: NDArray, x: NDArray): NDArray => lax.switch_(i, branches, x);
    const xs = f64([1, 1, 1]);
    expect(list(vmap(f)(i32([0, 1, 2]), xs))).toEqual([Math.sin(1), 3, -1]);
    expect(list(vmap(grad(f, { argnums: 1 }))(i32([0, 1, 2]), xs))).toEqual([Math.cos(1), 3, -1]);
    expect(list(vmap(f, { inAxes: [null, 0] })(i32(1), xs))).toEqual([3, 3, 3]);
  });
  test("messages", () => {
    expect(problemOf(() => lax.switch_(0, [], f64(1))).code).toBe("NoBranches");
    expect(problemOf(() => lax.switch_(f64(0), branches, f64(1))).code).toBe("SwitchIndex");
    expect(problemOf(() => lax.switch_(0, [sine, 1 as never], f64(1))).code).toBe("NotAFunction");
    expect(problemOf(() => lax.switch_(0, [sine, (x: NDArray) => lax.stack([x], 0)], f64(1))).what).toContain(
      "branch 1",
    );
  });
});

describe("whileLoop", () => {
  const double = (limit: unknown) => (x: NDArray) =>
    lax.whileLoop(
      (c: NDArray) => lax.lt(c, limit as number),
      (c: NDArray) => lax.mul(c, 2),
      x,
    );
  test("runs as long as the condition holds", () => {
    expect([item(double(100)(f64(1))), item(double(100)(f64(200))), item(jit(double(100))(f64(3)))]).toEqual([
      128, 200, 192,
    ]);
  });
  test("trees, captured values, nested loops", () => {
    const [i, s] = lax.whileLoop(([n]: [NDArray, NDArray]) => lax.lt(n, 3), ([n, c]: [NDArray, NDArray]) => [lax.add(n, 1), lax.whileLoop((v: NDArray) => lax.lt(v, lax.mul(lax.add(lax.convertElementType(n, "float64"), 1), 10)), (v: NDArray) => lax.add(v, 7), c)], [i32(0), f64(0)] as [NDArray, NDArray]); // prettier-ignore
    expect([item(i), item(s)]).toEqual([3, 35]);
  });
  test("weak carries", () => {
    const out = lax.whileLoop((c: NDArray) => lax.lt(c, f64(10)), (c: NDArray) => lax.mul(lax.convertElementType(c, "float64"), 3), 1); // prettier-ignore
    expect([item(out), out.dtype]).toEqual([27, "float64"]);
  });
  test("forward mode, reverse mode refused with the line", () => {
    const f = (x: NDArray): NDArray => lax.whileLoop((c: NDArray) => lax.lt(c, 100), (c: NDArray) => lax.mul(c, x), x); // prettier-ignore
    expect(jvp(f, [f64(3)], [f64(1)]).map(item)).toEqual([243, 5 * 81]);
    expect(item(jacfwd(f)(f64(3)))).toBe(405);
    expect(item(jacfwd(jacfwd(f))(f64(3)))).toBe(20 * 27);
    expect(item(linearize(f, f64(3))[1](f64(1)))).toBe(405);
    for (const run of [() => grad(f)(f64(3)), () => jacrev(f)(f64(3)), () => jit(grad(f))(f64(3))]) {
      const p = problemOf(run);
      expect(p.code).toBe("ReverseWhile");
      expect(p.where).toContain("choice.test.ts");
    }
    expect(
      item(grad((x: NDArray) => lax.add(x, lax.convertElementType(lax.gt(double(100)(f64(1)), 5), "float64")))(f64(1))),
    ).toBe(1);
  });
  test("vmap: every example stops on its own", () => {
    expect(list(vmap(double(100))(f64([1, 50, 200])))).toEqual([128, 100, 200]);
    expect(list(vmap((l: NDArray) => double(l)(f64(1)))(f64([3, 10])))).toEqual([4, 16]);
    expect(list(vmap((l: NDArray, x: NDArray) => double(l)(x), { inAxes: [0, null] })(f64([3, 10]), f64(5)))).toEqual([
      5, 10,
    ]);
    const g = (x: NDArray): NDArray => jvp(double(100), [x], [f64(1)])[1];
    expect(list(vmap(g)(f64([1, 50, 200])))).toEqual([128, 2, 1]);
    const counted = (x: NDArray): NDArray => lax.whileLoop(([c]: [NDArray, NDArray]) => lax.lt(c, 100), ([c, n]: [NDArray, NDArray]) => [lax.mul(c, 2), lax.add(n, 1)], [x, i32(0)] as [NDArray, NDArray])[1]; // prettier-ignore
    expect(list(vmap(counted)(f64([1, 50, 200])))).toEqual([7, 1, 0]);
  });
  test("messages", () => {
    const p = problemOf(() => lax.whileLoop((x: NDArray) => x, (x: NDArray) => x, f64(1))); // prettier-ignore
    expect(p.code).toBe("Predicate");
    expect(p.fix).toContain("compare explicitly");
    expect(problemOf(() => lax.whileLoop((x: NDArray) => lax.lt(x, f32([1, 2])), (x: NDArray) => x, f32([1, 2]))).code).toBe("Predicate"); // prettier-ignore
    const q = problemOf(() => lax.whileLoop((x: { n: NDArray }) => lax.lt(x.n, 3), (x: { n: NDArray }) => ({ n: lax.convertElementType(x.n, "float32") }), { n: i32(0) })); // prettier-ignore
    expect(q.what).toContain(".n: int32[] goes in, float32[] comes out");
    expect(q.what).toContain("whileLoop");
  });
  test("carries that neither the results nor the condition need are removed", () => {
    const { jaxpr } = makeJaxpr((x: NDArray) => lax.whileLoop(([i]: NDArray[]) => lax.lt(i!, 3), ([i, a, b]: NDArray[]) => [lax.add(i!, 1), lax.sin(a!), lax.exp(lax.mul(b!, a!))], [i32(0), x, x])[1])(f64(1)); // prettier-ignore
    const pruned = interpreters.dceJaxpr(jaxpr, [true]).jaxpr;
    const names = pruned.eqns.flatMap((e) =>
      (e.primitive.subJaxprs?.(e.params) ?? []).flatMap((j) => j.eqns.map((k) => k.primitive.name)),
    );
    expect(names.sort()).toEqual(["add", "lt", "sin"]);
  });
});
