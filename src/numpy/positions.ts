/** Flat positions and positions per axis, open grids, bits packed into bytes. */
import type { ArrayLike, IndexItem } from "../core/arrayMethods.ts";
import { type DType, isBool, isInteger, isUnsigned } from "../core/dtype.ts";
import { evaluator } from "../core/evaluator.ts";
import type { NDArray } from "../core/ndarray.ts";
import { asArray, asIndex, promoteOperands } from "../core/operands.ts";
import { ArgumentError, DTypeError, IndexError, ShapeError } from "../core/problem.ts";
import { canonicalAxis, parseShape, range, shapeText, stridesOf } from "../core/shape.ts";
import { broadcastInDim, broadcastTo, convert, full, moveAxis, reshape } from "../core/structural.ts";
import { bitwiseAnd, shiftLeft } from "../lax/bitwise.ts";
import { iota } from "../lax/creation.ts";
import { expandDims, padArray, rev, sliceInDim } from "../lax/movement.ts";
import { type Rest, broadcastAll, checkChoice, given, optionalDType } from "./arguments.ts";
import { add, clip, divmod, mod, multiply } from "./arithmetic.ts";
import { arange, linspace } from "./creation.ts";
import { meshgrid } from "./grids.ts";
import { concatenate, stack } from "./join.ts";
import { greater, less, notEqual, truth } from "./logic.ts";
import { sum } from "./reduce.ts";
import { where } from "./select.ts";
import { indexArray } from "./take.ts";
import { unit } from "../core/unit.ts";

/**
 * Flat positions as positions per axis.
 *
 * @example
 * np.unravelIndex([5], [2, 3]) // [[1], [2]]
 */
export const unravelIndex = /* @__PURE__ */ unit(
  "unravelIndex",
  1,
  function unravelIndex(indices: ArrayLike, shape: number | readonly number[]): NDArray[] {
    const sizes = parseShape("unravelIndex", shape);
    let rest = indexArray("unravelIndex", indices);
    const places: NDArray[] = [];
    for (const n of [...sizes].reverse()) {
      const [quotient, remainder] = divmod(rest, n);
      rest = quotient;
      places.unshift(remainder);
    }
    // Beyond the end: the last position; before the beginning: the first.
    const beyond = greater(rest, 0);
    const before = isUnsigned(rest.dtype) ? full([], 0, "bool") : less(rest, -1);
    return places.map((p, i) => where(beyond, sizes[i]! - 1, where(before, 0, p)));
  },
);

export interface RavelMultiIndexOptions {
  /** What happens out of range; `"raise"` needs concrete values. */
  readonly mode?: "raise" | "wrap" | "clip" | "ignore" | undefined;
  readonly order?: "C" | "F" | undefined;
  readonly dtype?: DType | null | undefined;
}

/**
 * Positions per axis as flat positions.
 *
 * @example
 * np.ravelMultiIndex([[1], [2]], [2, 3]) // [5]
 */
export const ravelMultiIndex = /* @__PURE__ */ unit(
  "ravelMultiIndex",
  0,
  function ravelMultiIndex(
    multiIndex: readonly ArrayLike[],
    dims: readonly number[],
    ...rest: Rest<["raise" | "wrap" | "clip" | "ignore", "C" | "F"], RavelMultiIndexOptions>
  ): NDArray {
    const {
      mode = "raise",
      order = "C",
      dtype,
    } = given<RavelMultiIndexOptions>("ravelMultiIndex", ["mode", "order", "dtype"], 2, rest);
    checkChoice("ravelMultiIndex", "mode", mode, ["raise", "wrap", "clip", "ignore"]);
    checkChoice("ravelMultiIndex", "order", order, ["C", "F"]);
    const sizes = parseShape("ravelMultiIndex", dims);
    if (multiIndex.length !== sizes.length)
      throw new ArgumentError("MultiIndexCount", {
        what: `ravelMultiIndex: ${multiIndex.length} arrays of positions for ${sizes.length} axes`,
        why: "there is one array per axis",
        fix: "pass as many arrays as the shape has axes",
      });
    const strides = order === "C" ? stridesOf(sizes) : stridesOf([...sizes].reverse()).reverse();
    const places = multiIndex.map((p, i) => {
      const index = indexArray("ravelMultiIndex", p);
      if (mode === "raise") checkRange(index, sizes[i]!);
      if (mode === "wrap") return mod(index, sizes[i]!);
      return mode === "clip" ? clip(index, 0, sizes[i]! - 1) : index;
    });
    const type = optionalDType(dtype) ?? "int32";
    return places.map((p, i) => multiply(convert(p, type), strides[i]!)).reduce((a, b) => add(a, b), full([], 0, type));
  },
);

