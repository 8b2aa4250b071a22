/** Reductions that leave NaN out. */
import type { ArrayLike, Axis } from "../core/arrayMethods.ts";
import { isComplex, isInexact } from "../core/dtype.ts";
import type { NDArray } from "../core/ndarray.ts";
import { asArray, scalarLiteral } from "../core/operands.ts";
import { broadcastTo, convert } from "../core/structural.ts";
import { divArrays, sqrt, subArrays } from "../lax/arithmetic.ts";
import { bitwiseNot } from "../lax/bitwise.ts";
import { convertElementType } from "../lax/cast.ts";
import { leArrays, neArrays, selectArrays } from "../lax/compare.ts";
import { literalLike } from "../lax/rules.ts";
import { type Rest, given, optionalDType } from "./arguments.ts";
import {
  type ArgOptions,
  type ArgRest,
  type ExtremumOptions,
  type MeanOptions,
  type SumOptions,
  type VarOptions,
  type VarRest,
  all,
  argmax,
  argmin,
  max,
  mean,
  min,
  prod,
  squaredSize,
  sum,
  varDTypes,
} from "./reduce.ts";
import { unit } from "../core/unit.ts";

const isNaNs = (x: NDArray): NDArray => neArrays(x, x);

/** The array with NaN replaced by a neutral number. */
const replaced = (x: NDArray, value: number): NDArray => selectArrays(isNaNs(x), literalLike(x, value), x);

const extremumNames = ["axis", "keepdims", "initial", "where"] as const;
const sumNames = ["axis", "dtype", "keepdims", "initial", "where", "promoteIntegers"] as const;

/** An extremum of what is not NaN; NaN where nothing else is. */
function extremum(name: string, reduce: typeof max, neutral: number, a: ArrayLike, rest: readonly unknown[]): NDArray {
  const options = given<ExtremumOptions>(name, extremumNames, 1, rest);
  const x = asArray(a, name);
  if (!isInexact(x.dtype)) return reduce(x, options);
  const y = reduce(replaced(x, neutral), options);
  if (options.initial != null) return y;
  const nothing = all(isNaNs(x), { axis: options.axis, keepdims: options.keepdims });
  return selectArrays(nothing, literalLike(y, NaN), y);
}

/**
 * Largest element that is not NaN.
 *
 * @example
 * np.nanmax(np.array([1, NaN, 3])) // 3
 */
export const nanmax = /* @__PURE__ */ unit(
  "nanmax",
  1,
  (a: ArrayLike, ...rest: Rest<[Axis], ExtremumOptions>): NDArray => extremum("nanmax", max, -Infinity, a, rest),
);

/**
 * Smallest element that is not NaN.
 *
 * @example
 * np.nanmin(np.array([1, NaN, 3])) // 1
 */
export const nanmin = /* @__PURE__ */ unit(
  "nanmin",
  1,
  (a: ArrayLike, ...rest: Rest<[Axis], ExtremumOptions>): NDArray => extremum("nanmin", min, Infinity, a, rest),
);

/** A sum or product of what is not NaN. */
function accumulate(
  name: string,
  reduce: typeof sum,
  neutral: number,
  a: ArrayLike,
  rest: readonly unknown[],
): NDArray {
  const options = given<SumOptions>(name, sumNames, 1, rest);
  const x = asArray(a, name);
  return reduce(isInexact(x.dtype) ? replaced(x, neutral) : x, options);
}

/**
 * Sum of what is not NaN.
 *
 * @example
 * np.nansum(np.array([1, NaN, 3])) // 4
 */
export const nansum = /* @__PURE__ */ unit("nansum", 1, (a: ArrayLike, ...rest: Rest<[Axis], SumOptions>): NDArray =>
  accumulate("nansum", sum, 0, a, rest),
);

/**
 * Product of what is not NaN.
 *
 * @example
 * np.nanprod(np.array([2, NaN, 3])) // 6
 */
export const nanprod = /* @__PURE__ */ unit("nanprod", 1, (a: ArrayLike, ...rest: Rest<[Axis], SumOptions>): NDArray =>
  accumulate("nanprod", prod, 1, a, rest),
);

