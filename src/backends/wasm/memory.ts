/**
 * The memory of the wasm device: one WebAssembly.Memory that grows, with results at its front and a stack at the front of
 * which running programs put operands, arenas and scratch.
 *
 * Results of 64 KiB and more live here, owned by `DeviceMemory`; smaller ones are plain JavaScript memory, cheaper than a
 * finalizer. Beyond the budget, results become plain array buffers too: the collector frees those even in a program that
 * never yields, so such a program gets slower, not bigger.
 */
import { Arena } from "../../compiler/arena.ts";
import { countNewBytes } from "../../core/keptSources.ts";
import { DeviceError } from "../../core/problem.ts";
import type { DeviceMemoryInfo } from "../device.ts";
import { DeviceMemory, type Owner } from "../ownership.ts";
import { type Asked, askedFor, featuresFor, sharedMemory } from "./features.ts";

const page = 65536;
/** 4 GiB, less one page so that every address and length fits 32 bits. */
const maxPages = 65535;
const initialPages = 16;
/** Results from this size on are kept in wasm memory. */
export const smallBytes = 65536;
/** Bytes of results that wasm memory holds before new ones go to ordinary array buffers. */
const budget = 384 * 2 ** 20;
/** Bytes of new results after which a read yields to the event loop, so that finalizers run. */
const yieldAfter = 64 * 2 ** 20;

export class WasmMemory implements Owner {
  readonly memory: WebAssembly.Memory;
  readonly features: ReturnType<typeof featuresFor>;
  readonly #heap = new Arena(64);
  /** A view of all of it; made anew when it grows. */
  bytes: Uint8Array;
  /** Bytes of results now, and at most so far. */
  live = 0;
  peak = 0;
  count = 0;
  #stack = { address: 0, bytes: 0, used: 0 };

  constructor(asked: Asked = askedFor()) {
    const shared = asked.has("-threads") ? null : sharedMemory(initialPages, maxPages);
    this.memory = shared ?? new WebAssembly.Memory({ initial: initialPages, maximum: maxPages });
    this.features = featuresFor(this.memory, asked);
    this.bytes = new Uint8Array(this.memory.buffer);
    // Address 0 is nobody's.
    this.#heap.allocate(64);
  }

  /** Whether other threads can use it. */
  get isShared(): boolean {
    return this.features.sharedMemory;
  }

  #sinceYield = 0;

  /** Lets the collector's callbacks run, if enough was allocated since they last could. Promises alone do not. */
  async breathe(): Promise<void> {
    if (this.#sinceYield < yieldAfter) return;
    this.#sinceYield = 0;
    await new Promise<void>((resume) => setTimeout(resume, 0));
  }

  /** Whether new results still belong here. */
  get hasRoom(): boolean {
    return this.live < budget;
  }
  /** Bytes that the memory has grown to. */
  get capacity(): number {
    return this.bytes.length;
  }

  info(): DeviceMemoryInfo {
    return { live: this.live, peak: this.peak, capacity: this.capacity, count: this.count };
  }

  /** A run of bytes for an array; the caller frees it. */
  allocate(bytes: number): number {
    const address = this.#take(bytes);
    this.live += bytes;
    this.count++;
    this.peak = Math.max(this.peak, this.live);
    return address;
  }
  #take(bytes: number): number {
    const address = this.#heap.allocate(bytes);
    const end = address + bytes;
    if (end > this.bytes.length) {
      try {
        this.#grow(end);
      } catch (error) {
        this.#heap.release(address, bytes);
        throw outOfMemory(bytes, this.live, error);
      }
    }
    return address;
  }
  free(address: number, bytes: number): void {
    this.#heap.release(address, bytes);
    this.live -= bytes;
    this.count--;
  }
  /** The same, owned by the collector. */
  own(bytes: number): DeviceMemory {
    this.#sinceYield += bytes;
    countNewBytes(bytes);
    return new DeviceMemory(this, this.allocate(bytes), bytes);
  }

  /** A run of bytes that is no array's and is not counted, owned by the collector. */
  keep(bytes: number): DeviceMemory {
    const owner = { free: (address: number, length: number) => this.#heap.release(address, length) };
    return new DeviceMemory(owner, this.#take(bytes), bytes);
  }

  #grow(end: number): void {
    const wanted = Math.ceil((end - this.bytes.length) / page);
    // Growing is rare: a quarter more than needed, if there is as much.
    const spare = Math.min(Math.ceil(end / page / 4), maxPages - this.bytes.length / page);
    try {
      this.memory.grow(Math.max(wanted, spare));
    } catch {
      this.memory.grow(wanted);
    }
    this.bytes = new Uint8Array(this.memory.buffer);
  }

  /**
   * Runs `f` with `bytes` of scratch at an address that is a multiple of 64. Calls nest: a callback may run programs while
   * one is running.
   */
  withScratch<T>(bytes: number, f: (address: number) => T): T {
    const stack = this.#stack;
    if (stack.used + bytes > stack.bytes) {
      // Only an idle stack can move.
      if (stack.used > 0) return this.#withBlock(bytes, f);
      this.#resizeStack(bytes);
    }
    const { used } = this.#stack;
    const size = Math.ceil(bytes / 64) * 64;
    this.#stack.used += size;
    try {
      return f(this.#stack.address + used);
    } finally {
      this.#stack.used -= size;
    }
  }
  #withBlock<T>(bytes: number, f: (address: number) => T): T {
    const address = this.allocate(bytes);
    try {
      return f(address);
    } finally {
      this.free(address, bytes);
    }
  }
  #resizeStack(bytes: number): void {
    const { address, bytes: old } = this.#stack;
    if (old > 0) this.#heap.release(address, old);
    this.#stack = { address: 0, bytes: 0, used: 0 };
    const size = Math.ceil((bytes * 1.25) / page) * page;
    const next = this.#heap.allocate(size);
    if (next + size > this.bytes.length) {
      try {
        this.#grow(next + size);
      } catch (error) {
        this.#heap.release(next, size);
        throw outOfMemory(size, this.live, error);
      }
    }
    this.#stack = { address: next, bytes: size, used: 0 };
  }
}

const mebibytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;

const outOfMemory = (bytes: number, live: number, cause: unknown): DeviceError =>
  new DeviceError(
    "OutOfMemory",
    {
      what: `${mebibytes(bytes)} more than the ${mebibytes(live)} of arrays in wasm memory cannot be allocated`,
      why: "a WebAssembly memory ends at 4 GiB, or the machine has no more to give",
      fix: "free arrays (let go of them and await, or dispose()), jit the computation so that intermediates share memory, or work in parts with lax.scan or lax.map",
    },
    { cause },
  );
