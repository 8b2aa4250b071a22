/**
 * Collectives over named axes: `psum` and friends. Each is a primitive; the batch trace that maps the named axis calls
 * its `batch` rule, where the axis is an ordinary one, so under vmap a collective is a reduction or a rearrangement.
 * Derivatives are JAX's for vmap and pmap axes: the transpose of psum is psum.
 */
import type { ArrayLike } from "../core/arrayMethods.ts";
import { checkOptions } from "../core/call.ts";
import { evaluator } from "../core/evaluator.ts";
import type { Lowering } from "../core/lowering.ts";
import type { NDArray } from "../core/ndarray.ts";
import { asArray } from "../core/operands.ts";
import {
  type AnyPrimitive,
  type BatchAxis,
  type Batched,
  type One,
  type Primitive,
  definePrimitive,
  isLinear,
  notDifferentiable,
} from "../core/primitive.ts";
import { ArgumentError, ShapeError } from "../core/problem.ts";
import { canonicalAxis, dropAxes, insertAxis, range, shapeText } from "../core/shape.ts";
import { batchToFront, moveAxis, reshape, sumAxes } from "../core/structural.ts";
import { bind1, namedAxisSize } from "../core/trace.ts";
import { mapTree } from "../core/tree.ts";
import type { Arrays } from "../core/types.ts";
import { Aval } from "../core/aval.ts";
import { add, div, mul } from "./arithmetic.ts";
import { iota } from "./creation.ts";
import { gather } from "./gather.ts";
import { reduceMax, reduceMin } from "./reduce.ts";

export type AxisName = string | readonly string[];

const namesOf = (axisName: AxisName): string[] => (typeof axisName === "string" ? [axisName] : [...axisName]);

const outside = (name: string): never => {
  // A collective that reaches evaluation has lost its axis; asking for the size reports which.
  namedAxisSize(name);
  throw new ArgumentError("UnmappedCollective", {
    what: `a collective over ${JSON.stringify(name)} was evaluated outside of the vmap that names the axis`,
    why: "collectives combine the values of all examples of an enclosing vmap",
    fix: `call it inside vmap(f, { axisName: ${JSON.stringify(name)} })`,
  });
};

/** Compiled or not, a collective needs its axis. */
const outsideLowering = (name: string): Lowering => ({ form: "compose", with: () => outside(name) });

// ---------------------------------------------------------------- reductions: psum, pmax, pmin

interface ReduceParams {
  readonly axes: readonly string[];
}

type ReduceRule = (x: NDArray, dim: number | null, size: number) => NDArray;

/** A reduction over named axes: over the one being mapped now, and again over the others. */
function batchReduction(
  self: Primitive<One, ReduceParams>,
  reduce: ReduceRule,
  x: NDArray,
  d: number | null,
  { axes }: ReduceParams,
  axis: BatchAxis,
): Batched {
  if (axis.name === null || !axes.includes(axis.name)) return { outs: [bind1(self, [x], { axes })], dims: [d] };
  const rest = axes.filter((a) => a !== axis.name);
  const reduced = reduce(x, d, axis.size);
  return { outs: [rest.length ? bind1(self, [reduced], { axes: rest }) : reduced], dims: [null] };
}

export const psumP: Primitive<One, ReduceParams> = /* @__PURE__ */ definePrimitive<One, ReduceParams>({
  name: "psum",
  kind: "collective",
  infer: ([x]) => [x],
  reference: (_, { axes }) => outside(axes[0]!),
  lower: (_, { axes }) => outsideLowering(axes[0]!),
  jvp: ([x], [dx], p) => ({ primals: [bind1(psumP, [x], p)], tangents: [bind1(psumP, [dx as NDArray], p)] }),
  transpose: ([ct], [x], p) => [isLinear(x) ? bind1(psumP, [ct as NDArray], p) : null],
  batch: ([x], [d], p, axis) =>
    batchReduction(psumP, (y, k, n) => (k === null ? mul(y, n) : sumAxes(y, [k])), x, d, p, axis),
  axisNames: ({ axes }) => axes,
});

const noExtremumDerivative = notDifferentiable(
  "JAX defines no derivative for the maximum or minimum over a named axis",
  "use allGather and a maximum over the gathered axis",
);

