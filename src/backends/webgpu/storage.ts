/**
 * Storage: device memory in pieces of certain sizes, kept for reuse. A piece given back may be taken again at once, because
 * everything that touches it goes through one queue in order; so giving back and taking are themselves done in that order.
 */
import { DeviceError } from "../../core/problem.ts";
import { BufferUsage } from "./constants.ts";

export interface Storage {
  readonly id: number;
  readonly raw: GPUBuffer;
  readonly bytes: number;
  /** The last batch of commands that uses it. */
  batch: number;
}

export interface MemoryUse {
  /** In use, pieces rounded up to their sizes. */
  readonly liveBytes: number;
  /** Kept for reuse. */
  readonly pooledBytes: number;
  readonly peakBytes: number;
}

const STORAGE = BufferUsage.storage | BufferUsage.copySource | BufferUsage.copyTarget;
const STAGING = BufferUsage.mapRead | BufferUsage.copyTarget;

/** Four sizes between one power of two and the next, powers alone below 4 KiB. At most a quarter is wasted. */
export function sizeClass(bytes: number): number {
  if (bytes <= 256) return 256;
  const power = 2 ** (31 - Math.clz32(bytes - 1));
  if (bytes > 2 ** 31) return Math.ceil(bytes / 2 ** 29) * 2 ** 29;
  const step = power < 4096 ? power : power / 4;
  return Math.ceil(bytes / step) * step;
}

export class StoragePool {
  readonly #device: GPUDevice;
  readonly #usage: number;
  readonly #maxPooled: number;
  readonly #onProblem: (e: DeviceError) => void;
  readonly #free = new Map<number, Storage[]>();
  #nextId = 0;
  #live = 0;
  #pooled = 0;
  #peak = 0;

  constructor(device: GPUDevice, kind: "storage" | "staging", maxPooled: number, onProblem: (e: DeviceError) => void) {
    this.#device = device;
    this.#usage = kind === "storage" ? STORAGE : STAGING;
    this.#maxPooled = maxPooled;
    this.#onProblem = onProblem;
  }

  get use(): MemoryUse {
    return { liveBytes: this.#live, pooledBytes: this.#pooled, peakBytes: this.#peak };
  }

  take(bytes: number): Storage {
    const size = Math.min(sizeClass(bytes), Math.max(this.#device.limits.maxBufferSize, bytes));
    const known = this.#free.get(size)?.pop();
    if (known) this.#pooled -= size;
    const storage = known ?? this.#make(size);
    this.#live += size;
    this.#peak = Math.max(this.#peak, this.#live + this.#pooled);
    return storage;
  }

  /** True if the piece is kept; otherwise the caller destroys it once no command uses it. */
  giveBack(storage: Storage): boolean {
    this.#live -= storage.bytes;
    if (this.#pooled + storage.bytes > this.#maxPooled) return false;
    this.#pooled += storage.bytes;
    const list = this.#free.get(storage.bytes);
    if (list) list.push(storage);
    else this.#free.set(storage.bytes, [storage]);
    return true;
  }

  /** Takes everything out that is kept. */
  drain(): Storage[] {
    const all = [...this.#free.values()].flat();
    this.#free.clear();
    this.#pooled = 0;
    return all;
  }

  #make(size: number): Storage {
    const most = this.#device.limits.maxBufferSize;
    if (size > most) throw tooLarge(size, `the largest buffer of this device has ${most} bytes`);
    this.#device.pushErrorScope("out-of-memory");
    const raw = this.#device.createBuffer({ size, usage: this.#usage });
    this.#device.popErrorScope().then(
      (error) => void (error && this.#onProblem(tooLarge(size, "the device's memory is exhausted"))),
      () => undefined,
    );
    return { id: this.#nextId++, raw, bytes: size, batch: -1 };
  }
}

const tooLarge = (bytes: number, why: string): DeviceError =>
  new DeviceError("OutOfMemory", {
    what: `${bytes} bytes of WebGPU memory cannot be allocated`,
    why,
    fix: "dispose of arrays that are no longer needed, or work in parts with lax.scan or lax.map",
  });
