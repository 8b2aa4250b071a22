/** Arrays made from values, from nothing, and by counting. */
import type { ArrayLike } from "../core/arrayMethods.ts";
import { Aval } from "../core/aval.ts";
import { optimizationBarrier } from "../core/barrier.ts";
import { type DType, isComplex, isInexact, isInteger, isKey, parseDType, realDType } from "../core/dtype.ts";
import { evaluator } from "../core/evaluator.ts";
import { type HostArray, allocate } from "../core/hostArray.ts";
import { Literal, NDArray } from "../core/ndarray.ts";
import { asArray, promoteOperands, resultType, scalarLiteral, scalarValue } from "../core/operands.ts";
import { ArgumentError } from "../core/problem.ts";
import { broadcastShapes, canonicalAxis, insertAxis, parseShape, range } from "../core/shape.ts";
import { ShapeDtypeStruct } from "../core/shapeDtypeStruct.ts";
import { broadcastInDim, broadcastTo, convert, convertHost, full as filled, transpose } from "../core/structural.ts";
import { currentTrace, evalTrace } from "../core/trace.ts";
import { addArrays, divArrays, floor, mulArrays, sign, subArrays } from "../lax/arithmetic.ts";
import { convertElementType } from "../lax/cast.ts";
import { neArrays } from "../lax/compare.ts";
import { fillValueOf, iota } from "../lax/creation.ts";
import { concatenateArrays, expandDims } from "../lax/movement.ts";
import { literalLike } from "../lax/rules.ts";
import { power } from "./arithmetic.ts";
import { type Rest, given, integer, onlyAs, optionalDType } from "./arguments.ts";
import { log10 } from "./elementary.ts";

export interface DTypeOptions {
  readonly dtype?: DType | null | undefined;
  /** Accepted for JAX's signature: arrays are made on the default device. */
  readonly device?: unknown;
}
export const dtypeNames = ["dtype", "device"] as const;

// ---------------------------------------------------------------- from values

export interface ArrayOptions extends DTypeOptions {
  /** Accepted for numpy's signature: arrays are immutable, and data of others is always copied. */
  readonly copy?: boolean | null | undefined;
  /** Accepted for numpy's signature: arrays have no memory order. */
  readonly order?: "K" | null | undefined;
  /** The least number of axes; new ones come first. */
  readonly ndmin?: number | undefined;
}
const noOrder = (name: string, order: unknown): void =>
  onlyAs(name, "order", order, ["K"], "leave it out; numpy.ravel and numpy.reshape take an order of elements");

/** A nested list that holds arrays. */
const holdsArrays = (x: unknown): boolean => Array.isArray(x) && x.some((y) => y instanceof NDArray || holdsArrays(y));

/** Every array and number in a nested list. */
const leavesOf = (x: ArrayLike): ArrayLike[] =>
  Array.isArray(x) && holdsArrays(x) ? (x as readonly ArrayLike[]).flatMap(leavesOf) : [x];

/** Stacks a nested list of arrays and numbers. */
function stackNested(x: ArrayLike, dtype: DType): NDArray {
  if (!Array.isArray(x) || !holdsArrays(x)) return fromValues(x, dtype);
  const parts = (x as readonly ArrayLike[]).map((y) => stackNested(y, dtype));
  return concatenateArrays(
    parts.map((y) => expandDims(y, [0])),
    0,
  );
}

/** Numbers in a nest, in order, without a detour over float32. */
function numbersOf(x: unknown, out: number[]): void {
  if (Array.isArray(x)) for (const y of x) numbersOf(y, out);
  else if (ArrayBuffer.isView(x)) for (const y of x as unknown as Iterable<number | bigint>) out.push(Number(y));
  else out.push(Number(x));
}

/** An array of a given dtype. Whole numbers wrap in integer dtypes, others are cut toward zero. */
function fromValues(x: ArrayLike, dtype: DType): NDArray {
  if (x instanceof NDArray) return convertElementType(x, dtype);
  if (typeof x === "number" || typeof x === "boolean" || typeof x === "bigint") return scalarLiteral(x, dtype);
  const checked = asArray(x, "array");
  if (!isInteger(dtype) && dtype !== "float64") return convert(checked, dtype);
  const values: number[] = [];
  numbersOf(x, values);
  const data = allocate(dtype, values.length);
  const host: HostArray = convertHost(
    { shape: checked.shape, dtype: "float64", data: Float64Array.from(values) },
    dtype,
  );
  for (let i = 0; i < values.length; i++) data[i] = Number.isInteger(values[i]) ? values[i]! : host.data[i]!;
  return evaluator().fromHost({ shape: checked.shape, dtype, data }, false);
}

