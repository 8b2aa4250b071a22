/**
 * Modified Bessel functions of the first kind, scaled by e^−|x|, as Chebyshev series: of e^−x I(x) on [0, 8], and of
 * √x e^−x I(x) in 8/x beyond. The coefficients were computed with 30 digits from the definition (DLMF 10.25.2).
 */
import type { ArrayLike } from "../core/arrayMethods.ts";
import type { NDArray } from "../core/ndarray.ts";
import type { AnyPrimitive, One, Primitive } from "../core/primitive.ts";
import {
  type Expr,
  compare,
  like,
  minus,
  negate,
  over,
  plus,
  select,
  times,
  unary as scalarUnary,
} from "../core/scalar.ts";
import { abs, add, div, mul, mulArrays, sign, sub } from "./arithmetic.ts";
import { gt, select as selectArrays } from "./compare.ts";
import { keepNaN } from "./arithmeticLowering.ts";
import { lowerPolynomial } from "./specialLowering.ts";
import { bindUnary, floating, literalLike, unary } from "./rules.ts";

interface Series {
  /** In x/4 − 1, of e^−x I(x) / x^order. */
  readonly near: readonly number[];
  /** In 16/x − 1, of √x e^−x I(x). */
  readonly far: readonly number[];
}

const order0: Series = {
  near: [
    0.67679527440947608, -0.3046826723431984, 0.17162090152220878, -0.094901097048047644, 0.049305284239670708,
    -0.023737414805899469, 0.010546460394594998, -0.0043243099950505759, 0.0016394756169413358, -5.7637557453858237e-4,
    1.8850288509584166e-4, -5.7541950100821037e-5, 1.6448448070728897e-5, -4.4167383584587506e-6, 1.1173875391201037e-6,
    -2.6707938539406117e-7, 6.0469950225419189e-8, -1.300025009986248e-8, 2.6598237246823867e-9,
    -5.1897956016352629e-10, 9.6758090353732369e-11, -1.7268262914415557e-11, 2.9550526631296398e-12,
    -4.8564467831119295e-13, 7.6761854986049356e-14, -1.1685332877993452e-14, 1.7153912855551318e-15,
    -2.4312798465478155e-16, 3.3307945188078965e-17, -4.4153416450077143e-18,
  ],
  far: [
    0.80449041101410883, 0.0033691164782556941, 6.889758346916824e-5, 2.8913705208347565e-6, 2.0489185894690637e-7,
    2.2666689904981781e-8, 3.3962320257083863e-9, 4.9406023882249696e-10, 1.1889147107846438e-11,
    -3.1499165279632414e-11, -1.3215811840447713e-11, -1.7941785315068061e-12, 7.1801244513836662e-13,
    3.8527783827421427e-13, 1.5400862175214098e-14, -4.1505693472872221e-14, -9.5548466988283075e-15,
    3.8116806693526225e-15, 1.7725601330565266e-15, -3.4254856196772194e-16, -2.8276239805165832e-16,
    3.4612228676974916e-17, 4.4656214202967794e-17, -4.8305044859441786e-18, -7.2331804878747445e-18,
  ],
};

const order1: Series = {
  near: [
    0.25258718644363365, -0.17641651835783406, 0.1026436586898471, -0.052945981208094991, 0.024726449030626517,
    -0.010564084894626198, 0.0041564229443128882, -0.0015135724506312531, 5.1228595616857577e-4, -1.6176081582589675e-4,
    4.7815651075500542e-5, -1.3273163656039436e-5, 3.4702513081376785e-6, -8.5687202646954547e-7, 2.0032947535521353e-7,
    -4.4450591287963281e-8, 9.3815373864957718e-9, -1.8872497517228293e-9, 3.625590281552117e-10,
    -6.6634897235020277e-11, 1.1736186298890902e-11, -1.9839743977649437e-12, 3.2237933659455747e-13,
    -5.0421855047279117e-14, 7.600684294735407e-15, -1.1055969477353864e-15, 1.5536319577361998e-16,
    -2.1114212143580803e-17, 2.7779141127530334e-18,
  ],
  far: [
    0.77857623501828012, -0.0097610974913614684, -1.1058893876262372e-4, -3.8825648088776904e-6, -2.5122362378702089e-7,
    -2.6314688468895195e-8, -3.835380385964237e-9, -5.5897434621965838e-10, -1.8974958123505412e-11,
    3.2526035830154882e-11, 1.4125807436613781e-11, 2.0356285441470895e-12, -7.1985517762459085e-13,
    -4.0835511110921973e-13, -2.1015418427726643e-14, 4.2724400167119514e-14, 1.0420276984128803e-14,
    -3.8144030724370077e-15, -1.8803547755107822e-15, 3.3082023109209279e-16, 2.9626289976459505e-16,
    -3.209525921993394e-17, -4.6503053684893401e-17, 4.4143483230717166e-18, 7.5172963108421267e-18,
  ],
};

