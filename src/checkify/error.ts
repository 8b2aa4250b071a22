/** Errors as values: what a checkified function returns beside its result. */
import type { CheckCategory, CheckSite, CheckTypes } from "../core/checks.ts";
import { evaluator } from "../core/evaluator.ts";
import { fill } from "../core/format.ts";
import { type HostArray, lanesOf } from "../core/hostArray.ts";
import type { NDArray } from "../core/ndarray.ts";
import { asArray, scalarLiteral } from "../core/operands.ts";
import { ConcretizationError, CotangentError, type Problem } from "../core/problem.ts";
import { sizeOf } from "../core/shape.ts";
import { registerPytreeNode, unflatten } from "../core/tree.ts";
import { valuesText } from "../numpy/print.ts";
import { noTypes } from "./state.ts";

/** A check that failed. */
export class JaxRuntimeError extends CotangentError {
  static override readonly errorName: string = "JaxRuntimeError";
}

const fixes: Readonly<Record<CheckCategory, string>> = {
  user_check: "look at the values that the message shows, and at where they come from",
  nan: "guard the operand (numpy.where(x > 0, x, 1) before log, sqrt or a division, not after)",
  div: "guard the divisor: numpy.where(y == 0, 1, y) before the division, not after",
  oob: "keep indices below the length of the axis; negative ones count from the end only where numpy indexes",
};
const reasons: Readonly<Record<CheckCategory, string>> = {
  user_check: "a condition that the program states does not hold",
  nan: "an operation gave NaN",
  div: "a divisor has a zero among its elements",
  oob: "a position lies outside the array; without the check it would be clamped, filled or dropped",
};

/** A failure that was read back. */
interface Failure {
  readonly message: string;
  readonly site: CheckSite;
}

let registered = false;
/** Registered on first use: importing has no effect. */
function register(): void {
  if (registered) return;
  registered = true;
  registerPytreeNode<ErrorValue, CheckTypes>(
    ErrorValue,
    (e) => [[e.failed, e.code, ...e.payload], e.checks()],
    (types, [failed, code, ...payload]) =>
      new ErrorValue(failed as NDArray, code as NDArray, payload as NDArray[], types),
  );
}

/**
 * Whether a check has failed, which one, and the values of its message. A pytree: it goes through jit, vmap, scan and grad
 * like other results; a mapped one tells of every example. It has no private members, so that its type passes unchanged, too.
 */
export class ErrorValue {
  readonly failed: NDArray;
  readonly code: NDArray;
  readonly payload: readonly NDArray[];
  /** What is known without running: the checks of the program. */
  readonly checks: () => CheckTypes;
  constructor(failed: NDArray, code: NDArray, payload: readonly NDArray[], types: CheckTypes) {
    register();
    this.failed = failed;
    this.code = code;
    this.payload = payload;
    this.checks = () => types;
  }

  /** Null, or the message of the first check that failed; of a mapped error, one line per example that failed. */
  get(): string | null {
    return textOf(failuresOf(this));
  }

  /** `get` for devices that cannot be read synchronously. */
  async getAsync(): Promise<string | null> {
    return textOf(failuresIn(this.checks(), await Promise.all(arraysOf(this).map((x) => evaluator().read(x)))));
  }

  /** The error to throw, or null. */
  getException(): JaxRuntimeError | null {
    return exceptionOf(failuresOf(this));
  }

  /** Throws a `JaxRuntimeError` if a check has failed. */
  throw_(): void {
    const error = this.getException();
    if (error) throw error;
  }

  /** The same as `throw_`; a method may have this name. */
  throw(): void {
    this.throw_();
  }

  toString(): string {
    return this.failed.concrete() ? `Error(${this.get() ?? "no error"})` : `Error(${this.failed.describe()})`;
  }
}

const arraysOf = (e: ErrorValue): NDArray[] => [e.failed, e.code, ...e.payload].map(concrete);
const failuresOf = (e: ErrorValue): Failure[] =>
  failuresIn(
    e.checks(),
    arraysOf(e).map((x) => evaluator().toHost(x)),
  );

function concrete(x: NDArray): NDArray {
  const value = asArray(x, "checkify.Error").concrete();
  if (value) return value;
  throw new ConcretizationError("TracedError", {
    what: `an error value that is ${x.describe()} was read`,
    why: "inside a transformation nobody knows yet whether a check fails",
    fix: "return the error from the transformed function and read it outside, or hand it on with checkify.checkError(err)",
  });
}

function failuresIn(types: CheckTypes, [failed, code, ...payload]: readonly HostArray[]): Failure[] {
  const mapped = failed!.shape;
  return Array.from({ length: sizeOf(mapped) }, (_, i) => i)
    .filter((i) => failed!.data[i] !== 0)
    .map((i) => {
      const site = types.sites[code!.data[i]!]!;
      const place = mapped.length > 0 ? `at mapped index ${positionOf(i, mapped).join(", ")}: ` : "";
      return { site, message: `${place}${messageOf(site, types, payload, i)}` };
    });
}

function positionOf(i: number, shape: readonly number[]): number[] {
  const out: number[] = [];
  for (const n of [...shape].reverse()) {
    out.unshift(i % n);
    i = Math.floor(i / n);
  }
  return out;
}

function messageOf(site: CheckSite, { groups }: CheckTypes, payload: readonly HostArray[], i: number): string {
  const start = groups.slice(0, site.group).flat().length;
  const texts = groups[site.group]!.map(({ shape, dtype }, k) => {
    const n = sizeOf(shape) * lanesOf(dtype);
    return valuesText({ shape, dtype, data: payload[start + k]!.data.slice(i * n, (i + 1) * n) });
  });
  const [positional, named] = unflatten(site.values, texts) as [unknown[], Record<string, unknown>];
  const text = fill(site.format, positional, named);
  return site.category === "user_check" ? `${text} (\`check\` failed)` : text;
}

const textOf = (failures: readonly Failure[]): string | null =>
  failures.length === 0 ? null : failures.map((f) => f.message).join("\n");

function exceptionOf(failures: readonly Failure[]): JaxRuntimeError | null {
  const [first] = failures;
  if (!first) return null;
  const { category, where } = first.site;
  const parts: Omit<Problem, "code"> = { what: textOf(failures)!, where, why: reasons[category], fix: fixes[category] };
  return new JaxRuntimeError("CheckFailed", parts);
}

/** The error value of a program without failures. */
export const initError: ErrorValue = /* @__PURE__ */ new ErrorValue(
  /* @__PURE__ */ scalarLiteral(false, "bool"),
  /* @__PURE__ */ scalarLiteral(0, "int32"),
  [],
  noTypes,
);
