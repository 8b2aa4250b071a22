/**
 * What an index means. Items are parsed against a shape into entries, one per operand axis (and one per new axis); from
 * the entries follow either a static slice, or the arguments of gather and scatter.
 *
 * As in NumPy: arrays and the numbers beside them are broadcast together and replace their axes where they stand next
 * to each other, else the result's first axes. As in JAX: what is out of bounds is clamped when read, dropped when
 * written, unless a mode says otherwise.
 */
import type { IndexItem, IndexMode } from "../core/arrayMethods.ts";
import { isBool, isInteger } from "../core/dtype.ts";
import { evaluator } from "../core/evaluator.ts";
import { NDArray } from "../core/ndarray.ts";
import { asArray, scalarLiteral } from "../core/operands.ts";
import { ConcretizationError, IndexError } from "../core/problem.ts";
import { type Shape, range, shapeText, shapesEqual, sizeOf, stridesOf } from "../core/shape.ts";
import { broadcastInDim, convert, full } from "../core/structural.ts";
import { addArrays, mulArrays } from "../lax/arithmetic.ts";
import { iota } from "../lax/creation.ts";
import { concatenateArrays, expandDims } from "../lax/movement.ts";
import type { GatherDimensionNumbers } from "../lax/gather.ts";
import { fromEnd, widePositions } from "../lax/positions.ts";
import { broadcastAll } from "./arguments.ts";
import { remainder } from "./arithmetic.ts";

/** One entry of a parsed index. All but `new` stand for one operand axis. */
export type Entry =
  | { readonly kind: "new" }
  | { readonly kind: "number"; readonly value: number }
  | { readonly kind: "array"; readonly value: NDArray }
  | { readonly kind: "slice"; readonly start: number; readonly size: number; readonly step: number };

export interface ParsedIndex {
  readonly entries: readonly Entry[];
  /** The operand's shape, with an axis of length 1 for every scalar boolean. */
  readonly shape: Shape;
  /** Those axes. */
  readonly booleanAxes: readonly number[];
  /** Whether the arrays and numbers of an advanced index stand next to each other. */
  readonly contiguous: boolean;
}

const badItem = (item: unknown, position: number): IndexError =>
  new IndexError("IndexItem", {
    what: `index: item ${position} is ${typeof item === "string" ? JSON.stringify(item) : item instanceof NDArray ? item.describe() : Array.isArray(item) ? `[${item.map(String).join(", ")}]` : String(item)}`,
    why: 'an index is made of integers, [start, stop, step], null, "..." and arrays of integers or booleans',
    fix:
      item instanceof NDArray
        ? "convert it: x.astype(numpy.int32); numpy.array([0, 2]) alone is float32"
        : Array.isArray(item)
          ? "a list is a slice of up to three integers; for positions pass an array, numpy.array([0, 2], { dtype: numpy.int32 })"
          : "correct the item",
  });

/** Start, number of elements and step of a slice, as Python's `slice.indices`. */
function sliceOf(spec: readonly (number | null | undefined)[], n: number, position: number): Entry {
  const fits = spec.length <= 3 && spec.every((s) => s === null || s === undefined || Number.isInteger(s));
  const step = spec[2] ?? 1;
  if (!fits || step === 0) throw badItem(spec, position);
  const clip = (i: number, lo: number, hi: number): number => Math.min(Math.max(i < 0 ? i + n : i, lo), hi);
  const [lo, hi] = step > 0 ? [0, n] : [-1, n - 1];
  const start = spec[0] == null ? (step > 0 ? 0 : n - 1) : clip(spec[0], lo, hi);
  const stop = spec[1] == null ? (step > 0 ? n : -1) : clip(spec[1], lo, hi);
  return { kind: "slice", start, step, size: Math.max(0, Math.ceil((stop - start) / step)) };
}

/** How many operand axes an item stands for; the ellipsis counts none. */
const consumed = (item: IndexItem): number =>
  item === null || item === "..." ? 0 : item instanceof NDArray && isBool(item.dtype) ? item.ndim : 1;

/** The positions where a boolean array is true, one array per axis. */
function positionsOf(mask: NDArray, shape: Shape, position: number): NDArray[] {
  const concrete = mask.concrete();
  if (!concrete)
    throw new ConcretizationError("DataDependentShape", {
      what: `index: item ${position} is ${mask.describe()}`,
      why: "how many elements a boolean array picks depends on its values, so the result would have no shape here",
      fix: "use numpy.where(mask, x, 0), or numpy.nonzero(mask, { size: n }) as the index",
    });
  if (!shapesEqual(mask.shape, shape))
    throw new IndexError("BooleanShape", {
      what: `index: item ${position} is a boolean array of shape ${shapeText(mask.shape)} for axes of shape ${shapeText(shape)}`,
      why: "a boolean array says of every place whether it is picked",
      fix: "use a mask of the same shape as the axes it stands for",
    });
  const { data } = evaluator().toHost(concrete);
  const places: number[] = [];
  for (let i = 0; i < data.length; i++) if (data[i] !== 0) places.push(i);
  return stridesOf(shape).map((s, axis) => {
    const along = Int32Array.from(places, (p) => Math.floor(p / s) % shape[axis]!);
    return evaluator().fromHost({ shape: [places.length], dtype: "int32", data: along }, false);
  });
}

