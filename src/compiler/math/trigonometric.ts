/**
 * sin, cos and tan over all of f32: |x| = q π/2 + r with |r| ≤ π/4 about, then a polynomial in r.
 *
 * Up to 2^11 π/2, q times the upper parts of π/2 is exact in f32 (Cody and Waite, "Software Manual for the Elementary
 * Functions"); r is a sum of two numbers. Beyond, the product of the significand with the 96 bits of 2/π that matter is
 * taken in whole numbers (Payne and Hanek, SIGNUM Newsletter 18, 1983).
 */
import {
  type Expr,
  binary,
  bitcast,
  compare,
  convert,
  either,
  f32,
  less,
  minus,
  over,
  plus,
  select,
  times,
  u32,
} from "../../core/scalar.ts";
import { abs, bitsOf, infinity, nan, one, polynomial, rounded, signBit, signed, upperHalf } from "./pieces.ts";

/** (sin r − r) / r³ and (cos r − 1 + r²/2) / r⁴ by r² for |r| ≤ π/4, to 2^−27 and 2^−32. */
const sine = [-0.16666655, 0.008332188, -0.00019518098] as const;
const cosine = [0.041666646, -0.0013887311, 2.4432553e-5] as const;
/** π/2 in parts; whole numbers to 2^11 times each of the first three are exact. */
const halfPi = [1.57080078125, -4.454515874385834e-6, 6.076561476220377e-11, 5.390302953474238e-15] as const;
/** π/2 in a part of 8 bits and the rest. */
const halfPiHigh = 1.5703125;
const halfPiLow = 0.00048382679;
const limit = 3200;
/** The bits of 2/π behind the point, after a word of zeros. */
const twoOverPi = [0, 0xa2f9836e, 0x4e441529, 0xfc2757d1, 0xf534ddc0, 0xdb629599, 0x3c439041, 0xfe5163ab] as const;

/** The quadrant in its lowest two bits, and the rest as a sum. */
interface Reduced {
  readonly q: Expr;
  readonly r: Expr;
  readonly low: Expr;
}

function reducedNear(a: Expr): Reduced {
  const { n, whole } = rounded(times(a, f32(2 / Math.PI)));
  const [p1, p2, p3, p4] = halfPi.map((p) => times(n, f32(p))) as [Expr, Expr, Expr, Expr];
  const t1 = minus(a, p1);
  const t2 = minus(t1, p2);
  const r = minus(t2, p3);
  const lost = minus(minus(t1, t2), p2);
  return { q: bitcast(whole, "u32"), r, low: plus(minus(minus(t2, r), p3), minus(lost, p4)) };
}

const shiftLeft = (x: Expr, by: number): Expr => binary("shl", x, u32(by));
const shiftRight = (x: Expr, by: number): Expr => binary("shr", x, u32(by));
const lowHalf = (x: Expr): Expr => binary("and", x, u32(0xffff));
/** The upper word of a product; `m` has 24 bits. */
function upperWord(m: Expr, w: Expr): Expr {
  const [m0, m1, w0, w1] = [lowHalf(m), shiftRight(m, 16), lowHalf(w), shiftRight(w, 16)];
  const middle = plus(times(m1, w0), shiftRight(times(m0, w0), 16));
  const carry = shiftRight(plus(times(m0, w1), lowHalf(middle)), 16);
  return plus(plus(times(m1, w1), shiftRight(middle, 16)), carry);
}

function reducedFar(a: Expr): Reduced {
  const bits = bitsOf(a);
  const m = either(binary("and", bits, u32(0x7fffff)), u32(0x800000));
  // The first bit of 2/π whose product with the significand is below 4.
  const place = minus(shiftRight(bits, 23), u32(120));
  const by = binary("and", place, u32(31));
  const back = minus(u32(31), by);
  const past = [32, 64, 96, 128].map((n) => compare("ge", place, u32(n)));
  const word = (i: number): Expr =>
    past.reduce<Expr>((w, isPast, k) => select(isPast, u32(twoOverPi[i + k + 1]!), w), u32(twoOverPi[i]!));
  const words = [0, 1, 2, 3].map(word);
  const window = [0, 1, 2].map((i) =>
    either(binary("shl", words[i]!, by), binary("shr", shiftRight(words[i + 1]!, 1), back)),
  );
  const low = times(m, window[1]!);
  const p1 = plus(low, upperWord(m, window[2]!));
  const carry = convert(less(p1, low), "u32");
  const p0 = plus(plus(times(m, window[0]!), upperWord(m, window[1]!)), carry);
  // Two bits of quadrant, then a fraction; from a half on it is taken from the next quadrant.
  const fraction = either(shiftLeft(p0, 2), shiftRight(p1, 30));
  const half = shiftRight(fraction, 31);
  const flip = minus(u32(0), half);
  const high = binary("xor", fraction, flip);
  const rest = binary("xor", shiftLeft(p1, 2), flip);
  const upper = times(convert(binary("and", high, u32(0xffffff00)), "f32"), f32(2 ** -32));
  const lower = times(convert(either(shiftLeft(high, 24), shiftRight(rest, 8)), "f32"), f32(2 ** -56));
  const cut = upperHalf(upper);
  const most = times(cut, f32(halfPiHigh));
  const remainder = plus(
    plus(times(cut, f32(halfPiLow)), times(minus(upper, cut), f32(Math.PI / 2))),
    times(lower, f32(Math.PI / 2)),
  );
  const r = plus(most, remainder);
  const sign = shiftLeft(half, 31);
  return { q: plus(shiftRight(p0, 30), half), r: signed(r, sign), low: signed(minus(remainder, minus(r, most)), sign) };
}

const sineOf = ({ r, low }: Reduced, square: Expr): Expr =>
  plus(r, plus(low, times(times(r, square), polynomial(square, sine))));
const cosineOf = ({ r, low }: Reduced, square: Expr): Expr => {
  const rest = minus(times(times(square, square), polynomial(square, cosine)), times(r, low));
  return minus(one, minus(times(f32(0.5), square), rest));
};

/** Runs `f` on the reduced |x|; NaN for what is not finite. The far case is chosen last, so that code may skip it. */
function withReduced(x: Expr, f: (q: Expr, sin: Expr, cos: Expr) => Expr): Expr {
  const a = abs(x);
  const finish = (reduced: Reduced): Expr => {
    const square = times(reduced.r, reduced.r);
    return f(reduced.q, sineOf(reduced, square), cosineOf(reduced, square));
  };
  const near = finish(reducedNear(a));
  const far = finish(reducedFar(a));
  const y = select(less(a, f32(limit)), near, far);
  return select(less(a, infinity), y, nan);
}

const isOdd = (q: Expr): Expr => compare("ne", binary("and", q, u32(1)), u32(0));
/** The sign of the functions in the second half of the circle. */
const lowerHalf = (q: Expr): Expr => shiftLeft(binary("and", q, u32(2)), 30);

export const sin = (x: Expr): Expr =>
  withReduced(x, (q, s, c) => signed(select(isOdd(q), c, s), binary("xor", lowerHalf(q), signBit(x))));
export const cos = (x: Expr): Expr =>
  withReduced(x, (q, s, c) => signed(select(isOdd(q), s, c), lowerHalf(plus(q, u32(1)))));
export const tan = (x: Expr): Expr =>
  withReduced(x, (q, s, c) => {
    const odd = isOdd(q);
    const sign = binary("xor", shiftLeft(binary("and", q, u32(1)), 31), signBit(x));
    return signed(over(select(odd, c, s), select(odd, s, c)), sign);
  });
