/** What people want to happen beside training: stopping early, keeping the best parameters, checkpoints, progress. */
import { ArgumentError } from "../core/problem.ts";
import type { ArrayLike } from "../core/arrayMethods.ts";
import * as np from "../numpy/index.ts";
import type { Callback, Moment, Snapshot } from "./fit.ts";
import type { TrainState } from "./trainer.ts";

/** Which number of an epoch is better. */
export interface Monitoring {
  /** A name of the logs. Default `valLoss`. */
  readonly monitor?: string | undefined;
  /** Whether less of it is better, or more. Default `min`. */
  readonly mode?: "min" | "max" | undefined;
}

async function monitored({ logs }: Moment, name: string, callback: string): Promise<number> {
  const all = await logs();
  const value = all[name];
  if (value !== undefined) return value;
  throw new ArgumentError("NoSuchLog", {
    what: `train.${callback}: there is no ${JSON.stringify(name)} in the logs`,
    why: `the logs of an epoch are ${Object.keys(all).join(", ")}`,
    fix: name.startsWith("val") ? "give fit batches for validation" : "monitor one of these",
  });
}

export interface EarlyStoppingOptions extends Monitoring {
  /** How many epochs without improvement are borne. Default 5. */
  readonly patience?: number | undefined;
  /** What counts as an improvement is more than this. Default 0. */
  readonly minDelta?: number | undefined;
  /** Whether the run ends with the state of the best epoch rather than the last. Default true. */
  readonly restoreBest?: boolean | undefined;
}

/**
 * Ends a run whose validation does not get better any more.
 *
 * @example
 * train.earlyStopping({ monitor: "valAccuracy", mode: "max", patience: 3 }).name // "earlyStopping"
 */
export function earlyStopping<P, S, O>(options: EarlyStoppingOptions = {}): Callback<P, S, O> {
  const { monitor = "valLoss", mode = "min", patience = 5, minDelta = 0, restoreBest = true } = options;
  let best = NaN;
  let waited = 0;
  let kept: TrainState<P, S, O> | null = null;
  const isBetter = (now: number): boolean =>
    Number.isNaN(best) ? !Number.isNaN(now) : mode === "min" ? now < best - minDelta : now > best + minDelta;
  return {
    name: "earlyStopping",
    onEpoch: async (moment) => {
      const now = await monitored(moment, monitor, "earlyStopping");
      if (isBetter(now)) {
        [best, waited] = [now, 0];
        if (restoreBest) kept = moment.copy();
        return;
      }
      if (++waited > patience) return { stop: `${monitor} has not improved for ${waited} epochs` };
    },
    onEnd: () => (kept ? { state: kept } : undefined),
    save: () => ({ best, waited, kept }),
    restore: (remembered: { best: number; waited: number; kept: TrainState<P, S, O> | null }) => {
      ({ best, waited, kept } = remembered);
    },
  };
}

/** What checkpoints are saved in: `checkpoint.checkpointFolder(path, { keepLast, keepBest })` is one. */
export interface Folder {
  readonly save: (step: number, tree: unknown, options?: { readonly metric?: number }) => Promise<unknown>;
}
export interface CheckpointOptions {
  /** After so many epochs. Default 1. */
  readonly everyEpochs?: number | undefined;
  /** Also after so many steps within an epoch. Default never. */
  readonly everySteps?: number | undefined;
  /** A name of the logs that says how good a checkpoint is; the folder may keep the best. Default none. */
  readonly monitor?: string | undefined;
}

/**
 * Saves snapshots, from which `fit` goes on: `fit(trainer, state, data, { …, from: await folder.load() })`.
 *
 * @example
 * const saved = [];
 * const folder = { save: async (step) => saved.push(step) };
 * train.checkpoints(folder, { everyEpochs: 2 }).name // "checkpoints"
 */
export function checkpoints<P, S, O>(folder: Folder, options: CheckpointOptions = {}): Callback<P, S, O> {
  const { everyEpochs = 1, everySteps = Infinity, monitor } = options;
  const save = async (moment: Moment<P, S, O>, metric?: number): Promise<void> => {
    const snapshot: Snapshot<P, S, O> = moment.snapshot();
    const step = Number(await snapshot.train.step.jsAsync());
    await folder.save(step, snapshot, metric === undefined ? {} : { metric });
  };
  return {
    name: "checkpoints",
    onStep: async (moment) => {
      if (moment.position.batch % everySteps === 0) await save(moment);
    },
    onEpoch: async (moment) => {
      if (moment.position.epoch % everyEpochs !== 0 && moment.position.epoch < moment.epochs) return;
      await save(moment, monitor === undefined ? undefined : await monitored(moment, monitor, "checkpoints"));
    },
  };
}

/**
 * Notes the learning rate of every epoch, in the list that it is given.
 *
 * @param schedule the one of the optimizer.
 * @example
 * const rates = [];
 * train.learningRates(optim.cosineDecaySchedule(0.1, 100), rates).name // "learningRates"
 */
export const learningRates = <P, S, O>(
  schedule: (count: ArrayLike) => ArrayLike,
  into: number[],
): Callback<P, S, O> => ({
  name: "learningRates",
  onEpoch: async ({ state }) => {
    into.push(Number(await np.asarray(schedule(state.step)).jsAsync()));
  },
});

/** Something that shows how far a run is: `notebook.progress` makes one for terminals and notebooks. */
export interface Display {
  readonly update: (done: number, values?: Readonly<Record<string, unknown>>) => unknown;
  readonly done?: ((values?: Readonly<Record<string, unknown>>) => unknown) | undefined;
}
export interface ProgressOptions {
  /** Logs are read after so many steps; reading waits for the device. Default 20. */
  readonly everySteps?: number | undefined;
}

/**
 * Shows the progress of a run: steps of an epoch, and the logs so far.
 *
 * @param display for a number of steps in all: `(total) => notebook.progress(total)`.
 * @param stepsPerEpoch the number of batches of an epoch.
 * @example
 * const seen = [];
 * train.progress(() => ({ update: (done) => seen.push(done) }), 10).name // "progress"
 */
export function progress<P, S, O>(
  display: (total: number) => Display,
  stepsPerEpoch: number,
  { everySteps = 20 }: ProgressOptions = {},
): Callback<P, S, O> {
  let shown: Display | null = null;
  const done = ({ position }: Moment<P, S, O>): number => position.epoch * stepsPerEpoch + position.batch;
  const show = async (moment: Moment<P, S, O>): Promise<void> => {
    shown ??= display(moment.epochs * stepsPerEpoch);
    await shown.update(done(moment), {
      epoch: Math.min(moment.position.epoch + 1, moment.epochs),
      ...(await moment.logs()),
    });
  };
  return {
    name: "progress",
    onStep: async (moment) => {
      if (moment.position.batch % everySteps === 0) await show(moment);
    },
    onEpoch: show,
    onEnd: async () => {
      await shown?.done?.();
      shown = null;
    },
  };
}
