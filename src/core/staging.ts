/**
 * Staging: running a function on tracers that record equations. Everything bound while a `JaxprTrace` is current is
 * recorded, whether or not its operands are tracers (constants made inside become equations too). Values from outside
 * become constants of the jaxpr, each once; literals stand for themselves.
 */
import type { Aval } from "./aval.ts";
import type { Traced } from "./interpreters.ts";
import { type Atom, type Eqn, Var, hoistConsts, makeJaxprOf, newEqn } from "./jaxpr.ts";
import type { ClosedJaxpr } from "./jaxpr.ts";
import { Literal, type NDArray } from "./ndarray.ts";
import type { AnyPrimitive, Params } from "./primitive.ts";
import { type Source, captureSource } from "./source.ts";
import { Trace, Tracer, currentTrace, leaked, withNewTrace } from "./trace.ts";

/** Collects equations and constants; the recording half of a trace. */
export class JaxprBuilder {
  readonly constVars: Var[] = [];
  readonly consts: NDArray[] = [];
  readonly inVars: Var[] = [];
  readonly eqns: Eqn[] = [];
  readonly #constVarOf = new Map<NDArray, Var>();

  input(aval: Aval): Var {
    const v = new Var(aval);
    this.inVars.push(v);
    return v;
  }

  /** The atom for a value from outside the jaxpr. */
  constant(x: NDArray): Atom {
    if (x instanceof Literal) return x;
    const known = this.#constVarOf.get(x);
    if (known) return known;
    const v = new Var(x.aval);
    this.#constVarOf.set(x, v);
    this.constVars.push(v);
    this.consts.push(x);
    return v;
  }

  emit(
    primitive: AnyPrimitive,
    inputs: readonly Atom[],
    params: Params,
    avals: readonly Aval[],
    source: Source,
  ): readonly Var[] {
    const outputs = avals.map((a) => new Var(a));
    this.eqns.push(newEqn(primitive, inputs, params, outputs, source, currentScope()));
    return outputs;
  }

  build(outs: readonly Atom[]): ClosedJaxpr {
    return { jaxpr: makeJaxprOf(this.constVars, this.inVars, this.eqns, outs), consts: this.consts };
  }
}

export class JaxprTracer extends Tracer {
  readonly variable: Var;
  constructor(trace: JaxprTrace, variable: Var, source: Source) {
    super(trace, variable.aval, source);
    this.variable = variable;
  }
}

export class JaxprTrace extends Trace {
  readonly builder = new JaxprBuilder();
  input(aval: Aval): JaxprTracer {
    return new JaxprTracer(this, this.builder.input(aval), captureSource());
  }

  atom(x: NDArray): Atom {
    if (x instanceof JaxprTracer && x.home === this) return x.variable;
    if (x instanceof Tracer && !x.home.live) throw leaked(x);
    return this.builder.constant(x);
  }

  process(primitive: AnyPrimitive, args: readonly NDArray[], params: Params): readonly NDArray[] {
    if (primitive.stage) ({ args, params } = primitive.stage(args, params, traceClosed));
    const source = captureSource();
    const inputs = args.map((x) => this.atom(x));
    const avals = primitive.infer(
      inputs.map((a) => a.aval),
      params,
    );
    return this.builder.emit(primitive, inputs, params, avals, source).map((v) => new JaxprTracer(this, v, source));
  }
}

/** Traces `f` on inputs of the given avals. Its consts are the values it captured, possibly tracers of outer traces. */
export function traceToJaxpr(
  f: (...args: NDArray[]) => readonly NDArray[],
  avals: readonly Aval[],
  name: string,
): ClosedJaxpr {
  const trace = new JaxprTrace(currentTrace(), name);
  return withNewTrace(trace, () => {
    const ins = avals.map((a) => trace.input(a));
    return trace.builder.build(f(...ins).map((x) => trace.atom(x)));
  });
}

/** Like `traceToJaxpr`, in the form that parameters hold: captured values are leading inputs. */
export function traceClosed(
  f: (...args: NDArray[]) => readonly NDArray[],
  avals: readonly Aval[],
  name: string,
): Traced {
  const { jaxpr, consts } = traceToJaxpr(f, avals, name);
  return { jaxpr: hoistConsts(jaxpr), consts };
}

let scope = "";
/** The names of the `namedScope`s being traced, joined by `/`. */
export const currentScope = (): string => scope;

/** Runs `f` with `name` added to the scope of what it traces. */
export function withScope<T>(name: string, f: () => T): T {
  const before = scope;
  scope = before ? `${before}/${name}` : name;
  try {
    return f();
  } finally {
    scope = before;
  }
}
