/**
 * The reference device, `cpu`: runs every primitive's `reference` slot on typed arrays. A buffer is a host array in
 * compute form. Slow and obvious; the oracle of every other device.
 */
import { allDTypes } from "../../core/dtype.ts";
import type { HostArray } from "../../core/hostArray.ts";
import type { Jaxpr } from "../../core/jaxpr.ts";
import type { ReferenceContext } from "../../core/primitive.ts";
import { type Device, oneThread } from "../device.ts";
import { ReferenceProgram } from "./program.ts";

/** Programs of jaxprs, made once each. */
export function referencePrograms(
  context: ReferenceContext,
): (jaxpr: Jaxpr) => (args: readonly HostArray[]) => readonly HostArray[] {
  const programs = new WeakMap<Jaxpr, ReferenceProgram>();
  return (jaxpr) => {
    let program = programs.get(jaxpr);
    if (!program) programs.set(jaxpr, (program = new ReferenceProgram(jaxpr, context)));
    return (args) => program.run(args);
  };
}

export function referenceDevice(id: number, context: ReferenceContext): Device {
  return {
    kind: "cpu",
    id,
    dtypes: new Set(allDTypes),
    readsSynchronously: true,
    put: (x) => x,
    readSync: (buffer) => buffer as HostArray,
    read: (buffer) => Promise.resolve(buffer as HostArray),
    ready: () => Promise.resolve(),
    release: () => undefined,
    code: null,
    memory: () => ({ live: 0, peak: 0, capacity: 0, count: 0 }),
    details: () => ({ threads: oneThread, features: {} }),
    evaluate: (primitive, inputs, params, outs) => primitive.reference(inputs, params, outs, context),
    compile: (jaxpr) => {
      const run = context.program(jaxpr);
      return { run: (inputs) => run(inputs as readonly HostArray[]), outAvals: jaxpr.outs.map((a) => a.aval) };
    },
  };
}
