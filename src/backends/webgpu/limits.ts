/** What a device can do, as the compiler wants to know it, and what to ask of an adapter so that the device can do it. */
import type { Target } from "../../compiler/target.ts";
import { allDTypes } from "../../core/dtype.ts";
import { wordLayout } from "../../core/elementTypes.ts";
import { workgroupSchedules } from "../../compiler/workgroupSchedules.ts";

/** A device has the least that the specification allows unless more is asked for. */
const wanted = [
  "maxBufferSize",
  "maxStorageBufferBindingSize",
  "maxStorageBuffersPerShaderStage",
  "maxComputeWorkgroupStorageSize",
  "maxComputeInvocationsPerWorkgroup",
  "maxComputeWorkgroupSizeX",
  "maxComputeWorkgroupsPerDimension",
] as const satisfies readonly (keyof GPUSupportedLimits)[];
/** Features that are asked for where there are. */
export const gpuFeatures = ["shader-f16", "timestamp-query", "subgroups"] as const satisfies readonly GPUFeatureName[];

export const descriptorFor = (adapter: GPUAdapter): GPUDeviceDescriptor => ({
  requiredLimits: Object.fromEntries(wanted.map((name) => [name, adapter.limits[name]])),
  requiredFeatures: gpuFeatures.filter((name) => adapter.features.has(name)),
});

export function targetOf({ limits }: GPUDevice): Target {
  return {
    name: "webgpu",
    dtypes: new Set(allDTypes.filter((d) => d !== "float64")),
    layout: wordLayout,
    style: "workgroups",
    schedules: workgroupSchedules,
    maxBuffers: limits.maxStorageBuffersPerShaderStage,
    maxBindingBytes: limits.maxStorageBufferBindingSize,
    maxBlocks: limits.maxComputeWorkgroupsPerDimension,
    maxThreads: Math.min(limits.maxComputeInvocationsPerWorkgroup, limits.maxComputeWorkgroupSizeX),
    maxSharedBytes: limits.maxComputeWorkgroupStorageSize,
    alignment: Math.max(256, limits.minStorageBufferOffsetAlignment),
    sharesMemory: false,
    fusedMultiplyAdd: false,
    wideVectors: false,
    cutting: null,
    keepsNaN: false,
    importsMath: false,
  };
}
