import { describe, expect, test } from "vitest";
import type { NDArray } from "../../src/core/ndarray.ts";
import { registerDataclass, registerPytreeNode } from "../../src/core/tree.ts";
import * as lax from "../../src/lax/index.ts";
import { grad, valueAndGrad, vjp } from "../../src/transforms/gradient.ts";
import { jit } from "../../src/transforms/jit.ts";
import { c64, f32, f64, i32, item, list, lists, problemOf } from "../support/arrays.ts";

const total = (x: NDArray): NDArray => lax.reduceSum(x, [...x.shape.keys()]);

describe("grad", () => {
  test("of a sum of squares", () => {
    expect(list(grad((x: NDArray) => total(lax.square(x)))(f32([1, 2, 3])))).toEqual([2, 4, 6]);
  });

  test("of a plain number is a weak float32 scalar", () => {
    const g = grad((x: NDArray) => lax.mul(x, x))(3 as never);
    expect(item(g)).toBe(6);
    expect(g.dtype).toBe("float32");
    expect(g.weakType).toBe(true);
  });

  test("nests", () => {
    const cube = (x: NDArray): NDArray => lax.integerPow(x, 3);
    expect(item(grad(grad(cube))(f64(2)))).toBe(12);
    expect(item(grad(grad(grad(cube)))(f64(2)))).toBe(6);
    expect(item(grad(grad(grad(grad(cube))))(f64(2)))).toBe(0);
  });

  test("keeps inner and outer derivatives apart", () => {
    // d/dx [ x · d/dy (x + y) ] = 1, the classic case of perturbation confusion.
    const inner = (x: NDArray): NDArray => grad((y: NDArray) => lax.add(x, y))(f64(1));
    expect(item(grad((x: NDArray) => lax.mul(x, inner(x)))(f64(1)))).toBe(1);
    const product = (x: NDArray): NDArray => grad((y: NDArray) => lax.mul(x, y))(f64(3));
    expect(item(grad((x: NDArray) => lax.mul(x, product(x)))(f64(5)))).toBe(10);
  });

  test("of a function that does not use its argument is zero", () => {
    expect(list(grad((_: NDArray) => f32(3))(f32([1, 2])))).toEqual([0, 0]);
  });

  test("sums the contributions of several uses", () => {
    const f = (x: NDArray): NDArray => lax.add(lax.mul(x, x), lax.mul(lax.sin(x), lax.neg(x)));
    expect(item(grad(f)(f64(0.5)))).toBeCloseTo(1 - Math.sin(0.5) - 0.5 * Math.cos(0.5), 12);
  });

  test("evaluates the primal outside of the tracer: item() works inside", () => {
    const seen: number[] = [];
    const f = (x: NDArray): NDArray => (seen.push(item(x.concrete())), lax.mul(x, x));
    grad(f)(f64(7));
    expect(seen).toEqual([7]);
  });

  test("keeps the name of the function", () => {
    const loss = (x: NDArray): NDArray => x;
    expect(grad(loss).name).toBe("grad(loss)");
    expect(valueAndGrad(loss).name).toBe("valueAndGrad(loss)");
  });
});

describe("argnums", () => {
  const f = (x: NDArray, y: NDArray, z: NDArray): NDArray => lax.add(lax.mul(x, y), lax.mul(y, lax.square(z)));
  const args = [f64(2), f64(3), f64(5)] as const;
  test("a number", () => {
    expect(item(grad(f)(...args))).toBe(3);
    expect(item(grad(f, { argnums: 1 })(...args))).toBe(27);
    expect(item(grad(f, { argnums: 2 })(...args))).toBe(30);
  });
  test("a list gives a list, in its order", () => {
    expect(grad(f, { argnums: [2, 0] })(...args).map(item)).toEqual([30, 3]);
    expect(grad(f, { argnums: [] })(...args)).toEqual([]);
  });
  test("negative positions count from the end", () => {
    expect(item(grad(f, { argnums: -1 })(...args))).toBe(30);
  });
  test("out of range", () => {
    const p = problemOf(() => grad(f, { argnums: 3 })(...args));
    expect(p.code).toBe("ArgnumsRange");
    expect(p.what).toContain("argument 3 was asked for, but f was called with 3 arguments");
  });
  test("arguments that are not differentiated may be anything", () => {
    const g = (x: NDArray, mode: string): NDArray => (mode === "square" ? lax.square(x) : x);
    expect(item(grad(g)(f64(3), "square"))).toBe(6);
  });
});

