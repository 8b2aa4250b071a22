import { describe, expect, test } from "vitest";
import { countEqns } from "../../src/core/jaxpr.ts";
import type { NDArray } from "../../src/core/ndarray.ts";
import * as lax from "../../src/lax/index.ts";
import { checkpoint } from "../../src/transforms/checkpoint.ts";
import { jacfwd, jacrev, jvp } from "../../src/transforms/forward.ts";
import { grad, linearize } from "../../src/transforms/gradient.ts";
import { interpreters } from "../../src/transforms/interpreters.ts";
import { jit } from "../../src/transforms/jit.ts";
import { linearizeCall } from "../../src/transforms/linearize.ts";
import { makeJaxpr } from "../../src/transforms/makeJaxpr.ts";
import { vmap } from "../../src/transforms/vmap.ts";
import { array, expectClose, f32, f64, i32, item, list, lists, problemOf } from "../support/arrays.ts";

const total = (x: NDArray): NDArray => lax.reduceSum(x, [...x.shape.keys()]);
const row = (x: NDArray, i: number): NDArray => lax.indexInDim(x, i, { axis: 0, keepdims: false });
/** A recurrence with a captured parameter, and the same unrolled. */
const looped = (w: NDArray, h: NDArray, xs: NDArray): NDArray[] => {
  const [c, ys] = lax.scan((s: NDArray, x: NDArray) => [lax.tanh(lax.add(lax.mul(w, s), x)), lax.mul(s, x)], h, xs);
  return [c, ys];
};
const unrolled = (w: NDArray, h: NDArray, xs: NDArray): NDArray[] => {
  const ys: NDArray[] = [];
  for (let i = 0; i < xs.shape[0]!; i++) {
    ys.push(lax.mul(h, row(xs, i)));
    h = lax.tanh(lax.add(lax.mul(w, h), row(xs, i)));
  }
  return [h, lax.stack(ys, 0)];
};
const both = (f: typeof looped) => (w: NDArray, h: NDArray, xs: NDArray) => {
  const [c, ys] = f(w, h, xs);
  return lax.add(total(lax.sin(c!)), total(lax.square(ys!)));
};
const args = [f64([0.5, -0.3]), f64([0.1, 0.2]), f64([[0.3, 0.1], [-0.2, 0.4], [0.5, 0.6]])] as const; // prettier-ignore

