/**
 * Batches of examples, one after the other: from arrays, iterables and streams, in random order, ahead of time.
 *
 * What comes when is decided by the source, the key, the epoch and the number of the batch alone. That is why a loader
 * can go on where another one stopped: its state is these two numbers.
 */
import type { NDArray } from "../core/ndarray.ts";
import { ArgumentError } from "../core/problem.ts";
import type { Arrays } from "../core/types.ts";
import * as np from "../numpy/index.ts";
import * as random from "../random/index.ts";
import { shuffled } from "./shuffle.ts";
import { type Stream, type StreamSource, type Table, sourceOf, stackExamples } from "./source.ts";

/** Where a loader is: how many batches of which epoch have been delivered. Plain data, to be saved with a checkpoint. */
export interface LoaderState {
  readonly epoch: number;
  readonly batch: number;
}

/** What is known of a batch. */
export interface BatchInfo extends LoaderState {
  /** A key of this batch's own, for augmentation. */
  readonly key: NDArray;
}

export interface LoaderOptions<B = unknown, R = B> {
  /** Examples of a batch. */
  readonly batchSize: number;
  /** Whether every epoch has an order of its own. Default false: the order of the source. */
  readonly shuffle?: boolean;
  /** Of streams: how many examples are kept to draw the next one from. Default 1024. */
  readonly shuffleBuffer?: number;
  /** Decides the order, and the keys of batches. Default: `random.key(seed)`. */
  readonly key?: NDArray;
  /** Default 0. */
  readonly seed?: number;
  /** Leave out the examples that do not fill a last batch. Default false; true gives every batch the same shape. */
  readonly dropRemainder?: boolean;
  /** How often the source is gone through. Default 1; Infinity for ever. */
  readonly epochs?: number;
  /** How many batches are prepared before they are asked for, for sources that have to be waited for. Default 0. */
  readonly prefetch?: number;
  /** Applied to each batch, such as augmentation with the batch's key. */
  readonly transform?: (batch: B, info: BatchInfo) => R | Promise<R>;
  /** Where to go on: the `state` of a loader of the same source and options. Default: the beginning. */
  readonly state?: LoaderState;
}

/** Batches to be iterated over with `for await`; each iteration begins at the options' `state`. */
export interface Loader<R> extends AsyncIterable<R> {
  [Symbol.asyncIterator](): AsyncGenerator<R, void, void>;
  /** Behind the batch that was delivered last. */
  readonly state: LoaderState;
}

/**
 * Batches of examples.
 *
 * A tree of arrays (or typed arrays) has its examples along the first axis of every leaf; all others are streams of
 * single examples, which are stacked: iterables, asynchronous ones, and functions that give one for each epoch, such as
 * generators. An array of JavaScript is a tree; one of single examples is passed as a function, `() => examples`.
 *
 * @throws ArgumentError for options that do not fit, ShapeError if arrays differ in their numbers of examples. Errors of
 * the source and of `transform` reach whoever iterates.
 * @example
 * const batches = data.loader({ x: np.arange(5), y: np.arange(5) }, { batchSize: 2 });
 * const seen = [];
 * for await (const { x } of batches) seen.push(x);
 * seen // [[0, 1], [2, 3], [4]]
 * batches.state // { epoch: 0, batch: 3 }
 */
export function loader<T extends readonly unknown[], R = Arrays<T>>(
  source: T,
  options: LoaderOptions<Arrays<T>, R>,
): Loader<R>;
export function loader<E, R = Arrays<E>>(source: Stream<E>, options: LoaderOptions<Arrays<E>, R>): Loader<R>;
export function loader<T extends object, R = Arrays<T>>(source: T, options: LoaderOptions<Arrays<T>, R>): Loader<R>;
export function loader(source: unknown, options: LoaderOptions<never, unknown>): Loader<unknown> {
  const plan = planOf(source, options as unknown as LoaderOptions);
  let state = plan.start;
  return {
    get state() {
      return state;
    },
    [Symbol.asyncIterator]: () => {
      state = plan.start;
      return deliver(plan, (reached) => (state = reached));
    },
  };
}

// ---------------------------------------------------------------- options

interface Plan {
  readonly source: Table | StreamSource;
  readonly start: LoaderState;
  readonly key: NDArray;
  readonly options: LoaderOptions;
  readonly epochs: number;
}

