/** Reading and updating parts of arrays: `x.slice(...)` and `x.at(...)`. */
import type { ArrayLike, AtOptions, IndexItem, IndexMode, IndexUpdate } from "../core/arrayMethods.ts";
import type { NDArray } from "../core/ndarray.ts";
import { promoteOperands } from "../core/operands.ts";
import { ShapeError } from "../core/problem.ts";
import { shapeText } from "../core/shape.ts";
import { broadcastTo, convert, full, reshape } from "../core/structural.ts";
import { convertElementType } from "../lax/cast.ts";
import { dynamicSlice } from "../lax/dynamicSlice.ts";
import { gather } from "../lax/gather.ts";
import { expandDims, rev, sliceArray, squeeze } from "../lax/movement.ts";
import {
  type ScatterDimensionNumbers,
  type ScatterOptions,
  scatter,
  scatterAdd,
  scatterMax,
  scatterMin,
  scatterMul,
  scatterSub,
} from "../lax/scatter.ts";
import { scatterApply } from "../lax/scatterApply.ts";
import { checkChoice, given } from "./arguments.ts";
import { divide, power } from "./arithmetic.ts";
import {
  type Entry,
  type IndexPlan,
  type ParsedIndex,
  emptyAxis,
  parseIndex,
  picksNothing,
  planGather,
} from "./indexer.ts";

export interface UpdateOptions extends AtOptions {
  /** Whether negative positions count from the end; true. */
  readonly wrapNegativeIndices?: boolean | undefined;
}
export interface GetOptions extends UpdateOptions {
  /** What is read out of bounds with mode `"fill"`. */
  readonly fillValue?: number | boolean | null | undefined;
}
const updateNames = ["indicesAreSorted", "uniqueIndices", "mode", "wrapNegativeIndices"] as const;
const modes: readonly IndexMode[] = ["promise_in_bounds", "clip", "drop", "fill", "wrap"];

/** lax's mode: positions that wrap are in bounds. */
const laxMode = (mode: IndexMode | null) => (mode === "wrap" ? "promise_in_bounds" : mode);

// ---------------------------------------------------------------- reading

/** Reads with positions known when the program is traced: slices, numbers, new axes. */
function readStatic(x: NDArray, { entries }: ParsedIndex, wrapNegative: boolean, mode: IndexMode | null): NDArray {
  const [starts, limits, strides]: [number[], number[], number[]] = [[], [], []];
  const [reversed, removed, added]: [number[], number[], number[]] = [[], [], []];
  for (const entry of entries) {
    const axis = starts.length;
    const n = x.shape[axis]!;
    if (entry.kind === "new") added.push(axis - removed.length + added.length);
    else if (entry.kind === "slice") {
      const { start, size, step } = entry;
      const first = step < 0 && size > 0 ? start + (size - 1) * step : Math.max(start, 0);
      if (step < 0) reversed.push(axis);
      starts.push(Math.min(first, n));
      limits.push(size === 0 ? starts.at(-1)! : first + (size - 1) * Math.abs(step) + 1);
      strides.push(Math.abs(step));
    } else {
      const value = (entry as { value: number }).value;
      if (n === 0) throw emptyAxis(axis, x.shape);
      const wanted = mode === "wrap" ? ((value % n) + n) % n : value < 0 && wrapNegative ? value + n : value;
      const place = Math.min(Math.max(wanted, 0), n - 1);
      starts.push(place);
      limits.push(place + 1);
      strides.push(1);
      removed.push(axis);
    }
  }
  const part = sliceArray(x, starts, limits, strides.every((s) => s === 1) ? null : strides);
  return finish(part, reversed, removed, added);
}

function finish(
  x: NDArray,
  reversed: readonly number[],
  removed: readonly number[],
  added: readonly number[],
): NDArray {
  const turned = reversed.length > 0 ? rev(x, reversed) : x;
  const squeezed = removed.length > 0 ? squeeze(turned, removed) : turned;
  return added.length > 0 ? expandDims(squeezed, added) : squeezed;
}

