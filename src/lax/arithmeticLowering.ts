/**
 * Expressions of the arithmetic functions that machines do not have as one operation. They follow `arithmetic.ts`, in the
 * types of `elementTypes.ts`.
 */
import { type DType, isComplex, isInteger } from "../core/dtype.ts";
import type { Lowering, Operand, Value } from "../core/lowering.ts";
import { pointwise } from "../core/lowerRules.ts";
import {
  type Expr,
  binary,
  bitcast,
  both,
  compare,
  either,
  equal,
  f32,
  isNaNExpr,
  least,
  less,
  like,
  minus,
  negate,
  not,
  over,
  plus,
  quotient,
  select,
  times,
  u32,
  unary,
} from "../core/scalar.ts";
import { convertLanes } from "../core/structuralLowering.ts";
import { pow as complexPower } from "./complexLowering.ts";

export const divide = (x: Expr, y: Expr, dtype: DType): Expr => (isInteger(dtype) ? quotient("div", x, y) : over(x, y));
export const remainder = (x: Expr, y: Expr, dtype: DType): Expr =>
  isInteger(dtype) ? quotient("rem", x, y) : binary("rem", x, y);

/** Extrema; of booleans they are `or` and `and`. */
export const larger = (x: Expr, y: Expr): Expr => binary(x.type === "bool" ? "or" : "max", x, y);
export const smaller = (x: Expr, y: Expr): Expr => binary(x.type === "bool" ? "and" : "min", x, y);

const isFloating = (x: Expr): boolean => x.type === "f32" || x.type === "f64";
/** Gives NaN where x is NaN, whatever was made of it. */
export const keepNaN = (x: Expr, y: Expr): Expr => select(isNaNExpr(x), x, y);

/** −1, 1, or x itself where it is ±0 or NaN. */
export function sign(x: Expr): Expr {
  const s = select(compare("gt", x, like(x, 0)), like(x, 1), select(less(x, like(x, 0)), like(x, -1), x));
  return isFloating(x) ? keepNaN(x, s) : s;
}

/** Nearest whole number, halves away from zero. */
export function roundAway(x: Expr): Expr {
  const t = unary("trunc", x);
  const near = less(unary("abs", minus(x, t)), like(x, 0.5));
  return select(near, t, plus(t, select(less(x, like(x, 0)), like(x, -1), like(x, 1))));
}

/** Above this many squarings' worth of rounding, the power function is more accurate. */
const repeatedProducts = 32;
/** x to a known whole power, by squaring; integers wrap. */
export function integerPower(x: Expr, n: number): Expr {
  if (n === 0) return like(x, 1);
  if (isFloating(x) && Math.abs(n) > repeatedProducts) return binary("pow", x, like(x, n));
  let result: Expr | null = null;
  for (let k = Math.abs(n), base = x; ; base = times(base, base)) {
    if (k % 2 === 1) result = result ? times(result, base) : base;
    k = Math.floor(k / 2);
    if (k === 0) break;
  }
  return n < 0 ? over(like(x, 1), result!) : result!;
}

/** By the bits where there are any to look at. */
export const isFinite = (x: Expr): Expr =>
  x.type === "f32"
    ? compare("ne", both(bitcast(x, "u32"), u32(0x7f800000)), u32(0x7f800000))
    : both(not(isNaNExpr(x)), less(unary("abs", x), like(x, Infinity)));

// ---------------------------------------------------------------- neighbours

/** The neighbours of a number that is not negative: above, and below (not of 0). */
type Neighbours = readonly [above: Expr, below: Expr];

/** One step in the magnitude's bits is one step between numbers. bfloat16 has the upper half of the bits. */
function neighboursByBits(size: Expr, step: number): Neighbours {
  const bits = bitcast(size, "u32");
  return [bitcast(plus(bits, u32(step)), "f32"), bitcast(minus(bits, u32(step)), "f32")];
}

/** float16 among float32: steps of 2^−24 up to 2^−14, then of one unit in the tenth place; 65504 before infinity. */
function neighboursOfFloat16(size: Expr): Neighbours {
  const [up, down] = neighboursByBits(least(size, f32(65536)), 0x2000);
  const tiny = f32(2 ** -24);
  return [
    select(less(size, f32(2 ** -14)), plus(size, tiny), up),
    select(compare("le", size, f32(2 ** -14)), minus(size, tiny), down),
  ];
}

/**
 * Without the bits: adding a little more than half a unit in the last place rounds to the neighbour (Rump, Zimmermann,
 * Boldo and Melquiond, "Computing predecessor and successor in rounding to nearest", 2009, algorithm 2).
 */
function neighboursOfFloat64(size: Expr): Neighbours {
  const [u, smallest] = [2 ** -53, 2 ** -1074];
  const constant = (v: number): Expr => like(size, v);
  const half = constant(u * (1 + 2 * u));
  const lifted = times(size, constant(2 ** 53));
  const [usual, raised] = [times(half, size), times(half, lifted)];
  const step = (op: "add" | "sub"): Expr =>
    select(
      compare("ge", size, constant(2 ** -969)),
      binary(op, size, usual),
      select(
        less(size, constant(2 ** -1021)),
        binary(op, size, constant(smallest)),
        times(binary(op, lifted, raised), constant(u)),
      ),
    );
  return [step("add"), select(equal(size, constant(Infinity)), constant(Number.MAX_VALUE), step("sub"))];
}

function neighbours(size: Expr, dtype: DType): Neighbours {
  if (dtype === "float64") return neighboursOfFloat64(size);
  return dtype === "float16" ? neighboursOfFloat16(size) : neighboursByBits(size, dtype === "bfloat16" ? 0x10000 : 1);
}

/** The neighbour of x toward y. */
export function nextAfter(x: Expr, y: Expr, dtype: DType): Expr {
  const zero = like(x, 0);
  const [above, below] = neighbours(unary("abs", x), dtype);
  const atZero = equal(x, zero);
  const positive = compare("gt", x, zero);
  const away = either(atZero, not(binary("xor", less(x, y), positive)));
  const size = select(away, above, below);
  const result = select(select(atZero, less(y, zero), not(positive)), negate(size), size);
  return keepNaN(x, keepNaN(y, select(equal(x, y), y, result)));
}

/** min(max(x, low), high) */
export const clamped = (low: Expr, x: Expr, high: Expr): Expr => smaller(larger(x, low), high);

/** x^y, where y may be an integer array while x is not. */
export function lowerPower(x: Operand, y: Operand): Lowering {
  const { dtype } = x.aval;
  const power = isComplex(dtype) ? complexPower : ([a]: Value, [b]: Value): Value => [binary("pow", a!, b!)];
  return pointwise([x, y], (a, b) => power(a, convertLanes(b, y.aval.dtype, dtype)), 16);
}
