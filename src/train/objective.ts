/** What is minimised: a function of parameters and a batch, with what shall be logged beside. */
import type { NDArray } from "../core/ndarray.ts";
import type { ApplyOptions, Layer } from "../nn/index.ts";
import * as np from "../numpy/index.ts";

/** Scalars by name, such as a loss and an accuracy. */
export type Logs = Readonly<Record<string, NDArray>>;

/** What an objective gives. */
export interface Outcome<S> {
  /** A scalar: what is minimised. */
  readonly loss: NDArray;
  /** The model's next state. */
  readonly state: S;
  /** Further scalars to log, means over the examples of the batch. */
  readonly metrics?: Logs;
}

/** A pure function of parameters, the model's state and a batch. */
export type Objective<P, S, B> = (params: P, state: S, batch: B, options: ApplyOptions) => Outcome<S>;

/** Inputs and what is wanted of them; examples lie along the first axis. */
export type Labelled<Y = NDArray> = readonly [inputs: NDArray, targets: Y];

export interface SupervisedOptions<Y> {
  /** Means over the examples of a batch, to be logged. */
  readonly metrics?: Readonly<Record<string, (outputs: NDArray, targets: Y) => NDArray>> | undefined;
}

/**
 * The objective of a layer that learns from examples.
 *
 * @param loss of outputs and targets; its mean is minimised if it is one for each example.
 * @example
 * const objective = train.supervised(nn.dense(1), optim.squaredError);
 * const { params, state } = nn.dense(1).init(random.key(0), [4, 2]);
 * objective(params, state, [np.ones([4, 2]), np.ones([4, 1])], {}).loss.shape // []
 */
export const supervised =
  <P, S, Y = NDArray>(
    model: Layer<P, S>,
    loss: (outputs: NDArray, targets: Y) => NDArray,
    { metrics = {} }: SupervisedOptions<Y> = {},
  ): Objective<P, S, Labelled<Y>> =>
  (params, state, [inputs, targets], options) => {
    const [outputs, next] = model.apply(params, state, inputs, options);
    const measured = Object.entries(metrics).map(([name, f]) => [name, np.mean(f(outputs, targets))] as const);
    return { loss: np.mean(loss(outputs, targets)), state: next, metrics: Object.fromEntries(measured) };
  };