/** c[0]/2 + Σ c[n] T(n, u), by Clenshaw's recurrence. */
function chebyshev(c: readonly number[], u: number): number {
  let [d, previous] = [0, 0];
  for (let n = c.length - 1; n > 0; n--) [d, previous] = [2 * u * d - previous + c[n]!, d];
  return u * d - previous + c[0]! / 2;
}

function scaledBessel({ near, far }: Series, order: 0 | 1): (x: number) => number {
  return (x) => {
    const size = Math.abs(x);
    if (size !== size) return NaN;
    if (size <= 8) return chebyshev(near, size / 4 - 1) * (order === 1 ? x : 1);
    const y = chebyshev(far, 16 / size - 1) / Math.sqrt(size);
    return order === 1 && x < 0 ? -y : y;
  };
}

/** The same as an expression. */
function lowerChebyshev(c: readonly number[], u: Expr): Expr {
  const twice = plus(u, u);
  let d: Expr = like(u, 0);
  let previous: Expr = like(u, 0);
  for (let n = c.length - 1; n > 0; n--) [d, previous] = [plus(minus(times(twice, d), previous), like(u, c[n]!)), d];
  return plus(minus(times(u, d), previous), like(u, c[0]! / 2));
}

/** Minimax fits for f32: I(x) / x^order in x² for |x| ≤ 8, to 2^−28, and √x e^−x I(x) in 1/x for x ≥ 8, to 2^−25. */
const singles: readonly [Series, Series] = [
  {
    near: [
      1, 0.25, 0.015625, 4.34027665e-4, 6.78172773e-6, 6.78103902e-8, 4.71437167e-10, 2.38188397e-12, 9.91596314e-15,
      2.12226156e-17, 1.3100999e-19,
    ],
    far: [0.398942292, 0.0498643629, 0.0282083284, 0.0272161644, 0.0438416973, 0.209016532],
  },
  {
    near: [
      0.5, 0.0625, 0.00260416558, 5.42539965e-5, 6.7807747e-7, 5.65916691e-9, 3.32716805e-11, 1.60244417e-13,
      3.6460152e-16, 2.69687804e-18,
    ],
    far: [0.398942292, -0.149608091, -0.0464193448, -0.0495322533, 0.0399576724, -0.548068106],
  },
];

/** √x e^−x I(x) and e^−x I(x) / x^order, where they are taken. */
function besselParts({ near, far }: Series, order: 0 | 1, size: Expr): readonly [Expr, Expr] {
  if (size.type === "f64")
    return [
      lowerChebyshev(far, minus(over(like(size, 16), size), like(size, 1))),
      lowerChebyshev(near, minus(times(size, like(size, 0.25)), like(size, 1))),
    ];
  const single = singles[order];
  const series = lowerPolynomial(single.near, times(size, size));
  return [
    lowerPolynomial(single.far, over(like(size, 1), size)),
    times(series, scalarUnary("exp", minus(like(size, 0), size))),
  ];
}

function lowerBessel(series: Series, order: 0 | 1): (x: Expr) => Expr {
  return (x) => {
    const size = scalarUnary("abs", x);
    const [far, near] = besselParts(series, order, size);
    const beyond = over(far, scalarUnary("sqrt", size));
    const signed = order === 1 ? select(compare("lt", x, like(x, 0)), negate(beyond), beyond) : beyond;
    return keepNaN(x, select(compare("le", size, like(x, 8)), order === 1 ? times(near, x) : near, signed));
  };
}

export const besselI0eP: Primitive<One, null> = /* @__PURE__ */ unary({
  name: "bessel_i0e",
  accepts: floating,
  real: /* @__PURE__ */ scaledBessel(order0, 0),
  lower: /* @__PURE__ */ lowerBessel(order0, 0),
  cost: 80,
  // I0' = I1.
  derivative: (g, y, x) => mulArrays(g, sub(besselI1e(x), mul(sign(x), y))),
});
/** e^−|x| I0(x), with I0 the modified Bessel function of order 0. @example lax.besselI0e(np.array([0])) // [1] */
export const besselI0e = (x: ArrayLike): NDArray => bindUnary(besselI0eP, x, []);

export const besselI1eP: Primitive<One, null> = /* @__PURE__ */ unary({
  name: "bessel_i1e",
  accepts: floating,
  real: /* @__PURE__ */ scaledBessel(order1, 1),
  lower: /* @__PURE__ */ lowerBessel(order1, 1),
  cost: 80,
  // I1' = I0 − I1 / x, which is 1/2 at 0.
  derivative: (g, y, x) => {
    const away = gt(abs(x), 1e-7);
    const safe = selectArrays(away, x, literalLike(x, 1));
    const slope = sub(besselI0e(safe), mulArrays(y, add(sign(safe), div(1, safe))));
    return mulArrays(g, selectArrays(away, slope, literalLike(x, 0.5)));
  },
});
/** e^−|x| I1(x), with I1 the modified Bessel function of order 1. @example lax.besselI1e(np.array([0])) // [0] */
export const besselI1e = (x: ArrayLike): NDArray => bindUnary(besselI1eP, x, []);

export const primitives: readonly AnyPrimitive[] = [besselI0eP, besselI1eP];
