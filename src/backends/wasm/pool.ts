/**
 * Threads that help the calling one: workers over the same wasm memory. They are started once enough work was done that
 * more of it is likely, and until they have checked in, and wherever they cannot be had, everything runs on the calling
 * thread. That thread takes part in each job, so a worker that is slow to wake delays nothing.
 */
import { DeviceError } from "../../core/problem.ts";
import { warnOnce } from "../../core/warn.ts";
import type { ThreadInfo } from "../device.ts";
import type { Tasks } from "../../compiler/loopNest/loopNest.ts";
import type { DeviceMemory } from "../ownership.ts";
import type { WasmMemory } from "./memory.ts";
import { controlWords, mostArguments, nodeWorker, open, webWorker, word } from "./workerSource.ts";

/** What a pool needs of its workers' type, in Node, Deno and browsers. */
interface Worker {
  unref?(): void;
  postMessage?(message: unknown): void;
  terminate(): unknown;
}
interface NodeWorkers {
  readonly Worker: new (source: string, options: object) => Worker;
}
/** How threads are wanted. */
export interface ThreadOptions {
  /** Threads that compute, the calling one included. As many as there are processors, 16 at most, if left out. */
  readonly threads?: number;
  /** Makes a Web Worker of its program, where a content-security policy forbids `blob:` URLs. */
  readonly worker?: (source: string) => Worker;
}
const mostThreads = 16;
/** Jobs before the workers are started: a program that ends soon does not pay for them. */
const jobsBefore = 4;
/** Looks at the gate before the calling thread sleeps, where it may. */
const looks = 2000;

interface Runtime {
  readonly process?: {
    readonly env?: Readonly<Record<string, string | undefined>>;
    readonly getBuiltinModule?: (name: string) => unknown;
  };
  readonly navigator?: { readonly hardwareConcurrency?: number };
  readonly Worker?: new (url: string) => Worker;
  readonly document?: unknown;
}
const runtime = globalThis as Runtime;

/** The number of threads that options, COTANGENT_THREADS or the machine ask for. */
function wantedThreads({ threads }: ThreadOptions): number {
  const asked = threads ?? Number(runtime.process?.env?.["COTANGENT_THREADS"] || NaN);
  if (asked >= 1) return Math.min(mostThreads, Math.floor(asked));
  const os = runtime.process?.getBuiltinModule?.("node:os") as { availableParallelism?: () => number } | undefined;
  return Math.min(mostThreads, os?.availableParallelism?.() ?? runtime.navigator?.hardwareConcurrency ?? 1);
}

/** A program that workers can load, and the memory that its bytes lie in. */
export interface SharedProgram {
  readonly id: number;
  readonly memory: DeviceMemory;
}
type Kernel = (...args: number[]) => void;

export class WorkerPool {
  wanted: number;
  #options: ThreadOptions;
  readonly #wasm: WasmMemory;
  #words: Int32Array | null = null;
  /** The words that workers look at. */
  #control: DeviceMemory | null = null;
  #jobs = 0;
  #why: string | null;
  /** Keeps them alive. */
  readonly #workers: Worker[] = [];
  #programs = 0;

  constructor(wasm: WasmMemory, options: ThreadOptions) {
    this.#wasm = wasm;
    this.#options = options;
    this.wanted = wantedThreads(options);
    this.#why = wasm.isShared
      ? null
      : "memory cannot be shared between threads here: a page must be cross-origin isolated (headers Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp)";
  }

