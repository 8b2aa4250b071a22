/** customVmap, customGradient and closureConvert. */
import { describe, expect, test } from "vitest";
import type { NDArray } from "../../src/core/ndarray.ts";
import * as lax from "../../src/lax/index.ts";
import { closureConvert, customGradient } from "../../src/transforms/customGradient.ts";
import { customVjp } from "../../src/transforms/customVjp.ts";
import { customVmap } from "../../src/transforms/customVmap.ts";
import { jacfwd, jacrev, jvp } from "../../src/transforms/forward.ts";
import { grad } from "../../src/transforms/gradient.ts";
import { jit } from "../../src/transforms/jit.ts";
import { vmap } from "../../src/transforms/vmap.ts";
import { expectClose, f64, item, list, lists, problemOf } from "../support/arrays.ts";

const total = (x: NDArray): NDArray => lax.reduceSum(x, [...x.shape.keys()]);

describe("customVmap", () => {
  /** x + y; the rule adds 100 to show that it ran, and notes what it was told. */
  const make = () => {
    const seen: unknown[] = [];
    const f = customVmap((x: NDArray, y: NDArray) => lax.add(lax.square(x), y));
    f.defVmap((size: number, batched: readonly boolean[], x: NDArray, y: NDArray) => {
      seen.push([size, ...batched]);
      const rows = (v: NDArray, b: boolean): NDArray => (b ? v : lax.broadcast(v, [size]));
      return [lax.add(lax.add(lax.square(rows(x, batched[0]!)), rows(y, batched[1]!)), 100), true];
    });
    return { f, seen };
  };
  test("the rule runs under vmap only", () => {
    const { f, seen } = make();
    expect(item(f(f64(2), f64(1)))).toBe(5);
    expect(seen).toEqual([]);
    expect(list(vmap((x: NDArray) => f(x, f64(1)))(f64([2, 3])))).toEqual([105, 110]);
    expect(seen).toEqual([[2, true, false]]);
  });
  test("under jit, in any order", () => {
    const { f } = make();
    const g = (x: NDArray): NDArray => f(x, f64(1));
    expect(list(jit(vmap(g))(f64([2, 3])))).toEqual([105, 110]);
    expect(list(vmap(jit(g))(f64([2, 3])))).toEqual([105, 110]);
    expect(item(jit(g)(f64(2)))).toBe(5);
  });
  test("mapped axes come in front", () => {
    const { f } = make();
    const x = f64([[1, 2], [3, 4]]); // prettier-ignore
    const columns = vmap((v: NDArray, y: NDArray) => f(v, y), { inAxes: [1, null] })(x, f64([0, 0]));
    expect(list(columns)).toEqual([[101, 109], [104, 116]]); // prettier-ignore
  });
  test("derivatives go through the rule", () => {
    const { f } = make();
    const g = (x: NDArray): NDArray => f(x, f64(1));
    expect(item(grad(g)(f64(3)))).toBe(6);
    expect(jvp(g, [f64(3)], [f64(1)]).map(item)).toEqual([10, 6]);
    expect(list(vmap(grad(g))(f64([3, 4])))).toEqual([6, 8]);
    expect(list(grad((v: NDArray) => total(vmap(g)(v)))(f64([3, 4])))).toEqual([6, 8]);
    expectClose(vmap((x: NDArray) => jvp(g, [x], [f64(1)])[1])(f64([3, 4])), f64([6, 8]), 1e-12);
  });
  test("Jacobians, where tangents are mapped and values are not", () => {
    const { f } = make();
    const g = (x: NDArray): NDArray => f(x, f64([1, 1]));
    const wanted = f64([[6, 0], [0, 8]]); // prettier-ignore
    expectClose(jacrev(g)(f64([3, 4])), wanted, 1e-12);
    expectClose(jacfwd(g)(f64([3, 4])), wanted, 1e-12);
  });
  test("values mapped, tangents not", () => {
    const { f } = make();
    const g = (x: NDArray, t: NDArray): NDArray => jvp((y: NDArray) => f(y, f64(1)), [x], [t])[1];
    expectClose(vmap(g, { inAxes: [0, null] })(f64([3, 4]), f64(1)), f64([6, 8]), 1e-12);
    expectClose(vmap(g, { inAxes: [null, 0] })(f64(3), f64([1, 2])), f64([6, 12]), 1e-12);
  });
  test("nested maps", () => {
    const f = customVmap((x: NDArray) => lax.sin(x));
    f.defVmap((_size: number, _b: readonly boolean[], x: NDArray) => [f(x), true]);
    expectClose(vmap(vmap((x: NDArray) => f(x)))(f64([[1, 2], [3, 4]])), lax.sin(f64([[1, 2], [3, 4]])), 1e-12); // prettier-ignore
  });
  test("without a rule, and rules that give the wrong thing", () => {
    const f = customVmap((x: NDArray) => x);
    expect(problemOf(() => vmap((x: NDArray) => f(x))(f64([1]))).code).toBe("NoCustomRule");
    f.defVmap((_n: number, _b: readonly boolean[], x: NDArray) => x);
    expect(problemOf(() => vmap((x: NDArray) => f(x))(f64([1]))).kind).toMatch(
      /ArgumentError|TransformError|TreeError/,
    );
  });
});

