import fc from "fast-check";
import { describe, expect, test } from "vitest";
import * as root from "../../src/index.ts";
import {
  type NDArray,
  config,
  customBatching,
  customDerivatives,
  debug,
  dtypes,
  errors,
  flattenUtil,
  grad,
  jit,
  jvp,
  lax,
  numpy as np,
  random,
  testUtil,
  tree,
  vjp,
  vmap,
} from "../../src/index.ts";
import { arrays, pytrees, dtypes as someDtypes } from "../../src/testing/index.ts";
import { holds } from "../properties.ts";

describe("flattenUtil.ravelPytree", () => {
  test("joins the leaves in order, in their common dtype, and gives them back", () =>
    holds(
      40,
      [pytrees(arrays({ dtype: someDtypes(["bool", "int8", "int32", "float16", "bfloat16", "float32"]) }))],
      (x) => {
        const leaves = tree.leaves(x) as NDArray[];
        const [v, unravel] = flattenUtil.ravelPytree(x);
        expect(v.dtype).toBe(leaves.length ? np.resultType(...leaves.map((l) => l.dtype)) : "float32");
        expect(v.js()).toEqual(leaves.flatMap((l) => (l.size ? (l.ravel().astype(v.dtype).js() as unknown[]) : [])));
        const back = unravel(v) as unknown;
        expect(tree.structure(back).equals(tree.structure(x))).toBe(true);
        (tree.leaves(back) as NDArray[]).forEach((l, i) => {
          expect([l.dtype, l.shape, l.js()]).toEqual([leaves[i]!.dtype, leaves[i]!.shape, leaves[i]!.js()]);
        });
      },
    ));

  test("inside transformations", () => {
    const loss = (p: { a: NDArray; b: NDArray }): NDArray => np.sum(np.square(p.a)).add(p.b.mul(3));
    const [v, unravel] = flattenUtil.ravelPytree({ a: np.array([1, 2]), b: np.array(4) });
    expect(jit(grad((w: NDArray) => loss(unravel(w))))(v).js()).toEqual([2, 4, 3]);
    expect(vmap((x: NDArray) => flattenUtil.ravelPytree([x, x.mul(2)])[0])(np.array([1, 2])).js()).toEqual([
      [1, 2],
      [2, 4],
    ]);
  });

  test("mistakes", () => {
    const [, unravel] = flattenUtil.ravelPytree([np.ones(2), np.array([1], { dtype: "int32" })]);
    expect(() => unravel(np.ones(4))).toThrow(/shape \(4,\), but \(3,\) is expected/);
    expect(() => unravel(np.ones([3, 1]))).toThrow(/expected/);
    expect(() => unravel(np.ones(3, { dtype: "int32" }))).toThrow(/the vector is int32, but float32 is expected/);
    expect(() => unravel([1, 2, 3] as never)).toThrow(/expected an array/);
  });
});

describe("testUtil", () => {
  const f = (x: NDArray, y: NDArray): NDArray => np.sin(x).mul(y);
  const args = [np.array(Float64Array.of(0.3, 1)), np.array(Float64Array.of(2, -1))];
  test("checkJvp and checkVjp accept right rules and refuse wrong ones", () => {
    testUtil.checkGrads(f, args, 2);
    testUtil.checkJvp(f, (p: never, t: never) => jvp(f, p, t), args);
    testUtil.checkVjp(f, (...xs: never[]) => vjp(f, ...(xs as unknown as [NDArray, NDArray])), args);
    const half = (p: never, t: never): unknown[] => [f(...(p as [NDArray, NDArray])), jvp(f, p, t)[1].mul(0.5)];
    expect(() => testUtil.checkJvp(f, half, args)).toThrow(/the jvp.*finite differences give/);
    const wrongValue = (p: never, t: never): unknown[] => [f(...(p as [NDArray, NDArray])).add(1), jvp(f, p, t)[1]];
    expect(() => testUtil.checkJvp(f, wrongValue, args, { errMsg: "rule of f" })).toThrow(/rule of f: the value/);
    const swapped = (x: NDArray, y: NDArray): unknown[] => [f(x, y), (ct: NDArray) => [ct, ct]];
    expect(() => testUtil.checkVjp(f, swapped, args)).toThrow(testUtil.GradientMismatchError);
  });
});

