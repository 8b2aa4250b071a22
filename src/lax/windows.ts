/**
 * Reductions over sliding windows: sum, max and min as primitives, and the two that their derivatives need. With a
 * choice `ge` or `le`, selectAndGatherAdd reads at every place the tangent of the element that wins its window, and
 * selectAndScatterAdd adds at the winner what comes from the place; they are each other's transposes. The first of
 * equal elements wins, and padding never does.
 */
import type { Aval } from "../core/aval.ts";
import { isBool, isComplex, isKey } from "../core/dtype.ts";
import { type HostArray, allocateLike, lanesOf, roundInPlace } from "../core/hostArray.ts";
import type { NDArray } from "../core/ndarray.ts";
import {
  type AnyPrimitive,
  type BatchAxis,
  type Batched,
  type One,
  type Primitive,
  type PrimitiveSlots,
  type Tangent,
  type Two,
  Zero,
  definePrimitive,
  isLinear,
} from "../core/primitive.ts";
import { DTypeError, ShapeError } from "../core/problem.ts";
import { type Shape, shapeText, shapesEqual, sizeOf } from "../core/shape.ts";
import { batchToFront, zerosLike } from "../core/structural.ts";
import { bind1 } from "../core/trace.ts";
import { vjpLhsPadding } from "./convDimensions.ts";
import { type PadAxis, inserted, padArray } from "./movement.ts";
import { highest, lowest } from "./reduceLowering.ts";
import {
  type AxisWindow,
  type Meetings,
  type Pads,
  dilated,
  meetings,
  positionAt,
  strideCount,
} from "./windowGeometry.ts";
import { lowerSelectAndGather, lowerSelectAndScatter, lowerWindow } from "./windowsLowering.ts";

export interface WindowParams {
  readonly windowDimensions: readonly number[];
  readonly windowStrides: readonly number[];
  readonly padding: readonly Pads[];
  /** Gaps between elements of the operand, as factors: 1 is none. */
  readonly baseDilation: readonly number[];
  readonly windowDilation: readonly number[];
}

// ---------------------------------------------------------------- shapes

/** The number of places per axis, after checking the parameters. */
export function windowPlaces(name: string, shape: Shape, p: WindowParams): number[] {
  const { windowDimensions: w, windowStrides: s, padding, baseDilation, windowDilation } = p;
  const lists: readonly (readonly unknown[])[] = [w, s, padding, baseDilation, windowDilation];
  const positive = [w, s, baseDilation, windowDilation].every((l) => l.every((n) => Number.isInteger(n) && n >= 1));
  if (!positive || lists.some((l) => l.length !== shape.length))
    throw new ShapeError("WindowShape", {
      what: `${name}: window [${w.join(", ")}], strides [${s.join(", ")}], padding ${JSON.stringify(padding)}, dilations [${baseDilation.join(", ")}] and [${windowDilation.join(", ")}] for shape ${shapeText(shape)}`,
      why: "each has one entry per axis, batch and feature axes included, and all but padding are at least 1",
      fix: `give ${shape.length} entries, 1 for axes without a window`,
    });
  return shape.map((n, i) =>
    strideCount(
      dilated(n, baseDilation[i]!) + padding[i]![0] + padding[i]![1],
      dilated(w[i]!, windowDilation[i]!),
      s[i]!,
    ),
  );
}

const axisWindows = (shape: Shape, places: readonly number[], p: WindowParams): AxisWindow[] =>
  shape.map((length, i) => ({
    length,
    baseDilation: p.baseDilation[i]!,
    low: p.padding[i]![0],
    window: p.windowDimensions[i]!,
    windowDilation: p.windowDilation[i]!,
    stride: p.windowStrides[i]!,
    places: places[i]!,
  }));

/** Parameters with one more axis that has no window. */
const withAxis = (p: WindowParams, d: number): WindowParams => ({
  windowDimensions: inserted(p.windowDimensions, d, 1),
  windowStrides: inserted(p.windowStrides, d, 1),
  padding: inserted<Pads>(p.padding, d, [0, 0]),
  baseDilation: inserted(p.baseDilation, d, 1),
  windowDilation: inserted(p.windowDilation, d, 1),
});

