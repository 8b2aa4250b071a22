/** customJvp and customVjp. */
import { describe, expect, test } from "vitest";
import type { NDArray } from "../../src/core/ndarray.ts";
import * as lax from "../../src/lax/index.ts";
import { customJvp } from "../../src/transforms/customJvp.ts";
import { customVjp } from "../../src/transforms/customVjp.ts";
import { hessian, jacfwd, jacrev, jvp } from "../../src/transforms/forward.ts";
import { grad, linearize, vjp } from "../../src/transforms/gradient.ts";
import { jit } from "../../src/transforms/jit.ts";
import { makeJaxpr } from "../../src/transforms/makeJaxpr.ts";
import { vmap } from "../../src/transforms/vmap.ts";
import { expectClose, f32, f64, i32, item, list, lists, problemOf } from "../support/arrays.ts";

const total = (x: NDArray): NDArray => lax.reduceSum(x, [...x.shape.keys()]);

/** sin, with ten times its derivative. */
const loudSine = () => {
  const f = customJvp((x: NDArray) => lax.sin(x));
  f.defjvp(([x]: [NDArray], [dx]: [NDArray]) => [f(x), lax.mul(lax.mul(lax.cos(x), dx), 10)]);
  return f;
};
/** The same for reverse mode. */
const loudSineBackwards = () => {
  const f = customVjp((x: NDArray) => lax.sin(x));
  f.defvjp(
    (x: NDArray) => [lax.sin(x), lax.cos(x)],
    (c: NDArray, ct: NDArray) => [lax.mul(lax.mul(c, ct), 10)],
  );
  return f;
};

