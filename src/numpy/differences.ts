/** Differences, gradients, integrals and phase unwrapping along axes. */
import type { ArrayLike } from "../core/arrayMethods.ts";
import { isBool, isInteger } from "../core/dtype.ts";
import type { NDArray } from "../core/ndarray.ts";
import { asArray, promoteOperands } from "../core/operands.ts";
import { splitOptions } from "../core/options.ts";
import { ArgumentError, ShapeError } from "../core/problem.ts";
import { canonicalAxis, range, shapeText } from "../core/shape.ts";
import { broadcastTo, convert, moveAxis, reshape } from "../core/structural.ts";
import { abs, addArrays, divArrays, mulArrays, subArrays } from "../lax/arithmetic.ts";
import { xorArrays } from "../lax/bitwise.ts";
import { concatenateArrays, sliceInDim } from "../lax/movement.ts";
import { literalLike } from "../lax/rules.ts";
import { type Rest, given, inexactOf, integer, onlyAs } from "./arguments.ts";
import { add, divide, floorDivide, mod, multiply, subtract } from "./arithmetic.ts";
import { cumsum } from "./cumulative.ts";
import { concatenate } from "./join.ts";
import { equal, greater, less, logicalAnd } from "./logic.ts";
import { sum } from "./reduce.ts";
import { where } from "./select.ts";
import { unit } from "../core/unit.ts";

export interface DiffOptions {
  /** How many times to take differences. */
  readonly n?: number | undefined;
  readonly axis?: number | undefined;
  /** Values before the first one. */
  readonly prepend?: ArrayLike | null | undefined;
  /** Values after the last one. */
  readonly append?: ArrayLike | null | undefined;
}

/**
 * Differences of neighbours along an axis; of booleans, whether they differ.
 *
 * @example
 * np.diff(np.array([1, 4, 9])) // [3, 5]
 */
export const diff = /* @__PURE__ */ unit(
  "diff",
  1,
  function diff(a: ArrayLike, ...rest: Rest<[number, number], DiffOptions>): NDArray {
    const {
      n = 1,
      axis = -1,
      prepend = null,
      append = null,
    } = given<DiffOptions>("diff", ["n", "axis", "prepend", "append"], 2, rest);
    const x = asArray(a, "diff");
    if (integer("diff", "n", n) < 0)
      throw new ArgumentError("NegativeOrder", {
        what: `diff: n is ${n}`,
        why: "it counts differences",
        fix: "give 0 or more",
      });
    if (n === 0) return x;
    const at = canonicalAxis("diff", axis, x.ndim);
    const beside = (v: ArrayLike | null): NDArray[] => {
      if (v === null) return [];
      const y = asArray(v, "diff");
      return [
        y.ndim === 0
          ? broadcastTo(
              y,
              x.shape.map((k, i) => (i === at ? 1 : k)),
            )
          : y,
      ];
    };
    const parts = [...beside(prepend), x, ...beside(append)];
    let y = parts.length > 1 ? concatenate(parts, at) : x;
    for (let k = 0; k < n; k++) {
      const length = y.shape[at]!;
      const [later, earlier] = [
        sliceInDim(y, Math.min(1, length), length, 1, at),
        sliceInDim(y, 0, Math.max(0, length - 1), 1, at),
      ];
      y = isBool(y.dtype) ? xorArrays(later, earlier) : subArrays(later, earlier);
    }
    return y;
  },
);

export interface Ediff1dOptions {
  readonly toEnd?: ArrayLike | null | undefined;
  readonly toBegin?: ArrayLike | null | undefined;
}

/**
 * Differences of neighbours in the flattened array, with values before and after.
 *
 * @example
 * np.ediff1d(np.array([1, 4, 9])) // [3, 5]
 */
