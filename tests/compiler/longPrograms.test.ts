/** Programs of hundreds of equations in a row: few kernels, none of them too large, and the values of the reference. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type NDArray, grad, jit, lax, nn, numpy as np } from "../../src/index.ts";
import { holds } from "../properties.ts";
import { byReference, compiled, explained, withBuffers } from "../support/compiling.ts";
import { distance, f64, host } from "../support/arrays.ts";

type F = (x: NDArray) => NDArray;
const times = (n: number, step: F, start: F = (x) => x): F => {
  return (x) => {
    let y = start(x);
    for (let i = 0; i < n; i++) y = step(y);
    return y;
  };
};
const averages: F = (x) => {
  let [a, b] = [x, x.add(1)];
  for (let i = 0; i < 400; i++) [a, b] = [b, a.mul(0.5).add(b.mul(0.5))];
  return b;
};
/** Each step computes every element from two of the one before. */
const butterflies: F = (x) => {
  let y = np.tile(x, 2).slice([0, 128]);
  for (const half of [1, 2, 4, 8, 16, 32, 64, 1, 2, 4, 8, 16, 32, 64]) {
    const mirrored = np.flip(y.reshape(-1, 2, half), 1).reshape(128);
    y = np.maximum(np.sin(y), mirrored).sub(0.1);
  }
  return y;
};
const square: F = (x) => x.reshape(10, 10);

/** The program, and the most kernels that it may take. */
const programs: Readonly<Record<string, readonly [f: F, kernels: number]>> = {
  "a chain of 1000 operations": [times(500, (y) => y.mul(0.999).add(0.001)), 12],
  "operations that need the last two results": [averages, 16],
  "the gradient of 200 layers of tanh": [grad((x) => np.sum(times(200, (y) => np.tanh(y).mul(1.01))(x))), 40],
  "100 softmaxes with residuals": [times(100, (y) => nn.softmax(y).add(y), square), 30],
  "400 sums of all elements": [times(400, (y) => y.sub(np.sum(y).mul(0.001))), 60],
  "200 steps of diffusion": [times(200, (y) => y.add(np.roll(y, 1)).add(np.roll(y, -1)).div(3)), 100],
  "butterflies, which double the positions": [butterflies, 5],
  "100 products": [times(100, (y) => np.matmul(y, y).div(10).add(0.1), square), 100],
  "100 prefix sums": [times(100, (y) => np.cumsum(y).div(100)), 101],
  "one of 300 arrays after the other": [
    (x) =>
      lax.concatenate(
        Array.from({ length: 300 }, (_, i) => x.mul(i)),
        0,
      ),
    1,
  ],
};

describe("long programs", () => {
  const x = np.linspace(0, 1, { num: 100 });
  test.each(Object.entries(programs))("%s", (_, [f, kernels]) => {
    const compiled = jit(f);
    expect(compiled.lower(x).costAnalysis().kernels).toBeLessThanOrEqual(kernels);
    const [wanted] = byReference(f, [x]);
    expect(distance(host(compiled(x)), wanted!, 1e-4)).toBeNull();
  });
});

/** Operations of matrices of 5 × 7: cheap and dear ones, reductions of rows and of all, products, views. */
const operations: readonly ((x: NDArray, y: NDArray) => NDArray)[] = [
  (x, y) => x.add(y).mul(0.5),
  (x, y) => x.mul(y),
  (x) => np.tanh(x),
  (x) => np.sin(x),
  (x, y) => np.where(np.greater(x, y), x, y.mul(0.5)),
  (x) => x.sub(np.mean(x, 1, { keepdims: true })),
  (x, y) => x.mul(0.1).add(np.max(y)),
  (x) => np.flip(x, 1),
  (x, y) => np.matmul(x, np.matmul(y.T, y)).mul(0.02),
  (x) => np.cumsum(x, 0).mul(0.3),
];
/** Each step applies an operation to two of the values so far, counted from the last one. */
const steps = fc.array(fc.tuple(fc.nat(operations.length - 1), fc.nat(8), fc.nat(30)), {
  minLength: 20,
  maxLength: 90,
});

test("random programs in which values are used again later, with room for many arrays in a kernel and for few", () =>
  holds(40, [steps, fc.constantFrom(1000, 10, 8)], (program, maxBuffers) => {
    const f = (x: NDArray): NDArray[] => {
      const values = [x];
      for (const [operation, i, j] of program) {
        const at = (back: number): NDArray => values[Math.max(0, values.length - 1 - back)]!;
        values.push(operations[operation]!(at(i), at(j)));
      }
      return values.slice(-3);
    };
    const x = f64(Array.from({ length: 5 }, (_, i) => Array.from({ length: 7 }, (_, j) => ((3 * i + j) % 11) / 5 - 1)));
    const wanted = byReference(f, [x]);
    const found = compiled(f, [x], { target: withBuffers(maxBuffers) }).run();
    found.forEach((y, i) => {
      const difference = distance(y, wanted[i]!, 1e-9);
      if (difference) expect.fail(`result ${i}: ${difference}\n${explained(f, [x])}`);
    });
    jit(f)(x).forEach((y, i) => expect(distance(host(y), wanted[i]!, 1e-9)).toBeNull());
  }));
