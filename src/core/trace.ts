/**
 * Traces and tracers. There is one current trace; `bind` hands it every primitive application. A trace interprets what
 * concerns it and rebinds the rest in its parent; rules always run with the parent as the current trace, so that
 * transforms nest to any depth without levels or tags. The outermost trace evaluates.
 */
import type { Aval } from "./aval.ts";
import { evaluator } from "./evaluator.ts";
import { watchesResults } from "./modes.ts";
import { evaluateWatched } from "./nans.ts";
import { NDArray } from "./ndarray.ts";
import type { AnyPrimitive, Params } from "./primitive.ts";
import { ArgumentError, LeakedTracerError, TransformError } from "./problem.ts";
import type { Source } from "./source.ts";

/** An interpreter of primitive applications. */
export abstract class Trace {
  /** The trace that this one's rules run in; null for evaluation. */
  readonly parent: Trace | null;
  /** What the user called, for messages: `grad`, `jit(f)`, `vmap`. */
  readonly name: string;
  /** False once the transformation that made it has returned. */
  live = true;
  constructor(parent: Trace | null, name: string) {
    this.parent = parent;
    this.name = name;
  }
  abstract process(primitive: AnyPrimitive, args: readonly NDArray[], params: Params): readonly NDArray[];
}

/** An array that stands for a value inside a trace. */
export abstract class Tracer extends NDArray {
  /** The trace it belongs to. */
  readonly home: Trace;
  /** Where it was made. */
  readonly source: Source;
  constructor(trace: Trace, aval: Aval, source: Source) {
    super(aval);
    this.home = trace;
    this.source = source;
  }
  override concrete(): NDArray | null {
    return null;
  }
  override describe(): string {
    return `traced ${String(this.aval)} (inside ${this.home.name})`;
  }
}

/** The error for a tracer that outlived its transformation. */
export function leaked(x: Tracer): LeakedTracerError {
  const made = x.source.frame();
  return new LeakedTracerError("LeakedTracer", {
    what: `a traced ${String(x.aval)} made inside ${x.home.name}${made && ` at ${made}`} was used after ${x.home.name} had returned`,
    why: "a transformed function must be pure: a value stored in an outer variable has no meaning once tracing has ended",
    fix: "return the value from the function (grad and valueAndGrad carry extra results with { hasAux: true }) instead of storing it",
  });
}

class EvalTrace extends Trace {
  constructor() {
    super(null, "evaluation");
  }
  process(primitive: AnyPrimitive, args: readonly NDArray[], params: Params): readonly NDArray[] {
    for (let i = 0; i < args.length; i++) if (args[i] instanceof Tracer) throw escaped(args[i] as Tracer);
    // A call that still holds a user's function (a custom rule outside of jit) runs that function.
    if (primitive.stage && primitive.stepwise) return withTrace(this, () => primitive.stepwise!(args, params));
    return watchesResults() ? evaluateWatched(primitive, args, params) : evaluator().evaluate(primitive, args, params);
  }
}

/** A tracer reached evaluation: either its trace is over, or a computation left the trace on purpose. */
const escaped = (x: Tracer): Error =>
  x.home.live
    ? new LeakedTracerError("TracerInEvaluation", {
        what: `${x.describe()} reached an evaluation outside of ${x.home.name}`,
        why: "inside ensureCompileTimeEval (and in callbacks) only concrete values exist",
        fix: "compute it outside of ensureCompileTimeEval, or pass the value as an operand of the callback",
      })
    : leaked(x);

export const evalTrace: Trace = new EvalTrace();

let current: Trace = evalTrace;

/** The trace that primitive applications go to now. */
export const currentTrace = (): Trace => current;

/** Runs `f` with `trace` as the current one. */
export function withTrace<T>(trace: Trace, f: () => T): T {
  const before = current;
  current = trace;
  try {
    return f();
  } finally {
    current = before;
  }
}

/** Runs `f` inside `trace`, which ends when `f` returns: tracers that escape are reported when they are used. */
export function withNewTrace<T>(trace: Trace, f: () => T): T {
  try {
    return withTrace(trace, f);
  } finally {
    trace.live = false;
  }
}

/** Applies a primitive in the current trace. */
export function bind<P>(
  primitive: AnyPrimitive & { readonly __params?: P },
  args: readonly NDArray[],
  params: P,
): readonly NDArray[] {
  for (let i = 0; i < args.length; i++) if (!(args[i] instanceof NDArray)) throw notAnArray(primitive.name, args[i]);
  return current.process(primitive, args, params as Params);
}

/** Applies a primitive with one result. */
export function bind1<P>(
  primitive: AnyPrimitive & { readonly __params?: P },
  args: readonly NDArray[],
  params: P,
): NDArray {
  return bind(primitive, args, params)[0]!;
}

const notAnArray = (name: string, x: unknown): ArgumentError =>
  new ArgumentError("NotAnArray", {
    what: `${name}: expected an array, found ${x === null ? "null" : typeof x}`,
    why: "primitives take arrays only",
    fix: "convert it first with numpy.asarray(x)",
  });

/** A named axis in scope: made by `vmap(f, { axisName })` or a mesh. */
export interface NamedAxis {
  readonly name: string;
  readonly size: number;
}

let axes: readonly NamedAxis[] = [];

/** The named axes in scope, innermost last. */
export const namedAxes = (): readonly NamedAxis[] => axes;

/** Runs `f` with one more named axis in scope. */
export function withNamedAxis<T>(axis: NamedAxis | null, f: () => T): T {
  if (!axis) return f();
  return withNamedAxes([...axes.filter((a) => a.name !== axis.name), axis], f);
}

/** Runs `f` with exactly these named axes in scope. */
export function withNamedAxes<T>(list: readonly NamedAxis[], f: () => T): T {
  const before = axes;
  axes = list;
  try {
    return f();
  } finally {
    axes = before;
  }
}

/** The length of a named axis, or an error that lists those in scope. */
export function namedAxisSize(name: string): number {
  const axis = axes.find((a) => a.name === name);
  if (axis) return axis.size;
  throw new TransformError("UnboundAxisName", {
    what: `no axis named ${JSON.stringify(name)} is in scope${axes.length ? ` (there ${axes.length === 1 ? "is" : "are"} ${axes.map((a) => a.name).join(", ")})` : ""}`,
    why: "collectives work over an axis that an enclosing vmap or pmap has named",
    fix: `call the function inside vmap(f, { axisName: ${JSON.stringify(name)} })`,
  });
}