describe("scan", () => {
  test("carries and outputs", () => {
    const [sum, sums] = lax.scan((c: NDArray, x: NDArray) => [lax.add(c, x), lax.add(c, x)], 0, f32([1, 2, 3]));
    expect([item(sum), list(sums)]).toEqual([6, [1, 3, 6]]);
  });
  test("reverse", () => {
    const [sum, sums] = lax.scan((c: NDArray, x: NDArray) => [lax.add(c, x), lax.add(c, x)], 0, f32([1, 2, 3]), {
      reverse: true,
    });
    expect([item(sum), list(sums)]).toEqual([6, [6, 5, 3]]);
  });
  test("trees everywhere; null where there is nothing", () => {
    const [c, ys] = lax.scan(
      (s: { n: NDArray; acc: NDArray[] }, x: { a: NDArray; b: [NDArray] }) => [
        { n: lax.add(s.n, 1), acc: [lax.add(s.acc[0]!, lax.mul(x.a, x.b[0]))] },
        new Map([["y", s.n]]),
      ],
      { n: i32(0), acc: [f32(0)] },
      { a: f32([1, 2, 3]), b: [f32([4, 5, 6])] as [NDArray] },
    );
    expect([item(c.n), item(c.acc[0]), list(ys.get("y"))]).toEqual([3, 32, [0, 1, 2]]);
    expect(lax.scan((s: NDArray, _: null) => [s, null], f32(1), null, 4)[1]).toBe(null);
  });
  test("a length without xs, in every spelling", () => {
    const step = (c: NDArray, _: null): [NDArray, NDArray] => [lax.mul(c, 2), c];
    for (const ys of [
      lax.scan(step, f32(1), null, 3)[1],
      lax.scan(step, f32(1), null, { length: 3 })[1],
      lax.scan(step, f32(1), null, null, { length: 3 })[1],
    ])
      expect(list(ys)).toEqual([1, 2, 4]);
  });
  test("no steps at all", () => {
    const [c, ys] = lax.scan((s: NDArray, x: NDArray) => [lax.add(s, x), lax.sin(x)], f32(7), f32([]));
    expect([item(c), ys.shape]).toEqual([7, [0]]);
    const f = (h: NDArray): NDArray => lax.scan((s: NDArray, _: null) => [lax.sin(s), s], h, null, 0)[0];
    expect(item(grad(f)(f64(1)))).toBe(1);
    expect(list(vmap(f)(f64([1, 2])))).toEqual([1, 2]);
  });
  test("weakly typed carries take the type that the body gives", () => {
    const [c] = lax.scan(
      (s: NDArray, x: NDArray) => [lax.add(lax.convertElementType(s, "int32"), x), null],
      0,
      i32([1, 2]),
    );
    expect([item(c), c.dtype, c.weakType]).toEqual([3, "int32", false]);
    const [d] = lax.scan(
      (s: { a: NDArray; b: NDArray }, x: NDArray) => [
        { a: s.b, b: lax.add(lax.convertElementType(s.b, "float64"), x) },
        null,
      ],
      { a: 0, b: 0 },
      f64([1, 2]),
    );
    expect([d.a.dtype, d.b.dtype, item(d.a), item(d.b)]).toEqual(["float64", "float64", 1, 3]);
  });
});

describe("derivatives equal those of the unrolled loop", () => {
  const wanted = grad(both(unrolled), { argnums: [0, 1, 2] })(...args);
  test("reverse mode, jitted or not", () => {
    expectClose(both(looped)(...args), both(unrolled)(...args), 1e-14);
    expectClose(grad(both(looped), { argnums: [0, 1, 2] })(...args), wanted, 1e-13);
    expectClose(jit(grad(both(looped), { argnums: [0, 1, 2] }))(...args), wanted, 1e-13);
    expectClose(grad(jit(both(looped)), { argnums: [0, 1, 2] })(...args), wanted, 1e-13);
  });
  test.each([0, 1, 2])("with respect to argument %i alone, in every mode", (n) => {
    const one = (f: typeof looped) => (x: NDArray) =>
      both(f)(...(args.map((a, i) => (i === n ? x : a)) as [NDArray, NDArray, NDArray]));
    const x = args[n]!;
    expectClose(grad(one(looped))(x), wanted[n], 1e-13);
    expectClose(jacfwd(one(looped))(x), wanted[n], 1e-13);
    expectClose(jvp(one(looped), [x], [x])[1], jvp(one(unrolled), [x], [x])[1], 1e-13);
    expectClose(linearize(one(looped), x)[1](x), jvp(one(unrolled), [x], [x])[1], 1e-13);
    expectClose(jacrev(grad(one(looped)))(x), jacfwd(grad(one(unrolled)))(x), 1e-12);
  });
  test("of a reversed scan, through outputs only", () => {
    const f = (g: "loop" | "plain") => (x: NDArray) => {
      if (g === "loop")
        return total(
          lax.square(lax.scan((c: NDArray, v: NDArray) => [lax.mul(c, v), c], f64(1), x, { reverse: true })[1]),
        );
      const ys = [f64(1), row(x, 2), lax.mul(row(x, 2), row(x, 1))];
      return total(lax.square(lax.stack(ys, 0)));
    };
    const x = f64([2, 3, 5]);
    expectClose(grad(f("loop"))(x), grad(f("plain"))(x), 1e-12);
  });
  test("of nested scans", () => {
    const f = (x: NDArray): NDArray =>
      total(
        lax.scan(
          (c: NDArray, r: NDArray) => [
            lax.scan((d: NDArray, v: NDArray) => [lax.sin(lax.mul(d, v)), null], c, r)[0],
            c,
          ],
          f64(1),
          x,
        )[1],
      );
    const plain = (x: NDArray): NDArray => {
      let c = f64(1);
      let sum = f64(0);
      for (let i = 0; i < 3; i++) {
        sum = lax.add(sum, c);
        for (let j = 0; j < 2; j++) c = lax.sin(lax.mul(c, row(row(x, i), j)));
      }
      return sum;
    };
    expectClose(grad(f)(args[2]), grad(plain)(args[2]), 1e-13);
    expectClose(grad(jit(checkpoint(f)))(args[2]), grad(plain)(args[2]), 1e-13);
  });
  test("integer carries and outputs stand beside", () => {
    const f = (x: NDArray): NDArray => {
      const step = ([i, c]: [NDArray, NDArray], v: NDArray) => [
        [lax.add(i, 1), lax.mul(c, lax.add(v, lax.convertElementType(i, "float64")))],
        i,
      ];
      const [[, c], is] = lax.scan(step as never, [i32(0), f64(1)], x) as unknown as [[NDArray, NDArray], NDArray];
      return lax.add(c, lax.convertElementType(total(is), "float64"));
    };
    expect(item(f(f64([2, 3])))).toBe(9);
    expect(list(grad(f)(f64([2, 3])))).toEqual([4, 2]);
  });
});

