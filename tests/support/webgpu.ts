/** WebGPU devices for tests, one per file: Tint without a driver for checking text, a software adapter for running it. */
import { create } from "webgpu";
import type { LoopNest } from "../../src/compiler/loopNest/loopNest.ts";
import type { TypedArray } from "../../src/core/hostArray.ts";
import { type WgslKernel, type WgslLimits, emitWgsl } from "../../src/backends/webgpu/wgsl.ts";

// Dawn crashes if what `create` returned is collected.
const features = "enable-dawn-features=allow_unsafe_apis";
let compilers: GPU | undefined;
let gpus: GPU | undefined;
export const nullGpu = (): GPU => (compilers ??= create(["backend=null", features]));
export const nodeGpu = (): GPU => (gpus ??= create([features]));

async function deviceOf(gpu: GPU, what: string): Promise<GPUDevice> {
  const adapter = await gpu.requestAdapter();
  if (!adapter) throw new Error(`There is no WebGPU adapter (${what}). Does \`npm test\` find Vulkan and chromium?`);
  return adapter.requestDevice();
}
let compiler: Promise<GPUDevice> | undefined;
let runner: Promise<GPUDevice> | undefined;
export const compilingDevice = (): Promise<GPUDevice> => (compiler ??= deviceOf(nullGpu(), "Dawn's null backend"));
export const runningDevice = (): Promise<GPUDevice> => (runner ??= deviceOf(nodeGpu(), "Dawn in Node"));

export const testLimits: WgslLimits = { maxBlocks: 65535 };

/** Tint's messages about a kernel, empty if it is valid. */
export async function complaints(code: string): Promise<string[]> {
  const device = await compilingDevice();
  device.pushErrorScope("validation");
  const module = device.createShaderModule({ code });
  const { messages } = await module.getCompilationInfo();
  device.createComputePipeline({ layout: "auto", compute: { module } });
  const error = await device.popErrorScope();
  const lines = code.split("\n");
  return [
    ...messages.map((m) => `${m.type} ${m.lineNum}:${m.linePos} ${m.message}\n${lines[m.lineNum - 1] ?? ""}`),
    ...(error && messages.length === 0 ? [error.message] : []),
  ];
}

/** Runs a nest on a software adapter, without the library's runtime. Changes the arrays of parameters that are written. */
export async function runNest(nest: LoopNest, data: readonly TypedArray[], limits = testLimits): Promise<WgslKernel> {
  const kernel = emitWgsl(nest, limits);
  const problems = await complaints(kernel.code);
  if (problems.length > 0) throw new Error(`${problems.join("\n")}\n${kernel.code}`);
  const device = await runningDevice();
  const bytes = (i: number): number => Math.max(4, data[i]!.byteLength);
  const buffers = data.map((x, i) => {
    const buffer = device.createBuffer({ size: bytes(i), usage: 0x80 | 8 | 4 });
    device.queue.writeBuffer(buffer, 0, x as GPUAllowSharedBufferSource);
    return buffer;
  });
  const zero = device.createBuffer({ size: 16, usage: 0x40 });
  const layout = device.createBindGroupLayout({
    entries: [
      ...kernel.bindings.map((a, binding): GPUBindGroupLayoutEntry => ({
        binding,
        visibility: 4,
        buffer: { type: a === "read" ? "read-only-storage" : "storage" },
      })),
      ...(kernel.needsZero
        ? [{ binding: kernel.bindings.length, visibility: 4, buffer: { type: "uniform" as const } }]
        : []),
    ],
  });
  const pipeline = device.createComputePipeline({
    layout: device.createPipelineLayout({ bindGroupLayouts: [layout] }),
    compute: { module: device.createShaderModule({ code: kernel.code }) },
  });
  const bound = kernel.needsZero ? [...buffers, zero] : buffers;
  const entries = bound.map((buffer, binding) => ({ binding, resource: { buffer } }));
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, device.createBindGroup({ layout, entries }));
  pass.dispatchWorkgroups(...kernel.workgroups);
  pass.end();
  const reads = nest.params.map((p, i) => {
    if (p.access === "read") return null;
    const buffer = device.createBuffer({ size: bytes(i), usage: 1 | 8 });
    encoder.copyBufferToBuffer(buffers[i]!, 0, buffer, 0, bytes(i));
    return buffer;
  });
  device.queue.submit([encoder.finish()]);
  await Promise.all(
    reads.map(async (buffer, i) => {
      if (!buffer) return;
      await buffer.mapAsync(1);
      const x = data[i]!;
      new Uint8Array(x.buffer, x.byteOffset, x.byteLength).set(
        new Uint8Array(buffer.getMappedRange(), 0, x.byteLength),
      );
    }),
  );
  return kernel;
}
