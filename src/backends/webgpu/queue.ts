/**
 * The ordered queue of a device. Commands are gathered into one batch, submitted when somebody reads, when it is long, and
 * at the end of the macrotask. Nothing waits for the device except a read, or a task that must see a value to go on (a loop
 * whose predicate lives on the GPU): what is enqueued after such a task waits behind it, while its caller goes on.
 */
import { DeviceError } from "../../core/problem.ts";
import type { Fate } from "./fate.ts";
import type { Pipeline } from "./pipelines.ts";
import type { Storage } from "./storage.ts";

/** Commands after which a batch is submitted: enough to hide the cost of submitting, few enough to start the device early. */
const COMMANDS_PER_BATCH = 128;

export interface QueueCounts {
  readonly submits: number;
  readonly dispatches: number;
  readonly copies: number;
}

/** Runs something after the current macrotask. */
const later: (f: () => void) => void = (f) => {
  const { setImmediate } = globalThis as { setImmediate?: (f: () => void) => unknown };
  if (setImmediate) setImmediate(f);
  else setTimeout(f, 0);
};

export class CommandQueue {
  readonly device: GPUDevice;
  /** The number of the batch being gathered. */
  batch = 0;
  /** Why the device is gone. */
  lost: DeviceError | null = null;
  #encoder: GPUCommandEncoder | null = null;
  #pass: GPUComputePassEncoder | null = null;
  #pipeline: Pipeline | null = null;
  #commands = 0;
  /** Fates of the work in the batch. */
  #fates: Fate[] = [];
  /** Its pipelines that the driver has not judged yet. */
  #unproven = new Set<Pipeline>();
  /** Fates of the batches submitted of which is not known yet whether they were valid. */
  readonly #unanswered = new Set<readonly Fate[]>();
  #lastAnswer: Promise<void> = Promise.resolve();
  #current: Fate | null = null;
  #dying: Storage[] = [];
  #waiting: (() => void | Promise<void>)[] = [];
  #isBusy = false;
  #isScheduled = false;
  #counts = { submits: 0, dispatches: 0, copies: 0 };

  constructor(device: GPUDevice) {
    this.device = device;
    void device.lost.then(({ message, reason }) => {
      this.lost = new DeviceError("DeviceLost", {
        what: `the WebGPU device was lost (${reason}): ${message}`,
        where: "",
        why: "drivers reset a GPU that crashes, runs too long or sleeps; arrays on it are gone",
        fix: "start again: init() acquires a new device",
      });
      for (const fates of [...this.#unanswered]) this.#answer(fates, this.lost);
    });
  }

  get counts(): QueueCounts {
    return { ...this.#counts };
  }

  // -------------------------------------------------------------- order

  /** Runs work in order: at once, unless a task before it is waiting for the device. Work must not throw. */
  enqueue(work: () => void | Promise<void>): void {
    if (this.#isBusy) {
      this.#waiting.push(work);
      return;
    }
    const task = work();
    if (task) {
      this.#isBusy = true;
      void task.then(() => this.#drain());
    }
  }
  async #drain(): Promise<void> {
    for (let work = this.#waiting.shift(); work; work = this.#waiting.shift()) await work();
    this.#isBusy = false;
  }

  /** Commands encoded from here on belong to a fate. */
  begin(fate: Fate): void {
    this.#current = fate;
    if (this.#encoder) this.#join(fate);
  }
  end(): void {
    this.#current = null;
  }
  #join(fate: Fate): void {
    if (this.#fates[this.#fates.length - 1] === fate) return;
    this.#fates.push(fate);
    fate.open();
  }

  // -------------------------------------------------------------- commands

  #open(): GPUCommandEncoder {
    if (!this.#encoder) {
      this.device.pushErrorScope("validation");
      this.#encoder = this.device.createCommandEncoder();
      if (this.#current) this.#join(this.#current);
      if (!this.#isScheduled) {
        this.#isScheduled = true;
        later(() => {
          this.#isScheduled = false;
          this.flush();
        });
      }
    }
    return this.#encoder;
  }

  dispatch(pipeline: Pipeline, group: GPUBindGroup, workgroups: readonly [number, number, number]): void {
    const encoder = this.#open();
    this.#pass ??= encoder.beginComputePass();
    if (this.#pipeline !== pipeline) {
      this.#pass.setPipeline(pipeline.raw);
      this.#pipeline = pipeline;
      if (!pipeline.isVerified) this.#unproven.add(pipeline);
    }
    this.#pass.setBindGroup(0, group);
    this.#pass.dispatchWorkgroups(workgroups[0], workgroups[1], workgroups[2]);
    this.#counts.dispatches++;
    this.#count();
  }

  copy(from: Storage, fromOffset: number, to: Storage, toOffset: number, bytes: number): void {
    if (bytes === 0) return;
    const encoder = this.#open();
    this.#endPass();
    from.batch = this.batch;
    to.batch = this.batch;
    encoder.copyBufferToBuffer(from.raw, fromOffset, to.raw, toOffset, bytes);
    this.#counts.copies++;
    this.#count();
  }

  /** Writes values now, that is before the commands of a batch that is still open: which must not touch the storage. */
  write(to: Storage, offset: number, data: ArrayBufferView<ArrayBuffer>): void {
    if (data.byteLength === 0) return;
    if (to.batch === this.batch) this.flush();
    this.device.queue.writeBuffer(to.raw, offset, data);
  }

  /** Destroys a storage once the batch that may use it is submitted. */
  destroy(storage: Storage): void {
    if (storage.batch === this.batch && this.#encoder) this.#dying.push(storage);
    else storage.raw.destroy();
  }

  #count(): void {
    if (++this.#commands >= COMMANDS_PER_BATCH) this.flush();
  }
  #endPass(): void {
    this.#pass?.end();
    this.#pass = null;
    this.#pipeline = null;
  }

  /** Submits the batch. */
  flush(): void {
    const encoder = this.#encoder;
    if (!encoder) return;
    this.#endPass();
    const fates = this.#fates;
    const verdicts = [...this.#unproven].map((p) => p.verdict);
    this.#encoder = null;
    this.#fates = [];
    this.#unproven.clear();
    this.#commands = 0;
    this.batch++;
    this.#unanswered.add(fates);
    this.device.queue.submit([encoder.finish()]);
    this.#counts.submits++;
    for (const storage of this.#dying) storage.raw.destroy();
    this.#dying = [];
    // A refused kernel is the cause of the batch's failure, so its verdict is heard first.
    this.#lastAnswer = Promise.all([this.device.popErrorScope(), ...verdicts]).then(
      ([error]) => this.#answer(fates, error ? refusedCommands(error.message) : null),
      (error) => this.#answer(fates, refusedCommands(String(error))),
    );
  }
  /** Fulfilled once it is known whether the batches submitted so far were valid. */
  get answered(): Promise<void> {
    return this.#lastAnswer;
  }
  #answer(fates: readonly Fate[], failure: DeviceError | null): void {
    if (!this.#unanswered.delete(fates)) return;
    for (const fate of fates) {
      if (failure) fate.fail(failure);
      fate.close();
    }
  }
}

export const refusedCommands = (message: string): DeviceError =>
  new DeviceError("CommandsRefused", {
    what: `the GPU's driver refused a batch of commands: ${message}`,
    where: "",
    why: "this is a bug in cotangent or in the driver, not in your program",
    fix: 'please report it; meanwhile another device computes the same: defaultDevice("cpu")',
  });
