/**
 * Muon (Jordan et al., 2024): momentum whose matrices are made orthogonal, so that a step is as long in every direction.
 * Polynomials of matrices drive the singular values to about 1 (Newton–Schulz); no decomposition is needed.
 */
import type { ArrayLike } from "../core/arrayMethods.ts";
import type { NDArray } from "../core/ndarray.ts";
import { ArgumentError } from "../core/problem.ts";
import { canonicalAxes, range } from "../core/shape.ts";
import { readOptions } from "../lax/arguments.ts";
import * as lax from "../lax/index.ts";
import * as np from "../numpy/index.ts";
import * as tree from "../tree/functions.ts";
import {
  type AccumulatorDType,
  type EmptyState,
  type GradientTransformation,
  type Mask,
  type ScalarOrSchedule,
  mapLeaves,
  oneMinus,
  safeIncrement,
  zeroCount,
} from "./base.ts";
import { adamw } from "./adam.ts";
import { type PartitionState, partition } from "./combine.ts";
import { descend } from "./descend.ts";
import { addDecayedWeights } from "./scaling.ts";
import { biasCorrection, cast, updateMoment, zerosLike } from "./treeMath.ts";

/** Which axes of an array are the rows (what is summed over in x·W) and the columns of a matrix; others are many matrices. */
export interface MuonDimensionNumbers {
  readonly reductionAxis: number | readonly number[];
  readonly outputAxis: number | readonly number[];
}
/** The axes of a matrix. @example optim.contrib.MuonDimensionNumbers() // { reductionAxis: 0, outputAxis: 1 } */
export const MuonDimensionNumbers = (
  reductionAxis: MuonDimensionNumbers["reductionAxis"] = 0,
  outputAxis: MuonDimensionNumbers["outputAxis"] = 1,
): MuonDimensionNumbers => ({ reductionAxis, outputAxis });

/** Dimension numbers for each array or for subtrees, null for what is no matrix; or a function that makes them. */
export type WeightDimensionNumbers<P> = MuonDimensionNumbers | object | ((params: P) => unknown);

const isNumbers = (x: unknown): x is MuonDimensionNumbers =>
  typeof x === "object" && x !== null && "reductionAxis" in x && "outputAxis" in x;
const isEntry = (x: unknown): boolean => x === null || isNumbers(x);

/** Applies f to each array and its dimension numbers, null where there are none. */
function mapMatrices<P>(
  f: (x: NDArray, numbers: MuonDimensionNumbers | null) => unknown,
  t: P,
  given: WeightDimensionNumbers<P> | null,
): P {
  if (given === null) return mapLeaves((x) => f(x, np.ndim(x) === 2 ? MuonDimensionNumbers() : null), t);
  const numbers: unknown = typeof given === "function" ? (given as (t: P) => unknown)(t) : given;
  const entry = (n: MuonDimensionNumbers | null, part: unknown): unknown => mapLeaves((x) => f(x, n), part);
  return tree.map(entry, numbers as object, t, { isLeaf: isEntry }) as P;
}

// ---------------------------------------------------------------- Newton–Schulz

type Triple = readonly [ArrayLike, ArrayLike, ArrayLike];
/** Coefficients a, b, c of x ← a·x + (b·A + c·A²)·x, with A = x·xᵀ: the same for every round, or one triple for each. */
export type NewtonSchulzCoefficients = Triple | readonly Triple[] | "standard" | "dion";
const standard: Triple = [3.4445, -4.775, 2.0315];
// Of Ahn et al. (2025), "Dion: distributed orthonormalized updates".
const dion: readonly Triple[] = [
  [4.0848, -6.8946, 2.927],
  [3.9505, -6.3029, 2.6377],
  [3.7418, -5.5913, 2.3037],
  [2.8769, -3.1427, 1.2046],
  [2.8366, -3.0525, 1.2012],
];

/** What the first matrices are divided by so that their singular values are at most 1. */
export type Preconditioning = "frobenius" | "aol" | "schatten";

const transposed = (x: NDArray): NDArray => np.conj(np.swapaxes(x, -1, -2));
const combine = (x: NDArray, gram: NDArray, c: NDArray): NDArray => {
  const [a, b, d] = [0, 1, 2].map((i) => np.take(c, i)) as [NDArray, NDArray, NDArray];
  const inner = np.add(np.multiply(b, gram), np.multiply(d, np.matmul(gram, gram)));
  return np.add(np.multiply(a, x), np.matmul(inner, x));
};

