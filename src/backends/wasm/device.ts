/**
 * The wasm device, the default: programs compiled to WebAssembly with SIMD, run on the calling thread. Importing it costs
 * nothing; memory is made with the first array.
 */
import { allDTypes } from "../../core/dtype.ts";
import { packedLayout } from "../../core/elementTypes.ts";
import type { Jaxpr } from "../../core/jaxpr.ts";
import type { ReferenceContext } from "../../core/primitive.ts";
import { compile } from "../../compiler/compile.ts";
import type { Program } from "../../compiler/program.ts";
import type { Cutting, Target } from "../../compiler/target.ts";
import type { Device, DeviceExecutable, DeviceMemoryInfo } from "../device.ts";
import { EagerPrograms } from "../eager.ts";
import { type WasmBuffer, hostOf, putHost } from "./buffer.ts";
import { WasmExecutable } from "./executable.ts";
import { emitModule } from "./codegen.ts";
import { disassemble } from "./disassemble.ts";
import { type Asked, askedFor } from "./features.ts";
import { WasmMemory } from "./memory.ts";
import { type ThreadOptions, WorkerPool } from "./pool.ts";
import { enableWideVectors } from "./wideVectors.ts";
import { vectorSchedules } from "../../compiler/vectorSchedules.ts";

/** Of an engine without relaxed SIMD. */
export const wasmTarget: Target = {
  name: "wasm",
  dtypes: new Set(allDTypes),
  layout: packedLayout,
  style: "vector",
  schedules: vectorSchedules,
  maxBuffers: 1000,
  maxBindingBytes: 2 ** 32,
  maxBlocks: 2 ** 31,
  maxThreads: 1,
  maxSharedBytes: 2 ** 30,
  alignment: 64,
  sharesMemory: true,
  fusedMultiplyAdd: false,
  wideVectors: false,
  cutting: { nanoseconds: 200_000, multiplications: 2 ** 21, summands: 2 ** 18, elements: 64, rows: 64 },
  keepsNaN: true,
  importsMath: true,
};

/** Cuts whatever can be cut: what tests compare with. */
export const cutAlways: Cutting = { nanoseconds: 0, multiplications: 0, summands: 64, elements: 4, rows: 4 };

const noMemory: DeviceMemoryInfo = { live: 0, peak: 0, capacity: 0, count: 0 };

/** The device, and what can be chosen before anything is computed on it. */
export interface WasmDevice extends Device {
  /** Says how threads are wanted; false if it is too late. */
  configure(options: ThreadOptions): boolean;
  /** Uses 256-bit vectors in what is compiled from now on; the reason if it cannot. */
  widenVectors(): string | null;
}

/**
 * @param context how routines and callbacks see arrays; its programs run on the reference device.
 * @param asked what to do without, or to do always: see `askedFor`.
 */
export function wasmDevice(id: number, context: ReferenceContext, asked: Asked = askedFor()): WasmDevice {
  let made: WasmMemory | null = null;
  const wasm = (): WasmMemory => (made ??= new WasmMemory(asked));
  let workers: WorkerPool | null = null;
  const pool = (): WorkerPool => (workers ??= new WorkerPool(wasm(), {}));
  let wide = false;
  let known: Target | null = null;
  const target = (): Target =>
    (known ??= {
      ...wasmTarget,
      fusedMultiplyAdd: wasm().features.relaxedSimd,
      wideVectors: wide,
      cutting: asked.has("tasks") ? cutAlways : wasmTarget.cutting,
    });
  const load = (program: Program): WasmExecutable => new WasmExecutable(program, wasm(), context, pool());
  const build = (jaxpr: Jaxpr, name: string, donated: readonly boolean[]): WasmExecutable =>
    load(compile(jaxpr, { name, target: target(), donated, valueOf: (x) => context.fromArray(x) }));
  const eager = new EagerPrograms((jaxpr, name) => build(jaxpr, name, []));
  return {
    kind: "wasm",
    id,
    dtypes: wasmTarget.dtypes,
    readsSynchronously: true,
    put: (x) => putHost(x, wasm()),
    readSync: (b) => hostOf(b as WasmBuffer, wasm()),
    read: async (b) => {
      await wasm().breathe();
      return hostOf(b as WasmBuffer, wasm());
    },
    ready: () => wasm().breathe(),
    code: {
      get target() {
        return target();
      },
      language: "wasm",
      print: (program) => disassemble(emitModule(program.kernels, wasm().features).bytes),
      load: (program) => {
        const executable = load(program);
        return { run: (inputs) => executable.run(inputs as readonly WasmBuffer[]), outAvals: program.outputs };
      },
    },
    configure: (options) => pool().choose(options),
    widenVectors: () => {
      if (wide) return null;
      const why = enableWideVectors(wasm().features.relaxedSimd);
      wide = why === null;
      known = null;
      return why;
    },
    memory: () => (made ? made.info() : noMemory),
    details: () => ({
      threads: pool().info(),
      features: { simd: true, ...wasm().features, wideVectors: wide },
    }),
    release: (b) => (b as WasmBuffer).release(),
    evaluate: (primitive, inputs, params, outs, avals) =>
      eager.find(primitive, avals, params, outs).run(inputs as readonly WasmBuffer[]),
    compile: (jaxpr, { name, donated }): DeviceExecutable => {
      const executable = build(jaxpr, name, donated);
      return {
        run: (inputs) => executable.run(inputs as readonly WasmBuffer[]),
        outAvals: jaxpr.outs.map((a) => a.aval),
      };
    },
  };
}
