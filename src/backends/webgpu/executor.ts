/**
 * A WebGPU device that runs programs. Everything returns at once; only reading waits. A `GpuBuffer` is the value of one
 * array: a piece of storage, and the fate of the work that fills it.
 */
import type { Program } from "../../compiler/program.ts";
import type { Target } from "../../compiler/target.ts";
import type { LoopNest } from "../../compiler/loopNest/loopNest.ts";
import { Aval } from "../../core/aval.ts";
import type { HostArray } from "../../core/hostArray.ts";
import type { ReferenceContext } from "../../core/primitive.ts";
import { CotangentError, DeviceError } from "../../core/problem.ts";
import type { AcquiredGpu } from "./acquire.ts";
import { Fate } from "./fate.ts";
import { Kernel } from "./launch.ts";
import { type Frame, loadFrame } from "./loaded.ts";
import { targetOf } from "./limits.ts";
import { Pipelines } from "./pipelines.ts";
import { CommandQueue, refusedCommands } from "./queue.ts";
import { Reader } from "./reader.ts";
import { Run, type RunContext } from "./runner.ts";
import { type MemoryUse, type Storage, StoragePool } from "./storage.ts";
import { storedBytes, toWords } from "./words.ts";

/** Bytes kept for reuse. */
const POOLED_BYTES = 2 ** 28;
const POOLED_STAGING_BYTES = 2 ** 26;

export class GpuBuffer {
  readonly aval: Aval;
  /** Bytes on the device. */
  readonly bytes: number;
  /** Null once it is released or given to a result. */
  storage: Storage | null;
  /** Null for values that came from the host. */
  readonly fate: Fate | null;
  constructor(aval: Aval, storage: Storage, fate: Fate | null) {
    this.aval = aval;
    this.bytes = storage.bytes;
    this.storage = storage;
    this.fate = fate;
  }
}

/** A program ready to run. */
export interface LoadedProgram {
  readonly program: Program;
  readonly frame: Frame;
  /** Values known when it was compiled. */
  readonly constants: readonly Storage[];
}

export interface WebgpuCounts {
  readonly submits: number;
  readonly dispatches: number;
  readonly copies: number;
  /** How often the host has waited for the device. */
  readonly waits: number;
  readonly pipelines: number;
}

export interface ExecutorOptions {
  /** What host calls are given. */
  readonly host: ReferenceContext;
  /** Runs a host call; the default calls it. */
  readonly callHost?: <T>(f: () => T) => T;
  /** Told of every failure on the device, once, whether or not its arrays are ever read. */
  readonly onFailure?: (failure: DeviceError) => void;
}

export class WebgpuExecutor {
  readonly target: Target;
  readonly acquired: AcquiredGpu;
  readonly #queue: CommandQueue;
  readonly #pool: StoragePool;
  readonly #staging: StoragePool;
  readonly #reader: Reader;
  readonly #pipelines: Pipelines;
  readonly #kernels = new WeakMap<LoopNest, Kernel>();
  readonly #context: RunContext;
  readonly #onFailure: (failure: DeviceError) => void;
  readonly #reported = new WeakSet<DeviceError>();
  /** Fates of work that is under way. */
  readonly #open = new Set<Fate>();

  constructor(acquired: AcquiredGpu, { host, callHost = (f) => f(), onFailure = () => undefined }: ExecutorOptions) {
    const { device } = acquired;
    this.acquired = acquired;
    this.target = targetOf(device);
    this.#onFailure = onFailure;
    this.#queue = new CommandQueue(device);
    // Memory that is missing takes down whatever is being computed: which commands it was for is not known any more.
    const outOfMemory = (e: DeviceError): void => {
      for (const fate of this.#open) fate.fail(e);
    };
    this.#pool = new StoragePool(device, "storage", POOLED_BYTES, outOfMemory);
    this.#staging = new StoragePool(device, "staging", POOLED_STAGING_BYTES, outOfMemory);
    this.#reader = new Reader(this.#queue, this.#staging);
    this.#pipelines = new Pipelines(device);
    this.#context = {
      device,
      queue: this.#queue,
      zero: this.#pipelines.zero,
      nothing: this.#pool.take(256 * 64),
      pool: this.#pool,
      reader: this.#reader,
      alignment: this.target.alignment,
      host,
      callHost,
      giveBack: (storage) => this.#giveBack(storage),
    };
    this.#baseline = this.#pool.use.liveBytes;
    // What no scope caught: which arrays it concerns is not known, but somebody should hear of it.
    device.addEventListener("uncapturederror", (event) => {
      event.preventDefault();
      onFailure(refusedCommands(event.error.message));
    });
  }
  readonly #baseline: number;

