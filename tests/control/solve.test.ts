/** associativeScan, customRoot, customLinearSolve. */
import { describe, expect, test } from "vitest";
import type { NDArray } from "../../src/core/ndarray.ts";
import * as lax from "../../src/lax/index.ts";
import { holds } from "../properties.ts";
import { jvp } from "../../src/transforms/forward.ts";
import { grad } from "../../src/transforms/gradient.ts";
import { jit } from "../../src/transforms/jit.ts";
import { vmap } from "../../src/transforms/vmap.ts";
import { bool, expectClose, f64, i32, item, list, lists, problemOf } from "../support/arrays.ts";
import fc from "fast-check";

const total = (x: NDArray): NDArray => lax.reduceSum(x, [...x.shape.keys()]);

describe("associativeScan", () => {
  test("sums of any length, in both directions", () =>
    holds(
      40,
      [fc.array(fc.integer({ min: -9, max: 9 }), { minLength: 1, maxLength: 20 }), fc.boolean()],
      (xs, reverse) => {
        const out = lax.associativeScan((a: NDArray, b: NDArray) => lax.add(a, b), i32(xs), { reverse });
        const prefix = (ys: number[]): number[] => ys.map((_, i) => ys.slice(0, i + 1).reduce((p, q) => p + q, 0));
        expect(list(out)).toEqual(reverse ? prefix([...xs].reverse()).reverse() : prefix(xs));
      },
    ));
  test("an operation that does not commute: 2 × 2 matrices as trees", () =>
    holds(
      20,
      [
        fc.array(fc.tuple(fc.integer({ min: -3, max: 3 }), fc.integer({ min: -3, max: 3 })), {
          minLength: 1,
          maxLength: 9,
        }),
      ],
      (pairs) => {
        // x ↦ a·x + b, composed.
        const [a, b] = [i32(pairs.map((p) => p[0])), i32(pairs.map((p) => p[1]))];
        const out = lax.associativeScan(
          (f: { a: NDArray; b: NDArray }, g: { a: NDArray; b: NDArray }) => ({
            a: lax.mul(f.a, g.a),
            b: lax.add(lax.mul(g.a, f.b), g.b),
          }),
          { a, b },
        );
        let [p, q] = [1, 0];
        const wanted = pairs.map(([x, y]) => ([p, q] = [p * x, x * q + y]).slice());
        expect((list(out.a) as number[]).map((v, i) => [v, (list(out.b) as number[])[i]])).toEqual(
          wanted.map(([v, w]) => [v! + 0, w! + 0]),
        );
      },
    ));
  test("other axes, booleans, single elements", () => {
    const x = f64([[1, 2, 3], [4, 5, 6]]); // prettier-ignore
    expect(list(lax.associativeScan((a: NDArray, b: NDArray) => lax.add(a, b), x, { axis: 1 }))).toEqual([[1, 3, 6], [4, 9, 15]]); // prettier-ignore
    expect(list(lax.associativeScan((a: NDArray, b: NDArray) => lax.add(a, b), x, { axis: -2 }))).toEqual([[1, 2, 3], [5, 7, 9]]); // prettier-ignore
    expect(list(lax.associativeScan((a: NDArray, b: NDArray) => lax.bitwiseOr(a, b), bool([0, 1, 0])))).toEqual([
      0, 1, 1,
    ]);
    expect(list(lax.associativeScan((a: NDArray, b: NDArray) => lax.add(a, b), f64([7])))).toEqual([7]);
    expect(lax.associativeScan((a: NDArray, b: NDArray) => lax.add(a, b), f64([])).shape).toEqual([0]);
  });
  test("infinities and signed zeros do not spoil their neighbours", () => {
    const out = lax.associativeScan((a: NDArray, b: NDArray) => lax.max(a, b), f64([-Infinity, 1, Infinity, 2, NaN]));
    expect(list(out)).toEqual([-Infinity, 1, Infinity, Infinity, NaN]);
    const sums = lax.associativeScan((a: NDArray, b: NDArray) => lax.add(a, b), f64([1, Infinity, 1]));
    expect(list(sums)).toEqual([1, Infinity, Infinity]);
  });
  test("derivatives, jit and vmap", () => {
    const f = (x: NDArray): NDArray => total(lax.associativeScan((a: NDArray, b: NDArray) => lax.mul(a, b), x));
    const x = f64([2, 3, 5]);
    // 2 + 6 + 30
    expect(list(grad(f)(x))).toEqual([1 + 3 + 15, 2 + 10, 6]);
    expect(list(jit(grad(f))(x))).toEqual([19, 12, 6]);
    expect(list(vmap(f)(f64([[2, 3, 5], [1, 1, 1]])))).toEqual([38, 3]); // prettier-ignore
  });
  test("mistakes", () => {
    const add = (a: NDArray, b: NDArray): NDArray => lax.add(a, b);
    expect(problemOf(() => lax.associativeScan(add as never, [])).code).toBe("NoElements");
    expect(problemOf(() => lax.associativeScan((a: NDArray[]) => a, [f64([1]), f64([1, 2])])).what).toContain(
      "[1]: (2,)",
    );
    expect(problemOf(() => lax.associativeScan((a: NDArray) => [a], f64([1, 2]))).code).toBe("ScanStructure");
    expect(problemOf(() => lax.associativeScan(add, f64(1))).code).toBe("AxisOutOfRange");
  });
});

