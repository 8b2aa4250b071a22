/**
 * `check`: a condition that must hold when the program runs. It is a primitive without results. Evaluated as it is, it
 * throws; recorded, it waits for `checkify`, and a program that is compiled with it is refused.
 */
import type { ArrayLike } from "../core/arrayMethods.ts";
import type { CheckTypes } from "../core/checks.ts";
import { flattenTree } from "../core/call.ts";
import { isKey } from "../core/dtype.ts";
import { checkFormat, isFields } from "../core/format.ts";
import type { NDArray } from "../core/ndarray.ts";
import { asArray, scalarLiteral, scalarValue } from "../core/operands.ts";
import { type Many, type Primitive, definePrimitive } from "../core/primitive.ts";
import { ArgumentError, TransformError } from "../core/problem.ts";
import { currentPlace } from "../core/source.ts";
import { batchToFront, convert, stopGradientArray } from "../core/structural.ts";
import { bind } from "../core/trace.ts";
import { describeValue } from "../core/tree.ts";
import { bitwiseNot } from "../lax/bitwise.ts";
import { dynamicIndexInDim } from "../lax/dynamicSlice.ts";
import { argmax, reduceOr } from "../lax/reduce.ts";
import { ErrorValue } from "./error.ts";

interface CheckParams {
  readonly types: CheckTypes;
  /** Whether it does nothing outside of `checkify`. */
  readonly debug: boolean;
}

/** Operands: the state of an error value, `[failed, code, …payload]`. */
export const checkP: Primitive<Many, CheckParams> = /* @__PURE__ */ definePrimitive<Many, CheckParams>({
  name: "check",
  kind: "opaque",
  infer: () => [],
  reference: (_, params) => notCheckified(params),
  jvp: (primals, _, params) => {
    bind(checkP, primals, params);
    return { primals: [], tangents: [] };
  },
  transpose: "nonlinear",
  batch: (operands, dims, params, { size }) => {
    const state = operands.map((x, i) => batchToFront(x, dims[i]!, size));
    if (size > 0) bind(checkP, firstFailure(state), params);
    return { outs: [], dims: [] };
  },
  lower: (_, params) => {
    notCheckified(params);
    return { form: "host", call: () => [] };
  },
  effects: () => ["check"],
  // Both together: evaluated outside of any recording, it is this function.
  stage: (ins, params) => ({ args: ins, params }),
  stepwise: ([failed, code, ...payload], { types, debug }) => {
    if (!debug && scalarValue(failed!) !== 0) new ErrorValue(failed!, code!, payload, types).throw_();
    return [];
  },
  check: (ins, { types }, checker) => {
    if (checker.enabled("user_check")) checker.join(types, ins);
    return [];
  },
  printParams: ({ types, debug }) => ({ message: types.sites.map((s) => s.format).join("; "), debug }),
});

/** The state of the first example that failed. */
function firstFailure(state: readonly NDArray[]): NDArray[] {
  const [failed, ...rest] = state;
  const i = argmax(failed!, { axis: 0, indexDtype: "int32" });
  return [reduceOr(failed!, [0]), ...rest.map((x) => dynamicIndexInDim(x, i, { axis: 0, keepdims: false }))];
}

/** What a program that is compiled with a check does: nothing if it is for debugging, else it is refused. */
function notCheckified({ types, debug }: CheckParams): readonly never[] {
  if (debug) return [];
  throw new TransformError("NotCheckified", {
    what: `a check (${JSON.stringify(types.sites[0]?.format ?? "")}) is part of a program that is compiled`,
    where: types.sites[0]?.where,
    why: "jit, loops and branches run compiled programs, which cannot throw",
    fix: "turn checks into results first: const [err, y] = jit(checkify.checkify(f))(x); err.throw_(). Or use checkify.debugCheck, which does nothing unless it is checkified",
  });
}

