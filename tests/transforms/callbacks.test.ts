/** Callbacks: how often, in which order, and with what they are called. */
import { describe, expect, test } from "vitest";
import type { NDArray } from "../../src/core/ndarray.ts";
import { ShapeDtypeStruct } from "../../src/core/shapeDtypeStruct.ts";
import { debugCallback } from "../../src/lax/callback.ts";
import * as lax from "../../src/lax/index.ts";
import { customJvp } from "../../src/transforms/customJvp.ts";
import { jvp } from "../../src/transforms/forward.ts";
import { grad } from "../../src/transforms/gradient.ts";
import { jit } from "../../src/transforms/jit.ts";
import { stopGradient } from "../../src/transforms/scopes.ts";
import { vmap } from "../../src/transforms/vmap.ts";
import { array, f64, host, item, list, problemOf } from "../support/arrays.ts";

const total = (x: NDArray): NDArray => lax.reduceSum(x, [...x.shape.keys()]);
const scalar = new ShapeDtypeStruct([], "float64");
const f64Like = (x: NDArray, f: (v: number) => number): NDArray => {
  const h = host(x);
  return h.shape.length ? array(Array.from(h.data, f), "float64") : array(f(h.data[0]!), "float64");
};
/** A callback that notes what it sees. */
const spy = () => {
  const seen: unknown[] = [];
  return { seen, note: (x: NDArray) => void seen.push(list(x)) };
};

describe("pureCallback", () => {
  const double = (x: NDArray): NDArray => lax.pureCallback((v: NDArray) => f64Like(v, (n) => 2 * n), scalar, x);
  test("eager, jitted and in loops", () => {
    expect(item(double(f64(3)))).toBe(6);
    expect(item(jit(double)(f64(3)))).toBe(6);
    expect(item(lax.foriLoop(0, 3, (_, x: NDArray) => double(x), f64(1)))).toBe(8);
    expect(item(jit((x: NDArray) => lax.cond(true, double, (y: NDArray) => y, x))(f64(3)))).toBe(6);
  });
  test("trees in and out; numbers take the promised dtype", () => {
    const f = (p: { a: NDArray; b: NDArray }) =>
      lax.pureCallback(
        (q: typeof p) => ({ s: item(q.a) + item(q.b), n: [7] }),
        { s: scalar, n: [new ShapeDtypeStruct([], "int32")] },
        p,
      );
    const out = jit(f)({ a: f64(1), b: f64(2) }) as { s: NDArray; n: [NDArray] };
    expect([item(out.s), item(out.n[0]), out.n[0].dtype]).toEqual([3, 7, "int32"]);
  });
  test("may be dropped or merged", () => {
    let calls = 0;
    const f = (x: NDArray): NDArray => lax.pureCallback((v: NDArray) => (calls++, v), scalar, x);
    jit((x: NDArray) => (f(x), lax.neg(x)))(f64(1));
    expect(calls).toBe(0);
  });
  test("vmap methods", () => {
    const shapes: number[][] = [];
    const f = (vmapMethod: string) => (x: NDArray, y: NDArray) =>
      lax.pureCallback(
        (a: NDArray, b: NDArray) => (shapes.push([...a.shape], [...b.shape]), f64Like(a, (v) => v + host(b).data[0]!)),
        scalar,
        x,
        y,
        { vmapMethod },
      ) as NDArray;
    const run = (m: string) => list(vmap(f(m), { inAxes: [0, null] })(f64([1, 2]), f64(10)));
    expect(run("sequential")).toEqual([11, 12]);
    expect(shapes.splice(0)).toEqual([[], [], [], []]);
    expect(run("expand_dims")).toEqual([11, 12]);
    expect(shapes.splice(0)).toEqual([[2], [1]]); // prettier-ignore
    expect(run("broadcast_all")).toEqual([11, 12]);
    expect(shapes.splice(0)).toEqual([[2], [2]]); // prettier-ignore
    const p = problemOf(() => vmap(double)(f64([1])));
    expect(p.code).toBe("CallbackVmap");
    expect(p.fix).toContain("vmapMethod");
  });
  test("has no derivative of its own, but takes a rule or stopGradient", () => {
    const p = problemOf(() => grad(double)(f64(1)));
    expect(p.code).toBe("CallbackDerivative");
    expect(p.where).toContain("callbacks.test.ts");
    const f = customJvp(double);
    f.defjvp(([x]: [NDArray], [dx]: [NDArray]) => [f(x), lax.mul(dx, 2)]);
    expect(item(jit(grad((x: NDArray) => f(x)))(f64(1)))).toBe(2);
    expect(item(grad((x: NDArray) => lax.mul(x, double(stopGradient(x))))(f64(3)))).toBe(6);
  });
  test("results must be what was promised", () => {
    const f = (y: unknown) => () => lax.pureCallback(() => y, scalar, f64(1));
    expect(problemOf(f(array(1, "float32"))).code).toBe("CallbackResult");
    expect(problemOf(f(f64([1]))).what).toContain("float64[1] as result 0, but float64[] was promised");
    expect(problemOf(() => lax.pureCallback(() => [1], [scalar, scalar], f64(1))).what).toContain(
      "1 values, but 2 were promised",
    );
    expect(problemOf(() => lax.pureCallback(() => 1, "float64", f64(1))).code).toBe("ResultShapes");
  });
  test("errors of the function come through", () => {
    const f = jit((x: NDArray) => lax.pureCallback(() => { throw new RangeError("mine"); }, scalar, x) as NDArray); // prettier-ignore
    expect(() => f(f64(1))).toThrow(RangeError);
  });
});

