/**
 * Rule builders of the elementwise families: a primitive from a scalar function and its derivative.
 *
 * Operands of an elementwise primitive have one shape, except that an operand of shape () goes with any other: it is
 * read again for every element, and its cotangent is summed. Numbers that meet arrays therefore stay scalars in jaxprs.
 * Results are weak exactly if all operands are.
 */
import type { ArrayLike } from "../core/arrayMethods.ts";
import { Aval, avalsEqual } from "../core/aval.ts";
import { type DType, isBool, isComplex, isFloat, isInexact, isInteger, isKey } from "../core/dtype.ts";
import { type HostArray, type TypedArray, allocateLike, lanesOf, roundInPlace } from "../core/hostArray.ts";
import type { Lowering, Operand, Value } from "../core/lowering.ts";
import { elementAt, pointwise, pulled } from "../core/lowerRules.ts";
import { Literal, NDArray } from "../core/ndarray.ts";
import { asArray, promoteOperands, resultType, scalarLiteral } from "../core/operands.ts";
import {
  type Absent,
  type AnyPrimitive,
  type Batched,
  type Each,
  type HasAval,
  type One,
  type OptionalSlots,
  type Primitive,
  type PrimitiveSlots,
  type Tangent,
  type TransposeOperand,
  type Two,
  Zero,
  definePrimitive,
  isLinear,
  notDifferentiable,
} from "../core/primitive.ts";
import { DTypeError, ShapeError, unreachable } from "../core/problem.ts";
import { type Expr, convert as convertScalar, f32 } from "../core/scalar.ts";
import { type Shape, range, shapeText, shapesEqual } from "../core/shape.ts";
import { addTangents, broadcastInDim, broadcastTo, convert, moveAxis, sumAxes } from "../core/structural.ts";
import { bind, bind1 } from "../core/trace.ts";
import { readOptions } from "./arguments.ts";
import type { Complex } from "./complexMath.ts";

// ---------------------------------------------------------------- accepted dtypes

/** A family of dtypes, with its name for messages. */
export interface Accepts {
  readonly text: string;
  readonly has: (d: DType) => boolean;
}
export const floating: Accepts = { text: "floats", has: isFloat };
export const inexact: Accepts = { text: "floats and complex numbers", has: isInexact };
export const numeric: Accepts = { text: "integers, floats and complex numbers", has: (d) => !isBool(d) && !isKey(d) };
export const real: Accepts = { text: "integers and floats", has: (d) => isInteger(d) || isFloat(d) };
export const integral: Accepts = { text: "integers", has: isInteger };
export const logical: Accepts = { text: "booleans and integers", has: (d) => isBool(d) || isInteger(d) };
export const ordered: Accepts = { text: "booleans, integers and floats", has: (d) => !isComplex(d) && !isKey(d) };
export const anyNumber: Accepts = { text: "booleans and numbers", has: (d) => !isKey(d) };
export const anything: Accepts = { text: "anything", has: () => true };

export const notAccepted = (name: string, accepts: Accepts, x: Aval): DTypeError =>
  new DTypeError("UnsupportedDType", {
    what: `${name}: ${String(x)} has a dtype that ${name} does not accept`,
    why: `${name} is defined for ${accepts.text}`,
    fix: isKey(x.dtype)
      ? "draw numbers from the key first, for example with random.uniform(key, [3])"
      : "convert first, for example with x.astype(numpy.float32), or use the function of numpy, which promotes",
  });

export const sameDTypes = (name: string, ins: readonly Aval[]): DTypeError =>
  new DTypeError("DTypeMismatch", {
    what: `${name}: operands have different dtypes, ${ins.map(String).join(" and ")}`,
    why: "functions of lax do not promote; only plain numbers adopt the dtype of the array they meet",
    fix: `use numpy.${name === "sub" ? "subtract" : name === "mul" ? "multiply" : name === "div" ? "divide" : name}, which promotes, or convert one operand with x.astype(dtype)`,
  });

