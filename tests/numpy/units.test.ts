/** Functions of several primitives run as one program when they are called eagerly, and mean the same. */
import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import {
  type ArrayLike,
  type NDArray,
  debugInfs,
  debugNans,
  defaultDevice,
  disableJit,
  grad,
  jit,
  lax,
  makeJaxpr,
  nn,
  numpy as np,
  optim,
  random,
} from "../../src/index.ts";
import { evaluator } from "../../src/core/evaluator.ts";
import { unit } from "../../src/core/unit.ts";

const rows = np.array([
  [3, -1, NaN, 2, 0.5],
  [-2, 0, 1, Infinity, -4],
  [1, 2, 3, 4, 5],
]);
const clean = np.array([
  [3, -1, 0.25, 2],
  [-2, 0, 1, -4],
]);
const mask = clean.greater(-1);
const points = [np.array([0.5, 1.5]), np.array([0, 1, 2]), np.array([1, 4, 9])] as const;
const parts = np.array([0.1, 0.5]);
const labels = np.array(new Int32Array([2, 0]));

const calls: Readonly<Record<string, () => unknown>> = {
  softmax: () => nn.softmax(rows),
  "softmax over an axis": () => nn.softmax(clean, 0),
  "softmax of some": () => nn.softmax(clean, { axis: -1, where: mask }),
  logSoftmax: () => nn.logSoftmax(clean, { axis: null }),
  gelu: () => nn.gelu(rows, { approximate: false }),
  glu: () => nn.glu(clean),
  mean: () => np.mean(rows, { axis: 1, keepdims: true }),
  var: () => np.var_(clean, { axis: [0, 1], ddof: 1 }),
  "std of integers": () => np.std(labels),
  median: () => np.median(rows, { axis: 0 }),
  quantile: () => np.quantile(clean, parts, { axis: 1, method: "nearest" }),
  nanmean: () => np.nanmean(rows, 1),
  nanargmax: () => np.nanargmax(rows, { axis: 1 }),
  cov: () => np.cov(clean),
  interp: () => np.interp(...points),
  diff: () => np.diff(clean, { n: 2 }),
  "cross entropy": () => optim.softmaxCrossEntropyWithIntegerLabels(clean, labels),
};

const bitsOf = (y: unknown): unknown[] =>
  (Array.isArray(y) ? (y as NDArray[]) : [y as NDArray]).map((x) => [x.dtype, x.weakType, x.shape, x.js()]);
function expectSame(got: unknown, want: unknown): void {
  if (Array.isArray(want)) {
    expect(Array.isArray(got) ? got.length : got).toBe(want.length);
    want.forEach((w, i) => expectSame((got as unknown[])[i], w));
  } else if (typeof want === "number" && Number.isFinite(want)) {
    const tolerance = 2e-6 * Math.max(1, Math.abs(want));
    expect(Math.abs((got as number) - want), `${String(got)} for ${want}`).toBeLessThanOrEqual(tolerance);
  } else expect(got).toEqual(want);
}

/** The primitives that run by themselves. */
function primitivesOf(f: () => unknown): string[] {
  const one = vi.spyOn(evaluator(), "evaluate");
  try {
    f();
    return one.mock.calls.map(([primitive]) => primitive.name);
  } finally {
    one.mockRestore();
  }
}

describe.each(Object.entries(calls))("%s", (_, call) => {
  test("means what its primitives mean, and runs as one program", () => {
    const want = bitsOf(disableJit(call));
    expectSame(bitsOf(call()), want);
    expect(primitivesOf(() => expectSame(bitsOf(call()), want))).toEqual([]);
  });
});

const shift = unit("shift", 1, (x: NDArray, by: { readonly n?: number | null } = {}): NDArray =>
  np.add(np.multiply(x, 2), by.n ?? 0),
);

test("everything that is no array belongs to the form, by value", () => {
  const x = np.array([1, 2]);
  const options: { n: number | null } = { n: 1 };
  expect(shift(x, options).js()).toEqual([3, 5]);
  options.n = 5;
  expect(shift(x, options).js()).toEqual([7, 9]);
  options.n = null;
  expect(shift(x, options).js()).toEqual([2, 4]);
  expect(shift(x).js()).toEqual([2, 4]);
  expect(shift(np.array(new Int32Array([3]))).js()).toEqual([6]);
  expect(primitivesOf(() => shift(x, { n: 5 }))).toEqual([]);
});

