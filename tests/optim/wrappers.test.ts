/** Transformations of transformations: what they hand on, and what they amount to. */
import fc from "fast-check";
import { describe, expect, expectTypeOf, test } from "vitest";
import type { NDArray } from "../../src/core/ndarray.ts";
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
  readonly b: NDArray;
}
const draw = (i: number, shape: number[]): NDArray => random.normal(random.foldIn(random.key(11), i), shape);
const params: Params = { w: draw(0, [4, 2]), b: draw(1, [2]) };
const gradients = (i: number): Params => ({ w: draw(2 * i + 2, [4, 2]), b: draw(2 * i + 3, [2]) });

/** The parameters after steps along given gradients. */
function follow(optimizer: optim.AnyTransformation<Params>, steps: number): Params {
  let [p, state]: [Params, unknown] = [params, optimizer.init(params)];
  for (let i = 0; i < steps; i++) {
    const [updates, next] = optimizer.update(gradients(i), state, p) as readonly [Params, unknown];
    [p, state] = [optim.applyUpdates(p, updates), next];
  }
  return p;
}

/** Takes the number that it is handed by name. */
const byExtra = <P>(): optim.GradientTransformationExtraArgs<P, optim.EmptyState, { readonly by: number }> =>
  optim.GradientTransformationExtraArgs<P, optim.EmptyState, { readonly by: number }>(
    optim.initEmptyState,
    (u, s, _, { by }) => [optim.tree.scale(by, u), s],
  );

describe("MultiSteps", () => {
  const x = draw(50, [12, 4]);
  const y = draw(51, [12, 2]);
  const loss = (p: Params, x: NDArray, y: NDArray): NDArray =>
    np.mean(np.square(np.subtract(np.add(np.matmul(x, p.w), p.b), y)));

  test("k equal parts of a batch do what the whole does", () => {
    const makers = [() => optim.adam<Params>(0.1), () => optim.sgd<Params>(0.1, 0.9), () => optim.lamb<Params>(0.1)];
    holds(9, [fc.constantFrom(1, 2, 3, 4, 6), fc.constantFrom(...makers)], (k, make) => {
      const whole = make();
      const parts = optim.MultiSteps(make() as optim.GradientTransformation<Params>, k);
      let [p, q]: [Params, Params] = [params, params];
      let [state, gathered]: [unknown, ReturnType<typeof parts.init>] = [whole.init(p), parts.init(q)];
      for (let step = 0; step < 3; step++) {
        const [u, s] = whole.update(grad(loss)(p, x, y), state as never, p) as readonly [Params, unknown];
        [p, state] = [optim.applyUpdates(p, u), s];
        for (let i = 0; i < k; i++) {
          const rows = [(i * 12) / k, ((i + 1) * 12) / k] as const;
          const [u, s] = parts.update(grad(loss)(q, x.slice([...rows]), y.slice([...rows])), gathered, q);
          if (i < k - 1) expect(item(optim.tree.norm(u))).toBe(0);
          expect(item(parts.hasUpdated(s))).toBe(i === k - 1 ? 1 : 0);
          [q, gathered] = [optim.applyUpdates(q, u), s];
        }
      }
      expectClose(q, p, 2e-6);
      expect(item(gathered.gradientStep)).toBe(3);
    });
  });

  test("leave out what they are told to, and say so", () => {
    const small: optim.ShouldSkipUpdateFunction<NDArray> = (u, n, p) => optim.skipLargeUpdates(u, n, p, 10);
    const t = optim.MultiSteps(optim.sgd<NDArray>(1), 2, { shouldSkipUpdateFn: small });
    let state = t.init(f32([0, 0]));
    const seen: unknown[] = [];
    for (const g of [
      [1, 1],
      [30, 0],
      [NaN, 0],
      [3, 0],
    ]) {
      let u: NDArray;
      [u, state] = t.update(f32(g), state);
      seen.push([list(u), item(state.miniStep), item((state.skipState as { shouldSkip: NDArray }).shouldSkip)]);
    }
    expect(seen).toEqual([
      [[0, 0], 1, 0],
      [[0, 0], 1, 1],
      [[0, 0], 1, 1],
      [[-2, -0.5], 0, 0],
    ]);
    expect(problemOf(() => optim.MultiSteps(optim.sgd(1), 0)).code).toBe("Period");
  });

  test("gather in float32 what comes in half precision", () => {
    const t = optim.MultiSteps(optim.sgd<NDArray>(1), 3);
    const half = (x: number): NDArray => np.astype(f32([x]), "float16");
    let state = t.init(half(0));
    expect(state.accGrads.dtype).toBe("float32");
    let u = half(0);
    for (const g of [2048, 1, 1]) [u, state] = t.update(half(g), state);
    expect([u.dtype, list(u)]).toEqual(["float16", [-683.5]]);
  });
});

