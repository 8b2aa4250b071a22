/**
 * Problems: every mistake a user can make is data first (what, where, why, fix) and text second.
 *
 * A `Problem` has a stable `code`, so that tests assert on fields and notebooks can render it. There is one class per
 * kind of mistake; all share `CotangentError`. Internal invariants use `unreachable`, which asks for a report.
 */
import { userFrame } from "./source.ts";

export interface Problem {
  /** Stable identifier of the kind of mistake, for tests and documentation. */
  readonly code: string;
  /** What went wrong, with the user's names, shapes and dtypes. */
  readonly what: string;
  /** The user's line, `file:line:column`; empty when no frame of theirs is on the stack. */
  readonly where: string;
  /** One sentence of the model that explains it. */
  readonly why: string;
  /** What to do instead, imperative, with code. */
  readonly fix: string;
}

/** A problem before its place is known; `where` defaults to the innermost frame outside the library. */
export interface ProblemParts {
  readonly what: string;
  readonly why: string;
  readonly fix: string;
  readonly where?: string | undefined;
}

/** The text of a problem, in the fixed order what, where, why, fix. */
export const problemText = (p: Problem): string =>
  [p.what, p.where && `  at: ${p.where}`, `  why: ${p.why}`, `  fix: ${p.fix}`].filter(Boolean).join("\n");

/** Base of all errors thrown on purpose. `problem` holds the parts as data. */
export class CotangentError extends Error {
  readonly problem: Problem;
  constructor(code: string, parts: ProblemParts, options?: ErrorOptions) {
    const problem: Problem = { code, ...parts, where: parts.where ?? userFrame() };
    super(problemText(problem), options);
    this.problem = problem;
    this.name = new.target.errorName;
  }
  /** The class's name, kept apart from `constructor.name`, which minifiers change. */
  static readonly errorName: string = "CotangentError";
  get code(): string {
    return this.problem.code;
  }
}

/** Shapes that do not fit together. */
export class ShapeError extends CotangentError {
  static override readonly errorName: string = "ShapeError";
}
/** A dtype an operation or a device does not have. */
export class DTypeError extends CotangentError {
  static override readonly errorName: string = "DTypeError";
}
/** An argument of the wrong kind, an unknown option, a surplus argument. */
export class ArgumentError extends CotangentError {
  static override readonly errorName: string = "ArgumentError";
}
/** Trees whose structures differ, or a leaf that is not an array. */
export class TreeError extends CotangentError {
  static override readonly errorName: string = "TreeError";
}
/** An index of the wrong kind or, where it can be known, out of bounds. */
export class IndexError extends CotangentError {
  static override readonly errorName: string = "IndexError";
}
/** A traced value used where a concrete one is needed (branching, coercion, shapes). */
export class ConcretizationError extends CotangentError {
  static override readonly errorName: string = "ConcretizationError";
}
/** A tracer used after the transformation that made it has ended. */
export class LeakedTracerError extends CotangentError {
  static override readonly errorName: string = "LeakedTracerError";
}
/** A derivative that does not exist or cannot be taken in this mode. */
export class DifferentiationError extends CotangentError {
  static override readonly errorName: string = "DifferentiationError";
}
/** A mapped axis that does not fit, or an operation that cannot be mapped. */
export class BatchingError extends CotangentError {
  static override readonly errorName: string = "BatchingError";
}
/** Misuse of a transformation: an async function, a wrong option, mismatching rules. */
export class TransformError extends CotangentError {
  static override readonly errorName: string = "TransformError";
}
/** Branches or carries of control flow that do not agree. */
export class ControlFlowError extends CotangentError {
  static override readonly errorName: string = "ControlFlowError";
}
/** A NaN found while `debugNans` is on. */
export class NaNError extends CotangentError {
  static override readonly errorName: string = "NaNError";
}
/** A device that is missing, or something it cannot do. */
export class DeviceError extends CotangentError {
  static override readonly errorName: string = "DeviceError";
}
/** Outside input (a file, a header) that is not what it claims to be. */
export class DataError extends CotangentError {
  static override readonly errorName: string = "DataError";
}
/** A broken invariant of the library itself. */
export class InternalError extends CotangentError {
  static override readonly errorName: string = "InternalError";
}

/** Marks a state that the library's own invariants exclude. */
export function unreachable(reason: string): never {
  throw new InternalError("Internal", {
    what: `internal invariant broken: ${reason}`,
    why: "this is a bug in cotangent, not in your program",
    fix: "please report it with the smallest program that shows it",
  });
}

/** Runs `f`; a problem it throws without a place of its own gets `where`. Used when equations are replayed. */
export function withPlace<T>(where: () => string, f: () => T): T {
  try {
    return f();
  } catch (error) {
    if (error instanceof CotangentError && error.problem.where === "") {
      const text = where();
      if (text !== "") {
        (error as { problem: Problem }).problem = { ...error.problem, where: text };
        error.message = problemText(error.problem);
      }
    }
    throw error;
  }
}