function planOf(x: unknown, options: LoaderOptions): Plan {
  const {
    batchSize,
    shuffleBuffer = 1024,
    epochs = 1,
    prefetch = 0,
    state = { epoch: 0, batch: 0 },
    key,
    seed,
  } = options;
  const counts = {
    batchSize,
    shuffleBuffer,
    epochs: epochs === Infinity ? 1 : epochs,
    "prefetch + 1": prefetch + 1,
    "state.epoch + 1": state.epoch + 1,
    "state.batch + 1": state.batch + 1,
  };
  for (const [name, n] of Object.entries(counts))
    if (!Number.isInteger(n) || n < 1)
      throw new ArgumentError("LoaderOptions", {
        what: `loader: ${name} is ${String(n)}`,
        why: "examples, batches and epochs are counted",
        fix: "pass whole numbers: a positive batchSize, and a state as another loader gave it",
      });
  if (key !== undefined && seed !== undefined)
    throw new ArgumentError("LoaderOptions", {
      what: "loader: both a key and a seed are given",
      why: "a seed is short for its key",
      fix: "leave one of them out",
    });
  const source = sourceOf(x);
  if (source.kind === "stream" && !source.repeatable && (epochs > 1 || state.epoch > 0))
    throw new ArgumentError("OnlyOneEpoch", {
      what: `loader: ${epochs} epochs of an iterator, beginning with epoch ${state.epoch}`,
      why: "an iterator can be gone through once; what it has given is gone",
      fix: "pass a function that makes the examples of an epoch, such as the generator function itself",
    });
  return {
    source,
    start: { epoch: state.epoch, batch: state.batch },
    key: key ?? random.key(seed ?? 0),
    options,
    epochs,
  };
}

// ---------------------------------------------------------------- batches

interface Delivery {
  readonly value: unknown;
  /** The state behind it. */
  readonly state: LoaderState;
}

/** Batches as they are asked for, or some of them before. */
async function* deliver(plan: Plan, reach: (state: LoaderState) => void): AsyncGenerator<unknown, void, void> {
  const { prefetch = 0 } = plan.options;
  const batches = prefetch > 0 ? ahead(prepare(plan), prefetch) : prepare(plan);
  for await (const { value, state } of batches) {
    reach(state);
    yield value;
  }
}

/**
 * Asks for results before they are wanted. An error waits for its turn; whoever stops early never meets it, and the
 * promise that holds it must not count as forgotten.
 */
async function* ahead<T>(results: AsyncGenerator<T, void, void>, count: number): AsyncGenerator<T, void, void> {
  const asked: Promise<IteratorResult<T, void>>[] = [];
  const ask = (): void => {
    const next = results.next();
    next.catch(() => {});
    asked.push(next);
  };
  try {
    for (;;) {
      while (asked.length <= count) ask();
      const result = await asked.shift()!;
      if (result.done) return;
      yield result.value;
    }
  } finally {
    // What has been asked for is finished first; then the source is closed.
    await results.return();
  }
}

async function* prepare({ source, start, key, options, epochs }: Plan): AsyncGenerator<Delivery, void, void> {
  const [orderKey, batchKey] = random.split(key);
  for (let epoch = start.epoch; epoch < epochs; epoch++) {
    const skip = epoch === start.epoch ? start.batch : 0;
    const own = random.foldIn(orderKey!, epoch);
    const batches =
      source.kind === "table" ? rowsOf(source, options, own, skip) : examplesOf(source, options, own, epoch, skip);
    let batch = skip;
    let any = skip > 0;
    for await (const value of batches) {
      any = true;
      const info = { epoch, batch, key: random.foldIn(random.foldIn(batchKey!, epoch), batch) };
      const result: unknown = options.transform ? await options.transform(value, info) : value;
      batch++;
      yield { value: result, state: { epoch, batch } };
    }
    // Without end, there would be nothing to wait for, and nothing to stop it.
    if (!any && epochs === Infinity) return;
  }
}

/** Batches of a table: the positions of their examples are known beforehand. */
async function* rowsOf(
  table: Table,
  { batchSize, shuffle = false, dropRemainder = false }: LoaderOptions,
  key: NDArray,
  skip: number,
): AsyncGenerator<unknown, void, void> {
  const order = shuffle ? random.permutation(key, table.count) : np.arange(table.count);
  for (let from = skip * batchSize; from < table.count; from += batchSize) {
    const to = from + batchSize;
    if (to > table.count && dropRemainder) return;
    // The first position is an operand: one program takes all whole batches.
    const rows =
      to > table.count ? order.slice([from, table.count]) : np.take(order, np.arange(batchSize).add(from), 0);
    yield table.take(rows);
  }
}

/** Batches of a stream. Those that are left out are gone through all the same. */
async function* examplesOf(
  source: StreamSource,
  options: LoaderOptions,
  key: NDArray,
  epoch: number,
  skip: number,
): AsyncGenerator<unknown, void, void> {
  const { batchSize, shuffle = false, shuffleBuffer = 1024, dropRemainder = false } = options;
  const examples = shuffle ? shuffled(source.open(epoch), shuffleBuffer, key) : source.open(epoch);
  let waiting: unknown[] = [];
  let left = skip;
  for await (const example of examples) {
    waiting.push(example);
    if (waiting.length < batchSize) continue;
    if (left > 0) left--;
    else yield stackExamples(waiting);
    waiting = [];
  }
  if (waiting.length > 0 && !dropRemainder && left === 0) yield stackExamples(waiting);
}
