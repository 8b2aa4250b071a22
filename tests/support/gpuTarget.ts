/** A target with workgroups that no device has: for evaluating GPU schedules without a GPU. float64 keeps comparisons sharp. */
import type { Target } from "../../src/compiler/target.ts";
import { allDTypes } from "../../src/core/dtype.ts";
import { wordLayout } from "../../src/core/elementTypes.ts";
import { workgroupSchedules } from "../../src/compiler/workgroupSchedules.ts";

export const gpuTarget: Target = {
  name: "gpu",
  dtypes: new Set(allDTypes),
  layout: wordLayout,
  style: "workgroups",
  schedules: workgroupSchedules,
  maxBuffers: 10,
  maxBindingBytes: 2 ** 27,
  maxBlocks: 65535,
  maxThreads: 256,
  maxSharedBytes: 2 ** 15,
  alignment: 256,
  sharesMemory: false,
  fusedMultiplyAdd: false,
  wideVectors: false,
  cutting: null,
  keepsNaN: false,
  importsMath: true,
};
/** The least that WebGPU promises, and less. */
export const gpuTargets: Readonly<Record<string, Target>> = {
  usual: gpuTarget,
  "little shared memory": { ...gpuTarget, maxBuffers: 8, maxSharedBytes: 2 ** 13 },
  "few threads": { ...gpuTarget, maxBuffers: 8, maxThreads: 64, maxSharedBytes: 2 ** 14 },
};