/** The first round of the preconditionings that look at A, which is computed anyway. */
function firstRound(x: NDArray, c: NDArray, preconditioning: "aol" | "schatten", eps: ArrayLike): NDArray {
  const gram = np.matmul(x, transposed(x));
  const size =
    preconditioning === "aol"
      ? np.sum(np.abs(gram), { axis: -1, keepdims: true })
      : np.sqrt(np.sum(np.square(np.abs(gram)), { axis: [-2, -1], keepdims: true }));
  const s = lax.rsqrt(np.maximum(size, eps));
  const scaled =
    preconditioning === "aol"
      ? np.multiply(np.multiply(gram, s), np.swapaxes(s, -1, -2))
      : np.multiply(gram, np.square(s));
  return combine(np.multiply(x, s), scaled, c);
}

/** Matrices [matrices, rows, columns] with singular values near 1. */
function orthogonalize(x: NDArray, coefficients: NDArray, preconditioning: Preconditioning, eps: ArrayLike): NDArray {
  const [, rows, columns] = x.shape as [number, number, number];
  if (rows > columns) return transposed(orthogonalize(transposed(x), coefficients, preconditioning, eps));
  const rounds = np.astype(coefficients, x.dtype);
  const round = (y: NDArray, c: NDArray): readonly [NDArray, null] => [
    combine(y, np.matmul(y, transposed(y)), c),
    null,
  ];
  if (preconditioning !== "frobenius") {
    const first = firstRound(x, np.take(rounds, 0, { axis: 0 }), preconditioning, eps);
    return lax.scan(round, first as never, rounds.slice([1, null]))[0];
  }
  const size = np.sqrt(np.sum(np.square(np.abs(x)), { axis: [-2, -1], keepdims: true }));
  return lax.scan(round, np.divide(x, np.add(size, eps)) as never, rounds)[0];
}

/** An array as matrices [matrices, rows, columns], and the way back. */
function asMatrices(x: NDArray, numbers: MuonDimensionNumbers): readonly [NDArray, (y: NDArray) => NDArray] {
  const { rows, columns } = axesOf(x, numbers);
  const batch = range(x.ndim).filter((i) => !rows.includes(i) && !columns.includes(i));
  const order = [...batch, ...rows, ...columns];
  const size = (axes: readonly number[]): number => axes.reduce((n, i) => n * x.shape[i]!, 1);
  const moved = np.transpose(x, order);
  const inverse = range(x.ndim).map((i) => order.indexOf(i));
  return [
    np.reshape(moved, [size(batch), size(rows), size(columns)]),
    (y) => np.transpose(np.reshape(y, moved.shape), inverse),
  ];
}
function axesOf(
  x: NDArray,
  { reductionAxis, outputAxis }: MuonDimensionNumbers,
): { rows: number[]; columns: number[] } {
  const [rows, columns] = [reductionAxis, outputAxis].map((a) => [
    ...canonicalAxes("optim.contrib.muon", a, x.ndim),
  ]) as [number[], number[]];
  if (!rows.some((i) => columns.includes(i))) return { rows, columns };
  throw new ArgumentError("MuonAxes", {
    what: `optim.contrib.muon: an axis of ${x.describe()} is both among reductionAxis ${String(reductionAxis)} and outputAxis ${String(outputAxis)}`,
    why: "they are the rows and the columns of a matrix",
    fix: "name each axis once",
  });
}

// ---------------------------------------------------------------- transformations

export interface MuonState<P> {
  readonly count: NDArray;
  readonly mu: P;
  /** One triple for each round. */
  readonly nsCoeffs: NDArray;
}
export interface ScaleByMuonOptions<P> {
  /** Three numbers, triples for each round, or `"standard"` (default) or `"dion"`. */
  readonly nsCoeffs?: NewtonSchulzCoefficients;
  /** The number of rounds. Default 5. */
  readonly nsSteps?: number;
  /** Decay of the momentum. Default 0.95. */
  readonly beta?: ArrayLike;
  readonly eps?: ArrayLike;
  readonly muDtype?: AccumulatorDType;
  /** Look one step ahead. Default true. */
  readonly nesterov?: boolean;
  /** Multiply by ⟨momentum, direction⟩. Default false. */
  readonly adaptive?: boolean;
  /** Default `"frobenius"`. */
  readonly preconditioning?: Preconditioning;
  /** Which axes are rows and columns. Default: those of arrays with two; the others pass through. */
  readonly weightDimensionNumbers?: WeightDimensionNumbers<P> | null;
}