const printWindow = (p: WindowParams): Readonly<Record<string, unknown>> => ({
  base_dilation: p.baseDilation,
  padding: p.padding,
  window_dilation: p.windowDilation,
  window_dimensions: p.windowDimensions,
  window_strides: p.windowStrides,
});

// ---------------------------------------------------------------- sum, max, min

type Monoid = "sum" | "max" | "min";
export type WindowPrimitive = Primitive<One, WindowParams>;

const windowPrimitive = (
  monoid: Monoid,
  self: () => WindowPrimitive,
  derivatives: Pick<PrimitiveSlots<One, WindowParams>, "jvp" | "transpose">,
): WindowPrimitive =>
  definePrimitive<One, WindowParams>({
    name: `reduce_window_${monoid}`,
    kind: "opaque",
    infer: ([x], p) => {
      if (isKey(x.dtype) || (monoid === "sum" ? isBool(x.dtype) : isComplex(x.dtype))) throw noMonoid(monoid, x);
      return [x.withShape(windowPlaces(`reduceWindow (${monoid})`, x.shape, p))];
    },
    reference: ([x], p, [out]) => [windowHost(x, p, out!, monoid)],
    ...derivatives,
    batch: ([x], [d], p) => ({ outs: [bind1(self(), [x], withAxis(p, d!))], dims: [d] }),
    lower: ([x], p) => lowerWindow(x, p, monoid),
    printParams: printWindow,
  });

const noMonoid = (monoid: Monoid, x: Aval): DTypeError =>
  new DTypeError("UnsupportedDType", {
    what: `reduceWindow: ${monoid} of ${String(x)}`,
    why: monoid === "sum" ? "sums are defined for numbers" : "only real numbers and booleans have an order",
    fix: "convert the operand, or take its real and imaginary parts",
  });

export const reduceWindowSumP: WindowPrimitive = /* @__PURE__ */ windowPrimitive("sum", () => reduceWindowSumP, {
  jvp: ([x], [dx], p) => ({
    primals: [bind1(reduceWindowSumP, [x], p)],
    tangents: [bind1(reduceWindowSumP, [dx as NDArray], p)],
  }),
  transpose: ([ct], [x], p) => [isLinear(x) ? transposeSum(ct as NDArray, x.aval.shape, p) : null],
});

export const reduceWindowMaxP: WindowPrimitive = /* @__PURE__ */ windowPrimitive("max", () => reduceWindowMaxP, {
  jvp: ([x], [dx], p) => ({
    primals: [bind1(reduceWindowMaxP, [x], p)],
    tangents: [selectAndGatherAdd(dx as NDArray, x, { ...p, select: "ge" })],
  }),
  transpose: "nonlinear",
});

export const reduceWindowMinP: WindowPrimitive = /* @__PURE__ */ windowPrimitive("min", () => reduceWindowMinP, {
  jvp: ([x], [dx], p) => ({
    primals: [bind1(reduceWindowMinP, [x], p)],
    tangents: [selectAndGatherAdd(dx as NDArray, x, { ...p, select: "le" })],
  }),
  transpose: "nonlinear",
});

/** A window sum of the spread cotangent: every operand element is in the windows that start up to a window before it. */
function transposeSum(ct: NDArray, shape: Shape, p: WindowParams): NDArray {
  const none = shape.map((): Pads => [0, 0]);
  const pads = vjpLhsPadding(
    shape,
    p.windowDimensions,
    p.windowStrides,
    ct.shape,
    p.padding,
    p.baseDilation,
    p.windowDilation,
  );
  const spread = padArray(
    ct,
    zerosLike(ct.aval.withShape([])),
    pads.map(([low, high], i): PadAxis => [low, high, p.windowStrides[i]! - 1]),
  );
  return bind1(reduceWindowSumP, [spread], {
    ...p,
    windowStrides: p.baseDilation,
    padding: none,
    baseDilation: shape.map(() => 1),
  });
}

