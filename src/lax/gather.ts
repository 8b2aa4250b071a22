/**
 * Gather: reads windows of an operand at positions given by an array of index vectors. Linear in the operand; its
 * transpose is scatterAdd. Indices out of bounds are clamped, or the whole window is filled, as the mode says.
 */
import type { ArrayLike } from "../core/arrayMethods.ts";
import type { Aval } from "../core/aval.ts";
import { type DType, isBool, isInexact, isKey } from "../core/dtype.ts";
import { type HostArray, allocateLike, lanesOf } from "../core/hostArray.ts";
import type { NDArray } from "../core/ndarray.ts";
import { asArray, asIndex } from "../core/operands.ts";
import {
  type AnyPrimitive,
  type Batched,
  type Primitive,
  type Tangent,
  type Two,
  Zero,
  definePrimitive,
  isLinear,
} from "../core/primitive.ts";
import { type Shape, parseShape } from "../core/shape.ts";
import { full, moveAxis } from "../core/structural.ts";
import { bind1 } from "../core/trace.ts";
import { readOptions } from "./arguments.ts";
import { checkBounds } from "./indexChecks.ts";
import { lowerGather } from "./indexLowering.ts";
import {
  type GatherScatterModeName,
  type IndexDims,
  batchedShape,
  checkIndexing,
  parseMode,
  planIndexing,
} from "./indexPlan.ts";
import { scatterAddArray, scatterDims } from "./scatter.ts";
import { unit } from "../core/unit.ts";

/** How the axes of operand, indices and result relate; XLA's names. */
export interface GatherDimensionNumbers {
  /** Result axes that run over the window, increasing. */
  readonly offsetDims: readonly number[];
  /** Operand axes of window length 1 that the result does not have. */
  readonly collapsedSliceDims: readonly number[];
  /** The operand axis that each entry of an index vector positions. */
  readonly startIndexMap: readonly number[];
  readonly operandBatchingDims?: readonly number[];
  readonly startIndicesBatchingDims?: readonly number[];
}

export interface GatherParams {
  readonly dimensionNumbers: Required<GatherDimensionNumbers>;
  readonly sliceSizes: Shape;
  readonly mode: GatherScatterModeName;
  /** With mode `fill`: what windows out of bounds read. */
  readonly fillValue: number | null;
  readonly uniqueIndices: boolean;
  readonly indicesAreSorted: boolean;
}

const indexDims = (d: Required<GatherDimensionNumbers>): IndexDims => ({
  windowDims: d.offsetDims,
  collapsedDims: d.collapsedSliceDims,
  indexMap: d.startIndexMap,
  operandBatchingDims: d.operandBatchingDims,
  indicesBatchingDims: d.startIndicesBatchingDims,
});

export const gatherP: Primitive<Two, GatherParams> = /* @__PURE__ */ definePrimitive<Two, GatherParams>({
  name: "gather",
  kind: "indexing",
  infer: ([x, indices], { dimensionNumbers, sliceSizes }) => {
    const dims = indexDims(dimensionNumbers);
    checkIndexing("gather", x, indices, dims, sliceSizes, dims.windowDims.length + indices.ndim - 1);
    return [x.withShape(batchedShape(indices.shape, dims, sliceSizes))];
  },
  reference: ([x, indices], p, [out]) => [gatherHost(x, indices, p, out!)],
  jvp: ([x, indices], [dx], p) => {
    const y = bind1(gatherP, [x, indices], p);
    const dy: Tangent =
      dx instanceof Zero
        ? new Zero(y.aval)
        : bind1(gatherP, [dx, indices], p.mode === "fill" ? { ...p, fillValue: 0 } : p);
    return { primals: [y], tangents: [dy] };
  },
  transpose: ([ct], [x, indices], { dimensionNumbers, mode, uniqueIndices, indicesAreSorted }) => {
    if (!isLinear(x)) return [null, null];
    const t = ct as NDArray;
    const zeros = full(x.aval.shape, 0, t.dtype);
    return [
      scatterAddArray(zeros, indices as NDArray, t, {
        dimensionNumbers: scatterDims(dimensionNumbers),
        mode,
        uniqueIndices,
        indicesAreSorted,
      }),
      null,
    ];
  },
  batch: ([x, indices], [dx, di], p) => batchGather(x, indices, dx, di, p),
  lower: ([x, indices], p) =>
    lowerGather(x, indices, indexDims(p.dimensionNumbers), p.sliceSizes, p.mode === "fill" ? (p.fillValue ?? 0) : null),
  check: ([x, indices], p, checker) => {
    checkBounds(checker, x.shape, indices, p.dimensionNumbers.startIndexMap, p.sliceSizes);
    return [bind1(gatherP, [x, indices], p)];
  },
  printParams: (p) => ({
    dimension_numbers: p.dimensionNumbers,
    fill_value: p.fillValue,
    indices_are_sorted: p.indicesAreSorted,
    mode: p.mode,
    slice_sizes: p.sliceSizes,
    unique_indices: p.uniqueIndices,
  }),
});

const next = (axes: readonly number[]): number[] => axes.map((a) => a + 1);

