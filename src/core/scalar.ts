/**
 * Scalar expressions: what a kernel computes for one element. Pure and typed; shared subexpressions are shared objects.
 *
 * Five machine types exist: bool (a predicate), i32, u32, f32 and f64. Narrower dtypes are computed in the next wider type
 * and brought back to their range where they are made (`elementTypes.ts`); complex numbers and keys are two scalars.
 * Arithmetic is that of WebAssembly: integers wrap, floats are IEEE 754, min and max propagate NaN. The exceptions are
 * whole-number `div` and `rem`, whose divisor must be neither 0 nor −1 with the least dividend (see `quotient`), and shifts,
 * whose count must be less than 32.
 */
import { type Index, constantIndex, isConstantIndex, valueIndex, visitValues } from "./indexing.ts";
import type { IndexVar } from "./indexing.ts";

export type ScalarType = "bool" | "i32" | "u32" | "f32" | "f64";

/** How an element, or one lane of it, lies in a buffer. */
export type StorageType = "u8" | "i8" | "u16" | "i16" | "u32" | "i32" | "f32" | "f64";
/** The type a load gives; a store takes the same and keeps the low bits. */
export const loadedType = (s: StorageType): ScalarType =>
  s === "f32" || s === "f64" ? s : s === "u8" || s === "u16" || s === "u32" ? "u32" : "i32";
export const storageBytes: Readonly<Record<StorageType, number>> = {
  u8: 1,
  i8: 1,
  u16: 2,
  i16: 2,
  u32: 4,
  i32: 4,
  f32: 4,
  f64: 8,
};

/** A run of scalars that a kernel reads or writes: device memory, or scratch of its own. */
export interface Buffer {
  readonly id: number;
  /** For printing only. */
  readonly name: string;
  readonly storage: StorageType;
  /** Number of scalars. */
  readonly length: number;
  /** `device`: an operand or result; `shared`: scratch of a workgroup; `private`: scratch of a thread. */
  readonly space: "device" | "shared" | "private";
}

/** A value bound by a statement: once (`let`), or updated (an accumulator). */
export interface Local {
  readonly id: number;
  readonly name: string;
  readonly type: ScalarType;
  readonly mutable: boolean;
}

/** Functions that machines do not have: each target expands or imports them (`compiler/expandMath.ts`). */
export type MathFunction =
  | "exp"
  | "exp2"
  | "expm1"
  | "log"
  | "log1p"
  | "sin"
  | "cos"
  | "tan"
  | "asin"
  | "acos"
  | "atan"
  | "sinh"
  | "cosh"
  | "tanh"
  | "asinh"
  | "acosh"
  | "atanh"
  | "cbrt";
/** `round` goes to the nearest even whole number; `not` is logical on bool, bitwise on integers; `isNaN` gives bool. */
export type UnaryOp =
  "neg" | "abs" | "sqrt" | "floor" | "ceil" | "trunc" | "round" | "not" | "clz" | "popcount" | "isNaN" | MathFunction;
export type BinaryOp =
  | "add"
  | "sub"
  | "mul"
  | "div"
  | "rem"
  | "min"
  | "max"
  | "and"
  | "or"
  | "xor"
  | "shl"
  /** Arithmetic for i32, logical for u32. */
  | "shr"
  | "pow"
  | "atan2";
export type CompareOp = "eq" | "ne" | "lt" | "le" | "gt" | "ge";

/** How two partial results combine. */
export type ReduceOp = "add" | "mul" | "min" | "max" | "and" | "or" | "xor";

/**
 * A reduction over variables that only its body sees. With an operation, it has one lane; otherwise `combine` gives the
 * lanes of the combination of two partial results: an associative function, for example the larger value with its place.
 */
export interface Reduction {
  readonly id: number;
  readonly vars: readonly IndexVar[];
  readonly types: readonly ScalarType[];
  /** Neutral elements, one per lane. */
  readonly init: readonly number[];
  readonly combine: ReduceOp | ((left: readonly Expr[], right: readonly Expr[]) => readonly Expr[]);
  readonly body: readonly Expr[];
}

