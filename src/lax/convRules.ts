/**
 * Transposes and batching of convolution. Ignoring space, with m batch, j input and k output features, a convolution
 * contracts [m, j]·[j, k] → [m, k]; the cotangents are [m, k]·[k, j] and [j, m]·[m, k]. Groups turn the first into a
 * convolution with the groups moved between the kernel's features, the second into one with batch groups (and back).
 */
import { Aval } from "../core/aval.ts";
import type { NDArray } from "../core/ndarray.ts";
import { type BatchAxis, type Batched, type Tangent, Zero } from "../core/primitive.ts";
import { dropAxes } from "../core/shape.ts";
import { convert, full, moveAxis } from "../core/structural.ts";
import { bind1 } from "../core/trace.ts";
import { type ConvParams, convGeneralDilatedP, convShape } from "./conv.ts";
import { inOrder, vjpLhsPadding, vjpRhsPadding } from "./convDimensions.ts";
import { rev } from "./movement.ts";
import { mergeAxis, splitAxis } from "./rearrange.ts";

/** A spec with its two features (or batch and feature) exchanged. */
const exchanged = ([a, b, ...spatial]: readonly number[]): number[] => [b!, a!, ...spatial];

/** Spatial lengths of operand, kernel and result's cotangent. */
const spatialLengths = (
  x: Aval,
  w: Aval,
  ct: NDArray,
  { dimensionNumbers: d }: ConvParams,
): [number[], number[], number[]] => [
  inOrder(x.shape, d.lhsSpec).slice(2),
  inOrder(w.shape, d.rhsSpec).slice(2),
  inOrder(ct.shape, d.outSpec).slice(2),
];

/** The operand's cotangent: ct with the reversed kernel, strides and operand dilation exchanged. */
export function transposeLhs(ct: NDArray, x: Aval, w: NDArray, p: ConvParams): NDArray {
  const { lhsSpec, rhsSpec, outSpec } = p.dimensionNumbers;
  const groups = p.featureGroupCount * p.batchGroupCount;
  const grouped = groups > 1 ? mergeAxis(splitAxis(w, rhsSpec[0]!, groups), rhsSpec[0]!, rhsSpec[1]!) : w;
  const [n, k, out] = spatialLengths(x, w.aval, ct, p);
  const kernel = convert(rev(grouped, rhsSpec.slice(2)), ct.dtype);
  const y = bind1(convGeneralDilatedP, [ct, kernel], {
    ...p,
    windowStrides: p.lhsDilation,
    lhsDilation: p.windowStrides,
    padding: vjpLhsPadding(n, k, p.windowStrides, out, p.padding, p.lhsDilation, p.rhsDilation),
    dimensionNumbers: { lhsSpec: outSpec, rhsSpec: exchanged(rhsSpec), outSpec: lhsSpec },
    featureGroupCount: groups,
    batchGroupCount: 1,
  });
  const z =
    p.batchGroupCount > 1 ? mergeAxis(splitAxis(y, lhsSpec[1]!, p.batchGroupCount), lhsSpec[1]!, lhsSpec[0]!) : y;
  return convert(z, x.dtype, x.weakType);
}

/** The kernel's cotangent: the operand with ct as kernel, batch and features exchanged. */
export function transposeRhs(ct: NDArray, x: NDArray, w: Aval, p: ConvParams): Tangent {
  if (ct.size === 0) return new Zero(w);
  const { lhsSpec, rhsSpec, outSpec } = p.dimensionNumbers;
  const [n, k, out] = spatialLengths(x.aval, w, ct, p);
  const y = bind1(convGeneralDilatedP, [convert(x, ct.dtype), ct], {
    ...p,
    windowStrides: p.rhsDilation,
    rhsDilation: p.windowStrides,
    padding: vjpRhsPadding(n, k, p.windowStrides, out, p.padding, p.lhsDilation, p.rhsDilation),
    dimensionNumbers: { lhsSpec: exchanged(lhsSpec), rhsSpec: exchanged(outSpec), outSpec: exchanged(rhsSpec) },
    featureGroupCount: p.batchGroupCount,
    batchGroupCount: p.featureGroupCount,
  });
  return convert(y, w.dtype, w.weakType);
}

