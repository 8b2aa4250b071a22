/** Polynomials as lists of coefficients, the highest power first; window functions; the Bessel function they need. */
import type { ArrayLike } from "../core/arrayMethods.ts";
import { isComplex } from "../core/dtype.ts";
import type { NDArray } from "../core/ndarray.ts";
import { asArray, promoteOperands } from "../core/operands.ts";
import { ArgumentError, ShapeError } from "../core/problem.ts";
import { broadcastShapes, parseShape, range, shapeText } from "../core/shape.ts";
import { broadcastInDim, broadcastTo, convert, full, reshape } from "../core/structural.ts";
import { abs as absArray, addArrays, divArrays, mulArrays, neg, rsqrt, sqrt, subArrays } from "../lax/arithmetic.ts";
import { scan } from "../lax/control/loops.ts";
import { cos, exp } from "../lax/elementary.ts";
import { eqArrays, leArrays, selectArrays } from "../lax/compare.ts";
import { iota } from "../lax/creation.ts";
import { concatenateArrays, padArray, rev, sliceInDim } from "../lax/movement.ts";
import { literalLike } from "../lax/rules.ts";
import { type Rest, given, inexactOf, integer } from "./arguments.ts";
import { abs, add, divide, multiply, power, subtract } from "./arithmetic.ts";
import { placeIn } from "./at.ts";
import { facts } from "./dtypes.ts";
import { requireReal } from "./floats.ts";
import { less } from "./logic.ts";
import { trimZeros } from "./repeat.ts";
import { convolve } from "./statistics.ts";
import { unit } from "../core/unit.ts";

const needsVector = (name: string, x: NDArray): ShapeError =>
  new ShapeError("VectorExpected", {
    what: `${name}: coefficients of shape ${shapeText(x.shape)}`,
    why: "a polynomial is a list of coefficients",
    fix: "pass a one-dimensional array",
  });

const vector = (name: string, x: NDArray): NDArray => {
  if (x.ndim !== 1) throw needsVector(name, x);
  return x;
};

/** Two polynomials of one dtype. */
const both = (name: string, a: ArrayLike, b: ArrayLike, toInexact: boolean): [NDArray, NDArray] =>
  promoteOperands(name, [a, b], toInexact).map((x) => vector(name, x)) as [NDArray, NDArray];

// ---------------------------------------------------------------- evaluation

/**
 * A polynomial at points, by Horner's rule.
 *
 * @example
 * np.polyval(np.array([1, 2, 3]), np.array([0, 2])) // [3, 11]
 */
export const polyval = /* @__PURE__ */ unit(
  "polyval",
  2,
  function polyval(p: ArrayLike, x: ArrayLike, ...rest: Rest<[], { readonly unroll?: number | undefined }>): NDArray {
    given<{ unroll: number }>("polyval", ["unroll"], 0, rest);
    const [coefficients, points] = promoteOperands("polyval", [p, x]) as [NDArray, NDArray];
    if (coefficients.ndim === 0) throw needsVector("polyval", coefficients);
    const shape = broadcastShapes("polyval", [coefficients.shape.slice(1), points.shape]);
    const at = convert(broadcastTo(points, shape), points.dtype);
    const zero = full(shape, 0, points.dtype);
    const [y] = scan(
      (sum: NDArray, c: NDArray) => [addArrays(mulArrays(sum, at), broadcastTo(convert(c, at.dtype), shape)), null],
      zero,
      coefficients,
    );
    return y;
  },
  { numbers: "inputs" },
);

/**
 * Powers of the elements as columns, the highest first.
 *
 * @example
 * np.vander(np.array([1, 2, 3])) // [[1, 1, 1], [4, 2, 1], [9, 3, 1]]
 */
export const vander = /* @__PURE__ */ unit(
  "vander",
  1,
  function vander(
    x: ArrayLike,
    ...rest: Rest<
      [number | null, boolean],
      { readonly N?: number | null | undefined; readonly increasing?: boolean | undefined }
    >
  ): NDArray {
    const { N = null, increasing = false } = given<{ N: number | null; increasing: boolean }>(
      "vander",
      ["N", "increasing"],
      2,
      rest,
    );
    const v = vector("vander", asArray(x, "vander"));
    const n = v.shape[0]!;
    const m = parseShape("vander", N ?? n)[0]!;
    const up = iota("int32", m);
    const exponents = increasing ? up : rev(up, [0]);
    return power(broadcastInDim(v, [n, m], [0]), broadcastInDim(exponents, [n, m], [1]));
  },
);

// ---------------------------------------------------------------- arithmetic

/** Coefficients aligned at the constant term. */
const aligned = (x: NDArray, n: number): NDArray => padArray(x, full([], 0, x.dtype), [[n - x.shape[0]!, 0, 0]]);

