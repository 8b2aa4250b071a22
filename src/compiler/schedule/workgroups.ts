/**
 * The schedule for a grid of workgroups: matrix products in tiles of shared memory, everything else as blocks of rows.
 */
import type { FusedKernel } from "../fusedKernel.ts";
import type { LoopNest } from "../loopNest/loopNest.ts";
import type { Target } from "../target.ts";
import { contractionOf } from "./contraction.ts";
import { scheduleTiles, tilingOf } from "./gpuContraction.ts";
import { RowBlocks, shapeOf } from "./gpuRows.ts";
import { groupsOf, normalized } from "./reductions.ts";
import { walkedLast } from "./walks.ts";

export function scheduleWorkgroups(fused: FusedKernel, target: Target): LoopNest {
  const kernel = normalized(fused);
  const contraction = contractionOf(kernel, ["f32", "i32", "u32"]);
  const tiling = contraction && tilingOf(contraction, target);
  if (contraction && tiling) return scheduleTiles(contraction, tiling);
  const groups = groupsOf(kernel);
  const { rows, shape } =
    groups.length === 0 ? { rows: walkedLast(kernel), shape: null } : shapeOf(kernel, groups, target);
  return new RowBlocks({ ...kernel, rows }, groups, shape, target).run();
}