interface Node {
  /** In order of creation; for memo tables and printing. */
  readonly id: number;
  readonly type: ScalarType;
}
export interface Const extends Node {
  readonly kind: "const";
  readonly value: number;
}
export interface IndexExpr extends Node {
  readonly kind: "index";
  readonly index: Index;
}
export interface Load extends Node {
  readonly kind: "load";
  readonly buffer: Buffer;
  /** In scalars; within the buffer whenever the load is evaluated. */
  readonly index: Index;
}
export interface Unary extends Node {
  readonly kind: "unary";
  readonly op: UnaryOp;
  readonly x: Expr;
}
export interface Binary extends Node {
  readonly kind: "binary";
  readonly op: BinaryOp;
  readonly x: Expr;
  readonly y: Expr;
  /** Whether a product in this sum may be left unrounded. */
  readonly contracts: boolean;
}
export interface Compare extends Node {
  readonly kind: "compare";
  readonly op: CompareOp;
  readonly x: Expr;
  readonly y: Expr;
}
/** Both `x` (taken where the condition holds) and `y` are evaluated. */
export interface Select extends Node {
  readonly kind: "select";
  readonly condition: Expr;
  readonly x: Expr;
  readonly y: Expr;
}
/** The same value in another type: floats to integers toward zero, saturating, NaN to 0; anything to bool by ≠ 0. */
export interface Convert extends Node {
  readonly kind: "convert";
  readonly x: Expr;
}
/** The same 32 bits in another type. */
export interface Bitcast extends Node {
  readonly kind: "bitcast";
  readonly x: Expr;
}
export interface LocalRead extends Node {
  readonly kind: "local";
  readonly local: Local;
}
/** One lane of a reduction's result. */
export interface Reduced extends Node {
  readonly kind: "reduced";
  readonly reduction: Reduction;
  readonly lane: number;
}
export type Expr =
  Const | IndexExpr | Load | Unary | Binary | Compare | Select | Convert | Bitcast | LocalRead | Reduced;

// ---------------------------------------------------------------- makers

let nextId = 0;

/** A constant; booleans are 0 or 1. f32 values are rounded. */
export const constant = (type: ScalarType, value: number): Const => ({
  kind: "const",
  id: nextId++,
  type,
  value: normal(type, value),
});
function normal(type: ScalarType, v: number): number {
  switch (type) {
    case "f32":
      return Math.fround(v);
    case "f64":
      return v;
    case "i32":
      return v | 0;
    case "u32":
      return v >>> 0;
    case "bool":
      return Number(v !== 0);
  }
}
export const f32 = (v: number): Const => constant("f32", v);
export const i32 = (v: number): Const => constant("i32", v);
export const u32 = (v: number): Const => constant("u32", v);
export const bool = (v: boolean): Const => constant("bool", Number(v));
/** A constant of the type of another expression. */
export const like = (x: Expr, value: number): Const => constant(x.type, value);

/** An index as an i32 value. */
export const ofIndex = (index: Index): Expr =>
  isConstantIndex(index)
    ? i32(index.constant)
    : index.terms.length === 1 &&
        index.constant === 0 &&
        index.terms[0]!.factor === 1 &&
        index.terms[0]!.atom.kind === "value"
      ? index.terms[0]!.atom.expr
      : { kind: "index", id: nextId++, type: "i32", index };

export const load = (buffer: Buffer, index: Index): Load => ({
  kind: "load",
  id: nextId++,
  type: loadedType(buffer.storage),
  buffer,
  index,
});
export const readLocal = (local: Local): LocalRead => ({ kind: "local", id: nextId++, type: local.type, local });
export const newLocal = (name: string, type: ScalarType, mutable = false): Local => ({
  id: nextId++,
  name,
  type,
  mutable,
});
export const newBuffer = (
  name: string,
  storage: StorageType,
  length: number,
  space: Buffer["space"] = "device",
): Buffer => ({ id: nextId++, name, storage, length, space });

export function unary(op: UnaryOp, x: Expr): Expr {
  if (x.kind === "const") {
    const v = foldUnary(op, x);
    if (v !== null) return constant(op === "isNaN" ? "bool" : x.type, v);
  }
  if (op === "not" && x.kind === "unary" && x.op === "not") return x.x;
  if (op === "neg" && x.kind === "unary" && x.op === "neg") return x.x;
  return { kind: "unary", id: nextId++, type: op === "isNaN" ? "bool" : x.type, op, x };
}

function foldUnary(op: UnaryOp, { type, value: v }: Const): number | null {
  switch (op) {
    case "neg":
      return -v;
    case "abs":
      return Math.abs(v);
    case "sqrt":
      return Math.sqrt(v);
    case "floor":
      return Math.floor(v);
    case "ceil":
      return Math.ceil(v);
    case "trunc":
      return Math.trunc(v);
    case "not":
      return type === "bool" ? 1 - v : ~v;
    case "isNaN":
      return Number(Number.isNaN(v));
    default:
      return null;
  }
}