describe("hasAux", () => {
  test("passes the second result through", () => {
    const f = (x: NDArray) => [total(lax.square(x)), { doubled: lax.mul(x, 2), label: "kept" }] as const;
    const [g, aux] = grad(f, { hasAux: true })(f32([1, 2]));
    expect(list(g)).toEqual([2, 4]);
    expect(list(aux.doubled)).toEqual([2, 4]);
    expect(aux.label).toBe("kept");
    const [[value], again] = valueAndGrad(f, { hasAux: true })(f32([1, 2]));
    expect(item(value)).toBe(5);
    expect(list(again)).toEqual([2, 4]);
  });
  test("aux is usable afterwards: no tracer is left in it", () => {
    const f = (x: NDArray) => [lax.mul(x, x), lax.sin(x)] as const;
    const [, aux] = grad(f, { hasAux: true })(f64(1));
    expect(item(lax.add(aux, 1))).toBeCloseTo(1 + Math.sin(1), 12);
    const outer = (x: NDArray): NDArray => grad(f, { hasAux: true })(x)[1];
    expect(item(grad(outer)(f64(1)))).toBeCloseTo(Math.cos(1), 12);
    expect(item(jit((x: NDArray) => grad(f, { hasAux: true })(x)[1])(f64(1)))).toBeCloseTo(Math.sin(1), 12);
  });
  test("without a pair", () => {
    const p = problemOf(() => grad(((x: NDArray) => x) as never, { hasAux: true })(f64(1)));
    expect(p.code).toBe("AuxResult");
  });
});

describe("dtypes", () => {
  test("integers have no gradient", () => {
    const p = problemOf(() => grad((x: { n: NDArray }) => lax.convertElementType(x.n, "float32"))({ n: i32(3) }));
    expect(p.code).toBe("IntegerGradient");
    expect(p.what).toContain("argument 0 at .n is int32[]");
    expect(p.kind).toBe("DTypeError");
  });
  test("allowInt gives boolean zeros", () => {
    const f = (x: NDArray, n: NDArray): NDArray => lax.mul(x, lax.convertElementType(n, "float64"));
    const [dx, dn] = grad(f, { argnums: [0, 1], allowInt: true })(f64(2), i32(3));
    expect(item(dx)).toBe(3);
    expect(dn.dtype).toBe("bool");
    expect(item(dn)).toBe(0);
  });
  test("the result must be a real scalar", () => {
    expect(problemOf(() => grad((x: NDArray) => lax.mul(x, 2))(f32([1, 2]))).code).toBe("NonScalarGradient");
    const p = problemOf(() => grad(((x: NDArray) => ({ a: x, b: x })) as never)(f32(1)));
    expect(p.what).toContain("a tree: { a: *, b: * }");
    expect(problemOf(() => grad((x: NDArray) => lax.convertElementType(x, "int32"))(f32(1))).code).toBe(
      "GradientResultDType",
    );
    expect(problemOf(() => grad((x: NDArray) => x)(c64([1, 2]))).fix).toContain("holomorphic: true");
  });
  test("of a real function of complex arguments, as JAX has it", () => {
    // JAX: grad(|z|²) = 2·conj(z).
    const f = (z: NDArray): NDArray => lax.real(lax.mul(z, lax.conj(z)));
    expect(list(grad(f)(c64([3, 4])))).toEqual([6, -8]);
  });
  test("holomorphic", () => {
    expect(list(grad((z: NDArray) => lax.mul(z, z), { holomorphic: true })(c64([3, 4])))).toEqual([6, 8]);
    expect(problemOf(() => grad((z: NDArray) => z, { holomorphic: true })(f32(1))).code).toBe("HolomorphicInput");
    expect(problemOf(() => grad((z: NDArray) => lax.real(z), { holomorphic: true })(c64([1, 2]))).code).toBe(
      "GradientResultDType",
    );
  });
  test("gradients have the dtype of their argument", () => {
    for (const dtype of ["float16", "bfloat16", "float32", "float64"] as const) {
      const g = grad((x: NDArray) => lax.convertElementType(lax.mul(x, x), "float32"))(
        lax.convertElementType(f64(3), dtype),
      );
      expect(g.dtype).toBe(dtype);
      expect(item(g)).toBe(6);
    }
  });
});

class Layer {
  readonly w: NDArray;
  readonly b: NDArray;
  readonly name: string;
  constructor(w: NDArray, b: NDArray, name: string) {
    this.w = w;
    this.b = b;
    this.name = name;
  }
  // An object with methods is an instance of a class; types leave its fields, a string among them, to registration.
  apply(x: NDArray): NDArray {
    return lax.add(lax.mul(this.w, x), this.b);
  }
}
registerDataclass(Layer, { dataFields: ["w", "b"], metaFields: ["name"] });
class Interval {
  readonly low: unknown;
  readonly high: unknown;
  constructor(low: unknown, high: unknown) {
    this.low = low;
    this.high = high;
  }
}
registerPytreeNode(
  Interval,
  (i) => [[i.low, i.high], null],
  (_, [low, high]) => new Interval(low, high),
);

