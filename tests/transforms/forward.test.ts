import { describe, expect, test } from "vitest";
import type { NDArray } from "../../src/core/ndarray.ts";
import { ShapeDtypeStruct } from "../../src/core/shapeDtypeStruct.ts";
import * as lax from "../../src/lax/index.ts";
import { hessian, jacfwd, jacobian, jacrev, jvp } from "../../src/transforms/forward.ts";
import { linearTranspose, linearize } from "../../src/transforms/gradient.ts";
import { jit } from "../../src/transforms/jit.ts";
import { vmap } from "../../src/transforms/vmap.ts";
import { c64, expectClose, f32, f64, i32, item, list, lists, problemOf } from "../support/arrays.ts";

const total = (x: NDArray): NDArray => lax.reduceSum(x, [...x.shape.keys()]);

describe("jvp", () => {
  test("value and tangent", () => {
    const [y, dy] = jvp((x: NDArray) => lax.sin(x), [f64(0.5)], [f64(2)]);
    expect([item(y), item(dy)]).toEqual([Math.sin(0.5), 2 * Math.cos(0.5)]);
  });
  test("trees in and out", () => {
    const f = (p: { a: NDArray; b: NDArray[] }) => ({ s: lax.mul(p.a, p.b[0]!), n: null });
    const [y, dy] = jvp(f, [{ a: f64(2), b: [f64(3)] }], [{ a: f64(1), b: [f64(10)] }]);
    expect([item(y.s), item(dy.s), dy.n]).toEqual([6, 23, null]);
  });
  test("integers take any tangent and give boolean zeros", () => {
    const [y, dy] = jvp((n: NDArray) => lax.add(n, 1), [i32(3)], [i32(1)]);
    expect(item(y)).toBe(4);
    expect(dy.dtype).toBe("bool");
  });
  test("hasAux", () => {
    const [y, dy, aux] = jvp((x: NDArray) => [lax.square(x), x] as const, [f64(3)], [f64(1)], {
      hasAux: true,
    } as never) as unknown as NDArray[];
    expect([y, dy, aux].map(item)).toEqual([9, 6, 3]);
  });
  test("tangents must fit", () => {
    const f = (x: NDArray): NDArray => x;
    expect(problemOf(() => jvp(f, [f64([1, 2])], [f64(1)])).code).toBe("TangentType");
    expect(problemOf(() => jvp(f, [f64(1)], [f32(1)])).fix).toContain("float64[]");
    expect(problemOf(() => jvp(f, f64(1) as never, f64(1) as never)).code).toBe("JvpArguments");
    expect(problemOf(() => jvp(f as never, [{ a: f64(1) }] as never, [{ b: f64(1) }] as never)).what).toContain(
      "[0].a: missing",
    );
  });
  test("through complex numbers is linear", () => {
    const [, dy] = jvp((z: NDArray) => lax.mul(z, z), [c64([1, 2])], [c64([0, 1])]);
    expect(list(dy)).toEqual([-4, 2]);
  });
});

describe("linearize", () => {
  test("runs the function once", () => {
    let calls = 0;
    const [y, df] = linearize((x: NDArray) => (calls++, lax.sin(x)), f64(0));
    expect(item(y)).toBe(0);
    expect([item(df(f64(2))), item(df(f64(-3)))]).toEqual([2, -3]);
    expect(calls).toBe(1);
  });
  test("under jit", () => {
    const f = (x: NDArray): NDArray => total(lax.exp(lax.mul(x, x)));
    const push = (x: NDArray, t: NDArray): NDArray => linearize(f, x)[1](t);
    expectClose(jit(push)(f64([0.1, 0.2]), f64([1, 2])), push(f64([0.1, 0.2]), f64([1, 2])), 1e-12);
  });
  test("checks tangents", () => {
    const [, df] = linearize((x: NDArray, y: NDArray) => lax.mul(x, y), f64(1), f64(2));
    expect(problemOf(() => (df as (x: NDArray) => NDArray)(f64(1))).code).toBe("TangentTree");
    expect(problemOf(() => df(f64(1), f64([1]))).code).toBe("TangentType");
  });
  test("a result that does not depend on the input has a zero tangent", () => {
    const [, df] = linearize((x: NDArray) => [lax.mul(x, 2), f64(7)], f64(1));
    expect(df(f64(3)).map(item)).toEqual([6, 0]);
  });
});

describe("linearTranspose", () => {
  test("needs shapes only", () => {
    const f = (x: NDArray): NDArray => lax.dot(f64([[1, 2], [3, 4]]), x); // prettier-ignore
    const [ct] = linearTranspose(f, new ShapeDtypeStruct([2], "float64"))(f64([1, 10]));
    expect(list(ct)).toEqual([31, 42]);
  });
  test("refuses what is not linear, naming the line", () => {
    const p = problemOf(() => linearTranspose((x: NDArray) => lax.sin(x), f64(1))(f64(1)));
    expect(p.code).toBe("NotLinear");
    expect(p.what).toContain("sin was transposed");
    expect(p.where).toContain("forward.test.ts");
  });
  test("on trees", () => {
    const f = ({ a, b }: { a: NDArray; b: NDArray }) => [lax.add(a, lax.mul(b, 2)), lax.neg(b)];
    const [ct] = linearTranspose(f, { a: f64(0), b: f64(0) })([f64(1), f64(10)]) as [{ a: NDArray; b: NDArray }];
    expect([item(ct.a), item(ct.b)]).toEqual([1, -8]);
    expect(problemOf(() => linearTranspose(f, { a: f64(0), b: f64(0) })([f64(1)])).code).toBe("CotangentTree");
  });
});

