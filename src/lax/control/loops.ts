/** Loops as users write them: `scan`, `map`, `foriLoop`, `whileLoop`, `associativeScan`. Carries and results are trees. */
import type { Aval } from "../../core/aval.ts";
import type { ArrayLike } from "../../core/arrayMethods.ts";
import {
  type AnyFunction,
  asyncFunction,
  checkCallable,
  checkOptions,
  flattenResult,
  flattenTree,
  nameOf,
} from "../../core/call.ts";
import { isInteger } from "../../core/dtype.ts";
import type { ClosedJaxpr } from "../../core/jaxpr.ts";
import { modes } from "../../core/modes.ts";
import type { NDArray } from "../../core/ndarray.ts";
import { asIndex, scalarLiteral, scalarValue } from "../../core/operands.ts";
import { ArgumentError, ControlFlowError, ShapeError } from "../../core/problem.ts";
import { shapeText } from "../../core/shape.ts";
import { hoistConsts } from "../../core/jaxpr.ts";
import { traceToJaxpr } from "../../core/staging.ts";
import { bind, currentTrace, evalTrace } from "../../core/trace.ts";
import { type TreeDef, describeValue, keyString, leafDef, mapTree, unflatten } from "../../core/tree.ts";
import type { Arrays } from "../../core/types.ts";
import { add } from "../arithmetic.ts";
import { lt } from "../compare.ts";
import { concatenate, expandDims, indexInDim } from "../movement.ts";
import { checkCarry, convertAll, strongerCarry } from "./carry.ts";
import { scanP } from "./scan.ts";
import { whileP } from "./while.ts";

/** Whether loops run as plain JavaScript now. */
const runsDirectly = (): boolean => modes.disableJit && currentTrace() === evalTrace;

/** Traces a loop body, strengthening weakly typed carries until the body gives back what it takes. */
function traceBody(
  trace: (carryAvals: readonly Aval[]) => { readonly closed: ClosedJaxpr; readonly after: readonly Aval[] },
  init: readonly NDArray[],
): { closed: ClosedJaxpr; after: readonly Aval[]; init: NDArray[] } {
  let avals = init.map((x) => x.aval);
  for (;;) {
    const { closed, after } = trace(avals);
    const stronger = strongerCarry(avals, after);
    if (!stronger) return { closed, after, init: convertAll(init, avals) };
    avals = stronger;
  }
}

export interface ScanOptions {
  /** Number of steps; needed only if there are no xs. */
  readonly length?: number | undefined;
  /** Go from the last slice to the first. */
  readonly reverse?: boolean;
  /** How many steps a compiler may put into one turn of its loop; true: all. */
  readonly unroll?: number | boolean;
}

/**
 * Runs `f` over the leading axis of `xs`, with a carry.
 *
 * @param f `(carry, x) => [carry, y]`: pure; traced once, whatever the length.
 * @param init the first carry, a tree; the body must give back the same structure, shapes and dtypes.
 * @param xs a tree of arrays with equal leading length, or null with `length` given.
 * @returns `[carry, ys]`, the ys stacked along a new leading axis.
 * @example
 * lax.scan((sum, x) => [sum.add(x), sum.add(x)], 0, np.array([1, 2, 3])) // [6, [1, 3, 6]]
 */
export function scan<C, X, Y>(
  f: (carry: Arrays<C>, x: Arrays<X>) => readonly [unknown, Y],
  init: C,
  xs: X,
  length?: number | ScanOptions | null,
  options?: ScanOptions,
): [Arrays<C>, Arrays<Y>];
export function scan(
  f: AnyFunction,
  init: unknown,
  xs: unknown,
  lengthOrOptions?: number | ScanOptions | null,
  rest: ScanOptions = {},
): unknown {
  checkCallable("scan", f);
  const options: ScanOptions =
    typeof lengthOrOptions === "object" && lengthOrOptions !== null
      ? lengthOrOptions
      : { ...rest, length: lengthOrOptions ?? rest.length };
  checkOptions("scan", options, ["length", "reverse", "unroll"]);
  const carry = flattenTree(init, "scan", "the initial carry");
  const x = flattenTree(xs, "scan", "xs");
  const length = scanLength(x.leaves, x.def, options.length);
  const reverse = options.reverse ?? false;
  const call = (leaves: readonly NDArray[], slices: readonly NDArray[]): [unknown, unknown] => {
    const result: unknown = f(unflatten(carry.def, leaves), unflatten(x.def, slices));
    return pairOf(result, f);
  };
  // A loop of no steps has no step to take the structure of its results from: that one is traced.
  if (runsDirectly() && length > 0) return scanDirectly(call, carry.leaves, x.leaves, length, reverse, f);
  let yDef: TreeDef = leafDef;
  const sliceAvals = x.leaves.map((a) => a.aval.withShape(a.shape.slice(1)));
  const n = carry.leaves.length;
  const traced = traceBody((avals) => {
    let outDef: TreeDef = leafDef;
    const closed = traceToJaxpr(
      (...args) => {
        const [c, y] = call(args.slice(0, n), args.slice(n));
        const [cFlat, yFlat] = [flattenResult(c, "scan", f), flattenResult(y, "scan", f)];
        [outDef, yDef] = [cFlat.def, yFlat.def];
        return [...cFlat.leaves, ...yFlat.leaves];
      },
      [...avals, ...sliceAvals],
      `scan(${nameOf(f)})`,
    );
    const after = closed.jaxpr.outs.slice(0, outDef.numLeaves).map((a) => a.aval);
    if (!outDef.equals(carry.def)) checkCarry("scan", carry.def, outDef, avals, after);
    return { closed, after };
  }, carry.leaves);
  checkCarry(
    "scan",
    carry.def,
    carry.def,
    traced.init.map((a) => a.aval),
    traced.after,
  );
  const { jaxpr, consts } = traced.closed;
  const unroll = options.unroll === true ? length : Number(options.unroll ?? 1);
  const outs = bind(scanP, [...consts, ...traced.init, ...x.leaves], {
    jaxpr: hoistConsts(jaxpr),
    length,
    reverse,
    numConsts: consts.length,
    numCarry: n,
    unroll,
    linear: false,
  });
  return [unflatten(carry.def, outs.slice(0, n)), unflatten(yDef, outs.slice(n))];
}

