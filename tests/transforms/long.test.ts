/** Programs that are long: no stack may depend on their length. */
import { describe, expect, test } from "vitest";
import { countEqns } from "../../src/core/jaxpr.ts";
import type { NDArray } from "../../src/core/ndarray.ts";
import * as lax from "../../src/lax/index.ts";
import { simplify } from "../../src/compiler/simplify.ts";
import { grad } from "../../src/transforms/gradient.ts";
import { jit } from "../../src/transforms/jit.ts";
import { makeJaxpr } from "../../src/transforms/makeJaxpr.ts";
import { vmap } from "../../src/transforms/vmap.ts";
import { f64, item, list } from "../support/arrays.ts";

const chain =
  (n: number, factor = 1) =>
  (x: NDArray): NDArray => {
    let y = x;
    for (let i = 0; i < n; i++) y = lax.mul(y, factor);
    return y;
  };

describe("long chains", () => {
  test("reverse mode over 100,000 operations", () => {
    expect(item(grad(chain(100_000))(f64(2)))).toBe(1);
  }, 60_000);
  test("jit of 5,000 operations, and of their gradient", () => {
    const wanted = 1.0001 ** 5000;
    expect(item(jit(chain(5_000, 1.0001))(f64(1)))).toBeCloseTo(wanted, 10);
    expect(item(jit(grad(chain(5_000, 1.0001)))(f64(1)))).toBeCloseTo(wanted, 10);
    expect(list(vmap(jit(grad(chain(5_000, 1.0001))))(f64([1, 2])))).toEqual([expect.closeTo(wanted, 10), expect.closeTo(wanted, 10)]); // prettier-ignore
  });
  test("a loop of 10,000 steps is as short as one of 10", () => {
    const loop = (n: number) => (x: NDArray) => lax.foriLoop(0, n, (_, y: NDArray) => lax.mul(lax.sin(y), 1.1), x);
    const size = (n: number): number => countEqns(makeJaxpr(grad(loop(n)))(f64(1)).jaxpr);
    expect(size(10_000)).toBe(size(10));
    expect(Number.isFinite(item(grad(loop(10_000))(f64(1))))).toBe(true);
  });
  test("a value used 20,000 times", () => {
    const many = (x: NDArray): NDArray =>
      Array.from({ length: 20_000 }).reduce<NDArray>((sum) => lax.add(sum, x), f64(0));
    expect(item(grad(many)(f64(1)))).toBe(20_000);
  });
  test("nested calls 200 deep", () => {
    let f: (x: NDArray) => NDArray = (x) => lax.mul(x, 2);
    for (let i = 0; i < 200; i++) {
      const g = f;
      f = jit((x: NDArray) => lax.add(g(x), 1));
    }
    expect(item(f(f64(1)))).toBe(202);
    expect(item(grad(f)(f64(1)))).toBe(2);
    expect(simplify(makeJaxpr(f)(f64(1)).jaxpr).jaxpr.eqns).toHaveLength(201);
  });
});
