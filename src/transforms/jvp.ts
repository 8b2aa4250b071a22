/**
 * Forward mode: a `JvpTrace` carries (primal, tangent) pairs and runs each primitive's `jvp` rule in the parent trace.
 * A value whose tangent is a symbolic zero is not wrapped at all, so constants cost nothing.
 */
import type { Interpreters } from "../core/interpreters.ts";
import type { NDArray } from "../core/ndarray.ts";
import { type Absent, type AnyPrimitive, type Params, type Tangent, Zero, isAbsent } from "../core/primitive.ts";
import { DifferentiationError } from "../core/problem.ts";
import { type Source, captureSource, currentPlace, withSource } from "../core/source.ts";
import { Trace, Tracer, currentTrace, withNewTrace, withTrace } from "../core/trace.ts";

export class JvpTracer extends Tracer {
  readonly primal: NDArray;
  readonly tangent: NDArray;
  constructor(trace: JvpTrace, primal: NDArray, tangent: NDArray, source: Source) {
    super(trace, primal.aval, source);
    this.primal = primal;
    this.tangent = tangent;
  }
  override concrete(): NDArray | null {
    return this.primal.concrete();
  }
}

export class JvpTrace extends Trace {
  readonly #interpreters: Interpreters;
  constructor(parent: Trace, name: string, interpreters: Interpreters) {
    super(parent, name);
    this.#interpreters = interpreters;
  }

  wrap(primal: NDArray, tangent: Tangent, source: Source): NDArray {
    return tangent instanceof Zero ? primal : new JvpTracer(this, primal, tangent, source);
  }

  split(x: NDArray): { primal: NDArray; tangent: Tangent } {
    return x instanceof JvpTracer && x.home === this ? x : { primal: x, tangent: new Zero(x.aval) };
  }

  process(primitive: AnyPrimitive, args: readonly NDArray[], params: Params): readonly NDArray[] {
    const parent = this.parent!;
    const pairs = args.map((x) => this.split(x));
    if (pairs.every((p) => p.tangent instanceof Zero)) return parent.process(primitive, args, params);
    const rule = primitive.jvp;
    if (isAbsent(rule)) throw noDerivative(primitive, rule);
    const source = captureSource();
    const run = () =>
      withTrace(parent, () =>
        rule(
          pairs.map((p) => p.primal),
          pairs.map((p) => p.tangent),
          params,
          this.#interpreters,
        ),
      );
    const { primals, tangents } = withSource(source, run);
    return primals.map((y, i) => this.wrap(y, tangents[i]!, source));
  }
}

export const noDerivative = (primitive: AnyPrimitive, { why, fix }: Absent): DifferentiationError =>
  new DifferentiationError("NotDifferentiable", {
    what: `${primitive.name} cannot be differentiated`,
    why,
    fix,
    where: currentPlace(),
  });

/** Runs a function of arrays in forward mode, in the current trace. */
export function jvpCall(
  f: (args: readonly NDArray[]) => readonly NDArray[],
  primals: readonly NDArray[],
  tangents: readonly Tangent[],
  name: string,
  interpreters: Interpreters,
): { primals: readonly NDArray[]; tangents: readonly Tangent[] } {
  const trace = new JvpTrace(currentTrace(), name, interpreters);
  const source = captureSource();
  const outs = withNewTrace(trace, () => f(primals.map((p, i) => trace.wrap(p, tangents[i]!, source))));
  const pairs = outs.map((y) => trace.split(y));
  return { primals: pairs.map((p) => p.primal), tangents: pairs.map((p) => p.tangent) };
}
