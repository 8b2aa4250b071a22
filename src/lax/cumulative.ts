/**
 * Cumulative reductions along one axis, forward or in reverse.
 *
 * The sum is linear: its transpose is the sum in the other direction. The others are differentiated as JAX does it, by an
 * associative scan over pairs (value, tangent): logarithmic depth, O(n) memory per level, exact at zeros and ties.
 */
import type { ArrayLike } from "../core/arrayMethods.ts";
import { type DType, isComplex, isInteger } from "../core/dtype.ts";
import { type HostArray, allocateLike, lanesOf, roundInPlace } from "../core/hostArray.ts";
import type { Value } from "../core/lowering.ts";
import type { NDArray } from "../core/ndarray.ts";
import { asArray } from "../core/operands.ts";
import {
  type AnyPrimitive,
  type JvpResult,
  type One,
  type Primitive,
  definePrimitive,
  isLinear,
} from "../core/primitive.ts";
import { type Expr, equal, like, minus, negate, plus, select, times, unary } from "../core/scalar.ts";
import { canonicalAxis, sizeOf } from "../core/shape.ts";
import { stopGradientArray } from "../core/structural.ts";
import { bind1 } from "../core/trace.ts";
import { readOptions } from "./arguments.ts";
import { abs, addArrays, isFinite, maxArrays, maxP, minP, mulArrays, shareOf, subArrays } from "./arithmetic.ts";
import { larger, smaller } from "./arithmeticLowering.ts";
import { eq, select as selectArray } from "./compare.ts";
import * as complexLowering from "./complexLowering.ts";
import * as complex from "./complexMath.ts";
import { exp, log } from "./elementary.ts";
import { concatenate, pad, rev, slice } from "./movement.ts";
import { type Accepts, anyNumber, floating, literalLike, notAccepted, numeric } from "./rules.ts";

export interface CumulativeParams {
  readonly axis: number;
  readonly reverse: boolean;
}

// ---------------------------------------------------------------- associative scan

type Elements = readonly NDArray[];
type Combine = (earlier: Elements, later: Elements) => Elements;

/** Every second element along an axis, from `start`, up to `limit`. */
function everySecond(x: NDArray, axis: number, start: number, limit: number): NDArray {
  const [starts, limits, strides] = [x.shape.map(() => 0), [...x.shape], x.shape.map(() => 1)];
  [starts[axis], limits[axis], strides[axis]] = [start, limit, 2];
  return slice(x, starts, limits, strides);
}

/** a0 b0 a1 b1 …, by spreading both over zeros and adding; only one of the two is nonzero anywhere. */
function interleave(a: NDArray, b: NDArray, axis: number): NDArray {
  const [n, m] = [a.shape[axis]!, b.shape[axis]!];
  const spread = (x: NDArray, low: number, high: number): NDArray =>
    pad(
      x,
      literalLike(x, 0),
      x.shape.map((_, i) => (i === axis ? [low, high, 1] : [0, 0, 0])),
    );
  return addArrays(spread(a, 0, n === m ? 1 : 0), spread(b, 1, n === m ? 0 : 1));
}

/** All prefixes of an associative operation: pairs are combined, scanned recursively, and combined with the elements between. */
function prefixes(combine: Combine, xs: Elements, axis: number): Elements {
  const n = xs[0]!.shape[axis]!;
  if (n < 2) return xs;
  const at = (list: Elements, start: number, limit: number): Elements =>
    list.map((x) => everySecond(x, axis, start, limit));
  const odd = prefixes(combine, combine(at(xs, 0, n - 1), at(xs, 1, n)), axis);
  const head = xs.map((x) => first(x, axis, 1));
  if (n === 2) return head.map((h, i) => concatenate([h, odd[i]!], axis));
  const before = n % 2 === 0 ? odd.map((x) => first(x, axis, n / 2 - 1)) : odd;
  const even = combine(before, at(xs, 2, n));
  return head.map((h, i) => interleave(concatenate([h, even[i]!], axis), odd[i]!, axis));
}

/** The first `count` elements along an axis. */
const first = (x: NDArray, axis: number, count: number): NDArray =>
  slice(
    x,
    x.shape.map(() => 0),
    x.shape.map((n, i) => (i === axis ? count : n)),
  );

function scan(combine: Combine, xs: Elements, { axis, reverse }: CumulativeParams): Elements {
  if (!reverse) return prefixes(combine, xs, axis);
  const turned = xs.map((x) => rev(x, [axis]));
  return prefixes(combine, turned, axis).map((x) => rev(x, [axis]));
}

// ---------------------------------------------------------------- builder

