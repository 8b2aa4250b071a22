/**
 * Schedules that cut ranges in parts, against the reference: windows and their derivatives, convolutions of one feature,
 * padded, shifted, joined and repeated arrays; rows with special values; columns in panels. Sizes lie around the thresholds.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { visitStmts } from "../../src/compiler/loopNest/loopNest.ts";
import type { DType } from "../../src/core/dtype.ts";
import { type HostArray, allocate, roundInPlace } from "../../src/core/hostArray.ts";
import type { NDArray } from "../../src/core/ndarray.ts";
import { sizeOf } from "../../src/core/shape.ts";
import { flatten } from "../../src/core/tree.ts";
import * as lax from "../../src/lax/index.ts";
import type { ReduceWindowOptions } from "../../src/lax/reduceWindow.ts";
import * as nn from "../../src/nn/index.ts";
import * as np from "../../src/numpy/index.ts";
import { grad } from "../../src/transforms/gradient.ts";
import { jit } from "../../src/transforms/jit.ts";
import { holds } from "../properties.ts";
import { distance, fromHost, host } from "../support/arrays.ts";
import { byReference, compiled } from "../support/compiling.ts";
import { onDevice } from "../support/devices.ts";
import { randomNumbers } from "../sweep/hosts.ts";

type F = (...args: NDArray[]) => unknown;

/** Numbers with ties; some of them special where the dtype has such. */
function hostOf(shape: readonly number[], dtype: DType, seed: number, special = false): HostArray {
  const next = randomNumbers(seed + 1);
  const data = allocate(dtype, sizeOf(shape));
  const odd = [NaN, Infinity, -Infinity, -0, 0];
  for (let i = 0; i < data.length; i++) {
    const value = Math.floor(next() * 33) - 16;
    const isOdd = special && next() < 0.05;
    data[i] = dtype === "bool" ? Number(value > 0) : isOdd && dtype !== "int32" ? odd[i % odd.length]! : value / 4;
  }
  return roundInPlace({ shape, dtype, data });
}

/** On wasm and, if that is no long work, by the evaluator of loop nests, as the reference says. */
function agrees(what: string, f: F, inputs: readonly HostArray[], tolerance: number, onNests = true): void {
  const args = inputs.map(fromHost);
  const wanted = byReference(f, args);
  const onWasm = onDevice("wasm", () => (flatten(jit(f)(...args))[0] as NDArray[]).map(host));
  const found = onNests ? [onWasm, compiled(f, args).run()] : [onWasm];
  for (const [i, results] of found.entries())
    results.forEach((y, r) => {
      const d = distance(y, wanted[r]!, tolerance);
      if (d) expect.fail(`${what}${i ? " (loop nests)" : ""}, result ${r}: ${d}`);
    });
}

const dtypes = fc.constantFrom<DType>("float32", "float32", "int32", "float16");
interface Axis {
  readonly n: number;
  readonly window: number;
  readonly stride: number;
  readonly pads: readonly [number, number];
  readonly base: number;
  readonly dilation: number;
}
const axis = (n: fc.Arbitrary<number>): fc.Arbitrary<Axis> =>
  fc
    .record({
      n,
      window: fc.integer({ min: 1, max: 4 }),
      stride: fc.integer({ min: 1, max: 4 }),
      pads: fc.tuple(fc.nat(3), fc.nat(3)),
      base: fc.constantFrom(1, 1, 1, 2, 3),
      dilation: fc.constantFrom(1, 1, 2),
    })
    // Windows that lie in padding alone have no winner that counts.
    .filter((a) => (a.n - 1) * a.base + 1 >= (a.window - 1) * a.dilation + 1);
const images = fc.tuple(fc.integer({ min: 6, max: 9 }), axis(fc.integer({ min: 4, max: 13 })), axis(fc.integer({ min: 4, max: 41 }))); // prettier-ignore
const plain = (a: Axis): Axis => ({ ...a, base: 1 });

function options(h: Axis, w: Axis): ReduceWindowOptions {
  return {
    windowStrides: [1, h.stride, w.stride],
    padding: [[0, 0], h.pads, w.pads],
    baseDilation: [1, h.base, w.base],
    windowDilation: [1, h.dilation, w.dilation],
  };
}
const computations = { add: [lax.add, 0], max: [lax.max, -Infinity], min: [lax.min, Infinity] } as const;