describe("dtypes, errors, rules", () => {
  test("families, sizes and promotion", () => {
    const key = random.key(0);
    expect(dtypes.issubdtype(key.dtype, dtypes.prngKey)).toBe(true);
    expect(dtypes.issubdtype(dtypes.prngKey, dtypes.extended)).toBe(true);
    expect(dtypes.issubdtype("float32", dtypes.extended)).toBe(false);
    expect(dtypes.issubdtype(dtypes.extended, np.number)).toBe(false);
    expect(dtypes.issubdtype(dtypes.extended, np.generic)).toBe(true);
    expect(dtypes.issubdtype(np.integer, np.number)).toBe(true);
    expect(["bool", "int8", "bfloat16", "complex64"].map((d) => dtypes.itemsizeBits(d))).toEqual([8, 8, 16, 64]);
    expect(dtypes.canonicalizeDtype("complex128")).toBe("complex64");
    expect(() => dtypes.canonicalizeDtype(key.dtype)).toThrow(/extended dtype/);
    expect(dtypes.canonicalizeDtype(key.dtype, { allowExtendedDtype: true })).toBe(key.dtype);
    expect(dtypes.resultType("int8", 2.5)).toBe(np.resultType("int8", 2.5));
    expect(dtypes.resultType(2.5, { returnWeakTypeFlag: true })).toEqual(["float32", true]);
    expect(dtypes.resultType("int8", "int16", { returnWeakTypeFlag: true })).toEqual(["int16", false]);
    expect([true, np.arange(2), 1.5].map((x) => dtypes.scalarTypeOf(x))).toEqual(["bool", "int", "float"]);
    expect(() => dtypes.scalarTypeOf(key)).toThrow(dtypes.TypePromotionError);
  });

  test("errors are the classes that are thrown", () => {
    expect(() => jit((x: NDArray) => x.mul(x.item()))(np.array(1))).toThrow(errors.ConcretizationTypeError);
    let leak: NDArray | null = null;
    jit((x: NDArray) => (leak = x))(np.array(1));
    expect(() => leak!.add(1)).toThrow(errors.UnexpectedTracerError);
    expect(() => debug.debugKeyReuse(() => [1, 2].map(() => random.normal(k)))).toThrow(errors.KeyReuseError);
  });
  const k = random.key(1);

  test("sequentialVmap maps one by one, with shared arguments and trees", () => {
    let calls = 0;
    const f = customBatching.sequentialVmap((x: NDArray, p: { s: NDArray }) => (calls++, { y: x.mul(p.s) }));
    const xs = np.array([1, 2, 3]);
    expect(vmap(f, { inAxes: [0, null] })(xs, { s: np.array(2) }).y.js()).toEqual([2, 4, 6]);
    expect(calls).toBe(1);
    expect(vmap(f)(xs, { s: xs }).y.js()).toEqual([1, 4, 9]);
    expect(f(np.array(2), { s: np.array(3) }).y.item()).toBe(6);
    expect(customDerivatives.customJvp).toBe(root.customJvp);
  });
});

