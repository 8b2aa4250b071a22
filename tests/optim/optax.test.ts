/**
 * Against optax itself: the parameters after each of some steps, in 64-bit floats. tests/optim/optax.json holds what
 * optax gave for the same loss, start and options; the runs are written here as they were there.
 */
import { describe, expect, test } from "vitest";
import type { NDArray } from "../../src/core/ndarray.ts";
import * as np from "../../src/numpy/index.ts";
import * as optim from "../../src/optim/index.ts";
import * as tree from "../../src/tree/index.ts";
import { grad, valueAndGrad } from "../../src/transforms/gradient.ts";
import { jit } from "../../src/transforms/jit.ts";
import { expectClose, f64, list } from "../support/arrays.ts";
import reference from "./optax.json" with { type: "json" };

interface Params {
  readonly b: NDArray;
  readonly w: NDArray;
}
const matrix = (rows: number[][]): NDArray => f64(rows);
const params: Params = {
  b: f64([0.5, -1, 2]),
  w: matrix([
    [1, -2],
    [0.3, 0.7],
    [-0.4, 1.5],
  ]),
};
const target: Params = {
  b: f64([1, 0, -1]),
  w: matrix([
    [0, 1],
    [2, -1],
    [0.5, 0.5],
  ]),
};
const weights: Params = {
  b: f64([1, 2, 0.5]),
  w: matrix([
    [3, 1],
    [0.2, 1],
    [1, 2],
  ]),
};
const lossOf = (p: Params): NDArray =>
  (["b", "w"] as const)
    .map((k) => {
      const e = np.subtract(p[k], target[k]);
      const bowl = np.multiply(np.multiply(0.5, weights[k]), np.square(e));
      return np.sum(np.add(bowl, np.multiply(0.125, np.power(e, 4))));
    })
    .reduce((a, b) => np.add(a, b));

const flat = (t: unknown): number[] =>
  tree.leaves(t).flatMap((x: NDArray) => (list(np.ravel(x)) as number[]).map((v) => v));
// Powers of these are exact in float32, in which counters and decays meet here; in JAX's 64-bit mode they meet in float64.
const halves = { adamB1: 0.5, adamB2: 0.75 } as const;
const wide = { accumulatorDtype: "float64" } as const;
const schedule = (n: NDArray): NDArray => np.add(n, 1);
const every = (n: NDArray): NDArray => np.equal(np.remainder(n, 2), 0);
const uphill = (): optim.AnyTransformation<Params> => optim.chain(optim.contrib.normalize<Params>(), optim.sgd(0.05));

interface Run {
  readonly optimizer: optim.AnyTransformationExtraArgs<Params>;
  /** The steps whose gradients are not finite. */
  readonly bad?: readonly number[];
}
const runs: Readonly<Record<string, Run>> = {
  adafactor: { optimizer: optim.adafactor(0.1) },
  "adafactor factored": {
    optimizer: optim.adafactor(0.1, {
      minDimSizeToFactor: 2,
      momentum: 0.5,
      dtypeMomentum: "float64",
      weightDecayRate: 0.01,
    }),
  },
  "adafactor relative": {
    optimizer: optim.adafactor({ minDimSizeToFactor: 2, clippingThreshold: null, decayOffset: -2 }),
  },
  scaleByFactoredRms: {
    optimizer: optim.chain(
      optim.scaleByFactoredRms<Params>({ minDimSizeToFactor: 2, decayRate: 0.6 }),
      optim.scale<Params>(-0.1),
    ),
  },
  lbfgs: { optimizer: optim.lbfgs<Params>() },
  "lbfgs memory": { optimizer: optim.lbfgs<Params>({ memorySize: 2, scaleInitPrecond: false }) },
  "lbfgs plain": { optimizer: optim.lbfgs<Params>(0.5, { memorySize: 3, linesearch: null }) },
  zoom: { optimizer: optim.chain(optim.sgd<Params>(1), optim.scaleByZoomLinesearch<Params>(20)) },
  "zoom options": {
    optimizer: optim.chain(
      optim.sgd<Params>(0.01),
      optim.scaleByZoomLinesearch<Params>(20, {
        maxLearningRate: 50,
        curvRtol: 0.1,
        increaseFactor: 3,
        approxDecRtol: null,
        initialGuessStrategy: "one",
      }),
    ),
  },
  backtracking: { optimizer: optim.chain(optim.sgd<Params>(1), optim.scaleByBacktrackingLinesearch<Params>(15)) },
  "backtracking options": {
    optimizer: optim.chain(
      optim.sgd<Params>(1),
      optim.scaleByBacktrackingLinesearch<Params>(15, 0.3, 0.5, 2, 4, { rtol: 0.01, storeGrad: true }),
    ),
  },
  MultiSteps: { optimizer: optim.MultiSteps(optim.adam<Params>(0.1, 0.5, 0.75), 3, wide) },
  "MultiSteps sum": {
    optimizer: optim.MultiSteps(optim.adam<Params>(0.1, 0.5, 0.75), schedule as optim.Schedule, {
      useGradMean: false,
      ...wide,
    }),
  },
  "MultiSteps skip": {
    optimizer: optim.MultiSteps(optim.sgd<Params>(0.1), 2, { shouldSkipUpdateFn: optim.skipNotFinite, ...wide }),
    bad: [1, 4],
  },
  applyIfFinite: { optimizer: optim.applyIfFinite(optim.adam<Params>(0.1, 0.5, 0.75), 2), bad: [1, 3] },
  conditionallyTransform: { optimizer: optim.conditionallyTransform(optim.adam<Params>(-0.1, 0.5, 0.75), every) },
  conditionallyMask: { optimizer: optim.conditionallyMask(optim.adam<Params>(0.1, 0.5, 0.75), every) },
  flatten: { optimizer: optim.flatten(optim.lars<NDArray>(0.5)) as optim.AnyTransformation<Params> },
  selectiveTransform: {
    optimizer: optim.selectiveTransform(optim.adam<Params>(0.1, 0.5, 0.75), { freezeMask: { b: true, w: false } }),
  },
  injectHyperparams: {
    optimizer: optim.injectHyperparams(optim.adamw<Params>)(optim.linearSchedule(0.3, 0.1, 4), {
      b1: 0.5,
      b2: 0.75,
      weightDecay: 0.01,
    }),
  },
  muon: { optimizer: optim.contrib.muon(0.1, { ...halves, beta: 0.75 }) },
  "muon options": {
    optimizer: optim.contrib.muon(0.1, {
      ...halves,
      nsSteps: 4,
      beta: 0.5,
      weightDecay: 0.01,
      nesterov: false,
      adaptive: true,
      consistentRms: 0.2,
      adamLearningRate: 0.05,
    }),
  },
  "muon dion aol": {
    optimizer: optim.contrib.muon(0.1, { ...halves, beta: 0.75, nsCoeffs: "dion", preconditioning: "aol" }),
  },
  "muon schatten": { optimizer: optim.contrib.muon(0.1, { ...halves, beta: 0.75, preconditioning: "schatten" }) },
  sam: { optimizer: optim.contrib.sam(optim.adam<Params>(0.1, 0.5, 0.75), uphill()) },
  "sam three": {
    optimizer: optim.contrib.sam(optim.sgd<Params>(0.05), optim.sgd<Params>(0.01, 0.9), 3, false),
  },
  "sam opaque": {
    optimizer: optim.contrib.sam(optim.adam<Params>(0.1, 0.5, 0.75), uphill(), { opaqueMode: true, syncPeriod: 3 }),
  },
};

