/**
 * Complex numbers and their parts. All four functions are linear over the reals, which is how they are differentiated:
 * the cotangent of a complex number pairs with it without conjugation, so that d(re)/dz = 1 and d(im)/dz = −i.
 */
import type { ArrayLike } from "../core/arrayMethods.ts";
import { isComplex } from "../core/dtype.ts";
import type { NDArray } from "../core/ndarray.ts";
import { asArray } from "../core/operands.ts";
import type { AnyPrimitive, One, Primitive, Two } from "../core/primitive.ts";
import * as scalar from "../core/scalar.ts";
import { bind1 } from "../core/trace.ts";
import { neg } from "./arithmetic.ts";
import { type Accepts, type PairLoop, binary, pairOf, unary } from "./rules.ts";

/** float64 is accepted and rounded: there is no wider complex dtype. */
const wideFloats: Accepts = { text: "float32 and float64", has: (d) => d === "float32" || d === "float64" };
const complexOnly: Accepts = { text: "complex numbers", has: isComplex };

const interleave: PairLoop = (out, a, b, sa, sb) => {
  for (let i = 0, p = 0, q = 0; i < out.length; i += 2, p += sa, q += sb) {
    out[i] = a[p]!;
    out[i + 1] = b[q]!;
  }
};
export const complexP: Primitive<Two, null> = /* @__PURE__ */ binary({
  name: "complex",
  accepts: wideFloats,
  loop: interleave,
  lower: (x) => x,
  complexLower: ([x], [y]) => [scalar.convert(x!, "f32"), scalar.convert(y!, "f32")],
  result: "complex64",
  derivatives: [(g) => complex(g, 0), (g) => complex(0, g)],
  transpose: [(ct) => real(ct), (ct) => imag(neg(ct))],
});
/** The complex number x + iy. */
export const complex = (x: ArrayLike, y: ArrayLike): NDArray => bind1(complexP, pairOf("complex", x, y), null);

export const realP: Primitive<One, null> = /* @__PURE__ */ unary({
  name: "real",
  accepts: complexOnly,
  real: (x) => x,
  complex: (z) => [z[0], 0],
  lower: (x) => x,
  complexLower: (z) => [z[0]!],
  result: () => "float32",
  derivative: (g) => real(g),
  transpose: (ct) => complex(ct, 0),
});
/** Real part. */
export const real = (x: ArrayLike): NDArray => bind1(realP, [asArray(x, "real")], null);

export const imagP: Primitive<One, null> = /* @__PURE__ */ unary({
  name: "imag",
  accepts: complexOnly,
  real: () => 0,
  complex: (z) => [z[1], 0],
  lower: (x) => scalar.like(x, 0),
  complexLower: (z) => [z[1]!],
  result: () => "float32",
  derivative: (g) => imag(g),
  transpose: (ct) => complex(0, neg(ct)),
});
/** Imaginary part. */
export const imag = (x: ArrayLike): NDArray => bind1(imagP, [asArray(x, "imag")], null);

export const conjP: Primitive<One, null> = /* @__PURE__ */ unary({
  name: "conj",
  accepts: { text: "complex numbers, float32 and float64", has: (d) => isComplex(d) || wideFloats.has(d) },
  real: (x) => x,
  complex: (z) => [z[0], -z[1]],
  lower: (x) => x,
  complexLower: (z) => [z[0]!, scalar.negate(z[1]!)],
  result: () => "complex64",
  derivative: (g) => conj(g),
  transpose: (ct, x) => (isComplex(x.dtype) ? conj(ct) : real(ct)),
});
/** Complex conjugate; the result is complex also for a real number. */
export const conj = (x: ArrayLike): NDArray => bind1(conjP, [asArray(x, "conj")], null);

export const primitives: readonly AnyPrimitive[] = [complexP, realP, imagP, conjP];
