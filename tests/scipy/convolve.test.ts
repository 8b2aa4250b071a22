import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { DType } from "../../src/core/dtype.ts";
import type { NDArray } from "../../src/core/ndarray.ts";
import * as np from "../../src/numpy/index.ts";
import { signal } from "../../src/scipy/index.ts";
import { arrays, checkGrads } from "../../src/testing/index.ts";
import { jit } from "../../src/transforms/jit.ts";
import { vmap } from "../../src/transforms/vmap.ts";
import { places, plainOf } from "../numpy/plain.ts";
import { holds } from "../properties.ts";
import { c64, expectClose, f32, f64, host, i32, list, problemOf } from "../support/arrays.ts";

type Mode = "full" | "same" | "valid";
const modes: readonly Mode[] = ["full", "same", "valid"];
type Complex = readonly [re: number, im: number];

/** A complex array as a function of positions; 0 outside. */
interface Signal {
  readonly shape: readonly number[];
  readonly at: (p: readonly number[]) => Complex;
}
function signalOf(x: NDArray): Signal {
  const [re, im] = [plainOf(np.real(x)), plainOf(np.imag(x))];
  const outside = (p: readonly number[]): boolean => p.some((k, i) => k < 0 || k >= x.shape[i]!);
  return { shape: x.shape, at: (p) => (outside(p) ? [0, 0] : [re.at(p), im.at(p)]) };
}

/** z[p] = Σ a[q] b[p − q], over all q: the whole convolution at p. */
const convolvedAt = (a: Signal, b: Signal, p: readonly number[]): Complex =>
  places(a.shape).reduce<Complex>(
    ([re, im], q) => {
      const [x, y] = [a.at(q), b.at(p.map((k, i) => k - q[i]!))];
      return [re + x[0] * y[0] - x[1] * y[1], im + x[0] * y[1] + x[1] * y[0]];
    },
    [0, 0],
  );

/** z[p] = Σ a[q + p − (b's length − 1)] conj(b[q]). */
const correlatedAt = (a: Signal, b: Signal, p: readonly number[]): Complex =>
  places(b.shape).reduce<Complex>(
    ([re, im], q) => {
      const [x, y] = [a.at(p.map((k, i) => k + q[i]! - (b.shape[i]! - 1))), b.at(q)];
      return [re + x[0] * y[0] + x[1] * y[1], im + x[1] * y[0] - x[0] * y[1]];
    },
    [0, 0],
  );

/** Where the part of a mode starts in the whole, and how long it is. */
const window = (mode: Mode, n: number, m: number): [start: number, length: number] =>
  mode === "full" ? [0, n + m - 1] : mode === "same" ? [(m - 1) >> 1, n] : [Math.min(n, m) - 1, Math.abs(n - m) + 1];

function expectPart(got: NDArray, a: Signal, b: Signal, mode: Mode, at: typeof convolvedAt, shift = 0): void {
  const windows = a.shape.map((n, i) => window(mode, n, b.shape[i]!));
  const shape = windows.map(([, length]) => length);
  expect(got.shape).toEqual(shape);
  const [re, im] = [host(np.real(got)).data, host(np.imag(got)).data];
  places(shape).forEach((p, k) => {
    const even = (i: number): number => (b.shape[i]! % 2 === 0 ? shift : 0);
    const want = at(
      a,
      b,
      p.map((x, i) => x + windows[i]![0] + even(i)),
    );
    expect(Math.abs(re[k]! - want[0]) + Math.abs(im[k]! - want[1])).toBeLessThanOrEqual(
      1e-4 * (1 + Math.hypot(...want)),
    );
  });
}

const kind = fc.constantFrom<DType>("float32", "float64", "complex64", "int32");
const signalOfShape = (shape: readonly number[]): fc.Arbitrary<NDArray> =>
  fc.tuple(arrays({ shape, dtype: "float32" }), arrays({ shape, dtype: "float32" }), kind).map(([re, im, dtype]) => {
    const small = (x: NDArray): NDArray => np.clip(np.nanToNum(x), -50, 50);
    return dtype === "complex64" ? np.add(small(re), np.multiply(small(im), c64([0, 1]))) : np.astype(small(re), dtype);
  });
const lengths = (ndim: number): fc.Arbitrary<number[]> =>
  fc.array(fc.integer({ min: 1, max: 5 }), { minLength: ndim, maxLength: ndim });
