import { execFile } from "node:child_process";
import { execPath } from "node:process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { buildSync } from "esbuild";
import { beforeAll, describe, expect, test } from "vitest";
import {
  DeviceError,
  type NDArray,
  blockUntilReady,
  defaultDevice,
  jit,
  memoryInfo,
  numpy as np,
} from "../../src/index.ts";

interface LoopResult {
  readonly value: number;
  readonly peakMebibytes: number;
}
/** In one file, as a user may have it: what translates TypeScript while it runs takes memory too, and more than a little. */
const script = fileURLToPath(new URL("../../node_modules/.cache/memoryLoops.mjs", import.meta.url));
const entry = fileURLToPath(new URL("memoryLoops.ts", import.meta.url));
beforeAll(() => {
  const external = ["webgpu", "jpeg-js"];
  buildSync({ entryPoints: [entry], outfile: script, bundle: true, platform: "node", format: "esm", external });
});
const loop = async (name: string): Promise<LoopResult> => {
  const { stdout } = await promisify(execFile)(execPath, ["--expose-gc", script, name]);
  return JSON.parse(stdout) as LoopResult;
};

defaultDevice("wasm");
/** 8 MiB: large enough for wasm memory. */
const large = (): NDArray => np.ones([2 ** 21]);

describe("memory of the wasm device", () => {
  test("20 GB of garbage without an await stay below 1.5 GB", async () => {
    const { value, peakMebibytes } = await loop("synchronous");
    expect(value).toBeCloseTo(0.5, 4);
    expect(peakMebibytes).toBeLessThan(1500);
  }, 240_000);

  test("a jitted loop that awaits stays below 600 MB", async () => {
    const { value, peakMebibytes } = await loop("awaiting");
    expect(value).toBeCloseTo(2, 6);
    expect(peakMebibytes).toBeLessThan(600);
  }, 240_000);

  test("functions that are kept keep none of the arrays that they were called with", async () => {
    expect((await loop("kept")).value).toBe(0);
  }, 60_000);

  test("dispose gives memory back at once; small arrays take none", () => {
    const before = memoryInfo();
    const x = large();
    const during = memoryInfo();
    expect(during.live - before.live).toBe(2 ** 23);
    expect(during.count - before.count).toBe(1);
    expect(during.capacity).toBeGreaterThanOrEqual(during.live);
    expect(String(during)).toContain("MiB live");
    const small = np.ones([1000]).add(1);
    expect(memoryInfo().live).toBe(during.live);
    x.dispose();
    expect(memoryInfo().live).toBe(before.live);
    expect(small.slice(0).item()).toBe(2);
  });

  test("temporaries of a program leave nothing behind", () => {
    const f = jit((x: NDArray) => np.sum(np.sort(np.sin(x)).mul(np.cos(x))));
    const x = large();
    f(x);
    const { live } = memoryInfo();
    for (let i = 0; i < 5; i++) f(x);
    expect(memoryInfo().live).toBe(live);
    x.dispose();
  });

  test("a donated argument's memory is the result's", () => {
    const f = jit((x: NDArray) => x.add(1), { donateArgnums: 0 });
    const { live } = memoryInfo();
    let x = large();
    for (let i = 0; i < 20; i++) x = f(x);
    expect(memoryInfo().live).toBe(live + 2 ** 23);
    expect(x.slice(0).item()).toBe(21);
    x.dispose();
    expect(memoryInfo().live).toBe(live);
  });

  test("a copy stays when the array it is of was given away", () => {
    const f = jit((x: NDArray) => x.add(1), { donateArgnums: 0 });
    for (const x of [large(), np.ones([3]), np.ones([])]) {
      const copy = np.copy(x);
      f(x);
      expect(np.min(copy).item()).toBe(1);
      const again = np.copy(copy);
      copy.dispose();
      expect(np.max(again).item()).toBe(1);
      again.dispose();
    }
  });

  test("one array passed twice, donated once, is not overwritten before it is read", () => {
    const f = jit((x: NDArray, y: NDArray) => x.mul(2).add(np.flip(y)), { donateArgnums: 0 });
    const x = np.arange(2 ** 20).astype("float32");
    const y = f(x, x);
    expect([0, 1, 2 ** 20 - 1].map((i) => y.slice(i).item())).toEqual([2 ** 20 - 1, 2 ** 20, 2 ** 20 * 2 - 2]);
  });

  test("out of memory is an error that says what to do, and everything goes on", async () => {
    const side = np.ones([40_000]);
    const before = memoryInfo();
    const kept = np.arange(5);
    const tooMuch = (): NDArray => np.ones([2 ** 30]);
    for (let i = 0; i < 2; i++) {
      expect(tooMuch).toThrow(DeviceError);
      expect(tooMuch).toThrow(/4096\.0 MiB more .* cannot be allocated/);
    }
    // Temporaries count too.
    const pairs = jit((x: NDArray) => np.sort(np.add(np.expandDims(x, 1), x).ravel()).slice(0));
    expect(() => pairs(side)).toThrow(DeviceError);
    expect(memoryInfo().live).toBe(before.live);
    expect(kept.add(1).js()).toEqual([1, 2, 3, 4, 5]);
    const x = large();
    await blockUntilReady(x);
    expect(np.sum(x).item()).toBe(2 ** 21);
    x.dispose();
  });
});
