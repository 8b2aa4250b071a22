/** `cotangent.scipy.ndimage`: interpolation between the elements of an array. */
import type { ArrayLike } from "../core/arrayMethods.ts";
import { isInteger } from "../core/dtype.ts";
import { NDArray } from "../core/ndarray.ts";
import { asArray } from "../core/operands.ts";
import { ArgumentError, ShapeError } from "../core/problem.ts";
import { shapeText } from "../core/shape.ts";
import * as lax from "../lax/index.ts";
import { type Rest, checkChoice, given } from "../numpy/arguments.ts";
import * as np from "../numpy/index.ts";
import { unit } from "../core/unit.ts";

/**
 * What is found beyond the edges of an array `a b c d`: a constant, the element at the edge (`d d`), the other end
 * (`a b`), or the elements mirrored at the edge (`reflect`: `d c`) or at the last element (`mirror`: `c b`).
 */
export type MapCoordinatesMode = "constant" | "nearest" | "wrap" | "mirror" | "reflect";

export interface MapCoordinatesOptions {
  /** What is found beyond the edges. Default `"constant"`. */
  readonly mode?: MapCoordinatesMode | undefined;
  /** The constant. Default 0. */
  readonly cval?: ArrayLike | undefined;
}

/** The index of an element that stands for one beyond the edges; both int32. */
const folds: Readonly<Record<MapCoordinatesMode, (index: NDArray, size: number) => NDArray>> = {
  constant: (index, size) => np.clip(index, 0, size - 1),
  nearest: (index, size) => np.clip(index, 0, size - 1),
  wrap: (index, size) => np.mod(index, size),
  mirror: (index, size) => mirrored(index, size),
  // Mirrored between elements: the half positions in between are counted too.
  reflect: (index, size) => np.floorDivide(np.subtract(mirrored(np.add(np.multiply(index, 2), 1), 2 * size + 1), 1), 2),
};

/** A triangular wave of integers: 0 … size − 1 and back again. */
function mirrored(index: NDArray, size: number): NDArray {
  if (size === 1) return np.zerosLike(index);
  const last = size - 1;
  return np.abs(np.subtract(np.mod(np.add(index, last), 2 * last), last));
}

/** Whether an index is inside; null if it always is, thanks to the mode. */
const inside = (index: NDArray, size: number, mode: MapCoordinatesMode): NDArray | null =>
  mode === "constant" ? np.logicalAnd(np.greaterEqual(index, 0), np.less(index, size)) : null;

/** An element of an axis that takes part in an interpolation. */
interface Node {
  readonly index: NDArray;
  readonly valid: NDArray | null;
  readonly weight: NDArray;
}

function nodesOf(coordinate: NDArray, size: number, order: number, mode: MapCoordinatesMode): Node[] {
  const node = (index: NDArray, weight: NDArray): Node => ({
    index: folds[mode](index, size),
    valid: inside(index, size, mode),
    weight,
  });
  if (order === 0) {
    const rounded = isInteger(coordinate.dtype) ? coordinate : lax.round(coordinate);
    return [node(np.astype(rounded, "int32"), np.onesLike(coordinate))];
  }
  const lower = np.floor(coordinate);
  const upperWeight = np.subtract(coordinate, lower);
  const index = np.astype(lower, "int32");
  return [node(index, np.subtract(1, upperWeight)), node(np.add(index, 1), upperWeight)];
}

/** All choices of one item from each list. */
const choices = <T>(lists: readonly (readonly T[])[]): readonly (readonly T[])[] =>
  lists.reduce<readonly (readonly T[])[]>((all, list) => all.flatMap((c) => list.map((x) => [...c, x])), [[]]);

/**
 * The values of an array at coordinates between its elements. Differentiable in both; piecewise constant in the
 * coordinates if `order` is 0.
 *
 * As in JAX, `"wrap"` has the period of the array's length and `"constant"` interpolates between edge and constant: what
 * SciPy calls grid-wrap and grid-constant.
 *
 * @param input an array of n axes.
 * @param coordinates n arrays, one for each axis, that broadcast together.
 * @param order 0 takes the nearest element, 1 interpolates linearly.
 * @param rest `mode` and `cval`.
 * @returns an array of the shape of the coordinates and the dtype of `input`; integers are rounded.
 * @example
 * const x = np.reshape(np.arange(12, { dtype: "float32" }), [3, 4]);
 * scipy.ndimage.mapCoordinates(x, [[0.5, 1.5], [1.5, 2.5]], 1) // [3.5, 8.5]
 */
export const mapCoordinates = /* @__PURE__ */ unit(
  "mapCoordinates",
  1,
  function mapCoordinates(
    input: ArrayLike,
    coordinates: NDArray | readonly ArrayLike[],
    order: number,
    ...rest: Rest<[MapCoordinatesMode, ArrayLike], MapCoordinatesOptions>
  ): NDArray {
    const name = "scipy.ndimage.mapCoordinates";
    const { mode = "constant", cval = 0 } = given<MapCoordinatesOptions>(name, ["mode", "cval"], 2, rest);
    checkChoice(name, "mode", mode, Object.keys(folds));
    if (order !== 0 && order !== 1)
      throw new ArgumentError("InterpolationOrder", {
        what: `${name}: order ${String(order)}`,
        why: "splines of higher order are not available, as in JAX",
        fix: "use 0 for the nearest element or 1 for linear interpolation",
      });
    const x = asArray(input, name);
    const places = coordinatesOf(name, coordinates, x);
    const constant = np.astype(cval, x.dtype);
    const terms = choices(places.map((c, axis) => nodesOf(c, x.shape[axis]!, order, mode))).map((nodes) => {
      const found = x.slice(...nodes.map((n) => n.index));
      const masks = nodes.flatMap((n) => n.valid ?? []);
      const value =
        masks.length === 0
          ? found
          : np.where(
              masks.reduce((a, b) => np.logicalAnd(a, b)),
              found,
              constant,
            );
      return np.multiply(
        nodes.map((n) => n.weight).reduce((a, b) => np.multiply(a, b)),
        value,
      );
    });
    const sum = terms.reduce((a, b) => np.add(a, b));
    return np.astype(isInteger(x.dtype) && !isInteger(sum.dtype) ? lax.round(sum) : sum, x.dtype);
  },
);

function coordinatesOf(name: string, coordinates: NDArray | readonly ArrayLike[], x: NDArray): NDArray[] {
  const list = coordinates instanceof NDArray && coordinates.ndim === 0 ? [] : [...coordinates];
  if (list.length !== x.ndim || x.ndim === 0)
    throw new ShapeError("CoordinateCount", {
      what: `${name}: ${list.length} arrays of coordinates for an array of shape ${shapeText(x.shape)}`,
      why: "a place in an array has a coordinate for each of its axes",
      fix: "pass a list with an array of coordinates for every axis",
    });
  return list.map((c) => asArray(c, name));
}