/** Two signals, one of which is at least as large as the other along every axis. */
const pair = (least = 1, most = 3) =>
  fc.integer({ min: least, max: most }).chain((ndim) =>
    fc.tuple(lengths(ndim), lengths(ndim), fc.boolean()).chain(([s, t, swap]) => {
      const [large, small] = [s.map((n, i) => Math.max(n, t[i]!)), s.map((n, i) => Math.min(n, t[i]!))];
      return fc.tuple(signalOfShape(swap ? small : large), signalOfShape(swap ? large : small));
    }),
  );
const mode = fc.constantFrom(...modes);
const method = fc.constantFrom("auto" as const, "direct" as const, "fft" as const);

describe("convolve and correlate", () => {
  test("agree with double loops", () => {
    holds(40, [pair(), mode, method], ([a, b], m, how) => {
      expectPart(signal.convolve(a, b, m, how), signalOf(a), signalOf(b), m, convolvedAt);
      expectPart(signal.correlate(a, b, { mode: m, method: how }), signalOf(a), signalOf(b), m, correlatedAt);
    });
  });

  test("two axes: as convolve, and as correlate but for its two differences", () => {
    holds(40, [pair(2, 2), mode], ([a, b], m) => {
      expectPart(signal.convolve2d(a, b, m), signalOf(a), signalOf(b), m, convolvedAt);
      const larger = m === "valid" && b.size > a.size;
      const [y, plain] = [signal.correlate2d(a, b, m), signal.correlate(a, b, m)];
      if (larger) expectClose(y, np.conj(plain), 1e-5);
      else expectPart(y, signalOf(a), signalOf(b), m, correlatedAt, m === "same" ? 1 : 0);
    });
  });

  test("fftconvolve along some axes is a loop over the others", () => {
    const operands = fc
      .tuple(lengths(3), lengths(3), fc.shuffledSubarray([0, 1, 2]))
      .chain(([s, t, along]) =>
        fc.tuple(
          signalOfShape(s),
          signalOfShape(s.map((n, i) => (along.includes(i) ? Math.min(n, t[i]!) : n))),
          fc.constant(along),
        ),
      );
    holds(25, [operands, mode], ([a, b, along], m) => {
      const y = signal.fftconvolve(a, b, { mode: m, axes: along });
      const mapped = [0, 1, 2].filter((i) => !along.includes(i));
      // With every mapped axis at one position what remains is a convolution of smaller arrays.
      for (const p of places(mapped.map((i) => a.shape[i]!))) {
        const cut = (x: NDArray): NDArray =>
          x.slice(...[0, 1, 2].map((i) => (mapped.includes(i) ? p[mapped.indexOf(i)]! : [])));
        if (along.length > 0) expectPart(cut(y), signalOf(cut(a)), signalOf(cut(b)), m, convolvedAt);
        else expectClose(cut(y), np.multiply(cut(a), cut(b)).astype(y.dtype), 1e-5);
      }
    });
  });

  test("fftconvolve needs no larger operand, but for valid", () => {
    holds(
      40,
      [lengths(2).chain(signalOfShape), lengths(2).chain(signalOfShape), fc.constantFrom<Mode>("full", "same")],
      (a, b, m) => {
        expectPart(signal.fftconvolve(a, b, m), signalOf(a), signalOf(b), m, convolvedAt);
        expectPart(signal.convolve(a, b, m, "fft"), signalOf(a), signalOf(b), m, convolvedAt);
      },
    );
  });
});

