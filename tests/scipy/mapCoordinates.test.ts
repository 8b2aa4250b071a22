import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { DType } from "../../src/core/dtype.ts";
import type { NDArray } from "../../src/core/ndarray.ts";
import * as np from "../../src/numpy/index.ts";
import { ndimage } from "../../src/scipy/index.ts";
import { arrays, checkGrads } from "../../src/testing/index.ts";
import { grad } from "../../src/transforms/gradient.ts";
import { jit } from "../../src/transforms/jit.ts";
import { vmap } from "../../src/transforms/vmap.ts";
import { places, plainOf } from "../numpy/plain.ts";
import { holds } from "../properties.ts";
import { bool, c64, expectClose, f32, f64, host, i32, list, problemOf } from "../support/arrays.ts";

type Mode = ndimage.MapCoordinatesMode;
const modes: readonly Mode[] = ["constant", "nearest", "wrap", "mirror", "reflect"];

/** The element that stands at an index beyond the edges, by walking there; null: the constant. */
function walk(index: number, n: number, mode: Mode): number | null {
  if (mode === "constant") return index < 0 || index >= n ? null : index;
  if (mode === "nearest") return Math.min(Math.max(index, 0), n - 1);
  if (mode === "wrap") return ((index % n) + n) % n;
  // There and back again, with or without the ends twice.
  const there = Array.from({ length: n }, (_, i) => i);
  const back = [...there].reverse();
  const period = mode === "reflect" ? [...there, ...back] : n === 1 ? [0] : [...there, ...back.slice(1, -1)];
  return period[((index % period.length) + period.length) % period.length]!;
}

const half = (x: number): number => Math.sign(x) * Math.floor(Math.abs(x) + 0.5);

/** The value at a place: a sum over the corners of the cell around it. */
function valueAt(x: NDArray, place: readonly number[], order: number, mode: Mode, cval: number): number {
  const input = plainOf(x);
  return places(place.map(() => (order === 0 ? 1 : 2))).reduce((sum, corner) => {
    const index = place.map((c, i) => (order === 0 ? half(c) : Math.floor(c) + corner[i]!));
    const weight = place.reduce(
      (w, c, i) => w * (order === 0 ? 1 : corner[i] === 1 ? c - Math.floor(c) : 1 - (c - Math.floor(c))),
      1,
    );
    const at = index.map((k, i) => walk(k, x.shape[i]!, mode));
    return sum + weight * (at.includes(null) ? cval : input.at(at as number[]));
  }, 0);
}

const lookup = fc.integer({ min: 1, max: 3 }).chain((ndim) =>
  fc.integer({ min: 1, max: 4 }).chain((points) =>
    fc.record({
      x: fc
        .array(fc.integer({ min: 1, max: 4 }), { minLength: ndim, maxLength: ndim })
        .chain((shape) => arrays({ shape })),
      // Eighths: halves among them, which order 0 rounds away from zero.
      coordinates: fc.array(
        fc.array(
          fc.integer({ min: -90, max: 90 }).map((k) => k / 8),
          { minLength: points, maxLength: points },
        ),
        { minLength: ndim, maxLength: ndim },
      ),
      order: fc.constantFrom(0, 1),
      mode: fc.constantFrom(...modes),
      cval: fc.constantFrom(0, 2.5),
    }),
  ),
);

