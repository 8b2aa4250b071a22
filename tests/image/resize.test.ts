import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { DType } from "../../src/core/dtype.ts";
import type { NDArray } from "../../src/core/ndarray.ts";
import * as image from "../../src/image/index.ts";
import * as np from "../../src/numpy/index.ts";
import { arrays, checkGrads } from "../../src/testing/index.ts";
import { grad } from "../../src/transforms/gradient.ts";
import { jit } from "../../src/transforms/jit.ts";
import { vmap } from "../../src/transforms/vmap.ts";
import { places, plainOf, sizeOf } from "../numpy/plain.ts";
import { holds } from "../properties.ts";
import { c64, expectClose, f32, f64, host, i32, list, problemOf } from "../support/arrays.ts";

// ---------------------------------------------------------------- the definition, in loops

type Method = "linear" | "cubic" | "lanczos3" | "lanczos5" | "area" | "cubic-pytorch";
const methods: readonly Method[] = ["linear", "cubic", "lanczos3", "lanczos5", "area", "cubic-pytorch"];

const sinc = (x: number): number => (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x));
const keys = (x: number, a: number): number =>
  x < 1 ? (a + 2) * x ** 3 - (a + 3) * x ** 2 + 1 : x < 2 ? a * (x ** 3 - 5 * x ** 2 + 8 * x - 4) : 0;
const kernels: Readonly<Record<Exclude<Method, "area">, (x: number) => number>> = {
  linear: (x) => Math.max(0, 1 - x),
  cubic: (x) => keys(x, -0.5),
  lanczos3: (x) => (x < 3 ? sinc(x) * sinc(x / 3) : 0),
  lanczos5: (x) => (x < 5 ? sinc(x) * sinc(x / 5) : 0),
  "cubic-pytorch": (x) => keys(x, -0.75),
};

/** The weight of every input pixel in the output pixel `o`. */
function weightsAt(o: number, n: number, scale: number, shift: number, method: Method, antialias: boolean): number[] {
  const centre = (o + 0.5 - shift) / scale;
  const weights = new Array<number>(n).fill(0);
  const repeats = method === "cubic-pytorch" && !antialias;
  if (method === "area") {
    const [left, right] = [(o - shift) / scale, (o + 1 - shift) / scale];
    for (let j = 0; j < n; j++) weights[j] = Math.max(0, Math.min(right, j + 1) - Math.max(left, j));
  } else {
    const width = antialias ? Math.max(1, 1 / scale) : 1;
    const kernel = method === "cubic-pytorch" && antialias ? kernels.cubic : kernels[method];
    for (let j = repeats ? -2 : 0; j < (repeats ? n + 2 : n); j++)
      weights[Math.min(Math.max(j, 0), n - 1)]! += kernel(Math.abs(centre - (j + 0.5)) / width);
  }
  const total = weights.reduce((a, b) => a + b, 0);
  const visible = repeats || (centre >= 0 && centre <= n);
  return weights.map((w) => (visible && Math.abs(total) > 1.2e-4 ? w / total : 0));
}

interface Warp {
  readonly scale: readonly number[];
  readonly shift: readonly number[];
}

/** Sums over all input pixels, for every output pixel. */
function resampled(x: NDArray, shape: readonly number[], warp: Warp, method: Method, antialias: boolean): number[] {
  const input = plainOf(x);
  const weights = shape.map((n, axis) =>
    Array.from({ length: n }, (_, o) =>
      n === input.shape[axis] && warp.scale[axis] === 1 && warp.shift[axis] === 0
        ? Array.from({ length: n }, (_, j) => Number(j === o))
        : weightsAt(o, input.shape[axis]!, warp.scale[axis]!, warp.shift[axis]!, method, antialias),
    ),
  );
  return places(shape).map((p) =>
    places(input.shape).reduce((sum, q) => {
      const w = q.reduce((product, j, axis) => product * weights[axis]![p[axis]!]![j]!, 1);
      return sum + w * input.at(q);
    }, 0),
  );
}

