/** Covariance, correlation and convolution. */
import type { ArrayLike } from "../core/arrayMethods.ts";
import { type DType, isComplex, isInexact, isInteger } from "../core/dtype.ts";
import type { NDArray } from "../core/ndarray.ts";
import { asArray, promoteOperands } from "../core/operands.ts";
import { DTypeError, ShapeError } from "../core/problem.ts";
import { shapeText } from "../core/shape.ts";
import { broadcastInDim, convert, full, reshape, transpose } from "../core/structural.ts";
import { abs, divArrays, mulArrays, sqrt, subArrays } from "../lax/arithmetic.ts";
import { convertElementType } from "../lax/cast.ts";
import { complex, conj, imag, real } from "../lax/complex.ts";
import { convGeneralDilated } from "../lax/conv.ts";
import { concatenateArrays, rev } from "../lax/movement.ts";
import { type Rest, checkChoice, given, inexactOf, optionalDType } from "./arguments.ts";
import { clip, divide, multiply, subtract } from "./arithmetic.ts";
import { type ProductOptions, dot, productNames } from "./contract.ts";
import { average, sum } from "./reduce.ts";
import { atleast2d, squeeze } from "./shape.ts";
import { diag } from "./triangles.ts";
import { unit } from "../core/unit.ts";

// ---------------------------------------------------------------- covariance

export interface CovOptions {
  /** Further variables, in the same layout. */
  readonly y?: ArrayLike | null | undefined;
  /** Whether variables are rows (the default) or columns. */
  readonly rowvar?: boolean | undefined;
  /** Whether to divide by the number of observations rather than by one less. */
  readonly bias?: boolean | undefined;
  /** Subtracted from the number of observations in the divisor, instead of `bias`. */
  readonly ddof?: number | null | undefined;
  /** How often each observation counts, integers. */
  readonly fweights?: ArrayLike | null | undefined;
  /** How much each observation counts. */
  readonly aweights?: ArrayLike | null | undefined;
  readonly dtype?: DType | null | undefined;
}

const needsMatrix = (name: string, x: NDArray): ShapeError =>
  new ShapeError("ObservationRank", {
    what: `${name}: observations of shape ${shapeText(x.shape)}`,
    why: "there is one axis of variables and one of observations",
    fix: "pass a vector or a matrix",
  });

function floatDType(name: string, dtype: DType | null | undefined): DType | null {
  const type = optionalDType(dtype);
  if (type === null || isInexact(type)) return type;
  throw new DTypeError("CovarianceDType", {
    what: `${name}: dtype ${type}`,
    why: "covariances are fractions",
    fix: "ask for a float or complex dtype",
  });
}

/** Rows of variables. */
function asRows(x: NDArray, rowvar: boolean): NDArray {
  const rows = atleast2d(x);
  return !rowvar && x.ndim !== 1 ? transpose(rows, [1, 0]) : rows;
}

/** Weights of observations, one-dimensional. */
function observationWeights(name: string, w: ArrayLike | null | undefined, n: number): NDArray | null {
  if (w === null || w === undefined) return null;
  const x = asArray(w, name);
  if (x.ndim === 1 && x.size === n) return abs(x);
  throw new ShapeError("WeightsShape", {
    what: `${name}: weights of shape ${shapeText(x.shape)} for ${n} observations`,
    why: "every observation has a weight",
    fix: `pass a vector of length ${n}`,
  });
}

function covariance(name: string, m: ArrayLike, options: CovOptions): NDArray {
  const { y = null, rowvar = true, bias = false, ddof = null, dtype } = options;
  const [a, b] = y === null ? [inexactOf(name, m), null] : (promoteOperands(name, [m, y], true) as [NDArray, NDArray]);
  if (a.ndim > 2 || (b && b.ndim > 2)) throw needsMatrix(name, a.ndim > 2 ? a : b!);
  const type = floatDType(name, dtype);
  const own = asRows(a, rowvar);
  const rows = b ? concatenateArrays([own, asRows(b, rowvar)], 0) : own;
  const [p, n] = rows.shape as unknown as readonly [number, number];
  if (p === 0) return full([0, 0], 0, rows.dtype);
  if (n === 0) return full(p === 1 ? [] : [p, p], NaN, rows.dtype);
  const x = type ? convertElementType(rows, type) : rows;
  const counts = observationWeights(name, options.fweights, n);
  if (counts && !isInteger(counts.dtype))
    throw new DTypeError("FrequencyDType", {
      what: `${name}: fweights are ${counts.describe()}`,
      why: "they count observations",
      fix: "convert them with x.astype(numpy.int32), or pass aweights",
    });
  const importance = observationWeights(name, options.aweights, n);
  const raw = counts && importance ? multiply(counts, importance) : (counts ?? importance);
  const w = raw && type ? convertElementType(raw, type) : raw;
  const [mean, total] = average(x, 1, { weights: w, returned: true });
  const first = reshape(total, [p]).slice(0);
  const d = ddof ?? (bias ? 0 : 1);
  const divisor: ArrayLike = !w
    ? n - d
    : d === 0
      ? first
      : importance
        ? subtract(first, divide(multiply(sum(multiply(w, importance)), d), first))
        : subtract(first, d);
  const centered = subArrays(x, broadcastInDim(convert(mean, x.dtype), x.shape, [0]));
  const weighted = w ? mulArrays(centered, broadcastInDim(convertElementType(w, x.dtype), x.shape, [1])) : centered;
  const turned = transpose(weighted, [1, 0]);
  return squeeze(divide(dot(centered, isComplex(x.dtype) ? conj(turned) : turned), divisor));
}

