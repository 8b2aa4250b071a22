/**
 * Reading back. Values are copied to memory that the host may map; reads asked for in one go share one submission and are
 * awaited together, since some runtimes take 10 ms to notice that the device is done (Deno: 11 ms, Firefox: 100 ms).
 */
import type { Aval } from "../../core/aval.ts";
import type { HostArray } from "../../core/hostArray.ts";
import { DeviceError } from "../../core/problem.ts";
import { MAP_FOR_READING } from "./constants.ts";
import type { Location } from "./loaded.ts";
import type { CommandQueue } from "./queue.ts";
import type { Storage, StoragePool } from "./storage.ts";
import { fromWords } from "./words.ts";

interface Pending {
  readonly staging: Storage;
  readonly bytes: number;
  readonly resolve: (x: ArrayBuffer) => void;
  readonly reject: (reason: DeviceError) => void;
}

export class Reader {
  readonly #queue: CommandQueue;
  readonly #pool: StoragePool;
  #pending: Pending[] = [];
  #mapped = 0;

  constructor(queue: CommandQueue, pool: StoragePool) {
    this.#queue = queue;
    this.#pool = pool;
  }

  /** How many times the host has waited for the device; reads that share a wait count once. */
  get waits(): number {
    return this.#mapped;
  }

  /** The bytes at a place, as they are after the commands encoded so far. */
  async read({ storage, offset }: Location, bytes: number): Promise<ArrayBuffer> {
    if (bytes === 0) return new ArrayBuffer(0);
    const staging = this.#pool.take(bytes);
    this.#queue.copy(storage, offset, staging, 0, bytes);
    if (this.#pending.length === 0) queueMicrotask(() => this.#map());
    return new Promise((resolve, reject) => this.#pending.push({ staging, bytes, resolve, reject }));
  }
  async host(aval: Aval, at: Location, bytes: number): Promise<HostArray> {
    return fromWords(aval, await this.read(at, bytes));
  }

  #map(): void {
    this.#queue.flush();
    this.#mapped++;
    for (const { staging, bytes, resolve, reject } of this.#pending.splice(0))
      staging.raw.mapAsync(MAP_FOR_READING, 0, bytes).then(
        () => {
          const copy = staging.raw.getMappedRange(0, bytes).slice(0);
          staging.raw.unmap();
          if (!this.#pool.giveBack(staging)) staging.raw.destroy();
          resolve(copy);
        },
        (error: unknown) => reject(this.#queue.lost ?? unreadable(error)),
      );
  }
}

const unreadable = (cause: unknown): DeviceError =>
  new DeviceError(
    "Unreadable",
    {
      what: `the WebGPU device did not give back a result: ${cause instanceof Error ? cause.message : String(cause)}`,
      where: "",
      why: "its memory could not be mapped; usually the device is lost or out of memory",
      fix: "start again with less memory in use, or on another device",
    },
    { cause },
  );