/** Parses an index against a shape. */
export function parseIndex(items: readonly IndexItem[], shape: Shape): ParsedIndex {
  const raw = items.map((item): IndexItem =>
    ArrayBuffer.isView(item) ? asArray(item as unknown as Int32Array, "index") : item,
  );
  const total = raw.map(consumed).reduce((sum, n) => sum + n, 0);
  const ellipses = raw.filter((item) => item === "...").length;
  if (total > shape.length || ellipses > 1)
    throw new IndexError("TooManyIndices", {
      what:
        ellipses > 1
          ? 'index: more than one "..."'
          : `index: ${total} axes are indexed, but the array has ${shape.length} (shape ${shapeText(shape)})`,
      why: "every item stands for one axis; null and scalar booleans add one, and one ellipsis fills the rest",
      fix: "leave items out",
    });
  const entries: Entry[] = [];
  const lengths: number[] = [];
  const booleanAxes: number[] = [];
  /** Positions, among the items, of arrays and numbers. */
  const advanced: number[] = [];
  let axis = 0;
  let place = 0;
  const whole = (): void => {
    lengths.push(shape[axis]!);
    entries.push({ kind: "slice", start: 0, size: shape[axis++]!, step: 1 });
  };
  const add = (entry: Entry): void => {
    lengths.push(shape[axis++]!);
    entries.push(entry);
    if (entry.kind !== "slice") advanced.push(place);
  };
  raw.forEach((item, position) => {
    if (item === "...") for (let k = shape.length - total; k > 0; k--) whole();
    else if (item === null) entries.push({ kind: "new" });
    else if (typeof item === "number") {
      if (!Number.isInteger(item)) throw badItem(item, position);
      add({ kind: "number", value: item });
    } else if (Array.isArray(item)) add(sliceOf(item as readonly (number | null)[], shape[axis]!, position));
    else if (!(item instanceof NDArray)) throw badItem(item, position);
    else if (isInteger(item.dtype)) add({ kind: "array", value: item });
    else if (!isBool(item.dtype)) throw badItem(item, position);
    else if (item.ndim === 0) {
      booleanAxes.push(lengths.length);
      lengths.push(1);
      const count = scalarCount(item, position);
      entries.push({ kind: "array", value: iota("int32", count) });
      advanced.push(place);
    } else {
      positionsOf(item, shape.slice(axis, axis + item.ndim), position).forEach((value, i) => {
        place += i === 0 ? 0 : 1;
        add({ kind: "array", value });
      });
    }
    place++;
  });
  while (axis < shape.length) whole();
  const contiguous = advanced.every((p, i) => i === 0 || p === advanced[i - 1]! + 1);
  return { entries, shape: lengths, booleanAxes, contiguous };
}

/** A scalar boolean picks one element of a new axis, or none. */
function scalarCount(item: NDArray, position: number): number {
  const [picked] = positionsOf(expandDims(item, [0]), [1], position);
  return picked!.size;
}

// ---------------------------------------------------------------- gather and scatter

export interface IndexPlan {
  /** Index vectors, along the last axis. */
  readonly indices: NDArray;
  readonly dimensionNumbers: GatherDimensionNumbers;
  /** Window lengths, one per operand axis. */
  readonly sliceSizes: Shape;
  /** The result's shape, with its new axes. */
  readonly shape: Shape;
  readonly newAxes: readonly number[];
  /** Axes of the gathered array (without new axes) to reverse. */
  readonly reversed: readonly number[];
  /** Whether no place can be named twice. */
  readonly unique: boolean;
}

/** A negative position counts from the end. */
function normalized(entry: Entry, n: number, wrapNegative: boolean, mode: IndexMode | null): Entry {
  if (entry.kind === "number") {
    if (mode === "wrap") return { kind: "number", value: n === 0 ? 0 : ((entry.value % n) + n) % n };
    return entry.value < 0 && wrapNegative ? { kind: "number", value: entry.value + n } : entry;
  }
  if (entry.kind !== "array") return entry;
  const { value } = entry;
  if (mode === "wrap") return { kind: "array", value: remainder(widePositions(value), Math.max(1, n)) };
  return wrapNegative ? { kind: "array", value: fromEnd(value, n) } : entry;
}

