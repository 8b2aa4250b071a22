/** What an array of the wasm device holds: stored bytes, in wasm memory or in an ordinary array buffer. */
import { packedLayout } from "../../core/elementTypes.ts";
import { type HostArray, type TypedArray, lanesOf, toStorage } from "../../core/hostArray.ts";
import type { Aval } from "../../core/aval.ts";
import { fromStorage } from "../../core/hostArray.ts";
import { readHost, storedView } from "../../compiler/runProgram.ts";
import { sizeOf } from "../../core/shape.ts";
import type { DeviceMemory } from "../ownership.ts";
import { type WasmMemory, smallBytes } from "./memory.ts";

export class WasmBuffer {
  readonly aval: Pick<Aval, "shape" | "dtype">;
  /** One of the two is null; both are once the buffer is given up. */
  memory: DeviceMemory | null;
  bytes: Uint8Array | null;

  constructor(aval: WasmBuffer["aval"], memory: DeviceMemory | null, bytes: Uint8Array | null) {
    this.aval = aval;
    this.memory = memory;
    this.bytes = bytes;
  }

  /** Moves what lies in an ordinary array buffer into wasm memory. */
  moveTo(wasm: WasmMemory): void {
    const bytes = this.bytes!;
    const memory = wasm.own(bytes.length);
    wasm.bytes.set(bytes, memory.address);
    this.memory = memory;
    this.bytes = null;
  }

  release(): void {
    this.memory?.release();
    this.memory = null;
    this.bytes = null;
  }
}

const bytesOf = (x: TypedArray): Uint8Array => new Uint8Array(x.buffer, x.byteOffset, x.byteLength);

/** Values on the device. Small ones are not copied. */
export function putHost(x: HostArray, wasm: WasmMemory): WasmBuffer {
  const stored = bytesOf(toStorage(x));
  const aval = { shape: x.shape, dtype: x.dtype };
  const buffer = new WasmBuffer(aval, null, stored);
  if (stored.length >= smallBytes && wasm.hasRoom) buffer.moveTo(wasm);
  return buffer;
}

/** The values of a buffer; not to be mutated. */
export function hostOf(buffer: WasmBuffer, wasm: WasmMemory): HostArray {
  const { aval, memory, bytes } = buffer;
  if (memory) return hostAt(aval, memory.address, wasm);
  const { shape, dtype } = aval;
  const storage = packedLayout[dtype];
  return fromStorage(
    shape,
    dtype,
    storedView(storage, bytes!.buffer, bytes!.byteOffset, sizeOf(shape) * lanesOf(dtype)),
  );
}

/** A copy of the values at an address. */
export const hostAt = (aval: WasmBuffer["aval"], address: number, wasm: WasmMemory): HostArray =>
  readHost(aval, packedLayout, storedAt(aval, address, wasm));

/** The stored scalars at an address, until the memory grows. */
export const storedAt = ({ shape, dtype }: WasmBuffer["aval"], address: number, wasm: WasmMemory): TypedArray =>
  storedView(packedLayout[dtype], wasm.memory.buffer, address, sizeOf(shape) * lanesOf(dtype));
