import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { DType } from "../../src/core/dtype.ts";
import type { NDArray } from "../../src/core/ndarray.ts";
import * as np from "../../src/numpy/index.ts";
import * as ops from "../../src/ops/index.ts";
import { checkGrads } from "../../src/testing/index.ts";
import { grad } from "../../src/transforms/gradient.ts";
import { jit } from "../../src/transforms/jit.ts";
import { vmap } from "../../src/transforms/vmap.ts";
import { holds } from "../properties.ts";
import { array, bool, expectClose, f32, f64, host, i32, list, problemOf } from "../support/arrays.ts";

type Segment = typeof ops.segmentSum;
/** Every function with what it does to two numbers and what an empty segment has. */
const functions: readonly [
  string,
  Segment,
  (a: number, b: number) => number,
  Readonly<Partial<Record<DType, number>>>,
][] = [
  ["segmentSum", ops.segmentSum, (a, b) => a + b, { float32: 0, float64: 0, int32: 0, uint8: 0 }],
  ["segmentProd", ops.segmentProd, (a, b) => a * b, { float32: 1, float64: 1, int32: 1, uint8: 1 }],
  ["segmentMin", ops.segmentMin, Math.min, { float32: Infinity, float64: Infinity, int32: 2147483647, uint8: 255 }],
  ["segmentMax", ops.segmentMax, Math.max, { float32: -Infinity, float64: -Infinity, int32: -2147483648, uint8: 0 }],
];

/** Row by row, in the order of the rows. */
function looped(
  rows: readonly (readonly number[])[],
  ids: readonly number[],
  count: number,
  combine: (a: number, b: number) => number,
  neutral: number,
  clip: boolean,
): number[][] {
  const out = Array.from({ length: count }, () => rows[0]!.map(() => neutral));
  rows.forEach((row, i) => {
    const id = clip ? Math.min(Math.max(ids[i]!, 0), count - 1) : ids[i]!;
    if (id >= 0 && id < count) row.forEach((v, j) => (out[id]![j] = combine(out[id]![j]!, v)));
  });
  return out;
}

const problem = fc.integer({ min: 1, max: 9 }).chain((n) =>
  fc.record({
    rows: fc.array(fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 2, maxLength: 2 }), {
      minLength: n,
      maxLength: n,
    }),
    ids: fc.array(fc.integer({ min: -3, max: 6 }), { minLength: n, maxLength: n }),
    count: fc.integer({ min: 1, max: 4 }),
    bucketSize: fc.option(fc.integer({ min: 1, max: 10 })),
    mode: fc.constantFrom("fill" as const, "drop" as const, "clip" as const, null),
    dtype: fc.constantFrom<DType>("float32", "float64", "int32", "uint8"),
  }),
);

describe.each(functions)("%s", (_, f, combine, neutral) => {
  test("agrees with a loop over the rows", () => {
    holds(60, [problem], ({ rows, ids, count, bucketSize, mode, dtype }) => {
      const y = f(array(rows, dtype), i32(ids), count, { bucketSize, mode });
      const want = array(looped(rows, ids, count, combine, neutral[dtype]!, mode === "clip"), dtype);
      expectClose(y, want);
    });
  });

  test("sorted and unique numbers, promised", () => {
    const x = f32([4, 5, 6]);
    for (const options of [{ indicesAreSorted: true }, { uniqueIndices: true }, { outSharding: null }])
      expectClose(f(x, i32([0, 2, 3]), 5, options), f(x, i32([0, 2, 3]), 5));
  });

  test("without numSegments there are as many as the largest number needs", () => {
    expect(f(f32([1, 2, 3]), i32([4, 0, 4])).shape).toEqual([5]);
    expect(f(f32([[1, 2]]), [2]).shape).toEqual([3, 2]);
    expect(f(f32([1]), i32([-1])).shape).toEqual([0]);
  });

  test("no rows and no segments", () => {
    expect(host(f(np.zeros([0, 2]), np.zeros([0], "int32"), 3)).data).toEqual(
      Float32Array.from({ length: 6 }, () => neutral.float32!),
    );
    expect(f(np.zeros([0]), [], 2).shape).toEqual([2]);
    expect(f(f32([1, 2]), i32([0, 1]), 0).shape).toEqual([0]);
  });

  test("has the derivative of its differences, rows dropped and segments empty", () => {
    const x = f64([
      [1.5, -0.3],
      [0.7, 2.1],
      [-1.1, 0.4],
      [0.9, -2.5],
      [3.1, 1.2],
    ]);
    const ids = i32([2, 0, 2, -1, 2]);
    const finite = (y: NDArray): NDArray => np.where(np.isinf(y), 0, y);
    checkGrads((y: NDArray) => finite(f(y, ids, 4)), [x], 2);
    checkGrads((y: NDArray) => finite(f(y, ids, 4, { bucketSize: 2 })), [x], 1);
  });

  test("the gradient at empty segments and dropped rows is no NaN", () => {
    const g = grad((x: NDArray) => np.sum(f(x, i32([0, 7, -2]), 3).slice(0)))(f32([2, 3, 4]));
    expect(list(g)).toEqual([1, 0, 0]);
  });

  test("jit is eager, vmap is a loop", () => {
    const x = f32([
      [1, 2, 3, 4],
      [5, 6, 7, 8],
      [9, 8, 7, 6],
    ]);
    const ids = i32([
      [0, 0, 1, 5],
      [1, 1, 1, 1],
      [2, 0, 2, -1],
    ]);
    const each = (y: NDArray, i: NDArray): NDArray => f(y, i, 3);
    const loop = np.stack([0, 1, 2].map((k) => each(x.slice(k), ids.slice(k))));
    expectClose(vmap(each)(x, ids), loop);
    expectClose(jit(vmap(each))(x, ids), loop);
    expectClose(
      vmap(each, { inAxes: [0, null] })(x, ids.slice(0)),
      np.stack([0, 1, 2].map((k) => each(x.slice(k), ids.slice(0)))),
    );
    expectClose(
      vmap(each, { inAxes: [null, 0] })(x.slice(0), ids),
      np.stack([0, 1, 2].map((k) => each(x.slice(0), ids.slice(k)))),
    );
  });

  test.each(["float16", "bfloat16", "int8", "uint32", "complex64"] as DType[])("keeps %s", (dtype) => {
    const x = np.astype(f32([1, 2, 3]), dtype);
    expect(f(x, i32([0, 0, 1]), 3).dtype).toBe(dtype);
    expect(f(x, i32([0, 0, 1]), 3, { bucketSize: 2 }).dtype).toBe(dtype);
    expect(list(np.real(f(x, i32([0, 0, 1]), 2)))).toEqual([combine(1, 2), 3]);
  });
});

