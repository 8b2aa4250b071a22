/**
 * `vmap`: a function of single examples becomes a function of batches. Axes are given as a number, or as trees that are
 * prefixes of the arguments; null leaves an argument as it is.
 */
import { NDArray } from "../core/ndarray.ts";
import { reportNaNs } from "../core/nans.ts";
import { ArgumentError, BatchingError, TreeError } from "../core/problem.ts";
import { batchToFront, moveAxis } from "../core/structural.ts";
import { shapeText } from "../core/shape.ts";
import { type KeyPath, type TreeDef, describeValue, flatten, isContainer, keyString, unflatten } from "../core/tree.ts";
import { batchCall } from "./batch.ts";
import {
  type AnyFunction,
  FlatFunction,
  argumentPath,
  checkCallable,
  checkOptions,
  flattenArgs,
  nameOf,
} from "../core/call.ts";
import { named } from "./gradient.ts";
import { interpreters } from "./interpreters.ts";
import type { Arrays } from "../core/types.ts";

/** An axis for every leaf below it, or a tree of such. */
export type Axes = number | null | readonly Axes[] | { readonly [key: string]: Axes };

export interface VmapOptions {
  /** The axis to map, per argument; null: the argument is the same for every example. Default 0. */
  readonly inAxes?: Axes;
  /** Where the mapped axis goes in the results; null: the result does not depend on the example. Default 0. */
  readonly outAxes?: Axes;
  /** A name for collectives such as `lax.psum` inside the function. */
  readonly axisName?: string;
  /** The number of examples; needed only if no argument is mapped. */
  readonly axisSize?: number;
}

/**
 * Maps `f` over an axis of its arguments, without a loop.
 *
 * @returns a function with the arguments of `f`, each with one more axis where it is mapped.
 * @throws BatchingError if the mapped axes differ in length.
 * @example
 * vmap((x, y) => np.dot(x, y), { inAxes: [0, null] })(np.ones([5, 3]), np.ones(3)) // five threes
 */
export function vmap<A extends readonly unknown[], R>(
  f: (...args: A) => R,
  options: VmapOptions = {},
): (...args: A) => Arrays<R> {
  checkCallable("vmap", f);
  checkOptions("vmap", options, ["inAxes", "outAxes", "axisName", "axisSize", "spmdAxisName"]);
  const { inAxes = 0, outAxes = 0, axisName, axisSize } = options;
  const wrapped = (...args: unknown[]): unknown => {
    const flat = flattenArgs(args, "vmap");
    if (Array.isArray(inAxes) && inAxes.length !== args.length)
      throw new ArgumentError("InAxesLength", {
        what: `vmap: inAxes lists ${inAxes.length} axes, but ${nameOf(f)} was called with ${args.length} ${args.length === 1 ? "argument" : "arguments"}`,
        why: "inAxes has one entry per argument, or is one axis for all",
        fix: "give an axis or null for each argument",
      });
    const dims = spreadAxes(inAxes, flat.def, "inAxes").map((d, i) =>
      canonical(d, flat.leaves[i]!, () => argumentPath(flat.def.paths()[i]!)),
    );
    const size = mappedSize(flat.leaves, dims, flat.def, axisSize);
    const fn = new FlatFunction(f, flat.def, "vmap");
    return reportNaNs(
      () => {
        const out = batchCall(
          fn.call,
          flat.leaves,
          dims,
          { size, name: axisName ?? null },
          `vmap(${nameOf(f)})`,
          interpreters,
        );
        const to = spreadAxes(outAxes, fn.out!, "outAxes");
        const outs = out.outs.map((y, i) =>
          place(y, out.dims[i]!, to[i]!, size, () => keyString(fn.out!.paths()[i]!), f),
        );
        return { tree: unflatten(fn.out!, outs), outs };
      },
      (r) => r.outs,
    ).tree;
  };
  return named(wrapped, f as AnyFunction, "vmap") as unknown as (...args: A) => Arrays<R>;
}

