/** How targets with one memory and vector lanes, that is CPUs, run kernels. */
import { lowerBlocks } from "./blockChain.ts";
import { inUnits } from "./schedule/units.ts";
import { scheduleVector } from "./schedule/vector.ts";
import type { Schedules } from "./target.ts";

export const vectorSchedules: Schedules = {
  kernel: (kernel, target) => inUnits(scheduleVector(kernel, target), target),
  chain: lowerBlocks,
};
