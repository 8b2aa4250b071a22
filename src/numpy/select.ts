/** Choice between arrays, element by element. */
import type { ArrayLike } from "../core/arrayMethods.ts";
import { isInteger } from "../core/dtype.ts";
import type { NDArray } from "../core/ndarray.ts";
import { asArray, asIndex, promoteOperands } from "../core/operands.ts";
import { ArgumentError, DTypeError, IndexError } from "../core/problem.ts";
import { broadcastShapes, shapesEqual } from "../core/shape.ts";
import { broadcastTo } from "../core/structural.ts";
import { selectArrays, selectN } from "../lax/compare.ts";
import { type Rest, adopted, broadcastAll, checkChoice, given, pair } from "./arguments.ts";
import { clip, mod } from "./arithmetic.ts";
import { truth } from "./logic.ts";
import { type NonzeroOptions, nonzero } from "./nonzero.ts";
import { argmax } from "./reduce.ts";
import { stack } from "./join.ts";
import { unit } from "../core/unit.ts";

/**
 * Elements of `x` where the condition holds, else of `y`. Without `x` and `y`: the positions where it holds, see
 * `nonzero`.
 *
 * @param condition booleans, or numbers that count as true unless they are 0
 * @example
 * np.where(np.array([true, false]), np.array([1, 2]), 0) // [1, 0]
 */
export function where(condition: ArrayLike, x: ArrayLike, y: ArrayLike, ...surplus: readonly []): NDArray;
export function where(condition: ArrayLike, options?: NonzeroOptions): NDArray[];
export function where(condition: ArrayLike, ...rest: readonly unknown[]): NDArray | NDArray[] {
  if (rest.length < 2) return nonzero(condition, ...(rest as [] | [NonzeroOptions]));
  if (rest.length > 2)
    throw new ArgumentError("SurplusArgument", {
      what: `where: ${rest.length - 2} surplus arguments`,
      why: "where takes a condition and two alternatives",
      fix: "for several alternatives use numpy.select",
    });
  return whereArrays(condition, ...adopted(rest[0] as ArrayLike, rest[1] as ArrayLike));
}

const whereArrays = /* @__PURE__ */ unit(
  "where",
  3,
  (condition: ArrayLike, first: ArrayLike, second: ArrayLike): NDArray => {
    const [x, y] = pair("where", first, second);
    const which = truth(asArray(condition, "where"));
    if (which.ndim === 0 || (x.ndim === 0 && y.ndim === 0)) return selectArrays(which, x, y);
    const shape = broadcastShapes("where", [which.shape, x.shape, y.shape]);
    const fit = (z: NDArray): NDArray => (z.ndim === 0 || shapesEqual(z.shape, shape) ? z : broadcastTo(z, shape));
    return selectArrays(fit(which), fit(x), fit(y));
  },
);

/**
 * Elements of the choice whose condition is the first to hold, else of the default.
 *
 * @example
 * np.select([np.array([true, false, false]), np.array([true, true, false])], [1, 2], 9) // [1, 2, 9]
 */
export const select = /* @__PURE__ */ unit(
  "select",
  0,
  function select(
    condlist: readonly ArrayLike[],
    choicelist: readonly ArrayLike[],
    ...rest: Rest<[ArrayLike], { readonly default?: ArrayLike | undefined }>
  ): NDArray {
    const { default: otherwise = 0 } = given<{ default: ArrayLike }>("select", ["default"], 1, rest);
    if (condlist.length !== choicelist.length || condlist.length === 0)
      throw new ArgumentError("SelectCount", {
        what: `select: ${condlist.length} conditions for ${choicelist.length} choices`,
        why: "every choice has a condition",
        fix: "give two lists of the same length, at least one",
      });
    const conditions = broadcastAll(
      "select",
      [false, ...condlist].map((c) => truth(asArray(c, "select"))),
    );
    const which = argmax(stack(conditions), 0);
    const cases = promoteOperands("select", [otherwise, ...choicelist]);
    const [w, ...all] = broadcastAll("select", [which, ...cases]);
    return selectN(w!, ...all);
  },
);

/**
 * From a list of arrays, element by element, the one whose number is in `a`.
 *
 * @example
 * np.choose(np.array([0, 1], { dtype: "int32" }), [np.array([1, 2]), np.array([10, 20])]) // [1, 20]
 */
export const choose = /* @__PURE__ */ unit(
  "choose",
  1,
  function choose(
    a: ArrayLike,
    choices: NDArray | readonly ArrayLike[],
    ...rest: Rest<[], { readonly mode?: "raise" | "wrap" | "clip" | undefined }>
  ): NDArray {
    const { mode = "raise" } = given<{ mode: "raise" | "wrap" | "clip" }>("choose", ["mode"], 0, rest);
    checkChoice("choose", "mode", mode, ["raise", "wrap", "clip"]);
    const index = asIndex(a, "choose");
    const list = promoteOperands("choose", [...(choices as readonly ArrayLike[])]);
    if (!isInteger(index.dtype))
      throw new DTypeError("IndexDType", {
        what: `choose: the selector is ${index.describe()}`,
        why: "it holds numbers of choices",
        fix: "convert it with a.astype(numpy.int32)",
      });
    const n = list.length;
    const bounded = mode === "raise" ? checked(index, n) : mode === "wrap" ? mod(index, n) : clip(index, 0, n - 1);
    const [w, ...all] = broadcastAll("choose", [bounded, ...list]);
    return selectN(w!, ...all);
  },
);

/** An index whose values are known to lie in range. */
function checked(index: NDArray, n: number): NDArray {
  const values = index.concrete();
  if (!values)
    throw new ArgumentError("TracedChoice", {
      what: `choose: ${index.describe()} cannot be checked`,
      why: 'mode "raise" looks at the values, which are not known inside a transformation',
      fix: 'pass { mode: "wrap" } or { mode: "clip" }',
    });
  const bad = [...values.dataSync()].find((i) => i < 0 || i >= n);
  if (bad === undefined) return index;
  throw new IndexError("ChoiceOutOfRange", {
    what: `choose: there is no choice number ${bad}`,
    why: `the ${n} choices are numbered from 0 to ${n - 1}`,
    fix: 'correct the selector, or pass { mode: "clip" }',
  });
}
