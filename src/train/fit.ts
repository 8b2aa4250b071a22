/**
 * The training loop. It is a loop over a compiled step and nothing else: data come in as iterables, what happens beside
 * training is up to callbacks, and all that it knows is a snapshot from which it goes on as if it had not stopped.
 */
import type { NDArray } from "../core/ndarray.ts";
import { ArgumentError } from "../core/problem.ts";
import * as np from "../numpy/index.ts";
import * as tree from "../tree/functions.ts";
import type { Totals, TrainState, Trainer } from "./trainer.ts";

/** The batches of one pass over the data: a list or a stream. */
export type Batches<B> = Iterable<B> | AsyncIterable<B>;
/** The batches of every epoch: those of `epoch` must be the same whenever they are asked for, if a run is to be resumed. */
export type Data<B> = readonly B[] | ((epoch: number) => Batches<B>);

/** Numbers for every epoch, by name: `epoch`, `step`, `loss` and metrics, and the same of validation as `valLoss` … */
export type History = Readonly<Record<string, readonly number[]>>;

/** Where a run stands. */
export interface Position {
  /** Epochs that are complete, and batches of the next one that are done. */
  readonly epoch: number;
  readonly batch: number;
}

/** All that a run needs to go on; a tree of arrays, numbers and texts. */
export interface Snapshot<P = unknown, S = unknown, O = unknown> {
  readonly train: TrainState<P, S, O>;
  readonly position: Position;
  readonly totals: Totals;
  readonly history: History;
  /** What callbacks remember, by their name. */
  readonly callbacks: Readonly<Record<string, unknown>>;
}

/** What a callback is told. */
export interface Moment<P = unknown, S = unknown, O = unknown> {
  /** Do not keep it: the next step uses it up. `copy` gives one that may be kept. */
  readonly state: TrainState<P, S, O>;
  readonly position: Position;
  readonly epochs: number;
  readonly history: History;
  /** Of the epoch so far, or of the epoch that has ended; reading waits for the device. */
  readonly logs: () => Promise<Readonly<Record<string, number>>>;
  readonly copy: () => TrainState<P, S, O>;
  readonly snapshot: () => Snapshot<P, S, O>;
}

/** What a hook may ask for: to end the run, for a reason, or to go on with other parameters. */
export interface Wish<P = unknown, S = unknown, O = unknown> {
  readonly stop?: string;
  readonly state?: TrainState<P, S, O>;
}
type Hook<P, S, O> = (moment: Moment<P, S, O>) => Wish<P, S, O> | void | Promise<Wish<P, S, O> | void>;

/** Something that happens beside training. Hooks may be asynchronous; the run waits. */
export interface Callback<P = unknown, S = unknown, O = unknown> {
  /** Its place in a snapshot; no two of a run may share one. */
  readonly name: string;
  readonly onStart?: Hook<P, S, O>;
  /** After every step. */
  readonly onStep?: Hook<P, S, O>;
  /** After every epoch, with validation in the logs. */
  readonly onEpoch?: Hook<P, S, O>;
  /** When the run ends, whatever the reason. */
  readonly onEnd?: Hook<P, S, O>;
  /** What it remembers, as a tree for the snapshot, and the way back. */
  readonly save?: () => unknown;
  readonly restore?: (remembered: never) => void;
}

export interface FitOptions<P, S, O, B> {
  /** Passes over the data, in all. */
  readonly epochs: number;
  /** Batches that the logs of validation are of, after every epoch. */
  readonly validation?: readonly B[] | (() => Batches<B>) | undefined;
  readonly callbacks?: readonly Callback<P, S, O>[] | undefined;
  /** Ends the run after the step that is under way. */
  readonly signal?: AbortSignal | undefined;
  /** Goes on from here. The state that `fit` is given is that of the snapshot then. */
  readonly from?: Snapshot<P, S, O> | undefined;
}

export interface FitResult<P, S, O> {
  readonly state: TrainState<P, S, O>;
  readonly history: History;
  /** From which `fit` would go on. */
  readonly snapshot: Snapshot<P, S, O>;
  /** Why the run ended before its epochs were over; null if it did not. */
  readonly stopped: string | null;
}

