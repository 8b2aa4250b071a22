/**
 * 256-bit vectors. WebAssembly has none, but V8 can join two operations on neighbouring vectors into one, behind a flag that
 * is off: `--experimental-wasm-revectorize`, which Node has from version 24 on. Turning it on changes the whole process, so
 * it is done only when it is asked for, and a loop that is timed with and without neighbours proves that it took effect.
 */
import { type IndexVar, add, constantIndex, indexVar, scale, varIndex } from "../../core/indexing.ts";
import { binary, load, newBuffer, times } from "../../core/scalar.ts";
import { type LoopNest, loop, store } from "../../compiler/loopNest/loopNest.ts";
import { emitModule } from "./codegen.ts";

interface Runtime {
  readonly Deno?: unknown;
  readonly process?: {
    readonly versions?: { readonly node?: string };
    readonly getBuiltinModule?: (name: string) => unknown;
  };
}
interface V8 {
  setFlagsFromString(flags: string): void;
}
const flag = "experimental-wasm-revectorize";
const firstNode = 24;

/** Turns them on, before what is to use them is compiled; the reason if that cannot be done. */
export function enableWideVectors(relaxedSimd: boolean): string | null {
  const { Deno, process } = globalThis as Runtime;
  const version = Deno ? 0 : Number(process?.versions?.node?.split(".")[0] ?? 0);
  // Engines that do not know a flag print a complaint of their own.
  if (!(version >= firstNode)) return `V8's flag ${flag} exists in Node from version ${firstNode} on`;
  const v8 = process!.getBuiltinModule!("node:v8") as V8;
  v8.setFlagsFromString(`--${flag}`);
  const speedup = measuredSpeedup(relaxedSimd);
  if (speedup >= leastSpeedup) return null;
  v8.setFlagsFromString(`--no-${flag}`);
  return `V8's flag ${flag} had no effect: a loop of neighbouring vectors was ${speedup.toFixed(2)} times as fast as another one`;
}

/** Wide vectors are nearly twice as fast where they are. */
const leastSpeedup = 1.3;
// More than are under way at a time in either form, so that it is their number that limits them, and with `x` no more than there are registers.
const accumulators = 14;
const rounds = 2000;
/** Milliseconds. */
const settledAfter = 60;
const atMost = 500;

/** How much faster sums of products run in vectors that lie side by side than in others. */
function measuredSpeedup(relaxedSimd: boolean): number {
  const memory = new WebAssembly.Memory({ initial: 1 });
  const { bytes } = emitModule([sums(4), sums(12)], { relaxedSimd });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes as BufferSource), { env: { memory } });
  const [joined, apart] = [exports["k0"], exports["k1"]] as ((...addresses: number[]) => void)[];
  const best = [Infinity, Infinity];
  const started = performance.now();
  let improved = started;
  // The first runs are code that is not optimised yet; it is when it gets no faster.
  for (let now = started; now - improved < settledAfter && now - started < atMost; now = performance.now())
    [joined!, apart!].forEach((f, i) => {
      const from = performance.now();
      f(0, 4096, 8192);
      const time = performance.now() - from;
      if (time < 0.95 * best[i]!) improved = performance.now();
      best[i] = Math.min(best[i]!, time);
    });
  return best[1]! / best[0]!;
}

/** Vectors, `distance` numbers apart, to each of which products are added. */
function sums(distance: number): LoopNest {
  const [factor, result] = [newBuffer("x", "f32", 4), newBuffer("y", "f32", accumulators * 16)];
  const own = newBuffer("sums", "f32", accumulators * 4, "private");
  const [k, i, lane] = [indexVar("k", rounds), indexVar("i", accumulators), indexVar("l", 4)];
  const place = (by: number, l: IndexVar = lane) => add(scale(varIndex(i), by), varIndex(l));
  const sum = load(own, place(4));
  const each = (body: Parameters<typeof loop>[2]) => loop("unroll", i, [loop("vector", lane, body)]);
  const x = load(factor, constantIndex(0));
  return {
    name: "probe",
    params: [
      { buffer: factor, access: "read" },
      { buffer: result, access: "readwrite" },
    ],
    scratch: [own],
    body: [
      each([store(own, place(4), load(result, place(distance)))]),
      loop("serial", k, [each([store(own, place(4), binary("add", sum, times(x, sum)))])]),
      each([store(result, place(distance), sum)]),
    ],
  };
}