let contracting = false;
/**
 * What `make` makes, of f32 sums that machines may compute together with a product in them, without rounding that. It is
 * for functions that are right either way; what users write is computed as they wrote it.
 */
export function contracted<T>(make: () => T): T {
  const before = contracting;
  contracting = true;
  try {
    return make();
  } finally {
    contracting = before;
  }
}

/** @param contracts see `Binary`; true of what is made inside of `contracted`. */
export function binary(op: BinaryOp, x: Expr, y: Expr, contracts = contracting): Expr {
  if (x.kind === "const" && y.kind === "const") {
    const v = foldBinary(op, x.type, x.value, y.value);
    if (v !== null) return constant(x.type, v);
  }
  const known = x.type === "f32" || x.type === "f64" ? null : neutral(op, x, y);
  return known ?? { kind: "binary", id: nextId++, type: x.type, op, x, y, contracts };
}

/** Identities of integers and predicates; floats have none that keep NaN and signed zero. */
function neutral(op: BinaryOp, x: Expr, y: Expr): Expr | null {
  const all = x.type === "bool" ? 1 : x.type === "u32" ? 0xffffffff : -1;
  const [a, b] = [x.kind === "const" ? x.value : null, y.kind === "const" ? y.value : null];
  switch (op) {
    case "add":
    case "or":
    case "xor":
      if (a === 0) return y;
      if (b === 0) return x;
      return op === "or" && (a === all || b === all) ? constant(x.type, all) : null;
    case "sub":
    case "shl":
    case "shr":
      return b === 0 ? x : null;
    case "mul":
      return a === 1 ? y : b === 1 ? x : a === 0 || b === 0 ? constant(x.type, 0) : null;
    case "and":
      return a === all ? y : b === all ? x : a === 0 || b === 0 ? constant(x.type, 0) : null;
    default:
      return null;
  }
}

function foldBinary(op: BinaryOp, type: ScalarType, a: number, b: number): number | null {
  const float = type === "f32" || type === "f64";
  switch (op) {
    case "add":
      return a + b;
    case "sub":
      return a - b;
    case "mul":
      return float ? a * b : Math.imul(a, b);
    case "div":
      return float ? a / b : b === 0 ? null : Math.trunc(a / b);
    case "min":
      return Math.min(a, b);
    case "max":
      return Math.max(a, b);
    case "and":
      return a & b;
    case "or":
      return a | b;
    case "xor":
      return a ^ b;
    case "shl":
      return a << b;
    case "shr":
      return type === "u32" ? a >>> b : a >> b;
    default:
      return null;
  }
}

const folded = (op: CompareOp, a: number, b: number): boolean => {
  switch (op) {
    case "eq":
      return a === b;
    case "ne":
      return a !== b;
    case "lt":
      return a < b;
    case "le":
      return a <= b;
    case "gt":
      return a > b;
    case "ge":
      return a >= b;
  }
};
export const compare = (op: CompareOp, x: Expr, y: Expr): Expr =>
  x.kind === "const" && y.kind === "const"
    ? bool(folded(op, x.value, y.value))
    : { kind: "compare", id: nextId++, type: "bool", op, x, y };

export function select(condition: Expr, x: Expr, y: Expr): Expr {
  if (condition.kind === "const") return condition.value ? x : y;
  if (x === y) return x;
  if (x.type === "bool" && x.kind === "const" && y.kind === "const" && x.value !== y.value)
    return x.value ? condition : unary("not", condition);
  return { kind: "select", id: nextId++, type: x.type, condition, x, y };
}

export function convert(x: Expr, type: ScalarType): Expr {
  if (x.type === type) return x;
  if (x.kind === "const") return constant(type, convertValue(x.value, x.type, type));
  return { kind: "convert", id: nextId++, type, x };
}
/** What `convert` does to a number. */
export function convertValue(v: number, from: ScalarType, to: ScalarType): number {
  if ((from === "f32" || from === "f64") && (to === "i32" || to === "u32")) {
    const [low, high] = to === "i32" ? [-2147483648, 2147483647] : [0, 4294967295];
    // Through `normal`, because whole numbers have no −0.
    return normal(to, Math.min(Math.max(Math.trunc(v), low), high));
  }
  return normal(to, v);
}