/** The common shape of elementwise operands, where scalars fit everything. */
export function commonShape(name: string, ins: readonly Aval[]): Shape {
  let shape = ins[0]!.shape;
  for (let i = 1; i < ins.length; i++) {
    const s = ins[i]!.shape;
    if (s.length === 0 || shapesEqual(s, shape)) continue;
    if (shape.length > 0)
      throw new ShapeError("ShapeMismatch", {
        what: `${name}: operands have different shapes, ${ins.map((a) => shapeText(a.shape)).join(" and ")}`,
        why: "functions of lax do not broadcast; only scalars go with every shape",
        fix: `use the function of numpy of the same name, which broadcasts, or lax.broadcastInDim`,
      });
    shape = s;
  }
  return shape;
}

/** The aval of an elementwise result. */
export function resultAval(name: string, ins: readonly Aval[], dtype: DType): Aval {
  const shape = commonShape(name, ins);
  const weak = dtype !== "bool" && ins.every((a) => a.weakType);
  const same = ins.find((a) => a.shape === shape && a.dtype === dtype && a.weakType === weak);
  return same ?? new Aval(shape, dtype, weak);
}

// ---------------------------------------------------------------- operands of public functions

const isScalar = (x: unknown): x is number | boolean | bigint =>
  typeof x === "number" || typeof x === "boolean" || typeof x === "bigint";

/** Whether a scalar means the same in a dtype: any number in floats, whole numbers in integers, booleans in bool. */
const fits = (x: number | boolean | bigint, dtype: DType): boolean =>
  typeof x === "boolean" ? isBool(dtype) : isInexact(dtype) || (isInteger(dtype) && Number.isInteger(Number(x)));

/** Two operands of one dtype. A number adopts the dtype of the array it meets, so does a weak array. */
export function pairOf(name: string, x: ArrayLike, y: ArrayLike): readonly [NDArray, NDArray] {
  if (x instanceof NDArray) {
    if (y instanceof NDArray && x.dtype === y.dtype) return [x, y];
    if (isScalar(y) && fits(y, x.dtype)) return [x, scalarLiteral(y, x.dtype, x.weakType)];
  } else if (y instanceof NDArray && isScalar(x) && fits(x, y.dtype)) return [scalarLiteral(x, y.dtype, y.weakType), y];
  return operandsOf(name, [x, y]) as readonly [NDArray, NDArray];
}

/** Operands of one dtype; arrays whose dtypes truly differ are an error. */
export function operandsOf(name: string, xs: readonly ArrayLike[]): readonly NDArray[] {
  const arrays = xs.map((x) => (isScalar(x) ? x : asArray(x, name)));
  const { dtype } = resultType(name, arrays);
  const strong = arrays.filter((x): x is NDArray => x instanceof NDArray && !x.weakType);
  if (strong.some((x) => x.dtype !== dtype)) throw sameDTypes(name, promotedAvals(arrays));
  return promoteOperands(name, arrays);
}

const promotedAvals = (xs: readonly ArrayLike[]): Aval[] =>
  xs.map((x) =>
    x instanceof NDArray
      ? x.aval
      : new Aval([], typeof x === "boolean" ? "bool" : Number.isInteger(x) ? "int32" : "float32", true),
  );

/** A number in an array's dtype, weak so that results keep their weakness. */
export const literalLike = (x: NDArray, value: number): NDArray => scalarLiteral(value, x.dtype, true);

/** The option `accuracy` of JAX's elementary functions: accepted, since results are as accurate as the device can. */
export type AccuracyOptions = readonly [] | readonly [{ readonly accuracy?: unknown }];

/** Applies a primitive of one operand that has JAX's `accuracy` option. */
export function bindUnary(primitive: Primitive<One, null>, x: ArrayLike, options: readonly unknown[]): NDArray {
  if (options.length > 0) readOptions<{ accuracy: unknown }>(primitive.name, ["accuracy"], 0, options);
  return bind1(primitive, [asArray(x, primitive.name)], null);
}

// ---------------------------------------------------------------- broadcasting scalars, batching

/** The cotangent of an operand that may have been broadcast from a scalar, or was of another precision. */
export function unbroadcast(ct: NDArray, aval: Aval): NDArray {
  const summed = aval.ndim === ct.ndim ? ct : sumAxes(ct, range(ct.ndim));
  return summed.dtype === aval.dtype ? summed : convert(summed, aval.dtype);
}

