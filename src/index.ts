/** The public surface of `cotangent`; re-exports only. */
import "./backends/install.ts";
import "./numpy/install.ts";

export { pipe, flow } from "fp-ts/lib/function.js";

// values
export { NDArray, NDArray as Array } from "./core/ndarray.ts";
export type { ArrayLike, Axis, IndexItem, IndexMode, IndexUpdate, Nested } from "./core/arrayMethods.ts";
export type { DType } from "./core/dtype.ts";
export type { TypedArray } from "./core/hostArray.ts";
export { ShapeDtypeStruct } from "./core/shapeDtypeStruct.ts";
export type { Arrays, Pytree } from "./core/types.ts";

// transforms
export { type GradOptions, grad, linearTranspose, linearize, valueAndGrad, vjp } from "./transforms/gradient.ts";
export { type JacobianOptions, hessian, jacfwd, jacobian, jacrev, jvp } from "./transforms/forward.ts";
export { type Axes, type VmapOptions, vmap } from "./transforms/vmap.ts";
export { type JitOptions, type Jitted, type Lowered, jit } from "./transforms/jit.ts";
export { type MakeJaxprOptions, TracedProgram, evalShape, makeJaxpr } from "./transforms/makeJaxpr.ts";
export {
  type CheckpointOptions,
  type Policy,
  checkpoint,
  checkpoint as remat,
  checkpointName,
  checkpointPolicies,
} from "./transforms/checkpoint.ts";
export { type CustomJvpFunction, customJvp } from "./transforms/customJvp.ts";
export { type CustomVjpFunction, customVjp } from "./transforms/customVjp.ts";
export { type CustomVmapFunction, customVmap } from "./transforms/customVmap.ts";
export { closureConvert, customGradient } from "./transforms/customGradient.ts";
export { disableJit, ensureCompileTimeEval, namedScope, stopGradient } from "./transforms/scopes.ts";
export { ioCallback, pureCallback } from "./lax/callback.ts";

// devices
export {
  type DeviceInfo,
  type DeviceReport,
  type InitOptions,
  type MemoryInfo,
  defaultDevice,
  deviceInfo,
  devices,
  init,
  memoryInfo,
} from "./backends/registry.ts";
export type { ThreadInfo } from "./backends/device.ts";
export { blockUntilReady, deviceGet, devicePut } from "./backends/transfer.ts";

// errors
export * from "./core/errors.ts";
export type { Problem } from "./core/problem.ts";

// settings
export { type Config, config, defaultBackend, deviceCount, enableX64, typeof_ } from "./config/index.ts";
export { debugInfs, debugNans } from "./debug/modes.ts";

// rooms
export * as numpy from "./numpy/index.ts";
export * as lax from "./lax/index.ts";
export * as random from "./random/index.ts";
export * as scipy from "./scipy/index.ts";
export * as nn from "./nn/index.ts";
export * as optim from "./optim/index.ts";
export * as train from "./train/index.ts";
export * as metrics from "./metrics/index.ts";
export * as image from "./image/index.ts";
export * as ops from "./ops/index.ts";
export * as tree from "./tree/index.ts";
export * as treeUtil from "./tree/treeUtil.ts";
export * as checkify from "./checkify/index.ts";
export * as customBatching from "./custom/batching.ts";
export * as customDerivatives from "./custom/derivatives.ts";
export * as dtypes from "./numpy/dtypeModule.ts";
export * as errors from "./core/errorNames.ts";
export * as flattenUtil from "./numpy/flattenUtil.ts";
export * as testUtil from "./testing/testUtil.ts";
export * as debug from "./debug/index.ts";
export * as data from "./data/index.ts";
export * as checkpoints from "./checkpoint/index.ts";