/** One axis per leaf, from a tree of axes that is a prefix of the structure. */
function spreadAxes(axes: Axes, def: TreeDef, option: string): (number | null)[] {
  const out: (number | null)[] = [];
  const walk = (a: Axes | undefined, d: TreeDef, path: KeyPath): void => {
    if (a === null || typeof a === "number") {
      for (let i = 0; i < d.numLeaves; i++) out.push(a);
      return;
    }
    if (typeof a === "object" && !(a instanceof NDArray) && isContainer(a)) {
      const [children, structure] = flatten(a, (x) => x !== a);
      const names = structure.children.map((_, i) => structure.entry(i));
      if (
        d.kind === structure.kind &&
        d.children.length === children.length &&
        names.every((n, i) => keyString([n]) === keyString([d.entry(i)]))
      ) {
        d.children.forEach((c, i) => walk(children[i] as Axes, c, [...path, d.entry(i)]));
        return;
      }
    }
    throw new TreeError("AxesTree", {
      what: `vmap: ${option}${keyString(path)} is ${describeValue(a)}, which does not fit the ${option === "inAxes" ? "arguments" : "result"}: ${String(d)}`,
      why: `${option} is a number, null, or a tree of them that is a prefix of the ${option === "inAxes" ? "argument list" : "result"}`,
      fix: `use a number or null for a whole subtree, or repeat the structure`,
    });
  };
  walk(axes, def, []);
  return out;
}

function canonical(dim: number | null, x: NDArray, path: () => string): number | null {
  if (dim === null) return null;
  if (Number.isInteger(dim) && dim >= -x.ndim && dim < x.ndim) return dim < 0 ? dim + x.ndim : dim;
  throw new BatchingError("MappedAxisRange", {
    what: `vmap: axis ${dim} of ${path()} cannot be mapped: its shape is ${shapeText(x.shape)}`,
    why: "the mapped axis must exist in every leaf it is asked for",
    fix:
      x.ndim === 0
        ? "use null in inAxes for arguments that are the same for every example"
        : `use an axis from ${-x.ndim} to ${x.ndim - 1}, or null`,
  });
}

function mappedSize(
  leaves: readonly NDArray[],
  dims: readonly (number | null)[],
  def: TreeDef,
  axisSize: number | undefined,
): number {
  const sizes = leaves.map((x, i) => (dims[i] === null ? null : x.shape[dims[i]!]!));
  const first = sizes.find((n) => n !== null) ?? axisSize;
  if (first === undefined)
    throw new BatchingError("NothingMapped", {
      what: "vmap: no argument is mapped, and axisSize is not given",
      why: "the number of examples comes from a mapped axis",
      fix: "map at least one argument, or pass { axisSize: n }",
    });
  if (sizes.every((n) => n === null || n === first) && (axisSize === undefined || axisSize === first)) return first;
  const paths = def.paths();
  const lines = sizes.flatMap((n, i) =>
    n === null ? [] : [`${argumentPath(paths[i]!)}: axis ${dims[i]} of ${shapeText(leaves[i]!.shape)} has length ${n}`],
  );
  throw new BatchingError("MappedSizes", {
    what: `vmap: the mapped axes differ in length:\n    ${lines.slice(0, 10).join("\n    ")}${axisSize === undefined ? "" : `\n    axisSize: ${axisSize}`}`,
    why: "all mapped axes run over the same examples",
    fix: "make the lengths equal, choose other axes, or use null in inAxes for arguments that are not mapped",
  });
}

/** Moves the batch axis of a result to where the user wants it. */
function place(
  y: NDArray,
  dim: number | null,
  to: number | null,
  size: number,
  path: () => string,
  f: unknown,
): NDArray {
  if (to === null) {
    if (dim === null) return y;
    throw new BatchingError("OutAxesNull", {
      what: `vmap: the result of ${nameOf(f)}${path() && ` at ${path()}`} depends on the mapped axis, but outAxes is null there`,
      why: "null in outAxes says that all examples give the same result",
      fix: "give the position of the mapped axis in outAxes",
    });
  }
  const ndim = dim === null ? y.ndim + 1 : y.ndim;
  const target = to < 0 ? to + ndim : to;
  if (!Number.isInteger(to) || target < 0 || target >= ndim)
    throw new BatchingError("OutAxesRange", {
      what: `vmap: outAxes asks for axis ${to} of a result with ${ndim} axes${path() && ` at ${path()}`}`,
      why: "the mapped axis is added to the axes of the function's result",
      fix: `use an axis from ${-ndim} to ${ndim - 1}`,
    });
  return dim === null ? moveAxis(batchToFront(y, null, size), 0, target) : moveAxis(y, dim, target);
}