describe("windows", () => {
  test.each(Object.entries(computations))("%s", (name, [computation, init]) =>
    holds(60, [images, dtypes, fc.boolean(), fc.nat(99)], ([c, h, w], dtype, special, seed) => {
      const start = dtype === "int32" && init !== 0 ? (name === "max" ? -(2 ** 31) : 2 ** 31 - 1) : init;
      const f = (x: NDArray): unknown =>
        lax.reduceWindow(x, np.array(start, { dtype }), computation, [1, h.window, w.window], options(h, w));
      agrees(name, f, [hostOf([c, h.n, w.n], dtype, seed, special && name !== "add")], 1e-3);
    }),
  );
  test("any of predicates", () =>
    holds(20, [images, fc.nat(99)], ([c, h, w], seed) => {
      const f = (x: NDArray): unknown => lax.reduceWindow(x, false, lax.max, [1, h.window, w.window], options(h, w));
      agrees("any", f, [hostOf([c, h.n, w.n], "bool", seed)], 0);
    }));
  test.each(["max", "min", "add"] as const)("gradient of %s", (name) =>
    holds(60, [images, fc.boolean(), fc.nat(99)], ([c, a, b], special, seed) => {
      const [computation, init] = computations[name];
      const [h, w] = name === "add" ? [a, b] : [plain(a), plain(b)];
      const pool = (x: NDArray): NDArray =>
        lax.reduceWindow(x, init, computation, [1, h.window, w.window], options(h, w));
      const x = hostOf([c, h.n, w.n], "float32", seed, special && name !== "add");
      const places = onDevice("wasm", () => pool(fromHost(x))).shape;
      const f = (y: NDArray, g: NDArray): unknown =>
        grad((z: NDArray) => np.sum(np.where(np.isfinite(pool(z)), pool(z), 0).mul(g)))(y);
      agrees(`gradient of ${name}`, f, [x, hostOf(places, "float32", seed + 7)], 1e-5, false);
    }),
  );
});

test("convolutions of one feature, and their gradients", () =>
  holds(50, [images, fc.constantFrom(1, 2), fc.nat(99)], ([c, a, b], multiplier, seed) => {
    const [h, w] = [plain(a), plain(b)];
    const conv = (x: NDArray, k: NDArray): NDArray =>
      lax.convGeneralDilated(x, k, [h.stride, w.stride], [h.pads, w.pads], {
        rhsDilation: [h.dilation, w.dilation],
        featureGroupCount: c,
      });
    const inputs = [
      hostOf([2, c, h.n, w.n], "float32", seed),
      hostOf([c * multiplier, 1, h.window, w.window], "float32", seed + 1),
    ];
    agrees("convolution", conv, inputs, 1e-5);
    const loss = (x: NDArray, k: NDArray): NDArray => np.sum(np.square(conv(x, k)));
    agrees("its gradients", grad(loss, { argnums: [0, 1] }), inputs, 1e-4, false);
  }));

describe("arrays with parts", () => {
  const width = fc.integer({ min: 4, max: 41 });
  const moves: Readonly<Record<string, (n: number, k: number) => (x: NDArray) => NDArray>> = {
    "padded and cropped": (_, k) => (x) => lax.pad(x, 7, [[k, -1, 0], [-2, k, 0], [k, k, 0]]), // prettier-ignore
    "padded inside": (_, k) => (x) => lax.pad(x, 7, [[0, 0, 0], [1, 0, k % 3], [k, 2, (k + 1) % 4]]), // prettier-ignore
    rolled: (n, k) => (x) => np.roll(x, [k, k % n], [1, 2]),
    joined: (_, k) => (x) => np.concatenate([x, x.mul(2), lax.rev(x, [2])], k % 3),
    repeated: (_, k) => (x) => np.repeat(np.repeat(x, 1 + (k % 4), 2), 2, 1).add(1),
    differences: () => (x) => lax.slice(x, [0, 1, 1], x.shape).sub(lax.slice(x, [0, 0, 0], x.shape.map((n, i) => (i ? n - 1 : n)))), // prettier-ignore
    masked: (n, k) => (x) => np.where(np.less(np.arange(n), k), x, x.mul(-1)),
    interleaved: () => (x) => np.stack([x, x.mul(-1)], -1).reshape([x.shape[0]!, x.shape[1]!, -1]),
  };
  test.each(Object.entries(moves))("%s", (name, move) =>
    holds(
      15,
      [
        width,
        fc.integer({ min: 1, max: 5 }),
        fc.constantFrom<DType>("float32", "int32", "bool", "float16"),
        fc.nat(99),
      ],
      (n, k, dtype, seed) => {
        // prettier-ignore
        const f = (x: NDArray): unknown => {
        const y = move(n, k)(x);
        return dtype === "bool" ? y : [y, y.add(np.max(x))];
      };
        const arithmetic = /mul|sub|add|pad/.test(move.toString());
        if (dtype === "bool" && arithmetic) return;
        agrees(name, (x) => f(x), [hostOf([5, 12, n], dtype, seed)], 1e-3);
      },
    ),
  );
});

