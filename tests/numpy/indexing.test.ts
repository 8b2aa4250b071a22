import "../../src/numpy/install.ts";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { IndexItem } from "../../src/core/arrayMethods.ts";
import type { NDArray } from "../../src/core/ndarray.ts";
import { ConcretizationError, IndexError, ShapeError } from "../../src/core/problem.ts";
import * as lax from "../../src/lax/index.ts";
import * as np from "../../src/numpy/index.ts";
import { grad } from "../../src/transforms/gradient.ts";
import { jit } from "../../src/transforms/jit.ts";
import { vmap } from "../../src/transforms/vmap.ts";
import { holds } from "../properties.ts";
import { type Item, counted, listOf, pick, places, plainOf } from "./plain.ts";

const int = (values: readonly number[], shape?: readonly number[]): NDArray =>
  np.reshape(np.array([...values], "int32"), shape ?? [values.length]);

/** An index for a shape: numbers, slices, arrays that broadcast together, new axes, an ellipsis. */
const indexFor = (shape: readonly number[]): fc.Arbitrary<Item[]> => {
  const bound = (n: number): fc.Arbitrary<number | null> =>
    fc.oneof(fc.constant(null), fc.integer({ min: -n - 1, max: n + 1 }));
  const slice = (n: number): fc.Arbitrary<Item> =>
    fc.tuple(bound(n), bound(n), fc.constantFrom(1, 1, 2, -1, -2, null)).map((s) => s);
  const array = (n: number): fc.Arbitrary<Item> =>
    fc.constantFrom<number[]>([], [2], [1], [3, 2], [3, 1]).chain((s) => {
      const size = s.reduce((a, b) => a * b, 1);
      return fc.array(fc.integer({ min: -n, max: n - 1 }), { minLength: size, maxLength: size }).map((v) => int(v, s));
    });
  const axis = (n: number): fc.Arbitrary<Item> =>
    fc.oneof(
      { weight: 2, arbitrary: fc.integer({ min: -n, max: n - 1 }) },
      { weight: 2, arbitrary: slice(n) },
      { weight: 1, arbitrary: fc.constant<Item>([]) },
      { weight: 3, arbitrary: array(n) },
    );
  return fc
    .tuple(
      fc.tuple(...shape.map(axis)),
      fc.nat(shape.length),
      fc.array(fc.nat(shape.length + 1), { maxLength: 2 }),
      fc.option(fc.nat(shape.length), { nil: null }),
    )
    .map(([items, keep, news, dots]) => {
      const used: Item[] = items.slice(0, keep);
      const tail = dots === null ? [] : items.slice(Math.min(keep + dots, items.length));
      const index: Item[] = dots === null ? used : [...used, "...", ...tail];
      for (const k of news) index.splice(Math.min(k, index.length), 0, null);
      return index;
    });
};

const cases = fc
  .array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 3 })
  .chain((shape) => fc.tuple(fc.constant(shape), indexFor(shape)));

const show = (items: readonly Item[]): string =>
  items.map((i) => (i === null ? "null" : Array.isArray(i) ? JSON.stringify(i) : String(i))).join(" ; ");

