/**
 * Batching: a `BatchTrace` carries arrays with the position of one extra axis and runs each primitive's `batch` rule in
 * the parent trace. Nothing is ever unrolled: a rule moves axes, or the operation has a batch form of its own.
 */
import { type Jaxpr } from "../core/jaxpr.ts";
import type { Interpreters } from "../core/interpreters.ts";
import type { NDArray } from "../core/ndarray.ts";
import { type AnyPrimitive, type BatchAxis, type Batched, type Params, isAbsent } from "../core/primitive.ts";
import { BatchingError } from "../core/problem.ts";
import { type Source, captureSource, currentPlace, withSource } from "../core/source.ts";
import { dropAxes } from "../core/shape.ts";
import { Trace, Tracer, currentTrace, withNamedAxis, withNewTrace, withTrace } from "../core/trace.ts";

export class BatchTracer extends Tracer {
  /** The array of the parent trace, with the batch axis. */
  readonly value: NDArray;
  readonly dim: number;
  constructor(trace: BatchTrace, value: NDArray, dim: number, source: Source) {
    super(trace, value.aval.withShape(dropAxes(value.shape, [dim])), source);
    this.value = value;
    this.dim = dim;
  }
}

export class BatchTrace extends Trace {
  readonly axis: BatchAxis;
  readonly #interpreters: Interpreters;
  constructor(parent: Trace, name: string, axis: BatchAxis, interpreters: Interpreters) {
    super(parent, name);
    this.axis = axis;
    this.#interpreters = interpreters;
  }

  wrap(value: NDArray, dim: number | null, source: Source): NDArray {
    return dim === null ? value : new BatchTracer(this, value, dim, source);
  }

  split(x: NDArray): { value: NDArray; dim: number | null } {
    return x instanceof BatchTracer && x.home === this ? x : { value: x, dim: null };
  }

  process(primitive: AnyPrimitive, args: readonly NDArray[], params: Params): readonly NDArray[] {
    const parent = this.parent!;
    const pairs = args.map((x) => this.split(x));
    const { name } = this.axis;
    const collective = name !== null && axisNamesOf(primitive, params).has(name);
    if (!collective && pairs.every((p) => p.dim === null)) return parent.process(primitive, args, params);
    const rule = primitive.batch;
    if (isAbsent(rule))
      throw new BatchingError("NotBatchable", {
        what: `${primitive.name} cannot be mapped by vmap`,
        why: rule.why,
        fix: rule.fix,
        where: currentPlace(),
      });
    const source = captureSource();
    const run = (): Batched =>
      withTrace(parent, () =>
        rule(
          pairs.map((p) => p.value),
          pairs.map((p) => p.dim),
          params,
          this.axis,
          this.#interpreters,
        ),
      );
    const { outs, dims } = withSource(source, run);
    return outs.map((y, i) => this.wrap(y, dims[i]!, source));
  }
}

const namesOfJaxpr = new WeakMap<Jaxpr, ReadonlySet<string>>();
const noNames: ReadonlySet<string> = new Set();

/** The named axes that an application's collectives work over, those inside its jaxprs included. */
function axisNamesOf(primitive: AnyPrimitive, params: Params): ReadonlySet<string> {
  if (primitive.axisNames) return new Set(primitive.axisNames(params));
  const subs = primitive.subJaxprs?.(params);
  if (!subs) return noNames;
  const all = new Set<string>();
  for (const j of subs) for (const n of axisNamesOfJaxpr(j)) all.add(n);
  return all;
}

function axisNamesOfJaxpr(j: Jaxpr): ReadonlySet<string> {
  const known = namesOfJaxpr.get(j);
  if (known) return known;
  const all = new Set<string>();
  for (const e of j.eqns) for (const n of axisNamesOf(e.primitive, e.params)) all.add(n);
  namesOfJaxpr.set(j, all);
  return all;
}

/** Runs a function of arrays with an axis of each argument mapped, in the current trace. */
export function batchCall(
  f: (args: readonly NDArray[]) => readonly NDArray[],
  args: readonly NDArray[],
  dims: readonly (number | null)[],
  axis: BatchAxis,
  name: string,
  interpreters: Interpreters,
): Batched {
  const trace = new BatchTrace(currentTrace(), name, axis, interpreters);
  const named = axis.name === null ? null : { name: axis.name, size: axis.size };
  const source = captureSource();
  const outs = withNamedAxis(named, () =>
    withNewTrace(trace, () => f(args.map((x, i) => trace.wrap(x, dims[i]!, source)))),
  );
  const pairs = outs.map((y) => trace.split(y));
  return { outs: pairs.map((p) => p.value), dims: pairs.map((p) => p.dim) };
}
