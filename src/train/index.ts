/** `cotangent/train`: a training loop over compiled steps, with callbacks, that goes on where it stopped. */
import "../backends/install.ts";
import "../numpy/install.ts";

export {
  type Labelled,
  type Logs,
  type Objective,
  type Outcome,
  type SupervisedOptions,
  supervised,
} from "./objective.ts";
export { type Totals, type TrainState, type Trainer, type TrainerOptions, trainer } from "./trainer.ts";
export {
  type Batches,
  type Callback,
  type Data,
  type FitOptions,
  type FitResult,
  type History,
  type Moment,
  type Position,
  type Snapshot,
  type Wish,
  evaluate,
  fit,
} from "./fit.ts";
export {
  type CheckpointOptions,
  type Display,
  type EarlyStoppingOptions,
  type Folder,
  type Monitoring,
  type ProgressOptions,
  checkpoints,
  earlyStopping,
  learningRates,
  progress,
} from "./callbacks.ts";
