/** log x and its kin: x = 2^e (1 + f) with 1 + f between √½ and √2, then e log 2 + log(1 + f) with a polynomial. */
import {
  type Expr,
  binary,
  bitcast,
  compare,
  convert,
  equal,
  f32,
  i32,
  less,
  minus,
  over,
  plus,
  select,
  times,
} from "../../core/scalar.ts";
import {
  abs,
  floatOf,
  infinity,
  ln2,
  ln2High,
  ln2Low,
  nan,
  oddSeries,
  one,
  polynomial,
  signBit,
  signed,
  sqrt,
  tinyAsIs,
} from "./pieces.ts";

/** (log(1 + f) − f + f²/2) / f³, to 2^−27 of log(1 + f). */
const logarithm = [
  0.3333333, -0.2500082, 0.20001242, -0.16623409, 0.14201581, -0.13159613, 0.12762201, -0.07636403,
] as const;
/** (asinh x − x) / x³ and (atanh x − x) / x³ by x² for |x| ≤ 1/2, to 2^−29. */
const areaSine = [-0.16666643, 0.07498642, -0.044383317, 0.028163493, -0.013228384] as const;
const areaTangent = [0.33333302, 0.20002455, 0.14223745, 0.118167624, 0.051589575, 0.1763994] as const;

/** (acosh(1 + t) / √(2t) − 1) / t for 0 ≤ t ≤ 1/4, to 2^−29 of acosh. */
const areaCosine = [-0.0833331868, 0.0187441595, -0.0055075516, 0.00153263181] as const;

/** e and f of a positive number that is finite; e is given as a float. */
export function split(x: Expr): { readonly e: Expr; readonly f: Expr } {
  const subnormal = less(x, f32(2 ** -126));
  const bits = bitcast(select(subnormal, times(x, f32(2 ** 24)), x), "i32");
  // The bits of √½: below it, the significand belongs to the next lower power.
  const e = binary("shr", minus(bits, i32(0x3f3504f3)), i32(23));
  const f = minus(floatOf(minus(bits, binary("shl", e, i32(23)))), one);
  return { e: plus(convert(e, "f32"), select(subnormal, f32(-24), f32(0))), f };
}

/** e log 2 + log(1 + f) + a correction that is small. */
function assemble({ e, f }: { readonly e: Expr; readonly f: Expr }, correction: Expr | null): Expr {
  const square = times(f, f);
  const cubic = times(times(f, square), polynomial(f, logarithm));
  const low = plus(cubic, times(e, ln2Low));
  const rest = minus(correction ? plus(low, correction) : low, times(f32(0.5), square));
  return plus(times(e, ln2High), plus(f, rest));
}
/** Log of `x`, given that of a positive finite number; `place` is where it is −∞. */
const specials = (x: Expr, place: number, value: Expr): Expr =>
  select(
    compare("gt", x, f32(place)),
    select(equal(x, infinity), infinity, value),
    select(equal(x, f32(place)), f32(-Infinity), nan),
  );

export const log = (x: Expr): Expr => specials(x, 0, assemble(split(x), null));

export function log1p(x: Expr): Expr {
  const u = plus(one, x);
  // What 1 + x lost: log(u + c) = log u + c/u.
  const lost = select(compare("ge", x, one), minus(one, minus(u, x)), minus(x, minus(u, one)));
  return tinyAsIs(x, 2 ** -24, specials(x, -1, assemble(split(u), over(lost, u))));
}

/** From here on log(2x) is as good as asinh x and acosh x, and their squares are far from overflow. */
const large = 2 ** 28;

/** asinh a = log(1 + a + a² / (1 + √(1 + a²))). */
export function asinh(x: Expr): Expr {
  const a = abs(x);
  const square = times(a, a);
  const t = plus(a, over(square, plus(one, sqrt(plus(square, one)))));
  const far = compare("ge", a, f32(large));
  const y = plus(log1p(select(far, a, t)), select(far, ln2, f32(0)));
  return tinyAsIs(x, 2 ** -13, select(less(a, f32(0.5)), oddSeries(x, areaSine), signed(y, signBit(x))));
}

/** acosh (1 + t) = log(1 + t + √(2t + t²)), and √(2t) (1 + t P(t)) for small t. */
export function acosh(x: Expr): Expr {
  const t = minus(x, one);
  const [near, far] = [less(t, f32(0.25)), compare("ge", x, f32(large))];
  const root = sqrt(select(near, plus(t, t), times(t, plus(t, f32(2)))));
  const y = plus(log1p(select(far, x, plus(t, root))), select(far, ln2, f32(0)));
  const small = plus(root, times(times(root, t), polynomial(t, areaCosine)));
  return select(compare("ge", x, one), select(near, small, y), nan);
}

/** atanh a = log(1 + 2a / (1 − a)) / 2. */
export function atanh(x: Expr): Expr {
  const a = abs(x);
  const y = times(f32(0.5), log1p(over(plus(a, a), minus(one, a))));
  const bounded = select(less(a, one), signed(y, signBit(x)), select(equal(a, one), signed(infinity, signBit(x)), nan));
  return select(less(a, f32(0.5)), oddSeries(x, areaTangent), bounded);
}