describe("vmap", () => {
  const f = (w: NDArray, h: NDArray, xs: NDArray): NDArray[] => looped(w, h, xs);
  const batches = args.map((a) => lax.stack([a, lax.mul(a, 0.5)], 0)) as [NDArray, NDArray, NDArray];
  test.each([[[0, null, null]], [[null, 0, null]], [[null, null, 0]], [[0, 0, 0]], [[null, 0, 1]]] as const)(
    "axes %j",
    (axes) => {
      const given = args.map((a, i) =>
        axes[i] === null ? a : axes[i] === 0 ? batches[i]! : lax.stack([a, lax.mul(a, 0.5)], 1),
      );
      const found = vmap(f as never, { inAxes: axes as never })(...(given as never[])) as unknown as NDArray[];
      [0, 1].forEach((b) => {
        const single = f(
          ...(args.map((a, i) => (axes[i] === null || b === 0 ? a : lax.mul(a, 0.5))) as [NDArray, NDArray, NDArray]),
        );
        found.forEach((y, k) => expectClose(row(y, b), single[k]!, 1e-13));
      });
    },
  );
  test("of gradients, and gradients of vmaps", () => {
    const g = vmap(grad(both(looped)), { inAxes: [0, null, null] })(batches[0], args[1], args[2]);
    expectClose(row(g, 1), grad(both(unrolled))(lax.mul(args[0], 0.5), args[1], args[2]), 1e-13);
    const h = grad((w: NDArray) => total(vmap(both(looped), { inAxes: [0, null, null] })(w, args[1], args[2])))(
      batches[0],
    );
    expectClose(h, g, 1e-13);
  });
});

