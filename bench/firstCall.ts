/** The first calls of a training step, in a process of its own: the engine has optimised nothing yet. Run by `compiler.ts`. */
import { jit } from "cotangent";
import { report, timed } from "./stopwatch.ts";
import { args, step } from "./trainingStep.ts";

const [params, state, images, digits] = args;
const jitted = jit(step, { donateArgnums: [0, 1] });
let [p, s] = [params, state];
const call = (): void => {
  const [newParams, newState, loss] = jitted(p, s, images, digits);
  [p, s] = [newParams, newState];
  loss.js();
};
timed("first call", call);
timed("second call", call);
for (let i = 0; i < 10; i++) timed("a later call", call);
report();
