/**
 * What gather and scatter share. Both pair windows of an operand with places in a batched array (gather's result,
 * scatter's updates): every index vector names the corner of a window in the operand. Terms are XLA's; the fields of
 * `IndexDims` have one name each in `GatherDimensionNumbers` and `ScatterDimensionNumbers`.
 */
import type { Aval } from "../core/aval.ts";
import { isInteger } from "../core/dtype.ts";
import type { TypedArray } from "../core/hostArray.ts";
import { DTypeError, ShapeError } from "../core/problem.ts";
import { type Shape, range, shapeText, sizeOf, stridesOf } from "../core/shape.ts";

/** What happens to windows that are not wholly inside the operand. `fill` also means: drop, when writing. */
export type GatherScatterModeName = "promise_in_bounds" | "clip" | "fill";

export interface IndexDims {
  /** Axes of the batched array that run over the window. */
  readonly windowDims: readonly number[];
  /** Operand axes of window length 1 that the batched array does not have. */
  readonly collapsedDims: readonly number[];
  /** The operand axis that each entry of an index vector positions. */
  readonly indexMap: readonly number[];
  /** Operand axes that run together with axes of the indices, paired in order. */
  readonly operandBatchingDims: readonly number[];
  readonly indicesBatchingDims: readonly number[];
}

/** Reads a mode as users write it. */
export function parseMode(name: string, mode: unknown, otherwise: GatherScatterModeName): GatherScatterModeName {
  if (mode === null || mode === undefined) return otherwise;
  if (mode === "fill" || mode === "drop") return "fill";
  if (mode === "clip" || mode === "promise_in_bounds") return mode;
  throw new ShapeError("UnknownIndexMode", {
    what: `${name}: unknown mode ${JSON.stringify(mode)}`,
    why: "the mode says what happens to indices out of bounds",
    fix: 'use one of "promise_in_bounds", "clip", "fill" (reading) or "drop" (writing)',
  });
}

/** Checks dimension numbers against shapes; `window` are the window lengths, one per operand axis. */
export function checkIndexing(
  name: string,
  operand: Aval,
  indices: Aval,
  dims: IndexDims,
  window: Shape,
  batchedRank: number,
): void {
  if (!isInteger(indices.dtype))
    throw new DTypeError("IndexDType", {
      what: `${name}: indices are ${indices.dtype}`,
      why: "positions are integers",
      fix: 'convert them with .astype("int32")',
    });
  const fault = indexFault(operand.shape, indices.shape, dims, window, batchedRank);
  if (fault)
    throw new ShapeError("IndexDimensionNumbers", {
      what: `${name}: ${fault} (operand ${shapeText(operand.shape)}, indices ${shapeText(indices.shape)}, window ${shapeText(window)})`,
      why: "every operand axis is a window axis, a collapsed axis or a batching axis; the last axis of the indices holds index vectors",
      fix: "check the dimension numbers; for NumPy-style indexing use x.slice(…) and x.at(…)",
    });
}

const distinctWithin = (list: readonly number[], n: number): boolean =>
  new Set(list).size === list.length && list.every((d) => Number.isInteger(d) && d >= 0 && d < n);
const increasing = (list: readonly number[]): boolean => list.every((d, i) => i === 0 || d > list[i - 1]!);

/** What is wrong with dimension numbers, or null. */
function indexFault(
  operand: Shape,
  indices: Shape,
  dims: IndexDims,
  window: Shape,
  batchedRank: number,
): string | null {
  const { windowDims, collapsedDims, indexMap, operandBatchingDims: ob, indicesBatchingDims: ib } = dims;
  const n = operand.length;
  if (indices.length === 0) return "indices need an axis for index vectors";
  if (!distinctWithin(windowDims, batchedRank) || !increasing(windowDims))
    return `window axes [${windowDims.join(", ")}] are not increasing axes of an array of rank ${batchedRank}`;
  if (!distinctWithin([...collapsedDims, ...ob], n) || !increasing(collapsedDims) || !increasing(ob))
    return `collapsed axes [${collapsedDims.join(", ")}] and batching axes [${ob.join(", ")}] are not distinct increasing operand axes`;
  if (!distinctWithin([...indexMap, ...ob], n))
    return `indexed axes [${indexMap.join(", ")}] are not distinct operand axes apart from the batching axes`;
  if (indexMap.length !== indices.at(-1))
    return `index vectors have ${indices.at(-1)!} entries for ${indexMap.length} indexed axes`;
  if (!distinctWithin(ib, indices.length - 1) || ib.length !== ob.length)
    return `batching axes [${ob.join(", ")}] and [${ib.join(", ")}] do not pair up`;
  if (ob.some((d, i) => operand[d] !== indices[ib[i]!])) return "paired batching axes have different lengths";
  if (window.length !== n || windowDims.length + collapsedDims.length + ob.length !== n)
    return `${windowDims.length} window, ${collapsedDims.length} collapsed and ${ob.length} batching axes do not cover ${n} operand axes`;
  if (window.some((w, i) => w < 0 || w > operand[i]!) && sizeOf(indices) > 0)
    return "the window is larger than the operand";
  if (collapsedDims.some((d) => window[d] !== 1) || ob.some((d) => window[d]! > 1))
    return "collapsed and batching axes need window length 1";
  return null;
}