export const ediff1d = /* @__PURE__ */ unit(
  "ediff1d",
  1,
  function ediff1d(ary: ArrayLike, ...rest: Rest<[ArrayLike | null, ArrayLike | null], Ediff1dOptions>): NDArray {
    const { toEnd = null, toBegin = null } = given<Ediff1dOptions>("ediff1d", ["toEnd", "toBegin"], 2, rest);
    const x = asArray(ary, "ediff1d");
    const inner = diff(reshape(x, [x.size]));
    const flat = (v: ArrayLike | null): NDArray[] => {
      if (v === null) return [];
      const y = convert(asArray(v, "ediff1d"), x.dtype);
      return [reshape(y, [y.size])];
    };
    return concatenateArrays([...flat(toBegin), inner, ...flat(toEnd)], 0);
  },
);

export interface GradientOptions {
  readonly axis?: number | readonly number[] | null | undefined;
  /** Accepted for numpy's signature: differences at the ends are of first order. */
  readonly edgeOrder?: 1 | null | undefined;
}

/**
 * Derivatives by central differences, one-sided at the ends; for several axes a list.
 *
 * @param f the values
 * @param varargs spacings: none for 1, one for all axes, or one per axis; a number or the coordinates
 * @example
 * np.gradient(np.array([1, 2, 4, 7])) // [1, 1.5, 2.5, 3]
 */
export const gradient = /* @__PURE__ */ unit(
  "gradient",
  1,
  function gradient(f: ArrayLike, ...varargs: readonly (ArrayLike | GradientOptions)[]): NDArray | NDArray[] {
    const [spacing, { axis = null, edgeOrder }] = splitOptions<GradientOptions>(varargs, ["axis", "edgeOrder"]);
    onlyAs("gradient", "edgeOrder", edgeOrder, [1], "leave it out: differences at the ends are of first order");
    const [x, ...steps] = promoteOperands("gradient", [f, ...(spacing as ArrayLike[])], true) as [
      NDArray,
      ...NDArray[],
    ];
    const axes =
      axis === null
        ? range(x.ndim)
        : (typeof axis === "number" ? [axis] : axis).map((i) => canonicalAxis("gradient", i, x.ndim));
    if (axes.some((i) => x.shape[i]! < 2))
      throw new ShapeError("GradientLength", {
        what: `gradient: an axis of shape ${shapeText(x.shape)} is too short`,
        why: "a difference needs two elements",
        fix: "name the axes that are long enough, { axis: … }",
      });
    if (steps.length > 1 && steps.length !== axes.length)
      throw new ArgumentError("GradientSpacing", {
        what: `gradient: ${steps.length} spacings for ${axes.length} axes`,
        why: "there is one spacing for all axes, or one per axis",
        fix: "give as many spacings as axes",
      });
    const results = axes.map((i, k) => gradientAlong(x, steps.length > 1 ? steps[k]! : (steps[0] ?? null), i));
    return results.length === 1 ? results[0]! : results;
  },
);

function gradientAlong(x: NDArray, h: NDArray | null, axis: number): NDArray {
  const n = x.shape[axis]!;
  const part = (y: NDArray, a: number, b: number): NDArray => sliceInDim(y, a, b, 1, axis);
  const between = (a: NDArray, i: number, j: number): NDArray => subArrays(part(a, i, i + 1), part(a, j, j + 1));
  const [first, last] = [between(x, 1, 0), between(x, n - 1, n - 2)];
  if (h === null || h.ndim === 0) {
    const step = h ?? literalLike(x, 1);
    const inner = divArrays(mulArrays(subArrays(part(x, 2, n), part(x, 0, n - 2)), literalLike(x, 0.5)), step);
    return concatenateArrays([divArrays(first, step), inner, divArrays(last, step)], axis);
  }
  if (h.ndim !== 1 || h.size !== n)
    throw new ShapeError("GradientSpacing", {
      what: `gradient: coordinates of shape ${shapeText(h.shape)} for an axis of length ${n}`,
      why: "there is one coordinate per position",
      fix: "pass a number, or a vector of that length",
    });
  const t = broadcastTo(
    reshape(
      h,
      x.shape.map((_, i) => (i === axis ? n : 1)),
    ),
    x.shape,
  );
  const [d1, d2] = [subArrays(part(t, 1, n - 1), part(t, 0, n - 2)), subArrays(part(t, 2, n), part(t, 1, n - 1))];
  const whole = addArrays(d1, d2);
  const weighted = [
    multiply(divide(multiply(d2, -1), mulArrays(d1, whole)), part(x, 0, n - 2)),
    multiply(divide(subArrays(d2, d1), mulArrays(d1, d2)), part(x, 1, n - 1)),
    multiply(divide(d1, mulArrays(d2, whole)), part(x, 2, n)),
  ];
  const inner = weighted.reduce((a, b) => addArrays(a, b));
  return concatenateArrays(
    [divArrays(first, between(t, 1, 0)), inner, divArrays(last, between(t, n - 1, n - 2))],
    axis,
  );
}