function pairOf(result: unknown, f: AnyFunction): [unknown, unknown] {
  if (Array.isArray(result) && result.length === 2) return result as [unknown, unknown];
  if (typeof (result as { then?: unknown } | null)?.then === "function") throw asyncFunction("scan", f);
  throw new ArgumentError("ScanBodyResult", {
    what: `scan: the body ${nameOf(f)} must return [carry, y], but returned ${describeValue(result)}`,
    why: "each step gives the next carry and one output",
    fix: "return a list of two; use null for y if there is no output per step",
  });
}

function scanLength(leaves: readonly NDArray[], def: TreeDef, given: number | undefined): number {
  const paths = def.paths();
  leaves.forEach((x, i) => {
    if (x.ndim > 0) return;
    throw new ShapeError("ScanScalar", {
      what: `scan: xs${keyString(paths[i]!)} is a scalar`,
      why: "scan runs over the leading axis of every array in xs",
      fix: "pass values that are the same at each step by closing over them, or put them into the carry",
    });
  });
  const lengths = leaves.map((x) => x.shape[0]!);
  const length = given ?? lengths[0];
  if (length === undefined)
    throw new ArgumentError("ScanLength", {
      what: "scan: xs has no arrays and no length is given",
      why: "the number of steps comes from the leading axis of xs",
      fix: "pass { length: n }",
    });
  if (lengths.every((n) => n === length)) return length;
  const lines = leaves.map((x, i) => `xs${keyString(paths[i]!)}: ${shapeText(x.shape)}`);
  throw new ShapeError("ScanLengths", {
    what: `scan: the leading axes of xs differ${given === undefined ? "" : `, or differ from length ${given}`}:\n    ${lines.slice(0, 10).join("\n    ")}`,
    why: "all arrays of xs are sliced together, one slice per step",
    fix: "make their leading axes equally long",
  });
}

/** The loop in plain JavaScript, for disableJit. */
function scanDirectly(
  call: (c: readonly NDArray[], x: readonly NDArray[]) => [unknown, unknown],
  init: readonly NDArray[],
  xs: readonly NDArray[],
  length: number,
  reverse: boolean,
  f: AnyFunction,
): unknown {
  let carry: unknown = null;
  let leaves: readonly NDArray[] = init;
  const ys: unknown[] = [];
  for (let k = 0; k < length; k++) {
    const i = reverse ? length - 1 - k : k;
    const [c, y] = call(
      leaves,
      xs.map((x) => indexInDim(x, i, { axis: 0, keepdims: false })),
    );
    const [cFlat, yFlat] = [flattenResult(c, "scan", f), flattenResult(y, "scan", f)];
    leaves = cFlat.leaves;
    carry = unflatten(cFlat.def, leaves);
    ys[i] = unflatten(yFlat.def, yFlat.leaves);
  }
  const stack = (...parts: NDArray[]): NDArray =>
    concatenate(
      parts.map((p) => expandDims(p, [0])),
      0,
    );
  return [carry, mapTree(stack, ys[0], ...ys.slice(1))];
}

/**
 * Repeats `body` while `cond` holds. The number of steps may depend on values; reverse mode is not defined (see scan).
 *
 * @param cond `(carry) => boolean scalar`.
 * @param body `(carry) => carry`, of the same structure, shapes and dtypes.
 * @example
 * lax.whileLoop((x) => np.less(x, 100), (x) => x.mul(2), np.array(1)) // 128
 */