describe("dtypes", () => {
  test("integers become float32, operands are promoted", () => {
    expect(signal.convolve(i32([1, 2]), i32([1, 1])).dtype).toBe("float32");
    expect(signal.convolve(f32([1, 2]), f64([1, 1])).dtype).toBe("float64");
    expect(signal.correlate(i32([1, 2]), c64([[0, 1]])).dtype).toBe("complex64");
    for (const dtype of ["float16", "bfloat16"] as DType[])
      expect(signal.fftconvolve(np.ones([3], dtype), np.ones([2], dtype)).dtype).toBe(dtype);
    expect(list(signal.convolve([1, 2], [1, 1]))).toEqual([1, 3, 2]);
  });

  test("the second operand of a correlation is conjugated", () => {
    expect(list(signal.correlate(c64([[0, 1]]), c64([[0, 1]])))).toEqual([[1, 0]]);
    const a = c64([
      [
        [1, 2],
        [3, -1],
      ],
    ]);
    const b = c64([
      [
        [0, 1],
        [2, 0],
        [1, 1],
      ],
    ]);
    // With the larger operand second, correlate2d gives the conjugate of what correlate gives.
    expectClose(signal.correlate2d(a, b, "valid"), np.conj(signal.correlate(a, b, "valid")));
    expectClose(signal.correlate2d(a, b, "full"), signal.correlate(a, b, "full"));
  });

  test("no axes: products", () => {
    expect(list(signal.convolve(f32(3), f32(4)))).toBe(12);
    expect(list(signal.fftconvolve(f32([2, 3]), f32([4, 5]), { axes: [] }))).toEqual([8, 15]);
    expect(signal.fftconvolve(np.ones([0, 3]), np.ones([0, 2]), { axes: 1 }).shape).toEqual([0, 4]);
  });
});

describe("transformations", () => {
  const [a, b] = [
    f64([
      [1, 2, -1],
      [0.5, 3, 2],
      [4, -2, 1],
    ]),
    f64([
      [0.3, -1],
      [2, 0.7],
    ]),
  ];
  test("derivatives in both operands", () => {
    for (const m of modes) {
      checkGrads((x: NDArray, y: NDArray) => signal.convolve(x, y, m), [a, b], 2);
      checkGrads((x: NDArray, y: NDArray) => signal.correlate2d(y, x, m), [a, b], 1);
      checkGrads((x: NDArray, y: NDArray) => signal.fftconvolve(x, y, m, 1), [a.slice([0, 2]), b], 1);
    }
  });

  test("vmap is a loop, jit is eager", () => {
    const xs = np.reshape(np.sin(np.arange(24)), [3, 8]);
    const ys = np.reshape(np.cos(np.arange(9)), [3, 3]);
    for (const f of [signal.convolve, signal.correlate, signal.fftconvolve]) {
      const g = (x: NDArray, y: NDArray): NDArray => f(x, y, "same");
      const loop = np.stack([0, 1, 2].map((i) => g(xs.slice(i), ys.slice(i))));
      expectClose(vmap(g)(xs, ys), loop);
      expectClose(jit(vmap(g))(xs, ys), loop);
      expectClose(vmap(g, { inAxes: [0, null] })(xs, ys.slice(0)).slice(0), loop.slice(0));
    }
  });
});

describe("mistakes", () => {
  test("shapes", () => {
    expect(problemOf(() => signal.convolve(np.ones([2, 2]), np.ones([2])))).toMatchObject({
      kind: "ShapeError",
      code: "ConvolveRank",
    });
    expect(problemOf(() => signal.convolve(np.ones([2, 3]), np.ones([3, 2]))).code).toBe("ConvolveSizes");
    expect(problemOf(() => signal.fftconvolve(np.ones([2, 3]), np.ones([3, 2]), "valid")).code).toBe("ConvolveSizes");
    expect(problemOf(() => signal.correlate(np.ones([0]), np.ones([2]))).code).toBe("EmptyConvolution");
    expect(problemOf(() => signal.convolve2d(np.ones([2]), np.ones([2])))).toMatchObject({
      code: "MatrixExpected",
      fix: expect.stringContaining("scipy.signal.convolve ") as string,
    });
    expect(problemOf(() => signal.fftconvolve(np.ones([2, 3]), np.ones([3, 3]), { axes: 1 })).code).toBe("MappedAxes");
    expect(problemOf(() => signal.fftconvolve(np.ones([2]), np.ones([2]), { axes: 1 })).code).toBe("AxisOutOfRange");
  });
  test("options", () => {
    const x = np.ones([2, 2]);
    expect(problemOf(() => signal.convolve(x, x, "half" as never)).code).toBe("UnknownChoice");
    expect(problemOf(() => signal.convolve(x, x, "full", "overlap" as never)).code).toBe("UnknownChoice");
    expect(problemOf(() => signal.correlate2d(x, x, { boundary: "wrap" as never })).code).toBe("UnsupportedBoundary");
    expect(problemOf(() => signal.convolve2d(x, x, { fillvalue: 1 as never })).code).toBe("UnsupportedBoundary");
  });
});