describe("settings", () => {
  test("config reads and writes the modes under both spellings", () => {
    for (const [jax, own] of [
      ["jax_debug_nans", "debugNans"],
      ["jax_debug_infs", "debugInfs"],
      ["jax_disable_jit", "disableJit"],
      ["debug_key_reuse", "debugKeyReuse"],
      ["explainCacheMisses", "explainCacheMisses"],
    ] as const) {
      expect(config[own]).toBe(false);
      config.update(jax, true);
      expect([config[own], config.read(jax)]).toEqual([true, true]);
      config.update(own, false);
      expect(config[own]).toBe(false);
    }
    expect(() => config.update("jax_nonsense", true)).toThrow(/no setting "jax_nonsense"/);
    expect(() => config.update("jax_debug_nans", 1)).toThrow(/not a boolean/);
    expect(config.defaultDevice.kind).toBe(root.defaultBackend());
    expect(config.enableX64).toBe(false);
    expect(root.enableX64(true, () => 3)).toBe(3);
  });

  test("devices and types", () => {
    expect(root.deviceCount()).toBe(root.devices().length);
    expect(root.deviceCount("cpu")).toBe(1);
    expect(String(jit((x: NDArray) => x.mul(root.typeof_(x).ndim))(np.ones([2])))).toBe("[1. 1.]");
    expect(root.typeof_(1).weakType).toBe(true);
  });

  test("debugInfs names the operation that overflowed; debugNans does not mind", () => {
    const f = (x: NDArray): NDArray => np.exp(x).mul(2);
    root.debugNans(() => f(np.array(1000)));
    expect(() => root.debugInfs(() => f(np.array(1000)))).toThrow(/an infinity was made by exp/);
    expect(() => root.debugInfs(() => jit(f)(np.array(1000)))).toThrow(/an infinity was made by exp/);
    expect(root.debugInfs(() => f(np.array(1))).item()).toBeCloseTo(2 * Math.E, 4);
    expect(root.debugInfs(true, () => root.debugInfs(false, () => f(np.array(1000)))).item()).toBe(Infinity);
    expect(() => root.debugNans(() => np.log(np.array(-1)))).toThrow(/a NaN was made by log/);
  });

  test("debug.log prints and debug.breakpoint lets values pass", () => {
    expect(debug.log).toBe(debug.print);
    expect(jit((x: NDArray) => (debug.breakpoint({ x }), x.mul(2)))(np.array(2)).item()).toBe(4);
  });
});

describe("lax by name", () => {
  test("dimension numbers in order, by name, and with new", () => {
    const want = {
      offsetDims: [1],
      collapsedSliceDims: [0],
      startIndexMap: [0],
      operandBatchingDims: [],
      startIndicesBatchingDims: [],
    };
    expect(lax.GatherDimensionNumbers([1], [0], [0])).toEqual(want);
    expect(lax.GatherDimensionNumbers({ offsetDims: [1], collapsedSliceDims: [0], startIndexMap: [0] })).toEqual(want);
    const numbers = lax.ScatterDimensionNumbers([1], [0], [0]);
    const out = lax.scatterAdd(np.zeros([3, 2]), np.array([[1]], { dtype: "int32" }), np.ones([1, 2]), numbers);
    expect(out.js()).toEqual([
      [0, 0],
      [1, 1],
      [0, 0],
    ]);
    const conv = lax.ConvDimensionNumbers([0, 1, 2, 3], [0, 1, 2, 3], [0, 1, 2, 3]);
    expect(conv).toEqual(lax.convDimensionNumbers([1, 1, 3, 3], [1, 1, 2, 2], null));
    expect(() => lax.GatherDimensionNumbers([1], [0])).toThrow(/startIndexMap is missing/);
    expect(() => lax.GatherDimensionNumbers([0.5], [0], [0])).toThrow(/offsetDims must be a list of integers/);
    expect(() => lax.ScatterDimensionNumbers({ updateWindow: [1] } as never)).toThrow(/unknown option/);
    expect(() => lax.DotDimensionNumbers([[1], []])).toThrow(/two equally long lists/);
  });

  test("modes, precisions, empty", () =>
    holds(
      20,
      [fc.constantFrom("clip", "fill", "drop", "promise_in_bounds"), fc.integer({ min: 0, max: 5 })],
      (mode, i) => {
        const m = lax.GatherScatterMode.fromAny(mode);
        expect(Object.values(lax.GatherScatterMode)).toContain(m);
        const numbers = lax.GatherDimensionNumbers([], [0], [0]);
        const read = (given: string): unknown =>
          lax.gather(np.arange(3), np.array([i % 3], { dtype: "int32" }), numbers, [1], { mode: given as never }).js();
        expect(read(m)).toEqual(i % 3);
        expect(lax.empty([2, i], "int8").shape).toEqual([2, i]);
        expect(lax.dot(np.ones([2, 2]), np.ones([2, 2]), { precision: lax.Precision.HIGHEST }).js()).toEqual([
          [2, 2],
          [2, 2],
        ]);
      },
    ));
});
