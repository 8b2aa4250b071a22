/**
 * Complex arithmetic and elementary functions on pairs (re, im), in float64. Branch cuts are those of C99 and NumPy.
 */
export type Complex = readonly [re: number, im: number];

export const add = (a: Complex, b: Complex): Complex => [a[0] + b[0], a[1] + b[1]];
export const sub = (a: Complex, b: Complex): Complex => [a[0] - b[0], a[1] - b[1]];
export const mul = (a: Complex, b: Complex): Complex => [a[0] * b[0] - a[1] * b[1], a[0] * b[1] + a[1] * b[0]];
export const neg = (a: Complex): Complex => [-a[0], -a[1]];
/** i·z and −i·z, exact. */
const timesI = (a: Complex): Complex => [-a[1], a[0]];
const overI = (a: Complex): Complex => [a[1], -a[0]];

/** Scaled by the larger part of the divisor (Smith), so that float64 does not overflow. */
export function div(a: Complex, b: Complex): Complex {
  if (b[1] === 0) return [a[0] / b[0], a[1] / b[0]];
  if (Math.abs(b[0]) >= Math.abs(b[1])) {
    const r = b[1] / b[0];
    const d = b[0] + b[1] * r;
    return [(a[0] + a[1] * r) / d, (a[1] - a[0] * r) / d];
  }
  const r = b[0] / b[1];
  const d = b[0] * r + b[1];
  return [(a[0] * r + a[1]) / d, (a[1] * r - a[0]) / d];
}

export const modulus = (z: Complex): number => Math.hypot(z[0], z[1]);

/** z / |z|, and 0 at 0. */
export function sign(z: Complex): Complex {
  const r = modulus(z);
  return r === 0 ? [0, 0] : [z[0] / r, z[1] / r];
}

export function cexp([a, b]: Complex): Complex {
  const r = Math.exp(a);
  // 0·∞ must not make a real argument's imaginary part NaN.
  return b === 0 ? [r, b] : [r * Math.cos(b), r * Math.sin(b)];
}

/** e^z − 1; the real part as expm1(a)·cos b − 2 sin²(b/2), which does not cancel near 0. */
export function cexpm1([a, b]: Complex): Complex {
  const s = Math.sin(b / 2);
  return [Math.expm1(a) * Math.cos(b) - 2 * s * s, b === 0 ? b : Math.exp(a) * Math.sin(b)];
}

export const clog = (z: Complex): Complex => [Math.log(modulus(z)), Math.atan2(z[1], z[0])];

/** log(1 + z), with |1 + z|² − 1 = 2a + a² + b² where that is small. */
export function clog1p([a, b]: Complex): Complex {
  const excess = a * (2 + a) + b * b;
  return [Math.abs(excess) < 0.5 ? Math.log1p(excess) / 2 : Math.log(Math.hypot(1 + a, b)), Math.atan2(b, 1 + a)];
}

export function csqrt([a, b]: Complex): Complex {
  if (a === 0 && b === 0) return [0, b];
  if (Math.abs(b) === Infinity) return [Infinity, b];
  const t = Math.sqrt((Math.abs(a) + Math.hypot(a, b)) / 2);
  if (a >= 0) return [t, b / (2 * t)];
  const im = b < 0 || Object.is(b, -0) ? -t : t;
  return [b / (2 * im), im];
}

/** x^y = exp(y log x); 0^0 = 1 and otherwise 0^y = 0. */
export function cpow(x: Complex, y: Complex): Complex {
  if (y[0] === 0 && y[1] === 0) return [1, 0];
  if (x[0] === 0 && x[1] === 0) return y[0] < 0 ? [Infinity, NaN] : [0, 0];
  return cexp(mul(y, clog(x)));
}

export const csinh = ([a, b]: Complex): Complex => [
  Math.sinh(a) * Math.cos(b),
  b === 0 ? b : Math.cosh(a) * Math.sin(b),
];
export const ccosh = ([a, b]: Complex): Complex => [
  Math.cosh(a) * Math.cos(b),
  b === 0 || a === 0 ? 0 : Math.sinh(a) * Math.sin(b),
];
/** tanh(a + bi) = (sinh 2a + i sin 2b) / (cosh 2a + cos 2b); ±1 where cosh overflows. */
export function ctanh([a, b]: Complex): Complex {
  if (Math.abs(a) > 350) return [Math.sign(a), 0];
  const d = Math.cosh(2 * a) + Math.cos(2 * b);
  return [Math.sinh(2 * a) / d, Math.sin(2 * b) / d];
}
export const csin = (z: Complex): Complex => overI(csinh(timesI(z)));
export const ccos = (z: Complex): Complex => ccosh(timesI(z));
export const ctan = (z: Complex): Complex => overI(ctanh(timesI(z)));

const conjugate = (z: Complex): Complex => [z[0], -z[1]];

// Kahan, "Branch cuts for complex elementary functions" (1987): no cancellation near 0 or ±1.
export function casin(z: Complex): Complex {
  const [minus, plus] = [csqrt([1 - z[0], -z[1]]), csqrt([1 + z[0], z[1]])];
  return [Math.atan2(z[0], mul(minus, plus)[0]), Math.asinh(mul(conjugate(minus), plus)[1])];
}
export const casinh = (z: Complex): Complex => overI(casin(timesI(z)));
export function cacos(z: Complex): Complex {
  const [minus, plus] = [csqrt([1 - z[0], -z[1]]), csqrt([1 + z[0], z[1]])];
  return [2 * Math.atan2(minus[0], plus[0]), Math.asinh(mul(conjugate(plus), minus)[1])];
}
export function cacosh(z: Complex): Complex {
  const [minus, plus] = [csqrt([z[0] - 1, z[1]]), csqrt([z[0] + 1, z[1]])];
  return [Math.asinh(mul(conjugate(minus), plus)[0]), 2 * Math.atan2(minus[1], plus[0])];
}
/** (log(1 + z) − log(1 − z)) / 2 */
export function catanh(z: Complex): Complex {
  const d = sub(clog1p(z), clog1p(neg(z)));
  return [d[0] / 2, d[1] / 2];
}
export const catan = (z: Complex): Complex => overI(catanh(timesI(z)));

/** −i log((y + i·x) / sqrt(x² + y²)): XLA's extension of atan2(x, y) to complex operands. */
export const catan2 = (x: Complex, y: Complex): Complex =>
  overI(clog(div(add(y, timesI(x)), csqrt(add(mul(x, x), mul(y, y))))));

/** 1 / (1 + e^−z), with the exponential on the side where it does not overflow. */
export function clogistic(z: Complex): Complex {
  if (z[0] >= 0) return div([1, 0], add([1, 0], cexp(neg(z))));
  const e = cexp(z);
  return div(e, add([1, 0], e));
}

/** Lexicographic order, NaN greatest: what max and min of complex numbers mean. */
export function lexicographicMax(a: Complex, b: Complex): Complex {
  if (a[0] !== a[0] || a[1] !== a[1]) return a;
  if (b[0] !== b[0] || b[1] !== b[1]) return b;
  return a[0] > b[0] || (a[0] === b[0] && a[1] >= b[1]) ? a : b;
}
export function lexicographicMin(a: Complex, b: Complex): Complex {
  if (a[0] !== a[0] || a[1] !== a[1]) return a;
  if (b[0] !== b[0] || b[1] !== b[1]) return b;
  return a[0] < b[0] || (a[0] === b[0] && a[1] <= b[1]) ? a : b;
}