describe("reading", () => {
  test("agrees with NumPy's rules", () => {
    holds(400, [cases], ([shape, items]) => {
      const x = counted(shape);
      const want = pick(shape, items);
      const y = x.slice(...(items as IndexItem[]));
      expect(y.shape, show(items)).toEqual(want.shape);
      expect([...y.dataSync()], show(items)).toEqual(places(want.shape).map((p) => plainOf(x).at(want.source(p))));
      expect(
        x
          .at(...(items as IndexItem[]))
          .get()
          .js(),
      ).toEqual(y.js());
    });
  });

  test("works with traced positions, and mapped over", () => {
    holds(60, [cases], ([shape, items]) => {
      const x = counted(shape);
      const arrays = items.filter((i): i is NDArray => typeof i === "object" && i !== null && !Array.isArray(i));
      const read = (y: NDArray, ...given: NDArray[]): NDArray => {
        let k = 0;
        return y.slice(
          ...items.map(
            (i) => (typeof i === "object" && i !== null && !Array.isArray(i) ? given[k++]! : i) as IndexItem,
          ),
        );
      };
      const want = x.slice(...(items as IndexItem[])).js();
      expect(jit(read)(x, ...arrays).js(), show(items)).toEqual(want);
      const twice = np.stack([x, x.mul(2)]);
      const mapped = vmap(read, { inAxes: [0, ...arrays.map(() => null)] })(twice, ...arrays);
      expect(mapped.slice(1).js(), show(items)).toEqual(
        x
          .mul(2)
          .slice(...(items as IndexItem[]))
          .js(),
      );
    });
  });

  test("its gradient adds up what was read", () => {
    holds(60, [cases], ([shape, items]) => {
      const x = counted(shape);
      const want = pick(shape, items);
      const sums = new Map<string, number>();
      places(want.shape).forEach((p, i) => {
        const key = want.source(p).join();
        sums.set(key, (sums.get(key) ?? 0) + i + 1);
      });
      const weights = counted(want.shape);
      const g = grad((y: NDArray) => np.sum(y.slice(...(items as IndexItem[])).mul(weights)))(x);
      expect([...g.dataSync()], show(items)).toEqual(places(shape).map((p) => sums.get(p.join()) ?? 0));
    });
  });

  test("clamps by default; other modes on request", () => {
    const x = np.array([10, 20, 30]);
    expect(x.slice(7).js()).toBe(30);
    expect(x.slice(int([-9, 5])).js()).toEqual([10, 30]);
    expect(
      x
        .at(int([1, 5]))
        .get({ mode: "fill" })
        .js(),
    ).toEqual([20, NaN]);
    expect(
      x
        .at(int([1, 5]))
        .get({ mode: "fill", fillValue: -1 })
        .js(),
    ).toEqual([20, -1]);
    expect(x.at(7).get({ mode: "fill" }).js()).toBe(NaN);
    expect(
      x
        .at(int([-4, 4]))
        .get({ mode: "wrap" })
        .js(),
    ).toEqual([30, 20]);
    expect(
      x
        .at(int([-1]))
        .get({ mode: "clip", wrapNegativeIndices: false } as object)
        .js(),
    ).toEqual([10]);
    expect(
      np
        .arange(3)
        .at(int([5]))
        .get({ mode: "fill" })
        .js(),
    ).toEqual([-(2 ** 31)]);
  });

  test("boolean arrays pick, outside of jit", () => {
    const x = np.reshape(np.arange(6), [2, 3]);
    expect(x.slice(np.greater(x, 2)).js()).toEqual([3, 4, 5]);
    expect(x.slice(np.array([false, true])).js()).toEqual([[3, 4, 5]]);
    expect(x.slice([], np.array([true, false, true])).js()).toEqual([
      [0, 2],
      [3, 5],
    ]);
    expect(x.slice(np.array(true)).shape).toEqual([1, 2, 3]);
    expect(x.slice(np.array(false)).shape).toEqual([0, 2, 3]);
    expect(x.at(np.greater(x, 2)).set(0).js()).toEqual([
      [0, 1, 2],
      [0, 0, 0],
    ]);
    expect(() => jit((y: NDArray) => y.slice(np.greater(y, 2)))(x)).toThrow(ConcretizationError);
  });

  test("a boolean array stands for the positions where it is true, beside other arrays too", () => {
    const mask = fc.array(fc.boolean(), { minLength: 6, maxLength: 6 }).filter((m) => m.includes(true));
    const beside = fc.constantFrom<IndexItem[]>([null, []], [[]], [0], [int([1])], [int([0, 1, 1, 0], [4, 1])]);
    holds(60, [mask, fc.boolean(), beside, beside], (values, two, before, after) => {
      const x = counted(two ? [2, 2, 3, 2] : [2, 6, 2]);
      const m = np.reshape(np.array(values), two ? [2, 3] : [6]);
      const spelled = (...items: IndexItem[]): unknown => x.slice(...before, ...items, ...after).js();
      expect(spelled(m)).toEqual(spelled(...np.nonzero(m)));
    });
  });

  test("positions of narrow dtypes reach the end of long axes", () => {
    const x = np.arange(1000);
    for (const dtype of ["int8", "int16", "uint8"] as const) {
      const [wide, narrow] = (["int32", dtype] as const).map((d) =>
        np.array(dtype === "uint8" ? [0, 200] : [-1, 5, -100], d),
      ) as [NDArray, NDArray];
      const readers: Readonly<Record<string, (i: NDArray) => NDArray>> = {
        slice: (i) => x.slice(i),
        wrap: (i) => x.at(i).get({ mode: "wrap" }),
        set: (i) => x.at(i).set(-1),
        take: (i) => np.take(x, i),
        takeWrapped: (i) => np.take(x, i, { mode: "wrap" }),
        takeAlongAxis: (i) => np.takeAlongAxis(x, i),
        put: (i) => np.put(x, i, -1, { inplace: false }),
        putWrapped: (i) => np.put(x, i, -1, { mode: "wrap", inplace: false }),
        putAlongAxis: (i) => np.putAlongAxis(x, i, -1, 0, { inplace: false }),
        dynamicSlice: (i) => lax.dynamicSlice(x, [i.slice(0)], [3]),
        dynamicUpdateIndexInDim: (i) => lax.dynamicUpdateIndexInDim(x, -1, i.slice(0), 0),
      };
      for (const [name, read] of Object.entries(readers))
        expect(read(narrow).js(), `${name} ${dtype}`).toEqual(read(wide).js());
    }
  });

  test("mistakes are named", () => {
    const x = np.zeros([2, 3]);
    expect(() => x.slice(0, 0, 0)).toThrow(/3 axes are indexed, but the array has 2/);
    expect(() => x.slice("...", "...")).toThrow(IndexError);
    expect(() => x.slice(0.5)).toThrow(IndexError);
    expect(() => x.slice(np.array([0, 1]))).toThrow(/astype\(numpy.int32\)/);
    expect(() => x.slice([0, 1, 0])).toThrow(IndexError);
    expect(() => np.zeros([0, 2]).slice(0)).toThrow(/no elements/);
    expect(() => x.slice(np.array([true, false, true]))).toThrow(/boolean array of shape/);
  });
});

