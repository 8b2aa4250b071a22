/**
 * `debugKeyReuse`: a PRNG key gives the same numbers each time, so every key is to be consumed once (drawn from, or
 * split). Concrete keys are recognised by value, traced ones by identity; a jitted function that consumes an argument
 * consumes the key it is called with.
 */
import { isKey } from "./dtype.ts";
import { evaluator } from "./evaluator.ts";
import { modes } from "./modes.ts";
import type { NDArray } from "./ndarray.ts";
import { TransformError } from "./problem.ts";
import { userFrame } from "./source.ts";
import { Tracer } from "./trace.ts";

/** Tracers that have been consumed, and where. Filled whether or not the mode is on: jitted functions are traced once. */
const traced = new WeakMap<NDArray, string>();
/** Words of consumed concrete keys, and where; kept while the mode is on. */
let consumed = new Map<string, string>();
let wasOn = false;

/** Beyond this many keys the oldest are forgotten. */
const MAX_KEYS = 100_000;

/** Notes that a key has been drawn from or split; throws where that happened before. */
export function consumeKey(key: NDArray): void {
  if (modes.debugKeyReuse !== wasOn) {
    consumed = new Map();
    wasOn = modes.debugKeyReuse;
  }
  if (key instanceof Tracer && !key.concrete()) {
    const before = traced.get(key);
    if (before !== undefined && modes.debugKeyReuse) throw reused(before);
    traced.set(key, modes.debugKeyReuse ? userFrame() : "");
    return;
  }
  if (!modes.debugKeyReuse) return;
  const { data } = evaluator().toHost(key.concrete() ?? key);
  const where = userFrame();
  for (let i = 0; i < data.length; i += 2) {
    const words = `${data[i]},${data[i + 1]}`;
    const before = consumed.get(words);
    if (before !== undefined) throw reused(before);
    consumed.set(words, where);
    if (consumed.size > MAX_KEYS) consumed.delete(consumed.keys().next().value!);
  }
}

/** Whether a traced argument has been consumed. */
export const wasConsumed = (x: NDArray): boolean => isKey(x.dtype) && traced.has(x);

const reused = (before: string): TransformError =>
  new TransformError("KeyReuse", {
    what: `a PRNG key is used twice${before && `; the first time at ${before}`}`,
    why: "a key stands for one stream of numbers: using it again gives the same numbers, which are then not independent",
    fix: "make new keys first: const [k1, k2] = random.split(key); for loops random.foldIn(key, i)",
  });
