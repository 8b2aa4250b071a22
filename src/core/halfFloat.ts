/**
 * float16 and bfloat16 as numbers and as bits. Rounding is to nearest, ties to even; the double is rounded once.
 */

const f32 = new Float32Array(1);
const u32 = new Uint32Array(f32.buffer);

/** Rounds `|x| / unit` to an integer, ties to even, and scales back. Exact because `unit` is a power of two. */
function roundToMultiple(x: number, unit: number): number {
  const q = x / unit;
  const lower = Math.floor(q);
  const rest = q - lower;
  const up = rest > 0.5 || (rest === 0.5 && lower % 2 !== 0);
  return (up ? lower + 1 : lower) * unit;
}

/** Rounds to a binary format with `bits` significant bits and the given exponent range. */
function roundBinary(x: number, bits: number, minExponent: number, maxExponent: number): number {
  if (x === 0 || !Number.isFinite(x)) return x;
  const a = Math.abs(x);
  let e = Math.floor(Math.log2(a));
  // log2 can be off by one next to powers of two.
  if (2 ** e > a) e--;
  else if (2 ** (e + 1) <= a) e++;
  const rounded = roundToMultiple(a, 2 ** (Math.max(e, minExponent) - bits + 1));
  const value = rounded >= 2 ** (maxExponent + 1) ? Infinity : rounded;
  return x < 0 ? -value : value;
}

/** The nearest float16 value. */
export const roundFloat16 = (x: number): number => roundBinary(x, 11, -14, 15);
/** The nearest bfloat16 value. */
export const roundBfloat16 = (x: number): number => roundBinary(x, 8, -126, 127);

export function float16FromBits(h: number): number {
  const sign = h & 0x8000 ? -1 : 1;
  const exponent = (h >> 10) & 31;
  const fraction = h & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

export function float16ToBits(x: number): number {
  if (Number.isNaN(x)) return 0x7e00;
  const r = roundFloat16(x);
  const sign = r < 0 || Object.is(r, -0) ? 0x8000 : 0;
  const a = Math.abs(r);
  if (a === Infinity) return sign | 0x7c00;
  if (a < 2 ** -14) return sign | (a * 2 ** 24);
  const e = Math.floor(Math.log2(a));
  return sign | ((e + 15) << 10) | ((a / 2 ** e - 1) * 1024);
}

export function bfloat16FromBits(h: number): number {
  u32[0] = h << 16;
  return f32[0]!;
}

export function bfloat16ToBits(x: number): number {
  if (Number.isNaN(x)) return 0x7fc0;
  f32[0] = roundBfloat16(x);
  return u32[0]! >>> 16;
}