/** The operand axes that the window axes of the batched array stand for, in order. */
export const windowAxes = (rank: number, dims: IndexDims): number[] =>
  range(rank).filter((i) => !dims.collapsedDims.includes(i) && !dims.operandBatchingDims.includes(i));

/** The shape of the batched array: window lengths at `windowDims`, the indices' shape elsewhere. */
export function batchedShape(indices: Shape, dims: IndexDims, window: Shape): number[] {
  const lengths = windowAxes(window.length, dims).map((a) => window[a]!);
  const rank = dims.windowDims.length + indices.length - 1;
  let next = 0;
  return range(rank).map((i) => {
    const w = dims.windowDims.indexOf(i);
    return w >= 0 ? lengths[w]! : indices[next++]!;
  });
}

/** Window lengths per operand axis, from the shape of the batched array. */
export function windowOf(rank: number, batched: Shape, dims: IndexDims): number[] {
  const axes = windowAxes(rank, dims);
  return range(rank).map((a) => {
    const w = axes.indexOf(a);
    return w < 0 ? 1 : (batched[dims.windowDims[w]!] ?? 0);
  });
}

/** Where each index vector's window lies. Offsets count elements. */
export interface IndexPlan {
  /** Per index vector: offset of its window's corner in the operand, or -1 when it is out of bounds and not clamped. */
  readonly operandBases: Int32Array;
  /** Per index vector: offset of its window's corner in the batched array. */
  readonly batchedBases: Int32Array;
  /** Per run of a window: offsets from the corners. */
  readonly operandOffsets: Int32Array;
  readonly batchedOffsets: Int32Array;
  /** Elements that lie together in both arrays. */
  readonly run: number;
}

/** Computes where windows lie. `clamp` moves windows inside; otherwise those partly outside get the base -1. */
export function planIndexing(
  operand: Shape,
  indices: { readonly shape: Shape; readonly data: TypedArray },
  batched: Shape,
  dims: IndexDims,
  window: Shape,
  clamp: boolean,
): IndexPlan {
  const [own, to] = [stridesOf(operand), stridesOf(batched)];
  const axes = windowAxes(operand.length, dims);
  const lengths = axes.map((a) => window[a]!);
  const operandStrides = axes.map((a) => own[a]!);
  const batchedStrides = dims.windowDims.map((d) => to[d]!);
  // Trailing axes along which both arrays are contiguous make up a run.
  let run = 1;
  let outer = axes.length;
  while (
    outer > 0 &&
    (lengths[outer - 1] === 1 || (operandStrides[outer - 1] === run && batchedStrides[outer - 1] === run))
  )
    run *= lengths[--outer]!;
  const outerLengths = lengths.slice(0, outer);
  return {
    ...bases(own, to, operand, indices, dims, window, clamp),
    operandOffsets: offsets(outerLengths, operandStrides),
    batchedOffsets: offsets(outerLengths, batchedStrides),
    run,
  };
}

/** Offsets of all positions of a box, in row-major order. */
function offsets(lengths: readonly number[], strides: readonly number[]): Int32Array {
  const out = new Int32Array(sizeOf(lengths));
  if (out.length === 0) return out;
  // Doubling by axes from the last: the positions so far, repeated at each step of the next axis.
  let count = 1;
  for (let a = lengths.length - 1; a >= 0; a--) {
    for (let i = 1; i < lengths[a]!; i++)
      for (let j = 0; j < count; j++) out[i * count + j] = out[j]! + i * strides[a]!;
    count *= lengths[a]!;
  }
  return out;
}

function bases(
  own: readonly number[],
  to: readonly number[],
  operand: Shape,
  indices: { readonly shape: Shape; readonly data: TypedArray },
  dims: IndexDims,
  window: Shape,
  clamp: boolean,
): Pick<IndexPlan, "operandBases" | "batchedBases"> {
  const vectors = indices.shape.slice(0, -1);
  const width = dims.indexMap.length;
  const scatterAxes = range(to.length).filter((d) => !dims.windowDims.includes(d));
  const batchedBases = offsets(
    vectors,
    scatterAxes.map((d) => to[d]!),
  );
  // Batching axes step through the operand as the index vectors step through theirs.
  const steps = vectors.map((_, axis) => {
    const i = dims.indicesBatchingDims.indexOf(axis);
    return i < 0 ? 0 : own[dims.operandBatchingDims[i]!]!;
  });
  const operandBases = offsets(vectors, steps);
  const limits = dims.indexMap.map((a) => operand[a]! - window[a]!);
  const strides = dims.indexMap.map((a) => own[a]!);
  const { data } = indices;
  for (let v = 0; v < operandBases.length; v++) {
    let base = operandBases[v]!;
    for (let k = 0; k < width; k++) {
      const raw = data[v * width + k]!;
      const limit = limits[k]!;
      if (!clamp && (raw < 0 || raw > limit)) {
        base = -1;
        break;
      }
      base += (raw < 0 ? 0 : raw > limit ? limit : raw) * strides[k]!;
    }
    operandBases[v] = base;
  }
  return { operandBases, batchedBases };
}