describe.each([
  ["jacfwd", jacfwd],
  ["jacrev", jacrev],
  ["jacobian", jacobian],
] as const)("%s", (_, jac) => {
  // prettier-ignore
  test("of a vector function", () => {
    expect(list(jac((x: NDArray) => lax.square(x))(f64([1, 2])))).toEqual([[2, 0], [0, 4]]); // prettier-ignore
  });
  test("shapes are those of the result, then those of the argument", () => {
    const f = (x: NDArray): NDArray => lax.broadcast(lax.reduceSum(x, [0]), [5]);
    expect(jac(f)(f64([[1, 2, 3], [4, 5, 6]])).shape).toEqual([5, 3, 2, 3]); // prettier-ignore
  });
  test("trees of results by trees of arguments", () => {
    const f = (p: { w: NDArray; b: NDArray }) => ({ y: lax.mul(p.w, p.b), z: [lax.reduceSum(p.w, [0])] });
    const j = jac(f as never)({ w: f64([1, 2]), b: f64([3, 4]) }) as unknown as {
      y: { w: NDArray; b: NDArray };
      z: [{ w: NDArray; b: NDArray }];
    };
    expect(list(j.y.w)).toEqual([[3, 0], [0, 4]]); // prettier-ignore
    expect(list(j.y.b)).toEqual([[1, 0], [0, 2]]); // prettier-ignore
    expect(list(j.z[0].w)).toEqual([1, 1]);
    expect(list(j.z[0].b)).toEqual([0, 0]);
  });
  test("argnums and hasAux", () => {
    const f = (x: NDArray, y: NDArray) => [lax.mul(x, y), { x }] as const;
    const options = { argnums: [0, 1], hasAux: true };
    const [[jx, jy], aux] = jac(f as never, options)(f64([1, 2]), f64([3, 4])) as unknown as [
      NDArray[],
      { x: NDArray },
    ];
    expect(list(jx)).toEqual([[3, 0], [0, 4]]); // prettier-ignore
    expect(list(jy)).toEqual([[1, 0], [0, 2]]); // prettier-ignore
    expect(list(aux.x)).toEqual([1, 2]);
  });
  test("of scalars", () => {
    expect(item(jac((x: NDArray) => lax.sin(x))(f64(0)))).toBe(1);
  });
  test("of an empty result", () => {
    expect(jac((x: NDArray) => lax.slice(x, [0], [0]))(f64([1, 2])).shape).toEqual([0, 2]);
  });
  test("holomorphic", () => {
    const f = (z: NDArray): NDArray => lax.mul(z, z);
    expect(list(jac(f, { holomorphic: true })(c64([[1, 2]])))).toEqual([[[2, 4]]]);
    expect(problemOf(() => jac(f, { holomorphic: true })(f64([1]))).code).toBe("JacobianInput");
    expect(problemOf(() => jac(f)(i32([1]))).code).toBe("JacobianInput");
  });
  test("inside jit and vmap", () => {
    const f = (x: NDArray): NDArray => lax.sin(lax.mul(x, lax.reduceSum(x, [0])));
    const xs = f64([[0.1, 0.2], [0.3, 0.4]]); // prettier-ignore
    const rows = [0, 1].map((i) => jac(f)(lax.indexInDim(xs, i, { axis: 0, keepdims: false })));
    expectClose(jit(vmap(jac(f)))(xs), lax.stack(rows, 0), 1e-12);
  });
});

describe("hessian", () => {
  test("of a scalar function", () => {
    expect(list(hessian((x: NDArray) => total(lax.integerPow(x, 3)))(f64([1, 2])))).toEqual([[6, 0], [0, 12]]); // prettier-ignore
  });
  test("on trees", () => {
    const h = hessian((p: { a: NDArray; b: NDArray }) => lax.mul(lax.square(p.a), p.b))({
      a: f64(3),
      b: f64(5),
    }) as never as Record<string, Record<string, NDArray>>;
    expect(lists(h)).toEqual([10, 6, 6, 0]);
    expect(Object.keys(h["a"]!)).toEqual(["a", "b"]);
  });
  test("all orders of the two modes agree", () => {
    const f = (x: NDArray): NDArray => total(lax.mul(lax.sin(x), lax.exp(lax.rev(x, [0]))));
    const x = f64([0.1, 0.2, 0.3]);
    const wanted = hessian(f)(x);
    for (const outer of [jacfwd, jacrev])
      for (const inner of [jacfwd, jacrev]) expectClose(outer(inner(f))(x), wanted, 1e-12);
  });
  test("hasAux", () => {
    const f = (x: NDArray) => [total(lax.square(x)), x] as const;
    const [h, aux] = hessian(f as never, { hasAux: true })(f64([1, 2])) as unknown as [NDArray, NDArray];
    expect(list(h)).toEqual([[2, 0], [0, 2]]); // prettier-ignore
    expect(list(aux)).toEqual([1, 2]);
  });
});
