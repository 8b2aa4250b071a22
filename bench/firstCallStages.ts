/** The work of a training step's first call, one stage after the other, in a process of its own. Run by `compiler.ts`. */
import { makeJaxpr, tree } from "cotangent";
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
import { report, timed } from "./stopwatch.ts";
import { args, step } from "./trainingStep.ts";

const device = (tree.leaves(args)[0] as DeviceArray).home;
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
report();