test("a function that is called in a new form every time is left alone", () => {
  const x = np.array([1, 2]);
  let traces = 0;
  const counted = unit("counted", 1, (y: NDArray, n: number) => {
    traces++;
    return np.add(y, n);
  });
  for (let n = 0; n < 100; n++) expect(counted(x, n).js()).toEqual([1 + n, 2 + n]);
  // Each of the first calls traces the function, each of the others runs it.
  expect(traces).toBe(100);
  expect(primitivesOf(() => counted(x, 1000))).toEqual(["add"]);
  // A form that comes twice in a row is worth a program after all.
  expect(primitivesOf(() => counted(x, 1000))).toEqual([]);
  expect(primitivesOf(() => counted(x, 1000))).toEqual([]);
  expect(primitivesOf(() => counted(x, 0))).toEqual([]);
});

test("what needs values, and what fails, is the plain function's business", () => {
  const sign = unit("sign", 1, (x: NDArray) => (x.item() === 0 ? np.zeros([1]) : x));
  expect(sign(np.array(0)).shape).toEqual([1]);
  expect(sign(np.array(0)).shape).toEqual([1]);
  const wrong = (): unknown => nn.softmax(clean, { axis: 7 });
  const [first, second, plain] = [wrong, wrong, () => disableJit(wrong)].map((f) => {
    try {
      f();
    } catch (error) {
      return (error as Error).message.replace(/\d+:\d+/g, "");
    }
    return "nothing thrown";
  });
  expect(first).toContain("axis 7");
  expect(second).toBe(first);
  expect(plain).toBe(first);
});

test("under a trace a unit is the plain function", () => {
  const x = np.array([1, 2, 3]);
  expect(makeJaxpr((y: NDArray) => nn.softmax(y))(x).toString()).not.toContain("softmax");
  const f = (y: NDArray): NDArray => nn.softmax(y).slice(0);
  expectSame(grad(f)(x).js(), disableJit(() => grad(f)(x)).js());
  expectSame(jit(f)(x).js(), f(x).js());
});

test("any list of rows, any axis", () => {
  const shape = fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 6 }));
  fc.assert(
    fc.property(
      shape,
      fc.constantFrom(0, 1, -1),
      fc.infiniteStream(fc.double({ min: -9, max: 9 })),
      (s, axis, values) => {
        const x = np.array(new Float32Array(s[0] * s[1]).map(() => values.next().value as number)).reshape(s);
        for (const f of [() => np.std(x, { axis }), () => nn.logSoftmax(x, axis), () => np.median(x, axis)])
          expectSame(f().js(), disableJit(f).js());
      },
    ),
    { numRuns: 30 },
  );
});

test("on the reference device a new form is not compiled", () => {
  const before = defaultDevice();
  defaultDevice("cpu");
  try {
    const x = np.array([1, 2, 3, 4, 5, 6, 7]);
    expect(primitivesOf(() => nn.softmax(x)).length).toBeGreaterThan(2);
  } finally {
    defaultDevice(before);
  }
});

test("where single operations are looked at, each one runs by itself", () => {
  const x = np.array([1000, 0]);
  expect(debugInfs(() => primitivesOf(() => nn.softmax(x))).length).toBeGreaterThan(2);
  expect(debugNans(() => primitivesOf(() => nn.softmax(x))).length).toBeGreaterThan(2);
});

