/**
 * One table of all optimizers that came after tests/optim/optimizers.test.ts: each trains under jit, on wasm, on a quadratic and
 * on a logistic loss, in one compiled step that is the same for every step.
 */
import { describe, expect, test } from "vitest";
import type { NDArray } from "../../src/core/ndarray.ts";
import * as np from "../../src/numpy/index.ts";
import * as optim from "../../src/optim/index.ts";
import * as random from "../../src/random/index.ts";
import * as tree from "../../src/tree/index.ts";
import { init } from "../../src/index.ts";
import { grad, valueAndGrad } from "../../src/transforms/gradient.ts";
import { jit } from "../../src/transforms/jit.ts";
import { expectClose, f32, item } from "../support/arrays.ts";
import { onDevice } from "../support/devices.ts";

interface Params {
  readonly w: NDArray;
  readonly b: NDArray;
}
const draw = (i: number, shape: number[]): NDArray => random.normal(random.foldIn(random.key(7), i), shape);
const start: Params = { w: draw(0, [6, 3]), b: draw(1, [3]) };

const quadratic = (p: Params): NDArray =>
  np.add(np.sum(np.square(np.subtract(p.w, 1))), np.multiply(2, np.sum(np.square(np.add(p.b, 0.5)))));
const inputs = draw(2, [24, 6]);
const labels = np.argmax(np.matmul(inputs, draw(3, [6, 3])), -1);
const logistic = (p: Params): NDArray =>
  np.mean(optim.softmaxCrossEntropyWithIntegerLabels(np.add(np.matmul(inputs, p.w), p.b), labels));

const uphill = (): optim.AnyTransformation<Params> => optim.chain(optim.contrib.normalize<Params>(), optim.sgd(0.05));
type Any = optim.AnyTransformationExtraArgs<Params>;
const optimizers: Readonly<Record<string, () => Any>> = {
  adafactor: () => optim.adafactor(0.1),
  factored: () => optim.adafactor({ learningRate: 0.1, minDimSizeToFactor: 2, momentum: 0.5, weightDecayRate: 1e-4 }),
  lbfgs: () => optim.lbfgs<Params>(),
  "lbfgs without line search": () => optim.lbfgs<Params>(0.3, { linesearch: null, memorySize: 3 }),
  zoom: () => optim.chain(optim.sgd<Params>(1), optim.scaleByZoomLinesearch<Params>(15)),
  backtracking: () =>
    optim.chain(optim.sgd<Params>(1), optim.scaleByBacktrackingLinesearch<Params>(15, { storeGrad: true })),
  MultiSteps: () => optim.MultiSteps(optim.adam<Params>(0.3), 2, { shouldSkipUpdateFn: optim.skipNotFinite }),
  applyIfFinite: () => optim.applyIfFinite(optim.adam<Params>(0.2), 3),
  conditionallyTransform: () =>
    optim.chain(
      optim.sgd<Params>(0.05),
      optim.conditionallyTransform(optim.scale<Params>(2), (n) => n.less(9)),
    ),
  conditionallyMask: () => optim.conditionallyMask(optim.adam<Params>(0.3), (n) => np.equal(np.remainder(n, 2), 0)),
  flatten: () => optim.flatten(optim.adam<NDArray>(0.2)) as Any,
  injected: () => optim.injectHyperparams(optim.adamw<Params>)(optim.linearSchedule(0.3, 0.1, 20), { b1: 0.8 }),
  muon: () => optim.contrib.muon(0.1),
  "muon aol": () =>
    optim.contrib.muon(0.1, { preconditioning: "aol", nsCoeffs: "dion", adaptive: true, consistentRms: 0.2 }),
  "muon schatten": () => optim.contrib.muon(0.1, { preconditioning: "schatten", weightDecay: 1e-3 }),
  sam: () => optim.contrib.sam(optim.adam<Params>(0.3), uphill()),
  "sam, opaque": () => optim.contrib.sam(optim.adam<Params>(0.2), uphill(), { opaqueMode: true, syncPeriod: 3 }),
  reduceOnPlateau: () =>
    optim.chain(optim.adam<Params>(0.2), optim.contrib.reduceOnPlateau({ patience: 2, factor: 0.5 })),
};

/** A compiled step that hands every transformation all that any needs. */
const stepOf = (
  optimizer: Any,
  loss: (p: Params) => NDArray,
): ((p: Params, state: unknown) => readonly [Params, unknown]) =>
  jit((p: Params, state: unknown) => {
    const [value, gradients] = valueAndGrad(loss)(p);
    const extra = { value, grad: gradients, valueFn: loss, gradFn: (q: Params) => grad(loss)(q) };
    const [updates, next] = optimizer.update(gradients, state, p, extra) as [Params, unknown];
    return [optim.applyUpdates(p, updates), next] as const;
  });

const types = (t: unknown): string[] =>
  tree.leaves(t).map((x: NDArray) => `${x.dtype}[${x.shape.join()}]${x.weakType}`);

describe.each(Object.entries(optimizers))("%s", (_, make) => {
  test.each([
    ["a quadratic", quadratic, 0.2],
    ["a logistic loss", logistic, 0.6],
  ] as const)("reduces %s, by a step that keeps the type of its state", (_, loss, part) => {
    const optimizer = make();
    const step = stepOf(optimizer, loss);
    let [p, state]: readonly [Params, unknown] = [start, optimizer.init(start)];
    const before = types(state);
    for (let i = 0; i < 40; i++) [p, state] = step(p, state);
    expect(item(loss(p))).toBeLessThan(part * item(loss(start)));
    expect(types(state)).toEqual(before);
    expect(tree.structure(state).equals(tree.structure(optimizer.init(start)))).toBe(true);
  });
});

test("on a GPU the first steps are those on wasm", { timeout: 240_000 }, async () => {
  await init("webgpu");
  const few = ["factored", "lbfgs", "MultiSteps", "injected", "muon", "sam"];
  for (const name of few) {
    const run = (): Params => {
      const optimizer = optimizers[name]!();
      const step = stepOf(optimizer, quadratic);
      let [p, state]: readonly [Params, unknown] = [start, optimizer.init(start)];
      for (let i = 0; i < 3; i++) [p, state] = step(p, state);
      return p;
    };
    const wanted = onDevice("wasm", run);
    const found = onDevice("webgpu", run);
    const values = [...(await found.w.data()), ...(await found.b.data())] as number[];
    onDevice("wasm", () => expectClose(f32(values), np.concatenate([np.ravel(wanted.w), wanted.b]), 1e-5));
  }
});
