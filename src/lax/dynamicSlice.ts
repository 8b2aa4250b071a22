/**
 * Slices at computed positions: dynamicSlice reads and dynamicUpdateSlice writes a block whose corner is given by one
 * scalar index per axis. A block that would stick out is moved inside, as in JAX.
 */
import type { ArrayLike } from "../core/arrayMethods.ts";
import type { Aval } from "../core/aval.ts";
import type { Checker } from "../core/checks.ts";
import { isInteger } from "../core/dtype.ts";
import type { HostArray } from "../core/hostArray.ts";
import type { Operand } from "../core/lowering.ts";
import { NDArray } from "../core/ndarray.ts";
import { asArray, asIndex, promoteOperands, scalarLiteral } from "../core/operands.ts";
import {
  type AnyPrimitive,
  type BatchAxis,
  type Batched,
  type Many,
  type Primitive,
  type Tangent,
  type TransposeOperand,
  Zero,
  definePrimitive,
  isLinear,
} from "../core/primitive.ts";
import { DTypeError, IndexError, ShapeError } from "../core/problem.ts";
import {
  type Shape,
  canonicalAxis,
  dropAxes,
  insertAxis,
  parseShape,
  range,
  shapeText,
  stridesOf,
} from "../core/shape.ts";
import { batchToFront, broadcastInDim, convert, full, instantiate, reshape, strided } from "../core/structural.ts";
import { bind1 } from "../core/trace.ts";
import { readOptions } from "./arguments.ts";
import { fromEnd } from "./positions.ts";
import { gatherP } from "./gather.ts";
import { checkBounds } from "./indexChecks.ts";
import { lowerDynamicSlice, lowerDynamicUpdateSlice } from "./indexLowering.ts";
import { concatenateArrays, expandDims, stridedInto } from "./movement.ts";
import { unstack } from "./rearrange.ts";
import { scatterP } from "./scatter.ts";
import { unit } from "../core/unit.ts";

type Arrays = readonly NDArray[];
type Dims = readonly (number | null)[];

const checkCorner = (checker: Checker, x: NDArray, starts: Arrays, window: Shape): void => {
  if (!checker.enabled("oob") || x.ndim === 0) return;
  const corner = concatenateArrays(
    starts.map((s) => reshape(convert(s, "int32"), [1])),
    0,
  );
  checkBounds(checker, x.shape, corner, range(x.ndim), window);
};

// ---------------------------------------------------------------- dynamicSlice

export interface DynamicSliceParams {
  readonly sliceSizes: Shape;
}

/** Operands: the array, then one scalar index per axis. */
export const dynamicSliceP: Primitive<Many, DynamicSliceParams> = /* @__PURE__ */ definePrimitive<
  Many,
  DynamicSliceParams
>({
  name: "dynamic_slice",
  kind: "indexing",
  infer: ([x, ...starts]: readonly Aval[], { sliceSizes }) => {
    checkStarts("dynamicSlice", x!, starts);
    if (sliceSizes.length !== x!.ndim || sliceSizes.some((n, i) => n < 0 || n > x!.shape[i]!))
      throw blockTooLarge("dynamicSlice", x!.shape, sliceSizes);
    return [x!.withShape(sliceSizes)];
  },
  reference: ([x, ...starts]: readonly HostArray[], { sliceSizes }) => [
    strided(x!, sliceSizes, stridesOf(x!.shape), corner(x!.shape, starts, sliceSizes)),
  ],
  jvp: ([x, ...starts]: Arrays, [dx]: readonly Tangent[], p) => {
    const y = bind1(dynamicSliceP, [x!, ...starts], p);
    return {
      primals: [y],
      tangents: [dx instanceof Zero ? new Zero(y.aval) : bind1(dynamicSliceP, [dx!, ...starts], p)],
    };
  },
  transpose: ([ct], [x, ...starts]: readonly TransposeOperand[]) => {
    const none = starts.map(() => null);
    if (!isLinear(x!)) return [null, ...none];
    const t = ct as NDArray;
    return [bind1(dynamicUpdateSliceP, [full(x.aval.shape, 0, t.dtype), t, ...(starts as Arrays)], null), ...none];
  },
  check: ([x, ...starts]: Arrays, p, checker) => {
    checkCorner(checker, x!, starts, p.sliceSizes);
    return [bind1(dynamicSliceP, [x!, ...starts], p)];
  },
  batch: ([x, ...starts]: Arrays, [dx, ...ds]: Dims, { sliceSizes }, axis) =>
    batchSlice(x!, starts, dx!, ds, sliceSizes, axis),
  lower: ([x, ...starts]: readonly Operand[], { sliceSizes }) => lowerDynamicSlice(x!, starts, sliceSizes),
  printParams: ({ sliceSizes }) => ({ slice_sizes: sliceSizes }),
});