function checkRange(index: NDArray, n: number): void {
  const concrete = index.concrete();
  if (!concrete)
    throw new ArgumentError("TracedPositions", {
      what: `ravelMultiIndex: ${index.describe()} cannot be checked`,
      why: 'mode "raise" looks at the values, which are not known inside a transformation',
      fix: 'pass { mode: "clip" }, "wrap" or "ignore"',
    });
  const bad = [...evaluator().toHost(concrete).data].find((i) => i < 0 || i >= n);
  if (bad === undefined) return;
  throw new IndexError("PositionOutOfRange", {
    what: `ravelMultiIndex: position ${bad} on an axis of length ${n}`,
    why: `positions are from 0 to ${n - 1}`,
    fix: 'correct it, or pass { mode: "clip" }',
  });
}

/**
 * Vectors shaped so that, as indices, they pick from all combinations.
 *
 * @example
 * np.ix_([0, 1], [2]) // [[[0], [1]], [[2]]]
 */
export function ix_(...args: readonly ArrayLike[]): NDArray[] {
  return args.map((x, i) => {
    const a = asIndex(x, "ix_");
    if (a.ndim !== 1)
      throw new ShapeError("VectorExpected", {
        what: `ix_: argument ${i} has shape ${shapeText(a.shape)}`,
        why: "every axis is picked from by one list",
        fix: "pass one-dimensional arrays",
      });
    return broadcastInDim(
      a,
      args.map((_, k) => (k === i ? a.shape[0]! : 1)),
      [i],
    );
  });
}

// ---------------------------------------------------------------- grids from slices

/** `[start, stop, step]`; a step such as `"5"` counts samples, both ends included, as `5j` does in Python. */
export type GridSlice = readonly [start: number, stop: number, step?: number | `${number}`];

const lineOf = ([start, stop, step = 1]: GridSlice): NDArray =>
  typeof step === "string" ? linspace(start, stop, Number(step)) : arange(start, stop, step);

/**
 * A full grid from slices, one array per axis, stacked.
 *
 * @example
 * np.mgrid([0, 2], [0, 2]) // [[[0, 0], [1, 1]], [[0, 1], [0, 1]]]
 */
export function mgrid(...slices: readonly GridSlice[]): NDArray {
  if (slices.length === 1) return lineOf(slices[0]!);
  return stack(meshgrid(...promoteOperands("mgrid", slices.map(lineOf)), { indexing: "ij" }));
}

/**
 * An open grid from slices: arrays that broadcast together.
 *
 * @example
 * np.ogrid([0, 2], [0, 2]) // [[[0], [1]], [[0, 1]]]
 */
export const ogrid = (...slices: readonly GridSlice[]): NDArray[] =>
  meshgrid(...promoteOperands("ogrid", slices.map(lineOf)), { indexing: "ij", sparse: true });

/**
 * Numbers and vectors joined to one vector, arrays along the first axis.
 *
 * @example
 * np.r_(np.array([1, 2]), 3) // [1, 2, 3]
 */
export const r_ = (...parts: readonly ArrayLike[]): NDArray =>
  concatenate(
    parts.map((p) => {
      const x = asArray(p, "r_");
      return x.ndim === 0 ? reshape(x, [1]) : x;
    }),
    0,
  );

/**
 * Vectors as the columns of a matrix, arrays joined along the last axis.
 *
 * @example
 * np.c_(np.array([1, 2]), np.array([3, 4])) // [[1, 3], [2, 4]]
 */
export const c_ = (...parts: readonly ArrayLike[]): NDArray =>
  concatenate(
    parts.map((p) => {
      const x = asArray(p, "c_");
      return x.ndim < 2 ? reshape(x, [x.size, 1]) : x;
    }),
    -1,
  );

/** The items of an index as a list, for `x.slice(...index)`. */
export const s_ = (...items: readonly IndexItem[]): IndexItem[] => [...items];
/** The items of an index as a list, for `x.slice(...index)`. */
export const indexExp = s_;

