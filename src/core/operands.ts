/**
 * Operands: turning what users pass (numbers, booleans, typed arrays, nests) into arrays of a common dtype.
 *
 * A JavaScript number has no dtype of its own. Where it meets arrays it is a weak scalar: an integer-valued one acts as
 * a weak integer, any other as a weak float. Alone it is a weak float32.
 */
import { Aval } from "./aval.ts";
import type { ArrayLike } from "./arrayMethods.ts";
import { type DType, type WeakDType, isInexact, promote } from "./dtype.ts";
import { evaluator } from "./evaluator.ts";
import { type TypedArray, allocate } from "./hostArray.ts";
import { Literal, NDArray } from "./ndarray.ts";
import { ArgumentError, ConcretizationError, DTypeError, ShapeError } from "./problem.ts";
import { convert, convertHost } from "./structural.ts";
import { describeValue } from "./tree.ts";

type Scalar = number | boolean | bigint;

const isScalar = (x: unknown): x is Scalar => typeof x === "number" || typeof x === "boolean" || typeof x === "bigint";

/** Whether a number acts as an integer where it meets integers. */
const actsAsInteger = (x: Scalar): boolean =>
  typeof x === "bigint" || (Number.isInteger(x) && Math.abs(x as number) < 2 ** 32);

/** A scalar's part in promotion. */
const weakDTypeOf = (x: Scalar): WeakDType =>
  typeof x === "boolean"
    ? { dtype: "bool", weakType: false }
    : { dtype: actsAsInteger(x) ? "int32" : "float32", weakType: true };

const scalars: Partial<Record<DType, Aval>>[] = [{}, {}];
const scalarAval = (dtype: DType, weakType: boolean): Aval =>
  (scalars[Number(weakType)]![dtype] ??= new Aval([], dtype, weakType));

/** A scalar as a literal of the given dtype. */
export function scalarLiteral(x: Scalar, dtype: DType, weakType = false): Literal {
  const aval = scalarAval(dtype, weakType);
  if (dtype === "float32" || dtype === "float64" || dtype === "complex64")
    return new Literal(aval, dtype === "float64" ? Number(x) : Math.fround(Number(x)));
  if (dtype === "int32" && Object.is(x, (x as number) | 0)) return new Literal(aval, x as number);
  // Integers wrap, halves round: let the host conversion do it.
  const wraps = !isInexact(dtype) && dtype !== "bool" && Number.isInteger(Number(x));
  if (wraps) {
    const data = allocate(dtype, 1);
    data[0] = Number(x);
    return new Literal(aval, data[0]);
  }
  return new Literal(
    aval,
    convertHost({ shape: [], dtype: "float64", data: Float64Array.of(Number(x)) }, dtype).data[0]!,
  );
}

const dtypeOfTypedArray = (x: object): DType | null => {
  if (x instanceof Float32Array) return "float32";
  if (x instanceof Int32Array) return "int32";
  if (x instanceof Uint8Array || x instanceof Uint8ClampedArray) return "uint8";
  if (x instanceof Float64Array) return "float64";
  if (x instanceof Int8Array) return "int8";
  if (x instanceof Int16Array) return "int16";
  if (x instanceof Uint16Array) return "uint16";
  if (x instanceof Uint32Array) return "uint32";
  return null;
};

/** Typed arrays of 64-bit integers: int32 or uint32 if every value fits. */
function fromBigInts(x: BigInt64Array | BigUint64Array, name: string): { dtype: DType; data: TypedArray } {
  let [min, max] = [0n, 0n];
  for (const v of x) {
    if (v < min) min = v;
    if (v > max) max = v;
  }
  if (min >= -(2n ** 31n) && max < 2n ** 31n)
    return { dtype: "int32", data: Int32Array.from(x as unknown as ArrayLike_<bigint>, Number) };
  if (min >= 0n && max < 2n ** 32n)
    return { dtype: "uint32", data: Uint32Array.from(x as unknown as ArrayLike_<bigint>, Number) };
  throw new DTypeError("IntegerTooWide", {
    what: `${name}: 64-bit integers from ${min} to ${max} do not fit in 32 bits`,
    why: "the widest integer dtypes are int32 and uint32",
    fix: "subtract an offset first, or convert to a Float64Array if exactness above 2^53 does not matter",
  });
}
type ArrayLike_<T> = Iterable<T> & { readonly length: number };