describe("injectHyperparams", () => {
  const pairs: Readonly<Record<string, readonly [optim.AnyTransformation<Params>, optim.AnyTransformation<Params>]>> = {
    adam: [optim.adam(0.1, { b1: 0.8 }), optim.injectHyperparams(optim.adam<Params>)(0.1, { b1: 0.8 })],
    scheduled: [
      optim.sgd(optim.linearSchedule(1, 0.1, 4), 0.9),
      optim.injectHyperparams(optim.sgd<Params>)(optim.linearSchedule(1, 0.1, 4), { momentum: 0.9 }),
    ],
    named: [
      optim.rmsprop(0.05, 0.8),
      optim.injectHyperparams(optim.rmsprop<Params>, { argNames: ["learningRate", "decay"] })(0.05, 0.8),
    ],
    masked: [
      optim.adamw(0.1, { weightDecay: 0.1, mask: { w: true, b: false } }),
      optim.injectHyperparams(optim.adamw<Params>)(0.1, { weightDecay: 0.1, mask: { w: true, b: false } }),
    ],
    "of parts": [
      optim.chain(optim.clip<Params>(0.5), optim.adam<Params>(0.1)),
      optim.injectHyperparams((h: { readonly rate: NDArray | number }) =>
        optim.chain(optim.clip<Params>(0.5), optim.adam<Params>(h.rate)),
      )({ rate: 0.1 }),
    ],
  };
  test.each(Object.entries(pairs))("%s: equals the plain optimizer", (_, [plain, injected]) => {
    expectClose(follow(injected, 5), follow(plain, 5), 1e-6);
  });

  test("hyperparameters may change between steps, without another trace", () => {
    const optimizer = optim.injectHyperparams(optim.sgd<NDArray>)(1, { momentum: 0.5 });
    let traces = 0;
    const step = jit((g: NDArray, state: ReturnType<typeof optimizer.init>) => {
      traces++;
      return optimizer.update(g, state, g);
    });
    let state = optimizer.init(f32([0]));
    expect(lists(state.hyperparams)).toEqual([1, 0.5]);
    const rates = [1, 0.1, 0.01];
    const updates = rates.map((rate, i) => {
      state = optim.tree.set(state, { learningRate: np.array(rate, { dtype: "float32" }) });
      const [u, next] = step(f32([1]), state) as unknown as [NDArray, typeof state];
      state = next;
      expect(item(state.count)).toBe(i + 1);
      return item(u);
    });
    expect(updates).toEqual([-1, -0.15, -0.0175].map((x) => expect.closeTo(x, 6) as number));
    expect(traces).toBe(1);
  });

  test("schedules may have states, and see what an update is handed", () => {
    const byLoss: optim.StatefulSchedule<NDArray> = {
      init: () => f32(1),
      update: (rate, { value }) => np.where(np.greater(value as NDArray, 5), np.multiply(rate, 0.5), rate),
      value: (rate) => rate,
    };
    const optimizer = optim.injectStatefulHyperparams(optim.sgd<NDArray>)(byLoss as never);
    let state = optimizer.init(f32([0]));
    const withLoss = optimizer as optim.GradientTransformationExtraArgs<NDArray, typeof state>;
    const seen = [9, 9, 1, 1].map((value) => {
      let u: NDArray;
      [u, state] = withLoss.update(f32([1]), state, f32([0]), { value: f32(value) });
      return item(u);
    });
    expect(seen).toEqual([-1, -0.5, -0.25, -0.25]);
  });

  test("static parameters stay what they are; numbers by position need names", () => {
    const optimizer = optim.injectHyperparams(optim.adan<Params>, { staticArgs: ["b1", "b2", "b3"] })(0.1, {
      b1: 0.97,
    });
    expect(Object.keys(optimizer.init(params).hyperparams)).toEqual(["learningRate"]);
    expectClose(follow(optimizer, 3), follow(optim.adan(0.1, { b1: 0.97 }), 3), 1e-6);
    expect(problemOf(() => optim.injectHyperparams(optim.adam)(0.1, 0.9)).code).toBe("HyperparamName");
  });
});

