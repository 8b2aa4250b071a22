import { describe, expect, expectTypeOf, test } from "vitest";
import fc from "fast-check";
import { concatAll } from "fp-ts/lib/Monoid.js";
import type { NDArray } from "../../src/core/ndarray.ts";
import * as lax from "../../src/lax/index.ts";
import * as np from "../../src/numpy/index.ts";
import * as optim from "../../src/optim/index.ts";
import * as random from "../../src/random/index.ts";
import * as tree from "../../src/tree/index.ts";
import { grad } from "../../src/transforms/gradient.ts";
import { jit } from "../../src/transforms/jit.ts";
import { holds } from "../properties.ts";
import { expectClose, f32, i32, item, list, lists, problemOf } from "../support/arrays.ts";

interface Params {
  readonly w: NDArray;
  readonly layers: readonly [NDArray, { readonly b: NDArray }];
}
const key = random.key(1);
const like = (seed: number): Params => {
  const [a, b, c] = [0, 1, 2].map((i) => random.foldIn(random.key(seed), i));
  return { w: random.normal(a!, [3, 2]), layers: [random.normal(b!, [2]), { b: random.normal(c!, []) }] };
};
const params = like(1);
const gradients = like(2);

const optimizers: Readonly<Record<string, () => optim.AnyTransformation<Params>>> = {
  sgd: () => optim.sgd(0.1),
  momentum: () => optim.sgd(0.1, 0.9),
  nesterov: () => optim.sgd(0.1, { momentum: 0.9, nesterov: true }),
  scheduled: () => optim.sgd(optim.cosineDecaySchedule(0.1, 50)),
  adam: () => optim.adam(0.1),
  nadam: () => optim.nadam(0.1),
  adamw: () => optim.adamw(0.1),
  nadamw: () => optim.nadamw(0.1),
  amsgrad: () => optim.amsgrad(0.1),
  adamax: () => optim.adamax(0.1),
  adamaxw: () => optim.adamaxw(0.1),
  radam: () => optim.radam(0.1),
  adabelief: () => optim.adabelief(0.1),
  yogi: () => optim.yogi(0.1),
  lion: () => optim.lion(0.05),
  adan: () => optim.adan(0.1),
  novograd: () => optim.novograd(0.05),
  rmsprop: () => optim.rmsprop(0.05),
  centered: () => optim.rmsprop(0.05, { centered: true, momentum: 0.5, eps: 0.01 }),
  adagrad: () => optim.adagrad(0.5),
  adadelta: () => optim.adadelta({ learningRate: 20 }),
  lamb: () => optim.lamb(0.05),
  lars: () => optim.lars(20, { momentum: 0.5 }),
  fromage: () => optim.fromage(0.05),
  signSgd: () => optim.signSgd(0.02),
  signum: () => optim.signum(0.02),
  rprop: () => optim.rprop(0.05),
  optimistic: () => optim.optimisticGradientDescent(0.1),
  noisy: () => optim.noisySgd(0.1, { key }),
};

const quadratic = (p: Params): NDArray =>
  tree.leaves(p).reduce<NDArray>((sum, x: NDArray) => np.add(sum, np.sum(np.square(np.subtract(x, 1)))), f32(0));

describe.each(Object.entries(optimizers))("%s", (_, make) => {
  test("goes down", () => {
    const optimizer = make();
    let p = params;
    let state: unknown = optimizer.init(p);
    for (let i = 0; i < 60; i++) {
      const [updates, next] = optimizer.update(grad(quadratic)(p), state, p);
      p = optim.applyUpdates(p, updates);
      state = next;
    }
    expect(item(quadratic(p))).toBeLessThan(0.4 * item(quadratic(params)));
  });

  test("is the same under jit, and its state keeps its structure", () => {
    const optimizer = make();
    const state: unknown = optimizer.init(params);
    const plain = optimizer.update(gradients, state, params);
    const jitted = jit(optimizer.update)(gradients, state, params);
    expectClose(jitted, plain, 1e-5);
    expect(tree.structure(plain[1]).equals(tree.structure(state))).toBe(true);
    expect(tree.leaves(plain[1]).map((x: NDArray) => `${x.dtype}${x.shape.join()}`)).toEqual(
      tree.leaves(state).map((x: NDArray) => `${x.dtype}${x.shape.join()}`),
    );
  });

  test("can be the body of a scan", () => {
    const optimizer = make();
    const step = ([p, s]: [Params, unknown]): [[Params, unknown], NDArray] => {
      const [updates, next] = optimizer.update(grad(quadratic)(p), s, p);
      return [[optim.applyUpdates(p, updates), next], quadratic(p)];
    };
    const [, losses] = lax.scan(step as never, [params, optimizer.init(params)], null, { length: 3 });
    expect(losses.shape).toEqual([3]);
  });
});

