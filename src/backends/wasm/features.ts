/** What the engine can do, found out by trying: nothing that may be missing is named before it is known to be there. */
import type { WasmFeatures } from "./codegen.ts";

/** A module of type () → v128 whose function ends in a relaxed instruction: whether the engine knows it. */
const relaxedModule = /* @__PURE__ */ Uint8Array.of(
  ...[0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0],
  ...[10, 15, 1, 13, 0, 65, 1, 253, 15, 65, 2, 253, 15, 253, 128, 2, 11],
);
/** The same with i8x16.splat alone. */
const simdModule = /* @__PURE__ */ Uint8Array.of(
  ...[0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0],
  ...[10, 8, 1, 6, 0, 65, 1, 253, 15, 11],
);

export const hasSimd = (): boolean => typeof WebAssembly !== "undefined" && WebAssembly.validate(simdModule);
const hasRelaxedSimd = (): boolean => WebAssembly.validate(relaxedModule);

/** Memory that threads can share, or null where there is none: browsers have it on isolated pages only. */
export function sharedMemory(initial: number, maximum: number): WebAssembly.Memory | null {
  if (typeof SharedArrayBuffer === "undefined" || typeof Atomics === "undefined") return null;
  try {
    const memory = new WebAssembly.Memory({ initial, maximum, shared: true });
    return memory.buffer instanceof SharedArrayBuffer ? memory : null;
  } catch {
    return null;
  }
}

/**
 * What COTANGENT_WASM asks for, separated by commas, so that tests see every engine in one: `-relaxed` and `-threads` do
 * without what the engine has, and `tasks` cuts every kernel for several threads, however small.
 */
export type Asked = ReadonlySet<string>;
export function askedFor(): Asked {
  const { process } = globalThis as {
    readonly process?: { readonly env?: Readonly<Record<string, string | undefined>> };
  };
  return new Set((process?.env?.["COTANGENT_WASM"] ?? "").split(",").filter((x) => x !== ""));
}

export const featuresFor = (memory: WebAssembly.Memory, asked: Asked): Required<WasmFeatures> => ({
  relaxedSimd: !asked.has("-relaxed") && hasRelaxedSimd(),
  sharedMemory: typeof SharedArrayBuffer !== "undefined" && memory.buffer instanceof SharedArrayBuffer,
});
