/** Run as a program of its own by memory.test.ts: one loop, then the most memory that was resident, in MiB. */
import { argv, memoryUsage, stdout } from "node:process";
import { type NDArray, checkpoint, grad, jit, lax, memoryInfo, nn, numpy as np, vmap } from "../../src/index.ts";

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

/**
 * Bytes that are live after functions were called once and are kept. Programs remember where they were written as stacks,
 * and the functions on a stack see the arrays of the call.
 */
async function kept(): Promise<number> {
  const large = (): NDArray => np.array(new Float32Array(2 ** 20)).reshape([1024, 1024]);
  const loss = (x: NDArray): NDArray => np.sum(np.sin(x));
  const functions: readonly ((x: NDArray) => unknown)[] = [
    jit(loss),
    grad(loss),
    grad(jit(loss)),
    jit(grad(loss)),
    vmap(loss),
    vmap(jit(loss)),
    grad(checkpoint(loss)),
    (x) => lax.scan((sum: NDArray, row: NDArray) => [sum.add(np.sum(row)), null], np.array(0), x)[0],
    (x) => lax.map((row: NDArray) => np.sum(row), x),
    (x) => lax.cond(true, loss, (y: NDArray) => np.max(y), x),
    (x) =>
      lax.whileLoop(
        (y: NDArray) => np.less(np.sum(y), 1),
        (y: NDArray) => y.add(1),
        x,
      ),
    (x) => nn.softmax(x),
  ];
  for (const f of functions) f(large());
  // Stacks are let go when memory matters.
  for (let i = 0; i < 20; i++) large().add(i);
  const { gc } = globalThis as { gc?: () => void };
  for (let i = 0; i < 5; i++) {
    gc!();
    await new Promise<void>((resume) => setTimeout(resume, 10));
  }
  return functions.length > 0 ? memoryInfo().live : NaN;
}

const loops: Readonly<Record<string, () => number | Promise<number>>> = { synchronous, awaiting, kept };
const value = await loops[argv[2]!]!();
stdout.write(JSON.stringify({ value, peakMebibytes: peak / 2 ** 20 }));
