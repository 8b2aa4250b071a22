/** `associativeScan`: all prefixes of an associative operation, in a number of steps logarithmic in the length. */
import { type AnyFunction, checkCallable, checkOptions, flattenResult, flattenTree } from "../../core/call.ts";
import type { NDArray } from "../../core/ndarray.ts";
import { scalarLiteral } from "../../core/operands.ts";
import { ArgumentError, ShapeError, TreeError } from "../../core/problem.ts";
import { canonicalAxis, shapeText } from "../../core/shape.ts";
import { addAny } from "../../core/structural.ts";
import { type TreeDef, keyString, treeDifferences, unflatten } from "../../core/tree.ts";
import type { Arrays } from "../../core/types.ts";
import { concatenate, pad, rev, sliceInDim } from "../movement.ts";
import { isBool } from "../../core/dtype.ts";
import { bitwiseOr } from "../bitwise.ts";

export interface AssociativeScanOptions {
  /** Accumulate from the end. */
  readonly reverse?: boolean;
  /** The axis to run along. Default 0. */
  readonly axis?: number;
}

/**
 * Prefixes of an associative binary operation along an axis: `[a, f(a, b), f(f(a, b), c), …]`.
 *
 * Works by pairs (Blelloch, "Prefix sums and their applications", 1990): combine neighbours, scan the half as long
 * list, and fill in the places between.
 *
 * @param f `(a, b) => c` on trees of arrays with the axis kept; must be associative.
 * @example
 * lax.associativeScan((a, b) => a.add(b), np.array([1, 2, 3, 4])) // [1, 3, 6, 10]
 */
export function associativeScan<T>(
  f: (a: Arrays<T>, b: Arrays<T>) => unknown,
  elems: T,
  options: AssociativeScanOptions = {},
): Arrays<T> {
  checkCallable("associativeScan", f);
  checkOptions("associativeScan", options, ["reverse", "axis"]);
  const { leaves, def } = flattenTree(elems, "associativeScan", "elems");
  if (leaves.length === 0)
    throw new ArgumentError("NoElements", {
      what: "associativeScan: elems holds no arrays",
      why: "there is nothing to scan",
      fix: "pass an array or a tree of arrays",
    });
  const axes = leaves.map((x) => canonicalAxis("associativeScan", options.axis ?? 0, x.ndim));
  const length = checkLengths(leaves, axes, def);
  const flip = (xs: readonly NDArray[]): NDArray[] =>
    options.reverse ? xs.map((x, i) => rev(x, [axes[i]!])) : [...xs];
  const combine = (a: readonly NDArray[], b: readonly NDArray[]): NDArray[] => {
    const out = flattenResult((f as AnyFunction)(unflatten(def, a), unflatten(def, b)), "associativeScan", f);
    if (out.def.equals(def)) return out.leaves;
    throw new TreeError("ScanStructure", {
      what: `associativeScan: f gives another structure than elems:\n    ${treeDifferences(def, out.def).join("\n    ")}`,
      why: "the operation combines two elements into one of the same kind",
      fix: "return a tree like the arguments",
    });
  };
  return unflatten(def, flip(prefixes(combine, flip(leaves), axes, length))) as Arrays<T>;
}

function checkLengths(leaves: readonly NDArray[], axes: readonly number[], def: TreeDef): number {
  const lengths = leaves.map((x, i) => x.shape[axes[i]!]!);
  if (lengths.every((n) => n === lengths[0])) return lengths[0]!;
  const paths = def.paths();
  throw new ShapeError("ScanLengths", {
    what: `associativeScan: the arrays differ in length along the axis:\n    ${leaves.map((x, i) => `${keyString(paths[i]!) || "elems"}: ${shapeText(x.shape)}`).join("\n    ")}`,
    why: "the arrays are scanned together",
    fix: "make the axes equally long",
  });
}

type Combine = (a: readonly NDArray[], b: readonly NDArray[]) => NDArray[];

function prefixes(combine: Combine, xs: readonly NDArray[], axes: readonly number[], n: number): NDArray[] {
  if (n < 2) return [...xs];
  const part = (ys: readonly NDArray[], start: number, stop: number, stride: number): NDArray[] =>
    ys.map((y, i) => sliceInDim(y, start, stop, stride, axes[i]!));
  const half = Math.floor(n / 2);
  const pairs = combine(part(xs, 0, 2 * half, 2), part(xs, 1, n, 2));
  const odd = prefixes(combine, pairs, axes, half);
  const rest = Math.ceil(n / 2) - 1;
  const even = rest > 0 ? combine(part(odd, 0, rest, 1), part(xs, 2, n, 2)) : [];
  const evens = xs.map((x, i) => {
    const first = sliceInDim(x, 0, 1, 1, axes[i]!);
    return rest > 0 ? concatenate([first, even[i]!], axes[i]!) : first;
  });
  return evens.map((e, i) => interleave(e, odd[i]!, axes[i]!));
}

/** a0 b0 a1 b1 …: both spread out with gaps and laid over each other. */
function interleave(a: NDArray, b: NDArray, axis: number): NDArray {
  const [m, n] = [a.shape[axis]!, b.shape[axis]!];
  const spread = (x: NDArray, low: number, high: number): NDArray =>
    pad(
      x,
      scalarLiteral(0, x.dtype),
      x.shape.map((_, i) => (i === axis ? [low, high, 1] : [0, 0, 0])),
    );
  const total = m + n;
  const [left, right] = [spread(a, 0, total - (2 * m - 1)), spread(b, 1, total - 2 * n)];
  return isBool(a.dtype) ? bitwiseOr(left, right) : addAny(left, right);
}
