/**
 * Recurrent layers: a cell computes one step of a sequence from a carry and an input; `recurrent` runs it along the time
 * axis with `lax.scan`. What a cell does with its inputs alone is done for all steps in one product before.
 */
import type { ArrayLike } from "../../core/arrayMethods.ts";
import type { NDArray } from "../../core/ndarray.ts";
import { ShapeError } from "../../core/problem.ts";
import { type Shape, shapeText } from "../../core/shape.ts";
import * as lax from "../../lax/index.ts";
import * as np from "../../numpy/index.ts";
import * as random from "../../random/index.ts";
import { sigmoid, tanh } from "../activations.ts";
import { type Initializer, glorotUniform, zeros } from "../initializers.ts";
import { featuresFor } from "./dense.ts";
import { type Layer, type None, type WeightOptions, stateless } from "./layer.ts";

export interface CellOptions extends WeightOptions {
  /** Of the product with the input. Default `initializers.glorotUniform()`. */
  readonly kernelInit?: Initializer | undefined;
  /** Of the product with the carry. Default `initializers.glorotUniform()`. */
  readonly recurrentInit?: Initializer | undefined;
  /** Default `initializers.zeros`. */
  readonly biasInit?: Initializer | undefined;
}

/** The weights of a cell; gates lie side by side in the last axis. */
export interface CellParams {
  /** [inputs, gates · features]. */
  readonly kernel: NDArray;
  /** [features, gates · features]. */
  readonly recurrent: NDArray;
  /** [gates · features]. */
  readonly bias: NDArray;
}

/** One step of a recurrent layer; `C` is what is carried from step to step. */
export interface Cell<C = unknown> {
  readonly name: string;
  readonly features: number;
  /** Weights for inputs [..., inputs]. */
  readonly init: (key: NDArray, inputs: number) => CellParams;
  /** The carry before the first step, for inputs with these axes in front of the features. */
  readonly initialCarry: (batch: Shape) => C;
  /** What a step needs of its input, for any number of steps: [..., inputs] to [..., gates · features]. */
  readonly project: (params: CellParams, x: ArrayLike) => NDArray;
  /** The next carry, and the output. `projected` is from `project`. */
  readonly step: (params: CellParams, carry: C, projected: NDArray) => readonly [C, NDArray];
}

function cell<C>(
  name: string,
  gates: number,
  features: number,
  options: CellOptions,
  parts: Pick<Cell<C>, "initialCarry" | "step">,
): Cell<C> {
  featuresFor(name, features, 0);
  const {
    kernelInit = glorotUniform(),
    recurrentInit = glorotUniform(),
    biasInit = zeros,
    dtype = "float32",
  } = options;
  const perGate = (init: Initializer, key: NDArray, rows: number): NDArray =>
    // Every gate is a matrix of its own, and initialised as one.
    np.concatenate(
      Array.from({ length: gates }, (_, i) => init(random.foldIn(key, i), [rows, features], dtype)),
      -1,
    );
  return {
    name,
    features,
    init: (key, inputs) => ({
      kernel: perGate(kernelInit, random.foldIn(key, 0), inputs),
      recurrent: perGate(recurrentInit, random.foldIn(key, 1), features),
      bias: biasInit(random.foldIn(key, 2), [gates * features], dtype),
    }),
    project: (params, x) => np.add(np.matmul(x, params.kernel), params.bias),
    ...parts,
  };
}

/**
 * h' = tanh(x W + h U + b) (Elman, 1990).
 *
 * @example
 * const step = nn.rnnCell(4);
 * const params = step.init(random.key(0), 2);
 * step.step(params, step.initialCarry([8]), step.project(params, np.ones([8, 2])))[1].shape // [8, 4]
 */
export const rnnCell = (features: number, options: CellOptions = {}): Cell<NDArray> =>
  cell("rnnCell", 1, features, options, {
    initialCarry: (batch) => np.zeros([...batch, features], options.dtype ?? "float32"),
    step: ({ recurrent }, h, x) => {
      const next = tanh(np.add(x, np.matmul(h, recurrent)));
      return [next, next];
    },
  });

/** What a long short-term memory carries: the output of the last step, and the memory. */
export interface LstmCarry {
  readonly hidden: NDArray;
  readonly cell: NDArray;
}

/**
 * A long short-term memory (Hochreiter and Schmidhuber, 1997, with forget gates after Gers et al., 2000). Of the gates
 * i, f, g, o = split(x W + h U + b): c' = σ(f + forgetBias) c + σ(i) tanh(g), h' = σ(o) tanh(c').
 *
 * @param options `forgetBias`, added to the forget gate so that a new network remembers; default 1.
 * @example
 * nn.lstmCell(4).init(random.key(0), 2).recurrent.shape // [4, 16]
 */
