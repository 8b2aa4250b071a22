/**
 * The reference device, `cpu`: runs every primitive's `reference` slot on typed arrays. A buffer is a host array in
 * compute form. Slow and obvious; the oracle of every other device.
 */
import { allDTypes } from "../../core/dtype.ts";
import type { HostArray } from "../../core/hostArray.ts";
import type { Jaxpr } from "../../core/jaxpr.ts";
import type { ReferenceContext } from "../../core/primitive.ts";
import type { Device } from "../device.ts";
import { type Conversions, ReferenceProgram } from "./program.ts";

export function referenceDevice(id: number, conversions: Conversions): Device {
  const programs = new WeakMap<Jaxpr, ReferenceProgram>();
  const programOf = (jaxpr: Jaxpr): ReferenceProgram => {
    let program = programs.get(jaxpr);
    if (!program) programs.set(jaxpr, (program = new ReferenceProgram(jaxpr, context)));
    return program;
  };
  const context: ReferenceContext = {
    program: (jaxpr) => {
      const program = programOf(jaxpr);
      return (args) => program.run(args);
    },
    ...conversions,
  };
  return {
    kind: "cpu",
    id,
    dtypes: new Set(allDTypes),
    readsSynchronously: true,
    put: (x) => x,
    readSync: (buffer) => buffer as HostArray,
    read: (buffer) => Promise.resolve(buffer as HostArray),
    release: () => undefined,
    evaluate: (primitive, inputs, params, outs) => primitive.reference(inputs, params, outs, context),
    compile: (jaxpr) => {
      const program = programOf(jaxpr);
      return { run: (inputs) => program.run(inputs as readonly HostArray[]), outAvals: jaxpr.outs.map((a) => a.aval) };
    },
  };
}
