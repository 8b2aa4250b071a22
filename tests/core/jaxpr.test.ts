/** Jaxprs: the checker, the printer, dead code. */
import { describe, expect, test } from "vitest";
import { Aval } from "../../src/core/aval.ts";
import { Var, checkJaxpr, countEqns, evalJaxpr, lastUses, makeJaxprOf, newEqn } from "../../src/core/jaxpr.ts";
import type { NDArray } from "../../src/core/ndarray.ts";
import { printJaxpr } from "../../src/core/printJaxpr.ts";
import { traceToJaxpr } from "../../src/core/staging.ts";
import { sinP } from "../../src/lax/elementary.ts";
import { addP } from "../../src/lax/arithmetic.ts";
import { debugCallback } from "../../src/lax/callback.ts";
import * as lax from "../../src/lax/index.ts";
import { interpreters } from "../../src/transforms/interpreters.ts";
import { jit } from "../../src/transforms/jit.ts";
import { makeJaxpr } from "../../src/transforms/makeJaxpr.ts";
import { f32, f64, list, problemOf } from "../support/arrays.ts";

const float = (...shape: number[]): Aval => new Aval(shape, "float32");
const v = (...shape: number[]): Var => new Var(float(...shape));

describe("checkJaxpr", () => {
  const [a, b, c] = [v(2), v(2), v(2)];
  const good = makeJaxprOf([], [a], [newEqn(sinP, [a], null, [b]), newEqn(addP, [a, b], null, [c])], [c]);
  test("accepts what tracing gives", () => {
    checkJaxpr(good);
    expect(printJaxpr(good)).toBe(
      "{ lambda ; a:f32[2]. let\n    b:f32[2] = sin a\n    c:f32[2] = add a b\n  in (c,) }",
    );
  });
  test.each([
    ["is used in sin before it is bound", makeJaxprOf([], [], [newEqn(sinP, [a], null, [b])], [b])],
    ["is bound twice", makeJaxprOf([], [a], [newEqn(sinP, [a], null, [a])], [a])],
    ["is bound twice (inputs)", makeJaxprOf([], [a, a], [], [a])],
    ["gives float32[2] but binds float32[3]", makeJaxprOf([], [a], [newEqn(sinP, [a], null, [v(3)])], [])],
    ["has 1 results but binds 2", makeJaxprOf([], [a], [newEqn(sinP, [a], null, [b, c])], [])],
    ["is used in the results before it is bound", makeJaxprOf([], [a], [], [b])],
    [
      "add",
      makeJaxprOf(
        [],
        [a],
        [newEqn(addP, [a, new Var(new Aval([2], "int32"))].slice(0, 1).concat(v(3)), null, [c])],
        [c],
      ),
    ],
  ])("refuses one where a variable %s", (text, bad) => {
    const p = problemOf(() => checkJaxpr(bad));
    expect(p.code).toBe("InvalidJaxpr");
    expect(p.what).toContain(text);
  });
  test("looks into sub-programs", () => {
    const { jaxpr } = makeJaxpr((x: NDArray) => jit((y: NDArray) => lax.sin(y))(x))(f32([1]));
    const [call] = jaxpr.eqns;
    const broken = {
      ...jaxpr,
      eqns: [{ ...call!, params: { ...(call!.params as object), jaxpr: makeJaxprOf([], [v(1)], [], [v(1)]) } }],
    };
    expect(problemOf(() => checkJaxpr(broken)).code).toBe("InvalidJaxpr");
  });
});

describe("evaluation", () => {
  test("drops values after their last use", () => {
    const { jaxpr } = traceToJaxpr((x) => [lax.sin(lax.cos(lax.tan(x)))], [float(2)], "f");
    expect(lastUses(jaxpr).map((vars) => vars.length)).toEqual([1, 1, 1]);
    expect(list(evalJaxpr(jaxpr, [], [f32([0, 0])])[0])).toEqual([Math.fround(Math.sin(1)), Math.fround(Math.sin(1))]);
  });
  test("counts equations in sub-programs", () => {
    expect(
      countEqns(makeJaxpr((x: NDArray) => lax.foriLoop(0, 3, (_, y: NDArray) => lax.sin(lax.cos(y)), x))(f64(1)).jaxpr),
    ).toBe(4);
  });
  test("captured arrays are constants, each once", () => {
    const w = f32([1, 2]);
    const { jaxpr, consts } = traceToJaxpr((x) => [lax.mul(lax.add(x, w), w)], [float(2)], "f");
    expect(consts).toEqual([w]);
    expect(jaxpr.constVars).toHaveLength(1);
  });
});

describe("dead-code elimination", () => {
  const prune = (f: (...xs: NDArray[]) => unknown, used: boolean[], ...args: NDArray[]) =>
    interpreters.dceJaxpr(makeJaxpr(f)(...args).jaxpr, used);
  test("keeps what the results need and says which inputs that is", () => {
    const { jaxpr, usedInputs } = prune(
      (x, y, z) => [lax.sin(x), lax.cos(lax.add(y, z))],
      [true, false],
      f32(1),
      f32(1),
      f32(1),
    );
    expect(jaxpr.eqns.map((e) => e.primitive.name)).toEqual(["sin"]);
    expect(usedInputs).toEqual([true, false, false]);
    expect(jaxpr.outs).toHaveLength(1);
  });
  test("keeps effects and what they need", () => {
    const { jaxpr, usedInputs } = prune(
      (x, y) => (debugCallback(() => undefined, lax.neg(y)), [x]),
      [false],
      f32(1),
      f32(1),
    );
    expect(jaxpr.eqns.map((e) => e.primitive.name)).toEqual(["neg", "callback"]);
    expect(usedInputs).toEqual([false, true]);
    const inner = prune(
      (x) => jit((y: NDArray) => (debugCallback(() => undefined, y), [lax.sin(y), y]))(x),
      [false, false],
      f32(1),
    );
    expect(inner.jaxpr.eqns).toHaveLength(1);
  });
  test("goes into calls", () => {
    const { jaxpr } = prune((x) => jit((y: NDArray) => [lax.sin(y), lax.exp(y)])(x), [true, false], f32(1));
    expect(printJaxpr(jaxpr)).not.toContain("exp");
  });
});
