/** The browser's executable: $CHROMIUM, or the first known name on the PATH; undefined if there is none. */
export function findChromium(): string | undefined;
/** The executable `jupyter`, if `jupyter nbconvert` is there too; undefined if not. */
export function findJupyter(): string | undefined;
/** Variables that lead WebGPU in Node to a driver, unless one is chosen already. */
export function gpuEnvironment(): Record<string, string>;
/** Flags with which a headless chromium has WebGPU, without a GPU too. */
export declare const chromiumGpuFlags: readonly string[];