function combine(name: string, a1: ArrayLike, a2: ArrayLike, f: (x: NDArray, y: NDArray) => NDArray): NDArray {
  const [a, b] = both(name, a1, a2, false);
  const n = Math.max(a.size, b.size);
  return f(aligned(a, n), aligned(b, n));
}

/**
 * Sum of polynomials.
 *
 * @example
 * np.polyadd(np.array([1, 2]), np.array([1, 0, 0])) // [1, 1, 2]
 */
export const polyadd = /* @__PURE__ */ unit("polyadd", 2, (a1: ArrayLike, a2: ArrayLike): NDArray =>
  combine("polyadd", a1, a2, addArrays),
);

/**
 * Difference of polynomials.
 *
 * @example
 * np.polysub(np.array([1, 2]), np.array([1, 0])) // [0, 2]
 */
export const polysub = /* @__PURE__ */ unit("polysub", 2, (a1: ArrayLike, a2: ArrayLike): NDArray =>
  combine("polysub", a1, a2, subArrays),
);

export interface TrimLeadingOption {
  /** Whether to drop leading zeros, which needs concrete values. */
  readonly trimLeadingZeros?: boolean | undefined;
}

/**
 * Product of polynomials.
 *
 * @example
 * np.polymul(np.array([1, 1]), np.array([1, -1])) // [1, 0, -1]
 */
export const polymul = /* @__PURE__ */ unit(
  "polymul",
  2,
  function polymul(a1: ArrayLike, a2: ArrayLike, ...rest: Rest<[], TrimLeadingOption>): NDArray {
    const { trimLeadingZeros = false } = given<TrimLeadingOption>("polymul", ["trimLeadingZeros"], 0, rest);
    const trim = (x: NDArray): NDArray => (trimLeadingZeros && x.size > 1 ? trimZeros(x, "f") : x);
    const orZero = (x: NDArray): NDArray => (x.size === 0 ? full([1], 0, x.dtype) : x);
    const [a, b] = both("polymul", a1, a2, true).map((x) => orZero(trim(x))) as [NDArray, NDArray];
    return convolve(a, b);
  },
);

/**
 * Quotient and remainder of polynomials; the remainder keeps its leading zeros unless told otherwise.
 *
 * @example
 * np.polydiv(np.array([1, 0, -1]), np.array([1, 1])) // [[1, -1], [0, 0, 0]]
 */
export const polydiv = /* @__PURE__ */ unit(
  "polydiv",
  2,
  function polydiv(
    u: ArrayLike,
    v: ArrayLike,
    ...rest: Rest<[], TrimLeadingOption>
  ): [quotient: NDArray, remainder: NDArray] {
    const { trimLeadingZeros = false } = given<TrimLeadingOption>("polydiv", ["trimLeadingZeros"], 0, rest);
    const [a, b] = both("polydiv", u, v, true);
    const steps = a.size - b.size + 1;
    const scale = divArrays(full([], 1, b.dtype), reshape(sliceInDim(b, 0, 1), []));
    let remainder = a;
    const quotient: NDArray[] = [];
    for (let k = 0; k < steps; k++) {
      const d = mulArrays(scale, reshape(sliceInDim(remainder, k, k + 1), []));
      quotient.push(reshape(d, [1]));
      remainder = placeIn(remainder, [[k, k + b.size]]).add(neg(mulArrays(b, d)));
    }
    const q = quotient.length > 0 ? concatenateArrays(quotient, 0) : full([1], 0, a.dtype);
    if (!trimLeadingZeros) return [q, remainder];
    const small = less(abs(remainder), Math.sqrt(facts(isComplex(a.dtype) ? "float32" : a.dtype).eps));
    return [q, trimZeros(selectArrays(small, literalLike(remainder, 0), remainder), "f")];
  },
);

/** The product of consecutive numbers n, n − 1, …, n − m + 1 for each power. */
const fallingFactorials = (count: number, m: number, first: number): number[] =>
  range(count).map((i) => range(m).reduce((p, k) => p * (first + i - k), 1));

const constants = (values: readonly number[], like: NDArray): NDArray =>
  convert(asArray(values, "polynomial"), like.dtype);

/**
 * Derivative of a polynomial, m times.
 *
 * @example
 * np.polyder(np.array([1, 2, 3])) // [2, 2]
 */
export const polyder = /* @__PURE__ */ unit(
  "polyder",
  1,
  function polyder(p: ArrayLike, ...rest: Rest<[number], { readonly m?: number | undefined }>): NDArray {
    const { m = 1 } = given<{ m: number }>("polyder", ["m"], 1, rest);
    const x = vector("polyder", inexactOf("polyder", p));
    if (order("polyder", m) === 0) return x;
    const n = Math.max(0, x.size - m);
    if (n === 0) return full([0], 0, x.dtype);
    return mulArrays(sliceInDim(x, 0, n), constants(fallingFactorials(n, m, m).reverse(), x));
  },
);