export function lstmCell(features: number, options: LstmOptions = {}): Cell<LstmCarry> {
  const { forgetBias = 1, dtype = "float32" } = options;
  return cell("lstmCell", 4, features, options, {
    initialCarry: (batch) => {
      const none = np.zeros([...batch, features], dtype);
      return { hidden: none, cell: none };
    },
    step: ({ recurrent }, { hidden, cell: c }, x) => {
      const [i, f, g, o] = np.split(np.add(x, np.matmul(hidden, recurrent)), 4, -1) as [NDArray, NDArray, NDArray, NDArray]; // prettier-ignore
      const memory = np.add(np.multiply(sigmoid(np.add(f, forgetBias)), c), np.multiply(sigmoid(i), tanh(g)));
      const next = np.multiply(sigmoid(o), tanh(memory));
      return [{ hidden: next, cell: memory }, next];
    },
  });
}
export interface LstmOptions extends CellOptions {
  readonly forgetBias?: number | undefined;
}

/**
 * A gated recurrent unit (Cho et al., 2014), with the reset gate applied after the product, as cuDNN and PyTorch have it:
 * r, z = σ(x W + h U + b), n = tanh(x Wₙ + bₙ + r · (h Uₙ)), h' = (1 − z) n + z h.
 *
 * @example
 * nn.gruCell(4).init(random.key(0), 2).kernel.shape // [2, 12]
 */
export const gruCell = (features: number, options: CellOptions = {}): Cell<NDArray> =>
  cell("gruCell", 3, features, options, {
    initialCarry: (batch) => np.zeros([...batch, features], options.dtype ?? "float32"),
    step: ({ recurrent }, h, x) => {
      const [xr, xz, xn] = np.split(x, 3, -1) as [NDArray, NDArray, NDArray];
      const [hr, hz, hn] = np.split(np.matmul(h, recurrent), 3, -1) as [NDArray, NDArray, NDArray];
      const [r, z] = [sigmoid(np.add(xr, hr)), sigmoid(np.add(xz, hz))];
      const n = tanh(np.add(xn, np.multiply(r, hn)));
      const next = np.add(np.multiply(np.subtract(1, z), n), np.multiply(z, h));
      return [next, next];
    },
  });

export interface RecurrentOptions {
  /** Whether the outputs of all steps are given, or that of the last. Default true. */
  readonly returnSequences?: boolean | undefined;
  /** From the last step to the first; outputs stay at their place. Default false. */
  readonly reverse?: boolean | undefined;
}

/**
 * Runs a cell along a sequence.
 *
 * @returns a layer from [batch, time, inputs] to [batch, time, features], or [batch, features] without `returnSequences`.
 * @example
 * nn.recurrent(nn.gruCell(4)).init(random.key(0), [8, 20, 2]).output.shape // [8, 20, 4]
 */
export function recurrent<C>(of: Cell<C>, options: RecurrentOptions = {}): Layer<CellParams, None> {
  const { returnSequences = true, reverse = false } = options;
  return stateless(
    of.name.replace(/Cell$/, ""),
    (key, input) => {
      requireSequence(of.name, input.shape);
      return of.init(key, input.shape[2]!);
    },
    (params, x) => {
      requireSequence(of.name, x.shape);
      // Time first, as `scan` wants it.
      const steps = np.swapaxes(of.project(params, x), 0, 1);
      const [last, outputs] = lax.scan(
        (carry, projected: NDArray) => {
          const [next, output] = of.step(params, carry.of as C, projected);
          return [{ of: next, output }, returnSequences ? output : null] as const;
        },
        { of: of.initialCarry([x.shape[0]!]), output: np.zeros([x.shape[0]!, of.features], steps.dtype) },
        steps,
        { reverse },
      );
      return returnSequences ? np.swapaxes(outputs as NDArray, 0, 1) : last.output;
    },
  );
}

function requireSequence(name: string, shape: Shape): void {
  if (shape.length === 3) return;
  throw new ShapeError("LayerInput", {
    what: `nn.${name.replace(/Cell$/, "")}: the input ${shapeText(shape)} has ${shape.length} axes`,
    why: "it is to be [batch, time, features]",
    fix: "reshape the input; a single sequence is a batch of one",
  });
}

/** A layer of one kind of cell. @example nn.rnn(4).init(random.key(0), [8, 20, 2]).output.shape // [8, 20, 4] */
export const rnn = (features: number, options: CellOptions & RecurrentOptions = {}): Layer<CellParams, None> =>
  recurrent(rnnCell(features, options), options);
/** A layer of long short-term memory. @example nn.lstm(4, { returnSequences: false }).init(random.key(0), [8, 20, 2]).output.shape // [8, 4] */
export const lstm = (features: number, options: LstmOptions & RecurrentOptions = {}): Layer<CellParams, None> =>
  recurrent(lstmCell(features, options), options);
/** A layer of gated recurrent units. @example nn.gru(4).init(random.key(0), [8, 20, 2]).output.shape // [8, 20, 4] */
export const gru = (features: number, options: CellOptions & RecurrentOptions = {}): Layer<CellParams, None> =>
  recurrent(gruCell(features, options), options);