/** The index as arguments of gather and scatter. */
export function planGather(parsed: ParsedIndex, wrapNegative: boolean, mode: IndexMode | null): IndexPlan {
  let axisOf = 0;
  const entries = parsed.entries.map((e) =>
    e.kind === "new" ? e : normalized(e, parsed.shape[axisOf++]!, wrapNegative, mode),
  );
  const isAdvanced = entries.some((e) => e.kind === "array" && e.value.ndim > 0);
  const group = range(entries.length).filter(
    (i) => isAdvanced && (entries[i]!.kind === "array" || entries[i]!.kind === "number"),
  );
  const axes = axesOfEntries(entries);

  const offsetDims: number[] = [];
  const collapsed: number[] = [];
  const startIndexMap: number[] = [];
  const parts: { readonly index: NDArray; readonly at: number }[] = [];
  const indexShape: number[] = [];
  const shape: number[] = [];
  const newAxes: number[] = [];
  const reversed: number[] = [];
  const sliceSizes: number[] = [];
  /** The next axis of the gathered array. */
  let next = 0;

  const addGroup = (): void => {
    const arrays = group.map((i) => indexArray(entries[i]!));
    const together = broadcastAll("index", arrays);
    const common = together[0]!.shape;
    together.forEach((index, k) => {
      parts.push({ index, at: indexShape.length });
      startIndexMap.push(axes[group[k]!]!);
      collapsed.push(axes[group[k]!]!);
    });
    indexShape.push(...common);
    shape.push(...common);
    next += common.length;
  };

  entries.forEach((entry, i) => {
    if (group.length > 0 && i === (parsed.contiguous ? group[0] : 0)) addGroup();
    if (entry.kind === "new") {
      newAxes.push(shape.length);
      shape.push(1);
      return;
    }
    const axis = axes[i]!;
    if (entry.kind !== "slice") {
      sliceSizes.push(1);
      if (group.includes(i)) return;
      if (parsed.shape[axis] === 0) throw emptyAxis(axis, parsed.shape);
      parts.push({ index: indexArray(entry), at: indexShape.length });
      startIndexMap.push(axis);
      collapsed.push(axis);
      return;
    }
    const { start, size, step } = entry;
    shape.push(size);
    if (step === 1) {
      if (size !== parsed.shape[axis]) {
        parts.push({ index: scalarLiteral(start, "int32"), at: indexShape.length });
        startIndexMap.push(axis);
      }
      sliceSizes.push(size);
      offsetDims.push(next);
    } else {
      // Backward slices are read forward, so that positions are sorted.
      const first = step < 0 ? start + (size - 1) * step : start;
      if (step < 0) reversed.push(next);
      const steps = mulArrays(iota("int32", size), scalarLiteral(Math.abs(step), "int32"));
      parts.push({ index: addArrays(steps, scalarLiteral(first, "int32")), at: indexShape.length });
      startIndexMap.push(axis);
      collapsed.push(axis);
      indexShape.push(size);
      sliceSizes.push(1);
    }
    next++;
  });

  return {
    indices: indexVectors(parts, indexShape),
    dimensionNumbers: { offsetDims, collapsedSliceDims: [...collapsed].sort((a, b) => a - b), startIndexMap },
    sliceSizes,
    shape,
    newAxes,
    reversed,
    unique: group.length === 0,
  };
}

/** The operand axis of every entry; -1 for new axes. */
function axesOfEntries(entries: readonly Entry[]): number[] {
  let axis = 0;
  return entries.map((e) => (e.kind === "new" ? -1 : axis++));
}

const indexArray = (entry: Entry): NDArray =>
  entry.kind === "array" ? convert(entry.value, "int32") : scalarLiteral((entry as { value: number }).value, "int32");

export const emptyAxis = (axis: number, shape: Shape): IndexError =>
  new IndexError("EmptyAxis", {
    what: `index: axis ${axis} of shape ${shapeText(shape)} has no elements`,
    why: "there is nothing to pick from",
    fix: "slice the axis instead, with [start, stop]",
  });

/** Index parts, each running along some axes, as one array of vectors. */
function indexVectors(parts: readonly { readonly index: NDArray; readonly at: number }[], shape: Shape): NDArray {
  if (parts.length === 0) return full([0], 0, "int32");
  const vectors = parts.map(({ index, at }) => {
    const spread = broadcastInDim(
      index,
      [...shape, 1],
      range(index.ndim).map((i) => i + at),
    );
    return spread;
  });
  return concatenateArrays(vectors, shape.length);
}

/** Whether anything is picked at all. */
export const picksNothing = (plan: IndexPlan): boolean => sizeOf(plan.shape) === 0;
