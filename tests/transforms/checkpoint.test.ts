import { describe, expect, test } from "vitest";
import { type Jaxpr, countEqns } from "../../src/core/jaxpr.ts";
import type { NDArray } from "../../src/core/ndarray.ts";
import * as lax from "../../src/lax/index.ts";
import {
  type Policy,
  checkpoint,
  checkpointName,
  checkpointPolicies as policies,
} from "../../src/transforms/checkpoint.ts";
import { jvp } from "../../src/transforms/forward.ts";
import { grad, linearize } from "../../src/transforms/gradient.ts";
import { interpreters } from "../../src/transforms/interpreters.ts";
import { jit } from "../../src/transforms/jit.ts";
import { linearizeCall } from "../../src/transforms/linearize.ts";
import { makeJaxpr } from "../../src/transforms/makeJaxpr.ts";
import { vmap } from "../../src/transforms/vmap.ts";
import { expectClose, f64, item, lists, problemOf } from "../support/arrays.ts";

const total = (x: NDArray): NDArray => lax.reduceSum(x, [...x.shape.keys()]);
const w = f64([[0.1, 0.2, 0.3], [0.4, -0.5, 0.6], [0.7, 0.8, -0.9]]); // prettier-ignore
const x = f64([0.3, -0.2, 0.5]);
const block = (v: NDArray): NDArray => lax.sin(checkpointName(lax.dot(w, lax.exp(lax.sin(v))), "hidden"));
const loss = (f: (v: NDArray) => NDArray) => (v: NDArray) => total(lax.square(f(v)));

/** The values a linearized function keeps for its backward pass, those it was given apart. */
const residuals = (f: (v: NDArray) => NDArray, at: NDArray = x): NDArray[] =>
  linearizeCall(([v]) => [f(v!)], [at], [true], "test", interpreters).linear.consts.filter((c) => c !== at && c !== w);
/** How often a primitive occurs, sub-programs included. */
const count = (name: string, j: Jaxpr): number =>
  j.eqns.reduce(
    (n, e) =>
      n +
      Number(e.primitive.name === name) +
      (e.primitive.subJaxprs?.(e.params) ?? []).reduce((m, s) => m + count(name, s), 0),
    0,
  );
const countIn = (name: string, f: (v: NDArray) => NDArray): number => count(name, makeJaxpr(f)(x).jaxpr);

const everyPolicy: Record<string, Policy | undefined> = {
  none: undefined,
  everything: policies.everythingSaveable,
  nothing: policies.nothingSaveable,
  dots: policies.dotsSaveable,
  dotsAgain: policies.checkpointDots,
  plainDots: policies.dotsWithNoBatchDimsSaveable,
  plainDotsAgain: policies.checkpointDotsWithNoBatchDims,
  named: policies.saveOnlyTheseNames("hidden"),
  otherNames: policies.saveOnlyTheseNames("other"),
  exceptNamed: policies.saveAnythingExceptTheseNames("hidden"),
  namedBut: policies.saveAnyNamesButThese("other"),
  both: policies.saveFromBothPolicies(policies.dotsSaveable, policies.saveOnlyTheseNames("hidden")),
  own: ({ primitive, inputs }) => primitive === "exp" && inputs[0]!.shape.length === 1,
};
const options = (policy: Policy | undefined) => (policy ? { policy } : {});

describe.each(Object.entries(everyPolicy))("policy %s", (_, policy) => {
  const f = loss(checkpoint(block, options(policy)));
  const plain = loss(block);
  test("numbers stay equal, in every mode and order", () => {
    expectClose(f(x), plain(x), 0);
    expectClose(grad(f)(x), grad(plain)(x), 1e-14);
    expectClose(jit(grad(f))(x), grad(plain)(x), 1e-14);
    expectClose(jvp(f, [x], [x])[1], jvp(plain, [x], [x])[1], 1e-14);
    expectClose(linearize(f, x)[1](x), jvp(plain, [x], [x])[1], 1e-14);
    const second = (g: typeof f) => grad((v: NDArray) => total(lax.sin(grad(g)(v))));
    expectClose(second(f)(x), second(plain)(x), 1e-12);
    const xs = lax.stack([x, lax.neg(x)], 0);
    expectClose(vmap(grad(f))(xs), vmap(grad(plain))(xs), 1e-14);
    expectClose(grad((v: NDArray) => total(vmap(f)(v)))(xs), grad((v: NDArray) => total(vmap(plain)(v)))(xs), 1e-14);
  });
  test("inside scan", () => {
    const loop = (g: (v: NDArray) => NDArray) => (v: NDArray) =>
      total(lax.scan((c: NDArray, _: null) => [g(c), c], v, null, 3)[1]);
    expectClose(grad(loop(checkpoint(block, options(policy))))(x), grad(loop(block))(x), 1e-12);
    expectClose(jit(grad(loop(checkpoint(block, options(policy)))))(x), grad(loop(block))(x), 1e-12);
  });
  test("around scan, cond and other checkpoints", () => {
    const inner = (v: NDArray): NDArray => lax.foriLoop(0, 3, (_i, c: NDArray) => block(c), v);
    const choice = (v: NDArray): NDArray => lax.cond(lax.gt(total(v), 0.01), block, (u: NDArray) => lax.mul(u, 2), v);
    const nested = (v: NDArray): NDArray => checkpoint(block)(lax.sin(v));
    for (const g of [inner, choice, nested])
      expectClose(grad(loss(checkpoint(g, options(policy))))(x), grad(loss(g))(x), 1e-12);
  });
});