/** Operands of an elementwise primitive with their batch axes brought to one place. */
export function alignBatch(
  xs: readonly NDArray[],
  dims: readonly (number | null)[],
  size: number,
): { xs: readonly NDArray[]; dim: number } {
  const ranks = xs.map((x, i) => x.ndim - (dims[i] === null ? 0 : 1));
  const ndim = Math.max(...ranks);
  const lead = xs.findIndex((_, i) => dims[i] !== null && ranks[i] === ndim);
  const dim = lead < 0 ? 0 : dims[lead]!;
  const full = xs[ranks.indexOf(ndim)]!;
  const inner = full.shape.filter((_, i) => i !== dims[ranks.indexOf(ndim)]);
  const shape = [...inner.slice(0, dim), size, ...inner.slice(dim)];
  const others = range(ndim + 1).filter((i) => i !== dim);
  const moved = xs.map((x, i) => {
    const d = dims[i]!;
    if (ranks[i] === ndim)
      return d === null ? (ndim === 0 ? x : broadcastInDim(x, shape, others)) : moveAxis(x, d, dim);
    return d === null ? x : broadcastInDim(x, shape, [dim]);
  });
  return { xs: moved, dim };
}

/** The batch rule of an elementwise primitive. */
export function batchElementwise(
  primitive: AnyPrimitive,
  xs: readonly NDArray[],
  dims: readonly (number | null)[],
  params: unknown,
  size: number,
): Batched {
  const aligned = alignBatch(xs, dims, size);
  const outs = bind(primitive, aligned.xs, params);
  return { outs, dims: outs.map(() => aligned.dim) };
}

// ---------------------------------------------------------------- derivatives

/** A derivative that is zero wherever it exists. */
export const piecewiseConstant = null;

/** Why primitives on integers and keys have no derivative rule that could be called. */
export const withoutTangents: Absent = /* @__PURE__ */ notDifferentiable(
  "its operands are integers, booleans or keys, which carry no tangents",
  "apply stopGradient to what comes before, or differentiate another argument",
);

/** Tangent of the result from one operand's: (tangent, result, …operands). Null: zero. */
export type Derivative = ((g: NDArray, y: NDArray, ...xs: NDArray[]) => NDArray) | null;

/** The jvp rule of an elementwise primitive from its derivative in each operand. */
export function sumOfDerivatives(
  primitive: AnyPrimitive,
  derivatives: readonly Derivative[],
  xs: readonly NDArray[],
  gs: readonly Tangent[],
  params: unknown,
) {
  const y = bind1(primitive, xs, params);
  let tangent: Tangent = new Zero(y.aval);
  for (let i = 0; i < xs.length; i++) {
    const [d, g] = [derivatives[i], gs[i]!];
    if (d && !(g instanceof Zero)) tangent = addTangents(tangent, broadcastTo(d(g, y, ...xs), y.shape));
  }
  return { primals: [y], tangents: [tangent] };
}

// ---------------------------------------------------------------- one operand

export interface UnarySpec<P> {
  readonly name: string;
  readonly accepts: Accepts;
  readonly real: (x: number, params: P, dtype: DType) => number;
  readonly complex?: (z: Complex, params: P) => Complex;
  /** The same as expressions, in the types of `elementTypes.ts`; `dtype` is the operand's. */
  readonly lower: (x: Expr, params: P, dtype: DType) => Expr;
  readonly complexLower?: (z: Value, params: P) => Value;
  /** What one element costs, in additions. Default: little. */
  readonly cost?: number;
  /** Dtype of the result. Default: that of the operand. */
  readonly result?: (d: DType) => DType;
  readonly derivative: ((g: NDArray, y: NDArray, x: NDArray, params: P) => NDArray) | typeof piecewiseConstant | Absent;
  /** For linear functions: cotangent of the operand. */
  readonly transpose?: (ct: NDArray, x: Aval, params: P) => NDArray;
  /** Checks parameters and operand beyond the dtype. */
  readonly check?: (x: Aval, params: P) => void;
}