const isScalar = (x: unknown): x is number | boolean | bigint =>
  typeof x === "number" || typeof x === "boolean" || typeof x === "bigint";

/**
 * An array from numbers, booleans, typed arrays, nests of them, or arrays, which are stacked. Numbers give float32,
 * typed arrays keep their dtype.
 *
 * @param object the values
 * @example
 * np.array([[1, 2], [3, 4]]) // [[1, 2], [3, 4]]
 */
export function array(object: ArrayLike, ...rest: Rest<[DType | null], ArrayOptions>): NDArray {
  const names = [...dtypeNames, "copy", "ndmin", "order"] as const;
  const { dtype = null, ndmin = 0, order } = given<ArrayOptions>("array", names, 1, rest);
  noOrder("array", order);
  const type = optionalDType(dtype);
  let x: NDArray;
  if (holdsArrays(object)) x = stackNested(object, type ?? resultType("array", leavesOf(object)).dtype);
  else x = type ? fromValues(object, type) : asArray(object, "array");
  // Made on purpose, a scalar is an array like any other: not weak, and, outside of tracing, with a buffer of its own.
  if (x.weakType) x = convert(x, x.dtype);
  if (x instanceof Literal && currentTrace() === evalTrace) x = evaluator().materialize(x);
  return x.ndim < ndmin ? expandDims(x, range(ndmin - x.ndim)) : x;
}

/**
 * An array from anything array-like; an array is returned as it is.
 *
 * @example
 * np.asarray([1, 2, 3]) // [1, 2, 3]
 */
export function asarray(a: ArrayLike, ...rest: Rest<[DType | null], Omit<ArrayOptions, "ndmin">>): NDArray {
  const { dtype = null, order } = given<ArrayOptions>("asarray", [...dtypeNames, "copy", "order"], 1, rest);
  noOrder("asarray", order);
  return isScalar(a) && dtype === null ? asArray(a, "asarray") : array(a, { dtype });
}

/**
 * The array with another dtype. Floats become integers by cutting off, complex numbers lose their imaginary part.
 *
 * @example
 * np.astype(np.array([1.7, -1.7]), "int32") // [1, -1]
 */
export function astype(
  x: ArrayLike,
  dtype: DType,
  ...rest: Rest<[], { readonly copy?: boolean; readonly device?: unknown }>
): NDArray {
  given<{ copy: boolean; device: unknown }>("astype", ["copy", "device"], 0, rest);
  const a = asArray(x, "astype");
  const type = parseDType(dtype);
  return isComplex(a.dtype) && type === "bool" ? neArrays(a, literalLike(a, 0)) : convertElementType(a, type);
}

/**
 * An array of the same values in memory of its own. Values never change, so one needs it only where memory is given away: of
 * an array that is disposed of or donated, the copy stays.
 *
 * @example
 * const x = np.array([1, 2]);
 * const y = np.copy(x);
 * x.dispose();
 * y // [1, 2]
 */
export function copy(a: ArrayLike): NDArray {
  const x = asArray(a, "copy");
  return currentTrace() === evalTrace ? optimizationBarrier(x) : x;
}

// ---------------------------------------------------------------- constants

type ShapeLike = number | readonly number[];
type FillRest = Rest<[DType | null], DTypeOptions>;

function constant(name: string, shape: ShapeLike, value: number, rest: readonly unknown[]): NDArray {
  const { dtype = null } = given<DTypeOptions>(name, dtypeNames, 1, rest);
  return filled(parseShape(name, shape), value, optionalDType(dtype) ?? "float32");
}

/**
 * An array of zeros.
 *
 * @example
 * np.zeros([2, 2], "int32") // [[0, 0], [0, 0]]
 */
export const zeros = (shape: ShapeLike, ...rest: FillRest): NDArray => constant("zeros", shape, 0, rest);