/** A mapped operand alone: its axis joins the window. Mapped indices alone: one more index axis. Both: batching axes. */
function batchGather(x: NDArray, indices: NDArray, dx: number | null, di: number | null, p: GatherParams): Batched {
  const d = p.dimensionNumbers;
  const operand = dx === null ? x : moveAxis(x, dx, 0);
  const starts = di === null ? indices : moveAxis(indices, di, 0);
  const inOperand = dx === null ? (axes: readonly number[]) => axes : next;
  const both = dx !== null && di !== null;
  const dimensionNumbers: Required<GatherDimensionNumbers> = {
    offsetDims: di === null ? [0, ...next(d.offsetDims)] : next(d.offsetDims),
    collapsedSliceDims: inOperand(d.collapsedSliceDims),
    startIndexMap: inOperand(d.startIndexMap),
    operandBatchingDims: both ? [0, ...next(d.operandBatchingDims)] : inOperand(d.operandBatchingDims),
    startIndicesBatchingDims: both
      ? [0, ...next(d.startIndicesBatchingDims)]
      : di !== null
        ? next(d.startIndicesBatchingDims)
        : d.startIndicesBatchingDims,
  };
  const size = operand.shape[0]!;
  const sliceSizes = dx === null ? p.sliceSizes : [both ? Math.min(size, 1) : size, ...p.sliceSizes];
  // The same operand read once per batch element: indices are no longer unique or sorted.
  const repeated = dx === null;
  const params = {
    ...p,
    dimensionNumbers,
    sliceSizes,
    uniqueIndices: p.uniqueIndices && !repeated,
    indicesAreSorted: p.indicesAreSorted && !repeated,
  };
  return { outs: [bind1(gatherP, [operand, starts], params)], dims: [0] };
}

function gatherHost(x: HostArray, indices: HostArray, p: GatherParams, out: Aval): HostArray {
  const r = allocateLike(out);
  const plan = planIndexing(
    x.shape,
    indices,
    out.shape,
    indexDims(p.dimensionNumbers),
    p.sliceSizes,
    p.mode !== "fill",
  );
  const lanes = lanesOf(x.dtype);
  const run = plan.run * lanes;
  const { operandBases, batchedBases, operandOffsets, batchedOffsets } = plan;
  const { data } = x;
  const to = r.data;
  for (let v = 0; v < operandBases.length; v++) {
    const [from, base] = [operandBases[v]!, batchedBases[v]!];
    for (let w = 0; w < operandOffsets.length; w++) {
      const o = (base + batchedOffsets[w]!) * lanes;
      const i = (from + operandOffsets[w]!) * lanes;
      if (from < 0) fillRun(to, o, run, p.fillValue ?? 0, x.dtype);
      else if (run > 16) to.set(data.subarray(i, i + run), o);
      else for (let j = 0; j < run; j++) to[o + j] = data[i + j]!;
    }
  }
  return r;
}

/** Fills a run; a complex number's imaginary part is zero, as a real fill value's is. */
function fillRun(to: HostArray["data"], offset: number, run: number, value: number, dtype: DType): void {
  const step = dtype === "complex64" ? 2 : 1;
  for (let j = 0; j < run; j += step) to[offset + j] = value;
}

/** What JAX reads out of bounds: NaN, the most negative or the largest integer, true. */
function defaultFill(dtype: DType): number {
  if (isInexact(dtype)) return NaN;
  if (isBool(dtype)) return 1;
  if (isKey(dtype)) return 2 ** 32 - 1;
  const bits = Number(dtype.replace(/\D/g, ""));
  return dtype.startsWith("u") ? 2 ** bits - 1 : -(2 ** (bits - 1));
}

export interface GatherOptions {
  readonly uniqueIndices?: boolean | undefined;
  readonly indicesAreSorted?: boolean | undefined;
  readonly mode?: GatherScatterModeName | "drop" | null | undefined;
  readonly fillValue?: number | boolean | null | undefined;
}

/**
 * Reads windows of `operand` at the positions in `startIndices`, whose last axis holds index vectors.
 *
 * @example
 * // rows 2 and 0 of a matrix with 2 columns
 * const x = np.array([[1, 2], [3, 4], [5, 6]]);
 * lax.gather(x, [[2], [0]], { offsetDims: [1], collapsedSliceDims: [0], startIndexMap: [0] }, [1, 2]) // [[5, 6], [1, 2]]
 */
export const gather = /* @__PURE__ */ unit(
  "gather",
  2,
  function gather(
    operand: ArrayLike,
    startIndices: ArrayLike,
    dimensionNumbers: GatherDimensionNumbers,
    sliceSizes: readonly number[],
    options: GatherOptions = {},
  ): NDArray {
    const given = readOptions<GatherOptions>("gather", ["uniqueIndices", "indicesAreSorted", "mode", "fillValue"], 0, [
      options,
    ]);
    const x = asArray(operand, "gather");
    const mode = parseMode("gather", given.mode, "promise_in_bounds");
    const fillValue = mode === "fill" ? Number(given.fillValue ?? defaultFill(x.dtype)) : null;
    return bind1(gatherP, [x, asIndex(startIndices, "gather")], {
      dimensionNumbers: { operandBatchingDims: [], startIndicesBatchingDims: [], ...defined(dimensionNumbers) },
      sliceSizes: parseShape("gather", sliceSizes),
      mode,
      fillValue,
      uniqueIndices: given.uniqueIndices ?? false,
      indicesAreSorted: given.indicesAreSorted ?? false,
    });
  },
);

const defined = (d: GatherDimensionNumbers): GatherDimensionNumbers =>
  Object.fromEntries(Object.entries(d).filter(([, v]) => v !== undefined)) as unknown as GatherDimensionNumbers;

export const primitives: readonly AnyPrimitive[] = [gatherP];
