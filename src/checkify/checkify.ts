/**
 * `checkify`: the transformation that turns checks into results. The function is traced to a jaxpr, which is interpreted
 * with a state that says whether a check has failed; see `core/checks.ts` for the state and `interpreter.ts` for the rest.
 */
import { type AnyFunction, FlatFunction, checkCallable, checkOptions, flattenArgs, nameOf } from "../core/call.ts";
import type { CheckCategory } from "../core/checks.ts";
import { ArgumentError } from "../core/problem.ts";
import { traceToJaxpr } from "../core/staging.ts";
import { describeValue, unflatten } from "../core/tree.ts";
import type { Arrays } from "../core/types.ts";
import { named } from "../transforms/gradient.ts";
import { ErrorValue, initError } from "./error.ts";
import { type Categories, CheckInterpreter } from "./interpreter.ts";

/** The kinds of checks: NaN in results, indices out of bounds, division by zero, and `check`. */
export const ErrorCategory = { NAN: "nan", OOB: "oob", DIV: "div", USER_CHECK: "user_check" } as const;
export type ErrorCategory = CheckCategory;

const setOf = (...list: readonly ErrorCategory[]): Categories => new Set(list);

/** Calls of `check`. */
export const userChecks: Categories = /* @__PURE__ */ setOf("user_check");
/** An operation on floats that gives NaN. */
export const nanChecks: Categories = /* @__PURE__ */ setOf("nan");
/** Division by zero, of floats and of integers. */
export const divChecks: Categories = /* @__PURE__ */ setOf("div");
/** Indices out of bounds, in reading and writing, whatever the mode would do with them. */
export const indexChecks: Categories = /* @__PURE__ */ setOf("oob");
/** NaN and division by zero. */
export const floatChecks: Categories = /* @__PURE__ */ setOf("nan", "div");
/** All but `check`: NaN, division by zero and indices out of bounds. */
export const automaticChecks: Categories = /* @__PURE__ */ setOf("nan", "div", "oob");
/** Everything. */
export const allChecks: Categories = /* @__PURE__ */ setOf("nan", "div", "oob", "user_check");

export interface CheckifyOptions {
  /** Which checks to make; sets are joined by `new Set([...a, ...b])`. Default `userChecks`. */
  readonly errors?: Iterable<ErrorCategory>;
}

const isIterable = (x: object): x is Iterable<ErrorCategory> => Symbol.iterator in x;

function categoriesOf(errors: Iterable<ErrorCategory> | CheckifyOptions): Categories {
  if (!isIterable(errors)) {
    checkOptions("checkify", errors, ["errors"]);
    return errors.errors === undefined ? userChecks : categoriesOf(errors.errors);
  }
  const set = new Set(errors);
  for (const c of set)
    if (!allChecks.has(c))
      throw new ArgumentError("UnknownErrorCategory", {
        what: `checkify: ${describeValue(c)} is not a kind of checks`,
        why: "errors is a set of kinds",
        fix: "use checkify.userChecks, nanChecks, divChecks, indexChecks, floatChecks, automaticChecks, allChecks, or a set of members of checkify.ErrorCategory",
      });
  return set;
}

/**
 * Turns the checks of a function into a result: gives a function that returns `[error, result]`. The error tells of the
 * first check that failed, in the order in which the function would run; the result is computed all the same. What is
 * checked is not only `check`, but also, if asked for, NaN, division by zero and indices out of bounds.
 *
 * The result is a pure function: it can be jitted, mapped (the error then has an axis, too) and differentiated. Checks may
 * stand inside jit, cond, scan, loops, vmap and grad. With `vmap` inside, the first example that fails at the first
 * failing operation counts; and where examples choose different branches all branches run, so their checks all count. So
 * do those of examples whose loop has ended, while others of a mapped `whileLoop` go on (JAX refuses such loops). With
 * `vmap` outside, `vmap(checkify(f))`, each example has its own error, as if it ran alone.
 *
 * @param errors which checks to make, a set; or `{ errors }`.
 * @example
 * const f = (x, i) => np.sin(x.slice(i));
 * const [err, y] = checkify.checkify(f, checkify.indexChecks)(np.ones(3), np.array(5, { dtype: "int32" }));
 * err.get() // "out-of-bounds indexing for array of shape (3,): index 5 is out of bounds for axis 0 with size 3."
 */
export function checkify<A extends readonly unknown[], R>(
  f: (...args: A) => R,
  errors: Iterable<ErrorCategory> | CheckifyOptions = userChecks,
): (...args: { [K in keyof A]: unknown }) => [error: ErrorValue, result: Arrays<R>] {
  checkCallable("checkify", f);
  const categories = categoriesOf(errors);
  const checked = (...args: unknown[]): unknown => {
    const { leaves, def } = flattenArgs(args, "checkify");
    const flat = new FlatFunction(f as AnyFunction, def, "checkify");
    const { jaxpr, consts } = traceToJaxpr(
      (...xs) => flat.call(xs),
      leaves.map((x) => x.aval),
      `checkify(${nameOf(f)})`,
    );
    const interpreter = new CheckInterpreter(categories);
    const outs = interpreter.run(jaxpr, leaves, consts);
    const { types, arrays } = interpreter.state;
    const [failed, code, ...payload] = arrays;
    const error = failed && code ? new ErrorValue(failed, code, payload, types) : initError;
    return [error, unflatten(flat.out!, outs)];
  };
  return named(checked, f as AnyFunction, "checkify") as never;
}
