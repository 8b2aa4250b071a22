/**
 * Places of equations that caches keep. A place is a captured stack until somebody asks for its text, and a stack keeps
 * alive what its functions see: often the arrays of the call that made the program. Asking for all of them would take as
 * long as tracing, so it waits until so many arrays were made that memory matters.
 */
import type { Jaxpr } from "./jaxpr.ts";

/** Bytes of new arrays after which stacks are let go. */
const patience = 64 * 2 ** 20;

const fewest = 1024;

let kept: WeakRef<Jaxpr>[] = [];
/** So many programs are worth a look at which of them are still there. */
let many = fewest;
let bytesSince = 0;

/** Notes that a cache keeps a program. */
export function keepSources(jaxpr: Jaxpr): void {
  kept.push(new WeakRef(jaxpr));
  if (kept.length < many) return;
  kept = kept.filter((ref) => ref.deref() !== undefined);
  many = Math.max(fewest, 2 * kept.length);
}

/** Notes that arrays were made. */
export function countNewBytes(bytes: number): void {
  bytesSince += bytes;
  if (bytesSince < patience) return;
  bytesSince = 0;
  const settled = kept;
  kept = [];
  for (const jaxpr of settled) letGo(jaxpr.deref());
}

function letGo(jaxpr: Jaxpr | undefined): void {
  for (const { source, primitive, params } of jaxpr?.eqns ?? []) {
    source.frame();
    primitive.subJaxprs?.(params).forEach(letGo);
  }
}