const cases = reference.cases as Readonly<Record<string, readonly (readonly number[])[]>>;

describe.each(Object.entries(runs))("%s", (name, { optimizer, bad = [] }) => {
  test("takes the steps that optax takes, under jit", () => {
    type Step = (p: Params, state: unknown, poison: NDArray) => readonly [Params, unknown];
    const step: Step = jit((p: Params, state: unknown, poison: NDArray) => {
      const [value, exact] = valueAndGrad(lossOf)(p);
      const gradients: Params = tree.map((g: NDArray) => np.add(g, poison), exact);
      const extra = { value, grad: gradients, valueFn: lossOf, gradFn: (q: Params) => grad(lossOf)(q) };
      const [updates, next] = optimizer.update(gradients, state, p, extra) as readonly [Params, unknown];
      return [optim.applyUpdates(p, updates), next] as const;
    });
    let [p, state]: readonly [Params, unknown] = [params, optimizer.init(params)];
    expect(cases[name]!.length).toBeGreaterThan(1);
    cases[name]!.forEach((wanted, i) => {
      [p, state] = step(p, state, f64(bad.includes(i) ? NaN : 0));
      expectClose(f64(flat(p)), f64([...wanted]), 1e-6);
    });
  });
});

describe.each([
  ["lookahead", false],
  ["lookahead reset", true],
])("%s", (name, resetState) => {
  test("moves fast and slow parameters as optax does", () => {
    const optimizer = optim.lookahead(optim.adam<Params>(0.1, 0.5, 0.75), 3, 0.4, { resetState });
    const step = jit((p: optim.LookaheadParams<Params>, state: ReturnType<typeof optimizer.init>) => {
      const [updates, next] = optimizer.update(grad(lossOf)(p.fast), state, p);
      return [optim.applyUpdates(p, updates), next] as const;
    });
    let p = optim.LookaheadParams.initSynced(params);
    let state = optimizer.init(p);
    cases[name]!.forEach((wanted) => {
      [p, state] = step(p, state) as unknown as readonly [typeof p, typeof state];
      expectClose(f64([...flat(p.fast), ...flat(p.slow)]), f64([...wanted]), 1e-6);
    });
  });
});

describe.each([
  ["plateau", { factor: 0.5, patience: 2 }],
  [
    "plateau options",
    { factor: 0.2, patience: 1, rtol: 0, atol: 0.05, cooldown: 2, accumulationSize: 2, minScale: 0.05 },
  ],
] as const)("%s", (name, options) => {
  test("changes its scale as optax does", () => {
    const t = optim.contrib.reduceOnPlateau<Params>(options);
    const update = jit((state: optim.OptState, value: NDArray) =>
      t.update(params, state as never, undefined, { value }),
    ) as unknown as (state: unknown, value: NDArray) => readonly [Params, Record<string, NDArray>];
    const values = [5, 4, 4, 4, 4, 3.9, 3.9, 3.9, 3.9, 3.9, 3.9, 3.9, 3, 3, 3, 3];
    let state: unknown = t.init(params);
    values.forEach((value, i) => {
      const [updates, next] = update(state, f64(value));
      state = next;
      const found = ["scale", "bestValue", "plateauCount", "cooldownCount", "count", "avgValue"].map(
        (key) => list(next[key]) as number,
      );
      expect(found.map((x) => (Number.isFinite(x) ? x : 1e9))).toEqual(
        cases[name]![i]!.map((x) => expect.closeTo(x, 8) as number),
      );
      expectClose(updates.b, np.multiply(found[0]!, params.b), 1e-9);
    });
  });
});

test("every reference is looked at", () => {
  const looked = [...Object.keys(runs), "lookahead", "lookahead reset", "plateau", "plateau options"];
  expect(looked.sort()).toEqual(Object.keys(cases).sort());
});