const close = (got: NDArray, shape: readonly number[], want: readonly number[], tolerance = 2e-5): void => {
  expect(got.shape).toEqual(shape);
  const largest = Math.max(1, ...want.map(Math.abs));
  [...host(got).data].forEach((v, i) =>
    expect(Math.abs(v - want[i]!), `${v} for ${want[i]!}`).toBeLessThanOrEqual(tolerance * largest),
  );
};

const length = fc.integer({ min: 1, max: 7 });
const resizing = fc.integer({ min: 1, max: 3 }).chain((ndim) =>
  fc.record({
    x: fc.array(length, { minLength: ndim, maxLength: ndim }).chain((shape) => arrays({ shape })),
    shape: fc.array(length, { minLength: ndim, maxLength: ndim }),
    method: fc.constantFrom(...methods),
    antialias: fc.boolean(),
  }),
);

describe("resize", () => {
  test("agrees with loops over all pixels", () => {
    holds(120, [resizing], ({ x, shape, method, antialias }) => {
      const scale = shape.map((n, i) => n / x.shape[i]!);
      const want = resampled(x, shape, { scale, shift: scale.map(() => 0) }, method, antialias);
      close(image.resize(x, shape, method, { antialias }), shape, want);
    });
  });

  test("nearest takes the pixel under the centre", () => {
    holds(60, [resizing], ({ x, shape }) => {
      const input = plainOf(x);
      const want = places(shape).map((p) =>
        input.at(p.map((o, i) => Math.floor(((2 * o + 1) * x.shape[i]!) / (2 * shape[i]!)))),
      );
      close(image.resize(x, shape, "nearest"), shape, want, 0);
    });
  });

  test("constants stay constant, whatever the kernel", () => {
    for (const method of [...methods, "nearest"] as const)
      for (const antialias of [true, false])
        close(image.resize(np.full([5, 4], 7), [3, 9], method, antialias), [3, 9], new Array<number>(27).fill(7));
  });

  test("the other names of the methods, and the constants", () => {
    const x = f32([
      [1, 5, 2],
      [0, 3, 8],
    ]);
    const same = (a: image.ResizeMethodName, ...others: (image.ResizeMethodName | image.ResizeMethod)[]): void => {
      for (const b of others) expectClose(image.resize(x, [4, 2], b), image.resize(x, [4, 2], a), 0);
    };
    const M = image.ResizeMethod;
    same("linear", "bilinear", "trilinear", "triangle", M.LINEAR, M.fromString("bilinear"));
    same("cubic", "bicubic", "tricubic", M.CUBIC, "cubic-pytorch", "bicubic-pytorch", M.CUBIC_PYTORCH);
    same("lanczos3", M.LANCZOS3);
    same("lanczos5", M.LANCZOS5);
    same("nearest", M.NEAREST);
    same("area", M.AREA);
  });

  test("area by a whole factor is the mean of blocks", () => {
    const x = np.reshape(np.arange(24, { dtype: "float32" }), [4, 6]);
    const blocks = np.mean(np.reshape(x, [2, 2, 3, 2]), [1, 3]);
    expectClose(image.resize(x, [2, 3], "area"), blocks);
  });

  test("dtypes: integers become float32 but for nearest; the others stay", () => {
    const x = i32([1, 2, 3, 4]);
    expect(image.resize(x, [2], "linear").dtype).toBe("float32");
    expect(image.resize(x, [4], "linear").dtype).toBe("float32");
    expect(image.resize(x, [2], "nearest").dtype).toBe("int32");
    for (const dtype of ["float16", "bfloat16", "float64"] as DType[])
      expect(image.resize(np.astype(x, dtype), [6], "cubic").dtype).toBe(dtype);
    const z = c64([
      [1, 2],
      [3, -4],
    ]);
    const both = image.resize(z, [3], "linear");
    expectClose(np.real(both), image.resize(np.real(z), [3], "linear"));
    expectClose(np.imag(both), image.resize(np.imag(z), [3], "linear"));
  });

  test("axes of length zero", () => {
    expect(image.resize(np.ones([3, 2]), [0, 2], "linear").shape).toEqual([0, 2]);
    expect(image.resize(np.ones([3, 2]), [0, 2], "nearest").shape).toEqual([0, 2]);
    expect(image.resize(np.ones([0, 2]), [0, 4], "cubic").shape).toEqual([0, 4]);
    expect(image.resize(f32(3), [], "linear").shape).toEqual([]);
  });

  test("jit is eager, vmap is a batch axis, and it is linear in the image", () => {
    const x = np.reshape(np.sin(np.arange(40)), [2, 4, 5]);
    const all = [...methods, "nearest"] as const;
    const f = (y: NDArray): NDArray[] => all.map((method) => image.resize(y, [3, 7], method));
    const batch = all.map((method) => image.resize(x, [2, 3, 7], method));
    expectClose(vmap(f)(x), batch);
    expectClose(jit(vmap(f))(x), batch);
    checkGrads(f, [np.astype(x.slice(0), "float64")], 1);
  });
});