/**
 * Mean of what is not NaN.
 *
 * @example
 * np.nanmean(np.array([1, NaN, 3])) // 2
 */
export const nanmean = /* @__PURE__ */ unit(
  "nanmean",
  1,
  function nanmean(a: ArrayLike, ...rest: Rest<[Axis], MeanOptions>): NDArray {
    const { dtype = null, ...options } = given<MeanOptions>("nanmean", ["axis", "dtype", "keepdims", "where"], 1, rest);
    const x = asArray(a, "nanmean");
    if (!isInexact(x.dtype)) return mean(x, { ...options, dtype });
    const result = optionalDType(dtype) ?? x.dtype;
    const count = sum(bitwiseNot(isNaNs(x)), { ...options, dtype: result });
    return divArrays(sum(replaced(x, 0), { ...options, dtype: result }), count);
  },
);

function variance(name: string, a: ArrayLike, rest: VarRest): NDArray {
  const names = ["axis", "dtype", "ddof", "keepdims", "where", "mean"] as const;
  const {
    axis,
    dtype,
    ddof = 0,
    keepdims = false,
    where,
    mean: known = null,
  } = given<VarOptions>(name, names, 1, rest);
  const raw = asArray(a, name);
  const [computed, result] = varDTypes(name, raw.dtype, dtype);
  const x = convertElementType(raw, computed);
  const missing = isNaNs(x);
  const center =
    known === null ? nanmean(x, { axis, dtype: computed, keepdims: true, where }) : convertElementType(known, computed);
  const deviation = subArrays(x, broadcastTo(center, x.shape));
  const squares = squaredSize(selectArrays(missing, literalLike(x, 0), deviation));
  const options = { axis, keepdims, where };
  const count = sum(bitwiseNot(missing), options);
  const divisor = subArrays(count, scalarLiteral(ddof, count.dtype));
  const empty = leArrays(divisor, literalLike(divisor, 0));
  const total = sum(squares, options);
  const safe = convert(selectArrays(empty, literalLike(divisor, 1), divisor), total.dtype);
  return convert(divArrays(selectArrays(empty, literalLike(total, NaN), total), safe), result);
}

/**
 * Variance of what is not NaN.
 *
 * @example
 * np.nanvar(np.array([1, NaN, 3])) // 1
 */
export const nanvar = /* @__PURE__ */ unit("nanvar", 1, (a: ArrayLike, ...rest: VarRest): NDArray =>
  variance("nanvar", a, rest),
);

/**
 * Standard deviation of what is not NaN.
 *
 * @example
 * np.nanstd(np.array([1, NaN, 3])) // 1
 */
export const nanstd = /* @__PURE__ */ unit("nanstd", 1, (a: ArrayLike, ...rest: VarRest): NDArray =>
  sqrt(variance("nanstd", a, rest)),
);

/** The position of an extremum of what is not NaN; -1 where there is nothing else. */
function position(name: string, find: typeof argmax, neutral: number, a: ArrayLike, rest: ArgRest): NDArray {
  const options = given<ArgOptions>(name, ["axis", "keepdims"], 1, rest);
  const x = asArray(a, name);
  if (!isInexact(x.dtype) || isComplex(x.dtype)) return find(x, options);
  const place = find(replaced(x, neutral), options);
  return selectArrays(all(isNaNs(x), options), literalLike(place, -1), place);
}

/**
 * Position of the largest element that is not NaN; -1 if all are.
 *
 * @example
 * np.nanargmax(np.array([NaN, 1, 5])) // 2
 */
export const nanargmax = /* @__PURE__ */ unit("nanargmax", 1, (a: ArrayLike, ...rest: ArgRest): NDArray =>
  position("nanargmax", argmax, -Infinity, a, rest),
);

/**
 * Position of the smallest element that is not NaN; -1 if all are.
 *
 * @example
 * np.nanargmin(np.array([NaN, 1, 5])) // 1
 */
export const nanargmin = /* @__PURE__ */ unit("nanargmin", 1, (a: ArrayLike, ...rest: ArgRest): NDArray =>
  position("nanargmin", argmin, Infinity, a, rest),
);