describe("programs", () => {
  const eqnsOf = (n: number): number =>
    countEqns(
      makeJaxpr(grad((h: NDArray) => lax.scan((c: NDArray, _: null) => [lax.sin(c), null], h, null, n)[0]))(f64(1))
        .jaxpr,
    );
  test("do not grow with the length", () => {
    expect(eqnsOf(1000)).toBe(eqnsOf(3));
  });
  test("the body is traced once", () => {
    let traces = 0;
    lax.scan((c: NDArray, _: null) => (traces++, [lax.sin(c), null]), f64(1), null, 100);
    expect(traces).toBe(1);
  });
  test("carries and outputs that nobody needs are removed", () => {
    const f = (x: NDArray): NDArray => {
      const step = ([a, b, c]: [NDArray, NDArray, NDArray], v: NDArray) => [
        [lax.add(a, v), lax.exp(b), lax.add(c, lax.sin(b))],
        [lax.cos(a), lax.tan(b)],
      ];
      const [[a], [y]] = lax.scan(step as never, [f64(0), f64(0), f64(0)], x) as unknown as [NDArray[], NDArray[]];
      return lax.add(a!, total(y!));
    };
    const { jaxpr } = makeJaxpr(f)(f64([1, 2]));
    const pruned = interpreters.dceJaxpr(jaxpr, [true]).jaxpr;
    const names = (j: typeof jaxpr): string[] =>
      j.eqns.flatMap((e) => [e.primitive.name, ...(e.primitive.subJaxprs?.(e.params) ?? []).flatMap(names)]);
    expect(names(jaxpr)).toContain("exp");
    expect(names(pruned).sort()).toEqual(["add", "add", "cos", "reduce_sum", "scan"]);
  });
  test("residuals that do not change are kept once, outside of the loop", () => {
    const w = f64([1, 2]);
    const f = (p: NDArray): NDArray =>
      lax.scan((c: NDArray, _: null) => [lax.mul(c, lax.exp(p)), null], w, null, 50)[0]; // exp(p) is the same at each step
    const shapes = linearizeCall(([p]) => [f(p!)], [f64([0.1, 0.2])], [true], "test", interpreters).linear.consts.map(
      (c) => c.shape.join(),
    );
    expect(shapes.filter((s) => s === "50,2").length).toBeLessThanOrEqual(1);
    expect(shapes).toContain("2");
  });
  test("slices of xs are not kept a second time", () => {
    const xs = f64([[1, 2], [3, 4], [5, 6]]); // prettier-ignore
    const f = (c0: NDArray): NDArray => lax.scan((c: NDArray, x: NDArray) => [lax.mul(c, x), null], c0, xs)[0];
    const { consts } = linearizeCall(([c]) => [f(c!)], [f64([1, 1])], [true], "test", interpreters).linear;
    expect(consts).toHaveLength(1);
    expect(consts[0]).toBe(xs);
  });
});

describe("messages", () => {
  test("a carry that changes, by path, in the user's terms", () => {
    const p = problemOf(() =>
      lax.scan(
        (c: { h: NDArray; n: NDArray }, _: null) => [
          { h: lax.stack([c.h, c.h], 0), n: lax.convertElementType(c.n, "float64") },
          null,
        ],
        { h: f32([1]), n: i32(0) },
        null,
        3,
      ),
    );
    expect(p.code).toBe("CarryMismatch");
    expect(p.what).toContain(".h: float32[1] goes in, float32[2,1] comes out");
    expect(p.what).toContain(".n: int32[] goes in, float64[] comes out");
    expect(p.where).toContain("scan.test.ts");
  });
  test("another structure", () => {
    const p = problemOf(() =>
      lax.scan((c: { a: NDArray }, _: null) => [{ a: c.a, b: c.a }, null], { a: f32(1) }, null, 1),
    );
    expect(p.what).toContain(".b: unexpected");
  });
  test("at most ten lines of differences", () => {
    const many = Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`k${i}`, f32(0)]));
    const p = problemOf(() =>
      lax.scan(
        (c: typeof many, _: null) => [
          Object.fromEntries(Object.entries(c).map(([k, v]) => [k, lax.stack([v], 0)])),
          null,
        ],
        many,
        null,
        1,
      ),
    );
    expect(p.what.split("\n")).toHaveLength(12);
    expect(p.what).toContain("… and 20 more");
  });
  test("the rest", () => {
    const id = (c: NDArray, x: NDArray): [NDArray, NDArray] => [c, x];
    expect(problemOf(() => lax.scan(id, f32(0), { a: f32([1, 2]), b: f32([1]) } as never)).what).toContain(
      "xs.b: (1,)",
    );
    expect(problemOf(() => lax.scan(id, f32(0), f32(1))).code).toBe("ScanScalar");
    expect(problemOf(() => lax.scan(id, f32(0), null as never)).code).toBe("ScanLength");
    expect(problemOf(() => lax.scan(id, f32(0), f32([1, 2]), 3)).code).toBe("ScanLengths");
    const p = problemOf(() => lax.scan(((c: NDArray) => c) as never, f32(0), f32([1])));
    expect(p.code).toBe("ScanBodyResult");
    expect(p.fix).toContain("list of two");
    expect(problemOf(() => lax.scan(id, f32(0), f32([1]), { len: 1 } as never)).code).toBe("UnknownOption");
  });
});

