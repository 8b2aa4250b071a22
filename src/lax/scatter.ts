/**
 * Scatter: writes updates into windows of an operand at positions given by an array of index vectors. One primitive per
 * way of combining an update with what is there: set, add, mul, min, max. Updates are taken in row-major order, so with
 * `set` the last of several updates to one place wins. Windows not wholly inside are dropped unless the mode is `clip`.
 */
import type { ArrayLike } from "../core/arrayMethods.ts";
import type { Aval } from "../core/aval.ts";
import { type DType, isComplex, isFloat, isInteger, isKey } from "../core/dtype.ts";
import { type HostArray, type TypedArray, lanesOf, roundInPlace } from "../core/hostArray.ts";
import type { NDArray } from "../core/ndarray.ts";
import { asIndex, promoteOperands } from "../core/operands.ts";
import {
  type AnyPrimitive,
  type BatchAxis,
  type Batched,
  type Primitive,
  type PrimitiveSlots,
  type Three,
  definePrimitive,
} from "../core/primitive.ts";
import { DTypeError, ShapeError } from "../core/problem.ts";
import { shapeText, shapesEqual } from "../core/shape.ts";
import { batchToFront, moveAxis } from "../core/structural.ts";
import { bind1 } from "../core/trace.ts";
import { neg } from "./arithmetic.ts";
import { readOptions } from "./arguments.ts";
import type { GatherDimensionNumbers } from "./gather.ts";
import { checkBounds } from "./indexChecks.ts";
import { type Combine, lowerScatter } from "./indexLowering.ts";
import {
  type GatherScatterModeName,
  type IndexDims,
  batchedShape,
  checkIndexing,
  parseMode,
  planIndexing,
  windowOf,
} from "./indexPlan.ts";
import { jvpAdd, jvpExtremum, jvpMul, jvpSet, transposeAdd, transposeMul, transposeSet } from "./scatterDerivatives.ts";
import { unit } from "../core/unit.ts";

/** How the axes of operand, indices and updates relate; XLA's names. */
export interface ScatterDimensionNumbers {
  /** Axes of the updates that run over the window, increasing. */
  readonly updateWindowDims: readonly number[];
  /** Operand axes of window length 1 that the updates do not have. */
  readonly insertedWindowDims: readonly number[];
  /** The operand axis that each entry of an index vector positions. */
  readonly scatterDimsToOperandDims: readonly number[];
  readonly operandBatchingDims?: readonly number[];
  readonly scatterIndicesBatchingDims?: readonly number[];
}

export interface ScatterParams {
  readonly dimensionNumbers: Required<ScatterDimensionNumbers>;
  readonly mode: GatherScatterModeName;
  readonly uniqueIndices: boolean;
  readonly indicesAreSorted: boolean;
}

const indexDims = (d: Required<ScatterDimensionNumbers>): IndexDims => ({
  windowDims: d.updateWindowDims,
  collapsedDims: d.insertedWindowDims,
  indexMap: d.scatterDimsToOperandDims,
  operandBatchingDims: d.operandBatchingDims,
  indicesBatchingDims: d.scatterIndicesBatchingDims,
});

/** The scatter that writes where a gather reads. */
export const scatterDims = (d: Required<GatherDimensionNumbers>): Required<ScatterDimensionNumbers> => ({
  updateWindowDims: d.offsetDims,
  insertedWindowDims: d.collapsedSliceDims,
  scatterDimsToOperandDims: d.startIndexMap,
  operandBatchingDims: d.operandBatchingDims,
  scatterIndicesBatchingDims: d.startIndicesBatchingDims,
});

/** The gather that reads where a scatter writes. */
export const gatherDims = (d: Required<ScatterDimensionNumbers>): Required<GatherDimensionNumbers> => ({
  offsetDims: d.updateWindowDims,
  collapsedSliceDims: d.insertedWindowDims,
  startIndexMap: d.scatterDimsToOperandDims,
  operandBatchingDims: d.operandBatchingDims,
  startIndicesBatchingDims: d.scatterIndicesBatchingDims,
});

/** Window lengths per operand axis. */
export const scatterWindow = (
  operandRank: number,
  updates: readonly number[],
  d: Required<ScatterDimensionNumbers>,
): number[] => windowOf(operandRank, updates, indexDims(d));

// ---------------------------------------------------------------- the primitives

type Derivatives = Pick<PrimitiveSlots<Three, ScatterParams>, "jvp" | "transpose">;
export type ScatterPrimitive = Primitive<Three, ScatterParams>;

