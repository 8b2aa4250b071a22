/** Penalties, loss scaling and what mixed precision needs besides. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { NDArray } from "../../src/core/ndarray.ts";
import * as nn from "../../src/nn/index.ts";
import * as np from "../../src/numpy/index.ts";
import * as optim from "../../src/optim/index.ts";
import * as tree from "../../src/tree/index.ts";
import { grad, valueAndGrad } from "../../src/transforms/gradient.ts";
import { jit } from "../../src/transforms/jit.ts";
import { holds } from "../properties.ts";
import { expectClose, f32, item, list, lists, problemOf } from "../support/arrays.ts";

const params = { a: f32([1, -2]), b: { c: f32([[3], [-4]]), d: f32(-5) } };
type P = typeof params;

describe("penalties", () => {
  test("are sums over the leaves that count", () => {
    expect(item(optim.l1Penalty(params))).toBe(15);
    expect(item(optim.l2Penalty(params))).toBe(27.5);
    expect(item(optim.l1Penalty(params, 0.5, { a: true, b: { c: true, d: false } }))).toBe(5);
    expect(item(optim.l2Penalty(params, { mask: { a: false, b: true }, scale: 2 }))).toBe(50);
    const matrices = (p: P): unknown => tree.map((x: NDArray) => x.ndim > 1, p);
    expect(item(optim.l1Penalty(params, { mask: matrices }))).toBe(7);
    expect(item(optim.l1Penalty(params, { mask: false }))).toBe(0);
  });

  test("have the gradients of weight decay and of its signs", () => {
    const mask = { a: true, b: { c: true, d: false } };
    const decay = optim.addDecayedWeights<P>(0.3, mask);
    const zeros = optim.tree.zerosLike(params);
    const [wanted] = decay.update(zeros, decay.init(params), params);
    expectClose(jit(grad((p: P) => optim.l2Penalty(p, 0.3, mask)))(params), wanted, 1e-6);
    const signs = grad((p: P) => optim.l1Penalty(p, 0.3, mask))(params);
    expectClose(signs, { a: f32([0.3, -0.3]), b: { c: f32([[0.3], [-0.3]]), d: f32(0) } }, 1e-6);
  });
});

describe("loss scaling", () => {
  test("what is scaled and unscaled is what it was, and half precision becomes float32", () => {
    const scales = [optim.noOpLossScale(), optim.staticLossScale(128), optim.dynamicLossScale(1024)];
    for (const s of scales as optim.LossScale[]) {
      const state = s.init();
      expectClose(s.unscale(state, s.scale(state, params)), params, 1e-6);
    }
    const s = optim.staticLossScale(8);
    expect(s.scale(s.init(), { x: np.ones([1], "float16") }).x.dtype).toBe("float32");
    const fixed = optim.staticLossScale(8);
    expect(lists(fixed.adjust(fixed.init(), false))).toEqual([8]);
  });

  test("the dynamic scale follows its definition, under jit", () => {
    const [period, factor, least] = [3, 2, 4];
    const s = optim.dynamicLossScale(16, { period, factor, minLossScale: least });
    const adjust = jit((state: optim.DynamicLossScaleState, finite: NDArray) => s.adjust(state, finite));
    holds(40, [fc.array(fc.boolean(), { minLength: 1, maxLength: 20 })], (finite) => {
      let state: optim.DynamicLossScaleState = s.init();
      let [scale, counter] = [16, 0];
      for (const f of finite) {
        state = adjust(state, np.array(f));
        if (!f) [scale, counter] = [Math.max(least, scale / factor), 0];
        else if (counter === period - 1) [scale, counter] = [scale * factor, 0];
        else counter++;
        expect(lists([state.lossScale, state.counter])).toEqual([scale, counter]);
      }
    });
  });

  test("it does not grow to infinity, and impossible ones are refused", () => {
    const s = optim.dynamicLossScale(2 ** 127, { period: 1 });
    expect(item(s.adjust(s.init(), true).lossScale)).toBe(2 ** 127);
    expect(problemOf(() => optim.dynamicLossScale(1, { factor: 1 })).code).toBe("LossScale");
    expect(problemOf(() => optim.dynamicLossScale(1, 0)).code).toBe("LossScale");
  });

  test("keeps small gradients of float16 from vanishing, and skips what overflows", () => {
    const policy = nn.precisionPolicy("params=float32,compute=float16,output=float32");
    const loss = (w: NDArray): NDArray => {
      const x = policy.castToCompute(w);
      return policy.castToOutput(np.multiply(np.square(x), 1e-5).sum());
    };
    const w = f32([0.0009]);
    const exact = 2 * 0.0009 * 1e-5;
    const scaling = optim.dynamicLossScale(2 ** 15);
    const step = jit((w: NDArray, state: optim.DynamicLossScaleState) => {
      const [, scaled] = valueAndGrad((w: NDArray) => scaling.scale(state, loss(w)))(w);
      const gradient = scaling.unscale(state, scaled);
      const finite = optim.allFinite(gradient);
      const next = optim.selectTree(finite, np.subtract(w, gradient), w);
      return [next, scaling.adjust(state, finite), gradient] as const;
    });
    const [, , gradient] = step(w, scaling.init()) as unknown as [NDArray, unknown, NDArray];
    // Without scaling it vanishes in float16.
    expect(item(grad(loss)(w))).toBe(0);
    expect(item(gradient)).toBeGreaterThan(0.9 * exact);
    expect(item(gradient)).toBeLessThan(1.1 * exact);
    const huge = { lossScale: f32(1e38), counter: np.zeros([], "int32") };
    const [same, smaller] = step(f32([60000]), huge) as unknown as [NDArray, optim.DynamicLossScaleState];
    expect([list(same), item(smaller.lossScale) / 5e37]).toEqual([[60000], expect.closeTo(1, 5)]);
  });

  test("trees are finite if all of their elements are", () => {
    expect(item(optim.allFinite({}))).toBe(1);
    expect(item(optim.allFinite(params))).toBe(1);
    expect(item(optim.allFinite({ ...params, e: f32([1, NaN]) }))).toBe(0);
    expect(item(optim.allFinite([np.arange(3), f32(-Infinity)]))).toBe(0);
    expect(problemOf(() => optim.selectTree(np.array([true, false]), 1, 2)).code).toBe("Predicate");
  });
});
