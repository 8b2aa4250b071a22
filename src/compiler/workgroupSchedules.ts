/** How targets with a grid of workgroups, that is GPUs, run kernels. Programs that never ask for one do not carry this. */
import { lowerOnline } from "./onlineChain.ts";
import { scheduleWorkgroups } from "./schedule/workgroups.ts";
import type { Schedules } from "./target.ts";

export const workgroupSchedules: Schedules = { kernel: scheduleWorkgroups, chain: lowerOnline };
