/**
 * Random programs under random compositions of transforms, against evaluations that use none: programs are run plainly
 * (JavaScript loops and branches), derivatives are finite differences of that, mapping is a loop.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checkJaxpr } from "../../src/core/jaxpr.ts";
import type { NDArray } from "../../src/core/ndarray.ts";
import * as lax from "../../src/lax/index.ts";
import { checkpoint } from "../../src/transforms/checkpoint.ts";
import { jvp } from "../../src/transforms/forward.ts";
import { grad, linearize, vjp } from "../../src/transforms/gradient.ts";
import { jit } from "../../src/transforms/jit.ts";
import { makeJaxpr } from "../../src/transforms/makeJaxpr.ts";
import { vmap } from "../../src/transforms/vmap.ts";
import { holds } from "../properties.ts";
import { distanceOf, f64, fromHost, host } from "../support/arrays.ts";
import { type Program, bothModes, programs, run, show } from "../support/programs.ts";
import { arrays } from "../sweep/generator.ts";

type F = (x: NDArray) => NDArray;

/** Numbers that are the same wherever they are needed: directions and cotangents of any shape. */
const direction = (shape: readonly number[]): NDArray => {
  const n = shape.reduce((a, b) => a * b, 1);
  const data = Float64Array.from({ length: n }, (_, i) => Math.cos(1 + 2.3 * i));
  return fromHost({ shape, dtype: "float64", data });
};
const scales = [1, -0.5, 0.25];

let h = 2e-3;
/** Runs `f` with differences of half the step. */
function finer<T>(f: () => T): T {
  h /= 2;
  try {
    return f();
  } finally {
    h *= 2;
  }
}
/** Central differences of fourth order. */
function slope(f: F, x: NDArray, t: NDArray): NDArray {
  const at = (k: number): NDArray => f(lax.add(x, lax.mul(t, k * h)));
  const near = lax.mul(lax.sub(at(1), at(-1)), 8);
  return lax.div(lax.sub(near, lax.sub(at(2), at(-2))), 12 * h);
}
const dot = (a: NDArray, b: NDArray): NDArray => {
  const p = lax.mul(a, b);
  return p.ndim ? lax.reduceSum(p, [...p.shape.keys()]) : p;
};
/** Jᵀ ct, one basis vector at a time. */
function pulledBack(f: F, x: NDArray): NDArray {
  const ct = direction(f(x).shape);
  const n = x.size;
  const parts = Array.from({ length: n }, (_, i) => {
    const data = new Float64Array(n);
    data[i] = 1;
    return dot(ct, slope(f, x, fromHost({ shape: x.shape, dtype: "float64", data })));
  });
  return lax.reshape(lax.stack(parts, 0), x.shape);
}

/** Each transform as the library does it and by hand; `order` counts derivatives. */
const transforms: Record<
  string,
  { readonly library: (f: F) => F; readonly plain: (f: F) => F; readonly order: number }
> = {
  jit: { library: (f) => jit(f), plain: (f) => f, order: 0 },
  checkpoint: { library: (f) => checkpoint(f), plain: (f) => f, order: 0 },
  vmap: {
    library: (f) => (x) => {
      const batch = lax.stack(scales.map((s) => lax.mul(x, s)), x.ndim); // prettier-ignore
      return vmap(f, { inAxes: x.ndim })(batch);
    },
    plain: (f) => (x) => lax.stack(scales.map((s) => f(lax.mul(x, s))), 0), // prettier-ignore
    order: 0,
  },
  vmapShared: {
    library: (f) => (x) => vmap((s: NDArray) => f(lax.mul(x, s)), { outAxes: -1 })(f64(scales)),
    plain: (f) => (x) => {
      const outs = scales.map((s) => f(lax.mul(x, s)));
      return lax.stack(outs, outs[0]!.ndim);
    },
    order: 0,
  },
  jvp: {
    library: (f) => (x) => jvp(f, [x], [direction(x.shape)])[1],
    plain: (f) => (x) => slope(f, x, direction(x.shape)),
    order: 1,
  },
  linearize: {
    library: (f) => (x) => linearize(f, x)[1](direction(x.shape)),
    plain: (f) => (x) => slope(f, x, direction(x.shape)),
    order: 1,
  },
  vjp: {
    library: (f) => (x) => {
      const [y, pull] = vjp(f, x);
      return pull(direction(y.shape))[0];
    },
    plain: (f) => (x) => pulledBack(f, x),
    order: 1,
  },
  grad: {
    library: (f) => (x) => grad((v: NDArray) => dot(f(v), direction(f(v).shape)))(x),
    plain: (f) => (x) => pulledBack(f, x),
    order: 1,
  },
};

const forwardOnly = ["jit", "checkpoint", "vmap", "vmapShared", "jvp", "linearize"];
const reverseOnly = ["jit", "checkpoint", "vmap", "vmapShared", "vjp", "grad"];

/** Up to three transforms, at most two of them derivatives (finite differences bear no more). */
const compositions = (among: readonly string[]): fc.Arbitrary<string[]> =>
  fc
    .array(fc.constantFrom(...among), { minLength: 1, maxLength: 3 })
    .filter((names) => names.reduce((n, t) => n + transforms[t]!.order, 0) <= 2);

const tolerances = [1e-12, 1e-7, 1e-4];
const input = fc
  .constantFrom<number[]>([], [2], [3], [2, 2])
  .chain((shape) => arrays(shape, "float64", { min: -1.5, max: 1.5 }));

function compare(p: Program, names: readonly string[], x: NDArray): void {
  const apply = (how: "library" | "plain"): F =>
    names.reduce<F>(
      (f, t) => transforms[t]![how](f),
      (v) => run(p, [v], how),
    );
  const wanted = apply("plain")(x);
  if (!host(wanted).data.every((v) => Math.abs(v) < 1e4)) return;
  const found = apply("library");
  const tolerance = tolerances[names.reduce((n, t) => n + transforms[t]!.order, 0)]!;
  const difference = distanceOf(found(x), wanted, tolerance);
  // Where differences do not agree among themselves (a choice changes within a step), they say nothing.
  const reliable = (): boolean =>
    distanceOf(
      finer(() => apply("plain")(x)),
      wanted,
      tolerance / 2,
    ) === null;
  if (difference && reliable())
    expect.fail(`${names.join(" of ")} (innermost first): ${difference}\n  program ${show(p)}`);
  checkJaxpr(makeJaxpr(found)(x).jaxpr);
}

const suite = (count: number, structured: readonly string[], among: readonly string[]): void =>
  holds(count, [programs({ structured, maxSteps: 4, depth: 2 }), compositions(among), input], (p, names, x) =>
    compare(p, names, fromHost(x)),
  );

describe("compositions of transforms over random programs", () => {
  test("programs alone", () =>
    holds(150, [programs({ structured: [...bothModes, "customVjp", "while"], maxSteps: 5, depth: 2 }), input], (p, x) =>
      compare(p, [], fromHost(x)),
    ));
  test("every transform, programs of both modes", () => suite(120, bothModes, Object.keys(transforms)));
  test("forward transforms, programs with while loops", () => suite(60, [...bothModes, "while"], forwardOnly));
  test("reverse transforms, programs with customVjp", () => suite(60, [...bothModes, "customVjp"], reverseOnly));
});