describe("updating", () => {
  test("agrees with loops", () => {
    const ops = {
      set: (_: number, v: number) => v,
      add: (a: number, v: number) => a + v,
      subtract: (a: number, v: number) => a - v,
      multiply: (a: number, v: number) => a * v,
      min: Math.min,
      max: Math.max,
    } as const;
    holds(
      200,
      [cases, fc.constantFrom(...(Object.keys(ops) as (keyof typeof ops)[])), fc.boolean()],
      ([shape, items], op, scalar) => {
        const x = counted(shape);
        const want = pick(shape, items);
        const values = scalar ? np.array(3) : counted(want.shape);
        const y = x.at(...(items as IndexItem[]))[op](values);
        const result = new Map(places(shape).map((p) => [p.join(), plainOf(x).at(p)]));
        places(want.shape).forEach((p) => {
          const key = want.source(p).join();
          result.set(key, ops[op](result.get(key)!, scalar ? 3 : plainOf(values).at(p)));
        });
        expect([...y.dataSync()], `${op} ${show(items)}`).toEqual([...result.values()].map(Math.fround));
        expect(y.dtype).toBe("float32");
        expect([...x.dataSync()]).toEqual(listOf(plainOf(counted(shape))));
      },
    );
  });

  test("drops what is out of bounds", () => {
    const x = np.zeros([3]);
    expect(x.at(5).set(1).js()).toEqual([0, 0, 0]);
    expect(
      x
        .at(int([-9, 1]))
        .add(1)
        .js(),
    ).toEqual([0, 1, 0]);
    expect(x.at(5).set(1, { mode: "clip" }).js()).toEqual([0, 0, 1]);
    expect(x.at(4).set(1, { mode: "wrap" }).js()).toEqual([0, 1, 0]);
  });

  test("keeps the array's dtype", () => {
    expect(np.arange(3).at(0).set(1.7).js()).toEqual([1, 1, 2]);
    expect(np.arange(3).at(0).add(2).dtype).toBe("int32");
    expect(np.zeros([2], "bool").at(1).set(true).js()).toEqual([false, true]);
    expect(np.arange(4).at([1, 3]).divide(2).dtype).toBe("float32");
    expect(np.array([2, 3]).at(0).power(3).js()).toEqual([8, 3]);
  });

  test("whole arrays and scalars", () => {
    expect(np.zeros([2]).at("...").set(1).js()).toEqual([1, 1]);
    expect(
      np
        .zeros([2, 2])
        .at()
        .set(np.array([1, 2]))
        .js(),
    ).toEqual([
      [1, 2],
      [1, 2],
    ]);
    expect(np.array(1).at().set(5).js()).toBe(5);
    expect(np.array(1).at("...").add(5).js()).toBe(6);
  });

  test("apply works as often as an element is named", () => {
    expect(
      np
        .array([1, 2, 3])
        .at(int([0, 0, 2]))
        .apply((v) => v.mul(2))
        .js(),
    ).toEqual([4, 2, 6]);
  });

  test("values that do not fit are refused", () => {
    expect(() =>
      np
        .zeros([2, 3])
        .at(0)
        .set(np.ones([2])),
    ).toThrow(ShapeError);
    expect(() =>
      np
        .zeros([2])
        .at(0)
        .set(1, { modes: "clip" } as object),
    ).toThrow(/unknown option "modes"/);
    expect(() =>
      np
        .zeros([2])
        .at(0)
        .set(1, { mode: "no" } as object),
    ).toThrow(/mode "no"/);
  });

  test("gradients flow into the array where it is kept and into the values", () => {
    const f = (x: NDArray, v: NDArray): NDArray =>
      np.sum(
        x
          .at(int([0, 2]))
          .set(v)
          .mul(np.array([1, 10, 100])),
      );
    const [gx, gv] = grad(f, { argnums: [0, 1] })(np.zeros([3]), np.ones([2]));
    expect(gx.js()).toEqual([0, 10, 0]);
    expect(gv.js()).toEqual([1, 100]);
  });
});

