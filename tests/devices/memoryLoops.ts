/** Run as a program of its own by memory.test.ts: one loop, then the most memory that was resident, in MiB. */
import { argv, memoryUsage, stdout } from "node:process";
import { type NDArray, jit, numpy as np } from "../../src/index.ts";

let peak = 0;
const note = (): void => {
  peak = Math.max(peak, memoryUsage.rss());
};

/** 20 GB of results that nobody keeps, with no await: no finalizer can run. */
function synchronous(): number {
  let x = np.zeros([10_000_000]);
  for (let i = 0; i < 500; i++) {
    x = x.add(1e-3);
    note();
  }
  return x.slice(0).item() as number;
}

/** 8 GB of results of a jitted step, awaited now and then. */
async function awaiting(): Promise<number> {
  const step = jit((x: NDArray) => [x.mul(0.5).add(1), np.sum(x)] as const);
  let x = np.zeros([1_000_000]);
  for (let i = 0; i < 2000; i++) {
    const [next, sum] = step(x);
    x = next;
    if (i % 10 === 0) await sum.data();
    note();
  }
  return x.slice(0).item() as number;
}

const value = argv[2] === "synchronous" ? synchronous() : await awaiting();
stdout.write(JSON.stringify({ value, peakMebibytes: peak / 2 ** 20 }));