/**
 * An array of ones.
 *
 * @example
 * np.ones(3) // [1, 1, 1]
 */
export const ones = (shape: ShapeLike, ...rest: FillRest): NDArray => constant("ones", shape, 1, rest);

/**
 * An array of unspecified values: zeros.
 *
 * @example
 * np.empty([2]) // [0, 0]
 */
export const empty = (shape: ShapeLike, ...rest: FillRest): NDArray => constant("empty", shape, 0, rest);

/**
 * An array filled with a value, which is broadcast. Whole numbers give int32.
 *
 * @example
 * np.full([2, 2], 0.5) // [[0.5, 0.5], [0.5, 0.5]]
 */
export function full(shape: ShapeLike, fillValue: ArrayLike, ...rest: FillRest): NDArray {
  const { dtype = null } = given<DTypeOptions>("full", dtypeNames, 1, rest);
  const type = optionalDType(dtype);
  const value = type && typeof fillValue === "number" ? scalarLiteral(fillValue, type) : fillValueOf("full", fillValue);
  return broadcastTo(type ? convertElementType(value, type) : value, parseShape("full", shape));
}

export interface LikeOptions extends DTypeOptions {
  readonly shape?: ShapeLike | null | undefined;
}
type LikeRest = Rest<[DType | null, ShapeLike | null], LikeOptions>;
type LikeSource = ArrayLike | ShapeDtypeStruct;

function like(name: string, a: LikeSource, value: ArrayLike, rest: readonly unknown[]): NDArray {
  const { dtype = null, shape = null } = given<LikeOptions>(name, ["dtype", "shape", "device"], 2, rest);
  const aval = a instanceof ShapeDtypeStruct ? a.aval : asArray(a, name).aval;
  const target = shape === null ? aval.shape : parseShape(name, shape);
  const type = optionalDType(dtype);
  const weak = type === null && aval.weakType;
  const d = type ?? aval.dtype;
  if (typeof value === "number" && !isKey(d)) return broadcastTo(scalarLiteral(value, d, weak), target);
  return broadcastTo(convert(convertElementType(value, d), d, weak), target);
}

/**
 * Zeros in the shape and dtype of another array.
 *
 * @example
 * np.zerosLike(np.array([1, 2])) // [0, 0]
 */
export const zerosLike = (a: LikeSource, ...rest: LikeRest): NDArray => like("zerosLike", a, 0, rest);

/**
 * Ones in the shape and dtype of another array.
 *
 * @example
 * np.onesLike(np.array([1, 2]), "int32") // [1, 1]
 */
export const onesLike = (a: LikeSource, ...rest: LikeRest): NDArray => like("onesLike", a, 1, rest);

/**
 * Unspecified values (zeros) in the shape and dtype of another array.
 *
 * @example
 * np.emptyLike(np.array([1, 2])) // [0, 0]
 */
export const emptyLike = (a: LikeSource, ...rest: LikeRest): NDArray => like("emptyLike", a, 0, rest);

/**
 * One value in the shape and dtype of another array.
 *
 * @example
 * np.fullLike(np.array([1, 2]), 7) // [7, 7]
 */
export const fullLike = (a: LikeSource, fillValue: ArrayLike, ...rest: LikeRest): NDArray =>
  like("fullLike", a, fillValue, rest);

// ---------------------------------------------------------------- counting

/** A bound of `arange` as a plain number; whether it counts as an integer. */
function bound(x: ArrayLike): { value: number; dtype: DType; weak: boolean } {
  if (typeof x === "number" || typeof x === "bigint")
    return { value: Number(x), dtype: Number.isInteger(Number(x)) ? "int32" : "float32", weak: true };
  const a = asArray(x, "arange");
  if (isComplex(a.dtype) || a.ndim > 0)
    throw new ArgumentError("RangeBound", {
      what: `arange: a bound is ${a.describe()}`,
      why: "counting goes from one real number to another",
      fix: "pass plain numbers",
    });
  return { value: scalarValue(a), dtype: a.dtype, weak: a.weakType };
}

/**
 * Numbers from `start` (default 0) up to, not including, `stop`, `step` apart. Whole numbers give int32.
 *
 * @example
 * np.arange(3) // [0, 1, 2]
 */