const copyOf = <T>(t: T): T => tree.map((x: unknown) => np.copy(x as NDArray), t);

/** Means of sums, read back. */
async function meansOf(totals: Totals): Promise<Record<string, number>> {
  if (!totals) return {};
  const examples = Number(await totals.examples.jsAsync());
  const entries = Object.entries(totals.sums);
  const sums = await Promise.all(entries.map(([, sum]) => sum.jsAsync()));
  return Object.fromEntries(entries.map(([name], i) => [name, Number(sums[i]) / examples]));
}

const forValidation = (logs: Readonly<Record<string, number>>): Record<string, number> =>
  Object.fromEntries(
    Object.entries(logs).map(([name, x]) => [`val${name[0]!.toUpperCase()}${name.slice(1)}`, x] as const),
  );

/** The history with the numbers of one more epoch; what an epoch lacks is NaN. */
function extended(history: History, row: Readonly<Record<string, number>>): History {
  const length = history["epoch"]?.length ?? 0;
  const names = new Set([...Object.keys(history), ...Object.keys(row)]);
  const before = (name: string): readonly number[] => history[name] ?? new Array<number>(length).fill(NaN);
  return Object.fromEntries([...names].map((name) => [name, [...before(name), row[name] ?? NaN]]));
}

/**
 * Trains.
 *
 * @param trainer from `train.trainer`.
 * @param state from `trainer.init`; it is copied, not used up.
 * @param data a list of batches, or a function that gives those of an epoch.
 * @returns the last state, and the means of the logs of every epoch.
 * @example
 * const model = nn.dense(1);
 * const trainer = train.trainer(train.supervised(model, optim.squaredError), optim.sgd(0.1));
 * const { params, state } = model.init(random.key(0), [4, 2]);
 * const batches = [[np.ones([4, 2]), np.ones([4, 1])]];
 * const { history } = await train.fit(trainer, trainer.init(params, state, random.key(1)), batches, { epochs: 3 });
 * history.epoch // [1, 2, 3]
 */
export async function fit<P, S, O, B>(
  trainer: Trainer<P, S, O, B>,
  state: TrainState<P, S, O>,
  data: Data<B>,
  options: FitOptions<P, S, O, B>,
): Promise<FitResult<P, S, O>> {
  return new Run(trainer, state, data, options).run();
}

class Run<P, S, O, B> {
  readonly #trainer: Trainer<P, S, O, B>;
  readonly #data: Data<B>;
  readonly #options: FitOptions<P, S, O, B>;
  readonly #callbacks: readonly Callback<P, S, O>[];
  #state: TrainState<P, S, O>;
  #totals: Totals;
  #position: Position;
  #history: History;
  #stopped: string | null = null;