describe("map, foriLoop", () => {
  test("map applies a function to rows", () => {
    expect(list(lax.map((x: NDArray) => total(x), f32([[1, 2], [3, 4]])))).toEqual([3, 7]); // prettier-ignore
    expect(
      lists(lax.map((t: { a: NDArray; b: NDArray }) => [lax.add(t.a, t.b)], { a: f32([1, 2]), b: f32([3, 4]) })),
    ).toEqual([[4, 6]]);
  });
  test("foriLoop counts", () => {
    expect(item(lax.foriLoop(2, 5, (i, x: NDArray) => lax.add(x, i), i32(0)))).toBe(9);
    expect(item(lax.foriLoop(5, 2, (i, x: NDArray) => lax.add(x, i), i32(7)))).toBe(7);
    expect(item(lax.foriLoop(-2, 2, (i, x: NDArray) => lax.add(x, i), i32(0)))).toBe(-2);
    expect(
      lists(
        lax.foriLoop(0, 3, (_, [a, b]: [NDArray, NDArray]) => [b, lax.add(a, b)], [i32(0), i32(1)] as [
          NDArray,
          NDArray,
        ]),
      ),
    ).toEqual([2, 3]);
  });
  test("with plain bounds reverse mode works; with traced ones only forward mode", () => {
    const power = (n: unknown) => (x: NDArray) =>
      lax.foriLoop(0, n as number, (_, y: NDArray) => lax.mul(y, x), f64(1));
    expect(item(grad(power(3))(f64(2)))).toBe(12);
    expect(item(jit(grad(power(3)))(f64(2)))).toBe(12);
    expect(item(grad(power(i32(3)))(f64(2)))).toBe(12);
    const traced = jit((n: NDArray, x: NDArray) => power(n)(x));
    expect(item(traced(i32(4), f64(2)))).toBe(16);
    expect(jvp((x: NDArray) => traced(i32(3), x), [f64(2)], [f64(1)]).map(item)).toEqual([8, 12]);
    const p = problemOf(() => grad((x: NDArray) => traced(i32(3), x))(f64(2)));
    expect(p.code).toBe("ReverseWhile");
    expect(p.fix).toContain("foriLoop with plain numbers");
    expect(list(vmap(power(2))(f64([2, 3])))).toEqual([4, 9]);
    expect(
      list(vmap((n: NDArray) => lax.foriLoop(0, n, (_, y: NDArray) => lax.mul(y, 2), f64(1)))(i32([0, 3, 5]))),
    ).toEqual([1, 8, 32]);
  });
  test("bounds must be integers", () => {
    expect(problemOf(() => lax.foriLoop(0, 1.5, (_, x: NDArray) => x, f32(1))).code).toBe("LoopBound");
    expect(problemOf(() => lax.foriLoop(0, i32([1]), (_, x: NDArray) => x, f32(1))).code).toBe("LoopBound");
    expect(
      item(lax.foriLoop(array(1, "uint8"), array(3, "uint8"), (i, x: NDArray) => lax.add(x, i), array(0, "uint8"))),
    ).toBe(3);
  });
});
