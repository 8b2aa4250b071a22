/** schedule: fused kernel → loop nest, as the target runs loops. */
import type { FusedKernel } from "../fusedKernel.ts";
import type { LoopNest } from "../loopNest/loopNest.ts";
import type { Target } from "../target.ts";
import { inUnits } from "./units.ts";
import { scheduleVector } from "./vector.ts";
import { scheduleWorkgroups } from "./workgroups.ts";

export const schedule = (kernel: FusedKernel, target: Target): LoopNest =>
  target.style === "vector" ? inUnits(scheduleVector(kernel, target), target) : scheduleWorkgroups(kernel, target);
