/** schedule: fused kernel → loop nest, as the target runs loops. */
import type { FusedKernel } from "../fusedKernel.ts";
import type { LoopNest } from "../loopNest/loopNest.ts";
import type { Target } from "../target.ts";

export const schedule = (kernel: FusedKernel, target: Target): LoopNest => target.schedules.kernel(kernel, target);