// ---------------------------------------------------------------- bits

export interface PackOptions {
  readonly axis?: number | null | undefined;
  /** Whether the first bit is the highest (`"big"`) or the lowest. */
  readonly bitorder?: "big" | "little" | undefined;
}

/** The weights of the bits of a byte, in order. */
const bitPlaces = (order: "big" | "little"): NDArray => {
  const up = iota("uint8", 8);
  return order === "big" ? rev(up, [0]) : up;
};

function alongLast(name: string, a: NDArray, axis: number | null): readonly [NDArray, number] {
  const x = axis === null ? reshape(a, [a.size]) : a;
  const at = axis === null ? 0 : canonicalAxis(name, axis, x.ndim);
  return [moveAxis(x, at, x.ndim - 1), at];
}

/**
 * Booleans packed into bytes along an axis, filled up with zeros.
 *
 * @example
 * np.packbits(np.array([true, false, true])) // [160]
 */
export function packbits(a: ArrayLike, ...rest: Rest<[number | null, "big" | "little"], PackOptions>): NDArray {
  const { axis = null, bitorder = "big" } = given<PackOptions>("packbits", ["axis", "bitorder"], 2, rest);
  checkChoice("packbits", "bitorder", bitorder, ["big", "little"]);
  const raw = asIndex(a, "packbits");
  if (!isInteger(raw.dtype) && !isBool(raw.dtype))
    throw new DTypeError("BitsDType", {
      what: `packbits: ${raw.describe()} holds no bits`,
      why: "bits are booleans or integers",
      fix: "compare first, x.greater(0)",
    });
  const [x, at] = alongLast("packbits", convert(truth(raw), "uint8"), axis);
  const missing = (8 - (x.shape.at(-1)! % 8)) % 8;
  const filled = padArray(
    x,
    full([], 0, "uint8"),
    x.shape.map((_, i) => [0, i === x.ndim - 1 ? missing : 0, 0] as const),
  );
  const bytes = reshape(filled, [...filled.shape.slice(0, -1), filled.shape.at(-1)! / 8, 8]);
  const shifted = shiftLeft(bytes, broadcastTo(bitPlaces(bitorder), bytes.shape));
  return moveAxis(sum(shifted, { axis: -1, dtype: "uint8" }), x.ndim - 1, at);
}

/**
 * The bits of bytes along an axis, as 0 and 1.
 *
 * @example
 * np.unpackbits(np.array([160], { dtype: "uint8" })) // [1, 0, 1, 0, 0, 0, 0, 0]
 */
export function unpackbits(
  a: ArrayLike,
  ...rest: Rest<
    [number | null, number | null, "big" | "little"],
    PackOptions & { readonly count?: number | null | undefined }
  >
): NDArray {
  const {
    axis = null,
    count = null,
    bitorder = "big",
  } = given<PackOptions & { count: number | null }>("unpackbits", ["axis", "count", "bitorder"], 3, rest);
  checkChoice("unpackbits", "bitorder", bitorder, ["big", "little"]);
  const raw = asArray(a, "unpackbits");
  if (raw.dtype !== "uint8")
    throw new DTypeError("BytesDType", {
      what: `unpackbits: ${raw.describe()}`,
      why: "bytes are uint8",
      fix: "convert with x.astype(numpy.uint8)",
    });
  const [x, at] = alongLast("unpackbits", raw, axis);
  const masks = shiftLeft(full([8], 1, "uint8"), bitPlaces(bitorder));
  const [bytes, mask] = broadcastAll("unpackbits", [expandDims(x, [-1]), masks]);
  const bits = convert(notEqual(bitwiseAnd(bytes!, mask!), 0), "uint8");
  const flat = reshape(bits, [...x.shape.slice(0, -1), x.shape.at(-1)! * 8]);
  const n = flat.shape.at(-1)!;
  const last = flat.ndim - 1;
  const cut =
    count === null
      ? flat
      : count <= n
        ? sliceInDim(flat, 0, count < 0 ? n + count : count, 1, last)
        : padArray(
            flat,
            full([], 0, "uint8"),
            range(flat.ndim).map((i) => [0, i === last ? count - n : 0, 0] as const),
          );
  return moveAxis(cut, last, at);
}
