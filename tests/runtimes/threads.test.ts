/**
 * Threads with the settings that users have: in Node, in a page, and in a page that is isolated from other origins, which
 * alone has memory that threads can share. Results are those of one thread.
 */
import { expect, test, vi } from "vitest";
import { type NDArray, deviceInfo, init, jit, numpy as np } from "../../src/index.ts";

test("threads run where memory can be shared, and where not there is a reason", { timeout: 60_000 }, async () => {
  const warn = vi.spyOn(console, "warn").mockImplementation(() => undefined);
  await init("wasm", { threads: 2 });
  const f = jit((x: NDArray) => [np.tanh(x), np.sum(np.matmul(x, x), 0)]);
  const x = np.linspace(-1, 1, { num: 512 * 512 }).reshape([512, 512]);
  const alone = f(x).map((y) => y.dataSync());
  const shares = typeof SharedArrayBuffer !== "undefined";
  const started = performance.now();
  while (deviceInfo().threads.running < (shares ? 2 : 1) && performance.now() - started < 30_000) {
    f(x);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  for (let i = 0; i < 10; i++) {
    const together = f(x).map((y) => y.dataSync());
    expect(together.every((y, k) => y.every((v, at) => v === alone[k]![at]))).toBe(true);
  }
  const { threads, features } = deviceInfo();
  expect(features["sharedMemory"]).toBe(shares);
  expect(threads.wanted).toBe(2);
  if (shares) {
    expect(threads).toEqual({ wanted: 2, running: 2, why: null });
    expect(warn).not.toHaveBeenCalled();
  } else {
    expect(threads.running).toBe(1);
    expect(threads.why).toMatch(/cross-origin isolated/);
    expect(warn).toHaveBeenCalledOnce();
  }
  if (typeof document !== "undefined") expect(shares).toBe(crossOriginIsolated);
});