interface CumulativeSpec {
  readonly name: string;
  readonly accepts: Accepts;
  /** Combines the running value with the next element; called from the second element on. */
  readonly step: (running: number, x: number, dtype: DType) => number;
  readonly complexStep?: (running: complex.Complex, z: complex.Complex) => complex.Complex;
  /** The same as expressions. */
  readonly lower: (running: Expr, x: Expr) => Expr;
  readonly complexLower?: (running: Value, z: Value) => Value;
  /** The operation on pairs (value, tangent); null for the sum, which is linear. */
  readonly pairs: Combine | null;
}

function cumulative(spec: CumulativeSpec): Primitive<One, CumulativeParams> {
  const { name, accepts, pairs } = spec;
  const bindTo = (x: NDArray, params: CumulativeParams): NDArray => bind1(primitive, [x], params);
  const primitive: Primitive<One, CumulativeParams> = definePrimitive<One, CumulativeParams>({
    name,
    kind: "cumulative",
    infer: ([x]) => {
      if (!accepts.has(x.dtype)) throw notAccepted(name, accepts, x);
      return [x];
    },
    reference: ([x], { axis, reverse }) => [accumulate(spec, x, axis, reverse)],
    jvp: ([x], [g], params): JvpResult => ({
      primals: [bindTo(x, params)],
      tangents: [pairs ? scan(pairs, [x, g as NDArray], params)[1]! : bindTo(g as NDArray, params)],
    }),
    transpose: pairs
      ? "nonlinear"
      : ([ct], [x], { axis, reverse }) => [isLinear(x) ? bindTo(ct as NDArray, { axis, reverse: !reverse }) : null],
    batch: ([x], [d], { axis, reverse }) => ({
      outs: [bindTo(x, { axis: axis < d! ? axis : axis + 1, reverse })],
      dims: [d],
    }),
    lower: ([x], { axis, reverse }) => ({
      form: "prefix",
      axis,
      reverse,
      element: (index) => x.at(index),
      combine: isComplex(x.aval.dtype) ? spec.complexLower! : ([a], [b]) => [spec.lower(a!, b!)],
    }),
  });
  return primitive;
}

/** Runs along the axis for every position of the other axes. Running values are kept in float64. */
function accumulate(spec: CumulativeSpec, x: HostArray, axis: number, reverse: boolean): HostArray {
  const out = allocateLike(x);
  const lanes = lanesOf(x.dtype);
  const n = x.shape[axis]!;
  if (x.data.length === 0) return out;
  const inner = sizeOf(x.shape.slice(axis + 1)) * lanes;
  const stride = reverse ? -inner : inner;
  const run = isComplex(x.dtype) ? runComplex : runReal;
  for (let block = 0; block < x.data.length; block += n * inner)
    for (let k = 0; k < inner; k += lanes) run(spec, x, out, block + k + (reverse ? (n - 1) * inner : 0), stride, n);
  return roundInPlace(out);
}
function runReal(
  { step }: CumulativeSpec,
  { data, dtype }: HostArray,
  out: HostArray,
  start: number,
  stride: number,
  n: number,
): void {
  let running = data[start]!;
  for (let j = 0, p = start; j < n; j++, p += stride)
    out.data[p] = j === 0 ? running : (running = step(running, data[p]!, dtype));
}
function runComplex(
  { complexStep }: CumulativeSpec,
  { data }: HostArray,
  out: HostArray,
  start: number,
  stride: number,
  n: number,
): void {
  let running: complex.Complex = [data[start]!, data[start + 1]!];
  for (let j = 0, p = start; j < n; j++, p += stride) {
    if (j > 0) running = complexStep!(running, [data[p]!, data[p + 1]!]);
    out.data[p] = running[0];
    out.data[p + 1] = running[1];
  }
}

// ---------------------------------------------------------------- the primitives

export const cumsumP: Primitive<One, CumulativeParams> = /* @__PURE__ */ cumulative({
  name: "cumsum",
  accepts: numeric,
  step: (sum, x, dtype) => (isInteger(dtype) ? (sum + x) | 0 : sum + x),
  complexStep: complex.add,
  lower: plus,
  complexLower: complexLowering.add,
  pairs: null,
});

export const cumprodP: Primitive<One, CumulativeParams> = /* @__PURE__ */ cumulative({
  name: "cumprod",
  accepts: numeric,
  step: (product, x, dtype) => (isInteger(dtype) ? Math.imul(product, x) : product * x),
  complexStep: complex.mul,
  lower: times,
  complexLower: complexLowering.mul,
  pairs: ([x, dx], [y, dy]) => [mulArrays(x!, y!), addArrays(mulArrays(dx!, y!), mulArrays(x!, dy!))],
});

/** Pairs of an extremum: the winner's tangent, half of each at ties. */
const winner =
  (primitive: AnyPrimitive): Combine =>
  ([x, dx], [y, dy]) => {
    const z = bind1(primitive, [x!, y!], null);
    return [z, addArrays(mulArrays(dx!, shareOf(x!, z, y!)), mulArrays(dy!, shareOf(y!, z, x!)))];
  };