/** A mapped array alone is one more axis taken whole; mapped positions make it a gather. */
function batchSlice(
  x: NDArray,
  starts: Arrays,
  dx: number | null,
  ds: Dims,
  sliceSizes: Shape,
  { size }: BatchAxis,
): Batched {
  if (ds.every((d) => d === null)) {
    const args = [x, ...starts.slice(0, dx!), origin(starts), ...starts.slice(dx!)];
    return { outs: [bind1(dynamicSliceP, args, { sliceSizes: insertAxis(sliceSizes, dx!, size) })], dims: [dx] };
  }
  const n = starts.length;
  const mapped = dx !== null;
  const axes = range(n).map((a) => a + Number(mapped));
  const gathered = bind1(gatherP, [mapped ? batchToFront(x, dx, size) : x, indexVectors(starts, ds, size)], {
    dimensionNumbers: {
      offsetDims: range(n).map((a) => a + 1),
      collapsedSliceDims: [],
      startIndexMap: axes,
      operandBatchingDims: mapped ? [0] : [],
      startIndicesBatchingDims: mapped ? [0] : [],
    },
    sliceSizes: mapped ? [Math.min(size, 1), ...sliceSizes] : sliceSizes,
    mode: "clip",
    fillValue: null,
    uniqueIndices: mapped,
    indicesAreSorted: mapped,
  });
  return { outs: [gathered], dims: [0] };
}

/** One index vector per batch element, of shape [size, axes]. */
function indexVectors(starts: Arrays, dims: Dims, size: number): NDArray {
  const columns = promoteOperands("dynamicSlice", starts).map((s, i) =>
    broadcastInDim(s, [size, 1], dims[i] === null ? [] : [0]),
  );
  return concatenateArrays(columns, 1);
}

const origin = (starts: Arrays): NDArray => scalarLiteral(0, starts[0]?.dtype ?? "int32");

/** Offset of the block's corner, moved so that the block lies inside. */
function corner(shape: Shape, starts: readonly HostArray[], block: Shape): number {
  const strides = stridesOf(shape);
  return starts.reduce((o, s, i) => o + Math.min(Math.max(s.data[0]!, 0), shape[i]! - block[i]!) * strides[i]!, 0);
}

// ---------------------------------------------------------------- dynamicUpdateSlice

/** Operands: the array, the block, then one scalar index per axis. */
export const dynamicUpdateSliceP: Primitive<Many, null> = /* @__PURE__ */ definePrimitive<Many, null>({
  name: "dynamic_update_slice",
  kind: "indexing",
  infer: ([x, update, ...starts]: readonly Aval[]) => {
    checkStarts("dynamicUpdateSlice", x!, starts);
    if (x!.dtype !== update!.dtype) throw updateDType(x!, update!);
    if (update!.ndim !== x!.ndim || update!.shape.some((n, i) => n > x!.shape[i]!))
      throw blockTooLarge("dynamicUpdateSlice", x!.shape, update!.shape);
    return [x!];
  },
  reference: ([x, update, ...starts]: readonly HostArray[]) => {
    const out = { ...x!, data: x!.data.slice() };
    stridedInto(out, update!, stridesOf(x!.shape), corner(x!.shape, starts, update!.shape));
    return [out];
  },
  jvp: ([x, update, ...starts]: Arrays, [dx, du]: readonly Tangent[]) => ({
    primals: [bind1(dynamicUpdateSliceP, [x!, update!, ...starts], null)],
    tangents: [bind1(dynamicUpdateSliceP, [instantiate(dx!), instantiate(du!), ...starts], null)],
  }),
  transpose: ([ct], [x, update, ...starts]: readonly TransposeOperand[]) => {
    const t = ct as NDArray;
    const sizes = update!.aval.shape;
    const at = starts as Arrays;
    return [
      isLinear(x!) ? bind1(dynamicUpdateSliceP, [t, full(sizes, 0, t.dtype), ...at], null) : null,
      isLinear(update!) ? bind1(dynamicSliceP, [t, ...at], { sliceSizes: sizes }) : null,
      ...starts.map(() => null),
    ];
  },
  check: ([x, update, ...starts]: Arrays, _, checker) => {
    checkCorner(checker, x!, starts, update!.shape);
    return [bind1(dynamicUpdateSliceP, [x!, update!, ...starts], null)];
  },
  batch: ([x, update, ...starts]: Arrays, [dx, du, ...ds]: Dims, _, axis) =>
    batchUpdate(x!, update!, starts, dx!, du!, ds, axis),
  lower: ([x, update, ...starts]: readonly Operand[]) => lowerDynamicUpdateSlice(x!, update!, starts),
});

