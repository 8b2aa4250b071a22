/**
 * Adafactor (Shazeer and Stern, 2018): the mean of squares of a matrix is kept as that of its rows and that of its
 * columns, so that the state of large matrices is small.
 */
import type { ArrayLike } from "../core/arrayMethods.ts";
import type { DType } from "../core/dtype.ts";
import type { NDArray } from "../core/ndarray.ts";
import { range } from "../core/shape.ts";
import { readOptions } from "../lax/arguments.ts";
import * as lax from "../lax/index.ts";
import * as np from "../numpy/index.ts";
import * as tree from "../tree/functions.ts";
import {
  type AnyTransformation,
  type GradientTransformation,
  type Mask,
  type Rest,
  type ScalarOrSchedule,
  mapLeaves,
  oneMinus,
  readOptionsOrMask,
  requireParams,
  safeIncrement,
  zeroCount,
} from "./base.ts";
import { ema } from "./accumulate.ts";
import { chain } from "./combine.ts";
import type { Chain } from "./descend.ts";
import { addDecayedWeights, clipByBlockRms, scale, scaleByLearningRate, scaleByParamBlockRms } from "./scaling.ts";
import { absoluteSquare } from "./treeMath.ts";

/** For each array either `vRow` and `vCol` or `v`; the others are [0]. */
export interface FactoredState<P> {
  readonly count: NDArray;
  /** Means of squares over the longest axis. */
  readonly vRow: P;
  /** Means of squares over the second longest axis. */
  readonly vCol: P;
  /** Means of squares of arrays that are not factored. */
  readonly v: P;
}
export interface FactoredOptions {
  /** Keep rows and columns (default), or all elements. */
  readonly factored?: boolean;
  /** The exponent c of the decay 1 − t^−c. Default 0.8. */
  readonly decayRate?: ArrayLike;
  /** The step from which the decay counts, for fine-tuning. Default 0. */
  readonly stepOffset?: ArrayLike;
  /** Arrays whose second longest axis is shorter are not factored. Default 128. */
  readonly minDimSizeToFactor?: number;
  /** Added to squares. Default 1e-30. */
  readonly epsilon?: ArrayLike;
  /** The decay at a step, of the step and `decayRate`. */
  readonly decayRateFn?: (step: NDArray, decayRate: ArrayLike) => ArrayLike;
}

/** 1 − (i + 1)^−c: no memory at first, an ever longer one then. */
const powerDecay = (i: NDArray, exponent: ArrayLike): NDArray =>
  np.subtract(1, np.power(np.astype(np.add(i, 1), "float32"), np.negative(exponent)));

interface Axes {
  readonly rows: number;
  readonly columns: number;
}
/** The second longest axis and the longest; null where an array is not factored. */
function longestAxes(shape: readonly number[], factored: boolean, least: number): Axes | null {
  if (!factored || shape.length < 2) return null;
  const [rows, columns] = range(shape.length)
    .sort((a, b) => shape[a]! - shape[b]! || a - b)
    .slice(-2) as [number, number];
  return shape[rows]! < least ? null : { rows, columns };
}
const without = (shape: readonly number[], axis: number): number[] => shape.filter((_, i) => i !== axis);
const inverseRoot = (x: NDArray): NDArray => lax.rsqrt(x);

/** The next means of one array, and its update. */
interface Step {
  readonly update: NDArray;
  readonly vRow: NDArray;
  readonly vCol: NDArray;
  readonly v: NDArray;
}

/**
 * Divides updates by the root of a mean of squares that is a product of means over rows and over columns (Shazeer and
 * Stern, 2018, algorithm 4).
 *
 * @param rest `factored`, `decayRate`, `stepOffset`, `minDimSizeToFactor`, `epsilon`, `decayRateFn`.
 * @example
 * const t = optim.scaleByFactoredRms({ minDimSizeToFactor: 2 });
 * t.init(np.zeros([3, 4])).vCol.shape // [4]
 */