describe("take", () => {
  test("fills out of range", () => {
    expect(np.take(np.array([1, 2]), [0, 5, -1]).js()).toEqual([1, NaN, 2]);
    expect(np.take(np.arange(2), [0, 5], { mode: "clip" }).js()).toEqual([0, 1]);
    expect(np.take(np.arange(3), [4, -5], { mode: "wrap" }).js()).toEqual([1, 1]);
  });

  test("takeAlongAxis agrees with loops, in all broadcast forms", () => {
    holds(
      60,
      [
        fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 3 }),
        fc.nat(2),
        fc.array(fc.boolean(), { minLength: 6, maxLength: 6 }),
        fc.integer({ min: 1, max: 3 }),
      ],
      (shape, a, singles, count) => {
        const axis = a % shape.length;
        const own = shape.map((n, i) => (i !== axis && singles[i] ? 1 : n));
        const wanted = shape.map((n, i) => (i === axis ? count : singles[3 + i] ? 1 : n));
        const x = counted(own);
        const size = wanted.reduce((p, n) => p * n, 1);
        const index = int(
          Array.from({ length: size }, (_, i) => (i * 7) % own[axis]!),
          wanted,
        );
        const y = np.takeAlongAxis(x, index, axis);
        const out = shape.map((_, i) => (i === axis ? count : Math.max(own[i]!, wanted[i]!)));
        expect(y.shape).toEqual(out);
        const at = (p: number[], s: readonly number[]): number[] => p.map((k, i) => (s[i] === 1 && i !== axis ? 0 : k));
        const want = places(out).map((p) => {
          const i = plainOf(index).at(at(p, wanted));
          return plainOf(x).at(
            at(
              p.map((k, j) => (j === axis ? i : k)),
              own.map((n, j) => (j === axis ? 0 : n)),
            ),
          );
        });
        expect([...y.dataSync()]).toEqual(want);
      },
    );
  });
});
