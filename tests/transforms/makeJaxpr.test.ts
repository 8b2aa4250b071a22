import { describe, expect, test } from "vitest";
import type { NDArray } from "../../src/core/ndarray.ts";
import { ShapeDtypeStruct } from "../../src/core/shapeDtypeStruct.ts";
import * as lax from "../../src/lax/index.ts";
import { checkpoint } from "../../src/transforms/checkpoint.ts";
import { grad } from "../../src/transforms/gradient.ts";
import { jit } from "../../src/transforms/jit.ts";
import { evalShape, jaxprAsFunction, makeJaxpr } from "../../src/transforms/makeJaxpr.ts";
import { f32, f64, i32, list, problemOf } from "../support/arrays.ts";

const text = (f: (...args: NDArray[]) => unknown, ...args: unknown[]): string =>
  String(makeJaxpr(f)(...(args as NDArray[])));

describe("makeJaxpr prints in JAX's notation", () => {
  test("equations, literals, constants", () => {
    const c = f32([1, 2, 3]);
    expect(text((x, y) => lax.reduceSum(lax.add(lax.mul(x, 2), lax.mul(y, c)), [0]), c, c)).toMatchInlineSnapshot(`
      "{ lambda a:f32[3] ; b:f32[3] c:f32[3]. let
          d:f32[3] = mul b 2.0:f32[]
          e:f32[3] = mul c a
          f:f32[3] = add d e
          g:f32[] = reduce_sum[axes=(0,)] f
        in (g,) }"
    `);
  });
  test("integers, booleans, unused results", () => {
    expect(text((n) => lax.topK(n, 1)[1], i32([3, 1, 2]))).toMatchInlineSnapshot(`
      "{ lambda ; a:i32[3]. let
          _:i32[1] b:i32[1] = top_k[axis=0 is_stable=True k=1] a
        in (b,) }"
    `);
    expect(text((x) => lax.select(lax.gt(x, 0), x, lax.neg(x)), f32(1))).toMatchInlineSnapshot(`
      "{ lambda ; a:f32[]. let
          b:bool[] = gt a 0.0:f32[]
          c:f32[] = neg a
          d:f32[] = select_n b c a
        in (d,) }"
    `);
  });
  test("calls and loops hold their programs", () => {
    const f = jit(function sine(x: NDArray) {
      return lax.sin(x);
    });
    expect(text((x) => f(x), f32(1))).toMatchInlineSnapshot(`
      "{ lambda ; a:f32[]. let
          b:f32[] = jit[
            name=sine
            jaxpr={ lambda ; a:f32[]. let
                b:f32[] = sin a
              in (b,) }
          ] a
        in (b,) }"
    `);
    expect(text((x) => lax.scan((c: NDArray, y: NDArray) => [lax.add(c, y), null], 0, x)[0], f32([1, 2])))
      .toMatchInlineSnapshot(`
      "{ lambda ; a:f32[2]. let
          b:f32[] = scan[
            jaxpr={ lambda ; a:f32[] b:f32[]. let
                c:f32[] = add a b
              in (c,) }
            length=2
            num_carry=1
            num_consts=0
            reverse=False
            unroll=1
          ] 0.0:f32[] a
        in (b,) }"
    `);
    expect(text((x) => lax.cond(lax.gt(x, 0), lax.sin, lax.cos, x), f32(1))).toMatchInlineSnapshot(`
      "{ lambda ; a:f32[]. let
          b:bool[] = gt a 0.0:f32[]
          c:i32[] = convert_element_type[new_dtype=int32 weak_type=False] b
          d:f32[] = cond[
            branches=(
                { lambda ; a:f32[]. let
                    b:f32[] = cos a
                  in (b,) }
                { lambda ; a:f32[]. let
                    b:f32[] = sin a
                  in (b,) }
              )
          ] c a
        in (d,) }"
    `);
    expect(text((x) => grad((y: NDArray) => checkpoint(lax.sin)(y))(x), f32(1))).toMatchInlineSnapshot(`
      "{ lambda ; a:f32[]. let
          _:f32[] = checkpoint[
            jaxpr={ lambda ; a:f32[]. let
                b:f32[] = sin a
              in (b,) }
            policy=None
            prevent_cse=True
            differentiated=False
          ] a
          b:f32[] = checkpoint[
            jaxpr={ lambda ; a:f32[] b:f32[]. let
                c:f32[] = cos a
                d:f32[] = mul b c
              in (d,) }
            policy=None
            prevent_cse=True
            differentiated=True
          ] a 1.0:f32[]
        in (b,) }"
    `);
  });
  test("nothing at all", () => {
    expect(text((x) => x, f32(1))).toBe("{ lambda ; a:f32[]. let in (a,) }");
    expect(text(() => [])).toBe("{ lambda ; . let in () }");
  });
  test("names go on after z", () => {
    const long = (x: NDArray): NDArray => Array.from({ length: 30 }).reduce<NDArray>((y) => lax.sin(y), x);
    expect(text((x) => long(x), f32(1))).toContain("ba:f32[] = sin z");
  });
});

