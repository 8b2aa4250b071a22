import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type DType, type WeakDType, allDTypes, parseDType, promote, promoteInexact } from "../../src/core/dtype.ts";
import { holds } from "../properties.ts";
import { problemOf } from "../support/arrays.ts";

/**
 * JAX's table of type promotion (jax.dev, "Type promotion semantics"), for the dtypes here: 64-bit integers and
 * complex128 have become their 32-bit forms. i*, f* and c* are weak.
 */
const table = `
     b1  u1  u2  u4  i1  i2  i4  bf  f2  f4  f8  c8  i*  f*  c*
b1   b1  u1  u2  u4  i1  i2  i4  bf  f2  f4  f8  c8  i*  f*  c*
u1   u1  u1  u2  u4  i2  i2  i4  bf  f2  f4  f8  c8  u1  f*  c*
u2   u2  u2  u2  u4  i4  i4  i4  bf  f2  f4  f8  c8  u2  f*  c*
u4   u4  u4  u4  u4  i4  i4  i4  bf  f2  f4  f8  c8  u4  f*  c*
i1   i1  i2  i4  i4  i1  i2  i4  bf  f2  f4  f8  c8  i1  f*  c*
i2   i2  i2  i4  i4  i2  i2  i4  bf  f2  f4  f8  c8  i2  f*  c*
i4   i4  i4  i4  i4  i4  i4  i4  bf  f2  f4  f8  c8  i4  f*  c*
bf   bf  bf  bf  bf  bf  bf  bf  bf  f4  f4  f8  c8  bf  bf  c8
f2   f2  f2  f2  f2  f2  f2  f2  f4  f2  f4  f8  c8  f2  f2  c8
f4   f4  f4  f4  f4  f4  f4  f4  f4  f4  f4  f8  c8  f4  f4  c8
f8   f8  f8  f8  f8  f8  f8  f8  f8  f8  f8  f8  c8  f8  f8  c8
c8   c8  c8  c8  c8  c8  c8  c8  c8  c8  c8  c8  c8  c8  c8  c8
i*   i*  u1  u2  u4  i1  i2  i4  bf  f2  f4  f8  c8  i*  f*  c*
f*   f*  f*  f*  f*  f*  f*  f*  bf  f2  f4  f8  c8  f*  f*  c*
c*   c*  c*  c*  c*  c*  c*  c*  c8  c8  c8  c8  c8  c*  c*  c*`;

const strong = (dtype: DType): WeakDType => ({ dtype, weakType: false });
const weak = (dtype: DType): WeakDType => ({ dtype, weakType: true });
const points: Readonly<Record<string, WeakDType>> = {
  b1: strong("bool"),
  u1: strong("uint8"),
  u2: strong("uint16"),
  u4: strong("uint32"),
  i1: strong("int8"),
  i2: strong("int16"),
  i4: strong("int32"),
  bf: strong("bfloat16"),
  f2: strong("float16"),
  f4: strong("float32"),
  f8: strong("float64"),
  c8: strong("complex64"),
  "i*": weak("int32"),
  "f*": weak("float32"),
  "c*": weak("complex64"),
};
const [header, ...rows] = table.trim().split("\n").map((line) => line.trim().split(/\s+/)); // prettier-ignore
const cells = rows.flatMap(([row, ...results]) => results.map((r, i) => [row!, header![i]!, r] as const));

describe("promotion", () => {
  test.each(cells)("%s with %s is %s", (a, b, wanted) => {
    expect(promote([points[a]!, points[b]!])).toEqual(points[wanted]);
  });

  const any = fc.constantFrom(...Object.values(points));
  const same = (x: WeakDType, y: WeakDType): boolean => x.dtype === y.dtype && x.weakType === y.weakType;
  test("is commutative and idempotent", () =>
    holds(300, [any, any], (a, b) => same(promote([a, b]), promote([b, a])) && same(promote([a, a]), a)));
  test("is associative wherever no 64-bit type has been folded away, and of several at once", () =>
    holds(1000, [any, any, any], (a, b, c) => {
      const folded = [a, b, c].some((x) => x.dtype === "uint32" || x.dtype === "float64");
      if (folded) return;
      expect(promote([promote([a, b]), c])).toEqual(promote([a, promote([b, c])]));
      expect(promote([a, b, c])).toEqual(promote([promote([a, b]), c]));
    }));
  test("is monotone: a wider operand never gives a narrower result", () =>
    holds(1000, [any, any, any], (a, b, c) => {
      const below = (x: WeakDType, y: WeakDType): boolean => same(promote([x, y]), y);
      const folded = [a, b, c].some((x) => x.dtype === "uint32" || x.dtype === "float64");
      if (!folded && below(a, b)) expect(below(promote([a, c]), promote([b, c]))).toBe(true);
    }));
  test("weak operands alone keep their own dtype", () => {
    expect(promote([weak("float64"), weak("int32")])).toEqual(weak("float64"));
    expect(promote([weak("float64"), weak("float32")])).toEqual(weak("float64"));
    expect(promote([weak("float16"), weak("float16")])).toEqual(weak("float16"));
    expect(promote([weak("float16"), weak("float32")])).toEqual(weak("float32"));
  });
  test("to inexact dtypes", () => {
    expect(promoteInexact([strong("int32"), strong("bool")])).toEqual(strong("float32"));
    expect(promoteInexact([strong("bfloat16"), strong("int32")])).toEqual(strong("bfloat16"));
    expect(promoteInexact([weak("int32")])).toEqual(weak("float32"));
  });
  test("keys have no arithmetic, but are their own type", () => {
    expect(promote([strong("key<fry>"), strong("key<fry>")])).toEqual(strong("key<fry>"));
    expect(problemOf(() => promote([strong("key<fry>"), strong("int32")])).code).toBe("KeyArithmetic");
  });
});

describe("names", () => {
  test("64-bit forms mean 32 bits", () => {
    expect([parseDType("int64"), parseDType("uint64"), parseDType("complex128"), parseDType("bool_")]).toEqual(["int32", "uint32", "complex64", "bool"]); // prettier-ignore
    for (const d of allDTypes) expect(parseDType(d)).toBe(d);
  });
  test("others are refused with the list", () => {
    const p = problemOf(() => parseDType("float80"));
    expect(p.code).toBe("UnknownDType");
    expect(p.fix).toContain("bfloat16");
    expect(problemOf(() => parseDType("toString")).code).toBe("UnknownDType");
    expect(problemOf(() => parseDType(Symbol("x"))).code).toBe("UnknownDType");
  });
});