describe("customRoot", () => {
  /** √a by Newton's method: the root of x² − a. */
  const root = (a: NDArray): NDArray =>
    lax.customRoot(
      (x: NDArray) => lax.sub(lax.square(x), a),
      lax.fullLike(a, 1),
      (f: (x: NDArray) => NDArray, x0: NDArray) =>
        lax.foriLoop(0, 30, (_, x: NDArray) => lax.sub(x, lax.div(f(x), lax.mul(x, 2))), x0),
      (g: (x: NDArray) => NDArray, y: NDArray) => lax.div(y, g(lax.fullLike(y, 1))),
    );
  test("values and derivatives of every order", () => {
    expect(item(root(f64(4)))).toBeCloseTo(2, 12);
    expect(item(grad(root)(f64(4)))).toBeCloseTo(0.25, 12);
    expect(item(grad(grad(root))(f64(4)))).toBeCloseTo(-1 / 32, 12);
    expect(item(jvp(root, [f64(4)], [f64(2)])[1])).toBeCloseTo(0.5, 12);
    expect(item(jit(grad(root))(f64(4)))).toBeCloseTo(0.25, 12);
    expect(item(grad(jit(root))(f64(4)))).toBeCloseTo(0.25, 12);
  });
  test("vmap", () => {
    expectClose(vmap(root)(f64([4, 9])), f64([2, 3]), 1e-12);
    expectClose(vmap(grad(root))(f64([4, 9])), f64([1 / 4, 1 / 6]), 1e-12);
  });
  test("the solver is never differentiated: a while loop may be one", () => {
    const byLoop = (a: NDArray): NDArray =>
      lax.customRoot(
        (x: NDArray) => lax.sub(lax.square(x), a),
        f64(1),
        (f: (x: NDArray) => NDArray, x0: NDArray) => lax.whileLoop((x: NDArray) => lax.gt(lax.abs(f(x)), 1e-13), (x: NDArray) => lax.sub(x, lax.div(f(x), lax.mul(x, 2))), x0), // prettier-ignore
        (g: (x: NDArray) => NDArray, y: NDArray) => lax.div(y, g(f64(1))),
      );
    expect(item(grad(byLoop)(f64(4)))).toBeCloseTo(0.25, 12);
  });
});

describe("customLinearSolve", () => {
  const d = f64([2, 4]);
  const solve = (a: NDArray, b: NDArray): NDArray =>
    lax.customLinearSolve(
      (x: NDArray) => lax.mul(a, x),
      b,
      (_: unknown, r: NDArray) => lax.div(r, a),
      { symmetric: true },
    );
  test("values and derivatives", () => {
    expect(list(solve(d, f64([1, 2])))).toEqual([0.5, 0.5]);
    const f = (a: NDArray, b: NDArray): NDArray => total(lax.square(solve(a, b)));
    const plain = (a: NDArray, b: NDArray): NDArray => total(lax.square(lax.div(b, a)));
    const both = { argnums: [0, 1] } as const;
    expectClose(grad(f, both)(d, f64([1, 3])), grad(plain, both)(d, f64([1, 3])), 1e-13);
    expectClose(jit(grad(f, both))(d, f64([1, 3])), grad(plain, both)(d, f64([1, 3])), 1e-13);
    const twice = (g: typeof f) => grad((a: NDArray) => total(lax.sin(grad(g)(a, f64([1, 3])))));
    expectClose(twice(f)(d), twice(plain)(d), 1e-12);
    expectClose(vmap(grad(f), { inAxes: [null, 0] })(d, f64([[1, 3], [2, 5]])), vmap(grad(plain), { inAxes: [null, 0] })(d, f64([[1, 3], [2, 5]])), 1e-13); // prettier-ignore
  });
  test("a transposed solver for what is not symmetric", () => {
    const m = f64([[2, 1], [0, 4]]); // prettier-ignore
    const inverse = f64([[0.5, -0.125], [0, 0.25]]); // prettier-ignore
    const f = (b: NDArray): NDArray =>
      total(
        lax.square(
          lax.customLinearSolve(
            (x: NDArray) => lax.dot(m, x),
            b,
            (_: unknown, r: NDArray) => lax.dot(inverse, r),
            (_: unknown, r: NDArray) => lax.dot(lax.transpose(inverse, [1, 0]), r),
          ),
        ),
      );
    const plain = (b: NDArray): NDArray => total(lax.square(lax.dot(inverse, b)));
    expectClose(grad(f)(f64([1, 2])), grad(plain)(f64([1, 2])), 1e-13);
  });
  test("without one, forward mode only", () => {
    const f = (b: NDArray): NDArray =>
      total(
        lax.customLinearSolve(
          (x: NDArray) => lax.mul(d, x),
          b,
          (_: unknown, r: NDArray) => lax.div(r, d),
        ),
      );
    expect(item(jvp(f, [f64([1, 2])], [f64([1, 0])])[1])).toBe(0.5);
    const p = problemOf(() => grad(f)(f64([1, 2])));
    expect(p.code).toBe("NoTransposeSolve");
    expect(p.fix).toContain("symmetric: true");
  });
  test("trees", () => {
    const b = { u: f64(2), v: [f64([3, 4])] };
    const out = lax.customLinearSolve((x: typeof b) => ({ u: lax.mul(x.u, 2), v: [lax.mul(x.v[0]!, 4)] }), b, (_: unknown, r: typeof b) => ({ u: lax.div(r.u, 2), v: [lax.div(r.v[0]!, 4)] }), { symmetric: true }); // prettier-ignore
    expect(lists(out)).toEqual([1, [0.75, 1]]);
    expect(
      problemOf(() =>
        lax.customLinearSolve(
          (x: typeof b) => [x.u, x.v],
          b,
          (_: unknown, r: typeof b) => r,
        ),
      ).code,
    ).toBe("LinearSolveTree");
  });
});

