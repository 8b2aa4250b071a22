/**
 * Convolution on host arrays: patches of the operand as columns of a matrix (im2col), one matrix product per image and
 * group. Which operand element lies at which place of the patches is the same for all images, so it is worked out once.
 */
import type { Aval } from "../core/aval.ts";
import { isComplex, isInexact } from "../core/dtype.ts";
import { type HostArray, allocate, lanesOf, roundInPlace } from "../core/hostArray.ts";
import { range, sizeOf, stridesOf } from "../core/shape.ts";
import { strided } from "../core/structural.ts";
import type { ConvParams } from "./conv.ts";
import { inOrder } from "./convDimensions.ts";
import { integerMatmul, matmul, packRows, paddedLength } from "./matmul.ts";
import { type AxisWindow, type Meetings, meetings } from "./windowGeometry.ts";

export function convHost(lhs: HostArray, rhs: HostArray, p: ConvParams, out: Aval): HostArray {
  const { lhsSpec, rhsSpec, outSpec } = p.dimensionNumbers;
  const [x, w] = [reordered(lhs, lhsSpec), reordered(rhs, rhsSpec)];
  const shape = inOrder(out.shape, outSpec);
  const result: HostArray = { shape, dtype: out.dtype, data: allocate(out.dtype, sizeOf(shape)) };
  if (result.data.length > 0) {
    const g = geometry(x, w, p, shape);
    if (isComplex(out.dtype)) complexConv(x, w, result, g);
    else if (isInexact(out.dtype)) convolve(x, w, result.data, g, floats, 0, 0);
    else convolve(x, w, result.data, g, integers, 0, 0);
  }
  // Back from (batch, feature, spatial…) to the result's own order of axes.
  const from = stridesOf(shape);
  const back = outSpec.map((_, axis) => outSpec.indexOf(axis));
  const same = back.every((b, i) => b === i);
  return roundInPlace(
    same
      ? result
      : strided(
          result,
          out.shape,
          back.map((b) => from[b]!),
        ),
  );
}

const reordered = (x: HostArray, spec: readonly number[]): HostArray => {
  if (spec.every((a, i) => a === i)) return x;
  const own = stridesOf(x.shape);
  return strided(
    x,
    inOrder(x.shape, spec),
    spec.map((a) => own[a]!),
  );
};

interface Geometry {
  readonly images: number;
  readonly features: number;
  readonly groups: number;
  /** Groups are batch groups: group g reads its own images instead of its own features. */
  readonly byBatch: boolean;
  /** Features of one group's kernel, in and out. */
  readonly inFeatures: number;
  readonly outFeatures: number;
  readonly operandFeatures: number;
  readonly operandSize: number;
  readonly window: number;
  readonly places: number;
  readonly meetings: Meetings;
}

function geometry(x: HostArray, w: HostArray, p: ConvParams, out: readonly number[]): Geometry {
  const axes = range(out.length - 2).map((i): AxisWindow => ({
    length: x.shape[i + 2]!,
    baseDilation: p.lhsDilation[i]!,
    low: p.padding[i]![0],
    window: w.shape[i + 2]!,
    windowDilation: p.rhsDilation[i]!,
    stride: p.windowStrides[i]!,
    places: out[i + 2]!,
  }));
  const groups = p.featureGroupCount * p.batchGroupCount;
  return {
    images: out[0]!,
    features: out[1]!,
    groups,
    byBatch: p.batchGroupCount > 1,
    inFeatures: w.shape[1]!,
    outFeatures: w.shape[0]! / groups,
    operandFeatures: x.shape[1]!,
    operandSize: sizeOf(x.shape.slice(2)),
    window: sizeOf(w.shape.slice(2)),
    places: sizeOf(out.slice(2)),
    meetings: meetings(axes),
  };
}

/** Packed numbers and their matrix product. */
interface Engine<T extends Float64Array | Int32Array> {
  readonly paddedLength: (k: number) => number;
  readonly pack: (x: HostArray, rows: number, length: number, stride: number, lane: number) => T;
  readonly zeros: (n: number) => T;
  readonly matmul: (
    a: T,
    a0: number,
    b: T,
    b0: number,
    c: { [i: number]: number },
    c0: number,
    m: number,
    k: number,
    n: number,
  ) => void;
}
const floats: Engine<Float64Array> = {
  paddedLength,
  pack: (x, rows, length, stride, lane) => packRows(x.data, rows, length, stride, lanesOf(x.dtype), lane),
  zeros: (n) => new Float64Array(n),
  matmul,
};
const integers: Engine<Int32Array> = {
  paddedLength: (k) => k,
  pack: (x) => Int32Array.from(x.data),
  zeros: (n) => new Int32Array(n),
  matmul: integerMatmul,
};

function convolve<T extends Float64Array | Int32Array>(
  x: HostArray,
  w: HostArray,
  to: { [i: number]: number },
  g: Geometry,
  engine: Engine<T>,
  xLane: number,
  wLane: number,
): void {
  const k = g.inFeatures * g.window;
  const kp = engine.paddedLength(k);
  const kernel = engine.pack(w, g.features, k, kp, wLane);
  // Padding is zero in all images, so the places it takes in the patches are never written.
  const patches = engine.zeros(kp * g.places);
  for (let image = 0; image < g.images; image++)
    for (let group = 0; group < g.groups; group++) {
      const n = g.byBatch ? group * g.images + image : image;
      const first = n * g.operandFeatures + (g.byBatch ? 0 : group * g.inFeatures);
      fillPatches(patches, x, first, xLane, g);
      const row = group * g.outFeatures;
      engine.matmul(
        kernel,
        row * kp,
        patches,
        0,
        to,
        (image * g.features + row) * g.places,
        g.outFeatures,
        k,
        g.places,
      );
    }
}

/** Patches of the features from `first` on: row (feature, window position), column place. */
function fillPatches(patches: { [i: number]: number }, x: HostArray, first: number, lane: number, g: Geometry): void {
  const { window, place, operand } = g.meetings;
  const lanes = lanesOf(x.dtype);
  const { data } = x;
  for (let f = 0; f < g.inFeatures; f++) {
    const base = (first + f) * g.operandSize;
    const row = f * g.window * g.places;
    for (let t = 0; t < window.length; t++)
      patches[row + window[t]! * g.places + place[t]!] = data[(base + operand[t]!) * lanes + lane]!;
  }
}

function complexConv(x: HostArray, w: HostArray, out: HostArray, g: Geometry): void {
  const count = out.data.length / 2;
  const product = new Float64Array(count);
  const sums = new Float64Array(2 * count);
  for (let i = 0; i < lanesOf(x.dtype); i++)
    for (let j = 0; j < lanesOf(w.dtype); j++) {
      convolve(x, w, product, g, floats, i, j);
      const sign = i + j === 2 ? -1 : 1;
      for (let t = 0, o = (i + j) % 2; t < count; t++, o += 2) sums[o] = sums[o]! + sign * product[t]!;
    }
  out.data.set(sums);
}
