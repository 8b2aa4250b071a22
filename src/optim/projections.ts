/** Projections onto convex sets: the nearest point of the set, over all leaves of a tree together. */
import type { ArrayLike } from "../core/arrayMethods.ts";
import type { NDArray } from "../core/ndarray.ts";
import { range, sizeOf } from "../core/shape.ts";
import { readOptions } from "../lax/arguments.ts";
import * as np from "../numpy/index.ts";
import { relu } from "../nn/index.ts";
import { customJvp } from "../transforms/customJvp.ts";
import * as tree from "../tree/functions.ts";
import { type Rest, mapLeaves } from "./base.ts";
import { addScale, mul, norm, scale as scaleTree, vdot } from "./treeMath.ts";
import { unit } from "../core/unit.ts";

type ScaleRest = Rest<[ArrayLike], { readonly scale?: ArrayLike }>;
const readScale = (name: string, rest: readonly unknown[]): ArrayLike =>
  readOptions<{ scale: ArrayLike }>(`optim.projections.${name}`, ["scale"], 1, rest).scale ?? 1;

/** Onto the numbers that are not negative. @example optim.projections.projectionNonNegative([np.array([-1, 2])]) // [[0, 2]] */
export const projectionNonNegative = <P>(t: P): P => mapLeaves((x) => relu(x), t);

/** Onto a box; bounds are numbers or trees of the same structure. @example optim.projections.projectionBox([np.array([-1, 5])], 0, 2) // [[0, 2]] */
export const projectionBox = /* @__PURE__ */ unit("projectionBox", 0, function projectionBox<
  P,
>(t: P, lower: unknown, upper: unknown): P {
  const [low, high] = [lower, upper].map((b) => (typeof b === "number" ? mapLeaves(() => b, t) : b));
  return mapLeaves((x, a, b) => np.clip(x, a, b), t, low, high);
});

/** Onto [0, scale]ⁿ (default 1). @example optim.projections.projectionHypercube([np.array([-1, 5])]) // [[0, 1]] */
export const projectionHypercube = <P>(t: P, ...rest: ScaleRest): P => {
  const size = readScale("projectionHypercube", rest);
  return mapLeaves((x) => np.clip(x, 0, size), t);
};

/** Onto the numbers of magnitude at most `scale` (default 1). @example optim.projections.projectionLinfBall([np.array([-3, 5])]) // [[-1, 1]] */
export const projectionLinfBall = <P>(t: P, ...rest: ScaleRest): P => {
  const size = readScale("projectionLinfBall", rest);
  return mapLeaves((x) => np.clip(x, np.negative(size), size), t);
};

/** Onto the sphere of radius `scale` (default 1). @example optim.projections.projectionL2Sphere([np.array([3, 4])]) // [[0.6, 0.8]] */
export const projectionL2Sphere = /* @__PURE__ */ unit("projectionL2Sphere", 0, <P>(t: P, ...rest: ScaleRest): P =>
  scaleTree(np.divide(readScale("projectionL2Sphere", rest), norm(t)), t),
);

/** Onto the ball of radius `scale` (default 1). @example optim.projections.projectionL2Ball([np.array([0, 4])]) // [[0, 1]] */
export const projectionL2Ball = /* @__PURE__ */ unit("projectionL2Ball", 0, <P>(t: P, ...rest: ScaleRest): P => {
  const radius = readScale("projectionL2Ball", rest);
  const square = norm(t, { squared: true });
  return scaleTree(np.divide(radius, np.sqrt(np.maximum(square, np.square(radius)))), t);
});

// ---------------------------------------------------------------- the simplex

/** The point of the unit simplex nearest to a vector (Duchi et al., 2008). */
function unitSimplex(x: NDArray): NDArray {
  const n = x.shape[0]!;
  const sorted = np.flip(np.sort(x));
  const sums = np.cumsum(sorted);
  const counts = np.arange(1, n + 1);
  // Entries from the greatest on stay positive as long as they exceed the threshold they would set.
  const thresholds = np.divide(np.subtract(sums, 1), counts);
  const last = np.subtract(np.sum(np.greater(sorted, thresholds)), 1);
  return relu(np.subtract(x, np.take(thresholds, last)));
}