/**
 * Covariances of variables (rows) over observations (columns).
 *
 * @example
 * np.cov(np.array([[0, 1, 2], [2, 1, 0]])) // [[1, -1], [-1, 1]]
 */
export const cov = /* @__PURE__ */ unit(
  "cov",
  1,
  (m: ArrayLike, ...rest: Rest<[ArrayLike | null, boolean, boolean, number | null], CovOptions>): NDArray =>
    covariance(
      "cov",
      m,
      given<CovOptions>("cov", ["y", "rowvar", "bias", "ddof", "fweights", "aweights", "dtype"], 1, rest),
    ),
);

/**
 * Correlation coefficients of variables (rows) over observations (columns).
 *
 * @example
 * np.corrcoef(np.array([[0, 1, 2], [2, 1, 0]])) // [[1, -1], [-1, 1]]
 */
export const corrcoef = /* @__PURE__ */ unit(
  "corrcoef",
  2,
  function corrcoef(
    x: ArrayLike,
    ...rest: Rest<[ArrayLike | null, boolean], Pick<CovOptions, "y" | "rowvar" | "dtype">>
  ): NDArray {
    const c = covariance("corrcoef", x, given<CovOptions>("corrcoef", ["y", "rowvar", "dtype"], 1, rest));
    if (c.ndim === 0) return divArrays(c, c);
    const variances = diag(c);
    const deviations = convertElementType(sqrt(isComplex(c.dtype) ? real(variances) : variances), c.dtype);
    const r = divArrays(
      divArrays(c, broadcastInDim(deviations, c.shape, [0])),
      broadcastInDim(deviations, c.shape, [1]),
    );
    return isComplex(r.dtype) ? complex(clip(real(r), -1, 1), clip(imag(r), -1, 1)) : clip(r, -1, 1);
  },
);

// ---------------------------------------------------------------- convolution

export type ConvolveMode = "full" | "same" | "valid";
export interface ConvolveOptions extends ProductOptions {
  /** Which part of the result: all, as long as the longer operand, or where the operands overlap wholly. */
  readonly mode?: ConvolveMode | undefined;
}

function slide(
  name: string,
  a: ArrayLike,
  v: ArrayLike,
  fallback: ConvolveMode,
  rest: readonly unknown[],
  flip: boolean,
): NDArray {
  const {
    mode = fallback,
    precision,
    preferredElementType,
  } = given<ConvolveOptions>(name, ["mode", ...productNames], 1, rest);
  checkChoice(name, "mode", mode, ["full", "same", "valid"]);
  const type = optionalDType(preferredElementType);
  const [x, y] = promoteOperands(name, [a, v], type === null) as [NDArray, NDArray];
  if (x.ndim !== 1 || y.ndim !== 1 || x.size === 0 || y.size === 0)
    throw new ShapeError("ConvolveShape", {
      what: `${name}: operands of shapes ${shapeText(x.shape)} and ${shapeText(y.shape)}`,
      why: "two lists of at least one number are combined",
      fix: "pass one-dimensional arrays; for images use lax.conv or scipy.signal.convolve2d",
    });
  const conjugated = flip || !isComplex(y.dtype) ? y : conj(y);
  const swapped = x.size < y.size;
  const [long, short] = swapped ? [conjugated, x] : [x, conjugated];
  const n = short.size;
  const padding =
    mode === "valid" ? [0, 0] : mode === "full" ? [n - 1, n - 1] : [Math.floor(n / 2), n - Math.floor(n / 2) - 1];
  const kernel = flip ? rev(short, [0]) : short;
  const out = convGeneralDilated(
    reshape(long, [1, 1, long.size]),
    reshape(kernel, [1, 1, n]),
    [1],
    [padding as [number, number]],
    {
      precision: precision ?? null,
      preferredElementType: type,
    },
  );
  const line = reshape(out, [out.size]);
  return swapped && !flip ? rev(line, [0]) : line;
}

/**
 * The convolution of two lists: products summed over all ways to reach a position.
 *
 * @example
 * np.convolve(np.array([1, 2]), np.array([1, 1])) // [1, 3, 2]
 */
export const convolve = /* @__PURE__ */ unit(
  "convolve",
  2,
  (a: ArrayLike, v: ArrayLike, ...rest: Rest<[ConvolveMode], ConvolveOptions>): NDArray =>
    slide("convolve", a, v, "full", rest, true),
);

/**
 * The correlation of two lists: sums of products at every shift.
 *
 * @example
 * np.correlate(np.array([1, 2, 3]), np.array([1, 1])) // [3, 5]
 */
export const correlate = /* @__PURE__ */ unit(
  "correlate",
  2,
  (a: ArrayLike, v: ArrayLike, ...rest: Rest<[ConvolveMode], ConvolveOptions>): NDArray =>
    slide("correlate", a, v, "valid", rest, false),
);