describe("extra arguments", () => {
  test("reach all members of chains, masks, partitions and wrappers", () => {
    const wrapped: Readonly<Record<string, optim.AnyTransformationExtraArgs<Params>>> = {
      chain: optim.chain(optim.identity<Params>(), byExtra<Params>()),
      namedChain: optim.namedChain(["a", optim.identity<Params>()], ["b", byExtra<Params>()]),
      masked: optim.masked(byExtra<Params>(), { w: true, b: true }),
      partition: optim.partition<Params>({ all: byExtra<Params>() }, "all"),
      flatten: optim.flatten(byExtra<NDArray>()) as never,
      applyIfFinite: optim.applyIfFinite(byExtra<Params>(), 1),
      conditionallyTransform: optim.conditionallyTransform(byExtra<Params>(), () => true),
      conditionallyMask: optim.conditionallyMask(byExtra<Params>(), (_, { by }) => np.equal(by as number, 3), true),
      MultiSteps: optim.MultiSteps(byExtra<Params>(), 1),
      injected: optim.injectHyperparams((_: { readonly unused: number }) => byExtra<Params>())({ unused: 1 }),
      support: optim.withExtraArgsSupport(byExtra<Params>()),
    };
    for (const [name, t] of Object.entries(wrapped)) {
      const [updates] = t.update(gradients(0), t.init(params), params, { by: 3 }) as readonly [Params, unknown];
      expectClose(updates, optim.tree.scale(3, gradients(0)), 1e-6);
      expect(name.length).toBeGreaterThan(0);
    }
    const ignoring = optim.withExtraArgsSupport(optim.scale<Params>(2));
    expectClose(ignoring.update(params, {}, params, { value: 1 })[0], optim.tree.scale(2, params), 0);
  });

  test("are asked for by the types of what needs them, and only of that", () => {
    const needs = optim.chain(optim.scale<Params>(1), byExtra<Params>(), optim.contrib.reduceOnPlateau<Params>());
    expectTypeOf(needs.update).parameter(3).toExtend<{ readonly by: number }>();
    expectTypeOf(needs.update).parameter(3).toExtend<{ readonly value: unknown }>();
    // @ts-expect-error: the chain needs extra arguments, so it is no plain transformation
    const plain: optim.GradientTransformation<Params> = needs;
    expect(plain).toBe(needs);
    expectTypeOf(optim.chain(optim.scale<Params>(1), optim.adam<Params>(1))).toExtend<
      optim.AnyTransformation<Params>
    >();
    expectTypeOf(optim.masked(optim.adam<Params>(1), true)).toExtend<optim.AnyTransformation<Params>>();
    expectTypeOf(optim.lbfgs<Params>({ linesearch: null })).toExtend<optim.AnyTransformation<Params>>();
    expectTypeOf(optim.lookahead(optim.adam<Params>(1), 2, 0.5).update).returns.toExtend<
      readonly [optim.LookaheadParams<Params>, unknown]
    >();
  });

  test("that are missing are named", () => {
    const t = optim.contrib.reduceOnPlateau<NDArray>();
    const problem = problemOf(() => t.update(f32([1]), t.init(f32([1])), undefined, {} as never));
    expect([problem.code, problem.what]).toEqual(["NoExtraArgs", expect.stringContaining("value")]);
  });
});