/** An elementwise primitive of one operand. */
export function unary<P = null>(spec: UnarySpec<P>, slots: OptionalSlots<One, P> = {}): Primitive<One, P> {
  const { name, accepts, derivative, transpose } = spec;
  const primitive: Primitive<One, P> = definePrimitive<One, P>({
    name,
    kind: "elementwise",
    infer: ([x], params) => {
      if (!accepts.has(x.dtype)) throw notAccepted(name, accepts, x);
      spec.check?.(x, params);
      return [spec.result ? resultAval(name, [x], spec.result(x.dtype)) : x];
    },
    reference: ([x], params, [out]) => [applyUnary(spec, x, params, out!)],
    jvp:
      typeof derivative === "object" && derivative !== null
        ? derivative
        : ([x], [g], params) =>
            sumOfDerivatives(primitive, [derivative && ((g, y, x) => derivative(g, y, x, params))], [x], [g], params),
    transpose: transpose
      ? ([ct], [x], params) => [isLinear(x) ? unbroadcast(transpose(ct as NDArray, x.aval, params), x.aval) : null]
      : "nonlinear",
    batch: ([x], [d], params) => ({ outs: [bind1(primitive, [x], params)], dims: [d] }),
    lower: ([x], params, [out]) => lowerUnary(spec, x, params, out!),
    ...slots,
  });
  return primitive;
}

function lowerUnary<P>({ name, lower, complexLower, cost }: UnarySpec<P>, x: Operand, params: P, out: Aval): Lowering {
  const { dtype } = x.aval;
  if (!isComplex(dtype) && !isComplex(out.dtype)) return pointwise([x], ([v]) => [lower(v!, params, dtype)], cost);
  if (!complexLower) return unreachable(`${name} of complex numbers has no lowering`);
  return pointwise([x], (z) => complexLower(isComplex(dtype) ? z : asComplex(z), params), cost);
}
/** A real element as a complex one. */
const asComplex = ([x]: Value): Value => [convertScalar(x!, "f32"), f32(0)];

function applyUnary<P>(spec: UnarySpec<P>, x: HostArray, params: P, aval: Aval): HostArray {
  const out = allocateLike(aval);
  const from = x.data;
  const to = out.data;
  if (isComplex(x.dtype)) {
    const lanes = lanesOf(out.dtype);
    for (let i = 0, o = 0; i < from.length; i += 2, o += lanes) {
      const z = spec.complex!([from[i]!, from[i + 1]!], params);
      to[o] = z[0];
      if (lanes === 2) to[o + 1] = z[1];
    }
  } else if (isComplex(out.dtype))
    for (let i = 0; i < from.length; i++) [to[2 * i], to[2 * i + 1]] = spec.complex!([from[i]!, 0], params);
  else {
    const { real } = spec;
    for (let i = 0; i < from.length; i++) to[i] = real(from[i]!, params, x.dtype);
  }
  return roundInPlace(out);
}

// ---------------------------------------------------------------- two operands

/**
 * Writes out[i] = f(a[i·sa], b[i·sb]) for all i; a step is 0 where a scalar is read again and again. Steps count elements,
 * so complex loops double them.
 */
export type PairLoop = (out: TypedArray, a: TypedArray, b: TypedArray, sa: number, sb: number, dtype: DType) => void;

/** The loop of a function of two numbers. */
export const eachPair =
  (f: (x: number, y: number, dtype: DType) => number): PairLoop =>
  (out, a, b, sa, sb, dtype) => {
    for (let i = 0, p = 0, q = 0; i < out.length; i++, p += sa, q += sb) out[i] = f(a[p]!, b[q]!, dtype);
  };

/** The loop of a function of two complex numbers. */
export const eachComplexPair =
  (f: (x: Complex, y: Complex) => Complex): PairLoop =>
  (out, a, b, sa, sb) => {
    for (let i = 0, p = 0, q = 0; i < out.length; i += 2, p += 2 * sa, q += 2 * sb) {
      const z = f([a[p]!, a[p + 1]!], [b[q]!, b[q + 1]!]);
      out[i] = z[0];
      out[i + 1] = z[1];
    }
  };

export interface BinarySpec {
  readonly name: string;
  readonly accepts: Accepts;
  readonly loop: PairLoop;
  /** For elements of two numbers: complex, keys. */
  readonly complexLoop?: PairLoop;
  /** The same as expressions, in the types of `elementTypes.ts`; `dtype` is the operands'. */
  readonly lower: (x: Expr, y: Expr, dtype: DType) => Expr;
  /** For operands or results of two numbers. */
  readonly complexLower?: (x: Value, y: Value) => Value;
  /** What one element costs, in additions. Default: little. */
  readonly cost?: number;
  /** Dtype of the result. Default: that of the operands. */
  readonly result?: DType;
  /** Derivatives in the two operands. */
  readonly derivatives: readonly [Derivative, Derivative] | typeof piecewiseConstant | Absent;
  /** For primitives linear in one or both operands: cotangents, before summing to scalars. Asked only for linear ones. */
  readonly transpose?: readonly [Cotangent, Cotangent];
}
/** The cotangent of a linear operand from that of the result and the other operand (undefined if it is linear too). */
export type Cotangent = ((ct: NDArray, other: NDArray) => NDArray) | null;