export const pmaxP: Primitive<One, ReduceParams> = /* @__PURE__ */ definePrimitive<One, ReduceParams>({
  name: "pmax",
  kind: "collective",
  infer: ([x]) => [x],
  reference: (_, { axes }) => outside(axes[0]!),
  lower: (_, { axes }) => outsideLowering(axes[0]!),
  jvp: noExtremumDerivative,
  transpose: "nonlinear",
  batch: ([x], [d], p, axis) => batchReduction(pmaxP, (y, k) => (k === null ? y : reduceMax(y, [k])), x, d, p, axis),
  axisNames: ({ axes }) => axes,
});

export const pminP: Primitive<One, ReduceParams> = /* @__PURE__ */ definePrimitive<One, ReduceParams>({
  name: "pmin",
  kind: "collective",
  infer: ([x]) => [x],
  reference: (_, { axes }) => outside(axes[0]!),
  lower: (_, { axes }) => outsideLowering(axes[0]!),
  jvp: noExtremumDerivative,
  transpose: "nonlinear",
  batch: ([x], [d], p, axis) => batchReduction(pminP, (y, k) => (k === null ? y : reduceMin(y, [k])), x, d, p, axis),
  axisNames: ({ axes }) => axes,
});

/** Applies a collective to every leaf of a tree. */
const overTree = <T>(x: T, name: string, f: (leaf: NDArray) => NDArray): Arrays<T> =>
  mapTree((leaf: ArrayLike) => f(asArray(leaf, name)), x) as Arrays<T>;

function checkNames(axisName: AxisName): string[] {
  const names = namesOf(axisName);
  for (const n of names) namedAxisSize(n);
  return names;
}

/**
 * The sum over a named axis. Works on trees.
 *
 * @param axisName a name given by `vmap(f, { axisName })`, or a list of them.
 * @example
 * vmap((x) => lax.psum(x, "i"), { axisName: "i" })(np.array([1, 2, 3])) // [6, 6, 6]
 */
export const psum = <T>(x: T, axisName: AxisName): Arrays<T> => {
  const axes = checkNames(axisName);
  return overTree(x, "psum", (leaf) => bind1(psumP, [leaf], { axes }));
};
/** The mean over a named axis. Works on trees. */
export const pmean = <T>(x: T, axisName: AxisName): Arrays<T> => {
  const axes = checkNames(axisName);
  const n = axes.reduce((k, a) => k * namedAxisSize(a), 1);
  return overTree(x, "pmean", (leaf) => div(bind1(psumP, [leaf], { axes }), n));
};
/** The maximum over a named axis. Works on trees. */
export const pmax = <T>(x: T, axisName: AxisName): Arrays<T> => {
  const axes = checkNames(axisName);
  return overTree(x, "pmax", (leaf) => bind1(pmaxP, [leaf], { axes }));
};
/** The minimum over a named axis. Works on trees. */
export const pmin = <T>(x: T, axisName: AxisName): Arrays<T> => {
  const axes = checkNames(axisName);
  return overTree(x, "pmin", (leaf) => bind1(pminP, [leaf], { axes }));
};

/** Applies a collective; shapes are checked here, because the trace that maps the axis calls its `batch` rule at once. */
function checked<P>(primitive: Primitive<One, P>, x: NDArray, params: P): NDArray {
  primitive.infer([x.aval], params);
  return bind1(primitive, [x], params);
}

// ---------------------------------------------------------------- axisIndex

interface AxisIndexParams {
  readonly axis: string;
}

export const axisIndexP: Primitive<readonly [], AxisIndexParams> = /* @__PURE__ */ definePrimitive<
  readonly [],
  AxisIndexParams
>({
  name: "axis_index",
  kind: "collective",
  infer: () => [new Aval([], "int32")],
  reference: (_, { axis }) => outside(axis),
  lower: (_, { axis }) => outsideLowering(axis),
  jvp: notDifferentiable("axisIndex has no operands", "nothing to differentiate"),
  transpose: "nonlinear",
  batch: (_, _d, _p, axis) => ({ outs: [iota("int32", axis.size)], dims: [0] }),
  axisNames: ({ axis }) => [axis],
});

