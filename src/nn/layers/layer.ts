/**
 * What a layer is: a pair of pure functions. `init` makes parameters and state for an input, `apply` computes. Nothing is
 * hidden: parameters, state (such as the running statistics of a batch norm), the random key, and whether the model is
 * being trained are all arguments.
 */
import type { DType } from "../../core/dtype.ts";
import { NDArray } from "../../core/ndarray.ts";
import { ArgumentError, CotangentError, ShapeError } from "../../core/problem.ts";
import { type Shape, shapeText } from "../../core/shape.ts";
import { ShapeDtypeStruct } from "../../core/shapeDtypeStruct.ts";
import { evalShape } from "../../transforms/makeJaxpr.ts";
import * as random from "../../random/index.ts";

/** What a layer's `apply` is told beside its operands. */
export interface ApplyOptions {
  /** Training: dropout drops, batch norms use the batch's own statistics. Default false. */
  readonly train?: boolean | undefined;
  /** For layers that draw random numbers in training. Each of them gets a key of its own, made from this one. */
  readonly key?: NDArray | null | undefined;
  /** Which positions of sequences count, boolean [batch, time]; attention does not look at the others. */
  readonly mask?: NDArray | null | undefined;
}

/** What `init` takes for an input: an array, its shape and dtype, or its shape alone: float32 then, or ids for an embedding. */
export type Input = NDArray | ShapeDtypeStruct | Shape;

/** What `init` makes. */
export interface Initialized<P, S> {
  /** The parameters: what is trained. */
  readonly params: P;
  /** What `apply` gives back changed. */
  readonly state: S;
  /** Shape and dtype of what the layer computes of such an input. */
  readonly output: ShapeDtypeStruct;
}

/** The parameters or state of a layer that has none. */
export type None = Readonly<Record<string, never>>;

/**
 * A layer, or a whole model: `P` is the tree of its parameters, `S` that of its state.
 *
 * @example
 * const model = nn.serial(nn.dense(3), nn.relu, nn.dense(1));
 * const { params, state } = model.init(random.key(0), [8, 2]);
 * model.apply(params, state, np.ones([8, 2]))[0].shape // [8, 1]
 */
export interface Layer<P = unknown, S = unknown> {
  /** What kind of layer it is; errors say it. */
  readonly name: string;
  /**
   * Parameters and state for an input.
   *
   * @param key a key of `random.key`; the same key makes the same parameters.
   * @param input an input, or its shape, batch axes included. How long these are matters to caches alone.
   */
  readonly init: (key: NDArray, input: Input) => Initialized<P, S>;
  /** `[output, next state]`. Pure: it may be differentiated, mapped and compiled. */
  readonly apply: (params: P, state: S, x: NDArray, options?: ApplyOptions) => readonly [NDArray, S];
}

/** A layer of any parameters and state; what lists of layers hold. */
// Parameters are given to `apply` and come from `init`: no type but `any` stands for all of them.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type AnyLayer = Layer<any, any>;

/** A layer, or a function that is one without parameters, such as `nn.relu`. */
export type LayerLike = AnyLayer | ((x: NDArray) => NDArray);

type ParamsOf<L> = L extends Layer<infer P, infer _> ? P : None;
type StateOf<L> = L extends Layer<infer _, infer S> ? S : None;
export type { ParamsOf as LayerParams, StateOf as LayerState };

/** A layer without its shape of output, which `apply` tells. */
export interface LayerParts<P, S> {
  readonly name: string;
  /** Checks the input, and makes parameters and state. */
  readonly init: (key: NDArray, input: ShapeDtypeStruct) => { readonly params: P; readonly state: S };
  readonly apply: Layer<P, S>["apply"];
}

/** A layer of its parts. */
export const layer = <P, S>({ name, init, apply }: LayerParts<P, S>): Layer<P, S> => ({
  name,
  init: (key, input) => {
    const x = inputOf(name, input);
    const { params, state } = init(key, x);
    return { params, state, output: outputOf(apply, params, state, x) };
  },
  apply,
});

/** A layer with parameters and without state. */
export const stateless = <P>(
  name: string,
  init: (key: NDArray, input: ShapeDtypeStruct) => P,
  apply: (params: P, x: NDArray, options: ApplyOptions) => NDArray,
): Layer<P, None> =>
  layer({
    name,
    init: (key, input) => ({ params: init(key, input), state: {} }),
    apply: (params, state, x, options = {}) => [apply(params, x, options), state],
  });

/** A function as a layer; a layer as it is. */
export const asLayer = (x: LayerLike): AnyLayer =>
  typeof x === "function"
    ? stateless(
        x.name || "function",
        () => ({}),
        (_, y) => x(y),
      )
    : x;

/** What a layer is initialised for. */
export function inputOf(name: string, input: Input): ShapeDtypeStruct {
  if (input instanceof ShapeDtypeStruct) return input;
  if (input instanceof NDArray) return new ShapeDtypeStruct(input.shape, input.dtype);
  if (Array.isArray(input) && input.every((n) => Number.isInteger(n) && n >= 0))
    return new ShapeDtypeStruct(input as Shape, "float32", { weakType: true });
  throw new ArgumentError("LayerInput", {
    what: `nn.${name}: init was given ${Array.isArray(input) ? `[${input.join(", ")}]` : typeof input} for an input`,
    why: "parameters are made for inputs of a shape",
    fix: "pass an input or its shape, batch axis included: layer.init(random.key(0), [1, 28, 28, 1])",
  });
}

/** Shape and dtype of what `apply` gives, without computing. */
function outputOf<P, S>(apply: Layer<P, S>["apply"], params: P, state: S, x: ShapeDtypeStruct): ShapeDtypeStruct {
  // The key is one for layers that ask for one; what is drawn does not matter.
  return evalShape(
    (p: P, s: S, y: NDArray) => apply(p, s, y, { train: true, key: random.key(0) })[0],
    params,
    state,
    x,
  ) as ShapeDtypeStruct;
}

/** The input has as many axes as the layer needs. */
export function requireAxes(name: string, { shape }: { readonly shape: Shape }, least: number, form: string): void {
  if (shape.length >= least) return;
  throw new ShapeError("LayerInput", {
    what: `nn.${name}: the input ${shapeText(shape)} has ${shape.length} axes`,
    why: `it is to be ${form}`,
    fix: "reshape the input, or say the shape with its batch axis",
  });
}

/** Runs a part of a model; a mistake in it says where in the model it is. */
export function within<T>(path: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof CotangentError)) throw error;
    const { problem } = error;
    const what = problem.what.startsWith("in layer ")
      ? problem.what.replace(/^in layer /, `in layer ${path}`)
      : `in layer ${path}: ${problem.what}`;
    throw new (error.constructor as typeof CotangentError)(problem.code, { ...problem, what }, { cause: error });
  }
}

/** The key of an operation in training. */
export function requireKey(name: string, key: NDArray | null | undefined): NDArray {
  if (key) return key;
  throw new ArgumentError("NoKey", {
    what: `nn.${name}: there is no key to draw random numbers from`,
    why: "in training the layer is random, and randomness comes from a key that one passes",
    fix: "pass one: model.apply(params, state, x, { train: true, key: random.foldIn(key, step) })",
  });
}

/** Options that layers with weights share. */
export interface WeightOptions {
  /** Of the parameters. Default float32. */
  readonly dtype?: DType | undefined;
}
