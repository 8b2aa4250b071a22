/** One step of training as a program: gradients of an objective, an optimizer's updates, and sums of what is logged. */
import type { NDArray } from "../core/ndarray.ts";
import { ArgumentError } from "../core/problem.ts";
import * as np from "../numpy/index.ts";
import type { PrecisionPolicy } from "../nn/index.ts";
import {
  type GradientTransformation,
  type LossScale,
  allFinite,
  applyUpdates,
  noOpLossScale,
  selectTree,
} from "../optim/index.ts";
import * as random from "../random/index.ts";
import { valueAndGrad } from "../transforms/gradient.ts";
import { jit } from "../transforms/jit.ts";
import { stopGradient } from "../transforms/scopes.ts";
import * as tree from "../tree/functions.ts";
import type { Logs, Objective, Outcome } from "./objective.ts";

/** All that a step changes: a tree of arrays, which goes through `jit` and into files. */
export interface TrainState<P = unknown, S = unknown, O = unknown> {
  readonly params: P;
  /** The model's state, such as running statistics. */
  readonly state: S;
  /** The optimizer's state. */
  readonly optimizer: O;
  /** The factor of the loss in mixed precision, and what decides about it. */
  readonly lossScale: unknown;
  /** How many steps were taken, int32. */
  readonly step: NDArray;
  /** Random numbers of step n come from `random.foldIn(key, n)`. */
  readonly key: NDArray;
}

/** Sums of logs over examples, and how many these were; null before the first batch. */
export type Totals = { readonly sums: Logs; readonly examples: NDArray } | null;

export interface Trainer<P, S, O, B> {
  /** The state before the first step. */
  readonly init: (params: P, state: S, key: NDArray) => TrainState<P, S, O>;
  /** One step, compiled: `[next state, logs]`. The state given is used up: its memory is the next one's. */
  readonly step: (state: TrainState<P, S, O>, batch: B) => readonly [TrainState<P, S, O>, Logs];
  /** The same, with the logs added to sums over all examples. */
  readonly stepInto: (
    state: TrainState<P, S, O>,
    totals: Totals,
    batch: B,
  ) => readonly [TrainState<P, S, O>, Exclude<Totals, null>];
  /** The logs of a batch outside training, added to sums. Nothing is used up. */
  readonly evaluateInto: (state: TrainState<P, S, O>, totals: Totals, batch: B) => Exclude<Totals, null>;
}

/** The number of examples of a batch: the length of the first axis of its first array. */
function examplesOf(batch: unknown): number {
  const [first] = tree.leaves(batch) as readonly (NDArray | undefined)[];
  const n = first?.shape?.[0];
  if (n !== undefined) return n;
  throw new ArgumentError("Batch", {
    what: "train: a batch has no array with an axis of examples",
    why: "logs are means over examples, which lie along the first axis of the arrays of a batch",
    fix: "give batches such as [inputs, labels]",
  });
}

function added(totals: Totals, logs: Logs, examples: number): Exclude<Totals, null> {
  const names = Object.keys(logs);
  return {
    sums: Object.fromEntries(
      names.map((name) => {
        const now = np.multiply(logs[name]!, examples).astype("float32");
        return [name, totals ? np.add(totals.sums[name]!, now) : now];
      }),
    ),
    examples: totals ? np.add(totals.examples, examples) : np.asarray(examples, { dtype: "int32" }),
  };
}

/** `valueAndGrad` for parameters of any type: that they are a tree of arrays is checked when it is called. */
const valueAndAux = <P, A>(loss: (params: P) => readonly [NDArray, A]): ((params: P) => [[NDArray, A], P]) =>
  valueAndGrad(loss as never, { hasAux: true }) as unknown as (params: P) => [[NDArray, A], P];

export interface TrainerOptions {
  /** Dtypes of parameters, of what is computed of them and of batches, and of what is logged. Default: as they come. */
  readonly policy?: PrecisionPolicy | undefined;
  /**
   * A factor of the loss, so that small gradients do not vanish in float16. A step whose gradients are not finite changes
   * nothing but this factor. Default none.
   */
  readonly lossScale?: LossScale | undefined;
}

/**
 * A trainer of an objective.
 *
 * @param objective such as `train.supervised(model, loss)`.
 * @param options `policy` and `lossScale`, for mixed precision (Micikevicius et al., 2018).
 * @example
 * const model = nn.dense(1);
 * const trainer = train.trainer(train.supervised(model, optim.squaredError), optim.sgd(0.1));
 * const { params, state } = model.init(random.key(0), [4, 2]);
 * let now = trainer.init(params, state, random.key(1));
 * const [next, logs] = trainer.step(now, [np.ones([4, 2]), np.ones([4, 1])]);
 * next.step // 1
 */
export function trainer<P, S, B, O>(
  objective: Objective<P, S, B>,
  optimizer: GradientTransformation<P, O>,
  { policy, lossScale: scaling }: TrainerOptions = {},
): Trainer<P, S, O, B> {
  type State = TrainState<P, S, O>;
  const { init, scale, unscale, adjust } = scaling ?? (noOpLossScale() as LossScale);
  const compute = <T>(t: T): T => (policy ? policy.castToCompute(t) : t);
  const logsOf = (outcome: Outcome<S>): Logs => {
    const logs = { loss: outcome.loss, ...outcome.metrics };
    return policy ? policy.castToOutput(logs) : logs;
  };
  const run = (state: State, batch: B): readonly [State, Logs] => {
    const key = random.foldIn(state.key, state.step);
    // What is logged and kept has no part in the derivative.
    const loss = (params: P): readonly [NDArray, readonly [S, Logs]] => {
      const outcome = objective(compute(params), state.state, compute(batch), { train: true, key });
      return [
        scale(state.lossScale, outcome.loss),
        stopGradient([outcome.state, logsOf(outcome)] as const) as unknown as readonly [S, Logs],
      ];
    };
    const [[, [nextModel, logs]], scaled] = valueAndAux(loss)(state.params);
    const gradients = unscale(state.lossScale, scaled);
    const [updates, optimizerState] = optimizer.update(gradients, state.optimizer, state.params);
    const taken = {
      params: applyUpdates(state.params, updates) as unknown as P,
      state: nextModel,
      optimizer: optimizerState,
    };
    const isFinite = scaling ? allFinite(gradients) : null;
    const { params, state: model, optimizer: old } = state;
    const changed = isFinite ? selectTree(isFinite, taken, { params, state: model, optimizer: old }) : taken;
    const lossScale = isFinite ? adjust(state.lossScale, isFinite) : state.lossScale;
    return [{ ...changed, lossScale, step: np.add(state.step, 1), key: state.key }, logs];
  };
  const into = (state: State, totals: Totals, batch: B) => {
    const [next, logs] = run(state, batch);
    return [next, added(totals, logs, examplesOf(batch))] as const;
  };
  const evaluated = (state: State, totals: Totals, batch: B) =>
    added(
      totals,
      logsOf(objective(compute(state.params), state.state, compute(batch), { train: false })),
      examplesOf(batch),
    );
  return {
    init: (params, state, key) => ({
      params: policy ? policy.castToParam(params) : params,
      state,
      optimizer: optimizer.init(params),
      lossScale: init(),
      step: np.zeros([], "int32"),
      key,
    }),
    step: jit(run, { donateArgnums: 0 }) as unknown as Trainer<P, S, O, B>["step"],
    stepInto: jit(into, { donateArgnums: [0, 1] }) as unknown as Trainer<P, S, O, B>["stepInto"],
    evaluateInto: jit(evaluated, { donateArgnums: 1 }),
  };
}