export function arange(
  start: ArrayLike,
  ...rest: Rest<[ArrayLike | null, ArrayLike | null, DType | null], ArangeOptions>
): NDArray {
  const options = given<ArangeOptions>("arange", ["stop", "step", "dtype", "device"], 3, rest);
  const from = options.stop == null ? 0 : start;
  const to = options.stop ?? start;
  const given_ = [...(options.stop == null ? [] : [bound(from)]), bound(to)];
  const step = options.step == null ? null : bound(options.step);
  const all = step ? [...given_, step] : given_;
  const promoted = resultType(
    "arange",
    all.map(({ dtype, weak }) => scalarLiteral(0, dtype, weak)),
  ).dtype;
  const dtype = optionalDType(options.dtype) ?? promoted;
  const [a, b] = given_.length === 2 ? [given_[0]!.value, given_[1]!.value] : [0, given_[0]!.value];
  if (step?.value === 0)
    throw new ArgumentError("ZeroStep", {
      what: "arange: the step is 0",
      why: "counting would never end",
      fix: "give a step that is not 0",
    });
  const size = Math.max(0, Math.ceil((b - a) / (step?.value ?? 1)));
  const counted = iota(wideCount(dtype), size);
  const scaled = step && step.value !== 1 ? mulArrays(scalarLiteral(step.value, counted.dtype), counted) : counted;
  const moved = a === 0 ? scaled : addArrays(scalarLiteral(a, counted.dtype), scaled);
  return convert(moved, dtype);
}
/** Halves count in float32, booleans in int32. */
const wideCount = (d: DType): DType => (d === "float16" || d === "bfloat16" ? "float32" : d === "bool" ? "int32" : d);

export interface ArangeOptions extends DTypeOptions {
  readonly stop?: ArrayLike | null | undefined;
  readonly step?: ArrayLike | null | undefined;
}

export interface SpacingOptions extends DTypeOptions {
  /** Number of samples, 50. */
  readonly num?: number | undefined;
  /** Whether `stop` is the last sample. */
  readonly endpoint?: boolean | undefined;
  /** Where the axis of the samples goes. */
  readonly axis?: number | undefined;
}
export interface LinspaceOptions extends SpacingOptions {
  /** Whether to give the step as well. */
  readonly retstep?: boolean | undefined;
}

/** Both ends in the dtype of the computation, and the dtype of the result. */
function ends(name: string, start: ArrayLike, stop: ArrayLike, dtype: DType | null | undefined) {
  const [a, b] = promoteOperands(name, [start, stop], true) as [NDArray, NDArray];
  const result = optionalDType(dtype) ?? a.dtype;
  const computed = isInexact(result) ? result : "float32";
  return { a: convertElementType(a, computed), b: convertElementType(b, computed), result, computed };
}

function spaced(name: string, start: ArrayLike, stop: ArrayLike, options: SpacingOptions): readonly [NDArray, NDArray] {
  const { num = 50, endpoint = true, axis = 0, dtype } = options;
  const { a, b, result, computed } = ends(name, start, stop, dtype);
  if (integer(name, "num", num) < 0)
    throw new ArgumentError("NegativeCount", {
      what: `${name}: num is ${num}`,
      why: "it counts samples",
      fix: "give 0 or more",
    });
  const shape = broadcastShapes(name, [a.shape, b.shape]);
  const [from, to] = [broadcastTo(a, shape), broadcastTo(b, shape)];
  const at = canonicalAxis(name, axis, shape.length + 1);
  const div = endpoint ? num - 1 : num;
  const nan = new Literal(new Aval([], computed), NaN);
  let out: NDArray;
  let delta: NDArray = nan;
  if (num > 1) {
    delta = divArrays(subArrays(to, from), literalLike(to, div));
    const steps = divArrays(iota(realDType(computed), div), scalarLiteral(div, realDType(computed)));
    const fullShape = insertAxis(shape, at, div);
    const t = broadcastInDim(convert(steps, computed), fullShape, [at]);
    const others = range(fullShape.length).filter((i) => i !== at);
    const spread = (x: NDArray): NDArray => broadcastInDim(x, fullShape, others);
    const one = literalLike(t, 1);
    out = addArrays(mulArrays(spread(from), subArrays(one, t)), mulArrays(spread(to), t));
    if (endpoint) out = concatenateArrays([out, expandDims(to, [at])], at);
  } else {
    out = num === 1 ? expandDims(from, [at]) : filled(insertAxis(shape, at, 0), 0, computed);
    if (num === 1 && !endpoint) delta = subArrays(to, from);
  }
  return [convert(isInteger(result) ? floor(out) : out, result), delta];
}