/** Positions that are not mapped: one more axis, written whole. Mapped ones make it a scatter. */
function batchUpdate(
  x: NDArray,
  update: NDArray,
  starts: Arrays,
  dx: number | null,
  du: number | null,
  ds: Dims,
  { size }: BatchAxis,
): Batched {
  const [operand, block] = [batchToFront(x, dx, size), batchToFront(update, du, size)];
  if (ds.every((d) => d === null))
    return { outs: [bind1(dynamicUpdateSliceP, [operand, block, origin(starts), ...starts], null)], dims: [0] };
  const axes = range(starts.length).map((a) => a + 1);
  const written = bind1(scatterP, [operand, indexVectors(starts, ds, size), block], {
    dimensionNumbers: {
      updateWindowDims: axes,
      insertedWindowDims: [],
      scatterDimsToOperandDims: axes,
      operandBatchingDims: [0],
      scatterIndicesBatchingDims: [0],
    },
    mode: "clip",
    uniqueIndices: true,
    indicesAreSorted: true,
  });
  return { outs: [written], dims: [0] };
}

// ---------------------------------------------------------------- checks

function checkStarts(name: string, x: Aval, starts: readonly Aval[]): void {
  if (starts.length === x.ndim && starts.every((s) => s.ndim === 0 && isInteger(s.dtype))) return;
  const integral = starts.every((s) => isInteger(s.dtype));
  throw new IndexError("StartIndices", {
    what: `${name}: start indices ${starts.map(String).join(", ") || "(none)"} for an array of shape ${shapeText(x.shape)}`,
    why: "there is one scalar integer per axis",
    fix: integral ? `give ${x.ndim} indices` : 'convert them with .astype("int32")',
  });
}

const blockTooLarge = (name: string, shape: Shape, block: Shape): ShapeError =>
  new ShapeError("BlockTooLarge", {
    what: `${name}: a block of shape ${shapeText(block)} does not fit into shape ${shapeText(shape)}`,
    why: "the block has as many axes as the array and is no longer on any of them",
    fix: "make the block smaller, or pad the array first",
  });

const updateDType = (x: Aval, update: Aval): DTypeError =>
  new DTypeError("UpdateDType", {
    what: `dynamicUpdateSlice: the update is ${update.dtype} but the operand is ${x.dtype}`,
    why: "the update is stored in the operand, whose dtype does not change",
    fix: `convert it with update.astype("${x.dtype}")`,
  });

// ---------------------------------------------------------------- functions

interface NegativeOption {
  /** Whether negative indices count from the end (default true). */
  readonly allowNegativeIndices?: boolean | readonly boolean[] | undefined;
}

/** Scalar index arrays; negative ones count from the end. */
function startArrays(name: string, shape: Shape, starts: ArrayLike, options: NegativeOption): NDArray[] {
  const { allowNegativeIndices: allow = true } = readOptions<{ allowNegativeIndices: boolean | readonly boolean[] }>(
    name,
    ["allowNegativeIndices"],
    0,
    [options],
  );
  const list =
    starts instanceof NDArray
      ? unstack(starts, 0)
      : Array.isArray(starts)
        ? (starts as readonly ArrayLike[])
        : unstack(asIndex(starts, name), 0);
  return list.map((s, i) => {
    const n = shape[i] ?? 0;
    const wraps = typeof allow === "boolean" ? allow : (allow[i] ?? true);
    if (typeof s === "number") return scalarLiteral(s < 0 && wraps ? s + n : s, "int32");
    const index = asIndex(s, name);
    return wraps ? fromEnd(index, n) : index;
  });
}

/**
 * A block of `sliceSizes` whose corner is `startIndices`, one scalar per axis; it is moved inside where it sticks out.
 *
 * @example
 * lax.dynamicSlice(np.arange(5), [np.array(1, "int32")], [2]) // [1, 2]
 */
export const dynamicSlice = /* @__PURE__ */ unit(
  "dynamicSlice",
  2,
  function dynamicSlice(
    operand: ArrayLike,
    startIndices: ArrayLike,
    sliceSizes: readonly number[],
    options: NegativeOption = {},
  ): NDArray {
    const x = asArray(operand, "dynamicSlice");
    return bind1(dynamicSliceP, [x, ...startArrays("dynamicSlice", x.shape, startIndices, options)], {
      sliceSizes: parseShape("dynamicSlice", sliceSizes),
    });
  },
  { numbers: "inputs" },
);