describe("the monoid, with conditions and switches among its members", () => {
  const parts: readonly (() => optim.AnyTransformation<Params>)[] = [
    () => optim.applyIfFinite(optim.trace<Params>(0.9), 2),
    () => optim.conditionallyMask(optim.scale<Params>(-2), (n) => np.less(n, 2)),
    () => optim.MultiSteps(optim.adam<Params>(0.1), 2),
    () => optim.scaleByFactoredRms<Params>({ minDimSizeToFactor: 2 }),
    () => optim.scaleByLbfgs<Params>(),
    () => optim.selectiveTransform(optim.ema<Params>(0.5), { freezeMask: { w: false, b: true } }),
    () => optim.injectHyperparams(optim.sgd<Params>)(0.3),
  ];
  const part = fc.constantFrom(...parts);
  const { concat, empty } = optim.monoid;
  test("is associative, and has its identity on both sides", () => {
    holds(12, [part, part, part], (f, g, h) => {
      expectClose(follow(concat(concat(f(), g()), h()), 3), follow(concat(f(), concat(g(), h())), 3), 0);
      expectClose(follow(concat(empty, f()), 3), follow(f(), 3), 0);
      expectClose(follow(concat(f(), empty), 3), follow(f(), 3), 0);
    });
  });
});

describe("the laws of schedules", () => {
  const rates = fc.double({ min: 0.01, max: 2, noNaN: true });
  const schedule = fc.oneof(
    rates.map((v): optim.Schedule => optim.constantSchedule(v)),
    fc.tuple(rates, rates, fc.integer({ min: 1, max: 9 })).map(([a, b, n]) => optim.linearSchedule(a, b, n)),
    fc.tuple(rates, fc.integer({ min: 1, max: 9 })).map(([a, n]) => optim.cosineDecaySchedule(a, n)),
    fc.tuple(rates, fc.integer({ min: 1, max: 5 })).map(([a, n]) => optim.exponentialDecay(a, n, 0.7)),
  );
  const at = (s: optim.Schedule, n: number): number => item(np.asarray(s(i32(n))));
  const steps = fc.integer({ min: 0, max: 30 });
  const length = fc.integer({ min: 1, max: 10 });

  test("joining is associative, and each counts from its own boundary", () => {
    holds(40, [schedule, schedule, schedule, length, length, steps], (f, g, h, a, b, n) => {
      const left = optim.joinSchedules([optim.joinSchedules([f, g], [a]), h], [a + b]);
      const right = optim.joinSchedules([f, optim.joinSchedules([g, h], [b])], [a]);
      const flat = optim.joinSchedules([f, g, h], [a, a + b]);
      const wanted = n < a ? at(f, n) : n < a + b ? at(g, n - a) : at(h, n - a - b);
      for (const s of [left, right, flat]) expect(at(s, n)).toBe(wanted);
      expect(at(optim.joinSchedules([f], []), n)).toBe(at(f, n));
    });
  });

  test("scaling by two schedules is scaling by their product", () => {
    holds(15, [schedule, schedule], (f, g) => {
      const both = optim.chain(optim.scaleBySchedule<Params>(f), optim.scaleBySchedule<Params>(g));
      const product = optim.scaleBySchedule<Params>((n) => np.multiply(f(n), g(n)));
      expectClose(follow(both, 3), follow(product, 3), 1e-6);
    });
  });
});