function makeSimplex(): (x: NDArray) => NDArray {
  const f = customJvp(unitSimplex);
  // The tangent is centred over the entries that stay positive.
  f.defjvp(([x]: [NDArray], [dx]: [NDArray]) => {
    const y = f(x);
    const support = np.astype(np.greater(y, 0), y.dtype);
    const mean = np.divide(np.sum(np.multiply(support, dx)), np.sum(support));
    return [y, np.multiply(support, np.subtract(dx, mean))];
  });
  return f;
}
const simplex = /* @__PURE__ */ makeSimplex();

/** Onto the non-negative numbers of sum `scale` (default 1). @example optim.projections.projectionSimplex(np.array([1, 1])) // [0.5, 0.5] */
export const projectionSimplex = /* @__PURE__ */ unit("projectionSimplex", 0, function projectionSimplex<
  P,
>(t: P, ...rest: ScaleRest): P {
  const size = readScale("projectionSimplex", rest);
  const [leaves, structure] = tree.flatten(t);
  const shapes = leaves.map((x: ArrayLike) => np.shape(x));
  const flat = np.concatenate(leaves.map((x: ArrayLike) => np.ravel(x)));
  const projected = np.multiply(size, simplex(np.divide(flat, size)));
  const ends = range(shapes.length).map((i) => shapes.slice(0, i + 1).reduce((n, s) => n + sizeOf(s), 0));
  const parts = np.split(projected, ends.slice(0, -1)).map((x, i) => np.reshape(x, shapes[i]!));
  return tree.unflatten(structure, parts) as P;
});

/** Onto the numbers whose magnitudes sum to `scale` (default 1). @example optim.projections.projectionL1Sphere(np.array([-3, 1])) // [-1, 0] */
export const projectionL1Sphere = <P>(t: P, ...rest: ScaleRest): P => {
  const signs = mapLeaves((x) => np.sign(x), t);
  const magnitudes = mapLeaves((x) => np.abs(x), t);
  return mul(signs, projectionSimplex(magnitudes, readScale("projectionL1Sphere", rest)));
};

/** Onto the numbers whose magnitudes sum to at most `scale` (default 1). @example optim.projections.projectionL1Ball(np.array([0.5, 0])) // [0.5, 0] */
export const projectionL1Ball = /* @__PURE__ */ unit("projectionL1Ball", 0, <P>(t: P, ...rest: ScaleRest): P => {
  const size = readScale("projectionL1Ball", rest);
  const inside = np.lessEqual(norm(t, 1), size);
  return mapLeaves((x, y) => np.where(inside, x, y), t, projectionL1Sphere(t, size));
});

// ---------------------------------------------------------------- flats

/** Onto the line through `a`. @example optim.projections.projectionVector(np.array([3, 4]), np.array([0, 2])) // [0, 4] */
export const projectionVector = <P>(x: P, a: P): P => scaleTree(np.divide(vdot(x, a), vdot(a, a)), a);

const missing = (x: unknown, a: unknown, b: ArrayLike): NDArray => np.divide(np.subtract(b, vdot(x, a)), vdot(a, a));

/** Onto the points with ⟨a, x⟩ = b. @example optim.projections.projectionHyperplane(np.array([3, 4]), np.array([0, 1]), 1) // [3, 1] */
export const projectionHyperplane = /* @__PURE__ */ unit("projectionHyperplane", 0, <P>(x: P, a: P, b: ArrayLike): P =>
  addScale(x, missing(x, a, b), a),
);

/** Onto the points with ⟨a, x⟩ ≤ b. @example optim.projections.projectionHalfspace(np.array([3, 4]), np.array([0, 1]), 9) // [3, 4] */
export const projectionHalfspace = /* @__PURE__ */ unit("projectionHalfspace", 0, <P>(x: P, a: P, b: ArrayLike): P =>
  addScale(x, np.minimum(missing(x, a, b), 0), a),
);