/** `operand` with a block replaced by `update`. */
export const dynamicUpdateSlice = /* @__PURE__ */ unit(
  "dynamicUpdateSlice",
  3,
  function dynamicUpdateSlice(
    operand: ArrayLike,
    update: ArrayLike,
    startIndices: ArrayLike,
    options: NegativeOption = {},
  ): NDArray {
    const [x, u] = updateOperands("dynamicUpdateSlice", operand, update);
    return bind1(
      dynamicUpdateSliceP,
      [x, u, ...startArrays("dynamicUpdateSlice", x.shape, startIndices, options)],
      null,
    );
  },
  { numbers: "inputs" },
);

/** Operand and update; a number or weak update takes the operand's dtype. */
function updateOperands(name: string, operand: ArrayLike, update: ArrayLike): readonly [NDArray, NDArray] {
  const x = asArray(operand, name);
  const [, u] = promoteOperands(name, [x, update]);
  return [x, u!.dtype === x.dtype ? convert(u!, x.dtype, x.weakType) : u!];
}

const only = (ndim: number, axis: number, index: ArrayLike): ArrayLike =>
  range(ndim).map((i) => (i === axis ? index : 0));

interface InDimOptions extends NegativeOption {
  readonly axis?: number | undefined;
}

/** A slice of one axis at a computed position. */
export const dynamicSliceInDim = /* @__PURE__ */ unit(
  "dynamicSliceInDim",
  2,
  function dynamicSliceInDim(
    operand: ArrayLike,
    startIndex: ArrayLike,
    sliceSize: number,
    ...rest: readonly (number | InDimOptions)[]
  ): NDArray {
    const { axis = 0, ...options } = readOptions<InDimOptions>(
      "dynamicSliceInDim",
      ["axis", "allowNegativeIndices"],
      1,
      rest,
    );
    const x = asArray(operand, "dynamicSliceInDim");
    const a = canonicalAxis("dynamicSliceInDim", axis, x.ndim);
    return dynamicSlice(
      x,
      only(x.ndim, a, startIndex),
      x.shape.map((n, i) => (i === a ? sliceSize : n)),
      options,
    );
  },
  { numbers: "inputs" },
);

interface IndexInDimOptions extends InDimOptions {
  readonly keepdims?: boolean | undefined;
}

/** One computed position of an axis. */
export const dynamicIndexInDim = /* @__PURE__ */ unit(
  "dynamicIndexInDim",
  2,
  function dynamicIndexInDim(
    operand: ArrayLike,
    index: ArrayLike,
    ...rest: readonly (number | boolean | IndexInDimOptions)[]
  ): NDArray {
    const {
      axis = 0,
      keepdims = true,
      ...options
    } = readOptions<IndexInDimOptions>("dynamicIndexInDim", ["axis", "keepdims", "allowNegativeIndices"], 2, rest);
    const x = asArray(operand, "dynamicIndexInDim");
    const a = canonicalAxis("dynamicIndexInDim", axis, x.ndim);
    const y = dynamicSliceInDim(x, index, 1, { axis: a, ...options });
    return keepdims ? y : reshape(y, dropAxes(y.shape, [a]));
  },
  { numbers: "inputs" },
);

/** Replaces a slice of one axis at a computed position. */
export const dynamicUpdateSliceInDim = /* @__PURE__ */ unit(
  "dynamicUpdateSliceInDim",
  3,
  function dynamicUpdateSliceInDim(
    operand: ArrayLike,
    update: ArrayLike,
    startIndex: ArrayLike,
    axis: number,
    options: NegativeOption = {},
  ): NDArray {
    const x = asArray(operand, "dynamicUpdateSliceInDim");
    const a = canonicalAxis("dynamicUpdateSliceInDim", axis, x.ndim);
    return dynamicUpdateSlice(x, update, only(x.ndim, a, startIndex), options);
  },
  { numbers: "inputs" },
);

/** Replaces one computed position of an axis; the update may lack that axis. */
export const dynamicUpdateIndexInDim = /* @__PURE__ */ unit(
  "dynamicUpdateIndexInDim",
  3,
  function dynamicUpdateIndexInDim(
    operand: ArrayLike,
    update: ArrayLike,
    index: ArrayLike,
    axis: number,
    options: NegativeOption = {},
  ): NDArray {
    const [x, u] = updateOperands("dynamicUpdateIndexInDim", operand, update);
    const a = canonicalAxis("dynamicUpdateIndexInDim", axis, x.ndim);
    const block = u.ndim === x.ndim ? u : expandDims(u, [a]);
    return dynamicUpdateSliceInDim(x, block, index, a, options);
  },
  { numbers: "inputs" },
);

export const primitives: readonly AnyPrimitive[] = [dynamicSliceP, dynamicUpdateSliceP];