  /** Says how threads are wanted; false if they have been started. */
  choose(options: ThreadOptions): boolean {
    if (this.#workers.length > 0) return false;
    this.#options = options;
    this.wanted = wantedThreads(options);
    return true;
  }

  /** Threads that compute now. */
  get running(): number {
    return this.#words ? 1 + Atomics.load(this.#words, word.ready) : 1;
  }
  info(): ThreadInfo {
    const { wanted, running } = this;
    if (running >= wanted) return { wanted, running, why: null };
    const why =
      this.#workers.length > 0
        ? "some workers have not checked in yet, or have ended"
        : "workers are started when there is much to compute";
    return { wanted, running, why: this.#why ?? why };
  }
  /** Threads for which scratch memory is needed. */
  get threads(): number {
    return this.#workers.length + 1;
  }

  /** Prepares for a kernel that is worth several threads: starts them if there were enough of such; whether they are there. */
  prepare(args: number): boolean {
    if (this.wanted < 2 || args > mostArguments) return false;
    if (++this.#jobs === jobsBefore) this.#start();
    return this.running > 1;
  }

  /** Puts a program where workers find it. */
  share(bytes: Uint8Array): SharedProgram {
    const memory = this.#wasm.keep(bytes.length);
    this.#wasm.bytes.set(bytes, memory.address);
    return { id: ++this.#programs, memory };
  }

  /**
   * Runs all tasks of a kernel on all threads.
   * @param scratch where the calling thread's scratch memory begins; that of the workers follows.
   */
  run(
    program: SharedProgram,
    number: number,
    kernel: Kernel,
    args: readonly number[],
    scratch: number,
    scratchBytes: number,
    { count, grain }: Tasks,
  ): void {
    const words = this.#words!;
    words[word.module] = program.id;
    words[word.address] = program.memory.address;
    words[word.length] = program.memory.bytes;
    words[word.kernel] = number;
    words[word.tasks] = count;
    words[word.grain] = grain;
    words[word.scratch] = scratch;
    words[word.scratchBytes] = scratchBytes;
    words[word.count] = args.length;
    for (let i = 0; i < args.length; i++) words[word.args + i] = args[i]!;
    Atomics.store(words, word.next, 0);
    Atomics.store(words, word.gate, open);
    Atomics.add(words, word.ticket, 1);
    Atomics.notify(words, word.ticket);
    try {
      for (;;) {
        const from = Atomics.add(words, word.next, 1) * grain;
        if (from >= count) break;
        kernel(...args, scratch, from, Math.min(from + grain, count));
      }
    } finally {
      this.#closeGate(words);
    }
    // The worker has ended; what is computed next is computed without it.
    if (Atomics.exchange(words, word.failed, 0) !== 0) throw failed();
  }

  /** Closes the gate and waits until everybody is out. */
  #closeGate(words: Int32Array): void {
    Atomics.and(words, word.gate, ~open);
    for (let look = 0; ; look++) {
      const inside = Atomics.load(words, word.gate);
      if (inside === 0) return;
      if (look >= looks && mayBlock) Atomics.wait(words, word.gate, inside, 1000);
    }
  }

  #start(): void {
    if (this.#why !== null) {
      warnOnce("threads", `computing on one thread of ${this.wanted}: ${this.#why}`);
      return;
    }
    this.#control = this.#wasm.keep(controlWords * 4);
    const { address } = this.#control;
    const words = (this.#words = new Int32Array(this.#wasm.memory.buffer, address, controlWords));
    words.fill(0);
    try {
      for (let i = 1; i < this.wanted; i++) this.#workers.push(this.#worker(i));
    } catch (error) {
      this.#why = `a worker could not be started: ${String(error)}`;
      warnOnce("threads", `computing on ${this.#workers.length + 1} threads of ${this.wanted}: ${this.#why}`);
    }
  }

  #worker(index: number): Worker {
    const given = { memory: this.#wasm.memory, control: this.#control!.address, number: index };
    const node = runtime.process?.getBuiltinModule?.("node:worker_threads") as NodeWorkers | undefined;
    if (node && !this.#options.worker) {
      // Flags of the program, such as loaders, are not for workers.
      const worker = new node.Worker(nodeWorker, { eval: true, workerData: given, execArgv: [], env: {} });
      worker.unref?.();
      return worker;
    }
    const worker = this.#options.worker?.(webWorker) ?? ofBlob(webWorker);
    worker.postMessage?.(given);
    return worker;
  }
}

function ofBlob(source: string): Worker {
  const Web = runtime.Worker;
  if (!Web) throw new Error("the runtime has no Worker");
  const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  return new Web(url);
}

/** Browsers forbid their main thread to sleep. */
const mayBlock = /* @__PURE__ */ (() => typeof runtime.document === "undefined")();

const failed = (): DeviceError =>
  new DeviceError("ThreadFailed", {
    what: "a worker thread of the wasm device failed",
    why: "it could not load or run a kernel that ran on the calling thread, perhaps for lack of memory",
    fix: 'run on one thread, COTANGENT_THREADS=1 or await init("wasm", { threads: 1 }), and report the program',
  });