describe("the monoid", () => {
  const parts: readonly (() => optim.AnyTransformation<Params>)[] = [
    () => optim.scale(-0.5),
    () => optim.clip(0.3),
    () => optim.clipByGlobalNorm(1),
    () => optim.trace(0.9),
    () => optim.scaleByAdam(),
    () => optim.addDecayedWeights(0.1),
    () => optim.identity(),
    () => optim.ema(0.5),
  ];
  const part = fc.constantFrom(...parts);
  /** The updates of three steps. */
  const run = (t: optim.AnyTransformation<Params>): unknown[] => {
    let state: unknown = t.init(params);
    return [2, 3, 4].map((seed) => {
      const [updates, next] = t.update(like(seed), state, params);
      state = next;
      return updates;
    });
  };
  const { concat, empty } = optim.monoid;

  test("is associative in its updates", () => {
    holds(25, [part, part, part], (f, g, h) => {
      expectClose(run(concat(concat(f(), g()), h())), run(concat(f(), concat(g(), h()))), 0);
      expectClose(run(optim.chain(f(), g(), h())), run(concatAll(optim.monoidOf<Params>())([f(), g(), h()])), 0);
    });
  });

  test("has the identity on both sides", () => {
    holds(15, [part], (f) => {
      expectClose(run(concat(empty, f())), run(f()), 0);
      expectClose(run(concat(f(), empty)), run(f()), 0);
    });
  });
});

describe("transformations", () => {
  test("clip by the norm of all leaves", () => {
    const [clipped] = optim.clipByGlobalNorm<Params>(0.5).update(gradients, {});
    expect(item(optim.globalNorm(clipped))).toBeCloseTo(0.5, 5);
    const [same] = optim.clipByGlobalNorm<Params>(100).update(gradients, {});
    expectClose(same, gradients, 0);
  });

  test("leave parameters without a gradient alone", () => {
    const t = optim.adam<{ a: NDArray | null; b: NDArray }>(0.1);
    const p = { a: null, b: f32([1]) };
    const [updates] = t.update({ a: null, b: f32([2]) }, t.init(p), p);
    expect(updates.a).toBe(null);
    expect(item(updates.b)).toBeCloseTo(-0.1, 5);
  });

  test("keep dtypes: moments of their own, updates of the gradients'", () => {
    const t = optim.scaleByAdam<NDArray>({ muDtype: "bfloat16" });
    const g = np.astype(f32([1, 2]), "float16");
    const state = t.init(g);
    expect([state.mu.dtype, state.nu.dtype]).toEqual(["bfloat16", "float16"]);
    const [, next] = t.update(g, state);
    expect([next.mu.dtype, next.nu.dtype]).toEqual(["bfloat16", "float16"]);
    expect(optim.applyUpdates(g, f32([1, 1])).dtype).toBe("float16");
  });

  test("need the parameters where they depend on them", () => {
    for (const t of [
      optim.addDecayedWeights<NDArray>(0.1),
      optim.scaleByTrustRatio<NDArray>(),
      optim.adamw<NDArray>(1),
    ])
      expect(problemOf(() => t.update(f32([1]), t.init(f32([1])) as never))).toMatchObject({
        kind: "ArgumentError",
        code: "NoParams",
      });
  });

  test("count up to the last integer", () => {
    expect(item(optim.safeIncrement(i32(2 ** 31 - 1)))).toBe(2 ** 31 - 1);
    expect(item(optim.safeIncrement(i32(5)))).toBe(6);
  });

  test("trees that do not fit name the place", () => {
    const t = optim.trace<unknown>(0.9);
    const wrong = (): unknown => t.update({ w: f32([1]) }, t.init({ v: f32([1]) }));
    expect(problemOf(wrong)).toMatchObject({ kind: "TreeError", code: "TreeMismatch" });
  });

  test("add noise from a key that moves on", () => {
    const t = optim.addNoise<NDArray>(1, 0, random.key(0));
    const [a, state] = t.update(np.zeros([3]), t.init(np.zeros([3])));
    const [b] = t.update(np.zeros([3]), state);
    expect(list(a)).not.toEqual(list(b));
  });

  test("zero NaNs and remember them", () => {
    const t = optim.zeroNans<NDArray>();
    const [updates, state] = t.update(f32([1, NaN]), t.init(f32([0, 0])));
    expect(list(updates)).toEqual([1, 0]);
    expect(lists(state)).toEqual([1]);
  });
});

describe("types", () => {
  test("flow through states, chains and updates", () => {
    const t = optim.chain(optim.clip<Params>(1), optim.trace<Params>(0.9), optim.scaleByAdam<Params>());
    type State = readonly [optim.EmptyState, optim.TraceState<Params>, optim.MomentState<Params>];
    expectTypeOf(t.init).returns.toEqualTypeOf<State>();
    expectTypeOf(t.update).returns.toEqualTypeOf<readonly [Params, State]>();
    expectTypeOf(optim.applyUpdates(params, gradients).layers[1].b).toEqualTypeOf<NDArray>();
    expectTypeOf(optim.adam<Params>(0.1).init(params)[0].mu).toEqualTypeOf<Params>();
    // Without the type of the parameters, any tree will do.
    expectTypeOf(optim.adam(0.1).update).parameter(0).toEqualTypeOf<unknown>();
  });
});