describe("customGradient", () => {
  test("the rule closes over the forward run", () => {
    const f = customGradient((x: NDArray) => {
      const y = lax.square(x);
      return [y, (ct: NDArray) => lax.mul(ct, y)] as const;
    });
    expect(item(f(f64(3)))).toBe(9);
    expect(item(grad((x: NDArray) => f(x))(f64(3)))).toBe(9);
    expect(item(jit(grad((x: NDArray) => f(x)))(f64(3)))).toBe(9);
    expect(list(vmap(grad((x: NDArray) => f(x)))(f64([3, 4])))).toEqual([9, 16]);
    expect(item(grad(grad((x: NDArray) => f(x)))(f64(3)))).toBe(6);
  });
  test("several arguments take a list", () => {
    const f = customGradient(
      (x: NDArray, y: NDArray) => [lax.mul(x, y), (ct: NDArray) => [lax.mul(ct, 2), lax.mul(ct, 3)]] as const,
    );
    expect(lists(grad((x: NDArray, y: NDArray) => f(x, y), { argnums: [0, 1] })(f64(1), f64(1)))).toEqual([2, 3]);
  });
  test("trees", () => {
    const f = customGradient(
      (p: { a: NDArray; b: NDArray }) => [lax.mul(p.a, p.b), (ct: NDArray) => ({ a: ct, b: lax.neg(ct) })] as const,
    );
    expect(lists(grad((p: { a: NDArray; b: NDArray }) => f(p))({ a: f64(2), b: f64(3) }))).toEqual([1, -1]);
  });
  test("must return a pair", () => {
    expect(problemOf(() => customGradient(((x: NDArray) => x) as never)(f64(1) as never)).code).toBe(
      "CustomGradientResult",
    );
  });
});

describe("closureConvert", () => {
  test("captured tracers become arguments", () => {
    const loss = (theta: NDArray, x: NDArray): NDArray => {
      const [g, captured] = closureConvert((y: NDArray) => lax.mul(lax.sin(y), theta), x);
      expect(captured).toHaveLength(1);
      return g(x, ...captured) as NDArray;
    };
    expect(item(grad(loss)(f64(2), f64(1)))).toBeCloseTo(Math.sin(1), 12);
    expect(item(jit(grad(loss, { argnums: 1 }))(f64(2), f64(1)))).toBeCloseTo(2 * Math.cos(1), 12);
  });
  test("makes a custom rule right that captured a value", () => {
    const root = customVjp((f: (x: NDArray, ...c: NDArray[]) => NDArray, x: NDArray, ...c: NDArray[]) => f(x, ...c), {
      nondiffArgnums: [0],
    });
    root.defvjp(
      (f: (x: NDArray, ...c: NDArray[]) => NDArray, x: NDArray, ...c: NDArray[]) => [f(x, ...c), [x, c]],
      (_f: unknown, [x, c]: [NDArray, NDArray[]], ct: NDArray) => [lax.mul(ct, 2), ...c.map(() => lax.mul(ct, x))],
    );
    const loss = (theta: NDArray): NDArray => {
      const [g, captured] = closureConvert((y: NDArray) => lax.mul(y, theta), f64(3));
      return root(g as never, f64(3), ...captured);
    };
    expect(item(grad(loss)(f64(5)))).toBe(3);
  });
  test("concrete values and integers stay inside", () => {
    const [g, captured] = closureConvert((y: NDArray) => lax.mul(y, f64(2)), f64(1));
    expect(captured).toEqual([]);
    expect(item(g(f64(5)))).toBe(10);
  });
});