/** Windows are boxes, so axes are reduced one after the other, in float64. */
function windowHost(x: HostArray, p: WindowParams, out: Aval, monoid: Monoid): HostArray {
  const places = out.shape;
  const identity = monoid === "sum" ? 0 : monoid === "max" ? lowest(x.dtype) : highest(x.dtype);
  const lanes = lanesOf(x.dtype);
  let data: ArrayLike<number> = x.data;
  axisWindows(x.shape, places, p).forEach((a, axis) => {
    if (a.window === 1 && a.stride === 1 && a.low === 0 && a.baseDilation === 1 && a.places === a.length) return;
    const outer = sizeOf(places.slice(0, axis));
    const inner = sizeOf(x.shape.slice(axis + 1)) * lanes;
    data = reduceAxis(data, a, outer, inner, identity, monoid);
  });
  const r = allocateLike(out);
  r.data.set(data);
  return roundInPlace(r);
}

function reduceAxis(
  from: ArrayLike<number>,
  a: AxisWindow,
  outer: number,
  inner: number,
  identity: number,
  monoid: Monoid,
): Float64Array {
  const to = new Float64Array(outer * a.places * inner).fill(identity);
  for (let k = 0; k < a.window; k++)
    for (let o = 0; o < a.places; o++) {
      const i = positionAt(a, k, o);
      if (i < 0) continue;
      for (let n = 0; n < outer; n++) {
        const [t, f] = [(n * a.places + o) * inner, (n * a.length + i) * inner];
        if (monoid === "sum") for (let j = 0; j < inner; j++) to[t + j] = to[t + j]! + from[f + j]!;
        else if (monoid === "max") for (let j = 0; j < inner; j++) to[t + j] = Math.max(to[t + j]!, from[f + j]!);
        else for (let j = 0; j < inner; j++) to[t + j] = Math.min(to[t + j]!, from[f + j]!);
      }
    }
  return to;
}

// ---------------------------------------------------------------- the winner of each window

export interface SelectParams extends WindowParams {
  /** An element keeps winning while it is ≥ (or ≤) the next one. */
  readonly select: "ge" | "le";
}

const withBatchAxis = (p: SelectParams): SelectParams => ({ ...withAxis(p, 0), select: p.select });
const printSelect = (p: SelectParams): Readonly<Record<string, unknown>> => ({
  select_prim: p.select,
  ...printWindow(p),
});

const batchSelect = (
  prim: () => Primitive<Two, SelectParams>,
  xs: readonly [NDArray, NDArray],
  dims: readonly [number | null, number | null],
  p: SelectParams,
  { size }: BatchAxis,
): Batched => ({
  outs: [bind1(prim(), [batchToFront(xs[0], dims[0], size), batchToFront(xs[1], dims[1], size)], withBatchAxis(p))],
  dims: [0],
});

/** Linear in the tangents, a choice by the operand. */
const jvpSelect = (
  prim: () => Primitive<Two, SelectParams>,
  [t, x]: readonly [NDArray, NDArray],
  [dt]: readonly [Tangent, Tangent],
  p: SelectParams,
) => {
  const y = bind1(prim(), [t, x], p);
  return { primals: [y], tangents: [dt instanceof Zero ? new Zero(y.aval) : bind1(prim(), [dt, x], p)] };
};

/** Operands: tangents and the array that decides, of one shape. */
export const selectAndGatherAddP: Primitive<Two, SelectParams> = /* @__PURE__ */ definePrimitive<Two, SelectParams>({
  name: "select_and_gather_add",
  kind: "opaque",
  infer: ([t, x], p) => {
    if (!shapesEqual(t.shape, x.shape)) throw selectShapes("selectAndGatherAdd", t, x, x.shape);
    return [t.withShape(windowPlaces("selectAndGatherAdd", x.shape, p))];
  },
  reference: ([t, x], p, [out]) => {
    const r = allocateLike(out!);
    eachWinner(x, out!.shape, p, (place, element) => (r.data[place] = t.data[element]!));
    return [r];
  },
  jvp: (xs, ts, p) => jvpSelect(() => selectAndGatherAddP, xs, ts, p),
  transpose: ([ct], [t, x], p) => [
    isLinear(t) ? bind1(selectAndScatterAddP, [ct as NDArray, x as NDArray], p) : null,
    null,
  ],
  batch: (xs, dims, p, axis) => batchSelect(() => selectAndGatherAddP, xs, dims, p, axis),
  lower: ([t, x], p) => lowerSelectAndGather(t, x, p),
  printParams: printSelect,
});

