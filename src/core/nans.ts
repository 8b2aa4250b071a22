/**
 * `debugNans`: finding the operation that made a NaN.
 *
 * Every evaluated result with a NaN remembers its origin: the operation that had none among its operands. Outside of
 * any transformed function the origin is reported at once; inside, only if the NaN reaches a result (a masked branch of
 * `where` may hold NaN without harm), unless everything was asked for.
 */
import { evaluator } from "./evaluator.ts";
import { modes } from "./modes.ts";
import type { NDArray } from "./ndarray.ts";
import { isInexact } from "./dtype.ts";
import type { AnyPrimitive, Params } from "./primitive.ts";
import { NaNError } from "./problem.ts";
import { currentPlace, isDifferentiating } from "./source.ts";

interface Origin {
  readonly operation: string;
  readonly where: string;
  /** Whether the operation belongs to the backward pass of the line, rather than to the line itself. */
  readonly backward: boolean;
}

const origins = new WeakMap<NDArray, Origin>();
/** Transformed functions being run. */
let depth = 0;

const hasNaN = (x: NDArray): boolean => isInexact(x.dtype) && x.concrete() === x && evaluator().hasNaN(x);

/** Evaluates one primitive and traces NaNs in its results back. */
export function evaluateWatched(primitive: AnyPrimitive, args: readonly NDArray[], params: Params): readonly NDArray[] {
  const outs = primitive.stepwise ? primitive.stepwise(args, params) : evaluator().evaluate(primitive, args, params);
  for (const y of outs) {
    if (origins.has(y) || !hasNaN(y)) continue;
    const inherited = args.map((x) => origins.get(x)).find((o) => o !== undefined);
    const origin = inherited ?? { operation: primitive.name, where: currentPlace(), backward: isDifferentiating() };
    origins.set(y, origin);
    if (depth === 0 || modes.debugNansEverywhere) throw madeNaN(origin);
  }
  return outs;
}

const madeNaN = ({ operation, where, backward }: Origin): NaNError =>
  new NaNError("NaN", {
    what: backward
      ? `a NaN was made by ${operation} in the backward pass of the line below`
      : `a NaN was made by ${operation}`,
    where,
    why: "the operation's operands were free of NaN, its result is not; debugNans looks at every result",
    fix: "guard the operand (numpy.where(x > 0, x, 1) before log, sqrt or a division, not after), or look at it with debug.print",
  });

/** Runs a transformed function; on the way out of the outermost one, reports NaNs among its results. */
export function reportNaNs<T>(run: () => T, arrays: (result: T) => readonly NDArray[]): T {
  if (!modes.debugNans) return run();
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
      if (hasNaN(x)) throw madeNaN({ operation: "the transformed function", where: currentPlace(), backward: false });
    }
  return result;
}
