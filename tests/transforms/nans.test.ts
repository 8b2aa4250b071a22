/** debugNans: what is reported, and which line is blamed. */
import { describe, expect, test } from "vitest";
import { withModes } from "../../src/core/modes.ts";
import type { NDArray } from "../../src/core/ndarray.ts";
import { type Problem } from "../../src/core/problem.ts";
import * as lax from "../../src/lax/index.ts";
import { checkpoint } from "../../src/transforms/checkpoint.ts";
import { jvp } from "../../src/transforms/forward.ts";
import { grad, valueAndGrad } from "../../src/transforms/gradient.ts";
import { jit } from "../../src/transforms/jit.ts";
import { vmap } from "../../src/transforms/vmap.ts";
import { f64, item, list, problemOf } from "../support/arrays.ts";

const watched = <T>(f: () => T): T => withModes({ debugNans: true }, f);
const reported = (f: () => unknown): Problem => problemOf(() => watched(f));

/** The line that calls this. */
const here = (): string => `nans.test.ts:${/:(\d+):\d+\)?$/.exec(new Error().stack!.split("\n")[2]!)![1]}:`;

// A function and the line it is on. The slope of √(x − x) is infinite, and 0 · ∞ is NaN.
const [log, logLine] = [(x: NDArray): NDArray => lax.log(x), here()] as const;
const [root, rootLine] = [(x: NDArray): NDArray => lax.sqrt(lax.sub(x, x)), here()] as const;

describe("debugNans", () => {
  test("eager operations are reported at once, with their line", () => {
    const p = reported(() => lax.add(log(f64(-1)), 1));
    expect(p.code).toBe("NaN");
    expect(p.what).toBe("a NaN was made by log");
    expect(p.where).toContain(logLine);
  });
  test("nothing is reported while it is off, and values are the same while it is on", () => {
    expect(item(log(f64(-1)))).toBeNaN();
    expect(item(watched(() => jit((x: NDArray) => lax.sin(x))(f64(1))))).toBe(Math.sin(1));
  });
  test("the operation that made it, not those that pass it on", () => {
    const p = reported(() => jit((x: NDArray) => lax.exp(lax.add(log(x), 1)))(f64(-1)));
    expect(p.what).toContain("log");
    expect(p.where).toContain(logLine);
  });
  test("NaN that is given is nobody's fault", () => {
    const x = f64([NaN, 1]);
    expect(watched(() => list(x))).toEqual([NaN, 1]);
  });
  test("masked NaN in a jitted function is not reported", () => {
    const safe = (x: NDArray): NDArray => lax.select(lax.gt(x, 0), log(x), lax.neg(x));
    expect(list(watched(() => jit(safe)(f64([-1, 1]))))).toEqual([1, 0]);
    expect(list(watched(() => vmap(safe)(f64([-1, 1]))))).toEqual([1, 0]);
    expect(
      problemOf(() => withModes({ debugNans: true, debugNansEverywhere: true }, () => jit(safe)(f64([-1, 1])))).code,
    ).toBe("NaN");
  });
  test("NaN only in the gradient, through select, blames the forward line", () => {
    const f = (x: NDArray): NDArray => lax.select(lax.gt(x, 0), lax.sqrt(lax.mul(x, 0)), x);
    // The value is fine; 0 · 1/(2·√0) is not.
    expect(item(watched(() => f(f64(1))))).toBe(0);
    const p = reported(() => grad((x: NDArray) => lax.select(lax.gt(x, 0), x, root(x)))(f64(0.5)));
    expect(p.what).toContain("in the backward pass of the line below");
    expect(p.where).toContain(rootLine);
  });
  test("inside jit, scan, cond, while and checkpoint", () => {
    const cases: (() => unknown)[] = [
      () => jit(jit(log))(f64(-1)),
      () => lax.scan((c: NDArray, x: NDArray) => [lax.add(c, log(x)), null], f64(0), f64([1, -1])),
      () => jit((x: NDArray) => lax.scan((c: NDArray, y: NDArray) => [c, log(y)], f64(0), x))(f64([1, -1])),
      () => lax.cond(true, log, (x: NDArray) => x, f64(-1)),
      () => lax.whileLoop((x: NDArray) => lax.lt(x, 0), log, f64(-1)),
      () => checkpoint(log)(f64(-1)),
      () => lax.foriLoop(0, 2, (_, x: NDArray) => log(x), f64(0.5)),
      () => vmap(log)(f64([1, -1])),
      () => jvp(log, [f64(-1)], [f64(1)]),
      () => grad(log)(f64(-1)),
      () => jit(valueAndGrad(log))(f64(-1)),
    ];
    for (const run of cases) {
      const p = reported(run);
      expect(p.code).toBe("NaN");
      expect(p.where).toContain(logLine);
    }
  });
  test("in the backward pass of a scan", () => {
    const f = (x: NDArray): NDArray => lax.scan((c: NDArray, _: null) => [root(c), null], lax.mul(x, 0), null, 2)[0];
    const p = reported(() => grad((x: NDArray) => lax.mul(f(x), 0))(f64(1)));
    expect(p.code).toBe("NaN");
    expect(p.where).toContain("nans.test.ts");
  });
  test("infinities are not NaN", () => {
    expect(item(watched(() => log(f64(0))))).toBe(-Infinity);
  });
});
