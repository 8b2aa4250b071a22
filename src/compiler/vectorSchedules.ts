/** How targets with one memory and vector lanes, that is CPUs, run kernels. */
import { lowerBlocks } from "./blockChain.ts";
import { inTasks } from "./schedule/tasks.ts";
import { scheduleVector } from "./schedule/vector.ts";
import type { Schedules } from "./target.ts";

export const vectorSchedules: Schedules = {
  kernel: (kernel, target) => inTasks(scheduleVector(kernel, target), target),
  chain: lowerBlocks,
};