// ---------------------------------------------------------------- scale and translation

const warping = fc.integer({ min: 1, max: 2 }).chain((ndim) =>
  fc.record({
    x: fc.array(length, { minLength: ndim, maxLength: ndim }).chain((shape) => arrays({ shape })),
    shape: fc.array(length, { minLength: ndim, maxLength: ndim }),
    // In steps that float32 holds, and off the places where pixels come into sight.
    scale: fc.array(
      fc.integer({ min: 6, max: 45 }).map((k) => k / 16),
      { minLength: ndim, maxLength: ndim },
    ),
    shift: fc.array(
      fc.integer({ min: -60, max: 60 }).map((k) => k / 16 + 1 / 64),
      { minLength: ndim, maxLength: ndim },
    ),
    method: fc.constantFrom(...methods),
    antialias: fc.boolean(),
  }),
);

describe("scaleAndTranslate", () => {
  test("agrees with loops over all pixels", () => {
    holds(120, [warping], ({ x, shape, scale, shift, method, antialias }) => {
      const axes = shape.map((_, i) => i);
      const want = resampled(x, shape, { scale, shift }, method, antialias);
      close(image.scaleAndTranslate(x, shape, axes, scale, shift, method, { antialias }), shape, want, 2e-4);
    });
  });

  test("some axes, negative ones, in any order", () => {
    const x = np.reshape(np.cos(np.arange(60)), [3, 4, 5]);
    const want = resampled(x, [3, 6, 2], { scale: [1, 1.25, 0.5], shift: [0, 0.375, -0.25] }, "cubic", true);
    close(image.scaleAndTranslate(x, [3, 6, 2], [1, 2], [1.25, 0.5], [0.375, -0.25], "cubic"), [3, 6, 2], want);
    close(image.scaleAndTranslate(x, [3, 6, 2], [-1, 1], [0.5, 1.25], [-0.25, 0.375], "cubic"), [3, 6, 2], want);
    expectClose(image.scaleAndTranslate(x, [3, 4, 5], [], np.zeros([0]), np.zeros([0]), "linear"), x);
  });

  test("whole shifts move pixels, zeros come in", () => {
    const x = f32([1, 2, 3]);
    for (const method of methods.slice(0, 5)) {
      close(image.scaleAndTranslate(x, [5], [0], [1], [2], method), [5], [0, 0, 1, 2, 3]);
      close(image.scaleAndTranslate(x, [3], [0], [1], [-2], method), [3], [3, 0, 0]);
    }
  });

  test("integers as parameters, and an integer image", () => {
    const y = image.scaleAndTranslate(i32([1, 2, 3]), [3], [0], i32([1]), i32([1]), "linear");
    expect(y.dtype).toBe("float32");
    expect(list(y)).toEqual([0, 1, 2]);
  });

  test.each(["linear", "cubic", "lanczos3", "lanczos5"] as const)(
    "%s: derivatives in image, scale and translation",
    (method) => {
      const x = f64([
        [1, 5, 2],
        [0, 3, 8],
        [4, 4, 1],
        [2, 7, 6],
      ]);
      const f = (y: NDArray, s: NDArray, t: NDArray): NDArray =>
        image.scaleAndTranslate(y, [5, 4], [0, 1], s, t, method);
      // Away from places where a pixel comes into sight or a kernel has a kink.
      checkGrads(f, [x, f64([1.13, 0.87]), f64([0.21, 0.11])], 1);
      checkGrads(
        (y: NDArray, s: NDArray, t: NDArray) => jit(f)(y, s, t),
        [x, f64([0.71, 1.37]), f64([0.09, -0.13])],
        1,
      );
    },
  );

  test("the derivative at the identity is no NaN, where all distances are whole", () => {
    for (const method of methods) {
      const g = grad((s: NDArray) => np.sum(image.scaleAndTranslate(f64([1, 5, 2]), [3], [0], s, [0], method)))(
        f64([1]),
      );
      expect(Number.isFinite(host(g).data[0]), method).toBe(true);
    }
  });

  test("vmap over warps is a loop", () => {
    const x = f32([1, 5, 2, 8]);
    const s = f32([[0.5], [1], [1.7]]);
    const t = f32([[0.5], [-1.2], [0]]);
    const f = (scale: NDArray, shift: NDArray): NDArray => image.scaleAndTranslate(x, [6], [0], scale, shift, "linear");
    const loop = np.stack([0, 1, 2].map((i) => f(s.slice(i), t.slice(i))));
    expectClose(vmap(f)(s, t), loop);
    expectClose(jit(vmap(f))(s, t), loop);
  });
});

