/**
 * x^y = 2^(y log₂ x), with the logarithm and the product as sums of two numbers, and the cube root.
 *
 * The logarithm follows the scheme of Sun's and FreeBSD's powf: log(1 + f) = ⅔ s (3 + s² + s⁴ Q(s²)) with s = f / (2 + f);
 * the leading parts are cut to 12 bits, so that products of two of them are exact.
 */
import {
  type Expr,
  bitcast,
  both,
  compare,
  convert,
  either,
  equal,
  f32,
  i32,
  isNaNExpr,
  less,
  minus,
  not,
  over,
  plus,
  select,
  times,
  u32,
  unary,
} from "../../core/scalar.ts";
import { exp2Of } from "./exponential.ts";
import { split } from "./logarithm.ts";
import {
  abs,
  clamped,
  floatOf,
  infinity,
  nan,
  one,
  polynomial,
  rounded,
  signBit,
  signed,
  upperHalf,
} from "./pieces.ts";

/** Q to 2^−36 of the logarithm. */
const series = [0.6000023, 0.42820644, 0.35129094] as const;
/** 2 / (3 log 2), the first part with 12 bits. */
const toBinary = [0.9619140625, -0.00011736857413779944] as const;

/** log₂ of a positive finite number; the first part has 12 bits. */
function log2(x: Expr): readonly [Expr, Expr] {
  const { e, f } = split(x);
  const u = plus(f32(2), f);
  const s = over(f, u);
  const sHigh = upperHalf(s);
  const uHigh = upperHalf(u);
  const uLow = minus(f, minus(uHigh, f32(2)));
  const sLow = over(minus(minus(f, times(sHigh, uHigh)), times(sHigh, uLow)), u);
  const square = times(s, s);
  const squareHigh = times(sHigh, sHigh);
  const rest = plus(times(times(square, square), polynomial(square, series)), times(sLow, plus(sHigh, s)));
  // 3 + s² + …, in two parts, times s.
  const tHigh = upperHalf(plus(plus(f32(3), squareHigh), rest));
  const tLow = minus(rest, minus(minus(tHigh, f32(3)), squareHigh));
  const product = times(sHigh, tHigh);
  const productLow = plus(times(sLow, tHigh), times(tLow, s));
  const pHigh = upperHalf(plus(product, productLow));
  const pLow = minus(productLow, minus(pHigh, product));
  const zHigh = times(f32(toBinary[0]), pHigh);
  const zLow = plus(times(f32(toBinary[1]), pHigh), times(pLow, f32(toBinary[0] + toBinary[1])));
  const high = upperHalf(plus(plus(zHigh, zLow), e));
  return [high, minus(zLow, minus(minus(high, e), zHigh))];
}

export function pow(x: Expr, y: Expr): Expr {
  const a = abs(x);
  const [high, low] = log2(a);
  // Of greater exponents every base but 1 gives 0 or infinity.
  const exponent = clamped(y, -(2 ** 32), 2 ** 32);
  const yHigh = upperHalf(exponent);
  const pHigh = times(yHigh, high);
  const pLow = plus(times(minus(exponent, yHigh), high), times(exponent, low));
  const { n, whole } = rounded(clamped(plus(pHigh, pLow), -152, 130));
  const r = clamped(plus(minus(pHigh, n), pLow), -1, 1);
  const finite = exp2Of(whole, r);

  const zero = f32(0);
  const isZero = equal(a, zero);
  const grows = equal(convert(isZero, "u32"), convert(less(y, zero), "u32"));
  const extreme = select(grows, infinity, zero);
  const size = select(either(isZero, equal(a, infinity)), extreme, finite);
  const isWhole = equal(unary("floor", y), y);
  const half = times(y, f32(0.5));
  const isOdd = both(isWhole, compare("ne", unary("floor", half), half));
  const result = signed(size, select(isOdd, signBit(x), u32(0)));
  const hasNone = either(
    either(isNaNExpr(x), isNaNExpr(y)),
    both(both(less(x, zero), not(isWhole)), not(equal(a, infinity))),
  );
  return select(either(equal(y, zero), equal(x, one)), one, select(hasNone, nan, result));
}

/** A guess from a third of the bits, a step of Halley's method and one of Newton's. */
export function cbrt(x: Expr): Expr {
  const a = abs(x);
  const [small, large] = [less(a, f32(2 ** -100)), less(f32(2 ** 100), a)];
  const v = times(a, select(small, f32(2 ** 30), select(large, f32(2 ** -30), one)));
  const third = convert(times(convert(bitcast(v, "i32"), "f32"), f32(1 / 3)), "i32");
  const guess = floatOf(plus(third, i32(0x2a5137a0)));
  const cube = times(times(guess, guess), guess);
  const better = times(guess, over(plus(cube, plus(v, v)), plus(plus(cube, cube), v)));
  const square = times(better, better);
  const best = minus(better, over(minus(times(square, better), v), times(f32(3), square)));
  const y = times(best, select(small, f32(2 ** -10), select(large, f32(2 ** 10), one)));
  // Devices that take the smallest numbers for 0 do so here too.
  return select(less(a, infinity), select(equal(a, f32(0)), x, signed(y, signBit(x))), x);
}
