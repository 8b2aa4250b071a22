/** Inverse trigonometric functions. */
import {
  type Expr,
  bitcast,
  compare,
  equal,
  f32,
  greatest,
  i32,
  least,
  less,
  minus,
  over,
  plus,
  select,
  times,
  either,
  isNaNExpr,
} from "../../core/scalar.ts";
import { type Arithmetic, abs, nan, oddSeries, one, orNaN, polynomial, signBit, signed, sqrt } from "./pieces.ts";

/** (asin x − x) / x³ by x² for |x| ≤ 1/2, to 2^−27; (atan x − x) / x³ by x² for |x| ≤ 1, to 2^−28. */
const arcSine = [0.16666752, 0.074953094, 0.045469154, 0.024184743, 0.042158388] as const;
const arcTangent = [
  -0.333333, 0.19998531, -0.14264052, 0.10951175, -0.084004745, 0.057906505, -0.03112692, 0.010887289, -0.0017875243,
] as const;

const pi = Math.fround(Math.PI);
/** π − the f32 next to it. */
const piLow = -8.742278e-8;

/** asin √z for z ≤ 1/4 from √z, as root + rest. */
const arcSineRest = (root: Expr, z: Expr): Expr => times(times(root, z), polynomial(z, arcSine));

/** asin a = π/2 − 2 asin √((1 − a) / 2). */
export function asin(x: Expr): Expr {
  const a = abs(x);
  const small = less(a, f32(0.5));
  const z = select(small, times(x, x), times(minus(one, a), f32(0.5)));
  const root = select(small, a, sqrt(z));
  const rest = arcSineRest(root, z);
  // From π/4, because the difference of π/2 and the roots may be above 1 where the result is below.
  const near = minus(minus(f32(pi / 4), plus(root, root)), minus(plus(rest, rest), f32(piLow / 2)));
  const far = plus(f32(pi / 4), near);
  const y = signed(select(small, plus(root, rest), far), signBit(x));
  return select(compare("le", a, one), y, nan);
}

export function acos(x: Expr): Expr {
  const a = abs(x);
  const small = less(a, f32(0.5));
  const z = select(small, times(x, x), times(minus(one, a), f32(0.5)));
  const root = select(small, x, sqrt(z));
  const y = plus(root, arcSineRest(root, z));
  const near = minus(f32(pi / 2), minus(y, f32(piLow / 2)));
  const twice = plus(y, y);
  const far = select(less(x, f32(0)), minus(f32(pi), minus(twice, f32(piLow))), twice);
  return select(compare("le", a, one), select(small, near, far), nan);
}

export function atan(x: Expr, arithmetic: Arithmetic): Expr {
  const a = abs(x);
  const flip = compare("gt", a, one);
  const y = oddSeries(select(flip, over(one, a), a), arcTangent);
  const angle = select(flip, minus(f32(pi / 2), minus(y, f32(piLow / 2))), y);
  return orNaN(x, signed(angle, signBit(x)), arithmetic);
}

export function atan2(y: Expr, x: Expr): Expr {
  const [a, b] = [abs(y), abs(x)];
  const [low, high] = [least(a, b), greatest(a, b)];
  // 0/0 is to be 0, and ∞/∞ is 1.
  const ratio = select(equal(low, high), select(equal(high, f32(0)), f32(0), one), over(low, high));
  const t = oddSeries(ratio, arcTangent);
  const first = select(compare("gt", a, b), minus(f32(pi / 2), minus(t, f32(piLow / 2))), t);
  // By the sign bit, so that −0 counts as negative.
  const left = less(bitcast(x, "i32"), i32(0));
  const angle = select(left, minus(f32(pi), minus(first, f32(piLow))), first);
  return select(either(isNaNExpr(x), isNaNExpr(y)), nan, signed(angle, signBit(y)));
}
