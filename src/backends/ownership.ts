/**
 * Who frees device memory. A `DeviceMemory` is one allocation of a device, owned by the buffers that hold it; when the
 * collector finds it unreachable, the device gets it back.
 *
 * The collector sees only a small object, so it would not hurry. *Ballast* tells it what the object costs: an untouched
 * array buffer of the same size, which takes address space but no memory. Finalizers run between macrotasks, never inside
 * one, so programs that never yield have a budget instead (see `wasm/memory.ts`).
 */

/** Something that memory can be given back to. */
export interface Owner {
  free(address: number, bytes: number): void;
}

/** Bytes of ballast for a byte of device memory. Deno's collector hurries less (measured with bench/memory.ts). */
const ballastFactor = "Deno" in globalThis ? 16 : 1;

/** Smaller allocations are many and short-lived: making ballast would cost more than the memory they hold. */
const smallest = 65536;

/** ES2024's resizable buffers, which the library's compile target does not declare. */
type ResizableConstructor = new (length: number, options: { maxByteLength: number }) => ArrayBuffer;

/** Array buffers that are no more than address space: resizable ones are not touched until they are written. */
const ballastOf = (bytes: number): ArrayBuffer | null => {
  if (bytes < smallest) return null;
  try {
    const size = Math.min(bytes * ballastFactor, 2 ** 32);
    return new (ArrayBuffer as ResizableConstructor)(size, { maxByteLength: size });
  } catch {
    // Out of address space: the budget still holds.
    return null;
  }
};

interface Allocation {
  readonly owner: Owner;
  readonly address: number;
  readonly bytes: number;
}

const reclaimed = /* @__PURE__ */ new FinalizationRegistry<Allocation>(({ owner, address, bytes }) =>
  owner.free(address, bytes),
);

/** One allocation of a device. */
export class DeviceMemory {
  readonly address: number;
  readonly bytes: number;
  readonly #owner: Owner;
  // Never read. Its length is all that the collector knows of device memory.
  readonly #ballast: ArrayBuffer | null;
  #live = true;

  constructor(owner: Owner, address: number, bytes: number) {
    this.#owner = owner;
    this.address = address;
    this.bytes = bytes;
    this.#ballast = ballastOf(bytes);
    reclaimed.register(this, { owner, address, bytes }, this);
  }

  /** Gives the memory back now. Idempotent. */
  release(): void {
    if (!this.#live) return;
    this.#live = false;
    reclaimed.unregister(this);
    this.#owner.free(this.address, this.bytes);
    void this.#ballast;
  }
}