// ---------------------------------------------------------------- batching

/** A mapped axis becomes part of the batch, of the output features, or, mapped in both operands, of the groups. */
export function batchConv(
  x: NDArray,
  w: NDArray,
  dx: number | null,
  dw: number | null,
  p: ConvParams,
  { size }: BatchAxis,
): Batched {
  const [lhs, rhs] = [dx === null ? x : moveAxis(x, dx, 0), dw === null ? w : moveAxis(w, dw, 0)];
  if (size === 0) return emptyBatch(lhs, rhs, dx !== null, dw !== null, p);
  if (dx !== null && dw !== null) return batchBoth(lhs, rhs, p, size);
  return dx !== null ? batchLhs(lhs, rhs, p, size) : batchRhs(lhs, rhs, p, size);
}

function batchBoth(x: NDArray, w: NDArray, p: ConvParams, size: number): Batched {
  const { lhsSpec, rhsSpec, outSpec } = p.dimensionNumbers;
  const byBatch = p.batchGroupCount > 1;
  const lhs = mergeAxis(x, 0, lhsSpec[byBatch ? 0 : 1]!);
  const out = bind1(convGeneralDilatedP, [lhs, mergeAxis(w, 0, rhsSpec[0]!)], {
    ...p,
    featureGroupCount: byBatch ? 1 : p.featureGroupCount * size,
    batchGroupCount: byBatch ? p.batchGroupCount * size : 1,
  });
  return { outs: [splitAxis(out, outSpec[1]!, size)], dims: [outSpec[1]!] };
}

function batchLhs(x: NDArray, w: NDArray, p: ConvParams, size: number): Batched {
  const { lhsSpec, outSpec } = p.dimensionNumbers;
  const lhs = p.batchGroupCount > 1 ? mergedInside(x, lhsSpec[0]!, p.batchGroupCount) : mergeAxis(x, 0, lhsSpec[0]!);
  const out = bind1(convGeneralDilatedP, [lhs, w], p);
  return { outs: [splitAxis(out, outSpec[0]!, size)], dims: [outSpec[0]!] };
}

function batchRhs(x: NDArray, w: NDArray, p: ConvParams, size: number): Batched {
  const { rhsSpec, outSpec } = p.dimensionNumbers;
  const feature = outSpec[1]!;
  const groups = p.featureGroupCount * p.batchGroupCount;
  if (groups === 1) {
    const out = bind1(convGeneralDilatedP, [x, mergeAxis(w, 0, rhsSpec[0]!)], p);
    return { outs: [splitAxis(out, feature, size)], dims: [feature] };
  }
  const out = bind1(convGeneralDilatedP, [x, mergedInside(w, rhsSpec[0]!, groups)], p);
  // Output features are (group, mapped axis, rest): the mapped axis comes out between the other two.
  const parts = splitAxis(splitAxis(out, feature, groups), feature + 1, size);
  return { outs: [mergeAxis(parts, feature, feature + 1)], dims: [feature] };
}

/** Merges axis 0 into axis `axis` (counted without it) inside of the groups, which stay outermost. */
function mergedInside(x: NDArray, axis: number, groups: number): NDArray {
  const split = splitAxis(x, axis + 1, groups);
  return mergeAxis(mergeAxis(split, 0, axis + 1), axis, axis);
}

/** A mapped axis of length 0 fits into no other: the result is empty whatever the operands. */
function emptyBatch(x: NDArray, w: NDArray, mappedX: boolean, mappedW: boolean, p: ConvParams): Batched {
  const one = (y: NDArray, mapped: boolean): Aval => (mapped ? new Aval(dropAxes(y.shape, [0]), y.dtype) : y.aval);
  const shape = convShape(one(x, mappedX), one(w, mappedW), p);
  return { outs: [full([0, ...shape], 0, p.preferredElementType ?? x.dtype)], dims: [0] };
}
