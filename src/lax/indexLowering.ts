/** The `lower` slots of indexing at computed positions: slices, gather, scatter. */
import type { Aval } from "../core/aval.ts";
import { isBool, isComplex } from "../core/dtype.ts";
import { allOf } from "../core/elementTypes.ts";
import { type Index, add, constantIndex, subtract, zeroIndex } from "../core/indexing.ts";
import type { Lowering, Operand, Value } from "../core/lowering.ts";
import { numberIn, pulled, zipLanes } from "../core/lowerRules.ts";
import {
  type Expr,
  both,
  bool,
  clampIndex,
  compare,
  either,
  equal,
  f32,
  greatest,
  indexOf,
  isNaNExpr,
  least,
  like,
  minus,
  plus,
  select,
  times,
  within,
} from "../core/scalar.ts";
import type { Shape } from "../core/shape.ts";
import { range } from "../core/shape.ts";
import { larger, smaller } from "./arithmeticLowering.ts";
import * as complexLowering from "./complexLowering.ts";
import { type IndexDims, windowAxes, windowOf } from "./indexPlan.ts";

/** A run-time integer moved into 0 … limit. */
function clampedStart(start: Expr, limit: number): Index {
  if (limit <= 0) return zeroIndex;
  const low = start.type === "u32" ? start : greatest(start, like(start, 0));
  return indexOf(least(low, like(start, limit)), 0, limit);
}
const isStart = (start: Expr, limit: number): Expr =>
  both(
    start.type === "u32" ? bool(true) : compare("ge", start, like(start, 0)),
    compare("le", start, like(start, limit)),
  );

// ---------------------------------------------------------------- slices

/** The corner of a block, moved so that the block lies inside. */
const corner = (shape: Shape, starts: readonly Operand[], block: Shape): Index[] =>
  starts.map((s, i) => clampedStart(s.at([])[0]!, shape[i]! - block[i]!));

export const lowerDynamicSlice = (x: Operand, starts: readonly Operand[], block: Shape): Lowering =>
  pulled((index) => {
    const first = corner(x.aval.shape, starts, block);
    return x.at(index.map((i, a) => add(i, first[a]!)));
  });

export function lowerDynamicUpdateSlice(x: Operand, update: Operand, starts: readonly Operand[]): Lowering {
  if (update.aval.size === 0) return pulled((index) => x.at(index));
  const block = update.aval.shape;
  return pulled((index) => {
    const first = corner(x.aval.shape, starts, block);
    const inside = index.map((i, a) => subtract(i, first[a]!));
    const valid = allOf([bool(true), ...inside.map((i, a) => within(i, 0, block[a]!))]);
    const written = update.at(inside.map((i, a) => clampIndex(i, 0, block[a]! - 1)));
    return zipLanes(written, x.at(index), (a, b) => select(valid, a, b));
  });
}

// ---------------------------------------------------------------- index vectors

/** Where an element of the batched array lies in the operand, and whether its window is inside. */
interface Place {
  readonly index: readonly Index[];
  readonly valid: Expr;
}

/** The operand position that belongs to a position of the batched array (`IndexDims`). */
function placeOf(x: Aval, indices: Operand, dims: IndexDims, window: Shape): (batched: readonly Index[]) => Place {
  const axes = windowAxes(x.ndim, dims);
  return (batched) => {
    const vector = batched.filter((_, d) => !dims.windowDims.includes(d));
    const inWindow = axes.map((_, w) => batched[dims.windowDims[w]!]!);
    const index = range(x.ndim).map((a): Index => {
      const [w, b] = [axes.indexOf(a), dims.operandBatchingDims.indexOf(a)];
      return w >= 0 ? inWindow[w]! : b >= 0 ? vector[dims.indicesBatchingDims[b]!]! : zeroIndex;
    });
    const checks = dims.indexMap.map((a, k) => {
      const start = indices.at([...vector, constantIndex(k)])[0]!;
      const limit = x.shape[a]! - window[a]!;
      index[a] = add(index[a]!, clampedStart(start, limit));
      return isStart(start, limit);
    });
    return { index, valid: allOf([bool(true), ...checks]) };
  };
}

/** `fill` is what windows that are not wholly inside read; null: they are moved inside. */
export function lowerGather(
  x: Operand,
  indices: Operand,
  dims: IndexDims,
  window: Shape,
  fill: number | null,
): Lowering {
  const at = placeOf(x.aval, indices, dims, window);
  if (fill === null) return pulled((index) => x.at(at(index).index));
  const other = numberIn(x.aval.dtype, fill);
  return pulled((index) => {
    const place = at(index);
    return zipLanes(x.at(place.index), other, (a, b) => select(place.valid, a, b));
  });
}

// ---------------------------------------------------------------- scatter

export type Combine = "set" | "add" | "mul" | "min" | "max";