export function whileLoop<C>(
  cond: (carry: Arrays<C>) => unknown,
  body: (carry: Arrays<C>) => unknown,
  init: C,
): Arrays<C>;
export function whileLoop(cond: AnyFunction, body: AnyFunction, init: unknown): unknown {
  checkCallable("whileLoop", cond);
  checkCallable("whileLoop", body);
  const carry = flattenTree(init, "whileLoop", "the initial carry");
  if (runsDirectly()) {
    let value = unflatten(carry.def, carry.leaves);
    while (scalarValue(predicateOf(cond(value), cond))) value = body(value);
    return value;
  }
  const traced = traceBody((avals) => {
    let outDef: TreeDef = leafDef;
    const closed = traceToJaxpr(
      (...args) => {
        const flat = flattenResult(body(unflatten(carry.def, args)), "whileLoop", body);
        outDef = flat.def;
        return flat.leaves;
      },
      avals,
      `whileLoop(${nameOf(body)})`,
    );
    const after = closed.jaxpr.outs.map((a) => a.aval);
    if (!outDef.equals(carry.def)) checkCarry("whileLoop", carry.def, outDef, avals, after);
    return { closed, after };
  }, carry.leaves);
  const avals = traced.init.map((x) => x.aval);
  checkCarry("whileLoop", carry.def, carry.def, avals, traced.after);
  const holds = traceToJaxpr(
    (...args) => [predicateOf(cond(unflatten(carry.def, args)), cond)],
    avals,
    `whileLoop(${nameOf(cond)})`,
  );
  const params = {
    condJaxpr: hoistConsts(holds.jaxpr),
    bodyJaxpr: hoistConsts(traced.closed.jaxpr),
    condConsts: holds.consts.length,
    bodyConsts: traced.closed.consts.length,
  };
  return unflatten(carry.def, bind(whileP, [...holds.consts, ...traced.closed.consts, ...traced.init], params));
}

function predicateOf(p: unknown, cond: AnyFunction): NDArray {
  const { leaves, def } = flattenResult(p, "whileLoop", cond);
  const [x] = leaves;
  if (def.kind === "leaf" && x && x.ndim === 0 && x.dtype === "bool") return x;
  throw new ControlFlowError("Predicate", {
    what: `whileLoop: the condition ${nameOf(cond)} must return a boolean scalar, but returned ${describeValue(p)}`,
    why: "the loop goes on while one boolean holds",
    fix: "compare explicitly (numpy.less(x, 10)), and reduce arrays with numpy.any or numpy.all",
  });
}

/**
 * Counts from `lower` to `upper`, updating a carry. With plain numbers (or concrete arrays) as bounds it is a scan, and
 * reverse mode works; with traced bounds it is a while loop.
 *
 * @param body `(i, carry) => carry`; i is an int32 scalar.
 * @example
 * lax.foriLoop(0, 5, (i, x) => x.add(i), np.array(0)) // 10
 */
export function foriLoop<C>(
  lower: ArrayLike,
  upper: ArrayLike,
  body: (i: NDArray, carry: Arrays<C>) => unknown,
  init: C,
  options: { readonly unroll?: number | boolean } = {},
): Arrays<C> {
  checkCallable("foriLoop", body);
  checkOptions("foriLoop", options, ["unroll"]);
  const [lo, hi] = [bound(lower, "lower"), bound(upper, "upper")];
  const [a, b] = [lo.concrete(), hi.concrete()];
  const start = lo.dtype === hi.dtype ? lo : asIndex(lo, "foriLoop");
  const one = scalarLiteral(1, start.dtype);
  if (a && b) {
    const length = Math.max(0, scalarValue(b) - scalarValue(a));
    const step = ([i, c]: [NDArray, Arrays<C>]): readonly [unknown, unknown] => [[add(i, one), body(i, c)], null];
    const [[, result]] = scan(step as AnyFunction, [start, init], null, { ...options, length }) as unknown as [
      [NDArray, Arrays<C>],
    ];
    return result;
  }
  const [, result] = whileLoop(
    (([i]: [NDArray, unknown]) => lt(i, hi)) as AnyFunction,
    (([i, c]: [NDArray, Arrays<C>]) => [add(i, one), body(i, c)]) as AnyFunction,
    [start, init],
  ) as unknown as [NDArray, Arrays<C>];
  return result;
}

function bound(x: ArrayLike, name: string): NDArray {
  const a = asIndex(x, "foriLoop");
  if (a.ndim === 0 && isInteger(a.dtype)) return a;
  throw new ControlFlowError("LoopBound", {
    what: `foriLoop: the ${name} bound must be an integer scalar, but is ${a.describe()}`,
    why: "the loop counts in steps of one",
    fix: "pass an integer, or an int32 scalar array",
  });
}