/** The tangent of each window's winner. */
export const selectAndGatherAdd = (tangents: NDArray, operand: NDArray, p: SelectParams): NDArray =>
  bind1(selectAndGatherAddP, [tangents, operand], p);

/** Operands: what to add, one number per window, and the array that decides. */
export const selectAndScatterAddP: Primitive<Two, SelectParams> = /* @__PURE__ */ definePrimitive<Two, SelectParams>({
  name: "select_and_scatter_add",
  kind: "opaque",
  infer: ([source, x], p) => {
    const places = windowPlaces("selectAndScatterAdd", x.shape, p);
    if (!shapesEqual(source.shape, places)) throw selectShapes("selectAndScatterAdd", source, x, places);
    return [source.withShape(x.shape)];
  },
  reference: ([source, x], p, [out]) => {
    const sums = new Float64Array(out!.size);
    eachWinner(x, source.shape, p, (place, element) => (sums[element] = sums[element]! + source.data[place]!));
    const r = allocateLike(out!);
    r.data.set(sums);
    return [roundInPlace(r)];
  },
  jvp: (xs, ts, p) => jvpSelect(() => selectAndScatterAddP, xs, ts, p),
  transpose: ([ct], [source, x], p) => [
    isLinear(source) ? bind1(selectAndGatherAddP, [ct as NDArray, x as NDArray], p) : null,
    null,
  ],
  batch: (xs, dims, p, axis) => batchSelect(() => selectAndScatterAddP, xs, dims, p, axis),
  lower: ([source, x], p) => lowerSelectAndScatter(source, x, p),
  printParams: printSelect,
});

/** Adds each number of `source` at the winner of its window; zero elsewhere. */
export const selectAndScatterAdd = (source: NDArray, operand: NDArray, p: SelectParams): NDArray =>
  bind1(selectAndScatterAddP, [source, operand], p);

const selectShapes = (name: string, t: Aval, x: Aval, wanted: Shape): ShapeError =>
  new ShapeError("SelectShapes", {
    what: `${name}: ${shapeText(t.shape)} for an operand of shape ${shapeText(x.shape)}; expected ${shapeText(wanted)}`,
    why: "there is one number per element (gather) or per window (scatter)",
    fix: "check the window parameters",
  });

/** Calls `f` with each window's place and the element that wins it; windows of padding alone have none. */
function eachWinner(x: HostArray, places: Shape, p: SelectParams, f: (place: number, element: number) => void): void {
  const axes = axisWindows(x.shape, places, p);
  // Leading axes without a window (batch, features) repeat the same meetings.
  let first = 0;
  while (first < axes.length && trivial(axes[first]!)) first++;
  const inner = axes.slice(first);
  const met = meetings(inner);
  const [count, size] = [sizeOf(places.slice(first)), sizeOf(x.shape.slice(first))];
  const winners = new Int32Array(count);
  for (let n = 0, outer = sizeOf(places.slice(0, first)); n < outer; n++) {
    findWinners(winners, x, n * size, met, p.select);
    for (let o = 0; o < count; o++) if (winners[o]! >= 0) f(n * count + o, n * size + winners[o]!);
  }
}

const trivial = (a: AxisWindow): boolean =>
  a.window === 1 && a.stride === 1 && a.low === 0 && a.baseDilation === 1 && a.places === a.length;

function findWinners(
  winners: Int32Array,
  x: HostArray,
  base: number,
  { place, operand }: Meetings,
  select: "ge" | "le",
): void {
  winners.fill(-1);
  const { data } = x;
  for (let t = 0; t < place.length; t++) {
    const o = place[t]!;
    const best = winners[o]!;
    const v = data[base + operand[t]!]!;
    // NaN wins once seen: it is what the maximum and minimum are then.
    const keeps = best >= 0 && (select === "ge" ? data[base + best]! >= v : data[base + best]! <= v);
    if (!keeps && !(best >= 0 && Number.isNaN(data[base + best]!))) winners[o] = operand[t]!;
  }
}

export const primitives: readonly AnyPrimitive[] = [
  reduceWindowSumP,
  reduceWindowMaxP,
  reduceWindowMinP,
  selectAndGatherAddP,
  selectAndScatterAddP,
];
