/**
 * The WebGPU device: programs compiled to WGSL and run through the executor. This module and what it imports is loaded by
 * `init()`, so that programs that never ask for a GPU do not carry it.
 */
import { compile } from "../../compiler/compile.ts";
import type { Program } from "../../compiler/program.ts";
import type { Aval } from "../../core/aval.ts";
import type { Jaxpr } from "../../core/jaxpr.ts";
import type { NDArray } from "../../core/ndarray.ts";
import { DTypeError, DeviceError } from "../../core/problem.ts";
import type { ReferenceContext } from "../../core/primitive.ts";
import type { HostArray } from "../../core/hostArray.ts";
import { warnOnce } from "../../core/warn.ts";
import { type Buffer, type Device, type DeviceExecutable, oneThread } from "../device.ts";
import { EagerPrograms } from "../eager.ts";
import type { AcquiredGpu } from "./acquire.ts";

import { type LoadedProgram, WebgpuExecutor } from "./executor.ts";
import { type Handle, OwnedBuffers } from "./ownedBuffers.ts";
import { gpuFeatures } from "./limits.ts";
import { storedBytes } from "./words.ts";
import { emitWgsl } from "./wgsl.ts";

export { noWebgpu, requestWebgpu } from "./acquire.ts";

/** Bytes of arrays that may be alive. What a GPU has is not told; a software adapter uses the machine's memory. */
const realBudget = 8 * 2 ** 30;
const softwareBudget = 2 * 2 ** 30;

export interface WebgpuDeviceOptions {
  /** How callbacks see arrays. */
  readonly context: ReferenceContext;
  /** Runs a callback; what it computes belongs on a device whose values can be read at once. */
  readonly callHost: <T>(f: () => T) => T;
  /** The buffer of an array that lives on this device, null for others. */
  readonly bufferHere: (x: NDArray, device: Device) => Buffer | null;
  readonly budget?: number;
}

/** A program with the bytes of its results. */
interface Ready {
  readonly loaded: LoadedProgram;
  readonly outBytes: number;
}

export function webgpuDevice(
  id: number,
  acquired: AcquiredGpu,
  { context, callHost, bufferHere, budget }: WebgpuDeviceOptions,
): Device {
  const executor = new WebgpuExecutor(acquired, {
    host: context,
    callHost,
    onFailure: (failure) => warnOnce(`webgpu ${failure.message}`, failure.message),
  });
  const { target } = executor;
  const owned = new OwnedBuffers(executor, budget ?? (acquired.isSoftware ? softwareBudget : realBudget));
  const unloaded = new FinalizationRegistry<LoadedProgram["constants"]>((constants) =>
    executor.giveBackConstants(constants),
  );
  const valueOf = (x: NDArray): HostArray => {
    const here = bufferHere(x, device);
    return here === null ? context.fromArray(x) : executor.constantOf((here as Handle).buffer);
  };
  const load = (program: Program): Ready => {
    checkSizes(program, target.maxBindingBytes);
    const loaded = executor.load(program);
    if (loaded.constants.length > 0) unloaded.register(loaded, loaded.constants);
    return { loaded, outBytes: program.outputs.reduce((n, a) => n + storedBytes(a), 0) };
  };
  const build = (jaxpr: Jaxpr, name: string, donated: readonly boolean[]): Ready =>
    load(compile(jaxpr, { name, target, donated, valueOf }));
  const run = ({ loaded, outBytes }: Ready, inputs: readonly Buffer[], donated?: ReadonlySet<number>): Handle[] => {
    owned.reserve(outBytes);
    const buffers = (inputs as readonly Handle[]).map((h) => h.buffer);
    return executor.run(loaded, buffers, donated).map((b) => owned.own(b));
  };
  const eager = new EagerPrograms((jaxpr, name) => build(jaxpr, name, []));
  const device: Device = {
    kind: "webgpu",
    id,
    dtypes: target.dtypes,
    readsSynchronously: false,
    put: (x) => {
      if (!target.dtypes.has(x.dtype)) throw noSuchDType(x.dtype);
      if (x.data.byteLength > target.maxBindingBytes)
        throw tooLarge(`${x.dtype}[${x.shape.join()}]`, x.data.byteLength, target.maxBindingBytes);
      return owned.put(x);
    },
    readSync: () => executor.readSync(),
    read: async (b) => {
      const value = await executor.read((b as Handle).buffer);
      await owned.breathe();
      return value;
    },
    ready: async (b) => {
      await executor.ready((b as Handle).buffer);
      await owned.breathe();
    },
    release: (b) => (b as Handle).memory?.release(),
    memory: () => owned.info(),
    details: () => ({
      threads: oneThread,
      features: Object.fromEntries(gpuFeatures.map((f) => [f, acquired.device.features.has(f)])),
    }),
    code: {
      target,
      language: "wgsl",
      print: ({ kernels }) =>
        kernels
          .map(
            (nest) =>
              `// ${nest.name}\n${emitWgsl(nest, { maxBlocks: target.maxBlocks, guardComparisons: acquired.guardComparisons }).code}`,
          )
          .join("\n"),
      load: (program) => {
        const ready = load(program);
        return { run: (inputs) => run(ready, inputs), outAvals: program.outputs };
      },
    },
    evaluate: (primitive, inputs, params, outs, avals) => run(eager.find(primitive, avals, params, outs), inputs),
    compile: (jaxpr, { name, donated }): DeviceExecutable => {
      const ready = build(jaxpr, name, donated);
      return {
        run: (inputs) => run(ready, inputs, givenUp(inputs as readonly Handle[], donated)),
        outAvals: jaxpr.outs.map((a) => a.aval),
      };
    },
  };
  return device;
}

/** Donated inputs, without scalars that other arrays share. */
function givenUp(inputs: readonly Handle[], donated: readonly boolean[]): ReadonlySet<number> | undefined {
  if (!donated.includes(true)) return undefined;
  const given = new Set<number>();
  inputs.forEach((h, i) => {
    if (donated[i] && h.memory) given.add(i);
  });
  return given;
}

/** A binding covers an array, so that none may be larger. */
function checkSizes(program: Program, most: number): void {
  for (const { aval } of program.slots)
    if (storedBytes(aval) > most) throw tooLarge(String(aval), storedBytes(aval), most);
}

const tooLarge = (what: string, bytes: number, most: number): DeviceError =>
  new DeviceError("ArrayTooLarge", {
    what: `a ${what} has ${bytes} bytes; an array on this GPU has at most ${most}`,
    why: "a kernel reaches an array through one binding, whose size the device limits",
    fix: 'work in parts, with lax.map or lax.scan over slices, or on the embedded device: defaultDevice("wasm")',
  });

const noSuchDType = (dtype: Aval["dtype"]): DTypeError =>
  new DTypeError("UnsupportedOnDevice", {
    what: `the device webgpu has no ${dtype}`,
    why: "its arithmetic is done in 32 bits",
    fix: `convert to float32 with x.astype(numpy.float32), or compute on the embedded device with defaultDevice("wasm")`,
  });