describe("mistakes", () => {
  const x = np.ones([2, 3]);
  test("shapes", () => {
    expect(problemOf(() => image.resize(x, [4], "linear"))).toMatchObject({ kind: "ShapeError", code: "ImageRank" });
    expect(problemOf(() => image.resize(x, [4, -1], "linear")).code).toBe("InvalidShape");
    expect(problemOf(() => image.resize(np.ones([0, 3]), [2, 3], "nearest")).code).toBe("NoPixels");
    expect(problemOf(() => image.scaleAndTranslate(x, [2, 4], [0], [1], [0], "linear")).code).toBe("NotResampled");
    expect(problemOf(() => image.scaleAndTranslate(x, [2, 4], [1], [1, 1], [0], "linear")).code).toBe(
      "SpatialParameters",
    );
    expect(problemOf(() => image.scaleAndTranslate(x, [2, 4], [2], [1], [0], "linear")).code).toBe("AxisOutOfRange");
    expect(problemOf(() => image.scaleAndTranslate(x, [2, 4], [1, -1], [1, 1], [0, 0], "linear")).code).toBe(
      "DuplicateAxis",
    );
  });
  test("methods", () => {
    expect(problemOf(() => image.resize(x, [2, 2], "bilinaer" as never))).toMatchObject({
      kind: "ArgumentError",
      code: "UnknownResizeMethod",
      fix: expect.stringContaining('"bilinear"') as string,
    });
    expect(problemOf(() => image.resize(x, [2, 2], 9 as never)).code).toBe("UnknownResizeMethod");
    expect(problemOf(() => image.scaleAndTranslate(x, [2, 3], [0], [1], [0], "nearest")).code).toBe(
      "NearestHasNoWeights",
    );
  });
  test("options", () => {
    expect(problemOf(() => image.resize(x, [2, 2], "linear", { antiAlias: true } as never)).code).toBe("UnknownOption");
  });
});

test("a large shrink reads every pixel", () => {
  const x = np.reshape(np.arange(sizeOf([64, 64]), { dtype: "float32" }), [64, 64]);
  const want = resampled(x, [2, 3], { scale: [1 / 32, 3 / 64], shift: [0, 0] }, "lanczos3", true);
  close(image.resize(x, [2, 3], "lanczos3"), [2, 3], want);
});
