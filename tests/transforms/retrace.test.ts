/** Why functions are traced again, and what is kept of functions that are gone. */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { NDArray } from "../../src/core/ndarray.ts";
import { withModes } from "../../src/core/modes.ts";
import { forgetWarnings } from "../../src/core/warn.ts";
import * as lax from "../../src/lax/index.ts";
import { jit } from "../../src/transforms/jit.ts";
import { vmap } from "../../src/transforms/vmap.ts";
import { f32, i32, item } from "../support/arrays.ts";
import { collectUntil } from "../support/collect.ts";

let warnings: string[] = [];
beforeEach(() => {
  warnings = [];
  forgetWarnings();
  vi.spyOn(console, "warn").mockImplementation((text: string) => void warnings.push(text));
});
afterEach(() => {
  vi.restoreAllMocks();
});

describe("explainRetraces", () => {
  const fresh = () => jit(function model(p: { w: NDArray; b?: NDArray }, _n?: unknown) {
    return lax.neg(p.w);
  }, { staticArgnums: 1 }); // prettier-ignore
  const after = (...calls: [unknown, unknown?][]): string => {
    const f = fresh() as unknown as ((p: unknown, n?: unknown) => NDArray) & { explainRetraces(): string };
    for (const [p, n] of calls) f(p, n);
    return f.explainRetraces();
  };
  const w = f32([1, 2]);
  test("nothing to explain", () => {
    expect(after([{ w }], [{ w }])).toContain("no retrace");
  });
  test("shapes", () => {
    const text = after([{ w }], [{ w: f32([1, 2, 3]) }]);
    expect(text).toContain("jit(model) was traced again 1 time");
    expect(text).toContain("the shape of argument 0 at .w: float32[2] before, float32[3] now");
  });
  test("types and weak types", () => {
    expect(after([{ w }], [{ w: i32([1, 2]) }])).toContain(
      "the type of argument 0 at .w: float32[2] before, int32[2] now",
    );
    expect(after([{ w: f32(1) }], [{ w: 1 }])).toContain(
      "the weak type of argument 0 at .w: float32[] before, float32[] (weak) now",
    );
  });
  test("structure", () => {
    expect(after([{ w }], [{ w, b: w }])).toContain("the structure of argument 0: .b: unexpected");
  });
  test("static values", () => {
    expect(after([{ w }, 1], [{ w }, 2])).toContain("static argument 0: the number 1 before, the number 2 now");
    expect(after([{ w }, { k: [1] }], [{ w }, { k: [2] }])).toContain('{"k":[1]} before, {"k":[2]} now');
    expect(after([{ w }, () => 1], [{ w }, () => 1])).toContain("functions are compared by identity");
  });
  test("named axes", () => {
    const f = jit((x: NDArray) => lax.psum(x, "i"));
    for (const xs of [f32([1]), f32([1, 2])]) vmap((x: NDArray) => f(x), { axisName: "i" })(xs);
    expect(f.explainRetraces()).toContain("the named axes in scope: i=1 before, i=2 now");
  });
  test("the nearest earlier signature is compared", () => {
    const text = after([{ w }, 1], [{ w: f32([1, 2, 3]) }, 2], [{ w: f32([1, 2, 3]) }, 1]);
    expect(text).toContain("traced again 2 times");
    expect(text.split("\n").slice(1)).toHaveLength(1);
  });
});

describe("warnings", () => {
  test("on the fifth retrace from one line within a second", () => {
    const f = jit((x: NDArray) => lax.neg(x));
    for (let n = 1; n <= 8; n++) f(f32(Array.from({ length: n }, () => 1)));
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain("times within a second");
    expect(warnings[0]).toContain("the shape of argument 0");
    expect(warnings[0]).toContain("retrace.test.ts");
  });
  test("on functions made anew in a loop", () => {
    for (let n = 0; n < 8; n++) jit((x: NDArray) => lax.mul(x, n))(f32(1));
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain("newly created function");
    expect(warnings[0]).toContain("retrace.test.ts");
  });
  test("none for several functions, or several calls", () => {
    const fs = [1, 2, 3].map((n) => jit((x: NDArray) => lax.mul(x, n)));
    for (let i = 0; i < 20; i++) for (const f of fs) f(f32(i));
    expect(warnings).toEqual([]);
  });
  test("every retrace, if asked for", () => {
    withModes({ explainRetraces: true }, () => {
      const f = jit((x: NDArray) => lax.neg(x));
      f(f32(1));
      f(f32([1]));
    });
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain("is traced again, because of the shape of argument 0");
  });
});

describe("memory", () => {
  test("programs go when their function goes", async () => {
    let traced: WeakRef<object> | null = null;
    let captured: WeakRef<object> | null = null;
    (() => {
      const big = f32(Array.from({ length: 100 }, (_, i) => i));
      const f = (x: NDArray): NDArray => lax.add(x, big);
      jit(f)(big);
      [traced, captured] = [new WeakRef(f), new WeakRef(big)];
    })();
    expect(await collectUntil(() => traced!.deref() === undefined && captured!.deref() === undefined)).toBe(true);
  });
  test("and stay as long as it does", async () => {
    let traces = 0;
    const f = (x: NDArray): NDArray => (traces++, lax.neg(x));
    jit(f)(f32(1));
    await collectUntil(() => false || traces > 0);
    expect(item(jit(f)(f32(2)))).toBe(-2);
    expect(traces).toBe(1);
  });
});
