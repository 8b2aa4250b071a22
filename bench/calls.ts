/**
 * What a call costs, what tracing costs.
 *
 * What limits each: an eager operation is argument checks, one `infer`, one loop, and three allocations (data, buffer
 * record, array); a jitted call adds the signature check, leaf by leaf. Tracing is dominated by capturing the user's
 * stack frame once per operation.
 */
import { grad, image, jit, lax, makeJaxpr, nn, numpy as np, optim, random, scipy, tree, valueAndGrad } from "cotangent";
import type { NDArray } from "cotangent";
import { type Measurement, measure, measureTogether, print, report } from "./measure.ts";
import { measurePeers } from "./peers.ts";

const [a, b] = [np.array([1, 2, 3, 4]), np.array([5, 6, 7, 8])];
const tiny = jit((x: NDArray, y: NDArray) => x.mul(y).add(x));

interface Params {
  readonly w1: NDArray;
  readonly b1: NDArray;
  readonly w2: NDArray;
  readonly b2: NDArray;
}
const [k1, k2, k3] = random.split(random.key(0), 3);
const params: Params = {
  w1: random.normal(k1!, [64, 32]).mul(0.1),
  b1: np.zeros([32]),
  w2: random.normal(k2!, [32, 10]).mul(0.1),
  b2: np.zeros([10]),
};
const x = random.normal(k3!, [16, 64]);
const y = np.arange(16).mod(10);
const makeStep = () => {
  const optimizer = optim.adam<Params>(1e-3);
  const loss = (p: Params, images: NDArray, labels: NDArray): NDArray => {
    const hidden = nn.relu(np.matmul(images, p.w1).add(p.b1));
    const logits = np.matmul(hidden, p.w2).add(p.b2);
    return np.mean(optim.softmaxCrossEntropyWithIntegerLabels(logits, labels));
  };
  const step = (p: Params, state: ReturnType<typeof optimizer.init>, images: NDArray, labels: NDArray) => {
    const [value, grads] = valueAndGrad(loss)(p, images, labels);
    const [updates, next] = optimizer.update(grads, state, p);
    return [optim.applyUpdates(p, updates), next, value] as const;
  };
  return { step, init: () => optimizer.init(params) };
};

/** The eager call of a function, and the call of the same function jitted. */
function both<A extends readonly NDArray[]>(f: (...args: A) => unknown, ...args: A): [() => unknown, () => unknown] {
  const jitted = jit(f as (...xs: A) => NDArray);
  return [() => f(...args), () => jitted(...args)];
}

export async function benchCalls(): Promise<void> {
  const ours: Record<string, Measurement> = {
    add: measure("eager add of two 4-element arrays", () => void np.add(a, b)),
    tiny: measure("call of a jitted tiny function", () => void tiny(a, b)),
  };
  const peers = await measurePeers();

  print("calls");
  print(report(ours.add!, peers.add[0], 5));
  for (const peer of peers.add.slice(1)) print(report(ours.add!, peer));
  print(report(ours.tiny!, peers.tinyCall[0], 5));
  print(report(measure("eager method: x.add(1)", () => void a.add(1))));
  print(
    report(
      measure(
        "jitted call with an object argument",
        (() => {
          const f = jit((p: { w: NDArray; b: NDArray }) => p.w.mul(p.b).add(p.w));
          return () => void f({ w: a, b });
        })(),
      ),
    ),
  );
  print(report(measure("eager grad of sum(x * x)", () => void grad((v: NDArray) => np.sum(v.mul(v)))(a))));
  if (peers.missing.length)
    print(`not installed, hence not compared: ${peers.missing.join(", ")} (see bench/peers.ts)`);

  print("\nfunctions: an eager call, and what it takes beyond the call of its program");
  const matrix = x.slice([0, 4], [0, 3]);
  const vector = x.slice(0, [0, 10]);
  const mask = matrix.greater(0);
  const positions = np.array([0, 2], "int32");
  const functions: Readonly<Record<string, readonly [() => unknown, () => unknown]>> = {
    "np.add(x, y)": both(np.add, a, b),
    "np.sum(m, { axis: 1, keepdims: true })": both((m: NDArray) => np.sum(m, { axis: 1, keepdims: true }), matrix),
    "np.clip(m, -1, 1)": both((m: NDArray) => np.clip(m, -1, 1), matrix),
    "np.where(mask, m, 0)": both((c: NDArray, m: NDArray) => np.where(c, m, 0), mask, matrix),
    "np.matmul(m, m)": both(np.matmul, matrix, matrix.T),
    "np.std(m, { axis: 0, ddof: 1 })": both((m: NDArray) => np.std(m, { axis: 0, ddof: 1 }), matrix),
    "np.take(m, [0, 2], 1)": both((m: NDArray) => np.take(m, positions, 1), matrix),
    "np.concatenate([m, m], 1)": both((m: NDArray) => np.concatenate([m, m], 1), matrix),
    "np.einsum": both((m: NDArray) => np.einsum("ij,kj->ik", m, m), matrix),
    "np.histogram(v)": both((v: NDArray) => np.histogram(v), vector),
    "np.hypot(v, 2)": both((v: NDArray) => np.hypot(v, 2), vector),
    "lax.dynamicSlice(v, [3], [2])": both((v: NDArray) => lax.dynamicSlice(v, [3], [2]), vector),
    "random.normal(key, [4])": both((key: NDArray) => random.normal(key, [4]), k1!),
    "scipy.stats.norm.logpdf(v)": both((v: NDArray) => scipy.stats.norm.logpdf(v), vector),
    "image.resize(m, [8, 6])": both((m: NDArray) => image.resize(m, [8, 6], "linear"), matrix),
    "nn.softmax(v)": both((v: NDArray) => nn.softmax(v), vector),
    "optim.softmaxCrossEntropy(m, m)": both(optim.softmaxCrossEntropy, matrix, matrix),
  };
  for (const [name, [eager, jitted]] of Object.entries(functions)) {
    const [call, program] = measureTogether({ [name]: () => void eager(), "its program": () => void jitted() });
    const extra = call!.min - program!.min;
    print(
      `${report(call!, program)}   ${extra.toFixed(2)} µs more at least, target 2: ${extra <= 2 ? "met" : "MISSED"}`,
    );
  }

  print("\ntracing");
  let n = 0;
  print(
    report(
      measure("retrace of a tiny function (new shape)", () => {
        const f = (v: NDArray) => v.mul(v).add(v);
        void jit(f, { inline: n++ % 2 === 0 })(a);
      }),
    ),
  );
  const { step, init } = makeStep();
  const state = init();
  const program = makeJaxpr(step)(params, state, x, y);
  print(
    `an MLP step with Adam: ${program.eqns.length} equations, ${tree.leaves([params, state]).length} arrays of state`,
  );
  print(report(measure("trace of the step", () => void makeJaxpr(step)(params, state, x, y))));
  print(
    report(
      measure("trace, compile and first run of the step", () => {
        const fresh = makeStep();
        void jit(fresh.step)(params, state, x, y);
      }),
    ),
  );
  const jitted = jit(step);
  print(report(measure("the step, jitted", () => void jitted(params, state, x, y))));
}