/** The array for anything array-like, in its own dtype: numbers weak float32, booleans bool, typed arrays their own. */
export function asArray(x: ArrayLike, name = "array"): NDArray {
  if (x instanceof NDArray) return x;
  if (isScalar(x)) return typeof x === "boolean" ? scalarLiteral(x, "bool") : scalarLiteral(x, "float32", true);
  return evaluatorArray(x, name);
}

function evaluatorArray(x: unknown, name: string): NDArray {
  if (typeof x === "object" && x !== null) {
    if (ArrayBuffer.isView(x) && !(x instanceof DataView)) {
      const { dtype, data } =
        x instanceof BigInt64Array || x instanceof BigUint64Array
          ? fromBigInts(x, name)
          : { dtype: dtypeOfTypedArray(x), data: x as TypedArray };
      if (dtype) {
        // A clamped array is stored as plain bytes; the copy keeps later writes of the user out of an immutable value.
        const copy = data instanceof Uint8ClampedArray ? Uint8Array.from(data as unknown as Uint8Array) : data.slice();
        return evaluator().fromHost({ shape: [copy.length], dtype, data: copy }, false);
      }
    }
    if (Array.isArray(x)) return fromNested(x, name);
  }
  throw new ArgumentError("NotArrayLike", {
    what: `${name}: expected an array or something that becomes one, found ${describeValue(x)}`,
    why: "operands are arrays, numbers, booleans, bigints, typed arrays or nests of them",
    fix: "convert the value first, for example with numpy.array([1, 2, 3])",
  });
}

/** Nested lists of scalars or typed arrays; of arrays only through numpy.array, which stacks them. */
function fromNested(x: readonly unknown[], name: string): NDArray {
  const shape: number[] = [];
  for (let level: unknown = x; ;) {
    if (Array.isArray(level) || (ArrayBuffer.isView(level) && !(level instanceof DataView))) {
      const list = level as unknown as readonly unknown[];
      shape.push(list.length);
      if (list.length === 0) break;
      level = list[0];
    } else break;
  }
  const values: Scalar[] = [];
  const walk = (level: unknown, depth: number, path: string): void => {
    const isList = Array.isArray(level) || (ArrayBuffer.isView(level) && !(level instanceof DataView));
    const length = isList ? (level as unknown as readonly unknown[]).length : -1;
    if (depth < shape.length ? length !== shape[depth] : isList)
      throw new ShapeError("RaggedArray", {
        what: `${name}: ragged nested list: ${path || "the top"} ${isList ? `has ${length} ${length === 1 ? "element" : "elements"}` : "is a scalar"}${depth < shape.length ? ` where ${shape[depth]} were expected` : ""}`,
        why: "all rows of an array have the same length",
        fix: "pad the rows to one length, or keep them as separate arrays",
      });
    if (isList) (level as unknown as readonly unknown[]).forEach((y, i) => walk(y, depth + 1, `${path}[${i}]`));
    else if (isScalar(level)) values.push(level);
    else
      throw new ArgumentError("NotArrayLike", {
        what: `${name}: element ${path} is ${describeValue(level)}`,
        why: "nested lists hold numbers, booleans or bigints",
        fix: "convert the element to a number; use numpy.stack to join arrays",
      });
  };
  walk(x, 0, "");
  const dtype: DType =
    values.length > 0 && values.every((v) => typeof v === "boolean")
      ? "bool"
      : values.length > 0 && values.every((v) => typeof v === "bigint")
        ? "int32"
        : "float32";
  if (dtype === "int32") {
    const ints = fromBigInts(BigInt64Array.from(values as bigint[]), name);
    return evaluator().fromHost({ shape, ...ints }, false);
  }
  const data = allocate(dtype, values.length);
  for (let i = 0; i < values.length; i++) data[i] = Number(values[i]);
  return evaluator().fromHost({ shape, dtype, data }, false);
}

