/** Grids: unit matrices, coordinates and positions, functions of positions. */
import type { ArrayLike } from "../core/arrayMethods.ts";
import type { DType } from "../core/dtype.ts";
import type { NDArray } from "../core/ndarray.ts";
import { asArray } from "../core/operands.ts";
import { splitOptions } from "../core/options.ts";
import { ShapeError } from "../core/problem.ts";
import { type Shape, parseShape, shapeText } from "../core/shape.ts";
import { broadcastInDim, broadcastTo, eye as eyeArray, full } from "../core/structural.ts";
import { broadcastedIota, iota } from "../lax/creation.ts";
import { concatenateArrays, expandDims } from "../lax/movement.ts";
import { type Rest, checkChoice, given, integer, optionalDType } from "./arguments.ts";
import { type DTypeOptions, dtypeNames } from "./creation.ts";
import { unit } from "../core/unit.ts";

export interface EyeOptions extends DTypeOptions {
  /** Number of columns; as many as rows by default. */
  readonly M?: number | null | undefined;
  /** The diagonal; above the main one if positive. */
  readonly k?: number | undefined;
}
type EyeRest = Rest<[number | null, number, DType | null], EyeOptions>;

/** Rows, columns, diagonal and dtype of `eye` and `tri`. */
export function diagonalGrid(name: string, N: number, rest: readonly unknown[]) {
  const { M = null, k = 0, dtype = null } = given<EyeOptions>(name, ["M", "k", "dtype", "device"], 3, rest);
  const [rows, columns] = parseShape(name, [N, M ?? N]) as [number, number];
  return { rows, columns, k: integer(name, "k", k), dtype: optionalDType(dtype) ?? "float32" };
}

/**
 * Ones on a diagonal, zeros elsewhere.
 *
 * @example
 * np.eye(2) // [[1, 0], [0, 1]]
 */
export function eye(N: number, ...rest: EyeRest): NDArray {
  const { rows, columns, k, dtype } = diagonalGrid("eye", N, rest);
  return eyeArray(rows, columns, k, dtype);
}

/**
 * The identity matrix.
 *
 * @example
 * np.identity(2, "int32") // [[1, 0], [0, 1]]
 */
export function identity(n: number, ...rest: Rest<[DType | null], DTypeOptions>): NDArray {
  const { dtype = null } = given<DTypeOptions>("identity", dtypeNames, 1, rest);
  return eye(n, { dtype });
}

export interface MeshgridOptions {
  /** Axes of length 1 instead of full grids. */
  readonly sparse?: boolean | undefined;
  /** `"xy"`: the first array runs along columns; `"ij"`: along rows. */
  readonly indexing?: "xy" | "ij" | undefined;
  /** Accepted for numpy's signature. */
  readonly copy?: boolean | undefined;
}

/**
 * Coordinate arrays of a grid from one-dimensional coordinates.
 *
 * @example
 * np.meshgrid(np.array([1, 2]), np.array([3, 4])) // [[[1, 2], [1, 2]], [[3, 3], [4, 4]]]
 */
export const meshgrid = /* @__PURE__ */ unit(
  "meshgrid",
  0,
  function meshgrid(...xi: readonly [...ArrayLike[], ArrayLike | MeshgridOptions] | readonly ArrayLike[]): NDArray[] {
    const names = ["sparse", "indexing", "copy"] as const;
    const [arrays, options] = splitOptions<MeshgridOptions>(xi, names);
    const { sparse = false, indexing = "xy" } = options;
    checkChoice("meshgrid", "indexing", indexing, ["xy", "ij"]);
    const xs = arrays.map((x) => asArray(x as ArrayLike, "meshgrid"));
    if (xs.some((x) => x.ndim !== 1))
      throw new ShapeError("MeshgridRank", {
        what: `meshgrid: coordinates of shapes ${xs.map((x) => shapeText(x.shape)).join(", ")}`,
        why: "every axis of the grid has a list of coordinates",
        fix: "pass one-dimensional arrays, x.ravel()",
      });
    const swap = indexing === "xy" && xs.length >= 2;
    const place = (i: number): number => (swap && i < 2 ? 1 - i : i);
    const lengths = xs.map((_, i) => xs[place(i)]!.shape[0]!);
    return xs.map((x, i) => {
      const axis = place(i);
      const shape: Shape = sparse ? lengths.map((n, k) => (k === axis ? n : 1)) : lengths;
      return broadcastInDim(x, shape, [axis]);
    });
  },
);

export interface IndicesOptions extends DTypeOptions {
  readonly sparse?: boolean | undefined;
}

/**
 * The positions of a grid: one array per axis, stacked; with `sparse` a list of arrays that broadcast together.
 *
 * @example
 * np.indices([2, 2]) // [[[0, 0], [1, 1]], [[0, 1], [0, 1]]]
 */
export function indices(dimensions: readonly number[], options: IndicesOptions & { readonly sparse: true }): NDArray[];
export function indices(
  dimensions: readonly number[],
  ...rest: Rest<[DType | null], IndicesOptions & { readonly sparse?: false | undefined }>
): NDArray;
export function indices(dimensions: readonly number[], ...rest: readonly unknown[]): NDArray | NDArray[] {
  const { dtype = null, sparse = false } = given<IndicesOptions>("indices", ["dtype", "sparse", "device"], 2, rest);
  const shape = parseShape("indices", dimensions);
  const type = optionalDType(dtype) ?? "int32";
  if (sparse)
    return shape.map((n, i) =>
      broadcastInDim(
        iota(type, n),
        shape.map((_, k) => (k === i ? n : 1)),
        [i],
      ),
    );
  if (shape.length === 0) return full([0], 0, type);
  const parts = shape.map((_, i) => expandDims(broadcastedIota(type, shape, i), [0]));
  return concatenateArrays(parts, 0);
}

/**
 * An array from a function of its indices, which is called once with arrays of positions.
 *
 * @example
 * np.fromfunction((i, j) => i.add(j), [2, 2]) // [[0, 1], [1, 2]]
 */
export function fromfunction(
  f: (...indices: NDArray[]) => ArrayLike,
  shape: readonly number[],
  ...rest: Rest<[], DTypeOptions>
): NDArray {
  const { dtype = null } = given<DTypeOptions>("fromfunction", dtypeNames, 0, rest);
  const sizes = parseShape("fromfunction", shape);
  const type = optionalDType(dtype) ?? "float32";
  return broadcastTo(asArray(f(...sizes.map((_, i) => broadcastedIota(type, sizes, i))), "fromfunction"), sizes);
}