const bits = new DataView(new ArrayBuffer(8));
/** What `bitcast` does to a number. NaNs keep no payload. */
export function bitcastValue(v: number, from: ScalarType, to: ScalarType): number {
  if (from === "f32") bits.setFloat32(0, v);
  else bits.setInt32(0, v);
  return to === "f32" ? bits.getFloat32(0) : to === "i32" ? bits.getInt32(0) : bits.getUint32(0);
}
export function bitcast(x: Expr, type: ScalarType): Expr {
  if (x.type === type) return x;
  if (x.kind === "const" && !Number.isNaN(x.value)) {
    const v = bitcastValue(x.value, x.type, type);
    if (!Number.isNaN(v)) return constant(type, v);
  }
  if (x.kind === "bitcast") return bitcast(x.x, type);
  return { kind: "bitcast", id: nextId++, type, x };
}

export const reduction = (
  vars: readonly IndexVar[],
  types: readonly ScalarType[],
  init: readonly number[],
  combine: Reduction["combine"],
  body: readonly Expr[],
): Reduction => ({ id: nextId++, vars, types, init, combine, body });
export const reduced = (r: Reduction, lane = 0): Reduced => ({
  kind: "reduced",
  id: nextId++,
  type: r.types[lane]!,
  reduction: r,
  lane,
});

// ---------------------------------------------------------------- short forms

export const plus = (x: Expr, y: Expr): Expr => binary("add", x, y);
export const minus = (x: Expr, y: Expr): Expr => binary("sub", x, y);
export const times = (x: Expr, y: Expr): Expr => binary("mul", x, y);
export const over = (x: Expr, y: Expr): Expr => binary("div", x, y);
export const least = (x: Expr, y: Expr): Expr => binary("min", x, y);
export const greatest = (x: Expr, y: Expr): Expr => binary("max", x, y);
export const both = (x: Expr, y: Expr): Expr => binary("and", x, y);
export const either = (x: Expr, y: Expr): Expr => binary("or", x, y);
export const not = (x: Expr): Expr => unary("not", x);
export const negate = (x: Expr): Expr => unary("neg", x);
export const isNaNExpr = (x: Expr): Expr => unary("isNaN", x);
export const equal = (x: Expr, y: Expr): Expr => compare("eq", x, y);
export const less = (x: Expr, y: Expr): Expr => compare("lt", x, y);

/** Whether `low ≤ index < high`; folded where the range decides. */
export function within(index: Index, low: number, high: number): Expr {
  if (index.min >= low && index.max < high) return bool(true);
  if (index.max < low || index.min >= high) return bool(false);
  const x = ofIndex(index);
  return both(
    index.min >= low ? bool(true) : compare("ge", x, i32(low)),
    index.max < high ? bool(true) : compare("lt", x, i32(high)),
  );
}

/** An index brought into low … high. */
export function clampIndex(index: Index, low: number, high: number): Index {
  if (index.min >= low && index.max <= high) return index;
  if (index.max <= low) return constantIndex(low);
  if (index.min >= high) return constantIndex(high);
  return indexOf(least(greatest(ofIndex(index), i32(low)), i32(high)), low, high);
}

/** A run-time i32 or u32 as an index; it must lie within the range given. */
export const indexOf = (x: Expr, min: number, max: number): Index =>
  min === max ? constantIndex(min) : valueIndex(convert(x, "i32"), min, max);

/** Whole-number quotient and remainder for every divisor: −1 (all bits set) and the dividend for 0, as XLA. */
export function quotient(op: "div" | "rem", x: Expr, y: Expr): Expr {
  const zero = equal(y, like(y, 0));
  const special = x.type === "i32" ? either(zero, equal(y, like(y, -1))) : zero;
  const plain = binary(op, x, select(special, like(y, 1), y));
  const byMinusOne = op === "div" ? negate(x) : like(x, 0);
  const signed = x.type === "i32" ? select(equal(y, like(y, -1)), byMinusOne, plain) : plain;
  return select(zero, op === "div" ? like(x, -1) : x, signed);
}

/** Calls `f` for the direct operands, those inside indices included; not for the bodies of reductions. */
export function eachOperand(e: Expr, f: (x: Expr) => void): void {
  switch (e.kind) {
    case "unary":
    case "convert":
    case "bitcast":
      return f(e.x);
    case "binary":
    case "compare":
      f(e.x);
      return f(e.y);
    case "select":
      f(e.condition);
      f(e.x);
      return f(e.y);
    case "index":
    case "load":
      return visitValues(e.index, f);
    default:
  }
}
/** The direct operands, as a list. */
export function operandsOf(e: Expr): readonly Expr[] {
  const out: Expr[] = [];
  eachOperand(e, (x) => out.push(x));
  return out;
}