/** Operands as arrays of their common dtype, by JAX's promotion. Shapes stay as they are. */
export function promoteOperands(name: string, xs: readonly ArrayLike[], toInexact = false): NDArray[] {
  const arrays = new Array<NDArray | null>(xs.length);
  let uniform = true;
  let first: NDArray | null = null;
  for (let i = 0; i < xs.length; i++) {
    const x = xs[i]!;
    const a = x instanceof NDArray ? x : isScalar(x) ? null : asArray(x, name);
    arrays[i] = a;
    if (!a) uniform = false;
    else if (!first) first = a;
    else if (a.dtype !== first.dtype || a.weakType !== first.weakType) uniform = false;
  }
  if (uniform && first && (!toInexact || isInexact(first.dtype))) return arrays as NDArray[];
  const common = commonDType(xs, arrays, first !== null);
  const dtype = toInexact && !isInexact(common.dtype) ? "float32" : common.dtype;
  return arrays.map((a, i) =>
    a ? convert(a, dtype, common.weakType) : scalarLiteral(xs[i] as Scalar, dtype, common.weakType),
  );
}

/** The promoted dtype; without any array numbers are float32 and booleans bool. */
function commonDType(xs: readonly ArrayLike[], arrays: readonly (NDArray | null)[], anyArray: boolean): WeakDType {
  const kinds = arrays.map((a, i): WeakDType => {
    if (a) return a.aval;
    const x = xs[i] as Scalar;
    return anyArray || typeof x === "boolean" ? weakDTypeOf(x) : { dtype: "float32", weakType: true };
  });
  return promote(kinds);
}

/**
 * Arguments with literals for the numbers among the operands, which come first, in lists too, of the weak type that each has in promotion. A number that its literal
 * does not hold stays: one beyond int32 and a negative zero, which float operands would meet as they are.
 */
export function withLiterals(args: readonly unknown[], operands: number): readonly unknown[] {
  let kinds = 0;
  for (let i = 0; i < operands; i++) kinds |= kindsIn(args[i]);
  if ((kinds & numberKind) === 0) return args;
  // Where a float64 is, the result is one, and a fraction must not be rounded before.
  const float = (kinds & float64Kind) === 0 ? "float32" : "float64";
  return args.map((x, i) => (i < operands ? literalOf(x, (kinds & arrayKind) !== 0, float) : x));
}
/** What there is among operands, as bits. */
const numberKind = 1;
const arrayKind = 2;
const float64Kind = 4;
function kindsIn(x: unknown): number {
  if (typeof x === "number") return numberKind;
  if (x instanceof NDArray) return x.dtype === "float64" ? arrayKind | float64Kind : arrayKind;
  let kinds = 0;
  if (Array.isArray(x)) for (let i = 0; i < x.length; i++) kinds |= kindsIn(x[i]);
  return kinds;
}
function literalOf(x: unknown, amongArrays: boolean, float: DType): unknown {
  if (Array.isArray(x)) return x.map((y) => literalOf(y, amongArrays, float));
  if (typeof x !== "number") return x;
  if (!amongArrays || !actsAsInteger(x)) return scalarLiteral(x, float, true);
  return Object.is(x, x | 0) ? scalarLiteral(x, "int32", true) : x;
}

/** The dtype operands would be promoted to. */
export function resultType(name: string, xs: readonly ArrayLike[]): WeakDType {
  const arrays = xs.map((x) => (isScalar(x) ? null : asArray(x, name)));
  return commonDType(
    xs,
    arrays,
    arrays.some((a) => a !== null),
  );
}

/** An index operand: integer-valued numbers and nests of them are int32. */
export function asIndex(x: ArrayLike, name: string): NDArray {
  if (x instanceof NDArray) return x;
  if (isScalar(x) && typeof x !== "boolean" && actsAsInteger(x)) return scalarLiteral(x, "int32");
  const a = asArray(x, name);
  if (!(x instanceof NDArray) && a.dtype === "float32" && Array.isArray(x)) {
    const values = evaluator().toHost(a).data;
    if (values.every((v) => Number.isInteger(v)))
      return evaluator().fromHost({ shape: a.shape, dtype: "int32", data: Int32Array.from(values) }, false);
  }
  return a;
}

/** The value of a concrete scalar; booleans are 0 or 1. */
export function scalarValue(x: NDArray): number {
  const concrete = x.concrete();
  if (concrete) return concrete instanceof Literal ? concrete.value : evaluator().toHost(concrete).data[0]!;
  throw new ConcretizationError("TracedScalar", {
    what: `${x.describe()} is needed as a number`,
    why: "inside a transformation only shapes and dtypes are known",
    fix: "use lax.cond, lax.whileLoop or numpy.where, or declare the argument static",
  });
}