/**
 * Checks that a condition holds when the program runs. Outside of transformations it throws at once; inside jit, loops and
 * branches it needs `checkify.checkify` around.
 *
 * @param pred a boolean scalar.
 * @param message text with `{}` for the values in order and `{name}` for fields of a trailing object; they are filled in
 *   from what was computed.
 * @throws JaxRuntimeError
 * @example
 * const f = (x) => { checkify.check(np.greater(x, 0), "must be positive, is {}", x); return np.log(x); };
 * const [err, y] = jit(checkify.checkify(f))(np.array(-2));
 * err.get() // "must be positive, is -2. (`check` failed)"
 */
export function check(pred: ArrayLike, message: string, ...values: readonly unknown[]): void {
  const last = values.at(-1);
  const { debug = false, ...named } = (isFields(last) ? last : {}) as { debug?: boolean };
  addCheck("checkify.check", pred, message, isFields(last) ? values.slice(0, -1) : values, named, debug);
}

/** `check` that does nothing unless the function is checkified: for checks that stay in the program. */
export function debugCheck(pred: ArrayLike, message: string, ...values: readonly unknown[]): void {
  const last = values.at(-1);
  const positional = isFields(last) ? values.slice(0, -1) : values;
  addCheck("checkify.debugCheck", pred, message, positional, isFields(last) ? last : {}, true);
}

function addCheck(
  name: string,
  pred: ArrayLike,
  message: string,
  positional: readonly unknown[],
  named: Readonly<Record<string, unknown>>,
  debug: boolean,
): void {
  const holds = asArray(pred, name);
  if (holds.ndim !== 0 || holds.dtype !== "bool")
    throw new ArgumentError("CheckPredicate", {
      what: `${name}: the condition must be a boolean scalar, but is ${holds.describe()}`,
      why: "a check is one condition",
      fix: "compare explicitly, and reduce arrays with numpy.all or numpy.any",
    });
  if (typeof message !== "string")
    throw new ArgumentError("CheckMessage", {
      what: `${name}: the message is ${describeValue(message)}`,
      why: "the message says what does not hold",
      fix: `${name}(ok, "x must be positive, is {}", x)`,
    });
  checkFormat(name, message, positional.length, Object.keys(named));
  const { leaves, def } = flattenTree([positional, named], name, "the values of the message");
  const key = leaves.find((x) => isKey(x.dtype));
  if (key)
    throw new ArgumentError("CheckValue", {
      what: `${name}: a value of the message is ${key.describe()}`,
      why: "PRNG keys are opaque",
      fix: "show its words: random.keyData(key)",
    });
  const payload = leaves.map((x) => stopGradientArray(convert(x, x.dtype)));
  const site = { category: "user_check", format: message, values: def, where: currentPlace(), group: 0 } as const;
  const types: CheckTypes = { sites: [site], groups: [payload.map((x) => x.aval)] };
  bind(checkP, [bitwiseNot(holds), scalarLiteral(0, "int32"), ...payload], { types, debug });
}

/**
 * Throws the error of a checkified function, when the program runs: the inverse of `checkify`. Inside another checkified
 * function it becomes part of that one's error.
 *
 * @throws JaxRuntimeError
 * @example
 * const safe = checkify.checkify((x) => { checkify.check(np.less(x, 9), "too large"); return x; });
 * const outer = (x) => { const [err, y] = jit(safe)(x); checkify.checkError(err); return y; };
 * checkify.checkify(outer)(np.array(10))[0].get() // "too large (`check` failed)"
 */
export function checkError(error: ErrorValue): void {
  if (!(error instanceof ErrorValue))
    throw new ArgumentError("NotAnError", {
      what: `checkify.checkError: expected an error value, found ${describeValue(error)}`,
      why: "it hands on what a checkified function returned",
      fix: "const [err, y] = checkify.checkify(f)(x); checkify.checkError(err)",
    });
  if (error.checks().sites.length === 0 || error.failed.size === 0) return;
  let state = [error.failed, error.code, ...error.payload].map((x) => asArray(x, "checkify.checkError"));
  while (state[0]!.ndim > 0) state = firstFailure(state);
  bind(checkP, state, { types: error.checks(), debug: false });
}
