/** Line searches and L-BFGS: the conditions that steps must satisfy, and the formulas with whole matrices. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { NDArray } from "../../src/core/ndarray.ts";
import * as lax from "../../src/lax/index.ts";
import * as np from "../../src/numpy/index.ts";
import * as optim from "../../src/optim/index.ts";
import { valueAndGrad } from "../../src/transforms/gradient.ts";
import { jit } from "../../src/transforms/jit.ts";
import { vmap } from "../../src/transforms/vmap.ts";
import { holds } from "../properties.ts";
import { expectClose, f32, f64, item, list, problemOf } from "../support/arrays.ts";

const rosenbrock = (x: NDArray): NDArray => {
  const [a, b] = [x.slice([0, -1]), x.slice([1, null])];
  return np.sum(np.add(np.multiply(100, np.square(np.subtract(b, np.square(a)))), np.square(np.subtract(1, a))));
};

/** The parameters after some steps, and how often the loss was computed for its gradient. */
function minimize(
  f: (x: NDArray) => NDArray,
  start: NDArray,
  optimizer: optim.GradientTransformationExtraArgs<NDArray, readonly unknown[], optim.LineSearchArgs<NDArray>>,
  steps: number,
): NDArray {
  const step = ([x, state]: [NDArray, readonly unknown[]]): [NDArray, readonly unknown[]] => {
    const [value, grad] = optim.valueAndGradFromState(f)(x, { state });
    const [updates, next] = optimizer.update(grad, state, x, { value, grad, valueFn: f });
    return [optim.applyUpdates(x, updates), next];
  };
  const run = jit((x: NDArray) =>
    lax.foriLoop(0, steps, (_: unknown, c: never) => step(c), [x, optimizer.init(x)] as never),
  );
  return (run(start) as unknown as [NDArray, unknown])[0];
}

describe("L-BFGS", () => {
  test("solves Rosenbrock's function in few steps", () => {
    const found = minimize(rosenbrock, f64([-1.2, 1]), optim.lbfgs<NDArray>(), 35);
    expectClose(found, f64([1, 1]), 1e-6);
    expect(item(rosenbrock(found))).toBeLessThan(1e-12);
    // In five dimensions, and in float32.
    expectClose(minimize(rosenbrock, f32([-1, 1, -0.5, 0.3, 0.8]), optim.lbfgs<NDArray>(), 60), np.ones([5]), 1e-3);
  });

  test("finds the minimum of a convex quadratic, for every start", () => {
    const number = fc.double({ min: -3, max: 3, noNaN: true });
    holds(12, [fc.array(number, { minLength: 3, maxLength: 3 })], (start) => {
      const scales = f64([1, 10, 0.2]);
      const f = (x: NDArray): NDArray => np.sum(np.multiply(scales, np.square(np.subtract(x, 2))));
      expectClose(minimize(f, f64(start), optim.lbfgs<NDArray>(), 15), f64([2, 2, 2]), 1e-5);
    });
  });

  /** The inverse Hessian by the formula of BFGS on whole matrices, from the oldest pair to the newest. */
  function dense(pairs: readonly (readonly [s: number[], y: number[]])[], scale: number, g: number[]): number[] {
    const n = g.length;
    const dot = (a: number[], b: number[]): number => a.reduce((sum, x, i) => sum + x * b[i]!, 0);
    let H = Array.from({ length: n }, (_, i) => Array.from({ length: n }, (_, j) => (i === j ? scale : 0)));
    for (const [s, y] of pairs) {
      const rho = 1 / dot(s, y);
      const V = H.map((_, i) => H.map((_, j) => (i === j ? 1 : 0) - rho * s[i]! * y[j]!));
      const product = (A: number[][], B: number[][]): number[][] =>
        A.map((row) => B[0]!.map((_, j) => row.reduce((sum, x, k) => sum + x * B[k]![j]!, 0)));
      const transposed = V[0]!.map((_, j) => V.map((row) => row[j]!));
      H = product(product(V, H), transposed).map((row, i) => row.map((x, j) => x + rho * s[i]! * s[j]!));
    }
    return H.map((row) => dot(row, g));
  }

  test("multiplies by the matrix of BFGS, of the pairs that it remembers", () => {
    const t = optim.scaleByLbfgs<NDArray>({ memorySize: 3 });
    const xs = [
      [1, 2, -1],
      [0.5, 1, 0.3],
      [0.2, -0.4, 0.1],
      [0.1, 0.3, 0.2],
      [0.05, 0.1, -0.3],
      [0, 0.2, 0.1],
    ];
    const gradient = (x: number[]): number[] => [2 * x[0]! + x[1]!, x[0]! + 6 * x[1]!, x[2]! ** 3 + 3 * x[2]!];
    const pairs: [number[], number[]][] = [];
    let state = t.init(f64([0, 0, 0]));
    xs.forEach((x, i) => {
      const g = gradient(x);
      let updates: NDArray;
      [updates, state] = t.update(f64(g), state, f64(x));
      if (i > 0) {
        const before = gradient(xs[i - 1]!);
        pairs.push([x.map((v, k) => v - xs[i - 1]![k]!), g.map((v, k) => v - before[k]!)]);
      }
      const last = pairs.at(-1);
      const sum = (f: (k: number) => number): number => [0, 1, 2].reduce((s, k) => s + f(k), 0);
      const scale = last
        ? sum((k) => last[0][k]! * last[1][k]!) / sum((k) => last[1][k]! ** 2)
        : Math.min(1, 1 / Math.hypot(...g));
      expectClose(updates, f64(dense(pairs.slice(-3), scale, g)), 1e-9);
    });
  });

  test("works on trees, with a learning rate alone, and for many problems at once", () => {
    const f = (p: { a: NDArray; b: NDArray }): NDArray =>
      np.add(np.sum(np.square(p.a)), np.square(np.subtract(p.b, 4)));
    const optimizer = optim.lbfgs<{ a: NDArray; b: NDArray }>({ learningRate: 0.9, linesearch: null });
    let p = { a: f64([1, -3]), b: f64(0) };
    let state = optimizer.init(p);
    for (let i = 0; i < 12; i++) {
      const [updates, next] = optimizer.update(valueAndGrad(f)(p)[1], state, p);
      [p, state] = [optim.applyUpdates(p, updates), next];
    }
    expectClose(p, { a: f64([0, 0]), b: f64(4) }, 1e-6);
    const many = vmap((x: NDArray) => minimize(rosenbrock, x, optim.lbfgs<NDArray>(), 40));
    expectClose(
      many(
        f64([
          [-1.2, 1],
          [0, 0],
          [2, -1],
        ]),
      ),
      np.ones([3, 2], "float64"),
      1e-5,
    );
  });
});