describe("ioCallback", () => {
  test("runs exactly once, though nobody needs its result and equals stand beside it", () => {
    const { seen, note } = spy();
    const f = jit((x: NDArray) => {
      lax.ioCallback(note, null, x);
      lax.ioCallback(note, null, x);
      return lax.neg(x);
    });
    f(f64(1));
    f(f64(2));
    expect(seen).toEqual([1, 1, 2, 2]);
  });
  test("ordered ones keep the order of the program, loops included", () => {
    const { seen, note } = spy();
    const f = jit((x: NDArray) => {
      lax.ioCallback(note, null, lax.mul(x, 10), { ordered: true });
      const y = lax.foriLoop(
        0,
        3,
        (i, c: NDArray) => (lax.ioCallback(note, null, i, { ordered: true }), lax.add(c, 1)),
        x,
      );
      lax.ioCallback(note, null, y, { ordered: true });
      return y;
    });
    f(f64(1));
    expect(seen).toEqual([10, 0, 1, 2, 4]);
  });
  test("under vmap there is no such thing", () => {
    expect(problemOf(() => vmap((x: NDArray) => (lax.ioCallback(() => null, null, x), x))(f64([1]))).code).toBe(
      "IoCallbackVmap",
    );
  });
  test("gives results", () => {
    let n = 0;
    const next = jit(() => lax.ioCallback(() => f64(++n), scalar) as NDArray);
    expect([item(next()), item(next())]).toEqual([1, 2]);
  });
});

describe("debug.callback", () => {
  const look = (note: (x: NDArray) => void) => (x: NDArray) => (debugCallback(note, x), lax.square(x));
  test("under every transform it sees primal values, once", () => {
    const runs: [string, (f: (x: NDArray) => NDArray) => unknown, unknown[]][] = [
      ["eager", (f) => f(f64(3)), [3]],
      ["jit", (f) => jit(f)(f64(3)), [3]],
      ["grad", (f) => grad(f)(f64(3)), [3]],
      ["jit of grad", (f) => jit(grad(f))(f64(3)), [3]],
      ["grad of jit", (f) => grad(jit(f))(f64(3)), [3]],
      ["jvp", (f) => jvp(f, [f64(3)], [f64(1)]), [3]],
      ["vmap", (f) => vmap(f)(f64([3, 4])), [3, 4]],
      ["jit of vmap of grad", (f) => jit(vmap(grad(f)))(f64([3, 4])), [3, 4]],
      ["scan", (f) => lax.map(f, f64([3, 4])), [3, 4]],
      ["grad of scan", (f) => grad((x: NDArray) => total(lax.map(f, x)))(f64([3, 4])), [3, 4]],
      ["cond", (f) => lax.cond(false, f, (x: NDArray) => x, f64(3)), []],
      ["while", (f) => lax.whileLoop((x: NDArray) => lax.lt(x, 10), f, f64(3)), [3, 9]],
    ];
    for (const [name, run, wanted] of runs) {
      const { seen, note } = spy();
      run(look(note));
      expect([name, seen]).toEqual([name, wanted]);
    }
  });
  test("is kept where its result is dropped", () => {
    const { seen, note } = spy();
    jit((x: NDArray) => (look(note)(x), lax.neg(x)))(f64(3));
    expect(seen).toEqual([3]);
  });
  test("unmapped operands are seen once per example", () => {
    const { seen, note } = spy();
    vmap((_: NDArray) => (debugCallback(note, f64(7)), f64(1)))(f64([1, 2]));
    expect(seen).toEqual([7]);
  });
});
