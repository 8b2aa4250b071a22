/**
 * Linearization: one forward run that computes the primal results and records the linear map of the tangents.
 *
 * A `LinearizeTrace` carries (primal, linear variable) pairs. Primal work is bound in the parent trace; tangent work is
 * recorded by a `TangentTrace`, for which every value that is not a tangent is a residual (a constant of the recorded
 * jaxpr). A primitive without a `linearize` slot runs its `jvp` rule under the tangent trace, which sorts the rule's
 * operations into the two by itself.
 */
import type { Interpreters } from "../core/interpreters.ts";
import { type Atom, type ClosedJaxpr, Var } from "../core/jaxpr.ts";
import type { NDArray } from "../core/ndarray.ts";
import { type AnyPrimitive, type Linearized, type Params, type Tangent, Zero, isAbsent } from "../core/primitive.ts";
import { type Source, captureSource, noSource, withSource } from "../core/source.ts";
import { JaxprBuilder, traceClosed } from "../core/staging.ts";
import { tangentAval, zerosLike } from "../core/structural.ts";
import { Trace, Tracer, currentTrace, withNewTrace, withTrace } from "../core/trace.ts";
import { noDerivative } from "./jvp.ts";

/** A tangent being recorded. */
class TangentTracer extends Tracer {
  readonly atom: Var;
  constructor(trace: TangentTrace, atom: Var) {
    super(trace, atom.aval, noSource);
    this.atom = atom;
  }
}

/** Records what depends on tangents; passes everything else to the parent. */
class TangentTrace extends Trace {
  readonly builder = new JaxprBuilder();
  /** Whether a `jvp` rule is running, whose operations may compute values and tangents at once. */
  sorting = false;
  readonly #interpreters: Interpreters;
  constructor(parent: Trace, name: string, interpreters: Interpreters) {
    super(parent, name);
    this.#interpreters = interpreters;
  }

  input(primal: NDArray): Var {
    return this.builder.input(tangentAval(primal.aval));
  }

  wrap(atom: Var): NDArray {
    return new TangentTracer(this, atom);
  }

  /** The recorded atom of a tangent; a value that is not a tangent of this trace is a residual. */
  atom(x: NDArray): Atom {
    return x instanceof TangentTracer && x.home === this ? x.atom : this.builder.constant(x);
  }

  process(primitive: AnyPrimitive, args: readonly NDArray[], params: Params): readonly NDArray[] {
    if (!args.some((x) => x instanceof TangentTracer && x.home === this))
      return this.parent!.process(primitive, args, params);
    if (this.sorting && primitive.linearize) return this.#sort(primitive, primitive.linearize, args, params);
    if (primitive.stage)
      ({ args, params } = withTrace(this.parent!, () => primitive.stage!(args, params, traceClosed)));
    const inputs = args.map((x) => this.atom(x));
    const avals = primitive.infer(
      inputs.map((a) => a.aval),
      params,
    );
    return this.builder.emit(primitive, inputs, params, avals, captureSource()).map((v) => this.wrap(v));
  }

  /**
   * A call, loop or choice on both values and tangents (a user's rule that contains `jit` or `jvp`): some of its results
   * are values, which must not be recorded. It is linear in the tangents, so its linearization at zero tells them apart.
   */
  #sort(
    primitive: AnyPrimitive,
    rule: NonNullable<AnyPrimitive["linearize"]>,
    args: readonly NDArray[],
    params: Params,
  ): readonly NDArray[] {
    const linear = args.map((x) => x instanceof TangentTracer && x.home === this);
    const at = args.map((x, i) => (linear[i] ? zerosLike(x.aval) : x));
    const { primals, tangents } = withTrace(this.parent!, () => rule(at, linear, params, this.#interpreters));
    const given = args.map((x, i): Tangent => (linear[i] ? x : new Zero(tangentAval(x.aval))));
    const outs = this.record(() => tangents(given));
    return primals.map((y, i) => (outs[i] instanceof Zero ? y : outs[i]!));
  }

  /** Runs a function of tangents, all of whose operations are recorded as they are. */
  record<T>(f: () => T): T {
    return this.#run(false, f);
  }

  /** Runs a rule on values and tangents. */
  sort<T>(f: () => T): T {
    return this.#run(true, f);
  }

  #run<T>(sorting: boolean, f: () => T): T {
    const before = this.sorting;
    this.sorting = sorting;
    try {
      return withTrace(this, f);
    } finally {
      this.sorting = before;
    }
  }
}