/** The example's own position along a named axis, an int32 scalar. */
export function axisIndex(axisName: AxisName): NDArray {
  const names = checkNames(axisName);
  return names
    .map((axis) => ({ index: bind1(axisIndexP, [], { axis }), size: namedAxisSize(axis) }))
    .reduce<NDArray | null>((sum, { index, size }) => (sum ? add(mul(sum, size), index) : index), null)!;
}

/** The length of a named axis, a plain number. */
export const axisSize = (axisName: AxisName): number => checkNames(axisName).reduce((n, a) => n * namedAxisSize(a), 1);

// ---------------------------------------------------------------- allGather, psumScatter

interface GatherParams {
  readonly axis: string;
  readonly size: number;
  /** The axis of the result along which the examples lie. */
  readonly dimension: number;
  /** Whether they are laid end to end along an existing axis instead of a new one. */
  readonly tiled: boolean;
}

/** Examples (axis `from` of x) merged into the axis `dimension` of what is left. */
function mergeInto(x: NDArray, from: number, dimension: number): NDArray {
  const moved = moveAxis(x, from, dimension);
  const { shape } = moved;
  return reshape(moved, [
    ...shape.slice(0, dimension),
    shape[dimension]! * shape[dimension + 1]!,
    ...shape.slice(dimension + 2),
  ]);
}

export const allGatherP: Primitive<One, GatherParams> = /* @__PURE__ */ definePrimitive<One, GatherParams>({
  name: "all_gather",
  kind: "collective",
  infer: ([x], { size, dimension, tiled }) => [
    x.withShape(tiled ? x.shape.map((n, i) => (i === dimension ? n * size : n)) : insertAxis(x.shape, dimension, size)),
  ],
  reference: (_, { axis }) => outside(axis),
  lower: (_, { axis }) => outsideLowering(axis),
  jvp: ([x], [dx], p) => ({ primals: [bind1(allGatherP, [x], p)], tangents: [bind1(allGatherP, [dx as NDArray], p)] }),
  transpose: ([ct], [x], p) => [isLinear(x) ? bind1(psumScatterP, [ct as NDArray], p) : null],
  batch: ([x], [d], p, axis) => {
    if (axis.name === p.axis) {
      const all = batchToFront(x, d, axis.size);
      return { outs: [p.tiled ? mergeInto(all, 0, p.dimension) : moveAxis(all, 0, p.dimension)], dims: [null] };
    }
    return { outs: [bind1(allGatherP, [moveAxis(x, d!, 0)], { ...p, dimension: p.dimension + 1 })], dims: [0] };
  },
  axisNames: ({ axis }) => [axis],
});

export const psumScatterP: Primitive<One, GatherParams> = /* @__PURE__ */ definePrimitive<One, GatherParams>({
  name: "reduce_scatter",
  kind: "collective",
  infer: ([x], { size, dimension, tiled }) => {
    const n = x.shape[dimension]!;
    if (tiled ? n % size !== 0 : n !== size)
      throw new ShapeError("ScatterSize", {
        what: `psumScatter: axis ${dimension} of shape ${shapeText(x.shape)} cannot be split among ${size} examples`,
        why: tiled
          ? "each example receives an equal share of the axis"
          : "without tiled, each example receives one entry of the axis",
        fix: tiled ? `make the length a multiple of ${size}` : `make the length ${size}, or pass { tiled: true }`,
      });
    return [
      x.withShape(tiled ? x.shape.map((m, i) => (i === dimension ? m / size : m)) : dropAxes(x.shape, [dimension])),
    ];
  },
  reference: (_, { axis }) => outside(axis),
  lower: (_, { axis }) => outsideLowering(axis),
  jvp: ([x], [dx], p) => ({
    primals: [bind1(psumScatterP, [x], p)],
    tangents: [bind1(psumScatterP, [dx as NDArray], p)],
  }),
  transpose: ([ct], [x], p) => [isLinear(x) ? bind1(allGatherP, [ct as NDArray], p) : null],
  batch: ([x], [d], p, axis) => {
    if (axis.name !== p.axis)
      return { outs: [bind1(psumScatterP, [moveAxis(x, d!, 0)], { ...p, dimension: p.dimension + 1 })], dims: [0] };
    const total = sumAxes(batchToFront(x, d, axis.size), [0]);
    if (!p.tiled) return { outs: [total], dims: [p.dimension] };
    const { shape } = total;
    const share = shape[p.dimension]! / p.size;
    return {
      outs: [reshape(total, [...shape.slice(0, p.dimension), p.size, share, ...shape.slice(p.dimension + 1)])],
      dims: [p.dimension],
    };
  },
  axisNames: ({ axis }) => [axis],
});