describe("elementwise functions of operands that are not alike", () => {
  const functions: Readonly<Record<string, (x: ArrayLike, y: ArrayLike) => unknown>> = {
    add: np.add,
    subtract: np.subtract,
    divide: np.divide,
    floorDivide: np.floorDivide,
    remainder: np.remainder,
    fmod: np.fmod,
    power: np.power,
    maximum: np.maximum,
    fmin: np.fmin,
    hypot: np.hypot,
    logaddexp: np.logaddexp,
    arctan2: np.arctan2,
    copysign: np.copysign,
    heaviside: np.heaviside,
    less: np.less,
    equal: np.equal,
    logicalXor: np.logicalXor,
    where: (x, y) => np.where(mask, x, np.reshape(np.asarray(y), [-1]).slice(0)),
  };
  const dtypes = ["float32", "int32", "uint8", "bool", "float16", "uint32", "float64"] as const;
  const values = [0, 1, 2, 3, 200, 0.5, -0, -1, -7, 2 ** 31, 4e9, 1e20, Infinity, NaN];
  const operand: fc.Arbitrary<() => ArrayLike> = fc.oneof(
    fc.constantFrom(...values).map((n) => () => n),
    fc
      .tuple(fc.constantFrom(...dtypes), fc.constantFrom<readonly number[]>([], [3], [1], [2, 1]), fc.nat(12))
      .map(([dtype, shape, from]) => () => {
        const n = shape.reduce((a, b) => a * b, 1);
        const list = Array.from(
          { length: n },
          (_, i) => [1, 2, 3, 5, 7, 100, 4, 6, 9, 11, 13, 8, 10][(from + i) % 13]!,
        );
        return np.array(list).reshape(shape).astype(dtype);
      }),
  );
  const outcome = (f: () => unknown): unknown => {
    try {
      return bitsOf(f());
    } catch (error) {
      return (error as Error).message.split("\n")[0];
    }
  };

  test.each(Object.entries(functions))("%s means what its primitives mean, numbers included", (_, f) => {
    fc.assert(
      fc.property(operand, operand, (a, b) => {
        const [x, y] = [a(), b()];
        expectSame(
          outcome(() => f(x, y)),
          disableJit(() => outcome(() => f(x, y))),
        );
      }),
      { numRuns: 40 },
    );
  });

  test("run as one program", () => {
    const [row, whole] = [np.array([0.5, 1, 2]), np.array(new Int32Array([1, -2])).reshape([2, 1])];
    for (const f of [...Object.values(functions).slice(0, -1), (x: ArrayLike, y: ArrayLike) => np.where(y, x, 0)]) {
      f(row, whole);
      expect(primitivesOf(() => f(row, whole))).toEqual([]);
    }
    np.hypot(whole, 3);
    expect(primitivesOf(() => np.hypot(whole, 4))).toEqual([]);
  });
});

test("positions and parameters that are numbers are inputs: another one compiles nothing", () => {
  const x = np.arange(12).reshape([3, 4]);
  const key = random.key(3);
  const called = (i: number): Readonly<Record<string, () => NDArray>> => ({
    dynamicSlice: () => lax.dynamicSlice(x, [i, 1], [1, 2]),
    dynamicIndexInDim: () => lax.dynamicIndexInDim(x, -1 - i, 1),
    dynamicUpdateSlice: () => lax.dynamicUpdateSlice(x, np.zeros([1, 1], "int32"), [i, 0]),
    take: () => np.take(x, i),
    "take by a list": () => np.take(x, [i, 0], { axis: 0 }),
    foldIn: () => random.keyData(random.foldIn(key, i)),
    where: () => np.where(x.greater(5), x, i),
    power: () => np.power(x, i + 0.5),
    interp: () => np.interp(i, x.slice(0), x.slice(1)),
    searchsorted: () => np.searchsorted(x.slice(0), i),
    polyval: () => np.polyval(x.slice(0), i),
    gamma: () => random.gamma(key, i + 0.5, [2]),
    poisson: () => random.poisson(key, i + 1, [2]),
  });
  const compile = vi.spyOn(evaluator(), "compile");
  try {
    // Twice: after the many forms of other tests, only one that comes again is worth a program.
    for (const f of [...Object.values(called(0)), ...Object.values(called(0))]) f();
    compile.mockClear();
    for (const i of [1, 2])
      for (const [name, f] of Object.entries(called(i)))
        expectSame([name, bitsOf(f())], [name, disableJit(() => bitsOf(f()))]);
    expect(compile).not.toHaveBeenCalled();
  } finally {
    compile.mockRestore();
  }
});