describe.each([
  ["customJvp", loudSine],
  ["customVjp", loudSineBackwards],
] as const)("%s", (_, make) => {
  // prettier-ignore
  const f = make();
  const slope = (x: number): number => 10 * Math.cos(x);
  test("values are the function's, derivatives the rule's", () => {
    expect(item(f(f64(0.5)))).toBe(Math.sin(0.5));
    expect(item(grad((x: NDArray) => f(x))(f64(0.5)))).toBeCloseTo(slope(0.5), 12);
  });
  test("under jit, in any order", () => {
    const x = f64(0.5);
    expect(item(jit((y: NDArray) => f(y))(x))).toBe(Math.sin(0.5));
    expect(item(jit(grad((y: NDArray) => f(y)))(x))).toBeCloseTo(slope(0.5), 12);
    expect(item(grad(jit((y: NDArray) => f(y)))(x))).toBeCloseTo(slope(0.5), 12);
    expect(item(jit(grad(jit((y: NDArray) => f(y))))(x))).toBeCloseTo(slope(0.5), 12);
  });
  test("under vmap, in any order", () => {
    const xs = f64([0, 1, 2]);
    const wanted = [0, 1, 2].map(slope);
    const close = (y: NDArray): void => (list(y) as number[]).forEach((v, i) => expect(v).toBeCloseTo(wanted[i]!, 12));
    close(vmap(grad((x: NDArray) => f(x)))(xs));
    close(grad((v: NDArray) => total(vmap((x: NDArray) => f(x))(v)))(xs));
    close(jit(vmap(grad((x: NDArray) => f(x))))(xs));
    close(grad(jit((v: NDArray) => total(vmap((x: NDArray) => f(x))(v))))(xs));
  });
  test("vmap of several axes, with other arguments shared", () => {
    const g = (x: NDArray, w: NDArray): NDArray => lax.mul(f(x), w);
    const xs = f64([[0.1, 0.2], [0.3, 0.4]]); // prettier-ignore
    const out = vmap(vmap(grad(g), { inAxes: [0, null] }), { inAxes: [1, null] })(xs, f64(2));
    expectClose(out, lax.transpose(lax.mul(lax.cos(xs), 20), [1, 0]), 1e-12);
  });
  test("inside scan, cond and loops", () => {
    const loop = (x: NDArray): NDArray => lax.foriLoop(0, 2, (_i, y: NDArray) => f(y), x);
    const chain = slope(0.5) * slope(Math.sin(0.5));
    expect(item(grad(loop)(f64(0.5)))).toBeCloseTo(chain, 10);
    expect(item(grad(jit(loop))(f64(0.5)))).toBeCloseTo(chain, 10);
    const choice = (x: NDArray): NDArray => lax.cond(lax.gt(x, 0), (y: NDArray) => f(y), (y: NDArray) => y, x); // prettier-ignore
    expect(item(grad(choice)(f64(0.5)))).toBeCloseTo(slope(0.5), 12);
    expect(item(grad(choice)(f64(-0.5)))).toBe(1);
    const xs = f64([0.5, 1]);
    const rows = (v: NDArray): NDArray => total(lax.map((x: NDArray) => f(x), v));
    expectClose(grad(rows)(xs), lax.mul(lax.cos(xs), 10), 1e-12);
    expectClose(vmap(grad(loop))(xs), lax.stack([grad(loop)(f64(0.5)), grad(loop)(f64(1))], 0), 1e-12);
  });
  test("the rule is differentiated for second derivatives", () => {
    expect(item(grad(grad((x: NDArray) => f(x)))(f64(0.5)))).toBeCloseTo(-10 * Math.sin(0.5), 10);
  });
  test("the printed program shows the call, and tracing keeps the rule", () => {
    const text = String(makeJaxpr((x: NDArray) => f(x))(f64(1)));
    expect(text).toContain(make === loudSine ? "custom_jvp_call[" : "custom_vjp_call[");
    expect(text).toContain("sin a");
  });
  test("a zero tangent never calls the rule", () => {
    expect(item(grad((x: NDArray) => lax.mul(f(f64(1)), x))(f64(2)))).toBe(Math.sin(1));
  });
  test("without a rule", () => {
    const bare = make === loudSine ? customJvp((x: NDArray) => x) : customVjp((x: NDArray) => x);
    const p = problemOf(() => bare(f64(1)));
    expect(p.code).toBe("NoCustomRule");
    expect(p.fix).toContain(make === loudSine ? "defjvp" : "defvjp");
  });
  test("without a function, with unknown options", () => {
    const custom = make === loudSine ? customJvp : customVjp;
    expect(problemOf(() => custom(1 as never)).code).toBe("NotAFunction");
    expect(problemOf(() => custom((x: NDArray) => x, { nondiff: [0] } as never)).code).toBe("UnknownOption");
  });
});