export function scaleByFactoredRms<P>(
  ...rest: Rest<
    [boolean, ArrayLike, ArrayLike, number, ArrayLike, (step: NDArray, decayRate: ArrayLike) => ArrayLike],
    FactoredOptions
  >
): GradientTransformation<P, FactoredState<P>> {
  const names = ["factored", "decayRate", "stepOffset", "minDimSizeToFactor", "epsilon", "decayRateFn"] as const;
  const given = readOptions<FactoredOptions>("optim.scaleByFactoredRms", names, 6, rest);
  const { factored = true, decayRate = 0.8, stepOffset = 0, minDimSizeToFactor = 128, epsilon = 1e-30 } = given;
  const decayAt = given.decayRateFn ?? powerDecay;
  const axesOf = (shape: readonly number[]): Axes | null => longestAxes(shape, factored, minDimSizeToFactor);
  const none = (dtype: DType): NDArray => np.zeros([1], dtype);

  const advance = (g: NDArray, vRow: NDArray, vCol: NDArray, v: NDArray, p: NDArray, decay: ArrayLike): Step => {
    const { shape, dtype } = np.asarray(p);
    const axes = axesOf(shape);
    const square = np.add(absoluteSquare(g), epsilon);
    const blend = (old: NDArray, now: NDArray): NDArray =>
      np.astype(np.add(np.multiply(decay, old), np.multiply(oneMinus(decay), now)), dtype);
    if (axes === null) {
      const next = blend(v, square);
      return { update: np.multiply(g, inverseRoot(next)), vRow: none(dtype), vCol: none(dtype), v: next };
    }
    const { rows, columns } = axes;
    const row = blend(vRow, np.mean(square, columns));
    const column = blend(vCol, np.mean(square, rows));
    // The axis of the rows, where that of the columns is gone.
    const left = rows > columns ? rows - 1 : rows;
    const rowFactor = inverseRoot(np.divide(row, np.mean(row, { axis: left, keepdims: true })));
    const scaled = np.multiply(
      np.multiply(g, np.expandDims(rowFactor, columns)),
      np.expandDims(inverseRoot(column), rows),
    );
    return { update: scaled, vRow: row, vCol: column, v: none(dtype) };
  };

  return {
    init: (params) => {
      const means = (f: (shape: readonly number[], axes: Axes | null) => readonly number[] | null): P =>
        mapLeaves((p) => {
          const { shape, dtype } = np.asarray(p);
          const kept = f(shape, axesOf(shape));
          return kept === null ? none(dtype) : np.zeros(kept, dtype);
        }, params);
      return {
        count: zeroCount(),
        vRow: means((shape, axes) => axes && without(shape, axes.columns)),
        vCol: means((shape, axes) => axes && without(shape, axes.rows)),
        v: means((shape, axes) => (axes ? null : shape)),
      };
    },
    update: (updates, state, params) => {
      const decay = decayAt(np.subtract(state.count, stepOffset), decayRate);
      const [gradients, structure] = tree.flatten(updates);
      const [rows, columns, all, ps] = [
        state.vRow,
        state.vCol,
        state.v,
        requireParams("scaleByFactoredRms", params),
      ].map((t) => tree.leaves(t) as NDArray[]) as [NDArray[], NDArray[], NDArray[], NDArray[]];
      const steps = gradients.map((g: NDArray, i) => advance(g, rows[i]!, columns[i]!, all[i]!, ps[i]!, decay));
      const part = (key: keyof Step): P =>
        tree.unflatten(
          structure,
          steps.map((s) => s[key]),
        ) as P;
      const next = { count: safeIncrement(state.count), vRow: part("vRow"), vCol: part("vCol"), v: part("v") };
      return [part("update"), next];
    },
  };
}

export interface AdafactorOptions<P> {
  /** null (default): relative steps, of the size of the parameters alone. */
  readonly learningRate?: ScalarOrSchedule | null;
  readonly minDimSizeToFactor?: number;
  readonly decayRate?: ArrayLike;
  readonly decayOffset?: ArrayLike;
  /** Steps in proportion to each parameter's root mean square (default). */
  readonly multiplyByParameterScale?: boolean;
  /** The root mean square above which updates are shrunk; null for none. Default 1. */
  readonly clippingThreshold?: ArrayLike | null;
  /** Decay of a running mean of updates; null (default) for none. */
  readonly momentum?: ArrayLike | null;
  readonly dtypeMomentum?: DType | null;
  readonly weightDecayRate?: ScalarOrSchedule | null;
  readonly eps?: ArrayLike;
  readonly factored?: boolean;
  readonly weightDecayMask?: Mask<P> | null;
}
type AdafactorRest<P> = Rest<
  [
    ScalarOrSchedule | null,
    number,
    ArrayLike,
    ArrayLike,
    boolean,
    ArrayLike | null,
    ArrayLike | null,
    DType | null,
    ScalarOrSchedule | null,
    ArrayLike,
    boolean,
    Mask<P> | null,
  ],
  AdafactorOptions<P>
>;
/**
 * Adam's kind of steps with a state of the size of rows and columns (Shazeer and Stern, 2018). Weights decay by
 * `weightDecayRate` itself, not times the learning rate.
 *
 * @param rest `learningRate`, `minDimSizeToFactor` (default 128), `decayRate` (0.8), `decayOffset` (0),
 *   `multiplyByParameterScale` (true), `clippingThreshold` (1), `momentum`, `dtypeMomentum` (float32), `weightDecayRate`,
 *   `eps` (1e-30), `factored` (true), `weightDecayMask`.
 * @example
 * optim.adafactor(0.1).update([4], optim.adafactor(0.1).init([2]), [2])[0] // [-0.2]
 */
export function adafactor<P>(...rest: AdafactorRest<P>): Chain<P> {
  const names = [
    "learningRate",
    "minDimSizeToFactor",
    "decayRate",
    "decayOffset",
    "multiplyByParameterScale",
    "clippingThreshold",
    "momentum",
    "dtypeMomentum",
    "weightDecayRate",
    "eps",
    "factored",
    "weightDecayMask",
  ] as const;
  const given = readOptionsOrMask<AdafactorOptions<P>>("optim.adafactor", names, 12, rest);
  const { minDimSizeToFactor = 128, decayRate = 0.8, decayOffset: stepOffset = 0, eps: epsilon = 1e-30 } = given;
  const { learningRate, momentum, weightDecayRate, clippingThreshold = 1, factored = true } = given;
  const parts: AnyTransformation<P>[] = [
    scaleByFactoredRms<P>({ factored, decayRate, stepOffset, minDimSizeToFactor, epsilon }),
  ];
  if (clippingThreshold !== null) parts.push(clipByBlockRms<P>(clippingThreshold));
  if (learningRate != null) parts.push(scaleByLearningRate<P>(learningRate, { flipSign: false }));
  if (given.multiplyByParameterScale ?? true) parts.push(scaleByParamBlockRms<P>());
  if (momentum != null)
    parts.push(ema<P>(momentum, { debias: false, accumulatorDtype: given.dtypeMomentum ?? "float32" }));
  if (weightDecayRate != null)
    parts.push(addDecayedWeights<P>({ weightDecay: weightDecayRate, mask: given.weightDecayMask ?? null }));
  return chain<P, readonly unknown[]>(
    ...(parts as GradientTransformation<P>[]),
    scale<P>(-1) as GradientTransformation<P>,
  );
}