/** Reads a block at computed scalar positions. */
function readBlock(x: NDArray, { entries }: ParsedIndex, wrapNegative: boolean): NDArray {
  const starts: ArrayLike[] = [];
  const sizes: number[] = [];
  const wraps: boolean[] = [];
  const [reversed, removed, added]: [number[], number[], number[]] = [[], [], []];
  for (const entry of entries) {
    const axis = starts.length;
    if (entry.kind === "new") added.push(axis - removed.length + added.length);
    else if (entry.kind === "slice") {
      starts.push(entry.step < 0 ? entry.start - entry.size + 1 : entry.start);
      sizes.push(entry.size);
      wraps.push(false);
      if (entry.step < 0) reversed.push(axis);
    } else {
      if (x.shape[axis] === 0) throw emptyAxis(axis, x.shape);
      starts.push(entry.value);
      sizes.push(1);
      wraps.push(wrapNegative);
      removed.push(axis);
    }
  }
  return finish(dynamicSlice(x, starts, sizes, { allowNegativeIndices: wraps }), reversed, removed, added);
}

const isStatic = (e: Entry): boolean => e.kind !== "array";
const isBlock = (e: Entry): boolean =>
  e.kind === "array" ? e.value.ndim === 0 : e.kind !== "slice" || Math.abs(e.step) === 1;

/** The part of an array that an index names. */
export function readIndex(x: NDArray, items: readonly IndexItem[], options: GetOptions = {}): NDArray {
  const {
    mode = null,
    wrapNegativeIndices = true,
    fillValue = null,
    indicesAreSorted = false,
    uniqueIndices = false,
  } = options;
  const parsed = parseIndex(items, x.shape);
  const clamps = mode === null || mode === "promise_in_bounds" || mode === "clip";
  if (clamps || mode === "wrap") {
    if (parsed.entries.every(isStatic)) return readStatic(x, parsed, wrapNegativeIndices, mode);
    if (clamps && parsed.booleanAxes.length === 0 && parsed.entries.every(isBlock))
      return readBlock(x, parsed, wrapNegativeIndices);
  }
  const operand = parsed.booleanAxes.length > 0 ? expandDims(x, parsed.booleanAxes) : x;
  const plan = planGather(parsed, wrapNegativeIndices, mode);
  if (picksNothing(plan)) return full(plan.shape, 0, x.dtype, x.weakType);
  const y =
    plan.indices.size === 0
      ? operand
      : gather(operand, plan.indices, plan.dimensionNumbers, plan.sliceSizes, {
          mode: laxMode(mode),
          fillValue,
          uniqueIndices: uniqueIndices || plan.unique,
          indicesAreSorted: indicesAreSorted || plan.unique,
        });
  return finish(y, plan.reversed, [], plan.newAxes);
}

// ---------------------------------------------------------------- updating

type Scatter = (
  operand: ArrayLike,
  indices: ArrayLike,
  updates: ArrayLike,
  numbers: ScatterDimensionNumbers,
  options: ScatterOptions,
) => NDArray;

/** The updates in the shape that scatter takes. */
function shapedUpdates(y: NDArray, plan: IndexPlan): NDArray {
  const { shape } = plan;
  const first = shape.length - y.ndim;
  // More axes of length 1 in front than there is place for are dropped, as in NumPy's assignment.
  const extra = Math.max(0, -first);
  const value = extra > 0 && y.shape.slice(0, extra).every((n) => n === 1) ? reshape(y, y.shape.slice(extra)) : y;
  if (value.ndim > shape.length || value.shape.some((n, i) => n !== 1 && n !== shape[shape.length - value.ndim + i]))
    throw new ShapeError("UpdateShape", {
      what: `at: values of shape ${shapeText(y.shape)} for a place of shape ${shapeText(shape)}`,
      why: "the values are broadcast to the shape of the place",
      fix: `pass a scalar or an array that broadcasts to ${shapeText(shape)}`,
    });
  const full_ = broadcastTo(value, shape);
  const squeezed = plan.newAxes.length > 0 ? squeeze(full_, plan.newAxes) : full_;
  return plan.reversed.length > 0 ? rev(squeezed, plan.reversed) : squeezed;
}