function roundsOf(given: NewtonSchulzCoefficients, steps: number): NDArray {
  const named = given === "standard" ? standard : given === "dion" ? dion : given;
  const rows = np.asarray(named);
  if (rows.ndim === 1 && rows.shape[0] === 3) return np.tile(np.reshape(rows, [1, 3]), [steps, 1]);
  if (rows.ndim === 2 && rows.shape[1] === 3 && rows.shape[0]! <= steps) return rows;
  throw new ArgumentError("MuonCoefficients", {
    what: `optim.contrib.muon: nsCoeffs have shape [${rows.shape.join(", ")}] for ${steps} rounds`,
    why: "a round needs three coefficients, and there are at most nsSteps of them",
    fix: 'pass three numbers, a list of at most nsSteps triples, "standard" or "dion"',
  });
}
function checkPreconditioning(name: string): void {
  if (["frobenius", "aol", "schatten"].includes(name)) return;
  throw new ArgumentError("MuonPreconditioning", {
    what: `optim.contrib.muon: there is no preconditioning ${JSON.stringify(name)}`,
    why: "it says what matrices are divided by before the first round",
    fix: 'use "frobenius", "aol" or "schatten"',
  });
}

const scaleNames = [
  "nsCoeffs",
  "nsSteps",
  "beta",
  "eps",
  "muDtype",
  "nesterov",
  "adaptive",
  "preconditioning",
  "weightDimensionNumbers",
] as const;

/**
 * Momentum with matrices made orthogonal.
 *
 * @param rest by name: `nsCoeffs`, `nsSteps`, `beta`, `eps`, `muDtype`, `nesterov`, `adaptive`, `preconditioning`,
 *   `weightDimensionNumbers`.
 * @example
 * const t = optim.contrib.scaleByMuon();
 * const [u] = t.update(np.array([[3, 0], [0, 40]]), t.init(np.zeros([2, 2])));
 * np.abs(u.sub(np.eye(2))).max().less(0.5) // true
 */
export function scaleByMuon<P>(
  ...rest: readonly [] | readonly [ScaleByMuonOptions<P>]
): GradientTransformation<P, MuonState<P>> {
  const given = readOptions<ScaleByMuonOptions<P>>("optim.contrib.scaleByMuon", scaleNames, 0, rest);
  const { nsCoeffs = "standard", nsSteps = 5, beta = 0.95, eps = 1e-8, muDtype, nesterov = true } = given;
  const { adaptive = false, preconditioning = "frobenius", weightDimensionNumbers = null } = given;
  checkPreconditioning(preconditioning);
  const rounds = roundsOf(nsCoeffs, nsSteps);
  const direct = (x: NDArray, numbers: MuonDimensionNumbers | null, coefficients: NDArray): NDArray => {
    if (numbers === null) return x;
    const [matrices, back] = asMatrices(np.asarray(x), numbers);
    const direction = back(orthogonalize(matrices, coefficients, preconditioning, eps));
    return adaptive ? np.multiply(np.sum(np.multiply(np.conj(x), direction)), direction) : direction;
  };
  return {
    init: (params) => ({ count: zeroCount(), mu: zerosLike(params, muDtype), nsCoeffs: rounds }),
    update: (updates, state) => {
      const mu = updateMoment(updates, state.mu, beta, 1);
      const count = safeIncrement(state.count);
      const mean = nesterov
        ? mapLeaves(
            (m, g) => np.add(np.multiply(beta, m), np.multiply(oneMinus(beta), g)),
            biasCorrection(mu, beta, safeIncrement(count)),
            biasCorrection(updates, beta, count),
          )
        : biasCorrection(mu, beta, count);
      const result = mapMatrices((x, numbers) => direct(x, numbers, state.nsCoeffs), mean, weightDimensionNumbers);
      return [result, { count, mu: cast(mu, muDtype), nsCoeffs: state.nsCoeffs }];
    },
  };
}

/**
 * Multiplies the updates of matrices by √max(1, columns / rows), so that learning rates carry over to other widths; with
 * `consistentRms` c by c·√max(rows, columns), so that their root mean square is about c.
 */
