/**
 * `debugNans` and `debugInfs`: finding the operation that made a NaN or an infinity.
 *
 * Every evaluated result with one remembers its origin: the operation that had none among its operands. Outside of
 * any transformed function the origin is reported at once; inside, only if the NaN reaches a result (a masked branch of
 * `where` may hold NaN without harm), unless everything was asked for.
 */
import { evaluator } from "./evaluator.ts";
import { modes, watchesResults } from "./modes.ts";
import type { NDArray } from "./ndarray.ts";
import { isInexact } from "./dtype.ts";
import type { AnyPrimitive, Params } from "./primitive.ts";
import { NaNError } from "./problem.ts";
import { currentPlace, isDifferentiating } from "./source.ts";

type Found = "a NaN" | "an infinity";

interface Origin {
  readonly operation: string;
  /** What it made. */
  readonly found: Found;
  readonly where: string;
  /** Whether the operation belongs to the backward pass of the line, rather than to the line itself. */
  readonly backward: boolean;
}

const origins = new WeakMap<NDArray, Origin>();
/** Transformed functions being run. */
let depth = 0;

/** What is wrong with a result, if anything that is looked for. */
function findIn(x: NDArray): Found | null {
  if (!isInexact(x.dtype) || x.concrete() !== x) return null;
  if (modes.debugNans && evaluator().hasNaN(x)) return "a NaN";
  return modes.debugInfs &&
    evaluator()
      .toHost(x)
      .data.some((v) => Math.abs(v) === Infinity)
    ? "an infinity"
    : null;
}

/** Evaluates one primitive and traces NaNs in its results back. */
export function evaluateWatched(primitive: AnyPrimitive, args: readonly NDArray[], params: Params): readonly NDArray[] {
  const outs = primitive.stepwise ? primitive.stepwise(args, params) : evaluator().evaluate(primitive, args, params);
  for (const y of outs) {
    const found = origins.has(y) ? null : findIn(y);
    if (found === null) continue;
    const inherited = args.map((x) => origins.get(x)).find((o) => o !== undefined);
    const origin = inherited ?? {
      operation: primitive.name,
      found,
      where: currentPlace(),
      backward: isDifferentiating(),
    };
    origins.set(y, origin);
    if (depth === 0 || modes.debugNansEverywhere) throw madeNaN(origin);
  }
  return outs;
}

const madeNaN = ({ operation, found, where, backward }: Origin): NaNError =>
  new NaNError(found === "a NaN" ? "NaN" : "Inf", {
    what: backward
      ? `${found} was made by ${operation} in the backward pass of the line below`
      : `${found} was made by ${operation}`,
    where,
    why: `the operation's operands were free of ${found === "a NaN" ? "NaN" : "infinities"}, its result is not; ${found === "a NaN" ? "debugNans" : "debugInfs"} looks at every result`,
    fix: "guard the operand (numpy.where(x > 0, x, 1) before log, sqrt or a division, not after), or look at it with debug.print",
  });

/** Runs a transformed function; on the way out of the outermost one, reports NaNs among its results. */
export function reportNaNs<T>(run: () => T, arrays: (result: T) => readonly NDArray[]): T {
  if (!watchesResults()) return run();
  depth++;
  let result: T;
  try {
    result = run();
  } finally {
    depth--;
  }
  if (depth === 0)
    for (const x of arrays(result)) {
      const origin = origins.get(x);
      if (origin) throw madeNaN(origin);
      const found = findIn(x);
      if (found)
        throw madeNaN({ operation: "the transformed function", found, where: currentPlace(), backward: false });
    }
  return result;
}