describe("special values", () => {
  test("booleans: or, and", () => {
    const [x, ids] = [bool([1, 0, 1, 1]), i32([0, 0, 2, 2])];
    expect(list(ops.segmentSum(x, ids, 3))).toEqual([1, 0, 1]);
    expect(list(ops.segmentProd(x, ids, 3))).toEqual([0, 1, 1]);
    expect(list(ops.segmentMax(x, ids, 3))).toEqual([1, 0, 1]);
    expect(list(ops.segmentMin(x, ids, 3))).toEqual([0, 1, 1]);
  });

  test("NaN and infinities stay in their segment", () => {
    const x = f32([NaN, 1, Infinity, 2]);
    expect(list(ops.segmentSum(x, i32([0, 0, 1, 2]), 3))).toEqual([NaN, Infinity, 2]);
    expect(list(ops.segmentMax(x, i32([0, 0, 1, 2]), 3))).toEqual([NaN, Infinity, 2]);
  });

  test("ties share the gradient of the maximum", () => {
    const g = grad((x: NDArray) => np.sum(ops.segmentMax(x, i32([0, 0, 0, 1]), 2)))(f32([3, 3, 1, 5]));
    expect(list(g)).toEqual([0.5, 0.5, 0, 1]);
  });

  test("the derivative of a product with a zero among its factors", () => {
    const g = grad((x: NDArray) => np.sum(ops.segmentProd(x, i32([0, 0, 0, 1, 1]), 2)))(f32([2, 0, 4, 0, 0]));
    expect(list(g)).toEqual([0, 8, 0, 0, 0]);
  });

  test("one row, or a scalar, for every number", () => {
    expect(list(ops.segmentSum(f32([[1, 2]]), i32([0, 1, 1]), 2))).toEqual([
      [1, 2],
      [2, 4],
    ]);
    expect(list(ops.segmentSum(1, i32([0, 1, 1]), 2))).toEqual([1, 2]);
  });

  test("buckets keep digits that a running sum loses", () => {
    const n = 1 << 15;
    const x = np.full([n], 0.1, "bfloat16");
    const ids = np.zeros([n], "int32");
    const error = (bucketSize: number | null): number =>
      Math.abs(Number(ops.segmentSum(np.astype(x, "float32"), ids, 1, { bucketSize }).item()) - n * 0.10009765625);
    expect(error(128)).toBeLessThanOrEqual(error(null));
  });
});

describe("mistakes", () => {
  const x = f32([1, 2, 3]);
  test("the number of segments is needed under jit and vmap", () => {
    const f = (ids: NDArray): NDArray => ops.segmentSum(x, ids);
    for (const g of [jit(f), vmap(f)])
      expect(problemOf(() => g(np.zeros([3, 3], "int32")))).toMatchObject({
        kind: "ConcretizationError",
        code: "DataDependentShape",
        fix: expect.stringContaining("ops.segmentSum(x, ids, n)") as string,
      });
  });
  test("numbers of segments and buckets", () => {
    expect(problemOf(() => ops.segmentSum(x, i32([0, 0, 0]), -1)).code).toBe("NumberTooSmall");
    expect(problemOf(() => ops.segmentSum(x, i32([0, 0, 0]), 1.5)).code).toBe("NotAnInteger");
    expect(problemOf(() => ops.segmentSum(x, i32([0, 0, 0]), 1, { bucketSize: 0 })).code).toBe("NumberTooSmall");
    expect(problemOf(() => ops.segmentSum(np.zeros([0]), np.zeros([0], "int32"))).code).toBe("NoSegmentNumbers");
  });
  test("segment numbers that are none", () => {
    expect(problemOf(() => ops.segmentMax(x, f32([0, 1, 2])))).toMatchObject({
      kind: "DTypeError",
      code: "IndexDType",
    });
    expect(problemOf(() => ops.segmentMax(x, i32([0, 1]))).code).toBe("SegmentRows");
    expect(problemOf(() => ops.segmentSum(1, i32([[0, 1]]), 2, { bucketSize: 1 })).code).toBe("VectorExpected");
  });
  test("modes and options", () => {
    expect(problemOf(() => ops.segmentSum(x, i32([0, 0, 0]), 1, { mode: "wrap" as never })).code).toBe("UnknownChoice");
    expect(problemOf(() => ops.segmentSum(x, i32([0, 0, 0]), 1, { sorted: true } as never)).code).toBe("UnknownOption");
  });
});