export interface AllGatherOptions {
  /** The axis of the result along which the examples lie. Default 0. */
  readonly axis?: number;
  /** Lay the examples end to end along an existing axis. */
  readonly tiled?: boolean;
}

/** Every example's value, stacked along a new axis (or end to end with `tiled`). Works on trees. */
export function allGather<T>(x: T, axisName: string, options: AllGatherOptions = {}): Arrays<T> {
  checkOptions("allGather", options, ["axis", "tiled"]);
  const { axis = 0, tiled = false } = options;
  const size = namedAxisSize(axisName);
  return overTree(x, "allGather", (leaf) => {
    const dimension = canonicalAxis("allGather", axis, tiled ? leaf.ndim : leaf.ndim + 1);
    return bind1(allGatherP, [leaf], { axis: axisName, size, dimension, tiled });
  });
}

/** The sum over a named axis, of which each example keeps its own share along `scatterDimension`. Works on trees. */
export function psumScatter<T>(
  x: T,
  axisName: string,
  options: { readonly scatterDimension?: number; readonly tiled?: boolean } = {},
): Arrays<T> {
  checkOptions("psumScatter", options, ["scatterDimension", "tiled"]);
  const { scatterDimension = 0, tiled = false } = options;
  const size = namedAxisSize(axisName);
  return overTree(x, "psumScatter", (leaf) => {
    const dimension = canonicalAxis("psumScatter", scatterDimension, leaf.ndim);
    return checked(psumScatterP, leaf, { axis: axisName, size, dimension, tiled });
  });
}

// ---------------------------------------------------------------- ppermute

interface PermuteParams {
  readonly axis: string;
  readonly permutation: readonly (readonly [source: number, destination: number])[];
}

export const ppermuteP: Primitive<One, PermuteParams> = /* @__PURE__ */ definePrimitive<One, PermuteParams>({
  name: "ppermute",
  kind: "collective",
  infer: ([x]) => [x],
  reference: (_, { axis }) => outside(axis),
  lower: (_, { axis }) => outsideLowering(axis),
  jvp: ([x], [dx], p) => ({ primals: [bind1(ppermuteP, [x], p)], tangents: [bind1(ppermuteP, [dx as NDArray], p)] }),
  transpose: ([ct], [x], p) => [
    isLinear(x)
      ? bind1(ppermuteP, [ct as NDArray], { ...p, permutation: p.permutation.map(([s, t]) => [t, s] as const) })
      : null,
  ],
  batch: ([x], [d], p, axis) => {
    if (axis.name !== p.axis) return { outs: [bind1(ppermuteP, [x], p)], dims: [d] };
    // Examples that nobody sends to read out of bounds, which fills with zeros.
    const sources = new Int32Array(axis.size).fill(axis.size);
    for (const [s, t] of p.permutation) sources[t] = s;
    const all = batchToFront(x, d, axis.size);
    const indices = evaluator().fromHost({ shape: [axis.size, 1], dtype: "int32", data: sources }, false);
    const dnums = { offsetDims: range(all.ndim).slice(1), collapsedSliceDims: [0], startIndexMap: [0] };
    return {
      outs: [gather(all, indices, dnums, [1, ...all.shape.slice(1)], { mode: "fill", fillValue: 0 })],
      dims: [0],
    };
  },
  axisNames: ({ axis }) => [axis],
});

/** Sends values along a named axis by `[source, destination]` pairs; who receives nothing has zeros. Works on trees. */
export function ppermute<T>(x: T, axisName: string, perm: readonly (readonly [number, number])[]): Arrays<T> {
  const size = namedAxisSize(axisName);
  const bad = perm.find(([s, t]) => ![s, t].every((n) => Number.isInteger(n) && n >= 0 && n < size));
  const twice =
    new Set(perm.map(([s]) => s)).size !== perm.length || new Set(perm.map(([, t]) => t)).size !== perm.length;
  if (bad || twice)
    throw new ArgumentError("InvalidPermutation", {
      what: `ppermute: ${bad ? `[${bad.join(", ")}] is not a pair of positions below ${size}` : "a position sends or receives twice"}`,
      why: "each example sends to at most one other and receives from at most one",
      fix: `use each number from 0 to ${size - 1} at most once as source and once as destination`,
    });
  return overTree(x, "ppermute", (leaf) => bind1(ppermuteP, [leaf], { axis: axisName, permutation: perm }));
}