export const cummaxP: Primitive<One, CumulativeParams> = /* @__PURE__ */ cumulative({
  name: "cummax",
  accepts: anyNumber,
  step: (a, b) => Math.max(a, b),
  complexStep: complex.lexicographicMax,
  lower: larger,
  complexLower: complexLowering.lexicographicMax,
  pairs: (a, b) => winner(maxP)(a, b),
});
export const cumminP: Primitive<One, CumulativeParams> = /* @__PURE__ */ cumulative({
  name: "cummin",
  accepts: anyNumber,
  step: (a, b) => Math.min(a, b),
  complexStep: complex.lexicographicMin,
  lower: smaller,
  complexLower: complexLowering.lexicographicMin,
  pairs: (a, b) => winner(minP)(a, b),
});

/** log(e^x + e^y) without overflow; equal infinities stay. */
function logAddExp(x: number, y: number): number {
  const m = Math.max(x, y);
  return m === -Infinity || m === Infinity ? m : m + Math.log1p(Math.exp(-Math.abs(x - y)));
}
function logAddExpLowering(x: Expr, y: Expr): Expr {
  const m = larger(x, y);
  const distance = unary("abs", minus(x, y));
  const infinite = equal(unary("abs", m), like(m, Infinity));
  return select(infinite, m, plus(m, unary("log1p", unary("exp", negate(distance)))));
}
/**
 * The same on arrays. The larger operand is taken out as a constant, so that derivatives of all orders are those of the
 * smooth function, also where the operands are equal; `safe` keeps 0/0 out of the branch that is not chosen.
 */
function logAddExpArrays(x: NDArray, y: NDArray): NDArray {
  const greater = maxArrays(x, y);
  const finite = isFinite(greater);
  const m = selectArray(finite, stopGradientArray(greater), literalLike(x, 0));
  const sum = addArrays(exp(subArrays(x, m)), exp(subArrays(y, m)));
  const safe = selectArray(finite, sum, literalLike(x, 1));
  return selectArray(finite, addArrays(m, log(safe)), greater);
}
const finiteOrZero = (x: NDArray): NDArray => selectArray(eq(abs(x), Infinity), literalLike(x, 0), x);

export const cumlogsumexpP: Primitive<One, CumulativeParams> = /* @__PURE__ */ cumulative({
  name: "cumlogsumexp",
  accepts: floating,
  step: logAddExp,
  lower: logAddExpLowering,
  // d log(e^x + e^y) = e^(x − z) dx + e^(y − z) dy
  pairs: ([x, dx], [y, dy]) => {
    const z = logAddExpArrays(x!, y!);
    const weight = (v: NDArray): NDArray => exp(subArrays(finiteOrZero(v), finiteOrZero(z)));
    return [z, addArrays(mulArrays(dx!, weight(x!)), mulArrays(dy!, weight(y!)))];
  },
});

/** For each element along an axis the product of all others: prefix times suffix, so that zeros need no case. */
export function productOfOthers(x: NDArray, axis: number): NDArray {
  const n = x.shape[axis]!;
  if (n === 0) return x;
  const one = literalLike(x, 1);
  const shift = (y: NDArray, by: number): NDArray =>
    pad(
      y,
      one,
      y.shape.map((_, i) => (i === axis ? [by, -by, 0] : [0, 0, 0])),
    );
  return mulArrays(
    shift(bind1(cumprodP, [x], { axis, reverse: false }), 1),
    shift(bind1(cumprodP, [x], { axis, reverse: true }), -1),
  );
}

// ---------------------------------------------------------------- public functions

type Rest = readonly (number | boolean | Partial<CumulativeParams>)[];

function apply(primitive: Primitive<One, CumulativeParams>, operand: ArrayLike, rest: Rest): NDArray {
  const { name } = primitive;
  const x = asArray(operand, name);
  const { axis = 0, reverse = false } = readOptions<CumulativeParams>(name, ["axis", "reverse"], 2, rest);
  return bind1(primitive, [x], { axis: canonicalAxis(name, axis, x.ndim), reverse });
}

/** Sums of the elements up to each one along an axis (default 0); from each one on with `reverse`. */
export const cumsum = (operand: ArrayLike, ...rest: Rest): NDArray => apply(cumsumP, operand, rest);
export const cumprod = (operand: ArrayLike, ...rest: Rest): NDArray => apply(cumprodP, operand, rest);
export const cummax = (operand: ArrayLike, ...rest: Rest): NDArray => apply(cummaxP, operand, rest);
export const cummin = (operand: ArrayLike, ...rest: Rest): NDArray => apply(cumminP, operand, rest);
/** log of the sum of exponentials up to each element. */
export const cumlogsumexp = (operand: ArrayLike, ...rest: Rest): NDArray => apply(cumlogsumexpP, operand, rest);

export const primitives: readonly AnyPrimitive[] = [cumsumP, cumprodP, cummaxP, cumminP, cumlogsumexpP];