describe("rows and columns", () => {
  const lengths = fc.oneof(fc.integer({ min: 1, max: 70 }), fc.integer({ min: 250, max: 700 }));
  test("extrema with NaN, infinities and zeros of both signs", () =>
    holds(60, [lengths, lengths, fc.constantFrom(0, 1), fc.nat(99)], (n, m, along, seed) => {
      const data = hostOf([n, m], "float32", seed, seed % 2 === 0);
      // Some rows of zeros alone.
      if (seed % 3 === 0) data.data.forEach((v, i) => (data.data[i] = v > 0 ? 0 : v === 0 ? v : -0));
      const f: F = (x) => [np.max(x, along), np.min(x, along)];
      const args = [fromHost(data)];
      const wanted = byReference(f, args);
      const found = onDevice("wasm", () => (flatten(jit(f)(...args))[0] as NDArray[]).map(host));
      found.forEach((y, i) =>
        y.data.forEach((v, j) => {
          const w = wanted[i]!.data[j]!;
          if (!Object.is(v, w)) expect.fail(`${i ? "min" : "max"} ${j} of ${n}×${m}: ${v}, not ${w}`);
        }),
      );
    }));
  test("sums, products and several at once over columns of every number", () =>
    holds(40, [lengths, lengths, fc.nat(99)], (n, m, seed) => {
      const f = (x: NDArray, y: NDArray): unknown => [
        np.sum(x, 0),
        np.max(x, 0),
        np.sum(x.mul(y), 0).add(np.take(y, 0, 0)),
      ];
      agrees("columns", f, [hostOf([n, m], "float32", seed), hostOf([n, m], "float32", seed + 1)], 1e-5, n * m < 5000);
    }));
  test("sums under conditions on their own range", () =>
    holds(
      30,
      [lengths, lengths, fc.nat(80), fc.constantFrom<DType>("float32", "int32"), fc.nat(99)],
      (n, m, k, dtype, seed) => {
        // prettier-ignore
        const f = (x: NDArray): unknown => {
        const [head, tail] = [np.less(np.arange(m), k), np.greater(np.arange(n), k)];
        const masked = np.where(head, x, np.where(np.expandDims(tail, 1), x.mul(3), 0));
        return [np.sum(masked, 1), np.max(lax.pad(x, np.array(0, { dtype }), [[0, 0, 0], [k % 7, k % 5, k % 3]]), 1)]; // prettier-ignore
      };
        agrees("sums under conditions", f, [hostOf([n, m], dtype, seed)], 1e-5, n * m < 5000);
      },
    ));
  test("softmax of every length, with special rows", () =>
    holds(40, [lengths, fc.boolean(), fc.nat(99)], (n, special, seed) => {
      const f = (x: NDArray): unknown => [nn.softmax(x, -1), nn.softmax(x.mul(2), -1).mul(np.exp(x))];
      agrees("softmax", f, [hostOf([3, n], "float32", seed, special)], 1e-5);
    }));
  test("exponentials of a softmax are computed once", () => {
    const { program } = compiled((x: NDArray) => nn.softmax(x, -1), [np.zeros([4, 1024])]);
    let exponentials = 0;
    visitStmts(program.kernels[0]!.body, (s) => {
      if (s.kind === "let" && s.local.type === "f32" && s.value.kind === "binary" && s.value.op === "add") {
        // x log₂ e + 1.5 · 2²³: the rounding at the beginning of each.
        if (s.value.y.kind === "const" && s.value.y.value === 12582912) exponentials++;
      }
    });
    expect(exponentials).toBe(1);
  });
});
