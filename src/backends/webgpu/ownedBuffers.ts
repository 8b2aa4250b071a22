/**
 * Who owns the device's memory for arrays: handles, which the collector finds unreachable (see ../ownership.ts). What a
 * program needs while it runs belongs to the program and is not counted here.
 *
 * No finalizer can run inside one synchronous stretch of a program, and memory on a GPU cannot be had elsewhere. So there
 * is a budget, beyond which results are refused with a report of what is alive.
 */
import type { HostArray } from "../../core/hostArray.ts";
import { DeviceError } from "../../core/problem.ts";
import { countNewBytes } from "../../core/keptSources.ts";
import { captureSource } from "../../core/source.ts";
import type { DeviceMemoryInfo } from "../device.ts";
import { DeviceMemory, type Owner } from "../ownership.ts";
import type { GpuBuffer, WebgpuExecutor } from "./executor.ts";

/** Bytes of new results after which a read yields to the event loop, so that finalizers run. */
const yieldAfter = 64 * 2 ** 20;
/** Where the first array of a type was made is remembered, for arrays of this size and more, and so many types. */
const notable = 2 ** 20;
const notableTypes = 1024;
/** Scalars kept on the device, so that the numbers in a program are not sent each time. */
const keptScalars = 256;

/** What an array of the device holds. */
export class Handle {
  readonly buffer: GpuBuffer;
  /** Null for scalars that many arrays share. */
  readonly memory: DeviceMemory | null;
  constructor(buffer: GpuBuffer, memory: DeviceMemory | null) {
    this.buffer = buffer;
    this.memory = memory;
  }
}

export class OwnedBuffers implements Owner {
  readonly #executor: WebgpuExecutor;
  readonly #budget: number;
  /** By a number that stands for the address. */
  readonly #buffers = new Map<number, GpuBuffer>();
  /** Lines of the user, by type. As text: a captured stack would keep the arrays alive whose methods are on it. */
  readonly #madeAt = new Map<string, string>();
  readonly #scalars = new Map<string, Handle>();
  #next = 0;
  #live = 0;
  #peak = 0;
  #sinceYield = 0;

  constructor(executor: WebgpuExecutor, budget: number) {
    this.#executor = executor;
    this.#budget = budget;
  }

  info(): DeviceMemoryInfo {
    const { liveBytes, pooledBytes } = this.#executor.memory;
    return {
      live: this.#live,
      peak: this.#peak,
      capacity: liveBytes + pooledBytes,
      count: this.#buffers.size,
    };
  }

  /** Refuses results that would not fit the budget. */
  reserve(bytes: number): void {
    if (this.#live + bytes > this.#budget) throw this.#overBudget(bytes);
  }
  own(buffer: GpuBuffer): Handle {
    const { bytes } = buffer;
    const number = this.#next++;
    this.#buffers.set(number, buffer);
    if (bytes >= notable) this.#remember(buffer);
    this.#live += bytes;
    this.#peak = Math.max(this.#peak, this.#live);
    this.#sinceYield += bytes;
    countNewBytes(bytes);
    return new Handle(buffer, new DeviceMemory(this, number, bytes));
  }
  free(number: number, bytes: number): void {
    const buffer = this.#buffers.get(number);
    if (!buffer) return;
    this.#buffers.delete(number);
    this.#live -= bytes;
    this.#executor.release(buffer);
  }
  #remember(buffer: GpuBuffer): void {
    const type = typeOf(buffer);
    if (!this.#madeAt.has(type) && this.#madeAt.size < notableTypes) this.#madeAt.set(type, captureSource().frame());
  }

  put(x: HostArray): Handle {
    if (x.shape.length > 0) {
      this.reserve(x.data.byteLength);
      return this.own(this.#executor.put(x));
    }
    const key = `${x.dtype} ${Array.from(x.data, (v) => (Object.is(v, -0) ? "-0" : v)).join()}`;
    const known = this.#scalars.get(key);
    if (known) return known;
    const buffer = this.#executor.put(x);
    if (this.#scalars.size >= keptScalars) return this.own(buffer);
    const handle = new Handle(buffer, null);
    this.#scalars.set(key, handle);
    return handle;
  }

  /** Lets the collector's callbacks run, if enough was allocated since they last could. Promises alone do not. */
  async breathe(): Promise<void> {
    if (this.#sinceYield < yieldAfter) return;
    this.#sinceYield = 0;
    await new Promise<void>((resume) => setTimeout(resume, 0));
  }

  #overBudget(bytes: number): DeviceError {
    const types = new Map<string, { count: number; bytes: number }>();
    for (const buffer of this.#buffers.values()) {
      const type = typeOf(buffer);
      const { count, bytes: others } = types.get(type) ?? { count: 0, bytes: 0 };
      types.set(type, { count: count + 1, bytes: others + buffer.bytes });
    }
    const largest = [...types].sort(([, a], [, b]) => b.bytes - a.bytes).slice(0, 3);
    const lines = largest.map(([type, t]) => {
      const place = this.#madeAt.get(type) ?? "";
      return `    ${t.count} × ${type}, ${mebibytes(t.bytes)}${place === "" ? "" : `, the first made at ${place}`}`;
    });
    return new DeviceError("OutOfMemory", {
      what: `${mebibytes(bytes)} more than the ${mebibytes(this.#live)} of arrays on the GPU exceed the budget of ${mebibytes(this.#budget)}; the largest:\n${lines.join("\n")}`,
      why: "the collector frees device memory only between macrotasks, so a loop without an await frees nothing",
      fix: "jit the loop, so that intermediates share memory; or await in it (await x.data(), await blockUntilReady(x)); or dispose() of arrays after their last use",
    });
  }
}

const typeOf = (buffer: GpuBuffer): string => String(buffer.aval.strong());
const mebibytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