const scatterPrimitive = (
  name: string,
  combine: Combine,
  self: () => ScatterPrimitive,
  derivatives: Derivatives,
): ScatterPrimitive =>
  definePrimitive<Three, ScatterParams>({
    name,
    kind: "indexing",
    infer: ([x, indices, updates], { dimensionNumbers }) => [
      checkScatter(name, combine, x, indices, updates, dimensionNumbers),
    ],
    reference: ([x, indices, updates], p) => [scatterHost(x, indices, updates, p, combine)],
    ...derivatives,
    batch: (operands, dims, p, axis) => batchScatter(self(), operands, dims, p, axis),
    lower: ([x, indices, updates], p) =>
      lowerScatter(x, indices, updates, indexDims(p.dimensionNumbers), {
        clamp: p.mode === "clip",
        unique: p.uniqueIndices && p.mode !== "clip",
        combine,
      }),
    check: ([x, indices, updates], p, checker) => {
      const d = p.dimensionNumbers;
      checkBounds(checker, x.shape, indices, d.scatterDimsToOperandDims, scatterWindow(x.ndim, updates.shape, d));
      const outs = [bind1(self(), [x, indices, updates], p)];
      checker.lookForNaN(name, outs);
      return outs;
    },
    printParams: (p) => ({
      dimension_numbers: p.dimensionNumbers,
      indices_are_sorted: p.indicesAreSorted,
      mode: p.mode,
      unique_indices: p.uniqueIndices,
    }),
  });

export const scatterP: ScatterPrimitive = /* @__PURE__ */ scatterPrimitive("scatter", "set", () => scatterP, {
  jvp: (x, t, p) => jvpSet(x, t, p),
  transpose: (ct, x, p) => transposeSet(ct, x, p),
});
export const scatterAddP: ScatterPrimitive = /* @__PURE__ */ scatterPrimitive("scatter_add", "add", () => scatterAddP, {
  jvp: (x, t, p) => jvpAdd(x, t, p),
  transpose: (ct, x, p) => transposeAdd(ct, x, p),
});
export const scatterMulP: ScatterPrimitive = /* @__PURE__ */ scatterPrimitive("scatter_mul", "mul", () => scatterMulP, {
  jvp: (x, t, p) => jvpMul(x, t, p),
  transpose: (ct, x, p) => transposeMul(ct, x, p),
});
export const scatterMinP: ScatterPrimitive = /* @__PURE__ */ scatterPrimitive("scatter_min", "min", () => scatterMinP, {
  jvp: (x, t, p) => jvpExtremum(scatterMinP, x, t, p),
  transpose: "nonlinear",
});
export const scatterMaxP: ScatterPrimitive = /* @__PURE__ */ scatterPrimitive("scatter_max", "max", () => scatterMaxP, {
  jvp: (x, t, p) => jvpExtremum(scatterMaxP, x, t, p),
  transpose: "nonlinear",
});

function checkScatter(
  name: string,
  combine: Combine,
  x: Aval,
  indices: Aval,
  updates: Aval,
  numbers: Required<ScatterDimensionNumbers>,
): Aval {
  if (x.dtype !== updates.dtype)
    throw new DTypeError("ScatterDTypes", {
      what: `${name}: the operand is ${x.dtype} but the updates are ${updates.dtype}`,
      why: "updates are stored in the operand, whose dtype does not change",
      fix: `convert them with updates.astype("${x.dtype}")`,
    });
  if (isKey(x.dtype) && combine !== "set")
    throw new DTypeError("KeyArithmetic", {
      what: `${name}: PRNG keys have no arithmetic`,
      why: "keys are opaque",
      fix: "use scatter to replace keys",
    });
  const dims = indexDims(numbers);
  const window = windowOf(x.ndim, updates.shape, dims);
  checkIndexing(name, x, indices, dims, window, updates.ndim);
  const shape = batchedShape(indices.shape, dims, window);
  if (!shapesEqual(shape, updates.shape))
    throw new ShapeError("ScatterUpdates", {
      what: `${name}: updates of shape ${shapeText(updates.shape)} for indices of shape ${shapeText(indices.shape)}; expected ${shapeText(shape)}`,
      why: "the updates have a window for every index vector",
      fix: "broadcast the updates to the expected shape",
    });
  return x;
}