  get memory(): MemoryUse {
    const { liveBytes, pooledBytes, peakBytes } = this.#pool.use;
    return { liveBytes: liveBytes - this.#baseline, pooledBytes, peakBytes };
  }
  get counts(): WebgpuCounts {
    return { ...this.#queue.counts, waits: this.#reader.waits, pipelines: this.#pipelines.count };
  }

  // -------------------------------------------------------------- programs

  load(program: Program): LoadedProgram {
    const constants = new Map<HostArray, Storage>();
    const frame = loadFrame(program, {
      kernel: (nest) => {
        let kernel = this.#kernels.get(nest);
        if (!kernel) this.#kernels.set(nest, (kernel = new Kernel(nest, this.#limits, this.#pipelines)));
        return kernel;
      },
      upload: (value) => {
        let storage = constants.get(value);
        if (!storage) constants.set(value, (storage = this.#constant(value)));
        return storage;
      },
    });
    return { program, frame, constants: [...constants.values()] };
  }
  readonly #stoodFor = new WeakMap<HostArray, GpuBuffer>();
  /** A host array without values that stands for those of a buffer, among a program's constants. */
  constantOf(buffer: GpuBuffer): HostArray {
    const { shape, dtype } = buffer.aval;
    const stand: HostArray = { shape, dtype, data: new Float32Array(0) };
    this.#stoodFor.set(stand, buffer);
    return stand;
  }
  #constant(value: HostArray): Storage {
    const buffer = this.#stoodFor.get(value);
    if (!buffer) return this.#upload(value);
    const from = buffer.storage ?? alreadyGone();
    const storage = this.#pool.take(buffer.bytes);
    // A copy: the array may be disposed of while the program lives.
    this.#queue.enqueue(() => this.#queue.copy(from, 0, storage, 0, storedBytes(buffer.aval)));
    return storage;
  }
  /** Gives back the memory of a program's constants. */
  unload({ constants }: LoadedProgram): void {
    this.giveBackConstants(constants);
  }
  giveBackConstants(constants: LoadedProgram["constants"]): void {
    this.#queue.enqueue(() => constants.forEach((storage) => this.#giveBack(storage)));
  }
  get #limits(): { maxBlocks: number; guardComparisons: boolean } {
    return { maxBlocks: this.target.maxBlocks, guardComparisons: this.acquired.guardComparisons };
  }

  /**
   * Enqueues a run. Inputs named in `donated` are given up: results that the program puts in their place take their
   * storage, the rest is reused once the run is through.
   */
  run({ program, frame }: LoadedProgram, inputs: readonly GpuBuffer[], donated?: ReadonlySet<number>): GpuBuffer[] {
    if (this.#queue.lost) throw this.#queue.lost;
    const fate = new Fate(this.#settled);
    const storages = new Array<Storage>(inputs.length);
    for (let i = 0; i < inputs.length; i++) {
      const { storage, fate: cause } = inputs[i]!;
      storages[i] = storage ?? alreadyGone();
      if (cause) fate.dependOn(cause);
    }
    const taken = donated ? this.#takeOver(program, inputs, storages, donated) : null;
    const outputs: Storage[] = [];
    try {
      for (let i = 0; i < program.outputs.length; i++)
        outputs.push(taken?.get(i) ?? this.#pool.take(storedBytes(program.outputs[i]!)));
    } catch (error) {
      for (const storage of outputs) this.#giveBack(storage);
      throw error;
    }
    this.#queue.enqueue(() => this.#start(frame, storages, outputs, fate));
    if (donated) for (const i of donated) this.release(inputs[i]!);
    return outputs.map((storage, i) => new GpuBuffer(program.outputs[i]!, storage, fate));
  }

  /** The outputs that are put in the place of a donated input. Not if another operand is the same storage. */
  #takeOver(
    { reuses }: Program,
    inputs: readonly GpuBuffer[],
    storages: readonly Storage[],
    donated: ReadonlySet<number>,
  ): Map<number, Storage> {
    const taken = new Map<number, Storage>();
    for (const [output, input] of reuses) {
      const storage = storages[input]!;
      if (!donated.has(input) || storages.filter((s) => s === storage).length > 1) continue;
      taken.set(output, storage);
      inputs[input]!.storage = null;
    }
    return taken;
  }

  #start(frame: Frame, inputs: readonly Storage[], outputs: readonly Storage[], fate: Fate): void | Promise<void> {
    const { program } = frame;
    let arena: Storage | null = null;
    const finish = (): void => {
      if (arena && arena !== this.#context.nothing) this.#giveBack(arena);
      this.#queue.end();
      fate.close();
    };
    const fail = (error: unknown): void => fate.fail(asDeviceError(error));
    this.#open.add(fate);
    this.#queue.begin(fate);
    try {
      arena = program.arenaBytes > 0 ? this.#pool.take(program.arenaBytes) : this.#context.nothing;
      // What depends on a failure is not worth computing; its storage keeps whatever was there.
      if (fate.failure) return finish();
      for (let i = 0; i < inputs.length; i++) frame.setInput(i, inputs[i]!, 0);
      for (let i = 0; i < outputs.length; i++) frame.setOutput(i, outputs[i]!, 0);
      frame.setArena(arena, 0);
      const run = new Run(this.#context, fate, arena);
      if (frame.waits) return run.execute(frame).catch(fail).then(finish);
      run.encode(frame);
    } catch (error) {
      fail(error);
    }
    return finish();
  }

  readonly #settled = (fate: Fate): void => {
    this.#open.delete(fate);
    const { failure } = fate;
    if (!failure || this.#reported.has(failure)) return;
    this.#reported.add(failure);
    this.#onFailure(failure);
  };

  // -------------------------------------------------------------- values

  put(x: HostArray): GpuBuffer {
    if (this.#queue.lost) throw this.#queue.lost;
    return new GpuBuffer(new Aval(x.shape, x.dtype), this.#upload(x), null);
  }
  #upload(x: HostArray): Storage {
    const words = toWords(x);
    const storage = this.#pool.take(words.byteLength);
    this.#queue.write(storage, 0, words);
    return storage;
  }

  /** The values, once they are computed. Rejects with the first cause if something before failed. */
  async read({ aval, storage, fate }: GpuBuffer): Promise<HostArray> {
    if (fate?.failure) throw fate.failure;
    if (this.#queue.lost) throw this.#queue.lost;
    const from = storage ?? alreadyGone();
    const host = await new Promise<HostArray>((resolve, reject) => {
      this.#queue.enqueue(() => {
        this.#reader.host(aval, { storage: from, offset: 0 }, storedBytes(aval)).then(resolve, reject);
      });
    });
    await fate?.settled();
    if (fate?.failure) throw fate.failure;
    return host;
  }
  readSync(): never {
    throw new DeviceError("NoSynchronousRead", {
      what: "the values of an array on WebGPU were asked for synchronously",
      why: "browsers and runtimes give the GPU's memory to programs only asynchronously",
      fix: "await x.data(), or await x.jsAsync()",
    });
  }

  /** Fulfilled once the values are computed. Rejects with the first cause if something before failed. */
  async ready({ fate }: GpuBuffer): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#queue.enqueue(() => {
        this.#queue.flush();
        this.acquired.device.queue.onSubmittedWorkDone().then(() => resolve(), reject);
      });
    });
    await fate?.settled();
    if (fate?.failure) throw fate.failure;
    if (this.#queue.lost) throw this.#queue.lost;
  }

  /** Gives a buffer's storage back. Idempotent. */
  release(buffer: GpuBuffer): void {
    const { storage } = buffer;
    if (!storage) return;
    buffer.storage = null;
    // In order: tasks that are waiting may yet read it.
    this.#queue.enqueue(() => this.#giveBack(storage));
  }
  #giveBack(storage: Storage): void {
    if (!this.#pool.giveBack(storage)) this.#queue.destroy(storage);
  }

  /** Submits what is encoded. */
  flush(): void {
    this.#queue.flush();
  }
  /** Frees memory that is kept for reuse. */
  trim(): void {
    this.#queue.enqueue(() => {
      for (const storage of this.#pool.drain()) this.#queue.destroy(storage);
    });
  }
  /** Ends the device. */
  destroy(): void {
    this.acquired.device.destroy();
  }
}

function alreadyGone(): never {
  throw new DeviceError("ArrayGone", {
    what: "a buffer was used after it had been released",
    why: "its memory belongs to other arrays by now",
    fix: "release an array after its last use",
  });
}

function asDeviceError(error: unknown): DeviceError {
  if (error instanceof DeviceError) return error;
  const { what, where, why, fix } =
    error instanceof CotangentError
      ? error.problem
      : {
          what: `a function called by a program threw: ${error instanceof Error ? error.message : String(error)}`,
          where: "",
          why: "callbacks run while the program does, after the call that started it has returned",
          fix: "catch errors in the callback; the cause is attached",
        };
  return new DeviceError("ProgramFailed", { what, where, why, fix }, { cause: error });
}