interface ScatterOptions {
  readonly clamp: boolean;
  /** Whether no two updates go to one place. */
  readonly unique: boolean;
  readonly combine: Combine;
}

export function lowerScatter(
  x: Operand,
  indices: Operand,
  updates: Operand,
  dims: IndexDims,
  { clamp, unique, combine }: ScatterOptions,
): Lowering {
  const { shape } = updates.aval;
  const few = pulledScatter(x, indices, updates, dims, clamp, combine);
  if (few) return few;
  const at = placeOf(x.aval, indices, dims, windowOf(x.aval.ndim, shape, dims));
  const vectorAxes = range(shape.length).filter((d) => !dims.windowDims.includes(d));
  // Updates of one window differ in their places, and so do those of different examples.
  const serialAxes = unique ? [] : vectorAxes.filter((_, i) => !dims.indicesBatchingDims.includes(i));
  return {
    form: "scatter",
    serialAxes,
    shape,
    target: (update) => {
      const { index, valid } = at(update);
      return { index, valid: clamp ? bool(true) : valid };
    },
    update: (update) => updates.at(update),
    start: (index) => x.at(index),
    combine: combineOf(combine, x.aval),
  };
}

/** Result elements look at so many updates at most; beyond that, updates look for their elements. */
const fewUpdates = 4;

/**
 * Where only a few updates can reach an element, the element asks each of them: then scatter is like any elementwise
 * operation. The cotangent of picking one class per example is one.
 */
function pulledScatter(
  x: Operand,
  indices: Operand,
  updates: Operand,
  dims: IndexDims,
  clamp: boolean,
  combine: Combine,
): Lowering | null {
  const { shape } = updates.aval;
  const vectorAxes = range(shape.length).filter((d) => !dims.windowDims.includes(d));
  const own = vectorAxes.filter((_, i) => !dims.indicesBatchingDims.includes(i)).map((d) => shape[d]!);
  const count = own.reduce((n, e) => n * e, 1);
  if (count > fewUpdates || updates.aval.size === 0) return null;
  const window = windowOf(x.aval.ndim, shape, dims);
  const axes = windowAxes(x.aval.ndim, dims);
  const combined = combineOf(combine, x.aval);
  return pulled((index) => {
    let value = x.at(index);
    for (let n = 0; n < count; n++) {
      let rest = n;
      const vector = vectorAxes.map((d, i): Index => {
        const b = dims.indicesBatchingDims.indexOf(i);
        if (b >= 0) return index[dims.operandBatchingDims[b]!]!;
        const below = vectorAxes.slice(i + 1).filter((_, j) => !dims.indicesBatchingDims.includes(i + 1 + j));
        const step = below.reduce((m, e) => m * shape[e]!, 1);
        const at = Math.floor(rest / step);
        rest -= at * step;
        return constantIndex(at % shape[d]!);
      });
      const inside = [...index];
      const checks: Expr[] = [bool(true)];
      dims.indexMap.forEach((a, k) => {
        const start = indices.at([...vector, constantIndex(k)])[0]!;
        const limit = x.aval.shape[a]! - window[a]!;
        inside[a] = subtract(index[a]!, clampedStart(start, limit));
        if (!clamp) checks.push(isStart(start, limit));
      });
      inside.forEach((i, a) => {
        if (!dims.operandBatchingDims.includes(a)) checks.push(within(i, 0, window[a]!));
      });
      let next = 0;
      const update = range(shape.length).map((d): Index => {
        const w = dims.windowDims.indexOf(d);
        return w < 0 ? vector[next++]! : clampIndex(inside[axes[w]!]!, 0, shape[d]! - 1);
      });
      const valid = allOf(checks);
      value = zipLanes(combined(value, updates.at(update)), value, (a, b) => select(valid, a, b));
    }
    return value;
  });
}

function combineOf(combine: Combine, { dtype }: Aval): (old: Value, update: Value) => Value {
  if (combine === "set") return (_, update) => update;
  if (isComplex(dtype) && combine !== "add") return combine === "mul" ? complexLowering.mul : lexicographic(combine);
  const op = isBool(dtype)
    ? combine === "add" || combine === "max"
      ? either
      : both
    : { add: plus, mul: times, min: smaller, max: larger }[combine];
  return (old, update) => zipLanes(old, update, op);
}

/** Complex extrema compare real parts, then imaginary parts; a NaN replaces what is there. */
const lexicographic =
  (combine: "min" | "max") =>
  ([a, b]: Value, [c, d]: Value): Value => {
    const by = f32(combine === "max" ? 1 : -1);
    const [re, im] = [times(by, minus(c!, a!)), times(by, minus(d!, b!))];
    const zero = f32(0);
    const better = either(compare("gt", re, zero), both(equal(re, zero), compare("gt", im, zero)));
    const wins = either(better, isNaNExpr(plus(c!, d!)));
    return [select(wins, c!, a!), select(wins, d!, b!)];
  };