/** Mapped indices: operand and updates get a batching axis. Otherwise the mapped axis joins the window. */
function batchScatter(
  prim: ScatterPrimitive,
  operands: readonly NDArray[],
  dims: readonly (number | null)[],
  p: ScatterParams,
  { size }: BatchAxis,
): Batched {
  const [x, indices, updates] = operands as readonly [NDArray, NDArray, NDArray];
  const [dx, di, du] = dims as readonly [number | null, number | null, number | null];
  const next = (axes: readonly number[]): number[] => axes.map((a) => a + 1);
  const d = p.dimensionNumbers;
  const mapped = di !== null;
  const dimensionNumbers: Required<ScatterDimensionNumbers> = {
    updateWindowDims: mapped ? next(d.updateWindowDims) : [0, ...next(d.updateWindowDims)],
    insertedWindowDims: next(d.insertedWindowDims),
    scatterDimsToOperandDims: next(d.scatterDimsToOperandDims),
    operandBatchingDims: mapped ? [0, ...next(d.operandBatchingDims)] : next(d.operandBatchingDims),
    scatterIndicesBatchingDims: mapped ? [0, ...next(d.scatterIndicesBatchingDims)] : d.scatterIndicesBatchingDims,
  };
  const args = [
    batchToFront(x, dx, size),
    mapped ? moveAxis(indices, di, 0) : indices,
    batchToFront(updates, du, size),
  ];
  return { outs: [bind1(prim, args, { ...p, dimensionNumbers })], dims: [0] };
}

// ---------------------------------------------------------------- reference

function scatterHost(
  x: HostArray,
  indices: HostArray,
  updates: HostArray,
  p: ScatterParams,
  combine: Combine,
): HostArray {
  const dims = indexDims(p.dimensionNumbers);
  const window = windowOf(x.shape.length, updates.shape, dims);
  const plan = planIndexing(x.shape, indices, updates.shape, dims, window, p.mode === "clip");
  const lanes = lanesOf(x.dtype);
  // Sums and products of floats are kept in float64 and rounded once.
  const wide = (combine === "add" || combine === "mul") && (isFloat(x.dtype) || isComplex(x.dtype));
  const to: TypedArray = wide ? Float64Array.from(x.data) : x.data.slice();
  const write = writer(combine, x.dtype);
  const run = plan.run * lanes;
  for (let v = 0; v < plan.operandBases.length; v++) {
    const [at, base] = [plan.operandBases[v]!, plan.batchedBases[v]!];
    if (at < 0) continue;
    for (let w = 0; w < plan.operandOffsets.length; w++)
      write(to, (at + plan.operandOffsets[w]!) * lanes, updates.data, (base + plan.batchedOffsets[w]!) * lanes, run);
  }
  const data = wide ? convertData(to, x.data) : to;
  return roundInPlace({ shape: x.shape, dtype: x.dtype, data });
}

/** Copies numbers into a new array of the kind of `like`. */
function convertData(from: TypedArray, like: TypedArray): TypedArray {
  const out = like.slice();
  out.set(from);
  return out;
}

type Write = (to: TypedArray, t: number, from: TypedArray, f: number, run: number) => void;

/** The loop that combines a run of updates with what is there. */
function writer(combine: Combine, dtype: DType): Write {
  if (combine === "set")
    return (to, t, from, f, run) => (run > 16 ? to.set(from.subarray(f, f + run), t) : copy(to, t, from, f, run));
  if (isComplex(dtype) && combine !== "add") return combine === "mul" ? complexMul : lexicographic(combine);
  if (dtype === "bool") return each(combine === "add" || combine === "max" ? (a, b) => a | b : (a, b) => a & b);
  if (combine === "add") return each((a, b) => a + b);
  if (combine === "mul") return each(isInteger(dtype) ? Math.imul : (a, b) => a * b);
  return each(combine === "min" ? Math.min : Math.max);
}

const copy: Write = (to, t, from, f, run) => {
  for (let j = 0; j < run; j++) to[t + j] = from[f + j]!;
};

const each =
  (op: (a: number, b: number) => number): Write =>
  (to, t, from, f, run) => {
    for (let j = 0; j < run; j++) to[t + j] = op(to[t + j]!, from[f + j]!);
  };

const complexMul: Write = (to, t, from, f, run) => {
  for (let j = 0; j < run; j += 2) {
    const [a, b, c, d] = [to[t + j]!, to[t + j + 1]!, from[f + j]!, from[f + j + 1]!];
    to[t + j] = a * c - b * d;
    to[t + j + 1] = a * d + b * c;
  }
};

/** Complex extrema compare real parts, then imaginary parts. */
const lexicographic =
  (combine: "min" | "max"): Write =>
  (to, t, from, f, run) => {
    const sign = combine === "max" ? 1 : -1;
    for (let j = 0; j < run; j += 2) {
      const [re, im] = [sign * (from[f + j]! - to[t + j]!), sign * (from[f + j + 1]! - to[t + j + 1]!)];
      if (re > 0 || (re === 0 && im > 0) || Number.isNaN(from[f + j]! + from[f + j + 1]!))
        copy(to, t + j, from, f + j, 2);
    }
  };

// ---------------------------------------------------------------- functions

export interface ScatterOptions {
  readonly indicesAreSorted?: boolean | undefined;
  readonly uniqueIndices?: boolean | undefined;
  readonly mode?: GatherScatterModeName | "drop" | null | undefined;
}