  constructor(
    trainer: Trainer<P, S, O, B>,
    state: TrainState<P, S, O>,
    data: Data<B>,
    options: FitOptions<P, S, O, B>,
  ) {
    checkEpochs(options.epochs);
    this.#trainer = trainer;
    this.#data = data;
    this.#options = options;
    this.#callbacks = options.callbacks ?? [];
    checkNames(this.#callbacks);
    const { from } = options;
    this.#state = copyOf(from?.train ?? state);
    this.#totals = from ? copyOf(from.totals) : null;
    this.#position = from?.position ?? { epoch: 0, batch: 0 };
    this.#history = from?.history ?? {};
    for (const c of this.#callbacks)
      if (from && c.restore && c.name in from.callbacks) c.restore(from.callbacks[c.name] as never);
  }

  async run(): Promise<FitResult<P, S, O>> {
    // What `onEnd` may put in place of the last state is a result, not where to go on.
    let snapshot: Snapshot<P, S, O>;
    try {
      await this.#tell("onStart");
      while (this.#goesOn() && this.#position.epoch < this.#options.epochs) await this.#epoch();
      snapshot = this.#snapshot();
    } finally {
      await this.#tell("onEnd");
    }
    return { state: this.#state, history: this.#history, snapshot, stopped: this.#stopped };
  }

  #goesOn(): boolean {
    if (this.#options.signal?.aborted) this.#stopped ??= "aborted";
    return this.#stopped === null;
  }

  async #epoch(): Promise<void> {
    const { epoch } = this.#position;
    const data = typeof this.#data === "function" ? this.#data(epoch) : this.#data;
    let number = 0;
    for await (const batch of data) {
      // Batches that were done before the run was stopped.
      if (number++ < this.#position.batch) continue;
      [this.#state, this.#totals] = this.#trainer.stepInto(this.#state, this.#totals, batch);
      this.#position = { epoch, batch: number };
      await this.#tell("onStep");
      if (!this.#goesOn()) return;
    }
    if (number === 0) throw noBatches(epoch);
    const logs = { ...(await meansOf(this.#totals)), ...forValidation(await this.#validated()) };
    const step = Number(await this.#state.step.jsAsync());
    this.#history = extended(this.#history, { epoch: epoch + 1, step, ...logs });
    this.#position = { epoch: epoch + 1, batch: 0 };
    this.#totals = null;
    await this.#tell("onEpoch", logs);
  }

  async #validated(): Promise<Record<string, number>> {
    const { validation } = this.#options;
    if (!validation) return {};
    let totals: Totals = null;
    for await (const batch of typeof validation === "function" ? validation() : validation)
      totals = this.#trainer.evaluateInto(this.#state, totals, batch);
    return meansOf(totals);
  }

  async #tell(
    hook: "onStart" | "onStep" | "onEpoch" | "onEnd",
    logs?: Readonly<Record<string, number>>,
  ): Promise<void> {
    for (const callback of this.#callbacks) {
      const wish = await callback[hook]?.(this.#moment(logs));
      if (!wish) continue;
      if (wish.state) this.#state = copyOf(wish.state);
      if (wish.stop !== undefined) this.#stopped ??= wish.stop;
    }
  }

  #moment(logs: Readonly<Record<string, number>> | undefined): Moment<P, S, O> {
    const [state, totals] = [this.#state, this.#totals];
    return {
      state,
      position: this.#position,
      epochs: this.#options.epochs,
      history: this.#history,
      logs: async () => logs ?? meansOf(totals),
      copy: () => copyOf(state),
      snapshot: () => this.#snapshot(),
    };
  }

  #snapshot(): Snapshot<P, S, O> {
    const remembered = this.#callbacks.flatMap((c) => (c.save ? [[c.name, c.save()] as const] : []));
    return {
      train: copyOf(this.#state),
      position: this.#position,
      totals: copyOf(this.#totals),
      history: this.#history,
      callbacks: Object.fromEntries(remembered),
    };
  }
}

/** The means of the logs over batches, outside training. */
export async function evaluate<P, S, O, B>(
  trainer: Trainer<P, S, O, B>,
  state: TrainState<P, S, O>,
  batches: Batches<B>,
): Promise<Readonly<Record<string, number>>> {
  let totals: Totals = null;
  for await (const batch of batches) totals = trainer.evaluateInto(state, totals, batch);
  return meansOf(totals);
}

function checkEpochs(epochs: number): void {
  if (Number.isInteger(epochs) && epochs >= 0) return;
  throw new ArgumentError("Epochs", {
    what: `train.fit: ${String(epochs)} epochs`,
    why: "a run is a whole number of passes over the data",
    fix: "pass { epochs: 10 }",
  });
}
function checkNames(callbacks: readonly { readonly name: string }[]): void {
  const twice = callbacks.find(({ name }, i) => callbacks.findIndex((c) => c.name === name) !== i);
  if (!twice) return;
  throw new ArgumentError("CallbackNames", {
    what: `train.fit: two callbacks are called ${JSON.stringify(twice.name)}`,
    why: "what a callback remembers stands under its name in a snapshot",
    fix: "give one of them another name",
  });
}
const noBatches = (epoch: number): ArgumentError =>
  new ArgumentError("NoBatches", {
    what: `train.fit: there are no batches in epoch ${epoch + 1}`,
    why: "an iterator gives its batches once; the second pass over it finds nothing",
    fix: "pass a list, or a function that makes the batches of an epoch: (epoch) => loader(…)",
  });