function order(name: string, m: number): number {
  if (integer(name, "m", m) >= 0) return m;
  throw new ArgumentError("NegativeOrder", {
    what: `${name}: m is ${m}`,
    why: "it counts derivatives or integrals",
    fix: name === "polyder" ? "use numpy.polyint for integrals" : "use numpy.polyder for derivatives",
  });
}

export interface PolyintOptions {
  readonly m?: number | undefined;
  /** The constants of integration: one for all, or one per integral. */
  readonly k?: ArrayLike | null | undefined;
}

/**
 * Integral of a polynomial, m times.
 *
 * @example
 * np.polyint(np.array([2, 2])) // [1, 2, 0]
 */
export const polyint = /* @__PURE__ */ unit(
  "polyint",
  1,
  function polyint(p: ArrayLike, ...rest: Rest<[number, ArrayLike | null], PolyintOptions>): NDArray {
    const { m = 1, k = null } = given<PolyintOptions>("polyint", ["m", "k"], 2, rest);
    const [x, c] = promoteOperands("polyint", [p, k ?? 0], true) as [NDArray, NDArray];
    vector("polyint", x);
    if (order("polyint", m) === 0) return x;
    const flat = reshape(c, [c.size]);
    if (flat.size !== 1 && flat.size !== m)
      throw new ShapeError("IntegrationConstants", {
        what: `polyint: ${flat.size} constants for ${m} integrals`,
        why: "every integration has a constant",
        fix: "give one for all, or one each",
      });
    const all = concatenateArrays([x, convert(broadcastTo(flat, [m]), x.dtype)], 0);
    // Power i was integrated m times unless it came in later as a constant.
    const divisors = range(x.size + m).map((i) => range(m).reduce((d, j) => d * Math.max(1, i - j), 1));
    return divide(all, constants(divisors.reverse(), x));
  },
);

/**
 * The polynomial with the given roots.
 *
 * @example
 * np.poly(np.array([1, -1])) // [1, 0, -1]
 */
export const poly = /* @__PURE__ */ unit("poly", 1, function poly(seqOfZeros: ArrayLike): NDArray {
  const raw = inexactOf("poly", seqOfZeros);
  const roots = raw.ndim === 0 ? reshape(raw, [1]) : vector("poly", raw);
  if (roots.size === 0) return full([], 1, roots.dtype);
  const one = full([1], 1, roots.dtype);
  return range(roots.size).reduce(
    (p, i) => convolve(p, concatenateArrays([one, neg(sliceInDim(roots, i, i + 1))], 0)),
    one,
  );
});

// ---------------------------------------------------------------- the Bessel function

/** Chebyshev coefficients of e^−x I₀(x) on [0, 8], and of √x e^−x I₀(x) in 32/x − 2 beyond (Cephes, i0e.c). */
const near = [
  -4.4153416464793393795e-18, 3.33079451882223809783e-17, -2.43127984654795469359e-16, 1.71539128555513303061e-15,
  -1.16853328779934516808e-14, 7.67618549860493561688e-14, -4.8564467831119294609e-13, 2.95505266312963983461e-12,
  -1.72682629144155570723e-11, 9.67580903537323691224e-11, -5.18979560163526290666e-10, 2.65982372468238665035e-9,
  -1.30002500998624804212e-8, 6.04699502254191894932e-8, -2.67079385394061173391e-7, 1.11738753912010371815e-6,
  -4.41673835845875056359e-6, 1.64484480707288970893e-5, -5.75419501008210370398e-5, 1.88502885095841655729e-4,
  -5.76375574538582365885e-4, 1.63947561694133579842e-3, -4.3243099950505759443e-3, 1.05464603945949983183e-2,
  -2.37374148058994688156e-2, 4.93052842396707084878e-2, -9.4901097048047644421e-2, 1.71620901522208775349e-1,
  -3.04682672343198398683e-1, 6.76795274409476084995e-1,
];
const far = [
  -7.23318048787475395456e-18, -4.83050448594418207126e-18, 4.46562142029675999901e-17, 3.4612228676974610931e-17,
  -2.82762398051658348494e-16, -3.42548561967721913462e-16, 1.7725601330565263836e-15, 3.81168066935262242075e-15,
  -9.5548466988283076487e-15, -4.15056934728722208663e-14, 1.54008621752140982691e-14, 3.85277838274214270114e-13,
  7.18012445138366623367e-13, -1.79417853150680611778e-12, -1.32158118404477131188e-11, -3.14991652796324136454e-11,
  1.18891471078464383424e-11, 4.9406023882249695891e-10, 3.39623202570838634515e-9, 2.26666899049817806459e-8,
  2.04891858946906374183e-7, 2.89137052083475648297e-6, 6.88975834691682398426e-5, 3.3691164782556940899e-3,
  8.04490411014108831608e-1,
];