/** `scatterAdd` of arrays, for rules. */
export const scatterAddArray = (x: NDArray, indices: NDArray, updates: NDArray, p: ScatterParams): NDArray =>
  bind1(scatterAddP, [x, indices, updates], p);

function apply(
  name: string,
  prim: ScatterPrimitive,
  operand: ArrayLike,
  indices: ArrayLike,
  updates: ArrayLike,
  numbers: ScatterDimensionNumbers,
  options: ScatterOptions,
): NDArray {
  const given = readOptions<ScatterOptions>(name, ["indicesAreSorted", "uniqueIndices", "mode"], 0, [options]);
  const [x, u] = promoteOperands(name, [operand, updates]) as [NDArray, NDArray];
  const present = Object.fromEntries(
    Object.entries(numbers).filter(([, v]) => v !== undefined),
  ) as unknown as ScatterDimensionNumbers;
  return bind1(prim, [x, asIndex(indices, name), u], {
    dimensionNumbers: { operandBatchingDims: [], scatterIndicesBatchingDims: [], ...present },
    mode: parseMode(name, given.mode, "fill"),
    uniqueIndices: given.uniqueIndices ?? false,
    indicesAreSorted: given.indicesAreSorted ?? false,
  });
}

/**
 * Replaces windows of `operand` by `updates`; of several updates to one place the last wins.
 *
 * @example
 * // rows 2 and 0 of a matrix
 * const rows = np.array([[5, 6], [1, 2]]);
 * lax.scatter(np.zeros([3, 2]), [[2], [0]], rows, { updateWindowDims: [1], insertedWindowDims: [0], scatterDimsToOperandDims: [0] }) // [[1, 2], [0, 0], [5, 6]]
 */
export const scatter = /* @__PURE__ */ unit(
  "scatter",
  3,
  (
    operand: ArrayLike,
    scatterIndices: ArrayLike,
    updates: ArrayLike,
    dimensionNumbers: ScatterDimensionNumbers,
    options: ScatterOptions = {},
  ): NDArray => apply("scatter", scatterP, operand, scatterIndices, updates, dimensionNumbers, options),
);

/** Adds updates to windows of `operand`. */
export const scatterAdd = /* @__PURE__ */ unit(
  "scatterAdd",
  3,
  (
    operand: ArrayLike,
    scatterIndices: ArrayLike,
    updates: ArrayLike,
    dimensionNumbers: ScatterDimensionNumbers,
    options: ScatterOptions = {},
  ): NDArray => apply("scatterAdd", scatterAddP, operand, scatterIndices, updates, dimensionNumbers, options),
);

/** Subtracts updates from windows of `operand`. */
export const scatterSub = /* @__PURE__ */ unit(
  "scatterSub",
  3,
  (
    operand: ArrayLike,
    scatterIndices: ArrayLike,
    updates: ArrayLike,
    dimensionNumbers: ScatterDimensionNumbers,
    options: ScatterOptions = {},
  ): NDArray => {
    const [x, u] = promoteOperands("scatterSub", [operand, updates]) as [NDArray, NDArray];
    return apply("scatterSub", scatterAddP, x, scatterIndices, neg(u), dimensionNumbers, options);
  },
);

/** Multiplies windows of `operand` by updates. */
export const scatterMul = /* @__PURE__ */ unit(
  "scatterMul",
  3,
  (
    operand: ArrayLike,
    scatterIndices: ArrayLike,
    updates: ArrayLike,
    dimensionNumbers: ScatterDimensionNumbers,
    options: ScatterOptions = {},
  ): NDArray => apply("scatterMul", scatterMulP, operand, scatterIndices, updates, dimensionNumbers, options),
);

/** Takes the smaller of what is there and the updates. */
export const scatterMin = /* @__PURE__ */ unit(
  "scatterMin",
  3,
  (
    operand: ArrayLike,
    scatterIndices: ArrayLike,
    updates: ArrayLike,
    dimensionNumbers: ScatterDimensionNumbers,
    options: ScatterOptions = {},
  ): NDArray => apply("scatterMin", scatterMinP, operand, scatterIndices, updates, dimensionNumbers, options),
);

/** Takes the larger of what is there and the updates. */
export const scatterMax = /* @__PURE__ */ unit(
  "scatterMax",
  3,
  (
    operand: ArrayLike,
    scatterIndices: ArrayLike,
    updates: ArrayLike,
    dimensionNumbers: ScatterDimensionNumbers,
    options: ScatterOptions = {},
  ): NDArray => apply("scatterMax", scatterMaxP, operand, scatterIndices, updates, dimensionNumbers, options),
);

export const primitives: readonly AnyPrimitive[] = [scatterP, scatterAddP, scatterMulP, scatterMinP, scatterMaxP];