describe("customJvp", () => {
  test("serves forward and reverse mode, and both Jacobians", () => {
    const f = loudSine();
    expect(jvp((x: NDArray) => f(x), [f64(0)], [f64(2)]).map(item)).toEqual([0, 20]);
    const x = f64([0.1, 0.2]);
    expectClose(jacfwd((y: NDArray) => f(y))(x), jacrev((y: NDArray) => f(y))(x), 1e-12);
  });
  test("trees of arguments and results, integers among them", () => {
    const f = customJvp((p: { x: NDArray; n: NDArray }) => ({
      y: lax.mul(p.x, lax.convertElementType(p.n, "float64")),
      n: p.n,
    }));
    f.defjvp(([p]: [{ x: NDArray; n: NDArray }], [t]: [{ x: NDArray }]) => [f(p), { y: lax.mul(t.x, 100), n: p.n }]);
    const g = (x: NDArray): NDArray => f({ x, n: i32(3) }).y;
    expect([item(g(f64(2))), item(grad(g)(f64(2)))]).toEqual([6, 100]);
    expect(item(jit(grad(g))(f64(2)))).toBe(100);
  });
  test("nondiffArgnums come first in the rule", () => {
    const apply = customJvp((f: (x: NDArray) => NDArray, x: NDArray) => f(x), { nondiffArgnums: [0] });
    apply.defjvp((f: (x: NDArray) => NDArray, [x]: [NDArray], [dx]: [NDArray]) => [f(x), lax.mul(dx, 7)]);
    expect(item(grad((x: NDArray) => apply(lax.sin, x))(f64(0)))).toBe(7);
    expect(item(jit(grad((x: NDArray) => apply(lax.sin, x)))(f64(0)))).toBe(7);
  });
  test("defjvps gives one rule per argument", () => {
    const f = customJvp((x: NDArray, y: NDArray) => lax.mul(x, y));
    f.defjvps((dx: NDArray, _v: NDArray, _x: NDArray, y: NDArray) => lax.mul(lax.mul(dx, y), 2), null);
    expect(grad((x: NDArray, y: NDArray) => f(x, y), { argnums: [0, 1] })(f64(3), f64(5)).map(item)).toEqual([10, 0]);
    const g = customJvp((x: NDArray) => x, { nondiffArgnums: [0] });
    expect(problemOf(() => g.defjvps(null)).code).toBe("DefjvpsNondiff");
  });
  test("may look at concrete values outside of jit", () => {
    const seen: number[] = [];
    const f = customJvp((x: NDArray) => (seen.push(item(x)), lax.sin(x)));
    f.defjvp(([x]: [NDArray], [dx]: [NDArray]) => [lax.sin(x), dx]);
    f(f64(3));
    expect(seen).toEqual([3]);
  });
  test("rules may hold calls, loops and choices on values and tangents at once", () => {
    const inner: Record<string, (x: NDArray) => NDArray> = {
      jit: jit((x: NDArray) => lax.mul(lax.sin(x), x)),
      scan: (x) => lax.scan((c: NDArray, _: null) => [lax.mul(lax.sin(c), x), null], x, null, 3)[0],
      cond: (x) => lax.cond(lax.gt(x, 0), (y: NDArray) => lax.exp(y), (y: NDArray) => y, x), // prettier-ignore
      vmap: (x) => total(vmap(jit((y: NDArray) => lax.mul(lax.sin(y), x)))(lax.stack([x, lax.neg(x)], 0))),
    };
    for (const g of Object.values(inner)) {
      const rules = [
        (xs: [NDArray], ts: [NDArray]) => jvp(g, xs, ts),
        jit((xs: [NDArray], ts: [NDArray]) => jvp(g, xs, ts)),
        (xs: [NDArray], ts: [NDArray]) => [g(xs[0]), vmap(([x]: [NDArray], t: NDArray) => jvp(g, [x], [t])[1], { inAxes: [null, 0] })(xs, lax.stack([ts[0], ts[0]], 0))].map((y, i) => (i === 0 ? y : lax.mul(total(y), 0.5))), // prettier-ignore
      ];
      for (const rule of rules) {
        const f = customJvp(g);
        f.defjvp(rule);
        const h = (x: NDArray): NDArray => lax.sin(f(x));
        const plain = (x: NDArray): NDArray => lax.sin(g(x));
        expectClose(grad(h)(f64(0.7)), grad(plain)(f64(0.7)), 1e-12);
        expectClose(jit(grad(h))(f64(0.7)), grad(plain)(f64(0.7)), 1e-12);
        expectClose(grad(jit(h))(f64(0.7)), grad(plain)(f64(0.7)), 1e-12);
        expectClose(grad(grad(h))(f64(0.7)), grad(grad(plain))(f64(0.7)), 1e-11);
        expectClose(linearize(h, f64(0.7))[1](f64(2)), jvp(plain, [f64(0.7)], [f64(2)])[1], 1e-12);
      }
    }
  });
  test("captured values: constants are fine, differentiated ones are refused", () => {
    const make = (scale: NDArray) => {
      const f = customJvp((x: NDArray) => lax.mul(x, scale));
      f.defjvp(([x]: [NDArray], [dx]: [NDArray]) => [lax.mul(x, scale), lax.mul(dx, scale)]);
      return f;
    };
    expect(item(jit(grad((x: NDArray) => make(f64(3))(x)))(f64(1)))).toBe(3);
    const p = problemOf(() => grad(jit((s: NDArray) => make(s)(f64(2))))(f64(3)));
    expect(p.code).toBe("CapturedDerivative");
    expect(p.fix).toContain("stopGradient");
  });
  test("rules that give the wrong thing", () => {
    const f = (rule: (...a: never[]) => unknown) => {
      const g = customJvp((x: NDArray) => x);
      g.defjvp(rule);
      return () => grad((x: NDArray) => g(x))(f64(1));
    };
    expect(problemOf(f((xs: NDArray[]) => xs[0])).code).toBe("JvpRuleResult");
    expect(problemOf(f(([x]: [NDArray]) => [x, [x]])).code).toBe("RuleTree");
    const p = problemOf(f(([x]: [NDArray]) => [x, f64([1, 2])]));
    expect(p.code).toBe("TangentType");
    expect(p.what).toContain("float64[2]");
    expect(problemOf(f(([x]: [NDArray]) => [x, f32(1)])).code).toBe("TangentType");
    expect(problemOf(() => customJvp((x: NDArray) => x).defjvp(3 as never)).code).toBe("NotAFunction");
  });
});

