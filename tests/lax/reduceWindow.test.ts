import fc from "fast-check";
import { describe, expect, test } from "vitest";
import * as lax from "../../src/lax/index.ts";
import type { Pads } from "../../src/lax/windowGeometry.ts";
import * as np from "../../src/numpy/index.ts";
import { holds } from "../properties.ts";

interface AxisCase {
  readonly n: number;
  readonly window: number;
  readonly stride: number;
  readonly pads: Pads;
  readonly base: number;
  readonly dilation: number;
}

const size = (max: number): fc.Arbitrary<number> => fc.integer({ min: 1, max });
const axisCase: fc.Arbitrary<AxisCase> = fc.record({
  n: size(4),
  window: size(4),
  stride: size(3),
  pads: fc.tuple(fc.nat(2), fc.nat(2)),
  base: size(2),
  dilation: size(2),
});

/** What the windows of one axis cover: for every place the positions, null for padding and gaps. */
function covered(a: AxisCase): (number | null)[][] {
  const line: (number | null)[] = new Array<null>(a.pads[0]).fill(null);
  for (let i = 0; i < a.n; i++) line.push(...new Array<null>(i > 0 ? a.base - 1 : 0).fill(null), i);
  line.push(...new Array<null>(a.pads[1]).fill(null));
  const rows: (number | null)[][] = [];
  for (let start = 0; start + (a.window - 1) * a.dilation < line.length; start += a.stride)
    rows.push(Array.from({ length: a.window }, (_, k) => line[start + k * a.dilation]!));
  return rows;
}

const computations = {
  add: [lax.add, (x: number, y: number): number => x + y, 0],
  mul: [lax.mul, (x: number, y: number): number => x * y, 1],
  max: [lax.max, Math.max, -Infinity],
  "max from 1": [lax.max, Math.max, 1],
  min: [lax.min, Math.min, Infinity],
  "any function": [(x: np.Array, y: np.Array) => lax.max(lax.abs(x), lax.abs(y)), Math.max, 0],
} as const;

describe("reduceWindow", () => {
  test.each(Object.keys(computations) as (keyof typeof computations)[])("%s, as loops say", (name) => {
    const [computation, plain, init] = computations[name];
    holds(40, [axisCase, axisCase], (a, b) => {
      const values = Array.from({ length: a.n * b.n }, (_, i) => ((i * 5) % 7) + 1);
      const [rows, columns] = [covered(a), covered(b)];
      const want = rows.flatMap((row) =>
        columns.map((column) => {
          const inside: number[] = row.flatMap((i) =>
            column.map((j) => (i === null || j === null ? init : values[i * b.n + j]!)),
          );
          return inside.reduce((x, y) => plain(x, y), init);
        }),
      );
      const got = lax.reduceWindow(
        np.reshape(np.array(values), [a.n, b.n]),
        init,
        computation as typeof lax.add,
        [a.window, b.window],
        {
          windowStrides: [a.stride, b.stride],
          padding: [a.pads, b.pads],
          baseDilation: [a.base, b.base],
          windowDilation: [a.dilation, b.dilation],
        },
      );
      expect(got.shape).toEqual([rows.length, columns.length]);
      expect([...got.dataSync()]).toEqual(want);
    });
  });
});