describe("memory", () => {
  test("without checkpoint every step leaves residuals; with it none", () => {
    expect(residuals(block).length).toBeGreaterThanOrEqual(3);
    expect(residuals(checkpoint(block))).toHaveLength(0);
  });
  test("policies keep what they say", () => {
    expect(residuals(checkpoint(block, { policy: policies.dotsSaveable }))).toHaveLength(1);
    expect(residuals(checkpoint(block, { policy: policies.saveOnlyTheseNames("hidden") }))).toHaveLength(1);
    expect(residuals(checkpoint(block, { policy: policies.saveOnlyTheseNames("other") }))).toHaveLength(0);
    expect(residuals(checkpoint(block, { policy: policies.everythingSaveable })).length).toBeGreaterThan(2);
  });
  test("batched contractions are told apart", () => {
    const m = f64([[[1, 2], [3, 4]]]); // prettier-ignore
    const f = (v: NDArray): NDArray => total(lax.sin(lax.batchMatmul(v, lax.sin(v))));
    const kept = (policy: Policy): number => residuals(checkpoint(f, { policy }), m).length;
    expect(kept(policies.dotsSaveable)).toBe(1);
    expect(kept(policies.dotsWithNoBatchDimsSaveable)).toBe(0);
  });
  test("policies look into loops", () => {
    const loop = (v: NDArray): NDArray => lax.foriLoop(0, 5, (_i, c: NDArray) => lax.sin(lax.dot(w, c)), v);
    const kept = residuals(checkpoint(loop, { policy: policies.dotsSaveable }));
    expect(kept.map((r) => r.shape)).toEqual([[5, 3]]);
  });
  test("inside a scan only the carries are kept", () => {
    const loop = (g: (v: NDArray) => NDArray) => (v: NDArray) =>
      lax.scan((c: NDArray, _: null) => [g(c), null], v, null, 7)[0];
    expect(residuals(loop(checkpoint(block))).map((r) => r.shape)).toEqual([[7, 3]]);
    expect(residuals(loop(block)).length).toBeGreaterThan(2);
  });
});

describe("recomputation", () => {
  test("shows in the program", () => {
    expect(countIn("exp", grad(loss(block)))).toBe(1);
    expect(countIn("exp", grad(loss(checkpoint(block))))).toBe(2);
    expect(countIn("dot_general", grad(loss(checkpoint(block, { policy: policies.dotsSaveable }))))).toBe(
      countIn("dot_general", grad(loss(block))),
    );
    expect(String(makeJaxpr(grad(loss(checkpoint(block))))(x))).toContain("differentiated=True");
  });
  test("what the backward pass does not need is not recomputed", () => {
    const f = (v: NDArray): NDArray => total(lax.add(lax.exp(v), lax.mul(v, 2)));
    const { jaxpr } = makeJaxpr(grad(checkpoint(f)))(x);
    const backward = jaxpr.eqns.find((e) => (e.params as { differentiated?: boolean } | null)?.differentiated)!;
    expect(count("reduce_sum", (backward.params as { jaxpr: Jaxpr }).jaxpr)).toBe(0);
    expect(countEqns((backward.params as { jaxpr: Jaxpr }).jaxpr)).toBeLessThan(8);
  });
  test("a function called once is evaluated once without derivatives", () => {
    expect(countIn("exp", checkpoint(block))).toBe(1);
  });
});

describe("calling", () => {
  test("trees, several arguments, static ones", () => {
    const f = checkpoint(
      (p: { a: NDArray; b: NDArray }, n: number, v: NDArray) => ({ y: lax.mul(lax.mul(p.a, v), n), z: [lax.sin(p.b)] }),
      { staticArgnums: 1 },
    );
    const g = grad((p: { a: NDArray; b: NDArray }) => {
      const out = f(p, 3, f64(2));
      return lax.add(out.y, out.z[0]!);
    });
    expect(lists(g({ a: f64(5), b: f64(0) }))).toEqual([6, 1]);
  });
  test("captured tracers are differentiated", () => {
    const f = (a: NDArray): NDArray => checkpoint((v: NDArray) => lax.mul(lax.sin(v), a))(f64(0.5));
    expect(item(grad(f)(f64(2)))).toBeCloseTo(Math.sin(0.5), 12);
  });
  test("mistakes", () => {
    expect(problemOf(() => checkpoint(1 as never)).code).toBe("NotAFunction");
    expect(problemOf(() => checkpoint(block, { polisy: 1 } as never)).code).toBe("UnknownOption");
    expect(problemOf(() => checkpoint((async (v: NDArray) => v) as never)(x as never)).code).toBe("AsyncFunction");
  });
});