/** An elementwise primitive of two operands of one dtype. */
export function binary(
  spec: BinarySpec,
  slots: Partial<PrimitiveSlots<Two, null> & OptionalSlots<Two, null>> = {},
): Primitive<Two, null> {
  const { name, derivatives, transpose } = spec;
  const primitive: Primitive<Two, null> = definePrimitive<Two, null>({
    name,
    kind: "elementwise",
    infer: ([a, b]) => [inferBinary(spec, a, b)],
    reference: ([a, b], _, [out]) => [applyBinary(spec, a, b, out!)],
    jvp: isAbsentRule(derivatives)
      ? derivatives
      : (xs, gs) => sumOfDerivatives(primitive, derivatives ?? [], xs, gs, null),
    transpose: transpose ? ([ct], operands) => transposeBinary(transpose, ct as NDArray, operands) : "nonlinear",
    batch: (xs, dims, _, { size }) => batchElementwise(primitive, xs, dims, null, size),
    lower: (xs, _, [out]) => lowerBinary(spec, xs, out!),
    ...slots,
  });
  return primitive;
}

const isAbsentRule = (x: BinarySpec["derivatives"]): x is Absent => x !== null && "absent" in x;

function inferBinary(spec: BinarySpec, a: Aval, b: Aval): Aval {
  if (a.dtype !== b.dtype) throw sameDTypes(spec.name, [a, b]);
  if (!spec.accepts.has(a.dtype)) throw notAccepted(spec.name, spec.accepts, a);
  // The common case first: same shape, result like the operands.
  if (!spec.result && shapesEqual(a.shape, b.shape)) return a.weakType ? b : a;
  return resultAval(spec.name, [a, b], spec.result ?? a.dtype);
}

function applyBinary(spec: BinarySpec, a: HostArray, b: HostArray, aval: Aval): HostArray {
  const out = allocateLike(aval);
  const loop = lanesOf(a.dtype) === 2 ? spec.complexLoop! : spec.loop;
  loop(out.data, a.data, b.data, a.shape.length === 0 ? 0 : 1, b.shape.length === 0 ? 0 : 1, a.dtype);
  return roundInPlace(out);
}

function lowerBinary({ name, lower, complexLower, cost }: BinarySpec, [x, y]: Each<Two, Operand>, out: Aval): Lowering {
  const { dtype } = x.aval;
  if (lanesOf(dtype) === 1 && !isComplex(out.dtype))
    return pulled((index) => {
      const [a] = elementAt(x, index);
      // x − x, x ≠ x: one element, so that the function can see that its operands are the same.
      return [lower(a!, x === y ? a! : elementAt(y, index)[0]!, dtype)];
    }, cost);
  if (!complexLower) return unreachable(`${name} of complex numbers has no lowering`);
  return pointwise([x, y], complexLower, cost);
}

function transposeBinary(
  [left, right]: readonly [Cotangent, Cotangent],
  ct: NDArray,
  [a, b]: Each<Two, TransposeOperand>,
): (NDArray | null)[] {
  return [
    isLinear(a) && left ? unbroadcast(left(ct, b as NDArray), a.aval) : null,
    isLinear(b) && right ? unbroadcast(right(ct, a as NDArray), b.aval) : null,
  ];
}

/**
 * `x`, where the literal `y` is the operation's neutral number and nothing else of the result differs. Complex products
 * and quotients with 1 do differ: infinite parts times 0 are NaN, and some zeros lose their sign.
 */
export const unchangedBy = (neutral: 0 | 1, x: HasAval, y: HasAval, [out]: readonly Aval[]): HasAval | null =>
  y instanceof Literal &&
  y.value === neutral &&
  !Object.is(y.value, -0) &&
  !(neutral === 1 && isComplex(y.dtype)) &&
  avalsEqual(x.aval, out!)
    ? x
    : null;
