/** Running sums and products along an axis. */
import type { ArrayLike } from "../core/arrayMethods.ts";
import { type DType, isBool, isInexact } from "../core/dtype.ts";
import type { NDArray } from "../core/ndarray.ts";
import { asArray } from "../core/operands.ts";
import { ArgumentError } from "../core/problem.ts";
import { canonicalAxis, shapeText } from "../core/shape.ts";
import { convert, full, reshape } from "../core/structural.ts";
import { convertElementType } from "../lax/cast.ts";
import { neArrays, selectArrays } from "../lax/compare.ts";
import { cumprod as cumprodArray, cumsum as cumsumArray } from "../lax/cumulative.ts";
import { concatenateArrays } from "../lax/movement.ts";
import { literalLike } from "../lax/rules.ts";
import { type Rest, given, optionalDType } from "./arguments.ts";
import { truth } from "./logic.ts";
import { widened } from "./reduce.ts";
import { unit } from "../core/unit.ts";

export interface CumulativeOptions {
  /** The axis to run along; the flattened array by default. */
  readonly axis?: number | null | undefined;
  readonly dtype?: DType | null | undefined;
}
type CumulativeRest = Rest<[number | null], CumulativeOptions>;
type Run = typeof cumsumArray;

/** Runs along an axis in the dtype of the result; a boolean result is computed with integers. */
function run(name: string, f: Run, a: NDArray, options: CumulativeOptions, wide: boolean): NDArray {
  const { axis = null } = options;
  const flat = axis === null || a.ndim === 0;
  const x = flat ? reshape(a, [a.size]) : a;
  const at = flat ? 0 : canonicalAxis(name, axis, x.ndim);
  const dtype = optionalDType(options.dtype);
  const result = dtype ?? (wide || isBool(x.dtype) ? widened(x.dtype) : x.dtype);
  const operand = result === "bool" ? convert(truth(x), "int32") : convertElementType(x, result);
  return convertElementType(f(operand, at), result);
}

const cumulative = (name: string, f: Run, a: ArrayLike, rest: readonly unknown[]): NDArray =>
  run(name, f, asArray(a, name), given<CumulativeOptions>(name, ["axis", "dtype"], 1, rest), false);

/**
 * Sums of the elements up to each one.
 *
 * @example
 * np.cumsum(np.array([1, 2, 3])) // [1, 3, 6]
 */
export const cumsum = /* @__PURE__ */ unit("cumsum", 1, (a: ArrayLike, ...rest: CumulativeRest): NDArray =>
  cumulative("cumsum", cumsumArray, a, rest),
);

/**
 * Products of the elements up to each one.
 *
 * @example
 * np.cumprod(np.array([1, 2, 3])) // [1, 2, 6]
 */
export const cumprod = /* @__PURE__ */ unit("cumprod", 1, (a: ArrayLike, ...rest: CumulativeRest): NDArray =>
  cumulative("cumprod", cumprodArray, a, rest),
);

/** The array with NaN replaced. */
const withoutNaN = (name: string, a: ArrayLike, value: number): NDArray => {
  const x = asArray(a, name);
  return isInexact(x.dtype) ? selectArrays(neArrays(x, x), literalLike(x, value), x) : x;
};

/**
 * Running sums that count NaN as 0.
 *
 * @example
 * np.nancumsum(np.array([1, NaN, 3])) // [1, 1, 4]
 */
export const nancumsum = /* @__PURE__ */ unit("nancumsum", 1, (a: ArrayLike, ...rest: CumulativeRest): NDArray =>
  cumulative("nancumsum", cumsumArray, withoutNaN("nancumsum", a, 0), rest),
);

/**
 * Running products that count NaN as 1.
 *
 * @example
 * np.nancumprod(np.array([2, NaN, 3])) // [2, 2, 6]
 */
export const nancumprod = /* @__PURE__ */ unit("nancumprod", 1, (a: ArrayLike, ...rest: CumulativeRest): NDArray =>
  cumulative("nancumprod", cumprodArray, withoutNaN("nancumprod", a, 1), rest),
);

export interface StandardCumulativeOptions extends CumulativeOptions {
  /** Whether the value before the first element comes first. */
  readonly includeInitial?: boolean | undefined;
}

function standard(name: string, f: Run, x: ArrayLike, rest: readonly unknown[], start: number): NDArray {
  const names = ["axis", "dtype", "includeInitial"] as const;
  const { includeInitial = false, ...options } = given<StandardCumulativeOptions>(name, names, 0, rest);
  const a = asArray(x, name);
  if (a.ndim === 0 || (a.ndim > 1 && (options.axis === undefined || options.axis === null)))
    throw new ArgumentError("AxisRequired", {
      what: `${name}: no axis for an array of shape ${shapeText(a.shape)}`,
      why: "the axis follows by itself only for one-dimensional arrays",
      fix: "name the axis, { axis: 0 }",
    });
  const axis = options.axis ?? 0;
  const y = run(name, f, a, { ...options, axis }, start === 0);
  if (!includeInitial) return y;
  const at = canonicalAxis(name, axis, y.ndim);
  return concatenateArrays(
    [
      full(
        y.shape.map((n, i) => (i === at ? 1 : n)),
        start,
        y.dtype,
      ),
      y,
    ],
    at,
  );
}

/**
 * Running sums as in the array API standard.
 *
 * @example
 * np.cumulativeSum(np.array([1, 2, 3]), { includeInitial: true }) // [0, 1, 3, 6]
 */
export const cumulativeSum = /* @__PURE__ */ unit(
  "cumulativeSum",
  1,
  (x: ArrayLike, ...rest: Rest<[], StandardCumulativeOptions>): NDArray =>
    standard("cumulativeSum", cumsumArray, x, rest, 0),
);

/**
 * Running products as in the array API standard.
 *
 * @example
 * np.cumulativeProd(np.array([1, 2, 3])) // [1, 2, 6]
 */
export const cumulativeProd = /* @__PURE__ */ unit(
  "cumulativeProd",
  1,
  (x: ArrayLike, ...rest: Rest<[], StandardCumulativeOptions>): NDArray =>
    standard("cumulativeProd", cumprodArray, x, rest, 1),
);