type LinspaceRest<O> = Rest<[number, boolean, boolean, DType | null, number], O>;

/**
 * `num` numbers evenly spaced from `start` to `stop`. With `retstep` also the distance between them.
 *
 * @example
 * np.linspace(0, 1, 5) // [0, 0.25, 0.5, 0.75, 1]
 */
export function linspace(
  start: ArrayLike,
  stop: ArrayLike,
  num: number,
  endpoint: boolean,
  retstep: true,
  ...rest: Rest<[DType | null, number], LinspaceOptions>
): [samples: NDArray, step: NDArray];
export function linspace(
  start: ArrayLike,
  stop: ArrayLike,
  num: number,
  options: LinspaceOptions & { readonly retstep: true },
): [samples: NDArray, step: NDArray];
export function linspace(
  start: ArrayLike,
  stop: ArrayLike,
  options: LinspaceOptions & { readonly retstep: true },
): [samples: NDArray, step: NDArray];
export function linspace(
  start: ArrayLike,
  stop: ArrayLike,
  ...rest: LinspaceRest<LinspaceOptions & { readonly retstep?: false | undefined }>
): NDArray;
export function linspace(start: ArrayLike, stop: ArrayLike, ...rest: readonly unknown[]): NDArray | [NDArray, NDArray] {
  const names = ["num", "endpoint", "retstep", "dtype", "axis", "device"] as const;
  const { retstep = false, ...options } = given<LinspaceOptions>("linspace", names, 5, rest);
  const [samples, step] = spaced("linspace", start, stop, options);
  return retstep ? [samples, step] : samples;
}

export interface LogspaceOptions extends SpacingOptions {
  readonly base?: ArrayLike | undefined;
}

/**
 * `num` numbers from base^start to base^stop whose logarithms are evenly spaced.
 *
 * @example
 * np.logspace(0, 2, 3) // [1, 10, 100]
 */
export function logspace(
  start: ArrayLike,
  stop: ArrayLike,
  ...rest: Rest<[number, boolean, ArrayLike, DType | null, number], LogspaceOptions>
): NDArray {
  const names = ["num", "endpoint", "base", "dtype", "axis", "device"] as const;
  const { base = 10, dtype, ...options } = given<LogspaceOptions>("logspace", names, 5, rest);
  const { a, b, result } = ends("logspace", start, stop, dtype);
  return convertElementType(power(base, spaced("logspace", a, b, options)[0]), result);
}

/**
 * `num` numbers from `start` to `stop` in geometric progression.
 *
 * @example
 * np.geomspace(1, 100, 3) // [1, 10, 100]
 */
export function geomspace(
  start: ArrayLike,
  stop: ArrayLike,
  ...rest: Rest<[number, boolean, DType | null, number], SpacingOptions>
): NDArray {
  const names = ["num", "endpoint", "dtype", "axis", "device"] as const;
  const { dtype, axis = 0, ...options } = given<SpacingOptions>("geomspace", names, 4, rest);
  const { a, b, result } = ends("geomspace", start, stop, dtype);
  const shape = broadcastShapes("geomspace", [a.shape, b.shape]);
  const [from, to] = [broadcastTo(a, shape), broadcastTo(b, shape)];
  const direction = sign(from);
  const exponents = [from, to].map((x) => log10(divArrays(x, direction))) as [NDArray, NDArray];
  const magnitudes = power(10, spaced("geomspace", ...exponents, options)[0]);
  const values = mulArrays(broadcastTo(direction, magnitudes.shape), magnitudes);
  const at = canonicalAxis("geomspace", axis, values.ndim);
  const order = range(values.ndim).slice(1);
  order.splice(at, 0, 0);
  return convertElementType(transpose(values, order), result);
}
