/** Laws that transforms obey whatever the program. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { NDArray } from "../../src/core/ndarray.ts";
import * as lax from "../../src/lax/index.ts";
import { jvp } from "../../src/transforms/forward.ts";
import { grad, linearTranspose, linearize, vjp } from "../../src/transforms/gradient.ts";
import { jit } from "../../src/transforms/jit.ts";
import { makeJaxpr } from "../../src/transforms/makeJaxpr.ts";
import { vmap } from "../../src/transforms/vmap.ts";
import { holds } from "../properties.ts";
import { expectClose, f64, fromHost } from "../support/arrays.ts";
import { bothModes, programs, run } from "../support/programs.ts";
import { arrays } from "../sweep/generator.ts";

type F = (x: NDArray) => NDArray;
const program = programs({ structured: bothModes, maxSteps: 4, depth: 1 }).map(
  (p): F =>
    (x) =>
      run(p, [x]),
);
const shape = fc.constantFrom<number[]>([], [3], [2, 2]);
const points = (n: number): fc.Arbitrary<NDArray[]> =>
  shape
    .chain((s) => fc.tuple(...Array.from({ length: n }, () => arrays(s, "float64", { min: -1.5, max: 1.5 }))))
    .map((hs) => hs.map(fromHost));
const scalar = fc.integer({ min: -64, max: 64 }).map((k) => k / 16);
const total = (x: NDArray): NDArray => (x.ndim ? lax.reduceSum(x, [...x.shape.keys()]) : x);
const wave = (like: NDArray, phase: number): NDArray => {
  const { size } = like;
  return fromHost({
    shape: like.shape,
    dtype: "float64",
    data: Float64Array.from({ length: size }, (_, i) => Math.sin(phase + 1.7 * i)),
  });
};
const tolerance = 1e-10;

describe("linearity", () => {
  test("of the derivative in the direction", () =>
    holds(40, [program, points(3), scalar], (f, [x, s, t], k) => {
      const push = linearize(f, x!)[1];
      expectClose(push(lax.add(s!, lax.mul(t!, k))), lax.add(push(s!), lax.mul(push(t!), k)), tolerance);
      expectClose(push(s!), jvp(f, [x!], [s!])[1], tolerance);
    }));
  test("of the pullback in the cotangent", () =>
    holds(40, [program, points(1), scalar], (f, [x], k) => {
      const [y, pull] = vjp(f, x!);
      const [a, b] = [wave(y, 1), wave(y, 2)];
      expectClose(pull(lax.add(a, lax.mul(b, k)))[0], lax.add(pull(a)[0], lax.mul(pull(b)[0], k)), tolerance);
    }));
  test("of grad in the function", () =>
    holds(40, [program, program, points(1), scalar], (f, g, [x], k) => {
      const [F, G] = [(v: NDArray) => total(f(v)), (v: NDArray) => total(g(v))];
      const sum = grad((v: NDArray) => lax.add(F(v), lax.mul(G(v), k)))(x!);
      expectClose(sum, lax.add(grad(F)(x!), lax.mul(grad(G)(x!), k)), tolerance);
    }));
});

describe("duality", () => {
  test("⟨ct, J t⟩ = ⟨Jᵀ ct, t⟩", () =>
    holds(60, [program, points(2)], (f, [x, t]) => {
      const [y, pull] = vjp(f, x!);
      const ct = wave(y, 0.5);
      const [left, right] = [total(lax.mul(ct, jvp(f, [x!], [t!])[1])), total(lax.mul(pull(ct)[0], t!))];
      expectClose(left, right, tolerance);
    }));
  test("transposing twice is the linear function itself", () =>
    holds(40, [program, points(2)], (f, [x, t]) => {
      const push: F = linearize(f, x!)[1];
      const once = (ct: NDArray): NDArray => linearTranspose(push, x!)(ct)[0] as NDArray;
      const twice = (u: NDArray): NDArray => linearTranspose(once, f(x!))(u)[0] as NDArray;
      expectClose(twice(t!), push(t!), tolerance);
    }));
  test("the chain rule", () =>
    holds(40, [program, points(2)], (f, [x, t]) => {
      const g: F = (v) => lax.sin(lax.mul(v, 2));
      const [y, dy] = jvp(f, [x!], [t!]);
      expectClose(jvp((v: NDArray) => g(f(v)), [x!], [t!])[1], jvp(g, [y], [dy])[1], tolerance);
    }));
  test("mixed second derivatives commute", () =>
    holds(25, [program, points(3)], (f, [x, s, t]) => {
      const along =
        (g: F, d: NDArray): F =>
        (v) =>
          jvp(g, [v], [d])[1];
      expectClose(along(along(f, s!), t!)(x!), along(along(f, t!), s!)(x!), 1e-8);
    }));
});

describe("mapping", () => {
  const rows = (xs: readonly NDArray[]): NDArray => lax.stack(xs, 0);
  test("the identity is the identity; composition is composition", () =>
    holds(40, [program, points(2)], (f, xs) => {
      const batch = rows(xs);
      expectClose(vmap((x: NDArray) => x)(batch), batch, 0);
      const g: F = (x) => lax.tanh(x);
      expectClose(vmap((x: NDArray) => g(f(x)))(batch), vmap(g)(vmap(f)(batch)), tolerance);
    }));
  test("nested maps commute up to a transposition", () =>
    holds(40, [program, points(4)], (f, [a, b, c, d]) => {
      const grid = lax.stack([rows([a!, b!]), rows([c!, d!])], 0);
      const one = vmap(vmap(f))(grid);
      const other = vmap(vmap(f, { inAxes: 0 }), { inAxes: 1, outAxes: 1 })(grid);
      expectClose(one, other, tolerance);
    }));
  test("where the mapped axis lies does not matter", () =>
    holds(40, [program, points(3)], (f, xs) => {
      const n = xs[0]!.ndim;
      const wanted = vmap(f)(rows(xs));
      for (let axis = 0; axis <= n; axis++)
        expectClose(vmap(f, { inAxes: axis })(lax.stack(xs, axis)), wanted, tolerance);
    }));
  test("maps commute with derivatives", () =>
    holds(30, [program, points(4)], (f, [x, y, s, t]) => {
      const [xs, ts] = [rows([x!, y!]), rows([s!, t!])];
      expectClose(
        vmap((v: NDArray, d: NDArray) => jvp(f, [v], [d])[1])(xs, ts),
        jvp(vmap(f), [xs], [ts])[1],
        tolerance,
      );
      expectClose(vmap(grad((v: NDArray) => total(f(v))))(xs), grad((v: NDArray) => total(vmap(f)(v)))(xs), tolerance);
    }));
});

describe("jit", () => {
  test("changes nothing, once or twice", () =>
    holds(40, [program, points(1)], (f, [x]) => {
      expectClose(jit(f)(x!), f(x!), 1e-13);
      expectClose(jit(jit(f))(x!), jit(f)(x!), 0);
      expectClose(jit(jit(f))(x!), jit(f)(x!), 0);
    }));
  test("tracing twice gives the same program", () =>
    holds(40, [program, points(1)], (f, [x]) => {
      const g = grad((v: NDArray) => total(f(v)));
      expect(String(makeJaxpr(g)(x!))).toBe(String(makeJaxpr(g)(x!)));
      expect(String(makeJaxpr(vmap(g))(lax.stack([x!], 0)))).toBe(String(makeJaxpr(vmap(g))(lax.stack([x!], 0))));
    }));
});

test("derivatives do not depend on how often they were asked for", () => {
  const f = jit((x: NDArray) => lax.scan((c: NDArray, v: NDArray) => [lax.mul(c, lax.sin(v)), null], f64(1), x)[0]);
  const x = f64([0.1, 0.2]);
  const first = grad(f)(x);
  for (let i = 0; i < 3; i++) expectClose(grad(f)(x), first, 0);
});