describe("looking into states", () => {
  const optimizer = optim.chain(optim.trace<Params>(0.9), optim.adam<Params>(0.1));
  const state = optimizer.init(params);

  test("values are found by name, wherever they are", () => {
    expect(item(optim.tree.get(state, "count"))).toBe(0);
    expect(optim.tree.get(state, "nothing", 5)).toBe(5);
    const paths = (key: string): string[] => optim.tree.getAllWithPath(state, key).map(([path]) => tree.keystr(path));
    expect(paths("w")).toEqual(["[0].trace.w", "[1][0].mu.w", "[1][0].nu.w"]);
    expect(problemOf(() => optim.tree.get(state, "w"))).toMatchObject({ code: "AmbiguousKey" });
    const inTrace: optim.Filtering = (path) => tree.keystr(path).includes("trace");
    expectClose(optim.treeUtils.treeGet(state, "w", null, inTrace), np.zerosLike(params.w), 0);
  });

  test("values are replaced by name", () => {
    const next = optim.tree.set(state, { count: i32(7), trace: params });
    expect(item(next[1][0].count)).toBe(7);
    expect(next[0].trace).toBe(params);
    expect(next[1][0].mu.w).toBe(state[1][0].mu.w);
    const ones = optim.tree.set(state, { b: f32([1, 1]) }, (path) => tree.keystr(path).includes("mu"));
    expect([list(ones[1][0].mu.b), list(ones[1][0].nu.b)]).toEqual([
      [1, 1],
      [0, 0],
    ]);
    expect(problemOf(() => optim.tree.set(state, { counter: 1 })).code).toBe("UnknownKey");
  });

  test("functions of what is like the parameters leave counters alone", () => {
    const seen: unknown[] = [];
    const next = optim.treeMapParams(optimizer, (m: NDArray, p: NDArray) => np.add(m, p), state, params, {
      transformNonParams: (x: NDArray) => (seen.push(list(x)), x),
    });
    expectClose(next, [{ trace: params }, [{ count: i32(0), mu: params, nu: params }, {}]], 0);
    expect(seen).toEqual([0]);
  });

  test.each([
    ["masked", optim.masked(optim.trace<Params>(0.9), { w: true, b: false }), 1],
    ["partition", optim.partition<Params>({ a: optim.adam(1), b: optim.sgd(1) }, { w: "a", b: "b" }), 2],
    ["MultiSteps", optim.MultiSteps(optim.adam<Params>(1), 2), 6],
    ["factored", optim.scaleByFactoredRms<Params>(), 6],
    ["injected", optim.injectHyperparams(optim.adam<Params>)(0.1), 4],
    ["lbfgs", optim.scaleByLbfgs<Params>(), 8],
  ] as const)("they reach into %s", (_, t, count) => {
    let seen = 0;
    const s: unknown = t.init(params);
    const next = optim.tree.mapParams(t, (x: NDArray) => (seen++, x), s);
    expect(tree.structure(next).equals(tree.structure(s))).toBe(true);
    expect(seen).toBe(count);
  });

  test("the dtype of a tree", () => {
    const mixed = [np.zeros([1], "float16"), np.zeros([1], "float32")];
    expect(optim.tree.dtype([mixed[0]])).toBe("float16");
    expect([optim.tree.dtype(mixed, "lowest"), optim.tree.dtype(mixed, "highest")]).toEqual(["float16", "float32"]);
    expect(optim.tree.dtype([np.zeros([1], "float16"), np.zeros([1], "bfloat16")], "promote")).toBe("float32");
    expect(problemOf(() => optim.tree.dtype(mixed))).toMatchObject({ kind: "DTypeError", code: "MixedDTypes" });
    expect(
      problemOf(() => optim.tree.dtype([np.zeros([1], "float16"), np.zeros([1], "bfloat16")], "lowest")).code,
    ).toBe("MixedDTypes");
  });
});