const scaleByShape = <P>(
  weightDimensionNumbers: WeightDimensionNumbers<P> | null,
  consistentRms: ArrayLike | null,
): GradientTransformation<P, EmptyState> => ({
  init: () => ({}),
  update: (updates, state) => {
    const scaled = (x: NDArray, numbers: MuonDimensionNumbers | null): NDArray => {
      if (numbers === null) return x;
      const { rows, columns } = axesOf(np.asarray(x), numbers);
      const [fanIn, fanOut] = [rows, columns].map((axes) => axes.reduce((n, i) => n * np.shape(x)[i]!, 1)) as [
        number,
        number,
      ];
      if (consistentRms === null) return np.multiply(Math.sqrt(Math.max(1, fanOut / fanIn)), x);
      return np.multiply(np.multiply(Math.sqrt(Math.max(fanIn, fanOut)), consistentRms), x);
    };
    return [mapMatrices(scaled, updates, weightDimensionNumbers), state];
  },
});

export interface MuonOptions<P> extends Omit<ScaleByMuonOptions<P>, "weightDimensionNumbers"> {
  readonly weightDecay?: ScalarOrSchedule;
  readonly weightDecayMask?: Mask<P> | null;
  /** Of the other parameters' `adamw`; the learning rate is by default that of Muon. */
  readonly adamB1?: ArrayLike;
  readonly adamB2?: ArrayLike;
  readonly adamEpsRoot?: ArrayLike;
  readonly adamWeightDecay?: ScalarOrSchedule;
  readonly adamLearningRate?: ScalarOrSchedule | null;
  /** Which arrays are matrices, and how. Default: those with two axes. */
  readonly muonWeightDimensionNumbers?: WeightDimensionNumbers<P> | null;
  /** The root mean square that updates should have; null (default) scales by the shape instead. */
  readonly consistentRms?: ArrayLike | null;
}

/**
 * Muon for matrices, `adamw` for all other parameters.
 *
 * First and last layers are usually left to Adam too: say so by `muonWeightDimensionNumbers`.
 *
 * @param rest by name: `nsCoeffs`, `nsSteps`, `beta`, `eps`, `weightDecay` (default 0), `weightDecayMask`, `muDtype`,
 *   `nesterov`, `adaptive`, `preconditioning` (not `"spectral"`), `adamB1`, `adamB2`, `adamEpsRoot`, `adamWeightDecay`,
 *   `adamLearningRate`, `muonWeightDimensionNumbers`, `consistentRms`.
 * @example
 * const optimizer = optim.contrib.muon(0.1);
 * const params = { w: np.ones([3, 2]), b: np.zeros([2]) };
 * const [updates] = optimizer.update(params, optimizer.init(params), params);
 * updates.w.shape // [3, 2]
 */
export function muon<P>(
  learningRate: ScalarOrSchedule,
  ...rest: readonly [] | readonly [MuonOptions<P>]
): GradientTransformation<P, PartitionState> {
  const names = [
    ...scaleNames.filter((n) => n !== "weightDimensionNumbers"),
    "weightDecay",
    "weightDecayMask",
    "adamB1",
    "adamB2",
    "adamEpsRoot",
    "adamWeightDecay",
    "adamLearningRate",
    "muonWeightDimensionNumbers",
    "consistentRms",
  ] as const;
  const given = readOptions<MuonOptions<P>>("optim.contrib.muon", names, 0, rest);
  const { weightDecay = 0, weightDecayMask = null, adamB1 = 0.9, adamB2 = 0.999, adamEpsRoot = 0 } = given;
  const { adamWeightDecay = 0, adamLearningRate = null, consistentRms = null, eps = 1e-8, muDtype = null } = given;
  const { nsCoeffs = "standard", nsSteps = 5, beta = 0.95, nesterov = true, adaptive = false } = given;
  const { preconditioning = "frobenius", muonWeightDimensionNumbers: numbers = null } = given;
  const scaling = { nsCoeffs, nsSteps, beta, eps, muDtype, nesterov, adaptive, preconditioning };
  const matrices = descend<P>(
    learningRate,
    scaleByMuon<P>({ ...scaling, weightDimensionNumbers: numbers }),
    scaleByShape<P>(numbers, consistentRms),
    addDecayedWeights<P>({ weightDecay, mask: weightDecayMask }),
  );
  const others = adamw<P>(adamLearningRate ?? learningRate, {
    ...{ b1: adamB1, b2: adamB2, eps, epsRoot: adamEpsRoot, muDtype, nesterov },
    weightDecay: adamWeightDecay,
  });
  return partition<P>({ muon: matrices, adam: others }, (params: P) =>
    mapMatrices((_, n) => (n === null ? "adam" : "muon"), params, numbers),
  );
}