describe("trees", () => {
  test("objects, arrays, tuples, null and undefined", () => {
    interface Params {
      readonly w: readonly [NDArray, NDArray];
      readonly b: NDArray;
      readonly unused: NDArray;
      readonly none: null;
      readonly missing?: NDArray | undefined;
    }
    const f = (p: Params): NDArray => lax.add(lax.mul(p.w[0], p.w[1]), total(lax.square(p.b)));
    const g = grad(f)({ w: [f32(2), f32(3)], b: f32([1, -1]), unused: f32([[1]]), none: null, missing: undefined });
    expect(Object.keys(g).sort()).toEqual(["b", "missing", "none", "unused", "w"]);
    expect(g.w.map(item)).toEqual([3, 2]);
    expect(list(g.b)).toEqual([2, -2]);
    expect(list(g.unused)).toEqual([[0]]);
    expect(g.none).toBe(null);
    expect(g.missing).toBe(undefined);
  });
  test("Maps keep their keys", () => {
    const g = grad((m: Map<string, NDArray>) => lax.mul(m.get("a")!, m.get("b")!))(new Map([["b", f32(2)], ["a", f32(3)]])); // prettier-ignore
    expect([...g.keys()]).toEqual(["b", "a"]);
    expect([...g.values()].map(item)).toEqual([3, 2]);
  });
  test("registered classes stay what they are", () => {
    const f = (l: Layer): NDArray => total(l.apply(f32([3, 3])));
    const g = grad(f)(new Layer(f32([1, 2]), f32([0, 0]), "first"));
    expect(g).toBeInstanceOf(Layer);
    expect(g.name).toBe("first");
    expect(lists([(g).w, (g).b])).toEqual([[3, 3], [1, 1]]); // prettier-ignore
    const h = grad((i: Interval) => lax.sub(i.high as NDArray, i.low as NDArray))(new Interval(f32(1), f32(2)));
    expect([item((h as Interval).low), item((h as Interval).high)]).toEqual([-1, 1]);
  });
  test("a string leaf is named by its path", () => {
    const p = problemOf(() => grad((x: { a: { b: unknown }[] }) => x as unknown as NDArray)({ a: [{ b: "oops" }] }));
    expect(p.code).toBe("BadLeaf");
    expect(p.what).toContain('argument 0 at .a[0].b is the string "oops"');
    expect(p.where).toContain("grad.test.ts");
  });
});

describe("valueAndGrad and vjp", () => {
  test("the value and the gradient", () => {
    const [v, g] = valueAndGrad((x: NDArray) => total(lax.square(x)))(f32([1, 2]));
    expect(item(v)).toBe(5);
    expect(list(g)).toEqual([2, 4]);
  });
  test("a pullback may be used many times", () => {
    const [y, pull] = vjp((x: NDArray, w: NDArray) => lax.mul(x, w), f64([1, 2]), f64([3, 4]));
    expect(list(y)).toEqual([3, 8]);
    expect(lists(pull(f64([1, 0])))).toEqual([[3, 0], [1, 0]]); // prettier-ignore
    expect(lists(pull(f64([0, 2])))).toEqual([[0, 8], [0, 4]]); // prettier-ignore
  });
  test("the cotangent must be like the result", () => {
    const [, pull] = vjp((x: NDArray) => ({ a: x, b: lax.square(x) }), f32([1, 2]));
    expect(lists(pull({ a: f32([1, 1]), b: f32([1, 1]) }))).toEqual([[3, 5]]);
    const p = problemOf(() => pull({ a: f32([1, 1]) } as never));
    expect(p.code).toBe("CotangentTree");
    expect(p.what).toContain(".b: missing");
    expect(problemOf(() => pull({ a: f32([1]), b: f32([1, 1]) })).code).toBe("TangentType");
    expect(problemOf(() => pull({ a: f64([1, 1]), b: f32([1, 1]) })).what).toContain(
      "float64[2] was given for a value of type float32[2]",
    );
  });
  test("weak scalars adopt the dtype of a cotangent", () => {
    const [, pull] = vjp((x: NDArray) => total(x), f64([1, 2]));
    const [g] = pull(1 as never);
    expect(list(g)).toEqual([1, 1]);
    expect(g.dtype).toBe("float64");
  });
  test("hasAux", () => {
    const [y, pull, aux] = vjp((x: NDArray) => [lax.square(x), { twice: lax.mul(x, 2) }] as const, f64(3), {
      hasAux: true,
    });
    expect([item(y), item(aux.twice), item(pull(f64(1))[0])]).toEqual([9, 6, 6]);
  });
});

describe("misuse", () => {
  test("a value instead of a function", () => {
    const p = problemOf(() => grad(f32(1) as never));
    expect(p.code).toBe("NotAFunction");
    expect(p.fix).toContain("grad(f)(x)");
  });
  test("unknown options", () => {
    const misspelt: object = { argnum: 1 };
    const p = problemOf(() => grad((x: NDArray) => x, misspelt));
    expect(p.code).toBe("UnknownOption");
    expect(p.fix).toContain("argnums");
    expect(problemOf(() => grad((x: NDArray) => x, 1 as unknown as object)).code).toBe("InvalidOptions");
  });
  test("async functions", () => {
    const p = problemOf(() => grad((async (x: NDArray) => x) as never)(f32(1)));
    expect(p.code).toBe("AsyncFunction");
    expect(p.where).toContain("grad.test.ts");
  });
});