describe("mapCoordinates", () => {
  test("agrees with loops", () => {
    holds(150, [lookup], ({ x, coordinates, order, mode, cval }) => {
      const y = host(ndimage.mapCoordinates(x, coordinates, order, { mode, cval })).data;
      coordinates[0]!.forEach((_, k) => {
        const want = valueAt(
          x,
          coordinates.map((c) => c[k]!),
          order,
          mode,
          cval,
        );
        expect(Math.abs(y[k]! - want), `${y[k]!} for ${want}`).toBeLessThanOrEqual(1e-4 * (1 + Math.abs(want)));
      });
    });
  });

  test("coordinates broadcast together, and may be one array or scalars", () => {
    const x = np.reshape(np.arange(12, { dtype: "float32" }), [3, 4]);
    expect(
      list(
        ndimage.mapCoordinates(
          x,
          [
            [[0], [1.5]],
            [0, 1, 2.5],
          ],
          1,
        ),
      ),
    ).toEqual([
      [0, 1, 2.5],
      [6, 7, 8.5],
    ]);
    expect(
      list(
        ndimage.mapCoordinates(
          x,
          f32([
            [0, 1],
            [1, 2],
          ]),
          1,
        ),
      ),
    ).toEqual([1, 6]);
    expect(list(ndimage.mapCoordinates(x, [0.5, 1.25], 1))).toBe(3.25);
    expect(list(ndimage.mapCoordinates(x, [i32([2, 0]), i32([1, 3])], 1))).toEqual([9, 3]);
    expect(ndimage.mapCoordinates(x, [np.zeros([0]), np.zeros([0])], 1).shape).toEqual([0]);
    expect(list(ndimage.mapCoordinates(x, [[9], [9]], 1, "constant", -1))).toEqual([-1]);
  });

  test("dtypes: that of the input, integers rounded", () => {
    expect(list(ndimage.mapCoordinates(i32([1, 2, -4]), [[0.5, 1.25, 1.5, 1.75]], 1))).toEqual([2, 1, -1, -3]);
    expect(ndimage.mapCoordinates(i32([1, 2]), [[0.5]], 1).dtype).toBe("int32");
    for (const dtype of ["uint8", "float16", "bfloat16", "float64"] as DType[])
      expect(ndimage.mapCoordinates(np.ones([3], dtype), [[0.5]], 1).dtype).toBe(dtype);
    expect(
      list(
        ndimage.mapCoordinates(
          c64([
            [1, 2],
            [3, 6],
          ]),
          [[0.5]],
          1,
        ),
      ),
    ).toEqual([[2, 4]]);
    expect(list(ndimage.mapCoordinates(bool([1, 0]), [[0, 1]], 0))).toEqual([1, 0]);
    expect(list(ndimage.mapCoordinates(i32([1, 2]), [[-3]], 0, { cval: 2.75 }))).toEqual([2]);
  });

  test("NaN, infinities and far away places", () => {
    const x = f32([1, 2, 3]);
    expect(list(ndimage.mapCoordinates(x, [[NaN]], 1))).toEqual([NaN]);
    expect(list(ndimage.mapCoordinates(x, [[1e12, -1e12]], 1, { cval: 7 }))).toEqual([7, 7]);
    expect(list(ndimage.mapCoordinates(x, [[1e12, -1e12]], 1, "nearest"))).toEqual([3, 1]);
    // A value that is not a number stays where it is, and does not come in from beyond the edge.
    expect(list(ndimage.mapCoordinates(f32([NaN, 1]), [[1.25, 1]], 1))).toEqual([0.75, 1]);
  });

  test("derivatives in values and coordinates", () => {
    const x = f64([
      [1, 5, 2],
      [0, 3, 8],
    ]);
    const places_ = f64([
      [0.3, 1.2, -0.7, 3.4],
      [1.6, 0.1, 2.7, -4.2],
    ]);
    for (const mode of modes) {
      checkGrads((y: NDArray, c: NDArray) => ndimage.mapCoordinates(y, c, 1, { mode }), [x, places_], 2);
      checkGrads((y: NDArray) => ndimage.mapCoordinates(y, places_, 0, mode), [x], 1);
    }
    const g = grad((c: NDArray) => np.sum(ndimage.mapCoordinates(x, c, 0)))(places_);
    expect(new Set(host(g).data)).toEqual(new Set([0]));
  });

  test("vmap is a loop, jit is eager", () => {
    const x = np.reshape(np.sin(np.arange(24)), [2, 3, 4]);
    const c = np.reshape(np.multiply(np.arange(12, { dtype: "float32" }), 0.37), [2, 2, 3]);
    const f = (y: NDArray, p: NDArray): NDArray[] => modes.map((mode) => ndimage.mapCoordinates(y, p, 1, mode));
    const rows = [0, 1].map((i) => f(x.slice(i), c.slice(i)));
    const loop = modes.map((_, k) => np.stack(rows.map((r) => r[k]!)));
    expectClose(vmap(f)(x, c), loop);
    expectClose(jit(vmap(f))(x, c), loop);
  });

  test("mistakes", () => {
    const x = np.ones([2, 2]);
    expect(problemOf(() => ndimage.mapCoordinates(x, [[0]], 1))).toMatchObject({
      kind: "ShapeError",
      code: "CoordinateCount",
    });
    expect(problemOf(() => ndimage.mapCoordinates(f32(1), [], 1)).code).toBe("CoordinateCount");
    expect(problemOf(() => ndimage.mapCoordinates(x, [[0], [0]], 3))).toMatchObject({
      kind: "ArgumentError",
      code: "InterpolationOrder",
    });
    expect(problemOf(() => ndimage.mapCoordinates(x, [[0], [0]], 1, "grid-wrap" as never)).code).toBe("UnknownChoice");
    expect(
      problemOf(() =>
        ndimage.mapCoordinates(
          x,
          [
            [0, 1],
            [0, 1, 2],
          ],
          1,
        ),
      ).code,
    ).toBe("BroadcastMismatch");
  });
});
