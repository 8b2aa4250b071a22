/**
 * The first call of a training step, in a process of its own: the engine has optimised nothing yet. Run by
 * `compiler.ts`; prints milliseconds as JSON. With the argument `whole`, the call as users make it; with `stages`, the
 * same work one stage after the other.
 */
import { jit, makeJaxpr, nn, numpy as np, optim, tree, valueAndGrad } from "cotangent";
import type { NDArray } from "cotangent";
import { type DeviceArray } from "../src/backends/array.ts";
import { emitModule } from "../src/backends/wasm/codegen.ts";
import { wasmTarget } from "../src/backends/wasm/device.ts";
import { type Draft, assignBuffers } from "../src/compiler/assignBuffers.ts";
import { draftsOf } from "../src/compiler/compile.ts";
import { KernelList } from "../src/compiler/kernelList.ts";
import { planOf } from "../src/compiler/plan.ts";
import { evaluator } from "../src/core/evaluator.ts";
import { hoistConsts } from "../src/core/jaxpr.ts";
import { Literal } from "../src/core/ndarray.ts";
import { unreachable } from "../src/core/problem.ts";

interface Layer {
  readonly w: NDArray;
  readonly b: NDArray;
}
const sizes = [784, 512, 512, 10];
const batch = 128;
const numbers = (n: number): Float32Array => new Float32Array(n).map((_, i) => 0.05 * Math.sin(1.37 * i));

const params = sizes.slice(1).map((n, i): Layer => ({
  w: np.array(numbers(sizes[i]! * n)).reshape([sizes[i]!, n]),
  b: np.array(new Float32Array(n)),
}));
const images = np.array(numbers(batch * sizes[0]!)).reshape([batch, sizes[0]!]);
const digits = np.array(new Int32Array(batch).map((_, i) => i % 10));
const optimizer = optim.adam<Layer[]>(1e-3);
const state = optimizer.init(params);
const step = (p: Layer[], s: typeof state, x: NDArray, y: NDArray) => {
  const loss = (q: Layer[]): NDArray => {
    const logits = q.reduce((h, { w, b }, i) => {
      const z = np.matmul(h, w).add(b);
      return i < q.length - 1 ? nn.relu(z) : z;
    }, x);
    return np.mean(optim.softmaxCrossEntropyWithIntegerLabels(logits, y));
  };
  const [value, gradients] = valueAndGrad(loss)(p);
  const [updates, next] = optimizer.update(gradients, s, p);
  return [optim.applyUpdates(p, updates), next, value] as const;
};
const args = [params, state, images, digits] as const;

const times: Record<string, number> = {};
function timed<T>(name: string, f: () => T): T {
  const from = performance.now();
  const result = f();
  times[name] = performance.now() - from;
  return result;
}

if (process.argv[2] === "whole") {
  const jitted = jit(step, { donateArgnums: [0, 1] });
  let [p, s]: [Layer[], typeof state] = [params, state];
  const call = (): void => {
    const [newParams, newState, loss] = jitted(p, s, images, digits);
    [p, s] = [newParams, newState];
    loss.js();
  };
  timed("first call", call);
  timed("second call", call);
  for (let i = 0; i < 10; i++) timed("a later call", call);
} else {
  const device = (tree.leaves(params)[0] as DeviceArray).home;
  const { jaxpr: traced, consts } = timed("trace", () => makeJaxpr(step)(...args));
  const { jaxpr, captured, plan } = timed("simplify and partition", () => planOf(hoistConsts(traced), wasmTarget));
  const kernels = new KernelList();
  const settings = { name: "step", target: wasmTarget, donated: [], valueOf: () => unreachable("nothing is captured") };
  const drafts = timed("lower and schedule", () => plan.steps.flatMap((s): Draft[] => draftsOf(s, plan, kernels, settings))); // prettier-ignore
  if (captured.length > 0) unreachable("nothing is captured");
  const program = timed("buffers", () =>
    assignBuffers(
      {
        name: "step",
        inputs: jaxpr.inVars,
        constants: new Map(),
        outs: plan.outs,
        drafts,
        donated: [],
        separate: false,
      },
      wasmTarget,
      kernels,
    ),
  );
  const { bytes } = timed("code", () => emitModule(program.kernels, { relaxedSimd: false }));
  timed("engine compiles", () => new WebAssembly.Module(bytes as BufferSource));
  const executable = device.code!.load(program);
  const inputs = [...consts, ...tree.leaves(args)].map((x) => {
    const array = x instanceof Literal ? evaluator().materialize(x) : x;
    return (array as DeviceArray).buffer;
  });
  timed("first run", () => executable.run(inputs));
}
process.stdout.write(JSON.stringify(times));
