/**
 * Pipelines by the text of their kernel. Making one does not wait for the driver's verdict; it comes later and is kept as
 * `failure`, with the line of WGSL that was refused.
 */
import { DeviceError } from "../../core/problem.ts";
import { BufferUsage, COMPUTE_STAGE } from "./constants.ts";
import type { WgslKernel } from "./wgsl.ts";

export class Pipeline {
  readonly raw: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
  /** Fulfilled once the driver has accepted or refused it. */
  readonly verdict: Promise<void>;
  isVerified = false;
  /** Why it was refused. */
  failure: string | null = null;
  /** Whether commands that use it have been submitted. */
  isTried = false;

  constructor(device: GPUDevice, code: string, layout: GPUBindGroupLayout, pipelineLayout: GPUPipelineLayout) {
    this.layout = layout;
    device.pushErrorScope("validation");
    device.pushErrorScope("internal");
    const module = device.createShaderModule({ code });
    this.raw = device.createComputePipeline({ layout: pipelineLayout, compute: { module, entryPoint: "main" } });
    const errors = [device.popErrorScope(), device.popErrorScope()];
    this.verdict = this.#judge(Promise.all(errors), module, code);
  }

  async #judge(errors: Promise<(GPUError | null)[]>, module: GPUShaderModule, code: string): Promise<void> {
    try {
      const error = (await errors).find((e) => e !== null);
      if (!error) return;
      const { messages } = await module.getCompilationInfo();
      const first = messages.find((m) => m.type === "error");
      const line = first ? code.split("\n")[first.lineNum - 1] : undefined;
      this.failure = !first
        ? error.message
        : `${first.message} (line ${first.lineNum} of its WGSL${line === undefined ? "" : `: ${line.trim()}`})`;
    } catch (error) {
      // The device was lost meanwhile.
      this.failure = String(error);
    } finally {
      this.isVerified = true;
    }
  }
}

export class Pipelines {
  readonly #device: GPUDevice;
  readonly #byCode = new Map<string, Pipeline>();
  readonly #layouts = new Map<string, { group: GPUBindGroupLayout; pipeline: GPUPipelineLayout }>();
  /** The uniform that is 0, for kernels that read it. */
  readonly zero: GPUBuffer;

  constructor(device: GPUDevice) {
    this.#device = device;
    this.zero = device.createBuffer({ size: 16, usage: BufferUsage.uniform });
  }

  get count(): number {
    return this.#byCode.size;
  }

  get({ code, bindings, needsZero }: WgslKernel): Pipeline {
    let pipeline = this.#byCode.get(code);
    if (pipeline) return pipeline;
    const { group, pipeline: layout } = this.#layout(bindings, needsZero);
    pipeline = new Pipeline(this.#device, code, group, layout);
    this.#byCode.set(code, pipeline);
    return pipeline;
  }

  #layout(
    bindings: WgslKernel["bindings"],
    needsZero: boolean,
  ): { group: GPUBindGroupLayout; pipeline: GPUPipelineLayout } {
    const key = `${bindings.join()},${needsZero}`;
    let layout = this.#layouts.get(key);
    if (!layout) {
      const types = bindings.map((a): GPUBufferBindingType => (a === "read" ? "read-only-storage" : "storage"));
      if (needsZero) types.push("uniform");
      const group = this.#device.createBindGroupLayout({
        entries: types.map((type, binding) => ({ binding, visibility: COMPUTE_STAGE, buffer: { type } })),
      });
      layout = { group, pipeline: this.#device.createPipelineLayout({ bindGroupLayouts: [group] }) };
      this.#layouts.set(key, layout);
    }
    return layout;
  }
}

/** The error of arrays that come out of a refused kernel. */
export const refusedKernel = (name: string, failure: string, where: string): DeviceError =>
  new DeviceError("KernelRefused", {
    what: `the GPU's driver refused the kernel ${name}: ${failure}`,
    where,
    why: "generated kernels are valid WGSL; this is a bug in cotangent or in the driver, not in your program",
    fix: 'please report it; meanwhile another device computes the same: defaultDevice("cpu")',
  });