describe("masks and partitions", () => {
  const p = { a: f32([1]), b: { c: f32([2]), d: f32([3]) } };
  type P = typeof p;

  test("transform some parameters, by a prefix or a function", () => {
    const masks: optim.Mask<P>[] = [{ a: true, b: false }, (t: P) => ({ a: t.a.shape.length === 1, b: false })];
    for (const mask of masks) {
      const t = optim.masked(optim.scale<P>(10), mask);
      expect(lists(t.update(p, t.init(p))[0])).toEqual([[10], [2], [3]]);
    }
  });

  test("keep no state for the others", () => {
    const t = optim.masked(optim.trace<P>(0.9), { a: true, b: { c: false, d: true } });
    expect(tree.leaves(t.init(p)).length).toBe(2);
    expectClose(t.update(p, t.init(p))[0], p, 0);
  });

  test("decay only what the mask says", () => {
    for (const t of [
      optim.addDecayedWeights<P>(1, { a: true, b: false }),
      optim.addDecayedWeights<P>({ weightDecay: 1, mask: { a: true, b: false } }),
    ])
      expect(lists(t.update(p, t.init(p), p)[0])).toEqual([[2], [2], [3]]);
  });

  test("split by label, and work under jit", () => {
    const t = optim.partition<P>({ slow: optim.scale(1), fast: optim.adam(1) }, { a: "slow", b: "fast" });
    const [updates, state] = jit((g: P, s: unknown) => t.update(g, s as never))(p, t.init(p));
    expect(lists(updates)).toEqual([[1], [expect.closeTo(-1, 4)], [expect.closeTo(-1, 4)]]);
    expect(tree.structure(state).equals(tree.structure(t.init(p)))).toBe(true);
    expect(problemOf(() => optim.partition<P>({ x: optim.scale(1) }, { a: "x", b: "y" }).init(p)).code).toBe(
      "UnknownLabel",
    );
  });

  test("freeze", () => {
    const t = optim.freeze<P>({ a: false, b: true });
    expect(lists(t.update(p, t.init(p))[0])).toEqual([[1], [0], [0]]);
  });
});

describe("trees", () => {
  test("norms, sums and products", () => {
    const t = { a: f32([3, -4]), b: f32(12) };
    expect(item(optim.tree.norm(t))).toBe(13);
    expect(item(optim.tree.norm(t, { squared: true }))).toBe(169);
    expect(item(optim.tree.norm(t, 1))).toBe(19);
    expect(item(optim.tree.norm(t, Infinity))).toBe(12);
    expect(item(optim.tree.vdot(t, t))).toBe(169);
    expect(item(optim.tree.sum(t))).toBe(11);
    expect(item(optim.tree.max({}))).toBe(-Infinity);
    expect(optim.tree.size(t)).toBe(3);
    expect(problemOf(() => optim.tree.norm(t, 3)).code).toBe("NormOrder");
    expect(lists(optim.tree.add(t, t, t))).toEqual([[9, -12], 36]);
    expect(lists(optim.tree.where(true, t, optim.tree.zerosLike(t)))).toEqual([[3, -4], 12]);
  });

  test("averages of parameters", () => {
    expect(lists(optim.incrementalUpdate([f32(10)], [f32(0)], 0.1))).toEqual([expect.closeTo(1, 6)]);
    expect(lists(optim.periodicUpdate([f32(10)], [f32(0)], 3, 2))).toEqual([0]);
  });
});

describe("projections", () => {
  const vectors = fc.array(fc.float({ min: -10, max: 10, noNaN: true }), { minLength: 1, maxLength: 6 });
  const { projections } = optim;

  test("onto the simplex give its nearest point", () => {
    holds(60, [vectors, vectors], (x, other) => {
      const y = list(projections.projectionSimplex(f32(x))) as number[];
      expect(y.reduce((a, b) => a + b)).toBeCloseTo(1, 4);
      expect(Math.min(...y)).toBeGreaterThanOrEqual(0);
      // No other point of the simplex is nearer.
      const z = list(projections.projectionSimplex(f32(x.map((_, i) => other[i] ?? 0)))) as number[];
      const distance = (p: number[]): number => Math.hypot(...p.map((v, i) => v - x[i]!));
      expect(distance(y)).toBeLessThanOrEqual(distance(z) + 1e-4);
    });
  });

  test("are idempotent", () => {
    const sets: readonly ((x: NDArray) => NDArray)[] = [
      (x) => projections.projectionSimplex(x),
      (x) => projections.projectionL1Ball(x),
      (x) => projections.projectionL2Ball(x, 2),
      (x) => projections.projectionL2Sphere(x),
      (x) => projections.projectionLinfBall(x),
      (x) => projections.projectionHypercube(x),
      (x) => projections.projectionNonNegative(x),
      (x) => projections.projectionBox(x, -1, 2),
      (x) => projections.projectionHalfspace(x, np.onesLike(x), 1),
      (x) => projections.projectionHyperplane(x, np.onesLike(x), 1),
    ];
    holds(40, [vectors.filter((v) => Math.hypot(...v) > 0.1), fc.constantFrom(...sets)], (v, project) => {
      const once = project(f32(v));
      expectClose(project(once), once, 1e-4);
    });
  });
});