describe("makeJaxpr", () => {
  test("twice gives the same text", () => {
    const f = (x: NDArray): NDArray =>
      lax.scan((c: NDArray, y: NDArray) => [lax.mul(c, y), lax.sin(c)], x, f32([1, 2, 3]))[1];
    expect(text(grad((x: NDArray) => lax.reduceSum(f(x), [0])) as never, f32(1))).toBe(
      text(grad((x: NDArray) => lax.reduceSum(f(x), [0])) as never, f32(1)),
    );
  });
  test("takes shapes", () => {
    const p = makeJaxpr((x: NDArray, y: NDArray) => lax.dot(x, y))(
      new ShapeDtypeStruct([2, 3], "float32"),
      new ShapeDtypeStruct([3], "float32"),
    );
    expect(p.inAvals.map(String)).toEqual(["float32[2,3]", "float32[3]"]);
    expect(p.outAvals.map(String)).toEqual(["float32[2]"]);
  });
  test("static arguments and the shapes of results", () => {
    const f = (x: NDArray, n: number) => ({ a: lax.broadcast(x, [n]), b: [x] });
    const [p, shapes] = makeJaxpr(f, { staticArgnums: 1, returnShape: true })(f32(1), 3);
    expect(p.inAvals).toHaveLength(1);
    expect(String((shapes as { a: unknown }).a)).toBe("ShapeDtypeStruct(shape=(3,), dtype=float32)");
  });
  test("does not run the program", () => {
    expect(() => makeJaxpr((x: NDArray) => lax.whileLoop(() => lax.eq(0, 0), (y: NDArray) => y, x))(f32(1))).not.toThrow(); // prettier-ignore
  });
  test("programs are functions again", () => {
    const p = makeJaxpr((x: NDArray) => lax.mul(x, f64([1, 2])))(f64([3, 4]));
    expect(jaxprAsFunction(p)(f64([5, 6])).map(list)).toEqual([[5, 12]]);
  });
  test("bad leaves and options", () => {
    expect(problemOf(() => makeJaxpr((x: unknown) => x)("text")).code).toBe("BadLeaf");
    expect(problemOf(() => makeJaxpr((x: unknown) => x, { static: 1 } as never)).code).toBe("UnknownOption");
  });
});

describe("evalShape", () => {
  test("gives trees of shapes", () => {
    const out = evalShape((x: NDArray) => ({ y: lax.dot(x, x), z: null }), new ShapeDtypeStruct([3, 3], "float32"));
    expect([out.y.shape, out.y.dtype, out.z]).toEqual([[3, 3], "float32", null]); // prettier-ignore
  });
  test("reports errors of the program", () => {
    const p = problemOf(() => evalShape((x: NDArray) => lax.dot(x, x), new ShapeDtypeStruct([2, 3], "float32")));
    expect(p.kind).toBe("ShapeError");
    expect(p.where).toContain("makeJaxpr.test.ts");
  });
});
