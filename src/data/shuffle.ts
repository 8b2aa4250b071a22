/** Streams in random order. */
import type { NDArray } from "../core/ndarray.ts";
import * as random from "../random/index.ts";

/** Positions drawn at once: a call of a sampler costs more than its numbers. */
const block = 1024;

/**
 * The examples of a stream in another order: a buffer of `size` is kept full, and each next example is drawn from it.
 * With a buffer as long as the stream every order is equally likely.
 */
export async function* shuffled<T>(
  examples: AsyncIterable<T>,
  size: number,
  key: NDArray,
): AsyncGenerator<T, void, void> {
  const buffer: T[] = [];
  const draw = drawer(key);
  for await (const example of examples) {
    if (buffer.length < size) {
      buffer.push(example);
      continue;
    }
    const i = await draw(buffer.length);
    const drawn = buffer[i]!;
    buffer[i] = example;
    yield drawn;
  }
  while (buffer.length > 0) {
    const i = await draw(buffer.length);
    const drawn = buffer[i]!;
    buffer[i] = buffer[buffer.length - 1]!;
    buffer.pop();
    yield drawn;
  }
}

/** Draws whole numbers below a bound. 32 random bits make the smallest as likely as the largest to 1 in 10⁶ for bounds below 4000. */
function drawer(key: NDArray): (bound: number) => Promise<number> {
  let bits: ArrayLike<number> = [];
  let [next, blocks] = [0, 0];
  return async (bound) => {
    if (next === bits.length) {
      bits = await random.bits(random.foldIn(key, blocks++), [block]).data();
      next = 0;
    }
    return Math.floor((bits[next++]! / 2 ** 32) * bound);
  };
}
