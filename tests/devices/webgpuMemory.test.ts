/** Memory of the WebGPU device: it comes back by itself, within a budget that is explained where it ends; and processes end. */
import { execFileSync } from "node:child_process";
import { writeFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { DeviceError, type NDArray, blockUntilReady, init, jit, memoryInfo, numpy as np } from "../../src/index.ts";
import { Aval } from "../../src/core/aval.ts";
import type { ReferenceContext } from "../../src/core/primitive.ts";
import { unreachable } from "../../src/core/problem.ts";
import { requestWebgpu } from "../../src/backends/webgpu/acquire.ts";
import { webgpuDevice } from "../../src/backends/webgpu/device.ts";
import type { Device } from "../../src/backends/device.ts";
import { addP } from "../../src/lax/arithmetic.ts";
import { collectUntil } from "../support/collect.ts";
import { nodeGpu } from "../support/webgpu.ts";

beforeAll(async () => {
  await init("webgpu");
});
const mebibytes = 2 ** 20;

describe("memory", () => {
  test("of arrays that nobody holds any more comes back", async () => {
    const before = memoryInfo();
    await (async () => {
      let x = np.zeros([256, 1024]);
      for (let i = 0; i < 20; i++) x = x.add(1);
      expect((await x.data())[5]).toBe(20);
    })();
    // Some may have been collected on the way.
    expect(memoryInfo().peak).toBeGreaterThan(before.live + 10 * mebibytes);
    expect(await collectUntil(() => memoryInfo().live <= before.live + 1024)).toBe(true);
    expect(memoryInfo().count).toBeLessThanOrEqual(before.count + 4);
  });
  test("dispose gives it back at once, twice is fine", () => {
    const x = np.zeros([256, 1024]).add(1);
    const { live } = memoryInfo();
    x.dispose();
    x.dispose();
    expect(live - memoryInfo().live).toBe(mebibytes);
  });
  test("a loop that waits now and then stays small, without anybody collecting", async () => {
    const step = jit((x: NDArray) => x.mul(0.5).add(1));
    let x = np.ones([512, 1024]);
    let most = 0;
    const start = memoryInfo().live;
    for (let i = 0; i < 200; i++) {
      x = step(x);
      if (i % 10 === 9) await blockUntilReady(x);
      most = Math.max(most, memoryInfo().live - start);
    }
    expect((await x.data())[3]).toBeCloseTo(2, 5);
    expect(most).toBeLessThan(250 * mebibytes);
  });
});

describe("the budget", () => {
  const context: ReferenceContext = {
    program: () => unreachable("no callbacks here"),
    toArray: () => unreachable("no callbacks here"),
    fromArray: () => unreachable("no captured arrays here"),
  };
  async function small(): Promise<Device> {
    const acquired = await requestWebgpu(nodeGpu())();
    if (acquired._tag === "Left") throw new Error(JSON.stringify(acquired.left));
    return webgpuDevice(1, acquired.right, {
      context,
      callHost: (f) => f(),
      bufferHere: () => null,
      budget: 40 * mebibytes,
    });
  }
  test("ends a loop that never waits, with what is alive, where it was made, and what to do", async () => {
    const device = await small();
    const aval = new Aval([1024, 1024], "float32");
    const x = device.put({ shape: aval.shape, dtype: "float32", data: new Float32Array(aval.size) });
    const held: unknown[] = [];
    const run = (): void => {
      for (let i = 0; i < 100; i++) held.push(...device.evaluate(addP, [x, x], {}, [aval], [aval, aval]));
    };
    expect(run).toThrow(DeviceError);
    expect(run).toThrow(/4\.0 MiB more than the 40\.0 MiB of arrays on the GPU exceed the budget of 40\.0 MiB/);
    expect(run).toThrow(/10 × float32\[1024,1024\], 40\.0 MiB, the first made at .*webgpuMemory\.test\.ts/);
    expect(run).toThrow(/jit the loop.*await in it.*dispose/);
    // Afterwards everything still works.
    for (const b of held.splice(0)) device.release(b);
    const [y] = device.evaluate(addP, [x, x], {}, [aval], [aval, aval]);
    expect((await device.read(y)).data[0]).toBe(0);
  });
});

describe("a program of its own", () => {
  const root = join(import.meta.dirname, "../..");
  function run(source: string, env: Record<string, string>): string {
    const path = join(root, "tests/devices", `.program-${process.pid}-${Math.abs(hash(source))}.ts`);
    writeFileSync(path, source);
    try {
      return execFileSync(join(root, "node_modules/.bin/tsx"), [path], {
        env: { ...process.env, ...env },
        encoding: "utf8",
        timeout: 60_000,
        stdio: ["ignore", "pipe", "pipe"],
      });
    } finally {
      rmSync(path);
    }
  }
  const hash = (s: string): number => [...s].reduce((h, c) => (Math.imul(h, 31) + c.charCodeAt(0)) | 0, 7);

  test("ends by itself, with work unread", { timeout: 60_000 }, () => {
    const out = run(
      `import { init, numpy as np } from "../../src/index.ts";
       console.log(String(await init()));
       const x = np.arange(5).mul(2);
       console.log((await x.data()).join());
       x.add(1);`,
      { COTANGENT_DEVICE: "webgpu" },
    );
    expect(out).toBe("webgpu:0\n0,2,4,6,8\n");
  });
  test("that names the device and does not wait for it is told to", { timeout: 60_000 }, () => {
    const out = run(
      `import { numpy as np } from "../../src/index.ts";
       try { np.arange(5); } catch (error) { console.log(error.name, error.code, error.problem.fix); }`,
      { COTANGENT_DEVICE: "webgpu" },
    );
    expect(out).toMatch(/^DeviceError DeviceNotStarted await init\("webgpu"\)/);
  });
});