describe("line searches", () => {
  const functions: Readonly<Record<string, (x: NDArray) => NDArray>> = {
    quadratic: (x) => np.sum(np.multiply(f64([3, 0.5]), np.square(x))),
    quartic: (x) => np.sum(np.power(np.subtract(x, 1), 4)),
    exponential: (x) => np.add(np.sum(np.exp(x)), np.sum(np.exp(np.negative(x)))),
    rosenbrock,
  };
  const number = fc.double({ min: -2, max: 2, noNaN: true });
  const starts = fc.tuple(number, number).filter(([a, b]) => Math.hypot(a, b) > 0.3 && Math.hypot(a - 1, b - 1) > 0.3);
  const lengths = fc.constantFrom(0.001, 0.3, 1, 20);
  const dot = (a: NDArray, b: NDArray): number => item(np.sum(np.multiply(a, b)));

  test.each(Object.entries(functions))("zoom: steps on %s satisfy the strong Wolfe conditions", (_, f) => {
    const t = optim.scaleByZoomLinesearch<NDArray>(40, { approxDecRtol: null, curvRtol: 0.5 });
    const search = jit((x: NDArray, length: NDArray) => {
      const [value, grad] = valueAndGrad(f)(x);
      const direction = np.multiply(np.negative(length), grad);
      const [updates, state] = t.update(direction, t.init(x), x, { value, grad, valueFn: f });
      return { updates, state, direction, value, grad };
    });
    holds(25, [starts, lengths], ([a, b], length) => {
      const x = f64([a, b]);
      const { updates, state, direction, value, grad } = search(x, f64(length));
      const slope = dot(grad, direction);
      const step = item(state.learningRate);
      expectClose(updates, np.multiply(step, direction), 1e-9);
      const [newValue, newGrad] = valueAndGrad(f)(np.add(x, updates));
      expect(item(newValue)).toBeLessThanOrEqual(item(value) + 1e-4 * step * slope + 1e-12);
      expect(Math.abs(dot(newGrad, direction))).toBeLessThanOrEqual(0.5 * Math.abs(slope) + 1e-12);
      // What the state keeps is what there is at the new parameters.
      expectClose([state.value, state.grad], [newValue, newGrad], 1e-9);
    });
  });

  test("backtracking: the step is the first of a geometric sequence that decreases enough", () => {
    const f = functions["rosenbrock"]!;
    const t = optim.scaleByBacktrackingLinesearch<NDArray>(60, {
      decreaseFactor: 0.7,
      maxLearningRate: 2,
      storeGrad: true,
    });
    const search = jit((x: NDArray) => {
      const [value, grad] = valueAndGrad(f)(x);
      return t.update(np.negative(grad), t.init(x), x, { value, grad, valueFn: f });
    });
    holds(25, [starts], ([a, b]) => {
      const x = f64([a, b]);
      const [value, grad] = valueAndGrad(f)(x);
      let step = 1.5;
      let tried = 1;
      const at = (s: number): NDArray => np.subtract(x, np.multiply(s, grad));
      for (; item(f(at(step))) > item(value) - 1e-4 * step * dot(grad, grad); tried++) step *= 0.7;
      const [updates, state] = search(x);
      expect(item(state.learningRate)).toBeCloseTo(step, 9);
      expect(item(state.info.numLinesearchSteps)).toBe(tried);
      expectClose(updates, np.multiply(-step, grad), 1e-9);
      expectClose([state.value, state.grad], valueAndGrad(f)(at(step)), 1e-6);
    });
  });

  test("do not step out of the domain", () => {
    const f = (x: NDArray): NDArray => np.sum(np.negative(np.log(np.subtract(1, x))));
    for (const t of [
      optim.scaleByBacktrackingLinesearch<NDArray>(5, { decreaseFactor: 0.9 }),
      optim.scaleByZoomLinesearch<NDArray>(3),
    ]) {
      const x = f64([0.9]);
      const [updates] = t.update(f64([1e6]), t.init(x) as never, x, { value: f(x), grad: f64([10]), valueFn: f });
      expect(list(updates)).toEqual([0]);
    }
  });

  test("take the best step that decreases where the curvature cannot be met", () => {
    const f = (x: NDArray): NDArray => np.sum(np.negative(x));
    const t = optim.scaleByZoomLinesearch<NDArray>(4);
    const x = f64([0]);
    const [updates, state] = t.update(f64([1]), t.init(x), x, { value: f(x), grad: f64([-1]), valueFn: f });
    expect([list(updates), item(state.learningRate)]).toEqual([[8], 8]);
    const bounded = optim.scaleByZoomLinesearch<NDArray>(9, 3);
    expect(list(bounded.update(f64([1]), bounded.init(x), x, { value: f(x), grad: f64([-1]), valueFn: f })[0])).toEqual(
      [3],
    );
  });

  test("mistakes are told", () => {
    const t = optim.scaleByZoomLinesearch<NDArray>(5);
    const x = f32([1]);
    expect(problemOf(() => t.update(x, t.init(x), x, { value: 1, grad: x } as never))).toMatchObject({
      kind: "ArgumentError",
      code: "NoExtraArgs",
    });
    expect(problemOf(() => t.update(x, t.init(x), undefined, { value: 1, grad: x, valueFn: np.sum })).code).toBe(
      "NoParams",
    );
    expect(problemOf(() => optim.scaleByZoomLinesearch(5, { initialGuessStrategy: "two" as never })).code).toBe(
      "InitialGuess",
    );
    expect(problemOf(() => optim.scaleByLbfgs({ memorySize: 0 })).code).toBe("MemorySize");
    const plain = optim.sgd<NDArray>(1);
    expect(
      problemOf(() => optim.valueAndGradFromState((p: NDArray) => np.sum(p))(x, { state: plain.init(x) })).code,
    ).toBe("NoStoredGradient");
  });

  test("parameters may be named value and grad", () => {
    const f = (p: { value: NDArray; grad: NDArray }): NDArray => np.sum(np.square(np.add(p.value, p.grad)));
    const p = { value: f32([3]), grad: f32([1]) };
    const optimizer = optim.lbfgs<typeof p>();
    const [value, gradient] = optim.valueAndGradFromState(f)(p, { state: optimizer.init(p) });
    expectClose([value, gradient], [f32(16), { value: f32([8]), grad: f32([8]) }], 1e-6);
  });
});