function update(
  op: Scatter,
  target: NDArray,
  items: readonly IndexItem[],
  values: ArrayLike,
  options: UpdateOptions,
): NDArray {
  // A scalar has no axis to index: it is updated as the only element of a vector.
  if (target.ndim === 0) {
    const vector = update(
      op,
      reshape(target, [1]),
      [...items.map(withoutEllipsis).filter((i) => i !== undefined), 0],
      values,
      options,
    );
    return reshape(vector, []);
  }
  const { mode = null, wrapNegativeIndices = true, indicesAreSorted = false, uniqueIndices = false } = options;
  const parsed = parseIndex(items, target.shape);
  const plan = withStart(planGather(parsed, wrapNegativeIndices, mode));
  if (picksNothing(plan)) return target;
  const [x, y] = promoteOperands("at", [target, values]) as [NDArray, NDArray];
  const operand = parsed.booleanAxes.length > 0 ? expandDims(x, parsed.booleanAxes) : x;
  const { offsetDims, collapsedSliceDims, startIndexMap } = plan.dimensionNumbers;
  const out = op(
    operand,
    plan.indices,
    shapedUpdates(y, plan),
    { updateWindowDims: offsetDims, insertedWindowDims: collapsedSliceDims, scatterDimsToOperandDims: startIndexMap },
    {
      mode: laxMode(mode),
      indicesAreSorted: indicesAreSorted || plan.unique,
      uniqueIndices: uniqueIndices || plan.unique,
    },
  );
  const back = parsed.booleanAxes.length > 0 ? squeeze(out, parsed.booleanAxes) : out;
  return convert(convertElementType(back, target.dtype), target.dtype, target.weakType);
}

const withoutEllipsis = (item: IndexItem): IndexItem | undefined => (item === "..." ? undefined : item);

/** Scatter needs a position even where the whole array is meant: 0 along the first axis. */
function withStart(plan: IndexPlan): IndexPlan {
  if (plan.dimensionNumbers.startIndexMap.length > 0) return plan;
  return {
    ...plan,
    indices: full([1], 0, "int32"),
    dimensionNumbers: { ...plan.dimensionNumbers, startIndexMap: [0] },
  };
}

class Place implements IndexUpdate {
  readonly #array: NDArray;
  readonly #items: readonly IndexItem[];
  constructor(array: NDArray, items: readonly IndexItem[]) {
    this.#array = array;
    this.#items = items;
  }
  #update(name: string, op: Scatter, values: ArrayLike, options: AtOptions | undefined, target = this.#array): NDArray {
    return update(op, target, this.#items, values, read<UpdateOptions>(`at().${name}`, updateNames, options));
  }
  /** A quotient or power: elements elsewhere are divided by, or raised to, 1. */
  #factors(name: string, values: ArrayLike, options: AtOptions | undefined): NDArray {
    const { shape, dtype, weakType } = this.#array;
    return this.#update(name, scatterMul, values, options, full(shape, 1, dtype, weakType));
  }
  set(values: ArrayLike, options?: UpdateOptions): NDArray {
    return this.#update("set", scatter, values, options);
  }
  add(values: ArrayLike, options?: UpdateOptions): NDArray {
    return this.#update("add", scatterAdd, values, options);
  }
  subtract(values: ArrayLike, options?: UpdateOptions): NDArray {
    return this.#update("subtract", scatterSub, values, options);
  }
  multiply(values: ArrayLike, options?: UpdateOptions): NDArray {
    return this.#update("multiply", scatterMul, values, options);
  }
  divide(values: ArrayLike, options?: UpdateOptions): NDArray {
    return divide(this.#array, this.#factors("divide", values, options));
  }
  power(values: ArrayLike, options?: UpdateOptions): NDArray {
    return power(this.#array, this.#factors("power", values, options));
  }
  min(values: ArrayLike, options?: UpdateOptions): NDArray {
    return this.#update("min", scatterMin, values, options);
  }
  max(values: ArrayLike, options?: UpdateOptions): NDArray {
    return this.#update("max", scatterMax, values, options);
  }
  apply(f: (x: NDArray) => NDArray, options?: UpdateOptions): NDArray {
    const op: Scatter = (x, indices, y, numbers, o) =>
      scatterApply(x, indices, f, numbers, { ...o, updateShape: (y as NDArray).shape });
    return this.#update("apply", op, full([], 0, this.#array.dtype, this.#array.weakType), options);
  }
  get(options?: GetOptions): NDArray {
    return readIndex(this.#array, this.#items, read<GetOptions>("at().get", [...updateNames, "fillValue"], options));
  }
}

function read<T extends UpdateOptions>(name: string, names: readonly (keyof T & string)[], options: T | undefined): T {
  const o = given<T>(name, names, 0, options === undefined ? [] : [options]) as T;
  if (o.mode != null) checkChoice(name, "mode", o.mode, modes);
  return o;
}

/** A place in an array. */
export const placeIn = (x: NDArray, items: readonly IndexItem[]): IndexUpdate => new Place(x, items);