class LinearizeTracer extends Tracer {
  readonly primal: NDArray;
  readonly tangent: Var;
  constructor(trace: LinearizeTrace, primal: NDArray, tangent: Var, source: Source) {
    super(trace, primal.aval, source);
    this.primal = primal;
    this.tangent = tangent;
  }
  override concrete(): NDArray | null {
    return this.primal.concrete();
  }
}

class LinearizeTrace extends Trace {
  readonly tangents: TangentTrace;
  readonly #interpreters: Interpreters;
  constructor(parent: Trace, name: string, interpreters: Interpreters) {
    super(parent, name);
    this.#interpreters = interpreters;
    this.tangents = new TangentTrace(parent, name, interpreters);
  }

  process(primitive: AnyPrimitive, args: readonly NDArray[], params: Params): readonly NDArray[] {
    const parent = this.parent!;
    if (!args.some((x) => x instanceof LinearizeTracer && x.home === this))
      return parent.process(primitive, args, params);
    // One capture for the whole rule: the primal's tracer and every recorded tangent operation share the user's line.
    const source = captureSource();
    const primals = args.map((x) => this.primal(x));
    const tangents = args.map((x): Tangent =>
      x instanceof LinearizeTracer && x.home === this ? this.tangents.wrap(x.tangent) : new Zero(x.aval),
    );
    const out = withSource(source, () => this.#linearize(primitive, primals, tangents, params));
    return out.primals.map((y, i) => {
      const t = out.tangents[i]!;
      if (t instanceof Zero) return y;
      const atom = this.tangents.atom(t);
      // A tangent that no input tangent reaches is a constant of a linear map, hence zero.
      return atom instanceof Var ? new LinearizeTracer(this, y, atom, source) : y;
    });
  }

  #linearize(primitive: AnyPrimitive, primals: readonly NDArray[], tangents: readonly Tangent[], params: Params) {
    const direct = primitive.linearize;
    if (direct) {
      const linear: Linearized = withTrace(this.parent!, () =>
        direct(
          primals,
          tangents.map((t) => !(t instanceof Zero)),
          params,
          this.#interpreters,
        ),
      );
      return { primals: linear.primals, tangents: this.tangents.record(() => linear.tangents(tangents)) };
    }
    const rule = primitive.jvp;
    if (isAbsent(rule)) throw noDerivative(primitive, rule);
    return this.tangents.sort(() => rule(primals, tangents, params, this.#interpreters));
  }

  primal(x: NDArray): NDArray {
    return x instanceof LinearizeTracer && x.home === this ? x.primal : x;
  }

  input(primal: NDArray): NDArray {
    return new LinearizeTracer(this, primal, this.tangents.input(primal), captureSource());
  }

  /** The tangent variable of a result, or null where it is zero. */
  tangentOf(y: NDArray): Var | null {
    return y instanceof LinearizeTracer && y.home === this ? y.tangent : null;
  }
}

/** Results of a function and the linear map of its tangents. */
export interface LinearizedCall {
  readonly primals: readonly NDArray[];
  /** Inputs: one tangent per nonzero input. Outputs: one tangent per nonzero result. Constants: the residuals. */
  readonly linear: ClosedJaxpr;
  readonly nonzeroOut: readonly boolean[];
}

/** Linearizes a function of arrays at `primals`, with tangents only for the inputs marked. */
export function linearizeCall(
  f: (args: readonly NDArray[]) => readonly NDArray[],
  primals: readonly NDArray[],
  nonzero: readonly boolean[],
  name: string,
  interpreters: Interpreters,
): LinearizedCall {
  const trace = new LinearizeTrace(currentTrace(), name, interpreters);
  return withNewTrace(trace, () => {
    const outs = f(primals.map((p, i) => (nonzero[i] ? trace.input(p) : p)));
    const tangents = outs.map((y) => trace.tangentOf(y));
    const linear = trace.tangents.builder.build(tangents.filter((t): t is Var => t !== null));
    trace.tangents.live = false;
    return { primals: outs.map((y) => trace.primal(y)), linear, nonzeroOut: tangents.map((t) => t !== null) };
  });
}