describe("customVjp", () => {
  test("forward mode is refused, naming the function", () => {
    const f = loudSineBackwards();
    const named = (x: NDArray): NDArray => f(x);
    for (const run of [
      () => jvp(named, [f64(1)], [f64(1)]),
      () => jacfwd(named)(f64([1])),
      () => jit((x: NDArray) => jvp(named, [x], [x])[1])(f64(1)),
    ]) {
      const p = problemOf(run);
      expect(p.code).toBe("ForwardModeCustomVjp");
      expect(p.fix).toContain("customJvp");
    }
  });
  test("forward over reverse mode goes through the rule", () => {
    const f = loudSineBackwards();
    expect(list(hessian((x: NDArray) => f(lax.reduceSum(x, [0])))(f64([0.5])))).toEqual([[-10 * Math.sin(0.5)]]);
  });
  test("several arguments; null stands for zero", () => {
    const f = customVjp((x: NDArray, p: { w: NDArray; b: NDArray }) => lax.add(lax.mul(x, p.w), p.b));
    f.defvjp(
      (x: NDArray, p: { w: NDArray; b: NDArray }) => [lax.add(lax.mul(x, p.w), p.b), { x, w: p.w }],
      ({ x, w }: { x: NDArray; w: NDArray }, ct: NDArray) => [lax.mul(ct, w), { w: lax.mul(ct, x), b: lax.mul(ct, 5) }],
    );
    const g = grad((x: NDArray, p: { w: NDArray; b: NDArray }) => f(x, p), { argnums: [0, 1] })(f64(2), {
      w: f64(3),
      b: f64(4),
    });
    expect(lists(g)).toEqual([3, 5, 2]);
    f.defvjp(
      (x: NDArray, _p: unknown) => [x, null],
      () => [null, null],
    );
    expect(lists(grad((x: NDArray) => f(x, { w: f64(1), b: f64(1) }))(f64(1)))).toEqual([0]);
  });
  test("arguments shared by all examples receive the sum", () => {
    const f = customVjp((w: NDArray, x: NDArray) => lax.mul(w, x));
    f.defvjp(
      (w: NDArray, x: NDArray) => [lax.mul(w, x), [w, x]],
      ([w, x]: [NDArray, NDArray], ct: NDArray) => [lax.mul(ct, x), lax.mul(ct, w)],
    );
    const loss = (w: NDArray, x: NDArray): NDArray => total(vmap((y: NDArray) => f(w, y))(x));
    expect(lists(grad(loss, { argnums: [0, 1] })(f64(2), f64([1, 10, 100])))).toEqual([111, [2, 2, 2]]);
    expect(lists(jit(grad(loss, { argnums: [0, 1] }))(f64(2), f64([1, 10, 100])))).toEqual([111, [2, 2, 2]]);
  });
  test("nondiffArgnums come first in both halves of the call", () => {
    const clip = customVjp((limit: number, x: NDArray) => (void limit, x), { nondiffArgnums: [0] });
    clip.defvjp(
      (_limit: number, x: NDArray) => [x, null],
      (limit: number, _: null, ct: NDArray) => [lax.clamp(-limit, ct, limit)],
    );
    expect(item(grad((x: NDArray) => lax.mul(clip(0.5, x), 3))(f64(1)))).toBe(0.5);
    expect(list(jit(vmap(grad((x: NDArray) => lax.mul(clip(0.5, x), x))))(f64([0.25, 3])))).toEqual([0.5, 3.5]);
  });
  test("residuals of any kind of tree, and none", () => {
    const f = customVjp((x: NDArray) => lax.square(x));
    f.defvjp(
      (x: NDArray) => [lax.square(x), new Map([["x", { deep: [x, null] }]])],
      (r: Map<string, { deep: [NDArray, null] }>, ct: NDArray) => [lax.mul(ct, r.get("x")!.deep[0])],
    );
    expect(item(grad((x: NDArray) => f(x))(f64(3)))).toBe(3);
    expect(list(vmap(grad((x: NDArray) => f(x)))(f64([3, 4])))).toEqual([3, 4]);
  });
  test("several results receive a cotangent each, zeros included", () => {
    const f = customVjp((x: NDArray) => [x, lax.neg(x)] as const);
    f.defvjp(
      (x: NDArray) => [[x, lax.neg(x)], null],
      (_: null, [a, b]: [NDArray, NDArray]) => [lax.add(a, lax.mul(b, 10))],
    );
    expect(item(grad((x: NDArray) => f(x)[0])(f64(1)))).toBe(1);
    expect(item(grad((x: NDArray) => f(x)[1])(f64(1)))).toBe(10);
    expect(item(vjp((x: NDArray) => f(x), f64(1))[1]([f64(1), f64(1)])[0])).toBe(11);
  });
  test("captured values: differentiated ones are refused", () => {
    const p = problemOf(() =>
      grad((s: NDArray) => {
        const f = customVjp((x: NDArray) => lax.mul(x, s));
        f.defvjp(
          (x: NDArray) => [lax.mul(x, 2), null],
          (_: null, ct: NDArray) => [ct],
        );
        return jit((x: NDArray) => f(x))(f64(2));
      })(f64(3)),
    );
    expect(p.code).toBe("CapturedDerivative");
  });
  test("rules that give the wrong thing", () => {
    const f = (fwd: (...a: never[]) => unknown, bwd: (...a: never[]) => unknown) => {
      const g = customVjp((x: NDArray) => x);
      g.defvjp(fwd, bwd);
      return () => grad((x: NDArray) => g(x))(f64(1));
    };
    const fwd = (x: NDArray): [NDArray, null] => [x, null];
    expect(problemOf(f((x: NDArray) => x, () => [null])).code).toBe("FwdResult"); // prettier-ignore
    const p = problemOf(f(fwd, (_: null, ct: NDArray) => ct));
    expect(p.code).toBe("BwdResult");
    expect(p.fix).toContain("[ct]");
    expect(problemOf(f(fwd, (_: null, ct: NDArray) => [{ a: ct }])).code).toBe("BwdTree");
    expect(problemOf(f(fwd, () => [f64([1, 2])])).code).toBe("TangentType");
    expect(problemOf(() => customVjp((x: NDArray) => x).defvjp(fwd, 1 as never)).code).toBe("NotAFunction");
  });
});