export interface TrapezoidOptions {
  /** The coordinates. */
  readonly x?: ArrayLike | null | undefined;
  /** The spacing, if there are no coordinates. */
  readonly dx?: ArrayLike | undefined;
  readonly axis?: number | undefined;
}

/**
 * The integral along an axis by the trapezoidal rule.
 *
 * @example
 * np.trapezoid(np.array([1, 2, 3])) // 4
 */
export const trapezoid = /* @__PURE__ */ unit(
  "trapezoid",
  2,
  function trapezoid(y: ArrayLike, ...rest: Rest<[ArrayLike | null, ArrayLike], TrapezoidOptions>): NDArray {
    const { x = null, dx = 1, axis = -1 } = given<TrapezoidOptions>("trapezoid", ["x", "dx", "axis"], 2, rest);
    const [values, points] =
      x === null
        ? [inexactOf("trapezoid", y), null]
        : (promoteOperands("trapezoid", [y, x], true) as [NDArray, NDArray]);
    const at = canonicalAxis("trapezoid", axis, values.ndim);
    const v = moveAxis(values, at, values.ndim - 1);
    const n = v.shape.at(-1)!;
    const part = (a: number, b: number): NDArray => sliceInDim(v, a, b, 1, v.ndim - 1);
    const sums = addArrays(part(1, n), part(0, n - 1));
    const steps = points ? (points.ndim === 1 ? diff(points) : moveAxis(diff(points, 1, at), at, points.ndim - 1)) : dx;
    return multiply(sum(multiply(sums, steps), -1), 0.5);
  },
);

export interface UnwrapOptions {
  /** The least jump that is taken for a wrap: half the period. */
  readonly discont?: ArrayLike | null | undefined;
  readonly axis?: number | undefined;
  /** The period, 2π. */
  readonly period?: ArrayLike | undefined;
}

/**
 * Angles along an axis with jumps of more than half a period removed.
 *
 * @example
 * np.unwrap(np.array([0, 3, 6.5]), { period: 4 }) // [0, -1, -1.5]
 */
export const unwrap = /* @__PURE__ */ unit(
  "unwrap",
  1,
  function unwrap(p: ArrayLike, ...rest: Rest<[ArrayLike | null, number, ArrayLike], UnwrapOptions>): NDArray {
    const {
      discont = null,
      axis = -1,
      period = 2 * Math.PI,
    } = given<UnwrapOptions>("unwrap", ["discont", "axis", "period"], 3, rest);
    const [x, cycle] = promoteOperands("unwrap", [p, period]) as [NDArray, NDArray];
    const at = canonicalAxis("unwrap", axis, x.ndim);
    const n = x.shape[at]!;
    if (n === 0) return x;
    const half = isInteger(x.dtype) ? floorDivide(cycle, 2) : divide(cycle, 2);
    const steps = diff(x, 1, at);
    const wrapped = subtract(mod(add(steps, half), cycle), half);
    const upward = logicalAnd(equal(wrapped, multiply(half, -1)), greater(steps, 0));
    const jump = subtract(where(upward, half, wrapped), steps);
    const correction = where(less(abs(steps), discont ?? divide(cycle, 2)), 0, jump);
    const first = sliceInDim(x, 0, 1, 1, at);
    return concatenate([first, add(sliceInDim(x, 1, n, 1, at), cumsum(correction, at))], at);
  },
);