/** Clenshaw's recurrence; terms too small for the dtype are left out. */
function chebyshev(x: NDArray, coefficients: readonly number[], eps: number): NDArray {
  const terms = coefficients.filter((c) => Math.abs(c) > eps / 64);
  let [b0, b1, b2]: [NDArray, NDArray, NDArray] = [literalLike(x, 0), literalLike(x, 0), literalLike(x, 0)];
  for (const c of terms) {
    [b1, b2] = [b0, b1];
    b0 = addArrays(subArrays(mulArrays(x, b1), b2), literalLike(x, c));
  }
  return mulArrays(subArrays(b0, b2), literalLike(x, 0.5));
}

/** I₀ of |x|, scaled by e^|x| at the end. */
function besselI0(x: NDArray): NDArray {
  const size = absArray(x);
  const { eps } = facts(x.dtype);
  const small = leArrays(size, literalLike(x, 8));
  // Outside of its range each branch gets a harmless number, so that no derivative overflows.
  const inner = selectArrays(small, size, literalLike(x, 8));
  const outer = selectArrays(small, literalLike(x, 8), size);
  const a = chebyshev(subArrays(mulArrays(inner, literalLike(x, 0.5)), literalLike(x, 2)), near, eps);
  const b = mulArrays(
    chebyshev(subArrays(divArrays(literalLike(x, 32), outer), literalLike(x, 2)), far, eps),
    rsqrt(outer),
  );
  return mulArrays(exp(size), selectArrays(small, a, b));
}

/**
 * The modified Bessel function of the first kind and order 0.
 *
 * @example
 * np.i0(np.array([0])) // [1]
 */
export const i0 = /* @__PURE__ */ unit("i0", 1, function i0(x: ArrayLike): NDArray {
  const a = requireReal("i0", inexactOf("i0", x));
  const y = besselI0(a);
  // The derivative at 0 is 0: |x| has a kink there that the function has not.
  return selectArrays(eqArrays(a, literalLike(a, 0)), literalLike(a, 1), y);
});

// ---------------------------------------------------------------- windows

/** A window of one point is 1; longer ones are a function of the positions 0 … M − 1. */
function windowOf(name: string, M: number, f: (n: NDArray, last: number) => NDArray): NDArray {
  const count = parseShape(name, Math.max(0, integer(name, "M", M)))[0]!;
  return count <= 1 ? full([count], 1, "float32") : f(iota("float32", count), count - 1);
}

/** Σ c_k cos(2πkn / last) */
const cosines = (n: NDArray, last: number, coefficients: readonly number[]): NDArray =>
  coefficients.reduce<NDArray>((sum, c, k) => {
    if (k === 0) return add(multiply(n, 0), c);
    return add(sum, multiply(cos(divide(multiply(n, 2 * Math.PI * k), last)), c));
  }, n);

/**
 * The Blackman window of M points.
 *
 * @example
 * np.blackman(3) // [0, 1, 0] up to rounding
 */
export const blackman = (M: number): NDArray =>
  windowOf("blackman", M, (n, last) => cosines(n, last, [0.42, -0.5, 0.08]));

/**
 * The Hamming window of M points.
 *
 * @example
 * np.hamming(3) // [0.08, 1, 0.08]
 */
export const hamming = (M: number): NDArray => windowOf("hamming", M, (n, last) => cosines(n, last, [0.54, -0.46]));

/**
 * The Hann window of M points.
 *
 * @example
 * np.hanning(3) // [0, 1, 0]
 */
export const hanning = (M: number): NDArray => windowOf("hanning", M, (n, last) => cosines(n, last, [0.5, -0.5]));

/**
 * The triangular window of M points.
 *
 * @example
 * np.bartlett(3) // [0, 1, 0]
 */
export const bartlett = (M: number): NDArray =>
  windowOf("bartlett", M, (n, last) => subtract(1, divide(abs(subtract(multiply(n, 2), last)), last)));

/**
 * The Kaiser window of M points; the larger `beta`, the narrower.
 *
 * @example
 * np.kaiser(3, 0) // [1, 1, 1]
 */
export const kaiser = (M: number, beta: ArrayLike): NDArray =>
  windowOf("kaiser", M, (n, last) => {
    const t = subtract(divide(multiply(n, 2), last), 1);
    return divide(i0(multiply(sqrt(subtract(1, multiply(t, t))), beta)), i0(beta));
  });