// ---------------------------------------------------------------- allToAll

interface AllToAllParams {
  readonly axis: string;
  readonly size: number;
  readonly splitAxis: number;
  readonly concatAxis: number;
  readonly tiled: boolean;
}

export const allToAllP: Primitive<One, AllToAllParams> = /* @__PURE__ */ definePrimitive<One, AllToAllParams>({
  name: "all_to_all",
  kind: "collective",
  infer: ([x], { size, splitAxis, concatAxis, tiled }) => {
    const n = x.shape[splitAxis]!;
    if (tiled ? n % size !== 0 : n !== size)
      throw new ShapeError("AllToAllSize", {
        what: `allToAll: axis ${splitAxis} of shape ${shapeText(x.shape)} cannot be split among ${size} examples`,
        why: tiled
          ? "each example receives an equal share of the axis"
          : "without tiled, each example receives one entry of the axis",
        fix: tiled ? `make the length a multiple of ${size}` : `make the length ${size}, or pass { tiled: true }`,
      });
    if (!tiled) return [x.withShape(insertAxis(dropAxes(x.shape, [splitAxis]), concatAxis, size))];
    const shape = [...x.shape];
    shape[splitAxis] = shape[splitAxis]! / size;
    shape[concatAxis] = shape[concatAxis]! * size;
    return [x.withShape(shape)];
  },
  reference: (_, { axis }) => outside(axis),
  lower: (_, { axis }) => outsideLowering(axis),
  jvp: ([x], [dx], p) => ({ primals: [bind1(allToAllP, [x], p)], tangents: [bind1(allToAllP, [dx as NDArray], p)] }),
  transpose: ([ct], [x], p) => [
    isLinear(x) ? bind1(allToAllP, [ct as NDArray], { ...p, splitAxis: p.concatAxis, concatAxis: p.splitAxis }) : null,
  ],
  batch: ([x], [d], p, axis) => {
    const { splitAxis, concatAxis } = p;
    if (axis.name !== p.axis)
      return {
        outs: [bind1(allToAllP, [moveAxis(x, d!, 0)], { ...p, splitAxis: splitAxis + 1, concatAxis: concatAxis + 1 })],
        dims: [0],
      };
    const all = batchToFront(x, d, axis.size);
    const { shape } = all;
    // [example, …, share × part, …] with the shares in front; then each share's examples lie along concatAxis.
    const split = p.tiled
      ? reshape(all, [
          ...shape.slice(0, splitAxis + 1),
          p.size,
          shape[splitAxis + 1]! / p.size,
          ...shape.slice(splitAxis + 2),
        ])
      : all;
    const sharesFirst = moveAxis(split, splitAxis + 1, 0);
    return {
      outs: [p.tiled ? mergeInto(sharesFirst, 1, concatAxis + 1) : moveAxis(sharesFirst, 1, concatAxis + 1)],
      dims: [0],
    };
  },
  axisNames: ({ axis }) => [axis],
});

/**
 * Splits `splitAxis` among the examples of a named axis and joins what each receives along `concatAxis`. Works on trees.
 */
export function allToAll<T>(
  x: T,
  axisName: string,
  splitAxis: number,
  concatAxis: number,
  options: { readonly tiled?: boolean } = {},
): Arrays<T> {
  checkOptions("allToAll", options, ["tiled"]);
  const size = namedAxisSize(axisName);
  return overTree(x, "allToAll", (leaf) => {
    const [s, c] = [canonicalAxis("allToAll", splitAxis, leaf.ndim), canonicalAxis("allToAll", concatAxis, leaf.ndim)];
    return checked(allToAllP, leaf, {
      axis: axisName,
      size,
      splitAxis: s,
      concatAxis: c,
      tiled: options.tiled ?? false,
    });
  });
}

export const primitives: readonly AnyPrimitive[] = [
  psumP,
  pmaxP,
  pminP,
  axisIndexP,
  allGatherP,
  psumScatterP,
  ppermuteP,
  allToAllP,
];