describe("what solvers give besides", () => {
  const matrix = f64([[4, 1], [1, 3]]); // prettier-ignore
  const times = (x: NDArray): NDArray => lax.dot(matrix, x);
  const inverse = f64([[3 / 11, -1 / 11], [-1 / 11, 4 / 11]]); // prettier-ignore
  const solved = (b: NDArray) =>
    lax.customLinearSolve(
      times,
      b,
      (_, v): [NDArray, { residual: NDArray; steps: NDArray }] => {
        const x = lax.dot(inverse, v);
        return [x, { residual: total(lax.abs(lax.sub(v, lax.dot(matrix, x)))), steps: lax.add(i32(2), 1) }];
      },
      { symmetric: true, hasAux: true },
    );
  const b = f64([1, 2]);

  test("a linear solve: values, derivatives, vmap, jit", () => {
    const [x, { residual, steps }] = solved(b);
    expectClose(x, lax.dot(inverse, b));
    expect(item(steps)).toBe(3);
    expect(item(residual)).toBeLessThan(1e-12);
    const sum = (v: NDArray): NDArray => {
      const [y, aux] = solved(v);
      return lax.add(total(y), aux.residual);
    };
    // The gradient passes the residual by.
    for (const g of [grad(sum), jit(grad(sum))]) expectClose(g(b), f64([2 / 11, 3 / 11]));
    expectClose(jvp((v: NDArray) => solved(v)[1].residual, [b], [b])[1], f64(0));
    const [xs, aux] = vmap(solved)(f64([[1, 2], [3, 4]])); // prettier-ignore
    expectClose(xs, lax.dot(f64([[1, 2], [3, 4]]), inverse)); // prettier-ignore
    expect(list(aux.steps)).toEqual([3, 3]);
    expectClose(vmap(grad(sum))(f64([[1, 2], [3, 4]])), f64([[2 / 11, 3 / 11], [2 / 11, 3 / 11]])); // prettier-ignore
  });

  const root = (a: NDArray) =>
    lax.customRoot(
      (x: NDArray) => lax.sub(lax.mul(x, x), a),
      f64(1),
      (f, x0): [NDArray, NDArray] => {
        const x = lax.foriLoop(0, 30, (_, y: NDArray) => lax.sub(y, lax.div(f(y), lax.mul(y, 2))), x0);
        return [x, f(x)];
      },
      (g, y) => lax.div(y, g(f64(1))),
      { hasAux: true },
    );
  test("a root: values, derivatives, vmap, jit", () => {
    const [x, left] = root(f64(9));
    expectClose(x, f64(3));
    expectClose(left, f64(0));
    const both = (a: NDArray): NDArray => lax.add(...root(a));
    for (const g of [grad(both), jit(grad(both))]) expectClose(g(f64(9)), f64(1 / 6));
    expectClose(vmap(both)(f64([4, 9])), f64([2, 3]));
    expectClose(vmap(grad(both))(f64([4, 9])), f64([1 / 4, 1 / 6]));
  });

  test("a solver that gives no pair is an error", () => {
    const single = (): unknown => lax.customRoot((x: NDArray) => x, f64(1), (_, x) => x as never, (_, y) => y, { hasAux: true }); // prettier-ignore
    expect(problemOf(single).code).toBe("AuxPair");
    expect(problemOf(() => lax.customRoot((x: NDArray) => x, f64(1), (_, x) => x, (_, y) => y, { aux: true } as never)).code).toBe("UnknownOption"); // prettier-ignore
  });
});
