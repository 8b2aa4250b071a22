/**
 * WGSL functions that kernels call, each written out only where it is used. WGSL lets a compiler assume that NaN and
 * infinity do not occur; what must hold for them is therefore done on the bits, with whole numbers, which no compiler may
 * rearrange. `zero` is a uniform that holds 0: what depends on it cannot be folded.
 */

import { fromU32Text, toWholeText } from "./quirks.ts";

export type WgslFunction =
  "opaque" | "max_f32" | "min_f32" | "rem_f32" | "to_i32" | "to_u32" | "from_u32" | "floor_div";

/** Bits of floats that are not NaN, as whole numbers in the floats' order. */
const ordered = `let a = bitcast<u32>(x);
  let b = bitcast<u32>(y);
  let p = a ^ (bitcast<u32>(bitcast<i32>(a) >> 31u) | 0x80000000u);
  let q = b ^ (bitcast<u32>(bitcast<i32>(b) >> 31u) | 0x80000000u);`;

const texts: Readonly<Record<WgslFunction, string>> = {
  opaque: `fn opaque(x: f32) -> f32 {
  return bitcast<f32>(bitcast<u32>(x) ^ zero.x);
}`,
  // −∞ becomes 0, so that negative NaNs wrap around and all NaNs are above +∞.
  max_f32: `fn max_f32(x: f32, y: f32) -> f32 {
  ${ordered}
  return select(y, x, p - 0x7fffffu > q - 0x7fffffu);
}`,
  // +∞ becomes the greatest u32, so that positive NaNs wrap around and all NaNs are below −∞.
  min_f32: `fn min_f32(x: f32, y: f32) -> f32 {
  ${ordered}
  return select(y, x, p + 0x7fffffu < q + 0x7fffffu);
}`,
  // Long division on the significands: exact, with the sign of the dividend. After FreeBSD's and musl's fmodf.
  rem_f32: `fn rem_f32(x: f32, y: f32) -> f32 {
  let sign = bitcast<u32>(x) & 0x80000000u;
  var a = bitcast<u32>(x) & 0x7fffffffu;
  var b = bitcast<u32>(y) & 0x7fffffffu;
  if (b == 0u || a >= 0x7f800000u || b > 0x7f800000u) {
    return bitcast<f32>(0x7fc00000u | zero.x);
  }
  if (a < b) {
    return x;
  }
  var ea = i32(a >> 23u);
  var eb = i32(b >> 23u);
  if (ea == 0i) {
    ea = 9i - i32(countLeadingZeros(a));
    a = a << u32(1i - ea);
  } else {
    a = (a & 0x7fffffu) | 0x800000u;
  }
  if (eb == 0i) {
    eb = 9i - i32(countLeadingZeros(b));
    b = b << u32(1i - eb);
  } else {
    b = (b & 0x7fffffu) | 0x800000u;
  }
  for (; ea > eb; ea--) {
    if (a >= b) {
      a = a - b;
    }
    a = a << 1u;
  }
  if (a >= b) {
    a = a - b;
  }
  if (a == 0u) {
    return bitcast<f32>(sign);
  }
  let up = countLeadingZeros(a) - 8u;
  a = a << up;
  ea = ea - i32(up);
  if (ea > 0i) {
    a = (a - 0x800000u) | (u32(ea) << 23u);
  } else {
    a = a >> u32(1i - ea);
  }
  return bitcast<f32>(a | sign);
}`,
  to_i32: toWholeText("i32"),
  to_u32: toWholeText("u32"),
  from_u32: fromU32Text,
  floor_div: `fn floor_div(x: i32, by: i32) -> i32 {
  return x / by - select(0i, 1i, x % by < 0i);
}`,
};

/** Whether a function reads `zero`. */
export const needsZero = (f: WgslFunction): boolean => texts[f].includes("zero.x");

/** The text of functions, in a fixed order. */
export const functionTexts = (used: ReadonlySet<WgslFunction>): string[] =>
  (Object.keys(texts) as WgslFunction[]).filter((f) => used.has(f)).map((f) => texts[f]);
